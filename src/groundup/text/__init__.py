"""Text for language models: tokenizers, and what they cost.

Every tokenizer has vocab_size, encode(text) -> ids (n,) int32, decode(ids) -> text, save(path), load(path), and a
fingerprint, the SHA-256 of its definition.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .bpe import BPE
    from .chars import Chars
    from .unigram import Unigram


def load(path: str | Path) -> BPE | Chars | Unigram:
    """The tokenizer in a file, whatever its kind. ValueError where there is none."""
    from . import saving
    from .bpe import BPE
    from .chars import Chars
    from .unigram import Unigram

    kinds: dict[str, type[BPE] | type[Chars] | type[Unigram]] = {"bpe": BPE, "chars": Chars, "unigram": Unigram}
    definition = saving.read(path)
    if definition["kind"] not in kinds:
        raise ValueError(f"{path} holds a tokenizer of kind {definition['kind']!r}, which is none of {[*kinds]}.")
    return kinds[definition["kind"]].load(path)
