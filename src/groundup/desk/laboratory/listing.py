"""The table of runs: which of them, in which order, and in which columns.

Of the configuration there is a column for each value that differs: among the runs of the recipe that is looked at, or else among
those that are chosen. Of the results there is one for each metric that is measured, where all runs are of one recipe.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...lab.claims import Claim, hold
from ...lab.compare import Group, difference
from ...lab.formats import Row
from ...lab.recipe import RecipeError, load
from ...lab.record import Records
from . import run_words as words

MOST = 100  # rows, unless all are asked for
COLUMNS = 8  # of values that differ
METRICS = 6  # that are measured
DRAWN = 4  # runs that are chosen where nobody has chosen
FIXED = ("name", "status", "when", "seconds", "seed", "library", "claims")


@dataclass(frozen=True)
class Line:
    """A run in the table, its cells by column."""

    row: Row  # its status as it is now
    cells: Mapping[str, str]
    chosen: bool


@dataclass(frozen=True)
class Column:
    """A column by which the table can be sorted. kind: fixed, value, metric."""

    key: str  # in the address: when, value:width, metric:loss
    name: str
    kind: str


@dataclass(frozen=True)
class Listing:
    """The table, and what was left out of it."""

    lines: Sequence[Line]
    columns: Sequence[Column]
    sort: str  # a column's key, with a minus before it where the largest comes first
    recipe: str
    recipes: Sequence[str]  # of which there are runs
    total: int
    more_values: int  # that differ, and have no column

    @property
    def chosen(self) -> list[Row]:
        return [line.row for line in self.lines if line.chosen]


def listing(
    kept: Records, recipe: str = "", sort: str = "-when", chosen: Sequence[int] | None = None, whole: bool = False
) -> Listing:
    """The runs there are, or those of a recipe. chosen: their ids; the newest few of the newest one's recipe without."""
    everything = kept.runs()
    rows = [row for row in everything if recipe in ("", row.recipe)]
    if chosen is None:
        alike = [row for row in rows if row.recipe == rows[0].recipe]
        chosen = [row.id for row in alike[:DRAWN]]
    ids = set(chosen)
    picked = [row for row in rows if row.id in ids]
    one_recipe = len({row.recipe for row in rows}) == 1
    differing = _differing(rows if one_recipe else picked)
    metrics = list(dict.fromkeys(name for row in rows for name in row.result)) if one_recipe else []
    columns = [Column(key, key, "fixed") for key in FIXED]
    if not one_recipe:
        columns.append(Column("result", "result", "result"))
    columns += [Column(f"metric:{name}", name, "metric") for name in metrics[:METRICS]]
    columns += [Column(f"value:{name}", name, "value") for name in differing[:COLUMNS]]
    if sort.lstrip("-") not in [column.key for column in columns]:
        sort = "-when"
    claims = {name: _claims(name) for name in {row.recipe for row in rows}}
    held = {row.id: words.held(hold(claims[row.recipe], row.result)) for row in rows if row.status == "finished"}
    rows = sorted(rows, key=lambda row: _order(row, sort.lstrip("-"), held), reverse=sort.startswith("-"))
    lines = []
    for row in rows if whole else rows[:MOST]:
        row = dataclasses.replace(row, status=kept.standing(row))
        lines.append(Line(row, {column.key: _cell(row, column, held) for column in columns}, row.id in ids))
    names = sorted({row.recipe for row in everything})
    return Listing(lines, columns, sort, recipe, names, len(rows), max(0, len(differing) - COLUMNS))


def _differing(rows: Sequence[Row]) -> list[str]:
    """The values that are not the same in all of these; the seed has a column of its own."""
    found = difference([Group(row.name, (row,)) for row in rows]) if len(rows) > 1 else {}
    return [name for name in found if name != "seed" and all(name in row.config for row in rows)]


def _claims(recipe: str) -> Sequence[Claim]:
    """What a recipe claims; nothing, if it is gone."""
    try:
        return load(recipe).claims
    except RecipeError:
        return ()


def _cell(row: Row, column: Column, held: Mapping[int, str]) -> str:
    if column.kind == "metric":
        return words.number(row.result[column.name]) if column.name in row.result else ""
    if column.kind == "value":
        return words.number(row.config[column.name]) if column.name in row.config else ""
    if column.kind == "result":
        return "  ".join(f"{name} {words.number(value, 4)}" for name, value in list(row.result.items())[:2])
    return {
        "name": row.name,
        "status": row.status,
        "when": words.when(row.begun),
        "seconds": words.seconds(row.seconds),
        "seed": str(row.seed),
        "library": "mine" if row.mine else "reference",
        "claims": held.get(row.id, ""),
    }[column.key]


def _order(row: Row, key: str, held: Mapping[int, str]) -> tuple[int, float, str]:
    """Sorts what is missing, then numbers, then words."""
    kind, _, name = key.rpartition(":")
    value: Any = {
        "name": f"{row.recipe} {row.id:012}", "status": row.status, "when": row.id, "seconds": row.seconds, "seed": row.seed,
        "library": row.mine, "claims": held.get(row.id) or None, "result": next(iter(row.result.values()), None),
    }.get(key)  # fmt: skip
    if kind:
        value = (row.result if kind == "metric" else row.config).get(name)
    if value is None or value != value:
        return 0, 0.0, ""
    return (1, float(value), "") if isinstance(value, (int, float)) else (2, 0.0, str(value))
