"""`groundup start`: a workspace with a track, a pace, a place to begin at, and what an editor needs to debug in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ... import __version__
from .. import courses, tracks
from ..courses import Course
from ..lessons.lesson import Lesson, find
from ..plan.settings import check_hours
from .workspace import BEGINNING, NAME, PLACEMENT, Config, Workspace, WorkspaceError, make_workspace, write_absent

LAUNCH = """\
{
  // Breakpoints in your files stop here. The judge runs them in a sandbox, where no debugger can reach.
  "version": "0.2.0",
  "configurations": [
    {
      "name": "this file",
      "type": "debugpy",
      "request": "launch",
      "module": "groundup.course.debugging",
      "args": ["${file}"],
      "cwd": "${workspaceFolder}",
      "console": "integratedTerminal"
    },
    {
      "name": "check: the failing case of the lesson at hand",
      "type": "debugpy",
      "request": "launch",
      "module": "groundup",
      "args": ["check", "--debug"],
      "cwd": "${workspaceFolder}",
      "console": "integratedTerminal",
      "subProcess": false
    }
  ]
}
"""
DEVCONTAINER = """\
{
  "name": "groundup",
  "build": { "dockerfile": "Dockerfile" },
  "remoteUser": "learner",
  "customizations": {
    "vscode": {
      "extensions": ["ms-python.python", "ms-python.debugpy", "ms-toolsai.jupyter"],
      "settings": { "python.defaultInterpreterPath": "/opt/groundup/bin/python" }
    }
  },
  "postCreateCommand": "groundup doctor || true"
}
"""
DOCKERFILE = f"""\
# What `pip install` takes: a version, a wheel's address, or git+https://...
ARG GROUNDUP="groundup[all]>={__version__}"

FROM python:3.12-slim
ARG GROUNDUP
RUN apt-get update && apt-get install -y --no-install-recommends git && rm -rf /var/lib/apt/lists/*
RUN useradd --create-home --shell /bin/bash learner && python -m venv /opt/groundup && chown -R learner /opt/groundup
USER learner
ENV PATH=/opt/groundup/bin:$PATH
RUN pip install --no-cache-dir "$GROUNDUP"
"""
CONTAINER = {".devcontainer/devcontainer.json": DEVCONTAINER, ".devcontainer/Dockerfile": DOCKERFILE}
EDITOR = {".vscode/launch.json": LAUNCH}
OWN_NAME = re.compile(r"[\w-]+")


@dataclass(frozen=True)
class Choices:
    """What is chosen at the start. track: a name, or the path of a file; begin: beginning, placement, or a lesson's id."""

    track: str = tracks.EVERYTHING
    hours: float = 10
    begin: str = BEGINNING
    devcontainer: bool = False
    course: Course | None = None  # a pack, trusted; None for groundup's own course


def start(folder: Path, choices: Choices) -> Workspace:
    """Makes the workspace; its course is the one at hand from then on. TrackError, NoSuchLesson or WorkspaceError for a choice that cannot be; then nothing is made."""
    around = next((f for f in folder.resolve().parents if (f / NAME).is_file()), None)
    if around is not None:
        raise WorkspaceError(f"{folder} lies in the workspace {around}: go out of it, or name a folder elsewhere")
    courses.use(choices.course)
    track = check_track(choices.track)
    check_hours(choices.hours)
    check_begin(choices.begin, track)
    files = {**EDITOR, **(CONTAINER if choices.devcontainer else {})}
    if choices.track.endswith(".toml"):
        files[f"tracks/{track.name}.toml"] = Path(choices.track).expanduser().read_text(encoding="utf-8")
    course = "" if choices.course is None else str(choices.course.given)
    return make_workspace(folder, Config(track.name, choices.hours, choices.begin, course), files)


def add_container(folder: Path) -> list[str]:
    """The dev container, and what an editor needs, into a workspace that exists; which files were not there."""
    return write_absent(folder, {**EDITOR, **CONTAINER})


def check_track(name: str) -> tracks.Track:
    """The track of this name, or in this file. TrackError if there is none."""
    track = tracks.load(name, Path.cwd() if name.endswith(".toml") else None)
    if not OWN_NAME.fullmatch(track.name):
        raise tracks.TrackError(f"{name}: a track's file is named in letters, digits, _ and -, such as mine.toml")
    return track


def check_begin(begin: str, track: tracks.Track) -> Lesson | None:
    """The lesson one begins at, None for the beginning and for placement. NoSuchLesson, or WorkspaceError off the track."""
    if begin in (BEGINNING, PLACEMENT):
        return None
    lesson = find(begin)
    if lesson not in tracks.lessons_of(track):
        raise WorkspaceError(f"{begin} is not on the track {track.name}: begin elsewhere, or take `--track everything`")
    return lesson


def weeks(track: tracks.Track, hours: float, begin: str = BEGINNING) -> tuple[int, int]:
    """Hours that the lessons of a track which are here take from where one begins, and the weeks that makes."""
    lessons = tracks.lessons_of(track)
    ids = [lesson.section_id for lesson in lessons]
    ahead = lessons[ids.index(begin) :] if begin in ids else lessons
    total = sum(lesson.minutes for lesson in ahead) / 60
    return round(total), max(1, round(total / hours))
