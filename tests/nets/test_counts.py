"""Counting by formula equals counting what is there."""

import random

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from groundup.nets.counts import activations, flops_per_token, memory, parameters, parts
from groundup.nets.gpt import GPT, GPTConfig
from groundup.nets.gpt2 import SIZES, sized


def drawn(seed, **over):
    pick = random.Random(seed)
    heads, D = pick.choice([1, 2, 4]), pick.choice([4, 8])
    fields = dict(
        vocab_size=pick.randint(5, 40),
        context=pick.randint(8, 24),
        layers=pick.randint(1, 3),
        heads=heads,
        width=heads * D,
        kv_heads=pick.choice([k for k in (0, 1, 2) if k == 0 or heads % k == 0]),
        hidden=pick.choice([0, 12]),
        position=pick.choice(["learned", "rope", "none"]),
        norm=pick.choice(["layer", "rms"]),
        mlp=pick.choice(["gelu", "relu2", "swiglu"]),
        bias=pick.random() < 0.5,
        tied=pick.random() < 0.5,
        qk_norm=pick.random() < 0.5,
        softcap=pick.choice([0.0, 10.0]),
        bigram=pick.random() < 0.3,
        before=pick.choice([0, 0, 2]),
        value_embeddings=pick.random() < 0.3,
    )
    return GPTConfig(**{**fields, **over})


@pytest.mark.parametrize("seed", range(20))
def test_parameters_equal_those_of_the_model(seed):
    model = GPT(config := drawn(seed))
    assert parameters(config) == sum(p.numel() for p in model.parameters())
    assert parts(config)["mlp"] == sum(p.numel() for block in model.blocks for p in block.mlp.parameters())
    assert parts(config)["attention"] == sum(p.numel() for b in model.blocks for p in b.attention.parameters())


@pytest.mark.parametrize("seed", range(10))
def test_operations_equal_what_torch_counts(seed):
    config = drawn(seed)
    T = max(1, config.context - 3)
    model, ids = GPT(config), torch.randint(config.vocab_size, (2, T))
    with FlopCounterMode(display=False) as forward:
        loss = model(ids, ids)
    with FlopCounterMode(display=False) as backward:
        loss.backward()
    assert forward.get_total_flops() == 2 * T * flops_per_token(config, T, training=False)
    assert forward.get_total_flops() + backward.get_total_flops() == 2 * T * flops_per_token(config, T)


def kept_numbers(model, ids):
    """What autograd keeps of a forward pass, each storage once, parameters and constants left out."""
    constant = {t.untyped_storage().data_ptr() for t in (*model.parameters(), *model.buffers())}
    kept = {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        if tensor.is_floating_point() and storage.data_ptr() not in constant:
            kept[storage.data_ptr()] = storage
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        model(ids, ids)
    return sum(storage.nbytes() for storage in kept.values()) // 4


@pytest.mark.parametrize("seed", range(10))
def test_activations_are_about_what_autograd_keeps(seed):
    config = drawn(seed)
    model, ids = GPT(config), torch.randint(config.vocab_size, (3, config.context))
    assert activations(config, 3) == pytest.approx(kept_numbers(model, ids), rel=0.2)


def test_memory_of_a_step_adds_up():
    config = sized("gpt2")
    spent = memory(config, batch=8, context=1024, optimizer="adamw")
    assert spent["parameters"] == spent["gradients"] == spent["optimizer"] / 2 == 4 * 124_439_808
    assert spent["total"] == sum(v for k, v in spent.items() if k != "total")
    half = memory(config, 8, 1024, dtype="bfloat16")
    assert half["activations"] == spent["activations"] / 2
    muon = memory(config, 8, 1024, optimizer="muon")
    assert spent["optimizer"] / 2 < muon["optimizer"] < spent["optimizer"]
    less = memory(GPTConfig.gpt2(checkpoint_activations=True), 8, 1024)
    assert less["activations"] < spent["activations"] / 2
    for bad in (dict(optimizer="adam"), dict(dtype="int8")):
        with pytest.raises(ValueError, match="one of"):
            memory(config, 8, **bad)


def test_the_published_sizes():
    assert [round(parameters(sized(name)) / 1e6) for name in SIZES] == [124, 355, 774, 1558]
