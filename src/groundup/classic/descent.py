"""Linear regression by gradient descent: downhill on the mean squared error.

The model says y = Xw + b, and noise. If the noise is normal, with one variance everywhere, the weights under which the
data are the most probable are those with the least mean squared error. A closed form for them exists; the descent finds the
same ones, and goes on working where no closed form does.

Goodfellow, Bengio and Courville, Deep Learning (2016), sections 4.3, 5.5.1 and 5.9.
"""

from typing import NamedTuple

import numpy as np


class Descent(NamedTuple):  # given
    """Where a descent has ended, and how it got there.

    w (p,) and b (float): the weights and the intercept after the last step.
    losses: the mean squared error on all samples, first at the start and then after each step, or after each epoch.
    """

    w: np.ndarray
    b: float
    losses: np.ndarray


def mean_squared_error(X, y, w, b):
    """The mean over the samples of (Xw + b - y)^2: X (n, p), y (n,), w (p,), b a float -> float.

    Raises ValueError unless y is (n,): against y (n, 1) the predictions would broadcast to (n, n).
    """
    return float(np.mean(_errors(X, y, w, b) ** 2))


def mean_squared_error_gradient(X, y, w, b):
    """The derivatives of mean_squared_error with respect to w and to b.

    X (n, p), y (n,), w (p,), b a float -> (p,) and a float. Raises ValueError unless y is (n,).
    """
    slope = 2.0 * _errors(X, y, w, b) / len(X)  # (n,): d loss / d prediction
    return slope @ X, float(slope.sum())


def gaussian_log_likelihood(X, y, w, b, sigma):
    """The logarithm of the probability density of y, if each y is Xw + b plus normal noise of its own.

    X (n, p), y (n,), w (p,), b a float; sigma: the standard deviation of the noise, > 0, in the units of y -> float, in
    nats, a sum over the samples. Raises ValueError unless y is (n,).
    """
    z = _errors(X, y, w, b) / sigma
    return float(-0.5 * np.sum(z**2) - len(z) * np.log(sigma * np.sqrt(2.0 * np.pi)))


def largest_stable_rate(X):
    """The rate beyond which a descent on the mean squared error grows without bound: X (n, p) -> float.

    It is 2 / lambda, where lambda is the largest eigenvalue of the matrix of second derivatives with respect to
    w and b: the largest curvature in any direction. That matrix is 2 A'A / n, where A (n, p + 1) is X with a column of
    ones beside it for the intercept. LeCun, Bottou, Orr and Müller, Efficient BackProp (1998), section 5.
    """
    A = np.column_stack([X, np.ones(len(X))])
    return float(2.0 / np.linalg.eigvalsh(2.0 * A.T @ A / len(A))[-1])


def descend(X, y, rate, steps, w=None, b=0.0):
    """Full-batch gradient descent on the mean squared error: at each step all samples, once.

    X (n, p), y (n,). rate: how far to move against the gradient (float). steps: how often (int, >= 0). w (p,) and
    b: where to start; w None is zeros. Arrays of integers will do; none is changed. Returns a Descent with steps + 1
    losses. Raises ValueError unless y is (n,).
    """
    w, b = _start(X, w, b)
    losses = [mean_squared_error(X, y, w, b)]
    for _ in range(steps):
        slope_w, slope_b = mean_squared_error_gradient(X, y, w, b)  # both at the same point
        w = w - rate * slope_w
        b = b - rate * slope_b
        losses.append(mean_squared_error(X, y, w, b))
    return Descent(w, b, np.array(losses))


def batches(n, size, generator):
    """One epoch: the samples 0..n-1 in random order, cut into batches.

    n, size: ints, >= 1. generator: a numpy.random.Generator, asked once, for generator.permutation(n). Returns a list of
    integer arrays, or yields them: the permutation's entries in order, `size` at a time; the last batch holds what
    is left. So each sample is in exactly one batch.
    """
    order = generator.permutation(n)
    for start in range(0, n, size):
        yield order[start : start + size]


def descend_in_batches(X, y, rate, epochs, size, generator, decay=0.0, w=None, b=0.0):
    """Mini-batch gradient descent: at each step the mean squared error of one batch of `batches`, in their order.

    As `descend`, but for these. epochs: how often to go through all samples, each time in a new order. size: of a batch.
    generator: a numpy.random.Generator. decay: the rate throughout epoch t = 0, 1, 2, ... is rate / (1 + decay t).
    Returns a Descent with epochs + 1 losses.
    """
    w, b = _start(X, w, b)
    losses = [mean_squared_error(X, y, w, b)]
    for epoch in range(epochs):
        current_rate = rate / (1.0 + decay * epoch)
        for rows in batches(len(X), size, generator):
            slope_w, slope_b = mean_squared_error_gradient(X[rows], y[rows], w, b)
            w = w - current_rate * slope_w
            b = b - current_rate * slope_b
        losses.append(mean_squared_error(X, y, w, b))
    return Descent(w, b, np.array(losses))


def _errors(X, y, w, b):
    """Prediction minus target, (n,)."""
    if y.shape != (len(X),):
        raise ValueError(f"X has {len(X)} rows, so y has to be ({len(X)},), not {y.shape}")
    return X @ w + b - y


def _start(X, w, b):
    """Where a descent begins, in floats."""
    return np.zeros(X.shape[1]) if w is None else np.asarray(w, dtype=np.float64), float(b)
