"""What holds for every tokenizer: characters, byte pairs, unigram pieces."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundup.text import bpe, load, saving, unigram
from groundup.text.chars import Chars
from groundup.text.stats import bits_per_byte, cost, embedding_parameters, table

TEXT = "Whether 'tis nobler in the mind to suffer\nThe slings and arrows of outrageous fortune, 😀 été.\n" * 4
MADE = {"chars": Chars.of(TEXT), "bpe": bpe.train(TEXT, 320), "unigram": unigram.train(TEXT, 320)}
every_kind = pytest.mark.parametrize("kind", MADE)


@every_kind
def test_a_text_comes_back(kind):
    ids = MADE[kind].encode(TEXT)
    assert ids.dtype == np.int32 and ids.ndim == 1 and ids.max() < MADE[kind].vocab_size
    assert MADE[kind].decode(ids) == TEXT == MADE[kind].decode(ids.tolist())


@every_kind
def test_any_file_of_a_tokenizer_is_loaded_by_its_kind(kind, tmp_path):
    MADE[kind].save(tmp_path / "t.json")
    again = load(tmp_path / "t.json")
    assert type(again) is type(MADE[kind])
    assert again.fingerprint == MADE[kind].fingerprint and len(again.fingerprint) == 64
    assert np.array_equal(again.encode(TEXT), MADE[kind].encode(TEXT))
    for other in set(MADE) - {kind}:
        with pytest.raises(ValueError, match="of kind"):
            type(MADE[other]).load(tmp_path / "t.json")


@every_kind
def test_an_id_that_there_is_not_is_refused(kind):
    for bad in (-1, MADE[kind].vocab_size):
        with pytest.raises(ValueError):
            MADE[kind].decode([0, bad])


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"kind": 3}', '{"kind": "other"}', "\x00"])
def test_a_file_that_holds_no_tokenizer_is_refused(tmp_path, content):
    (tmp_path / "t.json").write_text(content)
    with pytest.raises(ValueError, match=r"t\.json"):
        load(tmp_path / "t.json")


def test_what_cannot_be_written_leaves_the_old_file(tmp_path):
    path = tmp_path / "t.json"
    MADE["chars"].save(path)
    with pytest.raises(TypeError):
        saving.write(path, {"kind": object()})
    assert json.loads(path.read_text())["kind"] == "chars"
    assert [p.name for p in tmp_path.iterdir()] == ["t.json"]


@given(text=st.text(st.characters(codec=None), min_size=1, max_size=40))
def test_characters_come_back_surrogates_included(text):
    chars = Chars.of(text)
    assert chars.vocab_size == len(set(text)) and chars.decode(chars.encode(text)) == text


def test_characters_keep_the_order_of_their_alphabet():
    assert Chars("cab").encode("abc").tolist() == [1, 2, 0]
    assert Chars.of("cabba").alphabet == "abc"


def test_a_character_that_is_not_there_is_named():
    with pytest.raises(ValueError, match=r"'é', character 2"):
        Chars("ab").encode("abéa")
    for alphabet in ("", "aba"):
        with pytest.raises(ValueError, match="alphabet"):
            Chars(alphabet)


def test_a_cost_is_counted():
    row = cost("chars", Chars.of("abé"), "aébaa", width=10)
    assert row == ("chars", 3, 5, 1.0, 6 / 5, 3, 60)
    assert embedding_parameters(50257, 768, tied=True) - embedding_parameters(4096, 768, tied=True) == 46161 * 768
    assert len(table(MADE, TEXT, 8).splitlines()) == 4
    with pytest.raises(ValueError, match="empty"):
        cost("chars", Chars("a"), "", 10)


def test_bits_per_byte_do_not_depend_on_the_tokenizer():
    n_bytes = len(TEXT.encode())
    for tokenizer in MADE.values():
        tokens = len(tokenizer.encode(TEXT))
        assert bits_per_byte(n_bytes * np.log(2) * 3.0 / tokens, tokens, n_bytes) == pytest.approx(3.0)
