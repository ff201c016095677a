"""Gaussian mixtures by EM: each sample comes from one of k normal distributions, and nobody has seen from which.

Were it known, each component's weight, mean and covariance would be those of its own samples. Were those known, Bayes' rule
would say with which probability a sample came from which. EM takes the two steps in turn: E, the probabilities
(responsibilities) under the parameters; M, the parameters from samples counted in proportion to them. The log-likelihood never
falls. All densities stay in logarithms, and a covariance S is used through P, upper triangular, with P P' = S^-1.

Dempster, Laird and Rubin, Maximum likelihood from incomplete data via the EM algorithm (1977). Bishop, Pattern Recognition
and Machine Learning (2006), section 9.2. Neal and Hinton, A view of the EM algorithm (1998), for the bound.
"""

import numpy as np

from .cluster import KMeans, kmeans_plusplus
from .estimator import Estimator
from .validation import (
    ConvergenceWarning,
    check_choice,
    check_fitted,
    check_generator,
    check_new,
    check_number,
    check_X,
    warn,
)

COVARIANCE_TYPES = ("full", "tied", "diag", "spherical")

# --------------------------------------------------------------------------------------- densities, in logarithms


def precision_cholesky(covariances, covariance_type):
    """P with P P' = covariance^-1, P upper triangular with a positive diagonal, for each component.

    "full": covariances (k, p, p) -> (k, p, p). "tied", one for all: (p, p) -> (p, p). "diag", the variances of the columns:
    (k, p) -> (k, p), and "spherical", one variance for all columns: (k,) -> (k,); there P is one over the standard deviation.
    From the Cholesky factor of the covariance, S = L L': P is the transpose of L^-1.

    Raises ValueError if a covariance is not positive definite, or a variance not positive.
    """
    collapsed = (
        "a component's covariance is not positive definite, as if its samples lay on one point or in a plane: take a larger"
        " reg_covar, fewer components, or columns of like scale"
    )
    if covariance_type in ("diag", "spherical"):
        if not np.all(covariances > 0):
            raise ValueError(collapsed)
        return 1.0 / np.sqrt(covariances)
    try:
        L = np.linalg.cholesky(covariances)
    except np.linalg.LinAlgError:
        raise ValueError(collapsed) from None
    return np.swapaxes(np.linalg.solve(L, np.eye(L.shape[-1])), -1, -2)


def log_gaussians(X, means, precisions_cholesky, covariance_type):
    """The log-density of each component at each sample, the weights left out: X (n, p), means (k, p) -> (n, k).

    precisions_cholesky as `precision_cholesky` gives them. With z = (x - mean) P, a row of p numbers, it is
    -|z|^2 / 2 + log|det P| - p log(2 pi) / 2, and log|det P| is the sum of the logarithms of P's diagonal.
    """
    (n, p), k = X.shape, len(means)
    P = _for_each(precisions_cholesky, covariance_type, k, p)
    squared = np.empty((n, k))
    for rows in _blocks(n, p):
        for j in range(k):
            away = X[rows] - means[j]  # (rows, p)
            z = away @ P[j] if P[j].ndim == 2 else away * P[j]
            np.einsum("np,np->n", z, z, out=squared[rows, j])
    diagonals = np.stack([np.diagonal(each) if each.ndim == 2 else each for each in P])  # (k, p)
    return np.log(diagonals).sum(axis=1) - 0.5 * p * np.log(2 * np.pi) - 0.5 * squared


def log_sum_exp(a):
    """log(sum(exp(a))) along the last axis, a (n, k) -> (n,), without overflow, and without underflow to log 0."""
    most = a.max(axis=-1)
    return most + np.log(np.exp(a - most[..., None]).sum(axis=-1))


# --------------------------------------------------------------------------------------------------- the two steps


def expectation(log_joint):
    """The E step: log p(x) of each sample (n,), and the responsibilities (n, k), whose rows sum to 1.

    log_joint (n, k): the logarithm of weight times density, log pi_j + log N(x_i; component j). By Bayes' rule component j
    is responsible for sample i with the share pi_j N_j(x_i) / sum over the components.
    """
    log_likelihood = log_sum_exp(log_joint)
    return log_likelihood, np.exp(log_joint - log_likelihood[:, None])


def maximization(X, responsibilities, covariance_type="full", reg_covar=1e-6):
    """The M step: weights (k,), which sum to 1, means (k, p), covariances, shaped as for `precision_cholesky`.

    X (n, p), responsibilities (n, k). Component j has N_j = sum of its responsibilities (n,) samples. Its weight is its share
    of them, its mean the mean of X weighted by them, its covariance the mean of (x - mean)(x - mean)' weighted by them, around the
    new mean. "tied": the mean of the components' covariances, weighted by N_j. "diag": the diagonal; "spherical": its mean.
    reg_covar is added to each variance, on the diagonal. N_j counts 10 times the spacing of floats more than it is, so that an
    empty component gets the mean 0 instead of a division by 0.
    """
    (n, p), k = X.shape, responsibilities.shape[1]
    counts = responsibilities.sum(axis=0) + 10 * np.finfo(np.float64).eps  # (k,)
    means = responsibilities.T @ X / counts[:, None]
    matrix = covariance_type in ("full", "tied")
    scatter = np.zeros((k, p, p) if matrix else (k, p))
    for rows in _blocks(n, p):
        for j in range(k):
            away = X[rows] - means[j]
            weighted = responsibilities[rows, j, None] * away
            scatter[j] += weighted.T @ away if matrix else np.einsum("np,np->p", weighted, away)
    if covariance_type == "tied":
        covariances = scatter.sum(axis=0) / counts.sum()
    else:
        covariances = scatter / counts.reshape((k,) + (1,) * (scatter.ndim - 1))
    if matrix:
        covariances[..., np.arange(p), np.arange(p)] += reg_covar
    else:
        covariances += reg_covar
    if covariance_type == "spherical":
        covariances = covariances.mean(axis=1)
    return counts / counts.sum(), means, covariances


def lower_bound(log_joint, responsibilities):
    """What any guess of the responsibilities proves about the mean log-likelihood of a sample: a float, never above it.

    The mean over samples of the sum over components of r (log_joint - log r), where r log r is 0 at r = 0.
    log_joint (n, k), responsibilities (n, k) >= 0, with rows that sum to 1. Equal to the log-likelihood for those of the E
    step, and for no others. Neal and Hinton (1998); Bishop, equation 9.71.
    """
    r = responsibilities
    log_r = np.log(np.where(r > 0, r, 1.0))
    return float(np.sum(np.where(r > 0, r * (log_joint - log_r), 0.0)) / len(r))


# ------------------------------------------------------------------------------------------------------ the estimator


class GaussianMixture(Estimator):
    """A mixture of k normal distributions, fitted by EM.

    Parameters: n_components, k; covariance_type, "full", "tied", "diag" or "spherical", as `precision_cholesky` tells them; tol,
    EM ends when the mean log-likelihood of a sample changes by less; reg_covar, as `maximization`'s; max_iter, how often E
    and M at most; n_init, how many beginnings to try; init_params, what to begin with, below; weights_init (k,), means_init
    (k, p), precisions_init (the inverses of the covariances, shaped as they are), or None; random_state.
    Learns: weights_ (k,), means_ (k, p), covariances_, precisions_ and precisions_cholesky_ in the shapes of
    `precision_cholesky`; lower_bounds_, the mean log-likelihood that each E step found, in the order of the iterations;
    lower_bound_, the last of them (-inf without one); n_iter_ (int); converged_ (bool).

    EM begins with an M step on responsibilities of 0 and 1 from "kmeans" (KMeans, one beginning), on those of "random" numbers,
    each sample's divided by their sum, or with components that have one sample each: by "k-means++", or "random_from_data".
    Whatever is given as weights_init, means_init, precisions_init then takes the place of what the M step gave.
    """

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
        """Stores the parameters, and nothing else."""
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
        """X (n, p) with n >= 2 and n >= n_components -> self. y is there for pipelines, and ignored.

        An iteration is an E step, whose mean log-likelihood is noted, and then an M step; it is the last if the noted number
        differs from that of the iteration before by less than tol. Of several beginnings the one with the largest
        lower_bound_ counts, the first of equal ones. Warns (ConvergenceWarning) if max_iter came first. Raises
        ValueError for NaN, too few samples, a parameter out of its range, or a covariance that collapses.
        """
        X = check_X(self, X, min_samples=2)
        given = self._check_parameters(X)
        generator = check_generator(self.random_state)
        best = None
        for _ in range(self.n_init):
            run = self._run(X, *self._begin(X, given, generator))
            if best is None or run[1][-1:] > best[1][-1:]:
                best = run
        (self.weights_, self.means_, self.covariances_), self.lower_bounds_, self.converged_ = best
        self.n_iter_ = len(self.lower_bounds_)
        self.lower_bound_ = self.lower_bounds_[-1] if self.lower_bounds_ else -np.inf
        P = self.precisions_cholesky_ = precision_cholesky(self.covariances_, self.covariance_type)
        self.precisions_ = P @ np.swapaxes(P, -1, -2) if self.covariance_type in ("full", "tied") else P**2
        if not self.converged_ and self.max_iter > 0:
            warn(ConvergenceWarning, f"EM did not converge within max_iter={self.max_iter} iterations")
        return self

    def fit_predict(self, X, y=None):
        """fit(X), then predict(X): X (n, p) -> (n,), int64"""
        return self.fit(X).predict(X)

    def score_samples(self, X):
        """The log-likelihood log p(x) of each sample: X (m, p) -> (m,)"""
        return log_sum_exp(self._log_joint(check_new(self, X)))

    def score(self, X, y=None):
        """The mean of score_samples: X (m, p) -> float"""
        return float(self.score_samples(X).mean())

    def predict(self, X):
        """The component with the largest responsibility, the lowest index of equal ones: X (m, p) -> (m,), int64"""
        return self._log_joint(check_new(self, X)).argmax(axis=1)

    def predict_proba(self, X):
        """The responsibilities: X (m, p) -> (m, k), rows that sum to 1"""
        return expectation(self._log_joint(check_new(self, X)))[1]

    def sample(self, n_samples=1):
        """New samples, in the order of their components: X (n_samples, p) and the components (n_samples,), int64.

        Drawn by a generator from random_state, so the same at each call if that is an integer. Raises ValueError for
        n_samples < 1.
        """
        check_fitted(self)
        check_number("n_samples", n_samples, low=1, integer=True)
        generator = check_generator(self.random_state)
        k, p = self.means_.shape
        components = np.repeat(np.arange(k), generator.multinomial(n_samples, self.weights_))
        z = generator.standard_normal((n_samples, p))
        X = self.means_[components]  # a copy
        for j, P in enumerate(_for_each(self.precisions_cholesky_, self.covariance_type, k, p)):
            mine = components == j
            X[mine] += np.linalg.solve(P.T, z[mine].T).T if P.ndim == 2 else z[mine] / P  # (x - mean) P = z
        return X, components

    def aic(self, X):
        """Akaike's criterion, the lower the better: 2 d - 2 log-likelihood of all of X (m, p), a float; d as for `bic`."""
        return 2.0 * self._n_parameters() - 2.0 * float(self.score_samples(X).sum())

    def bic(self, X):
        """Schwarz' criterion, the lower the better: d log m - 2 log-likelihood of all of X (m, p), a float.

        d counts the free parameters: k - 1 weights, k p means, and the entries of the covariances, symmetric ones once.
        """
        log_likelihoods = self.score_samples(X)
        return self._n_parameters() * float(np.log(len(log_likelihoods))) - 2.0 * float(log_likelihoods.sum())

    def _log_joint(self, X):
        return _log_joint(X, self.weights_, self.means_, self.precisions_cholesky_, self.covariance_type)

    def _n_parameters(self):
        k, p = self.means_.shape
        symmetric = p * (p + 1) // 2
        covariance = {"full": k * symmetric, "tied": symmetric, "diag": k * p, "spherical": k}[self.covariance_type]
        return k - 1 + k * p + covariance

    def _run(self, X, weights, means, covariances):
        """EM from a beginning: the parameters, the log-likelihoods, and whether it converged."""
        bounds, converged = [], False
        while len(bounds) < self.max_iter and not converged:
            P = precision_cholesky(covariances, self.covariance_type)
            log_likelihood, responsibilities = expectation(_log_joint(X, weights, means, P, self.covariance_type))
            weights, means, covariances = maximization(X, responsibilities, self.covariance_type, self.reg_covar)
            bounds.append(float(log_likelihood.mean()))
            converged = len(bounds) > 1 and abs(bounds[-1] - bounds[-2]) < self.tol
        return (weights, means, covariances), bounds, converged

    def _begin(self, X, given, generator):
        """Weights, means and covariances to begin with."""
        if any(part is None for part in given):
            first = maximization(X, self._first_guess(X, generator), self.covariance_type, self.reg_covar)
            given = [part if chosen is None else chosen for part, chosen in zip(first, given)]
        return given

    def _first_guess(self, X, generator):
        """Responsibilities (n, k)."""
        n, k = len(X), self.n_components
        if self.init_params == "random":
            r = generator.random((n, k))
            return r / r.sum(axis=1, keepdims=True)
        if self.init_params == "kmeans":
            labels = KMeans(k, n_init=1, random_state=generator).fit(X).labels_
            return (labels[:, None] == np.arange(k)).astype(np.float64)
        if self.init_params == "k-means++":
            indices = kmeans_plusplus(X, k, random_state=generator)[1]
        else:
            indices = generator.choice(n, k, replace=False)
        r = np.zeros((n, k))
        r[indices, np.arange(k)] = 1.0
        return r

    def _check_parameters(self, X):
        """What was given to begin with: weights, means, covariances, each or None. Raises ValueError for what cannot be."""
        check_number("n_components", self.n_components, low=1, integer=True)
        check_choice("covariance_type", self.covariance_type, COVARIANCE_TYPES)
        check_choice("init_params", self.init_params, ("kmeans", "k-means++", "random", "random_from_data"))
        check_number("tol", self.tol, low=0.0)
        check_number("reg_covar", self.reg_covar, low=0.0)
        check_number("max_iter", self.max_iter, low=0, integer=True)
        check_number("n_init", self.n_init, low=1, integer=True)
        (n, p), k = X.shape, self.n_components
        if n < k:
            raise ValueError(f"n_samples={n} should be >= n_components={k}.")
        weights = _check_given("weights_init", self.weights_init, (k,))
        if weights is not None and (np.any(weights < 0) or abs(weights.sum() - 1.0) > 1e-6):
            raise ValueError(f"weights_init have to be at least 0 and to sum to 1; they are {weights}")
        means = _check_given("means_init", self.means_init, (k, p))
        shape = {"full": (k, p, p), "tied": (p, p), "diag": (k, p), "spherical": (k,)}[self.covariance_type]
        precisions = _check_given("precisions_init", self.precisions_init, shape)
        return weights, means, None if precisions is None else _inverse(precisions, self.covariance_type)


def _check_given(name, value, shape):
    """An array of that shape, float64, or None."""
    if value is None:
        return None
    value = np.asarray(value, dtype=np.float64)
    if value.shape != shape or not np.all(np.isfinite(value)):
        raise ValueError(f"{name} has shape {value.shape}; finite numbers of shape {shape} are expected")
    return value


def _inverse(precisions, covariance_type):
    """The covariances of these precisions."""
    if covariance_type in ("diag", "spherical"):
        if np.any(precisions <= 0):
            raise ValueError("precisions_init have to be positive")
        return 1.0 / precisions
    if not np.allclose(precisions, np.swapaxes(precisions, -1, -2)) or np.any(np.linalg.eigvalsh(precisions) <= 0):
        raise ValueError("precisions_init have to be symmetric and positive definite")
    return np.linalg.inv(precisions)


def _log_joint(X, weights, means, P, covariance_type):
    """log pi_j + log N(x_i; component j), (n, k)"""
    with np.errstate(divide="ignore"):  # a weight of 0 is a component that nobody comes from
        log_weights = np.log(weights)
    return log_gaussians(X, means, P, covariance_type) + log_weights


def _for_each(P, covariance_type, k, p):
    """One P for each of k components: (p, p), or its diagonal (p,)."""
    if covariance_type == "tied":
        return np.broadcast_to(P, (k, p, p))
    return np.broadcast_to(P[:, None], (k, p)) if covariance_type == "spherical" else P


def _blocks(n, p):
    """Slices of 0..n for work on p numbers a sample, so that those of a slice fit into the cache: a third of the time saved."""
    size = max(256, 2**14 // p)
    return [slice(start, start + size) for start in range(0, n, size)]
