"""Which merges a text teaches: begin with the 256 bytes, make the most frequent pair one id, and again.

Sennrich, Haddow and Birch, Neural machine translation of rare words with subword units (2016), section 3.2.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping

import numpy as np

# The bytes of ids 0 to 255: those that print in Latin-1, then the others. It is GPT-2's order, and that of tiktoken and of
# Hugging Face's trainer, which breaks ties by it.
BYTES = bytes([*range(33, 127), *range(161, 173), *range(174, 256), *range(33), *range(127, 161), 173])


def learn(pieces: Mapping[str, int], count: int) -> list[tuple[int, int]]:
    """The first `count` merges, as pairs of ids, fewer where every piece has become one id.

    pieces: piece -> how often it occurs. Each is a row of ids, those of its UTF-8 bytes in the order of BYTES. The i-th merge,
        from 0, makes the id 256 + i.
    Every step counts the pairs of neighbours within pieces, and joins the most frequent one wherever it stands, from left to
    right. Of pairs that are equally frequent it is the one with the smaller first id, then with the smaller second, as in
    Hugging Face's trainer. In "aaa" the pair (a, a) is counted twice, and joined once.
    """
    return _Pairs(pieces).learn(count)


_ID_OF_BYTE = bytes(BYTES.index(b) for b in range(256))  # for bytes.translate


class _Pairs:
    """All pieces in one row of ids with links, and for each pair of neighbours its count and its places.

    A merge touches the places of one pair and no other, all of them at once by NumPy. Counting every pair anew for every merge
    would take minutes where this takes a second.
    """

    def __init__(self, pieces: Mapping[str, int]) -> None:
        data = [piece.encode() for piece in pieces]
        lengths = np.array([len(d) for d in data], dtype=np.int64)
        self.ids = np.frombuffer(b"".join(data).translate(_ID_OF_BYTE), dtype=np.uint8).astype(np.int32)  # (n,)
        n, ends = len(self.ids), np.cumsum(lengths)
        self.weight = np.repeat(np.fromiter(pieces.values(), np.int64, len(data)), lengths)  # (n,) of its piece
        self.after = np.arange(1, n + 1, dtype=np.int32)  # (n,) the place of the next id in the piece, -1 at its end
        self.before = np.arange(-1, n - 1, dtype=np.int32)
        lengths, ends = lengths[lengths > 0], ends[lengths > 0]
        self.after[ends - 1] = -1
        self.before[ends - lengths] = -1
        self.joined = np.zeros(n, dtype=bool)  # places where this merge has put the new id
        self.counts: dict[int, int] = {}  # by key
        self.places: dict[int, np.ndarray] = {}  # by key, ascending: where the pair was when it came about
        self.heap: list[tuple[int, int]] = []  # (-count, key): the largest count first, then the smallest pair
        first = np.flatnonzero(self.after >= 0)
        self._add(_key(self.ids[first], self.ids[first + 1]), first)

    def learn(self, count: int) -> list[tuple[int, int]]:
        """The next `count` merges, fewer where no pair is left."""
        merges: list[tuple[int, int]] = []
        while len(merges) < count and self.heap:
            minus, key = heapq.heappop(self.heap)
            if -minus != self.counts[key]:  # it has become rarer since; it never becomes more frequent
                if self.counts[key] > 0:
                    heapq.heappush(self.heap, (-self.counts[key], key))
                continue
            merges.append(divmod(key, _BASE))
            self._join(*merges[-1], 255 + len(merges))
        return merges

    def _join(self, a: int, b: int, new: int) -> None:
        ids, after, before = self.ids, self.after, self.before
        left = self.places.pop(_key(a, b))
        right = after[left]
        still = (ids[left] == a) & (right >= 0) & (ids[right] == b)  # other merges have taken one of the two
        left = left[still]
        if a == b:
            left = left[_every_second(left, after)]
        right = after[left]
        outer_left, outer_right = before[left], after[right]  # -1 where the piece ends
        self.joined[left] = True
        has_left = outer_left >= 0
        has_right = (outer_right >= 0) & ~self.joined[outer_right]  # between two that are joined: seen from the right
        weight = self.weight[left]
        self._take(_key(ids[outer_left[has_left]], a), weight[has_left])
        self._take(_key(b, ids[outer_right[has_right]]), weight[has_right])

        ids[left], ids[right] = new, -1
        after[left] = outer_right
        inner = outer_right >= 0
        before[outer_right[inner]] = left[inner]
        self.joined[left] = False

        near = before[left[has_left]]  # (m,) which may be a place that has been joined too
        self._add(
            np.concatenate([_key(ids[near], new), _key(new, ids[outer_right[has_right]])]),
            np.concatenate([near, left[has_right]]),
        )

    def _add(self, keys: np.ndarray, places: np.ndarray) -> None:
        """Pairs that have come about, and where. Every pair with a new id comes about in one merge: it was not there before."""
        order = np.argsort(keys, kind="stable")
        keys, places = keys[order], places[order]
        starts = np.flatnonzero(np.diff(keys, prepend=-1))
        if not len(starts):
            return
        counts = np.add.reduceat(self.weight[places], starts)
        for key, count, here in zip(keys[starts].tolist(), counts.tolist(), np.split(places, starts[1:])):
            self.counts[key], self.places[key] = count, here
            heapq.heappush(self.heap, (-count, key))

    def _take(self, keys: np.ndarray, weight: np.ndarray) -> None:
        """Pairs that are no longer there, each with how often its piece occurs."""
        unique, which = np.unique(keys, return_inverse=True)
        lost = np.bincount(which, weights=weight, minlength=len(unique)).astype(np.int64)
        for key, count in zip(unique.tolist(), lost.tolist()):
            self.counts[key] -= count


_BASE = 1 << 31


def _key(a, b):
    """A pair of ids as one integer; smaller pairs have smaller ones."""
    return np.int64(_BASE) * a + b


def _every_second(left: np.ndarray, after: np.ndarray) -> np.ndarray:
    """In "aaaa" the pair stands at three places that overlap: which of them are joined, from left to right. (n,) bool."""
    follows = np.zeros(len(left), dtype=bool)  # the pair before it ends where this one begins
    follows[1:] = after[left[:-1]] == left[1:]
    starts = np.flatnonzero(~follows)
    run = np.cumsum(~follows) - 1
    return (np.arange(len(left)) - starts[run]) % 2 == 0
