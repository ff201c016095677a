"""Derivatives by differences, and a check of gradients against them.

The slope of a function between two points close together is almost its derivative, whatever the function. That is too
slow to train with, two evaluations for each number that may change, and it is what every faster gradient is measured
against. How close together? Too far apart and the curve bends in between, too near and the difference drowns in
rounding error: between the two lies a best step.

Nocedal and Wright, Numerical Optimization (2nd ed., 2006), section 8.1.
"""

from typing import NamedTuple

import numpy as np

STEP = np.finfo(np.float64).eps ** (1 / 3)  # 6.06e-6


class GradientCheck(NamedTuple):  # given
    """What a gradient check found.

    passed: whether every entry agrees (bool).
    error: the largest relative error of any entry (float).
    index: where that entry is (a tuple of ints, one for each axis of x).
    """

    passed: bool
    error: float
    index: tuple


def derivative(f, x, h=None):
    """The derivative of f at x by a central difference: (f(x + h) - f(x - h)) / 2h.

    f: takes a float, returns a number. x: an int or a float. h: the step, > 0; without one, STEP times |x| or 1,
    whichever of these is larger. Returns a float. With that step, wrong by some 1e-10 of the size of f, if f is smooth
    over distances of |x| or 1.
    """
    x = float(x)
    if h is None:
        h = STEP * max(1.0, abs(x))
    up, down = x + h, x - h
    return float(f(up) - f(down)) / (up - down)  # the distance as rounded, not 2h: x + h is not exactly h away


def gradient(f, x, h=None):
    """The derivative of f along every element of x, each by a central difference like that of `derivative`.

    f: takes a float64 array of the shape of x, returns a number. x: an array of any shape, of floats or integers; it is
    not changed, not even for a while. h: the step for every element; without one, each element has its own, STEP times
    its size or 1, whichever is larger. Returns float64 of the shape of x.
    """
    x = np.array(x, dtype=np.float64)  # a copy, to be nudged
    slopes = np.empty_like(x)
    for i in np.ndindex(x.shape):
        centre = x[i]
        step = STEP * max(1.0, abs(centre)) if h is None else h
        up, down = centre + step, centre - step
        x[i] = up
        above = float(f(x))
        x[i] = down
        below = float(f(x))
        slopes[i] = (above - below) / (up - down)
        x[i] = centre
    return slopes


def directional_derivative(f, x, v, h=None):
    """The derivative of f(x + t v) along t at t = 0, by a central difference: how f changes as x moves along v.

    It equals the sum of gradient * v, in two evaluations of f, however many elements x has.
    f: takes a float64 array of the shape of x, returns a number. x, v: arrays of one shape; neither is changed. h: the
    step in t; without one, that with which the fastest element moves by STEP times the largest |x|, or 1 if this is
    larger. Returns a float; 0.0 where v is zero.
    """
    x, v = np.asarray(x, dtype=np.float64), np.asarray(v, dtype=np.float64)
    fastest = np.abs(v).max(initial=0.0)
    if fastest == 0.0:
        return 0.0
    if h is None:
        h = STEP * max(1.0, np.abs(x).max()) / fastest
    return derivative(lambda t: f(x + t * v), 0.0, h)


def relative_error(a, b, floor=0.0):
    """How far apart a and b are, entry by entry, for their size: |a - b| / max(|a|, |b|, floor), and 0 where a equals b.

    a, b: arrays of one shape, or numbers. floor: what the size counts as at least (a number, >= 0). Returns float64 of
    that shape: 1e-3 says that they agree to three digits, 2 that only the sign differs. NaN where a or b is not
    finite. Raises ValueError where the shapes differ: nothing is broadcast.
    """
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if a.shape != b.shape:
        raise ValueError(f"a has shape {a.shape}, and b {b.shape}")
    with np.errstate(invalid="ignore"):
        distance = np.abs(a - b)  # inf - inf is NaN
        size = np.maximum(np.maximum(np.abs(a), np.abs(b)), floor)
        return distance / np.where(distance == 0.0, 1.0, size)


def gradient_check(f, claimed, x, tolerance=1e-6, h=None):
    """Whether `claimed` is the gradient of f at x: every entry is compared with `gradient`.

    f, x, h: as for `gradient`. claimed: the gradient to be checked, of the shape of x. tolerance: the largest relative
    error that passes. Returns a GradientCheck; a claimed NaN is the worst error of all, and does not pass.

    Rounding leaves something where a derivative is 0, and more of it where f is large. So the floor of the relative
    error is a thousandth of |f(x)| or of the largest entry by differences, whichever is larger.
    Raises ValueError where the shapes differ, and where x is empty: to have examined nothing is no pass.
    """
    x, claimed = np.asarray(x, dtype=np.float64), np.asarray(claimed, dtype=np.float64)
    if x.size == 0:
        raise ValueError("x is empty: there is nothing to check")
    measured = gradient(f, x, h)
    scale = max(abs(float(f(x))), np.abs(measured).max())
    errors = relative_error(claimed, measured, floor=1e-3 * scale)
    worst = np.unravel_index(np.argmax(errors), errors.shape)  # argmax takes the first NaN, if there is one
    return GradientCheck(bool(errors[worst] <= tolerance), float(errors[worst]), tuple(map(int, worst)))
