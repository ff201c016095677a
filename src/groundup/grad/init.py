"""First weights: how large they have to be, for a signal to come through many layers as large as it went in.

A unit adds up fan_in products h w. Where the weights are independent of each other and of h, with mean 0, the variance of the
sum is fan_in Var(w) E[h^2]. The nonlinearity then decides what E[h^2] the next layer is given. Here the variance of the
weights is chosen from that: on paper (Xavier, He), by geometry (orthogonal), or by measuring (LSUV).

Everywhere W is (fan_in, fan_out), as Network has it: a row for each input, a column for each unit.
"""

import numpy as np

from .network import ACTIVATIONS


def gain(activation):
    """By what the weights are multiplied to make up for a nonlinearity f: 1 / sqrt(E[f(z)^2]), z standard normal.

    activation: a key of ACTIVATIONS, or "linear", which has gain 1; ValueError for another -> float, to 10 digits at least.
    E[h^2] is what counts, not the variance, since the mean of h arrives in the next layer too. For relu it is sqrt(2).
    """
    if activation == "linear":
        return 1.0
    if activation not in ACTIVATIONS:
        raise ValueError(f"a gain is known for linear, {', '.join(ACTIVATIONS)}, not for {activation!r}")
    z, width = np.linspace(-10.0, 10.0, 2001, retstep=True)  # the bend of relu lies on a point
    density = np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi)
    f, _ = ACTIVATIONS[activation][0](z)
    return float(1 / np.sqrt(width * np.sum(f * f * density)))


def xavier(fan_in, fan_out, generator, gain=1.0, uniform=False):
    """Weights (fan_in, fan_out) with mean 0 and variance gain^2 * 2 / (fan_in + fan_out).

    That is a compromise: 1 / fan_in would keep the variance of what goes forward, 1 / fan_out that of what comes back.
    Drawn normal, or uniform between two bounds: a uniform number between -a and a has variance a^2 / 3. generator: a
    numpy.random.Generator. Glorot and Bengio, Understanding the Difficulty of Training Deep Feedforward Neural Networks
    (2010), equations 12 and 16.
    """
    return _draw((fan_in, fan_out), gain * np.sqrt(2 / (fan_in + fan_out)), generator, uniform)


def he(fan_in, fan_out, generator, gain=2**0.5, uniform=False):
    """Weights (fan_in, fan_out) with mean 0 and variance gain^2 / fan_in, drawn as by xavier.

    With relu's gain that is 2 / fan_in. He, Zhang, Ren and Sun, Delving Deep into Rectifiers (2015), equation 10.
    """
    return _draw((fan_in, fan_out), gain / np.sqrt(fan_in), generator, uniform)


def orthogonal(fan_in, fan_out, generator, gain=1.0):
    """Weights (fan_in, fan_out) whose columns are orthogonal and of length gain; the rows, if there are fewer of them.

    Then W^T W = gain^2 I, or W W^T = gain^2 I: lengths are kept exactly, and not on average. Drawn so that no direction is
    preferred: the orthogonal factor of a normal matrix, each column times the sign of the triangular factor's diagonal.
    Saxe, McClelland and Ganguli, Exact Solutions to the Nonlinear Dynamics of Learning in Deep Linear Neural Networks (2014).
    """
    tall = generator.standard_normal((max(fan_in, fan_out), min(fan_in, fan_out)))
    Q, R = np.linalg.qr(tall)
    Q *= np.where(np.diag(R) < 0, -1.0, 1.0)  # NumPy's factor has signs of its own: Mezzadri (2007), section 5
    return gain * (Q if fan_in >= fan_out else Q.T)


def initialise(net, rule, generator):
    """Begins a Network anew, in place: every W from rule(fan_in, fan_out, generator), every b 0. Returns net.

    rule: xavier, he, orthogonal, or a function that calls one of them with a gain. The layers draw in their order.
    """
    for W, b in zip(net.params[::2], net.params[1::2]):
        W[...] = rule(*W.shape, generator)
        b[...] = 0.0
    return net


def lsuv(net, X, tolerance=1e-10, tries=100):
    """Layer-sequential unit variance: scales every W, in place, until what its layer computes has variance 1. Returns net.

    X: a batch (n, inputs). A layer computes z = hW + b: the pre-activations, and in the last layer the scores. Its variance
    is the one of all n * fan_out numbers together. Layer by layer from the first, with those before already scaled: while
    |Var(z) - 1| > tolerance, W is divided by the standard deviation of z. b stays; where it is 0, one division is enough.

    Raises ValueError where a variance is 0 or not finite, or not 1 after so many tries, which a large b can cause. The method
    begins with orthogonal weights, which is left to `initialise`. Mishkin and Matas, All You Need Is a Good Init (2016),
    algorithm 1.
    """
    for layer, W in enumerate(net.params[::2]):
        for _ in range(tries + 1):
            variance = np.var(_computed(net, X, layer))
            if abs(variance - 1.0) <= tolerance:
                break
            if not 0.0 < variance < np.inf:
                raise ValueError(f"layer {layer + 1} computes numbers of variance {variance}: no scale makes that 1")
            W /= np.sqrt(variance)
        else:
            raise ValueError(f"layer {layer + 1} has variance {variance} after {tries} divisions")
    return net


def _computed(net, X, layer):
    """What an affine layer, counted from 0, makes of a batch: (n, fan_out)."""
    hidden = net.pre_activations(X)
    return hidden[layer] if layer < len(hidden) else net.forward(X)[0]


def _draw(shape, deviation, generator, uniform):
    if uniform:
        return generator.uniform(-np.sqrt(3) * deviation, np.sqrt(3) * deviation, shape)
    return deviation * generator.standard_normal(shape)
