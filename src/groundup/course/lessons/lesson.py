"""Lessons: found by folder, read from Markdown, checked for form.

A lesson is a folder `lessons/NN-phase/NN-lesson/` with `lesson.md` (front matter, then prose), `checks.py` or, where that
would be long, `checks/`, `faults.toml` and, where it draws, `figures.py`. A malformed lesson is one LessonError that names
file and line.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import SafeConstructor

from ...errors import NotUsable
from .. import courses

LEVELS = ("core", "optional", "advanced")
PARTS = ("Build it", "Exercises", "Go further", "Look back")  # after the idea, in this order
SECTION_ID = re.compile(r"\d+\.\d+")
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C, where it is there: a command reads all front matter
FENCE = re.compile(r"^(?P<ticks>`{3,})(?P<info>[^`]*)$")
FIGURE = re.compile(r"!\[(?P<caption>[^\]]*)\]\(figures\.py#(?P<name>\w+)\)")


class LessonError(NotUsable):
    """What is wrong with a lesson, where, and what was expected."""

    def __init__(self, path: Path, line: int, problem: str) -> None:
        super().__init__(f"{path}:{line}: {problem}")
        self.path, self.line, self.problem = path, line, problem


class NoSuchLesson(NotUsable):
    """No lesson has this id; the message names the nearest."""


@dataclass(frozen=True)
class Block:
    """A fenced block that runs, and what it is said to print (None: nothing is said)."""

    line: int  # of the opening fence, from 1
    code: str
    output: str | None


@dataclass(frozen=True)
class Lesson:
    """One lesson: what its front matter says, and where its parts lie."""

    folder: Path
    title: str
    section_id: str
    phase: int
    phase_title: str
    order: int
    minutes: int
    level: str
    builds: tuple[str, ...]  # library files, such as grad/value.py
    allows: tuple[str, ...]  # what they may import beside the standard library
    after: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    body_line: int = field(default=1, compare=False)  # of the first line of prose

    @property
    def page(self) -> Path:
        return self.folder / "lesson.md"

    @property
    def checks(self) -> tuple[Path, ...]:
        """What is asked: `checks.py`, or the Python files of `checks/` by their names. LessonError for both, or neither."""
        file, folder = self.folder / "checks.py", self.folder / "checks"
        files = tuple(sorted(folder.glob("[!.]*.py")))
        if file.is_file() == bool(files):
            problem = "is there, and checks/ too" if files else "is not there, and checks/ has no Python file either"
            raise LessonError(file, 1, f"{problem}: a lesson has the one or the other")
        return files or (file,)

    @property
    def modules(self) -> tuple[str, ...]:
        """The files it builds as module names: grad.value."""
        return tuple(path.removesuffix(".py").replace("/", ".") for path in self.builds)

    @cached_property
    def prose(self) -> str:
        """The Markdown after the front matter."""
        return "".join(self.page.read_text(encoding="utf-8").splitlines(keepends=True)[self.body_line - 1 :])

    @cached_property
    def blocks(self) -> list[Block]:
        """Its run blocks, in order."""
        return list(_run_blocks(self.prose, self.body_line))

    @cached_property
    def headings(self) -> list[tuple[int, str]]:
        """Its second-level headings, each with its line."""
        return list(_headings(self.prose, self.body_line))

    @cached_property
    def figures(self) -> list[tuple[str, str]]:
        """Name and caption of each figure it shows."""
        return [(m["name"], m["caption"]) for m in FIGURE.finditer(self.prose)]


def lessons_root() -> Path:
    """Where the lessons of groundup's own course lie: inside the wheel, or beside `src` in a checkout."""
    package = Path(__file__).parents[2]
    inside, beside = package / "_lessons", package.parents[1] / "lessons"
    return inside if inside.is_dir() else beside


def find_all(root: Path | None = None) -> tuple[Lesson, ...]:
    """Every lesson below a folder, or of the course, in the order of phases and lessons. LessonError for the first malformed one."""
    course = courses.current()
    if root is None and course is not None:
        return _found(course.lessons, course.digest)
    return _found(root or lessons_root(), "")


@lru_cache(maxsize=8)
def _found(root: Path, digest: str) -> tuple[Lesson, ...]:
    """digest: of the pack that they are of, so that they are read again when it changes."""
    found = [load(page.parent) for page in sorted(root.glob("*/*/lesson.md"))]
    return tuple(sorted(found, key=lambda lesson: (lesson.phase, lesson.order)))


def check_together(lessons: Iterable[Lesson]) -> None:
    """What no lesson can know alone: ids and files are taken once, and `after` names lessons that are there."""
    by_id: dict[str, Lesson] = {}
    builder: dict[str, Lesson] = {}
    for lesson in lessons:
        if (twin := by_id.setdefault(lesson.section_id, lesson)) is not lesson:
            raise LessonError(lesson.page, 1, f"section_id {lesson.section_id} is taken by {twin.page}")
        for path in lesson.builds:
            if (twin := builder.setdefault(path, lesson)) is not lesson:
                raise LessonError(
                    lesson.page, 1, f"{path} is built by {twin.section_id} already: a file belongs to one lesson"
                )
    for lesson in lessons:
        for other in lesson.after:
            if other not in by_id:
                raise LessonError(lesson.page, 1, f"after names {other}, and no lesson has that id")


def find(section_id: str, root: Path | None = None) -> Lesson:
    """The lesson with this id, or NoSuchLesson with the nearest ids."""
    lessons = find_all(root)
    for lesson in lessons:
        if lesson.section_id == section_id:
            return lesson
    raise NoSuchLesson(f"there is no lesson {section_id!r}; {_nearest(section_id, lessons)}")


def _nearest(section_id: str, lessons: Iterable[Lesson]) -> str:
    names = [lesson.section_id for lesson in lessons]
    near = difflib.get_close_matches(section_id, names, n=3, cutoff=0.5)
    words = {lesson.section_id: re.findall(r"[a-z]+", lesson.title.lower()) for lesson in lessons}
    near += [name for name, title in words.items() if difflib.get_close_matches(section_id.lower(), title, cutoff=0.7)]
    if near:
        return f"did you mean {' or '.join(dict.fromkeys(near))}?"
    return f"the lessons are {', '.join(names)}" if len(names) <= 20 else "`groundup` shows the map"


def load(folder: Path) -> Lesson:
    """Reads one lesson's front matter and the form of its prose."""
    page = folder / "lesson.md"
    try:
        text = page.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise LessonError(page, 1, f"cannot be read ({problem})") from None
    values, lines, end = _front_matter(page, text)
    reader = _Reader(page, values, lines)
    section_id = reader.text("section_id")
    if not SECTION_ID.fullmatch(section_id):
        reader.fail("section_id", 'is two numbers and a dot, in quotes: "1.3"')
    level = reader.text("level")
    if level not in LEVELS:
        reader.fail("level", f"is one of {', '.join(LEVELS)}")
    lesson = Lesson(
        folder=folder,
        title=reader.text("title"),
        section_id=section_id,
        phase=reader.number("phase"),
        phase_title=reader.text("phase_title"),
        order=reader.number("order"),
        minutes=reader.number("minutes"),
        level=level,
        builds=reader.texts("builds"),
        allows=reader.texts("allows"),
        after=reader.texts("after", required=False),
        needs=reader.texts("needs", required=False),
        body_line=end,
    )
    reader.done()
    if section_id != f"{lesson.phase}.{lesson.order}":
        reader.fail("section_id", f"is phase.order: {lesson.phase}.{lesson.order}")
    for path in lesson.builds:
        if not path.endswith(".py") or path.startswith("/") or ".." in path:
            reader.fail("builds", f"names library files such as grad/value.py, not {path!r}")
    _check_parts(lesson)
    return lesson


def _front_matter(page: Path, text: str) -> tuple[dict[str, Any], dict[str, int], int]:
    """The values between the two `---`, the line of each key, and the line after."""
    lines = text.splitlines()
    if not lines or lines[0].strip() != "---":
        raise LessonError(page, 1, "a lesson begins with front matter between two lines `---`")
    end = next((i for i, line in enumerate(lines[1:], 1) if line.strip() == "---"), None)
    if end is None:
        raise LessonError(page, 1, "the front matter has no closing `---`")
    source = "\n".join(lines[1:end])
    try:
        tree = yaml.compose(source, Loader=LOADER)
        values = SafeConstructor().construct_document(tree) if tree is not None else None
    except yaml.YAMLError as problem:
        mark = getattr(problem, "context_mark", None) or getattr(problem, "problem_mark", None)
        raise LessonError(
            page, (mark.line if mark else 0) + 2, f"front matter: {getattr(problem, 'problem', problem)}"
        ) from None
    if not isinstance(values, dict) or tree is None:
        raise LessonError(page, 2, "front matter is lines of `name: value`")
    at = {str(key.value): key.start_mark.line + 2 for key, _ in tree.value}
    return {str(k): v for k, v in values.items()}, at, end + 2


class _Reader:
    """Takes values of the right type out of the front matter, and knows the line of each."""

    def __init__(self, page: Path, values: dict[str, Any], lines: dict[str, int]) -> None:
        self._page, self._values, self._lines = page, dict(values), lines

    def fail(self, name: str, problem: str) -> None:
        raise LessonError(self._page, self._lines.get(name, 1), f"{name} {problem}")

    def _take(self, name: str, required: bool = True) -> Any:
        if required and name not in self._values:
            self.fail(name, "is missing from the front matter")
        return self._values.pop(name, None)

    def text(self, name: str) -> str:
        value = self._take(name)
        if not isinstance(value, str) or not value.strip():
            self.fail(name, f"is text (in quotes if it looks like a number), not {value!r}")
        return str(value)

    def number(self, name: str) -> int:
        value = self._take(name)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            self.fail(name, f"is a whole number, not {value!r}")
        return int(value)

    def texts(self, name: str, required: bool = True) -> tuple[str, ...]:
        value = self._take(name, required)
        if value is None and not required:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.fail(name, f'is a list of texts, such as ["1.2"], not {value!r}')
        return tuple(value)

    def done(self) -> None:
        for name in self._values:
            self.fail(name, "is not a name that front matter knows")


def _check_parts(lesson: Lesson) -> None:
    """An idea first, then the four fixed parts in order."""
    titles = [title for _, title in lesson.headings]
    lines = {title: line for line, title in lesson.headings}
    fixed = [title for title in titles if title in PARTS]
    for part in PARTS:
        if part not in titles:
            raise LessonError(lesson.page, lesson.body_line, f"the part `## {part}` is missing")
    if fixed != list(PARTS) or titles[-4:] != list(PARTS):
        astray = next((title for title, part in zip(fixed, PARTS) if title != part), fixed[0])
        raise LessonError(lesson.page, lines[astray], f"the last parts are, in this order: {', '.join(PARTS)}")
    if titles[0] in PARTS:
        raise LessonError(
            lesson.page, lines[titles[0]], "the idea comes before `## Build it`, under headings of its own"
        )


def _fences(prose: str, first_line: int) -> Iterable[tuple[int, str, str, int]]:
    """Each fenced block: line, info string, content, line after."""
    lines = prose.splitlines()
    i = 0
    while i < len(lines):
        opening = FENCE.match(lines[i])
        if opening is None:
            i += 1
            continue
        end = next((j for j in range(i + 1, len(lines)) if lines[j].rstrip() == opening["ticks"]), len(lines))
        yield first_line + i, opening["info"].strip(), "\n".join(lines[i + 1 : end]), first_line + end + 1
        i = end + 1


def _run_blocks(prose: str, first_line: int) -> Iterable[Block]:
    fences = list(_fences(prose, first_line))
    lines = prose.splitlines()
    for i, (line, info, content, after) in enumerate(fences):
        if info == "python run":
            output = None
            if i + 1 < len(fences) and fences[i + 1][1] == "output":
                between = lines[after - first_line : fences[i + 1][0] - first_line]
                output = fences[i + 1][2] if not any(text.strip() for text in between) else None
            yield Block(line, content, output)


def _headings(prose: str, first_line: int) -> Iterable[tuple[int, str]]:
    fenced = {line for start, _, _, after in _fences(prose, first_line) for line in range(start, after)}
    for i, text in enumerate(prose.splitlines(), first_line):
        if text.startswith("## ") and i not in fenced:
            yield i, text[3:].strip()
