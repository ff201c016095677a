"""The command guide: pages in the terminal, and the calculator."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Sequence

from ..course.guide import GuideError
from ..course.guide.advice import Option, money, paid, span
from ..course.guide.asking import Answer, Question, answer, as_object, cost_said
from ..course.guide.devices import devices
from ..course.guide.pages import NAMES, page
from ..course.guide.words import amount, bytes_said, thousands
from ..course.showing.terminal import BOLD, MISS, PASS, SOFT, paint, width

SHOWN = 8  # ways to run a job


def guide(name: str | None, question: Question, as_json: bool) -> int:
    """A page, the list of them, or what a job takes."""
    asked = question != Question()
    if name is None and not asked:
        return _contents(as_json)
    if name is not None and not asked:
        return _page(name, as_json)
    if name not in (None, "compute"):
        raise GuideError(f"{page(name).name} is a page to read; numbers are for groundup guide compute")
    found = answer(question)
    if as_json:
        print(json.dumps(as_object(found), allow_nan=False))
    else:
        _tell(found)
    return 0


def _contents(as_json: bool) -> int:
    pages = [page(name) for name in NAMES]
    if as_json:
        print(json.dumps({"schema": 1, "pages": [{"page": each.name, "title": each.title} for each in pages]}))
        return 0
    for each in pages:
        print(f"groundup guide {each.name:12} {each.title}")
    return 0


def _page(name: str, as_json: bool) -> int:
    found = page(name)
    if as_json:
        print(json.dumps({"schema": 1, "page": found.name, "title": found.title, "text": found.text}))
        return 0
    text = f"# {found.title}\n\n{found.text}"
    if not sys.stdout.isatty():
        print(text, end="")
        return 0
    from rich.console import Console
    from rich.markdown import Markdown

    Console(width=width()).print(Markdown(text))
    return 0


def _tell(found: Answer) -> None:
    job, made, table = found.job, found.estimate, devices()
    operations = f"{job.flops:.2e}".replace("e+", "e")
    print(f"{paint(amount(job.parameters), BOLD)} parameters, {amount(job.tokens)} tokens: {operations} operations")
    if made is not None:
        count = f"{made.devices} x " if made.devices > 1 else ""
        print(f"\n{paint(count + made.device.title, BOLD)}, {made.dtype} at {made.mfu:.0%} of the peak")
        fits = paint("fits", PASS) if made.fits else paint("does not fit", MISS)
        print(f"  memory  {bytes_said(made.memory.total)} of {bytes_said(made.device.memory)}: {fits}")
        parts = [
            ("weights", made.memory.parameters),
            ("gradients", made.memory.gradients),
            ("optimiser", made.memory.optimizer),
        ]
        if job.shape is not None:
            many = "sequence" if made.batch == 1 else "sequences"
            parts.append((f"activations of {made.batch} {many}", made.memory.activations))
        print(paint(_wrapped(", ".join(f"{name} {bytes_said(size)}" for name, size in parts), " " * 10), SOFT))
        print(f"  time    {span(made.hours)}")
        if cost := cost_said(found):
            print(f"  cost    {cost}")
        print(f"  power   {thousands(made.kilowatt_hours)} kWh, {money(found.power_cost or 0)} at home")
    print()
    fitting = [option for option in found.options if option.estimate.fits]
    _ways(fitting[:SHOWN])
    if fitting or found.cost is not None:
        print(paint(f"prices of {table.as_of}, approximate; yours with --price", SOFT), end="\n\n")
    for sentence in found.says:
        print(_wrapped(sentence))


def _ways(options: Sequence[Option]) -> None:
    """Where a job fits, a line each: the device, how long, what is paid, to whom."""
    rows = [
        (
            option.estimate.device.title,
            span(option.estimate.hours),
            paid(option),
            f"{option.tier}, {option.by}" + ("" if option.usable else ": too long"),
        )
        for option in options
    ]
    title, time, price, _ = (max(map(len, column)) for column in zip(*rows)) if rows else (0, 0, 0, 0)
    for option, row in zip(options, rows):
        line = f"{row[0]:{title}}  {row[1]:>{time}}  {row[2]:{price}}  {row[3]}"
        mark = paint("●", PASS) if option.usable else "·"
        print(f"{mark} {textwrap.fill(line, width() - 2, subsequent_indent='    ')}")


def _wrapped(text: str, indent: str = "") -> str:
    return textwrap.fill(text, width(), initial_indent=indent, subsequent_indent=indent)
