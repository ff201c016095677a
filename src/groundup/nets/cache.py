"""What attention has already computed: the keys and values of the tokens so far, kept instead of computed again.

A causal model's token sees only what stands before it, so its keys and values never change when a token is added. With them
kept, the next token costs one position and not all of them. Shazeer, Fast Transformer Decoding (2019), section 2.4.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class KVCache:
    """Room for the keys and values of every layer, filled from the left.

    config: a GPTConfig; read are layers, heads, kv_heads (0: as many as heads) and width. batch: rows. length: for how many
    tokens there is room (default: config.context). dtype, device: of the keys and values.

    keys, values (layers, batch, kv_heads, room, width // heads): allocated once, at the start. length: how many tokens of each row
    are in, 0 at first. A forward pass over t new tokens calls `extend` once in each layer, and then `advance(t)` once: in
    between all layers agree on where the new tokens begin, and that is also the position of the first of them.

    Memory: 2 * layers * batch * kv_heads * room * (width // heads) numbers.
    """

    def __init__(
        self,
        config: Any,
        batch: int,
        length: int | None = None,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> None:
        room = config.context if length is None else length
        kv_heads = config.kv_heads or config.heads
        shape = (config.layers, batch, kv_heads, room, config.width // config.heads)
        self.keys = torch.zeros(shape, dtype=dtype, device=device)  # (L, B, H_kv, room, D)
        self.values = torch.zeros(shape, dtype=dtype, device=device)
        self.length = 0

    @classmethod
    def of(cls, model: Any, batch: int, length: int) -> KVCache:
        """An empty cache for a model: its configuration, and the dtype and device of its parameters."""
        weight = next(model.parameters())
        return cls(model.config, batch, length, dtype=weight.dtype, device=weight.device)

    @property
    def room(self) -> int:
        """For how many tokens of a row there is room, those that are in included."""
        return self.keys.shape[3]

    def extend(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Puts k and v (B, H_kv, t, D) of t new tokens behind the `length` that are in, and returns all keys and all values of
        this layer, each (B, H_kv, length + t, D), oldest first. `length` stays: that is for `advance`.

        What comes back are views, to be read and not to be kept: the next pass writes into the same memory.
        Raises ValueError where there is no room for t more.
        """
        start, end = self.length, self.length + k.shape[2]
        self._check_room(end)
        self.keys[layer, :, :, start:end] = k
        self.values[layer, :, :, start:end] = v
        return self.keys[layer, :, :, :end], self.values[layer, :, :, :end]  # (B, H_kv, length + t, D)

    def advance(self, t: int) -> None:
        """Counts t tokens as in: every layer has been extended by them. Raises ValueError where there is no room for them."""
        self._check_room(self.length + t)
        self.length += t

    def crop(self, n: int) -> None:
        """Forgets all but the first n tokens of every row. Raises ValueError unless 0 <= n <= length."""
        if not 0 <= n <= self.length:
            raise ValueError(f"the cache holds {self.length} tokens and cannot be cropped to {n}")
        self.length = n  # what lies beyond is written over before anyone reads it

    def reorder(self, rows: Tensor) -> None:
        """Row i becomes what row rows[i] was. rows (B',) int64; a row may be taken twice, or dropped, and B' may differ from B."""
        self.keys, self.values = self.keys[:, rows], self.values[:, rows]  # indexing by a tensor copies

    def _check_room(self, end: int) -> None:
        if end > self.room:
            raise ValueError(
                f"the cache has room for {self.room} tokens, and {end} are asked for: crop it, or make a larger one"
            )
