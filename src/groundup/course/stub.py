"""The learner's file, derived from the reference's own source, and brought up to date when the reference grows.

Of a definition the decorators, the signature and the docstring stay; its body becomes a NotImplementedError. A private
definition goes, with the comment that stands on it, unless what stays names it: a default, a table, a decorator. What
the import itself calls has to work, so it stays whole: a library file that computes a constant with a function to be
learnt gives that function away. What is marked `# given` on its first line stays whole, with the private definitions
it uses.
"""

from __future__ import annotations

import ast
import copy
import re
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, cast

import libcst as cst

GONE, STUB, GIVEN, RUN = range(4)  # what becomes of a piece; GIVEN and RUN stay whole, RUN with all that it names

# Methods that Python calls by itself once a class is derived from, registered with or subscripted.
MACHINERY = ("__init_subclass__", "__subclasshook__", "__class_getitem__", "__set_name__")
# Methods that Python calls by itself while it makes the members of an enumeration.
MEMBER_MACHINERY = ("__new__", "__init__", "_generate_next_value_", *MACHINERY)
# Callables that keep the function they are handed and do not call it.
WRAPPERS = {"property", "staticmethod", "classmethod", "cached_property", "partial", "partialmethod", "lru_cache"}
WRAPPERS |= {"cache", "field", "wraps", "singledispatch", "singledispatchmethod", "abstractmethod", "vectorize"}

Definition = (cst.FunctionDef, cst.ClassDef)
Function = (ast.FunctionDef, ast.AsyncFunctionDef)


def derive(source: str) -> str:
    """The learner's file: what a reader of the module relies on, with the bodies still to write.

    Raises SyntaxError where the source does not parse.
    """
    source = source.removeprefix("\ufeff")
    parse(source)
    module = cst.parse_module(source)
    plan = Plan(module)
    return Rendering(plan).module(module)


def contract(source: str) -> dict[str, str]:
    """Public names of a source, dotted ("Value", "Value.__add__", "descend"), -> the signature's text.

    Functions, classes, methods, and aliases of these such as `__radd__ = __add__`. Decorators belong to a signature,
    and the fields to a dataclass's. Layout and comments do not: the text is normalised. Definitions that share a name
    (overloads, a property and its setter) share an entry. Raises SyntaxError where the source does not parse.
    """
    signatures: dict[str, str] = {}
    for name, nodes in definitions(parse(derive(source)).body).items():
        if not any(map(is_private, name.split("."))):
            signatures[name] = "\n".join(signature(node) for node in nodes)
    return signatures


def parse(source: str) -> ast.Module:
    """The source's tree; SyntaxError, and nothing else, where it has none."""
    try:
        return ast.parse(source)
    except ValueError as error:  # a null byte, before Python 3.12
        raise SyntaxError(str(error)) from error


def is_private(name: str) -> bool:
    """One underscore or more in front and none behind: `_x` and `__x`, not `__add__` and not an enum's `_missing_`."""
    return name.startswith("_") and not (len(name) > 2 and name.endswith("_"))


# ---- What a module consists of


@dataclass(eq=False)
class Piece:
    """A definition, a statement or one imported name: the smallest thing that stays or goes."""

    node: cst.CSTNode
    scope: Scope
    binds: frozenset[str] = frozenset()
    changes: frozenset[str] = frozenset()  # what it is about: what it binds, or `T` in `T["a"] = 1` and `T.update(x)`
    guards: tuple[cst.CSTNode, ...] = ()  # the tests of the `if` and `except` it stands under
    given: bool = False
    inner: Scope | None = None  # a class's body
    fate: int = GONE

    @property
    def private(self) -> bool:
        """Whether it is about private names only."""
        return bool(self.changes) and all(map(is_private, self.changes))


@dataclass(eq=False)
class Scope:
    """The pieces of a module or of a class."""

    outer: Scope | None = None
    fields: bool = False  # a dataclass: its private annotated names are parameters
    pieces: list[Piece] = field(default_factory=list)
    about: dict[str, list[Piece]] = field(default_factory=dict)  # name -> the pieces that bind or change it

    def add(self, piece: Piece) -> None:
        self.pieces.append(piece)
        for name in piece.binds | piece.changes:
            self.about.setdefault(name, []).append(piece)

    def own(self, name: str) -> list[Piece]:
        """The pieces that bind the name here."""
        return [piece for piece in self.about.get(name, ()) if name in piece.binds]

    def lookup(self, name: str) -> list[Piece]:
        """The pieces that bind the name here or, where there is none, further out."""
        return self.own(name) or (self.outer.lookup(name) if self.outer else [])

    def collect(self, body: Iterable[cst.CSTNode], guards: tuple[cst.CSTNode, ...] = ()) -> None:
        """Takes up the pieces of a suite, also those under `if` and `try`."""
        for statement in body:
            if isinstance(statement, cst.SimpleStatementLine):
                given = is_marked(statement.trailing_whitespace.comment)
                for small in statement.body:
                    self.add_small(small, guards, given)
            elif isinstance(statement, cst.BaseSmallStatement):
                self.add_small(statement, guards, False)
            elif isinstance(statement, Definition):
                names = frozenset([statement.name.value])
                piece = Piece(statement, self, names, names, guards, is_marked(*first_line_comments(statement)))
                if isinstance(statement, cst.ClassDef):
                    piece.inner = Scope(self, has_fields(statement))
                    piece.inner.collect(statement.body.body)
                self.add(piece)
            elif isinstance(statement, (cst.If, cst.Try, cst.TryStar)):
                if not is_main_guard(statement):
                    for tests, suite in branches(statement):
                        self.collect(suite.body, guards + tests)
            else:
                names = frozenset(assigned(statement))
                self.add(Piece(statement, self, names, names | set(changed(statement)), guards))

    def add_small(self, node: cst.BaseSmallStatement, guards: tuple[cst.CSTNode, ...], given: bool) -> None:
        """Takes up a statement of one line."""
        if isinstance(node, (cst.Import, cst.ImportFrom)):
            for alias in () if isinstance(node.names, cst.ImportStar) else node.names:
                bound, secret = imported(alias, isinstance(node, cst.ImportFrom))
                self.add(Piece(alias, self, frozenset([bound]), frozenset([bound] if secret else ()), guards))
            return
        binds = frozenset() if isinstance(node, cst.Del) else frozenset(assigned(node))
        changes = binds | set(changed(node))
        if self.fields and isinstance(node, cst.AnnAssign):
            changes = frozenset()
        if is_string(node) and self.pieces and isinstance(self.pieces[-1].node, (cst.Assign, cst.AnnAssign)):
            changes = self.pieces[-1].changes  # a docstring of the constant above
        self.add(Piece(node, self, binds, changes, guards, given))


def branches(statement: cst.CSTNode) -> Iterator[tuple[tuple[cst.CSTNode, ...], cst.BaseSuite]]:
    """The suites of an `if` or a `try`, each with the tests that guard it."""
    if isinstance(statement, cst.If):
        yield (statement.test,), statement.body
        if statement.orelse:
            for tests, suite in branches(statement.orelse):
                yield (statement.test, *tests), suite
    elif isinstance(statement, (cst.Try, cst.TryStar)):
        yield (), statement.body
        for handler in statement.handlers:
            yield ((handler.type,) if handler.type else ()), handler.body
        for tail in (statement.orelse, statement.finalbody):
            if tail:
                yield (), tail.body
    elif isinstance(statement, cst.Else):
        yield (), statement.body


def first_line_comments(node: cst.FunctionDef | cst.ClassDef) -> Iterator[cst.Comment | None]:
    """The comments behind a definition's colon and behind its opening bracket."""
    if isinstance(node.body, cst.IndentedBlock):
        yield node.body.header.comment
    elif isinstance(node.body, cst.SimpleStatementSuite):
        yield node.body.trailing_whitespace.comment
    opening = node.whitespace_before_params if isinstance(node, cst.FunctionDef) else None
    if isinstance(opening, cst.ParenthesizedWhitespace):
        yield opening.first_line.comment


def is_marked(*comments: cst.Comment | None) -> bool:
    """Whether one of the comments says `# given`, or `# given: why`."""
    return any(comment is not None and re.search(r"#\s*given\s*(:.*)?$", comment.value) for comment in comments)


def is_main_guard(node: cst.CSTNode) -> bool:
    """Whether it is an `if __name__ == "__main__":`."""
    if not isinstance(node, cst.If):
        return False
    words = {child.value for child in walk(node.test) if isinstance(child, (cst.Name, cst.SimpleString))}
    return "__name__" in words and bool(words & {'"__main__"', "'__main__'"})


def is_string(node: cst.CSTNode) -> bool:
    """Whether the statement is a string and so documents something."""
    if not isinstance(node, cst.Expr) or not isinstance(node.value, (cst.SimpleString, cst.ConcatenatedString)):
        return False
    return isinstance(node.value.evaluated_value, str)


def has_fields(node: cst.ClassDef) -> bool:
    """Whether the class is decorated as a dataclass."""
    return any(last_name(decorator.decorator) == "dataclass" for decorator in node.decorators)


def imported(alias: cst.ImportAlias, from_module: bool) -> tuple[str, bool]:
    """The name that an import binds, and whether that is a private name of another module."""
    name = alias.evaluated_alias or alias.evaluated_name.split(".")[0]
    return name, from_module and is_private(name) and is_private(alias.evaluated_name)


def walk(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """The node and everything below it."""
    yield node
    for child in node.children:
        yield from walk(child)


def root_name(node: cst.CSTNode) -> str:
    """`a` of `a`, `a.b`, `a[0].c` and `a.b(c)`; "" where an expression begins otherwise."""
    while isinstance(node, (cst.Attribute, cst.Subscript, cst.Call, cst.StarredElement)):
        node = node.func if isinstance(node, cst.Call) else node.value
    return node.value if isinstance(node, cst.Name) else ""


def last_name(node: cst.CSTNode) -> str:
    """`c` of `a.b.c`, `a.b.c(d)` and `c[d]`; "" where there is none."""
    while isinstance(node, (cst.Call, cst.Subscript)):
        node = node.func if isinstance(node, cst.Call) else node.value
    node = node.attr if isinstance(node, cst.Attribute) else node
    return node.value if isinstance(node, cst.Name) else ""


def targets(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """What a statement assigns to or deletes, taken out of tuples and lists, also in the statements below it."""
    for child in walk(node):
        found: list[cst.BaseExpression] = []
        if isinstance(child, (cst.AssignTarget, cst.AnnAssign, cst.AugAssign, cst.For, cst.NamedExpr, cst.Del)):
            found = [child.target]
        elif isinstance(child, (cst.AsName, cst.TypeAlias)):
            found = [child.name]
        while found:
            target = found.pop()
            if isinstance(target, (cst.Tuple, cst.List)):
                found += [element.value for element in target.elements]
            else:
                yield target


def assigned(node: cst.CSTNode) -> Iterator[str]:
    """The names that a statement binds, definitions and imports inside a loop or a `with` included."""
    for target in targets(node):
        if isinstance(target, cst.Name):
            yield target.value
    for child in walk(node):
        if isinstance(child, Definition):
            yield child.name.value
        elif isinstance(child, cst.ImportAlias):
            yield imported(child, False)[0]


def changed(node: cst.CSTNode) -> Iterator[str]:
    """The names whose object a statement changes: by assignment into it, by deletion, by a call for its effect."""
    for target in targets(node):
        yield root_name(target)
    for child in walk(node):
        if isinstance(child, cst.Expr) and root_name(child.value):
            yield root_name(child.value)


# ---- What stays


class Use(NamedTuple):
    """A name in an expression. how: "named", "called" (it, or its attribute), or "passed" to something called."""

    name: str
    how: str = "named"
    attribute: str = ""
    receiver: str = ""  # of what is passed: the name of what is called


def uses(node: cst.CSTNode, inert: bool = True) -> Iterator[Use]:
    """The names an expression uses when it is evaluated; inert: the body of a lambda is not evaluated."""
    if isinstance(node, cst.Name):
        yield Use(node.value)
    elif isinstance(node, cst.Attribute):
        if isinstance(node.value, cst.Name):
            yield Use(node.value.value, attribute=node.attr.value)
        yield from uses(node.value)
    elif isinstance(node, cst.Decorator):
        yield from callee(node.decorator)
    elif isinstance(node, cst.Param):
        for part in (node.annotation, node.default):
            if part:
                yield from uses(part)
    elif isinstance(node, cst.FunctionDef):
        yield from signature_uses(node)
        yield from (Use(use.name) for use in uses(node.body))
    elif isinstance(node, cst.Lambda):
        yield from uses(node.params)
        yield from (Use(use.name) if inert else use for use in uses(node.body))
    elif isinstance(node, cst.Call):
        yield from callee(node.func)
        quiet = last_name(node.func) in WRAPPERS
        for arg in node.args:
            if isinstance(arg.value, cst.Name):
                yield Use(arg.value.value, "named" if quiet else "passed", receiver=root_name(node.func))
            else:
                yield from uses(arg.value, inert=quiet)
    elif isinstance(node, cst.Arg):
        yield from uses(node.value)
    else:
        for child in node.children:
            yield from uses(child)


def signature_uses(node: cst.FunctionDef) -> Iterator[Use]:
    """The names used by defining a function: its decorators, defaults and annotations."""
    for part in (*node.decorators, node.params, node.returns, node.type_parameters):
        if part:
            yield from uses(part)


def calls_its_parameters(node: cst.FunctionDef) -> bool:
    """Whether a function may call, itself and at once, a function that it is handed."""
    names = {parameter.name.value for parameter in walk(node.params) if isinstance(parameter, cst.Param)}
    return any(use.name in names and use.how != "named" for use in uses(node.body))


def callee(function: cst.BaseExpression) -> Iterator[Use]:
    """The names used by calling the function."""
    if isinstance(function, cst.Name):
        yield Use(function.value, "called")
    elif isinstance(function, cst.Attribute) and isinstance(function.value, cst.Name):
        yield Use(function.value.value, "called", function.attr.value)
    else:
        yield from uses(function)


class Plan:
    """Decides the fate of every piece of a module: the public stay, and with them whatever their remains depend on."""

    def __init__(self, module: cst.Module) -> None:
        self.scope = Scope()
        self.scope.collect(module.body)
        self.pieces = {piece.node: piece for piece in self.everything(self.scope)}
        self.owner = {piece.inner: piece for piece in self.pieces.values() if piece.inner}
        self.due: deque[tuple[Piece, int]] = deque()
        self.keep_public(self.scope)
        while self.due:
            self.settle(*self.due.popleft())

    def everything(self, scope: Scope) -> Iterator[Piece]:
        for piece in scope.pieces:
            yield piece
            if piece.inner:
                yield from self.everything(piece.inner)

    def keep_public(self, scope: Scope) -> None:
        for piece in scope.pieces:
            if piece.given:
                self.keep(piece, GIVEN)
            elif not piece.private:
                self.keep(piece, STUB)

    def keep(self, piece: Piece, fate: int) -> None:
        """A piece has at least this fate; what follows from it is settled in its turn."""
        if fate > piece.fate:
            piece.fate = fate
            self.due.append((piece, fate))

    def settle(self, piece: Piece, fate: int) -> None:
        """Keeps what a kept piece depends on."""
        for guard in piece.guards:
            self.follow(uses(guard), piece.scope)
        for name in filter(is_private, piece.binds):
            for sibling in piece.scope.about[name]:  # its other bindings, and what fills a private table
                if name in sibling.changes and not isinstance(sibling.node, cst.Del):
                    self.keep(sibling, STUB)
        if isinstance(piece.node, cst.FunctionDef):
            self.follow(signature_uses(piece.node), piece.scope)
        elif isinstance(piece.node, cst.ClassDef):
            self.settle_class(piece, piece.node, fate)
        elif not isinstance(piece.node, (cst.ImportAlias, cst.Del)):
            self.follow(uses(piece.node), piece.scope)
        if fate >= GIVEN:
            self.follow_whole(piece, fate)

    def settle_class(self, piece: Piece, node: cst.ClassDef, fate: int) -> None:
        inner = cast(Scope, piece.inner)
        for arg in self.bases(piece):
            self.follow(uses(arg), piece.scope)
        for decorator in node.decorators:
            self.follow(uses(decorator), piece.scope)
        for keyword in self.keywords(piece):
            self.follow(callee(keyword.value), piece.scope)  # a metaclass is called
        if node.type_parameters:
            self.follow(uses(node.type_parameters), piece.scope)
        if fate >= GIVEN:
            for member in inner.pieces:
                self.keep(member, fate)
        else:
            self.keep_public(inner)
        if self.is_enumeration(piece):
            self.keep_methods(inner, MEMBER_MACHINERY)

    def keep_methods(self, scope: Scope, names: Iterable[str]) -> None:
        for name in names:
            for member in scope.own(name):
                self.keep(member, RUN)

    def follow(self, found: Iterable[Use], scope: Scope) -> None:
        """Keeps what is used while the module is imported: whole where it is called."""
        for use in found:
            for target in scope.lookup(use.name):
                self.keep(target, RUN if self.runs(target, use, scope) else STUB)
                if target.inner:
                    self.keep_methods(target.inner, MACHINERY)
                    for member in self.members(target, use.attribute):
                        self.keep(member, STUB)

    def runs(self, target: Piece, use: Use, scope: Scope) -> bool:
        """Whether the use executes the body of the piece that it names."""
        if use.how == "passed" and isinstance(target.node, cst.FunctionDef):
            receivers = [piece.node for piece in scope.lookup(use.receiver)]
            return not receivers or any(
                calls_its_parameters(node) for node in receivers if isinstance(node, cst.FunctionDef)
            )
        if use.how == "called" and use.attribute:
            return bool(self.members(target, use.attribute))
        return use.how == "called"

    def follow_whole(self, piece: Piece, fate: int) -> None:
        """Keeps what a whole piece uses: what is private in any case, and what runs when the piece does."""
        node = piece.node
        parts: Sequence[cst.CSTNode] = (node,)
        if isinstance(node, cst.ClassDef):  # its members are pieces
            parts = (*node.bases, *node.keywords, *node.decorators)
        for child in (child for part in parts for child in walk(part)):
            found: list[Piece] = []
            if isinstance(child, cst.Name):
                found = piece.scope.lookup(child.value)
            elif isinstance(child, cst.Attribute) and piece.scope.outer:
                found = self.siblings(piece, child.attr.value)
            for target in found:
                holds = not isinstance(node, Definition)  # a table that runs may call whatever it holds
                runs = holds or isinstance(child, cst.Attribute) or not isinstance(target.node, Definition)
                if fate == RUN and runs:
                    self.keep(target, RUN)
                elif target.private:
                    self.keep(target, GIVEN)
        if fate == RUN and isinstance(node, cst.FunctionDef):
            self.follow(uses(node.body), piece.scope)

    def siblings(self, piece: Piece, name: str) -> list[Piece]:
        """The members of the class around a method, or of its bases here, that go by this name."""
        owner = self.owner.get(piece.scope)
        return self.members(owner, name) if owner else []

    def members(self, piece: Piece, name: str) -> list[Piece]:
        """The pieces that bind an attribute of a class, or of the classes of this module that it derives from."""
        found = piece.inner.own(name) if piece.inner else []
        for base in self.local_bases(piece):
            found = found + self.members(base, name)
        return found

    def local_bases(self, piece: Piece) -> Iterator[Piece]:
        if isinstance(piece.node, cst.ClassDef):
            for arg in piece.node.bases:
                for base in piece.scope.lookup(root_name(arg.value)):
                    if base.inner and base is not piece:
                        yield base

    def is_enumeration(self, piece: Piece) -> bool:
        names = [last_name(arg.value) for arg in cast(cst.ClassDef, piece.node).bases]
        return any(name.endswith(("Enum", "Flag")) for name in names) or any(
            self.is_enumeration(base) for base in self.local_bases(piece)
        )

    def drops(self, arg: cst.Arg, scope: Scope) -> bool:
        """Whether a base is private and does not stay."""
        name = root_name(arg.value) if isinstance(arg.value, (cst.Name, cst.Subscript)) else ""
        found = scope.lookup(name)
        return bool(found) and all(base.private and not base.given and base.fate == GONE for base in found)

    def bases(self, piece: Piece) -> Sequence[cst.Arg]:
        """The bases that stay. In place of a private one that stands alone: its own."""
        node = cast(cst.ClassDef, piece.node)
        kept = [arg for arg in node.bases if not self.drops(arg, piece.scope)]
        if not kept and len(node.bases) == 1:
            for base in self.local_bases(piece):
                return self.bases(base)
        return kept

    def keywords(self, piece: Piece) -> Sequence[cst.Arg]:
        """The metaclass, and what is said to the bases where they all stay."""
        node = cast(cst.ClassDef, piece.node)
        if any(self.drops(arg, piece.scope) for arg in node.bases):
            return [arg for arg in node.keywords if arg.keyword and arg.keyword.value == "metaclass"]
        return node.keywords


# ---- How it is written down


class Tidy(cst.CSTTransformer):
    """Takes the white space from the ends of lines; strings keep theirs, and so does what is marked as given."""

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        return not is_marked(*first_line_comments(node))

    def visit_ClassDef(self, node: cst.ClassDef) -> bool:
        return not is_marked(*first_line_comments(node))

    def leave_TrailingWhitespace(
        self, original_node: cst.TrailingWhitespace, updated_node: cst.TrailingWhitespace
    ) -> cst.TrailingWhitespace:
        return updated_node if updated_node.comment else updated_node.with_changes(whitespace=cst.SimpleWhitespace(""))

    def leave_EmptyLine(self, original_node: cst.EmptyLine, updated_node: cst.EmptyLine) -> cst.EmptyLine:
        return updated_node if updated_node.comment else cst.EmptyLine(indent=False)

    def leave_Comment(self, original_node: cst.Comment, updated_node: cst.Comment) -> cst.Comment:
        return updated_node.with_changes(value=updated_node.value.rstrip())


def layout(lines: Sequence[cst.EmptyLine], most: int, first: bool, exact: bool) -> list[cst.EmptyLine]:
    """The lines above a statement: at most so many blank ones together, none at the start, exactly so many if asked."""
    laid: list[cst.EmptyLine] = []
    blanks = 0
    for line in lines:
        if line.comment is None:
            blanks += 1
        else:
            count = 0 if first and not laid else most if exact and not laid else min(blanks, most)
            laid += [cst.EmptyLine(indent=False)] * count
            laid.append(line)
            blanks = 0
    count = 0 if first and not laid else most if exact and not laid else min(blanks, most)
    return laid + [cst.EmptyLine(indent=False)] * count


def left_behind(lines: Sequence[cst.EmptyLine]) -> list[cst.EmptyLine]:
    """Of the lines above a statement that goes, those that stay: all but the comment that stands right on it."""
    kept = list(lines)
    while kept and kept[-1].comment:
        kept.pop()
    return kept


def joined(above: Sequence[cst.EmptyLine], below: Sequence[cst.EmptyLine]) -> list[cst.EmptyLine]:
    """Lines left behind by what went and the lines below them; of the blank ones where they meet, the longer run."""
    kept = list(above)
    for line in below:
        if line.comment or not kept or kept[-1].comment:
            break
        kept.pop()
    return [*kept, *below]


def is_idle(body: Iterable[cst.CSTNode]) -> bool:
    """Whether a suite does nothing."""
    for statement in body:
        small = statement.body if isinstance(statement, cst.SimpleStatementLine) else [statement]
        if not all(isinstance(node, cst.Pass) for node in small):
            return False
    return True


class Rendering:
    """Writes down what the plan keeps."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def module(self, module: cst.Module) -> str:
        body, rest = self.statements(module.body, "", 2, header=module.header)
        footer = layout([*rest, *module.footer], 2, not body, False)
        while footer and footer[-1].comment is None:
            footer.pop()
        written = module.with_changes(header=[], body=body, footer=footer, has_trailing_newline=True)
        return written.visit(Tidy()).code if body or footer else ""

    def statements(
        self, body: Sequence[cst.CSTNode], prefix: str, most: int, header: Sequence[cst.EmptyLine] = ()
    ) -> tuple[list[cst.CSTNode], list[cst.EmptyLine]]:
        """What stays of a block, and the lines that stay at its end; most: how many blank lines may stand together."""
        kept: list[cst.CSTNode] = []
        lines: list[cst.EmptyLine] = list(header)
        for statement in body:
            lines = joined(lines, getattr(statement, "leading_lines", ()))
            written = self.statement(statement, prefix)
            if written is None:
                lines = left_behind(lines)
                continue
            apart = any(isinstance(node, Definition) for node in (written, *kept[-1:]))
            kept.append(written.with_changes(leading_lines=layout(lines, most, not kept, apart)))
            lines = []
        return kept, lines

    def statement(self, node: cst.CSTNode, prefix: str) -> cst.CSTNode | None:
        """The statement as it stays, None where it goes."""
        if isinstance(node, cst.SimpleStatementLine):
            small = self.small(node.body)
            return node.with_changes(body=small) if small else None
        if isinstance(node, (cst.If, cst.Try, cst.TryStar)):
            return None if is_main_guard(node) else self.branching(node, prefix)
        piece = self.plan.pieces[node]
        if piece.fate == GONE:
            return None
        if piece.fate >= GIVEN or not isinstance(node, Definition):
            return node
        path = f"{prefix}{node.name.value}"
        if isinstance(node, cst.FunctionDef):
            return self.function(node, path)
        return self.classdef(piece, node, path)

    def small(self, body: Sequence[cst.BaseSmallStatement]) -> list[cst.BaseSmallStatement]:
        """What stays of the statements on one line."""
        kept = []
        for node in body:
            written: cst.BaseSmallStatement | None = node
            if isinstance(node, (cst.Import, cst.ImportFrom)):
                written = self.imports(node)
            elif isinstance(node, cst.Del):
                written = self.deletion(node)
            elif self.plan.pieces[node].fate == GONE:
                written = None
            if written is not None:
                kept.append(written)
        if kept and kept[-1] is not body[-1]:
            kept[-1] = kept[-1].with_changes(semicolon=cst.MaybeSentinel.DEFAULT)
        return kept

    def imports(self, node: cst.Import | cst.ImportFrom) -> cst.Import | cst.ImportFrom | None:
        if isinstance(node.names, cst.ImportStar):
            return node
        names = [alias for alias in node.names if self.plan.pieces[alias].fate > GONE]
        if not names or len(names) == len(node.names):
            return node if names else None
        names[-1] = names[-1].with_changes(comma=node.names[-1].comma)
        return node.with_changes(names=names)

    def deletion(self, node: cst.Del) -> cst.Del | None:
        """A deletion less the names that are no longer there."""
        scope = self.plan.pieces[node].scope
        elements = list(node.target.elements) if isinstance(node.target, cst.Tuple) else [cst.Element(node.target)]
        kept = []
        for element in elements:
            found = scope.own(root_name(element.value))
            if not found or any(piece.fate > GONE for piece in found):
                kept.append(element)
        if len(kept) == len(elements) or not kept:
            return node if kept else None
        target = cst.Tuple([cst.Element(element.value) for element in kept], lpar=[], rpar=[])
        return node.with_changes(target=kept[0].value if len(kept) == 1 else target)

    def branching(self, node: cst.CSTNode, prefix: str) -> cst.CSTNode | None:
        """An `if` or a `try` with what stays of its suites, None where that does nothing."""
        body, idle = self.suite(cast(cst.BaseSuite, getattr(node, "body")), prefix)  # noqa: B009
        changes: dict[str, object] = {"body": body}
        if isinstance(node, (cst.Try, cst.TryStar)):
            handlers = [self.suite(handler.body, prefix) for handler in node.handlers]
            changes["handlers"] = [
                handler.with_changes(body=suite) for handler, (suite, _) in zip(node.handlers, handlers)
            ]
            idle = idle and all(handler_idle for _, handler_idle in handlers)
        for name in ("orelse", "finalbody"):
            tail = getattr(node, name, None)
            if tail is not None:
                written = self.branching(tail, prefix)
                needed = name == "finalbody" and not changes.get("handlers")
                changes[name] = tail.with_changes(body=PASS) if written is None and needed else written
                idle = idle and written is None
        return None if idle else node.with_changes(**changes)

    def suite(self, suite: cst.BaseSuite, prefix: str) -> tuple[cst.BaseSuite, bool]:
        """A suite with what stays of it, and whether that does nothing."""
        if isinstance(suite, cst.SimpleStatementSuite):
            small = self.small(suite.body)
            return suite.with_changes(body=small or [cst.Pass()]), is_idle(small)
        block = cast(cst.IndentedBlock, suite)
        body, rest = self.statements(block.body, prefix, 1)
        footer = layout([*rest, *block.footer], 1, False, False)
        while footer and footer[-1].comment is None:
            footer.pop()
        return block.with_changes(body=body or PASS.body, footer=footer), is_idle(body)

    def function(self, node: cst.FunctionDef, path: str) -> cst.FunctionDef:
        """The function with its docstring and nothing done."""
        block = node.body
        first = block.body[0] if block.body else None
        if isinstance(first, cst.SimpleStatementLine):
            first = first.body[0]
        if isinstance(block, cst.IndentedBlock):
            header, indent = block.header, block.indent
        else:
            header, indent = cast(cst.SimpleStatementSuite, block).trailing_whitespace, None
        body = [cst.parse_statement(f'raise NotImplementedError("yours to write: {path}")')]
        if first is not None and is_string(first):
            body.insert(0, cst.SimpleStatementLine([cst.Expr(cast(cst.Expr, first).value)]))
        return node.with_changes(body=cst.IndentedBlock(body, header=header, indent=indent))

    def classdef(self, piece: Piece, node: cst.ClassDef, path: str) -> cst.ClassDef:
        """The class with what stays of its bases and its body."""
        suite, _ = self.suite(node.body, f"{path}.")
        bases, keywords = self.plan.bases(piece), self.plan.keywords(piece)
        changes: dict[str, object] = {"body": suite}
        if [*bases, *keywords] != [*node.bases, *node.keywords]:
            args = [arg.with_changes(comma=cst.MaybeSentinel.DEFAULT) for arg in (*bases, *keywords)]
            changes |= {"bases": args[: len(bases)], "keywords": args[len(bases) :]}
            changes |= {"lpar": cst.MaybeSentinel.DEFAULT, "rpar": cst.MaybeSentinel.DEFAULT}
        return node.with_changes(**changes)


PASS = cst.IndentedBlock([cst.SimpleStatementLine([cst.Pass()])])


# ---- Signatures

Defined = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Assign


def definitions(
    body: Sequence[ast.stmt], prefix: str = "", outer: frozenset[str] = frozenset()
) -> dict[str, list[Defined]]:
    """Dotted names -> what defines them: functions, classes with their methods, aliases of these; in order."""
    found: dict[str, list[Defined]] = {}
    for node in suite_statements(body):
        if isinstance(node, (*Function, ast.ClassDef)):
            found.setdefault(prefix + node.name, []).append(node)
            if isinstance(node, ast.ClassDef):
                here = outer | {name for name in found if "." not in name}
                for name, nodes in definitions(node.body, f"{prefix}{node.name}.", here).items():
                    found.setdefault(name, []).extend(nodes)
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Name):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
            if prefix + node.value.id in found or node.value.id in outer:
                for name in names:
                    found.setdefault(prefix + name, []).append(node)
    return found


def suite_statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a suite, with those under `if`, `try`, `with` and loops."""
    for node in body:
        yield node
        if not isinstance(node, (*Function, ast.ClassDef)):
            for name in ("body", "orelse", "finalbody"):
                yield from suite_statements(getattr(node, name, ()))
            for handler in getattr(node, "handlers", ()):
                yield from suite_statements(handler.body)


def signature(node: Defined) -> str:
    """The text of a definition without its body, the fields of a dataclass excepted."""
    if isinstance(node, ast.Assign):
        return ast.unparse(node)
    kept: list[ast.stmt] = []
    if isinstance(node, ast.ClassDef) and any("dataclass" in ast.unparse(item) for item in node.decorator_list):
        kept = [item for item in node.body if isinstance(item, ast.AnnAssign)]
    bare = copy.copy(node)
    bare.body = kept or [ast.Pass()]
    text = ast.unparse(bare).strip()
    return text if kept else text.removesuffix("pass").rstrip().removesuffix(":")


# ---- Growing


@dataclass(frozen=True)
class Growth:
    """What `grow` did. Names are dotted, as in `contract`; those of a new class are followed by its methods'."""

    text: str  # the learner's file with what is new; equal to it where nothing is
    added: tuple[str, ...]
    changed: tuple[str, ...]  # what the contract now says otherwise than the learner's file, which is left as it is


def grow(mine: str, reference: str) -> Growth:
    """Brings a learner's file up to a contract that has grown, and alters nothing that the learner wrote.

    New definitions go to the end, new methods to the end of their class, imports and constants that they need below
    the imports. What the learner supplies in another way (inherited, set on the instance or on the class) is not added.
    What cannot be added without touching a line, a method of a class written on one line say, counts as changed.
    Raises SyntaxError where either does not parse.
    """
    mark = "\ufeff" if mine.startswith("\ufeff") else ""
    growing = Growing(mine.removeprefix(mark), reference)
    return Growth(mark + growing.text(), tuple(growing.added), tuple(growing.changed))


def split_lines(text: str) -> list[str]:
    """The lines as Python counts them, ends kept: a form feed or a Unicode separator ends none."""
    return re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$", text)


def first_line(node: ast.stmt) -> int:
    """The line a statement begins on, decorators included, counted from 1."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(item.lineno for item in decorators)])


def last_line(node: ast.stmt, body: Sequence[ast.stmt]) -> int:
    """The line a statement of this body ends on, or the last of those that share its line do."""
    end = node.end_lineno or node.lineno
    for other in body:
        if other.lineno == end and other.end_lineno:
            end = max(end, other.end_lineno)
    return end


def is_import(node: ast.stmt) -> bool:
    return isinstance(node, (ast.Import, ast.ImportFrom))


def is_future(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


def bindings(body: Sequence[ast.stmt]) -> dict[str, int]:
    """The names that a module or a class binds -> the first line that does."""
    found: dict[str, int] = {}
    for node in suite_statements(body):
        names: list[str] = []
        if isinstance(node, (*Function, ast.ClassDef)):
            names = [node.name]
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [alias.asname or alias.name.split(".")[0] for alias in node.names]
        else:
            parts = [child for child in ast.iter_child_nodes(node) if isinstance(child, (ast.expr, ast.withitem))]
            stored = [child for part in parts for child in ast.walk(part) if isinstance(child, ast.Name)]
            names = [child.id for child in stored if isinstance(child.ctx, ast.Store)]
        for name in names:
            found.setdefault(name, node.lineno)
    return found


def supplied(node: ast.ClassDef, body: Sequence[ast.stmt], known: Collection[str]) -> set[str]:
    """Attributes that a class has without binding them in its body: set on it, on its instances, or inherited here.

    body: the statements among which the class stands. known: the dotted names of the stub; what a base has there
    does not count, for a class of the stub that has it again overrides it.
    """
    found: set[str] = set()
    for owner, tree in (("self", node.body), (node.name, body)):
        for child in (child for item in tree for child in ast.walk(item)):
            match child:
                case ast.Attribute(value=ast.Name(id=name), attr=attribute, ctx=ast.Store()) if name == owner:
                    found.add(attribute)
    bases = {base.id for base in node.bases if isinstance(base, ast.Name)}
    for other in body:
        if isinstance(other, ast.ClassDef) and other.name in bases and other is not node:
            inherited = {*bindings(other.body), *supplied(other, [item for item in body if item is not node], known)}
            found |= {name for name in inherited if f"{other.name}.{name}" not in known}
    return found


def named(node: ast.AST, annotations: bool = True) -> set[str]:
    """The names that occur below a node, those in annotations if asked."""
    skipped: set[ast.AST] = set()
    if not annotations:
        for child in ast.walk(node):
            parts = [getattr(child, "annotation", None), getattr(child, "returns", None)]
            skipped |= {below for part in parts if part for below in ast.walk(part)}
    return {child.id for child in ast.walk(node) if isinstance(child, ast.Name) and child not in skipped}


class Growing:
    """The learner's file, the reference's stub, and what goes where."""

    def __init__(self, mine: str, reference: str) -> None:
        self.tree = parse(mine)
        self.lines = split_lines(mine)
        self.newline = "\r\n" if "\r\n" in mine else "\n" if "\n" in mine or "\r" not in mine else "\r"
        stub = derive(reference)
        self.stub_lines = split_lines(stub)
        self.stub_tree = parse(stub)
        self.indent = cst.parse_module(stub).default_indent
        self.bound = bindings(self.tree.body)
        self.lazy = any(map(is_future, [*self.tree.body, *self.stub_tree.body]))  # annotations are not evaluated
        self.bodies, self.known = definitions(parse(reference).body), definitions(self.stub_tree.body)
        self.ours, self.theirs = contract(mine), contract(reference)
        self.top = self.below_imports()

        self.fresh = [unit for unit, names in self.units(self.stub_tree.body) if not names & self.bound.keys()]
        self.head: dict[str, ast.stmt] = {}  # what is needed early, by the name it binds
        self.late: dict[str, ast.stmt] = {}  # what the new definitions need and depends on others
        self.inserted: list[tuple[int, list[str]]] = []  # (below how many lines, what)
        self.added: list[str] = []
        self.settled: set[str] = set()  # neither added nor changed: the learner supplies it in another way
        for unit, names in self.units(self.stub_tree.body):
            if unit in self.fresh:
                self.add(unit, names, "")
            elif isinstance(unit, ast.ClassDef):
                self.extend(unit, "", self.tree.body)
        self.changed = [name for name in self.theirs if self.differs(name)]
        order = list(self.theirs)
        self.added.sort(key=order.index)

    def units(self, body: Sequence[ast.stmt], prefix: str = "") -> list[tuple[ast.stmt, set[str]]]:
        """The statements of a body that define names of the contract, with those names, undotted."""
        outer = frozenset(bindings(self.stub_tree.body)) if prefix else frozenset()
        level = {name: nodes for name, nodes in definitions(body, "", outer).items() if "." not in name}
        found = []
        for unit in body:
            below = set(suite_statements([unit]))
            names = {name for name, nodes in level.items() if prefix + name in self.theirs and below & set(nodes)}
            if names:
                found.append((unit, names))
        return found

    def differs(self, name: str) -> bool:
        """Whether the learner's file says otherwise, or does not have the name and was not given it."""
        if name in self.added or name in self.settled or self.ours.get(name) == self.theirs[name]:
            return False
        owner = name.rpartition(".")[0]
        return not owner or owner in self.ours  # of a class that is missing, the class alone is named

    def add(self, unit: ast.stmt, names: set[str], prefix: str) -> None:
        dotted = {prefix + name for name in names}
        for name in self.theirs:
            new = name in dotted or any(name.startswith(f"{start}.") for start in dotted)
            if new and name not in self.added:
                self.added.append(name)
        hints = {word for start in dotted for word in self.hints(start)}
        for name in sorted(named(unit) | hints):
            found: dict[str, ast.stmt] = {}
            if self.reach({name}, self.top + 1, found):
                self.head |= found
            elif not prefix:
                self.head |= {key: node for key, node in found.items() if is_import(node)}
                self.late |= {key: node for key, node in found.items() if node not in self.fresh}

    def hints(self, name: str) -> set[str]:
        """The names of imports that the reference's own body of a definition uses."""
        imports = bindings([node for node in suite_statements(self.stub_tree.body) if is_import(node)])
        used = {word for node in self.bodies.get(name, ()) for word in named(node)}
        return used & imports.keys()

    def reach(self, names: set[str], before: int, found: dict[str, ast.stmt]) -> bool:
        """Collects what the learner's file lacks of the names; False where it cannot all stand above that line."""
        good = True
        for name in sorted(names - found.keys()):
            if name in self.bound:
                good = good and self.bound[name] < before
                continue
            for unit in self.stub_tree.body:
                if name in bindings([unit]) and not is_future(unit):
                    found[name] = unit
                    needs = set() if is_import(unit) else named(unit, not self.lazy)
                    good = self.reach(needs, self.top + 1, found) and unit not in self.fresh and good
        return good

    def extend(self, unit: ast.ClassDef, prefix: str, body: Sequence[ast.stmt]) -> None:
        """Adds to a class of the learner's what the reference's has beyond it."""
        own = [node for node in suite_statements(body) if isinstance(node, ast.ClassDef) and node.name == unit.name]
        if not own:
            return
        node, path = own[-1], f"{prefix}{unit.name}."
        bound, elsewhere = bindings(node.body), supplied(node, list(suite_statements(body)), self.known)
        self.settled |= {path + name for name in elsewhere - bound.keys()}
        new: list[ast.stmt] = []
        for member, names in self.units(unit.body, path):
            if not names & (bound.keys() | elsewhere):
                if first_line(node.body[0]) > node.lineno and self.may_stand(member, node, unit, bound):
                    new += [*self.constants(member, unit, bound, new), member]
                    self.add(member, names, path)
            elif isinstance(member, ast.ClassDef):
                self.extend(member, path, node.body)
        if new:
            self.inserted.append((self.class_end(node), self.member_lines(new, node)))

    def constants(
        self, member: ast.stmt, unit: ast.ClassDef, bound: dict[str, int], new: Sequence[ast.stmt]
    ) -> list[ast.stmt]:
        """What a new member needs of its class that is not in the contract: a constant that is a default, say."""
        defined = {node for node, _ in self.units(unit.body, f"{unit.name}.")}
        needed = named(member, not self.lazy) - bound.keys()
        return [
            node
            for node in unit.body
            if node not in defined and node not in new and node is not member and bindings([node]).keys() & needed
        ]

    def may_stand(self, member: ast.stmt, node: ast.ClassDef, unit: ast.ClassDef, bound: dict[str, int]) -> bool:
        """Whether all that a new member names when it is defined is, or can be put, above the class."""
        needs = named(member, not self.lazy) - bound.keys() - bindings(unit.body).keys()
        return self.reach(needs, first_line(node), {})

    def class_end(self, node: ast.ClassDef) -> int:
        """How many lines stand above the end of a class, with the comments that belong to its body."""
        end = node.end_lineno or node.lineno
        for index in range(end, len(self.lines)):
            text = self.lines[index].expandtabs()
            depth = len(text) - len(text.lstrip())
            if text.strip() and not (text.lstrip().startswith("#") and depth > node.col_offset):
                break
            if text.strip():
                end = index + 1
        return end

    def member_lines(self, members: Sequence[ast.stmt], node: ast.ClassDef) -> list[str]:
        """The lines of new members, indented as the learner's class is."""
        outer = self.margin(self.lines[node.lineno - 1])
        margin = self.margin(self.lines[first_line(node.body[0]) - 1])
        unit = margin.removeprefix(outer) or self.indent
        found: list[str] = []
        for number, member in enumerate(members):
            alone = isinstance(member, (*Function, ast.ClassDef))
            if alone or number == 0 or isinstance(members[number - 1], (*Function, ast.ClassDef)):
                found.append("")
            found += self.stub_text(member, margin, unit)
        return found

    def margin(self, line: str) -> str:
        return line[: len(line) - len(line.lstrip())]

    def stub_text(self, node: ast.stmt, margin: str = "", unit: str = "    ") -> list[str]:
        """The lines of a statement of the stub and of the comment on it, indented anew; strings keep their lines."""
        start, end = first_line(node), node.end_lineno or node.lineno
        while start > 1 and self.stub_lines[start - 2].lstrip().startswith("#"):
            start -= 1
        docs = [item.body[0] for item in ast.walk(node) if isinstance(item, (*Function, ast.ClassDef))]
        free = {item.value for item in docs if isinstance(item, ast.Expr)}
        fixed: set[int] = set()
        for item in ast.walk(node):
            if isinstance(item, (ast.Constant, ast.JoinedStr)) and item not in free:
                fixed |= set(range(item.lineno + 1, (item.end_lineno or 0) + 1))
        before = self.margin(self.stub_lines[first_line(node) - 1])
        found = []
        for number in range(start, end + 1):
            text = self.stub_lines[number - 1].rstrip("\r\n")
            rest = text.removeprefix(before)
            depth = 0
            while rest.startswith(self.indent):
                rest, depth = rest.removeprefix(self.indent), depth + 1
            found.append(text if number in fixed or not text.strip() else margin + unit * depth + rest)
        return found

    def below_imports(self) -> int:
        """How many lines stand above the place for a new import."""
        top = self.below_docstring()
        for node in self.tree.body:
            if isinstance(node, (*Function, ast.ClassDef)):
                break
            if any(map(is_import, suite_statements([node]))):
                top = last_line(node, self.tree.body)
        return top

    def below_docstring(self) -> int:
        """How many lines stand above the place for an import from __future__."""
        top = 0
        while top < min(2, len(self.lines)) and re.match(r"#!|[ \t\f]*#.*?coding[:=]", self.lines[top]):
            top += 1
        body = self.tree.body
        for number, node in enumerate(body):
            is_docstring = number == 0 and ast.get_docstring(self.tree, clean=False) is not None
            if not is_docstring and not is_future(node):
                break
            top = last_line(node, body)
        return top

    def future(self) -> list[str]:
        """The import that leaves annotations unevaluated, where the reference has it and the learner has not."""
        line = "from __future__ import annotations"
        mine, stub = ({ast.unparse(node) for node in tree.body} for tree in (self.tree, self.stub_tree))
        if line not in stub - mine:
            return []
        place = self.below_docstring()
        bare = place < len(self.lines) and self.lines[place].strip()
        return [*[""] * bool(place), line, *[""] * bool(bare)]

    def head_lines(self) -> list[str]:
        """The imports, constants and decorators that new definitions need, in the reference's order."""
        imports: list[str] = []
        others: list[ast.stmt] = []
        for unit in self.stub_tree.body:
            names = [name for name, node in self.head.items() if node is unit]
            if names and isinstance(unit, (ast.Import, ast.ImportFrom)):
                kept = [item for item in unit.names if (item.asname or item.name.split(".")[0]) in names]
                bare = copy.copy(unit)
                bare.names = kept
                imports.append(ast.unparse(bare))
            elif names:
                others.append(unit)
        found = imports + self.spaced(others, bool(imports))
        above = self.lines[self.top - 1].split() if self.top else []
        if found and self.top and found[0] and not (above and above[0] in ("import", "from")):
            found.insert(0, "")
        if found and self.top < len(self.lines) and self.lines[self.top].strip():
            found.append("")
        return found

    def spaced(self, units: Sequence[ast.stmt], below: bool) -> list[str]:
        """The lines of top-level statements, definitions set apart by two blank ones. below: something stands above."""
        found: list[str] = []
        for number, unit in enumerate(units):
            pair = units[max(0, number - 1) : number + 1]
            apart = any(isinstance(node, (*Function, ast.ClassDef)) for node in pair)
            if number or below:
                found += ["", ""] if apart else [""] if number == 0 else []
            found += self.stub_text(unit)
        return found

    def text(self) -> str:
        """The learner's file with everything in its place."""
        if not self.added:
            return "".join(self.lines)
        tail = [unit for unit in self.stub_tree.body if unit in self.fresh or unit in self.late.values()]
        later = [unit for unit in tail if unit not in self.head.values()]
        ended = self.spaced(later, bool(self.tree.body or self.lines))
        edits = [(self.below_docstring(), self.future()), (self.top, self.head_lines()), *self.inserted]
        edits.append((len(self.lines), ended))
        lines = list(self.lines)
        for place, new in reversed(sorted(edits, key=lambda edit: edit[0])):
            if new and place and not lines[place - 1].endswith(("\r", "\n")):
                lines[place - 1] += self.newline
            lines[place:place] = [line + self.newline for line in new]
        return "".join(lines)
