"""Histogram gradient boosting: features cut into bins once, then a tree of second order in each round.

A split between two samples that lie next to each other is nearly the same as the split beside it. So each feature is cut at
quantiles into at most 255 bins, which fit into a byte, and all trees see the bins alone. What a split costs then depends on
the number of bins instead of the number of samples.

Chen and Guestrin, XGBoost: a scalable tree boosting system (2016). Ke et al., LightGBM: a highly efficient gradient boosting
decision tree (2017). Early stopping: Prechelt, Early stopping - but when? (1998).
"""

from types import SimpleNamespace

import numpy as np

from .estimator import Classifier, Estimator, Regressor
from .losses import BinaryLogLoss, MultinomialLogLoss, SquaredError
from .newton_tree import HistTree
from .validation import check_choice, check_generator, check_labelled, check_new, check_number, check_weights, check_Xy


def bin_edges(x, max_bins=255, weights=None):
    """Where one feature is cut: x (n,), weights (n,) > 0 or None for 1 each -> edges (k,), ascending, k < max_bins.

    NaN counts for nothing. With at most max_bins distinct values, halfway between neighbours, so that each has a bin of its
    own. With more, at the quantiles 1/max_bins, 2/max_bins, ..., equal ones once. The quantile q is the first of the sorted
    values that, with all before it, has at least the share q of the weight; where it has exactly q, halfway to the next.
    """
    there = ~np.isnan(x)
    order = np.argsort(x[there])
    x, distinct = x[there][order], np.unique(x[there])
    if len(distinct) <= max_bins:
        return distinct[:-1] / 2 + distinct[1:] / 2
    running = np.arange(1, len(x) + 1) if weights is None else np.cumsum(weights[there][order])
    shares, wanted = (
        running * max_bins,
        np.arange(1, max_bins) * running[-1],
    )  # of whole numbers: equal ones are found equal
    place = np.searchsorted(shares, wanted)
    return np.unique(x[place] / 2 + x[place + (shares[place] == wanted)] / 2)


def bin_codes(X, edges):
    """The bin of each value: X (n, p), the edges of each of the p features, a list of arrays -> codes (n, p), uint8.

    Code b where edges[b - 1] < x <= edges[b]: a value on an edge is in the bin below it. Above the last edge, the number of
    edges. NaN has the code after all others, nan_code(edges), in each feature the same.
    """
    codes = np.empty(X.shape, dtype=np.uint8, order="F")  # by columns: a split looks at one
    for j, cuts in enumerate(edges):
        codes[:, j] = np.searchsorted(cuts, X[:, j], side="left")
        codes[np.isnan(X[:, j]), j] = nan_code(edges)
    return codes


def nan_code(edges):
    """The code of NaN, one more than the most edges that a feature has: a list of arrays -> int"""
    return max(len(cuts) for cuts in edges) + 1


def should_stop(losses, n_iter_no_change, tol):
    """Whether each of the last n_iter_no_change losses is at least as large as the one before them minus tol.

    losses: the start's, then one for each round. False as long as there are not more than n_iter_no_change of them.
    """
    if len(losses) <= n_iter_no_change:
        return False
    return bool(min(losses[-n_iter_no_change:]) >= losses[-n_iter_no_change - 1] - tol)


class HistGradientBoosting(Estimator):
    """What the regressor and the classifier share: their parameters, the rounds, and the sum of the trees.

    Parameters: learning_rate, what the trees' steps are multiplied by, in fit and in predict (float > 0); max_iter, the rounds
    (int >= 1); max_leaf_nodes, max_depth, min_samples_leaf, l2_regularization, gamma, max_features as HistTree's; subsample,
    the share of the samples that each round's trees are grown on, max(1, int(subsample * n)) of them, drawn without
    replacement (float in (0, 1]); max_bins (int from 2 to 255); monotonic_cst (p,) of -1, 0 and 1, as `best_split`'s, or
    None; early_stopping, True, False, or "auto" for True where there are more than 10,000 samples; validation_fraction, the
    share of samples that no tree is grown on and whose loss decides (float in (0, 1)); n_iter_no_change and tol as for
    `should_stop`; random_state, for all draws.

    Learns: edges_, for each feature its bin_edges (of the samples that trees are grown on); start_, the raw prediction before
    the first tree; trees_, for each round a list of one HistTree, or of K, without leaf_; n_iter_, the number of rounds. With
    early stopping train_score_ and validation_score_, minus the loss at the start and after each round, (n_iter_ + 1,); (0,)
    without it.

    NaN in X is a missing value. A sample whose weight is 0 is left out. Weights multiply gradients and hessians.
    """

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
        """Stores the parameters, and nothing else."""
        self.learning_rate = learning_rate
        self.max_iter = max_iter
        self.max_leaf_nodes = max_leaf_nodes
        self.max_depth = max_depth
        self.min_samples_leaf = min_samples_leaf
        self.l2_regularization = l2_regularization
        self.gamma = gamma
        self.max_features = max_features
        self.subsample = subsample
        self.max_bins = max_bins
        self.monotonic_cst = monotonic_cst
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.random_state = random_state

    def _check_parameters(self, p):
        """The constraints on the features (p,), or None where there are none."""
        check_number("learning_rate", self.learning_rate, low=0.0, open_low=True)
        for name in ("subsample", "max_features"):
            check_number(name, getattr(self, name), low=0.0, high=1.0, open_low=True)
        for name in ("max_iter", "min_samples_leaf", "n_iter_no_change"):
            check_number(name, getattr(self, name), low=1, integer=True)
        for name in ("l2_regularization", "gamma", "tol"):
            check_number(name, getattr(self, name), low=0.0)
        for name, least in (("max_leaf_nodes", 2), ("max_depth", 1)):
            if getattr(self, name) is not None:
                check_number(name, getattr(self, name), low=least, integer=True)
        check_number("max_bins", self.max_bins, low=2, high=255, integer=True)
        check_choice("early_stopping", self.early_stopping, ("auto", True, False))
        if self.early_stopping is not False:
            ends = dict(low=0.0, high=1.0, open_low=True, open_high=True)
            check_number("validation_fraction", self.validation_fraction, **ends)
        if self.monotonic_cst is None:
            return None
        cst = np.asarray(self.monotonic_cst)
        if cst.shape != (p,) or not np.isin(cst, (-1, 0, 1)).all():
            raise ValueError(f"monotonic_cst == {self.monotonic_cst!r}: expected {p} numbers out of -1, 0 and 1")
        return cst.astype(np.int64) if cst.any() else None

    def _boost(self, X, y, loss, sample_weight, groups):
        """All rounds. groups (n,): the same share of each is held out, if any is."""
        self._cst, generator = self._check_parameters(X.shape[1]), check_generator(self.random_state)
        weights = check_weights(sample_weight, len(X))
        rows = np.flatnonzero(weights)
        out = np.zeros(len(rows), dtype=bool)
        stops = len(rows) > 10_000 if self.early_stopping == "auto" else self.early_stopping
        if stops:
            out = _hold_out(groups[rows], self.validation_fraction, generator)
        used = rows[~out]
        self.edges_ = [bin_edges(x, self.max_bins, weights[used]) for x in _rows(X, used).T]
        self._loss, self.start_, self.trees_ = loss, loss.start(y[used], weights[used]), []
        parts = [self._part(_rows(X, these), y[these], weights[these]) for these in [used, rows[out]][: 1 + stops]]
        losses = [[loss.loss(part.y, part.raw, part.weights)] for part in parts]
        while len(self.trees_) < self.max_iter:
            self.trees_.append(self._grow(parts[0], generator))
            for part, history in zip(parts, losses):
                self._add(part.raw, self.trees_[-1], part.codes, grown_on_all=part is parts[0] and self.subsample == 1)
                history.append(loss.loss(part.y, part.raw, part.weights) if stops else None)
            for tree in self.trees_[-1]:
                del tree.leaf_  # as long as the data, and of no use any more
            if stops and should_stop(losses[1], self.n_iter_no_change, self.tol):
                break
        self.n_iter_ = len(self.trees_)
        self.train_score_, self.validation_score_ = (-np.array(each) for each in (losses if stops else ([], [])))
        return self

    def _part(self, X, y, weights):
        """Samples as the rounds see them, with raw predictions that move."""
        return SimpleNamespace(codes=bin_codes(X, self.edges_), y=y, weights=weights, raw=self._constant(len(y)))

    def _grow(self, part, generator):
        """A round: a tree for each column of the raw predictions (n,) or (n, K)."""
        n, n_bins = len(part.y), nan_code(self.edges_) + 1
        gradient = part.weights[:, None] * self._loss.gradient(part.y, part.raw).reshape(n, -1)  # (n, K)
        hessian = part.weights[:, None] * self._loss.hessian(part.y, part.raw).reshape(n, -1)
        rows = None
        if self.subsample < 1:
            rows = np.sort(generator.permutation(n)[: max(1, int(self.subsample * n))])
        return [self._tree(generator).fit(part.codes, g, h, n_bins, rows) for g, h in zip(gradient.T, hessian.T)]

    def _tree(self, generator):
        return HistTree(
            max_leaf_nodes=self.max_leaf_nodes,
            max_depth=self.max_depth,
            min_samples_leaf=self.min_samples_leaf,
            l2_regularization=self.l2_regularization,
            gamma=self.gamma,
            max_features=self.max_features,
            monotonic_cst=self._cst,
            random_state=generator,
        )

    def _constant(self, n):
        """The raw predictions before the first tree, (n,) or (n, K)."""
        return np.zeros((n, *np.shape(self.start_))) + self.start_

    def _add(self, raw, trees, codes, grown_on_all=False):
        """What a round adds to the raw predictions (n,) or (n, K), in place."""
        columns = raw.reshape(len(raw), -1)
        for k, tree in enumerate(trees):
            columns[:, k] += self.learning_rate * (tree.value_[tree.leaf_] if grown_on_all else tree.predict(codes))

    def _staged_raw_predict(self, X):
        """The raw predictions after each round, (m,) or (m, K), each time the same array."""
        codes = bin_codes(check_new(self, X, allow_nan=True), self.edges_)
        raw = self._constant(len(codes))
        for trees in self.trees_:
            self._add(raw, trees, codes)
            yield raw

    def _raw_predict(self, X):
        *_, raw = self._staged_raw_predict(X)
        return raw

    def __sklearn_tags__(self):  # given
        """With missing values."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _rows(X, rows):
    """X[rows], and no copy if that is all of X."""
    return X if len(rows) == len(X) else X[rows]


def _hold_out(groups, fraction, generator):
    """Which of n samples are held out, a mask (n,): drawn at random, from each group its share, to the nearest sample."""
    order = np.lexsort((generator.random(len(groups)), groups))
    places = np.arange(0.5, max(fraction * len(groups), 1.0)) / fraction  # the groups lie one after the other
    out = np.zeros(len(groups), dtype=bool)
    out[order[np.minimum(places.astype(np.int64), len(groups) - 1)]] = True
    return out


class HistGradientBoostingRegressor(Regressor, HistGradientBoosting):
    """Histogram gradient boosting for numbers, with SquaredError: parameters and what is learned as HistGradientBoosting's."""

    def fit(self, X, y, sample_weight=None):
        """X (n, p), in which NaN is a missing value, y (n,) of numbers, sample_weight (n,) >= 0 or None for 1 each -> self.

        Raises ValueError for infinity, NaN in y, lengths that differ, or parameters out of their range.
        """
        X, y = check_Xy(self, X, y, allow_nan=True)
        return self._boost(X, y, SquaredError(), sample_weight, np.zeros(len(X)))

    def predict(self, X):
        """X (m, p) -> (m,). Raises NotFittedError; ValueError for other columns."""
        return self._raw_predict(X)

    def staged_predict(self, X):
        """Yields what `predict` would return after each round: X (m, p) -> n_iter_ times (m,)"""
        for raw in self._staged_raw_predict(X):
            yield raw.copy()


class HistGradientBoostingClassifier(Classifier, HistGradientBoosting):
    """Histogram gradient boosting for classes: parameters and what is learned as HistGradientBoosting's, and classes_ (K,).

    The loss is BinaryLogLoss for two classes, with one tree in a round, and MultinomialLogLoss for more, with K trees, all of
    them grown on derivatives at the same raw predictions. Constraints are for two classes only.
    """

    def fit(self, X, y, sample_weight=None):
        """X (n, p), in which NaN is a missing value, y (n,) of integers, booleans or strings, sample_weight (n,) -> self.

        Raises ValueError for one class only, or one with a weight above 0, for infinity, lengths that differ, or parameters
        out of their range.
        """
        X, self.classes_, y = check_labelled(self, X, y, allow_nan=True)
        K = len(self.classes_)
        if len(np.unique(y[check_weights(sample_weight, len(X)) > 0])) < 2:
            raise ValueError(
                f"y contains one class with a weight above 0; a classifier needs 2. Classes: {self.classes_}"
            )
        if K > 2 and self.monotonic_cst is not None and np.any(self.monotonic_cst):
            raise ValueError(f"monotonic constraints are for two classes; y has {K}")
        return self._boost(X, y, BinaryLogLoss() if K == 2 else MultinomialLogLoss(K), sample_weight, y)

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
        """Yields what `predict_proba` would return after each round: X (m, p) -> n_iter_ times (m, K)"""
        for raw in self._staged_raw_predict(X):
            yield self._loss.probabilities(raw)

    def staged_predict(self, X):
        """Yields what `predict` would return after each round: X (m, p) -> n_iter_ times (m,)"""
        for probabilities in self.staged_predict_proba(X):
            yield self.classes_[np.argmax(probabilities, axis=1)]
