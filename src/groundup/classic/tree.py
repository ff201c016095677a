"""Decision trees: ask one feature, go left or right, ask again, and answer with what the leaf holds.

A classifier answers with the class that is most frequent in the leaf, a regressor with the mean. Where to split is
found in `splitting`, the tree grown in `growing`, and cut back in `pruning`.

Breiman, Friedman, Olshen and Stone, Classification and Regression Trees (1984), chapters 2, 3 and 8.
"""

from numbers import Integral

import numpy as np

from .estimator import Classifier, Estimator, Regressor, clone
from .growing import grow
from .pruning import cost_complexity_path, prune, prune_to_leaves
from .validation import (
    check_choice,
    check_fitted,
    check_generator,
    check_labelled,
    check_new,
    check_number,
    check_weights,
    check_Xy,
)


class DecisionTree(Estimator):
    """What both kinds of tree share: growing, pruning, and finding leaves."""

    def apply(self, X):
        """The leaf that each sample ends in: X (m, p) -> (m,), numbers of nodes of tree_."""
        X = check_new(self, X)
        return self.tree_.apply(X)

    def get_depth(self):
        """How many questions the longest way down asks. Raises NotFittedError before `fit`."""
        check_fitted(self)
        return self.tree_.max_depth

    def get_n_leaves(self):
        """How many leaves the tree has. Raises NotFittedError before `fit`."""
        check_fitted(self)
        return self.tree_.n_leaves

    @property
    def feature_importances_(self):
        """What the splits of each feature took from the impurity, in shares: (p,). See `Tree.importances`."""
        check_fitted(self)
        return self.tree_.importances(self.n_features_in_)

    def cost_complexity_pruning_path(self, X, y, sample_weight=None):
        """How a tree like this one, fitted to these data, is pruned as the price of a leaf rises -> PruningPath.

        X, y, sample_weight: as for `fit`. The estimator itself is neither fitted nor changed.
        """
        return cost_complexity_path(clone(self).set_params(ccp_alpha=0.0).fit(X, y, sample_weight).tree_)

    def _grow(self, X, targets, sample_weight, order):
        weights = check_weights(sample_weight, len(X))
        if np.all(weights == np.rint(weights)) and np.sum(weights) < 2**52:
            weights = weights.astype(np.int64)  # counts, as a bootstrap's: sums of whole numbers are exact, and faster
        self.max_features_ = _how_many(self.max_features, X.shape[1])
        tree = grow(
            X,
            targets,
            weights,
            "entropy" if self.criterion == "log_loss" else self.criterion,
            max_depth=self.max_depth,
            min_samples_split=self.min_samples_split,
            min_samples_leaf=self.min_samples_leaf,
            min_impurity_decrease=self.min_impurity_decrease,
            max_features=self.max_features_ if self.max_features_ < X.shape[1] else None,
            generator=check_generator(self.random_state),
            order=order,
        )
        if self.max_leaf_nodes is not None:
            tree = prune_to_leaves(tree, self.max_leaf_nodes)
        return prune(tree, self.ccp_alpha) if self.ccp_alpha > 0 else tree

    def _check_parameters(self, criteria):  # given
        """Raises ValueError for a parameter that is out of its range."""
        check_choice("criterion", self.criterion, criteria)
        if self.max_depth is not None:
            check_number("max_depth", self.max_depth, low=1, integer=True)
        check_number("min_samples_split", self.min_samples_split, low=2, integer=True)
        check_number("min_samples_leaf", self.min_samples_leaf, low=1, integer=True)
        check_number("min_impurity_decrease", self.min_impurity_decrease, low=0.0)
        check_number("ccp_alpha", self.ccp_alpha, low=0.0)
        if self.max_leaf_nodes is not None:
            check_number("max_leaf_nodes", self.max_leaf_nodes, low=2, integer=True)


def _how_many(max_features, p):  # given
    """The number of features that max_features stands for, where there are p."""
    if max_features is None:
        return p
    if isinstance(max_features, str):
        check_choice("max_features", max_features, ("sqrt", "log2"))
        return max(1, int(np.sqrt(p) if max_features == "sqrt" else np.log2(p)))
    if isinstance(max_features, Integral):
        check_number("max_features", max_features, low=1, integer=True)
        return min(int(max_features), p)
    check_number("max_features", max_features, low=0.0, high=1.0, open_low=True)
    return max(1, int(max_features * p))


def _indicators(codes, c):
    """A row for each class, 1 where a sample is of it: codes (n,) -> (c, n) int64."""
    return (codes == np.arange(c)[:, None]).astype(np.int64)


class DecisionTreeClassifier(Classifier, DecisionTree):
    """A tree whose leaves hold the shares of the classes.

    Parameters:
    - criterion: "gini" or "entropy"; "log_loss" is another name of entropy.
    - max_depth: how many questions at most, int >= 1 or None.
    - min_samples_split, >= 2: how many samples a node needs to be split. min_samples_leaf, >= 1: and each of its sides.
    - min_impurity_decrease, >= 0: what a split has to take from the impurity of the whole (see `grow`).
    - max_features: among how many features a node chooses, drawn anew for each node. None for all, an int, a share of
      all (float in (0, 1]), "sqrt" or "log2" of their number; rounded down, at least 1.
    - random_state: the seed of these draws.
    - max_leaf_nodes: how many leaves at most, >= 2 or None (see `prune_to_leaves`).
    - ccp_alpha, >= 0: the price of a leaf. Above 0 the tree is pruned (see `prune`), after max_leaf_nodes.

    Learns: classes_ (c,), ascending; n_classes_; tree_, a Tree whose value has a column for each class; max_features_,
    the number; feature_importances_ (p,).
    """

    def __init__(  # given
        self,
        *,
        criterion="gini",
        max_depth=None,
        min_samples_split=2,
        min_samples_leaf=1,
        max_features=None,
        random_state=None,
        max_leaf_nodes=None,
        min_impurity_decrease=0.0,
        ccp_alpha=0.0,
    ):
        """Stores the parameters, and nothing else."""
        self.criterion = criterion
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.max_features = max_features
        self.random_state = random_state
        self.max_leaf_nodes = max_leaf_nodes
        self.min_impurity_decrease = min_impurity_decrease
        self.ccp_alpha = ccp_alpha

    def fit(self, X, y, sample_weight=None, order=None):
        """X (n, p), y (n,) of classes, sample_weight (n,) >= 0 or None for 1 each -> self.

        A weight of 2 does what the sample twice would, but for the rules that count samples; a sample of weight 0 takes
        no part, though its class is among classes_. order: presort(X), if it is known; it changes nothing but the time.
        Raises ValueError for NaN, infinity, lengths that differ, and parameters out of their range.
        """
        self._check_parameters(("gini", "entropy", "log_loss"))
        X, self.classes_, codes = check_labelled(self, X, y)
        self.n_classes_ = len(self.classes_)
        self.tree_ = self._grow(X, _indicators(codes, self.n_classes_), sample_weight, order)
        return self

    def predict_proba(self, X):
        """The shares of the classes in each sample's leaf: X (m, p) -> (m, c), columns in the order of classes_."""
        X = check_new(self, X)
        return self.tree_.value[self.tree_.apply(X)]

    def predict(self, X):
        """The class of the largest share in each sample's leaf: X (m, p) -> (m,); the first in classes_ of equal ones."""
        X = check_new(self, X)
        return self.classes_[np.argmax(self.tree_.value, axis=1)][self.tree_.apply(X)]


class DecisionTreeRegressor(Regressor, DecisionTree):
    """A tree whose leaves hold the mean of the targets.

    Parameters: criterion, "squared_error", for which the impurity is the variance; the others as
    DecisionTreeClassifier's. Learns: tree_, a Tree whose value has one column; max_features_, feature_importances_
    (p,).
    """

    def __init__(  # given
        self,
        *,
        criterion="squared_error",
        max_depth=None,
        min_samples_split=2,
        min_samples_leaf=1,
        max_features=None,
        random_state=None,
        max_leaf_nodes=None,
        min_impurity_decrease=0.0,
        ccp_alpha=0.0,
    ):
        """Stores the parameters, and nothing else."""
        self.criterion = criterion
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.max_features = max_features
        self.random_state = random_state
        self.max_leaf_nodes = max_leaf_nodes
        self.min_impurity_decrease = min_impurity_decrease
        self.ccp_alpha = ccp_alpha

    def fit(self, X, y, sample_weight=None, order=None):
        """X (n, p), y (n,) of numbers, sample_weight and order as for DecisionTreeClassifier -> self."""
        self._check_parameters(("squared_error",))
        X, y = check_Xy(self, X, y)
        self.tree_ = self._grow(X, y[None], sample_weight, order)
        return self

    def predict(self, X):
        """The mean target of each sample's leaf: X (m, p) -> (m,)."""
        X = check_new(self, X)
        return self.tree_.value[:, 0][self.tree_.apply(X)]
