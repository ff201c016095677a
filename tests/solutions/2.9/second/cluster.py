"""A second solution: differences in place of products, a loop over clusters, labels moved before means are taken."""

import numpy as np

from .estimator import Clusterer, Transformer
from .validation import check_array, check_choice, check_generator, check_new, check_X


def squared_distances(X, centers):
    return ((X[:, None, :] - centers[None, :, :]) ** 2).sum(axis=2)


def assign(X, centers):
    return np.argmin(squared_distances(X, centers), axis=1)


def _weights(X, sample_weight):
    return np.ones(len(X)) if sample_weight is None else np.asarray(sample_weight, dtype=float)


def inertia(X, centers, labels, sample_weight=None):
    total = 0.0
    for x, label, weight in zip(X, labels, _weights(X, sample_weight)):
        total += weight * ((x - centers[label]) ** 2).sum()
    return float(total)


def update_centers(X, labels, centers, sample_weight=None):
    weights, labels = _weights(X, sample_weight), np.array(labels)
    away = ((X - centers[labels]) ** 2).sum(axis=1)
    away[weights == 0] = 0.0
    total = np.bincount(labels, weights, len(centers))
    if away.max() > 0:
        order = np.argsort(-away, kind="stable")
        for j, i in zip(np.flatnonzero(total == 0), order):
            labels[i] = j
    total = np.bincount(labels, weights, len(centers))
    heaviest = np.argmax(total)
    new = []
    for j in range(len(centers)):
        own = labels == (j if total[j] > 0 else heaviest)
        new.append(np.average(X[own], axis=0, weights=weights[own]))
    return np.array(new)


def lloyd(X, centers, max_iter=300, tol=0.0, sample_weight=None):
    labels, n_iter = assign(X, centers), 0
    while True:
        n_iter += 1
        new = update_centers(X, labels, centers, sample_weight)
        shift, centers = ((new - centers) ** 2).sum(), new
        before, labels = labels, assign(X, centers)
        if shift <= tol or n_iter == max_iter:
            break
        if (labels == before).all():
            n_iter += 1  # the iteration that finds nothing to change
            break
    return labels, centers, inertia(X, centers, labels, sample_weight), n_iter


def seeding_probabilities(closest, sample_weight=None):
    weights = np.ones(len(closest)) if sample_weight is None else sample_weight
    mass = closest * weights
    return mass / mass.sum() if mass.sum() > 0 else weights / weights.sum()


def kmeans_plusplus(X, n_clusters, *, sample_weight=None, random_state=None, n_local_trials=None):
    X, weights = check_array(X), _weights(X, sample_weight)
    generator, n = check_generator(random_state), len(X)
    if n_local_trials is None:
        n_local_trials = 2 + int(np.log(n_clusters))
    chosen = [generator.choice(n, p=weights / weights.sum())]
    while len(chosen) < n_clusters:
        closest = squared_distances(X, X[chosen]).min(axis=1)
        trials = generator.choice(n, n_local_trials, p=seeding_probabilities(closest, weights))
        costs = [weights @ squared_distances(X, X[[*chosen, t]]).min(axis=1) for t in trials]
        chosen.append(trials[int(np.argmin(costs))])
    return X[chosen], np.array(chosen)


def random_centers(X, n_clusters, *, sample_weight=None, random_state=None):
    weights = _weights(X, sample_weight)
    keys = check_generator(random_state).exponential(size=len(X))  # the smallest of E / w: draws without replacement
    with np.errstate(divide="ignore"):
        return X[np.argsort(keys / weights)[:n_clusters]]


def first_centers(X, n_clusters, init, sample_weight=None, random_state=None):
    if len(X) < n_clusters:
        raise ValueError(f"{len(X)} samples cannot be put into {n_clusters} clusters")
    if not isinstance(init, str):
        centers = np.array(init, dtype=float)
        if centers.shape != (n_clusters, X.shape[1]):
            raise ValueError(f"init has shape {centers.shape}")
        return centers
    check_choice("init", init, ("k-means++", "random"))
    if init == "random":
        return random_centers(X, n_clusters, sample_weight=sample_weight, random_state=random_state)
    return kmeans_plusplus(X, n_clusters, sample_weight=sample_weight, random_state=random_state)[0]


def number_of_starts(init, n_init, several):
    if not isinstance(init, str):
        return 1
    if n_init == "auto":
        return {"random": several}.get(init, 1)
    return n_init


class CentroidModel(Transformer, Clusterer):
    def predict(self, X):
        return assign(check_new(self, X), self.cluster_centers_)

    def transform(self, X):
        X = check_new(self, X)
        return np.stack([np.linalg.norm(X - c, axis=1) for c in self.cluster_centers_], axis=1)

    def score(self, X, y=None, sample_weight=None):
        squared = self.transform(X).min(axis=1) ** 2
        return -float(squared @ _weights(squared, sample_weight))


class KMeans(CentroidModel):
    def __init__(self, n_clusters=8, init="k-means++", n_init="auto", max_iter=300, tol=1e-4, random_state=None):
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state

    def fit(self, X, y=None, sample_weight=None):
        X = check_X(self, X)
        generator = check_generator(self.random_state)
        starts = [
            first_centers(X, self.n_clusters, self.init, sample_weight, generator)
            for _ in range(number_of_starts(self.init, self.n_init, 10))
        ]
        tol = self.tol * X.var(axis=0).mean()
        runs = sorted((lloyd(X, c, self.max_iter, tol, sample_weight) for c in starts), key=lambda run: run[2])
        self.labels_, self.cluster_centers_, self.inertia_, self.n_iter_ = runs[0]
        return self
