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
            from .trusting import asked

            if asked(problem):
                return dispatch(arguments)
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
    from ..course.guide import GuideError
    from ..course.lesson import LessonError, NoSuchLesson
    from ..course.sandbox import SandboxError
    from ..course.shelf.shelf import ShelfError
    from ..course.tracks import TrackError
    from ..course.workspace import WorkspaceError
    from ..data.catalogue import DataError
    from ..lab.recipe import RecipeError
    from ..lab.sqlite import StoreError

    return isinstance(
        problem,
        (
            LessonError,
            NoSuchLesson,
            StoreError,
            SandboxError,
            TrackError,
            WorkspaceError,
            DataError,
            RecipeError,
            ShelfError,
            GuideError,
        ),
    )


@app.default
def show_map() -> int:
    """The map: where you are, and what is next.

    Example: groundup
    """
    from . import learn

    return learn.show_map()


@app.command(name="map")
def map_of_course(
    *, json: Annotated[bool, Parameter(help="One JSON object (docs/journey.md).", negative="")] = False
) -> int:
    """The map, as bare `groundup` shows it: the course as a wall, what is next, the gates of your track.

    Example: groundup map --json
    """
    from . import learn

    return learn.show_map(json)


@app.command
def start(
    folder: Annotated[Path, Parameter(help="Where the workspace goes.")] = Path("workspace"),
    *,
    yes: Annotated[bool, Parameter(help="Take the defaults, ask nothing.", negative="")] = False,
    track: Annotated[
        str | None, Parameter(help="everything, core, nlp, engineer, lm, or the path of a track's file.")
    ] = None,
    hours: Annotated[float | None, Parameter(help="Hours a week.")] = None,
    from_: Annotated[
        str | None, Parameter(name="--from", help="Where you begin: beginning, placement, or a lesson's id.")
    ] = None,
    devcontainer: Annotated[
        bool, Parameter(help="A dev container too; also into a workspace that is there.", negative="")
    ] = False,
    course: Annotated[Path | None, Parameter(help="A course by others: a folder with course.toml, or a wheel.")] = None,
    trust: Annotated[str | None, Parameter(help="The hash of that course, which you have looked at.")] = None,
    json: Annotated[bool, Parameter(help="One JSON object (docs/journey.md); asks nothing.", negative="")] = False,
) -> int:
    """Make a workspace: your library, your notes, a git history, a track and a pace.

    Example: groundup start ~/learning --track core --hours 6 --from placement
    """
    from . import starting

    return starting.start(folder, yes, track, hours, from_, devcontainer, json, course, trust)


@app.command
def placement(
    *names: Annotated[str, Parameter(help="Lessons (1.3) or phases (2); without one, the first three phases.")],
    file: Annotated[
        list[Path] | None, Parameter(help="A file of yours, for the one lesson that is named.", negative="")
    ] = None,
    json: Annotated[bool, Parameter(help="One JSON object (docs/journey.md).", negative="")] = False,
) -> int:
    """What you know already: a lesson counts as known once its checkpoints pass on files of yours. Exit status 1: not all do.

    Example: groundup placement 1.3 --file value.py
    """
    from . import placing

    return placing.placement(names, file or [], json)


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
    debug: Annotated[
        bool, Parameter(help="Run the failing case here, on your files, where breakpoints stop.", negative="")
    ] = False,
) -> int:
    """Judge what you wrote. Exit status 0: passed, 1: not passed, 2: not usable.

    Example: groundup check 1.3 --seed 81
    """
    from . import judging

    if debug:
        return judging.debug(lesson, seed)
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
def doctor(*, json: Annotated[bool, Parameter(help="One JSON object (docs/journey.md).", negative="")] = False) -> int:
    """What works on this machine, and the one command that mends what does not. Exit status 1: something needed is missing.

    Example: groundup doctor
    """
    from . import checking_up

    return checking_up.report(json)


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


@app.command(name="plan")
def show_plan(
    *,
    hours: Annotated[float | None, Parameter(help="Hours a week, from now on.")] = None,
    evenings: Annotated[bool, Parameter(help="Evenings and a block at the weekend.", negative="")] = False,
    full_days: Annotated[bool, Parameter(help="Full days.", negative="")] = False,
    off: Annotated[list[str] | None, Parameter(help="Days off: DATE or DATE..DATE.", negative="")] = None,
    on: Annotated[list[str] | None, Parameter(help="Days off that are none after all.", negative="")] = None,
    level: Annotated[str | None, Parameter(help="The highest level planned: core, optional or advanced.")] = None,
    done: Annotated[list[str] | None, Parameter(help="Tick off: credits, paper-2, answer ...", negative="")] = None,
    undo: Annotated[list[str] | None, Parameter(help="Take a tick back.", negative="")] = None,
    weeks: Annotated[int, Parameter(help="So many weeks in full.")] = 0,
    ical: Annotated[
        str | None, Parameter(help="Write a calendar into this file; - for standard output.", allow_leading_hyphen=True)
    ] = None,
    json: Annotated[bool, Parameter(help="One JSON object (docs/journey.md).", negative="")] = False,
) -> int:
    """Your year by weeks, what to do in which sitting, and where the end has moved to. What you decide here is kept.

    Example: groundup plan --hours 8 --off 2026-12-24..2027-01-02 --ical plan.ics
    """
    from . import planning

    asked = planning.Asked(
        hours, full_days, evenings, off or (), on or (), level, done or (), undo or (), weeks, ical, json
    )
    return planning.plan(asked)


@app.command(name="log")
def keep_log(
    *words: Annotated[str, Parameter(help="A lesson's id, to write its entry; a line to add; or both.")],
    search: Annotated[str | None, Parameter(help="Lines that have these words.")] = None,
    week: Annotated[bool, Parameter(help="This week, to share with a study group.", negative="")] = False,
    of: Annotated[str | None, Parameter(help="The week that this day is in, such as 2026-11-27.")] = None,
    explain: Annotated[str | None, Parameter(help="Could you explain it without looking: yes, partly, no.")] = None,
    rebuild: Annotated[str | None, Parameter(help="Could you rebuild it from a blank file.")] = None,
    why: Annotated[str | None, Parameter(help="Could you say why it works.")] = None,
    json: Annotated[bool, Parameter(help="One JSON object (docs/journey.md).", negative="")] = False,
) -> int:
    """Your running log: five questions after each lesson, a line at any time. The files are yours, in notes/log.

    Example: groundup log 1.3 "the slope is known before the way back begins"
    """
    from . import noting

    given = {"explain": explain, "rebuild": rebuild, "why": why}
    rated = tuple((name, said) for name, said in given.items() if said is not None)
    return noting.log(noting.Asked(words, search, week, of, rated, json))


@app.command
def recall(
    card: Annotated[str | None, Parameter(help="A card's name, or its beginning; without it, those of today.")] = None,
    *,
    rate: Annotated[str | None, Parameter(help="again, hard, good or easy.")] = None,
    minutes: Annotated[int, Parameter(help="A day, in all.")] = 15,
    all_: Annotated[bool, Parameter(name="--all", help="Every card, due or not.", negative="")] = False,
    final: Annotated[bool, Parameter(help="The last test of your track.", negative="")] = False,
    json: Annotated[bool, Parameter(help="One JSON object (docs/journey.md).", negative="")] = False,
) -> int:
    """Fifteen minutes a day against forgetting: questions, code to rebuild, faults to find in your own old code.

    Example: groundup recall 1.3/rebuild
    """
    from . import recalling

    return recalling.recall(recalling.Asked(card, rate, minutes, all_, final, json))


@app.command
def arena(
    lesson: Annotated[str | None, Parameter(help="A lesson's id; without it, those that were hardest for you.")] = None,
    *,
    stop: Annotated[bool, Parameter(help="Give this attempt up.", negative="")] = False,
    json: Annotated[bool, Parameter(help="One JSON object (docs/journey.md).", negative="")] = False,
) -> int:
    """A lesson again, from a blank file, against your own best time. Again, to have it judged.

    Example: groundup arena 1.3
    """
    from . import contending

    return contending.arena(lesson, stop, json)


@app.command(name="portfolio")
def show_portfolio(
    folder: Annotated[Path | None, Parameter(help="Where the site goes; else `portfolio` in the workspace.")] = None,
    *,
    feature: Annotated[
        list[str] | None,
        Parameter(
            help="A strong piece, shown first: a lesson, run, recipe or post.", negative="", consume_multiple=True
        ),
    ] = None,
    with_log: Annotated[
        bool, Parameter(help="Every entry of your log, not only the public ones.", negative="")
    ] = False,
    package: Annotated[
        bool, Parameter(help="A wheel of `mine` too, and how good your tests are.", negative="")
    ] = False,
    benchmark: Annotated[
        bool, Parameter(help="Time your code against scikit-learn and PyTorch too.", negative="")
    ] = False,
    publish: Annotated[str | None, Parameter(help="gh-pages: prepare that branch. Nothing is pushed.")] = None,
    title: Annotated[str | None, Parameter(help="What stands above it.")] = None,
    json: Annotated[bool, Parameter(help="One JSON object (docs/journey.md).", negative="")] = False,
) -> int:
    """What you have built and run, as a site that opens from a folder: code, results, evidence.

    Example: groundup portfolio --feature 1.3 two-moons --package
    """
    from . import showing

    asked = showing.Asked(folder, tuple(feature or ()), with_log, package, benchmark, publish, title, json)
    return showing.portfolio(asked)


@app.command(name="shelf")
def show_shelf(
    key: Annotated[
        str | None, Parameter(help="One thing, closely; without it, what the phase at hand asks for.")
    ] = None,
    *,
    kind: Annotated[
        list[str] | None, Parameter(help="papers, books, courses, lectures, blogs, ...", negative="")
    ] = None,
    phase: Annotated[int | None, Parameter(help="What a phase asks for.")] = None,
    lesson: Annotated[str | None, Parameter(help="What serves a lesson, such as 7.2.")] = None,
    must: Annotated[bool, Parameter(help="Only what must be read.", negative="")] = False,
    all: Annotated[bool, Parameter(help="All of it, papers before their time too.", negative="")] = False,
    begin: Annotated[bool, Parameter(help="Make the note with the three passes to tick off.", negative="")] = False,
    read: Annotated[
        tuple[str, str] | None,
        Parameter(help="A key, and three to five sentences about it.", allow_leading_hyphen=True),
    ] = None,
    bibtex: Annotated[bool, Parameter(help="As BibTeX.", negative="")] = False,
    json: Annotated[bool, Parameter(help="One JSON object (docs/journey.md).", negative="")] = False,
) -> int:
    """What to read and watch, when, and why; and a log of what it said. Nothing is downloaded.

    Example: groundup shelf --phase 7 --kind papers
    """
    from . import shelving

    return shelving.shelf(shelving.Request(key, kind or (), phase, lesson, must, all, begin, read, bibtex, json))


@app.command(name="guide")
def show_guide(
    page: Annotated[str | None, Parameter(help="communities, compute, habits or puzzles.")] = None,
    *,
    layers: Annotated[int, Parameter(help="Of the model.")] = 0,
    width: Annotated[int, Parameter(help="Of the model.")] = 0,
    vocabulary: Annotated[int, Parameter(help="How many tokens there are.")] = 50_257,
    context: Annotated[int, Parameter(help="Positions of a sequence.")] = 1024,
    heads: Annotated[int, Parameter(help="Of attention; usually width / 64.")] = 0,
    kv_heads: Annotated[int, Parameter(help="Of keys and values; usually as many.")] = 0,
    hidden: Annotated[int, Parameter(help="Width inside the MLP; usually 4 x width.")] = 0,
    style: Annotated[str, Parameter(help="gpt2, modern or llama.")] = "gpt2",
    parameters: Annotated[float, Parameter(help="Instead of a shape: how many, such as 7e9.")] = 0,
    tokens: Annotated[float, Parameter(help="To train on, such as 2.5e9; else 20 a parameter.")] = 0,
    device: Annotated[str, Parameter(help="t4, rtx4090, a100, h100, ...; else what fits.")] = "",
    devices: Annotated[int, Parameter(help="How many of it.")] = 1,
    dtype: Annotated[str | None, Parameter(help="bfloat16, float16 or float32.")] = None,
    optimizer: Annotated[str, Parameter(help="adamw, muon or sgd.")] = "adamw",
    batch: Annotated[int, Parameter(help="Sequences at a time on one device; else as many as fit.")] = 0,
    checkpoint: Annotated[bool, Parameter(help="Compute activations again.", negative="")] = False,
    shard: Annotated[bool, Parameter(help="Share weights and states among the devices.", negative="")] = False,
    mfu: Annotated[float | None, Parameter(help="The share of the peak that you get.")] = None,
    price: Annotated[float | None, Parameter(help="What you pay for an hour of one device.")] = None,
    buy: Annotated[float | None, Parameter(help="What the device costs.")] = None,
    power: Annotated[float | None, Parameter(help="What a kilowatt-hour costs.")] = None,
    json: Annotated[bool, Parameter(help="One JSON object (docs/journey.md).", negative="")] = False,
) -> int:
    """Where to ask what, habits, puzzles, and what a training run takes: memory, hours, money, and where it fits.

    Example: groundup guide compute --layers 12 --width 768 --tokens 2.5e9 --device h100
    """
    from ..course.guide.asking import Question
    from . import guiding

    question = Question(
        layers, width, vocabulary, context, heads, kv_heads, hidden, style, parameters, tokens, device, devices,
        dtype, optimizer, batch, checkpoint, shard, mfu, price, buy, power,
    )  # fmt: skip
    return guiding.guide(page, question, json)


@app.command(name="judge")
def judge_process(*, stop: Annotated[bool, Parameter(help="End it.", negative="")] = False) -> int:
    """The warm judge of this workspace: is it running? It ends by itself after half an hour without work.

    Example: groundup judge --stop
    """
    from . import judging

    return judging.judge_process(stop)


@app.command(name="grade")
def grade_class(
    *places: Annotated[Path, Parameter(help="Folders of workspaces, or of files named after students.")],
    lesson: Annotated[
        list[str] | None, Parameter(help="The lesson's id; without it, those whose files are there.", negative="")
    ] = None,
    out: Annotated[Path, Parameter(help="Where the grades go; what is there already is not judged again.")] = Path(
        "grades"
    ),
    seed: Annotated[int | None, Parameter(help="Of the cases that all are judged on; else one is drawn.")] = None,
    full: Annotated[bool, Parameter(help="Ten times as many cases.", negative="")] = False,
    workers: Annotated[int | None, Parameter(help="How many work side by side; else one a processor.")] = None,
    timeout: Annotated[float | None, Parameter(help="Seconds that one submission may take altogether.")] = None,
    executor: Annotated[str, Parameter(help="local, or ray.")] = "local",
    address: Annotated[str | None, Parameter(help="Of a Ray cluster; without it, one of this machine's own.")] = None,
    shard: Annotated[str | None, Parameter(help="Judge only a part: 3/16, the third of sixteen.")] = None,
    slurm: Annotated[int | None, Parameter(help="Print the script of a Slurm array of so many tasks.")] = None,
    retry: Annotated[bool, Parameter(help="Judge again what was ended without a verdict.", negative="")] = False,
    course: Annotated[Path | None, Parameter(help="A pack: its lessons instead of groundup's.")] = None,
    trust: Annotated[str | None, Parameter(help="The pack's hash, where nobody is there to be asked.")] = None,
    json: Annotated[bool, Parameter(help="One JSON object (docs/journey.md).", negative="")] = False,
) -> int:
    """Grade a class: verdicts, where it fails, the common mistakes, and who handed in nearly the same.

    Example: groundup grade handed-in --lesson 1.3 --out grades
    """
    from . import grading

    asked = grading.Asked(
        places, lesson or (), out, seed, full, workers, timeout, executor, address, shard, slurm, retry, course, trust
    )
    return grading.grade(asked, json)


@author.command(name="new")
def author_new(
    folder: Path,
    *,
    lesson: Annotated[bool, Parameter(help="A lesson in the pack that is there.", negative="")] = False,
    json: Annotated[bool, Parameter(help="One JSON object (docs/journey.md).", negative="")] = False,
) -> int:
    """A course of your own to begin with, whole and passing; or one more lesson in it.

    Example: groundup author new my-course
    """
    from . import authoring

    return authoring.new(folder, lesson, json)


@author.command(name="preview")
def author_preview(
    folder: Path = Path("."),
    *,
    lesson: Annotated[str | None, Parameter(help="With --text: only this one.")] = None,
    text: Annotated[bool, Parameter(help="Print the pages here instead.", negative="")] = False,
    trust: Annotated[str | None, Parameter(help="The hash of the course, which you have looked at.")] = None,
    port: Annotated[int, Parameter(help="Of the desk; else a free one.")] = 0,
    browser: Annotated[bool, Parameter(help="Open the browser.", negative="--no-browser")] = True,
) -> int:
    """A pack on the desk as its learners will see it, in a workspace that is thrown away; edits show when you reload.

    Example: groundup author preview my-course
    """
    from . import previewing

    return previewing.preview(folder, lesson, text, trust, port, browser)


@author.command(name="check")
def author_check(
    folder: Path = Path("lessons"),
    *,
    json: Annotated[bool, Parameter(help="One JSON object (docs/journey.md).", negative="")] = False,
) -> int:
    """Every rule on one lesson, or on all below a folder, with the kill score of each.

    Example: groundup author check lessons/01-gradients/03-scalar-autograd
    """
    from . import authoring

    return authoring.check(folder, json)


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
