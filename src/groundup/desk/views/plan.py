"""The plan: a year as the wall, by weeks; this week's sittings; where the end is, said honestly; the same as a calendar file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ...course.plan.calendar import QUARTER, Sitting
from ...course.plan.days import DAY_NAMES, MONTH_NAMES, here, said
from ...course.plan.ends import number
from ...course.plan.ical import ical
from ...course.plan.making import Plan, Week, plan_of
from ...course.plan.marks import GATE, Mark
from ...course.plan.settings import EVENINGS, FULL_DAYS, decide, tick
from ...course.plan.shares import WANTED
from ...course.plan.text import entries_said, percent
from ...course.showing.durations import minutes_said
from ...course.workspace.workspace import WorkspaceError
from ..drawing.svg import element, picture
from ..paging import Refused, body_of, render
from ..place import Place

CLASSES = {"done": "built", "now": "now", "ahead": "ready", "beyond": "later"}  # of the bricks that the map has
WORDS = {"done": "worked", "now": "this week", "ahead": "ahead", "beyond": "past the planned end"}
SHAPES = {EVENINGS: "evenings and a block at the weekend", FULL_DAYS: "full days"}


@dataclass(frozen=True)
class Brick:
    """A week in the wall."""

    week: Week
    dates: str
    gates: tuple[str, ...]

    @property
    def classes(self) -> str:
        resting = self.week.state == "done" and not self.week.worked
        kind = "later aside" if resting else CLASSES[self.week.state]
        return f"{kind} review" if self.week.reviews else kind

    @property
    def sign(self) -> str:
        """What is special about it, in a letter: the words are in `said`."""
        return "×" if self.week.off == 7 else "R" if self.week.reviews else "▲" if self.gates else ""

    @property
    def said(self) -> str:
        """The brick in words."""
        week = self.week
        word = "no work" if week.state == "done" and not week.worked else WORDS[week.state]
        parts = [f"week {week.number}", self.dates, word, time_of(week)]
        parts += [f"review of phase {phase}" for phase in week.reviews]
        parts += [f"gate {name}" for name in self.gates]
        return ", ".join([*parts, *self._off()])

    @property
    def special(self) -> str:
        """What else there is to say of it: reviews, every date, days off."""
        reviews = [f"review of phase {phase}" for phase in self.week.reviews]
        dates = [f"gate {mark.title}" if mark.kind == GATE else mark.title for mark in self.week.marks]
        return ", ".join([*reviews, *dates, *self._off()])

    def _off(self) -> list[str]:
        off = self.week.off
        return [f"{off} day{'s' * (off > 1)} off"] if off else []


@dataclass(frozen=True)
class Quarter:
    """A course of the wall: thirteen weeks."""

    title: str
    bricks: tuple[Brick, ...]


@dataclass(frozen=True)
class Row:
    """A mark in the list of dates."""

    mark: Mark
    day: str
    likely: str  # where it differs from the day

    @property
    def state(self) -> str:
        return "done" if self.mark.done else "due" if self.mark.due else "ahead"

    @property
    def word(self) -> str:
        """The state in a word, where there is something to say."""
        return {"done": "done", "due": "its runs are left" if self.mark.kind == GATE else "due"}.get(self.state, "")


def values_of(plan: Plan, asked: int | None) -> dict[str, Any]:
    """What the page shows. asked: the number of a week to look at, else this one."""
    numbered = {week.number: week for week in plan.weeks}
    shown = numbered.get(asked or 0, plan.week)
    return {
        "plan": plan,
        "quarters": [_quarter(plan, i) for i in range(0, len(plan.weeks), QUARTER)],
        "bricks": [_brick(plan, week) for week in plan.weeks],
        "shown": shown,
        "shown_brick": _brick(plan, shown),
        "length": max(week.number for week in plan.weeks if week.state != "beyond"),
        "rows": [_row(plan, mark) for mark in plan.marks],
        "due": [mark for mark in plan.marks if mark.due and mark.tickable],
        "share": _share(plan),
        "missing": entries_said(plan.missing),
        "off": [(f"{first}..{last}", _dates(plan, first, last)) for first, last in plan.settings.off],
        "shapes": SHAPES,
        "time_of": time_of,
        "sitting_said": sitting_said,
        "minutes": minutes_said,
        "number": number,
    }


def time_of(week: Week) -> str:
    """3 h 20 of 10 h, or what is planned where nothing can have been worked."""
    if week.state in ("done", "now"):
        return f"{minutes_said(week.worked)} of {minutes_said(week.planned)}"
    return minutes_said(week.planned) if week.planned else "nothing planned"


def sitting_said(sitting: Sitting) -> str:
    """Tue 2, 19:00 to 20:30."""
    return f"{DAY_NAMES[sitting.day.weekday()]} {sitting.day.day}, {sitting.start:%H:%M} to {sitting.end:%H:%M}"


def _quarter(plan: Plan, first: int) -> Quarter:
    weeks = plan.weeks[first : first + QUARTER]
    names = list(dict.fromkeys(MONTH_NAMES[week.monday.month - 1] for week in (weeks[0], weeks[-1])))
    return Quarter(" to ".join(names), tuple(_brick(plan, week) for week in weeks))


def _brick(plan: Plan, week: Week) -> Brick:
    gates = tuple(mark.title for mark in week.marks if mark.kind == GATE)
    return Brick(week, _dates(plan, week.monday, week.sunday), gates)


def _dates(plan: Plan, first: date, last: date) -> str:
    return said(first, plan.today) if first == last else f"{said(first, plan.today)} to {said(last, plan.today)}"


def _row(plan: Plan, mark: Mark) -> Row:
    likely = mark.likely if not mark.done and mark.likely != mark.day else None
    day = said(mark.day, plan.today) if mark.day else ""
    return Row(mark, day, said(likely, plan.today) if likely else "")


def _share(plan: Plan) -> dict[str, Any] | None:
    """Building against reading as a bar, with the line that it should reach; None where nothing was measured."""
    share = plan.shares.share
    if share is None:
        return None
    label = f"building {percent(share)}, reading {percent(1 - share)}; at least {percent(WANTED)} should be building"
    bar = picture(
        100,
        6,
        label,
        element("rect", x=0, y=1, width=100, height=4, class_="share-reading"),
        element("rect", x=0, y=1, width=100 * share, height=4, class_="share-building"),
        element("line", x1=100 * WANTED, x2=100 * WANTED, y1=0, y2=6, class_="share-wanted"),
        class_="share",
    )
    measured = minutes_said(plan.shares.building + plan.shares.reading)
    return {"bar": bar, "label": label, "measured": measured, "enough": share >= WANTED}


def _plan(place: Place, now: datetime) -> Plan:
    return plan_of(place.workspace, now)


async def page(request: Request) -> Response:
    """The whole of it; ?week=20 shows that week's sittings instead of this one's."""
    place, week = request.app.state.place, request.query_params.get("week", "")
    asked = int(week) if week.isascii() and week.isdecimal() and len(week) < 5 else None
    plan = await place.work(_plan, place, here())
    return render(request, "plan.html", **values_of(plan, asked))


async def calendar(request: Request) -> Response:
    """The calendar file, made now. What it had is not kept: only `groundup plan --ical` can cancel what has gone."""
    place = request.app.state.place
    content = await place.work(lambda: ical(_plan(place, here())))
    named = {"content-disposition": 'attachment; filename="groundup.ics"'}
    return Response(content, media_type="text/calendar; charset=utf-8", headers=named)


async def decided(request: Request) -> Response:
    """Hours, shape, days off or on, or a tick: {"hours": 8, "shape": "evenings", "off": [...], "on": [...], "done": "credits"}."""
    place, body = request.app.state.place, await body_of(request)
    try:
        await place.work(_decide, place, body)
    except WorkspaceError as problem:
        raise Refused(400, str(problem)) from None
    return JSONResponse({})


def _decide(place: Place, body: dict[str, Any]) -> None:
    now = here()
    hours, shape, done = body.get("hours"), body.get("shape"), body.get("done")
    if hours is not None and (isinstance(hours, bool) or not isinstance(hours, (int, float))):
        raise Refused(400, "hours is a number")
    if shape is not None and shape not in SHAPES:
        raise Refused(400, f"shape is one of {', '.join(SHAPES)}")
    if done is not None and done not in {mark.name for mark in _plan(place, now).marks if mark.tickable}:
        raise Refused(400, "there is nothing of this name to tick off")
    workspace = place.workspace
    changed = None if hours == workspace.config.hours_per_week else hours
    decide(workspace, now, hours=changed, shape=shape, off=list(_texts(body, "off")), on=list(_texts(body, "on")))
    if done is not None:
        tick(workspace, done, undo=bool(body.get("undo")))


def _texts(body: dict[str, Any], name: str) -> Iterator[str]:
    given = body.get(name) or []
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        raise Refused(400, f"{name} is a list of days")
    yield from given


routes = [
    Route("/plan", page),
    Route("/plan/groundup.ics", calendar),
    Route("/plan", decided, methods=["POST"]),
]
