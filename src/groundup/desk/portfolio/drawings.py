"""Curves and bands as SVG that stands in the page, each with the numbers as a table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ..drawing.plane import Plane
from ..drawing.scales import span
from ..laboratory.run_words import number
from .results import Band, Curve

WIDTH, HEIGHT = 640, 280
ROWS = 12  # of a table
DECADES = 2.0  # beyond which values are drawn by powers of ten
STEEP = ("loss", "perplexity", "grad", "norm")  # parts of names whose values are


@dataclass(frozen=True)
class Drawn:
    """A picture and its numbers: the first row heads the table."""

    title: str
    svg: Markup
    table: tuple[tuple[str, ...], ...]
    key: tuple[tuple[str, str], ...] = ()  # class and name of each series, where there are several


def curve(found: Curve) -> Drawn:
    """A run's curve."""
    steps, values = found.steps, found.values
    finite = [value for value in values if math.isfinite(value)]
    log = _is_steep(found.metric, finite)
    plane = Plane(
        WIDTH, HEIGHT, span(steps, 0.01), span(finite, log=log), x_label="step", y_label=found.metric[:40], log_y=log
    )
    plane.axes().line(steps, values, "s1")
    ends = f"from {number(finite[0], 4)} to {number(finite[-1], 4)}" if finite else "without a number"
    label = f"{found.metric} by step, {ends}, steps {number(steps[0])} to {number(steps[-1])}"
    rows = [(number(int(steps[i])), number(values[i], 5)) for i in _spread(len(steps))]
    return Drawn(found.metric, plane.svg(label), (("step", found.metric), *rows))


def bands(metric: str, found: Sequence[Band]) -> Drawn:
    """The groups of a study over each other: the mean of the seeds in a band from the lowest to the highest."""
    steps = [step for band in found for step in band.steps]
    values = [value for band in found for side in (band.low, band.high) for value in side if math.isfinite(value)]
    log = _is_steep(metric, values)
    plane = Plane(
        WIDTH, HEIGHT, span(steps, 0.01), span(values, log=log), x_label="step", y_label=metric[:40], log_y=log
    )
    plane.axes()
    for i, band in enumerate(found, 1):
        plane.area(band.steps, band.low, band.high, f"s{i}")
    for i, band in enumerate(found, 1):
        plane.line(band.steps, band.mean, f"s{i}")
    rows = [
        (band.group, number(int(band.steps[i])), number(band.mean[i]), number(band.low[i]), number(band.high[i]))
        for band in found
        for i in _spread(len(band.steps), max(2, ROWS // len(found)))
    ]
    label = f"{metric} by step, the mean over seeds of {', '.join(band.group for band in found)}"
    head = ("runs", "step", "mean", "lowest seed", "highest seed")
    return Drawn(metric, plane.svg(label), (head, *rows), tuple((f"s{i}", b.group) for i, b in enumerate(found, 1)))


def _is_steep(metric: str, values: Sequence[float]) -> bool:
    """Whether powers of ten tell more: all positive, of a kind that falls by factors, and far apart."""
    if not values or min(values) <= 0 or not any(part in metric.lower() for part in STEEP):
        return False
    return math.log10(max(values) / min(values)) > DECADES


def _spread(count: int, most: int = ROWS) -> list[int]:
    """At most so many places from the first to the last, evenly."""
    if count <= most:
        return list(range(count))
    return [round(i * (count - 1) / (most - 1)) for i in range(most)]
