"""Keys and values as one growing tensor a layer: concatenated when extended, cut when cropped."""

import torch


class KVCache:
    def __init__(self, config, batch, length=None, dtype=torch.float32, device="cpu"):
        heads = config.kv_heads or config.heads
        empty = torch.empty(2, batch, heads, 0, config.width // config.heads, dtype=dtype, device=device)
        self.layers = [empty for _ in range(config.layers)]  # each (2, B, H_kv, n, D)
        self.length = 0
        self.room = config.context if length is None else length

    @classmethod
    def of(cls, model, batch, length):
        parameter = next(model.parameters())
        return cls(model.config, batch, length, parameter.dtype, parameter.device)

    @property
    def keys(self):
        return torch.stack([layer[0] for layer in self.layers])

    @property
    def values(self):
        return torch.stack([layer[1] for layer in self.layers])

    def extend(self, layer, k, v):
        if self.length + k.shape[2] > self.room:
            raise ValueError("no room")
        before = self.layers[layer][..., : self.length, :]
        self.layers[layer] = torch.cat([before, torch.stack([k, v]).to(before.dtype)], dim=3)
        return tuple(self.layers[layer])

    def advance(self, t):
        if self.length + t > self.room:
            raise ValueError("no room")
        self.length = self.length + t

    def crop(self, n):
        if n < 0 or n > self.length:
            raise ValueError("cannot crop to that")
        self.length = n

    def reorder(self, rows):
        self.layers = [layer.index_select(1, rows) for layer in self.layers]
