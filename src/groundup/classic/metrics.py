"""What predictions are worth: counts of right and wrong classes, the rates made of them, and the errors of numbers.

Every rate of a classifier is a quotient of the four cells that one class against the rest makes: true positives tp,
false positives fp, false negatives fn and true negatives tn. A sample counts as much as its weight.

Van Rijsbergen, Information Retrieval (2nd edition, 1979), chapter 7. Sokolova and Lapalme, A systematic analysis of
performance measures for classification tasks (2009). Gorodkin, Comparing two K-category assignments by a K-category
correlation coefficient (2004).
"""

import numpy as np

from .validation import check_array, check_choice, check_number, check_weights, encode_labels, warn


class UndefinedMetricWarning(UserWarning):
    """A quotient of a metric is 0 / 0."""


def check_labels(y_true, y_pred):  # given
    """Two lists of classes as one-dimensional arrays of one length n >= 1; columns (n, 1) are taken as (n,).

    Raises ValueError for other shapes, lengths that differ, nothing, real numbers, NaN, or words beside numbers.
    """
    y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
    for name, y in (("y_true", y_true), ("y_pred", y_pred)):
        if y.ndim != 1 and not (y.ndim == 2 and y.shape[1] == 1):
            raise ValueError(f"y should be a 1d array of classes, got {name} of shape {y.shape} instead.")
        if len(y) == 0:
            raise ValueError(f"Found empty input array: {name} has 0 samples while a minimum of 1 is required.")
        if y.dtype.kind not in "iubUS":
            encode_labels(y.ravel(), name)  # for its errors
    if len(y_true) != len(y_pred):
        raise ValueError(f"Found input variables with inconsistent numbers of samples: {len(y_true)} and {len(y_pred)}")
    words = [y.dtype.kind in "US" or isinstance(y.flat[0], str) for y in (y_true, y_pred)]
    if words[0] != words[1]:
        raise ValueError("Labels in y_true and y_pred should be of the same type: words, or numbers. Got both.")
    return y_true.ravel(), y_pred.ravel()


# ------------------------------------------------------------------------------------------------ counts of classes


def accuracy_score(y_true, y_pred, *, normalize=True, sample_weight=None):
    """Which share of the weight is on samples whose class is predicted: y_true (n,), y_pred (n,) -> float in [0, 1].

    normalize: False for the weight itself instead of the share. Raises ValueError as `check_labels`, `check_weights`.
    """
    y_true, y_pred = check_labels(y_true, y_pred)
    hit = y_true == y_pred
    weights = check_weights(sample_weight, len(hit))
    return float(np.average(hit, weights=weights) if normalize else weights @ hit)


def confusion_matrix(y_true, y_pred, *, labels=None, sample_weight=None, normalize=None):
    """How much weight is on each pair of a true class (row) and a predicted class (column): two (n,) -> (k, k).

    labels: the classes in the order of the rows and columns; None for all that occur in y_true or y_pred, ascending.
    Samples of which either class is not among them do not count; a label that does not occur has a row and a column of
    zeros. int64, or float64 where sample_weight holds floats.
    normalize: "true" divides each row by its sum, "pred" each column, "all" the matrix by its sum; 0 / 0 is 0. None
    leaves the counts.
    Raises ValueError where no label occurs in y_true; and as `check_labels` and `check_weights`.
    """
    check_choice("normalize", normalize, ("true", "pred", "all", None))
    labels, true, pred = _encode(*check_labels(y_true, y_pred), labels)
    k = len(labels)
    if not np.any(true < k):
        raise ValueError("At least one label specified must be in y_true")
    true *= k + 1
    true += pred  # a number for each pair
    counts = _count(true, (k + 1) ** 2, sample_weight, len(true))
    counts = counts.reshape(k + 1, k + 1)[:k, :k]  # the last row and column hold what is none of the labels
    if normalize is None:
        return counts
    total = counts.sum(axis={"true": 1, "pred": 0, "all": None}[normalize], keepdims=True)
    return counts / np.where(total == 0, 1, total)


def multilabel_confusion_matrix(y_true, y_pred, *, sample_weight=None, labels=None):
    """The four cells of each class against the rest, [[tn, fp], [fn, tp]]: y_true (n,), y_pred (n,) -> (k, 2, 2).

    labels: which classes, in which order; None for all that occur in y_true or y_pred, ascending. Every sample counts
    in every table, whatever its classes. int64, or float64 where sample_weight holds floats.
    """
    labels, true, pred = _encode(*check_labels(y_true, y_pred), labels)
    k, n = len(labels), len(true)
    is_true = _count(true, k + 1, sample_weight, n)  # the last entry holds what is none of the labels
    is_pred = _count(pred, k + 1, sample_weight, n)
    is_both = _count(np.where(true == pred, true, k), k + 1, sample_weight, n)[:k]
    total, is_true, is_pred = is_true.sum(), is_true[:k], is_pred[:k]
    tn = total - is_true - is_pred + is_both
    return np.stack([tn, is_pred - is_both, is_true - is_both, is_both], axis=1).reshape(k, 2, 2)


# ------------------------------------------------------------------------------------------------ rates of one class


def precision_recall_fscore_support(
    y_true,
    y_pred,
    *,
    beta=1.0,
    labels=None,
    pos_label=1,
    average=None,
    sample_weight=None,
    zero_division="warn",
):
    """Precision tp / (tp + fp), recall tp / (tp + fn), their F score, and the support tp + fn of the classes.

    F is the harmonic mean with weight a = 1 / (1 + beta^2) on precision and 1 - a on recall; in cells,
    tp / (tp + a fp + (1 - a) fn). beta >= 0: 0 makes it precision, infinity recall.
    labels: which classes; None for all that occur in y_true or y_pred, ascending.
    average: None returns arrays (k,), one entry for each label. Else floats, and None for the support:
        "binary" the values of pos_label alone, where there are no more than two classes,
        "micro" the values of the cells summed over the labels,
        "macro" the mean over the labels, "weighted" the mean with their support as weights.
    zero_division: what 0 / 0 becomes, a number; "warn" is 0 with an UndefinedMetricWarning. NaN is left out of the
    means; where all weights that remain are 0, each value counts the same.
    Raises ValueError for average="binary" with more than two classes, or two of which pos_label is none.
    """
    check_choice("average", average, ("binary", "micro", "macro", "weighted", None))
    check_number("beta", beta, low=0.0)
    if average == "binary":
        labels = [_positive_of_two(y_true, y_pred, pos_label)]
    cells = multilabel_confusion_matrix(y_true, y_pred, sample_weight=sample_weight, labels=labels)
    if average == "micro":
        cells = cells.sum(axis=0, keepdims=True)
    tp, fp, fn = cells[:, 1, 1], cells[:, 0, 1], cells[:, 1, 0]  # (k,)
    a = 1.0 / (1.0 + beta**2)
    support = tp + fn
    precision = _divide(tp, tp + fp, zero_division, "Precision", "predicted")
    recall = _divide(tp, support, zero_division, "Recall", "true")
    fscore = _divide(tp, tp + a * fp + (1 - a) * fn, zero_division, "F-score", "true nor predicted")
    if average is None:
        return precision, recall, fscore, support
    weights = support if average == "weighted" else None
    return *(_mean_of_defined(values, weights) for values in (precision, recall, fscore)), None


def precision_score(y_true, y_pred, *, average="binary", **options):
    """Of what was called positive, the share that is: tp / (tp + fp).

    average, and as options labels, pos_label, sample_weight and zero_division: as `precision_recall_fscore_support`.
    """
    return precision_recall_fscore_support(y_true, y_pred, average=average, **options)[0]


def recall_score(y_true, y_pred, *, average="binary", **options):
    """Of what is positive, the share that was called so: tp / (tp + fn). Arguments as `precision_score`."""
    return precision_recall_fscore_support(y_true, y_pred, average=average, **options)[1]


def fbeta_score(y_true, y_pred, *, beta, average="binary", **options):
    """The F score of `precision_recall_fscore_support`, leaning to recall for beta > 1. Else as `precision_score`."""
    return precision_recall_fscore_support(y_true, y_pred, beta=beta, average=average, **options)[2]


def f1_score(y_true, y_pred, *, average="binary", **options):
    """The harmonic mean of precision and recall, 2 tp / (2 tp + fp + fn). Arguments as `precision_score`."""
    return fbeta_score(y_true, y_pred, beta=1.0, average=average, **options)


def balanced_accuracy_score(y_true, y_pred, *, sample_weight=None, adjusted=False):
    """The mean of the recalls of the classes that occur in y_true: float in [0, 1].

    A class counts as occurring where its samples have some weight. adjusted: shifted and scaled so that a guess is
    worth 0 on average and 1 stays 1: (score - 1/k) / (1 - 1/k) for k classes in y_true. A UserWarning where a class
    is predicted that does not occur.
    """
    cells = multilabel_confusion_matrix(y_true, y_pred, sample_weight=sample_weight)
    tp, support = cells[:, 1, 1], cells[:, 1].sum(axis=1)
    occurs = support > 0
    if not occurs.all():
        warn(UserWarning, "y_pred contains classes not in y_true")
    score = np.mean(tp[occurs] / support[occurs])
    if adjusted:
        chance = 1.0 / np.sum(occurs)
        score = (score - chance) / (1.0 - chance)
    return float(score)


def matthews_corrcoef(y_true, y_pred, *, sample_weight=None):
    """The correlation of true and predicted classes, each class an indicator: float in [-1, 1].

    For two classes (tp tn - fp fn) / sqrt((tp + fp)(tp + fn)(tn + fp)(tn + fn)). For k, with an indicator of each class
    for either list, the covariance summed over the classes, over the root of the product of the two variances, each
    summed over the classes. Gorodkin (2004). 0 where either list holds one class only.
    """
    C = confusion_matrix(y_true, y_pred, sample_weight=sample_weight).astype(np.float64)
    C /= C.sum()
    true, pred = C.sum(axis=1), C.sum(axis=0)  # (k,): the shares of the classes
    if min(np.count_nonzero(true), np.count_nonzero(pred)) < 2:
        return 0.0
    return float((np.trace(C) - true @ pred) / np.sqrt((1 - true @ true) * (1 - pred @ pred)))


# ------------------------------------------------------------------------------------------------ errors of numbers


def mean_squared_error(y_true, y_pred, *, sample_weight=None, multioutput="uniform_average"):
    """The weighted mean of (y_true - y_pred)^2: both (n,) or both (n, k) -> float >= 0, in the units of y squared.

    multioutput: how the k columns make one number: "uniform_average" their mean, "raw_values" none, (k,); an array of k
    weights their weighted mean. A column (n, 1) may stand for (n,). Raises ValueError for shapes that differ, NaN and
    infinity.
    """
    y_true, y_pred, weights = _check_numbers(y_true, y_pred, sample_weight)
    return _over_columns(weights @ (y_true - y_pred) ** 2 / weights.sum(), multioutput)


def mean_absolute_error(y_true, y_pred, *, sample_weight=None, multioutput="uniform_average"):
    """The weighted mean of |y_true - y_pred|, in the units of y. Arguments as `mean_squared_error`."""
    y_true, y_pred, weights = _check_numbers(y_true, y_pred, sample_weight)
    return _over_columns(weights @ np.abs(y_true - y_pred) / weights.sum(), multioutput)


def r2_score(y_true, y_pred, *, sample_weight=None, multioutput="uniform_average"):
    """R^2 = 1 - sum((y_true - y_pred)^2) / sum((y_true - mean of y_true)^2), sums and mean weighted: float, 1 at best.

    0 is what the mean of y_true is worth. Where y_true is constant, a single sample included, 1 if it is met exactly,
    else 0. Of weights 0 nothing is seen. Arguments as `mean_squared_error`.
    """
    y_true, y_pred, weights = _check_numbers(y_true, y_pred, sample_weight)
    missed = weights @ (y_true - y_pred) ** 2  # (k,)
    spread = weights @ (y_true - np.average(y_true, axis=0, weights=weights)) ** 2
    seen = y_true if sample_weight is None else y_true[weights > 0]
    constant = (seen == seen[0]).all(axis=0)  # not spread == 0: rounding in the mean can leave a little
    r2 = np.where(constant, missed == 0, 1 - missed / np.where(constant, 1, spread))
    return _over_columns(r2, multioutput)


def _encode(y_true, y_pred, labels):
    """The labels (k,), and of each true and predicted class the place among them, (n,) and (n,); k for none of them."""
    numbers = y_true.dtype.kind in "bi" and y_pred.dtype.kind in "bi"
    low, high = (min(y_true.min(), y_pred.min(), 0), max(y_true.max(), y_pred.max())) if numbers else (0, 0)
    if numbers and int(high) - int(low) <= 2 * len(y_true):
        # Integers of a small range are counted and looked up, not sorted: of a million, 0.02 s in the place of 0.3 s.
        if low < 0:
            y_true, y_pred = np.subtract(y_true, low, dtype=np.int64), np.subtract(y_pred, low, dtype=np.int64)
        size = int(high) - int(low) + 1
        present = np.bincount(y_true, minlength=size) + np.bincount(y_pred, minlength=size) > 0
        classes = np.flatnonzero(present) + int(low)
        codes = np.cumsum(present) - 1  # (size,): the place of each integer among the classes
    else:
        classes, both = encode_labels(np.concatenate([y_true, y_pred]))
        y_true, y_pred, codes = both[: len(y_true)], both[len(y_true) :], np.arange(len(classes))
    if labels is not None:
        labels = np.asarray(labels)
        place = {label: i for i, label in enumerate(labels.tolist())}
        codes = np.array([place.get(label, len(labels)) for label in classes.tolist()])[codes]
        classes = labels
    return classes, np.take(codes, y_true), np.take(codes, y_pred)


def _count(codes, size, sample_weight, n):
    """The weight on each code, (size,): int64, or float64 where sample_weight holds floats."""
    if sample_weight is None:
        return np.bincount(codes, minlength=size)
    counts = np.bincount(codes, weights=check_weights(sample_weight, n), minlength=size)
    return counts.astype(np.int64) if np.asarray(sample_weight).dtype.kind in "biu" else counts


def _positive_of_two(y_true, y_pred, pos_label):
    """pos_label, if it is a class of two; also where there is only one class, whatever that is."""
    classes = _encode(*check_labels(y_true, y_pred), None)[0].tolist()
    if len(classes) > 2:
        raise ValueError(
            "Target is multiclass but average='binary'. Please choose another average setting, one of [None, 'micro',"
            f" 'macro', 'weighted']: the classes are {classes}"
        )
    if len(classes) == 2 and pos_label not in classes:
        raise ValueError(f"pos_label={pos_label!r} is not a valid label. It should be one of {classes}")
    return pos_label


def _divide(above, below, zero_division, metric, missing):
    """above / below (k,), and zero_division where it is 0 / 0."""
    undefined = below == 0
    if isinstance(zero_division, str):
        check_choice("zero_division", zero_division, ("warn",))
        if undefined.any():
            warn(UndefinedMetricWarning, f"{metric} is ill-defined and being set to 0.0: no {missing} samples")
        zero_division = 0.0
    return np.where(undefined, zero_division, above / np.where(undefined, 1, below))


def _mean_of_defined(values, weights):
    """The mean of what is not NaN; NaN if all is."""
    defined = ~np.isnan(values)
    if weights is not None and np.any(weights[defined]):
        return float(np.average(values[defined], weights=weights[defined]))
    return float(np.mean(values[defined])) if defined.any() else float("nan")


def _check_numbers(y_true, y_pred, sample_weight):
    """Both as float64 (n, k), and the weights (n,)."""
    y_true, y_pred = (
        check_array(np.reshape(y, (-1, 1)) if np.ndim(y) == 1 else y, name)
        for name, y in (("y_true", y_true), ("y_pred", y_pred))
    )
    if y_true.shape != y_pred.shape:
        raise ValueError(
            "Found input variables with inconsistent numbers of samples or outputs:"
            f" y_true {y_true.shape}, y_pred {y_pred.shape}"
        )
    return y_true, y_pred, check_weights(sample_weight, len(y_true))


def _over_columns(values, multioutput):
    """One number of one for each column, (k,)."""
    if isinstance(multioutput, str):
        check_choice("multioutput", multioutput, ("uniform_average", "raw_values"))
        return values if multioutput == "raw_values" else float(np.mean(values))
    return float(np.average(values, weights=multioutput))
