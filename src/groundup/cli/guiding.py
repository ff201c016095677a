"""The command guide: pages in the terminal, and the calculator."""

from __future__ import annotations

import json
import sys
import textwrap

from ..course.guide.advice import money, span
from ..course.guide.asking import Answer, Question, answer, as_object
from ..course.guide.devices import devices
from ..course.guide.pages import NAMES, page
from ..course.guide.words import amount, bytes_said
from ..course.terminal import BOLD, MISS, PASS, SOFT, paint, width

SHOWN = 8  # ways to run a job


def guide(name: str | None, question: Question, as_json: bool) -> int:
    """A page, the list of them, or what a job takes."""
    asked = question != Question()
    if name is None and not asked:
        return _contents(as_json)
    if name not in (None, "compute") or not asked:
        return _page(name or "", as_json)
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
    print(f"{paint(amount(job.parameters), BOLD)} parameters, {amount(job.tokens)} tokens: {job.flops:.2e} operations")
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
        print(paint(f"          {', '.join(f'{name} {bytes_said(size)}' for name, size in parts)}", SOFT))
        print(f"  time    {span(made.hours)}")
        if found.cost is not None and found.price is not None:
            print(f"  cost    about {money(found.cost)}, at {money(found.price)} an hour ({found.price_by})")
        print(f"  power   {made.kilowatt_hours:.3g} kWh, {money(found.power_cost or 0)} at home")
    print()
    fitting = [option for option in found.options if option.estimate.fits]
    for option in fitting[:SHOWN]:
        made = option.estimate
        paid = f"{option.weeks:.1f} weeks of it" if option.tier == "free" else f"about {money(option.cost)}"
        mark = paint("●", PASS) if option.usable else "· too long"
        print(f"  {made.device.title:26} {option.tier:6} {option.by:22} {span(made.hours):>10}  {paid}  {mark}")
    print(paint(f"  prices of {table.as_of}, approximate; yours with --price", SOFT), end="\n\n")
    for sentence in found.says:
        print(textwrap.fill(sentence, width()))
