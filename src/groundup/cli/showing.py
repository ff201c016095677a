"""The command portfolio: a static site from the workspace, a wheel of what was built, a branch to publish."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from ..course.plan.days import here
from ..course.showing.terminal import HINT, SOFT, paint, printable
from ..course.workspace.workspace import find_workspace
from ..desk.portfolio import building
from ..desk.portfolio.packaging import Package
from ..desk.portfolio.publishing import Prepared, publish
from .learn import near

FEW = 5  # faults named one by one


@dataclass(frozen=True)
class Asked:
    """What the command line says."""

    folder: Path | None = None
    featured: tuple[str, ...] = ()
    with_log: bool = False
    package: bool = False
    benchmark: bool = False
    publish: str | None = None
    title: str | None = None
    json: bool = False


def portfolio(asked: Asked) -> int:
    """Builds the site, and what else is asked for."""
    workspace = find_workspace()
    folder = building.folder_of(workspace, asked.folder)
    now = here()
    assert now.tzinfo is not None
    say = (lambda _: None) if asked.json or not sys.stderr.isatty() else _tell
    wanted = building.Asked(asked.title, asked.featured, asked.with_log, asked.package, asked.benchmark)
    made = building.make(workspace, wanted, now.tzinfo, say=say)
    written = building.write(workspace, folder, made.files)
    branch = publish(workspace, asked.publish, made.files) if asked.publish else None
    if asked.json:
        print(json.dumps(building.as_object(made, folder, written, branch)))
        return 0
    it = made.portfolio
    counts = [
        (len(it.built), "lesson", "lessons"), (len(it.runs), "run", "runs"), (len(it.studies), "study", "studies"),
        (len(it.posts), "post", "posts"), (len(it.log), "log entry", "log entries"),
    ]  # fmt: skip
    said = ", ".join(f"{count} {one if count == 1 else many}" for count, one, many in counts if count)
    print(f"{near(folder / 'index.html')}  {paint(said or 'nothing to show yet', SOFT)}")
    changed = f"{written.written} file{'s' * (written.written != 1)} written, {written.unchanged} as they were"
    print(paint(changed + (f", {written.removed} taken away" if written.removed else ""), SOFT))
    for name in written.left:
        print(f"{paint('○', HINT)} {printable(name)} was changed by another hand, and is left as it is")
    for sentence in made.says:
        print(f"{paint('○', HINT)} {printable(sentence)}")
    if made.fresh:
        print(
            f"{near(workspace.root / 'portfolio.toml')} is yours: your name, a few sentences, the pieces to show first"
        )
    if made.package is not None and asked.package:
        _tell_package(made.package, folder)
    if branch is not None:
        _tell_branch(branch)
    return 0


def _tell(lesson: str) -> None:
    print(paint(f"  {printable(lesson)}", SOFT), file=sys.stderr)


def _tell_package(package: Package, folder: Path) -> None:
    score = package.score
    modules = "1 module of yours" if len(package.mine) == 1 else f"{len(package.mine)} modules of yours"
    print(f"{near(folder / package.path)}  {paint(modules, SOFT)}")
    if package.tests:
        print(f"your tests: {score.says}")
    else:
        print(f"{paint('○', HINT)} there are no tests of yours yet: write some in tests/, such as tests/test_value.py")
    for lesson in score.broken:
        print(f"{paint('○', HINT)} {lesson}: your tests fail on your own code as it passed, or are late")
    survived = [each for each in score.faults if not each.killed]
    for each in survived[:FEW]:
        print(f"{paint('○', HINT)} {each.lesson}: not noticed: {printable(each.fault)}")
    if len(survived) > FEW:
        print(f"  and {len(survived) - FEW} more, on package.html")


def _tell_branch(branch: Prepared) -> None:
    print(f"{branch.branch} is {'at ' + branch.commit[:10] if branch.changed else 'as it was'}; to publish it:")
    for line in branch.push:
        print(f"  {line}")
