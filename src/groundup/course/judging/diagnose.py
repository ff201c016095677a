"""Names the mistake: runs the lesson's faults on the case that failed, and asks which of them gives the same answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..holes.library import module_name, reference_sources, reference_text
from ..lessons.checkpoints import Case
from ..lessons.faults import Fault, load_faults
from ..lessons.lesson import Lesson
from ..lessons.probes import Probe
from ..sandbox.frames import encode
from ..sandbox.host import Child, ChildDied, ChildLate, Sandbox
from .compare import difference

ANSWER_SECONDS = 0.3  # for one fault, on one case or on the rest of the evidence
LOAD_SECONDS = 10.0
KEPT = 1000  # answers of faults that are remembered: a class is judged on the same cases, one submission after another


class Diagnostician:
    """The faults of one lesson, loaded side by side in a child of their own that stays warm."""

    def __init__(self, lesson: Lesson, probes: Sequence[Probe], sandbox: Sandbox) -> None:
        self._lesson, self._sandbox = lesson, sandbox
        self._modules = [*lesson.modules, *(module for probe in probes for module in probe.modules)]
        reference = {path: reference_text(module_name(path)) or "" for path in lesson.builds}
        self.faults = load_faults(lesson, reference)
        self.touched: dict[
            str, frozenset[str]
        ] = {}  # fault -> the probes that it may change; all, where nothing is said
        self._answered: dict[tuple[str, str, bytes], dict[str, Any]] = {}
        self._child: Child | None = None
        self._probes: set[str] = set()
        self._loaded: set[str] = set()

    def close(self) -> None:
        """Ends the child."""
        if self._child is not None:
            self._child.close()
        self._child = None
        self._probes.clear()
        self._loaded.clear()

    def forget(self) -> None:
        """Lets go of the answers to cases that will not come again."""
        self._answered.clear()

    def warm(self) -> None:
        """Loads every fault ahead of time."""
        for place, fault in enumerate(self.faults):
            try:
                self._load(f"fault{place}", fault)
            except (ChildDied, ChildLate):
                self.close()

    def _load(self, package: str, fault: Fault) -> Child:
        if self._child is None:
            self._child = self._sandbox.child(self._lesson.allows, cpu=600)
        if package not in self._loaded:
            edited = module_name(fault.file)
            sources = reference_sources(self._modules, lambda m, text: fault.apply(text) if m == edited else text)
            request = {
                "do": "load",
                "package": package,
                "sources": sources,
                "modules": list(self._lesson.modules),
                "contract": {},
            }
            self._child.request(request, LOAD_SECONDS)
            self._loaded.add(package)
        return self._child

    def answers(self, probe: Probe, fault: Fault, cases: list[Case]) -> list[dict[str, Any]]:
        """What a fault answers on the cases; at a timeout or a crash the list ends with {"late"} or {"died"}."""
        keys = [(probe.key, fault.name, encode(case)) for case in cases]
        found: list[dict[str, Any]] = []
        while len(found) < len(cases) and (known := self._answered.get(keys[len(found)])) is not None:
            found.append(known)
            if "late" in known or "died" in known:
                return found
        asked = self._ask(probe, fault, cases[len(found) :])
        if len(self._answered) > KEPT:
            self.forget()
        alone = len(asked) == 1  # otherwise what came before it may have taken its time
        self._answered.update(
            (key, answer) for key, answer in zip(keys[len(found) :], asked) if alone or "late" not in answer
        )
        return found + asked

    def _ask(self, probe: Probe, fault: Fault, cases: list[Case]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        if not cases:
            return found
        package = f"fault{self.faults.index(fault)}"
        try:
            child = self._load(package, fault)
            if probe.key not in self._probes:
                child.request(
                    {"do": "probe", "name": probe.key, "source": probe.source, "function": probe.key}, LOAD_SECONDS
                )
                self._probes.add(probe.key)
            request = {"do": "answer", "probe": probe.key, "package": package, "cases": cases}
            for answer in child.answers(request, len(cases), ANSWER_SECONDS):
                found.append(answer)
        except ChildLate:
            self.close()
            found.append({"late": True})
        except ChildDied as died:
            self.close()
            found.append({"died": died.reason})
        return found

    def name(
        self,
        probe: Probe,
        evidence: list[tuple[Case, dict[str, Any]]],
        atol: float,
        rtol: float,
        first: str | None = None,
    ) -> Fault | None:
        """The fault that answers as the learner's code did on the first case, and most often on the rest.

        With `first`, the name of a fault, only that one is tried: has the mistake that was named struck here too?
        """
        (case, theirs), rest = evidence[0], evidence[1:]
        best: tuple[int, Fault] | None = None
        for fault in self.faults:
            if first is not None and fault.name != first:
                continue
            if probe.key not in self.touched.get(fault.name, (probe.key,)):
                continue
            if not same_answer(theirs, self.answers(probe, fault, [case])[0], atol, rtol):
                continue
            ours = self.answers(probe, fault, [case for case, _ in rest]) if rest else []
            score = sum(same_answer(a, b, atol, rtol) for (_, a), b in zip(rest, ours))
            if best is None or score > best[0]:
                best = (score, fault)
        return best[1] if best else None


def same_answer(a: dict[str, Any], b: dict[str, Any], atol: float, rtol: float) -> bool:
    """Whether two answers to one case are the same: the same values, or the same way of failing."""
    if a.get("late") or b.get("late"):
        return bool(a.get("late") and b.get("late"))
    if "died" in a or "died" in b:
        return a.get("died") == b.get("died")
    if "raised" in a or "raised" in b:
        return "raised" in a and "raised" in b and _how_raised(a["raised"]) == _how_raised(b["raised"])
    if a.get("mutated") != b.get("mutated"):
        return False
    return difference(b.get("value"), a.get("value"), atol, rtol) is None


def _how_raised(raised: dict[str, Any]) -> tuple[str, str]:
    """The exception's type, and the function of the library's file that it came out of."""
    frames = raised.get("frames") or []
    return str(raised.get("type")), str(frames[-1][-1]) if frames else ""
