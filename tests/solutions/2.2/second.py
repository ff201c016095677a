"""Lasso and elastic net by plain coordinate descent: one function that knows only Q and q, and a loop around it."""

import warnings

import numpy as np

from .linear import LinearModel
from .validation import ConvergenceWarning, check_weights, check_Xy


def soft_threshold(z, threshold):
    return np.where(z > threshold, z - threshold, np.where(z < -threshold, z + threshold, 0.0))[()]


def objective(X, y, w, alpha, l1_ratio=1.0):
    loss = sum((t - x @ w) ** 2 for x, t in zip(X, y)) / (2 * len(y))
    return float(loss + sum(alpha * (l1_ratio * abs(v) + (1 - l1_ratio) * v * v / 2) for v in w))


def alpha_max(X, y, l1_ratio=1.0):
    if not 0 < l1_ratio <= 1:
        raise ValueError("l1_ratio has to be in (0, 1]")
    return max(abs(float(np.dot(column, y))) for column in np.transpose(X)) / len(y) / l1_ratio


def gram_sweep(Q, q, w, alpha, l1_ratio=1.0):
    w = [float(v) for v in w]
    for j in range(len(w)):
        rest = q[j] - sum(Q[j, k] * w[k] for k in range(len(w)) if k != j)
        steepness = Q[j, j] + alpha * (1 - l1_ratio)
        w[j] = float(soft_threshold(rest, alpha * l1_ratio)) / steepness if steepness > 0 else 0.0
    return np.array(w)


def sweep(X, y, w, alpha, l1_ratio=1.0):
    return gram_sweep(X.T @ X / len(y), X.T @ y / len(y), w, alpha, l1_ratio)


def duality_gap(X, y, w, alpha, l1_ratio=1.0):
    n, (l1, l2) = len(y), (alpha * l1_ratio, alpha * (1 - l1_ratio))
    A = np.concatenate([X, np.sqrt(n * l2) * np.eye(X.shape[1])])
    b = np.concatenate([y, np.zeros(X.shape[1])])
    r = b - A @ w
    slopes = A.T @ r / n
    if l1 == 0:
        return float(slopes @ slopes / (2 * l2)) if l2 else float(n * slopes @ slopes)
    primal, s = r @ r / (2 * n) + l1 * np.linalg.norm(w, 1), min(1.0, l1 / max(np.abs(slopes).max(), 1e-300))
    return max(0.0, float(primal - s * (r @ b) / n + s**2 * (r @ r) / (2 * n)))


def _solve(X, y, w, alpha, l1_ratio, tol, max_iter):
    Q, q, sweeps = X.T @ X / len(y), X.T @ y / len(y), 0
    l1, l2 = alpha * l1_ratio, alpha * (1 - l1_ratio)
    while (gap := duality_gap(X, y, w, alpha, l1_ratio)) > tol * np.mean(y**2):
        if sweeps == max_iter:
            warnings.warn(f"gap {gap} after {sweeps} sweeps", ConvergenceWarning, stacklevel=3)
            break
        w = w.copy()
        for j in range(len(w)):
            rest, steepness = q[j] - Q[j] @ w + Q[j, j] * w[j], Q[j, j] + l2
            w[j] = np.sign(rest) * max(abs(rest) - l1, 0.0) / steepness if steepness > 0 else 0.0
        sweeps += 1
    return w, gap, sweeps


def enet_path(X, y, *, l1_ratio=0.5, eps=1e-3, alphas=100, coef_init=None, max_iter=1000, tol=1e-4):
    if isinstance(alphas, (int, np.integer)):
        top = alpha_max(X, y, l1_ratio)
        ratios = eps ** (np.arange(alphas) / max(alphas - 1, 1))
        alphas = top * ratios if top > 1e-15 else np.full(alphas, 1e-15)
    alphas = np.array(sorted(alphas, reverse=True), dtype=np.float64)
    w, coefs, gaps = np.zeros(X.shape[1]) if coef_init is None else coef_init, [], []
    for alpha in alphas:
        w, gap, _ = _solve(X, y, w, alpha, l1_ratio, tol, max_iter)
        coefs.append(w)
        gaps.append(gap)
    return alphas, np.stack(coefs, axis=1), np.array(gaps)


def lasso_path(X, y, **options):
    return enet_path(X, y, l1_ratio=1.0, **options)


class ElasticNet(LinearModel):
    def __init__(self, alpha=1.0, *, l1_ratio=0.5, fit_intercept=True, max_iter=1000, tol=1e-4, warm_start=False):
        self.alpha, self.l1_ratio, self.fit_intercept = alpha, l1_ratio, fit_intercept
        self.max_iter, self.tol, self.warm_start = max_iter, tol, warm_start

    def fit(self, X, y, sample_weight=None):
        if self.alpha < 0 or not 0 <= self.l1_ratio <= 1 or self.max_iter < 1 or self.tol < 0:
            raise ValueError(f"a parameter is out of range: {self!r}")
        X, y = check_Xy(self, X, y)
        v = check_weights(sample_weight, len(y))
        v = v / v.mean()
        x_mean, y_mean = (v @ X / len(y), v @ y / len(y)) if self.fit_intercept else (np.zeros(X.shape[1]), 0.0)
        root = np.sqrt(v)
        start = self.coef_ if self.warm_start and hasattr(self, "coef_") else np.zeros(X.shape[1])
        self.coef_, self.dual_gap_, self.n_iter_ = _solve(
            (X - x_mean) * root[:, None], (y - y_mean) * root, start, self.alpha, self.l1_ratio, self.tol, self.max_iter
        )
        self.intercept_ = float(y_mean - x_mean @ self.coef_)
        return self


class Lasso(ElasticNet):
    def __init__(self, alpha=1.0, *, fit_intercept=True, max_iter=1000, tol=1e-4, warm_start=False):
        super().__init__(alpha, l1_ratio=1.0, fit_intercept=fit_intercept, max_iter=max_iter, tol=tol)
        self.warm_start = warm_start
