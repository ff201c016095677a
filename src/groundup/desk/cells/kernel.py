"""One kernel: a process in which the cells of a lesson run, started, fed, interrupted and ended from here.

What the process says is data and nothing else (outputs.py). It is confined before it runs anything (interpreter.py);
the time it takes, what it says and what it writes are limited from this side, which it cannot reach.
"""

from __future__ import annotations

import contextlib
import os
import socket
import tempfile
import threading
import time
from dataclasses import asdict
from pathlib import Path

import groundup

from ...course import courses
from ...course.holes.library import reference_root
from ...course.sandbox import SandboxError, frames, layers
from ...course.sandbox.frames import FrameError
from ...course.sandbox.host import WARM_UP, Process, ending, kind_here, readable_paths, remove_folder
from ...data.catalogue import cache_folder, mirror_folder
from .outputs import Inbox, Output, read

SECONDS = 120.0  # that a cell may run
GRACE = 2.0  # seconds from an interrupt to the end of who does not heed it
AGAIN = 0.4  # seconds between two interrupts
TOGETHER = 500  # outputs that are taken at once
TICK = 1.0  # seconds between two signs of life
LIMITS = layers.Limits(memory=8 << 30, cpu=3600, file_size=256 << 20, open_files=256)
SAID = 32 << 20  # bytes that one cell may send
MESSAGES = 20_000
WRITTEN = 1 << 30  # bytes in the kernel's folder
FILES = 10_000
GONE = "All names are gone: run the cells from the top."


class Busy(Exception):
    """A cell of this lesson is running."""


def readable(workspace: Path) -> list[str]:
    """What cells may read: every package that is installed, the reference, the data, the learner's library."""
    data = [str(folder) for folder in (mirror_folder(), cache_folder()) if folder is not None]
    reference = {str(Path(groundup.__file__).parent), str(reference_root())}  # a pack may build on groundup
    return [*readable_paths(None), *sorted(reference), str(workspace / "mine"), *data]


class Kernel:
    """A process, and the namespace in it. `run` and `stop` may be called from any thread."""

    def __init__(self, workspace: Path, seconds: float = SECONDS) -> None:
        self.used = time.monotonic()
        self._seconds = seconds
        self._lock = threading.RLock()
        self._turn = threading.Lock()
        self._cells = 0
        self._run: Run | None = None
        self._ended = ""
        self._scratch = tempfile.mkdtemp(prefix="groundup-cells-")
        try:
            self._process = Process("groundup.desk.cells.interpreter", "cells")
            self._inbox = Inbox(self._process.channel)
            self._begin(workspace)
        except BaseException:
            remove_folder(self._scratch)
            raise

    def _begin(self, workspace: Path) -> None:
        setup = {
            "scratch": self._scratch,
            "output": os.path.join(self._scratch, "printed.txt"),
            "allowed": None,
            "limits": asdict(LIMITS),
            "readable": readable(workspace),
            "kernel": kind_here() == "zygote",
            "workspace": str(workspace),
            "package": str(course.package) if (course := courses.current()) is not None else "",
            "environment": {
                "JOBLIB_MULTIPROCESSING": "0",  # it would warn that it cannot
                "MPLBACKEND": "module://groundup.desk.cells.plotting",
                "MPLCONFIGDIR": os.path.join(self._scratch, "matplotlib"),
                "GROUNDUP_DATA": str(mirror_folder() or cache_folder()),
            },
        }
        try:
            self._process.channel.settimeout(WARM_UP)
            self._process.channel.sendall(frames.encode(setup))
            self._inbox.next(WARM_UP)
        except (OSError, EOFError, FrameError):
            self._process.kill()
            raise SandboxError("the process for cells did not start: run `groundup doctor`") from None

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return not self._ended and not self._process.ended()

    @property
    def busy(self) -> bool:
        """Whether a cell is running."""
        return self._turn.locked()

    def run(self, code: str, name: str, note: str = "") -> Run:
        """Starts a cell; Busy while another runs. A note comes before its outputs. The run is to be closed."""
        if not self._turn.acquire(blocking=False):
            raise Busy
        self._cells += 1
        self._run = Run(self, self._cells, self._seconds, note)
        with contextlib.suppress(OSError):  # the run finds out how it ended
            self._process.channel.settimeout(GRACE)
            self._process.channel.sendall(frames.encode({"cell": self._cells, "code": code, "name": name}))
        return self._run

    def stop(self) -> None:
        """Interrupts the cell that runs, and ends the process if it does not heed that."""
        with self._lock:
            if self._run is not None:
                self._run.interrupt()

    def interrupt(self) -> None:
        """What Ctrl-C does."""
        with self._lock:
            if not self._ended:
                self._process.interrupt()

    def receive(self, seconds: float) -> tuple[int, Output]:
        """The next message: the cell it is about, and the output."""
        return read(self._inbox.next(seconds))

    def over(self) -> None:
        """Makes room for the next cell."""
        with self._lock:
            self._run = None
            self.used = time.monotonic()
            if self._turn.locked():
                self._turn.release()

    def end(self, why: str = "") -> str:
        """Ends the process with all that it has started, and removes its folder; how it ended, for the first to ask."""
        with self._lock:
            if not self._ended:
                with contextlib.suppress(OSError):
                    self._process.channel.shutdown(socket.SHUT_RDWR)  # whoever reads there is told
                status = self._process.kill()
                self._ended = why or ending(status)
                remove_folder(self._scratch)
            return self._ended

    def overflowing(self) -> bool:
        """Whether its folder holds more than a cell has any use for."""
        size = count = 0
        for folder, _, names in os.walk(self._scratch):
            for name in names:
                count += 1
                try:
                    size += os.lstat(os.path.join(folder, name)).st_size
                except OSError:
                    continue
                if size > WRITTEN or count > FILES:
                    return True
        return False


class Run:
    """One run of one cell: what comes of it, piece by piece, until it is over."""

    def __init__(self, kernel: Kernel, cell: int, seconds: float, note: str) -> None:
        self.over = False
        self._note = note
        self._kernel, self._cell, self._seconds = kernel, cell, seconds
        self._begun = self._looked = time.monotonic()
        self._interrupted: float | None = None
        self._asked = 0.0
        self._late = False
        self._said = self._messages = 0

    def next(self, seconds: float = TICK) -> Output | None:
        """What comes next, None if nothing has come within so many seconds. The last output is of the kind `done`."""
        if self.over:
            return None
        if self._note:
            text, self._note = self._note, ""
            return {"kind": "note", "text": text}
        try:
            return self._next(seconds)
        except TimeoutError:
            return None
        except FrameError:
            return self._ended("the cell wrote to a channel that is not its own")
        except EOFError:
            return self._ended("")

    def some(self, seconds: float = TICK) -> list[Output]:
        """What comes next, and what has come along with it; nothing if nothing has come within so many seconds."""
        found: list[Output] = []
        while len(found) < TOGETHER and (output := self.next(0.0 if found else seconds)) is not None:
            found.append(output)
        return found

    def _next(self, seconds: float) -> Output:
        until = time.monotonic() + seconds
        while True:
            if why := self._watch(time.monotonic()):
                return self._ended(why)
            alarm = self._begun + self._seconds if self._interrupted is None else self._asked + AGAIN
            try:
                cell, output = self._kernel.receive(max(0.0, min(until, alarm + 0.01) - time.monotonic()))
            except TimeoutError:
                if time.monotonic() < until:
                    continue
                raise
            self._messages += 1
            self._said += sum(len(part) for part in output.values() if isinstance(part, str))
            if self._said > SAID or self._messages > MESSAGES:
                return self._ended("the cell said more than a page can hold")
            if cell == self._cell:  # what comes late from an earlier cell's threads is nobody's
                return self._done(output["how"]) if output["kind"] == "done" else output

    def _watch(self, now: float) -> str:
        """Interrupts a cell whose time is over; why its process must end, if it must."""
        if self._interrupted is None and now > self._begun + self._seconds:
            self._late = True
            self.interrupt()
        if self._interrupted is not None and now > self._interrupted + GRACE:
            return f"the cell was stopped{f' after {self._seconds:g} s' if self._late else ''}, and did not heed it"
        if self._interrupted is not None and now > self._asked + AGAIN:  # the first may have come before the cell began
            self._asked = now
            self._kernel.interrupt()
        if now > self._looked + TICK:
            self._looked = now
            if self._kernel.overflowing():
                return "the cell wrote more than cells may: 1 GiB, or 10,000 files"
        return ""

    def interrupt(self) -> None:
        """Asks the cell to stop; it has a moment to do so."""
        if self._interrupted is None:
            self._interrupted = self._asked = time.monotonic()
            self._kernel.interrupt()

    def close(self) -> None:
        """Sees the run to its end, stopping it if it goes on: for when nobody reads on."""
        if not self.over:
            self.interrupt()
        while not self.over:
            self.next()

    def _done(self, how: str) -> Output:
        says = ""
        if how == "stopped":
            says = f"Stopped after {self._seconds:g} s: a cell may not run longer." if self._late else "Stopped."
        return self._finish(how, says)

    def _ended(self, why: str) -> Output:
        reason = self._kernel.end(why)
        return self._finish("ended", f"{reason[:1].upper()}{reason[1:]}. {GONE}")

    def _finish(self, how: str, says: str) -> Output:
        self.over = True
        self._kernel.over()
        seconds = round(time.monotonic() - self._begun, 3)
        return {"kind": "done", "how": how, "says": says, "seconds": seconds}
