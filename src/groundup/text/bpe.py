"""Byte-pair encoding: text as bytes, and the pairs of them that were frequent joined to one token each.

Sennrich, Haddow and Birch, Neural machine translation of rare words with subword units (2016), section 3.2; on bytes as in
Radford and others, Language models are unsupervised multitask learners (2019), section 2.2.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain, pairwise
from pathlib import Path

import numpy as np

from . import saving
from .counting import chunks, count_pieces, whole
from .merges import BYTES, learn
from .splitting import GPT2, split

_ID_OF_BYTE = bytes(BYTES.index(b) for b in range(256))  # for bytes.translate
_NEVER = 1 << 40  # an id that no merge makes
_LONG = 200  # bytes: from here on a heap finds the next merge sooner than a look at every pair
_REMEMBERED = 1 << 19  # pieces whose ids a tokenizer keeps: some 100 MB at most


class BPE:
    """A tokenizer of byte pairs.

    merges: pairs of ids (m, 2) in the order in which they were learnt. Ids 0 to 255 are the bytes, in the order of BYTES;
        the i-th merge, from 0, makes the id 256 + i. ValueError for one that joins an id not made yet.
    pattern: what splits text into pieces before anything is merged.
    specials: name -> id of tokens that are no text, such as "<|endoftext|>"; or only their names, which then get the ids
        after the last merge. ValueError for an id that is taken.
    Attributes: merges (list of pairs), pattern (str), specials (dict), vocab_size (int, the largest id + 1), fingerprint
        (str, the SHA-256 in hexadecimal of all that decides about ids).
    """

    def __init__(
        self,
        merges: Iterable[tuple[int, int]],
        pattern: str = GPT2,
        specials: Mapping[str, int] | Sequence[str] | None = None,
    ) -> None:
        self.merges = [(int(a), int(b)) for a, b in merges]
        self.pattern = pattern
        self._bytes = [bytes([b]) for b in BYTES]  # of each id
        self._made: dict[tuple[int, int], int] = {}  # by which pair which id
        for a, b in self.merges:
            new = len(self._bytes)
            if not (0 <= a < new and 0 <= b < new):
                raise ValueError(f"Merge {new - 256} joins {a} and {b}, but the ids made before it end at {new - 1}.")
            self._bytes.append(self._bytes[a] + self._bytes[b])
            self._made.setdefault((a, b), new)
        if not isinstance(specials, Mapping):
            specials = {name: len(self._bytes) + i for i, name in enumerate(specials or ())}
        self.specials = {name: int(i) for name, i in specials.items()}
        self._names = {i: name for name, i in self.specials.items()}
        if len(self._names) < len(self.specials) or min(self._names, default=len(self._bytes)) < len(self._bytes):
            raise ValueError(f"Special tokens need different ids, from {len(self._bytes)} on: {self.specials}.")
        if "" in self.specials:
            raise ValueError("A special token needs a name.")
        self.vocab_size = max(self._names, default=len(self._bytes) - 1) + 1
        self.fingerprint = saving.fingerprint(self._definition())
        self._known = _Known(self._merged)

    def encode(self, text: str, allowed: Collection[str] = ()) -> np.ndarray:
        """Ids (n,) int32.

        Within each piece of the text the pair that was learnt first is joined, wherever it stands, from left to right, then
        the next, until no pair is left that was learnt.
        allowed: names of special tokens that become their ids where they stand in the text, the longest where several do.
            All other names are text: what a user types must not end a document. ValueError for a name that there is not.
        Half a surrogate pair, which UTF-8 cannot say, is encoded as U+FFFD, as tiktoken does.
        """
        runs = []
        for part in self._around_specials(text, allowed):
            if part in allowed:
                runs.append(np.array([self.specials[part]], dtype=np.int32))
                continue
            for chunk in chunks(whole(part), self.pattern):
                ids = chain.from_iterable(map(self._known.__getitem__, split(chunk, self.pattern)))
                runs.append(np.fromiter(ids, dtype=np.int32))
                self._known.forget()
        return np.concatenate(runs) if runs else np.empty(0, dtype=np.int32)

    def encode_bytes(self, data: bytes) -> np.ndarray:
        """Ids (n,) int32 of any bytes at all; of UTF-8, those of its text. Bytes that are none count as signs to the pattern."""
        pieces = split(data.decode("utf-8", "surrogateescape"), self.pattern)
        ids = [self._merged(piece.encode("utf-8", "surrogateescape")) for piece in pieces]
        return np.fromiter(chain.from_iterable(ids), dtype=np.int32)

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ids. Bytes that are no UTF-8, as at a cut within a character, become U+FFFD."""
        return self.decode_bytes(ids).decode("utf-8", "replace")

    def decode_bytes(self, ids: Iterable[int]) -> bytes:
        """The bytes of ids; a special token stands for its name. ValueError for an id that there is not."""
        ids = ids.tolist() if isinstance(ids, np.ndarray) else list(ids)
        if ids and min(ids) >= 0 and max(ids) < len(self._bytes):
            return b"".join(map(self._bytes.__getitem__, ids))
        return b"".join(map(self.token_bytes, ids))

    def token_bytes(self, token: int) -> bytes:
        """The bytes of one id; of a special token, its name in UTF-8. ValueError for an id that there is not."""
        if 0 <= token < len(self._bytes):
            return self._bytes[token]
        if token in self._names:
            return self._names[token].encode()
        raise ValueError(f"There is no token {token}: ids are 0 to {self.vocab_size - 1}.")

    def save(self, path: str | Path) -> None:
        """Writes the definition to a JSON file: the kind, "bpe", merges, pattern and special tokens, by `saving.write`."""
        saving.write(path, self._definition())

    @classmethod
    def load(cls, path: str | Path) -> BPE:
        """From a file that `save` wrote. ValueError for any other."""
        return cls._from(saving.read(path, "bpe"))

    @classmethod
    def _from(cls, definition: dict) -> BPE:
        return cls(definition["merges"], definition["pattern"], definition["specials"])

    def __reduce__(self) -> tuple:  # a copy, or another process, gets the definition, and not the pieces that are known
        return BPE, (self.merges, self.pattern, self.specials)

    def _definition(self) -> dict:
        return {"kind": "bpe", "pattern": self.pattern, "merges": self.merges, "specials": self.specials}

    def _around_specials(self, text: str, allowed: Collection[str]) -> list[str]:
        unknown = sorted(set(allowed) - set(self.specials))
        if unknown:
            raise ValueError(f"{unknown[0]!r} is no special token of this tokenizer; it has {sorted(self.specials)}.")
        if not allowed:
            return [text]
        longest_first = sorted(allowed, key=len, reverse=True)
        return [part for part in re.split(f"({'|'.join(map(re.escape, longest_first))})", text) if part]

    def _merged(self, data: bytes) -> list[int]:
        """The ids of one piece."""
        ids = list(data.translate(_ID_OF_BYTE))
        if len(ids) > _LONG:
            return _merged_by_heap(ids, self._made)
        made = self._made.get
        makes = [made(pair, _NEVER) for pair in pairwise(ids)]  # what each pair of neighbours would become
        while makes and (new := min(makes)) != _NEVER:
            i = makes.index(new)
            ids[i : i + 2] = [new]
            del makes[i]
            if i > 0:
                makes[i - 1] = made((ids[i - 1], new), _NEVER)
            if i < len(makes):
                makes[i] = made((new, ids[i + 1]), _NEVER)
        return ids


def train(
    text: str | Iterable[str] | Mapping[str, int],
    vocab_size: int,
    pattern: str = GPT2,
    specials: Sequence[str] = (),
    processes: int = 1,
) -> BPE:
    """Learns merges from text until there are vocab_size tokens -> the tokenizer.

    text: one text, several (nothing joins across them), or counts of pieces: piece -> how often. Half a surrogate
        pair counts as U+FFFD, which is what it is encoded as.
    vocab_size: 256 bytes, the merges, and the special tokens, which get the last ids. ValueError if it is too small. It ends
        with fewer where every piece has become one token.
    processes: how many split and count at the same time.
    """
    count = vocab_size - 256 - len(specials)
    if count < 0:
        raise ValueError(f"256 bytes and {len(specials)} special tokens do not fit into a vocabulary of {vocab_size}.")
    pieces = text if isinstance(text, Mapping) else count_pieces(text, pattern, processes)
    return BPE(learn(pieces, count), pattern, specials)


class _Known(dict):
    """piece -> ids, worked out at the first look: a text of a hundred thousand words has a few thousand different ones."""

    def __init__(self, merged) -> None:
        super().__init__()
        self._merged = merged

    def __missing__(self, piece: str) -> list[int]:
        self[piece] = ids = self._merged(piece.encode())
        return ids

    def forget(self) -> None:
        if len(self) > _REMEMBERED:
            self.clear()


def _merged_by_heap(ids: list[int], made: Mapping[tuple[int, int], int]) -> list[int]:
    """The same for a long piece: O(n log n). Ids are a list with links; a heap holds the pairs that a merge would join."""
    n = len(ids)
    after, before = [*range(1, n), -1], [*range(-1, n - 1)]
    heap = [(made[pair], i) for i, pair in enumerate(pairwise(ids)) if pair in made]
    heapq.heapify(heap)
    while heap:
        new, i = heapq.heappop(heap)
        j = after[i]
        if ids[i] < 0 or j < 0 or made.get((ids[i], ids[j])) != new:
            continue  # one of the two has been joined with another since
        ids[i], ids[j], after[i] = new, -1, after[j]
        if after[i] >= 0:
            before[after[i]] = i
        for left, right in ((before[i], i), (i, after[i])):
            if left >= 0 and right >= 0 and (ids[left], ids[right]) in made:
                heapq.heappush(heap, (made[ids[left], ids[right]], left))
    return [i for i in ids if i >= 0]
