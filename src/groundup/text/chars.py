"""A tokenizer of characters: one id for each that occurs.

The smallest vocabulary that there is for a text, and the longest sequence. What it has never seen it cannot say.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from . import saving


class Chars:
    """One id for each character of an alphabet, in its order.

    alphabet: the characters, each once; ValueError for none, or for one that stands there twice.
    Attributes: alphabet (str), vocab_size (int), fingerprint (str).
    """

    def __init__(self, alphabet: str) -> None:
        codes = _codes(alphabet)
        self.alphabet = alphabet
        self.vocab_size = len(alphabet)
        self._order = np.argsort(codes)  # (V,) ids by code point
        self._codes = codes[self._order]  # (V,) code points, ascending
        if self.vocab_size == 0 or (np.diff(self._codes.astype(np.int64)) == 0).any():
            raise ValueError("An alphabet is one character or more, each of them once.")
        self.fingerprint = saving.fingerprint(self._definition())

    @classmethod
    def of(cls, text: str) -> Chars:
        """The characters of a text, by code point."""
        return cls("".join(sorted(set(text))))

    def encode(self, text: str) -> np.ndarray:
        """Ids (n,) int32. ValueError names the first character that is not in the alphabet, and where it stands."""
        codes = _codes(text)  # (n,)
        places = np.searchsorted(self._codes, codes).clip(max=self.vocab_size - 1)
        unknown = self._codes[places] != codes
        if unknown.any():
            at = int(unknown.argmax())
            raise ValueError(f"{text[at]!r}, character {at} of the text, is not in the alphabet.")
        return self._order[places].astype(np.int32)

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ids. ValueError for one outside the vocabulary."""
        ids = np.asarray(ids if isinstance(ids, np.ndarray) else list(ids), dtype=np.int64)
        if ids.size and (ids.min() < 0 or ids.max() >= self.vocab_size):
            raise ValueError(f"Ids are 0 to {self.vocab_size - 1}; these are {ids.min()} to {ids.max()}.")
        return "".join(map(self.alphabet.__getitem__, ids.tolist()))

    def save(self, path: str | Path) -> None:
        """Writes the alphabet to a JSON file."""
        saving.write(path, self._definition())

    @classmethod
    def load(cls, path: str | Path) -> Chars:
        """From a file that `save` wrote. ValueError for any other."""
        return cls._from(saving.read(path, "chars"))

    @classmethod
    def _from(cls, definition: dict) -> Chars:
        return cls(definition["alphabet"])

    def _definition(self) -> dict:
        return {"kind": "chars", "alphabet": self.alphabet}


def _codes(text: str) -> np.ndarray:
    """Code points (n,) uint32."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
