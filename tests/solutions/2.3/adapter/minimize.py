"""SciPy behind the signatures of lesson 2.3."""

from typing import NamedTuple

import numpy as np
import scipy.optimize


class Minimum(NamedTuple):
    x: np.ndarray
    n_iter: int
    converged: bool


def violation(x, gradient, l1=0.0):
    """How far from the point a step of proximal descent leads, with a step too small to cross 0."""
    tiny = 1e-9
    moved = x - tiny * gradient
    after = np.sign(moved) * np.maximum(np.abs(moved) - tiny * l1, 0.0)
    return float(np.max(np.abs(np.where(x == 0, after, tiny * (gradient + l1 * np.sign(x))))) / tiny)


def wolfe_step(function, x, value, slope, direction, step=1.0):
    """To the bottom of the valley along the direction, where both conditions hold."""

    def along(t):
        return function(x + t * direction)[1] @ direction

    while along(step) < 0:
        step *= 2.0
    t = scipy.optimize.brentq(along, 0.0, step, xtol=1e-12)
    return (t, *function(x + t * direction))


def two_loop(gradient, steps, changes):
    if not len(steps):
        return -gradient
    inverse = scipy.optimize.BFGS(init_scale=1.0)
    inverse.initialize(len(gradient), "inv_hess")
    s, y = steps[-1], changes[-1]
    inverse.B = None
    inverse.H = np.eye(len(gradient)) * (s @ y) / (y @ y)
    inverse.first_iteration = False
    for s, y in zip(steps, changes):
        inverse.update(s, y)
    return -inverse.dot(gradient)


def lbfgs(function, x, tol=1e-4, max_iter=100, memory=10):
    options = {"gtol": tol, "ftol": 0.0, "maxiter": max_iter, "maxcor": memory}
    found = scipy.optimize.minimize(function, x, jac=True, method="L-BFGS-B", options=options)
    return Minimum(found.x, found.nit, bool(np.abs(found.jac).max() <= tol))


def newton_direction(gradient, hessian):
    return -np.linalg.pinv(hessian, rcond=1e-13, hermitian=True) @ gradient


def lasso_direction(gradient, hessian, x, l1, tol=1e-10, max_sweeps=1000):
    """As a problem with bounds: u is the difference of two parts that are not negative; then exactly, on its support."""
    m = len(x)
    linear = gradient - hessian @ x

    def split(parts):
        u = parts[:m] - parts[m:]
        slopes = hessian @ u + linear
        return u @ hessian @ u / 2 + linear @ u + l1 @ (parts[:m] + parts[m:]), np.concatenate(
            [slopes + l1, l1 - slopes]
        )

    options = {"maxiter": 5000, "maxfun": 50_000, "ftol": 0.0, "gtol": 1e-12}
    bounds = [(0.0, None)] * (2 * m)
    parts = scipy.optimize.minimize(
        split, np.zeros(2 * m), jac=True, method="L-BFGS-B", bounds=bounds, options=options
    ).x
    u = parts[:m] - parts[m:]
    u[(np.abs(u) < 1e-6) & (l1 > 0)] = 0.0
    held = (u == 0) & (l1 > 0)
    u[~held] = np.linalg.lstsq(hessian[np.ix_(~held, ~held)], -(linear + l1 * np.sign(u))[~held], rcond=None)[0]
    return u - x


def newton(objective, gradient, hessian, x, l1=None, tol=1e-4, max_iter=100):
    if l1 is None:
        options = {"gtol": tol / 2, "maxiter": 1000}
        found = scipy.optimize.minimize(objective, x, jac=gradient, hess=hessian, method="trust-exact", options=options)
        x = found.x
        if violation(x, gradient(x)) > tol:  # it asks for a fall of the value, and rounding leaves none that close
            x = scipy.optimize.root(gradient, x, jac=hessian).x
        return Minimum(x, found.nit, bool(violation(x, gradient(x)) <= tol))
    for n_iter in range(max_iter):
        g = gradient(x)
        if violation(x, g, l1) <= tol:
            return Minimum(x, n_iter, True)
        d = lasso_direction(g, hessian(x), x, l1)

        def along(t, x=x, d=d):
            return objective(x + t * d) + l1 @ np.abs(x + t * d)

        x = (
            x + d
            if along(1.0) <= along(0.0)
            else x + scipy.optimize.minimize_scalar(along, bounds=(0, 1), method="bounded").x * d
        )
    return Minimum(x, max_iter, False)
