"""Where to ask, what to compute on, and how to keep going: pages to read, and a calculator."""

from __future__ import annotations

from ...errors import NotUsable


class GuideError(NotUsable):
    """What the guide cannot answer, and what would do."""
