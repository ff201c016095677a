"""Principal component analysis, two ways: the directions along which the data vary most.

A direction v of length 1 sees the variance v'Cv, where C is the covariance. Its largest value is C's largest eigenvalue, at
the eigenvector: the first component. Further ones are perpendicular to those before. The same directions are the right singular
vectors of the centred data, since C = Xc'Xc / (n - 1); that way C is never formed, and small variances keep their digits.

Hotelling (1933). Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, section 14.5.1. In batches: Ross, Lim,
Lin and Yang, Incremental learning for robust visual tracking (2008). What labels add: Fisher, The use of multiple measurements
in taxonomic problems (1936).
"""

import numpy as np

from .estimator import Transformer
from .validation import check_choice, check_fitted, check_new, check_number, check_X


def fix_signs(components):
    """Each row, or its negative, so that its entry of largest size is positive, the first of several.

    A direction and its opposite are the same axis, and which one a routine returns is chance. components (r, p) -> (r, p),
    a new array.
    """
    largest = components[np.arange(len(components)), np.abs(components).argmax(axis=1)]
    return components * np.where(largest < 0, -1.0, 1.0)[:, None]


def principal_axes_by_covariance(X):
    """The axes of largest variance, from the eigenvectors of the covariance.

    X (n, p), n >= 2 -> components (r, p), rows of length 1 by `fix_signs`, and their variances (r,), the largest first, none
    below 0; r = min(n, p). The covariance divides by n - 1. Fast where n is large and p is not; variances less than 1e-16 of
    the largest are rounding error.
    """
    Xc = X - X.mean(axis=0)
    variances, vectors = np.linalg.eigh(Xc.T @ Xc / (len(X) - 1))  # ascending; for a symmetric matrix, eigh and not eig
    r = min(X.shape)
    return fix_signs(vectors.T[::-1][:r]), np.maximum(variances[::-1][:r], 0.0)


def principal_axes_by_svd(X):
    """The same axes and variances, from the singular value decomposition of the centred data: variance = s^2 / (n - 1).

    X (n, p), n >= 2 -> components (r, p), variances (r,), as `principal_axes_by_covariance`.
    """
    n, p = X.shape
    Xc = X - X.mean(axis=0)
    if n > p:  # a triangle with the same s and V, and many rows less: 3 times as fast at 5000 x 200
        Xc = np.linalg.qr(Xc, mode="r")
    _, s, Vt = np.linalg.svd(Xc, full_matrices=False)
    return fix_signs(Vt), s**2 / (n - 1)


def components_for(variances, share):
    """How many components it takes to explain more than a share of the variance: variances (r,), largest first, share in
    (0, 1) -> int, at most r."""
    explained = np.cumsum(variances) / variances.sum()
    return int(min(np.searchsorted(explained, share, side="right") + 1, len(variances)))


def fisher_direction(X, y):
    """The direction in which two classes lie furthest apart, measured by their spread within, and where to cut it.

    w = S^-1 (m1 - m0), with m0, m1 the means of the classes and S the sum of the scatter within both, over n - 2; the
    threshold is halfway between the projected means. Class 1 is where Xw > threshold. Fisher (1936).
    X (n, p), y (n,) of 0 and 1, n > p + 1 -> w (p,), threshold (float)
    """
    a, b = X[y == 0], X[y == 1]
    m0, m1 = a.mean(axis=0), b.mean(axis=0)
    scatter = (a - m0).T @ (a - m0) + (b - m1).T @ (b - m1)  # (p, p)
    w = np.linalg.solve(scatter / (len(X) - 2), m1 - m0)
    return w, float(w @ (m0 + m1) / 2.0)


class _Projection(Transformer):
    """To the axes and back, for whoever has mean_, components_ and explained_variance_."""

    def transform(self, X):
        """The coordinates of each sample along the components, from the mean: X (m, p) -> (m, n_components_).

        With whiten each coordinate is divided by its standard deviation. Raises NotFittedError; ValueError as `fit`.
        """
        Z = (check_new(self, X) - self.mean_) @ self.components_.T
        return Z / self._scale() if self.whiten else Z

    def inverse_transform(self, Z):
        """The samples with these coordinates, Z (m, n_components_) -> (m, p): as near as that many components come."""
        check_fitted(self)
        Z = np.asarray(Z, dtype=np.float64)
        if Z.ndim != 2 or Z.shape[1] != self.n_components_:
            raise ValueError(f"Z has shape {Z.shape}, expected (m, {self.n_components_})")
        return (Z * self._scale() if self.whiten else Z) @ self.components_ + self.mean_

    def _scale(self):
        """Standard deviations; where there is no variance, the smallest number that may divide."""
        return np.maximum(np.sqrt(self.explained_variance_), np.finfo(np.float64).eps)

    def _keep(self, components, variances, total, n, k):
        """Sets what the first k components say."""
        self.n_components_ = k
        self.components_, self.explained_variance_ = components[:k], variances[:k]
        self.explained_variance_ratio_ = variances[:k] / total if total > 0 else np.zeros(k)
        self.singular_values_ = np.sqrt(variances[:k] * (n - 1))


class PCA(_Projection):
    """Principal component analysis.

    Parameters: n_components, how many to keep (int >= 1), or which share of the variance they are to explain at least
    (float in (0, 1)), or None for min(n, p); whiten, whether coordinates are scaled to variance 1; svd_solver, "full" (of the
    data), "covariance_eigh", or "auto": the covariance where p <= 1000 and n >= 10 p, else full.
    Learns: mean_ (p,), components_ (k, p) with signs by `fix_signs`, explained_variance_ (k,) with n - 1 in the denominator,
    explained_variance_ratio_ (k,), singular_values_ (k,) of the centred data, n_components_ (k), noise_variance_ (float): the
    mean of the variances left out, over min(n, p) of them.
    """

    def __init__(self, n_components=None, whiten=False, svd_solver="auto"):
        """Stores the parameters, and nothing else."""
        self.n_components = n_components
        self.whiten = whiten
        self.svd_solver = svd_solver

    def fit(self, X, y=None):
        """X (n, p), n >= 2 -> self; y is ignored. Raises ValueError for NaN, one sample, or more components than min(n, p)."""
        check_choice("svd_solver", self.svd_solver, ("auto", "full", "covariance_eigh"))
        X = check_X(self, X, min_samples=2)
        n, p = X.shape
        tall = p <= 1000 and n >= 10 * p
        by_covariance = self.svd_solver == "covariance_eigh" or (self.svd_solver == "auto" and tall)
        components, variances = (principal_axes_by_covariance if by_covariance else principal_axes_by_svd)(X)
        self.mean_, self.n_samples_ = X.mean(axis=0), n
        self._keep(components, variances, variances.sum(), n, self._how_many(variances))
        left = variances[self.n_components_ :]
        self.noise_variance_ = float(left.mean()) if len(left) else 0.0
        return self

    def _how_many(self, variances):
        k = self.n_components
        if k is None:
            return len(variances)
        if isinstance(k, (float, np.floating)):
            check_number("n_components", k, 0.0, 1.0, open_low=True, open_high=True)
            return components_for(variances, k)
        check_number("n_components", k, 1, len(variances), integer=True)
        return int(k)


class IncrementalPCA(_Projection):
    """Principal component analysis of data that come in batches, or do not fit into memory.

    What is kept of the past are its components times their singular values: with all components as good as the data, with
    fewer an approximation. Parameters: n_components (int, or None for min(n, p) of the first batch); whiten; batch_size, of the
    batches that `fit` cuts, None for 5 p.
    Learns: mean_, var_ (p,) (divided by n), components_, explained_variance_, explained_variance_ratio_, singular_values_
    and n_components_ as PCA; n_samples_seen_ (int).
    """

    def __init__(self, n_components=None, whiten=False, batch_size=None):
        """Stores the parameters, and nothing else."""
        self.n_components = n_components
        self.whiten = whiten
        self.batch_size = batch_size

    def fit(self, X, y=None):
        """X (n, p) -> self, learned batch by batch from nothing; y is ignored. Raises ValueError as `partial_fit`."""
        X = check_X(self, X, min_samples=2)
        for learned in ("components_", "n_samples_seen_"):
            vars(self).pop(learned, None)
        size = 5 * X.shape[1] if self.batch_size is None else self.batch_size
        check_number("batch_size", size, 1, integer=True)
        least = self.n_components or 1
        starts = [s for s in range(0, len(X), size) if len(X) - s >= least or s == 0]
        for start, stop in zip(starts, [*starts[1:], len(X)]):  # a short rest joins the batch before it
            self._learn(X[start:stop])
        return self

    def partial_fit(self, X, y=None):
        """One more batch, X (n, p) -> self; y is ignored.

        Raises ValueError for NaN, for other columns or another n_components than before, and if the first batch has fewer
        samples than n_components.
        """
        return self._learn(check_new(self, X) if hasattr(self, "components_") else check_X(self, X))

    def _learn(self, X):
        """The decomposition of the past's k rows, the batch around its own mean, and a row for how the means differ."""
        m, p = X.shape
        seen = getattr(self, "n_samples_seen_", 0)
        mean, deviation = X.mean(axis=0), X.var(axis=0)
        if not seen:
            k = min(m, p) if self.n_components is None else self.n_components
            check_number("n_components", k, 1, min(m, p), integer=True)
            rows, self.mean_, self.var_ = X - mean, mean, deviation
        else:
            k = self.n_components_
            if self.n_components not in (None, k):
                raise ValueError(
                    f"n_components == {self.n_components}, and the batches before were learned with {k}: fit again"
                )
            apart = mean - self.mean_
            shift = np.sqrt(seen * m / (seen + m)) * apart
            rows = np.vstack([self.singular_values_[:, None] * self.components_, X - mean, shift])
            share = m / (seen + m)
            self.var_ = (1 - share) * self.var_ + share * deviation + share * (1 - share) * apart**2
            self.mean_ = self.mean_ + share * apart
        self.n_samples_seen_ = n = seen + m
        _, s, Vt = np.linalg.svd(rows, full_matrices=False)
        self._keep(fix_signs(Vt), s**2 / max(n - 1, 1), self.var_.sum() * n / max(n - 1, 1), n, k)
        return self
