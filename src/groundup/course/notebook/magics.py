"""What `%load_ext groundup` brings into a notebook: `%%build`, `%check`, `%hint`, and `mine` as the workspace has it.

The learner's code runs in the kernel, where it may do as it likes; it is judged elsewhere, by the same warm judge that the
command line asks.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import textwrap
import tokenize
from collections.abc import Iterator
from importlib.util import decode_source
from pathlib import Path
from typing import Any

from ...errors import NotUsable
from ..checking.client import judge
from ..checking.session import current_lesson
from ..checking.steps import take_hint
from ..lessons.lesson import Lesson, find
from ..overlay import over_reference
from ..showing.terminal import width
from ..showing.verdict_html import VerdictView
from ..showing.verdict_parts import first_failure
from ..workspace.workspace import Workspace, WorkspaceError, find_workspace, write_atomically


def load(ipython: Any) -> None:
    """Puts the magics into a kernel, and `mine` where the workspace is known already."""
    magics = Magics()
    with contextlib.suppress(WorkspaceError):  # each magic says it
        magics.workspace()
    for name, kind in (("build", "cell"), ("check", "line"), ("hint", "line")):
        ipython.register_magic_function(getattr(magics, name), kind, name)
    ipython.events.register("pre_run_cell", magics.refresh)
    if keep_builds not in ipython.input_transformers_cleanup:
        ipython.input_transformers_cleanup.insert(0, keep_builds)


def keep_builds(lines: list[str]) -> list[str]:
    """Takes a build before IPython strips what looks like prompts, also `>>>` and `...` in the learner's own text."""
    from IPython.core.inputtransformer2 import cell_magic

    return list(cell_magic(lines)) if lines and lines[0].split()[:1] == ["%%build"] else lines


class Magics:
    """The magics of one kernel: the workspace it works in, and the lesson it spoke of last."""

    def __init__(self) -> None:
        self._found: Workspace | None = None
        self._lesson: str | None = None
        self._seen: dict[str, tuple[int, int]] = {}

    def workspace(self) -> Workspace:
        """The workspace around the notebook, found once: the kernel may change its folder. WorkspaceError without one."""
        if self._found is None:
            self._found = find_workspace(Path.cwd())
            self.refresh()
        return self._found

    def refresh(self, _info: object = None) -> None:
        """Before each cell: where a file of `mine` has changed, the next import takes what is on the disk."""
        if self._found is None:
            return
        seen = dict(_python_files(self._found.root / "mine"))
        if seen != self._seen:
            self._seen = seen
            over_reference(self._found.root).install()

    def build(self, line: str, cell: str) -> VerdictView:
        """%%build LESSON [PATH]: writes this cell into your file of the lesson, then checks it."""
        with _said_in_a_sentence():
            workspace = self.workspace()
            words = line.split()
            if len(words) not in (1, 2):
                raise WorkspaceError("name the lesson, and the file where it has several: %%build 1.3 grad/value.py")
            lesson = find(words[0])
            _write(workspace, lesson, _built_file(lesson, words[1:]), cell)
            self.refresh()
            return self._judged(lesson.section_id, None)

    def check(self, line: str) -> VerdictView:
        """%check [LESSON] [--seed N]: judges your files as they are on the disk."""
        with _said_in_a_sentence():
            words, seed = line.split(), None
            if "--seed" in words:
                at = words.index("--seed")
                number = "".join(words[at + 1 : at + 2])
                if not (number.isascii() and number.isdecimal() and len(number) <= 18):
                    raise WorkspaceError("a seed is a whole number from 0 on: %check 1.3 --seed 81")
                seed = int(number)
                del words[at : at + 2]
            if len(words) > 1 or any(word.startswith("-") for word in words):
                raise WorkspaceError("it is %check [LESSON] [--seed N]: %check 1.3 --seed 81")
            return self._judged(words[0] if words else self._lesson, seed)

    def hint(self, line: str) -> None:
        """%hint [LESSON]: one hint more each time."""
        with _said_in_a_sentence():
            workspace = self.workspace()
            name = line.strip() or self._lesson
            lesson = find(name) if name else current_lesson(workspace)
            if lesson is None:
                raise WorkspaceError("no lesson is open yet: name one, as in %hint 1.3")
            self._lesson = lesson.section_id
            given = take_hint(workspace, lesson)
            print(textwrap.fill(str(given), width()))
            if not given.text:
                print(f"  groundup solution {lesson.section_id}")

    def _judged(self, name: str | None, seed: int | None) -> VerdictView:
        root = self.workspace().root
        reply = judge(root, {"do": "check", "lesson": name, "seed": seed})
        if "error" in reply:
            raise WorkspaceError(str(reply["error"]))
        if "warning" in reply:
            print(reply["warning"], file=sys.stderr)
        self._lesson = str(reply["verdict"]["lesson"])
        return VerdictView(reply, _named_line(root, reply["verdict"]))


@contextlib.contextmanager
def _said_in_a_sentence() -> Iterator[None]:
    """What is wrong, without a traceback."""
    from IPython.core.error import UsageError

    try:
        yield
    except NotUsable as problem:
        raise UsageError(str(problem)) from None


def _python_files(folder: Path) -> Iterator[tuple[str, tuple[int, int]]]:
    """Path, and time and size, of each file of a package."""
    for here, _, names in os.walk(folder):
        for path in (Path(here, name) for name in names if name.endswith(".py")):
            with contextlib.suppress(OSError):  # gone in between: then it is none
                status = path.stat()
                yield str(path), (status.st_mtime_ns, status.st_size)


def _built_file(lesson: Lesson, named: list[str]) -> str:
    """The library path that a cell is for: one of the lesson's own, and no other."""
    path = named[0].removeprefix("mine/") if named else lesson.builds[0]
    if path not in lesson.builds or (not named and len(lesson.builds) > 1):
        raise WorkspaceError(f"%%build {lesson.section_id} goes on with one of: {', '.join(lesson.builds)}")
    return path


def _write(workspace: Workspace, lesson: Lesson, path: str, cell: str) -> None:
    """The cell into the learner's file; what stood there goes into the store first."""
    if not cell.strip():
        raise WorkspaceError(f"the cell is empty: mine/{path} is left as it is")
    target = workspace.path_of(path)
    try:
        data = cell.encode(tokenize.detect_encoding(io.BytesIO(cell.encode()).readline)[0].removesuffix("-sig"))
        before = target.read_bytes() if target.exists() else None
        if data == before:
            return
        if before is not None:
            with workspace.store() as store:
                event = store.append("built", lesson.section_id, {path: before})
            print(f"mine/{path} is written; what stood there is kept (event {event})")
        write_atomically(target, data)
    except OSError as problem:
        raise WorkspaceError(f"{target} cannot be written: {problem.strerror}") from None
    except (SyntaxError, UnicodeError) as problem:
        raise WorkspaceError(f"the cell cannot be saved in the encoding it names ({problem}): leave that out") from None


def _named_line(root: Path, verdict: dict[str, Any]) -> str:
    """The line of the learner's file that a verdict is about; "" where it names none, or none that can be read."""
    failed = first_failure(verdict)
    if failed is None or not failed["line"] or not str(failed["file"]).startswith("mine/"):
        return ""
    try:
        lines = decode_source((root / failed["file"]).read_bytes()).splitlines()
    except (OSError, SyntaxError, ValueError, LookupError):
        return ""
    return lines[failed["line"] - 1] if failed["line"] <= len(lines) else ""
