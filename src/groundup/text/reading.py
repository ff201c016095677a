"""Four questions about public tokenizers, answered as functions: each does by itself what their code does.

minbpe: https://github.com/karpathy/minbpe. tiktoken: https://github.com/openai/tiktoken. Read there, and write down here in
code of your own what you found; nothing of either is imported.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise


def minbpe_picks(pairs: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Which pair `train` of minbpe/basic.py joins next.

    pairs: the pairs of neighbours of the text, from left to right, those that come again too; at least one.
    What to look for: `get_stats`, and which of several equals Python's `max` returns. Hugging Face's trainer answers otherwise.
    """
    counts = Counter(pairs)  # in the order in which they are met
    return max(counts, key=counts.__getitem__)


def tiktoken_encodes(piece: bytes, ranks: Mapping[bytes, int]) -> list[int]:
    """The ids that tiktoken gives one piece of text, after its pattern has cut it out.

    ranks: bytes -> id, with every single byte among them. They may be of any making, also such as no training would give.
    What to look for: in src/lib.rs, what is asked before `byte_pair_encode` is called, and by what `_byte_pair_merge` knows
    that two neighbours can be joined.
    """
    if piece in ranks:
        return [ranks[piece]]
    parts = [piece[i : i + 1] for i in range(len(piece))]
    while True:
        joined = [(ranks[a + b], i) for i, (a, b) in enumerate(pairwise(parts)) if a + b in ranks]
        if not joined:
            return [ranks[part] for part in parts]
        _, i = min(joined)
        parts[i : i + 2] = [parts[i] + parts[i + 1]]


def tiktoken_refuses(text: str, specials: Collection[str], allowed: Collection[str]) -> bool:
    """Whether `Encoding.encode(text, allowed_special=allowed)` of tiktoken raises ValueError.

    specials: the names of all special tokens of the encoding; allowed: some of them.
    What to look for: in tiktoken/core.py, the default of `disallowed_special`, and what is then taken from it.
    """
    return any(name in text for name in set(specials) - set(allowed))


def tiktoken_repairs(text: str) -> str:
    """The text that tiktoken encodes where this one holds halves of surrogate pairs, which have no UTF-8.

    What to look for: the `except UnicodeEncodeError` in `Encoding.encode` of tiktoken/core.py, and what becomes of two halves
    that stand next to each other.
    """
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
