"""What runs gave: for a person, and as the objects of `--json` (docs/runs.md)."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..lab.claims import Kept
from ..lab.formats import Row
from ..lab.plain import plain
from ..lab.recipe import held_by
from ..lab.record import Records
from ..lab.statistics import summary


def tell(row: Row, held: Sequence[Kept], kept: Records) -> None:
    """What a run gave, for a person."""
    for metric, value in row.result.items():
        print(f"{metric:<24} {value:.5g}")
    print(f"{'seconds':<24} {row.seconds or float('nan'):.1f}")
    for claim in held:
        print(of_claim(claim))
    print(f"{row.name} is in {kept.folder / row.name}")
    for name in kept.artifacts(row.id):
        print(f"  {name}")


def summaries(rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    """Mean, spread and interval of each metric that every one of the runs has."""
    if not rows:
        return {}
    shared = [name for name in rows[0].result if all(name in row.result for row in rows)]
    return {name: vars(summary([row.result[name] for row in rows])) for name in shared}


def table_of(found: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    """The summaries as lines."""
    if found:
        yield f"{'':<24} {'mean':>10} {'sd':>10}   95 % interval of the mean"
    for name, each in found.items():
        line = f"{name:<24} {each['mean']:>10.5g} {each['sd']:>10.2g}"
        yield line if math.isnan(each["low"]) else f"{line}   {each['low']:.5g} to {each['high']:.5g}"


def as_object(row: Row, held: Sequence[Kept], kept: Records) -> dict[str, Any]:
    """The object of `--json`, schema 1 (docs/runs.md)."""
    found: dict[str, Any] = plain(
        {
            "schema": 1,
            "run": row.name,
            "recipe": row.recipe,
            "status": row.status,
            "seed": row.seed,
            "mine": row.mine,
            "attempts": len(kept.attempts(row.id)),
            "seconds": None if row.seconds is None else round(row.seconds, 2),
            "config": row.config,
            "metrics": row.result,
            "claims": [claim.as_json() for claim in held],
        }
    )
    return found


def as_group(
    recipe: str, rows: Sequence[Row], held: Sequence[tuple[str | None, Kept]], kept: Records
) -> dict[str, Any]:
    """The object of `run --seeds --json`, schema 1 (docs/runs.md)."""
    found: dict[str, Any] = plain(
        {
            "schema": 1,
            "recipe": recipe,
            "runs": [as_object(row, held_by(row), kept) for row in rows],
            "summary": summaries(rows),
            "claims": [{"run": run_name, **claim.as_json()} for run_name, claim in held],
        }
    )
    return found


def numbers(result: Mapping[str, float]) -> str:
    """Metrics in a line."""
    return "  ".join(f"{name} {value:.4g}" for name, value in result.items())


def of_claim(claim: Kept, run_name: str | None = None) -> str:
    whose = f" by {run_name}" if run_name else ""
    return f"{'kept' if claim.kept else 'NOT kept'}{whose}: {claim.name} {claim.bar} ({value_of(claim)})"


def value_of(claim: Kept) -> str:
    return "not measured" if claim.value is None else f"{claim.value:.5g}"


def when(row: Row) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(row.begun))


def seconds_of(row: Row) -> str:
    return "" if row.seconds is None else f"{row.seconds:.1f} s"
