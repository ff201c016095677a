"""The MLP of a block: its three bends, and that it looks at one place at a time."""

import math

import pytest
import torch

from groundup.nets.gpt import GPTConfig
from groundup.nets.mlp import MLP

KINDS = ["gelu", "relu2", "swiglu"]


def made(kind, **over):
    return MLP(GPTConfig(vocab_size=5, width=8, heads=2, mlp=kind, bias=True, **over)).double()


def by_hand(mlp, kind, x):
    up = x @ mlp.up.weight.T + mlp.up.bias
    if kind == "gelu":
        h = 0.5 * up * (1 + torch.tanh(math.sqrt(2 / math.pi) * (up + 0.044715 * up**3)))
    elif kind == "relu2":
        h = torch.where(up > 0, up * up, torch.zeros_like(up))
    else:
        gate = x @ mlp.gate.weight.T + mlp.gate.bias
        h = gate / (1 + torch.exp(-gate)) * up
    return h @ mlp.down.weight.T + mlp.down.bias


@pytest.mark.parametrize("kind", KINDS)
def test_the_bend_is_the_formula(kind):
    mlp, x = made(kind), torch.randn(3, 4, 8, dtype=torch.float64)
    torch.testing.assert_close(mlp(x), by_hand(mlp, kind, x))


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_those_of_differences(kind):
    mlp, x = made(kind), torch.randn(2, 3, 8, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(mlp, (x,))


@pytest.mark.parametrize("kind", KINDS)
def test_a_place_does_not_see_its_neighbours(kind):
    mlp, x = made(kind), torch.randn(2, 5, 8, dtype=torch.float64)
    other = x.clone()
    other[:, 2] += 1.0
    changed = (mlp(x) != mlp(other)).any(dim=(0, 2))
    assert changed.tolist() == [False, False, True, False, False]


def test_swiglu_has_about_as_many_weights_as_the_others():
    sizes = [sum(p.numel() for p in MLP(GPTConfig(vocab_size=5, width=768, mlp=kind)).parameters()) for kind in KINDS]
    assert sizes[0] == sizes[1] == 2 * 4 * 768 * 768
    assert sizes[2] == sizes[0]  # 8/3 of 768 is a multiple of 64


def test_dropout_only_in_training():
    mlp, x = made("gelu", dropout=0.5), torch.randn(50, 8, dtype=torch.float64)
    zeros = (mlp(x) == 0).double().mean().item()
    assert 0.3 < zeros < 0.7
    assert (mlp.eval()(x) != 0).all()
