"""`groundup sync`: brings another tracker up to date with the record of runs."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from ..lab.recipe import RecipeError
from ..lab.record import Records
from ..lab.sinks.outbox import Sink, SinkError, alone, send
from .training import records

SINKS = ("mlflow", "tensorboard", "wandb")
POLL, PATIENCE = 2.0, 60.0  # seconds from one look to the next; at most, while the sink is away


def sync(names: Sequence[str], to: tuple[str, str], follow: bool, offline: bool) -> int:
    """0 if the sink has everything; with `follow` until Ctrl-C. SinkError if it cannot be reached."""
    with records() as kept:
        sink = _sink(*to, offline, kept)
        with alone(sink, kept):
            if not follow:
                return _send(kept, sink, names)
            pause, wait = POLL, threading.Event()
            print(f"following into {sink.key}; Ctrl-C ends it")
            while True:
                try:
                    _send(kept, sink, names)
                    pause = POLL
                except SinkError as problem:
                    if pause == POLL:
                        print(problem, file=sys.stderr, flush=True)
                    pause = min(2 * pause, PATIENCE)
                wait.wait(pause)


def _send(kept: Records, sink: Sink, names: Sequence[str]) -> int:
    kept.mark_killed()
    rows = [row for name in names for row in (kept.runs(name) or [kept.find(name)])] if names else kept.runs()
    for row in sorted({row.id: row for row in rows}.values(), key=lambda row: row.id):
        count = send(kept, sink, row)
        if count:
            print(f"{row.name}: {count} metrics to {sink.key}", flush=True)
    return 0


def _sink(kind: str, place: str, offline: bool, kept: Records) -> Sink:
    if kind == "mlflow":
        from ..lab.sinks.mlflow import MLflow

        return MLflow(place)
    if kind == "tensorboard":
        from ..lab.sinks.tensorboard import TensorBoard

        return TensorBoard(Path(place))
    if kind == "wandb":
        from ..lab.sinks.wandb import WandB

        return WandB(place, kept.folder / "wandb", offline)
    raise RecipeError(f"there is no sink {kind!r}: it is one of {', '.join(SINKS)}")
