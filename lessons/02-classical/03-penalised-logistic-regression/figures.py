"""The figures of lesson 2.3."""

import matplotlib.pyplot as plt
import numpy as np

from groundup.classic.logistic import LogisticRegression, gradient, objective
from groundup.classic.logit import curvature_bound, sigmoid
from groundup.course.figures import INK

FIRST, SECOND, THIRD, FAINT = "#2b7a9e", "#a8402a", "#7a7a2b", "#8a8a8a"


def pupils():
    """Probability of passing against hours, for several C: a separating line, and curves that steepen without end."""
    hours, passed = np.arange(1.0, 7.0)[:, None], np.array([0, 0, 0, 1, 1, 1])
    grid = np.linspace(0.5, 6.5, 300)[:, None]
    figure, axes = plt.subplots(figsize=(6.0, 2.9))
    for C, color, width in ((0.1, FAINT, 1.5), (1.0, FIRST, 2.2), (100.0, THIRD, 1.5), (1e4, SECOND, 1.5)):
        model = LogisticRegression(C=C, solver="newton-cholesky", tol=1e-10).fit(hours, passed)
        label = f"C = {C:g}: w = {model.coef_[0, 0]:.2f}"
        axes.plot(grid, model.predict_proba(grid)[:, 1], color=color, lw=width, label=label)
    axes.plot(hours, passed, "o", color=INK, ms=5)
    axes.set_xlabel("hours of study")
    axes.set_ylabel("probability of passing")
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    figure.tight_layout()
    return figure


def searches():
    """The objective above its minimum after each step: descent, L-BFGS, Newton."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 5)) * [1.0, 1.0, 1.0, 5.0, 0.5]
    y = (rng.random(300) < sigmoid(X @ [1.0, -1.0, 1.0, 0.2, 2.0] + 0.5)).astype(np.int64)
    Y, weights, l2 = y[:, None].astype(np.float64), np.full(300, 1 / 300), 1 / 300

    def gap(theta):
        return objective(theta, X, Y, weights, l2) - least

    def after(solver, steps):
        """theta when a search is cut off so early."""
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = LogisticRegression(solver=solver, tol=0.0, max_iter=steps).fit(X, y)
        return np.column_stack([model.coef_, model.intercept_])

    least = objective(after("newton-cholesky", 30), X, Y, weights, l2)
    theta, rate, descent = np.zeros((1, 6)), 1.0 / (curvature_bound(X) + l2), []
    for _ in range(1001):
        descent.append(gap(theta))
        theta = theta - rate * gradient(theta, X, Y, weights, l2)
    figure, axes = plt.subplots(figsize=(6.0, 2.9))
    axes.loglog(np.arange(1, 1002), descent, color=FAINT, lw=2)
    for solver, color, steps in (("lbfgs", FIRST, range(26)), ("newton-cholesky", SECOND, range(7))):
        gaps = [max(gap(after(solver, s)), 1e-16) for s in steps]
        axes.loglog(np.array(steps) + 1, gaps, "o-", color=color, lw=1.5, ms=3.5)
    axes.text(90, 0.2, "descent", color=FAINT)
    axes.text(25, 1e-9, "L-BFGS", color=FIRST)
    axes.text(1.7, 1e-9, "Newton", color=SECOND)
    axes.set_ylim(3e-16, 3)
    axes.set_xlabel("point of the search (the first is zero weights)")
    axes.set_ylabel("objective above the least")
    return figure


def paths():
    """Ten weights against C, three of them real: with L2 none is ever zero, with L1 they enter one by one."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 10))
    y = (rng.random(200) < sigmoid(X @ np.array([2.0, -1.5, 1.0, 0, 0, 0, 0, 0, 0, 0]) - 0.5)).astype(np.int64)
    grid = np.geomspace(5e-3, 10, 60)
    figure, both = plt.subplots(1, 2, figsize=(7.2, 3.0), sharey=True)
    for axes, l1_ratio, title in zip(both, (0.0, 1.0), ("L2", "L1")):
        coefs = np.array(
            [LogisticRegression(C=C, l1_ratio=l1_ratio, solver="newton-cd", tol=1e-7).fit(X, y).coef_[0] for C in grid]
        )
        for j, weights in enumerate(coefs.T):
            axes.semilogx(grid, weights, color=(FIRST, SECOND, THIRD)[j] if j < 3 else FAINT, lw=2 if j < 3 else 1)
        axes.axhline(0.0, color=INK, lw=0.6)
        axes.set_title(title)
        axes.set_xlabel("C")
    both[0].set_ylabel("weight")
    figure.tight_layout()
    return figure
