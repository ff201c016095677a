"""The overlay: `mine` where it is built, the reference where it is not.

A finder serves every module of one package from a lookup: name in, file name and source out. In a workspace the lookup
reads the learner's files and falls back to the reference's; in the sandbox it reads what the judge sent. The fallback
runs the reference's source under the learner's package name, so that its relative imports find the learner's pieces.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import CodeType, ModuleType
from typing import NamedTuple

from .packs import names_pack


class Source(NamedTuple):
    """Where a module comes from: a file name for tracebacks, its text, and whether it is a package."""

    filename: str
    text: str | bytes
    is_package: bool


Lookup = Callable[[str], "Source | None"]  # the part of a module's name after the package's, "" for itself
UPPER_FLOORS = frozenset({"data", "lab", "experiments", "course", "desk", "cli"})  # not part of the library


class Overlay(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Imports `package` and everything below it from a lookup."""

    def __init__(self, package: str, lookup: Lookup) -> None:
        self.package = package
        self._lookup = lookup

    def install(self) -> Overlay:
        """Puts this overlay before every other finder, in place of an earlier one for the same package."""
        self.remove()
        sys.meta_path.insert(0, self)
        return self

    def join(self) -> None:
        """Puts this overlay first unless the package has one: for the package's own `__init__.py`, while it is imported."""
        if not any(isinstance(f, Overlay) and f.package == self.package for f in sys.meta_path):
            sys.meta_path.insert(0, self)

    def remove(self) -> None:
        """Takes the package's overlay and its modules out again."""
        sys.meta_path[:] = [f for f in sys.meta_path if not (isinstance(f, Overlay) and f.package == self.package)]
        for name in [n for n in sys.modules if n == self.package or n.startswith(self.package + ".")]:
            del sys.modules[name]

    def _source(self, fullname: str) -> Source | None:
        if fullname == self.package:
            return self._lookup("")
        inside = fullname.startswith(self.package + ".")
        return self._lookup(fullname[len(self.package) + 1 :]) if inside else None

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        source = self._source(fullname)
        if source is None:
            return None
        spec = importlib.machinery.ModuleSpec(fullname, self, origin=source.filename, is_package=source.is_package)
        spec.has_location = True
        return spec

    def get_source(self, fullname: str) -> str | None:
        source = self._source(fullname)
        if source is None:
            raise ImportError(f"no module named {fullname}", name=fullname)
        return source.text if isinstance(source.text, str) else importlib.util.decode_source(source.text)

    def get_code(self, fullname: str) -> CodeType | None:
        source = self._source(fullname)
        if source is None:
            raise ImportError(f"no module named {fullname}", name=fullname)
        return compile(source.text, source.filename, "exec", dont_inherit=True)

    def is_package(self, fullname: str) -> bool:
        source = self._source(fullname)
        return source is not None and source.is_package


def from_folders(*roots: Path) -> Lookup:
    """A lookup that reads each module from the first folder that has it."""

    def lookup(name: str) -> Source | None:
        path = name.replace(".", "/")
        for root in roots:
            for candidate, is_package in ((root / path / "__init__.py", True), (root / f"{path}.py", False)):
                if candidate.is_file() and (name or is_package):
                    return Source(str(candidate), candidate.read_bytes(), is_package)
        return None

    return lookup


def from_sources(sources: dict[str, tuple[str, str]]) -> Lookup:
    """A lookup in memory: module name -> (file name, text). Every package above a module is there, empty."""
    packages = {""} | {name.rpartition(".")[0] for name in sources}
    packages |= {".".join(name.split(".")[:depth]) for name in packages for depth in range(1, name.count(".") + 1)}

    def lookup(name: str) -> Source | None:
        if name in sources:
            filename, text = sources[name]
            return Source(filename, text, name in packages)
        return Source(f"<{name or 'package'}>", "", True) if name in packages else None

    return lookup


def over_reference(workspace: Path, package: Path | None = None) -> Overlay:
    """`mine` in a workspace: its own files where they exist, the reference's source for the rest.

    package: the reference of the workspace's course, where that is a pack; without it the workspace is asked.
    CourseError for a pack that is not trusted as it now is.
    """
    import groundup

    if package is None and names_pack(workspace):
        from .packs.named import pack_of

        course = pack_of(workspace)
        package = None if course is None else course.package
    if package is not None:
        return Overlay("mine", from_folders(workspace / "mine", package))
    reference = Path(groundup.__file__).parent
    own, library = from_folders(workspace / "mine"), from_folders(workspace / "mine", reference)

    def lookup(name: str) -> Source | None:
        return (own if name.split(".")[0] in UPPER_FLOORS else library)(name)

    return Overlay("mine", lookup)


class Library:
    """A package whose modules are imported when they are named: `lib.grad.value.Value`; or a name of its own: `lib.text.load`."""

    def __init__(self, package: str) -> None:
        self._package = package

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        full = f"{self._package}.{name}"
        try:
            module = importlib.import_module(full)
        except ModuleNotFoundError as problem:
            package = importlib.import_module(self._package)
            if problem.name != full or not hasattr(package, name):
                raise
            return getattr(package, name)
        return Library(module.__name__) if hasattr(module, "__path__") else module
