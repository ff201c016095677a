"""Reads a lesson's `checks.py`, and cuts out the part of each checkpoint that may cross into the sandbox.

Oracles, cases and labels stay in the judge. What crosses is the probe, with the imports and helpers of the file that
it uses, and nothing else.
"""

from __future__ import annotations

import ast
import builtins
import sys
import types
from collections.abc import Iterable
from dataclasses import dataclass

from .checkpoints import Checkpoint
from .lesson import Lesson, LessonError


@dataclass(frozen=True)
class Probe:
    """A checkpoint, and its probe as text that stands alone."""

    key: str  # the probe's name in checks.py
    checkpoint: Checkpoint
    source: str
    modules: tuple[str, ...]  # the library modules it names: lib.grad.value -> grad.value


def load_probes(lesson: Lesson) -> list[Probe]:
    """The checkpoints of a lesson in the order of its file. LessonError where the file is malformed."""
    try:
        text = lesson.checks.read_text(encoding="utf-8")
        tree = ast.parse(text)
    except SyntaxError as problem:
        raise LessonError(lesson.checks, problem.lineno or 1, str(problem.msg)) from None
    except OSError as problem:
        raise LessonError(lesson.checks, 1, f"cannot be read ({problem.strerror})") from None
    module = types.ModuleType(f"groundup_checks_{lesson.section_id.replace('.', '_')}")
    module.__file__ = str(lesson.checks)
    try:
        exec(compile(tree, str(lesson.checks), "exec", dont_inherit=True), vars(module))
    except Exception as problem:
        line = _last_line(problem, str(lesson.checks))
        raise LessonError(lesson.checks, line, f"{type(problem).__name__}: {problem}") from problem
    found = {name: value for name, value in vars(module).items() if isinstance(value, Checkpoint)}
    if not found:
        raise LessonError(lesson.checks, 1, "a lesson has at least one @checkpoint")
    for name, checkpoint in found.items():
        _check_whole(lesson, name, checkpoint)
    return [Probe(name, checkpoint, *cut(name, tree)) for name, checkpoint in found.items()]


def demands(lesson: Lesson) -> list[tuple[str, bool]]:
    """Name and stretch of each checkpoint, read from the text of checks.py alone: nothing is imported, so it is quick."""
    try:
        tree = ast.parse(lesson.checks.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, UnicodeDecodeError) as problem:
        raise LessonError(lesson.checks, getattr(problem, "lineno", None) or 1, str(problem)) from None
    found = []
    for node in (node for node in tree.body if isinstance(node, ast.FunctionDef)):
        for call in node.decorator_list:
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "checkpoint":
                name = next((a.value for a in call.args if isinstance(a, ast.Constant)), node.name)
                stretch = any(
                    k.arg == "stretch" and isinstance(k.value, ast.Constant) and bool(k.value.value)
                    for k in call.keywords
                )
                found.append((str(name), stretch))
    return found


def _last_line(problem: BaseException, filename: str) -> int:
    line, trail = 1, problem.__traceback__
    while trail is not None:
        if trail.tb_frame.f_code.co_filename == filename:
            line = trail.tb_lineno
        trail = trail.tb_next
    return line


def _check_whole(lesson: Lesson, name: str, checkpoint: Checkpoint) -> None:
    line = checkpoint.probe.__code__.co_firstlineno
    if checkpoint.draw_case is None and checkpoint.edge_cases is list:
        raise LessonError(lesson.checks, line, f"{name} has neither cases nor edges: nothing run is never a pass")
    if (checkpoint.truth is None) == (checkpoint.accept is None):
        raise LessonError(lesson.checks, line, f"{name} has an oracle or accepts: one of the two")


def _defined(node: ast.stmt) -> Iterable[str]:
    """The names that a top-level statement defines."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        yield from (alias.asname or alias.name.split(".")[0] for alias in node.names)
    elif isinstance(node, ast.Assign):
        yield from (target.id for target in node.targets if isinstance(target, ast.Name))
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        yield node.target.id


def cut(name: str, tree: ast.Module) -> tuple[str, tuple[str, ...]]:
    """A function's own text and, transitively, what it uses of its file; and the library modules that these name."""
    definitions = {name: node for node in tree.body for name in _defined(node)}
    wanted: list[ast.stmt] = []

    def want(used: str) -> None:
        node = definitions.get(used)
        if node is None or node in wanted:
            return
        if isinstance(node, ast.FunctionDef):
            node = _undecorated(node)
            definitions[used] = node
        wanted.append(node)
        for part in ast.walk(node):
            if isinstance(part, ast.Name) and part.id != used and not hasattr(builtins, part.id):
                want(part.id)

    want(name)
    order = sorted(wanted, key=lambda node: (not isinstance(node, (ast.Import, ast.ImportFrom)), node.lineno))
    source = "\n\n".join(ast.unparse(node) for node in order)
    modules = dict.fromkeys(module for node in wanted for module in library_modules(node))
    return source, tuple(modules)


def _undecorated(node: ast.FunctionDef) -> ast.FunctionDef:
    return ast.FunctionDef(**{**{f: getattr(node, f) for f in node._fields}, "decorator_list": []}, lineno=node.lineno)


def library_modules(node: ast.AST) -> Iterable[str]:
    """Every `lib.package.module` that is named: the judge sends those modules along."""
    for part in ast.walk(node):
        if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Attribute):
            package = part.value
            if isinstance(package.value, ast.Name) and package.value.id == "lib":
                yield f"{package.attr}.{part.attr}"


def allowed_names(lesson: Lesson) -> frozenset[str]:
    """The first names of modules that a lesson's files may import: the standard library, `allows`, and `mine`."""
    return frozenset(sys.stdlib_module_names) | {name.split(".")[0] for name in lesson.allows} | {"mine"}
