"""Averages that move along a series: over the last few values, or over all of them with weights that fade."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np


def sliding_mean(x: Sequence[float] | np.ndarray, window: int) -> np.ndarray:
    """The mean of every run of `window` neighbours in x, the first of x[:window], in float64.

    x has n values, window is from 1 to n (ValueError for another), and n - window + 1 means come back. The work grows with
    n alone: a window ten times as wide costs nothing more.
    """
    x = np.asarray(x, dtype=np.float64)
    if not 1 <= window <= len(x):
        raise ValueError(f"a window over {len(x)} values is from 1 to {len(x)}, not {window}")
    total = np.concatenate([[0.0], np.cumsum(x)])
    return (total[window:] - total[:-window]) / window


def fading_mean(x: Sequence[float] | np.ndarray, decay: float, corrected: bool = True) -> np.ndarray:
    """After each value of x the mean so far, in which a value counts `decay` times as much as the one after it.

    m_t = decay m_{t-1} + (1 - decay) x_t from m_0 = 0, with 0 <= decay < 1. Where corrected, each is divided by the sum
    of its weights, 1 - decay^t for the t-th value, so that the mean of a constant is that constant from the first value on.
    """
    mean, means = 0.0, np.empty(len(x))
    for t, value in enumerate(x, 1):
        mean = decay * mean + (1 - decay) * value
        means[t - 1] = mean / (1 - decay**t) if corrected else mean
    return means


def half_life(decay: float) -> float:
    """After how many further values one counts half as much as it did, for 0 < decay < 1; no whole number as a rule."""
    return math.log(0.5) / math.log(decay)
