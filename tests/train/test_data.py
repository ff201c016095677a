"""Batches: the right windows, targets one further, every token once, and nothing to save."""

import hashlib

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.train import shards
from groundup.train.data import Batches, documents, pack

SIZES = dict(context=st.integers(1, 12), batch=st.integers(1, 4), accumulate=st.integers(1, 3))


def in_shards(folder, ids, cuts=()):
    pieces = np.split(ids, sorted(cuts))
    for part, piece in enumerate(pieces):
        name = f"train-{part:05}.shard"
        shards.write(folder / name, piece, 70_000, hashlib.sha256(b"").hexdigest(), part=part, parts=len(pieces))
    return shards.ShardSet(folder)


def starts(batches, steps):
    """Where the windows of these steps begin, for ids 0, 1, 2, ..."""
    return np.concatenate([batches.at(step)[0][..., 0].numpy().ravel() for step in steps])


@settings(max_examples=50, deadline=None)
@given(n=st.integers(2, 300), seed=st.integers(0, 2**40), slide=st.booleans(), step=st.integers(0, 10**9), **SIZES)
def test_windows_are_runs_of_the_source_and_targets_follow(n, seed, slide, step, context, batch, accumulate):
    ids = np.arange(n) + 7
    batches = Batches(ids, min(context, n - 1), batch, seed=seed, accumulate=accumulate, slide=slide)
    x, y = batches.at(step)
    assert x.shape == y.shape == (accumulate, batch, batches.context)
    assert x.dtype == y.dtype == torch.int64
    assert torch.equal(y, x + 1)
    assert torch.equal(x[..., 1:], x[..., :-1] + 1)
    assert x.min() >= 7 and y.max() <= n + 6


@settings(max_examples=20, deadline=None)
@given(
    n=st.integers(2, 120),
    context=st.integers(1, 12),
    world=st.integers(1, 3),
    slide=st.booleans(),
    seed=st.integers(0, 99),
)
def test_every_token_but_the_first_is_a_target_in_every_epoch(n, context, world, slide, seed):
    context = min(context, n - 1)
    count = Batches(np.arange(n), context, 1, slide=slide).count
    ranks = [Batches(np.arange(n), context, 1, rank=r, world=world, seed=seed, slide=slide) for r in range(world)]
    rows = [ranks[number % world].at(number // world)[1].numpy().ravel() for number in range(3 * count)]
    for epoch in range(3):
        targets = np.concatenate(rows[epoch * count : (epoch + 1) * count])
        assert set(targets.tolist()) == set(range(1, n))
        assert len(targets) - (n - 1) < (2 if slide else 1) * context  # how many come twice


@settings(max_examples=30, deadline=None)
@given(cuts=st.lists(st.integers(0, 200), max_size=4), slide=st.booleans(), rank=st.integers(0, 1))
def test_shards_and_an_array_and_a_tensor_give_the_same_batches(tmp_path_factory, cuts, slide, rank):
    ids = np.random.default_rng(0).integers(0, 70_000, 200)
    sources = [in_shards(tmp_path_factory.mktemp("set"), ids, cuts), ids, ids.astype(np.uint32), torch.from_numpy(ids)]
    ways = [Batches(s, 16, 3, rank=rank, world=2, slide=slide) for s in sources]
    for step in range(6):
        found = [torch.stack(way.at(step)) for way in ways]
        assert all(torch.equal(found[0], other) for other in found)
    full = [[torch.stack(pair) for pair in way.full()] for way in ways]
    assert all(torch.equal(a, b) for other in full for a, b in zip(full[0], other))


def test_epochs_differ_and_seeds_differ():
    ids = np.arange(1001)
    rows = [tuple(starts(Batches(ids, 10, 4, seed=s), range(e * 25, e * 25 + 25))) for s in (0, 1) for e in (0, 1)]
    assert len(set(rows)) == 4
    assert len({tuple(sorted(row)) for row in rows}) == 1  # the same windows, each time in another order


def test_slid_windows_begin_elsewhere_each_epoch():
    ids = np.arange(201)
    batches = Batches(ids, 10, 1, slide=True)
    phases = [int(np.median(starts(batches, range(e * 21, e * 21 + 21)) % 10)) for e in range(60)]
    assert len(set(phases)) == 10


@settings(max_examples=40, deadline=None)
@given(
    changes=st.lists(st.tuples(*[st.integers(1, 3)] * 4), min_size=1, max_size=4),
    slide=st.booleans(),
    seed=st.integers(0, 9),
)
def test_a_run_resized_on_the_way_loses_and_repeats_nothing(changes, slide, seed):
    """All starts in the order of their numbers equal those of a run on one rank that takes one window a step."""
    ids = np.arange(64)
    batches, step, found = Batches(ids, 7, 2, seed=seed, slide=slide), 0, []
    for world, batch, accumulate, steps in changes:
        ranks = [batches.resized(step, batch=batch, accumulate=accumulate, rank=r, world=world) for r in range(world)]
        for later in range(step, step + steps):
            x = np.stack([r.at(later)[0][..., 0].numpy() for r in ranks], axis=1)  # (accumulate, world, batch)
            found.append(x.ravel())
        batches, step = ranks[0], step + steps
    found = np.concatenate(found)
    assert batches.taken(step) == len(found)
    assert np.array_equal(found, starts(Batches(ids, 7, 1, seed=seed, slide=slide), range(len(found))))
    if step > 1:
        with pytest.raises(ValueError, match="lies before"):
            batches.resized(step).at(step - 1)


@settings(max_examples=50, deadline=None)
@given(n=st.integers(2, 100), context=st.integers(1, 30), batch=st.integers(1, 4), world=st.integers(1, 3))
def test_the_full_split_has_every_target_once_and_in_order(n, context, batch, world):
    ids = np.random.default_rng(n).integers(0, 50, n)
    inputs, targets = [], []
    for rank in range(world):
        for x, y in Batches(ids, context, batch, rank=rank, world=world).full():
            assert x.shape == y.shape and 1 <= len(x) <= batch and x.shape[1] == context
            counted = y >= 0
            assert (x[~counted] == 0).all()
            assert (counted.long().diff(dim=-1) <= 0).all()  # what is not counted lies at the end
            inputs += [row[keep].tolist() for row, keep in zip(x, counted)]
            targets += [row[keep].tolist() for row, keep in zip(y, counted)]
    cut = [list(ids[1:][i : i + context]) for i in range(0, n - 1, context)]
    assert sorted(targets) == sorted(cut)
    assert sorted(inputs) == sorted(list(ids[:-1][i : i + context]) for i in range(0, n - 1, context))
    if world == 1:
        assert targets == cut


def test_batches_may_be_written_into():
    ids = np.arange(100)
    batches = Batches(ids, 9, 2)
    before = batches.at(0)[0].clone()
    for tensor in (*batches.at(0), *next(batches.full())):
        tensor.fill_(0)
    assert torch.equal(batches.at(0)[0], before)
    assert np.array_equal(ids, np.arange(100))


@pytest.mark.parametrize(
    "ids, options",
    [
        (np.zeros((3, 3), int), {}),
        (np.zeros(30), {}),
        (np.zeros(1, int), {}),
        (np.zeros(30, int), {"context": 0}),
        (np.zeros(30, int), {"batch": 0}),
        (np.zeros(30, int), {"rank": 1}),
        (np.zeros(30, int), {"accumulate": 0}),
    ],
)
def test_what_cannot_be_is_refused_at_once(ids, options):
    with pytest.raises(ValueError):
        Batches(ids, **({"context": 4, "batch": 2} | options))


def test_a_source_shorter_than_a_window_is_refused_for_training_and_taken_for_an_evaluation():
    batches = Batches(np.arange(5), 8, 2)
    with pytest.raises(ValueError, match="5 tokens"):
        batches.at(0)
    _, y = next(batches.full())
    assert y.tolist() == [[1, 2, 3, 4, -1, -1, -1, -1]]


def test_packed_documents_keep_every_token_and_end_in_end():
    packed = pack([[1, 2], [], np.array([3])], end=9)
    assert packed.tolist() == [1, 2, 9, 9, 3, 9] and packed.dtype == np.int64
    assert pack([], end=9).tolist() == []


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(st.lists(st.integers(0, 3), min_size=8, max_size=8), min_size=1, max_size=4))
def test_a_document_ends_behind_its_end(rows):
    x = torch.tensor(rows)
    expected = [[row[:i].count(3) for i in range(len(row))] for row in rows]
    assert documents(x, 3).tolist() == expected
