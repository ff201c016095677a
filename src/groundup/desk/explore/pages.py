"""The words of the course's own pages: a text that every learner has, to count and to merge."""

from __future__ import annotations

import re
from functools import lru_cache

from ...course.lessons.lesson import find_all

FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
MATHEMATICS = re.compile(r"\$\$?[^$]*\$\$?")
SIGNS = re.compile(r"[^ -~\n]")  # what is not printable ASCII: a few letters that come once or twice


@lru_cache(maxsize=1)
def pages() -> str:
    """The prose of all lessons, without code and formulas, in ASCII."""
    prose = "\n".join(MATHEMATICS.sub("x", FENCE.sub("", lesson.prose)) for lesson in find_all())
    return re.sub(r"\n{2,}", "\n\n", SIGNS.sub("", prose))
