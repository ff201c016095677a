"""Tokenising once: a text, or many documents in JSON lines, into shards, by several processes, and resumable.

The sources are cut into pieces at places where no token can lie across the cut; each piece becomes one shard. A shard says what it
was made from, so whoever was killed goes on with the pieces that are not there yet, and the bytes that come out are the same whether
one process did it or eight, at once or in three attempts.
"""

import contextlib
import errno
import hashlib
import json
import multiprocessing
import os
import re
import signal
import threading
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from ..text import load
from .shards import Shard, ShardError, ShardSet, write

LEAST_PIECE = 1 << 24  # bytes; smaller files are one piece
MOST_PIECES = 256  # of all sources together: each stays open while a ShardSet is used
LOOK = 1 << 16  # bytes read at once in the search for a place to cut
SPACES = sorted(c.encode() for c in map(chr, range(0x3001)) if c.isspace())
# A newline between two characters that are no spaces: every split pattern in text/splitting.py ends a piece of text there.
LINE = re.compile(
    b"".join(b"(?<!" + re.escape(space) + b")" for space in SPACES)
    + b"\n(?!"
    + b"|".join(map(re.escape, SPACES))
    + b")"
)
NEWLINE = re.compile(b"\n")


class Piece(NamedTuple):
    """A stretch of a source that becomes one shard: bytes [begin, stop) of a file; last, whether the file ends there."""

    source: Path
    begin: int
    stop: int
    last: bool


class Job(NamedTuple):
    """What every piece of a set has in common; see tokenise."""

    folder: Path
    split: str
    tokenizer: Path
    end: int | None
    separator: str | None
    key: str


def tokenise(
    sources,
    folder,
    tokenizer,
    *,
    split="train",
    end=None,
    separator=None,
    key="text",
    workers=None,
    piece_bytes=None,
    progress=True,
):
    """Turns texts into the shards of a split, and returns them as a ShardSet.

    sources: a path, or several; `.jsonl` holds one JSON object a line with a document under `key`, anything else is text in UTF-8.
    tokenizer: the file of a tokenizer that was saved. end: the id that closes each document, or None for no mark. separator: what
    stands between the documents of a text, such as "<|endoftext|>"; it is taken out, with the empty lines around it. Without one a
    file is one document. Documents without a character are left out.

    workers: processes; None, one for each core. More than one are started anew, so a script calls this below `if __name__ ==
    "__main__"`. piece_bytes: about how much text goes into one shard; by default 16 MiB, or what gives 256 shards. The shards depend
    on it, and not on the number of workers.

    Shards that are there already and were made from the same bytes in the same way are kept. Raises ValueError for a line that is
    no JSON or has no text, with its place; OSError when the disk is full: what is finished stays, and calling again goes on.
    """
    sources = [Path(source) for source in ([sources] if isinstance(sources, (str, Path)) else sources)]
    job = Job(Path(folder), split, Path(tokenizer), end, separator, key)
    job.folder.mkdir(parents=True, exist_ok=True)
    _sweep(job)
    pieces = cut(sources, piece_bytes, separator)
    workers = min(workers or len(os.sched_getaffinity(0)), len(pieces))
    total = sum(piece.stop - piece.begin for piece in pieces)
    with tqdm(total=total, unit="B", unit_scale=True, desc=split, disable=None if progress else True) as bar:
        for done in _finished(job, pieces, workers):
            bar.update(done)
    for path in job.folder.glob(f"{split}-{'[0-9]' * 5}.shard"):
        if int(path.stem[-5:]) >= len(pieces):
            path.unlink()  # of a longer set that lay here before
    return ShardSet(job.folder, split, load(job.tokenizer).fingerprint)


def cut(sources, piece_bytes=None, separator=None):
    """The pieces of all sources, in order: each as long as piece_bytes, and then on to the next place where one may cut."""
    total = sum(source.stat().st_size for source in sources)
    piece_bytes = piece_bytes or max(LEAST_PIECE, -(-total // MOST_PIECES))
    pieces = []
    for source in sources:
        size, begin = source.stat().st_size, 0
        while begin < size:
            stop = _place_to_cut(source, min(begin + piece_bytes, size), size, separator)
            pieces.append(Piece(source, begin, stop, stop == size))
            begin = stop
    if not pieces:
        raise ValueError(f"there is no text in {', '.join(map(str, sources))}")
    return pieces


def _place_to_cut(source, at, size, separator):
    """The first place at or behind `at` that lies between two documents, or between two lines, else the end."""
    if source.suffix == ".jsonl":
        mark = NEWLINE
    else:
        mark = re.compile(re.escape(separator.encode())) if separator else LINE
    margin = len(separator.encode()) if separator else 4  # a character has four bytes at most
    with open(source, "rb") as file:
        while at < size:
            begin = max(at - margin, 0)  # what stands before the place decides, too
            file.seek(begin)
            chunk = file.read(LOOK + 2 * margin)
            at_end = begin + len(chunk) == size
            found = mark.search(chunk, at - begin)
            if found and (at_end or found.end() <= len(chunk) - margin):  # else what follows is not wholly seen
                return begin + found.end()
            at = size if at_end else begin + len(chunk) - margin
    return size


def _finished(job, pieces, workers):
    """Makes every shard; yields how many bytes of text each was, as they are finished."""
    tasks = [(job, piece, part, len(pieces)) for part, piece in enumerate(pieces)]
    if workers == 1:
        tokenizer = load(job.tokenizer)
        for task in tasks:
            yield _make(*task, tokenizer)
        return
    processes = multiprocessing.get_context("spawn")  # not forked: threads of this process may hold locks
    with ProcessPoolExecutor(workers, processes, _begin, (job.tokenizer,)) as pool:
        waiting = [pool.submit(_make, *task) for task in tasks]
        try:
            for future in as_completed(waiting):
                yield future.result()
        finally:
            pool.shutdown(cancel_futures=True)


_tokenizer = None  # of a worker process


def _begin(path):
    """What a worker does first: its tokenizer, and its end when the process that started it is gone."""
    global _tokenizer
    _tokenizer = load(path)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears it, and lets the pieces in hand be finished
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent():
    multiprocessing.parent_process().join()
    os._exit(1)


def _make(job, piece, part, parts, tokenizer=None):
    """The shard of one piece, unless it is there; returns how many bytes of text it stands for."""
    tokenizer = tokenizer or _tokenizer
    with open(piece.source, "rb") as file:
        file.seek(piece.begin)
        raw = file.read(piece.stop - piece.begin)
    how = json.dumps([piece.source.suffix == ".jsonl", piece.last, job.separator, job.key])
    origin = hashlib.sha256(how.encode() + b"\0" + raw).hexdigest()
    path = job.folder / f"{job.split}-{part:05}.shard"
    wanted = (part, parts, tokenizer.vocab_size, job.end, tokenizer.fingerprint, origin)
    if not _is_there(path, wanted):
        rows = [row for document in _documents(job, piece, raw) for row in _encoded(document, job, piece, tokenizer)]
        ids = np.concatenate(rows) if rows else np.empty(0, np.int64)
        try:
            write(
                path,
                ids,
                tokenizer.vocab_size,
                tokenizer.fingerprint,
                end=job.end,
                part=part,
                parts=parts,
                origin=origin,
            )
        except OSError as problem:
            if problem.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise
            says = f"there is no room for {path} ({2 * len(ids):,} bytes or more): make some and call again, what is finished is kept"
            raise OSError(problem.errno, says) from problem
    return len(raw)


def _is_there(path, wanted):
    """Whether the shard at this path is whole and was made as is wanted."""
    try:
        shard = Shard(path)
        header = shard.header
        if (header.part, header.parts, header.vocab_size, header.end, header.tokenizer, header.origin) != wanted:
            return False
        shard.verify()
    except (FileNotFoundError, ShardError):
        return False
    return True


def _documents(job, piece, raw):
    """The texts of a piece that are not empty."""
    if piece.source.suffix != ".jsonl":
        try:
            text = raw.decode()
        except UnicodeDecodeError as problem:
            raise ValueError(f"{piece.source} is not UTF-8 at byte {piece.begin + problem.start:,}") from None
        found = [part.strip("\n") for part in text.split(job.separator)] if job.separator else [text]
        return [document for document in found if document]
    found, at = [], piece.begin
    for line in raw.split(b"\n"):
        if line.strip():
            try:
                document = json.loads(line)[job.key]
            except (ValueError, KeyError, TypeError, IndexError):
                document = None
            if not isinstance(document, str):
                raise ValueError(
                    f"{piece.source}, the line at byte {at:,}: it is no JSON object with a text under {job.key!r}"
                )
            found.append(document)
        at += len(line) + 1
    return [document for document in found if document]


def _encoded(document, job, piece, tokenizer):
    """The document's ids and, where it ends, the mark."""
    yield tokenizer.encode(document)
    ends_here = piece.last or job.separator or piece.source.suffix == ".jsonl"
    if job.end is not None and ends_here:
        yield np.array([job.end])


def _sweep(job):
    """Removes what processes that are no more left half-written."""
    for path in job.folder.glob(f".{job.split}-*.part"):
        try:
            os.kill(int(path.suffixes[-2][1:]), 0)
        except (ProcessLookupError, ValueError):
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
        except PermissionError:
            pass  # alive, and another user's
