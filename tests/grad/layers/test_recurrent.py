"""Recurrent layers by hand: PyTorch in float64 as the oracle, central differences, and what must hold whatever the numbers."""

import numpy as np
import pytest
import torch

from groundup.grad.check import gradient_check
from groundup.grad.layers import recurrent
from groundup.grad.layers.recurrent import (
    embedding_backward,
    embedding_forward,
    gradient_by_lag,
    lstm_backward,
    lstm_forward,
    rnn_backward,
    rnn_forward,
    rnn_step_backward,
    rnn_step_forward,
)

GATES = {"rnn": 1, "lstm": 4, "gru": 3}
SIZES = [(1, 1, 1, 1), (2, 7, 3, 5), (3, 4, 4, 4), (1, 9, 2, 3), (4, 1, 5, 2)]  # n, t, d, m


def arrays_of(kind, n, t, d, m, seed=0, dtype=np.float64):
    """x, the first states, the weights."""
    rng, k = np.random.default_rng([seed, n, t, d, m]), GATES[kind]
    first = [(n, m)] * (2 if kind == "lstm" else 1)
    biases = [(k * m,)] * (2 if kind == "gru" else 1)
    return [rng.standard_normal(s).astype(dtype) for s in ((n, t, d), *first, (d, k * m), (m, k * m), *biases)]


def forward(kind, arrays):
    """States (n, t, m), last cell or None, cache."""
    y, cache = getattr(recurrent, f"{kind}_forward")(*arrays)
    return (*y, cache) if kind == "lstm" else (y, None, cache)


def backward(kind, dh, cache, dc=None):
    more = (dc,) if kind == "lstm" else ()
    return getattr(recurrent, f"{kind}_backward")(dh, cache, *more)


def by_torch(kind, arrays, dh, dc=None):
    net = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[kind]
    x, *first = (torch.tensor(a, requires_grad=True) for a in arrays[: 3 if kind == "lstm" else 2])
    Wx, Wh, b, *bh = arrays[1 + len(first) :]
    net = net(Wx.shape[0], Wh.shape[0], batch_first=True)
    for parameter, value in zip(net.parameters(), (Wx.T, Wh.T, b, *(bh or [np.zeros_like(b)]))):
        parameter.data = torch.tensor(value)
    h, last = net(x, tuple(f[None] for f in first) if kind == "lstm" else first[0][None])
    loss = (h * torch.tensor(dh)).sum()
    if dc is not None:
        loss = loss + (last[1][0] * torch.tensor(dc)).sum()
    loss.backward()
    Wx, Wh, b, second = (p.grad.numpy() for p in net.parameters())
    gradients = [x.grad, *(f.grad for f in first), Wx.T, Wh.T, b, *([second] if bh else [])]
    return h.detach().numpy(), [np.asarray(g) for g in gradients]


@pytest.mark.parametrize("kind", GATES)
@pytest.mark.parametrize("size", SIZES)
def test_states_and_all_gradients_equal_torch(kind, size):
    arrays = arrays_of(kind, *size)
    n, t, _, m = size
    rng = np.random.default_rng(1)
    dh, dc = rng.standard_normal((n, t, m)), rng.standard_normal((n, m)) if kind == "lstm" else None
    h, _, cache = forward(kind, arrays)
    expected, gradients = by_torch(kind, arrays, dh, dc)
    np.testing.assert_allclose(h, expected, atol=1e-12)
    ours = backward(kind, dh, cache, dc)
    assert len(ours) == len(arrays)
    for a, b, of in zip(ours, gradients, arrays):
        assert a.shape == of.shape
        np.testing.assert_allclose(a, b, atol=1e-10)


@pytest.mark.parametrize("kind", GATES)
def test_gradients_equal_central_differences(kind):
    arrays = arrays_of(kind, 2, 4, 3, 2, seed=3)
    dh = np.random.default_rng(2).standard_normal((2, 4, 2))
    _, _, cache = forward(kind, arrays)
    for place, claimed in enumerate(backward(kind, dh, cache)):

        def loss(a, place=place):
            return (dh * forward(kind, [*arrays[:place], a, *arrays[place + 1 :]])[0]).sum()

        assert gradient_check(loss, claimed, arrays[place]).passed


@pytest.mark.parametrize("kind", GATES)
def test_a_backward_changes_nothing_and_says_the_same_again(kind):
    arrays = arrays_of(kind, 2, 5, 3, 3)
    kept = [a.copy() for a in arrays]
    h, _, cache = forward(kind, arrays)
    dh, dc = np.ones_like(h), np.ones((2, 3))
    once = backward(kind, dh, cache, dc)
    h[...] = np.nan  # the states belong to the caller
    again = backward(kind, dh, cache, dc)
    assert all(np.array_equal(a, b) for a, b in zip(once, again))
    assert all(np.array_equal(a, b) for a, b in zip(arrays, kept))
    assert (dh == 1.0).all() and (dc == 1.0).all()


@pytest.mark.parametrize("kind", GATES)
def test_float32_stays_float32_and_is_near_float64(kind):
    arrays = arrays_of(kind, 3, 6, 4, 5, dtype=np.float32)
    dh = np.random.default_rng(0).standard_normal((3, 6, 5)).astype(np.float32)
    h, c, cache = forward(kind, arrays)
    gradients = backward(kind, dh, cache)
    assert all(a.dtype == np.float32 for a in (h, *gradients) + (() if c is None else (c,)))
    exact, wide = by_torch(kind, [a.astype(np.float64) for a in arrays], dh.astype(np.float64))
    np.testing.assert_allclose(h, exact, atol=1e-5)
    for a, b in zip(gradients, wide):
        np.testing.assert_allclose(a, b, atol=1e-4 * max(1.0, np.abs(b).max()))


@pytest.mark.parametrize("kind", GATES)
@pytest.mark.filterwarnings("error")
def test_saturated_gates_stay_finite_without_a_warning(kind):
    x, *rest = arrays_of(kind, 2, 4, 3, 3)
    arrays = [1e4 * x, *rest]
    h, _, cache = forward(kind, arrays)
    assert np.isfinite(h).all()
    assert all(np.isfinite(g).all() for g in backward(kind, np.ones_like(h), cache))


@pytest.mark.parametrize("kind", GATES)
def test_no_steps_leave_the_first_state_as_it_is(kind):
    arrays = arrays_of(kind, 2, 0, 3, 4)
    h, c, cache = forward(kind, arrays)
    assert h.shape == (2, 0, 4)
    gradients = backward(kind, np.zeros((2, 0, 4)), cache, np.ones((2, 4)))
    if kind == "lstm":
        assert np.array_equal(c, arrays[2])
        assert (gradients[2] == 1.0).all()
    assert not gradients[1].any() and not gradients[-1].any()


@pytest.mark.parametrize("kind", GATES)
def test_pieces_whose_gradient_crosses_the_border_equal_the_whole(kind):
    x, *rest = arrays_of(kind, 2, 6, 3, 4)
    states = 2 if kind == "lstm" else 1
    first, weights = rest[:states], rest[states:]
    dh = np.random.default_rng(1).standard_normal((2, 6, 4))
    h, c, cache = forward(kind, [x, *first, *weights])
    whole = backward(kind, dh, cache)
    h1, c1, cache1 = forward(kind, [x[:, :4], *first, *weights])
    carried = [h1[:, -1], c1][:states]
    h2, c2, cache2 = forward(kind, [x[:, 4:], *carried, *weights])
    np.testing.assert_allclose(np.concatenate([h1, h2], axis=1), h, atol=1e-14)
    assert c is None or np.allclose(c2, c, atol=1e-14)
    dx2, dh_border, *more = backward(kind, dh[:, 4:], cache2)
    early = dh[:, :4].copy()
    early[:, -1] += dh_border
    dx1, *rest1 = backward(kind, early, cache1, more[0] if states == 2 else None)
    np.testing.assert_allclose(np.concatenate([dx1, dx2], axis=1), whole[0], atol=1e-12)
    for a, b, together in zip(rest1[states:], more[states - 1 :], whole[1 + states :]):
        np.testing.assert_allclose(a + b, together, atol=1e-12)


def test_the_loop_over_single_steps_is_the_sequence():
    x, h, Wx, Wh, b = arrays_of("rnn", 3, 5, 2, 4)
    states, cache = rnn_forward(x, h, Wx, Wh, b)
    dh = np.random.default_rng(0).standard_normal(states.shape)
    caches = []
    for s in range(5):
        h, one = rnn_step_forward(x[:, s], h, Wx, Wh, b)
        np.testing.assert_allclose(h, states[:, s], atol=1e-14)
        caches.append(one)
    total, carried = [np.zeros_like(a) for a in (Wx, Wh, b)], 0.0
    for s in reversed(range(5)):
        _, carried, *weights = rnn_step_backward(dh[:, s] + carried, caches[s])
        total = [a + g for a, g in zip(total, weights)]
    _, dh0, *together = rnn_backward(dh, cache)
    np.testing.assert_allclose(dh0, carried, atol=1e-12)
    for a, g in zip(total, together):
        np.testing.assert_allclose(a, g, atol=1e-12)


def test_a_linear_chain_has_the_gradient_w_to_the_k():
    w, t = 0.9, 30
    x = np.full((1, t, 1), 1e-9)  # so small that tanh is a line
    weights = (np.ones((1, 1)), np.full((1, 1), w), np.zeros(1))
    norms = gradient_by_lag(rnn_forward, rnn_backward, x, (np.zeros((1, 1)),), weights, np.ones((1, 1)))
    np.testing.assert_allclose(norms, w ** np.arange(t + 1), rtol=1e-9)


@pytest.mark.parametrize("kind", GATES)
def test_the_gradient_at_each_lag_is_that_of_a_first_state(kind):
    n, t, m = 2, 6, 3
    x, *rest = arrays_of(kind, n, t, 2, m)
    states = 2 if kind == "lstm" else 1
    first, weights = tuple(rest[:states]), tuple(rest[states:])
    dh = np.random.default_rng(0).standard_normal((n, m))
    pair = getattr(recurrent, f"{kind}_forward"), getattr(recurrent, f"{kind}_backward")
    norms = gradient_by_lag(*pair, x, first, weights, dh)
    assert norms.shape == (t + 1,) and norms[0] == np.linalg.norm(dh)
    for k in range(1, t + 1):
        at = list(first)
        if k < t:
            h, c, _ = forward(kind, [x[:, : t - k], *first, *weights])
            at = [h[:, -1], c][:states]
        outside = np.zeros((n, k, m))
        outside[:, -1] = dh
        _, _, cache = forward(kind, [x[:, t - k :], *at, *weights])
        assert norms[k] == pytest.approx(np.linalg.norm(backward(kind, outside, cache)[1]), rel=1e-10)


@pytest.mark.parametrize("seed", range(3))
def test_far_back_the_tanh_network_lies_below_an_lstm_that_begins_open(seed):
    n, t, d, m = 8, 40, 4, 32
    rng = np.random.default_rng(seed)
    x, dh, zero = rng.standard_normal((n, t, d)), rng.standard_normal((n, m)), np.zeros((n, m))

    def weights(k):
        return [rng.standard_normal((rows, k * m)) / np.sqrt(rows) for rows in (d, m)]

    plain = gradient_by_lag(rnn_forward, rnn_backward, x, (zero,), (*weights(1), np.zeros(m)), dh)
    gated = (*weights(4), np.repeat([0.0, 3.0, 0.0, 0.0], m))
    long = gradient_by_lag(lstm_forward, lstm_backward, x, (zero, zero), gated, dh)
    assert (plain[15:] < long[15:]).all()
    assert plain[-1] < 1e-4 * long[-1]


def test_open_gates_keep_a_cell_and_its_gradient_for_a_thousand_steps():
    n, t, m = 1, 1000, 2
    b = np.repeat([-50.0, 50.0, 0.0, 50.0], m)  # nothing written, all kept, all shown
    weights = np.zeros((1, 4 * m)), np.zeros((m, 4 * m)), b
    c0 = np.array([[0.3, -2.0]])
    (_, c), cache = lstm_forward(np.ones((n, t, 1)), np.zeros((n, m)), c0, *weights)
    np.testing.assert_allclose(c, c0, atol=1e-12)
    _, _, dc0, *_ = lstm_backward(np.zeros((n, t, m)), cache, np.array([[1.0, 5.0]]))
    np.testing.assert_allclose(dc0, [[1.0, 5.0]], atol=1e-12)


@pytest.mark.parametrize("shape", [(), (4,), (3, 5), (2, 0)])
def test_embedding_adds_up_as_numpy_add_at_does(shape):
    rng = np.random.default_rng(0)
    table, ids = rng.standard_normal((4, 3)), rng.integers(0, 4, shape)
    y, cache = embedding_forward(ids, table)
    dy = rng.standard_normal((*shape, 3))
    expected = np.zeros_like(table)
    np.add.at(expected, ids, dy)
    assert np.array_equal(y, table[ids])
    np.testing.assert_allclose(embedding_backward(dy, cache), expected, atol=1e-14)


@pytest.mark.parametrize("ids", [[-1], [4], [0, 99]])
def test_an_id_outside_the_table_is_refused(ids):
    with pytest.raises(IndexError):
        embedding_forward(np.array(ids), np.ones((4, 2)))
