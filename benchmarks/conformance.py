"""scikit-learn's checks of an estimator, on every estimator of `classic` and on scikit-learn's own of the same name.

    python benchmarks/conformance.py           all of them
    python benchmarks/conformance.py Ridge     those whose name holds a word

Expected failures and their reasons are those of tests/classic/test_conformance.py, where each has to fail. The column
"theirs" has scikit-learn's class by its default arguments, with what scikit-learn itself expects to fail left in.
"""

import runpy
import sys
import warnings
from collections import Counter
from pathlib import Path

from sklearn.utils import all_estimators
from sklearn.utils.estimator_checks import check_estimator

CONTRACT = Path(__file__).parents[1] / "tests" / "classic" / "test_conformance.py"


def main(words):
    """A row for each estimator; exit status 1 if a check fails that is not expected to."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        contract = runpy.run_path(str(CONTRACT))
    theirs_by_name = dict(all_estimators())
    total, status = Counter(), 0
    print(f"{'':34}{'ours: passed':>14}{'failed':>8}{'expected':>10}{'skipped':>9}{'theirs: passed':>17}{'failed':>8}")
    for ours in contract["estimators"]():
        name = type(ours).__name__
        if words and not any(word in name for word in words):
            continue
        expected = contract["EXPECTED"].get(name, {})
        counts, failed = run(ours, expected)
        total += counts
        row = f"{name:34}{counts['passed']:>14}{counts['failed']:>8}{counts['xfail']:>10}{counts['skipped']:>9}"
        if name in theirs_by_name:
            theirs, failed_there = run(theirs_by_name[name](**contract["MADE"].get(name, {})), {})
            row += f"{theirs['passed']:>17}{theirs['failed']:>8}"
            worse = sorted({*failed, *expected} - set(failed_there))
            row += f"   theirs passes {', '.join(worse)}" if worse else ""
        print(row, flush=True)
        for check, reason in expected.items():
            print(f"    {check}: {reason}")
        for check, problem in failed.items():
            print(f"    {check} FAILS: {problem}")
            status = 1
    print(f"{'all':34}{total['passed']:>14}{total['failed']:>8}{total['xfail']:>10}{total['skipped']:>9}")
    return status


def run(estimator, expected):
    """How many checks ended how, and what failed: name -> problem."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = check_estimator(estimator, expected_failed_checks=expected, on_skip=None, on_fail=None)
    counts = Counter(result["status"] for result in results)
    failed = {
        r["check_name"]: f"{type(r['exception']).__name__}: {r['exception']}"
        for r in results
        if r["status"] == "failed"
    }
    return counts, failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
