"""The site as a branch of the workspace's git, made by plumbing: HEAD, the index, the files and the branch one is on stay.

What else lies on the branch, such as a CNAME, stays on it; of an earlier site, what is no longer made is taken off. Nothing is pushed.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ...course.workspace.workspace import Workspace, WorkspaceError
from .site import LISTED, listed, with_list

BRANCH = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
NO_JEKYLL = ".nojekyll"  # GitHub serves the files as they are
MESSAGE = "The portfolio, as built by groundup"


@dataclass(frozen=True)
class Prepared:
    """The branch after it was prepared. changed: whether it has a new commit; push: what to type next."""

    branch: str
    commit: str
    changed: bool
    push: tuple[str, ...]


def publish(workspace: Workspace, branch: str, files: Mapping[str, bytes]) -> Prepared:
    """Commits the site to a branch. WorkspaceError where there is no history, or the branch is checked out somewhere."""
    git = _Git(workspace.root)
    if not (workspace.root / ".git").exists():
        raise WorkspaceError("the workspace has no git history: `git init` begins one")
    if not BRANCH.fullmatch(branch) or git.fails("check-ref-format", "--branch", branch):
        raise WorkspaceError(f"{branch!r} is not the name of a branch: gh-pages is the usual one")
    out = git("worktree", "list", "--porcelain").decode("utf-8", "replace").splitlines()
    if f"branch refs/heads/{branch}" in out:
        raise WorkspaceError(f"the branch {branch} is checked out: the site goes to a branch that nobody works on")
    before = (
        ""
        if git.fails("rev-parse", "-q", "--verify", f"refs/heads/{branch}")
        else git.line("rev-parse", f"refs/heads/{branch}")
    )
    files = {**with_list(files), NO_JEKYLL: b""}
    with tempfile.TemporaryDirectory(prefix="groundup-index-") as folder:
        beside = _Git(workspace.root, index=Path(folder) / "index")
        if before:
            beside("read-tree", before)
            old = _listed_on(git, before)
            beside(
                "update-index", "-z", "--force-remove", "--stdin", given=b"".join(name.encode() + b"\0" for name in old)
            )
        names = sorted(files)
        shas = [git.line("hash-object", "-w", "--stdin", given=files[name]) for name in names]
        lines = b"".join(f"100644 {sha}\t{name}".encode() + b"\0" for sha, name in zip(shas, names))
        beside("update-index", "-z", "--index-info", given=lines)
        tree = beside.line("write-tree")
    if before and git.line("rev-parse", f"{before}^{{tree}}") == tree:
        return Prepared(branch, before, False, _push(git, branch))
    parents = ["-p", before] if before else []
    commit = git.line("commit-tree", tree, *parents, "-m", MESSAGE)
    git("update-ref", "-m", "portfolio", f"refs/heads/{branch}", commit, before or "0" * len(commit))
    return Prepared(branch, commit, True, _push(git, branch))


def _listed_on(git: _Git, commit: str) -> list[str]:
    """The files of the site that was last committed."""
    if git.fails("cat-file", "-e", f"{commit}:{LISTED}"):
        return []
    return sorted(listed(git("cat-file", "blob", f"{commit}:{LISTED}")))


def _push(git: _Git, branch: str) -> tuple[str, ...]:
    remotes = git("remote").decode("utf-8", "replace").split()
    if not remotes:
        return ("git remote add origin ADDRESS", f"git push -u origin {branch}")
    return (f"git push {'origin' if 'origin' in remotes else remotes[0]} {branch}",)


class _Git:
    """git in a folder, whatever the environment says, without hooks; with an index of its own if given."""

    def __init__(self, root: Path, index: Path | None = None) -> None:
        self._root = root
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        self._environment |= {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
        if index is not None:
            self._environment["GIT_INDEX_FILE"] = str(index)
        self._identity: list[str] = []
        if self.fails("config", "user.email"):
            self._identity = ["-c", "user.name=groundup learner", "-c", "user.email=learner@localhost"]

    def __call__(self, *arguments: str, given: bytes = b"") -> bytes:
        done = self._done(arguments, given)
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise WorkspaceError(
                f"git {arguments[0]} failed: {said[-1] if said else done.returncode}. No branch was changed."
            )
        return done.stdout

    def line(self, *arguments: str, given: bytes = b"") -> str:
        return self(*arguments, given=given).decode().strip()

    def fails(self, *arguments: str) -> bool:
        return self._done(arguments).returncode != 0

    def _done(self, arguments: tuple[str, ...], given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        quiet = ["-c", "core.hooksPath=/dev/null", "-c", "core.autocrlf=false", *getattr(self, "_identity", [])]
        command = ["git", *quiet, *arguments]
        try:
            return subprocess.run(
                command, cwd=self._root, env=self._environment, input=given, capture_output=True, timeout=60
            )
        except FileNotFoundError:
            raise WorkspaceError("git is not here: `groundup doctor` says how to have it") from None
        except subprocess.TimeoutExpired:
            raise WorkspaceError(f"git {arguments[0]} does not come to its end. No branch was changed.") from None
