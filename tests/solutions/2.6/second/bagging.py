"""Bagging with rows repeated, and a dictionary of votes."""

import copy

import numpy as np

from .tree import DecisionTreeClassifier, DecisionTreeRegressor


def how_many(name, value, whole):
    if isinstance(value, float) and 0 < value <= 1:
        return max(1, int(whole * value))
    if isinstance(value, int) and 1 <= value <= whole:
        return value
    raise ValueError(f"{name} == {value!r}")


def fit_on_draws(estimator, X, y, rows, columns):
    fitted = []
    for row, column in zip(rows, columns):
        fitted.append(copy.deepcopy(estimator))
        fitted[-1].fit(np.array([X[i, column] for i in row]), np.array([y[i] for i in row]))
    return fitted


def mean_probabilities(estimators, columns, X, c):
    out = np.zeros((len(estimators), len(X), c))
    for k, (estimator, column) in enumerate(zip(estimators, columns)):
        said = estimator.predict_proba(X[:, column])
        for j, label in enumerate(estimator.classes_):
            out[k, :, label] = said[:, j]
    return out.mean(axis=0)


class _Bagging:
    def __init__(
        self, estimator=None, n_estimators=10, *, max_samples=1.0, max_features=1.0, bootstrap=True, random_state=None
    ):
        self.estimator, self.n_estimators, self.random_state = estimator, n_estimators, random_state
        self.max_samples, self.max_features, self.bootstrap = max_samples, max_features, bootstrap

    def _draw(self, X, y, estimator):
        rng = np.random.default_rng(self.random_state)
        n, p = X.shape
        m, q = how_many("max_samples", self.max_samples, n), how_many("max_features", self.max_features, p)
        self.estimators_samples_, self.estimators_features_ = [], []
        for _ in range(self.n_estimators):
            self.estimators_samples_.append(rng.integers(0, n, m) if self.bootstrap else rng.permutation(n)[:m])
            self.estimators_features_.append(np.sort(rng.permutation(p)[:q]))
        self.estimators_ = fit_on_draws(estimator, X, y, self.estimators_samples_, self.estimators_features_)
        return self


class BaggingClassifier(_Bagging):
    def fit(self, X, y):
        self.classes_, codes = np.unique(y, return_inverse=True)
        return self._draw(np.asarray(X), codes, self.estimator or DecisionTreeClassifier())

    def predict_proba(self, X):
        return mean_probabilities(self.estimators_, self.estimators_features_, X, len(self.classes_))

    def predict(self, X):
        return self.classes_[np.argmax(self.predict_proba(X), axis=1)]


class BaggingRegressor(_Bagging):
    def fit(self, X, y):
        return self._draw(np.asarray(X), np.asarray(y), self.estimator or DecisionTreeRegressor())

    def predict(self, X):
        return sum(e.predict(X[:, c]) for e, c in zip(self.estimators_, self.estimators_features_)) / self.n_estimators
