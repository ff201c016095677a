"""Recall: one card, one key. A question is answered aloud and rated; code is written in its file, and judged."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ...course.lessons.lesson import find_all
from ...course.lessons.probes import demands
from ...course.log.entries import entry_of, read_log
from ...course.log.looking import written
from ...course.plan.days import here, said
from ...course.recall import arena, final, reviews
from ...course.recall.cards import BUG, QUESTION, Card
from ...course.recall.code import open_task
from ...course.recall.passages import passage
from ...course.recall.schedule import RATINGS, next_due
from ..paging import Refused, body_of, render
from ..place import Place, lesson_of
from ..reading.noted import noted
from ..verdicts.verdict import points

ASKED = {QUESTION: "", "rebuild": "Rebuild a part", BUG: "Find the mistake"}


async def page(request: Request) -> Response:
    """The card at hand: the one that is asked for, or the first of today."""
    place: Place = request.app.state.place
    name = request.query_params.get("card", "")
    return render(request, "recall.html", **await place.work(_page, place, name, here()))


def _page(place: Place, name: str, now: datetime) -> dict[str, Any]:
    workspace = place.workspace
    desk = reviews.desk_of(workspace, now)
    card = _named(desk, name) if name else next(iter(desk.today), None)
    with workspace.store(readonly=True) as store:
        standings = store.standings()
    events = desk.events
    track, today = workspace.track, now.date()
    test = final.open_final(track.name, events, now)
    return {
        "desk": desk,
        "card": card,
        "asked": ASKED,
        "shown": _card(place, desk, card) if card is not None else {},
        "left": len(desk.today),
        "later": desk.due - len(desk.today),
        "next_day": said(desk.next_day, today) if desk.next_day else "",
        "bouts": arena.bouts(find_all(), standings, events)[: arena.HARDEST],
        "clock": arena.clock,
        "track": track,
        "missing": len(final.missing(track, standings)),
        "final_met": final.met_at(track.name, events) is not None,
        "test": test,
        "piece": open_task(events, test.at_hand.name) if test is not None and test.at_hand is not None else None,
    }


def _card(place: Place, desk: reviews.Desk, card: Card) -> dict[str, Any]:
    """What a card shows: its question and what to compare the answer with, or what has been handed out."""
    today = desk.now.date()
    due = {rating: said(day, today) for rating, day in next_due(desk.schedule.state(card), desk.now).items()}
    if card.kind != QUESTION:
        task = desk.task(card)
        where = (place.root / task.path) if task is not None else None
        return {"task": task, "editor": f"vscode://file{where.as_posix()}" if where is not None else "", "due": due}
    found = passage(card.lesson, card.text)
    entry = entry_of(read_log(place.workspace), card.lesson.section_id)
    own = "\n\n".join(section.text for section in written(entry)[:2]) if entry is not None else ""
    return {
        "question": noted(card.text, "question-"),
        "passage": noted(found.text, "passage-") if found is not None else "",
        "title": found.title if found is not None else "",
        "own": noted(own, "own-") if own else "",
        "entry": entry,
        "ratings": [(number, rating, due[rating]) for number, rating in enumerate(RATINGS, 1)],
    }


def _named(desk: reviews.Desk, name: str) -> Card:
    found = next((card for card in desk.cards if card.name == name), None)
    if found is None:
        raise Refused(404, f"there is no card {name!r}: those of today are at /recall")
    return found


async def rate(request: Request) -> Response:
    """Records what the learner makes of a card; of code only that it is given up."""
    place, body = request.app.state.place, await body_of(request)
    name, rating = body.get("card"), body.get("rating")
    if not isinstance(name, str) or rating not in RATINGS:
        raise Refused(400, f"a rating has `card`, and `rating`: {', '.join(RATINGS)}")
    return JSONResponse(await place.work(_rate, place, name, rating))


def _rate(place: Place, name: str, rating: str) -> dict[str, Any]:
    desk = reviews.desk_of(place.workspace, here())
    card = _named(desk, name)
    day = next_due(desk.schedule.state(card), desk.now)[rating]
    reviews.rate(place.workspace, card, rating, desk.task(card))
    return {"card": name, "due": said(day, desk.now.date())}


async def give(request: Request) -> Response:
    """Hands out a card of code."""
    place, name = request.app.state.place, await _name(request)
    task = await place.work(
        lambda: reviews.give(place.workspace, _named(reviews.desk_of(place.workspace, here()), name))
    )
    return JSONResponse({"path": task.path, "says": task.says})


async def judge(request: Request) -> Response:
    """Judges what has become of what was handed out."""
    place, name = request.app.state.place, await _name(request)
    return JSONResponse(await place.work(_judge, place, name))


def _judge(place: Place, name: str) -> dict[str, Any]:
    desk = reviews.desk_of(place.workspace, here())
    card = _named(desk, name)
    task = desk.task(card)
    if task is None:
        raise Refused(409, f"nothing of {name} is handed out: begin it first")
    reply, worth = reviews.look_at(place.workspace, task, here())
    shown = points(card.lesson, demands(card.lesson), reply, stale=False)
    return {"passed": bool(worth), "rating": worth, "points": str(shown)}


async def go_on(request: Request) -> Response:
    """The last test: begins it, or judges the piece at hand; then hands out the next."""
    place: Place = request.app.state.place
    return JSONResponse(await place.work(_go_on, place))


def _go_on(place: Place) -> dict[str, Any]:
    workspace = place.workspace
    reply, task, _ = final.go_on(workspace, workspace.track, here())
    if reply is None or task is None or reply["verdict"]["passed"]:
        return {"passed": True}
    lesson = lesson_of(task.lesson)
    return {"passed": False, "points": str(points(lesson, demands(lesson), reply, stale=False))}


async def bout_page(request: Request) -> Response:
    """A lesson in the arena: its blank files to write in, and the clock."""
    place, lesson = request.app.state.place, lesson_of(request.path_params["lesson"])
    bout = await place.work(_bout, place, lesson.section_id)
    return render(request, "bout.html", bout=bout, clock=arena.clock)


async def begin_bout(request: Request) -> Response:
    """Starts the clock on a lesson in the arena."""
    place, lesson = request.app.state.place, lesson_of(request.path_params["lesson"])
    return JSONResponse(await place.work(_begin_bout, place, lesson.section_id))


def _begin_bout(place: Place, section_id: str) -> dict[str, Any]:
    bout = _bout(place, section_id)
    if bout.begun:
        raise Refused(409, f"the clock of {section_id} runs already")
    with place.workspace.store() as store:
        return {"paths": arena.begin(place.workspace, store, bout.lesson)}


async def judge_bout(request: Request) -> Response:
    """Judges what stands in the arena."""
    place, lesson = request.app.state.place, lesson_of(request.path_params["lesson"])
    return JSONResponse(await place.work(_judge_bout, place, lesson.section_id))


def _judge_bout(place: Place, section_id: str) -> dict[str, Any]:
    bout = _bout(place, section_id)
    if not bout.begun:
        raise Refused(409, f"the clock of {section_id} does not run: begin first")
    with place.workspace.store() as store:
        reply, seconds = arena.judge_bout(place.workspace, store, bout, here())
    shown = points(bout.lesson, demands(bout.lesson), reply, stale=False)
    return {"passed": seconds is not None, "time": arena.clock(seconds or 0.0), "points": str(shown)}


async def stop_bout(request: Request) -> Response:
    """Gives an attempt up."""
    place, lesson = request.app.state.place, lesson_of(request.path_params["lesson"])

    def stop() -> None:
        if _bout(place, lesson.section_id).begun:
            with place.workspace.store() as store:
                arena.stop(store, lesson)

    await place.work(stop)
    return JSONResponse({"lesson": lesson.section_id})


def _bout(place: Place, section_id: str) -> arena.Bout:
    with place.workspace.store(readonly=True) as store:
        found = arena.bouts([lesson_of(section_id)], store.standings(), store.events())
    if not found:
        raise Refused(409, f"{section_id} has not been passed yet: the arena is for what was built once")
    return found[0]


async def _name(request: Request) -> str:
    name = (await body_of(request)).get("card")
    if not isinstance(name, str):
        raise Refused(400, "a card is named by `card`")
    return name


routes = [
    Route("/recall", page),
    Route("/recall/rate", rate, methods=["POST"]),
    Route("/recall/give", give, methods=["POST"]),
    Route("/recall/judge", judge, methods=["POST"]),
    Route("/recall/final", go_on, methods=["POST"]),
    Route("/recall/arena/{lesson:str}", bout_page),
    Route("/recall/arena/{lesson:str}", begin_bout, methods=["POST"]),
    Route("/recall/arena/{lesson:str}/judge", judge_bout, methods=["POST"]),
    Route("/recall/arena/{lesson:str}", stop_bout, methods=["DELETE"]),
]
