"""Which of many alike are looked at in every run of the suite, and which by `make peers` alone."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest


def some(items: Iterable[Any], now: Callable[[Any], bool]) -> list[Any]:
    """All items as parameters; those for which `now` is false are marked `thorough`."""
    return [pytest.param(item, marks=() if now(item) else pytest.mark.thorough) for item in items]
