"""Claims: the numbers that a recipe promises, each a metric and a bar such as "> 0.98".

A bar such as "mean + 2 sd < 1.6 over 5 seeds" is held against several runs together, which differ in their seed; any other against
each run by itself. sd is the sample's standard deviation, with n - 1.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

SIGNS: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
BAR = re.compile(
    r"(?P<mean>mean\s*((?P<side>[+-])\s*(?P<deviations>[0-9.]+)\s*sd\s*)?)?"
    r"(?P<sign>>=|<=|>|<)\s*(?P<bound>[-+0-9.eE]+)"
    r"(\s*over\s+(?P<seeds>[0-9]+)\s+seeds)?"
)


class ClaimError(Exception):
    """A claim that cannot be read: which, and how one is written."""


@dataclass(frozen=True)
class Claim:
    """A metric, and the bar that it has to keep; seeds is 0 where every run by itself has to."""

    name: str
    bar: str  # as written: "> 0.98"
    sign: str
    bound: float
    seeds: int = 0
    deviations: float = 0.0  # how many standard deviations are added to the mean; below zero they are taken away


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
    """A claim from its metric and its bar. ClaimError if the bar cannot be read."""
    match = BAR.fullmatch(bar.strip()) if isinstance(bar, str) else None
    try:
        if match is None or bool(match["mean"]) != bool(match["seeds"]):
            raise ValueError
        seeds = int(match["seeds"] or 0)
        if match["seeds"] and seeds < 2:
            raise ValueError
        deviations = float(f"{match['side']}{match['deviations']}") if match["side"] else 0.0
        return Claim(name, bar.strip(), match["sign"], float(match["bound"]), seeds, deviations)
    except ValueError:
        raise ClaimError(
            f'the claim on {name} is {bar!r}: write a sign and a number, such as "> 0.98";'
            ' over several runs "mean + 2 sd < 1.6 over 5 seeds"'
        ) from None


def parse_claims(name: str, bars: Any) -> tuple[Claim, ...]:
    """The claims on a metric: one bar, or a list of them."""
    return tuple(parse_claim(name, bar) for bar in (bars if isinstance(bars, list) else [bars]))


def hold(claims: Iterable[Claim], metrics: Mapping[str, float]) -> list[Kept]:
    """Each claim on a single run against its metrics."""
    return [_kept(claim, metrics.get(claim.name)) for claim in claims if not claim.seeds]


def hold_over(claims: Iterable[Claim], results: Sequence[Mapping[str, float]]) -> list[Kept]:
    """Each claim on several runs against the metrics of them all; one that asks for more seeds than there are is left out."""
    from .statistics import mean_and_sd  # NumPy with it: the map reads claims, and does without

    held = []
    for claim in claims:
        if 0 < claim.seeds <= len(results):
            values = [metrics[claim.name] for metrics in results if claim.name in metrics]
            value = None
            if len(values) == len(results):
                mean, sd = mean_and_sd(values)
                value = mean + claim.deviations * sd
            held.append(_kept(claim, value))
    return held


def seeds_asked(claims: Iterable[Claim]) -> int:
    """How many runs it takes to hold every claim."""
    return max((claim.seeds for claim in claims), default=0) or 1


def _kept(claim: Claim, value: float | None) -> Kept:
    return Kept(claim.name, claim.bar, value, value is not None and SIGNS[claim.sign](value, claim.bound))
