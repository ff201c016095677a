"""`groundup sample`: text from a run's model, as it comes."""

from __future__ import annotations

import inspect
from collections.abc import Mapping

from ..lab import recipe as recipes
from ..lab.formats import Row
from ..lab.record import Records
from ..lab.sqlite import StoreError
from .training import library, plan_of, records


def sample(name: str, prompt: str, options: Mapping[str, float | int | None]) -> int:
    """Prints what the run's experiment gives for a prompt. RecipeError for an option that it does not have."""
    with records() as kept:
        row = chosen(name, kept)
        folder = kept.folder / row.name
    plan = plan_of(row)
    experiment = plan.experiment
    if not hasattr(experiment, "sample"):
        raise recipes.RecipeError(f"{row.name} has nothing to sample from: {plan.recipe.experiment} makes no text")
    known = inspect.signature(experiment.sample).parameters
    given = {option: value for option, value in options.items() if value is not None}
    unknown = [option for option in given if option not in known]
    if unknown and not any(each.kind is each.VAR_KEYWORD for each in known.values()):
        flags = " or ".join(f"--{option.replace('_', '-')}" for option in unknown)
        raise recipes.RecipeError(f"sampling from {row.name} knows no {flags}")
    with library(row.mine) as (lib, _):
        print(prompt, end="", flush=True)
        try:
            for piece in experiment.sample(plan.config, folder, lib, prompt, **given):
                print(piece, end="", flush=True)
        except FileNotFoundError as problem:
            missing = problem.filename or problem
            raise StoreError(f"{row.name} is {row.status}, and has saved nothing to sample from: {missing}") from None
        finally:
            print()
    return 0


def chosen(name: str, kept: Records) -> Row:
    """The run of this name; of a recipe's name its newest run that finished, or else the newest. StoreError if there is none."""
    of_recipe = kept.runs(name)
    return next((row for row in of_recipe if row.status == "finished"), of_recipe[0]) if of_recipe else kept.find(name)
