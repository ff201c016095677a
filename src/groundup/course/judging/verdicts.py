"""What the judge says: a closed set of verdicts, and their form as JSON (docs/json.md)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np

from ..sandbox.frames import Opaque

SCHEMA = 1
ENTRIES_SHOWN = 400  # of an array; beyond that its beginning, and its shape
TEXT_SHOWN = 4000  # characters of a text


class Verdict(str, Enum):
    """How a checkpoint ended. Only `passed` is a pass."""

    PASSED = "passed"
    WRONG_VALUE = "wrong-value"
    WRONG_SHAPE = "wrong-shape"
    WRONG_DTYPE = "wrong-dtype"
    NOT_FINITE = "not-finite"
    MUTATED_INPUT = "mutated-input"
    MISSING = "missing"
    RAISED = "raised"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    FORBIDDEN_IMPORT = "forbidden-import"
    IMPORT_ERROR = "import-error"
    CRASHED = "crashed"
    SKIPPED = "skipped"


@dataclass
class CheckpointVerdict:
    """One checkpoint's verdict, with the smallest failing case where there is one."""

    name: str
    stretch: bool
    verdict: Verdict
    says: str = ""
    fault: str | None = None
    line: int | None = None
    file: str | None = None
    case: Any = None
    shown: str | None = None  # the case as a person would write it
    expected: Any = None
    got: Any = None
    index: tuple[int, ...] | None = None
    path: str = ""  # of the part that differs, in the probe's answer: ["gradients"][0]
    tolerance: tuple[float, float] | None = None  # what may differ: absolute, and relative to the right value
    raised: str = ""  # an exception: its type and message
    trace: list[tuple[str, int, str]] = field(default_factory=list)  # of it, the learner's part
    cases: int = 0  # how many were run
    failed: int = 0  # how many of them failed
    absent: bool = False  # not run, for want of data or a library

    @property
    def passed(self) -> bool:
        return self.verdict is Verdict.PASSED


@dataclass
class LessonVerdict:
    """All checkpoints of a lesson, and what stood in for what."""

    lesson: str
    seed: int
    elapsed_ms: float
    checkpoints: list[CheckpointVerdict]
    mine: list[str] = field(default_factory=list)  # earlier files of the learner's that were used
    reference: list[str] = field(default_factory=list)  # earlier files where the reference stood in
    printed: str = ""

    @property
    def passed(self) -> bool:
        """Every checkpoint that is not a stretch has passed, and there was one."""
        needed = [c for c in self.checkpoints if not c.stretch]
        return bool(needed) and all(c.passed for c in needed)

    @property
    def stretched(self) -> bool:
        """Everything has passed, the stretch checkpoints too."""
        return self.passed and all(c.passed for c in self.checkpoints)

    def as_json(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        return {
            "schema": SCHEMA,
            "lesson": self.lesson,
            "passed": self.passed,
            "seed": self.seed,
            "elapsed_ms": round(self.elapsed_ms, 1),
            "checkpoints": [_checkpoint_json(c) for c in self.checkpoints],
            "mine": self.mine,
            "reference": self.reference,
            "printed": self.printed,
        }


def _checkpoint_json(c: CheckpointVerdict) -> dict[str, Any]:
    return {
        "name": c.name,
        "stretch": c.stretch,
        "passed": c.passed,
        "verdict": c.verdict.value,
        "case": plain(c.case),
        "shown": c.shown,
        "expected": plain(c.expected),
        "got": plain(c.got),
        "index": list(c.index) if c.index is not None else None,
        "path": c.path[:TEXT_SHOWN],
        "tolerance": list(c.tolerance) if c.tolerance is not None else None,
        "raised": plain(c.raised),
        "trace": plain(c.trace),
        "fault": c.fault,
        "says": c.says,
        "file": c.file,
        "line": c.line,
        "cases": c.cases,
        "failed": c.failed,
    }


def plain(value: Any) -> Any:
    """A value in strict JSON: arrays as {"shape", "dtype", "values"}, NaN and infinities as text."""
    if isinstance(value, np.ndarray):
        entries = [plain(x) for x in value.ravel()[:ENTRIES_SHOWN].tolist()]
        return {"shape": list(value.shape), "dtype": str(value.dtype), "values": entries}
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, dict):
        return {str(key)[:TEXT_SHOWN]: plain(item) for key, item in list(value.items())[:ENTRIES_SHOWN]}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value[:ENTRIES_SHOWN]]
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if value != value else ("inf" if value > 0 else "-inf")
    if isinstance(value, complex):
        return {"real": plain(value.real), "imag": plain(value.imag)}
    if isinstance(value, Opaque):
        return {"type": value.type}
    if isinstance(value, str):
        return value[:TEXT_SHOWN].encode("utf-8", "replace").decode()
    return value
