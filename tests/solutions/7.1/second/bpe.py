"""A tokenizer that replays the merges one after the other, each over the whole piece."""

import hashlib
import itertools
import json

import numpy as np

from . import saving
from .merges import BYTES, learn
from .splitting import GPT2, split


class BPE:
    def __init__(self, merges, pattern=GPT2, specials=None):
        self.merges = [tuple(int(i) for i in pair) for pair in merges]
        self.pattern = pattern
        self.table = {i: bytes([b]) for i, b in enumerate(BYTES)}
        for new, (a, b) in enumerate(self.merges, start=256):
            if a not in self.table or b not in self.table:
                raise ValueError(f"{a} or {b} is not there yet")
            self.table[new] = self.table[a] + self.table[b]
        self.specials = {}
        named = specials.items() if isinstance(specials, dict) else zip(specials or [], range(len(self.table), 1 << 30))
        for name, i in list(named):
            if i in self.table:
                raise ValueError(f"id {i} is taken")
            self.table[i] = name.encode()
            self.specials[name] = i
        self.vocab_size = max(self.table) + 1
        whole = json.dumps([self.merges, pattern, sorted(self.specials.items())])
        self.fingerprint = hashlib.sha256(whole.encode()).hexdigest()
        self.new = {pair: i for i, pair in reversed(list(enumerate(self.merges, start=256)))}

    def replayed(self, data):
        ids = [BYTES.index(b) for b in data]
        while True:
            pairs = [pair for pair in itertools.pairwise(ids) if pair in self.new]
            if not pairs:
                return ids
            pair = min(pairs, key=self.new.get)
            out = []
            for i in ids:
                if out and (out[-1], i) == pair:
                    out[-1] = self.new[pair]
                else:
                    out.append(i)
            ids = out

    def ordinary(self, text):
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return [i for piece in split(text, self.pattern) for i in self.replayed(piece.encode())]

    def encode(self, text, allowed=()):
        if any(name not in self.specials for name in allowed):
            raise ValueError("no such special token")
        ids, start, i = [], 0, 0
        names = sorted(allowed, key=len)
        while i < len(text):
            found = [name for name in names if text.startswith(name, i)]
            if found:
                ids += [*self.ordinary(text[start:i]), self.specials[found[-1]]]
                i = start = i + len(found[-1])
            else:
                i += 1
        return np.array(ids + self.ordinary(text[start:]), dtype=np.int32)

    def encode_bytes(self, data):
        pieces = split(data.decode(errors="surrogateescape"), self.pattern)
        ids = [i for piece in pieces for i in self.replayed(piece.encode(errors="surrogateescape"))]
        return np.array(ids, dtype=np.int32)

    def token_bytes(self, token):
        if int(token) not in self.table:
            raise ValueError(f"no token {token}")
        return self.table[int(token)]

    def decode_bytes(self, ids):
        return b"".join(self.token_bytes(i) for i in ids)

    def decode(self, ids):
        return str(self.decode_bytes(ids), "utf-8", "replace")

    def save(self, path):
        about = {"kind": "bpe", "merges": self.merges, "pattern": self.pattern, "specials": self.specials}
        saving.write(path, about)

    @classmethod
    def load(cls, path):
        about = saving.read(path, "bpe")
        return cls(about["merges"], about["pattern"], about["specials"])


def train(text, vocab_size, pattern=GPT2, specials=(), processes=1):
    if vocab_size < 256 + len(specials):
        raise ValueError("too small")
    counts = {}
    if isinstance(text, dict):
        counts = text
    else:
        for part in [text] if isinstance(text, str) else text:
            part = part.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            for piece in split(part, pattern):
                counts[piece] = counts.get(piece, 0) + 1
    return BPE(learn(counts, vocab_size - 256 - len(specials)), pattern, list(specials))
