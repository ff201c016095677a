"""Gradient boosting: a sum of small trees, each fitted to the negative gradient of the loss at the sum so far.

Descent in weights follows -dL/dw. Here it is the prediction of each sample that moves: F is a vector with an entry for each
sample, -dL/dF is such a vector too, and a regression tree is fitted to it, so that samples not seen yet have a step as well.
For squared error the negative gradient is the residual y - F: boosting fits residuals. For every other loss it is
something else, and the algorithm stays what it is.

Friedman, Greedy function approximation: a gradient boosting machine (2001), algorithms 1, 2, 3, 5 and 6. Hastie, Tibshirani
and Friedman, The Elements of Statistical Learning (2nd edition), sections 10.10 and 10.12.
"""

import numpy as np

from .estimator import Classifier, Regressor
from .leaves import reached_leaves
from .losses import AbsoluteError, BinaryLogLoss, MultinomialLogLoss, SquaredError, weighted_median
from .splitting import presort
from .tree import DecisionTreeRegressor
from .validation import check_choice, check_generator, check_labelled, check_new, check_number, check_weights, check_Xy


def newton_steps(leaves, gradient, hessian, n_nodes):
    """For each node the constant to add to the raw predictions of its samples, by one step of Newton's method.

    leaves (n,), the node of each sample, 0 to n_nodes - 1; gradient (n,), hessian (n,) of the loss -> (n_nodes,): minus the
    sum of the gradients over the sum of the hessians, and 0 where a sum of hessians is below 1e-150. For squared error that
    is the mean residual, and exact. Friedman, sections 4.5 and 4.6.
    """
    G = np.bincount(leaves, gradient, minlength=n_nodes)
    H = np.bincount(leaves, hessian, minlength=n_nodes)
    return -G / np.where(H < 1e-150, np.inf, H)


def median_steps(leaves, residual, n_nodes, weights=None):
    """The same for the absolute error, which has no curvature: the median residual of each node, 0 where no sample is.

    leaves (n,), residual (n,), weights (n,) or None -> (n_nodes,). Friedman, section 4.3.
    """
    steps = np.zeros(n_nodes)
    for leaf in np.unique(leaves):
        here = leaves == leaf
        steps[leaf] = weighted_median(residual[here], None if weights is None else weights[here])
    return steps


class _Boosted:
    """What the regressor and the classifier share: the rounds, and the sum of the trees."""

    def _boost(self, X, y, loss, sample_weight):
        """Learns start_ and estimators_ for the y that the loss takes."""
        check_number("learning_rate", self.learning_rate, low=0.0)
        check_number("n_estimators", self.n_estimators, low=1, integer=True)
        check_number("subsample", self.subsample, low=0.0, high=1.0, open_low=True)
        weights = check_weights(sample_weight, len(X))
        if not weights.all():  # a sample without weight is no sample
            X, y, weights = X[weights > 0], y[weights > 0], weights[weights > 0]
        generator = check_generator(self.random_state)
        self._loss, self.start_ = loss, loss.start(y, weights)
        raw = self._constant(len(X))
        order = presort(X)  # every tree looks at the same samples, and so they are sorted once
        estimators, scores = [], []
        for _ in range(self.n_estimators):
            drawn = weights * _bag(len(X), self.subsample, generator)
            gradient, columns = _columns(loss.gradient(y, raw)), _columns(raw)  # (n, K): a tree for each column
            trees = [self._tree(generator).fit(X, -g, drawn, order) for g in gradient.T]
            leaves = [tree.tree_.apply(X) for tree in trees]
            steps = self._steps(leaves, [tree.tree_.node_count for tree in trees], y, raw, drawn)
            for k, tree in enumerate(trees):
                tree.tree_.value = steps[k][:, None]  # of the tree only the regions stay
                columns[:, k] += self.learning_rate * steps[k][leaves[k]]
            estimators.append(trees)
            scores.append(loss.loss(y, raw, drawn))
        doubled = isinstance(loss, (SquaredError, BinaryLogLoss))  # as the squared error and the deviance are known
        self.estimators_, self.train_score_ = np.array(estimators), np.array(scores) * (2 if doubled else 1)
        return self

    def _tree(self, generator):
        return DecisionTreeRegressor(
            max_depth=self.max_depth,
            min_samples_split=self.min_samples_split,
            min_samples_leaf=self.min_samples_leaf,
            max_features=self.max_features,
            max_leaf_nodes=self.max_leaf_nodes,
            random_state=generator,
        )

    def _steps(self, leaves, n_nodes, y, raw, weights):
        """For each of the round's K trees what each of its leaves adds to the raw predictions."""
        if isinstance(self._loss, AbsoluteError):
            return [median_steps(leaves[0], y - raw, n_nodes[0], weights)]
        K = len(leaves)
        factor = (K - 1) / K if K > 1 else 1.0  # Friedman, algorithm 6
        gradient, hessian = _columns(self._loss.gradient(y, raw)), _columns(self._loss.hessian(y, raw))
        return [
            factor * newton_steps(leaves[k], weights * gradient[:, k], weights * hessian[:, k], n_nodes[k])
            for k in range(K)
        ]

    def _constant(self, n):
        """The raw predictions before the first tree, (n,) or (n, K)."""
        return np.zeros((n, *np.shape(self.start_))) + self.start_

    def _staged_raw_predict(self, X):
        """The raw predictions after each round, (m,) or (m, K), each time the same array."""
        X = check_new(self, X)
        raw, features = self._constant(len(X)), np.ascontiguousarray(X.T)
        for trees in self.estimators_:
            for k, tree in enumerate(trees):
                step = tree.tree_.value[:, 0].take(_apply(tree.tree_, features))
                _columns(raw)[:, k] += self.learning_rate * step
            yield raw

    def _raw_predict(self, X):
        *_, raw = self._staged_raw_predict(X)
        return raw


def _apply(tree, features):
    """The leaf of each sample: features (p, m) -> (m,). As tree.apply, and faster for few leaves."""

    def goes_right(node, rows):
        return features[tree.feature[node]][rows] > tree.threshold[node]

    return reached_leaves(tree.children_left, tree.children_right, goes_right, features.shape[1])


def _columns(raw):
    """(n,) or (n, K) as (n, K), the same memory."""
    return raw.reshape(len(raw), -1)


def _bag(n, share, generator):
    """1.0 for the samples of a round, else 0.0: (n,)"""
    if share == 1:
        return np.ones(n)
    bag = np.zeros(n)
    bag[generator.permutation(n)[: max(1, int(share * n))]] = 1.0
    return bag


class GradientBoostingRegressor(_Boosted, Regressor):
    """Gradient boosting for numbers: the start, plus the learning rate times the sum of the trees' steps.

    Parameters: loss, "squared_error" or "absolute_error"; n_estimators, the rounds (int >= 1); learning_rate, what each
    tree's steps are multiplied by, in fit and in predict (float >= 0); subsample, the share of the samples that each round's
    trees are grown on, drawn without replacement, max(1, int(subsample * n)) of them (float in (0, 1]); max_depth,
    min_samples_split, min_samples_leaf, max_features and max_leaf_nodes as DecisionTreeRegressor's; random_state, for draws.

    Learns: start_, the raw prediction before the first tree (float); estimators_ (n_estimators, 1), the trees, each a
    DecisionTreeRegressor grown on the negative gradient, with each leaf's value replaced by its step; train_score_
    (n_estimators,), after each round the mean loss of the samples that its trees were grown on, doubled for squared error.

    A leaf's step is newton_steps's for squared error and median_steps's for absolute error, over the samples of the round.
    """

    def __init__(
        self,
        *,
        loss="squared_error",
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
        """Stores the parameters, and nothing else."""
        self.loss = loss
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.subsample = subsample
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.max_features = max_features
        self.max_leaf_nodes = max_leaf_nodes
        self.random_state = random_state

    def fit(self, X, y, sample_weight=None):
        """X (n, p), y (n,) of numbers, sample_weight (n,) >= 0 or None for 1 each -> self.

        Raises ValueError for NaN, infinity, lengths that differ, or parameters out of their range.
        """
        check_choice("loss", self.loss, ("squared_error", "absolute_error"))
        X, y = check_Xy(self, X, y)
        return self._boost(X, y, SquaredError() if self.loss == "squared_error" else AbsoluteError(), sample_weight)

    def predict(self, X):
        """X (m, p) -> (m,). Raises NotFittedError; ValueError for other columns."""
        return self._raw_predict(X)

    def staged_predict(self, X):
        """Yields what `predict` would return after each round: X (m, p) -> n_estimators times (m,)"""
        for raw in self._staged_raw_predict(X):
            yield raw.copy()


class GradientBoostingClassifier(_Boosted, Classifier):
    """Gradient boosting for classes: log-odds of the second of two, or K raw predictions whose softmax is the probabilities.

    Parameters: as GradientBoostingRegressor's, without loss.

    Learns: classes_ (K,), ascending; n_classes_; start_, the raw prediction before the first tree (float, or (K,) for K > 2);
    estimators_ (n_estimators, 1), or (n_estimators, K) for K > 2, and train_score_, doubled for K = 2, otherwise as
    GradientBoostingRegressor's.

    The loss is BinaryLogLoss, or MultinomialLogLoss for K > 2. A leaf's step is newton_steps's over the samples of the
    round; for K > 2 that times (K - 1) / K. All K trees of a round are fitted to gradients at the same raw predictions.
    """

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
        """Stores the parameters, and nothing else."""
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.subsample = subsample
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.max_features = max_features
        self.max_leaf_nodes = max_leaf_nodes
        self.random_state = random_state

    def fit(self, X, y, sample_weight=None):
        """X (n, p), y (n,) of integers, booleans or strings, sample_weight (n,) >= 0 or None for 1 each -> self.

        Raises ValueError for one class only, or one with a weight above 0, for NaN, infinity, lengths that differ, or
        parameters out of their range.
        """
        X, self.classes_, y = check_labelled(self, X, y)
        self.n_classes_ = K = len(self.classes_)
        if len(np.unique(y[check_weights(sample_weight, len(X)) > 0])) < 2:
            raise ValueError(
                f"y contains one class with a weight above 0; a classifier needs 2. Classes: {self.classes_}"
            )
        return self._boost(X, y, BinaryLogLoss() if K == 2 else MultinomialLogLoss(K), sample_weight)

    def decision_function(self, X):
        """The raw predictions: X (m, p) -> (m,), the log-odds of classes_[1], or (m, K)"""
        return self._raw_predict(X)

    def predict_proba(self, X):
        """X (m, p) -> (m, K), columns in the order of classes_, rows that add up to 1"""
        raw = self._raw_predict(X)
        return self._loss.probabilities(raw)

    def predict(self, X):
        """The likeliest class, of equal ones the first: X (m, p) -> (m,)"""
        likeliest = np.argmax(self.predict_proba(X), axis=1)
        return self.classes_[likeliest]

    def staged_predict_proba(self, X):
        """Yields what `predict_proba` would return after each round: X (m, p) -> n_estimators times (m, K)"""
        for raw in self._staged_raw_predict(X):
            yield self._loss.probabilities(raw)

    def staged_predict(self, X):
        """Yields what `predict` would return after each round: X (m, p) -> n_estimators times (m,)"""
        for probabilities in self.staged_predict_proba(X):
            yield self.classes_[np.argmax(probabilities, axis=1)]
