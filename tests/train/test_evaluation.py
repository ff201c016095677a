"""The loss of a whole split: right, repeatable, and without a trace."""

import random

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from groundup.train.data import Batches
from groundup.train.evaluation import evaluate, undisturbed


class Guess(nn.Module):
    """Scores that depend on the token alone, with dropout, and a part that is frozen in evaluation mode."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.table = nn.Embedding(9, 9)
        self.dropout = nn.Dropout(0.5)
        self.frozen = nn.Dropout(0.5)
        self.frozen.eval()

    def forward(self, x, y):
        logits = self.frozen(self.dropout(self.table(x)))
        return F.cross_entropy(logits.flatten(0, 1), y.flatten(), ignore_index=-1)


class Noisy(Guess):
    def forward(self, x, y):
        return super().forward(x, y) + torch.rand(()) + random.random() + np.random.random()


def ids(n, seed=0):
    return np.random.default_rng(seed).integers(0, 9, n)


@pytest.mark.parametrize("n", [2, 7, 41, 100])
def test_every_token_but_the_first_counts_once(n):
    model, row = Guess(), ids(n)
    table = model.table.weight.detach().numpy().astype(float)
    logs = table - np.log(np.exp(table).sum(axis=1, keepdims=True))
    expected = -np.mean(logs[row[:-1], row[1:]])
    for context, batch in ((4, 3), (10, 1), (64, 2)):
        got = evaluate(model, Batches(row, context, batch).full())
        assert got == pytest.approx(expected, rel=1e-6)


def test_it_leaves_modes_and_generators_where_they_were():
    model = Noisy()
    model.train()
    model.frozen.eval()
    for seed in (random.seed, np.random.seed, torch.manual_seed):
        seed(5)
    expected = (random.random(), np.random.random(), float(torch.rand(())))
    for seed in (random.seed, np.random.seed, torch.manual_seed):
        seed(5)
    first = evaluate(model, Batches(ids(50), 4, 3).full())
    assert (random.random(), np.random.random(), float(torch.rand(()))) == expected
    assert model.training and model.dropout.training and not model.frozen.training
    assert (
        evaluate(model, Batches(ids(50), 4, 3).full()) == first
    )  # with a generator of its own it draws the same again
    assert evaluate(model, Batches(ids(50), 4, 3).full(), seed=1) != first
    assert model.table.weight.grad is None


def test_what_fails_inside_leaves_no_trace_either():
    model = Guess()
    model.train()
    state = torch.get_rng_state()
    with pytest.raises(KeyError), undisturbed(model):
        torch.rand(3)
        raise KeyError
    assert model.training and torch.equal(torch.get_rng_state(), state) and torch.is_grad_enabled()


def test_some_of_it_is_the_beginning_of_it():
    model, row = Guess(), ids(100)
    pairs = list(Batches(row, 4, 3).full())
    assert evaluate(model, pairs, tokens=13) == evaluate(model, pairs[:2])


def test_nothing_to_count_is_refused():
    x = torch.zeros(2, 3, dtype=torch.int64)
    with pytest.raises(ValueError, match="not one target"):
        evaluate(Guess(), [(x, x - 1)])
