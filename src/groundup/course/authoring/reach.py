"""Which definitions of the reference each checkpoint runs through.

A checkpoint that never enters a definition gives the same answers whatever stands in it. So of a fault only those checkpoints
have to be judged that enter the definition it edits: the verdicts are what they would have been, in a fraction of the time.
"""

from __future__ import annotations

import ast
import contextlib
import io
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from types import CodeType, FrameType
from typing import Any

from .. import courses
from ..holes.library import reference_root
from ..judging.batches import Absent, Prepared, visible
from ..lessons.blocks import library_of
from ..lessons.faults import Fault, enclosing
from ..lessons.probes import Probe
from ..overlay import Library


class Reach:
    """What each of a lesson's checkpoints enters on its cases; long checkpoints are not asked."""

    def __init__(self, sources: Mapping[str, str], prepared: Prepared) -> None:
        """sources: the reference's text of each file that the lesson builds. Runs every probe on its batch, here."""
        self._sources = sources
        self._trees = {path: ast.parse(text) for path, text in sources.items()}
        files = {str(reference_root() / path): path for path in sources}
        self._entered: dict[str, set[tuple[str, str]]] = {}  # probe -> (file, dotted name)
        for probe in prepared.probes:
            if not probe.checkpoint.long:
                self._entered[probe.key] = {
                    (path, enclosing(self._trees[path], code.co_firstlineno))
                    for code in _codes(probe, prepared)
                    if (path := files.get(code.co_filename)) is not None
                }

    def of(self, fault: Fault) -> frozenset[str]:
        """The probes whose answers the fault may change."""
        places = self._places(fault)
        if places is None:
            return frozenset(self._entered)
        return frozenset(key for key, entered in self._entered.items() if entered & places)

    def _places(self, fault: Fault) -> set[tuple[str, str]] | None:
        """The functions that an edit lies in; None where it, or what it edits, is run when the file is imported."""
        source, tree = self._sources[fault.file], self._trees[fault.file]
        at = source.index(fault.find)
        first = source.count("\n", 0, at) + 1
        lines = enumerate(source[at : at + len(fault.find)].split("\n"), first)
        names = {enclosing(tree, line) for line, text in lines if text.strip()}
        at_import = _named_at_import(tree)
        for name in names:
            if not isinstance(_definition(tree, name), (ast.FunctionDef, ast.AsyncFunctionDef)):
                return None
            if name.split(".")[0] in at_import:
                return None
        return {(fault.file, name) for name in names}


def _codes(probe: Probe, prepared: Prepared) -> set[CodeType]:
    """Every code object that is entered while a probe answers its batch on the reference."""
    batch = prepared.batch(probe)
    if isinstance(batch, Absent):
        return set()
    namespace: dict[str, Any] = {"__name__": f"probe_{probe.key}"}
    exec(compile(probe.source, f"<probe {probe.key}>", "exec", dont_inherit=True), namespace)
    found = set[CodeType]()

    def enter(frame: FrameType, event: str, _: Any) -> None:
        if event == "call":
            found.add(frame.f_code)

    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), _elsewhere(), _reference() as library:
        warnings.simplefilter("ignore")  # the judge has seen them
        sys.setprofile(enter)
        try:
            for case in batch.cases:
                namespace[probe.key](library, **visible(case))
        finally:
            sys.setprofile(None)
    return found


@contextlib.contextmanager
def _reference() -> Iterator[Library]:
    """The reference, to be run here: groundup as it is imported, or a pack's under the learner's name."""
    if courses.current() is None:
        yield Library("groundup")
    else:
        with library_of(None):
            yield Library("mine")


@contextlib.contextmanager
def _elsewhere() -> Iterator[None]:
    """A working directory that goes away again: probes leave files in theirs."""
    before = os.getcwd()
    with tempfile.TemporaryDirectory(prefix="groundup-") as folder:
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(before)


def _named_at_import(tree: ast.Module) -> set[str]:
    """The names that a file's own statements use, outside functions: what they name may be called when it is imported."""
    found: set[str] = set()

    def look(node: ast.AST) -> None:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            for part in (*getattr(node, "decorator_list", []), *node.args.defaults, *node.args.kw_defaults):
                if part is not None:
                    look(part)
            return
        if isinstance(node, ast.Name):
            found.add(node.id)
        for child in ast.iter_child_nodes(node):
            look(child)

    look(tree)
    return found


def _definition(tree: ast.AST, dotted: str) -> ast.AST | None:
    """The definition of a dotted name; the last of several, as when a property has a setter."""
    node: ast.AST | None = tree
    for part in dotted.split(".") if dotted else []:
        found = [n for n in ast.iter_child_nodes(node) if getattr(n, "name", None) == part] if node else []
        node = found[-1] if found else None
    return node if dotted else None
