"""Our LogisticRegression under the names of scikit-learn's solvers, for their unit tests.

Those that ours has no equal of become the one that minimises the same objective; what only they can use is dropped.
"""

from groundup.classic.logistic import LogisticRegression as Ours

OURS = {"newton-cg": "newton-cholesky", "liblinear": "newton-cd", "sag": "newton-cd", "saga": "newton-cd"}


class LogisticRegression(Ours):
    """solver may be any of theirs; random_state, dual, and how liblinear scales its intercept have no effect."""

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
        random_state=None,
        dual=False,
        intercept_scaling=1,
    ):
        super().__init__(
            C=C,
            l1_ratio=l1_ratio,
            tol=tol,
            fit_intercept=fit_intercept,
            class_weight=class_weight,
            solver=OURS.get(solver, solver),
            max_iter=max_iter,
            warm_start=warm_start,
        )
        self.random_state, self.dual, self.intercept_scaling = random_state, dual, intercept_scaling
