"""A k-d tree: space halved again and again, so that a search can leave most of it out.

Each node splits its samples at the median of the feature in which they spread most. A search goes down to the leaf
that the query lies in, and the k-th nearest there is a bound: it then looks into those boxes that come as near. In few
dimensions that leaves out nearly everything. In many it leaves out nothing: each box is then about as near as the neighbours.

Bentley, Multidimensional binary search trees used for associative searching (1975). Friedman, Bentley and Finkel, An algorithm
for finding best matches in logarithmic expected time (1977).
"""

from typing import NamedTuple

import numpy as np


class Box(NamedTuple):  # given
    """The smallest box around some samples: low (p,) and high (p,), its corners."""

    low: np.ndarray
    high: np.ndarray


def bounding_box(X):
    """The smallest box around X (n, p), n >= 1 -> Box."""
    return Box(X.min(axis=0), X.max(axis=0))


def squared_distance_to_box(queries, box):
    """How far each query is from the nearest point of a box, squared: queries (m, p) -> (m,), 0 inside it."""
    outside = np.maximum(np.maximum(box.low - queries, queries - box.high), 0.0)  # (m, p)
    return np.einsum("ij,ij->i", outside, outside)


def halve(X, rows):
    """Two halves of some samples, at the median of the feature in which they spread most.

    X (n, p), rows (r,) indices into it, r >= 2 -> two index arrays, of r // 2 and of r - r // 2 rows: no value of that feature
    in the first is above any in the second. The spread of a feature is its largest value minus its smallest; of equal ones
    the first feature is taken.
    """
    values = X[rows]
    feature = np.ptp(values, axis=0).argmax()
    order = np.argpartition(values[:, feature], len(rows) // 2)
    return rows[order[: len(rows) // 2]], rows[order[len(rows) // 2 :]]


class KDTree:
    """A k-d tree over samples X (n, p), leaves of at most leaf_size samples.

    Raises ValueError for no samples, or for a leaf_size below 1.
    """

    def __init__(self, X, leaf_size=100):
        """Builds the tree: each node a box, and either its rows (a leaf) or two children."""
        self.X = np.asarray(X, dtype=np.float64)
        if len(self.X) == 0 or leaf_size < 1:
            raise ValueError(
                f"a tree needs samples and leaves of at least one: X has {len(X)}, leaf_size is {leaf_size}"
            )
        self.leaf_size = leaf_size
        self.root = self._build(np.arange(len(self.X)))

    def _build(self, rows):
        box = bounding_box(self.X[rows])
        if len(rows) <= self.leaf_size:
            return box, np.sort(rows), None
        left, right = halve(self.X, rows)
        return box, None, (self._build(left), self._build(right))

    def query(self, queries, k=1):
        """The k nearest samples of each query, nearest first: queries (m, p) -> distances (m, k), indices (m, k).

        Of samples that are equally far the one with the smaller index comes first. Raises ValueError unless 1 <= k <= n.
        """
        queries = np.asarray(queries, dtype=np.float64)
        if not 1 <= k <= len(self.X):
            raise ValueError(f"k == {k}: expected an integer in [1, {len(self.X)}], the number of samples")
        everyone = np.arange(len(queries))
        bound = np.full(len(queries), np.inf)
        self._descend(self.root, queries, everyone, k, bound)
        candidates = []
        self._collect(self.root, queries, everyone, bound, candidates)
        query, index, squared = (np.concatenate(column) for column in zip(*candidates))
        return nearest_candidates(query, index, np.sqrt(squared), len(queries), k)

    def _descend(self, node, queries, active, k, bound):
        """Each query down to one leaf, always to the nearer box: its k-th nearest there bounds how far the search must look."""
        _, rows, children = node
        if len(active) == 0:
            return
        if children is not None:
            left, right = children
            to_left = squared_distance_to_box(queries[active], left[0]) <= squared_distance_to_box(
                queries[active], right[0]
            )
            self._descend(left, queries, active[to_left], k, bound)
            self._descend(right, queries, active[~to_left], k, bound)
        elif len(rows) >= k:
            bound[active] = np.partition(self._squared(queries[active], rows), k - 1, axis=1)[:, k - 1]

    def _collect(self, node, queries, active, bound, candidates):
        """All queries together through the tree, each only into boxes that come as near as its bound.

        A node is visited once, and a visit is a few operations on arrays, however many queries there are. Each leaf adds
        three columns to the candidates: query, sample, squared distance.
        """
        box, rows, children = node
        active = active[squared_distance_to_box(queries[active], box) <= bound[active]]
        if len(active) == 0:
            return
        if children is None:
            squared = self._squared(queries[active], rows)
            query, row = np.nonzero(squared <= bound[active, None])
            candidates.append((active[query], rows[row], squared[query, row]))
            return
        for child in children:
            self._collect(child, queries, active, bound, candidates)

    def _squared(self, queries, rows):
        """Squared distances from some samples: (m, p) -> (m, r)."""
        apart = queries[:, None, :] - self.X[rows]  # (m, r, p)
        return np.einsum("mrp,mrp->mr", apart, apart)


def nearest_candidates(query, index, distance, m, k):
    """The k nearest of the candidates of each of m queries, nearest first, of equally far ones the smaller index.

    query, index, distance (c,): which query, which sample, how far; each query has at least k -> distances (m, k), indices
    (m, k).
    """
    order = np.lexsort((index, distance, query))
    first = np.searchsorted(query, np.arange(m), sorter=order)
    chosen = order[first[:, None] + np.arange(k)]  # (m, k)
    return distance[chosen], index[chosen]
