"""The figures of lesson 3.1."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import FancyBboxPatch
from scipy import special

from groundup.course.figures import INK
from groundup.grad.layers import dense

RED, BLUE = "#a8402a", "#2b7a9e"


def slopes():
    """Five functions and their derivatives."""
    x = np.linspace(-4, 4, 401)
    panels = [("relu", {}), ("tanh", {}), ("sigmoid", {}), ("gelu", {"approximate": "none"})]
    figure, row = plt.subplots(1, 4, figsize=(7.6, 2.3), sharey=True)
    for axes, (name, options) in zip(row, panels):
        y, cache = getattr(dense, f"{name}_forward")(x, **options)
        axes.plot(x, y, color=INK, lw=1.6)
        axes.plot(x, getattr(dense, f"{name}_backward")(np.ones_like(x), cache), color=RED, lw=1.4)
        if name == "gelu":
            y, cache = dense.gelu_forward(x, approximate="tanh")
            axes.plot(x, dense.gelu_backward(np.ones_like(x), cache), color=BLUE, lw=1.4, ls=(0, (2, 3)))
        axes.axhline(0, color=INK, lw=0.5, alpha=0.5)
        axes.set_title("GELU" if name == "gelu" else name, fontsize=10, color=INK)
        axes.set_ylim(-1.15, 2.15)
        axes.set_xticks([-4, 0, 4])
    return figure


def two_ways():
    """How far the series and the fraction for erf are from the truth."""
    x = np.linspace(0.05, 6, 400)
    square = x * x
    term, total = np.ones_like(x), np.ones_like(x)
    for i in range(1, 40):
        term = term * 2 * square / (2 * i + 1)
        total += term
    series = 2 / np.sqrt(np.pi) * x * np.exp(-square) * total
    level = x.copy()
    for i in range(30, 0, -1):
        level = x + 0.5 * i / level
    fraction = 1 - np.exp(-square) / (np.sqrt(np.pi) * level)
    figure, axes = plt.subplots(figsize=(6.0, 2.9))
    for values, color, name, at in ((series, BLUE, "series", (4.6, 1e-7)), (fraction, RED, "fraction", (1.15, 1e-7))):
        axes.semilogy(x, np.maximum(np.abs(values - special.erf(x)), 3e-17), color=color, lw=1.5)
        axes.text(*at, name, color=color)
    axes.axhline(2.2e-16, color=INK, lw=0.7, ls=":")
    axes.text(6.0, 4e-16, "spacing of floats at 1", color=INK, ha="right", fontsize=8.5)
    axes.axvline(2.5, color=INK, lw=0.7, ls=":")
    axes.set_xlabel("x")
    axes.set_ylabel("error of erf(x)")
    axes.set_ylim(2e-17, 1)
    return figure


def pulls():
    """p, and p - onehot, for scores (2, 1, 0) with the third class right."""
    z = np.array([2.0, 1.0, 0.0])
    p = dense.softmax(z)
    gradient = p - np.array([0.0, 0.0, 1.0])
    figure, axes = plt.subplots(figsize=(5.2, 2.7))
    place = np.arange(3)
    axes.bar(place - 0.18, p, 0.34, color=INK, alpha=0.55)
    axes.bar(place + 0.18, gradient, 0.34, color=RED)
    for i in range(3):
        axes.text(i - 0.18, p[i] + 0.03, f"{p[i]:.3f}", ha="center", color=INK, fontsize=9)
        offset = 0.03 if gradient[i] > 0 else -0.12
        axes.text(i + 0.18, gradient[i] + offset, f"{gradient[i]:.3f}", ha="center", color=RED, fontsize=9)
    axes.axhline(0, color=INK, lw=0.8)
    axes.set_xticks(place, ["score 2", "score 1", "score 0, the label"])
    axes.set_ylim(-1.1, 0.85)
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(bottom=False)
    return figure


def chain():
    """A network of two affine layers: forward, the caches, and backward."""
    layers = [("affine", "X, W1", "dW1, db1"), ("relu", "z > 0", ""), ("affine", "h, W2", "dW2, db2")]
    layers.append(("softmax,\ncross-entropy", "p, labels", ""))
    figure, axes = plt.subplots(figsize=(7.6, 2.9))
    width, gap = 1.6, 1.05
    for i, (name, kept, grads) in enumerate(layers):
        x = i * (width + gap)
        for y, color in ((2.0, INK), (0.0, RED)):
            box = FancyBboxPatch((x, y), width, 0.7, boxstyle="round,pad=0.04", fc="none", ec=color, lw=1.2)
            axes.add_patch(box)
            axes.text(x + width / 2, y + 0.35, name, ha="center", va="center", color=color, fontsize=8.5)
        axes.add_patch(FancyBboxPatch((x + 0.1, 1.18), width - 0.2, 0.34, boxstyle="square,pad=0", fc="none", ec=BLUE))
        axes.text(x + width / 2, 1.35, kept, ha="center", va="center", color=BLUE, fontsize=8)
        for top, bottom in ((1.94, 1.54), (1.16, 0.76)):
            _arrow(axes, (x + width / 2, top), (x + width / 2, bottom), BLUE)
        if grads:
            _arrow(axes, (x + width / 2, -0.06), (x + width / 2, -0.42), RED)
            axes.text(x + width / 2, -0.62, grads, ha="center", va="center", color=RED, fontsize=8.5)
        if i:
            _arrow(axes, (x - gap + 0.06, 2.35), (x - 0.06, 2.35), INK)
            _arrow(axes, (x - 0.06, 0.35), (x - gap + 0.06, 0.35), RED)
            middle = x - gap / 2
            axes.text(middle, 2.47, ("z", "h", "scores")[i - 1], ha="center", color=INK, fontsize=8.5)
            axes.text(middle, 0.08, ("dz", "dh", "dscores")[i - 1], ha="center", color=RED, fontsize=8.5)
    end = 4 * width + 3 * gap
    _arrow(axes, (-0.6, 2.35), (-0.06, 2.35), INK)
    axes.text(-0.68, 2.35, "X", ha="right", va="center", color=INK, fontsize=9)
    _arrow(axes, (end + 0.06, 2.35), (end + 0.55, 2.35), INK)
    axes.text(end + 0.62, 2.35, "loss", va="center", color=INK, fontsize=9)
    _arrow(axes, (end + 0.55, 0.35), (end + 0.06, 0.35), RED)
    axes.text(end + 0.62, 0.35, "1", va="center", color=RED, fontsize=9)
    axes.set_xlim(-1.0, end + 1.2)
    axes.set_ylim(-0.8, 2.85)
    axes.axis("off")
    return figure


def _arrow(axes, start, end, color):
    axes.annotate(
        "", end, start, arrowprops={"arrowstyle": "->", "color": color, "lw": 1.1, "shrinkA": 0, "shrinkB": 0}
    )
