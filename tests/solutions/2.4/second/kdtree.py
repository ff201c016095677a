"""A k-d tree searched query by query, best box first, with a heap."""

import heapq
from collections import namedtuple

import numpy as np

Box = namedtuple("Box", "low high")


def bounding_box(X):
    return Box(np.array([min(c) for c in X.T.tolist()]), np.array([max(c) for c in X.T.tolist()]))


def squared_distance_to_box(queries, box):
    return np.array([float(((q - np.minimum(np.maximum(q, box.low), box.high)) ** 2).sum()) for q in queries])


def halve(X, rows):
    spreads = [X[rows, j].max() - X[rows, j].min() for j in range(X.shape[1])]
    feature = spreads.index(max(spreads))
    ordered = sorted(rows.tolist(), key=lambda i: X[i, feature])
    return np.array(ordered[: len(rows) // 2]), np.array(ordered[len(rows) // 2 :])


def nearest_candidates(query, index, distance, m, k):
    groups = [sorted((d, i) for q, i, d in zip(query, index, distance) if q == j)[:k] for j in range(m)]
    return np.array([[d for d, _ in g] for g in groups]), np.array([[i for _, i in g] for g in groups])


class KDTree:
    def __init__(self, X, leaf_size=100):
        self.X, self.leaf_size = np.asarray(X, dtype=float), leaf_size

        def grow(rows):
            box = bounding_box(self.X[rows])
            return (
                (box, rows, None)
                if len(rows) <= leaf_size
                else (box, rows, [grow(part) for part in halve(self.X, rows)])
            )

        self.root = grow(np.arange(len(self.X)))

    def query(self, queries, k=1):
        if not 1 <= k <= len(self.X):
            raise ValueError("k")
        answers = [self._one(q, k) for q in np.asarray(queries, dtype=float)]
        return np.array([[d**0.5 for d, _ in a] for a in answers]), np.array([[i for _, i in a] for a in answers])

    def _one(self, q, k):
        best, waiting, ticket = [], [(0.0, 0, self.root)], 1
        while waiting:
            bound, _, (_, rows, children) = heapq.heappop(waiting)
            if len(best) == k and bound > best[-1][0]:
                break
            if children is None:
                new = [(float(((self.X[i] - q) ** 2).sum()), int(i)) for i in rows]
                best = sorted(best + new)[:k]
            else:
                for child in children:
                    heapq.heappush(waiting, (float(squared_distance_to_box(q[None], child[0])[0]), ticket, child))
                    ticket += 1
        return best
