"""The fifty drills on PyTorch: arrays in and out, tensors between, which share the arrays' memory."""

import functools
import math

import numpy as np
import torch


def on_torch(drill):
    """Turns NumPy arguments into tensors that share their memory, and tensors in the result back."""

    def into(value):
        return torch.from_numpy(np.asarray(value)) if isinstance(value, np.ndarray) else value

    def back(value):
        if isinstance(value, tuple):
            return tuple(back(part) for part in value)
        return value.numpy() if isinstance(value, torch.Tensor) else value

    @functools.wraps(drill)
    def call(*arguments, **named):
        return back(drill(*map(into, arguments), **{name: into(value) for name, value in named.items()}))

    return call


@on_torch
def constant(shape, value):
    return torch.full(shape, value, dtype=torch.float64)


@on_torch
def midpoints(low, high, n):
    return low + (torch.arange(n, dtype=torch.float64) + 0.5) * ((high - low) / n)


@on_torch
def checkerboard(n, m):
    return (torch.arange(n)[:, None] + torch.arange(m)) % 2


@on_torch
def causal_mask(n):
    return torch.ones(n, n, dtype=torch.bool).tril()


@on_torch
def tridiagonal(n, below, on, above):
    ones = torch.ones(n, n, dtype=torch.float64)
    return below * ones.tril(-1).triu(-1) + on * torch.diag(ones[0]) + above * ones.triu(1).tril(1)


@on_torch
def vandermonde(x, degree):
    return x[:, None] ** torch.arange(degree + 1)


@on_torch
def coordinate_grid(n, m):
    return torch.stack(torch.meshgrid(torch.arange(n), torch.arange(m), indexing="ij"), dim=-1)


@on_torch
def interior(A):
    return A[1:-1, 1:-1]


@on_torch
def last_columns(A, count):
    return A.narrow(1, A.shape[1] - count, count)


@on_torch
def interleave(a, b):
    return torch.stack([a, b], dim=1).flatten()


@on_torch
def rows_above(A, column, threshold):
    return A[A[:, column] > threshold]


@on_torch
def label_scores(scores, labels):
    return scores.gather(1, labels[:, None]).squeeze(1)


@on_torch
def submatrix(A, rows, columns):
    return A.index_select(0, rows).index_select(1, columns)


@on_torch
def masked_fill(A, mask, value):
    return A.masked_fill(mask, value)


@on_torch
def set_diagonal(A, d):
    return A.diagonal_scatter(d)


@on_torch
def inverse_permutation(p):
    return torch.empty_like(p).scatter_(0, p, torch.arange(len(p)))


@on_torch
def outer_sum(a, b):
    return a.unsqueeze(1) + b


@on_torch
def centred(A):
    return A - A.mean(dim=0)


@on_torch
def scale_each(images, factors):
    return images * factors.view(-1, 1, 1)


@on_torch
def one_hot(labels, k):
    return torch.nn.functional.one_hot(labels, k).double()


@on_torch
def length_mask(lengths, width):
    return torch.arange(width) < lengths.unsqueeze(1)


@on_torch
def unit_rows(A):
    return torch.nn.functional.normalize(A, dim=1, eps=1e-300)


@on_torch
def standardised(A, eps):
    variance, mean = torch.var_mean(A, dim=0, correction=0)
    return (A - mean) * (variance + eps).rsqrt()


@on_torch
def squared_distances(X, Y):
    return (X.unsqueeze(1) - Y.unsqueeze(0)).square().sum(-1)


@on_torch
def row_major_strides(shape, itemsize):
    return tuple(itemsize * stride for stride in torch.empty(shape).stride())


@on_torch
def flat_copy(A):
    return A.clone().view(-1)


@on_torch
def vec(A):
    return A.mT.reshape(-1)


@on_torch
def channels_last(images):
    return images.permute(0, 2, 3, 1)


@on_torch
def repeat_rows(x, n):
    return x.expand(n, -1)


@on_torch
def sliding_windows(x, width):
    return x.unfold(0, width, 1)


@on_torch
def diagonal_view(A):
    return A.diagonal()


@on_torch
def blocks(A, p, q):
    return A.unfold(0, p, p).unfold(1, q, q)


@on_torch
def channel_means(images):
    return images.mean(dim=(0, 1, 2))


@on_torch
def argmax_2d(A):
    return tuple(int(place) for place in torch.unravel_index(A.argmax(), A.shape))


@on_torch
def weighted_mean(X, w):
    return (w / w.sum()) @ X


@on_torch
def masked_mean(A, mask):
    return A.masked_fill(~mask, 0.0).sum(dim=1) / mask.sum(dim=1).clamp(min=1)


@on_torch
def running_mean(x):
    return x.cumsum(0) / torch.arange(1, len(x) + 1)


@on_torch
def range_sums(x, starts, ends):
    before = torch.nn.functional.pad(x.cumsum(0), (1, 0))
    return before[ends] - before[starts]


@on_torch
def log_sum_exp(A):
    return A.logsumexp(dim=1)


@on_torch
def softmax(A):
    return A.softmax(dim=1)


@on_torch
def group_means(values, groups, k):
    return torch.zeros(k, dtype=torch.float64).index_reduce(0, groups, values, "mean", include_self=False)


@on_torch
def confusion_matrix(truth, predicted, k):
    return torch.zeros(k, k, dtype=torch.int64).index_put((truth, predicted), torch.tensor(1), accumulate=True)


@on_torch
def affine(W, b, x):
    return torch.addmv(b, W, x)


@on_torch
def affine_batch(W, b, X):
    return torch.nn.functional.linear(X, W, b)


@on_torch
def affine_sequences(W, B, X):
    return torch.nn.functional.linear(X, W) + B.unsqueeze(1)


@on_torch
def affine_each(W, B, X):
    return torch.baddbmm(B.unsqueeze(2), W, X.unsqueeze(2)).squeeze(2)


@on_torch
def bilinear(A, X, Y):
    return torch.nn.functional.bilinear(X, Y, A.unsqueeze(0)).squeeze(1)


@on_torch
def homogeneous(W, b):
    return torch.cat([torch.cat([W, b.unsqueeze(1)], dim=1), torch.eye(W.shape[1] + 1, dtype=W.dtype)[-1:]])


@on_torch
def composed(W2, b2, W1, b1):
    return W2 @ W1, torch.addmv(b2, W2, b1)


@on_torch
def attention_scores(Q, K):
    return torch.bmm(Q, K.mT) / math.sqrt(Q.shape[-1])
