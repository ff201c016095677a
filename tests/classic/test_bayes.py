"""Naive Bayes and MAP against scikit-learn, SciPy and their own definitions."""

import numpy as np
import pytest
import sklearn.naive_bayes as theirs
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import approx_fprime
from sklearn.datasets import load_digits, load_iris

from groundup.classic.bayes import GaussianNB, MultinomialNB, class_moments, log_posterior, map_weights, normalize_log
from groundup.classic.linear import Ridge

SEEDS = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize("load", [load_iris, load_digits])
def test_gaussian_is_scikit_learns_on_real_data(load):
    X, y = load(return_X_y=True)
    ours, oracle = GaussianNB().fit(X, y), theirs.GaussianNB().fit(X, y)
    np.testing.assert_allclose(ours.theta_, oracle.theta_, rtol=1e-12)
    np.testing.assert_allclose(ours.var_, oracle.var_, rtol=1e-10)
    np.testing.assert_allclose(
        ours.predict_joint_log_proba(X), oracle.predict_joint_log_proba(X), rtol=1e-10, atol=1e-9
    )
    np.testing.assert_array_equal(ours.predict(X), oracle.predict(X))


def test_multinomial_is_scikit_learns_on_real_data():
    X, y = load_digits(return_X_y=True)
    ours, oracle = MultinomialNB(0.5).fit(X, y), theirs.MultinomialNB(alpha=0.5).fit(X, y)
    np.testing.assert_allclose(ours.feature_log_prob_, oracle.feature_log_prob_, rtol=1e-12)
    np.testing.assert_allclose(ours.predict_log_proba(X), oracle.predict_log_proba(X), atol=1e-9)


@given(SEEDS)
@settings(max_examples=25, deadline=None)
def test_batches_in_any_cut_end_where_one_fit_does(seed):
    rng = np.random.default_rng(seed)
    X, y = rng.integers(0, 9, (20, 3)).astype(float), np.append([0, 1, 2], rng.integers(0, 3, 17))
    weights, cuts = rng.uniform(0.5, 2, 20), np.sort(rng.choice(np.arange(1, 20), 2, replace=False))
    for kind, names in ((GaussianNB, ("theta_", "var_", "class_prior_")), (MultinomialNB, ("feature_log_prob_",))):
        whole, pieces = kind().fit(X, y, weights), kind()
        for part in np.split(np.arange(20), cuts):
            pieces.partial_fit(X[part], y[part], classes=[0, 1, 2], sample_weight=weights[part])
        for name in names:
            np.testing.assert_allclose(getattr(pieces, name), getattr(whole, name), rtol=1e-9, atol=1e-12)


@given(SEEDS)
@settings(max_examples=25, deadline=None)
def test_posteriors_sum_to_one_wherever_the_sample_lies(seed):
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(12, 40)), np.arange(12) % 3
    p = GaussianNB().fit(X, y).predict_proba(rng.normal(size=(5, 40)) * 10.0 ** rng.integers(-3, 4))
    np.testing.assert_allclose(p.sum(axis=1), 1)
    np.testing.assert_allclose(np.exp(normalize_log(rng.normal(size=(4, 3)) * 1e4)).sum(axis=1), 1)


def test_a_variance_far_from_zero_keeps_its_digits():
    X = np.random.default_rng(0).normal(size=(50, 2))
    near, far = class_moments(X, np.zeros(50, dtype=int), 1), class_moments(X + 1e7, np.zeros(50, dtype=int), 1)
    np.testing.assert_allclose(far[2], near[2], rtol=1e-6)


def test_features_that_never_vary_leave_the_prior():
    X, y = np.ones((6, 2)), [0, 0, 0, 0, 1, 1]
    np.testing.assert_allclose(GaussianNB().fit(X, y).predict_proba(X[:1]), [[2 / 3, 1 / 3]])


def test_a_class_without_prior_is_never_chosen():
    X, y = np.array([[0.0], [1.0], [10.0], [11.0]]), [0, 0, 1, 1]
    model = GaussianNB(priors=[1.0, 0.0]).fit(X, y)
    np.testing.assert_array_equal(model.predict(X), [0, 0, 0, 0])
    np.testing.assert_array_equal(model.predict_proba(X)[:, 1], 0)


def test_a_second_fit_forgets_the_first():
    X, y = load_iris(return_X_y=True)
    model = MultinomialNB().fit(X[:100], y[:100]).fit(X, y)
    np.testing.assert_array_equal(model.feature_count_, MultinomialNB().fit(X, y).feature_count_)
    assert list(model.classes_) == [0, 1, 2]


@given(SEEDS)
@settings(max_examples=25, deadline=None)
def test_the_posterior_is_flat_at_its_mode_and_the_mode_is_ridge(seed):
    rng = np.random.default_rng(seed)
    n, p = rng.integers(2, 10), rng.integers(1, 4)
    X, y = rng.normal(size=(n, p)), rng.normal(size=n) + 5
    noise, spread = rng.uniform(0.5, 2), rng.uniform(0.5, 2)
    w, b = map_weights(X, y, noise, spread)
    slope = approx_fprime(np.append(w, b), lambda v: log_posterior(X, y, v[:-1], v[-1], noise, spread), 1e-6)
    np.testing.assert_allclose(slope, 0, atol=1e-2)
    ridge = Ridge((noise / spread) ** 2).fit(X, y)
    np.testing.assert_allclose(w, ridge.coef_, atol=1e-9)
    assert b == pytest.approx(ridge.intercept_)


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (GaussianNB(priors=[0.5, 0.4]), "sum"),
        (GaussianNB(priors=[1.5, -0.5]), "non-negative"),
        (GaussianNB(priors=[1.0]), "Number of priors"),
        (GaussianNB(var_smoothing=-1), "var_smoothing"),
        (MultinomialNB(alpha=0), "alpha"),
        (MultinomialNB(class_prior=[1.0]), "Number of priors"),
    ],
)
def test_parameters_that_cannot_be_are_named(model, says):
    with pytest.raises(ValueError, match=says):
        model.fit(np.ones((2, 1)), [0, 1])


def test_a_first_batch_needs_to_know_the_classes():
    with pytest.raises(ValueError, match="classes"):
        GaussianNB().partial_fit(np.ones((2, 1)), [0, 1])
    with pytest.raises(ValueError, match="do not exist"):
        GaussianNB().partial_fit(np.ones((2, 1)), [0, 1], classes=[0, 2])
