"""The tasks of linear algebra on NumPy's and SciPy's solvers."""

import numpy as np
from scipy import linalg
from scipy.spatial import distance


def combination(coefficients, vectors):
    return np.tensordot(coefficients, vectors, axes=1)


def angle(u, v):
    if len(u) == 1:
        return 0.0 if u[0] * v[0] > 0 else np.pi
    acute = float(linalg.subspace_angles(u[:, None], v[:, None])[0])
    return acute if distance.cosine(u, v) <= 1 else np.pi - acute


def parts(v, u):
    along = u * np.linalg.lstsq(u[:, None], v, rcond=None)[0]
    return along, v - along


def matrix_of(linear, n):
    return np.apply_along_axis(linear, 0, np.identity(n))


def solve_two(A, b):
    try:
        if np.linalg.matrix_rank(A) < 2:
            raise np.linalg.LinAlgError
        return np.linalg.solve(A, b)
    except np.linalg.LinAlgError:
        raise ValueError("singular") from None


def eigenvalue_of(A, v):
    value = np.linalg.lstsq(v[:, None], A @ v, rcond=None)[0]
    return float(value[0]) if np.allclose(A @ v, value * v, rtol=0, atol=1e-8) else None
