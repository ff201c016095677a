"""`groundup data`: what there is, where it is, and fetching it."""

from __future__ import annotations

from ..data import catalogue


def show() -> int:
    rows = catalogue.status()
    wide = max(len(dataset.name) for dataset, _ in rows)
    for dataset, where in rows:
        print(f"{dataset.name.ljust(wide)}  {where.value:<12}  {dataset.title}")
    return 0


def get(name: str) -> int:
    print(catalogue.fetch(name, progress=True))
    return 0
