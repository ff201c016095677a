"""`make learn`: a workspace if there is none, the map, and the watch; without a terminal, the map and the next step."""

from __future__ import annotations

import sys
from pathlib import Path

from ..course.checking.client import workspace_root
from . import run


def main() -> int:
    """0, whatever the learner has or has not built."""
    if workspace_root(Path.cwd()) is None and (status := run(["start", "workspace", "--yes"])):
        return status
    if status := run([]):
        return status
    if sys.stdin.isatty() and sys.stdout.isatty():
        return run(["watch"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
