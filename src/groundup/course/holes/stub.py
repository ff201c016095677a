"""The learner's file, derived from the reference's own source: the contract stays, the code goes.

Imports, constants, public signatures, class attributes, docstrings and the comments between definitions stay. Bodies and
private definitions go. A definition whose line is marked `# given` stays whole, also a private one.
"""

from __future__ import annotations

import ast
import re

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
        return updated.with_changes(body=emptied(original.body, ".".join([*self._above, original.name.value])))

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


def emptied(body: cst.BaseSuite, dotted: str) -> cst.IndentedBlock:
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
