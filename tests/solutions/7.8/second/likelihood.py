"""Likelihood without batches: each pair is run by itself, so there is no padding and nothing to sort."""

import re
from collections import namedtuple

import numpy as np
import torch

LN2 = float(np.log(2.0))


class Score(namedtuple("Score", ["logprobs", "greedy"])):
    @property
    def total(self):
        return float(np.sum(self.logprobs))


class Measured(namedtuple("Measured", ["nats", "tokens", "bytes", "words"])):
    @property
    def perplexity(self):
        return float(np.exp(self.nats / self.tokens))

    @property
    def word_perplexity(self):
        return float(np.exp(self.nats / self.words))

    @property
    def bits_per_byte(self):
        return self.nats * float(np.log2(np.e)) / self.bytes

    def __add__(self, other):
        return Measured(*(a + b for a, b in zip(self, other)))


def measured(text, nats, tokens):
    return Measured(float(nats), int(tokens), len(text.encode()), 1 + sum(1 for _ in re.finditer(r"\s+", text)))


def encode_pair(tokenizer, context, continuation, prefix=None):
    if continuation == "":
        raise ValueError("nothing to score")
    whole, cut = context + continuation, len(context.rstrip())
    ids = tokenizer.encode(whole)
    n = len(tokenizer.encode(whole[:cut])) if cut else 0
    if n == 0 and prefix is None:
        raise ValueError("no context and no prefix")
    if n and n >= len(ids):
        raise ValueError("merged")
    before = tokenizer.encode(whole[:cut]) if n else [prefix]
    return [int(i) for i in before], [int(i) for i in ids[n:]]


def windows(ids, context, prefix, least=1):
    if least < 1 or least > context:
        raise ValueError("least is out of range")
    ids = [int(i) for i in ids]
    cuts = [0, *range(context, len(ids), context - least + 1)] if ids else []
    pairs = []
    for start, end in zip(cuts, [*cuts[1:], len(ids)]):
        history = [prefix, *ids[:start]]
        pairs.append((history[-(context + 1 - (end - start)) :], ids[start:end]))
    return pairs


def scores(model, pairs, context, batch=8):
    for given, continuation in pairs:
        if len(given) == 0 or len(continuation) == 0 or len(continuation) > context:
            raise ValueError("a side is empty, or the continuation too long")
    mode, found = model.training, []
    model.train(False)
    with torch.no_grad():
        for given, continuation in pairs:
            ids = torch.tensor([list(given) + list(continuation)], dtype=torch.long)
            fed = ids[:, :-1][:, -context:]
            logits = model(fed)[0]
            logits = logits[len(logits) - len(continuation) :].to(torch.float64)
            target = ids[0, -len(continuation) :]
            logprobs = -torch.nn.functional.cross_entropy(logits, target, reduction="none")
            found.append(Score(logprobs.numpy(), torch.equal(logits.argmax(1), target)))
    model.train(mode)
    return found


def evaluate(model, tokenizer, texts, context, prefix, least=1, batch=8):
    if not texts or "" in texts:
        raise ValueError("no text, or an empty one")
    total = None
    for text in texts:
        ids = tokenizer.encode(text)
        found = scores(model, windows(ids, context, prefix, least), context, batch)
        one = measured(text, -sum(score.total for score in found), len(ids))
        total = one if total is None else total + one
    return total
