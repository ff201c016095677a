"""The figures of lesson 3.5, from the 1,797 small digits that come with scikit-learn."""

from functools import lru_cache

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import to_rgba
from scipy.ndimage import zoom
from sklearn.datasets import load_digits

from groundup.course.figures import INK
from groundup.grad import data, fit, optim, schedules
from groundup.grad.network import Network

RED, BLUE = "#a8402a", "#2b7a9e"


@lru_cache(maxsize=1)
def _digits():
    """Features and labels of those to train on, then of those held out."""
    digits = load_digits()
    train, valid = data.hold_out(len(digits.images), 1 / 3, np.random.default_rng(0))
    features = data.as_features(digits.images, *data.pixel_scale(digits.images[train]))
    return features[train], digits.target[train], features[valid], digits.target[valid]


def _trained(rate, schedule=None, epochs=10, seed=0, rows=None, patience=None):
    """The history of a 64-64-10 network; schedule: (step, steps) -> rate."""
    X, y, *valid = _digits()
    net = Network([64, 64, 10], np.random.default_rng(seed))
    loader = data.Loader(X[:rows], y[:rows], size=32, seed=seed)
    steps = epochs * len(loader)
    per_step = None if schedule is None else lambda step: schedule(step, rate, steps)
    optimiser = optim.Adam(net.params, lr=rate)
    return fit.fit(net, optimiser, loader, epochs, valid=valid, patience=patience, schedule=per_step)


def noise():
    """How far the gradient of a batch is from that of all samples, against the size of the batch."""
    X, y, *_ = _digits()
    net, rng = Network([64, 64, 10], np.random.default_rng(0)), np.random.default_rng(1)
    _, (full, *_) = net.loss_and_grads(X, y)
    sizes, spread = 2 ** np.arange(10), []
    for size in sizes:
        off = []
        for _ in range(60):
            some = rng.choice(len(X), size)
            _, (g, *_) = net.loss_and_grads(X[some], y[some])
            off.append(np.linalg.norm(g - full) / np.linalg.norm(full))
        spread.append(np.quantile(off, [0.1, 0.5, 0.9]))
    low, middle, high = np.array(spread).T
    figure, axes = plt.subplots(figsize=(6.0, 2.8))
    axes.fill_between(sizes, low, high, color=BLUE, alpha=0.25, lw=0)
    axes.loglog(sizes, middle, "o-", color=BLUE, ms=4)
    axes.loglog(sizes, middle[3] * np.sqrt(sizes[3] / sizes), color=INK, lw=0.9, ls=":")
    axes.axhline(1.0, color=INK, lw=0.6)
    axes.text(1.0, 0.9, "as long as the gradient itself", color=INK, va="top", fontsize=9)
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.set_yticks([0.3, 1, 3], ["0.3", "1", "3"])
    axes.minorticks_off()
    axes.set_xlabel("samples in the batch")
    axes.set_ylabel("error / length")
    return figure


def one_cycle():
    """Rates by step, and mistakes on held-out digits by epoch, for two constant rates and one cycle."""
    low, high, epochs = 0.003, 0.03, 10
    runs = [
        ("constant, 0.003", BLUE, low, None, ":"),
        ("constant, 0.03", BLUE, high, None, "-"),
        ("one cycle up to 0.03", RED, high, schedules.one_cycle, "-"),
    ]
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 2.8))
    for name, color, rate, schedule, style in runs:
        histories = [_trained(rate, schedule, epochs, seed) for seed in range(4)]
        steps = len(histories[0].losses)
        rates = [rate if schedule is None else schedule(step, rate, steps) for step in range(steps)]
        wrong = 100 * (1 - np.mean([h.accuracy for h in histories], axis=0))
        left.plot(rates, color=color, ls=style, lw=1.5)
        right.plot(np.arange(1, epochs + 1), wrong, color=color, ls=style, lw=1.5, label=name)
    left.set_xlabel("step")
    left.set_ylabel("rate")
    right.set_xlabel("epoch")
    right.set_ylabel("% wrong, held out")
    right.set_ylim(0, 12)
    right.legend(frameon=False, fontsize=8.5, labelcolor=INK)
    figure.tight_layout()
    return figure


def when_to_stop():
    """Loss on 200 digits, and mistakes on those held out, by epoch; where patience ends, and what is kept."""
    epochs = 40
    history, stopped = _trained(0.003, epochs=epochs, rows=200), _trained(0.003, epochs=epochs, rows=200, patience=8)
    number = np.arange(1, epochs + 1)
    losses = np.array(history.losses).reshape(epochs, -1).mean(axis=1)
    wrong = 100 * (1 - np.array(history.accuracy))
    best, end = stopped.best, stopped.epochs
    figure, (top, bottom) = plt.subplots(2, 1, figsize=(6.0, 3.8), sharex=True)
    top.semilogy(number, losses, color=BLUE, lw=1.5)
    top.set_ylabel("training loss")
    bottom.plot(number, wrong, color=RED, lw=1.5)
    bottom.plot(best, wrong[best - 1], "o", color=RED)
    for axes in (top, bottom):
        axes.axvline(end, color=INK, lw=0.8, ls=":")
    bottom.text(best, wrong[best - 1] - 1.5, "kept", color=RED, ha="center", va="top")
    bottom.text(end + 0.4, 38, "stopped", color=INK, va="top")
    bottom.set_ylim(10, 40)
    bottom.set_ylabel("% wrong, held out")
    bottom.set_xlabel("epoch")
    return figure


def the_same_digit():
    """Four digits, each beside six of its warped forms; below, the last one turned on by 30 degrees a picture."""
    digits = load_digits()
    chosen = [int(np.flatnonzero(digits.target == d)[5]) for d in (2, 3, 5, 6)]
    large = zoom(digits.images[chosen], (1, 3, 3), order=1, grid_mode=True, mode="nearest")  # (4, 24, 24)
    large = np.pad(large, ((0, 0), (4, 4), (4, 4))).clip(0, 16)
    rng, angles = np.random.default_rng(3), np.deg2rad(np.arange(30, 181, 30))
    turns = np.array([[[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]] for a in angles])
    rows = [[image, *data.augment(np.repeat(image[None], 6, axis=0), rng)] for image in large]
    rows.append([large[3], *data.warp(np.repeat(large[3:], 6, axis=0), turns, np.zeros((6, 2)))])
    figure, grid = plt.subplots(5, 7, figsize=(6.4, 4.8))
    for color, pictures, line in zip([BLUE] * 4 + [RED], rows, grid):
        shade = np.zeros((32, 32, 4)) + to_rgba(color)
        for axes, picture in zip(line, pictures):
            shade[..., 3] = picture / 16
            axes.imshow(shade)
            axes.set_xticks([])
            axes.set_yticks([])
    grid[0, 0].set_title("the digit", fontsize=9, color=INK)
    grid[0, 3].set_title("moved, turned, zoomed a little", fontsize=9, color=INK)
    grid[4, 3].set_title("turned on and on", fontsize=9, color=INK)
    figure.tight_layout(pad=0.4)
    return figure
