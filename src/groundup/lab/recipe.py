"""Recipes: `groundup run NAME` reads which experiment, with which values, from recipes/NAME.toml."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


class RecipeError(Exception):
    """What is wrong with a recipe or its values, and what to do."""


@dataclass(frozen=True)
class Recipe:
    """An experiment's module, its values, and the bounds that its metrics must keep."""

    name: str
    title: str
    experiment: str  # a module of groundup.experiments
    values: Mapping[str, Any]
    claims: Mapping[str, Mapping[str, float]]  # metric -> {"at_least": x} or {"at_most": x}


def recipes_root() -> Path:
    """Where the recipes lie: inside the wheel, or beside `src` in a checkout."""
    package = Path(__file__).parents[1]
    inside, beside = package / "_recipes", package.parents[1] / "recipes"
    return inside if inside.is_dir() else beside


def names() -> list[str]:
    """Every recipe there is."""
    return sorted(path.stem for path in recipes_root().glob("*.toml"))


def load(name: str) -> Recipe:
    """A recipe by name. RecipeError with the nearest names if there is none."""
    path = recipes_root() / f"{name}.toml"
    if name not in names():
        near = difflib.get_close_matches(name, names(), n=2)
        raise RecipeError(
            f"there is no recipe {name!r}: " + (f"did you mean {' or '.join(near)}?" if near else ", ".join(names()))
        )
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        return Recipe(name, table["title"], table["experiment"], table.get("values", {}), table.get("claims", {}))
    except (tomllib.TOMLDecodeError, KeyError) as problem:
        raise RecipeError(f"{path}: {problem!r}: a recipe has title, experiment, [values] and [claims]") from None


def with_values(recipe: Recipe, settings: Sequence[str]) -> dict[str, Any]:
    """The recipe's values with `name=value` settings over them, of the same type as what they replace."""
    values = dict(recipe.values)
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or name not in values:
            raise RecipeError(
                f"--set {setting}: this recipe's values are {', '.join(f'{k}={v}' for k, v in values.items())}"
            )
        kind = type(values[name])
        try:
            values[name] = text.lower() in ("true", "1", "yes") if kind is bool else kind(text)
        except ValueError:
            raise RecipeError(f"--set {setting}: {name} is of type {kind.__name__}, such as {values[name]}") from None
    return values


def broken_claims(recipe: Recipe, metrics: Mapping[str, float]) -> list[str]:
    """A sentence for each claim that the metrics do not keep."""
    broken = []
    for metric, bounds in recipe.claims.items():
        value = metrics[metric]
        if "at_least" in bounds and not value >= bounds["at_least"]:
            broken.append(f"{metric} is {value:.4g}, and at least {bounds['at_least']:g} was claimed")
        if "at_most" in bounds and not value <= bounds["at_most"]:
            broken.append(f"{metric} is {value:.4g}, and at most {bounds['at_most']:g} was claimed")
    return broken
