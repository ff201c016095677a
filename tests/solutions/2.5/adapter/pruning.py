"""scikit-learn's pruning on our arrays."""

from typing import NamedTuple

import numpy as np
from sklearn.tree._tree import Tree as TheirTree
from sklearn.tree._tree import _build_pruned_tree_ccp, ccp_pruning_path

from .growing import of_theirs


class PruningPath(NamedTuple):
    ccp_alphas: np.ndarray
    impurities: np.ndarray
    nodes: np.ndarray


def cost_complexity_path(tree):
    found = ccp_pruning_path(tree.theirs())
    return PruningPath(found["ccp_alphas"], found["impurities"], np.zeros(len(found["ccp_alphas"]) - 1, dtype=np.int64))


def prune(tree, alpha):
    small = TheirTree(64, np.array([tree.value.shape[1]], dtype=np.intp), 1)
    _build_pruned_tree_ccp(small, tree.theirs(), alpha)
    return of_theirs(small)


def prune_to_leaves(tree, leaves):
    raise NotImplementedError("scikit-learn does this while it grows")


def collapse(tree, nodes):
    raise NotImplementedError("scikit-learn does this inside its pruning")
