"""A GPT: tokens become vectors, blocks read and rewrite them, and a table of scores says what comes next.

Two recipes in one file. `GPTConfig.gpt2()` is GPT-2 to the last bit: LayerNorm, learned positions, GELU, biases, one table
for input and output. `GPTConfig.modern()` is what its successors made of it: RMSNorm, rotary positions, normalised queries
and keys, squared ReLU, no biases, and projections that start at zero.

Radford and others, Language Models are Unsupervised Multitask Learners (2019). Modern parts: Jordan and others,
modded-nanogpt (2024).
"""

import math
from dataclasses import dataclass
from typing import Literal, get_args, get_type_hints

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from .attention import Attention
from .mlp import MLP
from .norm import make_norm
from .rope import Rotary

BIGRAM_ROWS = 65_536  # pairs of tokens that have a row of their own; of larger vocabularies, pairs share rows


@dataclass(frozen=True)
class GPTConfig:  # given
    """What a GPT is built from. ValueError where the numbers do not fit together."""

    vocab_size: int
    context: int = 1024  # positions, at most
    layers: int = 12
    heads: int = 12
    width: int = 768
    kv_heads: int = 0  # heads of keys and values; 0: as many as heads
    hidden: int = 0  # width inside the MLP; 0: 4 * width, for swiglu 8/3 * width rounded up to a multiple of 64
    position: Literal["learned", "rope", "none"] = "rope"
    norm: Literal["layer", "rms"] = "rms"
    mlp: Literal["gelu", "relu2", "swiglu"] = "relu2"
    bias: bool = False  # in the linear layers and in LayerNorm; the head never has one
    tied: bool = False  # the head's weight is the table of tokens
    qk_norm: bool = True
    zero_init: bool = True  # projections into the residual stream, and an untied head, start at zero
    softcap: float = 0.0  # logits become softcap * tanh(logits / softcap); 0: they stay
    bigram: bool = False  # a table of pairs of tokens, added to the input
    before: int = 0  # so many tables more, of the token one place before, two before, ..., added to the input
    value_embeddings: bool = False  # a table of tokens, added to the values of every layer
    dropout: float = 0.0
    checkpoint_activations: bool = False  # compute a block again in the backward pass instead of keeping its inside

    @classmethod
    def gpt2(cls, **over):
        """GPT-2's 124M; `over` replaces any field."""
        plain = dict(position="learned", norm="layer", mlp="gelu", bias=True, tied=True, qk_norm=False, zero_init=False)
        return cls(**{"vocab_size": 50_257, **plain, **over})

    @classmethod
    def modern(cls, **over):
        """The defaults, said aloud; `over` has to give vocab_size and may replace any field."""
        return cls(**over)

    @property
    def key_heads(self):
        """Heads of keys and of values."""
        return self.kv_heads or self.heads

    @property
    def head_width(self):
        """Numbers in a query, a key, a value."""
        return self.width // self.heads

    @property
    def hidden_width(self):
        """Numbers inside the MLP."""
        return self.hidden or (4 * self.width if self.mlp != "swiglu" else math.ceil(self.width / 24) * 64)

    def __post_init__(self):
        for name in ("vocab_size", "context", "layers", "heads", "width"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        for name in ("position", "norm", "mlp"):
            known = get_args(get_type_hints(GPTConfig)[name])
            if getattr(self, name) not in known:
                raise ValueError(f"{name} is one of {', '.join(known)}, not {getattr(self, name)!r}")
        if self.width % self.heads:
            raise ValueError(f"a width of {self.width} cannot be cut into {self.heads} heads")
        if self.heads % self.key_heads:
            raise ValueError(f"{self.heads} heads cannot share {self.key_heads} heads of keys evenly")
        if self.position == "rope" and self.head_width % 2:
            raise ValueError(f"rotary positions turn pairs, so a head needs an even width, not {self.head_width}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout is a share below 1, not {self.dropout}")


class Block(nn.Module):
    """x (B, T, width) -> (B, T, width): x + attention(norm1(x)), and to that mlp(norm2(of it)) is added.

    Holds norm1, attention, norm2, mlp. rotation, values, cache and layer are handed on to attention.
    """

    def __init__(self, config):
        super().__init__()
        self.norm1 = make_norm(config)
        self.attention = Attention(config)
        self.norm2 = make_norm(config)
        self.mlp = MLP(config)

    def forward(self, x, rotation=None, values=None, cache=None, layer=0):
        """x (B, T, width) -> the same shape. See Attention.forward for the rest."""
        x = x + self.attention(self.norm1(x), rotation, values, cache, layer)
        return x + self.mlp(self.norm2(x))


class GPT(nn.Module):
    """A decoder-only transformer. `model(ids)` -> logits, `model(ids, targets)` -> the loss.

    config; tokens (nn.Embedding) -> blocks (nn.ModuleList of Block) -> norm -> head (nn.Linear without bias). With position
    "learned" a table `positions` (nn.Embedding of context rows) is added to the tokens, with "rope" the tables of `rotary`
    go to every block. Where `tied`, head.weight is tokens.weight: one parameter, with the gradient of both uses.

    What enters the first block passes `dropout` (nn.Dropout). To the input are added: with `bigram` the table `bigrams`
    (nn.Embedding of min(V^2, BIGRAM_ROWS) rows), row (V * token before + token) modulo the rows, the first token having 0
    before it; with `before` = n the tables `earlier` (nn.ModuleList of n nn.Embedding), of which table k, from 1, is read at the
    token k places back and adds nothing where that is before the beginning. With either, a cache that holds tokens is a
    ValueError. With `value_embeddings` the row of each token in `values` (nn.Embedding, K * D wide) goes to every block. With
    `checkpoint_activations` a block's inside is computed again for the backward pass, in training and without a cache.

    At the start every matrix and every table is normal with mean 0 and standard deviation 0.02, biases are 0, gains 1. The
    two projections of a block into the residual stream (attention.out, mlp.down) have 0.02 / sqrt(2 * layers), so that the
    sum of them all has the size of one. With `zero_init` those two and an untied head are 0.
    """

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.tokens = nn.Embedding(config.vocab_size, config.width)
        self.positions = nn.Embedding(config.context, config.width) if config.position == "learned" else None
        self.rotary = Rotary(config.context, config.head_width) if config.position == "rope" else None
        rows = min(config.vocab_size**2, BIGRAM_ROWS)
        self.bigrams = nn.Embedding(rows, config.width) if config.bigram else None
        self.earlier = nn.ModuleList(nn.Embedding(config.vocab_size, config.width) for _ in range(config.before))
        keys = config.key_heads * config.head_width
        self.values = nn.Embedding(config.vocab_size, keys) if config.value_embeddings else None
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = make_norm(config)
        self.head = nn.Linear(config.width, config.vocab_size, bias=False)
        self._initialise()
        if config.tied:
            self.head.weight = self.tokens.weight

    def _initialise(self):
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.Embedding)):
                nn.init.normal_(module.weight, std=0.02)
            if isinstance(module, nn.Linear) and module.bias is not None:
                nn.init.zeros_(module.bias)
        scale = 0.0 if self.config.zero_init else 0.02 / math.sqrt(2 * self.config.layers)
        for block in self.blocks:
            nn.init.normal_(block.attention.out.weight, std=scale)
            nn.init.normal_(block.mlp.down.weight, std=scale)
        if self.config.zero_init:
            nn.init.zeros_(self.head.weight)

    def forward(self, ids, targets=None, cache=None):
        """ids (B, T), int64 -> logits (B, T, V) of the token after each; with targets (B, T) the mean cross-entropy in
        nats over the targets that are not -1. Both in float32, or in float64 where the model is.

        With a cache (nets/cache.py) the ids stand at positions cache.length, cache.length + 1, ...; each block extends it
        by its keys and values, and at the end it is advanced by T. ValueError where the positions exceed the context.
        """
        T = ids.shape[1]
        start = 0 if cache is None else cache.length
        if start + T > self.config.context:
            raise ValueError(f"{start + T} positions, and the model's context is {self.config.context}")
        x = self._embed(ids, start)  # (B, T, C)
        rotation = self.rotary(start, T) if self.rotary is not None else None
        values = self.values(ids) if self.values is not None else None  # (B, T, K * D)
        for layer, block in enumerate(self.blocks):
            if self.config.checkpoint_activations and self.training and cache is None:
                x = checkpoint(block, x, rotation, values, use_reentrant=False)
            else:
                x = block(x, rotation, values, cache, layer)
        if cache is not None:
            cache.advance(T)
        logits = self.head(self.norm(x))  # (B, T, V)
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
        if self.config.softcap:
            logits = self.config.softcap * torch.tanh(logits / self.config.softcap)
        if targets is None:
            return logits
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-1)

    def _embed(self, ids, start):
        x = self.tokens(ids)
        if self.positions is not None:
            x = x + self.positions.weight[start : start + ids.shape[1]]  # (T, C) to every sequence
        if start and (self.bigrams is not None or self.earlier):
            raise ValueError("this model reads the tokens before, which a cache does not hold: generate without one")
        if self.bigrams is not None:
            before = F.pad(ids[:, :-1], (1, 0))  # the first has none: it counts as token 0
            pairs = before * self.config.vocab_size + ids
            x = x + self.bigrams(pairs % self.bigrams.num_embeddings)
        for places, table in enumerate(self.earlier, 1):
            x = x + F.pad(table(ids), (0, 0, places, 0))[:, : ids.shape[1]]  # what is before the beginning adds nothing
        return self.dropout(x)


@torch.no_grad()
def generate(model, ids, count, generator=None):
    """ids (B, T), int64, T >= 1 -> (B, T + count): `count` tokens more, each drawn with torch.multinomial from the softmax
    of the model's last logits.

    The model sees the last `context` tokens at most. Dropout is off while it speaks, and afterwards as it was before.
    """
    training = model.training
    model.eval()
    for _ in range(count):
        logits = model(ids[:, -model.config.context :])[:, -1]  # (B, V)
        drawn = torch.multinomial(logits.softmax(dim=-1), 1, generator=generator)  # (B, 1)
        ids = torch.cat((ids, drawn), dim=1)
    model.train(training)
    return ids
