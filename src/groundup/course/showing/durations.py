"""A stretch of time as one says it."""

from __future__ import annotations

WHOLE_HOURS = 10  # from here on minutes say nothing


def minutes_said(minutes: float) -> str:
    """55 min, 2 h, 3 h 05 min, 152 h."""
    hours, rest = divmod(round(minutes), 60)
    if not hours:
        return f"{rest} min"
    if hours >= WHOLE_HOURS:
        return f"{round(minutes / 60)} h"
    return f"{hours} h {rest:02} min" if rest else f"{hours} h"
