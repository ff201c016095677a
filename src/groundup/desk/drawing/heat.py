"""Arrays to be seen: small ones as a grid of numbers, large ones as a heat map; wrong entries marked.

A heat map is transparent where the scale has its middle, so that it lies well on light and on dark paper.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from .png import data_uri
from .scales import tick_text
from .svg import element, number, picture

LONGEST, WIDEST, SHEETS = 12, 8, 4  # of an array shown as numbers: its length, its sides, and how many matrices
FITTING = 4  # columns that fit on a telephone
WHOLE = 16  # columns of whole numbers, which are short
NARROW = 3  # columns that may be LONGEST long
COLD, WARM, UNKNOWN = (58, 110, 190), (203, 88, 50), (128, 128, 128)
MAP_WIDTH, CELL, THINNEST = 240.0, 18.0, 4.0  # pixels
OUTLINES = 1200  # of runs of wrong entries; where there are more, one frame goes around all

Array = Any  # a NumPy array of any kind
Format = Callable[[Any], str]


def heat(
    array: Array, wrong: Array | Sequence[int] | None = None, label: str = "", *,
    scale: tuple[float, float] | None = None, form: Format | None = None,
) -> Markup:  # fmt: skip
    """A grid of numbers where the array is small enough to be read, else a heat map.

    wrong: a mask of the array's shape, or the index of one entry. Of more than two dimensions the map shows the matrix
    that holds the first wrong entry. scale: the values at the ends of the colours. form: how a number is written.
    """
    array = np.asarray(array)
    mask = wrong_mask(array.shape, wrong)
    if is_small(array.shape, array.dtype.kind in "biu"):
        return grid(array, mask, label, form=form)
    return heat_map(array, mask, label, scale=scale)


def is_small(shape: Sequence[int], whole: bool = False) -> bool:
    """Whether the numbers of an array of this shape can be read as a grid. whole: they have no fractions."""
    if len(shape) < 2:
        return bool(shape) and 0 < shape[0] <= LONGEST
    rows, columns = shape[-2:]
    fits = rows <= (LONGEST if columns <= NARROW else WIDEST) and columns <= (WHOLE if whole else WIDEST)
    return 0 < math.prod(shape[:-2]) <= SHEETS and rows > 0 and columns > 0 and fits


def wrong_mask(shape: Sequence[int], wrong: Array | Sequence[int] | None) -> Array:
    """Where an array is wrong, as a mask: of a mask itself, of the index of one entry, or of nothing."""
    shape = tuple(shape)
    if wrong is None:
        return np.zeros(shape, bool)
    wrong = np.asarray(wrong)
    if wrong.dtype == bool and wrong.shape == shape:
        return wrong
    mask = np.zeros(shape, bool)
    index = tuple(int(i) for i in np.ravel(wrong))
    if len(index) == len(shape) and all(0 <= i < side for i, side in zip(index, shape)):
        mask[index] = True
    return mask


def grid(
    array: Array, wrong: Array | Sequence[int] | None = None, label: str = "", *, tint: bool = False, form: Format | None = None
) -> Markup:  # fmt: skip
    """An array as a table of numbers, of more than two dimensions one for each matrix. tint: colours by value too."""
    array = np.asarray(array)
    mask = wrong_mask(array.shape, wrong)
    rows = (1, *array.shape)[-2:]
    sheets, masks = array.reshape(-1, *rows), mask.reshape(-1, *rows)
    shades = _shades(array).reshape(sheets.shape) if tint else np.full(sheets.shape, "", object)
    leading = list(np.ndindex(*array.shape[:-2]))
    tables = []
    for i, (sheet, marks, shade) in enumerate(zip(sheets, masks, shades)):
        lines = [
            element("tr", *(_cell(*cell, form or short) for cell in zip(*row))) for row in zip(sheet, marks, shade)
        ]
        class_ = "grid" + (" one" if array.ndim == 1 else "") + (" whole" if array.dtype.kind in "biu" else "")
        table = element("table", element("tbody", *lines), class_=class_, aria_label=label or None)
        if array.ndim > 1 and rows[1] > FITTING:  # may have to be scrolled, by key as well
            table = element("div", table, class_="scrolled", tabindex="0", role="group", aria_label=label or "an array")
        where = f"[{', '.join(map(str, leading[i]))}]" if len(sheets) > 1 else None
        tables.append(element("div", element("small", where), table) if where else table)
    return tables[0] if len(tables) == 1 else element("div", *tables, class_="sheets")


def _cell(value: Any, wrong: Any, shade: str, form: Format) -> Markup:
    words = " ".join(word for word in ("bad" if wrong else "", shade) if word)
    return element(
        "td", element("span", "wrong: ", class_="said") if wrong else None, form(value), class_=words or None
    )


def short(value: Any) -> str:
    """A number with four digits."""
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if isinstance(value, (int, np.integer)):
        return str(value)
    if isinstance(value, (float, np.floating)):
        return f"{value:.4g}"
    return str(value)[:40]


def heat_map(
    array: Array, wrong: Array | Sequence[int] | None = None, label: str = "", *, scale: tuple[float, float] | None = None
) -> Markup:  # fmt: skip
    """A matrix as coloured cells, blue below the middle of the scale and red above, with the scale below it.

    Without a scale that is zero where there are both signs, and the smallest value where there is one.
    """
    array = np.asarray(array)
    mask = wrong_mask(array.shape, wrong)
    low, high = scale or scale_of(array)
    sheet, marks, where = _sheet(array, mask)
    height, width = sheet.shape
    side = min(CELL, max(MAP_WIDTH / width, THINNEST), max(MAP_WIDTH / height, THINNEST))
    cell = side, CELL if height == 1 else side
    size = width * cell[0], height * cell[1]
    image = element(
        "image", href=data_uri(coloured(sheet, low, high)), width=size[0], height=size[1], preserveAspectRatio="none",
        class_="pixels",
    )  # fmt: skip
    frame = element("rect", width=size[0], height=size[1], class_="frame")
    said = label or f"heat map, {height} by {width}, from {tick_text(low)} to {tick_text(high)}"
    if marks.any():
        said += f", {int(marks.sum())} wrong, the first at row {int(np.argwhere(marks)[0][0])}, column {int(np.argwhere(marks)[0][1])}"
    drawn = picture(
        size[0] + 4, size[1] + 4, said, element("g", image, frame, _outline(marks, cell), transform="translate(2 2)")
    )
    return element("div", drawn, element("small", where, _legend(low, high), class_="scale"), class_="heat")


def scale_of(*arrays: Array) -> tuple[float, float]:
    """The ends of a scale for arrays that are to be compared: around zero where there are both signs."""
    values = np.concatenate([np.ravel(a).astype(float) for a in arrays])
    values = values[np.isfinite(values)]
    if not len(values):
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    if low < 0 < high:
        return -max(-low, high), max(-low, high)
    if low == high:
        return min(low, 0.0), max(high, 0.0) or 1.0
    return low, high


def coloured(sheet: Array, low: float, high: float) -> Array:
    """Pixels with transparency (h, w, 4), as bytes; grey for what is not finite."""
    sheet = np.asarray(sheet).astype(float)
    finite = np.isfinite(sheet)
    middle = 0.0 if low < 0 < high else (high if high <= 0 else low)
    reach = max(high - middle, middle - low) or 1.0
    strength = np.clip(np.abs(np.where(finite, sheet, middle) - middle) / reach, 0, 1)
    pixels = np.empty((*sheet.shape, 4), np.uint8)
    pixels[..., :3] = np.where((sheet < middle)[..., None], COLD, WARM)
    pixels[..., 3] = np.round(255 * (0.06 + 0.94 * strength))
    pixels[~finite] = (*UNKNOWN, 160)
    return pixels


def _sheet(array: Array, mask: Array) -> tuple[Array, Array, str]:
    """The matrix to show, its marks, and where in the array it lies."""
    if array.ndim <= 2:
        return np.atleast_2d(array), np.atleast_2d(mask), ""
    first = tuple(int(i) for i in (np.argwhere(mask)[0] if mask.any() else np.zeros(array.ndim, int))[:-2])
    return array[first], mask[first], f"[{', '.join(map(str, first))}, :, :]  "


def _outline(marks: Array, cell: tuple[float, float]) -> Markup | None:
    """A line around what is wrong."""
    if not marks.any():
        return None
    around = np.pad(marks, 1)
    across = _runs(around[1:, 1:-1] != around[:-1, 1:-1])  # edges above and below cells
    down = _runs((around[1:-1, 1:] != around[1:-1, :-1]).T)
    if len(across) + len(down) > OUTLINES:
        rows, columns = np.flatnonzero(marks.any(axis=1)), np.flatnonzero(marks.any(axis=0))
        box = columns[0], rows[0], columns[-1] + 1 - columns[0], rows[-1] + 1 - rows[0]
        x, y, width, height = (float(v) * side for v, side in zip(box, (*cell, *cell)))
        return element("rect", x=x, y=y, width=width, height=height, class_="outline miss")
    wide, high = cell
    lines = [f"M{number(a * wide)} {number(y * high)}H{number(b * wide)}" for y, a, b in across]
    lines += [f"M{number(x * wide)} {number(a * high)}V{number(b * high)}" for x, a, b in down]
    return element("path", d="".join(lines), class_="outline miss")


def _runs(edges: Array) -> list[tuple[int, int, int]]:
    """Row, beginning and end of each run of True in the rows of a matrix."""
    ends = np.diff(np.pad(edges, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    return [
        (int(row), int(a), int(b))
        for (row, a), (_, b) in zip(np.argwhere(ends == 1).tolist(), np.argwhere(ends == -1).tolist())
    ]


def _shades(array: Array) -> Array:
    """The class of each entry's colour: c1 to c4 below the middle of the scale, w1 to w4 above, none at it."""
    values = np.asarray(array).astype(float)
    low, high = scale_of(values)
    middle = 0.0 if low < 0 < high else (high if high <= 0 else low)
    reach = max(high - middle, middle - low) or 1.0
    level = np.clip(np.round(4 * (np.nan_to_num(values, posinf=high, neginf=low) - middle) / reach), -4, 4).astype(int)
    names = np.array(["c4", "c3", "c2", "c1", "", "w1", "w2", "w3", "w4"], object)
    return names[level + 4]


def _legend(low: float, high: float) -> Markup:
    kind = "both" if low < 0 < high else ("cold" if high <= 0 else "warm")
    ends = element("span", tick_text(low)), element("i", class_=f"ramp {kind}"), element("span", tick_text(high))
    return element("span", *ends, class_="ends")
