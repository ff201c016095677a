"""What a kernel says, read as what it is: data from code that may be hostile.

Every message is rebuilt from the parts that a page shows, each of its type and size; anything else is a FrameError, as
from whoever writes to a channel that is not their own.
"""

from __future__ import annotations

import base64
import socket
import struct
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ...course.sandbox.frames import MAGIC, PREFIX, FrameError, decode

HEADER_CAP, BUFFERS_CAP = 1 << 20, 5 << 20  # bytes of one message
READ = 1 << 17  # bytes taken at once
TEXT, NAME = 120_000, 400  # characters
ROWS, COLUMNS = 100, 50
DOTS = 16 << 20  # of a picture once it is unpacked
PNG = b"\x89PNG\r\n\x1a\n"
SOURCES = ("out", "err", "value")
ENDS = ("ran", "raised", "stopped")

Output = dict[str, Any]  # JSON: `kind`, and what belongs to it


class Inbox:
    """The messages of one channel."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel, self._buffer = channel, bytearray()

    def next(self, seconds: float) -> Any:
        """The next message as it came; TimeoutError if none is whole in so many seconds. EOFError, FrameError."""
        until = time.monotonic() + seconds
        while (frame := self._whole()) is None:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError
            try:
                self._channel.settimeout(left)
                chunk = self._channel.recv(READ)
            except TimeoutError:
                raise
            except OSError:  # the process has ended, or has been ended from another thread
                chunk = b""
            if not chunk:
                raise EOFError
            self._buffer += chunk
        return decode(frame)

    def _whole(self) -> bytes | None:
        if len(self._buffer) < PREFIX.size:
            return None
        magic, header, buffers = PREFIX.unpack_from(self._buffer)
        if magic != MAGIC or header > HEADER_CAP or buffers > BUFFERS_CAP:
            raise FrameError("not a message, or larger than one may be")
        size = PREFIX.size + header + buffers
        if len(self._buffer) < size:
            return None
        frame = bytes(self._buffer[:size])
        del self._buffer[:size]
        return frame


def read(message: Any) -> tuple[int, Output]:
    """The cell that a message is about, and its output. FrameError for what is none."""
    if not isinstance(message, dict) or type(message.get("cell")) is not int:
        raise FrameError("not a message of a cell")
    reader = READERS.get(str(message.get("kind")))
    if reader is None:
        raise FrameError("a message of an unknown kind")
    return message["cell"], {"kind": message["kind"], **reader(message)}


def _text(x: Any, most: int = TEXT) -> str:
    if not isinstance(x, str):
        raise FrameError("no text where there should be")
    return x[:most].encode("utf-8", "replace").decode()  # none of it half of a surrogate pair


def _count(x: Any) -> int:
    if type(x) is not int or not 0 <= x < 1 << 53:
        raise FrameError("no number where there should be")
    return x


def _list(x: Any, most: int) -> list[Any]:
    if not isinstance(x, list):
        raise FrameError("no list where there should be")
    return x[:most]


def _one_of(x: Any, names: tuple[str, ...]) -> str:
    if x not in names:
        raise FrameError("a word that is not among those that mean something")
    return str(x)


def _printed(message: Output) -> Output:
    return {"source": _one_of(message.get("source"), SOURCES), "text": _text(message.get("text"))}


def _more(message: Output) -> Output:
    return {name: _count(message.get(name)) for name in ("lines", "characters")}


def _table(message: Output) -> Output:
    rows = [[_text(cell, NAME) for cell in _list(row, COLUMNS)] for row in _list(message.get("rows"), ROWS)]
    columns = [_text(name, NAME) for name in _list(message.get("columns"), COLUMNS)]
    return {"columns": columns, "rows": rows, "of": [_count(side) for side in _list(message.get("of"), 2)]}


def _picture(message: Output) -> Output:
    """A PNG by its first bytes, and of a size that a browser unpacks with ease."""
    pixels, scale = message.get("png"), message.get("scale")
    if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8:
        raise FrameError("no picture where there should be")
    png = pixels.tobytes()
    if png[:8] != PNG or png[12:16] != b"IHDR" or len(png) < 33:
        raise FrameError("a picture that is no PNG")
    width, height = struct.unpack(">II", png[16:24])
    if not 0 < width * height <= DOTS:
        raise FrameError("a picture of an absurd size")
    if not isinstance(scale, float) or not 0.01 <= scale <= 100:
        raise FrameError("no scale where there should be")
    return {
        "source": "data:image/png;base64," + base64.b64encode(png).decode(),
        "width": round(width / scale),
        "height": round(height / scale),
        "alternative": _text(message.get("alternative"), NAME),
    }


READERS: dict[str, Callable[[Output], Output]] = {
    "ready": lambda message: {},
    "text": _printed,
    "more": _more,
    "table": _table,
    "picture": _picture,
    "error": lambda message: {"text": _text(message.get("text"))},
    "note": lambda message: {"text": _text(message.get("text"), NAME)},
    "done": lambda message: {"how": _one_of(message.get("how"), ENDS)},
}
