"""Reads what a lesson asks, and cuts out the part of each checkpoint that may cross into the sandbox.

Oracles, cases and labels stay in the judge. What crosses is the probe, with the imports and helpers of its own file
that it uses, and nothing else.
"""

from __future__ import annotations

import ast
import symtable
import sys
import types
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .checkpoints import Checkpoint
from .lesson import Lesson, LessonError


@dataclass(frozen=True)
class Probe:
    """A checkpoint, and its probe as text that stands alone."""

    key: str  # the probe's name, which no other of the lesson has
    checkpoint: Checkpoint
    source: str
    modules: tuple[str, ...]  # the library modules it names: lib.grad.value -> grad.value


def load_probes(lesson: Lesson) -> list[Probe]:
    """The checkpoints of a lesson in the order of its files. LessonError where one of them is malformed."""
    files = trees(lesson)
    _check_names(files)
    probes = []
    for path, tree in files:
        for key, checkpoint in _checkpoints(path, tree).items():
            _check_whole(path, key, checkpoint)
            probes.append(Probe(key, checkpoint, *cut(key, tree)))
    if not probes:
        raise LessonError(lesson.checks[0], 1, "a lesson has at least one @checkpoint")
    return probes


def trees(lesson: Lesson) -> list[tuple[Path, ast.Module]]:
    """Each file of a lesson's checks with its syntax tree; nothing of it is run. LessonError for one that cannot be read."""
    found = []
    for path in lesson.checks:
        try:
            found.append((path, ast.parse(path.read_text(encoding="utf-8"))))
        except SyntaxError as problem:
            raise LessonError(path, problem.lineno or 1, str(problem.msg)) from None
        except (OSError, ValueError) as problem:
            raise LessonError(path, 1, f"cannot be read ({getattr(problem, 'strerror', problem)})") from None
    return found


def _checkpoints(path: Path, tree: ast.Module) -> dict[str, Checkpoint]:
    """The checkpoints that a file defines, which is run for it."""
    module = types.ModuleType(f"groundup_checks_{path.stem}")
    module.__file__ = str(path)
    try:
        exec(compile(tree, str(path), "exec", dont_inherit=True), vars(module))
    except Exception as problem:
        raise LessonError(path, _last_line(problem, str(path)), f"{type(problem).__name__}: {problem}") from problem
    return {name: value for name, value in vars(module).items() if isinstance(value, Checkpoint)}


def demands(lesson: Lesson) -> list[tuple[str, bool]]:
    """Name and stretch of each checkpoint, read from the text alone: nothing is imported, so it is quick."""
    return [(name, stretch) for _, tree in trees(lesson) for _, name, stretch in _asked(tree)]


def probe_named(tree: ast.Module, name: str) -> str | None:
    """The probe of the checkpoint with this name; None where the file has no such checkpoint."""
    return next((probe.name for probe, said, _ in _asked(tree) if said == name), None)


def _asked(tree: ast.Module) -> Iterable[tuple[ast.FunctionDef, str, bool]]:
    """The functions below a `@checkpoint(...)`, each with the checkpoint's name and whether it is a stretch."""
    for node in (node for node in tree.body if isinstance(node, ast.FunctionDef)):
        for call in node.decorator_list:
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "checkpoint":
                name = next((a.value for a in call.args if isinstance(a, ast.Constant)), node.name)
                given = {k.arg: k.value.value for k in call.keywords if isinstance(k.value, ast.Constant)}
                yield node, str(name), bool(given.get("stretch"))


def _check_names(files: Iterable[tuple[Path, ast.Module]]) -> None:
    """Probes and checkpoints are told apart by their names: in a lesson none may be there twice."""
    taken: dict[str, str] = {}
    for path, tree in files:
        for probe, name, _ in _asked(tree):
            for word in (probe.name, name):
                if word in taken:
                    raise LessonError(path, probe.lineno, f"the name {word!r} is taken: {taken[word]}")
            taken |= dict.fromkeys((probe.name, name), f"{path.name}:{probe.lineno}")


def _last_line(problem: BaseException, filename: str) -> int:
    line, trail = 1, problem.__traceback__
    while trail is not None:
        if trail.tb_frame.f_code.co_filename == filename:
            line = trail.tb_lineno
        trail = trail.tb_next
    return line


def _check_whole(path: Path, name: str, checkpoint: Checkpoint) -> None:
    line = checkpoint.probe.__code__.co_firstlineno
    if checkpoint.draw_case is None and checkpoint.edge_cases is list:
        raise LessonError(path, line, f"{name} has neither cases nor edges: nothing run is never a pass")
    if (checkpoint.truth is None) == (checkpoint.accept is None):
        raise LessonError(path, line, f"{name} has an oracle or accepts: one of the two")


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
        for other in _looked_up(node):
            want(other)

    want(name)
    order = sorted(wanted, key=lambda node: (not isinstance(node, (ast.Import, ast.ImportFrom)), node.lineno))
    source = "\n\n".join(ast.unparse(node) for node in order)
    modules = dict.fromkeys(module for node in wanted for module in library_modules(node))
    return source, tuple(modules)


def _looked_up(node: ast.stmt) -> Iterable[str]:
    """The names that a statement takes from its file. One that is bound in a function is that function's own: `for _ in ...`
    has nothing to do with the `def _` of an oracle.
    """
    tables = [symtable.symtable(ast.unparse(node), "checks", "exec")]
    for table in tables:  # grows by the functions within
        tables += table.get_children()
        outermost = table is tables[0]
        for symbol in table.get_symbols():
            if symbol.is_referenced() and (symbol.is_global() or (outermost and not symbol.is_assigned())):
                yield symbol.get_name()


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
