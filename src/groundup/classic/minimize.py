"""Ways down a convex valley: with its curvature, with a memory of it, and around the kinks that an L1 price puts in it.

Newton's method puts a parabola under each point, with the right slopes and curvatures, and goes to its minimum. L-BFGS has
no curvatures: it infers them from how the gradient has changed over its last few steps. A price on |x| adds kinks, where
there is no gradient; the parabola with kinks has no formula for its minimum, and coordinates take turns to find it.

Nocedal and Wright, Numerical Optimization (2nd edition, 2006), sections 3.1 and 7.2. Friedman, Hastie and Tibshirani,
Regularization Paths for Generalized Linear Models via Coordinate Descent (2010). Lee, Sun and Saunders, Proximal
Newton-Type Methods for Minimizing Composite Functions (2014).
"""

from collections import deque
from typing import NamedTuple

import numpy as np

from .linear import solve_cholesky

ROUNDING = 8 * np.finfo(np.float64).eps  # what a value of size 1 may be wrong by


class Minimum(NamedTuple):  # given
    """Where a search has ended.

    x (m,): the point. n_iter: how many steps led there. converged: whether the search ended because there was nothing left
    to gain, and not because it ran out of steps.
    """

    x: np.ndarray
    n_iter: int
    converged: bool


def violation(x, gradient, l1=0.0):
    """How steep it still goes down at x along the steepest coordinate, for a smooth function plus the sum of l1 * |x|.

    x (m,), gradient (m,) of the smooth part at x, l1 (m,) or a number, >= 0 -> float, 0 exactly at a minimum.
    Where x_j is not 0 it is |gradient_j + l1_j sign(x_j)|. Where x_j is 0 there is a kink: to the left it goes down at the
    rate gradient_j - l1_j, to the right at -gradient_j - l1_j, and where neither is positive it is 0.
    """
    smooth = np.abs(gradient + l1 * np.sign(x))
    kink = np.maximum(np.abs(gradient) - l1, 0.0)
    return float(np.max(np.where(x == 0, kink, smooth)))


def wolfe_step(function, x, value, slope, direction, step=1.0):
    """How far to go along a direction of descent of a convex function.

    function: x (m,) -> its value and its gradient (m,). value: that at x; slope: gradient at x times direction, < 0.
    direction (m,); step: the first to try, > 0.
    Returns a step t, and the value and the gradient at x + t * direction, such that both of Wolfe's conditions hold:
    the value has fallen by at least 1e-4 * t * |slope| (up to its own rounding), and the slope along the direction is at
    most 0.9 * |slope| in size. A step that is too long halves the bracket, one that is too short doubles the step until
    there is a bracket. None if fifty attempts do not find one.

    Nocedal and Wright, equations 3.7.
    """
    low, high = 0.0, np.inf
    for _ in range(50):
        new_value, new_gradient = function(x + step * direction)
        new_slope = new_gradient @ direction
        if new_value > value + 1e-4 * step * slope + _rounding(value) or new_slope > -0.9 * slope:
            high = step
        elif new_slope < 0.9 * slope:
            low = step
        else:
            return step, new_value, new_gradient
        step = 2.0 * low if high == np.inf else (low + high) / 2.0
    return None


def two_loop(gradient, steps, changes):
    """The direction -B g of L-BFGS, where B is the inverse of the curvature as the last steps have shown it.

    gradient (m,); steps: a sequence of moves s (m,), oldest first; changes: of the changes y (m,) of the gradient over them,
    s'y > 0. Without any, it is -g. Else B is what BFGS makes of (s'y / y'y) I, with the newest pair's s and y, by one update
    for each pair, oldest first: B <- V'BV + rho s s', rho = 1 / s'y, V = I - rho y s'. B itself is never formed.
    Nocedal and Wright, algorithm 7.4.
    """
    q, taken = gradient.copy(), []
    for s, y in zip(reversed(steps), reversed(changes)):
        rho = 1.0 / (s @ y)
        alpha = rho * (s @ q)
        q -= alpha * y
        taken.append((s, y, rho, alpha))
    if taken:
        s, y, rho, _ = taken[0]  # the newest pair
        q /= rho * (y @ y)
    for s, y, rho, alpha in reversed(taken):
        q += (alpha - rho * (y @ q)) * s
    return -q


def lbfgs(function, x, tol=1e-4, max_iter=100, memory=10):
    """The minimum of a smooth convex function, from its gradients alone.

    function: x (m,) -> its value and its gradient (m,). Starts at x, which is not changed, and ends once no derivative is
    larger than tol in size, after max_iter steps, or once fifty in a row have changed the value by no more than rounding does.
    memory: how many pairs of a step and the change of the gradient are kept. The first step tried has length 1; later ones
    are the direction itself.
    Returns a Minimum.
    """
    value, gradient = function(x)
    steps, changes, in_vain = deque(maxlen=memory), deque(maxlen=memory), 0
    for n_iter in range(max_iter):
        if violation(x, gradient) <= tol or in_vain == 50:
            return Minimum(x, n_iter, True)
        direction = two_loop(gradient, steps, changes)
        slope = gradient @ direction
        found = wolfe_step(function, x, value, slope, direction, 1.0 if steps else 1.0 / np.linalg.norm(direction))
        if found is None:
            return Minimum(x, n_iter, bool(-slope <= _rounding(value)))
        step, new_value, new_gradient = found
        in_vain = in_vain + 1 if value - new_value <= _rounding(value) else 0
        value, s, y = new_value, step * direction, new_gradient - gradient
        if s @ y > ROUNDING * (y @ y):
            steps.append(s)
            changes.append(y)
        x, gradient = x + s, new_gradient
    return Minimum(x, max_iter, violation(x, gradient) <= tol)


def newton_direction(gradient, hessian):
    """The move d that solves hessian d = -gradient: to the minimum of the parabola that has these derivatives.

    gradient (m,), hessian (m, m), symmetric, no eigenvalue negative -> (m,). Each diagonal element is first enlarged by 1e-12
    of itself (an element that is 0 becomes 1), so that there is an answer where the matrix is singular.
    """
    diagonal = np.diag(hessian)
    damped = hessian + np.diag(np.where(diagonal > 0, 1e-12 * diagonal, 1.0))
    try:
        return solve_cholesky(damped, -gradient)
    except np.linalg.LinAlgError:  # rounding has made an eigenvalue negative by more than that
        return np.linalg.lstsq(damped, -gradient, rcond=None)[0]


def lasso_direction(gradient, hessian, x, l1, tol=1e-10, max_sweeps=1000):
    """The move d with the least gradient'd + d'hessian d / 2 + the sum of l1 * |x + d|, by coordinate descent.

    gradient (m,), hessian (m, m), x (m,), l1 (m,) >= 0 -> (m,). One coordinate after the other goes to its minimum given
    all others: with h its diagonal element, u = x + d and r = gradient + hessian d, that is the soft threshold
    sign(v) max(|v| - l1, 0) / h of v = h u - r. A coordinate whose h is 0 stays. Sweeps go on until the violation of this
    problem is at most tol. Where the best u_j is zero, d_j is -x_j to the last bit: x + d holds exact zeros.
    Friedman, Hastie and Tibshirani (2010), equation 10.
    """
    u, r = x.astype(np.float64), gradient.astype(np.float64)
    curvature, prices = hessian.diagonal().tolist(), l1.tolist()
    for _ in range(max_sweeps):
        if violation(u, r, l1) <= tol:
            break
        for j in np.flatnonzero((u != 0) | (np.abs(r) > l1)).tolist():  # the others stay at 0
            h, price, old = curvature[j], prices[j], u.item(j)
            if h > 0:
                v = h * old - r.item(j)
                u[j] = new = (v - price) / h if v > price else (v + price) / h if v < -price else 0.0
                r += (new - old) * hessian[j]
        r += hessian @ _slide(u, r, hessian, l1)
    return u - x


def _slide(u, r, hessian, l1):
    """Moves all coordinates that are not held at 0 together, in place, and returns the move (m,).

    As long as no sign changes, the problem of these is a parabola: they go to its minimum, or as far as to where the first
    of them meets 0. Taking turns alone, nearly parallel columns would need thousands of sweeps; on 50 columns with 20 that
    matter an L1 fit took four times as long.
    """
    loose = np.flatnonzero((u != 0) | (l1 == 0))
    move = np.zeros(len(u))
    move[loose] = newton_direction((r + l1 * np.sign(u))[loose], hessian[np.ix_(loose, loose)])
    towards = (u * move < 0) & (l1 > 0)
    room = np.full(len(u), np.inf)
    room[towards] = -u[towards] / move[towards]
    first = np.argmin(room)
    move *= min(1.0, room[first])
    if room[first] <= 1:
        move[first] = -u[first]
    u += move
    return move


def newton(objective, gradient, hessian, x, l1=None, tol=1e-4, max_iter=100):
    """The minimum of a smooth convex function plus the sum of l1 * |x|, by Newton's method.

    objective, gradient, hessian: of the smooth part, x (m,) -> float, (m,), (m, m). l1 (m,) >= 0; None for none. Starts at
    x, which is not changed. Each direction is newton_direction's, or lasso_direction's where there is an l1. The step is
    halved from 1 until the value has fallen by 1e-4 of what the slope promises: the gradient times the move, plus the change of
    the sum of l1 * |x| over the whole direction. Ends once the violation is at most tol, after max_iter steps, or with a
    step after which the value is the same up to rounding.
    Returns a Minimum.
    """
    price = np.zeros(len(x)) if l1 is None else l1
    value, g = objective(x) + price @ np.abs(x), gradient(x)
    for n_iter in range(max_iter):
        steepest = violation(x, g, price)
        if steepest <= tol:
            return Minimum(x, n_iter, True)
        if l1 is None:
            direction = newton_direction(g, hessian(x))
        else:
            direction = lasso_direction(g, hessian(x), x, price, tol=0.03 * steepest)
        promise = g @ direction + price @ (np.abs(x + direction) - np.abs(x))  # < 0
        step, rounding = 1.0, _rounding(value)
        while (new := objective(y := x + step * direction) + price @ np.abs(y)) > (
            value + 1e-4 * step * promise + rounding
        ):
            step /= 2.0
        if value - new <= rounding:
            return Minimum(y, n_iter + 1, True)
        x, value, g = y, new, gradient(y)
    return Minimum(x, max_iter, violation(x, g, price) <= tol)


def _rounding(value):
    """What a value may be wrong by: a mean of losses that is small is the difference of numbers that are not."""
    return ROUNDING * max(abs(value), 1.0)
