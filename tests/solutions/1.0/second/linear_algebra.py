"""The tasks of linear algebra by other means: entries, outer products, NumPy's own solvers."""

import math

import numpy as np


def combination(coefficients, vectors):
    total = np.zeros(vectors.shape[1])
    for c, v in zip(coefficients, vectors):
        total += c * v
    return total


def angle(u, v):
    a, b = u / np.linalg.norm(u), v / np.linalg.norm(v)
    return float(2 * np.arctan2(np.linalg.norm(a - b), np.linalg.norm(a + b)))


def parts(v, u):
    direction = u / math.hypot(*u)
    along = np.outer(direction, direction) @ v
    return along, v - along


def matrix_of(linear, n):
    zero = np.zeros(n)
    columns = []
    for j in range(n):
        unit = zero.copy()
        unit[j] = 1
        columns.append(linear(unit))
    return np.array(columns).T.copy()


def solve_two(A, b):
    if A[0, 0] * A[1, 1] == A[0, 1] * A[1, 0]:
        raise ValueError("determinant 0")
    return np.linalg.inv(A) @ b


def eigenvalue_of(A, v):
    place = np.abs(v).argmax()
    ratio = (A @ v)[place] / v[place]
    return float(ratio) if np.allclose((A - ratio * np.eye(len(v))) @ v, 0, atol=1e-9) else None
