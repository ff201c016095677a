"""Properties of gradient boosting, of the losses that it descends, and of the leaves that its trees reach."""

import numpy as np
import pytest
from sklearn import ensemble
from sklearn._loss import loss as their_losses

from groundup.classic.boosting import GradientBoostingClassifier, GradientBoostingRegressor, median_steps, newton_steps
from groundup.classic.leaves import reached_leaves
from groundup.classic.losses import AbsoluteError, BinaryLogLoss, MultinomialLogLoss, SquaredError, weighted_median
from groundup.classic.tree import DecisionTreeRegressor

SEEDS = range(5)


def problem(seed, n=150, p=4):
    """Features that a float32 can hold, as scikit-learn's trees round theirs to it."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)).astype(np.float32).astype(np.float64)
    return X, X[:, 0] * X[:, 1] + np.sin(3 * X[:, 2]) + 0.3 * rng.standard_normal(n)


# ----------------------------------------------------------------------------------------------------------- losses

LOSSES = [SquaredError(), AbsoluteError(), BinaryLogLoss(), MultinomialLogLoss(3)]


def targets(loss, rng, n):
    """y and raw predictions that fit the loss."""
    if isinstance(loss, MultinomialLogLoss):
        return rng.integers(0, 3, n), rng.standard_normal((n, 3))
    y = rng.integers(0, 2, n) if isinstance(loss, BinaryLogLoss) else rng.standard_normal(n)
    return y, 3 * rng.standard_normal(n)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
@pytest.mark.parametrize("seed", SEEDS)
def test_derivatives_are_differences_of_the_loss(loss, seed):
    y, raw = targets(loss, np.random.default_rng(seed), 6)
    n, h = len(y), 1e-5
    gradient = np.zeros(raw.shape)
    for place in np.ndindex(raw.shape):
        up, down = raw.copy(), raw.copy()
        up[place] += h
        down[place] -= h
        gradient[place] = (
            n * (loss.loss(y, up) - loss.loss(y, down)) / (2 * h)
        )  # the loss is a mean, its gradient is not
        if hasattr(loss, "hessian"):
            slope = (loss.gradient(y, up)[place] - loss.gradient(y, down)[place]) / (2 * h)
            assert loss.hessian(y, raw)[place] == pytest.approx(slope, abs=1e-8)
    np.testing.assert_allclose(loss.gradient(y, raw), gradient, atol=1e-8)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
@pytest.mark.parametrize("seed", SEEDS)
def test_no_other_constant_has_a_smaller_loss_than_the_start(loss, seed):
    rng = np.random.default_rng(seed)
    y, raw = targets(loss, rng, 30)
    weights = rng.random(30) + 0.1
    start = np.zeros(raw.shape) + loss.start(y, weights)
    for _ in range(20):
        other = start + 0.1 * rng.standard_normal(start.shape[1:])
        assert loss.loss(y, start, weights) <= loss.loss(y, other, weights) + 1e-12


def test_log_losses_are_scikit_learns():
    rng = np.random.default_rng(0)
    for ours, theirs in (
        (LOSSES[2], their_losses.HalfBinomialLoss()),
        (LOSSES[3], their_losses.HalfMultinomialLoss(n_classes=3)),
    ):
        y, raw = targets(ours, rng, 40)
        assert ours.loss(y, raw) == pytest.approx(theirs(y.astype(float), raw), rel=1e-12)
        gradient, hessian = theirs.gradient_hessian(y.astype(float), raw)
        np.testing.assert_allclose(ours.gradient(y, raw), gradient, atol=1e-14)
        np.testing.assert_allclose(ours.hessian(y, raw), hessian, atol=1e-14)
        np.testing.assert_allclose(ours.probabilities(raw), theirs.predict_proba(raw), atol=1e-14)


@pytest.mark.parametrize("loss", LOSSES[2:], ids=["binary", "multinomial"])
@pytest.mark.parametrize("scale", [1e3, 1e5])
def test_confident_predictions_neither_overflow_nor_warn(loss, scale):
    y, raw = targets(loss, np.random.default_rng(0), 20)
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        assert np.isfinite(loss.loss(y, raw * scale))
        assert np.isfinite(loss.gradient(y, raw * scale)).all()
        np.testing.assert_allclose(loss.probabilities(raw * scale).sum(axis=1), 1.0)


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_the_median_of_equal_weights_is_numpys(n):
    values = np.random.default_rng(n).standard_normal(n)
    assert weighted_median(values) == pytest.approx(np.median(values), rel=1e-14)
    assert weighted_median(values, np.full(n, 0.25)) == pytest.approx(np.median(values), rel=1e-14)


@pytest.mark.parametrize("seed", SEEDS)
def test_weights_of_a_median_repeat_values(seed):
    rng = np.random.default_rng(seed)
    values, w = rng.standard_normal(12), rng.integers(0, 4, 12)
    assert weighted_median(values, w) == pytest.approx(np.median(np.repeat(values, w)), rel=1e-14)


# ----------------------------------------------------------------------------------------------------------- leaves


@pytest.mark.parametrize("leaves", [2, 8, 9, 33, 64, 65, None])
def test_leaves_reached_are_those_walked_to(leaves):
    X, y = problem(0, n=300)
    tree = DecisionTreeRegressor(max_leaf_nodes=leaves).fit(X, y).tree_

    def goes_right(node, rows):
        return X[rows, tree.feature[node]] > tree.threshold[node]

    ours = reached_leaves(tree.children_left, tree.children_right, goes_right, len(X))
    np.testing.assert_array_equal(ours, tree.apply(X))


def test_a_root_alone_is_a_leaf():
    assert reached_leaves(np.array([-1]), np.array([-1]), None, 3).tolist() == [0, 0, 0]


def test_steps_of_nodes_without_samples_are_zero():
    leaves = np.array([1, 1, 3])
    np.testing.assert_allclose(newton_steps(leaves, np.array([1.0, 2.0, -4.0]), np.ones(3), 5), [0, -1.5, 0, 4, 0])
    np.testing.assert_allclose(median_steps(leaves, np.array([1.0, 2.0, -4.0]), 5), [0, 1.5, 0, -4, 0])
    np.testing.assert_array_equal(newton_steps(leaves, np.ones(3), np.zeros(3), 4), np.zeros(4))


# --------------------------------------------------------------------------------------------------- the estimators


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    "options", [{}, {"max_depth": 1, "learning_rate": 0.5}, {"max_depth": 4, "min_samples_leaf": 5}]
)
def test_regression_is_scikit_learns(seed, options):
    X, y = problem(seed)
    X_new = problem(seed + 100)[0]
    ours = GradientBoostingRegressor(n_estimators=15, **options).fit(X, y)
    theirs = ensemble.GradientBoostingRegressor(n_estimators=15, **options).fit(X, y)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), atol=1e-10)
    for a, b in zip(ours.staged_predict(X), theirs.staged_predict(X)):
        np.testing.assert_allclose(a, b, atol=1e-10)
    if options.get("max_depth") == 1:  # in small nodes features tie, and what is new falls on either side
        np.testing.assert_allclose(ours.predict(X_new), theirs.predict(X_new), atol=1e-10)


@pytest.mark.parametrize("seed", SEEDS)
def test_weighted_regression_is_scikit_learns(seed):
    X, y = problem(seed)
    w = np.random.default_rng(seed).random(len(y)) + 0.1
    ours = GradientBoostingRegressor(n_estimators=15).fit(X, y, w)
    theirs = ensemble.GradientBoostingRegressor(n_estimators=15).fit(X, y, w)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), atol=1e-10)


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("seed", SEEDS)
def test_classification_is_scikit_learns(K, seed):
    X, y = problem(seed)
    labels = np.array(["ant", "bee", "cow"])[np.digitize(y, [0] if K == 2 else [-0.5, 0.5])]
    w = np.random.default_rng(seed).random(len(y)) + 0.1  # no ties
    ours = GradientBoostingClassifier(n_estimators=8).fit(X, labels, w)
    theirs = ensemble.GradientBoostingClassifier(n_estimators=8).fit(X, labels, w)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-9)
    np.testing.assert_allclose(ours.decision_function(X), theirs.decision_function(X), atol=1e-8)
    assert np.array_equal(ours.predict(X), theirs.predict(X))


def test_each_round_lowers_the_training_loss():
    X, y = problem(0)
    for name, loss in (("squared_error", SquaredError()), ("absolute_error", AbsoluteError())):
        model = GradientBoostingRegressor(loss=name, n_estimators=20).fit(X, y)
        losses = [loss.loss(y, stage) for stage in model.staged_predict(X)]
        assert np.all(np.diff(losses) <= 1e-12)


def test_absolute_error_does_not_run_after_outliers():
    X, y = problem(0, n=400)
    spoiled = y.copy()
    spoiled[::20] += 1000.0
    errors = []
    for name in ("squared_error", "absolute_error"):
        model = GradientBoostingRegressor(loss=name, n_estimators=30).fit(X, spoiled)
        errors.append(np.median(np.abs(model.predict(X) - y)))
    assert errors[1] < errors[0] / 3


def test_no_rate_no_change():
    X, y = problem(0)
    model = GradientBoostingRegressor(learning_rate=0.0, n_estimators=3).fit(X, y)
    np.testing.assert_allclose(model.predict(X), y.mean())


def test_subsampling_is_repeatable():
    X, y = problem(0)
    one, same, other = (
        GradientBoostingRegressor(n_estimators=5, subsample=0.5, random_state=s).fit(X, y).predict(X) for s in (0, 0, 1)
    )
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 0.01


@pytest.mark.parametrize("kind", [GradientBoostingRegressor, GradientBoostingClassifier])
def test_weights_repeat_samples(kind):
    X, y = problem(0, n=60)
    y = y if kind is GradientBoostingRegressor else (y > 0).astype(int)
    w = np.random.default_rng(0).integers(0, 3, 60)
    ours = kind(n_estimators=5, max_depth=2).fit(X, y, w)
    twice = kind(n_estimators=5, max_depth=2).fit(np.repeat(X, w, axis=0), np.repeat(y, w))
    predict = "predict" if kind is GradientBoostingRegressor else "decision_function"
    np.testing.assert_allclose(getattr(ours, predict)(X[w > 0]), getattr(twice, predict)(X[w > 0]), atol=1e-9)


@pytest.mark.parametrize("scale", [1e-30, 1e8])
def test_the_target_has_any_unit(scale):
    X, y = problem(0)
    one = GradientBoostingRegressor(n_estimators=5).fit(X, y).predict(X)
    np.testing.assert_allclose(
        GradientBoostingRegressor(n_estimators=5).fit(X, y * scale).predict(X), one * scale, rtol=1e-9
    )


@pytest.mark.parametrize("X", [np.ones((5, 2)), np.ones((1, 3))])
def test_nothing_to_split_gives_the_mean(X):
    y = np.arange(float(len(X)))
    np.testing.assert_allclose(GradientBoostingRegressor(n_estimators=3).fit(X, y).predict(X), y.mean())


def test_forms_of_input():
    X, y = problem(0)
    frozen = X.copy()
    frozen.flags.writeable = False
    expected = GradientBoostingRegressor(n_estimators=4).fit(frozen, y).predict(frozen)
    for form in (X.astype(np.float32), np.asfortranarray(X), X.tolist()):
        np.testing.assert_array_equal(GradientBoostingRegressor(n_estimators=4).fit(form, y).predict(form), expected)


@pytest.mark.parametrize("options", [{"learning_rate": -1}, {"n_estimators": 0}, {"subsample": 0.0}, {"loss": "hinge"}])
def test_parameters_out_of_range_are_refused(options):
    X, y = problem(0)
    with pytest.raises(ValueError, match=next(iter(options))):
        GradientBoostingRegressor(**options).fit(X, y)


def test_one_class_is_no_classification():
    with pytest.raises(ValueError, match="one class"):
        GradientBoostingClassifier().fit(np.ones((4, 1)), np.zeros(4, dtype=int))
