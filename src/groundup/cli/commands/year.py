"""Through the year: a plan, a log, reviews, reading, advice, and what there is to show in the end."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ..app import YEAR, app
from .parameters import JourneyJson


@app.command(group=YEAR, name="plan")
def show_plan(
    *,
    hours: Annotated[float | None, Parameter(help="Hours a week, from now on.")] = None,
    evenings: Annotated[bool, Parameter(help="Study in the evenings, and in a block at the weekend.")] = False,
    full_days: Annotated[bool, Parameter(help="Study on full days.")] = False,
    off: Annotated[list[str] | None, Parameter(help="Days off, DATE or DATE..DATE; it may be repeated.")] = None,
    on: Annotated[list[str] | None, Parameter(help="Days off that are none after all; it may be repeated.")] = None,
    level: Annotated[str | None, Parameter(help="The highest level planned: core, optional or advanced.")] = None,
    done: Annotated[
        list[str] | None, Parameter(help="Tick off what nobody can measure: credits, paper-2, answer, post, request.")
    ] = None,
    undo: Annotated[list[str] | None, Parameter(help="Take such a tick back.")] = None,
    weeks: Annotated[int, Parameter(help="Show so many weeks in full.")] = 0,
    ical: Annotated[
        str | None, Parameter(help="Write a calendar into this file; - for standard output.", allow_leading_hyphen=True)
    ] = None,
    json: JourneyJson = False,
) -> int:
    """Your year by weeks, and where the end has moved to.

    What to do in which sitting. What you decide here is kept.

    Example: groundup plan --hours 8 --off 2026-12-24..2027-01-02 --ical plan.ics
    """
    from .. import planning

    asked = planning.Asked(
        hours, full_days, evenings, off or (), on or (), level, done or (), undo or (), weeks, ical, json
    )
    return planning.plan(asked)


@app.command(group=YEAR, name="log")
def keep_log(
    *words: Annotated[str, Parameter(help="A lesson's id, to write its entry; a line to add; or both.")],
    search: Annotated[str | None, Parameter(help="Show the lines that have these words.")] = None,
    week: Annotated[bool, Parameter(help="Show this week, to share with a study group.")] = False,
    of: Annotated[str | None, Parameter(help="Show the week that this day is in, such as 2026-11-27.")] = None,
    explain: Annotated[str | None, Parameter(help="Could you explain it without looking? yes, partly or no.")] = None,
    rebuild: Annotated[str | None, Parameter(help="Could you rebuild it from a blank file? yes, partly or no.")] = None,
    why: Annotated[str | None, Parameter(help="Could you say why it works? yes, partly or no.")] = None,
    json: JourneyJson = False,
) -> int:
    """Your running log: questions after a lesson, a line at any time.

    Five questions after each lesson. The files are yours, in notes/log.

    Example: groundup log 1.3 "the slope is known before the way back begins"
    """
    from .. import noting

    given = {"explain": explain, "rebuild": rebuild, "why": why}
    rated = tuple((name, said) for name, said in given.items() if said is not None)
    return noting.log(noting.Asked(words, search, week, of, rated, json))


@app.command(group=YEAR)
def recall(
    card: Annotated[str | None, Parameter(help="A card's name, or its beginning; without it, those of today.")] = None,
    *,
    rate: Annotated[str | None, Parameter(help="How the card went: again, hard, good or easy.")] = None,
    minutes: Annotated[int, Parameter(help="Minutes a day, in all.")] = 15,
    all_: Annotated[bool, Parameter(name="--all", help="Every card, due or not.")] = False,
    final: Annotated[bool, Parameter(help="The last test of your track.")] = False,
    json: JourneyJson = False,
) -> int:
    """Fifteen minutes a day against forgetting.

    Questions, code to rebuild, faults to find in your own old code.

    Example: groundup recall 1.3/rebuild
    """
    from .. import recalling

    return recalling.recall(recalling.Asked(card, rate, minutes, all_, final, json))


@app.command(group=YEAR)
def arena(
    lesson: Annotated[str | None, Parameter(help="A lesson's id; without it, those that were hardest for you.")] = None,
    *,
    stop: Annotated[bool, Parameter(help="Give this attempt up.")] = False,
    json: JourneyJson = False,
) -> int:
    """A lesson again, from a blank file, against your own best time.

    Again, to have it judged.

    Example: groundup arena 1.3
    """
    from .. import contending

    return contending.arena(lesson, stop, json)


@app.command(group=YEAR, name="shelf")
def show_shelf(
    key: Annotated[
        str | None, Parameter(help="The key of one thing, to see it closely; else what the phase at hand asks for.")
    ] = None,
    *,
    kind: Annotated[
        list[str] | None, Parameter(help="Only papers, books, courses, lectures, blogs, ...; it may be repeated.")
    ] = None,
    phase: Annotated[int | None, Parameter(help="What this phase asks for.")] = None,
    lesson: Annotated[str | None, Parameter(help="What serves this lesson, such as 7.2.")] = None,
    must: Annotated[bool, Parameter(help="Only what must be read.")] = False,
    all: Annotated[bool, Parameter(help="All of it, papers before their time too.")] = False,
    begin: Annotated[bool, Parameter(help="Make the note with the three passes to tick off.")] = False,
    read: Annotated[
        tuple[str, str] | None,
        Parameter(help="A key, and three to five sentences about what it said.", allow_leading_hyphen=True),
    ] = None,
    bibtex: Annotated[bool, Parameter(help="Print it as BibTeX.")] = False,
    json: JourneyJson = False,
) -> int:
    """What to read and watch, when and why, and a log of it.

    Nothing is downloaded.

    Example: groundup shelf --phase 7 --kind papers
    """
    from .. import shelving

    return shelving.shelf(shelving.Request(key, kind or (), phase, lesson, must, all, begin, read, bibtex, json))


@app.command(group=YEAR, name="guide")
def show_guide(
    page: Annotated[
        str | None, Parameter(help="communities, compute, habits or puzzles; without it, the list of them.")
    ] = None,
    *,
    layers: Annotated[int | None, Parameter(help="Layers of the model; asks for --width too.")] = None,
    width: Annotated[int | None, Parameter(help="Width of the model; asks for --layers too.")] = None,
    vocabulary: Annotated[int, Parameter(help="How many tokens its vocabulary has.")] = 50_257,
    context: Annotated[int, Parameter(help="Positions of a sequence.")] = 1024,
    heads: Annotated[int | None, Parameter(help="Heads of attention; else width / 64.")] = None,
    kv_heads: Annotated[int | None, Parameter(help="Heads of keys and values; else as many as heads.")] = None,
    hidden: Annotated[int | None, Parameter(help="Width inside the MLP; else 4 x width.")] = None,
    style: Annotated[str, Parameter(help="gpt2, modern or llama.")] = "gpt2",
    parameters: Annotated[float | None, Parameter(help="How many parameters, such as 7e9, instead of a shape.")] = None,
    tokens: Annotated[float | None, Parameter(help="Tokens to train on, such as 2.5e9; else 20 a parameter.")] = None,
    device: Annotated[str, Parameter(help="t4, rtx4090, a100, h100, ...; else what fits.")] = "",
    devices: Annotated[int, Parameter(help="How many devices.")] = 1,
    dtype: Annotated[str | None, Parameter(help="bfloat16, float16 or float32.")] = None,
    optimizer: Annotated[str, Parameter(help="adamw, muon or sgd.")] = "adamw",
    batch: Annotated[int | None, Parameter(help="Sequences at a time on one device; else as many as fit.")] = None,
    checkpoint: Annotated[bool, Parameter(help="Compute activations again on the way back: less memory.")] = False,
    shard: Annotated[bool, Parameter(help="Share weights and states among the devices.")] = False,
    mfu: Annotated[float | None, Parameter(help="The share of the device's peak that you get, such as 0.4.")] = None,
    price: Annotated[float | None, Parameter(help="What you pay for an hour of one device.")] = None,
    buy: Annotated[float | None, Parameter(help="What the device costs to buy.")] = None,
    power: Annotated[float | None, Parameter(help="What a kilowatt-hour costs.")] = None,
    json: JourneyJson = False,
) -> int:
    """Where to ask, habits, puzzles, and what a training run takes.

    Memory, hours, money, and where it fits.

    Example: groundup guide compute --layers 12 --width 768 --tokens 2.5e9 --device h100
    """
    from ...course.guide.asking import Question
    from .. import guiding

    question = Question(
        layers, width, vocabulary, context, heads, kv_heads, hidden, style, parameters, tokens, device, devices,
        dtype, optimizer, batch, checkpoint, shard, mfu, price, buy, power,
    )  # fmt: skip
    return guiding.guide(page, question, json)


@app.command(group=YEAR, name="portfolio")
def show_portfolio(
    folder: Annotated[Path | None, Parameter(help="Where the site goes; else `portfolio` in the workspace.")] = None,
    *,
    feature: Annotated[
        list[str] | None,
        Parameter(help="A strong piece, shown first: a lesson, run, recipe or post.", consume_multiple=True),
    ] = None,
    with_log: Annotated[bool, Parameter(help="Every entry of your log, not only the public ones.")] = False,
    package: Annotated[bool, Parameter(help="A wheel of `mine` too, and how good your tests are.")] = False,
    benchmark: Annotated[bool, Parameter(help="Time your code against scikit-learn and PyTorch too.")] = False,
    publish: Annotated[str | None, Parameter(help="gh-pages: prepare that branch. Nothing is pushed.")] = None,
    title: Annotated[str | None, Parameter(help="The title of the site.")] = None,
    json: JourneyJson = False,
) -> int:
    """What you have built and run, as a site that opens anywhere.

    Code, results, evidence, in a folder that needs no server.

    Example: groundup portfolio --feature 1.3 two-moons --package
    """
    from .. import showing

    asked = showing.Asked(folder, tuple(feature or ()), with_log, package, benchmark, publish, title, json)
    return showing.portfolio(asked)
