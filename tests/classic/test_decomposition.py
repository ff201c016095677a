"""Principal components against scikit-learn, and against what defines them."""

import os
from pathlib import Path

import numpy as np
import pytest
import sklearn.decomposition as theirs
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits, load_iris
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from groundup.classic.decomposition import (
    PCA,
    IncrementalPCA,
    components_for,
    fisher_direction,
    fix_signs,
    principal_axes_by_covariance,
    principal_axes_by_svd,
)

SEEDS = st.integers(0, 2**32 - 1)
SHARED = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture
def faces(monkeypatch):
    """Olivetti's faces (400, 4096); where they are not at hand, digits enlarged to as many pixels, and the test says so."""
    from groundup.data.loading import olivetti

    mirror = os.environ.get("GROUNDUP_DATA") or (str(SHARED) if (SHARED / "olivetti").is_dir() else None)
    if mirror is None:
        print("no Olivetti faces here: enlarged digits instead")
        return np.kron(load_digits().images[:400], np.ones((8, 8))).reshape(400, -1)
    monkeypatch.setenv("GROUNDUP_DATA", mirror)
    return olivetti()[0].reshape(400, -1)


def test_both_ways_find_the_same_faces(faces):
    few = faces[:, ::8]  # 512 pixels: the covariance of all 4096 takes a minute to decompose
    by_data, by_covariance = (PCA(20, svd_solver=s).fit(few) for s in ("full", "covariance_eigh"))
    np.testing.assert_allclose(by_data.explained_variance_, by_covariance.explained_variance_, rtol=1e-8)
    np.testing.assert_allclose(np.abs(by_data.components_ @ by_covariance.components_.T), np.eye(20), atol=1e-8)


def test_faces_are_scikit_learns(faces):
    ours, oracle = PCA(30).fit(faces), theirs.PCA(30, svd_solver="full").fit(faces)
    np.testing.assert_allclose(ours.components_, oracle.components_, atol=1e-8)
    np.testing.assert_allclose(ours.explained_variance_ratio_, oracle.explained_variance_ratio_, rtol=1e-9)
    np.testing.assert_allclose(ours.noise_variance_, oracle.noise_variance_, rtol=1e-8)


@given(SEEDS)
@settings(max_examples=30, deadline=None)
def test_axes_are_perpendicular_and_their_variances_sum_to_all(seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rng.integers(2, 12), rng.integers(1, 8))) * 10.0 ** rng.integers(-4, 5) + rng.normal() * 10
    for way in (principal_axes_by_covariance, principal_axes_by_svd):
        components, variances = way(X)
        np.testing.assert_allclose(components @ components.T, np.eye(len(components)), atol=1e-9)
        np.testing.assert_allclose(variances.sum(), X.var(axis=0, ddof=1).sum(), rtol=1e-9)
        assert (np.diff(variances) <= 1e-12 * variances[0]).all() and (variances >= 0).all()
        np.testing.assert_array_equal(fix_signs(components), components)


@given(SEEDS)
@settings(max_examples=30, deadline=None)
def test_no_other_projection_loses_less(seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(15, 5)) @ rng.normal(size=(5, 5))
    model, k = PCA(2).fit(X), 2
    lost = ((X - model.inverse_transform(model.transform(X))) ** 2).sum()
    other = np.linalg.qr(rng.normal(size=(5, k)))[0]
    Xc = X - X.mean(axis=0)
    assert lost <= ((Xc - Xc @ other @ other.T) ** 2).sum() + 1e-9
    assert lost == pytest.approx(model.noise_variance_ * 3 * 14)


@pytest.mark.parametrize("kind", ["constant", "copied", "huge", "tiny", "wide", "integers", "read only"])
def test_tables_of_every_kind(kind):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(4, 9) if kind == "wide" else (20, 4))
    if kind == "constant":
        X[:, 1] = 3.0
    if kind == "copied":
        X[:, 3] = X[:, 0]
    if kind in ("huge", "tiny"):
        X *= 1e8 if kind == "huge" else 1e-8
    if kind == "integers":
        X = rng.integers(-9, 9, X.shape)
    if kind == "read only":
        X.flags.writeable = False
    ours, oracle = PCA(3, whiten=True).fit(X), theirs.PCA(3, whiten=True, svd_solver="full").fit(X)
    np.testing.assert_allclose(ours.components_, oracle.components_, atol=1e-8)
    np.testing.assert_allclose(ours.transform(X), oracle.transform(X), atol=1e-7)


def test_data_that_do_not_vary_have_no_axis_to_speak_of():
    model = PCA(whiten=True).fit(np.ones((5, 3)))
    np.testing.assert_array_equal(model.explained_variance_ratio_, 0)
    np.testing.assert_array_equal(model.transform(np.ones((2, 3))), 0)


@given(st.lists(st.floats(1e-3, 10), min_size=1, max_size=6), st.floats(0.01, 0.99))
@settings(max_examples=50, deadline=None)
def test_so_many_components_exceed_the_share_and_one_less_does_not(variances, share):
    variances = np.sort(variances)[::-1]
    k = components_for(variances, share)
    explained = np.cumsum(variances) / variances.sum()
    assert k == len(variances) or explained[k - 1] > share
    assert k == 1 or explained[k - 2] <= share


def test_batches_with_all_components_are_the_whole():
    X = load_iris().data
    ours, whole = IncrementalPCA(batch_size=17).fit(X), PCA(svd_solver="full").fit(X)
    np.testing.assert_allclose(ours.explained_variance_, whole.explained_variance_, rtol=1e-9)
    np.testing.assert_allclose(ours.components_, whole.components_, atol=1e-8)
    np.testing.assert_allclose(ours.var_, X.var(axis=0))
    assert ours.n_samples_seen_ == 150


def test_batches_with_few_components_are_scikit_learns():
    X = load_digits().data
    ours, oracle = (kind(n_components=5, batch_size=300).fit(X) for kind in (IncrementalPCA, theirs.IncrementalPCA))
    np.testing.assert_allclose(ours.components_, oracle.components_, atol=1e-7)
    np.testing.assert_allclose(ours.explained_variance_ratio_, oracle.explained_variance_ratio_, rtol=1e-8)


@given(SEEDS)
@settings(max_examples=30, deadline=None)
def test_fishers_cut_classifies_as_scikit_learns_with_equal_priors(seed):
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(30, 3)) + 10, np.append([0, 0, 1, 1], rng.integers(0, 2, 26))
    X[y == 1] += [1.0, -1.0, 0.5]
    w, threshold = fisher_direction(X, y)
    oracle = LinearDiscriminantAnalysis(priors=[0.5, 0.5], solver="svd").fit(X, y)
    unclear = np.abs(X @ w - threshold) < 1e-9
    np.testing.assert_array_equal((X @ w > threshold)[~unclear], oracle.predict(X)[~unclear])


@pytest.mark.parametrize("n_components", [0, 4, 1.0, -0.5, "mle", True])
def test_a_number_of_components_that_cannot_be_is_named(n_components):
    with pytest.raises(ValueError, match="n_components"):
        PCA(n_components).fit(np.random.default_rng(0).normal(size=(5, 3)))
