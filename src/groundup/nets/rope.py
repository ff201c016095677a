"""Rotary positions: a query and a key are turned by angles proportional to where they stand.

Pair i of a head's numbers is a point of the plane, and at position p it is turned by p * base^(-2i / D). The inner product of
two turned points depends on the difference of their angles alone, so attention sees distances and not positions.

Su and others, RoFormer (2021), section 3.2. The pairs are (x_i, x_{i + D/2}), as in most published weights.
"""

import torch
from torch import nn


def tables(length, width, base=10_000.0):
    """cos and sin, each (length, width / 2) in float32: row p holds those of p * base^(-2i / width), i = 0 ... width/2 - 1.

    Computed in float64, since a float32 angle of some thousands is off in its fourth digit. ValueError for an odd width.
    """
    if width % 2:
        raise ValueError(f"rotary positions turn pairs, so a head needs an even width, not {width}")
    speeds = base ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)  # (width / 2,)
    angles = torch.arange(length, dtype=torch.float64)[:, None] * speeds  # (length, width / 2)
    return angles.cos().float(), angles.sin().float()


def rotate(x, cos, sin):
    """x (..., T, D) turned: row t by the angles of row t of cos and sin (T, D / 2), or what broadcasts. Same shape, same dtype."""
    cos, sin = torch.cat((cos, cos), dim=-1).to(x.dtype), torch.cat((-sin, sin), dim=-1).to(x.dtype)  # (T, D)
    return x * cos + x.roll(x.shape[-1] // 2, dims=-1) * sin  # rolled by half, every number meets the other of its pair


class Rotary(nn.Module):
    """The tables of a model, made once. `rotary(start, count)` -> cos, sin (count, D / 2) of positions start, start + 1, ...

    They are no part of what is saved, so weights can be loaded into a model of a longer context. They stay in float32
    when the model is cast to a narrower type.
    """

    def __init__(self, length, width, base=10_000.0):
        super().__init__()
        cos, sin = tables(length, width, base)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)

    def _apply(self, fn, recurse=True):
        cos, sin = self.cos, self.sin
        super()._apply(fn, recurse)  # moves, and may cast
        if self.cos.dtype != cos.dtype:
            self.cos, self.sin = cos.to(self.cos.device), sin.to(self.sin.device)
        return self

    def forward(self, start, count):
        return self.cos[start : start + count], self.sin[start : start + count]
