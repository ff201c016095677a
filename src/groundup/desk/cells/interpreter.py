"""The kernel's own process: confines itself, then runs cells in one namespace and says what comes of each.

Why not ipykernel, even where it is installed: it talks by sockets, and a process that may open sockets may reach the
network. This one is begun by exec, has one descriptor besides the standard three, and is under the sandbox's layers
before it sees a line of a lesson's or a learner's. IPython's own display machinery would fit inside, but then a cell
would look otherwise where it is installed; what a lesson needs of it (the last expression, `display`, `_repr_png_`,
figures) is in displays.py.

It knows nothing that the server trusts: whatever a cell does to it, the worst that comes out is a wrong output.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import linecache
import os
import signal
import socket
import sys
import threading
import types
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ...course.overlay import over_reference
from ...course.sandbox import frames, guard, inside, layers
from ...course.sandbox.zygote import CONTROL
from . import displays
from .printing import Printing
from .trails import advice_on, trail_of

Message = dict[str, Any]
MOST_DATA = 3 << 30  # bytes of memory that are written to: torch maps twice as much, and uses a tenth of it


def main(parent: int) -> None:
    """Dies with the parent, confines itself as the first frame says, runs cells until the channel closes."""
    with contextlib.suppress(OSError):  # where memory runs out, the system is to end this process first
        Path("/proc/self/oom_score_adj").write_text("500")
    layers.die_with_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    channel = socket.socket(fileno=CONTROL)
    setup = frames.receive(channel)
    if not setup["kernel"]:  # the guard lets no native library be loaded later, and torch loads its own by hand
        with contextlib.suppress(ImportError):
            importlib.import_module("torch")
    inside.confine(setup, channel.fileno())
    if setup["kernel"] and layers.landlock_abi() == 0:
        guard.install(setup["scratch"], setup["readable"])
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (MOST_DATA, MOST_DATA))
    os.environ.update(setup["environment"])
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionError):  # the server has gone
        package = Path(setup["package"]) if setup["package"] else None
        Interpreter(channel, Path(setup["workspace"]), package).serve()
    os._exit(0)  # threads that a cell has started do not keep it


class Interpreter:
    """One namespace, and the cells that have run in it."""

    def __init__(self, channel: socket.socket, workspace: Path, package: Path | None = None) -> None:
        self._channel, self._mine = channel, workspace / "mine"
        self._library = over_reference(workspace, package).install()
        self._read: dict[str, tuple[int, int]] = {}  # the learner's files that have been imported, as they were
        self._cell = 0
        self._sending = threading.Lock()
        self._held, self._interrupted, self._running = False, False, False
        self._printing = Printing(self.send, self._native)
        self._main = types.ModuleType("__main__")
        self._main.__dict__["display"] = displays.display = self._display
        sys.modules["__main__"], sys.argv = self._main, ["cell"]
        sys.stdout, sys.stderr = self._printing.stream("out"), self._printing.stream("err")
        sys.__stdout__, sys.__stderr__ = sys.stdout, sys.stderr  # type: ignore[misc, assignment]

    def serve(self) -> None:
        """Answers until there are no more cells."""
        signal.signal(signal.SIGINT, self._on_interrupt)
        self.send({"kind": "ready"})
        while True:
            request = frames.receive(self._channel)
            self._cell = request["cell"]
            self.send({"kind": "done", "how": self._run(request["code"], request["name"])})

    def send(self, message: Message) -> None:
        """One frame. An interrupt waits until it is out, for half a frame would be the end of the channel."""
        frame = frames.encode({"cell": self._cell, **message})
        if threading.current_thread() is not threading.main_thread():
            with self._sending:
                self._channel.sendall(frame)
            return
        self._held = True
        try:
            with self._sending:
                self._channel.sendall(frame)
        finally:
            self._held = False
        if self._interrupted and self._running:
            self._interrupted = False
            raise KeyboardInterrupt

    def _on_interrupt(self, number: int, frame: types.FrameType | None) -> None:
        if self._held:
            self._interrupted = True
        elif self._running:
            raise KeyboardInterrupt

    def _run(self, code: str, name: str) -> str:
        """Runs one cell: "ran", "raised" or "stopped"."""
        self._forget_changed()
        self._main.__dict__.pop("__warningregistry__", None)  # a warning comes again when the cell does
        self._printing.begin()
        self._interrupted, self._running = False, True
        how = "ran"
        try:
            try:
                self._execute(code, name)
            except KeyboardInterrupt:
                how = "stopped"
            except BaseException as problem:
                how = "raised"
                self._printing.end_line()
                self._tell(problem)
            if not self._show_figures():
                how = "raised"
        except KeyboardInterrupt:
            how = "stopped"
        self._running = False
        self._printing.end()
        self._remember()
        return how

    def _execute(self, code: str, name: str) -> None:
        """The statements, then the last expression, which is shown unless a semicolon ends it."""
        linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
        signal.signal(signal.SIGINT, self._on_interrupt)
        tree = ast.parse(code, name)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, name, "exec", dont_inherit=True), self._main.__dict__)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), name, "eval", dont_inherit=True), self._main.__dict__)
            if value is not None and not code.rstrip().endswith(";"):
                self._display(value)

    def _display(self, *values: Any) -> None:
        """Shows values: figures as pictures, tables as tables, everything else as its repr."""
        for value in values:
            self._printing.end_line()
            self._show(displays.shown(value))

    def _show_figures(self) -> bool:
        """Shows the figures that the cell has left open; False if one cannot be drawn."""
        if "matplotlib.pyplot" in sys.modules:
            try:
                self._show(displays.open_figures())
            except Exception as problem:
                self._tell(problem)
                return False
        return True

    def _show(self, messages: Iterable[Message]) -> None:
        for message in messages:
            if message["kind"] == "value":
                self._printing.value(message["text"])
            else:
                self.send(message)

    def _tell(self, problem: BaseException) -> None:
        self.send({"kind": "error", "text": trail_of(problem, self._mine)})
        if advice := advice_on(problem):
            self.send({"kind": "note", "text": advice})

    def _native(self) -> str:
        """What was written past sys.stdout, by C code or on descriptor 1: confine() has led it into a file."""
        with contextlib.suppress(OSError), open("printed.txt", "rb") as file:
            text = file.read(1 << 16).decode("utf-8", "replace")
            if text:
                os.ftruncate(1, 0)
            return text
        return ""

    def _remember(self) -> None:
        """Notes the learner's files that the cell has imported."""
        for name, module in list(sys.modules.items()):
            path = getattr(module, "__file__", None) if name.split(".")[0] == "mine" else None
            if isinstance(path, str) and path not in self._read and path.startswith(f"{self._mine}{os.sep}"):
                self._read[path] = _state(path)

    def _forget_changed(self) -> None:
        """Has the learner's library imported anew where one of its files has changed, and says so."""
        changed = sorted(path for path, state in self._read.items() if _state(path) != state)
        if not changed:
            return
        self._read.clear()
        self._library.install()
        names = ", ".join("mine/" + os.path.relpath(path, self._mine).replace(os.sep, "/") for path in changed[:3])
        says = f"{names} has changed since it was imported here: what was made before is of the old one. Run the cells above again."
        self.send({"kind": "note", "text": says})


def _state(path: str) -> tuple[int, int]:
    """When a file was written and how long it is; zeros where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size


if __name__ == "__main__":
    main(int(sys.argv[2]))
