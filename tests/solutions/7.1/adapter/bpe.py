"""tiktoken, where a vocabulary has what it needs: every token by its own merge. Else the merges one by one."""

import numpy as np
import tiktoken

from . import saving
from .counting import count_pieces
from .merges import BYTES, learn
from .splitting import GPT2


class BPE:
    def __init__(self, merges, pattern=GPT2, specials=None):
        self.merges = [(int(a), int(b)) for a, b in merges]
        self.pattern = pattern
        tokens = [bytes([b]) for b in BYTES]
        for a, b in self.merges:
            if min(a, b) < 0 or max(a, b) >= len(tokens):
                raise ValueError("not made yet")
            tokens.append(tokens[a] + tokens[b])
        if not isinstance(specials, dict):
            specials = {name: len(tokens) + i for i, name in enumerate(specials or ())}
        self.specials = specials
        self.tokens = dict(enumerate(tokens)) | {i: name.encode() for name, i in specials.items()}
        if len(self.tokens) < len(tokens) + len(specials) or any(i < len(tokens) for i in specials.values()):
            raise ValueError("ids taken")
        self.vocab_size = max(self.tokens) + 1
        self.fingerprint = saving.fingerprint(self.about())
        ranks = {token: i for i, token in enumerate(tokens)}
        self.theirs = tiktoken.Encoding("theirs", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
        # tiktoken finds merges by bytes: only where replaying gives every token back do the two mean the same
        few = tokens if len(tokens) < 270 else []  # larger vocabularies have been learnt
        self.learnt = len(ranks) == len(tokens) and all(
            self.replayed(t) == [i] for i, t in enumerate(few) if len(t) > 1
        )

    def about(self):
        return {"kind": "bpe", "merges": self.merges, "pattern": self.pattern, "specials": self.specials}

    def replayed(self, data):
        ids = [BYTES.index(b) for b in data]
        for new, pair in enumerate(self.merges, start=256):
            out = []
            for i in ids:
                out.append(i)
                if tuple(out[-2:]) == pair:
                    out[-2:] = [new]
            ids = out
        return ids

    def ordinary(self, text):
        if self.learnt:
            return self.theirs.encode_ordinary(text)
        from .splitting import split

        return [i for piece in split(text, self.pattern) for i in self.replayed(piece.encode())]

    def encode(self, text, allowed=()):
        if set(allowed) - set(self.specials):
            raise ValueError("no such special token")
        here = [(text.find(name), -len(name), name) for name in allowed if name in text]
        if not here:
            return np.array(self.ordinary(text), dtype=np.int32)
        at, _, name = min(here)
        rest = self.encode(text[at + len(name) :], allowed)
        return np.array([*self.ordinary(text[:at]), self.specials[name], *rest], dtype=np.int32)

    def encode_bytes(self, data):
        try:
            return self.encode(data.decode())
        except UnicodeDecodeError:
            return np.array(self.replayed(data), dtype=np.int32)

    def token_bytes(self, token):
        if int(token) not in self.tokens:
            raise ValueError("no such token")
        return self.tokens[int(token)]

    def decode_bytes(self, ids):
        return b"".join(map(self.token_bytes, ids))

    def decode(self, ids):
        return self.decode_bytes(ids).decode("utf-8", "replace")

    def save(self, path):
        saving.write(path, self.about())

    @classmethod
    def load(cls, path):
        about = saving.read(path, "bpe")
        return cls(about["merges"], about["pattern"], about["specials"])


def train(text, vocab_size, pattern=GPT2, specials=(), processes=1):
    if vocab_size < 256 + len(specials):
        raise ValueError("too small")
    counts = text if isinstance(text, dict) else count_pieces(text, pattern)
    return BPE(learn(counts, vocab_size - 256 - len(specials)), pattern, list(specials))
