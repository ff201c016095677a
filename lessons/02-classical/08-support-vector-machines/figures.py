"""The figures of lesson 2.8."""

import matplotlib.pyplot as plt
import numpy as np

from groundup.classic.smo import choose_pair, dual_objective, kkt_gap, one_sided_slopes, update_pair
from groundup.classic.svm import SVC
from groundup.course.figures import INK

LOW, HIGH = "#2b7a9e", "#a8402a"  # class 0, class 1


def _two_clouds():
    """Forty points, two classes that overlap a little."""
    rng = np.random.default_rng(3)
    X = rng.standard_normal((40, 2)) * 0.85
    y = np.arange(40) % 2
    X[y == 1] += [2.4, 1.2]
    return X, y


def _bowl(n, seed):
    """Points on either side of a parabola, with noise."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 2))
    return X, (X[:, 0] + X[:, 1] ** 2 / 2 + 0.3 * rng.standard_normal(n) > 0.5).astype(int)


def _points(axes, X, y, size=14):
    for label, colour, marker in ((0, LOW, "o"), (1, HIGH, "^")):
        axes.scatter(*X[y == label].T, s=size, color=colour, marker=marker, lw=0)


def _on_grid(axes, model, reach):
    """The decision values on a grid, for contours."""
    a, b = np.meshgrid(np.linspace(*reach[:2], 120), np.linspace(*reach[2:], 120))
    axes.set_xlim(*reach[:2])
    axes.set_ylim(*reach[2:])
    axes.set_xticks([])
    axes.set_yticks([])
    return a, b, model.decision_function(np.column_stack([a.ravel(), b.ravel()])).reshape(a.shape)


def margin():
    """The same points with a large and with a small price on the margin."""
    X, y = _two_clouds()
    figure, panels = plt.subplots(1, 2, figsize=(6.4, 3.0), layout="constrained")
    for axes, C in zip(panels, (100.0, 0.05)):
        model = SVC(kernel="linear", C=C, tol=1e-8).fit(X, y)
        a, b, f = _on_grid(axes, model, (-2.6, 4.8, -2.4, 3.6))
        axes.contour(a, b, f, levels=[-1, 0, 1], colors=INK, linewidths=[0.8, 1.6, 0.8], linestyles=["--", "-", "--"])
        _points(axes, X, y)
        at_bound = np.abs(model.dual_coef_[0]) > C - 1e-9
        for inside, edge in ((~at_bound, "-"), (at_bound, ":")):
            axes.scatter(*model.support_vectors_[inside].T, s=80, facecolors="none", edgecolors=INK, lw=1.0, ls=edge)
        width = 2 / np.linalg.norm(model.coef_)
        axes.set_title(f"C = {C:g}: width {width:.2f}, {len(model.support_)} support vectors", fontsize=9)
    return figure


def gammas():
    """Boundaries of an RBF machine as gamma grows."""
    X, y = _bowl(120, 1)
    X_new, y_new = _bowl(4000, 2)
    figure, panels = plt.subplots(1, 3, figsize=(7.2, 2.7), layout="constrained")
    for axes, gamma in zip(panels, (0.02, 1.0, 60.0)):
        model = SVC(gamma=gamma, C=10.0).fit(X, y)
        a, b, f = _on_grid(axes, model, (-3, 3, -3, 3))
        axes.contourf(a, b, f, levels=[-np.inf, 0, np.inf], colors=[LOW, HIGH], alpha=0.18)
        axes.contour(a, b, f, levels=[0], colors=INK, linewidths=1.2)
        _points(axes, X, y, 9)
        axes.set_title(f"gamma = {gamma:g}", fontsize=9)
        axes.set_xlabel(f"seen {model.score(X, y):.2f}, new {model.score(X_new, y_new):.2f}", fontsize=9)
    return figure


def ascent():
    """How far the dual is from its maximum after so many pairs, for two ways to choose the second of the pair."""
    X, y = _bowl(200, 3)
    label = 2.0 * y - 1
    K = np.exp(-((X[:, None] - X) ** 2).sum(axis=2))
    low, high = np.minimum(0, 10 * label), np.maximum(0, 10 * label)
    figure, axes = plt.subplots(figsize=(6.0, 2.8), layout="constrained")
    curves = {rule: _climb(K, label, low, high, rule) for rule in ("steepest", "largest gain")}
    best = max(curve[-1] for curve in curves.values())
    for (rule, curve), colour in zip(curves.items(), (HIGH, LOW)):
        short = np.maximum(best - np.array(curve), 1e-5)
        axes.semilogy(short, color=colour, lw=1.6)
        axes.text(len(short) + 12, 1.5e-5, rule, color=colour, va="bottom", fontsize=9)
    axes.set_xlim(0, 1.25 * max(map(len, curves.values())))
    axes.set_ylim(1e-5, None)
    axes.set_xlabel("pairs moved")
    axes.set_ylabel("dual below its maximum")
    return figure


def _climb(K, y, low, high, rule):
    """The dual after each pair."""
    beta, gradient, values, diagonal = np.zeros(len(y)), y.copy(), [], K.diagonal()
    while True:
        values.append(dual_objective(K, y, beta))
        rising, falling = one_sided_slopes(gradient, beta, low, high)
        if kkt_gap(rising, falling) < 1e-3:
            return values
        i, j = choose_pair(rising, falling, K, diagonal)
        if rule == "steepest":
            j = int(falling.argmin())
        bend, old = diagonal[i] + diagonal[j] - 2 * K[i, j], beta[i]
        beta[i], beta[j] = update_pair(old, beta[j], rising[i] - falling[j], bend, high[i], low[j])
        gradient -= (beta[i] - old) * (K[i] - K[j])
