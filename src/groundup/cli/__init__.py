"""The commands. What must be quick is looked at here, before anything large is imported."""

from __future__ import annotations

import errno
import os
import sys

NOT_USABLE = 2  # the exit status
REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT)  # what the machine denies, and no defect


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
        _say_no_more()
        return 0
    except OSError as problem:
        if problem.errno not in REFUSED:
            raise
        print(f"{problem.filename or 'the output'} could not be used: {problem.strerror}", file=sys.stderr)
        try:
            sys.stdout.flush()
        except OSError:
            _say_no_more()
        return NOT_USABLE


def _say_no_more() -> None:
    """Where nobody takes what is printed, the rest of it goes nowhere, rather than fail once more at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _command(arguments: list[str]) -> int:
    if arguments in (["--version"], ["-V"]):
        from .. import __version__

        print(f"groundup {__version__}")
        return 0
    try:
        os.getcwd()
    except FileNotFoundError:
        print("the folder you are in has been deleted: go to another, then try again", file=sys.stderr)
        return NOT_USABLE
    if arguments[:1] == ["check"]:
        from .quick import check

        if (status := check(arguments[1:])) is not None:
            return status
    from .dispatch import dispatch

    return dispatch(arguments)
