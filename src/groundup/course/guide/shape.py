"""What a language model costs, by formula, from its shape alone: parameters, operations for a token, numbers kept for the backward pass.

The same formulas as in `nets/counts.py`, for three usual architectures, without PyTorch: a calculator must answer at once, and also
where PyTorch is not installed. Kaplan and others, Scaling Laws for Neural Language Models (2020), 2.1; Korthikanti and others,
Reducing Activation Recomputation in Large Transformer Models (2022), 4.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from . import GuideError


class ShapeError(GuideError):
    """Numbers that make no model, and what would."""


@dataclass(frozen=True)
class Style:
    """What an architecture has: a table of positions, LayerNorm (else RMSNorm), biases, one table for input and output, a gate in
    the MLP, normalised queries and keys."""

    positions: bool
    layer_norm: bool
    bias: bool
    tied: bool
    gated: bool
    qk_norm: bool


STYLES = {
    "gpt2": Style(positions=True, layer_norm=True, bias=True, tied=True, gated=False, qk_norm=False),
    "modern": Style(positions=False, layer_norm=False, bias=False, tied=False, gated=False, qk_norm=True),
    "llama": Style(positions=False, layer_norm=False, bias=False, tied=False, gated=True, qk_norm=False),
}
HEAD = 64  # numbers in a head, where none are named
LONGEST = 10**9  # of anything that is counted here


@dataclass(frozen=True)
class Shape:
    """A decoder's shape. heads, hidden: 0 for the usual; kv_heads: 0 for as many as heads. ShapeError where the numbers do not fit."""

    layers: int
    width: int
    vocabulary: int = 50_257
    context: int = 1024
    heads: int = 0
    kv_heads: int = 0
    hidden: int = 0
    style: str = "gpt2"

    def __post_init__(self) -> None:
        if self.style not in STYLES:
            raise ShapeError(f"style is one of {', '.join(STYLES)}, not {self.style!r}")
        for name in ("layers", "width", "vocabulary", "context"):
            if not 1 <= getattr(self, name) <= LONGEST:
                raise ShapeError(f"{name} is a whole number from 1 on, not {getattr(self, name)}")
        if min(self.heads, self.kv_heads, self.hidden) < 0 or self.hidden > LONGEST:
            raise ShapeError("heads, kv-heads and hidden are whole numbers from 1 on, or left out")
        if self.width % self.all_heads:
            raise ShapeError(
                f"a width of {self.width} cannot be cut into {self.all_heads} heads: name --heads that divide it"
            )
        if self.all_heads % self.key_heads:
            raise ShapeError(f"{self.all_heads} heads cannot share {self.key_heads} heads of keys evenly")

    @property
    def all_heads(self) -> int:
        return self.heads or max(1, self.width // HEAD)

    @property
    def key_heads(self) -> int:
        return self.kv_heads or self.all_heads

    @property
    def keys(self) -> int:
        """Numbers in a token's keys, and in its values."""
        return self.key_heads * (self.width // self.all_heads)

    @property
    def hidden_width(self) -> int:
        if self.hidden:
            return self.hidden
        return math.ceil(self.width / 24) * 64 if STYLES[self.style].gated else 4 * self.width


def parameters(shape: Shape) -> int:
    """The number of parameters, each counted once."""
    style, C, L, V, H, K = (
        STYLES[shape.style],
        shape.width,
        shape.layers,
        shape.vocabulary,
        shape.hidden_width,
        shape.keys,
    )
    bias, ups = int(style.bias), 2 if style.gated else 1
    attention = C * (C + 2 * K) + C * C + bias * (C + 2 * K + C)
    mlp = ups * (C * H + bias * H) + H * C + bias * C
    norm = C * (1 + bias) if style.layer_norm else C
    tables = V * C * (1 if style.tied else 2) + (shape.context * C if style.positions else 0)
    return tables + L * (attention + mlp) + (2 * L + 1) * norm


def matrices(shape: Shape) -> int:
    """The parameters in the matrices of the blocks: what Muon looks after."""
    ups = 2 if STYLES[shape.style].gated else 1
    return shape.layers * (
        2 * shape.width**2 + 2 * shape.width * shape.keys + (ups + 1) * shape.width * shape.hidden_width
    )


def flops_per_token(shape: Shape, training: bool = True) -> int:
    """Operations for one token: two for each weight of a product, attention over the whole context, and three times as many to train."""
    compared = 2 * shape.context * shape.width  # queries with keys, shares with values
    forward = 2 * (matrices(shape) + shape.layers * compared + shape.width * shape.vocabulary)
    return 3 * forward if training else forward


def activations(shape: Shape, batch: int, fused: bool = True, checkpoint: bool = False) -> int:
    """About how many numbers a forward pass keeps for the backward pass: eager, all of one type.

    fused: attention keeps no square of shares, as in FlashAttention. checkpoint: blocks are computed again instead.
    """
    style, C, H, K, T = STYLES[shape.style], shape.width, shape.hidden_width, shape.keys, shape.context
    norm = 2 * C + 2 if style.layer_norm else 3 * C + 1
    attention: float = 2 * C + 2 * K
    if style.qk_norm:
        attention += C + 2 * K + (2 if style.layer_norm else 1) * (shape.all_heads + shape.key_heads)
    if not style.positions:
        attention += 2 * (C // shape.all_heads) / batch  # the tables of rotary positions, once for all sequences
    attention += shape.all_heads * (1 if fused else T)
    layer = 2 * norm + attention + (4 if style.gated else 2) * H
    layers = shape.layers * C + layer if checkpoint else shape.layers * layer
    return round(batch * T * (layers + norm + shape.vocabulary))
