"""A fused layer gives the values and the gradients of its composition out of the engine's own operations, and of PyTorch's."""

import weakref

import numpy as np
import pytest

from groundup.grad import arrange, draw, fused, ops
from groundup.grad.tensor import Tensor

torch = pytest.importorskip("torch", reason="torch is an extra, and is not installed here")
F = torch.nn.functional
RNG = np.random.default_rng(0)


def normal(*shape):
    return RNG.standard_normal(shape)


def composed_batch_norm(x, gamma, beta):
    mean = x.mean(axis=0, keepdims=True)
    return (x - mean) / ops.sqrt(ops.var(x, axis=0, keepdims=True) + 1e-5) * gamma + beta


def composed_layer_norm(x, gamma, beta):
    mean = x.mean(axis=-1, keepdims=True)
    return (x - mean) / ops.sqrt(ops.var(x, axis=-1, keepdims=True) + 1e-5) * gamma + beta


def composed_cross_entropy(scores):
    return -ops.log_softmax(scores)[np.arange(5), LABELS].mean()


def composed_rnn(x, h, Wx, Wh, b):
    states = []
    for s in range(x.shape[1]):
        h = (x[:, s] @ Wx + h @ Wh + b).tanh()
        states.append(h)
    return arrange.stack(states, axis=1)


def composed_lstm(x, h, c, Wx, Wh, b):
    states, m = [], h.shape[1]
    for s in range(x.shape[1]):
        z = x[:, s] @ Wx + h @ Wh + b
        i, f, o = (ops.sigmoid(z[:, part * m : (part + 1) * m]) for part in (0, 1, 3))
        c = f * c + i * z[:, 2 * m : 3 * m].tanh()
        h = o * c.tanh()
        states.append(h)
    return arrange.stack(states, axis=1)


def composed_gru(x, h, Wx, Wh, bx, bh):
    states, m = [], h.shape[1]
    for s in range(x.shape[1]):
        a, u = x[:, s] @ Wx + bx, h @ Wh + bh
        r, z = (ops.sigmoid(a[:, p * m : (p + 1) * m] + u[:, p * m : (p + 1) * m]) for p in (0, 1))
        g = (a[:, 2 * m :] + r * u[:, 2 * m :]).tanh()
        h = (1 - z) * g + z * h
        states.append(h)
    return arrange.stack(states, axis=1)


def composed_attention(q, k, v):
    return ops.softmax(q @ k.transpose(0, 2, 1) / np.sqrt(q.shape[-1])) @ v


def composed_max_pool(x):
    n, c, h, w = x.shape
    return x.reshape(n, c, h // 2, 2, w // 2, 2).max(axis=(3, 5))


LABELS, IDS = RNG.integers(0, 4, 5), RNG.integers(0, 6, (3, 4))
CASES = {
    "affine": (fused.affine, lambda x, W, b: x @ W + b, [normal(5, 3), normal(3, 4), normal(4)]),
    "affine of sequences": (fused.affine, lambda x, W, b: x @ W + b, [normal(2, 5, 3), normal(3, 4), normal(4)]),
    "cross_entropy": (lambda s: fused.cross_entropy(s, LABELS), composed_cross_entropy, [normal(5, 4)]),
    "batch_norm": (fused.batch_norm, composed_batch_norm, [normal(6, 3), normal(3), normal(3)]),
    "layer_norm": (fused.layer_norm, composed_layer_norm, [normal(2, 3, 5), normal(5), normal(5)]),
    "embedding": (lambda table: fused.embedding(IDS, table), lambda table: table[IDS], [normal(6, 2)]),
    "max_pool2d": (lambda x: fused.max_pool2d(x, 2), composed_max_pool, [normal(2, 3, 4, 6)]),
    "rnn": (fused.rnn, composed_rnn, [normal(2, 5, 3), normal(2, 4), normal(3, 4), normal(4, 4), normal(4)]),
    "lstm": (
        fused.lstm,
        composed_lstm,
        [normal(2, 5, 3), normal(2, 4), normal(2, 4), normal(3, 16), normal(4, 16), normal(16)],
    ),
    "gru": (
        fused.gru,
        composed_gru,
        [normal(2, 5, 3), normal(2, 4), normal(3, 12), normal(4, 12), normal(12), normal(12)],
    ),
    "attention": (fused.attention, composed_attention, [normal(2, 4, 3), normal(2, 5, 3), normal(2, 5, 2)]),
}
IN_TORCH = {
    "conv2d": (
        lambda x, W, b: fused.conv2d(x, W, b, stride=2, padding=1, groups=2),
        lambda x, W, b: F.conv2d(x, W, b, stride=2, padding=1, groups=2),
        [normal(2, 4, 7, 6), normal(6, 2, 3, 3), normal(6)],
    ),
    "conv2d without bias": (
        lambda x, W: fused.conv2d(x, W, dilation=2),
        lambda x, W: F.conv2d(x, W, dilation=2),
        [normal(2, 3, 7, 6), normal(2, 3, 3, 2)],
    ),
    "avg_pool2d": (lambda x: fused.avg_pool2d(x, 3, 2, 1), lambda x: F.avg_pool2d(x, 3, 2, 1), [normal(2, 3, 7, 6)]),
    "max_pool2d": (lambda x: fused.max_pool2d(x, 3, 2, 1), lambda x: F.max_pool2d(x, 3, 2, 1), [normal(2, 3, 7, 6)]),
    "group_norm": (
        lambda x, g, b: fused.group_norm(x, g, b, 2),
        lambda x, g, b: F.group_norm(x, 2, g, b),
        [normal(2, 4, 3, 3), normal(4), normal(4)],
    ),
}


def differentiate(function, arrays, upstream=None):
    leaves = [Tensor(a, requires_grad=True) for a in arrays]
    y = function(*leaves)
    upstream = normal(*y.shape) if upstream is None else upstream
    y.backward(upstream)
    return y.data, [leaf.grad for leaf in leaves], upstream


@pytest.mark.parametrize("name", CASES)
def test_a_fused_layer_equals_its_composition(name):
    ours, composition, arrays = CASES[name]
    y, grads, upstream = differentiate(ours, arrays)
    expected, slow, _ = differentiate(composition, arrays, upstream)
    np.testing.assert_allclose(y, expected, atol=1e-12)
    for a, b in zip(grads, slow):
        np.testing.assert_allclose(a, b, atol=1e-11)


@pytest.mark.parametrize("name", IN_TORCH)
def test_a_fused_layer_equals_pytorchs(name):
    ours, theirs, arrays = IN_TORCH[name]
    y, grads, upstream = differentiate(ours, arrays)
    leaves = [torch.tensor(a, requires_grad=True) for a in arrays]
    expected = theirs(*leaves)
    expected.backward(torch.tensor(upstream))
    np.testing.assert_allclose(y, expected.detach(), atol=1e-12)
    for a, leaf in zip(grads, leaves):
        np.testing.assert_allclose(a, leaf.grad, atol=1e-11)


def test_backward_of_a_layer_is_called_once_a_pass():
    calls = []

    def backward(dy):
        calls.append(dy)
        return dy, 2 * dy

    a, b = Tensor(np.ones(3), requires_grad=True), Tensor(np.ones(3), requires_grad=True)
    y = fused.fused(np.ones(3), (a, b), backward)
    y.backward(np.ones(3))
    y.backward(np.full(3, 10.0))
    assert len(calls) == 2
    np.testing.assert_array_equal(a.grad, np.full(3, 11.0))
    np.testing.assert_array_equal(b.grad, np.full(3, 22.0))


def test_dropout_keeps_its_mask_on_the_way_back_and_is_nothing_in_evaluation():
    x = Tensor(np.ones((50, 40)), requires_grad=True)
    y = fused.dropout(x, 0.25, np.random.default_rng(0))
    y.backward(np.ones_like(y.data))
    np.testing.assert_array_equal(x.grad, y.data)
    np.testing.assert_array_equal(fused.dropout(x, 0.25, np.random.default_rng(0), train=False).data, x.data)


def test_float32_stays_float32():
    y, grads, _ = differentiate(fused.lstm, [a.astype(np.float32) for a in CASES["lstm"][2]])
    assert y.dtype == np.float32 and all(g.dtype == np.float32 for g in grads)


def test_only_what_requires_a_gradient_gets_one():
    x, W, b = (Tensor(a) for a in CASES["affine"][2])
    W.requires_grad = True
    fused.affine(x, W, b).backward(np.ones((5, 4)))
    assert x.grad is None and b.grad is None and W.grad.shape == (3, 4)


def test_one_tensor_in_several_places_gets_all_of_their_gradients():
    x = Tensor(normal(2, 4, 3), requires_grad=True)
    y, upstream = fused.attention(x, x, x), normal(2, 4, 3)
    leaf = torch.tensor(x.data, requires_grad=True)
    F.scaled_dot_product_attention(leaf, leaf, leaf).backward(torch.tensor(upstream))
    y.backward(upstream)
    np.testing.assert_allclose(x.grad, leaf.grad, atol=1e-12)
    y.backward(upstream)
    np.testing.assert_allclose(x.grad, 2 * leaf.grad, atol=1e-12)


def test_a_gradient_that_has_been_handed_out_is_not_kept_with_the_graph():
    handed_out = []

    def backward(dy):
        gradients = [dy * 2.0, dy * 3.0]
        handed_out.extend(weakref.ref(g) for g in gradients)
        return gradients

    x = Tensor(np.ones(3), requires_grad=True)
    y = fused.fused(np.ones(3), (x * 1.0, x * 1.0), backward)
    y.backward(np.ones(3))
    assert [reference() is None for reference in handed_out] == [True, True]


def test_a_drawing_calls_a_layer_by_its_name():
    text = draw.draw(fused.affine(*(Tensor(a, requires_grad=True) for a in CASES["affine"][2])))
    assert ">affine<" in text and "gradient" not in text
