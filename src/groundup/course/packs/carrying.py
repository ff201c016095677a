"""A pack carried to another machine: its files as bytes, put down there as they were."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ..courses import Course
from . import contents
from .contents import CourseError


@dataclass(frozen=True)
class Carried:
    """A pack that its reader trusts here, and whose hash says there that it is the same."""

    course: Course
    files: Mapping[str, bytes]


def carried(course: Course) -> Carried:
    """A pack's files, read now."""
    return Carried(course, {name: contents.read(course.folder / name) for name, _ in contents.listed(course.folder)})


def put_down(pack: Carried, folder: Path) -> Course:
    """The pack in a folder that is empty. CourseError if it is not the pack that was trusted."""
    for name, data in pack.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    course = pack.course
    if contents.digest(folder) != course.digest:
        raise CourseError(course.given, 1, "has changed since it was trusted: begin again")
    lessons, package = (folder / path.relative_to(course.folder) for path in (course.lessons, course.package))
    return replace(course, folder=folder, lessons=lessons, package=package)
