"""k-means against brute force and scikit-learn, on generated data and at the edges."""

import warnings

import numpy as np
import pytest
import sklearn.cluster
from scipy.spatial.distance import cdist
from sklearn.exceptions import ConvergenceWarning

from groundup.classic.cluster import (
    KMeans,
    assign,
    first_centers,
    inertia,
    kmeans_plusplus,
    lloyd,
    random_centers,
    seeding_probabilities,
    squared_distances,
    update_centers,
)
from groundup.classic.minibatch import MiniBatchKMeans, mini_batch_step


def blobs(seed, k=3, n=60, p=2, apart=6.0):
    """Samples around k places, the places, and from which place each sample is."""
    rng = np.random.default_rng(seed)
    places = apart * rng.standard_normal((k, p))
    labels = np.arange(n) % k
    return places[labels] + rng.standard_normal((n, p)), places, labels


def quietly(model, *args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(*args, **options)


# ------------------------------------------------------------------------------------------------------- the steps


@pytest.mark.parametrize("away", [0.0, 1e3, 1e8, -1e8])
@pytest.mark.parametrize("spread", [1e-3, 1.0, 1e6])
def test_squared_distances_equal_scipys(away, spread):
    rng = np.random.default_rng(0)
    X, centers = rng.standard_normal((300, 5)) * spread + away, rng.standard_normal((7, 5)) * spread + away
    centers[0] = X[0]
    np.testing.assert_allclose(squared_distances(X, centers), cdist(X, centers, "sqeuclidean"), rtol=1e-8, atol=0)


def test_squared_distances_to_a_close_centre_keep_their_digits_beside_an_outlier():
    X = np.array([[1e9], [1.0], [1.0 + 1e-7], [2.0], [3.0]])
    np.testing.assert_allclose(squared_distances(X, X), cdist(X, X, "sqeuclidean"), rtol=1e-8)
    assert np.all(np.diagonal(squared_distances(X, X)) == 0)


@pytest.mark.parametrize("seed", range(20))
def test_assign_takes_the_nearest_centre(seed):
    rng = np.random.default_rng(seed)
    X, centers = rng.standard_normal((rng.integers(1, 5000), rng.integers(1, 6))), None
    centers = rng.standard_normal((rng.integers(1, 300), X.shape[1]))
    np.testing.assert_array_equal(assign(X, centers), cdist(X, centers, "sqeuclidean").argmin(axis=1))


def test_assign_takes_the_lowest_index_at_a_tie_of_integers():
    rng = np.random.default_rng(0)
    for _ in range(30):
        X, centers = rng.integers(-3, 4, (40, 2)).astype(float), rng.integers(-3, 4, (6, 2)).astype(float)
        np.testing.assert_array_equal(assign(X, centers), cdist(X, centers, "sqeuclidean").argmin(axis=1))


@pytest.mark.parametrize("layout", ["F", "strided", "readonly", "single sample"])
def test_assign_and_update_do_not_mind_the_memory_layout(layout):
    X, places, _ = blobs(1)
    expected = cdist(X, places, "sqeuclidean").argmin(axis=1)
    means = np.array([X[expected == j].mean(axis=0) for j in range(3)])
    if layout == "single sample":
        np.testing.assert_array_equal([assign(x[None], places)[0] for x in X], expected)
        return
    other = {"F": np.asfortranarray(X), "strided": np.repeat(X, 2, axis=0)[::2], "readonly": X.copy()}[layout]
    other.flags.writeable = layout != "readonly"
    np.testing.assert_array_equal(assign(other, places), expected)
    np.testing.assert_allclose(update_centers(other, expected, places), means)


@pytest.mark.parametrize("seed", range(10))
def test_no_centre_is_ever_not_finite_and_no_step_raises_the_inertia(seed):
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 4, (30, 2)).astype(float)  # many duplicates
    centers = 30.0 * rng.standard_normal((6, 2))  # most of them empty at first
    last = np.inf
    for _ in range(8):
        labels = assign(X, centers)
        after_assign = inertia(X, centers, labels)
        centers = update_centers(X, labels, centers)
        assert np.all(np.isfinite(centers))
        assert after_assign <= last + 1e-9
        last = inertia(X, centers, assign(X, centers))
        assert last <= after_assign + 1e-9


def test_an_empty_cluster_gets_the_farthest_sample_which_leaves_its_own():
    X = np.array([[-10.0], [-9.5], [-9.0], [-8.5], [-8.0], [-1.0], [1.0], [9.0], [9.5], [10.0]])
    new = update_centers(X, np.zeros(10, dtype=int), np.full((3, 1), -10.0))
    np.testing.assert_allclose(new, [[-36 / 8], [10.0], [9.5]])


def test_a_sample_without_weight_is_no_place_for_an_empty_cluster():
    X = np.array([[0.0], [1.0], [50.0]])
    new = update_centers(X, np.zeros(3, dtype=int), np.zeros((2, 1)), np.array([1.0, 1.0, 0.0]))
    np.testing.assert_allclose(new, [[0.0], [1.0]])


def test_lloyd_changes_neither_the_samples_nor_the_centres():
    X, places, _ = blobs(0)
    X.flags.writeable = places.flags.writeable = False
    labels, centers, _, _ = lloyd(X, places)
    assert not np.may_share_memory(centers, places)
    np.testing.assert_array_equal(labels, assign(X, centers))


# ------------------------------------------------------------------------------------- against scikit-learn, exact


@pytest.mark.parametrize("seed", range(60))
def test_kmeans_from_the_same_start_equals_scikit_learns(seed):
    rng = np.random.default_rng(seed)
    k = int(rng.integers(1, 6))
    X, _, _ = blobs(
        seed, k, n=int(rng.integers(8 * k, 120)), p=int(rng.integers(1, 5)), apart=float(rng.choice([0, 1, 5]))
    )
    init = X[rng.choice(len(X), k, replace=False)] + 1e-3
    weights = None if seed % 2 else rng.integers(1, 5, len(X)).astype(float)
    options = dict(init=init, tol=float(rng.choice([1e-4, 0.0, 0.02])), max_iter=int(rng.choice([300, 1, 3])))
    ours = quietly(KMeans(k, **options), X, sample_weight=weights)
    theirs = quietly(sklearn.cluster.KMeans(k, n_init=1, **options), X, sample_weight=weights)
    np.testing.assert_array_equal(ours.labels_, theirs.labels_)
    np.testing.assert_allclose(ours.cluster_centers_, theirs.cluster_centers_, rtol=1e-10, atol=1e-10)
    assert ours.inertia_ == pytest.approx(theirs.inertia_, rel=1e-10)
    assert ours.n_iter_ == theirs.n_iter_


@pytest.mark.parametrize("seed", range(20))
def test_kmeans_plusplus_draws_what_scikit_learn_draws_from_the_same_bits(seed):
    X, _, _ = blobs(seed, k=4, n=50, p=3)
    weights = np.random.default_rng(seed).random(50)
    ours = kmeans_plusplus(X, 5, sample_weight=weights, random_state=np.random.default_rng(seed))
    bits = np.random.RandomState(np.random.default_rng(seed).bit_generator)
    theirs = sklearn.cluster.kmeans_plusplus(X, 5, sample_weight=weights, random_state=bits)
    np.testing.assert_array_equal(ours[1], theirs[1])
    np.testing.assert_array_equal(ours[0], theirs[0])


def test_the_incremental_sums_of_a_long_run_do_not_drift():
    X = np.random.default_rng(0).standard_normal((5000, 3))
    labels, centers, _, n_iter = lloyd(X, X[:8])
    assert n_iter > 20
    means = np.array([X[labels == j].mean(axis=0) for j in range(8)])
    np.testing.assert_allclose(centers, means, rtol=0, atol=1e-13)


# ------------------------------------------------------------------------------------------------ the beginnings


def test_the_second_centre_is_drawn_in_proportion_to_squared_distance():
    X = np.array([[0.0], [1.0], [3.0], [4.0]])

    class Chosen(np.random.Generator):
        """A generator that says what it is told."""

        def random(self, size=None):
            return self.numbers.pop(0) if size is None else np.array([self.numbers.pop(0) for _ in range(size)])

    steps = 2600
    for first in range(4):
        counts = np.zeros(4)
        for step in range(0, steps, 20):
            generator = Chosen(np.random.PCG64(0))
            generator.numbers = [(first + 0.5) / 4, (step + 0.5) / steps]
            indices = kmeans_plusplus(X, 2, random_state=generator, n_local_trials=1)[1]
            assert indices[0] == first
            counts[indices[1]] += 1
        squared = (X[:, 0] - X[first, 0]) ** 2
        np.testing.assert_allclose(counts / counts.sum(), squared / squared.sum(), atol=0.02)


def test_probabilities_sum_to_one_and_leave_out_what_has_no_weight_or_no_distance():
    closest, weights = np.array([0.0, 2.0, 3.0, 1e-200]), np.array([5.0, 0.0, 1.0, 1.0])
    p = seeding_probabilities(closest, weights)
    assert p.sum() == pytest.approx(1.0)
    assert p[0] == p[1] == 0.0
    np.testing.assert_allclose(seeding_probabilities(np.zeros(4), weights), weights / 7)


@pytest.mark.parametrize("begin", [kmeans_plusplus, random_centers])
def test_a_sample_without_weight_is_never_a_beginning(begin):
    X = np.arange(40.0)[:, None]
    weights = np.where(np.arange(40) % 2, 0.0, 1.0)
    for seed in range(30):
        centers = begin(X, 8, sample_weight=weights, random_state=seed)
        centers = centers[0] if isinstance(centers, tuple) else centers
        assert np.all(centers % 2 == 0)


def test_different_samples_are_begun_with_while_there_are_any():
    X = np.repeat(np.arange(5.0), 4)[:, None]
    for seed in range(20):
        assert len(np.unique(kmeans_plusplus(X, 5, random_state=seed)[0])) == 5
        assert len(np.unique(random_centers(X[::4], 5, random_state=seed))) == 5


def test_kmeans_plusplus_finds_fifteen_clouds_where_random_samples_do_not():
    rng = np.random.default_rng(0)
    places = 10.0 * np.array([(i % 5, i // 5) for i in range(15)])
    X = np.repeat(places, 20, axis=0) + rng.standard_normal((300, 2))
    least = lloyd(X, places)[2]
    careful = [KMeans(15, random_state=seed).fit(X).inertia_ < 1.01 * least for seed in range(20)]
    careless = [
        KMeans(15, init="random", n_init=1, random_state=seed).fit(X).inertia_ < 1.01 * least for seed in range(20)
    ]
    assert sum(careful) >= 15 > 5 >= sum(careless)


# ------------------------------------------------------------------------------------------------- the estimators


def test_more_beginnings_never_end_worse_and_the_seed_decides():
    X, _, _ = blobs(3, k=8, n=120, apart=3.0)
    ends = [KMeans(8, init="random", n_init=n, random_state=5).fit(X).inertia_ for n in (1, 3, 9)]
    assert ends == sorted(ends, reverse=True)
    assert KMeans(8, random_state=4).fit(X).inertia_ == KMeans(8, random_state=4).fit(X).inertia_


@pytest.mark.parametrize("seed", range(5))
def test_a_weight_of_three_counts_like_three_samples(seed):
    X, places, _ = blobs(seed)
    times = np.random.default_rng(seed).integers(0, 4, len(X))
    one, many = (
        KMeans(3, init=places).fit(X, sample_weight=times),
        KMeans(3, init=places).fit(np.repeat(X, times, axis=0)),
    )
    np.testing.assert_allclose(one.cluster_centers_, many.cluster_centers_, atol=1e-9)
    np.testing.assert_array_equal(np.repeat(one.labels_, times), many.labels_)
    assert one.inertia_ == pytest.approx(many.inertia_)


@pytest.mark.parametrize("kind", [KMeans, MiniBatchKMeans])
@pytest.mark.parametrize(
    "change", [lambda X: X + 1e8, lambda X: X * 1e8, lambda X: X * 1e-8, lambda X: X.astype(np.float32)]
)
def test_neither_place_nor_scale_nor_type_changes_the_clusters(kind, change):
    X, places, _ = blobs(2, apart=20.0)
    moved = change(X)
    labels = kind(3, init=change(places), random_state=0).fit(moved).labels_
    np.testing.assert_array_equal(labels, KMeans(3, init=places).fit(X).labels_)


@pytest.mark.parametrize("seed", range(6))
def test_fewer_different_samples_than_clusters_give_warnings_and_no_nan(seed):
    X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 0.0]])
    for init in ("k-means++", "random"):
        with pytest.warns(ConvergenceWarning, match=r"distinct clusters \(3\)"):
            model = KMeans(4, init=init, random_state=seed).fit(X)
        assert model.inertia_ == 0.0
        assert np.all(np.isfinite(model.cluster_centers_))


@pytest.mark.parametrize("X", [np.ones((1, 1)), np.ones((5, 3)), np.arange(6.0)[:, None], np.eye(3, 40)])
def test_a_single_sample_constant_columns_and_more_columns_than_samples(X):
    model = KMeans(1).fit(X)
    np.testing.assert_allclose(model.cluster_centers_[0], X.mean(axis=0))
    assert model.inertia_ == pytest.approx(np.sum((X - X.mean(axis=0)) ** 2))
    assert model.transform(X).shape == (len(X), 1)


def test_what_cannot_be_fitted_is_refused():
    X, places, _ = blobs(0)
    for model, words in [
        (KMeans(61), "n_clusters=61"),
        (KMeans(0), "n_clusters"),
        (KMeans(2, init=places), "does not match the number of clusters"),
        (KMeans(3, init=places[:, :1]), "number of features"),
        (KMeans(3, init="best"), "init"),
        (KMeans(3, n_init=0), "n_init"),
        (KMeans(3, max_iter=0), "max_iter"),
        (KMeans(3, tol=-1.0), "tol"),
        (MiniBatchKMeans(3, batch_size=0), "batch_size"),
        (MiniBatchKMeans(3, reassignment_ratio=2.0), "reassignment_ratio"),
    ]:
        with pytest.raises(ValueError, match=words):
            model.fit(X)
    with pytest.raises(ValueError, match="n_samples"):
        first_centers(X[:2], 3, "random")


# ----------------------------------------------------------------------------------------------------- mini-batches


@pytest.mark.parametrize("seed", range(5))
def test_a_centre_is_the_mean_of_all_that_it_was_given(seed):
    rng = np.random.default_rng(seed)
    centers, counts = rng.standard_normal((3, 2)), np.zeros(3)
    given = [[] for _ in range(3)]
    for _ in range(4):
        X, labels = rng.standard_normal((6, 2)), rng.integers(0, 3, 6)
        centers, counts = mini_batch_step(X, labels, centers, counts)
        for x, j in zip(X, labels):
            given[j].append(x)
    for j in range(3):
        if given[j]:
            np.testing.assert_allclose(centers[j], np.mean(given[j], axis=0))
    np.testing.assert_array_equal(counts, [len(g) for g in given])


def test_partial_fit_from_the_same_start_equals_scikit_learns():
    X, places, _ = blobs(7, n=90)
    ours = MiniBatchKMeans(3, init=places, reassignment_ratio=0.0)
    theirs = sklearn.cluster.MiniBatchKMeans(3, init=places, n_init=1, reassignment_ratio=0.0)
    weights = np.random.default_rng(0).uniform(0.5, 2.0, 90)
    for start in range(0, 90, 15):
        rows = slice(start, start + 15)
        ours.partial_fit(X[rows], sample_weight=weights[rows])
        theirs.partial_fit(X[rows], sample_weight=weights[rows])
    np.testing.assert_allclose(ours.cluster_centers_, theirs.cluster_centers_)
    np.testing.assert_array_equal(ours.labels_, theirs.labels_)
    assert ours.n_steps_ == theirs.n_steps_ == 6


@pytest.mark.parametrize(
    "options", [{}, {"init": "random"}, {"batch_size": 10}, {"tol": 1e-3}, {"max_no_improvement": None, "max_iter": 5}]
)
def test_mini_batches_come_near_to_the_least_inertia(options):
    X, _, _ = blobs(11, k=4, n=800, apart=15.0)
    best = KMeans(4, n_init=5, random_state=0).fit(X).inertia_
    model = MiniBatchKMeans(4, random_state=1, **options).fit(X)
    assert model.inertia_ < 1.1 * best
    assert model.n_iter_ == -(-model.n_steps_ * min(options.get("batch_size", 1024), 800) // 800)


def test_centres_that_get_nothing_are_moved_into_the_data():
    X, _, _ = blobs(5, k=3, n=300)
    init = np.concatenate([X[:2], np.full((4, 2), 1e4)])
    model = MiniBatchKMeans(6, init=init, batch_size=50, random_state=0).fit(X)
    assert np.all(np.abs(model.cluster_centers_) < 100.0)
