"""Decision trees: ask one feature, go left or right, ask again; grown greedily, a level at a time.

Each node takes the split with the largest gain (`splitting`), and so do its two sides, until a rule stops them. All nodes of
a level are split in one pass: their samples lie one node after the other, sorted by each feature. The sort is done once; when
nodes are split, taking out first what goes left and then what goes right keeps the order, and the children again lie
one after the other. A level costs a few passes over the data, however many nodes it has.

Breiman, Friedman, Olshen and Stone, Classification and Regression Trees (1984), chapters 2, 3 and 8.
"""

from dataclasses import dataclass
from numbers import Integral

import numpy as np

from .estimator import Classifier, Estimator, Regressor, clone
from .pruning import cost_complexity_path, prune, prune_to_leaves
from .splitting import Nodes, best_splits, measure, presort
from .validation import check_choice, check_generator, check_labelled, check_new, check_number, check_weights, check_Xy


@dataclass
class Tree:
    """A grown tree: arrays with an entry for each node, depth first, the left side before the right; node 0 is the root."""

    children_left: np.ndarray  # (nodes,) int64; -1 in a leaf
    children_right: np.ndarray  # (nodes,) int64; -1 in a leaf
    feature: np.ndarray  # (nodes,) int64: which column is asked; -2 in a leaf
    threshold: np.ndarray  # (nodes,): x <= threshold goes left; -2.0 in a leaf
    value: np.ndarray  # (nodes, c): the mean target, or the share of each class
    impurity: np.ndarray  # (nodes,)
    n_node_samples: np.ndarray  # (nodes,) int64: samples with a weight above 0
    weighted_n_node_samples: np.ndarray  # (nodes,)

    @property
    def node_count(self):
        """How many nodes, leaves included."""
        return len(self.feature)

    @property
    def n_leaves(self):
        """How many leaves."""
        return int(np.sum(self.children_left < 0))

    @property
    def max_depth(self):
        """How many questions the longest way down asks: 0 for a root alone."""
        depth, nodes = 0, np.array([0])
        while len(nodes := nodes[self.children_left[nodes] >= 0]):
            depth, nodes = depth + 1, np.concatenate([self.children_left[nodes], self.children_right[nodes]])
        return depth

    def apply(self, X):
        """The leaf that each sample ends in: X (m, p) -> (m,) int64, numbers of nodes."""
        m, p = X.shape
        values = np.ravel(X)
        children = np.stack([self.children_left, self.children_right], axis=1).ravel()
        end = np.zeros(m, dtype=np.int64)
        rows = np.arange(m if self.node_count > 1 else 0)  # the samples that are still on their way
        node = end[rows]
        while len(rows):
            right = values.take(rows * p + self.feature.take(node)) > self.threshold.take(node)
            node = children.take(2 * node + right)
            arrived = self.feature.take(node) < 0
            end[rows[arrived]] = node[arrived]
            rows, node = rows[~arrived], node[~arrived]
        return end

    def importances(self, p):
        """For each of p features what its splits took from the impurity, in shares of the whole: (p,), zeros if nothing was taken.

        A node counts by its weight: weight * impurity, minus the same of its two children.
        """
        inner = self.children_left >= 0
        held = self.weighted_n_node_samples * self.impurity
        taken = held[inner] - held[self.children_left[inner]] - held[self.children_right[inner]]
        by_feature = np.bincount(self.feature[inner], taken, minlength=p)
        return by_feature / by_feature.sum() if by_feature.sum() > 0 else np.zeros(p)


def partition(order, side):
    """The samples with side 0, then those with side 1, in the order they had: order (p, m), side (n,) -> (p, fewer).

    order holds numbers of samples, in each row the same ones; side says for each of the n samples 0, 1, or -1 to leave it out.
    """
    samples, sides = order.ravel(), side.take(order).ravel()
    kept = [samples.take(np.flatnonzero(sides == which)).reshape(len(order), -1) for which in (0, 1)]
    return np.concatenate(kept, axis=1)


def grow(
    X,
    targets,
    weights,
    criterion,
    max_depth=None,
    min_samples_split=2,
    min_samples_leaf=1,
    min_impurity_decrease=0.0,
    max_features=None,
    generator=None,
    order=None,
):
    """A tree, grown from the root down until every leaf is pure or may not be split: -> Tree.

    X (n, p); targets (c, n): a column of indicators for each class, or one of numbers; weights (n,), not all 0: a sample without
    weight takes no part. criterion: "gini", "entropy" or "squared_error". A node is split unless its impurity is 0, its depth
    is max_depth (None: no limit), it has less than min_samples_split samples, no cut leaves min_samples_leaf on both
    sides, or the best takes less than min_impurity_decrease from the whole: gain * weight of the node / weight of all.
    A gain of 0 is enough otherwise. max_features: how many features each node may choose from, drawn for it by the generator without
    replacement; if all of them are constant in the node, the first drawn that is not. order: presort(X), if it is known.
    """
    n = len(X)
    columns = np.ascontiguousarray(X.T)
    order = presort(X) if order is None else order
    rows = np.flatnonzero(weights)  # the samples of a level's nodes
    node, k = np.zeros(len(rows), dtype=np.int64), 1  # which node each is in, and how many nodes there are
    levels, splits, whole = [], [], weights.sum()
    while k:
        nodes = measure(targets[:, rows], weights[rows], node, k, criterion)
        levels.append(nodes)
        may_split = (nodes.impurity > 0) & (nodes.size >= max(min_samples_split, 2 * min_samples_leaf))
        if len(levels) - 1 == max_depth or not may_split.any():
            break
        side = np.full(n, -1, dtype=np.int8)
        side[rows] = np.where(may_split, np.arange(k) >= k // 2, -1)[node]  # left children have the lower numbers
        order = partition(order, side)
        candidates = Nodes(*(column[may_split] for column in nodes))
        features = None if max_features is None else _draw_features(generator, max_features, columns, order, candidates)
        best = best_splits(columns, order, targets, weights, candidates, criterion, min_samples_leaf, features)
        split = best.gain * candidates.weight / whole >= min_impurity_decrease - np.finfo(float).eps
        splits.append((np.flatnonzero(may_split)[split], best.feature[split], best.threshold[split]))

        k = 2 * np.sum(split)
        number = np.repeat(np.cumsum(split) - 1, candidates.size)  # of the left child, the right's is k // 2 further
        feature, threshold = (np.repeat(column, candidates.size) for column in (best.feature, best.threshold))
        node = number + (k // 2) * (columns[feature, order[0]] > threshold)
        split = np.repeat(split, candidates.size)
        rows, node = order[0, split], node[split]
    return _depth_first(levels, splits)


class DecisionTree(Estimator):
    """What both kinds of tree share: growing, pruning, and finding leaves."""

    def apply(self, X):
        """The leaf that each sample ends in: X (m, p) -> (m,), numbers of nodes of tree_."""
        return self.tree_.apply(check_new(self, X))

    def get_depth(self):
        """How many questions the longest way down asks."""
        return self.tree_.max_depth

    def get_n_leaves(self):
        """How many leaves the tree has."""
        return self.tree_.n_leaves

    @property
    def feature_importances_(self):
        """For each feature what its splits took from the impurity, in shares of the whole (p,)."""
        return self.tree_.importances(self.n_features_in_)

    def cost_complexity_pruning_path(self, X, y, sample_weight=None):
        """The steps of pruning a tree that is fitted to these data with ccp_alpha 0 -> PruningPath. This one is not changed."""
        return cost_complexity_path(clone(self).set_params(ccp_alpha=0.0).fit(X, y, sample_weight).tree_)

    def _grow(self, X, targets, sample_weight, order):
        weights = check_weights(sample_weight, len(X))
        if np.all(weights == np.rint(weights)) and weights.sum() < 2**52:
            weights = weights.astype(
                np.int64
            )  # a bootstrap's counts: running sums of integers take a fifth of the time
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

    def _check_parameters(self, criteria):
        check_choice("criterion", self.criterion, criteria)
        if self.max_depth is not None:
            check_number("max_depth", self.max_depth, low=1, integer=True)
        check_number("min_samples_split", self.min_samples_split, low=2, integer=True)
        check_number("min_samples_leaf", self.min_samples_leaf, low=1, integer=True)
        check_number("min_impurity_decrease", self.min_impurity_decrease, low=0.0)
        check_number("ccp_alpha", self.ccp_alpha, low=0.0)
        if self.max_leaf_nodes is not None:
            check_number("max_leaf_nodes", self.max_leaf_nodes, low=2, integer=True)


def _how_many(max_features, p):
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


def _draw_features(generator, max_features, columns, order, nodes):
    """For each of k nodes, those it may use: (max_features, k), ascending. One of them varies in the node if any feature does."""
    last = np.cumsum(nodes.size) - 1
    first = last - nodes.size + 1
    turn = generator.permuted(np.tile(np.arange(len(columns)), (len(last), 1)), axis=1).T  # (p, k)

    def constant(features, which):
        return columns[features, order[features, first[which]]] == columns[features, order[features, last[which]]]

    drawn = turn[:max_features].copy()
    useless = np.flatnonzero(constant(drawn, slice(None)).all(axis=0))
    if len(useless):
        turn = turn[:, useless]
        drawn[0, useless] = turn[constant(turn, useless).argmin(axis=0), np.arange(len(useless))]
    return np.sort(drawn, axis=0)


def _depth_first(levels, splits):
    """The Tree of what was measured on each level, and of which nodes were split, by what."""
    first = np.cumsum(
        [0] + [len(nodes.size) for nodes in levels]
    )  # the number of each level's first node, level by level
    total = first[-1]
    left, right, feature = (np.full(total, fill) for fill in (-1, -1, -2))
    threshold, below = (
        np.full(total, -2.0),
        np.ones(total, dtype=np.int64),
    )  # below: nodes of the subtree, itself counted
    parents = [first[depth] + which for depth, (which, _, _) in enumerate(splits)]
    for depth, (inner, (_, asked, cut)) in enumerate(zip(parents, splits)):
        feature[inner], threshold[inner] = asked, cut
        left[inner] = first[depth + 1] + np.arange(len(inner))
        right[inner] = left[inner] + len(inner)
    for inner in reversed(parents):
        below[inner] += below[left[inner]] + below[right[inner]]
    place = np.zeros(total, dtype=np.int64)  # of each node, depth first
    for inner in parents:
        place[left[inner]] = place[inner] + 1
        place[right[inner]] = place[inner] + 1 + below[left[inner]]
    by = np.argsort(place)
    size, weight, value, impurity = (np.concatenate(column)[by] for column in zip(*levels))
    left, right = (np.where(child[by] < 0, -1, place[child[by]]) for child in (left, right))
    return Tree(left, right, feature[by], threshold[by], value, impurity, size, weight)


class DecisionTreeClassifier(Classifier, DecisionTree):
    """A tree whose leaves hold the shares of the classes.

    Parameters: criterion, "gini" or "entropy", which "log_loss" is as well; max_depth (int or None); min_samples_split, the
    least number of samples that are split, >= 2; min_samples_leaf, the least number in a leaf, >= 1; max_features, from how many
    features each split chooses, drawn anew for each: None for all, an int, a share of all (float in (0, 1]), "sqrt" or "log2"
    of their number, rounded down and at least 1; random_state, the seed of these draws; max_leaf_nodes (int >= 2 or None), the most leaves, by splitting where
    the most is gained first; min_impurity_decrease, what a split has to take from the impurity of the whole, >= 0; ccp_alpha,
    the price of a leaf for pruning, >= 0.
    Learns: classes_ (c,), ascending; n_classes_; tree_, a Tree; max_features_; feature_importances_ (p,).

    With max_features None nothing is drawn: of splits with equal gain the one of the lowest feature is taken, then the one with the lowest threshold.
    """

    def __init__(
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

        order: presort(X), if it is known already; it saves the sorting and changes nothing. Raises ValueError for NaN, infinity, lengths that
        differ, or parameters out of their range.
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
        """The class with the largest share in each sample's leaf: X (m, p) -> (m,); of equal ones the first in classes_."""
        X = check_new(self, X)
        return self.classes_[np.argmax(self.tree_.value, axis=1)][self.tree_.apply(X)]


class DecisionTreeRegressor(Regressor, DecisionTree):
    """A tree whose leaves hold the mean of the targets.

    Parameters: criterion, "squared_error"; the others as DecisionTreeClassifier's.
    Learns: tree_, a Tree; max_features_; feature_importances_ (p,).
    """

    def __init__(
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
        """X (n, p), y (n,) of numbers; otherwise as DecisionTreeClassifier's -> self."""
        self._check_parameters(("squared_error",))
        X, y = check_Xy(self, X, y)
        self.tree_ = self._grow(X, y[None], sample_weight, order)
        return self

    def predict(self, X):
        """The mean target of each sample's leaf: X (m, p) -> (m,)."""
        X = check_new(self, X)
        return self.tree_.value[:, 0][self.tree_.apply(X)]
