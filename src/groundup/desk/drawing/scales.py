"""Ranges of axes, linear or logarithmic: positions between their ends, and round numbers along them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def span(values: Any, margin: float = 0.05, log: bool = False) -> tuple[float, float]:
    """A range that holds all finite values with a margin; (0, 1) where there is none."""
    values = np.ravel(np.asarray(values, float))
    values = values[np.isfinite(values) & ((values > 0) | (not log))]
    if not len(values):
        return (0.1, 1.0) if log else (0.0, 1.0)
    low, high = float(values.min()), float(values.max())
    if log:
        factor = max((high / low) ** margin, 1.1)
        return low / factor, high * factor
    room = (high - low) * margin if low < high else max(abs(high) * 0.1, 0.5)
    return low - room, high + room


def axis_ticks(low: float, high: float, log: bool, count: float) -> list[float]:
    """Round numbers between low and high, about `count` of them."""
    if log:
        return _powers(low, high, count)
    step = 10.0 ** math.floor(math.log10((high - low) / max(count, 1)))
    step *= next(m for m in (1, 2, 5, 10) if (high - low) / (m * step) <= max(count, 1) or m == 10)
    first = math.ceil(low / step - 1e-9)
    return [step * i for i in range(first, math.floor(high / step + 1e-9) + 1)]


def _powers(low: float, high: float, count: float) -> list[float]:
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    every = max(1, round((last - first + 1) / max(count, 2)))
    powers = [10.0**e for e in range(first, last + 1, every)]
    if len(powers) > 1:
        return powers
    return [m * 10.0**e for e in range(first - 1, last + 1) for m in (1, 2, 5) if low <= m * 10.0**e <= high]


def tick_text(value: float) -> str:
    """A tick's number, short."""
    if value and not 1e-3 <= abs(value) < 1e5:
        digits, _, exponent = f"{value:.1e}".partition("e")
        return f"{digits.removesuffix('.0')}e{int(exponent)}".replace("-", "−")
    return f"{value:.6g}".replace("-", "−")


def scaled(values: Any, bounds: tuple[float, float], log: bool) -> Any:
    """0 at the lower bound, 1 at the upper."""
    values = np.asarray(values, float)
    low, high = bounds
    if not log:
        return (values - low) / (high - low)
    with np.errstate(divide="ignore", invalid="ignore"):
        return (np.log(values) - math.log(low)) / (math.log(high) - math.log(low))
