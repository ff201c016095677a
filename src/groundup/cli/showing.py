"""The command portfolio: a static site from the workspace, a wheel of what was built, a branch to publish."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..course.plan.days import here
from ..course.terminal import HINT, SOFT, paint, printable
from ..course.workspace import find_workspace
from ..desk.portfolio import building
from .learn import near


@dataclass(frozen=True)
class Asked:
    """What the command line says."""

    folder: Path | None = None
    featured: tuple[str, ...] = ()
    with_log: bool = False
    package: bool = False
    publish: str | None = None
    title: str | None = None
    json: bool = False


def portfolio(asked: Asked) -> int:
    """Builds the site, and what else is asked for."""
    workspace = find_workspace()
    folder = building.folder_of(workspace, asked.folder)
    made = building.make(
        workspace, building.Asked(asked.title, asked.featured, asked.with_log), here().tzinfo or here().astimezone().tzinfo
    )
    written = building.write(workspace, folder, made.files)
    more: dict[str, Any] = {}
    if asked.json:
        print(json.dumps(building.as_object(made, folder, written, more)))
        return 0
    it = made.portfolio
    counts = [
        (len(it.built), "lesson", "lessons"), (len(it.runs), "run", "runs"), (len(it.studies), "study", "studies"),
        (len(it.posts), "post", "posts"), (len(it.log), "log entry", "log entries"),
    ]  # fmt: skip
    said = ", ".join(f"{count} {one if count == 1 else many}" for count, one, many in counts if count)
    print(f"{near(folder / 'index.html')}  {paint(said or 'nothing to show yet', SOFT)}")
    changed = f"{written.written} files written, {written.unchanged} as they were"
    print(paint(changed + (f", {written.removed} taken away" if written.removed else ""), SOFT))
    for name in written.left:
        print(f"{paint('○', HINT)} {printable(name)} was changed by another hand, and is left as it is")
    for sentence in made.says:
        print(f"{paint('○', HINT)} {printable(sentence)}")
    if made.fresh:
        print(f"{near(workspace.root / 'portfolio.toml')} is yours: your name, a few sentences, the pieces to show first")
    return 0
