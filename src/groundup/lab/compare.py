"""Runs side by side: what was set differently, what came out, and whether the difference is more than the seeds make.

What is compared are groups of runs: one run, or the seeds of one configuration. Each group but the first is tested against the
first, metric by metric, and the p values are corrected for how many tests there are: of twenty tests of nothing one comes out
below 0.05.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .formats import Row
from .record import Records
from .sqlite import StoreError
from .statistics import CORRECTIONS, Summary, permutation, summary, welch

VARIES = "varies"
Curve = tuple[list[float], list[float]]  # steps, values


@dataclass(frozen=True)
class Group:
    """Runs that differ in their seed alone, and how they were asked for."""

    name: str
    rows: tuple[Row, ...]  # the oldest first
    left_out: tuple[str, ...] = ()  # finished runs of the recipe that do not belong to it


@dataclass(frozen=True)
class Test:
    """One group against the first, on one metric. p is Welch's, None where a side has fewer than two runs."""

    metric: str
    group: str
    difference: float  # mean less the first group's mean
    low: float
    high: float
    p: float | None
    adjusted: float | None  # p, corrected for all tests that were made
    permutation: float | None


def group(name: str, records: Records) -> Group:
    """What a name stands for: a run (moons-3); several (moons-3..7), those that have finished; a recipe (moons), the finished runs
    with the values and the library of its newest finished one. Of runs with the same seed the newest counts.

    StoreError where there is none, or where the runs of a range differ in more than their seed.
    """
    several = re.fullmatch(r"(.+)-(\d+)\.\.(\d+)", name)
    finished = [row for row in records.runs(several[1] if several else name) if row.status == "finished"]
    if several:
        chosen = [row for row in finished if int(several[2]) <= row.id <= int(several[3])]
        if not chosen:
            raise StoreError(f"there is no finished run in {name}: `groundup runs` lists them")
        for row in chosen:
            if _values(row) != _values(chosen[0]):
                what = ", ".join(difference([Group("", (row,)), Group("", (chosen[0],))])) or "their library"
                raise StoreError(f"{row.name} and {chosen[0].name} differ in {what}: compare them one by one")
        return Group(name, _one_a_seed(chosen))
    if finished:
        chosen = [row for row in finished if _values(row) == _values(finished[0])]
        ids = {row.id for row in chosen}
        return Group(name, _one_a_seed(chosen), tuple(row.name for row in finished if row.id not in ids))
    return Group(name, (records.find(name),))


def grouped(rows: Sequence[Row]) -> list[Group]:
    """Runs -> groups of those that differ in their seed alone, in the order in which they are given. A group has the name of its
    run, or of the first of them and how many more.
    """
    groups: list[list[Row]] = []
    for row in rows:
        alike = next(
            (each for each in groups if each[0].recipe == row.recipe and _values(each[0]) == _values(row)), None
        )
        if alike is None:
            groups.append([row])
        else:
            alike.append(row)
    chosen = [_one_a_seed(sorted(each, key=lambda row: -row.id)) for each in groups]
    return [Group(each[0].name + (f" and {len(each) - 1} more" if len(each) > 1 else ""), each) for each in chosen]


def difference(groups: Sequence[Group]) -> dict[str, list[Any]]:
    """The values that are not the same in all groups: by dotted name, one for each group. What differs within a group, as the
    seed does, "varies"; where all groups have the same seeds the seed is no difference.
    """
    names = dict.fromkeys(key for each in groups for row in each.rows for key in row.config)
    found = {}
    for name in names:
        within = [[row.config.get(name) for row in each.rows] for each in groups]
        values = [many[0] if all(v == many[0] for v in many) else VARIES for many in within]
        if any(v != values[0] for v in values):
            found[name] = values
    return found


def summaries(each: Group) -> dict[str, Summary]:
    """Mean, spread and interval of each metric that all runs of a group have measured, the same name in all."""
    names = [name for name in each.rows[0].result if all(name in row.result for row in each.rows)]
    return {name: summary([row.result[name] for row in each.rows]) for name in names}


def compared(groups: Sequence[Group], metrics: Sequence[str] = (), correction: str = "holm") -> list[Test]:
    """Each group against the first, on each metric that both have (or on those that are named)."""
    tests = []
    for each in groups[1:]:
        ours, theirs = summaries(each), summaries(groups[0])
        for name in theirs:
            if name in ours and (not metrics or name in metrics):
                tests.append(_test(name, groups[0], each))
    made = [test.p for test in tests if test.p is not None]
    adjusted = iter(CORRECTIONS[correction](made)) if made else iter(())
    return [test if test.p is None else Test(**{**vars(test), "adjusted": float(next(adjusted))}) for test in tests]


def curves(groups: Sequence[Group], records: Records) -> dict[str, dict[str, list[Curve]]]:
    """What was logged, by metric and group: one curve for each run. Metrics that all groups have, longer than a point."""
    logged: dict[str, dict[str, list[Curve]]] = {}
    for each in groups:
        for row in each.rows:
            by_name: dict[str, Curve] = {}
            for _, step, name, value in records.metrics(row.id):
                steps, values = by_name.setdefault(name, ([], []))
                steps.append(step)
                values.append(value)
            for name, curve in by_name.items():
                logged.setdefault(name, {}).setdefault(each.name, []).append(curve)
    return {
        name: found
        for name, found in logged.items()
        if len(found) == len(groups) and all(len(steps) > 1 for many in found.values() for steps, _ in many)
    }


def _test(name: str, first: Group, other: Group) -> Test:
    a, b = ([row.result[name] for row in each.rows] for each in (first, other))
    if min(len(a), len(b)) < 2 or not all(map(math.isfinite, a + b)):
        gap = sum(b) / len(b) - sum(a) / len(a)
        return Test(name, other.name, gap, math.nan, math.nan, None, None, None)
    result = welch(a, b)
    return Test(name, other.name, result.difference, result.low, result.high, result.p, None, permutation(a, b))


def _values(row: Row) -> tuple[Mapping[str, Any], bool]:
    """What runs of a group have in common."""
    return {key: value for key, value in row.config.items() if key != "seed"}, row.mine


def _one_a_seed(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Rows, the newest first -> the newest of each seed, the oldest first: the same run twice says nothing new."""
    newest: dict[int, Row] = {}
    for row in rows:
        newest.setdefault(row.seed, row)
    return tuple(sorted(newest.values(), key=lambda row: row.id))
