"""One submission before the judge: its child, one checkpoint after another, the smallest failing case, the name."""

from __future__ import annotations

import ast
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ..holes.contract import contract
from ..holes.library import (
    Problem,
    Submission,
    assemble,
    check_imports,
    module_name,
    read_text,
    reference_sources,
    reference_text,
)
from ..lessons.checkpoints import Case, Checkpoint
from ..lessons.extras import how_to_get, missing
from ..lessons.lesson import Lesson
from ..lessons.probes import Probe, allowed_names
from ..sandbox.frames import encode
from ..sandbox.host import Child, ChildDied, ChildLate, Sandbox
from .answers import Outcome, judge_answer, of_raised
from .batches import Absent, Batch, Prepared, truth_of, visible
from .compare import Difference, size
from .diagnose import Diagnostician
from .kinds import kind_of_difference
from .shrink import shrink
from .verdicts import CheckpointVerdict, Verdict

SHRINK_SECONDS = 0.08
RESTARTS = 20  # of the child, while a case is shrunk
LOAD_SECONDS = 5.0
CHILD_CPU = 20  # seconds of processor time for a child
HURRIED_SECONDS = 0.1  # for all checkpoints after one that failed: what failed first is what the learner reads
FRAMES, NAME_SHOWN = 8, 80  # of a traceback: so many at most, and so much of a function's name
CHECK_SECONDS = 30.0  # for a whole lesson: what has not run by then is skipped, and says so


NOT_SHRUNK = (Verdict.MISSING, Verdict.TIMEOUT, Verdict.CRASHED, Verdict.FORBIDDEN_IMPORT)


@dataclass(frozen=True)
class Manner:
    """How far a hearing goes; see Judge.check."""

    search: bool = True
    hurried: bool = True
    whole: bool = True
    long: bool = True
    only: frozenset[str] | None = None
    late: float = float("inf")


class Hearing:
    """One submission before the judge: its child, and one checkpoint after another."""

    def __init__(
        self,
        sandbox: Sandbox,
        diagnostician: Callable[[], Diagnostician],
        lesson: Lesson,
        submission: Submission,
        prepared: Prepared,
        begun: float,
        how: Manner,
    ) -> None:
        self._how = how
        self._sandbox, self._diagnostician = sandbox, diagnostician
        self._lesson, self._submission = lesson, submission
        self._prepared = prepared
        own, self._trees = _read(lesson, submission)
        self._until = begun + CHECK_SECONDS
        self._child: Child | None = None
        self._told: set[str] = set()  # the probes that this child has
        self._broken: Problem | None = None  # why it cannot be loaded, once that is known
        self._absent: list[str] = []
        self._fault: str | None = None
        self._cpu = CHILD_CPU
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
        """Every checkpoint's verdict. The first that is wrong is shrunk; the others show their smallest failing case."""
        verdicts: list[CheckpointVerdict] = []
        try:
            for probe in self._prepared.probes:
                needed = [v for v in verdicts if not v.stretch]
                all_passed = all(v.passed for v in needed)
                hero = all(v.passed or v.verdict is Verdict.MISSING for v in needed)
                if not all_passed and not self._how.whole:
                    break
                if probe.checkpoint.long and not self._how.long:
                    continue
                if self._how.only is not None and probe.key not in self._how.only:
                    continue
                last = self._one(probe, hero) if all_passed or not probe.checkpoint.long else _not_yet(probe.checkpoint)
                verdicts.append(last)
                wrong = not last.passed and last.verdict is not Verdict.MISSING
                if hero and self._how.hurried and wrong and not last.stretch:
                    self._hurry = time.perf_counter() + HURRIED_SECONDS
                elif last.verdict in (Verdict.TIMEOUT, Verdict.MEMORY):
                    self._hurry = min(self._hurry, time.perf_counter() + self._how.late)
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
        allowed = None if anything else self._lesson.allows
        self._child = self._sandbox.child(allowed, self._cpu)
        contract = {} if anything else {m: _asked_for(reference_text(m) or "") for m in self._lesson.modules}
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
            outcome = of_raised(loaded, importing=True)
            file, line = self._where(outcome.answer, name)
            raise Problem(outcome.verdict.value, outcome.says, file or name, line)
        self._absent = [name for names in contract.values() for name in names if name in loaded.get("missing", [])]
        return self._child

    def _child_with(self, probe: Probe) -> Child:
        """A child that has the submission and the probe. Problem, ChildDied, ChildLate."""
        child = self._start_child()
        if probe.key not in self._told:
            request = {"do": "probe", "name": probe.key, "source": probe.source, "function": probe.key}
            ready = child.request(request, LOAD_SECONDS)
            if "raised" in ready:  # the interpreter is no longer what it was
                outcome = of_raised(ready)
                raise Problem(outcome.verdict.value, outcome.says, self._submission.name(self._lesson.builds[0]))
            self._told.add(probe.key)
        return child

    def _file_of(self, probe: Probe) -> str | None:
        """The one file of the lesson's that a probe asks about; None where there are several, or none."""
        asked = [path for path in self._lesson.builds if module_name(path) in probe.modules]
        return self._submission.name(asked[0]) if len(asked) == 1 else None

    def _where(self, answer: dict[str, Any], name: str | None) -> tuple[str | None, int | None]:
        """File and line of the innermost frame that is in the lesson's files."""
        trail = self._frames(answer, self._files)
        return trail[-1][:2] if trail else (name, None)

    def _frames(self, answer: dict[str, Any], files: Collection[str]) -> list[tuple[str, int, str]]:
        """Those of a traceback that lie in such files: file, line, function, the innermost last."""
        frames = answer.get("raised", {}).get("frames", [])
        return [(file, line, name) for file, line, name in frames if file in files and isinstance(line, int)]

    def _one(self, probe: Probe, hero: bool) -> CheckpointVerdict:
        checkpoint = probe.checkpoint
        verdict = CheckpointVerdict(checkpoint.name, checkpoint.stretch, Verdict.SKIPPED)
        batch = self._prepared.batch(probe)
        if isinstance(batch, Absent):
            verdict.says, verdict.absent = str(batch), True
            return verdict
        if time.perf_counter() > self._until:
            verdict.says = "Not run: the checkpoints before it took all the time there is."
            return verdict
        seconds = min(checkpoint.seconds, max(0.02, self._hurry - time.perf_counter()))
        if checkpoint.long:
            self._end_child()  # the next one has processor time for it
            self._cpu = CHILD_CPU + round(seconds)
        try:
            outcomes = self._run(probe, batch, seconds)
        except Problem as problem:
            self._end_child()
            return of_problem(checkpoint, problem)
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
        if hero and self._how.search and not checkpoint.long and not by_hand and outcome.verdict not in NOT_SHRUNK:
            case, outcome = self._smallest(probe, case, outcome)
        evidence = [(case, outcome.answer)] + [(batch.cases[i], outcomes[i].answer) for i in failed[:6] if i != at]
        self._write(verdict, probe, case, outcome)
        if (hero or self._fault is not None) and not self._submission.unnamed and not checkpoint.long:
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
                outcomes.append(judge_answer(probe.checkpoint, batch.cases[i], batch.truths[i], answer, self._absent))
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
        return judge_answer(probe.checkpoint, case, truth, answer, self._absent)

    def _write(self, verdict: CheckpointVerdict, probe: Probe, case: Case, outcome: Outcome) -> None:
        """Fills in the verdict: the case, what was expected, what came, where."""
        verdict.verdict, verdict.says = outcome.verdict, outcome.says
        verdict.case = visible(case)
        verdict.shown = probe.checkpoint.render(**verdict.case) if probe.checkpoint.render else None
        verdict.expected, verdict.got = outcome.expected, outcome.answer.get("value")
        if len(self._lesson.builds) > 1:
            verdict.file = self._file_of(probe)
        if (found := outcome.difference) is not None:
            verdict.expected, verdict.got, verdict.index = found.expected, found.got, found.index
            verdict.path, verdict.tolerance = found.path, (probe.checkpoint.atol, probe.checkpoint.rtol)
            verdict.says = f"{found.path + ': ' if found.path else ''}{outcome.says}."
            kind = self._no_return(found) or kind_of_difference(found.expected, found.got)
            verdict.says += f" {kind}" if kind else ""
        if "raised" in outcome.answer:
            verdict.file, verdict.line = self._where(outcome.answer, self._file_of(probe))
            own = {*self._files, *map(self._submission.name, self._submission.earlier)}
            trail = self._frames(outcome.answer, own)[-FRAMES:]
            verdict.raised = outcome.says if outcome.verdict is Verdict.RAISED else ""
            verdict.trace = [(file, line, name[:NAME_SHOWN]) for file, line, name in trail]

    def _no_return(self, found: Difference) -> str | None:
        """Said where None is all that a function gave, and not a part of it."""
        if found.got is not None:
            return None
        top = (node for tree in self._trees.values() for node in tree.body)
        functions = (node.name for node in top if isinstance(node, ast.FunctionDef))
        whole = found.path in ("", *(f"[{name!r}]" for name in functions))
        return "None is what a function gives that ends without `return`." if whole else None

    def _name(
        self, verdict: CheckpointVerdict, probe: Probe, outcome: Outcome, evidence: list[tuple[Case, dict[str, Any]]]
    ) -> None:
        """The name of the mistake, where a fault of the lesson explains what came. After the first, only that is tried."""
        if outcome.verdict in (Verdict.MISSING, Verdict.FORBIDDEN_IMPORT, Verdict.SKIPPED):
            return
        checkpoint, visible_evidence = probe.checkpoint, [(visible(case), answer) for case, answer in evidence]
        fault = self._diagnostician().name(probe, visible_evidence, checkpoint.atol, checkpoint.rtol, first=self._fault)
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


def _read(lesson: Lesson, submission: Submission) -> tuple[dict[str, tuple[str, str]], dict[str, ast.Module]]:
    """The learner's modules as (file name, text), and the trees of the lesson's own files. Problem if one cannot be."""
    own: dict[str, tuple[str, str]] = {}
    trees = {}
    for package in missing(lesson.allows):
        says = f"this lesson is built on {package}, which is not installed: {how_to_get(package)}"
        raise Problem("import-error", says, submission.name(lesson.builds[0]))
    for path in lesson.builds:
        name = submission.name(path)
        if path not in submission.files:
            raise Problem("missing", f"there is no {name} yet: `groundup open {lesson.section_id}` writes it", name)
        text, trees[path] = read_text(submission.files[path], name)
        if not submission.any_imports:
            check_imports(trees[path], allowed_names(lesson), name)
        own[module_name(path)] = (name, text)
    for path, data in submission.earlier.items():
        own[module_name(path)] = (submission.name(path), read_text(data, submission.name(path))[0])
    return own, trees


def _not_yet(checkpoint: Checkpoint) -> CheckpointVerdict:
    """The verdict of a long checkpoint while something before it has not passed."""
    says = "Not run yet: it takes long, and what comes before it has not passed."
    return CheckpointVerdict(checkpoint.name, checkpoint.stretch, Verdict.SKIPPED, says)


def of_problem(checkpoint: Checkpoint, problem: Problem) -> CheckpointVerdict:
    """The verdict of a checkpoint that could not be run, because of the file."""
    verdict = CheckpointVerdict(checkpoint.name, checkpoint.stretch, Verdict(problem.kind), problem.says)
    verdict.file, verdict.line = problem.file, problem.line
    return verdict


@lru_cache(maxsize=256)
def _asked_for(reference: str) -> list[str]:
    """The names that a learner's module must define; how a thing prints is left to them."""
    names = contract(reference)
    return [name for name in names if not name.endswith("__repr__")]
