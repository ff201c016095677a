"""Commands that open, show and keep: map, next, open, show, hint, reset, solution, notebook."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from ..course import courses
from ..course.checking import steps
from ..course.checking.client import workspace_root
from ..course.checking.session import current_lesson, next_lesson
from ..course.lessons.lesson import Lesson, find
from ..course.packs.named import pack_of
from ..course.showing.durations import minutes_said
from ..course.showing.terminal import BOLD, SOFT, paint, width
from ..course.workspace.workspace import Workspace, WorkspaceError, find_workspace, write_atomically

AFTER_ALL = (
    ("groundup recall --final", "the last test of your track"),
    ("groundup arena", "the hardest once more, from a blank file"),
    ("groundup portfolio", "a site of what you have built"),
)


def lesson_of(workspace: Workspace, name: str | None) -> Lesson:
    """The lesson that is named, or the one opened last."""
    if name is not None:
        return find(name)
    lesson = current_lesson(workspace)
    if lesson is None:
        raise WorkspaceError("no lesson is open yet: name one, or `groundup next` opens the next")
    return lesson


def lesson_here(name: str) -> Lesson:
    """The lesson that is named, of the course of the workspace here, or of groundup's own where there is no workspace."""
    course_here()
    return find(name)


def course_here() -> None:
    """Takes the course of the workspace here, where there is one. CourseError for a pack that is not trusted as it now is."""
    root = workspace_root(Path.cwd())
    courses.use(None if root is None else pack_of(root))


def show_map(as_json: bool = False) -> int:
    workspace = find_workspace()
    if as_json:
        print(json.dumps(steps.map_object(workspace)))
        return 0
    print(steps.map_text(workspace))
    from ..course.plan import advice
    from ..course.plan.days import here
    from ..course.plan.text import advice_line

    if line := advice_line(advice.now(workspace, here())):
        print(paint(line, SOFT))
    return 0


def near(path: Path) -> str:
    """A path as one would type it from here."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def open_next() -> int:
    workspace = find_workspace()
    with workspace.store(readonly=True) as store:
        lesson = next_lesson(store.standings(), workspace.track)
    if lesson is None:
        print("Everything that is here is built.")
        for command, what in AFTER_ALL:
            print(f"  {command:<25} {paint(what, SOFT)}")
        return 0
    return _open(workspace, lesson)


def open_lesson(name: str) -> int:
    return _open(find_workspace(), find(name))


def _open(workspace: Workspace, lesson: Lesson) -> int:
    opened = steps.open_lesson(workspace, lesson)
    print(
        f"{paint(f'{lesson.section_id} {lesson.title}', BOLD)}   {paint(f'about {minutes_said(lesson.minutes)}', SOFT)}"
    )
    print()
    print(wrapped(lesson.prose.strip().partition("\n\n")[0]))
    print()
    for library_path in lesson.builds:
        print(f"  write   {paint(near(workspace.path_of(library_path)), BOLD)}")
    for o in opened:
        if o.added:
            print(f"  added   {', '.join(o.added)}: new in the contract, at the end of your file")
        if o.changed and o.beside is not None:
            print(f"  differs {', '.join(o.changed)}: yours is kept; the contract is in {near(o.beside)}")
    if not opened:
        print("          it does not parse, so it was left as it is")
    print(f"  read    groundup show {lesson.section_id}")
    print("  judge   groundup watch")
    return 0


def wrapped(text: str) -> str:
    """Markdown as lines that fit the terminal, its mathematics in plain signs."""
    import textwrap

    from ..course.lessons.page import plain_mathematics

    parts = text.split("$")
    plain = "".join(plain_mathematics(part) if i % 2 else part for i, part in enumerate(parts))
    return textwrap.fill(" ".join(plain.split()), width())


def show(name: str | None, figures: bool) -> int:
    from ..course.lessons.page import page_text

    lesson = lesson_here(name) if name is not None else lesson_of(find_workspace(), None)
    if figures:
        return _draw(lesson)
    from rich.console import Console
    from rich.markdown import Markdown

    console = Console(width=width() if sys.stdout.isatty() else 100, highlight=False)
    page = Markdown(page_text(lesson), code_theme="bw" if "NO_COLOR" in os.environ else "ansi_dark")
    if sys.stdout.isatty():
        with console.pager(styles=True):
            console.print(page)
    else:
        console.print(page)
    return 0


def _draw(lesson: Lesson) -> int:
    from ..course.figures import draw

    folder = find_workspace().root / "figures" / lesson.section_id
    for name, caption in lesson.figures:
        path = folder / f"{name}.svg"
        write_atomically(path, draw(lesson, name).encode())
        print(f"{near(path)}\n  {paint(caption, SOFT)}")
    if not lesson.figures:
        print(f"{lesson.section_id} has no figures.")
    return 0


def hint(name: str | None) -> int:
    workspace = find_workspace()
    lesson = lesson_of(workspace, name)
    given = steps.take_hint(workspace, lesson)
    print(wrapped(str(given)))
    if not given.text:
        print(f"  groundup solution {lesson.section_id}")
    return 0


def reset(name: str | None, undo: bool, yes: bool) -> int:
    workspace = find_workspace()
    lesson = lesson_of(workspace, name)
    files = workspace.files_of(lesson)
    if undo:
        for path in steps.undo_reset(workspace, lesson):
            print(f"mine/{path} is back as it was; what stood there is kept in its turn")
        return 0
    if not files:
        print(f"{lesson.section_id} has no file yet: groundup open {lesson.section_id}")
        return 0
    if not yes and not _sure(f"Start {', '.join('mine/' + path for path in files)} again? The old one is kept."):
        return 1
    event, paths = steps.reset(workspace, lesson)
    for path in paths:
        print(
            f"mine/{path} is new again; the old one is kept (event {event}): groundup reset {lesson.section_id} --undo"
        )
    return 0


def _sure(question: str) -> bool:
    if not sys.stdin.isatty():
        print(f"{question} Say so with --yes.", file=sys.stderr)
        return False
    return input(f"{question} [y/N]: ").strip().lower() in ("y", "yes")


def solution(name: str | None, yes: bool) -> int:
    workspace = find_workspace()
    lesson = lesson_of(workspace, name)
    with workspace.store(readonly=True) as store:
        passed = store.standing(lesson.section_id).passed
    if not passed and not yes and not _sure("You have not passed yet. Show the reference? It is recorded."):
        return 1
    for source in steps.look(workspace, lesson).values():
        if sys.stdout.isatty():
            from rich.console import Console
            from rich.syntax import Syntax

            Console(highlight=False).print(Syntax(source, "python", theme="ansi_dark", background_color="default"))
        else:
            print(source, end="")
    return 0


def notebook(name: str | None) -> int:
    from ..course.notebook.notebook import write_notebook

    workspace = find_workspace()
    lesson = lesson_of(workspace, name)
    path = write_notebook(workspace, lesson)
    if ".new" in path.name:
        print(
            f"You have changed {lesson.section_id}.ipynb, so it was left as it is; the lesson as it is now lies beside it."
        )
    print(f"{near(path)}\n  jupyter lab {near(path)}")
    return 0
