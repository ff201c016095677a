"""Unigram pieces by recursion with a memory, and training that starts from all substrings."""

import math
from functools import cache

import numpy as np

from . import saving
from .counting import count_pieces
from .splitting import GPT2, split


class Unigram:
    def __init__(self, pieces, pattern=GPT2):
        self.pieces, self.pattern = dict(pieces), pattern
        if sum(len(piece) == 1 for piece in self.pieces) < 256:
            raise ValueError("every byte has to be there")
        self.order = list(self.pieces)
        self.vocab_size = len(self.order)
        self.number = {piece: i for i, piece in enumerate(self.order)}
        self.fingerprint = saving.fingerprint(self.about())

    def about(self):
        return {"kind": "unigram", "pattern": self.pattern, "pieces": [[p.hex(), v] for p, v in self.pieces.items()]}

    def segments(self, word, longest=None):
        most = longest or len(word)

        @cache
        def best(start):
            if start == len(word):
                return 0.0, ()
            ways = []
            for end in range(start + 1, min(len(word), start + most) + 1):
                if word[start:end] in self.pieces:
                    value, rest = best(end)
                    ways.append((self.pieces[word[start:end]] + value, (word[start:end], *rest)))
            return max(ways, key=lambda way: way[0])

        return list(best(0)[1])

    def sums(self, word):
        n = len(word)
        p = {k: math.exp(v) for k, v in self.pieces.items()}
        ahead = np.zeros(n + 1)
        behind = np.zeros(n + 1)
        ahead[0] = behind[n] = 1.0
        for end in range(1, n + 1):
            ahead[end] = sum(ahead[s] * p.get(word[s:end], 0.0) for s in range(end))
        for start in range(n - 1, -1, -1):
            behind[start] = sum(behind[e] * p.get(word[start:e], 0.0) for e in range(start + 1, n + 1))
        return p, ahead, behind

    def log_probability(self, word):
        return float(np.log(self.sums(word)[1][-1]))

    def expected_counts(self, word):
        p, ahead, behind = self.sums(word)
        counts = {}
        for start in range(len(word)):
            for end in range(start + 1, len(word) + 1):
                piece = word[start:end]
                if piece in p:
                    share = ahead[start] * p[piece] * behind[end] / ahead[-1]
                    counts[piece] = counts.get(piece, 0.0) + float(share)
        return counts

    def encode(self, text):
        pieces = [p for word in split(text, self.pattern) for p in self.segments(word.encode())]
        return np.array([self.number[p] for p in pieces], dtype=np.int32)

    def decode(self, ids):
        return b"".join(self.order[i] for i in ids).decode("utf-8", "replace")

    def save(self, path):
        saving.write(path, self.about())

    @classmethod
    def load(cls, path):
        about = saving.read(path, "unigram")
        return cls({bytes.fromhex(p): v for p, v in about["pieces"]}, about["pattern"])


def train(text, vocab_size, pattern=GPT2, longest=12, keep=0.75):
    words = text if isinstance(text, dict) else count_pieces(text, pattern)
    words = {word.encode(): n for word, n in words.items()}
    counts = {bytes([b]): 0.01 for b in range(256)}
    for word, n in words.items():
        for a in range(len(word)):
            for b in range(a + 1, min(len(word), a + longest) + 1):
                counts[word[a:b]] = counts.get(word[a:b], 0.0) + n
    while True:
        total = math.log(sum(counts.values()))
        model = Unigram({p: math.log(c) - total for p, c in counts.items()}, pattern)
        counts = {p: 1e-4 for p in model.pieces}
        for word, n in words.items():
            for piece, share in model.expected_counts(word).items():
                counts[piece] += n * share
        if len(counts) <= vocab_size:
            return model
        room = max(vocab_size, int(keep * len(counts))) - 256
        many = sorted((p for p in counts if len(p) > 1), key=lambda p: -counts[p] * len(p))[:room]
        counts = {p: c for p, c in counts.items() if len(p) == 1 or p in set(many)}
