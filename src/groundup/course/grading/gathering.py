"""What was handed in: workspaces, folders of a student's files, single files named after students, nested as they come.

Nothing here is trusted. Links are not followed, only plain files are read and only so much of each, and what cannot be
graded is an entry with its reason: it stands in the way of no other.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..holes.library import FILE_CAP
from ..lessons.lesson import Lesson, find_all

DEEPEST = 12  # folders within folders
PASSED_OVER = frozenset({"__pycache__", "__MACOSX", "node_modules", "venv", "env", "site-packages"})
WORKSPACE = ("groundup.toml", "mine")  # either is enough
NOTHING = "There is no file of a lesson in it."
LINK = "It is a symbolic link, and those are not followed."


@dataclass(frozen=True)
class Handed:
    """One student's files of one lesson, or the reason why there is nothing to judge."""

    student: str
    path: str  # where it was found
    lesson: str = ""  # "" where it is not known
    files: Mapping[str, bytes] = field(default_factory=dict)  # by library path: grad/value.py
    alone: bool = False  # a single file: what the lesson builds beside it comes from the reference
    reason: str = ""


def gather(places: Sequence[Path], lessons: Sequence[Lesson], named: bool, beside: Path | None = None) -> list[Handed]:
    """Everything handed in, in the order of its names.

    lessons: those that may be meant; `named` if somebody chose them, so that a workspace without a file of theirs is an
    entry too. beside: a folder of our own, passed over.
    """
    gatherer = _Gatherer(lessons, named, os.path.realpath(beside) if beside is not None else "")
    found: list[Handed] = []
    for place in dict.fromkeys(map(os.path.normpath, places)):
        found += gatherer.place(place, alone=len(places) == 1)
    return _told_apart(found)


def shown(name: str) -> str:
    """A name as text without control characters or what is no text, escaped as Python does: no two names look the same."""
    return "".join(c if c.isprintable() and c != "\\" else _escaped(c) for c in name)


def _escaped(c: str) -> str:
    raw = 0xDC80 <= ord(c) <= 0xDCFF  # how Python carries a byte of a name that is not text
    return f"\\x{ord(c) - 0xDC00:02x}" if raw else c.encode("unicode_escape").decode()


def _told_apart(found: list[Handed]) -> list[Handed]:
    """In the order of names; two that would be one student's for one lesson are named by their paths."""
    taken = Counter((one.student, one.lesson) for one in found)
    apart = [replace(one, student=one.path) if taken[one.student, one.lesson] > 1 else one for one in found]
    return sorted(apart, key=lambda one: (one.student, one.lesson, one.path))


class _Gatherer:
    """Walks folders, and knows which names are a lesson's."""

    def __init__(self, lessons: Sequence[Lesson], named: bool, beside: str) -> None:
        self._lessons, self._named, self._beside = lessons, named, beside
        self._by_path = {path: lesson for lesson in lessons for path in lesson.builds}
        self._by_name: dict[str, list[str]] = {}
        for path in self._by_path:
            self._by_name.setdefault(os.path.basename(path), []).append(path)
        others = [lesson for lesson in find_all() if lesson not in lessons]
        self._elsewhere = {os.path.basename(path): lesson.section_id for lesson in others for path in lesson.builds}

    def place(self, path: str, alone: bool) -> list[Handed]:
        """What lies at a path that somebody named. If it is the only one, names begin below it."""
        try:
            is_folder = stat.S_ISDIR(os.stat(path).st_mode)  # a link that was named is meant
        except (OSError, ValueError) as problem:
            return [Handed(shown(path), shown(path), reason=f"It cannot be read: {_why(problem)}.")]
        if is_folder:
            own = shown(os.path.basename(os.path.realpath(path)) if alone else path)
            return self._folder(path, own, "" if alone else own + "/", DEEPEST)
        stem = shown(path.removesuffix(".py"))
        return [replace(self._file(os.path.realpath(path), stem, stem), path=shown(path), alone=True)]

    def _folder(self, path: str, student: str, prefix: str, deepest: int) -> list[Handed]:
        """A folder: a workspace, a student's, or one that holds such. `prefix` begins the names of what lies in it."""
        if os.path.realpath(path) == self._beside:
            return []
        if deepest == 0:
            return [Handed(student, shown(path), reason=f"It lies more than {DEEPEST} folders deep.")]
        try:
            with os.scandir(path) as scanned:
                entries = sorted(scanned, key=lambda entry: entry.name)
        except OSError as problem:
            return [Handed(student, shown(path), reason=f"It cannot be read: {_why(problem)}.")]
        if any(os.path.lexists(os.path.join(path, name)) for name in WORKSPACE):
            return self._workspace(path, student)
        own: list[Handed] = []  # the student's whom this folder is called after, and single files of others
        below: list[Handed] = []
        for entry in entries:
            name = prefix + shown(entry.name)
            if entry.name.startswith(".") or entry.name in PASSED_OVER:
                continue
            if _is_folder(entry):
                theirs = self._library_folder(entry.path, student)
                own += theirs
                below += [] if theirs else self._folder(entry.path, name, name + "/", deepest - 1)
            elif entry.name.endswith(".py"):
                own.append(self._file(entry.path, student, name.removesuffix(".py")))
            elif entry.is_symlink():
                below.append(Handed(name, shown(entry.path), reason=LINK))
        if any(one.student == student and one.lesson for one in own):  # what else lies in a student's folder is theirs
            below = [one for one in below if not one.reason]
            own = [one for one in own if one.student == student or prefix == ""]
        found = [*_together(own), *below]
        empty = all(one.reason == NOTHING for one in found) and (prefix != "" or not found)
        return [Handed(student, shown(path), reason=NOTHING)] if empty else found

    def _workspace(self, path: str, student: str) -> list[Handed]:
        """What a workspace holds of the lessons."""
        found = []
        for lesson in self._lessons:
            files, reason = self._read(path, "mine/", lesson.builds)
            if files or reason or self._named:
                found.append(Handed(student, shown(path), lesson.section_id, files, reason=reason))
        return found or [Handed(student, shown(path), reason=NOTHING)]

    def _library_folder(self, path: str, student: str) -> list[Handed]:
        """The lessons' files below a folder called as one of the library: ada/grad/value.py is ada's."""
        above, name = os.path.split(path)
        found = []
        for lesson in self._lessons:
            files, reason = self._read(above, "", [built for built in lesson.builds if built.split("/")[0] == name])
            if files or reason:
                found.append(Handed(student, shown(above), lesson.section_id, files, reason=reason))
        return found

    def _read(self, root: str, below: str, wanted: Sequence[str]) -> tuple[dict[str, bytes], str]:
        """Those of the library paths that lie in a folder of the root, and what kept others from being read."""
        files: dict[str, bytes] = {}
        problems = []
        for path in wanted:
            parts = (below + path).split("/")
            if any(os.path.islink(os.path.join(root, *parts[:i])) for i in range(1, len(parts))):
                problems.append(f"{path}: {LINK}")
            elif os.path.lexists(whole := os.path.join(root, *parts)):
                data, reason = read_file(whole)
                if reason:
                    problems.append(f"{path}: {reason}")
                else:
                    files[path] = data
        return files, " ".join(problems)

    def _file(self, path: str, student: str, stem: str) -> Handed:
        """A Python file: the student's whom its folder is called after if its name is a lesson's, else its namesake's."""
        data, reason = read_file(path)
        meant = self._by_name.get(os.path.basename(path), [])
        if len(meant) == 1:
            lesson = self._by_path[meant[0]]
            return Handed(student, shown(path), lesson.section_id, {} if reason else {meant[0]: data}, reason=reason)
        if meant:
            ids = " or ".join(sorted({self._by_path[path].section_id for path in meant}))
            return Handed(student, shown(path), reason=reason or f"It may be of {ids}: name one with --lesson.")
        if (other := self._elsewhere.get(os.path.basename(path))) is not None:
            return Handed(
                stem, shown(path), reason=reason or f"It is called as a file of {other}, which is not graded here."
            )
        if len(self._lessons) > 1:
            return Handed(stem, shown(path), reason=reason or "Its name is no lesson's file: name one with --lesson.")
        lesson = self._lessons[0]
        files = {} if reason else {lesson.builds[0]: data}
        return Handed(stem, shown(path), lesson.section_id, files, alone=True, reason=reason)


def _together(found: Sequence[Handed]) -> list[Handed]:
    """What one student handed in for one lesson in several files is one entry."""
    kept: list[Handed] = []
    places: dict[tuple[str, str], int] = {}
    for one in found:
        at = places.get((one.student, one.lesson))
        if one.alone or not one.lesson or at is None:
            if one.lesson and not one.alone:
                places[one.student, one.lesson] = len(kept)
            kept.append(one)
            continue
        other = kept[at]
        twice = [f"There are two files {path}." for path in one.files if path in other.files]
        reason = " ".join(part for part in (other.reason, one.reason, *twice) if part)
        kept[at] = replace(other, path=os.path.dirname(other.path), files={**other.files, **one.files}, reason=reason)
    return kept


def read_file(path: str) -> tuple[bytes, str]:
    """A plain file's bytes, or why there are none: a link, no file, too large, not to be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as problem:
        return b"", LINK if os.path.islink(path) else f"It cannot be read: {_why(problem)}."
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return b"", "It is not a plain file."
        try:
            data = file.read(FILE_CAP + 1)
        except OSError as problem:
            return b"", f"It cannot be read: {_why(problem)}."
    if len(data) > FILE_CAP:
        return b"", f"It is larger than {FILE_CAP >> 10} KiB, the most that a file of a lesson has."
    return data, ""


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _why(problem: Exception) -> str:
    return problem.strerror or str(problem) if isinstance(problem, OSError) else str(problem)
