"""The child's side of the sandbox: loads a library from memory, runs probes on cases, answers with values.

It knows no expected value and decides nothing. Whatever the learner's code does to this process, the worst that comes
out of it is a wrong value or none.
"""

from __future__ import annotations

import importlib
import importlib.abc
import io
import os
import socket
import sys
import tempfile
import time
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..overlay import Library, Overlay, from_sources
from . import frames, guard, layers

FRAMES_SHOWN = 50
MESSAGE_CAP = 2000


class ForbiddenImport(ImportError):
    """An import that the lesson does not allow."""


@dataclass(frozen=True)
class Gate(importlib.abc.MetaPathFinder):
    """Refuses every import whose first name is not on the list."""

    allowed: frozenset[str]

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> None:
        if fullname.split(".")[0] not in self.allowed:
            raise ForbiddenImport(f"this lesson does not allow `import {fullname}`", name=fullname)


def serve(channel: socket.socket) -> None:
    """Confines this process as the first frame says, then answers requests until the channel closes."""
    setup = frames.receive(channel)
    confine(setup, channel.fileno())
    write, channel_receive, sendable = channel.sendall, frames.receive, _sendable
    write(sendable({"ready": os.getpid()}))
    session = _Session()
    while True:
        try:
            request = channel_receive(channel)
        except EOFError:
            return
        try:
            for answer in session.handle(request):
                write(sendable(answer))
        except OSError:  # the channel has been closed: from here, or by the judge
            return
        except BaseException as problem:  # what the learner's code left behind in the interpreter has struck here
            write(sendable({"raised": _describe(problem, frozenset())}))
            return


def confine(setup: dict[str, Any], keep: int) -> None:
    """Folder, output, limits, then what the kernel (or the guard, where there is none) enforces."""
    scratch = setup["scratch"]
    os.chdir(scratch)
    quiet = os.open(os.devnull, os.O_RDONLY)
    output = os.open(setup["output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for fd, target in ((quiet, 0), (output, 1), (output, 2)):
        os.dup2(fd, target)
    for stream in (sys.stdout, sys.stderr):  # by the line, since this process ends by being killed
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    os.close(quiet)
    os.close(output)
    os.environ.clear()
    os.environ.update({"HOME": scratch, "TMPDIR": scratch, "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"})
    tempfile.tempdir = None  # what the parent has found out no longer holds
    _close_the_rest(keep)
    if setup["allowed"] is not None:
        allowed = frozenset(setup["allowed"]) | sys.stdlib_module_names
        for name in [n for n in sys.modules if n.split(".")[0] not in allowed]:
            del sys.modules[name]
        sys.meta_path.insert(0, Gate(allowed))
    layers.limit_resources(layers.Limits(**setup["limits"]))
    if setup["kernel"]:
        layers.confine_files(scratch, setup["readable"])
        layers.confine_syscalls()
    else:
        guard.install(scratch, setup["readable"])


def _close_the_rest(keep: int) -> None:
    """Nothing of the parent's stays open but the three standard descriptors and the channel."""
    top = max(int(name) for name in os.listdir("/dev/fd")) + 1 if os.path.isdir("/dev/fd") else 1024
    os.closerange(3, keep)
    os.closerange(keep + 1, top)


class _Session:
    """The libraries and probes that have been loaded, by name."""

    def __init__(self) -> None:
        self._libraries: dict[str, Library] = {}
        self._own: dict[str, frozenset[str]] = {}
        self._probes: dict[str, Callable[..., Any]] = {}

    def handle(self, request: dict[str, Any]) -> Any:
        """One request in, one or more answers out."""
        what = request["do"]
        if what == "load":
            yield self._load(**{k: v for k, v in request.items() if k != "do"})
        elif what == "probe":
            yield self._probe(request["name"], request["source"], request["function"])
        elif what == "answer":
            probe, library = self._probes[request["probe"]], self._libraries[request["package"]]
            for case in request["cases"]:
                yield _answer(probe, library, case, self._own[request["package"]])
        else:
            yield {"raised": {"type": "ValueError", "message": f"no such request: {what}", "frames": []}}

    def _load(
        self, package: str, sources: dict[str, tuple[str, str]], modules: list[str], contract: dict[str, list[str]]
    ) -> dict[str, Any]:
        """Imports `modules` of a package that exists only in memory; says which names of the contract are not there."""
        own = frozenset(sources[name][0] for name in modules if name in sources)
        for finder in [f for f in sys.meta_path if isinstance(f, Gate)]:
            sys.meta_path[sys.meta_path.index(finder)] = Gate(finder.allowed | {package})
        overlay = Overlay(package, from_sources(sources))
        overlay.remove()
        sys.meta_path.insert(0, overlay)
        self._libraries[package], self._own[package] = Library(package), own
        missing = []
        for name in modules:
            try:
                module = importlib.import_module(f"{package}.{name}")
            except BaseException as problem:
                return {"raised": _describe(problem, own)}
            missing += [dotted for dotted in contract.get(name, []) if not _has(module, dotted)]
        return {"missing": missing}

    def _probe(self, name: str, source: str, function: str) -> dict[str, Any]:
        namespace: dict[str, Any] = {"__name__": f"probe_{name}"}
        try:
            exec(compile(source, f"<probe {name}>", "exec", dont_inherit=True), namespace)
        except BaseException as problem:
            return {"raised": _describe(problem, frozenset())}
        self._probes[name] = namespace[function]
        return {"ready": name}


def _has(module: Any, dotted: str) -> bool:
    """Whether a module defines a dotted name itself: what every object inherits does not count."""
    first, _, rest = dotted.partition(".")
    if not hasattr(module, first):
        return False
    owner = getattr(module, first)
    if not rest:
        return True
    lineage = owner.__mro__[:-1] if isinstance(owner, type) else (owner,)
    return any(rest in vars(kind) for kind in lineage) or not isinstance(owner, type)


def _answer(probe: Callable[..., Any], library: Library, case: dict[str, Any], own: frozenset[str]) -> dict[str, Any]:
    """What the probe gives on one case, what it raises, and which of its arguments it changed."""
    before = _copied(case)
    begun = time.perf_counter()
    try:
        answer: dict[str, Any] = {"value": probe(library, **case)}
    except BaseException as problem:
        answer = {"raised": _describe(problem, own)}
    answer["ms"] = (time.perf_counter() - begun) * 1000
    answer["mutated"] = [name for name, value in before.items() if not _same(value, case[name])]
    return answer


def _copied(x: Any) -> Any:
    """A copy of what a frame can hold; copy.deepcopy takes ten times as long."""
    if isinstance(x, np.ndarray):
        return x.copy()
    if isinstance(x, dict):
        return {key: _copied(value) for key, value in x.items()}
    return type(x)(map(_copied, x)) if isinstance(x, (list, tuple)) else x


def _same(a: Any, b: Any) -> bool:
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        return bool(a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes())
    if isinstance(a, dict):
        return list(a) == list(b) and all(_same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(_same(x, y) for x, y in zip(a, b))
    return bool(a == b) or (a != a and b != b)


def _sendable(answer: dict[str, Any]) -> bytes:
    """The answer as a frame, or, where its values are too large to cross, the fact."""
    try:
        return frames.encode(answer)
    except (frames.FrameError, MemoryError) as problem:
        raised = {"type": "MemoryError", "message": str(problem) or "out of memory", "frames": [], "memory": True}
    except BaseException as problem:  # an object that fights back when it is looked at
        raised = _describe(problem, frozenset())
    return frames.encode({"raised": raised})


def _describe(problem: BaseException, own: frozenset[str]) -> dict[str, Any]:
    """An exception as values: type, message, and the frames that lie in the learner's files, outermost first."""
    kinds = type(problem).__mro__  # not isinstance, which would ask the exception's own __class__
    try:
        message = str(problem)[:MESSAGE_CAP]
    except BaseException:
        message = "(an exception that cannot be printed)"
    trail = _trail(problem, own)
    if SyntaxError in kinds and isinstance(problem, SyntaxError) and problem.filename in own:
        trail.append((problem.filename, problem.lineno, ""))
    return {
        "type": str(type.__getattribute__(type(problem), "__name__")),
        "message": message,
        "frames": trail,
        "memory": MemoryError in kinds,
        "forbidden": ForbiddenImport in kinds,
        "unwritten": NotImplementedError in kinds,
        "absent": any(kind in kinds for kind in (AttributeError, ImportError, TypeError, NameError)),
    }


def _trail(problem: BaseException, own: frozenset[str]) -> list[tuple[str, int | None, str]]:
    """File, line and function of the innermost frames that are the learner's; a recursion may be a million deep."""
    found: deque[tuple[str, int | None, str]] = deque(maxlen=FRAMES_SHOWN)
    for frame, line in traceback.walk_tb(problem.__traceback__):
        code = frame.f_code
        if code.co_filename in own:
            found.append((code.co_filename, line, code.co_name))
    return list(found)
