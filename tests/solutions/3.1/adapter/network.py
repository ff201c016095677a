"""torch.nn behind the same class: its parameters and our arrays are the same memory."""

import math

import numpy as np
import torch
from torch import nn

ACTIVATIONS = {"relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "gelu": nn.functional.gelu}


class Network:
    def __init__(self, sizes, generator, activation="relu", dtype=np.float64):
        if activation not in ACTIVATIONS:
            raise ValueError(activation)
        self.function = ACTIVATIONS[activation]
        self.tensors, self.params = [], []
        for i in range(len(sizes) - 1):
            W = generator.standard_normal((sizes[i], sizes[i + 1]))
            W *= math.sqrt((2 if activation == "relu" else 1) / sizes[i])
            for array in (W.astype(dtype), np.zeros(sizes[i + 1], dtype)):
                self.params.append(array)
                self.tensors.append(torch.from_numpy(array).requires_grad_())

    def _run(self, X):
        h = torch.from_numpy(np.array(X)).to(self.tensors[0].dtype)
        before, after = [], []
        for i in range(0, len(self.tensors), 2):
            if i:
                before.append(h)
                h = self.function(h)
                after.append(h)
            h = h @ self.tensors[i] + self.tensors[i + 1]
        return h, before, after

    def forward(self, X):
        scores, _, _ = self._run(X)
        return scores.detach().numpy(), scores

    def backward(self, dscores, caches):
        return [g.numpy() for g in torch.autograd.grad(caches, self.tensors, torch.tensor(dscores), retain_graph=True)]

    def loss_and_grads(self, X, labels):
        loss = nn.functional.cross_entropy(self._run(X)[0], torch.as_tensor(labels))
        return loss.item(), [g.numpy() for g in torch.autograd.grad(loss, self.tensors)]

    def predict(self, X):
        return self.forward(X)[0].argmax(axis=1)

    def pre_activations(self, X):
        return [h.detach().numpy() for h in self._run(X)[1]]

    def activations(self, X):
        return [h.detach().numpy() for h in self._run(X)[2]]
