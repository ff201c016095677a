"""The figures of lesson 2.13."""

import matplotlib.pyplot as plt
import numpy as np

from groundup.classic.bayes import GaussianNB, map_weights
from groundup.course.figures import INK

GOOD, BAD, MID = "#2b7a9e", "#a8402a", "#7d8a3a"


def evidence():
    """The posterior after one, two and three positive tests, against the prior."""
    prior = np.logspace(-5, -0.3, 200)
    figure, axes = plt.subplots(figsize=(6.0, 2.9))
    for tests, colour in ((1, BAD), (2, MID), (3, GOOD)):
        ill, well = 0.99**tests * prior, 0.05**tests * (1 - prior)
        posterior = ill / (ill + well)
        axes.semilogx(prior, posterior, color=colour, lw=2)
        at = np.searchsorted(posterior, 0.62)
        axes.text(prior[at] * 0.92, 0.64, f"{tests} positive", color=colour, ha="right")
    axes.plot(1e-3, 0.00099 / (0.00099 + 0.04995), "o", color=BAD)
    axes.axvline(1e-3, color=INK, lw=0.6, ls=":")
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("share of people who are ill")
    axes.set_ylabel("P(ill | tests)")
    return figure


def island():
    """Gaussian naive Bayes on a narrow class inside a wide one."""
    rng = np.random.default_rng(0)
    narrow = rng.normal((0.5, 0.3), (0.5, 0.7), (150, 2))
    wide = rng.normal((0.0, 0.0), (2.4, 1.7), (150, 2))
    X, y = np.vstack([narrow, wide]), np.repeat([1, 0], 150)
    model = GaussianNB().fit(X, y)
    u, v = np.meshgrid(np.linspace(-6, 6, 240), np.linspace(-4.5, 4.5, 180))
    p = model.predict_proba(np.column_stack([u.ravel(), v.ravel()]))[:, 1].reshape(u.shape)
    figure, axes = plt.subplots(figsize=(5.4, 3.6))
    axes.plot(*wide.T, "o", color=BAD, ms=3, alpha=0.7)
    axes.plot(*narrow.T, "o", color=GOOD, ms=3, alpha=0.7)
    axes.contour(u, v, p, levels=[0.5], colors=INK, linewidths=1.6)
    axes.set_xlim(-6, 6)
    axes.set_ylim(-4.5, 4.5)
    axes.text(-5.8, 4.0, "wide", color=BAD)
    axes.text(1.9, 1.3, "narrow", color=GOOD)
    axes.set_xlabel("first measurement")
    axes.set_ylabel("second")
    return figure


def between():
    """Prior, likelihood and posterior mode over two weights."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=12)
    X = np.column_stack([x, 0.7 * x + 0.5 * rng.normal(size=12)])
    y = X @ np.array([2.2, 0.4]) + rng.normal(size=12)
    Xc, yc = X - X.mean(axis=0), y - y.mean()
    least = np.linalg.lstsq(Xc, yc, rcond=None)[0]
    mode, _ = map_weights(X, y, noise=1.0, spread=0.6)
    u, v = np.meshgrid(np.linspace(-1.6, 4.0, 200), np.linspace(-2.6, 2.4, 200))
    W = np.stack([u, v])
    fit = ((yc[:, None, None] - np.tensordot(Xc, W, axes=1)) ** 2).sum(axis=0)
    figure, axes = plt.subplots(figsize=(5.0, 4.2))
    axes.contour(u, v, fit - fit.min(), levels=[0.7, 2.5, 6, 12], colors=BAD, linewidths=0.9)
    axes.contour(u, v, (u**2 + v**2) / 0.36, levels=[0.7, 2.5, 6, 12], colors=GOOD, linewidths=0.9)
    axes.plot(0, 0, "o", color=GOOD)
    axes.plot(*least, "o", color=BAD)
    axes.plot(*mode, "o", color=INK)
    axes.annotate("prior", (0, 0), (-6, -14), textcoords="offset points", color=GOOD, ha="right")
    axes.annotate("likelihood", least, (-44, -42), textcoords="offset points", color=BAD, ha="right")
    axes.annotate("MAP", mode, (26, 34), textcoords="offset points", color=INK)
    axes.set_aspect("equal")
    axes.set_xlabel("first weight")
    axes.set_ylabel("second weight")
    return figure
