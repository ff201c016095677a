"""The machines without the base class: a whole kernel matrix, and every pair of classes a dictionary."""

import itertools

import numpy as np

from .estimator import Classifier, Regressor
from .kernels import NAMES, choose_gamma, kernel_matrix
from .platt import couple, platt_probability, platt_scaling
from .smo import solve_dual
from .validation import ConvergenceWarning, check_labelled, check_new, check_weights, check_Xy, warn


def svc_box(y, C):
    return np.where(y > 0, 0.0, -1.0 * C), np.where(y > 0, 1.0 * C, 0.0)


def votes(values, k):
    wins, sums = np.zeros((len(values), k)), np.zeros((len(values), k))
    for m, row in enumerate(values):
        for f, (a, b) in zip(row, itertools.combinations(range(k), 2)):
            wins[m, a if f > 0 else b] += 1
            sums[m, a] += f
            sums[m, b] -= f
    return wins, sums


class _Kernelled:
    def _between(self, X, Z):
        return kernel_matrix(self.kernel, X, Z, self._gamma, self.degree, self.coef0)

    def _open(self, X):
        if self.kernel == "precomputed":
            if len(X) != X.shape[1]:
                raise ValueError("not square")
            return X
        if not self.C > 0:
            raise ValueError("C")
        if not callable(self.kernel) and self.kernel not in NAMES:
            raise ValueError("kernel")
        self._gamma = choose_gamma(self.gamma, X)
        return self._between(X, X)

    def _dual(self, K, y, low, high, epsilon=0.0):
        s = solve_dual(K, y, low, high, epsilon, self.tol, self.max_iter)
        if s.gap >= self.tol:
            warn(ConvergenceWarning, "stopped early")
        return s

    def _new(self, X):
        X = check_new(self, X)
        return X[:, self.support_] if self.kernel == "precomputed" else self._between(X, self.support_vectors_)

    @property
    def coef_(self):
        return self.dual_coef_ @ self.support_vectors_


class SVC(_Kernelled, Classifier):
    def __init__(
        self,
        *,
        C=1.0,
        kernel="rbf",
        degree=3,
        gamma="scale",
        coef0=0.0,
        probability=False,
        tol=1e-3,
        cache_size=200,
        class_weight=None,
        max_iter=-1,
        decision_function_shape="ovr",
    ):
        self.C, self.kernel, self.degree, self.gamma, self.coef0 = C, kernel, degree, gamma, coef0
        self.probability, self.tol, self.cache_size, self.class_weight = probability, tol, cache_size, class_weight
        self.max_iter, self.decision_function_shape = max_iter, decision_function_shape

    def fit(self, X, y, sample_weight=None):
        X, self.classes_, codes = check_labelled(self, X, y)
        k = len(self.classes_)
        if k < 2:
            raise ValueError("one class")
        K = self._open(X)
        price = self.C * check_weights(sample_weight, len(X))
        for c, label in enumerate(self.classes_.tolist()):
            if self.class_weight == "balanced":
                price[codes == c] *= len(X) / (k * np.sum(codes == c))
            elif self.class_weight:
                price[codes == c] *= self.class_weight.get(label, 1.0)
        betas, self.intercept_, self.n_iter_, self.sigmoids_ = {}, [], [], []
        for a, b in itertools.combinations(range(k), 2):
            label = np.where(codes == a, 1.0, 0.0) - np.where(codes == b, 1.0, 0.0)
            label = -label if k == 2 else label
            rows = np.flatnonzero((label != 0) & (price > 0))
            s = self._dual(K[np.ix_(rows, rows)], label[rows], *svc_box(label[rows], price[rows]))
            betas[a, b] = np.zeros(len(X))
            betas[a, b][rows] = s.beta
            self.intercept_.append(s.intercept)
            self.n_iter_.append(s.n_iter)
            if self.probability:
                self.sigmoids_.append(platt_scaling(self._unseen(K, rows, label, price), label[rows]))
        self.intercept_ = np.array(self.intercept_)
        used = np.any([beta != 0 for beta in betas.values()], axis=0)
        self.support_ = np.concatenate([np.flatnonzero(used & (codes == c)) for c in range(k)])
        self.support_vectors_ = np.zeros((0, 0)) if self.kernel == "precomputed" else X[self.support_]
        owners = codes[self.support_]
        self.n_support_ = np.array([np.sum(owners == c) for c in range(k)])
        self.pairs_ = np.array([betas[pair][self.support_] for pair in sorted(betas)])
        self.dual_coef_ = np.zeros((k - 1, len(owners)))
        for column, (sample, c) in enumerate(zip(self.support_, owners)):
            others = [d for d in range(k) if d != c]
            for row, d in enumerate(others):
                self.dual_coef_[row, column] = betas[min(c, d), max(c, d)][sample]
        return self

    def _unseen(self, K, rows, label, price):
        f, place = np.zeros(len(K)), np.zeros(len(K), dtype=int)
        for sign in (-1, 1):
            own = [r for r in rows if label[r] == sign]
            place[own] = [turn % 5 for turn in range(len(own))]
        for turn in range(5):
            out, rest = rows[place[rows] == turn], rows[place[rows] != turn]
            if len(set(label[rest])) < 2:
                f[out] = label[rest][0]
            else:
                s = self._dual(K[np.ix_(rest, rest)], label[rest], *svc_box(label[rest], price[rest]))
                f[out] = K[np.ix_(out, rest)] @ s.beta + s.intercept
        return f[rows]

    def _pairwise(self, X):
        return self._new(X) @ self.pairs_.T + self.intercept_

    def decision_function(self, X):
        values, k = self._pairwise(X), len(self.classes_)
        if k == 2:
            return values.ravel()
        if self.decision_function_shape == "ovo":
            return values
        wins, sums = votes(values, k)
        return wins + sums / (3 * (1 + abs(sums)))

    def predict(self, X):
        values, k = self._pairwise(X), len(self.classes_)
        if k == 2:
            return np.where(values.ravel() < 0, self.classes_[0], self.classes_[1])
        return self.classes_[np.argmax(votes(values, k)[0], axis=1)]

    def predict_proba(self, X):
        values, k = self._pairwise(X), len(self.classes_)
        p = np.stack([platt_probability(f, A, B) for f, (A, B) in zip(values.T, self.sigmoids_)], axis=1)
        if k == 2:
            return np.hstack([1 - p, p])
        r = np.zeros((len(p), k, k))
        for column, (a, b) in zip(p.T, itertools.combinations(range(k), 2)):
            r[:, a, b], r[:, b, a] = column, 1 - column
        return couple(r)

    def predict_log_proba(self, X):
        return np.log(self.predict_proba(X))


class SVR(_Kernelled, Regressor):
    def __init__(
        self,
        *,
        kernel="rbf",
        degree=3,
        gamma="scale",
        coef0=0.0,
        tol=1e-3,
        C=1.0,
        epsilon=0.1,
        cache_size=200,
        max_iter=-1,
    ):
        self.kernel, self.degree, self.gamma, self.coef0 = kernel, degree, gamma, coef0
        self.tol, self.C, self.epsilon, self.cache_size, self.max_iter = tol, C, epsilon, cache_size, max_iter

    def fit(self, X, y, sample_weight=None):
        X, y = check_Xy(self, X, y)
        C = self.C * check_weights(sample_weight, len(X))
        s = self._dual(self._open(X), y, -C, C, self.epsilon)
        self.support_ = np.flatnonzero(s.beta)
        self.support_vectors_, self.dual_coef_ = X[self.support_], s.beta[self.support_][None]
        self.intercept_, self.n_iter_ = np.array([s.intercept]), s.n_iter
        return self

    def predict(self, X):
        return self._new(X) @ self.dual_coef_[0] + self.intercept_[0]
