"""The API of classic/platt.py on SciPy."""

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_expit


def platt_targets(y):
    positive = np.sum(y == 1)
    return np.where(y == 1, 1 - 1 / (positive + 2), 1 / (len(y) - positive + 2))


def platt_probability(f, A, B):
    return expit(-(A * f + B))


def platt_scaling(f, y):
    t, unit = platt_targets(y), np.abs(f).max()
    z = f / unit

    def loss(v):
        u = v[0] * z + v[1]
        error = t - expit(-u)
        return -np.sum(t * log_expit(-u) + (1 - t) * log_expit(u)), np.array([error @ z, error.sum()])

    A, B = minimize(loss, np.zeros(2), jac=True, method="BFGS", options=dict(gtol=1e-9)).x
    return A / unit, B


def couple(r):
    k = r.shape[1]
    Q = -r * np.swapaxes(r, 1, 2)
    Q[:, np.arange(k), np.arange(k)] = np.sum(np.where(np.eye(k), 0, r) ** 2, axis=1)
    found = [
        minimize(
            lambda p, Q=one: (p @ Q @ p, 2 * Q @ p),
            np.full(k, 1 / k),
            jac=True,
            constraints={"type": "eq", "fun": lambda p: p.sum() - 1},
            method="SLSQP",
            options=dict(ftol=1e-15),
        ).x
        for one in Q
    ]
    return np.array(found)
