"""Weights in files: safetensors, written and read by hand, and NumPy's npz.

A safetensors file is 8 bytes that say how long the header is (little-endian), the header as JSON, and the arrays' bytes one behind
the other. The header gives each name its dtype, its shape, and where in those bytes it lies. Nothing in it is executed, and a
file that was cut short is seen to be. https://github.com/huggingface/safetensors, section Format.
"""

import json
import math
import os
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
    "U8": np.dtype("u1"),
    "BOOL": np.dtype("?"),
}
NAMES = {dtype: name for name, dtype in DTYPES.items()}
LONGEST_HEADER = 100_000_000  # bytes, the format's own limit
ALIGNMENT = 8


def save(path, arrays):
    """Writes name -> array to a file: .safetensors or .npz, by its ending. Beside, to the disk, and then renamed.

    ValueError for another ending, or for a dtype that the format does not have.
    """
    path = Path(path)
    content = {".safetensors": _safetensors, ".npz": None}.get(path.suffix, ValueError)
    if content is ValueError:
        raise ValueError(f"{path.name} ends neither in .safetensors nor in .npz")
    part = path.with_name(f"{path.name}.part")
    with open(part, "wb") as file:
        if content is None:
            np.savez(file, **arrays)
        else:
            file.writelines(content(arrays))
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)


def load(path):
    """What `save` wrote: name -> array, in the order of the file. ValueError where the file is not whole or not of its kind."""
    path = Path(path)
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as file:
            return dict(file)
    return _read_safetensors(path.name, path.read_bytes())


def _safetensors(arrays):
    """The pieces of the file, in order."""
    header, pieces, at = {}, [], 0
    for name, array in arrays.items():
        array = np.ascontiguousarray(array)
        dtype = array.dtype.newbyteorder("<")
        if dtype not in NAMES or name == "__metadata__":
            raise ValueError(f"{name!r} of dtype {array.dtype} has no place in a safetensors file")
        pieces.append(array.astype(dtype, copy=False).tobytes())
        header[name] = {
            "dtype": NAMES[dtype],
            "shape": list(array.shape),
            "data_offsets": [at, at + len(pieces[-1])],
        }
        at += len(pieces[-1])
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % ALIGNMENT)
    return [len(text).to_bytes(8, "little"), text, *pieces]


def _read_safetensors(name, content):
    """The arrays, each its own copy; every number in the header is checked before it is used."""

    def check(holds, why):
        if not holds:
            raise ValueError(f"{name} is not a whole safetensors file: {why}")

    check(len(content) >= 8, "it is shorter than the length of its header")
    length = int.from_bytes(content[:8], "little")
    check(length <= min(LONGEST_HEADER, len(content) - 8), "it ends within its header")
    try:
        header = json.loads(content[8 : 8 + length])
    except ValueError as problem:
        raise ValueError(f"{name} is not a whole safetensors file: its header is not JSON") from problem
    check(isinstance(header, dict), "its header is not a table")
    header.pop("__metadata__", None)
    body, arrays, end = memoryview(content)[8 + length :], {}, 0
    for key, entry in sorted(header.items(), key=lambda item: item[1].get("data_offsets", [0])[0]):
        dtype, shape, (begin, stop) = DTYPES.get(entry.get("dtype")), entry.get("shape"), entry["data_offsets"]
        check(dtype is not None, f"{key!r} has a dtype that is not read here: {entry.get('dtype')}")
        check(all(isinstance(side, int) and side >= 0 for side in shape), f"{key!r} has the shape {shape}")
        check(begin == end and stop - begin == math.prod(shape) * dtype.itemsize, f"{key!r} is not where it should be")
        check(stop <= len(body), "it ends within its arrays")
        arrays[key] = np.frombuffer(body[begin:stop], dtype).reshape(shape).copy()
        end = stop
    check(end == len(body), "it goes on behind its arrays")
    return {key: arrays[key] for key in header}
