"""The figures of lesson 2.2."""

import matplotlib.pyplot as plt
import numpy as np

from groundup.classic.lasso import Lasso, lasso_path
from groundup.classic.linear import Ridge, ridge_path
from groundup.course.figures import INK

GOOD, BAD = "#2b7a9e", "#a8402a"
GREY = "#8a8578"


def geometry():
    """A loss with its minimum at (2, 0.9), the diamond and the circle of the same budget, and where each is touched."""
    root = np.array([[1.0, 0.0], [0.45, 0.8]])  # of the loss ||root (w - best)||^2
    best = np.array([2.0, 0.9])
    X, y = root, root @ best
    lasso = Lasso(alpha=0.62, fit_intercept=False, tol=1e-14).fit(X, y).coef_
    budget = np.abs(lasso).sum()
    prices = np.geomspace(1e-3, 10, 4000)
    ridge = min(
        (Ridge(alpha=a, fit_intercept=False).fit(X, y).coef_ for a in prices),
        key=lambda w: abs(np.linalg.norm(w) - budget),
    )
    side = np.linspace(-2.0, 3.4, 300)
    loss = sum((row[0] * (side[None, :] - best[0]) + row[1] * (side[:, None] - best[1])) ** 2 for row in root)
    turn = np.linspace(0, 2 * np.pi, 200)
    figure, panels = plt.subplots(1, 2, figsize=(6.6, 3.1), sharey=True)
    shapes = [
        ("budget |w₁| + |w₂|", lasso, budget * np.array([[1, 0, -1, 0, 1], [0, 1, 0, -1, 0]]), GOOD),
        ("budget w₁² + w₂²", ridge, budget * np.array([np.cos(turn), np.sin(turn)]), BAD),
    ]
    for axes, (title, touch, shape, colour) in zip(panels, shapes):
        level = np.sum((root @ (touch - best)) ** 2)
        axes.axhline(0.0, color=INK, lw=0.6)
        axes.axvline(0.0, color=INK, lw=0.6)
        axes.contour(side, side, loss, levels=level * np.array([0.1, 0.4, 1.0]), colors=GREY, linewidths=1.0)
        axes.fill(*shape, color=colour, alpha=0.25, lw=0)
        axes.plot(*np.column_stack([shape, shape[:, :1]]), color=colour, lw=1.6)
        axes.plot(*best, "+", color=INK, ms=8)
        axes.plot(*touch, "o", color=colour, ms=6)
        axes.set_title(f"{title}: ({touch[0]:.2f}, {touch[1]:.2f})", color=colour, fontsize=10)
        axes.set_xlim(-1.7, 3.3)
        axes.set_ylim(-1.7, 2.4)
        axes.set_aspect("equal")
        axes.set_xlabel("w₁")
    panels[0].set_ylabel("w₂")
    return figure


def one_weight():
    """The objective over one weight, (2w^2 - 10w + 14) / 6 plus the price, below and above the alpha that makes a zero."""
    w = np.linspace(-1.2, 3.2, 500)
    loss = (2 * w**2 - 10 * w + 14) / 6
    figure, panels = plt.subplots(1, 2, figsize=(6.6, 2.8), sharey=True)
    for axes, (name, price, colour) in zip(panels, [("|w|", np.abs(w), GOOD), ("w² / 2", w**2 / 2, BAD)]):
        axes.axvline(0.0, color=INK, lw=0.6)
        axes.plot(w, loss, color=GREY, lw=1.2)
        for alpha, style in ((1.0, "-"), (2.0, "--")):
            total = loss + alpha * price
            axes.plot(w, total, color=colour, lw=1.8, ls=style)
            lowest = np.argmin(total)
            axes.plot(w[lowest], total[lowest], "o", color=colour, ms=6)
        axes.plot(2.5, (2 * 2.5**2 - 25 + 14) / 6, "o", color=GREY, ms=5)
        axes.set_title(f"loss + alpha {name}", color=colour, fontsize=10)
        axes.set_ylim(0, 5)
        axes.set_xlabel("w")
    panels[0].set_ylabel("objective")
    panels[0].text(0.95, 4.35, "alpha = 2", color=GOOD, ha="center")
    panels[0].text(2.5, 1.55, "alpha = 1", color=GOOD, ha="center")
    panels[0].text(0.78, 0.3, "alpha = 0", color=GREY, ha="center")
    return figure


def paths():
    """The weights of lasso and of ridge over the price: eight columns, of which three have a weight."""
    rng = np.random.default_rng(3)
    X = rng.standard_normal((60, 8)) + 0.6 * rng.standard_normal((60, 1))
    y = X[:, :3] @ np.array([2.0, -1.5, 1.0]) + 1.5 * rng.standard_normal(60)
    X, y = X - X.mean(axis=0), y - y.mean()
    alphas, lasso, _ = lasso_path(X, y, alphas=200, tol=1e-8)
    ridge_alphas = np.geomspace(1e3 * alphas[0], alphas[-1], 200)
    ridge = ridge_path(X, y, ridge_alphas * len(y))[0].T
    figure, panels = plt.subplots(1, 2, figsize=(6.6, 3.0), sharey=True)
    for axes, (title, x, coefs) in zip(panels, [("lasso", alphas, lasso), ("ridge", ridge_alphas, ridge)]):
        axes.axhline(0.0, color=INK, lw=0.6)
        for j in reversed(range(8)):
            axes.plot(x, coefs[j], color=GOOD if j < 3 else BAD, lw=1.8 if j < 3 else 1.1)
        axes.set_xscale("log")
        axes.invert_xaxis()
        axes.set_title(title, fontsize=10)
        axes.set_xlabel("alpha, from large to small")
    panels[0].set_ylabel("weight")
    panels[0].text(0.12, 1.55, "three that matter", color=GOOD)
    panels[0].text(0.12, 0.35, "five that do not", color=BAD)
    return figure
