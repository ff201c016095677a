"""What scores are worth as an order: the ROC curve, the area under it, and the curve of precision against recall.

A classifier that gives scores leaves the threshold open. Each threshold makes four cells; going through all of them
from the highest score to the lowest makes a curve. Samples with equal scores pass the threshold together, so that the
order of the rows has no say.

Fawcett, An introduction to ROC analysis (2006). Hanley and McNeil, The meaning and use of the area under a receiver
operating characteristic (ROC) curve (1982). Hand and Till, A simple generalisation of the area under the ROC curve for
multiple class classification problems (2001). Davis and Goadrich, The relationship between Precision-Recall and ROC
curves (2006).
"""

from itertools import combinations

import numpy as np

from .metrics import UndefinedMetricWarning, check_labels
from .validation import check_array, check_choice, check_weights, encode_labels, warn


def is_positive(y_true, pos_label=None):  # given
    """Which samples are positive: y_true (n,) of two classes or one -> bool (n,).

    pos_label: the positive class; None for 1, which may stand beside 0 or -1 alone. Raises ValueError for more classes,
    for two of which pos_label is none, and without a pos_label for others than 0, 1 and -1.
    """
    y_true, _ = check_labels(y_true, y_true)
    classes = np.unique(y_true)
    if len(classes) > 2:
        raise ValueError(f"multiclass format is not supported: y_true holds the classes {classes.tolist()}")
    if pos_label is None:
        if not (set(classes.tolist()) <= {0, 1} or set(classes.tolist()) <= {-1, 1}):
            raise ValueError(
                f"y_true takes value in {classes.tolist()} and pos_label is not specified: either make y_true take"
                " value in {0, 1} or {-1, 1} or pass pos_label explicitly."
            )
        pos_label = 1
    if len(classes) == 2 and pos_label not in classes.tolist():
        raise ValueError(f"pos_label={pos_label} is not a valid label. It should be one of {classes}")
    return y_true == pos_label


# ------------------------------------------------------------------------------------------------------- thresholds


def confusion_matrix_at_thresholds(y_true, y_score, pos_label=None, sample_weight=None):
    """The four cells where all samples with a score >= threshold are called positive, for each score that occurs.

    y_true (n,), y_score (n,) -> tns, fps, fns, tps, thresholds, each float64 (t,). The thresholds are the distinct
    scores of samples that have weight, from the highest to the lowest. So the last threshold calls every sample
    positive. pos_label as in `is_positive`.
    Raises ValueError as `is_positive`, for lengths that differ, and for scores that are NaN or infinite.
    """
    positive, y_score, weights = _check_scores(y_true, y_score, pos_label, sample_weight)
    order = np.argsort(y_score)[::-1]
    y_score, weighed = y_score[order], weights[order]
    last = np.append(np.flatnonzero(np.diff(y_score)), len(y_score) - 1)  # of each group of equal scores
    tps = np.cumsum(weighed * positive[order])[last]
    fps = np.cumsum(weighed * ~positive[order])[last]
    return fps[-1] - fps, fps, tps[-1] - tps, tps, y_score[last]


def roc_curve(y_true, y_score, *, pos_label=None, sample_weight=None, drop_intermediate=True):
    """The true positive rate over the false positive rate, a point for each threshold, from (0, 0) to (1, 1).

    y_true (n,), y_score (n,) -> fpr, tpr, thresholds, each (t,). fpr = fp / (fp + tn), tpr = tp / (tp + fn), where a
    score >= threshold is called positive. The first threshold is infinity: nothing is called positive. Then as in
    `confusion_matrix_at_thresholds`.
    drop_intermediate: leaves out the points in the middle of two equal steps: those from whose predecessor to them fp
    and tp grew by as much as from them to their successor. The points of infinity, of the highest score and of the
    lowest stay whatever their steps.
    Without negatives fpr is NaN, without positives tpr, each with an UndefinedMetricWarning.
    """
    _, fps, _, tps, thresholds = confusion_matrix_at_thresholds(y_true, y_score, pos_label, sample_weight)
    if drop_intermediate and len(fps) > 2:
        bends = (np.diff(fps, 2) != 0) | (np.diff(tps, 2) != 0)
        kept = np.concatenate([[True], bends, [True]])
        fps, tps, thresholds = fps[kept], tps[kept], thresholds[kept]
    fps, tps, thresholds = np.insert(fps, 0, 0.0), np.insert(tps, 0, 0.0), np.insert(thresholds, 0, np.inf)
    return _rate(fps, "negative", "false"), _rate(tps, "positive", "true"), thresholds


def precision_recall_curve(y_true, y_score, *, pos_label=None, sample_weight=None):
    """Precision and recall at each threshold: y_true (n,), y_score (n,) -> precision, recall (t+1,), thresholds (t,).

    Thresholds rise here, and recall falls; the last point, without a threshold, is precision 1 and recall 0. A score >=
    threshold is called positive. Without positives recall is 1 at every threshold, with an UndefinedMetricWarning.
    """
    _, fps, _, tps, thresholds = confusion_matrix_at_thresholds(y_true, y_score, pos_label, sample_weight)
    precision = tps / (tps + fps)
    if tps[-1] == 0:
        warn(UndefinedMetricWarning, "No positive class found in y_true, recall is set to one for all thresholds.")
    recall = tps / tps[-1] if tps[-1] > 0 else np.ones_like(tps)
    return np.append(precision[::-1], 1.0), np.append(recall[::-1], 0.0), thresholds[::-1]


def average_precision_score(y_true, y_score, *, average="macro", pos_label=1, sample_weight=None):
    """The sum over the thresholds of (recall gained there) * (precision there): float in [0, 1].

    Steps, not trapezoids: between two points of the curve precision is not linear, and a line would promise too much
    (Davis and Goadrich, section 4). 0 without positives, with an UndefinedMetricWarning.
    For y_true of more than two classes y_score is (n, k), a column for each class in ascending order; then each class
    against the rest, and average as for "ovr" in `roc_auc_score`.
    """
    if np.ndim(y_score) == 2 and np.shape(y_score)[1] > 1:
        classes, codes = encode_labels(y_true, "y_true")
        return _one_against_rest(average_precision_score, codes, y_score, len(classes), average, sample_weight)
    precision, recall, _ = precision_recall_curve(y_true, y_score, pos_label=pos_label, sample_weight=sample_weight)
    return float(-np.sum(np.diff(recall) * precision[:-1]))


# -------------------------------------------------------------------------------------------------- area, three ways


def auc(x, y):
    """The area under the points (x, y) joined by straight lines: x (t,) that only rises or only falls, y (t,) -> float.

    Raises ValueError for less than two points, lengths that differ, and an x that turns.
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape or len(x) < 2:
        raise ValueError(f"x and y should be 1d arrays of one length >= 2, for an area; got {x.shape} and {y.shape}")
    width = np.diff(x)
    if np.any(width < 0) and np.any(width > 0):
        raise ValueError(f"x is neither increasing nor decreasing: {x}")
    area = np.sum(width * (y[1:] + y[:-1]) / 2)
    return float(-area if np.any(width < 0) else area)


def average_ranks(values):
    """The place of each value in ascending order, from 1; equal ones share the mean of theirs: (n,) -> float64 (n,)."""
    _, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)  # the place of the last of each group
    return (last - (counts - 1) / 2)[codes]


def auc_by_pairs(y_true, y_score):
    """The share of pairs of a positive and a negative in which the positive has the higher score; a tie is half a pair.

    y_true (n,) of 0 and 1, both present, y_score (n,) -> float. Costs (positives x negatives) comparisons.
    """
    positive = np.asarray(y_true) == 1
    margin = np.subtract.outer(np.asarray(y_score)[positive], np.asarray(y_score)[~positive])  # (positives, negatives)
    return float(np.mean((np.sign(margin) + 1) / 2))


def auc_by_ranks(y_true, y_score):
    """The same share from the sum R of the positives' ranks: (R - P (P + 1) / 2) / (P N), P positives and N negatives.

    y_true (n,) of 0 and 1, both present, y_score (n,) -> float. Equal scores share the mean of their ranks. It is the
    statistic of Mann and Whitney divided by its largest value; Hanley and McNeil (1982).
    """
    positive = np.asarray(y_true) == 1
    P = int(np.sum(positive))
    rank_sum = np.sum(average_ranks(y_score)[positive])
    beaten = rank_sum - P * (P + 1) / 2  # a rank counts the positives below as well: take them out
    return float(beaten / (P * (len(positive) - P)))


def roc_auc_score(y_true, y_score, *, average="macro", sample_weight=None, multi_class="raise", labels=None):
    """The area under the ROC curve: of a random positive and a random negative, how probable is the right order?

    Two classes: y_true (n,), the greater class being positive, and y_score (n,). One class only: NaN, with an
    UndefinedMetricWarning. Ties count half. -> float

    More classes: y_score (n, k), probabilities whose rows sum to 1, a column for each class in ascending order; labels
    are the classes in this order, None for those in y_true. multi_class has to be said:
        "ovr" the area of each class against the rest. average: "macro" their mean, "weighted" their mean with the
              classes' shares in y_true as weights, "micro" one area over all entries of y_score, None the areas (k,).
        "ovo" for each pair of classes that occur, on their samples alone, the mean of the two areas in which one or the
              other is positive. average: "macro" the mean over the pairs, "weighted" with the pairs' shares of the
              samples as weights. Hand and Till (2001). No sample_weight.
    Raises ValueError for anything else.
    """
    if np.ndim(y_score) < 2 or np.shape(y_score)[1] == 1:
        return _binary_auc(is_positive(y_true, pos_label=np.unique(y_true)[-1]), y_score, sample_weight)
    check_choice("multi_class", multi_class, ("ovr", "ovo"))
    classes = encode_labels(y_true if labels is None else labels)[0]
    y_score = check_array(y_score, "y_score")
    if labels is not None and not np.array_equal(labels, classes):
        raise ValueError(f"Parameter 'labels' must be unique and ascending, as the columns are; got {labels}")
    if y_score.shape[1] != len(classes) or not np.isin(y_true, classes).all():
        raise ValueError(
            f"y_score has {y_score.shape[1]} columns and the classes are {classes.tolist()}: pass them as labels"
        )
    if not np.allclose(y_score.sum(axis=1), 1):
        raise ValueError(
            "Target scores need to be probabilities for multiclass roc_auc, i.e. they should sum up to 1.0"
        )
    codes = np.searchsorted(classes, y_true)
    if multi_class == "ovr":
        return _one_against_rest(_binary_auc, codes, y_score, len(classes), average, sample_weight)
    if sample_weight is not None:
        raise ValueError("sample_weight is not supported for one-vs-one, it must be None in this case.")
    return _one_against_one(codes, y_score, average)


def _check_scores(y_true, y_score, pos_label, sample_weight):
    """Which samples are positive, their scores, their weights, (n,) each; samples of weight 0 left out."""
    positive = is_positive(y_true, pos_label)
    y_score = np.asarray(y_score)
    if y_score.ndim != 1 and y_score.size != len(y_score):
        raise ValueError(f"y_score should be a 1d array, got an array of shape {y_score.shape} instead.")
    y_score = check_array(y_score.reshape(-1, 1), "y_score").ravel()
    if len(y_score) != len(positive):
        n = len(positive)
        raise ValueError(f"Found input variables with inconsistent numbers of samples: {n} and {len(y_score)} scores")
    weights = check_weights(sample_weight, len(y_score))
    counts = weights > 0
    return (positive, y_score, weights) if counts.all() else (positive[counts], y_score[counts], weights[counts])


def _rate(counts, kind, name):
    """counts (t,) over the last of them, which is all; NaN where there is nothing of that kind."""
    if counts[-1] == 0:
        warn(UndefinedMetricWarning, f"No {kind} samples in y_true, {name} positive value should be meaningless")
        return np.full(len(counts), np.nan)
    return counts / counts[-1]


def _binary_auc(positive, y_score, sample_weight=None):
    """The area under the curve of bool (n,) by scores (n,): float, NaN where there is one class only."""
    _, fps, _, tps, _ = confusion_matrix_at_thresholds(positive, y_score, sample_weight=sample_weight)
    if tps[-1] == 0 or fps[-1] == 0:
        warn(UndefinedMetricWarning, "Only one class is present in y_true. ROC AUC score is not defined in that case.")
        return float("nan")
    return auc(np.insert(fps, 0, 0), np.insert(tps, 0, 0)) / float(tps[-1] * fps[-1])


def _one_against_rest(metric, codes, y_score, k, average, sample_weight):
    """A metric of two classes for each of k against the rest, averaged: codes (n,) from 0 to k-1, y_score (n, k)."""
    check_choice("average", average, ("macro", "weighted", "micro", None))
    is_class = codes[:, None] == np.arange(k)  # (n, k)
    if average == "micro":
        weights = None if sample_weight is None else np.repeat(sample_weight, k)
        return metric(is_class.ravel(), np.ravel(y_score), sample_weight=weights)
    values = np.array([metric(is_class[:, j], y_score[:, j], sample_weight=sample_weight) for j in range(k)])
    shares = check_weights(sample_weight, len(codes)) @ is_class
    return values if average is None else float(np.average(values, weights=shares if average == "weighted" else None))


def _one_against_one(codes, y_score, average):
    """The mean area over the pairs of classes that occur: codes (n,), the columns of the classes in y_score (n, k)."""
    check_choice("average", average, ("macro", "weighted"))
    areas, shares = [], []
    for a, b in combinations(np.unique(codes), 2):
        both = (codes == a) | (codes == b)
        is_a, score = codes[both] == a, y_score[both]
        areas.append((_binary_auc(is_a, score[:, a]) + _binary_auc(~is_a, score[:, b])) / 2)
        shares.append(np.mean(both))
    return float(np.average(areas, weights=shares if average == "weighted" else None))
