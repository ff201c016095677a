"""Experiments: run, recorded, compared, searched through; and the data they run on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from ..app import LAB, app
from .parameters import Mine, RunsJson, Settings


@app.command(group=LAB, name="run")
def run_recipe(
    name: Annotated[
        str | None, Parameter(help="A recipe's name (with --resume also a run's); without it, the list.")
    ] = None,
    *,
    mine: Mine = False,
    set: Settings = None,
    data: Annotated[Path | None, Parameter(help="A text, or a folder of text, for recipes that take one.")] = None,
    dry: Annotated[bool, Parameter(help="Only ten small steps, to see that all is in place.")] = False,
    seed: Annotated[int | None, Parameter(help="Another seed than the recipe's.")] = None,
    seeds: Annotated[int | None, Parameter(help="So many runs, one a seed, then their mean and spread.")] = None,
    resume: Annotated[bool, Parameter(help="Go on with the run that was cut off.")] = False,
    json: RunsJson = False,
) -> int:
    """Run an experiment, and check what it claims.

    It is recorded, and its claims are checked on what it saved.

    Example: groundup run two-moons --mine --set width=8
    """
    from .. import experiments

    short = [f"data={data.expanduser().resolve()}"] if data is not None else []
    short += ["dry=true"] if dry else []
    return experiments.run(name, mine, [*(set or []), *short], seed, seeds, resume, json)


@app.command(group=LAB, name="runs")
def list_runs(
    name: Annotated[str | None, Parameter(help="A run, such as two-moons-3; without it, all of them.")] = None,
    *,
    json: RunsJson = False,
) -> int:
    """The runs there have been, and how each ended.

    Example: groundup runs two-moons-3
    """
    from .. import experiments

    return experiments.runs(name, json)


@app.command(group=LAB, name="claims")
def check_claims(
    *names: Annotated[str, Parameter(help="Recipes; without one, all of them, which takes long.")],
    json: RunsJson = False,
) -> int:
    """Every number that the recipes promise, measured.

    What has been run on just these sources is not run again.

    Example: groundup claims two-moons eigenfaces
    """
    from .. import experiments

    return experiments.claims(names, json)


@app.command(group=LAB, name="compare")
def compare_runs(
    *names: Annotated[str, Parameter(help="Runs (moons-3), several (moons-3..7) or recipes, for all their seeds.")],
    metric: Annotated[list[str] | None, Parameter(help="Only this metric; it may be repeated.")] = None,
    correction: Annotated[str, Parameter(help="For many tests at once: holm, bonferroni, bh or none.")] = "holm",
    plot: Annotated[Path | None, Parameter(help="Draw what was logged into this PNG, a band over seeds.")] = None,
    smooth: Annotated[
        float, Parameter(help="How far the drawn curves are smoothed: from 0, not at all, to below 1.")
    ] = 0.0,
    json: RunsJson = False,
) -> int:
    """Runs side by side, and whether they differ more than seeds do.

    What was set differently, what came out, and whether that is more than the seeds make.

    Example: groundup compare two-moons-1..5 two-moons-6..10 --plot moons.png
    """
    from .. import comparing

    return comparing.compare(names, metric or [], correction, plot, smooth, json)


@app.command(group=LAB, name="sweep")
def sweep_recipe(
    recipe: Annotated[str, Parameter(help="A recipe's name.")],
    *,
    param: Annotated[
        list[str] | None,
        Parameter(help="What to draw: name=low..high, low..high:log or a,b,c; it may be repeated."),
    ] = None,
    trials: Annotated[int, Parameter(help="How many runs there shall be in the end.")] = 20,
    metric: Annotated[str | None, Parameter(help="What they are judged by; else the recipe's first claim.")] = None,
    maximise: Annotated[bool, Parameter(help="The larger the better; a claim says so itself.")] = False,
    workers: Annotated[int, Parameter(help="Processes that work side by side.")] = 1,
    storage: Annotated[str | None, Parameter(help="A journal's path or postgresql://; else a file here.")] = None,
    name: Annotated[str | None, Parameter(help="Another name for the sweep than the recipe's.")] = None,
    resume: Annotated[bool, Parameter(help="Go on with the sweep of this name.")] = False,
    prune: Annotated[
        bool, Parameter(help="End a trial that is worse than the median so far, or let all end.", negative="--no-prune")
    ] = True,
    seed: Annotated[int, Parameter(help="Another seed than 0 for what is drawn.")] = 0,
    set: Settings = None,
    mine: Mine = False,
    json: RunsJson = False,
) -> int:
    """Many runs of a recipe, to find which values matter.

    Values are drawn for each run, and bad ones are cut short. What was killed goes on with --resume.

    Example: groundup sweep two-moons --param rate=0.01..10:log --param width=2..32 --trials 20
    """
    from .. import sweeping

    asked = sweeping.Asked(
        recipe, tuple(param or ()), trials, metric, maximise, workers, storage, name, resume, prune, seed,
        tuple(set or ()), mine,
    )  # fmt: skip
    return sweeping.run(asked, json)


@app.command(group=LAB, name="sample")
def sample_text(
    run: Annotated[str, Parameter(help="A run, such as shakespeare-char-4, or a recipe, for its newest run.")],
    *,
    prompt: Annotated[str, Parameter(help="What the text goes on from.", allow_leading_hyphen=True)] = "",
    tokens: Annotated[int | None, Parameter(help="How many tokens to write.")] = None,
    temperature: Annotated[float | None, Parameter(help="Below 1 surer, above 1 wilder; 0 the likeliest.")] = None,
    top_k: Annotated[int | None, Parameter(help="Only the k likeliest tokens.")] = None,
    top_p: Annotated[float | None, Parameter(help="Only the likeliest tokens that make up this share.")] = None,
    min_p: Annotated[float | None, Parameter(help="Only tokens with this share of the likeliest one's.")] = None,
    seed: Annotated[int | None, Parameter(help="A seed, for the same text again.")] = None,
) -> int:
    """Text from a run's model, printed as it comes.

    What is left out is as the experiment has it.

    Example: groundup sample shakespeare-char --prompt "ROMEO:" --tokens 300 --temperature 0.8
    """
    from .. import sampling

    options = {
        "tokens": tokens, "temperature": temperature, "top_k": top_k, "top_p": top_p, "min_p": min_p, "seed": seed,
    }  # fmt: skip
    return sampling.sample(run, prompt, options)


@app.command(group=LAB, name="sync")
def sync_runs(
    *names: Annotated[str, Parameter(help="Runs or recipes; without one, all runs.")],
    to: Annotated[tuple[str, str], Parameter(help="mlflow URL, tensorboard FOLDER or wandb PROJECT.")],
    follow: Annotated[bool, Parameter(help="Go on with what comes, until Ctrl-C.")] = False,
    offline: Annotated[bool, Parameter(help="wandb: into a folder, to be sent later.")] = False,
) -> int:
    """Bring another tracker up to date with the record of runs.

    What it has already is not sent again.

    Example: groundup sync --to tensorboard events
    """
    from .. import sending

    return sending.sync(names, to, follow, offline)


data = App(
    name="data",
    group=LAB,
    help="Datasets: what there is, where it is, and fetching it.\n\nExample: groundup data",
)
app.command(data)


@data.default
def data_list() -> int:
    """The datasets, and where each of them is.

    Example: groundup data
    """
    from .. import datasets

    return datasets.show()


@data.command(name="get")
def data_get(name: Annotated[str, Parameter(help="A dataset's name, as `groundup data` lists them.")]) -> int:
    """Fetch a dataset, or find it in a mirror; checked either way.

    GROUNDUP_DATA names the mirror.

    Example: groundup data get mnist
    """
    from .. import datasets

    return datasets.get(name)
