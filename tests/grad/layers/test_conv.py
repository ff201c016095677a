"""Convolution and pooling: PyTorch's values and gradients for any windows, and the laws that hold beside them."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from groundup.grad.check import gradient_check
from groundup.grad.layers import conv


@st.composite
def windows(draw, pooling=False):
    """Size, stride, padding, dilation, each (down, across), and the h and w of an image in which a window fits."""
    along = []
    for _ in range(2):
        k, s = draw(st.integers(1, 4)), draw(st.integers(1, 3))
        p, d = draw(st.integers(0, k // 2 if pooling else 3)), 1 if pooling else draw(st.integers(1, 3))
        least = max(1, d * (k - 1) + 1 - 2 * p)
        along.append((k, s, p, d, draw(st.integers(least, least + 6))))
    return tuple(zip(*along))


seeds = st.integers(0, 2**32 - 1)
some = settings(max_examples=60, deadline=None)


def close(got, expected, atol=1e-10):
    assert got.shape == tuple(expected.shape)
    np.testing.assert_allclose(got, expected.detach().numpy(), rtol=0, atol=atol)


@some
@given(windows(), st.integers(1, 3), st.integers(1, 2), st.integers(1, 2), st.booleans(), seeds)
def test_convolution_and_its_gradients_equal_pytorchs(window, groups, per_group, filters, biased, seed):
    size, stride, padding, dilation, image = window
    rng = np.random.default_rng(seed)
    arrays = [rng.normal(size=(2, groups * per_group, *image)), rng.normal(size=(groups * filters, per_group, *size))]
    if biased:
        arrays.append(rng.normal(size=groups * filters))
    leaves = [torch.tensor(a, requires_grad=True) for a in arrays]
    expected = functional.conv2d(leaves[0], leaves[1], leaves[2] if biased else None, stride, padding, dilation, groups)
    y, cache = conv.conv2d_forward(*arrays[:2], arrays[2] if biased else None, stride, padding, dilation, groups)
    close(y, expected)
    dy = rng.normal(size=y.shape)
    gradients = conv.conv2d_backward(dy, cache)
    assert biased or gradients[2] is None
    for got, g in zip(gradients, torch.autograd.grad(expected, leaves, torch.tensor(dy))):
        close(got, g)


@some
@given(windows(pooling=True), st.sampled_from(["max", "avg"]), st.booleans(), seeds)
def test_pooling_and_its_gradient_equal_pytorchs_also_among_ties(window, kind, ties, seed):
    size, stride, padding, _, image = window
    rng = np.random.default_rng(seed)
    x = rng.integers(-2, 1, (2, 2, *image)) * 1.0 if ties else rng.normal(size=(2, 2, *image)) - 2
    leaf = torch.tensor(x, requires_grad=True)
    expected = getattr(functional, f"{kind}_pool2d")(leaf, size, stride, padding)
    y, cache = getattr(conv, f"{kind}_pool2d_forward")(x, size, stride, padding)
    close(y, expected)
    dy = rng.normal(size=y.shape)
    dx = getattr(conv, f"{kind}_pool2d_backward")(dy, cache)
    close(dx, torch.autograd.grad(expected, leaf, torch.tensor(dy))[0])


@some
@given(windows(), seeds)
def test_fold_is_the_transpose_of_unfold(window, seed):
    size, stride, padding, dilation, image = window
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(2, 2, *image))
    columns = conv.unfold(x, size, stride, padding, dilation)
    C = rng.normal(size=columns.shape)
    back = conv.fold(C, x.shape, size, stride, padding, dilation)
    assert np.sum(C * columns) == pytest.approx(np.sum(back * x), abs=1e-9)


@some
@given(windows(), seeds)
def test_convolution_by_columns_equals_the_loops_of_its_docstring(window, seed):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw), image = window
    rng = np.random.default_rng(seed)
    x, W, b = rng.normal(size=(1, 4, *image)), rng.normal(size=(2, 2, kh, kw)), rng.normal(size=2)
    P = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    y = conv.conv2d_forward(x, W, b, (sh, sw), (ph, pw), (dh, dw), groups=2)[0]
    for k, f, p, q in np.ndindex(y.shape):
        total = b[f]
        for a, i, j in np.ndindex(2, kh, kw):
            total += W[f, a, i, j] * P[k, 2 * f + a, p * sh + i * dh, q * sw + j * dw]
        assert y[k, f, p, q] == pytest.approx(total, abs=1e-10)


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_a_moved_picture_gives_a_moved_result(stride):
    rng = np.random.default_rng(stride)
    x, W = np.zeros((1, 2, 24, 24)), rng.normal(size=(3, 2, 3, 3))
    x[:, :, 4:9, 5:11] = rng.normal(size=(1, 2, 5, 6))
    moved = np.roll(x, (2 * stride, stride), axis=(2, 3))
    y, z = (conv.conv2d_forward(picture, W, stride=stride, padding=1)[0] for picture in (x, moved))
    np.testing.assert_allclose(z[:, :, 2:, 1:], y[:, :, :-2, :-1], atol=1e-12)


def test_dx_is_a_convolution_of_dy_with_the_flipped_filters():
    rng = np.random.default_rng(1)
    x, W = rng.normal(size=(2, 3, 6, 7)), rng.normal(size=(4, 3, 3, 2))
    y, cache = conv.conv2d_forward(x, W)
    dy = rng.normal(size=y.shape)
    flipped = W.swapaxes(0, 1)[:, :, ::-1, ::-1]
    dx = conv.conv2d_backward(dy, cache)[0]
    np.testing.assert_allclose(conv.conv2d_forward(dy, flipped, padding=(2, 1))[0], dx, atol=1e-12)


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_gradients_agree_with_differences(groups):
    rng = np.random.default_rng(groups)
    x, W, b = rng.normal(size=(2, 4, 4, 3)), rng.normal(size=(4, 4 // groups, 2, 3)), rng.normal(size=4)
    options = dict(stride=(1, 2), padding=1, groups=groups)
    y, cache = conv.conv2d_forward(x, W, b, **options)
    dy = rng.normal(size=y.shape)
    arrays = [x, W, b]
    for i, claimed in enumerate(conv.conv2d_backward(dy, cache)):

        def loss(a, i=i):
            return (dy * conv.conv2d_forward(*arrays[:i], a, *arrays[i + 1 :], **options)[0]).sum()

        assert gradient_check(loss, claimed, arrays[i]).passed


@pytest.mark.parametrize("cache", [1, 3000, 2**21])
def test_how_many_images_are_taken_at_a_time_changes_nothing(monkeypatch, cache):
    rng = np.random.default_rng(3)
    x, W, b = rng.normal(size=(7, 2, 5, 5)), rng.normal(size=(2, 2, 3, 3)), rng.normal(size=2)
    whole = conv.conv2d_forward(x, W, b, padding=1)
    dy = rng.normal(size=whole[0].shape)
    expected = [whole[0], *conv.conv2d_backward(dy, whole[1])]
    monkeypatch.setattr(conv, "CACHE", cache)
    y, kept = conv.conv2d_forward(x, W, b, padding=1)
    for got, e in zip([y, *conv.conv2d_backward(dy, kept)], expected):
        np.testing.assert_allclose(got, e, atol=1e-12)


LAYERS = {
    "conv2d": lambda x: conv.conv2d_forward(x, np.ones((2, 2, 3, 3), x.dtype), np.ones(2, x.dtype), padding=1),
    "1x1": lambda x: conv.conv2d_forward(x, np.ones((2, 2, 1, 1), x.dtype)),
    "depthwise": lambda x: conv.conv2d_forward(x, np.ones((2, 1, 3, 3), x.dtype), groups=2),
    "max_pool2d": lambda x: conv.max_pool2d_forward(x, 3, 1, 1),
    "avg_pool2d": lambda x: conv.avg_pool2d_forward(x, 3, 1, 1),
}


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtypes_are_kept_and_backward_changes_neither_dy_nor_the_cache(layer, dtype):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 2, 5, 4)).astype(dtype)
    kind = layer if "pool" in layer else "conv2d"
    y, cache = LAYERS[layer](x)
    before, dy = x.copy(), y.copy()
    backward = getattr(conv, f"{kind}_backward")
    first, second = backward(dy, cache), backward(dy, cache)
    for a, b in zip(first, second) if kind == "conv2d" else [(first, second)]:
        if a is not None:
            assert a.dtype == dtype
            np.testing.assert_array_equal(a, b)
    assert y.dtype == dtype
    np.testing.assert_array_equal(dy, y)
    np.testing.assert_array_equal(x, before)


def test_padding_never_wins_a_maximum():
    x = np.full((1, 1, 3, 3), -1e300)
    y, cache = conv.max_pool2d_forward(x, 2, 1, 1)
    assert (y == -1e300).all()
    assert conv.max_pool2d_backward(np.ones_like(y), cache).sum() == y.size


def test_a_window_of_many_pixels_keeps_its_winner():
    x = np.random.default_rng(0).normal(size=(1, 1, 20, 20))  # 400 places: more than a byte can count
    y, cache = conv.max_pool2d_forward(x, 20)
    dx = conv.max_pool2d_backward(np.ones_like(y), cache)
    assert dx.sum() == 1
    assert dx.argmax() == x.argmax()


@pytest.mark.parametrize(
    "call",
    [
        lambda x: conv.conv2d_forward(x, np.ones((2, 3, 1, 1))),
        lambda x: conv.conv2d_forward(x, np.ones((3, 2, 1, 1)), groups=2),
        lambda x: conv.conv2d_forward(x, np.ones((3, 4, 1, 1)), np.ones(2)),
        lambda x: conv.conv2d_forward(x, np.ones((1, 4, 6, 6))),
        lambda x: conv.unfold(x, (2, 6)),
        lambda x: conv.fold(np.ones((1, 4, 1)), (1, 4, 1, 1), 3, padding=0),
        lambda x: conv.max_pool2d_forward(x, 2, padding=2),
        lambda x: conv.avg_pool2d_forward(x, 3, padding=(1, 2)),
    ],
)
def test_what_does_not_fit_is_refused(call):
    with pytest.raises(ValueError, match=r".{20}"):
        call(np.ones((1, 4, 5, 5)))
