"""The plan as the object of `groundup plan --json`, schema 1 (docs/journey.md)."""

from __future__ import annotations

from typing import Any

from .advice import Advice
from .calendar import Sitting
from .making import Plan, Week
from .marks import Mark


def as_object(plan: Plan) -> dict[str, Any]:
    """What JSON can hold of a plan: all weeks, times in unix seconds, days as dates."""
    ends, measured, shares = plan.ends, plan.measured, plan.shares
    return {
        "schema": 1,
        "track": plan.track.name,
        "hours_per_week": plan.settings.hours,
        "shape": plan.settings.shape,
        "levels": list(plan.settings.levels),
        "off": [[first.isoformat(), last.isoformat()] for first, last in plan.settings.off],
        "now": plan.now.timestamp(),
        "started": plan.first_day.isoformat(),
        "week": plan.week.number,
        "ends": {
            "promised": _day(ends.promised),
            "planned": _day(ends.planned),
            "likely": _day(ends.likely),
            "reasons": list(ends.reasons),
            "says": ends.says,
        },
        "left": {"own_minutes": plan.own_minutes, "minutes": plan.left},
        "measured": {
            "hours_per_week": measured.hours,
            "weeks": measured.weeks,
            "breaks": [monday.isoformat() for monday in measured.breaks],
            "pace": measured.pace,
            "lessons": measured.lessons,
        },
        "share": {"building": shares.share, "building_minutes": shares.building, "reading_minutes": shares.reading},
        "weeks": [_week(week) for week in plan.weeks],
        "marks": [_mark(mark) for mark in plan.marks],
        "advice": [_advice(each) for each in plan.advice],
        "missing": list(plan.missing),
    }


def _day(day: Any) -> str | None:
    return None if day is None else str(day.isoformat())


def _week(week: Week) -> dict[str, Any]:
    return {
        "number": week.number,
        "monday": week.monday.isoformat(),
        "state": week.state,
        "planned_minutes": week.planned,
        "worked_minutes": week.worked,
        "reviews": list(week.reviews),
        "days_off": week.off,
        "break": week.resting,
        "passed": list(week.passed),
        "marks": [mark.name for mark in week.marks],
        "sittings": [_sitting(sitting) for sitting in week.sittings],
    }


def _sitting(sitting: Sitting) -> dict[str, Any]:
    return {
        "name": sitting.name,
        "start": sitting.start.timestamp(),
        "end": sitting.end.timestamp(),
        "minutes": sitting.minutes,
        "parts": [{"task": each.task.name, "what": each.what, "minutes": each.minutes} for each in sitting.segments],
    }


def _mark(mark: Mark) -> dict[str, Any]:
    return {
        "name": mark.name,
        "kind": mark.kind,
        "title": mark.title,
        "says": mark.says,
        "day": _day(mark.day),
        "likely": _day(mark.likely),
        "done": mark.done,
        "due": mark.due,
    }


def _advice(each: Advice) -> dict[str, Any]:
    return {"kind": each.kind, "lesson": each.lesson, "says": each.says, "then": list(each.then)}
