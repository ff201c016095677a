"""The signature of every command, a file for each heading of `groundup --help`. Each imports what it needs when it runs."""

from __future__ import annotations

from ..app import app
from . import begin, lab, lessons, teaching, year

__all__ = ["app", "begin", "lab", "lessons", "teaching", "year"]

for house in (app, app["author"]):  # as written in its file, not by the alphabet
    for place, name in enumerate(house):
        house[name].sort_key = place
