"""A training step of a small classifier, groundup's Tensor against PyTorch eager: float32, one thread each.

    python benchmarks/tensor_step.py

Forward, softmax cross-entropy, backward, and a step of SGD in place. Ours composes the loss from the engine's own
operations; PyTorch has one function for it. That both give the same first losses is checked before anything is timed.
"""

import itertools
import os

os.environ["OMP_NUM_THREADS"] = "1"  # before NumPy and PyTorch start their threads

import numpy as np
import torch
from timing import HEADER, interleave, row

from groundup.grad.tensor import Tensor

SIZES = [((784, 16, 16, 10), 1), ((784, 128, 128, 10), 64), ((784, 512, 512, 10), 64), ((784, 1024, 1024, 10), 256)]
RATE = 1e-3


def weights(widths, rng):
    """W (n, m) and b (m,) of each layer, float32."""
    layers = []
    for n, m in itertools.pairwise(widths):
        layers += [rng.standard_normal((n, m)) * np.sqrt(2 / n), rng.standard_normal(m) * 0.1]
    return [p.astype(np.float32) for p in layers]


def forward(x, parameters):
    """Logits (N, 10): the same lines for both engines."""
    *hidden, (W, b) = zip(parameters[::2], parameters[1::2])
    for V, c in hidden:
        x = (x @ V + c).relu()
    return x @ W + b


def cross_entropy(logits, labels):
    """The mean of log(sum(exp(logits))) - logits[label], with the largest logit taken out of the exponent."""
    shifted = logits - logits.detach().max(axis=1, keepdims=True)  # (N, 10)
    return (shifted.exp().sum(axis=1).log() - shifted[np.arange(len(labels)), labels]).mean()


def groundup_step(x, labels, parameters):
    x, parameters = Tensor(x), [Tensor(p.copy(), requires_grad=True) for p in parameters]

    def step():
        loss = cross_entropy(forward(x, parameters), labels)
        loss.backward()
        for p in parameters:
            p.grad *= RATE  # a gradient is an array of its own: scaled in place, it needs no second one
            p.data -= p.grad
            p.zero_grad()
        return loss.item()

    return step


def torch_step(x, labels, parameters):
    x, labels = torch.tensor(x), torch.tensor(labels)
    parameters = [torch.tensor(p, requires_grad=True) for p in parameters]

    def step():
        loss = torch.nn.functional.cross_entropy(forward(x, parameters), labels)
        loss.backward()
        with torch.no_grad():
            for p in parameters:
                p.sub_(p.grad, alpha=RATE)
                p.grad = None
        return loss.item()

    return step


def main():
    torch.set_num_threads(1)
    print("A training step, groundup beside PyTorch")
    print(HEADER)
    for widths, batch in SIZES:
        rng = np.random.default_rng(0)
        case = rng.standard_normal((batch, 784)).astype(np.float32), rng.integers(0, 10, batch), weights(widths, rng)
        ours, theirs = groundup_step(*case), torch_step(*case)
        np.testing.assert_allclose([ours() for _ in range(5)], [theirs() for _ in range(5)], rtol=1e-4)
        times = interleave({"groundup": ours, "torch": theirs})
        print(row(f"{'-'.join(map(str, widths))}, batch of {batch}", times, "groundup", "torch"))


if __name__ == "__main__":
    main()
