"""A practice project in linear algebra: everything about a system of equations, from one table.

Three things may be done to a row of equations without changing what solves them: swap two, multiply one by a number that is
not 0, add a multiple of one to another. They lead from every matrix to one *reduced* form, the same in whatever order they are
done, and rank, solutions, null space and inverse can be read off it.

Deisenroth, Faisal and Ong, Mathematics for Machine Learning (2020), section 2.3; Beezer, A First Course in Linear Algebra,
chapter SLE.
"""

import numpy as np

TOLERANCE = 1e-9  # of the largest entry of |A|: what is not above it, once rows have been subtracted, is rounding, and counts as 0


def reduced(A):
    """A (m, n) -> (R, pivots): the reduced form (m, n), and the list of its pivot columns, rising.

    In R each row that is not zero begins with a 1, its pivot, further to the right than that of the row above; a pivot is the
    only entry of its column that is not 0; rows of zeros come last. Of the rows that could give a pivot, take the one with the
    largest |entry|: dividing by what is nearly 0 makes rounding large.
    """
    R = np.array(A, dtype=np.float64)
    tolerance = TOLERANCE * np.abs(R).max(initial=0.0)
    pivots = []
    for column in range(R.shape[1]):
        row = len(pivots)
        if row == len(R):
            break
        best = row + int(np.argmax(np.abs(R[row:, column])))
        if abs(R[best, column]) <= tolerance:
            R[row:, column] = 0.0
            continue
        R[[row, best]] = R[[best, row]]
        R[row] /= R[row, column]
        others = np.arange(len(R)) != row
        R[others] -= R[others, column, None] * R[row]
        pivots.append(column)
    return R, pivots


def rank(A):
    """A (m, n) -> how many pivots there are, an int: as many of its rows, or columns, are independent."""
    return len(reduced(A)[1])


def solve(A, b):
    """A (m, n), b (m,) -> the x (n,) with A x = b that is 0 in every column of A without a pivot. ValueError if there is no x.

    In the reduced form of A with b as one more column, a pivot in that last column is the equation 0 = 1.
    """
    R, pivots = reduced(np.column_stack([A, b]))
    n = R.shape[1] - 1
    if n in pivots:
        raise ValueError("the equations contradict each other: one of them comes down to 0 = 1")
    x = np.zeros(n)
    x[pivots] = R[: len(pivots), n]
    return x


def null_space(A):
    """A (m, n) of rank r -> (n, n - r): every x with A x = 0 is one combination of these columns.

    There is one for each column of A without a pivot, in order: 1 in its own entry, 0 in those of the others without a pivot.
    """
    R, pivots = reduced(A)
    free = [column for column in range(R.shape[1]) if column not in pivots]
    N = np.zeros((R.shape[1], len(free)))
    N[free, range(len(free))] = 1.0
    N[pivots] = -R[: len(pivots), free]
    return N


def inverse(A):
    """A (n, n) -> the matrix (n, n) whose product with A is the identity. ValueError if there is none.

    [A | identity] becomes [identity | inverse].
    """
    n = len(A)
    R, pivots = reduced(np.column_stack([A, np.eye(n)]))
    if pivots != list(range(n)):
        raise ValueError(f"the rank is {rank(A)}, not {n}: there is no inverse")
    return R[:, n:]
