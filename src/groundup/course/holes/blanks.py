"""One part of a source blanked out, to be written again: its docstring stays, and what only it has used goes with it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

import libcst as cst

from .contract import is_private
from .stub import UNWRITTEN, derive, emptied


def parts(source: str, reference: str) -> dict[str, int]:
    """The definitions of a source that the contract of a reference asks to be written, dotted, with the lines of each body."""
    asked = set(re.findall(re.escape(UNWRITTEN).replace(r"\{\}", r"([\w.]+)"), derive(reference)))
    found: dict[str, int] = {}

    def look(body: list[ast.stmt], prefix: str) -> None:
        for node in body:
            if isinstance(node, ast.ClassDef):
                look(node.body, f"{prefix}{node.name}.")
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and prefix + node.name in asked:
                written = node.body[ast.get_docstring(node) is not None :]
                found[prefix + node.name] = sum((n.end_lineno or n.lineno) - n.lineno + 1 for n in written)

    look(ast.parse(source).body, "")
    return found


def blank(source: str, dotted: str, reference: str = "") -> str:
    """A source with one definition emptied to its docstring, and without the private ones that only it has used.

    A definition without a docstring gets the one that it has in the reference.
    """
    gone = _used_only_by(ast.parse(source), dotted)
    docstrings = {
        name: ast.get_docstring(node, clean=False)
        for name, node in _definitions(ast.parse(reference))
        if name == dotted
    }
    text = cst.parse_module(source).visit(_Blank(dotted, gone, docstrings.get(dotted))).code
    return re.sub(r"\n{4,}", "\n\n\n", text)


def _definitions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield prefix + node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from _definitions(node, f"{prefix}{node.name}.")


def _used_only_by(tree: ast.Module, dotted: str) -> frozenset[str]:
    """The private functions that a definition leads to, and that nothing names but it and each other."""
    uses: dict[str, set[str]] = {}
    inside: set[int] = set()
    for name, node in _definitions(tree):
        uses.setdefault(name, set()).update(_named(ast.walk(node)))
        inside |= {id(n) for n in ast.walk(node)}
    loose = set(_named(n for n in ast.walk(tree) if id(n) not in inside))
    private = {name for name in uses if is_private(_last(name))}
    gone: set[str] = set()
    reached = {dotted}
    while reached:
        named = set[str]().union(*(uses.get(name, set()) for name in reached))
        reached = {name for name in private - gone if _last(name) in named}
        gone |= reached
    while True:
        kept = loose.union(*(names for name, names in uses.items() if name not in gone and name != dotted))
        staying = {name for name in gone if _last(name) in kept}
        if not staying:
            return frozenset(gone)
        gone -= staying


def _named(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr


def _last(dotted: str) -> str:
    return dotted.rpartition(".")[2]


class _Blank(cst.CSTTransformer):
    """Empties one definition and takes some away."""

    def __init__(self, dotted: str, gone: frozenset[str], docstring: str | None) -> None:
        super().__init__()
        self._dotted, self._gone, self._docstring = dotted, gone, docstring
        self._above: list[str] = []

    def visit_ClassDef(self, node: cst.ClassDef) -> None:
        self._above.append(node.name.value)

    def leave_ClassDef(self, original: cst.ClassDef, updated: cst.ClassDef) -> cst.ClassDef:
        self._above.pop()
        return updated

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        return False

    def leave_FunctionDef(
        self, original: cst.FunctionDef, updated: cst.FunctionDef
    ) -> cst.FunctionDef | cst.RemovalSentinel:
        name = ".".join([*self._above, original.name.value])
        if name in self._gone:
            return cst.RemoveFromParent()
        if name != self._dotted:
            return updated
        body = emptied(original.body, name)
        if len(body.body) == 1 and self._docstring:
            body = body.with_changes(body=[_statement(self._docstring), *body.body])
        return updated.with_changes(body=body)


def _statement(docstring: str) -> cst.BaseStatement:
    escaped = docstring.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    return cst.parse_statement(f'"""{escaped}"""')
