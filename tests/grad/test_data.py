"""The order of data, their scale, and warped pictures."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import affine_transform

from groundup.grad.data import Loader, as_features, augment, hold_out, order, pixel_scale, warp


@given(n=st.integers(1, 40), seed=st.integers(0, 2**40), epoch=st.integers(0, 1000))
def test_an_order_is_a_permutation_that_can_be_asked_for_again(n, seed, epoch):
    first = order(n, seed, epoch)
    assert sorted(first.tolist()) == list(range(n))
    np.testing.assert_array_equal(first, order(n, seed, epoch))


def test_orders_differ_by_epoch_and_by_seed_and_no_sum_of_both_decides():
    orders = [tuple(order(50, seed, epoch).tolist()) for seed in range(5) for epoch in range(5)]
    assert len(set(orders)) == 25


@given(
    n=st.integers(1, 30),
    size=st.integers(1, 35),
    shuffle=st.booleans(),
    drop_last=st.booleans(),
    seed=st.integers(0, 100),
)
def test_an_epoch_has_every_sample_once_with_its_label(n, size, shuffle, drop_last, seed):
    images = np.arange(n, dtype=float)[:, None, None] * np.ones((2, 3))
    loader = Loader(images, np.arange(n), size=size, seed=seed, shuffle=shuffle, drop_last=drop_last)
    batches = list(loader.epoch(4))
    seen = [label for _, y in batches for label in y.tolist()]
    assert len(batches) == len(loader)
    assert len(seen) == len(set(seen)) == (n - n % size if drop_last else n)
    assert all((X[:, 0, 0] == y).all() for X, y in batches)
    assert all(len(y) == size for _, y in batches[: n // size])
    if not shuffle:
        assert seen == list(range(len(seen)))


@pytest.mark.parametrize("shuffle", [True, False])
def test_writing_into_a_batch_leaves_the_data_alone(shuffle):
    images = np.ones((5, 2))
    for (X,) in Loader(images, size=2, shuffle=shuffle).epoch(0):
        X[...] = 0
    assert (images == 1).all()


def test_epochs_of_two_loaders_are_alike_whatever_was_asked_before():
    x = np.arange(20)
    one, two = Loader(x, size=6, seed=3), Loader(x, size=6, seed=3)
    list(one.epoch(0)), list(one.epoch(1))
    for (a,), (b,) in zip(one.epoch(2), two.epoch(2)):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Loader(size=2),
        lambda: Loader(np.zeros(3), np.zeros(4), size=2),
        lambda: Loader(np.zeros(3), size=0),
        lambda: hold_out(1, 0.5, np.random.default_rng(0)),
        lambda: hold_out(4, 0.9, np.random.default_rng(0)),
    ],
)
def test_what_makes_no_sense_is_refused(make):
    with pytest.raises(ValueError):
        make()


@given(n=st.integers(3, 60), share=st.floats(0.01, 0.6), seed=st.integers(0, 100))
def test_rows_held_out_and_trained_on_are_all_rows_and_share_none(n, share, seed):
    train, valid = hold_out(n, share, np.random.default_rng(seed))
    assert sorted([*train.tolist(), *valid.tolist()]) == list(range(n))
    assert len(valid) == max(1, round(share * n))
    assert (np.diff(train) > 0).all() and (np.diff(valid) > 0).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_the_scale_of_pixels_is_worked_out_in_float64(dtype):
    images = np.random.default_rng(0).integers(0, 200, (2500, 3, 2)).astype(dtype)
    exact = images.astype(np.longdouble)
    np.testing.assert_allclose(pixel_scale(images), (exact.mean(), exact.std()), rtol=1e-13)


def test_equal_pixels_have_a_deviation_that_can_be_divided_by():
    assert pixel_scale(np.full((4, 2, 2), 9, np.uint8)) == (9.0, 1.0)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_features_have_mean_0_and_deviation_1_on_their_own_scale_and_leave_the_images_alone(dtype):
    images = np.random.default_rng(0).integers(0, 256, (50, 7, 5)).astype(dtype)
    before = images.copy()
    rows = as_features(images, *pixel_scale(images))
    assert rows.shape == (50, 35) and rows.dtype == np.float32
    np.testing.assert_allclose((rows.mean(), rows.std()), (0, 1), atol=1e-5)
    np.testing.assert_array_equal(images, before)


@given(
    n=st.integers(1, 3), h=st.integers(1, 9), w=st.integers(1, 9), size=st.floats(0, 3), seed=st.integers(0, 2**32 - 1)
)
def test_a_warp_equals_scipys(n, h, w, size, seed):
    rng = np.random.default_rng(seed)
    images, matrices, shifts = rng.random((n, h, w)), size * rng.normal(size=(n, 2, 2)), rng.normal(size=(n, 2))
    centre = np.array([h - 1, w - 1]) / 2
    expected = [
        affine_transform(image, m, offset=centre + s - m @ centre, order=1, mode="grid-constant")
        for image, m, s in zip(images, matrices, shifts)
    ]
    np.testing.assert_allclose(warp(images, matrices, shifts), expected, atol=1e-4)


def test_a_warp_in_several_parts_equals_one_image_after_the_other():
    rng = np.random.default_rng(0)
    images, shifts = rng.integers(0, 256, (75, 28, 28), dtype=np.uint8), rng.normal(size=(75, 2))
    matrices = np.eye(2) + 0.2 * rng.normal(size=(75, 2, 2))
    one_by_one = [warp(images[i : i + 1], matrices[i : i + 1], shifts[i : i + 1])[0] for i in range(75)]
    np.testing.assert_array_equal(warp(images, matrices, shifts), one_by_one)


def test_the_identity_changes_nothing_and_a_quarter_turn_is_rot90():
    images = np.random.default_rng(0).random((4, 6, 6)).astype(np.float32)
    still = np.tile(np.eye(2), (4, 1, 1))
    np.testing.assert_array_equal(warp(images, still, np.zeros((4, 2))), images)
    quarter = np.tile([[0.0, 1.0], [-1.0, 0.0]], (4, 1, 1))
    np.testing.assert_allclose(warp(images, quarter, np.zeros((4, 2))), np.rot90(images, axes=(1, 2)), atol=1e-6)


def test_a_picture_far_outside_is_empty():
    assert not warp(np.ones((1, 3, 3)), np.eye(2)[None], np.array([[1e9, 0.0]])).any()


@given(shift=st.floats(0, 3), turn=st.floats(0, 20), zoom=st.floats(0, 0.3), seed=st.integers(0, 1000))
def test_augmented_images_stay_within_the_greys_of_the_image_and_follow_from_the_generator(shift, turn, zoom, seed):
    images = np.random.default_rng(1).integers(0, 256, (3, 8, 6), dtype=np.uint8)
    first, again = (augment(images, np.random.default_rng(seed), shift, turn, zoom) for _ in range(2))
    assert first.shape == images.shape and first.dtype == np.float32
    assert first.min() >= 0 and first.max() <= images.max() + 1e-3
    np.testing.assert_array_equal(first, again)


def test_without_any_bounds_to_use_an_image_is_left_as_it_is():
    images = np.random.default_rng(0).random((5, 7, 7)).astype(np.float32)
    np.testing.assert_allclose(augment(images, np.random.default_rng(0), 0, 0, 0), images, atol=1e-6)


def test_a_dot_is_moved_by_no_more_than_the_shift_and_each_in_its_own_way():
    images = np.zeros((200, 15, 15))
    images[:, 7, 7] = 1
    moved = augment(images, np.random.default_rng(0), shift=3.0, turn=0.0, zoom=0.0)
    where = np.arange(15) - 7
    rows, columns = (moved.sum(axis=2) @ where, moved.sum(axis=1) @ where)  # its centre of mass
    assert 2.7 < max(np.abs(rows).max(), np.abs(columns).max()) < 3.0001
    assert len(np.unique(rows.round(4))) > 190 and abs(np.corrcoef(rows, columns)[0, 1]) < 0.3
