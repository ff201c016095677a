"""Properties of the first network that its lesson's checkpoints do not ask for."""

import numpy as np
import pytest

from groundup.grad.mlp import MLP, logistic_loss, polyline, predict, squared_loss, train
from groundup.grad.tensor import Tensor

XOR = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), np.array([[0.0], [1.0], [1.0], [0.0]])


def test_prediction_keeps_no_graph():
    model = MLP([2, 3, 1], np.random.default_rng(0))
    predict(model, XOR[0])
    assert all(parameter.grad is None for parameter in model.parameters())
    assert model(XOR[0]).requires_grad


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_gradients_equal_central_differences(activation):
    rng = np.random.default_rng(4)
    model = MLP([3, 5, 4, 2], rng, activation)
    X, y = rng.standard_normal((6, 3)), rng.integers(0, 2, (6, 2)).astype(float)
    logistic_loss(model(X), y).backward()
    h = 1e-6
    for parameter in model.parameters():
        numeric = np.zeros(parameter.shape)
        for index in np.ndindex(parameter.shape):
            start = parameter.data
            losses = []
            for sign in (1, -1):
                parameter.data = start.copy()
                parameter.data[index] += sign * h
                losses.append(logistic_loss(model(X), y).item())
            parameter.data = start
            numeric[index] = (losses[0] - losses[1]) / (2 * h)
        np.testing.assert_allclose(parameter.grad, numeric, atol=1e-8)


def test_hidden_units_that_start_alike_stay_alike():
    model = MLP([2, 6, 1], np.random.default_rng(0))
    for W in model.parameters()[::2]:
        W.data = np.full(W.shape, 0.5)
    train(model, *XOR, logistic_loss, rate=1.0, steps=50)
    W = model.parameters()[0].data
    np.testing.assert_allclose(W, np.repeat(W[:, :1], 6, axis=1), atol=1e-12)
    assert ((predict(model, XOR[0]) > 0) != (XOR[1] > 0)).any()


def test_a_small_rate_never_raises_the_loss():
    rng = np.random.default_rng(2)
    X, y = rng.standard_normal((40, 2)), rng.integers(0, 2, (40, 1)).astype(float)
    losses = train(MLP([2, 8, 1], rng), X, y, logistic_loss, rate=0.1, steps=200)
    assert len(losses) == 200 and np.all(np.diff(losses) < 0)


def test_training_in_two_goes_is_training_in_one():
    once, twice = (MLP([2, 4, 1], np.random.default_rng(1)) for _ in range(2))
    whole = train(once, *XOR, squared_loss, rate=0.5, steps=20)
    parts = train(twice, *XOR, squared_loss, rate=0.5, steps=8) + train(twice, *XOR, squared_loss, rate=0.5, steps=12)
    assert whole == parts


@pytest.mark.parametrize("seed", range(5))
def test_xor_is_solved_from_any_start_with_sixteen_units(seed):
    model = MLP([2, 16, 1], np.random.default_rng(seed))
    train(model, *XOR, logistic_loss, rate=2.0, steps=120)
    np.testing.assert_array_equal(predict(model, XOR[0]) > 0, XOR[1] > 0)


def test_a_linear_stack_cannot_solve_xor():
    model = MLP([2, 1], np.random.default_rng(0))
    losses = train(model, *XOR, logistic_loss, rate=1.0, steps=2000)
    assert losses[-1] == pytest.approx(np.log(2), abs=1e-6)


@pytest.mark.parametrize("n", [1, 2, 4, 64, 512])
def test_the_polyline_is_off_by_one_over_four_n_squared_on_x_squared(n):
    knots = np.linspace(0, 1, n + 1)
    middle = (knots[:-1] + knots[1:]) / 2
    error = predict(polyline(knots, knots**2), middle[:, None])[:, 0] - middle**2
    np.testing.assert_allclose(error, 1 / (4 * n * n), rtol=1e-6)


def test_signals_keep_their_size_through_a_layer_of_any_width():
    X = np.random.default_rng(1).standard_normal((100, 400))
    for width in (25, 400):
        output = predict(MLP([400, width], np.random.default_rng(0)), X)
        assert output.std() == pytest.approx(1.0, rel=0.05)


def test_the_logistic_loss_of_certain_answers_is_their_distance():
    z = Tensor(np.array([[1e4], [-1e4]]), requires_grad=True)
    assert logistic_loss(z, np.array([[0.0], [1.0]])).item() == 1e4
    assert logistic_loss(z, np.array([[1.0], [0.0]])).item() == 0.0
