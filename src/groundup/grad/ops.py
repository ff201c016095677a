"""The engine completed: the elementwise functions and the reductions that tensor.py leaves out.

Each is the result in NumPy and, beside it, the rule: given g = dL/d(result), dL/d(operand). Of tensor.py they need only
Tensor and `operation`, so they run on an engine of your own. Where a function has a kink or a tie, its docstring says
what the slope is taken as. No exp overflows on the way to a finite result, and float32 stays float32.

An argument called x is a Tensor, and v is its array; a and b are Tensors, arrays or numbers, which broadcast.
axis: None for all, an int or a tuple of ints, counted from the end where negative.
"""

import math

import numpy as np

from .layers import dense
from .tensor import Tensor, operation


def as_tensors(*xs):
    """Each x as a Tensor. Numbers, and arrays not of floats, take the dtype of the first Tensor there is."""
    dtype = next((x.dtype for x in xs if isinstance(x, Tensor)), np.float64)

    def one(x):
        if isinstance(x, Tensor):
            return x
        x = np.asarray(x)
        return Tensor(x if x.ndim and x.dtype.kind == "f" else x.astype(dtype))

    return [one(x) for x in xs]


# ---- Elementwise, of one


def absolute(x):
    """|x|; the slope at 0 is taken as 0."""
    v = x.data
    return operation(np.abs(v), (x, lambda g: g * np.sign(v)))


def sqrt(x):
    """The square root; NaN below 0, and the slope at 0 is infinite."""
    y = np.sqrt(x.data)
    return operation(y, (x, lambda g: g / (2 * y)))


def sin(x):
    """The sine of x in radians."""
    v = x.data
    return operation(np.sin(v), (x, lambda g: g * np.cos(v)))


def cos(x):
    """The cosine of x in radians."""
    v = x.data
    return operation(np.cos(v), (x, lambda g: -g * np.sin(v)))


def tan(x):
    """The tangent of x in radians."""
    y = np.tan(x.data)
    return operation(y, (x, lambda g: g * (1 + y * y)))


def arctan(x):
    """The angle between -pi/2 and pi/2 whose tangent is x."""
    v = x.data
    return operation(np.arctan(v), (x, lambda g: g / (1 + v * v)))


def expm1(x):
    """exp(x) - 1, to full precision where x is small."""
    y = np.expm1(x.data)
    return operation(y, (x, lambda g: g * (y + 1)))


def log1p(x):
    """log(1 + x), to full precision where x is small."""
    v = x.data
    return operation(np.log1p(v), (x, lambda g: g / (1 + v)))


def erf(x):
    """The error function: the probability that a standard normal number lies between -x sqrt 2 and x sqrt 2."""
    v = x.data
    return operation(dense.erf(v), (x, lambda g: g * np.exp(-v * v) * (2 / math.sqrt(math.pi))))


def sigmoid(x):
    """1 / (1 + exp(-x))"""
    y = _sigmoid(x.data)
    return operation(y, (x, lambda g: g * y * (1 - y)))


def softplus(x):
    """log(1 + exp(x)): a relu without a kink. The logarithm of the sigmoid is -softplus(-x)."""
    v = x.data
    return operation(np.logaddexp(v, 0), (x, lambda g: g * _sigmoid(v)))


def silu(x):
    """x sigmoid(x). Ramachandran, Zoph and Le, Searching for Activation Functions (2017), who call it Swish."""
    v, s = x.data, _sigmoid(x.data)
    return operation(v * s, (x, lambda g: g * s * (1 + v * (1 - s))))


def gelu(x, approximate="none"):
    """x times the probability that a normal number is below it; "tanh" for an approximation. See layers/dense.py."""
    y, cache = dense.gelu_forward(x.data, approximate)
    return operation(y, (x, lambda g: dense.gelu_backward(g, cache)))


def elu(x, alpha=1.0):
    """x where it is positive, else alpha (exp(x) - 1). Clevert, Unterthiner and Hochreiter, ELUs (2016), equation 15.

    The slope at 0 is that of the negative side, alpha.
    """
    v = x.data
    below = alpha * np.expm1(np.minimum(v, 0))
    return operation(np.where(v > 0, v, below), (x, lambda g: g * np.where(v > 0, 1, below + alpha)))


def leaky_relu(x, slope=0.01):
    """x where it is positive, else slope * x; the slope at 0 is that of the negative side."""
    slopes = np.where(x.data > 0, 1, x.dtype.type(slope))
    return operation(x.data * slopes, (x, lambda g: g * slopes))


def clip(x, low=-np.inf, high=np.inf):
    """x, but low where it is below, and high where it is above; high wins where low is above high.

    low, high: numbers or arrays; no gradient goes to them. The slope is 1 from low to high, both included, else 0.
    """
    v, low, high = x.data, np.asarray(low, x.dtype), np.asarray(high, x.dtype)
    y = np.minimum(np.maximum(v, low), high)
    return operation(y, (x, lambda g: np.where((v >= low) & (v <= high), g, 0)))


# ---- Elementwise, of two


def maximum(a, b):
    """The larger of both; where they are equal, each gets half of the gradient."""
    a, b = as_tensors(a, b)
    u, v = a.data, b.data
    return operation(
        np.maximum(u, v),
        (a, lambda g: np.where(u == v, g / 2, g * (u > v))),
        (b, lambda g: np.where(u == v, g / 2, g * (v > u))),
    )


def minimum(a, b):
    """The smaller of both; where they are equal, each gets half of the gradient."""
    a, b = as_tensors(a, b)
    u, v = a.data, b.data
    return operation(
        np.minimum(u, v),
        (a, lambda g: np.where(u == v, g / 2, g * (u < v))),
        (b, lambda g: np.where(u == v, g / 2, g * (v < u))),
    )


def where(condition, a, b):
    """a where the condition holds, else b. condition: an array of booleans, which gets no gradient.

    What was not chosen gets the gradient 0, and its own rule still runs: in where(x > 0, log(x), 0) it computes 0 / 0
    at x = 0, which is NaN. Make the operand harmless first: with z = where(x > 0, x, 1), where(x > 0, log(z), 0).
    """
    a, b = as_tensors(a, b)
    return operation(
        np.where(condition, a.data, b.data),
        (a, lambda g: np.where(condition, g, 0)),
        (b, lambda g: np.where(condition, 0, g)),
    )


def power(a, b):
    """a ** b, where either may be a Tensor. For a below 0 it is NaN unless b is whole, and the slope along b is NaN.

    The slope along a is 0 where b is 0, that along b is 0 where a is 0 (and b is not negative).
    """
    a, b = as_tensors(a, b)
    u, v = a.data, b.data
    y = u**v
    return operation(
        y,
        (a, lambda g: g * v * u ** np.where(v == 0, 1, v - 1)),
        (b, lambda g: g * y * np.log(np.where(u == 0, 1, u))),
    )


def logaddexp(a, b):
    """log(exp(a) + exp(b)): the sum of two numbers that are known by their logarithms."""
    a, b = as_tensors(a, b)
    u, v = a.data, b.data
    y = np.logaddexp(u, v)
    return operation(y, (a, lambda g: g * np.exp(u - y)), (b, lambda g: g * np.exp(v - y)))


# ---- Reductions: the axes go, or stay with length 1 if keepdims. A rule reshapes g to the form that kept them


def amin(x, axis=None, keepdims=False):
    """The smallest over some axes; several that are the smallest share the gradient equally, as in Tensor.max."""
    return -(-x).max(axis, keepdims)


def prod(x, axis=None, keepdims=False):
    """The product over some axes.

    Its slope along an element is the product of all the others: of those in front, times those behind. y / x would be
    wrong where x or y is 0.
    """
    kept = x.data.prod(axis=axis, keepdims=True).shape
    over = range(x.ndim) if axis is None else np.arange(x.ndim)[np.atleast_1d(np.array(axis, int))]
    rest = [i for i in range(x.ndim) if i not in over]
    rows = x.transpose((*rest, *over)).reshape((*(x.shape[i] for i in rest), math.prod(x.shape[i] for i in over)))
    v = rows.data  # (..., n)

    def rule(g):
        in_front, behind = _products_in_front(v), _products_in_front(v[..., ::-1])[..., ::-1]
        return g[..., None] * in_front * behind

    y = operation(v.prod(axis=-1), (rows, rule))
    return y.reshape(kept) if keepdims else y


def norm(x, axis=None, keepdims=False):
    """The Euclidean length, sqrt(sum(x^2)), over some axes; the slope at 0 is taken as 0."""
    v = x.data
    y = np.sqrt((v * v).sum(axis=axis, keepdims=True))

    def rule(g):
        return g.reshape(y.shape) * v / np.where(y == 0, 1, y)

    return operation(y if keepdims else y.squeeze(axis), (x, rule))


def var(x, axis=None, correction=0, keepdims=False):
    """The variance over some axes: the sum of squared distances from the mean, divided by n - correction."""
    total = ((x - x.mean(axis, keepdims=True)) ** 2).sum(axis, keepdims)
    return total / max(x.size // max(total.size, 1) - correction, 0)


def std(x, axis=None, correction=0, keepdims=False):
    """The square root of var; where that is 0, the slope is taken as 0."""
    length = norm(x - x.mean(axis, keepdims=True), axis, keepdims)
    return length / math.sqrt(max(x.size // max(length.size, 1) - correction, 0))


def logsumexp(x, axis=-1, keepdims=False):
    """log(sum(exp(x))) over some axes; where all elements are -inf it is -inf, and the slope is taken as 0."""
    top = x.data.max(axis=axis, keepdims=True, initial=-np.inf)
    top = np.where(np.isfinite(top), top, 0)  # any would do; with this one nothing overflows, and one term is 1
    e = np.exp(x.data - top)
    total = e.sum(axis=axis, keepdims=True)
    with np.errstate(divide="ignore"):
        y = np.log(total) + top

    def rule(g):
        return g.reshape(y.shape) * e / np.where(total == 0, 1, total)

    return operation(y if keepdims else y.squeeze(axis), (x, rule))


# ---- Along an axis


def softmax(x, axis=-1):
    """exp(x) / sum(exp(x)), the sum over some axes: positive numbers that add up to 1; NaN where all x are -inf."""
    e = np.exp(x.data - x.data.max(axis=axis, keepdims=True, initial=-np.inf))
    y = e / e.sum(axis=axis, keepdims=True)
    return operation(y, (x, lambda g: y * (g - (g * y).sum(axis=axis, keepdims=True))))


def log_softmax(x, axis=-1):
    """The logarithm of softmax, finite also where softmax itself rounds to 0."""
    y = x.data - x.data.max(axis=axis, keepdims=True, initial=-np.inf)
    y = y - np.log(np.exp(y).sum(axis=axis, keepdims=True))
    return operation(y, (x, lambda g: g - np.exp(y) * g.sum(axis=axis, keepdims=True)))


def cumsum(x, axis=-1):
    """The sums of the first 1, 2, 3, ... elements along an axis (int)."""
    return operation(x.data.cumsum(axis), (x, lambda g: np.flip(np.flip(g, axis).cumsum(axis), axis)))


def cumprod(x, axis=-1):
    """The products of the first 1, 2, 3, ... elements along an axis (int); the slopes are right at zeros too."""
    v = np.moveaxis(x.data, axis, 0)  # (n, ...)
    y = v.cumprod(axis=0)

    def rule(g):
        g, dx, total = np.moveaxis(g, axis, 0), np.empty_like(v), 0
        for i in reversed(range(len(v))):
            total = g[i] + total  # dL/dy[i], counting that later products are made of it
            dx[i] = total * y[i - 1] if i > 0 else total
            total = total * v[i]
        return np.moveaxis(dx, 0, axis)

    return operation(np.moveaxis(y, 0, axis), (x, rule))


def _sigmoid(v):
    """1 / (1 + exp(-v)), with an exp that cannot overflow."""
    e = np.exp(-np.abs(v))
    return np.where(v >= 0, 1, e) / (1 + e)


def _products_in_front(v):
    """For each element of the last axis the product of those in front of it, 1 for the first."""
    products = np.ones_like(v)
    v[..., :-1].cumprod(axis=-1, out=products[..., 1:])
    return products
