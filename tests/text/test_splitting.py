"""Pieces: against tiktoken's and Hugging Face's splitting, and never a character lost."""

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from groundup.text.counting import chunks, count_pieces, whole
from groundup.text.splitting import GPT2, GPT4, split

from .unicode_cases import strings

PATTERNS = [GPT2, GPT4]
ascii_text = st.text(st.characters(max_codepoint=127), max_size=60)


@pytest.mark.parametrize("pattern", [*PATTERNS, r"\w+", r"(a)|(b)|", ""])
def test_pieces_joined_are_the_text(pattern):
    for text in strings(1, 500):
        pieces = split(text, pattern)
        assert "".join(pieces) == text
        assert all(pieces)


@pytest.mark.parametrize("pattern", PATTERNS)
@given(text=ascii_text)
def test_the_fast_way_for_ascii_is_the_pattern(pattern, text):
    assert split(text, pattern) == regex.findall(pattern, text)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_text_in_chunks_has_the_pieces_of_the_whole(pattern):
    text = "\n".join(f"{s}\n{word}" for s, word in zip(strings(2, 400), ["word", "Word", " word", "9", ""] * 80))
    assert "".join(chunks(text, pattern, 10)) == text
    assert len(list(chunks(text, pattern, 10))) > 20
    assert [piece for chunk in chunks(text, pattern, 10) for piece in split(chunk, pattern)] == split(text, pattern)


def test_a_text_is_cut_for_known_patterns_only():
    assert list(chunks("one.\ntwo.\nthree", r"(?s).+", 1)) == ["one.\ntwo.\nthree"]


def test_hugging_face_splits_by_gpt2s_pattern_alike():
    pre_tokenizers = pytest.importorskip("tokenizers").pre_tokenizers
    theirs = pre_tokenizers.ByteLevel(add_prefix_space=False)
    for text in strings(3, 500):
        spans = [span for _, span in theirs.pre_tokenize_str(text)]
        assert [text[a:b] for a, b in spans] == split(text, GPT2)


def test_counts_do_not_depend_on_the_number_of_processes():
    texts = ["a b\n" * 5000, "c\n" * 10, "", "the end"]
    alone = count_pieces(texts)
    assert count_pieces(texts, processes=2) == alone
    assert alone == count_pieces("".join(texts[:2])) + count_pieces(texts[3])
    assert alone["the"] == 1 and alone[" b"] == 5000


def test_halves_of_surrogate_pairs_are_joined_or_replaced():
    assert whole("a\ud83d\ude00b") == "a😀b"
    assert whole("a\ud83db") == "a\ufffdb"
    assert whole("fine") == "fine"


def test_a_pattern_that_is_none_is_refused():
    with pytest.raises(ValueError, match="no regular expression"):
        split("text", "(")
