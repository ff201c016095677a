"""Weights & Biases: a run for each run in a project, online, or offline into a folder for `wandb sync` to send later.

At least once: its client sends behind our back and says that all has arrived only when it is closed, so that is when the cursor moves. If
we are killed before, the rows since the last time are sent again, and stand in the history twice. It cannot take a row back:
where a run goes on from an earlier step, the steps that it had before stay as first sent. Offline, each sync of a run makes another
folder with the same run id: `wandb sync --append` brings the later ones up.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

from ..formats import Point, Row
from .mlflow import key_of
from .outbox import SinkError


class WandB:
    """A project (or ENTITY/PROJECT), as the Sink of outbox.py; `folder` is where its own files go."""

    rewinds = False

    def __init__(self, project: str, folder: Path, offline: bool) -> None:
        try:
            import wandb
        except ImportError:
            raise SinkError("Weights & Biases is not installed: pip install 'groundup[wandb]'") from None
        self._wandb = wandb
        self.entity, _, self.project = project.rpartition("/")
        self.folder, self.offline = Path(folder), offline
        self.key = f"wandb {project}" + (f" offline in {self.folder}" if offline else "")
        self._run: Any = None

    def start(self, row: Row, state: dict[str, Any]) -> bool:
        """Opens the run under its id."""
        os.environ.setdefault("WANDB_SILENT", "true")
        state["id"] = key_of(row)
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._explained():
            self._run = self._wandb.init(
                project=self.project,
                entity=self.entity or None,
                dir=str(self.folder),
                id=state["id"],
                name=row.name,
                group=row.recipe,
                resume="allow",
                mode="offline" if self.offline else "online",
                reinit="finish_previous",
                save_code=False,
                settings=self._wandb.Settings(
                    disable_git=True, console="off", x_disable_stats=True, x_disable_meta=True
                ),
            )
            self._run.define_metric("*", step_metric="step")
        return True

    def params(self, row: Row, values: Mapping[str, Any], state: dict[str, Any]) -> None:
        """As the run's config."""
        with self._explained():
            self._run.config.update(dict(values), allow_val_change=True)

    def rewind(self, row: Row, step: int, state: dict[str, Any]) -> None:
        """Cannot be done."""
        raise NotImplementedError

    def metrics(self, row: Row, points: Sequence[Point], state: dict[str, Any]) -> None:
        """One row of history for each step, with the step as a column."""
        with self._explained():
            for step, some in groupby(points, key=lambda point: point.step):
                together = list(some)
                values = {point.name: point.value for point in together}
                self._run.log({"step": step, "time": together[0].time, **values})

    def artifact(self, row: Row, name: str, path: Path, state: dict[str, Any]) -> None:
        """As a file of the run."""
        with self._explained():
            self._run.save(str(path), base_path=str(path.parents[len(Path(name).parts) - 1]), policy="now")

    def status(self, row: Row, attempt: int, state: dict[str, Any]) -> None:
        """In the summary, with the final metrics."""
        with self._explained():
            final = {f"final/{name}": value for name, value in row.result.items()}
            self._run.summary.update({"status": row.status, "attempts": attempt, **final})

    def safe(self, state: dict[str, Any]) -> bool:
        """Not known before `finish`."""
        return False

    def finish(self, row: Row, state: dict[str, Any]) -> None:
        """Waits until all is sent, or on the disk where we are offline."""
        with self._explained():
            self._run.finish(exit_code=0 if row.status in ("running", "finished", "pruned") else 1)
        self._run = None

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (self._wandb.Error, OSError) as problem:
            said = " ".join(str(problem).split())[:300]
            raise SinkError(f"Weights & Biases refuses ({said}): nothing is lost, sync again later") from None
