"""`groundup watch`: judges at each save, shows the verdict, and listens to single keys."""

from __future__ import annotations

import contextlib
import hashlib
import os
import queue
import select
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ...errors import NotUsable
from ..lessons.lesson import Lesson, find, find_all
from ..showing.terminal import SOFT, paint, verdict_text
from ..workspace.workspace import Workspace
from .client import judge
from .session import current_lesson
from .steps import map_text, open_next, take_hint

KEYS = "n next   r run   h hint   m map   q quit"
DEBOUNCE_MS = 50
LOOK_MS = 500  # between two looks at the files: for a save before the watch was up, or on a network disk


class Watch:
    """Watches `mine`; one channel of events (a save, a key) into one loop."""

    def __init__(self, workspace: Workspace, name: str | None) -> None:
        self._workspace = workspace
        self._lesson = find(name) if name else current_lesson(workspace)
        self._events: queue.Queue[tuple[str, Any]] = queue.Queue()
        self._ended = threading.Event()
        self._seen: dict[str, str] = {}

    def run(self) -> int:
        """Until q, Ctrl-C, or the end of input."""
        self._note_files(find_all())
        threads = [threading.Thread(target=self._watch_files, daemon=True)]
        if sys.stdin.isatty():
            threads.append(threading.Thread(target=self._watch_keys, daemon=True))
        with single_keys():
            for thread in threads:
                thread.start()
            try:
                self._key("n" if self._lesson is None else "r")
                while True:
                    kind, what = self._events.get()
                    if kind == "key" and what in ("q", ""):
                        return 0
                    if kind == "blind":
                        print(what, file=sys.stderr)
                        return 2
                    self._key(what) if kind == "key" else self._saved(what)
            except KeyboardInterrupt:
                return 0
            finally:
                self._ended.set()

    def _watch_files(self) -> None:
        import watchfiles

        folder = self._workspace.root / "mine"
        changes = watchfiles.watch(
            folder,
            debounce=DEBOUNCE_MS,
            step=10,
            stop_event=self._ended,
            rust_timeout=LOOK_MS,
            yield_on_timeout=True,
            raise_interrupt=False,
        )
        try:
            for changed in changes:
                self._events.put(("saved", {path for _, path in changed}))
            says = f"{folder} can no longer be watched"
        except OSError as problem:
            says = f"{folder} cannot be watched: {problem.strerror or problem}"
        if not self._ended.is_set():
            self._events.put(("blind", f"{says}. `groundup check` judges without watching."))

    def _watch_keys(self) -> None:
        while not self._ended.is_set():
            ready, _, _ = select.select([sys.stdin], [], [], 0.2)
            if ready:
                try:
                    key = os.read(sys.stdin.fileno(), 1).decode(errors="replace")
                except OSError:  # the terminal has gone
                    key = ""
                self._events.put(("key", key))
                if not key:
                    return

    def _saved(self, paths: set[str]) -> None:
        """Checks the lesson whose file was saved, if its content is new. Without paths: whatever was."""
        by_file = {str(self._workspace.path_of(path)): lesson for lesson in find_all() for path in lesson.builds}
        for path in sorted(paths or by_file):
            lesson = by_file.get(path) or by_file.get(os.path.realpath(path))
            if lesson is not None and self._is_new(Path(path)):
                self._lesson = lesson
                self._check()
                return

    def _is_new(self, path: Path) -> bool:
        try:
            content = path.read_bytes()
        except OSError:
            return False
        if not content:  # an editor that writes in place empties the file first
            return False
        mark = hashlib.sha256(content).hexdigest()
        if self._seen.get(str(path)) == mark:
            return False
        self._seen[str(path)] = mark
        return True

    def _note_files(self, lessons: Iterable[Lesson]) -> None:
        """What stands in these lessons' files now is no news any more."""
        for lesson in lessons:
            for library_path in lesson.builds:
                self._is_new(self._workspace.path_of(library_path))

    def _check(self) -> None:
        assert self._lesson is not None
        self._note_files([self._lesson])
        reply = judge(self._workspace.root, {"do": "check", "lesson": self._lesson.section_id})
        self._clear()
        if "error" in reply:
            print(reply["error"])
        else:
            shown = verdict_text(
                reply["verdict"], reply["title"], reply.get("next", ""), source=reply.get("source", "")
            )
            print(shown)
            if "log" in reply:
                print(f"  {reply['log']}")
            if "warning" in reply:
                print(reply["warning"])
        self._prompt()

    def _key(self, key: str) -> None:
        if key == "r" and self._lesson is not None:
            self._check()
        elif key in ("n", "h", "m"):
            self._clear()
            try:
                self._command(key)
            except NotUsable as problem:
                print(problem)  # a store that is locked for a while does not end the watch
            self._prompt()

    def _command(self, key: str) -> None:
        """What n, h and m show; n opens the next lesson."""
        if key == "m":
            print(map_text(self._workspace))
        elif key == "h" and self._lesson is not None:
            print(take_hint(self._workspace, self._lesson))
        elif key == "n":
            lesson = open_next(self._workspace)
            if lesson is None:
                print("Everything that is here is built.")
                return
            self._lesson = lesson
            self._note_files([lesson])
            files = ", ".join(f"mine/{path}" for path in lesson.builds)
            print(f"{lesson.section_id} {lesson.title}\n  write   {files}\n  read    groundup show {lesson.section_id}")

    def _clear(self) -> None:
        if sys.stdout.isatty():
            print("\033[2J\033[H", end="")

    def _prompt(self) -> None:
        if sys.stdin.isatty():
            print(paint(f"\n{KEYS}", SOFT), flush=True)
        else:
            print(flush=True)


@contextlib.contextmanager
def single_keys() -> Iterator[None]:
    """Keys without Enter, for as long as the context lasts; then the terminal is put back, after a SIGTERM too."""
    if not sys.stdin.isatty():
        yield
        return
    import termios
    import tty

    before = termios.tcgetattr(sys.stdin)
    handler = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        tty.setcbreak(sys.stdin, termios.TCSADRAIN)  # what has been typed already is not thrown away
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
        signal.signal(signal.SIGTERM, handler)
