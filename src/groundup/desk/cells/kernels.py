"""The kernels of one desk: one for each lesson whose cells run, few at a time, and none that nobody uses."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from pathlib import Path
from weakref import WeakKeyDictionary

from ...course.sandbox import SandboxError
from ..place import Place
from .kernel import SECONDS, Kernel, Run

ALIVE = 4  # kernels at a time
IDLE = 20 * 60.0  # seconds without a cell after which a kernel ends
FORGOTTEN = "this lesson's cells made room for those of another"
RESTED = "nothing ran in this lesson for 20 minutes"
RESTARTED = "the cells were restarted"
CLOSED = "the desk was closed"


class Kernels:
    """The kernels by lesson. Every method may be called from any thread."""

    def __init__(self, workspace: Path, alive: int = ALIVE, idle: float = IDLE, seconds: float = SECONDS) -> None:
        self._workspace, self._alive, self._idle, self._seconds = workspace, alive, idle, seconds
        self._kernels: OrderedDict[str, Kernel] = OrderedDict()  # the one used last comes last
        self._lost: dict[str, str] = {}  # lesson -> why a kernel ended that nobody had asked to
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._keeper: threading.Thread | None = None

    def run(self, lesson: str, code: str, cell: int) -> Run:
        """Starts a cell, in a fresh kernel where the lesson has none that lives. Busy while another of its cells runs."""
        with self._lock:
            if self._closed.is_set():
                raise SandboxError("the desk is closing")
            kernel = self._kernels.get(lesson)
            if kernel is None or not kernel.alive:
                kernel = self._start(lesson)
            self._kernels.move_to_end(lesson)
            why = self._lost.pop(lesson, "")
            note = f"{why[:1].upper()}{why[1:]}, and its names are gone: run the cells from the top." if why else ""
            return kernel.run(code, f"<cell {cell + 1}>", note)

    def _start(self, lesson: str) -> Kernel:
        self._drop(lesson, RESTARTED)
        while len(self._kernels) >= self._alive:
            resting = [name for name, kernel in self._kernels.items() if not kernel.busy]
            self._drop((resting or list(self._kernels))[0], FORGOTTEN)
        if self._keeper is None:
            self._keeper = threading.Thread(target=self._keep, name="kernels", daemon=True)
            self._keeper.start()
        kernel = self._kernels[lesson] = Kernel(self._workspace, self._seconds)
        return kernel

    def stop(self, lesson: str) -> bool:
        """Interrupts the cell of a lesson that runs; False if none does."""
        with self._lock:
            kernel = self._kernels.get(lesson)
        if kernel is None or not kernel.busy:
            return False
        kernel.stop()
        return True

    def restart(self, lesson: str) -> None:
        """Ends a lesson's kernel: the next cell runs in a fresh one."""
        with self._lock:
            self._drop(lesson, RESTARTED)

    def alive(self) -> list[str]:
        """The lessons that have a kernel, the one used last at the end."""
        with self._lock:
            return [name for name, kernel in self._kernels.items() if kernel.alive]

    def close(self) -> None:
        """Ends them all."""
        self._closed.set()
        with self._lock:
            for lesson in list(self._kernels):
                self._drop(lesson, CLOSED)

    def _drop(self, lesson: str, why: str) -> None:
        kernel = self._kernels.pop(lesson, None)
        if kernel is not None:
            kernel.end(why)
            if why in (FORGOTTEN, RESTED):
                self._lost[lesson] = why

    def _keep(self) -> None:
        """Ends kernels that have rested too long."""
        while not self._closed.wait(self._until_next()):
            with self._lock:
                for lesson, kernel in list(self._kernels.items()):
                    if not kernel.busy and time.monotonic() >= kernel.used + self._idle:
                        self._drop(lesson, RESTED)

    def _until_next(self) -> float:
        """Seconds until a kernel may have rested long enough."""
        with self._lock:
            waiting = [kernel.used for kernel in self._kernels.values() if not kernel.busy]
        return max(0.01, min(waiting, default=time.monotonic()) + self._idle - time.monotonic())


_of: WeakKeyDictionary[Place, Kernels] = WeakKeyDictionary()


def kernels_of(place: Place) -> Kernels:
    """The kernels of a desk, made when they are first asked for, and closed with it. To be called in its loop."""
    if place not in _of:
        _of[place] = Kernels(place.root)
        place.closers.append(_of[place].close)
    return _of[place]
