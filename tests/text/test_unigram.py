"""Unigram pieces against every way to cut, written out."""

import math
import random
from itertools import combinations

import pytest

from groundup.text.unigram import Unigram, train


def cuts(word):
    """Every way to cut a word."""
    for k in range(len(word)):
        for at in combinations(range(1, len(word)), k):
            yield [word[a:b] for a, b in zip((0, *at), (*at, len(word)))]


def drawn(seed):
    rng = random.Random(seed)
    pieces = {bytes([b]): rng.uniform(-9, -1) for b in range(256)}
    for _ in range(12):
        pieces[bytes(rng.choices(b"abc", k=rng.randint(2, 4)))] = rng.uniform(-9, -1)
    return Unigram(pieces), bytes(rng.choices(b"abc", k=rng.randint(1, 9)))


@pytest.mark.parametrize("seed", range(30))
def test_it_equals_the_enumeration_of_all_cuts(seed):
    model, word = drawn(seed)
    known = [cut for cut in cuts(word) if all(piece in model.pieces for piece in cut)]
    weights = [math.exp(sum(map(model.pieces.get, cut))) for cut in known]
    assert model.segments(word) == max(zip(weights, known))[1]
    assert model.log_probability(word) == pytest.approx(math.log(sum(weights)), abs=1e-12)
    expected = {}
    for weight, cut in zip(weights, known):
        for piece in cut:
            expected[piece] = expected.get(piece, 0.0) + weight / sum(weights)
    assert model.expected_counts(word) == pytest.approx(expected, abs=1e-12)


def test_the_likeliest_cut_equals_hugging_faces():
    tokenizers = pytest.importorskip("tokenizers")
    for seed in range(30):
        model, word = drawn(seed)
        theirs = tokenizers.models.Unigram([(p.decode("latin-1"), v) for p, v in model.pieces.items()], 0, False)
        assert [t.value for t in theirs.tokenize(word.decode())] == [p.decode() for p in model.segments(word)]


def test_training_raises_the_likelihood_and_ends_with_the_size_asked_for():
    text = "low lower lowest new newer newest wide wider widest " * 5
    model = train(text, 290)
    assert model.vocab_size == 290
    assert math.isclose(sum(map(math.exp, model.pieces.values())), 1.0, rel_tol=1e-9)
    assert len(model.encode(text)) < 0.5 * len(text)
    assert model.decode(model.encode("zzz 😀")) == "zzz 😀"
    assert train("ab", 300).vocab_size < 300


def test_pieces_without_every_byte_are_refused():
    with pytest.raises(ValueError, match="256 bytes"):
        Unigram({b"a": -1.0})
    with pytest.raises(ValueError, match="do not fit"):
        train("text", 255)
