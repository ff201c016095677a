"""Logistic regression: a straight line through the log-odds, fitted by gradient descent.

The model says log(p / (1 - p)) = Xw + b, and the weights are those under which the labels that were seen are the most
probable. That is the least cross-entropy, a convex function with no closed form for its minimum, and so one descends.
Everything is computed from the log-odds z, never from p: a p that has been rounded to 1 has forgotten how sure it was.

Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, section 4.4.
"""

import numpy as np


def sigmoid(z):
    """The probability 1 / (1 + e^-z) whose log-odds are z.

    z: a number or an array of any shape, of floats or of integers. Returns float64 of the same shape.
    No overflow and no warning at any finite z: 0 at -10,000, 1 at 10,000.
    """
    small = np.exp(-np.abs(z))  # in [0, 1]: the exponent is never positive
    return np.where(np.asarray(z) >= 0, 1.0, small) / (1.0 + small)


def log_odds(p):
    """The inverse of the sigmoid, log(p / (1 - p)), the logarithm to base e; also called the logit.

    p: a probability or an array of them, above 0 and below 1. Returns float64 of the same shape.
    """
    return np.log(p) - np.log1p(-np.asarray(p))


def cross_entropy(z, y):
    """What the labels cost under log-odds z: the mean of -log(the probability that was given to the label), in nats.

    z (n,), y (n,) of 0 and 1 -> float. For one sample it is log(1 + e^z) - y z. Right to rounding error at any finite
    z, without a warning: a confident mistake, z = 10,000 and y = 0, costs 10,000.
    """
    z = np.asarray(z, dtype=np.float64)
    softplus = np.maximum(z, 0.0) + np.log1p(np.exp(-np.abs(z)))  # log(1 + e^z)
    return float(np.mean(softplus - y * z))


def cross_entropy_gradient(X, y, w, b):
    """The derivatives of cross_entropy(Xw + b, y), a mean over the samples, with respect to w and to b.

    X (n, p), y (n,) of 0 and 1, w (p,), b a float -> (p,) and a float.
    """
    error = sigmoid(X @ w + b) - y  # (n,)
    return X.T @ error / len(y), float(error.mean())


def squared_error_gradient(X, y, w, b):
    """The derivatives of mean((sigmoid(Xw + b) - y)^2) with respect to w and to b: what not to train with.

    X (n, p), y (n,) of 0 and 1, w (p,), b a float -> (p,) and a float.
    """
    p = sigmoid(X @ w + b)
    error = 2.0 * (p - y) * p * (1.0 - p)  # (n,); p (1 - p) is the slope of the sigmoid
    return X.T @ error / len(y), float(error.mean())


def curvature_bound(X):
    """A number that no curvature of the cross-entropy exceeds, in any direction of (w, b) and at any weights.

    It is the largest eigenvalue of A'A / (4n), where A (n, p + 1) is X with a column of ones for the intercept: the
    sigmoid's slope is at most 1/4. A descent with a rate of one over this never raises the loss.
    Boyd and Vandenberghe, Convex Optimization, section 9.3.

    X (n, p) -> float
    """
    A = np.column_stack([X, np.ones(len(X))])
    return float(np.linalg.eigvalsh(A.T @ A)[-1] / (4 * len(X)))


class LogisticRegression:
    """Logistic regression without a penalty, by full-batch gradient descent on the cross-entropy from w = 0, b = 0.

    Parameters: rate, how far to move along the gradient (float; None for one over curvature_bound(X)); steps, how many
    to take at most (int); tolerance, the descent ends before a step once no derivative is larger than this in size
    (float; it is the derivatives that are small at a minimum, not only the changes of the loss).
    Learns: coef_ (p,) and intercept_ (float), in log-odds, per unit of X; n_iter_, the number of steps taken (int).

    Where a line separates the classes there is no minimum: the weights grow until the steps run out.
    """

    def __init__(self, rate=None, steps=10_000, tolerance=1e-8):
        """Stores the parameters, and nothing else."""
        self.rate = rate
        self.steps = steps
        self.tolerance = tolerance

    def fit(self, X, y):
        """X (n, p), y (n,) of 0 and 1 -> self. Raises ValueError for any other label."""
        X, y = np.asarray(X, dtype=np.float64), np.asarray(y)
        if not np.isin(y, (0, 1)).all():
            raise ValueError("the labels are 0 and 1")
        rate = 1.0 / curvature_bound(X) if self.rate is None else self.rate
        w, b = np.zeros(X.shape[1]), 0.0
        self.n_iter_ = 0
        while self.n_iter_ < self.steps:
            slope_w, slope_b = cross_entropy_gradient(X, y, w, b)
            if max(np.abs(slope_w).max(), abs(slope_b)) <= self.tolerance:
                break
            w = w - rate * slope_w
            b = b - rate * slope_b
            self.n_iter_ += 1
        self.coef_, self.intercept_ = w, b
        return self

    def decision_function(self, X):
        """The log-odds of class 1: X (n, p) -> (n,)"""
        return X @ self.coef_ + self.intercept_

    def predict_proba(self, X):
        """The probabilities of class 0 and of class 1, in this order: X (n, p) -> (n, 2)"""
        z = self.decision_function(X)
        return np.column_stack([sigmoid(-z), sigmoid(z)])  # 1 - p would round the small ones to 0

    def predict(self, X):
        """The likelier class, 1 where its log-odds are above 0: X (n, p) -> (n,) of integers 0 and 1"""
        return (self.decision_function(X) > 0).astype(np.int64)
