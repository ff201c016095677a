"""Where a class is judged: an executor takes jobs, and gives each back with its answer or with how it ended.

Three methods are all there is to one. What comes back comes in any order. A job whose process dies is tried once more in
another; a job that takes too long is ended; neither touches the jobs beside it.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe, wait
from typing import Generic, NoReturn, Protocol, TypeVar

from ..sandbox.layers import die_with_parent

J = TypeVar("J")
ATTEMPTS = 2  # a process may have died of its neighbours
ANSWERED, FAILED = b"=", b"!"


@dataclass(frozen=True)
class Ended:
    """Why a job has no answer, as a sentence."""

    says: str


class Executor(Protocol[J]):
    """Judges jobs somewhere."""

    def submit(self, job: J) -> None:
        """Takes a job. Nothing need happen yet."""

    def as_completed(self) -> Iterator[tuple[J, bytes | Ended]]:
        """Every job that was submitted, as it is done."""

    def cancel(self) -> None:
        """Ends what is being done and forgets what is not; nothing is left running."""


def processors() -> int:
    """How many of them this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass
class _Worker(Generic[J]):
    """A process with a pipe, and the job that it has."""

    pid: int
    pipe: Connection
    job: J
    attempt: int
    until: float  # time.monotonic()

    def kill(self) -> int:
        """Ends it, and by that the sandbox it keeps; the wait status."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self.pipe.close()
        return os.waitpid(self.pid, 0)[1]


class Local(Generic[J]):
    """Processes of this machine. Each is forked from this one, so what was made ready before `as_completed` is there.

    `work` runs in a worker, and what it keeps between jobs stays warm there; `seconds` is what one job may take.
    """

    def __init__(self, work: Callable[[J], bytes], workers: int, seconds: float) -> None:
        self._work, self._count, self._seconds = work, workers, seconds
        self._waiting: deque[tuple[J, int]] = deque()
        self._busy: list[_Worker[J]] = []
        self._idle: list[_Worker[J]] = []

    def submit(self, job: J) -> None:
        self._waiting.append((job, 1))

    def as_completed(self) -> Iterator[tuple[J, bytes | Ended]]:
        gc.freeze()  # what the workers share with this process stays shared
        try:
            while self._waiting or self._busy:
                while self._waiting and len(self._busy) < self._count:
                    self._give(*self._waiting.popleft())
                first = min(worker.until for worker in self._busy)
                heard = wait([worker.pipe for worker in self._busy], max(0.0, first - time.monotonic()))
                for worker in [worker for worker in self._busy if worker.pipe in heard]:
                    yield from self._hear(worker)
                for worker in [worker for worker in self._busy if worker.until <= time.monotonic()]:
                    self._busy.remove(worker)
                    worker.kill()
                    yield worker.job, Ended(f"Judging it took more than {self._seconds:g} s, and was ended.")
        finally:
            self.cancel()

    def cancel(self) -> None:
        self._waiting.clear()
        for worker in (*self._busy, *self._idle):
            worker.kill()
        self._busy.clear()
        self._idle.clear()

    def _give(self, job: J, attempt: int) -> None:
        """Hands a job to a process that is idle, or to a new one."""
        while self._idle:
            worker = self._idle.pop()
            worker.job, worker.attempt, worker.until = job, attempt, time.monotonic() + self._seconds
            try:
                worker.pipe.send(job)
            except OSError:  # it has died while it had nothing to do
                worker.kill()
                continue
            self._busy.append(worker)
            return
        self._busy.append(self._start(job, attempt))

    def _start(self, job: J, attempt: int) -> _Worker[J]:
        ours, theirs = Pipe()
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._serve(theirs, ours, parent, job)
        theirs.close()
        return _Worker(pid, ours, job, attempt, time.monotonic() + self._seconds)

    def _serve(self, pipe: Connection, other: Connection, parent: int, job: J) -> NoReturn:
        """The worker: one job after another until nobody is there to give one."""
        try:
            die_with_parent(parent)
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to hear
            other.close()
            for sibling in (*self._busy, *self._idle):
                sibling.pipe.close()
            with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
                while True:
                    pipe.send_bytes(_tried(self._work, job))
                    job = pipe.recv()
        finally:
            os._exit(0)

    def _hear(self, worker: _Worker[J]) -> Iterator[tuple[J, bytes | Ended]]:
        """What a worker has to say: an answer, or by its end that there is none."""
        self._busy.remove(worker)
        try:
            heard = worker.pipe.recv_bytes()
        except (EOFError, OSError):
            heard = FAILED + _how(worker.kill()).encode()
        else:
            if heard.startswith(ANSWERED):
                self._idle.append(worker)
                yield worker.job, heard[1:]
                return
            worker.kill()  # what it keeps warm may no longer be what it was
        if worker.attempt < ATTEMPTS:
            self._waiting.appendleft((worker.job, worker.attempt + 1))
        else:
            says = heard[1:].decode(errors="replace")
            yield worker.job, Ended(f"The judge itself failed twice while it judged this: {says}.")


def _tried(work: Callable[[J], bytes], job: J) -> bytes:
    """The answer, or what was raised in its place, each with its mark."""
    try:
        return ANSWERED + work(job)
    except Exception as problem:
        return FAILED + f"{type(problem).__name__}: {problem}".encode(errors="replace")


def _how(status: int) -> str:
    """How a process ended, by its wait status."""
    code = os.waitstatus_to_exitcode(status)
    return f"signal {-code}" if code < 0 else f"exit status {code}"
