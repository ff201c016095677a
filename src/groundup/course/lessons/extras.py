"""Packages that are not part of the core: which extra brings each, and whether it is here."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from functools import lru_cache

EXTRA_OF = {
    "torch": "torch",
    "safetensors": "torch",
    "regex": "text",
    "tiktoken": "text",
    "tokenizers": "text",
    "optuna": "sweep",
    "ray": "ray",
    "nbformat": "jupyter",
    "ipykernel": "jupyter",
}


def how_to_get(package: str) -> str:
    """The command that installs a package."""
    return f"pip install 'groundup[{EXTRA_OF[package]}]'" if package in EXTRA_OF else f"pip install {package}"


@lru_cache(maxsize=32)
def missing(packages: Iterable[str]) -> list[str]:
    """Those of the packages (a tuple of first names) that cannot be imported here."""
    return [name for name in packages if importlib.util.find_spec(name) is None]
