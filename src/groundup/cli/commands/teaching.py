"""For those who teach: a class to grade, a course to write."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from ..app import TEACHING, app
from .parameters import JourneyJson, Trust


@app.command(group=TEACHING, name="grade")
def grade_class(
    *places: Annotated[Path, Parameter(help="Folders of workspaces, or of files named after students.")],
    lesson: Annotated[
        list[str] | None, Parameter(help="A lesson's id; without it, those whose files are there. It may be repeated.")
    ] = None,
    out: Annotated[Path, Parameter(help="Where the grades go; what is there already is not judged again.")] = Path(
        "grades"
    ),
    seed: Annotated[
        int | None, Parameter(help="The seed of the cases that all are judged on; else one is drawn.")
    ] = None,
    full: Annotated[bool, Parameter(help="Draw ten times as many cases.")] = False,
    workers: Annotated[int | None, Parameter(help="How many work side by side; else one a processor.")] = None,
    timeout: Annotated[float | None, Parameter(help="Seconds that one submission may take altogether.")] = None,
    executor: Annotated[str, Parameter(help="Who does the work: local, or ray.")] = "local",
    address: Annotated[
        str | None, Parameter(help="The address of a Ray cluster; without it, one of this machine's own.")
    ] = None,
    shard: Annotated[str | None, Parameter(help="Judge only a part: 3/16, the third of sixteen.")] = None,
    slurm: Annotated[int | None, Parameter(help="Print the script of a Slurm array of so many tasks.")] = None,
    retry: Annotated[bool, Parameter(help="Judge again what was ended without a verdict.")] = False,
    course: Annotated[Path | None, Parameter(help="A course by others: its lessons instead of groundup's.")] = None,
    trust: Trust = None,
    json: JourneyJson = False,
) -> int:
    """Grade a class: verdicts, common mistakes, near-duplicates.

    What was judged is kept, and is not judged again.

    Example: groundup grade handed-in --lesson 1.3 --out grades
    """
    from .. import grading

    asked = grading.Asked(
        places, lesson or (), out, seed, full, workers, timeout, executor, address, shard, slurm, retry, course, trust
    )
    return grading.grade(asked, json)


author = App(
    name="author",
    group=TEACHING,
    help="For those who write lessons.\n\nExample: groundup author check lessons",
)
app.command(author)


@author.command(name="new")
def author_new(
    folder: Annotated[Path, Parameter(help="The folder of the course.")],
    *,
    lesson: Annotated[bool, Parameter(help="One more lesson in the course that is there.")] = False,
    json: JourneyJson = False,
) -> int:
    """A course to begin with, or one more lesson in it.

    It is whole, and passes: make it yours.

    Example: groundup author new my-course
    """
    from .. import authoring

    return authoring.new(folder, lesson, json)


@author.command(name="preview")
def author_preview(
    folder: Annotated[Path, Parameter(help="The folder of the course; without it, the one you are in.")] = Path("."),
    *,
    lesson: Annotated[str | None, Parameter(help="With --text: only this lesson.")] = None,
    text: Annotated[bool, Parameter(help="Print the pages here instead.")] = False,
    trust: Trust = None,
    port: Annotated[int, Parameter(help="The port of the desk; without it, one that is free.")] = 0,
    browser: Annotated[bool, Parameter(help="Open the browser, or leave that to you.", negative="--no-browser")] = True,
) -> int:
    """A course on the desk, as its learners will see it.

    In a workspace that is thrown away; edits show when you reload.

    Example: groundup author preview my-course
    """
    from .. import previewing

    return previewing.preview(folder, lesson, text, trust, port, browser)


@author.command(name="check")
def author_check(
    folder: Annotated[Path, Parameter(help="A lesson's folder, or one that holds lessons.")] = Path("lessons"),
    *,
    json: JourneyJson = False,
) -> int:
    """Every rule on one lesson, or on all below a folder.

    With how many of its known mistakes the judge catches.

    Example: groundup author check lessons/01-gradients/03-scalar-autograd
    """
    from .. import authoring

    return authoring.check(folder, json)
