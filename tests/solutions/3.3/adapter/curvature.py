"""Eigenvalues by LAPACK, of a matrix put together from its products."""

from typing import NamedTuple

import numpy as np


class Eigenpair(NamedTuple):
    value: float
    vector: np.ndarray
    residual: float


def hessian_vector_product(gradient, params, v, h=None):
    length = np.linalg.norm(v)
    if length == 0:
        return np.zeros(len(v))
    home = np.concatenate([w.ravel() for w in params])
    r = (np.finfo(home.dtype).eps ** (1 / 3) if h is None else h) * (1 + np.linalg.norm(home)) / length

    def gradient_at(w):
        at = 0
        for p in params:
            p[...] = w[at : at + p.size].reshape(p.shape)
            at += p.size
        return np.concatenate([g.ravel() for g in gradient()])

    forward, backward = gradient_at(home + r * v), gradient_at(home - r * v)
    gradient_at(home)
    return (forward - backward) / (2 * r)


def spectrum(product, size):
    matrix = np.column_stack([product(axis) for axis in np.eye(size)])
    return np.linalg.eigh((matrix + matrix.T) / 2)


def power_iteration(product, size, generator=None, tol=1e-6, max_iter=10_000):
    values, vectors = spectrum(product, size)
    best = np.abs(values).argmax()
    v = vectors[:, best]
    return Eigenpair(float(values[best]), v, float(np.linalg.norm(product(v) - values[best] * v)))


def top_eigenvalue(product, size, generator=None, tol=1e-6, max_iter=10_000):
    return float(spectrum(product, size)[0][-1])
