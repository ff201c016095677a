"""`compare`: what was set differently, what came out, and whether that is more than the seeds make."""

import json
import re
from pathlib import Path

import pytest
from scipy import stats

from groundup.lab.statistics import holm


@pytest.fixture
def two(lab):
    """Three seeds at width 4 (counting-1 to 3), three at width 64 (counting-4 to 6)."""
    lab("run", "counting", "--seeds", "3")
    lab("run", "counting", "--seeds", "3", "--set", "width=64")
    return lab


def test_two_groups_are_told_apart_by_their_values_and_tested(two):
    found = two.object("compare", "counting-1..3", "counting-4..6")
    assert found["difference"] == {"width": [4, 64], "doubled": [8, 128]}
    assert [group["runs"] for group in found["groups"]] == [
        [f"counting-{i}" for i in ids] for ids in ((1, 2, 3), (4, 5, 6))
    ]
    with two.records() as kept:
        a, b = ([kept.find(str(i)).result["val_loss"] for i in ids] for ids in ((1, 2, 3), (4, 5, 6)))
    by_metric = {test["metric"]: test for test in found["tests"]}
    theirs = stats.ttest_ind(b, a, equal_var=False)
    assert (
        by_metric["val_loss"]["p"] == pytest.approx(theirs.pvalue) and by_metric["val_loss"]["group"] == "counting-4..6"
    )
    names = list(by_metric)
    assert [by_metric[n]["adjusted"] for n in names] == pytest.approx(holm([by_metric[n]["p"] for n in names]))
    assert found["metrics"]["val_loss"][0]["mean"] == pytest.approx(sum(a) / 3)
    assert by_metric["tokens_per_s"]["p"] == 1 and by_metric["tokens_per_s"]["difference"] == 0


def test_a_recipe_is_the_seeds_of_its_newest_values_and_says_what_it_leaves_out(two):
    found = two.object("compare", "counting", "counting-1")
    assert found["groups"][0]["runs"] == ["counting-4", "counting-5", "counting-6"]
    assert found["groups"][0]["left_out"] == ["counting-3", "counting-2", "counting-1"]
    assert [test["p"] for test in found["tests"]] == [None, None], "one run has no spread to test by"
    assert "too few runs to test" in two("compare", "counting", "counting-1")[1]


def test_the_same_seed_twice_counts_once(two):
    two("run", "counting", "--set", "width=64")
    assert two.object("compare", "counting", "counting-1")["groups"][0]["runs"] == [
        "counting-5",
        "counting-6",
        "counting-7",
    ]


def test_a_metric_that_is_named_is_the_only_one_and_the_family_is_smaller(two):
    found = two.object(
        "compare", "counting-1..3", "counting-4..6", "--metric", "val_loss", "--correction", "bonferroni"
    )
    assert list(found["metrics"]) == ["val_loss"] and len(found["tests"]) == 1
    assert found["tests"][0]["adjusted"] == found["tests"][0]["p"]


def test_curves_are_drawn_with_a_band(two, tmp_path):
    status, out, err = two("compare", "counting-1..3", "counting-4..6", "--plot", "curves.png", "--smooth", "0.5")
    assert status == 0 and "curves in curves.png" in out, err
    assert (tmp_path / "curves.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_what_cannot_be_compared_is_one_line(two):
    for arguments, said in [
        (["counting"], "name two or more to compare"),
        (["counting", "counting"], "is compared with itself"),
        (["counting", "counting-9"], "there is no run 'counting-9'"),
        (["counting-1..6", "counting"], "differ in width, doubled"),
        (["counting-7..9", "counting"], "there is no finished run in counting-7..9"),
        (["counting", "counting-1", "--metric", "accuracy"], "none of the runs has measured 'accuracy'"),
        (["counting", "counting-1", "--correction", "hope"], "there is no correction 'hope'"),
        (["counting", "counting-1", "--plot", "curves.txt"], "--plot writes a PNG"),
        (["counting", "counting-1", "--smooth", "1"], "--smooth is at least 0 and below 1"),
    ]:
        status, _, err = two("compare", *arguments)
        assert status == 2 and said in err and err.count("\n") == 1, (arguments, err)


def test_the_documentation_names_what_the_objects_hold(two):
    page = (Path(__file__).parents[2] / "docs" / "runs.md").read_text()
    examples = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", page, flags=re.DOTALL)]
    for found in (
        two.object("compare", "counting-1..3", "counting-4..6"),
        two.object("run", "counting", "--seeds", "2", "--set", "steps=10"),
    ):
        [example] = [each for each in examples if set(each) == set(found)]
        for part in ("groups", "tests", "claims", "runs"):
            if part in found:
                assert set(example[part][0]) == set(found[part][0])
    assert set(example["summary"]["val_loss"]) == set(found["summary"]["val_loss"])
