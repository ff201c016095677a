"""Numbers and sentences about runs: exact, short, and true to what the tests say."""

import math
import re

import pytest

from groundup.desk.laboratory import run_words as words
from groundup.lab.compare import compared, group, grouped
from groundup.lab.record import Records


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.98312345, "0.98312"), (3, "3"), (49568, "49,568"), (True, "yes"), (None, "none"), ("adamw", "adamw"), ([256, 128], "256, 128"),
     (math.nan, "not a number"), (-math.inf, "minus infinite"), ("", '""'), (0.0, "0")],
)  # fmt: skip
def test_a_value_is_told_as_a_person_writes_it(value, said):
    assert words.number(value) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(None, ""), (0.004, "0.004 s"), (9.4, "9.4 s"), (38.2, "38 s"), (250, "4 min 10 s"), (12_000, "3 h 20 min")],
)
def test_a_time_is_told_in_the_unit_that_fits(seconds, said):
    assert words.seconds(seconds) == said


@pytest.mark.parametrize(
    ("count", "said"), [(512, "512 bytes"), (3400, "3.4 KB"), (999_999, "1 MB"), (7 * 10**9, "7 GB")]
)
def test_a_size_is_told_in_three_digits(count, said):
    assert words.size(count) == said


@pytest.fixture
def kept(tmp_path):
    with Records(tmp_path / "runs") as made:
        yield made


def runs(kept, width, values):
    for seed, value in enumerate(values):
        with kept.begin("moons", seed, {"seed": seed, "width": width}, "abc") as run:
            run.end("finished", {"accuracy": value})


def sentence(kept, correction="holm"):
    groups = grouped(kept.runs()[::-1])
    tests = compared(groups, correction=correction)
    return [words.sentence(test, groups, correction, sum(t.p is not None for t in tests)) for test in tests]


def test_a_difference_that_the_seeds_cannot_make_is_said_with_its_interval_and_both_tests(kept):
    runs(kept, 4, [0.90, 0.91, 0.905, 0.9])
    runs(kept, 64, [0.99, 0.991, 0.989, 0.99])
    [said] = sentence(kept)
    assert "accuracy is 0.08625 higher for moons-8 and 3 more than" not in said, "the oldest names the group"
    assert "accuracy is 0.08625 higher for moons-5 and 3 more than for moons-1 and 3 more" in said
    assert "more than seeds make" in said and "no more" not in said
    assert re.search(r"p [<=] 0\.0\d+ by Welch's test; 0\.029 by shuffling the runs\.$", said)


def test_a_difference_that_seeds_can_make_is_not_called_one(kept):
    runs(kept, 4, [0.90, 0.95, 0.99])
    runs(kept, 64, [0.91, 0.96, 0.98])
    [said] = sentence(kept)
    assert "no more than seeds can make" in said and "which of 3 against 3 is never below 0.1" in said


def test_single_runs_say_nothing_about_chance(kept):
    runs(kept, 4, [0.9])
    runs(kept, 64, [0.8])
    [said] = sentence(kept)
    assert (
        said.startswith("accuracy is 0.1 lower for moons-2 than for moons-1.") and "says nothing about chance" in said
    )


def test_what_is_no_number_is_not_compared(kept):
    runs(kept, 4, [0.9, 0.8])
    runs(kept, 64, [math.nan, 0.8])
    [said] = sentence(kept)
    assert "not a number" in said and "nothing to compare" in said


def test_several_tests_are_said_to_be_corrected_for(kept):
    for width in (4, 8, 16):
        runs(kept, width, [0.9 + width / 1000, 0.91 + width / 1000])
    first, second = sentence(kept)
    assert "corrected for the 2 tests made here" in first and "corrected for the 2 tests made here" in second
    assert all("corrected" not in said for said in sentence(kept, "none"))
    assert group("moons-1..2", kept).rows
