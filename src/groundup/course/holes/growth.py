"""Brings a learner's file up to a contract that has grown. Nothing the learner wrote is altered."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass

from .contract import contract
from .stub import derive


@dataclass(frozen=True)
class Growth:
    """What a file becomes, and what is to be said about it."""

    text: str  # the learner's file with what is new added to it
    added: tuple[str, ...]  # dotted names that were added
    changed: tuple[str, ...]  # dotted names whose signature differs from the contract's: the learner's is kept


def grow(mine: str, reference: str) -> Growth:
    """New definitions at the end, new methods at the end of their class, what they import after the imports.

    SyntaxError if the learner's file does not parse.
    """
    starter = derive(reference)
    wanted, have = contract(starter), contract(mine)
    known = set(have) | _names(ast.parse(mine).body)
    missing = [name for name in wanted if name not in known and name.rpartition(".")[0] not in _absent(wanted, known)]
    changed = tuple(name for name in wanted if name in have and have[name] != wanted[name])
    windows = "\r\n" in mine and mine.count("\n") == mine.count("\r\n")
    lines = (mine.replace("\r\n", "\n") if windows else mine).removesuffix("\n").split("\n")
    segments = _segments(starter)
    for name in reversed([name for name in missing if "." in name]):
        lines = _into_class(lines, name.rpartition(".")[0], segments[name])
    tops = [name for name in missing if "." not in name]
    for name in tops:
        lines += ["", "", *segments[name]]
    if missing:
        lines = _with_imports(lines, starter, "\n".join(line for name in missing for line in segments[name]))
    grown = "\n".join(lines) + "\n"
    text = (grown.replace("\n", "\r\n") if windows else grown) if missing else mine
    added = [name for name in wanted if name in missing or name.rpartition(".")[0] in tops]
    return Growth(text, tuple(added), changed)


def _absent(wanted: Iterable[str], known: set[str]) -> set[str]:
    """Classes that are missing as a whole: their methods come with them."""
    return {name for name in wanted if "." not in name and name not in known}


def _names(body: Iterable[ast.stmt], prefix: str = "") -> set[str]:
    """Every dotted name that is bound at the top or in a class, in whatever way."""
    found = set()
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(prefix + node.name)
            if isinstance(node, ast.ClassDef):
                found |= _names(node.body, f"{prefix}{node.name}.")
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            found |= {prefix + (alias.asname or alias.name).split(".")[0] for alias in node.names}
        else:
            targets = (n for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))
            found |= {prefix + target.id for target in targets}
    return found


def _segments(starter: str) -> dict[str, list[str]]:
    """The lines of each definition of a starter, by dotted name; a method's keep their indentation."""
    lines = starter.splitlines()
    found: dict[str, list[str]] = {}

    def collect(body: Iterable[ast.stmt], prefix: str) -> None:
        for node in body:
            decorators = getattr(node, "decorator_list", [])
            first = min([node.lineno, *(d.lineno for d in decorators)])
            segment = lines[first - 1 : node.end_lineno]
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                found[prefix + node.name] = segment
                if isinstance(node, ast.ClassDef):
                    collect(node.body, f"{prefix}{node.name}.")
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                found[prefix + node.targets[0].id] = segment

    collect(ast.parse(starter).body, "")
    return found


def _into_class(lines: list[str], dotted: str, segment: list[str]) -> list[str]:
    """The segment as the last part of a class, in the indentation of that class's own body."""
    body: list[ast.stmt] = ast.parse("\n".join(lines)).body
    owner: ast.ClassDef | None = None
    for part in dotted.split("."):
        owner = next(node for node in body if isinstance(node, ast.ClassDef) and node.name == part)
        body = owner.body
    assert owner is not None and owner.end_lineno is not None
    theirs = len(segment[0]) - len(segment[0].lstrip())
    ours = lines[owner.body[-1].lineno - 1][: owner.body[-1].col_offset]
    moved = [ours + line[theirs:] if line.strip() else "" for line in segment]
    return [*lines[: owner.end_lineno], "", *moved, *lines[owner.end_lineno :]]


def _with_imports(lines: list[str], starter: str, added: str) -> list[str]:
    """The starter's imports and constants whose names the added parts use and the file does not bind."""
    tree = ast.parse("\n".join(lines))
    bound = _names(tree.body)
    used = {word for node in ast.walk(ast.parse(_dedented(added))) for word in [getattr(node, "id", None)] if word}
    source = starter.splitlines()
    new = [
        line
        for node in ast.parse(starter).body
        if isinstance(node, (ast.Import, ast.ImportFrom, ast.Assign)) and _names([node]) & used - bound
        for line in source[node.lineno - 1 : node.end_lineno]
    ]
    if not new:
        return lines
    imports = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    docstring = tree.body[:1] if tree.body and isinstance(tree.body[0], ast.Expr) else []
    after = max((node.end_lineno or 0 for node in (*imports, *docstring)), default=0)
    return [*lines[:after], *([""] if not imports else []), *new, *lines[after:]]


def _dedented(added: str) -> str:
    """Parts of classes and of the module, each moved to the left, so that they parse together."""
    parts: list[str] = []
    current: list[str] = []
    for line in added.splitlines():
        opens = line.lstrip().startswith(("def ", "class ", "@", "async "))
        if opens and current and not current[-1].lstrip().startswith("@"):
            parts.append("\n".join(current))
            current = []
        current.append(line)
    parts.append("\n".join(current))
    return "\n".join(textwrap.dedent(part) for part in parts)
