"""Datasets as arrays and text. Each loader fetches what it needs: mirror, cache, or download.

All raise DataError, with what to do, where the data cannot be had.
"""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .catalogue import DataError, fetch

UBYTE = 0x08  # the IDX type code of unsigned bytes


class Mnist(NamedTuple):
    """70,000 handwritten digits; grey levels 0 (paper) to 255 (ink), labels 0 to 9."""

    train_images: np.ndarray  # (60000, 28, 28) uint8
    train_labels: np.ndarray  # (60000,) uint8
    test_images: np.ndarray  # (10000, 28, 28) uint8
    test_labels: np.ndarray  # (10000,) uint8


def read_idx(path: str | Path) -> np.ndarray:
    """An array from a gzipped IDX file of unsigned bytes.

    IDX: two zero bytes, a type code, the number of axes, each length as a big-endian uint32, then the values, last axis
    fastest. Raises DataError for another type or a wrong length.
    """
    content = gzip.decompress(Path(path).read_bytes())
    if len(content) < 4 or content[:3] != bytes([0, 0, UBYTE]):
        raise DataError(f"{path} is not an IDX file of unsigned bytes.")
    axes = content[3]
    start = 4 + 4 * axes
    if len(content) < start:
        raise DataError(f"{path} ends within its header.")
    shape = struct.unpack(f">{axes}I", content[4:start])
    values: np.ndarray = np.frombuffer(content, np.uint8, offset=start)
    if values.size != int(np.prod(shape, dtype=np.uint64)):
        raise DataError(f"{path} says shape {shape}, and holds {values.size} values.")
    return np.array(values.reshape(shape))  # a copy, which may be written to


def mnist() -> Mnist:
    """MNIST's four arrays, as published. LeCun, Bottou, Bengio and Haffner, 1998."""
    folder = fetch("mnist")
    return Mnist(
        *(
            read_idx(folder / f"{part}-{what}-ubyte.gz")
            for part in ("train", "t10k")
            for what in ("images-idx3", "labels-idx1")
        )
    )


def olivetti() -> tuple[np.ndarray, np.ndarray]:
    """Faces (400, 64, 64), float64 in [0, 1] from darkest to lightest pixel, and who they are (400,), 0 to 39.

    Ten images a person, in order, scaled over all images at once. Samaria and Harter, 1994, AT&T Laboratories
    Cambridge.
    """
    from scipy.io import loadmat

    columns = loadmat(fetch("olivetti") / "olivettifaces.mat")["faces"]  # (4096, 400), an image a column
    faces = columns.T.reshape(400, 64, 64).transpose(0, 2, 1).astype(float)  # MATLAB stores column after column
    faces = (faces - faces.min()) / (faces.max() - faces.min())
    return np.ascontiguousarray(faces), np.repeat(np.arange(40), 10)


def names() -> list[str]:
    """32,033 first names, lower case."""
    return (fetch("names") / "names.txt").read_text(encoding="ascii").splitlines()


def tinyshakespeare() -> str:
    """1,115,394 characters of Shakespeare's plays."""
    return (fetch("tinyshakespeare") / "input.txt").read_bytes().decode("ascii")  # bytes: line ends stay as they are
