"""The learner's file, derived from the reference's own source: the contract stays, the code goes.

Imports, constants, public signatures, class attributes, docstrings and the comments between definitions stay. Bodies and
private definitions go. A definition whose line is marked `# given` stays whole, also a private one.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

import libcst as cst

from .contract import is_private

UNWRITTEN = 'raise NotImplementedError("yours to write: {}")'
GIVEN = re.compile(r"#\s*given\b")


def derive(source: str) -> str:
    """The starter of a source. SyntaxError if it does not parse."""
    try:
        module = cst.parse_module(source)
    except cst.ParserSyntaxError as problem:
        raise SyntaxError(str(problem)) from None
    text = module.visit(_Stubs(_kept_constants(source))).code
    text = re.sub(r"(?m)[ \t]+$", "", text)
    return re.sub(r"\n{4,}", "\n\n\n", text).rstrip("\n") + "\n"


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
        body = _emptied(original.body, name)
        if len(body.body) == 1 and self._docstring:
            body = body.with_changes(body=[_statement(self._docstring), *body.body])
        return updated.with_changes(body=body)


def _statement(docstring: str) -> cst.BaseStatement:
    escaped = docstring.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    return cst.parse_statement(f'"""{escaped}"""')


def _kept_constants(source: str) -> frozenset[str]:
    """Private constants that a public signature or a public constant names, and so cannot do without."""
    tree = ast.parse(source)
    spoken: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not is_private(node.name):
            defaults = [d for d in (*node.args.defaults, *node.args.kw_defaults) if d is not None]
            spoken |= {n.id for d in (*defaults, *node.decorator_list) for n in ast.walk(d) if isinstance(n, ast.Name)}
    assigned = {
        t.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for t in node.targets
        if isinstance(t, ast.Name)
    }
    spoken |= {
        n.id
        for name, value in assigned.items()
        if not is_private(name)
        for n in ast.walk(value)
        if isinstance(n, ast.Name)
    }
    return frozenset(spoken)


class _Stubs(cst.CSTTransformer):
    """Empties public definitions and takes private ones away."""

    def __init__(self, kept: frozenset[str]) -> None:
        super().__init__()
        self._kept = kept
        self._above: list[str] = []

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        return False

    def visit_ClassDef(self, node: cst.ClassDef) -> bool:
        self._above.append(node.name.value)
        return not _given(node.body) and not is_private(node.name.value)

    def leave_FunctionDef(
        self, original: cst.FunctionDef, updated: cst.FunctionDef
    ) -> cst.FunctionDef | cst.RemovalSentinel:
        if _given(original.body) or original.name.value in self._kept:
            return updated
        if is_private(original.name.value):
            return cst.RemoveFromParent()
        return updated.with_changes(body=_emptied(original.body, ".".join([*self._above, original.name.value])))

    def leave_ClassDef(self, original: cst.ClassDef, updated: cst.ClassDef) -> cst.ClassDef | cst.RemovalSentinel:
        self._above.pop()
        if _given(original.body):
            return updated
        if is_private(original.name.value):
            return cst.RemoveFromParent()
        bases = [
            base for base in updated.bases if not (isinstance(base.value, cst.Name) and is_private(base.value.value))
        ]
        if not updated.body.body:
            updated = updated.with_changes(body=cst.IndentedBlock([cst.SimpleStatementLine([cst.Pass()])]))
        return updated.with_changes(bases=bases)

    def leave_SimpleStatementLine(
        self, original: cst.SimpleStatementLine, updated: cst.SimpleStatementLine
    ) -> cst.SimpleStatementLine | cst.RemovalSentinel:
        statement = original.body[0]
        targets: list[cst.BaseExpression] = []
        if isinstance(statement, cst.Assign):
            targets = [target.target for target in statement.targets]
        elif isinstance(statement, cst.AnnAssign):
            targets = [statement.target]
        names = [target.value for target in targets if isinstance(target, cst.Name)]
        comment = original.trailing_whitespace.comment
        given = comment is not None and GIVEN.match(comment.value)
        if names and not given and all(is_private(name) and name not in self._kept for name in names):
            return cst.RemoveFromParent()
        return updated

    def leave_If(self, original: cst.If, updated: cst.If) -> cst.If | cst.RemovalSentinel:
        test = cst.Module([]).code_for_node(original.test)
        return cst.RemoveFromParent() if "__name__" in test and "__main__" in test else updated


def _given(body: cst.BaseSuite) -> bool:
    header = body.header.comment if isinstance(body, cst.IndentedBlock) else None
    return header is not None and GIVEN.match(header.value) is not None


def _emptied(body: cst.BaseSuite, dotted: str) -> cst.IndentedBlock:
    """The docstring, and a line that says what is to be written here."""
    lines: list[cst.BaseStatement] = []
    first = body.body[0] if body.body else None
    expression = first.body[0] if isinstance(first, cst.SimpleStatementLine) else first
    if (
        isinstance(first, cst.SimpleStatementLine)
        and isinstance(expression, cst.Expr)
        and isinstance(expression.value, cst.SimpleString)
    ):
        lines.append(first)
    lines.append(cst.parse_statement(UNWRITTEN.format(dotted)))
    header = body.header if isinstance(body, cst.IndentedBlock) else cst.TrailingWhitespace()
    return cst.IndentedBlock(lines, header=header)
