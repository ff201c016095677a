"""A spawned worker: one child, started ahead of time and used once, where a fork is not to be trusted."""

from __future__ import annotations

import contextlib
import os
import socket
import sys

from . import inside
from .zygote import CONTROL, warm_up


def main(profile: str, parent: int) -> None:
    """Warms up, waits for its one job on descriptor 3, and ends with it."""
    warm_up(profile, parent)
    try:
        with contextlib.suppress(EOFError, BrokenPipeError):  # the judge has gone
            inside.serve(socket.socket(fileno=CONTROL))
    finally:
        os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
