"""Losses of a raw prediction: where to start, what it costs, which way it should move, and how far.

Boosting does not descend in weights. It moves F, the raw prediction of each sample, a number that may be anything: the
prediction itself, or log-odds. So a loss gives its first two derivatives with respect to F, an entry for each sample. They
are not means and not sums: what another sample does is no matter of this one's.

Friedman, Greedy function approximation: a gradient boosting machine (2001), section 4. Chen and Guestrin, XGBoost: a
scalable tree boosting system (2016), section 2.2.
"""

import numpy as np

from .logit import sigmoid

TINY = float(np.finfo(np.float64).eps)  # a share of 0 or 1 counts as this far from it, so that its logarithm is finite


class SquaredError:
    """(y - F)^2 / 2, for a target that is a number: y (n,), F (n,)."""

    def start(self, y, weights=None):
        """The constant F with the least loss, the mean of y: y (n,), weights (n,) or None for 1 each -> float"""
        return float(np.average(y, weights=weights))

    def loss(self, y, raw, weights=None):
        """The mean of (y - F)^2 / 2: y (n,), raw (n,), weights (n,) or None for 1 each -> float"""
        return float(np.average((y - raw) ** 2, weights=weights)) / 2

    def gradient(self, y, raw):
        """dl/dF of each sample, F - y, the residual with its sign turned: y (n,), raw (n,) -> (n,)"""
        return raw - y

    def hessian(self, y, raw):
        """d2l/dF2 of each sample, 1: y (n,), raw (n,) -> (n,)"""
        return np.ones(len(raw))


class AbsoluteError:
    """|y - F|, for a target that is a number and may be far off: y (n,), F (n,). It has no curvature, and so no hessian."""

    def start(self, y, weights=None):
        """The constant F with the least loss, the median of y: y (n,), weights (n,) or None for 1 each -> float"""
        return weighted_median(y, weights)

    def loss(self, y, raw, weights=None):
        """The mean of |y - F|: y (n,), raw (n,), weights (n,) or None for 1 each -> float"""
        return float(np.average(np.abs(y - raw), weights=weights))

    def gradient(self, y, raw):
        """dl/dF of each sample, 1 where F > y, -1 elsewhere, also at F = y: y (n,), raw (n,) -> (n,)"""
        return np.where(raw > y, 1.0, -1.0)


class BinaryLogLoss:
    """log(1 + e^F) - y F, for y (n,) of 0 and 1. F (n,) are the log-odds of 1: its probability p is sigmoid(F)."""

    def start(self, y, weights=None):
        """The constant F with the least loss: y (n,), weights (n,) or None for 1 each -> float

        It is the log-odds of the share of ones, which is taken to lie in [TINY, 1 - TINY].
        """
        share = np.clip(np.average(y, weights=weights), TINY, 1 - TINY)
        return float(np.log(share / (1 - share)))

    def loss(self, y, raw, weights=None):
        """The mean loss, in nats, right at any finite F: y (n,), raw (n,), weights (n,) or None for 1 each -> float"""
        return float(np.average(np.logaddexp(0.0, raw) - y * raw, weights=weights))

    def gradient(self, y, raw):
        """dl/dF of each sample, p - y: y (n,), raw (n,) -> (n,)"""
        return sigmoid(raw) - y

    def hessian(self, y, raw):
        """d2l/dF2 of each sample, p (1 - p): y (n,), raw (n,) -> (n,)"""
        p = sigmoid(raw)
        return p * (1 - p)

    def probabilities(self, raw):
        """Of 0 and of 1: raw (n,) -> (n, 2), rows that add up to 1"""
        return np.column_stack([sigmoid(-raw), sigmoid(raw)])


class MultinomialLogLoss:
    """-log p_y with p = softmax(F), for y (n,) of classes 0 to K - 1 and F (n, K), a raw prediction for each class.

    Parameter: n_classes, K (int).
    """

    def __init__(self, n_classes):
        """Stores the parameter, and nothing else."""
        self.n_classes = n_classes

    def start(self, y, weights=None):
        """The constants F with the least loss: y (n,), weights (n,) or None for 1 each -> (K,)

        They are the logarithms of the classes' shares, minus their mean; shares are taken to lie in [TINY, 1 - TINY].
        """
        share = np.bincount(y, weights, minlength=self.n_classes)
        F = np.log(np.clip(share / share.sum(), TINY, 1 - TINY))
        return F - F.mean()

    def loss(self, y, raw, weights=None):
        """The mean loss, in nats, right at any finite F: y (n,), raw (n, K), weights (n,) or None for 1 each -> float"""
        shifted = raw - raw.max(axis=1, keepdims=True)
        own = shifted[np.arange(len(y)), y]
        return float(np.average(np.log(np.exp(shifted).sum(axis=1)) - own, weights=weights))

    def gradient(self, y, raw):
        """dl/dF of each sample, p_k - 1 for its own class and p_k for the others: y (n,), raw (n, K) -> (n, K)"""
        gradient = self.probabilities(raw)
        gradient[np.arange(len(y)), y] -= 1.0
        return gradient

    def hessian(self, y, raw):
        """d2l/dF_k^2 of each sample, p_k (1 - p_k): y (n,), raw (n, K) -> (n, K)"""
        p = self.probabilities(raw)
        return p * (1 - p)

    def probabilities(self, raw):
        """softmax(F), without overflow at any finite F: raw (n, K) -> (n, K), rows that add up to 1"""
        e = np.exp(raw - raw.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)


def weighted_median(values, weights=None):
    """The number with half of the weight on either side: values (n,), weights (n,) >= 0 or None for 1 each -> float

    Where exactly half of the weight lies on a value and those below it, the mean of it and the next one that has weight.
    """
    weights = np.ones(len(values)) if weights is None else weights
    order = np.argsort(values)
    order = order[weights[order] > 0]
    running = np.cumsum(weights[order])
    place = np.searchsorted(running, running[-1] / 2)
    other = place + (running[place] == running[-1] / 2)
    return float(values[order[place]] / 2 + values[order[other]] / 2)
