"""Explorables: pictures whose numbers the library computes while a control is moved. One a file; each has an EXPLORABLE."""

from __future__ import annotations

import importlib
import pkgutil
from functools import lru_cache

from ...course import courses
from .explorable import Explorable


def find_all() -> dict[str, Explorable]:
    """Every explorable by its name, in the order of their lessons. A course by others has none: its 1.3 is not groundup's."""
    return _ours() if courses.current() is None else {}


@lru_cache(maxsize=1)
def _ours() -> dict[str, Explorable]:
    names = sorted(found.name for found in pkgutil.iter_modules(__path__))
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    found = [module.EXPLORABLE for module in modules if hasattr(module, "EXPLORABLE")]
    return {explorable.name: explorable for explorable in sorted(found, key=_place)}


def for_lesson(section_id: str) -> list[Explorable]:
    """The explorables that belong to a lesson."""
    return [explorable for explorable in find_all().values() if explorable.lesson == section_id]


def _place(explorable: Explorable) -> tuple[int, int, str]:
    phase, order = explorable.lesson.split(".")
    return int(phase), int(order), explorable.name
