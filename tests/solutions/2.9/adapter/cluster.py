"""scikit-learn behind our signatures. Its RandomState, put upon the generator's bits, draws the numbers that ours draws."""

import os

import numpy as np

os.environ["OMP_NUM_THREADS"] = "1"  # else scikit-learn asks the system for its processors, which the sandbox refuses

from scipy.spatial.distance import cdist
from sklearn import cluster
from sklearn.metrics import pairwise_distances_argmin


def _legacy(random_state):
    return np.random.RandomState(np.random.default_rng(random_state).bit_generator)


def squared_distances(X, centers):
    return cdist(X, centers, "sqeuclidean")


def assign(X, centers):
    return pairwise_distances_argmin(X, centers)


def inertia(X, centers, labels, sample_weight=None):
    weights = np.ones(len(X)) if sample_weight is None else sample_weight
    return float(np.sum((X - centers[labels]) ** 2, axis=1) @ weights)


def update_centers(X, labels, centers, sample_weight=None):
    from sklearn.cluster._k_means_common import _relocate_empty_clusters_dense

    weights = np.ones(len(X)) if sample_weight is None else sample_weight
    labels = labels.astype(np.int32)
    sums = np.array([weights[labels == j] @ X[labels == j] for j in range(len(centers))])
    total = np.bincount(labels, weights, len(centers))
    empty = np.flatnonzero(total == 0)
    if len(empty) <= 1 < len(X):  # of several it does not say which gets what
        _relocate_empty_clusters_dense(X, weights, centers, sums, total, labels)
    else:
        away = np.sum((X - centers[labels]) ** 2, axis=1)
        for j, i in zip(empty, np.argsort(-away, kind="stable") if away.any() else ()):
            sums[labels[i]] -= X[i] * weights[i]
            total[labels[i]] -= weights[i]
            sums[j], total[j] = X[i] * weights[i], weights[i]
    sums[total == 0], total[total == 0] = sums[total.argmax()], total.max()
    return sums / total[:, None]


def lloyd(X, centers, max_iter=300, tol=0.0, sample_weight=None):
    spread = X.var(axis=0).mean()
    model = cluster.KMeans(len(centers), init=centers, n_init=1, max_iter=max_iter, tol=tol / spread if spread else 0.0)
    model.fit(X, sample_weight=sample_weight)
    return model.labels_, model.cluster_centers_, float(model.inertia_), model.n_iter_


def seeding_probabilities(closest, sample_weight=None):
    weights = np.ones(len(closest)) if sample_weight is None else sample_weight
    mass = closest * weights if np.any(closest * weights) else weights
    return mass / mass.sum()


def kmeans_plusplus(X, n_clusters, *, sample_weight=None, random_state=None, n_local_trials=None):
    return cluster.kmeans_plusplus(
        X,
        n_clusters,
        sample_weight=sample_weight,
        random_state=_legacy(random_state),
        n_local_trials=n_local_trials,
    )


def random_centers(X, n_clusters, *, sample_weight=None, random_state=None):
    weights = np.ones(len(X)) if sample_weight is None else sample_weight
    return X[_legacy(random_state).choice(len(X), n_clusters, replace=False, p=weights / weights.sum())]


def first_centers(X, n_clusters, init, sample_weight=None, random_state=None):
    if not isinstance(init, str):
        return np.array(init, dtype=float)
    if init == "random":
        return random_centers(X, n_clusters, sample_weight=sample_weight, random_state=random_state)
    return kmeans_plusplus(X, n_clusters, sample_weight=sample_weight, random_state=random_state)[0]


def number_of_starts(init, n_init, several):
    if not isinstance(init, str):
        return 1
    return (several if init == "random" else 1) if n_init == "auto" else n_init


class CentroidModel(cluster.KMeans):
    pass


class KMeans(CentroidModel):
    def __init__(self, n_clusters=8, init="k-means++", n_init="auto", max_iter=300, tol=1e-4, random_state=None):
        super().__init__(n_clusters, init=init, n_init=n_init, max_iter=max_iter, tol=tol, random_state=random_state)

    def fit(self, X, y=None, sample_weight=None):
        given = self.random_state
        self.random_state = _legacy(given)
        super().fit(X, sample_weight=sample_weight)
        self.random_state = given
        return self
