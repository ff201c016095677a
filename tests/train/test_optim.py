"""The groups of a run's optimisers: they cover the model exactly."""

import pytest
import torch

from groundup.nets.gpt import GPT, GPTConfig
from groundup.train.loop import TrainConfig
from groundup.train.muon import Muon
from groundup.train.optim import Optimizers, adamw_groups, make

SMALL = dict(vocab_size=17, context=8, layers=2, heads=2, width=16)


def config(**options):
    return TrainConfig(steps=1, **options)


@pytest.mark.parametrize("kind", ["adamw", "muon"])
@pytest.mark.parametrize(
    "model",
    [
        GPTConfig.modern(**SMALL), GPTConfig.modern(**SMALL, bigram=True, value_embeddings=True, tied=True),
        GPTConfig.modern(**SMALL, kv_heads=1, mlp="swiglu"), GPTConfig.gpt2(**SMALL),
    ],
)  # fmt: skip
def test_groups_cover_every_parameter_once(kind, model):
    model = GPT(model)
    optimizers = make(model, config(optimizer=kind, weight_decay=0.1))
    held = [p for group in optimizers.groups for p in group["params"]]
    assert len(held) == len({id(p) for p in held})
    assert {id(p) for p in held} == {id(p) for p in model.parameters()}


def test_muon_gets_the_matrices_of_the_blocks_and_cuts_queries_from_keys():
    model = GPT(GPTConfig.modern(**SMALL, kv_heads=1))
    muon, adamw = make(model, config()).all
    assert isinstance(muon, Muon) and isinstance(adamw, torch.optim.AdamW)
    names = {id(p): name for name, p in model.named_parameters()}
    mine = {names[id(p)] for p in muon.param_groups[0]["params"]}
    assert mine == {name for name, p in model.named_parameters() if name.startswith("blocks.") and p.ndim == 2}
    assert set(muon._splits.values()) == {(16, 8, 8)} and len(muon._splits) == 2


def test_only_what_has_two_axes_decays():
    model = GPT(GPTConfig.gpt2(**SMALL))
    decayed, kept = adamw_groups(model.named_parameters(), 0.1)
    assert decayed["weight_decay"] == 0.1 and all(p.ndim >= 2 for p in decayed["params"])
    assert kept["weight_decay"] == 0.0 and all(p.ndim < 2 for p in kept["params"])


def test_a_parameter_left_out_or_given_twice_is_noticed():
    model = GPT(GPTConfig.gpt2(**SMALL))
    params = list(model.parameters())
    with pytest.raises(AssertionError):
        Optimizers([torch.optim.SGD(params[1:], lr=0.1)], model)
    with pytest.raises(AssertionError):
        Optimizers([torch.optim.SGD(params, lr=0.1), torch.optim.SGD(params[:1], lr=0.1)], model)


def test_a_rate_is_a_share_of_each_groups_own_peak():
    model = GPT(GPTConfig.modern(**SMALL))
    optimizers = make(model, config(lr=1e-3, muon_lr=0.02))
    for share in (0.5, 0.25, 1.0):
        optimizers.rate(share)
        assert sorted({group["lr"] for group in optimizers.groups}) == [1e-3 * share, 0.02 * share]


def test_an_unknown_optimiser_is_refused():
    with pytest.raises(ValueError, match="adamw or muon"):
        make(GPT(GPTConfig.gpt2(**SMALL)), config(optimizer="lion"))
