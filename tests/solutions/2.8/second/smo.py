"""SMO with everything computed anew in each iteration: no running gradient, no running slopes."""

from typing import NamedTuple

import numpy as np

LEAST_CURVATURE = 1e-12


class Solution(NamedTuple):
    beta: np.ndarray
    intercept: float
    gradient: np.ndarray
    n_iter: int
    gap: float


def dual_objective(K, y, beta, epsilon=0.0):
    return np.dot(beta, y - K.dot(beta) / 2) - epsilon * np.linalg.norm(beta, 1)


def one_sided_slopes(gradient, beta, low, high, epsilon=0.0):
    rising, falling = np.array(gradient), np.array(gradient)
    rising[beta >= 0] -= epsilon
    rising[beta < 0] += epsilon
    falling[beta > 0] -= epsilon
    falling[beta <= 0] += epsilon
    rising[beta == high] = -np.inf
    falling[beta == low] = np.inf
    return rising, falling


def kkt_gap(rising, falling):
    return np.max(rising) - np.min(falling)


def choose_pair(rising, falling, K, diagonal):
    i = int(np.flatnonzero(rising == rising.max())[0])
    best, partner = -1.0, 0
    for j, other in enumerate(falling):
        if other < rising[i]:
            gain = (rising[i] - other) ** 2 / max(diagonal[i] + diagonal[j] - 2 * K[i][j], LEAST_CURVATURE)
            if gain > best:
                best, partner = gain, j
    return i, partner


def update_pair(beta_i, beta_j, slope, curvature, ceiling, floor):
    step = slope / curvature if curvature > LEAST_CURVATURE else slope / LEAST_CURVATURE
    if step < min(ceiling - beta_i, beta_j - floor):
        return beta_i + step, beta_j - step
    if ceiling - beta_i <= beta_j - floor:
        left = beta_j - (ceiling - beta_i)
        return ceiling, (floor if ceiling - beta_i == beta_j - floor else left)
    return beta_i + (beta_j - floor), floor


def intercept(rising, falling):
    free = [r for r, f in zip(rising, falling) if r == f]
    return np.mean(free) if free else 0.5 * (np.max(rising) + np.min(falling))


def solve_dual(K, y, low, high, epsilon=0.0, tol=1e-3, max_iter=-1):
    rows = np.array([K[i] for i in range(len(K))])
    beta, n_iter = np.zeros(len(y)), 0
    while True:
        gradient = y - rows @ beta
        rising, falling = one_sided_slopes(gradient, beta, low, high, epsilon)
        gap = kkt_gap(rising, falling)
        if gap < tol or n_iter == max_iter or n_iter > 200_000:
            return Solution(beta, intercept(rising, falling), gradient, n_iter, gap)
        i, j = choose_pair(rising, falling, rows, np.diag(rows))
        top = min(high[i], 0.0) if beta[i] < 0 else high[i]
        bottom = max(low[j], 0.0) if beta[j] > 0 else low[j]
        bend = rows[i, i] + rows[j, j] - 2 * rows[i, j]
        beta[i], beta[j] = update_pair(beta[i], beta[j], rising[i] - falling[j], bend, top, bottom)
        n_iter += 1
