"""Linear algebra: six small tasks on vectors and matrices."""

import math
from fractions import Fraction

import numpy as np

from groundup.course import checkpoint


@checkpoint("Linear algebra: a combination of vectors", count=15)
def combinations(lib, coefficients, vectors):
    return lib.drills.linear_algebra.combination(coefficients, vectors)


@combinations.cases
def _(draw):
    k, n = draw.integer(1, 4), draw.integer(1, 4)
    return dict(coefficients=draw.normal(k), vectors=draw.normal(k, n))


@combinations.edges
def _():
    return [dict(coefficients=np.array([2.0, -1.0]), vectors=np.array([[1.0, 0.0, 1.0], [0.0, 3.0, 1.0]]))]


@combinations.oracle
def _(coefficients, vectors):
    return np.array([math.fsum(c * v[j] for c, v in zip(coefficients, vectors)) for j in range(vectors.shape[1])])


@checkpoint("Linear algebra: the angle between two vectors", atol=1e-7, count=15)
def angles(lib, u, v):
    return lib.drills.linear_algebra.angle(u, v)


@angles.cases
def _(draw):
    n = draw.integer(1, 4)
    u = draw.normal(n) + 0.01
    return dict(u=u, v=draw.choice([draw.normal(n) + 0.01, 3.0 * u, -0.1 * u]))


@angles.edges
def _():
    return [
        dict(u=np.array([1.0, 0.0]), v=np.array([1.0, 1.0])),
        dict(u=np.array([0.1, 0.2, 0.3]), v=np.array([0.3, 0.6, 0.9])),
        dict(u=np.array([1.1, 1.1, 1.1]), v=np.array([-1.1, -1.1, -1.1])),
        dict(u=np.array([2.0, 0.0]), v=np.array([0.0, 5.0])),
    ]


@angles.oracle
def _(u, v):
    a, b = u / math.hypot(*u), v / math.hypot(*v)
    return 2 * math.atan2(math.hypot(*(a - b)), math.hypot(*(a + b)))  # no cosine, and so nothing to go above 1


@checkpoint("Linear algebra: a vector in two parts, along another and across it", atol=1e-10, count=15)
def projections(lib, v, u):
    return lib.drills.linear_algebra.parts(v, u)


@projections.cases
def _(draw):
    n = draw.integer(1, 4)
    return dict(v=draw.normal(n), u=draw.normal(n) + draw.choice([0.5, -0.5]))


@projections.edges
def _():
    return [dict(v=np.array([3.0, 4.0]), u=np.array([2.0, 0.0])), dict(v=np.array([0.0, 0.0]), u=np.array([1.0, 1.0]))]


@projections.oracle
def _(v, u):
    ratio = math.fsum(v * u) / math.fsum(u * u)
    return np.array([ratio * x for x in u]), np.array([y - ratio * x for x, y in zip(u, v)])


@checkpoint("Linear algebra: the matrix of a map that is only known by what it does", count=15)
def matrices(lib, A):
    def linear(x):
        assert x.shape == (A.shape[1],), f"the map takes vectors of shape ({A.shape[1]},), not {x.shape}"
        return np.array([float(row @ x) for row in A])

    return lib.drills.linear_algebra.matrix_of(linear, A.shape[1])


@matrices.cases
def _(draw):
    return dict(A=draw.normal(draw.integer(1, 4), draw.integer(1, 4)))


@matrices.edges
def _():
    return [dict(A=np.array([[1.0, 2.0], [3.0, 4.0]])), dict(A=np.array([[1.0, 2.0, 3.0]]))]


@matrices.oracle
def _(A):
    return A


@checkpoint("Linear algebra: two equations, and when they have no single answer", atol=1e-10, count=20)
def equations(lib, A, b):
    try:
        return lib.drills.linear_algebra.solve_two(A, b)
    except ValueError:
        return "ValueError"


@equations.cases
def _(draw):
    A = draw.integers(-4, 4, 2, 2).astype(float)
    A[1] = draw.choice([A[1], A[1], draw.integer(-2, 2) * A[0]])
    return dict(A=A, b=draw.integers(-5, 5, 2).astype(float))


@equations.edges
def _():
    A = np.array([[1.0, 2.0], [3.0, 4.0]])
    return [dict(A=A, b=np.array([5.0, 11.0])), dict(A=np.array([[1.0, 2.0], [2.0, 4.0]]), b=np.array([1.0, 2.0])), dict(A=np.array([[0.0, 1.0], [2.0, 0.0]]), b=np.array([3.0, 4.0]))]  # fmt: skip


@equations.oracle
def _(A, b):
    if Fraction(A[0, 0]) * Fraction(A[1, 1]) == Fraction(A[0, 1]) * Fraction(A[1, 0]):
        return "ValueError"
    return np.linalg.solve(A, b)


@checkpoint("Linear algebra: an eigenvector or not, and its eigenvalue", atol=1e-8, count=20)
def eigenvectors(lib, A, v):
    return lib.drills.linear_algebra.eigenvalue_of(A, v)


@eigenvectors.cases
def _(draw):
    n = draw.integer(1, 3)
    P = np.eye(n) + np.triu(draw.integers(-2, 2, n, n), 1)  # its inverse holds whole numbers too
    values = draw.integers(-3, 3, n).astype(float)
    A = np.round(P @ np.diag(values) @ np.linalg.inv(P))
    i = draw.integer(0, n - 1)
    other = P.sum(axis=1)  # one of its own only if all values are equal
    true = draw.boolean()
    value = values[i] if true or len(set(values.tolist())) == 1 else None
    return dict(A=A, v=draw.choice([1.0, -2.0, 0.5]) * (P[:, i] if true else other), _value=value)


@eigenvectors.edges
def _():
    turn = np.array([[0.0, -1.0], [1.0, 0.0]])
    return [
        dict(A=np.array([[2.0, 0.0], [0.0, 3.0]]), v=np.array([0.0, 5.0]), _value=3.0),
        dict(A=turn, v=np.array([1.0, 1.0]), _value=None),
        dict(A=np.array([[1.0, -1.0], [-1.0, 1.0]]), v=np.array([2.0, 2.0]), _value=0.0),
        dict(A=np.array([[1.0, 1.0], [0.0, 1.0]]), v=np.array([1.0, 1.0]), _value=None),
    ]


@eigenvectors.oracle
def _(A, v, value):
    return value
