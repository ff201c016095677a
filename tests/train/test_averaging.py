"""The moving average of weights, against its definition."""

import copy

import pytest
import torch
from torch import nn

from groundup.train.averaging import Average


def test_it_is_the_sum_of_its_definition():
    torch.manual_seed(0)
    model = nn.Linear(3, 2, dtype=torch.float64)
    average, expected = Average(model, 0.7), model.weight.detach().clone()
    for n in range(1, 12):
        with torch.no_grad():
            model.weight.normal_()
        average.update(model)
        decay = min(0.7, (1 + n) / (10 + n))
        expected = decay * expected + (1 - decay) * model.weight.detach()
    torch.testing.assert_close(average.weights["weight"], expected)


def test_inside_the_model_is_the_average_and_afterwards_itself():
    model = nn.Linear(3, 2)
    average = Average(model, 0.9)
    with torch.no_grad():
        model.weight.add_(1.0)
    own = model.weight.detach().clone()
    with pytest.raises(KeyError), average.inside(model):
        assert torch.equal(model.weight, average.weights["weight"]) and not torch.equal(model.weight, own)
        raise KeyError
    assert torch.equal(model.weight, own)
    average.copy_to(model)
    assert torch.equal(model.weight, average.weights["weight"])


def test_it_goes_on_from_its_state():
    model = nn.Linear(3, 2)
    average = Average(model, 0.9)
    average.update(model)
    other = Average(nn.Linear(3, 2), 0.9)
    other.load_state_dict(copy.deepcopy(average.state_dict()))
    with torch.no_grad():
        model.weight.add_(1.0)
    average.update(model)
    other.update(model)
    assert torch.equal(other.weights["weight"], average.weights["weight"]) and other.steps == 2


def test_a_decay_of_one_is_refused():
    with pytest.raises(ValueError, match="from 0 up to below 1"):
        Average(nn.Linear(1, 1), 1.0)
