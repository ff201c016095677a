"""The figures of lesson 2.4."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Circle, Rectangle

from groundup.classic.kdtree import KDTree, squared_distance_to_box
from groundup.classic.neighbors import relative_contrast
from groundup.course.figures import INK

GOOD, BAD = "#2b7a9e", "#a8402a"


def _leaves(node):
    """The leaves below a node: box and rows."""
    box, rows, children = node
    return [(box, rows)] if children is None else [leaf for child in children for leaf in _leaves(child)]


def boxes():
    """The leaves of a tree in the plane, and those that a search opens."""
    rng = np.random.default_rng(4)
    X = np.vstack([rng.normal((0, 0), (1.0, 0.5), (250, 2)), rng.normal((2.5, 1.2), (0.5, 0.9), (150, 2))])
    query, k = np.array([[1.45, 0.35]]), 3
    tree = KDTree(X, leaf_size=14)
    distances, indices = tree.query(query, k)
    figure, axes = plt.subplots(figsize=(6.0, 3.8))
    for box, _ in _leaves(tree.root):
        opened = squared_distance_to_box(query, box)[0] <= distances[0, -1] ** 2
        width, height = box.high - box.low
        face = {"facecolor": GOOD, "alpha": 0.3} if opened else {"facecolor": "none"}
        axes.add_patch(Rectangle(box.low, width, height, lw=0, **face))
        axes.add_patch(Rectangle(box.low, width, height, lw=0.7, edgecolor=INK, facecolor="none"))
    axes.plot(*X.T, ".", color=INK, ms=2.5, alpha=0.7)
    axes.plot(*X[indices[0]].T, "o", color=GOOD, ms=5)
    axes.plot(*query[0], "x", color=BAD, ms=8, mew=2)
    axes.add_patch(Circle(query[0], distances[0, -1], fill=False, edgecolor=BAD, lw=1.2))
    axes.set_aspect("equal")
    axes.set_xlabel("first feature")
    axes.set_ylabel("second feature")
    return figure


def curse():
    """Contrast, and the share of samples in boxes that must be opened, against the number of dimensions."""
    rng = np.random.default_rng(0)
    dimensions = [1, 2, 3, 5, 8, 12, 20, 50, 100, 300, 1000]
    contrast, opened = [], []
    for p in dimensions:
        X, queries = rng.random((1000, p)), rng.random((40, p))
        contrast.append(np.median(relative_contrast(X, queries)))
        tree = KDTree(X, leaf_size=16)
        reach = tree.query(queries, 1)[0][:, 0] ** 2
        inside = sum(
            len(rows) * np.mean(squared_distance_to_box(queries, box) <= reach) for box, rows in _leaves(tree.root)
        )
        opened.append(inside / len(X))
    figure, (top, bottom) = plt.subplots(2, 1, figsize=(6.0, 4.2), sharex=True)
    top.loglog(dimensions, contrast, "o-", color=BAD, ms=4)
    top.axhline(1.0, color=INK, lw=0.6, ls=":")
    top.text(1.05, 1.25, "twice as far", color=INK, va="bottom")
    top.set_ylabel("(max - min) / min")
    bottom.semilogx(dimensions, opened, "o-", color=GOOD, ms=4)
    bottom.set_ylim(0, 1.05)
    bottom.set_ylabel("share looked at")
    bottom.set_xlabel("dimensions")
    return figure
