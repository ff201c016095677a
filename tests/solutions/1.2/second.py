"""Lesson 1.2 by another route: nudges along the columns of an identity, and a check by a loop over entries."""

import math
from typing import NamedTuple

import numpy as np

STEP = np.finfo(np.float64).eps ** (1 / 3)


class GradientCheck(NamedTuple):
    passed: bool
    error: float
    index: tuple


def directional_derivative(f, x, v, h=None):
    x, v = np.array(x, dtype=float), np.array(v, dtype=float)
    if not v.any():
        return 0.0
    if h is None:
        h = STEP * max([1.0, *np.abs(x).ravel()]) / max(np.abs(v).ravel())
    return (f(x + h * v) - f(x - h * v)) / (2 * h)


def gradient(f, x, h=None):
    x = np.array(x, dtype=float)
    slopes = [
        directional_derivative(f, x, unit.reshape(x.shape), h or STEP * max(1.0, abs(unit @ x.ravel())))
        for unit in np.eye(x.size)
    ]
    return np.array(slopes, dtype=float).reshape(x.shape)


def derivative(f, x, h=None):
    return float(gradient(lambda z: f(float(z)), x, h))


def relative_error(a, b, floor=0.0):
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.shape != b.shape:
        raise ValueError("two shapes")
    errors = np.zeros(a.shape)
    for i in np.ndindex(a.shape):
        p, q = float(a[i]), float(b[i])
        if not (math.isfinite(p) and math.isfinite(q)):
            errors[i] = math.nan
        elif p != q:
            errors[i] = abs(p - q) / max(abs(p), abs(q), floor)
    return errors


def gradient_check(f, claimed, x, tolerance=1e-6, h=None):
    x = np.asarray(x, dtype=float)
    if not x.size:
        raise ValueError("nothing to check")
    if np.shape(claimed) != x.shape:
        raise ValueError("two shapes")
    truth = gradient(f, x, h)
    errors = relative_error(claimed, truth, max(abs(float(f(x))), np.abs(truth).max()) / 1000)
    worst, at = -1.0, ()
    for i in np.ndindex(x.shape):
        error = math.inf if math.isnan(errors[i]) else float(errors[i])
        if error > worst:
            worst, at = error, i
    return GradientCheck(worst <= tolerance, float(errors[at]), at)
