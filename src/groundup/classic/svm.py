"""Support vector machines: the classifier with the widest margin, and the regression that forgives small errors.

Both minimise ||w||^2 / 2 plus C times what the samples are out by: 1 - y f(x) of a sample that is not beyond its margin,
|y - f(x)| - epsilon of one that is not within the tube. Both have a dual in which samples meet in kernels only
(kernels.py), and pairs of variables solve it (smo.py). What is learned is f(x) = sum_i beta_i k(x_i, x) + b, a sum over the
support vectors, the samples whose beta is not 0. More than two classes are settled by a vote of all pairs of them.

Cortes and Vapnik, Support-vector networks (1995). Smola and Schölkopf, A tutorial on support vector regression (2004).
Chang and Lin, LIBSVM (2011).
"""

from itertools import combinations

import numpy as np

from .estimator import Classifier, Regressor
from .kernel_machine import KernelMachine, if_probability
from .platt import couple, platt_probability, platt_scaling
from .validation import NotFittedError, check_choice, check_labelled, check_new, check_number, check_weights, check_Xy


def svc_box(y, C):
    """The bounds of beta in a classifier: y (n,) of 1 and -1, C a number or (n,) -> low (n,), high (n,).

    [0, C] for a label of 1, [-C, 0] for one of -1.
    """
    return np.minimum(0.0, y * C), np.maximum(0.0, y * C)


def votes(values, k):
    """For each of k classes the number of pairs it wins, and the sum of its values: values (m, pairs) -> two arrays (m, k).

    The pairs (a, b), a < b, are in the order of itertools.combinations. f > 0 is a win for a, anything else for b. A class's
    sum takes f where the class is the first of the pair, and -f where it is the second.
    """
    wins, sums = np.zeros((2, len(values), k))
    for f, (a, b) in zip(values.T, combinations(range(k), 2)):
        wins[:, a] += f > 0
        wins[:, b] += f <= 0
        sums[:, a] += f
        sums[:, b] -= f
    return wins, sums


class SVC(KernelMachine, Classifier):
    """The support vector classifier, for two classes or more.

    Parameters: C, the price of a margin missed, > 0; kernel, "linear", "poly", "rbf", "sigmoid", "precomputed" (X is then
    the kernel matrix itself: (n, n) in fit, (m, n) later) or a function of (X, Z) that returns such a matrix; degree, of poly;
    gamma, "scale", "auto" or a number, see choose_gamma; coef0, of poly and sigmoid; tol, the gap to stop at; cache_size, MB
    of kernel rows to keep; class_weight, a dictionary from class to factor on C, "balanced" for n / (k times the number of the
    class's samples), None for 1; max_iter, -1 for ten million; decision_function_shape, "ovr" or "ovo"; probability,
    whether to learn probabilities as well, which takes five fits more.

    Learns: classes_ (k,) ascending; support_, the indices of the support vectors, class by class and ascending in each;
    support_vectors_ (s, p), empty (0, 0) if precomputed; n_support_ (k,), how many of each class; n_iter_, iterations for
    each pair.
    For k = 2: dual_coef_ (1, s), the beta with classes_[1] as label 1; intercept_ (1,); coef_ (1, p) if linear.
    For k > 2 there is a machine for each pair (a, b), a < b, in the order of itertools.combinations, with class a as label 1:
    intercept_ (k (k - 1) / 2,), coef_ (k (k - 1) / 2, p). A support vector of class c has a beta in the machine of c and each
    other class d: it stands in row d of dual_coef_ (k - 1, s) if d < c, in row d - 1 if d > c.
    """

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
        """Stores the parameters, and nothing else."""
        self.C = C
        self.kernel = kernel
        self.degree = degree
        self.gamma = gamma
        self.coef0 = coef0
        self.probability = probability
        self.tol = tol
        self.cache_size = cache_size
        self.class_weight = class_weight
        self.max_iter = max_iter
        self.decision_function_shape = decision_function_shape

    def fit(self, X, y, sample_weight=None):
        """X (n, p), y (n,) of classes, sample_weight (n,) >= 0, a factor on C for each sample, or None for 1 -> self.

        Samples of weight 0 are left out. Raises ValueError for one class only, or a class whose weights are all 0.
        """
        check_choice("decision_function_shape", self.decision_function_shape, ("ovr", "ovo"))
        X, self.classes_, codes = check_labelled(self, X, y)
        self._prepare(X)
        k = len(self.classes_)
        weights = check_weights(sample_weight, len(X)) * _class_factors(self.class_weight, self.classes_, codes)
        present = np.bincount(codes[weights > 0], minlength=k) > 0
        if k < 2 or not present.all():
            raise ValueError(
                f"SVC needs two classes or more, with weights above 0; of {k} classes {present.sum()} have them"
            )
        pairs = [(1, 0)] if k == 2 else combinations(range(k), 2)  # the first of a pair is label 1
        machines = [self._fit_pair(X, codes, weights, a, b) for a, b in pairs]
        betas, self.intercept_, self.n_iter_, sigmoids = (np.array(each) for each in zip(*machines))
        self.probA_, self.probB_ = sigmoids.T
        self._keep(X, betas, codes)
        self.n_support_ = np.bincount(codes[self.support_], minlength=k).astype(np.int32)
        self.dual_coef_ = _by_class(self._pair_coef, codes[self.support_], k)
        return self

    def decision_function(self, X):
        """How far out each sample lies, and on which side: X (m, p) -> (m,) for two classes, above 0 for classes_[1].

        For k > 2 with "ovo": (m, k (k - 1) / 2), for each pair its machine's f, above 0 for the first. With "ovr": (m, k), for
        each class the pairs it wins, and the sum s of its values in all its pairs, positive for it, as s / (3 (|s| + 1)), which
        settles equal numbers of wins and nothing else. A pair is won by the second class unless f > 0.
        """
        values = _values(self, check_new(self, X))
        if len(self.classes_) == 2:
            return values[:, 0]
        if self.decision_function_shape == "ovo":
            return values
        wins, sums = votes(values, len(self.classes_))
        return wins + sums / (3.0 * (np.abs(sums) + 1.0))

    def predict(self, X):
        """A class for each sample: X (m, p) -> (m,) of classes_.

        For two classes classes_[1] where f >= 0. For more the one that wins the most pairs, of equals the first.
        """
        values = _values(self, check_new(self, X))
        if len(self.classes_) == 2:
            return self.classes_[(values[:, 0] >= 0).astype(np.int64)]
        return self.classes_[votes(values, len(self.classes_))[0].argmax(axis=1)]

    @if_probability
    def predict_proba(self, X):
        """The probabilities of all classes: X (m, p) -> (m, k), rows that add up to 1. Only with probability=True.

        For each pair Platt's sigmoid of its f, with A in probA_ and B in probB_ (pairs,). fit has fitted it to values of f that
        were held back: of each of the two classes the sample number i of weight above 0, counted from 0, is in fold i mod 5, and
        its f is that of a machine fitted to the other folds; where these have one class only, f is that class's label, 1 or -1.
        For k > 2 the pairs are then coupled. It may disagree with predict. Raises NotFittedError after a fit without it.
        """
        X = check_new(self, X)
        if np.isnan(self.probA_).any():
            raise NotFittedError("predict_proba is not available when fitted with probability=False: fit again")
        P = platt_probability(_values(self, X), self.probA_, self.probB_)  # (m, pairs)
        if len(self.classes_) == 2:
            return np.column_stack([1.0 - P[:, 0], P[:, 0]])
        r = np.zeros((len(X), len(self.classes_), len(self.classes_)))
        a, b = np.triu_indices(len(self.classes_), 1)
        r[:, a, b] = np.clip(P, 1e-7, 1.0 - 1e-7)  # beyond that the coupling has no single answer
        r[:, b, a] = 1.0 - r[:, a, b]
        return couple(r)

    @if_probability
    def predict_log_proba(self, X):
        """The logarithms of predict_proba: X (m, p) -> (m, k)"""
        return np.log(self.predict_proba(X))

    def _fit_pair(self, X, codes, weights, a, b):
        """beta of all samples (n,), b, the iterations, and Platt's A and B, of the machine with a as 1 and b as -1."""
        rows = np.flatnonzero(((codes == a) | (codes == b)) & (weights > 0))
        labels, C = np.where(codes[rows] == a, 1.0, -1.0), self.C * weights[rows]
        beta = np.zeros(len(X))
        beta[rows], intercept, n_iter = self._solve(self._part(X, rows, rows), labels, *svc_box(labels, C))
        sigmoid = platt_scaling(_held_back(self, X, rows, labels, C), labels) if self.probability else (np.nan, np.nan)
        return beta, intercept, n_iter, sigmoid


class SVR(KernelMachine, Regressor):
    """Support vector regression: errors up to epsilon cost nothing, those beyond it C for each unit.

    Parameters: epsilon, half the width of the tube, >= 0, in the units of y; the others as SVC.
    Learns: support_ ascending, support_vectors_ (s, p), dual_coef_ (1, s) in [-C, C], intercept_ (1,), n_support_ (1,),
    n_iter_ (int), coef_ (1, p) if linear.
    """

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
        """Stores the parameters, and nothing else."""
        self.kernel = kernel
        self.degree = degree
        self.gamma = gamma
        self.coef0 = coef0
        self.tol = tol
        self.C = C
        self.epsilon = epsilon
        self.cache_size = cache_size
        self.max_iter = max_iter

    def fit(self, X, y, sample_weight=None):
        """X (n, p), y (n,), sample_weight (n,) >= 0, a factor on C for each sample, or None for 1 -> self."""
        check_number("epsilon", self.epsilon, low=0.0)
        X, y = check_Xy(self, X, y)
        self._prepare(X)
        weights = check_weights(sample_weight, len(X))
        rows = np.flatnonzero(weights > 0)
        price = self.C * weights[rows]
        beta, intercept, self.n_iter_ = self._solve(self._part(X, rows, rows), y[rows], -price, price, self.epsilon)
        self.intercept_ = np.array([intercept])
        self._keep(X, np.bincount(rows, weights=beta, minlength=len(X))[None], np.zeros(len(X)))
        self.n_support_ = np.array([len(self.support_)], dtype=np.int32)
        self.dual_coef_ = self._pair_coef
        return self

    def predict(self, X):
        """f(x) for each sample: X (m, p) -> (m,)"""
        return _values(self, check_new(self, X))[:, 0]


def _values(machine, X):
    """f of all machines on all samples (m, pairs), by blocks of rows: a kernel matrix (m, s) may not fit anywhere."""
    if machine._kernel == "linear":
        return X @ machine.coef_.T + machine.intercept_
    if machine._kernel == "precomputed":
        return X[:, machine.support_] @ machine._pair_coef.T + machine.intercept_
    values = np.empty((len(X), len(machine.intercept_)))
    size = max(1, 2**20 // max(1, len(machine.support_)))
    for start in range(0, len(X), size):
        K = machine._matrix(X[start : start + size], machine.support_vectors_)
        values[start : start + size] = K @ machine._pair_coef.T + machine.intercept_
    return values


def _by_class(pair_coef, codes, k):
    """dual_coef_ (k - 1, s) from the coefficients of each pair (pairs, s); codes (s,) are the classes of the columns."""
    coef = np.zeros((k - 1, len(codes)))
    for row, (a, b) in zip(pair_coef, combinations(range(k), 2)):
        coef[b - 1, codes == a] = row[codes == a]
        coef[a, codes == b] = row[codes == b]
    return coef


def _class_factors(class_weight, classes, codes):
    """The factor on C for each sample (n,)."""
    if class_weight is None:
        return np.ones(len(codes))
    if isinstance(class_weight, str):
        check_choice("class_weight", class_weight, ("balanced",))
        return len(codes) / (len(classes) * np.bincount(codes))[codes]
    factors = np.array([class_weight.get(label, 1.0) for label in classes.tolist()])
    return factors[codes]


def _held_back(machine, X, rows, labels, C, folds=5):
    """The decision value of each sample of a pair from a machine that has not seen it (len(rows),)."""
    fold = np.empty(len(rows), dtype=np.int64)
    for label in (-1.0, 1.0):
        fold[labels == label] = np.arange(np.sum(labels == label)) % folds
    f = np.empty(len(rows))
    for out in (fold == each for each in range(folds)):
        rest = ~out
        if np.ptp(labels[rest]) == 0:  # no one left of the other class
            f[out] = labels[rest][0]
            continue
        seen = rows[rest]
        beta, b, _ = machine._solve(machine._part(X, seen, seen), labels[rest], *svc_box(labels[rest], C[rest]))
        new = machine._part(X, rows[out], seen)
        f[out] = (new if machine._kernel == "precomputed" else machine._matrix(new, X[seen])) @ beta + b
    return f
