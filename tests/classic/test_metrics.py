"""Metrics of classes, scores, probabilities and numbers: equal to scikit-learn's, and what holds for any data."""

import warnings

import numpy as np
import pytest
import sklearn.calibration
import sklearn.metrics as theirs
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.classic import metrics, probabilities, ranking
from groundup.classic.metrics import (
    UndefinedMetricWarning,
    accuracy_score,
    balanced_accuracy_score,
    confusion_matrix,
    f1_score,
    fbeta_score,
    matthews_corrcoef,
    mean_squared_error,
    multilabel_confusion_matrix,
    precision_recall_fscore_support,
    precision_score,
    r2_score,
    recall_score,
)
from groundup.classic.probabilities import bin_edges, brier_score_loss, calibration_curve, log_loss
from groundup.classic.ranking import (
    auc,
    auc_by_pairs,
    auc_by_ranks,
    average_precision_score,
    average_ranks,
    confusion_matrix_at_thresholds,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)

seeds = st.integers(0, 2**32 - 1)
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
AVERAGES = [None, "micro", "macro", "weighted"]


def labelled(seed, kind=None):
    """A generator, two lists of classes, labels of which some do not occur, and weights or None."""
    rng = np.random.default_rng(seed)
    n, k = rng.integers(1, 40), rng.integers(1, 5)
    kind = kind or rng.choice(["int", "negative", "word", "bool", "float", "far"])
    table = {
        "int": np.arange(6),
        "negative": np.arange(6) - 3,
        "word": np.array(["ant", "bee", "cow", "dog", "elk", "fox"]),
        "bool": np.array([False, True] * 3),
        "float": np.arange(6.0),
        "far": np.array([0, 1, -(2**62), 2**62, 5, 10**12]),
    }[kind]
    y_true, y_pred = table[rng.integers(0, k, n)], table[rng.integers(0, k + 1, n)]
    labels = rng.permutation(np.unique(table))[: rng.integers(1, 7)]
    weights = [None, rng.uniform(0.1, 3, n), rng.integers(1, 4, n)][rng.integers(3)]
    return rng, y_true, y_pred, labels, weights


def scored(seed, both=True):
    """A generator, labels 0 and 1, scores with many ties, and weights or None, of which some may be 0."""
    rng = np.random.default_rng(seed)
    n = rng.integers(2, 40)
    y = rng.integers(0, 2, n)
    if both:
        y[:2] = [0, 1]
    score = rng.integers(0, rng.integers(1, 12) + 1, n) / 8 if rng.random() < 0.7 else rng.standard_normal(n)
    weights = None if rng.random() < 0.5 else rng.uniform(0.1, 3, n)
    if weights is not None and n > 4 and rng.random() < 0.5:
        weights[4:] *= rng.integers(0, 2, n - 4)
    return rng, y, score, weights


def outcome(function, *args, **kwargs):
    """What comes back, or the kind of error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return function(*args, **kwargs)
        except ValueError:
            return "ValueError"


def same(ours, expected, rtol=1e-12):
    if isinstance(expected, tuple):
        assert isinstance(ours, tuple) and len(ours) == len(expected)
        for a, b in zip(ours, expected):
            same(a, b, rtol)
    elif expected is None or isinstance(expected, str):
        assert ours is None if expected is None else isinstance(ours, str) and ours == expected
    else:
        assert not isinstance(ours, str)
        np.testing.assert_allclose(ours, expected, rtol=rtol, atol=1e-12)
        assert np.asarray(ours).dtype.kind == np.asarray(expected).dtype.kind


# --------------------------------------------------------------------------------------------------------- classes


@given(seeds)
@settings(max_examples=20, deadline=None)
def test_counts_equal_scikit_learns_for_any_labels_weights_and_normalisation(seed):
    _, y_true, y_pred, labels, weights = labelled(seed)
    for chosen in (None, labels):
        options = dict(labels=chosen, sample_weight=weights)
        for normalize in (None, "true", "pred", "all"):
            call = (y_true, y_pred), dict(normalize=normalize, **options)
            same(outcome(confusion_matrix, *call[0], **call[1]), outcome(theirs.confusion_matrix, *call[0], **call[1]))
        same(
            multilabel_confusion_matrix(y_true, y_pred, **options).astype(float),
            theirs.multilabel_confusion_matrix(y_true, y_pred, **options).astype(float),
        )
    for normalize in (True, False):
        options = dict(normalize=normalize, sample_weight=weights)
        same(accuracy_score(y_true, y_pred, **options), theirs.accuracy_score(y_true, y_pred, **options))


@given(seeds)
@settings(max_examples=15, deadline=None)
def test_rates_equal_scikit_learns_for_every_average_and_zero_division(seed):
    rng, y_true, y_pred, labels, weights = labelled(seed)
    zero_division = rng.choice(np.array(["warn", 0, 1, np.nan], dtype=object))
    beta = rng.choice([0.0, 0.5, 1.0, 2.0, np.inf])
    for average in AVERAGES:
        options = dict(sample_weight=weights, zero_division=zero_division, average=average)
        options["labels"] = labels if rng.random() < 0.5 else None
        ours = precision_recall_fscore_support(y_true, y_pred, beta=beta, **options)
        expected = theirs.precision_recall_fscore_support(y_true, y_pred, beta=beta, **options)
        same(ours[:3], expected[:3])
        if average is None:
            np.testing.assert_allclose(ours[3], expected[3])
        for name in ("precision_score", "recall_score", "f1_score"):
            same(getattr(metrics, name)(y_true, y_pred, **options), getattr(theirs, name)(y_true, y_pred, **options))


@given(seeds)
@settings(max_examples=25, deadline=None)
def test_the_binary_average_answers_or_refuses_as_scikit_learn_does(seed):
    _, y_true, y_pred, _, weights = labelled(
        seed, kind=str(np.random.default_rng(seed).choice(["int", "word", "negative"]))
    )
    for pos_label in (y_true[0], 1):
        options = dict(pos_label=pos_label, sample_weight=weights)
        for name in ("precision_score", "recall_score", "f1_score"):
            args = (y_true, y_pred)
            same(outcome(getattr(metrics, name), *args, **options), outcome(getattr(theirs, name), *args, **options))
        same(
            outcome(fbeta_score, y_true, y_pred, beta=2.0, **options),
            outcome(theirs.fbeta_score, y_true, y_pred, beta=2.0, **options),
        )


@given(seeds)
@settings(max_examples=25, deadline=None)
def test_single_numbers_of_many_classes_equal_scikit_learns(seed):
    _, y_true, y_pred, _, weights = labelled(seed)
    same(
        balanced_accuracy_score(y_true, y_pred, sample_weight=weights),
        theirs.balanced_accuracy_score(y_true, y_pred, sample_weight=weights),
    )
    if min(len(np.unique(y)) for y in (y_true, y_pred)) > 1:  # of one class theirs divides a rounding by a rounding
        same(
            matthews_corrcoef(y_true, y_pred, sample_weight=weights),
            theirs.matthews_corrcoef(y_true, y_pred, sample_weight=weights),
        )
    else:
        assert matthews_corrcoef(y_true, y_pred, sample_weight=weights) == 0.0
    if len(np.unique(y_true)) > 1:
        same(
            balanced_accuracy_score(y_true, y_pred, adjusted=True),
            theirs.balanced_accuracy_score(y_true, y_pred, adjusted=True),
        )


@given(seeds)
@settings(max_examples=30, deadline=None)
def test_the_average_over_samples_is_recall_micro_and_accuracy_at_once(seed):
    _, y_true, y_pred, _, weights = labelled(seed)
    accuracy = accuracy_score(y_true, y_pred, sample_weight=weights)
    for rate in (precision_score, recall_score, f1_score):
        assert rate(y_true, y_pred, average="micro", sample_weight=weights) == pytest.approx(accuracy)
    assert recall_score(y_true, y_pred, average="weighted", sample_weight=weights) == pytest.approx(accuracy)


@given(seeds)
@settings(max_examples=40, deadline=None)
def test_a_weight_of_two_is_a_sample_that_comes_twice(seed):
    rng, y_true, y_pred, _, _ = labelled(seed, kind="int")
    weights = rng.integers(1, 4, len(y_true))
    again = np.repeat(np.arange(len(y_true)), weights)
    np.testing.assert_array_equal(
        confusion_matrix(y_true, y_pred, sample_weight=weights), confusion_matrix(y_true[again], y_pred[again])
    )
    np.testing.assert_array_equal(
        multilabel_confusion_matrix(y_true, y_pred, sample_weight=weights),
        multilabel_confusion_matrix(y_true[again], y_pred[again]),
    )


def test_the_two_names_of_undefined_are_told_apart_by_a_warning():
    with pytest.warns(UndefinedMetricWarning, match="Precision"):
        assert precision_score([0, 1], [0, 0]) == 0.0
    with pytest.warns(UndefinedMetricWarning, match="Recall"):
        assert recall_score([0, 0], [0, 1]) == 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert precision_score([0, 1], [0, 0], zero_division=0) == 0.0
        assert np.isnan(f1_score([0, 0], [0, 0], zero_division=np.nan))


@pytest.mark.parametrize(
    ("y_true", "y_pred"),
    [
        ([0, 1], [0]),
        ([], []),
        ([0.5, 1.0], [0.0, 1.0]),
        ([np.nan, 1.0], [0.0, 1.0]),
        (["a", "b"], [0, 1]),
        ([[0, 1], [1, 0]], [[0, 1], [1, 1]]),
        ([None, 1], [0, 1]),
    ],
)
def test_what_are_no_two_lists_of_classes_is_refused(y_true, y_pred):
    for metric in (accuracy_score, confusion_matrix, f1_score, balanced_accuracy_score, matthews_corrcoef):
        with pytest.raises(ValueError):
            metric(y_true, y_pred)


def test_what_no_option_means_is_refused():
    y = [0, 1]
    for call in (
        lambda: confusion_matrix(y, y, normalize="row"),
        lambda: confusion_matrix(y, y, labels=[2]),
        lambda: f1_score(y, y, average="mean"),
        lambda: f1_score(y, y, zero_division="nan"),
        lambda: fbeta_score(y, y, beta=-1.0),
        lambda: mean_squared_error(y, y, multioutput="sum"),
        lambda: accuracy_score(y, y, sample_weight=[1.0, -1.0]),
        lambda: mean_squared_error([0.0, np.nan], y),
        lambda: mean_squared_error([[0.0, 1.0]], [[0.0, 1.0, 2.0]]),
    ):
        with pytest.raises(ValueError):
            call()


# ---------------------------------------------------------------------------------------------------------- scores


@given(seeds)
@settings(max_examples=35, deadline=None)
def test_curves_equal_scikit_learns_with_ties_weights_and_one_class(seed):
    rng, y, score, weights = scored(seed, both=False)
    if weights is not None and not np.any(weights):
        weights = None
    same(
        tuple(map(np.asarray, confusion_matrix_at_thresholds(y, score, sample_weight=weights))),
        tuple(
            np.asarray(a, dtype=float) for a in theirs.confusion_matrix_at_thresholds(y, score, sample_weight=weights)
        ),
    )
    dropped = bool(rng.integers(2)) and weights is None  # with weights, whether three points lie on a line is rounding
    same(
        roc_curve(y, score, sample_weight=weights, drop_intermediate=dropped),
        theirs.roc_curve(y, score, sample_weight=weights, drop_intermediate=dropped),
    )
    same(
        precision_recall_curve(y, score, sample_weight=weights),
        theirs.precision_recall_curve(y, score, sample_weight=weights),
    )
    same(
        average_precision_score(y, score, sample_weight=weights),
        theirs.average_precision_score(y, score, sample_weight=weights),
    )
    same(roc_auc_score(y, score, sample_weight=weights), float(theirs.roc_auc_score(y, score, sample_weight=weights)))


@given(seeds)
@settings(max_examples=50, deadline=None)
def test_three_views_of_the_area_agree_and_none_knows_the_order_of_the_rows(seed):
    rng, y, score, _ = scored(seed)
    area = roc_auc_score(y, score)
    assert auc_by_ranks(y, score) == pytest.approx(area, abs=1e-14)
    assert auc_by_pairs(y, score) == pytest.approx(area, abs=1e-14)
    fpr, tpr, _ = roc_curve(y, score)
    assert auc(fpr, tpr) == pytest.approx(area, abs=1e-14)
    rows = rng.permutation(len(y))
    assert roc_auc_score(y[rows], score[rows]) == area
    assert roc_auc_score(1 - y, score) == pytest.approx(1 - area, abs=1e-14)
    assert roc_auc_score(y, np.exp(score / 4)) == area  # only the order counts
    assert roc_auc_score(y, np.zeros(len(y))) == 0.5
    assert roc_auc_score(np.array(["no", "yes"])[y], score) == area  # the greater of two is positive
    assert roc_auc_score([["no", "yes"][i] for i in y], score) == area


@given(seeds)
@settings(max_examples=60, deadline=None)
def test_ranks_equal_scipys(seed):
    from scipy.stats import rankdata

    values = scored(seed)[2]
    np.testing.assert_array_equal(average_ranks(values), rankdata(values))


@given(seeds)
@settings(max_examples=12, deadline=None)
def test_areas_of_several_classes_equal_scikit_learns(seed):
    rng = np.random.default_rng(seed)
    k = int(rng.integers(3, 5))
    n = int(rng.integers(k, 30))
    y = np.concatenate([np.arange(k), rng.integers(0, k, n - k)])
    p = rng.integers(1, 4, (n, k)).astype(float)
    p /= p.sum(axis=1, keepdims=True)
    weights = rng.uniform(0.1, 2, n) if rng.random() < 0.5 else None
    for average in ("macro", "weighted", "micro", None):
        options = dict(multi_class="ovr", average=average, sample_weight=weights)
        same(roc_auc_score(y, p, **options), np.asarray(theirs.roc_auc_score(y, p, **options))[()])
        options.pop("multi_class")
        same(average_precision_score(y, p, **options), np.asarray(theirs.average_precision_score(y, p, **options))[()])
    names = np.array(["ant", "bee", "cow", "dog"])[:k]
    for average in ("macro", "weighted"):
        options = dict(multi_class="ovo", average=average, labels=names)
        same(roc_auc_score(names[y], p, **options), float(theirs.roc_auc_score(names[y], p, **options)))


def test_scores_that_cannot_be_ranked_are_refused():
    y, p = [0, 1, 2], np.full((3, 3), 1 / 3)
    for call in (
        lambda: roc_curve([0, 1], [np.nan, 1.0]),
        lambda: roc_curve([0, 1], [np.inf, 1.0]),
        lambda: roc_curve([0, 1, 2], [0.1, 0.2, 0.3]),
        lambda: roc_curve(["a", "b"], [0.1, 0.2]),
        lambda: roc_curve([1, 2], [0.1, 0.2]),
        lambda: roc_curve([0, 1], [0.1, 0.2, 0.3]),
        lambda: roc_curve([0, 1], [[0.1, 0.2], [0.2, 0.1]]),
        lambda: roc_auc_score(y, [0.1, 0.2, 0.3]),
        lambda: roc_auc_score(y, p),
        lambda: roc_auc_score(y, p * 2, multi_class="ovr"),
        lambda: roc_auc_score(y, p[:, :2], multi_class="ovr"),
        lambda: roc_auc_score(y, p, multi_class="ovo", sample_weight=[1, 1, 1]),
        lambda: roc_auc_score(y, p, multi_class="ovo", average="micro"),
        lambda: auc([0.0, 1.0, 0.5], [0.0, 1.0, 1.0]),
        lambda: auc([0.0], [0.0]),
    ):
        with pytest.raises(ValueError):
            call()
    with pytest.warns(UndefinedMetricWarning):
        assert np.isnan(roc_auc_score([1, 1], [0.1, 0.2]))


# --------------------------------------------------------------------------------------------------- probabilities


@given(seeds)
@settings(max_examples=30, deadline=None)
def test_losses_of_probabilities_equal_scikit_learns(seed):
    rng = np.random.default_rng(seed)
    n, k = int(rng.integers(1, 20)), int(rng.integers(2, 5))
    labels = np.array(["ant", "bee", "cow", "dog"])[:k] if rng.random() < 0.5 else np.arange(k) * 2
    y = labels[rng.integers(0, k, n)]
    p = rng.integers(0, 4, (n, k)) + 1e-3
    p /= p.sum(axis=1, keepdims=True)
    p[0] = np.eye(k)[0]  # sure, and perhaps wrong
    p = p.astype(rng.choice([np.float64, np.float32]))
    weights = rng.uniform(0.1, 2, n) if rng.random() < 0.5 else None
    rtol = 1e-12 if p.dtype == np.float64 else 1e-5
    shuffled = rng.permutation(labels)
    for normalize in (True, False):
        options = dict(normalize=normalize, sample_weight=weights)
        same(log_loss(y, p, labels=shuffled, **options), float(theirs.log_loss(y, p, labels=shuffled, **options)), rtol)
    options = dict(labels=labels, sample_weight=weights)
    same(brier_score_loss(y, p, **options), float(theirs.brier_score_loss(y, p, **options)), rtol)
    if k == 2:
        options["pos_label"] = labels[1]
        assert log_loss(y, p[:, 1], labels=labels) == pytest.approx(log_loss(y, p, labels=labels), rel=1e-5)
        same(
            brier_score_loss(y, p[:, 1], pos_label=labels[1]),
            float(theirs.brier_score_loss(y, p[:, 1], pos_label=labels[1])),
            rtol,
        )


@given(seeds)
@settings(max_examples=25, deadline=None)
def test_calibration_curves_equal_scikit_learns_on_edges_and_with_empty_bins(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 40))
    y, p = rng.integers(0, 2, n), rng.integers(0, 17, n) / 16 if rng.random() < 0.7 else rng.random(n)
    for strategy in ("uniform", "quantile"):
        options = dict(n_bins=int(rng.choice([1, 2, 4, 5, 8])), strategy=strategy)
        if strategy == "quantile" and options["n_bins"] == 5:
            continue  # whether a quantile that falls on a sample is above it is rounding
        same(calibration_curve(y, p, **options), sklearn.calibration.calibration_curve(y, p, **options))


@given(seeds)
@settings(max_examples=40, deadline=None)
def test_the_bins_of_quantiles_hold_as_many_samples_each(seed):
    rng = np.random.default_rng(seed)
    p = rng.random(120)
    edges = bin_edges(p, 6, "quantile")
    assert (np.histogram(p, edges)[0] == 20).all()


def test_a_forecaster_who_knows_the_chance_loses_least():
    chance, called = 0.7, np.linspace(0.01, 0.99, 99)
    y = np.array([1] * 70 + [0] * 30)
    for loss in (log_loss, brier_score_loss):
        losses = [loss(y, np.full(100, p)) for p in called]
        assert called[np.argmin(losses)] == pytest.approx(chance)


def test_what_are_no_probabilities_is_refused():
    for call in (
        lambda: log_loss([0, 1], [0.5, 1.5]),
        lambda: log_loss([0, 1], [-0.5, 0.5]),
        lambda: log_loss([1, 1], [0.5, 0.5]),
        lambda: log_loss([0, 1, 2], [[0.5, 0.5]] * 3),
        lambda: log_loss([0, 1], [0.5, 0.5, 0.5]),
        lambda: log_loss([0, 3], [0.5, 0.5], labels=[0, 1]),
        lambda: brier_score_loss([0, 1], [0.5, 1.5]),
        lambda: brier_score_loss(["a", "b"], [0.5, 0.5]),
        lambda: calibration_curve([0, 1], [0.5, 1.5]),
        lambda: calibration_curve([0, 1], [0.5, 0.5], strategy="percentile"),
        lambda: calibration_curve([0, 1], [0.5, 0.5], n_bins=0),
        lambda: calibration_curve([0, 1, 2], [0.5, 0.5, 0.5]),
    ):
        with pytest.raises(ValueError):
            call()
    with pytest.warns(UserWarning, match="sum to one"):
        log_loss([0, 1], [[0.5, 0.1], [0.5, 0.1]])


# --------------------------------------------------------------------------------------------------------- numbers


@given(seeds)
@settings(max_examples=25, deadline=None)
def test_errors_of_numbers_equal_scikit_learns(seed):
    rng = np.random.default_rng(seed)
    n, k = int(rng.integers(2, 30)), int(rng.integers(1, 4))
    shape = (n,) if k == 1 and rng.random() < 0.5 else (n, k)
    y_true = rng.standard_normal(shape) * rng.choice([1e-8, 1.0, 1e8]) + rng.choice([0.0, 3.0])
    y_pred = y_true + rng.standard_normal(shape)
    weights = rng.uniform(0.1, 2, n) if rng.random() < 0.5 else None
    if len(shape) == 2 and weights is None:
        y_true[:, 0] = 2.0  # with weights the mean of a constant is off by a rounding, and theirs divides by its square
        y_pred[:, 0] = rng.choice([2.0, 3.0])
    for name in ("mean_squared_error", "mean_absolute_error", "r2_score"):
        for multioutput in ("uniform_average", "raw_values", *([rng.uniform(0.1, 1, k)] if k > 1 else [])):
            options = dict(sample_weight=weights, multioutput=multioutput)
            ours, expected = (getattr(m, name)(y_true, y_pred, **options) for m in (metrics, theirs))
            np.testing.assert_allclose(ours, expected, rtol=1e-9, atol=1e-12)


def test_r2_of_a_constant_is_1_where_it_is_met_and_0_elsewhere():
    for value in (0.1, 1.0, 1e8, 1 / 3):
        y = np.full(7, value)
        assert r2_score(y, y) == 1.0
        assert r2_score(y, y + 1) == 0.0
    assert r2_score([2.0], [2.0]) == 1.0 and r2_score([2.0], [3.0]) == 0.0
    assert r2_score([2.0, 2.0, 9.0], [2.0, 2.0, 1.0], sample_weight=[1, 1, 0]) == 1.0


def test_a_column_beside_a_row_is_no_table():
    y = np.array([1.0, 2.0, 4.0])
    assert mean_squared_error(y, y[:, None] + 1) == 1.0
    assert r2_score(y[:, None], y) == 1.0
    assert accuracy_score([[0], [1]], [0, 1]) == 1.0


def test_scores_of_estimators_are_these():
    from groundup.classic.estimator import Classifier, Regressor

    class Echo(Classifier, Regressor):
        def predict(self, X):
            return X

    rng = np.random.default_rng(0)
    a, b, w = rng.integers(0, 3, 50), rng.integers(0, 3, 50), rng.random(50)
    assert Classifier.score(Echo(), b, a, w) == pytest.approx(accuracy_score(a, b, sample_weight=w), rel=1e-14)
    for y, z in ((rng.random(50), rng.random(50)), (rng.random((50, 2)), rng.random((50, 2)))):
        assert Regressor.score(Echo(), z, y, w) == pytest.approx(r2_score(y, z, sample_weight=w), rel=1e-12)


def test_nothing_that_is_handed_in_is_changed():
    y, p, w = np.array([0, 1, 1, 0]), np.array([0.1, 0.9, 0.4, 0.4]), np.array([1.0, 2.0, 0.0, 1.0])
    for array in (y, p, w):
        array.flags.writeable = False
    before = p.copy()
    for metric in (roc_auc_score, average_precision_score, log_loss, brier_score_loss, r2_score):
        metric(y, p, sample_weight=w)
    calibration_curve(y, p)
    accuracy_score(y, (p > 0.5).astype(int), sample_weight=w)
    np.testing.assert_array_equal(p, before)


def test_one_idea_a_module_and_no_circle():
    assert metrics.accuracy_score is accuracy_score
    assert not hasattr(metrics, "roc_auc_score") and not hasattr(ranking, "log_loss")
    assert probabilities.log_loss is log_loss
