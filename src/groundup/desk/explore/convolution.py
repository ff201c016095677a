"""A kernel slides over a picture: the products under the window, their sum, and the map that the sums make."""

from __future__ import annotations

from typing import Any

import numpy as np
from markupsafe import Markup

from ..drawing.svg import element, picture
from .explorable import Choice, Drawn, Explorable, Slider, Steps, Values, panels
from .numbers import short

PICTURE = (  # a two, in ninths of black
    "000000000000",
    "000478874000",
    "004998899400",
    "008930039800",
    "000000018900",
    "000000069600",
    "000001798000",
    "000027930000",
    "000389400000",
    "003996433300",
    "008999999900",
    "000000000000",
)
KERNELS = {
    "vertical edges": ((-1, 0, 1), (-2, 0, 2), (-1, 0, 1)),
    "horizontal edges": ((-1, -2, -1), (0, 0, 0), (1, 2, 1)),
    "outline": ((0, -1, 0), (-1, 4, -1), (0, -1, 0)),
    "sharpen": ((0, -1, 0), (-1, 5, -1), (0, -1, 0)),
    "blur": ((1 / 9, 1 / 9, 1 / 9), (1 / 9, 1 / 9, 1 / 9), (1 / 9, 1 / 9, 1 / 9)),
}
SIDE = 12  # pixels along a side of the picture
SIZE = 3  # and of a kernel
PANEL = 252  # pixels on the screen along a side of each of the three panels


def compute(lib: Any, kernel: str, stride: int, padding: int, dilation: int, window: int) -> dict[str, Any]:
    """The map, and the pixels of one window."""
    conv = lib.grad.layers.conv
    x = np.array([[int(digit) / 9 for digit in row] for row in PICTURE])[None, None]  # (1, 1, h, w)
    W = np.array(KERNELS[kernel], float)[None, None]  # (1, 1, kh, kw)
    y, _ = conv.conv2d_forward(x, W, stride=stride, padding=padding, dilation=dilation)
    windows = conv.unfold(x, SIZE, stride, padding, dilation)[0]  # (kh kw, h' w')
    step = min(window, windows.shape[1]) - 1
    return {"picture": x[0, 0], "weights": W[0, 0], "map": y[0, 0], "window": windows[:, step], "step": step}


def draw(values: Values, found: Values) -> Drawn:
    """The picture with its window, the products, and the map as far as it has come."""
    made, step = np.asarray(found["map"]), int(found["step"])
    weights, window = np.ravel(found["weights"]), np.ravel(found["window"])
    products, (row, column) = window * weights, divmod(step, made.shape[1])
    total = float(made[row, column])
    padding, stride, dilation = (values[name] for name in ("padding", "stride", "dilation"))
    reach = dilation * (SIZE - 1)
    says = (
        f"Window {step + 1} of {made.size}: the {len(products)} products add up to {_plain(total)}, row {row + 1}, column"
        f" {column + 1} of a map of {made.shape[0]} × {made.shape[1]}. Along a side ({SIDE} + 2 · {padding} − {reach} − 1)"
        f" / {stride} + 1 = {(SIDE + 2 * padding - reach - 1) / stride + 1:g}"
        + (", rounded down." if (SIDE + 2 * padding - reach - 1) % stride else ".")
    )
    shown = panels(
        _picture(np.asarray(found["picture"]), row * stride, column * stride, padding, dilation),
        _products(window, weights, products, total),
        _map(made, step),
    )
    table: list[tuple[str, ...]] = [("place", "pixel", "weight", "product")]
    for i, numbers in enumerate(zip(window, weights, products)):
        table.append((f"row {i // SIZE + 1}, column {i % SIZE + 1}", *map(_plain, numbers)))
    table.append(("sum", "", "", _plain(total)))
    return Drawn(shown, table, says, last=made.size)


def _picture(pixels: Any, top: int, left: int, padding: int, dilation: int) -> Markup:
    """The picture in its frame of zeros, with the window on it."""
    cell = PANEL / (SIDE + 2 * padding)
    edge = padding * cell
    inked = [
        element("rect", x=edge + j * cell, y=edge + i * cell, width=cell, height=cell, class_="fill", fill_opacity=ink)
        for (i, j), ink in np.ndenumerate(pixels)
        if ink
    ]
    frame = element("rect", x=edge, y=edge, width=SIDE * cell, height=SIDE * cell, class_="frame")
    under = [
        element("rect", x=(left + j * dilation) * cell, y=(top + i * dilation) * cell, width=cell, height=cell,
                class_="under")
        for i in range(SIZE)
        for j in range(SIZE)
    ]  # fmt: skip
    box = {"x": left * cell, "y": top * cell}
    span = (dilation * (SIZE - 1) + 1) * cell
    window = element("rect", **box, width=span, height=span, class_="window")
    label = f"the picture, the window at row {top - padding + 1}, column {left - padding + 1}"
    return _panel("picture", label, *inked, frame, *under, window)


def _products(window: Any, weights: Any, products: Any, total: float) -> Markup:
    """Pixel times weight, nine times, and the sum."""
    cell, foot = PANEL / SIZE, 40
    size = (PANEL - foot) / SIZE
    shown = []
    for i, (pixel, weight, product) in enumerate(zip(window, weights, products)):
        x, y = i % SIZE * cell, i // SIZE * size
        shown += [
            element("rect", x=x + 1, y=y + 1, width=cell - 2, height=size - 2, class_="cell"),
            element("rect", x=x + 1, y=y + 1, width=cell - 2, height=size - 2, **_shade(product, 4.0, 0.4)),
            element("text", f"{_plain(pixel)} × {_plain(weight)}", x=x + cell / 2, y=y + size / 2 - 4,
                    text_anchor="middle", class_="factors"),
            element("text", _plain(product), x=x + cell / 2, y=y + size / 2 + 16, text_anchor="middle", class_="large"),
        ]  # fmt: skip
    sum_ = element("text", f"sum {_plain(total)}", x=PANEL / 2, y=PANEL - 12, text_anchor="middle", class_="large sum")
    return _panel("pixel × weight", f"nine products and their sum, {_plain(total)}", *shown, sum_)


def _map(made: Any, step: int) -> Markup:
    """The sums so far, negative ones with a minus; the places to come are empty."""
    cell = PANEL / max(made.shape)
    largest = float(np.abs(made).max()) or 1.0
    shown = []
    for place, ((i, j), value) in enumerate(np.ndenumerate(made)):
        if place > step:
            break
        x, y = j * cell, i * cell
        shown.append(element("rect", x=x, y=y, width=cell, height=cell, **_shade(value, largest, 0.85)))
        if value < -0.005:
            shown.append(
                element("path", d=f"M{x + cell * 0.35:.1f} {y + cell / 2:.1f}h{cell * 0.3:.1f}", class_="minus")
            )
    height, width = made.shape
    frame = element("rect", x=0, y=0, width=width * cell, height=height * cell, class_="frame")
    i, j = divmod(step, width)
    here = element("rect", x=j * cell, y=i * cell, width=cell, height=cell, class_="window")
    return _panel("map", f"the map of sums, {height} by {width}, as far as place {step + 1}", *shown, frame, here)


def _panel(title: str, label: str, *children: Markup) -> Markup:
    drawn = picture(PANEL + 4, PANEL + 4, label, element("g", *children, transform="translate(2 2)"))
    return element("div", element("p", title, class_="panel-title"), drawn)


def _shade(value: float, largest: float, most: float) -> dict[str, Any]:
    """How a signed number is coloured: its kind, and how much of it."""
    return {"class_": "warm" if value > 0 else "cold", "fill_opacity": min(abs(value) / largest, 1.0) * most}


def _plain(value: float) -> str:
    return short(round(float(value), 2), 3)


EXPLORABLE = Explorable(
    name="convolution",
    title="A kernel slides over a picture",
    lesson="3.6",
    modules=("grad/layers/conv.py",),
    proves="Nine weights make the whole map. With a padding of 1 it is as large as the picture, 12 × 12; a stride of 2"
    " leaves a quarter of it, 6 × 6.",
    controls=(
        Steps("window", 1, 196, 58),
        Choice("kernel", tuple(KERNELS)),
        Slider("stride", 1, 3, 1, step=1),
        Slider("padding", 0, 2, 1, step=1),
        Slider("dilation", 1, 3, 1, step=1),
    ),
    compute=compute,
    draw=draw,
)
