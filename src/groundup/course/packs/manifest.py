"""`course.toml`: what a pack says about itself. Read as data, and every mistake in it has a line."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ... import __version__
from .contents import CourseError, read_text

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

NAME = "course.toml"
FORMAT = 1
KNOWN = ("format", "name", "title", "authors", "licence", "package", "lessons", "groundup")
TAKEN = ("groundup", "mine")  # packages that are there already
NAMED = re.compile(r"[a-z][a-z0-9-]{0,63}")
VERSION = re.compile(r"\d+(\.\d+){0,2}")
LONGEST = 200  # characters of a title, or of an author


@dataclass(frozen=True)
class Manifest:
    """What course.toml says."""

    name: str
    title: str
    authors: tuple[str, ...]
    licence: str
    package: str
    lessons: str


def read(folder: Path) -> Manifest:
    """The course.toml of a folder, checked. CourseError names file, line, and what was expected."""
    path = folder / NAME
    if not path.is_file():
        raise CourseError(path, 1, "is missing: a pack says there what it is (`groundup author new` writes one)")
    text = read_text(path)
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        line = re.search(r"line (\d+)", str(problem))
        raise CourseError(path, int(line[1]) if line else 1, f"this is not TOML ({problem})") from None
    except RecursionError:
        raise CourseError(path, 1, "this is not TOML (it is nested too deep)") from None
    reader = _Reader(path, text, values)
    for name in values:
        reader.expect(name, name in KNOWN, f"only {', '.join(KNOWN)}")
    made = values.get("format")
    reader.expect("format", type(made) is int and made > 0, f"a whole number, here {FORMAT}")
    reader.expect("format", made == FORMAT, f"{FORMAT}: a newer format wants a newer groundup")
    needs = reader.text("groundup")
    reader.expect("groundup", VERSION.fullmatch(needs) is not None, f'the oldest version it runs on: "{__version__}"')
    reader.expect("groundup", _number(needs) <= _number(__version__), f"at most {__version__}, which this is")
    name = reader.text("name")
    reader.expect("name", NAMED.fullmatch(name) is not None, "small letters, digits and -, a letter first")
    package, lessons = reader.text("package"), reader.text("lessons")
    reader.expect("package", package.isidentifier() and package.isascii(), "the name of a folder beside course.toml")
    reader.expect("package", package not in TAKEN, f"a name of its own: {' and '.join(TAKEN)} are taken")
    reader.expect("package", package not in sys.stdlib_module_names, "a name that Python does not have already")
    reader.expect("package", (folder / package).is_dir(), "a folder beside course.toml: the reference")
    parts = lessons.split("/")
    inside = all(re.fullmatch(r"[\w-][\w.-]*", part) for part in parts)
    reader.expect("lessons", inside and parts[0] != package, "a folder inside the pack, outside the reference")
    reader.expect("lessons", (folder / lessons).is_dir(), "a folder inside the pack")
    return Manifest(name, reader.text("title"), reader.texts("authors"), reader.text("licence"), package, lessons)


def _number(version: str) -> tuple[int, ...]:
    found = [int(part) for part in re.match(r"[\d.]+", version)[0].strip(".").split(".")]  # type: ignore[index]
    return (*found, 0, 0)[:3]


class _Reader:
    """Takes texts out of course.toml, and knows the line of each."""

    def __init__(self, path: Path, text: str, values: dict[str, Any]) -> None:
        self._path, self._lines, self._values = path, text.splitlines(), values

    def expect(self, name: str, good: bool, what: str) -> None:
        if good:
            return
        key = re.compile(rf"""\s*\[*\s*["']?{re.escape(name)}["']?\s*[].=]""")
        line = next((i for i, text in enumerate(self._lines, 1) if key.match(text)), 1)
        if name not in self._values:
            raise CourseError(self._path, line, f"{name} is missing: expected {what}")
        raise CourseError(self._path, line, f"{name} = {self._values[name]!r:.100}: expected {what}")

    def text(self, name: str) -> str:
        value = self._values.get(name)
        self.expect(name, _is_line(value), "a text on one line")
        return str(value)

    def texts(self, name: str) -> tuple[str, ...]:
        value = self._values.get(name)
        good = isinstance(value, list) and 0 < len(value) <= 50 and all(map(_is_line, value))
        self.expect(name, good, 'a list of texts, such as ["Ada Lovelace"]')
        return tuple(value or ())


def _is_line(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value.strip()) <= LONGEST and value.isprintable()
