"""The commands. What must be quick is looked at here, before anything large is imported."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """The entry point of `groundup`."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the caller
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 (for as long as the process lives)
        getattr(sys, name).reconfigure(errors="replace")  # a terminal that knows no UTF-8 gets question marks
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """One command; its exit status."""
    try:
        status = _command(arguments)
        sys.stdout.flush()
        return status
    except (KeyboardInterrupt, EOFError):
        print(file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has gone: nothing more to say
        return 0


def _command(arguments: list[str]) -> int:
    if arguments in (["--version"], ["-V"]):
        from .. import __version__

        print(f"groundup {__version__}")
        return 0
    try:
        os.getcwd()
    except FileNotFoundError:
        print("the folder you are in has been deleted: go to another, then try again", file=sys.stderr)
        return 2
    if arguments[:1] == ["check"]:
        from .quick import check

        if (status := check(arguments[1:])) is not None:
            return status
    from .app import dispatch

    return dispatch(arguments)
