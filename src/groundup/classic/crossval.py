"""Scores that can be believed: cross-validation, learning curves and validation curves.

Whatever is learned is learned anew in each fold from its training rows, the means of a scaler included. So the estimator
that is judged comes with its preparation, as a pipeline (pipeline.py), and every fold begins with an unfitted copy of it.

Hastie, Tibshirani and Friedman, The Elements of Statistical Learning (2nd edition), sections 7.2, 7.3 and 7.10. Arlot and
Celisse, A survey of cross-validation procedures for model selection (2010).
"""

import numpy as np

from .estimator import Classifier, clone
from .folds import KFold, StratifiedKFold, count_rows, take
from .metrics import (
    accuracy_score,
    balanced_accuracy_score,
    f1_score,
    mean_absolute_error,
    mean_squared_error,
    precision_score,
    r2_score,
    recall_score,
)
from .probabilities import log_loss
from .ranking import roc_auc_score
from .validation import check_choice, check_generator

SCORERS = {  # name -> the metric, what an estimator is asked for, and -1 for a loss
    "accuracy": (accuracy_score, "predict", 1),
    "balanced_accuracy": (balanced_accuracy_score, "predict", 1),
    "precision": (precision_score, "predict", 1),
    "recall": (recall_score, "predict", 1),
    "f1": (f1_score, "predict", 1),
    "roc_auc": (roc_auc_score, "decision_function", 1),
    "neg_log_loss": (log_loss, "predict_proba", -1),
    "r2": (r2_score, "predict", 1),
    "neg_mean_squared_error": (mean_squared_error, "predict", -1),
    "neg_mean_absolute_error": (mean_absolute_error, "predict", -1),
}


def is_classifier(estimator):
    """Whether it predicts classes: a Classifier, also as the last of a pipeline's `steps` or as the `estimator` of a search;
    of scikit-learn's, whatever is a ClassifierMixin."""
    steps = getattr(estimator, "steps", None)
    inner = steps[-1][1] if steps else getattr(estimator, "estimator", None)
    if inner is not None:
        return is_classifier(inner)
    return isinstance(estimator, Classifier) or any(k.__name__ == "ClassifierMixin" for k in type(estimator).__mro__)


def check_cv(cv=None, y=None, *, classifier=False):
    """What splits, an object with `split` and `get_n_splits`.

    cv: None is 5; a number is so many folds, StratifiedKFold for a classifier with one label a row, else KFold, not
    shuffled; an object with `split` is itself; anything else is a list of (train, test) pairs, which are used as they are.
    """
    if cv is None or isinstance(cv, (int, np.integer)):
        kind = StratifiedKFold if classifier and y is not None and np.size(y) == len(y) else KFold
        return kind(5 if cv is None else int(cv))
    if isinstance(cv, str):
        raise ValueError(f"cv == {cv!r}: expected a number, a splitter, or a list of (train, test) pairs")
    return cv if hasattr(cv, "split") else _Pairs(cv)


def check_scoring(estimator, scoring=None):
    """A function (fitted estimator, X, y) -> float, the larger the better.

    scoring: None is the estimator's own `score`; a function is itself; a name is one of SCORERS: the metric of y and of what
    the estimator says of X, losses with a minus. For the area under the curve that is decision_function, or where there is
    none the second column of predict_proba. Raises ValueError for another name, TypeError for None without a `score`.
    """
    if callable(scoring):
        return scoring
    if scoring is None:
        if not hasattr(estimator, "score"):
            raise TypeError(
                f"with no scoring given, the estimator should have a 'score' method: {estimator!r} has none"
            )
        return lambda fitted, X, y: fitted.score(X, y)
    check_choice("scoring", scoring, SCORERS)
    metric, method, sign = SCORERS[scoring]

    def score(fitted, X, y):
        if method == "decision_function" and not hasattr(fitted, method):
            return sign * metric(y, fitted.predict_proba(X)[:, 1])
        return sign * metric(y, getattr(fitted, method)(X))

    return score


def pairs_of(estimator, X, y=None, groups=None, cv=None):
    """The pairs (train, test) of `check_cv`'s splitter for this data, a list: drawn once, for whatever is to be compared.

    Each is an array of indices, also where somebody's splitter gives masks. ValueError if there is none.
    """
    rows = np.arange(count_rows(X, y, groups))
    splitter = check_cv(cv, y, classifier=is_classifier(estimator))
    pairs = [(rows[train], rows[test]) for train, test in splitter.split(X, y, groups)]
    if not pairs:
        raise ValueError("No fits were performed. Was the CV iterator empty?")
    return pairs


def fit_to(rows, estimator, X, y=None):
    """A copy of the estimator with nothing learned (`clone`), fitted to these rows of X and y, and to nothing else."""
    return clone(estimator).fit(take(X, rows), take(y, rows))


# ------------------------------------------------------------------------------------------------ scores fold by fold


def cross_val_score(estimator, X, y=None, *, groups=None, scoring=None, cv=None):
    """The score of each fold, (k,): of a copy fitted to its training rows (`fit_to`), on its test rows.

    X (n, p), y (n,) or None, groups (n,) for the splitter. scoring as `check_scoring` takes it, cv as `check_cv`. The
    estimator itself stays unfitted. What an estimator raises goes through.
    """
    score = check_scoring(estimator, scoring)
    pairs = pairs_of(estimator, X, y, groups, cv)
    scores = [score(fit_to(train, estimator, X, y), take(X, test), take(y, test)) for train, test in pairs]
    if np.ndim(scores) != 1:
        raise ValueError(f"scoring should return a number, got {scores[0]!r}")
    return np.array(scores, dtype=np.float64)


def cross_val_predict(estimator, X, y=None, *, groups=None, cv=None, method="predict"):
    """For each row what `method` says of it after a fit to the training rows of the fold that tests it.

    -> (n,) or (n, q), in the order of X. Of predict_proba the columns are the classes of y in ascending order; a class that
    a training lacks has probability 0. Raises ValueError unless every row is tested exactly once.
    """
    pairs = pairs_of(estimator, X, y, groups, cv)
    tested = np.concatenate([test for _, test in pairs])
    if not np.array_equal(np.sort(tested), np.arange(count_rows(X))):
        raise ValueError("cross_val_predict only works for partitions: every sample has to be tested exactly once")
    parts = []
    for train, test in pairs:
        fitted = fit_to(train, estimator, X, y)
        part = getattr(fitted, method)(take(X, test))
        if method == "predict_proba" and y is not None:
            classes = np.unique(y)
            whole = np.zeros((len(part), len(classes)))
            whole[:, np.searchsorted(classes, fitted.classes_)] = part
            part = whole
        parts.append(part)
    return np.concatenate(parts)[np.argsort(tested)]


def training_sizes(train_sizes, n_max):
    """The sizes of a learning curve, ascending and each once, (s,) of integers in 1..n_max.

    Floats are shares of n_max in (0, 1], rounded down, but at least 1 row; integers are numbers of rows. ValueError outside.
    """
    sizes = np.asarray(train_sizes)
    shares = sizes.dtype.kind == "f"
    if sizes.min() <= 0 or sizes.max() > (1 if shares else n_max):
        limits = "shares within (0, 1]" if shares else f"numbers of samples within (0, {n_max}]"
        raise ValueError(f"train_sizes are {limits}, but lie within [{sizes.min()}, {sizes.max()}]")
    return np.unique(np.maximum((sizes * n_max).astype(np.int64), 1) if shares else sizes)


def learning_curve(
    estimator,
    X,
    y,
    *,
    groups=None,
    train_sizes=(0.1, 0.325, 0.55, 0.775, 1.0),
    cv=None,
    scoring=None,
    shuffle=False,
    random_state=None,
):
    """How the scores change with the number of training rows: the sizes (s,), the training scores and the test scores (s, k).

    train_sizes as `training_sizes` takes them, n_max being the rows of the first fold's training. For each fold and size
    the first so many of its training rows are fitted to; with shuffle, the first of one permutation of them per fold. The
    training score is that on the rows fitted to, the test score that on all test rows of the fold.
    """
    score = check_scoring(estimator, scoring)
    pairs = pairs_of(estimator, X, y, groups, cv)
    if shuffle:
        generator = check_generator(random_state)
        pairs = [(generator.permutation(train), test) for train, test in pairs]
    sizes = training_sizes(train_sizes, len(pairs[0][0]))
    scores = [[_both(score, estimator, X, y, train[:n], test) for train, test in pairs] for n in sizes]  # (s, k, 2)
    return sizes, *np.moveaxis(np.array(scores), -1, 0)


def validation_curve(estimator, X, y, *, param_name, param_range, groups=None, cv=None, scoring=None):
    """How the scores change with one parameter of the estimator: the training scores and the test scores, (s, k) each.

    param_name as `set_params` takes it, param_range (s,) its values. The same folds for all.
    """
    score = check_scoring(estimator, scoring)
    pairs = pairs_of(estimator, X, y, groups, cv)
    candidates = [clone(estimator).set_params(**{param_name: value}) for value in param_range]
    scores = [[_both(score, each, X, y, train, test) for train, test in pairs] for each in candidates]  # (s, k, 2)
    return tuple(np.moveaxis(np.array(scores), -1, 0))


def _both(score, estimator, X, y, train, test):
    """The score on the rows fitted to, and on the others."""
    X_train, y_train = take(X, train), take(y, train)
    fitted = clone(estimator).fit(X_train, y_train)
    return score(fitted, X_train, y_train), score(fitted, take(X, test), take(y, test))


class _Pairs:
    """Pairs that somebody has made."""

    def __init__(self, pairs):
        self.pairs = list(pairs)

    def get_n_splits(self, X=None, y=None, groups=None):
        return len(self.pairs)

    def split(self, X=None, y=None, groups=None):
        return iter(self.pairs)
