"""The checkpoints of a lesson with the last verdict on them, as the page shows them below the code."""

from __future__ import annotations

from markupsafe import Markup

from ...course.checking.last_verdict import last
from ...course.checking.session import next_lesson
from ...course.lessons.lesson import Lesson
from ...course.lessons.probes import demands
from ...course.workspace.workspace import Workspace
from ..workbench.lesson_files import shas
from .verdict import points


def points_html(workspace: Workspace, lesson: Lesson) -> str:
    """As HTML, everything in it escaped. A verdict on files that have changed since says so; after a pass, the way on."""
    kept = last(workspace, lesson)
    stale = kept is not None and kept.files != shas(workspace, lesson)
    shown = str(points(lesson, demands(lesson), kept.reply if kept else None, stale=stale))
    if kept is None or stale or not kept.reply["verdict"]["passed"]:
        return shown
    with workspace.store(readonly=True) as store:
        following = next_lesson(store.standings(), workspace.track)
    return shown + (_way_on(following) if following is not None else "")


def _way_on(lesson: Lesson) -> str:
    href = f"/lesson/{lesson.section_id}"
    return str(
        Markup(
            '<p class="row"><a class="button" href="{}" data-next>next: {} {}</a>'
            '<a class="button quiet" href="/notes">write it down</a></p>'
        ).format(href, lesson.section_id, lesson.title)
    )
