"""Least squares, and ridge regression: the best line in closed form, and what a price on large weights does to it.

The weights that minimise ||y - Xw||^2 solve the normal equations X'X w = X'y. Forming X'X squares the condition number,
so least squares is solved here by factoring X itself, which also has an answer where columns depend on each other: of all
the minima, the one with the smallest weights. Ridge minimises ||y - Xw||^2 + alpha ||w||^2. Then X'X + alpha I is
positive definite, and Cholesky's factorisation is fast and safe.

Golub and Van Loan, Matrix Computations (4th edition), sections 3.1, 4.2, 5.3 and 5.5. Hastie, Tibshirani and Friedman,
The Elements of Statistical Learning (2nd edition), section 3.4.1. Hoerl and Kennard, Ridge regression (1970).
"""

import numpy as np

from .estimator import Regressor
from .validation import check_new, check_number, check_weights, check_Xy


def standardize(X):
    """Columns with mean 0 and standard deviation 1: X (n, p) -> Z (n, p), the means (p,), the scales (p,).

    A scale is the root of the mean of (x - mean)^2, divided by n and not by n - 1. A column that is constant becomes zeros,
    and its scale is 1. X is not changed.
    """
    mean = X.mean(axis=0)  # (p,): down the rows
    Z = X - mean
    scale = np.sqrt(np.mean(Z**2, axis=0))
    scale[np.ptp(X, axis=0) == 0] = 1.0  # rounding in the mean can leave a constant column not quite zero
    return Z / scale, mean, scale


def solve_triangular(T, b, lower=False):
    """The x with T x = b by substitution, one unknown after the other: T (p, p), b (p,) or (p, k) -> as b.

    lower: whether T is zero above its diagonal or below it; what stands there is not looked at.
    Golub and Van Loan, section 3.1.
    """
    p = len(T)
    x = np.zeros(b.shape)
    for i in range(p) if lower else reversed(range(p)):
        known = slice(0, i) if lower else slice(i + 1, p)
        x[i] = (b[i] - T[i, known] @ x[known]) / T[i, i]
    return x


def solve_cholesky(A, b):
    """The x with A x = b for a symmetric positive definite A: A (p, p), b (p,) or (p, k) -> as b.

    By A = L L', L lower triangular: first L z = b, then L' x = z. Golub and Van Loan, section 4.2.
    Raises numpy.linalg.LinAlgError if A is not positive definite.
    """
    L = np.linalg.cholesky(A)
    return solve_triangular(L.T, solve_triangular(L, b, lower=True))


def solve_least_squares(A, b):
    """The x with the least ||b - A x||, and among several the one with the least ||x||.

    A (n, p), b (n,) or (n, k) -> x (p,) or (p, k), the rank of A (int), its singular values (min(n, p),) from the largest
    down. A singular value counts as zero up to max(n, p) times the spacing of floats times the largest.

    By A = Q R and then R = U S V': x = V S^-1 U' Q'b. Golub and Van Loan, sections 5.3.3 and 5.5.2.
    """
    n, p = A.shape
    columns = b.reshape(n, -1)
    R = np.linalg.qr(np.column_stack([A, columns]), mode="r")  # carrying b along leaves Q'b in it, and Q is not needed
    R, Qb = R[: min(n, p), :p], R[: min(n, p), p:]
    U, s, Vt = np.linalg.svd(R, full_matrices=False)
    rank = int(np.sum(s > max(n, p) * np.finfo(np.float64).eps * s[0]))
    x = Vt[:rank].T @ ((U.T @ Qb)[:rank] / s[:rank, None])
    return x.reshape((p, *b.shape[1:])), rank, s


class LinearModel(Regressor):
    """What all linear models share: a prediction is Xw + b."""

    def predict(self, X):
        """X (m, p) -> (m,), or (m, k) after a fit to k targets. Raises NotFittedError; ValueError for other columns."""
        return check_new(self, X) @ self.coef_.T + self.intercept_


class LinearRegression(LinearModel):
    """Ordinary least squares.

    Parameters: fit_intercept, whether there is a b (bool).
    Learns: coef_ (p,), in the units of y per unit of x, and intercept_ (float, 0.0 without fit_intercept), in the units of
    y; for k targets coef_ (k, p) and intercept_ (k,). rank_ (int) and singular_ (min(n, p),) of the X that was solved for:
    centred if there is an intercept.

    Where columns depend on each other many weights fit equally well; these are the ones with the least ||coef_||.
    """

    def __init__(self, fit_intercept=True):
        """Stores the parameter, and nothing else."""
        self.fit_intercept = fit_intercept

    def fit(self, X, y, sample_weight=None):
        """X (n, p), y (n,) or (n, k), sample_weight (n,) >= 0 or None for 1 each -> self.

        Minimises the sum of weight * (y - Xw - b)^2. Raises ValueError for NaN, infinity, or lengths that differ.
        """
        X, y = check_Xy(self, X, y, multi_output=True)
        weights = None if sample_weight is None else check_weights(sample_weight, len(X))
        X, y, X_mean, y_mean = _centre(X, y, weights, self.fit_intercept)
        x, self.rank_, self.singular_ = solve_least_squares(X, y)
        self.coef_ = x.T
        self.intercept_ = _intercept(self.coef_, X_mean, y_mean)
        return self

    def __sklearn_tags__(self):
        """With several targets at once."""
        return _with_several_targets(super().__sklearn_tags__())


class Ridge(LinearModel):
    """Least squares with an L2 penalty; the intercept is not penalised.

    Parameters: alpha, the price of weights, >= 0 (float), in the units of X squared; fit_intercept, whether there is a b.
    Learns: coef_ and intercept_, shaped as LinearRegression's.
    """

    def __init__(self, alpha=1.0, fit_intercept=True):
        """Stores the parameters, and nothing else."""
        self.alpha = alpha
        self.fit_intercept = fit_intercept

    def fit(self, X, y, sample_weight=None):
        """X (n, p), y (n,) or (n, k), sample_weight (n,) >= 0 or None for 1 each -> self.

        Minimises the sum of weight * (y - Xw - b)^2, plus alpha times the sum of the squares of w. At alpha = 0, or where
        the equations are singular to rounding, it is the answer of LinearRegression. Raises ValueError for a negative
        alpha, NaN, infinity, or lengths that differ.
        """
        check_number("alpha", self.alpha, low=0.0)
        X, y = check_Xy(self, X, y, multi_output=True)
        weights = None if sample_weight is None else check_weights(sample_weight, len(X))
        X, y, X_mean, y_mean = _centre(X, y, weights, self.fit_intercept)
        self.coef_ = _solve_ridge(X, y, self.alpha).T
        self.intercept_ = _intercept(self.coef_, X_mean, y_mean)
        return self

    def __sklearn_tags__(self):
        """With several targets at once."""
        return _with_several_targets(super().__sklearn_tags__())


def ridge_path(X, y, alphas):
    """Ridge for many prices at the cost of one factorisation: X (n, p), y (n,), alphas (k,) > 0 -> coef (k, p), intercept (k,).

    With X = U S V' (centred), w = V diag(s / (s^2 + alpha)) U'y: along each singular direction least squares is shrunk by
    s^2 / (s^2 + alpha). Hastie et al., equation 3.47.
    """
    X_mean, y_mean = X.mean(axis=0), y.mean()
    U, s, Vt = np.linalg.svd(X - X_mean, full_matrices=False)
    shrunk = s / (s**2 + np.asarray(alphas)[:, None])  # (k, r)
    coef = (shrunk * (U.T @ (y - y_mean))) @ Vt  # (k, r) @ (r, p)
    return coef, y_mean - coef @ X_mean


def effective_degrees_of_freedom(X, alpha):
    """How many weights ridge leaves free, the intercept not counted: X (n, p), alpha > 0 -> float in (0, p].

    The sum of s^2 / (s^2 + alpha) over the singular values of the centred X. Hastie et al., equation 3.50.
    """
    s = np.linalg.svd(X - X.mean(axis=0), compute_uv=False)
    return float(np.sum(s**2 / (s**2 + alpha)))


def _centre(X, y, weights, fit_intercept):
    """The problem without an intercept and without weights that has the same w: centring is what frees the intercept."""
    X_mean, y_mean = np.zeros(X.shape[1]), np.zeros(y.shape[1:])
    if fit_intercept:
        X_mean, y_mean = np.average(X, axis=0, weights=weights), np.average(y, axis=0, weights=weights)
        X, y = X - X_mean, y - y_mean
    if weights is not None:
        root = np.sqrt(weights)  # weight * error^2 = (root * error)^2
        X, y = X * root[:, None], (y.T * root).T
    return X, y, X_mean, y_mean


def _intercept(coef, X_mean, y_mean):
    """The b for which the mean of the predictions is the mean of y."""
    b = y_mean - coef @ X_mean
    return float(b) if np.ndim(b) == 0 else b


def _solve_ridge(X, y, alpha):
    """(p,) or (p, k): by the smaller of X'X (p, p) and XX' (n, n). The second: w = X'(XX' + alpha I)^-1 y."""
    n, p = X.shape
    if alpha > 0:
        try:
            if p <= n:
                return solve_cholesky(X.T @ X + alpha * np.eye(p), X.T @ y)
            return X.T @ solve_cholesky(X @ X.T + alpha * np.eye(n), y)
        except np.linalg.LinAlgError:  # alpha is nothing beside X'X, whose columns depend on each other
            pass
    return solve_least_squares(X, y)[0]


def _with_several_targets(tags):
    tags.target_tags.multi_output = True
    return tags
