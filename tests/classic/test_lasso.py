"""Properties of the lasso and the elastic net that their lesson's checkpoints do not ask for."""

import warnings

import numpy as np
import pytest
from scipy.optimize import minimize

from groundup.classic.lasso import (
    ElasticNet,
    Lasso,
    alpha_max,
    duality_gap,
    enet_path,
    gram_sweep,
    lasso_path,
    objective,
    soft_threshold,
    sweep,
)
from groundup.classic.linear import LinearRegression, Ridge
from groundup.classic.validation import ConvergenceWarning

SHAPES = [(40, 6), (12, 30), (25, 25), (7, 1), (2, 5)]


def problem(seed, n=40, p=6, correlation=0.5):
    """Correlated columns of different scales, a third of them with a weight."""
    rng = np.random.default_rng(seed)
    X = np.sqrt(1 - correlation) * rng.standard_normal((n, p)) + np.sqrt(correlation) * rng.standard_normal((n, 1))
    X = X * rng.uniform(0.5, 2.0, p) + rng.uniform(-3, 3, p)
    w = np.where(np.arange(p) % 3 == 0, 2.0 * rng.standard_normal(p), 0.0)
    return X, X @ w + rng.standard_normal(n) + 5.0


def centred(X, y):
    return X - X.mean(axis=0), y - y.mean()


def least_objective(X, y, alpha, l1_ratio):
    """The minimum by another way: w = u - v with u, v >= 0 is a smooth problem with bounds, for L-BFGS-B."""
    n, p = X.shape
    l1, l2 = alpha * l1_ratio, alpha * (1 - l1_ratio)

    def value_and_slope(uv):
        w = uv[:p] - uv[p:]
        r = y - X @ w
        slope = -X.T @ r / n + l2 * w
        return r @ r / (2 * n) + l1 * uv.sum() + l2 / 2 * w @ w, np.concatenate([l1 + slope, l1 - slope])

    options = dict(maxiter=20_000, maxfun=100_000, ftol=1e-15, gtol=1e-10)
    return minimize(value_and_slope, np.zeros(2 * p), jac=True, bounds=[(0, None)] * (2 * p), options=options).fun


def assert_optimal(X, y, w, alpha, l1_ratio, tolerance=1e-7):
    """The conditions for a minimum: the slope of the smooth part meets the L1 price on the support, and is within it off it."""
    l1, l2 = alpha * l1_ratio, alpha * (1 - l1_ratio)
    slope = X.T @ (y - X @ w) / len(y) - l2 * w
    scale = tolerance * max(l1, np.abs(X.T @ y / len(y)).max())
    assert np.all(np.abs(slope) <= l1 + scale)
    np.testing.assert_allclose(slope[w != 0], l1 * np.sign(w[w != 0]), atol=scale)


# ------------------------------------------------------------------------------------------------------ the steps


@pytest.mark.parametrize("threshold", [0.0, 0.3, 2.0])
def test_the_soft_threshold_is_the_best_weight(threshold):
    v = np.linspace(-4, 4, 80_001)
    for z in (-3.0, -0.3, 0.0, 0.2, 0.31, 2.5):
        best = v[np.argmin((v - z) ** 2 / 2 + threshold * np.abs(v))]
        assert soft_threshold(z, threshold) == pytest.approx(best, abs=1e-4)


def test_the_soft_threshold_of_an_array_is_that_of_its_numbers():
    z = np.random.default_rng(0).standard_normal((3, 4))
    np.testing.assert_array_equal(soft_threshold(z, 0.5), [[soft_threshold(each, 0.5) for each in row] for row in z])
    assert np.all(soft_threshold(z, 0.5)[np.abs(z) <= 0.5] == 0.0)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("l1_ratio", [1.0, 0.6, 0.0])
def test_no_sweep_raises_the_objective(shape, l1_ratio):
    X, y = centred(*problem(1, *shape))
    w = np.random.default_rng(2).standard_normal(shape[1])
    for _ in range(10):
        lower = sweep(X, y, w, 0.3, l1_ratio)
        assert objective(X, y, lower, 0.3, l1_ratio) <= objective(X, y, w, 0.3, l1_ratio) * (1 + 1e-12)
        w = lower


@pytest.mark.parametrize("shape", SHAPES)
def test_a_sweep_sets_each_weight_to_its_best(shape):
    X, y = centred(*problem(3, *shape))
    w = np.random.default_rng(4).standard_normal(shape[1])
    swept = sweep(X, y, w, 0.2, 0.7)
    for j in range(shape[1]):
        there = np.concatenate([swept[: j + 1], w[j + 1 :]])
        here = objective(X, y, there, 0.2, 0.7)
        for nudge in (1e-4, -1e-4):
            there[j] = swept[j] + nudge
            assert objective(X, y, there, 0.2, 0.7) >= here - 1e-14


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_the_gram_matrix_gives_the_same_sweep(shape, l1_ratio):
    X, y = centred(*problem(5, *shape))
    w = np.random.default_rng(6).standard_normal(shape[1]) * (np.arange(shape[1]) % 2)
    Q, q = X.T @ X / len(y), X.T @ y / len(y)
    np.testing.assert_allclose(gram_sweep(Q, q, w, 0.2, l1_ratio), sweep(X, y, w, 0.2, l1_ratio), atol=1e-10)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5, 0.1])
def test_the_gap_is_above_the_distance_to_the_least_objective(shape, l1_ratio):
    X, y = centred(*problem(7, *shape))
    alpha = 0.1 * alpha_max(X, y, l1_ratio)
    least = least_objective(X, y, alpha, l1_ratio)
    rng, w = np.random.default_rng(8), np.zeros(shape[1])
    for _ in range(6):
        for v in (w, w + 0.1 * rng.standard_normal(shape[1])):
            assert duality_gap(X, y, v, alpha, l1_ratio) >= objective(X, y, v, alpha, l1_ratio) - least - 1e-8 * (y @ y)
        w = sweep(X, y, w, alpha, l1_ratio)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_the_gap_is_the_objective_less_the_dual(shape, l1_ratio):
    X, y = problem(9, *shape)
    n, p = shape
    alpha, w = 0.3, np.random.default_rng(10).standard_normal(p)
    below = np.sqrt(n * alpha * (1 - l1_ratio)) * np.eye(p)  # the elastic net as a lasso
    A, b = np.vstack([X, below]), np.concatenate([y, np.zeros(p)])
    r = b - A @ w
    v = r * min(1.0, n * alpha * l1_ratio / np.abs(A.T @ r).max())
    dual = (b @ b - (b - v) @ (b - v)) / (2 * n)
    assert duality_gap(X, y, w, alpha, l1_ratio) == pytest.approx(objective(X, y, w, alpha, l1_ratio) - dual, rel=1e-9)


def test_without_an_l1_price_the_gap_is_still_above_the_distance():
    X, y = centred(*problem(11))
    least = Ridge(alpha=0.2 * len(y), fit_intercept=False).fit(X, y).coef_
    for w in (np.zeros(6), least + 0.1, least):
        above = objective(X, y, w, 0.2, 0.0) - objective(X, y, least, 0.2, 0.0)
        assert duality_gap(X, y, w, 0.2, 0.0) >= above - 1e-12
    assert duality_gap(X, y, least, 0.2, 0.0) < 1e-20


# ------------------------------------------------------------------------------------------------------- the fits


@pytest.mark.parametrize("shape", [*SHAPES, (1, 3), (3, 200)])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5, 0.05])
@pytest.mark.parametrize("share", [0.9, 0.3, 0.01])
def test_a_fit_meets_the_conditions_for_a_minimum(shape, l1_ratio, share):
    X, y = problem(12, *shape)
    Xc, yc = centred(X, y)
    alpha = share * alpha_max(Xc, yc, l1_ratio) or 1.0
    model = ElasticNet(alpha=alpha, l1_ratio=l1_ratio, tol=1e-13).fit(X, y)
    assert_optimal(Xc, yc, model.coef_, alpha, l1_ratio)
    assert model.dual_gap_ == pytest.approx(duality_gap(Xc, yc, model.coef_, alpha, l1_ratio), abs=1e-13 * (y @ y))
    np.testing.assert_allclose(model.predict(X).mean(), y.mean(), rtol=1e-10)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("shape", [(60, 10), (20, 40)])
def test_a_path_equals_scikit_learns_to_six_decimals(seed, shape):
    from sklearn.linear_model import enet_path as theirs

    X, y = centred(*problem(seed, *shape, correlation=0.2))
    l1_ratio = (1.0, 0.5)[seed % 2]
    alphas, coefs, gaps = enet_path(X, y, l1_ratio=l1_ratio, eps=1e-2, alphas=25, tol=1e-13)
    expected = theirs(X, y, l1_ratio=l1_ratio, eps=1e-2, alphas=25, tol=1e-13, max_iter=100_000)
    np.testing.assert_allclose(alphas, expected[0], rtol=1e-12)
    np.testing.assert_allclose(coefs, expected[1], atol=1e-6)
    assert np.all(gaps <= 1e-13 * (y @ y) / len(y))


def test_warm_and_cold_lead_to_the_same_weights():
    X, y = problem(13, 50, 20)
    Xc, yc = centred(X, y)
    alphas, coefs, _ = lasso_path(Xc, yc, alphas=12, tol=1e-13)
    for alpha, coef in zip(alphas, coefs.T):
        np.testing.assert_allclose(Lasso(alpha=alpha, tol=1e-13).fit(X, y).coef_, coef, atol=1e-8)


def test_a_path_comes_from_the_largest_alpha_down_in_whatever_order_it_was_asked():
    X, y = centred(*problem(14))
    alphas, coefs, _ = lasso_path(X, y, alphas=[0.1, 0.5, 0.2], tol=1e-13)
    assert alphas.tolist() == [0.5, 0.2, 0.1]
    np.testing.assert_allclose(coefs[:, 1], Lasso(0.2, fit_intercept=False, tol=1e-13).fit(X, y).coef_, atol=1e-8)


def test_a_path_of_a_target_that_is_zero_is_zero():
    alphas, coefs, gaps = lasso_path(np.ones((3, 2)), np.zeros(3), alphas=4)
    assert alphas.tolist() == [1e-15] * 4 and not coefs.any() and not gaps.any()


@pytest.mark.parametrize("l1_ratio", [1.0, 0.3])
def test_at_alpha_max_all_weights_are_zero_and_just_below_they_are_not(l1_ratio):
    X, y = problem(15, 30, 8)
    top = alpha_max(*centred(X, y), l1_ratio)
    assert not ElasticNet(alpha=top * (1 + 1e-12), l1_ratio=l1_ratio, tol=1e-12).fit(X, y).coef_.any()
    assert np.count_nonzero(ElasticNet(alpha=top * 0.999, l1_ratio=l1_ratio, tol=1e-12).fit(X, y).coef_) == 1


@pytest.mark.parametrize("alpha", [1e-3, 1.0, 100.0])
def test_without_an_l1_price_it_is_ridge(alpha):
    X, y = problem(16, 40, 10)
    ours = ElasticNet(alpha=alpha, l1_ratio=0.0, tol=1e-14).fit(X, y)
    np.testing.assert_allclose(ours.coef_, Ridge(alpha=alpha * len(y)).fit(X, y).coef_, rtol=1e-6, atol=1e-9)


def test_without_a_price_it_is_least_squares_and_says_so():
    X, y = problem(17)
    with pytest.warns(UserWarning, match="LinearRegression"):
        ours = Lasso(alpha=0.0, tol=1e-15).fit(X, y)
    np.testing.assert_allclose(ours.coef_, LinearRegression().fit(X, y).coef_, atol=1e-6)


def test_sweeps_that_run_out_give_a_warning_and_the_gap_they_reached():
    X, y = problem(18, 30, 60)
    with pytest.warns(ConvergenceWarning, match="max_iter"):
        model = Lasso(alpha=0.01, max_iter=2, tol=1e-10).fit(X, y)
    assert model.n_iter_ == 2
    assert model.dual_gap_ == pytest.approx(duality_gap(*centred(X, y), model.coef_, 0.01))


def test_a_warm_start_needs_no_sweep():
    X, y = problem(19)
    model = Lasso(alpha=0.1, tol=1e-8, warm_start=True).fit(X, y)
    first, sweeps = model.coef_, model.n_iter_
    assert model.fit(X, y).n_iter_ == 0 < sweeps
    np.testing.assert_array_equal(model.coef_, first)


# ----------------------------------------------------------------------------------------------------- hard inputs


def awkward():
    X, y = problem(20, 30, 5)
    yield "duplicated", np.column_stack([X, X[:, :2]]), y
    yield "opposite", np.column_stack([X, -X[:, 0]]), y
    yield "sums of others", np.column_stack([X, X @ np.ones(5), X[:, 0] - X[:, 1]]), y
    yield "constant", np.column_stack([np.full(30, 0.1), X, np.full(30, 1e8)]), y
    yield "all zero", np.zeros((30, 3)), y
    yield "target constant", X, np.full(30, 3.7)
    yield "repeated rows", np.repeat(X[:4], 5, axis=0), np.repeat(y[:4], 5)
    yield "more columns than rows, duplicated", np.tile(X[:4], (1, 3)), y[:4]


@pytest.mark.parametrize(("X", "y"), [pytest.param(X, y, id=name) for name, X, y in awkward()])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
@pytest.mark.parametrize("share", [0.5, 0.001])
def test_dependent_columns_reach_the_objective_of_scikit_learn(X, y, l1_ratio, share):
    from sklearn.linear_model import ElasticNet as Theirs

    Xc, yc = centred(X, y)
    alpha = share * max(alpha_max(Xc, yc, l1_ratio), 1e-3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = Theirs(alpha=alpha, l1_ratio=l1_ratio, tol=1e-13, max_iter=50_000).fit(X, y)
        ours = ElasticNet(alpha=alpha, l1_ratio=l1_ratio, tol=1e-12).fit(X, y)
    scale = max(yc @ yc / len(y), 1e-30)
    assert (
        objective(Xc, yc, ours.coef_, alpha, l1_ratio)
        <= objective(Xc, yc, theirs.coef_, alpha, l1_ratio) + 1e-10 * scale
    )
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), atol=1e-4 * max(1.0, np.ptp(y)))
    assert ours.dual_gap_ <= 1e-12 * scale


@pytest.mark.parametrize("scale", [1e8, 1e-8, 1e100, 1e-100])
@pytest.mark.parametrize("shape", [(30, 5), (10, 20)])
def test_units_change_the_weights_and_nothing_else(scale, shape):
    X, y = problem(21, *shape)
    plain = Lasso(alpha=0.1, tol=1e-12).fit(X, y)
    scaled = Lasso(alpha=0.1 * scale, tol=1e-12).fit(X * scale, y)
    np.testing.assert_allclose(scaled.coef_ * scale, plain.coef_, rtol=1e-6, atol=1e-9)
    far = Lasso(alpha=0.1 * scale, tol=1e-12).fit(X, y * scale)
    np.testing.assert_allclose(far.coef_ / scale, plain.coef_, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("shape", [(30, 5), (10, 20)])
def test_columns_of_very_different_scales(shape):
    X, y = problem(22, *shape)
    X = X * 10.0 ** np.linspace(-8, 8, shape[1])
    model = Lasso(alpha=0.05, tol=1e-12).fit(X, y)
    Xc, yc = centred(X, y)
    slope = np.abs(Xc.T @ (yc - Xc @ model.coef_)) / len(y)
    assert np.all(slope <= 0.05 + 1e-9 * np.linalg.norm(Xc, axis=0) * np.linalg.norm(yc) / len(y))


def test_an_offset_moves_the_intercept_alone():
    X, y = problem(23)
    here = Lasso(alpha=0.1, tol=1e-12).fit(X, y)
    there = Lasso(alpha=0.1, tol=1e-12).fit(X + 1e6, y - 1e6)
    np.testing.assert_allclose(there.coef_, here.coef_, atol=1e-6)
    np.testing.assert_allclose(there.predict(X + 1e6) + 1e6, here.predict(X), atol=1e-4)


def test_one_sample_is_predicted_and_explains_nothing():
    model = Lasso().fit(np.array([[1.0, 2.0]]), np.array([3.0]))
    assert not model.coef_.any() and model.intercept_ == 3.0 and model.dual_gap_ == 0.0


@pytest.mark.parametrize("shape", [(30, 5), (6, 12)])
def test_types_and_memory_orders_do_not_matter_and_inputs_stay(shape):
    rng = np.random.default_rng(24)
    X, y = rng.integers(-5, 5, shape), rng.integers(-5, 5, shape[0])
    plain = Lasso(alpha=0.2, tol=1e-12).fit(X.astype(float), y.astype(float))
    locked = X.astype(float)
    locked.setflags(write=False)
    for A, b in [(X, y), (X.astype(np.float32), y.astype(np.float32)), (np.asfortranarray(locked), y), (locked, y)]:
        before = A.copy(), b.copy()
        model = Lasso(alpha=0.2, tol=1e-12).fit(A, b)
        np.testing.assert_allclose(model.coef_, plain.coef_, atol=1e-9)
        np.testing.assert_array_equal(A, before[0])
        np.testing.assert_array_equal(b, before[1])
    assert sweep(X, y, np.zeros(shape[1], dtype=int), 0.2).dtype == np.float64


@pytest.mark.parametrize("shape", [(30, 5), (10, 20)])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_a_weight_of_two_is_the_row_twice_and_of_zero_the_row_gone(shape, fit_intercept):
    X, y = problem(25, *shape)
    weights = np.random.default_rng(26).integers(0, 3, shape[0])
    model = ElasticNet(alpha=0.1, l1_ratio=0.7, fit_intercept=fit_intercept, tol=1e-12)
    weighted = model.fit(X, y, sample_weight=0.3 * weights).coef_
    repeated = model.fit(np.repeat(X, weights, axis=0), np.repeat(y, weights)).coef_
    np.testing.assert_allclose(weighted, repeated, atol=1e-8)


def test_numbers_whose_squares_overflow_are_refused():
    X, y = problem(27)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError, match="too large"):
            Lasso().fit(X * 1e300, y)


@pytest.mark.parametrize(
    "parameters", [dict(alpha=-1.0), dict(l1_ratio=1.5), dict(max_iter=0), dict(tol=-1e-3), dict(alpha="1")]
)
def test_parameters_out_of_range_are_refused_by_name(parameters):
    with pytest.raises(ValueError, match=next(iter(parameters))):
        ElasticNet(**parameters).fit(*problem(28))


def test_ridge_has_no_alpha_at_which_all_is_zero():
    X, y = problem(29)
    with pytest.raises(ValueError, match="l1_ratio"):
        alpha_max(X, y, 0.0)
    with pytest.raises(ValueError, match="l1_ratio"):
        enet_path(X, y, l1_ratio=0.0)
    with pytest.raises(ValueError, match="alphas"):
        lasso_path(X, y, alphas=[0.1, -0.1])
