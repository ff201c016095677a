"""scikit-learn and SciPy behind the signatures of lesson 2.3."""

import numpy as np
import scipy.special
import sklearn.linear_model
from sklearn.utils.class_weight import compute_class_weight

from .minimize import newton


def softmax(Z):
    return scipy.special.softmax(Z, axis=1)


def log_sum_exp(Z):
    return scipy.special.logsumexp(Z, axis=1)


def log_odds(theta, X):
    p = X.shape[1]
    return X @ theta[:, :p].T + theta[:, p:].sum(axis=1)


def _both(theta, X, Y, weights, l2):
    from sklearn._loss import HalfBinomialLoss, HalfMultinomialLoss
    from sklearn.linear_model._linear_loss import LinearModelLoss

    k, q = theta.shape
    kind = HalfBinomialLoss() if k == 1 else HalfMultinomialLoss(n_classes=k)
    loss = LinearModelLoss(base_loss=kind, fit_intercept=q > X.shape[1])
    y = Y[:, 0] if k == 1 else Y.argmax(axis=1).astype(np.float64)
    coef = theta[0] if k == 1 else np.asfortranarray(theta)
    total = weights.sum()  # theirs is a mean
    options = dict(sample_weight=weights / 1.0, l2_reg_strength=l2 / total)
    value, slopes = loss.loss_gradient(coef, np.ascontiguousarray(X), np.ascontiguousarray(y), **options)
    return value * total, slopes.reshape(theta.shape) * total


def objective(theta, X, Y, weights, l2, l1=0.0, Z=None):
    return float(_both(theta, X, Y, weights, l2)[0] + l1 * np.abs(theta[:, : X.shape[1]]).sum())


def gradient(theta, X, Y, weights, l2, Z=None):
    return _both(theta, X, Y, weights, l2)[1]


def hessian(theta, X, weights, l2):
    k, q = theta.shape
    Z = log_odds(theta, X)
    P = scipy.special.expit(Z) if k == 1 else softmax(Z)
    A = np.column_stack([X, np.ones(len(X))])[:, :q]
    D = np.einsum("nc,ce->nce", P, np.eye(k)) - np.einsum("nc,ne->nce", P, P)
    priced = np.diag(np.tile([l2] * X.shape[1] + [0.0] * (q - X.shape[1]), k))
    return np.einsum("n,nce,ni,nj->ciej", weights, D, A, A).reshape(k * q, k * q) + priced


def balanced_weights(codes, k, weights):
    return compute_class_weight("balanced", classes=np.arange(k), y=codes, sample_weight=weights)


class LogisticRegression(sklearn.linear_model.LogisticRegression):
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
        super().__init__(
            C=C,
            l1_ratio=l1_ratio,
            tol=tol,
            fit_intercept=fit_intercept,
            class_weight=class_weight,
            solver=solver,
            max_iter=max_iter,
            warm_start=warm_start,
        )

    def fit(self, X, y, sample_weight=None):
        given = self.solver, self.tol
        if self.solver == "newton-cd" and self.l1_ratio > 0:
            self.solver = "saga"
        elif self.solver == "newton-cd":
            self.solver = "newton-cholesky"
        self.tol = self.tol / 1000
        try:
            super().fit(X, y, sample_weight)
        finally:
            stopped_early = self.solver in ("saga", "lbfgs")
            self.solver, self.tol = given
        if stopped_early:
            self._polish(X, y, np.ones(len(X)) if sample_weight is None else sample_weight)
        return self

    def _polish(self, X, y, weights):
        """To the minimum from where saga has stopped by the changes of the weights, or L-BFGS by those of the objective."""
        codes, k, C = np.searchsorted(self.classes_, y), len(self.classes_), self.C * weights.sum()
        Y = np.eye(k)[codes][:, k == 2 :]
        start = np.column_stack([self.coef_, self.intercept_])[:, : X.shape[1] + self.fit_intercept]
        l1 = np.full(start.shape, self.l1_ratio / C)
        l1[:, X.shape[1] :] = 0.0
        rest = (X, Y, weights / weights.sum(), (1 - self.l1_ratio) / C)
        theta = newton(
            lambda v: objective(v.reshape(start.shape), *rest),
            lambda v: gradient(v.reshape(start.shape), *rest).ravel(),
            lambda v: hessian(v.reshape(start.shape), X, *rest[2:]),
            start.ravel(),
            l1.ravel(),
            tol=self.tol,
        ).x.reshape(start.shape)
        self.coef_ = theta[:, : X.shape[1]]
        if self.fit_intercept:
            self.intercept_ = theta[:, -1] - (theta[:, -1].mean() if k > 2 else 0.0)

    def predict_log_proba(self, X):
        Z = self.decision_function(X)
        return scipy.special.log_softmax(np.column_stack([0 * Z, Z]) if Z.ndim == 1 else Z, axis=1)
