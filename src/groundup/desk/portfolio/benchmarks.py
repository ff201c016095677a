"""Benchmarks of lessons against the libraries they equal, kept in `.groundup/benchmarks` for as long as they are of the same files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ...course.progress.store import Standing
from ...course.workspace.workspace import Workspace, write_atomically
from ...lab.surroundings import hardware_here

DEADLINE = 120.0  # seconds for one lesson


@dataclass(frozen=True)
class Benchmark:
    """Rows of checkpoint, cases, mine, theirs, and how many times as long mine took. on: the processor."""

    against: tuple[str, ...]
    rows: tuple[tuple[str, str, str, str, str], ...]
    on: str


def measure(workspace: Workspace, lessons: Iterable[str], say: Callable[[str], None] = lambda _: None) -> None:
    """Times those lessons that have passed and are not timed yet, and keeps what came out."""
    standings = _standings(workspace)
    for lesson in lessons:
        standing = standings.get(lesson)
        if standing is None or not standing.passed or _read(workspace, lesson, standing.passed_files) is not None:
            continue
        say(lesson)
        rows = _timed(workspace, lesson)
        kept = {"schema": 1, "files": standing.passed_files, "on": hardware_here()["processor"], "rows": rows}
        write_atomically(_path(workspace, lesson), json.dumps(kept, indent=1).encode())


def kept_benchmarks(workspace: Workspace) -> dict[str, Benchmark]:
    """By lesson, those that are of the files as they passed last."""
    found = {}
    for lesson, standing in _standings(workspace).items():
        kept = _read(workspace, lesson, standing.passed_files)
        if kept is not None and kept.rows:
            found[lesson] = kept
    return found


def _standings(workspace: Workspace) -> dict[str, Standing]:
    with workspace.store(readonly=True) as store:
        return store.standings()


def _path(workspace: Workspace, lesson: str) -> Any:
    return workspace.root / ".groundup" / "benchmarks" / f"{lesson}.json"


def _read(workspace: Workspace, lesson: str, files: dict[str, str]) -> Benchmark | None:
    try:
        said = json.loads(_path(workspace, lesson).read_bytes())
        if said["files"] != files:
            return None
        against = dict.fromkeys(str(name) for row in said["rows"] for name in row["against"])
        rows = tuple(
            (str(row["checkpoint"]), str(int(row["cases"])), _milliseconds(row["mine"]), _milliseconds(row["theirs"]),
             f"{row['mine'] / row['theirs']:.2g} ×")
            for row in said["rows"]
        )  # fmt: skip
        return Benchmark(tuple(against), rows, str(said["on"]))
    except (OSError, ValueError, KeyError, TypeError, ZeroDivisionError):
        return None


def _milliseconds(seconds: Any) -> str:
    return f"{1000 * float(seconds):.3g} ms"


def _timed(workspace: Workspace, lesson: str) -> list[dict[str, Any]]:
    """What the process that times says; nothing if it fails or is late."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    command = [sys.executable, "-m", "groundup.desk.portfolio.timing", str(workspace.root), lesson]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, env={**os.environ, **threads})
        found = json.loads(done.stdout.strip().splitlines()[-1])
    except (OSError, subprocess.TimeoutExpired, ValueError, IndexError):
        return []
    return found if isinstance(found, list) else []
