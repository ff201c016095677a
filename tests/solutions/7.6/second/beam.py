"""Beam search on Python lists of candidates, and nothing cached between texts but the beams' own rows."""

from dataclasses import dataclass

import torch

from .cache import KVCache
from .sample import read


@dataclass(frozen=True)
class Hypothesis:
    tokens: tuple
    log_probability: float
    score: float


def length_penalty(n, alpha):
    return (5 + n) ** alpha / 6**alpha


def beam_search(model, ids, count, *, beams=4, alpha=0.0, stop=None):
    if ids.ndim != 2 or ids.shape[0] != 1 or ids.shape[1] < 1 or beams < 1 or alpha < 0 or count < 1:
        raise ValueError("one text, at least one beam, no negative penalty")
    if ids.shape[1] + count > model.config.context:
        raise ValueError("too long")
    cache = KVCache.of(model, 1, model.config.context)
    live, done, unread = [((), 0.0)], [], ids

    def hypothesis(text, total):
        return Hypothesis(text, total, total / length_penalty(len(text), alpha))

    def best(found):
        return sorted(found, key=lambda each: each.score, reverse=True)[:beams]

    for _ in range(count):
        logs = torch.log_softmax(read(model, unread, cache)[:, -1].double(), dim=-1).tolist()
        table = [(total + step, i, token) for i, (_, total) in enumerate(live) for token, step in enumerate(logs[i])]
        table.sort(reverse=True)
        done = best(done + [hypothesis((*live[i][0], t), total) for total, i, t in table[:beams] if t == stop])
        going = [each for each in table if each[2] != stop][:beams]
        live = [((*live[i][0], token), total) for total, i, token in going]
        if len(done) == beams and done[-1].score >= live[0][1] / length_penalty(count, alpha):
            return done
        cache.reorder(torch.tensor([i for _, i, _ in going], device=ids.device))
        unread = torch.tensor([[token] for _, _, token in going], device=ids.device)
    return best(done + [hypothesis(*each) for each in live])
