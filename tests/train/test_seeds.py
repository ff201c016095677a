"""Generators: what is captured is what comes next, and what is isolated leaves no trace."""

import json
import random

import numpy as np
import pytest
import torch

from groundup.train import seeds


def draws():
    """A little of everything, with values that generators keep back (the second of a pair of normals)."""
    return [
        random.random(), random.gauss(0, 1), np.random.random(), np.random.standard_normal(),
        *torch.rand(2).tolist(), *torch.randn(17).tolist(), *torch.randperm(5).tolist(),
    ]  # fmt: skip


def own():
    kinds = {
        "pcg": np.random.default_rng(1), "philox": np.random.Generator(np.random.Philox(2)),
        "twister": np.random.Generator(np.random.MT19937(3)), "torch": torch.Generator().manual_seed(4),
        "python": random.Random(5),
    }  # fmt: skip
    return kinds


def draws_of(generators):
    found = []
    for generator in generators.values():
        if isinstance(generator, np.random.Generator):
            found += [*generator.normal(size=3), *generator.integers(0, 9, 3, dtype=np.int32)]
        elif isinstance(generator, torch.Generator):
            found += torch.randn(3, generator=generator).tolist()
        else:
            found += [generator.gauss(0, 1), generator.random()]
    return found


@pytest.mark.parametrize("seed", [0, 7, 2**32 + 5, 2**70])
def test_one_seed_sets_every_generator(seed):
    seeds.seed_everything(seed)
    first = draws()
    draws()
    seeds.seed_everything(seed)
    assert draws() == first


def test_seeds_differ_from_each_other():
    found = set()
    for seed in range(20):
        seeds.seed_everything(seed)
        found.add(tuple(draws()))
    assert len(found) == 20


@pytest.mark.parametrize("kept", ["as it is", "as JSON"])
def test_restored_generators_go_on_as_they_would_have(kept):
    seeds.seed_everything(3)
    generators = own()
    for used in range(4):  # also after an odd number of normals
        for _ in range(used):
            random.gauss(0, 1), np.random.standard_normal(), torch.randn(1)
            draws_of(generators)
        state = seeds.capture(**generators)
        if kept == "as JSON":
            state = json.loads(
                json.dumps({k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in state.items()})
            )
        truth = draws(), draws_of(generators)
        assert seeds.restore(state, **generators) == []
        assert (draws(), draws_of(generators)) == truth
        assert seeds.restore(state, **generators) == []  # twice: the state has not been used up
        assert (draws(), draws_of(generators)) == truth


def test_a_state_restores_into_fresh_generators():
    generators = own()
    draws_of(generators)
    state, truth = seeds.capture(**generators), draws_of(generators)
    others = own()
    seeds.restore(state, **others)
    assert draws_of(others) == truth


def test_capturing_draws_nothing_and_shares_nothing():
    seeds.seed_everything(1)
    truth = draws()
    seeds.seed_everything(1)
    state = seeds.capture()
    copies = {name: np.array(value, copy=True) for name, value in state.items() if isinstance(value, np.ndarray)}
    assert draws() == truth
    assert all(np.array_equal(state[name], copy) for name, copy in copies.items())


def test_a_state_holds_arrays_and_what_json_holds():
    for value in seeds.capture(**own()).values():
        assert isinstance(value, (np.ndarray, int, float, str, type(None)))


def test_generators_that_are_not_here_are_named():
    seeds.seed_everything(1)
    state = seeds.capture(mine=random.Random(0))
    state |= {"cuda:7.bytes": np.zeros(16, np.uint8)}
    assert seeds.restore(state) == ["cuda:7", "own:mine"]


def test_a_state_without_a_generator_is_refused_and_nothing_moves():
    seeds.seed_everything(1)
    state = seeds.capture()
    truth = draws()
    seeds.seed_everything(1)
    with pytest.raises(ValueError, match="own:mine"):
        seeds.restore({name: value for name, value in state.items()}, mine=random.Random(0))
    assert draws() == truth


def test_what_is_isolated_leaves_no_trace():
    seeds.seed_everything(1)
    truth = draws()
    seeds.seed_everything(1)
    with seeds.isolated(5):
        inside = draws()
    with pytest.raises(KeyError), seeds.isolated(5):
        assert draws() == inside
        raise KeyError
    with seeds.isolated():
        assert draws() == truth
    assert draws() == truth


@pytest.mark.parametrize("seed", [-1, 1.0, "1", True, None])
def test_what_is_no_seed_is_refused(seed):
    with pytest.raises(ValueError):
        seeds.seed_everything(seed)


def test_another_kind_of_generator_is_refused():
    with pytest.raises(TypeError, match="RandomState"):
        seeds.capture(old=np.random.RandomState(0))


def test_derived_seeds_are_fixed_and_do_not_meet():
    assert seeds.derive(0, "data") == 736872305540241488
    found = {
        seeds.derive(seed, *names) for seed in range(50) for names in [(), ("data",), ("dropout", 1), ("dropout", 11)]
    }
    assert len(found) == 200 and all(0 <= seed < 2**63 for seed in found)
