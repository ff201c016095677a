"""Instruments: PyTorch's autograd for slopes, plain loops for shares, curves that were drawn to be what they are."""

import math

import numpy as np
import pytest
import torch

from groundup.grad.network import ACTIVATIONS, Network
from groundup.grad.probe import (
    CURVES,
    SATURATED,
    STEEPEST,
    activation_statistics,
    dead_units,
    gradient_statistics,
    loss_curve,
    update_ratios,
)

FUNCTIONS = {"relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "gelu": torch.nn.functional.gelu}


def slopes(activation, z):
    leaf = torch.tensor(z, requires_grad=True)
    FUNCTIONS[activation](leaf).sum().backward()
    return leaf.grad.numpy()


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_steepest_slope_is_the_steepest(activation):
    z = np.linspace(-8, 8, 160_001)
    assert np.abs(slopes(activation, z)).max() == pytest.approx(STEEPEST[activation], abs=5e-5)


@pytest.mark.parametrize("n", [1, 7])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_statistics_of_activations_are_those_of_all_numbers_of_a_layer(activation, n):
    rng = np.random.default_rng(n)
    net = Network([3, 6, 5, 2], rng, activation)
    for p in net.params:
        p += rng.standard_normal(p.shape)
    X = rng.standard_normal((n, 3))
    found = activation_statistics(net, X)
    for i, (z, h) in enumerate(zip(net.pre_activations(X), net.activations(X))):
        values = torch.tensor(h).flatten()
        assert found["mean"][i] == pytest.approx(values.mean().item(), abs=1e-13)
        assert found["std"][i] == pytest.approx(values.std(correction=0).item(), abs=1e-13)
        small = np.abs(slopes(activation, z)) < SATURATED * STEEPEST[activation]
        assert found["saturated"][i] == small.sum() / small.size
    assert all(column.shape == (2,) for column in found.values())


def test_dead_is_a_unit_that_is_zero_for_every_sample():
    net = Network([1, 4, 2], np.random.default_rng(0))
    net.params[0][...] = [[1.0, -1.0, 1.0, 0.0]]
    net.params[1][...] = [0.0, 0.0, -5.0, 0.0]  # 0 for some, 0 for others, always 0, and exactly 0
    assert dead_units(net, np.array([[1.0], [-1.0]])).tolist() == [0.5]
    assert dead_units(net, np.array([[1.0]])).tolist() == [0.75]


def test_a_dead_unit_gets_no_gradient_and_one_that_lives_does():
    rng = np.random.default_rng(0)
    net = Network([4, 10, 3], rng)
    net.params[1][:6] = -50.0
    X, labels = rng.standard_normal((30, 4)), rng.integers(0, 3, 30)
    _, grads = net.loss_and_grads(X, labels)
    untouched = (grads[0] == 0).all(axis=0)
    assert dead_units(net, X)[0] == untouched.mean() == 0.6
    assert gradient_statistics(net.params, grads)["zeros"][0] == 0.6


def test_statistics_of_gradients_leave_out_biases():
    rng = np.random.default_rng(1)
    params = [rng.standard_normal(s) for s in ((4, 3), (3,), (3, 2), (2,))]
    grads = [rng.standard_normal(p.shape) * (rng.random(p.shape) < 0.7) for p in params]
    found = gradient_statistics(params, grads)
    for i, (W, g) in enumerate(((params[0], grads[0]), (params[2], grads[2]))):
        assert found["norm"][i] == pytest.approx(math.sqrt(sum(v * v for v in g.ravel())), rel=1e-13)
        assert found["std"][i] == pytest.approx(torch.tensor(g).std(correction=0).item(), rel=1e-13)
        assert found["zeros"][i] == sum(v == 0 for v in g.ravel()) / g.size
        assert found["pull"][i] == pytest.approx(
            torch.linalg.norm(torch.tensor(W)).item() * found["norm"][i], rel=1e-13
        )
    assert all(column.shape == (2,) for column in found.values())


def test_the_pull_is_the_largest_change_of_the_loss_by_a_weight_of_its_own_length():
    rng = np.random.default_rng(2)
    net, X, labels = Network([4, 6, 3], rng, "tanh"), rng.standard_normal((20, 4)), rng.integers(0, 3, 20)
    _, grads = net.loss_and_grads(X, labels)
    pull = gradient_statistics(net.params, grads)["pull"]
    for layer, W in enumerate(net.params[::2]):
        g = grads[2 * layer]
        step, kept, losses = 1e-5 * np.linalg.norm(W) * g / np.linalg.norm(g), W.copy(), []
        for sign in (1, -1):
            W[...] = kept + sign * step
            losses.append(net.loss_and_grads(X, labels)[0])
        W[...] = kept
        assert (losses[0] - losses[1]) / 2e-5 == pytest.approx(pull[layer], rel=1e-6)


def test_the_pull_knows_no_units():
    """Scaling one relu layer up and the next one down leaves the function as it is, and every pull."""
    rng = np.random.default_rng(4)
    net, X, labels = Network([4, 6, 3], rng), rng.standard_normal((20, 4)), rng.integers(0, 3, 20)
    _, grads = net.loss_and_grads(X, labels)
    before = gradient_statistics(net.params, grads)["pull"]
    net.params[0] *= 50
    net.params[2] /= 50
    _, grads = net.loss_and_grads(X, labels)
    np.testing.assert_allclose(gradient_statistics(net.params, grads)["pull"], before, rtol=1e-10)


def test_update_ratios_measure_the_move_by_the_weight_before():
    W, b = np.array([[3.0, 4.0]]), np.zeros(2)
    assert update_ratios([W, b], [W + np.array([0.3, -0.4]), b + 9]).tolist() == pytest.approx([0.1])
    nothing = np.zeros((1, 2))
    with np.errstate(all="raise"):
        assert update_ratios([nothing, b, nothing, b], [W, b, nothing, b]).tolist() == [np.inf, 0.0]


def exponential(rate, n=40, first=2.0):
    return first * np.exp(rate * np.arange(n) / n)


@pytest.mark.parametrize("n", [4, 5, 7, 40])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_a_curve_has_the_same_name_at_any_scale(scale, n):
    assert loss_curve(scale * exponential(-2, n)) == "falling"
    assert loss_curve(scale * exponential(0, n)) == "flat"
    assert loss_curve(scale * exponential(3, n)) == "diverged"


def test_one_loss_does_not_make_a_curve():
    for place in range(1, 40):
        spiked = exponential(-2)
        spiked[place] = 1e6
        assert loss_curve(spiked) in ("falling", "oscillating")
        lucky = exponential(3)
        lucky[place] = 1e-6
        assert loss_curve(lucky) == "diverged"


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_seen_wherever_it_stands(bad):
    for place in range(8):
        curve = exponential(-2, 8)
        curve[place] = bad
        assert loss_curve(curve) == loss_curve(exponential(-2, 8), curve) == "not finite"


def test_a_swinging_run_oscillates_and_diverges_only_when_it_grows():
    swing = np.where(np.arange(40) % 2, 0.6, 1.4)
    assert loss_curve(swing * exponential(0)) == loss_curve(swing * exponential(-2)) == "oscillating"
    assert loss_curve(swing * exponential(3)) == "diverged"
    assert loss_curve((1 + 0.01 * (swing - 1)) * exponential(-2)) == "falling"


def test_overfitting_is_a_held_out_loss_that_has_been_lower_while_training_goes_on():
    train, back = exponential(-2), np.abs(np.arange(40) - 15) / 20 + 1
    assert loss_curve(train, back) == "overfitting"
    assert loss_curve(train, train + 5) == "falling"  # a gap alone
    assert loss_curve(exponential(0), back) == "flat"  # training does not fall
    assert loss_curve(train) == "falling"


def test_curves_that_are_too_short_or_do_not_match_are_refused():
    for losses, valid in (([1.0] * 3, None), ([1.0] * 4, [1.0] * 5), ([], None)):
        with pytest.raises(ValueError, match="losses"):
            loss_curve(losses, valid)


def test_the_names_are_a_closed_set():
    rng = np.random.default_rng(0)
    names = {
        loss_curve(np.exp(rng.normal(0, s, 12).cumsum()), np.exp(rng.normal(0, s, 12)))
        for s in (0.01, 0.1, 1.0)
        for _ in range(50)
    }
    assert names <= set(CURVES)
    assert len(names) > 3
