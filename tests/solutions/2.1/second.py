"""Least squares from the singular value decomposition of the whole table, and ridge as least squares on longer data."""

import numpy as np


def standardize(X):
    columns, means, scales = [], [], []
    for column in np.asarray(X, dtype=float).T:
        m = sum(column) / len(column)
        d = column - column[0]
        spread = 1.0 if not d.any() else np.linalg.norm(column - m) / len(column) ** 0.5
        columns.append((column - m) / spread)
        means.append(m)
        scales.append(spread)
    return np.array(columns).T, np.array(means), np.array(scales)


def solve_triangular(T, b, lower=False):
    T = np.tril(T) if lower else np.triu(T)
    x = np.array(b, dtype=float)
    order = range(len(T)) if lower else range(len(T) - 1, -1, -1)
    for j in order:  # column by column: each unknown, once found, is taken out of all other equations
        x[j] = x[j] / T[j, j]
        others = np.arange(len(T)) > j if lower else np.arange(len(T)) < j
        x[others] = x[others] - np.multiply.outer(T[others, j], x[j])
    return x


def solve_cholesky(A, b):
    p = len(A)
    L = np.zeros((p, p))
    for j in range(p):
        pivot = A[j, j] - L[j, :j] @ L[j, :j]
        if pivot <= 0:
            raise np.linalg.LinAlgError("not positive definite")
        L[j, j] = pivot**0.5
        for i in range(j + 1, p):
            L[i, j] = (A[i, j] - L[i, :j] @ L[j, :j]) / L[j, j]
    return solve_triangular(L.T, solve_triangular(L, b, lower=True), lower=False)


def solve_least_squares(A, b):
    U, s, Vt = np.linalg.svd(A, full_matrices=False)
    kept = s > max(A.shape) * np.finfo(float).eps * s.max()
    inverse = np.zeros_like(s)
    inverse[kept] = 1 / s[kept]
    x = Vt.T @ (np.diag(inverse) @ (U.T @ b))
    return x, int(kept.sum()), s


class _Linear:
    def predict(self, X):
        return np.asarray(X, dtype=float) @ np.asarray(self.coef_).T + self.intercept_

    def _fit(self, X, y, sample_weight, alpha):
        X, y = np.array(X, dtype=float), np.array(y, dtype=float)
        if X.ndim != 2 or len(X) != len(y) or not np.isfinite(X).all() or not np.isfinite(y).all() or alpha < 0:
            raise ValueError("X has to be a finite table with a row for each y, and alpha not negative")
        Y = y.reshape(len(y), -1)
        w = np.ones(len(X)) if sample_weight is None else np.asarray(sample_weight, dtype=float)
        X_mean = (w @ X) / w.sum() * self.fit_intercept
        Y_mean = (w @ Y) / w.sum() * self.fit_intercept
        root = np.diag(np.sqrt(w))
        A, B = root @ (X - X_mean), root @ (Y - Y_mean)
        if alpha > 0:  # p further rows that ask each weight to be zero
            A = np.vstack([A, np.sqrt(alpha) * np.eye(X.shape[1])])
            B = np.vstack([B, np.zeros((X.shape[1], Y.shape[1]))])
        W, self.rank_, self.singular_ = solve_least_squares(A, B)
        b = Y_mean - X_mean @ W
        self.coef_ = W[:, 0] if y.ndim == 1 else W.T
        self.intercept_ = float(b[0]) if y.ndim == 1 else b
        return self


class LinearRegression(_Linear):
    def __init__(self, fit_intercept=True):
        self.fit_intercept = fit_intercept

    def fit(self, X, y, sample_weight=None):
        return self._fit(X, y, sample_weight, 0.0)


class Ridge(_Linear):
    def __init__(self, alpha=1.0, fit_intercept=True):
        self.alpha, self.fit_intercept = alpha, fit_intercept

    def fit(self, X, y, sample_weight=None):
        return self._fit(X, y, sample_weight, self.alpha)


def ridge_path(X, y, alphas):
    fits = [Ridge(alpha).fit(X, y) for alpha in alphas]
    return np.array([f.coef_ for f in fits]), np.array([f.intercept_ for f in fits])


def effective_degrees_of_freedom(X, alpha):
    e = np.linalg.eigvalsh((X - X.mean(axis=0)).T @ (X - X.mean(axis=0)))
    return float(sum(max(v, 0.0) / (max(v, 0.0) + alpha) for v in e))
