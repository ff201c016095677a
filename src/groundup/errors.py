"""Where the errors begin that are written for the person who reads them."""

from __future__ import annotations


class NotUsable(Exception):
    """What cannot be used, and what would do, in a sentence. A command shows it and ends with status 2, the desk answers 409."""
