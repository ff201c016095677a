"""The engine of `grad` against PyTorch, on PyTorch's own samples of its operators (OpInfo).

    python benchmarks/opinfo.py             all operators that both have
    python benchmarks/opinfo.py pad norm    those whose name holds a word

A row for each operator: how many samples agree to 1e-9, outputs and gradients in float64, and how many were left out
for which reason. How each is called on the engine, and what is compared, stands in tests/grad/test_opinfo.py.
"""

import runpy
import sys
from collections import Counter
from pathlib import Path

CONTRACT = Path(__file__).parents[1] / "tests" / "grad" / "test_opinfo.py"
MOST = 50  # samples an operator


def main(words):
    """The table; exit status 1 where a sample differs."""
    contract = runpy.run_path(str(CONTRACT))
    theirs = contract["operators"]()
    names = [name for name in contract["OURS"] if not words or any(word in name for word in words)]
    total, differing = Counter(), 0
    print(f"{'operator':46}{'equal':>7}{'left out':>10}")
    for name in names:
        counts, reasons = Counter(), Counter()
        for i, sample in enumerate(contract["samples"](theirs[name])):
            try:
                if i >= MOST:
                    raise contract["LeftOut"](f"beyond the first {MOST}")
                problem = contract["compare"](name, theirs[name], sample)
            except contract["LeftOut"] as reason:
                counts["left out"] += 1
                reasons[str(reason)] += 1
                continue
            counts["differs" if problem else "equal"] += 1
            if problem:
                print(f"    {name} DIFFERS: {problem}; {sample}")
        total += counts
        why = "; ".join(f"{n} {reason}" for reason, n in reasons.items())
        print(f"{name:46}{counts['equal']:>7}{counts['left out']:>10}   {why}".rstrip(), flush=True)
        differing += counts["differs"]
    print(f"{f'all {len(names)}':46}{total['equal']:>7}{total['left out']:>10}   {differing} differ")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
