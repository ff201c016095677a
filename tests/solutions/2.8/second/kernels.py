"""Kernels by explicit differences and powers; rows cut from a whole matrix."""

import numpy as np

NAMES = ("linear", "poly", "rbf", "sigmoid")


def linear_kernel(X, Z):
    return np.einsum("ip,jp->ij", X, Z)


def polynomial_kernel(X, Z, degree, gamma, coef0):
    return (gamma * linear_kernel(X, Z) + coef0) ** degree


def sigmoid_kernel(X, Z, gamma, coef0):
    return np.tanh(gamma * linear_kernel(X, Z) + coef0)


def rbf_kernel(X, Z, gamma):
    K = np.empty((len(X), len(Z)))
    for i, x in enumerate(X):
        K[i] = np.exp(-gamma * np.square(Z - x).sum(axis=1))
    return K


def choose_gamma(gamma, X):
    if gamma == "auto":
        return 1 / X.shape[1]
    if gamma == "scale":
        spread = np.mean(np.square(X - X.mean()))
        return 1.0 if spread == 0 else 1 / (X.shape[1] * spread)
    if isinstance(gamma, str) or gamma < 0:
        raise ValueError(f"gamma may not be {gamma}")
    return gamma


def kernel_matrix(kernel, X, Z, gamma=1.0, degree=3, coef0=0.0):
    named = {
        "linear": lambda: linear_kernel(X, Z),
        "poly": lambda: polynomial_kernel(X, Z, degree, gamma, coef0),
        "rbf": lambda: rbf_kernel(X, Z, gamma),
        "sigmoid": lambda: sigmoid_kernel(X, Z, gamma, coef0),
    }
    if callable(kernel):
        values = np.array(kernel(X, Z), dtype=float)
        if values.shape != (X.shape[0], Z.shape[0]):
            raise ValueError("no value for each pair")
        return values
    if kernel not in named:
        raise ValueError(f"no kernel {kernel}")
    return named[kernel]()


class KernelRows:
    def __init__(self, kernel, X, gamma=1.0, degree=3, coef0=0.0, megabytes=200):
        self.K = kernel_matrix(kernel, X, X, gamma, degree, coef0)

    def __len__(self):
        return len(self.K)

    def __getitem__(self, i):
        return self.K[i]

    def diagonal(self):
        return self.K.diagonal()
