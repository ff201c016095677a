"""Tokenizers in the formats of others: GPT-2's published merges, tiktoken's ranks, Hugging Face's tokenizer.json."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from . import saving
from .bpe import BPE
from .merges import BYTES
from .splitting import GPT2

# GPT-2's files write a byte as a character that prints: one that does so in Latin-1 as itself, the 68 others as U+0100 to U+0143.
LETTERS = [chr(b) if i < 188 else chr(256 + i - 188) for i, b in enumerate(BYTES)]  # of ids 0 to 255
_LETTER_OF_BYTE = dict(zip(BYTES, LETTERS))


def from_gpt2(path: str | Path) -> BPE:
    """GPT-2's tokenizer from its `vocab.bpe` (or a `merges.txt` of its form): 50,000 merges and <|endoftext|>, 50257 ids.

    ValueError for a line that is no merge of tokens made before it, with its number.
    """
    ids = {letter: i for i, letter in enumerate(LETTERS)}
    merges = []
    for number, line in enumerate(Path(path).read_text(encoding="utf-8").split("\n"), start=1):
        if not line or (number == 1 and line.startswith("#")):
            continue
        left, _, right = line.partition(" ")
        if left not in ids or right not in ids:
            raise ValueError(f"{path}, line {number}: {line!r} is not two tokens that were made before it.")
        merges.append((ids[left], ids[right]))
        ids[left + right] = len(ids)
    return BPE(merges, GPT2, ["<|endoftext|>"])


def tiktoken_ranks(bpe: BPE) -> dict[bytes, int]:
    """bytes -> id for `tiktoken.Encoding(mergeable_ranks=...)`, which finds merges again by what their bytes make.

    ValueError where two ids have the same bytes: there they could not be told apart. What `train` learns has none.
    """
    ranks = {bpe.token_bytes(i): i for i in range(256 + len(bpe.merges))}
    if len(ranks) < 256 + len(bpe.merges):
        raise ValueError("Two merges make the same bytes, and tiktoken knows a token by its bytes.")
    return ranks


def to_tiktoken(bpe: BPE, path: str | Path) -> None:
    """Writes a `.tiktoken` file, a line for each id: its bytes in base64, and the id. Pattern and special tokens are not in it."""
    lines = [b"%s %d\n" % (base64.b64encode(token), i) for token, i in tiktoken_ranks(bpe).items()]
    saving.replace(path, b"".join(lines))


def to_huggingface(bpe: BPE, path: str | Path) -> None:
    """Writes a `tokenizer.json`, for `tokenizers.Tokenizer.from_file` and `transformers`: the same ids, special tokens too."""
    names = ["".join(map(_LETTER_OF_BYTE.__getitem__, bpe.token_bytes(i))) for i in range(256 + len(bpe.merges))]
    bytes_only: dict[str, Any] = {
        "type": "ByteLevel",
        "add_prefix_space": False,
        "trim_offsets": True,
        "use_regex": False,
    }
    by_pattern = {"type": "Split", "pattern": {"Regex": bpe.pattern}, "behavior": "Isolated", "invert": False}
    special = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    definition = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": i, "content": name, **special} for name, i in bpe.specials.items()],
        "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [by_pattern, bytes_only]},
        "post_processor": None,
        "decoder": bytes_only,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {name: i for i, name in enumerate(names)} | bpe.specials,
            "merges": [[names[a], names[b]] for a, b in bpe.merges],
        },
    }
    saving.replace(path, json.dumps(definition, ensure_ascii=False, indent=1).encode())
