"""What is asked of lesson 1.1: fifty drills, each equal to its slow definition, and none with a Python loop.

A drill stands here once: its family, how its arguments are drawn, a few written out, and what it means, entry by entry.
"""

import copy
import itertools
import math
import sys

import numpy as np

from groundup.course import checkpoint
from groundup.course.lessons.draw import SeededDraw

DRAWN, EDGES, MEANING, FAMILY = {}, {}, {}, {}  # each by the drill's name
VIEWS = ("channels_last", "repeat_rows", "sliding_windows", "blocks")  # into their first argument
SMALL, LARGE = (4, 3, 2), (24, 18, 12)  # n, m, k for counting steps
SLACK = 6  # steps: a loop over even the shortest side takes 10 more


def definition(family, drawn, *edges):
    """Registers the slow definition below it. drawn: (draw, n, m, k) -> the arguments, with sides n, m, k."""

    def register(slow):
        name = slow.__name__
        DRAWN[name], EDGES[name], MEANING[name] = drawn, edges, slow
        FAMILY.setdefault(family, []).append(name)
        return slow

    return register


def table(shape, entry, dtype=float):
    """The array of a shape whose entry at each index is entry(*index), computed one by one."""
    entries = [entry(*index) for index in itertools.product(*map(range, shape))]
    return np.array(entries, dtype=dtype).reshape(shape)


def floats(*rows):
    return np.array(rows, dtype=float)


def ints(*rows):
    return np.array(rows, dtype=np.int64)


def mean(numbers):
    return math.fsum(numbers) / len(numbers)


def scales(draw):
    """A factor for drawn numbers: mostly 1, at times so large that exp overflows or, the other way, underflows."""
    return draw.choice([1.0, 1.0, 100.0, 1e4])


# ------------------------------------------------------------------------------------------------------- creation


@definition(
    "creation",
    lambda draw, n, m, k: dict(shape=draw.choice([(n,), (n, m), (n, m, k)]), value=draw.choice([1, 0.5, -3, 2.0])),
    dict(shape=(2,), value=3),
    dict(shape=(), value=1),
    dict(shape=(2, 0), value=1.5),
)
def constant(shape, value):
    return table(shape, lambda *_: value)


@definition(
    "creation",
    lambda draw, n, m, k: dict(low=draw.uniform(-3, 0), high=draw.uniform(1, 3), n=n),
    dict(low=0, high=1, n=2),
    dict(low=-1.0, high=5.0, n=3),
    dict(low=0, high=1, n=1),
)
def midpoints(low, high, n):
    return table((n,), lambda i: (low * (2 * n - 2 * i - 1) + high * (2 * i + 1)) / (2 * n))


@definition("creation", lambda draw, n, m, k: dict(n=n, m=m), dict(n=2, m=3), dict(n=1, m=1), dict(n=3, m=0))
def checkerboard(n, m):
    return table((n, m), lambda i, j: (i + j) % 2, int)


@definition("creation", lambda draw, n, m, k: dict(n=n), dict(n=2), dict(n=1), dict(n=0))
def causal_mask(n):
    return table((n, n), lambda i, j: j <= i, bool)


@definition(
    "creation",
    lambda draw, n, m, k: dict(n=n, below=draw.uniform(-3, 3), on=draw.uniform(-3, 3), above=draw.uniform(-3, 3)),
    dict(n=3, below=1.0, on=-2.0, above=3.0),
    dict(n=1, below=1.0, on=2.0, above=3.0),
)
def tridiagonal(n, below, on, above):
    return table((n, n), lambda i, j: {-1: below, 0: on, 1: above}.get(j - i, 0.0))


@definition(
    "creation",
    lambda draw, n, m, k: dict(x=draw.uniform(-2, 2, n), degree=k),
    dict(x=floats(2, 3), degree=2),
    dict(x=floats(0, -1), degree=0),
)
def vandermonde(x, degree):
    return table((len(x), degree + 1), lambda i, j: math.prod([float(x[i])] * j))


@definition("creation", lambda draw, n, m, k: dict(n=n, m=m), dict(n=2, m=2), dict(n=1, m=3), dict(n=0, m=2))
def coordinate_grid(n, m):
    return table((n, m, 2), lambda i, j, axis: (i, j)[axis], int)


# ------------------------------------------------------------------------------------------ indexing and slicing


@definition(
    "indexing",
    lambda draw, n, m, k: dict(A=draw.normal(n + 1, m + 1)),
    dict(A=floats([1, 2, 3], [4, 5, 6], [7, 8, 9])),
    dict(A=floats([1, 2, 3], [4, 5, 6])),
)
def interior(A):
    return table((len(A) - 2, A.shape[1] - 2), lambda i, j: A[i + 1, j + 1])


@definition(
    "indexing",
    lambda draw, n, m, k: dict(A=draw.normal(n, m), count=draw.integer(0, m)),
    dict(A=floats([1, 2, 3], [4, 5, 6]), count=2),
    dict(A=floats([1, 2]), count=2),
    dict(A=floats([1, 2], [3, 4]), count=0),
)
def last_columns(A, count):
    return table((len(A), count), lambda i, j: A[i, A.shape[1] - count + j])


@definition(
    "indexing",
    lambda draw, n, m, k: dict(a=draw.normal(n), b=draw.normal(n)),
    dict(a=floats(1, 2), b=floats(3, 4)),
    dict(a=floats(), b=floats()),
)
def interleave(a, b):
    return table((2 * len(a),), lambda i: (b if i % 2 else a)[i // 2])


@definition(
    "indexing",
    lambda draw, n, m, k: dict(A=draw.normal(n, m), column=draw.integer(0, m - 1), threshold=draw.uniform(-1, 1)),
    dict(A=floats([1, 9], [3, 8], [2, 7]), column=0, threshold=1.5),
    dict(A=floats([1, 5], [2, 6]), column=0, threshold=1.0),
    dict(A=floats([1, 5], [2, 6]), column=1, threshold=7.0),
)
def rows_above(A, column, threshold):
    kept = [i for i in range(len(A)) if A[i, column] > threshold]
    return table((len(kept), A.shape[1]), lambda i, j: A[kept[i], j])


@definition(
    "indexing",
    lambda draw, n, m, k: dict(scores=draw.normal(n, k), labels=draw.integers(0, k - 1, n)),
    dict(scores=floats([1, 2], [3, 4], [5, 6]), labels=ints(1, 0, 1)),
    dict(scores=floats([1, 2], [3, 4]), labels=ints(1, 1)),
)
def label_scores(scores, labels):
    return table((len(labels),), lambda i: scores[i, labels[i]])


@definition(
    "indexing",
    lambda draw, n, m, k: dict(A=draw.normal(n, m), rows=draw.integers(0, n - 1, k), columns=draw.integers(0, m - 1, draw.integer(1, m))),
    dict(A=floats([1, 2, 3], [4, 5, 6]), rows=ints(1, 0), columns=ints(2, 0)),
    dict(A=floats([1, 2], [3, 4]), rows=ints(1), columns=ints(0, 1, 1)),
    dict(A=floats([1, 2]), rows=ints(0), columns=ints(1)),
)  # fmt: skip
def submatrix(A, rows, columns):
    return table((len(rows), len(columns)), lambda i, j: A[rows[i], columns[j]])


@definition(
    "indexing",
    lambda draw, n, m, k: dict(
        A=draw.normal(n, m), mask=draw.integers(0, 1, n, m) == 1, value=draw.choice([0, -1, 0.5])
    ),
    dict(A=floats([1, 2], [3, 4]), mask=np.array([[True, False], [False, False]]), value=0),
    dict(A=floats(1, 2, 3), mask=np.array([False, True, True]), value=-math.inf),
)
def masked_fill(A, mask, value):
    return table(A.shape, lambda *i: value if mask[i] else A[i])


@definition(
    "indexing",
    lambda draw, n, m, k: dict(A=draw.normal(n, n), d=draw.normal(n)),
    dict(A=floats([1, 2], [3, 4]), d=floats(5, 6)),
    dict(A=floats([1]), d=floats(2)),
)
def set_diagonal(A, d):
    return table(A.shape, lambda i, j: d[i] if i == j else A[i, j])


@definition(
    "indexing",
    lambda draw, n, m, k: dict(p=draw.permutation(n)),
    dict(p=ints(1, 2, 0)),
    dict(p=ints(0)),
    dict(p=ints(2, 0, 3, 1)),
)
def inverse_permutation(p):
    return table((len(p),), lambda i: p.tolist().index(i), int)


# --------------------------------------------------------------------------------------------------- broadcasting


@definition(
    "broadcasting",
    lambda draw, n, m, k: dict(a=draw.normal(n), b=draw.normal(m)),
    dict(a=floats(1, 2), b=floats(3, 4)),
    dict(a=floats(1, 2), b=floats(10, 20, 30)),
)
def outer_sum(a, b):
    return table((len(a), len(b)), lambda i, j: a[i] + b[j])


@definition(
    "broadcasting",
    lambda draw, n, m, k: dict(A=draw.normal(n, m)),
    dict(A=floats([1, 2], [3, 8])),
    dict(A=floats([1, 2, 3])),
)
def centred(A):
    return table(A.shape, lambda i, j: A[i, j] - mean(A[:, j]))


@definition(
    "broadcasting",
    lambda draw, n, m, k: dict(images=draw.normal(n, m, draw.choice([k, n])), factors=draw.normal(n)),
    dict(images=floats([[1, 2], [3, 4]], [[5, 6], [7, 8]]), factors=floats(1, 10)),
    dict(images=floats([[1, 2, 3]], [[4, 5, 6]]), factors=floats(1, 10)),
)
def scale_each(images, factors):
    return table(images.shape, lambda i, y, x: images[i, y, x] * factors[i])


@definition(
    "broadcasting",
    lambda draw, n, m, k: dict(labels=draw.integers(0, k - 1, n), k=k),
    dict(labels=ints(1, 0), k=2),
    dict(labels=ints(2, 0, 2), k=4),
    dict(labels=ints(0), k=1),
)
def one_hot(labels, k):
    return table((len(labels), k), lambda i, j: 1.0 if labels[i] == j else 0.0)


@definition(
    "broadcasting",
    lambda draw, n, m, k: dict(lengths=draw.integers(0, m, n), width=m),
    dict(lengths=ints(1, 2), width=2),
    dict(lengths=ints(0, 3, 1), width=3),
)
def length_mask(lengths, width):
    return table((len(lengths), width), lambda i, j: j < lengths[i], bool)


@definition(
    "broadcasting",
    lambda draw, n, m, k: dict(A=draw.normal(n, m) * draw.integers(0, 1, n, 1)),
    dict(A=floats([3, 4], [6, 8])),
    dict(A=floats([0, 0], [0, 2])),
    dict(A=floats([1, 2, 2])),
)
def unit_rows(A):
    return table(A.shape, lambda i, j: A[i, j] / (math.hypot(*A[i]) or 1.0))


@definition(
    "broadcasting",
    lambda draw, n, m, k: dict(A=draw.normal(n, m), eps=draw.choice([1.0, 0.1, 0.001])),
    dict(A=floats([1, 2], [3, 2]), eps=1.0),
    dict(A=floats([1, 2]), eps=0.25),
    dict(A=floats([1, 5], [2, 5], [6, 5]), eps=0.01),
)
def standardised(A, eps):
    middle = [mean(column) for column in A.T]
    variance = [mean([(x - centre) ** 2 for x in column]) for column, centre in zip(A.T, middle)]
    return table(A.shape, lambda i, j: (A[i, j] - middle[j]) / math.sqrt(variance[j] + eps))


@definition(
    "broadcasting",
    lambda draw, n, m, k: dict(X=draw.normal(n, k), Y=draw.normal(m, k)),
    dict(X=floats([0, 0]), Y=floats([3, 4], [1, 0])),
    dict(X=floats([1], [2]), Y=floats([1], [5])),
)
def squared_distances(X, Y):
    return table((len(X), len(Y)), lambda i, j: sum((x - y) ** 2 for x, y in zip(X[i], Y[j])))


# -------------------------------------------------------------------------------------------------------- strides


@definition(
    "strides",
    lambda draw, n, m, k: dict(shape=draw.choice([(n, m, k), (n, m), (n,)]), itemsize=draw.choice([8, 4, 1])),
    dict(shape=(3, 4), itemsize=8),
    dict(shape=(5,), itemsize=4),
    dict(shape=(2, 1, 3, 5), itemsize=2),
)
def row_major_strides(shape, itemsize):
    return tuple(itemsize * math.prod(shape[axis + 1 :]) for axis in range(len(shape)))


@definition(
    "strides",
    lambda draw, n, m, k: dict(A=draw.normal(n, m)),
    dict(A=floats([1, 2], [3, 4])),
    dict(A=floats([1, 2, 3])),
)
def flat_copy(A):
    return table((A.size,), lambda i: A[divmod(i, A.shape[1])])


@definition(
    "strides",
    lambda draw, n, m, k: dict(A=draw.normal(n, m)),
    dict(A=floats([1, 2], [3, 4])),
    dict(A=floats([1, 2, 3], [4, 5, 6])),
)
def vec(A):
    return table((A.size,), lambda i: A[i % len(A), i // len(A)])


@definition(
    "strides",
    lambda draw, n, m, k: dict(images=draw.normal(n, draw.integer(1, 3), m, k)),
    dict(images=floats([[[1, 2], [3, 4]], [[5, 6], [7, 8]]])),
    dict(images=floats([[[1, 2, 3]], [[4, 5, 6]]])),
)
def channels_last(images):
    n, c, h, w = images.shape
    return table((n, h, w, c), lambda i, y, x, k: images[i, k, y, x])


@definition(
    "strides",
    lambda draw, n, m, k: dict(x=draw.normal(m), n=n),
    dict(x=floats(1, 2), n=2),
    dict(x=floats(1, 2, 3), n=1),
)
def repeat_rows(x, n):
    return table((n, len(x)), lambda i, j: x[j])


@definition(
    "strides",
    lambda draw, n, m, k: dict(x=draw.normal(n + m), width=draw.integer(1, m + 1)),
    dict(x=floats(1, 2, 3, 4), width=2),
    dict(x=floats(1, 2, 3), width=3),
    dict(x=floats(1, 2), width=1),
)
def sliding_windows(x, width):
    return table((len(x) - width + 1, width), lambda i, j: x[i + j])


@definition(
    "strides", lambda draw, n, m, k: dict(A=draw.normal(n, n)), dict(A=floats([1, 2], [3, 4])), dict(A=floats([5]))
)
def diagonal_view(A):
    return {
        "diagonal": table((len(A),), lambda i: A[i, i]),
        "A, with 0 written into the view": table(A.shape, lambda i, j: 0.0 if i == j else A[i, j]),
    }


def draw_blocks(draw, n, m, k):
    p, q = draw.integer(1, 3), draw.integer(1, 3)
    return dict(A=draw.normal(n * p, m * q), p=p, q=q)


@definition(
    "strides",
    draw_blocks,
    dict(A=floats([1, 2, 3, 4], [5, 6, 7, 8]), p=2, q=2),
    dict(A=np.arange(24.0).reshape(4, 6), p=2, q=3),
    dict(A=floats([1, 2], [3, 4]), p=1, q=2),
)
def blocks(A, p, q):
    return table((len(A) // p, A.shape[1] // q, p, q), lambda i, j, y, x: A[i * p + y, j * q + x])


# ----------------------------------------------------------------------------------------------------- reductions


@definition(
    "reductions",
    lambda draw, n, m, k: dict(images=draw.normal(n, m, k, draw.integer(1, 3))),
    dict(images=floats([[[1, 2], [3, 4]], [[5, 6], [7, 8]]])),
    dict(images=floats([[[1, 2, 3]]], [[[3, 4, 5]]])),
)
def channel_means(images):
    n, h, w, c = images.shape
    places = list(itertools.product(range(n), range(h), range(w)))
    return table((c,), lambda k: mean([images[i, y, x, k] for i, y, x in places]))


@definition(
    "reductions",
    lambda draw, n, m, k: dict(A=draw.integers(-2, 2, n, m).astype(float)),
    dict(A=floats([1, 5], [2, 3])),
    dict(A=floats([1, 2, 3], [4, 9, 5])),
    dict(A=floats([0, 7], [7, 0], [7, 7])),
)
def argmax_2d(A):
    largest = max(A[i, j] for i in range(len(A)) for j in range(A.shape[1]))
    return next((i, j) for i in range(len(A)) for j in range(A.shape[1]) if A[i, j] == largest)


@definition(
    "reductions",
    lambda draw, n, m, k: dict(X=draw.normal(n, m), w=draw.uniform(0.1, 2, n)),
    dict(X=floats([1, 2], [3, 6]), w=floats(1, 3)),
    dict(X=floats([1, 2, 3]), w=floats(5)),
    dict(X=floats([1, 2], [3, 4]), w=floats(0, 2)),
)
def weighted_mean(X, w):
    return table((X.shape[1],), lambda j: math.fsum(w[i] * X[i, j] for i in range(len(X))) / math.fsum(w))


def draw_masked(draw, n, m, k):
    A, mask = draw.normal(n, m), draw.integers(0, 1, n, m) == 1
    return dict(A=np.where(mask | draw.boolean(), A, np.nan), mask=mask)


@definition(
    "reductions",
    draw_masked,
    dict(A=floats([1, 2], [3, 5]), mask=np.array([[True, False], [True, True]])),
    dict(A=floats([1, math.nan, 3]), mask=np.array([[True, False, True]])),
    dict(A=floats([1, 2]), mask=np.array([[False, False]])),
)
def masked_mean(A, mask):
    return table((len(A),), lambda i: mean([x for x, taken in zip(A[i], mask[i]) if taken] or [0.0]))


@definition(
    "reductions",
    lambda draw, n, m, k: dict(x=draw.normal(n)),
    dict(x=floats(1, 2, 6)),
    dict(x=floats(5)),
)
def running_mean(x):
    return table((len(x),), lambda i: mean(x[: i + 1]))


def draw_ranges(draw, n, m, k):
    ends = draw.integers(0, n, k)
    return dict(x=draw.normal(n), starts=ends - np.minimum(draw.integers(0, n, k), ends), ends=ends)


@definition(
    "reductions",
    draw_ranges,
    dict(x=floats(1, 2, 4), starts=ints(0, 1), ends=ints(2, 3)),
    dict(x=floats(1, 2), starts=ints(0, 1, 2), ends=ints(0, 1, 2)),
)
def range_sums(x, starts, ends):
    return table((len(starts),), lambda i: math.fsum(x[starts[i] : ends[i]]))


@definition(
    "reductions",
    lambda draw, n, m, k: dict(A=draw.normal(n, m) * scales(draw)),
    dict(A=floats([0, 0], [1, 2])),
    dict(A=floats([1000, 1001])),
    dict(A=floats([-1000, -1000, -1001], [5, 0, 1])),
)
def log_sum_exp(A):
    return table((len(A),), lambda i: max(A[i]) + math.log(math.fsum(math.exp(x - max(A[i])) for x in A[i])))


@definition(
    "reductions",
    lambda draw, n, m, k: dict(A=draw.normal(n, m) * scales(draw)),
    dict(A=floats([0, 0], [1, 3])),
    dict(A=floats([1000, 1001])),
    dict(A=floats([1000, 1001], [0, 1])),
)
def softmax(A):
    exps = [[math.exp(x - max(row)) for x in row] for row in A]
    return table(A.shape, lambda i, j: exps[i][j] / math.fsum(exps[i]))


@definition(
    "reductions",
    lambda draw, n, m, k: dict(values=draw.normal(n), groups=draw.integers(0, k - 1, n), k=k),
    dict(values=floats(1, 2, 5), groups=ints(0, 1, 0), k=2),
    dict(values=floats(1, 2), groups=ints(1, 1), k=3),
)
def group_means(values, groups, k):
    return table((k,), lambda j: mean([x for x, group in zip(values, groups) if group == j] or [0.0]))


@definition(
    "reductions",
    lambda draw, n, m, k: dict(truth=draw.integers(0, k - 1, n), predicted=draw.integers(0, k - 1, n), k=k),
    dict(truth=ints(0, 1, 1), predicted=ints(0, 0, 1), k=2),
    dict(truth=ints(0, 0), predicted=ints(1, 1), k=3),
)
def confusion_matrix(truth, predicted, k):
    pairs = list(zip(truth.tolist(), predicted.tolist()))
    return table((k, k), lambda i, j: pairs.count((i, j)), int)


# ---------------------------------------------------------------------------------------------------- affine maps


def dot(a, b):
    return math.fsum(x * y for x, y in zip(a, b))


@definition(
    "affine",
    lambda draw, n, m, k: dict(W=draw.normal(m, n), b=draw.normal(m), x=draw.normal(n)),
    dict(W=floats([1, 2], [3, 4]), b=floats(10, 20), x=floats(1, 0)),
    dict(W=floats([1, 2, 3]), b=floats(1), x=floats(1, 1, 2)),
)
def affine(W, b, x):
    return table((len(W),), lambda i: dot(W[i], x) + b[i])


@definition(
    "affine",
    lambda draw, n, m, k: dict(W=draw.normal(m, n), b=draw.normal(m), X=draw.normal(k, n)),
    dict(W=floats([1, 2], [3, 4]), b=floats(10, 20), X=floats([1, 0], [0, 1])),
    dict(W=floats([1, 2, 3]), b=floats(1), X=floats([1, 1, 2], [0, 0, 1])),
)
def affine_batch(W, b, X):
    return table((len(X), len(W)), lambda i, j: dot(W[j], X[i]) + b[j])


@definition(
    "affine",
    lambda draw, n, m, k: dict(W=draw.normal(m, n), B=draw.normal(k, m), X=draw.normal(k, draw.choice([k, 1, 2]), n)),
    dict(W=floats([1, 2], [3, 4]), B=floats([10, 20], [30, 40]), X=floats([[1, 0], [0, 1]], [[1, 1], [0, 0]])),
    dict(W=floats([2]), B=floats([10], [20]), X=floats([[1], [2], [3]], [[4], [5], [6]])),
)
def affine_sequences(W, B, X):
    return table((*X.shape[:2], len(W)), lambda i, t, j: dot(W[j], X[i, t]) + B[i, j])


@definition(
    "affine",
    lambda draw, n, m, k: dict(W=draw.normal(k, m, n), B=draw.normal(k, m), X=draw.normal(k, n)),
    dict(W=floats([[1, 2], [3, 4]], [[5, 6], [7, 8]]), B=floats([10, 20], [30, 40]), X=floats([1, 0], [0, 1])),
    dict(W=floats([[1, 2, 3]]), B=floats([1]), X=floats([1, 1, 2])),
)
def affine_each(W, B, X):
    return table(B.shape, lambda i, j: dot(W[i, j], X[i]) + B[i, j])


@definition(
    "affine",
    lambda draw, n, m, k: dict(A=draw.normal(n, m), X=draw.normal(k, n), Y=draw.normal(k, m)),
    dict(A=floats([1, 2], [3, 4]), X=floats([1, 0], [0, 1]), Y=floats([0, 1], [1, 1])),
    dict(A=floats([1, 2, 3]), X=floats([2]), Y=floats([1, 0, 1])),
)
def bilinear(A, X, Y):
    return table((len(X),), lambda i: dot(X[i], [dot(row, Y[i]) for row in A]))


@definition(
    "affine",
    lambda draw, n, m, k: dict(W=draw.normal(m, n), b=draw.normal(m)),
    dict(W=floats([1, 2], [3, 4]), b=floats(5, 6)),
    dict(W=floats([1, 2, 3]), b=floats(4)),
)
def homogeneous(W, b):
    m, n = W.shape
    return table((m + 1, n + 1), lambda i, j: (W[i, j] if j < n else b[i]) if i < m else float(j == n))


@definition(
    "affine",
    lambda draw, n, m, k: dict(W2=draw.normal(m, k), b2=draw.normal(m), W1=draw.normal(k, n), b1=draw.normal(k)),
    dict(W2=floats([1, 2], [3, 4]), b2=floats(1, 2), W1=floats([0, 1], [1, 0]), b1=floats(10, 20)),
    dict(W2=floats([2]), b2=floats(1), W1=floats([3, 4]), b1=floats(5)),
)
def composed(W2, b2, W1, b1):
    W = table((len(W2), W1.shape[1]), lambda i, j: dot(W2[i], W1[:, j]))
    return W, table((len(W2),), lambda i: dot(W2[i], b1) + b2[i])


def draw_attention(draw, n, m, k):
    d = draw.choice([m, n])
    return dict(Q=draw.normal(k, n, d), K=draw.normal(k, m, d))


@definition(
    "affine",
    draw_attention,
    dict(Q=floats([[1, 0], [0, 1]]), K=floats([[1, 2], [3, 4]])),
    dict(Q=floats([[2, 0, 1, 0]]), K=floats([[1, 1, 1, 1], [4, 0, 2, 0]])),
)
def attention_scores(Q, K):
    shape = (len(Q), Q.shape[1], K.shape[1])
    return table(shape, lambda i, j, k: dot(Q[i, j], K[i, k]) / math.sqrt(Q.shape[2]))


# ---------------------------------------------------------------------------------------------- the six checkpoints


def draw_sides(draw):
    """n, m, k from 1 to 5; equal at times, for that is where a transpose hides."""
    n = draw.integer(1, 5)
    return (n, n, n) if draw.boolean(0.2) else (n, draw.integer(1, 5), draw.integer(1, 5))


def of_family(family, check):
    """Gives a checkpoint the cases, the truth and the rendering of a family of drills."""
    drills = FAMILY[family]

    @check.cases
    def _(draw):
        drill = draw.choice(drills)
        return dict(drill=drill, **DRAWN[drill](draw, *draw_sides(draw)))

    @check.edges
    def _():
        return [dict(drill=drill, **case) for drill in drills for case in EDGES[drill]]

    @check.oracle
    def _(drill, **arguments):
        return truth(drill, **arguments)

    @check.shown
    def _(drill, **arguments):
        return f"{drill}({', '.join(f'{name}={written(value)}' for name, value in arguments.items())})"


def truth(drill, **arguments):
    """What the probe of the drill's family ought to return."""
    meaning = MEANING[drill](**arguments)
    if drill in VIEWS or drill == "flat_copy":
        return {"result": meaning, "memory": "that of the argument" if drill in VIEWS else "new"}
    return meaning


def written(value):
    """An argument as one would type it."""
    if isinstance(value, np.ndarray):
        return written(value.tolist())
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    return f"{value:.4g}" if isinstance(value, float) else repr(value)


@checkpoint("Creation: seven arrays from numbers", atol=1e-10, count=35)
def creation(lib, drill, **arguments):
    return getattr(lib.drills.arrays, drill)(**arguments)


@checkpoint("Indexing and slicing: nine choices of entries", atol=1e-10, count=45)
def indexing(lib, drill, **arguments):
    return getattr(lib.drills.arrays, drill)(**arguments)


@checkpoint("Broadcasting: eight meetings of different shapes", atol=1e-10, count=40)
def broadcasting(lib, drill, **arguments):
    return getattr(lib.drills.arrays, drill)(**arguments)


@checkpoint("Strides: eight ways to walk through memory, views as promised", atol=1e-10, count=40)
def strides(lib, drill, **arguments):
    do = getattr(lib.drills.arrays, drill)
    if drill == "diagonal_view":
        A = arguments["A"].copy()
        diagonal = do(A)
        values = np.array(diagonal)
        diagonal[...] = 0.0
        return {"diagonal": values, "A, with 0 written into the view": A}
    result = do(**arguments)
    if drill == "flat_copy" or drill in VIEWS:
        first = next(value for value in arguments.values() if isinstance(value, np.ndarray))
        shared = isinstance(result, np.ndarray) and np.may_share_memory(result, first)
        return {"result": result, "memory": "that of the argument" if shared else "new"}
    return result


@checkpoint("Reductions: ten sums, means and their kin", atol=1e-10, count=50)
def reductions(lib, drill, **arguments):
    return getattr(lib.drills.arrays, drill)(**arguments)


@checkpoint("Affine maps: W x + b in eight shapes", atol=1e-10, count=40)
def affine_maps(lib, drill, **arguments):
    return getattr(lib.drills.arrays, drill)(**arguments)


of_family("creation", creation)
of_family("indexing", indexing)
of_family("broadcasting", broadcasting)
of_family("strides", strides)
of_family("reductions", reductions)
of_family("affine", affine_maps)


# ---------------------------------------------------------------------------------------------------- without loops


class Watched(np.ndarray):
    """An array that is iterated over in Python, so that `sum(x)`, `map(f, x)` and `sorted(x)` show in the count too."""

    def __iter__(self):
        for i in range(len(self)):
            yield self[i]


def steps(do, arguments):
    """How many Python lines, calls and returns one call runs, NumPy's own among them: those are as many at any size."""
    watched = {k: np.array(v).view(Watched) if isinstance(v, np.ndarray) else v for k, v in arguments.items()}
    count = 0

    def trace(frame, event, _):
        nonlocal count
        count += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        do(**watched)
    finally:
        sys.settrace(before)
    return count


@checkpoint("No Python loop: no drill takes more steps on larger arrays", count=0)
def no_loop(lib, drill, small, large):
    do = getattr(lib.drills.arrays, drill)
    do(**copy.deepcopy(small))  # what NumPy imports at first use is not counted
    return {drill: [steps(do, small), steps(do, large)]}


@no_loop.edges
def _():
    return [
        dict(drill=drill, small=draw(SeededDraw(1), *SMALL), large=draw(SeededDraw(1), *LARGE))
        for drill, draw in DRAWN.items()
    ]


@no_loop.accepts
def _(got, drill, small, large):
    few, many = got[drill]
    if many <= few + SLACK:
        return True
    return f"{drill} takes {few} steps of Python on the small arrays and {many} on the large: something in it loops."


@no_loop.shown
def _(drill, small, large):
    return f"{drill}({outlined(small)})\n{drill}({outlined(large)})"


def outlined(arguments):
    shapes = {name: value.shape if isinstance(value, np.ndarray) else value for name, value in arguments.items()}
    return ", ".join(f"{name}: {shape}" for name, shape in shapes.items())
