"""Pruning on nested tuples of what is left, the whole computed anew after each cut."""

from dataclasses import fields
from typing import NamedTuple

import numpy as np


class PruningPath(NamedTuple):
    ccp_alphas: np.ndarray
    impurities: np.ndarray
    nodes: np.ndarray


def cost_complexity_path(tree):
    left, right = tree.children_left.tolist(), tree.children_right.tolist()
    cost = (tree.impurity * tree.weighted_n_node_samples / tree.weighted_n_node_samples[0]).tolist()
    alphas, impurities, nodes = [0.0], [], []
    while True:
        leaves, below, reached = [0] * len(left), [0.0] * len(left), [0]
        for t in reached:
            if left[t] != -1:
                reached += [left[t], right[t]]
        for t in reversed(reached):
            inner = left[t] != -1
            leaves[t] = leaves[left[t]] + leaves[right[t]] if inner else 1
            below[t] = below[left[t]] + below[right[t]] if inner else cost[t]
        impurities.append(below[0])
        prices = [((cost[t] - below[t]) / (leaves[t] - 1), t) for t in reached if left[t] != -1]
        if not prices:
            return PruningPath(np.array(alphas), np.array(impurities), np.array(nodes, dtype=np.int64))
        price, t = min(prices)
        left[t] = -1
        nodes.append(t)
        alphas.append(max(price, alphas[-1]))


def prune(tree, alpha):
    path = cost_complexity_path(tree)
    return collapse(tree, [node for node, price in zip(path.nodes, path.ccp_alphas[1:]) if price <= alpha])


def prune_to_leaves(tree, leaves):
    cost = tree.impurity * tree.weighted_n_node_samples
    inner, frontier = set(), {0}
    while len(frontier) < leaves:
        able = [t for t in frontier if tree.children_left[t] != -1]
        if not able:
            break
        gain = {t: cost[t] - cost[tree.children_left[t]] - cost[tree.children_right[t]] for t in able}
        t = min(able, key=lambda t: (-gain[t], t))
        inner.add(t)
        frontier = (frontier - {t}) | {int(tree.children_left[t]), int(tree.children_right[t])}
    return collapse(tree, [t for t in frontier if tree.children_left[t] != -1])


def collapse(tree, nodes):
    ends, kept, waiting = {int(t) for t in nodes}, [], [0]
    while waiting:
        t = waiting.pop()
        kept.append(t)
        if t not in ends and tree.children_left[t] != -1:
            waiting += [int(tree.children_right[t]), int(tree.children_left[t])]
    number = {t: i for i, t in enumerate(kept)}
    columns = {field.name: getattr(tree, field.name)[kept] for field in fields(tree)}
    for name, end in (("children_left", -1), ("children_right", -1), ("feature", -2), ("threshold", -2.0)):
        old = columns[name].tolist()
        new = [end if t in ends else number.get(x, -1) if end == -1 else x for t, x in zip(kept, old)]
        columns[name] = np.array(new, dtype=columns[name].dtype)
    return type(tree)(**columns)
