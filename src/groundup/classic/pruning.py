"""Pruning: a tree grown too far is cut back, the weakest link first.

Let R(t) be the impurity of node t times its weight over that of the root, and let a tree cost the sum of R over its
leaves, plus a price alpha for each leaf. T_t, the part of the tree from t down, has as many leaves as it has, and t as
a leaf is one. So making t a leaf pays as soon as alpha reaches

    (R(t) - R(T_t)) / (leaves of T_t - 1),

what the leaves below take from the impurity, for each leaf that they are more. As the price rises the node where this
is least goes first. The trees that are left lie one inside the other, and for each price one of them costs least of
all.

Breiman, Friedman, Olshen and Stone, Classification and Regression Trees (1984), sections 3.2 and 3.3.
"""

import heapq
from dataclasses import replace
from typing import NamedTuple

import numpy as np


class PruningPath(NamedTuple):
    """The steps of pruning, from the whole tree to the root alone."""

    ccp_alphas: np.ndarray  # (steps + 1,) the price from which each step pays, ascending; 0.0 for the whole tree
    impurities: np.ndarray  # (steps + 1,) the sum of R over the leaves that are then left
    nodes: np.ndarray  # (steps,) the node that becomes a leaf, int64


def cost_complexity_path(tree):
    """The order in which inner nodes become leaves as the price of a leaf rises: tree, a Tree -> PruningPath.

    One node a step; of equal prices the one with the lowest number. What lies below it is gone and takes no further
    step.
    """
    below, leaves, cost, cost_below = _subtrees(tree)
    inner = tree.children_left >= 0
    price = np.full(tree.node_count, np.inf)
    price[inner] = (cost[inner] - cost_below[inner]) / (leaves[inner] - 1)
    here = np.arange(tree.node_count)
    nodes, alphas, impurities = [], [0.0], [cost_below[0]]
    while price[0] < np.inf:
        t = int(np.argmin(price))
        nodes.append(t)
        alphas.append(max(price[t], alphas[-1]))  # on paper never less than the one before
        price[t : t + below[t]] = np.inf  # depth first, a subtree is a slice
        above = np.flatnonzero((here < t) & (t < here + below))
        leaves[above] -= leaves[t] - 1
        cost_below[above] += cost[t] - cost_below[t]
        price[above] = (cost[above] - cost_below[above]) / (leaves[above] - 1)
        impurities.append(cost_below[0] if t else cost[0])
    return PruningPath(np.array(alphas), np.array(impurities), np.array(nodes, dtype=np.int64))


def prune(tree, alpha):
    """The tree, cut back as far as pays at a price of alpha a leaf, >= 0: tree, a Tree -> a new Tree."""
    path = cost_complexity_path(tree)
    return collapse(tree, path.nodes[path.ccp_alphas[1:] <= alpha])


def prune_to_leaves(tree, leaves):
    """The tree that splitting would have made that always took the leaf with the most to gain, and stopped at so many
    leaves.

    tree, a Tree; leaves, int >= 1 -> a new Tree, with fewer leaves only if the tree has fewer. The gain of a node is R
    of it, minus R of its two children; of equal gains the node with the lowest number is split first.
    """
    cost = _costs(tree)
    left, right = tree.children_left.tolist(), tree.children_right.tolist()
    gain = (cost - cost[tree.children_left] - cost[tree.children_right]).tolist()
    waiting = [(-gain[0], 0)] if left[0] >= 0 else []
    for _ in range(leaves - 1):
        if not waiting:
            break
        _, node = heapq.heappop(waiting)
        for child in (left[node], right[node]):
            if left[child] >= 0:
                heapq.heappush(waiting, (-gain[child], child))
    return collapse(tree, np.array([node for _, node in waiting], dtype=np.int64))


def collapse(tree, nodes):
    """The tree with these nodes as leaves and nothing below them: tree, a Tree, nodes (s,) -> a new Tree, numbered anew."""
    below, *_ = _subtrees(tree)
    nodes = np.asarray(nodes, dtype=np.int64)
    cover = np.zeros(tree.node_count + 1, dtype=np.int64)  # how many of the nodes each lies below
    np.add.at(cover, nodes + 1, 1)
    np.add.at(cover, nodes + below[nodes], -1)
    kept = np.cumsum(cover)[:-1] == 0
    number = np.cumsum(kept) - 1
    leaf = tree.children_left < 0
    leaf[nodes] = True
    ends = {"children_left": -1, "children_right": -1, "feature": -2, "threshold": -2.0}
    arrays = {
        name: np.where(leaf, ends[name], column) if name in ends else column for name, column in vars(tree).items()
    }
    for child in ("children_left", "children_right"):
        arrays[child] = np.where(leaf, -1, number[arrays[child]])
    return replace(tree, **{name: column[kept] for name, column in arrays.items()})


def _costs(tree):
    """R of each node (nodes,)."""
    return tree.impurity * (tree.weighted_n_node_samples / tree.weighted_n_node_samples[0])


def _subtrees(tree):
    """For each node: how many nodes its subtree has, how many leaves, R of itself, and R of those leaves."""
    cost = _costs(tree)
    below, cost_below = np.ones(tree.node_count, dtype=np.int64), cost.copy()
    for t in np.flatnonzero(tree.children_left >= 0)[::-1]:  # children have higher numbers
        left, right = tree.children_left[t], tree.children_right[t]
        below[t] = 1 + below[left] + below[right]
        cost_below[t] = cost_below[left] + cost_below[right]
    return below, (below + 1) // 2, cost, cost_below
