"""Forests and bagging: what chance does, and what has to hold whatever it does."""

import numpy as np
import pytest
import sklearn.ensemble as theirs
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_iris, make_friedman1
from sklearn.tree import DecisionTreeClassifier as TheirTree

from groundup.classic.bagging import BaggingClassifier, BaggingRegressor, fit_on_draws, mean_probabilities
from groundup.classic.forest import (
    RandomForestClassifier,
    RandomForestRegressor,
    bootstrap_counts,
    grow_trees,
    mean_prediction,
    out_of_bag,
    permutation_importance,
)
from groundup.classic.linear import Ridge
from groundup.classic.tree import DecisionTreeClassifier

SEEDS = st.integers(0, 2**32 - 1)


@given(SEEDS)
@settings(max_examples=20, deadline=None)
def test_a_bootstrap_leaves_out_about_a_third(seed):
    counts = bootstrap_counts(2000, 2000, np.random.default_rng(seed))
    assert counts.sum() == 2000
    assert 0.31 < np.mean(counts == 0) < 0.43  # e^-1, give or take six standard deviations


@given(SEEDS)
@settings(max_examples=10, deadline=None)
def test_on_the_same_bootstraps_trees_and_mean_are_scikit_learns(seed):
    rng = np.random.default_rng(seed)
    X, y = rng.permutation(40)[:, None] / 8, rng.integers(0, 3, 40)
    counts = np.stack([bootstrap_counts(40, 40, rng) for _ in range(4)])
    trees = grow_trees(DecisionTreeClassifier(), X, y, counts, range(4))
    oracle = [TheirTree().fit(X, y, sample_weight=c).predict_proba(X) for c in counts]
    np.testing.assert_allclose(mean_prediction(trees, X), np.mean(oracle, axis=0), atol=1e-12)


def test_out_of_bag_is_asked_of_those_that_have_not_seen_the_sample():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 2)), rng.integers(0, 2, 30)
    counts = np.stack([bootstrap_counts(30, 30, rng) for _ in range(6)])
    trees = grow_trees(DecisionTreeClassifier(), X, y, counts, range(6))
    found = out_of_bag(trees, counts, X)
    for i in range(30):
        said = [t.predict_proba(X[i : i + 1])[0] for t, c in zip(trees, counts) if c[i] == 0]
        expected = np.mean(said, axis=0) if said else [np.nan, np.nan]
        np.testing.assert_allclose(found[i], expected)


def test_out_of_bag_estimates_the_error_on_fresh_samples():
    X, y = make_friedman1(3000, noise=1.0, random_state=0)
    model = RandomForestRegressor(60, oob_score=True, random_state=0).fit(X[:500], y[:500])
    assert abs(model.oob_score_ - model.score(X[500:], y[500:])) < 0.05
    assert model.score(X[:500], y[:500]) > model.oob_score_ + 0.05


def test_the_seed_is_all_there_is_to_chance():
    X, y = load_iris(return_X_y=True)
    before = np.random.get_state()[1].copy()
    a, b, c = (RandomForestClassifier(5, random_state=s).fit(X, y).predict_proba(X) for s in (0, 0, 1))
    np.testing.assert_array_equal(a, b)
    assert (a != c).any()
    np.testing.assert_array_equal(np.random.get_state()[1], before)


@pytest.mark.parametrize("kind", ["classifier", "regressor"])
def test_a_forest_reaches_what_scikit_learns_does(kind):
    X, y = make_friedman1(1500, noise=1.0, random_state=1)
    y = (y > np.median(y)).astype(int) if kind == "classifier" else y
    ours, oracle = (
        (RandomForestClassifier, theirs.RandomForestClassifier)
        if kind == "classifier"
        else (RandomForestRegressor, theirs.RandomForestRegressor)
    )
    scores = [
        np.mean([k(40, random_state=s).fit(X[:400], y[:400]).score(X[400:], y[400:]) for s in range(3)])
        for k in (ours, oracle)
    ]
    assert scores[0] > scores[1] - 0.015


def test_shuffling_a_feature_that_matters_costs_and_one_that_does_not_costs_nothing():
    X, y = make_friedman1(800, noise=0.5, random_state=2)
    model = RandomForestRegressor(30, random_state=0).fit(X[:400], y[:400])
    kept = X.copy()
    drop = permutation_importance(model, X[400:], y[400:], n_repeats=3, random_state=0)
    np.testing.assert_array_equal(X, kept)
    assert drop.shape == (10, 3)
    assert drop[:5].mean(axis=1).min() > 5 * np.abs(drop[5:].mean(axis=1)).max()
    assert model.feature_importances_.sum() == pytest.approx(1)


def test_a_draw_that_lacks_a_class_gives_it_nothing():
    X, y = np.arange(6.0)[:, None], np.array([0, 0, 1, 1, 2, 2])
    rows, columns = [np.array([2, 3, 4, 5]), np.array([0, 1])], [np.array([0])] * 2
    fitted = fit_on_draws(DecisionTreeClassifier(), X, y, rows, columns)
    np.testing.assert_allclose(mean_probabilities(fitted, columns, X[[0, 5]], 3), [[0.5, 0.5, 0], [0.5, 0, 0.5]])


def test_bagging_averages_any_estimator():
    rng = np.random.default_rng(3)
    X, y = rng.normal(size=(60, 4)), rng.normal(size=60)
    model = BaggingRegressor(Ridge(), 5, max_samples=0.5, max_features=2, random_state=0).fit(X, y)
    assert [len(r) for r in model.estimators_samples_] == [30] * 5
    assert all(len(set(c)) == 2 for c in model.estimators_features_)
    each = [e.predict(X[:, c]) for e, c in zip(model.estimators_, model.estimators_features_)]
    np.testing.assert_allclose(model.predict(X), np.mean(each, axis=0))
    X, y = load_iris(return_X_y=True)
    assert BaggingClassifier(random_state=0).fit(X, y).score(X, y) > 0.97


@pytest.mark.parametrize(
    "options", [{"n_estimators": 0}, {"max_samples": 0}, {"max_samples": 1.5}, {"max_features": 9.5}, {"max_depth": 0}]
)
def test_parameters_that_cannot_be_are_named(options):
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match=next(iter(options))):
        RandomForestClassifier(**options).fit(X, y)


def test_out_of_bag_needs_a_bag():
    with pytest.raises(ValueError, match="oob_score"):
        RandomForestClassifier(3, bootstrap=False, oob_score=True).fit(np.eye(4), [0, 1, 0, 1])
