"""The judge's side of the sandbox: starts children, talks to them, ends them.

`Sandbox` keeps a zygote warm (Linux) or one spawned worker in reserve (elsewhere, or by GROUNDUP_SANDBOX=spawn), and
hands out children. A `Child` runs one submission; every request has a deadline, and a child that misses it is killed
with everything it may have started.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any

from . import SandboxError, frames, layers

NUMBER = struct.Struct("<q")
WARM_UP = 60.0  # seconds that a zygote or worker may take to import what its profile needs
START = 10.0  # seconds that a child may take to confine itself
READ = 1 << 17  # bytes taken from a child at once
OUTPUT_SHOWN = 4000  # characters of the learner's own prints that are kept
MEMORY = {"numpy": 1 << 30, "torch": 8 << 30, "any": 8 << 30}  # address space: torch maps far more than it uses
COMPANY = {  # what a package imports when it is used, or what the reference's given files use beside it
    "torch": (
        *("torchgen", "functorch", "typing_extensions", "sympy", "mpmath", "networkx", "filelock", "fsspec"),
        *("jinja2", "markupsafe", "_remote_module_non_scriptable", "safetensors", "tqdm"),
    )
}
TEXT_CAP, LIST_CAP = 2000, 200  # of what a child says about itself: characters of a text, entries of a list


class ChildDied(Exception):
    """The child ended before it had answered; `reason` says how."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ChildLate(Exception):
    """The child missed its deadline and has been killed."""


def kind_here() -> str:
    """`zygote` on Linux unless GROUNDUP_SANDBOX=spawn, `spawn` elsewhere."""
    chosen = os.environ.get("GROUNDUP_SANDBOX", "")
    if chosen not in ("", "zygote", "spawn"):
        raise SandboxError(f"GROUNDUP_SANDBOX is {chosen!r}: set it to zygote or spawn, or leave it out")
    return chosen or ("zygote" if sys.platform == "linux" else "spawn")


def profile_of(allowed: Iterable[str]) -> str:
    """The profile of the zygote for files that may import these: torch where that is among them."""
    return "torch" if "torch" in allowed else "numpy"


def with_company(allowed: Iterable[str]) -> tuple[str, ...]:
    """The packages a child may import, NumPy always, and those that come along with them."""
    names = dict.fromkeys([*allowed, "numpy"])
    return tuple(dict.fromkeys([*names, *(other for name in names for other in COMPANY.get(name, ()))]))


@lru_cache(maxsize=16)
def readable_paths(allowed: tuple[str, ...] | None) -> list[str]:
    """What a child may read: Python's own files, and the packages it may import (None: any); never groundup, never the home."""
    if allowed is not None:
        return layers.python_paths() + layers.package_paths(allowed)
    site = Path(layers.package_paths(["numpy"])[0]).parent
    others = [str(p) for p in sorted(site.iterdir()) if "groundup" not in p.name.lower() and p.suffix != ".pth"]
    return layers.python_paths() + others


class Sandbox:
    """A source of children. One a profile: `numpy`, `torch`, or `any` for authors who hand in another library's solution."""

    def __init__(self, profile: str = "numpy", kind: str | None = None) -> None:
        self.profile = profile
        self.kind = kind or kind_here()
        self._zygote: Process | None = None
        self._reserve: Process | None = None
        self._folder = tempfile.mkdtemp(prefix="groundup-")

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trail: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends every process and removes every folder."""
        for process in (self._zygote, self._reserve):
            if process is not None:
                process.kill()
        self._zygote = self._reserve = None
        remove_folder(self._folder)

    def warm(self) -> None:
        """Starts what the first child will need."""
        if self.kind == "zygote":
            self._warm_zygote()
        elif self._reserve is None:
            self._reserve = Process("groundup.course.sandbox.worker", self.profile)

    def _warm_zygote(self) -> Process:
        if self._zygote is None or self._zygote.ended():
            self._zygote = Process("groundup.course.sandbox.zygote", self.profile)
            self._zygote.wait_ready()
        return self._zygote

    def child(self, allowed: Sequence[str] | None, cpu: int = 20) -> Child:
        """A fresh child that may import the standard library, NumPy and `allowed` (None: anything that is installed)."""
        names = None if allowed is None else with_company(allowed)
        os.makedirs(self._folder, exist_ok=True)
        scratch = tempfile.mkdtemp(prefix="child-", dir=self._folder)
        if self.kind == "zygote":
            process: Process | _Forked = self._fork()
        else:
            self.warm()
            assert self._reserve is not None
            process, self._reserve = self._reserve, None
        setup = {
            "scratch": scratch,
            "output": os.path.join(scratch, "printed.txt"),
            "allowed": None if names is None else list(names),
            "limits": asdict(layers.Limits(memory=MEMORY[self.profile], cpu=cpu)),
            "readable": readable_paths(names),
            "kernel": self.kind == "zygote",
        }
        child = Child(process, scratch)
        child.request(setup, START if self.kind == "zygote" else WARM_UP)
        if self.kind == "spawn":
            self.warm()
        return child

    def _fork(self) -> _Forked:
        for _ in range(2):
            zygote = self._warm_zygote()
            ours, theirs = socket.socketpair()
            try:
                descriptor = theirs.fileno()
                socket.send_fds(zygote.channel, [b"f"], [descriptor])
                pid = NUMBER.unpack(frames._exactly(zygote.channel, NUMBER.size))[0]
                return _Forked(zygote, pid, ours)
            except (OSError, EOFError):
                ours.close()
                zygote.kill()
                self._zygote = None
            finally:
                theirs.close()
        raise SandboxError("the sandbox's zygote keeps ending: run `groundup doctor`")


class Process:
    """A process of our own that runs a module: the zygote, a spawned worker that becomes a child, a kernel of cells."""

    def __init__(self, module: str, profile: str) -> None:
        ours, theirs = socket.socketpair()
        self.channel = ours
        threads = {
            name: "1"
            for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
        }
        environment = {"PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1", **threads}
        command = [sys.executable, "-I", "-c", _BOOT, module, profile, str(os.getpid()), str(theirs.fileno())]
        try:
            self._popen = (
                _starter()
                .submit(
                    subprocess.Popen,
                    command,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,
                )
                .result()
            )
        except OSError as problem:
            ours.close()
            raise SandboxError(f"the sandbox cannot start a process: {problem.strerror}") from None
        finally:
            theirs.close()
        self.pid = self._popen.pid

    def wait_ready(self) -> None:
        self.channel.settimeout(WARM_UP)
        try:
            ready = self.channel.recv(1)
        except OSError:
            ready = b""
        if ready != b"r":
            self.kill()
            raise SandboxError("the sandbox's zygote did not start: run `groundup doctor`")

    def ended(self) -> bool:
        return self._popen.poll() is not None

    def interrupt(self) -> None:
        """What Ctrl-C does."""
        self._popen.send_signal(signal.SIGINT)

    def kill(self) -> int:
        """Kills the process and its session; the wait status."""
        _kill_session(self.pid)
        self.channel.close()
        return self._popen.wait()


@lru_cache(maxsize=1)
def _starter() -> ThreadPoolExecutor:
    """One thread that lasts as long as this process: the kernel takes the end of the thread that forked for the parent's."""
    return ThreadPoolExecutor(1, thread_name_prefix="sandbox")


_BOOT = """
import os, runpy, sys
module, profile, parent, channel = sys.argv[1:]
if channel != "3":
    os.dup2(int(channel), 3, inheritable=True)
    os.close(int(channel))
sys.argv = [module, profile, parent]
runpy.run_module(module, run_name="__main__")
"""


class _Forked:
    """A child of the zygote, which waits for it on our behalf."""

    def __init__(self, zygote: Process, pid: int, channel: socket.socket) -> None:
        self._zygote, self.pid, self.channel = zygote, pid, channel

    def kill(self) -> int:
        _kill_session(self.pid)
        self.channel.close()
        try:
            self._zygote.channel.sendall(b"w" + NUMBER.pack(self.pid))
            status = NUMBER.unpack(frames._exactly(self._zygote.channel, NUMBER.size))[0]
            return os.waitstatus_to_exitcode(status)
        except (OSError, EOFError, ValueError):
            return -signal.SIGKILL


def _kill_session(pid: int) -> None:
    for kill in (os.killpg, os.kill):
        try:
            kill(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue


class Child:
    """One sandboxed process with its channel and its folder."""

    def __init__(self, process: Process | _Forked, scratch: str) -> None:
        self._process = process
        self._scratch = scratch
        self._closed = False
        self._inbox = _Inbox(process.channel)
        self.printed = ""

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trail: TracebackType | None
    ) -> None:
        self.close()

    def request(self, message: dict[str, Any], seconds: float) -> dict[str, Any]:
        """One request, one answer."""
        return next(self.answers(message, 1, seconds))

    def answers(self, message: dict[str, Any] | bytes, count: int, seconds: float) -> Iterator[dict[str, Any]]:
        """One request (or the frame of one), `count` answers, all within so many seconds. ChildDied, ChildLate."""
        if self._closed:
            raise ChildDied("the process had ended")
        self._inbox.deadline = time.monotonic() + seconds
        try:
            self._process.channel.settimeout(seconds)
            self._process.channel.sendall(message if isinstance(message, bytes) else frames.encode(message))
            for _ in range(count):
                yield _well_formed(frames.receive(self._inbox))
        except TimeoutError:
            self.close()
            raise ChildLate from None
        except frames.FrameError as problem:
            self.close()
            raise ChildDied(f"your code wrote to a channel that is not its own ({problem})") from None
        except (EOFError, ConnectionError, BrokenPipeError):
            raise ChildDied(self._reason()) from None

    def _reason(self) -> str:
        return ending(self.close())

    def close(self) -> int:
        """Ends the child, keeps the beginning of what it printed, removes its folder; how it ended."""
        if self._closed:
            return 0
        self._closed = True
        status = self._process.kill()
        self.printed = self._read_output()
        remove_folder(self._scratch)
        return status

    def _read_output(self) -> str:
        path = Path(self._scratch, "printed.txt")
        try:
            if path.is_symlink() or not path.is_file():
                return ""
            with path.open("rb") as file:
                return file.read(OUTPUT_SHOWN).decode(errors="replace")
        except OSError:
            return ""


def ending(status: int) -> str:
    """How a process ended before it had answered, as a clause about the learner's code."""
    if status >= 0:
        return f"your code ended the process (exit status {status}) before it had answered"
    if -status == signal.SIGXCPU:
        return "your code used up its processor time"
    if -status == signal.SIGKILL:
        return "your code closed the channel on which it was to answer, or the system ended the process"
    name = signal.Signals(-status).name if -status in signal.Signals._value2member_map_ else str(-status)
    return f"the process was ended by {name}" + (
        ": memory that is not yours, or a recursion too deep" if -status == signal.SIGSEGV else ""
    )


def _well_formed(answer: Any) -> dict[str, Any]:
    """The answer in the form that `inside` gives it, long texts clipped; FrameError for what `inside` never says."""
    if not isinstance(answer, dict) or not all(isinstance(key, str) for key in answer):
        raise frames.FrameError("an answer of the wrong form")
    form = dict(answer)
    for key in {"mutated", "missing"} & form.keys():
        form[key] = [_text(item) for item in _list(form[key])]
    if "raised" in form:
        raised = form["raised"]
        if not isinstance(raised, dict):
            raise frames.FrameError("an exception of the wrong form")
        trail = [tuple(_list(frame)) for frame in _list(raised.get("frames"))]
        if not all(len(frame) == 3 and type(frame[1]) in (int, type(None)) for frame in trail):
            raise frames.FrameError("a traceback of the wrong form")
        form["raised"] = {
            **{key: raised.get(key) is True for key in ("memory", "forbidden", "unwritten", "absent")},
            "type": _text(raised.get("type")),
            "message": _text(raised.get("message")),
            "frames": [(_text(file), line, _text(name)) for file, line, name in trail],
        }
    return form


def _list(x: Any) -> list[Any]:
    if not isinstance(x, (list, tuple)):
        raise frames.FrameError("an answer of the wrong form")
    return list(x[:LIST_CAP])


def _text(x: Any) -> str:
    """At most so many characters, none of them half of a surrogate pair."""
    if not isinstance(x, str):
        raise frames.FrameError("an answer of the wrong form")
    return x[:TEXT_CAP].encode("utf-8", "replace").decode()


def remove_folder(folder: str) -> None:
    """Removes a folder, of whatever form a child has left it: nested beyond what a path or the call stack can hold."""
    with contextlib.suppress(OSError, RecursionError):
        shutil.rmtree(folder)
    number, token = 0, secrets.token_hex(8)
    with contextlib.suppress(OSError):  # what cannot be removed stays in the temporary folder
        while found := list(os.scandir(folder)):
            for entry in found:
                if not entry.is_dir(follow_symlinks=False):
                    os.unlink(entry.path)
                    continue
                os.chmod(entry.path, 0o700)
                for inner in os.scandir(entry.path):
                    number += 1  # two levels down becomes one: each round takes one level away
                    if inner.is_dir(follow_symlinks=False):
                        os.chmod(inner.path, 0o700)
                    os.rename(inner.path, os.path.join(folder, f"{token}-{number}"))
                os.rmdir(entry.path)
        os.rmdir(folder)


class _Inbox:
    """What has come from a child: read in large pieces, under one deadline, so that a child cannot live on by the byte."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._buffer = bytearray()
        self.deadline = 0.0  # time.monotonic()

    def recv(self, count: int) -> bytes:
        """At most `count` bytes; TimeoutError past the deadline."""
        if not self._buffer:
            left = self.deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._channel.settimeout(left)
            self._buffer += self._channel.recv(READ)
        chunk = bytes(self._buffer[:count])
        del self._buffer[:count]
        return chunk
