"""Checkpoints of lesson 2.1: least squares by factorisation, and ridge regression."""

import numpy as np

from groundup.course import checkpoint


def draw_columns(draw, n, p):
    """X (n, p) of a kind that a table can be: plain, far from the origin, in unequal units, or with columns that depend.

    The middle two need rows to spare: with as many columns as rows a rank would hang on rounding. So it would where centring
    takes a dimension away, from n <= p rows, and the means are not exact. There they are exactly 1.
    """
    X = draw.normal(n, p)
    if n <= p:
        X = np.round(64 * X) / 64
        X[-1] = n - X[:-1].sum(axis=0)
    kind = draw.choice(["plain", "shifted", "units", "copied", "constant"] if n > p + 2 else ["plain", "copied"])
    if kind == "shifted":
        X = X + 100.0
    if kind == "units":
        X = X * 10.0 ** draw.integers(-3, 3, p)
    if kind == "copied":
        X[:, -1] = X[:, 0]
    if kind == "constant":
        X[:, -1] = 3.0
    return X


# -------------------------------------------------------------------------------------------------------- columns


@checkpoint("Standardised columns, means and scales equal scikit-learn's, constant columns included", atol=1e-9)
def standardize(lib, X):
    Z, mean, scale = lib.classic.linear.standardize(X)
    return {"Z": Z, "mean": mean, "scale": scale}


@standardize.cases
def _(draw):
    return dict(X=draw_columns(draw, draw.integer(2, 8), draw.integer(1, 4)))


@standardize.edges
def _():
    return [
        dict(X=np.array([[1.0], [3.0]])),
        dict(X=np.array([[1.0, 5.0], [2.0, 5.0], [6.0, 5.0]])),
        dict(X=np.array([[7.0, -7.0]])),
        dict(X=np.full((3, 1), 0.1)),
        dict(X=np.array([[1e8, 1e-8], [1e8 + 2, 3e-8]])),
    ]


@standardize.oracle
def _(X):
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(X)
    return {"Z": scaler.transform(X), "mean": scaler.mean_, "scale": scaler.scale_}


# ------------------------------------------------------------------------------------------------- the three solvers


@checkpoint("Substitution solves triangular equations, and looks at one triangle only", atol=1e-9)
def solve_triangular(lib, T, b, lower):
    return lib.classic.linear.solve_triangular(T, b, lower=lower)


@solve_triangular.cases
def _(draw):
    p = draw.integer(1, 5)
    T = draw.normal(p, p) + 3.0 * np.eye(p)  # the other triangle is not zero: what stands there does not count
    b = draw.normal(p) if draw.boolean(0.7) else draw.normal(p, 2)
    return dict(T=T, b=b, lower=draw.boolean())


@solve_triangular.edges
def _():
    T = np.array([[2.0, 9.0], [4.0, 8.0]])
    return [
        dict(T=np.array([[2.0]]), b=np.array([6.0]), lower=True),
        dict(T=T, b=np.array([2.0, 12.0]), lower=True),
        dict(T=T, b=np.array([25.0, 8.0]), lower=False),
    ]


@solve_triangular.oracle
def _(T, b, lower):
    from scipy.linalg import solve_triangular

    return solve_triangular(T, b, lower=lower)


@checkpoint("Cholesky solves positive definite equations, and refuses others", atol=1e-9)
def solve_cholesky(lib, A, b):
    try:
        return lib.classic.linear.solve_cholesky(A, b)
    except np.linalg.LinAlgError:
        return "LinAlgError"


@solve_cholesky.cases
def _(draw):
    p = draw.integer(1, 5)
    X = draw.normal(p + 2, p)
    A = X.T @ X + draw.choice([1.0, 0.5, -10.0]) * np.eye(p)
    return dict(A=A, b=draw.normal(p) if draw.boolean(0.7) else draw.normal(p, 3))


@solve_cholesky.edges
def _():
    return [
        dict(A=np.array([[4.0]]), b=np.array([2.0])),
        dict(A=np.array([[4.0, 2.0], [2.0, 5.0]]), b=np.array([2.0, 9.0])),
        dict(A=np.array([[1.0, 2.0], [2.0, 1.0]]), b=np.ones(2)),
    ]


@solve_cholesky.oracle
def _(A, b):
    if np.linalg.eigvalsh(A)[0] <= 0:
        return "LinAlgError"
    return np.linalg.solve(A, b)


@checkpoint("Least squares of smallest norm, rank and singular values equal SciPy's", atol=1e-7)
def solve_least_squares(lib, A, b):
    x, rank, s = lib.classic.linear.solve_least_squares(A, b)
    return {"x": x, "rank": rank, "singular values": s}


@solve_least_squares.cases
def _(draw):
    n, p = draw.integer(1, 8), draw.integer(1, 5)
    A = draw.normal(n, p)
    if draw.boolean(0.4):
        A[:, -1] = 2 * A[:, 0]
    return dict(A=A, b=draw.normal(n) if draw.boolean(0.7) else draw.normal(n, 2))


@solve_least_squares.edges
def _():
    return [
        dict(A=np.array([[2.0]]), b=np.array([6.0])),
        dict(A=np.ones((3, 2)), b=np.array([1.0, 2.0, 6.0])),
        dict(A=np.zeros((2, 2)), b=np.ones(2)),
        dict(A=np.array([[3.0, 4.0]]), b=np.array([5.0])),
        dict(A=np.diag([3e-12, 2e-12]), b=np.array([1.0, 1.0])),
        dict(A=np.diag([1.0, 1e-12]), b=np.array([1.0, 1e-12])),
    ]


@solve_least_squares.oracle
def _(A, b):
    from scipy.linalg import lstsq

    x, _, rank, s = lstsq(A, b, cond=max(A.shape) * np.finfo(np.float64).eps)
    return {"x": x, "rank": int(rank), "singular values": s}


@checkpoint("Columns that differ in the ninth digit keep their weights", atol=1e-4, count=12)
def ill_conditioned(lib, A, b):
    return lib.classic.linear.solve_least_squares(A, b)[0]


@ill_conditioned.cases
def _(draw):
    p, e = draw.integer(2, 4), draw.choice([1e-9, 1e-8, 1e-10])
    A = np.vstack([np.ones(p), e * np.eye(p)])  # Läuchli's matrix: in A'A the e^2 is lost beside 1
    x = draw.integers(-4, 4, p).astype(float)
    return dict(A=A, b=A @ x, _x=x)


@ill_conditioned.edges
def _():
    A = np.array([[1.0, 1.0], [1e-9, 0.0], [0.0, 1e-9]])
    return [dict(A=A, b=A @ np.array([1.0, 2.0]), _x=np.array([1.0, 2.0]))]


@ill_conditioned.oracle
def _(A, b, x):
    return x


# ------------------------------------------------------------------------------------------------------ the models


def fitted(model):
    return {"coef": model.coef_, "intercept": model.intercept_}


@checkpoint("Ordinary least squares equals that of scikit-learn's solver to 6 decimals, also rank-deficient", atol=1e-6)
def linear_regression(lib, X, y, fit_intercept):
    model = lib.classic.linear.LinearRegression(fit_intercept=fit_intercept).fit(X, y)
    return fitted(model) | {"rank": model.rank_}


@linear_regression.cases
def _(draw):
    n, p = draw.integer(2, 12), draw.integer(1, 5)
    return dict(X=draw_columns(draw, n, p), y=draw.normal(n) + 5.0, fit_intercept=draw.boolean(0.8))


@linear_regression.edges
def _():
    x = np.array([[1.0], [2.0], [3.0]])
    return [
        dict(X=x, y=np.array([2.0, 3.0, 7.0]), fit_intercept=True),
        dict(X=x, y=np.array([2.0, 3.0, 7.0]), fit_intercept=False),
        dict(X=np.hstack([x, x]), y=np.array([2.0, 3.0, 7.0]), fit_intercept=True),
        dict(X=np.ones((1, 2)), y=np.array([4.0]), fit_intercept=True),
        dict(X=np.array([[1, 0, 2], [0, 1, 1]]), y=np.array([3, 5]), fit_intercept=True),
        dict(X=x + 1e6, y=np.array([2.0, 3.0, 7.0]), fit_intercept=True),
    ]


@linear_regression.oracle
def _(X, y, fit_intercept):
    from scipy.linalg import lstsq  # as scikit-learn asks it, but for what counts as zero: there 1e-6, or 2e-16

    X_mean, y_mean = (X.mean(axis=0), y.mean()) if fit_intercept else (np.zeros(X.shape[1]), 0.0)
    coef, _, rank, _ = lstsq(X - X_mean, y - y_mean, cond=max(X.shape) * np.finfo(np.float64).eps)
    return {"coef": coef, "intercept": float(y_mean - X_mean @ coef), "rank": int(rank)}


@checkpoint("Ridge equals scikit-learn's to 6 decimals, with more columns than rows as well", atol=1e-6)
def ridge(lib, X, y, alpha, fit_intercept):
    return fitted(lib.classic.linear.Ridge(alpha=alpha, fit_intercept=fit_intercept).fit(X, y))


@ridge.cases
def _(draw):
    n, p = draw.integer(2, 12), draw.integer(1, 6)
    return dict(
        X=draw_columns(draw, n, p),
        y=draw.normal(n) + 5.0,
        alpha=draw.log_uniform(1e-3, 1e3),
        fit_intercept=draw.boolean(0.8),
    )


@ridge.edges
def _():
    x, y = np.array([[1.0], [2.0], [3.0]]), np.array([2.0, 3.0, 7.0])
    return [
        dict(X=x, y=y, alpha=2.0, fit_intercept=True),
        dict(X=x, y=y, alpha=2.0, fit_intercept=False),
        dict(X=x, y=y, alpha=0.0, fit_intercept=True),
        dict(X=np.hstack([x, x]), y=y, alpha=1.0, fit_intercept=True),
        dict(X=np.hstack([x, x]), y=y, alpha=0.0, fit_intercept=True),
        dict(X=np.array([[1.0, 0.0, 2.0], [0.0, 1.0, 1.0]]), y=np.array([3.0, 5.0]), alpha=0.5, fit_intercept=True),
        dict(X=x, y=y, alpha=1e12, fit_intercept=True),
    ]


@ridge.oracle
def _(X, y, alpha, fit_intercept):
    from sklearn.linear_model import Ridge

    return fitted(Ridge(alpha=alpha, fit_intercept=fit_intercept, solver="svd").fit(X, y))


@checkpoint("The path at many prices is what a fit at each of them gives", atol=1e-6, count=12)
def ridge_path(lib, X, y, alphas):
    coef, intercept = lib.classic.linear.ridge_path(X, y, alphas)
    return {"coef": coef, "intercept": intercept}


@ridge_path.cases
def _(draw):
    n, p = draw.integer(2, 8), draw.integer(1, 5)
    return dict(
        X=draw.normal(n, p) + 2.0, y=draw.normal(n) + 5.0, alphas=draw.log_uniform(1e-2, 1e3, draw.integer(1, 4))
    )


@ridge_path.edges
def _():
    return [dict(X=np.array([[1.0], [2.0], [3.0]]), y=np.array([2.0, 3.0, 7.0]), alphas=np.array([2.0, 8.0]))]


@ridge_path.oracle
def _(X, y, alphas):
    from sklearn.linear_model import Ridge

    fits = [Ridge(alpha=alpha, solver="svd").fit(X, y) for alpha in alphas]
    return {"coef": np.array([f.coef_ for f in fits]), "intercept": np.array([f.intercept_ for f in fits])}


@checkpoint("The effective degrees of freedom are the trace of the matrix that makes y into predictions", atol=1e-8)
def degrees_of_freedom(lib, X, alpha):
    return lib.classic.linear.effective_degrees_of_freedom(X, alpha)


@degrees_of_freedom.cases
def _(draw):
    X = draw.normal(draw.integer(2, 8), draw.integer(1, 4)) + draw.choice([0.0, 10.0])
    return dict(X=X, alpha=draw.log_uniform(1e-2, 1e3))


@degrees_of_freedom.edges
def _():
    return [dict(X=np.array([[1.0], [2.0], [3.0]]), alpha=2.0)]


@degrees_of_freedom.oracle
def _(X, alpha):
    X = X - X.mean(axis=0)
    return float(np.trace(X @ np.linalg.inv(X.T @ X + alpha * np.eye(X.shape[1])) @ X.T))


@checkpoint("Predictions are in the units of y", atol=1e-6, count=12)
def predictions(lib, X, y, X_new):
    module = lib.classic.linear
    models = module.LinearRegression(), module.Ridge(alpha=0.5), module.Ridge(fit_intercept=False)
    return [model.fit(X, y).predict(X_new) for model in models]


@predictions.cases
def _(draw):
    n, p = draw.integer(5, 8), draw.integer(1, 3)
    return dict(X=draw.normal(n, p) + 3.0, y=draw.normal(n) - 7.0, X_new=draw.normal(draw.integer(1, 4), p))


@predictions.oracle
def _(X, y, X_new):
    from sklearn.linear_model import LinearRegression, Ridge

    models = LinearRegression(), Ridge(alpha=0.5), Ridge(fit_intercept=False)
    return [model.fit(X, y).predict(X_new) for model in models]


# --------------------------------------------------------------------------------------------------------- further


@checkpoint("A sample of weight two counts as two samples", atol=1e-6, count=12)
def sample_weights(lib, X, y, weights, alpha):
    module = lib.classic.linear
    return [
        fitted(model.fit(X, y, sample_weight=weights)) for model in (module.LinearRegression(), module.Ridge(alpha))
    ]


@sample_weights.cases
def _(draw):
    n, p = draw.integer(5, 8), draw.integer(1, 3)
    weights = draw.integers(0, 3, n)
    weights[: p + 2] += 1  # enough rows that count for one answer
    return dict(X=draw.normal(n, p) + 3.0, y=draw.normal(n), weights=weights, alpha=draw.log_uniform(1e-1, 1e2))


@sample_weights.oracle
def _(X, y, weights, alpha):
    from sklearn.linear_model import LinearRegression, Ridge

    X, y = np.repeat(X, weights, axis=0), np.repeat(y, weights)
    return [fitted(model.fit(X, y)) for model in (LinearRegression(), Ridge(alpha, solver="svd"))]


@checkpoint("Several targets are fitted at once, each as if alone", atol=1e-6, stretch=True, count=12)
def several_targets(lib, X, Y, X_new):
    module = lib.classic.linear
    models = [model.fit(X, Y) for model in (module.LinearRegression(), module.Ridge(2.0))]
    return [fitted(model) | {"predictions": model.predict(X_new)} for model in models]


@several_targets.cases
def _(draw):
    n, p, k = draw.integer(5, 8), draw.integer(1, 3), draw.integer(1, 3)
    return dict(X=draw.normal(n, p), Y=draw.normal(n, k) + 1.0, X_new=draw.normal(2, p))


@several_targets.oracle
def _(X, Y, X_new):
    from sklearn.linear_model import LinearRegression, Ridge

    answers = []
    for kind, options in ((LinearRegression, {}), (Ridge, {"alpha": 2.0})):
        models = [kind(**options).fit(X, y) for y in Y.T]  # one by one
        answers.append(
            {
                "coef": np.array([m.coef_ for m in models]),
                "intercept": np.array([m.intercept_ for m in models]),
                "predictions": np.column_stack([m.predict(X_new) for m in models]),
            }
        )
    return answers


@checkpoint("What cannot be fitted is refused with a ValueError", stretch=True, count=0)
def refused(lib, X, y, alpha):
    try:
        lib.classic.linear.Ridge(alpha=alpha).fit(X, y)
    except ValueError:
        return "ValueError"
    return "no error"


@refused.edges
def _():
    X, y = np.arange(6.0).reshape(3, 2), np.ones(3)
    return [
        dict(X=X, y=y[:2], alpha=1.0),
        dict(X=np.where(X == 3, np.nan, X), y=y, alpha=1.0),
        dict(X=X, y=np.array([1.0, np.inf, 1.0]), alpha=1.0),
        dict(X=X, y=y, alpha=-1.0),
        dict(X=X[0], y=y[:2], alpha=1.0),
    ]


@refused.oracle
def _(X, y, alpha):
    return "ValueError"
