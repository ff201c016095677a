"""What every estimator asks of its input: the checks, and the errors that name the argument.

An estimator that takes whatever comes answers with numbers that mean nothing. So each `fit` begins with one of `check_X`,
`check_Xy` and `check_labelled`, and each `predict` with `check_new`: they return float64 arrays that are finite and of the
right shape, or raise a ValueError that says which argument was wrong, what came, and what was expected. They never
change what they are given; they copy it only where its type has to change.

The rules are those of scikit-learn's estimators (Developing scikit-learn estimators, section "Rolling your own estimator").
"""

import sys
import warnings
from numbers import Integral, Real

import numpy as np


class NotFittedError(ValueError, AttributeError):
    """An estimator was asked to predict or to transform before `fit`."""


class ConvergenceWarning(UserWarning):
    """An iteration ran out of steps before it reached its tolerance."""


class DataConversionWarning(UserWarning):
    """The data were taken in another form than they came in."""


def check_X(estimator, X, allow_nan=False, min_samples=1, numeric=True):
    """The samples that `fit` gets, X (n, p) -> float64 (n, p), or as `check_array` without numeric; sets
    estimator.n_features_in_, and feature_names_in_ for a table with named columns.

    Raises TypeError for a sparse matrix; ValueError for complex numbers, for NaN (unless allow_nan) and infinity, for an
    array that is not two-dimensional, for less than min_samples rows, for no columns.
    """
    names = _column_names(X)
    X = check_array(X, allow_nan=allow_nan, numeric=numeric)
    if len(X) < min_samples:
        raise ValueError(
            f"{type(estimator).__name__} needs at least {min_samples} samples; X has n_samples = {len(X)}, shape {X.shape}"
        )
    estimator.n_features_in_ = X.shape[1]
    if names is not None:
        estimator.feature_names_in_ = names
    elif hasattr(estimator, "feature_names_in_"):
        del estimator.feature_names_in_  # of an earlier fit
    return X


def check_Xy(estimator, X, y, multi_output=False, **rules):
    """Samples and targets, X (n, p), y (n,) -> both in float64, X as by `check_X`. With multi_output y may also be (n, k).

    A column y (n, 1) is taken as (n,), with a DataConversionWarning, unless multi_output. Raises ValueError as `check_X`,
    and for a y that is missing, of another length, or holds NaN or infinity.
    """
    X = check_X(estimator, X, **rules)
    y = _check_target(estimator, X, y, multi_output)
    y = _as_float(y, "y")
    _refuse_non_finite(y, "y")
    return X, y


def check_labelled(estimator, X, y, **rules):
    """Samples and their classes, X (n, p), y (n,) of integers, booleans or strings -> X as by `check_X`, the classes in
    ascending order (k,), and for each sample the index of its class (n,), int64.

    Raises ValueError as `check_X`, and for labels that are missing, NaN, or real numbers.
    """
    X = check_X(estimator, X, **rules)
    classes, codes = encode_labels(_check_target(estimator, X, y))
    return X, classes, codes


def encode_labels(y, name="y"):
    """The classes of y (n,) in ascending order (k,), and the index of each label's class (n,), int64.

    Raises ValueError for NaN and for real numbers that are no integers: those are a regression's target.
    """
    y = np.asarray(y)
    if y.dtype.kind in "fc":
        _refuse_non_finite(y, name)
        if np.any(y != np.floor(y.real)):
            raise ValueError(
                f"Unknown label type: {name} holds real numbers such as {y[y != np.floor(y.real)][0]}; a classifier takes classes"
            )
    elif y.dtype.kind == "O" and any(label is None or label != label for label in y):
        raise ValueError(f"Input {name} contains NaN or None; every sample needs a class.")
    classes, codes = np.unique(y, return_inverse=True)
    return classes, codes.astype(np.int64, copy=False)


def check_new(estimator, X, allow_nan=False, numeric=True):
    """The samples that a fitted estimator gets, X (m, p) -> float64 (m, p), or as `check_array` without numeric.

    Raises NotFittedError before `fit`; ValueError as `check_X`, and for other columns than `fit` has seen.
    """
    check_fitted(estimator)
    names = _column_names(X)
    if names is not None and hasattr(estimator, "feature_names_in_"):
        _compare_names(estimator.feature_names_in_, names)
    X = check_array(X, allow_nan=allow_nan, numeric=numeric)
    if X.shape[1] != estimator.n_features_in_:
        raise ValueError(
            f"X has {X.shape[1]} features, but {type(estimator).__name__} is expecting {estimator.n_features_in_} features as input."
        )
    return X


def check_fitted(estimator):
    """Raises NotFittedError unless `fit` has left an attribute whose name ends in an underscore."""
    if not any(name.endswith("_") and not name.startswith("_") for name in vars(estimator)):
        raise _also_theirs(NotFittedError)(
            f"this {type(estimator).__name__} is not fitted yet: call fit before you use it"
        )


def check_array(X, name="X", allow_nan=False, numeric=True):
    """An array of numbers, (n, p) -> float64 (n, p), n >= 1, p >= 1; the same array if it already is that.

    numeric: False lets words pass too: an array keeps its type, a list of rows or a table with words in it becomes objects.
    """
    _refuse_sparse(X, name)
    X = _as_float(X, name) if numeric else _as_it_is(X, name)
    if X.ndim != 2:
        raise ValueError(
            f"Expected a 2D array for {name}, got {X.ndim}D of shape {X.shape}. Reshape your data: .reshape(-1, 1) if it is"
            " one feature, .reshape(1, -1) if it is one sample."
        )
    if X.shape[0] == 0:
        raise ValueError(f"Found array with 0 sample(s) (shape={X.shape}) while a minimum of 1 is required.")
    if X.shape[1] == 0:
        raise ValueError(f"Found array with 0 feature(s) (shape={X.shape}) while a minimum of 1 is required.")
    if X.dtype.kind == "f":
        _refuse_non_finite(X, name, allow_nan)
    return X


def check_weights(sample_weight, n):
    """One weight for each of n samples, float64 (n,), in the same unit; None is 1 for each, and so is a number.

    Raises ValueError for another shape, NaN, a negative weight, or weights that are all zero.
    """
    if sample_weight is None:
        return np.ones(n)
    weights = np.asarray(sample_weight, dtype=np.float64)
    if weights.ndim == 0:
        weights = np.full(n, float(weights))
    if weights.ndim != 1:
        raise ValueError(f"Sample weights must be 1D array or scalar, got {weights.ndim}D array.")
    if weights.shape != (n,):
        raise ValueError(f"sample_weight.shape == {weights.shape}, expected {(n,)}!")
    _refuse_non_finite(weights, "sample_weight")
    if np.any(weights < 0):
        raise ValueError(f"Negative values in data passed to sample_weight: the least is {weights.min()}")
    if not np.any(weights):
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return weights


def check_generator(random_state):
    """A numpy.random.Generator: None for one that nobody has used before, an integer as its seed, or one that is there.

    A RandomState, NumPy's older kind, is taken too: the generator then goes on where it stands.
    """
    if isinstance(random_state, np.random.RandomState):
        return np.random.Generator(random_state._bit_generator)
    return np.random.default_rng(random_state)


def check_number(name, value, low=-np.inf, high=np.inf, integer=False, open_low=False, open_high=False):
    """A parameter of an estimator that has to lie in [low, high], an end left out where it is open.

    Raises ValueError with the parameter's name, what came, and what was expected.
    """
    kind = Integral if integer else Real
    inside = (
        isinstance(value, kind)
        and not isinstance(value, (bool, np.bool_))
        and (value > low if open_low else value >= low)
        and (value < high if open_high else value <= high)
    )
    if not inside:
        range_ = f"{'(' if open_low else '['}{low}, {high}{')' if open_high else ']'}"
        raise ValueError(f"{name} == {value!r}: expected {'an integer' if integer else 'a number'} in {range_}")


def check_choice(name, value, options):
    """A parameter that has to be one of a few values. Raises ValueError with its name, what came, and the options."""
    if not any(value is option or (isinstance(value, str) and value == option) for option in options):
        raise ValueError(f"{name} == {value!r}: expected one of {', '.join(map(repr, options))}")


def warn(category, message):
    """Warns, with a class that is scikit-learn's as well wherever scikit-learn is at work: filters set for it hold here."""
    warnings.warn(message, _also_theirs(category), stacklevel=3)


def _also_theirs(category):
    """The class, also as a kind of scikit-learn's own of the same name if the program has loaded scikit-learn.

    So `except sklearn.exceptions.NotFittedError` catches ours, and nothing of scikit-learn is imported.
    """
    theirs = getattr(sys.modules.get("sklearn.exceptions"), category.__name__, None)
    return category if theirs is None else type(category.__name__, (category, theirs), {})


def _check_target(estimator, X, y, multi_output=False):
    """y (n,) as it came, or (n, k) with multi_output, as long as X."""
    if y is None:
        raise ValueError(
            f"{type(estimator).__name__} requires y to be passed, but the target y is None: call fit(X, y)"
        )
    _refuse_sparse(y, "y")
    y = np.asarray(y)
    if np.iscomplexobj(y):
        raise ValueError("Complex data not supported: y holds complex numbers")
    if y.ndim == 2 and y.shape[1] == 1 and not multi_output:
        warn(
            DataConversionWarning,
            "A column-vector y was passed when a 1d array was expected. Change the shape of y to (n_samples,), by y.ravel().",
        )
        y = y.ravel()
    if y.ndim != 1 and not (multi_output and y.ndim == 2):
        raise ValueError(f"y should be a 1d array, got an array of shape {y.shape} instead.")
    if len(y) != len(X):
        raise ValueError(f"Found input variables with inconsistent numbers of samples: X has {len(X)}, y has {len(y)}")
    return y


def _refuse_sparse(values, name):
    if hasattr(values, "tocsr") or hasattr(values, "tocoo"):
        raise TypeError(f"Sparse data was passed for {name}, but dense data is required: use {name}.toarray()")


def _as_float(values, name):
    """The same numbers in float64; arrays of float64 as they are."""
    values = np.asarray(values)
    if np.iscomplexobj(values):
        raise ValueError(f"Complex data not supported: {name} holds complex numbers")
    return np.asarray(values, dtype=np.float64)


def _as_it_is(values, name):
    """Numbers or words; a list of rows that holds words is not made one of words only."""
    array = np.asarray(values)
    if np.iscomplexobj(array):
        raise ValueError(f"Complex data not supported: {name} holds complex numbers")
    return np.asarray(values, dtype=object) if array.dtype.kind in "US" and not hasattr(values, "dtype") else array


def _refuse_non_finite(values, name, allow_nan=False):
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(values.sum()):  # one pass without a second array; only where it fails one looks at each
            return
    if not allow_nan and np.isnan(values).any():
        raise ValueError(f"Input {name} contains NaN.")
    if np.isinf(values).any():
        raise ValueError(f"Input {name} contains infinity or a value too large for {values.dtype!r}.")


def _column_names(X):
    """The names of a table's columns, an object array (p,), or None if X is no table or some name is no string."""
    columns = getattr(X, "columns", None)
    if columns is None:
        return None
    names = np.asarray(columns, dtype=object)
    return names if all(isinstance(name, str) for name in names) else None


def _compare_names(seen, names):
    """Raises ValueError unless a table has the columns that `fit` saw, in that order."""
    if np.array_equal(seen, names):
        return
    unseen, missing = sorted(set(names) - set(seen)), sorted(set(seen) - set(names))
    says = "The feature names should match those that were passed during fit.\n"
    if unseen:
        says += "Feature names unseen at fit time:\n" + "".join(f"- {name}\n" for name in unseen)
    if missing:
        says += "Feature names seen at fit time, yet now missing:\n" + "".join(f"- {name}\n" for name in missing)
    if not unseen and not missing:
        says += "Feature names must be in the same order as they were in fit.\n"
    raise ValueError(says)
