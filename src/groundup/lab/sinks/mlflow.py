"""MLflow: a run for each run, in an experiment for each recipe, over its client, with explicit times and steps.

A metric, parameter, tag or file that is sent twice is there once: MLflow knows a metric by its name, step, time and value. It cannot take a
metric back: where a run goes on from an earlier step, the steps that it had before stay as they were first sent. A run that goes on
goes on under its id, and one that was deleted there is sent anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from ..formats import Point, Row
from .outbox import SinkError

NOT_IN_NAMES = re.compile(r"[^\w\-. /:]")
LONGEST = 5000  # characters of a parameter, and fewer than MLflow's own limits
PARAMETERS = 100  # in a batch
STATUS = {"running": "RUNNING", "finished": "FINISHED", "failed": "FAILED"}  # any other: KILLED


class MLflow:
    """A tracking server by its URL, as the Sink of outbox.py."""

    rewinds = False

    def __init__(self, url: str) -> None:
        for name, value in (("MAX_RETRIES", "2"), ("TIMEOUT", "30"), ("BACKOFF_FACTOR", "1")):
            os.environ.setdefault(f"MLFLOW_HTTP_REQUEST_{name}", value)  # what is not sent now is sent later
        try:
            import mlflow
        except ImportError:
            raise SinkError("MLflow is not installed: pip install 'groundup[mlflow]'") from None
        self.key = f"mlflow {url}"
        self.url = url
        with self._explained():
            self._client = mlflow.MlflowClient(tracking_uri=url, registry_uri=url)

    def start(self, row: Row, state: dict[str, Any]) -> bool:
        """Finds the run by its id, or by the mark that it was made with if we were killed before its id was noted."""
        with self._explained():
            if "id" in state:
                return self._there(state["id"])
            experiment = self._experiment(row.recipe)
            found = self._client.search_runs([experiment], f"tags.`groundup.key` = '{key_of(row)}'", max_results=1)
            if found:
                state["id"] = found[0].info.run_id
            else:
                tags = {"groundup.key": key_of(row), "groundup.run": row.name, "groundup.recipe": row.recipe}
                begun = int(row.begun * 1000)
                made = self._client.create_run(experiment, start_time=begun, tags=tags, run_name=row.name)
                state["id"] = made.info.run_id
        return True

    def params(self, row: Row, values: Mapping[str, Any], state: dict[str, Any]) -> None:
        """The configuration as parameters."""
        from mlflow.entities import Param

        texts = ((NOT_IN_NAMES.sub("_", n), v if isinstance(v, str) else json.dumps(v)) for n, v in values.items())
        rest = (Param(name, text[:LONGEST]) for name, text in texts)
        with self._explained():
            while some := list(islice(rest, PARAMETERS)):
                self._client.log_batch(state["id"], params=some)

    def rewind(self, row: Row, step: int, state: dict[str, Any]) -> None:
        """Cannot be done."""
        raise NotImplementedError

    def metrics(self, row: Row, points: Sequence[Point], state: dict[str, Any]) -> None:
        """A batch of metrics with their times and steps."""
        from mlflow.entities import Metric

        batch = [Metric(NOT_IN_NAMES.sub("_", p.name), p.value, int(p.time * 1000), p.step) for p in points]
        with self._explained():
            self._client.log_batch(state["id"], metrics=batch)

    def artifact(self, row: Row, name: str, path: Path, state: dict[str, Any]) -> None:
        """A file under its name."""
        inside = str(Path(name).parent)
        with self._explained():
            self._client.log_artifact(state["id"], str(path), None if inside == "." else inside)

    def status(self, row: Row, attempt: int, state: dict[str, Any]) -> None:
        """Running, or how it ended, with the final metrics; of a run that went on each attempt's are a step."""
        from mlflow.entities import Metric, RunTag

        ended = int((row.begun + (row.seconds or 0.0)) * 1000)
        final = [Metric(f"final/{NOT_IN_NAMES.sub('_', n)}", v, ended, attempt) for n, v in row.result.items()]
        tags = [RunTag("groundup.status", row.status), RunTag("groundup.attempts", str(attempt))]
        with self._explained():
            self._client.log_batch(state["id"], metrics=final, tags=tags)
            if row.status == "running":
                self._client.update_run(state["id"], status="RUNNING")
            else:
                self._client.set_terminated(state["id"], STATUS.get(row.status, "KILLED"), ended)

    def safe(self, state: dict[str, Any]) -> bool:
        """The client returns when the server has answered."""
        return True

    def finish(self, row: Row, state: dict[str, Any]) -> None:
        """Nothing is open."""

    def _there(self, run: str) -> bool:
        """Whether the server knows the run, and it is not in its bin."""
        from mlflow.exceptions import MlflowException

        try:
            return bool(self._client.get_run(run).info.lifecycle_stage == "active")
        except MlflowException as problem:
            if problem.error_code == "RESOURCE_DOES_NOT_EXIST":
                return False
            raise

    def _experiment(self, name: str) -> str:
        """The experiment's id; another process may make it at the same time."""
        from mlflow.exceptions import MlflowException

        found = self._client.get_experiment_by_name(name)
        if found is None:
            try:
                return str(self._client.create_experiment(name))
            except MlflowException:
                found = self._client.get_experiment_by_name(name)
                if found is None:
                    raise
        return str(found.experiment_id)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        from mlflow.exceptions import MlflowException

        try:
            yield
        except (MlflowException, OSError) as problem:
            said = " ".join(str(problem).split())[:300]
            raise SinkError(
                f"{self.url} is not there, or refuses ({said}): nothing is lost, sync again later"
            ) from None


def key_of(row: Row) -> str:
    """Names a run across machines, as its own name does not: its beginning, what it ran and on what."""
    told = json.dumps([row.recipe, row.id, row.begun, row.seed, row.source, row.hardware], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:16]
