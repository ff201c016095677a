"""The figures of lesson 2.5."""

import matplotlib.pyplot as plt
import numpy as np

from groundup.classic.pruning import cost_complexity_path, prune
from groundup.classic.tree import DecisionTreeClassifier
from groundup.course.figures import INK

GOOD, BAD = "#2b7a9e", "#a8402a"


def _noisy_disc():
    """The page's data: 400 samples and 10,000 new ones."""
    rng = np.random.default_rng(0)

    def draw(n):
        X = rng.uniform(-1, 1, (n, 2))
        return X, (np.sum(X**2, axis=1) < 0.6) ^ (rng.random(n) < 0.15)

    return *draw(400), *draw(10_000)


def boundaries():
    """Where trees of growing depth say yes, and the samples they were grown on."""
    X, y, _, _ = _noisy_disc()
    grid = np.linspace(-1, 1, 301)
    points = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2)
    angle = np.linspace(0, 2 * np.pi, 200)
    figure, axes = plt.subplots(1, 3, figsize=(7.6, 2.9), sharex=True, sharey=True)
    for axis, depth in zip(axes, (2, 4, None)):
        model = DecisionTreeClassifier(max_depth=depth).fit(X, y)
        inside = model.predict(points).reshape(301, 301)
        axis.contourf(grid, grid, inside, levels=[0.5, 1.5], colors=[GOOD], alpha=0.25)
        axis.plot(*X[y].T, ".", color=GOOD, ms=3)
        axis.plot(*X[~y].T, ".", color=BAD, ms=3)
        axis.plot(np.sqrt(0.6) * np.cos(angle), np.sqrt(0.6) * np.sin(angle), color=INK, lw=0.8, ls=":")
        axis.set_title(f"{'depth ' + str(depth) if depth else 'to the end'}: {model.get_n_leaves()} leaves", fontsize=9)
        axis.set(xlim=(-1, 1), ylim=(-1, 1), xticks=[-1, 0, 1], yticks=[-1, 0, 1], aspect="equal")
    return figure


def errors_by_depth():
    """Mistakes on the training samples and on new ones, against depth."""
    X, y, X_new, y_new = _noisy_disc()
    depths = np.arange(1, 19)
    models = [DecisionTreeClassifier(max_depth=int(depth)).fit(X, y) for depth in depths]
    figure, axes = plt.subplots(figsize=(6.0, 2.8))
    for color, name, data in ((GOOD, "new samples", (X_new, y_new)), (BAD, "training samples", (X, y))):
        wrong = [100 * (1 - model.score(*data)) for model in models]
        axes.plot(depths, wrong, "o-", color=color, ms=3.5, lw=1.5)
        axes.text(18.4, max(wrong[-1], 1.5), name, color=color, va="center")
    axes.plot([0.5, 18.2], [15, 15], color=INK, lw=0.8, ls=":")
    axes.text(18.4, 15, "labels turned over", color=INK, va="center")
    axes.set(xlim=(0.5, 24.5), ylim=(-1, 45), xticks=[1, 4, 8, 12, 16], xlabel="depth", ylabel="mistakes, %")
    return figure


def price_of_a_leaf():
    """Mistakes, and leaves that are left, along the pruning path."""
    X, y, X_new, y_new = _noisy_disc()
    tree = DecisionTreeClassifier().fit(X, y).tree_
    prices = np.unique(cost_complexity_path(tree).ccp_alphas)
    trees = [prune(tree, price) for price in prices]
    leaves = [each.n_leaves for each in trees]
    figure, axes = plt.subplots(figsize=(6.0, 2.8))
    for color, name, (inputs, labels), at in (
        (GOOD, "new samples", (X_new, y_new), (52, 30.5)),
        (BAD, "training samples", (X, y), (52, 3.0)),
    ):
        wrong = [100 * np.mean(each.value.argmax(axis=1)[each.apply(inputs)] != labels) for each in trees]
        axes.plot(leaves, wrong, "o-", color=color, ms=3.5, lw=1.5)
        axes.text(*at, name, color=color)
    axes.set(xscale="log", xlim=(130, 0.9), ylim=(-1, 52), xlabel="leaves that are left", ylabel="mistakes, %")
    axes.set_xticks([100, 50, 20, 10, 5, 2, 1], ["100", "50", "20", "10", "5", "2", "1"])
    axes.minorticks_off()
    above = axes.secondary_xaxis("top")
    shown = [i for i, price in enumerate(prices) if i and leaves[i] in (61, 30, 14, 5, 1)]
    above.set_xticks([leaves[i] for i in shown], [f"{prices[i]:.4f}" for i in shown], fontsize=8)
    above.minorticks_off()
    above.set_xlabel("price of a leaf", fontsize=9)
    return figure
