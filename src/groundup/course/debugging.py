"""A learner's file under a debugger: run as the module it is, or asked the failing case of a check, both in this process.

The judge runs what it judges in a sandbox, which no debugger reaches. Here nothing stands between: use it on your own files.
"""

from __future__ import annotations

import copy
import runpy
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .checking.client import workspace_root
from .checking.scratch import own_scratch
from .judging.batches import visible
from .judging.judge import Judge
from .judging.verdicts import CheckpointVerdict
from .lessons.lesson import Lesson
from .lessons.probes import load_probes
from .overlay import Library, over_reference
from .workspace.workspace import Workspace


@dataclass(frozen=True)
class Rerun:
    """The first checkpoint that failed, its verdict, and what came when its case was run here: an answer, or an exception."""

    verdict: CheckpointVerdict
    seed: int
    got: Any = None
    raised: str = ""


def run_file(path: Path) -> None:
    """Runs a file as `__main__`; one below `mine` as a module of it, so that its relative imports work."""
    path = path.resolve()
    root = workspace_root(path.parent)
    if root is None or not path.is_relative_to(root / "mine"):
        sys.path.insert(0, str(path.parent))
        runpy.run_path(str(path), run_name="__main__")
        return
    sys.path.insert(0, str(root))
    name = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
    runpy.run_module(name, run_name="__main__", alter_sys=True)


def rerun(workspace: Workspace, lesson: Lesson, seed: int | None = None) -> Rerun | None:
    """Judges a lesson, then runs the smallest failing case of those drawn in this process. None if all that is required passed."""
    with workspace.store(readonly=True) as store:
        standings = store.standings()
    with own_scratch(), Judge() as judge:
        verdict = judge.check(lesson, workspace.submission(lesson, standings), seed, search=False, whole=False)
    failed = next((c for c in verdict.checkpoints if not c.passed and not c.stretch), None)
    if failed is None:
        return None
    if failed.case is None:  # nothing was run: the file cannot be imported, or has a hole
        return Rerun(failed, verdict.seed, raised=_imported(workspace, lesson))
    probe = next(p for p in load_probes(lesson) if p.checkpoint.name == failed.name)
    over_reference(workspace.root).install()
    try:
        got = probe.checkpoint.probe(Library("mine"), **copy.deepcopy(visible(failed.case)))
    except Exception:
        return Rerun(failed, verdict.seed, raised=traceback.format_exc())
    return Rerun(failed, verdict.seed, got)


def _imported(workspace: Workspace, lesson: Lesson) -> str:
    import importlib

    over_reference(workspace.root).install()
    try:
        for module in lesson.modules:
            importlib.import_module(f"mine.{module}")
    except Exception:
        return traceback.format_exc()
    return ""


if __name__ == "__main__":
    del sys.argv[0]  # the file sees itself there
    run_file(Path(sys.argv[0]))
