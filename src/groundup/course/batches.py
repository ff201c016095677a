"""The cases of a checkpoint, drawn from a seed, each with its truth."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from .checkpoints import Case, Checkpoint
from .draw import SeededDraw
from .probes import Probe


class OracleAbsent(Exception):
    """The oracle needs a library that is not installed."""


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
    batches: dict[str, Batch | OracleAbsent] = field(default_factory=dict)


def fresh_seed() -> int:
    """A seed short enough to type."""
    return random.SystemRandom().randrange(10_000)


def draw_batch(checkpoint: Checkpoint, place: int, seed: int, times: int) -> Batch | OracleAbsent:
    """Edge cases, then generated ones, each with its truth."""
    cases = list(checkpoint.edge_cases())
    drawn = checkpoint.count * times if checkpoint.draw_case is not None else 0
    cases += [
        checkpoint.draw_case(SeededDraw(seed, place, i)) for i in range(drawn) if checkpoint.draw_case is not None
    ]
    try:
        return Batch(cases, [truth_of(checkpoint, case) for case in cases], drawn)
    except ImportError as problem:
        return OracleAbsent(f"its oracle needs {problem.name}, which is not installed")


def truth_of(checkpoint: Checkpoint, case: Case) -> Any:
    """What the probe ought to return; None where a predicate decides."""
    return checkpoint.truth(**{k.lstrip("_"): v for k, v in case.items()}) if checkpoint.truth else None


def visible(case: Case) -> Case:
    """The part of a case that the probe sees."""
    return {name: value for name, value in case.items() if not name.startswith("_")}
