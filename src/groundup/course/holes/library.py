"""Source texts: which modules a check needs, and from whom each of them comes.

The judge never imports a learner's file. It reads it, finds what it imports, and sends the texts to the sandbox.
"""

from __future__ import annotations

import ast
import codecs
import io
import tokenize
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.util import decode_source
from pathlib import Path

import groundup

from .. import courses

FILE_CAP = 256 << 10  # bytes of a learner's file: ten times the longest of the library, parsed within a second
SLOW_ENCODINGS = ("idna", "punycode")  # read in the square of the length, and meant for no file
ROOT = Path(groundup.__file__).parent


@dataclass(frozen=True)
class Submission:
    """What is judged. Paths are those of the library: grad/value.py."""

    files: Mapping[str, bytes]  # the files of the lesson that exist
    earlier: Mapping[str, bytes] = field(
        default_factory=dict
    )  # the learner's other files that count: passed as they stand
    unproven: tuple[str, ...] = ()  # the learner's other files that do not: the reference stands in
    any_imports: bool = False  # for authors: another library's solution
    unnamed: bool = False  # the mistake is the learner's to find: show the case, do not name it
    names: Mapping[str, str] = field(default_factory=dict)  # path -> how to name the file to the learner

    def name(self, path: str) -> str:
        """How the learner knows a file."""
        return self.names.get(path, f"mine/{path}")


@dataclass(frozen=True)
class Problem(Exception):
    """A file that cannot be judged: why, and where."""

    kind: str  # import-error, forbidden-import, missing
    says: str
    file: str
    line: int | None = None


def reference_root() -> Path:
    """Where the reference of the course lies: groundup itself, or a pack's own package."""
    course = courses.current()
    return ROOT if course is None else course.package


def reference_text(module: str) -> str | None:
    """The reference's source of a library module (grad.value, or the package grad), or None if there is none."""
    course = courses.current()
    return _reference_text(reference_root(), "" if course is None else course.digest, module)


@lru_cache(maxsize=512)
def _reference_text(root: Path, digest: str, module: str) -> str | None:
    path = root.joinpath(*module.split("."))
    for candidate in (path / "__init__.py", path.with_suffix(".py")):
        if candidate.is_file():
            return candidate.read_text(encoding="utf-8")
    return None


def module_name(path: str) -> str:
    """grad/value.py -> grad.value"""
    return path.removesuffix(".py").replace("/", ".")


def read_text(data: bytes, name: str) -> tuple[str, ast.Module]:
    """A learner's file as text and tree; Problem if it is none."""
    if len(data) > FILE_CAP:
        says = f"the file is {len(data) >> 10} KiB; a file of a lesson has at most {FILE_CAP >> 10}"
        raise Problem("import-error", says, name)
    if b"\0" in data:
        line = data[: data.index(b"\0")].count(b"\n") + 1
        raise Problem("import-error", "the file has a null byte in it: save it as plain text", name, line)
    try:
        encoding = tokenize.detect_encoding(io.BytesIO(data).readline)[0]
        if codecs.lookup(encoding).name in SLOW_ENCODINGS:
            raise LookupError(encoding)
        text = decode_source(data)
    except (SyntaxError, UnicodeDecodeError, LookupError) as problem:
        raise Problem(
            "import-error", f"the file is not text in the encoding it names ({problem}): save it as UTF-8", name, 1
        ) from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they are the learner's, and the sandbox shows them
            return text, ast.parse(text)
    except SyntaxError as problem:
        raise Problem("import-error", f"{type(problem).__name__}: {problem.msg}", name, problem.lineno) from None
    except (RecursionError, MemoryError, ValueError) as problem:
        raise Problem(
            "import-error", f"Python cannot parse the file: {problem or 'it is nested too deep'}", name, 1
        ) from None


def check_imports(tree: ast.Module, allowed: frozenset[str], name: str) -> None:
    """Problem for the first import that the lesson does not allow."""
    for node in _statements(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module or ""]
        else:
            continue
        for imported in names:
            first = imported.split(".")[0]
            if first == "groundup" and first not in allowed:  # a pack may build on it
                says = f"`{imported}` is the reference itself. Write it yourself; what you have built is in `mine`, as `from .tensor import Tensor`."
                raise Problem("forbidden-import", says, name, node.lineno)
            if first not in allowed:
                rest = ", ".join(sorted(allowed - _stdlib() - {"mine"})) or "nothing else"
                raise Problem(
                    "forbidden-import",
                    f"this lesson does without `{first}`: the standard library, and {rest}",
                    name,
                    node.lineno,
                )


def _statements(tree: ast.Module) -> Iterator[ast.AST]:
    """Every statement in the order of lines: an import is one, and a walk over all of a tree takes ten times as long."""
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        yield node
        parts = [getattr(node, name, ()) for name in ("body", "handlers", "orelse", "finalbody", "cases")]
        stack += [statement for part in reversed(parts) for statement in reversed(part)]


def _stdlib() -> frozenset[str]:
    import sys

    return frozenset(sys.stdlib_module_names)


@lru_cache(maxsize=1024)
def _imported(text: str, module: str, is_package: bool) -> tuple[str, ...]:
    """The modules of the same library that a text imports, as candidates: grad.tensor, grad.tensor.Tensor, ..."""
    found: dict[str, None] = {}
    package = module.split(".") if is_package else module.split(".")[:-1]
    for node in _statements(ast.parse(text)):
        if isinstance(node, ast.ImportFrom):
            if node.level:
                above = package[: len(package) - (node.level - 1)]
                start = [*above, *(node.module.split(".") if node.module else [])]
            elif (node.module or "").split(".")[0] == "mine":
                start = (node.module or "").split(".")[1:]
            else:
                continue
            found[".".join(start)] = None
            found.update({".".join([*start, alias.name]): None for alias in node.names})
        elif isinstance(node, ast.Import):
            found.update({a.name.partition(".")[2]: None for a in node.names if a.name.split(".")[0] == "mine"})
    return tuple(name for name in found if name)


def assemble(
    wanted: Iterable[str], own: Mapping[str, tuple[str, str]], absent: frozenset[str]
) -> dict[str, tuple[str, str]]:
    """Module -> (file name, text) for the wanted modules and all that they import; the learner's own where given.

    `absent` are modules that must not be had from the reference: those of the lesson at hand.
    """
    root = reference_root()
    sources: dict[str, tuple[str, str]] = {}
    lesson = {module.casefold() for module in absent}  # a file system may not tell Value.py from value.py
    queue = [name for module in wanted for name in _with_packages(module)]
    while queue:
        module = queue.pop()
        if module in sources:
            continue
        if module in own:
            sources[module] = own[module]
        elif module.casefold() not in lesson and (text := reference_text(module)) is not None:
            sources[module] = (f"{root.name}/{module.replace('.', '/')}.py", text)
        else:
            continue
        is_package = (root / module.replace(".", "/")).is_dir()
        for name in _imported(sources[module][1], module, is_package):
            queue += _with_packages(name)
    return sources


def _with_packages(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[: i + 1]) for i in range(len(parts))]


def reference_sources(
    modules: Iterable[str], edit: Callable[[str, str], str] | None = None
) -> dict[str, tuple[str, str]]:
    """The reference's own sources of the modules and all they import, each run through `edit` (module, text)."""
    sources = assemble(modules, {}, frozenset())
    return {m: (f, edit(m, t) if edit else t) for m, (f, t) in sources.items()}
