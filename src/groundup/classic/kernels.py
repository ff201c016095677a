"""Kernels: inner products in a space that nobody has to visit.

A support vector machine asks of two samples one thing only, their inner product x . z. Put another function in its place,
k(x, z) = phi(x) . phi(z), and the machine works on the features phi(x) without computing one of them. There is such a phi
exactly where every matrix of values k(x_i, x_j) is positive semidefinite (Mercer's condition).

Schölkopf and Smola, Learning with Kernels (2002), sections 2.1 to 2.3.
"""

import numpy as np

from .validation import check_number

NAMES = ("linear", "poly", "rbf", "sigmoid")


def linear_kernel(X, Z):
    """x . z: X (n, p), Z (m, p) -> (n, m)"""
    return X @ Z.T


def polynomial_kernel(X, Z, degree, gamma, coef0):
    """(gamma x . z + coef0)^degree: X (n, p), Z (m, p), degree an integer >= 0 -> (n, m)"""
    base = (gamma * X) @ Z.T + coef0
    power = np.ones(base.shape)
    for _ in range(degree):  # three times as fast as NumPy's power
        power *= base
    return power


def sigmoid_kernel(X, Z, gamma, coef0):
    """tanh(gamma x . z + coef0): X (n, p), Z (m, p) -> (n, m). It is no inner product: its matrix may have negative
    eigenvalues.
    """
    return np.tanh((gamma * X) @ Z.T + coef0)


def rbf_kernel(X, Z, gamma):
    """exp(-gamma ||x - z||^2): X (n, p), Z (m, p), gamma >= 0 -> (n, m), in [0, 1]

    Right also where the samples lie far from the origin, at 1e8 for one: distances do not change when a mean is taken off.
    """
    A, B = _distances_as_products(X, Z, gamma)
    distances = A @ B.T
    return np.exp(np.minimum(distances, 0.0, out=distances), out=distances)


def choose_gamma(gamma, X):
    """The number that gamma stands for: a number for itself, "auto" for 1 / p, and "scale" for 1 / (p v).

    X (n, p); v is the variance of all n p entries of X together, about one mean, divided by n p. Where v is 0: 1.0.
    Raises ValueError for another word and for a negative number.
    """
    if not isinstance(gamma, str):
        check_number("gamma", gamma, low=0.0)
        return float(gamma)
    if gamma == "auto":
        return 1.0 / X.shape[1]
    if gamma != "scale":
        raise ValueError(f"gamma == {gamma!r}: expected 'scale', 'auto' or a number in [0.0, inf)")
    variance = X.var()
    return 1.0 / (X.shape[1] * float(variance)) if variance > 0 else 1.0


def kernel_matrix(kernel, X, Z, gamma=1.0, degree=3, coef0=0.0):
    """The values k(x, z) of every x with every z: X (n, p), Z (m, p) -> (n, m), float64.

    kernel: "linear", "poly", "rbf", "sigmoid", or a function of (X, Z) that returns such a matrix. gamma a number.
    Raises ValueError for another name, and where a function returns another shape.
    """
    if kernel == "linear":
        return linear_kernel(X, Z)
    if kernel == "poly":
        return polynomial_kernel(X, Z, degree, gamma, coef0)
    if kernel == "rbf":
        return rbf_kernel(X, Z, gamma)
    if kernel == "sigmoid":
        return sigmoid_kernel(X, Z, gamma, coef0)
    if not callable(kernel):
        raise ValueError(f"kernel == {kernel!r}: expected one of {NAMES}, 'precomputed', or a function of (X, Z)")
    K = np.asarray(kernel(X, Z), dtype=np.float64)
    if K.shape != (len(X), len(Z)):
        raise ValueError(f"the kernel returned shape {K.shape}, expected {(len(X), len(Z))}: a value for each pair")
    return K


class KernelRows:
    """The matrix K = k(X, X) a row at a time, for a solver that wants few of its n rows, and some of them often.

    Parameters: kernel, one of NAMES; X (n, p); gamma, degree, coef0, numbers; megabytes, how much of the rows to keep.
    rows[i] is row i of K (n,), computed when it is first asked for; of the rows kept the one that has not been asked for
    the longest goes first. rows.diagonal() is (n,), len(rows) is n: a matrix (n, n) can stand in its place.
    """

    def __init__(self, kernel, X, gamma=1.0, degree=3, coef0=0.0, megabytes=200):
        """Prepares; computes no row."""
        self._numbers = {"gamma": gamma, "degree": degree, "coef0": coef0}
        self._kernel, self._X, self._Z = kernel, X, X
        if kernel == "rbf":  # what depends on one sample is computed once, not once for each row
            self._X, self._Z = _distances_as_products(X, X, gamma)
        self._Z = np.asfortranarray(self._Z)  # a row of products in two thirds of the time
        self._kept = {}  # i -> row, the one asked for last at the end
        self._most = max(2, int(megabytes * 2**20 / (8 * len(X))))

    def __len__(self):
        """n"""
        return len(self._X)

    def __getitem__(self, i):
        """Row i of K: an integer -> (n,), not to be written to."""
        row = self._kept.pop(i, None)
        if row is None:
            row = self._compute(i)
            if len(self._kept) == self._most:
                del self._kept[next(iter(self._kept))]
        self._kept[i] = row
        return row

    def diagonal(self):
        """k(x, x) of every sample (n,)"""
        if self._kernel == "rbf":
            return np.ones(len(self))
        squares = np.einsum("ij,ij->i", self._X, self._X)[
            :, None
        ]  # (n, 1): x . x as a product of two numbers, itself and 1
        return kernel_matrix(self._kernel, squares, np.ones((1, 1)), **self._numbers)[:, 0]

    def _compute(self, i):
        if self._kernel == "rbf":
            row = self._X[i] @ self._Z.T
            return np.exp(np.minimum(row, 0.0, out=row), out=row)
        return kernel_matrix(self._kernel, self._X[i : i + 1], self._Z, **self._numbers)[0]


def _distances_as_products(X, Z, gamma):
    """A (n, p + 2) and B (m, p + 2) whose products A B' are -gamma ||x - z||^2 = gamma (2 x . z - ||x||^2 - ||z||^2).

    Two columns more to multiply, in place of more passes over all n m products: three quarters of the kernel's time.
    """
    mean = Z.sum(axis=0) / max(1, len(Z))  # a regression may have no support vectors
    X, Z = X - mean, Z - mean
    x, z = (np.einsum("ij,ij->i", each, each) for each in (X, Z))
    A = np.column_stack([2.0 * X, -x, -np.ones(len(X))])
    return gamma * A, np.column_stack([Z, np.ones(len(Z)), z])
