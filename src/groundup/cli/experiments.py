"""`groundup run`, `runs` and `claims`: experiments on the reference library or the learner's own, and their record."""

from __future__ import annotations

import contextlib
import importlib
import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import platformdirs

from ..lab import recipe as recipes
from ..lab.claims import Kept, hold
from ..lab.record import Records, Row, Run, source_hash
from ..lab.sqlite import StoreError

LIBRARY = ("grad", "classic", "data", "lab", "experiments")  # what a run's numbers come from
INTERRUPTED = 130  # what a shell says of Ctrl-C


def run(name: str | None, mine: bool, settings: Sequence[str], seed: int | None, as_json: bool) -> int:
    """0 if every claim of the recipe holds, 1 if not, 130 if it was interrupted; without a name the list of recipes."""
    if name is None:
        for each in recipes.names():
            print(f"{each:<16} {recipes.load(each).title}")
        return 0
    plan = prepare(name, settings, seed)
    print(plan.recipe.title)
    if plan.recipe.expect:
        print(f"Expect {plan.recipe.expect}.")
    print("  ".join(f"{key}={value}" for key, value in recipes.shown(plan.config).items()))
    with records() as kept:
        row, held = train(plan, kept, mine)
        tell(row, held, kept)
        if as_json:
            print(json.dumps(as_object(row, held)))
    if row.status == "interrupted":
        return INTERRUPTED
    return int(not all(claim.kept for claim in held))


def runs(name: str | None, as_json: bool) -> int:
    """The runs there are, the newest first; or one of them, whole."""
    with records() as kept:
        killed = kept.mark_killed()
        if killed:
            print(f"killed before they could end: {', '.join(killed)}", file=sys.stderr)
        if name is None:
            listed = kept.runs()
            if as_json:
                print(json.dumps({"schema": 1, "runs": [as_object(row, held_by(row)) for row in listed]}))
                return 0
            if not listed:
                print(f"no runs yet in {kept.folder}: `groundup run` lists what there is to run")
            for row in listed:
                print(f"{row.name:<22} {_when(row)}  {row.status:<11} {_seconds(row):>8}  {_numbers(row.result)}")
            return 0
        row = kept.find(name)
        if as_json:
            print(json.dumps(as_object(row, held_by(row))))
            return 0
        print(f"{row.name}  {_when(row)}  {row.status}  {_seconds(row)}  {'mine' if row.mine else 'reference'}")
        print("  ".join(f"{key}={value}" for key, value in row.config.items()))
        print(f"sources {row.source[:12]}  {row.hardware['processor']}, {row.hardware['cores']} cores")
        tell(row, held_by(row), kept)
    return 0


def claims(names: Sequence[str], as_json: bool) -> int:
    """Trains each recipe (all, if none is named) as it stands, and holds its claims; 1 if one is not kept."""
    table: list[tuple[str, Kept]] = []
    with records() as kept:
        for name in names or recipes.names():
            plan = prepare(name, (), None)
            if not plan.recipe.claims:
                continue
            row = _proved(plan, kept)
            if row is None:
                print(f"running {name}", file=sys.stderr)
                row, _ = train(plan, kept, mine=False)
            table += [(row.name, claim) for claim in hold(plan.recipe.claims, row.result)]
    if as_json:
        print(json.dumps({"schema": 1, "claims": [{"run": run_name, **claim.as_json()} for run_name, claim in table]}))
    else:
        for run_name, claim in table:
            value = "not measured" if claim.value is None else f"{claim.value:.5g}"
            print(f"{'●' if claim.kept else '✗'} {run_name:<22} {claim.name:<20} {claim.bar:<10} {value}")
    return int(not all(claim.kept for _, claim in table))


class Plan:
    """A recipe with its experiment and its values."""

    def __init__(self, recipe: recipes.Recipe, experiment: Any, config: Any) -> None:
        self.recipe, self.experiment, self.config = recipe, experiment, config


def prepare(name: str, settings: Sequence[str], seed: int | None) -> Plan:
    """The recipe of this name, with its values set. RecipeError for what cannot be."""
    recipe = recipes.load(name)
    experiment = importlib.import_module(f"groundup.experiments.{recipe.experiment}")
    seeded = [*settings, f"seed={seed}"] if seed is not None else settings
    return Plan(recipe, experiment, recipes.configure(recipe, experiment.Config, seeded))


def train(plan: Plan, kept: Records, mine: bool) -> tuple[Row, list[Kept]]:
    """One run, recorded: the experiment, then its evaluator on what was saved, then the claims."""
    with _library(mine) as (lib, roots):
        config = recipes.shown(plan.config)
        record = kept.begin(plan.recipe.name, int(config.get("seed", 0)), config, source_hash(roots), mine)
        with record:
            status = "finished"
            try:
                plan.experiment.run(plan.config, record, lib)
            except KeyboardInterrupt:
                status = "interrupted"
                print("\ninterrupted: what was saved until now is looked at")
            record.end(status, _evaluated(plan, record, lib, status))
    row = kept.find(record.name)
    return row, hold(plan.recipe.claims, row.result)


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


def tell(row: Row, held: Sequence[Kept], kept: Records) -> None:
    """What a run gave, for a person."""
    for metric, value in row.result.items():
        print(f"{metric:<24} {value:.5g}")
    print(f"{'seconds':<24} {row.seconds or float('nan'):.1f}")
    for claim in held:
        said = "not measured" if claim.value is None else f"{claim.value:.5g}"
        print(f"{'kept' if claim.kept else 'NOT kept'}: {claim.name} {claim.bar} ({said})")
    print(f"{row.name} is in {kept.folder / row.name}")
    for name in kept.artifacts(row.id):
        print(f"  {name}")


def as_object(row: Row, held: Sequence[Kept]) -> dict[str, Any]:
    """The object of `--json`, schema 1 (docs/runs.md)."""
    return {
        "schema": 1,
        "run": row.name,
        "recipe": row.recipe,
        "status": row.status,
        "seed": row.seed,
        "mine": row.mine,
        "seconds": None if row.seconds is None else round(row.seconds, 2),
        "config": row.config,
        "metrics": row.result,
        "claims": [claim.as_json() for claim in held],
    }


def held_by(row: Row) -> list[Kept]:
    """The claims of a row's recipe, held against its result; none if the recipe is gone."""
    try:
        return hold(recipes.load(row.recipe).claims, row.result)
    except recipes.RecipeError:
        return []


def records() -> Records:
    """The record of the workspace we are in; of the user, where there is none. Not carried by git."""
    from ..course.workspace import WorkspaceError, find_workspace

    try:
        folder = find_workspace().root / "runs"
    except WorkspaceError:
        folder = Path(platformdirs.user_data_dir("groundup", appauthor=False)) / "runs"
    kept = Records(folder)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        with contextlib.suppress(OSError):
            ignore.write_text("*\n")
    return kept


@contextlib.contextmanager
def _library(mine: bool) -> Iterator[tuple[Any, list[Path]]]:
    """The library that an experiment runs on, `lib.grad.mlp` the learner's or the reference's; and whose sources they are."""
    import groundup

    from ..course.overlay import Library

    reference = [Path(groundup.__file__).parent / part for part in LIBRARY]
    if not mine:
        yield Library("groundup"), reference
        return
    from ..course.blocks import library_of
    from ..course.workspace import find_workspace

    root = find_workspace().root
    with library_of(root):
        yield Library("mine"), [*reference, root / "mine"]


def _proved(plan: Plan, kept: Records) -> Row | None:
    """The newest finished run of the reference with just these values and these sources."""
    config = json.loads(json.dumps(recipes.shown(plan.config)))
    with _library(mine=False) as (_, roots):
        source = source_hash(roots)
    for row in kept.runs(plan.recipe.name):
        if row.status == "finished" and not row.mine and row.config == config and row.source == source:
            return row
    return None


def _when(row: Row) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(row.begun))


def _seconds(row: Row) -> str:
    return "" if row.seconds is None else f"{row.seconds:.1f} s"


def _numbers(result: dict[str, float]) -> str:
    return "  ".join(f"{name} {value:.4g}" for name, value in result.items())


__all__ = ["StoreError", "claims", "prepare", "run", "runs", "train"]
