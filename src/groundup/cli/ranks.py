"""A run of several processes, as torchrun starts them: rank 0 keeps the record, the others take part in the same folder.

    torchrun --nproc-per-node 4 --max-restarts 3 -m groundup run NAME

Rank 0 writes down the run's name where the others of this launch look for it, so all need the same folder of runs, on one machine or a
shared disk. When torchrun starts all of them again, the run goes on, if its experiment can.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..lab.record import UNFINISHED, Records
from ..lab.sqlite import StoreError

PATIENCE = 300.0  # seconds that a rank waits for rank 0's run


class Follower:
    """What another rank than 0 has for a record: the run's folder, and nothing to write."""

    def __init__(self, folder: Path, attempt: int) -> None:
        self.folder, self.name, self.attempt = folder, folder.name, attempt
        self.resumed = attempt > 1
        self.say: Callable[[str], None] = lambda text: None

    def log(self, step: int, **values: float) -> None:
        """Rank 0 logs."""

    def write(self) -> None:
        """Nothing waits."""

    def resumed_at(self, step: int) -> None:
        """Rank 0 says it."""

    def metrics(self, name: str) -> list[tuple[int, float]]:
        """None of its own."""
        return []

    def keep(self, path: Path) -> Path:
        """Rank 0 keeps it."""
        return path


def rank() -> int:
    """Which of the processes this is; 0 where there is one."""
    return int(os.environ.get("RANK", "0"))


def several() -> bool:
    """Whether there are more processes than one."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def announce(kept: Records, name: str) -> None:
    """Rank 0 tells the others which run it is."""
    place = _place(kept)
    part = place.with_name(f"{place.name}.part")
    part.write_text(name)
    part.replace(place)


def done(kept: Records) -> None:
    """Rank 0's run has come to its end."""
    _place(kept).unlink(missing_ok=True)


def cut_off(kept: Records) -> Any:
    """The run that this launch was at before torchrun started it again; None where there is none, or it has ended."""
    if int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")) == 0 or not _place(kept).exists():
        return None
    kept.mark_killed()
    row = kept.find(_place(kept).read_text())
    return row if row.status in UNFINISHED else None


def joined(kept: Records) -> Follower:
    """Waits for rank 0's run. StoreError if it does not come."""
    kept.mark_killed()  # what an earlier launch with these names has left
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if _place(kept).exists():
            row = kept.find(_place(kept).read_text())
            if row.status == "running":
                return Follower(kept.folder / row.name, len(kept.attempts(row.id)))
        time.sleep(0.1)
    raise StoreError(f"rank 0 has begun no run in {kept.folder} for {PATIENCE:.0f} s: all ranks need the same folder")


def _place(kept: Records) -> Path:
    """A file that all processes of this launch know, and no other."""
    names = ("TORCHELASTIC_RUN_ID", "MASTER_ADDR", "MASTER_PORT", "WORLD_SIZE")
    told = " ".join(os.environ.get(name, "") for name in names)
    return kept.folder / f".launch-{hashlib.sha256(told.encode()).hexdigest()[:12]}"
