"""The figures of lesson 1.5."""

import matplotlib.pyplot as plt
import numpy as np

from groundup.classic.descent import descend, descend_in_batches, largest_stable_rate
from groundup.course.figures import INK

PATH, CALM, DECAY = "#a8402a", "#2b7a9e", "#8a6410"
AREA = np.array([[30.0], [50.0], [70.0], [90.0]])
RENT = np.array([480.0, 740.0, 930.0, 1210.0])


def valleys():
    """The loss of the four flats over (w, b), with the path of a descent: raw areas, and standardised ones."""
    figure, (raw, scaled) = plt.subplots(1, 2, figsize=(7.0, 3.0), layout="constrained")
    _surface(raw, AREA, (-1, 28), (-20, 160))
    _path(raw, AREA, 0.9 * largest_stable_rate(AREA), 60)
    raw.set_xlabel("w, per m²")
    raw.set_ylabel("b")
    raw.set_title("raw: 60 steps", fontsize=10)
    Z = (AREA - AREA.mean()) / AREA.std()
    _surface(scaled, Z, (-340, 880), (-100, 1120))
    _path(scaled, Z, 0.15, 12)
    scaled.set_aspect("equal")
    scaled.set_xlabel("w, per standard deviation")
    scaled.set_title("standardised: 12 steps", fontsize=10)
    return figure


def _surface(axes, X, across, up):
    w, b = np.meshgrid(np.linspace(*across, 120), np.linspace(*up, 120))
    loss = np.mean((w[..., None] * X[:, 0] + b[..., None] - RENT) ** 2, axis=-1)
    axes.contour(w, b, loss, levels=np.array([1, 4, 16, 36, 64, 100]) * 1e4, colors=INK, linewidths=0.6, alpha=0.5)
    best = np.linalg.lstsq(np.column_stack([X, np.ones(len(X))]), RENT, rcond=None)[0]
    axes.plot(*best, "*", color=CALM, ms=11)


def _path(axes, X, rate, steps):
    ends = [descend(X, RENT, rate, k) for k in range(steps + 1)]
    axes.plot([end.w[0] for end in ends], [end.b for end in ends], "o-", color=PATH, ms=2.5, lw=0.9)


def batches_and_noise():
    """What is left of the loss above its least value, against epochs: full batch, batches of ten, and with decay."""
    rng = np.random.default_rng(5)
    X = rng.standard_normal((200, 4)) * np.array([1.0, 0.7, 0.5, 0.4])
    y = X @ np.array([1.0, -2.0, 3.0, 2.0]) + 1.0 + rng.standard_normal(200)
    A = np.column_stack([X, np.ones(200)])
    least = np.mean((A @ np.linalg.lstsq(A, y, rcond=None)[0] - y) ** 2)
    rate, epochs = 0.1, 60
    runs = {
        "all 200 at each step": (descend(X, y, rate, epochs), INK),
        "batches of 10": (descend_in_batches(X, y, rate, epochs, 10, np.random.default_rng(0)), PATH),
        "batches of 10, decaying rate": (
            descend_in_batches(X, y, rate, epochs, 10, np.random.default_rng(0), decay=0.3),
            DECAY,
        ),
    }
    figure, axes = plt.subplots(figsize=(6.2, 3.0))
    for label, (run, colour) in runs.items():
        axes.semilogy(run.losses - least, color=colour, lw=1.3, label=label)
    axes.set_xlabel("epochs: passes over the data")
    axes.set_ylabel("loss above the least")
    axes.legend(fontsize=9)
    return figure
