"""Which token comes next: temperature, top-k, top-p and min-p as functions from logits to logits, and the loop around them.

A filter sets the logit of what it drops to -inf and leaves the others alone, so filters compose, and one softmax at the end
shares the rest among those that stay. Fan et al. (2018) for top-k; Holtzman et al., The Curious Case of Neural Text
Degeneration (2020) for top-p; Nguyen et al., Turning Up the Heat (2024) for min-p.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from .cache import KVCache

DROPPED = float("-inf")


def scale(logits: Tensor, temperature: float) -> Tensor:
    """logits (..., V) / temperature. At 0, greedy: the largest becomes 0 and all others -inf; of equals the first one is taken.

    Raises ValueError for a negative temperature.
    """
    if temperature < 0:
        raise ValueError(f"temperature is {temperature:g}, and cannot be negative; 0 is greedy")
    if temperature == 0:
        best = logits.argmax(dim=-1, keepdim=True)  # (..., 1)
        return torch.full_like(logits, DROPPED).scatter(-1, best, 0.0)
    return logits / temperature


def keep_top_k(logits: Tensor, k: int) -> Tensor:
    """The k largest logits (..., V) stay, and what equals the k-th; 0, or k >= V, keeps all. Raises ValueError for k < 0."""
    if k < 0:
        raise ValueError(f"top_k is {k}, and cannot be negative; 0 keeps all")
    if k == 0 or k >= logits.shape[-1]:
        return logits
    least = logits.topk(k, dim=-1).values[..., -1:]  # (..., 1)
    return logits.masked_fill(logits < least, DROPPED)


def keep_top_p(logits: Tensor, p: float) -> Tensor:
    """The nucleus stays: from the most probable downwards, as many as it takes for their probabilities to reach p.

    logits (..., V). The token that crosses p is in, so one stays at least; of equals the first comes first; 1 keeps all.
    Raises ValueError unless 0 < p <= 1.
    """
    if not 0 < p <= 1:
        raise ValueError(f"top_p is {p:g}, and has to be above 0 and at most 1; 1 keeps all")
    if p == 1:
        return logits
    ordered, order = logits.sort(dim=-1, descending=True, stable=True)  # (..., V)
    probabilities = ordered.softmax(dim=-1)
    before = probabilities.cumsum(dim=-1) - probabilities  # what the more probable ones have already
    dropped = torch.zeros_like(logits, dtype=torch.bool).scatter(-1, order, before >= p)  # back in the order of the ids
    return logits.masked_fill(dropped, DROPPED)


def keep_min_p(logits: Tensor, p: float) -> Tensor:
    """What is at least p times as probable as the most probable token stays; 0 keeps all. logits (..., V).

    Raises ValueError unless 0 <= p <= 1.
    """
    if not 0 <= p <= 1:
        raise ValueError(f"min_p is {p:g}, and has to lie in 0 to 1; 0 keeps all")
    if p == 0:
        return logits
    probabilities = logits.softmax(dim=-1)
    return logits.masked_fill(probabilities < p * probabilities.amax(dim=-1, keepdim=True), DROPPED)


def warp(logits: Tensor, temperature: float = 1.0, top_k: int = 0, top_p: float = 1.0, min_p: float = 0.0) -> Tensor:
    """All four, in this order: temperature, top-k, top-p, min-p. Each sees what the one before it has left, and nothing else:
    top-p reaches for p of what top-k kept. logits (..., V); the order is the one of Hugging Face's transformers.
    """
    return keep_min_p(keep_top_p(keep_top_k(scale(logits, temperature), top_k), top_p), min_p)


def draw(logits: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """One token for each row of logits (B, V), from their softmax: (B,) int64."""
    return torch.multinomial(logits.softmax(dim=-1), 1, generator=generator)[:, 0]


def read(model: Any, ids: Tensor, cache: KVCache | None) -> Tensor:
    """The model's logits (B, t, V) at ids (B, t), float32 at least, without gradients and without dropout; its mode is afterwards
    what it was before.

    model: a torch module, called as model(ids, cache=None or a KVCache of the tokens before these).
    """
    training = model.training
    if training:
        model.eval()
    with torch.no_grad():
        logits = model(ids, cache=cache)
    if training:
        model.train()
    return logits.to(torch.promote_types(logits.dtype, torch.float32))


def window_start(n: int, context: int) -> int:
    """Where the model's window begins once there are n tokens: it sees tokens start to n.

    0 while n <= context. Beyond, the window lets go of its older half at once: it begins at the smallest multiple of
    context // 2 (of 1, for a context of 1) with at most `context` tokens after it. A window that moved by one token each time
    would give every token a new position at every step, and nothing cached would hold.
    """
    hop = max(1, context // 2)
    return max(0, -(-(n - context) // hop) * hop)


def stream(
    model: Any,
    ids: Tensor,
    count: int,
    *,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    min_p: float = 0.0,
    cache: bool = True,
    generator: torch.Generator | None = None,
    stop: int | Sequence[int] | None = None,
) -> Iterator[Tensor]:
    """Yields the tokens that follow ids (B, T), one step at a time, (B,) int64, `count` times or until all rows have stopped.

    model.config.context tokens are the most that the model sees: of a longer text, those from `window_start` on, with
    positions counted from the window's beginning. temperature to min_p: see `warp`.

    cache: keys and values are kept, and a step costs one position (when the window moves: the window's). Without, every step
    costs the whole window. Logits differ by rounding alone, so the tokens are the same.
    stop: a token or several; a row that drew one of them is finished, and yields that token again while others go on.
    Raises ValueError for an empty ids, and for what `warp` refuses.
    """
    if ids.ndim != 2 or ids.shape[1] == 0:
        raise ValueError(f"ids have shape {tuple(ids.shape)}; rows of at least one token are needed, (B, T)")
    context, stops = model.config.context, _stops(stop, ids)
    kept = KVCache.of(model, len(ids), min(context, ids.shape[1] + count)) if cache else None
    start, finished = 0, torch.zeros(len(ids), dtype=torch.bool, device=ids.device)  # (B,)
    for _ in range(count):
        n = ids.shape[1]
        if window_start(n, context) != start:
            start = window_start(n, context)
            if kept is not None:
                kept.crop(0)
        new = start if kept is None else start + kept.length  # what the model has not seen
        logits = read(model, ids[:, new:n], kept)[:, -1]  # (B, V)
        token = draw(warp(logits, temperature, top_k, top_p, min_p), generator)  # (B,)
        token = torch.where(finished, ids[:, -1], token)
        finished = finished | torch.isin(token, stops)
        ids = torch.cat([ids, token[:, None]], dim=1)  # (B, n + 1)
        yield token
        if bool(finished.all()):
            return


def generate(
    model: Any,
    ids: Tensor,
    count: int,
    *,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    min_p: float = 0.0,
    cache: bool = True,
    generator: torch.Generator | None = None,
    stop: int | Sequence[int] | None = None,
) -> Tensor:
    """ids (B, T) and what follows them, (B, T + count) int64; fewer where all rows have stopped before. See `stream`."""
    tokens = stream(
        model,
        ids,
        count,
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        min_p=min_p,
        cache=cache,
        generator=generator,
        stop=stop,
    )
    return torch.cat([ids, *(token[:, None] for token in tokens)], dim=1)


def _stops(stop: int | Sequence[int] | None, ids: Tensor) -> Tensor:
    """The tokens that end a row, (n,)."""
    several = [] if stop is None else [stop] if isinstance(stop, int) else list(stop)
    return torch.tensor(several, dtype=ids.dtype, device=ids.device)
