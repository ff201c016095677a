"""A scalar autograd engine: numbers that remember how they were made.

Every operation on a Value gives a new Value that keeps, for each operand, the slope of the result with respect to it.
The chain rule does the rest: walk the graph backwards from the result, and hand to every operand the gradient of the
result times that slope. One walk gives the derivative with respect to everything the result was made from.

Baydin et al., Automatic Differentiation in Machine Learning: a Survey (2018), section 3.2.
"""

import math


class Value:
    """A number in a graph of operations.

    data: the number itself (float).
    grad: the derivative, with respect to this value, of what `backward` was called on (float, 0.0 before). On a leaf,
        which is a Value you made yourself, it adds up over calls until you set it to 0.0; on the result of an
        operation it is that of the latest call.
    """

    __slots__ = ("_links", "data", "grad")

    def __init__(self, data):
        """data: an int or a float; a leaf, made from nothing."""
        self.data = float(data)
        self.grad = 0.0
        self._links = ()  # (operand, slope) pairs: what this was made from, and d(this)/d(operand)

    def __repr__(self):
        """Value(data=2.0, grad=0.0)"""
        return f"Value(data={self.data}, grad={self.grad})"

    def __add__(self, other):
        """self + other, where other is a Value or a number."""
        other = _as_value(other)
        return _result(self.data + other.data, (self, 1.0), (other, 1.0))

    def __mul__(self, other):
        """self * other, where other is a Value or a number."""
        other = _as_value(other)
        return _result(self.data * other.data, (self, other.data), (other, self.data))

    def __pow__(self, exponent):
        """self ** exponent, where the exponent is a plain number: TypeError for a Value."""
        if isinstance(exponent, Value):
            raise TypeError("the exponent is a number, not a Value: write (b * a.log()).exp() for a ** b")
        slope = exponent * self.data ** (exponent - 1) if exponent != 0 else 0.0
        return _result(self.data**exponent, (self, slope))

    def __neg__(self):
        """-self"""
        return self * -1.0

    def __sub__(self, other):
        """self - other, where other is a Value or a number."""
        return self + -_as_value(other)

    def __truediv__(self, other):
        """self / other, where other is a Value or a number."""
        return self * _as_value(other) ** -1

    def __rsub__(self, other):
        """other - self, where other is a number."""
        return _as_value(other) - self

    def __rtruediv__(self, other):
        """other / self, where other is a number."""
        return _as_value(other) / self

    __radd__ = __add__
    __rmul__ = __mul__

    def exp(self):
        """e to the power of self."""
        y = math.exp(self.data)
        return _result(y, (self, y))

    def log(self):
        """The natural logarithm; ValueError unless self is positive."""
        return _result(math.log(self.data), (self, 1.0 / self.data))

    def tanh(self):
        """The hyperbolic tangent."""
        y = math.tanh(self.data)
        return _result(y, (self, 1.0 - y * y))

    def relu(self):
        """self where it is positive, else 0; the slope at 0 is taken as 0, as in PyTorch."""
        positive = self.data > 0
        return _result(self.data if positive else 0.0, (self, 1.0 if positive else 0.0))

    def backward(self):
        """Fill in `grad` of every value that self was made from, and of self (1.0).

        Takes time in proportion to the number of operations, however often a value is used, and any depth of graph.
        """
        order = _topological_order(self)
        for value in order:
            if value._links:
                value.grad = 0.0  # results start afresh; leaves add up
        self.grad += 1.0
        for value in reversed(order):  # a value comes up once everything made from it has paid in
            for operand, slope in value._links:
                operand.grad += slope * value.grad


def _as_value(x):
    return x if isinstance(x, Value) else Value(x)


def _result(data, *links):
    value = Value(data)
    value._links = links
    return value


def _topological_order(root):
    """Every value that root was made from, root last, operands always before results.

    A depth-first walk with a stack of its own: Python's call stack would end at about a thousand operations.
    """
    order, seen = [], {root}
    stack = [(root, iter(root._links))]
    while stack:
        value, links = stack[-1]
        for operand, _ in links:
            if operand not in seen:
                seen.add(operand)
                stack.append((operand, iter(operand._links)))
                break
        else:
            order.append(value)
            stack.pop()
    return order
