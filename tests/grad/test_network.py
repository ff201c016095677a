"""A network by hand: PyTorch's autograd as the oracle for whole batches, differences for good measure."""

import numpy as np
import pytest
import torch

from groundup.grad.check import gradient_check
from groundup.grad.network import ACTIVATIONS, Network

FUNCTIONS = {"relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "gelu": torch.nn.functional.gelu}


def case(sizes, n, activation, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    net = Network(sizes, rng, activation, dtype)
    for b in net.params[1::2]:
        b += rng.standard_normal(b.shape).astype(dtype)
    return net, rng.standard_normal((n, sizes[0])), rng.integers(0, sizes[-1], n)


def in_torch(net, X, labels):
    leaves = [torch.tensor(p, requires_grad=True) for p in net.params]
    h, before, after = torch.tensor(X.astype(net.params[0].dtype)), [], []
    for i in range(0, len(leaves), 2):
        if i:
            before.append(h)
            h = FUNCTIONS[net.activation](h)
            after.append(h)
        h = h @ leaves[i] + leaves[i + 1]
    loss = torch.nn.functional.cross_entropy(h, torch.tensor(labels))
    loss.backward()
    return h, before, after, loss.item(), [leaf.grad.numpy() for leaf in leaves]


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(("sizes", "n"), [([3, 2], 4), ([5, 7, 3], 1), ([4, 4, 4, 4], 6), ([20, 30, 10, 5, 3], 50)])
def test_the_gradient_of_a_whole_batch_equals_autograd(sizes, n, activation):
    net, X, labels = case(sizes, n, activation)
    scores, before, after, loss, grads = in_torch(net, X, labels)
    ours, our_grads = net.loss_and_grads(X, labels)
    assert isinstance(ours, float)
    np.testing.assert_allclose(ours, loss, rtol=1e-13)
    np.testing.assert_allclose(net.forward(X)[0], scores.detach().numpy(), atol=1e-12)
    assert len(our_grads) == len(net.params)
    for g, theirs in zip(our_grads, grads):
        np.testing.assert_allclose(g, theirs, atol=1e-13)
    for found, expected in ((net.pre_activations(X), before), (net.activations(X), after)):
        assert len(found) == len(expected) == len(sizes) - 2
        for a, b in zip(found, expected):
            np.testing.assert_allclose(a, b.detach().numpy(), atol=1e-12)


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "gelu"])
def test_gradients_pass_the_check_by_differences(activation):
    net, X, labels = case([3, 4, 2], 5, activation)
    _, grads = net.loss_and_grads(X, labels)
    for p, g in zip(net.params, grads):
        kept = p.copy()

        def loss(value, p=p):
            p[...] = value
            return net.loss_and_grads(X, labels)[0]

        check = gradient_check(loss, g, kept, tolerance=1e-7)
        p[...] = kept
        assert check.passed, check


def test_backward_takes_any_upstream_gradient_and_may_be_called_again():
    net, X, _ = case([3, 4, 3], 5, "relu")
    scores, caches = net.forward(X)
    up = np.random.default_rng(1).standard_normal(scores.shape)
    one, two, again = net.backward(up, caches), net.backward(-2 * up, caches), net.backward(up, caches)
    for a, b, c in zip(one, two, again):
        np.testing.assert_allclose(-2 * a, b, atol=1e-14)
        assert np.array_equal(a, c)


def test_the_gradient_of_a_batch_is_the_mean_over_its_samples():
    net, X, labels = case([4, 6, 3], 8, "gelu")
    _, whole = net.loss_and_grads(X, labels)
    single = [net.loss_and_grads(X[i : i + 1], labels[i : i + 1])[1] for i in range(8)]
    for place, g in enumerate(whole):
        np.testing.assert_allclose(g, np.mean([s[place] for s in single], axis=0), atol=1e-14)


def test_what_is_written_into_params_is_what_the_network_computes_with():
    net, X, labels = case([4, 8, 3], 20, "tanh")
    held = list(net.params)
    losses = []
    for _ in range(100):
        loss, grads = net.loss_and_grads(X, labels)
        losses.append(loss)
        for p, g in zip(held, grads):
            p -= 0.5 * g
    assert all(p is q for p, q in zip(held, net.params))
    assert losses[-1] < 0.5 * losses[0]
    assert (net.predict(X) == net.forward(X)[0].argmax(axis=1)).all()


@pytest.mark.parametrize(("activation", "gain"), [("relu", 2), ("tanh", 1), ("sigmoid", 1), ("gelu", 1)])
def test_first_weights_have_the_variance_that_was_promised(activation, gain):
    params = Network([400, 300, 200], np.random.default_rng(5), activation).params
    assert [p.shape for p in params] == [(400, 300), (300,), (300, 200), (200,)]
    for W, b in zip(params[::2], params[1::2]):
        assert abs(W.var() * len(W) / gain - 1) < 0.03
        assert abs(W.mean()) < 0.02 * W.std()
        assert not b.any()


def test_weights_depend_on_the_generator_alone():
    one, same, other = (Network([3, 4, 2], np.random.default_rng(seed)).params for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(one, same))
    assert not np.array_equal(one[0], other[0])


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_network_in_float32_computes_in_float32_whatever_it_is_fed(activation):
    net, X, labels = case([3, 5, 2], 4, activation, np.float32)
    for inputs in (X, X.astype(np.float32), np.arange(12, dtype=np.uint8).reshape(4, 3)):
        _, grads = net.loss_and_grads(inputs, labels)
        arrays = [*grads, net.forward(inputs)[0], *net.activations(inputs), *net.pre_activations(inputs)]
        assert {a.dtype for a in arrays} == {np.dtype(np.float32)}


def test_an_unknown_activation_is_refused():
    with pytest.raises(ValueError, match="softplus"):
        Network([2, 2], np.random.default_rng(0), activation="softplus")
