"""A week as Markdown to share with a study group: what was built and written, and what is still open, in the learner's words."""

from __future__ import annotations

from datetime import date

from ..plan.days import MONTH_NAMES
from ..showing.durations import minutes_said
from .entries import Entry
from .looking import Week, written
from .writing import QUESTIONS

UNCLEAR = QUESTIONS[-1].lower()


def digest(week: Week) -> str:
    """The week's digest."""
    lines = [f"# Week of {_said(week.monday)} to {_said(week.sunday)}", ""]
    counted = [minutes_said(week.minutes)]
    counted += [f"{len(week.built)} lesson{'s' * (len(week.built) != 1)} built"] if week.built else []
    counted += [f"{week.recalled} card{'s' * (week.recalled != 1)} recalled"] if week.recalled else []
    lines += [", ".join(counted) + ".", ""]
    if week.built:
        lines += ["## Built", "", *(f"- {lesson.section_id} {lesson.title}" for lesson in week.built), ""]
    for entry in week.entries:
        lines += _entry(entry)
    if week.lines:
        lines += ["## Added", ""]
        lines += [f"- {entry.title}: {text}" for _, entry, text in week.lines] + [""]
    if unclear := [
        (entry, section.text) for entry in week.entries for section in written(entry) if _is_open(section.title)
    ]:
        lines += ["## Who can help", "", *(f"- {entry.title}: {' '.join(text.split())}" for entry, text in unclear), ""]
    if not (week.built or week.entries or week.lines):
        lines += ["Nothing was written down this week.", ""]
    return "\n".join(lines)


def _entry(entry: Entry) -> list[str]:
    """An entry one level below the week, without what is still unclear: that comes at the end."""
    parts = [section for section in written(entry) if not _is_open(section.title)]
    lines = [f"## {entry.title}", ""]
    for section in parts:
        if section.title not in ("", entry.title):
            lines += [f"**{section.title}**", ""]
        lines += [section.text, ""]
    return lines if parts else []


def _is_open(title: str) -> bool:
    return title.strip(" ?").lower() == UNCLEAR


def _said(day: date) -> str:
    return f"{day.day} {MONTH_NAMES[day.month - 1]} {day.year}"
