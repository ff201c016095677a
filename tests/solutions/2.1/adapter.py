"""SciPy and scikit-learn in the place of one's own least squares."""

import numpy as np
import scipy.linalg
import sklearn.linear_model
from sklearn.preprocessing import StandardScaler


class LinearRegression(sklearn.linear_model.LinearRegression):
    """With the spacing of floats for what counts as a singular value of zero."""

    def __init__(self, fit_intercept=True):
        super().__init__(fit_intercept=fit_intercept)

    def fit(self, X, y, sample_weight=None):
        self.tol = max(X.shape) * np.finfo(np.float64).eps
        return super().fit(X, y, sample_weight)


class Ridge(sklearn.linear_model.Ridge):
    """By the solver that also answers where columns depend on each other; one target in a column is still k targets."""

    def __init__(self, alpha=1.0, fit_intercept=True):
        super().__init__(alpha=alpha, fit_intercept=fit_intercept, solver="svd")

    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)
        if np.ndim(y) == 2:
            self.coef_, self.intercept_ = np.atleast_2d(self.coef_), np.atleast_1d(self.intercept_)
        return self


def standardize(X):
    scaler = StandardScaler().fit(X)
    return scaler.transform(X), scaler.mean_, scaler.scale_


def solve_triangular(T, b, lower=False):
    return scipy.linalg.solve_triangular(T, b, lower=lower)


def solve_cholesky(A, b):
    return scipy.linalg.cho_solve(scipy.linalg.cho_factor(A), b)


def solve_least_squares(A, b):
    x, _, rank, s = scipy.linalg.lstsq(A, b, cond=max(A.shape) * np.finfo(np.float64).eps)
    return x, int(rank), s


def ridge_path(X, y, alphas):
    fits = [Ridge(alpha).fit(X, y) for alpha in alphas]
    return np.array([f.coef_ for f in fits]), np.array([f.intercept_ for f in fits])


def effective_degrees_of_freedom(X, alpha):
    X = X - X.mean(axis=0)
    return float(np.trace(np.linalg.solve(X.T @ X + alpha * np.eye(X.shape[1]), X.T @ X)))
