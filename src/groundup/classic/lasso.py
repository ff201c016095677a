"""Lasso and elastic net: least squares with a price on the size of the weights, which makes some of them exactly zero.

Minimises ||y - Xw||^2 / 2n + alpha l1_ratio ||w||_1 + alpha (1 - l1_ratio) / 2 ||w||^2, the lasso at l1_ratio = 1. With all
other weights held fast the best value of one is known: a soft threshold. Coordinate descent sets one weight after the
other to it, and a duality gap says how far from the least objective it can still be.

Hastie, Tibshirani and Wainwright, Statistical Learning with Sparsity (2015), sections 2.4, 4.2, 5.4 and 5.10. Friedman,
Hastie and Tibshirani, Regularization paths for generalized linear models via coordinate descent (2010). Kim, Koh, Lustig,
Boyd and Gorinevsky, An interior-point method for large-scale l1-regularized least squares (2007), section III.
"""

from math import copysign

import numpy as np

from .linear import LinearModel
from .validation import ConvergenceWarning, check_array, check_number, check_weights, check_Xy, warn

LEAST_ALPHA = 1e-15  # where a path begins if even without a price all weights are zero
_MOST_GRAM_COLUMNS = 1000  # beyond, X'X costs more than the sweeps that it spares


def soft_threshold(z, threshold):
    """z moved towards zero by threshold >= 0, and zero where it is no further away than that.

    z a number or an array of any shape, threshold a number -> as z. It is the v with the least (v - z)^2 / 2 + threshold |v|.
    """
    return z - np.clip(z, -threshold, threshold)


def objective(X, y, w, alpha, l1_ratio=1.0):
    """What is minimised: X (n, p), y (n,), w (p,), alpha >= 0, l1_ratio in [0, 1] -> float, in the units of y squared.

    ||y - Xw||^2 / 2n + alpha l1_ratio ||w||_1 + alpha (1 - l1_ratio) / 2 ||w||^2, ||w||_1 the sum of the sizes. X and y
    are taken as they are: whoever wants an intercept centres them first. So do all functions of this file.
    """
    residual = y - X @ w
    l1, l2 = _prices(alpha, l1_ratio)
    return float(residual @ residual / (2 * len(y)) + l1 * np.abs(w).sum() + l2 / 2 * (w @ w))


def alpha_max(X, y, l1_ratio=1.0):
    """The least alpha at which all weights are zero: X (n, p), y (n,), 0 < l1_ratio <= 1 -> float.

    The largest |X'y / n| over the columns, divided by l1_ratio. Raises ValueError for l1_ratio = 0: ridge has no such alpha.
    """
    check_number("l1_ratio", l1_ratio, low=0.0, high=1.0, open_low=True)
    return float(np.abs(X.T @ y).max() / (len(y) * l1_ratio))


def sweep(X, y, w, alpha, l1_ratio=1.0):
    """One round of coordinate descent: X (n, p), y (n,), w (p,) -> the new w (p,), float64; the given one is not changed.

    From the first column to the last, each weight is set to the value that is best while the others stay, those before it
    already at their new values. Alone, with r the residual that leaves column x out, that is
    soft_threshold(x'r / n, alpha l1_ratio) / (x'x / n + alpha (1 - l1_ratio)); for a column of zeros it is 0.
    """
    n = len(y)
    l1, l2 = _prices(alpha, l1_ratio)
    w = np.array(w, dtype=np.float64)
    residual = y - X @ w
    for j, (column, old) in enumerate(zip(X.T, w.tolist())):
        curvature = float(column @ column) / n
        w[j] = new = _best(float(column @ residual) / n + curvature * old, curvature, l1, l2)
        if new != old:
            residual -= (new - old) * column
    return w


def gram_sweep(Q, q, w, alpha, l1_ratio=1.0):
    """The same round from Q = X'X / n (p, p) and q = X'y / n (p,), without X: w (p,) -> the new w (p,).

    All that `sweep` asks of the data is x'r / n for each column x, and r the residual. For all columns at once that is
    q - Qw, so that a step costs p operations and not n.
    """
    l1, l2 = _prices(alpha, l1_ratio)
    w = np.array(w, dtype=np.float64)
    correlation = q - Q @ w  # (p,)
    for j, (row, curvature, old) in enumerate(zip(Q, Q.diagonal().tolist(), w.tolist())):
        w[j] = new = _best(correlation.item(j) + curvature * old, curvature, l1, l2)
        if new != old:
            correlation -= (new - old) * row
    return w


def duality_gap(X, y, w, alpha, l1_ratio=1.0):
    """How far above the least objective w can be, at most: X (n, p), y (n,), w (p,) -> float >= 0, in the units of y squared.

    Any vector v (n,) with |x'v / n| <= alpha for each column x of X bounds the lasso's objective from below by
    D(v) = (||y||^2 - ||y - v||^2) / 2n. Here v = s r, the residual r = y - Xw shrunk by the largest s <= 1 that fits, and
    the gap is objective(w) - D(v). The elastic net is the lasso of X with the rows sqrt(n alpha (1 - l1_ratio)) I below it
    and y with as many zeros, alpha l1_ratio its price, n what it was.

    Without an L1 price (alpha l1_ratio = 0) no s > 0 fits, and the gap is ||c||^2 / (2 alpha (1 - l1_ratio)) with
    c = X'r / n - alpha (1 - l1_ratio) w, the objective's slope; without any price n ||c||^2 stands for it.
    """
    residual = y - X @ w
    l1, l2 = _prices(alpha, l1_ratio)
    return _gap(w, X.T @ residual / len(y) - l2 * w, residual @ residual / len(y), l1, l2, len(y))


def enet_path(X, y, *, l1_ratio=0.5, eps=1e-3, alphas=100, coef_init=None, max_iter=1000, tol=1e-4):
    """The elastic net's weights for many alphas, each search starting from the weights of the alpha before.

    X (n, p) and y (n,), not centred here. alphas: how many, from alpha_max down to eps * alpha_max in equal ratios (where
    alpha_max is below 1e-15, all are 1e-15); or the alphas themselves (k,), in any order. coef_init: weights (p,) to start
    from, None for zeros. max_iter and tol as of ElasticNet, for each alpha.
    Returns the alphas from the largest down (k,), coefs (p, k), and the duality gap of each (k,).
    """
    check_number("l1_ratio", l1_ratio, low=0.0, high=1.0)
    X, y = check_array(X), check_array(np.reshape(y, (-1, 1)), "y")[:, 0]
    if np.ndim(alphas) == 0:
        check_number("alphas", alphas, low=1, integer=True)
        top = alpha_max(X, y, l1_ratio)
        alphas = np.geomspace(top, eps * top, alphas) if top > LEAST_ALPHA else np.full(alphas, LEAST_ALPHA)
    alphas = np.sort(np.asarray(alphas, dtype=np.float64))[::-1]
    check_number("alphas", alphas[-1], low=0.0)
    problem = _Problem(X, y)
    w = np.zeros(X.shape[1]) if coef_init is None else np.array(coef_init, dtype=np.float64)
    coefs, gaps = np.empty((len(w), len(alphas))), np.empty(len(alphas))
    for k, alpha in enumerate(alphas):
        w, gaps[k], _ = _descend(problem, w, alpha, l1_ratio, tol, max_iter)
        coefs[:, k] = w
    return alphas, coefs, gaps


def lasso_path(X, y, *, eps=1e-3, alphas=100, coef_init=None, max_iter=1000, tol=1e-4):
    """The lasso's weights for many alphas: enet_path at l1_ratio = 1."""
    return enet_path(X, y, l1_ratio=1.0, eps=eps, alphas=alphas, coef_init=coef_init, max_iter=max_iter, tol=tol)


class ElasticNet(LinearModel):
    """Least squares with an L1 and an L2 price on the weights; the intercept is not penalised.

    Parameters: alpha >= 0, the price; l1_ratio in [0, 1], the part of it that is L1; fit_intercept, whether there is a b;
    max_iter >= 1, the most sweeps; tol >= 0: the search ends when the duality gap is at most tol times the mean of y^2,
    which is looked at before the first sweep too; warm_start, whether a second fit starts from the coef_ of the first.
    Learns: coef_ (p,), with exact zeros; intercept_ (float); n_iter_ (int), the sweeps it took; dual_gap_ (float), the
    duality gap at coef_. Gap and tolerance are those of X and y as they are searched: centred if there is an intercept.
    """

    def __init__(self, alpha=1.0, *, l1_ratio=0.5, fit_intercept=True, max_iter=1000, tol=1e-4, warm_start=False):
        """Stores the parameters, and nothing else."""
        self.alpha, self.l1_ratio, self.fit_intercept = alpha, l1_ratio, fit_intercept
        self.max_iter, self.tol, self.warm_start = max_iter, tol, warm_start

    def fit(self, X, y, sample_weight=None):
        """X (n, p), y (n,), sample_weight (n,) >= 0 or None for 1 each -> self.

        Minimises the weighted mean of (y - Xw - b)^2 / 2, plus the prices. Warns with ConvergenceWarning if max_iter
        sweeps end above the tolerance, and with UserWarning for alpha = 0, for which LinearRegression is the better way.
        Raises ValueError for parameters out of range, NaN, infinity, lengths that differ, and overflow.
        """
        check_number("alpha", self.alpha, low=0.0)
        check_number("l1_ratio", self.l1_ratio, low=0.0, high=1.0)
        check_number("max_iter", self.max_iter, low=1, integer=True)
        check_number("tol", self.tol, low=0.0)
        X, y = check_Xy(self, X, y)
        if self.alpha == 0:
            warn(UserWarning, "alpha is 0, which is least squares: LinearRegression solves that directly")
        X, y, X_mean, y_mean = _centre(X, y, sample_weight, self.fit_intercept)
        w = self.coef_ if self.warm_start and hasattr(self, "coef_") else np.zeros(X.shape[1])
        self.coef_, self.dual_gap_, self.n_iter_ = _descend(
            _Problem(X, y), w, self.alpha, self.l1_ratio, self.tol, self.max_iter
        )
        self.intercept_ = float(y_mean - X_mean @ self.coef_)
        return self


class Lasso(ElasticNet):
    """Least squares with an L1 price on the weights: the elastic net at l1_ratio = 1.

    Parameters and what is learned: as ElasticNet's, without l1_ratio.
    """

    l1_ratio = 1.0

    def __init__(self, alpha=1.0, *, fit_intercept=True, max_iter=1000, tol=1e-4, warm_start=False):
        """Stores the parameters, and nothing else."""
        self.alpha, self.fit_intercept = alpha, fit_intercept
        self.max_iter, self.tol, self.warm_start = max_iter, tol, warm_start


def _prices(alpha, l1_ratio):
    """What a unit of |w| costs, and a unit of w^2 / 2."""
    return float(alpha * l1_ratio), float(alpha * (1.0 - l1_ratio))


def _best(z, curvature, l1, l2):
    """The best value of one weight: the soft threshold of a float, without the microsecond of a call to NumPy."""
    if abs(z) <= l1 or curvature + l2 == 0.0:
        return 0.0
    return (z - copysign(l1, z)) / (curvature + l2)


def _gap(w, slope, residual_square, l1, l2, n):
    """The duality gap from slope = X'r / n - l2 w (p,) and ||r||^2 / n.

    objective(w) - D(s r), multiplied out and sorted into parts that are all >= 0: small ones do not drown in rounding.
    """
    if l1 == 0.0:
        return float(slope @ slope) * (1.0 / (2.0 * l2) if l2 > 0.0 else n)
    s = l1 / np.maximum(l1, np.abs(slope).max())
    shrunk = (1.0 - s) ** 2 / 2.0 * (residual_square + l2 * (w @ w))
    return float(np.maximum(0.0, shrunk + l1 * np.abs(w).sum() - s * (w @ slope)))  # a NaN goes through


def _centre(X, y, sample_weight, fit_intercept):
    """The problem without an intercept and with weights of 1 that has the same w, and the means."""
    X_mean, y_mean = np.zeros(X.shape[1]), 0.0
    weights = None if sample_weight is None else check_weights(sample_weight, len(X))
    if fit_intercept:
        X_mean, y_mean = np.average(X, axis=0, weights=weights), np.average(y, weights=weights)
        X, y = X - X_mean, y - y_mean
    if weights is not None:
        root = np.sqrt(weights / weights.mean())  # so that the sum over n samples is n times the weighted mean
        X, y = X * root[:, None], y * root
    return X, y, X_mean, y_mean


class _Problem:
    """The data, as the search asks for them: by X'X / n where that is small beside X, else by residuals."""

    def __init__(self, X, y):
        n, p = X.shape
        self.X, self.y, self.n = X, y, n
        self.q, self.y_square = X.T @ y / n, float(y @ y / n)
        self.Q = X.T @ X / n if p <= min(n, _MOST_GRAM_COLUMNS) else None

    def look(self, w):
        """At all columns at once: X'r / n (p,) and ||r||^2 / n, r the residual."""
        if self.Q is not None:
            correlation = self.q - self.Q @ w
            return correlation, np.maximum(0.0, self.y_square - w @ (self.q + correlation))
        residual = self.y - self.X @ w
        return self.X.T @ residual / self.n, residual @ residual / self.n

    def sweep(self, columns, w, alpha, l1_ratio):
        """Over some columns (k,), with their weights (k,)."""
        if self.Q is not None:
            return gram_sweep(self.Q[columns][:, columns], self.q[columns], w, alpha, l1_ratio)
        return sweep(self.X.T[columns].T, self.y, w, alpha, l1_ratio)  # each column in one piece of memory

    def curvature(self, columns):
        """X'X / n of some columns (k, k), a copy."""
        if self.Q is not None:
            return self.Q[columns][:, columns]
        X = self.X[:, columns]
        return X.T @ X / self.n


def _descend(problem, w, alpha, l1_ratio, tol, max_iter):
    """Sweeps until the gap is at most tol * ||y||^2 / n -> w (p,), its gap, the number of sweeps.

    A weight at zero whose slope is within the L1 price would stay there: the sweep leaves it out. Of the others at zero it
    takes the steepest, as many as weights are there already, ten at first: at (200, 5000) that is 8 ms in place of 40.
    """
    l1, l2 = _prices(alpha, l1_ratio)
    sweeps, enough = 0, tol * problem.y_square
    while True:
        correlation, residual_square = problem.look(w)
        slope = correlation - l2 * w
        gap = _gap(w, slope, residual_square, l1, l2, problem.n)
        if not gap > enough or sweeps >= max_iter:
            break
        moving = np.flatnonzero((w != 0) | (np.abs(slope) > l1))
        room = 2 * max(np.count_nonzero(w), 5)
        if len(moving) > room:
            steepness = np.where(w[moving] != 0, np.inf, np.abs(slope[moving]))
            moving = np.sort(moving[np.argpartition(-steepness, room)[:room]])
        w = np.array(w, dtype=np.float64)
        w[moving] = problem.sweep(moving, w[moving], alpha, l1_ratio)
        w = _leap(problem, w, l1, l2)
        sweeps += 1
    if not np.isfinite(gap):
        raise ValueError("The duality gap is not finite: the numbers in X or y are too large for their squares.")
    if gap > enough:
        warn(
            ConvergenceWarning,
            f"the lasso did not converge: after {sweeps} sweeps the duality gap is {gap:.3g}, the tolerance {enough:.3g}."
            " Allow more sweeps (max_iter), look at the scales of the columns, or raise alpha.",
        )
    return w, gap, sweeps


def _leap(problem, w, l1, l2):
    """From w to where it would be best if no weight left zero or changed its sign, or until the first does.

    With zeros and signs given the objective is a parabola, and its minimum a matter of linear equations. A sweep alone
    creeps where columns are alike: at (500, 300), correlated 0.9, the leaps make 61 sweeps of more than 5,000.
    """
    columns = np.flatnonzero(w)
    here, curvature = w[columns], problem.curvature(columns)
    downhill = problem.q[columns] - curvature @ here - l2 * here - l1 * np.sign(here)
    curvature.flat[:: len(columns) + 1] *= 1.0 + 1e-12  # so that columns may depend on each other
    curvature.flat[:: len(columns) + 1] += l2
    try:
        step = np.linalg.solve(curvature, downhill)
    except np.linalg.LinAlgError:
        return w
    if not step @ downhill > 0:
        return w
    towards_zero = -step / here  # a weight with more than 1 would change its sign
    far = max(1.0, towards_zero.max()) if l1 > 0 else 1.0
    w = w.copy()
    w[columns] = np.where(towards_zero == far, 0.0, here + step / far)
    return w
