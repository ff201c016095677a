"""The order of examples: a pure function, each once an epoch, shared out without overlap, whoever joins or leaves."""

import collections
import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.train import order

SEEDS = st.integers(0, 2**64 - 1)
SMALL = st.integers(1, 4)


@settings(max_examples=60, deadline=None)
@given(count=st.integers(1, 3000), key=SEEDS)
def test_permute_is_a_permutation(count, key):
    found = order.permute(np.arange(count), count, np.uint64(key))
    assert np.array_equal(np.sort(found), np.arange(count))


@settings(max_examples=40, deadline=None)
@given(count=st.integers(1, 2**62), key=SEEDS, data=st.data())
def test_permute_answers_for_some_places_as_for_all_of_them(count, key, data):
    places = np.array(data.draw(st.lists(st.integers(0, count - 1), max_size=20, unique=True)), dtype=np.int64)
    found = order.permute(places, count, np.uint64(key))
    one_by_one = [int(order.permute(np.array([p]), count, np.uint64(key))[0]) for p in places]
    assert found.tolist() == one_by_one
    assert len(set(one_by_one)) == len(places)
    assert all(0 <= f < count for f in one_by_one)


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_every_permutation_of_a_few_is_about_as_likely(count):
    """Chi-squared over all permutations; the bound is passed by chance once in a million."""
    from scipy.stats import chi2

    keys = np.repeat(order.epoch_keys(1, np.arange(6000)), count)
    shuffles = order.permute(np.tile(np.arange(count), 6000), count, keys).reshape(6000, count)
    seen = collections.Counter(map(tuple, shuffles.tolist()))
    every = list(itertools.permutations(range(count)))
    expected = len(shuffles) / len(every)
    statistic = sum((seen[p] - expected) ** 2 / expected for p in every)
    assert statistic < chi2.isf(1e-6, len(every) - 1)


@pytest.mark.parametrize("count", [97, 100])
def test_neighbours_are_torn_apart(count):
    """Places that follow each other land a third of the row apart on average, as in a fair shuffle."""
    gaps = [
        np.abs(np.diff(order.permute(np.arange(count), count, key))).mean()
        for key in order.epoch_keys(3, np.arange(100))
    ]
    assert abs(np.mean(gaps) - (count + 1) / 3) < 0.02 * count


def test_a_place_lands_anywhere():
    """First and last place of 10, chi-squared over 5,000 epochs."""
    from scipy.stats import chi2

    for place in (0, 9):
        found = order.permute(np.full(5000, place), 10, order.epoch_keys(7, np.arange(5000)))
        statistic = ((np.bincount(found, minlength=10) - 500) ** 2 / 500).sum()
        assert statistic < chi2.isf(1e-6, 9)


def test_seed_and_epoch_are_not_added_up():
    """Seed 1's first epoch is not seed 0's second."""
    shuffles = {
        tuple(order.permute(np.arange(50), 50, order.epoch_keys(seed, [epoch])[0]))
        for seed in range(12)
        for epoch in range(12)
    }
    assert len(shuffles) == 144


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, world=SMALL, batch=SMALL, accumulate=SMALL, count=st.integers(1, 60), first=st.integers(0, 50))
def test_each_epoch_has_every_example_once_over_all_ranks(seed, world, batch, accumulate, count, first):
    """Whole steps from any step on: what numbers they cover, they cover once, and each epoch's numbers are all the examples."""
    steps = range(first, first + 2 * count // (world * batch * accumulate) + 3)
    found = {}
    for step in steps:
        for rank in range(world):
            n = order.numbers(step, rank, world, batch, accumulate).ravel()
            which = order.indices(seed, step, rank, world, batch, accumulate, count).ravel()
            assert not found.keys() & set(n.tolist())  # ranks and steps are disjoint
            found |= dict(zip(n.tolist(), which.tolist()))
    assert sorted(found) == list(range(min(found), max(found) + 1))
    for epoch in {n // count for n in found}:
        examples = [found[n] for n in range(epoch * count, (epoch + 1) * count) if n in found]
        assert len(set(examples)) == len(examples)
        assert len(examples) < count or set(examples) == set(range(count))


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS, step=st.integers(0, 10**12), rank=st.integers(0, 7), count=st.integers(1, 10**9))
def test_a_step_is_a_function_of_its_position_alone(seed, step, rank, count):
    once = order.indices(seed, step, rank, 8, 3, 2, count)
    order.indices(seed + 1, 5, 0, 1, 7, 1, 11)  # whatever is asked in between
    assert np.array_equal(once, order.indices(seed, step, rank, 8, 3, 2, count))


@pytest.mark.parametrize("world, accumulate", [(1, 8), (2, 4), (4, 2), (8, 1)])
def test_a_step_is_the_same_examples_however_it_is_divided(world, accumulate):
    found = [order.indices(5, 123, rank, world, 3, accumulate, 1000) for rank in range(world)]
    whole = order.indices(5, 123, 0, 1, 24, 1, 1000)
    assert sorted(np.ravel(found)) == sorted(whole.ravel())


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS, sizes=st.lists(st.tuples(SMALL, SMALL, SMALL, SMALL), min_size=2, max_size=5))
def test_ranks_that_come_and_go_lose_and_repeat_nothing(seed, sizes):
    """Between any two steps world, batch and accumulation change, and the numbers go on."""
    step, taken, found = 0, 0, []
    for world, batch, accumulate, steps in sizes:
        for later in range(step, step + steps):
            for rank in range(world):
                found += order.numbers(later, rank, world, batch, accumulate, (step, taken)).ravel().tolist()
        step, taken = step + steps, taken + steps * world * batch * accumulate
    assert sorted(found) == list(range(taken))


def test_a_billion_examples_cost_no_more_than_ten():
    order.indices(0, 1, 0, 1, 16, 1, 10)
    tracemalloc.start()
    for count in (10, 10**9, 2**62):
        tracemalloc.reset_peak()
        before, _ = tracemalloc.get_traced_memory()
        order.indices(0, 10**9, 3, 8, 16, 2, count)
        _, peak = tracemalloc.get_traced_memory()
        assert peak - before < 100_000
    tracemalloc.stop()


@pytest.mark.parametrize(
    "arguments", [(0, 4, 4, 1, 1, 9), (0, -1, 2, 1, 1, 9), (0, 0, 1, 0, 1, 9), (0, 0, 1, 1, 0, 9), (0, 0, 1, 1, 1, 0)]
)
def test_what_cannot_be_is_refused(arguments):
    step, rank, world, batch, accumulate, count = arguments
    with pytest.raises(ValueError):
        order.indices(0, step, rank, world, batch, accumulate, count)


def test_no_order_before_its_beginning_and_no_place_outside():
    with pytest.raises(ValueError, match="step 4"):
        order.numbers(4, begin=(5, 100))
    with pytest.raises(ValueError, match=r"\[0, 5\)"):
        order.permute(np.array([5]), 5, np.uint64(0))
