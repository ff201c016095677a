"""Recipes fill a dataclass, refuse what it does not have, and every recipe that ships can be read."""

import importlib
import json
from dataclasses import dataclass, field
from typing import Literal

import pytest

from groundup.lab import recipe as recipes
from groundup.lab.recipe import Recipe, RecipeError, configure, flat, restore, shown

ELSEWHERE = {"char-lm", "stories-30m", "gpt2-124m"}  # on a text of one's own, or a machine that is not here: no claims


@dataclass(frozen=True)
class Optim:
    lr: float = 1e-3
    name: Literal["adam", "sgd"] = "adam"


@dataclass(frozen=True)
class Config:
    seed: int = 0
    widths: tuple[int, ...] = (256,)
    limit: float | None = None
    augment: bool = False
    optim: Optim = field(default_factory=Optim)

    @property
    def layers(self) -> int:
        return len(self.widths) + 1


def recipe(**values):
    return Recipe("r", "a recipe", "e", "", values, ())


def test_defaults_then_the_recipe_then_settings():
    config = configure(recipe(seed=3, optim={"lr": 0.5}), Config, ["optim.lr=3e-4", "widths=[8, 4]", "augment=true"])
    assert config == Config(3, (8, 4), None, True, Optim(3e-4))


def test_a_setting_may_be_a_bare_word_and_an_integer_serves_for_a_float():
    config = configure(recipe(), Config, ["optim.name=sgd", "optim.lr=1", "limit=2"])
    assert config.optim == Optim(1.0, "sgd") and type(config.optim.lr) is float and config.limit == 2.0


def test_every_value_is_shown_also_the_derived():
    assert shown(Config()) == {
        "seed": 0,
        "widths": (256,),
        "limit": None,
        "augment": False,
        "optim.lr": 1e-3,
        "optim.name": "adam",
        "layers": 2,
    }


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("optim.lrr=1", "did you mean optim.lr"),
        ("seed=1.5", "seed is of type int"),
        ("seed=x", "seed is of type int"),
        ("augment=1", "augment is of type bool"),
        ("optim.name=adamm", "optim.name is one of adam, sgd"),
        ("widths=3", "widths is a list"),
        ("seed", "write name=value"),
        ("layers=3", "there is no value 'layers'"),
    ],
)
def test_what_cannot_be_is_refused_with_what_could(setting, said):
    with pytest.raises(RecipeError, match=said):
        configure(recipe(), Config, [setting])


def test_an_unknown_value_of_a_recipe_is_refused():
    with pytest.raises(RecipeError, match="recipe r: there is no value 'sed': did you mean seed"):
        configure(recipe(sed=1), Config)


def test_a_recipe_file_with_an_unknown_part_or_a_bad_claim_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(recipes, "recipes_root", lambda: tmp_path)
    page = tmp_path / "r.toml"
    page.write_text('title = "t"\nexperiment = "e"\n[vales]\nseed = 1\n')
    with pytest.raises(RecipeError, match=r"unknown part 'vales': did you mean values"):
        recipes.load("r")
    page.write_text('title = "t"\nexperiment = "e"\n[claims]\naccuracy = "about 0.9"\n')
    with pytest.raises(RecipeError, match=r'write a sign and a number, such as "> 0.98"'):
        recipes.load("r")
    page.write_text('title = "t"\n')
    with pytest.raises(RecipeError, match="'experiment' is missing"):
        recipes.load("r")
    page.write_text("title =\n")
    with pytest.raises(RecipeError, match=r"r\.toml"):
        recipes.load("r")


def test_a_configuration_comes_back_from_its_record():
    config = Config(3, (8, 4), None, True, Optim(0.5, "sgd"))
    stored = json.loads(json.dumps(shown(config)))
    assert restore(Config, stored, "run r-1") == config
    with pytest.raises(RecipeError, match=r"run r-1: optim\.name is one of adam, sgd"):
        restore(Config, {**stored, "optim.name": "lion"}, "run r-1")
    assert restore(Config, {"seed": 3, "of an older version": 1}, "run r-1") == Config(3)


def test_a_metric_may_have_several_claims_and_a_recipe_a_space(tmp_path, monkeypatch):
    monkeypatch.setattr(recipes, "recipes_root", lambda: tmp_path)
    (tmp_path / "r.toml").write_text(
        'title = "t"\nexperiment = "e"\n[claims]\nloss = ["< 1.6", "mean + 2 sd < 1.6 over 5 seeds"]\nspeed = "> 3"\n'
        '[sweep]\n"optim.lr" = "1e-3..1:log"\n[sweep.model]\nwidth = [8, 16]\n'
    )
    loaded = recipes.load("r")
    assert [(claim.name, claim.seeds) for claim in loaded.claims] == [("loss", 0), ("loss", 5), ("speed", 0)]
    assert dict(flat(loaded.sweep)) == {"optim.lr": "1e-3..1:log", "model.width": [8, 16]}


@pytest.mark.parametrize("name", recipes.names())
def test_every_recipe_that_ships_fits_its_experiment(name):
    loaded = recipes.load(name)
    experiment = importlib.import_module(f"groundup.experiments.{loaded.experiment}")
    assert shown(configure(loaded, experiment.Config))["seed"] == 0
    assert callable(experiment.run) and callable(experiment.evaluate)
    assert loaded.claims or name in ELSEWHERE, "a recipe promises something"
    assert loaded.expect, "a recipe says what to expect, on which hardware"


def test_what_is_said_of_a_run_is_what_somebody_chose(tmp_path, monkeypatch):
    monkeypatch.setattr(recipes, "recipes_root", lambda: tmp_path)
    (tmp_path / "r.toml").write_text('title = "t"\nexperiment = "e"\n[values.optim]\nlr = 0.5\n')
    loaded, settings = recipes.load("r"), ["widths=[4]"]
    told = recipes.said(loaded, settings, configure(loaded, Config, settings))
    assert told.keys() >= {"seed", "widths", "optim.lr"} and "optim.name" not in told
