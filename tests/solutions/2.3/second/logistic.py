"""A second solution of lesson 2.3: log-add-exp, one class after the other, the Hessian sample by sample."""

import numpy as np

from .estimator import Classifier
from .minimize import lbfgs, newton
from .validation import ConvergenceWarning, check_choice, check_labelled, check_new, check_number, check_weights, warn


def softmax(Z):
    return np.exp(Z - log_sum_exp(Z).reshape(-1, 1))


def log_sum_exp(Z):
    return np.logaddexp.reduce(Z, axis=1)


def log_odds(theta, X):
    Z = np.zeros((len(X), len(theta)))
    for c, row in enumerate(theta):
        Z[:, c] = X @ row[: X.shape[1]]
        if len(row) > X.shape[1]:
            Z[:, c] += row[-1]
    return Z


def _with_the_first(Z):
    """Two classes as two columns."""
    return np.hstack([np.zeros((len(Z), 1)), Z]) if Z.shape[1] == 1 else Z


def objective(theta, X, Y, weights, l2, l1=0.0, Z=None):
    Z = log_odds(theta, X) if Z is None else Z
    total = np.sum(weights * log_sum_exp(_with_the_first(Z))) - np.einsum("n,nk,nk->", weights, Y, Z)
    W = theta[:, : X.shape[1]]
    return float(total + 0.5 * l2 * np.vdot(W, W) + l1 * np.linalg.norm(W.ravel(), 1))


def gradient(theta, X, Y, weights, l2, Z=None):
    Z = log_odds(theta, X) if Z is None else Z
    P = softmax(_with_the_first(Z))[:, -Y.shape[1] :]
    A = X if theta.shape[1] == X.shape[1] else np.hstack([X, np.ones((len(X), 1))])
    price = np.full(theta.shape, float(l2))
    price[:, X.shape[1] :] = 0.0
    return np.einsum("n,nk,nq->kq", weights, P - Y, A) + price * theta


def hessian(theta, X, weights, l2):
    k, q = theta.shape
    P = softmax(_with_the_first(log_odds(theta, X)))[:, -k:]
    A = X if q == X.shape[1] else np.hstack([X, np.ones((len(X), 1))])
    H = np.zeros((k * q, k * q))
    for weight, p, a in zip(weights, P, A):
        H += weight * np.kron(np.diag(p) - np.outer(p, p), np.outer(a, a))
    price = np.full((k, q), float(l2))
    price[:, X.shape[1] :] = 0.0
    return H + np.diag(price.ravel())


def balanced_weights(codes, k, weights):
    return np.array([weights.sum() / k / weights[codes == c].sum() for c in range(k)])


class LogisticRegression(Classifier):
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
        self.C, self.l1_ratio, self.tol, self.fit_intercept = C, l1_ratio, tol, fit_intercept
        self.class_weight, self.solver, self.max_iter, self.warm_start = class_weight, solver, max_iter, warm_start

    def fit(self, X, y, sample_weight=None):
        check_number("C", self.C, low=0.0, open_low=True)
        check_number("l1_ratio", self.l1_ratio, low=0.0, high=1.0)
        check_choice("solver", self.solver, ["lbfgs", "newton-cholesky", "newton-cd"])
        if self.solver != "newton-cd" and self.l1_ratio != 0:
            raise ValueError("an L1 price needs newton-cd")
        X, self.classes_, codes = check_labelled(self, X, y)
        k, (n, p) = len(self.classes_), X.shape
        if k == 1:
            raise ValueError("one class")
        weights = check_weights(sample_weight, n).copy()
        if self.class_weight is not None:
            check_choice("class_weight", self.class_weight, ["balanced"]) if isinstance(
                self.class_weight, str
            ) else None
            if self.class_weight == "balanced":
                weights *= balanced_weights(codes, k, weights)[codes]
            else:
                if not set(self.class_weight) & set(self.classes_.tolist()):
                    raise ValueError("unknown classes")
                weights *= [self.class_weight.get(label, 1.0) for label in self.classes_[codes].tolist()]
        Y = np.eye(k)[codes]
        if k == 2:
            Y = Y[:, [1]]
        shape = (Y.shape[1], p + (1 if self.fit_intercept else 0))
        price, total = 1.0 / self.C, weights.sum()
        l1 = np.zeros(shape)
        l1[:, :p] = self.l1_ratio * price / total
        rest = (X, Y, weights / total, (1 - self.l1_ratio) * price / total)
        start = np.zeros(shape)
        if self.warm_start and hasattr(self, "coef_"):
            start[:, :p] = self.coef_
            start[:, p:] = self.intercept_[:, None][:, : shape[1] - p]
        ends = dict(tol=self.tol, max_iter=self.max_iter)

        def value(v):
            return objective(v.reshape(shape), *rest)

        def slopes(v):
            return gradient(v.reshape(shape), *rest).ravel()

        if self.solver == "lbfgs":
            found = lbfgs(lambda v: (value(v), slopes(v)), start.ravel(), **ends)
        else:
            found = newton(
                value,
                slopes,
                lambda v: hessian(v.reshape(shape), X, *rest[2:]),
                start.ravel(),
                l1.ravel() if l1.any() else None,
                **ends,
            )
        if not found.converged:
            warn(ConvergenceWarning, "cut short")
        theta = found.x.reshape(shape)
        self.coef_, self.n_iter_ = theta[:, :p].copy(), np.array([found.n_iter])
        self.intercept_ = theta[:, p].copy() if self.fit_intercept else np.zeros(len(theta))
        if k > 2:
            self.intercept_ -= self.intercept_.mean()
            if self.l1_ratio == 0:
                self.coef_ -= self.coef_.mean(axis=0)
        return self

    def decision_function(self, X):
        Z = log_odds(np.column_stack([self.coef_, self.intercept_]), check_new(self, X))
        return Z.ravel() if len(self.classes_) == 2 else Z

    def predict_log_proba(self, X):
        Z = self.decision_function(X)
        Z = _with_the_first(Z.reshape(len(Z), -1))
        return Z - log_sum_exp(Z)[:, None]

    def predict_proba(self, X):
        return np.exp(self.predict_log_proba(X))

    def predict(self, X):
        return self.classes_[self.predict_log_proba(X).argmax(axis=1)]
