"""Normalisation and dropout: PyTorch in float64 as the oracle, and the properties that need none."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from groundup.grad.check import gradient_check
from groundup.grad.layers import norm

SHAPES = [(2, 1), (3, 3), (5, 2), (2, 3, 4), (1, 2, 3, 3), (2, 2, 2, 2), (3, 4, 2, 5)]


def drawn(shape, c, seed=0):
    """x, gamma, beta, dy, none of them special."""
    rng = np.random.default_rng(seed)
    return (
        2 + 3 * rng.standard_normal(shape),
        rng.standard_normal(c),
        rng.standard_normal(c),
        rng.standard_normal(shape),
    )


def in_torch(function, arrays, dy):
    leaves = [torch.tensor(a, requires_grad=True) for a in arrays]
    y = function(*leaves)
    y.backward(torch.tensor(dy))
    return y.detach().numpy(), [leaf.grad.numpy() for leaf in leaves]


def agree(got, expected):
    (y, grads), (y_true, grads_true) = got, expected
    np.testing.assert_allclose(y, y_true, rtol=0, atol=1e-10)
    for ours, theirs in zip(grads, grads_true, strict=True):
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("eps", [1e-5, 0.3])
def test_batch_norm_and_its_running_statistics_equal_torch(shape, train, eps):
    c = shape[1]
    *arrays, dy = drawn(shape, c)
    running = {"mean": np.linspace(-1, 1, c), "var": np.linspace(0.5, 2, c)}
    mean, var = torch.tensor(running["mean"]), torch.tensor(running["var"])
    expected = in_torch(lambda x, g, b: F.batch_norm(x, mean, var, g, b, train, 0.3, eps), arrays, dy)
    y, cache = norm.batch_norm_forward(*arrays, running, train, 0.3, eps)
    agree((y, norm.batch_norm_backward(dy, cache)), expected)
    np.testing.assert_allclose(running["mean"], mean.numpy(), rtol=0, atol=1e-10)
    np.testing.assert_allclose(running["var"], var.numpy(), rtol=0, atol=1e-10)


@pytest.mark.parametrize("shape", [(3,), (1, 4), (3, 3), (2, 3, 4), (2, 1, 2, 5), (4, 1)])
def test_layer_norm_equals_torch_with_any_axes_in_front(shape):
    *arrays, dy = drawn(shape, shape[-1])
    y, cache = norm.layer_norm_forward(*arrays)
    expected = in_torch(lambda x, g, b: F.layer_norm(x, shape[-1:], g, b), arrays, dy)
    agree((y, norm.layer_norm_backward(dy, cache)), expected)


@pytest.mark.parametrize("shape", [(2, 6), (1, 6, 3), (3, 6, 2, 2)])
@pytest.mark.parametrize("groups", [1, 2, 3, 6])
def test_group_norm_equals_torch(shape, groups):
    *arrays, dy = drawn(shape, 6)
    y, cache = norm.group_norm_forward(*arrays, groups)
    expected = in_torch(lambda x, g, b: F.group_norm(x, groups, g, b), arrays, dy)
    agree((y, norm.group_norm_backward(dy, cache)), expected)


@given(st.integers(2, 5), st.integers(1, 4), st.integers(1, 3), st.integers(0, 2**31))
@settings(max_examples=40, deadline=None)
def test_batch_norm_of_images_is_that_of_their_pixels_as_rows(n, c, side, seed):
    x, gamma, beta, dy = drawn((n, c, side, side), c, seed)
    rows = lambda a: a.transpose(0, 2, 3, 1).reshape(-1, c)  # noqa: E731
    y, cache = norm.batch_norm_forward(x, gamma, beta)
    y_rows, cache_rows = norm.batch_norm_forward(rows(x), gamma, beta)
    np.testing.assert_allclose(rows(y), y_rows, rtol=0, atol=1e-12)
    dx, *_ = norm.batch_norm_backward(dy, cache)
    dx_rows, *_ = norm.batch_norm_backward(rows(dy), cache_rows)
    np.testing.assert_allclose(rows(dx), dx_rows, rtol=0, atol=1e-10)


@pytest.mark.parametrize("train", [True, False])
def test_batch_norms_gradients_agree_with_central_differences(train):
    x, gamma, beta, dy = drawn((4, 3), 3)
    running = lambda: {"mean": np.ones(3), "var": np.full(3, 2.0)}  # noqa: E731
    loss = lambda x, gamma, beta: (dy * norm.batch_norm_forward(x, gamma, beta, running(), train)[0]).sum()  # noqa: E731
    _, cache = norm.batch_norm_forward(x, gamma, beta, running(), train)
    dx, dgamma, dbeta = norm.batch_norm_backward(dy, cache)
    assert gradient_check(lambda v: loss(v, gamma, beta), dx, x).passed
    assert gradient_check(lambda v: loss(x, v, beta), dgamma, gamma).passed
    assert gradient_check(lambda v: loss(x, gamma, v), dbeta, beta).passed


@given(st.integers(2, 6), st.integers(0, 2**31), st.floats(0.5, 100.0), st.floats(-10.0, 10.0))
@settings(max_examples=60, deadline=None)
def test_the_gradient_is_orthogonal_to_what_does_not_change_the_output(n, seed, stretch, shift):
    x, gamma, beta, dy = drawn((n, 3), 3, seed)
    x += np.arange(n)[:, None]
    y, cache = norm.batch_norm_forward(x, gamma, beta, eps=1e-12)
    moved, _ = norm.batch_norm_forward(stretch * x + shift, gamma, beta, eps=1e-12)
    dx, *_ = norm.batch_norm_backward(dy, cache)
    size = np.abs(dy).sum(axis=0) / x.std(axis=0)
    np.testing.assert_allclose(moved, y, rtol=0, atol=1e-6)
    assert (np.abs(dx.sum(axis=0)) <= 1e-9 * (1 + size)).all()
    assert (np.abs((dx * (x - x.mean(axis=0))).sum(axis=0)) <= 1e-6 * (1 + size)).all()


def test_two_samples_get_no_gradient():
    x, gamma, beta, dy = drawn((2, 4), 4)
    _, cache = norm.batch_norm_forward(x, gamma, beta, eps=1e-14)
    dx, *_ = norm.batch_norm_backward(dy, cache)
    assert np.abs(dx).max() < 1e-10


def test_running_statistics_settle_on_those_of_the_data():
    rng, running = np.random.default_rng(0), {"mean": np.zeros(2), "var": np.ones(2)}
    for _ in range(600):
        x = np.array([3.0, -1.0]) + np.array([2.0, 0.5]) * rng.standard_normal((16, 2))
        norm.batch_norm_forward(x, np.ones(2), np.zeros(2), running, momentum=0.02)
    np.testing.assert_allclose(running["mean"], [3, -1], atol=0.2)
    np.testing.assert_allclose(running["var"], [4, 0.25], rtol=0.15)


def test_after_training_a_sample_does_not_see_the_others():
    x, gamma, beta, _ = drawn((6, 3), 3)
    running = {"mean": x.mean(axis=0), "var": x.var(axis=0)}
    together, _ = norm.batch_norm_forward(x, gamma, beta, running, train=False)
    for i in range(6):
        alone, _ = norm.batch_norm_forward(x[i : i + 1], gamma, beta, running, train=False)
        np.testing.assert_array_equal(alone[0], together[i])


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 0.9])
def test_dropout_keeps_the_mean_and_drops_its_share(rate):
    x = np.random.default_rng(1).uniform(1, 2, (100, 200))
    y, cache = norm.dropout_forward(x, rate, np.random.default_rng(2))
    kept = y != 0
    assert abs(kept.mean() - (1 - rate)) < 6 * np.sqrt(rate * (1 - rate) / x.size) + 1e-12
    np.testing.assert_allclose(y[kept], x[kept] / (1 - rate), rtol=1e-14)
    np.testing.assert_allclose(norm.dropout_backward(np.ones_like(x), cache), kept / (1 - rate), rtol=1e-14)


def test_one_seed_is_one_mask_and_nothing_is_drawn_after_training():
    x, generator = np.ones((3, 5)), np.random.default_rng(4)
    first, _ = norm.dropout_forward(x, 0.5, np.random.default_rng(4))
    y, cache = norm.dropout_forward(x, 0.5, generator, train=False)
    assert (y == x).all() and (norm.dropout_backward(x, cache) == x).all()
    again, _ = norm.dropout_forward(x, 0.5, generator)
    np.testing.assert_array_equal(first, again)


def layers(dtype):
    """Every layer's y and gradients on small arrays of a dtype, and the running statistics."""
    x, gamma, beta, dy = (a.astype(dtype) for a in drawn((3, 4, 2), 4))
    running = {"mean": np.zeros(4, dtype), "var": np.ones(4, dtype)}
    for train in (True, False):
        y, cache = norm.batch_norm_forward(x, gamma, beta, running, train)
        yield from (y, *norm.batch_norm_backward(dy, cache), *running.values())
        y, cache = norm.dropout_forward(x, 0.3, np.random.default_rng(0), train)
        yield from (y, norm.dropout_backward(dy, cache))
    y, cache = norm.layer_norm_forward(x, gamma[:2], beta[:2])
    yield from (y, *norm.layer_norm_backward(dy, cache))
    y, cache = norm.group_norm_forward(x, gamma, beta, 2)
    yield from (y, *norm.group_norm_backward(dy, cache))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_dtype_stays(dtype):
    assert {a.dtype for a in layers(dtype)} == {np.dtype(dtype)}


def test_float32_is_near_float64():
    for single, double in zip(layers(np.float32), layers(np.float64), strict=True):
        np.testing.assert_allclose(single, double, rtol=1e-3, atol=1e-4)


def test_far_from_zero_the_variance_keeps_its_digits():
    x = np.random.default_rng(0).uniform(-3, 3, (50, 2))
    near, _ = norm.batch_norm_forward(x, np.ones(2), np.zeros(2))
    far, _ = norm.batch_norm_forward(x + 2.0**20, np.ones(2), np.zeros(2))
    np.testing.assert_allclose(far, near, atol=1e-8)


def test_backward_twice_gives_the_same_and_changes_nothing_that_it_was_given():
    x, gamma, beta, dy = drawn((3, 4, 2), 4)
    calls = [
        (norm.batch_norm_forward(x, gamma, beta)[1], norm.batch_norm_backward),
        (norm.layer_norm_forward(x, gamma[:2], beta[:2])[1], norm.layer_norm_backward),
        (norm.group_norm_forward(x, gamma, beta, 2)[1], norm.group_norm_backward),
        (norm.dropout_forward(x, 0.5, np.random.default_rng(0))[1], norm.dropout_backward),
    ]
    for cache, backward in calls:
        before = dy.copy()
        first, second = backward(dy, cache), backward(dy, cache)
        assert all((a == b).all() for a, b in zip(first, second, strict=True))
        assert (dy == before).all()


@pytest.mark.parametrize("rate", [1.0, -0.1, 1.5, float("nan")])
def test_a_rate_that_is_none_is_refused(rate):
    with pytest.raises(ValueError, match="rate"):
        norm.dropout_forward(np.ones(3), rate, np.random.default_rng(0))


def test_what_has_no_statistics_is_refused():
    with pytest.raises(ValueError, match="one number"):
        norm.batch_norm_forward(np.ones((1, 3)), np.ones(3), np.zeros(3))
    with pytest.raises(ValueError, match="running"):
        norm.batch_norm_forward(np.ones((2, 3)), np.ones(3), np.zeros(3), train=False)
    for groups in (2, 0):
        with pytest.raises(ValueError, match="groups"):
            norm.group_norm_forward(np.ones((2, 3)), np.ones(3), np.zeros(3), groups)
