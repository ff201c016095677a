"""Norms: RMSNorm against torch's own, and the norm that a configuration asks for."""

import pytest
import torch
from torch.nn import functional as F

from groundup.nets.gpt import GPTConfig
from groundup.nets.norm import RMSNorm, make_norm, normalised


@pytest.mark.parametrize("seed", range(5))
def test_rmsnorm_equals_torchs(seed):
    g = torch.Generator().manual_seed(seed)
    x = 10 ** torch.empty(1).uniform_(-2, 2, generator=g) * torch.randn(3, 5, 8, generator=g)
    norm = RMSNorm(8, eps=1e-3)
    norm.weight.data = torch.randn(8, generator=g)
    torch.testing.assert_close(norm(x), F.rms_norm(x, (8,), norm.weight, eps=1e-3))


def test_rmsnorm_passes_gradcheck():
    norm = RMSNorm(6).double()
    x = torch.randn(4, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(norm, (x,))


def test_narrow_types_are_squared_in_float32():
    x = torch.full((2, 4), 300.0, dtype=torch.float16)  # 300^2 is beyond float16
    y = RMSNorm(4).half()(x)
    assert y.dtype == torch.float16
    torch.testing.assert_close(y, torch.ones(2, 4, dtype=torch.float16))


def test_size_does_not_matter():
    x = torch.randn(7, 16)
    torch.testing.assert_close(RMSNorm(16, eps=0.0)(1000 * x), RMSNorm(16, eps=0.0)(x))


@pytest.mark.parametrize("kind", ["layer", "rms"])
def test_without_gains_it_is_the_norm_with_gains_of_one(kind):
    x = torch.randn(3, 4, 8)
    theirs = F.layer_norm(x, (8,), eps=1e-6) if kind == "layer" else F.rms_norm(x, (8,), eps=1e-6)
    torch.testing.assert_close(normalised(x, kind), theirs)
    assert normalised(x.bfloat16(), kind).dtype == torch.bfloat16


def test_the_configuration_chooses():
    layer = make_norm(GPTConfig.gpt2(width=12))
    assert (layer.eps, layer.bias.shape) == (1e-5, (12,))
    assert make_norm(GPTConfig.gpt2(width=12, bias=False)).bias is None
    assert isinstance(make_norm(GPTConfig.modern(vocab_size=5)), RMSNorm)
