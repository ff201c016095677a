"""The command shelf: what to read, one thing closely, an entry in the log, BibTeX."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from ..course.plan.days import here
from ..course.shelf import reading_log
from ..course.shelf.bibtex import bibtex
from ..course.shelf.schema import as_object
from ..course.shelf.shelf import (
    KINDS,
    TITLES,
    Asked,
    Item,
    ShelfError,
    chosen,
    find,
    held_back,
    kind_of,
    lessons_said,
    rhythm,
    three_passes,
)
from ..course.shelf.standing import phase_at, unread_before
from ..course.showing.terminal import BOLD, HINT, PASS, SOFT, paint, printable, width
from ..course.workspace.workspace import Workspace, WorkspaceError, find_workspace


@dataclass(frozen=True)
class Request:
    """What the command line says. read: a key and an entry."""

    key: str | None = None
    kinds: Sequence[str] = ()
    phase: int | None = None
    lesson: str | None = None
    must: bool = False
    everything: bool = False
    begin: bool = False
    read: tuple[str, str] | None = None
    bibtex: bool = False
    json: bool = False


def shelf(request: Request) -> int:
    """Writes what is to be written, then shows what is asked for."""
    _at_odds(request)
    if request.read is not None:
        return _read(find(request.read[0]), request.read[1], here(), request.json)
    workspace = _workspace()
    if request.key is not None:
        return _one(find(request.key), request, workspace)
    if request.begin:
        raise ShelfError("--begin makes a note about one thing: groundup shelf attention --begin")
    asked = _asked(request, workspace)
    items = chosen(asked)
    read = reading_log.keys_read(workspace) if workspace else set()
    if request.bibtex:
        print(bibtex(items), end="")
    elif request.json:
        print(json.dumps(as_object(items, asked, workspace, read)))
    else:
        _list(items, asked, read, request)
        if workspace is not None and asked.phase is not None and asked == Asked(phase=asked.phase):
            _behind(unread_before(asked.phase, read))
    return 0


def _workspace() -> Workspace | None:
    """The workspace here; the shelf can be looked at without one."""
    try:
        return find_workspace()
    except WorkspaceError:
        return None


def _at_odds(request: Request) -> None:
    """ShelfError for what cannot be asked for at once."""
    narrowed = request.kinds or request.phase is not None or request.lesson or request.must or request.everything
    if request.read is not None and (request.key is not None or narrowed or request.begin or request.bibtex):
        raise ShelfError("--read stands alone, with its key and the sentences")
    if request.key is not None and narrowed:
        raise ShelfError(
            f"{request.key[:60]!r} names one thing already: leave it out, or the choice of phase, lesson and kind"
        )
    if request.bibtex and request.json:
        raise ShelfError("--bibtex or --json: one of them")


def _asked(request: Request, workspace: Workspace | None) -> Asked:
    """The request; one that names no phase, lesson or kind is about the phase at hand, unless it asks for all or for BibTeX."""
    phase = request.phase
    if phase is None and not (request.lesson or request.everything or request.bibtex or request.kinds):
        phase = phase_at(workspace)
    return Asked(
        tuple(kind_of(word) for word in request.kinds),
        phase,
        request.lesson or "",
        ("must",) if request.must else (),
        request.everything,
    )


def _read(item: Item, text: str, now: datetime, as_json: bool) -> int:
    workspace = find_workspace()
    path = reading_log.add(workspace, item, text, now)
    if as_json:
        print(json.dumps({"schema": 1, "key": item.key, "path": str(path.relative_to(workspace.root)), "read": True}))
    else:
        print(f"{paint('●', PASS)} {item.title}: noted in {path.relative_to(workspace.root)}")
    return 0


def _one(item: Item, request: Request, workspace: Workspace | None) -> int:
    if request.bibtex:
        print(bibtex([item]), end="")
        return 0
    if request.begin:
        reading_log.begin(workspace or find_workspace(), item)
    read = reading_log.keys_read(workspace) if workspace else set()
    if request.json:
        print(json.dumps(as_object([item], Asked(everything=True), workspace, read)))
        return 0
    about = f"{item.people}{', ' if item.by and item.year else ''}{item.year or ''}{f', {item.venue}' if item.venue else ''}"
    print(paint(item.title, BOLD))
    print(paint(about, SOFT) if about else "", end="\n" if about else "")
    print(f"{item.link}{'' if item.free else '   not free'}\n")
    _wrapped(item.why)
    for part in item.chapters:
        print(f"  {part.what}  {paint(', '.join(part.lessons), SOFT)}")
    lessons = f" · {lessons_said(item.lessons)}" if item.lessons else ""
    print(f"\n{item.importance} · phase {item.phase}{lessons}\n")
    note = reading_log.note_of(workspace, item.key) if workspace else None
    done = note.passes if note else (False, False, False)
    for ticked, name, what in zip(done, reading_log.PASSES, three_passes(item)):
        _wrapped(f"{'●' if ticked else '○'} {name}: {what}", "  ")
    if workspace is not None and note is not None and note.path.is_file():
        print(f"\nyour note: {note.path.relative_to(workspace.root)}")
    if note is not None and note.text:
        print()
        _wrapped(printable(note.text), "")
    if note is not None and note.problem:
        print(paint(note.problem, HINT))
    if item.key not in read:
        print(f'\nNote it in three to five sentences: groundup shelf --read {item.key} "..."')
    return 0


def _list(items: Sequence[Item], asked: Asked, read: Collection[str], request: Request) -> None:
    if asked.phase is not None:
        print(f"{paint(f'{asked.phase} {TITLES[asked.phase]}', BOLD)}\n{paint(rhythm(asked.phase), SOFT)}")
    for kind in KINDS:
        group = [item for item in items if item.kind == kind]
        if group:
            print(f"\n{kind}")
            for item in group:
                _row(item, asked, item.key in read)
    if not items:
        print("\nNothing on the shelf answers that.")
    musts = [item for item in items if item.importance == "must"]
    if musts:
        unread = [item.key for item in musts if item.key not in read]
        closely = f"; one closely: groundup shelf {unread[0]}" if unread else ""
        print(f"\n{len(musts) - len(unread)} of {len(musts)} musts read{closely}")
    if held := held_back(asked):
        papers = "1 paper is" if held == 1 else f"{held} papers are"
        print(paint(f"{papers} for later; --all shows {'it' if held == 1 else 'them'} too", SOFT))


def _row(item: Item, asked: Asked, is_read: bool) -> None:
    mark = paint("●", PASS) if is_read else paint("○", HINT) if item.importance == "must" else "·"
    by = f", {item.people}" if item.by else ""
    year = f" {item.year}" if item.year else ""
    print(f"{mark} {item.importance:6} {paint(item.key, BOLD)}")
    _wrapped(f"{item.title}{by}{year}", "    ")
    where = [part.what for part in item.chapters if _serves(part.lessons, asked)]
    lessons = [lesson for lesson in item.serves if _serves((lesson,), asked)]
    tail = "; ".join([*where, *([lessons_said(lessons)] if lessons else [])])
    if tail:
        print(paint(textwrap.fill(tail, width(), initial_indent="    ", subsequent_indent="    "), SOFT))


def _serves(lessons: Sequence[str], asked: Asked) -> bool:
    """Whether a chapter has to do with what was asked for."""
    if asked.lesson:
        return asked.lesson in lessons
    return asked.phase is None or any(lesson.partition(".")[0] == str(asked.phase) for lesson in lessons)


def _behind(items: Sequence[Item]) -> None:
    if items:
        names = ", ".join(item.key for item in items[:4])
        print(
            paint(
                f"from earlier phases, unread: {names}{f' and {len(items) - 4} more' if len(items) > 4 else ''}", SOFT
            )
        )


def _wrapped(text: str, indent: str = "") -> None:
    for line in text.splitlines():
        print(textwrap.fill(line, width(), initial_indent=indent, subsequent_indent=indent))
