"""The fifty drills by other routes: einsum, explicit index arrays, products with matrices of ones and zeros."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def constant(shape, value):
    return np.zeros(shape) + value


def midpoints(low, high, n):
    edges = np.linspace(low, high, n + 1)
    return (edges[:-1] + edges[1:]) / 2


def checkerboard(n, m):
    return np.bitwise_xor.outer(np.arange(n) & 1, np.arange(m) & 1)


def causal_mask(n):
    return np.arange(n)[:, None] >= np.arange(n)[None, :]


def tridiagonal(n, below, on, above):
    i, j = np.indices((n, n))
    return np.select([i == j, i == j + 1, j == i + 1], [float(on), float(below), float(above)], 0.0)


def vandermonde(x, degree):
    powers = np.concatenate([np.ones((len(x), 1)), np.tile(x[:, None], (1, degree))], axis=1)
    return np.cumprod(powers, axis=1)


def coordinate_grid(n, m):
    return np.argwhere(np.ones((n, m))).reshape(n, m, 2)


def interior(A):
    n, m = A.shape
    return A[np.ix_(np.arange(1, n - 1), np.arange(1, m - 1))]


def last_columns(A, count):
    return np.flip(np.flip(A, axis=1)[:, :count], axis=1)


def interleave(a, b):
    return np.column_stack([a, b]).ravel()


def rows_above(A, column, threshold):
    return np.compress(A[:, column] > threshold, A, axis=0)


def label_scores(scores, labels):
    return np.take_along_axis(scores, labels[:, None], axis=1)[:, 0]


def submatrix(A, rows, columns):
    return A[rows][:, columns]


def masked_fill(A, mask, value):
    filled = A.copy()
    filled[mask] = value
    return filled


def set_diagonal(A, d):
    return A - np.diag(np.diag(A)) + np.diag(d)


def inverse_permutation(p):
    return np.argsort(p)


def outer_sum(a, b):
    return np.add.outer(a, b)


def centred(A):
    return A - np.full((1, len(A)), 1 / len(A)) @ A


def scale_each(images, factors):
    return np.einsum("i,iyx->iyx", factors, images)


def one_hot(labels, k):
    return np.eye(k)[labels]


def length_mask(lengths, width):
    return np.less.outer(np.arange(width), lengths).T


def unit_rows(A):
    length = np.linalg.norm(A, axis=1)
    return np.divide(A.T, length, out=np.zeros(A.T.shape), where=length > 0).T


def standardised(A, eps):
    return (A - np.mean(A, 0)) * (np.var(A, 0) + eps) ** -0.5


def squared_distances(X, Y):
    difference = np.subtract(X.reshape(len(X), 1, -1), Y.reshape(1, len(Y), -1))
    return np.einsum("ijk,ijk->ij", difference, difference)


def row_major_strides(shape, itemsize):
    strides = []
    for side in reversed(shape):
        strides.insert(0, itemsize)
        itemsize *= side
    return tuple(strides)


def flat_copy(A):
    return np.array(A, order="C").reshape(A.size)


def vec(A):
    return A.ravel(order="F")


def channels_last(images):
    return np.einsum("nchw->nhwc", images)


def repeat_rows(x, n):
    return np.lib.stride_tricks.as_strided(x, (n, x.size), (0, x.strides[0]))


def sliding_windows(x, width):
    return sliding_window_view(x, width)


def diagonal_view(A):
    return A.reshape(-1)[:: len(A) + 1]


def blocks(A, p, q):
    down, right = A.strides
    shape = (A.shape[0] // p, A.shape[1] // q, p, q)
    return np.lib.stride_tricks.as_strided(A, shape, (p * down, q * right, down, right))


def channel_means(images):
    return images.reshape(-1, images.shape[-1]).mean(0)


def argmax_2d(A):
    return np.unravel_index(np.argmax(A), A.shape)


def weighted_mean(X, w):
    return np.average(X, axis=0, weights=w)


def masked_mean(A, mask):
    total = np.sum(A, axis=1, where=mask)
    count = np.count_nonzero(mask, axis=1)
    return np.divide(total, count, out=np.zeros(len(A)), where=count > 0)


def running_mean(x):
    n = len(x)
    return np.tri(n) @ x / (1.0 + np.arange(n))


def range_sums(x, starts, ends):
    i = np.arange(len(x))
    return ((starts[:, None] <= i) & (i < ends[:, None])) @ x


def log_sum_exp(A):
    return np.logaddexp.reduce(A, axis=1)


def softmax(A):
    return np.exp(A - np.logaddexp.reduce(A, axis=1, keepdims=True))


def group_means(values, groups, k):
    total, count = np.zeros(k), np.zeros(k)
    np.add.at(total, groups, values)
    np.add.at(count, groups, 1)
    return np.where(count == 0, 0.0, total / np.where(count == 0, 1, count))


def confusion_matrix(truth, predicted, k):
    classes = np.arange(k)
    return (truth[:, None] == classes).astype(int).T @ (predicted[:, None] == classes).astype(int)


def affine(W, b, x):
    return np.einsum("ij,j->i", W, x) + b


def affine_batch(W, b, X):
    return np.einsum("ij,nj->ni", W, X) + b


def affine_sequences(W, B, X):
    return np.einsum("ij,ntj->nti", W, X) + np.expand_dims(B, 1)


def affine_each(W, B, X):
    return (W @ X[..., None])[..., 0] + B


def bilinear(A, X, Y):
    return np.einsum("ij,jk,ik->i", X, A, Y)


def homogeneous(W, b):
    return np.vstack([np.column_stack([W, b]), np.eye(W.shape[1] + 1)[-1]])


def composed(W2, b2, W1, b1):
    return np.einsum("ij,jk->ik", W2, W1), np.dot(W2, b1) + b2


def attention_scores(Q, K):
    return np.einsum("ijd,ikd->ijk", Q, K) * Q.shape[2] ** -0.5
