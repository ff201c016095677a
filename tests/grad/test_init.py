"""First weights: SciPy's integrals, PyTorch's initialisers, and variances that are measured."""

import math

import numpy as np
import pytest
import torch
from scipy import integrate, stats

from groundup.grad.init import gain, he, initialise, lsuv, orthogonal, xavier
from groundup.grad.network import ACTIVATIONS, Network
from groundup.grad.optim import SGD

FUNCTIONS = {"relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "gelu": torch.nn.functional.gelu}


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_gain_undoes_the_second_moment_of_its_nonlinearity(activation):
    def square(z):
        return FUNCTIONS[activation](torch.tensor(z, dtype=torch.float64)).item() ** 2 * stats.norm.pdf(z)

    moment = integrate.quad(square, -12, 0)[0] + integrate.quad(square, 0, 12)[0]
    assert gain(activation) == pytest.approx(1 / math.sqrt(moment), rel=1e-8)


def test_the_gain_of_relu_is_pytorchs_and_a_line_has_none():
    assert gain("relu") == pytest.approx(torch.nn.init.calculate_gain("relu"), rel=1e-13)
    assert gain("linear") == 1.0
    with pytest.raises(ValueError, match="swish"):
        gain("swish")


@pytest.mark.parametrize("uniform", [False, True])
@pytest.mark.parametrize(("fan_in", "fan_out"), [(200, 200), (400, 100), (100, 400)])
def test_the_laws_of_xavier_and_he_are_pytorchs(fan_in, fan_out, uniform):
    rng = np.random.default_rng(fan_in)
    expected = {xavier: math.sqrt(2 / (fan_in + fan_out)), he: math.sqrt(2 / fan_in)}
    empty = torch.empty(fan_out, fan_in, dtype=torch.float64)  # theirs is the transpose
    generator = torch.Generator().manual_seed(0)
    theirs = {
        xavier: (torch.nn.init.xavier_uniform_ if uniform else torch.nn.init.xavier_normal_)(
            empty, generator=generator
        ),
    }
    for rule, deviation in expected.items():
        W = rule(fan_in, fan_out, rng, uniform=uniform)
        law = (
            stats.uniform(-math.sqrt(3) * deviation, 2 * math.sqrt(3) * deviation)
            if uniform
            else stats.norm(0, deviation)
        )
        assert W.shape == (fan_in, fan_out)
        assert stats.kstest(W.ravel(), law.cdf).pvalue > 1e-4
        if rule in theirs:
            assert stats.ks_2samp(W.ravel(), theirs[rule].numpy().ravel()).pvalue > 1e-4


def test_a_gain_multiplies_the_weights():
    for rule in (xavier, he, orthogonal):
        one, three = (rule(4, 3, np.random.default_rng(0), gain=g) for g in (1.0, 3.0))
        np.testing.assert_allclose(three, 3 * one, rtol=1e-14)


@pytest.mark.parametrize(("n", "m"), [(5, 5), (7, 3), (3, 7), (1, 4), (4, 1), (1, 1)])
def test_orthogonal_weights_keep_lengths(n, m):
    W = orthogonal(n, m, np.random.default_rng(n * m), gain=2.0)
    short = W.T @ W if n >= m else W @ W.T
    assert W.shape == (n, m)
    np.testing.assert_allclose(short, 4 * np.eye(min(n, m)), atol=1e-13)


def test_orthogonal_weights_prefer_no_direction():
    rng = np.random.default_rng(0)
    draws = np.array([orthogonal(3, 3, rng) for _ in range(2000)])
    np.testing.assert_allclose(draws.mean(axis=0), 0, atol=0.06)  # five standard errors
    np.testing.assert_allclose((draws**2).mean(axis=0), 1 / 3, atol=0.035)
    assert 0.45 < (np.linalg.det(draws) > 0).mean() < 0.55


def test_a_net_begun_anew_is_the_same_arrays_and_an_optimiser_goes_on_with_them():
    net = Network([3, 4, 2], np.random.default_rng(0))
    for b in net.params[1::2]:
        b += 1.0
    opt, held = SGD(net.params, lr=0.1), list(net.params)
    assert initialise(net, he, np.random.default_rng(1)) is net
    assert all(p is q for p, q in zip(held, net.params))
    assert all((b == 0).all() for b in net.params[1::2])
    before = net.params[0].copy()
    opt.step([np.ones_like(p) for p in net.params])
    np.testing.assert_allclose(net.params[0], before - 0.1)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_after_lsuv_every_layer_computes_numbers_of_variance_one(activation, dtype):
    rng = np.random.default_rng(3)
    net = Network([6, 9, 9, 9, 4], rng, activation, dtype)
    for W, b in zip(net.params[::2], net.params[1::2]):
        W *= 7
        b += (0.2 * rng.standard_normal(b.shape)).astype(dtype)
    directions = [W / np.linalg.norm(W) for W in net.params[::2]]
    biases = [b.copy() for b in net.params[1::2]]
    X = 5 * rng.standard_normal((40, 6))
    narrow = dtype == np.float32
    assert lsuv(net, X, tolerance=1e-5 if narrow else 1e-10) is net
    for z in [*net.pre_activations(X), net.forward(X)[0]]:
        assert np.var(z) == pytest.approx(1.0, abs=2e-5 if narrow else 2e-10)
    for W, direction, b, before in zip(net.params[::2], directions, net.params[1::2], biases):
        np.testing.assert_allclose(W / np.linalg.norm(W), direction, rtol=1e-4 if narrow else 1e-12)
        assert np.array_equal(b, before)
        assert W.dtype == dtype


def test_lsuv_a_second_time_changes_nothing():
    rng = np.random.default_rng(0)
    net, X = Network([5, 8, 3], rng, "tanh"), rng.standard_normal((20, 5))
    lsuv(net, X)
    before = [p.copy() for p in net.params]
    lsuv(net, X)
    assert all(np.array_equal(p, q) for p, q in zip(before, net.params))


@pytest.mark.parametrize("break_it", ["zero", "bias", "nan"])
def test_lsuv_says_so_where_no_scale_helps(break_it):
    net = Network([2, 3, 2], np.random.default_rng(0), "tanh")
    if break_it == "bias":
        net.params[1][...] = [-30.0, 0.0, 30.0]
    else:
        net.params[0][...] = 0.0 if break_it == "zero" else np.nan
    with pytest.raises(ValueError, match="layer 1"):
        lsuv(net, np.eye(2))
