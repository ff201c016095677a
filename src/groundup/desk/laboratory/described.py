"""What each recipe can be given, told by a process of its own: to ask an experiment is to import it, and some import torch.

    python -m groundup.desk.laboratory.described

prints one JSON object, recipe -> its values with their types, what it is as it stands, whether it can go on and write. The desk asks
once, when it is first needed, and again when a file of the recipes or the experiments has changed.
"""

from __future__ import annotations

import importlib
import inspect
import json
import os
import subprocess
import sys
import threading
import typing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...lab import recipe as recipes
from ...lab.plain import plain

PATIENCE = 120.0  # seconds
LISTS, NUMBERS = (list, tuple), (int, float)


@dataclass(frozen=True)
class Value:
    """One value of a recipe: its type in a word, what it is as the recipe stands, and its choices where it is one of a few."""

    name: str
    kind: str  # yes or no, whole number, number, text, list, choice
    value: Any
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Described:
    """A recipe's experiment, or why it cannot be asked here."""

    values: tuple[Value, ...] = ()
    config: typing.Mapping[str, Any] | None = (
        None  # as it is recorded, with what is derived; None where it could not be asked
    )
    resumes: bool = False
    samples: tuple[str, ...] = ()  # the options of its text, () where it writes none
    writes: bool = False
    problem: str = ""  # why it cannot be run here, in a sentence


class Recipes:
    """What is known of all recipes. `now` never waits, `all` does."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = threading.Lock()
        self._known: dict[str, Described] = {}
        self._mark = ""
        self._process: subprocess.Popen[bytes] | None = None

    def now(self) -> dict[str, Described]:
        """What is known already, {} before anybody has asked."""
        return self._known if self._mark == _mark() else {}

    def all(self) -> dict[str, Described]:
        """Every recipe, described; those that cannot be are there with the reason."""
        with self._lock:
            if (mark := _mark()) != self._mark:
                told = self._asked()
                self._known = {name: _read(told.get(name)) for name in recipes.names()}
                self._mark = mark if told else ""
            return self._known

    def close(self) -> None:
        """Ends the process, if it is at it."""
        if self._process is not None:
            self._process.kill()

    def _asked(self) -> dict[str, Any]:
        """What the process says; nothing, if it fails."""
        command = [sys.executable, "-m", __name__]
        environment = {**os.environ, "PYTHONSAFEPATH": "1"}
        pipes: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        try:
            with subprocess.Popen(command, cwd=self._root, env=environment, **pipes) as self._process:
                try:
                    said, _ = self._process.communicate(timeout=PATIENCE)
                finally:
                    self._process.kill()
            return dict(json.loads(said.splitlines()[-1]))
        except (OSError, subprocess.TimeoutExpired, ValueError, IndexError):
            return {}


def _mark() -> str:
    """Changes with the recipes and the experiments."""
    folders = (recipes.recipes_root(), Path(__file__).parents[2] / "experiments")
    files = [path for folder in folders for path in sorted(folder.iterdir()) if path.suffix in (".toml", ".py")]
    return repr([(path.name, path.stat().st_mtime_ns, path.stat().st_size) for path in files])


def _read(about: dict[str, Any] | None) -> Described:
    """What the process has said of a recipe."""
    if about is None:
        return Described(problem="it could not be read: load the page again")
    values = tuple(Value(v["name"], v["kind"], v["value"], tuple(v["choices"])) for v in about["values"])
    return Described(**{**about, "values": values, "samples": tuple(about["samples"])})


def describe(name: str) -> dict[str, Any]:
    """A recipe, as JSON can hold it. To be called where its experiment may be imported."""
    recipe = recipes.load(name)
    nothing: dict[str, Any] = {"values": [], "config": None, "resumes": False, "samples": [], "writes": False}
    try:
        experiment = importlib.import_module(f"groundup.experiments.{recipe.experiment}")
    except ModuleNotFoundError as problem:
        said = f"it needs {problem.name}, which is not installed here: `groundup doctor` says how to get it"
        return {**nothing, "problem": said}
    try:
        config = recipes.configure(recipe, experiment.Config)
    except recipes.RecipeError as problem:
        return {**nothing, "problem": str(problem)}
    shown, kinds = recipes.shown(config), recipes.kinds(type(config))
    text = getattr(experiment, "sample", None)
    options = inspect.signature(text).parameters if text else {}
    found: dict[str, Any] = plain(
        {
            "values": [{"name": key, "value": shown[key], **_kind(kinds[key])} for key in kinds],
            "config": json.loads(json.dumps(shown)),
            "resumes": bool(getattr(experiment, "RESUMES", False)),
            "samples": [key for key, each in options.items() if each.default is not inspect.Parameter.empty],
            "writes": text is not None,
            "problem": "",
        }
    )
    return found


def _kind(kind: Any) -> dict[str, Any]:
    if typing.get_origin(kind) is typing.Literal:
        return {"kind": "choice", "choices": [str(each) for each in typing.get_args(kind)]}
    allowed = [each for each in typing.get_args(kind) or (kind,) if each is not type(None)]
    if typing.get_origin(kind) in LISTS or kind in LISTS:
        said = "list"
    elif allowed == [bool]:
        said = "yes or no"
    elif float in allowed:
        said = "number"
    elif int in allowed:
        said = "whole number"
    else:
        said = "text"
    return {"kind": said, "choices": []}


if __name__ == "__main__":
    print(json.dumps({name: describe(name) for name in recipes.names()}))
