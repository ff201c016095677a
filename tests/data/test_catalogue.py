"""Datasets are found, checked, downloaded and loaded; nothing damaged or half-written is ever handed out."""

import gzip
import hashlib
import os
import random
import re
import struct
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest

from groundup.data import catalogue, loading
from groundup.data.catalogue import DataError, Dataset, File, NoSuchDataset, Place

REPOSITORY = Path(__file__).resolve().parents[2]
NAMED_MIRROR = os.environ.get("GROUNDUP_DATA")
MNIST_MD5 = {  # of the uncompressed files, as published with the data set
    "train_images": "6bbc9ace898e44ae57da46a324031adb",
    "train_labels": "a25bea736e30d166cdddb491f175f624",
    "test_images": "2646ac647ad5339dbf082846283269ea",
    "test_labels": "27ae3e4e09519cfbb04c329615203637",
}


def sha256(content):
    return hashlib.sha256(content).hexdigest()


class Server:
    """Real bytes over HTTP on this machine; it can break off in the middle, or stop there and wait."""

    def __init__(self):
        self.content = {}  # name -> bytes
        self.cuts = {}  # name -> how many more answers break off in the middle
        self.stalls = set()  # names that stop in the middle
        self.half_sent, self.go_on = threading.Event(), threading.Event()
        self.asked = []
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                owner.answer(self)

            def log_message(self, *_):
                return None

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def answer(self, request):
        name = request.path.lstrip("/")
        self.asked.append(name)
        if name not in self.content:
            request.send_error(404)
            return
        body = self.content[name]
        request.send_response(200)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        if name in self.stalls:
            request.wfile.write(body[: len(body) // 2])
            self.half_sent.set()
            self.go_on.wait()
        elif self.cuts.get(name, 0) > 0:
            self.cuts[name] -= 1
            request.wfile.write(body[: len(body) // 2])
        else:
            request.wfile.write(body)
        request.close_connection = True

    def url(self, name):
        return f"http://127.0.0.1:{self.http.server_port}/{name}"

    def close(self):
        self.go_on.set()
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()


@pytest.fixture
def server():
    running = Server()
    yield running
    running.close()


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    """An empty cache folder, no mirror, one attempt at each download."""
    folder = tmp_path / "cache"
    monkeypatch.setattr(catalogue, "cache_folder", lambda: folder)
    monkeypatch.setattr(catalogue, "RETRIES", 0)
    monkeypatch.delenv("GROUNDUP_DATA", raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return folder


def generated(seed=0, files=3):
    """Files of random bytes by name; one lies in a folder of its own."""
    dice = random.Random(seed)
    return {
        f"{'deep/' if i == 1 else ''}part{i}.bin": dice.randbytes(dice.randint(100_000, 300_000)) for i in range(files)
    }


def dataset_of(contents, url=lambda name: None, name="small"):
    files = tuple(File(file, len(content), sha256(content), url(file)) for file, content in contents.items())
    return Dataset(name, "Small", files, "none", "https://example.org/small")


def write(folder, contents):
    for name, content in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def files_under(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    folder = tmp_path / "mirror"
    monkeypatch.setenv("GROUNDUP_DATA", str(folder))
    return folder


# The catalogue


def test_every_entry_is_complete_and_every_address_is_secure():
    expected = ["mnist", "cifar10-jpeg", "tinyshakespeare", "names", "titanic", "house-prices", "olivetti"]
    expected += ["multi30k", "sst2", "gpt2"]
    assert list(catalogue.catalogue()) == expected
    for name in expected:
        dataset = catalogue.find(name)
        assert dataset.name == name and dataset.title and dataset.licence and dataset.files
        assert urlsplit(dataset.origin).scheme == "https"
        assert len({file.name for file in dataset.files}) == len(dataset.files)
        for file in dataset.files:
            assert re.fullmatch("[0-9a-f]{64}", file.sha256) and file.size > 0
            assert file.url is None or urlsplit(file.url).scheme == "https"
            assert file.sha256_at_url is None or (file.url and re.fullmatch("[0-9a-f]{64}", file.sha256_at_url))
            assert not Path(file.name).is_absolute() and ".." not in Path(file.name).parts


def test_a_mistyped_name_is_answered_with_the_nearest():
    with pytest.raises(NoSuchDataset, match=r"no dataset 'minst'; the nearest: mnist"):
        catalogue.find("minst")
    with pytest.raises(NoSuchDataset, match=r"there are: mnist, cifar10-jpeg"):
        catalogue.fetch("qqqqqq")


def test_importing_the_floor_brings_neither_pooch_nor_scipy():
    code = "import sys, groundup.data.loading; print(sorted({'pooch', 'requests', 'scipy'} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


# The mirror


def test_a_whole_mirror_is_used_as_it_lies_and_nothing_is_downloaded(mirror, store, server):
    contents = generated()
    write(mirror / "small", contents)
    assert catalogue.fetch(dataset_of(contents, server.url)) == mirror / "small"
    assert server.asked == [] and files_under(store) == ["checksums.json"]


@pytest.mark.parametrize("harm", [lambda b: b[:-1], lambda b: b"", lambda b: b[:-1] + bytes([b[-1] ^ 1])])
def test_a_damaged_file_in_the_mirror_is_named_and_never_used(mirror, server, harm):
    contents = generated()
    dataset = dataset_of(contents, server.url)
    write(mirror / "small", {**contents, "deep/part1.bin": harm(contents["deep/part1.bin"])})
    for _ in range(2):
        with pytest.raises(DataError, match=r"part1\.bin is damaged.*Copy it anew") as caught:
            catalogue.fetch(dataset)
    assert str(mirror / "small" / "deep" / "part1.bin") in str(caught.value)
    assert server.asked == []
    assert catalogue.status([dataset]) == [(dataset, Place.DAMAGED)]


def test_an_incomplete_mirror_is_passed_over(mirror, store, server):
    contents = generated()
    server.content = contents
    dataset = dataset_of(contents, server.url)
    write(mirror / "small", dict(list(contents.items())[:2]))
    folder = catalogue.fetch(dataset)
    assert folder == store / "small"
    assert {name: (folder / name).read_bytes() for name in contents} == contents


def test_a_mirror_that_does_not_exist_is_passed_over(mirror, store):
    contents = generated()
    write(store / "small", contents)
    assert not mirror.exists()
    assert catalogue.fetch(dataset_of(contents)) == store / "small"


def test_a_file_is_read_again_only_when_size_or_time_change(mirror):
    contents = generated(files=1)
    dataset = dataset_of(contents)
    write(mirror / "small", contents)
    catalogue.fetch(dataset)
    path = mirror / "small" / "part0.bin"
    before = path.stat()
    path.write_bytes(bytes(before.st_size))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert catalogue.fetch(dataset) == mirror / "small"  # the price of not reading twice
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1_000_000_000))
    with pytest.raises(DataError, match="damaged"):
        catalogue.fetch(dataset)


@pytest.mark.parametrize("spoilt", [b"", b"{", b"[]", b"\xff\xfe", b'"x"'])
def test_a_spoilt_memory_of_checksums_is_begun_anew(mirror, store, spoilt):
    contents = generated()
    write(mirror / "small", contents)
    write(store, {"checksums.json": spoilt})
    assert catalogue.fetch(dataset_of(contents)) == mirror / "small"


def test_a_mirror_serves_where_the_cache_folder_cannot_be_written(mirror, tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"in the way")
    monkeypatch.setattr(catalogue, "cache_folder", lambda: tmp_path / "file" / "cache")
    contents = generated()
    write(mirror / "small", contents)
    assert catalogue.fetch(dataset_of(contents)) == mirror / "small"


def test_either_checksum_is_accepted_where_the_public_copy_differs_in_bytes(mirror, store, server):
    ours, theirs = gzip.compress(b"same data", 1, mtime=1), gzip.compress(b"same data", 9, mtime=2)
    file = File("data.gz", len(ours), sha256(ours), server.url("data.gz"), sha256(theirs))
    dataset = Dataset("small", "Small", (file,), "none", "https://example.org/small")
    server.content = {"data.gz": theirs}
    assert (catalogue.fetch(dataset) / "data.gz").read_bytes() == theirs
    write(mirror / "small", {"data.gz": ours})
    assert (catalogue.fetch(dataset) / "data.gz").read_bytes() == ours


def test_status_says_where_each_dataset_is(mirror, store):
    sets = {name: generated(seed) for seed, name in enumerate(["here", "cached", "hurt", "gone"])}
    write(mirror / "here", sets["here"])
    write(store / "cached", sets["cached"])
    write(mirror / "hurt", {**sets["hurt"], "part0.bin": b"?"})
    datasets = [dataset_of(contents, name=name) for name, contents in sets.items()]
    places = [place.value for _, place in catalogue.status(datasets)]
    assert places == ["mirror", "cache", "damaged in the mirror", "not here"]
    assert [dataset.size for dataset in datasets] == [sum(map(len, contents.values())) for contents in sets.values()]


def test_status_lists_the_whole_catalogue():
    assert [(dataset.name, place) for dataset, place in catalogue.status()] == [
        (name, Place.NOT_HERE) for name in catalogue.catalogue()
    ]


# Downloads


def test_a_download_brings_every_file_once(store, server):
    contents = server.content = generated()
    dataset = dataset_of(contents, server.url)
    for _ in range(2):
        folder = catalogue.fetch(dataset)
    assert folder == store / "small" and files_under(folder) == sorted(contents)
    assert {name: (folder / name).read_bytes() for name in contents} == contents
    assert sorted(server.asked) == sorted(contents)
    assert [path.name for path in store.iterdir() if path.is_dir()] == ["small"]


def test_progress_shows_a_bar_and_changes_nothing(server, capsys):
    contents = server.content = generated(files=1)
    folder = catalogue.fetch(dataset_of(contents, server.url), progress=True)
    assert (folder / "part0.bin").read_bytes() == contents["part0.bin"]
    assert "100%" in capsys.readouterr().err


def test_a_connection_that_breaks_off_leaves_nothing_half_written(store, server):
    contents = server.content = generated()
    server.cuts = {"part2.bin": 1}
    dataset = dataset_of(contents, server.url)
    with pytest.raises(DataError, match=r"127\.0\.0\.1 broke off in the middle of part2\.bin.*GROUNDUP_DATA"):
        catalogue.fetch(dataset)
    assert files_under(store / "small") == ["deep/part1.bin", "part0.bin"]  # whole files stay
    assert [path.name for path in store.iterdir() if path.is_dir()] == ["small"]
    folder = catalogue.fetch(dataset)
    assert {name: (folder / name).read_bytes() for name in contents} == contents
    assert server.asked.count("part0.bin") == 1


def test_a_broken_connection_is_tried_again(server, monkeypatch):
    monkeypatch.setattr(catalogue, "RETRIES", 1)
    contents = server.content = generated(files=1)
    server.cuts = {"part0.bin": 1}
    folder = catalogue.fetch(dataset_of(contents, server.url))
    assert (folder / "part0.bin").read_bytes() == contents["part0.bin"]
    assert server.asked == ["part0.bin", "part0.bin"]


def test_a_download_with_another_checksum_is_thrown_away(store, server):
    contents = generated(files=1)
    server.content = {"part0.bin": b"a page that asks for a password"}
    with pytest.raises(DataError, match=r"gives for part0\.bin has another SHA-256"):
        catalogue.fetch(dataset_of(contents, server.url))
    assert files_under(store) == []


def test_a_damaged_file_in_the_cache_is_replaced(store, server):
    contents = server.content = generated()
    write(store / "small", {**contents, "part0.bin": b"half"})
    folder = catalogue.fetch(dataset_of(contents, server.url))
    assert (folder / "part0.bin").read_bytes() == contents["part0.bin"]
    assert server.asked == ["part0.bin"]


def test_a_killed_download_leaves_nothing_half_written(store, server):
    contents = server.content = generated(files=1)
    server.stalls = {"part0.bin"}
    dataset = dataset_of(contents, server.url)
    code = (
        "import sys, pathlib; from groundup.data import catalogue; from groundup.data.catalogue import Dataset, File\n"
        f"catalogue.cache_folder = lambda: pathlib.Path({str(store)!r})\n"
        f"catalogue.fetch({dataset!r})"
    )
    child = subprocess.Popen([sys.executable, "-c", code])
    assert server.half_sent.wait(60)
    child.kill()
    assert child.wait() != 0
    assert files_under(store / "small") == []
    server.stalls.clear()
    assert (catalogue.fetch(dataset) / "part0.bin").read_bytes() == contents["part0.bin"]


def test_four_at_once_all_get_the_whole_dataset(server):
    contents = server.content = generated()
    dataset = dataset_of(contents, server.url)
    with ThreadPoolExecutor(4) as pool:
        folders = list(pool.map(lambda _: catalogue.fetch(dataset), range(4)))
    assert len(set(folders)) == 1
    assert {name: (folders[0] / name).read_bytes() for name in contents} == contents


def test_without_a_connection_the_message_says_what_to_do(server):
    contents = generated()
    dataset = dataset_of(contents, server.url)
    server.close()
    with pytest.raises(DataError) as caught:
        catalogue.fetch(dataset)
    assert str(caught.value) == (
        "small could not be downloaded: there is no connection to 127.0.0.1. "
        "Connect and try again, or set GROUNDUP_DATA to a folder that holds small/."
    )


def test_a_file_that_has_gone_from_its_address_is_named(server):
    with pytest.raises(DataError, match=r"127\.0\.0\.1 answered 404 for part0\.bin"):
        catalogue.fetch(dataset_of(generated(), server.url))


def test_a_cache_folder_that_cannot_be_made_is_a_clear_error(tmp_path, monkeypatch, server):
    (tmp_path / "file").write_bytes(b"in the way")
    monkeypatch.setattr(catalogue, "cache_folder", lambda: tmp_path / "file" / "cache")
    contents = server.content = generated()
    with pytest.raises(DataError, match=r"could not be downloaded: .*file"):
        catalogue.fetch(dataset_of(contents, server.url))


def test_a_dataset_without_address_says_that_it_comes_from_a_mirror():
    with pytest.raises(DataError) as caught:
        catalogue.fetch("titanic")
    for said in ("mirror only", "GROUNDUP_DATA", "titanic/", "train.csv", "https://www.kaggle.com/c/titanic"):
        assert said in str(caught.value)


# Loading


def idx(values, code=8):
    return bytes([0, 0, code, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape) + values.tobytes()


@pytest.mark.parametrize("seed", range(20))
def test_an_idx_file_gives_back_the_array_it_was_written_from(tmp_path, seed):
    dice = np.random.default_rng(seed)
    values = dice.integers(0, 256, dice.integers(0, 7, dice.integers(1, 5)), np.uint8)
    (tmp_path / "a.gz").write_bytes(gzip.compress(idx(values)))
    read = loading.read_idx(tmp_path / "a.gz")
    assert read.dtype == np.uint8 and read.flags.writeable
    np.testing.assert_array_equal(read, values, strict=True)


def test_an_idx_file_of_another_type_or_length_is_refused(tmp_path):
    good = idx(np.zeros((2, 3), np.uint8))
    for bad in (b"", good[:3], good[:7], good[:-1], good + b"\0", idx(np.zeros(2, np.uint8), code=0x0D), b"\1" + good):
        (tmp_path / "a.gz").write_bytes(gzip.compress(bad))
        with pytest.raises(DataError, match=r"a\.gz"):
            loading.read_idx(tmp_path / "a.gz")


# The real data, where there is a mirror of it


@pytest.fixture
def real_mirror(store, monkeypatch):
    """The mirror named by GROUNDUP_DATA when the tests began, or the one beside the repository."""
    folder = Path(NAMED_MIRROR) if NAMED_MIRROR else REPOSITORY.parent / "shared" / "data"
    if not (folder / "mnist").is_dir():
        pytest.skip(f"no mirror at {folder}")
    monkeypatch.setenv("GROUNDUP_DATA", str(folder))
    return folder


def test_the_catalogue_says_of_the_mirror_what_its_own_list_of_checksums_says(real_mirror):
    lines = (line.split() for line in (real_mirror / "SHA256SUMS").read_text().splitlines())
    listed = {path: digest for digest, path in lines}
    sets = catalogue.catalogue().values()
    assert {f"{one.name}/{file.name}": file.sha256 for one in sets for file in one.files} == listed
    assert all((real_mirror / one.name / file.name).stat().st_size == file.size for one in sets for file in one.files)
    assert {place for _, place in catalogue.status()} == {Place.MIRROR}


def test_mnist_is_the_published_mnist(real_mirror):
    data = loading.mnist()
    shapes = {name: getattr(data, name).shape for name in MNIST_MD5}
    assert shapes == {
        "train_images": (60_000, 28, 28),
        "train_labels": (60_000,),
        "test_images": (10_000, 28, 28),
        "test_labels": (10_000,),
    }
    assert {name: hashlib.md5(idx(getattr(data, name))).hexdigest() for name in MNIST_MD5} == MNIST_MD5


def test_olivetti_faces_stand_upright_and_come_ten_a_person(real_mirror):
    faces, who = loading.olivetti()
    assert faces.shape == (400, 64, 64) and faces.dtype == np.float64
    assert faces.min() == 0 and faces.max() == 1
    assert np.bincount(who).tolist() == [10] * 40
    mean = faces.mean(axis=0)  # (64, 64)

    def alike(other):
        return np.corrcoef(mean.ravel(), other.ravel())[0, 1]

    assert alike(mean[:, ::-1]) > 0.9 > 0.5 > alike(mean[::-1])  # a face is like its mirror image, not head over heels
    flat = faces.reshape(400, -1)
    squares = (flat**2).sum(axis=1)
    distance = squares[:, None] + squares - 2 * flat @ flat.T + np.diag(np.full(400, np.inf))  # (400, 400)
    assert np.mean(who[distance.argmin(axis=1)] == who) > 0.9  # the nearest is of the same person; by chance 9/399


def test_names_and_tinyshakespeare_have_the_counts_that_are_published(real_mirror):
    names, text = loading.names(), loading.tinyshakespeare()
    assert len(names) == 32_033 and names[:3] == ["emma", "olivia", "ava"]
    assert set("".join(names)) == set("abcdefghijklmnopqrstuvwxyz")
    assert len(text) == 1_115_394 and len(set(text)) == 65 and text.startswith("First Citizen:\n")
