"""Properties of histogram boosting: its bins, its trees of second order, its rounds."""

import numpy as np
import pytest
from sklearn import ensemble
from sklearn.ensemble._hist_gradient_boosting.binning import _BinMapper
from sklearn.metrics import roc_auc_score

from groundup.classic.histogram import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    bin_codes,
    bin_edges,
    nan_code,
    should_stop,
)
from groundup.classic.newton_tree import MIN_HESSIAN, HistTree, best_split, histogram, leaf_weight, split_gain

SEEDS = range(6)


def friedman(seed, n=299, noise=1.0):
    rng = np.random.default_rng(seed)
    X = rng.random((n, 5))
    y = 10 * np.sin(np.pi * X[:, 0] * X[:, 1]) + 20 * (X[:, 2] - 0.5) ** 2 + 10 * X[:, 3] + 5 * X[:, 4]
    return X, y + noise * rng.standard_normal(n)


def with_gaps(X, share, seed):
    X = X.copy()
    X[np.random.default_rng(seed).random(X.shape) < share] = np.nan
    return X


# ------------------------------------------------------------------------------------------------------------ bins


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("max_bins", [2, 5, 16, 64])  # percentages that are floats: no n q is missed by rounding
def test_bins_are_scikit_learns(seed, max_bins):
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.standard_normal(400), rng.integers(0, 9, 400), rng.exponential(size=400).round(1)])
    X = with_gaps(X, 0.1, seed)
    theirs = _BinMapper(n_bins=max_bins + 1).fit(X)
    edges = [bin_edges(x, max_bins) for x in X.T]
    for ours, cuts in zip(edges, theirs.bin_thresholds_):
        np.testing.assert_allclose(ours, cuts, rtol=1e-15)
    codes, there = bin_codes(X, edges), ~np.isnan(X)
    np.testing.assert_array_equal(codes[there], theirs.transform(X)[there])
    assert np.all(codes[~there] == nan_code(edges))


def test_a_value_on_an_edge_is_in_the_bin_below():
    edges = [np.array([1.0, 2.0])]
    X = np.array([[0.0], [1.0], [1.5], [2.0], [9.0], [np.nan]])
    assert bin_codes(X, edges)[:, 0].tolist() == [0, 0, 1, 1, 2, 3]


@pytest.mark.parametrize("x", [[5.0], [3.0, 3.0], [np.nan, np.nan], [np.nan, 1.0]])
def test_a_feature_of_one_value_has_one_bin(x):
    assert bin_edges(np.array(x)).shape == (0,)


def test_edges_of_huge_values_are_finite():
    assert np.isfinite(bin_edges(np.array([-1.7e308, 1.7e308]))).all()


# ---------------------------------------------------------------------------------------------- weights and splits


@pytest.mark.parametrize("seed", SEEDS)
def test_a_histogram_is_sums_over_the_samples_in_a_bin(seed):
    rng = np.random.default_rng(seed)
    codes, g, h = rng.integers(0, 7, (50, 3)), rng.standard_normal(50), rng.random(50)
    sums = histogram(codes, g, h, 8)
    for j in range(3):
        for b in range(8):
            here = codes[:, j] == b
            np.testing.assert_allclose(sums[:, j, b], [g[here].sum(), h[here].sum(), here.sum()], atol=1e-12)


@pytest.mark.parametrize("l2", [0.0, 0.5, 10.0])
def test_the_leafs_weight_is_the_minimum_of_its_parabola(l2):
    G, H, h = -3.7, 2.2, 1e-4
    w = leaf_weight(G, H, l2)

    def cost(w):
        return G * w + (H + l2) * w**2 / 2

    assert cost(w) < min(cost(w - h), cost(w + h))
    assert -cost(w) == pytest.approx(split_gain(G, H, 0.0, 1.0, l2) + (G**2 / (H + 1 + l2)) / 2)


def test_a_leaf_without_curvature_does_not_move():
    assert leaf_weight(3.0, 0.0) == 0.0


def every_split(sums, l2, gamma, least):
    """Gain, feature, bin and side of NaN of each split that counts, one by one."""
    _, p, n_bins = sums.shape
    for j in range(p):
        total, nan = sums[:, j].sum(axis=1), sums[:, j, -1]
        for missing_left in [False, True] if nan[2] else [False]:
            for b in range(n_bins - 1):
                left = sums[:, j, : b + 1].sum(axis=1) + missing_left * nan
                right = total - left
                if min(left[2], right[2]) >= least and min(left[1], right[1]) >= MIN_HESSIAN:
                    yield split_gain(left[0], left[1], right[0], right[1], l2, gamma), j, b, missing_left


@pytest.mark.parametrize("seed", range(30))
def test_the_best_split_is_the_best_of_all(seed):
    rng = np.random.default_rng(seed)
    n, n_bins = int(rng.integers(4, 60)), int(rng.integers(3, 10))
    codes = rng.integers(0, n_bins - (seed % 2), (n, 3))
    sums = histogram(codes, rng.standard_normal(n), rng.random(n), n_bins)
    l2, gamma, least = rng.choice([0.0, 1.0]), rng.choice([0.0, 0.5]), int(rng.integers(1, 6))
    best = best_split(sums, l2, gamma, least)
    splits = [s for s in every_split(sums, l2, gamma, least) if s[0] > 1e-12]
    if not splits:
        assert best is None
        return
    assert best.gain == pytest.approx(max(splits)[0], rel=1e-10)
    assert any((best.feature, best.bin) == s[1:3] and s[0] == pytest.approx(best.gain) for s in splits)


def test_of_equal_splits_the_first_is_taken():
    codes = np.array([[0, 0], [0, 0], [1, 1], [3, 3]])
    sums = histogram(codes, np.array([-1.0, -1.0, -1.0, 5.0]), np.ones(4), 5)
    assert best_split(sums)[1:] == (0, 1, True)  # bin 2 is empty, so that 2 would divide the same


def test_equal_gradients_are_not_split():
    codes = np.arange(50)[:, None]
    assert best_split(histogram(codes, np.full(50, 0.1), np.ones(50), 51)) is None


# --------------------------------------------------------------------------------------------------------- one tree


@pytest.mark.parametrize("seed", SEEDS)
def test_children_counted_or_subtracted_have_the_sums_of_their_samples(seed):
    rng = np.random.default_rng(seed)
    codes, g, h = rng.integers(0, 30, (400, 4)), rng.standard_normal(400), rng.random(400)
    tree = HistTree(min_samples_leaf=5, l2_regularization=0.7).fit(codes, g, h, 32)
    for leaf in np.flatnonzero(tree.feature_ < 0):
        here = tree.leaf_ == leaf
        assert here.sum() >= 5
        assert tree.value_[leaf] == pytest.approx(-g[here].sum() / (h[here].sum() + 0.7), rel=1e-6)
    np.testing.assert_array_equal(tree.predict(codes), tree.value_[tree.leaf_])


def test_growth_is_best_first():
    rng = np.random.default_rng(0)
    codes, g = rng.integers(0, 30, (500, 3)), rng.standard_normal(500)
    saved = []
    for leaves in range(2, 12):
        tree = HistTree(max_leaf_nodes=leaves, min_samples_leaf=3).fit(codes, g, np.ones(500), 32)
        assert np.sum(tree.feature_ < 0) == leaves
        here = [tree.leaf_ == leaf for leaf in np.flatnonzero(tree.feature_ < 0)]
        saved.append(sum(g[rows].sum() ** 2 / rows.sum() for rows in here))
    assert np.all(np.diff(saved) > 0)


@pytest.mark.parametrize("leaves", [None, 200])
def test_many_leaves_are_found_again(leaves):
    rng = np.random.default_rng(1)
    codes, g = rng.integers(0, 40, (600, 3)), rng.standard_normal(600)
    tree = HistTree(max_leaf_nodes=leaves, min_samples_leaf=1).fit(codes, g, np.ones(600), 42)
    assert np.sum(tree.feature_ < 0) > 64
    np.testing.assert_array_equal(tree.predict(codes), tree.value_[tree.leaf_])


def test_depth_is_limited():
    rng = np.random.default_rng(2)
    codes, g = rng.integers(0, 40, (600, 3)), rng.standard_normal(600)
    tree = HistTree(max_leaf_nodes=None, max_depth=2, min_samples_leaf=1).fit(codes, g, np.ones(600), 42)
    assert np.sum(tree.feature_ < 0) == 4


# --------------------------------------------------------------------------------------------------- the estimators


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    "options", [{}, {"max_depth": 3, "l2_regularization": 2.0}, {"max_bins": 9, "max_leaf_nodes": 6}]
)
def test_regression_is_scikit_learns(seed, options):
    X, y = friedman(seed)
    X = with_gaps(X, 0.1 * (seed % 2), seed)
    ours = HistGradientBoostingRegressor(max_iter=10, **options).fit(X, y)
    theirs = ensemble.HistGradientBoostingRegressor(max_iter=10, **options).fit(X, y)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-5)


@pytest.mark.parametrize("seed", SEEDS)
def test_first_tree_of_a_classifier_is_scikit_learns_in_log_odds(seed):
    X, y = friedman(seed, n=499)
    ours = HistGradientBoostingClassifier(max_iter=3).fit(X, y > 14)
    theirs = ensemble.HistGradientBoostingClassifier(max_iter=3).fit(X, y > 14)
    np.testing.assert_allclose(ours.decision_function(X), theirs.decision_function(X), atol=1e-6)


def test_three_classes():
    X, y = friedman(0, n=900)
    y = np.digitize(y, [11, 17])
    ours = HistGradientBoostingClassifier(max_iter=12).fit(X[:600], y[:600])
    theirs = ensemble.HistGradientBoostingClassifier(max_iter=12).fit(X[:600], y[:600])
    p = ours.predict_proba(X[600:])
    np.testing.assert_allclose(p.sum(axis=1), 1.0)
    assert ours.score(X[600:], y[600:]) >= theirs.score(X[600:], y[600:]) - 0.02


def test_auc_is_scikit_learns():
    X, y = friedman(3, n=3000, noise=4.0)
    y = y > np.median(y)
    auc = []
    for kind in (HistGradientBoostingClassifier, ensemble.HistGradientBoostingClassifier):
        model = kind(max_iter=50).fit(X[:2000], y[:2000])
        auc.append(roc_auc_score(y[2000:], model.predict_proba(X[2000:])[:, 1]))
    assert abs(auc[0] - auc[1]) < 0.005


def test_missing_values_carry_information():
    rng = np.random.default_rng(0)
    x = rng.standard_normal(400)
    y = np.where(rng.random(400) < 0.3, -5.0, x)
    X = np.where(y == -5.0, np.nan, x)[:, None]
    model = HistGradientBoostingRegressor(max_iter=60, learning_rate=0.3).fit(X, y)
    assert model.predict([[np.nan]])[0] == pytest.approx(-5.0, abs=0.05)


def test_new_missing_values_go_with_the_many():
    X = np.arange(100.0)[:, None]
    y = (X[:, 0] < 70).astype(float)
    model = HistGradientBoostingRegressor(max_iter=1, learning_rate=1.0, max_leaf_nodes=2).fit(X, y)
    assert model.predict([[np.nan]])[0] == pytest.approx(1.0)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("seed", range(2))
def test_monotonic_features_are_monotonic(sign, seed):
    X, y = friedman(seed, noise=5.0)
    model = HistGradientBoostingRegressor(max_iter=15, min_samples_leaf=3, monotonic_cst=[0, 0, 0, sign, 0]).fit(X, y)
    for row in X[:10]:
        line = np.tile(row, (60, 1))
        line[:, 3] = np.linspace(-0.1, 1.1, 60)
        assert np.all(sign * np.diff(model.predict(line)) >= -1e-12)


def test_early_stopping_watches_what_was_held_out():
    X, y = friedman(0, n=400, noise=6.0)
    model = HistGradientBoostingRegressor(early_stopping=True, max_iter=500, n_iter_no_change=5, random_state=0).fit(
        X, y
    )
    assert model.n_iter_ < 500
    assert len(model.validation_score_) == len(model.train_score_) == model.n_iter_ + 1
    assert (
        model.validation_score_[-6:].argmax() == 0
        or model.validation_score_[-5:].max() <= model.validation_score_[-6] + 1e-7
    )
    assert np.all(np.diff(model.train_score_) > 0)


def test_no_early_stopping_no_scores():
    X, y = friedman(0)
    model = HistGradientBoostingRegressor(max_iter=3).fit(X, y)
    assert model.n_iter_ == 3 and len(model.train_score_) == len(model.validation_score_) == 0


@pytest.mark.parametrize(
    ("losses", "stops"),
    [
        ([3.0, 2.0], False),
        ([3.0, 3.0, 3.0], True),
        ([3.0, 3.1, 2.9], False),
        ([3.0, 2.0, 2.5, 2.5], True),
        ([5.0, 4.0, 3.0], False),
    ],
)
def test_should_stop(losses, stops):
    assert should_stop(losses, 2, 1e-7) is stops


def test_weights_repeat_samples():
    X, y = friedman(0, n=60)
    w = np.random.default_rng(0).integers(0, 3, 60)
    options = dict(max_iter=5, min_samples_leaf=1, max_leaf_nodes=4)
    ours = HistGradientBoostingRegressor(**options).fit(X, y, w)
    twice = HistGradientBoostingRegressor(**options).fit(np.repeat(X, w, axis=0), np.repeat(y, w))
    np.testing.assert_allclose(ours.predict(X), twice.predict(X), rtol=1e-6)


@pytest.mark.parametrize("scale", [1e-30, 1e-3, 1e8, 1e30])
def test_the_target_has_any_unit(scale):
    X, y = friedman(0)
    one = HistGradientBoostingRegressor(max_iter=5).fit(X, y).predict(X)
    np.testing.assert_allclose(
        HistGradientBoostingRegressor(max_iter=5).fit(X, y * scale).predict(X), one * scale, rtol=1e-5
    )


def test_row_and_column_subsampling_is_repeatable_and_regularises():
    X, y = friedman(0)
    options = dict(max_iter=20, subsample=0.5, max_features=0.4, min_samples_leaf=3)
    one, same = (HistGradientBoostingRegressor(**options, random_state=0).fit(X, y).predict(X) for _ in range(2))
    other = HistGradientBoostingRegressor(**options, random_state=1).fit(X, y).predict(X)
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 0.01


@pytest.mark.parametrize("X", [np.ones((5, 2)), np.full((5, 1), np.nan), np.ones((1, 3))])
def test_nothing_to_split_gives_the_mean(X):
    y = np.arange(float(len(X)))
    np.testing.assert_allclose(HistGradientBoostingRegressor(min_samples_leaf=1).fit(X, y).predict(X), y.mean())


def test_forms_of_input():
    X, y = friedman(0)
    X32 = X.astype(np.float32)
    X64 = X32.astype(np.float64)
    X64.flags.writeable = False
    expected = HistGradientBoostingRegressor(max_iter=4).fit(X64, y).predict(X64)
    for form in (X32, np.asfortranarray(X64), X64.tolist()):
        np.testing.assert_array_equal(HistGradientBoostingRegressor(max_iter=4).fit(form, y).predict(form), expected)


@pytest.mark.parametrize(
    "options",
    [
        {"learning_rate": 0.0},
        {"max_iter": 0},
        {"max_leaf_nodes": 1},
        {"max_depth": 0},
        {"min_samples_leaf": 0},
        {"l2_regularization": -1},
        {"gamma": -1},
        {"max_bins": 256},
        {"max_features": 0.0},
        {"subsample": 1.5},
        {"early_stopping": "yes"},
        {"monotonic_cst": [1]},
        {"monotonic_cst": [2, 0, 0, 0, 0]},
    ],
)
def test_parameters_out_of_range_are_refused(options):
    X, y = friedman(0)
    with pytest.raises(ValueError, match=next(iter(options))):
        HistGradientBoostingRegressor(**options).fit(X, y)
