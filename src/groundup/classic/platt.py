"""Probabilities for a classifier that has none: a sigmoid through its decision values, and what k classes make of pairs.

A decision value says on which side a sample lies and how far out, in a unit of its own. Platt's sigmoid turns it into a
probability: P(1 | f) = 1 / (1 + e^(A f + B)), with the A and B under which labels that were held back are the most probable.

Platt, Probabilistic outputs for support vector machines (1999). Lin, Lin and Weng, A note on Platt's probabilistic outputs
for support vector machines (2007). Wu, Lin and Weng, Probability estimates for multi-class classification by pairwise
coupling (2004), section 4.
"""

import numpy as np


def platt_targets(y):
    """The probabilities to aim at, in place of 1 and 0: y (n,) of 1 and -1 -> (n,).

    With p samples of label 1 and q of -1: (p + 1) / (p + 2) for the first, 1 / (q + 2) for the second. Platt, section 2.2.
    """
    positive = int(np.sum(y > 0))
    return np.where(y > 0, (positive + 1) / (positive + 2), 1 / (len(y) - positive + 2))


def platt_probability(f, A, B):
    """1 / (1 + e^(A f + B)): f an array, A and B floats -> an array like f. Without overflow and without a warning."""
    z = A * f + B
    small = np.exp(-np.abs(z))
    return np.where(z >= 0, small, 1.0) / (1.0 + small)


def platt_scaling(f, y):
    """The A and B of the sigmoid: decision values f (n,) and labels y (n,) of 1 and -1 -> two floats.

    They minimise the sum of -t log(p) - (1 - t) log(1 - p), with p = platt_probability(f, A, B) and t = platt_targets(y):
    no target is 0 or 1, so that there is a minimum also where f separates the labels. Newton's method with f in units of
    its largest size, each step halved until the loss falls; it ends once both derivatives are below 1e-9 n.
    Lin, Lin and Weng, algorithm 1.
    """
    n, t, unit = len(f), platt_targets(y), float(np.abs(f).max()) or 1.0
    features = np.column_stack([f / unit, np.ones(n)])  # (n, 2): the slopes of z = A f + B along A unit and B
    v = np.array([0.0, np.log(np.sum(y <= 0) + 1) - np.log(np.sum(y > 0) + 1)])
    loss = _loss(features @ v, t)
    for _ in range(100):
        p = platt_probability(features @ v, 1.0, 0.0)
        slope = features.T @ (t - p)  # (2,)
        if np.abs(slope).max() <= 1e-9 * n:
            break
        curvature = (features * (p * (1.0 - p))[:, None]).T @ features  # (2, 2)
        step = np.linalg.solve(curvature + 1e-12 * np.eye(2), slope)
        rate = 1.0
        while rate > 1e-10 and _loss(features @ (v - rate * step), t) >= loss - 1e-4 * rate * (slope @ step):
            rate /= 2
        if rate <= 1e-10:
            break  # no step is short enough: what is left is rounding
        v = v - rate * step
        loss = _loss(features @ v, t)
    return float(v[0]) / unit, float(v[1])


def couple(r):
    """One probability for each of k classes from those of all pairs: r (m, k, k) -> p (m, k), rows that add up to 1.

    r[:, i, j] is the probability of class i if it is i or j, and r[:, j, i] = 1 - r[:, i, j]; the diagonal is not looked at.
    p minimises the sum over all pairs of (r_ji p_i - r_ij p_j)^2 where sum(p) = 1. Wu, Lin and Weng, section 4.1.
    """
    m, k, _ = r.shape
    other = ~np.eye(k, dtype=bool)
    Q = np.where(other, -r * r.transpose(0, 2, 1), 0.0)
    Q[:, ~other] = np.sum(r * r * other, axis=1)  # Q_ii: the squares of column i
    equations = np.ones((m, k + 1, k + 1))  # Q p + b = 0 and sum(p) = 1, with b the multiplier of that sum
    equations[:, :k, :k] = Q
    equations[:, k, k] = 0.0
    goal = np.zeros((k + 1, 1))
    goal[k] = 1.0
    p = np.linalg.solve(equations, goal[None])[:, :k, 0]
    return np.maximum(p, 0.0) / np.maximum(p, 0.0).sum(axis=1, keepdims=True)


def _loss(z, t):
    """The cross-entropy of probabilities 1 / (1 + e^z) against targets t, a sum."""
    return float(np.sum(np.maximum(z, 0.0) + np.log1p(np.exp(-np.abs(z))) - (1.0 - t) * z))
