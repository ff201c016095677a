"""A second solution: one sample after the other, and no rule that stops early but one."""

import numpy as np

from .cluster import CentroidModel, assign, first_centers, inertia, number_of_starts
from .validation import check_generator, check_X


def mini_batch_step(X, labels, centers, counts, sample_weight=None):
    centers, counts = np.array(centers, dtype=float), np.array(counts, dtype=float)
    weights = np.ones(len(X)) if sample_weight is None else sample_weight
    for x, j, w in zip(X, labels, weights):
        if w > 0:
            counts[j] += w
            centers[j] += w / counts[j] * (x - centers[j])
    return centers, counts


class MiniBatchKMeans(CentroidModel):
    def __init__(
        self,
        n_clusters=8,
        init="k-means++",
        max_iter=100,
        batch_size=1024,
        random_state=None,
        tol=0.0,
        max_no_improvement=10,
        init_size=None,
        n_init="auto",
        reassignment_ratio=0.01,
    ):
        self.n_clusters = n_clusters
        self.init = init
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.random_state = random_state
        self.tol = tol
        self.max_no_improvement = max_no_improvement
        self.init_size = init_size
        self.n_init = n_init
        self.reassignment_ratio = reassignment_ratio

    def fit(self, X, y=None, sample_weight=None):
        X = check_X(self, X)
        if hasattr(self, "cluster_centers_"):
            del self.cluster_centers_
        share = None if sample_weight is None else sample_weight / np.sum(sample_weight)
        generator = check_generator(self.random_state)
        self._begin(X, sample_weight, generator)
        size = min(self.batch_size, len(X))
        for _ in range(max(1, 10 * len(X) // size)):
            self.partial_fit(X[generator.choice(len(X), size, p=share)])
        self._finish(X, sample_weight)
        self.n_iter_ = -(-self.n_steps_ * size // len(X))
        return self

    def partial_fit(self, X, y=None, sample_weight=None):
        X = np.asarray(X, dtype=float)
        if not hasattr(self, "cluster_centers_"):
            check_X(self, X)
            self._begin(X, sample_weight, check_generator(self.random_state))
        labels = assign(X, self.cluster_centers_)
        self.cluster_centers_, self.counts_ = mini_batch_step(
            X, labels, self.cluster_centers_, self.counts_, sample_weight
        )
        self.n_steps_ += 1
        self._finish(X, sample_weight)
        return self

    def _begin(self, X, weights, generator):
        starts = []
        for _ in range(number_of_starts(self.init, self.n_init, 3)):
            centers = first_centers(X, self.n_clusters, self.init, weights, generator)
            starts.append((inertia(X, centers, assign(X, centers)), centers))
        self.cluster_centers_ = min(starts, key=lambda start: start[0])[1]
        self.counts_, self.n_steps_ = np.zeros(self.n_clusters), 0

    def _finish(self, X, weights):
        self.labels_ = assign(X, self.cluster_centers_)
        self.inertia_ = inertia(X, self.cluster_centers_, self.labels_, weights)
