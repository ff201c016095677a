"""A multilayer perceptron on the tensor engine: layers of lines, with a bend between them.

A layer computes hW + b. Between two layers stands a function that is not linear, without which any number of layers is
one. The engine finds the gradients, and a descent uses them.

Rumelhart, Hinton and Williams, Learning Representations by Back-propagating Errors (1986). Width and approximation:
Cybenko, Approximation by Superpositions of a Sigmoidal Function (1989).
"""

from itertools import pairwise

import numpy as np

from .tensor import Tensor, no_grad


class MLP:
    """A fully connected network.

    sizes: inputs, width of each hidden layer, outputs: [2, 8, 1] has one hidden layer of 8 units.
    generator: a numpy.random.Generator, which draws the weights.
    activation: what follows every layer but the last, "tanh" or "relu".

    Layer i computes hW + b, with W (sizes[i], sizes[i + 1]) and b (sizes[i + 1],), float64. The entries of W are drawn
    with mean 0 and variance 1 / sizes[i], so that the size of a signal stays the same from layer to layer; b starts at 0.
    """

    def __init__(self, sizes, generator, activation="tanh"):
        """Draws the weights. They are Tensors that require a gradient."""
        self.activation = activation
        self.weights = []
        self.biases = []
        for n_in, n_out in pairwise(sizes):
            W = generator.standard_normal((n_in, n_out)) / np.sqrt(n_in)
            self.weights.append(Tensor(W, requires_grad=True))
            self.biases.append(Tensor(np.zeros(n_out), requires_grad=True))

    def parameters(self):
        """The Tensors to be learnt, not copies of them, from the first layer to the last: [W, b, W, b, ...]"""
        return [parameter for layer in zip(self.weights, self.biases) for parameter in layer]

    def __call__(self, X):
        """X (n, inputs), an array or a Tensor -> Tensor (n, outputs). Nothing follows the last layer."""
        h = X
        last = len(self.weights) - 1
        for i, (W, b) in enumerate(zip(self.weights, self.biases)):
            h = h @ W + b  # (n, sizes[i + 1])
            if i < last:
                h = getattr(h, self.activation)()
        return h


def predict(model, X):
    """The outputs as a plain array, without a graph: X (n, inputs) -> (n, outputs)"""
    with no_grad():
        return model(X).data


def squared_loss(output, y):
    """The mean of (output - y)^2 over all entries: a Tensor and an array of one shape -> Tensor of shape ().

    Raises ValueError if the shapes differ: (n, 1) - (n,) would be (n, n), by broadcasting, and no error.
    """
    _check_shapes(output, y)
    return ((output - y) ** 2).mean()


def logistic_loss(z, y):
    """Cross-entropy from log-odds, the mean of log(1 + e^z) - y z over all entries, in nats.

    z: a Tensor; y: an array of 0 and 1, of the same shape, or ValueError -> Tensor of shape (). Its gradient with respect
    to z is (sigmoid(z) - y) / (number of entries), at any finite z, 0 and 10,000 among them, and nothing overflows.
    """
    _check_shapes(z, y)
    top = np.maximum(z.data, 0.0)  # an array, no part of the graph: it cancels, whatever it is
    softplus = ((z - top).exp() + np.exp(-top)).log() + top  # log(e^z + e^0)
    return (softplus - z * y).mean()


def train(model, X, y, loss, rate, steps):
    """Full-batch gradient descent on loss(model(X), y), where y has the shape of model(X): (n, outputs).

    rate: how far to move along the gradient. steps: how many to take. loss: squared_loss, logistic_loss, or like them.
    Changes the model's parameters. Returns the loss before each step, a list of floats.
    """
    losses = []
    for _ in range(steps):
        for parameter in model.parameters():
            parameter.zero_grad()
        value = loss(model(X), y)
        value.backward()
        for parameter in model.parameters():
            parameter.data = parameter.data - rate * parameter.grad  # arrays: the step is no part of the graph
        losses.append(value.item())
    return losses


def polyline(x, y):
    """A network of one hidden layer of relu that goes through points, in straight lines from each to the next.

    x (N + 1,) rising, y (N + 1,) -> MLP of sizes [1, N, 1]: one hidden unit for each piece. Unit i is relu(x - x[i]): it is
    0 up to where piece i begins, and bends the line there. To the left of x[0] the network is y[0]; to the right of
    x[N] the last piece goes on.
    """
    slopes = np.diff(y) / np.diff(x)  # (N,), one for each piece
    model = MLP([1, len(slopes), 1], np.random.default_rng(0), activation="relu")
    W1, b1, W2, b2 = model.parameters()
    W1.data = np.ones((1, len(slopes)))
    b1.data = -np.asarray(x[:-1], dtype=np.float64)
    W2.data = np.diff(slopes, prepend=0.0)[:, None]  # what each bend adds to the slope
    b2.data = np.asarray(y[:1], dtype=np.float64)
    return model


def _check_shapes(output, y):
    if output.shape != np.shape(y):
        raise ValueError(f"the outputs have shape {output.shape}, and y {np.shape(y)}")
