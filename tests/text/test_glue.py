"""GLUE's metrics against scikit-learn and SciPy, on generated predictions."""

import warnings

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from groundup.text import glue


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():  # of constants and single classes
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_of_classes(classes):
    rng = np.random.default_rng(classes)
    for n in (1, 2, 10, 200):
        labels, predicted = rng.integers(classes, size=(2, n))
        assert glue.accuracy(predicted, labels) == pytest.approx(metrics.accuracy_score(labels, predicted), abs=1e-15)
        assert glue.matthews(predicted, labels) == pytest.approx(
            metrics.matthews_corrcoef(labels, predicted), abs=1e-12
        )
        f1 = metrics.f1_score(labels, predicted, labels=[1], average="macro", zero_division=0)
        assert glue.f1(predicted, labels) == pytest.approx(f1, abs=1e-15)


@pytest.mark.parametrize("offset", [0.0, 1e6])
@pytest.mark.parametrize("digits", [0, 6])
def test_of_numbers(offset, digits):
    rng = np.random.default_rng(digits)
    for n in (2, 3, 50):
        labels = rng.standard_normal(n).round(digits)
        predicted = (0.5 * labels + rng.standard_normal(n)).round(digits) + offset
        for ours, theirs in ((glue.pearson, stats.pearsonr), (glue.spearman, stats.spearmanr)):
            assert ours(predicted, labels) == pytest.approx(theirs(predicted, labels)[0], abs=1e-9, nan_ok=True)


def test_a_constant_has_no_correlation():
    assert np.isnan(glue.pearson([1, 1, 1], [1, 2, 3])) and np.isnan(glue.spearman([1, 2, 3], [4, 4, 4]))
    assert glue.matthews([1, 1, 1], [0, 1, 1]) == 0.0


def test_spearman_sees_the_order_alone():
    x = np.random.default_rng(0).standard_normal(30)
    assert glue.spearman(np.exp(x), x**3) == pytest.approx(1.0)


def test_the_total_weighs_tasks_and_not_metrics():
    scores = {"mrpc": {"accuracy": 1.0, "f1": 0.0}, "mnli": {"accuracy": 0.5}, "mnli-mm": {"accuracy": 1.0}}
    assert glue.total(scores) == pytest.approx(100 * (0.5 + 0.75) / 2)


def test_every_task_has_the_metrics_of_the_paper():
    named = {task: names for task, (_, names) in glue.TASKS.items()}
    assert named["cola"] == ("matthews",) and named["stsb"] == ("pearson", "spearman")
    assert {task for task, names in named.items() if "f1" in names} == {"mrpc", "qqp"}
    assert len(named) == 10  # nine, one of them in two halves


@pytest.mark.parametrize("bad", [([], []), ([1], [1, 0]), ([[1]], [[1]])])
def test_what_does_not_pair_up_is_refused(bad):
    for metric in glue.METRICS.values():
        with pytest.raises(ValueError):
            metric(*bad)
