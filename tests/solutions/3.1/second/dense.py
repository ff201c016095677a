"""Another way: rows and sums written out, masks for branches, erf from the standard library, Jacobians row by row."""

import math

import numpy as np


def affine_forward(x, W, b):
    return np.einsum("...d,dm->...m", x, W) + b, {"x": x, "W": W}


def affine_backward(dy, cache, with_dx=True):
    x, W = cache["x"], cache["W"]
    dW, db = np.zeros_like(W), np.zeros(W.shape[1], W.dtype)
    for place in np.ndindex(x.shape[:-1]):
        dW += np.outer(x[place], dy[place])
        db += dy[place]
    dx = np.einsum("...m,dm->...d", dy, W) if with_dx else None
    return dx, dW, db


def relu_forward(x):
    y = x.copy()
    y[x < 0] = 0
    return y, x


def relu_backward(dy, x):
    dx = dy.copy()
    dx[x <= 0] = 0
    return dx


def tanh_forward(x):
    return np.tanh(x), x


def tanh_backward(dy, x):
    return dy * (1 - np.tanh(x) ** 2)


def sigmoid_forward(x):
    y = np.empty_like(x)
    below = x < 0
    e = np.exp(x[below])
    y[below] = e / (1 + e)
    y[~below] = 1 / (1 + np.exp(-x[~below]))
    return y, x


def sigmoid_backward(dy, x):
    return dy * sigmoid_forward(x)[0] * sigmoid_forward(-x)[0]


def gelu_forward(x, approximate="none"):
    if approximate == "none":
        y = np.array([v / 2 * (1 + math.erf(v / math.sqrt(2))) for v in x.ravel().tolist()], x.dtype).reshape(x.shape)
    elif approximate == "tanh":
        y = x * sigmoid_forward(2 * _inner(x))[0]
    else:
        raise ValueError(approximate)
    return y, [x, approximate]


def gelu_backward(dy, cache):
    x, approximate = cache
    if approximate == "tanh":
        s = sigmoid_forward(2 * _inner(x))[0]
        slope = math.sqrt(8 / math.pi) * (1 + 0.134145 * x**2)
        return dy * (s + x * s * (1 - s) * slope)
    out = np.empty_like(x)
    for i in np.ndindex(x.shape):
        v = float(x[i])
        out[i] = dy[i] * (math.erfc(-v / math.sqrt(2)) / 2 + v * math.exp(-v * v / 2) / math.sqrt(math.tau))
    return out


def _inner(x):
    return math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)


def erf(x):
    return np.array([math.erf(v) for v in x.ravel().tolist()], x.dtype).reshape(x.shape)


def log_sum_exp(z, axis=-1):
    return np.logaddexp.reduce(z, axis=axis)


def log_softmax(z, axis=-1):
    return z - np.expand_dims(np.logaddexp.reduce(z, axis=axis), axis)


def softmax(z, axis=-1):
    return np.exp(log_softmax(z, axis))


def softmax_forward(z, axis=-1):
    p = softmax(z, axis)
    return p, {"p": p, "axis": axis}


def softmax_backward(dp, cache):
    p, dp = (np.moveaxis(a, cache["axis"], -1) for a in (cache["p"], dp))
    dz = np.empty_like(p)
    for row in np.ndindex(p.shape[:-1]):
        dz[row] = (np.diag(p[row]) - np.outer(p[row], p[row])) @ dp[row]
    return np.moveaxis(dz, -1, cache["axis"])


def softmax_cross_entropy_forward(scores, labels):
    n, k = scores.shape
    if labels.shape != (n,) or not np.issubdtype(labels.dtype, np.integer) or not np.isin(labels, np.arange(k)).all():
        raise ValueError("labels")
    onehot = np.eye(k, dtype=scores.dtype)[labels]
    return -(onehot * log_softmax(scores)).sum() / n, (scores, onehot)


def softmax_cross_entropy_backward(dloss, cache):
    scores, onehot = cache
    return ((softmax(scores) - onehot) * (float(dloss) / len(scores))).astype(scores.dtype)
