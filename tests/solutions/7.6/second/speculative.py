"""The rule in logarithms and sums, and a loop over the proposals instead of a product over them."""

from dataclasses import dataclass

import torch

from .cache import KVCache
from .sample import draw, read, warp


@dataclass(frozen=True)
class Speculated:
    ids: torch.Tensor
    proposed: int
    accepted: int
    calls: int


def acceptance(p, q):
    return torch.where(q > p, p / torch.where(q > 0, q, torch.ones_like(q)), torch.ones_like(p))


def residual(p, q):
    more = torch.relu(p - q)
    sums = more.sum(-1, keepdim=True)
    return torch.where(sums == 0, p, more / torch.where(sums == 0, torch.ones_like(sums), sums))


def verify(p, q, proposed, generator=None):
    rows, k = proposed.shape
    accepted = torch.zeros(rows, dtype=torch.int64, device=p.device)
    going = torch.ones(rows, dtype=torch.bool, device=p.device)
    following = p[:, k].clone()
    for i in range(k):
        chance = acceptance(p[:, i], q[:, i])[torch.arange(rows, device=p.device), proposed[:, i]]
        kept = torch.rand(rows, dtype=torch.float64, generator=generator, device=p.device) < chance
        turned = going & ~kept
        following[turned] = residual(p[turned, i], q[turned, i])
        going = going & kept
        accepted += going
    return accepted, draw(following.log(), generator)


def speculate(
    draft,
    target,
    ids,
    count,
    *,
    k=4,
    temperature=1.0,
    top_k=0,
    top_p=1.0,
    min_p=0.0,
    generator=None,
):
    if ids.ndim != 2 or ids.shape[0] != 1 or ids.shape[1] < 1 or k < 1:
        raise ValueError("one text, and at least one proposal")
    end = ids.shape[1] + count
    if end > draft.config.context or end > target.config.context:
        raise ValueError("too long")

    def distribution(logits):
        return warp(logits, temperature, top_k, top_p, min_p).softmax(dim=-1)

    small, large = KVCache.of(draft, 1, end), KVCache.of(target, 1, end)
    proposed = accepted = calls = 0
    while ids.shape[1] < end:
        n, text, steps = ids.shape[1], ids, []
        while text.shape[1] < min(n + k, end - 1):
            steps.append(distribution(read(draft, text[:, small.length :], small)[:, -1]))
            text = torch.column_stack([text, draw(steps[-1].log(), generator)])
        judged = distribution(read(target, text[:, large.length :], large))[:, -(len(steps) + 1) :]
        if steps:
            kept, token = verify(judged, torch.stack(steps, 1), text[:, n:], generator)
        else:
            kept, token = torch.zeros(1, dtype=torch.int64), draw(judged[:, 0].log(), generator)
        good = n + int(kept[0])
        ids = torch.column_stack([text[:, :good], token])
        large.crop(min(good, large.length))
        small.crop(min(good, small.length))
        proposed, accepted, calls = proposed + len(steps), accepted + good - n, calls + 1
    return Speculated(ids, proposed, accepted, calls)
