"""A laboratory of a test's own: a few recipes, their record, and the commands, run in this process or in one that can be killed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import platformdirs
import pytest

from groundup import cli
from groundup.lab import recipe
from groundup.lab.record import Records

from .launch import register

RECIPES = {
    "counting": 'title = "Counting"\nexperiment = "counting"\nexpect = "a moment"\n'
    '[values]\nsteps = 30\n[claims]\nval_loss = ["< 1", "mean + 2 sd < 0.3 over 3 seeds"]\n',
    "wide": 'title = "Counting, wide"\nexperiment = "counting"\n[values]\nwidth = 64\n[claims]\nval_loss = "< 1"\n'
    '[sweep]\n"optim.rate" = "0.01..1:log"\nwidth = "2..64"\n',
    "moons": 'title = "Moons"\nexperiment = "two_moons"\n[values]\nsteps = 5\n[claims]\ntest_accuracy = ">= 0"\n',
}


class Lab:
    """status, out, err = lab("run", "counting"); also `found`, the last line as JSON."""

    def __init__(self, folder, capsys):
        self.recipes, self.capsys = folder / "recipes", capsys
        self.recipes.mkdir()
        for name, text in RECIPES.items():
            (self.recipes / f"{name}.toml").write_text(text)

    def __call__(self, *arguments):
        self.capsys.readouterr()
        status = cli.run([str(argument) for argument in arguments])
        said = self.capsys.readouterr()
        return status, said.out, said.err

    def object(self, *arguments, status=0):
        """The JSON object in the last line."""
        ended, out, err = self(*arguments, "--json")
        assert ended == status, out + err
        return json.loads(out.strip().splitlines()[-1], parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))

    def records(self):
        return Records(Path(platformdirs.user_data_dir("groundup", appauthor=False)) / "runs")

    def launch(self, *arguments, **environment):
        """The same as a process of its own, its standard input held open."""
        command = [sys.executable, str(Path(__file__).with_name("launch.py")), str(self.recipes), *map(str, arguments)]
        going = subprocess.Popen(
            command,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.going.append(going)
        return going

    going = []


@pytest.fixture
def lab(tmp_path, monkeypatch, capsys):
    register()
    for name in ("HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    made = Lab(tmp_path, capsys)
    monkeypatch.setattr(recipe, "recipes_root", lambda: made.recipes)
    made.going = []
    yield made
    for going in made.going:
        if going.poll() is None:
            going.kill()
        going.communicate()
