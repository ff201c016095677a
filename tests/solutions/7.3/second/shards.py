"""Shards another way: the file is put together in memory, read as np.memmap, and windows are joined from slices."""

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
LAYOUT = struct.Struct("<8s4I3q32s32s32s")
HEADER_BYTES = LAYOUT.size
BLANK = "0" * 64
BLOCK_BYTES = 1 << 20
RESIDENT_BYTES = 1 << 26
PAGES_BYTES = 1 << 16
NO_END = -1


class ShardError(ValueError):
    pass


class Truncated(ShardError):
    pass


class Changed(ShardError):
    pass


class OtherTokenizer(ShardError):
    pass


class Header(NamedTuple):
    width: int
    part: int
    parts: int
    vocab_size: int
    end: int | None
    tokens: int
    tokenizer: str
    origin: str
    content: str


def packed(header):
    end = NO_END if header.end is None else header.end
    numbers = (header.width, header.part, header.parts, header.vocab_size, end, header.tokens)
    return LAYOUT.pack(MAGIC, VERSION, *numbers, *map(bytes.fromhex, header[-3:]))


def content_of(header, table):
    return hashlib.sha256(packed(header._replace(content=BLANK)) + table).hexdigest()


def block_hashes(body):
    return b"".join(hashlib.sha256(body[i : i + BLOCK_BYTES]).digest() for i in range(0, len(body), BLOCK_BYTES))


@contextlib.contextmanager
def written_aside(path):
    aside = path.with_suffix(".aside")
    try:
        with open(aside, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def write(path, ids, vocab_size, tokenizer, *, end=None, part=0, parts=1, origin=BLANK):
    ids = np.asarray(ids)
    if ids.ndim != 1 or not np.issubdtype(ids.dtype, np.integer):
        raise ValueError("one row of integers")
    if np.any(ids < 0) or np.any(ids >= vocab_size):
        raise ValueError("outside the vocabulary")
    width = 4 if vocab_size > 65536 else 2
    body = ids.astype("<u4" if width == 4 else "<u2").tobytes()
    table = block_hashes(body)
    header = Header(width, part, parts, vocab_size, end, len(ids), tokenizer, origin, BLANK)
    header = header._replace(content=content_of(header, table))
    with written_aside(Path(path)) as file:
        file.write(packed(header) + body + table)
    return header


class Shard:
    def __init__(self, path):
        self.path = Path(path)
        with open(path, "rb") as file:
            raw = file.read(HEADER_BYTES)
        if len(raw) < HEADER_BYTES or raw[:8] != MAGIC or raw[8:12] != struct.pack("<I", VERSION):
            raise Truncated(f"{path}: no header")
        _, _, width, part, parts, vocab_size, end, tokens, *hashes = LAYOUT.unpack(raw)
        end = None if end == NO_END else end
        self.header = Header(width, part, parts, vocab_size, end, tokens, *(h.hex() for h in hashes))
        blocks = (tokens * width + BLOCK_BYTES - 1) // BLOCK_BYTES
        if os.path.getsize(path) != HEADER_BYTES + tokens * width + 32 * blocks:
            raise Truncated(f"{path}: another length")
        with open(path, "rb") as file:
            file.seek(-32 * blocks, os.SEEK_END)
            self.table = file.read()
        if content_of(self.header, self.table) != self.header.content:
            raise Changed(f"{path}: another content")
        dtype = np.dtype("<u4" if width == 4 else "<u2")
        self.tokens = np.zeros(0, dtype)
        if tokens:
            self.tokens = np.memmap(path, dtype=dtype, mode="r", offset=HEADER_BYTES, shape=(tokens,))

    def forget(self):
        if isinstance(self.tokens, np.memmap) and hasattr(mmap, "MADV_DONTNEED"):
            self.tokens._mmap.madvise(mmap.MADV_DONTNEED)

    def verify(self):
        if block_hashes(self.tokens.tobytes()) != self.table:
            raise Changed(f"{self.path}: changed")


class ShardSet:
    def __init__(self, folder, split="train", tokenizer=None):
        names = sorted(name for name in os.listdir(folder) if name.startswith(f"{split}-") and name.endswith(".shard"))
        if not names:
            raise FileNotFoundError(f"no {split} in {folder}")
        self.shards = [Shard(Path(folder) / name) for name in names]
        headers = [shard.header for shard in self.shards]
        if len({(h.width, h.parts, h.vocab_size, h.end, h.tokenizer) for h in headers}) > 1:
            raise Changed("a mixed set")
        if tokenizer is not None and tokenizer != headers[0].tokenizer:
            raise OtherTokenizer("another tokenizer")
        if {h.part for h in headers} < set(range(headers[0].parts)):
            raise Truncated("a part is absent")
        if any(h.part != i for i, h in enumerate(headers)):
            raise Changed("in another order")
        self.vocab_size, self.end, self.tokenizer = headers[0].vocab_size, headers[0].end, headers[0].tokenizer
        self.content = hashlib.sha256(repr([h.content for h in headers]).encode()).hexdigest()
        self.looked = 0

    def __len__(self):
        return sum(shard.header.tokens for shard in self.shards)

    def windows(self, starts, length):
        rows = []
        for start in np.asarray(starts).tolist():
            if start < 0 or start + length > len(self):
                raise IndexError("outside")
            pieces, before = [], 0
            for shard in self.shards:
                low, high = max(start - before, 0), min(start + length - before, shard.header.tokens)
                if low < high:
                    pieces.append(shard.tokens[low:high])
                before += shard.header.tokens
            rows.append(np.concatenate(pieces))
        self.looked += len(rows) * PAGES_BYTES
        if self.looked > RESIDENT_BYTES:
            self.forget()
        return np.stack(rows)

    def forget(self):
        self.looked = 0
        for shard in self.shards:
            shard.forget()

    def verify(self):
        for shard in self.shards:
            shard.verify()
