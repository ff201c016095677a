"""Differences and the gradient check, on functions whose gradients are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.grad.check import STEP, derivative, directional_derivative, gradient, gradient_check, relative_error

seeds = st.integers(0, 2**32 - 1)


def layer(rng):
    """A tanh layer under a random upstream gradient: the function of its weights, the weights, the gradient by hand."""
    n, p, q = rng.integers(1, 5, size=3)
    X, W, upstream = rng.standard_normal((n, p)), rng.standard_normal((p, q)), rng.standard_normal((n, q))

    def f(W):
        return np.sum(np.tanh(X @ W) * upstream)

    return f, W, X.T @ (upstream * (1 - np.tanh(X @ W) ** 2))


@given(seeds)
@settings(max_examples=60, deadline=None)
def test_a_right_gradient_of_a_layer_passes(seed):
    f, W, truth = layer(np.random.default_rng(seed))
    assert gradient_check(f, truth, W).passed


@given(seeds, st.sampled_from([1e-3, 1e-2, 1.0, -1.0]))
@settings(max_examples=60, deadline=None)
def test_one_wrong_entry_is_found_and_located(seed, amount):
    rng = np.random.default_rng(seed)
    f, W, truth = layer(rng)
    large = np.argwhere(np.abs(truth) > 0.1 * np.abs(truth).max())
    at = tuple(int(i) for i in rng.choice(large))
    wrong = truth.copy()
    wrong[at] *= 1 + amount
    found = gradient_check(f, wrong, W)
    assert not found.passed
    assert found.index == at


@given(seeds, st.integers(-12, 12))
@settings(max_examples=40, deadline=None)
def test_the_verdict_does_not_depend_on_the_scale_of_the_function(seed, exponent):
    f, W, truth = layer(np.random.default_rng(seed))
    scale = 10.0**exponent
    assert gradient_check(lambda W: scale * f(W), scale * truth, W).passed
    assert not gradient_check(lambda W: scale * f(W), -scale * truth, W).passed


@pytest.mark.parametrize("x", [0.0, 1.0, -3.0, 1e3, 1e6])
def test_halving_a_wide_step_divides_the_error_by_four(x):
    scale = max(1.0, abs(x))
    truth = 3 * (x / scale) ** 2
    wide, half = (derivative(lambda x: (x / scale) ** 3 * scale, x, h * scale) - truth for h in (0.2, 0.1))
    assert wide == pytest.approx(0.04)
    assert half == pytest.approx(0.01)


def test_the_default_step_beats_steps_ten_times_wider_and_narrower():
    points = np.linspace(0.5, 1.5, 50)
    mean_error = {}
    for factor in (0.03, 1.0, 30.0):
        mean_error[factor] = np.mean(
            [abs(derivative(np.exp, x, factor * STEP * max(1.0, x)) - np.exp(x)) for x in points]
        )
    assert mean_error[1.0] < mean_error[0.03]
    assert mean_error[1.0] < mean_error[30.0]


@given(seeds)
@settings(max_examples=40, deadline=None)
def test_the_directional_derivative_is_gradient_times_direction(seed):
    rng = np.random.default_rng(seed)
    f, W, truth = layer(rng)
    v = rng.standard_normal(W.shape)
    assert directional_derivative(f, W, v) == pytest.approx(np.sum(truth * v), rel=1e-7, abs=1e-7)


def test_a_function_that_hands_back_its_own_array_is_differentiated_too():
    assert gradient(lambda x: x, np.array(2.0)) == pytest.approx(1.0)


def test_x_is_whole_again_when_the_function_raises():
    x = np.array([1.0, 2.0])

    def f(z):
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        gradient(f, x)
    assert x.tolist() == [1.0, 2.0]


@given(st.lists(st.floats(-1e150, 1e150), min_size=1, max_size=5), seeds)
def test_the_relative_error_is_symmetric_and_at_most_two(a, seed):
    a = np.array(a)
    b = np.random.default_rng(seed).permutation(a) * 0.5
    assert np.array_equal(relative_error(a, b), relative_error(b, a))
    assert (relative_error(a, b) <= 2).all()
