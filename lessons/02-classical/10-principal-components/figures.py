"""The figures of lesson 2.10."""

import matplotlib.pyplot as plt
import numpy as np

from groundup.classic.decomposition import PCA, fisher_direction
from groundup.course.figures import INK
from groundup.data.catalogue import Place, find, status
from groundup.data.loading import olivetti

GOOD, BAD = "#2b7a9e", "#a8402a"


def eigenfaces():
    """The mean, the first eleven components and one face rebuilt from more and more of them."""
    images, name = _faces()
    X = images.reshape(len(images), -1)
    model = PCA().fit(X)
    counts = [k for k in (5, 20, 66, 150, 300) if k < model.n_components_]
    figure, axes = plt.subplots(3, 6, figsize=(7.2, 4.2))
    shown = [model.mean_, *model.components_[:11]]
    titles = ["mean", *[f"{i}" for i in range(1, 12)]]
    Z = model.transform(X[:1])
    shown += [X[0], *[model.mean_ + Z[0, :k] @ model.components_[:k] for k in counts]]
    titles += ["a face", *[f"from {k}" for k in counts]]
    for axis, image, title in zip(axes.ravel(), shown, titles):
        axis.imshow(image.reshape(images.shape[1:]), cmap="gray")
        axis.set_title(title, fontsize=8, pad=2)
    for axis in axes.ravel():
        axis.axis("off")
    figure.suptitle(name, fontsize=9, color=INK)
    figure.tight_layout(pad=0.3)
    return figure


def explained():
    """The share of the variance against the number of components, and where 90 % is reached."""
    images, name = _faces()
    share = np.cumsum(PCA().fit(images.reshape(len(images), -1)).explained_variance_ratio_)
    enough = int(np.searchsorted(share, 0.9, side="right") + 1)
    figure, axes = plt.subplots(figsize=(6.0, 2.8))
    axes.plot(np.arange(1, len(share) + 1), share, color=GOOD, lw=2)
    axes.plot([enough, enough, 0], [0, 0.9, 0.9], color=INK, lw=0.8, ls=":")
    axes.text(
        enough + 0.015 * len(share),
        0.45,
        f"{enough} of {images[0].size:,} numbers\nhold 90 % of the variance",
        color=INK,
    )
    axes.set_ylim(0, 1.02)
    axes.set_xlim(0, len(share))
    axes.set_xlabel(f"components ({name})")
    axes.set_ylabel("variance explained")
    return figure


def two_directions():
    """Two long thin classes: where they vary most, and where they differ most."""
    rng = np.random.default_rng(0)
    C = np.array([[9.0, 8.6], [8.6, 9.0]])
    a, b = rng.multivariate_normal([0, 0], C, 200), rng.multivariate_normal([1.2, -1.2], C, 200)
    X, y = np.vstack([a, b]), np.repeat([0, 1], 200)
    v = PCA(1).fit(X).components_[0]
    w, threshold = fisher_direction(X, y)
    unit, middle = w / np.linalg.norm(w), X.mean(axis=0)
    figure, axes = plt.subplots(figsize=(4.8, 4.4))
    axes.plot(*a.T, "o", color=BAD, ms=3, alpha=0.6)
    axes.plot(*b.T, "o", color=GOOD, ms=3, alpha=0.6)
    for direction, length, text, at in ((v, 7.5, "most variance", (2.6, 7.4)), (unit, 4.0, "Fisher", (4.4, -4.2))):
        axes.annotate("", middle + length * direction, middle, arrowprops={"arrowstyle": "->", "color": INK, "lw": 1.8})
        axes.text(*at, text, color=INK, ha="right" if text != "Fisher" else "left")
    along = np.array([-unit[1], unit[0]])
    ends = unit * threshold / np.linalg.norm(w) + np.outer([-10, 10], along)
    axes.plot(*ends.T, color=INK, lw=0.8, ls="--")
    axes.set_aspect("equal")
    axes.set_xlim(-9, 9)
    axes.set_ylim(-9, 9)
    axes.set_xlabel("first feature")
    axes.set_ylabel("second feature")
    return figure


def _faces():
    """Olivetti's 400 faces where they are at hand, else scikit-learn's digits; nothing is downloaded."""
    (_, place), *_ = status([find("olivetti")])
    if place in (Place.MIRROR, Place.CACHE):
        return olivetti()[0], "Olivetti faces"
    from sklearn.datasets import load_digits

    return load_digits().images, "digits, until `groundup data get olivetti`"
