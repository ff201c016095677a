"""What a vocabulary costs, and what it buys: parameters on one side, shorter sequences on the other."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple, Protocol

import numpy as np


class Tokenizer(Protocol):
    """What every tokenizer here has."""

    vocab_size: int

    def encode(self, text: str) -> np.ndarray: ...


class Cost(NamedTuple):
    """One vocabulary on one text, and in a model of one width."""

    name: str
    vocab_size: int
    tokens: int  # the text has
    tokens_per_character: float
    bytes_per_token: float
    used: int  # different ids that occur in the text
    parameters: int  # embedding, and output layer where it has weights of its own


def cost(name: str, tokenizer: Tokenizer, text: str, width: int, tied: bool = False) -> Cost:
    """The cost of a tokenizer on a text, in a model whose embedding has `width` columns. ValueError for an empty text.

    tied: the output layer is the embedding, transposed.
    """
    if not text:
        raise ValueError("The cost of a vocabulary is measured on a text, and this one is empty.")
    ids = tokenizer.encode(text)
    return Cost(
        name,
        tokenizer.vocab_size,
        len(ids),
        len(ids) / len(text),
        len(text.encode("utf-8", "replace")) / len(ids),
        len(np.unique(ids)),
        embedding_parameters(tokenizer.vocab_size, width, tied),
    )


def embedding_parameters(vocab_size: int, width: int, tied: bool = False) -> int:
    """The weights that depend on the vocabulary: a row of `width` for every id, once if tied, else twice."""
    return vocab_size * width * (1 if tied else 2)


def bits_per_byte(nats_per_token: float, tokens: int, n_bytes: int) -> float:
    """A loss that does not depend on the tokenizer: nats of the whole text, in bits, for each byte of it."""
    return nats_per_token * tokens / (n_bytes * math.log(2))


def table(tokenizers: Mapping[str, Tokenizer], text: str, width: int, tied: bool = False) -> str:
    """A line for each tokenizer: ids a character, bytes a token, the share of ids that the text uses, parameters."""
    lines = [f"{'':12} {'ids':>6} {'tokens/char':>11} {'bytes/token':>11} {'used':>6} {'parameters':>11}"]
    for name, tokenizer in tokenizers.items():
        c = cost(name, tokenizer, text, width, tied)
        lines.append(
            f"{c.name:12} {c.vocab_size:6} {c.tokens_per_character:11.3f} {c.bytes_per_token:11.2f}"
            f" {c.used / c.vocab_size:6.0%} {c.parameters:11,}"
        )
    return "\n".join(lines)
