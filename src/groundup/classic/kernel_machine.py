"""What the support vector classifier and the regression share, and no lesson asks for: parameters, kernel, attributes."""

import numpy as np

from .estimator import Estimator
from .kernels import NAMES, KernelRows, choose_gamma, kernel_matrix
from .smo import solve_dual
from .validation import ConvergenceWarning, check_choice, check_number, warn


class KernelMachine(Estimator):
    """What classifier and regression share: the kernel by name, the parameters, and the call of the solver.

    `fit` begins with _prepare(X), solves by _solve once or for several pairs of classes, and ends with _keep. Then
    _matrix(X, Z) gives kernel values, and _pair_coef the beta of the support vectors in each machine (machines, s).
    """

    def _prepare(self, X):
        """Checks the parameters, and keeps what the kernel is to be from now on; the parameters themselves stay."""
        check_number("C", self.C, low=0.0, open_low=True)
        check_number("tol", self.tol, low=0.0, open_low=True)
        check_number("degree", self.degree, low=0, integer=True)
        check_number("coef0", self.coef0)
        check_number("cache_size", self.cache_size, low=0.0, open_low=True)
        check_number("max_iter", self.max_iter, low=-1, integer=True)
        if not callable(self.kernel):
            check_choice("kernel", self.kernel, (*NAMES, "precomputed"))
        self._kernel, self._gamma = self.kernel, 0.0
        if self.kernel == "precomputed":
            if X.shape[0] != X.shape[1]:
                raise ValueError(f"a precomputed kernel is a square matrix, X has shape {X.shape}")
        elif not callable(self.kernel):
            self._gamma = choose_gamma(self.gamma, X)

    def _matrix(self, X, Z):
        """k(x, z) of rows of X with rows of Z, by the kernel that was prepared."""
        return kernel_matrix(self._kernel, X, Z, gamma=self._gamma, degree=self.degree, coef0=self.coef0)

    def _solve(self, X, y, low, high, epsilon=0.0):
        """beta (n,), b and the number of iterations for samples X (n, p), or their kernel matrix if that is precomputed."""
        centre = np.zeros(X.shape[1])
        if self._kernel == "precomputed":
            K = X
        elif callable(self._kernel):
            K = self._matrix(X, X)
        else:
            if self._kernel == "linear":  # sum(beta) = 0: no shift of X changes the dual, and this one keeps the digits
                centre = X.mean(axis=0)
            K = KernelRows(self._kernel, X - centre, self._gamma, self.degree, self.coef0, self.cache_size)
        solution = solve_dual(K, y, low, high, epsilon, self.tol, self.max_iter)
        b = solution.intercept - (solution.beta @ (X - centre) @ centre if np.any(centre) else 0.0)
        if not (np.isfinite(b) and np.isfinite(solution.beta).all()):
            raise ValueError("The dual coefficients or intercepts are not finite: X is too large for this kernel")
        if solution.gap >= self.tol:
            warn(
                ConvergenceWarning,
                f"{type(self).__name__} stopped after {solution.n_iter} iterations with a gap of {solution.gap:.3g}, tol is"
                f" {self.tol:.3g}: raise max_iter, or bring the columns of X to one scale first",
            )
        return solution.beta, b, solution.n_iter

    def _part(self, X, rows, columns):
        """The samples of these rows; where X is a kernel matrix, its values between rows and columns."""
        return X[np.ix_(rows, columns)] if self._kernel == "precomputed" else X[rows]

    def _keep(self, X, betas, groups):
        """Sets support_, support_vectors_ and _pair_coef, given the beta of all samples in each machine (machines, n).

        A support vector is whose beta is not 0 in some machine; they are ordered by groups (n,), ascending in each.
        """
        support = np.flatnonzero(betas.any(axis=0))
        support = support[np.argsort(groups[support], kind="stable")]
        self.support_ = support.astype(np.int32)
        self.support_vectors_ = np.empty((0, 0)) if self._kernel == "precomputed" else X[support]
        self._pair_coef = betas[:, support]

    @property
    def coef_(self):
        """w (one row a pair, p), in the units of f per unit of X. Only with kernel="linear"."""
        if getattr(self, "_kernel", self.kernel) != "linear":
            raise AttributeError("coef_ is there only with kernel='linear': other kernels weigh features unseen")
        return self._pair_coef @ (self.support_vectors_ - self.support_vectors_[:1])  # sum(beta) = 0 here too

    def __sklearn_tags__(self):
        """With kernel="precomputed" X is a matrix of pairs."""
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = self.kernel == "precomputed"
        return tags


class if_probability:
    """A method that a machine has only while its parameter probability is true."""

    def __init__(self, method):
        self.method, self.__doc__ = method, method.__doc__

    def __get__(self, machine, kind=None):
        if machine is not None and not machine.probability:
            raise AttributeError(f"{self.method.__name__} is there only with probability=True")
        return self.method.__get__(machine, kind)
