"""Lesson 1.2 on SciPy's three-point differences."""

from typing import NamedTuple

import numpy as np
from scipy.optimize._numdiff import approx_derivative

STEP = np.finfo(np.float64).eps ** (1 / 3)


class GradientCheck(NamedTuple):
    passed: bool
    error: float
    index: tuple


def gradient(f, x, h=None):
    x = np.asarray(x, dtype=np.float64)
    if x.size == 0:
        return np.zeros(x.shape)
    steps = STEP * np.maximum(1.0, np.abs(x.ravel())) if h is None else h
    slopes = approx_derivative(lambda z: float(f(z.reshape(x.shape))), x.ravel(), method="3-point", abs_step=steps)
    return np.asarray(slopes).reshape(x.shape)


def derivative(f, x, h=None):
    return float(gradient(lambda z: f(float(z)), x, h))


def directional_derivative(f, x, v, h=None):
    reach = np.abs(v).max()
    if reach == 0:
        return 0.0
    step = STEP * max(1.0, np.abs(x).max()) / reach if h is None else h
    return float(f(x + step * v) - f(x - step * v)) / (2 * step)  # approx_derivative asks for f(x) as well


def relative_error(a, b, floor=0.0):
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if a.shape != b.shape:
        raise ValueError("shapes")
    with np.errstate(all="ignore"):
        errors = np.abs(a - b) / np.max([np.abs(a), np.abs(b), np.full(a.shape, floor)], axis=0)
    return np.where(a == b, 0.0, np.where(np.isfinite(a) & np.isfinite(b), errors, np.nan))


def gradient_check(f, claimed, x, tolerance=1e-6, h=None):
    x = np.asarray(x, dtype=np.float64)
    if x.size == 0:
        raise ValueError("empty")
    measured = gradient(f, x, h)
    errors = relative_error(claimed, measured, 1e-3 * max(abs(f(x)), np.abs(measured).max()))
    index = np.unravel_index(np.argmax(np.where(np.isnan(errors), np.inf, errors)), x.shape)
    return GradientCheck(bool(errors[index] <= tolerance), float(errors[index]), index)
