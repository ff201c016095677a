"""Principal components by other decompositions, and batches by sums of products."""

import numpy as np


def fix_signs(components):
    out = np.array(components, dtype=float)
    for row in out:
        if row[max(range(len(row)), key=lambda j: abs(row[j]))] < 0:
            row *= -1
    return out


def _sorted(values, vectors, r):
    order = np.argsort(values)[::-1][:r]
    return fix_signs(vectors[order]), np.clip(values[order], 0, None)


def principal_axes_by_covariance(X):
    values, vectors = np.linalg.eigh(np.atleast_2d(np.cov(X, rowvar=False)))
    return _sorted(values, vectors.T, min(X.shape))


def principal_axes_by_svd(X):
    """From the left singular vectors of the transpose."""
    U, s, _ = np.linalg.svd((X - X.mean(axis=0)).T, full_matrices=False)
    return _sorted(s**2 / (len(X) - 1), U.T, min(X.shape))


def components_for(variances, share):
    for k in range(1, len(variances)):
        if sum(variances[:k]) / sum(variances) > share:
            return k
    return len(variances)


def fisher_direction(X, y):
    m = [X[y == c].mean(axis=0) for c in (0, 1)]
    centred = np.array([x - m[c] for x, c in zip(X, y)])
    w = np.linalg.inv(centred.T @ centred / (len(X) - 2)) @ (m[1] - m[0])
    return w, float(0.5 * (m[0] + m[1]) @ w)


class PCA:
    def __init__(self, n_components=None, whiten=False, svd_solver="auto"):
        self.n_components, self.whiten, self.svd_solver = n_components, whiten, svd_solver

    def fit(self, X, y=None):
        X = np.asarray(X, dtype=float)
        r, k = min(X.shape), self.n_components
        if len(X) < 2 or not np.isfinite(X).all():
            raise ValueError("PCA needs two samples, all finite")
        components, variances = principal_axes_by_svd(X)
        if k is None:
            k = r
        elif isinstance(k, float):
            if not 0 < k < 1:
                raise ValueError("a share lies between 0 and 1")
            k = components_for(variances, k)
        elif not 1 <= k <= r:
            raise ValueError("more components than there are")
        self.mean_, self.n_components_ = X.mean(axis=0), k
        self.components_, self.explained_variance_ = components[:k], variances[:k]
        self.explained_variance_ratio_ = variances[:k] / variances.sum()
        self.singular_values_ = np.sqrt((len(X) - 1) * variances[:k])
        self.noise_variance_ = float(np.mean(variances[k:])) if k < r else 0.0
        return self

    def transform(self, X):
        W = self.components_.T
        if self.whiten:
            W = W @ np.diag(1 / np.sqrt(self.explained_variance_))
        return np.asarray(X) @ W - self.mean_ @ W

    def fit_transform(self, X, y=None):
        return self.fit(X).transform(X)

    def inverse_transform(self, Z):
        scale = np.sqrt(self.explained_variance_) if self.whiten else np.ones(self.n_components_)
        return np.array([self.mean_ + (z * scale) @ self.components_ for z in Z])


class IncrementalPCA(PCA):
    """Keeps sums of products, which are exact, instead of components."""

    def __init__(self, n_components=None, whiten=False, batch_size=None):
        self.n_components, self.whiten, self.batch_size = n_components, whiten, batch_size

    def fit(self, X, y=None):
        size = self.batch_size or 5 * X.shape[1]
        n, total, products = 0, 0.0, 0.0
        middle = X[0]
        for start in range(0, len(X), size):
            batch = X[start : start + size] - middle
            n, total, products = n + len(batch), total + batch.sum(axis=0), products + batch.T @ batch
        C = (products - np.outer(total, total) / n) / (n - 1)
        values, vectors = np.linalg.eigh(C)
        self.components_, self.explained_variance_ = _sorted(values, vectors.T, min(X.shape))
        self.mean_, self.n_samples_seen_, self.n_components_ = middle + total / n, n, len(self.components_)
        return self
