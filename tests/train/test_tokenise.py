"""From text to shards: the same bytes whoever does it and however often it is broken off."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.text import bpe
from groundup.text.chars import Chars
from groundup.text.splitting import GPT2, GPT4
from groundup.train.shards import ShardSet
from groundup.train.tokenise import cut, tokenise

END = "<|end|>"
WORDS = ["the", "a", "naïve", "cat's", "42", "日本", "don't", "…", "end.", "(so)", "x=1"]
JOINTS = [" ", " ", " ", "\n", "\n", "\n\n", "  ", "\r\n", "\n ", "\u3000", "\t\n", "\u2028"]


def prose(seed, words):
    rng = np.random.default_rng(seed)
    return "".join(rng.choice(WORDS) + rng.choice(JOINTS) for _ in range(words))


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    """A small BPE, saved: path and object."""
    path = tmp_path_factory.mktemp("bpe") / "tokenizer.json"
    made = bpe.train(prose(0, 3000), 300, specials=[END])
    made.save(path)
    return path, made


def digests(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.glob("*.shard"))}


@pytest.mark.parametrize("pattern", [GPT2, GPT4], ids=["GPT-2", "GPT-4"])
@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    words=st.integers(1, 200),
    piece_bytes=st.integers(1, 400),
    look=st.sampled_from([1, 2, 30, 65_536]),
)
def test_cuts_change_no_token(tmp_path_factory, pattern, seed, words, piece_bytes, look):
    """A text cut into pieces has the ids of the whole text, under both split patterns, wherever a look at the file ends."""
    made = bpe.BPE([(97, 32), (10, 10), (13, 10), (32, 32), (10, 32)], pattern=pattern)
    text, source = prose(seed, words), tmp_path_factory.mktemp("cut") / "a.txt"
    source.write_bytes(text.encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("groundup.train.tokenise.LOOK", look)
        pieces = cut([source], piece_bytes)
    parts = [source.read_bytes()[piece.begin : piece.stop].decode() for piece in pieces]
    assert "".join(parts) == text
    assert np.array_equal(np.concatenate([made.encode(part) for part in parts]), made.encode(text))


def test_a_long_text_is_cut_where_it_can_be(tmp_path):
    (tmp_path / "a.txt").write_text("one two three\n" * 1000)
    pieces = cut([tmp_path / "a.txt"], piece_bytes=1000)
    assert len(pieces) == 14
    assert all(p.stop % 14 == 0 for p in pieces)


@settings(max_examples=20, deadline=None)
@given(
    documents=st.lists(st.text(max_size=30), min_size=1, max_size=8),
    piece_bytes=st.integers(20, 200),
    kind=st.sampled_from(["jsonl", "txt"]),
)
def test_every_document_is_kept_and_closed(tokenizer, tmp_path_factory, documents, piece_bytes, kind):
    path, made = tokenizer
    folder, end = tmp_path_factory.mktemp("documents"), made.vocab_size - 1
    if kind == "jsonl":
        content = "".join(json.dumps({"n": i, "text": d}) + "\n" for i, d in enumerate(documents))
    else:
        documents = [d.replace(END, "").strip("\n") for d in documents]
        content = f"\n{END}\n".join(documents)
    source = folder / f"a.{kind}"
    source.write_bytes(content.encode())
    kept = [d for d in documents if d]
    if not content:
        with pytest.raises(ValueError, match="no text"):
            tokenise(source, folder / "out", path, workers=1)
        return
    separator = END if kind == "txt" else None
    found = tokenise(
        source, folder / "out", path, end=end, separator=separator, workers=1, piece_bytes=piece_bytes, progress=False
    )
    expected = [i for d in kept for i in [*made.encode(d).tolist(), end]]
    assert found.windows(np.array([0]), len(found))[0].tolist() == expected if len(found) else expected == []
    assert found.end == end


def test_a_text_without_separator_is_one_document(tokenizer, tmp_path):
    path, made = tokenizer
    (tmp_path / "a.txt").write_text("one\ntwo\nthree\n" * 50)
    found = tokenise(tmp_path / "a.txt", tmp_path / "out", path, end=294, workers=1, piece_bytes=100, progress=False)
    ids = found.windows(np.array([0]), len(found))[0]
    assert len(found.shards) > 3
    assert ids.tolist() == [*made.encode("one\ntwo\nthree\n" * 50).tolist(), 294]


def test_two_processes_write_what_one_does_and_a_second_call_writes_nothing(tokenizer, tmp_path):
    path, _ = tokenizer
    (tmp_path / "a.txt").write_bytes(prose(1, 4000).encode())
    for workers in (1, 2):
        tokenise(tmp_path / "a.txt", tmp_path / str(workers), path, workers=workers, piece_bytes=5000, progress=False)
    assert digests(tmp_path / "1") == digests(tmp_path / "2")
    times = {p.name: p.stat().st_mtime_ns for p in (tmp_path / "1").iterdir()}
    tokenise(tmp_path / "a.txt", tmp_path / "1", path, workers=1, piece_bytes=5000, progress=False)
    assert times == {p.name: p.stat().st_mtime_ns for p in (tmp_path / "1").iterdir()}


def test_what_was_made_otherwise_is_made_again(tokenizer, tmp_path):
    path, _ = tokenizer
    source, out = tmp_path / "a.txt", tmp_path / "out"
    source.write_text("one two three\n" * 300)
    tokenise(source, out, path, workers=1, piece_bytes=500, progress=False)
    many = digests(out)
    shard = out / "train-00001.shard"
    raw = bytearray(shard.read_bytes())
    raw[200] ^= 1
    shard.write_bytes(raw)  # a change on the disk
    tokenise(source, out, path, workers=1, piece_bytes=500, progress=False)
    assert digests(out) == many
    tokenise(source, out, path, workers=1, progress=False)  # other pieces: fewer, and the rest is gone
    assert len(digests(out)) == 1
    source.write_text("one two four\n" * 300)
    assert len(tokenise(source, out, path, workers=1, progress=False).shards) == 1
    Chars.of("one twfur\n").save(tmp_path / "chars.json")
    assert tokenise(source, out, tmp_path / "chars.json", workers=1, progress=False).vocab_size == len(
        set("one twfur\n")
    )


def test_killed_and_called_again_gives_the_same_bytes(tokenizer, tmp_path):
    """kill -9 as soon as two shards are there; the workers end, too, and the next call keeps the two."""
    path, _ = tokenizer
    source, out = tmp_path / "a.txt", tmp_path / "out"
    source.write_bytes(prose(2, 30_000).encode())
    tokenise(source, tmp_path / "whole", path, workers=1, piece_bytes=10_000, progress=False)
    code = (
        "import sys\nfrom groundup.train.tokenise import tokenise\n"
        "if __name__ == '__main__':\n"
        "    tokenise(sys.argv[1], sys.argv[2], sys.argv[3], workers=2, piece_bytes=10_000, progress=False)\n"
    )
    script = tmp_path / "go.py"
    script.write_text(code)
    going = subprocess.Popen([sys.executable, str(script), str(source), str(out), str(path)], start_new_session=True)
    while going.poll() is None and len(list(out.glob("*.shard"))) < 2:
        time.sleep(0.002)
    os.kill(going.pid, signal.SIGKILL)
    going.wait()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:  # the group is empty once the workers have seen that their parent is gone
        try:
            os.killpg(going.pid, 0)
        except ProcessLookupError:
            break
        time.sleep(0.01)
    else:
        pytest.fail("workers live on without their parent")
    kept = {p.name: p.stat().st_mtime_ns for p in out.glob("*.shard")}
    (out / ".train-00099.shard.999999999.part").write_bytes(b"half")
    tokenise(source, out, path, workers=1, piece_bytes=10_000, progress=False)
    assert digests(out) == digests(tmp_path / "whole")
    assert all((out / name).stat().st_mtime_ns == at for name, at in kept.items())
    assert not list(out.glob(".*.part"))


def test_a_full_disk_keeps_what_is_finished_and_says_so(tokenizer, tmp_path):
    """The largest file a process may write stands in for the disk; the second piece is too large for it."""
    import resource

    path, _ = tokenizer
    (tmp_path / "a.txt").write_text("one\n")
    (tmp_path / "b.txt").write_bytes(b"qzxj" * 50_000)
    sources, out = [tmp_path / "a.txt", tmp_path / "b.txt"], tmp_path / "out"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(OSError, match=r"no room for .*00001\.shard"):
            tokenise(sources, out, path, workers=1, progress=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, previous)
    assert [p.name for p in out.iterdir()] == ["train-00000.shard"]
    assert len(tokenise(sources, out, path, workers=1, progress=False).shards) == 2


@pytest.mark.parametrize("line", ['{"text": 3}', '{"words": "a"}', "[1]", "nonsense", '"text"'])
def test_a_bad_line_is_named_by_its_place(tokenizer, tmp_path, line):
    (tmp_path / "a.jsonl").write_text('{"text": "good"}\n\n' + line + "\n")
    with pytest.raises(ValueError, match=r"a\.jsonl, the line at byte 18"):
        tokenise(tmp_path / "a.jsonl", tmp_path / "out", tokenizer[0], workers=1, progress=False)


def test_a_text_that_is_not_utf8_is_named_by_its_place(tokenizer, tmp_path):
    (tmp_path / "a.txt").write_bytes(b"good\n\xff")
    with pytest.raises(ValueError, match="not UTF-8 at byte 5"):
        tokenise(tmp_path / "a.txt", tmp_path / "out", tokenizer[0], workers=1, progress=False)


def test_shards_know_their_tokenizer(tokenizer, tmp_path):
    path, made = tokenizer
    (tmp_path / "a.txt").write_text("one two")
    tokenise(tmp_path / "a.txt", tmp_path / "out", path, split="val", workers=1, progress=False)
    assert ShardSet(tmp_path / "out", "val", made.fingerprint).tokenizer == made.fingerprint
