"""The API of classic/logit.py on SciPy and PyTorch."""

import numpy as np
import torch
from scipy.special import expit, logit
from torch.nn.functional import binary_cross_entropy_with_logits

sigmoid, log_odds = expit, logit


def _tensor(x):
    return torch.as_tensor(np.asarray(x, dtype=np.float64))


def cross_entropy(z, y):
    return binary_cross_entropy_with_logits(_tensor(z), _tensor(y)).item()


def _gradient(loss, X, y, w, b):
    w, b = _tensor(w).requires_grad_(), _tensor(b).requires_grad_()
    slope_w, slope_b = torch.autograd.grad(loss(_tensor(X) @ w + b, _tensor(y)), (w, b))
    return slope_w.numpy(), slope_b.item()


def cross_entropy_gradient(X, y, w, b):
    return _gradient(binary_cross_entropy_with_logits, X, y, w, b)


def squared_error_gradient(X, y, w, b):
    return _gradient(lambda z, y: torch.nn.functional.mse_loss(z.sigmoid(), y), X, y, w, b)


def curvature_bound(X):
    A = torch.cat([_tensor(X), torch.ones(len(X), 1, dtype=torch.float64)], dim=1)
    return (torch.linalg.matrix_norm(A, 2) ** 2 / (4 * len(X))).item()


class LogisticRegression:
    def __init__(self, rate=None, steps=10_000, tolerance=1e-8):
        self.rate, self.steps, self.tolerance = rate, steps, tolerance

    def fit(self, X, y):
        if not torch.isin(torch.as_tensor(y), torch.tensor([0, 1])).all():
            raise ValueError("labels are 0 and 1")
        rate = 1 / curvature_bound(X) if self.rate is None else self.rate
        w, b = np.zeros(X.shape[1]), 0.0
        self.n_iter_ = 0
        while self.n_iter_ < self.steps:
            slope_w, slope_b = cross_entropy_gradient(X, y, w, b)
            if max(np.abs(slope_w).max(), abs(slope_b)) <= self.tolerance:
                break
            w, b = w - rate * slope_w, b - rate * slope_b
            self.n_iter_ += 1
        self.coef_, self.intercept_ = w, b
        return self

    def decision_function(self, X):
        return X @ self.coef_ + self.intercept_

    def predict_proba(self, X):
        z = self.decision_function(X)
        return np.stack([expit(-z), expit(z)], axis=1)

    def predict(self, X):
        return (self.decision_function(X) > 0).astype(np.int64)
