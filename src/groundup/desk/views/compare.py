"""Runs side by side: what was set differently, what came out, and whether the difference is more than the seeds make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ...lab.compare import Group, Test, compared, difference, group, grouped, summaries
from ...lab.formats import Row
from ...lab.record import Records
from ...lab.statistics import CORRECTIONS, Summary
from ..laboratory import run_words as words
from ..laboratory.curves import bands
from ..laboratory.laboratory import laboratory
from ..paging import Refused, render

MOST = 6  # groups: more cannot be told apart


@dataclass(frozen=True)
class Entry:
    """What one group has of one metric, and how it is against the first."""

    group: Group
    summary: Summary | None
    test: Test | None
    says: str


@dataclass(frozen=True)
class Compared:
    """Groups of runs, the first of them the one that the others are held against."""

    groups: Sequence[Group]
    different: dict[str, list[Any]]
    metrics: dict[str, list[Entry]]
    tests: int


async def page(request: Request) -> Response:
    """The comparison as a page."""
    place, here = request.app.state.place, laboratory(request)
    correction = request.query_params.get("correction", "holm")
    if correction not in CORRECTIONS:
        raise Refused(400, f"there is no correction {correction!r}: it is one of {', '.join(CORRECTIONS)}")

    def found(kept: Records) -> tuple[Compared | None, list[Row]]:
        groups = _groups(request, kept)
        return (_compared(groups, correction) if len(groups) > 1 else None), kept.runs()

    result, rows = await place.work(here.read, found)
    chosen = [row.id for each in (result.groups if result else ()) for row in each.rows]
    return render(request, "compare.html", compared=result, correction=correction, corrections=list(CORRECTIONS), words=words,
                  query=request.url.query, recipes=sorted({row.recipe for row in rows}), chosen=chosen, apart=_apart(request))  # fmt: skip


async def curves(request: Request) -> Response:
    """The bands over the seeds of each group, as JSON."""
    place, here = request.app.state.place, laboratory(request)

    def found(kept: Records) -> dict[str, Any]:
        groups = _groups(request, kept)
        return {"groups": [each.name for each in groups], "bands": bands(groups, kept)}

    return JSONResponse(await place.work(here.read, found))


def _apart(request: Request) -> bool:
    return "apart" in request.query_params


def _groups(request: Request, kept: Records) -> list[Group]:
    """What is named in the address: runs, which are taken together where they differ in their seed alone, unless each is to stand
    by itself; several (moons-3..7); recipes.
    """
    rows: list[Row] = []
    groups: list[Group] = []
    for name in dict.fromkeys(request.query_params.getlist("run")):
        found = group(name, kept)
        if len(found.rows) == 1 and name in (found.rows[0].name, str(found.rows[0].id)):
            rows.append(found.rows[0])
        else:
            groups.append(found)
    ours = [Group(row.name, (row,)) for row in rows] if _apart(request) else _told_apart(grouped(rows))
    groups = list({each.name: each for each in [*ours, *groups]}.values())
    if len(groups) > MOST:
        raise Refused(400, f"compare at most {MOST} groups at once: choose fewer runs")
    return groups


def _told_apart(groups: Sequence[Group]) -> list[Group]:
    """The same groups, each of several runs named by what sets it apart, if that is one or two values: model.width 64."""
    values = difference(groups)
    names = [", ".join(f"{name} {words.number(each[i])}" for name, each in values.items()) for i in range(len(groups))]
    several = any(len(each.rows) > 1 for each in groups)
    if not several or not 0 < len(values) <= 2 or len(set(names)) < len(names):
        return list(groups)
    return [Group(name, each.rows) for name, each in zip(names, groups)]


def _compared(groups: Sequence[Group], correction: str) -> Compared:
    found = [summaries(each) for each in groups]
    tests = compared(groups, correction=correction)
    made = sum(test.p is not None for test in tests)
    metrics = {}
    for metric in dict.fromkeys(name for each in found for name in each):
        entries = []
        for each, summary in zip(groups, found):
            test = next((test for test in tests if (test.metric, test.group) == (metric, each.name)), None)
            said = words.sentence(test, groups, correction, made) if test else ""
            entries.append(Entry(each, summary.get(metric), test, said))
        metrics[metric] = entries
    return Compared(groups, _different(groups), metrics, made)


def _different(groups: Sequence[Group]) -> dict[str, list[Any]]:
    """What sets the groups apart: the library they ran on, and their values."""
    libraries = [" and ".join(sorted({"mine" if row.mine else "reference" for row in each.rows})) for each in groups]
    return {**({"library": libraries} if len(set(libraries)) > 1 else {}), **difference(groups)}


routes = [
    Route("/runs/compare", page),
    Route("/runs/compare/curves", curves),
]
