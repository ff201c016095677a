"""More modules: normalisation, sequences and attention, each on one operation of fused.py, and three nonlinearities."""

import math

import numpy as np

from . import fused, ops
from .nn import Linear, Module, Parameter
from .tensor import Tensor


class LayerNorm(Module):
    """x (..., d) -> the same shape: every row with mean 0 and variance 1, then scaled by gamma (d,) and shifted by beta (d,)."""

    def __init__(self, width, eps=1e-5, dtype=np.float32):
        """gamma ones, beta zeros."""
        self.gamma, self.beta = Parameter(np.ones(width, dtype)), Parameter(np.zeros(width, dtype))
        self.eps = eps

    def forward(self, x):
        """x (..., d) -> the same shape"""
        return fused.layer_norm(x, self.gamma, self.beta, self.eps)


class GroupNorm(Module):
    """x (n, c, ...) -> the same shape: the channels of a group, of each sample, with mean 0 and variance 1 together."""

    def __init__(self, groups, channels, eps=1e-5, dtype=np.float32):
        """gamma ones, beta zeros."""
        self.gamma, self.beta = Parameter(np.ones(channels, dtype)), Parameter(np.zeros(channels, dtype))
        self.groups, self.eps = groups, eps

    def forward(self, x):
        """x (n, c, ...) -> the same shape"""
        return fused.group_norm(x, self.gamma, self.beta, self.groups, self.eps)


class Embedding(Module):
    """Integers of any shape -> a row of the table for each: (..., d). table: Parameter (v, d), standard normal."""

    def __init__(self, count, width, generator, dtype=np.float32):
        """Draws the table."""
        self.table = Parameter(generator.standard_normal((count, width)).astype(dtype))

    def forward(self, ids):
        """ids (...) of integers -> (..., d)"""
        return fused.embedding(ids, self.table)


class Recurrent(Module):
    """What RNN, LSTM and GRU share: x (n, t, d) -> the states h (n, t, m), beginning with zeros.

    Wx (d, gates * m), Wh (m, gates * m), b (gates * m,): Parameters, uniform between -1 and 1 over sqrt(m), as PyTorch's.
    """

    gates = 1

    def __init__(self, width_in, width, generator, dtype=np.float32):
        """Draws the weights."""
        self.width = width
        self.Wx = self._drawn(generator, (width_in, self.gates * width), dtype)
        self.Wh = self._drawn(generator, (width, self.gates * width), dtype)
        self.b = self._drawn(generator, (self.gates * width,), dtype)

    def _drawn(self, generator, shape, dtype):
        bound = 1 / math.sqrt(self.width)
        return Parameter(generator.uniform(-bound, bound, shape).astype(dtype))

    def _zeros(self, x):
        return Tensor(np.zeros((x.shape[0], self.width), self.Wh.dtype))


class RNN(Recurrent):
    """h[s] = tanh(x[s] Wx + h[s - 1] Wh + b)"""

    def forward(self, x):
        """x (n, t, d) -> (n, t, m)"""
        return fused.rnn(x, self._zeros(x), self.Wx, self.Wh, self.b)


class LSTM(Recurrent):
    """Long short-term memory; gates in the order i, f, g, o, as in layers/recurrent.py."""

    gates = 4

    def forward(self, x):
        """x (n, t, d) -> (n, t, m)"""
        return fused.lstm(x, self._zeros(x), self._zeros(x), self.Wx, self.Wh, self.b)


class GRU(Recurrent):
    """Gated recurrent unit; gates in the order r, z, n, and a second bias bh (3m,) inside the reset, as PyTorch's."""

    gates = 3

    def __init__(self, width_in, width, generator, dtype=np.float32):
        """Draws the weights."""
        super().__init__(width_in, width, generator, dtype)
        self.bh = self._drawn(generator, (3 * width,), dtype)

    def forward(self, x):
        """x (n, t, d) -> (n, t, m)"""
        return fused.gru(x, self._zeros(x), self.Wx, self.Wh, self.b, self.bh)


class MultiHeadAttention(Module):
    """x (n, t, d) looks at itself by several heads: (n, t, d). causal: whether a place sees only itself and what is before.

    Vaswani et al., Attention Is All You Need (2017), section 3.2.2. ValueError where heads does not divide d.
    """

    def __init__(self, width, heads, generator, causal=False, dtype=np.float32):
        """Draws the weights of four linear maps: queries, keys and values in one, and the way out."""
        if width % heads:
            raise ValueError(f"{heads} heads do not divide a width of {width}")
        self.heads, self.causal = heads, causal
        self.inward = Linear(width, 3 * width, generator, dtype=dtype)
        self.outward = Linear(width, width, generator, dtype=dtype)

    def forward(self, x):
        """x (n, t, d) -> (n, t, d)"""
        n, t, d = x.shape
        parts = self.inward(x).reshape(n, t, 3, self.heads, d // self.heads)  # (n, t, 3, heads, e)
        qkv = parts.transpose(2, 0, 3, 1, 4)  # (3, n, heads, t, e)
        mask = np.tril(np.ones((t, t), bool)) if self.causal else None
        y = fused.attention(qkv[0], qkv[1], qkv[2], mask)  # (n, heads, t, e)
        return self.outward(y.transpose(0, 2, 1, 3).reshape(n, t, d))


class Tanh(Module):
    """The hyperbolic tangent."""

    def forward(self, x):
        """x of any shape -> the same shape"""
        return x.tanh()


class Sigmoid(Module):
    """1 / (1 + e^-x)."""

    def forward(self, x):
        """x of any shape -> the same shape"""
        return ops.sigmoid(x)


class GELU(Module):
    """x times the probability that a standard normal number is below x. approximate: "none" or "tanh", see layers/dense.py."""

    def __init__(self, approximate="none"):
        """Keeps it."""
        self.approximate = approximate

    def forward(self, x):
        """x of any shape -> the same shape"""
        return ops.gelu(x, self.approximate)
