"""How values look under a cell: a picture, a table, or the text of its repr.

Never HTML that a library made: a table is its values, a picture is a PNG, and the page builds elements from them.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

Message = dict[str, Any]

ROWS, COLUMNS, CELL = 12, 12, 60  # of a table that are shown; characters of one cell
FIGURES = 20  # of one cell
DOTS = 160  # per inch, of which a screen shows 100
SIDE = 2400  # dots of a picture, at most
INCHES = 100  # beyond this a figure is a mistake
PICTURE = 4 << 20  # bytes
TIGHT = 1.5  # how much larger the ink may make a figure than it was meant to be

display: Callable[..., None] = print  # the interpreter puts its own here


def shown(value: Any) -> Iterator[Message]:
    """The messages that show one value."""
    if _is_a(value, "matplotlib.figure", "Figure"):
        yield from _figure(value)
        _close(value)
    elif _is_a(value, "pandas", "DataFrame"):
        yield _table(value)
    elif _is_a(value, "pandas", "Series"):
        yield _table(value.to_frame(name="" if value.name is None else value.name))
    elif (png := _own_picture(value)) is not None:
        yield png
    else:
        yield {"kind": "value", "text": str(repr(value))}


def open_figures() -> Iterator[Message]:
    """The messages that show the figures pyplot has open, which are closed by it."""
    pyplot = sys.modules["matplotlib.pyplot"]
    numbers = pyplot.get_fignums()
    try:
        for number in numbers[:FIGURES]:
            yield from _figure(pyplot.figure(number))
        if len(numbers) > FIGURES:
            yield {"kind": "note", "text": f"{len(numbers) - FIGURES:,} more figures are not shown."}
    finally:
        pyplot.close("all")


def _is_a(value: Any, module: str, name: str) -> bool:
    """Whether a value is of a class of a package that has been imported, without importing it."""
    kind = getattr(sys.modules.get(module), name, None)
    return isinstance(kind, type) and isinstance(value, kind)


def _close(figure: Any) -> None:
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close(figure)


def _figure(figure: Any) -> Iterator[Message]:
    """A figure as a PNG, at fewer dots an inch the larger it is."""
    width, height = map(float, figure.get_size_inches())
    if not 0 < max(width, height) <= INCHES:
        yield {"kind": "note", "text": f"A figure of {width:,.0f} × {height:,.0f} inches is too large to be shown."}
        return
    for dots in (min(DOTS, SIDE / max(width, height)), min(DOTS, SIDE / max(width, height)) / 3):
        figure.set_dpi(dots)
        ink = figure.get_tightbbox(figure.canvas.get_renderer())
        tight = ink is not None and ink.width <= TIGHT * width and ink.height <= TIGHT * height
        file = io.BytesIO()
        figure.savefig(file, format="png", dpi=dots, bbox_inches="tight" if tight else None, pad_inches=0.05)
        if file.tell() <= PICTURE:
            yield _picture(file.getvalue(), dots / 100, _alternative(figure))
            return
    yield {"kind": "note", "text": f"A figure whose picture takes {file.tell() >> 20} MiB is too large to be shown."}


def _alternative(figure: Any) -> str:
    """What a figure is about, from its own titles and labels, for those who do not see it."""
    titles = [figure.get_suptitle()] if hasattr(figure, "get_suptitle") else []
    for axes in figure.axes[:4]:
        titles += [axes.get_title(), " by ".join(filter(None, (axes.get_ylabel(), axes.get_xlabel())))]
    return "figure: " + ("; ".join(filter(None, titles)) or "no title")


def _own_picture(value: Any) -> Message | None:
    """What an object draws of itself by Jupyter's `_repr_png_`, as Pillow's images do."""
    draw = getattr(type(value), "_repr_png_", None)
    png = draw(value) if callable(draw) else None
    if not isinstance(png, bytes) or len(png) > PICTURE:
        return None
    return _picture(png, 1.0, f"picture: {type(value).__name__}")


def _picture(png: bytes, scale: float, alternative: str) -> Message:
    return {"kind": "picture", "png": np.frombuffer(png, np.uint8), "scale": scale, "alternative": alternative[:300]}


def _table(frame: Any) -> Message:
    """The first rows and columns of a pandas table, as text."""
    part = frame.iloc[:ROWS, :COLUMNS]
    columns = [_cell(name) for name in part.columns]
    rows = [[_cell(name), *map(_cell, values)] for name, values in zip(part.index, part.itertuples(index=False))]
    return {"kind": "table", "columns": columns, "rows": rows, "of": [int(side) for side in frame.shape]}


def _cell(value: Any) -> str:
    if isinstance(value, (float, np.floating)):
        return f"{float(value):.6g}"
    text = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return text if len(text) <= CELL else text[: CELL - 1] + "…"
