"""What probabilities are worth: log loss, the Brier score, and whether of all that is called 70 % sure 70 % comes true.

Brier, Verification of forecasts expressed in terms of probability (1950). Good, Rational decisions (1952). Gneiting and
Raftery, Strictly proper scoring rules, prediction, and estimation (2007). Niculescu-Mizil and Caruana, Predicting good
probabilities with supervised learning (2005).
"""

import numpy as np

from .metrics import check_labels
from .ranking import is_positive
from .validation import check_array, check_choice, check_number, check_weights, encode_labels, warn


def log_loss(y_true, y_proba, *, normalize=True, sample_weight=None, labels=None):
    """The mean of -log of the probability that was given to the class that came, in nats: float >= 0.

    y_true (n,); y_proba (n, k), a column for each class in ascending order, or (n,), the probability of the greater of
    two. Probabilities are clipped to [e, 1 - e] first, e the spacing of floats at 1 in y_proba's type: 2.2e-16 in
    float64, 1.2e-7 in float32. So a class that was called impossible costs 36 or 16, not infinity.
    labels: the classes, where not all of them occur in y_true; None for those in y_true. In another order than
    ascending they mean the same, with a UserWarning.
    normalize: False for the sum of the weighted losses instead of their mean.
    Rows that do not sum to 1 are taken as they are, with a UserWarning. Raises ValueError for probabilities outside
    [0, 1], for another number of columns than of classes, for one class and no labels, for a y_true that is no label.
    """
    p, codes, weights = _check_probabilities(y_true, y_proba, sample_weight, labels)
    e = np.finfo(p.dtype).eps
    given = np.clip(p[np.arange(len(p)), codes], e, 1 - e).astype(np.float64)  # (n,): to the class that came
    loss = weights @ -np.log(given)
    return float(loss / weights.sum() if normalize else loss)


def brier_score_loss(y_true, y_proba, *, sample_weight=None, pos_label=None, labels=None):
    """The mean squared difference of probabilities from what came, 1 for the class that did and 0 for the others.

    Two classes: y_true (n,), y_proba (n,) of the positive class -> float in [0, 1]; pos_label as in `is_positive`.
    More: y_proba (n, k), a column for each class in ascending order, and the squares are summed over the columns ->
    float in [0, 2]; of two columns the sum is halved. labels as in `log_loss`.
    Raises ValueError as `log_loss`.
    """
    if np.ndim(y_proba) == 2 and np.shape(y_proba)[1] > 1:
        p, codes, weights = _check_probabilities(y_true, y_proba, sample_weight, labels)
        missed = np.sum((p - np.eye(p.shape[1])[codes]) ** 2, axis=1) / (2 if p.shape[1] == 2 else 1)
    else:
        positive = is_positive(y_true, pos_label)
        p = _check_range(y_proba, len(positive))[:, 0]
        weights = check_weights(sample_weight, len(p))
        missed = (p - positive) ** 2
    return float(np.average(missed, weights=weights))


def bin_edges(y_prob, n_bins=5, strategy="uniform"):
    """The edges of the bins of a calibration curve: (n_bins + 1,), ascending.

    "uniform": equally far apart from 0 to 1. "quantile": the 0/n_bins, 1/n_bins, ... quantiles of y_prob (n,), by
    linear interpolation, so that each bin holds about as many samples; edges may coincide.
    """
    check_choice("strategy", strategy, ("uniform", "quantile"))
    check_number("n_bins", n_bins, low=1, integer=True)
    shares = np.linspace(0.0, 1.0, n_bins + 1)
    return shares if strategy == "uniform" else np.quantile(y_prob, shares)


def calibration_curve(y_true, y_prob, *, pos_label=None, n_bins=5, strategy="uniform"):
    """How often the positive class came, and how probable it was called, in bins of the probability.

    y_true (n,), y_prob (n,) in [0, 1], the probability of the positive class -> the share of positives in each bin, and
    the mean of y_prob in it, two arrays of a length up to n_bins: bins without samples are left out. The edges are
    those of `bin_edges`. A probability on an edge between two bins belongs to the lower; 0 to the first, 1 to the last.
    pos_label as in `is_positive`. Raises ValueError for probabilities outside [0, 1].
    """
    positive = is_positive(y_true, pos_label)
    p = _check_range(y_prob, len(positive))[:, 0]
    edges = bin_edges(p, n_bins, strategy)
    places = np.searchsorted(edges[1:-1], p)  # (n,): how many inner edges lie below
    counts = np.bincount(places, minlength=n_bins)
    filled = counts > 0
    came = np.bincount(places, weights=positive, minlength=n_bins)[filled] / counts[filled]
    called = np.bincount(places, weights=p, minlength=n_bins)[filled] / counts[filled]
    return came, called


def _check_range(y_proba, n, name="y_prob"):
    """Probabilities (n, k), (n,) as a column; float32 stays float32."""
    p = np.asarray(y_proba)
    p = p.reshape(-1, 1) if p.ndim == 1 else p
    dtype = p.dtype if p.dtype in (np.float32, np.float16) else np.float64
    p = check_array(p, name).astype(dtype, copy=False)
    if len(p) != n:
        raise ValueError(f"Found input variables with inconsistent numbers of samples: y_true has {n}, {name} {len(p)}")
    if p.max() > 1 or p.min() < 0:
        raise ValueError(f"{name} has values outside [0, 1]: they go from {p.min()} to {p.max()}")
    return p


def _check_probabilities(y_true, y_proba, sample_weight, labels):
    """Probabilities (n, k), the column of each sample's class (n,), the weights (n,)."""
    y_true, _ = check_labels(y_true, y_true)
    p = _check_range(y_proba, len(y_true), "y_proba")
    if labels is None:
        classes, codes = encode_labels(y_true, "y_true")
    else:
        classes = encode_labels(labels, "labels")[0]
        if not np.array_equal(labels, classes):
            warn(UserWarning, f"the columns of y_proba are taken in the order of {classes.tolist()}, not of {labels}")
        if not np.isin(y_true, classes).all():
            raise ValueError(f"y_true contains values that are none of the labels {classes.tolist()}")
        codes = np.searchsorted(classes, y_true)
    if len(classes) == 1:
        raise ValueError(
            f"there is only one label ({classes[0]}): provide all that could have come through the labels argument"
        )
    if p.shape[1] == 1:
        p = np.column_stack([1 - p, p])
    if p.shape[1] != len(classes):
        raise ValueError(f"y_proba has {p.shape[1]} columns, and the classes are {classes.tolist()}: one for each")
    if not np.allclose(p.sum(axis=1), 1, atol=np.sqrt(np.finfo(p.dtype).eps)):
        warn(UserWarning, "The y_proba values do not sum to one. Make sure to pass probabilities.")
    return p, codes, check_weights(sample_weight, len(p))
