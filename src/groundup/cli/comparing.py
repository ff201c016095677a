"""`groundup compare`: runs side by side."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..lab import compare as comparing
from ..lab import plot as plots
from ..lab.compare import Group, Test
from ..lab.plain import plain
from ..lab.recipe import RecipeError
from ..lab.statistics import CORRECTIONS, Summary
from .training import records

SURE = 0.05  # an adjusted p below it is marked
PANELS = 6  # of curves


def compare(
    names: Sequence[str], metrics: Sequence[str], correction: str, figure: Path | None, smooth: float, as_json: bool
) -> int:
    """0 if there was something to compare; RecipeError for a name, a metric or a correction that there is not."""
    if len(names) < 2:
        raise RecipeError("name two or more to compare: runs (moons-3), several (moons-3..7), or recipes (moons)")
    if correction not in CORRECTIONS:
        raise RecipeError(f"there is no correction {correction!r}: it is one of {', '.join(CORRECTIONS)}")
    if not 0 <= smooth < 1:
        raise RecipeError(f"--smooth is at least 0 and below 1, not {smooth}")
    with records() as kept:
        groups = [comparing.group(name, kept) for name in dict.fromkeys(names)]
        if len(groups) < 2:
            raise RecipeError(f"{names[0]} is compared with itself: name another one too")
        logged = comparing.curves(groups, kept) if figure else {}
    found = [comparing.summaries(each) for each in groups]
    measured = list(dict.fromkeys(name for each in found for name in each))
    unknown = [name for name in metrics if name not in measured]
    if unknown and not (figure and set(unknown) <= set(logged)):
        raise RecipeError(f"none of the runs has measured {unknown[0]!r}: they have {', '.join(measured) or 'nothing'}")
    tests = comparing.compared(groups, metrics, correction)
    different = comparing.difference(groups)
    shown = [name for name in measured if not metrics or name in metrics]
    if figure:
        draw(logged, metrics, smooth, figure)
    if as_json:
        print(json.dumps(plain(as_object(groups, different, shown, found, tests, correction, figure))))
    else:
        for line in (*_differences(groups, different), *_table(groups, shown, found, tests, correction)):
            print(line)
        if figure:
            print(f"curves in {figure}")
    return 0


def draw(
    logged: Mapping[str, Mapping[str, Sequence[comparing.Curve]]], metrics: Sequence[str], smooth: float, path: Path
) -> None:
    """The curves that were logged, those that are named or else the first few."""
    panels = {name: logged[name] for name in (metrics or list(logged)[:PANELS]) if name in logged}
    if not panels:
        raise RecipeError(
            f"there are no curves that all have logged: {', '.join(metrics) or 'no metric is in all of them'}"
        )
    if path.suffix != ".png":
        raise RecipeError(f"--plot writes a PNG, and {path.name} is not called one")
    plots.save(plots.bands(panels, smooth), path)


def as_object(
    groups: Sequence[Group],
    different: Mapping[str, Sequence[Any]],
    shown: Sequence[str],
    found: Sequence[Mapping[str, Summary]],
    tests: Sequence[Test],
    correction: str,
    figure: Path | None,
) -> dict[str, Any]:
    """The object of `--json`, schema 1 (docs/runs.md)."""
    return {
        "schema": 1,
        "groups": [
            {"name": each.name, "runs": [row.name for row in each.rows], "left_out": list(each.left_out)}
            for each in groups
        ],
        "difference": dict(different),
        "metrics": {name: [vars(each[name]) if name in each else None for each in found] for name in shown},
        "correction": correction,
        "tests": [vars(test) for test in tests],
        "plot": None if figure is None else str(figure),
    }


def _differences(groups: Sequence[Group], different: Mapping[str, Sequence[Any]]) -> Iterator[str]:
    for each in groups:
        runs = f"{len(each.rows)} run" + "s" * (len(each.rows) > 1)
        yield f"{each.name}: {runs}, {', '.join(row.name for row in each.rows)}"
        if each.left_out:
            yield f"  with other values, and left out: {', '.join(each.left_out)}"
    width = max([len(name) for name in different], default=0) + 2
    for name, values in different.items():
        yield f"{name:<{width}}" + "  ".join(f"{value!s:>12}" for value in values)
    if not different:
        yield "no value differs"


def _table(
    groups: Sequence[Group],
    shown: Sequence[str],
    found: Sequence[Mapping[str, Summary]],
    tests: Sequence[Test],
    correction: str,
) -> Iterator[str]:
    by_place = {(test.metric, test.group): test for test in tests}
    for metric in shown:
        yield f"\n{metric:<22} {'mean':>10} {'sd':>9}   {'95 % interval':<24} {'less the first, 95 %':<34} {'p':>8}  {correction}"
        for each, summary in zip(groups, found):
            if metric not in summary:
                yield f"  {each.name:<20} {'not measured':>10}"
                continue
            s = summary[metric]
            line = f"  {each.name:<20} {s.mean:>10.5g} " + (f"{s.sd:>9.2g}" if s.n > 1 else f"{'-':>9}")
            between = f"{s.low:.5g} to {s.high:.5g}" if s.n > 1 else "one run"
            test = by_place.get((metric, each.name))
            if test is not None:
                gap = f"{test.difference:+.4g}"
                if test.p is not None and test.adjusted is not None:
                    gap += f" ({test.low:+.3g} to {test.high:+.3g})"
                    mark = " *" if test.adjusted < SURE else ""
                    line += f"   {between:<24} {gap:<34} {test.p:>8.2g}  {test.adjusted:.2g}{mark}"
                else:
                    line += f"   {between:<24} {gap:<34} too few runs to test"
            else:
                line += f"   {between}"
            yield line
