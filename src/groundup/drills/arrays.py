"""Fifty drills on arrays: one idea each, one to four lines each, no Python loop over elements.

Shapes stand in parentheses: (n, m) has n rows and m columns, (n,) is a vector. Entries are float64 unless integers or
bools are named, results are float64 likewise. No drill changes its arguments. Where a *view* is asked for, the result
lies in the memory of the argument; where a *new* array is, it does not; elsewhere either will do.

No loop means that the number of Python lines that run does not grow with any side of the arrays: no `for`, `while`,
comprehension, recursion, `np.vectorize` or `np.apply_along_axis` over rows, columns or entries.

Harris et al., Array programming with NumPy, Nature 585 (2020).
"""

import numpy as np
from numpy.lib.stride_tricks import as_strided

# ------------------------------------------------------------------------------------------------------- creation


def constant(shape, value):
    """A float64 array of the given shape (a tuple) with every entry `value`, also where that is an int."""
    return np.full(shape, value, dtype=np.float64)


def midpoints(low, high, n):
    """(n,): the centres of n cells of equal width that fill [low, high], rising; midpoints(0, 1, 2) is [0.25, 0.75]."""
    return low + (np.arange(n) + 0.5) * (high - low) / n


def checkerboard(n, m):
    """(n, m) of integers: entry [i, j] is 1 where i + j is odd, else 0."""
    board = np.zeros((n, m), dtype=int)
    board[::2, 1::2] = 1
    board[1::2, ::2] = 1
    return board


def causal_mask(n):
    """(n, n) of bool: entry [i, j] is True where j <= i, so that position i sees itself and what came before."""
    return np.tri(n, dtype=bool)


def tridiagonal(n, below, on, above):
    """(n, n): the number `on` along the diagonal, `below` where i = j + 1, `above` where j = i + 1, 0 elsewhere."""
    return below * np.eye(n, k=-1) + on * np.eye(n) + above * np.eye(n, k=1)


def vandermonde(x, degree):
    """x (n,) -> (n, degree + 1): entry [i, j] is x[i] ** j, so the first column is ones."""
    return x[:, None] ** np.arange(degree + 1)


def coordinate_grid(n, m):
    """(n, m, 2) of integers: entry [i, j] is the pair (i, j)."""
    return np.moveaxis(np.indices((n, m)), 0, -1)


# ------------------------------------------------------------------------------------------ indexing and slicing


def interior(A):
    """A (n, m), n and m at least 2 -> (n - 2, m - 2): A without its first and last rows and columns."""
    return A[1:-1, 1:-1]


def last_columns(A, count):
    """A (n, m) -> (n, count): the last `count` columns in their order, count from 0 to m."""
    return A[:, A.shape[1] - count :]


def interleave(a, b):
    """a, b (n,) -> (2n,): a[0], b[0], a[1], b[1], ..."""
    both = np.empty(2 * len(a))
    both[::2] = a
    both[1::2] = b
    return both


def rows_above(A, column, threshold):
    """A (n, m) -> (k, m): the rows i, in their order, with A[i, column] > threshold; k may be 0."""
    return A[A[:, column] > threshold]


def label_scores(scores, labels):
    """scores (n, k), labels (n,) of integers below k -> (n,): entry i is scores[i, labels[i]]."""
    return scores[np.arange(len(labels)), labels]


def submatrix(A, rows, columns):
    """A (n, m), rows (p,) and columns (q,) of integers -> (p, q): entry [i, j] is A[rows[i], columns[j]]."""
    return A[rows[:, None], columns]


def masked_fill(A, mask, value):
    """A and mask (bool) of one shape -> new, that shape: the number `value` where mask is True, A's entry elsewhere."""
    return np.where(mask, value, A)


def set_diagonal(A, d):
    """A (n, n), d (n,) -> new (n, n): A with entry [i, i] replaced by d[i]."""
    B = A.copy()
    i = np.arange(len(d))
    B[i, i] = d
    return B


def inverse_permutation(p):
    """p (n,): 0 ... n - 1 in some order -> q (n,) of integers with q[p[i]] = i for every i."""
    q = np.empty_like(p)
    q[p] = np.arange(len(p))
    return q


# --------------------------------------------------------------------------------------------------- broadcasting


def outer_sum(a, b):
    """a (n,), b (m,) -> (n, m): entry [i, j] is a[i] + b[j]."""
    return a[:, None] + b


def centred(A):
    """A (n, m), n at least 1 -> (n, m): every column less its own mean."""
    return A - A.mean(axis=0)


def scale_each(images, factors):
    """images (n, h, w), factors (n,) -> (n, h, w): image i times factors[i]."""
    return images * factors[:, None, None]


def one_hot(labels, k):
    """labels (n,) of integers below k -> (n, k) of float64: entry [i, labels[i]] is 1, the others are 0."""
    return (labels[:, None] == np.arange(k)).astype(np.float64)


def length_mask(lengths, width):
    """lengths (n,) of integers -> (n, width) of bool: entry [i, j] is True where j < lengths[i]."""
    return np.arange(width) < lengths[:, None]


def unit_rows(A):
    """A (n, m) -> (n, m): every row divided by its Euclidean length; a row of zeros stays zeros."""
    length = np.sqrt((A * A).sum(axis=1, keepdims=True))  # (n, 1)
    return A / np.where(length > 0, length, 1.0)


def standardised(A, eps):
    """A (n, m), n at least 1 -> (n, m): (A - mean) / sqrt(variance + eps) by columns; the variance divides by n."""
    deviation = A - A.mean(axis=0)
    return deviation / np.sqrt((deviation**2).mean(axis=0) + eps)


def squared_distances(X, Y):
    """X (n, d), Y (m, d) -> (n, m): entry [i, j] is the sum over k of (X[i, k] - Y[j, k]) ** 2."""
    difference = X[:, None, :] - Y  # (n, m, d)
    return (difference**2).sum(axis=-1)


# -------------------------------------------------------------------------------------------------------- strides


def row_major_strides(shape, itemsize):
    """The strides in bytes, a tuple of ints, of a new C-ordered array with such a shape and bytes per entry.

    The last is itemsize; each other is the next one times the next side. At least one side, none of them 0.
    """
    return tuple(np.cumprod([itemsize, *shape[:0:-1]])[::-1].tolist())


def flat_copy(A):
    """A (n, m) -> new (n * m,): the entries row after row."""
    return A.flatten()


def vec(A):
    """A (n, m) -> (n * m,): the entries column after column."""
    return A.T.reshape(-1)


def channels_last(images):
    """images (n, c, h, w) -> view (n, h, w, c): entry [i, y, x, k] is images[i, k, y, x]."""
    return images.transpose(0, 2, 3, 1)


def repeat_rows(x, n):
    """x (m,) -> view (n, m): every row is x, and no entry is copied."""
    return np.broadcast_to(x, (n, len(x)))


def sliding_windows(x, width):
    """x (n,), width from 1 to n -> view (n - width + 1, width): row i is x[i], ..., x[i + width - 1]."""
    (step,) = x.strides
    return as_strided(x, (len(x) - width + 1, width), (step, step), writeable=False)


def diagonal_view(A):
    """A (n, n), writable -> view (n,): entry i is A[i, i], and what is written into it is written into A."""
    return as_strided(A, (len(A),), (A.strides[0] + A.strides[1],))


def blocks(A, p, q):
    """A (n p, m q) in C order -> view (n, m, p, q): entry [i, j] is the block A[i p : (i + 1) p, j q : (j + 1) q]."""
    return A.reshape(A.shape[0] // p, p, A.shape[1] // q, q).swapaxes(1, 2)


# ----------------------------------------------------------------------------------------------------- reductions


def channel_means(images):
    """images (n, h, w, c), none of them 0 -> (c,): the mean of each channel over all images and places."""
    return images.mean(axis=(0, 1, 2))


def argmax_2d(A):
    """A (n, m), not empty -> (i, j), a tuple of ints: the place of the largest entry, the first row by row in a tie."""
    return divmod(int(A.argmax()), A.shape[1])


def weighted_mean(X, w):
    """X (n, m), w (n,), none negative and not all 0 -> (m,): the sum of w[i] X[i] over i, by the sum of w."""
    return w @ X / w.sum()


def masked_mean(A, mask):
    """A (n, m), mask (n, m) of bool -> (n,): each row's mean over its True places, 0 where it has none.

    What stands in the other places plays no part, also where it is NaN.
    """
    return np.where(mask, A, 0.0).sum(axis=1) / np.maximum(mask.sum(axis=1), 1)


def running_mean(x):
    """x (n,) -> (n,): entry i is the mean of x[0], ..., x[i]."""
    return np.cumsum(x) / np.arange(1, len(x) + 1)


def range_sums(x, starts, ends):
    """x (n,), starts and ends (k,) of integers, 0 <= start <= end <= n -> (k,): the sum of each x[start:end]."""
    before = np.append(0.0, np.cumsum(x))  # (n + 1,): entry i is the sum of the first i
    return before[ends] - before[starts]


def log_sum_exp(A):
    """A (n, m), m at least 1 -> (n,): log(exp(A[i, 0]) + ... + exp(A[i, m - 1])), without overflow for any finite A."""
    top = A.max(axis=1)
    return top + np.log(np.exp(A - top[:, None]).sum(axis=1))


def softmax(A):
    """A (n, m), m at least 1 -> (n, m): exp(A[i, j]) by the sum of exp over row i, without NaN for any finite A."""
    e = np.exp(A - A.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def group_means(values, groups, k):
    """values (n,), groups (n,) of integers below k -> (k,): the mean of each group's values, 0 for an empty group."""
    total, count = np.bincount(groups, values, k), np.bincount(groups, minlength=k)
    return total / np.maximum(count, 1)


def confusion_matrix(truth, predicted, k):
    """truth, predicted (n,) of integers below k -> (k, k) of integers: [i, j] counts truth i predicted as j."""
    return np.bincount(truth * k + predicted, minlength=k * k).reshape(k, k)


# ---------------------------------------------------------------------------------------------------- affine maps


def affine(W, b, x):
    """W (m, n), b (m,), x (n,) -> (m,): W x + b; entry i is the sum over j of W[i, j] x[j], plus b[i]."""
    return W @ x + b


def affine_batch(W, b, X):
    """W (m, n), b (m,), X (batch, n) -> (batch, m): row i is W X[i] + b."""
    return X @ W.T + b


def affine_sequences(W, B, X):
    """W (m, n), B (batch, m), X (batch, time, n) -> (batch, time, m): entry [i, t] is W X[i, t] + B[i]."""
    return X @ W.T + B[:, None, :]


def affine_each(W, B, X):
    """W (batch, m, n), B (batch, m), X (batch, n) -> (batch, m): row i is W[i] X[i] + B[i], a map for every row."""
    return np.einsum("imn,in->im", W, X) + B


def bilinear(A, X, Y):
    """A (n, m), X (batch, n), Y (batch, m) -> (batch,): entry i is the sum over j and k of X[i, j] A[j, k] Y[i, k]."""
    return ((X @ A) * Y).sum(axis=1)


def homogeneous(W, b):
    """W (m, n), b (m,) -> M (m + 1, n + 1), such that M times (x, 1) is (W x + b, 1) for every x."""
    M = np.zeros((W.shape[0] + 1, W.shape[1] + 1))
    M[:-1, :-1], M[:-1, -1] = W, b
    M[-1, -1] = 1.0
    return M


def composed(W2, b2, W1, b1):
    """W2 (m, h), b2 (m,), W1 (h, n), b1 (h,) -> the tuple W (m, n), b (m,) with W x + b = W2 (W1 x + b1) + b2."""
    return W2 @ W1, W2 @ b1 + b2


def attention_scores(Q, K):
    """Q (batch, t, d), K (batch, s, d) -> (batch, t, s): entry [i, j, k] is Q[i, j] . K[i, k] divided by sqrt(d)."""
    return Q @ K.swapaxes(-1, -2) / np.sqrt(Q.shape[-1])
