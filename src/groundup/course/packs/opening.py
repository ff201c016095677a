"""A pack opened: found, hashed, its course.toml read; for a workspace also trusted."""

from __future__ import annotations

from pathlib import Path

from ..courses import Course
from . import contents, manifest, trust, wheels
from .contents import CourseError


def look(given: Path) -> Course:
    """The pack in a folder or a wheel, as it now is. Runs nothing of it, and reads no lesson. CourseError if it is none."""
    given = given.expanduser().resolve()
    folder = given
    if given.is_file() and given.name.endswith(wheels.SUFFIXES):
        folder = wheels.unpacked(given)
    elif not given.is_dir():
        raise CourseError(given, 1, "there is no course here: name a folder with course.toml, or a wheel of one")
    digest = contents.digest(folder)  # before anything is read: it refuses what is not a plain folder of files
    said = manifest.read(folder)
    return Course(
        folder, said.name, said.title, said.authors, said.licence,
        folder / said.lessons, folder / said.package, digest, given,
    )  # fmt: skip


def of_workspace(root: Path, named: str) -> Course:
    """The pack that a workspace's groundup.toml names, trusted as it now is. Untrusted if it is not."""
    course = look(root / Path(named).expanduser())
    trust.demand(course)
    return course


def around(folder: Path) -> Course | None:
    """The pack that a lesson's folder lies in, for those who write it; None if it lies in none."""
    for above in (folder.resolve(), *folder.resolve().parents):
        if (above / manifest.NAME).is_file():
            return look(above)
    return None


def size(course: Course) -> tuple[int, int, int]:
    """How many lessons, files and bytes a pack has."""
    files = contents.listed(course.folder)
    inside = course.lessons.relative_to(course.folder).as_posix() + "/"
    lessons = sum(
        name.startswith(inside) and name.endswith("/lesson.md") and name.count("/") == inside.count("/") + 2
        for name, _ in files
    )
    return lessons, len(files), sum(status.st_size for _, status in files)
