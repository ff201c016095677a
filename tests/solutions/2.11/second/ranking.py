"""Curves by searching each threshold in the sorted scores of either class, instead of running counts."""

import numpy as np

from .metrics import UndefinedMetricWarning
from .validation import check_weights, warn


def is_positive(y_true, pos_label=None):
    y_true = np.ravel(np.array(y_true))
    classes = set(y_true.tolist())
    if len(classes) > 2 or (pos_label is None and not (classes <= {0, 1} or classes <= {-1, 1})):
        raise ValueError(f"two classes, and which is positive: got {classes}")
    return y_true == (1 if pos_label is None else pos_label)


def _weight_at_or_above(scores, weights, thresholds):
    order = np.argsort(scores, kind="stable")
    above = np.concatenate([np.cumsum(weights[order][::-1])[::-1], [0.0]])
    return above[np.searchsorted(scores[order], thresholds, side="left")]


def confusion_matrix_at_thresholds(y_true, y_score, pos_label=None, sample_weight=None):
    positive, y_score = is_positive(y_true, pos_label), np.ravel(np.array(y_score, dtype=float))
    if positive.shape != y_score.shape or not np.isfinite(y_score).all():
        raise ValueError("a finite score for each sample is expected")
    w = check_weights(sample_weight, len(y_score))
    thresholds = np.unique(y_score[w > 0])[::-1]
    tps = _weight_at_or_above(y_score[positive], w[positive], thresholds)
    fps = _weight_at_or_above(y_score[~positive], w[~positive], thresholds)
    return w[~positive].sum() - fps, fps, w[positive].sum() - tps, tps, thresholds


def roc_curve(y_true, y_score, *, pos_label=None, sample_weight=None, drop_intermediate=True):
    tns, fps, fns, tps, thresholds = confusion_matrix_at_thresholds(y_true, y_score, pos_label, sample_weight)
    keep = list(range(len(fps)))
    if drop_intermediate:
        keep = [
            i
            for i in keep
            if i == 0
            or i == len(fps) - 1
            or fps[i + 1] - fps[i] != fps[i] - fps[i - 1]
            or tps[i + 1] - tps[i] != tps[i] - tps[i - 1]
        ]
    rates = []
    for counts, others in ((fps, tns), (tps, fns)):
        total = counts[0] + others[0]
        if total == 0:
            warn(UndefinedMetricWarning, "one class is missing")
        rates.append(np.array([0.0] + [counts[i] for i in keep]) / total if total else np.full(len(keep) + 1, np.nan))
    return rates[0], rates[1], np.array([np.inf] + [thresholds[i] for i in keep])


def precision_recall_curve(y_true, y_score, *, pos_label=None, sample_weight=None):
    _, fps, fns, tps, thresholds = confusion_matrix_at_thresholds(y_true, y_score, pos_label, sample_weight)
    if tps.max() == 0:
        warn(UndefinedMetricWarning, "no positives")
        recall = np.ones(len(tps))
    else:
        recall = tps / (tps + fns)
    precision = tps / (tps + fps)
    return np.r_[precision[::-1], 1.0], np.r_[recall[::-1], 0.0], thresholds[::-1]


def average_precision_score(y_true, y_score, *, average="macro", pos_label=1, sample_weight=None):
    if np.ndim(y_score) == 2:
        return _each_class(average_precision_score, y_true, y_score, average, sample_weight)
    precision, recall, _ = precision_recall_curve(y_true, y_score, pos_label=pos_label, sample_weight=sample_weight)
    total = 0.0
    for i in range(len(precision) - 1):
        total += (recall[i] - recall[i + 1]) * precision[i]
    return float(total)


def auc(x, y):
    x, y = np.array(x, dtype=float), np.array(y, dtype=float)
    if len(x) < 2 or len(x) != len(y):
        raise ValueError("two points at least")
    if (np.sort(x) == x).all():
        sign = 1.0
    elif (np.sort(x)[::-1] == x).all():
        sign = -1.0
    else:
        raise ValueError("x turns")
    total = 0.0
    for i in range(len(x) - 1):
        total += (x[i + 1] - x[i]) * 0.5 * (y[i] + y[i + 1])
    return sign * float(total)


def average_ranks(values):
    values = np.array(values)
    ordered = np.sort(values)
    return (np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right") + 1) / 2


def auc_by_pairs(y_true, y_score):
    positive = [s for y, s in zip(y_true, y_score) if y == 1]
    negative = [s for y, s in zip(y_true, y_score) if y != 1]
    won = sum(1.0 if p > n else 0.5 if p == n else 0.0 for p in positive for n in negative)
    return won / (len(positive) * len(negative))


def auc_by_ranks(y_true, y_score):
    y_true = np.array(y_true)
    ranks = average_ranks(y_score)
    P, N = (y_true == 1).sum(), (y_true != 1).sum()
    return float((ranks[y_true == 1].mean() - ranks[y_true != 1].mean()) / (P + N) + 0.5)


def roc_auc_score(y_true, y_score, *, average="macro", sample_weight=None, multi_class="raise", labels=None):
    if np.ndim(y_score) == 1:
        y_true = np.ravel(np.array(y_true))
        classes = np.unique(y_true)
        if len(classes) > 2:
            raise ValueError("more than two classes want a column each")
        if len(classes) < 2:
            warn(UndefinedMetricWarning, "one class only")
            return float("nan")
        fpr, tpr, _ = roc_curve(y_true, y_score, pos_label=classes[1], sample_weight=sample_weight)
        return auc(fpr, tpr)
    if multi_class == "ovr":
        return _each_class(roc_auc_score, y_true, y_score, average, sample_weight)
    if multi_class != "ovo" or average not in ("macro", "weighted") or sample_weight is not None:
        raise ValueError("ovr, or ovo without weights, macro or weighted")
    y_true, y_score = np.array(y_true), np.array(y_score)
    classes = np.unique(y_true if labels is None else labels)
    total = norm = 0.0
    for a in range(len(classes)):
        for b in range(a):
            pair = np.isin(y_true, classes[[a, b]])
            area = sum(
                roc_auc_score((y_true[pair] == classes[c]).astype(int), y_score[pair, c], average="macro")
                for c in (a, b)
            )
            w = pair.mean() if average == "weighted" else 1.0
            total, norm = total + w * area / 2, norm + w
    return float(total / norm)


def _each_class(metric, y_true, y_score, average, sample_weight):
    y_true, y_score = np.array(y_true), np.array(y_score)
    classes = np.unique(y_true)
    targets = [(y_true == c).astype(int) for c in classes]
    w = check_weights(sample_weight, len(y_true))
    if average == "micro":
        return metric(np.concatenate(targets), y_score.T.ravel(), sample_weight=np.tile(w, len(classes)))
    values = np.array([metric(t, y_score[:, j], sample_weight=w) for j, t in enumerate(targets)])
    if average is None:
        return values
    shares = np.array([w @ t for t in targets]) if average == "weighted" else np.ones(len(classes))
    return float(values @ shares / shares.sum())
