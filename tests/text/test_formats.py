"""Exports are read back by the libraries they are for, and give the same ids."""

import pytest

from groundup.text.bpe import BPE, train
from groundup.text.formats import from_gpt2, tiktoken_ranks, to_huggingface, to_tiktoken
from groundup.text.splitting import GPT2, GPT4

from .unicode_cases import strings

END = "<|endoftext|>"


@pytest.fixture(autouse=True)
def no_cache(monkeypatch):
    """tiktoken would read a path it has seen from its cache, in a folder that outlives the test."""
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", "")


@pytest.fixture(scope="module", params=[GPT2, GPT4], ids=["gpt2", "gpt4"])
def bpe(request):
    return train(strings(10, 300), 600, request.param, [END])


def test_hugging_face_reads_the_export(bpe, tmp_path):
    tokenizers = pytest.importorskip("tokenizers")
    to_huggingface(bpe, tmp_path / "tokenizer.json")
    theirs = tokenizers.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    assert theirs.get_vocab_size() == bpe.vocab_size
    for text in [*strings(11, 300), f"one{END}two"]:
        assert theirs.encode(text).ids == bpe.encode(text, [END]).tolist(), text
        if END not in text:
            assert theirs.decode(bpe.encode(text).tolist()) == text


def test_tiktoken_reads_the_export(bpe, tmp_path):
    tiktoken, reading = pytest.importorskip("tiktoken"), pytest.importorskip("tiktoken.load")
    to_tiktoken(bpe, tmp_path / "ours.tiktoken")
    ranks = reading.load_tiktoken_bpe(str(tmp_path / "ours.tiktoken"))
    assert ranks == tiktoken_ranks(bpe)
    theirs = tiktoken.Encoding("ours", pat_str=bpe.pattern, mergeable_ranks=ranks, special_tokens=bpe.specials)
    for text in strings(12, 300):
        assert theirs.encode_ordinary(text) == bpe.encode(text).tolist()


def test_merges_that_tiktoken_could_not_tell_apart_are_refused():
    with pytest.raises(ValueError, match="same bytes"):
        tiktoken_ranks(BPE([(0, 0), (256, 0), (0, 256)]))


def test_a_line_that_is_no_merge_is_named(tmp_path):
    path = tmp_path / "vocab.bpe"
    path.write_text("#version: 0.2\na b\nab Ġ\n", encoding="utf-8")
    bpe = from_gpt2(path)
    assert [bpe.token_bytes(i) for i in (256, 257)] == [b"ab", b"ab "] and bpe.specials == {END: 258}
    path.write_text("#version: 0.2\na b\nabc d\n", encoding="utf-8")
    with pytest.raises(ValueError, match="line 3"):
        from_gpt2(path)
