"""Learning merges: equal to Hugging Face's trainer, ties included, and to counting everything anew for each merge."""

import json
import random
from collections import Counter
from itertools import pairwise

import pytest

from groundup.data.catalogue import DataError
from groundup.data.loading import tinyshakespeare
from groundup.text.bpe import train
from groundup.text.counting import count_pieces
from groundup.text.formats import LETTERS
from groundup.text.merges import BYTES, learn

from .unicode_cases import strings


def theirs(texts, vocab_size, specials=()):
    """The merges that Hugging Face's trainer learns, as pairs of its spelling."""
    tokenizers = pytest.importorskip("tokenizers")
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = tokenizers.pre_tokenizers.ByteLevel.alphabet()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=vocab_size, special_tokens=list(specials), initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    return [tuple(merge) for merge in json.loads(tokenizer.to_str())["model"]["merges"]]


def spelled(merges):
    """Pairs of ids in that spelling."""
    names = list(LETTERS)
    for a, b in merges:
        names.append(names[a] + names[b])
    return [(names[a], names[b]) for a, b in merges]


@pytest.mark.parametrize("seed", range(6))
def test_merges_equal_hugging_faces_where_ties_abound(seed):
    rng = random.Random(seed)
    for alphabet in ("a", "ab", "aab \n", "abc ", "aé😀 ", "abcdefgh   '\n\t.1"):
        texts = ["".join(rng.choices(alphabet, k=rng.randint(0, 300))) for _ in range(rng.randint(1, 4))]
        vocab_size = 256 + rng.randint(0, 70)
        assert spelled(train(texts, vocab_size).merges) == theirs(texts, vocab_size)


def test_merges_equal_hugging_faces_on_mixed_scripts():
    texts = strings(4, 600)
    assert spelled(train(texts, 900, specials=["<s>"]).merges) == theirs(texts, 900, ["<s>"])


def test_merges_equal_hugging_faces_on_shakespeare():
    try:
        text = tinyshakespeare()[:300_000]
    except DataError as problem:
        pytest.skip(str(problem))
    assert spelled(train(text, 1024).merges) == theirs([text], 1024)


def slowly(pieces, count):
    """The definition: every pair counted anew for every merge."""
    rows = [([BYTES.index(b) for b in piece.encode()], often) for piece, often in pieces.items()]
    merges = []
    while len(merges) < count:
        pairs = Counter()
        for ids, often in rows:
            for pair in pairwise(ids):
                pairs[pair] += often
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        for ids, _ in rows:
            i = 0
            while i + 1 < len(ids):
                if (ids[i], ids[i + 1]) == best:
                    ids[i : i + 2] = [256 + len(merges)]
                i += 1
        merges.append(best)
    return merges


@pytest.mark.parametrize("seed", range(4))
def test_merges_equal_the_definition(seed):
    rng = random.Random(seed)
    for _ in range(25):
        alphabet = rng.choice(["a", "ab", "abc", "aab é"])
        pieces = {
            "".join(rng.choices(alphabet, k=rng.randint(0, 40))): rng.randint(1, 5) for _ in range(rng.randint(0, 9))
        }
        assert learn(pieces, 40) == slowly(pieces, 40)


def test_no_two_merges_make_the_same_bytes():
    rng = random.Random(0)
    for _ in range(10):
        bpe = train("".join(rng.choices("ab", k=400)), 400)
        assert len({bpe.token_bytes(i) for i in range(bpe.vocab_size)}) == bpe.vocab_size


def test_a_step_takes_the_most_frequent_pair_and_of_equals_the_smallest():
    assert spelled(learn({"ab": 1, "cd": 2}, 1)) == [("c", "d")]
    assert spelled(learn({"cd": 1, "ab": 1}, 1)) == [("a", "b")]
    assert spelled(learn({"aaa": 1}, 5)) == [("a", "a"), ("aa", "a")]


def test_it_ends_where_no_pair_is_left():
    assert learn({"ab": 3, "": 2, "c": 1}, 10) == [(BYTES.index(b"a"), BYTES.index(b"b"))]
    assert learn({}, 10) == []


def test_counts_of_pieces_teach_what_their_text_does():
    text = "to be or not to be, that is the question " * 3
    assert train(text, 300).merges == train(count_pieces(text), 300).merges == train([text], 300).merges
