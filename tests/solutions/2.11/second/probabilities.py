"""Losses and calibration bin by bin and sample by sample."""

import numpy as np

from .ranking import is_positive
from .validation import check_weights


def _inside(p):
    p = np.array(p)
    if not np.isfinite(p).all() or (p < 0).any() or (p > 1).any():
        raise ValueError("probabilities lie in [0, 1]")
    return p


def log_loss(y_true, y_proba, *, normalize=True, sample_weight=None, labels=None):
    y_true, p = np.ravel(np.array(y_true)).tolist(), _inside(y_proba)
    classes = sorted(set(y_true if labels is None else labels))
    if len(classes) < 2:
        raise ValueError("which classes could have come?")
    e = np.finfo(p.dtype).eps
    losses = []
    for y, row in zip(y_true, p):
        j = classes.index(y)
        given = row[j] if np.ndim(row) else (row if j == 1 else 1 - row)
        losses.append(-np.log(float(min(max(given, e), 1 - e))))
    w = check_weights(sample_weight, len(losses))
    total = float(np.dot(w, losses))
    return total / w.sum() if normalize else total


def brier_score_loss(y_true, y_proba, *, sample_weight=None, pos_label=None, labels=None):
    p = _inside(y_proba)
    if p.ndim == 1:
        each = np.square(is_positive(y_true, pos_label).astype(float) - p)
    else:
        y_true = np.ravel(np.array(y_true))
        classes = np.unique(y_true if labels is None else labels)
        each = sum((p[:, j] - (y_true == c)) ** 2 for j, c in enumerate(classes))
        each = each / 2 if len(classes) == 2 else each
    w = check_weights(sample_weight, len(each))
    return float(w @ each / w.sum())


def bin_edges(y_prob, n_bins=5, strategy="uniform"):
    if strategy == "uniform":
        return np.array([i / n_bins for i in range(n_bins + 1)])
    if strategy == "quantile":
        return np.percentile(y_prob, [100 * i / n_bins for i in range(n_bins + 1)])
    raise ValueError(strategy)


def calibration_curve(y_true, y_prob, *, pos_label=None, n_bins=5, strategy="uniform"):
    positive, p = is_positive(y_true, pos_label), _inside(y_prob)
    edges = bin_edges(p, n_bins, strategy)
    lower, upper = edges.copy()[:-1], edges.copy()[1:]
    lower[0], upper[-1] = -np.inf, np.inf
    came, called = [], []
    for a, b in zip(lower, upper):
        inside = (a < p) & (p <= b)
        if inside.any():
            came.append(positive[inside].mean())
            called.append(p[inside].mean())
    return np.array(came), np.array(called)
