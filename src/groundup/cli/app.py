"""The application, and the headings of `groundup --help` in the order in which a learner meets them."""

from __future__ import annotations

from cyclopts import App, Group, Parameter

from .. import __version__


def default_shown(value: object) -> str | None:
    """A default as the help shows it; None, which shows nothing, for a flag and for what may be left out."""
    return None if isinstance(value, bool) or not value else str(value)


app = App(
    name="groundup",
    version=f"groundup {__version__}",
    help="Learn machine learning by building all of it. Bare `groundup` shows the map.\n\nExample: groundup start --yes",
    help_format="markdown",
    default_parameter=Parameter(negative="", show_default=default_shown),
)

HEADINGS = (
    "Begin", "Lesson by lesson", "Through the year", "Experiments", "For those who teach", "Options",
)  # fmt: skip
BEGIN, LESSONS, YEAR, LAB, TEACHING, OPTIONS = (Group(name, sort_key=place) for place, name in enumerate(HEADINGS))
app["--help"].group, app["--help"].help = OPTIONS, "This list; after a command, what it takes."
app["--version"].group, app["--version"].help = OPTIONS, "Which groundup this is."
