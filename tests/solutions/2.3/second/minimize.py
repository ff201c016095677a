"""A second solution of lesson 2.3: pseudo-inverses, plain turns, the matrix of BFGS itself."""

from typing import NamedTuple

import numpy as np


class Minimum(NamedTuple):
    x: np.ndarray
    n_iter: int
    converged: bool


def violation(x, gradient, l1=0.0):
    worst = 0.0
    for at, slope, price in zip(x, gradient, np.zeros(len(x)) + l1):
        if at > 0:
            worst = max(worst, abs(slope + price))
        elif at < 0:
            worst = max(worst, abs(slope - price))
        else:
            worst = max(worst, abs(slope) - price)
    return float(worst)


def wolfe_step(function, x, value, slope, direction, step=1.0):
    """Doubles until the slope has turned or the value has risen, then halves the bracket."""
    short, long = 0.0, None
    for _ in range(80):
        trial = step if long is None else 0.5 * (short + long)
        there, gradient = function(x + trial * direction)
        after = float(np.dot(gradient, direction))
        enough = there - value <= 1e-4 * trial * slope + 1e-15 * (1.0 + abs(value))
        if enough and abs(after) <= -0.9 * slope:
            return trial, there, gradient
        if enough and after < 0:
            short = trial
            step = 2.0 * trial
        else:
            long = trial
    return None


def two_loop(gradient, steps, changes):
    """By the matrix that two loops avoid."""
    m = len(gradient)
    inverse = np.identity(m)
    if len(steps):
        inverse *= np.dot(steps[-1], changes[-1]) / np.dot(changes[-1], changes[-1])
    for s, y in zip(steps, changes):
        left = np.identity(m) - np.outer(s, y) / np.dot(s, y)
        inverse = left @ inverse @ left.T + np.outer(s, s) / np.dot(s, y)
    return -np.dot(inverse, gradient)


def lbfgs(function, x, tol=1e-4, max_iter=100, memory=10):
    steps, changes, taken = [], [], 0
    value, gradient = function(x)
    while np.max(np.abs(gradient)) > tol:
        if taken == max_iter:
            return Minimum(x, taken, False)
        direction = two_loop(gradient, steps, changes)
        first = 1.0 if steps else min(1.0, 1.0 / np.sqrt(gradient @ gradient))
        found = wolfe_step(function, x, value, gradient @ direction, direction, first)
        if found is None:
            return Minimum(x, taken, True)
        length, value, after = found
        steps, changes = [*steps, length * direction][-memory:], [*changes, after - gradient][-memory:]
        if steps[-1] @ changes[-1] <= 0:
            steps, changes = steps[:-1], changes[:-1]
        x, gradient, taken = x + length * direction, after, taken + 1
    return Minimum(x, taken, True)


def newton_direction(gradient, hessian):
    scale = np.sqrt(np.where(np.diag(hessian) > 0, np.diag(hessian), 1.0))
    return -np.linalg.lstsq(hessian / np.outer(scale, scale), gradient / scale, rcond=1e-13)[0] / scale


def lasso_direction(gradient, hessian, x, l1, tol=1e-10, max_sweeps=1000):
    d = np.zeros(len(x))
    for _ in range(max_sweeps):
        for j in range(len(x)):
            if hessian[j, j] <= 0:
                continue
            alone = x[j] + d[j] - (gradient[j] + hessian[j] @ d) / hessian[j, j]
            threshold = l1[j] / hessian[j, j]
            if abs(alone) <= threshold:
                d[j] = -x[j]
            else:
                d[j] = alone - np.copysign(threshold, alone) - x[j]
        if violation(x + d, gradient + hessian @ d, l1) <= tol:
            break
    return d


def newton(objective, gradient, hessian, x, l1=None, tol=1e-4, max_iter=100):
    def whole(v):
        return objective(v) + (0.0 if l1 is None else float(np.sum(l1 * np.abs(v))))

    for taken in range(max_iter + 1):
        g = gradient(x)
        if violation(x, g, 0.0 if l1 is None else l1) <= tol:
            return Minimum(x, taken, True)
        if taken == max_iter:
            return Minimum(x, taken, False)
        if l1 is None:
            d = newton_direction(g, hessian(x))
            promise = g @ d
        else:
            d = lasso_direction(g, hessian(x), x, l1, 1e-3 * violation(x, g, l1))
            promise = g @ d + np.sum(l1 * (np.abs(x + d) - np.abs(x)))
        here, t = whole(x), 1.0
        while whole(x + t * d) > here + 0.1 * t * promise + 1e-15 * (1.0 + abs(here)):
            t *= 0.5
        there = x + t * d
        if abs(here - whole(there)) <= 1e-15 * (1.0 + abs(here)):
            return Minimum(there, taken + 1, True)
        x = there
