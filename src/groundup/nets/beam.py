"""Beam search: the few most probable beginnings, carried forward side by side.

The most probable text is a maximum over V^n of them. Greedy decoding keeps one beginning, beam search keeps `beams`, and with as
many beams as there are texts it is exact. Long texts are products of more factors below 1, so a length penalty evens them
out: Wu et al., Google's Neural Machine Translation System (2016), section 7.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .cache import KVCache
from .sample import read


@dataclass(frozen=True)
class Hypothesis:
    """What beam search found: the new tokens, a stop token at the end included; their log-probability in nats, which is the
    sum over the tokens; and the score by which hypotheses are ordered.
    """

    tokens: tuple[int, ...]
    log_probability: float
    score: float


def length_penalty(n: int, alpha: float) -> float:
    """((5 + n) / 6) ** alpha, by which the log-probability of n tokens is divided. 1 for n = 1, and for alpha = 0."""
    return ((5 + n) / 6) ** alpha


def beam_search(
    model: Any, ids: Tensor, count: int, *, beams: int = 4, alpha: float = 0.0, stop: int | None = None
) -> list[Hypothesis]:
    """The best continuations found of ids (1, T), at most `beams` of them, best first.

    model: as in `sample.stream`; T + count tokens must fit into model.config.context. A hypothesis ends with the token `stop`, or
    with its count-th token. Its score is log_probability / length_penalty(tokens, alpha), alpha >= 0.

    A step extends every beam by every token and puts the candidates in order of log-probability. Those among the best `beams`
    that end in `stop` are finished; the best `beams` that do not are the next beams. The search ends early when the
    `beams` best finished ones have scores that no beam can still beat: a log-probability never rises, so a beam's score
    cannot come above log_probability / length_penalty(count, alpha).

    Raises ValueError for more than one row, for none or no tokens, for beams < 1, alpha < 0, count < 1 or where the context is
    too short.
    """
    if ids.ndim != 2 or len(ids) != 1 or ids.shape[1] == 0:
        raise ValueError(f"ids have shape {tuple(ids.shape)}; beam search continues one text, (1, T)")
    if beams < 1 or alpha < 0 or count < 1:
        raise ValueError(f"beams {beams} and count {count} have to be at least 1, and alpha {alpha:g} at least 0")
    if ids.shape[1] + count > model.config.context:
        raise ValueError(f"{ids.shape[1]} + {count} tokens do not fit into a context of {model.config.context}")
    cache = KVCache.of(model, 1, ids.shape[1] + count)
    finished: list[Hypothesis] = []
    new, tokens = ids, ids[:, :0]  # what the model has not seen; what each beam has added, (beams, 0) at first
    totals = torch.zeros(1, dtype=torch.float64, device=ids.device)  # the log-probability of each beam
    for _ in range(count):
        logits = read(model, new, cache)[:, -1]  # (B, V)
        candidates = totals[:, None] + logits.double().log_softmax(dim=-1)  # (B, V)
        vocabulary = candidates.shape[1]
        # every beam has one candidate that stops, so among twice as many there are enough that do not
        best, places = candidates.flatten().topk(min(2 * beams, candidates.numel()))
        row, token = places // vocabulary, places % vocabulary
        ends = token == (-1 if stop is None else stop)
        for i in ends[:beams].nonzero()[:, 0].tolist():
            finished.append(_hypothesis([*tokens[row[i]].tolist(), int(token[i])], float(best[i]), alpha))
        finished = sorted(finished, key=lambda found: -found.score)[:beams]
        on = (~ends).nonzero()[:beams, 0]  # (B',)
        totals, new = best[on], token[on, None]
        tokens = torch.cat([tokens[row[on]], new], dim=1)  # (B', n)
        if not len(on) or (
            len(finished) == beams and finished[-1].score >= float(totals[0]) / length_penalty(count, alpha)
        ):
            return finished
        cache.reorder(row[on])
    finished += [_hypothesis(beam, total, alpha) for beam, total in zip(tokens.tolist(), totals.tolist())]
    return sorted(finished, key=lambda found: -found.score)[:beams]


def _hypothesis(tokens: list[int], total: float, alpha: float) -> Hypothesis:
    return Hypothesis(tuple(tokens), total, total / length_penalty(len(tokens), alpha))
