"""The command log: open an entry, add a line, search, a week to share, or what was written last."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from ..course.lessons.lesson import SECTION_ID, Lesson, find, find_all
from ..course.log import looking, writing
from ..course.log.digest import digest
from ..course.log.entries import ANSWERS, ASKED, Entry, read_entry, read_log
from ..course.plan.days import here
from ..course.progress.time_spent import minutes_spent
from ..course.showing.terminal import BOLD, HINT, SOFT, paint, printable
from ..course.workspace.workspace import Workspace, WorkspaceError, find_workspace
from .learn import near

LATEST = 5  # entries in the overview
FEW = 4  # lessons named one by one, lines of a day
PARTS = 2  # what stands above the first heading, and below it: a day's lines, and no questions


@dataclass(frozen=True)
class Asked:
    """What the command line says. rated: explain, rebuild, why and what is said of each."""

    words: Sequence[str] = ()
    search: str | None = None
    week: bool = False
    of: str | None = None
    rated: tuple[tuple[str, str], ...] = ()
    json: bool = False


def log(asked: Asked) -> int:
    """What is asked for; an overview where nothing is."""
    workspace, now = find_workspace(), here()
    if asked.search is not None:
        return _search(workspace, asked)
    if asked.week or asked.of is not None:
        return _week(workspace, asked, now)
    if asked.words and SECTION_ID.fullmatch(asked.words[0]):
        return _lesson(workspace, find(asked.words[0]), " ".join(asked.words[1:]), asked, now)
    if asked.rated:
        raise WorkspaceError("name the lesson that you rate yourself in: groundup log 1.3 --explain yes")
    if asked.words:
        return _line(workspace, None, " ".join(asked.words), asked, now)
    return _overview(workspace, asked, now)


def _lesson(workspace: Workspace, lesson: Lesson, text: str, asked: Asked, now: datetime) -> int:
    rated = {name: ANSWERS.get(answer.lower(), "") for name, answer in asked.rated}
    for name, answer in asked.rated:
        if not rated[name]:
            raise WorkspaceError(f"--{name} is yes, partly or no, not {answer!r}")
    with workspace.store() as store:
        standing, entries = store.standing(lesson.section_id), read_log(workspace)
        spent = minutes_spent(store.events()).get(lesson.section_id, 0.0)
        entry, made = writing.open_entry(workspace, entries, lesson, writing.facts_of(standing, spent), now)
        if text:
            return _line(workspace, entry, text, asked, now)
        if rated:
            writing.rate(entry, rated)
        elif not asked.json:
            _edit(entry)
        entry = read_entry(entry.path)
        if made:
            writing.record(store, workspace.root, entry, "opened")
        else:
            writing.keep_ratings(store, workspace.root, [entry])
    if asked.json:
        print(json.dumps({"schema": 1, "made": made, **as_object(entry)}))
    else:
        print(near(entry.path))
        if entry.rating:
            print(paint("  " + "; ".join(f"{ASKED[name]}: {said}" for name, said in entry.rating.items()), SOFT))
    return 0


def _edit(entry: Entry) -> None:
    """The entry in the learner's editor, where somebody is at a terminal who has one."""
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not editor or not sys.stdin.isatty() or not sys.stdout.isatty():
        return
    try:
        status = subprocess.run([*shlex.split(editor), str(entry.path)], check=False).returncode
        if status:
            print(f"{editor} ended with status {status}: look whether what you wrote is there", file=sys.stderr)
    except (OSError, ValueError) as problem:
        print(f"{editor} does not start ({problem}): open the file yourself", file=sys.stderr)


def _line(workspace: Workspace, entry: Entry | None, text: str, asked: Asked, now: datetime) -> int:
    path = writing.add_line(workspace, entry, text, now)
    entry = read_entry(path)
    with workspace.store() as store:
        writing.record(store, workspace.root, entry, "line")
    print(json.dumps({"schema": 1, **as_object(entry)}) if asked.json else near(path))
    return 0


def _search(workspace: Workspace, asked: Asked) -> int:
    """1 where nothing was found."""
    found = looking.search(read_log(workspace), asked.search or "")
    if asked.json:
        lines = [{"entry": f.entry.name, "path": str(f.entry.path), "line": f.line, "text": f.text} for f in found]
        print(json.dumps({"schema": 1, "found": lines}))
    else:
        for each in found:
            print(f"{paint(f'{near(each.entry.path)}:{each.line}', SOFT)}  {printable(each.text)}")
        if not found:
            print(f"No line of the log has {asked.search!r} in it.")
    return 0 if found else 1


def _week(workspace: Workspace, asked: Asked, now: datetime) -> int:
    try:
        day = date.fromisoformat(asked.of) if asked.of else now.date()
    except ValueError:
        raise WorkspaceError(f"--of is a day of the week that is meant, such as {now.date()}: {asked.of!r}") from None
    with workspace.store(readonly=True) as store:
        events = store.events()
    week = looking.week_of(day, read_log(workspace), events, find_all(), now)
    text = digest(week)
    if asked.json:
        found = {
            "monday": week.monday.isoformat(),
            "built": [lesson.section_id for lesson in week.built],
            "minutes": round(week.minutes, 1),
            "recalled": week.recalled,
            "entries": [as_object(entry) for entry in week.entries],
            "text": text,
        }
        print(json.dumps({"schema": 1, **found}))
    else:
        print(printable(text), end="")
    return 0


def _overview(workspace: Workspace, asked: Asked, now: datetime) -> int:
    entries, lessons = read_log(workspace), find_all()
    with workspace.store() as store:
        events, standings = store.events(), store.standings()
        writing.keep_ratings(store, workspace.root, entries)
    away = looking.days_away(events, now)
    waiting = looking.waiting(entries, lessons, standings)
    left = looking.exercises_left(entries, lessons, standings)
    if asked.json:
        found = {
            "days_away": away,
            "waiting": [lesson.section_id for lesson in waiting],
            "exercises_left": {lesson.section_id: numbers for lesson, numbers in left},
            "entries": [as_object(entry) for entry in entries],
        }
        print(json.dumps({"schema": 1, **found}))
        return 0
    if away >= looking.BREAK and entries:
        print(f"{away} days since the last time. What you wrote then:\n")
        for entry in entries[-looking.SHOWN :]:
            _show(entry)
    else:
        for entry in entries[-LATEST:]:
            print(f"{paint(near(entry.path), SOFT)}  {printable(entry.title)}{_problem(entry)}")
    if not entries:
        print('Nothing is written yet. One line is a beginning: groundup log "what you have found out"')
    for lesson in waiting[:FEW]:
        print(f"{paint('○', HINT)} {lesson.section_id} {lesson.title} has no entry   groundup log {lesson.section_id}")
    if len(waiting) > FEW:
        print(f"  and {len(waiting) - FEW} more without one")
    if left:
        shown = "; ".join(f"{lesson.section_id}: {', '.join(map(str, numbers))}" for lesson, numbers in left[-FEW:])
        more = f"; and in {len(left) - FEW} lessons more" if len(left) > FEW else ""
        print(f"{paint('○', HINT)} exercises not ticked off: {shown}{more}")
    return 0


def _show(entry: Entry) -> None:
    print(paint(printable(entry.title), BOLD) + paint(f"   {near(entry.path)}", SOFT) + _problem(entry))
    if len(entry.sections) > PARTS:
        for section in looking.written(entry):
            print(f"  {paint(printable(section.title), SOFT)}  {printable(section.first_line)}")
    else:
        print("\n".join(f"  {printable(line)}" for line in entry.sections[-1].text.splitlines()[-FEW:]))
    print()


def _problem(entry: Entry) -> str:
    return f"   {paint('○', HINT)} {entry.problem}" if entry.problem else ""


def as_object(entry: Entry) -> dict[str, Any]:
    """An entry as JSON has it (docs/journey.md)."""
    return {
        "entry": entry.name,
        "path": str(entry.path),
        "day": entry.day.isoformat() if entry.day else None,
        "lesson": entry.lesson,
        "title": entry.title,
        "rating": entry.rating,
        "problem": entry.problem,
    }
