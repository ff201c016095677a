"""The branch that a portfolio is published on: made beside everything the learner works with."""

import os
import subprocess
import sys

import pytest

from groundup.course.lessons.lesson import find
from groundup.course.workspace.workspace import WorkspaceError, make_workspace
from groundup.desk.portfolio.publishing import NO_JEKYLL, publish
from groundup.desk.portfolio.site import LISTED

from . import simulated

FILES = {"index.html": b"<h1>a</h1>", "lessons/1.3.html": b"<p>1.3</p>", "a b/ä.txt": b"x"}


@pytest.fixture
def workspace(tmp_path):
    made = make_workspace(tmp_path / "ws")
    (made.root / "mine" / "new.py").write_text("not committed\n")
    (made.root / "staged.txt").write_text("staged\n")
    git(made, "add", "staged.txt")
    (made.root / "staged.txt").write_text("and changed again\n")
    return made


def git(workspace, *arguments, check=True):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@localhost", *arguments]
    return subprocess.run(
        command, cwd=workspace.root, env=environment, capture_output=True, text=True, check=check
    ).stdout


def state(workspace):
    """All that publishing must leave as it is."""
    files = {p: p.read_bytes() for p in workspace.root.rglob("*") if p.is_file() and ".git/" not in p.as_posix()}
    index = (workspace.root / ".git" / "index").read_bytes()
    head = (workspace.root / ".git" / "HEAD").read_bytes()
    return (
        git(workspace, "status", "--porcelain"),
        git(workspace, "rev-parse", "HEAD"),
        index,
        head,
        files,
        git(workspace, "stash", "list"),
    )


def tree(workspace, branch="gh-pages"):
    return set(git(workspace, "-c", "core.quotePath=false", "ls-tree", "-r", "--name-only", branch).splitlines())


def test_the_branch_holds_the_site_and_nothing_else_has_changed(workspace):
    before = state(workspace)
    prepared = publish(workspace, "gh-pages", FILES)
    assert state(workspace) == before
    assert prepared.changed and tree(workspace) == {*FILES, LISTED, NO_JEKYLL}
    assert git(workspace, "show", "gh-pages:lessons/1.3.html") == "<p>1.3</p>"
    assert git(workspace, "rev-list", "--count", "gh-pages").strip() == "1", "a branch with a history of its own"
    assert prepared.push[-1] == "git push -u origin gh-pages"


def test_again_it_goes_on_from_where_it_was(workspace):
    first = publish(workspace, "gh-pages", FILES)
    assert publish(workspace, "gh-pages", FILES) == type(first)(first.branch, first.commit, False, first.push)
    git(workspace, "remote", "add", "origin", "https://ada.example/site.git")
    second = publish(workspace, "gh-pages", {"index.html": b"<h1>b</h1>"})
    assert second.changed and second.push == ("git push origin gh-pages",)
    assert tree(workspace) == {"index.html", LISTED, NO_JEKYLL}, "what is no longer made is gone"
    assert git(workspace, "rev-list", "--count", "gh-pages").strip() == "2"


def test_what_else_is_on_the_branch_stays(workspace):
    publish(workspace, "gh-pages", FILES)
    blob = git(workspace, "hash-object", "-w", "staged.txt").strip()
    environment = {**os.environ, "GIT_INDEX_FILE": str(workspace.root.parent / "index")}
    for arguments in (["read-tree", "gh-pages"], ["update-index", "--add", "--cacheinfo", f"100644,{blob},CNAME"]):
        subprocess.run(["git", *arguments], cwd=workspace.root, env=environment, check=True)
    made = subprocess.run(
        ["git", "write-tree"], cwd=workspace.root, env=environment, check=True, capture_output=True, text=True
    )
    commit = git(workspace, "commit-tree", made.stdout.strip(), "-p", "gh-pages", "-m", "a name").strip()
    git(workspace, "update-ref", "refs/heads/gh-pages", commit)
    publish(workspace, "gh-pages", {"index.html": b"<h1>b</h1>"})
    assert tree(workspace) == {"index.html", "CNAME", LISTED, NO_JEKYLL}


def test_a_branch_that_somebody_works_on_is_refused(workspace):
    publish(workspace, "gh-pages", FILES)
    here = git(workspace, "branch", "--show-current").strip()
    with pytest.raises(WorkspaceError, match="checked out"):
        publish(workspace, here, FILES)
    git(workspace, "worktree", "add", "-q", str(workspace.root.parent / "other"), "gh-pages")
    before = git(workspace, "rev-parse", "gh-pages")
    with pytest.raises(WorkspaceError, match="checked out"):
        publish(workspace, "gh-pages", {"index.html": b"x"})
    assert git(workspace, "rev-parse", "gh-pages") == before


@pytest.mark.parametrize("name", ["", "-x", "a..b", "a b", "--upload-pack=x", "x.lock", "@{-1}"])
def test_what_is_no_name_of_a_branch_is_refused(workspace, name):
    with pytest.raises(WorkspaceError, match="name of a branch"):
        publish(workspace, name, FILES)


def test_hooks_do_not_run(workspace):
    hook = workspace.root / ".git" / "hooks" / "reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ntouch ran\nexit 1\n")
    hook.chmod(0o755)
    assert publish(workspace, "gh-pages", FILES).changed and not (workspace.root / "ran").exists()


def test_without_a_history_there_is_no_branch(tmp_path):
    made = make_workspace(tmp_path / "ws")
    (made.root / ".git").rename(made.root / "git-elsewhere")
    with pytest.raises(WorkspaceError, match="git init"):
        publish(made, "gh-pages", FILES)


def test_the_command_says_where_it_lies_and_what_to_type(workspace):
    simulated.passed(workspace.root, [find("1.2"), find("1.3")])
    before = git(workspace, "rev-parse", "HEAD"), (workspace.root / ".git" / "index").read_bytes()
    command = [sys.executable, "-m", "groundup", "portfolio", "--feature", "1.3", "--publish", "gh-pages"]
    done = subprocess.run(command, cwd=workspace.root, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and done.stderr == ""
    assert "portfolio/index.html" in done.stdout and "2 lessons" in done.stdout
    assert "git push -u origin gh-pages" in done.stdout and "portfolio.toml is yours" in done.stdout
    assert before == (git(workspace, "rev-parse", "HEAD"), (workspace.root / ".git" / "index").read_bytes())
    assert (
        "lessons/1.3.html" in tree(workspace)
        and 'featured = ["1.3"]' in (workspace.root / "portfolio.toml").read_text()
    )
    wrong = subprocess.run([*command[:-1], "a..b"], cwd=workspace.root, capture_output=True, text=True, timeout=120)
    assert wrong.returncode == 2 and "name of a branch" in wrong.stderr and "Traceback" not in wrong.stderr
