"""Another way: a stack of steps, each with a function that takes its gradient back."""

import numpy as np

from .layers import dense

ACTIVATIONS = {
    name: (getattr(dense, f"{name}_forward"), getattr(dense, f"{name}_backward"))
    for name in ("relu", "tanh", "sigmoid", "gelu")
}


class Network:
    def __init__(self, sizes, generator, activation="relu", dtype=np.float64):
        if activation not in ACTIVATIONS:
            raise ValueError(activation)
        self.bend, self.unbend = ACTIVATIONS[activation]
        self.dtype = dtype
        self.weights, self.biases = [], []
        for i in range(1, len(sizes)):
            variance = 1 / sizes[i - 1]
            if activation == "relu":
                variance *= 2
            self.weights.append(generator.normal(0.0, variance**0.5, (sizes[i - 1], sizes[i])).astype(dtype))
            self.biases.append(np.zeros(sizes[i], dtype=dtype))

    @property
    def params(self):
        return [p for pair in zip(self.weights, self.biases) for p in pair]

    def forward(self, X):
        h = X.astype(self.dtype)
        tape = []
        for i, (W, b) in enumerate(zip(self.weights, self.biases)):
            if i > 0:
                h, cache = self.bend(h)
                tape.append(("bend", cache))
            h, cache = dense.affine_forward(h, W, b)
            tape.append(("affine", cache))
        return h, tape

    def backward(self, dscores, caches):
        grads, g = [], dscores
        for kind, cache in caches[::-1]:
            if kind == "affine":
                g, dW, db = dense.affine_backward(g, cache)
                grads += [db, dW]
            else:
                g = self.unbend(g, cache)
        return grads[::-1]

    def loss_and_grads(self, X, labels):
        scores, caches = self.forward(X)
        loss, cache = dense.softmax_cross_entropy_forward(scores, labels)
        return float(loss), self.backward(dense.softmax_cross_entropy_backward(1.0, cache), caches)

    def predict(self, X):
        return np.argmax(self.forward(X)[0], axis=-1)

    def pre_activations(self, X):
        h, found = X.astype(self.dtype), []
        for W, b in list(zip(self.weights, self.biases))[:-1]:
            found.append(h @ W + b)
            h = self.bend(found[-1])[0]
        return found

    def activations(self, X):
        return [self.bend(z)[0] for z in self.pre_activations(X)]
