"""The figures of lesson 2.1."""

import matplotlib.pyplot as plt
import numpy as np

from groundup.classic.linear import LinearRegression, ridge_path, solve_least_squares
from groundup.course.figures import INK

GOOD, BAD = "#2b7a9e", "#a8402a"


def digits():
    """The error of the weights by the normal equations and by factoring A, against A's condition number."""
    rng = np.random.default_rng(0)
    conditions = np.logspace(0, 14, 29)
    errors = {"normal equations": [], "QR and SVD of A": []}
    for condition in conditions:
        squared, direct = [], []
        for _ in range(15):
            U, _ = np.linalg.qr(rng.normal(size=(40, 5)))
            V, _ = np.linalg.qr(rng.normal(size=(5, 5)))
            A = (U * np.logspace(0, -np.log10(condition), 5)) @ V.T
            x = rng.normal(size=5)
            b = A @ x
            direct.append(np.linalg.norm(solve_least_squares(A, b)[0] - x) / np.linalg.norm(x))
            squared.append(np.linalg.norm(_normal_equations(A, b) - x) / np.linalg.norm(x))
        errors["normal equations"].append(np.nanmedian(squared))
        errors["QR and SVD of A"].append(np.median(direct))
    figure, axes = plt.subplots(figsize=(6.0, 3.0))
    for error, colour in zip(errors.values(), (BAD, GOOD)):
        axes.loglog(conditions, error, color=colour, lw=2)
    axes.axhline(1.0, color=INK, lw=0.6, ls=":")
    axes.text(1.2e4, 3e-5, "normal equations", color=BAD, ha="right")
    axes.text(1e10, 3e-9, "QR and SVD of A", color=GOOD)
    axes.text(1.5, 2.0, "no digit right", color=INK)
    axes.set_ylim(1e-17, 1e3)
    axes.set_xlabel("condition number of A")
    axes.set_ylabel("relative error of the weights")
    return figure


def valley():
    """The loss of the two thermometers over both weights, with least squares and the path of ridge."""
    rng = np.random.default_rng(1)
    first = rng.normal(size=30)
    X = np.column_stack([first, first + rng.normal(scale=0.01, size=30)])
    y = X.sum(axis=1) + rng.normal(size=30)
    least = LinearRegression().fit(X, y)
    path, _ = ridge_path(X, y, np.logspace(-6, 4, 200))
    Xc, yc = X - X.mean(axis=0), y - y.mean()
    u, v = np.meshgrid(np.linspace(-12, 44, 200), np.linspace(-42, 14, 200))
    loss = sum((yc[i] - Xc[i, 0] * u - Xc[i, 1] * v) ** 2 for i in range(len(yc)))
    figure, axes = plt.subplots(figsize=(4.6, 4.2))
    axes.contour(u, v, loss, levels=loss.min() * np.array([1.02, 2, 8, 40, 150]), colors=INK, linewidths=0.6, alpha=0.6)
    axes.plot(path[:, 0], path[:, 1], color=GOOD, lw=2)
    axes.plot(*least.coef_, "o", color=BAD)
    axes.plot(1, 1, "o", color=INK, ms=5)
    axes.plot(0, 0, "+", color=INK)
    axes.annotate("least squares", least.coef_, (-2, -16), textcoords="offset points", color=BAD, ha="right")
    axes.annotate("ridge, as its price rises", path[60], (-6, -14), textcoords="offset points", color=GOOD, ha="right")
    axes.annotate("truth", (1, 1), (8, 6), textcoords="offset points", color=INK)
    axes.set_xlabel("weight of the first thermometer")
    axes.set_ylabel("weight of the second")
    return figure


def _normal_equations(A, b):
    """The weights, or NaN where A'A has become singular by rounding."""
    try:
        return np.linalg.solve(A.T @ A, A.T @ b)
    except np.linalg.LinAlgError:
        return np.full(A.shape[1], np.nan)
