"""Attention maps: rows are shares of the past, and with the layer's own values they give what the layer gives."""

import pytest
import torch

from groundup.nets.maps import attention_maps

from .small_models import gpt

KINDS = [
    {},
    {"kv_heads": 2},
    {"kv_heads": 1, "position": "learned", "norm": "layer", "bias": True, "qk_norm": False},
    {"position": "none", "value_embeddings": True},
    {"before": 2, "bigram": True, "heads": 8},  # heads of 4 numbers: a pass has 4 columns
    {"dropout": 0.5},
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("length", [1, 4, 9, 24])
def test_each_row_is_a_share_of_the_past(kind, length):
    model = gpt(**kind)
    maps = attention_maps(model, torch.randint(11, (3, length)))
    assert maps.shape == (2, 3, model.config.heads, length, length)
    assert maps.min() >= 0 and not maps.triu(1).any()
    torch.testing.assert_close(maps.sum(dim=-1), torch.ones(maps.shape[:-1], dtype=maps.dtype))


@pytest.mark.parametrize("kind", KINDS)
def test_weights_times_values_are_what_the_layer_gives(kind):
    model, ids = gpt(seed=1, **kind), torch.randint(11, (2, 17))
    seen = []
    for block in model.blocks:
        block.attention.register_forward_hook(lambda module, given, y: seen.append((module, *given[:3], y)))
    model(ids)
    inside = list(seen)
    for (attention, x, _, values, y), weights in zip(inside, attention_maps(model, ids)):
        v = x @ attention.qkv.weight[-attention.parts[2] :].T  # (B, T, K * D)
        if attention.qkv.bias is not None:
            v = v + attention.qkv.bias[-attention.parts[2] :]
        if values is not None:
            v = v + attention.value_scale * values
        for head in range(attention.heads):
            group = head // (attention.heads // attention.key_heads)
            D = attention.head_width
            inside_head = weights[:, head] @ v[..., group * D : (group + 1) * D]  # (B, T, D)
            y = y - inside_head @ attention.out.weight[:, head * D : (head + 1) * D].T
        rest = torch.zeros_like(y) if attention.out.bias is None else attention.out.bias.expand_as(y)
        torch.testing.assert_close(y, rest)


def test_the_scores_are_compared_by_a_loop():
    model, ids = gpt(seed=2, position="none", qk_norm=False), torch.randint(11, (1, 6))
    attention, D = model.blocks[0].attention, 8
    x = model.blocks[0].norm1(model.tokens(ids))[0]  # (T, C)
    q, k, _ = (x @ attention.qkv.weight.T).split(attention.parts, dim=-1)
    for head in range(4):
        of_head = slice(head * D, (head + 1) * D)
        for t in range(6):
            scores = torch.stack([q[t, of_head] @ k[s, of_head] / D**0.5 for s in range(t + 1)])
            found = attention_maps(model, ids)[0, 0, head, t, : t + 1]
            torch.testing.assert_close(found, scores.exp() / scores.exp().sum())


def test_the_model_is_left_as_it_was():
    model, ids = gpt(dropout=0.3).train(), torch.randint(11, (1, 5))
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    attention_maps(model, ids)
    assert model.training and all(block.attention.training for block in model.blocks)
    assert all(torch.equal(weight, before[name]) for name, weight in model.state_dict().items())
    assert not any(module._forward_pre_hooks for module in model.modules())


def test_a_text_longer_than_the_context_is_refused():
    with pytest.raises(ValueError, match="context"):
        attention_maps(gpt(), torch.zeros(1, 25, dtype=torch.int64))
