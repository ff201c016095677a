"""Finds the smallest case that still fails, with Hypothesis, against the child that is already warm."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any

from ..lessons.checkpoints import Case
from ..lessons.draw import SearchedDraw
from .compare import size

EXAMPLES = 150  # generated at most, before shrinking begins


class _Enough(BaseException):
    """The time for shrinking is over: ends Hypothesis from inside."""


class _Fails(Exception):
    """The case at hand fails: what Hypothesis shrinks towards."""


def shrink(draw_case: Callable[[Any], Case], fails: Callable[[Case], bool], seconds: float) -> Case | None:
    """The smallest failing case found within so many seconds, or None if none failed."""
    import hypothesis
    from hypothesis import HealthCheck, Phase, Verbosity, strategies

    until = time.perf_counter() + seconds
    best: list[tuple[int, Case]] = []

    @hypothesis.seed(0)
    @hypothesis.settings(
        database=None,
        deadline=None,
        max_examples=EXAMPLES,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
        report_multiple_bugs=False,
    )
    @hypothesis.given(strategies.data())
    def search(data: Any) -> None:
        if time.perf_counter() > until:
            raise _Enough
        case = draw_case(SearchedDraw(data))
        if fails(case):
            score = size(case)
            if not best or score <= best[0][0]:
                best[:] = [(score, case)]
            raise _Fails

    with contextlib.suppress(_Enough, _Fails, hypothesis.errors.HypothesisException):
        search()  # however it ends, what it found is in `best`
    return best[0][1] if best else None
