"""Markdown as plain sentences, for places that show a line of it."""

from __future__ import annotations

import re

from ...course.lessons.page import plain_mathematics


def plain(markdown: str) -> str:
    """The words in one line: marks and links gone, mathematics in plain signs."""
    text = re.sub(r"\$\$?(.+?)\$\$?", lambda m: plain_mathematics(m[1]), markdown, flags=re.DOTALL)
    text = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", text)
    return " ".join(re.sub(r"[*`]", "", text).split())
