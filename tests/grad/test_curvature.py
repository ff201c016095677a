"""Curvature against exact Hessians: of polynomials, and of a small network by torch.autograd."""

import numpy as np
import pytest
import torch

from groundup.grad.curvature import hessian_vector_product, power_iteration, top_eigenvalue
from groundup.grad.network import Network
from groundup.grad.optim import SGD


def symmetric(rng, eigenvalues):
    Q, _ = np.linalg.qr(rng.standard_normal((len(eigenvalues), len(eigenvalues))))
    A = Q @ np.diag(eigenvalues) @ Q.T
    return (A + A.T) / 2


def with_gap(rng, size):
    """Eigenvalues of which one, +1 or -1, is clearly the largest in size."""
    return np.concatenate([[rng.choice([-1.0, 1.0])], rng.uniform(-0.9, 0.9, size - 1)])


@pytest.mark.parametrize("length", [1e-8, 1.0, 1e8])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("seed", range(3))
def test_products_are_exact_on_a_cubic_whatever_the_length_of_the_vector(seed, scale, length):
    rng = np.random.default_rng(seed)
    A, c = rng.standard_normal((5, 5)), rng.standard_normal(5)
    A = A + A.T
    params = [scale * rng.standard_normal((1, 2)), scale * rng.standard_normal(3)]
    before = [p.tobytes() for p in params]
    v = length * rng.standard_normal(5)
    w = np.concatenate([p.ravel() for p in params])

    def gradient():
        at = np.concatenate([p.ravel() for p in params])
        g = A @ at + c * at**2
        return [g[:2].reshape(1, 2), g[2:]]

    expected = A @ v + 2 * c * w * v
    found = hessian_vector_product(gradient, params, v)
    assert np.linalg.norm(found - expected) <= 1e-8 * (1 + scale) * np.linalg.norm(v)
    assert [p.tobytes() for p in params] == before


def test_the_two_points_are_where_the_contract_says():
    w = [np.array([3.0, -4.0])]
    seen = []
    hessian_vector_product(lambda: (seen.append(w[0].copy()), [np.zeros(2)])[1], w, np.array([0.0, 20.0]), h=0.5)
    np.testing.assert_allclose(seen, [[3.0, -1.0], [3.0, -7.0]])


def test_weights_are_put_back_when_the_gradient_raises():
    w = np.array([1.0, -0.0])
    with pytest.raises(ZeroDivisionError):
        hessian_vector_product(lambda: 1 // 0, [w], np.ones(2))
    assert w.tobytes() == np.array([1.0, -0.0]).tobytes()


def test_products_in_float32_are_good_to_three_digits():
    rng = np.random.default_rng(0)
    A = symmetric(rng, rng.uniform(-1, 1, 6)).astype(np.float32)
    w, v = [rng.standard_normal(6).astype(np.float32)], rng.standard_normal(6)
    found = hessian_vector_product(lambda: [A @ w[0] + w[0] ** 3], w, v)
    assert found.dtype == np.float64 and w[0].dtype == np.float32
    np.testing.assert_allclose(found, A @ v + 3 * w[0] ** 2 * v, atol=1e-2)


def test_nothing_moves_along_nothing():
    assert hessian_vector_product(lambda: 1 // 0, [np.ones(3)], np.zeros(3)).tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
@pytest.mark.parametrize("size", [1, 2, 5, 20])
@pytest.mark.parametrize("seed", range(3))
def test_power_iteration_finds_the_largest_in_size_and_top_the_largest(seed, size, scale):
    rng = np.random.default_rng(seed)
    A = scale * symmetric(rng, with_gap(rng, size))
    eigenvalues = np.linalg.eigvalsh(A)
    found = power_iteration(lambda v: A @ v, size, rng)
    assert found.value == pytest.approx(eigenvalues[np.abs(eigenvalues).argmax()], rel=1e-6)
    assert np.linalg.norm(found.vector) == pytest.approx(1.0, rel=1e-12)
    assert np.linalg.norm(A @ found.vector - found.value * found.vector) == pytest.approx(
        found.residual, abs=1e-12 * scale
    )
    assert found.residual <= 1e-6 * abs(found.value)
    assert top_eigenvalue(lambda v: A @ v, size, rng) == pytest.approx(eigenvalues[-1], abs=3e-6 * scale)


def test_two_of_the_same_size_and_opposite_signs():
    A = np.array([[0.0, 3.0], [3.0, 0.0]])
    assert power_iteration(lambda v: A @ v, 2, max_iter=50).residual > 0.1
    assert top_eigenvalue(lambda v: A @ v, 2, max_iter=500) == pytest.approx(3.0, rel=1e-6)


def test_no_curvature_and_only_negative_curvature():
    assert top_eigenvalue(lambda v: 0 * v, 4) == 0.0
    assert top_eigenvalue(lambda v: -2 * v, 4) == pytest.approx(-2.0)


@pytest.mark.parametrize("activation", ["tanh", "gelu", "sigmoid"])
def test_the_top_curvature_of_a_network_is_that_of_its_exact_hessian(activation):
    rng = np.random.default_rng(1)
    X, labels = rng.standard_normal((30, 3)), rng.integers(0, 3, 30)
    net = Network([3, 4, 3], rng, activation)
    function = {"tanh": torch.tanh, "gelu": torch.nn.functional.gelu, "sigmoid": torch.sigmoid}[activation]

    def loss(vector):
        W1, b1, W2, b2 = torch.split(vector, [12, 4, 12, 3])
        scores = function(torch.tensor(X) @ W1.reshape(3, 4) + b1) @ W2.reshape(4, 3) + b2
        return torch.nn.functional.cross_entropy(scores, torch.tensor(labels))

    vector = torch.tensor(np.concatenate([p.ravel() for p in net.params]))
    exact = torch.autograd.functional.hessian(loss, vector, vectorize=True).numpy()
    found = top_eigenvalue(
        lambda v: hessian_vector_product(lambda: net.loss_and_grads(X, labels)[1], net.params, v), 31, rng
    )
    assert found == pytest.approx(np.linalg.eigvalsh(exact)[-1], rel=1e-6)


@pytest.mark.parametrize("momentum", [0.0, 0.4, 0.9])
@pytest.mark.parametrize("seed", range(5))
def test_descent_converges_just_below_the_edge_and_diverges_just_above(seed, momentum):
    rng = np.random.default_rng(seed)
    A = symmetric(rng, np.concatenate([[1.0], rng.uniform(0.1, 0.9, 5)])) * 10.0 ** rng.uniform(-3, 3)
    edge = 2 * (1 + momentum) / top_eigenvalue(lambda v: A @ v, 6)
    for share, bound in ((0.99, -1), (1.01, 1)):
        w = rng.standard_normal(6)
        begun = np.linalg.norm(w)
        optimiser = SGD([w], lr=share * edge, momentum=momentum)
        for _ in range(600):
            optimiser.step([A @ w])
        assert bound * np.log10(np.linalg.norm(w) / begun) > 2
