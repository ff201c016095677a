"""The judge: keeps sandboxes, lessons and the next cases ready, and hears one submission after another."""

from __future__ import annotations

import gc
import time
from pathlib import Path

from ..holes.library import Problem, Submission
from ..lessons.lesson import Lesson
from ..lessons.probes import load_probes
from ..sandbox.host import Sandbox, profile_of
from .batches import Prepared, fresh_seed
from .diagnose import Diagnostician
from .hearing import Hearing, Manner, of_problem
from .verdicts import LessonVerdict


class Judge:
    """Keeps sandboxes warm and lessons ready. Not to be shared between threads."""

    def __init__(self) -> None:
        self._sandboxes: dict[str, Sandbox] = {}
        self._prepared: dict[Path, Prepared] = {}
        self._diagnosticians: dict[Path, Diagnostician] = {}

    def __enter__(self) -> Judge:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends every process this judge has started."""
        for diagnostician in self._diagnosticians.values():
            diagnostician.close()
        for sandbox in self._sandboxes.values():
            sandbox.close()
        self._diagnosticians.clear()
        self._sandboxes.clear()

    def sandbox(self, profile: str = "numpy") -> Sandbox:
        """The warm sandbox of a profile."""
        if profile not in self._sandboxes:
            self._sandboxes[profile] = Sandbox(profile)
        return self._sandboxes[profile]

    def prepare(self, lesson: Lesson, seed: int | None = None, times: int = 1) -> None:
        """Draws the next batch and asks the oracle before it is needed. Warms the sandbox."""
        self.sandbox(profile_of(lesson.allows)).warm()
        self.ready(lesson, fresh_seed() if seed is None else seed, times)
        self.diagnostician(lesson).warm()
        gc.freeze()  # oracles and cases stay: a collection in the middle of a check would look at all of torch

    def ready(self, lesson: Lesson, seed: int, times: int) -> Prepared:
        """The lesson's probes, and the cases of this seed with their truths."""
        prepared = self._prepared.get(lesson.folder)
        if prepared is None:
            prepared = self._prepared[lesson.folder] = Prepared(load_probes(lesson))
        if (prepared.seed, prepared.count) != (seed, times):
            prepared.draw(seed, times)
            if lesson.folder in self._diagnosticians:
                self._diagnosticians[lesson.folder].forget()
        return prepared

    def diagnostician(self, lesson: Lesson) -> Diagnostician:
        """The lesson's faults, loaded."""
        if lesson.folder not in self._diagnosticians:
            self._diagnosticians[lesson.folder] = Diagnostician(
                lesson, self._prepared[lesson.folder].probes, self.sandbox(profile_of(lesson.allows))
            )
        return self._diagnosticians[lesson.folder]

    def check(
        self,
        lesson: Lesson,
        submission: Submission,
        seed: int | None = None,
        times: int = 1,
        *,
        search: bool = True,
        hurried: bool = True,
        whole: bool = True,
        long: bool = True,
        only: frozenset[str] | None = None,
        late: float = float("inf"),
    ) -> LessonVerdict:
        """Judges one submission. `seed` draws the same cases again; `times` as many cases.

        `search`: whether a failing case is shrunk; without it the smallest of those drawn is shown.
        `hurried`: whether the checkpoints after one that failed are cut short; without it all run to their end.
        `whole`: whether there are verdicts on the checkpoints after the first required one that failed.
        `long`: whether there are verdicts on checkpoints that take many seconds.
        `only`: the probes whose checkpoints are judged, None for all; a fault is named by those that touch it.
        `late`: seconds that the checkpoints after one that ran out of time or memory have, together.
        """
        begun = time.perf_counter()
        prepared = self._prepared.get(lesson.folder)
        if seed is None:
            seed = prepared.seed if prepared and prepared.count == times and prepared.seed >= 0 else fresh_seed()
        prepared = self.ready(lesson, seed, times)
        verdict = LessonVerdict(lesson.section_id, seed, 0.0, [])
        try:
            sandbox = self.sandbox("any" if submission.any_imports else profile_of(lesson.allows))
            sandbox.warm()
            ready = time.perf_counter()  # what was not ready yet is not the learner's time
            how = Manner(search, hurried, whole, long, only, late)
            hearing = Hearing(sandbox, lambda: self.diagnostician(lesson), lesson, submission, prepared, ready, how)
            verdict.mine, verdict.reference = hearing.stand_ins()
            verdict.checkpoints = hearing.all()
            verdict.printed = hearing.printed
        except Problem as problem:
            verdict.checkpoints = [of_problem(p.checkpoint, problem) for p in prepared.probes]
        verdict.elapsed_ms = (time.perf_counter() - begun) * 1000
        return verdict

    def use_up(self, lesson: Lesson) -> None:
        """Forgets the prepared cases, so that the next check draws fresh ones."""
        if (prepared := self._prepared.get(lesson.folder)) is not None:
            prepared.seed = -1
