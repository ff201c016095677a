"""The commands where something is wrong around them: the disk, the clock, the runtime folder, another process."""

import contextlib
import json
import os
import shutil
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from groundup.course.checking import client
from groundup.course.checking.session import Session, current_lesson
from groundup.course.holes.library import reference_text
from groundup.course.lessons.faults import load_faults
from groundup.course.lessons.lesson import find
from groundup.course.progress.store import Store
from groundup.course.workspace.workspace import WorkspaceError, find_workspace, write_atomically

from ..thorough import some

LESSON, BUILT, MODULE = "1.1", "mine/drills/arrays.py", "drills.arrays"  # its oracle needs no torch
PATIENCE = 60.0  # seconds
DATABASE = ".groundup/progress.db"


@pytest.fixture(scope="module")
def faulty():
    """The lesson's file with its first known mistake."""
    reference = reference_text(MODULE)
    return load_faults(find(LESSON), {MODULE.replace(".", "/") + ".py": reference})[0].apply(reference)


@pytest.fixture
def workspace(groundup, faulty):
    """A workspace with a faulty file in it, where `groundup` finds it by itself."""
    return made(groundup, groundup.here / "workspace", faulty)


def made(groundup, root, content):
    assert groundup("start", root, "--yes").returncode == 0
    assert groundup("open", LESSON, cwd=root).returncode == 0
    (root / BUILT).write_text(content)
    return root


def verdict_of(done):
    """The one verdict that a `check --json` printed, whose exit status says the same."""
    assert done.returncode in (0, 1) and done.stdout.count("\n") == 1, (done.stdout, done.stderr)
    verdict = json.loads(done.stdout)
    assert verdict["passed"] == (done.returncode == 0)
    return verdict


def checks(root):
    with Store(root / DATABASE, readonly=True) as store:
        assert store.verify() == []
        return [event.payload["seed"] for event in store.events(kind="checked")]


def judge_pid(root):
    """The process behind a workspace's socket, None if nobody listens (unix(7): SO_PEERCRED)."""
    with socket.socket(socket.AF_UNIX) as channel:
        if channel.connect_ex(str(client.socket_path(root))):
            return None
        return struct.unpack("3i", channel.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]


def with_limits(script, *words, root, environment):
    """`groundup` in a process where `script` has set the client's limits."""
    code = f"import sys; from groundup.course.checking import client, service; {script}\nfrom groundup.cli import run; sys.exit(run(sys.argv[1:]))"
    return subprocess.run(
        [sys.executable, "-c", code, *words], cwd=root, env=environment, capture_output=True, text=True, timeout=120
    )


# Several at once


def test_checks_at_the_same_time_all_get_a_verdict_and_are_all_kept(groundup, workspace):
    """Without a judge at first: one is started, not four."""
    command = [sys.executable, "-m", "groundup", "check", LESSON, "--json", "--seed"]
    together = [
        subprocess.Popen(
            [*command, str(seed)], cwd=workspace, env=groundup.environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for seed in range(4)
    ]  # fmt: skip
    for seed, process in enumerate(together):
        out, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == 1 and err == "" and json.loads(out)["seed"] == seed
    assert sorted(checks(workspace)) == [0, 1, 2, 3]


# The file system


@pytest.fixture
def small_disk(groundup, tmp_path):
    """A file system of 3 MiB of its own; remounts it with other options when called."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", folder], capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")

    def remount(options):
        subprocess.run(["mount", "-o", f"remount,{options}", folder], check=True, capture_output=True)

    remount.folder = folder
    yield remount
    remount("rw")
    for config in folder.rglob("groundup.toml"):
        groundup("judge", "--stop", cwd=config.parent)
    subprocess.run(["umount", "-l", folder], check=True, capture_output=True)


def test_in_a_read_only_workspace_the_verdict_is_given_and_a_warning_with_it(groundup, small_disk, faulty):
    root = made(groundup, small_disk.folder / "workspace", faulty)
    groundup("judge", "--stop", cwd=root)
    small_disk("ro")
    for _ in range(2):  # the first starts the judge
        done = groundup("check", LESSON, "--json", cwd=root)
        assert not verdict_of(done)["passed"] and done.stderr.count("\n") == 1
        assert "read-only" in done.stderr and "This verdict was not recorded." in done.stderr
    assert groundup(cwd=root).returncode == 0  # the map only reads
    for words in (["open", "1.3"], ["hint"], ["reset", "--yes"], ["bug"], ["start", "inner"]):
        done = groundup(*words, cwd=root)
        assert (done.returncode, done.stdout) == (2, "") and done.stderr.count("\n") == 1, done.stderr
    small_disk("rw")
    assert checks(root) == []
    assert verdict_of(groundup("check", LESSON, "--json", "--seed", 5, cwd=root)) and checks(root) == [5]


def test_on_a_full_disk_nothing_is_half_written_and_what_was_there_stays(groundup, small_disk, faulty):
    root = made(groundup, small_disk.folder / "workspace", faulty)
    verdict_of(groundup("check", LESSON, "--json", "--seed", 1, cwd=root))
    groundup("judge", "--stop", cwd=root)
    fill(small_disk.folder / "filler")
    before = contents(root)

    unrecorded = set()
    for seed in range(10, 14):
        done = groundup("check", LESSON, "--json", "--seed", seed, cwd=root)
        assert not verdict_of(done)["passed"]
        if done.stderr:
            assert "disk" in done.stderr and "space" in done.stderr and "This verdict was not recorded." in done.stderr
            unrecorded.add(seed)
    for words in (["open", "1.3"], ["reset", "--yes"]):
        done = groundup(*words, cwd=root)
        assert (done.returncode, done.stdout) == (2, "") and done.stderr.count("\n") == 1, done.stderr
    assert contents(root) == before and unrecorded

    (small_disk.folder / "filler").unlink()
    verdict_of(groundup("check", LESSON, "--json", "--seed", 2, cwd=root))
    assert checks(root) == [1, *sorted(set(range(10, 14)) - unrecorded), 2]  # recorded, or said
    assert groundup("open", "1.3", cwd=root).returncode == 0


def fill(path):
    """Until not a byte more fits."""
    with path.open("wb", buffering=0) as file:
        for size in (1 << 16, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(bytes(size))


def contents(root):
    return {path: path.read_bytes() for path in (root / "mine").rglob("*") if path.is_file()}


def test_a_start_on_a_full_disk_can_be_made_again(groundup, small_disk):
    fill(small_disk.folder / "filler")
    root = small_disk.folder / "workspace"
    done = groundup("start", root, "--yes")
    assert (done.returncode, done.stdout) == (2, "") and done.stderr.count("\n") == 1, done.stderr
    (small_disk.folder / "filler").unlink()
    assert groundup("start", root, "--yes").returncode == 0 and groundup(cwd=root).returncode == 0


def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(small_disk):
    path = small_disk.folder / "file"
    path.write_bytes(b"old")
    fill(small_disk.folder / "filler")
    with pytest.raises(WorkspaceError, match="cannot be written"):
        write_atomically(path, bytes(1 << 20))
    assert path.read_bytes() == b"old" and sorted(os.listdir(small_disk.folder)) == ["file", "filler"]


@pytest.mark.parametrize(
    "name",
    some(
        ["naïve 日本語-🧱", "a" * 120 + "/" + "b" * 120, "quote'\"s", "-dash", "percent%20?#&"],
        lambda name: name.startswith(("naïve", "a")),
    ),
    ids=["unicode", "long", "quotes", "dash", "percent"],
)  # fmt: skip
def test_a_workspace_may_lie_anywhere(groundup, faulty, name):
    above = groundup.here / name
    above.mkdir(parents=True)
    root = made(groundup, above / "workspace", faulty)
    for seed in (1, 2):
        verdict = verdict_of(groundup("check", LESSON, "--json", "--seed", seed, cwd=root))
        assert verdict["checkpoints"][0]["verdict"] != "skipped" and not verdict["passed"]
    assert checks(root) == [1, 2] and judge_pid(root) is not None


def test_a_runtime_folder_with_a_long_path_is_passed_over(groundup, workspace, tmp_path):
    """A socket's path has at most 107 bytes; the temporary folder serves instead."""
    runtime = tmp_path / ("r" * 120)
    runtime.mkdir(mode=0o700)
    environment = {**groundup.environment, "XDG_RUNTIME_DIR": str(runtime)}
    verdict_of(groundup("check", LESSON, "--json", env=environment))
    assert "A judge is running" in groundup("judge", env=environment).stdout
    assert os.listdir(runtime) == []
    groundup("judge", "--stop", env=environment)


# The store


def test_a_locked_store_is_waited_for_then_said_and_nothing_is_lost(groundup, workspace):
    verdict_of(groundup("check", LESSON, "--json", "--seed", 1))
    with contextlib.closing(sqlite3.connect(workspace / DATABASE, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        done = groundup("check", LESSON, "--json", "--seed", 2)
        verdict_of(done)
        assert done.stderr.count("\n") == 1
        assert "held by another process" in done.stderr and "This verdict was not recorded." in done.stderr
        other.execute("ROLLBACK")
    done = groundup("check", LESSON, "--json", "--seed", 3)
    assert verdict_of(done) and done.stderr == "" and checks(workspace) == [1, 3]


def test_a_clock_that_goes_back_changes_no_order(groundup, workspace):
    clock = iter([3e9, 2e9, 1e9])
    with Store(workspace / DATABASE, clock=lambda: next(clock)) as store:
        for lesson in ("1.2", "1.3", "1.4"):
            store.append("opened", lesson)
        assert [event.lesson for event in store.events(kind="opened")][-3:] == ["1.2", "1.3", "1.4"]
        assert store.verify() == []
    assert current_lesson(find_workspace(workspace)).section_id == "1.4"
    reset = groundup("reset", LESSON, "--yes")
    assert reset.returncode == 0 and groundup("reset", LESSON, "--undo").returncode == 0


def test_a_store_that_is_damaged_costs_no_verdict_and_is_not_touched(groundup, workspace):
    groundup("judge", "--stop")
    for name in os.listdir(workspace / ".groundup"):
        (workspace / ".groundup" / name).unlink()
    (workspace / DATABASE).write_bytes(b"not a database at all" * 1000)
    done = groundup("check", LESSON, "--json")
    assert verdict_of(done) and "damaged" in done.stderr and "not recorded" in done.stderr
    assert (workspace / DATABASE).read_bytes() == b"not a database at all" * 1000


# The judge's folder and socket


def spoil_mode(folder):
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)


def spoil_owner(folder):
    folder.mkdir(mode=0o700)
    os.chown(folder, 65534, 65534)


def spoil_kind(folder):
    folder.write_text("a file")


def spoil_link(folder):
    folder.with_name("elsewhere").mkdir(mode=0o700)
    folder.symlink_to(folder.with_name("elsewhere"))


@pytest.mark.parametrize("spoil", [spoil_mode, spoil_owner, spoil_kind, spoil_link])
def test_where_no_judge_can_be_had_a_check_is_cold_and_says_nothing_of_it(groundup, workspace, spoil):
    if spoil is spoil_owner and os.geteuid() != 0:
        pytest.skip("giving a folder to another user needs root")
    with tempfile.TemporaryDirectory(prefix="gu-") as runtime:  # a short path, as a socket needs
        spoil(Path(runtime, "groundup"))
        environment = {**groundup.environment, "XDG_RUNTIME_DIR": runtime}
        done = groundup("check", LESSON, "--json", "--seed", 4, env=environment)
        assert not verdict_of(done)["passed"] and done.stderr == "" and checks(workspace) == [4]
        judge = groundup("judge", env=environment)
        assert judge.returncode == 0 and "No judge is running" in judge.stdout


@pytest.mark.parametrize("kind", ["file", "folder", "dead socket"])
def test_what_stands_where_the_socket_belongs_is_cleared_away(groundup, workspace, kind):
    groundup("judge", "--stop")
    path = client.socket_path(workspace)
    if kind == "file":
        path.write_text("stale")
    elif kind == "folder":
        path.mkdir()
    else:
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(path))
    done = groundup("check", LESSON, "--json")
    assert verdict_of(done) and done.stderr == "" and judge_pid(workspace) is not None


def silent(channel):
    """Reads, and never answers."""
    while channel.recv(1 << 16):
        pass


def trickling(channel):
    """Answers a byte at a time, without end."""
    with contextlib.suppress(OSError):
        while True:
            channel.sendall(b" ")
            time.sleep(0.05)


def babbling(channel):
    channel.recv(1 << 16)
    channel.sendall(b"neither JSON nor\xff text\n")


def listing(channel):
    channel.recv(1 << 16)
    channel.sendall(b"[1]\n")


def leaving(channel):
    channel.recv(1 << 16)
    channel.sendall(b'{"verdict": {"les')


@pytest.mark.parametrize(
    "behave", some([silent, trickling, babbling, listing, leaving], lambda behave: behave in (silent, leaving))
)
def test_a_judge_that_does_not_answer_is_given_up_and_the_check_is_cold(groundup, workspace, behave):
    groundup("judge", "--stop")
    with socket.socket(socket.AF_UNIX) as impostor:
        client.socket_path(workspace).unlink(missing_ok=True)
        impostor.bind(str(client.socket_path(workspace)))
        impostor.listen(1)

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    channel, _ = impostor.accept()
                    with channel:
                        behave(channel)

        threading.Thread(target=serve, daemon=True).start()
        words = ["check", LESSON, "--json", "--seed", "6"]
        done = with_limits("client.ANSWER = 0.3", *words, root=workspace, environment=groundup.environment)
        impostor.shutdown(socket.SHUT_RDWR)
    assert verdict_of(done) and done.stderr == "" and checks(workspace) == [6]


def test_a_judge_with_too_many_waiting_is_given_up_and_the_check_is_cold(groundup, workspace):
    groundup("judge", "--stop")
    with contextlib.ExitStack() as held:
        path = str(client.socket_path(workspace))
        client.socket_path(workspace).unlink(missing_ok=True)
        busy = held.enter_context(socket.socket(socket.AF_UNIX))
        busy.bind(path)
        busy.listen(0)
        waiting = 0
        while waiting == 0:  # until the queue is full
            channel = held.enter_context(socket.socket(socket.AF_UNIX))
            channel.setblocking(False)
            waiting = channel.connect_ex(path)
        words = ["check", LESSON, "--json", "--seed", "6"]
        done = with_limits("client.CONNECT = 0.3", *words, root=workspace, environment=groundup.environment)
    assert verdict_of(done) and done.stderr == "" and checks(workspace) == [6]


def test_a_judge_of_other_settings_is_replaced(groundup, workspace):
    verdict_of(groundup("check", LESSON, "--json", "--seed", 1))
    first = judge_pid(workspace)
    verdict_of(groundup("check", LESSON, "--json", "--seed", 2))
    same = judge_pid(workspace)
    environment = {**groundup.environment, "GROUNDUP_SANDBOX": "zygote"}  # the same one here, but said otherwise
    verdict_of(groundup("check", LESSON, "--json", "--seed", 3, env=environment))
    other = judge_pid(workspace)
    assert None not in (first, same, other) and other not in (first, same)
    assert checks(workspace) == [1, 2, 3]
    groundup("judge", "--stop", env=environment)


def test_a_setting_that_means_nothing_is_said(groundup, workspace):
    done = groundup("check", LESSON, env={**groundup.environment, "GROUNDUP_SANDBOX": "bogus"})
    assert (done.returncode, done.stdout) == (2, "") and done.stderr.count("\n") == 1
    assert "GROUNDUP_SANDBOX" in done.stderr


def test_spawned_workers_give_the_same_verdicts(groundup, workspace, faulty):
    """Both kinds of sandbox, through the real command, on the same cases.

    Two things depend on time: how small the case becomes that is shown, and which checkpoints after a failing one are
    cut short and say `skipped`.
    """
    contents = [faulty, reference_text(MODULE), "import os\nos._exit(3)\n", "def f(:\n", "import torch\n"]
    told = []
    for kind in ("zygote", "spawn"):
        environment = {**groundup.environment, "GROUNDUP_SANDBOX": kind}
        for content in contents:
            (workspace / BUILT).write_text(content)
            verdict = verdict_of(groundup("check", LESSON, "--json", "--seed", 8, env=environment))
            told.append(verdict["checkpoints"])
        groundup("judge", "--stop", env=environment)
    for forked, spawned in zip(told[: len(contents)], told[len(contents) :]):
        assert [c["name"] for c in forked] == [c["name"] for c in spawned]
        assert forked[0]["verdict"] == spawned[0]["verdict"] != "skipped"
        both = [(a, b) for a, b in zip(forked, spawned) if "skipped" not in (a["verdict"], b["verdict"])]
        for name in ("verdict", "cases", "failed"):
            assert [a[name] for a, _ in both] == [b[name] for _, b in both]


# The workspace goes away


def test_a_judge_ends_when_its_workspace_is_deleted(groundup, workspace):
    code = f"import sys; from pathlib import Path; from groundup.course.checking import service; service.LOOK = 0.05; sys.exit(service.main(Path({str(workspace)!r})))"
    judge = subprocess.Popen([sys.executable, "-c", code], env=groundup.environment, cwd="/")
    try:
        until = time.monotonic() + PATIENCE
        while judge_pid(workspace) != judge.pid:
            assert judge.poll() is None and time.monotonic() < until
        verdict_of(groundup("check", LESSON, "--json"))
        path = client.socket_path(workspace)
        shutil.rmtree(workspace)
        assert judge.wait(PATIENCE) == 0
        assert not path.exists()
    finally:
        judge.kill()
        judge.wait()


def test_a_workspace_that_is_made_again_is_judged_by_the_judge_that_was_there(groundup, workspace, faulty):
    verdict_of(groundup("check", LESSON, "--json"))
    judge = judge_pid(workspace)
    shutil.rmtree(workspace)
    made(groundup, workspace, faulty)
    verdict_of(groundup("check", LESSON, "--json", "--seed", 9))
    assert judge_pid(workspace) == judge and checks(workspace) == [9]


def test_a_session_says_what_the_system_refuses_it(workspace, monkeypatch, tmp_path):
    """A temporary folder that is a file by now: no child can have a folder of its own."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    with Session(workspace) as session:
        session.prepare_next()
        shutil.rmtree(scratch)
        scratch.write_text("")
        reply, _ = session.answer({"do": "check", "lesson": LESSON})
    assert set(reply) == {"error"} and "check permissions" in reply["error"]
