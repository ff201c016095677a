"""Growing a tree: every node takes its best split, and so do its two sides, until a rule stops them; a level at a time.

All nodes of a level are split in one pass over their samples, which lie one node after the other, sorted by each
feature. The sorting is done once. When the nodes are split, first all that goes left is taken out and then all that
goes right: that keeps each node's samples in order, and the children lie one after the other again. So a level costs a
few passes over the data, however many nodes it has.

Breiman, Friedman, Olshen and Stone, Classification and Regression Trees (1984), sections 2.4 and 2.5.
"""

from dataclasses import dataclass

import numpy as np

from .splitting import BLOCK, Nodes, best_splits, measure, presort


@dataclass
class Tree:
    """A grown tree: arrays with an entry for each node, depth first, the left side before the right; 0 is the root."""

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
        leaf, here = self.children_left < 0, np.arange(self.node_count)
        children = np.where(leaf, here, [self.children_left, self.children_right]).T.ravel()  # a leaf leads to itself
        feature, values = np.where(leaf, 0, self.feature), np.ravel(X)
        end, rows = np.zeros(m, dtype=np.int64), np.arange(m)  # rows: the samples that are still on their way
        node, start = end[rows], rows * p  # where each is, and where its row of X begins
        for depth in range(1, self.max_depth + 1):
            right = values.take(start + feature.take(node)) > self.threshold.take(node)
            node = children.take(2 * node + right)
            if depth % 4 == 0:  # looking at each level who has arrived would cost more than it saves
                end[rows] = node
                going = np.flatnonzero(~leaf.take(node))
                rows, node, start = rows.take(going), node.take(going), start.take(going)
        end[rows] = node
        return end

    def importances(self, p):
        """What the splits of each of p features took from the impurity, as shares of the whole: (p,); zeros if nothing.

        A split takes weight * impurity of its node, less weight * impurity of each of the two children.
        """
        inner = self.children_left >= 0
        held = self.weighted_n_node_samples * self.impurity
        taken = held[inner] - held[self.children_left[inner]] - held[self.children_right[inner]]
        by_feature = np.bincount(self.feature[inner], taken, minlength=p)
        return by_feature / by_feature.sum() if by_feature.sum() > 0 else np.zeros(p)


def partition(order, side):
    """The samples with side 0, then those with side 1, in the order they had: order (p, m), side (n,) -> (p, fewer).

    order holds numbers of samples, in each row the same ones; side says for each of the n samples 0, 1, or -1 to leave
    it out.
    """
    p, m = order.shape
    left, right = (np.count_nonzero(side[order[0]] == which) for which in (0, 1))
    kept = np.empty((p, left + right), dtype=order.dtype)
    step = max(1, BLOCK // m)
    for block in (slice(at, at + step) for at in range(0, p, step)):
        f, samples = len(order[block]), order[block].ravel()
        sides = side.take(samples)
        kept[block, :left] = samples.compress(sides == 0).reshape(f, left)
        kept[block, left:] = samples.compress(sides == 1).reshape(f, right)
    return kept


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
    """The tree that is grown from the root down, each node taking its best split (see `best_splits`): -> Tree.

    X (n, p); targets (c, n): a column of indicators for each class, or one of numbers; weights (n,) >= 0, and a sample
    of weight 0 takes no part. criterion: "gini", "entropy" or "squared_error". A node stays a leaf if its impurity is
    0; if it is at max_depth (None: no limit; the root is at 0); if it has fewer than min_samples_split samples; if no
    split leaves min_samples_leaf on each side; or if its best takes less than min_impurity_decrease from the impurity
    of the whole: gain * weight of the node / weight of all. Otherwise it is split, if need be with a gain of 0.

    max_features: among how many features a node chooses, drawn for it by the generator without replacement; None for
    all. If all of them are constant in the node, drawing goes on up to the first that is not. order: presort(X), if it
    is known.
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


def _draw_features(generator, max_features, columns, order, nodes):
    """For each node the features it may use: (max_features, k), ascending."""
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
    first = np.cumsum([0] + [len(nodes.size) for nodes in levels])  # numbers level by level: each level's first
    left, right, feature = (np.full(first[-1], fill) for fill in (-1, -1, -2))
    threshold = np.full(first[-1], -2.0)
    below = np.ones(first[-1], dtype=np.int64)  # how many nodes the subtree has, its root counted
    parents = [first[depth] + which for depth, (which, _, _) in enumerate(splits)]
    for depth, (inner, (_, asked, cut)) in enumerate(zip(parents, splits)):
        feature[inner], threshold[inner] = asked, cut
        left[inner] = first[depth + 1] + np.arange(len(inner))
        right[inner] = left[inner] + len(inner)
    for inner in reversed(parents):
        below[inner] += below[left[inner]] + below[right[inner]]
    place = np.zeros(first[-1], dtype=np.int64)  # numbers depth first
    for inner in parents:
        place[left[inner]] = place[inner] + 1
        place[right[inner]] = place[inner] + 1 + below[left[inner]]
    by = np.argsort(place)
    size, weight, value, impurity = (np.concatenate(column)[by] for column in zip(*levels))
    left, right = (np.where(child[by] < 0, -1, place[child[by]]) for child in (left, right))
    return Tree(left, right, feature[by], threshold[by], value, impurity, size, weight)
