"""The losses by PyTorch's own."""

import numpy as np
import torch
from torch.nn import functional

from .nn import by_torch


def compared(function, output, target):
    if output.shape != np.shape(target):
        raise ValueError(f"{output.shape} and {np.shape(target)}")
    target = torch.tensor(np.asarray(target, output.dtype))
    return by_torch(lambda output: function(output, target), output)


def mean_squared_error(output, target):
    return compared(functional.mse_loss, output, target)


def mean_absolute_error(output, target):
    return compared(functional.l1_loss, output, target)


def huber(output, target, delta=1.0):
    if delta <= 0:
        raise ValueError(delta)
    return compared(lambda o, t: functional.huber_loss(o, t, delta=delta), output, target)


def binary_cross_entropy(logits, target):
    return compared(functional.binary_cross_entropy_with_logits, logits, target)


def cross_entropy(scores, labels, smoothing=0.0, weights=None):
    labels = torch.tensor(np.asarray(labels))
    if labels.ndim != 1 or len(labels) != len(scores) or labels.is_floating_point():
        raise ValueError("labels")
    if bool(((labels < 0) | (labels >= scores.shape[1])).any()):
        raise ValueError("labels")
    if not 0 <= smoothing <= 1 or (weights is not None and np.shape(weights) != (scores.shape[1],)):
        raise ValueError("smoothing or weights")
    weights = None if weights is None else torch.tensor(np.asarray(weights, scores.dtype))

    def loss(scores):
        return functional.cross_entropy(scores, labels.long(), weights, label_smoothing=smoothing)

    return by_torch(loss, scores)
