"""From a workspace to a site: choose, gather, make the pages, write what has changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from pathlib import Path
from typing import Any

from ...course.lessons.lesson import Lesson, find_all
from ...course.workspace.workspace import Workspace, WorkspaceError, write_absent
from .benchmarks import kept_benchmarks, measure
from .choices import NAME, read_choices, write_once
from .gathering import Portfolio, gather
from .kept_package import keep, kept_package
from .packaging import Package, make_package
from .pages import Site
from .publishing import Prepared
from .site import Written, write_site

FOLDER = "portfolio"  # in the workspace, where no other is named


@dataclass(frozen=True)
class Asked:
    """What is asked for this time, beside what portfolio.toml says."""

    title: str | None = None
    featured: tuple[str, ...] = ()
    with_log: bool = False
    package: bool = False  # make the wheel anew
    benchmark: bool = False  # time what has not been timed


@dataclass(frozen=True)
class Made:
    """A site before it is written. says: what the learner ought to know, a sentence each; fresh: portfolio.toml is new."""

    portfolio: Portfolio
    files: dict[str, bytes]
    says: tuple[str, ...]
    fresh: bool
    package: Package | None = None


def make(
    workspace: Workspace,
    asked: Asked,
    zone: tzinfo,
    lessons: Sequence[Lesson] | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Made:
    """The files of the site. Writes portfolio.toml, where there is none, and package and benchmarks, if asked for.

    say: is told of each lesson that is timed, or whose tests are tried.
    """
    fresh = write_once(workspace, asked.title, asked.featured)
    kept = read_choices(workspace)
    choices = replace(
        kept,
        title=asked.title or kept.title,
        featured=asked.featured or kept.featured,
        log=asked.with_log or kept.log,
    )
    says = []
    if asked.featured and asked.featured != kept.featured:
        says.append(f"what is featured holds for this time: write it into {NAME} to keep it")
    if asked.title and asked.title != kept.title:
        says.append(f"the title holds for this time: write it into {NAME} to keep it")
    if asked.package:
        keep(workspace, make_package(workspace, choices.package, lessons, say), lessons)
    if asked.benchmark:
        measure(workspace, [lesson.section_id for lesson in (find_all() if lessons is None else lessons)], say)
    package, stale = kept_package(workspace, lessons)
    portfolio = gather(workspace, choices, zone, lessons)
    site = Site(workspace, portfolio, package, kept_benchmarks(workspace))
    files = site.files()
    return Made(portfolio, files, (*says, *[stale] * bool(stale), *site.problems), fresh, package)


def folder_of(workspace: Workspace, named: Path | None) -> Path:
    """Where the site goes. WorkspaceError where it would lie among the learner's own files."""
    folder = (workspace.root / FOLDER if named is None else named.expanduser()).resolve()
    own = [workspace.root, *(workspace.root / name for name in ("mine", "notes", "runs", "tests", ".groundup", ".git"))]
    if any(folder == each.resolve() for each in own) or any(folder.is_relative_to(each.resolve()) for each in own[1:]):
        raise WorkspaceError(f"{folder} holds your own files: name another folder for the site")
    return folder


def write(workspace: Workspace, folder: Path, files: Mapping[str, bytes]) -> Written:
    """Writes the site. In the workspace's own folder for it, git is told to leave it alone: it can be made again."""
    written = write_site(folder, files)
    if folder == (workspace.root / FOLDER).resolve():
        write_absent(folder, {".gitignore": "*\n"})
    return written


def as_object(made: Made, folder: Path, written: Written, branch: Prepared | None = None) -> dict[str, Any]:
    """What `groundup portfolio --json` says (docs/journey.md)."""
    it = made.portfolio
    return {
        "schema": 1,
        "folder": str(folder),
        "index": str(folder / "index.html"),
        "pages": sum(name.endswith(".html") for name in made.files),
        "written": written.written,
        "unchanged": written.unchanged,
        "removed": written.removed,
        "left": list(written.left),
        "lessons": [built.id for built in it.built],
        "runs": [run.row.name for run in it.runs],
        "studies": [study.recipe for study in it.studies],
        "gates": {gate.name: met for gate, met in it.gates},
        "reproduced": [run.row.recipe for run in it.reproduced],
        "posts": [post.name for post in it.posts],
        "log": [entry.name for entry in it.log],
        "featured": list(it.choices.featured),
        "says": list(made.says),
        "package": _package(made.package, folder) if made.package else None,
        "branch": {**vars(branch), "push": list(branch.push)} if branch else None,
    }


def _package(package: Package, folder: Path) -> dict[str, Any]:
    score = package.score
    return {
        "name": package.name,
        "version": package.version,
        "wheel": str(folder / package.path),
        "mine": list(package.mine),
        "reference": list(package.reference),
        "tests": list(package.tests),
        "killed": score.killed,
        "tried": score.tried,
        "survived": [{"lesson": each.lesson, "fault": each.fault} for each in score.faults if not each.killed],
        "untested": list(score.untested),
        "broken": list(score.broken),
    }
