"""The learner's own language models: which runs have one, and what the sandbox has to be told to run it.

Weights are read here, from the run's safetensors file, and cross into the sandbox as arrays: a child has no files.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from ...lab import recipe as recipes
from ...lab.formats import Row
from ...lab.record import Records
from ...lab.sqlite import StoreError
from .computing import NotComputed

EXPERIMENT = "language_model"
FILES = ("model.safetensors", "tokenizer.json")
LARGEST = 60 << 20  # bytes of weights that cross into a sandbox
NEWEST = 12  # runs to choose from
TRAIN = "`groundup run shakespeare-char` trains one in 45 seconds"


def language_models(root: Path) -> dict[str, tuple[int, int]]:
    """The workspace's runs that have finished with a language model small enough, the newest first: name -> layers, heads."""
    folder = root / "runs"
    if not (folder / "runs.db").is_file():
        return {}
    with Records(folder) as records:
        rows = [row for row in records.runs() if row.status == "finished" and _is_language_model(row.recipe)]
    fitting = [row for row in rows if _fits(folder / row.name)][:NEWEST]
    return {row.name: (_whole(row, "model.layers"), _whole(row, "model.heads")) for row in fitting}


def told(root: Path, run: str) -> dict[str, Any]:
    """A run's model as values: the fields of its configuration, its weights, its tokenizer's file. NotComputed without one."""
    from safetensors import SafetensorError  # with torch, which not everybody has
    from safetensors.numpy import load_file

    folder = root / "runs" / run
    try:
        with Records(root / "runs") as records:
            row = records.find(run)
        weights = load_file(folder / FILES[0])
        tokenizer = (folder / FILES[1]).read_text(encoding="utf-8")
        return {"config": _configuration(row, weights), "weights": weights, "tokenizer": tokenizer}
    except (OSError, StoreError, SafetensorError, LookupError, TypeError, ValueError) as problem:
        raise NotComputed(f"the model of {run} cannot be read ({problem}): choose another one") from None


def _configuration(row: Row, weights: dict[str, Any]) -> dict[str, Any]:
    """The fields of the run's GPTConfig."""
    shape = {name.removeprefix("model."): value for name, value in row.config.items() if name.startswith("model.")}
    context = max(int(row.config["train.context"]), int(row.config.get("window", 0)))
    return {**shape, "vocab_size": len(weights["tokens.weight"]), "context": context, "dropout": 0.0}


def _whole(row: Row, name: str) -> int:
    value = row.config.get(name, 1)
    return value if isinstance(value, int) and value > 0 else 1


@lru_cache(maxsize=256)
def _is_language_model(recipe: str) -> bool:
    try:
        return recipes.load(recipe).experiment == EXPERIMENT
    except recipes.RecipeError:
        return False  # a recipe that is no longer there


def _fits(folder: Path) -> bool:
    files = [folder / name for name in FILES]
    return all(file.is_file() for file in files) and files[0].stat().st_size <= LARGEST
