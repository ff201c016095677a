"""The linear algebra that the course leans on: six small tasks, one to five lines each.

Vectors are float64 arrays of shape (n,), matrices of shape (m, n): m rows, n columns. No task changes its arguments.

Deisenroth, Faisal and Ong, Mathematics for Machine Learning (2020), chapters 2 to 4.
"""

import numpy as np


def combination(coefficients, vectors):
    """c (k,), vectors (k, n), one a row -> (n,): c[0] times the first, plus c[1] times the second, and so on."""
    return coefficients @ vectors


def angle(u, v):
    """u, v (n,), neither of them zero -> the angle between them in radians, a float from 0 to pi.

    Its cosine is u . v / (|u| |v|). Rounding can bring that a little above 1 or below -1, where there is no angle.
    """
    cosine = u @ v / np.sqrt((u @ u) * (v @ v))
    return float(np.arccos(np.clip(cosine, -1.0, 1.0)))


def parts(v, u):
    """v, u (n,), u not zero -> (along, across): two vectors whose sum is v, the first a multiple of u, the second at a right
    angle to u.
    """
    along = (v @ u) / (u @ u) * u
    return along, v - along


def matrix_of(linear, n):
    """The matrix (m, n) of a linear map: linear(x) takes (n,) and gives (m,), and is `matrix_of(linear, n) @ x` for every x.

    n is at least 1. What the map does to the vectors (1, 0, 0, ...), (0, 1, 0, ...), ... says all.
    """
    return np.stack([linear(unit) for unit in np.eye(n)], axis=1)


def solve_two(A, b):
    """A (2, 2), b (2,) -> x (2,) with A x = b. ValueError where the determinant of A is 0: there is no x then, or many."""
    (p, q), (r, s) = A
    determinant = p * s - q * r
    if determinant == 0:
        raise ValueError("the rows of A are multiples of one another: the determinant is 0")
    return np.array([s * b[0] - q * b[1], p * b[1] - r * b[0]]) / determinant


def eigenvalue_of(A, v):
    """A (n, n), v (n,), not zero -> the number that A multiplies v by, a float; None where A v is no multiple of v.

    Entries of A v and of that multiple count as equal where they differ by at most 1e-9 times the largest entry of |A| times
    the largest of |v|.
    """
    image = A @ v
    value = (v @ image) / (v @ v)  # if there is a multiple, it is this one
    tolerance = 1e-9 * np.abs(A).max() * np.abs(v).max()
    return float(value) if np.abs(image - value * v).max() <= tolerance else None
