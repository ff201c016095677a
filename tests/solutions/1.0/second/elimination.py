"""Elimination by other means: down to steps first, then back up; lists of rows."""

import numpy as np


def reduced(A):
    rows = [row.astype(float) for row in A]
    small = 1e-9 * max((abs(x) for row in rows for x in row), default=0.0)
    width, done, pivots = A.shape[1], 0, []
    for j in range(width):
        left = sorted(range(done, len(rows)), key=lambda i: -abs(rows[i][j]))
        if not left or abs(rows[left[0]][j]) <= small:
            for i in left:
                rows[i][j] = 0.0
            continue
        rows.insert(done, rows.pop(left[0]))
        for i in range(done + 1, len(rows)):
            rows[i] = rows[i] - rows[i][j] / rows[done][j] * rows[done]
            rows[i][j] = 0.0
        pivots.append(j)
        done += 1
    for i in reversed(range(done)):
        rows[i] = rows[i] / rows[i][pivots[i]]
        for k in range(i):
            rows[k] = rows[k] - rows[k][pivots[i]] * rows[i]
    return np.array(rows).reshape(A.shape), pivots


def rank(A):
    return int(np.linalg.matrix_rank(A, tol=1e-9))


def solve(A, b):
    pivots = reduced(A)[1]
    x = np.zeros(A.shape[1])
    if pivots:
        x[pivots] = np.linalg.lstsq(A[:, pivots], b, rcond=None)[0]
    if not np.allclose(A @ x, b, atol=1e-8):
        raise ValueError("no solution")
    return x


def null_space(A):
    pivots = reduced(A)[1]
    columns = []
    for j in range(A.shape[1]):
        if j not in pivots:
            x = -solve(A, A[:, j]) if pivots else np.zeros(A.shape[1])
            x[j] = 1.0
            columns.append(x)
    return np.array(columns).T if columns else np.zeros((A.shape[1], 0))


def inverse(A):
    if rank(A) < len(A):
        raise ValueError("singular")
    return np.stack([solve(A, e) for e in np.eye(len(A))], axis=1)
