"""A function on a grid as lines of one height and as the region above it: marching squares, straight inside each cell.

In a cell whose corners alternate, a saddle, the two high corners are kept apart. After Lorensen and Cline, Marching cubes
(1987), in two dimensions.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from markupsafe import Markup

from ..drawing.plane import Plane
from ..drawing.svg import element, number


def contour(xs: Any, ys: Any, heights: Any, level: float) -> tuple[Any, Any, Any, Any]:
    """Pieces x0, y0, x1, y1, each (pieces,), on which the heights are `level`: xs (w,), ys (h,), heights (h, w)."""
    pieces = [ends for corners in _cells(xs, ys, heights, level) for ends in _crossings(corners)]
    ends = np.array(pieces, dtype=float).reshape(-1, 4)
    return ends[:, 0], ends[:, 1], ends[:, 2], ends[:, 3]


def region(plane: Plane, xs: Any, ys: Any, heights: Any, level: float, class_: str) -> Markup:
    """The part of the plane where the heights are above `level`, as one shape washed in the colour of its class."""
    outlines = [_outline(corners) for corners in _cells(xs, ys, heights, level)]
    outlines += _full_runs(xs, ys, np.asarray(heights, float) > level)
    shapes = []
    for outline in outlines:
        points = zip(plane.across([x for x, _ in outline]).tolist(), plane.down([y for _, y in outline]).tolist())
        shapes.append("M" + "L".join(f"{number(x)} {number(y)}" for x, y in points) + "z")
    return element("path", d="".join(shapes), class_=f"area {class_}")


Corner = tuple[float, float, float]  # x, y, and the height above the level


def _cells(xs: Any, ys: Any, heights: Any, level: float) -> list[list[Corner]]:
    """The corners, counter-clockwise, of the cells that the level goes through."""
    above = np.asarray(heights, float) - level
    high = above > 0
    count = high[:-1, :-1].astype(int) + high[:-1, 1:] + high[1:, 1:] + high[1:, :-1]
    finite = np.isfinite(above[:-1, :-1] + above[:-1, 1:] + above[1:, 1:] + above[1:, :-1])
    cells = []
    for i, j in np.argwhere((count > 0) & (count < 4) & finite).tolist():
        around = ((i, j), (i, j + 1), (i + 1, j + 1), (i + 1, j))
        cells.append([(float(xs[c]), float(ys[r]), float(above[r, c])) for r, c in around])
    return cells


def _crossings(corners: list[Corner]) -> list[tuple[float, float, float, float]]:
    """The pieces of the line in a cell: from where it is entered, going round, to where it is left."""
    points = [(_between(a, b), a[2] > 0) for a, b in _sides(corners) if (a[2] > 0) != (b[2] > 0)]
    if not points[0][1]:  # begin where a high corner is left
        points = [*points[1:], points[0]]
    if len(points) == 2:
        return [(*points[0][0], *points[1][0])]
    return [(*points[-1][0], *points[0][0]), (*points[1][0], *points[2][0])]


def _outline(corners: list[Corner]) -> list[tuple[float, float]]:
    """The high part of a cell, going round; at a saddle its two corners touch in no point but by a sliver between them."""
    outline: list[tuple[float, float]] = []
    for a, b in _sides(corners):
        if a[2] > 0:
            outline.append(a[:2])
        if (a[2] > 0) != (b[2] > 0):
            outline.append(_between(a, b))
    return outline


def _sides(corners: list[Corner]) -> list[tuple[Corner, Corner]]:
    return list(zip(corners, [*corners[1:], corners[0]]))


def _between(a: Corner, b: Corner) -> tuple[float, float]:
    """Where the level is crossed on the way from one corner to the other."""
    share = a[2] / (a[2] - b[2])
    return a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])


def _full_runs(xs: Any, ys: Any, high: Any) -> list[list[tuple[float, float]]]:
    """Rectangles of the cells whose corners are all high, row by row."""
    full = high[:-1, :-1] & high[:-1, 1:] & high[1:, 1:] & high[1:, :-1]
    boxes = []
    for i, row in enumerate(full):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], row.astype(int), [0]])))
        for start, stop in zip(edges[::2].tolist(), edges[1::2].tolist()):
            left, right, low, top = float(xs[start]), float(xs[stop]), float(ys[i]), float(ys[i + 1])
            boxes.append([(left, low), (right, low), (right, top), (left, top)])
    return boxes
