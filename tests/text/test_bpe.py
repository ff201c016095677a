"""Encoding and decoding: GPT-2's ids equal tiktoken's, any bytes come back, and special tokens are special only where asked."""

import pickle
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundup.data.catalogue import DataError, fetch
from groundup.text import load
from groundup.text.bpe import _LONG, BPE, train
from groundup.text.formats import from_gpt2, tiktoken_ranks
from groundup.text.merges import BYTES
from groundup.text.splitting import GPT2, GPT4

from .unicode_cases import strings

END = "<|endoftext|>"


@pytest.fixture(scope="module")
def gpt2():
    try:
        return from_gpt2(fetch("gpt2") / "vocab.bpe")
    except DataError as problem:
        pytest.skip(str(problem))


@pytest.fixture(scope="module")
def small():
    return train(strings(5, 300), 700, specials=[END, "<|"])


def in_tiktoken(bpe):
    tiktoken = pytest.importorskip("tiktoken")
    return tiktoken.Encoding(
        "ours", pat_str=bpe.pattern, mergeable_ranks=tiktoken_ranks(bpe), special_tokens=bpe.specials
    )


def test_gpt2s_ids_equal_tiktokens_on_ten_thousand_strings(gpt2):
    theirs = in_tiktoken(gpt2)
    texts = strings(6, 10_000)
    for text, expected in zip(texts, theirs.encode_ordinary_batch(texts)):
        ids = gpt2.encode(text)
        assert ids.tolist() == expected, text
        assert gpt2.decode(ids) == text


def test_gpt2s_known_ids(gpt2):
    assert gpt2.vocab_size == 50257
    assert gpt2.encode("Hello world").tolist() == [15496, 995]  # GPT-2's publication
    assert gpt2.encode(END, [END]).tolist() == [50256]


def test_the_pattern_of_gpt4_gives_tiktokens_ids():
    texts = strings(7, 1500)
    bpe = train(texts[:500], 1500, GPT4)
    theirs = in_tiktoken(bpe)
    for text in texts:
        assert bpe.encode(text).tolist() == theirs.encode_ordinary(text), text


def test_lone_surrogates_are_replaced_as_tiktoken_replaces_them(gpt2):
    theirs = in_tiktoken(gpt2)
    for text in ["\ud83d", "a\ud83d\ude00b", "\ude00\ud83d", "x \udfff y"]:
        assert gpt2.encode(text).tolist() == theirs.encode(text)


def test_long_pieces_are_merged_like_short_ones(small):
    rng = random.Random(0)
    theirs = in_tiktoken(small)
    for length in (_LONG - 1, _LONG, _LONG + 1, 5000):
        for text in ("a" * length, "".join(rng.choices("thean", k=length)), " " * length):
            assert small.encode(text).tolist() == theirs.encode_ordinary(text)


@given(data=st.binary(max_size=80))
def test_any_bytes_come_back(small, data):
    assert small.decode_bytes(small.encode_bytes(data)) == data


def test_bytes_of_a_text_have_its_ids(small):
    for text in strings(8, 300):
        ids = small.encode(text)
        assert np.array_equal(small.encode_bytes(text.encode()), ids)
        assert ids.dtype == np.int32 and ids.ndim == 1


def test_special_tokens_are_text_unless_they_are_allowed(small):
    end, open_ = small.specials[END], small.specials["<|"]
    text = f"one{END}two<|three"
    assert not {end, open_} & set(small.encode(text).tolist())
    assert small.encode(text, [END]).tolist().count(end) == 1
    assert open_ not in small.encode(text, [END])
    both = small.encode(text, [END, "<|"]).tolist()
    assert both.count(end) == both.count(open_) == 1  # the longest of those that begin at one place
    for allowed in ([], [END], [END, "<|"]):
        assert small.decode(small.encode(text, allowed)) == text
    with pytest.raises(ValueError, match="no special token"):
        small.encode(text, ["<|other|>"])


def test_special_tokens_agree_with_tiktoken(small):
    bpe = BPE(small.merges, specials=[END])
    theirs = in_tiktoken(bpe)
    for text in [END, f"a{END}{END} b", f" {END}\n\n{END}", f"<|{END}|>"]:
        assert bpe.encode(text, [END]).tolist() == theirs.encode(text, allowed_special={END})


def test_without_merges_ids_are_bytes_in_gpt2s_order():
    bpe = BPE([])
    assert bpe.vocab_size == 256
    assert [bpe.token_bytes(i) for i in range(256)] == [bytes([b]) for b in BYTES]
    assert bpe.decode_bytes(bpe.encode("é\x00")) == "é\x00".encode()


def test_a_cut_within_a_character_decodes_to_a_replacement():
    bpe = BPE([])
    assert bpe.decode(bpe.encode("é")[:1]) == "\ufffd"


def test_ids_of_nothing():
    bpe = BPE([])
    assert bpe.encode("").shape == (0,) and bpe.encode("").dtype == np.int32
    assert bpe.decode([]) == "" and bpe.encode_bytes(b"").shape == (0,)


def test_merges_are_followed_even_to_tokens_that_others_make_unreachable():
    a, b, c = (BYTES.index(letter) for letter in b"abc")
    bpe = BPE([(b, c), (a, b), (257, c)])  # "abc" joins b and c first, and the last merge never comes about
    assert bpe.encode("abc").tolist() == [a, 256]


def test_what_is_forgotten_is_worked_out_again(small, monkeypatch):
    monkeypatch.setattr("groundup.text.bpe._REMEMBERED", 10)
    fresh = BPE(small.merges)
    text = " ".join(strings(9, 50))
    assert np.array_equal(fresh.encode(text), small.encode(text))
    assert np.array_equal(fresh.encode(text), small.encode(text))


@pytest.mark.parametrize("pattern", [GPT2, GPT4, r"\w+|\W"])
def test_saved_and_loaded_it_is_the_same(tmp_path, small, pattern):
    bpe = BPE(small.merges, pattern, {END: 5000})
    bpe.save(tmp_path / "tokenizer.json")
    for other in (BPE.load(tmp_path / "tokenizer.json"), load(tmp_path / "tokenizer.json")):
        assert isinstance(other, BPE) and other.fingerprint == bpe.fingerprint and other.vocab_size == 5001
        assert (other.merges, other.pattern, other.specials) == (bpe.merges, bpe.pattern, bpe.specials)
    assert [p.name for p in tmp_path.iterdir()] == ["tokenizer.json"]


def test_the_fingerprint_changes_with_whatever_changes_ids(small):
    same = BPE(list(small.merges), small.pattern, dict(small.specials))
    assert same.fingerprint == small.fingerprint
    others = [
        BPE(small.merges[:-1], small.pattern),
        BPE(small.merges, GPT4, small.specials),
        BPE(small.merges, small.pattern),
    ]
    assert len({small.fingerprint, *(o.fingerprint for o in others)}) == 4


def test_a_process_that_is_sent_a_tokenizer_gets_its_definition_alone(small):
    sent = pickle.dumps(small)
    small.encode(" ".join(strings(13, 200)))
    assert pickle.dumps(small) == sent
    assert pickle.loads(sent).fingerprint == small.fingerprint


def test_what_makes_no_tokenizer_is_refused():
    with pytest.raises(ValueError, match="end at 255"):
        BPE([(0, 256)])
    with pytest.raises(ValueError, match="different ids"):
        BPE([(0, 1)], specials={END: 256})
    with pytest.raises(ValueError, match="different ids"):
        BPE([], specials={"a": 300, "b": 300})
    with pytest.raises(ValueError, match="no token"):
        BPE([]).decode([256])
    with pytest.raises(ValueError, match="no token"):
        BPE([]).decode([-1])
    with pytest.raises(ValueError, match="do not fit"):
        train("text", 256, specials=[END])
