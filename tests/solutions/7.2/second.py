"""A GPT, written from its parameters outwards: a table of names and deviations, one function for the stream, loss by hand."""

from dataclasses import dataclass
from typing import Literal, get_args, get_type_hints

import torch
from torch import nn
from torch.utils import checkpoint as recomputation

from .attention import Attention
from .mlp import MLP
from .norm import make_norm
from .rope import Rotary

BIGRAM_ROWS = 65_536


@dataclass(frozen=True)
class GPTConfig:
    vocab_size: int
    context: int = 1024
    layers: int = 12
    heads: int = 12
    width: int = 768
    kv_heads: int = 0
    hidden: int = 0
    position: Literal["learned", "rope", "none"] = "rope"
    norm: Literal["layer", "rms"] = "rms"
    mlp: Literal["gelu", "relu2", "swiglu"] = "relu2"
    bias: bool = False
    tied: bool = False
    qk_norm: bool = True
    zero_init: bool = True
    softcap: float = 0.0
    bigram: bool = False
    before: int = 0
    value_embeddings: bool = False
    dropout: float = 0.0
    checkpoint_activations: bool = False

    @classmethod
    def gpt2(cls, **over):
        old = {"position": "learned", "norm": "layer", "mlp": "gelu", "bias": True}
        old |= {"tied": True, "qk_norm": False, "zero_init": False, "vocab_size": 50_257}
        return cls(**(old | over))

    @classmethod
    def modern(cls, **over):
        return cls(**over)

    @property
    def key_heads(self):
        return self.kv_heads if self.kv_heads else self.heads

    @property
    def head_width(self):
        return self.width // self.heads

    @property
    def hidden_width(self):
        if self.hidden:
            return self.hidden
        return -(-8 * self.width // (3 * 64)) * 64 if self.mlp == "swiglu" else 4 * self.width

    def __post_init__(self):
        kinds = get_type_hints(type(self))
        wrong = [n for n in ("position", "norm", "mlp") if getattr(self, n) not in get_args(kinds[n])]
        wrong += [n for n in ("vocab_size", "context", "layers", "heads", "width") if getattr(self, n) < 1]
        if wrong or self.width % self.heads or self.heads % self.key_heads or not 0 <= self.dropout < 1:
            raise ValueError(f"these do not fit together: {wrong or self}")
        if self.position == "rope" and self.head_width % 2:
            raise ValueError("a head of an odd width cannot be turned")


class Block(nn.Module):
    def __init__(self, config):
        super().__init__()
        for name, make in (("norm1", make_norm), ("attention", Attention), ("norm2", make_norm), ("mlp", MLP)):
            self.add_module(name, make(config))

    def forward(self, x, *rest, **named):
        for norm, branch, arguments in ((self.norm1, self.attention, (rest, named)), (self.norm2, self.mlp, ((), {}))):
            x = torch.add(x, branch(norm(x), *arguments[0], **arguments[1]))
        return x


class GPT(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        V, C = config.vocab_size, config.width

        def table(rows, columns=C):
            return nn.Embedding(rows, columns)

        self.tokens = table(V)
        self.positions = table(config.context) if config.position == "learned" else None
        self.bigrams = table(min(BIGRAM_ROWS, V * V)) if config.bigram else None
        self.earlier = nn.ModuleList()
        for _ in range(config.before):
            self.earlier.append(table(V))
        self.values = table(V, config.key_heads * config.head_width) if config.value_embeddings else None
        self.rotary = Rotary(config.context, config.head_width) if config.position == "rope" else None
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList()
        while len(self.blocks) < config.layers:
            self.blocks.append(Block(config))
        self.norm = make_norm(config)
        self.head = nn.Linear(C, V, bias=False)
        if config.tied:
            self.head.weight = self.tokens.weight
        with torch.no_grad():
            for name, p in self.named_parameters():
                deviation = self._deviation(name)
                if deviation is not None:
                    p.copy_(deviation * torch.randn(p.shape))

    def _deviation(self, name):
        """Of a parameter at the start, by its name; None: it is right as it is."""
        if "norm" in name or name.endswith("value_scale"):
            return None
        if name.endswith(".bias"):
            return 0.0
        if name.endswith((".attention.out.weight", ".mlp.down.weight")):
            return 0.0 if self.config.zero_init else 0.02 * (2 * len(self.blocks)) ** -0.5
        if name == "head.weight" and self.config.zero_init:
            return 0.0
        return 0.02

    def _entering(self, ids, places):
        x = nn.functional.embedding(ids, self.tokens.weight)
        if self.positions is not None:
            x = x + self.positions(places)
        if self.bigrams is not None:
            shifted = torch.zeros_like(ids)
            shifted[:, 1:] = ids[:, :-1]
            x = x + self.bigrams((shifted * self.config.vocab_size + ids).remainder(len(self.bigrams.weight)))
        for k, module in enumerate(self.earlier):
            reach = min(k + 1, ids.shape[1])
            nothing = torch.zeros_like(x[:, :reach])
            x = x + torch.cat([nothing, module(ids[:, : ids.shape[1] - reach])], 1)
        return self.dropout(x)

    def forward(self, ids, targets=None, cache=None):
        first = cache.length if cache is not None else 0
        last = first + ids.size(1)
        if last > self.config.context:
            raise ValueError(f"position {last} lies beyond the context of {self.config.context}")
        if first and (self.bigrams is not None or len(self.earlier)):
            raise ValueError("the tokens before are not in the cache")
        x = self._entering(ids, torch.arange(first, last, device=ids.device))
        turn = None if self.rotary is None else self.rotary(first, last - first)
        own = None if self.values is None else self.values(ids)
        again = self.config.checkpoint_activations and self.training and cache is None
        for i in range(len(self.blocks)):
            if again:
                x = recomputation.checkpoint(self.blocks[i], x, turn, own, use_reentrant=False)
            else:
                x = self.blocks[i](x, rotation=turn, values=own, cache=cache, layer=i)
        if cache is not None:
            cache.advance(last - first)
        logits = torch.einsum("btc,vc->btv", self.norm(x), self.head.weight).to(torch.float32)
        cap = self.config.softcap
        if cap > 0:
            logits = torch.tanh(logits / cap).mul(cap)
        if targets is None:
            return logits
        counted = targets.ne(-1)
        chosen = logits.gather(2, targets.clamp(min=0)[..., None])[..., 0]
        costs = torch.logsumexp(logits, 2) - chosen
        return costs[counted].mean()


def generate(model, ids, count, generator=None):
    mode = model.training
    model.train(False)
    B, T = ids.shape
    text = torch.empty(B, T + count, dtype=ids.dtype)
    text[:, :T] = ids
    with torch.inference_mode():
        for end in range(T, T + count):
            begin = max(0, end - model.config.context)
            chances = torch.softmax(model(text[:, begin:end])[:, end - begin - 1, :], dim=1)
            text[:, end] = torch.multinomial(chances, num_samples=1, generator=generator).squeeze(1)
    model.train(mode)
    return text
