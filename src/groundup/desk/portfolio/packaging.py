"""An installable wheel of what was built: the files as they passed, what they lean on, and the learner's own tests.

The wheel stands alone. Where a file leans on a lesson that has not been passed, the reference's file comes along, under its licence,
and the package says which ones are not the learner's.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import groundup

from ...course.holes.library import Problem, assemble, module_name, read_text
from ...course.lessons.lesson import Lesson, find_all
from ...course.progress.store import Store
from ...course.workspace.workspace import Workspace, WorkspaceError
from ...lab.sqlite import StoreError
from .killing import Score, kill_score
from .lender import Lender, lender
from .wheel import wheel

TESTS = "tests"  # in the workspace
DISTRIBUTIONS = {"sklearn": "scikit-learn", "yaml": "PyYAML", "PIL": "pillow"}  # where the name differs
INIT = '''\
"""What I have built, lesson by lesson.

MINE are the modules that I wrote, those of lessons as they passed; NOT_MINE those that they lean on, of the course {course} (see LICENSE.{course}).
"""

MINE = {mine}
NOT_MINE = {reference}
'''


@dataclass(frozen=True)
class Package:
    """A wheel, and how good the tests in it are."""

    name: str
    version: str
    wheel: str  # the file's name
    data: bytes
    mine: tuple[str, ...]  # modules
    reference: tuple[str, ...]
    tests: tuple[str, ...]  # files, by their paths below tests/
    score: Score

    @property
    def path(self) -> str:
        """Where the wheel lies in the site."""
        return f"package/{self.wheel}"


def make_package(
    workspace: Workspace,
    name: str,
    lessons: Sequence[Lesson] | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Package:
    """The wheel of a workspace. name: of the distribution; "" for that of the folder. WorkspaceError where nothing was built."""
    lessons = find_all() if lessons is None else lessons
    own, passed = own_files(workspace, lessons)
    if not own:
        raise WorkspaceError("nothing of yours has passed yet: a package is made of what has")
    sources = package_sources(own)
    tests = tests_of(workspace)
    score = kill_score([lesson for lesson in lessons if lesson.section_id in passed], own, tests, say)
    mine = tuple(sorted(module for module in sources if module in own))
    reference = tuple(sorted(module for module, text in sources.items() if text and module not in own))
    name = _distribution(name or workspace.root.name)
    version = f"0.{len(passed)}.{_passes(workspace)}"
    files = {f"mine/{path}": data for path, data in laid_out(sources).items()}
    course = lender()
    init = INIT.format(course=course.name, mine=json.dumps(mine), reference=json.dumps(reference))
    files["mine/__init__.py"] = init.encode()
    files |= {f"mine/{TESTS}/{path}": data for path, data in tests.items()}
    if tests:
        files.setdefault(f"mine/{TESTS}/__init__.py", b"")
    readme = _readme(name, mine, reference, course, tests, score)
    summary = "A library built from the ground up, lesson by lesson"
    licences = {course.name: course.text} if reference else {}
    file, data = wheel(name, version, files, summary, readme, _needs([*sources.values()]), licences)
    return Package(name, version, file, data, mine, reference, tuple(sorted(tests)), score)


def own_files(workspace: Workspace, lessons: Iterable[Lesson]) -> tuple[dict[str, str], list[str]]:
    """The learner's modules: those of lessons as they passed, and files of `mine` that belong to no lesson; and what has passed."""
    found: dict[str, str] = {}
    passed, taken = [], set()
    with workspace.store(readonly=True) as store:
        standings = store.standings()
        for lesson in lessons:
            taken |= set(lesson.builds)
            standing = standings.get(lesson.section_id)
            if standing is not None and standing.passed:
                passed.append(lesson.section_id)
                found |= _snapshots(store, standing.passed_files)
    folder = workspace.root / "mine"
    for path in sorted(folder.rglob("*.py")):
        name = path.relative_to(folder).as_posix()
        parts = name.removesuffix(".py").split("/")
        if (
            name not in taken
            and path.name != "__init__.py"
            and all(part.isidentifier() for part in parts)
            and parts[0] != TESTS
        ):
            found |= _text(name, path.read_bytes())
    return found, passed


def _snapshots(store: Store, hashes: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for path, sha in hashes.items():
        try:
            found |= _text(path, store.blob(sha))
        except StoreError:
            continue
    return found


def _text(path: str, data: bytes) -> dict[str, str]:
    """Module and text of a file; nothing where it is no Python."""
    try:
        return {module_name(path): read_text(data, path)[0]}
    except Problem:
        return {}


def package_sources(own: Mapping[str, str]) -> dict[str, str]:
    """Module -> text of the learner's modules and all that they import, the learner's where there is one."""
    named = {module: (f"mine/{module.replace('.', '/')}.py", text) for module, text in own.items()}
    found = {module: text for module, (_, text) in assemble(own, named, frozenset()).items()}
    bare = {module: "" for module, text in found.items() if module not in own and _says_nothing(text)}
    return {**found, **bare, **own}


def _says_nothing(text: str) -> bool:
    """Whether there is only a docstring in it, as in a package that exists for its modules."""
    return all(isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) for node in ast.parse(text).body)


def laid_out(sources: Mapping[str, str]) -> dict[str, bytes]:
    """The files of the package by their paths in it. A module below which there are others is a folder."""
    packages = {module.rpartition(".")[0] for module in sources} - {""}
    packages |= {package.rpartition(".")[0] for package in packages} - {""}
    files = {"__init__.py": b"", **{f"{package.replace('.', '/')}/__init__.py": b"" for package in packages}}
    for module, text in sources.items():
        path = module.replace(".", "/")
        files[f"{path}/__init__.py" if module in packages or _is_package(module) else f"{path}.py"] = _encoded(text)
    return files


def _is_package(module: str) -> bool:
    return (Path(groundup.__file__).parent.joinpath(*module.split(".")) / "__init__.py").is_file()


def _encoded(text: str) -> bytes:
    """As UTF-8, whatever a first line says of another encoding."""
    return re.sub(r"\A((?:#.*\n)?#.*?)coding[:=]\s*[-\w.]+", r"\1utf-8", text).encode("utf-8", "replace")


def tests_of(workspace: Workspace) -> dict[str, bytes]:
    """The learner's own tests: the Python files below `tests`, by their paths in it."""
    folder = workspace.root / TESTS
    found = {}
    for path in sorted(folder.rglob("*.py")):
        name = path.relative_to(folder)
        if (
            path.is_file()
            and path.resolve().is_relative_to(folder.resolve())
            and not any(p.startswith(".") for p in name.parts)
        ):
            found[name.as_posix()] = path.read_bytes()
    return found


def _needs(texts: Iterable[str]) -> list[str]:
    """The distributions that the sources import."""
    names: set[str] = set()
    for text in texts:
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                names.add(node.module.partition(".")[0])
    return sorted(DISTRIBUTIONS.get(name, name) for name in names - set(sys.stdlib_module_names) - {"mine"})


def _distribution(name: str) -> str:
    """A name that installers take (PEP 503)."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "mine"


def _passes(workspace: Workspace) -> int:
    """How often something has passed: a version that never goes back."""
    with workspace.store(readonly=True) as store:
        return len(store.events(kind="passed")) + len(store.events(kind="placed"))


def _readme(
    name: str, mine: Sequence[str], reference: Sequence[str], course: Lender, tests: Mapping[str, bytes], score: Score
) -> str:
    lines = [
        f"# {name}",
        "",
        "A library that I built from the ground up. Imported as `mine`.",
        "",
        "Mine:",
        "",
    ]
    lines += [f"- `mine.{module}`" for module in mine]
    if reference:
        lines += [
            "",
            f"Of {course.name} ({course.licence}), because mine leans on it:",
            "",
            *(f"- `mine.{module}`" for module in reference),
        ]
    if tests:
        files = f"{len(tests)} file{'s' * (len(tests) != 1)} of tests of my own"
        lines += ["", f"{files}: `python -m pytest --pyargs mine.tests`. {score.says}"]
    return "\n".join(lines) + "\n"


def content_hash(workspace: Workspace, lessons: Sequence[Lesson] | None = None) -> str:
    """What a package is made of, in a hash: it is as old as the files are that give another."""
    own, passed = own_files(workspace, find_all() if lessons is None else lessons)
    total = hashlib.sha256(
        json.dumps([sorted(passed), own, groundup.__version__], sort_keys=True).encode("utf-8", "replace")
    )
    for name, data in sorted(tests_of(workspace).items()):
        total.update(f"{name}\0{len(data)}\0".encode("utf-8", "replace") + data)
    return total.hexdigest()
