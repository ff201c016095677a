"""The figures of lesson 1.1."""

import matplotlib.pyplot as plt
import numpy as np

from groundup.course.figures import INK

ROW, COLUMN, SUM = "#a8402a", "#2b7a9e", "#8a6410"


def memory():
    """Twelve numbers in memory, and three arrays that read them; the strides are taken from NumPy."""
    figure, axes = plt.subplots(figsize=(7.2, 3.3))
    x = np.arange(12.0).reshape(3, 4)
    for i in range(12):
        _cell(axes, 1.1 * i, 0, f"{i}", INK)
        axes.text(1.1 * i + 0.55, -0.28, f"{8 * i}", ha="center", va="center", color=INK, fontsize=7)
    axes.text(-0.3, 0.5, "memory", ha="right", va="center", color=INK)
    axes.text(-0.3, -0.28, "byte", ha="right", va="center", color=INK, fontsize=7)
    for left, name, view in ((0.0, "x", x), (5.4, "x.T", x.T), (9.7, "x[:, ::2]", x[:, ::2])):
        axes.text(left, -1.25, f"{name}  {view.shape}", color=INK, fontsize=9, family="monospace")
        down, right = view.strides
        axes.text(left, -1.8, f"down {down}", color=ROW, fontsize=9)
        axes.text(left + 1.9, -1.8, f"right {right}", color=COLUMN, fontsize=9)
        for (i, j), value in np.ndenumerate(view):
            _cell(axes, left + 0.95 * j, -3.2 - i, f"{value:.0f}", INK, width=0.95)
    _finish(axes, (-2.1, 13.4), (-6.4, 1.2))
    return figure


def stretching():
    """outer_sum([1, 2], [10, 20, 30]): what lies in memory is framed, what a stride of 0 shows again is dotted."""
    figure, axes = plt.subplots(figsize=(7.2, 1.9))
    a, b = np.array([[1.0], [2.0]]), np.array([[10.0, 20.0, 30.0]])
    shape = np.broadcast_shapes(a.shape, b.shape)
    seen_a, seen_b = np.broadcast_to(a, shape), np.broadcast_to(b, shape)
    grids = [(0.0, seen_a, ROW, lambda i, j: j == 0, f"strides {seen_a.strides}"),
             (4.6, seen_b, COLUMN, lambda i, j: i == 0, f"strides {seen_b.strides}"),
             (9.2, seen_a + seen_b, SUM, lambda i, j: True, "new memory")]  # fmt: skip
    for left, values, colour, stored, caption in grids:
        for (i, j), value in np.ndenumerate(values):
            _cell(axes, left + 1.2 * j, -i, f"{value:.0f}", colour, width=1.2, stored=stored(i, j))
        axes.text(left + 1.8, -1.55, caption, ha="center", va="center", color=INK, fontsize=9)
    for x, sign in ((4.1, "+"), (8.7, "=")):
        axes.text(x, 0, sign, ha="center", va="center", color=INK, fontsize=14)
    _finish(axes, (-0.2, 13.0), (-1.9, 1.2))
    return figure


def _cell(axes, left, bottom, text, colour, width=1.1, stored=True):
    style = dict(linewidth=1.3) if stored else dict(linewidth=0.8, linestyle=(0, (1, 2)))
    axes.add_patch(plt.Rectangle((left, bottom), width, 1, facecolor="none", edgecolor=colour, **style))
    axes.text(
        left + width / 2,
        bottom + 0.5,
        text,
        ha="center",
        va="center",
        color=colour,
        fontsize=9,
        alpha=1 if stored else 0.75,
    )


def _finish(axes, x, y):
    axes.set_xlim(*x)
    axes.set_ylim(*y)
    axes.axis("off")
