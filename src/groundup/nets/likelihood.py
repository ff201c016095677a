"""How surprised a language model is by a text, and in which unit to say so.

A model gives each token a probability; the sum of their logarithms is what it says of a text. Told per token it cannot
be compared across tokenizers, told per byte it can. The boundaries and windows are those of EleutherAI's
lm-evaluation-harness: Biderman et al., Lessons from the Trenches on Reproducible Evaluation of Language Models (2024),
section 3 and appendix A.

A model here is an nn.Module that maps ids (B, T) int64 to logits (B, T, V), where position t sees positions <= t alone,
and a tokenizer anything with `encode(text) -> ids`. A pair is two lists of ids: what is given, and the continuation to
be scored.
"""

import math
import re
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

LN2 = math.log(2.0)


class Score(NamedTuple):
    """What a model says of one continuation."""

    logprobs: np.ndarray  # (n,) float64, nats: ln p of each token, given all before it
    greedy: bool  # whether each token is the likeliest where it stands, so that greedy decoding would write it

    @property
    def total(self) -> float:
        """ln p of the whole continuation, in nats, <= 0."""
        return float(self.logprobs.sum())


@dataclass(frozen=True)
class Measured:
    """How surprised a model was, and by how much text. Two of them add up to that of both texts."""

    nats: float  # minus the sum of all ln p, >= 0
    tokens: int
    bytes: int  # in UTF-8
    words: int  # pieces that `re.split(r"\s+", text)` gives, as the harness counts them

    @property
    def perplexity(self) -> float:
        """Per token: how many equally likely tokens would surprise as much. Depends on the tokenizer."""
        return math.exp(self.nats / self.tokens)

    @property
    def word_perplexity(self) -> float:
        """The same per word, whatever a token is."""
        return math.exp(self.nats / self.words)

    @property
    def bits_per_byte(self) -> float:
        """Bits for each byte of the text: what an arithmetic coder driven by the model would need."""
        return self.nats / LN2 / self.bytes

    def __add__(self, other: "Measured") -> "Measured":
        return Measured(
            self.nats + other.nats,
            self.tokens + other.tokens,
            self.bytes + other.bytes,
            self.words + other.words,
        )


def measured(text: str, nats: float, tokens: int) -> Measured:
    """`nats` of surprise at `text`, which was read as so many tokens."""
    return Measured(float(nats), int(tokens), len(text.encode("utf-8")), len(re.split(r"\s+", text)))


def encode_pair(tokenizer, context: str, continuation: str, prefix: int | None = None) -> tuple[list[int], list[int]]:
    """Two texts as a pair of lists of ids, cut where the tokenizer would cut the whole.

    White space at the end of the context belongs to the continuation, since tokenizers put a space in front of a word.
    Then context and continuation are encoded together, and what is left after as many tokens as the context alone has
    is the continuation. Where no context is left, the pair is ([prefix], all ids). Raises ValueError for an empty
    continuation, for no context and no prefix, and where the tokenizer has merged all of the continuation into the
    context's last token.
    """
    if not continuation:
        raise ValueError("the continuation is empty: there is nothing to score")
    kept = context.rstrip()
    continuation = context[len(kept) :] + continuation
    given = [int(i) for i in tokenizer.encode(kept)] if kept else []
    whole = [int(i) for i in tokenizer.encode(kept + continuation)]
    if not given:
        if prefix is None:
            raise ValueError("the context is empty, and no prefix is there to stand for it: pass the id of one")
        return [prefix], whole
    if len(whole) <= len(given):
        raise ValueError(f"the tokenizer merges {continuation!r} into the end of the context: nothing is left to score")
    return given, whole[len(given) :]


def windows(ids, context: int, prefix: int, least: int = 1) -> list[tuple[list[int], list[int]]]:
    """A text of any length as pairs in which each of its tokens is to be scored once, in order.

    ids: (n,), n >= 0. context: how many tokens the model can be given. The first window is given [prefix] and scores up
    to `context` tokens. Each after it scores the next context - least + 1, or what is left, and is given as many of the
    tokens before them as fit: given + continuation has at most context + 1 tokens, of which the last is not fed. So
    each token is scored with at least `least` tokens before it, but for the beginning of the text. The last window
    reaches further back, if it is short. Raises ValueError unless 1 <= least <= context.
    """
    if not 1 <= least <= context:
        raise ValueError(f"least is {least}, and has to lie between 1 and the context of {context}")
    text = [prefix, *(int(i) for i in ids)]
    pairs, done = [], 1  # text[:done] is scored, the prefix by courtesy
    while done < len(text):
        size = context if done == 1 else context - least + 1
        end = min(done + size, len(text))
        pairs.append((text[max(0, end - context - 1) : done], text[done:end]))
        done = end
    return pairs


def scores(model, pairs, context: int, batch: int = 8) -> list[Score]:
    """A Score for each pair, in the order of the pairs.

    Pairs are run longest first, `batch` at a time, padded on the right, where a causal model does not see it. A pair
    longer than the model can be given loses tokens from the left of its context: the model is fed the last `context` of
    all tokens but the final one. The logarithms are taken in float32 or wider. The model is in evaluation mode while it
    runs, no gradient is kept, and afterwards it is in the mode it was in. Raises ValueError for an empty side of a
    pair, and for a continuation of more than `context` tokens.
    """
    for given, continuation in pairs:
        if not len(given) or not len(continuation):
            raise ValueError("both sides of a pair need at least one token")
        if len(continuation) > context:
            raise ValueError(f"a continuation of {len(continuation)} tokens exceeds the context of {context}")
    rows = [[*given, *continuation][-(context + 1) :] for given, continuation in pairs]
    order = sorted(range(len(rows)), key=lambda i: -len(rows[i]))
    device = next((p.device for p in model.parameters()), torch.device("cpu"))
    found: list = [None] * len(rows)
    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            for at in range(0, len(order), batch):
                picked = order[at : at + batch]
                ids = torch.zeros(len(picked), len(rows[picked[0]]) - 1, dtype=torch.int64)  # (B, T)
                for row, i in enumerate(picked):
                    ids[row, : len(rows[i]) - 1] = torch.tensor(rows[i][:-1])
                logits = model(ids.to(device))  # (B, T, V)
                for row, i in enumerate(picked):
                    found[i] = _score(logits[row, : len(rows[i]) - 1], pairs[i][1])
    finally:
        model.train(was_training)
    return found


def evaluate(model, tokenizer, texts, context: int, prefix: int, least: int = 1, batch: int = 8) -> Measured:
    """Texts, each on its own and in full, by `windows` and `scores`: the sum of what was measured on them.

    Raises ValueError where there is no text, or an empty one.
    """
    pairs, lengths = [], []
    for text in texts:
        if not text:
            raise ValueError("an empty text has no bits per byte: leave it out")
        pairs.append(windows(tokenizer.encode(text), context, prefix, least))
        lengths.append(sum(len(continuation) for _, continuation in pairs[-1]))
    if not pairs:
        raise ValueError("there is no text to evaluate on")
    found = iter(scores(model, [pair for of_text in pairs for pair in of_text], context, batch))
    total = Measured(0.0, 0, 0, 0)
    for text, of_text, tokens in zip(texts, pairs, lengths):
        total = total + measured(text, -sum(next(found).total for _ in of_text), tokens)
    return total


def _score(logits, continuation) -> Score:
    """Of the last tokens: logits (T, V) of a row without padding, continuation n ids, n <= T."""
    target = torch.tensor([int(i) for i in continuation], device=logits.device)  # (n,)
    logits = logits[-len(target) :]  # (n, V): each row predicts the token after it
    logits = logits.float() if logits.dtype in (torch.float16, torch.bfloat16) else logits
    logprobs = torch.log_softmax(logits, dim=-1).gather(1, target[:, None])[:, 0]
    return Score(logprobs.double().cpu().numpy(), bool((logits.argmax(dim=-1) == target).all()))
