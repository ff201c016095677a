"""Properties of logistic regression that its lesson's checkpoints do not ask for."""

import numpy as np
import pytest

from groundup.classic.logit import (
    LogisticRegression,
    cross_entropy,
    cross_entropy_gradient,
    curvature_bound,
    log_odds,
    sigmoid,
    squared_error_gradient,
)


def problem(seed, n=40, p=3):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    y = (rng.random(n) < sigmoid(X @ rng.uniform(-1.5, 1.5, p))).astype(int)
    return np.concatenate([X, X[: p + 2]]), np.concatenate([y, 1 - y[: p + 2]])


def test_log_odds_undo_the_sigmoid():
    z = np.linspace(-30, 30, 241)
    np.testing.assert_allclose(log_odds(sigmoid(z[z < 0])), z[z < 0], rtol=1e-12)
    np.testing.assert_allclose(log_odds(sigmoid(z)), z, atol=1e-2)


def test_the_sigmoid_keeps_the_digits_of_small_probabilities():
    assert sigmoid(-700.0) == pytest.approx(np.exp(-700.0), rel=1e-12)


@pytest.mark.parametrize("z", [1e4, -1e4, 1e300, -1e300])
def test_a_confident_mistake_costs_its_log_odds(z):
    assert cross_entropy(np.array([z]), np.array([float(z < 0)])) == abs(z)
    assert cross_entropy(np.array([z]), np.array([float(z > 0)])) == 0.0


@pytest.mark.parametrize("seed", range(5))
def test_gradients_equal_central_differences(seed):
    rng = np.random.default_rng(seed)
    X, y = problem(seed)
    v, h = rng.standard_normal(4), 1e-6

    def loss_of(kind, v):
        z = X @ v[:3] + v[3]
        return cross_entropy(z, y) if kind is cross_entropy_gradient else np.mean((sigmoid(z) - y) ** 2)

    for gradient in (cross_entropy_gradient, squared_error_gradient):
        numeric = [(loss_of(gradient, v + h * e) - loss_of(gradient, v - h * e)) / (2 * h) for e in np.eye(4)]
        slope_w, slope_b = gradient(X, y, v[:3], v[3])
        np.testing.assert_allclose([*slope_w, slope_b], numeric, atol=1e-8)


@pytest.mark.parametrize("seed", range(5))
def test_the_default_rate_never_raises_the_loss(seed):
    X, y = problem(seed)
    losses = []
    for steps in range(0, 60, 3):
        model = LogisticRegression(steps=steps).fit(X * 10.0 + 3.0, y)
        losses.append(cross_entropy(model.decision_function(X * 10.0 + 3.0), y))
    assert np.all(np.diff(losses) <= 0)


@pytest.mark.parametrize("seed", range(5))
def test_no_curvature_exceeds_the_bound(seed):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((30, 3))
    A = np.column_stack([X, np.ones(30)])
    for scale in (0.0, 1.0, 10.0):
        p = sigmoid(A @ (scale * rng.standard_normal(4)))
        hessian = (A * (p * (1 - p))[:, None]).T @ A / 30
        assert np.linalg.eigvalsh(hessian)[-1] <= curvature_bound(X) * (1 + 1e-12)


def test_shifting_a_feature_changes_the_intercept_alone():
    X, y = problem(7)
    here = LogisticRegression(tolerance=1e-10).fit(X, y)
    there = LogisticRegression(tolerance=1e-10, steps=200_000).fit(X + np.array([2.0, 0.0, 0.0]), y)
    np.testing.assert_allclose(there.coef_, here.coef_, atol=1e-6)
    assert there.intercept_ == pytest.approx(here.intercept_ - 2.0 * here.coef_[0], abs=1e-6)


def test_on_separable_classes_the_steps_run_out_and_the_weights_keep_growing():
    X, y = np.array([[-1.0], [1.0]]), np.array([0, 1])
    short, long = (LogisticRegression(steps=steps).fit(X, y) for steps in (100, 1000))
    assert (short.n_iter_, long.n_iter_) == (100, 1000)
    assert long.coef_[0] > short.coef_[0] > 0


def test_probabilities_of_both_classes_add_up_to_one():
    X, y = problem(3)
    proba = LogisticRegression(steps=50).fit(X, y).predict_proba(X)
    np.testing.assert_allclose(proba.sum(axis=1), 1.0, rtol=1e-15)
