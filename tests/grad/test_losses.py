"""Losses against PyTorch's: values and gradients, ends of the range, and what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from groundup.grad import losses
from groundup.grad.check import gradient_check
from groundup.grad.tensor import Tensor

torch = pytest.importorskip("torch", reason="torch is an extra, and is not installed here")
F = torch.nn.functional
THEIRS = {
    "mean_squared_error": F.mse_loss,
    "mean_absolute_error": F.l1_loss,
    "huber": F.huber_loss,
    "binary_cross_entropy": F.binary_cross_entropy_with_logits,
}


def ours(name, output, target, upstream=1.0, **options):
    output = Tensor(output, requires_grad=True)
    loss = getattr(losses, name)(output, target, **options)
    loss.backward(upstream)
    assert loss.shape == () and output.grad.dtype == output.dtype
    return loss.item(), output.grad


def theirs(function, output, target, upstream=1.0, **options):
    output = torch.tensor(output, requires_grad=True)
    loss = function(output, torch.tensor(target), **options)
    loss.backward(torch.tensor(upstream, dtype=output.dtype))
    return loss.item(), output.grad.numpy()


@st.composite
def pairs(draw):
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=3, max_side=4))
    floats = st.floats(-50, 50, allow_subnormal=False)
    return draw(hnp.arrays(float, shape, elements=floats)), draw(hnp.arrays(float, shape, elements=floats))


@pytest.mark.parametrize("name", THEIRS)
@given(pair=pairs(), upstream=st.floats(-3, 3), delta=st.sampled_from([0.25, 1.0, 7.0]))
@settings(max_examples=40, deadline=None)
def test_a_loss_between_two_arrays_is_pytorchs(name, pair, upstream, delta):
    output, target = pair
    options = {"delta": delta} if name == "huber" else {}
    if name == "binary_cross_entropy":
        target = np.abs(target) / 50
    loss, grad = ours(name, output, target, upstream, **options)
    expected, slope = theirs(THEIRS[name], output, target, upstream, **options)
    assert loss == pytest.approx(expected, rel=1e-12, abs=1e-12)
    np.testing.assert_allclose(grad, slope, rtol=1e-10, atol=1e-12)


@given(seed=st.integers(0, 2**31), n=st.integers(1, 6), k=st.integers(1, 5), smoothing=st.sampled_from([0.0, 0.1, 1.0]))
@settings(max_examples=60, deadline=None)
def test_cross_entropy_with_every_option_is_pytorchs(seed, n, k, smoothing):
    rng = np.random.default_rng(seed)
    scores, labels = 5 * rng.standard_normal((n, k)), rng.integers(0, k, n)
    for weights in (None, rng.uniform(0.1, 4, k)):
        there = {"label_smoothing": smoothing, "weight": None if weights is None else torch.tensor(weights)}
        loss, grad = ours("cross_entropy", scores, labels, -1.5, smoothing=smoothing, weights=weights)
        expected, slope = theirs(F.cross_entropy, scores, labels, -1.5, **there)
        assert loss == pytest.approx(expected, rel=1e-12, abs=1e-12)
        np.testing.assert_allclose(grad, slope, atol=1e-12)


@pytest.mark.parametrize("kind", [np.uint8, np.int32, list])
def test_labels_may_be_integers_of_any_width(kind):
    labels = [2, 0] if kind is list else np.array([2, 0], kind)
    scores = np.array([[0.0, 1.0, 2.0], [1.0, 0.0, 0.0]])
    assert ours("cross_entropy", scores, labels)[0] == ours("cross_entropy", scores, np.array([2, 0]))[0]


def test_hubers_loss_meets_itself_where_the_lines_begin():
    for delta in (0.5, 1.0, 3.0):
        inside, at, outside = (ours("huber", [delta + step], [0.0], delta=delta) for step in (-1e-9, 0.0, 1e-9))
        assert inside[0] == pytest.approx(at[0], abs=1e-8) and outside[0] == pytest.approx(at[0], abs=1e-8)
        assert inside[1] == pytest.approx(at[1], abs=1e-8) and outside[1] == pytest.approx(at[1], abs=1e-8)


def test_hubers_loss_is_not_the_smooth_one():
    e, delta = np.array([0.1, 3.0]), 0.5
    smooth = theirs(F.smooth_l1_loss, e, np.zeros(2), beta=delta)[0]
    assert ours("huber", e, np.zeros(2), delta=delta)[0] == pytest.approx(delta * smooth)


def test_slopes_at_the_kink_of_the_distance_are_zero():
    assert ours("mean_absolute_error", [1.0, 2.0], [1.0, 1.0])[1].tolist() == [0.0, 0.5]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_nothing_overflows_at_the_ends(dtype):
    far = np.array([-1e4, -800.0, -90.0, 0.0, 90.0, 800.0, 1e4], dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        for target in (0.0, 0.5, 1.0):
            loss, grad = ours("binary_cross_entropy", far, np.full(7, target, dtype))
            assert np.isfinite(loss) and np.isfinite(grad).all()
        scores = np.stack([far, far[::-1]], axis=1)
        for options in ({}, {"smoothing": 0.1}, {"weights": np.array([1.0, 5.0])}):
            loss, grad = ours("cross_entropy", scores, np.array([0, 1, 0, 1, 0, 1, 0]), **options)
            assert np.isfinite(loss) and np.isfinite(grad).all()
    assert ours("binary_cross_entropy", far[[0, -1]], np.array([1.0, 0.0], dtype))[0] == 1e4


def test_a_small_loss_keeps_its_digits():
    for z, t in ((40.0, 1.0), (-40.0, 0.0), (-100.0, 0.0)):
        loss, grad = ours("binary_cross_entropy", np.array([z]), np.array([t]))
        assert loss == pytest.approx(np.exp(-abs(z)), rel=1e-12)
        assert abs(grad[0]) == pytest.approx(np.exp(-abs(z)), rel=1e-12)


def test_a_class_that_is_out_of_the_question_spoils_nothing():
    loss, grad = ours("cross_entropy", np.array([[1.0, -np.inf, 0.0]]), np.array([0]))
    expected, slope = ours("cross_entropy", np.array([[1.0, 0.0]]), np.array([0]))
    assert loss == pytest.approx(expected, rel=1e-14) and grad[0, 1] == 0
    np.testing.assert_allclose(grad[:, [0, 2]], slope, atol=1e-15)


def test_smoothing_has_its_minimum_where_the_softmax_is_the_target():
    k, s = 4, 0.2
    target = np.full(k, s / k)
    target[1] += 1 - s
    loss, grad = ours("cross_entropy", np.log(target)[None], np.array([1]), smoothing=s)
    np.testing.assert_allclose(grad, 0, atol=1e-15)
    assert loss == pytest.approx(-(target * np.log(target)).sum())


def test_twice_the_weights_change_nothing():
    scores, labels, weights = (
        np.random.default_rng(0).standard_normal((5, 3)),
        np.array([0, 1, 2, 1, 1]),
        np.array([1.0, 3.0, 2.0]),
    )
    one, two = (ours("cross_entropy", scores, labels, weights=w, smoothing=0.1) for w in (weights, 2 * weights))
    assert one[0] == pytest.approx(two[0], rel=1e-14)
    np.testing.assert_allclose(one[1], two[1], atol=1e-15)


@pytest.mark.parametrize("name", THEIRS)
def test_gradients_pass_the_check_by_differences(name):
    rng = np.random.default_rng(0)
    output, target = rng.standard_normal((3, 4)), rng.uniform(0, 1, (3, 4))
    _, grad = ours(name, output, target)
    assert gradient_check(lambda x: getattr(losses, name)(Tensor(x), target).item(), grad, output).passed


def test_a_target_may_be_a_tensor_and_gets_its_gradient():
    output, target = (Tensor(np.array(x), requires_grad=True) for x in ([1.0, 4.0], [2.0, 1.0]))
    losses.mean_squared_error(output, target).backward()
    np.testing.assert_array_equal(output.grad, -target.grad)


def test_float32_stays_float32():
    x = np.ones((3, 2), np.float32)
    for name in THEIRS:
        assert getattr(losses, name)(Tensor(x), x).dtype == np.float32
    loss = losses.cross_entropy(Tensor(x), np.array([0, 1, 1]), smoothing=0.1, weights=np.array([1.0, 2.0]))
    assert loss.dtype == np.float32


@pytest.mark.parametrize("name", THEIRS)
@pytest.mark.parametrize("shapes", [((3,), (3, 1)), ((3, 1), (3,)), ((2, 3), (1, 3)), ((3,), ()), ((2,), (3,))])
def test_shapes_that_differ_are_refused_also_where_they_would_broadcast(name, shapes):
    with pytest.raises(ValueError, match="the output has shape"):
        getattr(losses, name)(Tensor(np.ones(shapes[0])), np.ones(shapes[1]))


@pytest.mark.parametrize(
    ("labels", "options", "says"),
    [
        ([0, 3], {}, "labels are from 0 to 2, not from 0 to 3"),
        ([-1, 0], {}, "not from -1 to 0"),
        ([[0], [1]], {}, r"2 samples have 2 integers as labels, not int64 of shape \(2, 1\)"),
        ([0.0, 1.0], {}, "not float64"),
        ([0], {}, r"of shape \(1,\)"),
        ([0, 1], {"smoothing": -0.1}, "from 0 to 1, not -0.1"),
        ([0, 1], {"smoothing": 1.1}, "from 0 to 1, not 1.1"),
        ([0, 1], {"weights": np.ones(1)}, "3 classes have 3 weights"),
    ],
)
def test_what_cannot_be_meant_is_refused(labels, options, says):
    with pytest.raises(ValueError, match=says):
        losses.cross_entropy(Tensor(np.zeros((2, 3))), np.array(labels), **options)


@pytest.mark.parametrize("delta", [0.0, -1.0, np.nan])
def test_lines_that_begin_at_nothing_are_refused(delta):
    with pytest.raises(ValueError, match="delta is where the lines begin"):
        losses.huber(Tensor(np.zeros(2)), np.zeros(2), delta)
