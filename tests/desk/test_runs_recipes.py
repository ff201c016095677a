"""Recipes are described by a process of their own, as they are and as their experiments take them."""

import json
import subprocess
import sys

import pytest

from groundup.desk.laboratory.described import Recipes, _read, describe
from groundup.desk.laboratory.promises import promises
from groundup.lab import recipe as recipes
from groundup.lab.record import Records
from groundup.lab.surroundings import reference_roots, source_hash

MOONS = 'title = "Moons"\nexperiment = "two_moons"\n[values]\nsteps = 5\n[claims]\ntest_accuracy = ["> 0.9", "mean - 1 sd > 0.8 over 3 seeds"]\n'


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Recipes of this test's own."""
    made = tmp_path / "recipes"
    made.mkdir()
    monkeypatch.setattr(recipes, "recipes_root", lambda: made)
    (made / "moons.toml").write_text(MOONS)
    return made


def test_a_recipe_tells_its_values_with_their_types(folder):
    found = describe("moons")
    kinds = {value["name"]: (value["kind"], value["value"]) for value in found["values"]}
    assert kinds["steps"] == ("whole number", 5) and kinds["noise"] == ("number", 0.1)
    assert found["config"]["steps"] == 5 and not found["resumes"] and not found["writes"] and not found["problem"]


def test_a_recipe_that_cannot_be_run_here_says_why(folder):
    (folder / "gone.toml").write_text('title = "Gone"\nexperiment = "nowhere"\n')
    (folder / "wrong.toml").write_text('title = "Wrong"\nexperiment = "two_moons"\n[values]\nwidht = 3\n')
    assert "is not installed here" in describe("gone")["problem"]
    assert "did you mean width?" in describe("wrong")["problem"]


def test_a_language_model_goes_on_and_writes():
    found = describe("shakespeare-char")
    assert found["resumes"] and found["writes"] and "temperature" in found["samples"]
    kinds = {value["name"]: value for value in found["values"]}
    assert kinds["tokenizer"]["choices"] == ["chars", "bpe", "gpt2"] and kinds["train.betas"]["kind"] == "list"


def test_every_recipe_is_described_by_another_process_which_is_asked_once(tmp_path):
    known = Recipes(tmp_path)
    assert known.now() == {}
    found = known.all()
    assert set(found) == set(recipes.names()) and not any(each.problem for each in found.values())
    assert known.all() is found and known.now() is found
    for name, each in found.items():
        assert {value.name for value in each.values} <= set(each.config), name


def test_to_describe_recipes_the_desk_itself_imports_no_torch():
    command = "import sys; import groundup.desk.app as app; app.all_routes(); assert 'torch' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", command], check=False).returncode == 0


def test_a_claim_is_held_against_the_runs_of_the_recipe_as_it_stands(folder, tmp_path):
    about = describe("moons")
    known = {"moons": read_back(about)}

    def told(kept):
        [found] = promises(kept, known)
        return [(each.kept, each.value, [row.name for row in each.by], each.note) for each in found.claims]

    with Records(tmp_path / "runs") as kept:
        assert told(kept) == [(None, "", [], ""), (None, "", [], "")]
        source = source_hash(reference_roots())

        def run(seed, value, source=source, mine=False, status="finished", **config):
            with kept.begin("moons", seed, {**about["config"], "seed": seed, **config}, source, mine) as made:
                made.end(status, {"test_accuracy": value})

        run(0, 0.99, mine=True)
        run(0, 0.99, width=3)
        run(0, 0.99, status="interrupted")
        run(7, 0.99)
        assert told(kept)[0][0] is None, "other libraries, values, endings and seeds prove nothing"
        run(0, 0.95)
        run(1, 0.97)
        assert told(kept) == [
            (True, "0.95", ["moons-5", "moons-6"], ""),
            (None, "", ["moons-5", "moons-6"], "2 of 3 seeds"),
        ]
        run(2, 0.5, source="older")
        assert told(kept)[0] == (False, "0.5", ["moons-7"], "measured on earlier sources")
        assert told(kept)[1][0] is False and told(kept)[1][3] == "measured on earlier sources"
        run(2, 0.96)
        assert [each[0] for each in told(kept)] == [True, True]
        json.dumps(told(kept))


def read_back(about):
    """What the desk makes of what the process says."""
    return _read(json.loads(json.dumps(about)))
