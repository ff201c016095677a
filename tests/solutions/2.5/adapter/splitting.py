"""scikit-learn behind the signatures of `splitting`: a split is a tree of one question on one feature.

scikit-learn draws among equal splits, and its rounding may prefer a later cut. So each feature is asked by itself, and asked
again with the cut it chose, and all above, taken away, as long as that costs nothing.
"""

from typing import NamedTuple

import numpy as np
from scipy.stats import entropy as scipy_entropy
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

TIE = 1e-10
BLOCK = 1 << 15


def gini(counts):
    some = np.sum(counts, axis=-1, keepdims=True)
    p = counts / np.where(some > 0, some, 1)
    return (some[..., 0] > 0) - np.linalg.norm(p, axis=-1) ** 2


def entropy(counts):
    some = np.sum(counts, axis=-1, keepdims=True) > 0
    return np.asarray(scipy_entropy(np.where(some, counts, 1.0), axis=-1, base=2)) * some[..., 0]


def midpoint(low, high):
    middle = np.mean(np.array([np.asarray(low) / 2, np.asarray(high) / 2]), axis=0) * 2
    return np.clip(middle, low, np.nextafter(high, low))[()] if np.ndim(low) else _one_midpoint(low, high)


def _one_midpoint(low, high):
    middle = low / 2 + high / 2
    return middle if middle < high else low


def presort(X):
    return np.argsort(X, axis=0, kind="stable").T


def split_gains(weighted, weights, sizes=None, criterion="squared_error"):
    if weighted.ndim == 3:
        per_feature = np.broadcast_to(weights, weighted.shape[1:])
        return np.array(
            [split_gains(weighted[:, f], per_feature[f], sizes, criterion) for f in range(len(per_feature))]
        )
    sizes = [len(weights)] if sizes is None else sizes
    out, end = [], 0
    for size in sizes:
        end += size
        targets, w = (weighted / weights)[:, end - size : end], weights[end - size : end]
        y = targets[0] if criterion == "squared_error" else targets.argmax(axis=0)
        for i in range(1, size):
            out.append(_stump((np.arange(size) >= i).astype(float), y, w, criterion)[1])
        out.append(-np.inf)
    return np.array(out)


def _stump(x, y, w, criterion, min_samples_leaf=1):
    """The threshold and the gain of the best split of one feature x (n,), whole numbers from 0; or (None, -inf)."""
    kind = DecisionTreeRegressor if criterion == "squared_error" else DecisionTreeClassifier
    stump = kind(criterion=criterion, max_depth=1, min_samples_leaf=min_samples_leaf, random_state=0)
    tree = stump.fit(x[:, None], y, sample_weight=w).tree_
    if tree.node_count == 3:
        held = tree.weighted_n_node_samples * tree.impurity
        return tree.threshold[0], (held[0] - held[1] - held[2]) / tree.weighted_n_node_samples[0]
    left = np.cumsum(np.bincount(x.astype(int)))[
        :-1
    ]  # no split: none allowed, or a gain of 0 that was rounded below it
    fits = np.flatnonzero(np.minimum(left, len(x) - left) >= min_samples_leaf)
    return (fits[0] + 0.5, 0.0) if len(fits) else (None, -np.inf)


class Nodes(NamedTuple):
    size: np.ndarray
    weight: np.ndarray
    value: np.ndarray
    impurity: np.ndarray


class Splits(NamedTuple):
    gain: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray


def measure(targets, weights, node, k, criterion):
    raise NotImplementedError("scikit-learn has no levels")


def best_splits(columns, order, targets, weights, nodes, criterion, min_samples_leaf=1, features=None):
    raise NotImplementedError("scikit-learn has no levels")


def best_split(X, y, sample_weight=None, criterion="squared_error", min_samples_leaf=1):
    w = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight, dtype=float)
    y = y - y[0] if criterion == "squared_error" else y
    if np.ptp(y) == 0:
        return None
    impurity = np.average((y - np.average(y, weights=w)) ** 2, weights=w) if criterion == "squared_error" else 1.0
    found = None
    for f, column in enumerate(np.asarray(X).T):
        values, x = np.unique(column, return_inverse=True)  # ranks, which float32 holds
        threshold, gain = _stump(x.astype(float), y, w, criterion, min_samples_leaf)
        if threshold is None or (found and gain <= found[2] + TIE * impurity):
            continue
        while True:
            lower, same = _stump(np.minimum(x, np.floor(threshold)).astype(float), y, w, criterion, min_samples_leaf)
            if lower is None or same < gain - TIE * impurity:
                break
            threshold = lower
        rank = int(np.floor(threshold))
        found = f, float(midpoint(values[rank], values[rank + 1])), float(gain)
    return found
