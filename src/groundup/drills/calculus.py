"""The calculus that the course leans on: seven small tasks. The derivatives are taken on paper; what is written is the result.

Numbers are floats, angles in radians, log is the natural logarithm. No step is taken and no limit approached.

Deisenroth, Faisal and Ong, Mathematics for Machine Learning (2020), chapter 5; Strang, Calculus, chapters 2 to 5.
"""

import math

import numpy as np


def slopes(x):
    """The derivatives at x of five functions, in this order, as an array (5,).

    x^3 - 2x,   sin(x^2),   x exp(-x),   log(1 + x^2),   x / (1 + x^2)
    """
    return np.array(
        [
            3 * x**2 - 2,
            2 * x * math.cos(x**2),
            (1 - x) * math.exp(-x),
            2 * x / (1 + x**2),
            (1 - x**2) / (1 + x**2) ** 2,
        ]
    )


def tangent(c, x):
    """c (k,), k at least 1: the polynomial c[0] + c[1] t + c[2] t^2 + ... -> (slope, intercept) of its tangent at t = x.

    The tangent is the line slope * t + intercept; the intercept is its value at t = 0.
    """
    value = sum(a * x**k for k, a in enumerate(c))
    slope = sum(k * a * x ** (k - 1) for k, a in enumerate(c) if k)
    return float(slope), float(value - slope * x)


def partials(x, y):
    """The two partial derivatives of x^2 y + sin(x y) at (x, y), first by x, then by y, as an array (2,)."""
    return np.array([2 * x * y + y * math.cos(x * y), x**2 + x * math.cos(x * y)])


def loss_slopes(w, b, x, target):
    """The derivatives of the loss (tanh(w x + b) - target)^2 by w and by b, as an array (2,).

    The derivative of tanh is 1 - tanh^2.
    """
    prediction = math.tanh(w * x + b)
    by_sum = 2 * (prediction - target) * (1 - prediction**2)  # of the loss, by w x + b
    return np.array([by_sum * x, by_sum])


def lowest(a, b, c):
    """The lowest point of the parabola a x^2 + b x + c: (x, value), floats. ValueError unless a > 0: there is none then."""
    if not a > 0:
        raise ValueError(f"with a = {a} there is no lowest point")
    x = -b / (2 * a)
    return float(x), float(a * x**2 + b * x + c)


def area(f, low, high, n):
    """The integral of f from low to high by n trapezoids of equal width, a float.

    f takes a float and gives one. A trapezoid is as wide as its step, and as high as f on the average of its two ends.
    """
    width = (high - low) / n
    heights = [f(low + i * width) for i in range(n + 1)]
    return width * (sum(heights) - (heights[0] + heights[-1]) / 2)


def exp_series(x, n):
    """The first n terms of 1 + x + x^2 / 2 + x^3 / 6 + ..., the Taylor series of exp, summed to a float; 0.0 for n = 0."""
    total, term = 0.0, 1.0
    for k in range(1, n + 1):
        total += term
        term *= x / k
    return total
