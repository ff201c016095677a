"""Properties of the perceptron that its lesson's checkpoints do not ask for."""

import numpy as np
import pytest

from groundup.grad.perceptron import Perceptron


def separable(seed, n=30, p=4, margin=0.3):
    rng = np.random.default_rng(seed)
    X, w = rng.standard_normal((n, p)), rng.standard_normal(p)
    y = np.where(X @ w >= 0, 1, -1)
    return X + margin * y[:, None] * w / np.linalg.norm(w), y


@pytest.mark.parametrize("seed", range(10))
def test_the_weights_are_the_sum_of_the_mistakes(seed):
    X, y = separable(seed)
    model = Perceptron(epochs=1).fit(X, y)
    w, b = np.zeros(X.shape[1]), 0.0
    wrong = []
    for x, label in zip(X, y):
        if label * (x @ w + b) <= 0:
            wrong.append(label * np.append(x, 1.0))
            w, b = w + label * x, b + label
    np.testing.assert_allclose([*model.coef_, model.intercept_], np.sum(wrong, axis=0), atol=1e-12)
    assert model.mistakes_ == [len(wrong)]


@pytest.mark.parametrize("seed", range(10))
def test_separable_samples_end_up_right_and_more_epochs_change_nothing(seed):
    X, y = separable(seed)
    model, longer = Perceptron(epochs=500).fit(X, y), Perceptron(epochs=1000).fit(X, y)
    assert model.mistakes_[-1] == 0 and 0 not in model.mistakes_[:-1]
    np.testing.assert_array_equal(model.predict(X), y)
    np.testing.assert_array_equal(model.coef_, longer.coef_)


def test_turning_the_features_turns_the_weights_and_leaves_the_mistakes_alone():
    X, y = separable(3)
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((4, 4)))[0]
    here, there = Perceptron().fit(X, y), Perceptron().fit(X @ turn, y)
    assert here.mistakes_ == there.mistakes_
    np.testing.assert_allclose(there.coef_, here.coef_ @ turn, atol=1e-12)


def test_swapping_the_classes_turns_the_line_round():
    X, y = separable(5)
    here, there = Perceptron().fit(X, y), Perceptron().fit(X, -y)
    np.testing.assert_array_equal(here.coef_, -there.coef_)
    assert here.intercept_ == -there.intercept_


def test_labels_of_zero_and_one_are_refused():
    with pytest.raises(ValueError, match="-1 and"):
        Perceptron().fit(np.ones((2, 1)), np.array([0, 1]))
