"""Text from a run's model, as `groundup sample` writes it: a process whose words are passed on as they come."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path

from ..paging import Refused
from .launching import OF_A_CHILD

PATIENCE = 600.0  # seconds that a text may take
PIECE = 4096  # bytes read at once
ERRORS = 16 << 10  # bytes of standard error that are looked at
PROMPT = 4_000  # characters
LIMITS = {
    "tokens": (1, 20_000),
    "temperature": (0, 100),
    "top_k": (0, 1_000_000),
    "top_p": (0, 1),
    "min_p": (0, 1),
    "seed": (0, 2**31),
}
BUSY = "a text is being written: wait until it is done, or stop it"
WHOLE = ("tokens", "top_k", "seed")


class Writer:
    """One text at a time."""

    def __init__(self, root: Path, command: Sequence[str] = (sys.executable, "-m", "groundup")) -> None:
        self._root, self._command = root, tuple(command)
        self._process: asyncio.subprocess.Process | None = None
        self._begun = False

    def write(self, run: int, prompt: str, options: Mapping[str, str]) -> AsyncGenerator[str, None]:
        """The text as lines of JSON: {"text": ...} as often as something comes, then {"done": true} or {"error": a sentence}.

        Refused for what is no prompt or no option, and while another text is being written.
        """
        words = ["sample", str(run), f"--prompt={_prompt(prompt)}", *_options(options)]
        if self._process is not None:
            raise Refused(409, BUSY)
        return self._written(words)

    async def _written(self, words: Sequence[str]) -> AsyncGenerator[str, None]:
        """Nothing is begun before somebody reads, and what was begun is ended when nobody reads any more."""
        if self._begun:
            yield _line(error=BUSY)
            return
        self._begun, process = True, None
        try:
            process = self._process = await asyncio.create_subprocess_exec(
                *self._command,
                *words,
                cwd=self._root,
                env={**os.environ, **OF_A_CHILD, "PYTHONIOENCODING": "utf-8"},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
            assert process.stdout is not None and process.stderr is not None
            errors = asyncio.create_task(process.stderr.read())
            decoder = codecs.getincrementaldecoder("utf-8")("replace")
            now = asyncio.get_running_loop().time
            until = now() + PATIENCE
            while piece := await asyncio.wait_for(process.stdout.read(PIECE), until - now()):
                if text := decoder.decode(piece):
                    yield _line(text=text)
            status = await process.wait()
            said = (await errors)[-ERRORS:].decode("utf-8", "replace").strip().splitlines()
            yield (
                _line(done=True) if status == 0 else _line(error=said[-1] if said else f"it ended with status {status}")
            )
        except asyncio.TimeoutError:
            yield _line(error=f"it took longer than {PATIENCE / 60:.0f} minutes and was stopped")
        finally:
            self._begun, self._process = False, None
            if process is not None:
                _kill(process)
                with contextlib.suppress(asyncio.CancelledError):
                    await process.wait()

    def close(self) -> None:
        """Ends what is being written."""
        if self._process is not None:
            _kill(self._process)


def _prompt(text: str) -> str:
    if len(text) > PROMPT or "\0" in text:
        raise Refused(400, f"a prompt is a text of at most {PROMPT:,} characters")
    return text


def _options(given: Mapping[str, str]) -> list[str]:
    """Options of the command for those that are filled in. Refused for a number that it cannot be."""
    found = []
    for name, text in given.items():
        if name not in LIMITS or not text.strip():
            continue
        low, high = LIMITS[name]
        try:
            value = int(text) if name in WHOLE else float(text)
        except ValueError:
            value = None
        if value is None or not low <= value <= high:
            kind = "a whole number" if name in WHOLE else "a number"
            raise Refused(400, f"{name.replace('_', ' ')} is {kind} from {low} to {high}")
        found.append(f"--{name.replace('_', '-')}={value}")
    return found


def _kill(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _line(**said: object) -> str:
    return json.dumps(said) + "\n"
