"""Bagging and random forests: many trees, each grown on chance, that vote.

The mean of B predictors with variance s^2 each and correlation r has variance r s^2 + (1 - r) s^2 / B: more of them remove
the second part only. So the trees have to disagree. A bootstrap gives each its own samples, and each split chooses among a few
features drawn for it. What a tree has not seen tells how good it is, at no cost: the out-of-bag samples.

Breiman, Bagging predictors (1996) and Random forests (2001). Hastie, Tibshirani and Friedman, The Elements of Statistical
Learning, sections 8.7 and 15.2.
"""

import numpy as np

from .bagging import how_many
from .estimator import Classifier, Estimator, Regressor, clone
from .metrics import accuracy_score, r2_score
from .splitting import presort
from .tree import DecisionTreeClassifier, DecisionTreeRegressor
from .validation import check_generator, check_labelled, check_new, check_number, check_weights, check_Xy, warn


def bootstrap_counts(n, size, generator):
    """How often each of n samples is in a bootstrap: `size` draws with replacement, all equally probable -> (n,) int64.

    generator: a numpy.random.Generator, asked once, for generator.integers(0, n, size). The counts sum to size; of n draws from n
    about 37 % of the samples are in none.
    """
    return np.bincount(generator.integers(0, n, size), minlength=n)


def grow_trees(tree, X, y, counts, seeds):
    """A copy of the tree for each row of counts, fitted to the samples as often as the row says.

    tree: an estimator with random_state, whose fit(X, y, sample_weight=..., order=...) takes the counts for weights and
    presort(X) for order: the features are sorted once for all trees. X (n, p), y (n,), counts (t, n) >= 0, seeds (t,) of ints,
    each tree's random_state -> a list of t fitted trees.
    """
    order = presort(X)
    trees = []
    for weights, seed in zip(counts, seeds):
        grown = clone(tree).set_params(random_state=int(seed))
        trees.append(grown.fit(X, y, sample_weight=weights, order=order))
    return trees


def mean_prediction(trees, X):
    """The mean over the trees of their class probabilities, X (m, p) -> (m, c), or of their numbers, (m,)."""
    total = 0.0
    for tree in trees:
        total = total + _say(tree, X)
    return total / len(trees)


def out_of_bag(trees, counts, X):
    """The mean prediction for each training sample over those trees that have not seen it.

    trees (t), counts (t, n) as grown with, X (n, p) -> (n, c) or (n,), NaN for a sample that every tree has seen.
    """
    total, asked = 0.0, (counts == 0).sum(axis=0)  # (n,)
    for tree, count in zip(trees, counts):
        said = _say(tree, X)
        unseen = (count == 0).reshape((-1,) + (1,) * (said.ndim - 1))
        total = total + np.where(unseen, said, 0.0)
    asked = asked.reshape((-1,) + (1,) * (total.ndim - 1))
    return np.where(asked > 0, total / np.maximum(asked, 1), np.nan)


def permutation_importance(model, X, y, n_repeats=5, random_state=None):
    """By how much the score falls when a feature is shuffled among the samples, which breaks its tie with y and with the rest.

    model: fitted, with score(X, y). X (n, p), best not what it was fitted to -> (p, n_repeats), score before minus after.
    Each feature in turn is permuted n_repeats times, by generator.permutation(n). Breiman (2001), section 10.
    """
    generator = check_generator(random_state)
    before = model.score(X, y)
    drop = np.empty((X.shape[1], n_repeats))
    for j in range(X.shape[1]):
        shuffled = X.copy()
        for repeat in range(n_repeats):
            shuffled[:, j] = X[generator.permutation(len(X)), j]
            drop[j, repeat] = before - model.score(shuffled, y)
    return drop


def _say(tree, X):
    """Probabilities of a classifier, numbers of a regressor."""
    return tree.predict_proba(X) if hasattr(tree, "predict_proba") else tree.predict(X)


class Forest(Estimator):
    """What both forests share: drawing, growing, and the average over trees."""

    @property
    def feature_importances_(self):
        """The mean over the trees of what splits on each feature took from the impurity: (p,), summing to 1, or all 0.

        It favours features with many values, and is measured on the training data: see permutation_importance.
        """
        importances = np.mean([tree.feature_importances_ for tree in self.estimators_], axis=0)
        return importances / importances.sum() if importances.any() else importances

    def apply(self, X):
        """The leaf of each sample in each tree: X (m, p) -> (m, n_estimators) int64."""
        X = check_new(self, X)
        return np.stack([tree.tree_.apply(X) for tree in self.estimators_], axis=1)

    def _fit(self, tree, X, y, sample_weight):
        """Grows the trees on X and y, both checked, and returns the out-of-bag predictions if they are asked for."""
        check_number("n_estimators", self.n_estimators, 1, integer=True)
        n, generator = len(X), check_generator(self.random_state)
        if self.bootstrap:
            size = n if self.max_samples is None else how_many("max_samples", self.max_samples, n)
            counts = np.stack([bootstrap_counts(n, size, generator) for _ in range(self.n_estimators)])
        elif self.oob_score:
            raise ValueError("oob_score == True: without a bootstrap every tree has seen every sample")
        else:
            counts = np.ones((self.n_estimators, n), dtype=np.int64)
        seeds = generator.integers(0, 2**31, self.n_estimators)
        weights = counts if sample_weight is None else counts * check_weights(sample_weight, n)
        self.estimators_ = grow_trees(tree, X, y, weights, seeds)
        if not self.oob_score:
            return None
        unseen = out_of_bag(self.estimators_, counts, X)
        if np.isnan(unseen).any():
            warn(
                UserWarning,
                "some samples are in every tree's bootstrap and have no out-of-bag prediction: grow more trees",
            )
        return unseen


class RandomForestClassifier(Classifier, Forest):
    """A vote of trees by their class probabilities.

    Parameters: n_estimators, how many trees; max_features, among how many features each split chooses, drawn anew for it
    without replacement, as DecisionTreeClassifier's; criterion, max_depth, min_samples_split, min_samples_leaf: of each tree;
    bootstrap, whether each tree has its own draw of n samples with replacement, else all have all; max_samples, how many
    it draws, None for n, an int, or a share in (0, 1]; oob_score, whether the out-of-bag accuracy is computed; random_state.
    Learns: classes_ (c,), estimators_ (the trees), feature_importances_ (p,), and with oob_score oob_score_ (float, over
    the samples that some tree has not seen) and oob_decision_function_ (n, c).
    """

    def __init__(  # given
        self,
        n_estimators=100,
        *,
        criterion="gini",
        max_depth=None,
        min_samples_split=2,
        min_samples_leaf=1,
        max_features="sqrt",
        bootstrap=True,
        max_samples=None,
        oob_score=False,
        random_state=None,
    ):
        """Stores the parameters, and nothing else."""
        self.n_estimators = n_estimators
        self.criterion = criterion
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.max_features = max_features
        self.bootstrap = bootstrap
        self.max_samples = max_samples
        self.oob_score = oob_score
        self.random_state = random_state

    def fit(self, X, y, sample_weight=None):
        """X (n, p), y (n,) of classes, sample_weight (n,) >= 0 or None for 1 each -> self. Raises ValueError as the tree's."""
        X, self.classes_, codes = check_labelled(self, X, y)
        unseen = self._fit(_tree(DecisionTreeClassifier, self), X, codes, sample_weight)
        if unseen is not None:
            known = ~np.isnan(unseen[:, 0])
            self.oob_decision_function_ = unseen
            self.oob_score_ = accuracy_score(codes[known], unseen[known].argmax(axis=1))
        return self

    def predict_proba(self, X):
        """The mean of the trees' probabilities: X (m, p) -> (m, c), columns as in classes_"""
        X = check_new(self, X)
        return mean_prediction(self.estimators_, X)

    def predict(self, X):
        """The class with the largest mean probability, the first in classes_ of several: X (m, p) -> (m,)"""
        p = self.predict_proba(X)
        return self.classes_[p.argmax(axis=1)]


class RandomForestRegressor(Regressor, Forest):
    """The mean of trees.

    Parameters: as RandomForestClassifier, but max_features is 1.0, all features, and criterion "squared_error".
    Learns: estimators_, feature_importances_, and with oob_score oob_score_ (R^2) and oob_prediction_ (n,).
    """

    def __init__(  # given
        self,
        n_estimators=100,
        *,
        criterion="squared_error",
        max_depth=None,
        min_samples_split=2,
        min_samples_leaf=1,
        max_features=1.0,
        bootstrap=True,
        max_samples=None,
        oob_score=False,
        random_state=None,
    ):
        """Stores the parameters, and nothing else."""
        self.n_estimators = n_estimators
        self.criterion = criterion
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.max_features = max_features
        self.bootstrap = bootstrap
        self.max_samples = max_samples
        self.oob_score = oob_score
        self.random_state = random_state

    def fit(self, X, y, sample_weight=None):
        """X (n, p), y (n,), sample_weight (n,) >= 0 or None for 1 each -> self. Raises ValueError as the tree's."""
        X, y = check_Xy(self, X, y)
        unseen = self._fit(_tree(DecisionTreeRegressor, self), X, y, sample_weight)
        if unseen is not None:
            known = ~np.isnan(unseen)
            self.oob_prediction_ = unseen
            self.oob_score_ = r2_score(y[known], unseen[known])
        return self

    def predict(self, X):
        """The mean of the trees' predictions: X (m, p) -> (m,)"""
        X = check_new(self, X)
        return mean_prediction(self.estimators_, X)


def _tree(kind, forest):
    """The tree that a forest grows: its parameters of the same names."""
    own = kind().get_params()
    return kind(
        **{name: value for name, value in forest.get_params().items() if name in own and name != "random_state"}
    )
