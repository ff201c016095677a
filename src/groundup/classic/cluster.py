"""k-means: k centres, each the mean of the samples that are nearer to it than to any other.

The aim is the least inertia, the sum of squared distances from the samples to their nearest centres. Lloyd's iteration takes
two steps in turn: give each sample to its nearest centre, then move each centre to the mean of its samples. Neither step can
raise the inertia, so the iteration ends; where it ends depends on where it began. k-means++ chooses the beginning: centre
after centre, each sample with a probability proportional to its squared distance to the nearest centre so far.

Lloyd, Least squares quantization in PCM (1982). Arthur and Vassilvitskii, k-means++: the advantages of careful seeding
(2007).
"""

import numpy as np

from .estimator import Clusterer, Transformer
from .validation import (
    ConvergenceWarning,
    check_array,
    check_choice,
    check_generator,
    check_new,
    check_number,
    check_weights,
    check_X,
    warn,
)

# ---------------------------------------------------------------------------------------------- the two steps of Lloyd


def squared_distances(X, centers):
    """The squared Euclidean distance of every sample to every centre: X (n, p), centers (k, p) -> (n, k).

    Right to 8 digits, also where the samples are far from the origin, or a sample is close to a centre; exactly 0 where the
    two are equal.
    """
    origin = _origin(X)  # a shift that X and centers share changes no distance, and keeps the products below small
    return _squared_distances(X - origin, centers - origin).T


def assign(X, centers):
    """The index of each sample's nearest centre, the lowest index where several are equally near.

    X (n, p), centers (k, p) -> labels (n,), int64
    """
    origin = _origin(X)
    return _nearest(X, centers - origin, origin).astype(np.int64)


def inertia(X, centers, labels, sample_weight=None):
    """The sum of weight times squared distance from each sample to the centre it was given to, a float.

    X (n, p), centers (k, p), labels (n,), sample_weight (n,) or None for 1 each.
    """
    squared = _squared_distances_to_own(X, centers, labels)
    return float(squared.sum() if sample_weight is None else squared @ sample_weight)


def update_centers(X, labels, centers, sample_weight=None):
    """Each centre moved to the weighted mean of its samples, and the empty ones to where they are needed most.

    X (n, p), labels (n,), the centres that gave these labels (k, p), sample_weight (n,) or None for 1 each -> (k, p), new.

    A cluster whose samples have no weight together is empty. The empty ones, in order of their index, get those samples
    with weight that are farthest from the old centre they were given to, the farthest first, and of equally far ones the
    first. Such a sample is its new centre, and counts no more in the mean of the cluster it was taken from. A cluster that is
    empty after this, or because every sample lies on its centre, gets the centre of the heaviest cluster, the first of equal ones.
    """
    sums, weights = _cluster_sums(X, labels, len(centers), sample_weight)
    return _means(sums, weights, X, labels, centers, sample_weight)


def lloyd(X, centers, max_iter=300, tol=0.0, sample_weight=None):
    """Lloyd's iteration from given centres: labels (n,), centers (k, p), the inertia (float), the iterations (int).

    An iteration is `assign`, then `update_centers`. It is the last if it has changed no label since the iteration before, or
    if the squares of the centres' moves sum to tol at most, or if it is number max_iter. The labels returned are those
    that belong to the centres returned, and the inertia is theirs.

    X (n, p), centers (k, p), not changed; max_iter >= 1; tol >= 0, in the units of X squared; sample_weight (n,) or None.
    """
    n, k = len(X), len(centers)
    origin = _origin(X)
    X, centers = X - origin, centers - origin
    labels, sums, weights = np.full(n, k, dtype=np.min_scalar_type(k)), 0.0, 0.0  # of no cluster
    for n_iter in range(1, max_iter + 1):  # noqa: B007
        last, labels = labels, _nearest(X, centers)
        changed = np.flatnonzero(labels != last)
        if sample_weight is None and len(changed) < n // 3:  # late, few samples change sides: a third of the time saved
            moved = X[changed]
            gained, lost = _cluster_sums(moved, labels[changed], k), _cluster_sums(moved, last[changed], k)
            sums, weights = sums + gained[0] - lost[0], weights + gained[1] - lost[1]
        else:
            sums, weights = _cluster_sums(X, labels, k, sample_weight)
        last_centers, centers = centers, _means(sums, weights, X, labels, centers, sample_weight)
        settled = len(changed) == 0
        if settled or np.sum((centers - last_centers) ** 2) <= tol:
            break
    labels = (labels if settled else _nearest(X, centers)).astype(np.int64)
    return labels, centers + origin, inertia(X, centers, labels, sample_weight), n_iter


# --------------------------------------------------------------------------------------------------- where to begin


def seeding_probabilities(closest, sample_weight=None):
    """With which probability each sample becomes the next centre of k-means++.

    closest (n,), each sample's squared distance to its nearest centre so far; sample_weight (n,) or None -> (n,), sum 1.
    Proportional to weight times closest; to the weight alone if that is 0 for every sample.
    """
    mass = closest if sample_weight is None else closest * sample_weight
    if not mass.any():
        mass = np.ones(len(closest)) if sample_weight is None else sample_weight
    return mass / mass.sum()


def kmeans_plusplus(X, n_clusters, *, sample_weight=None, random_state=None, n_local_trials=None):
    """The centres that k-means++ begins with: centers (k, p), some of the samples, and their indices (k,).

    X (n, p), n_clusters <= n, sample_weight (n,) or None for 1 each. The first centre is a sample drawn with a probability
    proportional to its weight. For each further one n_local_trials samples are drawn independently by
    `seeding_probabilities`, and the one with which the inertia would be the least is taken, the first of equal ones.
    n_local_trials None: 2 + int(log(n_clusters)). Arthur and Vassilvitskii (2007), section 2.2, and for the trials its conclusion.

    Each sample drawn costs one `random()` of the generator: it is the first sample whose cumulative probability exceeds that
    number. The trials of a round are drawn together. (`Generator.choice` with p draws so.)
    """
    X = check_array(X)
    check_number("n_clusters", n_clusters, low=1, high=len(X), integer=True)
    weights = check_weights(sample_weight, len(X))
    generator = check_generator(random_state)
    trials = 2 + int(np.log(n_clusters)) if n_local_trials is None else n_local_trials
    near = X - _origin(X)
    norms = np.einsum("np,np->n", near, near)
    indices = np.empty(n_clusters, dtype=np.int64)
    indices[0] = _draw(generator, weights, 1)[0]
    closest = _squared_distances(near, near[indices[:1]], norms)[0]  # (n,)
    for c in range(1, n_clusters):
        candidates = _draw(generator, seeding_probabilities(closest, weights), trials)
        squared = _squared_distances(near, near[candidates], norms)  # (trials, n)
        np.minimum(squared, closest, out=squared)
        best = np.argmin(squared @ weights)
        indices[c], closest = candidates[best], squared[best]
    return X[indices], indices


def random_centers(X, n_clusters, *, sample_weight=None, random_state=None):
    """Centres drawn among the samples, no sample twice: X (n, p), n_clusters <= n -> (k, p). Forgy (1965).

    With sample_weight (n,) each draw has probabilities proportional to the weights of the samples that are left.
    """
    weights = None if sample_weight is None else sample_weight / np.sum(sample_weight)
    return X[check_generator(random_state).choice(len(X), n_clusters, replace=False, p=weights)]


def first_centers(X, n_clusters, init, sample_weight=None, random_state=None):
    """Centres to begin with, a new array (k, p). init: "k-means++", "random" (`random_centers`), or the centres themselves.

    Raises ValueError for fewer samples than n_clusters, an init of another name, or centres of another shape.
    """
    check_number("n_clusters", n_clusters, low=1, integer=True)
    if len(X) < n_clusters:
        raise ValueError(f"n_samples={len(X)} should be >= n_clusters={n_clusters}.")
    if isinstance(init, str):
        check_choice("init", init, ("k-means++", "random"))
        if init == "random":
            return random_centers(X, n_clusters, sample_weight=sample_weight, random_state=random_state)
        return kmeans_plusplus(X, n_clusters, sample_weight=sample_weight, random_state=random_state)[0]
    centers = np.array(check_array(init, "init"))
    for given, wanted, what in zip(
        centers.shape, (n_clusters, X.shape[1]), ("number of clusters", "number of features of the data")
    ):
        if given != wanted:
            raise ValueError(f"The shape of the initial centers {centers.shape} does not match the {what} {wanted}.")
    return centers


def number_of_starts(init, n_init, several):
    """How many beginnings to try: n_init; for "auto" `several` if init is "random", else 1; 1 if init holds the centres."""
    if not isinstance(init, str):
        return 1
    if isinstance(n_init, str):
        check_choice("n_init", n_init, ("auto",))
        return several if init == "random" else 1
    check_number("n_init", n_init, low=1, integer=True)
    return n_init


# ----------------------------------------------------------------------------------------------------- the estimators


class CentroidModel(Transformer, Clusterer):
    """What anything with cluster_centers_ (k, p) can do."""

    def predict(self, X):
        """The index of each sample's nearest centre, the lowest of equally near ones: X (m, p) -> (m,), int64"""
        return assign(check_new(self, X), self.cluster_centers_)

    def transform(self, X):
        """The distance, not squared, of each sample to each centre: X (m, p) -> (m, k)"""
        return np.sqrt(squared_distances(check_new(self, X), self.cluster_centers_))

    def score(self, X, y=None, sample_weight=None):
        """Minus the inertia of new samples, each given to its nearest centre: X (m, p), sample_weight (m,) -> float"""
        X = check_new(self, X)
        weights = None if sample_weight is None else check_weights(sample_weight, len(X))
        return -inertia(X, self.cluster_centers_, assign(X, self.cluster_centers_), weights)


class KMeans(CentroidModel):
    """k-means clustering by Lloyd's iteration.

    Parameters: n_clusters, k; init, "k-means++", "random" (`random_centers`) or the centres to begin with (k, p); n_init, how
    many beginnings to try, or "auto": 10 for "random", else 1; max_iter and tol, as `lloyd`'s, tol as a share of the mean
    over the columns of X's variances (divided by n); random_state.
    Learns: cluster_centers_ (k, p), labels_ (n,), int64, inertia_ (float) and n_iter_ (int), as `lloyd` gives them.

    The beginnings are `first_centers`, drawn one after the other from one generator, and nothing else is drawn from it. The one
    that ends with the least inertia counts, the first of equal ones. Centres that are given are begun with once.
    """

    def __init__(self, n_clusters=8, init="k-means++", n_init="auto", max_iter=300, tol=1e-4, random_state=None):
        """Stores the parameters, and nothing else."""
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state

    def fit(self, X, y=None, sample_weight=None):
        """X (n, p), sample_weight (n,) >= 0 or None for 1 each -> self. y is there for pipelines, and ignored.

        Weights count in the means, in the inertia, and in the draws of a beginning. Raises ValueError for n < n_clusters and
        for an init of another shape; warns (ConvergenceWarning) if fewer than n_clusters labels occur.
        """
        X = check_X(self, X)
        weights = None if sample_weight is None else check_weights(sample_weight, len(X))
        check_number("max_iter", self.max_iter, low=1, integer=True)
        check_number("tol", self.tol, low=0.0)
        generator = check_generator(self.random_state)
        tol = self.tol * _mean_variance(X)
        best = None
        for _ in range(number_of_starts(self.init, self.n_init, several=10)):
            run = lloyd(
                X, first_centers(X, self.n_clusters, self.init, weights, generator), self.max_iter, tol, weights
            )
            if best is None or run[2] < best[2]:
                best = run
        self.labels_, self.cluster_centers_, self.inertia_, self.n_iter_ = best
        found = len(np.unique(self.labels_))
        if found < self.n_clusters:
            warn(
                ConvergenceWarning,
                f"Number of distinct clusters ({found}) found smaller than n_clusters ({self.n_clusters}). Possibly due to"
                " duplicate points in X.",
            )
        return self


# ------------------------------------------------------------------------------------------------ what is fast, or rare


def _origin(X):
    """A point amid the samples, (p,): the upper median of at most some 64 of them, column by column.

    Shifted by it, data far from 0 lose no digits in products, one outlier does no harm, and integers stay integers.
    """
    few = np.sort(X[:: max(1, len(X) // 64)], axis=0)
    return few[len(few) // 2]


def _blocks(n, k):
    """Slices of 0..n for work on k numbers a sample, so that this takes a megabyte however many samples there are."""
    size = max(1024, 2**17 // k)
    return [slice(start, start + size) for start in range(0, n, size)]


def _nearest(X, centers, origin=None):
    """assign, for X (less the origin, if there is one) not far from 0; the smallest unsigned integers that hold k.

    |x - c|^2 = |x|^2 - 2 x.c + |c|^2, and the first term is the same for every centre: what is left is one product of
    matrices. The running minimum is over arrays of bytes and floats, without a branch: twice argmin's speed.
    """
    k = len(centers)
    half_norms = 0.5 * np.einsum("kp,kp->k", centers, centers)[:, None]
    labels = np.zeros(len(X), dtype=np.min_scalar_type(k))
    for rows in _blocks(len(X), k if origin is None else k + X.shape[1]):
        near = X[rows] if origin is None else X[rows] - origin
        farness = -centers @ near.T  # (k, rows)
        farness += half_norms
        least, label = farness[0], labels[rows]
        for j in range(1, k):
            nearer = (farness[j] < least).astype(label.dtype)
            nearer *= label.dtype.type(j)
            np.maximum(label, nearer, out=label)  # j is larger than any label so far
            np.minimum(least, farness[j], out=least)
    return labels


def _squared_distances(X, centers, norms=None):
    """(k, n), for data that are not far from the origin; norms (n,) are the |x|^2, if they are there.

    Where |x - c|^2 is less than a millionth of |c|^2, six of its sixteen digits have cancelled, and it is computed again from
    the differences.
    """
    norms = np.einsum("np,np->n", X, X) if norms is None else norms
    center_norms = np.einsum("kp,kp->k", centers, centers)[:, None]  # (k, 1)
    squared = (-2.0 * centers) @ X.T
    squared += norms
    squared += center_norms
    j, i = np.divmod(np.flatnonzero(squared <= 1e-6 * center_norms), len(X))
    squared[j, i] = np.sum((X[i] - centers[j]) ** 2, axis=1)
    return squared


def _squared_distances_to_own(X, centers, labels):
    """(n,), by differences."""
    squared = np.empty(len(X))
    for rows in _blocks(len(X), 4 * X.shape[1]):
        away = X[rows] - centers.take(labels[rows], axis=0)
        np.einsum("np,np->n", away, away, out=squared[rows])
    return squared


def _cluster_sums(X, labels, k, sample_weight=None):
    """The weighted sum of each cluster's samples (k, p), and its weight (k,)."""
    sums, weights = np.zeros((k, X.shape[1])), np.zeros(k)
    for rows in _blocks(len(X), k):
        member = (labels[rows] == np.arange(k)[:, None]).astype(np.float64)  # (k, rows), one 1 in each column
        if sample_weight is not None:
            member *= sample_weight[rows]
        sums += member @ X[rows]
        weights += member.sum(axis=1)
    return sums, weights


def _means(sums, weights, X, labels, centers, sample_weight):
    """update_centers, from the sums (k, p) and the weights (k,) of the clusters."""
    if not weights.all():
        squared = _squared_distances_to_own(X, centers, labels)
        if sample_weight is not None:
            squared *= sample_weight > 0
        empty = np.flatnonzero(weights == 0)
        farthest = np.argsort(-squared, kind="stable")[: len(empty)]
        sums, weights = sums.copy(), weights.copy()
        for j, i in zip(empty, farthest) if squared.any() else ():
            weight = 1.0 if sample_weight is None else sample_weight[i]
            sums[labels[i]] -= weight * X[i]
            weights[labels[i]] -= weight
            sums[j], weights[j] = weight * X[i], weight
    filled = weights > 0
    new = sums / np.where(filled, weights, 1.0)[:, None]
    new[~filled] = new[np.argmax(weights)]
    return new


def _mean_variance(X):
    """The mean of the columns' variances, a float."""
    away = X - X.mean(axis=0)
    return float(np.vdot(away, away)) / X.size


def _draw(generator, probabilities, size):
    """So many indices, with replacement."""
    cumulative = np.cumsum(probabilities)
    return np.searchsorted(cumulative / cumulative[-1], generator.random(size), side="right")
