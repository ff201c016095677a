"""The figures of lesson 1.2."""

import matplotlib.pyplot as plt
import numpy as np

from groundup.course.figures import INK
from groundup.grad.check import STEP, gradient, relative_error

FORWARD, SINGLE, TOLERANCE = "#a8402a", "#8a6410", "#2b7a9e"


def steps():
    """Errors of difference quotients of sin at 1 against the step: the median over points around 1."""
    h = 10.0 ** np.arange(-15, 0.01, 0.1)[:, None]  # (steps, 1)
    x = np.linspace(0.95, 1.05, 41)  # (points,)

    def error(quotient):
        return np.median(np.abs(quotient - np.cos(x)), axis=1)

    def sin32(x):
        return np.sin(x.astype(np.float32)).astype(np.float64)

    figure, axes = plt.subplots(figsize=(6.2, 3.4))
    axes.loglog(h, error((np.sin(x + h) - np.sin(x)) / h), color=FORWARD, label="one side")
    axes.loglog(h, error((np.sin(x + h) - np.sin(x - h)) / (2 * h)), color=INK, label="both sides")
    wide = h[h[:, 0] > 1e-8]
    axes.loglog(
        wide, error((sin32(x + wide) - sin32(x - wide)) / (2 * wide)), color=SINGLE, label="both sides, float32"
    )
    axes.axvline(STEP, color=INK, lw=0.7, ls=":")
    axes.text(STEP * 1.3, 0.7, "6.06e-6", fontsize=9)
    axes.set_ylim(1e-13, 3)
    axes.set_xlabel("step h")
    axes.set_ylabel("error of the slope")
    axes.legend(loc="lower left", fontsize=9)
    return figure


def gap():
    """Relative errors of the entries of a gradient that is right but for three planted mistakes."""
    rng = np.random.default_rng(2)
    X, W, u = rng.standard_normal((8, 6)), rng.standard_normal((6, 5)), rng.standard_normal((8, 5))

    def f(W):
        return np.sum(np.tanh(X @ W) * u)

    claimed = X.T @ (u * (1 - np.tanh(X @ W) ** 2))  # (6, 5)
    planted = {3: 1.001, 14: 0.5, 22: -1.0}
    for at, factor in planted.items():
        claimed.flat[at] *= factor
    measured = gradient(f, W)
    errors = relative_error(claimed, measured, floor=1e-3 * max(abs(f(W)), np.abs(measured).max())).ravel()
    wrong = np.isin(np.arange(errors.size), list(planted))
    figure, axes = plt.subplots(figsize=(6.2, 2.7))
    axes.semilogy(np.flatnonzero(~wrong), errors[~wrong], "o", color=INK, ms=4)
    axes.semilogy(np.flatnonzero(wrong), errors[wrong], "D", color=FORWARD, ms=5)
    for at, says in zip(planted, ("0.1 % off", "half", "sign")):
        axes.text(at + 0.6, errors[at], says, color=FORWARD, fontsize=9, va="center")
    axes.axhline(1e-6, color=TOLERANCE, lw=1)
    axes.text(29.4, 1.6e-6, "tolerance", color=TOLERANCE, fontsize=9, ha="right")
    axes.set_ylim(1e-13, 10)
    axes.set_xlabel("entry of the gradient")
    axes.set_ylabel("relative error")
    return figure
