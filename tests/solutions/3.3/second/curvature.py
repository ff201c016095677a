"""Curvature written another way: the residual told after the end, the other end of the spectrum by a bound on its size."""

from typing import NamedTuple

import numpy as np


class Eigenpair(NamedTuple):
    value: float
    vector: np.ndarray
    residual: float


def vector_of(arrays):
    return np.hstack([np.array(a, dtype=np.float64).reshape(-1) for a in arrays])


def hessian_vector_product(gradient, params, v, h=None):
    v = np.asarray(v, dtype=np.float64)
    length = np.sqrt(v @ v)
    if length == 0:
        return np.zeros_like(v)
    home = [np.array(w) for w in params]
    w = vector_of(home)
    if h is None:
        h = np.cbrt(np.finfo(home[0].dtype).eps)
    distance = h * (1 + np.sqrt(w @ w))
    found = []
    for sign in (1, -1):
        moved = w + sign * distance * (v / length)
        ends = np.cumsum([p.size for p in params])
        for p, part in zip(params, np.split(moved, ends[:-1])):
            p[...] = part.reshape(p.shape)
        found.append(vector_of(gradient()))
    for p, old in zip(params, home):
        p[...] = old
    return (found[0] - found[1]) / 2 * (length / distance)


def power_iteration(product, size, generator=None, tol=1e-6, max_iter=10_000):
    if generator is None:
        generator = np.random.default_rng(12345)
    v = generator.normal(size=size)
    for _ in range(max_iter):
        v = v / np.sqrt(v @ v)
        image = product(v)
        value = (v @ image) / (v @ v)
        off = image - value * v
        residual = np.sqrt(off @ off)
        if residual <= tol * abs(value):
            break
        last, v = v, image
    else:
        v = last
    return Eigenpair(float(value), v, float(residual))


def top_eigenvalue(product, size, generator=None, tol=1e-6, max_iter=10_000):
    found = power_iteration(product, size, generator, tol, max_iter)
    if found.value > 0 and found.residual <= tol * found.value:
        return found.value
    image = product(found.vector)
    shift = np.sqrt(image @ image)
    return power_iteration(lambda v: product(v) + shift * v, size, generator, tol, max_iter).value - shift
