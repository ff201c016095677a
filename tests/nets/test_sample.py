"""Filters against transformers' own, draws against exact distributions, and text with a cache against text without."""

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from groundup.nets import gpt as gpts
from groundup.nets import sample

from .small_models import Table, gpt


def logits(seed, rows=4, tokens=12):
    return 2 * torch.randn(rows, tokens, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("seed", range(5))
def test_filters_are_those_of_transformers(seed):
    theirs = pytest.importorskip("transformers.generation.logits_process", reason="transformers is the oracle")
    x = logits(seed)
    for T in (0.3, 1.7):
        torch.testing.assert_close(sample.scale(x, T), theirs.TemperatureLogitsWarper(T)(None, x))
    for k in (1, 3, 12):
        torch.testing.assert_close(sample.keep_top_k(x, k), theirs.TopKLogitsWarper(k)(None, x))
    for p in (0.1, 0.5, 0.9, 0.99):
        torch.testing.assert_close(sample.keep_top_p(x, p), theirs.TopPLogitsWarper(p)(None, x))
    for p in (0.05, 0.3, 0.9):
        torch.testing.assert_close(sample.keep_min_p(x, p), theirs.MinPLogitsWarper(p)(None, x))
    chain = [theirs.TemperatureLogitsWarper(1.4), theirs.TopKLogitsWarper(9), theirs.TopPLogitsWarper(0.9)]
    expected = x
    for step in [*chain, theirs.MinPLogitsWarper(0.1)]:
        expected = step(None, expected)
    torch.testing.assert_close(sample.warp(x, temperature=1.4, top_k=9, top_p=0.9, min_p=0.1), expected)


@pytest.mark.parametrize("seed", range(5))
def test_at_least_the_most_probable_token_always_stays(seed):
    rng = np.random.default_rng(seed)
    x = logits(seed)
    settings = dict(temperature=rng.choice([0.0, 0.1, 3.0]), top_k=1, top_p=1e-9, min_p=1.0)
    for name, value in settings.items():
        left = sample.warp(x, **{name: value})
        assert (left.argmax(dim=-1) == x.argmax(dim=-1)).all() and (
            left.softmax(dim=-1).sum(dim=-1) - 1
        ).abs().max() < 1e-12


def test_filters_leave_their_input_alone_and_work_on_any_leading_axes():
    x = logits(0, 6, 8)
    before = x.clone()
    for settings in (dict(temperature=0.0), dict(top_k=3), dict(top_p=0.7), dict(min_p=0.2)):
        torch.testing.assert_close(sample.warp(x.view(2, 3, 8), **settings).view(6, 8), sample.warp(x, **settings))
    assert torch.equal(x, before)


def test_equals_are_kept_in_the_order_of_their_ids():
    x = torch.zeros(1, 5)
    assert sample.scale(x, 0.0)[0].tolist() == [0.0, *[-torch.inf] * 4]
    assert (sample.keep_top_p(x, 0.5)[0] == 0).tolist() == [True, True, True, False, False]
    assert torch.equal(sample.keep_top_k(x, 2), x) and torch.equal(sample.keep_min_p(x, 1.0), x)


@pytest.mark.parametrize(
    "settings",
    [dict(temperature=-1), dict(top_k=-1), dict(top_p=0.0), dict(top_p=1.1), dict(min_p=-0.1), dict(min_p=2)],
)
def test_settings_that_mean_nothing_are_refused(settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        sample.generate(Table(np.zeros((3, 3))), torch.zeros(1, 1, dtype=torch.int64), 1, **settings)


def test_entropy_rises_with_the_temperature():
    x, before = logits(3), torch.full((4,), -1.0, dtype=torch.float64)
    for T in (0.0, 0.2, 0.5, 1.0, 2.0, 10.0):
        p = sample.scale(x, T).softmax(dim=-1)
        entropy = -torch.special.xlogy(p, p).sum(dim=-1)
        assert (entropy > before).all()
        before = entropy


@pytest.mark.parametrize(
    "settings", [dict(), dict(temperature=0.5), dict(top_k=2), dict(temperature=1.5, top_p=0.8), dict(min_p=0.4)]
)
def test_text_is_distributed_as_the_filtered_model(settings):
    table, start = logits(1, 3, 3), torch.zeros(20_000, 1, dtype=torch.int64)
    ids = sample.generate(Table(table), start, 3, generator=torch.Generator().manual_seed(0), **settings)
    p = sample.warp(table, **settings).softmax(dim=-1)
    chances = torch.einsum("a,ab,bc->abc", p[0], p, p).flatten()  # of each text of three tokens
    counts = torch.bincount(ids[:, 1:] @ torch.tensor([9, 3, 1]), minlength=27)
    possible = chances > 0
    assert not counts[~possible].any()
    assert chisquare(counts[possible].numpy(), (20_000 * chances[possible]).numpy()).pvalue > 1e-6


@pytest.mark.parametrize("over", [dict(), dict(kv_heads=1, position="learned"), dict(kv_heads=2)])
@pytest.mark.parametrize("settings", [dict(temperature=0.0), dict(top_p=0.9), dict(top_k=4, min_p=0.1)])
def test_text_with_a_cache_is_text_without_far_beyond_the_context(over, settings):
    model = gpt(context=16, **over)
    ids = torch.randint(11, (2, 5), generator=torch.Generator().manual_seed(1))
    texts = [
        sample.generate(model, ids, 40, cache=cache, generator=torch.Generator().manual_seed(2), **settings)
        for cache in (True, False)
    ]
    assert torch.equal(*texts) and texts[0].shape == (2, 45)


def test_plain_text_is_that_of_the_models_own_generate():
    model, ids = gpt(), torch.tensor([[3], [5]])
    ours = sample.generate(model, ids, 20, generator=torch.Generator().manual_seed(7))
    assert torch.equal(ours, gpts.generate(model, ids, 20, generator=torch.Generator().manual_seed(7)))


@pytest.mark.parametrize("context", [1, 2, 3, 8, 9])
def test_the_window_is_never_longer_than_the_context_and_never_shorter_than_half(context):
    starts = [sample.window_start(n, context) for n in range(1, 60)]
    assert starts == sorted(starts) and starts[:context] == [0] * context
    for n, start in enumerate(starts, start=1):
        assert n - start <= context and (start == 0 or n - start > context - max(1, context // 2))


def test_a_cached_token_costs_one_position_and_a_move_of_the_window_its_length():
    model, read = gpt(context=16), []
    model.register_forward_hook(lambda module, inputs, output: read.append(inputs[0].shape[1]))
    ids = torch.zeros(1, 5, dtype=torch.int64)
    sample.generate(model, ids, 20)
    assert read == [5, *[1] * 11, 9, *[1] * 7]
    read.clear()
    sample.generate(model, ids, 10, cache=False)
    assert read == list(range(5, 15))


def test_a_stream_is_lazy_and_its_tokens_are_the_text():
    model, read = gpt(), []
    model.register_forward_hook(lambda module, inputs, output: read.append(1))
    ids = torch.tensor([[1, 2], [3, 4]])
    tokens = sample.stream(model, ids, 6, generator=torch.Generator().manual_seed(0))
    first = next(tokens)
    assert len(read) == 1 and first.shape == (2,)
    text = sample.generate(model, ids, 6, generator=torch.Generator().manual_seed(0))
    assert torch.equal(torch.stack([first, *tokens], dim=1), text[:, 2:])


def test_rows_that_stopped_wait_for_the_others():
    successor = torch.full((5, 5), -30.0)
    successor[torch.arange(5), torch.tensor([1, 2, 3, 4, 0])] = 30.0  # 0 1 2 3 4 0 ...
    ids = torch.tensor([[0], [2], [4]])
    text = sample.generate(Table(successor), ids, 10, stop=4)  # the prompt's own 4 stops nothing
    assert text.tolist() == [[0, 1, 2, 3, 4, 4], [2, 3, 4, 4, 4, 4], [4, 0, 1, 2, 3, 4]]
    assert sample.generate(Table(successor), ids[:1], 10, stop=[2, 4]).tolist() == [[0, 1, 2]]


def test_dropout_is_off_while_reading_and_as_it_was_afterwards():
    model = gpt(dropout=0.5)
    ids = torch.zeros(1, 3, dtype=torch.int64)
    quiet = sample.generate(model, ids, 8, temperature=0.0)
    model.train()
    assert torch.equal(sample.generate(model, ids, 8, temperature=0.0), quiet) and model.training
    assert not quiet.requires_grad


def test_nothing_to_read_is_refused():
    with pytest.raises(ValueError, match="at least one token"):
        sample.generate(Table(np.zeros((2, 2))), torch.zeros(1, 0, dtype=torch.int64), 1)
