"""Lesson 2.7 written another way: one formula a method, the logistic function by tanh, classes by an indicator matrix."""

import numpy as np


def _weights(y, weights):
    w = np.ones(len(y)) if weights is None else np.asarray(weights, dtype=float)
    return w / w.sum()


class SquaredError:
    def start(self, y, weights=None):
        return float(_weights(y, weights) @ y)

    def loss(self, y, raw, weights=None):
        return float(0.5 * _weights(y, weights) @ (raw - y) ** 2)

    def gradient(self, y, raw):
        return -(y - raw)

    def hessian(self, y, raw):
        return 0.0 * raw + 1.0


class AbsoluteError:
    def start(self, y, weights=None):
        pairs = sorted((v, w) for v, w in zip(y.tolist(), _weights(y, weights).tolist()) if w > 0)
        below = 0.0
        for i, (v, w) in enumerate(pairs):
            below += w
            if abs(below - 0.5) < 1e-12:
                return (v + pairs[i + 1][0]) / 2
            if below > 0.5:
                return v

    def loss(self, y, raw, weights=None):
        return float(_weights(y, weights) @ abs(raw - y))

    def gradient(self, y, raw):
        return 2.0 * (raw > y) - 1.0


def _logistic(F):
    return 0.5 + 0.5 * np.tanh(0.5 * F)


class BinaryLogLoss:
    def start(self, y, weights=None):
        ones = min(max(_weights(y, weights) @ y, 2.2e-16), 1 - 2.2e-16)
        return float(np.log(ones) - np.log1p(-ones))

    def loss(self, y, raw, weights=None):
        return float(_weights(y, weights) @ np.logaddexp(0, np.where(y == 1, -raw, raw)))

    def gradient(self, y, raw):
        return _logistic(raw) - y

    def hessian(self, y, raw):
        return _logistic(raw) * _logistic(-raw)

    def probabilities(self, raw):
        return np.stack([_logistic(-raw), _logistic(raw)], axis=1)


class MultinomialLogLoss:
    def __init__(self, n_classes):
        self.n_classes = n_classes

    def _indicator(self, y):
        return np.eye(self.n_classes)[y]

    def _log_p(self, raw):
        return raw - np.logaddexp.reduce(raw, axis=1)[:, None]

    def start(self, y, weights=None):
        logs = np.log(np.maximum(_weights(y, weights) @ self._indicator(y), 2.2e-16))
        return logs - np.mean(logs)

    def loss(self, y, raw, weights=None):
        return float(-_weights(y, weights) @ (self._log_p(raw) * self._indicator(y)).sum(axis=1))

    def gradient(self, y, raw):
        return self.probabilities(raw) - self._indicator(y)

    def hessian(self, y, raw):
        return self.probabilities(raw) - self.probabilities(raw) ** 2

    def probabilities(self, raw):
        return np.exp(self._log_p(raw))
