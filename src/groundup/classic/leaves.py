"""Which leaf each sample ends in, for the many small trees of an ensemble.

One may walk each sample down the tree. For few leaves it is faster to ask all samples everything: each split whose answer is
right puts out the leaves to its left, each of them a bit of one integer, and the first leaf that is not out is the one.

Lucchese et al., QuickScorer: a fast algorithm to rank documents with additive ensembles of regression trees (2015).
"""

import numpy as np


def reached_leaves(left, right, goes_right, m):
    """The leaf that each of m samples ends in: (m,) int64, numbers of nodes.

    left, right (nodes,): the numbers of the children, -1 in a leaf; node 0 is the root. goes_right(node, rows) says which of
    the samples in rows, a slice or an array of places, go right at a node.
    """
    left, right, splits, leaves, stack = left.tolist(), right.tolist(), [], [], [0]
    while stack:  # depth first, so that the leaves come from left to right
        node = stack.pop()
        if left[node] < 0:
            leaves.append(node)
        else:
            splits.append(node)
            stack += [right[node], left[node]]
    if len(leaves) > 64:  # more than an integer has bits
        return _walk(left, right, goes_right, m)
    kind = np.min_scalar_type((1 << len(leaves)) - 1).type
    below = {leaf: 1 << place for place, leaf in enumerate(leaves)}  # of each node: its leaves' bits
    out = np.zeros(m, dtype=kind)
    for node in reversed(splits):
        below[node] = below[left[node]] | below[right[node]]
        out |= goes_right(node, slice(None)) * kind(below[left[node]])
    first = ~out & (out + kind(1))  # the lowest bit that is 0, as a power of 2
    return np.array(leaves).take(np.frexp(first.astype(np.float64))[1] - 1)


def _walk(left, right, goes_right, m):
    """The same from node to node, each with the samples that are there."""
    leaf, stack = np.zeros(m, dtype=np.int64), [(0, np.arange(m))]
    while stack:
        node, rows = stack.pop()
        if left[node] < 0:
            leaf[rows] = node
        elif len(rows):
            to_right = goes_right(node, rows)
            stack += [(left[node], rows[~to_right]), (right[node], rows[to_right])]
    return leaf
