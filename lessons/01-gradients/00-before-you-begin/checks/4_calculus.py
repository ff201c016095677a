"""Calculus: the truth of a slope comes from a complex step, and not from a rule."""

import cmath
import math

import numpy as np

from groundup.course import checkpoint


def slope(f, x):
    """The derivative of a function that takes complex numbers: a nudge along the imaginary axis needs no difference."""
    return f(complex(x, 1e-30)).imag / 1e-30


@checkpoint("Calculus: five derivatives by the rules", atol=1e-9, count=15)
def rules(lib, x):
    return lib.drills.calculus.slopes(x)


@rules.cases
def _(draw):
    return dict(x=draw.uniform(-2.0, 2.0))


@rules.edges
def _():
    return [dict(x=1.0), dict(x=0.0)]


@rules.oracle
def _(x):
    functions = (
        lambda t: t * t * t - 2 * t,
        lambda t: cmath.sin(t * t),
        lambda t: t * cmath.exp(-t),
        lambda t: cmath.log(1 + t * t),
        lambda t: t / (1 + t * t),
    )
    return np.array([slope(f, x) for f in functions])


@checkpoint("Calculus: the tangent of a polynomial", atol=1e-9, count=15)
def tangents(lib, c, x):
    return lib.drills.calculus.tangent(c, x)


@tangents.cases
def _(draw):
    return dict(
        c=draw.integers(-3, 3, draw.integer(1, 5)).astype(float), x=draw.choice([1.0, 0.0, -1.0, 2.0, 0.5, -1.5])
    )


@tangents.edges
def _():
    return [
        dict(c=np.array([1.0, 0.0, 1.0]), x=2.0),
        dict(c=np.array([5.0]), x=3.0),
        dict(c=np.array([1.0, 2.0]), x=0.0),
    ]


@tangents.oracle
def _(c, x):
    P = np.polynomial.Polynomial(c)
    return float(P.deriv()(x)), float(P(x) - P.deriv()(x) * x)


@checkpoint("Calculus: partial derivatives", atol=1e-9, count=15)
def partial_derivatives(lib, x, y):
    return lib.drills.calculus.partials(x, y)


@partial_derivatives.cases
def _(draw):
    return dict(x=draw.uniform(-2.0, 2.0), y=draw.uniform(-2.0, 2.0))


@partial_derivatives.edges
def _():
    return [dict(x=1.0, y=2.0), dict(x=0.0, y=3.0)]


@partial_derivatives.oracle
def _(x, y):
    def f(s, t):
        return s * s * t + cmath.sin(s * t)

    return np.array([slope(lambda s: f(s, y), x), slope(lambda t: f(x, t), y)])


@checkpoint("Calculus: the chain rule, through a small network", atol=1e-9, count=15)
def chain_rule(lib, w, b, x, target):
    return lib.drills.calculus.loss_slopes(w, b, x, target)


@chain_rule.cases
def _(draw):
    return dict(
        w=draw.uniform(-2.0, 2.0),
        b=draw.uniform(-1.0, 1.0),
        x=draw.uniform(-2.0, 2.0),
        target=draw.choice([1.0, -1.0, 0.5]),
    )


@chain_rule.edges
def _():
    return [dict(w=0.5, b=0.0, x=2.0, target=1.0), dict(w=1.0, b=0.0, x=0.0, target=1.0)]


@chain_rule.oracle
def _(w, b, x, target):
    def loss(w, b):
        return (cmath.tanh(w * x + b) - target) ** 2

    return np.array([slope(lambda w: loss(w, b), w), slope(lambda b: loss(w, b), b)])


@checkpoint("Calculus: the lowest point of a parabola", atol=1e-9, count=15)
def lowest_points(lib, a, b, c):
    try:
        return lib.drills.calculus.lowest(a, b, c)
    except ValueError:
        return "ValueError"


@lowest_points.cases
def _(draw):
    a = draw.choice([1.0, 2.0, 0.5, -1.0, 3.0])
    return dict(a=a, b=draw.uniform(-4.0, 4.0), c=draw.uniform(-4.0, 4.0))


@lowest_points.edges
def _():
    return [dict(a=2.0, b=-4.0, c=5.0), dict(a=0.0, b=1.0, c=0.0), dict(a=-1.0, b=1.0, c=0.0)]


@lowest_points.oracle
def _(a, b, c):
    P = np.polynomial.Polynomial([c, b, a])
    return (float(P.deriv().roots()[0]), float(P(P.deriv().roots()[0]))) if a > 0 else "ValueError"


@checkpoint("Calculus: an area, and a function as a sum", atol=1e-9, count=15)
def sums(lib, c, low, width, n, x):
    def f(t):
        return float(np.polyval(c[::-1], t))

    return {
        "area": lib.drills.calculus.area(f, low, low + width, n),
        "exp_series": lib.drills.calculus.exp_series(x, n),
    }


@sums.cases
def _(draw):
    c = draw.integers(-3, 3, draw.integer(1, 4)).astype(float)
    return dict(
        c=c,
        low=draw.choice([0.0, -1.0, 1.0]),
        width=draw.choice([1.0, 2.0, 0.5]),
        n=draw.integer(1, 8),
        x=draw.uniform(-3.0, 3.0),
    )


@sums.edges
def _():
    return [dict(c=np.array([0.0, 1.0]), low=0.0, width=1.0, n=1, x=1.0), dict(c=np.array([1.0, 0.0, 3.0]), low=-1.0, width=2.0, n=4, x=0.0)]  # fmt: skip


@sums.oracle
def _(c, low, width, n, x):
    ends = np.linspace(low, low + width, n + 1)
    heights = np.polynomial.Polynomial(c)(ends)
    return {
        "area": float(np.sum((heights[1:] + heights[:-1]) / 2 * np.diff(ends))),
        "exp_series": math.fsum(x**k / math.factorial(k) for k in range(n)),
    }
