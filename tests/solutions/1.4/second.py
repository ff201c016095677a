"""The tensor engine by another route: a table from the name of an operation to its two functions.

A result keeps the name, the operands and the settings; backward looks the rule up. Gradients are handed back in the
order in which counts of unpaid uses run out, not by a depth-first walk.
"""

from collections import deque
from types import SimpleNamespace

import numpy as np

_state = SimpleNamespace(quiet=0)


def _spread(g, x, axis, keepdims):
    """g, which a reduction of x left, with all axes of x at length 1 or more."""
    if axis is None:
        return np.reshape(g, (1,) * x.ndim)
    if keepdims:
        return g
    axes = {a % x.ndim for a in (axis if isinstance(axis, tuple) else (axis,))}
    return np.reshape(g, [1 if i in axes else n for i, n in enumerate(x.shape)])


def _share(g, x, y, axis, keepdims):
    wins = np.equal(x, _spread(y, x, axis, keepdims)).astype(float)
    return wins * _spread(g, x, axis, keepdims) / np.sum(wins, axis=axis, keepdims=True)


def _scatter(g, x, index):
    dx = np.zeros(x.shape, np.result_type(g, x))
    np.add.at(dx, index, g)
    return dx


def _matmul_rule(g, y, a, b):
    """Every product as one of batches of matrices, whatever the operands' axes."""
    A, B = (a[None] if a.ndim == 1 else a), (b[:, None] if b.ndim == 1 else b)
    G = np.reshape(g, np.matmul(A, B).shape)
    dA, dB = np.matmul(G, np.swapaxes(B, -1, -2)), np.matmul(np.swapaxes(A, -1, -2), G)
    dA = dA.reshape(-1, *A.shape).sum(0) if dA.size > A.size and A.ndim == 2 else dA
    dB = dB.reshape(-1, *B.shape).sum(0) if dB.size > B.size and B.ndim == 2 else dB
    return dA.reshape(a.shape) if a.ndim == 1 else dA, dB.reshape(b.shape) if b.ndim == 1 else dB


def _undo(axes, ndim):
    back = [0] * ndim
    for place, axis in enumerate(axes):
        back[axis % ndim] = place
    return back


TABLE = {  # name: (forward, gradients of the operands, from g, the result y, and the operands)
    "add": (np.add, lambda g, y, a, b: (g, g)),
    "sub": (np.subtract, lambda g, y, a, b: (g, -g)),
    "mul": (np.multiply, lambda g, y, a, b: (b * g, a * g)),
    "div": (np.divide, lambda g, y, a, b: (g / b, -a / b**2 * g)),
    "neg": (np.negative, lambda g, y, a: (-g,)),
    "pow": (lambda a, n: a**n, lambda g, y, a, n: (0 * a if n == 0 else n * a ** (n - 1) * g,)),
    "exp": (np.exp, lambda g, y, a: (y * g,)),
    "log": (np.log, lambda g, y, a: (g / a,)),
    "tanh": (np.tanh, lambda g, y, a: ((1 - y**2) * g,)),
    "relu": (lambda a: a * (a > 0), lambda g, y, a: (np.where(a > 0, g, 0),)),
    "matmul": (np.matmul, _matmul_rule),
    "sum": (np.sum, lambda g, y, a, axis, keepdims: (_spread(g, a, axis, keepdims) + np.zeros_like(a),)),
    "max": (np.amax, lambda g, y, a, axis, keepdims: (_share(g, a, y, axis, keepdims),)),
    "reshape": (lambda a, to: np.reshape(a, to), lambda g, y, a, to: (np.reshape(g, a.shape),)),
    "transpose": (lambda a, axes: np.transpose(a, axes), lambda g, y, a, axes: (np.transpose(g, _undo(axes, a.ndim)),)),
    "take": (lambda a, index: a[index], lambda g, y, a, index: (_scatter(g, a, index),)),
}


def _apply(name, *operands, **settings):
    y = TABLE[name][0](*(t.data for t in operands), **settings)
    return _wrap(y, operands, lambda g: TABLE[name][1](g, y, *(t.data for t in operands), **settings))


def _wrap(y, operands, rule):
    result = Tensor(np.array(y) if np.ndim(y) == 0 else y)
    if not _state.quiet and any(t.requires_grad for t in operands):
        result.requires_grad = True
        result._made = (operands, rule)
    return result


class Tensor:
    __slots__ = ("_made", "data", "grad", "requires_grad")
    __array_priority__ = 1000
    __array_ufunc__ = None

    def __init__(self, data, requires_grad=False):
        data = np.array(data, copy=None)
        if not (np.issubdtype(data.dtype, np.floating) or np.issubdtype(data.dtype, np.integer) or data.dtype == bool):
            raise TypeError("numbers only")
        self.data = data + 0.0 if data.dtype.kind != "f" else data
        self.grad, self.requires_grad, self._made = None, bool(requires_grad), None

    def _other(self, x):
        if isinstance(x, Tensor):
            return x
        if np.ndim(x) and isinstance(x, np.ndarray) and x.dtype.kind == "f":
            return Tensor(x)
        if np.asarray(x).dtype.kind not in "fiub":
            raise TypeError("numbers only")
        return Tensor(np.asarray(x, dtype=self.data.dtype))

    def __repr__(self):
        return f"Tensor({self.data!r})"

    def __len__(self):
        if self.data.ndim == 0:
            raise TypeError("no axis")
        return self.data.shape[0]

    shape = property(lambda self: self.data.shape)
    ndim = property(lambda self: self.data.ndim)
    size = property(lambda self: self.data.size)
    dtype = property(lambda self: self.data.dtype)
    T = property(lambda self: self.transpose())

    def __add__(self, other):
        return _apply("add", self, self._other(other))

    def __radd__(self, other):
        return _apply("add", self._other(other), self)

    def __sub__(self, other):
        return _apply("sub", self, self._other(other))

    def __rsub__(self, other):
        return _apply("sub", self._other(other), self)

    def __mul__(self, other):
        return _apply("mul", self, self._other(other))

    def __rmul__(self, other):
        return _apply("mul", self._other(other), self)

    def __truediv__(self, other):
        return _apply("div", self, self._other(other))

    def __rtruediv__(self, other):
        return _apply("div", self._other(other), self)

    def __matmul__(self, other):
        return _apply("matmul", self, self._other(other))

    def __rmatmul__(self, other):
        return _apply("matmul", self._other(other), self)

    def __pow__(self, n):
        if not np.isscalar(n):
            raise TypeError("a number")
        return _apply("pow", self, n=n)

    def __neg__(self):
        return _apply("neg", self)

    def exp(self):
        return _apply("exp", self)

    def log(self):
        return _apply("log", self)

    def tanh(self):
        return _apply("tanh", self)

    def relu(self):
        return _apply("relu", self)

    def sum(self, axis=None, keepdims=False):
        return _apply("sum", self, axis=axis, keepdims=keepdims)

    def max(self, axis=None, keepdims=False):
        return _apply("max", self, axis=axis, keepdims=keepdims)

    def mean(self, axis=None, keepdims=False):
        axes = range(self.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        return self.sum(axis, keepdims) * (1.0 / np.prod([self.shape[a] for a in axes]))

    def reshape(self, *shape):
        return _apply("reshape", self, to=shape[0] if len(shape) == 1 else shape)

    def transpose(self, *axes):
        axes = axes[0] if len(axes) == 1 and np.ndim(axes[0]) else axes
        return _apply("transpose", self, axes=tuple(axes) or tuple(range(self.ndim))[::-1])

    def __getitem__(self, index):
        return _apply("take", self, index=index)

    def zero_grad(self):
        self.grad = None

    def detach(self):
        return Tensor(self.data)

    def item(self):
        return float(self.data.reshape(self.data.size).tolist()[0]) if self.size == 1 else self.data.item()

    def backward(self, grad=None):
        if not self.requires_grad:
            raise RuntimeError("no gradient is required")
        if grad is None:
            if self.size != 1:
                raise RuntimeError("not one number")
            grad = np.ones(self.shape)
        if np.shape(grad) != self.shape:
            raise ValueError("shape of grad")
        unpaid = _uses(self)
        arrived = {id(self): np.array(grad, dtype=self.data.dtype)}
        ready = deque([self])
        while ready:
            tensor = ready.popleft()
            g = arrived.pop(id(tensor))
            if tensor._made is None:
                tensor.grad = np.array(g) if tensor.grad is None else np.add(tensor.grad, g)
                continue
            operands, rule = tensor._made
            for operand, part in zip(operands, rule(g)):
                if operand.requires_grad:
                    part = _sum_to(part, operand).astype(operand.data.dtype)
                    arrived[id(operand)] = part + arrived.get(id(operand), 0)
                    unpaid[id(operand)] -= 1
                    if unpaid[id(operand)] == 0:
                        ready.append(operand)


def _uses(root):
    """How often each tensor is an operand in what root was made from."""
    uses, queue = {id(root): 0}, [root]
    while queue:
        made = queue.pop()._made
        for operand in made[0] if made else ():
            if operand.requires_grad:
                if id(operand) not in uses:
                    uses[id(operand)] = 0
                    queue.append(operand)
                uses[id(operand)] += 1
    return uses


def _sum_to(part, operand):
    while part.ndim > operand.ndim:
        part = part.sum(0)
    for axis in range(operand.ndim):
        if operand.shape[axis] == 1 < part.shape[axis]:
            part = part.sum(axis, keepdims=True)
    return part


def operation(data, *links):
    operands = tuple(operand for operand, _ in links)

    def rule(g):
        return [along(g) if operand.requires_grad else None for operand, along in links]

    return _wrap(data, operands, rule)


class no_grad:
    def __enter__(self):
        _state.quiet += 1

    def __exit__(self, *error):
        _state.quiet -= 1
        return False

    def __call__(self, function):
        def quietly(*arguments, **named):
            with self:
                return function(*arguments, **named)

        return quietly
