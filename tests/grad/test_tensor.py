"""The tensor engine: every rule against differences, graphs against PyTorch, and what it must never do to an array."""

import gc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.grad.check import gradient_check
from groundup.grad.tensor import Tensor, no_grad, operation

TABLE = np.random.default_rng(7).uniform(0.5, 2.0, (3, 4))
B = np.random.default_rng(8).uniform(0.5, 2.0, (4, 3))
OPERATIONS = {
    "add": lambda a: a + TABLE[:, :1],
    "radd": lambda a: TABLE[0] + a,
    "sub": lambda a: a - TABLE[0],
    "rsub": lambda a: TABLE - a,
    "mul": lambda a: a * TABLE[:, :1],
    "rmul": lambda a: 3.0 * a,
    "truediv": lambda a: a / TABLE[0],
    "rtruediv": lambda a: TABLE / a,
    "both sides": lambda a: a * a / (a + 1.0) - a,
    "spread over a new axis": lambda a: a + a[:, None],
    "pow": lambda a: a**3 + a**0.5 + a**-2 + a**0 + a**1,
    "neg": lambda a: -a,
    "exp": lambda a: a.exp(),
    "log": lambda a: a.log(),
    "tanh": lambda a: a.tanh(),
    "relu": lambda a: (a - 1.2).relu(),
    "matmul": lambda a: a @ B,
    "rmatmul": lambda a: B @ a,
    "matmul with itself": lambda a: a @ a.T,
    "matmul, vector on the right": lambda a: a @ B[:, 0],
    "matmul, vector on the left": lambda a: B[0] @ a,
    "matmul, batch on the left": lambda a: np.stack([B, -B]) @ a,
    "matmul, batch on the right": lambda a: a @ np.stack([B, -B]),
    "matmul of a batch and a matrix": lambda a: a.reshape(2, 3, 2) @ B[:2],
    "sum": lambda a: a.sum() * a.sum(axis=0) + a.sum(axis=(0, 1)),
    "sum, axes kept": lambda a: a.sum(axis=-1, keepdims=True) * a,
    "mean": lambda a: a.mean() * a.mean(axis=-1),
    "max": lambda a: a.max() * a.max(axis=0) + a.max(axis=(0, 1), keepdims=True),
    "reshape": lambda a: a.reshape(2, -1) * TABLE.reshape(2, 6),
    "transpose": lambda a: a.transpose() * B + a.T,
    "transpose of three axes": lambda a: a.reshape(3, 2, 2).transpose(2, 0, 1) * TABLE.reshape(2, 3, 2),
    "getitem": lambda a: a[1:, ::-2] * a[0, 1],
    "getitem, repeats": lambda a: a[np.array([0, 2, 0])] * a[:, [1, 1, 1, 0]],
    "getitem, mask": lambda a: a[TABLE > 1.0],
    "getitem, new axis": lambda a: a[:, None] * a[None, 0, ...],
    "operation": lambda a: operation(np.sin(a.data), (a, lambda g: g * np.cos(a.data))),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_gradients_of_every_operation_agree_with_central_differences(name):
    rng = np.random.default_rng(3)
    x = rng.permutation(np.linspace(0.5, 2.0, 12)).reshape(3, 4)  # no two equal, none at relu's kink
    a = Tensor(x, requires_grad=True)
    y = OPERATIONS[name](a)
    upstream = rng.standard_normal(y.shape)
    y.backward(upstream)
    found = gradient_check(
        lambda x: float((OPERATIONS[name](Tensor(x)).data * upstream).sum()), a.grad, x, tolerance=1e-7
    )
    assert found.passed, found


def layers(x, W, b, V):
    h = (x @ W + b).tanh()  # (N, H)
    scores = (h @ V).relu() + h[:, :1] * h.mean(axis=1, keepdims=True)  # (N, C)
    return (scores.exp().sum(axis=1).log() - scores[:, 0]).mean() + (W * W).sum() / 10


@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 6), st.integers(1, 6), st.integers(0, 2**31))
@settings(max_examples=60, deadline=None)
def test_a_network_has_the_gradients_of_pytorch(n, d, h, c, seed):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(seed)
    arrays = [rng.standard_normal(shape) for shape in ((n, d), (d, h), (h,), (h, c))]
    ours = [Tensor(x, requires_grad=True) for x in arrays]
    theirs = [torch.tensor(x, requires_grad=True) for x in arrays]
    ours_loss, their_loss = layers(*ours), layers(*theirs)
    ours_loss.backward()
    their_loss.backward()
    assert ours_loss.item() == pytest.approx(their_loss.item(), abs=1e-10)
    for a, b in zip(ours, theirs):
        np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=1e-9, atol=1e-10)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_matmul_of_any_shapes_is_numpys_and_its_gradients_are_pytorchs(data):
    torch = pytest.importorskip("torch")
    n, k, m = (data.draw(st.integers(0, 3)) for _ in range(3))
    batch = data.draw(st.lists(st.integers(1, 3), max_size=2))
    ends = [([n, k], [k, m]), ([k], [k, m]), ([n, k], [k]), ([k], [k])]
    left, right = data.draw(st.sampled_from(ends))
    if len(left) == 2:
        left = [1 if data.draw(st.booleans()) else s for s in batch][data.draw(st.integers(0, 2)) :] + left
    if len(right) == 2:
        right = [1 if data.draw(st.booleans()) else s for s in batch][data.draw(st.integers(0, 2)) :] + right
    rng = np.random.default_rng(0)
    x, z = rng.standard_normal(left), rng.standard_normal(right)
    a, b = Tensor(x, requires_grad=True), Tensor(z, requires_grad=True)
    y = a @ b
    np.testing.assert_allclose(y.data, x @ z, atol=1e-12)
    upstream = rng.standard_normal(y.shape)
    y.backward(upstream)
    s, t = torch.tensor(x, requires_grad=True), torch.tensor(z, requires_grad=True)
    (s @ t).backward(torch.tensor(upstream))
    np.testing.assert_allclose(a.grad, s.grad.numpy(), atol=1e-12)
    np.testing.assert_allclose(b.grad, t.grad.numpy(), atol=1e-12)


def test_a_graph_of_100_000_operations_goes_back_and_is_freed():
    a = y = Tensor(np.ones(2), requires_grad=True)
    for _ in range(100_000):
        y = -y
    y.backward(np.array([1.0, 2.0]))
    np.testing.assert_array_equal(a.grad, [1.0, 2.0])
    del y


def test_doubling_fifty_times_visits_each_tensor_once():
    a = y = Tensor(1.0, requires_grad=True)
    for _ in range(50):
        y = y + y
    y.backward()
    assert a.grad == 2.0**50


def test_a_graph_holds_no_cycle_and_goes_with_its_result():
    gc.collect()
    gc.disable()
    try:
        a = Tensor(TABLE, requires_grad=True)
        for function in OPERATIONS.values():
            y = function(a)
            y.backward(np.ones(y.shape))
        del y
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_a_gradient_shares_memory_with_no_other_array():
    g = np.ones((2, 2))
    a, b, c = (Tensor(np.ones(shape), requires_grad=True) for shape in ((2, 2), (2, 2), (4,)))
    y = a + b - c.reshape(2, 2).T
    y.backward(g)
    arrays = [a.grad, b.grad, c.grad, g, a.data, b.data, c.data]
    for i, x in enumerate(arrays):
        assert not any(np.shares_memory(x, z) for z in arrays[i + 1 :])


def test_earlier_gradients_are_not_changed_by_a_later_backward():
    a = Tensor([1.0, 2.0], requires_grad=True)
    y = (a * a).sum()
    y.backward()
    kept = a.grad
    y.backward()
    np.testing.assert_array_equal(kept, [2.0, 4.0])
    np.testing.assert_array_equal(a.grad, [4.0, 8.0])


ALONE = [
    "pow",
    "neg",
    "exp",
    "log",
    "tanh",
    "relu",
    "both sides",
    "matmul with itself",
    "sum",
    "sum, axes kept",
    "mean",
]
ALONE += ["max", "getitem", "getitem, repeats", "getitem, mask", "operation"]


@pytest.mark.parametrize("name", ALONE)  # the others have an array of float64 in them
def test_float32_stays_float32(name):
    a = Tensor(TABLE.astype(np.float32), requires_grad=True)
    y = OPERATIONS[name](a)
    y.backward(np.ones(y.shape))
    assert (y.dtype, a.grad.dtype) == (np.float32, np.float32)


def test_a_float64_array_beside_float32_gives_float64_and_a_float32_gradient():
    a = Tensor(np.ones(2, dtype=np.float32), requires_grad=True)
    y = a * np.ones(2)
    y.backward(np.ones(2))
    assert (y.dtype, a.grad.dtype) == (np.float64, np.float32)


def test_arrays_of_floats_are_shared_and_integers_become_float64():
    x = np.arange(3.0, dtype=np.float32)
    assert Tensor(x).data is x
    assert Tensor([1, 2]).dtype == np.float64
    assert Tensor([True, False]).dtype == np.float64


def test_an_array_on_the_left_gives_a_tensor():
    a = Tensor(np.ones(3), requires_grad=True)
    for y in (np.ones(3) + a, np.ones(3) - a, np.ones(3) * a, np.ones(3) / a, np.ones((2, 3)) @ a, np.float64(2) * a):
        assert isinstance(y, Tensor)
        assert y.requires_grad


def test_no_grad_decorates_a_function():
    a = Tensor(1.0, requires_grad=True)

    @no_grad()
    def doubled():
        return a + a

    assert not doubled().requires_grad
    assert (a + a).requires_grad


def test_rows_can_be_iterated_over():
    a = Tensor(TABLE, requires_grad=True)
    sum((row * row).sum() for row in a).backward()
    np.testing.assert_allclose(a.grad, 2 * TABLE)


@pytest.mark.parametrize(("data", "text"), [(1.5, "Tensor(1.5)"), ([1.0, 2.0], "Tensor([1., 2.])")])
def test_repr_shows_the_array_and_whether_a_gradient_is_required(data, text):
    assert repr(Tensor(data)) == text
    assert repr(Tensor(data, requires_grad=True)) == text[:-1] + ", requires_grad=True)"


def test_updating_the_data_of_a_leaf_trains_it():
    a = Tensor([1.0, -2.0], requires_grad=True)
    for _ in range(100):
        loss = ((a - np.array([3.0, 0.5])) ** 2).sum()
        a.zero_grad()
        loss.backward()
        a.data -= 0.1 * a.grad
    np.testing.assert_allclose(a.data, [3.0, 0.5], atol=1e-8)
