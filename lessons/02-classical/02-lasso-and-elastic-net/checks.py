"""Checkpoints of lesson 2.2: the soft threshold, sweeps over coordinates, the gap that certifies, and the path."""

import warnings

import numpy as np

from groundup.course import checkpoint


def loosely_related(draw, n, p):
    """X (n, p) in unequal units, its columns related but not closely, and y (n,) of a few of them with noise."""
    X = draw.normal(n, p) + 0.5 * draw.normal(n, 1)
    w = draw.normal(p) * (draw.uniform(0.0, 1.0, p) > 0.4)
    return X * draw.uniform(0.5, 2.0, p), (X @ w + 0.5 * draw.normal(n)) * draw.choice([1.0, 1.0, 1e-3, 1e3])


def top(X, y, l1_ratio=1.0):
    """The least alpha at which all weights are zero, of the centred problem; 1 if that is zero."""
    slopes = (X - X.mean(axis=0)).T @ (y - y.mean()) / len(y)
    return float(np.abs(slopes).max()) / l1_ratio or 1.0


def objective_of(X, y, w, alpha, l1_ratio):
    """What is minimised, written out."""
    return float(
        np.mean((y - X @ w) ** 2) / 2 + alpha * l1_ratio * np.sum(np.abs(w)) + alpha * (1 - l1_ratio) / 2 * np.sum(w**2)
    )


def gap_of(X, y, w, alpha, l1_ratio):
    """The duality gap by its definition: the elastic net as a lasso of taller arrays, the largest share of r that fits."""
    n, p = X.shape
    A = np.vstack([X, np.sqrt(n * alpha * (1 - l1_ratio)) * np.eye(p)])
    b = np.concatenate([y, np.zeros(p)])
    r = b - A @ w
    steepest = np.abs(A.T @ r / n).max()
    s = 1.0 if steepest <= alpha * l1_ratio else alpha * l1_ratio / steepest
    dual = (b @ b - (b - s * r) @ (b - s * r)) / (2 * n)
    return max(0.0, objective_of(X, y, w, alpha, l1_ratio) - float(dual))


def reference_fit(X, y, alpha, l1_ratio):
    """scikit-learn's weights, as exactly as it can."""
    from sklearn.linear_model import ElasticNet

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ElasticNet(alpha=alpha, l1_ratio=l1_ratio, tol=1e-15, max_iter=20_000).fit(X, y)


# ----------------------------------------------------------------------------------------------------- one weight


@checkpoint("The soft threshold of numbers and of arrays", atol=1e-12)
def soft_threshold(lib, z, threshold):
    return lib.classic.lasso.soft_threshold(z, threshold)


@soft_threshold.cases
def _(draw):
    z = draw.normal() if draw.boolean(0.3) else draw.normal(*draw.shape((1, 2), (1, 4)))
    return dict(z=z * 2, threshold=draw.choice([1.0, 0.5, 0.0, 3.0]))


@soft_threshold.edges
def _():
    return [
        dict(z=3.0, threshold=1.0),
        dict(z=-0.5, threshold=1.0),
        dict(z=np.array([3.0, -3.0, 0.5, 1.0, 0.0]), threshold=1.0),
        dict(z=np.array([[1.5, -0.2], [0.0, 4.0]]), threshold=0.0),
        dict(z=np.array([5, -5, 1]), threshold=2.0),
        dict(z=np.array([1e-300, -1e300]), threshold=1e-12),
    ]


@soft_threshold.oracle
def _(z, threshold):
    return np.sign(z) * np.maximum(np.abs(z) - threshold, 0.0)


@checkpoint("The objective: half the mean squared error, and the two prices", atol=1e-12)
def objective(lib, X, y, w, alpha, l1_ratio):
    return lib.classic.lasso.objective(X, y, w, alpha, l1_ratio)


@objective.cases
def _(draw):
    n, p = draw.integer(1, 6), draw.integer(1, 4)
    return dict(
        X=draw.normal(n, p),
        y=draw.normal(n),
        w=draw.normal(p),
        alpha=draw.choice([1.0, 0.1, 0.0]),
        l1_ratio=draw.choice([1.0, 0.5, 0.0]),
    )


@objective.edges
def _():
    nothing = dict(X=np.zeros((2, 2)), y=np.zeros(2), w=np.array([3.0, -4.0]), alpha=1.0)
    return [
        nothing | dict(l1_ratio=1.0),
        nothing | dict(l1_ratio=0.0),
        nothing | dict(l1_ratio=0.25),
        dict(X=np.ones((1, 1)), y=np.array([5.0]), w=np.array([2.0]), alpha=0.0, l1_ratio=1.0),
    ]


@objective.oracle
def _(X, y, w, alpha, l1_ratio):
    return objective_of(X, y, w, alpha, l1_ratio)


@checkpoint("The least alpha at which every weight is zero; ridge has none", atol=1e-12)
def alpha_max(lib, X, y, l1_ratio):
    try:
        return lib.classic.lasso.alpha_max(X, y, l1_ratio)
    except ValueError:
        return "ValueError"


@alpha_max.cases
def _(draw):
    n, p = draw.integer(1, 6), draw.integer(1, 4)
    return dict(X=draw.normal(n, p), y=draw.normal(n), l1_ratio=draw.choice([1.0, 0.5, 0.1]))


@alpha_max.edges
def _():
    X, y = np.array([[1.0, 2.0], [3.0, -4.0]]), np.array([1.0, 2.0])
    return [
        dict(X=np.ones((1, 1)), y=np.array([2.0]), l1_ratio=1.0),
        dict(X=X, y=y, l1_ratio=1.0),
        dict(X=X, y=y, l1_ratio=0.25),
        dict(X=X, y=y, l1_ratio=0.0),
        dict(X=X, y=np.zeros(2), l1_ratio=1.0),
    ]


@alpha_max.oracle
def _(X, y, l1_ratio):
    if l1_ratio == 0:
        return "ValueError"
    return max(abs(sum(x * t for x, t in zip(column, y))) for column in X.T) / len(y) / l1_ratio


# ------------------------------------------------------------------------------------------------------- one round


def draw_round(draw):
    n, p = draw.integer(1, 6), draw.integer(1, 4)
    return dict(
        X=draw.normal(n, p) * draw.choice([1.0, 2.0]),
        y=draw.normal(n) * 2,
        w=draw.normal(p) * draw.choice([1.0, 0.0]),
        alpha=draw.choice([0.5, 0.1, 0.0]),
        l1_ratio=draw.choice([1.0, 0.5, 0.0]),
    )


def round_edges():
    X, y = np.array([[1.0, 1.0], [1.0, -1.0], [2.0, 0.0]]), np.array([3.0, 1.0, 1.0])
    return [
        dict(X=np.array([[2.0]]), y=np.array([3.0]), w=np.zeros(1), alpha=1.0, l1_ratio=1.0),
        dict(X=np.array([[1.0]]), y=np.array([0.5]), w=np.ones(1), alpha=1.0, l1_ratio=1.0),
        dict(X=X, y=y, w=np.zeros(2), alpha=0.5, l1_ratio=1.0),
        dict(X=X, y=y, w=np.array([1.0, -2.0]), alpha=0.5, l1_ratio=0.5),
        dict(X=np.column_stack([np.zeros(3), X]), y=y, w=np.ones(3), alpha=0.5, l1_ratio=1.0),
        dict(X=X.astype(int), y=y.astype(int), w=np.array([0, 1]), alpha=0.5, l1_ratio=1.0),
    ]


def slow_round(X, y, w, alpha, l1_ratio):
    """The definition: for each weight in turn, the residual without its column, from scratch."""
    n, w = len(y), np.array(w, dtype=np.float64)
    for j in range(len(w)):
        others = np.delete(np.arange(len(w)), j)
        r = y - X[:, others] @ w[others]
        z, curvature = X[:, j] @ r / n, X[:, j] @ X[:, j] / n + alpha * (1 - l1_ratio)
        w[j] = np.sign(z) * max(abs(z) - alpha * l1_ratio, 0.0) / curvature if curvature > 0 else 0.0
    return w


@checkpoint("One sweep sets each weight to its best, the next one sees it", atol=1e-9)
def sweep(lib, X, y, w, alpha, l1_ratio):
    return lib.classic.lasso.sweep(X, y, w, alpha, l1_ratio)


@sweep.cases
def _(draw):
    return draw_round(draw)


@sweep.edges
def _():
    return round_edges()


@sweep.oracle
def _(X, y, w, alpha, l1_ratio):
    return slow_round(X, y, w, alpha, l1_ratio)


@checkpoint("The same sweep from X'X / n and X'y / n alone", atol=1e-9)
def gram_sweep(lib, X, y, w, alpha, l1_ratio):
    return lib.classic.lasso.gram_sweep(X.T @ X / len(y), X.T @ y / len(y), w, alpha, l1_ratio)


@gram_sweep.cases
def _(draw):
    return draw_round(draw)


@gram_sweep.edges
def _():
    return round_edges()


@gram_sweep.oracle
def _(X, y, w, alpha, l1_ratio):
    return slow_round(X, y, w, alpha, l1_ratio)


# ----------------------------------------------------------------------------------------------------- the certificate


@checkpoint("The duality gap equals its definition", atol=1e-10)
def duality_gap(lib, X, y, w, alpha, l1_ratio):
    return lib.classic.lasso.duality_gap(X, y, w, alpha, l1_ratio)


@duality_gap.cases
def _(draw):
    n, p = draw.integer(1, 6), draw.integer(1, 4)
    return dict(
        X=draw.normal(n, p),
        y=draw.normal(n),
        w=draw.normal(p) * draw.choice([1.0, 0.1, 0.0]),
        alpha=draw.choice([1.0, 0.1, 10.0]),
        l1_ratio=draw.choice([1.0, 0.5]),
    )


@duality_gap.edges
def _():
    x, y = np.array([[1.0], [1.0]]), np.array([2.0, 4.0])
    return [
        dict(X=x, y=y, w=np.zeros(1), alpha=1.0, l1_ratio=1.0),
        dict(X=x, y=y, w=np.array([2.0]), alpha=1.0, l1_ratio=1.0),
        dict(X=x, y=y, w=np.array([2.0]), alpha=1.0, l1_ratio=0.5),
        dict(X=x, y=y, w=np.zeros(1), alpha=5.0, l1_ratio=1.0),
        dict(X=x, y=np.zeros(2), w=np.zeros(1), alpha=1.0, l1_ratio=1.0),
    ]


@duality_gap.oracle
def _(X, y, w, alpha, l1_ratio):
    return gap_of(X, y, w, alpha, l1_ratio)


# ------------------------------------------------------------------------------------------------------------ fits


@checkpoint("Lasso: weights, exact zeros and intercept are scikit-learn's to 6 decimals", atol=1e-6, count=16)
def lasso(lib, X, y, alpha, fit_intercept):
    model = lib.classic.lasso.Lasso(alpha=alpha, fit_intercept=fit_intercept, tol=1e-13).fit(X, y)
    return {"coef": model.coef_, "intercept": model.intercept_, "zero": model.coef_ == 0}


def draw_fit(draw, l1_ratio):
    """A table of more rows than columns, or one of fewer whose price is high enough for a short search."""
    wide = draw.boolean(0.25)
    n, p = (draw.integer(8, 9), draw.integer(10, 12)) if wide else (draw.integer(12, 24), draw.integer(1, 5))
    X, y = loosely_related(draw, n, p)
    y = y / max(1.0, np.abs(y).max())  # six decimals are meant for weights of about 1
    X, y = X + draw.choice([0.0, 2.0]), y + draw.choice([0.0, 3.0])
    share = draw.choice([0.5, 0.4, 0.9] if wide else [0.3, 0.1, 0.03, 1.1])
    return dict(X=X, y=y, alpha=share * top(X, y, l1_ratio))


@lasso.cases
def _(draw):
    case = draw_fit(draw, 1.0)
    return case | dict(fit_intercept=draw.boolean(0.7) or case["X"].shape[1] > len(case["X"]))


@lasso.edges
def _():
    X, y = np.array([[1.0], [2.0], [3.0]]), np.array([2.0, 3.0, 7.0])
    two = np.array([[1.0, 1.0], [2.0, -1.0], [3.0, 1.0], [4.0, -1.0]])
    return [
        dict(X=X, y=y, alpha=1.0, fit_intercept=True),
        dict(X=X, y=y, alpha=2.0, fit_intercept=True),
        dict(X=X, y=y, alpha=1.0, fit_intercept=False),
        dict(X=np.array([[2.0, 3.0]]), y=np.array([5.0]), alpha=1.0, fit_intercept=True),
        dict(X=two, y=np.array([1.0, 0.0, 4.0, 3.0]), alpha=0.2, fit_intercept=True),
        dict(X=two, y=np.full(4, 3.0), alpha=0.2, fit_intercept=True),
    ]


@lasso.oracle
def _(X, y, alpha, fit_intercept):
    from sklearn.linear_model import Lasso

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = Lasso(alpha=alpha, fit_intercept=fit_intercept, tol=1e-15, max_iter=20_000).fit(X, y)
    return {"coef": model.coef_, "intercept": float(model.intercept_), "zero": model.coef_ == 0}


@checkpoint("Elastic net: weights, zeros and intercept are scikit-learn's to 6 decimals", atol=1e-6, count=10)
def elastic_net(lib, X, y, alpha, l1_ratio):
    model = lib.classic.lasso.ElasticNet(alpha=alpha, l1_ratio=l1_ratio, tol=1e-13).fit(X, y)
    return {"coef": model.coef_, "intercept": model.intercept_, "zero": model.coef_ == 0}


@elastic_net.cases
def _(draw):
    l1_ratio = draw.choice([0.5, 0.9, 0.2])
    return draw_fit(draw, l1_ratio) | dict(l1_ratio=l1_ratio)


@elastic_net.edges
def _():
    x, y = np.array([[1.0], [2.0], [3.0]]), np.array([2.0, 3.0, 7.0])
    return [
        dict(X=x, y=y, alpha=1.0, l1_ratio=0.5),
        dict(X=np.repeat(x, 2, axis=1), y=y, alpha=1.0, l1_ratio=0.5),
        dict(X=np.column_stack([x, [1.0, 0.0, 1.0]]), y=y, alpha=0.5, l1_ratio=1.0),
    ]


@elastic_net.oracle
def _(X, y, alpha, l1_ratio):
    model = reference_fit(X, y, alpha, l1_ratio)
    return {"coef": model.coef_, "intercept": float(model.intercept_), "zero": model.coef_ == 0}


@checkpoint("Copied, constant, huge and tiny columns: scikit-learn's predictions and objective", atol=1e-4, count=8)
def hard_columns(lib, X, y, alpha, l1_ratio):
    model = lib.classic.lasso.ElasticNet(alpha=alpha, l1_ratio=l1_ratio, tol=1e-10).fit(X, y)
    Xc, yc = X - X.mean(axis=0), y - y.mean()
    return {"predictions": model.predict(X), "objective": objective_of(Xc, yc, model.coef_, alpha, l1_ratio)}


@hard_columns.cases
def _(draw):
    n, p = draw.integer(8, 14), draw.integer(2, 4)
    X, y = loosely_related(draw, n, p)
    y = y / np.abs(y).max()
    kind = draw.choice(["copied", "constant", "summed", "units", "wide"])
    if kind == "copied":
        X = np.column_stack([X, X[:, 0], -X[:, 1]])
    if kind == "constant":
        X = np.column_stack([np.full(n, 0.1), X, np.zeros(n)])
    if kind == "summed":
        X = np.column_stack([X, X[:, 0] + X[:, 1]])
    if kind == "units":
        X = X * 10.0 ** draw.integers(-6, 6, p)
    if kind == "wide":
        X, y = np.tile(X[:3], (1, 2)), y[:3]
    l1_ratio = 1.0 if kind in ("copied", "wide") else draw.choice([1.0, 0.5])  # else copies share slowly
    return dict(X=X, y=y, alpha=draw.choice([0.5, 0.3]) * top(X, y), l1_ratio=l1_ratio)


@hard_columns.edges
def _():
    y = np.array([1.0, 2.0, 4.0])
    x = np.array([[1.0], [2.0], [3.0]])
    return [
        dict(X=np.zeros((3, 1)), y=y, alpha=0.1, l1_ratio=1.0),
        dict(X=np.full((3, 2), 7.0), y=y, alpha=0.1, l1_ratio=1.0),
        dict(X=np.repeat(x, 2, axis=1), y=y, alpha=0.1, l1_ratio=1.0),
        dict(X=x * 1e8, y=y, alpha=1e7, l1_ratio=1.0),
        dict(X=x * 1e-8, y=y, alpha=1e-9, l1_ratio=1.0),
    ]


@hard_columns.oracle
def _(X, y, alpha, l1_ratio):
    model = reference_fit(X, y, alpha, l1_ratio)
    Xc, yc = X - X.mean(axis=0), y - y.mean()
    return {"predictions": model.predict(X), "objective": objective_of(Xc, yc, model.coef_, alpha, l1_ratio)}


@checkpoint("A fit ends when its gap is small, or says that it ran out of sweeps", count=14)
def stops(lib, X, y, alpha, l1_ratio, tol, max_iter):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = lib.classic.lasso.ElasticNet(alpha=alpha, l1_ratio=l1_ratio, tol=tol, max_iter=max_iter).fit(X, y)
    warned = any(w.category.__name__ == "ConvergenceWarning" for w in caught)
    return {"coef": model.coef_, "gap": float(model.dual_gap_), "sweeps": int(model.n_iter_), "warned": warned}


@stops.cases
def _(draw):
    p = draw.integer(2, 12)
    X, y = loosely_related(draw, p + 8, p)
    X = X + 2.0 * draw.normal(p + 8, 1)
    return dict(
        X=X,
        y=y + draw.choice([0.0, 10.0]),
        alpha=draw.choice([0.1, 0.01]) * top(X, y),
        l1_ratio=draw.choice([1.0, 0.5]),
        tol=draw.choice([1e-2, 1e-4, 1e-8]),
        max_iter=draw.choice([1000, 1000, 2, 1]),
    )


@stops.edges
def _():
    x, y = np.array([[1.0], [2.0], [3.0]]), np.array([2.0, 3.0, 7.0])
    wide = np.eye(12) + 0.5
    return [
        dict(X=x, y=y, alpha=1.0, l1_ratio=1.0, tol=1e-8, max_iter=1000),
        dict(X=wide, y=np.arange(12.0) ** 2, alpha=1e-3, l1_ratio=1.0, tol=1e-12, max_iter=1),
    ]


@stops.accepts
def _(got, X, y, alpha, l1_ratio, tol, max_iter):
    coef, Xc, yc = np.asarray(got["coef"]), X - X.mean(axis=0), y - y.mean()
    if coef.shape != (X.shape[1],) or not np.isfinite(coef).all():
        return f"coef_ has to be {X.shape[1]} finite numbers."
    gap, scale = gap_of(Xc, yc, coef, alpha, l1_ratio), float(np.mean(yc**2))
    if not abs(got["gap"] - gap) <= 1e-6 * gap + 1e-12 * scale:
        return f"dual_gap_ is {got['gap']:.6g}, and the duality gap at coef_ is {gap:.6g}."
    if not 0 <= got["sweeps"] <= max_iter:
        return f"n_iter_ is {got['sweeps']} with max_iter = {max_iter}."
    reached = gap <= tol * scale * (1 + 1e-6) + 1e-12 * scale
    if not reached and got["sweeps"] < max_iter:
        return (
            f"It stopped after {got['sweeps']} of {max_iter} sweeps at a gap of {gap:.3g};"
            f" tol * mean(y^2), y centred, is {tol * scale:.3g}."
        )
    if not reached and not got["warned"]:
        return (
            f"The gap is {gap:.3g}, above {tol * scale:.3g}, the sweeps ran out, and there was no ConvergenceWarning."
        )
    if gap < tol * scale * (1 - 1e-6) - 1e-12 * scale and got["warned"]:
        return f"There was a ConvergenceWarning, though the gap, {gap:.3g}, is within {tol * scale:.3g}."
    return True


# -------------------------------------------------------------------------------------------------------- the path


@checkpoint("The whole path equals scikit-learn's to 6 decimals", atol=1e-6, count=6)
def path(lib, X, y, l1_ratio, eps, alphas):
    lasso = lib.classic.lasso
    if l1_ratio == 1.0:
        alphas, coefs, gaps = lasso.lasso_path(X, y, eps=eps, alphas=alphas, tol=1e-13)
    else:
        alphas, coefs, gaps = lasso.enet_path(X, y, l1_ratio=l1_ratio, eps=eps, alphas=alphas, tol=1e-13)
    return {"alphas": alphas, "coefs": coefs, "gaps are small": bool(np.all(gaps <= 1e-12 * np.mean(y**2)))}


@path.cases
def _(draw):
    wide = draw.boolean(0.3)
    n, p = (draw.integer(8, 9), draw.integer(10, 12)) if wide else (draw.integer(12, 20), draw.integer(1, 5))
    X, y = loosely_related(draw, n, p)
    y = y / max(1.0, np.abs(y).max())
    eps = 0.3 if wide else draw.choice([0.1, 0.01])
    return dict(X=X, y=y, l1_ratio=draw.choice([1.0, 0.5]), eps=eps, alphas=draw.integer(1, 12))


@path.edges
def _():
    X = np.array([[1.0, 1.0], [1.0, -1.0], [2.0, 0.0]])
    y = np.array([3.0, 1.0, 1.0])
    return [
        dict(X=X, y=y, l1_ratio=1.0, eps=1e-2, alphas=3),
        dict(X=X, y=y, l1_ratio=1.0, eps=1e-3, alphas=np.array([0.2, 0.9, 0.5])),
        dict(X=X, y=np.zeros(3), l1_ratio=1.0, eps=1e-3, alphas=2),
        dict(X=X, y=y, l1_ratio=0.5, eps=1e-3, alphas=np.array([0.3])),
    ]


@path.oracle
def _(X, y, l1_ratio, eps, alphas):
    from sklearn.linear_model import enet_path

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        alphas, coefs, _ = enet_path(X, y, l1_ratio=l1_ratio, eps=eps, alphas=alphas, tol=1e-15, max_iter=20_000)
    return {"alphas": np.asarray(alphas, dtype=np.float64), "coefs": coefs, "gaps are small": True}


# --------------------------------------------------------------------------------------------------------- further


@checkpoint("A sample of weight 2 counts as two, one of weight 0 not at all", atol=1e-6, count=6, stretch=True)
def sample_weights(lib, X, y, alpha, weights):
    model = lib.classic.lasso.ElasticNet(alpha=alpha, l1_ratio=0.7, tol=1e-13).fit(X, y, sample_weight=weights)
    return {"coef": model.coef_, "intercept": model.intercept_}


@sample_weights.cases
def _(draw):
    X, y = loosely_related(draw, 14, draw.integer(1, 4))
    y = y / max(1.0, np.abs(y).max())
    weights = draw.integers(0, 3, 14) * draw.choice([1.0, 0.1])
    weights[:6] = 1.0
    return dict(X=X, y=y, alpha=0.2 * top(X, y), weights=weights)


@sample_weights.oracle
def _(X, y, alpha, weights):
    from sklearn.linear_model import ElasticNet

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = ElasticNet(alpha=alpha, l1_ratio=0.7, tol=1e-15, max_iter=20_000).fit(X, y, sample_weight=weights)
    return {"coef": model.coef_, "intercept": float(model.intercept_)}


@checkpoint("Without an L1 price: the gap of ridge, and ridge's weights", atol=1e-7, count=6, stretch=True)
def no_l1_price(lib, X, y, w, alpha):
    lasso = lib.classic.lasso
    # This gap goes with the square of the error: |w - best|^2 <= 2 gap / alpha. So it has to be small for seven decimals.
    model = lasso.ElasticNet(alpha=alpha, l1_ratio=0.0, fit_intercept=False, tol=1e-18).fit(X, y)
    return {"gap": lasso.duality_gap(X, y, w, alpha, 0.0), "coef": model.coef_}


@no_l1_price.cases
def _(draw):
    n, p = draw.integer(6, 10), draw.integer(1, 3)
    return dict(X=draw.normal(n, p), y=draw.normal(n), w=draw.normal(p), alpha=draw.choice([1.0, 0.1]))


@no_l1_price.oracle
def _(X, y, w, alpha):
    n, p = X.shape
    slope = X.T @ (y - X @ w) / n - alpha * w
    return {
        "gap": float(slope @ slope) / (2 * alpha),
        "coef": np.linalg.solve(X.T @ X / n + alpha * np.eye(p), X.T @ y / n),
    }


@checkpoint("A warm start goes on from the weights of the last fit", count=4, stretch=True)
def warm_start(lib, X, y, alpha):
    model = lib.classic.lasso.Lasso(alpha=alpha, tol=1e-6, warm_start=True).fit(X, y)
    first = np.array(model.coef_)
    model.fit(X, y)
    return {"sweeps": model.n_iter_, "same": bool(np.all(model.coef_ == first))}


@warm_start.cases
def _(draw):
    X, y = loosely_related(draw, 12, draw.integer(1, 4))
    return dict(X=X, y=y, alpha=0.2 * top(X, y))


@warm_start.oracle
def _(X, y, alpha):
    return {"sweeps": 0, "same": True}


@checkpoint("Parameters out of range are refused with a ValueError", stretch=True, count=0)
def refused(lib, parameters):
    try:
        lib.classic.lasso.ElasticNet(**parameters).fit(np.eye(3), np.arange(3.0))
    except ValueError:
        return "ValueError"
    return "no error"


@refused.edges
def _():
    wrong = [dict(alpha=-1.0), dict(l1_ratio=1.5), dict(l1_ratio=-0.1), dict(max_iter=0), dict(tol=-1.0)]
    return [dict(parameters=each) for each in wrong] + [dict(parameters=dict(alpha=0.5))]


@refused.oracle
def _(parameters):
    return "no error" if parameters == dict(alpha=0.5) else "ValueError"
