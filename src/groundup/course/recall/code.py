"""Code to recall: a part of one's own old solution blanked out, or a fault put into it, handed out and judged.

What is handed out is never vacuous: it has been judged before, and failed, and the same code without the gap or the fault passed.
Where the learner's own code cannot carry it, the reference does.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...lab.sqlite import StoreError
from ..checking.bugs import faults_of
from ..holes.library import Submission, module_name, reference_text
from ..lessons.lesson import Lesson, find
from ..progress.store import Event, Store
from ..workspace.workspace import Workspace, WorkspaceError, write_atomically
from .cards import BUG, MINUTES, REBUILD, Card

if TYPE_CHECKING:
    from ..judging.judge import Judge  # NumPy with it, which cards that are only shown do without

BEGUN, CHECKED = "recall-begun", "recall-checked"
TRIES = 8  # parts, or faults, that are tried before a card is given up
DULL = (".__init__", ".__repr__")  # parts that are asked for only where there is nothing else
SIZE = 3  # lines that make a part worth rebuilding, where there is one
FOLDER = "recall"


@dataclass(frozen=True)
class Task:
    """A card of code that has been handed out and is not done. path: in the workspace; file: of the library."""

    card: str
    kind: str
    lesson: str
    part: str  # the definition that is blank, by its dotted name; or the fault
    file: str
    path: str
    own: bool  # it is made of the learner's own code
    only: tuple[str, ...]  # the probes that judge it; () for all
    begun: float
    checks: int  # that have failed

    @property
    def says(self) -> str:
        """What is to be done, in a sentence."""
        whose = "your own old code" if self.own else "the reference's code"
        if self.kind == BUG:
            return f"{self.path} is {whose} with one mistake in it. Find it and mend it there."
        return f"{self.path} is {whose} without {self.part}. Write it again there."

    def rating(self, seconds: float) -> str:
        """How well it went, by the checks that failed and the time."""
        expected = MINUTES[self.kind] * 60
        if self.checks > 3 or seconds > 2 * expected:
            return "hard"
        return "easy" if not self.checks and seconds <= expected / 2 else "good"


def open_task(events: list[Event], card: str) -> Task | None:
    """What has been handed out for a card and is still to be done."""
    found: Task | None = None
    checks = 0
    for event in events:
        payload = event.payload
        if payload.get("card") != card:
            continue
        if event.kind == BEGUN:
            checks = 0
            only = tuple(payload["only"])
            found = Task(
                card, payload["form"], payload["lesson_id"], payload["part"], payload["file"], payload["path"],
                payload["own"], only, event.at, 0,
            )  # fmt: skip
        elif event.kind == CHECKED and not payload.get("passed"):
            checks += 1
        elif event.kind == "recalled":
            found = None
    return None if found is None else Task(**{**vars(found), "checks": checks})


def hand_out(workspace: Workspace, store: Store, judge: Judge, card: Card) -> Task:
    """Writes the file of a card of code, of the part that was asked least often. WorkspaceError if nothing of it can be asked."""
    lesson, asked = card.lesson, [e.payload for e in store.events(kind=BEGUN) if e.payload.get("card") == card.name]
    times = {part: [p["part"] for p in asked].count(part) for part in {p["part"] for p in asked}}
    trial = Trial(judge, lesson, _earlier(workspace, store, lesson))
    for own, files in _bases(store, trial):
        changed = _rebuilds(files) if card.kind == REBUILD else _faulty(lesson, files)
        order = sorted(changed, key=lambda part: (times.get(part, 0), _shuffled(card, len(asked), part)))
        for part in order[:TRIES]:
            file, text = changed[part]
            failed = trial.failing({**files, file: text.encode()})
            if failed:
                only = failed if card.kind == REBUILD else ()
                return _write(workspace, store, card, part, file, text, own, only)
    raise WorkspaceError(f"{lesson.section_id} has no code to ask for in this way: choose another card")


def _write(
    workspace: Workspace, store: Store, card: Card, part: str, file: str, text: str, own: bool, only: tuple[str, ...]
) -> Task:
    """The file in the workspace; what stood there is kept in the event."""
    path = f"{FOLDER}/{card.name}/{file.rpartition('/')[2]}"
    before: dict[str, bytes] = {}
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        before = {path: (workspace.root / path).read_bytes()}
    write_atomically(workspace.root / path, text.encode())
    store.append(
        BEGUN, files=before, card=card.name, form=card.kind, lesson_id=card.lesson.section_id, part=part, file=file,
        path=path, own=own, only=list(only),
    )  # fmt: skip
    found = open_task(store.events(), card.name)
    assert found is not None
    return found


def judge_task(workspace: Workspace, store: Store, judge: Judge, task: Task) -> dict[str, Any]:
    """The judge's reply about what has become of a task. A check is recorded, not what it is worth."""
    from ..checking.session import source_line

    lesson = find(task.lesson)
    try:
        data = (workspace.root / task.path).read_bytes()
    except OSError as problem:
        raise WorkspaceError(
            f"{task.path} cannot be read ({problem.strerror}): give it up with --rate again, and it is handed out anew"
        ) from None
    files = own_files(store, lesson) if task.own else reference_files(lesson)
    names = {task.file: task.path}
    earlier = _earlier(workspace, store, lesson)
    submission = Submission({**files, task.file: data}, earlier, names=names, unnamed=task.kind == BUG)
    only = frozenset(task.only) if task.only else None
    verdict = judge.check(lesson, submission, only=only, long=False).as_json()
    store.append(CHECKED, card=task.card, passed=verdict["passed"])
    reply: dict[str, Any] = {"verdict": verdict, "title": lesson.title}
    if line := source_line(verdict, {task.path: data}):
        reply["source"] = line
    return reply


def own_files(store: Store, lesson: Lesson) -> dict[str, bytes]:
    """The lesson's files as the learner last passed it; the reference's where one is not kept."""
    files = reference_files(lesson)
    for path, sha in store.standing(lesson.section_id).passed_files.items():
        if path in files:
            try:
                files[path] = store.blob(sha)
            except StoreError:  # damaged: the store says so when it is verified
                continue
    return files


def reference_files(lesson: Lesson) -> dict[str, bytes]:
    return {path: (reference_text(module_name(path)) or "").encode() for path in lesson.builds}


def _earlier(workspace: Workspace, store: Store, lesson: Lesson) -> Mapping[str, bytes]:
    """The learner's other files that count."""
    return workspace.submission(lesson, store.standings()).earlier


@dataclass(frozen=True)
class Trial:
    """A lesson's checkpoints before anything is handed out; those that take long, and those that cannot be run here, left out."""

    judge: Judge
    lesson: Lesson
    earlier: Mapping[str, bytes]

    def failing(self, files: Mapping[str, bytes]) -> tuple[str, ...]:
        """The probes of the required checkpoints that these files do not pass."""
        submission = Submission(files, self.earlier, unnamed=True)
        verdict = self.judge.check(self.lesson, submission, search=False, hurried=False, long=False)
        key = {p.checkpoint.name: p.key for p in self.judge.ready(self.lesson, verdict.seed, 1).probes}
        return tuple(key[c.name] for c in verdict.checkpoints if not (c.passed or c.stretch or c.absent))


def _bases(store: Store, trial: Trial) -> Iterator[tuple[bool, dict[str, bytes]]]:
    """What a task may be made of: the learner's own code, if it still passes as it is; then the reference."""
    own, reference = own_files(store, trial.lesson), reference_files(trial.lesson)
    if own != reference and not trial.failing(own):
        yield True, own
    yield False, reference


def _rebuilds(files: Mapping[str, bytes]) -> dict[str, tuple[str, str]]:
    """Definition -> its file, and the file's text without it."""
    from ..holes.blanks import blank, parts  # libcst with it, which a card that is only shown does without

    found: dict[str, tuple[str, str, int]] = {}
    for path, data in files.items():
        reference = reference_text(module_name(path)) or ""
        try:
            text = data.decode("utf-8")
            for name, size in parts(text, reference).items():
                found[f"{module_name(path)}.{name}"] = (path, blank(text, name, reference), size)
        except (SyntaxError, UnicodeDecodeError, RecursionError, ValueError):
            continue
    large = {part for part, (_, _, size) in found.items() if size >= SIZE and not part.endswith(DULL)}
    return {part: (path, text) for part, (path, text, _) in found.items() if part in large or not large}


def _faulty(lesson: Lesson, files: Mapping[str, bytes]) -> dict[str, tuple[str, str]]:
    """Fault -> its file, and the file's text with the fault in it."""
    found = {}
    for fault in faults_of(lesson):
        text = fault.applied(files[fault.file].decode("utf-8", errors="replace"))
        if text is not None:
            found[fault.name] = (fault.file, text)
    return found


def _shuffled(card: Card, times: int, part: str) -> str:
    """An order that nobody sees through, and that is the same for the same events."""
    return hashlib.sha256(f"{card.name} {times} {part}".encode()).hexdigest()
