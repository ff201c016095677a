"""The executor for a cluster: Ray tasks that do what a local worker does, with token authentication on.

The nodes need groundup, its lessons and their data, and nothing of the class: a task is given the files' bytes and answers with
the result's. A pack goes with the tasks, once to each node, under the trust of whoever grades. Who can reach a cluster can run code on it, so no cluster is started or joined without a token
(https://docs.ray.io/en/latest/ray-security/token-auth.html).
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..checking.scratch import own_scratch
from ..courses import current, use
from ..judging.judge import Judge
from ..packs.carrying import carried, put_down
from ..workspace.workspace import WorkspaceError
from .executors import ATTEMPTS, Ended
from .grading import Terms, Unit, grade

STARTING = 120.0  # seconds that a node may take beside a submission's own: a process, its imports, the cases and truths
BACKSTOP = 5.0  # seconds after which the size of the cluster is looked at again


_warm: list[Judge] = []  # of this process of Ray's, which serves one grading; the next one clears its folder away


def _judge(pack: Sequence[Any]) -> Judge:
    """The judge, made at the first task; `pack` is a reference to the pack, or nothing where the course is groundup's own."""
    import ray

    if not _warm:
        contextlib.ExitStack().enter_context(own_scratch())
        for reference in pack:
            use(put_down(ray.get(reference), Path(tempfile.mkdtemp(prefix="pack-")).resolve()))
        _warm.append(Judge())
    return _warm[0]


def on_node(unit: Unit, terms: Terms, pack: Sequence[Any]) -> tuple[str, bytes]:
    """A unit graded where Ray has put it: the node's id, and the result."""
    import ray

    return str(ray.get_runtime_context().get_node_id()), grade(unit, terms, _judge(pack))


class OnRay:
    """Units graded by the cluster at an address, or by one of this machine's own that lasts as long as this object.

    WorkspaceError if the cluster cannot be joined.
    """

    def __init__(self, terms: Terms, seconds: float, address: str | None = None, workers: int | None = None) -> None:
        with contextlib.ExitStack() as leave:
            leave.enter_context(contextlib.redirect_stdout(sys.stderr))  # Ray tells of lost nodes where we give results
            self._ray = _joined(address, workers)
            leave.callback(self._ray.shutdown)  # before stdout is given back: it may still tell
            self._leave = leave.pop_all()
        self._task: Any = self._ray.remote(num_cpus=1, max_retries=0, scheduling_strategy="SPREAD")(on_node)
        self._terms, self._seconds, self._most = terms, seconds, workers
        pack = current()
        self._pack = (
            [] if pack is None else [self._ray.put(carried(pack))]
        )  # in a list: fetched where it is first needed
        self._waiting: deque[tuple[Unit, int]] = deque()
        self._busy: dict[Any, tuple[Unit, int, float]] = {}
        self.nodes: set[str] = set()  # that have graded something

    def submit(self, job: Unit) -> None:
        self._waiting.append((job, 1))

    def as_completed(self) -> Iterator[tuple[Unit, bytes | Ended]]:
        while self._waiting or self._busy:
            room = self._most or max(1, int(self._ray.cluster_resources().get("CPU", 1)))
            while self._waiting and len(self._busy) < room:
                unit, attempt = self._waiting.popleft()
                until = time.monotonic() + STARTING + self._seconds
                self._busy[self._task.remote(unit, self._terms, self._pack)] = unit, attempt, until
            done, _ = self._ray.wait(list(self._busy), num_returns=1, timeout=BACKSTOP)
            for task in done:
                yield from self._hear(task)
            for task in [task for task, (_, _, until) in self._busy.items() if until <= time.monotonic()]:
                unit, _, _ = self._busy.pop(task)
                self._ray.cancel(task, force=True)
                yield unit, Ended(f"Judging it took more than {self._seconds:g} s, and was ended.")

    def cancel(self) -> None:
        self._waiting.clear()
        for task in self._busy:
            with contextlib.suppress(self._ray.exceptions.RayError):
                self._ray.cancel(task, force=True)
        self._busy.clear()
        self._leave.close()

    def _hear(self, task: Any) -> Iterator[tuple[Unit, bytes | Ended]]:
        unit, attempt, _ = self._busy.pop(task)
        try:
            node, answer = self._ray.get(task)
        except self._ray.exceptions.RayError as problem:
            if attempt < ATTEMPTS:
                self._waiting.appendleft((unit, attempt + 1))
            else:
                says = str(problem).strip().splitlines()[-1][:300]
                yield unit, Ended(f"The judge itself failed twice while it judged this: {says}")
            return
        self.nodes.add(node)
        yield unit, answer


def _joined(address: str | None, workers: int | None) -> Any:
    """Ray's module, connected: to the cluster at the address, or to one that it has started."""
    os.environ["RAY_AUTH_MODE"] = "token"
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR", "address": address or "local"}
    if address is None:
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
        options |= {"include_dashboard": False, "num_cpus": workers}
    else:
        os.environ.setdefault(
            "RAY_gcs_server_port_wait_time_s", "1"
        )  # one attempt to join, not twenty of a minute each
    import ray

    try:
        ray.init(**options)
    except Exception as problem:  # Ray has no class of its own for these
        why = (str(problem).strip().splitlines() or [type(problem).__name__])[0]
        where = f"the Ray cluster at {address}" if address is not None else "Ray on this machine"
        raise WorkspaceError(f"{where} cannot be had ({why}): is it up, and is RAY_AUTH_TOKEN its token?") from None
    return ray
