"""Lesson 2.7 written another way: bins by sorting and comparing, the rounds in one function, early stopping by keeping the best."""

import numpy as np

from .estimator import Classifier, Estimator, Regressor
from .losses import BinaryLogLoss, MultinomialLogLoss, SquaredError
from .newton_tree import HistTree
from .validation import check_generator, check_labelled, check_new, check_weights, check_Xy


def bin_edges(x, max_bins=255):
    x = np.sort(x[x == x])
    values = sorted(set(x.tolist()))
    if len(values) <= max_bins:
        return np.array([(values[i] + values[i + 1]) / 2 for i in range(len(values) - 1)])
    cuts = set()
    for k in range(1, max_bins):
        if k * len(x) % max_bins:
            cuts.add(x[-(-k * len(x) // max_bins) - 1])
        else:
            cuts.add((x[k * len(x) // max_bins - 1] + x[k * len(x) // max_bins]) / 2)
    return np.array(sorted(cuts))


def bin_codes(X, edges):
    columns = [(x[:, None] > np.asarray(cuts)).sum(axis=1) for x, cuts in zip(X.T, edges)]
    return np.where(np.isnan(X), nan_code(edges), np.stack(columns, axis=1)).astype(np.uint8)


def nan_code(edges):
    return 1 + max(map(len, edges))


def should_stop(losses, n_iter_no_change, tol):
    if len(losses) < n_iter_no_change + 1:
        return False
    *_, before = losses[:-n_iter_no_change]
    return all(loss >= before - tol for loss in losses[-n_iter_no_change:])


TREE = (
    "max_leaf_nodes",
    "max_depth",
    "min_samples_leaf",
    "l2_regularization",
    "gamma",
    "max_features",
    "monotonic_cst",
)


class HistGradientBoosting(Estimator):
    def __init__(
        self,
        learning_rate=0.1,
        max_iter=100,
        max_leaf_nodes=31,
        max_depth=None,
        min_samples_leaf=20,
        l2_regularization=0.0,
        gamma=0.0,
        max_features=1.0,
        subsample=1.0,
        max_bins=255,
        monotonic_cst=None,
        early_stopping="auto",
        validation_fraction=0.1,
        n_iter_no_change=10,
        tol=1e-7,
        random_state=None,
    ):
        for name, value in list(locals().items()):
            if name != "self":
                setattr(self, name, value)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def _learn(self, X, y, kind, K, sample_weight):
        rng = check_generator(self.random_state)
        w = check_weights(sample_weight, len(X))
        stop = self.early_stopping if self.early_stopping != "auto" else len(X) > 10_000
        order = rng.permutation(len(X))
        n_held = max(1, round(self.validation_fraction * len(X))) if stop else 0
        held, used = order[:n_held], np.sort(order[n_held:])
        self.edges_ = [bin_edges(column, self.max_bins) for column in X[used].T]
        parts = {
            name: (bin_codes(X[rows], self.edges_), y[rows], w[rows])
            for name, rows in (("used", used), ("held", held))
            if len(rows)
        }
        self._kind, self._K, self.start_ = kind, K, kind.start(y[used], w[used])
        F = {name: self._begin(len(part[1])) for name, part in parts.items()}
        score = {name: [kind.loss(part[1], self._shaped(F[name]), part[2])] for name, part in parts.items()}
        codes, y, w = parts["used"]
        self.trees_ = []
        while len(self.trees_) < self.max_iter:
            G = kind.gradient(y, self._shaped(F["used"])).reshape(len(y), K) * w[:, None]
            H = kind.hessian(y, self._shaped(F["used"])).reshape(len(y), K) * w[:, None]
            rows = (
                None if self.subsample == 1 else rng.choice(len(y), max(1, int(self.subsample * len(y))), replace=False)
            )
            options = {name: getattr(self, name) for name in TREE}
            trees = [HistTree(**options, random_state=rng) for _ in range(K)]
            for k, tree in enumerate(trees):
                tree.fit(codes, G[:, k], H[:, k], nan_code(self.edges_) + 1, rows)
            self.trees_.append(trees)
            for name, part in parts.items():
                self._step(F[name], trees, part[0])
                score[name].append(kind.loss(part[1], self._shaped(F[name]), part[2]))
            if stop and should_stop(score["held"], self.n_iter_no_change, self.tol):
                break
        self.n_iter_ = len(self.trees_)
        self.train_score_ = -np.array(score["used"] if stop else [])
        self.validation_score_ = -np.array(score["held"] if stop else [])
        return self

    def _begin(self, n):
        return np.ones((n, self._K)) * self.start_

    def _shaped(self, F):
        return F if self._K > 1 else F[:, 0]

    def _step(self, F, trees, codes):
        F += self.learning_rate * np.stack([tree.predict(codes) for tree in trees], axis=1)

    def _stages(self, X):
        codes = bin_codes(check_new(self, X, allow_nan=True), self.edges_)
        F = self._begin(len(codes))
        for trees in self.trees_:
            self._step(F, trees, codes)
            yield self._shaped(F).copy()

    def _final(self, X):
        return list(self._stages(X))[-1]


class HistGradientBoostingRegressor(Regressor, HistGradientBoosting):
    def fit(self, X, y, sample_weight=None):
        X, y = check_Xy(self, X, y, allow_nan=True)
        return self._learn(X, y, SquaredError(), 1, sample_weight)

    def predict(self, X):
        return self._final(X)

    def staged_predict(self, X):
        return self._stages(X)


class HistGradientBoostingClassifier(Classifier, HistGradientBoosting):
    def fit(self, X, y, sample_weight=None):
        X, self.classes_, y = check_labelled(self, X, y, allow_nan=True)
        K = len(self.classes_)
        return self._learn(
            X, y, BinaryLogLoss() if K == 2 else MultinomialLogLoss(K), max(1, K * (K > 2)), sample_weight
        )

    def decision_function(self, X):
        return self._final(X)

    def predict_proba(self, X):
        return self._kind.probabilities(self._final(X))

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def staged_predict_proba(self, X):
        return (self._kind.probabilities(F) for F in self._stages(X))
