"""The learner's folder: `mine`, `notes`, `groundup.toml`, a git history, and `.groundup` for the store.

Nothing of the learner's is ever overwritten here: a file that exists is added to, or left alone with a fresh one beside.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ...errors import NotUsable
from .. import courses, tracks
from ..checking.client import workspace_root
from ..holes.library import Submission, module_name, reference_text
from ..lessons.lesson import SECTION_ID, Lesson, find_all
from ..progress.store import Standing, Store

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FORMAT = 1
NAME = "groundup.toml"
CONFIG = """\
# A groundup workspace. `mine` is what you build, `notes` is what you write.
format = {format}
track = "{track}"  # {tracks}
hours_per_week = {hours}
begin = "{begin}"  # beginning, placement, or the lesson you begin at
"""
COURSE = "course = {course}  # a pack: a course by others\n"
KNOWN = ("format", "track", "hours_per_week", "begin", "course")
BEGINNING, PLACEMENT = "beginning", "placement"
INIT = '''\
"""What you have built. What you have not built yet comes from the course, under the same names."""

from pathlib import Path

from groundup.course.overlay import over_reference

over_reference(Path(__file__).resolve().parent.parent).join()
'''
README = """\
# {title}

`mine/` is a library that I build lesson by lesson; what is not there yet comes from {course}.
`groundup` shows where I am, `groundup watch` judges each save, `groundup next` goes on.

<!-- status -->
<!-- /status -->
"""
NOTES = "# Notes\n\nYours.\n"
IGNORED = ".groundup/\n__pycache__/\n.ipynb_checkpoints/\n"


class WorkspaceError(NotUsable):
    """What is wrong with the workspace, where, and what to do."""


@dataclass(frozen=True)
class Config:
    """What groundup.toml says."""

    track: str = tracks.EVERYTHING
    hours_per_week: float = 10
    begin: str = BEGINNING  # or PLACEMENT, or a lesson's id
    course: str = ""  # the path of a pack, from the workspace; "" for groundup's own course


@dataclass(frozen=True)
class Opened:
    """What opening a lesson did to one file."""

    path: Path
    written: bool  # it was not there before
    added: tuple[str, ...] = ()  # names appended, because the contract has grown
    changed: tuple[str, ...] = ()  # names whose signature differs from the contract's: see `beside`
    beside: Path | None = None


@dataclass(frozen=True)
class Workspace:
    """A workspace that exists."""

    root: Path
    config: Config

    @property
    def database(self) -> Path:
        return self.root / ".groundup" / "progress.db"

    def store(self, readonly: bool = False) -> Store:
        """The store of this workspace; made where there is none, as in a clone: git does not carry it."""
        if readonly and not self.database.exists():
            self.store().close()
        if not readonly:
            with contextlib.suppress(OSError):  # the store says what is the matter with its folder
                self.database.parent.mkdir(exist_ok=True)
        return Store(self.database, readonly=readonly)

    @property
    def track(self) -> tracks.Track:
        """The chosen track. WorkspaceError if its file cannot be used."""
        begin = "" if self.config.begin in (BEGINNING, PLACEMENT) else self.config.begin
        try:
            return replace(tracks.load(self.config.track, self.root), begin=begin)
        except tracks.TrackError as problem:
            raise WorkspaceError(str(problem)) from None

    def path_of(self, library_path: str) -> Path:
        """mine/grad/value.py in this workspace."""
        return self.root / "mine" / library_path

    def open_lesson(self, lesson: Lesson) -> list[Opened]:
        """Writes the learner's files of a lesson, or brings those that exist up to the contract."""
        from ..holes.growth import grow
        from ..holes.stub import derive

        opened = []
        for library_path in lesson.builds:
            reference = reference_text(module_name(library_path)) or ""
            path = self.path_of(library_path)
            if not path.exists():
                write_atomically(path, derive(reference).encode())
                opened.append(Opened(path, written=True))
                continue
            mine = self._read(path).decode("utf-8")
            growth = grow(mine, reference)
            if growth.added:
                write_atomically(path, growth.text.encode())
            beside = path.with_suffix(".contract.py") if growth.changed else None
            if beside is not None:
                write_atomically(beside, derive(reference).encode())
            opened.append(Opened(path, False, growth.added, growth.changed, beside))
        return opened

    def files_of(self, lesson: Lesson) -> dict[str, bytes]:
        """The lesson's files that exist, by library path."""
        found = {}
        for library_path in lesson.builds:
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                found[library_path] = self._read(self.path_of(library_path))
        return found

    def _read(self, path: Path) -> bytes:
        try:
            return path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            raise
        except OSError as problem:
            raise WorkspaceError(f"{path} cannot be read: {problem.strerror}") from None

    def submission(self, lesson: Lesson, standings: Mapping[str, Standing]) -> Submission:
        """The lesson's files, and the learner's earlier ones: those that have passed as they now stand, and the rest."""
        earlier: dict[str, bytes] = {}
        unproven = []
        for other in find_all():
            if other.section_id == lesson.section_id:
                continue
            standing = standings.get(other.section_id)
            passed = standing.passed_files if standing is not None else {}
            for path, data in self.files_of(other).items():
                if passed.get(path) == hashlib.sha256(data).hexdigest():
                    earlier[path] = data
                else:
                    unproven.append(path)
        return Submission(self.files_of(lesson), earlier, tuple(unproven))


def find_workspace(start: Path | None = None) -> Workspace:
    """The workspace that a folder lies in, or has as its `workspace`; its course is the one at hand from then on.

    WorkspaceError if there is none, CourseError for a pack that cannot be had, or is not trusted as it now is.
    """
    root = workspace_root(start or Path.cwd())
    if root is None:
        raise WorkspaceError("there is no workspace here: `groundup start` makes one in this folder's `workspace`")
    workspace = Workspace(root, read_config(root / NAME))
    courses.use(_course(workspace))
    return workspace


def _course(workspace: Workspace) -> courses.Course | None:
    if not workspace.config.course:
        return None
    from ..packs import opening

    return opening.of_workspace(workspace.root, workspace.config.course)


def read_config(path: Path) -> Config:
    """groundup.toml, checked. WorkspaceError names file, line, and what was expected."""
    try:
        text = path.read_text(encoding="utf-8")
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        line = re.search(r"line (\d+)", str(problem))
        where = f":{line[1]}" if line else ""
        raise WorkspaceError(
            f'{path}{where}: this is not TOML ({problem}): expected lines such as track = "core"'
        ) from None
    except (OSError, UnicodeDecodeError) as problem:
        raise WorkspaceError(f"{path} cannot be read: {problem}") from None

    def expect(name: str, good: bool, what: str) -> None:
        if not good:
            key = rf"""\s*\[*\s*["']?{re.escape(name)}["']?\s*[].=]"""
            line = next((i for i, t in enumerate(text.splitlines(), 1) if re.match(key, t)), 1)
            raise WorkspaceError(f"{path}:{line}: {name} = {values.get(name)!r}: expected {what}")

    made = values.get("format")
    expect(
        "format", isinstance(made, int) and not isinstance(made, bool) and made > 0, f"a whole number, here {FORMAT}"
    )
    if made > FORMAT:
        raise WorkspaceError(
            f"{path}: this workspace was made by a newer groundup (format {made}, this one knows {FORMAT}): "
            "upgrade with `pip install -U groundup`"
        )
    for name in values:
        expect(name, name in KNOWN, f"only {', '.join(KNOWN[:-1])} and {KNOWN[-1]}")
    track, hours = values.get("track", tracks.EVERYTHING), values.get("hours_per_week", 10)
    known = isinstance(track, str) and tracks.exists(track, path.parent)
    expect("track", known, f"one of {', '.join(tracks.names(path.parent))}, or the path of a track's file")
    expect(
        "hours_per_week",
        isinstance(hours, (int, float)) and not isinstance(hours, bool) and 0 < hours <= 168,
        "hours, 0 to 168",
    )
    begin = values.get("begin", BEGINNING)
    good = isinstance(begin, str) and (begin in (BEGINNING, PLACEMENT) or SECTION_ID.fullmatch(begin) is not None)
    expect("begin", good, f'{BEGINNING}, {PLACEMENT}, or a lesson\'s id such as "3.1"')
    course = values.get("course", "")
    expect("course", isinstance(course, str) and course.isprintable(), "the path of a pack")
    return Config(track, hours, begin, course)


def _readme() -> str:
    """README.md as it begins, before its status."""
    pack = courses.current()
    if pack is None:
        return README.format(title="My machine learning, from the ground up", course="groundup")
    return README.format(title=pack.title, course=f"the course `{pack.name}`")


def make_workspace(root: Path, config: Config | None = None, files: Mapping[str, str] | None = None) -> Workspace:
    """Makes a workspace: folders, files, the store, a git repository with a first commit. WorkspaceError if it cannot.

    files: more of them, path and text, each written unless there is one.
    """
    from . import status_table

    config = config or Config()
    if (root / NAME).exists():
        raise WorkspaceError(f"{root} is a workspace already: `groundup` shows where you are")
    if root.exists() and not root.is_dir():
        raise WorkspaceError(f"{root} is a file: name a folder")
    if not _is_fresh(root / "mine"):
        raise WorkspaceError(f"{root} has a `mine` already: name an empty folder, so that nothing of yours is touched")
    try:
        for folder in ("mine", "notes", ".groundup"):
            (root / folder).mkdir(parents=True, exist_ok=True)
        write_atomically(root / "mine" / "__init__.py", INIT.encode())
        write_absent(root, {"README.md": _readme(), ".gitignore": IGNORED, "notes/README.md": NOTES, **(files or {})})
        workspace = Workspace(root.resolve(), config)
        with workspace.store() as store:
            store.append("started", track=config.track, hours_per_week=config.hours_per_week, begin=config.begin)
        status_table.update(workspace)
        write_atomically(
            root / NAME, _config_text(root, config).encode()
        )  # last: its presence says that the rest is there
    except OSError as problem:
        raise WorkspaceError(f"{root} cannot be made a workspace: {problem.strerror}") from None
    commit(workspace, "A workspace to learn in")
    return workspace


def _config_text(root: Path, config: Config) -> str:
    text = CONFIG.format(
        format=FORMAT,
        track=config.track,
        tracks=", ".join(tracks.names(root)),
        hours=f"{config.hours_per_week:g}",
        begin=config.begin,
    )
    return text + (COURSE.format(course=json.dumps(config.course, ensure_ascii=False)) if config.course else "")


def write_absent(root: Path, files: Mapping[str, str]) -> list[str]:
    """Writes those of the files that are not there, and says which."""
    absent = [name for name in files if not os.path.lexists(root / name)]
    for name in absent:
        write_atomically(root / name, files[name].encode())
    return absent


def _is_fresh(mine: Path) -> bool:
    """Whether there is no such folder, or one that a start which did not come to its end has left."""
    if not mine.is_dir():
        return not os.path.lexists(mine)
    left = [path for path in mine.iterdir() if not path.name.startswith(".__init__.py.")]
    return all(path.name == "__init__.py" and path.read_bytes() == INIT.encode() for path in left)


def commit(workspace: Workspace, message: str) -> bool:
    """Commits what is in the workspace; False where git is missing, fails, or has nothing to commit."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    environment["GIT_TERMINAL_PROMPT"] = "0"

    def git(*arguments: str) -> bool:
        command = ["git", "-c", "core.hooksPath=/dev/null", "-c", "commit.gpgsign=false", *arguments]
        try:
            done = subprocess.run(command, cwd=workspace.root, env=environment, capture_output=True, timeout=30)
        except (OSError, subprocess.TimeoutExpired):
            return False
        return done.returncode == 0

    if not (workspace.root / ".git").exists() and not git("init", "-q"):
        return False
    identity: list[str] = []
    if not git("config", "user.email"):
        identity = ["-c", "user.name=groundup learner", "-c", "user.email=learner@localhost"]
    return git("add", "-A") and git(*identity, "commit", "-q", "-m", message)


def write_atomically(path: Path, data: bytes) -> None:
    """Writes beside, syncs, renames: the file is the old one or the new one, never a part. WorkspaceError if it cannot."""
    path = Path(os.path.realpath(path))  # a link stays a link
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(name, 0o666 & ~_umask())
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise
    except OSError as problem:
        raise WorkspaceError(f"{path} cannot be written: {problem.strerror}. Nothing was changed.") from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
