"""What has a date beside the sittings: gates, papers, cloud credits, giving something back, the end.

A gate is met by the store alone. What nobody can measure is ticked off: `groundup plan --done credits`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from ..lessons.lesson import Lesson
from ..progress.store import Standing
from ..tracks import EITHER, Track, gates_met, still_open
from .calendar import QUARTER, Laid, Start, papers_of, quarter_of
from .days import WEEK, monday_of
from .settings import Settings
from .work import PAPERS_FROM

CREDITS, CREDITS_END, CREDITS_DAYS = "credits", "credits-end", 90
GIVING = (
    (0.5, "answer", "answer a question that somebody has asked about what you have built"),
    (0.67, "post", "write a post about one thing that you have understood"),
    (0.83, "request", "mend something in a project that you use, and have it merged"),
)
GIVEN = {"answer": "an answer", "post": "a post", "request": "a merged request"}
GATE, PAPER, CLOUD, GIVE, REREAD, END = "gate", "paper", "credits", "give", "reread", "end"


@dataclass(frozen=True)
class Mark:
    """A date to look towards. day: as planned, None where it cannot be told; likely: at the pace that was measured."""

    name: str  # by which it is ticked off, and known again in a calendar
    kind: str
    title: str
    says: str
    day: date | None
    likely: date | None = None
    done: bool = False
    due: bool = False  # it can be done now, and is not

    @property
    def tickable(self) -> bool:
        """Whether it is for the learner to say that it is done."""
        return self.kind in (PAPER, CLOUD, GIVE)


@dataclass(frozen=True)
class Behind:
    """What has been done: the route of the plan, on which day each lesson passed, the recipes that are kept."""

    route: Sequence[Lesson]
    passed_on: Mapping[str, date]
    kept: Collection[str]


def marks_of(track: Track, behind: Behind, settings: Settings, start: Start, planned: Laid, likely: Laid) -> list[Mark]:
    """Every mark, by day; those without one last."""
    found = [
        *_gates(track, behind, start.now.date(), planned, likely),
        *_credits(settings, start),
        *_papers(behind, settings, start, planned, likely),
        *_giving(behind, settings, start, planned, likely),
        *_reread(behind, planned, likely),
    ]
    if planned.sittings:
        found.append(
            Mark("end", END, "the end", f"Everything on the track {track.name} is built.", planned.end, likely.end)
        )
    return sorted(found, key=lambda mark: (mark.day is None, mark.day or date.max, mark.kind == END))


def _gates(track: Track, behind: Behind, today: date, planned: Laid, likely: Laid) -> Iterator[Mark]:
    """A gate is reached on the day of the last lesson that it needs; its runs come beside."""
    standings = {name: Standing(name, passed=True) for name in behind.passed_on}
    met = {gate.name for gate, is_met in gates_met(track, standings, behind.kept) if is_met}
    for gate in track.gates:
        needs = gate.needs or tuple(
            lesson.section_id for lesson in behind.route
        )  # the last test comes after all of them
        day, then = (_reached(needs, behind.passed_on, laid.finished) for laid in (planned, likely))
        asks = still_open(gate, standings, behind.kept)
        says = gate.says + (f" It asks for {', '.join(asks)}." if asks else "")
        due = gate.name not in met and day is not None and day <= today  # only its runs are left
        yield Mark(f"gate {gate.name}", GATE, gate.name, says, day, then, gate.name in met, due)


def _reached(needs: Sequence[str], passed_on: Mapping[str, date], finished: Mapping[str, date]) -> date | None:
    """The day on which the last of the lessons is done; None if one of them is not in the plan."""
    last = date.min
    for entry in needs:
        days = [done[name] for name in entry.split(EITHER) for done in (passed_on, finished) if name in done]
        if not days:
            return None
        last = max(last, min(days))
    return last if needs else None


def _credits(settings: Settings, start: Start) -> Iterator[Mark]:
    """Applied for in week 1; after ninety days most of them are gone."""
    done = settings.done.get(CREDITS)
    says = "Apply for cloud credits now: what is granted comes weeks later, and phase 4 wants a GPU."
    yield Mark(
        CREDITS, CLOUD, "apply for cloud credits", says, done or start.first_day, None, done is not None, done is None
    )
    day = (done or start.first_day) + timedelta(days=CREDITS_DAYS)
    ended = CREDITS_END in settings.done
    says = "Ninety days have passed: look at what is left of your cloud credits, and on which day they end."
    due = not ended and day <= start.now.date()
    yield Mark(CREDITS_END, CLOUD, "what is left of the cloud credits", says, day, None, ended, due)


def _papers(behind: Behind, settings: Settings, start: Start, planned: Laid, likely: Laid) -> Iterator[Mark]:
    """One in each quarter that has lessons from phase 4 on."""
    done = papers_of(settings.done)
    this = quarter_of(start.week_of(start.now.date()))
    first = min(
        (day for name, day in behind.passed_on.items() if int(name.partition(".")[0]) >= PAPERS_FROM), default=None
    )
    past = range(quarter_of(start.week_of(first)) if first else this, this)
    ahead = {int(name.partition("-")[2]) for name in planned.finished if name.startswith("paper-")}
    for quarter in sorted({*done, *past, *ahead}):
        name = f"paper-{quarter}"
        day = settings.done.get(name) or planned.finished.get(name) or _last_day(start, quarter)
        says = "Reproduce one result of a paper: the claim as a number, your run, the difference."
        due = quarter not in done and quarter < this
        yield Mark(
            name,
            PAPER,
            f"a paper reproduced, quarter {quarter}",
            says,
            day,
            likely.finished.get(name),
            quarter in done,
            due,
        )


def _last_day(start: Start, quarter: int) -> date:
    return monday_of(start.first_day) + quarter * QUARTER * WEEK - timedelta(days=1)


def _giving(behind: Behind, settings: Settings, start: Start, planned: Laid, likely: Laid) -> Iterator[Mark]:
    """Past the middle, one kind after another."""
    for share, name, says in GIVING:
        done = settings.done.get(name)
        day, then = (_share_done(behind, laid, share) for laid in (planned, likely))
        if day is not None:
            due = done is None and day <= start.now.date()
            yield Mark(
                name,
                GIVE,
                f"give back: {GIVEN[name]}",
                f"Give something back: {says}.",
                done or day,
                then,
                done is not None,
                due,
            )


def _share_done(behind: Behind, laid: Laid, share: float) -> date | None:
    """The day on which this share of the lessons' time is behind."""
    done = {**laid.finished, **behind.passed_on}
    total, so_far = sum(lesson.minutes for lesson in behind.route), 0
    dated = sorted((done[lesson.section_id], lesson.minutes) for lesson in behind.route if lesson.section_id in done)
    for day, minutes in dated:
        so_far += minutes
        if so_far >= share * total:
            return day
    return None


def _reread(behind: Behind, planned: Laid, likely: Laid) -> Iterator[Mark]:
    """After phase 5, phase 1 once more."""
    fifth = [lesson.section_id for lesson in behind.route if lesson.phase == 5]
    day, then = (_reached(fifth, behind.passed_on, laid.finished) for laid in (planned, likely))
    if day is not None:
        yield Mark("reread", REREAD, "read phase 1 again", "After phase 5, read the pages of phase 1 again.", day, then)
