"""Attention by hand: PyTorch's as the oracle, and what must hold whatever the numbers."""

import numpy as np
import pytest
import torch

from groundup.grad.check import gradient_check
from groundup.grad.layers.attention import attention_backward, attention_forward


def drawn(front, t, s, d, e, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal((*front, *size)) for size in ((t, d), (s, d), (s, e), (t, e))]


@pytest.mark.parametrize("front", [(), (3,), (2, 3)])
@pytest.mark.parametrize("sizes", [(1, 1, 1, 1), (4, 6, 3, 2), (5, 5, 4, 4)])
@pytest.mark.parametrize("masked", ["no", "causal", "at random", "one mask for all"])
def test_values_and_gradients_equal_torch(front, sizes, masked):
    t, s, _, _ = sizes
    q, k, v, dy = drawn(front, *sizes)
    rng = np.random.default_rng(1)
    mask = {
        "no": None,
        "causal": np.tri(t, s, dtype=bool),
        "at random": rng.random((*front, t, s)) < 0.6,
        "one mask for all": rng.random(s) < 0.6,
    }[masked]
    if mask is not None:
        mask[..., 0] = True  # every query sees something
    leaves = [torch.tensor(a, requires_grad=True) for a in (q, k, v)]
    allowed = None if mask is None else torch.tensor(mask).broadcast_to(*front, t, s)
    expected = torch.nn.functional.scaled_dot_product_attention(*leaves, attn_mask=allowed)
    expected.backward(torch.tensor(dy))
    y, cache = attention_forward(q, k, v, mask)
    np.testing.assert_allclose(y, expected.detach().numpy(), atol=1e-12)
    for ours, leaf in zip(attention_backward(dy, cache), leaves):
        np.testing.assert_allclose(ours, leaf.grad.numpy(), atol=1e-12)


def test_gradients_equal_central_differences():
    q, k, v, dy = drawn((2,), 3, 4, 2, 3)
    mask = np.random.default_rng(0).random((2, 3, 4)) < 0.7
    mask[0, 1] = False
    arrays = [q, k, v]
    _, cache = attention_forward(*arrays, mask)
    for place, claimed in enumerate(attention_backward(dy, cache)):

        def loss(a, place=place):
            return (dy * attention_forward(*arrays[:place], a, *arrays[place + 1 :], mask)[0]).sum()

        assert gradient_check(loss, claimed, arrays[place]).passed


def test_a_query_that_may_look_nowhere_gets_zeros_and_sends_no_gradient():
    q, k, v, dy = drawn((), 3, 4, 2, 2)
    mask = np.ones((3, 4), dtype=bool)
    mask[1] = False
    y, cache = attention_forward(q, k, v, mask)
    dq, dk, dv = attention_backward(dy, cache)
    assert not y[1].any() and not dq[1].any()
    others = [0, 2]
    _, cache = attention_forward(q[others], k, v)
    _, dk_alone, dv_alone = attention_backward(dy[others], cache)
    np.testing.assert_allclose(dk, dk_alone, atol=1e-14)
    np.testing.assert_allclose(dv, dv_alone, atol=1e-14)


def test_masked_keys_and_values_do_not_matter():
    q, k, v, dy = drawn((), 3, 4, 2, 2)
    mask = np.array([True, False, True, True])
    y, cache = attention_forward(q, k, v, mask)
    _, dk, dv = attention_backward(dy, cache)
    k[1], v[1] = 1e6, -1e6
    assert np.array_equal(attention_forward(q, k, v, mask)[0], y)
    assert not dk[1].any() and not dv[1].any()


def test_the_order_of_the_rows_does_not_matter():
    q, k, v, _ = drawn((2,), 3, 5, 4, 2)
    order = np.random.default_rng(0).permutation(5)
    np.testing.assert_allclose(
        attention_forward(q, k[:, order], v[:, order])[0], attention_forward(q, k, v)[0], atol=1e-14
    )


def test_shares_are_read_off_with_the_identity_for_values_and_sum_to_one():
    q, k, v, _ = drawn((), 3, 5, 4, 2)
    shares, _ = attention_forward(q, k, np.eye(5))
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, atol=1e-14)
    np.testing.assert_allclose(shares @ v, attention_forward(q, k, v)[0], atol=1e-14)


@pytest.mark.filterwarnings("error")
def test_huge_scores_choose_one_row_and_nothing_overflows():
    q, k, v, dy = drawn((), 3, 5, 4, 2)
    y, cache = attention_forward(1e4 * q, 1e4 * k, v)
    np.testing.assert_array_equal(y, v[(q @ k.T).argmax(axis=1)])
    assert all(np.isfinite(g).all() for g in attention_backward(dy, cache))


def test_float32_stays_float32_and_nothing_is_written_into():
    q, k, v, dy = (a.astype(np.float32) for a in drawn((2,), 3, 4, 2, 2))
    kept = [a.copy() for a in (q, k, v, dy)]
    y, cache = attention_forward(q, k, v, np.tri(3, 4, dtype=bool))
    once, again = attention_backward(dy, cache), attention_backward(dy, cache)
    assert all(a.dtype == np.float32 for a in (y, *once))
    assert all(np.array_equal(a, b) for a, b in zip(once, again))
    assert all(np.array_equal(a, b) for a, b in zip((q, k, v, dy), kept))
