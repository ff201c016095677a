"""The figures of lesson 2.6."""

import matplotlib.pyplot as plt
import numpy as np

from groundup.classic.forest import RandomForestRegressor, permutation_importance
from groundup.course.figures import INK

GOOD, BAD, MID = "#2b7a9e", "#a8402a", "#7d8a3a"


def _data(n, rng, p=8):
    """Eight features, five of which matter, and noise."""
    X = rng.normal(size=(n, p))
    return X, 2 * X[:, 0] + X[:, 1] * X[:, 2] + np.sin(2 * X[:, 3]) + X[:, 4] + rng.normal(size=n)


def _echoes(n, rng):
    """Four hidden causes, five noisy readings of each."""
    causes = rng.normal(size=(n, 4))
    X = np.hstack([causes + 0.6 * rng.normal(size=(n, 4)) for _ in range(5)])
    a, b, c, d = causes.T
    return X, 2 * a + 1.5 * b + np.sin(2 * c) + c * d + 0.5 * rng.normal(size=n)


def how_many():
    """Error on fresh data against the number of trees, with and without the two kinds of chance."""
    rng = np.random.default_rng(0)
    (X, y), (X_new, y_new) = _echoes(250, rng), _echoes(1500, rng)
    kinds = {
        "the same tree again": (dict(bootstrap=False), BAD),
        "bagging": (dict(), MID),
        "random forest": (dict(max_features=3), GOOD),
    }
    figure, axes = plt.subplots(figsize=(6.0, 3.0))
    for name, (options, colour) in kinds.items():
        forest = RandomForestRegressor(80, random_state=1, **options).fit(X, y)
        said = np.cumsum([tree.predict(X_new) for tree in forest.estimators_], axis=0)
        error = [np.mean((said[b] / (b + 1) - y_new) ** 2) for b in range(80)]
        axes.plot(np.arange(1, 81), error, color=colour, lw=2)
        axes.text(
            81, error[-1] + {"bagging": 0.12, "random forest": -0.12}.get(name, 0), name, color=colour, va="center"
        )
    axes.set_ylim(2.0, 6.0)
    axes.set_xlim(0, 80)
    axes.set_xlabel("trees")
    axes.set_ylabel("mean squared error")
    return figure


def importances():
    """Impurity and permutation importances, with a column of random numbers among the features."""
    rng = np.random.default_rng(2)
    X, y = _data(300, rng)
    X[:, 5:] = np.round(X[:, 5:])  # three that do not matter, with few values
    X_new, y_new = _data(1000, rng)
    X_new[:, 5:] = np.round(X_new[:, 5:])
    X, X_new = (np.column_stack([Z, rng.random(len(Z))]) for Z in (X, X_new))
    forest = RandomForestRegressor(60, max_features=3, random_state=0).fit(X, y)
    drop = permutation_importance(forest, X_new, y_new, n_repeats=3, random_state=0).mean(axis=1)
    names = [f"x{j}" for j in range(8)] + ["random"]
    figure, (left, right) = plt.subplots(1, 2, figsize=(6.4, 3.0), sharey=True)
    for axes, values, title in (
        (left, forest.feature_importances_, "impurity"),
        (right, drop, "shuffled, fresh samples"),
    ):
        axes.barh(names, values, color=[BAD if name == "random" else GOOD for name in names])
        axes.set_title(title, fontsize=10, color=INK)
        axes.axvline(0.0, color=INK, lw=0.6)
    left.invert_yaxis()
    left.set_xlabel("share of what was taken")
    right.set_xlabel("fall of R²")
    return figure
