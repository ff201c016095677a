"""Least squares and ridge on tables of every condition, against SciPy and scikit-learn."""

import numpy as np
import pytest
import scipy.linalg
import sklearn.linear_model as theirs
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.classic.linear import (
    LinearRegression,
    Ridge,
    effective_degrees_of_freedom,
    ridge_path,
    solve_cholesky,
    solve_least_squares,
    solve_triangular,
    standardize,
)

SEEDS = st.integers(0, 2**32 - 1)
CONDITIONS = ["plain", "copied", "constant", "huge", "tiny", "wide", "one row", "integers", "fortran", "read only"]


def table(kind, rng):
    """X (n, p), y (n,) of a given kind."""
    n, p = {"wide": (4, 9), "one row": (1, 3)}.get(kind, (20, 4))
    X, y = rng.normal(size=(n, p)), rng.normal(size=n) + 5
    if kind == "copied":
        X[:, 3] = X[:, 0]
    if kind == "constant":
        X[:, 2] = 7.0
    if kind in ("huge", "tiny"):
        X = X * (1e8 if kind == "huge" else 1e-8)
    if kind == "integers":
        X, y = rng.integers(-9, 9, (n, p)), rng.integers(-9, 9, n)
    if kind == "fortran":
        X = np.asfortranarray(X)
    if kind == "read only":
        X.flags.writeable = y.flags.writeable = False
    return X, y


@pytest.mark.parametrize("kind", CONDITIONS)
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_least_squares_is_scikit_learns_on_tables_of_every_kind(kind, fit_intercept):
    X, y = table(kind, np.random.default_rng(0))
    ours = LinearRegression(fit_intercept).fit(X, y)
    oracle = theirs.LinearRegression(fit_intercept=fit_intercept).fit(X, y)
    np.testing.assert_allclose(ours.coef_, oracle.coef_, rtol=1e-9, atol=1e-12 / np.abs(X).max())
    np.testing.assert_allclose(ours.intercept_, oracle.intercept_, rtol=1e-9, atol=1e-9)
    assert ours.rank_ == oracle.rank_


@pytest.mark.parametrize("kind", CONDITIONS)
@pytest.mark.parametrize("alpha", [1e-3, 1.0, 1e6])
def test_ridge_is_scikit_learns_on_tables_of_every_kind(kind, alpha):
    X, y = table(kind, np.random.default_rng(1))
    ours, oracle = Ridge(alpha).fit(X, y), theirs.Ridge(alpha, solver="svd").fit(X, y)
    np.testing.assert_allclose(ours.coef_, oracle.coef_, rtol=1e-6, atol=1e-7 / np.abs(X).max())
    np.testing.assert_allclose(ours.predict(X), oracle.predict(X), rtol=1e-7, atol=1e-7)


@given(SEEDS)
@settings(max_examples=30, deadline=None)
def test_the_residual_is_perpendicular_to_the_columns(seed):
    rng = np.random.default_rng(seed)
    A, b = rng.normal(size=(rng.integers(1, 12), rng.integers(1, 6))), rng.normal(size=1)
    b = rng.normal(size=len(A))
    x, rank, s = solve_least_squares(A, b)
    np.testing.assert_allclose(A.T @ (b - A @ x), 0, atol=1e-9 * max(1, s[0] * np.linalg.norm(x)))
    assert rank == np.linalg.matrix_rank(A)


@given(SEEDS)
@settings(max_examples=30, deadline=None)
def test_of_many_answers_the_smallest_is_taken(seed):
    rng = np.random.default_rng(seed)
    A, b = rng.normal(size=(3, 7)), rng.normal(size=3)
    x, _, _ = solve_least_squares(A, b)
    np.testing.assert_allclose(A @ x, b, atol=1e-9)
    np.testing.assert_allclose(x, scipy.linalg.pinv(A) @ b, atol=1e-9)


def test_digits_survive_where_the_normal_equations_lose_them():
    A = np.array([[1.0, 1.0], [1e-9, 0.0], [0.0, 1e-9]])
    x, rank, _ = solve_least_squares(A, A @ np.array([1.0, 2.0]))
    assert rank == 2
    np.testing.assert_allclose(x, [1.0, 2.0], rtol=1e-6)


@given(SEEDS)
@settings(max_examples=30, deadline=None)
def test_substitution_and_cholesky_solve_their_equations(seed):
    rng = np.random.default_rng(seed)
    p, lower = rng.integers(1, 8), bool(rng.integers(2))
    T, b = rng.normal(size=(p, p)) + 4 * np.eye(p), rng.normal(size=(p, 2))
    np.testing.assert_allclose((np.tril(T) if lower else np.triu(T)) @ solve_triangular(T, b, lower), b, atol=1e-8)
    A = T @ T.T + np.eye(p)
    np.testing.assert_allclose(A @ solve_cholesky(A, b), b, atol=1e-8)


def test_cholesky_refuses_what_is_not_positive_definite():
    with pytest.raises(np.linalg.LinAlgError):
        solve_cholesky(np.array([[1.0, 2.0], [2.0, 1.0]]), np.ones(2))


@given(SEEDS)
@settings(max_examples=30, deadline=None)
def test_weights_are_repetitions(seed):
    rng = np.random.default_rng(seed)
    X, y, times = rng.normal(size=(12, 3)), rng.normal(size=12), rng.integers(1, 4, 12)
    for model in (LinearRegression(), Ridge(3.0)):
        weighted = model.fit(X, y, sample_weight=times).coef_
        repeated = model.fit(np.repeat(X, times, axis=0), np.repeat(y, times)).coef_
        np.testing.assert_allclose(weighted, repeated, atol=1e-9)


def test_adding_a_constant_to_y_moves_the_intercept_and_nothing_else():
    X, y = table("plain", np.random.default_rng(2))
    for model in (LinearRegression(), Ridge(50.0)):
        before = model.fit(X, y).coef_.copy(), model.intercept_
        after = model.fit(X, y + 273.15).coef_, model.intercept_
        np.testing.assert_allclose(after[0], before[0], atol=1e-10)
        assert after[1] - before[1] == pytest.approx(273.15)


def test_the_path_is_many_fits_and_shrinks_as_the_price_rises():
    X, y = table("plain", np.random.default_rng(3))
    alphas = np.logspace(-3, 5, 20)
    coef, intercept = ridge_path(X, y, alphas)
    for k, alpha in enumerate(alphas):
        model = Ridge(alpha).fit(X, y)
        np.testing.assert_allclose(coef[k], model.coef_, atol=1e-9)
        assert intercept[k] == pytest.approx(model.intercept_)
    assert (np.diff(np.linalg.norm(coef, axis=1)) < 0).all()
    freedom = [effective_degrees_of_freedom(X, alpha) for alpha in alphas]
    assert 4 > freedom[0] > 3.9 and (np.diff(freedom) < 0).all() and freedom[-1] < 0.01


def test_standardised_columns_have_mean_zero_and_deviation_one():
    X = np.random.default_rng(4).normal(3, 5, (50, 3))
    X[:, 1] = 0.1
    kept = X.copy()
    Z, mean, scale = standardize(X)
    np.testing.assert_allclose(Z.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(Z.std(axis=0), [1, 0, 1], atol=1e-12)
    np.testing.assert_allclose(Z * scale + mean, X)
    np.testing.assert_array_equal(X, kept)


@pytest.mark.parametrize("alpha", [-1.0, np.nan, "1", None, True])
def test_a_price_that_is_none_is_named(alpha):
    with pytest.raises(ValueError, match="alpha"):
        Ridge(alpha).fit(np.eye(3), np.ones(3))
