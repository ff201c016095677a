"""Kneser-Ney against its definition, and as a distribution."""

from collections import Counter

import numpy as np
import pytest

from groundup.data.catalogue import DataError
from groundup.data.loading import tinyshakespeare
from groundup.text.chars import Chars
from groundup.text.ngram import KneserNey


def by_definition(train, vocab_size, order, history, token):
    """Chen and Goodman's recursion, with dictionaries of tuples."""
    grams = {k: Counter(tuple(train[i : i + k]) for i in range(len(train) - k + 1)) for k in range(1, order + 1)}
    counts = {order: grams[order]}
    for k in range(1, order):
        before = Counter(gram[1:] for gram in grams[k + 1])
        counts[k] = {gram: max(before[gram], 1) for gram in grams[k]}

    def discounts(k):
        n = [max(sum(c == i for c in counts[k].values()), 1) for i in range(5)]
        share = n[1] / (n[1] + 2 * n[2])
        raw = [i - (i + 1) * share * n[i + 1] / n[i] for i in (1, 2, 3)]
        return [min(max(d, 0.05), most) for d, most in zip(raw, (0.95, 1.9, 2.85))]

    def p(k, context, token):
        if k == 0:
            return 1 / vocab_size
        lower = p(k - 1, context[1:], token)
        after = {gram: c for gram, c in counts[k].items() if gram[:-1] == context}
        if not after:
            return lower
        ds = discounts(k)
        freed = sum(ds[min(c, 3) - 1] for c in after.values())
        own = after.get((*context, token))
        return ((own - ds[min(own, 3) - 1] if own else 0.0) + freed * lower) / sum(after.values())

    longest = min(order, len(history) + 1)
    return p(longest, tuple(history[len(history) - longest + 1 :]), token)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_probabilities_equal_the_definition(order):
    rng = np.random.default_rng(order)
    for _ in range(4):
        train, ids = rng.integers(0, 4, 60), rng.integers(0, 4, 12)
        got = KneserNey(order).fit(train, 5).probabilities(ids)
        expected = [by_definition(train.tolist(), 5, order, ids[:i].tolist(), int(ids[i])) for i in range(12)]
        np.testing.assert_allclose(got, expected, atol=1e-12)


def test_probabilities_of_what_may_come_sum_to_one():
    rng = np.random.default_rng(0)
    model = KneserNey(4).fit(rng.integers(0, 6, 200), 8)
    for _ in range(20):
        context = rng.integers(0, 8, rng.integers(0, 6))
        total = sum(model.probabilities(np.append(context, token))[-1] for token in range(8))
        assert total == pytest.approx(1.0, abs=1e-12)


def test_a_longer_context_predicts_shakespeare_better():
    try:
        text = tinyshakespeare()[:300_000]
    except DataError as problem:
        pytest.skip(str(problem))
    chars = Chars.of(text)
    ids, end = chars.encode(text), len(text) * 9 // 10
    losses = [KneserNey(order).fit(ids[:end], chars.vocab_size).nats_per_token(ids[end:]) for order in (1, 3, 5)]
    assert losses[0] > losses[1] > losses[2] and losses[2] < 2.0


def test_what_it_cannot_count_is_refused():
    with pytest.raises(ValueError, match="order"):
        KneserNey(0)
    for ids in (np.array([]), np.array([0.5]), np.array([[1]]), np.array([3]), np.array([-1])):
        with pytest.raises(ValueError, match="ids are"):
            KneserNey(2).fit(ids, 3)
