"""Sequential minimal optimisation: the dual of a support vector machine, two variables at a time.

With beta_i = y_i alpha_i the dual of the classifier, and just so that of the regression, is to

    maximise  y . beta - beta' K beta / 2 - epsilon ||beta||_1   where  sum(beta) = 0  and  low <= beta <= high.

The labels stand in the bounds alone: beta_i is in [0, C] for a label of 1 and in [-C, 0] for one of -1; epsilon is 0 in a
classifier. No single beta can move, for their sum is fixed. So one is raised and another lowered by as much, the pair that
promises the most first, until no pair promises more than tol.

Platt, Fast training of support vector machines using sequential minimal optimization (1998). Fan, Chen and Lin, Working
set selection using second order information for training SVM (2005), "WSS 2". Bottou and Lin, Support vector machine
solvers (2007), section 3, for the form without labels.
"""

from typing import NamedTuple

import numpy as np

LEAST_CURVATURE = 1e-12  # taken for a curvature that is zero or below: samples that coincide, kernels that are none
ROUNDING = 1e-12  # of what it has been and has moved: a beta that near to its bound is at the bound


class Solution(NamedTuple):  # given
    """What `solve_dual` finds: beta (n,), intercept (float), gradient (n,) = y - K beta, n_iter (int), gap (float)."""

    beta: np.ndarray
    intercept: float
    gradient: np.ndarray
    n_iter: int
    gap: float


def dual_objective(K, y, beta, epsilon=0.0):
    """y . beta - beta' K beta / 2 - epsilon times the sum of |beta|: K (n, n), y (n,), beta (n,) -> float"""
    return float(y @ beta - 0.5 * (beta @ (K @ beta)) - epsilon * np.abs(beta).sum())


def one_sided_slopes(gradient, beta, low, high, epsilon=0.0):
    """How fast the dual rises as beta_i is raised, and how fast it falls as beta_i is lowered: two arrays (n,).

    gradient (n,) is y - K beta; low <= beta <= high, low <= 0 <= high (n,) each.
    rising: gradient - epsilon where beta >= 0, gradient + epsilon where it is negative; -inf where beta = high.
    falling: gradient - epsilon where beta > 0, gradient + epsilon elsewhere; inf where beta = low.
    """
    rising = np.where(beta < high, gradient - np.where(beta >= 0, epsilon, -epsilon), -np.inf)
    falling = np.where(beta > low, gradient - np.where(beta > 0, epsilon, -epsilon), np.inf)
    return rising, falling


def kkt_gap(rising, falling):
    """max(rising) - min(falling): the slope along the steepest pair. At a maximum of the dual it is 0 or negative.

    This is all of the Karush-Kuhn-Tucker conditions in one number: at gap <= 0 some b lies between, rising <= b <= falling.
    """
    return float(rising.max() - falling.min())


def choose_pair(rising, falling, K, diagonal):
    """The i to raise and the j to lower: two integers. rising, falling (n,), K with rows K[i] (n,), diagonal (n,) of K.

    i has the largest rising. j is, among those with falling_j < rising_i, the one for which the unclipped step along the pair
    gains the most: the largest (rising_i - falling_j)^2 / (K_ii + K_jj - 2 K_ij), curvatures below LEAST_CURVATURE counted
    as that. Of equals the first. Fan, Chen and Lin, WSS 2.
    """
    i = int(rising.argmax())
    gain = rising[i] - falling
    np.maximum(gain, 0.0, out=gain)
    gain *= gain
    curvature = -2.0 * K[i]
    curvature += diagonal
    curvature += diagonal[i]
    gain /= np.maximum(curvature, LEAST_CURVATURE, out=curvature)
    return i, int(gain.argmax())


def update_pair(beta_i, beta_j, slope, curvature, ceiling, floor):
    """The pair after its step: the new beta_i and beta_j, floats with the same sum.

    slope is rising_i - falling_j, curvature K_ii + K_jj - 2 K_ij (below LEAST_CURVATURE counted as that). Along the pair the
    dual is a parabola with its top at slope / curvature; beta_i may rise to the ceiling at most, beta_j may fall to the floor
    at most. Whoever is stopped, or comes within rounding of its bound, gets exactly that bound.
    """
    up, down = ceiling - beta_i, beta_j - floor
    step = min(slope / max(curvature, LEAST_CURVATURE), up, down)
    at_ceiling = up - step <= ROUNDING * (abs(beta_i) + step)
    at_floor = down - step <= ROUNDING * (abs(beta_j) + step)
    return (ceiling if at_ceiling else beta_i + step), (floor if at_floor else beta_j - step)


def intercept(rising, falling):
    """The b of the decision function: rising, falling (n,) as `one_sided_slopes` gives them -> float.

    The mean of rising over the free, those with rising = falling, for whom the conditions leave b no choice. Where none is
    free, the middle between max(rising) and min(falling).
    """
    free = rising == falling
    return float(rising[free].mean() if free.any() else (rising.max() + falling.min()) / 2)


def solve_dual(K, y, low, high, epsilon=0.0, tol=1e-3, max_iter=-1):
    """The maximum of the dual, from beta = 0, by pairs -> Solution.

    K is a matrix (n, n), or anything with rows K[i] (n,), diagonal() (n,) and len(K); y (n,); low <= 0 <= high (n,). In each
    iteration `choose_pair`, `update_pair`, and the gradient for both; in the update a beta does not step across 0 (where epsilon
    makes a kink), it stops there. Ends once `kkt_gap` is below tol, or after max_iter iterations, -1 for ten million.
    """
    gradient, beta, diagonal = np.array(y, dtype=np.float64), np.zeros(len(y)), K.diagonal()
    up, down = one_sided_slopes(0.0, beta, low, high, epsilon)  # a step changes two entries of each
    beta, low, high = beta.tolist(), low.tolist(), high.tolist()  # two are read at a time, and lists do that faster
    n_iter = 0
    while True:
        rising, falling = gradient + up, gradient + down
        i, j = choose_pair(rising, falling, K, diagonal)
        slope = float(rising[i] - falling[j])
        going = slope >= tol or kkt_gap(rising, falling) >= tol  # False for NaN; the second is seldom computed
        if not going or n_iter == (10_000_000 if max_iter < 0 else max_iter):
            break
        row_i, row_j = K[i], K[j]
        curvature = float(diagonal[i] + diagonal[j] - 2.0 * row_i[j])
        ceiling, floor = (0.0 if beta[i] < 0 else high[i]), (0.0 if beta[j] > 0 else low[j])
        old = beta[i]
        beta[i], beta[j] = update_pair(old, beta[j], slope, curvature, ceiling, floor)
        gradient -= (beta[i] - old) * (row_i - row_j)
        for k in (i, j):
            up[k], down[k] = _bounds_as_slopes(beta[k], low[k], high[k], epsilon)
        n_iter += 1
    return Solution(np.array(beta), intercept(rising, falling), gradient, n_iter, kkt_gap(rising, falling))


def _bounds_as_slopes(beta, low, high, epsilon):
    """rising - gradient and falling - gradient of one variable."""
    up = -np.inf if beta >= high else (-epsilon if beta >= 0 else epsilon)
    down = np.inf if beta <= low else (-epsilon if beta > 0 else epsilon)
    return up, down
