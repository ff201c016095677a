"""The fifty drills as a whole: identities between them, odd memory layouts, and that the count of steps sees every loop."""

import inspect
import math
import types

import numpy as np
import pytest

from groundup.course.lessons.draw import SeededDraw
from groundup.course.lessons.lesson import lessons_root
from groundup.drills import arrays

CHECKS = lessons_root() / "01-gradients" / "01-arrays-and-broadcasting" / "checks.py"
SEEDS = range(5)


@pytest.fixture(scope="module")
def checks():
    module = types.ModuleType("checks_1_1")
    exec(compile(CHECKS.read_text(encoding="utf-8"), str(CHECKS), "exec"), vars(module))
    return module


def public():
    return [
        name
        for name, value in vars(arrays).items()
        if inspect.isfunction(value) and value.__module__ == arrays.__name__
    ]


def test_there_are_fifty_drills_each_documented_and_each_asked_for(checks):
    assert len(public()) == 50
    assert all(inspect.getdoc(getattr(arrays, name)) for name in public())
    assert public() == list(checks.DRAWN)


@pytest.mark.parametrize("seed", SEEDS)
def test_windows_diagonals_and_blocks_follow_strides_that_are_not_contiguous(seed):
    x = np.random.default_rng(seed).normal(size=20)[::-2]
    windows = arrays.sliding_windows(x, 4)
    assert np.array_equal(windows, np.lib.stride_tricks.sliding_window_view(x, 4))
    assert np.shares_memory(windows, x)
    A = np.random.default_rng(seed).normal(size=(6, 8))[:4, ::2].T
    arrays.diagonal_view(A)[:] = 7.0
    assert np.array_equal(np.diagonal(A), np.full(4, 7.0))


@pytest.mark.parametrize("shape", [(1,), (3, 4), (2, 1, 5), (4, 3, 2, 6)])
def test_row_major_strides_are_those_of_a_new_array(shape):
    for dtype in (np.float64, np.float32, np.int8):
        assert arrays.row_major_strides(shape, np.dtype(dtype).itemsize) == np.empty(shape, dtype).strides


@pytest.mark.parametrize("seed", SEEDS)
def test_composing_maps_is_multiplying_their_homogeneous_matrices(seed):
    rng = np.random.default_rng(seed)
    W2, b2, W1, b1, X = (rng.normal(size=s) for s in ((3, 5), (3,), (5, 2), (5,), (7, 2)))
    W, b = arrays.composed(W2, b2, W1, b1)
    product = arrays.homogeneous(W2, b2) @ arrays.homogeneous(W1, b1)
    np.testing.assert_allclose(arrays.homogeneous(W, b), product, atol=1e-12)
    twice = arrays.affine_batch(W2, b2, arrays.affine_batch(W1, b1, X))
    np.testing.assert_allclose(arrays.affine_batch(W, b, X), twice, atol=1e-12)


@pytest.mark.parametrize("scale", [1.0, 1e3, 1e300])
def test_softmax_rows_are_shares_at_any_scale_and_agree_with_log_sum_exp(scale):
    A = np.random.default_rng(0).normal(size=(6, 5)) * scale
    shares = arrays.softmax(A)
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, atol=1e-12)
    np.testing.assert_allclose(shares, np.exp(A - arrays.log_sum_exp(A)[:, None]), atol=1e-12 * max(1.0, scale))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_permutation_undone_is_the_identity(seed):
    p = np.random.default_rng(seed).permutation(9)
    assert np.array_equal(p[arrays.inverse_permutation(p)], np.arange(9))
    assert np.array_equal(arrays.inverse_permutation(arrays.inverse_permutation(p)), p)


@pytest.mark.parametrize("seed", SEEDS)
def test_group_means_times_group_sizes_add_up_to_the_sum(seed):
    rng = np.random.default_rng(seed)
    values, groups = rng.normal(size=30), rng.integers(0, 6, 30)
    sizes = arrays.confusion_matrix(groups, groups, 6).diagonal()
    assert math.isclose(arrays.group_means(values, groups, 6) @ sizes, values.sum(), abs_tol=1e-10)


def test_no_drill_takes_more_steps_on_larger_arrays(checks):
    for name, draw in checks.DRAWN.items():
        do = getattr(arrays, name)
        do(**draw(SeededDraw(1), *checks.SMALL))
        few, many = (checks.steps(do, draw(SeededDraw(1), *sides)) for sides in (checks.SMALL, checks.LARGE))
        assert many == few, name


def test_every_slow_definition_is_seen_to_loop(checks):
    for name, draw in checks.DRAWN.items():
        if name != "row_major_strides":  # it loops over the axes of a shape, which are three at any size
            few, many = (
                checks.steps(checks.MEANING[name], draw(SeededDraw(1), *sides))
                for sides in (checks.SMALL, checks.LARGE)
            )
            assert many > few + checks.SLACK, name


def with_recursion(x):
    return x[:1] if len(x) == 1 else np.append(x[:1] * 2, with_recursion(x[1:]))


def with_while(x):
    i, doubled = 0, np.empty(len(x))
    while i < len(x):
        doubled[i] = 2 * x[i]
        i += 1
    return doubled


LOOPS = {
    "for": lambda x: [2 * v for v in x],
    "while": with_while,
    "recursion": with_recursion,
    "generator": lambda x: np.fromiter((2 * v for v in x), float),
    "range": lambda x: np.array([2 * x[i] for i in range(len(x))]),
    "np.vectorize": lambda x: np.vectorize(lambda v: 2 * v)(x),
    "np.frompyfunc": lambda x: np.frompyfunc(lambda v: 2 * v, 1, 1)(x),
    "np.apply_along_axis": lambda x: np.apply_along_axis(np.sum, 1, x[:, None]),
    "map and lambda": lambda x: list(map(lambda v: 2 * v, x.tolist())),
    "map and a builtin": lambda x: list(map(float, x)),
    "the builtin sum": lambda x: sum(x),
    "sum of a part": lambda x: math.fsum(x[1:] * 2),
    "np.nditer": lambda x: [float(v) for v in np.nditer(x)],
}


@pytest.mark.parametrize("way", LOOPS)
def test_a_loop_is_seen_in_whatever_way_it_is_written(checks, way):
    few, many = (checks.steps(LOOPS[way], {"x": np.arange(float(n))}) for n in (4, 24))
    assert many > few + checks.SLACK
