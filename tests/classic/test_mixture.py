"""Gaussian mixtures against scikit-learn, SciPy and EM's own theorems."""

import warnings

import numpy as np
import pytest
import sklearn.mixture
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn.exceptions import ConvergenceWarning

from groundup.classic.cluster import assign, update_centers
from groundup.classic.mixture import (
    COVARIANCE_TYPES,
    GaussianMixture,
    expectation,
    log_gaussians,
    log_sum_exp,
    lower_bound,
    maximization,
    precision_cholesky,
)


def mixed(seed, k=3, n=90, p=2, apart=3.0):
    """Samples of a mixture, and the parameters of one near it, for every covariance type."""
    rng = np.random.default_rng(seed)
    means = apart * rng.standard_normal((k, p))
    X = means[np.arange(n) % k] + rng.standard_normal((n, p))
    A = rng.standard_normal((k, p, p))
    full = A @ np.swapaxes(A, 1, 2) + np.eye(p)
    covariances = {
        "full": full,
        "tied": full[0],
        "diag": rng.uniform(0.5, 2, (k, p)),
        "spherical": rng.uniform(0.5, 2, k),
    }
    return X, rng.dirichlet(np.full(k, 5.0)), means, covariances


def matrices(covariances, covariance_type, k, p):
    if covariance_type == "full":
        return covariances
    if covariance_type == "tied":
        return np.stack([covariances] * k)
    return np.stack([np.eye(p) * covariances[j] for j in range(k)])


def inverse(covariances, covariance_type):
    return np.linalg.inv(covariances) if covariance_type in ("full", "tied") else 1.0 / covariances


def quietly(model, X):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(X)


def start(seed, covariance_type, **shape):
    X, weights, means, covariances = mixed(seed, **shape)
    precisions = inverse(covariances[covariance_type], covariance_type)
    return X, dict(weights_init=weights, means_init=means, precisions_init=precisions, covariance_type=covariance_type)


# ------------------------------------------------------------------------------------------------------- the steps


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
@pytest.mark.parametrize("seed", range(4))
def test_log_densities_equal_scipys(covariance_type, seed):
    X, _, means, covariances = mixed(seed, p=seed + 1, n=5000 if seed == 3 else 20)
    S = covariances[covariance_type]
    got = log_gaussians(X, means, precision_cholesky(S, covariance_type), covariance_type)
    each = matrices(S, covariance_type, 3, seed + 1)
    expected = np.stack([multivariate_normal(m, s).logpdf(X) for m, s in zip(means, each)], axis=1)
    np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("covariance_type", ["full", "tied"])
def test_P_is_upper_triangular_and_P_P_transposed_is_the_precision(covariance_type):
    S = mixed(0, p=4)[3][covariance_type]
    P = precision_cholesky(S, covariance_type)
    np.testing.assert_array_equal(P, np.triu(P))
    np.testing.assert_allclose(P @ np.swapaxes(P, -1, -2), np.linalg.inv(S), rtol=1e-9, atol=1e-12)


def test_log_densities_keep_their_digits_a_hundred_million_away():
    X, _, means, covariances = mixed(0)
    for kind in COVARIANCE_TYPES:
        P = precision_cholesky(covariances[kind], kind)
        np.testing.assert_allclose(
            log_gaussians(X + 1e8, means + 1e8, P, kind), log_gaussians(X, means, P, kind), atol=1e-5
        )


def test_log_sum_exp_equals_scipys_where_exp_overflows_and_underflows():
    a = np.array([[0.0, 1.0], [1e4, 1e4 - 1], [-1e4, -1e4], [-np.inf, -5.0], [700.0, -700.0]])
    np.testing.assert_allclose(log_sum_exp(a), logsumexp(a, axis=1), rtol=1e-15)


@pytest.mark.parametrize("seed", range(5))
def test_the_bound_is_below_the_likelihood_for_any_guess_and_touches_it_at_the_e_step(seed):
    rng = np.random.default_rng(seed)
    log_joint = 10.0 * rng.standard_normal((30, 4))
    log_likelihood, responsibilities = expectation(log_joint)
    np.testing.assert_allclose(responsibilities.sum(axis=1), 1.0)
    assert lower_bound(log_joint, responsibilities) == pytest.approx(log_likelihood.mean())
    for _ in range(20):
        guess = rng.dirichlet(np.ones(4), 30)
        assert lower_bound(log_joint, guess) < log_likelihood.mean()
    hard = np.eye(4)[log_joint.argmax(axis=1)]
    assert lower_bound(log_joint, hard) == pytest.approx(log_joint.max(axis=1).mean())


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
@pytest.mark.parametrize("seed", range(3))
def test_the_m_step_is_where_the_bound_is_greatest(covariance_type, seed):
    rng = np.random.default_rng(seed)
    X, _, _, _ = mixed(seed)
    responsibilities = rng.dirichlet(np.ones(3), len(X))

    def bound(weights, means, covariances):
        P = precision_cholesky(covariances, covariance_type)
        return lower_bound(log_gaussians(X, means, P, covariance_type) + np.log(weights), responsibilities)

    weights, means, covariances = maximization(X, responsibilities, covariance_type, reg_covar=0.0)
    best = bound(weights, means, covariances)
    for _ in range(20):
        nearby = weights * np.exp(0.05 * rng.standard_normal(3))
        assert bound(nearby / nearby.sum(), means, covariances) < best
        assert bound(weights, means + 0.05 * rng.standard_normal(means.shape), covariances) < best
        assert bound(weights, means, covariances * np.exp(0.05 * rng.standard_normal())) < best


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_variances_far_from_the_origin_are_not_lost(covariance_type):
    X, _, _, _ = mixed(1)
    r = np.random.default_rng(0).dirichlet(np.ones(3), len(X))
    near, far = maximization(X, r, covariance_type, 0.0)[2], maximization(X + 1e8, r, covariance_type, 0.0)[2]
    np.testing.assert_allclose(far, near, rtol=1e-5, atol=1e-5)


def test_a_component_that_is_responsible_for_nothing_does_no_harm():
    X = np.array([[1.0, 2.0], [3.0, 4.0]])
    weights, means, covariances = maximization(X, np.array([[1.0, 0.0], [1.0, 0.0]]), "full", 0.1)
    np.testing.assert_allclose(weights, [1.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(means, [[2.0, 3.0], [0.0, 0.0]])
    np.testing.assert_allclose(covariances[1], 0.1 * np.eye(2))


def test_em_with_one_tiny_variance_is_k_means():
    X, _, means, _ = mixed(4)
    P = precision_cholesky(np.full(3, 1e-6), "spherical")
    responsibilities = expectation(log_gaussians(X, means, P, "spherical") + np.log(1 / 3))[1]
    labels = assign(X, means)
    np.testing.assert_allclose(responsibilities, np.eye(3)[labels], atol=1e-12)
    np.testing.assert_allclose(maximization(X, responsibilities)[1], update_centers(X, labels, means))


# ------------------------------------------------------------------------------------- against scikit-learn, exact


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
@pytest.mark.parametrize("seed", range(6))
def test_em_from_the_same_start_equals_scikit_learns(covariance_type, seed):
    X, options = start(seed, covariance_type, k=1 + seed % 3, p=1 + seed % 4)
    options |= dict(n_components=1 + seed % 3, max_iter=[1, 5, 100][seed % 3], tol=1e-4, reg_covar=1e-4)
    ours = quietly(GaussianMixture(**options), X)
    theirs = quietly(sklearn.mixture.GaussianMixture(**options), X)
    for name in ("weights_", "means_", "covariances_", "precisions_", "precisions_cholesky_", "lower_bounds_"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-7, atol=1e-7, err_msg=name)
    assert (ours.n_iter_, ours.converged_) == (theirs.n_iter_, theirs.converged_)
    for name in ("score_samples", "predict_proba", "predict", "score", "aic", "bic"):
        np.testing.assert_allclose(getattr(ours, name)(X), getattr(theirs, name)(X), rtol=1e-7, atol=1e-7, err_msg=name)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
@pytest.mark.parametrize("seed", range(5))
def test_the_likelihood_never_falls(covariance_type, seed):
    X, options = start(seed, covariance_type)
    model = quietly(GaussianMixture(3, reg_covar=0.0, tol=0.0, max_iter=40, **options), X)
    assert len(model.lower_bounds_) == 40
    assert np.all(np.diff(model.lower_bounds_) >= -1e-12)
    assert model.score(X) >= model.lower_bound_ - 1e-12


# ------------------------------------------------------------------------------------------------- the estimator


@pytest.mark.parametrize("init_params", ["kmeans", "k-means++", "random", "random_from_data"])
def test_every_beginning_leads_to_clouds_that_lie_apart(init_params):
    X, _, _, _ = mixed(2, k=2, apart=30.0)
    model = GaussianMixture(2, init_params=init_params, n_init=5, tol=1e-9, max_iter=500, random_state=0).fit(X)
    expected = np.array([X[::2].mean(axis=0), X[1::2].mean(axis=0)])
    order = np.argsort(model.means_[:, 0])
    np.testing.assert_allclose(model.means_[order], expected[np.argsort(expected[:, 0])], atol=1e-6)
    assert model.converged_


def test_what_is_given_takes_the_place_of_what_was_found():
    X, options = start(0, "full")
    model = quietly(GaussianMixture(3, max_iter=0, **options), X)
    np.testing.assert_array_equal(model.means_, options["means_init"])
    np.testing.assert_array_equal(model.weights_, options["weights_init"])
    np.testing.assert_allclose(model.precisions_, options["precisions_init"])
    assert (model.n_iter_, model.lower_bound_, model.converged_) == (0, -np.inf, False)
    half = quietly(GaussianMixture(3, max_iter=0, means_init=options["means_init"], random_state=0), X)
    np.testing.assert_array_equal(half.means_, options["means_init"])
    np.testing.assert_allclose(half.weights_.sum(), 1.0)


def test_more_beginnings_never_end_worse():
    X, _, _, _ = mixed(3, apart=1.0)
    ends = [
        quietly(GaussianMixture(3, init_params="random", n_init=n, max_iter=3, random_state=1), X).lower_bound_
        for n in (1, 4, 12)
    ]
    assert ends == sorted(ends)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_samples_have_the_weights_means_and_covariances(covariance_type):
    X, options = start(6, covariance_type)
    model = quietly(GaussianMixture(3, max_iter=3, random_state=0, **options), X)
    new, components = model.sample(30_000)
    assert new.shape == (30_000, 2)
    assert np.all(np.diff(components) >= 0)
    np.testing.assert_array_equal(new, model.sample(30_000)[0])
    for j, S in enumerate(matrices(model.covariances_, covariance_type, 3, 2)):
        own = new[components == j]
        assert len(own) / 30_000 == pytest.approx(model.weights_[j], abs=0.02)
        np.testing.assert_allclose(own.mean(axis=0), model.means_[j], atol=0.1 * np.sqrt(np.trace(S)))
        np.testing.assert_allclose(np.cov(own.T), S, atol=0.1 * np.trace(S))


def test_bic_finds_the_number_of_clouds():
    X, _, _, _ = mixed(8, k=3, n=150, apart=10.0)
    bics = [GaussianMixture(k, n_init=3, random_state=0).fit(X).bic(X) for k in range(1, 6)]
    assert int(np.argmin(bics)) + 1 == 3


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
@pytest.mark.parametrize(
    "change", ["constant column", "copied column", "more columns than samples", "float32", "duplicates"]
)
def test_degenerate_data_are_kept_from_collapse_by_reg_covar(covariance_type, change):
    X, _, _, _ = mixed(0, n=12)
    X = {
        "constant column": np.column_stack([X, np.ones(12)]),
        "copied column": np.column_stack([X, X[:, 0]]),
        "more columns than samples": np.random.default_rng(0).standard_normal((12, 30)),
        "float32": X.astype(np.float32),
        "duplicates": np.repeat(X[:3], 4, axis=0),
    }[change]
    model = quietly(GaussianMixture(2, covariance_type=covariance_type, random_state=0), X)
    assert np.all(np.isfinite(model.score_samples(X)))
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1.0)


def test_a_sample_that_every_component_finds_impossible_still_has_responsibilities():
    X, _, _, _ = mixed(0)
    model = quietly(GaussianMixture(3, random_state=0), X)
    proba = model.predict_proba(np.array([[1e4, -1e4]]))
    assert np.all(np.isfinite(proba))
    assert proba.sum() == pytest.approx(1.0)


def test_what_cannot_be_fitted_is_refused():
    X, options = start(0, "full")
    singular = np.zeros((3, 2, 2))
    for change, words in [
        (dict(n_components=91), "n_components=91"),
        (dict(covariance_type="round"), "covariance_type"),
        (dict(init_params="best"), "init_params"),
        (dict(weights_init=np.ones(3)), "sum to 1"),
        (dict(weights_init=np.ones((3, 1))), "weights_init has shape"),
        (dict(means_init=X[:2]), "means_init has shape"),
        (dict(precisions_init=singular), "positive definite"),
        (dict(covariance_type="diag", precisions_init=-np.ones((3, 2))), "positive"),
        (dict(tol=-1.0), "tol"),
        (dict(reg_covar=-1.0), "reg_covar"),
    ]:
        with pytest.raises(ValueError, match=words):
            GaussianMixture(**{"n_components": 3} | change).fit(X)
    for kind in COVARIANCE_TYPES:
        with pytest.raises(ValueError, match="reg_covar"):
            GaussianMixture(2, covariance_type=kind, reg_covar=0.0).fit(np.repeat([[0.0, 0.0], [1.0, 1.0]], 3, axis=0))
    with pytest.raises(ValueError, match="n_samples"):
        quietly(GaussianMixture(3, **options), X).sample(0)


def test_too_few_iterations_are_warned_of():
    X, options = start(0, "full")
    with pytest.warns(ConvergenceWarning, match="max_iter=1"):
        GaussianMixture(3, max_iter=1, **options).fit(X)
