"""The datasets groundup knows, and how to have one on this machine: always whole, always checked.

`fetch` looks in the mirror that `GROUNDUP_DATA` names, then in the user's cache folder, then downloads. A mirror is a
folder of dataset folders (`mnist/`, `names/`, ...). Every file is compared with its SHA-256 before it is used. The
facts are in `catalogue.toml`.
"""

from __future__ import annotations

import contextlib
import difflib
import enum
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import platformdirs

from ..errors import NotUsable

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

RETRIES = 2  # after the first attempt; pooch waits 1 s, then 2 s
TIMEOUT = 30  # seconds without an answer
CHUNK = 1 << 20  # bytes read at a time


class DataError(NotUsable):
    """A dataset that cannot be had; the message says what to do."""


class NoSuchDataset(DataError):
    """No dataset has this name; the message gives the nearest."""


class Place(enum.Enum):
    """Where a dataset is."""

    MIRROR = "mirror"
    CACHE = "cache"
    DAMAGED = "damaged in the mirror"
    NOT_HERE = "not here"


@dataclass(frozen=True)
class File:
    """One file of a dataset, and the checksums that make it acceptable."""

    name: str  # path inside the dataset's folder
    size: int  # bytes
    sha256: str
    url: str | None = None  # None: no public address that may be fetched unasked
    sha256_at_url: str | None = None  # where the public copy holds the same data in other bytes

    @property
    def sha256_to_download(self) -> str:
        return self.sha256_at_url or self.sha256

    def accepts(self, digest: str) -> bool:
        return digest in (self.sha256, self.sha256_at_url)


@dataclass(frozen=True)
class Dataset:
    """What a dataset is, whose it is, and which files make it up."""

    name: str
    title: str
    files: tuple[File, ...]
    licence: str
    origin: str  # the page to get it from by hand
    note: str = ""

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(file.size for file in self.files)


@cache
def catalogue() -> dict[str, Dataset]:
    """Every dataset, by name."""
    tables = tomllib.loads(Path(__file__).with_name("catalogue.toml").read_text(encoding="utf-8"))
    return {
        name: Dataset(name=name, files=tuple(File(**file) for file in table.pop("files")), **table)
        for name, table in tables.items()
    }


def find(name: str) -> Dataset:
    """The dataset of this name, or NoSuchDataset with the nearest names."""
    datasets = catalogue()
    if name in datasets:
        return datasets[name]
    near = difflib.get_close_matches(name.lower(), datasets, n=3, cutoff=0.5)
    said = f"the nearest: {', '.join(near)}" if near else f"there are: {', '.join(datasets)}"
    raise NoSuchDataset(f"there is no dataset {name!r}; {said}")


def cache_folder() -> Path:
    """The user's folder of downloaded datasets, and of checksums already taken."""
    return Path(platformdirs.user_cache_dir("groundup", appauthor=False)) / "data"


def mirror_folder() -> Path | None:
    """The folder GROUNDUP_DATA names; None where it names none. It need not exist."""
    named = os.environ.get("GROUNDUP_DATA")
    return Path(named).expanduser().absolute() if named else None


class Checksums:
    """SHA-256 of files, each read once: remembered by path, size and modification time.

    The memory is a file in the cache folder. Where that cannot be written, files are read again each time.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.known: dict[str, Any] = {}  # path -> [size, mtime in ns, digest]
        with contextlib.suppress(OSError, ValueError):  # no memory yet, or a spoilt one: begin anew
            known = json.loads(path.read_bytes())
            self.known = known if isinstance(known, dict) else {}

    def of(self, file: Path) -> str:
        """The digest in hex. OSError where the file cannot be read."""
        state = file.stat()
        stamp = [state.st_size, state.st_mtime_ns]
        match self.known.get(str(file)):
            case [size, changed, str(digest)] if [size, changed] == stamp:
                return digest
        digest = _sha256(file)
        self.known[str(file)] = [*stamp, digest]
        self._save()
        return digest

    def _save(self) -> None:
        with contextlib.suppress(OSError):  # a cache folder that is read-only costs time, nothing else
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=self.path.parent, prefix=".checksums-", delete=False) as aside:
                json.dump(self.known, aside)
            os.replace(aside.name, self.path)


def _sha256(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


@dataclass(frozen=True)
class Holding:
    """What of a dataset a folder lacks, and what it holds damaged."""

    missing: tuple[File, ...]
    damaged: tuple[File, ...]

    @property
    def complete(self) -> bool:
        return not (self.missing or self.damaged)


def _look(folder: Path, dataset: Dataset, checksums: Checksums) -> Holding:
    missing, damaged = [], []
    for file in dataset.files:
        path = folder / file.name
        try:
            if not path.is_file():
                missing.append(file)
            elif not file.accepts(checksums.of(path)):
                damaged.append(file)
        except OSError as problem:
            raise DataError(f"{path} cannot be read: {problem.strerror}.") from problem
    return Holding(tuple(missing), tuple(damaged))


def fetch(dataset: str | Dataset, *, progress: bool = False) -> Path:
    """The folder that holds all files of a dataset, each compared with its SHA-256.

    progress: show a bar for each file that is downloaded.
    Raises NoSuchDataset, or DataError: a file in the mirror is damaged, or there is no way to the data from here.
    """
    dataset = find(dataset) if isinstance(dataset, str) else dataset
    store, mirror = cache_folder(), mirror_folder()
    checksums = Checksums(store / "checksums.json")
    if mirror is not None:
        held = _look(mirror / dataset.name, dataset, checksums)
        if held.damaged:
            path = mirror / dataset.name / held.damaged[0].name
            raise DataError(
                f"{path} is damaged: its SHA-256 is not the catalogue's. Copy it anew, or unset GROUNDUP_DATA."
            )
        if held.complete:
            return mirror / dataset.name
    folder = store / dataset.name
    held = _look(folder, dataset, checksums)
    if not held.complete:
        _download(dataset, held.missing + held.damaged, folder, progress)
    return folder


def status(datasets: Iterable[Dataset] | None = None) -> list[tuple[Dataset, Place]]:
    """Each dataset of the catalogue (or those given) and where it is. Downloads nothing."""
    store, mirror = cache_folder(), mirror_folder()
    checksums = Checksums(store / "checksums.json")

    def place(dataset: Dataset) -> Place:
        if mirror is not None:
            held = _look(mirror / dataset.name, dataset, checksums)
            if held.damaged:
                return Place.DAMAGED
            if held.complete:
                return Place.MIRROR
        return Place.CACHE if _look(store / dataset.name, dataset, checksums).complete else Place.NOT_HERE

    return [(dataset, place(dataset)) for dataset in (catalogue().values() if datasets is None else datasets)]


def _download(dataset: Dataset, files: tuple[File, ...], folder: Path, progress: bool) -> None:
    """Fetches files aside, checks them, and renames each into the folder: what is there is always whole."""
    if any(file.url is None for file in files):
        names = ", ".join(file.name for file in files)
        raise DataError(
            f"{dataset.name} comes from a mirror only: set GROUNDUP_DATA to a folder that holds {dataset.name}/ "
            f"with {names}. Its origin is {dataset.origin}."
        )
    import pooch  # here: its 0.1 s are not for those who read from a mirror

    pooch.get_logger().setLevel("WARNING")
    file = files[0]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{dataset.name}-") as aside:
            source = pooch.create(
                path=aside,
                base_url="",
                registry={file.name: f"sha256:{file.sha256_to_download}" for file in files},
                urls={file.name: file.url for file in files},
                retry_if_failed=RETRIES,
            )
            get = pooch.HTTPDownloader(progressbar=progress, chunk_size=1 << 16, timeout=TIMEOUT)
            for file in files:
                arrived = source.fetch(file.name, downloader=get)
                (folder / file.name).parent.mkdir(parents=True, exist_ok=True)
                os.replace(arrived, folder / file.name)
    except (ValueError, OSError) as problem:  # pooch: ValueError is a wrong checksum; requests: all are OSErrors
        raise DataError(
            f"{dataset.name} could not be downloaded: {_reason(problem, file)}. "
            f"Connect and try again, or set GROUNDUP_DATA to a folder that holds {dataset.name}/."
        ) from problem


def _reason(problem: Exception, file: File) -> str:
    """Why a download failed, in a few words."""
    from requests import exceptions as http

    host = urlsplit(file.url or "").hostname
    if isinstance(problem, http.HTTPError) and problem.response is not None:
        return f"{host} answered {problem.response.status_code} for {file.name}"
    if isinstance(problem, http.ChunkedEncodingError):
        return f"{host} broke off in the middle of {file.name}"
    if isinstance(problem, http.Timeout):
        return f"{host} did not answer within {TIMEOUT} seconds"
    if isinstance(problem, http.ConnectionError):
        return f"there is no connection to {host}"
    if isinstance(problem, ValueError):
        return f"what {host} gives for {file.name} has another SHA-256 than the catalogue's"
    return str(problem)
