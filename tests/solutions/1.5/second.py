"""Lesson 1.5 by another route: the intercept is the weight of a column of ones, and a full-batch step is one large batch."""

import math
from typing import NamedTuple

import numpy as np


class Descent(NamedTuple):
    w: np.ndarray
    b: float
    losses: np.ndarray


def _with_ones(X, y):
    X, y = np.asarray(X, dtype=float), np.asarray(y, dtype=float)
    if y.ndim != 1 or y.shape[0] != X.shape[0]:
        raise ValueError("y has one entry for each row of X")
    return np.hstack([np.ones((len(X), 1)), X]), y


def _loss(A, y, v):
    r = y - A @ v
    return r @ r / len(y)


def _gradient(A, y, v):
    return 2 / len(y) * (A.T @ (A @ v) - A.T @ y)


def mean_squared_error(X, y, w, b):
    return _loss(*_with_ones(X, y), np.array([b, *w]))


def mean_squared_error_gradient(X, y, w, b):
    g = _gradient(*_with_ones(X, y), np.array([b, *w]))
    return g[1:], g[0]


def gaussian_log_likelihood(X, y, w, b, sigma):
    variance = sigma**2
    return -len(y) / (2 * variance) * mean_squared_error(X, y, w, b) - len(y) / 2 * math.log(2 * math.pi * variance)


def largest_stable_rate(X):
    return len(X) / np.linalg.norm(_with_ones(X, np.zeros(len(X)))[0], 2) ** 2


def batches(n, size, generator):
    order = generator.permutation(n)
    return np.split(order, range(size, n, size))


def _walk(A, y, v, schedule):
    losses = [_loss(A, y, v)]
    for rate, epoch in schedule:
        for rows in epoch:
            v = v - rate * _gradient(A[rows], y[rows], v)
        losses.append(_loss(A, y, v))
    return Descent(v[1:], float(v[0]), np.array(losses))


def _first(X, w, b):
    return np.array([b, *(w if w is not None else [0] * X.shape[1])], dtype=float)


def descend(X, y, rate, steps, w=None, b=0.0):
    A, y = _with_ones(X, y)
    return _walk(A, y, _first(X, w, b), ((rate, [slice(None)]) for _ in range(steps)))


def descend_in_batches(X, y, rate, epochs, size, generator, decay=0.0, w=None, b=0.0):
    A, y = _with_ones(X, y)
    schedule = ((rate / (1 + decay * t), batches(len(y), size, generator)) for t in range(epochs))
    return _walk(A, y, _first(X, w, b), schedule)
