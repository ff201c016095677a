"""Another way: gains in closed form or by quadrature, Gram and Schmidt, and a quadratic instead of repeated division."""

import math

import numpy as np

from .layers.dense import gelu_forward, sigmoid_forward, tanh_forward
from .network import ACTIVATIONS  # noqa: F401, the starter imports it

CURVED = {"tanh": tanh_forward, "sigmoid": sigmoid_forward, "gelu": gelu_forward}


def gain(activation):
    if activation == "linear":
        return 1.0
    if activation == "relu":
        return math.sqrt(2)
    if activation not in CURVED:
        raise ValueError(activation)
    nodes, weights = np.polynomial.legendre.leggauss(300)
    nodes, weights = 12 * nodes, 12 * weights
    f, _ = CURVED[activation](nodes)
    total = math.fsum(w * v**2 * math.exp(-(t**2) / 2) for w, v, t in zip(weights, f, nodes))
    return (total / math.sqrt(2 * math.pi)) ** -0.5


def numbers(shape, variance, generator, uniform):
    if uniform:
        bound = math.sqrt(3 * variance)
        return (2 * generator.random(shape) - 1) * bound
    return generator.normal(0, math.sqrt(variance), shape)


def xavier(fan_in, fan_out, generator, gain=1.0, uniform=False):
    return numbers((fan_in, fan_out), 2 * gain**2 / (fan_in + fan_out), generator, uniform)


def he(fan_in, fan_out, generator, gain=2**0.5, uniform=False):
    return numbers((fan_in, fan_out), gain**2 / fan_in, generator, uniform)


def orthogonal(fan_in, fan_out, generator, gain=1.0):
    """Gram and Schmidt, twice over, on normal vectors: the first keeps its direction, so none is preferred."""
    long, short = max(fan_in, fan_out), min(fan_in, fan_out)
    basis = []
    for _ in range(short):
        v = generator.normal(size=long)
        for _ in range(2):
            for u in basis:
                v = v - (u @ v) * u
        basis.append(v / math.sqrt(v @ v))
    rows = gain * np.array(basis)
    return rows.T.copy() if fan_in >= fan_out else rows


def initialise(net, rule, generator):
    for place, p in enumerate(net.params):
        p[:] = 0 if place % 2 else rule(p.shape[0], p.shape[1], generator)
    return net


def lsuv(net, X, tolerance=1e-10, tries=100):
    """z = a (hW) + b has variance a^2 Vy + 2 a C + Vb, and that is 1 at the positive root."""
    layers = len(net.params) // 2
    for layer in range(layers):
        W, b = net.params[2 * layer], net.params[2 * layer + 1]
        z = [*net.pre_activations(X), net.forward(X)[0]][layer]
        y = z - b
        shift = np.zeros_like(y) + b
        square, cross, rest = np.var(y), np.mean(y * shift) - np.mean(y) * np.mean(shift), np.var(shift)
        if not np.isfinite(square) or square == 0 or rest >= 1:
            raise ValueError(f"no scale of layer {layer + 1} has variance 1")
        W *= (math.sqrt(cross**2 + square * (1 - rest)) - cross) / square
    return net
