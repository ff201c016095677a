"""Unigram pieces: begin with too many, let a probability decide how text is cut, and drop those that are missed least.

Every way to cut a word into pieces of the vocabulary has a probability, the product of its pieces'. Training finds the
probabilities by expectation and maximisation over all ways to cut; encoding takes the likeliest way.
Kudo, Subword regularization: improving neural network translation models with multiple subword candidates (2018), section 3.2.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from . import saving
from .counting import chunks, count_pieces, whole
from .splitting import GPT2, split


class Unigram:
    """A tokenizer of pieces with probabilities.

    pieces: bytes -> natural logarithm of its probability; ids are in this order. ValueError unless all 256 single bytes are
        there, so that every text can be said.
    pattern: what splits text into words, which no piece crosses.
    Attributes: pieces (dict), pattern (str), vocab_size (int), fingerprint (str).
    """

    def __init__(self, pieces: Mapping[bytes, float], pattern: str = GPT2) -> None:
        self.pieces = dict(pieces)
        self.pattern = pattern
        if any(bytes([b]) not in self.pieces for b in range(256)):
            raise ValueError("The pieces have to contain each of the 256 bytes.")
        self.vocab_size = len(self.pieces)
        self.fingerprint = saving.fingerprint(self._definition())
        self._bytes = list(self.pieces)
        self._ids = {piece: i for i, piece in enumerate(self._bytes)}
        self._longest = max(map(len, self._bytes))
        self._known: dict[str, list[int]] = {}

    def segments(self, word: bytes, longest: int | None = None) -> list[bytes]:
        """The likeliest way to cut a word (Viterbi), into pieces of at most `longest` bytes; None: of any length."""
        longest = self._longest if longest is None else min(longest, self._longest)
        best = [0.0] + [-math.inf] * len(word)  # logarithm of the likeliest way to cut word[:end]
        last = [0] * (len(word) + 1)  # where its last piece begins
        for end in range(1, len(word) + 1):
            for start in range(max(0, end - longest), end):
                value = best[start] + self.pieces.get(word[start:end], -math.inf)
                if value > best[end]:
                    best[end], last[end] = value, start
        cuts, end = [], len(word)
        while end > 0:
            cuts.append(word[last[end] : end])
            end = last[end]
        return cuts[::-1]

    def log_probability(self, word: bytes) -> float:
        """ln of the sum over all ways to cut a word; 0 for an empty one."""
        return self._forward(word)[-1]

    def expected_counts(self, word: bytes) -> dict[bytes, float]:
        """How often each piece occurs in a word on average, over all ways to cut it by their probabilities (forward-backward)."""
        forward, n = self._forward(word), len(word)
        backward = [-math.inf] * n + [0.0]  # ln of the sum over the ways to cut word[start:]
        counts: dict[bytes, float] = {}
        for start in range(n - 1, -1, -1):
            terms = []
            for end in range(start + 1, min(n, start + self._longest) + 1):
                piece = word[start:end]
                if piece in self.pieces:
                    terms.append(self.pieces[piece] + backward[end])
                    share = math.exp(forward[start] + terms[-1] - forward[n])
                    counts[piece] = counts.get(piece, 0.0) + share
            backward[start] = _log_sum(terms)
        return counts

    def encode(self, text: str) -> np.ndarray:
        """Ids (n,) int32. Half a surrogate pair is encoded as U+FFFD."""
        ids: list[int] = []
        for chunk in chunks(whole(text), self.pattern):
            for word in split(chunk, self.pattern):
                if word not in self._known:
                    self._known[word] = [self._ids[piece] for piece in self.segments(word.encode())]
                ids += self._known[word]
        return np.array(ids, dtype=np.int32)

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ids; bytes that are no UTF-8 become U+FFFD. ValueError for an id that there is not."""
        ids = [int(i) for i in ids]
        if ids and (min(ids) < 0 or max(ids) >= self.vocab_size):
            raise ValueError(f"Ids are 0 to {self.vocab_size - 1}; these are {min(ids)} to {max(ids)}.")
        return b"".join(map(self._bytes.__getitem__, ids)).decode("utf-8", "replace")

    def save(self, path: str | Path) -> None:
        """Writes pieces and pattern to a JSON file."""
        saving.write(path, self._definition())

    @classmethod
    def load(cls, path: str | Path) -> Unigram:
        """From a file that `save` wrote. ValueError for any other."""
        return cls._from(saving.read(path, "unigram"))

    @classmethod
    def _from(cls, definition: dict) -> Unigram:
        return cls({bytes.fromhex(piece): p for piece, p in definition["pieces"]}, definition["pattern"])

    def _definition(self) -> dict:
        pieces = [[piece.hex(), p] for piece, p in self.pieces.items()]
        return {"kind": "unigram", "pattern": self.pattern, "pieces": pieces}

    def _forward(self, word: bytes) -> list[float]:
        """ln of the sum over the ways to cut word[:end], for each end."""
        forward = [0.0]
        for end in range(1, len(word) + 1):
            starts = range(max(0, end - self._longest), end)
            terms = [forward[s] + self.pieces[word[s:end]] for s in starts if word[s:end] in self.pieces]
            forward.append(_log_sum(terms))
        return forward


def train(
    text: str | Iterable[str] | Mapping[str, int],
    vocab_size: int,
    pattern: str = GPT2,
    longest: int = 12,
    keep: float = 0.75,
) -> Unigram:
    """Learns pieces from text -> the tokenizer, with vocab_size of them, or fewer where the text has fewer substrings.

    Begins with the substrings that save most, eight times as many as asked for; then two rounds of expectation and
    maximisation, and the share `keep` of the pieces stays, those whose loss would cost most; and again, until there are
    vocab_size. Single bytes always stay.
    text: one text, several, or counts of words. longest: bytes of a piece. ValueError for a vocab_size below 256.
    """
    if vocab_size < 256:
        raise ValueError(f"256 bytes do not fit into a vocabulary of {vocab_size}.")
    words = text if isinstance(text, Mapping) else count_pieces(text, pattern)
    counts = {word.encode(): count for word, count in words.items()}
    bytes_alone = [bytes([b]) for b in range(256)]
    seeds: Counter[bytes] = Counter()
    for word, count in counts.items():
        for start in range(len(word)):
            for end in range(start + 1, min(len(word), start + longest) + 1):
                seeds[word[start:end]] += count
    frequent = [piece for piece, count in seeds.items() if count > 1 and len(piece) > 1]
    frequent.sort(key=lambda piece: (-seeds[piece] * len(piece), piece))
    model = _normalised({p: float(seeds[p]) for p in [*bytes_alone, *frequent[: 8 * vocab_size]]}, pattern)
    while True:
        for _ in range(2):
            expected = dict.fromkeys(model.pieces, 0.0)
            for word, count in counts.items():
                for piece, share in model.expected_counts(word).items():
                    expected[piece] += count * share
            model = _normalised(expected, pattern)
        if model.vocab_size <= vocab_size:
            return model
        many = max(vocab_size, int(keep * model.vocab_size)) - 256
        costs = {piece: _missed(model, piece, expected[piece]) for piece in model.pieces if len(piece) > 1}
        stay = sorted(costs, key=lambda piece: (-costs[piece], piece))[:many]
        model = _normalised({piece: expected[piece] for piece in [*bytes_alone, *stay]}, pattern)


def _missed(model: Unigram, piece: bytes, expected: float) -> float:
    """The nats that the text would cost more without a piece: its places would be cut the likeliest way that is left."""
    others = model.segments(piece, longest=len(piece) - 1)
    return expected * (model.pieces[piece] - sum(map(model.pieces.__getitem__, others)))


def _normalised(counts: Mapping[bytes, float], pattern: str) -> Unigram:
    """Probabilities from counts; a byte that never came gets that of a thousandth of an occurrence."""
    counts = {piece: max(count, 1e-3) for piece, count in counts.items()}
    total = math.log(sum(counts.values()))
    return Unigram({piece: math.log(count) - total for piece, count in counts.items()}, pattern)


def _log_sum(terms: list[float]) -> float:
    """ln of the sum of exp(term), without overflow."""
    top = max(terms)
    return top + math.log(sum(math.exp(term - top) for term in terms))
