"""The figures of lesson 2.9."""

import matplotlib.pyplot as plt
import numpy as np

from groundup.classic.cluster import KMeans, assign, inertia, update_centers
from groundup.classic.mixture import GaussianMixture
from groundup.course.figures import INK

COLOURS = ["#2b7a9e", "#a8402a", "#7a8b2f"]


def lloyd_steps():
    """Lloyd from two beginnings on the same clouds, and the inertia after each half-step of both."""
    rng = np.random.default_rng(3)
    X = np.repeat([[0.0, 0.0], [5.0, 1.0], [2.0, 5.0]], 40, axis=0) + rng.standard_normal((120, 2))
    beginnings = {
        "begun in one cloud": np.array([[-1.0, -1.5], [0.0, -2.0], [1.2, -1.2]]),
        "begun in three": np.array([[-1.2, -1.6], [6.4, 2.4], [2.6, 6.8]]),
    }
    figure, (left, right, curve) = plt.subplots(
        1, 3, figsize=(8.6, 2.8), width_ratios=(1, 1, 1.15), layout="constrained"
    )
    for panel, (name, centers), style in zip((left, right), beginnings.items(), ("-", "--")):
        way, losses = [centers], []
        for _ in range(6):
            labels = assign(X, centers)
            losses.append(inertia(X, centers, labels))
            centers = update_centers(X, labels, centers)
            losses.append(inertia(X, centers, labels))
            way.append(centers)
        way = np.array(way)  # (7, 3, 2)
        for j, colour in enumerate(COLOURS):
            panel.plot(*X[labels == j].T, ".", color=colour, ms=4, alpha=0.55)
            panel.plot(*way[:, j].T, "-", color=INK, lw=1.2, marker="o", ms=3)
            panel.plot(*way[-1, j], "o", color=colour, ms=8, mec=INK)
        _bare(panel, name)
        steps = np.arange(len(losses)) / 2
        curve.plot(steps, losses, style, color=INK, lw=0.9, label=name)
        curve.plot(steps[::2], losses[::2], "o", color=COLOURS[0], ms=4)
        curve.plot(steps[1::2], losses[1::2], "s", color=COLOURS[1], ms=4)
    curve.plot([], [], "o", color=COLOURS[0], ms=4, label="after assign")
    curve.plot([], [], "s", color=COLOURS[1], ms=4, label="after update")
    curve.set_xlabel("iteration")
    curve.set_ylabel("inertia")
    curve.legend(fontsize=9)
    return figure


def ellipses():
    """k-means and three moments of EM on two long clouds."""
    rng = np.random.default_rng(0)
    stretch = np.array([[3.0, 1.2], [0.0, 0.45]])
    X = np.concatenate([rng.standard_normal((150, 2)) @ stretch, rng.standard_normal((150, 2)) @ stretch + [0.0, 3.0]])
    figure, panels = plt.subplots(1, 4, figsize=(8.6, 2.6), sharex=True, sharey=True, layout="constrained")
    labels = KMeans(2, random_state=0).fit(X).labels_
    for panel, steps in zip(panels, (None, 1, 28, 40)):
        if steps:
            model = GaussianMixture(2, max_iter=steps, tol=0.0, random_state=0)
            labels = _quietly(model, X).predict(X)
            for mean, covariance, colour in zip(model.means_, model.covariances_, COLOURS):
                for radius in (1.0, 2.0):
                    panel.plot(*_ellipse(mean, covariance, radius), color=colour, lw=1.4)
        for j, colour in enumerate(COLOURS[:2]):
            panel.plot(*X[labels == j].T, ".", color=colour, ms=3, alpha=0.5)
        _bare(panel, "k-means" if steps is None else f"EM, {steps} iteration{'s' * (steps > 1)}")
    return figure


def how_many():
    """Inertia and BIC against k on three clouds."""
    rng = np.random.default_rng(1)
    X = np.repeat([[0.0, 0.0], [6.0, 1.0], [2.0, 5.0]], 60, axis=0) + rng.standard_normal((180, 2))
    ks = np.arange(1, 9)
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 2.8), layout="constrained")
    left.plot(ks, [KMeans(k, n_init=5, random_state=0).fit(X).inertia_ for k in ks], "o-", color=INK, ms=4, lw=1)
    left.set_ylabel("inertia")
    left.set_ylim(0)
    for kind, colour in zip(("spherical", "full"), COLOURS):
        models = [GaussianMixture(k, covariance_type=kind, n_init=5, random_state=0) for k in ks]
        right.plot(ks, [_quietly(m, X).bic(X) for m in models], "o-", color=colour, ms=4, lw=1, label=kind)
    right.set_ylabel("BIC")
    right.legend()
    for panel in (left, right):
        panel.axvline(3, color=INK, lw=0.6, ls=":")
        panel.set_xlabel("k")
    return figure


def _bare(panel, title):
    """A plane without numbers."""
    panel.set_title(title, color=INK, fontsize=10)
    panel.set_aspect("equal")
    panel.set_axis_off()


def _quietly(model, X):
    """Fitted, without a word about iterations that were cut short on purpose."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(X)


def _ellipse(mean, covariance, radius):
    """The points at so many standard deviations from the mean, (2, 100)."""
    angle = np.linspace(0, 2 * np.pi, 100)
    return mean[:, None] + radius * np.linalg.cholesky(covariance) @ np.stack([np.cos(angle), np.sin(angle)])
