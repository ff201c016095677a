"""Recipes: `groundup run NAME` reads which experiment, with which values and which claims, from recipes/NAME.toml.

The values fill a dataclass that the experiment names, `Config`, nested where the table is. A value that the dataclass does not
have, or of another type, is refused; what it derives from others (its properties) is shown beside them.
"""

from __future__ import annotations

import dataclasses
import difflib
import sys
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import NotUsable
from .claims import Claim, ClaimError, Kept, hold, hold_over, parse_claims
from .formats import Row

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PARTS = ("title", "experiment", "expect", "values", "claims", "sweep")


class RecipeError(NotUsable):
    """What is wrong with a recipe or its values, and what to do."""


@dataclass(frozen=True)
class Recipe:
    """An experiment's module, its values, and what its metrics have to keep."""

    name: str
    title: str
    experiment: str  # a module of groundup.experiments
    expect: str  # what to expect, on which hardware, for a person
    values: Mapping[str, Any]
    claims: tuple[Claim, ...]
    sweep: Mapping[str, Any] = dataclasses.field(default_factory=dict)  # what `groundup sweep` looks through


def recipes_root() -> Path:
    """Where the recipes lie: inside the wheel, or beside `src` in a checkout."""
    package = Path(__file__).parents[1]
    inside, beside = package / "_recipes", package.parents[1] / "recipes"
    return inside if inside.is_dir() else beside


def names() -> list[str]:
    """Every recipe there is."""
    return sorted(path.stem for path in recipes_root().glob("*.toml"))


def load(name: str) -> Recipe:
    """A recipe by name. RecipeError with the nearest names if there is none, or for what is wrong in its file."""
    if name not in names():
        raise RecipeError(f"there is no recipe {name!r}: " + _nearest(name, names()))
    path = recipes_root() / f"{name}.toml"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        for part in table:
            if part not in PARTS:
                raise RecipeError(f"{path}: unknown part {part!r}: {_nearest(part, PARTS)}")
        claims = tuple(
            claim for metric, bars in table.get("claims", {}).items() for claim in parse_claims(metric, bars)
        )
        values, sweep = table.get("values", {}), table.get("sweep", {})
        return Recipe(name, table["title"], table["experiment"], table.get("expect", ""), values, claims, sweep)
    except (tomllib.TOMLDecodeError, ClaimError) as problem:
        raise RecipeError(f"{path}: {problem}") from None
    except KeyError as problem:
        raise RecipeError(f"{path}: {problem} is missing: a recipe has a title and an experiment") from None


def configure(recipe: Recipe, schema: type, settings: Sequence[str] = ()) -> Any:
    """An instance of the experiment's dataclass: its defaults, the recipe's values over them, then `name=value` settings.

    A name may be dotted, as in optim.lr=3e-4. RecipeError for a name or a value that cannot be.
    """
    values: dict[str, Any] = {}
    for name, value in flat(recipe.values):
        values[name] = accepted(schema, name, value, f"recipe {recipe.name}")
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise RecipeError(f"--set {setting}: write name=value, such as {next(iter(kinds(schema)))}=...")
        values[name.strip()] = accepted(schema, name.strip(), _read(text.strip()), f"--set {setting}")
    return _build(schema, values)


def restore(schema: type, stored: Mapping[str, Any], whose: str) -> Any:
    """The instance that `shown` and JSON have made a record of; what was derived is derived again."""
    known = kinds(schema)
    values = {name: accepted(schema, name, value, whose) for name, value in stored.items() if name in known}
    return _build(schema, values)


def shown(config: Any, before: str = "") -> dict[str, Any]:
    """Every value by its dotted name, also those that the dataclass derives from others."""
    found: dict[str, Any] = {}
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            found |= shown(value, f"{before}{field.name}.")
        else:
            found[before + field.name] = value
    derived = [name for name, value in vars(type(config)).items() if isinstance(value, property)]
    return found | {before + name: getattr(config, name) for name in derived}


def held_by(row: Row) -> list[Kept]:
    """The claims of a run's recipe, held against its result; none if the recipe is gone."""
    try:
        return hold(load(row.recipe).claims, row.result)
    except RecipeError:
        return []


def claims_over(recipe: Recipe, rows: Sequence[Row]) -> list[tuple[str | None, Kept]]:
    """The recipe's claims held on each run, by its name, then those on all of them together, by None."""
    each: list[tuple[str | None, Kept]] = [
        (row.name, claim) for row in rows for claim in hold(recipe.claims, row.result)
    ]
    return each + [(None, claim) for claim in hold_over(recipe.claims, [row.result for row in rows])]


def read_list(text: str) -> list[Any]:
    """Values with commas between them, as TOML reads them, or as words: 1, 2; adam, sgd; [8, 8], [16]."""
    try:
        return list(tomllib.loads(f"values = [{text}]")["values"])
    except tomllib.TOMLDecodeError:
        return [_read(word.strip()) for word in text.split(",")]


def said(recipe: Recipe, settings: Sequence[str], config: Any) -> dict[str, Any]:
    """Of what `shown` gives, the values that somebody chose: the seed, the recipe's, those that were set; and the derived."""
    chosen = {"seed", *(name for name, _ in flat(recipe.values)), *(s.partition("=")[0].strip() for s in settings)}
    typed = kinds(type(config))
    return {name: value for name, value in shown(config).items() if name in chosen or name not in typed}


def flat(table: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Each value of a nested table, by dotted name."""
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{before}{name}.")
        else:
            yield before + name, value


def kinds(schema: type, before: str = "") -> dict[str, Any]:
    """The type of each value, by dotted name."""
    types = typing.get_type_hints(schema)
    found: dict[str, Any] = {}
    for field in dataclasses.fields(schema):
        kind = types[field.name]
        if dataclasses.is_dataclass(kind):
            found |= kinds(typing.cast(type, kind), f"{before}{field.name}.")
        else:
            found[before + field.name] = kind
    return found


def accepted(schema: type, name: str, value: Any, where: str) -> Any:
    """The value in the type that the dataclass says, or RecipeError: an integer will do for a float, nothing else for another."""
    known = kinds(schema)
    if name not in known:
        raise RecipeError(f"{where}: there is no value {name!r}: {_nearest(name, known)}")
    kind = known[name]
    allowed = typing.get_args(kind) or (kind,)
    if float in allowed and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if typing.get_origin(kind) is typing.Literal:
        if value not in allowed:
            raise RecipeError(f"{where}: {name} is one of {', '.join(map(str, allowed))}")
    elif typing.get_origin(kind) in (tuple, list):
        if not isinstance(value, (list, tuple)):
            raise RecipeError(f"{where}: {name} is a list, such as [256, 128]")
        value = tuple(value)
    elif type(value) not in allowed:
        said = " or ".join(getattr(k, "__name__", str(k)) for k in allowed)
        raise RecipeError(f"{where}: {name} is of type {said}, and {value!r} is not")
    return value


def _read(text: str) -> Any:
    """A value as TOML reads it, or the text itself: true, 3, 3e-4, [256, 128], adam."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _build(schema: type, values: Mapping[str, Any], before: str = "") -> Any:
    types = typing.get_type_hints(schema)
    arguments = {}
    for field in dataclasses.fields(schema):
        name = before + field.name
        if dataclasses.is_dataclass(types[field.name]):
            arguments[field.name] = _build(types[field.name], values, f"{name}.")
        elif name in values:
            arguments[field.name] = values[name]
    try:
        return schema(**arguments)
    except (TypeError, ValueError) as problem:  # a value that is left out, or one that the dataclass refuses
        raise RecipeError(f"the values do not fit together: {problem}") from None


def _nearest(name: str, options: typing.Iterable[str]) -> str:
    options = list(options)
    near = difflib.get_close_matches(name, options, n=2, cutoff=0.5)
    return f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(options)}"
