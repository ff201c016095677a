"""Faults: the mistakes people make in a lesson, as edits of the reference's source.

A fault tests the judge, tells the learner what went wrong, is an exercise, and documents.
"""

from __future__ import annotations

import ast
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from .lesson import Lesson, LessonError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@dataclass(frozen=True)
class Fault:
    """One mistake: which file, which text, what stands there instead, and what to say."""

    name: str
    file: str  # of the lesson's files, the one it edits
    find: str
    put: str
    says: str

    def apply(self, source: str) -> str:
        """The reference's source with the mistake in it."""
        return source.replace(self.find, self.put, 1)

    def applied(self, source: str) -> str | None:
        """Another source, such as a learner's, with the mistake in it; None where its text does not stand there, once."""
        if source.count(self.find) != 1:
            return None
        edited = self.apply(source)
        try:
            ast.parse(edited)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
        return edited

    def place(self, source: str) -> str:
        """The dotted name of the definition that the edit lies in: where to look in one's own file."""
        at = source[: source.index(self.find)].count("\n") + 1
        return enclosing(ast.parse(source), at)


def enclosing(tree: ast.AST, line: int) -> str:
    """The dotted name of the innermost class or function (a method counts, what is nested in it does not)."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            if first <= line <= (node.end_lineno or first):
                inner = enclosing(node, line) if isinstance(node, ast.ClassDef) else ""
                return f"{node.name}.{inner}" if inner else node.name
    return ""


def load_faults(lesson: Lesson, reference: dict[str, str]) -> list[Fault]:
    """The faults of a lesson; LessonError where one does not fit the reference (file -> source)."""
    path = lesson.folder / "faults.toml"
    try:
        text = path.read_text(encoding="utf-8")
        found = tomllib.loads(text)
    except OSError as problem:
        raise LessonError(path, 1, f"cannot be read ({problem.strerror})") from None
    except tomllib.TOMLDecodeError as problem:
        line_said = re.search(r"line (\d+)", str(problem))
        raise LessonError(path, int(line_said[1]) if line_said else 1, f"this is not TOML ({problem})") from None
    except UnicodeDecodeError:
        raise LessonError(path, 1, "is not text in UTF-8") from None
    lines = [i for i, line in enumerate(text.splitlines(), 1) if line.strip() == "[[fault]]"]
    tables = found.pop("fault", [])
    if found or not isinstance(tables, list) or len(tables) != len(lines):
        raise LessonError(path, 1, "holds faults and nothing else, each below a line [[fault]] of its own")
    faults: list[Fault] = []
    for line, table in zip(lines, tables):
        fault = _fault(path, line, table, lesson)
        if any(other.name == fault.name for other in faults):
            raise LessonError(path, line, f"two faults are named {fault.name!r}")
        count = reference[fault.file].count(fault.find)
        if count != 1:
            raise LessonError(
                path, line, f"{fault.name!r}: its find text stands {count} times in {fault.file}, not once"
            )
        try:
            ast.parse(fault.apply(reference[fault.file]))
        except SyntaxError as problem:
            raise LessonError(path, line, f"{fault.name!r}: the edited source does not parse ({problem})") from None
        faults.append(fault)
    return faults


def _fault(path: Path, line: int, table: dict[str, object], lesson: Lesson) -> Fault:
    table = {"file": lesson.builds[0], **table}
    wanted = {"name", "file", "find", "put", "says"}
    if wrong := wanted.symmetric_difference(table):
        raise LessonError(
            path, line, f"a fault has name, find, put and says (and file): see {', '.join(sorted(wrong))}"
        )
    if not all(isinstance(value, str) for value in table.values()) or table["find"] == table["put"]:
        raise LessonError(path, line, "a fault's entries are texts, and put differs from find")
    fault = Fault(**{key: str(table[key]) for key in wanted})
    if fault.file not in lesson.builds:
        raise LessonError(path, line, f"{fault.file} is not one of the files this lesson builds")
    return fault
