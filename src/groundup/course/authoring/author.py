"""For those who write lessons: every rule of a lesson, tested by the judge that the learner will meet.

The reference must pass, the stub must be called missing, every fault must be rejected and named, every block must
print what the page says, every figure must draw.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..figures import draw, load_figures
from ..holes.library import Submission, module_name, reference_text
from ..holes.stub import derive
from ..judging.judge import Judge
from ..judging.verdicts import LessonVerdict, Verdict
from ..lessons.blocks import run_blocks
from ..lessons.faults import load_faults
from ..lessons.lesson import Lesson, LessonError, load
from .reach import Reach

FAULTS_AT_LEAST = 6
WORDS = (600, 2000)  # of prose, code left out
SEEDS = (2, 1)  # of the reference's checks; stub and faults then have the cases of the last, which are drawn


@dataclass
class Report:
    """What `author check` found in one lesson."""

    lesson: Lesson
    problems: list[str] = field(default_factory=list)
    unrun: list[str] = field(default_factory=list)  # checkpoints that want data or a library that is not here
    faults: int = 0
    killed: int = 0
    named: int = 0
    checkpoints: int = 0
    words: int = 0
    slowest_ms: float = 0.0

    @property
    def kill_score(self) -> float:
        """The share of faults that the judge rejects."""
        return self.killed / self.faults if self.faults else 0.0


def check_lesson(
    folder: Path,
    judge: Judge,
    say: Callable[[str], None] = lambda _: None,
    seeds: Sequence[int] = SEEDS,
    *,
    naming: bool = True,
) -> Report:
    """Every rule on one lesson; without `naming`, all but that its faults are named. LessonError if it cannot even be read."""
    lesson = load(folder)
    report = Report(lesson)
    texts = {path: _reference(lesson, path) for path in lesson.builds}
    _prose(lesson, report)
    say("blocks")
    _blocks(lesson, report)
    say("figures")
    _figures(lesson, report)
    say("reference")
    for seed in seeds:
        verdict = judge.check(lesson, _submission(texts), seed=seed, long=seed == seeds[-1])
        report.checkpoints = len(verdict.checkpoints)
        report.slowest_ms = max(report.slowest_ms, verdict.elapsed_ms)
        report.unrun = [f"{c.name!r}: {c.says}" for c in verdict.checkpoints if c.absent]
        if not all(c.passed or c.absent for c in verdict.checkpoints):
            report.problems.append(f"the reference does not pass (seed {seed}): {_first_failure(verdict)}")
    say("stub")
    stub = judge.check(
        lesson,
        _submission({path: derive(text) for path, text in texts.items()}),
        seed=SEEDS[-1],
        hurried=False,
        long=False,
    )
    for c in stub.checkpoints:
        if c.verdict is not Verdict.MISSING:
            report.problems.append(f"the stub is {c.verdict.value}, not missing, at {c.name!r}: {c.says}")
    _faults(lesson, judge, texts, report, say, naming)
    return report


def _reference(lesson: Lesson, path: str) -> str:
    """The text of a file of the reference that a lesson builds. LessonError if it is not there, or no Python."""
    try:
        source = reference_text(module_name(path))
        if source is None:
            raise LessonError(lesson.page, 1, f"builds {path}, and the library has no such file")
        ast.parse(source)
    except UnicodeDecodeError:
        raise LessonError(lesson.page, 1, f"builds {path}, and that is not text in UTF-8") from None
    except (SyntaxError, ValueError) as problem:
        raise LessonError(lesson.page, 1, f"builds {path}, and that does not parse: {problem}") from None
    return source


def _submission(texts: dict[str, str], unnamed: bool = False) -> Submission:
    return Submission({path: text.encode() for path, text in texts.items()}, unnamed=unnamed)


def _first_failure(verdict: LessonVerdict) -> str:
    failed = next(c for c in verdict.checkpoints if not (c.passed or c.absent))
    return f"{failed.name!r}: {failed.verdict.value}: {failed.says} case {failed.shown or failed.case!r:.300}"


def _prose(lesson: Lesson, report: Report) -> None:
    text = re.sub(r"^```.*?^```", "", lesson.prose, flags=re.MULTILINE | re.DOTALL)
    report.words = len(re.findall(r"\w[\w'’.-]*", text))
    if not WORDS[0] <= report.words <= WORDS[1]:
        report.problems.append(f"the prose has {report.words} words: {WORDS[0]} to {WORDS[1]} are asked for")
    if "!" in re.sub(r"`[^`]*`|\$[^$]*\$|!\[", "", text):
        report.problems.append("the prose has an exclamation mark")
    questions = text.partition("## Look back")[2].count("?")
    if not questions >= 3:
        report.problems.append(f"`## Look back` has {questions} questions: three to five are asked for")


def _blocks(lesson: Lesson, report: Report) -> None:
    if not lesson.blocks:
        report.problems.append("no block of the page runs")
    for printed in run_blocks(lesson):
        if not printed.as_written:
            came = printed.raised or printed.text
            report.problems.append(
                f"{lesson.page.name}:{printed.block.line}: printed\n{came}\nand the page says\n{printed.block.output}"
            )
        elif printed.text.strip() and printed.block.output is None:
            report.problems.append(f"{lesson.page.name}:{printed.block.line}: prints, and no output block says what")


def _figures(lesson: Lesson, report: Report) -> None:
    shown = {name for name, _ in lesson.figures}
    for name in sorted(set(load_figures(lesson)) - shown):
        report.problems.append(f"figures.py draws {name}, and the page does not show it")
    for name, caption in lesson.figures:
        if len(caption.split()) < 4:
            report.problems.append(f"the figure {name} has no caption that says what it shows")
        try:
            draw(lesson, name)
        except Exception as problem:  # the author's code: whatever it raises is a finding
            report.problems.append(f"the figure {name} is not drawn: {type(problem).__name__}: {problem}")


def _faults(
    lesson: Lesson, judge: Judge, texts: dict[str, str], report: Report, say: Callable[[str], None], naming: bool
) -> None:
    faults = load_faults(lesson, texts)
    report.faults = len(faults)
    if len(faults) < FAULTS_AT_LEAST:
        report.problems.append(f"{len(faults)} faults: a lesson has at least {FAULTS_AT_LEAST}")
    reach = Reach(texts, judge.ready(lesson, SEEDS[-1], 1))
    touched = judge.diagnostician(lesson).touched = {fault.name: reach.of(fault) for fault in faults}
    for fault in faults:
        say(fault.name)
        edited = _submission({**texts, fault.file: fault.apply(texts[fault.file])}, unnamed=not naming)
        only = touched[fault.name]
        verdict = judge.check(lesson, edited, seed=SEEDS[-1], whole=False, long=False, only=only)
        if not only or all(c.passed or c.stretch for c in verdict.checkpoints):
            report.problems.append(f"the fault {fault.name!r} passes")
            continue
        report.killed += 1
        if not naming:
            continue
        if fault.name not in [c.fault for c in verdict.checkpoints]:  # named later, or never
            verdict = judge.check(lesson, edited, seed=SEEDS[-1], hurried=False, long=False)
        if fault.name in [c.fault for c in verdict.checkpoints]:
            report.named += 1
        else:
            called = next((c.fault for c in verdict.checkpoints if c.fault), None)
            report.problems.append(f"the fault {fault.name!r} is not named: {called or _first_failure(verdict)}")
