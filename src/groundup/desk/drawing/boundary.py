"""Samples in the plane: classes by marker and colour, wrong ones crossed, the region of each class behind them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from .markers import marker
from .plane import Plane
from .scales import span
from .svg import element

SERIES = ("s1", "s2", "s3", "s4", "s5", "s6")
WASHES = ((43, 92, 158), (176, 86, 26), (20, 119, 111), (123, 74, 158), (173, 52, 104), (92, 99, 112))  # as drawing.css
OPACITY = 64  # of 255: of a region behind its samples


def boundary(
    X: Any, y: Any, label: str, *, wrong: Sequence[int] = (), regions: Any = None, classes: Sequence[Any] | None = None,
    names: tuple[str, str] = ("x₀", "x₁"), size: tuple[float, float] = (340, 260),
    limits: tuple[tuple[float, float], tuple[float, float]] | None = None,
) -> Markup:  # fmt: skip
    """Samples X (n, 2) of classes y (n,), with a key to the classes.

    wrong: rows that are crossed. regions: the class at each point of a grid (h, w) over `limits` (or the span of X),
    its first row on top. classes: all there are, in the order of the series. ValueError for another shape of X.
    """
    X, y = np.asarray(X, float), np.asarray(y)
    if X.ndim != 2 or X.shape[1] != 2 or len(X) != len(y):
        raise ValueError(f"samples in the plane have the shape (n, 2), and as many classes: {X.shape}, {y.shape}")
    known = list(classes) if classes is not None else _classes(y)
    across, down = limits or (span(X[:, 0], 0.12), span(X[:, 1], 0.12))
    plane = Plane(*size, across, down, x_label=names[0], y_label=names[1])
    if regions is not None:
        plane.image(washed(regions, known), smooth=False)
    plane.axes(grid=regions is None)
    plane.dots(X[:, 0], X[:, 1], [series(label_of, known) for label_of in y.tolist()], 4)
    if len(wrong):
        rows = list(wrong)
        plane.dots(X[rows, 0], X[rows, 1], "miss", 7)
    return element("div", plane.svg(label), key(known, crossed=bool(len(wrong))), class_="with-key")


def series(one: Any, classes: Sequence[Any]) -> str:
    """The series of a class; from the seventh on they begin again."""
    return SERIES[list(classes).index(one) % len(SERIES)] if one in classes else "s6"


def washed(regions: Any, classes: Sequence[Any]) -> Any:
    """The class at each point of a grid (h, w) as pixels (h, w, 4), each in its series' colour."""
    regions = np.asarray(regions)
    pixels = np.zeros((*regions.shape, 4), np.uint8)
    for one in classes:
        pixels[regions == one] = (*WASHES[SERIES.index(series(one, classes))], OPACITY)
    return pixels


def key(classes: Sequence[Any], crossed: bool = False) -> Markup:
    """Which marker means which class."""
    entries = [key_entry(series(one, classes), str(one)[:40]) for one in list(classes)[:12]]
    entries += [key_entry("miss", "wrong")] if crossed else []
    return element("p", *entries, class_="key")


def key_entry(class_: str, text: str, line: bool = False) -> Markup:
    """A marker, or a piece of line, and what it means."""
    d = "M0 7H28" if line else marker(class_)(7, 7, 4.5)
    sign = element("path", d=d, class_=f"{'line' if line else 'dots'} {class_}")
    width = 28 if line else 14
    swatch = element(
        "svg", sign, viewBox=f"0 0 {width} 14", width=width, height=14, class_="drawing swatch", aria_hidden="true"
    )
    return element("span", swatch, text)


def _classes(y: Any) -> list[Any]:
    try:
        return sorted(set(y.tolist()))
    except TypeError:  # of kinds that cannot be compared
        return list(dict.fromkeys(y.tolist()))
