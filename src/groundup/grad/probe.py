"""Instruments: what goes on in a network, in numbers that one can look at layer by layer.

None of them changes the network. They read what lesson 3.1's Network gives out: activations, parameters, gradients. Layers
come in their order, each array below has one entry for each of them, and variances are divided by how many numbers there are.
"""

import numpy as np

from .network import ACTIVATIONS

STEEPEST = {"relu": 1.0, "tanh": 1.0, "sigmoid": 0.25, "gelu": 1.1289}  # the largest slope of each
SATURATED = 0.05  # of the steepest slope
CURVES = ("not finite", "diverged", "overfitting", "oscillating", "falling", "flat")


def activation_statistics(net, X):
    """What the hidden layers hand on, for a batch X (n, inputs).

    -> a dict of arrays, one entry for each hidden layer, over all its n * width activations together:
    "mean"; "std", the standard deviation; "saturated", the share at which the nonlinearity's slope is in size below
    SATURATED * STEEPEST. There hardly any gradient passes: for tanh where |h| is above 0.975, for relu where z <= 0.
    """
    hidden = net.activations(X)
    slopes = [_slope(net.activation, z) for z in net.pre_activations(X)]
    least = SATURATED * STEEPEST[net.activation]
    return {
        "mean": np.array([h.mean() for h in hidden]),
        "std": np.array([h.std() for h in hidden]),
        "saturated": np.array([np.mean(np.abs(slope) < least) for slope in slopes]),
    }


def dead_units(net, X):
    """The share of dead units in each hidden layer, an array.

    A unit is dead if it hands on exactly 0 for every sample of the batch X (n, inputs): whatever comes in, nothing goes out,
    and in relu no gradient comes back. A unit that is 0 for most samples is not dead.
    """
    return np.array([np.mean(np.all(h == 0, axis=0)) for h in net.activations(X)])  # h (n, width)


def gradient_statistics(params, grads):
    """The gradients of the weights, layer by layer; biases are left out.

    params, grads: lists [W1, b1, W2, b2, ...], as Network has them and as loss_and_grads returns them.
    -> a dict of arrays, one entry for each W, over all entries of its gradient dW:
    "norm", Euclidean; "std", the standard deviation; "zeros", the share that is exactly 0; "pull", ||W|| ||dW||.

    The pull is in nats, as the loss is: by how much the loss would change, to first order, if W were to change by as much as
    its own length in the direction that matters most. A layer without pull cannot learn, whatever the rate.
    """
    weights, dweights = params[::2], grads[::2]
    norms = np.array([np.linalg.norm(g) for g in dweights])
    return {
        "norm": norms,
        "std": np.array([g.std() for g in dweights]),
        "zeros": np.array([np.mean(g == 0) for g in dweights]),
        "pull": norms * np.array([np.linalg.norm(W) for W in weights]),
    }


def update_ratios(before, after):
    """How far a step moved each W, by its own length: ||after - before|| / ||before||, an array.

    before, after: params as they were (copies) and as they are. Biases are left out. Around 0.001 a step is usual. Where a W
    was all 0: 0 if it still is, else inf.
    """
    moved = np.array([np.linalg.norm(b - a) for a, b in zip(before[::2], after[::2])])
    length = np.array([np.linalg.norm(a) for a in before[::2]])
    empty = np.where(moved > 0, np.inf, 0.0)
    return np.where(length > 0, moved / np.where(length > 0, length, 1.0), empty)


def loss_curve(losses, valid=None):
    """Names what a curve of losses shows: one of CURVES, the first in this order whose rule holds.

    losses: at least 4 numbers >= 0 in the order of the steps; valid: the losses on held-out samples, at the same steps;
    ValueError for fewer, or for another number of them. With q = len // 4, the *end* of a curve is the median of its last q
    losses: one loss says little.

    "not finite": a loss, held-out ones included, is NaN or infinite.
    "diverged": the end is above 1.5 times the first loss.
    "overfitting" (only with valid): the end of valid is above 1.1 times the least of valid, and the end of losses is below the
        loss at that step (the first of equal ones). What is learned no longer helps on other samples.
    "oscillating": in the second half, losses[len // 2:], more than half of the steps turn back, which means that a change has
        the opposite sign of the change before it; and the mean size of the changes is above a tenth of the mean loss there.
    "falling": the end is below 0.9 times the first loss.
    "flat": none of these.
    """
    curves = [np.asarray(curve, float) for curve in ([losses] if valid is None else [losses, valid])]
    if len(curves[0]) < 4 or len(curves[-1]) != len(curves[0]):
        raise ValueError(f"4 losses are needed, and as many held-out ones, not {[len(c) for c in curves]}")
    if not np.isfinite(np.concatenate(curves)).all():  # before anything is compared: NaN is not above, and not below
        return "not finite"
    losses = curves[0]
    end = _end(losses)
    if end > 1.5 * losses[0]:
        return "diverged"
    if valid is not None:
        best = int(np.argmin(curves[1]))
        if _end(curves[1]) > 1.1 * curves[1][best] and end < losses[best]:
            return "overfitting"
    if _oscillates(losses[len(losses) // 2 :]):
        return "oscillating"
    return "falling" if end < 0.9 * losses[0] else "flat"


def _slope(activation, z):
    """The derivative of the nonlinearity at z, elementwise."""
    forward, backward = ACTIVATIONS[activation]
    _, cache = forward(z)
    return backward(np.ones_like(z), cache)


def _end(curve):
    return float(np.median(curve[-(len(curve) // 4) :]))


def _oscillates(half):
    change = np.diff(half)
    turns = np.sign(change[1:]) * np.sign(change[:-1]) < 0
    return turns.size > 0 and np.mean(turns) > 0.5 and np.mean(np.abs(change)) > 0.1 * np.mean(half)
