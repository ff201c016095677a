"""Speculative decoding: the target's distribution, by enumerating every way to every text, and by counting."""

import itertools

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from groundup.nets.sample import generate, warp
from groundup.nets.speculative import acceptance, residual, speculate, verify

from .small_models import Table, gpt


def chances(rng, *shape, dropped=False):
    """Distributions over the last axis; with `dropped` one token has none."""
    p = rng.dirichlet(np.full(shape[-1], 0.7), shape[:-1])
    if dropped:
        p[..., int(rng.integers(shape[-1]))] = 0
        p /= p.sum(axis=-1, keepdims=True)
    return torch.from_numpy(p)


@pytest.mark.parametrize("seed", range(20))
def test_kept_and_replaced_add_up_to_the_target(seed):
    rng = np.random.default_rng(seed)
    p, q = chances(rng, 5, 4, dropped=seed % 2 == 0), chances(rng, 5, 4, dropped=seed % 3 == 0)
    kept = q * acceptance(p, q)
    torch.testing.assert_close(kept, torch.minimum(p, q), rtol=1e-12, atol=1e-15)
    together = kept + (1 - kept.sum(dim=-1, keepdim=True)) * residual(p, q)
    torch.testing.assert_close(together, p, rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(residual(p, p), p)


def texts_and_their_chances(p, q, count, k):
    """Every text of `count` tokens after token 0, with its probability: a sum over what the draft may propose and the target may
    keep, with the library's rule. p, q (V, V): the next token's distribution after each.
    """
    accept, rest = acceptance(p, q), residual(p, q)
    found = {}

    def on(text, chance):
        if len(text) - 1 == count:
            found[text[1:]] = found.get(text[1:], 0.0) + chance
            return
        ahead = min(k, count - len(text))

        def propose(written, chance):
            at, i = written[-1], len(written) - len(text)
            if i == ahead:  # all were kept: the target adds one
                for token in range(len(p)):
                    on((*written, token), chance * float(p[at, token]))
                return
            rejected = 0.0
            for token in range(len(p)):
                proposed, kept = float(q[at, token]), float(accept[at, token])
                propose((*written, token), chance * proposed * kept)
                rejected += proposed * (1 - kept)
            for token in range(len(p)):
                on((*written, token), chance * rejected * float(rest[at, token]))

        propose(text, chance)

    on((0,), 1.0)
    return found


@pytest.mark.parametrize(("count", "k"), [(1, 3), (3, 1), (3, 2), (4, 3)])
def test_every_text_has_the_targets_probability(count, k):
    rng = np.random.default_rng(count + k)
    p, q = chances(rng, 2, 2), chances(rng, 2, 2)
    for text, chance in texts_and_their_chances(p, q, count, k).items():
        expected = np.prod([float(p[a, b]) for a, b in zip((0, *text), text)])
        assert chance == pytest.approx(expected, abs=1e-13)


@pytest.mark.parametrize("seed", range(3))
def test_verify_counts_as_the_rule_says(seed):
    rng, k, tokens, rows = np.random.default_rng(seed), 3, 3, 30_000
    p, q, proposed = chances(rng, k + 1, tokens), chances(rng, k, tokens), torch.from_numpy(rng.integers(0, tokens, k))
    accepted, following = verify(
        p.expand(rows, -1, -1), q.expand(rows, -1, -1), proposed.expand(rows, -1), torch.Generator().manual_seed(seed)
    )
    expected, so_far = np.zeros((k + 1, tokens)), 1.0
    for i, token in enumerate(proposed.tolist()):
        kept = min(1.0, float(p[i, token] / q[i, token]))
        left = (p[i] - q[i]).clamp(min=0).numpy()
        expected[i], so_far = so_far * (1 - kept) * left / left.sum(), so_far * kept
    expected[k] = so_far * p[k].numpy()
    counts = np.bincount((accepted * tokens + following).numpy(), minlength=expected.size)
    often = rows * expected.ravel() >= 5
    assert counts[expected.ravel() < 1e-12].sum() == 0
    have, want = np.append(counts[often], counts[~often].sum()), rows * np.append(expected.ravel()[often], 0.0)
    want[-1] = max(rows - want.sum(), 1e-9)
    assert chisquare(have[want > 1], want[want > 1] * have[want > 1].sum() / want[want > 1].sum()).pvalue > 1e-6


@pytest.mark.parametrize("settings", [{}, {"temperature": 0.6, "top_k": 2}])
def test_text_is_distributed_as_the_targets(settings):
    draft, target = 2 * torch.randn(2, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(5))
    models, generator, runs = (Table(draft), Table(target)), torch.Generator().manual_seed(0), 600
    counts = np.zeros((3, 3))
    for _ in range(runs):
        ids = speculate(*models, torch.zeros(1, 1, dtype=torch.int64), 2, k=2, generator=generator, **settings).ids
        counts[ids[0, 1], ids[0, 2]] += 1
    p = warp(target, **settings).softmax(dim=-1).numpy()
    expected = runs * p[0][:, None] * p
    assert counts[expected == 0].sum() == 0
    possible = expected > 0
    assert chisquare(counts[possible], expected[possible]).pvalue > 1e-6


@pytest.mark.parametrize("k", [1, 3, 7])
@pytest.mark.parametrize("seed", range(3))
def test_greedy_is_the_targets_greedy(k, seed):
    draft, target = gpt(seed, layers=1, width=16), gpt(seed + 10)
    ids = torch.tensor([[1, 2, 3]])
    out = speculate(draft, target, ids, 20, k=k, temperature=0.0)
    assert torch.equal(out.ids, generate(target, ids, 20, temperature=0.0))
    assert out.calls + out.accepted == 20 and out.accepted <= out.proposed


def test_a_draft_that_is_the_target_is_never_rejected():
    model = gpt()
    out = speculate(model, model, torch.tensor([[4]]), 20, k=4, generator=torch.Generator().manual_seed(0))
    assert out.accepted == out.proposed == 16 and out.calls == 4


def test_a_pass_reads_the_proposals_and_the_one_token_before_them():
    draft, target, read = gpt(1), gpt(2), []
    target.register_forward_hook(lambda module, inputs, output: read.append(inputs[0].shape[1]))
    out = speculate(draft, target, torch.tensor([[1, 2, 3]]), 20, k=4)
    assert len(read) == out.calls and read[0] == 7 and all(n <= 5 for n in read[1:])


@pytest.mark.parametrize(("shape", "k"), [((2, 3), 1), ((1, 0), 1), ((1, 23), 1), ((1, 3), 0)])
def test_what_it_cannot_do_is_refused(shape, k):
    with pytest.raises(ValueError, match=r"\d|one text"):
        speculate(gpt(), gpt(), torch.zeros(shape, dtype=torch.int64), 2, k=k)


def test_the_order_of_draft_and_target_matters():
    ids = torch.tensor([[1]])
    small, large = gpt(3, layers=1), gpt(4)
    texts = [speculate(*pair, ids, 10, temperature=0.0).ids for pair in itertools.permutations((small, large))]
    assert torch.equal(texts[0], generate(large, ids, 10, temperature=0.0))
    assert torch.equal(texts[1], generate(small, ids, 10, temperature=0.0))
