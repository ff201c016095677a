"""What the recipes promise, and whether it was kept: by the runs of the reference library with the recipe's own values.

A bar for each run is held against the runs of as many seeds as the recipe asks for, counted from its own, those of them that there
are; a bar over several seeds only where all of them are there, as `groundup claims` makes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...lab import recipe as recipes
from ...lab.claims import Claim, hold, hold_over, seeds_asked
from ...lab.formats import Row
from ...lab.record import Records
from ...lab.surroundings import reference_roots, source_hash
from . import run_words as words
from .described import Described


@dataclass(frozen=True)
class Promise:
    """One claim of a recipe. kept: None where it was not measured."""

    metric: str
    bar: str
    kept: bool | None
    value: str
    by: Sequence[Row]
    note: str


@dataclass(frozen=True)
class Promises:
    """The claims of one recipe."""

    recipe: recipes.Recipe
    claims: Sequence[Promise]

    @property
    def command(self) -> str:
        return f"groundup claims {self.recipe.name}"


def promises(kept: Records, described: Mapping[str, Described]) -> list[Promises]:
    """Every recipe that claims something."""
    source = source_hash(reference_roots())
    found = []
    for name in recipes.names():
        recipe = recipes.load(name)
        if recipe.claims:
            about = described.get(name, Described())
            seeds = _by_seed(kept, recipe, about.config)
            stale = {row.id for row in seeds.values() if any(a.source != source for a in kept.attempts(row.id))}
            found.append(
                Promises(recipe, [_promise(claim, recipe, seeds, stale, about.problem) for claim in recipe.claims])
            )
    return found


def _by_seed(kept: Records, recipe: recipes.Recipe, config: Mapping[str, Any] | None) -> dict[int, Row]:
    """The newest finished run of each seed that the claims ask for, with the recipe's own values."""
    if config is None:
        return {}
    first = int(config.get("seed", 0))
    wanted = range(first, first + seeds_asked(recipe.claims))
    found: dict[int, Row] = {}
    for row in kept.runs(recipe.name):
        own = {**row.config, "seed": first} == {**config, "seed": first}
        if row.status == "finished" and not row.mine and own and row.seed in wanted:
            found.setdefault(row.seed, row)
    return dict(sorted(found.items()))


def _promise(claim: Claim, recipe: recipes.Recipe, seeds: Mapping[int, Row], stale: set[int], problem: str) -> Promise:
    rows = list(seeds.values())
    if claim.seeds:
        rows = rows[: claim.seeds]
        held = next(iter(hold_over([claim], [row.result for row in rows])), None)
        lacking = f"{len(rows)} of {claim.seeds} seeds" if rows else ""
    else:
        each = [(hold([claim], row.result)[0], row) for row in rows]
        missed = [pair for pair in each if not pair[0].kept]
        held = (missed or each)[0][0] if each else None
        rows = [row for _, row in missed or each]
        lacking = ""
    if held is None:
        return Promise(claim.name, claim.bar, None, "", rows, problem or lacking)
    note = "measured on earlier sources" if any(row.id in stale for row in rows) else ""
    value = "not measured" if held.value is None else words.number(held.value)
    return Promise(claim.name, claim.bar, held.kept, value, rows, note)
