"""Weights in files: safetensors, written and read by hand, and NumPy's npz.

A safetensors file is 8 bytes that say how long the header is (little-endian), the header as JSON, and the arrays' bytes one behind
the other. The header gives each name its dtype, its shape, and where in those bytes it lies. Nothing in it is executed, and a
file that was cut short is seen to be. https://github.com/huggingface/safetensors, section Format.
"""

import io
import json
import math
import os
import zipfile
import zlib
from pathlib import Path

import numpy as np

DTYPES = {
    "F64": np.dtype("<f8"),
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "I64": np.dtype("<i8"),
    "I32": np.dtype("<i4"),
    "I16": np.dtype("<i2"),
    "I8": np.dtype("i1"),
    "U64": np.dtype("<u8"),
    "U32": np.dtype("<u4"),
    "U16": np.dtype("<u2"),
    "U8": np.dtype("u1"),
    "BOOL": np.dtype("?"),
}
NAMES = {dtype: name for name, dtype in DTYPES.items()}
LONGEST_HEADER = 100_000_000  # bytes, the format's own limit
MOST_AXES = 64  # NumPy's
ALIGNMENT = 8


def save(path, arrays):
    """Writes name -> array to a file: .safetensors or .npz, by its ending. Into a file beside it, onto the disk, and then renamed:
    whoever is killed has the old file or the new one.

    ValueError for another ending, or for what the format does not have; then nothing has been written.
    """
    path = Path(path)
    pieces = {".safetensors": _safetensors, ".npz": _npz}[_ending(path)](arrays)
    part = path.with_name(f"{path.name}.part")
    try:
        with open(part, "wb") as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)  # where the disk was full; after renaming there is none


def load(path):
    """What `save` wrote: name -> array, in the order of the file. ValueError where the file is not whole or not of its kind."""
    path = Path(path)
    read = {".safetensors": _read_safetensors, ".npz": _read_npz}[_ending(path)]
    try:
        return read(path.read_bytes())
    except ValueError as problem:
        raise ValueError(f"{path.name} is not a whole {path.suffix} file: {problem}") from problem


def _ending(path):
    if path.suffix not in (".safetensors", ".npz"):
        raise ValueError(f"{path.name} ends neither in .safetensors nor in .npz")
    return path.suffix


# ---- safetensors


def _safetensors(arrays):
    """The pieces of the file, in order."""
    header, pieces, at = {}, [], 0
    for name, array in arrays.items():
        array = np.asarray(array)
        dtype = array.dtype.newbyteorder("<")
        if dtype not in NAMES or name == "__metadata__":
            raise ValueError(f"{name!r} of dtype {array.dtype} has no place in a safetensors file")
        pieces.append(array.astype(dtype, copy=False).tobytes())
        end = at + len(pieces[-1])
        header[name] = {"dtype": NAMES[dtype], "shape": list(array.shape), "data_offsets": [at, end]}
        at = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % ALIGNMENT)
    return [len(text).to_bytes(8, "little"), text, *pieces]


def _read_safetensors(content):
    """The arrays, each its own copy; every number in the header is checked before it is used."""
    _check(len(content) >= 8, "it is shorter than the length of its header")
    length = int.from_bytes(content[:8], "little")
    _check(length <= min(LONGEST_HEADER, len(content) - 8), "it ends within its header")
    header = _header(content[8 : 8 + length])
    body, arrays, end = memoryview(content)[8 + length :], {}, 0
    for name, (dtype, shape, begin, stop) in sorted(header.items(), key=lambda item: item[1][2:]):
        _check(begin == end, f"{name!r} is not where the array before it ends")
        _check(stop - begin == math.prod(shape) * dtype.itemsize, f"{name!r} of shape {shape} has {stop - begin} bytes")
        _check(stop <= len(body), "it ends within its arrays")
        arrays[name] = np.frombuffer(body[begin:stop], dtype).reshape(shape).copy()
        end = stop
    _check(end == len(body), "it goes on behind its arrays")
    return {name: arrays[name] for name in header}


def _header(text):
    """name -> dtype, shape, begin, stop: each of its kind, and no more than that is promised."""
    _check(text.startswith(b"{"), "its header is not a table")
    try:
        entries = json.loads(text.decode(), object_pairs_hook=_each_once)
    except RecursionError:
        raise ValueError("its header is nested too deep") from None
    about = entries.pop("__metadata__", None)
    _check(about is None or _texts(about), "its metadata are not texts")
    return {name: _entry(name, entry) for name, entry in entries.items()}


def _entry(name, entry):
    _check(isinstance(entry, dict), f"{name!r} is not described by a table")
    kind, shape, place = (entry.get(key) for key in ("dtype", "shape", "data_offsets"))
    _check(isinstance(kind, str) and kind in DTYPES, f"{name!r} has a dtype that is not read here: {kind}")
    _check(_whole_numbers(shape) and len(shape) <= MOST_AXES, f"{name!r} has no shape")
    _check(_whole_numbers(place) and len(place) == 2, f"{name!r} has no place")
    return DTYPES[kind], tuple(shape), *place


def _whole_numbers(value):
    """A list of whole numbers that an array could have: from 0, and below 2^63. True is a number in Python, and none here."""
    return isinstance(value, list) and all(type(n) is int and 0 <= n < 2**63 for n in value)


def _texts(value):
    return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())


def _each_once(pairs):
    """A JSON table in which no name comes twice."""
    table = dict(pairs)
    _check(len(table) == len(pairs), "its header names something twice")
    return table


def _check(holds, why):
    if not holds:
        raise ValueError(why)


# ---- npz: a zip archive of .npy files. np.savez would pickle objects, and has no room for an array that is called "file"


def _npz(arrays):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.asarray(array), allow_pickle=False)
    return [content.getbuffer()]


def _read_npz(content):
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = {name.removesuffix(".npy"): archive.read(name) for name in archive.namelist()}  # and its checksum
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        NotImplementedError,
        RuntimeError,
        EOFError,
        OSError,
        zlib.error,
    ) as problem:
        raise ValueError(str(problem)) from problem
    return {name: np.lib.format.read_array(io.BytesIO(part), allow_pickle=False) for name, part in parts.items()}
