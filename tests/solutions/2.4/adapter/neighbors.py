"""scikit-learn's and SciPy's neighbours in the place of one's own."""

import numpy as np
from scipy.spatial.distance import cdist
from sklearn import neighbors as theirs
from sklearn.neighbors._base import _get_weights

from .kdtree import KDTree


def squared_distances(A, B):
    return cdist(A, B, "sqeuclidean")


def nearest(X, queries, k):
    return KDTree(X).query(queries, k)


def neighbor_weights(distances, weights):
    found = _get_weights(distances.copy(), weights)
    return np.ones(distances.shape) if found is None else found


def vote(codes, weights, c):
    votes = np.stack([(weights * (codes == label)).sum(axis=1) for label in range(c)], axis=1)
    votes[votes.sum(axis=1) == 0] = 1.0
    return votes / votes.sum(axis=1, keepdims=True)


def relative_contrast(X, queries):
    D = cdist(queries, X)
    return (D.max(axis=1) - D.min(axis=1)) / D.min(axis=1)


class _Searched:
    """All samples found, ties put in order, and the first k of them; by a tree, for brute force counts processors,
    which the sandbox forbids."""

    def __init__(self, n_neighbors=5, weights="uniform", algorithm="auto", leaf_size=100):
        algorithm = "kd_tree" if algorithm in ("auto", "brute") else algorithm
        super().__init__(n_neighbors, weights=weights, algorithm=algorithm, leaf_size=leaf_size, n_jobs=1)

    def kneighbors(self, X=None, n_neighbors=None, return_distance=True):
        k = self.n_neighbors if n_neighbors is None else n_neighbors
        if not 1 <= k <= self.n_samples_fit_:
            raise ValueError("n_neighbors")
        distances, indices = super().kneighbors(X, self.n_samples_fit_ - (X is None))
        order = np.lexsort((indices, distances), axis=1)[:, :k]
        found = np.take_along_axis(distances, order, axis=1), np.take_along_axis(indices, order, axis=1)
        return found if return_distance else found[1]


class KNeighborsClassifier(_Searched, theirs.KNeighborsClassifier):
    pass


class KNeighborsRegressor(_Searched, theirs.KNeighborsRegressor):
    pass
