"""A network as a list of pairs, uniform weights, softplus by log-sum-exp, and gradients cleared after the step."""

import numpy as np

from .tensor import Tensor, no_grad


class MLP:
    def __init__(self, sizes, generator, activation="tanh"):
        self.layers = []
        for i in range(len(sizes) - 1):
            reach = np.sqrt(3.0 / sizes[i])  # uniform on [-a, a] has variance a^2 / 3
            self.layers.append(
                (
                    Tensor(generator.uniform(-reach, reach, size=(sizes[i], sizes[i + 1])), requires_grad=True),
                    Tensor(np.zeros(sizes[i + 1]), requires_grad=True),
                )
            )
        self.bend = {"tanh": Tensor.tanh, "relu": Tensor.relu}[activation]

    def parameters(self):
        return [p for pair in self.layers for p in pair]

    def __call__(self, X):
        h = X if isinstance(X, Tensor) else Tensor(X)
        for W, b in self.layers[:-1]:
            h = self.bend(h @ W + b)
        W, b = self.layers[-1]
        return h @ W + b


def predict(model, X):
    with no_grad():
        output = model(X)
    return output.data


def squared_loss(output, y):
    y = np.asarray(y)
    if y.shape != output.shape:
        raise ValueError("shapes differ")
    difference = output - y
    return (difference * difference).sum() / y.size


def logistic_loss(z, y):
    y = np.asarray(y)
    if y.shape != z.shape:
        raise ValueError("shapes differ")
    sign = 1.0 - 2.0 * y
    margin = z * sign  # the loss of one entry is log(1 + e^margin)
    top = np.where(margin.data > 0, margin.data, 0.0)
    both = (margin - top).exp() + Tensor(-top).exp()
    return (both.log() + top).sum() * (1.0 / y.size)


def train(model, X, y, loss, rate, steps):
    parameters = model.parameters()
    for p in parameters:
        p.grad = None
    history = []
    for _ in range(steps):
        value = loss(model(X), y)
        history.append(float(value.data))
        value.backward()
        for p in parameters:
            p.data = p.data - p.grad * rate
            p.grad = None
    return history


def polyline(x, y):
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    n = x.size - 1
    model = MLP([1, n, 1], np.random.default_rng(1), "relu")
    bends, slope = [], 0.0
    for i in range(n):
        piece = (y[i + 1] - y[i]) / (x[i + 1] - x[i])
        bends.append(piece - slope)
        slope = piece
    for p, array in zip(model.parameters(), (np.ones((1, n)), -x[:n], np.reshape(bends, (n, 1)), y[:1])):
        p.data = array.copy()
    return model
