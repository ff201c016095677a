"""`portfolio.toml` in the workspace: what the learner chooses to show. Written once, with comments, and then theirs."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...course import courses
from ...course.workspace.workspace import Workspace, WorkspaceError, write_atomically

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

NAME = "portfolio.toml"
TITLE = "Machine learning, from the ground up"
TEMPLATE = """\
# What `groundup portfolio` shows. This file is yours: it was written once and is never written again.
title = {title}
author = ""   # your name
about = ""    # a few sentences about you, in Markdown
url = ""      # where the site will be, such as "https://ada.github.io/learning/"; the feed needs it
featured = {featured}  # the strong pieces, shown first: lessons ("1.3"), runs ("two-moons-4"), recipes, posts
log = false   # true shows every entry of notes/log; without it only those with a line `public: yes`
package = ""  # the name of the wheel that --package makes; "" for that of this folder
"""
URL = re.compile(r"https?://[^\s/\"'<>\\]+(/[^\s\"'<>\\]*)?")
PACKAGE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")


@dataclass(frozen=True)
class Choices:
    """What portfolio.toml says."""

    title: str = TITLE
    author: str = ""
    about: str = ""
    url: str = ""
    featured: tuple[str, ...] = ()
    log: bool = False
    package: str = ""


def read_choices(workspace: Workspace) -> Choices:
    """The choices of a workspace; those of nobody where the file is absent. WorkspaceError names file, line, what was expected."""
    path = workspace.root / NAME
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Choices()
    except (OSError, UnicodeDecodeError) as problem:
        why = problem.strerror if isinstance(problem, OSError) else "it is not text in UTF-8"
        raise WorkspaceError(f"{path} cannot be read: {why}") from None
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise WorkspaceError(f'{path}: this is not TOML ({problem}): write lines such as author = "Ada"') from None
    _expect(path, text, values)
    if "featured" in values:
        values["featured"] = tuple(values["featured"])
    return replace(Choices(), **values)


def _expect(path: Path, text: str, values: dict[str, Any]) -> None:
    """WorkspaceError for the first value that is not as it should be."""
    known = vars(Choices())
    for name, value in values.items():
        if name not in known:
            good, what = False, f"only {', '.join(known)}"
        elif name == "featured":
            good, what = (
                isinstance(value, list) and all(isinstance(each, str) for each in value),
                'a list such as ["1.3"]',
            )
        elif name == "log":
            good, what = isinstance(value, bool), "true or false"
        else:
            good, what = isinstance(value, str), "a text in quotes"
            if good and value and name == "url":
                good, what = URL.fullmatch(value) is not None, 'an address such as "https://ada.github.io/learning/"'
            if good and value and name == "package":
                good, what = PACKAGE.fullmatch(value) is not None, "letters, digits, dots and dashes"
        if not good:
            key = rf"\s*[\"']?{re.escape(name)}[\"']?\s*="
            line = next((i for i, each in enumerate(text.splitlines(), 1) if re.match(key, each)), 1)
            raise WorkspaceError(f"{path}:{line}: {name} = {value!r}: expected {what}")


def write_once(workspace: Workspace, title: str | None, featured: Sequence[str]) -> bool:
    """Writes portfolio.toml where there is none; whether it has."""
    path = workspace.root / NAME
    if path.exists() or path.is_symlink():
        return False
    pack = courses.current()
    title = title or (TITLE if pack is None else pack.title)
    text = TEMPLATE.format(title=_quoted(title), featured="[" + ", ".join(map(_quoted, featured)) + "]")
    write_atomically(path, text.encode())
    return True


def _quoted(text: str) -> str:
    """A basic string of TOML: JSON's escapes are among its own, but for DEL."""
    return json.dumps(text.encode("utf-8", "replace").decode(), ensure_ascii=False).replace("\x7f", "\\u007f")
