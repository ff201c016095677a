"""A spawned worker: one child, started ahead of time and used once, where a fork is not to be trusted."""

from __future__ import annotations

import importlib
import os
import signal
import socket
import sys

from . import inside, layers
from .zygote import CONTROL, PROFILES


def main(profile: str, parent: int) -> None:
    """Warms up, waits for its one job on descriptor 3, and ends with it."""
    layers.die_with_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in PROFILES[profile]:
        try:
            importlib.import_module(name)
        except ImportError:
            continue
    try:
        inside.serve(socket.socket(fileno=CONTROL))
    except (EOFError, BrokenPipeError):
        pass
    finally:
        os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
