"""scikit-learn's machines, with Platt's probabilities from folds that are dealt out in turn."""

from itertools import combinations

import numpy as np
from sklearn import svm
from sklearn.model_selection import PredefinedSplit, cross_val_predict

from .platt import platt_probability, platt_scaling


def svc_box(y, C):
    return np.clip(y * C, None, 0), np.clip(y * C, 0, None)


def votes(values, k):
    pairs = list(combinations(range(k), 2))
    first, second = (np.array([[c == pair[end] for c in range(k)] for pair in pairs], dtype=float) for end in (0, 1))
    return (values > 0) @ first + (values <= 0) @ second, values @ (first - second)


class SVC(svm.SVC):
    def fit(self, X, y, sample_weight=None):
        wants = self.probability is True
        self.probability = "deprecated"
        super().fit(X, y, sample_weight)
        if wants:
            fold = np.zeros(len(X), dtype=int)
            for c in self.classes_:
                fold[y == c] = np.arange(np.sum(y == c)) % 5
            f = cross_val_predict(
                svm.SVC(gamma=self.gamma, tol=self.tol), X, y, cv=PredefinedSplit(fold), method="decision_function"
            )
            self.sigmoid = platt_scaling(f, np.where(y == self.classes_[1], 1.0, -1.0))
        return self

    def predict_proba(self, X):
        p = platt_probability(self.decision_function(X), *self.sigmoid)
        return np.stack([1 - p, p], axis=1)

    def predict_log_proba(self, X):
        return np.log(self.predict_proba(X))


SVR = svm.SVR
