"""PNG files from arrays of bytes, for pictures inside a page (W3C, Portable Network Graphics, third edition)."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

import numpy as np

COLOUR_TYPES = {1: 0, 3: 2, 4: 6}  # channels: grey, RGB, RGB with transparency


def png(pixels: Any) -> bytes:
    """A PNG of pixels (h, w), (h, w, 3) or (h, w, 4); numbers that are not bytes are read as 0 to 1. ValueError."""
    pixels = as_bytes(pixels)
    if pixels.ndim == 2:
        pixels = pixels[:, :, None]
    if pixels.ndim != 3 or pixels.shape[2] not in COLOUR_TYPES or 0 in pixels.shape:
        raise ValueError(f"an array of shape {pixels.shape} is no picture")
    height, width, channels = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 8, COLOUR_TYPES[channels], 0, 0, 0)
    lines = np.zeros((height, 1 + width * channels), np.uint8)  # each line begins with its filter: 0, none
    lines[:, 1:] = pixels.reshape(height, -1)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes(), 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def data_uri(pixels: Any) -> str:
    """The same as a data: address."""
    return "data:image/png;base64," + base64.b64encode(png(pixels)).decode("ascii")


def as_bytes(pixels: Any) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Pixels as bytes: bytes as they are, other numbers from 0 (or below, or NaN) to 1 (or above)."""
    pixels = np.asarray(pixels)
    if pixels.dtype != np.uint8:
        pixels = np.round(255 * np.clip(np.nan_to_num(pixels.astype(float), posinf=1.0, neginf=0.0), 0, 1))
    return np.asarray(pixels, np.uint8)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
