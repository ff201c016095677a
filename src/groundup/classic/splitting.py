"""Where to cut: impurity, and the best split of one feature or of many, from running sums over sorted samples.

A node of a decision tree holds samples. Its impurity says how far their targets are from agreeing: the Gini index or
the entropy of its classes, the variance of its numbers. A split sends the samples whose feature is at most a threshold
to the left and the others to the right; its gain is the impurity minus that of the two sides, each counted by its
weight.

With the samples sorted by a feature, each split is a place to cut the row. Let S be the sum of weight * (target - mean
of the node) to the left of the cut. Then the variance falls by S^2 / (w_left * w_right), so that one running sum gives
the gains of all cuts. Nodes that lie one after the other in the row are done in the same pass, which is what makes it
fast in NumPy. The Gini index is the variance of the classes' indicator columns, added up, and needs no code of its own.

Breiman, Friedman, Olshen and Stone, Classification and Regression Trees (1984), sections 2.4, 4.3 and 8.4.
"""

from typing import NamedTuple

import numpy as np

TIE = 1e-10  # gains that differ by a smaller part of the node's impurity are equal, so that rounding does not choose
BLOCK = 1 << 15  # numbers that one pass looks at: they stay in the cache, and memory stays small


def gini(counts):
    """The probability that two samples, drawn one after the other from all of them, differ in class: sum(p * (1 - p)).

    counts (..., c): how many samples each class has, or how much weight; p are their shares -> (...). 0 where all are
    0.
    """
    p = _shares(counts)
    return np.sum(p * (1.0 - p), axis=-1)


def entropy(counts):
    """How many bits the class of a sample is worth in the mean: -sum(p log2 p), where 0 log 0 counts as 0.

    counts (..., c): how many samples each class has, or how much weight; p are their shares -> (...). 0 where all are
    0.
    """
    p = _shares(counts)
    return np.sum(p * np.log2(1.0 / np.where(p > 0, p, 1.0)), axis=-1)


def midpoint(low, high):
    """The threshold between neighbours low < high: halfway, with low <= threshold < high. Numbers or arrays, float64.

    It does not overflow. Where rounding would take it up to high, as between two floats that follow each other, it is
    low.
    """
    middle = np.asarray(low) / 2 + np.asarray(high) / 2
    return np.where((low <= middle) & (middle < high), middle, low)[()]


def presort(X):
    """For each feature the samples in ascending order: X (n, p) -> (p, n), row numbers. Equal values in any order."""
    return np.argsort(X.T, axis=1)


def split_gains(weighted, weights, sizes=None, criterion="squared_error"):
    """What each cut of sorted samples would take from the impurity of their node.

    weighted (c, m): weight * target of m samples, in the order of a feature, for c columns of targets. Classes have a
    column each: 1 for the samples of the class, 0 for the others. weights (m,), above 0. For f features at once both
    have an axis more, (c, f, m) and (f, m); weights may stay (m,) if they are the same for all. sizes (k,): the samples
    are those of k nodes that lie one after the other, and these are their numbers; None for one node. criterion:
    "squared_error" or "gini" for the sum of the columns' variances, "entropy" for bits.

    -> (m,) or (f, m): impurity - (w_left * impurity_left + w_right * impurity_right) / w for the cut behind each
    sample. Behind the last sample of a node there is no cut: -inf.
    """
    sizes = np.array([weighted.shape[-1]]) if sizes is None else sizes
    last = np.cumsum(sizes) - 1
    w_left, w = _running_sums(weights, sizes, last)
    left, total = _running_sums(weighted, sizes, last)  # (c, ..., m), (c, ..., k)
    least = np.finfo(np.float64).eps * np.repeat(w, sizes, axis=-1)  # what is lighter is rounding; and no division by 0
    w_right = np.maximum(np.repeat(w, sizes, axis=-1) - w_left, least)
    w_left = np.maximum(w_left, least)
    if criterion in ("squared_error", "gini"):
        left = left - w_left * np.repeat(total / w, sizes, axis=-1)  # S of each column
        gain = np.einsum("c...,c...->...", left, left)  # the sum of their squares
        gain /= w_left * w_right
    else:
        right = np.repeat(total, sizes, axis=-1) - left
        sides = w_left * entropy(np.moveaxis(left, 0, -1)) + w_right * entropy(np.moveaxis(right, 0, -1))
        gain = np.repeat(entropy(np.moveaxis(total, 0, -1)), sizes, axis=-1) - sides / (w_left + w_right)
    gain[..., last] = -np.inf
    return gain


class Nodes(NamedTuple):
    """k nodes and what they hold."""

    size: np.ndarray  # (k,) how many samples, int64
    weight: np.ndarray  # (k,) the sum of their weights
    value: np.ndarray  # (k, c) the weighted mean of each column of the targets: for classes their shares
    impurity: np.ndarray  # (k,)


class Splits(NamedTuple):
    """A split for each of k nodes: samples whose feature is <= threshold go left. Without a split the gain is -inf."""

    gain: np.ndarray  # (k,) in units of impurity
    feature: np.ndarray  # (k,) int64
    threshold: np.ndarray  # (k,)


def measure(targets, weights, node, k, criterion):
    """Size, weight, mean and impurity of k nodes: targets (c, m), weights (m,), node (m,) from 0 to k - 1 -> Nodes.

    node: which one each sample is in; none is empty. Targets that are all equal have impurity 0, and not nearly 0.
    """
    size, weight = np.bincount(node, minlength=k), np.bincount(node, weights, minlength=k)
    some = np.zeros((len(targets), k))
    if criterion == "squared_error":
        some[:, node] = targets  # a target of each node; what is equal to it is exactly 0 without it
    off = targets - some[:, node]
    mean = np.stack([np.bincount(node, weights * column, minlength=k) for column in off]) / weight  # (c, k)
    if criterion == "squared_error":
        squares = np.sum((off - mean[:, node]) ** 2, axis=0)
        impurity = np.bincount(node, weights * squares, minlength=k) / weight
    else:
        impurity = gini(mean.T) if criterion == "gini" else entropy(mean.T)
    return Nodes(size, weight, (some + mean).T, impurity)


def best_splits(columns, order, targets, weights, nodes, criterion, min_samples_leaf=1, features=None):
    """The best split of each of k nodes, found in one pass over their m samples.

    columns (p, n): the features of all n samples. order (p, m): for each feature the samples of the nodes, one node
    after the other, and within a node ascending. targets (c, n): a column of indicators for each class, or one of
    numbers. weights (n,), above 0 for the m samples. nodes: what `measure` says of them, each with an impurity above 0.
    features (q, k): which ones each node may use, ascending; None for all. A cut between equal values is no split, nor
    is one with fewer than min_samples_leaf samples on a side.

    -> Splits. Gains that differ by less than TIE times the node's impurity count as equal; of equal ones the lowest
    feature wins, and of that feature's the lowest threshold.
    """
    (p, m), n, sizes = order.shape, columns.shape[1], nodes.size
    starts, place = np.cumsum(sizes) - sizes, np.arange(m)
    weighted, weights, unit = _in_node_units(targets, weights, order[0], nodes, criterion)
    shared = weights[order[0]]
    shared = shared if np.all(shared == shared[0]) else None  # then one running sum does for all features
    behind = place - np.repeat(starts, sizes) + 1  # how many samples of the node a cut leaves on the left
    too_few = np.minimum(behind, np.repeat(sizes, sizes) - behind) < min_samples_leaf

    def gains(feature):
        """feature (f, 1), the same for all nodes, or (f, m), at each place -> gains (f, m), values in order (f, m)."""
        rows = order[feature[:, 0]] if feature.shape[1] == 1 else order.take(feature * m + place)
        values = columns.take(feature * n + rows)
        at = weights.take(rows) if shared is None else shared
        gain = split_gains(weighted.take(rows, axis=1), at, sizes, criterion)
        gain[:, :-1][values[:, 1:] <= values[:, :-1]] = -np.inf
        if min_samples_leaf > 1:
            gain[:, too_few] = -np.inf
        return gain, values

    allowed = np.arange(p)[:, None] if features is None else features  # (q, 1) or (q, k)
    top = np.empty((len(allowed), len(sizes)))  # (q, k): the largest gain of each feature in each node
    step = max(1, BLOCK // (m * len(weighted)))
    for block in (slice(at, at + step) for at in range(0, len(allowed), step)):
        feature = allowed[block] if features is None else np.repeat(allowed[block], sizes, axis=1)
        top[block] = np.maximum.reduceat(gains(feature)[0], starts, axis=1)
    tie = TIE * nodes.impurity / unit
    winner = np.argmax(top >= top.max(axis=0) - tie, axis=0)  # (k,): the first that is as good as the best
    feature = np.broadcast_to(allowed, top.shape)[winner, np.arange(len(sizes))]
    gain, values = (each[0] for each in gains(np.repeat(feature, sizes)[None]))  # the winners', once more
    best = np.maximum.reduceat(gain, starts)
    close = np.flatnonzero(gain >= np.repeat(best - tie, sizes))
    cut = close[np.searchsorted(close, starts)]  # the first in each node
    threshold = midpoint(values[cut], values.take(cut + 1, mode="clip"))
    return Splits(best * unit, feature, threshold)


def best_split(X, y, sample_weight=None, criterion="squared_error", min_samples_leaf=1):
    """The best split of all samples: X (n, p), y (n,) -> feature (int), threshold and gain (floats); or None.

    y: numbers, or for "gini" and "entropy" whole numbers from 0 that stand for classes. sample_weight (n,) above 0;
    None for 1 each. Rules and ties as in `best_splits`. None where y is all the same, or no split is allowed.
    """
    y, n = np.asarray(y), len(X)
    targets = y[None] if criterion == "squared_error" else np.equal.outer(np.arange(y.max() + 1), y).astype(np.int64)
    weights = np.ones(n) if sample_weight is None else np.asarray(sample_weight)
    nodes = measure(targets, weights, np.zeros(n, dtype=np.int64), 1, criterion)
    if nodes.impurity[0] == 0:
        return None
    columns = np.ascontiguousarray(X.T)
    splits = best_splits(columns, presort(X), targets, weights, nodes, criterion, min_samples_leaf)
    if splits.gain[0] == -np.inf:
        return None
    return int(splits.feature[0]), float(splits.threshold[0]), float(splits.gain[0])


def _shares(counts):
    total = np.sum(counts, axis=-1, keepdims=True)
    return counts / np.where(total > 0, total, 1)


def _running_sums(values, sizes, last):
    """Within each node the sum up to and with each sample (..., m), and the node's whole (..., k)."""
    sums = np.cumsum(values, axis=-1)
    if len(sizes) == 1:
        return sums, sums[..., -1:]
    ends = sums.take(last, axis=-1)
    before = np.zeros_like(ends)
    before[..., 1:] = ends[..., :-1]
    sums -= np.repeat(before, sizes, axis=-1)
    return sums, ends - before


def _in_node_units(targets, weights, rows, nodes, criterion):
    """weight * target (c, n) and weight (n,), in units in which one running sum can serve nodes of any scale, and in
    whole numbers where it may be: their sums are exact, and took a fifth of the time. And what a gain of 1 is then
    worth (k,).
    """
    size = nodes.size
    if weights.dtype != np.int64:
        scaled = np.empty(weights.shape)
        scaled[rows] = weights[rows] * np.repeat(size / nodes.weight, size)
        weights = scaled
    if criterion == "squared_error":
        z = targets[:, rows] - np.repeat(nodes.value.T, size, axis=1)
        z = weights[rows] * (z / np.repeat(np.sqrt(nodes.impurity), size))
        fine = 2.0 ** np.floor(62 - np.log2(np.sum(np.abs(z))))  # no sum gets beyond 2^62
        weighted = np.empty(targets.shape, dtype=np.int64)
        weighted[:, rows] = np.rint(z * fine)
        return weighted, weights, nodes.impurity / fine**2
    if criterion == "gini" and len(targets) == 2:  # the two columns mirror each other: one gives half the gain
        return targets[1:] * weights, weights, 2.0
    return targets * weights, weights, 1.0
