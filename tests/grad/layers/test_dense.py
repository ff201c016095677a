"""Layers by hand: PyTorch and SciPy in float64 as the oracle, central differences for every backward."""

import math

import numpy as np
import pytest
import torch
from scipy import special

from groundup.grad.check import gradient_check
from groundup.grad.layers import dense

RNG = np.random.default_rng(31)
ELEMENTWISE = {
    "relu": (torch.relu, {}),
    "tanh": (torch.tanh, {}),
    "sigmoid": (torch.sigmoid, {}),
    "gelu": (torch.nn.functional.gelu, {"approximate": "none"}),
    "gelu, tanh": (torch.nn.functional.gelu, {"approximate": "tanh"}),
}


def by_hand(name):
    name = name.partition(",")[0]
    return getattr(dense, f"{name}_forward"), getattr(dense, f"{name}_backward")


def in_torch(function, arrays, upstream):
    leaves = [torch.tensor(a, requires_grad=True) for a in arrays]
    y = function(*leaves)
    y.backward(torch.as_tensor(upstream, dtype=y.dtype))
    return y.detach().numpy(), [leaf.grad.numpy() for leaf in leaves]


@pytest.mark.parametrize("batch", [(), (1,), (4,), (2, 3), (2, 1, 3)])
@pytest.mark.parametrize(("d", "m"), [(1, 1), (3, 3), (5, 2), (1, 4)])
def test_affine_equals_torch_with_any_axes_in_front(batch, d, m):
    x, W, b, dy = (RNG.standard_normal(s) for s in ((*batch, d), (d, m), (m,), (*batch, m)))
    y, cache = dense.affine_forward(x, W, b)
    expected, gradients = in_torch(lambda x, W, b: x @ W + b, (x, W, b), dy)
    np.testing.assert_allclose(y, expected, atol=1e-13)
    for ours, theirs in zip(dense.affine_backward(dy, cache), gradients):
        np.testing.assert_allclose(ours, theirs, atol=1e-12)
        assert ours.shape == theirs.shape


def test_affine_without_dx_gives_the_same_gradients_of_parameters():
    x, W, b, dy = (RNG.standard_normal(s) for s in ((4, 3), (3, 2), (2,), (4, 2)))
    _, cache = dense.affine_forward(x, W, b)
    _, dW, db = dense.affine_backward(dy, cache)
    none, dW_alone, db_alone = dense.affine_backward(dy, cache, with_dx=False)
    assert none is None
    assert np.array_equal(dW, dW_alone) and np.array_equal(db, db_alone)


def test_affine_takes_an_empty_batch():
    y, cache = dense.affine_forward(np.zeros((0, 3)), np.ones((3, 2)), np.ones(2))
    dx, dW, db = dense.affine_backward(np.zeros((0, 2)), cache)
    assert y.shape == (0, 2) and dx.shape == (0, 3)
    assert not dW.any() and not db.any()


@pytest.mark.parametrize("name", ELEMENTWISE)
@pytest.mark.parametrize("scale", [1e-3, 1.0, 30.0, 1e4])
def test_elementwise_layers_equal_torch(name, scale):
    function, options = ELEMENTWISE[name]
    forward, backward = by_hand(name)
    x, dy = scale * RNG.standard_normal((3, 4, 5)), RNG.standard_normal((3, 4, 5))
    with np.errstate(over="raise", invalid="raise"):
        y, cache = forward(x, **options)
        dx = backward(dy, cache)
    expected, (theirs,) = in_torch(lambda x: function(x, **options), (x,), dy)
    np.testing.assert_allclose(y, expected, rtol=1e-14, atol=1e-14 * scale)
    np.testing.assert_allclose(dx, theirs, rtol=1e-13, atol=1e-14)


def test_relu_has_slope_zero_at_zero():
    y, cache = dense.relu_forward(np.array([-1.0, 0.0, 2.0]))
    assert y.tolist() == [0.0, 0.0, 2.0]
    assert dense.relu_backward(np.array([5.0, 5.0, 5.0]), cache).tolist() == [0.0, 0.0, 5.0]


def test_sigmoid_keeps_its_digits_far_below_zero_and_never_overflows():
    x = np.array([-1e300, -700.0, -40.0, 0.0, 40.0, 1e300])
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        y, _ = dense.sigmoid_forward(x)
    np.testing.assert_allclose(y, special.expit(x), rtol=1e-14)
    assert y[1] == math.exp(-700)


def test_the_tanh_approximation_of_gelu_is_off_by_at_most_five_in_ten_thousand():
    x = np.linspace(-8, 8, 20001)
    exact, approximate = dense.gelu_forward(x)[0], dense.gelu_forward(x, approximate="tanh")[0]
    assert 4e-4 < np.abs(exact - approximate).max() < 5e-4


def test_gelu_refuses_an_approximation_it_does_not_know():
    with pytest.raises(ValueError, match="sigmoid"):
        dense.gelu_forward(np.zeros(2), approximate="sigmoid")


def test_erf_equals_scipy_to_its_last_digits():
    x = np.concatenate([np.linspace(-8, 8, 40001), 10.0 ** np.linspace(-300, 2, 2001), [2.5, np.nextafter(2.5, 0)]])
    ours, theirs = dense.erf(x), special.erf(x)
    assert np.abs(ours - theirs).max() <= 1e-15
    np.testing.assert_allclose(ours, theirs, rtol=1e-15)


def test_erf_of_many_numbers_is_erf_of_each():
    x = 3 * RNG.standard_normal((300, 137))
    assert np.array_equal(dense.erf(x), np.array([dense.erf(row) for row in x]))


def test_erf_at_the_ends():
    assert dense.erf(np.array([np.inf, -np.inf, 0.0, 6.0, -30.0])).tolist() == [1.0, -1.0, 0.0, 1.0, -1.0]
    assert np.isnan(dense.erf(np.array([np.nan, 1.0]))).tolist() == [True, False]
    assert np.signbit(dense.erf(np.array([-0.0])))[0]


@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (2, 3, 4)])
def test_erf_keeps_shape_and_dtype(shape):
    for dtype in (np.float32, np.float64):
        y = dense.erf(RNG.standard_normal(shape).astype(dtype))
        assert y.shape == shape and y.dtype == dtype


def test_erf_in_float32_is_right_to_its_spacing():
    x = np.linspace(-5, 5, 5001, dtype=np.float32)
    np.testing.assert_allclose(dense.erf(x), special.erf(x.astype(np.float64)), atol=5e-7)


@pytest.mark.parametrize("axis", [-1, 0, 1, 2])
@pytest.mark.parametrize("shift", [0.0, 1e4, -1e4])
def test_log_sum_exp_and_softmax_equal_scipy(axis, shift):
    z = 10 * RNG.standard_normal((3, 4, 5)) + shift
    np.testing.assert_allclose(dense.log_sum_exp(z, axis), special.logsumexp(z, axis=axis), rtol=1e-14)
    np.testing.assert_allclose(dense.log_softmax(z, axis), special.log_softmax(z, axis=axis), atol=1e-11)
    np.testing.assert_allclose(dense.softmax(z, axis), special.softmax(z, axis=axis), atol=1e-14)


def test_rows_far_apart_do_not_disturb_each_other():
    z = np.array([[0.0, 1.0], [3000.0, 3001.0], [-5000.0, -4999.0]])
    with np.errstate(all="raise"):
        p, logs = dense.softmax(z), dense.log_softmax(z)
    assert np.array_equal(p[0], p[1]) and np.array_equal(p[0], p[2])
    np.testing.assert_allclose(np.exp(logs), p)


def test_log_sum_exp_of_nothing_is_minus_infinity():
    z = np.array([[-np.inf, -np.inf], [-np.inf, 5.0]])
    assert dense.log_sum_exp(z).tolist() == [-np.inf, 5.0]


@pytest.mark.parametrize("axis", [-1, 0, 1])
def test_softmax_backward_is_the_product_with_the_whole_jacobian(axis):
    z, dp = RNG.standard_normal((2, 4, 3)), RNG.standard_normal((2, 4, 3))
    p, cache = dense.softmax_forward(z, axis)
    expected, (theirs,) = in_torch(lambda z: torch.softmax(z, dim=axis), (z,), dp)
    np.testing.assert_allclose(p, expected, atol=1e-15)
    np.testing.assert_allclose(dense.softmax_backward(dp, cache), theirs, atol=1e-14)


@pytest.mark.parametrize("dloss", [1.0, -2.5, 0.0])
@pytest.mark.parametrize(("n", "k", "scale"), [(1, 2, 1.0), (7, 5, 10.0), (4, 1, 1.0), (6, 3, 1e4)])
def test_cross_entropy_equals_torch(n, k, scale, dloss):
    scores, labels = scale * RNG.standard_normal((n, k)), RNG.integers(0, k, n)
    loss, cache = dense.softmax_cross_entropy_forward(scores, labels)
    expected, (theirs,) = in_torch(
        lambda z: torch.nn.functional.cross_entropy(z, torch.tensor(labels)), (scores,), dloss
    )
    np.testing.assert_allclose(loss, expected, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(dense.softmax_cross_entropy_backward(dloss, cache), theirs, atol=1e-13)


def test_cross_entropys_gradient_sums_to_zero_in_every_row():
    _, cache = dense.softmax_cross_entropy_forward(RNG.standard_normal((6, 4)), RNG.integers(0, 4, 6))
    assert np.abs(dense.softmax_cross_entropy_backward(1.0, cache).sum(axis=1)).max() < 1e-16


def test_cross_entropy_is_softmax_and_logarithm_one_after_the_other():
    scores, labels = RNG.standard_normal((5, 4)), RNG.integers(0, 4, 5)
    loss, cache = dense.softmax_cross_entropy_forward(scores, labels)
    p, softmax_cache = dense.softmax_forward(scores)
    chosen = p[np.arange(5), labels]
    dp = np.zeros_like(p)
    dp[np.arange(5), labels] = -1 / chosen / 5
    np.testing.assert_allclose(loss, -np.log(chosen).mean(), rtol=1e-14)
    fused = dense.softmax_cross_entropy_backward(1.0, cache)
    np.testing.assert_allclose(dense.softmax_backward(dp, softmax_cache), fused, atol=1e-15)


@pytest.mark.parametrize(
    "labels", [np.array([0, 3]), np.array([-1, 0]), np.array([[0], [1]]), np.array([0.0, 1.0]), np.array([0, 1, 2])]
)
def test_labels_that_are_no_labels_are_refused(labels):
    with pytest.raises(ValueError, match="labels are"):
        dense.softmax_cross_entropy_forward(np.zeros((2, 3)), labels)


def layer_cases():
    x = RNG.standard_normal((3, 4))
    x += 0.1 * np.sign(x)  # off the kink of relu
    cases = {name: ([x], options) for name, (_, options) in ELEMENTWISE.items()}
    cases["affine"] = ([x, RNG.standard_normal((4, 2)), RNG.standard_normal(2)], {})
    cases["softmax"] = ([x], {})
    cases["softmax_cross_entropy"] = ([x], {"labels": np.array([0, 3, 1])})
    return cases


CASES = layer_cases()


@pytest.mark.parametrize("name", CASES)
def test_every_backward_is_the_slope_of_its_forward(name):
    arrays, options = CASES[name]
    forward, backward = by_hand(name)
    y, cache = forward(*arrays, **options)
    dy = RNG.standard_normal(np.shape(y))
    gradients = backward(dy, cache)
    gradients = gradients if isinstance(gradients, tuple) else (gradients,)
    for place, claimed in enumerate(gradients):

        def value(x, place=place):
            operands = [x if i == place else a for i, a in enumerate(arrays)]
            return np.sum(dy * forward(*operands, **options)[0])

        check = gradient_check(value, claimed, arrays[place], tolerance=1e-7)
        assert check.passed, (name, place, check)


@pytest.mark.parametrize("name", CASES)
def test_nothing_handed_over_is_written_into(name):
    arrays, options = CASES[name]
    forward, backward = by_hand(name)
    before = [a.copy() for a in arrays]
    y, cache = forward(*arrays, **options)
    dy = np.asarray(RNG.standard_normal(np.shape(y)))
    dy_before, y_before = dy.copy(), np.copy(y)
    first = backward(dy, cache)
    backward(2 * dy, cache)
    second = backward(dy, cache)
    assert all(np.array_equal(a, b) for a, b in zip(arrays, before))
    assert np.array_equal(dy, dy_before) and np.array_equal(y, y_before)
    for a, b in zip(
        first if isinstance(first, tuple) else (first,), second if isinstance(second, tuple) else (second,)
    ):
        assert np.array_equal(a, b)


@pytest.mark.parametrize("name", CASES)
def test_float32_stays_float32(name):
    arrays, options = CASES[name]
    forward, backward = by_hand(name)
    y, cache = forward(*(a.astype(np.float32) for a in arrays), **options)
    assert y.dtype == np.float32
    for upstream in (np.asarray(y), np.float64(0.5)) if np.ndim(y) == 0 else (y,):
        gradients = backward(upstream, cache)
        assert {g.dtype for g in (gradients if isinstance(gradients, tuple) else (gradients,))} == {
            np.dtype(np.float32)
        }
