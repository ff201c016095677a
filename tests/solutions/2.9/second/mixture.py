"""A second solution: whole covariance matrices for every component, whatever their type, and explicit inverses of triangles."""

import numpy as np

from .cluster import KMeans, kmeans_plusplus
from .estimator import Estimator
from .validation import check_choice, check_generator, check_new, check_X

COVARIANCE_TYPES = ("full", "tied", "diag", "spherical")


def precision_cholesky(covariances, covariance_type):
    covariances = np.asarray(covariances, dtype=float)
    if covariance_type in ("diag", "spherical"):
        if covariances.min() <= 0:
            raise ValueError("a variance is not positive")
        return covariances**-0.5
    if covariance_type == "full":
        return np.array([precision_cholesky(S, "tied") for S in covariances])
    try:
        # of the precision, read from its last row and column: S^-1 = P P' with P upper triangular
        flipped = np.linalg.cholesky(np.linalg.inv(covariances)[::-1, ::-1])
    except np.linalg.LinAlgError:
        raise ValueError("a covariance is singular") from None
    return flipped[::-1, ::-1]


def log_gaussians(X, means, precisions_cholesky, covariance_type):
    p = X.shape[1]
    columns = []
    for j, mean in enumerate(means):
        P = precisions_cholesky if covariance_type == "tied" else precisions_cholesky[j]
        P = P if np.ndim(P) == 2 else np.eye(p) * P
        squared = np.einsum("np,pq,nq->n", X - mean, P @ P.T, X - mean)
        columns.append(np.linalg.slogdet(P)[1] - 0.5 * (p * np.log(2 * np.pi) + squared))
    return np.stack(columns, axis=1)


def log_sum_exp(a):
    return np.logaddexp.reduce(a, axis=-1)


def expectation(log_joint):
    total = log_sum_exp(log_joint)
    shifted = np.exp(log_joint - log_joint.max(axis=1, keepdims=True))
    return total, shifted / shifted.sum(axis=1, keepdims=True)


def maximization(X, responsibilities, covariance_type="full", reg_covar=1e-6):
    n, p = X.shape
    counts = responsibilities.sum(axis=0) + 1e-15
    means, full = [], []
    for r, count in zip(responsibilities.T, counts):
        means.append(r @ X / count)
        away = X - means[-1]
        full.append(sum(share * np.outer(x, x) for share, x in zip(r, away)) / count)
    full = np.array(full)
    if covariance_type == "tied":
        covariances = np.tensordot(counts / counts.sum(), full, axes=1) + reg_covar * np.eye(p)
    elif covariance_type == "full":
        covariances = full + reg_covar * np.eye(p)
    else:
        covariances = np.diagonal(full, axis1=1, axis2=2) + reg_covar
        if covariance_type == "spherical":
            covariances = covariances.mean(axis=1)
    return counts / n, np.array(means), covariances


def lower_bound(log_joint, responsibilities):
    total = 0.0
    for a, r in zip(log_joint.ravel(), responsibilities.ravel()):
        if r > 0:
            total += r * (a - np.log(r))
    return total / len(log_joint)


class GaussianMixture(Estimator):
    def __init__(
        self,
        n_components=1,
        covariance_type="full",
        tol=1e-3,
        reg_covar=1e-6,
        max_iter=100,
        n_init=1,
        init_params="kmeans",
        weights_init=None,
        means_init=None,
        precisions_init=None,
        random_state=None,
    ):
        self.n_components = n_components
        self.covariance_type = covariance_type
        self.tol = tol
        self.reg_covar = reg_covar
        self.max_iter = max_iter
        self.n_init = n_init
        self.init_params = init_params
        self.weights_init = weights_init
        self.means_init = means_init
        self.precisions_init = precisions_init
        self.random_state = random_state

    def fit(self, X, y=None):
        X = check_X(self, X, min_samples=2)
        check_choice("covariance_type", self.covariance_type, COVARIANCE_TYPES)
        if len(X) < self.n_components:
            raise ValueError("more components than samples")
        generator = check_generator(self.random_state)
        runs = [self._em(X, self._start(X, generator)) for _ in range(self.n_init)]
        theta, self.lower_bounds_, self.converged_ = max(runs, key=lambda run: run[1][-1] if run[1] else -np.inf)
        self.weights_, self.means_, self.covariances_ = theta
        self.n_iter_ = len(self.lower_bounds_)
        self.lower_bound_ = self.lower_bounds_[-1] if self.lower_bounds_ else -np.inf
        self.precisions_cholesky_ = P = precision_cholesky(self.covariances_, self.covariance_type)
        self.precisions_ = P**2 if P.ndim == 1 or self.covariance_type == "diag" else P @ np.swapaxes(P, -1, -2)
        return self

    def _em(self, X, theta):
        bounds = []
        for _ in range(self.max_iter):
            total, r = expectation(self._joint(X, theta))
            theta = maximization(X, r, self.covariance_type, self.reg_covar)
            bounds.append(float(np.mean(total)))
            if len(bounds) > 1 and abs(bounds[-2] - bounds[-1]) < self.tol:
                return theta, bounds, True
        return theta, bounds, False

    def _joint(self, X, theta):
        weights, means, covariances = theta
        P = precision_cholesky(covariances, self.covariance_type)
        return log_gaussians(X, means, P, self.covariance_type) + np.log(weights)

    def _start(self, X, generator):
        k, n = self.n_components, len(X)
        r = np.zeros((n, k))
        if self.init_params == "kmeans":
            r[np.arange(n), KMeans(k, random_state=generator).fit(X).labels_] = 1
        elif self.init_params == "random":
            r = generator.dirichlet(np.ones(k), n)
        elif self.init_params == "k-means++":
            r[kmeans_plusplus(X, k, random_state=generator)[1], np.arange(k)] = 1
        else:
            r[generator.permutation(n)[:k], np.arange(k)] = 1
        weights, means, covariances = maximization(X, r, self.covariance_type, self.reg_covar)
        if self.weights_init is not None:
            weights = np.asarray(self.weights_init, dtype=float)
            if weights.shape != (k,) or abs(weights.sum() - 1) > 1e-6:
                raise ValueError("weights_init")
        if self.means_init is not None:
            means = np.asarray(self.means_init, dtype=float)
            if means.shape != (k, X.shape[1]):
                raise ValueError("means_init")
        if self.precisions_init is not None:
            precisions = np.asarray(self.precisions_init, dtype=float)
            matrices = self.covariance_type in ("full", "tied")
            covariances = np.linalg.inv(precisions) if matrices else 1 / precisions
        return weights, means, covariances

    def _log_joint(self, X):
        return self._joint(check_new(self, X), (self.weights_, self.means_, self.covariances_))

    def fit_predict(self, X, y=None):
        return self.fit(X).predict(X)

    def score_samples(self, X):
        return expectation(self._log_joint(X))[0]

    def score(self, X, y=None):
        return float(np.mean(self.score_samples(X)))

    def predict(self, X):
        return np.argmax(self._log_joint(X), axis=1)

    def predict_proba(self, X):
        return expectation(self._log_joint(X))[1]

    def sample(self, n_samples=1):
        if n_samples < 1:
            raise ValueError("n_samples")
        generator = check_generator(self.random_state)
        k, p = self.means_.shape
        components = np.sort(generator.choice(k, n_samples, p=self.weights_))
        X = []
        for j in components:
            S = self.covariances_ if self.covariance_type == "tied" else self.covariances_[j]
            root = np.linalg.cholesky(S) if np.ndim(S) == 2 else np.diag(np.sqrt(np.ones(p) * S))
            X.append(self.means_[j] + root @ generator.standard_normal(p))
        return np.array(X), components

    def _free(self):
        k, p = self.means_.shape
        one = {"full": p * (p + 1) / 2 * k, "tied": p * (p + 1) / 2, "diag": p * k, "spherical": k}
        return one[self.covariance_type] + p * k + k - 1

    def aic(self, X):
        return 2 * self._free() - 2 * len(X) * self.score(X)

    def bic(self, X):
        return self._free() * np.log(len(X)) - 2 * len(X) * self.score(X)
