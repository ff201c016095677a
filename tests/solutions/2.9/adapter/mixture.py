"""scikit-learn and SciPy behind our signatures."""

import numpy as np
from scipy.special import logsumexp, softmax
from sklearn import mixture
from sklearn.mixture import _gaussian_mixture as steps

COVARIANCE_TYPES = ("full", "tied", "diag", "spherical")


def precision_cholesky(covariances, covariance_type):
    return steps._compute_precision_cholesky(covariances, covariance_type)


def log_gaussians(X, means, precisions_cholesky, covariance_type):
    return steps._estimate_log_gaussian_prob(X, means, precisions_cholesky, covariance_type)


def log_sum_exp(a):
    return logsumexp(a, axis=-1)


def expectation(log_joint):
    return logsumexp(log_joint, axis=1), softmax(log_joint, axis=1)


def maximization(X, responsibilities, covariance_type="full", reg_covar=1e-6):
    shift = X.mean(axis=0)  # theirs subtracts squares for three of the four types
    counts, means, covariances = steps._estimate_gaussian_parameters(
        X - shift, responsibilities, reg_covar, covariance_type
    )
    return counts / counts.sum(), means + shift, covariances


def lower_bound(log_joint, responsibilities):
    from scipy.special import entr

    return float(np.mean(np.sum(responsibilities * log_joint + entr(responsibilities), axis=1)))


class GaussianMixture(mixture.GaussianMixture):
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
        super().__init__(
            n_components,
            covariance_type=covariance_type,
            tol=tol,
            reg_covar=reg_covar,
            max_iter=max_iter,
            n_init=n_init,
            init_params=init_params,
            weights_init=weights_init,
            means_init=means_init,
            precisions_init=precisions_init,
            random_state=random_state,
        )
