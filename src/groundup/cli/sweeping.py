"""`groundup sweep`: many runs of one recipe with values drawn for each, and what they say of the values."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..lab import plot, sweep
from ..lab import recipe as recipes
from ..lab.formats import Row
from ..lab.plain import plain
from ..lab.recipe import RecipeError
from ..lab.record import UNFINISHED, Pruned, Records, Run
from ..lab.sweep import Aim, Parameter
from .training import INTERRUPTED, Plan, prepare, records, train

WORKER = "GROUNDUP_SWEEP_WORKER"  # in the environment of a process that is one of several


@dataclasses.dataclass(frozen=True)
class Asked:
    """A sweep as it was asked for on the command line."""

    recipe: str
    params: tuple[str, ...]
    trials: int
    metric: str | None
    maximise: bool
    workers: int
    storage: str | None
    name: str | None
    resume: bool
    prune: bool
    seed: int
    settings: tuple[str, ...]
    mine: bool


def run(asked: Asked, as_json: bool) -> int:
    """0 if there is a best trial in the end, 1 if none came to its end, 130 if it was interrupted."""
    if asked.trials < 1 or asked.workers < 1:
        raise RecipeError("--trials and --workers are 1 or more")
    plan, name = prepare(asked.recipe, asked.settings, None), asked.name or asked.recipe
    worker = int(os.environ.get(WORKER, "0"))
    with records() as kept:
        folder = kept.folder / "sweeps"
        storage = sweep.storage_at(asked.storage, folder, name)
        aim = None if asked.resume and not asked.params else _aim(asked, plan)
        study, aim = sweep.open_study(storage, name, aim, asked.resume or worker > 0, asked.seed + worker, asked.prune)
        if aim.recipe != asked.recipe:
            raise RecipeError(f"the sweep {name!r} is one of {aim.recipe}: --name calls this one otherwise")
        space = [sweep.parse_parameter(type(plan.config), each, text) for each, text in aim.space]
        if worker == 0:
            print(f"sweep {name}: {'largest' if aim.maximise else 'smallest'} {aim.metric} of {asked.trials} trials")
            for parameter, text in aim.space:
                print(f"  {parameter:<20} {text}")
        if asked.workers > 1 and worker == 0:
            status = _several(asked.workers)
        else:
            status = _work(study, aim, space, asked.trials, kept, folder)
        if worker > 0:
            return status
        found = as_object(study, name, aim)
        drawings = _drawings(study, aim, space, found["importance"], folder / name)
    _tell(found, drawings)
    if as_json:
        print(json.dumps(plain(found)))
    if status == INTERRUPTED:
        print(f"interrupted: `groundup sweep {asked.recipe} --resume` goes on with it", file=sys.stderr)
        return status
    return int(found["best"] is None)


def _aim(asked: Asked, plan: Plan) -> Aim:
    """What is looked for: the parameters that were typed, or else the recipe's; the metric that was, or else its first claim's."""
    table: dict[str, str] = {}
    for text in asked.params:
        parameter, equals, values = text.partition("=")
        if not equals:
            raise RecipeError(f"--param {text}: write name=values, such as rate=1e-4..1e-1:log")
        table[parameter.strip()] = values.strip()
    if not table:
        written = recipes.flat(plan.recipe.sweep)
        table = {key: value if isinstance(value, str) else json.dumps(value)[1:-1] for key, value in written}
    if not table:
        raise RecipeError(f"{asked.recipe} has no [sweep]: say what to draw, such as --param seed=0..9")
    for parameter, values in table.items():
        sweep.parse_parameter(type(plan.config), parameter, values)
    metric, maximise = asked.metric, asked.maximise
    claim = next((c for c in plan.recipe.claims if metric in (None, c.name)), None)
    if metric is None and claim is None:
        raise RecipeError(f"{asked.recipe} claims nothing: --metric says what a trial is judged by")
    if claim is not None:
        metric, maximise = claim.name, maximise or claim.sign[0] == ">"
    assert metric is not None
    return Aim(asked.recipe, metric, maximise, tuple(table.items()), asked.settings, asked.mine)


def _several(count: int) -> int:
    """So many processes of this same command, each a worker with its share of the cores; the worst of their exit statuses."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    threads = {"OMP_NUM_THREADS": str(max(1, cores // count))}
    environments = [{**threads, **os.environ, WORKER: str(i + 1)} for i in range(count)]
    workers = [subprocess.Popen(sys.orig_argv, env=environment) for environment in environments]
    statuses = []
    for worker in workers:
        while True:
            try:
                statuses.append(worker.wait())
                break
            except KeyboardInterrupt:  # the workers have heard it too, and end by themselves
                continue
    return INTERRUPTED if INTERRUPTED in statuses else max(map(abs, statuses))


def _work(study: Any, aim: Aim, space: Sequence[Parameter], count: int, kept: Records, folder: Path) -> int:
    """Takes trials until there are as many as were asked for."""
    from optuna.trial import TrialState

    with sweep.Worker(folder) as worker:
        while (trial := sweep.next_trial(study, count, worker)) is not None:
            with worker.alive(trial):
                values = sweep.drawn(trial, space)
                said = f"trial {trial.number}: " + "  ".join(f"{k}={_short(v)}" for k, v in values.items())
                try:
                    row = _trial(trial, aim, values, kept)
                except Pruned as why:
                    study.tell(trial, state=TrialState.PRUNED)
                    print(f"{said}  pruned: {why}")
                    continue
                except (RecipeError, RuntimeError, ValueError, ArithmeticError, MemoryError) as problem:
                    trial.set_user_attr("error", f"{type(problem).__name__}: {problem}")
                    study.tell(trial, state=TrialState.FAIL)
                    print(f"{said}  failed: {type(problem).__name__}: {problem}")
                    continue
                if row.status == "interrupted":
                    sweep.give_back(study, trial)
                    return INTERRUPTED
                value = row.result.get(aim.metric)
                if value is None or not math.isfinite(value):
                    measured = f"is {value}" if value is not None else f"is none of {', '.join(row.result)}"
                    trial.set_user_attr("error", f"{aim.metric} {measured}")
                    study.tell(trial, state=TrialState.FAIL)
                    print(f"{said}  failed: {aim.metric} {measured}")
                    continue
                study.tell(trial, value)
                print(f"{said}  {aim.metric} {value:.5g}")
    return 0


def _trial(trial: Any, aim: Aim, values: Mapping[str, Any], kept: Records) -> Row:
    """A trial's run: a new one, or the one that a lost worker was at, where its experiment can go on."""
    settings = [*aim.settings, *(f"{name}={json.dumps(value)}" for name, value in values.items())]
    plan, earlier = prepare(aim.recipe, settings, None), None
    if trial.user_attrs.get("run") and getattr(plan.experiment, "RESUMES", False):
        kept.mark_killed()
        here = [row for row in kept.runs(aim.recipe) if row.name == trial.user_attrs["run"]]
        earlier = next((row for row in here if row.status in UNFINISHED), None)

    def begun(record: Run) -> None:
        trial.set_user_attr("run", record.name)
        record.watch = sweep.watcher(trial, aim.metric)
        record.say = lambda text: None

    row, _ = train(plan, kept, aim.mine, earlier, begun)
    return row


def as_object(study: Any, name: str, aim: Aim) -> dict[str, Any]:
    """The object of `--json`, schema 1 (docs/runs.md)."""
    trials = []
    for trial in study.get_trials(deepcopy=False):
        params = {key: json.loads(value) if isinstance(value, str) else value for key, value in trial.params.items()}
        spent = trial.duration.total_seconds() if trial.duration else None
        trials.append(
            {
                "number": trial.number,
                "state": {"complete": "finished", "fail": "failed"}.get(
                    trial.state.name.lower(), trial.state.name.lower()
                ),
                "value": trial.value,
                "params": params,
                "run": trial.user_attrs.get("run"),
                "seconds": None if spent is None else round(spent, 2),
                "error": trial.user_attrs.get("error"),
            }
        )
    finished = [trial for trial in trials if trial["state"] == "finished"]
    best = (max if aim.maximise else min)(finished, key=lambda trial: trial["value"], default=None)
    return {
        "schema": 1,
        "sweep": name,
        "recipe": aim.recipe,
        "metric": aim.metric,
        "direction": "maximise" if aim.maximise else "minimise",
        "space": dict(aim.space),
        "trials": trials,
        "best": best,
        "importance": sweep.importance(study),
    }


def _drawings(
    study: Any, aim: Aim, space: Sequence[Parameter], shares: Mapping[str, float], folder: Path
) -> list[Path]:
    """Pictures: the importance, and the metric against each parameter that is a number."""
    finished = [trial for trial in study.get_trials(deepcopy=False) if trial.state.name == "COMPLETE"]
    numbers = [each for each in space if not each.choices]
    if len(finished) < 2:
        return []
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    if shares:
        made.append(plot.save(plot.importance(shares), folder / "importance.png"))
    if numbers:
        values = {each.name: [trial.params[each.name] for trial in finished] for each in numbers}
        logarithmic = [each.name for each in numbers if each.log]
        figure = plot.trials(values, [trial.value for trial in finished], aim.metric, logarithmic)
        made.append(plot.save(figure, folder / "trials.png"))
    return made


def _tell(found: Mapping[str, Any], drawings: Sequence[Path]) -> None:
    states = [trial["state"] for trial in found["trials"]]
    print("  ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states)))
    finished = [trial for trial in found["trials"] if trial["state"] == "finished"]
    ordered = sorted(finished, key=lambda trial: trial["value"], reverse=found["direction"] == "maximise")
    for trial in ordered[:5]:
        values = "  ".join(f"{name}={_short(value)}" for name, value in trial["params"].items())
        print(f"{found['metric']} {trial['value']:<10.5g} {values}  ({trial['run']})")
    for name, share in found["importance"].items():
        print(f"{name:<20} {share:>6.1%} of the spread")
    for path in drawings:
        print(f"  {path}")


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
