"""A tensor autograd engine: arrays that remember how they were made.

The engine of value.py, with arrays for numbers. Every operation gives a new Tensor that keeps a rule for each operand.
Let L be the number that is differentiated in the end: given g = dL/d(result), the rule returns dL/d(operand). With
numbers that was g times a slope; the slope of an array along an array is a matrix too large to write down, and a rule
gets by without it. Rules take and return arrays, and are not recorded: there are no gradients of gradients here.

Baydin et al., Automatic Differentiation in Machine Learning: a Survey (2018), section 3.2; for products of matrices
Giles, Collected Matrix Derivative Results for Forward and Reverse Mode Algorithmic Differentiation (2008), section 2.
"""

import math
from contextlib import contextmanager

import numpy as np


class Tensor:
    """An array in a graph of operations.

    data: the array itself (ndarray of floats). Rules remember it, so do not write into it between an operation and
        backward. Afterwards a leaf is updated by `w.data -= step`; `w -= step` makes another Tensor and calls that w.
    grad: dL/d(this), or None before the first backward: an array of its own, with the shape and dtype of data. It adds
        up over calls of backward. Only a leaf has one, which is a Tensor you made yourself, and only if it requires it.
    requires_grad: whether backward comes here (bool). A result requires a gradient if any of its operands does.

    The other operand of an operation is a Tensor, an array or a number, on either side, and shapes broadcast by NumPy's
    rules. A number, or an array that is not of floats, takes the dtype of the Tensor beside it: float32 stays float32.
    """

    __slots__ = ("_links", "data", "grad", "requires_grad")
    __array_ufunc__ = None  # array * tensor is left to Tensor.__rmul__

    def __init__(self, data, requires_grad=False):
        """A leaf, made from nothing.

        data: array-like. Floats keep their dtype, and an array of them is not copied; integers and booleans become
        float64. TypeError for anything but real numbers.
        """
        data = np.asarray(data)
        if data.dtype.kind not in "fiub":
            raise TypeError(f"a Tensor holds real numbers, not {data.dtype}")
        self.data = data if data.dtype.kind == "f" else data.astype(np.float64)
        self.grad = None
        self.requires_grad = requires_grad
        self._links = ()  # (operand, rule) pairs: what this was made from, and how its gradient becomes theirs

    def __repr__(self):
        """Tensor([1., 2.]), or Tensor([1., 2.], requires_grad=True)"""
        text = np.array2string(self.data, separator=", ", prefix="Tensor(")
        return f"Tensor({text}, requires_grad=True)" if self.requires_grad else f"Tensor({text})"

    def __len__(self):
        """The length of the first axis; TypeError if there is none."""
        return len(self.data)

    @property
    def shape(self):
        """The length of each axis (tuple of int)."""
        return self.data.shape

    @property
    def ndim(self):
        """How many axes there are (int)."""
        return self.data.ndim

    @property
    def size(self):
        """How many elements there are (int)."""
        return self.data.size

    @property
    def dtype(self):
        """The type of the elements (numpy.dtype)."""
        return self.data.dtype

    @property
    def T(self):
        """The same with its axes in reverse order."""
        return self.transpose()

    # ---- Elementwise, with broadcasting

    def __add__(self, other):
        """self + other"""
        other = _as_tensor(other, self.dtype)
        return operation(self.data + other.data, (self, lambda g: g), (other, lambda g: g))

    def __sub__(self, other):
        """self - other"""
        other = _as_tensor(other, self.dtype)
        return operation(self.data - other.data, (self, lambda g: g), (other, lambda g: -g))

    def __mul__(self, other):
        """self * other"""
        other = _as_tensor(other, self.dtype)
        a, b = self.data, other.data
        return operation(a * b, (self, lambda g: g * b), (other, lambda g: g * a))

    def __truediv__(self, other):
        """self / other"""
        other = _as_tensor(other, self.dtype)
        b = other.data
        y = self.data / b
        return operation(y, (self, lambda g: g / b), (other, lambda g: -g * y / b))

    def __pow__(self, n):
        """self ** n, where n is a plain number: TypeError for a Tensor or an array."""
        if isinstance(n, (Tensor, np.ndarray)):
            raise TypeError("the exponent is a number, not an array: write (b * a.log()).exp() for a ** b")
        a, n = self.data, float(n)
        return operation(a**n, (self, lambda g: g * (n * a ** (n - 1)) if n != 0 else np.zeros_like(a)))

    def __neg__(self):
        """-self"""
        return operation(-self.data, (self, lambda g: -g))

    def __rsub__(self, other):
        """other - self, where other is a number or an array."""
        return _as_tensor(other, self.dtype) - self

    def __rtruediv__(self, other):
        """other / self, where other is a number or an array."""
        return _as_tensor(other, self.dtype) / self

    __radd__ = __add__
    __rmul__ = __mul__

    def exp(self):
        """e to the power of self."""
        y = np.exp(self.data)
        return operation(y, (self, lambda g: g * y))

    def log(self):
        """The natural logarithm; as in NumPy, -inf at 0 and NaN below."""
        x = self.data
        return operation(np.log(x), (self, lambda g: g / x))

    def tanh(self):
        """The hyperbolic tangent."""
        y = np.tanh(self.data)
        return operation(y, (self, lambda g: g * (1 - y * y)))

    def relu(self):
        """self where it is positive, else 0; the slope at 0 is taken as 0, as in PyTorch."""
        x = self.data
        return operation(np.maximum(x, 0), (self, lambda g: g * (x > 0)))

    # ---- Products of matrices

    def __matmul__(self, other):
        """self @ other, by NumPy's rules: (..., n, k) @ (..., k, m) -> (..., n, m), where the axes in front broadcast.

        A vector on the left stands for a row, on the right for a column, and the axis that this adds is dropped:
        (k,) @ (k,) -> (), (n, k) @ (k,) -> (n,), (k,) @ (k, m) -> (m,). ValueError where the shapes do not fit.
        """
        other = _as_tensor(other, self.dtype)
        if other.ndim == 1:
            return (self @ other[:, None])[..., 0]  # (..., n, k) @ (k, 1) -> (..., n, 1) -> (..., n)
        if self.ndim == 1:
            return (self[None, :] @ other)[..., 0, :]  # (1, k) @ (..., k, m) -> (..., 1, m) -> (..., m)
        if self.ndim > 2 and other.ndim == 2:  # a batch of rows is one tall matrix: twice as fast on the way back
            *batch, n, k = self.shape
            return (self.reshape(math.prod(batch) * n, k) @ other).reshape(*batch, n, other.shape[1])
        A, B = self.data, other.data
        return operation(A @ B, (self, lambda G: G @ B.mT), (other, lambda G: A.mT @ G))

    def __rmatmul__(self, other):
        """other @ self, where other is an array."""
        return _as_tensor(other, self.dtype) @ self

    # ---- Reductions. axis: None for all, an int or a tuple of ints, counted from the end where negative

    def sum(self, axis=None, keepdims=False):
        """The sum over some axes, which go, or stay with length 1 if keepdims."""
        shape = self.shape
        y = self.data.sum(axis=axis, keepdims=keepdims)
        return operation(y, (self, lambda g: np.broadcast_to(_axes_back(g, axis, keepdims), shape)))

    def mean(self, axis=None, keepdims=False):
        """The mean over some axes, which go, or stay with length 1 if keepdims."""
        total = self.sum(axis, keepdims)
        return total / (self.size // max(total.size, 1))

    def max(self, axis=None, keepdims=False):
        """The largest over some axes, which go, or stay with length 1 if keepdims.

        Where several elements are the largest they share the gradient equally, as in PyTorch's amax.
        """
        x = self.data
        y = x.max(axis=axis, keepdims=keepdims)

        def rule(g):
            largest = x == _axes_back(y, axis, keepdims)
            return _axes_back(g, axis, keepdims) * largest / largest.sum(axis=axis, keepdims=True)

        return operation(y, (self, rule))

    # ---- The same elements in another arrangement

    def reshape(self, *shape):
        """The elements in the same order, in another shape: reshape(2, 3) or reshape((2, 3)); one length may be -1."""
        before = self.shape
        return operation(self.data.reshape(*shape), (self, lambda g: g.reshape(before)))

    def transpose(self, *axes):
        """The axes in another order: transpose(0, 2, 1) or transpose((0, 2, 1)); in reverse if none are given.

        As in NumPy, axis i of the result is axis axes[i] of self, and negative ones count from the end.
        """
        if len(axes) == 1 and isinstance(axes[0], tuple | list):
            axes = axes[0]
        back = np.argsort(np.arange(self.ndim)[list(axes)]) if axes else None
        return operation(self.data.transpose(*axes), (self, lambda g: g.transpose(back)))

    def __getitem__(self, index):
        """self[index], by NumPy's rules: integers, slices, None, ..., arrays of integers or of booleans.

        An element that the index names twice gets both gradients.
        """
        x = self.data

        def rule(g):
            dx = np.zeros(x.shape, x.dtype)
            if _may_repeat(index):  # np.add.at(dx, index, g), by flat positions: up to six times as fast
                positions = np.arange(x.size).reshape(x.shape)[index]
                np.add.at(dx.reshape(-1), positions.ravel(), g.ravel())
            else:
                dx[index] = g
            return dx

        return operation(x[index], (self, rule))

    # ---- Backward

    def backward(self, grad=None):
        """Add dL/d(leaf) to the grad of every leaf that this was made from and that requires it.

        grad: dL/d(this), array-like, of this shape; where this has one element it may be left out, and is 1. It is not
        changed. The graph stays until the last name for its result goes, and a second call adds the same once more.
        Takes time in proportion to the number of operations, however often a Tensor is used, and any depth of graph.

        RuntimeError where nothing requires a gradient, or grad is missing; ValueError where it has another shape.
        """
        if not self.requires_grad:
            raise RuntimeError("nothing that this was made from requires a gradient: Tensor(data, requires_grad=True)")
        if grad is None and self.size != 1:
            raise RuntimeError(f"backward starts from one number; for shape {self.shape} pass dL/d(this) as grad")
        seed = np.array(np.ones_like(self.data) if grad is None else grad, self.dtype)
        if seed.shape != self.shape:
            raise ValueError(f"grad has shape {seed.shape}, and this Tensor {self.shape}")

        grads = {self: seed}  # dL/d(tensor), as far as it has arrived
        ours = {self}  # tensors whose array in grads nobody else holds: it may be added to in place
        for tensor in reversed(_topological_order(self)):  # one comes up once everything made from it has paid in
            g = grads.pop(tensor)
            for operand, rule in tensor._links:
                part = _unbroadcast(np.asarray(rule(g), operand.dtype), operand.shape)
                if operand not in grads:
                    grads[operand] = part
                    if part is not g and part.base is None:  # neither g nor a view of it: a new array
                        ours.add(operand)
                elif operand in ours:
                    grads[operand] += part
                else:
                    grads[operand] = grads[operand] + part
                    ours.add(operand)
            if not tensor._links:
                g = g if tensor in ours else g.copy()
                tensor.grad = g if tensor.grad is None else tensor.grad + g

    def zero_grad(self):
        """Forget the gradient: grad is None again."""
        self.grad = None

    def detach(self):
        """A leaf with the same array, no history, and no gradient required."""
        return Tensor(self.data)

    def item(self):
        """The only element, as a float; ValueError where there is not exactly one."""
        return self.data.item()


def operation(data, *links):
    """A Tensor made from others: every operation above is one line of this, and so is any of your own.

    data: its array. links: a pair (operand, rule) for each Tensor that it depends on. rule(g), where g = dL/d(result) is
    an array of the result's shape, returns dL/d(operand) in the operand's shape, or in a shape that the operand was
    broadcast to: backward sums it. What it returns is a new array, g, or a view of g, and it changes neither g nor any
    other array. Rules of operands that require no gradient are never called, and under no_grad none are kept.
    """
    result = Tensor.__new__(Tensor)
    result.data = np.asarray(data)  # NumPy gives a scalar where no axis is left
    result.grad = None
    result._links = [link for link in links if link[0].requires_grad] if _recording else ()
    result.requires_grad = bool(result._links)
    return result


_recording = True


@contextmanager
def no_grad():
    """Within `with no_grad():` operations keep no links, so that their results require no gradient.

    Also `@no_grad()` above a function. What was recorded before can still go backward.
    """
    global _recording
    before, _recording = _recording, False
    try:
        yield
    finally:
        _recording = before


def _as_tensor(x, dtype):
    """A second operand as a Tensor; a number, or an array not of floats, in the dtype of the first."""
    if isinstance(x, Tensor):
        return x
    x = np.asarray(x)
    constant = Tensor(x)
    if x.ndim == 0 or x.dtype.kind != "f":
        constant.data = x.astype(dtype)
    return constant


def _unbroadcast(g, shape):
    """Sum g over the axes that broadcasting put in front of shape, or stretched from length 1."""
    if g.shape == shape:
        return g
    front = g.ndim - len(shape)
    stretched = [front + i for i, n in enumerate(shape) if n == 1]
    return g.sum(axis=(*range(front), *stretched), keepdims=True).reshape(shape)


def _axes_back(y, axis, keepdims):
    """What a reduction over axis left, with the axes that went back in their places at length 1."""
    return y if keepdims or axis is None else np.expand_dims(y, axis)


def _may_repeat(index):
    """Whether an index could name an element twice: arrays and lists of integers can, nothing else."""
    parts = index if isinstance(index, tuple) else (index,)
    return any(np.ndim(part) > 0 and np.asarray(part).dtype != bool for part in parts)


def _topological_order(root):
    """Every Tensor that root was made from and that requires a gradient, root last, operands always before results.

    A depth-first walk with a stack of its own, as in value.py.
    """
    order, seen = [], {root}
    stack = [(root, iter(root._links))]
    while stack:
        tensor, links = stack[-1]
        for operand, _ in links:
            if operand not in seen:
                seen.add(operand)
                stack.append((operand, iter(operand._links)))
                break
        else:
            order.append(tensor)
            stack.pop()
    return order
