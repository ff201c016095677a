"""Losses on the engine: what a network is told, as one number that is differentiated.

Each is the negative logarithm of a probability, up to constants: the squared error that of a normal distribution around the
output, the absolute error that of a Laplace distribution, cross-entropy that of a class. Each is a mean, so that the rate does
not depend on the size of a batch. Bishop, Pattern Recognition and Machine Learning (2006), sections 1.2.5, 4.3.2 and 4.3.4.
Label smoothing: Szegedy et al., Rethinking the Inception Architecture (2016), section 7. Huber, Robust Estimation of a Location
Parameter (1964).

The output is a Tensor, a target an array. Where shapes have to be equal and are not, it is a ValueError: broadcasting (n,)
against (n, 1) would compare everything with everything, in silence.
"""

import numpy as np

from .ops import absolute, clip, log_softmax, softplus


def mean_squared_error(output, target):
    """The mean of (output - target)^2 over all entries: output and target of one shape, or ValueError -> Tensor ()."""
    _check_shapes(output, target)
    return ((output - target) ** 2).mean()


def mean_absolute_error(output, target):
    """The mean of |output - target|: output and target of one shape, or ValueError -> Tensor (). The slope at 0 is 0."""
    _check_shapes(output, target)
    return absolute(output - target).mean()


def huber(output, target, delta=1.0):
    """Squares for small errors, lines for large: with e = output - target the mean of e^2 / 2 where |e| <= delta, and of
    delta (|e| - delta / 2) beyond. output and target of one shape -> Tensor (). ValueError if not, or unless delta > 0.
    """
    _check_shapes(output, target)
    if not delta > 0:
        raise ValueError(f"delta is where the lines begin, above 0, not {delta}")
    error = output - target
    inner = clip(error, -delta, delta)  # the error itself inside; outside a constant, whose slope is 0
    return (inner * (error - 0.5 * inner)).mean()


def binary_cross_entropy(logits, target):
    """The mean of -t log p - (1 - t) log(1 - p), in nats, from log-odds z: p = 1 / (1 + e^-z). One shape -> Tensor ().

    target: t is 0 or 1, or a probability between. At any finite z nothing overflows: -log p is softplus(-z), and -log(1 - p)
    is softplus(z). ValueError if the shapes differ.
    """
    _check_shapes(logits, target)
    return (target * softplus(-logits) + (1 - target) * softplus(logits)).mean()


def cross_entropy(scores, labels, smoothing=0.0, weights=None):
    """The mean of -log softmax(scores)[label], in nats: scores (n, k) a Tensor, labels (n,) integers -> Tensor ().

    smoothing, in [0, 1]: the target is 1 - smoothing on the label plus smoothing / k on every class, the label among them.
    weights (k,): each class's own factor in the sum over classes; the mean over samples is then divided, in place of n, by the
    sum of the weights of their labels. A class whose score is -inf is out of the question, and takes no part where nothing is
    smoothed. ValueError for labels that are not n integers from 0 to k - 1, for a smoothing outside [0, 1], and for weights
    that are not k.
    """
    n, k = scores.shape
    labels = np.asarray(labels)
    if labels.shape != (n,) or labels.dtype.kind not in "iu":
        raise ValueError(f"{n} samples have {n} integers as labels, not {labels.dtype} of shape {labels.shape}")
    if n and not 0 <= labels.min() <= labels.max() < k:
        raise ValueError(f"labels are from 0 to {k - 1}, not from {labels.min()} to {labels.max()}")
    if not 0 <= smoothing <= 1:
        raise ValueError(f"smoothing is a share, from 0 to 1, not {smoothing}")
    weights = np.ones(k, scores.dtype) if weights is None else np.asarray(weights, scores.dtype)
    if weights.shape != (k,):
        raise ValueError(f"{k} classes have {k} weights, not an array of shape {weights.shape}")
    log_p, of_label = log_softmax(scores), weights[labels]  # (n, k), (n,)
    total = -(log_p[np.arange(n), labels] * of_label).sum()
    if smoothing:
        total = (1 - smoothing) * total - smoothing / k * (log_p * weights).sum()
    return total / of_label.sum()


def _check_shapes(output, target):
    if output.shape != np.shape(target):
        raise ValueError(f"the output has shape {output.shape}, and the target {np.shape(target)}")
