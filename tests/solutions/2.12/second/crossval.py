"""Everything from one table: a fitted copy, its training score and its test score for each fold."""

import numpy as np

from .estimator import Classifier, clone
from .folds import KFold, StratifiedKFold


def _pairs(estimator, X, y, groups, cv):
    if cv is None or isinstance(cv, int):
        last = estimator.steps[-1][1] if hasattr(estimator, "steps") else getattr(estimator, "estimator", estimator)
        last = last.steps[-1][1] if hasattr(last, "steps") else last
        cv = (StratifiedKFold if isinstance(last, Classifier) else KFold)(cv or 5)
    return list(cv.split(X, y, groups) if hasattr(cv, "split") else cv)


def _judged(estimator, X, y, train, test, scoring=None):
    model = clone(estimator)
    model.fit(X[train], y[train])
    if scoring is None:
        return model, model.score(X[train], y[train]), model.score(X[test], y[test])
    return model, scoring(model, X[train], y[train]), scoring(model, X[test], y[test])


def cross_val_score(estimator, X, y=None, *, groups=None, scoring=None, cv=None):
    pairs = _pairs(estimator, X, y, groups, cv)
    return np.array([_judged(estimator, X, y, *pair, scoring)[2] for pair in pairs])


def cross_val_predict(estimator, X, y=None, *, groups=None, cv=None, method="predict"):
    answers = {}
    for train, test in _pairs(estimator, X, y, groups, cv):
        model = _judged(estimator, X, y, train, test)[0]
        for row, answer in zip(test.tolist(), getattr(model, method)(X[test])):
            if row in answers:
                raise ValueError("a row is tested twice")
            answers[row] = answer
    if len(answers) < len(X):
        raise ValueError("a row is never tested")
    return np.array([answers[row] for row in range(len(X))])


def learning_curve(estimator, X, y, *, groups=None, train_sizes=(0.1, 0.325, 0.55, 0.775, 1.0), cv=None, scoring=None):
    pairs = _pairs(estimator, X, y, groups, cv)
    most = len(pairs[0][0])
    sizes = sorted({max(1, int(s * most)) if isinstance(s, float) else int(s) for s in train_sizes})
    table = [[_judged(estimator, X, y, train[:n], test, scoring)[1:] for train, test in pairs] for n in sizes]
    table = np.array(table)
    return np.array(sizes), table[..., 0], table[..., 1]


def validation_curve(estimator, X, y, *, param_name, param_range, groups=None, cv=None, scoring=None):
    pairs = _pairs(estimator, X, y, groups, cv)
    table = []
    for value in param_range:
        candidate = clone(estimator).set_params(**{param_name: value})
        table.append([_judged(candidate, X, y, *pair, scoring)[1:] for pair in pairs])
    table = np.array(table)
    return table[..., 0], table[..., 1]
