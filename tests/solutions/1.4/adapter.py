"""The tensor engine's API on PyTorch's."""

import functools

import numpy as np
import torch


def _torch(x):
    return torch.tensor(np.array(x))


class _Given(torch.autograd.Function):
    """An operation whose value and rules come from outside."""

    @staticmethod
    def forward(context, data, rules, *operands):
        context.rules, context.operands = rules, operands
        return _torch(data)

    @staticmethod
    def backward(context, g):
        parts = []
        for needed, rule, operand in zip(context.needs_input_grad[2:], context.rules, context.operands):
            parts.append(_torch(rule(g.numpy().copy())).sum_to_size(operand.shape) if needed else None)
        return None, None, *parts


class Tensor:
    __slots__ = ("t",)
    __array_ufunc__ = None

    def __init__(self, data, requires_grad=False):
        data = np.asarray(data)
        if data.dtype.kind not in "fiub":
            raise TypeError("numbers only")
        self.t = _torch(data if data.dtype.kind == "f" else data.astype(np.float64)).requires_grad_(requires_grad)

    @classmethod
    def of(cls, t):
        self = cls.__new__(cls)
        self.t = t
        return self

    def _other(self, x):
        if isinstance(x, Tensor):
            return x.t
        x = np.asarray(x)
        if x.dtype.kind not in "fiub":
            raise TypeError("numbers only")
        return _torch(x).to(self.t.dtype) if x.dtype.kind != "f" or x.ndim == 0 else _torch(x)

    data = property(lambda self: self.t.detach().numpy())
    requires_grad = property(lambda self: self.t.requires_grad)
    shape = property(lambda self: tuple(self.t.shape))
    ndim = property(lambda self: self.t.ndim)
    size = property(lambda self: self.t.numel())
    dtype = property(lambda self: self.data.dtype)
    T = property(lambda self: self.transpose())

    @property
    def grad(self):
        return None if not self.t.is_leaf or self.t.grad is None else self.t.grad.numpy()

    @grad.setter
    def grad(self, value):
        self.t.grad = None if value is None else _torch(value)

    def __len__(self):
        return len(self.t)

    def __add__(self, other):
        return Tensor.of(self.t + self._other(other))

    def __sub__(self, other):
        return Tensor.of(self.t - self._other(other))

    def __rsub__(self, other):
        return Tensor.of(self._other(other) - self.t)

    def __mul__(self, other):
        return Tensor.of(self.t * self._other(other))

    def __truediv__(self, other):
        return Tensor.of(self.t / self._other(other))

    def __rtruediv__(self, other):
        return Tensor.of(self._other(other) / self.t)

    def __matmul__(self, other):
        return self._product(self.t, self._other(other))

    def __rmatmul__(self, other):
        return self._product(self._other(other), self.t)

    @staticmethod
    def _product(a, b):
        try:
            return Tensor.of(a @ b)
        except RuntimeError as error:
            raise ValueError(str(error)) from None

    def __pow__(self, n):
        if isinstance(n, (Tensor, np.ndarray)):
            raise TypeError("a number")
        return Tensor.of(self.t**n)

    def __neg__(self):
        return Tensor.of(-self.t)

    __radd__ = __add__
    __rmul__ = __mul__

    def exp(self):
        return Tensor.of(self.t.exp())

    def log(self):
        return Tensor.of(self.t.log())

    def tanh(self):
        return Tensor.of(self.t.tanh())

    def relu(self):
        return Tensor.of(self.t.relu())

    def _reduced(self, name, axis, keepdims):
        axes = tuple(range(self.ndim)) if axis is None else axis
        return self if self.ndim == 0 else Tensor.of(getattr(self.t, name)(dim=axes, keepdim=keepdims))

    def sum(self, axis=None, keepdims=False):
        return self._reduced("sum", axis, keepdims)

    def mean(self, axis=None, keepdims=False):
        return self._reduced("mean", axis, keepdims)

    def max(self, axis=None, keepdims=False):
        return self._reduced("amax", axis, keepdims)

    def reshape(self, *shape):
        return Tensor.of(self.t.reshape(*shape))

    def transpose(self, *axes):
        axes = axes[0] if axes and isinstance(axes[0], tuple) else axes
        return Tensor.of(self.t.permute(axes or tuple(range(self.ndim))[::-1]))

    def __getitem__(self, index):
        positions = torch.tensor(np.array(np.arange(self.size).reshape(self.shape)[index]))
        return Tensor.of(self.t.reshape(-1)[positions])

    def backward(self, grad=None):
        if grad is not None and np.shape(grad) != self.shape:
            raise ValueError("shape of grad")
        self.t.backward(None if grad is None else _torch(grad).to(self.t.dtype), retain_graph=True)

    def zero_grad(self):
        self.t.grad = None

    def detach(self):
        return Tensor.of(self.t.detach())

    def item(self):
        if self.size != 1:
            raise ValueError("not one element")
        return self.t.item()


def operation(data, *links):
    operands = [operand.t for operand, _ in links]
    return Tensor.of(_Given.apply(data, [rule for _, rule in links], *operands))


no_grad = functools.partial(torch.no_grad)
