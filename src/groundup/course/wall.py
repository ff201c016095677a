"""The map: the course as a wall that grows from the ground, phase 1 at the bottom, a lesson a brick as wide as its time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .lesson import Lesson
from .progress import Standing
from .terminal import BOLD, MISS, PASS, REVERSE, SOFT, paint, width

MINUTES_A_COLUMN = 22
LEGEND = "solid: built · double: next · single: ready · dashed: later"


def state(lesson: Lesson, standings: Mapping[str, Standing], now: Lesson | None) -> str:
    """built, stretch, now, ready or later."""
    standing = standings.get(lesson.section_id)
    if standing is not None and standing.passed:
        return "stretch" if standing.stretch else "built"
    if now is not None and now.section_id == lesson.section_id:
        return "now"
    passed = {name for name, s in standings.items() if s.passed}
    return "ready" if set(lesson.after) <= passed else "later"


def wall(lessons: Sequence[Lesson], standings: Mapping[str, Standing], now: Lesson | None) -> str:
    """The wall as text, the ground last, then what the bricks mean and what comes next."""
    phases: dict[int, list[Lesson]] = {}
    for lesson in lessons:
        phases.setdefault(lesson.phase, []).append(lesson)
    label = max(len(group[0].phase_title) for group in phases.values())
    room = max(40, width() - label - 10)  # columns for bricks
    rows: list[str] = []
    longest = 0
    for _, group in sorted(phases.items()):
        built = sum(state(lesson, standings, now) in ("built", "stretch") for lesson in group)
        count = "built" if built == len(group) else f"{built} of {len(group)}"
        margin = f"{group[0].phase_title.rjust(label)} {paint(count.ljust(7), SOFT)} "
        for course in _courses(group, room):
            shift = " " * (len(rows) % 2)  # no joint above a joint
            rows.append(margin + shift + "".join(_brick(lesson, state(lesson, standings, now)) for lesson in course))
            margin = " " * (label + 9)
            longest = max(longest, sum(_columns(lesson) + 2 for lesson in course))
    rows.reverse()
    ground = " " * (label + 9) + paint("▔" * max(20, longest), SOFT)
    lines = [*rows, ground, paint(" " * max(0, min(label + 9, width() - len(LEGEND))) + LEGEND, SOFT), ""]
    if now is not None:
        lines.append(f"next  {paint(f'{now.section_id} {now.title}', BOLD)}   {_time(now.minutes)}")
        opened = standings.get(now.section_id)
        verb = "watch" if opened is not None and opened.opened else f"open {now.section_id}"
        lines.append(f"      groundup {verb}")
    else:
        lines.append("Everything that is here is built.")
    return "\n".join(lines)


def _courses(group: Sequence[Lesson], room: int) -> list[list[Lesson]]:
    """A phase's bricks laid in courses that fit the terminal, the lowest first."""
    courses: list[list[Lesson]] = [[]]
    for lesson in group:
        if courses[-1] and sum(_columns(laid) + 2 for laid in [*courses[-1], lesson]) > room:
            courses.append([])
        courses[-1].append(lesson)
    return courses


def _columns(lesson: Lesson) -> int:
    return max(len(lesson.section_id) + 2, round(lesson.minutes / MINUTES_A_COLUMN))


def _brick(lesson: Lesson, how: str) -> str:
    text = lesson.section_id.center(_columns(lesson))
    if how in ("built", "stretch"):
        solid = f"▐{text}▌"
        return (
            paint(f" {text} ", REVERSE, *([PASS] if how == "stretch" else [])) if paint("x", REVERSE) != "x" else solid
        )
    if how == "now":
        return paint(f"╟{text}╢", MISS, BOLD)
    return f"│{text}│" if how == "ready" else paint(f"┆{text}┆", SOFT)


def _time(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    return (
        f"about {hours} h {rest:02} min"
        if hours and rest
        else (f"about {hours} h" if hours else f"about {minutes} min")
    )
