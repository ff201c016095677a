"""An n-gram model with interpolated Kneser-Ney smoothing: what counting alone can predict.

The probability of a token after a context is its share of what followed there, each count lowered by a discount; what
the discounts free goes to the same question with a context one token shorter. A shorter context does not count how
often a token came, but in how many longer contexts: "Francisco" is frequent, and comes after one word only.

Chen and Goodman, An empirical study of smoothing techniques for language modeling (1999), sections 3 and 5.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class _Table(NamedTuple):
    """The n-grams of one length: which there are, and what is known of each, and of each context."""

    keys: np.ndarray  # (m,) context's number times V plus token, ascending; an n-gram's number is its place here
    kept: np.ndarray  # (m,) its count less the discount
    total: np.ndarray  # (contexts,) sum of the counts after a context
    freed: np.ndarray  # (contexts,) sum of the discounts after a context


class KneserNey:
    """An n-gram model of tokens, modified Kneser-Ney, interpolated.

    order: the longest n-gram counted, so that order - 1 tokens are seen before each; >= 1.
    """

    def __init__(self, order: int = 5) -> None:
        if order < 1:
            raise ValueError(f"The order of an n-gram model is 1 or more, not {order}.")
        self.order = order

    def fit(self, ids: np.ndarray, vocab_size: int) -> KneserNey:
        """Counts the n-grams of ids (n,), integers below vocab_size -> self. ValueError for others, or none."""
        ids = self._checked(ids, vocab_size)
        self.vocab_size = vocab_size
        self._tables: list[_Table] = []
        numbers = [np.zeros(len(ids) + 1, dtype=np.int64)]  # of the empty n-gram, at every place between tokens
        first: list[np.ndarray] = []  # where each n-gram of a length ends for the first time
        found: list[tuple[np.ndarray, np.ndarray]] = []
        for length in range(1, min(self.order, len(ids)) + 1):
            # numbers[k][i]: which n-gram of length k ends before place i + k; that context, and the token after it
            keys, at, number, count = np.unique(
                numbers[-1][:-1] * vocab_size + ids[length - 1 :],
                return_index=True,
                return_inverse=True,
                return_counts=True,
            )
            numbers.append(number)
            first.append(at)
            found.append((keys, count))
        for k, (keys, count) in enumerate(found):
            if k + 1 < len(found):  # a shorter n-gram counts the different tokens that come before it
                count = np.bincount(numbers[k + 1][first[k + 1] + 1], minlength=len(keys))
                count = np.maximum(count, 1)  # the one that opens the text follows its beginning
            self._tables.append(self._table(keys, count))
        return self

    def nats_per_token(self, ids: np.ndarray) -> float:
        """The mean of -ln p over ids (n,): each token given the order - 1 before it, fewer at the beginning."""
        return float(-np.log(self.probabilities(ids)).mean())

    def probabilities(self, ids: np.ndarray) -> np.ndarray:
        """p (n,) of each token of ids (n,), given those before it."""
        ids = self._checked(ids, self.vocab_size)
        p = np.full(len(ids), 1.0 / self.vocab_size)
        contexts = np.zeros(len(ids), dtype=np.int64)  # (n,) which context stands before each token; -1: never seen
        for table in self._tables:
            known = np.flatnonzero(contexts >= 0)
            keys = contexts[known] * self.vocab_size + ids[known]
            places = np.searchsorted(table.keys, keys).clip(max=len(table.keys) - 1)
            seen = table.keys[places] == keys
            total = table.total[contexts[known]]
            followed = total > 0  # the last n-gram of the text may be followed by nothing
            at, kept = known[followed], np.where(seen, table.kept[places], 0.0)[followed]
            context = contexts[at]
            p[at] = (kept + table.freed[context] * p[at]) / total[followed]
            ends = np.full(len(ids), -1)  # the number of the n-gram of this length that ends with each token
            ends[known[seen]] = places[seen]
            contexts = np.concatenate([[-1], ends[:-1]])
        return p

    def _table(self, keys: np.ndarray, count: np.ndarray) -> _Table:
        """Discounts for counts of 1, 2, and 3 or more, from how many n-grams have which count (Chen and Goodman, eq. 26)."""
        n1, n2, n3, n4 = (max(int(np.sum(count == c)), 1) for c in (1, 2, 3, 4))
        share = n1 / (n1 + 2 * n2)
        discounts = np.array([1 - 2 * share * n2 / n1, 2 - 3 * share * n3 / n2, 3 - 4 * share * n4 / n3])
        discounts = discounts.clip(0.05, [0.95, 1.9, 2.85])  # few n-grams give estimates outside what makes sense
        discount = discounts[np.minimum(count, 3) - 1]  # (m,)
        context = keys // self.vocab_size
        size = int(self._tables[-1].keys.size) if self._tables else 1
        return _Table(
            keys,
            count - discount,
            np.bincount(context, weights=count, minlength=size),
            np.bincount(context, weights=discount, minlength=size),
        )

    @staticmethod
    def _checked(ids: np.ndarray, vocab_size: int) -> np.ndarray:
        ids = np.asarray(ids)
        if ids.ndim != 1 or not len(ids) or ids.dtype.kind not in "iu":
            raise ValueError(f"ids are integers in one row, at least one; these are {ids.dtype} of shape {ids.shape}.")
        if ids.min() < 0 or ids.max() >= vocab_size:
            raise ValueError(f"ids are 0 to {vocab_size - 1}; these are {ids.min()} to {ids.max()}.")
        return ids.astype(np.int64)
