"""The comparison: nothing is broadcast, shape and dtype come before values, and the tolerance is NumPy's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from groundup.course.judging.compare import difference
from groundup.course.sandbox.frames import Opaque

floats = st.floats(allow_nan=True, allow_infinity=True, width=64)
arrays = hnp.arrays(np.float64, hnp.array_shapes(max_dims=3, max_side=4), elements=floats)
leaves = arrays | floats | st.integers(-(2**40), 2**40) | st.text(max_size=3) | st.none() | st.booleans()
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3)
)


@given(values)
@settings(deadline=None)
def test_a_value_does_not_differ_from_itself(value):
    assert difference(value, value, 0.0, 0.0) is None


@given(arrays, st.floats(1e-12, 1e-3), st.data())
@settings(deadline=None)
def test_the_tolerance_is_numpys(expected, tolerance, data):
    noise = data.draw(hnp.arrays(np.float64, expected.shape, elements=st.floats(-1e-2, 1e-2)))
    with np.errstate(all="ignore"):
        got = expected + noise
        close = bool(np.isclose(got, expected, rtol=tolerance, atol=tolerance, equal_nan=True).all())
    assert (difference(expected, got, tolerance, tolerance) is None) == close


@given(arrays, hnp.array_shapes(max_dims=3, max_side=4))
@settings(deadline=None)
def test_another_shape_is_a_wrong_shape_even_where_it_would_broadcast(expected, shape):
    got = np.zeros(shape)
    found = difference(expected, got, np.inf, 0.0)
    if shape != expected.shape:
        assert found is not None and found.kind == "wrong-shape"


@pytest.mark.parametrize(
    ("expected", "got", "kind"),
    [
        (np.ones(3), 1.0, "wrong-shape"),
        (1.0, np.ones(1), "wrong-shape"),
        (np.ones((2, 1)), np.ones((1, 2)), "wrong-shape"),
        (np.ones(3), [1.0, 1.0, 1.0], "wrong-shape"),
        ([1.0, 2.0], [1.0], "wrong-shape"),
        ({"a": 1.0}, {"b": 1.0}, "wrong-shape"),
        (1.0, None, "wrong-shape"),
        (1.0, "1.0", "wrong-shape"),
        (1.0, Opaque("mine.Value"), "wrong-shape"),
        (np.ones(2), np.ones(2, dtype=np.float32), "wrong-dtype"),
        (np.ones(2), np.ones(2, dtype=int), "wrong-dtype"),
        (np.ones(2, dtype=bool), np.ones(2), "wrong-dtype"),
        (True, 1, "wrong-dtype"),
        (np.ones(2), np.array([1.0, np.nan]), "not-finite"),
        (1.0, float("inf"), "not-finite"),
        (np.array([np.inf]), np.array([-np.inf]), "wrong-value"),
        (np.array([np.nan]), np.array([0.0]), "wrong-value"),
        ("a", "b", "wrong-value"),
        (None, 0.0, "wrong-value"),
        (3, 4, "wrong-value"),
    ],
)
def test_what_kind_of_difference(expected, got, kind):
    found = difference(expected, got, 1e-9, 1e-9)
    assert found is not None and found.kind == kind


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        (1.0, np.float64(1.0)), (1.0, 1), (2, 2.0), (np.float64(1.0), 1.0), (1.0, np.array(1.0)),
        (np.ones(2, dtype=np.int64), np.ones(2, dtype=np.int32)), ((1.0, 2.0), [1.0, 2.0]), (True, np.bool_(True)),
    ],
)  # fmt: skip
def test_what_is_the_same_though_its_type_is_not(expected, got):
    assert difference(expected, got, 1e-9, 1e-9) is None


def test_the_first_wrong_entry_is_named():
    expected = np.zeros((2, 3))
    got = expected.copy()
    got[1, 2] = 5.0
    found = difference({"w": [expected]}, {"w": [got]}, 1e-9, 1e-9)
    assert found is not None and found.index == (1, 2) and found.path == "['w'][0]"


@pytest.mark.parametrize("expected", [np.inf, -np.inf])
@pytest.mark.parametrize("got", [0.0, 1e300, np.nan])
def test_an_infinity_is_not_within_reach_of_a_number(expected, got):
    assert difference(expected, got, 1e-9, 1e-9) is not None
    assert difference(np.array([expected]), np.array([got]), 1e-9, 1e-9) is not None
    assert difference(expected, expected, 1e-9, 1e-9) is None
