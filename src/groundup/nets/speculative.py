"""Speculative decoding: a small model proposes several tokens, the large one judges them all in one pass.

Reading k + 1 positions costs a large model hardly more time than reading one. So a draft writes k tokens ahead, the target
computes its own probabilities at each of them, and a rule of acceptance keeps as many as it can. What comes out is distributed
exactly as if the target had written alone. Leviathan, Kalman and Matias, Fast Inference from Transformers via Speculative
Decoding (2023), algorithm 1 and appendix A.1; Chen et al., Accelerating Large Language Model Decoding (2023).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .cache import KVCache
from .sample import draw, read, warp


@dataclass(frozen=True)
class Speculated:
    """What came out. ids (1, T + count) int64; how many tokens the draft proposed and how many of these were accepted; how often
    the target was called.
    """

    ids: Tensor
    proposed: int
    accepted: int
    calls: int


def acceptance(p: Tensor, q: Tensor) -> Tensor:
    """With which probability each token is accepted when it is proposed: min(1, p / q). p target, q draft, (..., V) -> (..., V).

    Where q is 0 the token is never proposed; 1 stands there.
    """
    return torch.where(q > 0, p / q, 1.0).clamp(max=1.0)


def residual(p: Tensor, q: Tensor) -> Tensor:
    """From what the replacement of a rejected token is drawn: max(0, p - q), made to sum to 1. (..., V) -> (..., V).

    Where p equals q nothing is ever rejected, and p stands there.
    """
    left = (p - q).clamp(min=0.0)
    total = left.sum(dim=-1, keepdim=True)  # (..., 1)
    return torch.where(total > 0, left / total, p)


def verify(p: Tensor, q: Tensor, proposed: Tensor, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
    """How many of k proposals are kept, and the one token that follows them; every row for itself.

    p (B, k + 1, V): the target's probabilities at each proposal, and after the last one. q (B, k, V): those the proposals were
    drawn from. proposed (B, k) int64. Returns accepted (B,) int64, 0 to k, and next (B,) int64.

    A proposal is kept if all before it are, with probability `acceptance`. After the first that is not, the next token
    is drawn from `residual` at that place; where all k are kept, from p[:, k].
    """
    rows, k = torch.arange(len(p), device=p.device), proposed.shape[1]
    chance = acceptance(p[:, :k], q).gather(-1, proposed[..., None])[..., 0]  # (B, k)
    kept = torch.rand(chance.shape, dtype=p.dtype, device=p.device, generator=generator) < chance
    accepted = kept.long().cumprod(dim=1).sum(dim=1)  # (B,) up to the first that is not
    last = torch.cat([residual(p[:, :k], q), p[:, k:]], dim=1)  # (B, k + 1, V)
    following = torch.multinomial(last[rows, accepted], 1, generator=generator)[:, 0]  # (B,)
    return accepted, following


def speculate(
    draft: Any,
    target: Any,
    ids: Tensor,
    count: int,
    *,
    k: int = 4,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    min_p: float = 0.0,
    generator: torch.Generator | None = None,
) -> Speculated:
    """ids (1, T) and `count` tokens after them, distributed as `sample.generate(target, ids, count, ...)` distributes them.

    draft, target: models as in `sample.stream`, of one vocabulary. k >= 1: how many tokens the draft proposes at a time; near the end
    only as many as are still wanted less one, since the target adds one itself. Both models' logits go through `warp` with the
    same temperature to min_p. Both keep a cache, and after a rejection both caches are cropped to what was kept.

    Raises ValueError for more than one row or no token, for k < 1, and where T + count tokens do not fit into both contexts.
    """
    if ids.ndim != 2 or len(ids) != 1 or ids.shape[1] == 0:
        raise ValueError(f"ids have shape {tuple(ids.shape)}; one text is continued at a time, (1, T)")
    end = ids.shape[1] + count
    if k < 1:
        raise ValueError(f"k is {k}: at least one token has to be proposed")
    if end > min(draft.config.context, target.config.context):
        raise ValueError(f"{end} tokens do not fit into contexts of {draft.config.context} and {target.config.context}")
    caches = [KVCache.of(model, 1, end) for model in (draft, target)]
    proposed = accepted = calls = 0
    while ids.shape[1] < end:
        n = ids.shape[1]
        written, q = ids, []
        for _ in range(min(k, end - n - 1)):
            logits = warp(_unseen(draft, written, caches[0])[:, -1], temperature, top_k, top_p, min_p)  # (1, V)
            q.append(logits.softmax(dim=-1))
            written = torch.cat([written, draw(logits, generator)[:, None]], dim=1)
        proposals = written[:, n:]  # (1, j), j <= k
        logits = _unseen(target, written, caches[1])[:, -len(q) - 1 :]  # (1, j + 1, V), from the last of ids on
        p = warp(logits, temperature, top_k, top_p, min_p).softmax(dim=-1)
        steps = torch.stack(q, dim=1) if q else p[:, :0]  # (1, j, V)
        kept, following = verify(p, steps, proposals, generator)
        ids = torch.cat([ids, proposals[:, : int(kept)], following[:, None]], dim=1)
        for cache in caches:
            cache.crop(min(cache.length, ids.shape[1] - 1))  # the last token has been seen by neither
        proposed, accepted, calls = proposed + len(q), accepted + int(kept), calls + 1
    return Speculated(ids, proposed, accepted, calls)


def _unseen(model: Any, ids: Tensor, cache: KVCache) -> Tensor:
    """Logits (1, t, V) at the tokens of ids (1, n) that the cache does not hold."""
    return read(model, ids[:, cache.length :], cache)
