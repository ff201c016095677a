"""The cases of a checkpoint, drawn from a seed, each with its truth."""

from __future__ import annotations

import random
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...data.catalogue import DataError
from ..lessons.checkpoints import Case, Checkpoint
from ..lessons.draw import SeededDraw
from ..lessons.extras import how_to_get
from ..lessons.lesson import LessonError
from ..lessons.probes import Probe


class Absent(Exception):
    """What a checkpoint needs is not on this machine: why it was not run, and what to do, as sentences."""


@dataclass
class Batch:
    """The cases of one checkpoint, and the truth of each."""

    cases: list[Case]
    truths: list[Any]
    drawn: int  # how many of them, at the end, were generated
    wire: bytes = b""  # the request that carries them into the sandbox, once it has been made


@dataclass
class Prepared:
    """A lesson made ready: its probes, and one batch of cases with their truths ahead of time."""

    probes: list[Probe]
    seed: int = -1
    count: int = 0
    batches: dict[str, Batch | Absent] = field(default_factory=dict)

    def draw(self, seed: int, count: int) -> None:
        """The cases of a seed for every checkpoint but the long ones; those are drawn when their turn comes."""
        self.seed, self.count = seed, count
        self.batches = {p.key: self._drawn(p) for p in self.probes if not p.checkpoint.long}

    def batch(self, probe: Probe) -> Batch | Absent:
        """The cases of a checkpoint."""
        return self.batches[probe.key] if probe.key in self.batches else self._drawn(probe)

    def _drawn(self, probe: Probe) -> Batch | Absent:
        return draw_batch(probe.checkpoint, self.probes.index(probe), self.seed, self.count)


def fresh_seed() -> int:
    """A seed short enough to type."""
    return random.SystemRandom().randrange(10_000)


def draw_batch(checkpoint: Checkpoint, place: int, seed: int, times: int) -> Batch | Absent:
    """Edge cases, then generated ones, each with its truth. LessonError where the lesson's own code raises."""
    drawn = checkpoint.count * times if checkpoint.draw_case is not None else 0
    try:
        cases = list(checkpoint.edge_cases())
        cases += [
            checkpoint.draw_case(SeededDraw(seed, place, i)) for i in range(drawn) if checkpoint.draw_case is not None
        ]
        return Batch(cases, [truth_of(checkpoint, case) for case in cases], drawn)
    except ImportError as problem:
        return Absent(
            f"Not run: its oracle needs {problem.name}, which is not installed. `{how_to_get(problem.name or '')}` brings it."
        )
    except DataError as problem:
        return Absent(f"Not run: {problem}")
    except Exception as problem:  # the author's code: it may raise anything
        raise _not_drawn(checkpoint, problem) from problem


def _not_drawn(checkpoint: Checkpoint, problem: Exception) -> LessonError:
    """What a lesson's cases or its oracle raised, and at which of its lines."""
    file = checkpoint.probe.__code__.co_filename
    lines = [frame.lineno for frame in traceback.extract_tb(problem.__traceback__) if frame.filename == file]
    says = f"the cases of {checkpoint.name!r} cannot be drawn: {type(problem).__name__}: {problem}"
    return LessonError(Path(file), (lines and lines[-1]) or 1, says)


def truth_of(checkpoint: Checkpoint, case: Case) -> Any:
    """What the probe ought to return; None where a predicate decides."""
    return checkpoint.truth(**{k.lstrip("_"): v for k, v in case.items()}) if checkpoint.truth else None


def visible(case: Case) -> Case:
    """The part of a case that the probe sees."""
    return {name: value for name, value in case.items() if not name.startswith("_")}
