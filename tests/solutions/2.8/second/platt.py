"""Platt's sigmoid by Newton on the labels' side of z, and the coupling by least squares with a heavy sum."""

import numpy as np


def platt_targets(y):
    counts = {label: np.count_nonzero(y == label) for label in (-1, 1)}
    high, low = (counts[1] + 1) / (counts[1] + 2), 1 / (counts[-1] + 2)
    return np.array([high if label > 0 else low for label in y])


def platt_probability(f, A, B):
    return 0.5 * (1 - np.tanh((A * np.asarray(f) + B) / 2))


def _cost(v, M, t):
    return np.sum(np.logaddexp(0, M @ v) - (1 - t) * (M @ v))


def platt_scaling(f, y):
    t, scale = platt_targets(y), np.abs(f).max() or 1.0
    M, v = np.stack([f / scale, np.ones_like(f)], axis=1), np.zeros(2)
    for _ in range(200):
        p = platt_probability(M @ v, 1.0, 0.0)
        slope, bend = M.T @ (t - p), M.T @ np.diag(p * (1 - p)) @ M
        move = np.linalg.lstsq(bend, slope, rcond=1e-13)[0]
        while _cost(v - move, M, t) > _cost(v, M, t) and np.abs(move).max() > 1e-14:
            move = move / 2
        v = v - move
        if np.abs(slope).max() < 1e-10 * len(f):
            break
    return v[0] / scale, v[1]


def couple(r):
    found = []
    for one in r:
        k = len(one)
        rows = [np.full(k, 1e7)]
        for i in range(k):
            for j in range(i + 1, k):
                rows.append(np.where(np.arange(k) == i, one[j, i], 0) - np.where(np.arange(k) == j, one[i, j], 0))
        p = np.linalg.lstsq(np.array(rows), np.array([1e7] + [0.0] * (len(rows) - 1)), rcond=None)[0]
        found.append(p / p.sum())
    return np.array(found)
