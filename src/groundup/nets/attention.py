"""Causal self-attention: each place reads from itself and from the places before it.

Of T new queries and S keys, the queries are the last T of the S positions: T = S in training, T = 1 < S when one token is
generated from a cache.

Vaswani and others, Attention Is All You Need (2017), section 3.2. Normalised queries and keys: Henry and others,
Query-Key Normalization for Transformers (2020). Values of the token itself: Zhou and others, Value Residual Learning (2024).
"""

import math

import torch
from torch import nn
from torch.nn import functional as F

from .grouped import folded, repeated, unfolded
from .norm import normalised
from .rope import rotate

# Positions: up to here two matrix products on a CPU beat the fused kernel, 35 k against 25 k tokens/s of training at 128.
SHORT = 512


def attend(q, k, v, dropout=0.0):
    """q (B, H, T, D), k, v (B, K, S, D), S >= T and H a multiple of K -> (B, H, T, D).

    softmax(q k^T / sqrt(D)) v, where query t, at position S - T + t, sees positions 0 ... S - T + t. Query head h reads the
    keys of head h // (H / K). dropout: the share of weights that are dropped, the others growing by 1 / (1 - dropout).
    """
    if q.device.type == "cpu" and k.shape[2] <= SHORT:
        return _plain(q, k, v, dropout)
    return _fused(q, k, v, dropout)


def _plain(q, k, v, dropout):
    T, S = q.shape[2], k.shape[2]
    scores = folded(q * q.shape[3] ** -0.5, k.shape[1]) @ k.mT  # (B, K, H/K * T, S)
    if T > 1:
        hidden = torch.full((T, S), -math.inf, dtype=scores.dtype, device=q.device).triu(S - T + 1)  # (T, S)
        scores = (scores.unflatten(2, (-1, T)) + hidden).flatten(2, 3)
    weights = F.dropout(scores.softmax(dim=-1), dropout)
    return unfolded(weights @ v, q.shape[1])


def _fused(q, k, v, dropout):
    T, S, times = q.shape[2], k.shape[2], q.shape[1] // k.shape[1]
    k, v = repeated(k, times), repeated(v, times)
    if T in (1, S):  # the kernel's own mask is aligned at the first key, ours at the last: the same only for T = S
        return F.scaled_dot_product_attention(q, k, v, dropout_p=dropout, is_causal=T == S > 1)
    seen = torch.ones(T, S, dtype=torch.bool, device=q.device).tril(S - T)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=seen, dropout_p=dropout)


class Attention(nn.Module):
    """x (B, T, width) -> (B, T, width).

    One product gives queries, keys and values: the rows of `qkv.weight` are those of the queries, then of the keys, then of
    the values. `parts` are their numbers, so `qkv.weight.split(attention.parts)` are three matrices (what Muon wants). `out`
    brings the heads back together. With `qk_norm` queries and keys are normalised (by the kind of `norm`, without gains), head
    by head, before they are turned: both in one go, which is half the operations.

    Reads width, heads, key_heads, head_width, bias, norm, qk_norm, value_embeddings and dropout of the configuration. The start
    of the weights is set by the model that holds it.
    """

    def __init__(self, config):
        super().__init__()
        self.heads, self.key_heads, self.head_width = config.heads, config.key_heads, config.head_width
        keys = self.key_heads * self.head_width
        self.parts = (config.width, keys, keys)
        self.qkv = nn.Linear(config.width, sum(self.parts), bias=config.bias)
        self.out = nn.Linear(config.width, config.width, bias=config.bias)
        self.qk_norm = config.norm if config.qk_norm else None
        self.value_scale = nn.Parameter(torch.zeros(1)) if config.value_embeddings else None
        self.dropout = config.dropout

    def forward(self, x, rotation=None, values=None, cache=None, layer=0):
        """rotation: cos and sin (T, D / 2) of the places of x, or None where positions are known otherwise.
        values (B, T, K * D): what `value_scale` of is added to the values, with `value_embeddings`.
        cache: keys and values of the places before x, in `layer`; it is extended by those of x.
        """
        B, T, C = x.shape
        H, K, D = self.heads, self.key_heads, self.head_width
        qk, v = self.qkv(x).split(((H + K) * D, K * D), dim=-1)
        qk = qk.view(B, T, H + K, D)
        if self.qk_norm is not None:
            qk = normalised(qk, self.qk_norm)
        if rotation is not None:
            cos, sin = rotation
            qk = rotate(qk, cos[:, None], sin[:, None])  # the same place for every head
        q, k = qk.transpose(1, 2).split((H, K), dim=1)  # (B, H, T, D), (B, K, T, D)
        if values is not None:
            v = v + self.value_scale * values
        v = v.view(B, T, K, D).transpose(1, 2)  # (B, K, T, D)
        if cache is not None:
            k, v = cache.extend(layer, k, v)  # (B, K, S, D)
        dropout = self.dropout if self.training else 0.0
        y = attend(q, k, v, dropout)  # (B, H, T, D)
        y = self.out(y.transpose(1, 2).reshape(B, T, C))
        return F.dropout(y, dropout)
