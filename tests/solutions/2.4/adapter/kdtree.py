"""scikit-learn's tree, with ties put in order."""

from collections import namedtuple

import numpy as np
from sklearn.neighbors import KDTree as Theirs

Box = namedtuple("Box", "low high")


def bounding_box(X):
    return Box(X.min(axis=0), X.max(axis=0))


def squared_distance_to_box(queries, box):
    return ((queries - np.clip(queries, box.low, box.high)) ** 2).sum(axis=1)


def halve(X, rows):
    order = rows[np.argsort(X[rows, np.ptp(X[rows], axis=0).argmax()], kind="stable")]
    return order[: len(rows) // 2], order[len(rows) // 2 :]


def nearest_candidates(query, index, distance, m, k):
    order = np.lexsort((index, distance, query))
    rows = [order[query[order] == j][:k] for j in range(m)]
    return distance[np.array(rows)], index[np.array(rows)]


class KDTree:
    def __init__(self, X, leaf_size=100):
        self.n, self.tree = len(X), Theirs(X, leaf_size=leaf_size)

    def query(self, queries, k=1):
        if not 1 <= k <= self.n:
            raise ValueError("k")
        distances, indices = self.tree.query(queries, self.n)
        order = np.lexsort((indices, distances), axis=1)[:, :k]
        return np.take_along_axis(distances, order, axis=1), np.take_along_axis(indices, order, axis=1)
