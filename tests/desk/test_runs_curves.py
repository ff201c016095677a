"""Curves are thinned without losing a peak or a gap, bands lie around their mean, and what cannot be a number is a word."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.desk.laboratory import curves
from groundup.lab.compare import grouped
from groundup.lab.record import Records

VALUES = st.lists(st.floats(allow_nan=True, allow_infinity=True, width=32), min_size=1, max_size=400)


@settings(max_examples=200, deadline=None)
@given(VALUES, st.integers(8, 200))
def test_of_every_stretch_the_lowest_and_the_highest_stay_and_every_gap_is_seen(values, most):
    array = np.array(values)
    kept, every = curves.thinned(array, most)
    assert list(kept) == sorted(set(kept)) and kept[0] == 0 and kept[-1] == len(values) - 1
    assert len(kept) <= 3 * math.ceil(len(values) / every) + 2
    for start in range(0, len(values), every):
        stretch = array[start : start + every]
        inside = array[kept[(kept >= start) & (kept < start + every)]]
        finite = stretch[np.isfinite(stretch)]
        if finite.size:
            assert finite.min() in inside and finite.max() in inside
        if finite.size < stretch.size:
            assert not np.isfinite(inside).all()


def test_a_short_curve_is_whole_in_the_order_of_its_steps():
    found = curves.curve([(3, 0.5), (1, math.nan), (2, -math.inf), (4, math.inf)])
    assert found == {"steps": [1, 2, 3, 4], "values": ["nan", "-inf", 0.5, "inf"], "every": 1}
    json.dumps(found, allow_nan=False)


def test_a_long_curve_says_of_how_many_points_one_stretch_was():
    rows = [(step, 1.0 if step != 31_415 else 7.0) for step in range(100_000)]
    found = curves.curve(rows)
    assert found["every"] > 1 and len(found["steps"]) <= curves.THINNED * 1.1
    assert found["values"][found["steps"].index(31_415)] == 7.0
    assert found["steps"][0] == 0 and found["steps"][-1] == 99_999


@pytest.fixture
def kept(tmp_path):
    with Records(tmp_path / "runs") as made:
        yield made


def logged_run(kept, seed, values, **config):
    with kept.begin("moons", seed, {"seed": seed, **config}, "abc") as run:
        for step, value in enumerate(values):
            run.log(step, loss=value)
        run.end("finished", {"loss": values[-1]})
    return kept.find(run.name)


def test_what_is_logged_ends_at_the_row_that_is_named(kept):
    row = logged_run(kept, 0, [3.0, 2.0, 1.0])
    found = curves.logged(kept, row.id)
    assert found["metrics"]["loss"]["values"] == [3.0, 2.0, 1.0]
    assert found["last"] == kept.metrics(row.id)[-1][0]
    assert curves.logged(kept, row.id, "nothing") == {"last": found["last"], "metrics": {}}


def test_a_band_lies_around_its_mean_over_the_seeds(kept):
    rng = np.random.default_rng(0)
    rows = [logged_run(kept, seed, list(rng.normal(size=2500)), width=4) for seed in range(3)]
    rows += [logged_run(kept, 0, list(rng.normal(size=2500)), width=8)]
    found = curves.bands(grouped(rows), kept)["loss"]
    assert [each["seeds"] for each in found.values()] == [3, 1]
    for each in found.values():
        assert len(each["steps"]) <= curves.BAND
        assert all(low <= mean <= high for low, mean, high in zip(each["low"], each["mean"], each["high"]))
