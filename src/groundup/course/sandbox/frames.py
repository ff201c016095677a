"""How values cross between judge and sandbox: frames of a JSON header and raw buffers. Never pickle.

A frame is `GUP1`, the header's length (4 bytes), the buffers' length (8 bytes), the header, the buffers. Numbers,
strings, lists, tuples, dictionaries and arrays cross; anything else crosses as the name of its type. What is read is
data and nothing but data, and it is capped before it is read.
"""

from __future__ import annotations

import json
import re
import socket
import struct
from typing import Any, Protocol

import numpy as np

MAGIC = b"GUP1"
PREFIX = struct.Struct("<4sIQ")
HEADER_CAP = 16 << 20  # bytes
BUFFERS_CAP = 64 << 20  # bytes
DEPTH_CAP = 64
INTEGER_CAP = 12_000  # bits: fewer digits than Python refuses to print
COLLISIONS = 1000  # keys of a dictionary beyond which their hashes are looked at
TYPES = frozenset("?bhilqBHILQefdFD")  # booleans, integers, floats, complex: what an array may hold
DTYPE = re.compile(r"[<>|=][biufc]\d{1,2}")


class FrameError(Exception):
    """What came is not a frame, or is larger than a frame may be."""


class Opaque:
    """A value that is no value of ours: only the name of its type crossed."""

    __slots__ = ("type",)

    def __init__(self, type_name: str) -> None:
        self.type = type_name

    def __repr__(self) -> str:
        return f"<{self.type}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Opaque) and other.type == self.type

    def __hash__(self) -> int:
        return hash(self.type)


def encode(message: Any) -> bytes:
    """A frame of the message; FrameError if it is too large or too deep."""
    buffers: list[bytes] = []
    size = 0

    def buffer(array: np.ndarray[Any, Any]) -> int:
        nonlocal size
        size += array.nbytes
        if size > BUFFERS_CAP:
            raise FrameError(f"the values are larger than {BUFFERS_CAP >> 20} MiB")
        buffers.append(np.ascontiguousarray(array).tobytes())
        return len(buffers) - 1

    header = json.dumps(_pack(message, buffer, 0)).encode()
    if len(header) > HEADER_CAP:
        raise FrameError(f"the values are larger than {HEADER_CAP >> 20} MiB")
    return PREFIX.pack(MAGIC, len(header), size) + header + b"".join(buffers)


def _pack(x: Any, buffer: Any, depth: int) -> Any:
    """The JSON form of a value: itself if JSON has it, else {"$": kind, ...}."""
    if depth > DEPTH_CAP:
        raise FrameError(f"the values are nested more than {DEPTH_CAP} deep")
    kind = type(x)
    if x is None or kind is bool:
        return x
    if kind is str:
        if len(x) > HEADER_CAP:
            raise FrameError(f"the values are larger than {HEADER_CAP >> 20} MiB")
        return x
    if kind is int:
        if -(2**63) <= x < 2**63:
            return x
        if (bits := x.bit_length()) > INTEGER_CAP:
            return {"$": "opaque", "type": f"int of {bits} bits"}
        return {"$": "integer", "hex": hex(x)}
    if kind is float:
        return {"$": "float", "hex": x.hex()} if x != x or x in (np.inf, -np.inf) else x
    if kind is complex:
        return {"$": "complex", "parts": [_pack(x.real, buffer, depth), _pack(x.imag, buffer, depth)]}
    if kind in (list, tuple):
        return {"$": kind.__name__, "items": [_pack(item, buffer, depth + 1) for item in x]}
    if kind is dict:
        pairs = [[_pack(k, buffer, depth + 1), _pack(v, buffer, depth + 1)] for k, v in x.items()]
        return {"$": "dict", "items": pairs}
    if isinstance(x, (np.ndarray, np.generic)) and np.asarray(x).dtype.char in TYPES:
        array = np.asarray(x)
        native = array.astype(array.dtype.newbyteorder("="), copy=False)
        scalar = isinstance(x, np.generic)
        return {
            "$": "array",
            "dtype": native.dtype.str,
            "shape": list(native.shape),
            "scalar": scalar,
            "at": buffer(native),
        }
    return {"$": "opaque", "type": _type_name(x)}


def _type_name(x: Any) -> str:
    kind = type(x)
    name = f"{kind.__module__}.{kind.__qualname__}"
    return (f"{name} of dtype {x.dtype}" if isinstance(x, np.ndarray) else name)[:200]


def decode(frame: bytes) -> Any:
    """The message of a frame; FrameError for anything that is not one."""
    try:
        magic, header_size, buffers_size = PREFIX.unpack_from(frame)
        if magic != MAGIC or len(frame) != PREFIX.size + header_size + buffers_size:
            raise FrameError("not a frame")
        header = json.loads(frame[PREFIX.size : PREFIX.size + header_size])
        unpacker = _Unpacker(memoryview(frame)[PREFIX.size + header_size :])
        return unpacker.unpack(header, 0)
    except (
        struct.error, ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError, OverflowError
    ) as problem:  # fmt: skip
        raise FrameError(f"a damaged frame: {problem}") from None


class _Unpacker:
    """Reads the packed form back; buffers are taken in the order in which they were written."""

    def __init__(self, buffers: memoryview) -> None:
        self._buffers = buffers
        self._offset = 0

    def unpack(self, x: Any, depth: int) -> Any:
        if not isinstance(x, dict):
            if x is None or isinstance(x, (bool, int, float, str)):
                return x
            raise FrameError("a bare list in a frame")
        if depth > DEPTH_CAP:
            raise FrameError(f"nested more than {DEPTH_CAP} deep")
        kind = x["$"]
        if kind == "list":
            return [self.unpack(item, depth + 1) for item in x["items"]]
        if kind == "tuple":
            return tuple(self.unpack(item, depth + 1) for item in x["items"])
        if kind == "dict":
            return self._dict([(self.unpack(k, depth + 1), self.unpack(v, depth + 1)) for k, v in x["items"]])
        if kind == "array":
            return self._array(x)
        if kind == "float":
            return float.fromhex(x["hex"])
        if kind == "integer":
            if len(x["hex"]) > INTEGER_CAP // 4 + 3:  # "-0x" and the digits
                raise FrameError("an integer that is too long")
            return int(x["hex"], 16)
        if kind == "complex":
            return complex(*(self.unpack(part, depth) for part in x["parts"]))
        if kind == "opaque":
            return Opaque(str(x["type"])[:200])
        raise FrameError(f"a value of an unknown kind {kind!r:.40}")

    def _dict(self, pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
        """Keys that were made to collide would take the square of their number: they are no dictionary."""
        if len(pairs) > COLLISIONS and 2 * len({hash(key) for key, _ in pairs}) < len(pairs):
            raise FrameError("a dictionary whose keys collide")
        return dict(pairs)

    def _array(self, x: dict[str, Any]) -> Any:
        if not DTYPE.fullmatch(x["dtype"]):
            raise FrameError("an array of a kind that does not cross")
        dtype, shape = np.dtype(x["dtype"]), tuple(int(side) for side in x["shape"])
        if dtype.char not in TYPES or any(side < 0 for side in shape):
            raise FrameError("an array of a kind that does not cross")
        count = 1
        for side in shape:
            count *= side
        end = self._offset + count * dtype.itemsize
        if end > len(self._buffers):
            raise FrameError("an array longer than its frame")
        array = np.frombuffer(self._buffers[self._offset : end], dtype=dtype).reshape(shape).copy()
        self._offset = end
        return array[()] if x["scalar"] and not shape else array


class Readable(Protocol):
    """What a frame is read from: a socket, or what reads one."""

    def recv(self, count: int, /) -> bytes:
        """At most `count` bytes, none at the end of the stream."""


def send(channel: socket.socket, message: Any) -> None:
    """Writes one frame."""
    channel.sendall(encode(message))


def receive(channel: Readable) -> Any:
    """Reads one frame. EOFError at the end of the stream, FrameError for anything else that is not a frame."""
    prefix = _exactly(channel, PREFIX.size)
    magic, header_size, buffers_size = PREFIX.unpack(prefix)
    if magic != MAGIC:
        raise FrameError("not a frame")
    if header_size > HEADER_CAP or buffers_size > BUFFERS_CAP:
        raise FrameError("a frame larger than a frame may be")
    return decode(prefix + _exactly(channel, header_size + buffers_size))


def _exactly(channel: Readable, count: int) -> bytes:
    received = bytearray()
    while len(received) < count:
        chunk = channel.recv(min(count - len(received), 1 << 20))
        if not chunk:
            raise EOFError("the other side closed the channel")
        received += chunk
    return bytes(received)
