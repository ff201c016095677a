"""Curves of runs as a browser draws them: the steps and values of each metric, thinned where there are more than it can show.

A curve of many points is cut into stretches of as many points each, and of each stretch its lowest and its highest point are kept,
with the first and the last of all: no peak is lost. A point that is no number is kept too, so that the gap is seen.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...lab.compare import Group, curves
from ...lab.plain import plain
from ...lab.plot import band
from ...lab.record import Records

WHOLE = 16_384  # points of a curve that are sent as they are
THINNED = 8_192  # points of one that has more, about
BAND = 1_000  # steps of a band


def logged(kept: Records, run: int, metric: str | None = None, whole: int = WHOLE) -> dict[str, Any]:
    """What a run has logged, of one metric or of all: {"last": the id of the last row, "metrics": {name: curve}}."""
    last = kept.last(run)
    names = [metric] if metric is not None else kept.measured(run)
    found = {}
    for name in names:
        rows = [(step, value) for row, step, _, value in kept.metrics(run, name) if row <= last]
        if rows:
            found[name] = curve(rows, whole)
    return {"last": last, "metrics": found}


def curve(rows: Sequence[tuple[int, float]], whole: int = WHOLE) -> dict[str, Any]:
    """(step, value) -> {"steps", "values", "every"}: by step; every: of how many points one stretch was, 1 if all are there."""
    steps = np.array([step for step, _ in rows], np.int64)
    values = np.array([value for _, value in rows], np.float64)
    order = np.argsort(steps, kind="stable")
    steps, values, every = steps[order], values[order], 1
    if len(steps) > whole:
        kept, every = thinned(values, THINNED * whole // WHOLE)
        steps, values = steps[kept], values[kept]
    return {"steps": steps.tolist(), "values": numbers(values.tolist()), "every": every}


def thinned(values: NDArray[np.float64], most: int) -> tuple[NDArray[np.intp], int]:
    """Which of the values are kept, at most about `most` of them, in order; and of how many one stretch is."""
    every = max(1, -(-2 * len(values) // most))
    short = -len(values) % every
    finite = np.isfinite(values)
    low = np.pad(np.where(finite, values, np.inf), (0, short), constant_values=np.inf).reshape(-1, every)
    high = np.pad(np.where(finite, values, -np.inf), (0, short), constant_values=-np.inf).reshape(-1, every)
    gaps = np.pad(~finite, (0, short)).reshape(-1, every)
    starts = np.arange(len(low)) * every
    gap = (starts + gaps.argmax(axis=1))[gaps.any(axis=1)]
    found = np.concatenate([[0, len(values) - 1], starts + low.argmin(axis=1), starts + high.argmax(axis=1), gap])
    return np.unique(found[found < len(values)]).astype(np.intp), every


def numbers(values: Sequence[float]) -> list[Any]:
    """Seven digits of each, which is more than can be seen; what is no number as a word."""
    return [float(f"{value:.7g}") if math.isfinite(value) else plain(value) for value in values]


def bands(groups: Sequence[Group], kept: Records) -> dict[str, dict[str, Any]]:
    """By metric and group the mean over seeds and the lowest and the highest seed, on common steps: {"steps", "mean", "low",
    "high", "seeds"}. Metrics that every group has logged.
    """
    return {
        metric: {name: _band(seeds) for name, seeds in by_group.items()}
        for metric, by_group in curves(groups, kept).items()
    }


def _band(seeds: Sequence[tuple[Sequence[float], Sequence[float]]]) -> Mapping[str, Any]:
    steps, mean, low, high = band(seeds)
    every = max(1, -(-len(steps) // BAND))
    stretches = [slice(i, i + every) for i in range(0, len(steps), every)]
    return {
        "steps": [float(steps[s][0]) for s in stretches],
        "mean": numbers([float(mean[s].mean()) for s in stretches]),
        "low": numbers([float(low[s].min()) for s in stretches]),
        "high": numbers([float(high[s].max()) for s in stretches]),
        "seeds": len(seeds),
    }
