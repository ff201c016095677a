"""A run from its recipe to its record: the values, the library it runs on, the evaluator on what was saved."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import platformdirs

from ..lab import recipe as recipes
from ..lab.claims import Kept, hold
from ..lab.formats import Row
from ..lab.record import UNFINISHED, Records, Run, records_in
from ..lab.surroundings import reference_roots, source_hash
from . import ranks

INTERRUPTED = 130  # what a shell says of Ctrl-C

Begun = Callable[[Run], None]


class Plan:
    """A recipe with its experiment and its values."""

    def __init__(self, recipe: recipes.Recipe, experiment: Any, config: Any) -> None:
        self.recipe, self.experiment, self.config = recipe, experiment, config


def prepare(name: str, settings: Sequence[str], seed: int | None) -> Plan:
    """The recipe of this name, with its values set. RecipeError for what cannot be."""
    recipe = recipes.load(name)
    seeded = [*settings, f"seed={seed}"] if seed is not None else settings
    experiment = experiment_of(recipe)
    return Plan(recipe, experiment, recipes.configure(recipe, experiment.Config, seeded))


def plan_of(row: Row) -> Plan:
    """A run's own plan: its recipe's experiment with the values that it was begun with. RecipeError where they no longer fit."""
    recipe = recipes.load(row.recipe)
    experiment = experiment_of(recipe)
    return Plan(recipe, experiment, recipes.restore(experiment.Config, row.config, row.name))


def experiment_of(recipe: recipes.Recipe) -> Any:
    """The module that a recipe names. RecipeError where what it needs is not installed."""
    try:
        return importlib.import_module(f"groundup.experiments.{recipe.experiment}")
    except ModuleNotFoundError as problem:
        raise recipes.RecipeError(
            f"{recipe.name} needs {problem.name}, which is not installed here: `groundup doctor` says how to get it"
        ) from None


def train(
    plan: Plan, kept: Records, mine: bool, resumed: Row | None = None, begun: Begun | None = None
) -> tuple[Row, list[Kept]]:
    """One run, recorded: the experiment, then its evaluator on what was saved, then the claims. A run that was cut off goes on
    where it is given; `begun` is told of the record before the experiment is.
    """
    with library(mine) as (lib, roots):
        config, source = recipes.shown(plan.config), source_hash(roots)
        if resumed is None and getattr(plan.experiment, "RESUMES", False):
            resumed = ranks.cut_off(kept)
        if resumed is None:
            record = kept.begin(plan.recipe.name, int(config.get("seed", 0)), config, source, mine)
        else:
            record = kept.reopen(resumed.name, source)
            print(f"{record.name} goes on: attempt {record.attempt}, after one that was {resumed.status}")
            if source != resumed.source:
                print("the sources have changed since it began: its numbers will come from both, and prove no claim")
        if ranks.several():
            ranks.announce(kept, record.name)
        with record:
            status = "finished"
            if begun is not None:
                begun(record)
            try:
                plan.experiment.run(plan.config, record, lib)
            except KeyboardInterrupt:
                status = "interrupted"
                print("\ninterrupted: what was saved until now is looked at")
            record.end(status, _evaluated(plan, record, lib, status))
        if ranks.several():
            ranks.done(kept)
    row = kept.find(record.name)
    return row, hold(plan.recipe.claims, row.result)


def take_part(plan: Plan, kept: Records, mine: bool) -> int:
    """The experiment on another rank than 0: in rank 0's run, without a word."""
    with library(mine) as (lib, _), open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        try:
            plan.experiment.run(plan.config, ranks.joined(kept), lib)
        except KeyboardInterrupt:
            return INTERRUPTED
    return 0


def unfinished(plan: Plan, kept: Records, mine: bool) -> Row:
    """The newest run of these values and this library that was cut off. RecipeError if there is none."""
    kept.mark_killed()
    config = json.loads(json.dumps(recipes.shown(plan.config)))
    others = [row for row in kept.runs(plan.recipe.name) if row.status in UNFINISHED and row.mine == mine]
    for row in others:
        if row.config == config:
            return row
    said = f"no run of {plan.recipe.name} with these values was cut off"
    if others:
        different = [key for key in config if others[0].config.get(key) != config[key]]
        values = ", ".join(f"{key}={others[0].config.get(key)}" for key in different)
        said += f"; {others[0].name} was, with {values}"
    raise recipes.RecipeError(f"{said}: leave out --resume to begin one")


def _evaluated(plan: Plan, record: Run, lib: Any, status: str) -> dict[str, float]:
    """The metrics of what the run has saved; after an interruption there may be nothing to look at."""
    record.write()
    try:
        metrics: dict[str, float] = plan.experiment.evaluate(plan.config, record.folder, lib)
    except FileNotFoundError:
        if status == "finished":
            raise
        return {}
    return metrics


def records() -> Records:
    """The record of the workspace we are in; of the user, where there is none. Not carried by git."""
    from ..course.workspace.workspace import WorkspaceError, find_workspace

    try:
        folder = find_workspace().root / "runs"
    except WorkspaceError:
        folder = Path(platformdirs.user_data_dir("groundup", appauthor=False)) / "runs"
    return records_in(folder)


@contextlib.contextmanager
def library(mine: bool) -> Iterator[tuple[Any, list[Path]]]:
    """The library that an experiment runs on, `lib.grad.mlp` the learner's or the reference's; and whose sources they are."""
    from ..course.overlay import Library

    reference = reference_roots()
    if not mine:
        yield Library("groundup"), reference
        return
    from ..course import courses
    from ..course.lessons.blocks import library_of
    from ..course.workspace.workspace import WorkspaceError, find_workspace

    root = find_workspace().root
    if (course := courses.current()) is not None:
        raise WorkspaceError(f"recipes are groundup's, and your `mine` is of {course.name}: leave --mine out")
    with library_of(root):
        yield Library("mine"), [*reference, root / "mine"]


def proved(plan: Plan, kept: Records, mine: bool) -> Row | None:
    """The newest finished run of the library with just these values, all of it on just these sources."""
    config = json.loads(json.dumps(recipes.shown(plan.config)))
    with library(mine) as (_, roots):
        source = source_hash(roots)
    for row in kept.runs(plan.recipe.name):
        alike = row.status == "finished" and row.mine == mine and row.config == config
        if alike and all(attempt.source == source for attempt in kept.attempts(row.id)):
            return row
    return None
