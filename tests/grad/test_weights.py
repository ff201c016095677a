"""Weights in files: what the `safetensors` package writes is read and the other way round, and nothing but ValueError for the rest."""

import contextlib
import json
import os

import numpy as np
import pytest

from groundup.grad import weights

RNG = np.random.default_rng(0)
DTYPES = sorted(weights.DTYPES.values(), key=str)
ARRAYS = {
    "layers.0.weight": RNG.standard_normal((3, 4)),
    "layers.0.bias": RNG.standard_normal(4).astype(np.float32),
    "a number": np.array(3.5),
    "nothing": np.zeros((0, 3)),
    "ids": np.arange(5),
    "mask": np.array([[True], [False]]),
    "größe": np.ones((1, 1, 1), np.float16),
}


def same(found, expected):
    assert list(found) == list(expected)
    for name, array in expected.items():
        assert found[name].dtype == array.dtype and found[name].shape == array.shape, name
        np.testing.assert_array_equal(found[name], array)


def file_of(header, body=b"", length=None):
    """A safetensors file with any header; what is no bytes is written as JSON."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + body


def entry(shape=(2,), place=(0, 16), dtype="F64"):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(place)}


@pytest.mark.parametrize("ending", ["safetensors", "npz"])
def test_what_is_saved_is_loaded(tmp_path, ending):
    path = tmp_path / f"model.{ending}"
    weights.save(path, ARRAYS)
    found = weights.load(path)
    same(found, ARRAYS)
    for array in found.values():
        array[...] = 0  # one's own, to be written into
    same(weights.load(str(path)), ARRAYS)
    weights.save(path, {})
    assert weights.load(path) == {}


@pytest.mark.parametrize("ending", ["safetensors", "npz"])
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_every_dtype_comes_back_whatever_the_order_of_bytes_and_of_axes(tmp_path, dtype, ending):
    array = (RNG.uniform(0, 2, (4, 3)) * 60).astype(dtype)
    for given_ in (
        array,
        array.astype(dtype.newbyteorder(">")),
        np.asfortranarray(array),
        array[::-2, 1:],
        array[0, 0],
    ):
        weights.save(tmp_path / f"model.{ending}", {"x": given_})
        np.testing.assert_array_equal(weights.load(tmp_path / f"model.{ending}")["x"], given_)


def test_the_safetensors_package_reads_what_is_written_and_writes_what_is_read(tmp_path):
    theirs = pytest.importorskip("safetensors.numpy", reason="safetensors is an extra, and is not installed here")
    weights.save(tmp_path / "ours.safetensors", ARRAYS)
    found = theirs.load_file(tmp_path / "ours.safetensors")
    same({name: found[name] for name in ARRAYS}, ARRAYS)
    theirs.save_file(ARRAYS, tmp_path / "theirs.safetensors", metadata={"written by": "another"})
    found = weights.load(tmp_path / "theirs.safetensors")
    same({name: found[name] for name in ARRAYS}, ARRAYS)
    assert found.keys() == ARRAYS.keys()


@pytest.mark.parametrize("ending", ["safetensors", "npz"])
def test_a_file_that_was_cut_anywhere_is_no_file(tmp_path, ending):
    path = tmp_path / f"model.{ending}"
    weights.save(path, {"w": np.arange(3.0), "b": np.ones(2, np.float32)})
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=f"model.{ending} is not a whole .{ending} file"):
            weights.load(path)
    if ending == "safetensors":
        path.write_bytes(whole + b"\0")
        with pytest.raises(ValueError, match="it goes on behind its arrays"):
            weights.load(path)


BROKEN = {
    "nothing at all": b"",
    "a header longer than the file": file_of({}, length=3),
    "a header of 2^63 bytes": file_of({}, length=2**63),
    "a header of 2^64 - 1 bytes": file_of({}, length=2**64 - 1),
    "no JSON": file_of(b"{nothing}"),
    "no text": file_of(b'{"\xff": 1}'),
    "half a table": file_of(b'{"a": '),
    "a list": file_of([]),
    "a number": file_of(b"1"),
    "space in front": file_of(b" {}"),
    "another encoding": file_of(json.dumps({"a": entry((0,), (0, 0))}).encode("utf-16")),
    "nested without end": file_of(b'{"a":' + b"[" * 100_000),
    "nested deep, and closed": file_of(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "a name twice": file_of(b'{"a":%s,"a":%s}' % ((json.dumps(entry((0,), (0, 0))).encode(),) * 2)),
    "an entry that is a number": file_of({"a": 5}),
    "an entry that is a list": file_of({"a": [1, 2]}),
    "an entry that is null": file_of({"a": None}),
    "an empty entry": file_of({"a": {}}),
    "no dtype": file_of({"a": {"shape": [2], "data_offsets": [0, 16]}}, bytes(16)),
    "no shape": file_of({"a": {"dtype": "F64", "data_offsets": [0, 16]}}, bytes(16)),
    "no place": file_of({"a": {"dtype": "F64", "shape": [2]}}, bytes(16)),
    "a dtype that is unknown": file_of({"a": entry(dtype="F65")}, bytes(16)),
    "a dtype that is not read": file_of({"a": entry((8,), dtype="BF16")}, bytes(16)),
    "a dtype that is a number": file_of({"a": entry(dtype=64)}, bytes(16)),
    "a dtype that is a list": file_of({"a": entry(dtype=["F64"])}, bytes(16)),
    "a dtype of NumPy's": file_of({"a": entry(dtype="<f8")}, bytes(16)),
    "another dtype than the bytes": file_of({"a": entry(dtype="F32")}, bytes(16)),
    "a shape that is a number": file_of({"a": entry() | {"shape": 2}}, bytes(16)),
    "a shape that is a text": file_of({"a": entry() | {"shape": "2"}}, bytes(16)),
    "a shape of texts": file_of({"a": entry(("2",))}, bytes(16)),
    "a shape of fractions": file_of({"a": entry((2.0,))}, bytes(16)),
    "a shape of truths": file_of({"a": entry((True,), (0, 8))}, bytes(8)),
    "a negative shape": file_of({"a": entry((-2,))}, bytes(16)),
    "two negative sides": file_of({"a": entry((-1, -2))}, bytes(16)),
    "a side beyond all": file_of({"a": entry((2**70,))}, bytes(16)),
    "sides beyond all": file_of({"a": entry((2**62, 2**62))}, bytes(16)),
    "nothing of a side beyond all": file_of({"a": entry((0, 2**62, 2**62), (0, 0))}),
    "nothing of a side beyond that": file_of({"a": entry((0, 10**30), (0, 0))}),
    "a thousand axes": file_of({"a": entry((1,) * 1000, (0, 8))}, bytes(8)),
    "sixty-five axes": file_of({"a": entry((1,) * 65, (0, 8))}, bytes(8)),
    "a place of one": file_of({"a": entry(place=(0,))}, bytes(16)),
    "a place of three": file_of({"a": entry(place=(0, 16, 16))}, bytes(16)),
    "a place of texts": file_of({"a": entry(place=("0", "16"))}, bytes(16)),
    "a place that is null": file_of({"a": entry() | {"data_offsets": None}}, bytes(16)),
    "a place of fractions": file_of({"a": entry(place=(0.0, 16.0))}, bytes(16)),
    "a place that does not exist": file_of({"a": entry(place=(float("nan"), float("inf")))}, bytes(16)),
    "a place before the body": file_of({"a": entry(place=(-16, 0))}, bytes(16)),
    "a place behind the body": file_of({"a": entry(place=(0, 16))}, bytes(15)),
    "a place far behind the body": file_of({"a": entry((2**40,), (0, 2**43))}, bytes(16)),
    "a place from back to front": file_of({"a": entry(place=(16, 0))}, bytes(16)),
    "too few bytes for the shape": file_of({"a": entry(place=(0, 8))}, bytes(8)),
    "too many bytes for the shape": file_of({"a": entry(place=(0, 24))}, bytes(24)),
    "two in one place": file_of({"a": entry(), "b": entry()}, bytes(16)),
    "two that overlap": file_of({"a": entry(), "b": entry(place=(8, 24))}, bytes(24)),
    "a hole in front": file_of({"a": entry(place=(8, 24))}, bytes(24)),
    "a hole between two": file_of({"a": entry(), "b": entry(place=(24, 40))}, bytes(40)),
    "a hole behind": file_of({"a": entry()}, bytes(17)),
    "bytes without arrays": file_of({}, bytes(1)),
    "metadata of numbers": file_of({"__metadata__": {"a": 1}}),
    "metadata that are a list": file_of({"__metadata__": []}),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_file_with_this_in_it_gives_a_value_error(tmp_path, what):
    path = tmp_path / "model.safetensors"
    path.write_bytes(BROKEN[what])
    with pytest.raises(ValueError, match=r"model\.safetensors is not a whole"):
        weights.load(path)


def test_the_package_refuses_these_too_but_for_three_on_which_the_format_is_stricter():
    theirs = pytest.importorskip("safetensors.numpy", reason="safetensors is an extra, and is not installed here")
    read = set()
    for what, content in BROKEN.items():
        with contextlib.suppress(Exception):  # of its own class, or NumPy's
            theirs.load(content)
            read.add(what)
    assert read <= {"space in front", "a name twice", "a dtype that is not read"}
    assert theirs.load(file_of({"__metadata__": None})) == {}


def test_metadata_are_passed_over(tmp_path):
    for metadata in ({"written by": "another"}, {}, None):
        (tmp_path / "model.safetensors").write_bytes(file_of({"__metadata__": metadata, "a": entry()}, bytes(16)))
        assert list(weights.load(tmp_path / "model.safetensors")) == ["a"]


@pytest.mark.parametrize("ending", ["safetensors", "npz"])
def test_a_file_in_which_bytes_were_changed_loads_or_gives_a_value_error(tmp_path, ending):
    path, rng = tmp_path / f"model.{ending}", np.random.default_rng(0)
    weights.save(path, {"w": np.arange(3.0), "b": np.ones(2, np.float32)})
    whole, refused = path.read_bytes(), 0
    for i in range(600):
        content = bytearray(whole)
        for place in rng.integers(0, len(content), rng.integers(1, 5)) if i >= len(content) else [i]:
            content[place] = rng.choice([rng.integers(256), content[place] ^ 1, 0, 255, ord("9"), ord('"'), ord("-")])
        path.write_bytes(content)
        try:
            weights.load(path)
        except ValueError as problem:
            assert f"model.{ending} is not a whole" in str(problem)
            refused += 1
    assert refused > 200


def test_empty_arrays_may_lie_anywhere_in_the_header(tmp_path):
    path = tmp_path / "model.safetensors"
    header = {"b": entry((1,), (16, 24)), "none": entry((0, 5), (16, 16)), "a": entry(), "last": entry((0,), (24, 24))}
    path.write_bytes(file_of(header, np.arange(3.0).tobytes()))
    found = weights.load(path)
    assert list(found) == list(header)
    assert found["a"].tolist() == [0.0, 1.0] and found["b"].tolist() == [2.0] and found["none"].shape == (0, 5)


@pytest.mark.parametrize("ending", ["safetensors", "npz"])
def test_what_the_format_does_not_have_is_refused_and_nothing_is_written(tmp_path, ending):
    path = tmp_path / f"model.{ending}"
    weights.save(path, {"w": np.ones(2)})
    with pytest.raises(ValueError):
        weights.save(path, {"w": np.zeros(2), "x": np.array([object()])})
    if ending == "safetensors":
        for arrays in ({"x": np.array(["text"])}, {"x": np.ones(2, complex)}, {"__metadata__": np.ones(2)}):
            with pytest.raises(ValueError, match="has no place in a safetensors file"):
                weights.save(path, arrays)
    assert weights.load(path)["w"].tolist() == [1.0, 1.0]
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_names_that_are_arguments_of_numpys_own_function_are_names(tmp_path):
    arrays = {name: np.ones(1) for name in ("file", "args", "allow_pickle", "kwds")}
    weights.save(tmp_path / "model.npz", arrays)
    same(weights.load(tmp_path / "model.npz"), arrays)
    with np.load(tmp_path / "model.npz") as file:
        assert set(file.files) == set(arrays)


def test_what_numpy_writes_is_read_and_a_pickle_is_not(tmp_path):
    path = tmp_path / "model.npz"
    for write in (np.savez, np.savez_compressed):
        write(path, a=ARRAYS["layers.0.weight"], b=ARRAYS["ids"])
        same(weights.load(path), {"a": ARRAYS["layers.0.weight"], "b": ARRAYS["ids"]})
    np.savez(path, a=np.array([{"an": "object"}]))
    with pytest.raises(ValueError, match=r"is not a whole \.npz file"):
        weights.load(path)
    np.save(tmp_path / "one.npy", np.ones(2))
    os.replace(tmp_path / "one.npy", path)
    with pytest.raises(ValueError, match=r"is not a whole \.npz file"):
        weights.load(path)


@pytest.mark.parametrize("ending", ["", ".pt", ".safetensors.part", ".NPZ"])
def test_another_ending_is_refused(tmp_path, ending):
    for call in (lambda path: weights.save(path, ARRAYS), weights.load):
        with pytest.raises(ValueError, match="ends neither in"):
            call(tmp_path / f"model{ending}")


@pytest.mark.parametrize("moment", ["fsync", "replace"])
@pytest.mark.parametrize("ending", ["safetensors", "npz"])
def test_a_disk_that_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path, monkeypatch, ending, moment):
    path = tmp_path / f"model.{ending}"
    weights.save(path, {"w": np.ones(2)})
    before = path.read_bytes()

    def fail(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr(os, moment, fail)
    with pytest.raises(OSError, match="no space"):
        weights.save(path, {"w": np.zeros(1000)})
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_the_file_is_on_the_disk_before_it_takes_its_name(tmp_path, monkeypatch):
    order = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda file: (order.append("fsync"), fsync(file)))
    monkeypatch.setattr(os, "replace", lambda a, b: (order.append("replace"), replace(a, b)))
    weights.save(tmp_path / "model.safetensors", ARRAYS)
    assert order == ["fsync", "replace"]


def test_the_header_begins_on_a_brace_and_the_arrays_on_a_multiple_of_eight(tmp_path):
    for name in ("w", "ww", "a longer name"):
        weights.save(tmp_path / "model.safetensors", {name: np.ones(2)})
        content = (tmp_path / "model.safetensors").read_bytes()
        length = int.from_bytes(content[:8], "little")
        assert content[8:9] == b"{" and (8 + length) % 8 == 0 and len(content) == 8 + length + 16
