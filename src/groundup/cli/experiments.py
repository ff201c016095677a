"""`groundup run NAME`: an experiment, on the reference library or on the learner's own."""

from __future__ import annotations

import contextlib
import importlib
import time
from typing import Any

from ..lab import recipe as recipes


def run(name: str | None, mine: bool, settings: list[str]) -> int:
    """0 if every claim of the recipe holds, 1 if not."""
    if name is None:
        for each in recipes.names():
            print(f"{each:<16} {recipes.load(each).title}")
        return 0
    recipe = recipes.load(name)
    values = recipes.with_values(recipe, settings)
    experiment = importlib.import_module(f"groundup.experiments.{recipe.experiment}")
    begun = time.perf_counter()
    with _library(mine) as lib:
        metrics: dict[str, float] = experiment.run(values, lib, print)
    for metric, value in metrics.items():
        print(f"{metric:<24} {value:.4g}")
    print(f"{'seconds':<24} {time.perf_counter() - begun:.1f}")
    broken = recipes.broken_claims(recipe, metrics)
    for sentence in broken:
        print(f"claim not kept: {sentence}")
    return int(bool(broken))


@contextlib.contextmanager
def _library(mine: bool) -> Any:
    """The library that the experiment runs on: `lib.grad.mlp` is the learner's, or the reference's."""
    from ..course.overlay import Library

    if not mine:
        yield Library("groundup")
        return
    from ..course.blocks import library_of
    from ..course.workspace import find_workspace

    with library_of(find_workspace().root):
        yield Library("mine")
