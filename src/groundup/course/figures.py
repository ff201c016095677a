"""Draws a lesson's figures as SVG that is legible on light and on dark paper.

A figure is a function in the lesson's `figures.py` that returns a matplotlib figure, drawn in `INK` on nothing. In the
SVG the ink becomes `currentColor`, which follows the page or, alone, the reader's theme.
"""

from __future__ import annotations

import contextlib
import io
import re
import types
from typing import Any

from ..lab.plot import INK, PAPER, STYLE_OF_PLOTS
from . import courses
from .lessons.blocks import library_of
from .lessons.lesson import Lesson, LessonError

__all__ = ["INK", "PAPER", "draw", "load_figures", "themed"]


STYLE = "<style>svg{color:#1f2328}@media (prefers-color-scheme:dark){svg{color:#e8e4da}}</style>"
SETTINGS: dict[str, Any] = {
    **STYLE_OF_PLOTS,
    "svg.hashsalt": "groundup",
    "svg.fonttype": "none",
    **{name: "none" for name in ("figure.facecolor", "axes.facecolor", "savefig.facecolor")},
}


def load_figures(lesson: Lesson) -> dict[str, Any]:
    """The public functions of a lesson's figures.py by name; {} where it has none."""
    with _reference():
        return _functions(lesson)


def _functions(lesson: Lesson) -> dict[str, Any]:
    path = lesson.folder / "figures.py"
    if not path.is_file():
        return {}
    module = types.ModuleType(f"groundup_figures_{lesson.section_id.replace('.', '_')}")
    try:
        exec(compile(path.read_bytes(), str(path), "exec", dont_inherit=True), vars(module))
    except Exception as problem:
        raise LessonError(
            path, getattr(problem, "lineno", None) or 1, f"{type(problem).__name__}: {problem}"
        ) from problem
    return {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, types.FunctionType)
        and value.__code__.co_filename == str(path)
        and not name.startswith("_")
    }


def draw(lesson: Lesson, name: str) -> str:
    """One figure as the text of an SVG. LessonError if the lesson has no such figure."""
    import matplotlib
    from matplotlib import pyplot

    out = io.StringIO()
    with _reference(), matplotlib.rc_context(SETTINGS):
        functions = _functions(lesson)
        if name not in functions:
            raise LessonError(lesson.folder / "figures.py", 1, f"there is no figure {name}")
        figure = functions[name]()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})  # cut to the ink: no label is lost
        pyplot.close(figure)
    return themed(out.getvalue())


def _reference() -> contextlib.AbstractContextManager[None]:
    """`mine` for the figures of a pack: its reference, which has no other name. Those of groundup import groundup."""
    return contextlib.nullcontext() if courses.current() is None else library_of(None)


def themed(svg: str) -> str:
    """The SVG with its ink as `currentColor`, and a style that gives the colour for each theme."""
    body = svg[svg.index("<svg") :]
    body = re.sub(INK, "currentColor", body, flags=re.IGNORECASE)
    return re.sub(r"(<svg[^>]*>)", lambda m: m[1] + STYLE, body, count=1)
