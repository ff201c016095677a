"""k-means on a stream: centres that move by small random batches, for data too many to look at again and again.

A centre is the running mean of every sample that it was ever given, so that its n-th sample moves it by a share of 1 / n.
Each batch costs the same, however many samples there are.

Sculley, Web-scale k-means clustering (2010).
"""

import numpy as np

from .cluster import CentroidModel, assign, first_centers, inertia, number_of_starts
from .validation import check_generator, check_new, check_number, check_weights, check_X


def mini_batch_step(X, labels, centers, counts, sample_weight=None):
    """The centres and their counts after one batch: new arrays (k, p) and (k,).

    X (m, p), labels (m,), centers (k, p), counts (k,), the weight each centre has been given so far, sample_weight (m,) or
    None. A centre becomes the mean of all it has been given: (count * centre + sum of weight * x) / (count + sum of weights).
    One that has been given nothing so far, and gets nothing, stays where it is. Sculley (2010), algorithm 1.
    """
    member = (labels == np.arange(len(centers))[:, None]).astype(np.float64)  # (k, m)
    if sample_weight is not None:
        member *= sample_weight
    arrived = member.sum(axis=1)
    total = counts + arrived
    share = arrived / np.where(total > 0, total, 1.0)  # a rate that falls as 1 / count
    mean = member @ X / np.where(arrived > 0, arrived, 1.0)[:, None]
    return centers + share[:, None] * (mean - centers), total


class MiniBatchKMeans(CentroidModel):
    """k-means by small random batches: a centre is the running mean of every sample that it was given. Sculley (2010).

    Parameters: n_clusters, init and random_state as KMeans's; max_iter, at most so many times n samples are looked at;
    batch_size; tol, stop once the squares of a step's moves sum to this share of the mean variance of X (0: never);
    max_no_improvement, stop after so many batches in a row without a new low of the smoothed inertia (None: never);
    init_size, among how many random samples a beginning is chosen (None: 3 batches, or 3 k if that is fewer than k); n_init,
    how many beginnings to compare by their inertia on that many other samples, "auto": 3 for "random", else 1;
    reassignment_ratio: after a step, centres that have been given less than this share of what the busiest has are put on random
    samples of the batch, half as many at most as it has, and get the least count of the others.
    Learns: cluster_centers_ (k, p); labels_ (n,) and inertia_, of the X of the last call; counts_ (k,), as `mini_batch_step`'s;
    n_steps_, the number of batches; n_iter_, the passes over X that were begun (by fit).
    """

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
        """Stores the parameters, and nothing else."""
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
        """X (n, p), sample_weight (n,) or None -> self. Batches are drawn with replacement, by weight.

        The inertia of a batch is taken before its step, as a mean over its samples. It is smoothed from the second batch on:
        s <- (1 - a) s + a inertia, with a = 2 batch_size / (n + 1), at most 1. Raises ValueError as KMeans.fit.
        """
        X = check_X(self, X)
        n, weights = len(X), None if sample_weight is None else check_weights(sample_weight, len(X))
        generator = check_generator(self.random_state)
        size = self._begin(X, weights, generator)
        tol = self.tol * float(np.mean(np.var(X, axis=0))) if self.tol else 0.0
        rate = min(1.0, 2 * size / (n + 1))
        smoothed, low, since_low = None, np.inf, 0
        for _ in range(self.max_iter * n // size):
            before = self.cluster_centers_
            loss = self._step(_draw(generator, X, weights, size), None, generator) / size
            if self.n_steps_ > 1:  # the first loss is that of the beginning
                smoothed = loss if smoothed is None else (1 - rate) * smoothed + rate * loss
                since_low = 0 if smoothed < low else since_low + 1
                low = min(low, smoothed)
                still = tol > 0 and np.sum((self.cluster_centers_ - before) ** 2) <= tol
                if still or (self.max_no_improvement is not None and since_low >= self.max_no_improvement):
                    break
        self.n_iter_ = int(np.ceil(self.n_steps_ * size / n))
        return self._label(X, weights)

    def partial_fit(self, X, y=None, sample_weight=None):
        """One step on a batch: X (m, p), sample_weight (m,) or None -> self.

        The first call, if there was no fit, chooses the beginning on its X; so this X has to have n_clusters rows.
        """
        going = hasattr(self, "cluster_centers_")
        X = check_new(self, X) if going else check_X(self, X)
        weights = None if sample_weight is None else check_weights(sample_weight, len(X))
        if not hasattr(self, "_generator"):
            self._generator = check_generator(self.random_state)
        if not going:
            self._begin(X, weights, self._generator)
        self._step(X, weights, self._generator)
        return self._label(X, weights)

    def _begin(self, X, weights, generator):
        """The first centres, chosen on a part of X; returns the size of a batch."""
        check_number("max_iter", self.max_iter, low=1, integer=True)
        check_number("tol", self.tol, low=0.0)
        check_number("batch_size", self.batch_size, low=1, integer=True)
        check_number("reassignment_ratio", self.reassignment_ratio, low=0.0, high=1.0)
        batch = min(self.batch_size, len(X))
        size = 3 * batch if self.init_size is None else self.init_size
        size = 3 * self.n_clusters if size < self.n_clusters else size
        seen = _draw(generator, X, weights, min(size, len(X)))
        begun = []
        for _ in range(number_of_starts(self.init, self.n_init, several=3)):
            few = (X, weights) if size >= len(X) else (_draw(generator, X, weights, size), None)
            centers = first_centers(few[0], self.n_clusters, self.init, few[1], generator)
            begun.append((inertia(seen, centers, assign(seen, centers)), centers))
        self.cluster_centers_ = min(begun, key=lambda start: start[0])[1]
        self.counts_, self.n_steps_ = np.zeros(self.n_clusters), 0
        return batch

    def _step(self, batch, weights, generator):
        """Moves the centres by a batch, and those far behind to random samples of it; returns the inertia from before."""
        labels = assign(batch, self.cluster_centers_)
        loss = inertia(batch, self.cluster_centers_, labels, weights)
        centers, counts = mini_batch_step(batch, labels, self.cluster_centers_, self.counts_, weights)
        behind = np.flatnonzero(counts < self.reassignment_ratio * counts.max())
        behind = behind[np.argsort(counts[behind], kind="stable")][: len(batch) // 2]
        if len(behind):
            centers[behind] = batch[generator.choice(len(batch), len(behind), replace=False)]
            counts[behind] = np.delete(counts, behind).min()  # with a count of 0 it would be moved again at once
        self.cluster_centers_, self.counts_ = centers, counts
        self.n_steps_ += 1
        return loss

    def _label(self, X, weights):
        self.labels_ = assign(X, self.cluster_centers_)
        self.inertia_ = inertia(X, self.cluster_centers_, self.labels_, weights)
        return self


def _draw(generator, X, weights, size):
    """So many samples, with replacement, in proportion to their weights."""
    if weights is None:
        return X[generator.integers(len(X), size=size)]
    return X[generator.choice(len(X), size, p=weights / weights.sum())]
