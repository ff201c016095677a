"""Logistic regression with a price on its weights: two classes or many, L1, L2 or both.

Where a line separates the classes, twice the weights explain the labels better still, and there is no best fit. A penalty
ends that. With L2 the minimum is unique and smooth; with L1 many weights are exactly zero at it.

Two classes have one column of log-odds z, those of the second class against the first, and the probability sigmoid(z). k
classes have k columns, and the softmax of each row. The loss is log(sum over classes of e^z) - z of the label in both cases: with
two classes the first one's z is held at 0.

Hastie, Tibshirani and Friedman, The Elements of Statistical Learning (2nd edition), sections 4.4 and 18.3.2.
"""

import numpy as np

from .estimator import Classifier
from .logit import sigmoid
from .minimize import lbfgs, newton
from .validation import ConvergenceWarning, check_choice, check_labelled, check_new, check_number, check_weights, warn


def softmax(Z):
    """The probabilities whose log-odds are Z, up to what all classes share: Z (n, k) -> (n, k), each row sums to 1.

    e^z / the row's sum of e^z, without overflow or warning at any finite Z: what is largest in the row is subtracted first.
    """
    E = np.exp(Z - Z.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True)


def log_sum_exp(Z):
    """The logarithm of the sum of e^z over each row: Z (n, k) -> (n,). Finite and exact at any finite Z."""
    top = Z.max(axis=1)
    return top + np.log(np.exp(Z - top[:, None]).sum(axis=1))


def log_odds(theta, X):
    """XW' + b: X (n, p), theta (k, p + 1) with b as its last column, or (k, p) without -> Z (n, k)"""
    p = X.shape[1]
    Z = (theta[:, :p] @ X.T).T  # laid out class by class, so that a reduction over classes is fast
    return Z + theta[:, p] if theta.shape[1] > p else Z


def objective(theta, X, Y, weights, l2, l1=0.0, Z=None):
    """The weighted sum of the losses, plus l2 / 2 times the sum of w^2, plus l1 times the sum of |w|.

    theta (k, p + 1): the w of each class and in the last column its intercept, which has no price; or (k, p). X (n, p),
    Y (n, k) with 1 at each sample's class, else 0; for two classes k = 1, and Y is 1 at the second. weights (n,). Z: the
    log-odds of theta, if they are known already -> float.
    """
    W = theta[:, : X.shape[1]]
    Z = log_odds(theta, X) if Z is None else Z
    losses = _log_partition(Z) - np.sum(Y * Z, axis=1)  # (n,)
    return float(weights @ losses + l2 / 2 * np.sum(W**2) + l1 * np.sum(np.abs(W)))


def gradient(theta, X, Y, weights, l2, Z=None):
    """The derivatives of `objective` without its l1: arguments as there -> as theta."""
    p = X.shape[1]
    Z = log_odds(theta, X) if Z is None else Z
    errors = weights[:, None] * (_probabilities(Z) - Y)  # (n, k)
    slopes = np.zeros(theta.shape)
    slopes[:, :p] = errors.T @ X + l2 * theta[:, :p]
    slopes[:, p:] = errors.sum(axis=0)[:, None]
    return slopes


def hessian(theta, X, weights, l2):
    """The second derivatives of `objective` without its l1, arguments as there -> (kq, kq) for theta (k, q), flattened.

    The loss of one sample has p_c (1 - p_c) for its log-odds of class c, twice, and -p_c p_e for those of two classes c and e.
    """
    (k, q), p = theta.shape, X.shape[1]
    Z, H = log_odds(theta, X), np.zeros((k, q, k, q))
    if k == 1:
        H[0, :, 0, :] = _gram(X, weights * sigmoid(Z[:, 0]) * sigmoid(-Z[:, 0]), q)
    else:
        P = softmax(Z)
    for c in range(k):
        H[c, range(p), c, range(p)] += l2
        for e in range(c):  # 1 - p_c is the sum of the others: to subtract would lose the digits of a p close to 1
            block = _gram(X, weights * P[:, c] * P[:, e], q)
            H[c, :, c, :] += block
            H[e, :, e, :] += block
            H[c, :, e, :] = H[e, :, c, :] = -block
    return H.reshape(k * q, k * q)


def balanced_weights(codes, k, weights):
    """What each class counts if all are to count the same: the sum of the weights / (k * the sum over the class).

    codes (n,): the class of each sample, 0 to k - 1; weights (n,) of the samples -> (k,), 1 for a class that has no weight.
    """
    held = np.bincount(codes, weights=weights, minlength=k)
    return np.where(held > 0, weights.sum() / (k * np.where(held > 0, held, 1.0)), 1.0)


class LogisticRegression(Classifier):
    """Minimises C * the sum of the losses + (1 - l1_ratio) / 2 * the sum of w^2 + l1_ratio * the sum of |w|.

    Parameters: C, what the losses weigh against the penalty, > 0 (float; infinity for no penalty); l1_ratio, from 0 for L2 to
    1 for L1; tol, the search ends once no slope of the objective, divided by C and by the sum of the weights of the samples, is
    larger (float); fit_intercept, whether there is a b (bool), it has no price; class_weight, a dictionary from class to what
    its samples count, 1 where it is not named, or "balanced", or None; solver, "lbfgs" and "newton-cholesky" for L2 alone,
    "newton-cd" for any penalty; max_iter (int); warm_start, whether the search begins at what the last fit has learned, if that
    has the same shape, and not at zeros.
    Learns: classes_, ascending; coef_ (1, p) and intercept_ (1,) for two classes, the log-odds of classes_[1]; coef_ (k, p)
    and intercept_ (k,) for k classes; n_iter_ (1,), the steps taken.

    With k classes a constant may be added to all intercepts, and without an L1 price to all weights of a feature; these are
    the ones that sum to 0.
    """

    def __init__(
        self,
        *,
        C=1.0,
        l1_ratio=0.0,
        tol=1e-4,
        fit_intercept=True,
        class_weight=None,
        solver="lbfgs",
        max_iter=100,
        warm_start=False,
    ):
        """Stores the parameters, and nothing else."""
        self.C = C
        self.l1_ratio = l1_ratio
        self.tol = tol
        self.fit_intercept = fit_intercept
        self.class_weight = class_weight
        self.solver = solver
        self.max_iter = max_iter
        self.warm_start = warm_start

    def fit(self, X, y, sample_weight=None):
        """X (n, p), y (n,) of classes, sample_weight (n,) >= 0 or None for 1 each -> self.

        Warns with a ConvergenceWarning if max_iter steps were too few. Raises ValueError for a parameter out of its range, a
        solver that cannot have the l1_ratio, a single class, NaN, infinity, or lengths that differ.
        """
        self._check_parameters()
        X, self.classes_, codes = check_labelled(self, X, y)
        k = len(self.classes_)
        if k < 2:
            raise ValueError(
                f"needs samples of at least 2 classes; the data contain only one class: {self.classes_[0]!r}"
            )
        weights = check_weights(sample_weight, len(X))
        weights = check_weights(weights * self._class_weights(codes, weights)[codes], len(X))
        total = weights.sum()
        Y = (codes == np.arange(k)[:, None]).T.astype(np.float64)  # (n, k)
        if k == 2:
            Y = Y[:, 1:]
        found = self._minimize(X, Y, weights / total, self.C * total)
        if not found.converged:
            warn(
                ConvergenceWarning,
                f"{self.solver} failed to converge after {found.n_iter} iterations. Raise max_iter, or scale the columns of X.",
            )
        self.n_iter_ = np.array([found.n_iter], dtype=np.int32)
        theta = found.x.reshape(Y.shape[1], -1)
        if k > 2:
            shared = slice(X.shape[1] if self.l1_ratio > 0 else 0, None)
            theta[:, shared] -= theta[:, shared].mean(axis=0)
        self.coef_ = theta[:, : X.shape[1]].copy()
        self.intercept_ = theta[:, -1].copy() if self.fit_intercept else np.zeros(len(theta))
        return self

    def decision_function(self, X):
        """The log-odds: X (m, p) -> (m,), those of classes_[1], or (m, k). Raises NotFittedError; ValueError for other columns."""
        Z = check_new(self, X) @ self.coef_.T + self.intercept_
        return Z[:, 0] if len(self.classes_) == 2 else Z

    def predict(self, X):
        """The likeliest class: X (m, p) -> (m,). At log-odds of 0, and at equal ones, the class that comes first."""
        Z = self.decision_function(X)
        return self.classes_[(Z > 0).astype(np.int64) if Z.ndim == 1 else Z.argmax(axis=1)]

    def predict_proba(self, X):
        """The probability of each class, in the order of classes_: X (m, p) -> (m, k)"""
        Z = self.decision_function(X)
        return np.column_stack([sigmoid(-Z), sigmoid(Z)]) if Z.ndim == 1 else softmax(Z)

    def predict_log_proba(self, X):
        """The logarithms of the probabilities, finite also where these round to 0: X (m, p) -> (m, k)"""
        Z = self.decision_function(X)
        if Z.ndim == 1:
            Z = np.column_stack([np.zeros(len(Z)), Z])
        return Z - log_sum_exp(Z)[:, None]

    def _minimize(self, X, Y, weights, C):
        """The Minimum of the sum of weights * losses + penalty / C."""
        shape, p = (Y.shape[1], X.shape[1] + bool(self.fit_intercept)), X.shape[1]
        l2, l1 = (1 - self.l1_ratio) / C, self.l1_ratio / C

        def value(x):
            return objective(x.reshape(shape), X, Y, weights, l2)

        def slope(x):
            return gradient(x.reshape(shape), X, Y, weights, l2).ravel()

        def curvature(x):
            return hessian(x.reshape(shape), X, weights, l2)

        def both(x):  # the log-odds once for both: with 400 columns that saves 30 % of the fit
            Z = log_odds(theta := x.reshape(shape), X)
            return objective(theta, X, Y, weights, l2, Z=Z), gradient(theta, X, Y, weights, l2, Z=Z).ravel()

        start, ends = self._start(shape).ravel(), {"tol": self.tol, "max_iter": self.max_iter}
        if self.solver == "lbfgs":
            return lbfgs(both, start, **ends)
        prices = np.full(shape, l1)
        prices[:, p:] = 0.0
        return newton(value, slope, curvature, start, prices.ravel() if l1 > 0 else None, **ends)

    def _start(self, shape):
        if self.warm_start and hasattr(self, "coef_"):
            learned = np.column_stack([self.coef_, self.intercept_])[:, : shape[1]]
            if learned.shape == shape:
                return learned
        return np.zeros(shape)

    def _check_parameters(self):
        check_number("C", self.C, low=0.0, open_low=True)
        check_number("l1_ratio", self.l1_ratio, low=0.0, high=1.0)
        check_number("tol", self.tol, low=0.0)
        check_number("max_iter", self.max_iter, low=0, integer=True)
        check_choice("solver", self.solver, ("lbfgs", "newton-cholesky", "newton-cd"))
        if self.l1_ratio > 0 and np.isfinite(self.C) and self.solver != "newton-cd":
            raise ValueError(
                f"solver == {self.solver!r} minimises smooth functions, and with l1_ratio == {self.l1_ratio} there are kinks:"
                " take 'newton-cd'"
            )

    def _class_weights(self, codes, weights):
        """What a sample of each class counts, (k,)."""
        k, named = len(self.classes_), self.class_weight
        if named is None:
            return np.ones(k)
        if isinstance(named, str):
            check_choice("class_weight", named, ("balanced",))
            return balanced_weights(codes, k, weights)
        classes = self.classes_.tolist()
        missing = [label for label in classes if label not in named]
        if missing and len(missing) + len(named) != k:
            raise ValueError(f"The classes, {missing}, are not in class_weight, which names others: {list(named)}")
        return np.array([named.get(label, 1.0) for label in classes])


def _log_partition(Z):
    """log(the sum of e^z over the classes), (n,); a single column stands beside a class whose log-odds are 0."""
    if Z.shape[1] > 1:
        return log_sum_exp(Z)
    z = Z[:, 0]
    return np.maximum(z, 0.0) + np.log1p(np.exp(-np.abs(z)))


def _probabilities(Z):
    """(n, k), of the classes that have a column."""
    return softmax(Z) if Z.shape[1] > 1 else sigmoid(Z)


def _gram(X, d, q):
    """A' diag(d) A (q, q) for d >= 0, where A is X, with a column of ones beside it if q = p + 1."""
    p = X.shape[1]
    B = X * np.sqrt(d)[:, None]
    H = np.empty((q, q))
    H[:p, :p] = B.T @ B
    if q > p:
        H[p, :p] = H[:p, p] = d @ X
        H[p, p] = d.sum()
    return H
