"""Splits by the textbook: sides are measured, not summed up from deviations; one node and one feature after the other."""

from typing import NamedTuple

import numpy as np

TIE = 1e-10
BLOCK = 1 << 15


def gini(counts):
    counts = np.asarray(counts, dtype=float)
    total = counts.sum(axis=-1)
    squares = (counts**2).sum(axis=-1)
    return np.where(total > 0, 1 - squares / np.where(total > 0, total, 1) ** 2, 0.0)[()]


def entropy(counts):
    counts = np.asarray(counts, dtype=float)
    total = counts.sum(axis=-1, keepdims=True)
    p = np.divide(counts, total, out=np.zeros_like(counts), where=total > 0)
    log = np.log2(p, out=np.zeros_like(p), where=p > 0)
    return 0.0 - np.einsum("...c,...c->...", p, log)


def midpoint(low, high):
    low, high = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
    half = low + (high / 2 - low / 2)
    return np.where(half >= high, low, half)[()]


def presort(X):
    return np.array([np.argsort(column, kind="stable") for column in np.asarray(X).T])


def split_gains(weighted, weights, sizes=None, criterion="squared_error"):
    if weighted.ndim == 3:
        per_feature = np.broadcast_to(weights, weighted.shape[1:])
        rows = [split_gains(weighted[:, f], per_feature[f], sizes, criterion) for f in range(weighted.shape[1])]
        return np.array(rows)
    if sizes is None:
        return _gains_of_one_node(weighted, np.asarray(weights, dtype=float), criterion)
    ends = np.cumsum(sizes)
    each = [slice(end - size, end) for end, size in zip(ends, sizes)]
    return np.concatenate([split_gains(weighted[:, at], weights[at], None, criterion) for at in each])


def _gains_of_one_node(weighted, weights, criterion):
    targets = weighted / weights
    whole, total = _impurity(targets, weights, criterion), weights.sum()
    gains = []
    for i in range(1, len(weights)):
        left = weights[:i].sum() * _impurity(targets[:, :i], weights[:i], criterion)
        right = weights[i:].sum() * _impurity(targets[:, i:], weights[i:], criterion)
        gains.append(whole - (left + right) / total)
    return np.array([*gains, -np.inf])


def _impurity(targets, weights, criterion):
    if criterion == "squared_error":
        shifted = targets - targets[:, :1]
        mean = shifted @ weights / weights.sum()
        return float((((shifted - mean[:, None]) ** 2) @ weights).sum() / weights.sum())
    return float({"gini": gini, "entropy": entropy}[criterion](targets @ weights))


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
    here = [node == j for j in range(k)]
    weight = np.array([weights[i].sum() for i in here], dtype=float)
    value = np.array([targets[:, i] @ weights[i] / weights[i].sum() for i in here])
    impurity = np.array([_impurity(targets[:, i], weights[i], criterion) for i in here])
    return Nodes(np.array([i.sum() for i in here]), weight, value, impurity)


def best_splits(columns, order, targets, weights, nodes, criterion, min_samples_leaf=1, features=None):
    found, end = [], 0
    for j, size in enumerate(nodes.size):
        end += size
        rows = order[0][end - size : end]
        some = None if features is None else features[:, j]
        split = _best(columns[:, rows], targets[:, rows], weights[rows], criterion, min_samples_leaf, some)
        found.append((-np.inf, 0, 0.0) if split is None else (split[2], *split[:2]))
    gain, feature, threshold = zip(*found)
    return Splits(np.array(gain), np.array(feature), np.array(threshold))


def best_split(X, y, sample_weight=None, criterion="squared_error", min_samples_leaf=1):
    y = np.asarray(y)
    targets = y[None].astype(float) if criterion == "squared_error" else np.eye(int(y.max()) + 1)[:, y]
    weights = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight, dtype=float)
    return _best(np.asarray(X, dtype=float).T, targets, weights, criterion, min_samples_leaf)


def _best(columns, targets, weights, criterion, min_samples_leaf, features=None):
    """The feature, threshold and gain of one node's best split, or None."""
    impurity = _impurity(targets, weights, criterion)
    if impurity == 0:
        return None
    best = None
    for f in range(len(columns)) if features is None else sorted(features):
        at = np.argsort(columns[f], kind="stable")
        x = columns[f][at]
        gains = split_gains((targets * weights)[:, at], weights[at], None, criterion)
        for i in range(min_samples_leaf - 1, len(x) - min_samples_leaf):
            if x[i] < x[i + 1] and (best is None or gains[i] > best[2] + TIE * impurity):
                best = int(f), float(midpoint(x[i], x[i + 1])), float(gains[i])
    return best
