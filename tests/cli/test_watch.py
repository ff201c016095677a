"""`groundup watch` at a real pseudo-terminal: saves of every kind, single keys, and the terminal as it was before."""

import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

import pytest

from groundup.course.lessons.lesson import find_all
from groundup.course.lessons.page import hints
from groundup.course.progress.store import Store

from ..thorough import some

PATIENCE = 40.0  # seconds
VERDICT = "judged in"  # stands once in every verdict of a file that can be run
KEYS = "q quit"


class Terminal:
    """`groundup watch` at a terminal of 100 columns: what it shows, as text, and keys pressed."""

    def __init__(self, folder, environment, *words):
        self.keyboard, self.screen = pty.openpty()
        fcntl.ioctl(self.screen, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
        self.before = termios.tcgetattr(self.screen)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "groundup", "watch", *words], cwd=folder, env=environment,
            stdin=self.screen, stdout=self.screen, stderr=self.screen,
            start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )  # fmt: skip
        self.shown = ""
        self._read_to = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def press(self, key):
        os.write(self.keyboard, key.encode())

    def until(self, *texts):
        """Waits for each text, in order, after what was waited for before; what stood there from then on."""
        begun, until = self._read_to, time.monotonic() + PATIENCE
        for text in texts:
            while (at := self.shown.find(text, self._read_to)) < 0:
                assert time.monotonic() < until and self.process.poll() is None, f"no {text!r} in {self.shown[begun:]}"
                self._receive()
            self._read_to = at + len(text)
        return self.shown[begun : self._read_to]

    def _receive(self):
        if select.select([self.keyboard], [], [], 0.1)[0]:
            self.shown += self._decoder.decode(os.read(self.keyboard, 1 << 16))

    def end(self):
        """The exit status, once it has ended by itself."""
        until = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < until:
            self._receive()
        while select.select([self.keyboard], [], [], 0)[0]:
            self._receive()
        return self.process.wait(0)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.keyboard)
        os.close(self.screen)


@pytest.fixture
def workspace(groundup):
    assert groundup("start", "--yes").returncode == 0
    return groundup.here / "workspace"


@pytest.fixture
def watch(groundup, workspace):
    """Starts `groundup watch` in the workspace; each is ended with the test."""
    open_ones = []

    def start(*words):
        open_ones.append(Terminal(workspace, groundup.environment, *words))
        return open_ones[-1]

    yield start
    for terminal in open_ones:
        terminal.close()


def save_in_place(path, text):
    path.write_text(text, encoding="utf-8")


def save_by_rename(path, text):
    """As editors do that never leave half a file: write beside, then rename over."""
    beside = path.with_name(f".{path.name}.swp")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, path)


def save_with_backup(path, text):
    """As editors do that move the old file away first."""
    os.replace(path, path.with_name(f"{path.name}~"))
    path.write_text(text, encoding="utf-8")


def save_by_truncation(path, text):
    """As editors do that open the file itself: empty for a moment, then written in parts."""
    with path.open("w", encoding="utf-8") as file:
        file.flush()
        for part in (text[:100], text[100:]):
            file.write(part)
            file.flush()
            os.fsync(file.fileno())


@pytest.mark.parametrize(
    "save",
    some(
        [save_in_place, save_by_rename, save_with_backup, save_by_truncation],
        lambda save: save in (save_in_place, save_by_rename),
    ),
)
def test_a_save_is_judged_however_the_editor_saves(groundup, workspace, watch, value_source, save):
    groundup("open", "1.3")
    path = workspace / "mine/grad/value.py"
    terminal = watch()
    assert "not written yet" in terminal.until(VERDICT, KEYS)
    save(path, value_source.replace("operand.grad += slope", "operand.grad = slope"))
    assert "value.py" in terminal.until("gradient overwritten, not accumulated", VERDICT, KEYS)
    save(path, value_source)
    terminal.until(": built", VERDICT, KEYS)
    terminal.press("q")
    assert terminal.end() == 0 and termios.tcgetattr(terminal.screen) == terminal.before
    with Store(workspace / ".groundup/progress.db", readonly=True) as store:
        assert store.standing("1.3").passed


def test_a_save_without_a_change_gives_no_second_verdict(groundup, workspace, watch, value_source):
    groundup("open", "1.3")
    path = workspace / "mine/grad/value.py"
    terminal = watch()
    terminal.until(VERDICT, KEYS)
    for number in range(3):
        save_by_rename(path, f"{value_source}\n# {number}\n")
        terminal.until(": built", VERDICT, KEYS)
        for save in (save_in_place, save_by_rename):
            save(path, f"{value_source}\n# {number}\n")
        (path.parent / "notes.txt").write_text(str(number))  # nor does a file that no lesson asks for
    terminal.press("m")
    terminal.until("Gradients", KEYS)
    terminal.press("q")
    assert terminal.end() == 0
    assert terminal.shown.count(VERDICT) == 4
    with Store(workspace / ".groundup/progress.db", readonly=True) as store:
        assert len(store.events(kind="checked")) == 4


def test_a_file_that_does_not_parse_and_one_that_is_gone_are_told(groundup, workspace, watch, value_source):
    groundup("open", "1.3")
    path = workspace / "mine/grad/value.py"
    terminal = watch("1.3")
    terminal.until(VERDICT, KEYS)
    save_by_rename(path, "def f(:\n")
    assert "def f(:" in terminal.until("does not parse", "SyntaxError", KEYS)
    path.unlink()
    terminal.press("r")
    terminal.until("groundup open 1.3", KEYS)
    save_in_place(path, value_source)
    terminal.until(": built", KEYS)


def test_each_key_does_what_the_line_of_keys_says(groundup, workspace, watch, value_source):
    terminal = watch()  # no lesson is open yet: the first is opened
    first, second = find_all()[:2]
    assert f"mine/{first.builds[0]}" in terminal.until(f"groundup show {first.section_id}", KEYS)
    assert (workspace / "mine" / first.builds[0]).is_file()
    terminal.press("h")
    terminal.until(f"hint 1 of {len(hints(first))}", KEYS)
    terminal.press("h")
    terminal.until("hint 2 of", KEYS)
    terminal.press("m")
    terminal.until("Gradients", f"next  {first.section_id}", KEYS)
    terminal.press("x\x1b[A\r\t")  # keys that mean nothing
    terminal.press("r")
    assert "not written yet" in terminal.until(VERDICT, KEYS)
    terminal.press("n")
    terminal.until(f"groundup show {first.section_id}", KEYS)
    assert terminal.shown.count(VERDICT) == 1  # that a stub was written is no save
    terminal.press("q")
    assert terminal.end() == 0 and "Traceback" not in terminal.shown
    assert not (workspace / "mine" / second.builds[0]).exists()


def test_the_other_lessons_are_judged_when_their_file_is_saved(groundup, workspace, watch, value_source):
    groundup("open", "1.3")
    groundup("open", "1.2")
    terminal = watch()
    terminal.until("1.2", KEYS)
    save_by_rename(workspace / "mine/grad/value.py", value_source)
    terminal.until("1.3", ": built", KEYS)


@pytest.mark.parametrize("how", ["ctrl-c", "SIGTERM", "q"])
def test_however_it_ends_the_terminal_is_as_it_was(groundup, workspace, watch, how):
    groundup("open", "1.2")
    terminal = watch()
    terminal.until(KEYS)
    terminal.press("m")
    terminal.until(KEYS)  # the keys are read one by one by now
    assert termios.tcgetattr(terminal.screen) != terminal.before
    if how == "ctrl-c":
        terminal.press("\x03")
    elif how == "SIGTERM":
        os.kill(terminal.process.pid, signal.SIGTERM)
    else:
        terminal.press("\x04q")  # Ctrl-D is a key like any other here
    assert terminal.end() == 0 and termios.tcgetattr(terminal.screen) == terminal.before
    assert "Traceback" not in terminal.shown


def test_a_store_that_is_locked_for_a_while_does_not_end_the_watch(groundup, workspace, watch):
    groundup("open", "1.2")
    terminal = watch()
    terminal.until(KEYS)
    database = workspace / ".groundup/progress.db"
    os.rename(database, database.with_suffix(".away"))
    database.mkdir()
    terminal.press("h")
    terminal.until("progress.db", KEYS)
    database.rmdir()
    os.rename(database.with_suffix(".away"), database)
    terminal.press("h")
    terminal.until("hint 1 of", KEYS)
    terminal.press("q")
    assert terminal.end() == 0


def test_a_folder_that_is_deleted_ends_the_watch_with_a_reason(groundup, workspace, watch):
    groundup("open", "1.2")
    terminal = watch()
    terminal.until(KEYS)
    os.rename(workspace / "mine", workspace / "elsewhere")
    terminal.press("r")
    assert re.search("groundup open 1.2|cannot|no longer", terminal.until(KEYS))
    assert "Traceback" not in terminal.shown


def test_without_a_terminal_it_judges_each_save_until_it_is_ended(groundup, workspace, value_source):
    groundup("open", "1.3")
    process = subprocess.Popen(
        [sys.executable, "-m", "groundup", "watch"], cwd=workspace, env=groundup.environment, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        while VERDICT not in process.stdout.readline():
            assert process.poll() is None
        save_by_rename(workspace / "mine/grad/value.py", value_source)
        while ": built" not in (line := process.stdout.readline()):
            assert line or process.poll() is None
        assert "\x1b" not in line
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0 and process.stderr.read() == ""
    finally:
        process.kill()
        process.communicate()
