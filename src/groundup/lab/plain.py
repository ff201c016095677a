"""JSON has no number for NaN and the infinities: they are the words nan, inf and -inf (docs/runs.md)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def plain(value: Any) -> Any:
    """The value with NaN and the infinities as words, which JSON has no numbers for."""
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return str(float(value)) if isinstance(value, float) and not math.isfinite(value) else value
