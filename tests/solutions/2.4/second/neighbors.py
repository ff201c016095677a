"""Neighbours by differences in full, a query at a time, and votes counted in dictionaries."""

import numpy as np

from .kdtree import KDTree


def squared_distances(A, B):
    return np.array([[float(((a - b) ** 2).sum()) for b in B] for a in A])


def nearest(X, queries, k):
    if not 1 <= k <= len(X):
        raise ValueError(f"n_neighbors == {k}: there are {len(X)} samples")
    D = squared_distances(queries, X)
    indices = np.argsort(D, axis=1, kind="stable")[:, :k]
    return np.sqrt(np.take_along_axis(D, indices, axis=1)), indices


def neighbor_weights(distances, weights):
    if callable(weights):
        return weights(distances)
    if weights == "uniform":
        return np.ones(distances.shape)
    out = np.empty(distances.shape)
    for row, d in zip(out, distances):
        row[:] = (d == 0) if (d == 0).any() else 1 / np.where(d == 0, 1, d)
    return out


def vote(codes, weights, c):
    table = np.zeros((len(codes), c))
    for row, labels, w in zip(table, codes, weights):
        for label, share in zip(labels, w):
            row[label] += share
        row[:] = row / row.sum() if row.sum() > 0 else 1 / c
    return table


def relative_contrast(X, queries):
    D = squared_distances(queries, X) ** 0.5
    return D.max(axis=1) / D.min(axis=1) - 1


class _Neighbors:
    def __init__(self, n_neighbors=5, weights="uniform", algorithm="auto", leaf_size=100):
        self.n_neighbors, self.weights, self.algorithm, self.leaf_size = n_neighbors, weights, algorithm, leaf_size

    def fit(self, X, y):
        if self.n_neighbors < 1 or self.weights not in ("uniform", "distance"):
            raise ValueError("n_neighbors is at least 1, weights are uniform or distance")
        if self.algorithm not in ("auto", "brute", "kd_tree"):
            raise ValueError("algorithm")
        self._X = np.asarray(X, dtype=float)
        self._learn(np.asarray(y))
        return self

    def kneighbors(self, X=None, n_neighbors=None, return_distance=True):
        k = self.n_neighbors if n_neighbors is None else n_neighbors
        if X is None:
            pairs = []
            for i in range(len(self._X)):
                others = np.delete(np.arange(len(self._X)), i)
                d, j = nearest(self._X[others], self._X[i : i + 1], k)
                pairs.append((d[0], others[j[0]]))
            distances, indices = (np.array(part) for part in zip(*pairs))
        elif self.algorithm == "kd_tree":
            distances, indices = KDTree(self._X, self.leaf_size).query(X, k)
        else:
            distances, indices = nearest(self._X, np.asarray(X, dtype=float), k)
        return (distances, indices) if return_distance else indices


class KNeighborsClassifier(_Neighbors):
    def _learn(self, y):
        self.classes_ = np.array(sorted(set(y.tolist())))
        self._codes = np.array([self.classes_.tolist().index(label) for label in y.tolist()])

    def predict_proba(self, X):
        distances, indices = self.kneighbors(X)
        return vote(self._codes[indices], neighbor_weights(distances, self.weights), len(self.classes_))

    def predict(self, X):
        return np.array([self.classes_[np.argmax(row)] for row in self.predict_proba(X)])


class KNeighborsRegressor(_Neighbors):
    def _learn(self, y):
        self._y = y

    def predict(self, X):
        distances, indices = self.kneighbors(X)
        weights = neighbor_weights(distances, self.weights)
        return np.array([np.average(self._y[i], weights=w) for i, w in zip(indices, weights)])
