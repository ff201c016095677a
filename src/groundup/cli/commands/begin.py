"""To begin: a workspace, what you know already, what the machine can do, and the desk."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ..app import BEGIN, app
from .parameters import JourneyJson, Trust


@app.command(group=BEGIN)
def start(
    folder: Annotated[Path, Parameter(help="Where the workspace goes.")] = Path("workspace"),
    *,
    yes: Annotated[bool, Parameter(help="Take the defaults, ask nothing.")] = False,
    track: Annotated[
        str | None, Parameter(help="everything, core, nlp, engineer, lm, or the path of a track's file.")
    ] = None,
    hours: Annotated[float | None, Parameter(help="Hours a week.")] = None,
    from_: Annotated[
        str | None, Parameter(name="--from", help="Where you begin: beginning, placement, or a lesson's id.")
    ] = None,
    devcontainer: Annotated[bool, Parameter(help="A dev container too; also into a workspace that is there.")] = False,
    course: Annotated[Path | None, Parameter(help="A course by others: a folder with course.toml, or a wheel.")] = None,
    trust: Trust = None,
    json: Annotated[bool, Parameter(help="Print one JSON object instead (docs/journey.md); asks nothing.")] = False,
) -> int:
    """Make a workspace, with a track and a pace.

    It holds your library, your notes and a git history.

    Example: groundup start ~/learning --track core --hours 6 --from placement
    """
    from .. import starting

    return starting.start(folder, yes, track, hours, from_, devcontainer, json, course, trust)


@app.command(group=BEGIN)
def placement(
    *names: Annotated[str, Parameter(help="Lessons (1.3) or phases (2); without one, the first three phases.")],
    file: Annotated[
        list[Path] | None, Parameter(help="A file of yours, for the one lesson that is named; it may be repeated.")
    ] = None,
    json: JourneyJson = False,
) -> int:
    """What you know already, said by the judge.

    A lesson counts as known once its checkpoints pass on files of yours. Exit status 1: not all do.

    Example: groundup placement 1.3 --file value.py
    """
    from .. import placing

    return placing.placement(names, file or [], json)


@app.command(group=BEGIN)
def doctor(*, json: JourneyJson = False) -> int:
    """What works on this machine, and what mends the rest.

    Each with the one command that mends it. Exit status 1: something needed is missing.

    Example: groundup doctor
    """
    from .. import checking_up

    return checking_up.report(json)


@app.command(group=BEGIN, name="desk")
def open_desk(
    *,
    port: Annotated[int, Parameter(help="The port it listens on; without it, the usual one or one that is free.")] = 0,
    browser: Annotated[bool, Parameter(help="Open the browser, or leave that to you.", negative="--no-browser")] = True,
    host: Annotated[str, Parameter(help="The name that the browser knows this machine by.")] = "127.0.0.1",
    beyond_loopback: Annotated[
        bool, Parameter(help="Let other machines reach it; it needs TLS, and it runs code.")
    ] = False,
    tls_cert: Annotated[Path | None, Parameter(help="The desk's certificate, a PEM file.")] = None,
    tls_key: Annotated[Path | None, Parameter(help="The key of that certificate, a PEM file.")] = None,
) -> int:
    """The course in the browser.

    Read, build, and see each verdict beside your code. Ctrl-C ends it.

    Example: groundup desk
    """
    from .. import desking

    return desking.desk(host, port, browser, tls_cert, tls_key, beyond_loopback)
