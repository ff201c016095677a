"""Modules: their books against PyTorch's and against the attributes themselves, their layers against PyTorch's, on any engine."""

import ast
import copy
import inspect
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from groundup.course.holes.library import reference_text
from groundup.course.overlay import Library, Overlay, from_sources
from groundup.grad import data, draw, fit, fused, losses, modules, nn, optim
from groundup.grad.nn import BatchNorm, Conv2d, Dropout, Flatten, Linear, MaxPool2d, Module, Parameter, ReLU, Sequential
from groundup.grad.tensor import Tensor

torch = pytest.importorskip("torch", reason="torch is an extra, and is not installed here")
F = torch.nn.functional
ROOT = Path(__file__).parents[2]


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


# ---- An engine of one's own

GIVEN = ["ops", "fused", "nn", "losses", "modules"]
LAYERS = ["dense", "norm", "conv", "recurrent", "attention"]


@pytest.fixture(scope="module", params=["second", "adapter"])
def another(request):
    """The framework, word for word, on an engine that was written differently, or on PyTorch's."""
    path = ROOT / "tests" / "solutions" / "1.4" / f"{request.param}.py"
    names = [f"grad.{name}" for name in GIVEN] + [f"grad.layers.{name}" for name in LAYERS]
    sources = {name: (name, reference_text(name)) for name in names} | {"grad.tensor": (str(path), path.read_text())}
    overlay = Overlay("another", from_sources(sources)).install()
    lib = Library("another").grad
    yield SimpleNamespace(**{name: getattr(lib, name) for name in [*GIVEN, "tensor"]})
    overlay.remove()


HERE = SimpleNamespace(nn=nn, losses=losses, modules=modules, fused=fused)


def multilayer(lib, rng, f64):
    n = lib.nn
    net = n.Sequential(n.Linear(5, 8, rng, **f64), n.BatchNorm(8, **f64), n.ReLU(), n.Dropout(0.2, np.random.default_rng(3)), n.Linear(8, 3, rng, **f64))  # fmt: skip
    return net, normal(24, 5)


def convolutional(lib, rng, f64):
    n = lib.nn
    first = n.Sequential(
        n.Conv2d(2, 4, 3, rng, padding=1, groups=2, **f64), n.BatchNorm(4, **f64), n.ReLU(), n.MaxPool2d(2)
    )
    return n.Sequential(first, n.Conv2d(4, 3, (2, 1), rng, stride=(1, 2), bias=False, **f64), n.Flatten(), n.Linear(6, 3, rng, **f64)), normal(24, 2, 6, 4)  # fmt: skip


def recurrent(lib, rng, f64):
    m = lib.modules

    class Reader(lib.nn.Module):
        def __init__(self):
            self.words = m.Embedding(7, 6, rng, **f64)
            self.layers = [m.LSTM(6, 6, rng, **f64), m.GRU(6, 6, rng, **f64), m.RNN(6, 6, rng, **f64)]
            self.looks = m.MultiHeadAttention(6, 2, rng, causal=True, **f64)
            self.norms = (m.LayerNorm(6, **f64), m.GroupNorm(2, 6, **f64))
            self.out = lib.nn.Sequential(
                m.Tanh(), m.Sigmoid(), m.GELU(), m.GELU("tanh"), lib.nn.Linear(6, 3, rng, **f64)
            )

        def forward(self, ids):
            x = self.words(ids)
            for layer in self.layers:
                x = layer(x)
            x = self.norms[0](x + self.looks(x))
            return self.out(self.norms[1](x.mean(axis=1)))

    return Reader(), np.random.default_rng(1).integers(0, 7, (24, 5))


LOSSES = {
    "cross_entropy": lambda loss, scores, y: loss.cross_entropy(scores, y, 0.1, np.array([1.0, 2.0, 0.5])),
    "mean_squared_error": lambda loss, scores, y: loss.mean_squared_error(scores, np.eye(3)[y]),
    "mean_absolute_error": lambda loss, scores, y: loss.mean_absolute_error(scores, np.eye(3)[y]),
    "huber": lambda loss, scores, y: loss.huber(scores, np.eye(3)[y], 0.5),
    "binary_cross_entropy": lambda loss, scores, y: loss.binary_cross_entropy(scores, np.eye(3)[y]),
}


def trained(lib, made, loss):
    """The losses of twenty steps, and what the network says then."""
    net, X = made(lib, np.random.default_rng(0), {"dtype": np.float64})
    y = np.random.default_rng(2).integers(0, 3, len(X))
    model = lib.nn.Trainable(net, lambda scores, y: LOSSES[loss](lib.losses, scores, y))
    optimiser, seen = optim.Adam(model.params, lr=0.01), []
    for step in range(20):
        rows = np.arange(8 * step, 8 * step + 8) % len(X)
        value, grads = model.loss_and_grads(X[rows], y[rows])
        optimiser.step(grads)
        seen.append(value)
    return seen, model.predict(X), net.state_dict()


@pytest.mark.parametrize(
    ("made", "loss"),
    [*((multilayer, loss) for loss in LOSSES), (convolutional, "cross_entropy"), (recurrent, "cross_entropy")],
)
def test_on_another_engine_the_same_training_gives_the_same_losses(another, made, loss):
    seen, said, state = trained(another, made, loss)
    expected, said_here, state_here = trained(HERE, made, loss)
    assert seen[-1] < seen[0]
    np.testing.assert_allclose(seen, expected, rtol=0, atol=1e-10)
    np.testing.assert_array_equal(said, said_here)
    assert list(state) == list(state_here)


def test_only_the_engines_contract_is_used():
    for module in (nn, losses, modules, fused):
        tree = ast.parse(inspect.getsource(module))
        imports = [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module == "tensor"]
        assert {alias.name for n in imports for alias in n.names} <= {"Tensor", "operation", "no_grad"}
        assert "_links" not in inspect.getsource(module)


# ---- The books


def grown(rng, depth=3):
    """A module with attributes of every sort, at random, some of them shared."""
    module, shared = Module(), Parameter(rng.standard_normal(2))

    def grow(module, depth):
        for name in "abcd"[: rng.integers(1, 5)]:
            kind = rng.integers(8 if depth else 5)
            if kind == 0:
                value = Parameter(rng.standard_normal(rng.integers(1, 3)))
            elif kind == 1:
                value = rng.standard_normal(2)
            elif kind == 2:
                value = shared
            elif kind == 3:
                value = [None, 3, "text", {"a": shared}][rng.integers(4)]
            elif kind == 4:
                value = [Parameter(rng.standard_normal(1)), 5, rng.standard_normal(1)]
            elif kind == 5:
                value = grow(Module(), depth - 1)
            else:
                value = (list, tuple)[kind - 6](grow(Module(), depth - 1) for _ in range(rng.integers(3)))
            setattr(module, name, value)
        return module

    return grow(module, depth)


def found_at(module, path):
    """What a path leads to, by attributes and by places in lists."""
    for name in path.split("."):
        module = module[int(name)] if isinstance(module, list | tuple) else getattr(module, name)
    return module


@pytest.mark.parametrize("seed", range(20))
def test_a_path_leads_to_its_object_and_every_object_has_one(seed):
    module, reached, paths = grown(np.random.default_rng(seed)), {}, []

    def reach(value, path):  # everything by every path, shared ones too
        if isinstance(value, Parameter | np.ndarray):
            reached[id(value)] = value
        if isinstance(value, Module):
            for name, inner in vars(value).items():
                reach(inner, f"{path}.{name}")
        if isinstance(value, list | tuple):
            for i, inner in enumerate(value):
                reach(inner, f"{path}.{i}")

    reach(module, "")
    for kind in (Parameter, np.ndarray):
        for path, value in module.named(kind).items():
            assert found_at(module, path) is value
            paths.append(path)
            del reached[id(value)]  # so each is there once
    assert not reached
    assert list(module.state_dict()) == paths


@pytest.mark.parametrize("seed", range(5))
def test_the_mode_and_forgetting_reach_everything(seed):
    module = grown(np.random.default_rng(seed))
    for parameter in module.parameters():
        (parameter * 2.0).sum().backward()
    for mode in (False, True):
        assert module.train(mode) is module
        assert {part.training for part in [module, *module.named(Module).values()]} == {mode}
    assert module.eval() is module and not module.training
    module.zero_grad()
    assert all(parameter.grad is None for parameter in module.parameters())


def test_paths_are_pytorchs():
    rng = np.random.default_rng(0)
    ours = Sequential(Linear(2, 3, rng), Sequential(Conv2d(1, 2, 3, rng), ReLU()), Linear(3, 2, rng, bias=False))
    theirs = torch.nn.Sequential(
        torch.nn.Linear(2, 3),
        torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.ReLU()),
        torch.nn.Linear(3, 2, bias=False),
    )
    assert list(ours.state_dict()) == list(theirs.state_dict())


def test_a_parameter_is_the_array_it_was_given():
    array = normal(3)
    parameter = Parameter(array)
    assert parameter.data is array and parameter.requires_grad and isinstance(parameter, Tensor)


def test_a_shared_weight_is_learned_once_with_the_gradients_of_all_its_uses():
    rng = np.random.default_rng(0)
    one, two = Linear(3, 3, rng, dtype=np.float64), Linear(3, 3, rng, dtype=np.float64)
    two.weight = one.weight
    net = Sequential(one, ReLU(), two)
    assert list(net.named(Parameter)) == ["0.weight", "0.bias", "2.bias"]
    net(Tensor(normal(4, 3))).sum().backward()
    W = torch.tensor(one.weight.data, requires_grad=True)
    (torch.relu(torch.tensor(normal(4, 3)) @ W) @ W).sum().backward()
    np.testing.assert_allclose(one.weight.grad, W.grad, atol=1e-12)


def test_a_module_can_be_copied_deeply():
    net = Sequential(Linear(2, 2, np.random.default_rng(0)), BatchNorm(2))
    twin = copy.deepcopy(net)
    twin.parameters()[0].data[...] = 0
    assert net.parameters()[0].data.all()


def test_calling_a_module_without_forward_says_so():
    with pytest.raises(NotImplementedError, match="Module has no forward"):
        Module()(1)


def test_what_is_no_module_is_refused_by_sequential():
    with pytest.raises(TypeError, match="entry 1 is no Module, but a"):
        Sequential(ReLU(), np.tanh)


# ---- State


def two_layers():
    return Sequential(Linear(2, 3, np.random.default_rng(0)), BatchNorm(3))


def test_a_state_dict_is_a_copy_and_loading_copies_again():
    net = two_layers()
    state = net.state_dict()
    for array in state.values():
        array += 1
    assert all((state[path] != array).all() for path, array in net.state_dict().items())
    held = [p.data for p in net.parameters()] + [net.named(np.ndarray)["1.running_mean"]]
    net.load_state_dict(state)
    for array in state.values():
        array *= 5
    expected = {path: array / 5 for path, array in state.items()}
    for path, array in net.state_dict().items():
        np.testing.assert_allclose(array, expected[path], rtol=1e-6)
    assert all(a is p.data for a, p in zip(held, net.parameters()))
    assert net.named(np.ndarray)["1.running_mean"] is held[-1]


def test_an_optimiser_goes_on_after_loading():
    net = two_layers()
    optimiser, state = optim.SGD([p.data for p in net.parameters()], lr=1.0), net.state_dict()
    optimiser.step([np.ones_like(p.data) for p in net.parameters()])
    net.load_state_dict(state)
    optimiser.step([np.ones_like(p.data) for p in net.parameters()])
    np.testing.assert_allclose(net.state_dict()["0.weight"], state["0.weight"] - 1)


@pytest.mark.parametrize(
    ("damage", "error", "says"),
    [
        (lambda s: s.pop("1.running_var"), KeyError, "missing .'1.running_var'., unknown .."),
        (lambda s: s.update(other=np.zeros(2)), KeyError, "missing .., unknown .'other'."),
        (lambda s: s.update({"1.running_var": np.ones((3, 1))}), ValueError, r"1.running_var has shape \(3,\) here, and \(3, 1\)"),
        (lambda s: s.update({"1.running_var": 1.0}), ValueError, r"and \(\) in the state dict"),
        (lambda s: s.update({"1.running_var": np.ones(3, complex)}), TypeError, "same_kind"),
        (lambda s: s.update({"1.running_var": np.array(["a", "b", "c"])}), TypeError, "same_kind"),
    ],
)  # fmt: skip
def test_a_state_that_does_not_fit_changes_nothing(damage, error, says):
    net = two_layers()
    before, state = net.state_dict(), {path: array + 1 for path, array in net.state_dict().items()}
    damage(state)
    with pytest.raises(error, match=says):
        net.load_state_dict(state)
    for path, array in net.state_dict().items():
        np.testing.assert_array_equal(array, before[path])


def test_arrays_of_the_module_itself_may_be_loaded():
    net = Module()
    net.a, net.b = Parameter(np.array([1.0])), Parameter(np.array([2.0]))
    net.load_state_dict({"a": net.b.data, "b": net.a.data})
    assert (net.a.item(), net.b.item()) == (2.0, 1.0)


def test_float64_goes_into_float32():
    net = Linear(2, 2, np.random.default_rng(0))
    net.load_state_dict({"weight": np.full((2, 2), 0.1), "bias": np.ones(2)})
    assert net.weight.dtype == np.float32 and net.weight.data[0, 0] == np.float32(0.1)


# ---- Layers. Everything else about their values is asked in tests of layers/ and of fused.py


def through(layer, x, upstream):
    x = Tensor(x, requires_grad=True)
    y = layer(x)
    y.backward(upstream)
    return y.data, [x.grad, *(p.grad for p in layer.parameters())]


def torch_through(layer, x, upstream):
    x = torch.tensor(x, requires_grad=True)
    y = layer(x)
    y.backward(torch.tensor(upstream))
    return y.detach().numpy(), [x.grad.numpy(), *(p.grad.numpy() for p in layer.parameters())]


@pytest.mark.parametrize(
    "options", [{}, {"stride": 2}, {"padding": (1, 2)}, {"dilation": 2, "groups": 2}, {"bias": False}]
)
@pytest.mark.parametrize("size", [3, (2, 1)])
def test_a_convolution_with_every_option_is_pytorchs(options, size):
    ours = Conv2d(4, 6, size, np.random.default_rng(0), dtype=np.float64, **options)
    theirs = torch.nn.Conv2d(4, 6, size, dtype=torch.float64, **options)
    theirs.load_state_dict({path: torch.tensor(array) for path, array in ours.state_dict().items()})
    x = normal(2, 4, 7, 6)
    upstream = normal(*theirs(torch.tensor(x)).shape, seed=1)
    for a, b in zip(through(ours, x, upstream), torch_through(theirs, x, upstream)):
        for one, other in zip(a, b):
            np.testing.assert_allclose(one, other, atol=1e-11)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("batch", [(), (1,), (2, 3)])
def test_a_linear_layer_is_pytorchs(bias, batch):
    ours = Linear(4, 3, np.random.default_rng(0), bias, np.float64)
    theirs = torch.nn.Linear(4, 3, bias, dtype=torch.float64)
    theirs.load_state_dict({path: torch.tensor(array.T) for path, array in ours.state_dict().items()})
    x, upstream = normal(*batch, 4), normal(*batch, 3, seed=1)
    (y, grads), (z, expected) = through(ours, x, upstream), torch_through(theirs, x, upstream)
    np.testing.assert_allclose(y, z, atol=1e-12)
    expected[1] = expected[1].T
    for one, other in zip(grads, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)


def test_batch_norm_over_many_batches_is_pytorchs():
    ours, theirs = (
        BatchNorm(3, momentum=0.3, dtype=np.float64),
        torch.nn.BatchNorm2d(3, momentum=0.3, dtype=torch.float64),
    )
    for i in range(6):
        mode = i not in (2, 5)
        ours.train(mode), theirs.train(mode)
        x, upstream = normal(4, 3, 2, 2, seed=i), normal(4, 3, 2, 2, seed=9 + i)
        np.testing.assert_allclose(through(ours, x, upstream)[0], torch_through(theirs, x, upstream)[0], atol=1e-12)
        np.testing.assert_allclose(ours.running_mean, theirs.running_mean, atol=1e-13)
        np.testing.assert_allclose(ours.running_var, theirs.running_var, atol=1e-13)


def test_dropout_draws_by_its_generator_and_only_in_training():
    layer, x = Dropout(0.25, np.random.default_rng(1)), Tensor(np.ones((40, 50)))
    kept = np.random.default_rng(1).random((40, 50)) >= 0.25
    np.testing.assert_allclose(layer(x).data, kept / 0.75)
    state = layer.generator.bit_generator.state
    np.testing.assert_array_equal(layer.eval()(x).data, x.data)
    assert layer.generator.bit_generator.state == state
    with pytest.raises(ValueError, match="rate"):
        Dropout(1.0, np.random.default_rng(1))(x)


def test_pooling_and_flattening_are_pytorchs():
    x = normal(2, 3, 5, 6)
    for options in ({}, {"stride": 1}, {"padding": 1}):
        y = Sequential(MaxPool2d(2, **options), ReLU(), Flatten())(Tensor(x))
        expected = torch.relu(F.max_pool2d(torch.tensor(x), 2, **options)).flatten(1)
        np.testing.assert_array_equal(y.data, expected)
    assert Flatten()(Tensor(np.zeros((0, 2, 3)))).shape == (0, 6)


@pytest.mark.parametrize("shape", [(400, 300), (300, 400)])
def test_first_weights_have_the_variance_of_their_fan_in(shape):
    rng = np.random.default_rng(0)
    for weight, fan_in in (
        (Linear(*shape, rng).weight, shape[0]),
        (Conv2d(32, 64, (3, 5), rng, groups=4).weight, 8 * 15),
    ):
        deviations = np.sqrt(2 / weight.size)
        assert weight.dtype == np.float32
        assert abs(np.var(weight.data, dtype=np.float64) * fan_in / 2 - 1) < 5 * deviations


def test_a_network_can_be_drawn():
    net = Sequential(Linear(2, 3, np.random.default_rng(0)), ReLU(), Linear(3, 1, np.random.default_rng(0)))
    text = draw.draw(net(Tensor(np.ones((1, 2), np.float32))), names=net.named(Parameter))
    assert all(f">{name}<" in text for name in ("0.weight", "2.bias", "affine", "relu"))


# ---- Trainable


class Idle(Module):
    """Two scores, and a parameter that has nothing to do with them."""

    def __init__(self, rng):
        self.idle = Parameter(np.ones(2))
        self.body = Sequential(
            Linear(3, 4, rng, dtype=np.float64), Dropout(0.5, rng), Linear(4, 2, rng, dtype=np.float64)
        )
        self.recorded = []

    def forward(self, x):
        y = self.body(x)
        self.recorded.append(y.requires_grad)
        return y


def test_a_trainable_hands_out_a_gradient_for_each_array_and_none_of_the_last_step():
    net, X, y = Idle(np.random.default_rng(0)), normal(6, 3), np.arange(6) % 2
    model = nn.Trainable(net, losses.cross_entropy)
    loss, grads = model.loss_and_grads(X, y)
    assert isinstance(loss, float) and [g.shape for g in grads] == [p.shape for p in model.params]
    assert all(a is p.data for a, p in zip(model.params, net.parameters()))
    np.testing.assert_array_equal(grads[0], np.zeros(2))
    kept = [g.copy() for g in grads]
    model.predict(X)
    assert net.recorded == [True, False] and not net.body.training
    net.body.rate = net.body.named(Dropout)["1"].rate = 0.0
    (_, one), (_, two) = model.loss_and_grads(X, y), model.loss_and_grads(X, y)
    assert net.body.training
    for a, b, c, d in zip(one, two, grads, kept):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(c, d)  # the first step's are its own still


def test_integers_go_into_the_module_as_they_are():
    rng = np.random.default_rng(0)
    net = Sequential(modules.Embedding(5, 3, rng), Flatten(), Linear(6, 2, rng))
    ids = np.array([[0, 4], [1, 1], [2, 0]])
    model = nn.Trainable(net, losses.cross_entropy)
    _, grads = model.loss_and_grads(ids, np.array([0, 1, 0]))
    assert (grads[0][3] == 0).all() and (grads[0][1] != 0).any()
    assert model.predict(ids).shape == (3,)


def test_a_training_that_was_broken_off_ends_where_the_unbroken_one_does(tmp_path):
    X, y = normal(50, 3), np.arange(50) % 2

    def run(epochs, checkpoint):
        rng = np.random.default_rng(0)
        body = [Linear(3, 8, rng), BatchNorm(8), ReLU(), Dropout(0.5, np.random.default_rng(1)), Linear(8, 2, rng)]
        net = Sequential(*body)
        model = nn.Trainable(net, losses.cross_entropy)
        fit.fit(model, optim.Adam(model.params), data.Loader(X, y, size=8), epochs, checkpoint=checkpoint)
        return net.state_dict()

    run(2, tmp_path / "broken")
    broken, whole = run(4, tmp_path / "broken"), run(4, tmp_path / "whole")
    for path, array in whole.items():
        np.testing.assert_array_equal(array, broken[path])
