"""Runs a command; one sentence for what cannot be used."""

from __future__ import annotations

import difflib
import sys

from cyclopts import CycloptsError, MissingArgumentError, UnusedCliTokensError

from ..errors import NotUsable
from . import NOT_USABLE
from .commands import app

WORD_SHOWN = 60  # characters of a word that was typed


def dispatch(arguments: list[str]) -> int:
    """The exit status of one command; 2 with one line on standard error for what cannot be used."""
    if arguments[:1] == ["help"]:
        arguments = [*arguments[1:], "--help"]
    try:
        result = app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
        return result if isinstance(result, int) else 0
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except CycloptsError as problem:
        print(_in_one_line(problem, arguments), file=sys.stderr)
        return NOT_USABLE
    except NotUsable as problem:
        from .trusting import asked

        if asked(problem):
            return dispatch(arguments)
        print(problem, file=sys.stderr)
        return NOT_USABLE


def _in_one_line(problem: CycloptsError, arguments: list[str]) -> str:
    """What was wrong with the command, and the command it may have been."""
    here, path = app, "groundup"
    for word in arguments:
        commands = [name for name in here if not name.startswith("-")]
        if not commands or word.startswith("-"):
            break
        if word not in commands:
            near = difflib.get_close_matches(word, commands, n=1, cutoff=0.65)
            meant = f"did you mean `{path} {near[0]}`?" if near else f"`{path} --help` shows the commands."
            return f"{path} has no command {word!r}: {meant}"
        here, path = here[word], f"{path} {word}"
    said = " ".join(
        word if len(word) <= WORD_SHOWN else f"{word[:WORD_SHOWN]}..." for word in _said(problem, path).split()
    )
    return f"{said} See `{path} --help`."


def _said(problem: CycloptsError, path: str) -> str:
    if isinstance(problem, UnusedCliTokensError) and problem.unused_tokens:
        return f"{path} takes no {problem.unused_tokens[0]!r}."
    missing = problem.argument
    if isinstance(problem, MissingArgumentError) and missing is not None and missing.required:
        name = missing.name if missing.index is None else missing.field_info.name.upper()
        return f"{path} needs {name}: {missing.parameter.help}"
    return str(problem)
