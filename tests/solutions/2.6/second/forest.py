"""Forests sample by sample where that is the definition."""

import numpy as np

from .tree import DecisionTreeClassifier, DecisionTreeRegressor


def bootstrap_counts(n, size, generator):
    counts = np.zeros(n, dtype=np.int64)
    np.add.at(counts, generator.integers(0, n, size), 1)
    return counts


def grow_trees(tree, X, y, counts, seeds):
    params = tree.get_params()
    return [
        type(tree)(**{**params, "random_state": int(seed)}).fit(X, y, sample_weight=count)
        for count, seed in zip(counts, seeds)
    ]


def _say(tree, X):
    return tree.predict_proba(X) if "proba" in " ".join(dir(tree)) else tree.predict(X)


def mean_prediction(trees, X):
    return np.mean([_say(tree, X) for tree in trees], axis=0)


def out_of_bag(trees, counts, X):
    said = np.array([_say(tree, X) for tree in trees])
    rows = []
    for i in range(len(X)):
        unseen = [t for t in range(len(trees)) if counts[t][i] == 0]
        rows.append(said[unseen, i].mean(axis=0) if unseen else np.full(said.shape[2:], np.nan))
    return np.array(rows)


def permutation_importance(model, X, y, n_repeats=5, random_state=None):
    rng, before, drop = np.random.default_rng(random_state), model.score(X, y), []
    for j in range(X.shape[1]):
        drop.append([])
        for _ in range(n_repeats):
            columns = list(X.T)
            columns[j] = columns[j][rng.permutation(len(X))]
            drop[-1].append(before - model.score(np.stack(columns, axis=1), y))
    return np.array(drop)


class _Forest:
    def __init__(
        self,
        n_estimators=100,
        *,
        criterion=None,
        max_depth=None,
        min_samples_split=2,
        min_samples_leaf=1,
        max_features=None,
        bootstrap=True,
        max_samples=None,
        oob_score=False,
        random_state=None,
    ):
        self.n_estimators, self.bootstrap, self.max_samples = n_estimators, bootstrap, max_samples
        self.oob_score, self.random_state = oob_score, random_state
        self.tree = dict(max_depth=max_depth, min_samples_split=min_samples_split, min_samples_leaf=min_samples_leaf)
        self.tree |= dict(max_features=max_features, **({"criterion": criterion} if criterion else {}))

    def _grow(self, kind, X, y, sample_weight):
        rng, n = np.random.default_rng(self.random_state), len(X)
        size = n if self.max_samples is None else self.max_samples
        size = int(size * n) if isinstance(size, float) else size
        self.counts = [
            bootstrap_counts(n, size, rng) if self.bootstrap else np.ones(n) for _ in range(self.n_estimators)
        ]
        weights = np.ones(n) if sample_weight is None else np.asarray(sample_weight)
        seeds = rng.integers(2**31, size=self.n_estimators)
        self.estimators_ = grow_trees(kind(**self.tree), X, y, [c * weights for c in self.counts], seeds)

    @property
    def feature_importances_(self):
        total = sum(tree.feature_importances_ for tree in self.estimators_)
        return total / total.sum() if total.sum() > 0 else total


class RandomForestClassifier(_Forest):
    def __init__(self, n_estimators=100, *, max_features="sqrt", **options):
        super().__init__(n_estimators, max_features=max_features, **options)

    def fit(self, X, y, sample_weight=None):
        self.classes_, codes = np.unique(y, return_inverse=True)
        self._grow(DecisionTreeClassifier, X, codes, sample_weight)
        if self.oob_score:
            p = self.oob_decision_function_ = out_of_bag(self.estimators_, self.counts, X)
            known = np.isfinite(p[:, 0])
            self.oob_score_ = float(np.mean(p[known].argmax(axis=1) == codes[known]))
        return self

    def predict_proba(self, X):
        return mean_prediction(self.estimators_, X)

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


class RandomForestRegressor(_Forest):
    def fit(self, X, y, sample_weight=None):
        self._grow(DecisionTreeRegressor, X, y, sample_weight)
        if self.oob_score:
            self.oob_prediction_ = out_of_bag(self.estimators_, self.counts, X)
        return self

    def predict(self, X):
        return mean_prediction(self.estimators_, X)
