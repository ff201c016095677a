"""How good a learner's tests are: the share of the known faults that they notice, each put into the learner's own code.

A fault is an edit of the reference's text. Where that text stands in the learner's file too, once, it is put there. Elsewhere the
reference's file with the fault stands in for the learner's, provided that the tests pass on the reference's file as it is: they
then test what the lesson asks for and not how it was written. A fault is killed when a test fails, or no longer comes to its end.
"""

from __future__ import annotations

import ast
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from ...course.holes.library import assemble, module_name, reference_text
from ...course.lessons.faults import Fault, load_faults
from ...course.lessons.lesson import Lesson, LessonError
from ...course.sandbox.host import remove_folder

BASELINE = 120.0  # seconds that the tests of a module may take on code without a fault
SLOWER = 5.0  # times as long as that may they take on code with one, and LEAST seconds at least
LEAST = 10.0
WORKERS = 2
PASSED, NONE = 0, 5  # exit statuses of pytest: all passed; there were no tests
MINE, REFERENCE = "mine", "reference"


@dataclass(frozen=True)
class Tried:
    """A fault that the tests were run against. where: in whose file it was put."""

    lesson: str
    fault: str
    where: str
    killed: bool


@dataclass(frozen=True)
class Score:
    """What became of the faults. untested: lessons that no test reaches. broken: those whose tests fail without any fault."""

    faults: tuple[Tried, ...] = ()
    untested: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    unfit: int = field(default=0)  # faults that could be put nowhere

    @property
    def tried(self) -> int:
        return len(self.faults)

    @property
    def killed(self) -> int:
        return sum(each.killed for each in self.faults)

    @property
    def says(self) -> str:
        """In a sentence."""
        if not self.tried:
            return "They were not tried on any known fault."
        return f"They notice {self.killed} of {self.tried} known faults ({100 * self.killed / self.tried:.0f} %)."


def kill_score(
    lessons: Sequence[Lesson],
    own: Mapping[str, str],
    tests: Mapping[str, bytes],
    say: Callable[[str], None] = lambda _: None,
) -> Score:
    """Runs the tests against every known fault of the lessons. own: module -> text. say: is told of each lesson."""
    faults: list[Tried] = []
    untested, broken, unfit = [], [], 0
    reach = {name: found for name, data in tests.items() if (found := reached(name, data, own)) is not None}
    with ThreadPoolExecutor(WORKERS) as pool:
        for lesson in lessons:
            modules = [module for module in map(module_name, lesson.builds) if module in own]
            chosen = {module: [name for name, reaches in reach.items() if module in reaches] for module in modules}
            if not any(chosen.values()):
                untested.append(lesson.section_id)
                continue
            say(f"{lesson.section_id} {lesson.title}")
            benches = {module: Bench(own, tests, files) for module, files in chosen.items() if files}
            if not all(pool.map(lambda bench: bench.passes(), benches.values())):
                broken.append(lesson.section_id)
                continue
            work = [partial(_try, benches[module], module, lesson, fault, own)
                    for module, fault in _faults(lesson) if module in benches]  # fmt: skip
            done = list(pool.map(lambda job: job(), work))
            faults += [each for each in done if each is not None]
            unfit += sum(each is None for each in done)
    return Score(tuple(faults), tuple(untested), tuple(broken), unfit)


def reached(name: str, data: bytes, own: Mapping[str, str]) -> frozenset[str] | None:
    """The modules of `mine` that a file of tests imports, and what they import; None for a file that holds no tests."""
    file = name.rpartition("/")[2]
    if not (file.startswith("test") or file.endswith("_test.py")):
        return None
    try:
        tree = ast.parse(data)
    except (SyntaxError, ValueError):
        return frozenset(own)  # it will fail, and say so
    named: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            named |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                return frozenset(own)  # through another file of the tests: to whatever that imports
            named |= {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
    modules = [each.partition(".")[2] for each in named if each.startswith("mine.")]
    sources = assemble(modules, {module: ("", text) for module, text in own.items()}, frozenset())
    return frozenset(sources)


def _faults(lesson: Lesson) -> list[tuple[str, Fault]]:
    """The known faults of a lesson, each with the module that it is in."""
    reference = {path: reference_text(module_name(path)) or "" for path in lesson.builds}
    try:
        return [(module_name(fault.file), fault) for fault in load_faults(lesson, reference)]
    except LessonError:
        return []


def _try(bench: Bench, module: str, lesson: Lesson, fault: Fault, own: Mapping[str, str]) -> Tried | None:
    """What the tests make of one fault; None where it can be put nowhere."""
    if (text := _in_mine(fault, own[module])) is not None:
        return Tried(lesson.section_id, fault.name, MINE, not bench.passes({module: text}))
    reference = reference_text(module) or ""
    if not bench.passes({module: reference}):
        return None
    return Tried(lesson.section_id, fault.name, REFERENCE, not bench.passes({module: fault.apply(reference)}))


def _in_mine(fault: Fault, text: str) -> str | None:
    """The learner's text with the fault in it; None where it does not fit."""
    if text.count(fault.find) != 1:
        return None
    edited = fault.apply(text)
    try:
        ast.parse(edited)
    except (SyntaxError, ValueError):
        return None
    return edited


class Bench:
    """The library with some files of tests, to be run as it is or with other text for a module. What was run once is known."""

    def __init__(self, own: Mapping[str, str], tests: Mapping[str, bytes], files: Sequence[str]) -> None:
        from .packaging import laid_out, package_sources

        self._lay_out, self._sources = laid_out, package_sources(own)
        self._tests, self._files = tests, list(files)
        self._known: dict[tuple[tuple[str, str], ...], bool] = {}
        self._deadline = BASELINE

    def passes(self, changed: Mapping[str, str] | None = None) -> bool:
        """Whether every test passes, and there is one. Without a change first: it says how long the tests may take."""
        key = tuple(sorted((changed or {}).items()))
        if key not in self._known:
            begun = time.monotonic()
            self._known[key] = self._run({**self._sources, **(changed or {})}) == PASSED
            if not changed:
                self._deadline = min(BASELINE, max(LEAST, SLOWER * (time.monotonic() - begun)))
        return self._known[key]

    def _run(self, sources: Mapping[str, str]) -> int:
        """The exit status of the tests in a process of their own, confined where the system can; 1 if they are late."""
        folder = tempfile.mkdtemp(prefix="groundup-tests-")
        try:
            laid = {f"mine/{path}": data for path, data in self._lay_out(sources).items()}
            laid |= {f"tests/{path}": data for path, data in self._tests.items()}
            for path, data in laid.items():
                place = Path(folder) / path
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(data)
            return self._status(folder)
        finally:
            remove_folder(folder)

    def _status(self, folder: str) -> int:
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        environment = {"PATH": os.defpath, "LANG": "C.UTF-8", "HOME": folder, "TMPDIR": folder, "PYTHONDONTWRITEBYTECODE": "1",
                       "PYTHONHASHSEED": "0", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **threads}  # fmt: skip
        command = [
            sys.executable,
            "-I",
            "-m",
            "groundup.desk.portfolio.trial",
            folder,
            str(int(self._deadline) + 1),
            *self._files,
        ]
        with subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True,
        ) as process:  # fmt: skip
            try:
                return process.wait(self._deadline + LEAST)
            except subprocess.TimeoutExpired:
                return 1
            finally:
                if hasattr(os, "killpg"):
                    with contextlib.suppress(ProcessLookupError, PermissionError):
                        os.killpg(process.pid, 9)
                process.kill()
