"""The commands. What must be quick is looked at here, before anything large is imported."""

from __future__ import annotations

import sys


def main() -> None:
    """The entry point of `groundup`."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """One command; its exit status."""
    try:
        if arguments in (["--version"], ["-V"]):
            from .. import __version__

            print(f"groundup {__version__}")
            return 0
        if arguments[:1] == ["check"]:
            from .quick import check

            if (status := check(arguments[1:])) is not None:
                return status
        from .app import dispatch

        return dispatch(arguments)
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return 130
    except BrokenPipeError:
        import os

        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has gone: nothing more to say
        return 0
