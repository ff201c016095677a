"""`groundup run`, `runs` and `claims`: experiments on the reference library or the learner's own, and their record."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import sys
from collections.abc import Sequence

from ..lab import recipe as recipes
from ..lab.claims import Kept, seeds_asked
from ..lab.formats import Row
from ..lab.plain import plain
from ..lab.recipe import claims_over, held_by
from ..lab.record import Records
from ..lab.surroundings import LAUNCH
from . import ranks
from .telling import as_group, as_object, numbers, of_claim, seconds_of, summaries, table_of, tell, value_of, when
from .training import INTERRUPTED, Plan, plan_of, prepare, proved, records, take_part, train, unfinished


def run(
    name: str | None,
    mine: bool,
    settings: Sequence[str],
    seed: int | None,
    seeds: int | None,
    resume: bool,
    as_json: bool,
) -> int:
    """0 if every claim of the recipe holds, 1 if not, 130 if it was interrupted; without a name the list of recipes."""
    if name is None:
        for each in recipes.names():
            print(f"{each:<20} {recipes.load(each).title}")
        return 0
    if LAUNCH in os.environ:  # started by a program that may ignore Ctrl-C, as what is put into the background does
        signal.signal(signal.SIGINT, signal.default_int_handler)
    with records() as kept:
        again = _named(name, kept) if resume else None
    if again is not None:
        if settings or seed is not None or seeds is not None:
            raise recipes.RecipeError(f"{again.name} goes on with its own values: leave out --set, --seed and --seeds")
        plan, mine = plan_of(again), again.mine
    else:
        plan = prepare(name, settings, seed)
    if resume and not getattr(plan.experiment, "RESUMES", False):
        raise recipes.RecipeError(
            f"{plan.recipe.name} cannot go on where it stopped: its experiment saves no checkpoints; run it again without --resume"
        )
    if ranks.several() and seeds is not None:
        raise recipes.RecipeError("--seeds makes one run after the other: with several processes give each its --seed")
    if ranks.rank() > 0:
        with records() as kept:
            return take_part(plan, kept, mine)
    print(plan.recipe.title)
    if plan.recipe.expect:
        print(f"Expect {plan.recipe.expect}.")
    print("  ".join(f"{key}={value}" for key, value in recipes.said(plan.recipe, settings, plan.config).items()))
    with records() as kept:
        if seeds is not None:
            return _over_seeds(plan, settings, seeds, kept, mine, resume, as_json)
        row, held = train(plan, kept, mine, again or unfinished(plan, kept, mine) if resume else None)
        tell(row, held, kept)
        if as_json:
            print(json.dumps(as_object(row, held, kept)))
    if row.status == "interrupted":
        return INTERRUPTED
    if ranks.several():
        return 0  # torchrun would take a claim that is not kept for a process that failed, and start all of them again
    return int(not all(claim.kept for claim in held))


def _named(name: str, kept: Records) -> Row | None:
    """The run that is called so, by its name or its number, if this is not the name of a recipe."""
    if name in recipes.names():
        return None
    return next((row for row in kept.runs() if name in (row.name, str(row.id))), None)


def _over_seeds(
    plan: Plan, settings: Sequence[str], seeds: int, kept: Records, mine: bool, resume: bool, as_json: bool
) -> int:
    """So many runs, which differ in their seed, then what they say together."""
    if seeds < 1:
        raise recipes.RecipeError("--seeds is how many runs there shall be: 2 or more say something about the spread")
    first, rows = int(recipes.shown(plan.config)["seed"]), []
    for seed in range(first, first + seeds):
        each = prepare(plan.recipe.name, settings, seed)
        rows.append(_done_or_train(each, kept, mine, resume))
        print(f"seed {seed}: {rows[-1].name} {rows[-1].status}  {numbers(rows[-1].result)}")
        if rows[-1].status == "interrupted":
            break
    held = claims_over(plan.recipe, rows)
    for line in table_of(summaries(rows)):
        print(line)
    for run_name, claim in held:
        if run_name is None or not claim.kept:
            print(of_claim(claim, run_name))
    if as_json:
        print(json.dumps(as_group(plan.recipe.name, rows, held, kept)))
    if rows[-1].status == "interrupted":
        return INTERRUPTED
    return int(not all(claim.kept for _, claim in held))


def _done_or_train(plan: Plan, kept: Records, mine: bool, resume: bool) -> Row:
    """With resume what has finished on these sources is taken as it is, and what was cut off goes on."""
    if resume:
        done = proved(plan, kept, mine)
        if done is not None:
            return done
        with contextlib.suppress(recipes.RecipeError):  # none that was cut off: a new one
            return train(plan, kept, mine, unfinished(plan, kept, mine))[0]
    return train(plan, kept, mine)[0]


def runs(name: str | None, as_json: bool) -> int:
    """The runs there are, the newest first; or one of them, whole."""
    with records() as kept:
        killed = kept.mark_killed()
        if killed:
            print(f"killed before they could end: {', '.join(killed)}", file=sys.stderr)
        if name is None:
            listed = kept.runs()
            if as_json:
                print(json.dumps({"schema": 1, "runs": [as_object(row, held_by(row), kept) for row in listed]}))
                return 0
            if not listed:
                print(f"no runs yet in {kept.folder}: `groundup run` lists what there is to run")
            for row in listed:
                print(f"{row.name:<22} {when(row)}  {row.status:<11} {seconds_of(row):>8}  {numbers(row.result)}")
            return 0
        row = kept.find(name)
        if as_json:
            print(json.dumps(as_object(row, held_by(row), kept)))
            return 0
        print(f"{row.name}  {when(row)}  {row.status}  {seconds_of(row)}  {'mine' if row.mine else 'reference'}")
        print("  ".join(f"{key}={value}" for key, value in row.config.items()))
        print(f"sources {row.source[:12]}  {row.hardware['processor']}, {row.hardware['cores']} cores")
        attempts = kept.attempts(row.id)
        for earlier, later in itertools.pairwise(attempts):
            on = "nothing logged yet" if later.resumed_at is None else f"went on from step {later.resumed_at}"
            print(f"attempt {later.number}, after one that was {earlier.status}: {on}")
        tell(row, held_by(row), kept)
    return 0


def claims(names: Sequence[str], as_json: bool) -> int:
    """Trains each recipe (all, if none is named) as it stands, with as many seeds as its claims ask for, and holds them; 1 if
    one is not kept.
    """
    table: list[tuple[str, Kept]] = []
    with records() as kept:
        for name in names or recipes.names():
            recipe = recipes.load(name)
            if not recipe.claims:
                continue
            rows, first = [], int(recipes.shown(prepare(name, (), None).config).get("seed", 0))
            for i in range(seeds_asked(recipe.claims)):
                plan = prepare(name, (), first + i if i else None)
                row = proved(plan, kept, mine=False)
                if row is None:
                    print(f"running {name}" + (f", seed {first + i}" if i else ""), file=sys.stderr)
                    row, _ = train(plan, kept, mine=False)
                rows.append(row)
            together = f"{rows[0].name} and {len(rows) - 1} more"
            table += [(run_name or together, claim) for run_name, claim in claims_over(recipe, rows)]
    if as_json:
        objects = [{"run": run_name, **plain(claim.as_json())} for run_name, claim in table]
        print(json.dumps({"schema": 1, "claims": objects}))
    else:
        for run_name, claim in table:
            print(f"{'●' if claim.kept else '✗'} {run_name:<22} {claim.name:<20} {claim.bar:<10} {value_of(claim)}")
    return int(not all(claim.kept for _, claim in table))
