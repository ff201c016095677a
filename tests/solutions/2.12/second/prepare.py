"""Transformers column by column."""

import warnings

import numpy as np

from .estimator import Transformer


class _Columns(Transformer):
    """Fits a function to each column and applies it to each."""

    def fit(self, X, y=None):
        X = np.asarray(X, dtype=float)
        self._learn([column[~np.isnan(column)] for column in X.T])
        return self


class StandardScaler(_Columns):
    def __init__(self, with_mean=True, with_std=True):
        self.with_mean, self.with_std = with_mean, with_std

    def _learn(self, columns):
        self.mean_ = np.array([c.mean() for c in columns])
        self.var_ = np.array([c.var() for c in columns])
        flat = np.array([c.min() == c.max() for c in columns])
        self.scale_ = np.where(flat, 1.0, np.sqrt(self.var_))

    def transform(self, X):
        return (np.asarray(X, dtype=float) - self.mean_ * self.with_mean) / self.scale_ ** int(self.with_std)

    def inverse_transform(self, X):
        return np.asarray(X) * self.scale_ ** int(self.with_std) + self.mean_ * self.with_mean


class MinMaxScaler(_Columns):
    def __init__(self, feature_range=(0, 1), clip=False):
        self.feature_range, self.clip = feature_range, clip

    def _learn(self, columns):
        low, high = self.feature_range
        if low >= high:
            raise ValueError("a range that does not rise")
        self.data_min_ = np.array([c.min() for c in columns])
        self.data_max_ = np.array([c.max() for c in columns])

    def transform(self, X):
        low, high = self.feature_range
        reach = self.data_max_ - self.data_min_
        reach[reach == 0] = 1.0
        Z = low + (high - low) * (np.asarray(X, dtype=float) - self.data_min_) / reach
        return np.clip(Z, low, high) if self.clip else Z


class SimpleImputer(_Columns):
    def __init__(self, strategy="mean", fill_value=None):
        self.strategy, self.fill_value = strategy, fill_value

    def _learn(self, columns):
        ways = {
            "mean": np.mean,
            "median": np.median,
            "most_frequent": lambda c: max(sorted(set(c.tolist())), key=c.tolist().count),
            "constant": lambda c: self.fill_value or 0.0,
        }
        if self.strategy not in ways:
            raise ValueError(f"no such strategy: {self.strategy}")
        empty = [len(c) == 0 and self.strategy != "constant" for c in columns]
        self.statistics_ = np.array(
            [np.nan if none else ways[self.strategy](c) for c, none in zip(columns, empty)], dtype=float
        )

    def transform(self, X):
        X = np.array(X, dtype=float)
        rows, columns = np.nonzero(np.isnan(X))
        X[rows, columns] = self.statistics_[columns]
        kept = ~np.isnan(self.statistics_)
        if not kept.all():
            warnings.warn(f"columns without a value: {np.nonzero(~kept)[0]}", UserWarning, stacklevel=2)
        return X[:, kept]


class OneHotEncoder(Transformer):
    def __init__(self, categories="auto", drop=None, handle_unknown="error"):
        self.categories, self.drop, self.handle_unknown = categories, drop, handle_unknown

    def fit(self, X, y=None):
        self.categories_ = [sorted(set(column)) for column in zip(*X)]
        return self

    def transform(self, X):
        table = []
        for row in X:
            out = []
            for value, values in zip(row, self.categories_):
                if value not in values and self.handle_unknown == "error":
                    raise ValueError(f"unknown: {value!r}")
                hot = [float(value == v) for v in values]
                out += hot[1:] if self.drop == "first" or (self.drop == "if_binary" and len(values) == 2) else hot
            table.append(out)
        return np.array(table)
