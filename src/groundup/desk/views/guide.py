"""The guide: where to ask what, habits, puzzles, and a calculator of what a training run takes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ...course.guide import GuideError
from ...course.guide.advice import money, paid, span
from ...course.guide.asking import Question, answer, cost_said
from ...course.guide.compute import STATES
from ...course.guide.devices import DTYPES, devices
from ...course.guide.pages import NAMES, page
from ...course.guide.shape import STYLES
from ...course.guide.words import amount, bytes_said, thousands
from ..paging import Refused, render
from ..reading import sentences
from ..reading.prose import parts_of

WHOLE = {"layers", "width", "vocabulary", "context", "heads", "kv_heads", "hidden", "devices", "batch"}
REAL = {"parameters", "tokens", "mfu", "price", "buy", "power"}
TICKED = {"checkpoint", "shard"}
CHOICES = {"style": tuple(STYLES), "optimizer": tuple(STATES), "dtype": DTYPES}
MOST = 12  # ways to run a job that are listed


def question_of(query: Mapping[str, str]) -> Question:
    """What a form asks; an empty field is one left out. GuideError for what is no number."""
    given: dict[str, Any] = {}
    for field in fields(Question):
        text = query.get(field.name, "").strip().replace(",", "")
        if field.name in TICKED:
            given[field.name] = bool(text)
        elif text and field.name in WHOLE | REAL:
            number = _number(field.name, text)
            given[field.name] = int(number) if field.name in WHOLE else number
        elif text:
            given[field.name] = text
    return Question(**given)


def _number(name: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or (name in WHOLE and number != int(number)):
        what = "a whole number" if name in WHOLE else "a number such as 2.5e9"
        raise GuideError(f"{name.replace('_', ' ')} is {what}, not {text[:40]!r}")
    return number


async def contents(request: Request) -> Response:
    """The pages there are."""
    pages = [page(name) for name in NAMES]
    leads = {each.name: sentences.plain(each.text.partition("\n\n")[0]) for each in pages}
    return render(request, "guide.html", pages=pages, says=leads)


async def shown(request: Request) -> Response:
    """One page; on that of compute, the calculator, and what it was asked."""
    try:
        found = page(request.path_params["name"])
    except GuideError as problem:
        raise Refused(404, str(problem)) from None
    html = Markup("\n").join(Markup(part.html) for part in parts_of(found.text, ()))
    names = {name: page(name).title for name in NAMES}
    if found.name != "compute":
        return render(request, "guide_page.html", page=found, html=html, names=names)
    query = {name: value[:60] for name, value in request.query_params.items()}
    reckoned, says = None, ""
    if query:
        try:
            reckoned = answer(question_of(query))
        except GuideError as wrong:
            says = str(wrong)
    return render(
        request, "guide_compute.html", page=found, html=html, names=names, query=query, found=reckoned, problem=says,
        table=devices(), choices=CHOICES, most=MOST, span=span, money=money, amount=amount, bytes_said=bytes_said,
        thousands=thousands, paid=paid, cost_said=cost_said,
    )  # fmt: skip


routes = [Route("/guide", contents), Route("/guide/{name}", shown)]
