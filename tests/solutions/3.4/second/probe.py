"""Another way: one number after the other, and slopes from formulas."""

import math
import statistics
from itertools import pairwise

import numpy as np

from .layers.dense import erf
from .network import ACTIVATIONS  # noqa: F401, the starter imports it

STEEPEST = {"relu": 1.0, "tanh": 1.0, "sigmoid": 0.25, "gelu": 1.1289}
SATURATED = 0.05
CURVES = ("not finite", "diverged", "overfitting", "oscillating", "falling", "flat")


def slope(activation, z, h):
    if activation == "relu":
        return (z > 0).astype(float)
    if activation == "tanh":
        return (1 - h) * (1 + h)
    if activation == "sigmoid":
        return h - h**2
    return 0.5 + 0.5 * erf(z / math.sqrt(2)) + z * np.exp(-z * z / 2) / math.sqrt(2 * math.pi)


def activation_statistics(net, X):
    table = {"mean": [], "std": [], "saturated": []}
    for z, h in zip(net.pre_activations(X), net.activations(X)):
        values = [float(v) for v in h.flatten()]
        slopes = slope(net.activation, z, h).flatten()
        table["mean"].append(math.fsum(values) / len(values))
        table["std"].append(statistics.pstdev(values))
        small = [s for s in slopes if -1 < s / (SATURATED * STEEPEST[net.activation]) < 1]
        table["saturated"].append(len(small) / len(slopes))
    return {name: np.array(column) for name, column in table.items()}


def dead_units(net, X):
    shares = []
    for h in net.activations(X):
        alive = np.count_nonzero(h, axis=0) > 0
        shares.append(1 - alive.sum() / alive.size)
    return np.array(shares, dtype=float)


def length(x):
    return math.sqrt(sum(float(v) * float(v) for v in np.ravel(x)))


def gradient_statistics(params, grads):
    table = []
    for i in range(0, len(params), 2):
        g = np.ravel(grads[i])
        table.append([length(g), length(g - g.mean()) / math.sqrt(len(g)), (len(g) - np.count_nonzero(g)) / len(g)])
        table[-1].append(length(g) * length(params[i]))
    columns = np.array(table).T
    return dict(zip(("norm", "std", "zeros", "pull"), columns))


def update_ratios(before, after):
    ratios = []
    for i in range(0, len(before), 2):
        old, moved = length(before[i]), length(after[i] - before[i])
        ratios.append(moved / old if old > 0 else float("inf") if moved > 0 else 0.0)
    return np.array(ratios)


def loss_curve(losses, valid=None):
    train = [float(x) for x in losses]
    held = train if valid is None else [float(x) for x in valid]
    n = len(train)
    if n < 4 or n != len(held):
        raise ValueError("too few losses, or not as many")
    if any(math.isnan(x) or math.isinf(x) for x in train + held):
        return CURVES[0]
    last = n // 4
    end = statistics.median(train[n - last :])
    if end > 1.5 * train[0]:
        return CURVES[1]
    if valid is not None:
        low = min(range(n), key=lambda i: (held[i], i))
        if statistics.median(held[n - last :]) > 1.1 * held[low] and end < train[low]:
            return CURVES[2]
    half = train[n // 2 :]
    signs, sizes = [], []
    for a, b in pairwise(half):
        signs.append((b > a) - (b < a))
        sizes.append(abs(b - a))
    turns = [a * b == -1 for a, b in pairwise(signs)]
    if turns and 2 * sum(turns) > len(turns) and statistics.fmean(sizes) > 0.1 * statistics.fmean(half):
        return CURVES[3]
    return CURVES[4] if end < 0.9 * train[0] else CURVES[5]
