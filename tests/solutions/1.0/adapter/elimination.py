"""Elimination on sympy's matrices of fractions."""

import numpy as np
from sympy import Matrix, Rational


def _exact(A):
    return Matrix(len(A), A.shape[1], lambda i, j: Rational(str(round(float(A[i, j]), 6))))


def _floats(M):
    return np.array(M.tolist(), dtype=float).reshape(M.shape)


def reduced(A):
    R, pivots = _exact(A).rref()
    return _floats(R), list(pivots)


def rank(A):
    return int(_exact(A).rank())


def solve(A, b):
    R, pivots = reduced(np.column_stack([A, b]))
    x = np.zeros(A.shape[1])
    if A.shape[1] in pivots:
        raise ValueError("no solution")
    x[pivots] = R[: len(pivots), -1]
    return x


def null_space(A):
    columns = _exact(A).nullspace()
    return _floats(Matrix.hstack(*columns)) if columns else np.zeros((A.shape[1], 0))


def inverse(A):
    M = _exact(A)
    if M.det() == 0:
        raise ValueError("singular")
    return _floats(M.inv())
