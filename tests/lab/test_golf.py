"""The leaderboard of parameter golf: what counts, what is a record, and that a file carries the sources that read it."""

import sys

import pytest

pytest.importorskip("torch")

from groundup.experiments import golf


def played(name, width, score, within=1.0, seed=0):
    config = {"seed": seed, "model.width": width, "train.seed": seed}
    return name, config, {"bits_per_byte": score, "bytes": 1000.0 + width, "within_budget": within}


def test_seeds_of_one_configuration_are_one_entry_and_the_best_comes_first():
    entries = golf.leaderboard([played("a", 1, 2.5), played("b", 2, 2.45), played("c", 1, 2.3, seed=1)])
    assert [entry.runs for entry in entries] == [("a", "c"), ("b",)]
    assert entries[0].bits_per_byte == (2.5, 2.3)


def test_what_is_beyond_a_budget_does_not_count():
    assert golf.leaderboard([played("a", 1, 1.0, within=0.0), ("b", {}, {})]) == []


def test_a_record_beats_the_last_by_more_than_the_seeds_do():
    def seeds(width, *scores):
        return [played(f"{width}-{i}", width, score, seed=i) for i, score in enumerate(scores)]

    runs = (
        seeds(1, 2.50, 2.51, 2.49)
        + seeds(2, 2.48, 2.51, 2.50)
        + seeds(3, 2.40, 2.41, 2.39)
        + seeds(4, 2.45, 2.46, 2.44)
    )
    found = {entry.runs[0]: entry for entry in golf.leaderboard(runs)}
    assert {name: entry.record for name, entry in found.items()} == {
        "1-0": True,
        "2-0": False,
        "3-0": True,
        "4-0": False,
    }
    assert found["3-0"].p < 0.05 < found["2-0"].p  # against 1, the record until then


def test_one_lucky_run_is_no_record():
    [entry] = golf.leaderboard([played("a", 1, 0.1)])
    assert not entry.record


def test_a_file_carries_the_sources_that_its_reader_needs():
    from groundup.nets import artifact, gpt

    found = golf.sources([gpt, artifact], "groundup")
    assert {
        "nets/gpt.py",
        "nets/attention.py",
        "nets/mlp.py",
        "nets/norm.py",
        "nets/rope.py",
        "nets/artifact.py",
    } <= set(found)
    assert b"class GPT(" in found["nets/gpt.py"]
    assert not [name for name in found if name.startswith(("lab", "course", "experiments"))]
    assert "groundup.nets.gpt" in sys.modules


def test_the_table_reads_as_markdown():
    beside = dict(ngram=2.2, zlib=3.2, bz2=2.6, lzma=2.9, lzma_primed=2.5)
    text = golf.table(golf.leaderboard([played("a", 1, 2.5), played("b", 1, 2.6, seed=1)]), beside)
    assert "| 2.5500 | 0.0707 | 2 | 1,001 |  | record | b |" in text and "ngram 2.200" in text


def test_no_time_to_train_is_refused():
    with pytest.raises(ValueError, match="no time"):
        golf.Config(seconds=5.0, reserve=6.0)
