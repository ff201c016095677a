"""Bagging: any estimator, fitted to many draws of the samples and of the features, and averaged.

Breiman, Bagging predictors (1996), draws the samples; Ho, The random subspace method (1998), the features, once for each
estimator; a random forest (`forest`) draws features again at each split.
"""

import numpy as np

from .estimator import Classifier, Estimator, Regressor, clone
from .tree import DecisionTreeClassifier, DecisionTreeRegressor
from .validation import check_generator, check_labelled, check_new, check_number, check_Xy


def fit_on_draws(estimator, X, y, rows, columns):
    """A copy of the estimator for each draw, fitted to those rows and columns of X (n, p) and those entries of y (n,).

    rows: t index arrays, repeats allowed. columns: t index arrays. -> a list of t fitted estimators.
    """
    return [clone(estimator).fit(X[row][:, column], y[row]) for row, column in zip(rows, columns)]


def mean_probabilities(estimators, columns, X, c):
    """The mean over classifiers of their class probabilities, each on its own columns: X (m, p) -> (m, c).

    The classes are 0..c-1. A classifier whose draw had not all of them gives the others 0: where its probabilities belong
    is what its classes_ say.
    """
    total = np.zeros((len(X), c))
    for estimator, column in zip(estimators, columns):
        total[:, estimator.classes_] += estimator.predict_proba(X[:, column])
    return total / len(estimators)


def how_many(name, value, whole):  # given
    """A parameter that is an int in [1, whole], or a share of the whole in (0, 1], rounded down -> int, at least 1.

    Raises ValueError with the parameter's name for anything else.
    """
    if isinstance(value, (float, np.floating)):
        check_number(name, value, 0.0, 1.0, open_low=True)
        return max(1, int(whole * value))
    check_number(name, value, 1, whole, integer=True)
    return int(value)


class _Bagging(Estimator):
    """Drawing and fitting."""

    def _fit(self, estimator, X, y):
        check_number("n_estimators", self.n_estimators, 1, integer=True)
        n, p = X.shape
        size, width = (
            how_many(name, getattr(self, name), whole) for name, whole in (("max_samples", n), ("max_features", p))
        )
        generator = check_generator(self.random_state)
        draws = range(self.n_estimators)
        self.estimators_samples_ = [generator.choice(n, size, replace=self.bootstrap) for _ in draws]
        self.estimators_features_ = [np.sort(generator.choice(p, width, replace=False)) for _ in draws]
        if "random_state" in estimator.get_params():
            estimator = clone(estimator).set_params(random_state=int(generator.integers(2**31)))
        self.estimators_ = fit_on_draws(estimator, X, y, self.estimators_samples_, self.estimators_features_)


class BaggingClassifier(Classifier, _Bagging):
    """The mean of many classifiers' probabilities, each fitted to a draw of its own.

    Parameters: estimator, what is copied, with predict_proba (None for DecisionTreeClassifier()); n_estimators; max_samples and
    max_features, how many samples and features each draws (an int, or a share in (0, 1]); bootstrap, whether samples are drawn
    with replacement; random_state. Features are drawn without.
    Learns: classes_ (c,), estimators_, estimators_samples_ and estimators_features_ (lists of index arrays).
    """

    def __init__(  # given
        self, estimator=None, n_estimators=10, *, max_samples=1.0, max_features=1.0, bootstrap=True, random_state=None
    ):
        """Stores the parameters, and nothing else."""
        self.estimator = estimator
        self.n_estimators = n_estimators
        self.max_samples = max_samples
        self.max_features = max_features
        self.bootstrap = bootstrap
        self.random_state = random_state

    def fit(self, X, y):
        """X (n, p), y (n,) of classes -> self. Raises ValueError for NaN, lengths that differ, parameters that cannot be."""
        X, self.classes_, codes = check_labelled(self, X, y)
        self._fit(DecisionTreeClassifier() if self.estimator is None else self.estimator, X, codes)
        return self

    def predict_proba(self, X):
        """X (m, p) -> (m, c), columns as in classes_"""
        X = check_new(self, X)
        return mean_probabilities(self.estimators_, self.estimators_features_, X, len(self.classes_))

    def predict(self, X):
        """The class with the largest mean probability, the first in classes_ of several: X (m, p) -> (m,)"""
        p = self.predict_proba(X)
        return self.classes_[p.argmax(axis=1)]


class BaggingRegressor(Regressor, _Bagging):
    """The mean of many regressors, each fitted to a draw of its own. Parameters and attributes as BaggingClassifier."""

    def __init__(  # given
        self, estimator=None, n_estimators=10, *, max_samples=1.0, max_features=1.0, bootstrap=True, random_state=None
    ):
        """Stores the parameters, and nothing else."""
        self.estimator = estimator
        self.n_estimators = n_estimators
        self.max_samples = max_samples
        self.max_features = max_features
        self.bootstrap = bootstrap
        self.random_state = random_state

    def fit(self, X, y):
        """X (n, p), y (n,) -> self. Raises ValueError for NaN, lengths that differ, parameters that cannot be."""
        X, y = check_Xy(self, X, y)
        self._fit(DecisionTreeRegressor() if self.estimator is None else self.estimator, X, y)
        return self

    def predict(self, X):
        """X (m, p) -> (m,)"""
        X = check_new(self, X)
        return np.mean([e.predict(X[:, c]) for e, c in zip(self.estimators_, self.estimators_features_)], axis=0)
