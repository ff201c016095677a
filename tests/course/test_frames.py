"""The frames: every value of ours crosses unchanged, and whatever else arrives is a FrameError and nothing worse."""

import json
import math
import socket
import string
import threading

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from groundup.course.sandbox import frames
from groundup.course.sandbox.frames import FrameError, Opaque, decode, encode

DTYPES = [np.dtype(char) for char in sorted(frames.TYPES)]
dtypes = st.sampled_from(DTYPES) | st.sampled_from([d.newbyteorder(">") for d in DTYPES])
arrays = dtypes.flatmap(lambda d: hnp.arrays(d, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)))
scalars = st.sampled_from(DTYPES).flatmap(lambda d: hnp.from_dtype(d)).filter(lambda x: isinstance(x, np.generic))
floats = st.floats(allow_nan=True, allow_infinity=True)
plain = st.none() | st.booleans() | st.integers() | floats | st.complex_numbers() | st.text() | st.characters()
keys = st.none() | st.booleans() | st.integers() | st.text() | st.tuples(st.integers(), st.text())
values = st.recursive(
    plain | arrays | scalars,
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(keys, inner),
    max_leaves=12,
)


def same(a, b):
    """Equal in type, and to the last bit: NaN equals NaN, and 0.0 is not -0.0."""
    if isinstance(a, np.generic) and isinstance(b, np.generic):
        a, b = np.asarray(a), np.asarray(b)  # NumPy has two names for some widths: ulonglong, uint64
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        native = a.dtype.newbyteorder("=")
        return a.shape == b.shape and b.dtype == native and np.asarray(a, native).tobytes() == b.tobytes()
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float):
        return (math.isnan(a) and math.isnan(b)) or (a == b and math.copysign(1, a) == math.copysign(1, b))
    if isinstance(a, complex):
        return same(a.real, b.real) and same(a.imag, b.imag)
    return a == b


def framed(header, buffers=b""):
    """A frame of any header, well formed or not."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return frames.PREFIX.pack(frames.MAGIC, len(text), len(buffers)) + text + buffers


def through_a_socket(data):
    """What `receive` makes of these bytes and the end of the stream."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        writer = threading.Thread(target=lambda: (theirs.sendall(data), theirs.shutdown(socket.SHUT_WR)))
        writer.start()
        try:
            ours.settimeout(30)
            return frames.receive(ours)
        finally:
            ours.close()
            writer.join()


# What crosses --------------------------------------------------------------------------------------------------------


@given(values)
@settings(deadline=None)
@example([math.nan, math.inf, -math.inf, -0.0, 5e-324, 2**63, -(2**63), 2**64 - 1, complex(math.nan, -0.0)])
@example({"": (), None: [], True: {}, (1, "a"): "\x00\ud800\U0010ffff"})
def test_a_value_crosses_unchanged(value):
    assert same(value, decode(encode(value)))


@given(values, st.lists(st.integers(1, 40), min_size=1, max_size=5))
@settings(deadline=None, max_examples=30)
def test_a_frame_may_arrive_in_pieces(value, sizes):
    data, at = encode(value), 0
    ours, theirs = socket.socketpair()
    with ours, theirs:

        def write():
            nonlocal at
            while at < len(data):
                size = sizes[at % len(sizes)]
                theirs.sendall(data[at : at + size])
                at += size

        writer = threading.Thread(target=write)
        writer.start()
        assert same(value, frames.receive(ours))
        writer.join()


@given(arrays.filter(lambda a: a.ndim == 2), st.data())
@settings(deadline=None)
def test_views_cross_as_what_they_show(array, data):
    view = data.draw(
        st.sampled_from([array.T, array[::-1], array[:, ::2], array[1:], np.broadcast_to(array, (2, *array.shape))])
    )
    assert same(np.array(view), decode(encode(view)))


def test_what_arrives_is_a_copy_that_may_be_written():
    got = decode(encode(np.arange(3.0)))
    got[0] = 7.0
    assert got.flags.owndata and got[0] == 7.0


class Text(str):
    pass


class Number(float):
    pass


class Rows(list):
    pass


@pytest.mark.parametrize(
    "thing",
    [
        object(),
        len,
        Text("x"),
        Number(1.0),
        Rows([1]),
        {1},
        frozenset({1}),
        b"x",
        bytearray(1),
        range(3),
        iter([]),
        Opaque("x"),
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_anything_else_crosses_as_the_name_of_its_type(thing):
    got = decode(encode({"value": [thing]}))["value"][0]
    assert type(got) is Opaque and type(thing).__name__ in got.type


@pytest.mark.parametrize(
    "array",
    [
        np.array([object()]),
        np.array(["a"]),
        np.array([b"a"]),
        np.array(["2020"], "M8[D]"),
        np.zeros(2, "f8,i4"),
        np.longdouble(1),
    ],
    ids=lambda array: str(array.dtype),
)
def test_arrays_of_other_things_do_not_cross(array):
    got = decode(encode(array))
    assert type(got) is Opaque and "numpy" in got.type


def test_subclasses_of_arrays_cross_as_plain_arrays():
    class Mine(np.ndarray):
        pass

    assert type(decode(encode(np.zeros(2).view(Mine)))) is np.ndarray


# The caps ------------------------------------------------------------------------------------------------------------


def nested(depth):
    value = 0
    for _ in range(depth):
        value = [value]
    return value


def test_depth_is_capped_alike_on_both_sides():
    deepest = nested(frames.DEPTH_CAP)
    assert decode(encode(deepest)) == deepest
    with pytest.raises(FrameError, match="nested"):
        encode(nested(frames.DEPTH_CAP + 1))
    header = 0
    for _ in range(frames.DEPTH_CAP + 2):
        header = {"$": "list", "items": [header]}
    with pytest.raises(FrameError, match="nested"):
        decode(framed(header))


def test_a_list_in_itself_is_refused():
    endless = []
    endless.append(endless)
    with pytest.raises(FrameError, match="nested"):
        encode(endless)


@pytest.mark.parametrize("sign", [1, -1])
def test_integers_cross_as_long_as_python_prints_them(sign):
    largest = sign * (2**frames.INTEGER_CAP - 1)
    assert decode(encode(largest)) == largest
    assert str(decode(encode(largest)))
    assert decode(encode(sign * 2**frames.INTEGER_CAP)) == Opaque(f"int of {frames.INTEGER_CAP + 1} bits")
    with pytest.raises(FrameError, match="too long"):
        decode(framed({"$": "integer", "hex": "f" * 100_000}))


def test_values_too_large_are_refused_before_they_are_copied():
    with pytest.raises(FrameError, match="64 MiB"):
        encode(np.broadcast_to(1.0, 10**12))
    with pytest.raises(FrameError, match="64 MiB"):
        encode([np.broadcast_to(1.0, 10**6)] * 9)
    with pytest.raises(FrameError, match="16 MiB"):
        encode("x" * (frames.HEADER_CAP + 1))
    with pytest.raises(FrameError, match="16 MiB"):
        encode(["\x00" * 1_000_000] * 3)


@pytest.mark.parametrize("sizes", [(frames.HEADER_CAP + 1, 0), (0, frames.BUFFERS_CAP + 1), (2**32 - 1, 2**64 - 1)])
def test_a_frame_that_announces_too_much_is_refused_unread(sizes):
    with pytest.raises(FrameError, match="larger than a frame may be"):
        through_a_socket(frames.PREFIX.pack(frames.MAGIC, *sizes))


def test_keys_that_collide_are_refused():
    items = [[{"$": "integer", "hex": hex(k * (2**61 - 1))}, 0] for k in range(2 * frames.COLLISIONS)]
    with pytest.raises(FrameError, match="collide"):
        decode(framed({"$": "dict", "items": items}))


def test_a_large_honest_dictionary_crosses():
    pairs = {(i, i + 1): float(i) for i in range(20_000)}
    assert decode(encode(pairs)) == pairs


# What is no frame ------------------------------------------------------------------------------------------------------


def assert_harmless(data, receive=decode):
    """A value, or one of the two errors that the judge reckons with."""
    try:
        receive(data)
    except (FrameError, EOFError):
        return


@given(st.binary(max_size=200))
@settings(deadline=None, max_examples=300)
def test_noise_is_refused(noise):
    with pytest.raises(FrameError):
        decode(noise)
    with pytest.raises((FrameError, EOFError)):
        through_a_socket(noise)


@given(values, st.data())
@settings(deadline=None)
def test_a_truncated_frame_is_refused(value, data):
    frame = encode(value)
    cut = data.draw(st.integers(0, len(frame) - 1))
    with pytest.raises(FrameError):
        decode(frame[:cut])
    with pytest.raises(EOFError):
        through_a_socket(frame[:cut])


@given(values, st.data())
@settings(deadline=None, max_examples=300)
def test_flipped_bits_do_no_harm(value, data):
    frame = bytearray(encode(value))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(frame) - 1))
        frame[at] ^= 1 << data.draw(st.integers(0, 7))
    assert_harmless(bytes(frame))
    assert_harmless(bytes(frame), through_a_socket)


@given(st.binary(max_size=100), st.binary(max_size=50))
@settings(deadline=None, max_examples=300)
def test_a_header_that_is_no_json_does_no_harm(header, buffers):
    assert_harmless(framed(header, buffers))


KINDS = ["list", "tuple", "dict", "array", "float", "integer", "complex", "opaque", "", "passed"]
odd = st.none() | st.booleans() | st.integers() | st.integers(-(10**40), 10**40) | floats | st.text(max_size=5)
odd_texts = st.sampled_from(
    ["<f8", "|b1", "|O8", "<U3", "<M8[D]", ">i4", "<f3", "f8,(", "f8", "0x1p99999", "nan", "-0xff", "0x"]
)
json_like = st.recursive(
    odd | odd_texts,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(string.ascii_letters, max_size=3), inner, max_size=3)
        | st.fixed_dictionaries(
            {"$": st.sampled_from(KINDS) | inner},
            optional={
                **{name: inner for name in ("items", "hex", "type", "parts", "scalar", "at")},
                "items": st.lists(st.lists(inner, max_size=3), max_size=3) | inner,
                "dtype": odd_texts | inner,
                "shape": st.lists(st.integers(-2, 2**70), max_size=3) | inner,
            },
        )
    ),
    max_leaves=10,
)


@given(json_like, st.binary(max_size=32))
@settings(deadline=None, max_examples=800)
@example({"$": "float", "hex": "0x1p99999"}, b"")
@example({"$": "array", "dtype": "<f8", "shape": [0, 2**80], "scalar": False, "at": 0}, b"")
@example({"$": "array", "dtype": "f8,(", "shape": [1], "scalar": False, "at": 0}, b"")
@example({"$": "array", "dtype": "|O8", "shape": [1], "scalar": False, "at": 0}, b"\0" * 8)
@example({"$": "array", "dtype": "|b1", "shape": [1], "scalar": True, "at": 0}, b"\xff")
@example({"$": "dict", "items": [[{"$": "list", "items": []}, 0]]}, b"")
@example({"$": "complex", "parts": [1, 2, 3]}, b"")
@example({"$": ["list"], "items": []}, b"")
def test_a_header_of_the_wrong_form_does_no_harm(header, buffers):
    assert_harmless(framed(header, buffers))


@pytest.mark.parametrize(
    "text", [b"[" * 200_000, b'{"$":' * 200_000, b"1" * 100_000, b"\xff\xfe[\x00", b"-", b'"\\ud8']
)
def test_json_that_would_overflow_or_stall_is_refused(text):
    with pytest.raises(FrameError):
        decode(framed(text))


def test_an_array_never_reads_past_its_frame():
    header = {"$": "array", "dtype": "<f8", "shape": [3], "scalar": False, "at": 0}
    assert decode(framed(header, bytes(24))).tolist() == [0.0, 0.0, 0.0]
    for count in (0, 8, 23):
        with pytest.raises(FrameError, match="longer than its frame"):
            decode(framed(header, bytes(count)))


@pytest.mark.parametrize("shape", [[-1], [2, -2], [2**31, 2**31, 2**31], [1] * 100, [0, 2**80]])
def test_arrays_of_impossible_shape_are_refused(shape):
    with pytest.raises(FrameError):
        decode(framed({"$": "array", "dtype": "<f8", "shape": shape, "scalar": False, "at": 0}, bytes(8)))
