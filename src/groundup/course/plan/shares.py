"""Building against reading, as measured: at least three fifths of the time should go into building.

The time before an event goes to one or the other by what the event is. Time that ends in a check, a file put back or a bug found was
building; but from opening a lesson, a hint or a look at the reference until the first check after it, one was reading. A text of one's
own counts as neither.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..progress.time_spent import Span

READ = frozenset({"opened", "hinted", "looked", "read"})
BUILT = frozenset({"checked", "passed", "saved", "built", "reset", "bug", "found", "recalled", "arena"})
WANTED = 0.6


@dataclass(frozen=True)
class Shares:
    """Minutes of each."""

    building: float
    reading: float

    @property
    def share(self) -> float | None:
        """Of building; None where nothing was measured."""
        both = self.building + self.reading
        return self.building / both if both else None


def shares_of(spans: Iterable[Span]) -> Shares:
    """Building and reading over all of them, in order."""
    building = reading = 0.0
    at_page: set[str | None] = set()  # lessons whose page was turned to, and that were not checked since
    for span in spans:
        kind, lesson = span.event.kind, span.event.lesson
        if kind in READ:
            reading += span.minutes
            at_page.add(lesson)
        elif kind in BUILT:
            if lesson in at_page:
                reading += span.minutes
            else:
                building += span.minutes
            at_page.discard(lesson)
    return Shares(building, reading)
