"""The judge: cases, answers from the sandbox, comparison with the truth, the smallest failing case, the diagnosis."""

from __future__ import annotations

import ast
import gc
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .checkpoints import Case, Checkpoint
from .compare import Difference, difference, size
from .diagnose import Diagnostician, same_answer
from .draw import SeededDraw
from .kinds import kind_of_difference
from .lesson import Lesson
from .library import (
    Problem,
    Submission,
    assemble,
    check_imports,
    module_name,
    read_text,
    reference_sources,
    reference_text,
)
from .probes import Probe, allowed_names, load_probes
from .sandbox.frames import encode
from .sandbox.host import Child, ChildDied, ChildLate, Sandbox
from .shrink import shrink
from .verdicts import CheckpointVerdict, LessonVerdict, Verdict

SHRINK_SECONDS = 0.08
RESTARTS = 20  # of the child, while a case is shrunk
LOAD_SECONDS = 5.0
HURRIED_SECONDS = 0.15  # for all checkpoints after one that failed: what failed first is what the learner reads
CHECK_SECONDS = 30.0  # for a whole lesson: what has not run by then is skipped, and says so


NOT_SHRUNK = (Verdict.MISSING, Verdict.TIMEOUT, Verdict.CRASHED, Verdict.FORBIDDEN_IMPORT)


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


@dataclass
class _Prepared:
    """A lesson made ready: its probes, and one batch of cases with their truths ahead of time."""

    probes: list[Probe]
    seed: int = -1
    count: int = 0
    batches: dict[str, Batch | OracleAbsent] = field(default_factory=dict)


class Judge:
    """Keeps sandboxes warm and lessons ready. Not to be shared between threads."""

    def __init__(self) -> None:
        self._sandboxes: dict[str, Sandbox] = {}
        self._prepared: dict[Path, _Prepared] = {}
        self._diagnosticians: dict[Path, Diagnostician] = {}

    def __enter__(self) -> Judge:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends every process this judge has started."""
        for diagnostician in self._diagnosticians.values():
            diagnostician.close()
        for sandbox in self._sandboxes.values():
            sandbox.close()
        self._diagnosticians.clear()
        self._sandboxes.clear()

    def sandbox(self, profile: str = "numpy") -> Sandbox:
        """The warm sandbox of a profile."""
        if profile not in self._sandboxes:
            self._sandboxes[profile] = Sandbox(profile)
        return self._sandboxes[profile]

    def prepare(self, lesson: Lesson, seed: int | None = None, times: int = 1) -> None:
        """Draws the next batch and asks the oracle before it is needed. Warms the sandbox."""
        self.sandbox().warm()
        self.ready(lesson, fresh_seed() if seed is None else seed, times)
        self.diagnostician(lesson).warm()
        gc.freeze()  # oracles and cases stay: a collection in the middle of a check would look at all of torch

    def ready(self, lesson: Lesson, seed: int, times: int) -> _Prepared:
        """The lesson's probes, and the cases of this seed with their truths."""
        prepared = self._prepared.get(lesson.folder)
        if prepared is None:
            prepared = self._prepared[lesson.folder] = _Prepared(load_probes(lesson))
        if (prepared.seed, prepared.count) != (seed, times):
            prepared.seed, prepared.count = seed, times
            prepared.batches = {p.key: draw_batch(p.checkpoint, i, seed, times) for i, p in enumerate(prepared.probes)}
        return prepared

    def diagnostician(self, lesson: Lesson) -> Diagnostician:
        """The lesson's faults, loaded."""
        if lesson.folder not in self._diagnosticians:
            self._diagnosticians[lesson.folder] = Diagnostician(
                lesson, self._prepared[lesson.folder].probes, self.sandbox()
            )
        return self._diagnosticians[lesson.folder]

    def check(
        self, lesson: Lesson, submission: Submission, seed: int | None = None, times: int = 1, search: bool = True
    ) -> LessonVerdict:
        """Judges one submission. `seed` draws the same cases again; `times` as many cases.

        `search`: whether a failing case is shrunk; without it the smallest of those drawn is shown.
        """
        begun = time.perf_counter()
        prepared = self._prepared.get(lesson.folder)
        if seed is None:
            seed = prepared.seed if prepared and prepared.count == times and prepared.seed >= 0 else fresh_seed()
        prepared = self.ready(lesson, seed, times)
        verdict = LessonVerdict(lesson.section_id, seed, 0.0, [])
        try:
            own, trees = _read(lesson, submission)
            hearing = _Hearing(self, lesson, submission, prepared, own, trees, begun, search)
            verdict.mine, verdict.reference = hearing.stand_ins()
            verdict.checkpoints = hearing.all()
            verdict.printed = hearing.printed
        except Problem as problem:
            verdict.checkpoints = [_of_problem(p.checkpoint, problem) for p in prepared.probes]
        verdict.elapsed_ms = (time.perf_counter() - begun) * 1000
        return verdict

    def use_up(self, lesson: Lesson) -> None:
        """Forgets the prepared cases, so that the next check draws fresh ones."""
        if (prepared := self._prepared.get(lesson.folder)) is not None:
            prepared.seed = -1


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


def _read(lesson: Lesson, submission: Submission) -> tuple[dict[str, tuple[str, str]], dict[str, ast.Module]]:
    """The learner's modules as (file name, text), and the trees of the lesson's own files. Problem if one cannot be."""
    own: dict[str, tuple[str, str]] = {}
    trees = {}
    for path in lesson.builds:
        name = submission.name(path)
        if path not in submission.files:
            if len(lesson.builds) == 1:
                raise Problem("missing", f"there is no {name} yet: `groundup open {lesson.section_id}` writes it", name)
            continue
        text, trees[path] = read_text(submission.files[path], name)
        if not submission.any_imports:
            check_imports(trees[path], allowed_names(lesson), name)
        own[module_name(path)] = (name, text)
    for path, data in submission.earlier.items():
        own[module_name(path)] = (submission.name(path), read_text(data, submission.name(path))[0])
    return own, trees


def _of_problem(checkpoint: Checkpoint, problem: Problem) -> CheckpointVerdict:
    verdict = CheckpointVerdict(checkpoint.name, checkpoint.stretch, Verdict(problem.kind), problem.says)
    verdict.file, verdict.line = problem.file, problem.line
    return verdict


class _Hearing:
    """One submission before the judge: its child, and one checkpoint after another."""

    def __init__(
        self,
        judge: Judge,
        lesson: Lesson,
        submission: Submission,
        prepared: _Prepared,
        own: dict[str, tuple[str, str]],
        trees: dict[str, ast.Module],
        begun: float,
        search: bool,
    ) -> None:
        self._search = search
        self._judge, self._lesson, self._submission = judge, lesson, submission
        self._prepared, self._own, self._trees = prepared, own, trees
        self._until = begun + CHECK_SECONDS
        self._child: Child | None = None
        self._told: set[str] = set()  # the probes that this child has
        self._broken: Problem | None = None  # why it cannot be loaded, once that is known
        self._absent: list[str] = []
        self._fault: str | None = None
        self._hurry = float("inf")
        self.printed = ""
        self._files = {name: path for path in lesson.builds if (name := submission.name(path))}
        wanted = [*lesson.modules, *(m for probe in prepared.probes for m in probe.modules)]
        self._sources = assemble(wanted, own, frozenset(lesson.modules))
        if not submission.any_imports:  # what the reference does without is not lent: a later lesson's file, say
            lent = reference_sources(wanted)
            self._sources = {m: source for m, source in self._sources.items() if m in own or m in lent}

    def stand_ins(self) -> tuple[list[str], list[str]]:
        """Of the learner's earlier files that this lesson runs on: those that count, and those the reference stands in for."""
        used = [
            path
            for path in (*self._submission.earlier, *self._submission.unproven)
            if module_name(path) in self._sources
        ]
        mine = [self._submission.name(path) for path in used if path in self._submission.earlier]
        return mine, [self._submission.name(path) for path in used if path in self._submission.unproven]

    def all(self) -> list[CheckpointVerdict]:
        """Every checkpoint's verdict. The first that fails is shrunk; the others show their smallest failing case."""
        verdicts: list[CheckpointVerdict] = []
        try:
            for probe in self._prepared.probes:
                hero = all(v.passed or v.stretch for v in verdicts)
                verdicts.append(self._one(probe, hero))
                if hero and not (verdicts[-1].passed or verdicts[-1].stretch):
                    self._hurry = time.perf_counter() + HURRIED_SECONDS
        finally:
            self._end_child()
        return verdicts

    def _end_child(self) -> None:
        if self._child is not None:
            self._child.close()
            self.printed = self.printed or self._child.printed
            self._child = None
            self._told.clear()

    def _start_child(self) -> Child:
        """A child with the submission loaded. Problem if loading fails, and the same one from then on."""
        if self._broken is not None:
            raise self._broken
        if self._child is not None:
            return self._child
        try:
            return self._load()
        except Problem as problem:
            self._broken = problem
            raise

    def _load(self) -> Child:
        anything = self._submission.any_imports
        allowed = None if anything else [*self._lesson.allows, "numpy"]
        self._child = self._judge.sandbox("any" if anything else "numpy").child(allowed)
        contract = {} if anything else {m: contract_names(m) for m in self._lesson.modules}
        request = {
            "do": "load",
            "package": "mine",
            "sources": self._sources,
            "modules": list(self._lesson.modules),
            "contract": contract,
        }
        name = self._submission.name(self._lesson.builds[0])
        try:
            loaded = self._child.request(request, LOAD_SECONDS * (4 if anything else 1))
        except ChildLate:
            raise Problem("timeout", f"importing the file did not end within {LOAD_SECONDS:g} s", name) from None
        except ChildDied as died:
            raise Problem("crashed", f"while the file was imported, {died.reason}", name) from None
        if "raised" in loaded:
            outcome = self._of_raised(loaded, importing=True)
            raise Problem(outcome.verdict.value, outcome.says, *self._where(outcome.answer, name))
        self._absent = [name for names in contract.values() for name in names if name in loaded.get("missing", [])]
        return self._child

    def _child_with(self, probe: Probe) -> Child:
        """A child that has the submission and the probe. Problem, ChildDied, ChildLate."""
        child = self._start_child()
        if probe.key not in self._told:
            request = {"do": "probe", "name": probe.key, "source": probe.source, "function": probe.key}
            ready = child.request(request, LOAD_SECONDS)
            if "raised" in ready:  # the interpreter is no longer what it was
                outcome = self._of_raised(ready)
                raise Problem(outcome.verdict.value, outcome.says, self._submission.name(self._lesson.builds[0]))
            self._told.add(probe.key)
        return child

    def _where(self, answer: dict[str, Any], name: str) -> tuple[str, int | None]:
        """File and line of the innermost frame that is the learner's."""
        frames = answer.get("raised", {}).get("frames", [])
        trail = [(file, line) for file, line, _ in frames if file in self._files and isinstance(line, int)]
        return trail[-1] if trail else (name, None)

    def _one(self, probe: Probe, hero: bool) -> CheckpointVerdict:
        checkpoint, batch = probe.checkpoint, self._prepared.batches[probe.key]
        verdict = CheckpointVerdict(checkpoint.name, checkpoint.stretch, Verdict.SKIPPED)
        if isinstance(batch, OracleAbsent):
            verdict.says = f"Not run: {batch}. `pip install 'groundup[torch]'` brings it."
            return verdict
        if time.perf_counter() > self._until:
            verdict.says = "Not run: the checkpoints before it took all the time there is."
            return verdict
        seconds = min(checkpoint.seconds, max(0.02, self._hurry - time.perf_counter()))
        try:
            outcomes = self._run(probe, batch, seconds)
        except Problem as problem:
            self._end_child()
            return _of_problem(checkpoint, problem)
        if outcomes[-1:] and outcomes[-1].answer.get("late") and seconds < checkpoint.seconds:
            verdict.says = "Not run to its end: what failed before it comes first."
            return verdict
        verdict.cases = len(outcomes)
        failed = [i for i, outcome in enumerate(outcomes) if not outcome.passed]
        verdict.failed = len(failed)
        if not failed:
            verdict.verdict = Verdict.PASSED if outcomes else Verdict.SKIPPED
            return verdict
        at = min(failed, key=lambda i: size(batch.cases[i]))
        case, outcome = batch.cases[at], outcomes[at]
        by_hand = at < len(batch.cases) - batch.drawn  # written to be small
        if hero and self._search and not by_hand and outcome.verdict not in NOT_SHRUNK:
            case, outcome = self._smallest(probe, case, outcome)
        evidence = [(case, outcome.answer)] + [(batch.cases[i], outcomes[i].answer) for i in failed[:6] if i != at]
        self._write(verdict, probe, case, outcome)
        if (hero or self._fault is not None) and not self._submission.unnamed:
            self._name(verdict, probe, outcome, evidence)
        return verdict

    def _run(self, probe: Probe, batch: Batch, seconds: float) -> list[Outcome]:
        """The outcome of every case; at a timeout or a crash the list ends with it."""
        outcomes: list[Outcome] = []
        try:
            child = self._child_with(probe)
            if not batch.wire:
                cases = [visible(case) for case in batch.cases]
                batch.wire = encode({"do": "answer", "probe": probe.key, "package": "mine", "cases": cases})
            for answer in child.answers(batch.wire, len(batch.cases), seconds):
                i = len(outcomes)
                outcomes.append(self.judge_answer(probe.checkpoint, batch.cases[i], batch.truths[i], answer))
        except ChildLate:
            self._end_child()
            says = f"No answer within {seconds:g} s: an endless loop, or far more work than is needed."
            outcomes.append(Outcome(Verdict.TIMEOUT, says, {"late": True}))
        except ChildDied as died:
            self._end_child()
            timed_out = "processor time" in died.reason
            says = died.reason[0].upper() + died.reason[1:] + "."
            outcomes.append(Outcome(Verdict.TIMEOUT if timed_out else Verdict.CRASHED, says, {"died": died.reason}))
        return outcomes

    def judge_answer(self, checkpoint: Checkpoint, case: Case, truth: Any, answer: dict[str, Any]) -> Outcome:
        """One answer against the truth."""
        if "raised" in answer:
            return self._of_raised(answer)
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
            return self._accepted(checkpoint, case, got, answer)
        found = difference(truth, got, checkpoint.atol, checkpoint.rtol)
        if found is None:
            return Outcome(Verdict.PASSED, answer=answer)
        return Outcome(Verdict(found.kind), found.says, answer, truth, found)

    def _accepted(self, checkpoint: Checkpoint, case: Case, got: Any, answer: dict[str, Any]) -> Outcome:
        assert checkpoint.accept is not None
        try:
            accepted = checkpoint.accept(got, **{k.lstrip("_"): v for k, v in case.items()})
        except Exception as problem:  # what came is not of the form the predicate reads
            accepted = f"the values are not of the form that was asked for ({type(problem).__name__}: {problem})"
        if accepted is True:
            return Outcome(Verdict.PASSED, answer=answer)
        says = accepted if isinstance(accepted, str) else "This does not hold."
        return Outcome(Verdict.WRONG_VALUE, says, answer)

    def _of_raised(self, answer: dict[str, Any], importing: bool = False) -> Outcome:
        """An exception's verdict: forbidden, missing, out of memory, or raised."""
        raised = answer["raised"] if isinstance(answer["raised"], dict) else {}
        kind, message = str(raised.get("type", "an exception")), str(raised.get("message", ""))
        if raised.get("forbidden"):
            return Outcome(Verdict.FORBIDDEN_IMPORT, message + ".", answer)
        if raised.get("unwritten") and raised.get("frames"):
            return Outcome(
                Verdict.MISSING, message[0].upper() + message[1:] + "." if message else "Not written yet.", answer
            )
        if raised.get("absent") and (name := self._absent_name(kind, message)):
            return Outcome(Verdict.MISSING, f"`{name}` is not there yet.", answer)
        if raised.get("memory"):
            return Outcome(Verdict.MEMORY, f"More memory than a check may use ({message or 'out of memory'}).", answer)
        says = f"{kind}: {message}" if message else kind
        return Outcome(Verdict.IMPORT_ERROR if importing else Verdict.RAISED, says, answer)

    def _absent_name(self, kind: str, message: str) -> str | None:
        """The name of the contract whose absence explains an AttributeError, ImportError or TypeError."""
        for dotted in self._absent:
            last = dotted.rpartition(".")[2]
            if repr(last) in message or (last.startswith("__") and kind == "TypeError" and "operand" in message):
                return dotted
        return None

    def _smallest(self, probe: Probe, case: Case, outcome: Outcome) -> tuple[Case, Outcome]:
        """The smallest case that fails in the same way, and what came of it."""
        checkpoint = probe.checkpoint
        assert checkpoint.draw_case is not None  # the case was drawn
        seen: dict[int, Outcome] = {}
        restarts = 0

        def fails(candidate: Case) -> bool:
            nonlocal restarts
            if restarts > RESTARTS:
                return False
            try:
                found = self._ask(probe, candidate)
            except (ChildDied, ChildLate, Problem):
                self._end_child()
                restarts += 1
                return False
            if found.verdict is outcome.verdict:
                seen[id(candidate)] = found
                kept.append(candidate)
                return True
            return False

        kept: list[Case] = []  # keeps every id in `seen` alive
        smaller = shrink(checkpoint.draw_case, fails, SHRINK_SECONDS)
        if smaller is None or size(smaller) >= size(case):
            return case, outcome
        return smaller, seen[id(smaller)]

    def _ask(self, probe: Probe, case: Case) -> Outcome:
        child = self._child_with(probe)
        truth = truth_of(probe.checkpoint, case)
        request = {"do": "answer", "probe": probe.key, "package": "mine", "cases": [visible(case)]}
        answer = child.request(request, min(probe.checkpoint.seconds, 0.5))
        return self.judge_answer(probe.checkpoint, case, truth, answer)

    def _write(self, verdict: CheckpointVerdict, probe: Probe, case: Case, outcome: Outcome) -> None:
        """Fills in the verdict: the case, what was expected, what came, where."""
        verdict.verdict, verdict.says = outcome.verdict, outcome.says
        verdict.case = visible(case)
        verdict.shown = probe.checkpoint.render(**verdict.case) if probe.checkpoint.render else None
        verdict.expected, verdict.got = outcome.expected, outcome.answer.get("value")
        if (found := outcome.difference) is not None:
            verdict.expected, verdict.got, verdict.index = found.expected, found.got, found.index
            verdict.says = f"{found.path + ': ' if found.path else ''}{outcome.says}."
            kind = kind_of_difference(found.expected, found.got)
            verdict.says += f" {kind}" if kind else ""
        if "raised" in outcome.answer:
            verdict.file, verdict.line = self._where(outcome.answer, self._submission.name(self._lesson.builds[0]))

    def _name(
        self, verdict: CheckpointVerdict, probe: Probe, outcome: Outcome, evidence: list[tuple[Case, dict[str, Any]]]
    ) -> None:
        """The name of the mistake, where a fault of the lesson explains what came. After the first, only that is tried."""
        if outcome.verdict in (Verdict.MISSING, Verdict.FORBIDDEN_IMPORT, Verdict.SKIPPED):
            return
        checkpoint, visible_evidence = probe.checkpoint, [(visible(case), answer) for case, answer in evidence]
        names = self._judge.diagnostician(self._lesson)
        fault = names.name(probe, visible_evidence, checkpoint.atol, checkpoint.rtol, first=self._fault)
        if fault is None:
            return
        self._fault = verdict.fault = fault.name
        verdict.says = fault.says
        verdict.file = self._submission.name(fault.file)
        verdict.line = verdict.line or self._line_of(
            fault.file, fault.place(reference_text(module_name(fault.file)) or "")
        )

    def _line_of(self, path: str, dotted: str) -> int | None:
        """The line on which the learner defines a dotted name."""
        body: Sequence[ast.stmt] = self._trees[path].body if path in self._trees else []
        line = None
        for part in dotted.split("."):
            node = next((n for n in body if isinstance(n, (ast.FunctionDef, ast.ClassDef)) and n.name == part), None)
            if node is None:
                break
            line, body = node.lineno, node.body
        return line


def contract_names(module: str) -> list[str]:
    """The public names of a reference module, dotted: what a learner's module must define."""
    names: list[str] = []
    for node in ast.parse(reference_text(module) or "").body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            names.append(node.name)
            for part in node.body if isinstance(node, ast.ClassDef) else []:
                if isinstance(part, ast.FunctionDef) and (not part.name.startswith("_") or part.name.startswith("__")):
                    names.append(f"{node.name}.{part.name}")
                elif isinstance(part, ast.Assign) and isinstance(part.targets[0], ast.Name):
                    names.append(f"{node.name}.{part.targets[0].id}")
    return [name for name in names if not name.endswith(("__slots__", "__repr__"))]


__all__ = ["Judge", "same_answer"]
