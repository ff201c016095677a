"""Recipes started from the desk: each a `groundup run` of its own, which goes on when the desk ends.

A run that was started here carries a word of ours in its record, and what it prints is in a file of that name: so a desk that is
started anew knows it again. It is stopped by SIGINT, as by Ctrl-C: what it has saved until then is evaluated.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...lab import recipe as recipes
from ...lab.formats import Row
from ...lab.record import UNFINISHED, records_in
from ...lab.sqlite import StoreError
from ...lab.surroundings import LAUNCH
from ..paging import Refused

AT_ONCE = 2  # runs from the desk
NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
WORD = re.compile(r"[0-9a-f]{16}|run-\d+")  # what a file of output is called
LONGEST = 2_000  # characters of a value
TAIL = 32 << 10  # bytes of what was printed that are shown
LINES = 400
# prints come at once, and a file of the learner's in the workspace is not taken for a module of Python's (from 3.11 on)
OF_A_CHILD = {"PYTHONUNBUFFERED": "1", "PYTHONSAFEPATH": "1", "NO_COLOR": "1"}
LOOK = 0.05  # seconds between two looks at whether it has been recorded
ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(\x07|\x1b\\)|[\x00-\x08\x0b-\x1f\x7f]")


@dataclass
class Launch:
    """A process that was started, and the word by which its run is known."""

    word: str
    recipe: str
    process: subprocess.Popen[bytes]
    output: Path
    begins_at: int  # where in the output it begins
    run: int | None = None  # as soon as it is recorded
    attempts: int = 0  # that the run had before

    @property
    def lives(self) -> bool:
        return self.process.poll() is None


class Launches:
    """What is started from the desk of a workspace, and what it prints."""

    def __init__(self, root: Path, command: Sequence[str] = (sys.executable, "-m", "groundup")) -> None:
        self.root, self.folder, self.command = root, root / "runs", tuple(command)
        self._launched: list[Launch] = []
        self._lock = threading.Lock()

    def start(
        self, recipe: str, settings: Mapping[str, str], seed: int | None = None, mine: bool = False, dry: bool = False
    ) -> Launch:
        """A new run of a recipe. Refused or RecipeError, in a sentence, for what can be seen before it is tried."""
        recipes.load(recipe)
        words = ["run", recipe]
        for name, value in settings.items():
            if not NAME.fullmatch(name):
                raise Refused(
                    400, f"{name[:80]!r} is no name of a value: write it as the recipe does, such as train.lr"
                )
            if len(value) > LONGEST or "\0" in value:
                raise Refused(400, f"the value of {name} is too long, or is no text")
            words.append(f"--set={name}={value}")
        words += [f"--seed={seed}"] if seed is not None else []
        words += ["--mine"] * mine + ["--dry"] * dry
        return self._launch(recipe, words, secrets.token_hex(8))

    def resume(self, row: Row) -> Launch:
        """A run that was cut off goes on. Refused if it is another."""
        with records_in(self.folder) as kept:
            standing, attempts = kept.standing(row), len(kept.attempts(row.id))
        if standing not in UNFINISHED:
            raise Refused(409, f"{row.name} is {standing}: only a run that was cut off can go on")
        launch = self._launch(row.recipe, ["run", str(row.id), "--resume"], self._word(row) or f"run-{row.id}")
        launch.run, launch.attempts = row.id, attempts
        return launch

    def stop(self, row: Row) -> None:
        """Interrupts a run, wherever on this machine it was started. Refused if it is not running here."""
        with records_in(self.folder) as kept:
            process = kept.process(row)
        if process is None:
            raise Refused(409, f"{row.name} is not running on this machine")
        try:
            os.kill(process, signal.SIGINT)
        except OSError as problem:
            raise Refused(409, f"{row.name} cannot be stopped: {problem.strerror}") from None

    def going(self) -> list[Launch]:
        """What was started by this desk and has not ended."""
        with self._lock:
            self._launched = [launch for launch in self._launched if launch.lives]
            return list(self._launched)

    def recorded(self, launch: Launch, at_most: float) -> int | None:
        """Waits until the run is recorded: its number, None if that takes longer. Refused, in its own last words, if it ended first."""
        until = time.monotonic() + at_most
        with records_in(self.folder) as kept:
            while True:
                ended = not launch.lives  # asked first: what it has recorded is then there to be seen
                if launch.run is not None:
                    found = launch.run if len(kept.attempts(launch.run)) > launch.attempts else None
                else:
                    rows = kept.runs(launch.recipe)
                    found = next((row.id for row in rows if row.environment.get("launch") == launch.word), None)
                if found is not None:
                    launch.run = found
                    return found
                if ended:
                    raise Refused(409, self._last_words(launch))
                if time.monotonic() > until:
                    return None
                time.sleep(LOOK)

    def printed(self, run: int) -> int:
        """How many bytes a run has printed; -1 if it was not started here."""
        path = self.output(run)
        with contextlib.suppress(OSError):
            return path.stat().st_size if path is not None else -1
        return -1

    def tail(self, run: int) -> str | None:
        """The end of what a run has printed, as a terminal would have shown it; None if it was not started here."""
        path = self.output(run)
        return None if path is None else _end_of(path)

    def output(self, run: int) -> Path | None:
        """The file of what a run has printed."""
        with records_in(self.folder) as kept:
            try:
                row = kept.find(str(run))
            except StoreError:
                return None
        word = self._word(row)
        return self._path(word) if word else None

    def _word(self, row: Row) -> str | None:
        """By what the output of a run is known, if there is one: its launch's word, or its own number where a desk resumed it."""
        for word in (str(row.environment.get("launch", "")), f"run-{row.id}"):
            if WORD.fullmatch(word) and self._path(word).exists():
                return word
        return None

    def _path(self, word: str) -> Path:
        return self.folder / ".desk" / f"{word}.txt"

    def _launch(self, recipe: str, words: Sequence[str], word: str) -> Launch:
        with self._lock:
            going = self._going_here()
            if len(going) >= AT_ONCE:
                raise Refused(409, f"{' and '.join(going)} are going on: wait for one of them, or stop it")
            path = self._path(word)
            path.parent.mkdir(parents=True, exist_ok=True)
            environment = {**os.environ, **OF_A_CHILD, LAUNCH: word}
            with path.open("ab") as output:
                begins_at = output.tell()
                process = subprocess.Popen(
                    [*self.command, *words],
                    cwd=self.root,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            launch = Launch(word, recipe, process, path, begins_at)
            self._launched.append(launch)
            return launch

    def _going_here(self) -> list[str]:
        """The names of what was started from a desk of this workspace, this one or an earlier one, and lives."""
        self._launched = [launch for launch in self._launched if launch.lives]
        with records_in(self.folder) as kept:
            rows = [row for row in kept.runs() if row.status == "running" and kept.standing(row) == "running"]
            ours = {row.id: row for row in rows if self._word(row)}
            pids = {kept.process(row) for row in rows}
        early = [f"{each.recipe}, which is beginning," for each in self._launched if each.process.pid not in pids]
        return [row.name for row in ours.values()] + early

    def _last_words(self, launch: Launch) -> str:
        said = [line for line in _end_of(launch.output, launch.begins_at).splitlines() if line.strip()]
        return said[-1] if said else f"{launch.recipe} ended before it began (exit status {launch.process.returncode})"


def _end_of(path: Path, begins_at: int = 0) -> str:
    """The last lines of a file; of a line that was written over, as by a progress bar, what was left standing."""
    try:
        with path.open("rb") as file:
            file.seek(max(begins_at, path.stat().st_size - TAIL))
            text = file.read(TAIL).decode("utf-8", "replace")
    except OSError:
        return ""
    lines = [line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n")]
    return ESCAPES.sub("", "\n".join(lines[-LINES:]))
