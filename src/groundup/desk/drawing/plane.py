"""A plane with axes, to draw lines, points and pictures on in the data's own numbers.

    plane = Plane(480, 300, x=(0, 10), y=(1e-4, 1), x_label="step", y_label="loss", log_y=True)
    svg = plane.axes().line(steps, losses, "s1").dots(steps[-1:], losses[-1:], "s1").svg("Loss falls")

Series are the classes s1 to s6: each has a colour and a dash (static/drawing.css), and a marker of its own (markers.py).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from .markers import marker
from .png import data_uri
from .scales import axis_ticks, scaled, tick_text
from .svg import Child, element, number, picture

SLACK = 8  # pixels that a marker may reach beyond the frame
TICK_PIXELS = 60  # between two ticks, about


class Plane:
    """Collects what is drawn; `svg` gives it. `x`, `y` are the ranges of the axes. ValueError for an empty range.

    Every method but `svg` gives the plane back, so that they can be chained. What lies outside is cut off.
    """

    def __init__(
        self, width: float, height: float, x: tuple[float, float], y: tuple[float, float], *,
        x_label: str = "", y_label: str = "", log_x: bool = False, log_y: bool = False,
    ) -> None:  # fmt: skip
        self.width, self.height = width, height
        self.x, self.y, self.log_x, self.log_y = x, y, log_x, log_y
        self.x_label, self.y_label = x_label, y_label
        self.left, self.right, self.top, self.bottom = (54.0 if y_label else 44.0), 12.0, 10.0, 24.0
        if x_label:
            self.bottom += 18
        for (low, high), log in ((x, log_x), (y, log_y)):
            if not (math.isfinite(low) and math.isfinite(high) and low < high) or (log and low <= 0):
                raise ValueError(f"an axis cannot reach from {low} to {high}" + (" by powers of ten" if log else ""))
        self._children: list[Child] = []

    def bare(self) -> Plane:
        """The same plane without room for axes."""
        self.left = self.right = self.top = self.bottom = 4.0
        return self

    @property
    def inner(self) -> tuple[float, float]:
        """Width and height of the part inside the axes."""
        return self.width - self.left - self.right, self.height - self.top - self.bottom

    def across(self, xs: Any) -> Any:
        """Numbers on the x axis -> pixels from the left of the frame (NaN where a logarithm has none)."""
        return scaled(xs, self.x, self.log_x) * self.inner[0]

    def down(self, ys: Any) -> Any:
        """Numbers on the y axis -> pixels from the top of the frame."""
        return (1 - scaled(ys, self.y, self.log_y)) * self.inner[1]

    def axes(self, grid: bool = True, ticks: bool = True) -> Plane:
        """The frame, round numbers along it, and the labels."""
        width, height = self.inner
        marks: list[Child] = []
        for value in axis_ticks(*self.x, self.log_x, width / TICK_PIXELS) if ticks else ():
            at = float(self.across(value))
            marks += [_path(f"M{number(at)} 0V{number(height)}", "gridline")] if grid else []
            marks.append(element("text", tick_text(value), x=at, y=height + 16, class_="tick", text_anchor="middle"))
        for value in axis_ticks(*self.y, self.log_y, height / TICK_PIXELS * 1.4) if ticks else ():
            at = float(self.down(value))
            marks += [_path(f"M0 {number(at)}H{number(width)}", "gridline")] if grid else []
            marks.append(element("text", tick_text(value), x=-7, y=at + 4, class_="tick", text_anchor="end"))
        marks.append(_path(f"M0 0V{number(height)}H{number(width)}", "axis"))
        if self.x_label:
            marks.append(element("text", self.x_label, x=width, y=height + 34, class_="axis-label", text_anchor="end"))
        if self.y_label:
            turned = f"rotate(-90) translate(0 {number(14 - self.left)})"
            marks.append(element("text", self.y_label, transform=turned, class_="axis-label", text_anchor="end"))
        self._children.append(
            element("g", *marks, transform=f"translate({number(self.left)} {number(self.top)})", aria_hidden="true")
        )
        return self

    def line(self, xs: Any, ys: Any, class_: str = "s1") -> Plane:
        """A line through points; where one is not finite, the line has a gap."""
        across, down = _thinned(self.across(xs), self.down(ys), self.inner[0])
        pieces, pen_down = [], False
        for x, y in zip(across.tolist(), down.tolist()):
            if math.isfinite(x) and math.isfinite(y):
                pieces.append(f"{'L' if pen_down else 'M'}{number(_near(x))} {number(_near(y))}")
            pen_down = math.isfinite(x) and math.isfinite(y)
        return self._layer(1, _path("".join(pieces), f"line {class_}"))

    def dots(self, xs: Any, ys: Any, class_: str | Sequence[str] = "s1", radius: float = 3.5) -> Plane:
        """Points in the marker of their class, those outside the frame left out; a sequence gives each its own class."""
        across, down = (np.atleast_1d(values) for values in np.broadcast_arrays(self.across(xs), self.down(ys)))
        classes = [class_] * len(across) if isinstance(class_, str) else list(class_)
        width, height = self.inner
        shapes: dict[str, list[str]] = {}
        for name, x, y in zip(classes, across.tolist(), down.tolist()):
            if -1 <= x <= width + 1 and -1 <= y <= height + 1:  # false for NaN
                shapes.setdefault(name, []).append(marker(name)(x, y, radius))
        return self._layer(SLACK, *(_path("".join(shape), f"dots {name}") for name, shape in shapes.items()))

    def segments(self, x0: Any, y0: Any, x1: Any, y1: Any, class_: str = "soft") -> Plane:
        """Many separate straight lines: stems of errors, arrows' shafts, margins."""
        ends = [
            np.ravel(v).tolist() for v in np.broadcast_arrays(*map(self.across, (x0, x1)), *map(self.down, (y0, y1)))
        ]
        drawn = (
            f"M{number(_near(a))} {number(_near(c))}L{number(_near(b))} {number(_near(d))}"
            for a, b, c, d in zip(*ends)
            if all(map(math.isfinite, (a, b, c, d)))
        )
        return self._layer(1, _path("".join(drawn), f"line {class_}"))

    def area(self, xs: Any, lows: Any, highs: Any, class_: str = "s1") -> Plane:
        """The band between two lines, washed in the colour of its class."""
        around = np.concatenate([xs, np.asarray(xs)[::-1]]), np.concatenate([lows, np.asarray(highs)[::-1]])
        across, down = self.across(around[0]), self.down(around[1])
        kept = np.isfinite(across) & np.isfinite(down)
        points = " ".join(
            f"{number(_near(x))},{number(_near(y))}" for x, y in zip(across[kept].tolist(), down[kept].tolist())
        )
        return self._layer(1, element("polygon", points=points, class_=f"area {class_}"))

    def bars(self, xs: Any, ys: Any, width: float, class_: str | Sequence[str] = "s1") -> Plane:
        """Bars from zero (or the foot of the axis) to ys, `width` wide in the numbers of x."""
        foot = float(self.down(self.y[0] if self.log_y else min(max(0.0, self.y[0]), self.y[1])))
        xs, ys = np.atleast_1d(xs), np.atleast_1d(ys)
        classes = [class_] * len(xs) if isinstance(class_, str) else class_
        drawn = []
        for x, y, name in zip(xs.tolist(), self.down(ys).tolist(), classes):
            left, right = float(self.across(x - width / 2)), float(self.across(x + width / 2))
            if all(map(math.isfinite, (left, right, y))):
                y = _near(y)
                box = {"x": left, "y": min(y, foot), "width": right - left, "height": max(abs(foot - y), 0.5)}
                drawn.append(element("rect", **box, class_=f"bar {name}"))
        return self._layer(1, *drawn)

    def text(self, x: float, y: float, text: str, class_: str = "ink", anchor: str = "middle", dy: float = 0) -> Plane:
        """Words at a point, `dy` pixels lower; `anchor` is start, middle or end."""
        at = float(self.across(x)) + self.left, float(self.down(y)) + self.top + dy
        if all(map(math.isfinite, at)):
            self._children.append(element("text", text, x=at[0], y=at[1], class_=f"words {class_}", text_anchor=anchor))
        return self

    def image(
        self, pixels: Any, extent: tuple[float, float, float, float] | None = None, smooth: bool = False
    ) -> Plane:
        """A picture (h, w), (h, w, 3) or (h, w, 4), bytes or 0 to 1, its first row on top.

        extent: left, right, bottom and top in the numbers of the axes; the whole plane without one.
        """
        left, right, bottom, top = extent if extent is not None else (*self.x, *self.y)
        x0, x1, y0, y1 = (float(v) for v in (*self.across([left, right]), *self.down([top, bottom])))
        kind = "pixels smooth" if smooth else "pixels"
        box = {"x": x0, "y": y0, "width": x1 - x0, "height": y1 - y0}
        shown = element("image", href=data_uri(pixels), **box, preserveAspectRatio="none", class_=kind)
        return self._layer(1, shown)

    def add(self, *children: Child) -> Plane:
        """Elements in the pixels of the frame, cut off outside."""
        return self._layer(SLACK, *children)

    def svg(self, label: str) -> Markup:
        """All that was drawn, in order; `label` says what it shows to who cannot see it."""
        return picture(self.width, self.height, label, *self._children)

    def _layer(self, slack: float, *children: Child) -> Plane:
        """An inner svg element cuts off what lies outside it, and needs no id as a clip path does."""
        width, height = self.inner
        box = {"x": self.left - slack, "y": self.top - slack, "width": width + 2 * slack, "height": height + 2 * slack}
        moved = f"{number(-slack)} {number(-slack)} {number(box['width'])} {number(box['height'])}"
        self._children.append(element("svg", *children, **box, viewBox=moved))
        return self


def _near(at: float) -> float:
    """A pixel that SVG can hold: what is far outside stays outside."""
    return min(max(at, -1e5), 1e5)


def _thinned(across: Any, down: Any, width: float) -> tuple[Any, Any]:
    """At most four points a pixel: the first, lowest, highest and last of each run, which look the same as all."""
    across, down = (np.atleast_1d(values) for values in np.broadcast_arrays(across, down))
    most = max(int(width), 1)
    if len(across) <= 4 * most:
        return across, down
    kept: set[int] = set()
    for run in np.array_split(np.arange(len(across)), most):
        values = np.where(np.isfinite(down[run]), down[run], 0.0)
        kept |= {int(run[i]) for i in (0, int(values.argmin()), int(values.argmax()), -1)}
        gaps = ~np.isfinite(down[run])
        kept |= {int(run[gaps.argmax()])} if gaps.any() else set()
    order = sorted(kept)
    return across[order], down[order]


def _path(d: str, class_: str) -> Markup:
    return element("path", d=d, class_=class_)
