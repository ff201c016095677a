"""Sweeps: many runs of one recipe, whose values are drawn by Optuna, asked and told one trial at a time.

Workers are equal and know of each other by the storage alone: a journal file on this machine or a shared disk, PostgreSQL for more.
A worker marks its trial as its own, and again every few seconds. A trial whose worker is gone is handed out again, with the same
values, and goes on with the same run where the experiment can. Akiba et al., Optuna (2019), https://arxiv.org/abs/1907.10902.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import locks
from .recipe import RecipeError, accepted, kinds, read_list

if TYPE_CHECKING:
    import optuna
    from optuna.trial import FrozenTrial

BEAT = 10.0  # seconds from one sign of life to the next
LOST = 60.0  # a worker of another machine that has given none for so long is gone
TRIES = 3  # a trial whose worker was lost so often has failed
STARTUP = 5  # trials that are carried to their end before any is pruned


@dataclass(frozen=True)
class Parameter:
    """A value to be drawn: from low to high, evenly or evenly in its logarithm, or one of the choices."""

    name: str
    text: str  # as written
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    whole: bool = False
    choices: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Aim:
    """What a sweep looks for, kept with it: a sweep that goes on has the same."""

    recipe: str
    metric: str
    maximise: bool
    space: tuple[tuple[str, str], ...]  # each parameter's name and text
    settings: tuple[str, ...]  # values that are the same in all trials
    mine: bool

    def as_json(self) -> str:
        """For the storage."""
        return json.dumps(vars(self))

    @classmethod
    def of(cls, text: str) -> Aim:
        """From the storage."""
        found = json.loads(text)
        space = tuple((name, what) for name, what in found["space"])
        return cls(**{**found, "space": space, "settings": tuple(found["settings"])})


def parse_parameter(schema: type, name: str, text: str) -> Parameter:
    """A parameter from what is written: 1e-4..1e-1:log, 2..64, adam,sgd or [8,8],[16]. RecipeError for a name that the experiment
    does not have, a value that it refuses, or a range that is none.
    """
    known = kinds(schema)
    match = re.fullmatch(r"\s*([-+0-9.eE_]+?)\s*\.\.\s*([-+0-9.eE_]+?)\s*(:log)?\s*", text)
    if not match:
        choices = tuple(accepted(schema, name, value, f"--param {name}") for value in read_list(text))
        if len(choices) < 2:
            raise RecipeError(f"--param {name}={text}: write low..high, low..high:log, or two choices and more: a,b")
        return Parameter(name, text, choices=choices)
    low, high = (accepted(schema, name, read_list(end)[0], f"--param {name}") for end in match.groups()[:2])
    if isinstance(low, (str, tuple, bool)) or not low < high:
        raise RecipeError(f"--param {name}={text}: a range goes from a number to a larger one")
    if match[3] and low <= 0:
        raise RecipeError(f"--param {name}={text}: a logarithmic range begins above 0")
    return Parameter(name, text, float(low), float(high), bool(match[3]), known[name] is int)


def storage_at(place: str | None, folder: Path, name: str) -> Any:
    """Where the trials are kept: a journal in the folder, a journal at a path, or a PostgreSQL URL. RecipeError for another."""
    optuna = _optuna()
    scheme, colon, rest = (place or "").partition("://")
    if colon:
        if scheme.split("+")[0] not in ("postgresql", "postgres"):
            raise RecipeError(f"--storage {scheme}://: a sweep is kept in a journal file (a path) or in postgresql://")
        driver = "postgresql+psycopg" if "+" not in scheme else scheme
        try:
            return optuna.storages.RDBStorage(f"{driver}://{rest}", engine_kwargs={"pool_pre_ping": True})
        except ImportError as problem:
            raise RecipeError(f"PostgreSQL needs a driver ({problem}): pip install 'psycopg[binary]'") from None
        except Exception as problem:
            if type(problem).__module__.partition(".")[0] not in ("sqlalchemy", "psycopg", "psycopg2", "optuna"):
                raise
            raise RecipeError(f"{scheme}://… cannot be used: {' '.join(str(problem).split())[:300]}") from None
    path = Path(place) if place else folder / f"{name}.journal"
    path.parent.mkdir(parents=True, exist_ok=True)
    from optuna.storages.journal import JournalFileBackend

    return optuna.storages.JournalStorage(JournalFileBackend(str(path)))


def open_study(storage: Any, name: str, aim: Aim | None, resume: bool, seed: int, prune: bool) -> tuple[Any, Aim]:
    """The study of this name and its aim. Without `resume` a new one; RecipeError if it is there already, or is not, or has
    another aim.
    """
    optuna = _optuna()
    there = next((s for s in optuna.study.get_all_study_names(storage) if s == name), None)
    if there is None:
        if aim is None:
            raise RecipeError(f"there is no sweep {name!r} to go on with: leave out --resume to begin one")
        direction = "maximize" if aim.maximise else "minimize"
        optuna.create_study(storage=storage, study_name=name, direction=direction).set_user_attr("aim", aim.as_json())
    elif not resume:
        raise RecipeError(f"there is a sweep {name!r} already: --resume goes on with it, --name begins another")
    study = optuna.load_study(study_name=name, storage=storage)
    kept = Aim.of(study.user_attrs["aim"])
    if aim is not None and aim != kept:
        different = [key for key, value in vars(aim).items() if value != vars(kept)[key]]
        raise RecipeError(f"the sweep {name!r} has another {', '.join(different)}: leave those out to go on with it")
    study.sampler = optuna.samplers.TPESampler(seed=seed + 7919 * len(study.trials), constant_liar=True)
    study.pruner = optuna.pruners.MedianPruner(n_startup_trials=STARTUP) if prune else optuna.pruners.NopPruner()
    return study, kept


def drawn(trial: optuna.Trial, space: Sequence[Parameter]) -> dict[str, Any]:
    """The trial's values, by dotted name."""
    values: dict[str, Any] = {}
    for each in space:
        if each.choices:
            texts = [json.dumps(choice) for choice in each.choices]
            values[each.name] = json.loads(str(trial.suggest_categorical(each.name, texts)))
        elif each.whole:
            values[each.name] = trial.suggest_int(each.name, int(each.low), int(each.high), log=each.log)
        else:
            values[each.name] = trial.suggest_float(each.name, each.low, each.high, log=each.log)
    return values


def next_trial(study: optuna.Study, count: int, worker: Worker) -> optuna.Trial | None:
    """A trial to run: one whose worker was lost, or a new one while there are fewer than `count`. None when there is none left."""
    from optuna.trial import TrialState

    while True:
        hand_out_again(study)
        trials = study.get_trials(deepcopy=False)
        if all(trial.state != TrialState.WAITING for trial in trials) and sum(map(_counts, trials)) >= count:
            return None
        trial = study.ask()
        worker.take(trial)
        if sum(map(_counts, study.get_trials(deepcopy=False)[: trial.number])) < count:
            return trial
        study.tell(trial, state=TrialState.FAIL)  # another worker was first: this one is too many, and does not count


def hand_out_again(study: optuna.Study) -> None:
    """What a lost worker was at waits to be taken again, with the same values and the name of its run."""
    from optuna.trial import TrialState

    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        if _lost(trial):
            with contextlib.suppress(ValueError, RuntimeError):  # another worker has seen it too, and was first
                give_back(study, trial)


def give_back(study: optuna.Study, trial: FrozenTrial | optuna.Trial) -> None:
    """Ends a trial that came to no end, and has its values tried again, unless that was in vain too often."""
    from optuna.trial import TrialState

    study.tell(trial.number, state=TrialState.FAIL)
    tries = int(trial.user_attrs.get("tries", 1))
    if tries < TRIES:
        attributes = {"tries": tries + 1, "run": trial.user_attrs.get("run")}
        study.enqueue_trial(dict(trial.params), user_attrs=attributes)


class Worker:
    """This process as one that works on trials: a lock that is free when it is gone, and a sign of life every few seconds."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f".worker-{os.getpid()}-{time.time_ns()}"
        self._lock = locks.take(self._path)

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self._path.unlink(missing_ok=True)
        os.close(self._lock)

    def take(self, trial: optuna.Trial) -> None:
        """Marks a trial as this worker's own."""
        trial.set_user_attr("worker", {"host": socket.gethostname(), "lock": str(self._path.absolute())})
        trial.set_user_attr("seen", time.time())

    @contextlib.contextmanager
    def alive(self, trial: optuna.Trial) -> Iterator[None]:
        """Gives its signs of life while it is at a trial."""
        over = threading.Event()

        def beat() -> None:
            while not over.wait(BEAT):
                with contextlib.suppress(Exception):  # a storage that is away for a moment: the next sign may reach it
                    trial.set_user_attr("seen", time.time())

        beating = threading.Thread(target=beat, daemon=True)
        beating.start()
        try:
            yield
        finally:
            over.set()
            beating.join()


def watcher(trial: optuna.Trial, metric: str) -> Callable[[int, Mapping[str, float]], None]:
    """Reports the metric wherever the experiment logs it, and ends the run by Pruned where half of the trials were better by then."""
    from .record import Pruned

    def watch(step: int, values: Mapping[str, float]) -> None:
        if metric in values:
            trial.report(float(values[metric]), step)
            if trial.should_prune():
                raise Pruned(f"{metric} {values[metric]:.4g} at step {step} is worse than the median so far")

    return watch


def importance(study: optuna.Study) -> dict[str, float]:
    """How much of the metric's spread each parameter accounts for (fANOVA; Hutter et al. 2014), the largest first; {} where too
    few trials have ended, or all came to the same.
    """
    optuna = _optuna()
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
    try:
        found: dict[str, float] = optuna.importance.get_param_importances(study, evaluator=evaluator)
    except (ValueError, RuntimeError):
        return {}
    return {} if any(math.isnan(share) for share in found.values()) else found


def _counts(trial: FrozenTrial) -> bool:
    """Whether a trial is one of those that were asked for: not if it was lost and is tried again, or was too many."""
    from optuna.trial import TrialState

    failed = trial.state == TrialState.FAIL
    return not failed or "error" in trial.user_attrs or int(trial.user_attrs.get("tries", 1)) >= TRIES


def _lost(trial: FrozenTrial) -> bool:
    """Whether nobody is at a running trial any more: its worker's lock is free, or, on another machine, it gives no sign."""
    worker, seen = trial.user_attrs.get("worker"), trial.user_attrs.get("seen")
    if worker is not None and worker["host"] == socket.gethostname():
        return not locks.held(Path(worker["lock"]))
    if seen is None and trial.datetime_start is not None:
        seen = trial.datetime_start.timestamp()
    return seen is None or time.time() - float(seen) > LOST


def _optuna() -> Any:
    try:
        import optuna
    except ImportError:
        raise RecipeError("a sweep needs Optuna, which is not installed: pip install 'groundup[sweep]'") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna
