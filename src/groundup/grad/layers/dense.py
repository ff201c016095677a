"""Dense layers by hand: the affine map, four nonlinearities, and softmax with cross-entropy.

Each is a pair of plain functions over arrays. `y, cache = name_forward(x, ...)` computes, and keeps in a tuple what its
derivative will need; `name_backward(dy, cache)` takes dy = dL/dy, of y's shape, and returns dL/d(each array that the forward
took), each of that array's shape. L is the one number that is differentiated in the end. Backward writes into neither dy nor
the cache, forward into nothing it was given, and float32 stays float32.

Rumelhart, Hinton and Williams, Learning Representations by Back-propagating Errors (1986). GELU: Hendrycks and Gimpel,
Gaussian Error Linear Units (2016). erf: Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.6 and 7.1.14.
"""

import math

import numpy as np


def affine_forward(x, W, b):
    """y = xW + b: x (..., d), W (d, m), b (m,) -> y (..., m), cache.

    Whatever stands in front of the last axis of x is a batch: (d,), (n, d), (n, t, d). ValueError where d differs.
    """
    *batch, d = x.shape
    y = x.reshape(math.prod(batch), d) @ W  # one tall matrix: faster than a stack of small products
    y += b
    return y.reshape(*batch, W.shape[1]), (x, W)


def affine_backward(dy, cache, with_dx=True):
    """dy (..., m) -> dx (..., d), dW (d, m), db (m,).

    with_dx: whether dx is wanted. The first layer of a network has nobody to hand it to, and saves a product: dx is None.
    """
    x, W = cache
    rows = math.prod(x.shape[:-1])
    X, dY = x.reshape(rows, W.shape[0]), dy.reshape(rows, W.shape[1])
    dx = (dY @ W.T).reshape(x.shape) if with_dx else None  # (rows, m) @ (m, d)
    return dx, X.T @ dY, dY.sum(axis=0)  # (d, rows) @ (rows, m): the product adds up over the rows, and so does db


# ---- Nonlinearities, elementwise on arrays of any shape


def relu_forward(x):
    """x where it is positive, else 0 -> y, cache."""
    return np.maximum(x, 0), (x > 0,)  # of x one bit is needed


def relu_backward(dy, cache):
    """dy -> dx. The slope at 0 is taken as 0, as in PyTorch."""
    (positive,) = cache
    return dy * positive


def tanh_forward(x):
    """The hyperbolic tangent -> y, cache."""
    y = np.tanh(x)
    return y, (y,)


def tanh_backward(dy, cache):
    """dy -> dx. The slope is 1 - y^2, in terms of the output."""
    (y,) = cache
    return dy * (1 - y * y)


def sigmoid_forward(x):
    """1 / (1 + e^-x) -> y, cache. Nothing overflows at any x, and the small values are exact too: e^-700 at -700."""
    t = np.exp(-np.abs(x))  # in (0, 1]
    y = np.where(x >= 0, 1, t) / (1 + t)  # below 0: e^x / (1 + e^x)
    return y, (y,)


def sigmoid_backward(dy, cache):
    """dy -> dx. The slope is y (1 - y), in terms of the output."""
    (y,) = cache
    return dy * (y * (1 - y))


def gelu_forward(x, approximate="none"):
    """x times the probability that a standard normal number is below x -> y, cache.

    approximate: "none" for that probability itself, (1 + erf(x / sqrt 2)) / 2; "tanh" for
    (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2 in its place, which changes y by at most 5e-4. ValueError for others.
    """
    if approximate not in ("none", "tanh"):
        raise ValueError(f'approximate is "none" or "tanh", not {approximate!r}')
    if approximate == "tanh":
        below = 0.5 * (1 + np.tanh(_CURVE * (x + 0.044715 * x * x * x)))
    else:
        below = 0.5 * (1 + erf(x * math.sqrt(0.5)))
    return x * below, (x, below, approximate)


def gelu_backward(dy, cache):
    """dy -> dx, by the slope of what the forward computed: the exact function or the approximation.

    With P for the probability, the slope is P + x P'. Exactly, P' is the normal density exp(-x^2 / 2) / sqrt(2 pi).
    """
    x, below, approximate = cache
    if approximate == "tanh":  # P = (1 + tanh u) / 2, so P' = (1 - tanh(u)^2) u' / 2 = 2 P (1 - P) u'
        density = 2 * below * (1 - below) * (_CURVE * (1 + 3 * 0.044715 * x * x))
    else:
        density = np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)
    return dy * (below + x * density)


def erf(x):
    """The error function, 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x, elementwise.

    An array of floats, of any shape -> the same shape and dtype. In float64 no farther than 1e-15 from the truth, also
    relative to it near 0. erf(inf) = 1, erf(-inf) = -1; NaN stays NaN.

    Up to |x| = 2.5 by the series 2 / sqrt(pi) x exp(-x^2) (1 + 2x^2 / 3 + (2x^2)^2 / (3 * 5) + ...), whose terms are all
    positive, so that none cancel; beyond by 1 - exp(-x^2) / sqrt(pi) / (x + (1/2) / (x + (2/2) / (x + (3/2) / (x + ...)))).
    """
    x = np.asarray(x)
    size = np.minimum(np.abs(x), 6).ravel()  # erf(6) is 1 - 2e-17, which is 1
    y = np.empty_like(size)
    for start in range(0, size.size, 16_384):  # in pieces that stay in the cache: 2.7 times as fast for 131,072 numbers
        part, result = size[start : start + 16_384], y[start : start + 16_384]
        near = part < 2.5
        result[near] = _erf_by_series(part[near])
        result[~near] = _erf_by_fraction(part[~near])
    return np.copysign(y.reshape(x.shape), x)


# ---- Softmax, and cross-entropy on top of it


def log_sum_exp(z, axis=-1):
    """log(sum of e^z) along an axis, which goes: z of any shape, axis an int. In nats.

    The largest z is taken out first, log sum e^z = max + log sum e^(z - max), so that no e^z overflows and the sum is at
    least 1. -inf counts as e^-inf = 0; where there is nothing else the result is -inf.
    """
    top = z.max(axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0)
    with np.errstate(divide="ignore"):  # log 0
        return np.log(np.exp(z - top).sum(axis=axis)) + top.squeeze(axis)


def log_softmax(z, axis=-1):
    """z - log_sum_exp(z): the logarithms of softmax(z), finite also where those would underflow to 0. z's shape."""
    shifted = z - z.max(axis=axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


def softmax(z, axis=-1):
    """e^z / sum of e^z along an axis: positive numbers that sum to 1 there. z's shape; nothing overflows."""
    return softmax_forward(z, axis)[0]


def softmax_forward(z, axis=-1):
    """softmax(z) as a layer -> p, cache."""
    p = np.exp(z - z.max(axis=axis, keepdims=True))
    p /= p.sum(axis=axis, keepdims=True)
    return p, (p, axis)


def softmax_backward(dp, cache):
    """dp -> dz. Every z moves every p of its row: dp_i/dz_j is p_i (1 - p_i) for i = j, and -p_i p_j otherwise.

    That matrix need not be formed: its product with dp is p (dp - sum of p dp).
    """
    p, axis = cache
    return p * (dp - (p * dp).sum(axis=axis, keepdims=True))


def softmax_cross_entropy_forward(scores, labels):
    """The mean over rows of -log softmax(scores)[label], in nats -> loss (a number), cache.

    scores (n, k), one row for each sample; labels (n,), integers from 0 to k - 1. Finite at any finite scores.
    ValueError where labels are not n of them: a label of -1 would count from the end, and (n, 1) would broadcast.
    """
    n, k = scores.shape
    if labels.shape != (n,) or labels.dtype.kind not in "iu":
        raise ValueError(f"labels are {n} integers, not {labels.dtype} of shape {labels.shape}")
    if n and not 0 <= labels.min() <= labels.max() < k:
        raise ValueError(f"labels are from 0 to {k - 1}, not from {labels.min()} to {labels.max()}")
    shifted = scores - scores.max(axis=1, keepdims=True)  # of each row, not of the whole: its sum is then at least 1
    p = np.exp(shifted)
    total = p.sum(axis=1)
    loss = np.mean(np.log(total) - shifted[np.arange(n), labels])
    p /= total[:, None]
    return loss, (p, labels)


def softmax_cross_entropy_backward(dloss, cache):
    """dloss, a number (1.0 where the loss itself is differentiated) -> dscores (n, k).

    (softmax(scores) - onehot(labels)) / n, times dloss.
    """
    p, labels = cache
    n = len(labels)
    dscores = p.copy()  # the cache stays as it is: backward may be called again
    dscores[np.arange(n), labels] -= 1
    dscores *= dloss / n
    return dscores


_CURVE = math.sqrt(2 / math.pi)
_SERIES = [  # 2 / sqrt(pi) 2^i / (1 * 3 * 5 * ... * (2i + 1)): forty of them reach 1e-16 at x = 2.5
    2 / math.sqrt(math.pi) * 2**i / math.prod(range(1, 2 * i + 2, 2)) for i in range(40)
]


def _erf_by_series(x):
    """(n,) from 0 to 2.5 -> (n,), by Horner's rule in x^2, in place."""
    square = x * x
    y = np.full_like(x, _SERIES[-1])
    for coefficient in reversed(_SERIES[:-1]):
        y *= square
        y += coefficient
    return y * x * np.exp(-square)


def _erf_by_fraction(x):
    """(n,) from 2.5 up -> (n,), from the 30th level of the fraction outwards."""
    y = x.copy()
    for i in range(30, 0, -1):
        y = x + (0.5 * i) / y
    return 1 - np.exp(-x * x) / (math.sqrt(math.pi) * y)
