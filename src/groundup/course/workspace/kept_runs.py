"""Which recipes a learner has kept the claims of: by a run on their own library, with the recipe's own values.

Read from `runs.db` as it stands, without what a run would need: the map asks for it.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

from ...lab.formats import APPLICATION, MIGRATIONS
from ...lab.sqlite import BUSY_TIMEOUT, StoreError, explained, open_to_read
from ..tracks import FINAL
from .workspace import Workspace


def kept_recipes(workspace: Workspace) -> frozenset[str]:
    """The recipes whose claims are kept, and FINAL after the last test of the workspace's track. Empty where no run can be read."""
    results: dict[str, list[dict[str, float]]] = {}
    with contextlib.suppress(StoreError):  # of another version, or damaged: `groundup runs` says so
        for recipe, config, result in _finished(workspace):
            if _own_values(recipe, config):
                results.setdefault(recipe, []).append(result)
    kept = {recipe for recipe, found in results.items() if _keeps(recipe, found)}
    with workspace.store(readonly=True) as store:
        final = store.events(kind="recalled")
    if any(event.payload.get("final") == workspace.config.track and event.payload.get("passed") for event in final):
        kept.add(FINAL)
    return frozenset(kept)


def _finished(workspace: Workspace) -> Iterator[tuple[str, dict[str, Any], dict[str, float]]]:
    """Recipe, values and result of each run on the learner's own library that has come to its end."""
    path = workspace.root / "runs" / "runs.db"
    if not path.is_file():
        return
    with explained(path), contextlib.closing(open_to_read(path, APPLICATION, MIGRATIONS, BUSY_TIMEOUT)) as db:
        for recipe, config, result in db.execute(
            "SELECT recipe, config, result FROM run WHERE mine AND status = 'finished' ORDER BY id"
        ):
            yield recipe, json.loads(config), json.loads(result)


def _own_values(name: str, config: dict[str, Any]) -> bool:
    """Whether a run had the values of its recipe: one that was made smaller proves nothing."""
    from ...lab.recipe import RecipeError, flat, load

    try:
        return all(config.get(value) == chosen for value, chosen in flat(load(name).values)) and not config.get("dry")
    except RecipeError:  # it is gone
        return False


def _keeps(name: str, results: list[dict[str, float]]) -> bool:
    """Whether one run keeps every claim on a single run; where all claims are on several, whether they keep those."""
    from ...lab.claims import hold, hold_over
    from ...lab.recipe import load

    claims = load(name).claims
    single = [claim for claim in claims if not claim.seeds]
    if claims and not single:
        held = hold_over(claims, results)
        return bool(held) and all(claim.kept for claim in held)
    return any(all(claim.kept for claim in hold(single, result)) for result in results)
