"""Markdown of a learner's as HTML: the same few things that a lesson's prose may become, and nothing of it runs or draws."""

from __future__ import annotations

from markupsafe import Markup, escape

from .prose import PREFIX, parts_of
from .typesetting import MARK

MOST = 200_000  # characters that are typeset; what is longer is shown as plain text


def noted(text: str, prefix: str = "") -> Markup:
    """The text as HTML. prefix: before the ids of headings, where several texts share a page."""
    if len(text) > MOST:
        return Markup("<pre>{}</pre>").format(text)
    try:
        html = "\n".join(part.html for part in parts_of(text.replace("\0", "\ufffd"), ()))
    except RecursionError:  # nested as nobody writes
        return Markup("<pre>{}</pre>").format(text)
    return Markup(MARK.sub("", html).replace(f'id="{PREFIX}', f'id="{escape(prefix)}{PREFIX}'))
