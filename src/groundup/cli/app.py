"""The commands and how they are called. Each imports what it needs when it runs."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import App, CycloptsError, Parameter

from .. import __version__

Lesson = Annotated[str, Parameter(help="A lesson's id, such as 1.3.")]
MaybeLesson = Annotated[str | None, Parameter(help="A lesson's id; without it, the one opened last.")]

WORD_SHOWN = 60  # characters of a word that was typed

app = App(
    name="groundup",
    version=f"groundup {__version__}",
    help="Learn machine learning by building all of it. Bare `groundup` shows the map.\n\nExample: groundup start --yes",
    help_format="markdown",
)
author = App(name="author", help="For those who write lessons.\n\nExample: groundup author check lessons")
data = App(name="data", help="Datasets: what there is, where it is, and fetching it.\n\nExample: groundup data")
app.command(author)
app.command(data)


def dispatch(arguments: list[str]) -> int:
    """Runs one command; 2 with one line on standard error for what cannot be used."""
    try:
        result = app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
        return result if isinstance(result, int) else 0
    except CycloptsError as problem:
        print(_in_one_line(problem, arguments), file=sys.stderr)
        return 2
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except Exception as problem:
        if _is_ours(problem):
            print(problem, file=sys.stderr)
            return 2
        raise


def _in_one_line(problem: CycloptsError, arguments: list[str]) -> str:
    """What was wrong with the command, and the command it may have been."""
    here, path = app, "groundup"
    for word in arguments:
        commands = [name for name in here if not name.startswith("-")]
        if not commands or word.startswith("-"):
            break
        if word not in commands:
            near = difflib.get_close_matches(word, commands, n=1, cutoff=0.5)
            meant = f"did you mean `{path} {near[0]}`?" if near else f"`{path} --help` shows the commands."
            return f"{path} has no command {word!r}: {meant}"
        here, path = here[word], f"{path} {word}"
    said = " ".join(word if len(word) <= WORD_SHOWN else f"{word[:WORD_SHOWN]}..." for word in str(problem).split())
    return f"{said} See `{path} --help`."


def _is_ours(problem: Exception) -> bool:
    """An error whose message is written for the person who reads it."""
    from ..course.lesson import LessonError, NoSuchLesson
    from ..course.sandbox.host import SandboxError
    from ..course.workspace import WorkspaceError
    from ..data.catalogue import DataError
    from ..lab.recipe import RecipeError
    from ..lab.sqlite import StoreError

    return isinstance(
        problem, (LessonError, NoSuchLesson, StoreError, SandboxError, WorkspaceError, DataError, RecipeError)
    )


@app.default
def show_map() -> int:
    """The map: where you are, and what is next.

    Example: groundup
    """
    from . import learn

    return learn.show_map()


@app.command
def start(
    folder: Annotated[Path, Parameter(help="Where the workspace goes.")] = Path("workspace"),
    *,
    yes: Annotated[bool, Parameter(help="Take the defaults, ask nothing.", negative="")] = False,
    track: Annotated[str | None, Parameter(help="everything, core, nlp, engineer or lm.")] = None,
    hours: Annotated[float | None, Parameter(help="Hours a week.")] = None,
) -> int:
    """Make a workspace: your library, your notes, a git history.

    Example: groundup start ~/learning --yes
    """
    from . import learn

    return learn.start(folder, yes, track, hours)


@app.command(name="next")
def next_lesson() -> int:
    """Open the next lesson.

    Example: groundup next
    """
    from . import learn

    return learn.open_next()


@app.command(name="open")
def open_lesson(lesson: Lesson) -> int:
    """Write the file that a lesson asks you to fill. What you have written is never touched.

    Example: groundup open 1.3
    """
    from . import learn

    return learn.open_lesson(lesson)


@app.command
def show(
    lesson: MaybeLesson = None,
    *,
    figures: Annotated[bool, Parameter(help="Draw its figures into the workspace.", negative="")] = False,
) -> int:
    """The lesson's page, in the terminal.

    Example: groundup show 1.3
    """
    from . import learn

    return learn.show(lesson, figures)


@app.command
def check(
    lesson: MaybeLesson = None,
    *,
    json: Annotated[bool, Parameter(help="One JSON object (docs/runs.md).", negative="")] = False,
    seed: Annotated[int | None, Parameter(help="Draw the cases of an earlier check again.")] = None,
    full: Annotated[bool, Parameter(help="Ten times as many cases, every checkpoint shown.", negative="")] = False,
    file: Annotated[
        list[Path] | None, Parameter(help="Judge this file, with no workspace at all.", negative="")
    ] = None,
    any_imports: Annotated[bool, Parameter(help="Lift the lesson's import rule, for authors.", negative="")] = False,
) -> int:
    """Judge what you wrote. Exit status 0: passed, 1: not passed, 2: not usable.

    Example: groundup check 1.3 --seed 81
    """
    from . import judging

    return judging.check(lesson, json, seed, full, file or [], any_imports)


@app.command
def watch(lesson: MaybeLesson = None) -> int:
    """Judge at every save. Keys: n next, r run again, h hint, m map, q quit.

    Example: groundup watch
    """
    from . import judging

    return judging.watch(lesson)


@app.command(name="desk")
def open_desk(
    *,
    port: Annotated[int, Parameter(help="Where it listens; 0 takes the usual one, or one that is free.")] = 0,
    browser: Annotated[bool, Parameter(help="Open it in the browser.")] = True,
    host: Annotated[str, Parameter(help="The name that the browser knows this machine by.")] = "127.0.0.1",
    beyond_loopback: Annotated[
        bool, Parameter(help="Let other machines reach it; it needs TLS, and it runs code.", negative="")
    ] = False,
    tls_cert: Annotated[Path | None, Parameter(help="Its certificate, a PEM file.")] = None,
    tls_key: Annotated[Path | None, Parameter(help="The key of that, a PEM file.")] = None,
) -> int:
    """The course in the browser: read, build, and see each verdict beside your code. Ctrl-C ends it.

    Example: groundup desk
    """
    from . import desking

    return desking.desk(host, port, browser, tls_cert, tls_key, beyond_loopback)


@app.command
def hint(lesson: MaybeLesson = None) -> int:
    """One hint more each time; the last one is the reference.

    Example: groundup hint 1.3
    """
    from . import learn

    return learn.hint(lesson)


@app.command
def bug(lesson: MaybeLesson = None) -> int:
    """A faulty implementation to find the mistake in; again, to hear whether you have found it.

    Example: groundup bug 1.3
    """
    from . import judging

    return judging.bug(lesson)


@app.command
def reset(
    lesson: MaybeLesson = None,
    *,
    undo: Annotated[bool, Parameter(help="Put back what the last reset took away.", negative="")] = False,
    yes: Annotated[bool, Parameter(help="Do not ask.", negative="")] = False,
) -> int:
    """Start a lesson's file again. The old one is kept, and comes back with --undo.

    Example: groundup reset 1.3
    """
    from . import learn

    return learn.reset(lesson, undo, yes)


@app.command
def solution(
    lesson: MaybeLesson = None, *, yes: Annotated[bool, Parameter(help="Do not ask.", negative="")] = False
) -> int:
    """The reference's own source. Recorded, unless you have passed.

    Example: groundup solution 1.3
    """
    from . import learn

    return learn.solution(lesson, yes)


@app.command
def notebook(lesson: MaybeLesson = None) -> int:
    """Write a lesson as a Jupyter notebook.

    Example: groundup notebook 1.3
    """
    from . import learn

    return learn.notebook(lesson)


@app.command
def doctor() -> int:
    """What works on this machine, and the one command that mends what does not.

    Example: groundup doctor
    """
    from ..course.doctor import report

    return report()


@app.command(name="run")
def run_recipe(
    name: Annotated[
        str | None, Parameter(help="A recipe's name (with --resume also a run's); without it, the list.")
    ] = None,
    *,
    mine: Annotated[bool, Parameter(help="On your own library instead of the reference.", negative="")] = False,
    set: Annotated[list[str] | None, Parameter(help="A value of the recipe, as name=value.", negative="")] = None,
    data: Annotated[Path | None, Parameter(help="A text, or a folder of text, for recipes that take one.")] = None,
    dry: Annotated[bool, Parameter(help="Ten small steps, to see that all is in place.", negative="")] = False,
    seed: Annotated[int | None, Parameter(help="Another seed than the recipe's.")] = None,
    seeds: Annotated[int | None, Parameter(help="So many runs, one a seed, then their mean and spread.")] = None,
    resume: Annotated[bool, Parameter(help="Go on with the run that was cut off.", negative="")] = False,
    json: Annotated[bool, Parameter(help="The last line is one JSON object (docs/runs.md).", negative="")] = False,
) -> int:
    """Run an experiment: it is recorded, and its claims are checked on what it saved.

    Example: groundup run two-moons --mine --set width=8
    """
    from . import experiments

    short = [f"data={data.expanduser().resolve()}"] if data is not None else []
    short += ["dry=true"] if dry else []
    return experiments.run(name, mine, [*(set or []), *short], seed, seeds, resume, json)


@app.command(name="runs")
def list_runs(
    name: Annotated[str | None, Parameter(help="A run, such as two-moons-3; without it, all of them.")] = None,
    *,
    json: Annotated[bool, Parameter(help="One JSON object (docs/runs.md).", negative="")] = False,
) -> int:
    """The runs there have been, and how each ended.

    Example: groundup runs two-moons-3
    """
    from . import experiments

    return experiments.runs(name, json)


@app.command(name="compare")
def compare_runs(
    *names: Annotated[str, Parameter(help="Runs (moons-3), several (moons-3..7) or recipes, for all their seeds.")],
    metric: Annotated[list[str] | None, Parameter(help="Only this one; it may be repeated.", negative="")] = None,
    correction: Annotated[str, Parameter(help="For many tests at once: holm, bonferroni, bh or none.")] = "holm",
    plot: Annotated[Path | None, Parameter(help="Draw what was logged into this PNG, a band over seeds.")] = None,
    smooth: Annotated[float, Parameter(help="Of the curves: the share that the past has, from 0 to below 1.")] = 0.0,
    json: Annotated[bool, Parameter(help="One JSON object (docs/runs.md).", negative="")] = False,
) -> int:
    """Runs side by side: what was set differently, what came out, and whether that is more than the seeds make.

    Example: groundup compare two-moons-1..5 two-moons-6..10 --plot moons.png
    """
    from . import comparing

    return comparing.compare(names, metric or [], correction, plot, smooth, json)


@app.command(name="sweep")
def sweep_recipe(
    recipe: Annotated[str, Parameter(help="A recipe's name.")],
    *,
    param: Annotated[
        list[str] | None, Parameter(help="What to draw: name=low..high, low..high:log or a,b,c.", negative="")
    ] = None,
    trials: Annotated[int, Parameter(help="How many there shall be in the end.")] = 20,
    metric: Annotated[str | None, Parameter(help="What they are judged by; else the recipe's first claim.")] = None,
    maximise: Annotated[bool, Parameter(help="The larger the better; a claim says so itself.", negative="")] = False,
    workers: Annotated[int, Parameter(help="Processes that work side by side.")] = 1,
    storage: Annotated[str | None, Parameter(help="A journal's path or postgresql://; else a file here.")] = None,
    name: Annotated[str | None, Parameter(help="Another name for it than the recipe's.")] = None,
    resume: Annotated[bool, Parameter(help="Go on with the sweep of this name.", negative="")] = False,
    prune: Annotated[bool, Parameter(help="End a trial that is worse than the median so far.")] = True,
    seed: Annotated[int, Parameter(help="Of what is drawn.")] = 0,
    set: Annotated[
        list[str] | None, Parameter(help="A value that all trials have, as name=value.", negative="")
    ] = None,
    mine: Annotated[bool, Parameter(help="On your own library instead of the reference.", negative="")] = False,
    json: Annotated[bool, Parameter(help="The last line is one JSON object (docs/runs.md).", negative="")] = False,
) -> int:
    """Many runs of a recipe with values drawn for each, the bad ones cut short, and which values matter. Killed, it goes on.

    Example: groundup sweep two-moons --param rate=0.01..10:log --param width=2..32 --trials 20
    """
    from . import sweeping

    asked = sweeping.Asked(
        recipe,
        tuple(param or ()),
        trials,
        metric,
        maximise,
        workers,
        storage,
        name,
        resume,
        prune,
        seed,
        tuple(set or ()),
        mine,
    )
    return sweeping.run(asked, json)


@app.command(name="sync")
def sync_runs(
    *names: Annotated[str, Parameter(help="Runs or recipes; without one, all runs.")],
    to: Annotated[tuple[str, str], Parameter(help="mlflow URL, tensorboard FOLDER or wandb PROJECT.")],
    follow: Annotated[bool, Parameter(help="Go on with what comes, until Ctrl-C.", negative="")] = False,
    offline: Annotated[bool, Parameter(help="wandb: into a folder, to be sent later.", negative="")] = False,
) -> int:
    """Bring another tracker up to date with the record of runs. What it has already is not sent again.

    Example: groundup sync --to tensorboard events
    """
    from . import sending

    return sending.sync(names, to, follow, offline)


@app.command(name="sample")
def sample_text(
    run: Annotated[str, Parameter(help="A run, such as shakespeare-char-4, or a recipe, for its newest run.")],
    *,
    prompt: Annotated[str, Parameter(help="What it goes on from.", allow_leading_hyphen=True)] = "",
    tokens: Annotated[int | None, Parameter(help="How many tokens.")] = None,
    temperature: Annotated[float | None, Parameter(help="Below 1 surer, above 1 wilder; 0 the likeliest.")] = None,
    top_k: Annotated[int | None, Parameter(help="Only the k likeliest tokens.")] = None,
    top_p: Annotated[float | None, Parameter(help="Only the likeliest tokens that make up this share.")] = None,
    min_p: Annotated[float | None, Parameter(help="Only tokens with this share of the likeliest one's.")] = None,
    seed: Annotated[int | None, Parameter(help="The same text again.")] = None,
) -> int:
    """Text from a run's model, printed as it comes. What is left out is as the experiment has it.

    Example: groundup sample shakespeare-char --prompt "ROMEO:" --tokens 300 --temperature 0.8
    """
    from . import sampling

    options = {
        "tokens": tokens,
        "temperature": temperature,
        "top_k": top_k,
        "top_p": top_p,
        "min_p": min_p,
        "seed": seed,
    }
    return sampling.sample(run, prompt, options)


@app.command(name="claims")
def check_claims(
    *names: Annotated[str, Parameter(help="Recipes; without one, all of them, which takes long.")],
    json: Annotated[bool, Parameter(help="One JSON object (docs/runs.md).", negative="")] = False,
) -> int:
    """Every number that the recipes promise, measured; what has been run on just these sources is not run again.

    Example: groundup claims two-moons eigenfaces
    """
    from . import experiments

    return experiments.claims(names, json)


@app.command(name="judge")
def judge_process(*, stop: Annotated[bool, Parameter(help="End it.", negative="")] = False) -> int:
    """The warm judge of this workspace: is it running? It ends by itself after half an hour without work.

    Example: groundup judge --stop
    """
    from . import judging

    return judging.judge_process(stop)


@author.command(name="check")
def author_check(folder: Path = Path("lessons")) -> int:
    """Every rule on one lesson, or on all below a folder, with the kill score of each.

    Example: groundup author check lessons/01-gradients/03-scalar-autograd
    """
    from . import authoring

    return authoring.check(folder)


@data.default
def data_list() -> int:
    """The datasets, and where each of them is.

    Example: groundup data
    """
    from . import datasets

    return datasets.show()


@data.command(name="get")
def data_get(name: str) -> int:
    """Fetch a dataset, or find it in the mirror that GROUNDUP_DATA names; checked either way.

    Example: groundup data get mnist
    """
    from . import datasets

    return datasets.get(name)
