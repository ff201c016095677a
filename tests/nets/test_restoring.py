"""A model restored from arrays computes what the model computed that they came from."""

from dataclasses import asdict

import pytest
import torch

from groundup.nets.gpt import GPT, GPTConfig
from groundup.nets.restoring import restored

KINDS = [
    {},
    {"tied": True},
    {"before": 2, "value_embeddings": True, "kv_heads": 2},
    {"position": "learned", "bias": True},
]


def made(**over):
    torch.manual_seed(3)
    return GPT(
        GPTConfig(**{"vocab_size": 13, "context": 12, "layers": 2, "heads": 4, "width": 32, "zero_init": False, **over})
    )


def arrays(model):
    return {name: tensor.numpy().copy() for name, tensor in model.state_dict().items()}


@pytest.mark.parametrize("kind", KINDS)
def test_logits_are_the_same_bit_for_bit(kind):
    model, ids = made(**kind).eval(), torch.randint(13, (2, 9))
    weights = arrays(model)
    if kind.get("tied"):
        del weights["head.weight"]
    again = restored(asdict(model.config), weights)
    assert not again.training
    with torch.no_grad():
        assert torch.equal(again(ids), model(ids))


def test_weights_are_copied():
    model = made()
    weights = arrays(model)
    again = restored(asdict(model.config), weights)
    weights["tokens.weight"][:] = 0
    assert torch.equal(again.tokens.weight, model.tokens.weight)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda w: w.pop("head.weight"),
        lambda w: w.update(extra=w["head.weight"]),
        lambda w: w.update({"head.weight": w["head.weight"][:5]}),
    ],
)
def test_weights_of_another_model_are_refused(spoil):
    model = made()
    weights = arrays(model)
    spoil(weights)
    with pytest.raises(ValueError, match="another model"):
        restored(asdict(model.config), weights)
