"""Neighbours by product and by tree against sorting everything, and against scikit-learn."""

import numpy as np
import pytest
import sklearn.neighbors as theirs
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from groundup.classic.kdtree import KDTree, bounding_box, squared_distance_to_box
from groundup.classic.neighbors import (
    KNeighborsClassifier,
    KNeighborsRegressor,
    nearest,
    relative_contrast,
    squared_distances,
)

SEEDS = st.integers(0, 2**32 - 1)


def by_sorting(X, queries, k):
    D = np.sqrt(((queries[:, None, :] - X) ** 2).sum(axis=2))
    order = np.argsort(D, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(D, order, axis=1), order


@given(SEEDS)
@settings(max_examples=60, deadline=None)
def test_product_and_tree_find_what_sorting_finds_ties_included(seed):
    rng = np.random.default_rng(seed)
    n, p = rng.integers(1, 120), rng.integers(1, 5)
    X, queries = rng.normal(size=(n, p)), rng.normal(size=(7, p))
    if rng.integers(2):
        X, queries = np.round(X), np.round(queries)
    shift = float(rng.choice([0.0, 2.0**20]))
    k = rng.integers(1, n + 1)
    truth = by_sorting(X + shift, queries + shift, k)
    for found in (
        nearest(X + shift, queries + shift, k),
        KDTree(X + shift, rng.integers(1, 20)).query(queries + shift, k),
    ):
        np.testing.assert_array_equal(found[1], truth[1])
        np.testing.assert_allclose(found[0], truth[0], atol=1e-12)


@pytest.mark.parametrize(
    "kind", ["constant", "copied", "huge", "tiny", "wide", "one", "integers", "read only", "fortran"]
)
def test_tables_of_every_kind(kind):
    rng = np.random.default_rng(0)
    X = rng.normal(size={"wide": (5, 40), "one": (1, 3)}.get(kind, (60, 3)))
    if kind == "constant":
        X[:] = 2.0
    if kind == "copied":
        X[30:] = X[:30]
    if kind in ("huge", "tiny"):
        X = X * (1e8 if kind == "huge" else 1e-150)
    if kind == "integers":
        X = rng.integers(-9, 9, X.shape)
    if kind == "read only":
        X.flags.writeable = False
    if kind == "fortran":
        X = np.asfortranarray(X)
    y, k = np.arange(len(X)) % 3, min(4, len(X))
    truth = by_sorting(np.asarray(X, float), np.asarray(X, float), k)
    for algorithm in ("brute", "kd_tree"):
        model = KNeighborsClassifier(k, algorithm=algorithm, leaf_size=5).fit(X, y)
        distances, indices = model.kneighbors(X)
        np.testing.assert_array_equal(indices, truth[1])
        np.testing.assert_allclose(distances, truth[0], rtol=1e-9)


def test_many_queries_are_cut_into_pieces_that_agree():
    X = np.random.default_rng(1).normal(size=(3000, 4))
    whole, pieces = nearest(X, X, 3), [nearest(X, X[i : i + 1], 3) for i in (0, 1234, 2999)]
    for i, piece in zip((0, 1234, 2999), pieces):
        np.testing.assert_array_equal(whole[1][i], piece[1][0])
    np.testing.assert_allclose(whole[0], theirs.NearestNeighbors(n_neighbors=3).fit(X).kneighbors(X)[0], atol=1e-9)


@pytest.mark.parametrize("weights", ["uniform", "distance", lambda d: np.exp(-d)])
def test_digits_are_classified_as_by_scikit_learn(weights):
    X, y = load_digits(return_X_y=True)
    ours, oracle = (
        kind(weights=weights).fit(X[:900], y[:900]) for kind in (KNeighborsClassifier, theirs.KNeighborsClassifier)
    )
    np.testing.assert_allclose(ours.predict_proba(X[900:]), oracle.predict_proba(X[900:]), atol=1e-9)
    np.testing.assert_array_equal(ours.predict(X), oracle.predict(X))


@pytest.mark.parametrize("weights", ["uniform", "distance"])
def test_numbers_are_predicted_as_by_scikit_learn(weights):
    rng = np.random.default_rng(2)
    X, y = rng.normal(size=(200, 3)), rng.normal(size=200)
    X_new = np.vstack([X[:5], rng.normal(size=(20, 3))])
    ours, oracle = (kind(weights=weights).fit(X, y) for kind in (KNeighborsRegressor, theirs.KNeighborsRegressor))
    np.testing.assert_allclose(ours.predict(X_new), oracle.predict(X_new), atol=1e-10)


@given(SEEDS)
@settings(max_examples=30, deadline=None)
def test_no_sample_in_a_box_is_nearer_than_the_box(seed):
    rng = np.random.default_rng(seed)
    X, queries = rng.normal(size=(6, 3)), 3 * rng.normal(size=(5, 3))
    assert (squared_distance_to_box(queries, bounding_box(X))[:, None] <= squared_distances(queries, X) + 1e-9).all()


def test_copies_of_a_sample_stay_when_it_is_left_out():
    X = np.ones((5, 2))
    indices = KNeighborsRegressor(2).fit(X, np.zeros(5)).kneighbors(return_distance=False)
    assert [sorted(row) for row in indices.tolist()] == [[1, 2], [0, 2], [0, 1], [0, 1], [0, 1]]


def test_contrast_falls_with_the_number_of_dimensions():
    rng = np.random.default_rng(3)
    medians = [np.median(relative_contrast(rng.random((500, p)), rng.random((20, p)))) for p in (1, 3, 10, 100, 1000)]
    assert (np.diff(medians) < 0).all() and medians[-1] < 0.2


@pytest.mark.parametrize(
    "options",
    [{"n_neighbors": 0}, {"n_neighbors": 2.5}, {"weights": "near"}, {"algorithm": "ball"}, {"n_neighbors": 9}],
)
def test_parameters_that_cannot_be_are_named(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        KNeighborsClassifier(**options).fit(np.eye(4), [0, 0, 1, 1]).predict(np.eye(4))
