"""The plan in the terminal: the year as a wall by weeks, this week's sittings, what is due. At most a screen, unless more is asked for."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from ..showing.durations import minutes_said
from ..showing.terminal import BOLD, HINT, MISS, PASS, REVERSE, SOFT, paint, width
from .advice import TRY, Advice
from .calendar import QUARTER, Sitting
from .days import DAY_NAMES, MONTH_NAMES
from .days import said as date_said
from .ends import joined, number
from .making import Plan, Week
from .marks import GATE, Mark
from .shares import WANTED
from .slots import MOST

SCREEN = 23  # lines, and the prompt
ROWS = 4  # quarters of the wall; a year
FEWER = ((3, 3), (2, 3), (1, 2), (1, 1), (0, 1))  # steps of advice and dates to come, until it fits on a screen
EVERYTHING = (len(TRY), 12)
SHOWN = 15  # minutes from which a stretch of a sitting is named
INDENT, LABEL = 35, 20  # columns before what a day is for, and at least for it
LEGEND = "solid: worked · dots: not · double: now · R review · ▲ gate · × off"
AFTER = " · dashed: as you go"  # past the planned end


def plan_text(plan: Plan, weeks: int = 0) -> str:
    """The plan for a person: a screen of it; or so many weeks in full, from this one on, with everything there is to say."""
    head = [*_head(plan), "", *wall(plan), ""]
    ahead = [week for week in plan.weeks if week.state in ("now", "ahead")]
    listed = [line for week in ahead[:weeks] for line in (*week_text(plan, week), "")] or [*week_text(plan, plan.week)]
    foot = [paint(line, SOFT) for line in _foot(plan, weeks)]
    for steps, dates in FEWER if not weeks else (EVERYTHING,):
        lines = [*head, *listed, *_said(plan, steps), *_due(plan), *_ahead(plan, dates), *foot]
        if weeks or len(lines) <= SCREEN:
            return "\n".join(lines)
    return "\n".join(lines[: SCREEN + 1])


def advice_line(found: Sequence[Advice]) -> str:
    """The most urgent advice, as it fits the terminal; "" where there is none."""
    return textwrap.fill(found[0].says, width()) if found else ""


def _head(plan: Plan) -> list[str]:
    built = max((week.number for week in plan.weeks if week.state != "beyond"), default=1)
    asked, shape = plan.settings.hours, plan.settings.shape.replace("-", " ")
    hours = number(asked) if asked <= MOST else f"{MOST} of {number(asked)}"
    lines = [
        paint(f"week {plan.week.number} of {built}", BOLD)
        + paint(f"   {plan.track.name} · {hours} h a week, {shape}", SOFT)
    ]
    lines += textwrap.wrap(plan.ends.says, width())
    share = plan.shares.share
    if share is not None:
        minutes = minutes_said(plan.shares.building + plan.shares.reading)
        aim = "as it should be" if share >= WANTED else f"{percent(WANTED)} and more is the aim: build sooner"
        lines.append(paint(f"building {percent(share)} of {minutes} measured: {aim}", SOFT))
    return lines


def wall(plan: Plan) -> list[str]:
    """A week a brick, a quarter a course, the first at the bottom."""
    columns = len(str(plan.weeks[-1].number)) + 3
    label = 10
    each = QUARTER if label + QUARTER * columns + 1 <= width() else max(1, (width() - label - 1) // columns)
    courses = [plan.weeks[i : i + each] for i in range(0, len(plan.weeks), each)]
    at = (plan.week.number - 1) // each
    first = max(0, min(at - 1, len(courses) - ROWS))
    shown = courses[first : first + ROWS]
    rows = []
    for i, course in enumerate(shown):
        months = _months(course)
        rows.append(f"{paint(months.ljust(label - 1), SOFT)}{' ' * (i % 2)}" + "".join(map(_brick, course)))
    ground = " " * (label - 1) + paint("▔" * (max(map(len, shown)) * columns + 1), SOFT)
    legend = LEGEND + (AFTER if plan.weeks[-1].state == "beyond" else "")
    if len(shown) < len(courses):
        legend += f" · weeks {shown[0][0].number} to {shown[-1][-1].number}"
    return [*reversed(rows), ground, *(paint(line, SOFT) for line in textwrap.wrap(legend, width()))]


def _months(course: Sequence[Week]) -> str:
    first, last = (MONTH_NAMES[week.monday.month - 1] for week in (course[0], course[-1]))
    return first if first == last else f"{first}–{last}"


def _brick(week: Week) -> str:
    sign = "×" if week.off == 7 else "R" if week.reviews else "▲" if any(m.kind == GATE for m in week.marks) else " "
    text = f"{sign}{week.number:>2}"
    if week.state == "done" and week.worked:
        return paint(f" {text} ", REVERSE) if paint("x", REVERSE) != "x" else f"▐{text}▌"
    if week.state == "done":
        return paint(f"·{text}·", SOFT)
    if week.state == "now":
        return paint(f"╟{text}╢", MISS, BOLD)
    return f"│{text}│" if week.state == "ahead" else paint(f"┆{text}┆", SOFT)


def week_text(plan: Plan, week: Week) -> Iterator[str]:
    """A week: its dates, its sittings by day, its marks."""
    worked = f", {minutes_said(week.worked)} worked" if week.state == "now" else ""
    review = f" · review of {entries_said([str(phase) for phase in week.reviews])}" if week.reviews else ""
    off = f" · {week.off} day{'s' * (week.off > 1)} off" if week.off else ""
    title = f"week {week.number}  {date_said(week.monday, plan.today)} to {date_said(week.sunday, plan.today)}"
    yield paint(title, BOLD) + paint(f"   {minutes_said(week.planned)}{worked}{review}{off}", SOFT)
    days: dict[int, list[Sitting]] = {}
    for sitting in week.sittings:
        days.setdefault(sitting.day.weekday(), []).append(sitting)
    for weekday, sittings in days.items():
        time = f"{sittings[0].start:%H:%M}–{sittings[-1].end:%H:%M}"
        minutes = minutes_said(sum(sitting.minutes for sitting in sittings))
        day = f"{DAY_NAMES[weekday]} {sittings[0].day.day}"
        lines = textwrap.wrap(label(sittings), max(LABEL, width() - INDENT))
        yield f"  {day:<6}  {paint(time, SOFT)}  {minutes:<10}  {lines[0]}"
        yield from (" " * INDENT + line for line in lines[1:])
    if not week.sittings:
        yield "  nothing more is planned"
    if week.state == "ahead":
        for mark in week.marks:
            yield f"  {_mark(mark)}"


def label(sittings: Iterable[Sitting]) -> str:
    """1.3 read, build; 1.4 read."""
    stretches: dict[str, dict[str, int]] = {}
    for sitting in sittings:
        for segment in sitting.segments:
            whats = stretches.setdefault(segment.task.name.replace("-", " "), {})
            whats[segment.what] = whats.get(segment.what, 0) + segment.minutes
    long = {
        name: kept
        for name, whats in stretches.items()
        if (kept := [what for what, minutes in whats.items() if minutes >= SHOWN])
    }
    return "; ".join(f"{name} {', '.join(whats)}" for name, whats in (long or stretches).items())


def _said(plan: Plan, steps: int) -> Iterator[str]:
    """What there is to say, and the first steps of what to do."""
    for each in plan.advice:
        yield from textwrap.wrap(each.says, width(), initial_indent="▸ ", subsequent_indent="  ")
        for step in each.then[:steps]:
            yield paint(f"    {step}", SOFT)


def _due(plan: Plan) -> Iterator[str]:
    """What can be done now, and ticked off by its name."""
    due = [f"{mark.title} ({mark.name})" for mark in plan.marks if mark.due and mark.tickable]
    if due:
        lines = textwrap.wrap(f"{', '.join(due)}; groundup plan --done NAME ticks it off", width() - 7)
        yield from (paint("due    " if not i else "       ", HINT) + line for i, line in enumerate(lines))


def _ahead(plan: Plan, count: int) -> Iterator[str]:
    """The next dates."""
    found = [mark for mark in plan.marks if not mark.done and not mark.due]
    dated = [(mark.day, mark) for mark in found if mark.day is not None and mark.day >= plan.today]
    for i, (day, mark) in enumerate(dated[:count]):
        likely = mark.likely if mark.likely != day else None
        moved = paint(f", as you go {date_said(likely, plan.today)}", SOFT) if likely else ""
        yield paint("ahead  " if not i else "       ", SOFT) + f"{date_said(day, plan.today)}{moved}  {_mark(mark)}"


def _mark(mark: Mark) -> str:
    return f"{paint('▲ gate', PASS)} {mark.title}" if mark.kind == GATE else mark.title


def _foot(plan: Plan, weeks: int) -> Iterator[str]:
    if plan.missing:
        said = f"not written yet, so not planned: {entries_said(plan.missing)}"
        yield textwrap.shorten(said, width(), placeholder=" ...")
    if not weeks:
        yield from textwrap.wrap(
            "groundup plan --weeks 8 shows more, --ical plan.ics takes it to your calendar", width()
        )


def percent(share: float) -> str:
    """64 %."""
    return f"{100 * share:.0f} %"


def entries_said(entries: Sequence[str]) -> str:
    """phases 4 and 5, lessons 6.1 and 6.5."""
    phases = [entry for entry in entries if "." not in entry]
    lessons = [entry for entry in entries if "." in entry]
    kinds = (("phase", phases), ("lesson", lessons))
    return ", ".join(f"{kind}{'s' * (len(found) > 1)} {joined(found)}" for kind, found in kinds if found)
