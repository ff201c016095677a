"""Losses on the engine: what a network is told, as one number that is differentiated.

Each is the negative logarithm of a probability, up to constants: the squared error that of a normal distribution around the
output, the absolute error that of a Laplace distribution, cross-entropy that of a class. Each is a mean, so that the rate does
not depend on the size of a batch. Bishop, Pattern Recognition and Machine Learning (2006), sections 1.2.5, 4.3.2 and 4.3.4.
Label smoothing: Szegedy et al., Rethinking the Inception Architecture (2016), section 7. Huber, Robust Estimation of a Location
Parameter (1964).
"""

import numpy as np

from .ops import absolute, clip, log_softmax, softplus


def mean_squared_error(output, target):
    """The mean of (output - target)^2 over all entries: a Tensor and an array of one shape -> Tensor ().

    ValueError if the shapes differ: broadcasting would compare everything with everything, in silence.
    """
    _check_shapes(output, target)
    return ((output - target) ** 2).mean()


def mean_absolute_error(output, target):
    """The mean of |output - target|: a Tensor and an array of one shape, or ValueError -> Tensor (). The slope at 0 is 0."""
    _check_shapes(output, target)
    return absolute(output - target).mean()


def huber(output, target, delta=1.0):
    """Squares for small errors, lines for large: with e = output - target the mean of e^2 / 2 up to |e| = delta, and of
    delta (|e| - delta / 2) beyond. A Tensor and an array of one shape, or ValueError; delta > 0 -> Tensor ().
    """
    _check_shapes(output, target)
    error = output - target
    inner = clip(error, -delta, delta)  # (inner - error) is 0 inside, and its slope is 0 outside
    return (inner * (error - 0.5 * inner)).mean()


def binary_cross_entropy(logits, target):
    """The mean of log(1 + e^z) - target z, in nats, from log-odds z: a Tensor and an array of one shape -> Tensor ().

    target: 0 and 1, or probabilities between. At any finite z nothing overflows. ValueError if the shapes differ.
    """
    _check_shapes(logits, target)
    return (softplus(logits) - logits * target).mean()


def cross_entropy(scores, labels, smoothing=0.0, weights=None):
    """The mean of -log softmax(scores)[label], in nats: scores (n, k) a Tensor, labels (n,) integers -> Tensor ().

    smoothing, in [0, 1]: the target is 1 - smoothing on the label plus smoothing / k on every class, the label among them.
    weights (k,): how much a sample of each class counts; the mean is divided by what the samples' labels count together.
    ValueError for labels outside 0..k-1, or of another length.
    """
    n, k = scores.shape
    labels = np.asarray(labels)
    if labels.shape != (n,):
        raise ValueError(f"{n} samples have labels of shape ({n},), not {labels.shape}")
    if n and not (labels.min() >= 0 and labels.max() < k):
        raise ValueError(f"labels run from 0 to {k - 1}, and these from {labels.min()} to {labels.max()}")
    weights = np.ones(k, scores.dtype) if weights is None else np.asarray(weights, scores.dtype)
    target = np.full((n, k), smoothing / k, scores.dtype)
    target[np.arange(n), labels] += 1 - smoothing
    target *= weights  # (n, k): in the sum over classes each class has its own weight
    return -(log_softmax(scores) * target).sum() / weights[labels].sum()


def _check_shapes(output, target):
    if output.shape != np.shape(target):
        raise ValueError(f"the output has shape {output.shape}, and the target {np.shape(target)}")
