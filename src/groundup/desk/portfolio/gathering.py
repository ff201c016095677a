"""What a workspace holds that can be shown: lessons built, runs done, studies, gates, posts, the log as far as it is allowed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, tzinfo
from functools import lru_cache

from ...course.holes.library import assemble, reference_text
from ...course.lessons.lesson import Lesson, find_all
from ...course.log.entries import Entry
from ...course.progress.store import Standing
from ...course.tracks import Gate, Track, still_open
from ...course.workspace.kept_runs import kept_recipes
from ...course.workspace.workspace import Workspace
from .built import Built, built_lessons
from .choices import Choices
from .results import Done, Study, runs_and_studies
from .texts import REPRODUCTION, Post, allowed_entries, posts_of

NAMED = re.compile(r"\blib((?:\.\w+)+)")  # of the library, in the source of an experiment


@dataclass(frozen=True)
class Portfolio:
    """All of it, before it becomes pages."""

    choices: Choices
    track: Track
    lessons: tuple[Lesson, ...]  # of the course, built or not
    built: tuple[Built, ...]
    runs: tuple[Done, ...]  # the newest first
    studies: tuple[Study, ...]
    gates: tuple[tuple[Gate, bool], ...]
    reproduced: tuple[Done, ...]  # one run for each recipe whose claims the learner's own library keeps
    posts: tuple[Post, ...]
    log: tuple[Entry, ...]

    @property
    def papers(self) -> tuple[Post, ...]:
        """Posts that tell of a reproduction."""
        return tuple(post for post in self.posts if post.kind == REPRODUCTION)

    @property
    def newest(self) -> date | None:
        """The day of the last thing in it."""
        days = [
            *(each.last for each in self.built),
            *(run.day for run in self.runs),
            *(post.day for post in self.posts),
        ]
        return max(days, default=None)

    def runs_on(self, built: Built) -> list[Done]:
        """Runs on the learner's own library that lean on what a lesson builds."""
        return [
            run
            for run in self.runs
            if run.row.mine and run.recipe and not leans_on(run.recipe.experiment).isdisjoint(built.lesson.modules)
        ]


def gather(workspace: Workspace, choices: Choices, zone: tzinfo, lessons: Sequence[Lesson] | None = None) -> Portfolio:
    """What the workspace holds now. zone: that of the learner, for days. lessons: instead of the course's."""
    lessons = find_all() if lessons is None else lessons
    kept, track = kept_recipes(workspace), workspace.track
    with workspace.store(readonly=True) as store:
        standings: dict[str, Standing] = store.standings()
        built = built_lessons(store, lessons, zone)
    runs, studies = runs_and_studies(workspace, zone)
    reproduced = {run.row.recipe: run for run in reversed(runs) if run.row.mine and run.row.recipe in kept}
    return Portfolio(
        choices=choices,
        track=track,
        lessons=tuple(lessons),
        built=tuple(built),
        runs=tuple(runs),
        studies=tuple(studies),
        gates=tuple((gate, not still_open(gate, standings, kept)) for gate in track.gates),
        reproduced=tuple(reproduced[name] for name in sorted(reproduced)),
        posts=tuple(posts_of(workspace, zone)),
        log=tuple(allowed_entries(workspace, choices.log)),
    )


@lru_cache(maxsize=64)
def leans_on(experiment: str) -> frozenset[str]:
    """The modules of the library that an experiment names, as `lib.grad.mlp`, and those that they import."""
    source = reference_text(f"experiments.{experiment}") or ""
    named = {".".join(words[:i]) for words in map(_words, NAMED.findall(source)) for i in range(2, len(words) + 1)}
    return frozenset(assemble([name for name in sorted(named) if reference_text(name) is not None], {}, frozenset()))


def _words(dotted: str) -> list[str]:
    return dotted.strip(".").split(".")
