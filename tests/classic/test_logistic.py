"""Penalised logistic regression against scikit-learn, SciPy, and the conditions of a minimum written down anew."""

import warnings

import numpy as np
import pytest
import scipy.optimize
import scipy.special
from sklearn.linear_model import LogisticRegression as Theirs

from groundup.classic import logistic, minimize
from groundup.classic.logistic import LogisticRegression
from groundup.classic.logit import LogisticRegression as Descent
from groundup.classic.validation import ConvergenceWarning

SMOOTH = ("lbfgs", "newton-cholesky", "newton-cd")


def drawn(seed, k, n=60, p=4):
    """Samples of k classes that overlap."""
    rng = np.random.default_rng(seed)
    y = np.concatenate([np.arange(k), np.arange(k), rng.integers(0, k, n - 2 * k)])
    X = rng.standard_normal((n, p)) + 0.8 * rng.standard_normal((k, p))[y] + rng.choice([0.0, 3.0])
    return X, y


def slopes_left(model, X, y, weights=None):
    """How steep the objective still goes down, divided by C n: along the weights, and along the intercepts."""
    n, k = len(y), len(model.classes_)
    weights = np.ones(n) if weights is None else weights
    Z = X @ model.coef_.T + model.intercept_
    codes = np.searchsorted(model.classes_, y)
    if k == 2:
        errors = weights[:, None] * (scipy.special.expit(Z) - codes[:, None])
    else:
        errors = weights[:, None] * (scipy.special.softmax(Z, axis=1) - np.eye(k)[codes])
    slopes = errors.T @ X + (1 - model.l1_ratio) / model.C * model.coef_
    l1 = model.l1_ratio / model.C
    left = np.where(model.coef_ == 0, np.maximum(np.abs(slopes) - l1, 0), np.abs(slopes + l1 * np.sign(model.coef_)))
    return left.max() / weights.sum(), np.abs(errors.sum(axis=0)).max() / weights.sum()


def fitted(X, y, sample_weight=None, **options):
    return LogisticRegression(**({"tol": 1e-10, "max_iter": 1000} | options)).fit(X, y, sample_weight=sample_weight)


def theirs(X, y, sample_weight=None, **options):
    options = {"solver": "newton-cholesky", "tol": 1e-12, "max_iter": 1000} | options
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Theirs(**options).fit(X, y, sample_weight=sample_weight)


def assert_same_fit(a, b, atol=1e-6):
    np.testing.assert_allclose(a.coef_, b.coef_, atol=atol, rtol=atol)
    np.testing.assert_allclose(a.intercept_, b.intercept_, atol=atol, rtol=atol)


# ------------------------------------------------------------------------------- the objective and its derivatives


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("intercept", [0, 1])
@pytest.mark.parametrize("seed", range(5))
def test_gradient_and_hessian_are_numeric_derivatives(seed, k, intercept):
    rng = np.random.default_rng(seed)
    X, theta, weights = rng.standard_normal((7, 3)), rng.standard_normal((k, 3 + intercept)), rng.uniform(0.2, 2, 7)
    Y = np.eye(k)[rng.integers(0, k, 7)] if k > 1 else rng.integers(0, 2, (7, 1)).astype(float)
    rest, h = (X, Y, weights, 0.7), 1e-6
    gradient, hessian = logistic.gradient(theta, *rest), logistic.hessian(theta, X, weights, 0.7)
    for i in range(theta.size):
        move = np.zeros(theta.size)
        move[i] = h
        up, down = theta + move.reshape(theta.shape), theta - move.reshape(theta.shape)
        rise = (logistic.objective(up, *rest) - logistic.objective(down, *rest)) / (2 * h)
        np.testing.assert_allclose(gradient.ravel()[i], rise, atol=1e-7)
        bend = (logistic.gradient(up, *rest) - logistic.gradient(down, *rest)) / (2 * h)
        np.testing.assert_allclose(hessian[i], bend.ravel(), atol=1e-7)


def test_objective_is_the_same_with_log_odds_given():
    X, y = drawn(0, 3)
    theta, Y, weights = np.ones((3, 5)), np.eye(3)[y], np.full(len(y), 0.1)
    Z = logistic.log_odds(theta, X)
    assert logistic.objective(theta, X, Y, weights, 1.0, 0.5) == logistic.objective(theta, X, Y, weights, 1.0, 0.5, Z=Z)
    np.testing.assert_array_equal(
        logistic.gradient(theta, X, Y, weights, 1.0), logistic.gradient(theta, X, Y, weights, 1.0, Z=Z)
    )


def test_hessian_keeps_the_digits_of_a_probability_close_to_one():
    X = np.ones((1, 1))
    for k, far in ((1, np.array([[40.0]])), (3, np.array([[40.0], [0.0], [-1.0]]))):
        H = logistic.hessian(far, X, np.ones(1), 0.0)
        assert np.linalg.eigvalsh(H).min() >= -1e-32
        assert H[0, 0] == pytest.approx(np.exp(-40.0) * (1.0 if k == 1 else 1 + np.exp(-1.0)), rel=1e-10)


def test_softmax_rows_at_any_distance_from_each_other():
    Z = np.array([[1e4, 1e4 + 1], [-1e4, -1e4 + 1], [0.0, 1.0]])
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        np.testing.assert_allclose(logistic.softmax(Z), np.tile(scipy.special.softmax([0.0, 1.0]), (3, 1)), atol=1e-12)
        np.testing.assert_allclose(logistic.log_sum_exp(Z), scipy.special.logsumexp(Z, axis=1))


# ---------------------------------------------------------------------------------------------------- the searches


@pytest.mark.parametrize("seed", range(6))
def test_searches_end_at_the_minimum_of_a_quadratic(seed):
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((9, 6))
    A, b = A.T @ A + 0.1 * np.eye(6), rng.standard_normal(6)
    exact, start = np.linalg.solve(A, b), 10 * rng.standard_normal(6)
    before = start.copy()
    by_memory = minimize.lbfgs(lambda x: (x @ A @ x / 2 - b @ x, A @ x - b), start, tol=1e-8)
    by_curvature = minimize.newton(lambda x: x @ A @ x / 2 - b @ x, lambda x: A @ x - b, lambda x: A, start, tol=1e-8)
    for found in (by_memory, by_curvature):
        assert found.converged
        np.testing.assert_allclose(found.x, exact, atol=1e-6)
    assert by_curvature.n_iter <= 2
    np.testing.assert_array_equal(start, before)


@pytest.mark.parametrize("start", [0.5, 1.5, -40.0])
def test_newton_with_halvings_goes_where_full_steps_diverge(start):
    found = minimize.newton(
        lambda x: float(np.sqrt(1 + x**2).sum()),
        lambda x: x / np.sqrt(1 + x**2),
        lambda x: np.diag((1 + x**2) ** -1.5),
        np.array([start]),
        tol=1e-8,
    )
    assert found.converged and abs(found.x[0]) < 1e-8


@pytest.mark.parametrize("seed", range(8))
def test_lasso_direction_equals_the_best_of_scipy(seed):
    rng = np.random.default_rng(seed)
    m = 5
    A = rng.standard_normal((m + 1, m))
    H, g, x = A.T @ A + 0.2 * np.eye(m), 2 * rng.standard_normal(m), rng.standard_normal(m)
    l1 = np.where(np.arange(m) == m - 1, 0.0, rng.uniform(0.2, 2.0))

    def split(parts):
        u = parts[:m] - parts[m:]
        return g @ (u - x) + (u - x) @ H @ (u - x) / 2 + l1 @ parts.reshape(2, m).sum(axis=0)

    best = scipy.optimize.minimize(split, np.ones(2 * m), bounds=[(0, None)] * (2 * m), options={"ftol": 1e-15}).fun
    d = minimize.lasso_direction(g, H, x, l1)
    assert g @ d + d @ H @ d / 2 + l1 @ np.abs(x + d) <= best + 1e-9
    assert minimize.violation(x + d, g + H @ d, l1) < 1e-9


def test_lasso_direction_of_nearly_parallel_columns_needs_few_sweeps():
    rng = np.random.default_rng(0)
    A = rng.standard_normal((50, 1)) + 1e-3 * rng.standard_normal((50, 8))
    H, g, l1 = A.T @ A, A.T @ rng.standard_normal(50), np.full(8, 0.01)
    d = minimize.lasso_direction(g, H, np.zeros(8), l1, max_sweeps=40)
    assert minimize.violation(d, g + H @ d, l1) < 1e-8


def test_newton_direction_of_a_singular_matrix_solves_it():
    H = np.diag([1e8, 1.0, 0.0]) + np.pad(np.full((2, 2), 0.5), (0, 1))
    g = np.array([3e7, -1.0, 0.0])
    np.testing.assert_allclose(H @ minimize.newton_direction(g, H), -g, rtol=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_two_loops_equal_the_matrix_of_bfgs(seed):
    rng = np.random.default_rng(seed)
    m, pairs = 5, 3
    A = np.diag(rng.uniform(0.5, 20, m))
    S = rng.standard_normal((pairs, m))
    Y = S @ A
    theirs_ = scipy.optimize.BFGS(init_scale=float(S[-1] @ Y[-1] / (Y[-1] @ Y[-1])))
    theirs_.initialize(m, "inv_hess")
    theirs_.H, theirs_.first_iteration = np.eye(m) * (S[-1] @ Y[-1] / (Y[-1] @ Y[-1])), False
    for s, y in zip(S, Y):
        theirs_.update(s, y)
    g = rng.standard_normal(m)
    np.testing.assert_allclose(minimize.two_loop(g, list(S), list(Y)), -theirs_.dot(g), atol=1e-10)


# ----------------------------------------------------------------------------------------------- the same as theirs


@pytest.mark.parametrize("k", [2, 3, 5])
@pytest.mark.parametrize("solver", SMOOTH)
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_l2_coefficients_equal_scikit_learns(k, solver, fit_intercept):
    for seed, C in enumerate((0.01, 1.0, 30.0)):
        X, y = drawn(seed, k)
        ours = fitted(X, y, C=C, solver=solver, fit_intercept=fit_intercept)
        assert_same_fit(ours, theirs(X, y, C=C, fit_intercept=fit_intercept))
        assert ours.coef_.shape == (1 if k == 2 else k, X.shape[1])


@pytest.mark.parametrize(("k", "l1_ratio"), [(2, 1.0), (2, 0.5), (3, 0.7)])
def test_l1_coefficients_equal_saga_run_to_the_end(k, l1_ratio):
    for seed, C in enumerate((0.05, 1.0)):
        X, y = drawn(seed, k)
        X -= X.mean(axis=0)
        ours = fitted(X, y, C=C, l1_ratio=l1_ratio, solver="newton-cd")
        saga = theirs(X, y, C=C, l1_ratio=l1_ratio, solver="saga", tol=1e-12, max_iter=20_000, random_state=0)
        assert_same_fit(ours, saga)


@pytest.mark.parametrize("seed", range(4))
def test_l1_without_intercept_equals_liblinear(seed):
    X, y = drawn(seed, 2)
    ours = fitted(X, y, C=0.3, l1_ratio=1.0, solver="newton-cd", fit_intercept=False)
    lib = theirs(X, y, C=0.3, l1_ratio=1.0, solver="liblinear", fit_intercept=False, max_iter=100_000)
    assert_same_fit(ours, lib)
    np.testing.assert_array_equal(ours.coef_ == 0, lib.coef_ == 0)


@pytest.mark.parametrize("seed", range(30))
def test_no_slope_is_left_whatever_the_penalty(seed):
    rng = np.random.default_rng(seed)
    X, y = drawn(seed, int(rng.integers(2, 5)), n=int(rng.integers(12, 40)), p=int(rng.integers(1, 50)))
    model = fitted(X, y, C=10 ** rng.uniform(-2, 2), l1_ratio=rng.choice([0.0, 0.3, 1.0]), solver="newton-cd")
    left, left_b = slopes_left(model, X, y)
    assert left < 1e-8 and left_b < 1e-8


def test_without_a_penalty_it_is_the_descent_of_lesson_1_6():
    X, y = drawn(3, 2, n=80, p=2)
    descent = Descent(tolerance=1e-10, steps=100_000).fit(X, y)
    for solver in SMOOTH:
        model = fitted(X, y, C=np.inf, solver=solver)
        np.testing.assert_allclose(model.coef_[0], descent.coef_, atol=1e-6)
        np.testing.assert_allclose(model.intercept_[0], descent.intercept_, atol=1e-6)


def test_many_classes_without_a_penalty_sum_to_zero():
    X, y = drawn(4, 3, n=90, p=2)
    for solver in SMOOTH:
        model = fitted(X, y, C=np.inf, solver=solver)
        np.testing.assert_allclose(model.coef_.sum(axis=0), 0, atol=1e-10)
        assert_same_fit(model, theirs(X, y, C=np.inf), atol=1e-5)


def test_all_weights_are_zero_up_to_a_known_C():
    X, y = drawn(5, 2)
    edge = 1 / np.abs((y.mean() - y) @ X).max()
    for factor, zeros in ((0.999, X.shape[1]), (1.001, X.shape[1] - 1)):
        model = fitted(X, y, C=factor * edge, l1_ratio=1.0, solver="newton-cd")
        assert np.sum(model.coef_ == 0.0) == zeros
        if factor < 1:
            assert model.intercept_[0] == pytest.approx(np.log(y.mean() / (1 - y.mean())))


# ------------------------------------------------------------------------------------------------------ hard data


@pytest.mark.parametrize("solver", SMOOTH)
def test_separable_data_stay_finite_and_the_weights_grow_with_C(solver):
    X, y = np.arange(8.0)[:, None], np.arange(8) >= 4
    weights = [fitted(X, y, C=C, solver=solver).coef_[0, 0] for C in (0.01, 1.0, 100.0, 1e4)]
    assert np.all(np.diff(weights) > 0) and np.isfinite(weights).all()


@pytest.mark.parametrize("solver", SMOOTH)
@pytest.mark.parametrize("kind", ["twice", "constant", "zero", "wide"])
def test_dependent_columns_give_the_unique_log_odds(solver, kind):
    X, y = drawn(6, 2, n=30, p=70 if kind == "wide" else 3)
    extra = {"twice": X[:, :1], "constant": np.full((30, 1), 3.0), "zero": np.zeros((30, 1)), "wide": X[:, :0]}[kind]
    X = np.hstack([X, extra])
    assert_same_fit(fitted(X, y, solver=solver), theirs(X, y))


def test_l1_with_a_column_twice_has_the_objective_of_the_column_once():
    X, y = drawn(7, 2)

    def least(X):
        model = fitted(X, y, C=2.0, l1_ratio=1.0, solver="newton-cd")
        theta = np.hstack([model.coef_, model.intercept_[:, None]])
        return logistic.objective(theta, X, y[:, None].astype(float), np.ones(len(y)), 0.0, 0.5)

    assert least(np.hstack([X, X])) == pytest.approx(least(X), rel=1e-10)


@pytest.mark.parametrize("scale", [1e8, 1e-8])
def test_units_of_the_data_change_the_weights_and_not_the_predictions(scale):
    X, y = drawn(8, 3)
    plain, scaled = (
        fitted(X, y, C=np.inf, solver="newton-cholesky"),
        fitted(X * scale, y, C=np.inf, solver="newton-cholesky", tol=1e-10 * min(scale, 1)),
    )
    np.testing.assert_allclose(scaled.predict_proba(X * scale), plain.predict_proba(X), atol=1e-6)


def test_l1_copes_with_columns_of_unlike_scale_and_far_from_zero():
    X, y = drawn(9, 2, n=100)
    X = X * [1e-3, 1.0, 1e3, 1.0] + [0.0, 1e4, 0.0, -300.0]
    model = fitted(X, y, C=1.0, l1_ratio=1.0, solver="newton-cd", tol=1e-7)
    left, left_b = slopes_left(model, X, y)
    assert left < 1e-6 and left_b < 1e-7 and model.n_iter_[0] < 30


def test_log_odds_of_ten_thousand_raise_no_warning():
    X, y = np.array([[-1e4], [-2.0], [1.0], [-1.0], [2.0], [1e4]]), np.array([0, 0, 1, 0, 1, 1])
    with np.errstate(over="raise", invalid="raise", divide="raise"), warnings.catch_warnings():
        warnings.simplefilter("error")
        model = fitted(X, y, solver="newton-cholesky")
        logarithms = model.predict_log_proba(X)
    assert np.abs(model.decision_function(X)).max() > 1e4
    assert np.isfinite(logarithms).all() and logarithms.min() < -1e4
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1.0, rtol=1e-15)


def test_dtypes_and_layouts_do_not_matter():
    X, y = drawn(10, 2)
    X = np.round(X * 8) / 8  # exact in float32
    plain = fitted(X, y)
    frozen = X.copy()
    frozen.flags.writeable = False
    for other in (X.astype(np.float32), np.asfortranarray(X), frozen, X[::1], X.tolist()):
        assert_same_fit(fitted(other, y), plain, atol=1e-7)
    counts = np.round(X).astype(np.int64)
    assert_same_fit(fitted(counts, y), fitted(counts.astype(float), y), atol=1e-12)


def test_two_samples_are_enough():
    model = fitted(np.array([[0.0], [1.0]]), ["no", "yes"])
    assert model.predict([[-1.0], [3.0]]).tolist() == ["no", "yes"]


# ----------------------------------------------------------------------------------- weights, starts, what is refused


@pytest.mark.parametrize("solver", SMOOTH)
def test_a_weight_of_two_is_a_sample_twice_and_zero_is_none(solver):
    X, y = drawn(11, 3)
    weights = np.random.default_rng(0).integers(0, 4, len(y))
    again = np.repeat(np.arange(len(y)), weights)
    assert_same_fit(fitted(X, y, sample_weight=weights, solver=solver), fitted(X[again], y[again], solver=solver))


@pytest.mark.parametrize("class_weight", ["balanced", {0: 5.0, 1: 0.5, 2: 1.0}, {1: 3.0}])
def test_class_weights_equal_scikit_learns(class_weight):
    X, y = drawn(12, 3)
    weights = np.random.default_rng(1).uniform(0.2, 3, len(y))
    ours = fitted(X, y, sample_weight=weights, class_weight=class_weight)
    assert_same_fit(ours, theirs(X, y, sample_weight=weights, class_weight=class_weight))


def test_balanced_weights_make_classes_count_the_same():
    codes, weights = np.array([0, 0, 0, 1, 2, 2]), np.array([1.0, 2.0, 1.0, 0.5, 3.0, 0.0])
    each = logistic.balanced_weights(codes, 3, weights)
    np.testing.assert_allclose(np.bincount(codes, weights=weights * each[codes]), 2.5)
    assert logistic.balanced_weights(codes, 4, weights)[3] == 1.0  # without weight, without warning


def test_a_warm_start_takes_no_step_and_forgets_another_shape():
    X, y = drawn(13, 3)
    model = LogisticRegression(warm_start=True, tol=1e-8, solver="newton-cholesky").fit(X, y)
    assert model.n_iter_[0] > 1 and model.fit(X, y).n_iter_[0] == 0
    assert_same_fit(model.fit(X[:, :2], y), fitted(X[:, :2], y))
    model.fit_intercept = False
    assert_same_fit(model.fit(X[:, :2], y), fitted(X[:, :2], y, fit_intercept=False))


@pytest.mark.parametrize("solver", SMOOTH)
def test_a_search_cut_short_says_so(solver):
    X, y = drawn(14, 2)
    with pytest.warns(ConvergenceWarning, match=f"{solver} failed to converge after 1 iter"):
        model = LogisticRegression(solver=solver, tol=1e-12, max_iter=1).fit(X, y)
    assert model.n_iter_.tolist() == [1]
    with pytest.warns(ConvergenceWarning):
        assert not LogisticRegression(solver=solver, max_iter=0).fit(X, y).coef_.any()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"C": 0.0}, "C == 0.0"),
        ({"l1_ratio": -0.1}, "l1_ratio"),
        ({"tol": -1.0}, "tol"),
        ({"max_iter": 1.5}, "max_iter"),
        ({"solver": "saga"}, "newton-cd"),
        ({"l1_ratio": 1.0}, "newton-cd"),
        ({"class_weight": "even"}, "balanced"),
        ({"class_weight": {7: 1.0}}, "not in class_weight"),
        ({"class_weight": {0: -1.0}}, "egative"),
        ({"class_weight": {0: 0.0, 1: 0.0}}, "non-zero"),
    ],
)
def test_parameters_out_of_range_are_refused(options, says):
    X, y = drawn(15, 2)
    with pytest.raises(ValueError, match=says):
        LogisticRegression(**options).fit(X, y)


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="one class"):
        LogisticRegression().fit(np.ones((3, 1)), ["a", "a", "a"])


def test_nothing_given_is_changed():
    X, y = drawn(16, 3)
    weights = np.linspace(0.5, 2, len(y))
    before = X.copy(), y.copy(), weights.copy()
    for solver in SMOOTH:
        LogisticRegression(solver=solver, class_weight="balanced").fit(X, y, sample_weight=weights).predict_proba(X)
    for now, then in zip((X, y, weights), before):
        np.testing.assert_array_equal(now, then)
