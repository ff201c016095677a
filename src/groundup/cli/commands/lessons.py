"""The lessons: where you are, what to build, and whether it is right."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ..app import LESSONS, app
from .parameters import JourneyJson, Lesson, MaybeLesson, Unasked, VerdictJson


@app.default
def show_map() -> int:
    """The map: where you are, and what is next.

    Example: groundup
    """
    from .. import learn

    return learn.show_map()


@app.command(group=LESSONS, name="map")
def map_of_course(*, json: JourneyJson = False) -> int:
    """The course as a wall, what is next, the gates of your track.

    Bare `groundup` shows the same.

    Example: groundup map --json
    """
    from .. import learn

    return learn.show_map(json)


@app.command(group=LESSONS, name="next")
def next_lesson() -> int:
    """Open the next lesson.

    Example: groundup next
    """
    from .. import learn

    return learn.open_next()


@app.command(group=LESSONS, name="open")
def open_lesson(lesson: Lesson) -> int:
    """Write the file that a lesson asks you to fill.

    What you have written is never touched.

    Example: groundup open 1.3
    """
    from .. import learn

    return learn.open_lesson(lesson)


@app.command(group=LESSONS)
def show(
    lesson: MaybeLesson = None,
    *,
    figures: Annotated[bool, Parameter(help="Draw its figures into the workspace.")] = False,
) -> int:
    """The lesson's page, in the terminal.

    Example: groundup show 1.3
    """
    from .. import learn

    return learn.show(lesson, figures)


@app.command(group=LESSONS)
def notebook(lesson: MaybeLesson = None) -> int:
    """Write a lesson as a Jupyter notebook.

    Example: groundup notebook 1.3
    """
    from .. import learn

    return learn.notebook(lesson)


@app.command(group=LESSONS)
def check(
    lesson: MaybeLesson = None,
    *,
    json: VerdictJson = False,
    seed: Annotated[int | None, Parameter(help="The seed of an earlier check, for the same cases again.")] = None,
    full: Annotated[bool, Parameter(help="Draw ten times as many cases, and show every checkpoint.")] = False,
    file: Annotated[
        list[Path] | None, Parameter(help="Judge this file, with no workspace at all; it may be repeated.")
    ] = None,
    any_imports: Annotated[bool, Parameter(help="With --file: lift the lesson's import rule, for authors.")] = False,
    debug: Annotated[bool, Parameter(help="Run the failing case here, on your files, where breakpoints stop.")] = False,
) -> int:
    """Judge what you wrote.

    Exit status 0: passed, 1: not passed, 2: not usable.

    Example: groundup check 1.3 --seed 81
    """
    from .. import judging

    if debug:
        return judging.debug(lesson, seed)
    return judging.check(lesson, json, seed, full, file or [], any_imports)


@app.command(group=LESSONS)
def watch(lesson: MaybeLesson = None) -> int:
    """Judge at every save.

    Keys: n next, r run again, h hint, m map, q quit.

    Example: groundup watch
    """
    from .. import judging

    return judging.watch(lesson)


@app.command(group=LESSONS)
def hint(lesson: MaybeLesson = None) -> int:
    """One hint more each time; the last one is the reference.

    Example: groundup hint 1.3
    """
    from .. import learn

    return learn.hint(lesson)


@app.command(group=LESSONS)
def bug(lesson: MaybeLesson = None) -> int:
    """A faulty implementation to find the mistake in.

    Again, to hear whether you have found it.

    Example: groundup bug 1.3
    """
    from .. import judging

    return judging.bug(lesson)


@app.command(group=LESSONS)
def solution(lesson: MaybeLesson = None, *, yes: Unasked = False) -> int:
    """The reference's own source. Recorded, unless you have passed.

    Example: groundup solution 1.3
    """
    from .. import learn

    return learn.solution(lesson, yes)


@app.command(group=LESSONS)
def reset(
    lesson: MaybeLesson = None,
    *,
    undo: Annotated[bool, Parameter(help="Put back what the last reset took away.")] = False,
    yes: Unasked = False,
) -> int:
    """Start a lesson's file again; --undo brings the old one back.

    Example: groundup reset 1.3
    """
    from .. import learn

    return learn.reset(lesson, undo, yes)


@app.command(group=LESSONS, name="judge")
def judge_process(*, stop: Annotated[bool, Parameter(help="End the judge that runs.")] = False) -> int:
    """The warm judge of this workspace: is it running?

    It ends by itself after half an hour without work.

    Example: groundup judge --stop
    """
    from .. import judging

    return judging.judge_process(stop)
