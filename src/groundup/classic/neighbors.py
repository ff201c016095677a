"""Nearest neighbours: predict what the most similar samples were.

All distances between two sets of points are one matrix product, ||a - b||^2 = ||a||^2 - 2 a.b + ||b||^2, and matrix products are
what computers do best. In few dimensions a tree (`kdtree`) looks at less; in many, nothing does, and worse: there all points are
about equally far away. Cover and Hart, Nearest neighbor pattern classification (1967). Beyer, Goldstein, Ramakrishnan and Shaft,
When is "nearest neighbor" meaningful? (1999).
"""

import numpy as np

from .estimator import Classifier, Estimator, Regressor
from .kdtree import KDTree, nearest_candidates
from .validation import check_choice, check_labelled, check_new, check_number, check_Xy

PAIRS = 2**19  # distances computed at a time: 4 MB, which fit into a cache


def squared_distances(A, B):
    """The squared Euclidean distance of each row of A from each row of B, by one matrix product: A (m, p), B (n, p) -> (m, n).

    Never below 0. Rounding is relative to the squares of the rows, so the distance of two points that are near each other and
    far from the origin loses digits; `nearest` centres first and measures what it returns again.
    """
    D = A @ B.T
    D *= -2.0
    D += np.einsum("ij,ij->i", A, A)[:, None]
    D += np.einsum("ij,ij->i", B, B)
    return np.maximum(D, 0.0, out=D)


def nearest(X, queries, k):
    """The k nearest of X to each query, nearest first: X (n, p), queries (m, p) -> distances (m, k), indices (m, k).

    Distances are Euclidean, right to rounding error wherever the points lie. Of samples that are equally far the one with the
    smaller index comes first. Raises ValueError unless 1 <= k <= n.
    """
    check_number("n_neighbors", k, 1, len(X), integer=True)
    middle = X.mean(axis=0)  # distances do not change, and rounding is relative to what is left
    centred, size = X - middle, max(1, PAIRS // len(X))
    parts = []
    for start in range(0, len(queries), size):
        few = queries[start : start + size]
        row, column = _candidates(centred, few - middle, k)
        parts.append(nearest_candidates(row, column, _measure(X, few, row, column), len(few), k))
    return np.concatenate([d for d, _ in parts]), np.concatenate([i for _, i in parts])


def neighbor_weights(distances, weights):
    """How much each neighbour counts: distances (m, k) -> (m, k).

    weights: "uniform" for 1 each; "distance" for 1 / distance, and where some distance is 0 those neighbours 1 and the others
    0; or a function of the distances.
    """
    if callable(weights):
        return weights(distances)
    if weights == "uniform":
        return np.ones_like(distances)
    exact = distances == 0.0
    inverse = 1.0 / np.where(exact, 1.0, distances)
    return np.where(exact.any(axis=1, keepdims=True), exact, inverse)


def vote(codes, weights, c):
    """The share of each class in the neighbours' votes: codes (m, k) of classes 0..c-1, weights (m, k) -> (m, c).

    Rows sum to 1; where all weights of a row are 0, every class has 1 / c.
    """
    m = len(codes)
    cell = (np.arange(m)[:, None] * c + codes).ravel()  # each vote's place in the table
    votes = np.bincount(cell, weights.ravel(), minlength=m * c).reshape(m, c)
    total = votes.sum(axis=1, keepdims=True)
    return np.where(total > 0, votes, 1.0) / np.where(total > 0, total, c)


def relative_contrast(X, queries):
    """By how much the farthest sample is farther than the nearest, in shares of the nearest: (max - min) / min.

    X (n, p), queries (m, p), none of them in X -> (m,). As p grows it falls towards 0 for points whose coordinates are
    independent, and then "nearest" means little. Beyer et al. (1999), theorem 1.
    """
    D = np.sqrt(squared_distances(queries, X))  # (m, n)
    return (D.max(axis=1) - D.min(axis=1)) / D.min(axis=1)


class Neighbors(Estimator):
    """What classifier and regressor share: remembering the samples, and finding the nearest."""

    def kneighbors(self, X=None, n_neighbors=None, return_distance=True):
        """The nearest training samples: X (m, p) -> distances (m, k) and indices (m, k), or the indices alone.

        X None: of each training sample, itself not counted. n_neighbors: k, None for the parameter. Order and ties as `nearest`.
        Raises NotFittedError; ValueError as `nearest`, and for other columns than fit has seen.
        """
        queries = check_new(self, self._X if X is None else X)
        k = self.n_neighbors if n_neighbors is None else n_neighbors
        itself = X is None
        check_number("n_neighbors", k, 1, len(self._X) - itself, integer=True)
        search = self._tree.query if self._tree is not None else lambda q, k: nearest(self._X, q, k)
        distances, indices = search(queries, k + itself)
        if itself:
            mine = indices == np.arange(len(queries))[:, None]
            mine[~mine.any(axis=1), -1] = True  # copies of the sample, with smaller indices, have pushed it out
            distances, indices = (a[~mine].reshape(len(queries), k) for a in (distances, indices))
        return (distances, indices) if return_distance else indices

    def _remember(self, X):
        check_number("n_neighbors", self.n_neighbors, 1, integer=True)
        check_choice("algorithm", self.algorithm, ("auto", "brute", "kd_tree"))
        if not callable(self.weights):
            check_choice("weights", self.weights, ("uniform", "distance"))
        few_dimensions = (
            X.shape[1] <= 6 and len(X) >= 2000
        )  # beyond, the product wins (measured at 2,000 to 20,000 samples)
        tree = self.algorithm == "kd_tree" or (self.algorithm == "auto" and few_dimensions)
        self._X, self._tree = X, KDTree(X, self.leaf_size) if tree else None
        self.n_samples_fit_ = len(X)


class KNeighborsClassifier(Classifier, Neighbors):
    """The class that most of the nearest samples have.

    Parameters: n_neighbors, how many (k); weights, as `neighbor_weights`; algorithm, "brute" for `nearest`, "kd_tree" for a
    KDTree, "auto" for whichever is likely to be faster: both find the same; leaf_size, of that tree.
    Learns: classes_ (c,), n_samples_fit_ (int).
    """

    def __init__(self, n_neighbors=5, weights="uniform", algorithm="auto", leaf_size=100):
        """Stores the parameters, and nothing else."""
        self.n_neighbors = n_neighbors
        self.weights = weights
        self.algorithm = algorithm
        self.leaf_size = leaf_size

    def fit(self, X, y):
        """X (n, p), y (n,) of classes -> self. Raises ValueError for NaN, lengths that differ, parameters that cannot be."""
        X, self.classes_, self._codes = check_labelled(self, X, y)
        self._remember(X)
        return self

    def predict_proba(self, X):
        """Each class's share of the votes: X (m, p) -> (m, c), columns as in classes_"""
        distances, indices = self.kneighbors(X)
        return vote(self._codes[indices], neighbor_weights(distances, self.weights), len(self.classes_))

    def predict(self, X):
        """The class with the largest share, the first in classes_ of several: X (m, p) -> (m,)"""
        shares = self.predict_proba(X)
        return self.classes_[shares.argmax(axis=1)]


class KNeighborsRegressor(Regressor, Neighbors):
    """The mean of what the nearest samples had, weighted by `neighbor_weights`.

    Parameters: as KNeighborsClassifier. Learns: n_samples_fit_ (int).
    """

    def __init__(self, n_neighbors=5, weights="uniform", algorithm="auto", leaf_size=100):
        """Stores the parameters, and nothing else."""
        self.n_neighbors = n_neighbors
        self.weights = weights
        self.algorithm = algorithm
        self.leaf_size = leaf_size

    def fit(self, X, y):
        """X (n, p), y (n,) -> self. Raises ValueError for NaN, lengths that differ, parameters that cannot be."""
        X, self._y = check_Xy(self, X, y)
        self._remember(X)
        return self

    def predict(self, X):
        """X (m, p) -> (m,)"""
        distances, indices = self.kneighbors(X)
        weights = neighbor_weights(distances, self.weights)
        return np.einsum("mk,mk->m", weights, self._y[indices]) / weights.sum(axis=1)


def _candidates(X, queries, k):
    """All that may be among the k nearest, as query and sample (c,): at least k for each query.

    Sorting out k of n is most of the time. Here each row is cut into blocks and the least of each block taken, which is one fast
    pass; k blocks hold something as near as the k-th least of those, so nothing farther can be among the k nearest. What is
    left is a few candidates a query, which are measured again and sorted: half the time of argpartition.
    """
    n = len(X)
    D = squared_distances(queries, X)  # (m, n)
    blocks = min(n, max(4 * k, 64))
    starts = np.linspace(0, n, blocks, endpoint=False).astype(np.int64)
    least = np.minimum.reduceat(D, starts, axis=1)  # (m, blocks)
    bound = np.partition(least, k - 1, axis=1)[:, k - 1]
    scale = np.einsum("ij,ij->i", queries, queries) + np.einsum("ij,ij->i", X, X).max()
    slack = 4.0 * np.finfo(np.float64).eps * (X.shape[1] + 4) * scale  # how wrong the product may be
    return np.divmod(np.flatnonzero((bound + slack)[:, None] >= D), n)


def _measure(X, queries, row, column):
    """Distances of pairs by differences, in which nothing cancels: (c,)."""
    squared = np.empty(len(row))
    for start in range(0, len(row), PAIRS // 8):
        part = slice(start, start + PAIRS // 8)
        apart = queries[row[part]] - X[column[part]]
        squared[part] = np.einsum("ij,ij->i", apart, apart)
    return np.sqrt(squared)
