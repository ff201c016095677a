"""The figures of lesson 1.7."""

import matplotlib.pyplot as plt
import numpy as np

from groundup.course.figures import INK
from groundup.grad.mlp import MLP, polyline, predict, squared_loss, train

WARM, COLD = "#a8402a", "#2b7a9e"


def folded():
    """XOR in the plane of the inputs, and in the plane of h1 = relu(x1 + x2), h2 = relu(x1 + x2 - 1)."""
    corners = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    odd = np.array([False, True, True, False])
    hidden = np.maximum(corners.sum(axis=1, keepdims=True) - [0.0, 1.0], 0.0)
    figure, panels = plt.subplots(1, 2, figsize=(6.4, 2.7), gridspec_kw={"wspace": 0.35})
    for axes, points, names in zip(panels, (corners, hidden), (("$x_1$", "$x_2$"), ("$h_1$", "$h_2$"))):
        axes.plot(*points[odd].T, "o", ms=11, color=WARM)
        axes.plot(*points[~odd].T, "s", ms=10, color=COLD)
        axes.set_xlabel(names[0])
        axes.set_ylabel(names[1], rotation=0, labelpad=10)
        axes.set_xlim(-0.4, 2.5 if points is hidden else 1.4)
        axes.set_ylim(-0.4, 1.4)
        axes.set_xticks([0, 1, 2] if points is hidden else [0, 1])
        axes.set_yticks([0, 1])
    h1 = np.array([-0.4, 2.5])
    panels[1].plot(h1, (h1 - 0.5) / 2, color=INK, lw=1.2, ls="--")
    panels[1].text(1.08, -0.24, "(0, 1) and (1, 0)", color=INK, fontsize=8.5)
    panels[0].set_title("as given", color=INK, fontsize=10)
    panels[1].set_title("as the hidden layer sees it", color=INK, fontsize=10)
    return figure


def width():
    """The largest error on x^2 over [0, 1] against the width: polylines, and networks after 500 steps."""
    grid, x = np.linspace(0, 1, 1025)[:, None], np.linspace(0, 1, 65)[:, None]
    figure, axes = plt.subplots(figsize=(5.6, 2.9))

    def error(model):
        return np.abs(predict(model, grid) - grid**2).max()

    widths = 2 ** np.arange(10)
    written = [error(polyline(k, k**2)) for k in (np.linspace(0, 1, n + 1) for n in widths)]
    trained = []
    for n in widths[:7]:
        model = MLP([1, n, 1], np.random.default_rng(0))
        train(model, x, x**2, squared_loss, rate=0.1, steps=500)
        trained.append(error(model))
    axes.loglog(widths[:7], trained, "o-", color=WARM, ms=4)
    axes.loglog(widths, written, "s-", color=COLD, ms=4)
    axes.text(10, 0.25, "trained, 500 steps", color=WARM)
    axes.text(1.1, 0.0006, "written down:\n1 / (4 N²)", color=COLD)
    axes.set_xlabel("width N")
    axes.set_ylabel("largest error on x²")
    return figure
