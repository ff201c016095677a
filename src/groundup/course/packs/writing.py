"""A pack to begin with, and a lesson to begin with in one: whole, so that `author check` passes before a word is changed."""

from __future__ import annotations

import json
import re
from pathlib import Path

from ... import __version__
from ..courses import Course, learning
from ..lessons.lesson import Lesson, find_all
from .contents import CourseError
from .manifest import FORMAT, NAME, NAMED, TAKEN

MANIFEST = """\
# A pack: a course that groundup did not come with. `groundup start --course PATH` begins it.
format = {format}
name = {name}
title = {title}
authors = ["Your name"]
licence = "MIT"
package = "{package}"
lessons = "lessons"
groundup = "{version}"  # the oldest version that it runs on
"""
LESSON, MODULE = "lessons/01-series/01-moving-averages", "averages"  # of the example
FILES = ("lesson.md", "checks.py", "faults.toml", "figures.py")


def example() -> Path:
    """The example pack: inside the wheel, or beside `src` in a checkout."""
    package = Path(__file__).parents[2]
    inside, beside = package / "_examples", package.parents[1] / "examples"
    return (inside if inside.is_dir() else beside) / "tiny-pack"


def new_pack(folder: Path) -> list[Path]:
    """Writes a pack of one lesson, the example's, into a folder that is not there yet, or empty. What was written."""
    folder = folder.expanduser().absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CourseError(folder, 1, "is there already, and not empty: name another folder")
    name = re.sub(r"[^a-z0-9]+", "-", folder.name.lower()).strip("-")[:60]
    name = name if NAMED.fullmatch(name) else f"course-{name}".rstrip("-")
    package = "library" if name in TAKEN else f"{name.replace('-', '_')}_library"
    manifest = MANIFEST.format(
        format=FORMAT, name=json.dumps(name), title=json.dumps(f"A course named {name}"),
        package=package, version=__version__,
    )  # fmt: skip
    written = [_write(folder / NAME, manifest)]
    for file in ("__init__", MODULE):
        written.append(_write(folder / package / f"{file}.py", _of_example(f"series/{file}.py")))
    return written + [_write(folder / LESSON / file, _of_example(f"{LESSON}/{file}")) for file in FILES]


def new_lesson(course: Course) -> list[Path]:
    """Writes the example's lesson once more into a pack: after the last, under names that are free. What was written."""
    with learning(course):
        lessons = find_all()
    last = lessons[-1] if lessons else None
    module = next(
        name
        for name in (MODULE, *(f"{MODULE}_{i}" for i in range(2, 1000)))
        if not (course.package / f"{name}.py").exists() and not any(f"{name}.py" in lesson.builds for lesson in lessons)
    )
    order = last.order + 1 if last else 1
    phase_folder = last.folder.parent if last else course.lessons / "01-series"
    folder = phase_folder / f"{order:02}-new-lesson"
    if folder.exists():
        raise CourseError(folder, 1, "is there already: rename it, so that it does not stand in the way")
    written = [_write(course.package / f"{module}.py", _of_example(f"series/{MODULE}.py"))]
    for file in FILES:
        text = _of_example(f"{LESSON}/{file}")
        for use in ("{}.py", "mine.{}", "lib.{}."):
            text = text.replace(use.format(MODULE), use.format(module))
        written.append(_write(folder / file, _placed(text, last, order) if file == "lesson.md" else text))
    return written


def _placed(page: str, last: Lesson | None, order: int) -> str:
    """The page with the front matter of its place in the pack."""
    if last is None:
        return page
    front, _, prose = page[4:].partition("\n---\n")
    for line in (
        "title: A new lesson",
        f'section_id: "{last.phase}.{order}"',
        f"phase: {last.phase}",
        f"phase_title: {json.dumps(last.phase_title, ensure_ascii=False)}",
        f"order: {order}",
    ):
        name = line.partition(":")[0]
        front = re.sub(rf"(?m)^{name}:.*$", lambda _, line=line: line, front)  # type: ignore[misc]
    return f"---\n{front}\n---\n{prose}"


def _of_example(name: str) -> str:
    return (example() / name).read_text(encoding="utf-8")


def _write(path: Path, text: str) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "x", encoding="utf-8") as file:  # nothing is written over
            file.write(text)
    except OSError as problem:
        raise CourseError(path, 1, f"cannot be written ({problem.strerror})") from None
    return path
