"""Arrays that are images: crisp pixels, grey or in colour, one or a sheet of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from .png import data_uri
from .svg import element, picture

MOST, SIDE, GAP = 16, 96.0, 6.0  # images on a sheet; pixels of the larger side of one, and between two


def image(
    array: Any, label: str, *, wrong: Sequence[int] | None = None, scale: tuple[float, float] | None = None
) -> Markup:
    """An image (h, w) or (h, w, 3), or a batch (n, h, w), (n, 1, h, w) or (n, 3, h, w), as a drawing.

    wrong: the index of an entry to be outlined; of a batch its image comes first. scale: the values that are black and
    white; without it the smallest and the largest. ValueError for what is no image.
    """
    array = np.asarray(array)
    batch, channel = as_batch(array)
    order = list(range(len(batch)))
    if wrong is not None and array.ndim > 2 and channel != "last":
        leading = array.shape[:1] if channel == "first" else array.shape[:-2]
        at = int(np.ravel_multi_index(tuple(wrong)[: len(leading)], leading, mode="clip"))
        order.insert(0, order.pop(at))
    order = order[:MOST]
    bright = brightness(batch, scale)
    side = max(batch.shape[1:3])
    factor = max(1.0, SIDE / side) if len(order) > 1 else max(1.0, 2 * SIDE / side)
    height, width = (float(s) * factor for s in batch.shape[1:3])
    columns = min(len(order), math.ceil(math.sqrt(len(order) * 2)))
    drawn = []
    for place, at in enumerate(order):
        x, y = (place % columns) * (width + GAP) + 2, (place // columns) * (height + GAP) + 2
        drawn.append(element("image", href=data_uri(bright[at]), x=x, y=y, width=width, height=height, class_="pixels"))
        drawn.append(element("rect", x=x, y=y, width=width, height=height, class_="frame"))
        if place == 0 and wrong is not None and len(wrong) >= 2:
            row, column = (int(i) for i in (wrong[:2] if channel == "last" else wrong[-2:]))
            box = {"x": x + column * factor, "y": y + row * factor, "width": factor, "height": factor}
            drawn.append(element("rect", **box, class_="outline miss"))
    rows = math.ceil(len(order) / columns)
    return picture(columns * (width + GAP), rows * (height + GAP), label, *drawn)


def as_batch(array: Any) -> tuple[Any, str]:
    """Images (n, h, w) or (n, h, w, 3), and where the colours stood: first, last, or none. ValueError."""
    array = np.asarray(array)
    if 0 in array.shape:
        raise ValueError("an empty array is no image")
    if array.ndim == 2:
        return array[None], "none"
    if array.ndim == 3:
        return (array[None], "last") if array.shape[2] in (3, 4) and min(array.shape[:2]) > 4 else (array, "none")
    if array.ndim == 4 and array.shape[1] == 3:
        return np.moveaxis(array, 1, 3), "first"
    if array.ndim == 4:  # each channel by itself
        return array.reshape(-1, *array.shape[2:]), "none"
    raise ValueError(f"an array of shape {array.shape} is no image")


def brightness(images: Any, scale: tuple[float, float] | None = None) -> Any:
    """Values as 0 to 1; bytes stay bytes."""
    if images.dtype == np.uint8 and scale is None:
        return images
    values = images.astype(float)
    finite = values[np.isfinite(values)]
    low, high = scale or ((float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0))
    return (values - low) / ((high - low) or 1.0)
