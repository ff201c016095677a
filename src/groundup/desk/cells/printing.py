"""What a cell prints, on its way out: by the line, in order, and no more than a page can show.

The process that prints counts for itself, so that a loop that prints for ever costs the server nothing. The server
does not rely on it.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from typing import Any

LINES, CHARACTERS = 1000, 100_000  # of one cell's text that are sent
PIECES = 5000  # times that it is sent: a progress bar flushes without a line's end
PENDING = 4000  # characters of a line that wait for its end


class Printing:
    """The streams of one kernel."""

    def __init__(self, send: Callable[[dict[str, Any]], None], native: Callable[[], str]) -> None:
        self._send, self._native = send, native
        self._lock = threading.RLock()  # cells may print from threads
        self._pending, self._source = "", "out"
        self.begin()

    def begin(self) -> None:
        """A new cell, with its whole allowance."""
        self._native()
        self._pending = ""
        self._lines, self._characters, self._pieces = LINES, CHARACTERS, PIECES
        self._lines_more, self._characters_more = 0, 0

    def end(self) -> None:
        """The rest of what was printed, and how much was not sent."""
        self.end_line()
        if text := self._native():
            self._emit("err", text)
        if self._characters_more:
            self._send({"kind": "more", "lines": self._lines_more, "characters": self._characters_more})

    def stream(self, source: str) -> Stream:
        """A stream for sys.stdout ("out") or sys.stderr ("err")."""
        return Stream(lambda text: self.write(source, text), self.end_line)

    def write(self, source: str, text: str) -> None:
        """Takes what is printed; whole lines leave."""
        with self._lock:
            if source != self._source:
                self.end_line()
                self._source = source
            self._pending += text
            whole = len(self._pending) if len(self._pending) > PENDING else self._pending.rfind("\n") + 1
            if whole:
                leaving, self._pending = self._pending[:whole], self._pending[whole:]
                self._emit(source, leaving)

    def end_line(self) -> None:
        """Lets go of a line that has not ended."""
        with self._lock:
            leaving, self._pending = self._pending, ""
            if leaving:
                self._emit(self._source, leaving)

    def value(self, text: str) -> None:
        """What the last expression gave."""
        with self._lock:
            self._emit("value", text)

    def _emit(self, source: str, text: str) -> None:
        kept = text[: self._characters] if self._pieces else ""
        if kept.count("\n") > self._lines:
            kept = "".join(line + "\n" for line in kept.split("\n")[: self._lines])
        self._characters -= len(kept)
        self._lines -= kept.count("\n")
        self._pieces -= bool(kept)
        if len(kept) < len(text):
            self._characters = 0  # nothing comes after a gap
            self._characters_more += len(text) - len(kept)
            self._lines_more += text.count("\n", len(kept))
        if kept:
            self._send({"kind": "text", "source": source, "text": kept})


class Stream(io.TextIOBase):
    """A stream that cannot be read, rewound or closed."""

    encoding = "utf-8"
    errors = "backslashreplace"

    def __init__(self, write: Callable[[str], None], flush: Callable[[], None]) -> None:
        self._write, self._flush = write, flush

    def writable(self) -> bool:
        return True

    def write(self, text: str, /) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() takes text, not {type(text).__name__}")
        self._write(text)
        return len(text)

    def flush(self) -> None:
        self._flush()

    def close(self) -> None:
        self._flush()
