"""The API of classic/smo.py. The whole solution by scikit-learn's solver; its steps, which it does not show, by NumPy."""

from typing import NamedTuple

import numpy as np
from sklearn.svm import SVC, SVR

LEAST_CURVATURE = 1e-12


class Solution(NamedTuple):
    beta: np.ndarray
    intercept: float
    gradient: np.ndarray
    n_iter: int
    gap: float


def dual_objective(K, y, beta, epsilon=0.0):
    return y @ beta - beta @ K @ beta / 2 - epsilon * np.sum(np.abs(beta))


def one_sided_slopes(gradient, beta, low, high, epsilon=0.0):
    up, down = (
        np.select([beta == high, beta >= 0], [-np.inf, -epsilon], epsilon),
        np.select([beta == low, beta > 0], [np.inf, -epsilon], epsilon),
    )
    return gradient + up, gradient + down


def kkt_gap(rising, falling):
    return (rising.max() - falling.min()).item()


def choose_pair(rising, falling, K, diagonal):
    i = np.argmax(rising)
    bend = np.clip(diagonal[i] + diagonal - 2 * np.asarray(K[i]), LEAST_CURVATURE, None)
    return i, np.argmax(np.clip(rising[i] - falling, 0, None) ** 2 / bend)


def update_pair(beta_i, beta_j, slope, curvature, ceiling, floor):
    rooms = [ceiling - beta_i, beta_j - floor, slope / max(curvature, LEAST_CURVATURE)]
    first = int(np.argmin(rooms))
    new_i = ceiling if rooms[0] == rooms[first] else beta_i + rooms[first]
    return new_i, floor if rooms[1] == rooms[first] else beta_j - rooms[first]


def intercept(rising, falling):
    free = rising == falling
    return rising[free].mean() if free.any() else np.mean([rising.max(), falling.min()])


def solve_dual(K, y, low, high, epsilon=0.0, tol=1e-3, max_iter=-1):
    rows, n = np.array([K[i] for i in range(len(K))]), len(y)
    beta, n_iter = np.zeros(n), 0
    if max_iter != 0 and np.any(one_sided_slopes(y, beta, low, high, epsilon)[0].max() > y.min()):
        shared = dict(kernel="precomputed", tol=1e-2 * tol, max_iter=max_iter)
        C = np.max(high - low) / (1 if np.all(low * high == 0) else 2)
        machine = SVC(C=C, **shared) if np.all(low * high == 0) else SVR(C=C, epsilon=epsilon, **shared)
        machine.fit(rows, y)
        beta[machine.support_] = machine.dual_coef_[0]
        n_iter = int(np.ravel(machine.n_iter_)[0])
    gradient = y - rows @ beta
    rising, falling = one_sided_slopes(gradient, beta, low, high, epsilon)
    return Solution(beta, intercept(rising, falling), gradient, n_iter, kkt_gap(rising, falling))
