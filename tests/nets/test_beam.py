"""Beam search against every text there is, and against greedy."""

import itertools

import pytest
import torch

from groundup.nets.beam import beam_search, length_penalty
from groundup.nets.sample import generate

from .small_models import gpt


def every_text(model, ids, count, stop, alpha):
    """All hypotheses with their log-probabilities, by score: an uncached forward pass for each."""
    found = []
    for n in range(1, count + 1):
        for text in itertools.product(range(model.config.vocab_size), repeat=n):
            if stop in text[:-1] or (n < count and text[-1] != stop):
                continue
            row = torch.cat([ids, torch.tensor([text])], dim=1)
            with torch.no_grad():
                logs = model(row[:, :-1]).double().log_softmax(dim=-1)[0, ids.shape[1] - 1 :]
            total = float(logs.gather(1, torch.tensor(text)[:, None]).sum())
            found.append((text, total, total / ((5 + n) / 6) ** alpha))
    return sorted(found, key=lambda each: -each[2])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("stop", "alpha"), [(None, 0.0), (1, 0.0), (1, 1.0), (0, 3.0)])
def test_with_beams_enough_it_is_exhaustive(seed, stop, alpha):
    model, ids = gpt(seed, vocab_size=3, layers=1, heads=2, width=8), torch.tensor([[2, 0]])
    found = beam_search(model, ids, 4, beams=81, alpha=alpha, stop=stop)
    truth = every_text(model, ids, 4, stop, alpha)
    assert [each.tokens for each in found] == [text for text, _, _ in truth[: len(found)]]
    assert len(found) == len(truth)
    for each, (_, total, score) in zip(found, truth):
        assert each.log_probability == pytest.approx(total, abs=1e-5) and each.score == pytest.approx(score, abs=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_one_beam_is_greedy(seed):
    model, ids = gpt(seed), torch.tensor([[1, 2, 3]])
    (best,) = beam_search(model, ids, 12, beams=1)
    assert list(best.tokens) == generate(model, ids, 12, temperature=0.0)[0, 3:].tolist()
    (best,) = beam_search(model, ids, 12, beams=1, stop=best.tokens[4])
    text = generate(model, ids, 12, temperature=0.0, stop=best.tokens[-1])[0, 3:].tolist()
    assert list(best.tokens) == text


def test_more_beams_find_no_less_when_they_hold_what_fewer_held():
    model, ids = gpt(2, vocab_size=4), torch.tensor([[0]])
    best = [beam_search(model, ids, 5, beams=beams)[0].log_probability for beams in (1, 1024)]
    assert best[1] >= best[0]


def test_the_search_ends_when_nothing_can_be_better():
    model, calls = gpt(vocab_size=5), []
    with torch.no_grad():  # whatever was read, token 1 is by far the most probable
        model.norm.register_forward_hook(lambda module, inputs, output: torch.ones_like(output))
        model.head.weight.zero_()
        model.head.weight[1] = 1.0
    model.register_forward_hook(lambda module, inputs, output: calls.append(1))
    found = beam_search(model, torch.tensor([[0]]), 20, beams=2, stop=1)
    assert found[0].tokens == (1,) and len(calls) <= 3


def test_the_penalty_is_that_of_the_paper():
    assert length_penalty(1, 0.7) == 1 and length_penalty(9, 0.0) == 1
    assert length_penalty(7, 0.5) == pytest.approx(2**0.5)


@pytest.mark.parametrize(
    ("ids", "settings"),
    [
        (torch.zeros(2, 3), {}),
        (torch.zeros(1, 0), {}),
        (torch.zeros(1, 23), {}),
        (torch.zeros(1, 3), {"beams": 0}),
        (torch.zeros(1, 3), {"alpha": -1.0}),
    ],
)
def test_what_it_cannot_do_is_refused(ids, settings):
    with pytest.raises(ValueError, match=r"\d"):
        beam_search(gpt(), ids.long(), 2, **settings)
