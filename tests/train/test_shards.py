"""Shards: what is written is read, what is broken is refused with the reason, and a crash leaves no half a file."""

import hashlib
import os
import signal
import struct
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.train import shards

TOKENIZER = hashlib.sha256(b"a tokenizer").hexdigest()


def write_set(folder, ids, cuts, vocab_size=5000, **options):
    """The ids cut at these places, as one set of shards."""
    pieces = np.split(ids, cuts)
    for part, piece in enumerate(pieces):
        path = folder / f"train-{part:05}.shard"
        shards.write(path, piece, vocab_size, TOKENIZER, part=part, parts=len(pieces), **options)
    return sorted(folder.glob("*.shard"))


@settings(max_examples=30, deadline=None)
@given(
    vocab_size=st.sampled_from([2, 256, 65_536, 65_537, 2**31]), length=st.integers(0, 2000), seed=st.integers(0, 99)
)
def test_what_is_written_is_read(tmp_path_factory, vocab_size, length, seed):
    path = tmp_path_factory.mktemp("shards") / "train-00000.shard"
    ids = np.random.default_rng(seed).integers(0, vocab_size, length)
    written = shards.write(path, ids, vocab_size, TOKENIZER, end=1)
    shard = shards.Shard(path)
    assert np.array_equal(shard.tokens, ids)
    assert shard.tokens.dtype == (np.uint16 if vocab_size <= 65_536 else np.uint32)
    assert shard.header == written
    assert (written.tokens, written.end, written.tokenizer) == (length, 1, TOKENIZER)
    shard.verify()


def test_the_bytes_are_as_documented(tmp_path):
    ids = np.arange(1_300_000) % 50_257  # three blocks, the last not full
    shards.write(tmp_path / "train-00000.shard", ids, 50_257, TOKENIZER, part=1, parts=3, origin="12" * 32)
    raw = (tmp_path / "train-00000.shard").read_bytes()
    body = ids.astype("<u2").tobytes()
    table = b"".join(hashlib.sha256(body[i : i + 2**20]).digest() for i in range(0, len(body), 2**20))
    header = b"GROUNDUP" + struct.pack("<IIII", 1, 2, 1, 3) + struct.pack("<qqq", 50_257, -1, len(ids))
    header += bytes.fromhex(TOKENIZER) + bytes.fromhex("12" * 32)
    assert raw == header + hashlib.sha256(header + bytes(32) + table).digest() + body + table


def test_tokens_cannot_be_written_to(tmp_path):
    shards.write(tmp_path / "a.shard", np.arange(9), 9, TOKENIZER)
    with pytest.raises(ValueError, match="read-only"):
        shards.Shard(tmp_path / "a.shard").tokens[0] = 1


@pytest.mark.parametrize("ids", [[5], [-1], [65_536 + 1]])
def test_an_id_outside_the_vocabulary_is_refused_not_wrapped_round(tmp_path, ids):
    with pytest.raises(ValueError, match=r"\[0, 5\)"):
        shards.write(tmp_path / "a.shard", np.array(ids), 5, TOKENIZER)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("ids", [np.zeros((2, 2), int), np.zeros(3)])
def test_ids_are_one_row_of_integers(tmp_path, ids):
    with pytest.raises(ValueError, match="one row of integers"):
        shards.write(tmp_path / "a.shard", ids, 5, TOKENIZER)


@settings(max_examples=40, deadline=None)
@given(length=st.integers(0, 400), seed=st.integers(0, 99), data=st.data())
def test_windows_across_shards_equal_slices_of_the_whole(tmp_path_factory, length, seed, data):
    folder, rng = tmp_path_factory.mktemp("set"), np.random.default_rng(seed)
    ids = rng.integers(0, 5000, length + 1)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(ids)), max_size=5)))  # empty shards, too
    write_set(folder, ids, cuts)
    found = shards.ShardSet(folder)
    assert len(found) == len(ids)
    size = data.draw(st.integers(1, len(ids)))
    starts = rng.integers(0, len(ids) - size + 1, 6)
    assert np.array_equal(found.windows(starts, size), ids[starts[:, None] + np.arange(size)])
    with pytest.raises(IndexError):
        found.windows(np.array([len(ids) - size + 1]), size)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_changed_byte_is_found_wherever_it_is(tmp_path_factory, data):
    """A flipped bit is refused on opening, or by verify."""
    path = tmp_path_factory.mktemp("flip") / "train-00000.shard"
    shards.write(path, np.arange(300) % 7, 7, TOKENIZER)
    raw = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(raw)
    with pytest.raises(shards.ShardError):
        shards.Shard(path).verify()


@pytest.mark.parametrize("length", [0, 7, 143, 144, 400, -1])
def test_a_truncated_shard_says_so(tmp_path, length):
    path = tmp_path / "train-00000.shard"
    shards.write(path, np.arange(300) % 7, 7, TOKENIZER)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(shards.Truncated, match=r"train-00000\.shard"):
        shards.Shard(path)


def test_a_longer_shard_and_another_file_are_refused(tmp_path):
    path = tmp_path / "train-00000.shard"
    shards.write(path, np.arange(300) % 7, 7, TOKENIZER)
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(shards.Truncated, match="written to"):
        shards.Shard(path)
    path.write_bytes(np.arange(1000, dtype=np.uint16).tobytes())
    with pytest.raises(shards.Truncated, match="no shard"):
        shards.Shard(path)


def test_a_change_is_found_with_its_place(tmp_path):
    path = tmp_path / "train-00000.shard"
    shards.write(path, np.zeros(1_000_000, int), 7, TOKENIZER)
    with open(path, "r+b") as file:
        file.seek(144 + 2 * 700_000)
        file.write(b"\1")
    with pytest.raises(shards.Changed, match="524,288 to 1,000,000"):
        shards.Shard(path).verify()


def test_another_tokenizer_is_refused_before_a_token_is_read(tmp_path):
    write_set(tmp_path, np.arange(100), [])
    assert len(shards.ShardSet(tmp_path, tokenizer=TOKENIZER)) == 100
    with pytest.raises(shards.OtherTokenizer, match="the model uses 000000000000"):
        shards.ShardSet(tmp_path, tokenizer="0" * 64)


def test_an_incomplete_or_mixed_set_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="train-"):
        shards.ShardSet(tmp_path)
    paths = write_set(tmp_path, np.arange(100), [30, 60])
    whole = shards.ShardSet(tmp_path).content
    second = paths[1].read_bytes()
    paths[1].unlink()
    with pytest.raises(shards.Truncated, match="part 1 of the 3"):
        shards.ShardSet(tmp_path)
    shards.write(paths[1], np.arange(30), 5000, TOKENIZER, part=1, parts=2)
    with pytest.raises(shards.Changed, match="another set"):
        shards.ShardSet(tmp_path)
    paths[1].write_bytes(second)
    assert shards.ShardSet(tmp_path).content == whole


def test_the_content_stands_for_the_tokens(tmp_path):
    found = set()
    for k, ids in enumerate([np.arange(50), np.arange(50)[::-1], np.arange(51)]):
        (tmp_path / str(k)).mkdir()
        write_set(tmp_path / str(k), ids, [])
        found.add(shards.ShardSet(tmp_path / str(k)).content)
    assert len(found) == 3


def test_a_full_disk_leaves_nothing_behind(tmp_path):
    """The largest file a process may write stands in for the disk."""
    import resource

    path = tmp_path / "train-00000.shard"
    shards.write(path, np.zeros(10, int), 7, TOKENIZER)
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, limits[1]))
    try:
        with pytest.raises(OSError):
            shards.write(path, np.zeros(2_000_000, int), 7, TOKENIZER)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, previous)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    assert path.read_bytes() == before


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="resident memory is read from /proc")
def test_an_epoch_does_not_fill_the_memory(tmp_path):
    """128 MB of tokens are looked at in windows, and at no time all of them are resident."""
    code = """
import numpy as np, os, sys
from pathlib import Path
from groundup.train import shards
shards.write(Path(sys.argv[1]), np.zeros(64_000_000, np.uint8), 7, "0" * 64)
found = shards.ShardSet(Path(sys.argv[1]).parent)
resident = lambda: int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
before, most = resident(), 0
for first in range(0, 64_000_000 - 64 * 32768, 64 * 32768):
    found.windows(np.arange(first, first + 64 * 32768, 32768), 257)
    most = max(most, resident())
print((most - before) // 2**20)
"""
    path = tmp_path / "train-00000.shard"
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 80
