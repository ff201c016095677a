"""The map: the course as a wall that grows from the ground, phase 1 at the bottom, a lesson a brick as wide as its time."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Mapping, Sequence

from ..lessons.lesson import Lesson
from ..progress.store import Standing
from ..tracks import Track, before_begin, gates_met, leans_on, lessons_of, still_open
from .durations import minutes_said
from .terminal import BOLD, MISS, PASS, REVERSE, SOFT, paint, printable, width

MINUTES_A_COLUMN = 22
LEGEND = "solid: built · double: next · single: ready · dashed: later"
NBSP = "\N{NO-BREAK SPACE}"
ASKED = 6  # of what a gate still asks for
ASIDE = " · dots: off track"


def state(lesson: Lesson, standings: Mapping[str, Standing], now: Lesson | None, track: Track | None = None) -> str:
    """built, stretch, now, ready or later; what the reference stands in for on a track need not be passed."""
    standing = standings.get(lesson.section_id)
    if standing is not None and standing.passed:
        return "stretch" if standing.stretch else "built"
    if now is not None and now.section_id == lesson.section_id:
        return "now"
    passed = {name for name, s in standings.items() if s.passed}
    if track is None:
        return "ready" if set(lesson.after) <= passed else "later"
    return "ready" if set(leans_on(track, lesson)) <= passed | before_begin(track) else "later"


def wall(
    lessons: Sequence[Lesson], standings: Mapping[str, Standing], now: Lesson | None, track: Track | None = None
) -> str:
    """The wall as text, the ground last, then what the bricks mean and what comes next. Quiet where a lesson is not on the track."""
    on_track = {lesson.section_id for lesson in (lessons if track is None else lessons_of(track))}
    legend = LEGEND if all(lesson.section_id in on_track for lesson in lessons) else LEGEND + ASIDE
    said = {
        lesson.section_id: _said(state(lesson, standings, now, track), lesson.section_id in on_track)
        for lesson in lessons
    }
    phases: dict[int, list[Lesson]] = {}
    for lesson in lessons:
        phases.setdefault(lesson.phase, []).append(lesson)
    label = max(len(group[0].phase_title) for group in phases.values())
    room = max(40, width() - label - 10)  # columns for bricks
    rows: list[str] = []
    longest = 0
    for _, group in sorted(phases.items()):
        built = sum(said[lesson.section_id] in ("built", "stretch") for lesson in group)
        count = "built" if built == len(group) else f"{built} of {len(group)}"
        margin = f"{group[0].phase_title.rjust(label)} {paint(count.ljust(7), SOFT)} "
        for course in _courses(group, room):
            shift = " " * (len(rows) % 2)  # no joint above a joint
            rows.append(margin + shift + "".join(_brick(lesson, said[lesson.section_id]) for lesson in course))
            margin = " " * (label + 9)
            longest = max(longest, sum(_columns(lesson) + 2 for lesson in course))
    rows.reverse()
    ground = " " * (label + 9) + paint("▔" * max(20, longest), SOFT)
    lines = [*rows, ground, paint(" " * max(0, min(label + 9, width() - len(legend))) + legend, SOFT), ""]
    if now is not None:
        lines.append(f"next  {paint(f'{now.section_id} {now.title}', BOLD)}   about {minutes_said(now.minutes)}")
        opened = standings.get(now.section_id)
        verb = "watch" if opened is not None and opened.opened else f"open {now.section_id}"
        lines.append(f"      groundup {verb}")
    else:
        lines.append("Everything that is here is built.")
    return "\n".join(lines)


def _said(how: str, on_track: bool) -> str:
    return how if on_track or how in ("built", "stretch", "now") else "aside"


def gates_text(track: Track, standings: Mapping[str, Standing], kept_recipes: Collection[str]) -> str:
    """The gates of a track, met (●) or open (○), and what the first open one asks for."""
    gates = gates_met(track, standings, kept_recipes)
    marked = [f"{'●' if met else '○'} {gate.name}" for gate, met in gates]
    lines = _wrapped(f"{track.name}: {sum(met for _, met in gates)} of {len(gates)} met ", marked)
    first = next((gate for gate, met in gates if not met), None)
    if first is not None:
        asked = still_open(first, standings, kept_recipes)
        rest = [f"and {len(asked) - ASKED} more"] if len(asked) > ASKED else []
        lines += _wrapped(f"{first.name} asks for", [*(f"{each}," for each in asked[:ASKED]), *rest])
    return paint("gates  ", SOFT) + "\n       ".join(line.rstrip(",") if line is lines[-1] else line for line in lines)


def _wrapped(opening: str, words: Sequence[str]) -> list[str]:
    """Lines that break between the words, and not within them."""
    glued = " ".join(printable(word) for word in [opening, *(word.replace(" ", NBSP) for word in words)])
    return [line.replace(NBSP, " ") for line in textwrap.wrap(glued, width() - 7)]


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
    if how == "aside":
        return paint(f"·{text}·", SOFT)
    return f"│{text}│" if how == "ready" else paint(f"┆{text}┆", SOFT)
