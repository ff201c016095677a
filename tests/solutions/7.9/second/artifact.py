"""Golf, with big integers for the bits and torch for the rounding."""

import json
import lzma
import struct
import zlib
from collections import namedtuple

import numpy as np
import torch

MAGIC = b"GOLF1"
Artifact = namedtuple("Artifact", ["state", "meta", "files"])


class OverBudget(ValueError):
    pass


def quantise(weight, bits):
    if bits not in range(2, 9):
        raise ValueError("2 to 8 bits")
    top = (1 << (bits - 1)) - 1
    w = torch.from_numpy(np.array(weight, dtype=np.float64))
    if not bool(torch.isfinite(w).all()):
        raise ValueError("not finite")
    codes, scales = np.zeros(w.shape, dtype=np.int8), np.zeros(len(w), dtype=np.float16)
    for i, row in enumerate(w):
        largest = float(row.abs().max()) if len(row) else 0.0
        if largest == 0.0:
            continue
        half = np.float16(min(largest / top, 65504.0))
        while float(half) < largest / top:
            half = np.nextafter(half, np.float16(np.inf))
        if np.isinf(half):
            raise ValueError("too large for a scale")
        scales[i] = half
        codes[i] = torch.round(row / float(half)).to(torch.int8).numpy()
    return codes, scales


def dequantise(codes, scales):
    return np.einsum("nm,n->nm", codes.astype(np.float32), scales.astype(np.float32))


def pack_bits(codes, bits):
    top, number = 2 ** (bits - 1) - 1, 0
    for code in np.asarray(codes).tolist():
        if not -top <= code <= top:
            raise ValueError("no place for this code")
        number = (number << bits) | (code + top)
    size = -(-len(codes) * bits // 8)
    return (number << (size * 8 - len(codes) * bits)).to_bytes(size, "big")


def unpack_bits(data, bits, count):
    if len(data) != -(-count * bits // 8):
        raise ValueError("another length")
    number, top = int.from_bytes(data, "big") >> (len(data) * 8 - count * bits), 2 ** (bits - 1) - 1
    codes = []
    for _ in range(count):
        codes.append((number & (2**bits - 1)) - top)
        number >>= bits
    return np.array(codes[::-1], dtype=np.int8)


class _Through(torch.autograd.Function):
    @staticmethod
    def forward(ctx, weight, bits):
        return torch.from_numpy(dequantise(*quantise(weight.numpy(), bits)))

    @staticmethod
    def backward(ctx, gradient):
        return gradient, None


def straight_through(weight, bits):
    return _Through.apply(weight, bits)


def pack(state, meta, *, bits=6, files=None, budget=None):
    table = {"": bits} if isinstance(bits, int) else bits
    rows, parts, sizes, known = [], [], {}, []
    for name, tensor in state.items():
        twin = next((other for other, t in known if t is tensor or (t.numel() and t.data_ptr() == tensor.data_ptr() and t.shape == tensor.shape)), None)  # fmt: skip
        if twin is not None:
            rows.append([name, twin])
            continue
        known.append((name, tensor))
        fitting = sorted((start for start in table if name.startswith(start)), key=len)
        if not fitting:
            raise ValueError(f"{name}: no bits")
        tensor = tensor.detach()
        if tensor.is_floating_point():
            tensor = tensor.to(torch.float32)
            if not torch.isfinite(tensor).all():
                raise ValueError(f"{name}: not finite")
        if tensor.is_floating_point() and tensor.dim() > 1:
            width = table[fitting[-1]]
            try:
                codes, scales = quantise(tensor.flatten(1).numpy(), width)
            except ValueError as problem:
                raise ValueError(f"{name}: {problem}") from problem
            rows.append([name, list(tensor.shape), width])
            parts.append((scales.tobytes(), codes.reshape(-1), width))
        else:
            array = tensor.numpy()
            rows.append([name, list(array.shape), str(array.dtype)])
            parts.append((array.tobytes(), None, 0))
        sizes[name] = tensor.numel()
    best = None
    for tight in (False, True):
        body = b""
        for first, codes, width in parts:
            body += first + (b"" if codes is None else pack_bits(codes, width) if tight else codes.tobytes())
        names = [[name, len(content)] for name, content in (files or {}).items()]
        head = json.dumps([meta, tight, rows, names]).encode()
        stream = struct.pack(">Q", len(head)) + head + body + b"".join((files or {}).values())
        slim = [{"id": lzma.FILTER_LZMA2, "preset": 9, "dict_size": max(4096, len(stream))}]
        for mark, made in ((b"L", lzma.compress(stream, filters=slim)), (b"Z", zlib.compress(stream, 9))):
            if best is None or len(made) + 6 < len(best):
                best = MAGIC + mark + made
    if budget is not None and len(best) > budget:
        raise OverBudget(f"{len(best)} bytes are more than {budget}; the largest is {max(sizes, key=sizes.get)}")
    return best


def unpack(data):
    if data[:5] != MAGIC or data[5:6] not in (b"L", b"Z"):
        raise ValueError("no such file")
    machine = zlib.decompressobj() if data[5:6] == b"Z" else lzma.LZMADecompressor()
    try:
        stream = machine.decompress(data[6:])
    except (zlib.error, lzma.LZMAError) as problem:
        raise ValueError("damaged") from problem
    if not machine.eof or machine.unused_data:
        raise ValueError("too short or too long")
    size = struct.unpack(">Q", stream[:8])[0]
    meta, tight, rows, names = json.loads(stream[8 : 8 + size])
    at, state, files = 8 + size, {}, {}

    def take(count):
        nonlocal at
        at += count
        return stream[at - count : at]

    for row in rows:
        if len(row) == 2:
            state[row[0]] = state[row[1]]
            continue
        name, shape, kind = row
        count = int(np.prod(shape, dtype=int))
        if isinstance(kind, str):
            array = np.frombuffer(take(count * np.dtype(kind).itemsize), kind).reshape(shape)
        else:
            scales = np.frombuffer(take(2 * shape[0]), np.float16)
            codes = (
                unpack_bits(take(-(-count * kind // 8)), kind, count) if tight else np.frombuffer(take(count), np.int8)
            )
            array = dequantise(codes.reshape(shape[0], count // max(1, shape[0])), scales).reshape(shape)
        state[name] = torch.tensor(array)
    for name, size in names:
        files[name] = take(size)
    return Artifact(state, meta, files)
