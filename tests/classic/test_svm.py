"""Properties of kernels, SMO, the machines and their probabilities that lesson 2.8's checkpoints do not ask for."""

import pickle
from itertools import combinations

import numpy as np
import pytest
from sklearn import svm as theirs
from sklearn.datasets import load_iris

from groundup.classic.kernels import NAMES, KernelRows, kernel_matrix, rbf_kernel
from groundup.classic.platt import couple, platt_probability, platt_scaling, platt_targets
from groundup.classic.smo import dual_objective, kkt_gap, one_sided_slopes, solve_dual
from groundup.classic.svm import SVC, SVR, svc_box
from groundup.classic.validation import ConvergenceWarning, NotFittedError

OPTIONS = [
    dict(kernel="linear"),
    dict(kernel="rbf", gamma=0.5),
    dict(kernel="rbf"),
    dict(kernel="poly", degree=3, coef0=1.0),
    dict(kernel="poly", degree=2, gamma=0.3),
    dict(kernel="sigmoid", gamma=0.05),
]


def problem(seed, n=40, p=3, k=2):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % k
    return rng.standard_normal((n, p)) + 0.8 * np.eye(k, p)[y], y


# --------------------------------------------------------------------------------------------------- against libsvm


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("k", [2, 3, 4])
def test_decision_functions_equal_scikit_learns(options, k):
    for seed, C in enumerate([0.1, 1.0, 10.0]):
        X, y = problem(seed, k=k)
        for shape in ("ovo", "ovr"):
            shared = dict(C=C, tol=1e-6, decision_function_shape=shape, **options)
            ours, libsvm = SVC(**shared).fit(X, y), theirs.SVC(**shared).fit(X, y)
            if shape == "ovo":
                np.testing.assert_allclose(ours.decision_function(X), libsvm.decision_function(X), atol=1e-4)
            assert ours.decision_function(X).shape == libsvm.decision_function(X).shape
            np.testing.assert_array_equal(ours.predict(X), libsvm.predict(X))


@pytest.mark.parametrize("options", OPTIONS)
def test_regressions_equal_scikit_learns(options):
    for seed, (C, epsilon) in enumerate([(0.1, 0.1), (1.0, 0.0), (5.0, 0.5)]):
        X, _ = problem(seed)
        y = np.sin(X[:, 0]) + 0.2 * X[:, 1]
        shared = dict(C=C, epsilon=epsilon, tol=1e-6, **options)
        ours, libsvm = SVR(**shared).fit(X, y), theirs.SVR(**shared).fit(X, y)
        np.testing.assert_allclose(ours.predict(X), libsvm.predict(X), atol=1e-4)
        assert set(ours.support_) == set(libsvm.support_) or options["kernel"] != "rbf"


@pytest.mark.parametrize("k", [2, 3])
def test_attributes_have_scikit_learns_shapes_types_and_values(k):
    X, y = problem(1, k=k)
    for options in (dict(kernel="rbf", gamma=0.5), dict(kernel="linear")):
        ours, libsvm = (S(tol=1e-6, **options).fit(X, y) for S in (SVC, theirs.SVC))
        names = ["support_", "support_vectors_", "n_support_", "dual_coef_", "intercept_", "classes_"]
        names += ["coef_"] if options["kernel"] == "linear" else []
        for name in names:
            np.testing.assert_allclose(getattr(ours, name), getattr(libsvm, name), atol=1e-3, err_msg=name)
            assert getattr(ours, name).dtype == getattr(libsvm, name).dtype, name
        assert ours.n_iter_.shape == libsvm.n_iter_.shape
    ours, libsvm = (S(tol=1e-6).fit(X, X[:, 0]) for S in (SVR, theirs.SVR))
    for name in ("support_", "n_support_", "dual_coef_", "intercept_"):
        np.testing.assert_allclose(getattr(ours, name), getattr(libsvm, name), atol=1e-3, err_msg=name)
    assert type(ours.n_iter_) is type(libsvm.n_iter_) is int


# ---------------------------------------------------------------------------------------------------- the dual


@pytest.mark.parametrize("seed", range(5))
def test_the_dual_meets_the_primal_at_its_maximum(seed):
    X, y = problem(seed)
    for C in (0.05, 1.0, 20.0):
        model, label = SVC(kernel="linear", C=C, tol=1e-8).fit(X, y), 2.0 * y - 1
        shortfall = np.maximum(0, 1 - label * model.decision_function(X)).sum()
        primal = 0.5 * np.sum(model.coef_**2) + C * shortfall
        beta = np.zeros(len(X))
        beta[model.support_] = model.dual_coef_[0]
        assert dual_objective(X @ X.T, label, beta) == pytest.approx(primal, rel=1e-6)


@pytest.mark.parametrize("epsilon", [0.0, 0.1])
@pytest.mark.parametrize("rank", [0, 1, 2, 30])
def test_kkt_conditions_hold_also_where_the_kernel_is_singular(rank, epsilon):
    rng = np.random.default_rng(rank)
    A = rng.standard_normal((30, rank))
    y = np.where(np.arange(30) % 3 == 0, 1.0, -1.0)
    low, high = svc_box(y, 2.0) if epsilon == 0 else (-2.0 * np.ones(30), 2.0 * np.ones(30))
    s = solve_dual(A @ A.T, y, low, high, epsilon=epsilon, tol=1e-6)
    assert np.all((low <= s.beta) & (s.beta <= high)) and abs(s.beta.sum()) < 1e-12
    gradient = y - A @ (A.T @ s.beta)
    np.testing.assert_allclose(s.gradient, gradient, atol=1e-10)
    assert kkt_gap(*one_sided_slopes(gradient, s.beta, low, high, epsilon)) < 1e-6 + 1e-10


def test_a_sample_and_its_copy_share_what_the_sample_had():
    X, y = problem(2, n=20)
    once = SVC(gamma=0.5, C=2.0, tol=1e-8).fit(X, y)
    twice = SVC(gamma=0.5, C=1.0, tol=1e-8).fit(np.repeat(X, 2, axis=0), np.repeat(y, 2))
    np.testing.assert_allclose(once.decision_function(X), twice.decision_function(X), atol=1e-6)


def test_without_the_other_samples_the_support_vectors_give_the_same_machine():
    X, y = problem(4, n=60)
    whole = SVC(gamma=0.5, tol=1e-9).fit(X, y)
    rest = SVC(gamma=0.5, tol=1e-9).fit(X[whole.support_], y[whole.support_])
    np.testing.assert_allclose(whole.decision_function(X), rest.decision_function(X), atol=1e-7)


def test_a_limit_on_iterations_is_kept_and_said():
    X, y = problem(0)
    with pytest.warns(ConvergenceWarning, match="max_iter"):
        model = SVC(max_iter=3).fit(X, y)
    assert model.n_iter_.tolist() == [3]


# --------------------------------------------------------------------------------------------- extreme and odd inputs


@pytest.mark.parametrize("shift", [1e4, 1e6, 1e8])
@pytest.mark.parametrize("options", [dict(kernel="linear"), dict(kernel="rbf", gamma=0.5)])
def test_machines_do_not_care_where_the_origin_is(shift, options):
    X, y = problem(5)
    X = np.round(X * 2**20) / 2**20
    shift = 2.0 ** np.round(np.log2(shift))
    far = X + shift
    here = SVC(tol=1e-8, **options).fit(far - shift, y)  # the rounding of the shift on both sides
    there = SVC(tol=1e-8, **options).fit(far, y)
    np.testing.assert_allclose(here.decision_function(far - shift), there.decision_function(far), atol=1e-5)


@pytest.mark.parametrize("scale", [1e-8, 1e8])
def test_units_that_are_huge_or_tiny_are_scaled_away(scale):
    X, y = problem(6)
    small, large = SVC(tol=1e-8).fit(X, y), SVC(tol=1e-8).fit(X * scale, y)
    np.testing.assert_allclose(small.decision_function(X), large.decision_function(X * scale), atol=1e-6)


@pytest.mark.parametrize("scale", [1e-4, 1e8])
def test_a_line_in_other_units_is_the_same_line_at_a_price_in_other_units(scale):
    X, y = problem(6)
    here, there = (SVC(kernel="linear", C=1.0 / s**2, tol=1e-8).fit(X * s, y) for s in (1.0, scale))
    np.testing.assert_allclose(here.decision_function(X), there.decision_function(X * scale), atol=1e-6)


@pytest.mark.parametrize("Machine", [SVC, SVR])
def test_forms_of_the_same_samples_give_the_same_machine(Machine):
    X, y = problem(7)
    X = np.round(X * 8)
    goal = Machine(gamma=0.1).fit(X, y).predict(X)
    frozen = X.copy()
    frozen.setflags(write=False)
    for other in (
        X.astype(np.float32),
        X.astype(int),
        np.asfortranarray(X),
        frozen,
        X.tolist(),
        np.hstack([X, X])[:, :3],
    ):
        np.testing.assert_allclose(Machine(gamma=0.1).fit(other, y).predict(other), goal, rtol=1e-9)


@pytest.mark.parametrize("Machine", [SVC, SVR])
def test_constant_columns_duplicates_and_more_columns_than_samples(Machine):
    X, y = problem(8, n=12, p=30)
    for Z in (X, np.ones((12, 2)), np.column_stack([X[:, :2], np.ones(12), X[:, 0]]), np.repeat(X[:3], 4, axis=0)):
        for kernel in NAMES:
            model = Machine(kernel=kernel).fit(Z, y)
            assert np.isfinite(model.predict(Z)).all()


def test_one_sample_and_a_tube_that_holds_all_leave_a_constant():
    X = np.array([[3.0, 1.0], [0.0, 2.0]])
    assert SVR().fit(X[:1], [7.0]).predict(X).tolist() == [7.0, 7.0]
    for kernel in ("linear", "rbf"):
        model = SVR(kernel=kernel, epsilon=1.0).fit(X, [1.0, 2.0])
        assert len(model.support_) == 0 and model.predict(X).tolist() == [1.5, 1.5]


def test_values_too_large_for_the_kernel_are_an_error_and_no_endless_loop():
    X, y = problem(9, n=10)
    with pytest.raises(ValueError, match="not finite"), np.errstate(all="ignore"):
        SVC().fit(X * 1e307, y)


def test_an_infinite_price_is_a_hard_margin():
    X, y = np.array([[0.0, 0.0], [2.0, 0.0], [3.0, 1.0]]), [0, 1, 1]
    model = SVC(kernel="linear", C=np.inf).fit(X, y)
    np.testing.assert_allclose(model.coef_, [[1.0, 0.0]], atol=1e-9)
    np.testing.assert_allclose(model.intercept_, [-1.0], atol=1e-9)


def test_bad_parameters_are_named():
    X, y = problem(0)
    for wrong in (
        dict(C=0),
        dict(C=-1.0),
        dict(tol=0),
        dict(degree=1.5),
        dict(gamma=-1),
        dict(gamma="big"),
        dict(kernel="cubic"),
    ):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            SVC(**wrong).fit(X, y)
    with pytest.raises(ValueError, match="epsilon"):
        SVR(epsilon=-1).fit(X, y)
    with pytest.raises(ValueError, match="classes"):
        SVC().fit(X, np.zeros(len(X)))
    with pytest.raises(ValueError, match="classes"):
        SVC().fit(X, y, sample_weight=1.0 - y)
    with pytest.raises(ValueError, match="shape"):
        SVC(kernel=lambda A, B: A).fit(X, y)
    with pytest.raises(ValueError, match="square"):
        SVC(kernel="precomputed").fit(X, y)


# ------------------------------------------------------------------------------------------------------- kernels


@pytest.mark.parametrize("kernel", NAMES)
def test_rows_on_demand_equal_the_matrix_with_any_memory(kernel):
    X, _ = problem(0, n=30)
    numbers = dict(gamma=0.4, degree=3, coef0=0.5)
    K = kernel_matrix(kernel, X, X, **numbers)
    for megabytes in (200, 30 * 8 * 4 / 2**20, 1e-9):
        rows = KernelRows(kernel, X, **numbers, megabytes=megabytes)
        for i in np.random.default_rng(0).integers(0, 30, 100):
            np.testing.assert_allclose(rows[i], K[i], atol=1e-12)
        np.testing.assert_allclose(rows.diagonal(), K.diagonal(), atol=1e-12)
        assert len(rows._kept) <= max(2, megabytes * 2**20 / (30 * 8))


def test_a_small_cache_solves_the_same_problem():
    X, y = problem(1, n=60)
    large, small = SVC(tol=1e-8).fit(X, y), SVC(tol=1e-8, cache_size=1e-3).fit(X, y)
    np.testing.assert_array_equal(large.dual_coef_, small.dual_coef_)


def test_the_rbf_of_a_sample_with_itself_is_one_and_never_more():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((50, 4)) * 10.0 ** rng.integers(-6, 7, (50, 1))
    K = rbf_kernel(X, X, 1e-3)
    assert K.max() <= 1.0
    np.testing.assert_allclose(K.diagonal()[np.abs(X).max(axis=1) < 1e3], 1.0, atol=1e-3)


@pytest.mark.parametrize("k", [2, 3])
def test_own_and_precomputed_kernels_equal_the_named_one(k):
    X, y = problem(3, k=k)
    X_new = X[:5] + 0.1
    named = SVC(gamma=0.5, tol=1e-9, probability=True).fit(X, y)
    own = SVC(kernel=lambda A, B: rbf_kernel(A, B, 0.5), tol=1e-9, probability=True).fit(X, y)
    ready = SVC(kernel="precomputed", tol=1e-9, probability=True).fit(rbf_kernel(X, X, 0.5), y)
    for model, Z in ((own, X_new), (ready, rbf_kernel(X_new, X, 0.5))):
        np.testing.assert_allclose(model.decision_function(Z), named.decision_function(X_new), atol=1e-6)
        np.testing.assert_allclose(model.predict_proba(Z), named.predict_proba(X_new), atol=1e-6)


# ------------------------------------------------------------------------------------------------------- weights


@pytest.mark.parametrize("Machine", [SVC, SVR])
def test_a_whole_weight_is_a_repetition_and_none_a_removal(Machine):
    X, y = problem(4, n=24, k=3)
    weights = np.random.default_rng(0).integers(0, 4, 24)
    weights[:3] = 1
    heavy = Machine(gamma=0.5, tol=1e-9).fit(X, y, sample_weight=weights)
    again = Machine(gamma=0.5, tol=1e-9).fit(np.repeat(X, weights, axis=0), np.repeat(y, weights))
    values = "decision_function" if Machine is SVC else "predict"
    np.testing.assert_allclose(getattr(heavy, values)(X), getattr(again, values)(X), atol=1e-6)
    assert not set(heavy.support_) & set(np.flatnonzero(weights == 0))


def test_class_weights_equal_scikit_learns_with_labels_of_any_kind():
    X, y = problem(5, k=3)
    y[:6] = 0
    for names in (["a", "b", "c"], [3, 7, 9]):
        labels = np.array(names)[y]
        for weight in ("balanced", {names[0]: 3.0, names[2]: 0.2}):
            shared = dict(class_weight=weight, tol=1e-6, decision_function_shape="ovo")
            ours, libsvm = SVC(**shared).fit(X, labels), theirs.SVC(**shared).fit(X, labels)
            np.testing.assert_allclose(ours.decision_function(X), libsvm.decision_function(X), atol=1e-4)
            np.testing.assert_array_equal(ours.predict(X), libsvm.predict(X))


# -------------------------------------------------------------------------------------------------- probabilities


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("gap", [0.0, 1.0, 50.0])
def test_platts_sigmoid_stands_where_its_loss_is_flat_in_any_unit(unit, gap):
    rng = np.random.default_rng(0)
    y = np.where(np.arange(40) % 3 == 0, 1.0, -1.0)
    f = unit * (rng.standard_normal(40) + gap * y)
    with np.errstate(all="raise", under="ignore"):
        A, B = platt_scaling(f, y)
    error = platt_targets(y) - platt_probability(f, A, B)
    assert abs(error.sum()) < 1e-6 and abs(error @ f) < 1e-6 * np.abs(f).max()


def test_platts_sigmoid_where_f_says_nothing_and_where_a_label_is_alone():
    y = np.array([1.0, 1.0, 1.0, -1.0])
    for f in (np.zeros(4), np.full(4, 5.0)):
        A, B = platt_scaling(f, y)
        np.testing.assert_allclose(platt_probability(f, A, B), platt_targets(y).mean(), atol=1e-6)
    A, B = platt_scaling(np.array([0.5, -1.0]), np.ones(2))
    np.testing.assert_allclose(platt_probability(np.array([0.5, -1.0]), A, B), 3 / 4, atol=1e-6)


def test_pairs_that_agree_are_coupled_to_what_they_came_from():
    p = np.random.default_rng(0).dirichlet(np.ones(5), size=20)
    r = p[:, :, None] / (p[:, :, None] + p[:, None, :])
    np.testing.assert_allclose(couple(r), p, atol=1e-10)


def test_probabilities_of_three_classes_add_up_and_mostly_agree_with_the_vote():
    X, y = load_iris(return_X_y=True)
    model = SVC(probability=True).fit(X, y)
    p = model.predict_proba(X)
    np.testing.assert_allclose(p.sum(axis=1), 1.0, atol=1e-12)
    assert p.min() > 0 and np.mean(p.argmax(axis=1) == model.predict(X)) > 0.95
    np.testing.assert_allclose(np.exp(model.predict_log_proba(X)), p)
    assert model.probA_.shape == model.probB_.shape == (3,)


def test_probabilities_are_there_only_where_they_were_asked_for():
    X, y = problem(0)
    model = SVC().fit(X, y)
    assert not hasattr(model, "predict_proba") and not hasattr(SVC(), "predict_proba")
    model.probability = True
    with pytest.raises(NotFittedError, match="probability=False"):
        model.predict_proba(X)


def test_probabilities_of_a_class_with_a_single_sample():
    X, y = problem(0, n=12)
    y[:] = 0
    y[3] = 1
    p = SVC(probability=True).fit(X, y).predict_proba(X)
    assert np.isfinite(p).all() and np.all((p > 0) & (p < 1))


# ------------------------------------------------------------------------------------------------------- the rest


def test_a_machine_survives_pickle():
    X, y = problem(0, k=3)
    model = SVC(probability=True).fit(X, y)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))


def test_the_vote_of_many_classes_is_the_vote_of_its_pairs():
    X, y = problem(2, n=60, k=5)
    values = SVC(decision_function_shape="ovo").fit(X, y).decision_function(X)
    wins = np.zeros((60, 5))
    for f, (a, b) in zip(values.T, combinations(range(5), 2)):
        wins[np.arange(60), np.where(f > 0, a, b)] += 1
    np.testing.assert_array_equal(SVC().fit(X, y).predict(X), wins.argmax(axis=1))


def test_coef_is_there_for_the_linear_kernel_alone():
    X, y = problem(0)
    assert SVC(kernel="linear").fit(X, y).coef_.shape == (1, 3)
    for model in (SVC().fit(X, y), SVC(kernel="linear")):
        with pytest.raises(AttributeError):
            _ = model.coef_
