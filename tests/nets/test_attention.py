"""Attention against torch's scaled_dot_product_attention; causality; the module against a loop over heads."""

import pytest
import torch
from torch.nn import functional as F

from groundup.nets import attention
from groundup.nets.attention import Attention, attend
from groundup.nets.cache import KVCache
from groundup.nets.gpt import GPTConfig
from groundup.nets.rope import Rotary, rotate

SHAPES = [(1, 1, 1, 1), (2, 2, 5, 5), (4, 1, 6, 6), (4, 2, 1, 9), (6, 3, 3, 8), (2, 2, 7, 8)]  # H, K, T, S


def drawn(H, K, T, S, D=8):
    return torch.randn(2, H, T, D), torch.randn(2, K, S, D), torch.randn(2, K, S, D)


@pytest.mark.parametrize("way", [attention._plain, attention._fused])
@pytest.mark.parametrize("shape", SHAPES)
def test_both_ways_equal_torchs_with_a_mask_aligned_at_the_last_key(way, shape):
    q, k, v = drawn(*shape)
    H, K, T, S = shape
    seen = torch.arange(S) <= torch.arange(S - T, S)[:, None]  # (T, S)
    k_all, v_all = k.repeat_interleave(H // K, 1), v.repeat_interleave(H // K, 1)
    expected = F.scaled_dot_product_attention(q, k_all, v_all, attn_mask=seen)
    torch.testing.assert_close(way(q, k, v, 0.0), expected, atol=2e-6, rtol=1e-5)


def test_long_sequences_take_the_fused_kernel_and_agree(monkeypatch):
    q, k, v = drawn(2, 1, 40, 40)
    short = attend(q, k, v)
    monkeypatch.setattr(attention, "SHORT", 39)
    monkeypatch.setattr(attention, "_plain", None)  # would raise, were it called
    torch.testing.assert_close(attend(q, k, v), short, atol=2e-6, rtol=1e-5)


def test_huge_scores_do_not_overflow():
    q, k, v = drawn(2, 2, 6, 6)
    assert attend(1e4 * q, 1e4 * k, v).isfinite().all()


def test_gradients_equal_torchs():
    q, k, v = (x.double().requires_grad_() for x in drawn(2, 2, 5, 5))
    dy = torch.randn(2, 2, 5, 8, dtype=torch.float64)
    ours = torch.autograd.grad(attend(q, k, v), (q, k, v), dy)
    theirs = torch.autograd.grad(F.scaled_dot_product_attention(q, k, v, is_causal=True), (q, k, v), dy)
    for a, b in zip(ours, theirs):
        torch.testing.assert_close(a, b)


def test_dropout_keeps_the_mean_of_the_weights():
    q, k, v = torch.zeros(1, 1, 64, 4), torch.zeros(1, 1, 64, 4), torch.ones(1, 1, 64, 4)
    torch.manual_seed(0)
    y = torch.stack([attend(q, k, v, dropout=0.5)[0, 0, -1, 0] for _ in range(200)])
    assert abs(y.mean() - 1.0) < 0.05
    assert y.std() > 0.05


def config(**over):
    return GPTConfig(**{"vocab_size": 5, "width": 24, "heads": 4, "context": 16, "layers": 2, **over})


@pytest.mark.parametrize(
    "over", [{}, {"kv_heads": 2, "norm": "layer"}, {"kv_heads": 1, "qk_norm": False}, {"bias": True}]
)
def test_the_module_is_a_loop_over_heads(over):
    layer = Attention(config(**over))
    x, D = torch.randn(2, 7, 24), 6
    rotation = Rotary(16, D)(3, 7)
    Wq, Wk, Wv = layer.qkv.weight.split(layer.parts)
    bq, bk, bv = layer.qkv.bias.split(layer.parts) if layer.qkv.bias is not None else (0.0, 0.0, 0.0)
    q, k, v = x @ Wq.T + bq, x @ Wk.T + bk, x @ Wv.T + bv
    heads = []
    for h in range(4):
        g = h // (4 // layer.key_heads)
        qh, kh, vh = q[..., h * D : (h + 1) * D], k[..., g * D : (g + 1) * D], v[..., g * D : (g + 1) * D]
        if layer.qk_norm == "rms":
            qh, kh = F.rms_norm(qh, (D,), eps=1e-6), F.rms_norm(kh, (D,), eps=1e-6)
        elif layer.qk_norm == "layer":
            qh, kh = F.layer_norm(qh, (D,), eps=1e-6), F.layer_norm(kh, (D,), eps=1e-6)
        scores = rotate(qh, *rotation) @ rotate(kh, *rotation).mT / D**0.5
        scores = scores.masked_fill(torch.ones(7, 7).triu(1).bool(), float("-inf"))
        heads.append(scores.softmax(-1) @ vh)
    expected = layer.out(torch.cat(heads, -1))
    torch.testing.assert_close(layer(x, rotation), expected, atol=1e-5, rtol=1e-5)


def test_a_cache_gives_what_the_whole_sequence_gives():
    layer, x = Attention(config(kv_heads=2)), torch.randn(2, 9, 24)
    rotary, cache, pieces = Rotary(16, 6), KVCache(config(kv_heads=2), 2, 16), []
    whole = layer(x, rotary(0, 9))
    for piece in x.split([4, 1, 3, 1], dim=1):
        pieces.append(layer(piece, rotary(cache.length, piece.shape[1]), cache=cache, layer=1))
        cache.advance(piece.shape[1])
    torch.testing.assert_close(torch.cat(pieces, 1), whole, atol=1e-5, rtol=1e-5)


def test_value_embeddings_start_without_effect():
    layer, x = Attention(config(value_embeddings=True)), torch.randn(2, 5, 24)
    values = torch.randn(2, 5, 24)
    assert torch.equal(layer(x, values=values), layer(x, values=torch.zeros_like(values)))
    layer.value_scale.data.fill_(1.0)
    assert not torch.equal(layer(x, values=values), layer(x, values=torch.zeros_like(values)))
