"""Linear regression by descent: what holds for any data."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.classic.descent import (
    batches,
    descend,
    descend_in_batches,
    gaussian_log_likelihood,
    largest_stable_rate,
    mean_squared_error,
    mean_squared_error_gradient,
)
from groundup.grad.check import gradient_check

seeds = st.integers(0, 2**32 - 1)


def problem(seed, noise=1.0):
    rng = np.random.default_rng(seed)
    n, p = rng.integers(4, 30), rng.integers(1, 4)
    X = rng.standard_normal((n, p)) + rng.uniform(-1, 1, p)
    return rng, X, X @ rng.standard_normal(p) + rng.standard_normal() + noise * rng.standard_normal(n)


@given(seeds)
@settings(max_examples=40, deadline=None)
def test_the_gradient_passes_the_gradient_check(seed):
    rng, X, y = problem(seed)
    point = rng.standard_normal(X.shape[1] + 1)
    slope_w, slope_b = mean_squared_error_gradient(X, y, point[:-1], point[-1])
    assert gradient_check(lambda v: mean_squared_error(X, y, v[:-1], v[-1]), np.append(slope_w, slope_b), point).passed


@given(seeds)
@settings(max_examples=40, deadline=None)
def test_the_most_likely_weights_are_those_of_least_squares(seed):
    rng, X, y = problem(seed)
    solution = np.linalg.lstsq(np.column_stack([X, np.ones(len(X))]), y, rcond=None)[0]
    best = gaussian_log_likelihood(X, y, solution[:-1], solution[-1], 0.7)
    for _ in range(5):
        other = solution + 0.1 * rng.standard_normal(solution.shape)
        assert gaussian_log_likelihood(X, y, other[:-1], other[-1], 0.7) <= best


@given(seeds)
@settings(max_examples=40, deadline=None)
def test_below_the_stable_rate_the_loss_never_rises_and_beyond_it_the_loss_grows_without_bound(seed):
    _, X, y = problem(seed)
    edge = largest_stable_rate(X)
    losses = descend(X, y, 0.99 * edge, 100).losses
    assert (np.diff(losses) <= 1e-12 * losses[0]).all()
    A = np.column_stack([X, np.ones(len(X))])
    steepest = np.linalg.svd(A)[2][0]
    losses = descend(X, y, 1.05 * edge, 400, w=steepest[:-1], b=steepest[-1]).losses
    assert losses[-1] > 1e6 * losses[0]


@given(seeds)
@settings(max_examples=30, deadline=None)
def test_one_batch_of_everything_is_the_full_batch(seed):
    _, X, y = problem(seed)
    rate = 0.5 * largest_stable_rate(X)
    whole = descend(X, y, rate, 5)
    batched = descend_in_batches(X, y, rate, 5, len(X), np.random.default_rng(seed))
    assert np.allclose(whole.w, batched.w, rtol=1e-10, atol=1e-12)
    assert np.allclose(whole.losses, batched.losses, rtol=1e-10)


def test_with_a_decaying_rate_batches_of_noisy_data_come_nearer_to_least_squares():
    _, X, y = problem(3)
    least = descend(X, y, 0.5 * largest_stable_rate(X), 2000).losses[-1]
    excess = [
        descend_in_batches(X, y, 0.05, 300, 2, np.random.default_rng(0), decay=decay).losses[-1] - least
        for decay in (0.0, 0.1)
    ]
    assert 0 <= excess[1] < 0.1 * excess[0]


@given(st.integers(1, 50), st.integers(1, 60), seeds)
@settings(deadline=None)
def test_batches_partition_the_samples(n, size, seed):
    found = list(batches(n, size, np.random.default_rng(seed)))
    assert sorted(np.concatenate(found)) == list(range(n))
    assert all(len(rows) == size for rows in found[:-1])


def test_a_start_is_not_changed():
    w = np.array([1.0, 2.0])
    descend(np.ones((3, 2)), np.zeros(3), 0.1, 3, w=w)
    descend_in_batches(np.ones((3, 2)), np.zeros(3), 0.1, 3, 2, np.random.default_rng(0), w=w)
    assert w.tolist() == [1.0, 2.0]


def test_a_column_of_targets_is_refused():
    with pytest.raises(ValueError, match="3 rows"):
        descend(np.ones((3, 2)), np.zeros((3, 1)), 0.1, 1)
