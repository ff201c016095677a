"""Lesson 2.7 written another way: a list of (tree, step of each leaf) pairs, the steps in dictionaries, one pass for each class."""

import numpy as np

from .estimator import Classifier, Regressor
from .losses import AbsoluteError, BinaryLogLoss, MultinomialLogLoss, SquaredError
from .tree import DecisionTreeRegressor
from .validation import check_generator, check_labelled, check_new, check_weights, check_Xy


def newton_steps(leaves, gradient, hessian, n_nodes):
    steps = np.zeros(n_nodes)
    for node in range(n_nodes):
        H = hessian[leaves == node].sum()
        if H > 1e-150:
            steps[node] = -gradient[leaves == node].sum() / H
    return steps


def median_steps(leaves, residual, n_nodes, weights=None):
    steps = np.zeros(n_nodes)
    for node in set(leaves.tolist()):
        here = leaves == node
        steps[node] = AbsoluteError().start(residual[here], None if weights is None else weights[here])
    return steps


class _Rounds:
    def __init__(
        self,
        *,
        n_estimators=100,
        learning_rate=0.1,
        subsample=1.0,
        max_depth=3,
        min_samples_split=2,
        min_samples_leaf=1,
        max_features=None,
        max_leaf_nodes=None,
        random_state=None,
    ):
        for name, value in list(locals().items()):
            if name != "self":
                setattr(self, name, value)

    def _learn(self, X, y, kind, K, weights):
        rng = check_generator(self.random_state)
        w = check_weights(weights, len(X))
        self._kind, self._K, self.start_ = kind, K, kind.start(y, w)
        F = np.tile(np.atleast_1d(self.start_), (len(X), 1)).astype(float)  # (n, K)
        self._pairs = []
        for _ in range(self.n_estimators):
            used = w.copy()
            if self.subsample < 1:
                used[rng.choice(len(X), len(X) - max(1, int(self.subsample * len(X))), replace=False)] = 0.0
            g = self._matrix(kind.gradient(y, self._shaped(F)))
            h = None if isinstance(kind, AbsoluteError) else self._matrix(kind.hessian(y, self._shaped(F)))
            pairs = []
            for k in range(K):
                tree = DecisionTreeRegressor(
                    max_depth=self.max_depth,
                    min_samples_split=self.min_samples_split,
                    min_samples_leaf=self.min_samples_leaf,
                    max_features=self.max_features,
                    max_leaf_nodes=self.max_leaf_nodes,
                    random_state=rng,
                ).fit(X, -g[:, k], used)
                leaves, nodes = tree.apply(X), tree.tree_.node_count
                if h is None:
                    inside = used > 0
                    steps = median_steps(leaves[inside], (y - F[:, 0])[inside], nodes, used[inside])
                else:
                    steps = newton_steps(leaves, used * g[:, k], used * h[:, k], nodes) * ((K - 1) / K if K > 1 else 1)
                pairs.append((tree, self.learning_rate * steps))
            for k, (tree, steps) in enumerate(pairs):
                F[:, k] += steps[tree.apply(X)]
            self._pairs.append(pairs)
        self.estimators_ = [[tree for tree, _ in pairs] for pairs in self._pairs]
        return self

    def _matrix(self, raw):
        return raw if raw.ndim == 2 else raw[:, None]

    def _shaped(self, F):
        return F if self._K > 1 else F[:, 0]

    def _stages(self, X):
        X = check_new(self, X)
        F = np.tile(np.atleast_1d(self.start_), (len(X), 1)).astype(float)
        for pairs in self._pairs:
            for k, (tree, steps) in enumerate(pairs):
                F[:, k] += steps[tree.apply(X)]
            yield self._shaped(F).copy()


class GradientBoostingRegressor(_Rounds, Regressor):
    def __init__(self, *, loss="squared_error", **others):
        super().__init__(**others)
        self.loss = loss

    def fit(self, X, y, sample_weight=None):
        X, y = check_Xy(self, X, y)
        return self._learn(
            X, y, {"squared_error": SquaredError, "absolute_error": AbsoluteError}[self.loss](), 1, sample_weight
        )

    def predict(self, X):
        return list(self._stages(X))[-1]

    def staged_predict(self, X):
        return self._stages(X)


class GradientBoostingClassifier(_Rounds, Classifier):
    def fit(self, X, y, sample_weight=None):
        X, self.classes_, y = check_labelled(self, X, y)
        self.n_classes_ = len(self.classes_)
        if self.n_classes_ == 1:
            raise ValueError("y contains one class")
        if self.n_classes_ == 2:
            return self._learn(X, y, BinaryLogLoss(), 1, sample_weight)
        return self._learn(X, y, MultinomialLogLoss(self.n_classes_), self.n_classes_, sample_weight)

    def decision_function(self, X):
        return list(self._stages(X))[-1]

    def predict_proba(self, X):
        return self._kind.probabilities(self.decision_function(X))

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def staged_predict_proba(self, X):
        return (self._kind.probabilities(F) for F in self._stages(X))
