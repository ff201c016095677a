"""The API of classic/lasso.py on scikit-learn."""

import numpy as np
from sklearn import linear_model


def soft_threshold(z, threshold):
    return np.sign(z) * np.clip(np.abs(z) - threshold, 0.0, None)


def objective(X, y, w, alpha, l1_ratio=1.0):
    prices = alpha * l1_ratio * np.linalg.norm(w, 1) + alpha * (1 - l1_ratio) / 2 * np.linalg.norm(w, 2) ** 2
    return float(np.linalg.norm(y - X @ w) ** 2 / (2 * len(y)) + prices)


def alpha_max(X, y, l1_ratio=1.0):
    if l1_ratio == 0:
        raise ValueError("ridge never has a weight of zero")
    top = float(np.linalg.norm(X.T @ y, np.inf) / len(y) / l1_ratio)
    if top > 1e-12:  # scikit-learn agrees
        assert np.isclose(linear_model.enet_path(X, y, l1_ratio=l1_ratio, alphas=2)[0][0], top)
    return top


def sweep(X, y, w, alpha, l1_ratio=1.0):
    """Each weight by scikit-learn, on what the other columns leave."""
    w = np.array(w, dtype=np.float64)
    for j in range(len(w)):
        column, rest = X[:, [j]], y - np.delete(X, j, axis=1) @ np.delete(w, j)
        if alpha == 0:
            w[j] = np.linalg.lstsq(column, rest, rcond=None)[0][0] if column.any() else 0.0
        elif l1_ratio == 0:
            w[j] = linear_model.Ridge(alpha=alpha * len(y), fit_intercept=False).fit(column, rest).coef_[0]
        else:
            model = linear_model.ElasticNet(alpha=alpha, l1_ratio=l1_ratio, fit_intercept=False, tol=1e-15)
            w[j] = model.fit(column, rest).coef_[0]
    return w


def gram_sweep(Q, q, w, alpha, l1_ratio=1.0):
    """A sweep over columns that have this Gram matrix: any root of Q."""
    values, vectors = np.linalg.eigh(Q)
    kept = values > 1e-14 * max(values.max(), 1e-300)
    root = np.sqrt(values[kept])[:, None] * vectors[:, kept].T
    y = (vectors[:, kept].T @ q) / np.sqrt(values[kept])
    n = len(root)
    return sweep(root * np.sqrt(n), y * np.sqrt(n), w, alpha, l1_ratio) if n else np.zeros(len(w))


def duality_gap(X, y, w, alpha, l1_ratio=1.0):
    r, l2 = y - X @ w, alpha * (1 - l1_ratio)
    slope = X.T @ r / len(y) - l2 * w
    if l1_ratio == 0:
        return float(slope @ slope / (2 * l2))
    s = alpha * l1_ratio / max(alpha * l1_ratio, np.abs(slope).max())
    dual = s * (r @ y) / len(y) - s**2 / 2 * (r @ r / len(y) + l2 * w @ w)
    return max(0.0, objective(X, y, w, alpha, l1_ratio) - float(dual))


def enet_path(X, y, **options):
    return linear_model.enet_path(X, y, **({"max_iter": 20_000, "alphas": 100} | options))


def lasso_path(X, y, **options):
    return enet_path(X, y, l1_ratio=1.0, **options)


class _Checked:
    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)
        self.dual_gap_, self.n_iter_ = max(0.0, float(self.dual_gap_)), int(self.n_iter_)
        self.intercept_ = float(self.intercept_)
        return self


class ElasticNet(_Checked, linear_model.ElasticNet):
    pass


class Lasso(_Checked, linear_model.Lasso):
    pass
