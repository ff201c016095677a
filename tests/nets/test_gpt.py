"""The model: what it starts from, what it may see, that all of it learns, and how it speaks."""

import dataclasses
import math
import random

import pytest
import torch
from torch.nn import functional as F

from groundup.nets.cache import KVCache
from groundup.nets.gpt import GPT, GPTConfig, generate

SMALL = dict(vocab_size=23, context=16, layers=2, heads=4, width=32)
CONFIGS = {
    "gpt2": GPTConfig.gpt2(**SMALL),
    "modern": GPTConfig.modern(**SMALL),
    "llama": GPTConfig.modern(**SMALL, kv_heads=2, mlp="swiglu", qk_norm=False, zero_init=False),
    "tied": GPTConfig.modern(**SMALL, tied=True, softcap=15.0, kv_heads=1),
    "tables": GPTConfig.modern(**SMALL, bigram=True, before=2, value_embeddings=True, zero_init=False),
    "bag": GPTConfig.modern(**SMALL, position="none"),
}


@pytest.fixture(params=CONFIGS)
def model(request):
    torch.manual_seed(0)
    return GPT(CONFIGS[request.param])


def disturbed(model, scale=0.2):
    """Every parameter moved, so that nothing is zero by the start."""
    with torch.no_grad():
        for p in model.parameters():
            p.add_(scale * torch.randn_like(p))
    return model


def ids_for(model, B=3, T=12):
    return torch.randint(model.config.vocab_size, (B, T))


def test_the_first_loss_is_the_logarithm_of_the_vocabulary(model):
    ids, targets = ids_for(model, 8, 16), torch.randint(23, (8, 16))
    assert abs(model(ids, targets).item() - math.log(23)) < 0.03


def test_a_token_does_not_see_what_comes_after_it(model):
    disturbed(model).eval()
    ids = ids_for(model)
    other = ids.clone()
    other[:, 7] = (other[:, 7] + 1) % 23
    before, after = model(ids), model(other)
    assert torch.equal(before[:, :7], after[:, :7])
    assert (before[:, 7:] != after[:, 7:]).any(-1).all()


def test_a_gradient_reaches_every_parameter(model):
    ids = ids_for(disturbed(model))
    model(ids, ids.roll(-1, 1)).backward()
    still = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.abs().max() > 0]
    assert still == []


def test_one_batch_is_learned_by_heart(model):
    ids = ids_for(model, 4, 16)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2, betas=(0.8, 0.95), weight_decay=0.0)
    targets = torch.randint(23, (4, 16))
    if model.config.position == "none":
        targets = (ids + ids.cumsum(1)) % 23
    for _ in range(100):
        optimiser.zero_grad()
        loss = model(ids, targets)
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.1


def test_logits_and_loss_are_of_one_piece(model):
    ids, targets = ids_for(disturbed(model)), torch.randint(23, (3, 12))
    targets[0, 3:] = -1
    logits = model(ids)
    assert (logits.shape, logits.dtype) == ((3, 12, 23), torch.float32)
    counted = targets >= 0
    torch.testing.assert_close(model(ids, targets), F.cross_entropy(logits[counted], targets[counted]))


@pytest.mark.parametrize("name", sorted(CONFIGS.keys() - {"tables"}))
def test_cached_in_pieces_equals_the_whole(name):
    model = disturbed(GPT(CONFIGS[name])).eval()
    ids, cache = ids_for(model, 2, 16), KVCache(model.config, 2, 16)
    pieces = [model(piece, cache=cache) for piece in ids.split([5, 1, 1, 7, 2], dim=1)]
    assert cache.length == 16
    torch.testing.assert_close(torch.cat(pieces, 1), model(ids), atol=1e-5, rtol=1e-4)


def test_tables_of_tokens_before_refuse_a_cache_that_holds_tokens():
    model = GPT(CONFIGS["tables"])
    cache = KVCache(model.config, 1, 16)
    model(torch.zeros(1, 2, dtype=torch.int64), cache=cache)
    with pytest.raises(ValueError, match="tokens before"):
        model(torch.zeros(1, 1, dtype=torch.int64), cache=cache)


def test_a_table_of_earlier_tokens_is_read_at_the_place_before():
    model = GPT(GPTConfig.modern(**SMALL, before=2))
    ids = ids_for(model, 2, 6)
    added = model._embed(ids, 0) - model.tokens(ids)
    for t in range(6):
        expected = sum(model.earlier[k].weight[ids[:, t - k - 1]] for k in range(2) if t - k - 1 >= 0)
        torch.testing.assert_close(added[:, t], expected if t else torch.zeros_like(added[:, t]), atol=1e-6, rtol=1e-5)


def test_activation_checkpointing_changes_no_gradient(model):
    disturbed(model)
    twin = GPT(dataclasses.replace(model.config, checkpoint_activations=True))
    twin.load_state_dict(model.state_dict())
    ids = ids_for(model)
    for m in (model, twin):
        m(ids, ids).backward()
    for p, q in zip(model.parameters(), twin.parameters()):
        torch.testing.assert_close(p.grad, q.grad)


def test_bfloat16_autocast_stays_near(model):
    disturbed(model, 0.05)
    ids = ids_for(model)
    with torch.autocast("cpu", torch.bfloat16):
        loss = model(ids, ids)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, model(ids, ids), atol=0.03, rtol=0.02)


def test_the_start_has_the_variances_that_are_promised():
    torch.manual_seed(0)
    plain = GPT(GPTConfig.gpt2(vocab_size=300, context=64, layers=8, heads=4, width=64))
    for name, p in plain.named_parameters():
        if name.endswith("bias"):
            assert (p == 0).all(), name
        elif "norm" in name:
            assert (p == 1).all(), name
        else:
            residual = name.endswith(("attention.out.weight", "mlp.down.weight"))
            expected = 0.02 / math.sqrt(16) if residual else 0.02
            assert abs(p.std().item() / expected - 1) < 5 / math.sqrt(2 * p.numel()), name
            assert abs(p.mean().item()) < 5 * expected / math.sqrt(p.numel()), name


def test_zero_init_makes_every_block_the_identity():
    model = GPT(CONFIGS["modern"])
    x = torch.randn(2, 5, 32)
    assert torch.equal(model.blocks[0](x, model.rotary(0, 5)), x)
    assert (model(ids_for(model)) == 0).all()


def test_a_tied_head_is_one_parameter_with_both_gradients():
    model = disturbed(GPT(CONFIGS["tied"]))
    assert model.head.weight is model.tokens.weight
    apart = GPT(dataclasses.replace(model.config, tied=False))
    apart.load_state_dict(model.state_dict())
    ids = ids_for(model)
    for m in (model, apart):
        m(ids, ids.roll(-1, 1)).backward()
    torch.testing.assert_close(model.tokens.weight.grad, apart.tokens.weight.grad + apart.head.weight.grad)


def test_rotary_models_do_not_mind_where_a_text_begins():
    model = disturbed(GPT(CONFIGS["modern"])).eval()
    ids = ids_for(model, 2, 6)
    x, late = model.tokens(ids), model.rotary(9, 6)
    for block in model.blocks:
        x = block(x, late)
    torch.testing.assert_close(model.head(model.norm(x)), model(ids), atol=1e-4, rtol=1e-4)


def test_tables_of_tokens_before_add_what_they_say():
    model = disturbed(GPT(CONFIGS["tables"]))
    ids = ids_for(model, 2, 6)
    entered = []
    model.blocks[0].register_forward_pre_hook(lambda module, inputs: entered.append(inputs[0]))
    model(ids)
    for b in range(2):
        for t in range(6):
            here, one = ids[b, t], ids[b, t - 1] if t >= 1 else 0
            x = model.tokens.weight[here] + model.bigrams.weight[one * 23 + here]
            for k in (1, 2):
                if t >= k:
                    x = x + model.earlier[k - 1].weight[ids[b, t - k]]
            torch.testing.assert_close(entered[0][b, t], x)


def test_the_model_is_one_graph_for_the_compiler():
    model = GPT(CONFIGS["llama"])
    ids = ids_for(model)
    compiled = torch.compile(model, backend="eager", fullgraph=True)  # raises where the graph would break
    torch.testing.assert_close(compiled(ids, ids), model(ids, ids))


def test_softcap_bounds_the_logits():
    model = disturbed(GPT(CONFIGS["tied"]), 3.0)
    assert model(ids_for(model)).abs().max() <= 15.0


def test_a_text_longer_than_the_context_is_refused(model):
    with pytest.raises(ValueError, match="context"):
        model(ids_for(model, 1, 17))


@pytest.mark.parametrize(
    ("over", "says"),
    [
        ({"heads": 5}, "heads"),
        ({"kv_heads": 3}, "share"),
        ({"mlp": "tanh"}, "gelu"),
        ({"position": "sine"}, "rope"),
        ({"heads": 32}, "even"),
        ({"layers": 0}, "layers"),
        ({"dropout": 1.0}, "dropout"),
    ],
)
def test_configurations_that_do_not_fit_are_refused(over, says):
    with pytest.raises(ValueError, match=says):
        GPTConfig(**{**SMALL, **over})


def test_generation_crops_to_the_context_and_keeps_the_prompt(model):
    disturbed(model)
    ids = ids_for(model, 2, 10)
    longer = generate(model, ids, 20, torch.Generator().manual_seed(3))
    assert (longer.shape, longer.dtype) == ((2, 30), torch.int64)
    assert torch.equal(longer[:, :10], ids)
    assert model.training
    again = generate(model, ids, 20, torch.Generator().manual_seed(3))
    assert torch.equal(longer, again)


def test_generated_tokens_have_the_models_distribution():
    model = disturbed(GPT(GPTConfig.gpt2(**{**SMALL, "vocab_size": 5})), 0.3)
    prompt = torch.tensor([[1, 2, 3]])
    expected = model(prompt)[0, -1].softmax(-1)
    drawn = generate(model, prompt.expand(20_000, 3), 1, torch.Generator().manual_seed(0))[:, -1]
    seen = torch.bincount(drawn, minlength=5) / 20_000
    assert (seen - expected).abs().max() < 5 * 0.5 / math.sqrt(20_000)


def test_dropout_is_off_while_it_speaks_and_on_again_afterwards():
    model = disturbed(GPT(dataclasses.replace(CONFIGS["gpt2"], dropout=0.5)))
    ids = ids_for(model, 1, 8)
    a, b = (generate(model, ids, 8, torch.Generator().manual_seed(1)) for _ in range(2))
    assert torch.equal(a, b)
    assert model.training


def test_weights_of_a_short_context_fit_a_longer_one():
    short = disturbed(GPT(CONFIGS["modern"]))
    long = GPT(dataclasses.replace(short.config, context=64))
    long.load_state_dict(short.state_dict())
    ids = ids_for(short)
    assert torch.equal(short(ids), long(ids))


def test_random_configurations_run_forward_and_backward():
    pick = random.Random(5)
    for _ in range(10):
        heads, D = pick.choice([1, 2, 3, 4]), pick.choice([2, 4, 6])
        config = GPTConfig(
            vocab_size=pick.randint(2, 40),
            context=pick.randint(1, 12),
            layers=pick.randint(1, 3),
            heads=heads,
            width=heads * D,
            kv_heads=pick.choice([k for k in range(heads + 1) if k == 0 or heads % k == 0]),
            hidden=pick.choice([0, 5]),
            position=pick.choice(["learned", "rope", "none"]),
            norm=pick.choice(["layer", "rms"]),
            mlp=pick.choice(["gelu", "relu2", "swiglu"]),
            bias=pick.random() < 0.5,
            tied=pick.random() < 0.5,
            qk_norm=pick.random() < 0.5,
            dropout=pick.choice([0.0, 0.1]),
            value_embeddings=pick.random() < 0.5,
        )
        model = GPT(config)
        ids = torch.randint(config.vocab_size, (2, config.context))
        model(ids, ids).backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
