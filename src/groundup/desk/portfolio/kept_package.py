"""The package that was made last, in `.groundup/package`, for as long as it is of the files that are there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from ...course.lessons.lesson import Lesson
from ...course.workspace.workspace import Workspace, write_atomically
from .killing import Score, Tried
from .packaging import Package, content_hash

FOLDER = (".groundup", "package")
NAME = "package.json"


def keep(workspace: Workspace, package: Package, lessons: Sequence[Lesson] | None = None) -> None:
    """Keeps a package for the builds to come."""
    folder = workspace.root.joinpath(*FOLDER)
    write_atomically(folder / package.wheel, package.data)
    said = {key: value for key, value in asdict(package).items() if key != "data"}
    text = json.dumps({"schema": 1, "of": content_hash(workspace, lessons), **said}, indent=1)
    write_atomically(folder / NAME, text.encode())


def kept_package(workspace: Workspace, lessons: Sequence[Lesson] | None = None) -> tuple[Package | None, str]:
    """The package if it is of the files as they are, and what to say if it is of earlier ones."""
    folder = workspace.root.joinpath(*FOLDER)
    try:
        said: dict[str, Any] = json.loads((folder / NAME).read_bytes())
        wheel = str(said["wheel"])
        if "/" in wheel or not wheel.endswith(".whl"):
            return None, ""
        score = said["score"]
        found = Package(
            str(said["name"]), str(said["version"]), wheel, (folder / wheel).read_bytes(),
            tuple(map(str, said["mine"])), tuple(map(str, said["reference"])), tuple(map(str, said["tests"])),
            Score(tuple(Tried(**each) for each in score["faults"]), tuple(score["untested"]), tuple(score["broken"]), int(score["unfit"])),
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError):
        return None, ""
    if said.get("of") != content_hash(workspace, lessons):
        return None, "the package is of earlier files and is left out: `groundup portfolio --package` makes it anew"
    return found, ""
