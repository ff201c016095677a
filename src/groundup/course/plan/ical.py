"""The plan as an iCalendar file (RFC 5545): what is ahead, to be imported again whenever it has changed.

Times are in UTC: each sitting has its own, so no rule for summer time has to travel with them. A sitting has the name of its slot, a mark
its own, so that a calendar that imports the file again changes what it has instead of doubling it; what has gone is cancelled.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone

from .calendar import Sitting
from .making import Plan
from .marks import CREDITS_END, Mark
from .text import label

WIDE = 75  # octets of a line, RFC 5545, 3.1
ESCAPED = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n", "\r": None})
HEAD = ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//groundup//plan//EN", "CALSCALE:GREGORIAN", "METHOD:PUBLISH")


def exported(plan: Plan) -> list[str]:
    """The names of the sittings in the file: to be kept, so that the next file can cancel what has gone."""
    return [sitting.name for sitting in plan.sittings]


def ical(plan: Plan) -> bytes:
    """The file: sittings from now on, the dates that are still ahead, and cancelled what an earlier file had."""
    domain = f"{hashlib.sha256(f'{plan.born:.6f}'.encode()).hexdigest()[:16]}.groundup"
    sequence = max(0, int(plan.now.timestamp() - plan.born) // 60)  # grows, for programs that ask which one is newer
    stamp = [f"DTSTAMP:{_utc(plan.now)}", f"LAST-MODIFIED:{_utc(plan.now)}", f"SEQUENCE:{sequence}"]
    lines = [*HEAD, f"X-WR-CALNAME:{_text(f'groundup: {plan.track.name}')}"]
    for name, about in _entries(plan):
        lines += ["BEGIN:VEVENT", f"UID:{_text(f'{name}@{domain}')}", *stamp, *about, "END:VEVENT"]
    lines.append("END:VCALENDAR")
    return "".join(f"{_folded(line)}\r\n" for line in lines).encode()


def _entries(plan: Plan) -> Iterator[tuple[str, list[str]]]:
    for sitting in plan.sittings:
        yield f"sitting-{sitting.name}", _sitting(sitting)
    for week in plan.weeks:
        for phase in week.reviews:
            says = "Notes again; an old checkpoint from a blank file (groundup recall); what was skipped."
            yield f"review-{phase}", [*_days(week.monday, 7), *_about(f"review of phase {phase}", says)]
    for mark in plan.marks:
        if mark.day is not None and not mark.done and mark.day >= plan.today:
            yield mark.name.replace(" ", "-"), _mark(mark)
    for name, day in _gone(plan):
        yield f"sitting-{name}", [*_days(day, 1), "SUMMARY:no sitting", "STATUS:CANCELLED"]


def _sitting(sitting: Sitting) -> list[str]:
    kinds = ",".join(dict.fromkeys(segment.what for segment in sitting.segments))
    titles = dict.fromkeys(segment.task for segment in sitting.segments)
    said = [
        f"{segment.task.name} {segment.task.title}: {segment.what} {segment.minutes} min"
        for segment in sitting.segments
    ]
    first = next(iter(titles))
    return [
        f"DTSTART:{_utc(sitting.start)}",
        f"DTEND:{_utc(sitting.end)}",
        *_about(f"{label([sitting])} · {first.title}", "\n".join(said)),
        f"CATEGORIES:{kinds}",
        "STATUS:CONFIRMED",
    ]


def _mark(mark: Mark) -> list[str]:
    assert mark.day is not None
    title = f"gate: {mark.title}" if mark.kind == "gate" else mark.title
    lines = [*_days(mark.day, 1), *_about(title, mark.says)]
    if mark.name == CREDITS_END:
        lines += ["BEGIN:VALARM", "ACTION:DISPLAY", f"DESCRIPTION:{_text(mark.title)}", "TRIGGER:PT9H", "END:VALARM"]
    return lines


def _about(summary: str, description: str) -> list[str]:
    return [f"SUMMARY:{_text(summary)}", f"DESCRIPTION:{_text(description)}"]


def _days(first: date, count: int) -> list[str]:
    """Whole days, during which one counts as free."""
    after = first + timedelta(days=count)
    return [f"DTSTART;VALUE=DATE:{first:%Y%m%d}", f"DTEND;VALUE=DATE:{after:%Y%m%d}", "TRANSP:TRANSPARENT"]


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(timezone.utc):%Y%m%dT%H%M%SZ}"


def _text(text: str) -> str:
    return "".join(ch for ch in text if ch == "\n" or ch.isprintable()).translate(ESCAPED)


def _folded(line: str) -> str:
    """A line of at most 75 octets, the rest on lines that begin with a space; no character is cut in two."""
    pieces, room = [""], WIDE
    for ch in line:
        size = len(ch.encode())
        if size > room:
            pieces.append(" ")
            room = WIDE - 1
        pieces[-1] += ch
        room -= size
    return "\r\n".join(pieces)


def _gone(plan: Plan) -> Iterator[tuple[str, date]]:
    """The sittings of the last file that are ahead no longer; those of today may simply be over."""
    kept = {sitting.name for sitting in plan.sittings}
    for name in plan.settings.exported:
        with contextlib.suppress(ValueError):
            day = date.fromisoformat(name[:10])
            if name not in kept and (day > plan.today or (day == plan.today and plan.settings.is_off(day))):
                yield name, day
