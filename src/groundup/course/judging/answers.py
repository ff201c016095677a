"""What came of one case: an answer from the sandbox becomes an outcome, by the truth or by a predicate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..lessons.checkpoints import Case, Checkpoint
from .compare import Difference, difference
from .verdicts import Verdict


@dataclass
class Outcome:
    """What came of one case: a verdict, and what it rests on."""

    verdict: Verdict
    says: str = ""
    answer: dict[str, Any] = field(default_factory=dict)
    expected: Any = None
    difference: Difference | None = None

    @property
    def passed(self) -> bool:
        return self.verdict is Verdict.PASSED


def judge_answer(
    checkpoint: Checkpoint, case: Case, truth: Any, answer: dict[str, Any], absent: Sequence[str]
) -> Outcome:
    """One answer against the truth. `absent`: names of the contract that the learner's file does not have."""
    if "raised" in answer:
        return of_raised(answer, absent)
    if "value" not in answer:
        return Outcome(Verdict.CRASHED, "The sandbox's answer has no value in it.", answer)
    changed = answer.get("mutated")
    if changed:
        names = ", ".join(f"`{name}`" for name in changed) if isinstance(changed, list) else "its input"
        return Outcome(
            Verdict.MUTATED_INPUT,
            f"Your code changed {names}, which belongs to the caller: work on a copy.",
            answer,
            truth,
        )
    got = answer["value"]
    if checkpoint.accept is not None:
        return _accepted(checkpoint, case, got, answer)
    found = difference(truth, got, checkpoint.atol, checkpoint.rtol)
    if found is None:
        return Outcome(Verdict.PASSED, answer=answer)
    return Outcome(Verdict(found.kind), found.says, answer, truth, found)


def _accepted(checkpoint: Checkpoint, case: Case, got: Any, answer: dict[str, Any]) -> Outcome:
    assert checkpoint.accept is not None
    try:
        accepted = checkpoint.accept(got, **{k.lstrip("_"): v for k, v in case.items()})
    except Exception as problem:  # what came is not of the form the predicate reads
        accepted = f"the values are not of the form that was asked for ({type(problem).__name__}: {problem})"
    if accepted is True:
        return Outcome(Verdict.PASSED, answer=answer)
    says = accepted if isinstance(accepted, str) else "This does not hold."
    return Outcome(Verdict.WRONG_VALUE, says, answer)


def of_raised(answer: dict[str, Any], absent: Sequence[str] = (), importing: bool = False) -> Outcome:
    """An exception's verdict: forbidden, missing, out of memory, or raised."""
    raised = answer["raised"] if isinstance(answer["raised"], dict) else {}
    kind, message = str(raised.get("type", "an exception")), str(raised.get("message", ""))
    if raised.get("forbidden"):
        return Outcome(Verdict.FORBIDDEN_IMPORT, message + ".", answer)
    if raised.get("unwritten") and raised.get("frames"):
        return Outcome(
            Verdict.MISSING, message[0].upper() + message[1:] + "." if message else "Not written yet.", answer
        )
    if raised.get("absent") and (name := _absent_name(kind, message, absent)):
        return Outcome(Verdict.MISSING, f"`{name}` is not there yet.", answer)
    if raised.get("memory"):
        return Outcome(Verdict.MEMORY, f"More memory than a check may use ({message or 'out of memory'}).", answer)
    says = f"{kind}: {message}" if message else kind
    return Outcome(Verdict.IMPORT_ERROR if importing else Verdict.RAISED, says, answer)


def _absent_name(kind: str, message: str, absent: Sequence[str]) -> str | None:
    """The name of the contract whose absence explains an AttributeError, ImportError or TypeError."""
    for dotted in absent:
        last = dotted.rpartition(".")[2]
        if repr(last) in message or (last.startswith("__") and kind == "TypeError" and "operand" in message):
            return dotted
    return None
