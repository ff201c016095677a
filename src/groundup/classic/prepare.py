"""Preparing data without looking at what will be judged: scalers, an imputer, an encoder.

A scaler is a model: it learns means. So preparation is an estimator too: `fit` learns from the rows it is given, `transform`
applies what was learned to any rows, and neither changes what it is handed.

Chan, Golub and LeVeque, Algorithms for computing the sample variance (1983). Little and Rubin, Statistical Analysis with
Missing Data (3rd edition, 2019), section 4.2.
"""

import numpy as np

from .estimator import Transformer
from .validation import check_choice, check_new, check_weights, check_X, warn


class GapTransformer(Transformer):  # given
    """A transformer that takes NaN for a value that is missing; to scikit-learn it says so."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


# ----------------------------------------------------------------------------------------------------------- scalers


def mean_and_variance(X, weights=None):
    """Of each column over the values that are there: X (n, p), NaN where one is missing -> (p,), (p,).

    The variance is the mean of (x - mean)^2, divided by n and not by n - 1. weights (n,): those of the two means. NaN for a
    column without a value.
    """
    weights = np.ones(len(X)) if weights is None else weights
    gaps = np.isnan(X) if np.isnan(X.sum()) else None
    if gaps is None:
        total = weights.sum()
    else:
        total, X = weights @ ~gaps, np.where(gaps, 0.0, X)  # (p,)
    with np.errstate(invalid="ignore"):
        mean = weights @ X / total
        Z = X - mean
        if gaps is not None:
            Z[gaps] = 0.0
        Z *= Z
        return mean, weights @ Z / total


class StandardScaler(GapTransformer):
    """Columns with mean 0 and standard deviation 1: (x - mean_) / scale_.

    Parameters: with_mean, whether the mean is taken off; with_std, whether one divides by the standard deviation.
    Learns, (p,) each, from the rows of fit and no others: mean_, var_ (`mean_and_variance`), and scale_, the root of var_; 1
    for a column that is constant: one whose variance is no more than rounding, n eps var_ + (n eps mean_)^2, eps being the
    spacing of floats at 1. var_ and scale_ are None without with_std. A missing value (NaN) stays missing.
    """

    def __init__(self, with_mean=True, with_std=True):
        """Stores the parameters, and nothing else."""
        self.with_mean = with_mean
        self.with_std = with_std

    def fit(self, X, y=None, sample_weight=None):
        """X (n, p), y not looked at, sample_weight (n,) >= 0 or None for 1 each -> self."""
        X = check_X(self, X, allow_nan=True)
        weights = None if sample_weight is None else check_weights(sample_weight, len(X))
        self.mean_, self.var_ = mean_and_variance(X, weights)
        self.scale_ = None
        if self.with_std:
            n_eps = len(X) * np.finfo(np.float64).eps
            constant = self.var_ <= n_eps * self.var_ + (n_eps * self.mean_) ** 2
            self.scale_ = np.where(constant, 1.0, np.sqrt(self.var_))
        else:
            self.var_ = None
        return self

    def transform(self, X):
        """X (m, p) -> a new array (m, p). Raises NotFittedError; ValueError for other columns."""
        X = check_new(self, X, allow_nan=True)
        Z = X - self.mean_ if self.with_mean else X.copy()
        if self.with_std:
            Z /= self.scale_
        return Z

    def inverse_transform(self, X):
        """Back to the units of the data: X (m, p) -> (m, p)"""
        X = check_new(self, X, allow_nan=True)
        Z = X * self.scale_ if self.with_std else X.copy()
        if self.with_mean:
            Z += self.mean_
        return Z


class MinMaxScaler(GapTransformer):
    """Columns that reach from one number to another: x * scale_ + min_.

    Parameters: feature_range, the two numbers (low, high), low < high; clip, whether new values beyond are cut off there.
    Learns, (p,) each: data_min_, data_max_, data_range_ = data_max_ - data_min_; scale_ = (high - low) / data_range_, where
    a range of 0 counts as 1; min_ = low - data_min_ * scale_. A missing value (NaN) stays missing, and is not looked at.
    """

    def __init__(self, feature_range=(0, 1), clip=False):
        """Stores the parameters, and nothing else."""
        self.feature_range = feature_range
        self.clip = clip

    def fit(self, X, y=None):
        """X (n, p), y not looked at -> self. Raises ValueError for a feature_range that does not rise."""
        low, high = self.feature_range
        if not low < high:
            raise ValueError(
                f"Minimum of desired feature range must be smaller than maximum. Got {self.feature_range!r}."
            )
        X = check_X(self, X, allow_nan=True)
        self.data_min_, self.data_max_ = np.fmin.reduce(X, axis=0), np.fmax.reduce(X, axis=0)  # which pass over NaN
        self.data_range_ = self.data_max_ - self.data_min_
        self.scale_ = (high - low) / np.where(self.data_range_ == 0, 1.0, self.data_range_)
        self.min_ = low - self.data_min_ * self.scale_
        return self

    def transform(self, X):
        """X (m, p) -> a new array (m, p). Raises NotFittedError; ValueError for other columns."""
        Z = check_new(self, X, allow_nan=True) * self.scale_
        Z += self.min_
        return np.clip(Z, *self.feature_range, out=Z) if self.clip else Z

    def inverse_transform(self, X):
        """Back to the units of the data: X (m, p) -> (m, p)"""
        return (check_new(self, X, allow_nan=True) - self.min_) / self.scale_


# ------------------------------------------------------------------------------------------------- missing, and words


class SimpleImputer(GapTransformer):
    """Puts one value per column in the place of those that are missing (NaN).

    Parameters: strategy, "mean", "median" or "most_frequent" (of equally frequent values the smallest) of the column's
    values, or "constant"; fill_value, that constant, None for 0.
    Learns: statistics_ (p,), what each column is filled with: NaN for a column of `fit` without a value, unless constant.
    Such a column is left out of what transform returns, with a UserWarning.
    """

    def __init__(self, strategy="mean", fill_value=None):
        """Stores the parameters, and nothing else."""
        self.strategy = strategy
        self.fill_value = fill_value

    def fit(self, X, y=None):
        """X (n, p), y not looked at -> self. Raises ValueError for another strategy."""
        check_choice("strategy", self.strategy, ("mean", "median", "most_frequent", "constant"))
        X = check_X(self, X, allow_nan=True)
        if self.strategy == "mean":
            self.statistics_ = mean_and_variance(X)[0]
        elif self.strategy == "constant":
            self.statistics_ = np.full(
                X.shape[1], 0.0 if self.fill_value is None else self.fill_value, dtype=np.float64
            )
        else:
            middle = np.median if self.strategy == "median" else _most_frequent
            present = [column[~np.isnan(column)] for column in X.T]
            self.statistics_ = np.array([middle(column) if len(column) else np.nan for column in present])
        return self

    def transform(self, X):
        """X (m, p) -> a new array (m, q) without NaN, q <= p."""
        X = check_new(self, X, allow_nan=True)
        empty = np.isnan(self.statistics_)
        if empty.any():
            warn(UserWarning, f"Skipping features without any observed values: {np.flatnonzero(empty)}")
            X = X[:, ~empty]
        return np.where(np.isnan(X), self.statistics_[~empty], X)


def _most_frequent(values):
    distinct, counts = np.unique(values, return_counts=True)
    return distinct[np.argmax(counts)]


def categories_of(column):
    """The distinct values of a column in ascending order, None and then NaN last: (n,) of numbers or of words -> (k,).

    Raises TypeError if it holds both numbers and words.
    """
    if column.dtype.kind != "O":
        return np.unique(column)
    try:
        values = set(column.tolist())
        missing = [None] * (None in values) + [np.nan] * any(v != v for v in values)
        return np.array(sorted(v for v in values if v is not None and v == v) + missing, dtype=object)
    except TypeError:
        kinds = ", ".join(sorted({type(v).__name__ for v in column.tolist()}))
        raise TypeError(
            f"argument must be a table, each column of it a string or a number throughout; got {kinds}"
        ) from None


def category_codes(column, categories):
    """For each value its place in categories, and -1 for one that is not there: (n,), (k,) -> (n,) of integers in -1..k-1.

    NaN has the place of NaN.
    """
    if column.dtype.kind != "O":
        distinct, inverse = np.unique(column, return_inverse=True)
        return category_codes(distinct.astype(object), categories)[inverse]
    place = {v: i for i, v in enumerate(categories.tolist()) if v == v}
    of_nan = next((i for i, v in enumerate(categories.tolist()) if v != v), -1)
    return np.array([place.get(v, -1) if v == v else of_nan for v in column.tolist()], dtype=np.int64)


class OneHotEncoder(GapTransformer):
    """A column of 0 and 1 for each value that a column of words or numbers takes.

    Parameters: categories, "auto" or for each column a list of its values, in the order wanted; drop, None, or "first" to
    leave out the first value of each column, or "if_binary" to do so where there are just two; handle_unknown, "error", or
    "ignore": then a value that is not among the categories has zeros only.
    Learns: categories_, a list of p arrays (k_j,) by `categories_of`, or as they were given. None and NaN are values too.
    """

    def __init__(self, categories="auto", drop=None, handle_unknown="error"):
        """Stores the parameters, and nothing else."""
        self.categories = categories
        self.drop = drop
        self.handle_unknown = handle_unknown

    def fit(self, X, y=None):
        """X (n, p) of numbers or words, an array, a list of rows or a table; y not looked at -> self.

        Raises ValueError for another drop or handle_unknown, for other than p given lists, and, unless unknown values are
        ignored, for a value that they do not have; TypeError as `categories_of`.
        """
        check_choice("drop", self.drop, (None, "first", "if_binary"))
        check_choice("handle_unknown", self.handle_unknown, ("error", "ignore"))
        X = check_X(self, X, allow_nan=True, numeric=False)
        if isinstance(self.categories, str):
            self.categories_ = [categories_of(column) for column in X.T]
            return self
        if len(self.categories) != X.shape[1]:
            raise ValueError(
                f"Shape mismatch: categories has {len(self.categories)} lists, X has {X.shape[1]} features"
            )
        self.categories_ = [np.array(list(values), dtype=object) for values in self.categories]
        for j, column in enumerate(X.T):
            self._codes(column, j)
        return self

    def transform(self, X):
        """X (m, p) -> (m, q) of 0.0 and 1.0: the categories of column 0, then those of column 1, and so on, dropped ones
        left out. Raises ValueError for a value that `fit` has not seen, unless those are ignored."""
        X = check_new(self, X, allow_nan=True, numeric=False)
        hot = [self._codes(column, j)[:, None] == self._kept(j) for j, column in enumerate(X.T)]
        return np.concatenate(hot, axis=1, dtype=np.float64)

    def get_feature_names_out(self, input_features=None):
        """The names of the columns of transform, (q,): column_value. The columns' names, None for those of `fit` or x0, x1 ..."""
        names = getattr(self, "feature_names_in_", [f"x{j}" for j in range(self.n_features_in_)])
        if input_features is not None:
            if len(input_features) != self.n_features_in_:
                raise ValueError(f"input_features should have length {self.n_features_in_}, got {len(input_features)}")
            names = input_features
        kept = [(j, values[self._kept(j)]) for j, values in enumerate(self.categories_)]
        return np.array([f"{names[j]}_{value}" for j, values in kept for value in values], dtype=object)

    def _codes(self, column, j):
        codes = category_codes(column, self.categories_[j])
        if self.handle_unknown == "error" and (codes < 0).any():
            unknown = sorted(map(str, set(column[codes < 0].tolist())))
            raise ValueError(f"Found unknown categories {unknown} in column {j}: fit has seen {self.categories_[j]}")
        return codes

    def _kept(self, j):
        """The places of the categories that have a column."""
        k = len(self.categories_[j])
        return np.arange(int(self.drop == "first" or (self.drop == "if_binary" and k == 2)), k)
