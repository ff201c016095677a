"""Lesson 1.5 on PyTorch: autograd for the gradients."""

from typing import NamedTuple

import numpy as np
import torch
from torch.nn.functional import mse_loss


class Descent(NamedTuple):
    w: np.ndarray
    b: float
    losses: np.ndarray


def _tensors(X, y):
    if np.shape(y) != (len(X),):
        raise ValueError("y is (n,)")
    return torch.tensor(np.asarray(X, dtype=np.float64)), torch.tensor(np.asarray(y, dtype=np.float64))


def _parameters(X, w, b):
    w = np.zeros(X.shape[1]) if w is None else np.asarray(w, dtype=np.float64)
    return torch.tensor(w, requires_grad=True), torch.tensor(float(b), dtype=torch.float64, requires_grad=True)


def mean_squared_error(X, y, w, b):
    X, y = _tensors(X, y)
    w, b = _parameters(X, w, b)
    return mse_loss(X @ w + b, y).item()


def mean_squared_error_gradient(X, y, w, b):
    X, y = _tensors(X, y)
    w, b = _parameters(X, w, b)
    slope_w, slope_b = torch.autograd.grad(mse_loss(X @ w + b, y), (w, b))
    return slope_w.numpy(), slope_b.item()


def gaussian_log_likelihood(X, y, w, b, sigma):
    X, y = _tensors(X, y)
    w, b = _parameters(X, w, b)
    return torch.distributions.Normal(X @ w + b, sigma).log_prob(y).sum().item()


def largest_stable_rate(X):
    A = torch.column_stack([torch.tensor(np.asarray(X, dtype=np.float64)), torch.ones(len(X), dtype=torch.float64)])
    return (len(X) / torch.linalg.svdvals(A)[0] ** 2).item()


def batches(n, size, generator):
    return [rows.numpy() for rows in torch.tensor(generator.permutation(n)).split(size)]


def _train(X, y, rate, epochs, decay, w, b):
    X, y = _tensors(X, y)
    w, b = _parameters(X, w, b)
    losses = [mse_loss(X @ w + b, y).item()]
    for t, epoch in enumerate(epochs):
        for rows in epoch:
            slopes = torch.autograd.grad(mse_loss(X[rows] @ w + b, y[rows]), (w, b))
            with torch.no_grad():
                torch._foreach_add_([w, b], slopes, alpha=-rate / (1 + decay * t))
        losses.append(mse_loss(X @ w + b, y).item())
    return Descent(w.detach().numpy(), b.item(), np.array(losses))


def descend(X, y, rate, steps, w=None, b=0.0):
    return _train(X, y, rate, [[slice(None)]] * steps, 0.0, w, b)


def descend_in_batches(X, y, rate, epochs, size, generator, decay=0.0, w=None, b=0.0):
    return _train(X, y, rate, (batches(len(X), size, generator) for _ in range(epochs)), decay, w, b)
