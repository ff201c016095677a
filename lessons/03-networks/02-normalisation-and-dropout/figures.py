"""The figures of lesson 3.2."""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Circle, Rectangle
from sklearn.datasets import load_digits

from groundup.course.figures import INK
from groundup.grad.layers.dense import (
    affine_backward,
    affine_forward,
    relu_backward,
    relu_forward,
    softmax_cross_entropy_backward,
    softmax_cross_entropy_forward,
)
from groundup.grad.layers.norm import batch_norm_backward, batch_norm_forward

COLD, WARM = "#2b7a9e", "#a8402a"
COLOURS = ["#2b7a9e", "#a8402a", "#7a8f3c", "#8a6bb0", "#c98a2b", "#5b8a82"]


def shared():
    """A table of samples and channels, coloured by what is averaged together."""
    n, c = 3, 6
    sets = {
        "batch norm": lambda i, j: j,
        "layer norm": lambda i, j: i,
        "group norm, 2 groups": lambda i, j: 2 * i + j // 3,
    }
    figure, panels = plt.subplots(1, 3, figsize=(6.6, 1.7), gridspec_kw={"wspace": 0.18})
    for axes, (name, shares) in zip(panels, sets.items()):
        for i in range(n):
            for j in range(c):
                axes.add_patch(
                    Rectangle((j + 0.06, i + 0.06), 0.88, 0.88, color=COLOURS[shares(i, j)], alpha=0.75, lw=0)
                )
        axes.set(
            xlim=(-0.05, c + 0.05), ylim=(n + 0.05, -0.05), aspect="equal", xticks=[], yticks=[], xlabel="channels"
        )
        axes.set_title(name, color=INK, fontsize=10)
        axes.spines[:].set_visible(False)
    panels[0].set_ylabel("samples")
    return figure


def circle():
    """The plane x1 + x2 + x3 = 0 with z of (1, 2, 3), the upstream gradient (6, 0, 0), and what is left of it."""
    across, up = np.array([-1, 0, 1]) / np.sqrt(2), np.array([1, -2, 1]) / np.sqrt(6)
    z, g = np.sqrt(1.5) * np.array([-1.0, 0.0, 1.0]), np.array([6.0, 0.0, 0.0])
    tip, (radial, along) = np.array([across @ z, up @ z]), (across @ g, up @ g)
    figure, axes = plt.subplots(figsize=(5.2, 3.3))
    axes.add_patch(Circle((0, 0), np.sqrt(3), fill=False, color=INK, lw=1.2))
    axes.annotate(
        "", tip, (0, 0), arrowprops={"arrowstyle": "-|>", "color": INK, "lw": 1.2, "shrinkA": 0, "shrinkB": 0}
    )
    for end, colour, style in (((radial, along), WARM, "-"), ((radial, 0), WARM, "--"), ((0, along), COLD, "-")):
        arrow = {"arrowstyle": "-|>", "color": colour, "lw": 1.8, "ls": style, "shrinkA": 0, "shrinkB": 0}
        axes.annotate("", tip + np.array(end), tip, arrowprops=arrow)
    axes.plot([tip[0] + radial, tip[0] + radial, tip[0]], [0, along, along], color=INK, lw=0.6, ls=":")
    axes.plot(0, 0, ".", color=INK)
    axes.text(0.45, 0.12, "z", color=INK, fontsize=12)
    axes.text(-2.5, 2.6, "upstream, less its mean", color=WARM)
    axes.text(-1.4, -0.4, "taken by the spread", color=WARM)
    axes.text(1.85, 1.3, "what reaches x:\nalong (1, -2, 1)", color=COLD)
    axes.set(xlim=(-2.9, 3.9), ylim=(-1.9, 3.0), aspect="equal", xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    return figure


def _gradients(net, x, labels, norm):
    """The loss, and the gradients of W, b, gamma and beta of each layer."""
    caches = []
    for W, b, gamma, beta in net[:-1]:
        x, a = affine_forward(x, W, b)
        x, n = batch_norm_forward(x, gamma, beta) if norm else (x, None)
        x, r = relu_forward(x)
        caches.append((a, n, r))
    x, last = affine_forward(x, *net[-1][:2])
    loss, cache = softmax_cross_entropy_forward(x, labels)
    dx, dW, db = affine_backward(softmax_cross_entropy_backward(1.0, cache), last)
    grads = [[dW, db, 0.0, 0.0]]
    for a, n, r in reversed(caches):
        dx = relu_backward(dx, r)
        dx, dgamma, dbeta = batch_norm_backward(dx, n) if norm else (dx, 0.0, 0.0)
        dx, dW, db = affine_backward(dx, a)
        grads.append([dW, db, dgamma, dbeta])
    return loss, grads[::-1]


def _step(net, grads, rate):
    return [[p - rate * g for p, g in zip(*layer)] for layer in zip(net, grads)]


def _distance(a, b):
    return np.sqrt(sum(np.sum((np.asarray(g) - h) ** 2) for u, v in zip(a, b) for g, h in zip(u, v)))


def _trained(norm, rate=0.1, steps=120, every=6):
    """The losses of all steps, and every few steps how far the gradient moves over half to four times the rate."""
    X, labels = load_digits(return_X_y=True)
    X, labels, rng = X[::2] / 16, labels[::2], np.random.default_rng(0)
    sizes = [64] * 9 + [10]
    net = [[rng.normal(0, np.sqrt(2 / d), (d, m)), np.zeros(m), np.ones(m), np.zeros(m)] for d, m in pairwise(sizes)]
    losses, moved = [], []
    for i in range(steps):
        rows = rng.integers(len(X), size=128)
        loss, grads = _gradients(net, X[rows], labels[rows], norm)
        losses.append(loss)
        if i % every == 0:
            size = np.sqrt(sum(np.sum(np.square(g)) for layer in grads for g in layer))
            there = [_gradients(_step(net, grads, k * rate), X[rows], labels[rows], norm)[1] for k in (0.5, 1, 2, 4)]
            moved.append([_distance(grads, h) / size for h in there])
        net = _step(net, grads, rate)
    return losses, np.array(moved)


def predictiveness():
    """Santurkar et al., figure 4, on a small scale: loss and relative change of the gradient, with and without batch norm."""
    figure, (top, bottom) = plt.subplots(2, 1, figsize=(6.0, 4.4), sharex=True, gridspec_kw={"height_ratios": [2, 3]})
    for norm, colour, name in ((False, WARM, "without batch norm"), (True, COLD, "with")):
        losses, moved = _trained(norm)
        steps = np.arange(len(losses))
        top.plot(steps, losses, color=colour, lw=1.3)
        at = steps[:: len(losses) // len(moved)]
        bottom.fill_between(at, moved.min(axis=1), moved.max(axis=1), color=colour, alpha=0.35, lw=0)
        bottom.plot(at, moved[:, 1], color=colour, lw=1.3)
        top.text(*((4, 0.3) if norm else (82, 1.6)), name, color=colour)
    bottom.axhline(1.0, color=INK, lw=0.7, ls=":")
    bottom.set_yscale("log")
    bottom.set_yticks([0.5, 1, 2, 5, 10, 20], ["0.5", "1", "2", "5", "10", "20"])
    bottom.minorticks_off()
    top.set_ylabel("loss")
    top.set_ylim(0, 2.6)
    bottom.set_ylabel("change of the gradient")
    bottom.set_xlabel("steps")
    return figure
