"""scikit-learn's own unit tests, which ship in its wheel, with our class in the place of theirs.

Each file of `scikit_tests/` names test modules of scikit-learn, the classes to swap in them, the tests chosen, and the tests
that ours misses, each with its reason; `ignores` are arguments of the constructor that ours has no use for. A test that fails and is not named is an error, and so is a named one that passes.

    python benchmarks/swapped.py            all of them
    python benchmarks/swapped.py linear     scikit_tests/linear.toml

This file is also the pytest plugin that does the swapping: it puts our objects into each test module's namespace before its
tests are collected.
"""

import importlib
import inspect
import json
import os
import re
import subprocess
import sys
import tempfile
from functools import reduce
from pathlib import Path

try:
    import tomllib
except ImportError:  # Python 3.10
    import tomli as tomllib

HERE = Path(__file__).parent


def main(names):
    """A row for each module: tests chosen, passed with theirs, passed with ours, and what was missed. Exit status 1 on a surprise."""
    files = [HERE / "scikit_tests" / f"{name}.toml" for name in names] or sorted((HERE / "scikit_tests").glob("*.toml"))
    surprises = []
    print(f"{'module':48}{'tests':>7}{'theirs':>8}{'ours':>7}")
    for file in files:
        for suite in tomllib.loads(file.read_text())["suite"]:
            theirs, ours = run(suite, {}), run(suite, suite["swap"])
            print(f"{suite['module'].removeprefix('sklearn.'):48}{len(ours):>7}{passed(theirs):>8}{passed(ours):>7}")
            misses = suite.get("misses", {})
            failed = {test for test, outcome in ours.items() if outcome != "passed" and theirs.get(test) == "passed"}
            for key, reason in misses.items():
                hit = {test for test in failed if key in (test, test.split("[")[0])}
                print(f"    {key} ({len(hit)}): {reason}")
                if not hit:
                    surprises.append(f"{suite['module']}::{key} is named as a miss and passes")
                failed -= hit
            surprises += [f"{suite['module']}::{test} fails" for test in sorted(failed)]
            found = {test.split("[")[0] for test in ours}
            surprises += [f"{suite['module']}::{test} does not exist" for test in suite["tests"] if test not in found]
    print("\n".join(surprises))
    return bool(surprises)


def run(suite, swap):
    """The outcome of each chosen test, by its name with parameters."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "outcomes.json"
        environment = os.environ | {
            "SWAP": json.dumps(
                {
                    "module": suite["module"],
                    "swap": swap,
                    "ignores": suite.get("ignores", {}),
                    "tests": suite["tests"],
                    "report": str(report),
                }
            ),
            "PYTHONPATH": str(HERE),
        }
        command = ["-m", "pytest", "--pyargs", suite["module"], "-p", "swapped", "-q", "--import-mode=importlib"]
        options = ["-p", "no:cacheprovider", "-p", "no:xdist", "-c", os.devnull, "--rootdir", folder]
        done = subprocess.run(
            [sys.executable, *command, *options], env=environment, cwd=folder, capture_output=True, text=True
        )
        if not report.exists():
            raise RuntimeError(f"{suite['module']} did not run:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return json.loads(report.read_text())


def passed(outcomes):
    return sum(outcome == "passed" for outcome in outcomes.values())


if "SWAP" in os.environ:
    ASKED = json.loads(os.environ["SWAP"])
    OUTCOMES = {}

    def pytest_collectstart(collector):
        """Swaps the names in a test module that is about to be collected."""
        module = getattr(collector, "module", None) if type(collector).__name__ == "Module" else None
        if module is not None:
            for name, path in ASKED["swap"].items():
                where, what = path.split(":")
                ours = getattr(importlib.import_module(where), what)
                *holders, last = name.split(".")  # "svm.SVC" is looked up in the test module's svm
                holder = reduce(getattr, holders, module)
                assert hasattr(holder, last), f"{ASKED['module']} has no {name}"
                setattr(holder, last, _without(ours, ASKED["ignores"].get(name, ())))

    def _without(kind, ignored):
        """The class, with a constructor that drops the arguments which choose among scikit-learn's solvers and the like."""
        if not ignored:
            return kind

        def __init__(self, *args, **kwargs):
            kind.__init__(self, *args, **{k: v for k, v in kwargs.items() if k not in ignored})

        __init__.__signature__ = inspect.signature(kind.__init__)
        return type(kind.__name__, (kind,), {"__init__": __init__})

    def pytest_collection_modifyitems(items):
        """Keeps the chosen tests, without their variants on sparse matrices, which `classic` does not take."""
        items[:] = [
            item
            for item in items
            if item.originalname in ASKED["tests"]
            and not (re.search(r"[\[-](csr|csc|coo|lil|sparse)_", item.name) and "dense" not in item.name)
        ]

    def pytest_runtest_logreport(report):
        """A test has passed if nothing of it has failed or was skipped."""
        name = report.nodeid.split("::")[-1]
        if report.outcome != "passed" or report.when == "setup":
            OUTCOMES[name] = report.outcome if OUTCOMES.get(name, "passed") == "passed" else OUTCOMES[name]

    def pytest_sessionfinish():
        Path(ASKED["report"]).write_text(json.dumps(OUTCOMES))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
