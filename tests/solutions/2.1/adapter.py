"""SciPy and scikit-learn in the place of one's own least squares."""

import numpy as np
import scipy.linalg
import sklearn.linear_model
from sklearn.linear_model import LinearRegression  # noqa: F401
from sklearn.preprocessing import StandardScaler


class Ridge(sklearn.linear_model.Ridge):
    """By the solver that also answers where columns depend on each other."""

    def __init__(self, alpha=1.0, fit_intercept=True):
        super().__init__(alpha=alpha, fit_intercept=fit_intercept, solver="svd")


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
