"""A lesson's prose as HTML that is safe to show, whoever wrote it.

Markdown without raw HTML; links to the web, to headings and to lessons only; no styles, no names of elements or attributes
that come from the prose. What may run, what it printed, figures and mathematics are found here and handed to their places.
"""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup, escape

from ...course.lessons.lesson import Lesson
from ...course.lessons.probes import load_probes
from .figures import comes_with_groundup, figure_if_ready, label_of
from .prose import PREFIX, Part, parts_of
from .typesetting import MARK, Figure

EXERCISES = PREFIX + "exercises"


@dataclass(frozen=True)
class Section:
    """A part of a page: its id, its title as plain text, and its HTML, which begins with its <h2>.

    What stands before the first heading has neither id nor title.
    """

    id: str
    title: str
    html: Markup


@dataclass(frozen=True)
class Page:
    """A lesson's page without its title, in sections."""

    sections: tuple[Section, ...]

    @property
    def html(self) -> Markup:
        """All of it."""
        return Markup("\n").join(section.html for section in self.sections)

    @property
    def contents(self) -> list[tuple[str, str]]:
        """Id and title of each heading of the second level."""
        return [(section.id, section.title) for section in self.sections if section.id]


def rendered(lesson: Lesson, checkpoints: bool = False) -> Page:
    """A lesson's prose as HTML. With `checkpoints`, their list stands before the exercises.

    Of each block that runs, the number in `data-cell`, `data-run` and `data-out` is its place in `lesson.blocks`.
    """
    blocks = tuple((block.line - lesson.body_line, block.code) for block in lesson.blocks)
    sections = []
    for part in parts_of(lesson.prose, blocks):
        if checkpoints and part.id == EXERCISES:
            sections.append(_checkpoints(lesson))
        sections.append(Section(part.id, part.title, _filled(lesson, part)))
    return Page(tuple(sections))


def _filled(lesson: Lesson, part: Part) -> Markup:
    """A part with its figures in their places."""
    return Markup(MARK.sub(lambda mark: _figure(lesson, part.figures[int(mark[1])]), part.html))


def _figure(lesson: Lesson, figure: Figure) -> str:
    """A figure that has been drawn, or a place that asks for it."""
    caption = f"<figcaption>{figure.caption}</figcaption>"
    if figure.name not in dict(lesson.figures):
        return f"<figure>{caption}</figure>"
    where = f"/lesson/{lesson.section_id}/figure/{figure.name}.svg"
    label = escape(label_of(lesson, figure.name))
    image = f'<img src="{where}" alt="{label}" loading="lazy">'
    if not comes_with_groundup(lesson):
        drawn = image
    elif (svg := figure_if_ready(lesson, figure.name)) is not None:
        drawn = str(svg)
    else:  # one after the other: a page must not hold all of a browser's connections while it waits
        drawn = (
            f'<div class="undrawn" hx-get="{where}" hx-trigger="load" hx-swap="outerHTML" '
            f'hx-sync="closest article:queue all" role="img" '
            f'aria-label="{label}"><span aria-hidden="true">being drawn</span><noscript>{image}</noscript></div>'
        )
    return f'<figure data-figure="{figure.name}"><div class="frame" tabindex="0">{drawn}</div>{caption}</figure>'


def _checkpoints(lesson: Lesson) -> Section:
    rows = "".join(
        f"<li>{escape(probe.checkpoint.name)}{' <em>stretch</em>' if probe.checkpoint.stretch else ''}</li>"
        for probe in load_probes(lesson)
    )
    name = PREFIX + "checkpoints"
    return Section(
        name, "Checkpoints", Markup(f'<h2 id="{name}">Checkpoints</h2>\n<ol class="checkpoints">{rows}</ol>')
    )
