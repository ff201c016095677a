"""The figures of lesson 3.8."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import FancyBboxPatch

from groundup.course.figures import INK
from groundup.grad import losses as all_losses
from groundup.grad.data import Loader
from groundup.grad.fit import fit
from groundup.grad.nn import BatchNorm, Linear, Module, Parameter, ReLU, Sequential, Trainable
from groundup.grad.optim import SGD
from groundup.grad.tensor import Tensor

RED, BLUE, ORANGE = "#a8402a", "#2b7a9e", "#b06c1c"


def tree():
    """The module Steps of the page, drawn from its own books."""
    rng = np.random.default_rng(0)
    net = Module()
    net.layers, net.size, net.norm = [Linear(3, 3, rng), Linear(3, 3, rng)], Parameter(np.full(3, 0.1)), BatchNorm(3)
    kinds = {path: (BLUE, p.shape) for path, p in net.named(Parameter).items()}
    kinds |= {path: (ORANGE, buffer.shape) for path, buffer in net.named(np.ndarray).items()}
    parts = {name: [path for path in kinds if path.startswith(f"{name}.")] for name in net.parts()}
    below = ["size", *(path for paths in parts.values() for path in paths)]  # from left to right
    figure, axes = plt.subplots(figsize=(9.4, 3.0))
    root, x = (3.2, 2.0), {path: 1.08 * i for i, path in enumerate(below)}
    _box(axes, *root, "net", "Steps", INK)
    for name, paths in parts.items():
        middle = float(np.mean([x[path] for path in paths]))
        _box(axes, middle, 1.0, name, type(net.parts()[name]).__name__, INK)
        _line(axes, root, (middle, 1.0))
        for path in paths:
            _box(axes, x[path], 0.0, path.removeprefix(f"{name}."), str(kinds[path][1]), kinds[path][0])
            _line(axes, (middle, 1.0), (x[path], 0.0))
    _box(axes, x["size"], 1.0, "size", str(kinds["size"][1]), BLUE)
    _line(axes, root, (x["size"], 1.0))
    axes.set_xlim(-0.6, x[below[-1]] + 0.6)
    axes.set_ylim(-0.35, 2.35)
    axes.axis("off")
    return figure


def graph():
    """What the engine has recorded for a loss: operations in a row, and the parameters below those that use them."""
    rng = np.random.default_rng(0)
    net = Sequential(Linear(4, 8, rng), ReLU(), Linear(8, 3, rng))
    paths = {id(parameter): path for path, parameter in net.named(Parameter).items()}
    node = all_losses.cross_entropy(net(Tensor(rng.standard_normal((16, 4)).astype(np.float32))), np.arange(16) % 3)
    chain = []
    while node is not None:
        chain.insert(0, node)
        node = next((operand for operand, _ in node._links if id(operand) not in paths), None)
    figure, axes = plt.subplots(figsize=(9.4, 2.2))
    for i, node in enumerate(chain):
        place = (1.12 * i, 1.0)
        _box(axes, *place, _named(node), str(node.shape), INK)
        if i:
            _line(axes, (1.12 * (i - 1), 1.0), place)
        own = [paths[id(operand)] for operand, _ in node._links if id(operand) in paths]
        for path, shift in zip(own, (-0.54, 0.54)):
            _box(axes, place[0] + shift, 0.0, path, str(net.named(Parameter)[path].shape), BLUE)
            _line(axes, (place[0] + shift, 0.0), place)
    axes.set_xlim(-1.15, 1.12 * (len(chain) - 1) + 0.6)
    axes.set_ylim(-0.35, 1.35)
    axes.axis("off")
    return figure


def losses():
    """Three losses of one error, and the slope that comes back."""
    errors = np.linspace(-4, 4, 161)
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.4, 2.7))
    for name, color, label in (
        ("mean_squared_error", INK, "square"),
        ("mean_absolute_error", ORANGE, "distance"),
        ("huber", BLUE, "Huber, delta = 1"),
    ):
        values, slopes = [], []
        for error in errors:
            output = Tensor(np.array([error]), requires_grad=True)
            loss = getattr(all_losses, name)(output, np.zeros(1))
            loss.backward()
            values.append(loss.item())
            slopes.append(output.grad[0])
        left.plot(errors, values, color=color, lw=1.6, label=label)
        right.plot(errors, slopes, color=color, lw=1.6)
    left.set_ylim(0, 8)
    right.set_ylim(-4, 4)
    left.set_title("loss", fontsize=10, color=INK)
    right.set_title("slope", fontsize=10, color=INK)
    left.legend(frameon=False, fontsize=8.5, loc="upper center")
    for axes in (left, right):
        axes.set_xlabel("error")
        axes.axhline(0, color=INK, lw=0.5, alpha=0.5)
    return figure


def curves():
    """Accuracy on digits held out, by epoch, with batch norm and without, at one rate."""
    from sklearn.datasets import load_digits

    X, labels = load_digits(return_X_y=True)
    X = (X / 16).astype(np.float32)
    figure, axes = plt.subplots(figsize=(6.0, 2.9))
    for norm, color, label, at in ((True, BLUE, "with batch norm", 0.9), (False, RED, "without", 0.72)):
        for seed in range(3):
            model = Trainable(_deep(np.random.default_rng(seed), norm), all_losses.cross_entropy)
            loader, optimiser = Loader(X[::2], labels[::2], size=64, seed=seed, drop_last=True), SGD(model.params, 0.1)
            history = fit(model, optimiser, loader, 6, valid=(X[1::2], labels[1::2]))
            axes.plot(np.arange(1, 7), history.accuracy, color=color, lw=1.3, alpha=0.9)
        axes.text(6.1, at, label, color=color, va="center")
    axes.set_xlim(0.9, 7.6)
    axes.set_xticks([1, 2, 3, 4, 5, 6])
    axes.set_ylim(0, 1)
    axes.set_xlabel("epoch")
    axes.set_ylabel("right, of those held out")
    return figure


def _deep(rng, norm):
    """Six hidden layers of 32."""
    layers, width = [], 64
    for _ in range(6):
        layers += [Linear(width, 32, rng), *([BatchNorm(32)] if norm else []), ReLU()]
        width = 32
    return Sequential(*layers, Linear(width, 10, rng))


def _named(node):
    """The operation that a Tensor was made by: the function that its rule was written in."""
    path = node._links[0][1].__qualname__.split(".<locals>")[0]
    return path.rpartition(".")[2].strip("_")


def _box(axes, x, y, name, below, color):
    """Two lines of text with a frame around them."""
    width, height = 0.94, 0.44
    corner = (x - width / 2, y - height / 2)
    axes.add_patch(FancyBboxPatch(corner, width, height, boxstyle="round,pad=0.03", fc="none", ec=color, lw=1.2))
    axes.text(x, y + 0.1, name, ha="center", va="center", color=color, fontsize=7)
    axes.text(x, y - 0.12, below, ha="center", va="center", color=color, fontsize=6.5, alpha=0.8)


def _line(axes, start, end):
    """From the frame of one box to that of another: sideways, or from the upper to the lower."""
    (x, y), (u, v) = start, end
    if y == v:
        x, u = x + 0.51, u - 0.51
    else:
        y, v = (y - 0.26, v + 0.26) if y > v else (y + 0.26, v - 0.26)
    axes.annotate(
        "", (u, v), (x, y), arrowprops={"arrowstyle": "-", "color": INK, "lw": 0.9, "shrinkA": 0, "shrinkB": 0}
    )
