"""A network by hand: affine layers with a nonlinearity between, and the chain rule written out.

Forward, every layer hands its result to the next and leaves its cache behind. Backward, the caches are taken in reverse order:
what a layer's backward returns for its input is what the layer below is given for its output. No engine keeps the books.

Rumelhart, Hinton and Williams, Learning Representations by Back-propagating Errors (1986). The scale of the first weights:
He, Zhang, Ren and Sun, Delving Deep into Rectifiers (2015), section 2.2.
"""

from itertools import pairwise

import numpy as np

from .layers.dense import (
    affine_backward,
    affine_forward,
    gelu_backward,
    gelu_forward,
    relu_backward,
    relu_forward,
    sigmoid_backward,
    sigmoid_forward,
    softmax_cross_entropy_backward,
    softmax_cross_entropy_forward,
    tanh_backward,
    tanh_forward,
)

ACTIVATIONS = {
    "relu": (relu_forward, relu_backward),
    "tanh": (tanh_forward, tanh_backward),
    "sigmoid": (sigmoid_forward, sigmoid_backward),
    "gelu": (gelu_forward, gelu_backward),
}


class Network:
    """A classifier: affine, activation, affine, ..., affine, then softmax and cross-entropy.

    sizes: inputs, the width of each hidden layer, classes: [784, 128, 10] has one hidden layer.
    generator: a numpy.random.Generator, which draws the weights.
    activation: what follows every affine layer but the last, a key of ACTIVATIONS; ValueError for another.
    dtype: of the parameters, and of everything that is computed.

    params: [W1, b1, W2, b2, ...], arrays, Wi (sizes[i - 1], sizes[i]) and bi (sizes[i],). They are the network: whoever trains
    it writes into them (`W -= step`), and no other arrays ever take their place. The entries of W are drawn normal with
    mean 0, layer by layer, and with variance 2 / fan_in for relu, which throws away half of what arrives, 1 / fan_in for the
    others, where fan_in is the number of rows of W. b starts at 0.
    """

    def __init__(self, sizes, generator, activation="relu", dtype=np.float64):
        """Draws the weights."""
        if activation not in ACTIVATIONS:
            raise ValueError(f"activation is one of {', '.join(ACTIVATIONS)}, not {activation!r}")
        self.activation = activation
        self.params = []
        for fan_in, fan_out in pairwise(sizes):
            scale = np.sqrt((2 if activation == "relu" else 1) / fan_in)
            W = scale * generator.standard_normal((fan_in, fan_out))
            self.params += [W.astype(dtype), np.zeros(fan_out, dtype)]

    def forward(self, X):
        """X (n, inputs), in the dtype of params or not -> scores (n, classes), caches (for backward)."""
        _, _, scores, caches = self._run(X)
        return scores, caches

    def backward(self, dscores, caches):
        """dscores (n, classes), caches from forward -> a list of gradients, in the order and the shapes of params."""
        _, activate_backward = ACTIVATIONS[self.activation]
        grads = []
        dh = dscores
        for layer, (affine, bend) in reversed(list(enumerate(caches))):
            if bend is not None:
                dh = activate_backward(dh, bend)
            dh, dW, db = affine_backward(dh, affine, with_dx=layer > 0)
            grads = [dW, db, *grads]
        return grads

    def loss_and_grads(self, X, labels):
        """X (n, inputs), labels (n,) integers -> the mean cross-entropy in nats (float), its gradients as params."""
        scores, caches = self.forward(X)
        loss, cache = softmax_cross_entropy_forward(scores, labels)
        return float(loss), self.backward(softmax_cross_entropy_backward(1.0, cache), caches)

    def predict(self, X):
        """X (n, inputs) -> the class of the largest score (n,), integers; of equal ones the first."""
        return self.forward(X)[0].argmax(axis=1)

    def activations(self, X):
        """X (n, inputs) -> what each hidden layer hands on, after the nonlinearity: a list of arrays (n, width)."""
        return self._run(X)[1]

    def pre_activations(self, X):
        """X (n, inputs) -> what each nonlinearity is given: a list of arrays (n, width), as activations."""
        return self._run(X)[0]

    def _run(self, X):
        """Everything on the way: inputs and outputs of the nonlinearities, scores, and a pair of caches for each layer."""
        activate, _ = ACTIVATIONS[self.activation]
        h = np.asarray(X, self.params[0].dtype)
        before, after, caches = [], [], []
        *hidden, last = zip(self.params[::2], self.params[1::2])
        for W, b in hidden:
            z, affine = affine_forward(h, W, b)
            h, bend = activate(z)  # (n, width)
            before.append(z)
            after.append(h)
            caches.append((affine, bend))
        scores, affine = affine_forward(h, *last)
        return before, after, scores, [*caches, (affine, None)]
