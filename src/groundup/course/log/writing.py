"""Writing in the log: an entry is made once, and from then on only added to, at its end, when the learner says so."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from ..lessons.lesson import Lesson
from ..lessons.listed import items
from ..plan.days import MONTH_NAMES
from ..progress.store import Standing, Store
from ..showing.durations import minutes_said
from ..showing.terminal import printable
from ..workspace.workspace import Workspace, WorkspaceError
from .entries import ASKED, FOLDER, Entry, encoding_of, entry_of, read_entry

QUESTIONS = (
    "The core idea",
    "What surprised me",
    "What was hard",
    "What I would explain differently",
    "What is still unclear",
)
RATING = "Could I do it again"
HOW_TO_RATE = "After each colon: yes, partly or no. Recall asks sooner for what is not yes."
LINE_MOST = 4000  # characters of a line


def open_entry(
    workspace: Workspace, entries: Sequence[Entry], lesson: Lesson, facts: str, now: datetime
) -> tuple[Entry, bool]:
    """The lesson's latest entry, or a new one with the questions in it, and whether it is new."""
    if (found := entry_of(entries, lesson.section_id)) is not None:
        return found, False
    path = workspace.root / FOLDER / f"{now.date().isoformat()}-{lesson.section_id}.md"
    made = _create(path, template(lesson, facts, now))
    return read_entry(path), made


def template(lesson: Lesson, facts: str, now: datetime) -> str:
    """An entry to fill in. facts: what is known of how the lesson went, in a sentence."""
    lines = [f"# {lesson.section_id} {lesson.title}", "", " ".join([f"{_said(now)}.", facts]).strip(), ""]
    for question in QUESTIONS:
        lines += [f"## {question}", "", ""]
    lines += [f"## {RATING}", "", HOW_TO_RATE, ""]
    lines += [f"- {words}:" for words in ASKED.values()]
    if exercises := items(lesson, "Exercises"):
        lines += ["", "## Exercises", "", *(f"- [ ] {i}. {text}" for i, text in enumerate(exercises, 1))]
    lines += ["", "## Notes", ""]
    return "\n".join(lines) + "\n"


def add_line(workspace: Workspace, entry: Entry | None, text: str, now: datetime) -> Path:
    """Adds one line to an entry, with the day, or to the file of this day, with the hour. Returns the file."""
    line = " ".join(printable(text).split())[:LINE_MOST]
    if not line:
        raise WorkspaceError('there is nothing to note: groundup log "what you have found out"')
    if entry is not None:
        _append(entry.path, f"- {now:%Y-%m-%d %H:%M} {line}")
        return entry.path
    path = workspace.root / FOLDER / f"{now.date().isoformat()}.md"
    _create(path, f"# {_said(now)}\n\n")
    _append(path, f"- {now:%H:%M} {line}")
    return path


def rate(entry: Entry, answers: Mapping[str, str]) -> None:
    """Adds the learner's answers about themselves to an entry: the last word on each is the one that counts."""
    _append(entry.path, "\n" + "\n".join(f"- {ASKED[name]}: {answer}" for name, answer in answers.items()))


def record(store: Store, root: Path, entry: Entry, how: str) -> None:
    """Keeps that something was noted. how: opened, line or read."""
    path = entry.path.relative_to(root).as_posix()
    store.append("noted", entry.lesson, path=path, how=how, rating=entry.rating)


def keep_ratings(store: Store, root: Path, entries: Sequence[Entry]) -> list[Entry]:
    """Records the ratings that stand in the files and not yet in the store, and says of which entries."""
    latest = {event.lesson: event.payload.get("rating") for event in store.events(kind="noted")}
    fresh = []
    for lesson in dict.fromkeys(entry.lesson for entry in entries):
        entry = entry_of(entries, lesson) if lesson is not None else None
        if entry is not None and entry.rating and latest.get(lesson) != entry.rating:
            record(store, root, entry, "read")
            fresh.append(entry)
    return fresh


def facts_of(standing: Standing, minutes: float) -> str:
    """How a lesson went, as the store knows it."""
    if not standing.passed:
        return "Not passed yet."
    counts = [minutes_said(minutes) if minutes >= 1 else ""]
    counts += [_count(standing.checks, "check"), _count(standing.hints, "hint")]
    told = ", ".join(count for count in counts if count)
    return (f"Built: {told}" if told else "Known before") + (", the reference looked at." if standing.looked else ".")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}" if number else ""


def _said(now: datetime) -> str:
    return f"{now.day} {MONTH_NAMES[now.month - 1]} {now.year}"


def _create(path: Path, text: str) -> bool:
    """Writes a file that is not there; False where there is one, which stays as it is."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            file.write(text.encode())
        return True
    except FileExistsError as problem:
        if path.parent.is_dir():
            return False
        raise WorkspaceError(f"{path} cannot be written: {problem.strerror}") from None
    except OSError as problem:
        raise WorkspaceError(f"{path} cannot be written: {problem.strerror}") from None


def _append(path: Path, text: str) -> None:
    """Adds lines at the end of a file, in its own encoding and line ends; what stands before keeps its bytes."""
    try:
        data = path.read_bytes()
        encoding = encoding_of(data)
        newline = "\r\n" if "\r\n".encode(encoding) in data else "\n"
        complete = not data or data.endswith("\n".encode(encoding))
        added = ("" if complete else "\n") + text + "\n"
        with path.open("ab") as file:
            file.write(added.replace("\n", newline).encode(encoding))
            file.flush()
            with contextlib.suppress(OSError):  # a file system that cannot sync has written it all the same
                os.fsync(file.fileno())
    except OSError as problem:
        raise WorkspaceError(f"{path} cannot be added to: {problem.strerror}") from None
