"""Likelihoods: identities that hold for any tokenizer and window, and PyTorch's own loss as the oracle."""

import math

import numpy as np
import pytest
import torch

from groundup.nets.choices import RULES, Question, answer, choose, prompt, report
from groundup.nets.gpt import GPT, GPTConfig
from groundup.nets.likelihood import encode_pair, evaluate, measured, scores, windows
from groundup.text import bpe
from groundup.text.chars import Chars

TEXT = "the cat sat on the mat, and the rat sat on the hat. éé the end\n" * 4


@pytest.fixture(params=["chars", "bpe"])
def tokenizer(request):
    return Chars.of(TEXT) if request.param == "chars" else bpe.train(TEXT, 280)


def small(vocab_size, context=16, **over):
    torch.manual_seed(0)
    return GPT(GPTConfig(vocab_size=vocab_size, context=context, layers=1, heads=2, width=16, zero_init=False, **over))


def test_bits_per_byte_times_bytes_times_ln_2_is_the_sum_of_nats(tokenizer):
    model = small(tokenizer.vocab_size)
    m = evaluate(model, tokenizer, [TEXT], 16, prefix=0)
    assert m.bits_per_byte * len(TEXT.encode()) * math.log(2) == pytest.approx(m.nats, rel=1e-12)
    assert m.tokens == len(tokenizer.encode(TEXT))
    assert m.perplexity**m.tokens == pytest.approx(math.exp(m.nats), rel=1e-6) if m.nats < 700 else True
    assert math.log(m.word_perplexity) * m.words == pytest.approx(math.log(m.perplexity) * m.tokens)


def test_a_uniform_model_costs_the_logarithm_of_its_vocabulary_for_each_token(tokenizer):
    model = small(tokenizer.vocab_size)
    torch.nn.init.zeros_(model.head.weight)
    m = evaluate(model, tokenizer, [TEXT], 16, prefix=0)
    assert m.perplexity == pytest.approx(tokenizer.vocab_size, rel=1e-6)


@pytest.mark.parametrize("least", [1, 5, 16])
def test_windows_score_every_token_once_and_never_exceed_the_context(least):
    for n in range(40):
        pairs = windows(range(n), 16, -1, least)
        assert [i for _, scored in pairs for i in scored] == list(range(n))
        assert all(len(given) + len(scored) <= 17 for given, scored in pairs)
        assert all(min(least, scored[0] + 1) <= len(given) for given, scored in pairs)
        for given, scored in pairs:  # what is given is what stands before
            assert list(given) == list(range(scored[0] - len(given), scored[0]))


def test_one_window_is_the_loss_of_the_model_itself():
    model = small(11).eval()
    ids = torch.randint(11, (17,), generator=torch.Generator().manual_seed(1))
    [score] = scores(model, [([int(ids[0])], ids[1:].tolist())], 16)
    assert -score.total / 16 == pytest.approx(model(ids[None, :-1], ids[None, 1:]).item(), rel=1e-5)


def test_batches_and_order_change_nothing():
    model, rng = small(11, dropout=0.3), np.random.default_rng(0)
    pairs = [
        (rng.integers(11, size=rng.integers(1, 25)).tolist(), rng.integers(11, size=rng.integers(1, 9)).tolist())
        for _ in range(12)
    ]
    alone = [scores(model, [pair], 16)[0].total for pair in pairs]
    for batch in (1, 5, 12):
        np.testing.assert_allclose([s.total for s in scores(model, pairs, 16, batch)], alone, atol=1e-5)
    np.testing.assert_allclose([s.total for s in scores(model, pairs[::-1], 16)], alone[::-1], atol=1e-5)


def test_what_greedy_decoding_writes_is_greedy():
    model = small(11).eval()
    ids = [3, 1, 4]
    for _ in range(6):
        ids.append(int(model(torch.tensor([ids]))[0, -1].argmax()))
    assert scores(model, [(ids[:3], ids[3:])], 16)[0].greedy
    assert not scores(model, [(ids[:3], [*ids[3:-1], (ids[-1] + 1) % 11])], 16)[0].greedy


def test_a_split_text_is_the_whole_text(tokenizer):
    """ln p of a text is that of its beginning plus that of its end, wherever the tokenizer does not merge the seam."""
    model = small(tokenizer.vocab_size, context=64)
    text = "the cat sat on the mat"
    [whole] = scores(model, [([0], tokenizer.encode(text).tolist())], 64)
    for cut in (3, 4, 7, 11):
        given, rest = encode_pair(tokenizer, text[:cut], text[cut:])
        assert given + rest == tokenizer.encode(text).tolist()
        [first, second] = scores(model, [([0], given), ([0, *given], rest)], 64)
        assert first.total + second.total == pytest.approx(whole.total, abs=1e-4)


def test_measurements_add_up():
    a, b = measured("ab cd", 3.0, 2), measured("é", 1.0, 1)
    assert (a + b).bytes == 7
    assert (a + b).bits_per_byte == pytest.approx((a.bits_per_byte * 5 + b.bits_per_byte * 2) / 7)


@pytest.mark.parametrize("bad", [[], ["a", ""]])
def test_no_text_is_refused(bad):
    with pytest.raises(ValueError, match="text"):
        evaluate(small(3), Chars("ab\n"), bad, 16, 0)


def test_a_model_in_the_middle_of_training_is_left_in_it():
    model = small(5, dropout=0.5).train()
    model.blocks[0].eval()  # odd, and the caller's business
    scores(model, [([1], [2])], 4)
    assert model.training


def test_a_model_that_has_read_the_answer_gives_it():
    tokenizer = Chars("abcdefgh \n?")
    text = tokenizer.encode("ab? cd\n" * 40)
    model = small(tokenizer.vocab_size, context=32)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2)
    x = torch.from_numpy(text[:56].astype(np.int64)).reshape(4, 14)
    for _ in range(40):
        optimiser.zero_grad()
        model(x[:, :-1], x[:, 1:]).backward()
        optimiser.step()
    questions = [Question("ab?", ("cd", "ef", "gh"), 0)]
    answers = answer(model, tokenizer, questions, 32, tokenizer.encode("\n")[0])
    assert report(questions, answers)["acc"] == 1.0
    assert [choose(rule, answers[0]["given"], questions[0].choices, answers[0]["alone"]) for rule in RULES[:3]] == [
        0
    ] * 3


def test_the_longer_a_choice_the_less_likely_under_a_uniform_model():
    tokenizer = Chars("ab c")
    model = small(4, context=32)
    torch.nn.init.zeros_(model.head.weight)
    questions = [Question("a", ("b", "bbbb"), 1)]
    [found] = answer(model, tokenizer, questions, 32, 0)
    assert choose("acc", found["given"], questions[0].choices) == 0
    np.testing.assert_allclose(found["given"], -np.log(4) * np.array([2, 5]), rtol=1e-6)
    np.testing.assert_allclose(found["given"], found["alone"], rtol=1e-6)


def test_examples_come_before_the_question():
    shots = [Question("1+1=", ("3", "2"), 1)]
    assert prompt(Question("2+2=", ("4",), 0), shots) == "1+1= 2\n\n2+2="
