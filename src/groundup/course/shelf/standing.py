"""Where a learner stands before the shelf: the phase at hand, and what earlier phases asked for that has not been read."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ..checking.session import next_lesson
from ..workspace.workspace import Workspace
from .shelf import PHASES, Item, asked_of, shelf


def phase_at(workspace: Workspace | None) -> int:
    """The phase of the next lesson; the first without a workspace, the last when there is none."""
    if workspace is None:
        return PHASES[0]
    with workspace.store(readonly=True) as store:
        following = next_lesson(store.standings(), workspace.track)
    phase = following.phase if following is not None else PHASES[-1]
    return min(max(phase, PHASES[0]), PHASES[-1])


def unread_before(phase: int, read: Collection[str], items: Sequence[Item] | None = None) -> list[Item]:
    """The musts of earlier phases that have not been read and that this phase does not ask for again."""
    found = shelf() if items is None else items
    here = {item.key for item in asked_of(phase, found)}
    earlier = {item.key: item for each in range(1, phase) for item in asked_of(each, found)}
    return [item for item in earlier.values() if item.key not in read and item.key not in here]
