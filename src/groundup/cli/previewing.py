"""`groundup author preview`: a pack as its learners will see it, on a workspace that is thrown away."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from ..course import courses
from ..course.checking import client
from ..course.lessons.lesson import find, find_all
from ..course.packs.contents import CourseError
from ..course.packs.opening import around, look
from ..course.packs.trust import WRITING
from .trusting import settle


def preview(folder: Path, lesson: str | None, text: bool, trust: str | None, port: int, browser: bool) -> int:
    course = look(folder) if folder.is_file() else around(folder)
    if course is None:
        raise CourseError(folder, 1, "lies in no pack: name the folder that has course.toml")
    settle(course, trust, sys.stdin.isatty() and sys.stdout.isatty(), "groundup author preview")
    os.environ[WRITING] = str(course.folder)  # here and in what is started from here it runs as it is edited
    courses.use(course)
    if text:
        _print(lesson)
    else:
        _serve(course, port, browser)
    return 0


def _print(name: str | None) -> None:
    from ..course.lessons.page import page_text

    print("\n\n".join(page_text(lesson) for lesson in ([find(name)] if name is not None else find_all())))


def _serve(course: courses.Course, port: int, browser: bool) -> None:
    from ..course.workspace.starting import Choices, start
    from ..desk.server import serve

    with tempfile.TemporaryDirectory(prefix="groundup-preview-") as folder:
        workspace = start(Path(folder).resolve() / course.name, Choices(course=course))
        try:
            serve(workspace.root, port=port, open_browser=browser)
        finally:
            client.stop(workspace.root)
