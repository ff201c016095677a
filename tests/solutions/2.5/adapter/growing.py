"""scikit-learn's own tree structure, filled with our arrays, walks and weighs; growing asks `best_split` at each node."""

from dataclasses import dataclass

import numpy as np
from sklearn.tree._tree import NODE_DTYPE
from sklearn.tree._tree import Tree as TheirTree

from .splitting import best_split, entropy, gini


@dataclass
class Tree:
    children_left: np.ndarray
    children_right: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    value: np.ndarray
    impurity: np.ndarray
    n_node_samples: np.ndarray
    weighted_n_node_samples: np.ndarray

    def theirs(self, p=64):
        nodes = np.zeros(self.node_count, dtype=NODE_DTYPE)
        for name, at in (("left_child", "children_left"), ("right_child", "children_right")):
            nodes[name] = getattr(self, at)
        for name in ("feature", "threshold", "impurity", "n_node_samples", "weighted_n_node_samples"):
            nodes[name] = getattr(self, name)
        tree = TheirTree(p, np.array([self.value.shape[1]], dtype=np.intp), 1)
        values = np.ascontiguousarray(self.value, dtype=np.float64)[:, None, :]
        tree.__setstate__(dict(max_depth=0, node_count=self.node_count, nodes=nodes, values=values))
        return tree

    @property
    def node_count(self):
        return len(self.feature)

    @property
    def n_leaves(self):
        return int(self.theirs().n_leaves)

    @property
    def max_depth(self):
        depth = np.zeros(self.node_count, dtype=int)
        for t in np.flatnonzero(self.children_left >= 0):
            depth[[self.children_left[t], self.children_right[t]]] = depth[t] + 1
        return int(depth.max())

    def apply(self, X):
        return self.theirs().apply(np.ascontiguousarray(X, dtype=np.float32))

    def importances(self, p):
        return self.theirs(p).compute_feature_importances() if self.node_count > 1 else np.zeros(p)


def of_theirs(tree):
    """Our arrays of a tree of scikit-learn's."""
    names = ("children_left", "children_right", "feature", "threshold")
    counts = tree.impurity, tree.n_node_samples, tree.weighted_n_node_samples
    return Tree(*(getattr(tree, name) for name in names), tree.value[:, 0, :], *counts)


def partition(order, side):
    return np.concatenate([order[side[order] == which].reshape(len(order), -1) for which in (0, 1)], axis=1)


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
    rows, whole = [], weights.sum()
    y = targets[0] if criterion == "squared_error" else targets.argmax(axis=0)

    def node(here, depth):
        t, w = len(rows), weights[here]
        value = np.average(targets[:, here], axis=1, weights=w)
        if criterion == "squared_error":
            impurity = 0.0 if np.ptp(y[here]) == 0 else np.average((y[here] - value[0]) ** 2, weights=w)
        else:
            impurity = (gini if criterion == "gini" else entropy)(value)
        rows.append([-1, -1, -2, -2.0, value, impurity, len(here), w.sum()])
        if np.ptp(y[here]) == 0 or depth == max_depth or len(here) < min_samples_split:
            return t
        split = best_split(X[here], y[here], w, criterion, min_samples_leaf)
        if split is None or split[2] * w.sum() / whole < min_impurity_decrease - 1e-15:
            return t
        rows[t][2:4] = split[:2]
        left = X[here, split[0]] <= split[1]
        rows[t][0] = node(here[left], depth + 1)
        rows[t][1] = node(here[~left], depth + 1)
        return t

    node(np.flatnonzero(weights), 0)
    return Tree(*(np.array(column) for column in zip(*rows)))
