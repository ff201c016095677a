"""The figures of lesson 3.6."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle
from sklearn.datasets import load_sample_image

from groundup.course.figures import INK
from groundup.grad.layers.conv import conv2d_forward, max_pool2d_forward, unfold

COLOURS = "#2b7a9e", "#a8402a", "#8a6d1f", "#5b7f3a"


def columns():
    """Nine pixels, four windows, and the matrix of windows."""
    image = np.arange(1.0, 10.0).reshape(1, 1, 3, 3)
    matrix = unfold(image, 2)[0]  # (4, 4)
    figure, (left, right) = plt.subplots(1, 2, figsize=(6.4, 2.7), gridspec_kw={"width_ratios": [1, 1.15]})
    _numbers(left, image[0, 0])
    for window, colour in enumerate(COLOURS):
        p, q = divmod(window, 2)
        inset = 0.05 + 0.035 * window  # so that four frames can be told apart
        side = 2 - 2 * inset
        left.add_patch(Rectangle((q + inset, p + inset), side, side, fill=False, edgecolor=colour, lw=1.8))
    _numbers(right, matrix)
    for window, colour in enumerate(COLOURS):
        right.add_patch(Rectangle((window + 0.07, 0.05), 0.86, 3.9, facecolor=colour, alpha=0.22, lw=0))
        right.add_patch(Rectangle((window + 0.07, 0.05), 0.86, 3.9, fill=False, edgecolor=colour, lw=1.8))
    left.set_title("image (3, 3)", fontsize=10, color=INK)
    right.set_title("columns (4, 4)", fontsize=10, color=INK)
    return figure


def _numbers(axes, table):
    for (row, column), value in np.ndenumerate(table):
        weight = "bold" if value == 5 else "normal"
        axes.text(
            column + 0.5, row + 0.5, f"{value:.0f}", ha="center", va="center", color=INK, fontsize=12, weight=weight
        )
    axes.set_xlim(-0.05, table.shape[1] + 0.05)
    axes.set_ylim(table.shape[0] + 0.05, -0.05)
    axes.set_aspect("equal")
    axes.axis("off")


def filters():
    """A photograph, and what a few filters see in it."""
    photo = load_sample_image("china.jpg")[20:340, 130:530].mean(axis=2) / 255.0  # (320, 400), grey
    x = photo[None, None]
    across = np.array([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])
    edges, _ = conv2d_forward(x, np.stack([across, across.T])[:, None])  # (1, 2, 318, 398)
    mean, _ = conv2d_forward(x, np.full((1, 1, 5, 5), 1 / 25))
    either = np.abs(edges).max(axis=1, keepdims=True)
    pooled, _ = max_pool2d_forward(either, 4)
    pictures = [
        ("the photograph", photo, 0, 1),
        ("mean of 5 x 5", mean[0, 0], 0, 1),
        ("difference across", edges[0, 0], -2, 2),
        ("difference down", edges[0, 1], -2, 2),
        ("the larger of both", either[0, 0], 0, 2),
        ("largest in 4 x 4", pooled[0, 0], 0, 2),
    ]
    figure, panels = plt.subplots(2, 3, figsize=(7.4, 4.3), gridspec_kw={"wspace": 0.06, "hspace": 0.16})
    for axes, (title, picture, black, white) in zip(panels.ravel(), pictures):
        axes.imshow(picture, cmap="gray", vmin=black, vmax=white)
        axes.set_title(title, fontsize=9, color=INK, pad=3)
        axes.axis("off")
    return figure


def reach():
    """Which pixels one output sees after three layers, without and with growing dilation."""
    figure, panels = plt.subplots(1, 2, figsize=(7.2, 2.4), gridspec_kw={"wspace": 0.08})
    for axes, dilations, colour in zip(panels, ((1, 1, 1), (1, 2, 4)), COLOURS):
        seen = {0}
        for layer, d in reversed(list(enumerate(dilations))):
            below = {q + i * d for q in seen for i in (-1, 0, 1)}
            for q in seen:
                for i in (-1, 0, 1):
                    axes.plot([q, q + i * d], [layer + 1, layer], color=colour, lw=1.0)
            axes.plot(sorted(seen), [layer + 1] * len(seen), "o", color=colour, ms=5)
            seen = below
        axes.plot(range(-8, 9), [0] * 17, "o", color=INK, ms=3.5, alpha=0.35)
        axes.plot(sorted(seen), [0] * len(seen), "o", color=INK, ms=5)
        axes.set_title(f"dilation {', '.join(map(str, dilations))}: {len(seen)} pixels", fontsize=10, color=INK)
        axes.set_ylim(-0.3, 3.3)
        axes.axis("off")
    return figure
