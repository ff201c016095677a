"""Times the learner's code against the libraries that a lesson's truth comes from, in a process of its own.

    python -m groundup.desk.portfolio.timing WORKSPACE 1.3

prints one line of JSON: for each checkpoint whose truth is another library's, the seconds that its cases take with either.
"""

from __future__ import annotations

import json
import sys
import time
import types
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ...course.judging.batches import Batch, draw_batch, visible
from ...course.lessons.lesson import find, find_all
from ...course.lessons.probes import Probe, load_probes
from ...course.overlay import Library, Overlay, from_sources
from ...course.workspace.workspace import find_workspace
from .built import ORACLES
from .packaging import own_files, package_sources

REPEATS = 3
PATIENCE = 5.0  # seconds after which a checkpoint is not repeated any more
SEED = 0  # of the cases: the same for everybody


def main(root: str, section_id: str) -> None:
    """Times a lesson, and prints what it took."""
    lesson = find(section_id)
    own, _ = own_files(find_workspace(Path(root)), find_all())
    sources = {
        module: (f"mine/{module.replace('.', '/')}.py", text) for module, text in package_sources(own).items() if module
    }
    Overlay("mine", from_sources(sources)).install()
    library = Library("mine")
    found = []
    for place, probe in enumerate(load_probes(lesson)):
        against = [] if probe.checkpoint.long else libraries(probe.checkpoint.truth)
        if against and (times := _times(probe, place, library)):
            found.append({"checkpoint": probe.checkpoint.name, "against": against, **times})
    print("\n" + json.dumps(found))


def libraries(truth: Callable[..., Any] | None) -> list[str]:
    """Which libraries a truth is computed by, as far as its code names them."""
    names: set[str] = set()
    seen: set[types.CodeType] = set()

    def look(function: Any) -> None:
        code = getattr(function, "__code__", None)
        if code is None or code in seen:
            return
        seen.add(code)
        inner = [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
        for name in {*code.co_names, *(name for each in inner for name in each.co_names)}:
            value = function.__globals__.get(name)
            names.add(name.partition(".")[0])
            names.add(
                str(getattr(value, "__name__" if isinstance(value, types.ModuleType) else "__module__", "")).partition(
                    "."
                )[0]
            )
            if isinstance(value, types.FunctionType):
                look(value)

    look(truth)
    return [said for name, said in ORACLES.items() if name in names]


def _times(probe: Probe, place: int, library: Library) -> dict[str, Any] | None:
    """Seconds for all cases of a checkpoint, the best of some rounds; None where they cannot be had."""
    truth = probe.checkpoint.truth
    try:
        batch = draw_batch(probe.checkpoint, place, SEED, 1)
        if not isinstance(batch, Batch) or truth is None:
            return None
        theirs = [{name.lstrip("_"): value for name, value in case.items()} for case in batch.cases]
        mine = [visible(case) for case in batch.cases]
        return {
            "cases": len(batch.cases),
            "mine": _best(lambda case: probe.checkpoint.probe(library, **case), mine),
            "theirs": _best(lambda case: truth(**case), theirs),
        }
    except Exception:  # whatever the learner's code raises: it passed once, on other cases
        return None


def _best(call: Callable[[dict[str, Any]], Any], cases: Sequence[dict[str, Any]]) -> float:
    best, spent = float("inf"), 0.0
    for _ in range(1 + REPEATS):  # the first warms
        begun = time.perf_counter()
        for case in cases:
            call(case)
        took = time.perf_counter() - begun
        best, spent = min(best, took), spent + took
        if spent > PATIENCE:
            break
    return best


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
