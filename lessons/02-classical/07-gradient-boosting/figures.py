"""The figures of lesson 2.7."""

import matplotlib.pyplot as plt
import numpy as np

from groundup.classic.boosting import GradientBoostingRegressor
from groundup.classic.newton_tree import histogram
from groundup.course.figures import INK

GOOD, BAD, THIRD = "#2b7a9e", "#a8402a", "#8a7a2e"


def rounds():
    """The sum after some rounds, and what it leaves over."""
    rng = np.random.default_rng(3)
    x = np.sort(rng.random(70))[:, None] * 6
    y = np.sin(x[:, 0]) + 0.4 * x[:, 0] + 0.25 * rng.standard_normal(70)
    grid = np.linspace(0, 6, 600)[:, None]
    model = GradientBoostingRegressor(n_estimators=41, learning_rate=0.3, max_depth=2).fit(x, y)
    at_samples, on_grid = list(model.staged_predict(x)), [F.copy() for F in model.staged_predict(grid)]
    figure, axes = plt.subplots(2, 3, figsize=(7.2, 3.8), sharex=True, sharey="row", layout="constrained")
    for column, t in zip(axes.T, (1, 4, 40)):
        column[0].plot(x, y, ".", color=INK, ms=3, alpha=0.6)
        column[0].plot(grid, on_grid[t - 1], color=GOOD, lw=2)
        column[0].set_title(f"{t} round{'s' if t > 1 else ''}", fontsize=10)
        column[1].axhline(0, color=INK, lw=0.6)
        column[1].plot(x, y - at_samples[t - 1], ".", color=INK, ms=3, alpha=0.6)
        column[1].plot(grid, (on_grid[t] - on_grid[t - 1]) / 0.3, color=BAD, lw=2)
        column[1].set_xlabel("x")
    axes[0, 0].set_ylabel("y, and the sum")
    axes[1, 0].set_ylabel("residuals,\nand the next tree")
    return figure


def splitting():
    """Gradients by bin, and the gain of each cut for both sides of NaN."""
    rng = np.random.default_rng(1)
    n, bins = 900, 24
    codes = rng.integers(0, bins, n)
    gradient = np.where(codes < 9, -0.5, 0.35) + 0.9 * rng.standard_normal(n)
    nan = rng.random(n) < 0.12
    codes[nan], gradient[nan] = bins, -0.6 + 0.9 * rng.standard_normal(nan.sum())
    G, H, _ = histogram(codes[:, None], gradient, np.ones(n), bins + 1)[:, 0]
    figure, (top, bottom) = plt.subplots(2, 1, figsize=(6.2, 3.8), sharex=True, layout="constrained")
    top.bar(np.arange(bins), G[:-1], color=INK, alpha=0.45, width=0.85)
    top.bar([bins + 1], G[-1:], color=BAD, alpha=0.8, width=0.85)
    top.axhline(0, color=INK, lw=0.6)
    top.set_ylabel("sum of gradients")
    for side, colour, name in ((0, INK, "NaN to the right"), (1, GOOD, "NaN to the left")):
        left = np.cumsum(G)[: bins - 1] + side * G[-1], np.cumsum(H)[: bins - 1] + side * H[-1]
        gain = (left[0] ** 2 / left[1] + (G.sum() - left[0]) ** 2 / (n - left[1]) - G.sum() ** 2 / n) / 2
        bottom.plot(np.arange(bins - 1) + 0.5, gain, color=colour, lw=2)
        best = gain.argmax()
        bottom.plot(best + 0.5, gain[best], "o", color=colour, ms=5)
        bottom.text(*((13.5, 38) if side else (12.4, 12.5)), name, color=colour)
    bottom.set_ylabel("gain of the cut")
    bottom.set_ylim(0, None)
    bottom.set_xticks([0, 5, 10, 15, 20, bins + 1], ["0", "5", "10", "15", "20", "NaN"])
    bottom.set_xlabel("bin")
    return figure


def rates():
    """Error on new samples against rounds."""
    rng = np.random.default_rng(0)
    X = rng.random((1200, 5))
    y = 10 * np.sin(np.pi * X[:, 0] * X[:, 1]) + 20 * (X[:, 2] - 0.5) ** 2 + 10 * X[:, 3] + 5 * X[:, 4]
    y += 2 * rng.standard_normal(1200)
    figure, axes = plt.subplots(figsize=(6.0, 3.0), layout="constrained")
    for rate, colour, place in ((1.0, BAD, (100, 15.9)), (0.3, THIRD, (100, 8.5)), (0.1, GOOD, (4.6, 19.5))):
        model = GradientBoostingRegressor(n_estimators=300, learning_rate=rate, max_depth=3).fit(X[:300], y[:300])
        error = [np.mean((F - y[300:]) ** 2) for F in model.staged_predict(X[300:])]
        axes.plot(np.arange(1, 301), error, color=colour, lw=2)
        axes.plot(np.argmin(error) + 1, min(error), "o", color=colour, ms=5)
        axes.text(*place, f"rate {rate:g}", color=colour)
    axes.axhline(4, color=INK, lw=0.8, ls=":")
    axes.text(1.1, 4.2, "the noise", color=INK)
    axes.set_xscale("log")
    axes.set_xticks([1, 10, 100, 300], ["1", "10", "100", "300"])
    axes.minorticks_off()
    axes.set_xlim(1, 320)
    axes.set_ylim(3, 22)
    axes.set_xlabel("rounds")
    axes.set_ylabel("squared error, new samples")
    return figure
