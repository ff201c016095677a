"""The tasks of calculus by other means: Horner's rule, NumPy's sums, rules written out differently."""

import math

import numpy as np


def slopes(x):
    square = x * x
    return np.array([3 * square - 2, math.cos(square) * (x + x), math.exp(-x) - x * math.exp(-x), (x + x) / (square + 1), 1 / (1 + square) - 2 * square / (1 + square) ** 2])  # fmt: skip


def tangent(c, x):
    value = slope = 0.0
    for a in reversed(c.tolist()):
        value, slope = value * x + a, slope * x + value
    return slope, value - x * slope


def partials(x, y):
    inner = math.cos(x * y)
    return np.array([y, x]) * inner + np.array([2 * x * y, x * x])


def loss_slopes(w, b, x, target):
    s = w * x + b
    by_b = 2 * (math.tanh(s) - target) / math.cosh(s) ** 2
    return by_b * np.array([x, 1.0])


def lowest(a, b, c):
    if a <= 0:
        raise ValueError("no lowest point")
    at = -0.5 * b / a
    return at, c - b * b / (4 * a)


def area(f, low, high, n):
    t = np.linspace(low, high, n + 1)
    y = np.array([f(float(x)) for x in t])
    return float(((y[:-1] + y[1:]) / 2 * (t[1:] - t[:-1])).sum())


def exp_series(x, n):
    return float(sum(x**k / math.factorial(k) for k in range(n)))
