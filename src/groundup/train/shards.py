"""Shards: a text's tokens in files that are mapped, not read.

A shard is a header of 144 bytes, the tokens (uint16 where the vocabulary fits, else uint32, little-endian), and a SHA-256 of each
block of a mebibyte of them. The header says what the tokens are, and ends in a hash of itself and the block hashes: so 32 bytes stand
for the content, and a change can be found, and its place told, without a second copy. A file is written aside, brought onto the disk and
renamed: under its own name it is whole, or absent.

Hashing hashes: Merkle, A Digital Signature Based on a Conventional Encryption Function (1987). A header before the tokens: llm.c
(github.com/karpathy/llm.c).
"""

import contextlib
import hashlib
import mmap
import os
import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np

MAGIC = b"GROUNDUP"
VERSION = 1
LAYOUT = struct.Struct("<8s4I3q32s32s32s")  # magic, version, width, part, parts; vocab_size, end, tokens; three hashes
HEADER_BYTES = LAYOUT.size  # 144
BLANK = "0" * 64  # a hash that is not known, or not yet
BLOCK_BYTES = 1 << 20
RESIDENT_BYTES = 1 << 26  # what may be looked at before pages are given back
PAGES_BYTES = 1 << 16  # what the system maps for one look: a page and those around it
NO_END = -1  # in the header of tokens without documents


class ShardError(ValueError):  # given
    """A shard that must not be trained on; the sentence says which, why, and what to do."""


class Truncated(ShardError):  # given
    """Shorter or longer than its header says, or no shard at all."""


class Changed(ShardError):  # given
    """Other bytes than the ones that were written."""


class OtherTokenizer(ShardError):  # given
    """Tokens of another tokenizer than the one that is used now."""


class Header(NamedTuple):  # given
    """What a shard says of itself.

    width: bytes of a token, 2 or 4. part of parts: which piece of the set it is. end: the id that closes a document, or None.
    tokens: how many. tokenizer, origin: fingerprints, 64 hexadecimal digits, of what made the tokens, and of what they were made from.
    content: the SHA-256 of this header with a blank content, and of the SHA-256s of the blocks behind it.
    """

    width: int
    part: int
    parts: int
    vocab_size: int
    end: int | None
    tokens: int
    tokenizer: str
    origin: str
    content: str

    @property
    def blocks(self):
        """How many block hashes lie behind the tokens."""
        return -(-self.tokens * self.width // BLOCK_BYTES)

    def sealed(self, table):
        """This header with the content that belongs to it and to the block hashes, one behind the other."""
        blank = self._replace(content=BLANK)
        return blank._replace(content=hashlib.sha256(blank.packed() + table).hexdigest())

    def packed(self):
        """The header's bytes."""
        end = NO_END if self.end is None else self.end
        hashes = (bytes.fromhex(h) for h in (self.tokenizer, self.origin, self.content))
        numbers = (self.width, self.part, self.parts, self.vocab_size, end, self.tokens)
        return LAYOUT.pack(MAGIC, VERSION, *numbers, *hashes)

    @classmethod
    def unpacked(cls, raw, name):
        """From the first bytes of the file `name`. Truncated where these are not a header of this version."""
        if len(raw) < HEADER_BYTES or not raw.startswith(MAGIC):
            raise Truncated(f"{name} is no shard: it does not begin with a shard's header; tokenise the text again")
        _, version, *numbers, end, tokens, tokenizer, origin, content = LAYOUT.unpack_from(raw)
        if version != VERSION:
            raise Truncated(f"{name} has version {version}, and this program reads {VERSION}; tokenise the text again")
        return cls(*numbers, None if end == NO_END else end, tokens, tokenizer.hex(), origin.hex(), content.hex())


def write(path, ids, vocab_size, tokenizer, *, end=None, part=0, parts=1, origin=BLANK):
    """Writes ids (n,), integers in [0, vocab_size), into a shard, and returns its Header. The other arguments go into the header.

    The file appears under its name when all of it is on the disk; where that fails (a full disk: OSError), nothing is left behind.
    Raises ValueError, before anything is written, for ids that are not one row of integers or lie outside the vocabulary.
    """
    path, ids = Path(path), np.asarray(ids)
    if ids.ndim != 1 or ids.dtype.kind not in "iu":
        raise ValueError(f"ids are one row of integers, not {ids.dtype} of shape {ids.shape}")
    if ids.size and (ids.min() < 0 or ids.max() >= vocab_size):
        raise ValueError(f"ids lie in [0, {vocab_size}), and these go from {ids.min()} to {ids.max()}")
    width = 2 if vocab_size <= 1 << 16 else 4
    blocks, table = range(0, len(ids), BLOCK_BYTES // width), b""
    with written_aside(path) as file:
        file.write(bytes(HEADER_BYTES))  # the header comes last: it has the hash of everything
        for first in blocks:
            block = ids[first : first + BLOCK_BYTES // width].astype(f"<u{width}").tobytes()
            table += hashlib.sha256(block).digest()
            file.write(block)
        file.write(table)
        header = Header(width, part, parts, vocab_size, end, len(ids), tokenizer, origin, BLANK).sealed(table)
        file.seek(0)
        file.write(header.packed())
    return header


@contextlib.contextmanager
def written_aside(path):  # given
    """A file open for writing that takes the name `path` when the block is left, and is gone if that is by an error."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(aside, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # the new name, too, is on the disk
        finally:
            os.close(folder)
    finally:
        aside.unlink(missing_ok=True)  # after the renaming there is none


class Shard:
    """One shard, mapped into memory: the system reads a page when it is looked at, and may take it back.

    .path; .header; .map, the whole file as an mmap; .tokens (n,) uint16 or uint32, a view into it that cannot be written to.
    Opening reads the header and the block hashes, no tokens. Raises Truncated where the file is no shard, or not as long as its header
    says; Changed where the block hashes are not those that the header vouches for.
    """

    def __init__(self, path):
        self.path = Path(path)
        name, size = self.path.name, self.path.stat().st_size
        if size < HEADER_BYTES:
            raise Truncated(f"{name} has {size} bytes, less than a header: it is truncated; tokenise the text again")
        with open(self.path, "rb") as file:
            self.map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.header = header = Header.unpacked(self.map[:HEADER_BYTES], name)
        tokens_end = HEADER_BYTES + header.tokens * header.width
        if size != tokens_end + 32 * header.blocks:
            says = f"{name} has {size:,} bytes, and its header speaks of {tokens_end + 32 * header.blocks:,}"
            raise Truncated(f"{says}: it is truncated, or was written to; tokenise the text again")
        self._table = self.map[tokens_end:]
        if header.sealed(self._table) != header:
            says = f"{name} has changed since it was written: its hashes are not those of its header"
            raise Changed(f"{says}; tokenise the text again")
        # a plain array, not np.memmap: slices of that cost five times as much
        self.tokens = np.frombuffer(self.map, f"<u{header.width}", header.tokens, HEADER_BYTES)  # (n,)

    def forget(self):  # given
        """Gives back the pages that were looked at. They stay in the system's cache, and no longer count as this process's memory."""
        if hasattr(mmap, "MADV_DONTNEED"):
            self.map.madvise(mmap.MADV_DONTNEED)

    def verify(self):
        """Reads everything, some seconds for a gigabyte. Raises Changed, with the first block that is not as it was written."""
        per_block = BLOCK_BYTES // self.header.width
        for block in range(self.header.blocks):
            found = hashlib.sha256(self.tokens[block * per_block : (block + 1) * per_block]).digest()
            if found != self._table[32 * block : 32 * block + 32]:
                tokens = f"tokens {block * per_block:,} to {min((block + 1) * per_block, self.header.tokens):,}"
                says = f"{self.path.name} has changed since it was written, in {tokens}"
                raise Changed(f"{says}; tokenise the text again")
        self.forget()


class ShardSet:
    """The shards of a split, `SPLIT-00000.shard` and so on in a folder, as one long row of tokens.

    tokenizer: the fingerprint of the tokenizer that the model is used with, or None where that is not to be checked.
    len(), the number of tokens; .shards; .vocab_size, .end, .tokenizer as in the header; .content, 64 hexadecimal digits that stand
    for all the tokens: a run that keeps them can tell on resuming whether its data are the same.

    Raises FileNotFoundError where there is no shard of the split, Truncated where one of the set's parts is absent, Changed
    where parts of different sets lie together, OtherTokenizer, and what Shard raises. Every shard is mapped once, here.
    """

    def __init__(self, folder, split="train", tokenizer=None):
        paths = sorted(Path(folder).glob(f"{split}-{'[0-9]' * 5}.shard"))
        if not paths:
            raise FileNotFoundError(f"there is no {split}-*.shard in {folder}: tokenise a text into it first")
        self.shards = [Shard(path) for path in paths]
        headers = [shard.header for shard in self.shards]
        first = headers[0]
        own = dict(part=0, tokens=0, origin="", content="")  # what may differ from shard to shard
        for path, header in zip(paths, headers):
            if header._replace(**own) != first._replace(**own):
                says = f"{path.name} is of another set than {paths[0].name}"
                raise Changed(f"{says}: empty {folder} and tokenise the text again")
            if tokenizer not in (None, header.tokenizer):
                says = f"{path.name} was made with the tokenizer {header.tokenizer[:12]}, and the model uses {tokenizer[:12]}"
                raise OtherTokenizer(f"{says}: tokenise the text again, with the model's")
        parts = [header.part for header in headers]
        if missing := sorted(set(range(first.parts)) - set(parts)):
            says = f"part {missing[0]} of the {first.parts} of {split} is absent from {folder}"
            raise Truncated(f"{says}: tokenise the text again")
        if parts != list(range(first.parts)):
            raise Changed(f"the parts in {folder} are not named in their order: tokenise the text again")
        self.vocab_size, self.end, self.tokenizer = first.vocab_size, first.end, first.tokenizer
        self.content = hashlib.sha256("".join(header.content for header in headers).encode()).hexdigest()
        self._ends = np.cumsum([header.tokens for header in headers])  # where each shard ends in the long row
        self._looked = 0  # bytes that may be resident

    def __len__(self):
        return int(self._ends[-1])

    def windows(self, starts, length):
        """So many tokens from each start, also across shards: starts (n,) integers -> (n, length) of the shards' dtype, a copy.

        Calls forget() when what it has looked at since the last time, the bytes of its results and PAGES_BYTES a window, exceeds
        RESIDENT_BYTES. Raises IndexError where a window does not lie within the tokens.
        """
        starts = np.asarray(starts)
        if starts.size and (starts.min() < 0 or starts.max() + length > len(self)):
            says = f"windows of {length} tokens from {starts.min()} to {starts.max()}"
            raise IndexError(f"{says} do not fit into {len(self)}")
        out = np.empty((len(starts), length), self.shards[0].tokens.dtype)
        for row, start, which in zip(out, starts.tolist(), np.searchsorted(self._ends, starts, "right").tolist()):
            filled = 0
            while filled < length:
                tokens = self.shards[which].tokens
                begin = start + filled - int(self._ends[which]) + len(tokens)  # within this shard
                piece = tokens[begin : begin + length - filled]
                row[filled : filled + len(piece)] = piece
                filled, which = filled + len(piece), which + 1
        self._looked += out.nbytes + len(out) * PAGES_BYTES
        if self._looked > RESIDENT_BYTES:
            self.forget()
        return out

    def forget(self):  # given
        """Gives back the pages of all shards, so that an epoch does not fill the memory."""
        for shard in self.shards:
            shard.forget()
        self._looked = 0

    def verify(self):
        """Reads every token and compares it with the hashes. Raises Changed."""
        for shard in self.shards:
            shard.verify()
