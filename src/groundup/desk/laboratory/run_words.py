"""How runs are told in words and numbers: short, exact, and never a bare `nan`."""

from __future__ import annotations

import json
import math
import shlex
import time
from collections.abc import Sequence
from typing import Any

from ...lab.claims import Kept
from ...lab.compare import Group, Test
from ...lab.statistics import Summary

SURE = 0.05  # an adjusted p below it is taken for more than chance
SIGNS = {"running": "◐", "finished": "●", "failed": "✗", "killed": "✗", "interrupted": "◌", "pruned": "◌"}
KINDS = {"finished": "pass", "failed": "miss", "killed": "miss", "running": "mark"}  # the rest is neither


def number(value: Any, digits: int = 5) -> str:
    """A metric or a configured value: 0.9831, 3e-04 as 0.0003, not a number, adamw."""
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    if isinstance(value, float) and not math.isfinite(value):
        return "not a number" if math.isnan(value) else "infinite" if value > 0 else "minus infinite"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.{digits}g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(number(each, digits) for each in value)
    return str(value) if value != "" else '""'


def seconds(value: float | None) -> str:
    """0.84 s, 38 s, 4 min 10 s, 3 h 20 min."""
    if value is None:
        return ""
    if value < 9.95:
        return f"{value:.2g} s" if value < 1 else f"{value:.1f} s"
    whole = round(value)
    if whole < 120:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 120:
        return f"{minutes} min {rest:02} s"
    return f"{minutes // 60} h {minutes % 60:02} min"


def when(begun: float, now: float | None = None) -> str:
    """just now, 12 min ago, today 09:41, 2026-03-01 09:41."""
    now = time.time() if now is None else now
    past, then, today = now - begun, time.localtime(begun), time.localtime(now)
    if 0 <= past < 60:
        return "just now"
    if 0 <= past < 3600:
        return f"{int(past // 60)} min ago"
    if then[:3] == today[:3]:
        return time.strftime("today %H:%M", then)
    return time.strftime("%Y-%m-%d %H:%M", then)


def size(count: int) -> str:
    """512 bytes, 3.4 KB, 12 MB."""
    if count < 1000:
        return f"{count} bytes"
    for unit, power in (("KB", 1e3), ("MB", 1e6), ("GB", 1e9)):
        if count < 999.5 * power or unit == "GB":
            return f"{count / power:.3g} {unit}"
    raise AssertionError


def setting(value: Any) -> str:
    """A value as `--set name=` takes it: true, 3e-4, [256, 128], adamw."""
    if isinstance(value, (bool, list, tuple)):
        return json.dumps(value)
    return str(value)


def quoted(text: str) -> str:
    """A word for a shell, in quotes where it needs them."""
    return shlex.quote(text)


def held(claims: Sequence[Kept]) -> str:
    """What became of a run's claims: kept, 1 of 3 NOT kept, or nothing where it has none."""
    missed = sum(not claim.kept for claim in claims)
    if not claims:
        return ""
    if not missed:
        return "kept"
    return "NOT kept" if missed == len(claims) else f"{missed} of {len(claims)} NOT kept"


def share(p: float) -> str:
    """A probability: 0.043, < 0.0001."""
    return "< 0.0001" if p < 1e-4 else f"{p:.2g}"


def interval(found: Summary) -> str:
    """The 95 % interval of a mean, or that there is none."""
    if found.n < 2 or not math.isfinite(found.low):
        return "one run has none" if found.n < 2 else "none"
    return f"{number(found.low)} to {number(found.high)}"


def sentence(test: Test, groups: Sequence[Group], correction: str, tests: int) -> str:
    """What one test says: which mean is higher, by how much, and whether that is more than the seeds make."""
    first, other = groups[0], next(each for each in groups if each.name == test.group)
    if not math.isfinite(test.difference):
        return f"{test.metric} is not a number for {other.name} or for {first.name}: there is nothing to compare."
    if test.difference == 0:
        said = f"{test.metric} is on average the same for {other.name} as for {first.name}"
    else:
        more = "higher" if test.difference > 0 else "lower"
        said = f"{test.metric} is {abs(test.difference):.4g} {more} for {other.name} than for {first.name}"
    counts = len(first.rows), len(other.rows)
    if test.p is None or test.adjusted is None or test.permutation is None:
        return (
            f"{said}. One run {'a' if counts == (1, 1) else 'on one'} side says nothing about chance: make more seeds."
        )
    verdict = "more than seeds make" if test.adjusted < SURE else "no more than seeds can make"
    p = f"p {_is(test.p)} by Welch's test"
    if correction != "none" and tests > 1:
        p += f", {_is(test.adjusted).lstrip('= ')} corrected for the {tests} tests made here"
    shuffled = f"{_is(test.permutation).lstrip('= ')} by shuffling the runs{_floor(counts)}"
    return f"{said} (95 % interval {signed(test.low)} to {signed(test.high)}). That is {verdict}: {p}; {shuffled}."


def _is(p: float) -> str:
    return share(p) if p < 1e-4 else f"= {share(p)}"


def _floor(counts: tuple[int, int]) -> str:
    """What shuffling so few runs can say at all."""
    least = min(1.0, 2 / math.comb(sum(counts), counts[0]))
    return "" if least <= SURE else f", which of {counts[0]} against {counts[1]} is never below {share(least)}"


def signed(value: float) -> str:
    """A difference with its sign: +0.025, −0.3."""
    if not math.isfinite(value):
        return number(value)
    return f"{value:+.4g}".replace("-", "−") if value else "0"
