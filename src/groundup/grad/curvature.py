"""Curvature without a Hessian: products with it, and its top eigenvalue.

A network of a million weights has a Hessian of 10^12 entries. A product of it with one vector costs two gradients, and
products are enough to find its largest eigenvalue, the curvature that says how large a rate may be: gradient descent on
a quadratic converges if and only if lr < 2 / lambda_max.

LeCun, Simard and Pearlmutter, Automatic Learning Rate Maximization by On-Line Estimation of the Hessian's Eigenvectors
(1993).
"""

from typing import NamedTuple

import numpy as np


class Eigenpair(NamedTuple):  # given
    """What a power iteration has found.

    value: the eigenvalue. vector (size,): of length 1, with an arbitrary sign. residual: ||H vector - value vector||,
    so that for a symmetric H some eigenvalue lies no farther from value than that.
    """

    value: float
    vector: np.ndarray
    residual: float


def hessian_vector_product(gradient, params, v, h=None):
    """H v, where H is the Hessian of the function whose gradient is given, at params, by a central difference.

    gradient() -> list of arrays, the gradient where params stand at that moment; it may give the same arrays each time.
    params: list of float arrays, which are moved for two calls and put back bit for bit. v (size,): a direction over
    all their entries, in order. Returns (size,), float64. The two points are w + r v and w - r v. Their distance from
    w, r ||v||, is h (1 + ||w||), with norms over all entries, so the length of v does not matter; h None is the cube
    root of the dtype's machine epsilon, where rounding and the third derivative cost about as much. For v = 0 the
    product is 0.
    """
    length = np.linalg.norm(v)
    if length == 0.0:
        return np.zeros(len(v))
    start = [w.copy() for w in params]
    if h is None:
        h = max(float(np.finfo(w.dtype).eps) for w in params) ** (1 / 3)
    r = h * (1.0 + np.linalg.norm(_flat(start))) / length
    try:
        _shift(params, start, r * v)
        ahead = _flat(gradient())  # a copy
        _shift(params, start, -r * v)
        behind = _flat(gradient())
    finally:
        for w, s in zip(params, start):
            np.copyto(w, s)
    return (ahead - behind) / (2.0 * r)


def power_iteration(product, size, generator=None, tol=1e-6, max_iter=10_000):
    """The eigenvalue that is largest in size, with its sign, of a symmetric matrix that is known by its products.

    product(v) -> (size,) for v (size,). Begins with a normal vector of the generator's (None:
    numpy.random.default_rng(0)), multiplies and normalises. The value is v . Hv for v of length 1. Ends when the
    residual is at most tol |value|, or after max_iter products; then the residual says how far it got. Two eigenvalues
    of the same size and opposite signs have no largest, and the residual stays large. Products that are good to 1e-4
    only, as by differences in float32, want a tol above that. Returns an Eigenpair.
    Golub and Van Loan, Matrix Computations (2013), section 8.2.1.
    """
    generator = np.random.default_rng(0) if generator is None else generator
    v = generator.standard_normal(size)
    v /= np.linalg.norm(v)
    for _ in range(max_iter):
        Hv = product(v)
        value = float(v @ Hv)
        found = Eigenpair(value, v, float(np.linalg.norm(Hv - value * v)))
        if found.residual <= tol * abs(value):
            break
        v = Hv / np.linalg.norm(Hv)
    return found


def top_eigenvalue(product, size, generator=None, tol=1e-6, max_iter=10_000):
    """The largest eigenvalue of a symmetric matrix, in the order of numbers: 1 is larger than -5. Returns a float.

    Arguments as power_iteration's. That finds -5 first. So if it finds something negative, or does not settle, a second
    iteration runs with H + s I, where s is the length of the last H v: its eigenvalues are in the same order, and
    none is below 0. tol is relative to what each iteration finds.
    """
    first = power_iteration(product, size, generator, tol, max_iter)
    if first.value >= 0.0 and first.residual <= tol * first.value:
        return first.value
    s = float(np.hypot(first.value, first.residual))  # the residual is at right angles to v
    return power_iteration(lambda v: product(v) + s * v, size, generator, tol, max_iter).value - s


def _flat(arrays):
    """All entries in one new float64 vector."""
    return np.concatenate([np.ravel(a) for a in arrays], dtype=np.float64)


def _shift(params, start, move):
    """Puts params at start + move."""
    at = 0
    for w, s in zip(params, start):
        w[...] = s + move[at : at + s.size].reshape(s.shape)
        at += s.size
