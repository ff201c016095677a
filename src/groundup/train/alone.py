"""From a blank file: a language model and its training in plain torch, with nothing from this library.

Everything that the other files here do with care is here in a line or is left out: no checkpoint, no accumulation, no precision. What
remains is what a run needs: batches, a model, a loss, an optimiser, a rate that falls. Write it from memory.
"""

import math
import time

import torch
from torch import nn
from torch.nn import functional as F

CONTEXT = 128  # tokens that the model is trained on, and asked about, at a time
WIDTH, LAYERS, HEADS = 128, 4, 2
BATCH = 16
RATE, WARM = 3e-3, 0.02  # the peak, and the share of the time until it is reached
CLIP = 1.0  # the largest norm of a gradient


def train(text_ids, vocab_size, seconds, seed=0):
    """Trains on a text for so many seconds, and returns a model in evaluation mode: model(ids) -> logits.

    text_ids (n,): the text as integers below vocab_size, an array or a tensor, longer than CONTEXT. ids (B, T) int64 with T <=
    CONTEXT; logits (B, T, vocab_size) of the token that follows each, computed from it and those before it. The global
    generator of torch is seeded with seed. It returns in time: the last step begins before the seconds are over. The
    constants above are read when this is called; those but CONTEXT may go.
    """
    begun = time.perf_counter()
    torch.manual_seed(seed)
    text = torch.as_tensor(text_ids).long()
    model = _Model(vocab_size)
    matrices = [p for p in model.parameters() if p.ndim >= 2]
    gains = [p for p in model.parameters() if p.ndim < 2]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.1}, {"params": gains, "weight_decay": 0.0}], lr=RATE, betas=(0.9, 0.98)
    )
    window = torch.arange(CONTEXT + 1)
    while (progress := (time.perf_counter() - begun) / seconds) < 1.0:
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1.0, (progress + 1e-3) / WARM) * (1.0 - progress)
        starts = torch.randint(len(text) - CONTEXT, (BATCH, 1))
        batch = text[starts + window]  # (B, T + 1)
        loss = F.cross_entropy(model(batch[:, :-1]).flatten(0, 1), batch[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
    return model.eval()


class _Model(nn.Module):
    """Embedding, blocks, norm, head. The projections into the residual stream, and the head, begin at zero."""

    def __init__(self, vocab_size):
        super().__init__()
        self.tokens = nn.Embedding(vocab_size, WIDTH)
        self.blocks = nn.ModuleList(_Block() for _ in range(LAYERS))
        self.head = nn.Linear(WIDTH, vocab_size, bias=False)
        nn.init.normal_(self.tokens.weight, std=0.5)
        nn.init.zeros_(self.head.weight)

    def forward(self, ids):
        x = self.tokens(ids)  # (B, T, C)
        angles = _angles(ids.shape[1])
        for block in self.blocks:
            x = block(x, angles)
        return self.head(_normed(x))  # (B, T, V)


class _Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH, bias=False)
        self.out = nn.Linear(WIDTH, WIDTH, bias=False)
        self.up = nn.Linear(WIDTH, 4 * WIDTH, bias=False)
        self.down = nn.Linear(4 * WIDTH, WIDTH, bias=False)
        self.gain = nn.Parameter(
            torch.full((HEADS, 1, 1), 4.0)
        )  # of the scores, which qk-norm keeps in [-1, 1] * its square
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.down.weight)

    def forward(self, x, angles):
        B, T, C = x.shape
        q, k, v = self.qkv(_normed(x)).view(B, T, 3, HEADS, C // HEADS).permute(2, 0, 3, 1, 4)  # (B, H, T, D) each
        q, k = _turned(_normed(q), angles), _turned(_normed(k), angles)
        scores = self.gain * (q @ k.mT) / (C // HEADS)  # (B, H, T, T): cosines, made sharper
        future = torch.ones(T, T, dtype=torch.bool).triu(1)
        heard = scores.masked_fill(future, -math.inf).softmax(-1) @ v  # (B, H, T, D)
        x = x + self.out(heard.transpose(1, 2).reshape(B, T, C))
        return x + self.down(F.relu(self.up(_normed(x))).square())


def _normed(x):
    return F.rms_norm(x, (x.shape[-1],))


def _angles(T):
    """Cosines and sines of the angles by which place t turns each pair: (T, D / 2) each."""
    D = WIDTH // HEADS
    turns = torch.arange(T)[:, None] * 1000.0 ** -(torch.arange(0, D, 2) / D)
    return turns.cos(), turns.sin()


def _turned(x, angles):
    cos, sin = angles
    a, b = x.chunk(2, dim=-1)  # (B, H, T, D / 2)
    return torch.cat((a * cos - b * sin, a * sin + b * cos), dim=-1)
