"""What is ahead, as tasks of parts: a lesson is read, built, checked and exercised; a phase is reviewed; a paper reproduced."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..lessons.lesson import Lesson
from .slots import whole

READ, BUILD, CHECK, EXERCISE = "read", "build", "check", "exercise"
SHARES = ((READ, 0.3), (BUILD, 0.4), (CHECK, 0.1), (EXERCISE, 0.2))  # of a lesson's time; all but the first is building
REVIEW_SHARES = (
    (READ, 0.3),
    (BUILD, 0.4),
    (EXERCISE, 0.3),
)  # notes; an old checkpoint from a blank file; what was skipped
REVIEW_SHARE = 0.2  # of a phase's time goes into its review, and at most a week's hours
REVIEWED_FROM = 3  # lessons of a phase on a track; fewer have no review of their own
LEAST = 15  # minutes: nothing that is still to be done takes less
REST_SHARE = 0.1  # of a lesson's time that is ahead at least, as long as it has not passed
PAPER_MINUTES = 360
PAPERS_FROM = 4  # the phase before which no paper is asked for


@dataclass(frozen=True)
class Part:
    """One kind of work on a task."""

    what: str
    minutes: int


@dataclass(frozen=True)
class Task:
    """Something to be done in one go, over one sitting or several. name: a lesson's id, review-1, paper-2."""

    name: str
    title: str
    parts: tuple[Part, ...]
    lesson: Lesson | None = None

    @property
    def minutes(self) -> int:
        return sum(part.minutes for part in self.parts)


def tasks(
    route: Sequence[Lesson], ahead: Sequence[Lesson], rest: Mapping[str, int], reviews: Mapping[int, int]
) -> Iterator[Task]:
    """The lessons ahead in order, and after the last of a phase its review.

    route: all lessons of the plan. rest: minutes that lessons still take, by id; reviews: minutes of a phase's review that are ahead.
    """
    titles = {lesson.phase: lesson.phase_title for lesson in route}
    last = {lesson.phase: lesson.section_id for lesson in ahead}
    due = [phase for phase in titles if reviews.get(phase) and phase not in last]
    for phase in due:  # its lessons have passed, its review is not over
        yield review(phase, titles[phase], reviews[phase])
    for lesson in ahead:
        yield of_lesson(lesson, rest[lesson.section_id])
        if last[lesson.phase] == lesson.section_id and reviews.get(lesson.phase):
            yield review(lesson.phase, titles[lesson.phase], reviews[lesson.phase])


def of_lesson(lesson: Lesson, minutes: int) -> Task:
    """What is left of a lesson: its end, if it has been begun."""
    full = max(minutes, whole(lesson.minutes))
    return Task(lesson.section_id, lesson.title, _tail(split(full, SHARES), minutes), lesson)


def review(phase: int, title: str, minutes: int) -> Task:
    """The review of a phase."""
    return Task(f"review-{phase}", f"look back at {title}", split(minutes, REVIEW_SHARES))


def paper(number: int) -> Task:
    """A paper reproduced, one in a quarter."""
    return Task(f"paper-{number}", "reproduce a result of a paper", split(PAPER_MINUTES, SHARES))


def rest_of(lesson: Lesson, spent: float, pace: float) -> int:
    """Minutes that a lesson still takes at a pace, after so many."""
    full = lesson.minutes * pace
    return max(LEAST, whole(max(full - spent, full * REST_SHARE)))


def review_minutes(route: Sequence[Lesson], phase: int, week: int) -> int:
    """Minutes for the review of a phase; week: those of a whole week."""
    lessons = [lesson for lesson in route if lesson.phase == phase]
    if len(lessons) < REVIEWED_FROM:
        return 0
    return max(LEAST, whole(min(REVIEW_SHARE * sum(lesson.minutes for lesson in lessons), week)))


def split(minutes: int, shares: Sequence[tuple[str, float]]) -> tuple[Part, ...]:
    """Minutes divided by shares, in whole fives, that add up to all of them."""
    parts, before, share = [], 0, 0.0
    for what, each in shares:
        share += each
        until = whole(minutes * min(1.0, share)) if what != shares[-1][0] else minutes
        if until > before:
            parts.append(Part(what, until - before))
        before = max(before, until)
    return tuple(parts)


def _tail(parts: Sequence[Part], minutes: int) -> tuple[Part, ...]:
    """The last so many minutes of parts."""
    kept: list[Part] = []
    for part in reversed(parts):
        take = min(part.minutes, minutes - sum(each.minutes for each in kept))
        if take > 0:
            kept.append(Part(part.what, take))
    return tuple(reversed(kept))
