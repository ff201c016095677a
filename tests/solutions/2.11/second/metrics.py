"""Metrics by comparing every sample with every label, (n, k) at a time, and rates from rates."""

import numpy as np

from .validation import check_weights, warn


class UndefinedMetricWarning(UserWarning):
    pass


def check_labels(y_true, y_pred):
    y_true, y_pred = np.ravel(np.array(y_true)), np.ravel(np.array(y_pred))
    if y_true.shape != y_pred.shape or not y_true.size:
        raise ValueError("two lists of classes of one length are expected")
    return y_true, y_pred


def _indicators(y_true, y_pred, labels, sample_weight):
    y_true, y_pred = check_labels(y_true, y_pred)
    if labels is None:
        labels = sorted(set(y_true.tolist()).union(y_pred.tolist()))
    labels = np.array(labels)
    return y_true[:, None] == labels, y_pred[:, None] == labels, check_weights(sample_weight, y_true.size)


def _counted(values, sample_weight):
    whole = sample_weight is None or np.array(sample_weight).dtype.kind in "iub"
    return np.rint(values).astype(np.int64) if whole else values


def accuracy_score(y_true, y_pred, *, normalize=True, sample_weight=None):
    y_true, y_pred = check_labels(y_true, y_pred)
    w = check_weights(sample_weight, y_true.size)
    got = w[y_true == y_pred].sum()
    return float(got) / w.sum() if normalize else float(got)


def confusion_matrix(y_true, y_pred, *, labels=None, sample_weight=None, normalize=None):
    T, P, w = _indicators(y_true, y_pred, labels, sample_weight)
    if not T.any():
        raise ValueError("none of the labels is in y_true")
    M = np.einsum("n,ni,nj->ij", w, T.astype(float), P.astype(float))
    if normalize is None:
        return _counted(M, sample_weight)
    below = {"true": M.sum(1)[:, None], "pred": M.sum(0)[None, :], "all": M.sum()}[normalize]
    with np.errstate(all="ignore"):
        M = M / below
    M[np.isnan(M)] = 0.0
    return M


def multilabel_confusion_matrix(y_true, y_pred, *, sample_weight=None, labels=None):
    T, P, w = _indicators(y_true, y_pred, labels, sample_weight)
    out = np.empty((T.shape[1], 2, 2))
    for row, t in enumerate((~T, T)):
        for column, p in enumerate((~P, P)):
            out[:, row, column] = w @ (t & p)
    return _counted(out, sample_weight)


def precision_recall_fscore_support(
    y_true, y_pred, *, beta=1.0, labels=None, pos_label=1, average=None, sample_weight=None, zero_division="warn"
):
    if average == "binary":
        classes = set(np.ravel(y_true).tolist()) | set(np.ravel(y_pred).tolist())
        if len(classes) > 2 or (len(classes) == 2 and pos_label not in classes):
            raise ValueError(f"no positive class {pos_label} of two: {classes}")
        labels = [pos_label]
    tables = multilabel_confusion_matrix(y_true, y_pred, sample_weight=sample_weight, labels=labels)
    if average == "micro":
        tables = [sum(tables)]
    silent = zero_division != "warn"
    filler = float(zero_division) if silent else 0.0
    rows, support = [], []
    for (_, fp), (fn, tp) in tables:
        p = tp / (tp + fp) if tp + fp else filler
        r = tp / (tp + fn) if tp + fn else filler
        if not silent and (not tp + fp or not tp + fn):
            warn(UndefinedMetricWarning, "0 / 0 is set to 0")
        if beta == np.inf:
            f = r
        elif beta**2 * (tp + fn) + tp + fp == 0:
            f = filler
        else:
            f = 0.0 if tp == 0 else (1 + beta**2) / (1 / p + beta**2 / r)
        rows.append((p, r, f))
        support.append(tp + fn)
    rows, support = np.array(rows, dtype=float), np.array(support)
    if average is None:
        return (*rows.T, support)
    means = []
    for column in rows.T:
        there = np.isfinite(column)
        w = support[there] if average == "weighted" else np.ones(there.sum())
        if not w.any():
            w = np.ones(there.sum())
        means.append(float((column[there] * w).sum() / w.sum()) if there.any() else np.nan)
    return (*means, None)


def precision_score(y_true, y_pred, *, average="binary", **options):
    p, _, _, _ = precision_recall_fscore_support(y_true, y_pred, average=average, **options)
    return p


def recall_score(y_true, y_pred, *, average="binary", **options):
    _, r, _, _ = precision_recall_fscore_support(y_true, y_pred, average=average, **options)
    return r


def fbeta_score(y_true, y_pred, *, beta, average="binary", **options):
    _, _, f, _ = precision_recall_fscore_support(y_true, y_pred, beta=beta, average=average, **options)
    return f


def f1_score(y_true, y_pred, *, average="binary", **options):
    return fbeta_score(y_true, y_pred, beta=1, average=average, **options)


def balanced_accuracy_score(y_true, y_pred, *, sample_weight=None, adjusted=False):
    y_true, y_pred = check_labels(y_true, y_pred)
    w = check_weights(sample_weight, y_true.size)
    recalls = []
    for label in np.unique(y_true[w > 0]):
        own = y_true == label
        recalls.append(w[own & (y_pred == label)].sum() / w[own].sum())
    chance = 1 / len(recalls) if adjusted else 0.0
    return (float(np.mean(recalls)) - chance) / (1 - chance)


def matthews_corrcoef(y_true, y_pred, *, sample_weight=None):
    T, P, w = _indicators(y_true, y_pred, None, sample_weight)
    w = w / w.sum()
    T, P = T - w @ T, P - w @ P
    covariance = [np.sum(w[:, None] * A * B) for A, B in ((T, P), (T, T), (P, P))]
    scale = np.sqrt(covariance[1] * covariance[2])
    return float(covariance[0] / scale) if scale > 1e-14 else 0.0


def _columns(y_true, y_pred):
    y_true, y_pred = np.array(y_true, dtype=float), np.array(y_pred, dtype=float)
    y_true, y_pred = y_true.reshape(len(y_true), -1), y_pred.reshape(len(y_pred), -1)
    if y_true.shape != y_pred.shape or not np.isfinite([y_true, y_pred]).all():
        raise ValueError("y_true and y_pred: finite, and of one shape")
    return y_true, y_pred


def _reduced(each, multioutput):
    if isinstance(multioutput, str):
        return each if multioutput == "raw_values" else float(each.mean())
    return float(each @ multioutput / np.sum(multioutput))


def mean_squared_error(y_true, y_pred, *, sample_weight=None, multioutput="uniform_average"):
    y_true, y_pred = _columns(y_true, y_pred)
    w = check_weights(sample_weight, len(y_true))
    return _reduced(w @ np.square(y_pred - y_true) / w.sum(), multioutput)


def mean_absolute_error(y_true, y_pred, *, sample_weight=None, multioutput="uniform_average"):
    y_true, y_pred = _columns(y_true, y_pred)
    w = check_weights(sample_weight, len(y_true))
    return _reduced(w @ abs(y_pred - y_true) / w.sum(), multioutput)


def r2_score(y_true, y_pred, *, sample_weight=None, multioutput="uniform_average"):
    y_true, y_pred = _columns(y_true, y_pred)
    w = check_weights(sample_weight, len(y_true))
    each = []
    for y, z in zip(y_true.T, y_pred.T):
        missed = (w * (y - z) ** 2).sum()
        if len(set(y[w > 0])) == 1:
            each.append(1.0 if missed == 0 else 0.0)
        else:
            middle = (w * y).sum() / w.sum()
            each.append(1 - missed / (w * (y - middle) ** 2).sum())
    return _reduced(np.array(each), multioutput)
