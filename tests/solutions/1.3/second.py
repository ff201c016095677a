"""A scalar engine written another way: closures, and Kahn's counting of uses in place of a depth-first walk."""

import math
from collections import deque


class Value:
    def __init__(self, data, parents=(), pull=None):
        self.data = float(data)
        self.grad = 0.0
        self.parents = list(parents)
        self.pull = pull  # gradient of this -> gradients of the parents

    def __repr__(self):
        return f"Value({self.data})"

    def __add__(self, other):
        other = lift(other)
        return Value(self.data + other.data, (self, other), lambda g: (g, g))

    def __radd__(self, other):
        return lift(other) + self

    def __mul__(self, other):
        other = lift(other)
        a, b = self.data, other.data
        return Value(a * b, (self, other), lambda g: (g * b, g * a))

    def __rmul__(self, other):
        return lift(other) * self

    def __neg__(self):
        return Value(-self.data, (self,), lambda g: (-g,))

    def __sub__(self, other):
        other = lift(other)
        return Value(self.data - other.data, (self, other), lambda g: (g, -g))

    def __rsub__(self, other):
        return lift(other) - self

    def __truediv__(self, other):
        other = lift(other)
        a, b = self.data, other.data
        return Value(a / b, (self, other), lambda g: (g / b, -g * a / b**2))

    def __rtruediv__(self, other):
        return lift(other) / self

    def __pow__(self, n):
        if isinstance(n, Value):
            raise TypeError("a number, please")
        x = self.data
        return Value(x**n, (self,), lambda g: (g * n * x ** (n - 1) if n else 0.0,))

    def exp(self):
        y = math.exp(self.data)
        return Value(y, (self,), lambda g: (g * y,))

    def log(self):
        x = self.data
        return Value(math.log(x), (self,), lambda g: (g / x,))

    def tanh(self):
        y = math.tanh(self.data)
        return Value(y, (self,), lambda g: (g - g * y * y,))

    def relu(self):
        x = self.data
        return Value(x if x > 0 else 0.0, (self,), lambda g: (g if x > 0 else 0.0,))

    def backward(self):
        uses = {self: 0}
        found = deque([self])
        while found:
            for parent in found.popleft().parents:
                if parent not in uses:
                    uses[parent] = 0
                    found.append(parent)
                uses[parent] += 1
        arriving = {self: 1.0}
        ready = [self]
        while ready:
            value = ready.pop()
            g = arriving.get(value, 0.0)
            if value.pull is None:
                value.grad += g
                continue
            value.grad = g
            for parent, share in zip(value.parents, value.pull(g)):
                arriving[parent] = arriving.get(parent, 0.0) + share
                uses[parent] -= 1
                if uses[parent] == 0:
                    ready.append(parent)


def lift(x):
    return x if isinstance(x, Value) else Value(x)
