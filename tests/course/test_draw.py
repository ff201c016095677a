"""Both engines keep what the interface promises: ranges, shapes, dtypes; a seed draws the same again."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.course.lessons.draw import SearchedDraw, SeededDraw


def everything(draw):
    return {
        "integer": draw.integer(2, 9),
        "negative": draw.integer(-5, 5),
        "boolean": draw.boolean(),
        "choice": draw.choice(["a", "b", "c"]),
        "integers": draw.integers(-3, 3, 2, 3),
        "normal": draw.normal(3),
        "one": draw.normal(),
        "uniform": draw.uniform(-2.5, 0.5, 4, 5),
        "log": draw.log_uniform(1e-3, 1e3),
        "logs": draw.log_uniform(1e-3, 1e3, 30),
        "shape": draw.shape((1, 3), (2, 4)),
        "permutation": draw.permutation(5),
        "seed": draw.seed(),
    }


def holds(drawn):
    assert 2 <= drawn["integer"] <= 9 and -5 <= drawn["negative"] <= 5
    assert isinstance(drawn["boolean"], bool) and drawn["choice"] in "abc"
    assert drawn["integers"].shape == (2, 3) and drawn["integers"].dtype == np.int64
    assert np.abs(drawn["integers"]).max() <= 3
    assert drawn["normal"].shape == (3,) and drawn["normal"].dtype == np.float64
    assert isinstance(drawn["one"], float)
    assert drawn["uniform"].shape == (4, 5)
    assert drawn["uniform"].min() >= -2.5 and drawn["uniform"].max() <= 0.5
    for value in (drawn["log"], *drawn["logs"]):
        assert 1e-3 * 0.999 <= value <= 1e3 * 1.001
    assert 1 <= len(drawn["shape"]) <= 3 and all(2 <= side <= 4 for side in drawn["shape"])
    assert sorted(drawn["permutation"]) == list(range(5))
    assert drawn["seed"] >= 0


@pytest.mark.parametrize("seed", range(50))
def test_the_seeded_engine_keeps_the_interface(seed):
    holds(everything(SeededDraw(seed)))


@given(st.data())
@settings(deadline=None)
def test_the_searched_engine_keeps_the_interface(data):
    holds(everything(SearchedDraw(data)))


def test_a_seed_draws_the_same_again():
    first, second = everything(SeededDraw(7, 1, 2)), everything(SeededDraw(7, 1, 2))
    for name, value in first.items():
        np.testing.assert_array_equal(value, second[name])
    assert everything(SeededDraw(8, 1, 2))["one"] != first["one"]
