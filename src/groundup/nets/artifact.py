"""A model as small as it will go: weights in a few bits each, compressed, in one file whose length is what counts.

A row of weights becomes small integers and one scale: w ~ scale * code. Codes are symmetric about zero, and zero stays
zero. Gray and Neuhoff, Quantization (1998), section III; the game of bits per byte under a budget of bytes is OpenAI's
Parameter Golf (2026).

The file: MAGIC, one byte for how it is compressed, and a compressed stream. The stream: the length of the manifest (4
bytes, little-endian), the manifest (JSON, UTF-8), then the bytes of every tensor and every file, in the manifest's
order.
"""

import json
import lzma
import struct
import zlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch

MAGIC = b"GOLF1"
FEWEST, MOST = 2, 8  # bits of a code
COMPRESSORS = {b"z": "zlib", b"x": "lzma"}


class OverBudget(ValueError):
    """The file would be longer than it may be."""


class Artifact(NamedTuple):
    """What a file holds: tensors as they are after the round trip, what was said about them, and files by name."""

    state: dict[str, torch.Tensor]
    meta: dict[str, Any]
    files: dict[str, bytes]


def quantise(weight, bits: int):
    """weight (n, m) float -> codes (n, m) int8 and scales (n,) float16, so that weight ~ scales[:, None] * codes.

    Codes lie in -top..top with top = 2^(bits - 1) - 1. A row's scale is max |w| / top, rounded *up* to float16, and the
    codes are made with the scale that is stored: so nothing is cut off, and no weight is further than half a scale from
    where it was. A row of zeros has scale 0. Halves round to even. Raises ValueError for bits outside 2..8, for NaN and
    infinity, and for a scale beyond float16.
    """
    _check_bits(bits)
    weight = np.asarray(weight, dtype=np.float64)
    if not np.isfinite(weight).all():
        raise ValueError("a weight is NaN or infinite, and has no code")
    top = 2 ** (bits - 1) - 1
    exact = np.abs(weight).max(axis=1, initial=0.0) / top  # (n,)
    with np.errstate(over="ignore"):
        scales = exact.astype(np.float16)
    scales = np.where(scales < exact, np.nextafter(scales, np.float16(np.inf)), scales)
    if not np.isfinite(scales).all():
        raise ValueError("a weight is too large: its row's scale has to fit float16")
    steps = np.where(scales > 0, scales.astype(np.float64), 1.0)
    return np.rint(weight / steps[:, None]).astype(np.int8), scales


def dequantise(codes, scales):
    """codes (n, m) int8, scales (n,) float16 -> weights (n, m) float32."""
    return codes.astype(np.float32) * scales.astype(np.float32)[:, None]


def pack_bits(codes, bits: int) -> bytes:
    """Codes (n,) of -top..top, `bits` bits each, as ceil(n * bits / 8) bytes.

    A code is written as the unsigned number code + top, highest bit first, the first code in the highest bits of the
    first byte; what is left of the last byte is zero. Raises ValueError for a code that has no place.
    """
    _check_bits(bits)
    top = 2 ** (bits - 1) - 1
    codes = np.asarray(codes, dtype=np.int64)
    if codes.size and np.abs(codes).max() > top:
        raise ValueError(f"a code of {bits} bits lies between {-top} and {top}")
    digits = np.unpackbits((codes + top).astype(np.uint8)[:, None], axis=1)  # (n, 8)
    return np.packbits(digits[:, 8 - bits :]).tobytes()


def unpack_bits(data: bytes, bits: int, count: int):
    """The inverse of `pack_bits`: codes (count,) int8. Raises ValueError where data has another length."""
    _check_bits(bits)
    if len(data) != _packed(count, bits):
        raise ValueError(f"{count} codes of {bits} bits are {_packed(count, bits)} bytes, not {len(data)}")
    digits = np.unpackbits(np.frombuffer(data, dtype=np.uint8), count=count * bits).reshape(count, bits)
    weights = 1 << np.arange(bits - 1, -1, -1)  # of the digits
    return (digits @ weights - (2 ** (bits - 1) - 1)).astype(np.int8)


def straight_through(weight, bits: int):
    """The weights (n, m) as they would come back, with a gradient as if nothing had happened to them.

    To train with the rounding in place, so that the network gets used to it: Bengio, Léonard and Courville (2013).
    """
    back = dequantise(*quantise(weight.detach().cpu().numpy(), bits))
    back = torch.from_numpy(back).to(weight)
    return weight + (back - weight).detach()


def pack(state, meta, *, bits=6, files=None, budget: int | None = None) -> bytes:
    """A file of a state dict, of `meta` (anything JSON can say) and of further files {name: bytes}, such as sources.

    Floating tensors of two or more axes are quantised, each slice of the first axis a row; other floating tensors are
    kept as float32, and what is not floating as it is. bits: a number, or {beginning of a name: number}, of which the
    longest that fits holds, "" for all others. Tensors that share their memory are stored once. Of codes that are
    packed and codes that have a byte each, compressed by zlib (level 9) or by lzma, the shortest is taken. The same
    arguments give the same bytes. Raises ValueError naming the tensor that cannot be stored, and OverBudget, with what
    weighs most, if the file exceeds `budget`.
    """
    entries, blobs, seen = [], [], {}
    for name, tensor in state.items():
        tensor = tensor.detach().cpu()
        place = (tensor.data_ptr(), tensor.dtype, tuple(tensor.shape), tensor.stride())
        if tensor.numel() and place in seen:
            entries.append({"name": name, "same": seen[place]})
            blobs.append(())
            continue
        seen[place] = name
        try:
            entry, blob = _encode(tensor, _bits_of(name, bits))
        except ValueError as problem:
            raise ValueError(f"{name}: {problem}") from None
        entries.append({"name": name, **entry})
        blobs.append(blob)
    files = dict(files or {})
    made = []
    for packed in (True, False):
        body = [b"".join(_blob(blob, packed)) for blob in blobs]
        manifest = {
            "meta": meta,
            "packed": packed,
            "tensors": entries,
            "files": [[name, len(content)] for name, content in files.items()],
        }
        head = json.dumps(manifest, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
        stream = b"".join([struct.pack("<I", len(head)), head, *body, *files.values()])
        made.append(MAGIC + b"z" + zlib.compress(stream, 9))
        made.append(MAGIC + b"x" + _lzma(stream))
    smallest = min(made, key=len)
    if budget is not None and len(smallest) > budget:
        sizes = {entry["name"]: sum(map(len, _blob(blob, True))) for entry, blob in zip(entries, blobs)}
        sizes |= {name: len(content) for name, content in files.items()}
        heavy = ", ".join(f"{name} {sizes[name]:,}" for name in sorted(sizes, key=lambda name: -sizes[name])[:3])
        raise OverBudget(f"{len(smallest):,} bytes, and {budget:,} are allowed. Before compression: {heavy}")
    return smallest


def unpack(data: bytes) -> Artifact:
    """What `pack` was given, from its bytes alone; quantised tensors come back as float32.

    Tensors that were stored once for several names are one tensor again. Raises ValueError for what is no such file, is
    cut short, changed, or goes on after its end.
    """
    stream = _decompressed(data)
    if len(stream) < 4:
        raise ValueError("the file ends within its header")
    start = 4 + struct.unpack("<I", stream[:4])[0]
    try:
        manifest = json.loads(stream[4:start])
    except ValueError:
        raise ValueError("the file's manifest cannot be read") from None
    state: dict[str, torch.Tensor] = {}
    for entry in manifest["tensors"]:
        if "same" in entry:
            state[entry["name"]] = state[entry["same"]]
        else:
            state[entry["name"]], start = _decode(entry, stream, start, manifest["packed"])
    files = {}
    for name, size in manifest["files"]:
        files[name] = stream[start : start + size]
        start += size
    if start != len(stream):
        raise ValueError(f"the file's stream has {len(stream)} bytes, and its manifest tells of {start}")
    return Artifact(state, manifest["meta"], files)


def _check_bits(bits: int) -> None:
    if not FEWEST <= bits <= MOST:
        raise ValueError(f"a code has {FEWEST} to {MOST} bits, not {bits}")


def _packed(count: int, bits: int) -> int:
    return -(-count * bits // 8)


def _bits_of(name: str, bits) -> int:
    """Of all beginnings that fit the name, the longest one's number."""
    if not isinstance(bits, Mapping):
        return bits
    fitting = [start for start in bits if name.startswith(start)]
    if not fitting:
        raise ValueError(f'{name}: bits says nothing of it: give "" a number')
    return bits[max(fitting, key=len)]


def _encode(tensor, bits: int):
    """A tensor's entry in the manifest, and what is to be stored: plain bytes, or (scales, codes, bits)."""
    shape = list(tensor.shape)
    if tensor.is_floating_point() and tensor.ndim >= 2:
        codes, scales = quantise(tensor.float().flatten(1).numpy(), bits)
        return {"shape": shape, "bits": bits}, (scales, codes.ravel(), bits)
    if tensor.is_floating_point():
        tensor = tensor.float()
        if not torch.isfinite(tensor).all():
            raise ValueError("a weight is NaN or infinite")
    array = tensor.contiguous().numpy()
    return {"shape": shape, "dtype": array.dtype.str}, (array.tobytes(),)


def _blob(blob, packed: bool) -> list[bytes]:
    if len(blob) < 3:
        return list(blob)
    scales, codes, bits = blob
    return [scales.astype("<f2").tobytes(), pack_bits(codes, bits) if packed else codes.tobytes()]


def _decode(entry, stream: bytes, start: int, packed: bool):
    """The tensor that an entry tells of, and where the next one begins."""
    shape = entry["shape"]
    count = int(np.prod(shape, dtype=np.int64))
    if "dtype" in entry:
        dtype = np.dtype(entry["dtype"])
        end = start + count * dtype.itemsize
        array = np.frombuffer(_part(stream, start, end), dtype).reshape(shape)
        return torch.from_numpy(array.astype(dtype.newbyteorder("="))), end
    rows, bits = shape[0], entry["bits"]
    middle = start + 2 * rows
    end = middle + (_packed(count, bits) if packed else count)
    scales = np.frombuffer(_part(stream, start, middle), "<f2")
    data = _part(stream, middle, end)
    codes = unpack_bits(data, bits, count) if packed else np.frombuffer(data, np.int8)
    return torch.from_numpy(dequantise(codes.reshape(rows, count // max(rows, 1)), scales).reshape(shape)), end


def _part(stream: bytes, start: int, end: int) -> bytes:
    if end > len(stream):
        raise ValueError("the file ends within a tensor")
    return stream[start:end]


def _lzma(stream: bytes) -> bytes:
    """The hardest preset, with a window no longer than the stream: its default would claim 674 MiB for a few bytes."""
    hardest = {"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": max(4096, len(stream))}
    return lzma.compress(stream, check=lzma.CHECK_CRC32, filters=[hardest])


def _decompressed(data: bytes) -> bytes:
    body, how = data[len(MAGIC) + 1 :], COMPRESSORS.get(data[len(MAGIC) : len(MAGIC) + 1])
    if not data.startswith(MAGIC) or how is None:
        raise ValueError("this is not such a file: its first bytes are others")
    coder = zlib.decompressobj() if how == "zlib" else lzma.LZMADecompressor(lzma.FORMAT_XZ)
    try:
        stream = coder.decompress(body)
    except (zlib.error, lzma.LZMAError) as problem:
        raise ValueError(f"the file has been changed: {problem}") from None
    if not coder.eof or coder.unused_data:
        raise ValueError("the file is cut short" if not coder.eof else "the file goes on after its end")
    return stream
