"""The filters row by row on lists of ids, drawing by the inverse of the distribution function, and one loop for all text."""

import math

import torch

from .cache import KVCache

DROPPED = -math.inf


def _rows(logits, choose):
    """choose(row of floats) -> the ids to keep, for every row."""
    flat = logits.reshape(-1, logits.shape[-1])
    mask = torch.zeros_like(flat, dtype=torch.bool)
    for row, kept in zip(flat.tolist(), mask):
        kept[list(choose(row))] = True
    return torch.where(mask.view_as(logits), logits, torch.full_like(logits, DROPPED))


def _probabilities(row):
    top = max(row)
    weights = [math.exp(z - top) for z in row]
    total = math.fsum(weights)
    return [w / total for w in weights]


def scale(logits, temperature):
    if temperature < 0:
        raise ValueError("negative")
    if temperature > 0:
        return logits * (1.0 / temperature)
    first = _rows(logits, lambda row: [row.index(max(row))])
    return torch.where(first == DROPPED, first, torch.zeros_like(first))


def keep_top_k(logits, k):
    if k < 0:
        raise ValueError("negative")
    if k == 0:
        return logits

    def choose(row):
        bar = sorted(row, reverse=True)[min(k, len(row)) - 1]
        return [i for i, z in enumerate(row) if z >= bar]

    return _rows(logits, choose)


def keep_top_p(logits, p):
    if not (p > 0 and p <= 1):
        raise ValueError("not a share")

    def choose(row):
        chances, kept, so_far = _probabilities(row), [], 0.0
        for i in sorted(range(len(row)), key=lambda i: -row[i]):
            if so_far >= p and p < 1:
                break
            kept.append(i)
            so_far += chances[i]
        return kept

    return _rows(logits, choose)


def keep_min_p(logits, p):
    if p < 0 or p > 1:
        raise ValueError("not a share")
    if p == 0:
        return logits
    return _rows(logits, lambda row: [i for i, z in enumerate(row) if z - max(row) >= math.log(p)])


def warp(logits, temperature=1.0, top_k=0, top_p=1.0, min_p=0.0):
    for keep, value in ((scale, temperature), (keep_top_k, top_k), (keep_top_p, top_p), (keep_min_p, min_p)):
        logits = keep(logits, value)
    return logits


def draw(logits, generator=None):
    sums = logits.double().softmax(dim=-1).cumsum(dim=-1)
    uniform = torch.rand(len(logits), 1, dtype=torch.float64, generator=generator, device=logits.device)
    return torch.searchsorted(sums, uniform * sums[:, -1:], right=True)[:, 0]


def read(model, ids, cache):
    was = model.training
    model.train(False)
    try:
        with torch.inference_mode():
            logits = model(ids, cache=cache)
    finally:
        model.train(was)
    return logits.clone() if logits.dtype in (torch.float32, torch.float64) else logits.float()


def window_start(n, context):
    start = 0
    while n - start > context:
        start += max(1, context // 2)
    return start


def stream(
    model,
    ids,
    count,
    *,
    temperature=1.0,
    top_k=0,
    top_p=1.0,
    min_p=0.0,
    cache=True,
    generator=None,
    stop=None,
):
    if ids.ndim != 2 or ids.shape[1] < 1:
        raise ValueError("nothing to read")
    stops = {stop} if isinstance(stop, int) else set(stop or ())
    rows, context = ids.tolist(), model.config.context
    done, began, kept = [False] * len(rows), None, None
    for _ in range(count):
        if rows and all(done):
            return
        start = window_start(len(rows[0]), context)
        if cache and start != began:
            kept, began = KVCache.of(model, len(rows), context), start
        unread = [row[start + (kept.length if kept else 0) :] for row in rows]
        logits = read(model, torch.tensor(unread, device=ids.device), kept)[:, -1]
        drawn = draw(warp(logits, temperature, top_k, top_p, min_p), generator).tolist()
        for i, row in enumerate(rows):
            row.append(row[-1] if done[i] else drawn[i])
            done[i] = done[i] or row[-1] in stops
        yield torch.tensor([row[-1] for row in rows], dtype=ids.dtype, device=ids.device)


def generate(model, ids, count, **settings):
    tokens = list(stream(model, ids, count, **settings))
    return torch.column_stack([ids, *tokens])
