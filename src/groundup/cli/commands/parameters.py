"""Parameters that several commands have."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

Lesson = Annotated[str, Parameter(help="A lesson's id, such as 1.3.")]
MaybeLesson = Annotated[str | None, Parameter(help="A lesson's id, such as 1.3; without it, the one opened last.")]
Mine = Annotated[bool, Parameter(help="On your own library instead of the reference.")]
Settings = Annotated[list[str] | None, Parameter(help="A value of the recipe, as name=value; it may be repeated.")]
Trust = Annotated[str | None, Parameter(help="The hash of that course, which you have looked at.")]
Unasked = Annotated[bool, Parameter(help="Do not ask.")]

JourneyJson = Annotated[bool, Parameter(help="Print one JSON object instead (docs/journey.md).")]
RunsJson = Annotated[bool, Parameter(help="Print one JSON object, as the last line (docs/runs.md).")]
VerdictJson = Annotated[bool, Parameter(help="Print the verdict as one JSON object (docs/json.md).")]
