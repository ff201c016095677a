"""Growing with a stack, the right side waiting while the left is grown."""

from dataclasses import dataclass

import numpy as np

from .splitting import best_splits, measure


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

    @property
    def node_count(self):
        return self.feature.shape[0]

    @property
    def n_leaves(self):
        return (self.node_count + 1) // 2

    @property
    def max_depth(self):
        depth = np.zeros(self.node_count, dtype=int)
        for t in range(self.node_count):
            if self.children_left[t] != -1:
                depth[[self.children_left[t], self.children_right[t]]] = depth[t] + 1
        return int(depth.max())

    def apply(self, X):
        ends = np.empty(len(X), dtype=np.int64)
        waiting = [(0, np.arange(len(X)))]
        while waiting:
            t, rows = waiting.pop()
            if self.children_left[t] == -1:
                ends[rows] = t
                continue
            left = X[rows, self.feature[t]] <= self.threshold[t]
            waiting += [(self.children_left[t], rows[left]), (self.children_right[t], rows[~left])]
        return ends

    def importances(self, p):
        taken = [0.0] * p
        for t, (a, b) in enumerate(zip(self.children_left, self.children_right)):
            if a != -1:
                before, left, right = (self.weighted_n_node_samples[i] * self.impurity[i] for i in (t, a, b))
                taken[self.feature[t]] += before - left - right
        total = sum(taken)
        return np.array([each / total if total > 0 else 0.0 for each in taken])


def partition(order, side):
    return np.array([[*row[side[row] == 0], *row[side[row] == 1]] for row in order], dtype=order.dtype)


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
    columns, rows_of_tree = np.asarray(X, dtype=float).T, []
    whole = weights.sum()
    waiting = [(np.flatnonzero(weights > 0), 0, None, None)]
    while waiting:
        rows, depth, parent, side = waiting.pop()
        t = len(rows_of_tree)
        if parent is not None:
            rows_of_tree[parent][side] = t
        node = measure(targets[:, rows], weights[rows], np.zeros(len(rows), dtype=int), 1, criterion)
        rows_of_tree.append([-1, -1, -2, -2.0, node.value[0], node.impurity[0], len(rows), node.weight[0]])
        if node.impurity[0] == 0 or len(rows) < min_samples_split or depth == max_depth:
            continue
        features = None if max_features is None else _drawn(columns[:, rows], max_features, generator)[:, None]
        split = best_splits(
            columns[:, rows],
            np.arange(len(rows))[None],
            targets[:, rows],
            weights[rows],
            node,
            criterion,
            min_samples_leaf,
            features,
        )
        if split.gain[0] == -np.inf or split.gain[0] * node.weight[0] / whole < min_impurity_decrease - 1e-15:
            continue
        feature, threshold = int(split.feature[0]), float(split.threshold[0])
        rows_of_tree[t][2:4] = feature, threshold
        left = columns[feature, rows] <= threshold
        waiting += [(rows[~left], depth + 1, t, 1), (rows[left], depth + 1, t, 0)]
    return Tree(*(np.array(column) for column in zip(*rows_of_tree)))


def _drawn(columns, max_features, generator):
    """Features one after the other until there are enough, and one that varies if there is one."""
    drawn = []
    for f in generator.permutation(len(columns)):
        if len(drawn) >= max_features and any(np.ptp(columns[g]) > 0 for g in drawn):
            break
        drawn.append(f)
    return np.array(drawn)
