"""Claims: the numbers that a recipe promises, each a metric and a bar such as "> 0.98"."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

SIGNS: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


class ClaimError(Exception):
    """A claim that cannot be read: which, and how one is written."""


@dataclass(frozen=True)
class Claim:
    """A metric, and the bar that it has to keep."""

    name: str
    bar: str  # as written: "> 0.98"
    sign: str
    bound: float


@dataclass(frozen=True)
class Kept:
    """A claim held against what was measured; a metric that is not there (None) or NaN keeps nothing."""

    name: str
    bar: str
    value: float | None
    kept: bool

    def as_json(self) -> dict[str, Any]:
        """The object that `--json` prints for it."""
        return asdict(self)


def parse_claim(name: str, bar: str) -> Claim:
    """A claim from its metric and its bar. ClaimError if the bar is not a sign and a number."""
    match = re.fullmatch(r"\s*(>=|<=|>|<)\s*([-+0-9.eE]+)\s*", bar) if isinstance(bar, str) else None
    try:
        if match is None:
            raise ValueError
        return Claim(name, bar.strip(), match[1], float(match[2]))
    except ValueError:
        raise ClaimError(f'the claim on {name} is {bar!r}: write a sign and a number, such as "> 0.98"') from None


def hold(claims: Iterable[Claim], metrics: Mapping[str, float]) -> list[Kept]:
    """Each claim against the metrics."""
    held = []
    for claim in claims:
        value = metrics.get(claim.name)
        kept = value is not None and SIGNS[claim.sign](value, claim.bound)
        held.append(Kept(claim.name, claim.bar, value, kept))
    return held
