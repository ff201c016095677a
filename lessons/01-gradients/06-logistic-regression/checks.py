"""What is asked of lesson 1.6: stable functions of the log-odds, and weights that equal scikit-learn's."""

import numpy as np

from groundup.course import checkpoint


def strict():
    """Floating-point warnings become errors; an underflow to 0 is what is wanted, and stays silent."""
    return np.errstate(over="raise", divide="raise", invalid="raise")


def draw_problem(draw, n_most=6, p_most=3):
    """A few samples, labels, and weights to look at them with; one case in five has log-odds in the thousands."""
    n, p = draw.integer(1, n_most), draw.integer(1, p_most)
    scale = draw.choice([1.0, 1.0, 1.0, 1.0, 1e3])
    return dict(X=draw.normal(n, p) * scale, y=draw.integers(0, 1, n), w=draw.normal(p), b=draw.normal())


def problem_edges():
    one = np.ones((1, 1))
    sure = np.array([[1e4], [-1e4], [1e4], [-1e4]])
    return [
        dict(X=one, y=np.array([1]), w=np.zeros(1), b=0.0),
        dict(X=one, y=np.array([0]), w=np.array([2.0]), b=-1.0),
        dict(X=np.array([[1.0, 2.0], [3.0, -1.0]]), y=np.array([0, 1]), w=np.array([0.5, -1.0]), b=0.25),
        dict(X=sure, y=np.array([1, 0, 0, 1]), w=np.ones(1), b=0.0),
    ]


def torch_gradients(loss, X, y, w, b):
    """d loss(Xw + b, y) / d(w, b) by PyTorch, in float64."""
    import torch

    w = torch.tensor(w, dtype=torch.float64, requires_grad=True)
    b = torch.tensor(b, dtype=torch.float64, requires_grad=True)
    loss(torch.tensor(X) @ w + b, torch.tensor(y, dtype=torch.float64)).backward()
    return {"w": w.grad.numpy(), "b": b.grad.item()}


# -------------------------------------------------------------------------------- probabilities and log-odds


@checkpoint("The sigmoid equals SciPy's from -10,000 to 10,000, without a warning", atol=1e-14, rtol=1e-12)
def sigmoid(lib, z):
    with strict():
        return lib.classic.logit.sigmoid(z)


@sigmoid.cases
def _(draw):
    return dict(z=draw.uniform(-4, 4, *draw.shape((1, 2), (1, 4))) * draw.choice([1.0, 10.0, 2500.0]))


@sigmoid.edges
def _():
    return [
        dict(z=0.0),
        dict(z=np.array([0.0, 2.0, -2.0])),
        dict(z=np.array([-1, 0, 1, 3])),
        dict(z=np.array([1e4, 40.0])),
        dict(z=np.array([-1e4, -40.0, -700.0])),
    ]


@sigmoid.oracle
def _(z):
    from scipy.special import expit

    return expit(z)


@checkpoint("Log-odds are the sigmoid's inverse, and equal SciPy's", atol=1e-12)
def log_odds(lib, p):
    with strict():
        return lib.classic.logit.log_odds(p)


@log_odds.cases
def _(draw):
    shape = draw.shape((1, 2), (1, 4))
    p = draw.uniform(0.01, 0.99, *shape)
    return dict(p=p if draw.boolean(0.7) else draw.log_uniform(1e-12, 1e-1, *shape))


@log_odds.edges
def _():
    return [dict(p=0.5), dict(p=0.75), dict(p=np.array([0.2, 0.8, 0.99, 1e-9]))]


@log_odds.oracle
def _(p):
    from scipy.special import logit

    return logit(p)


# ------------------------------------------------------------------------------------------------ the two losses


@checkpoint("Cross-entropy is exact out to log-odds of 10,000, without a warning", atol=1e-12)
def cross_entropy(lib, z, y):
    with strict():
        return lib.classic.logit.cross_entropy(z, y)


@cross_entropy.cases
def _(draw):
    n = draw.integer(1, 6)
    return dict(z=draw.uniform(-4, 4, n) * draw.choice([1.0, 10.0, 2500.0]), y=draw.integers(0, 1, n))


@cross_entropy.edges
def _():
    both = np.array([0, 1])
    return [
        dict(z=np.array([0.0]), y=np.array([1])),
        dict(z=np.array([2.0, 2.0]), y=both),
        dict(z=np.array([40.0, 40.0]), y=both),
        dict(z=np.array([1e4]), y=np.array([1])),
        dict(z=np.array([1e4]), y=np.array([0])),
        dict(z=np.array([-1e4, -1e4]), y=both),
    ]


@cross_entropy.oracle
def _(z, y):
    from scipy.special import log_expit

    return float(-np.mean(np.where(y == 1, log_expit(z), log_expit(-z))))


@checkpoint("The gradient of cross-entropy equals PyTorch's", atol=1e-12)
def cross_entropy_gradient(lib, X, y, w, b):
    with strict():
        slope_w, slope_b = lib.classic.logit.cross_entropy_gradient(X, y, w, b)
    return {"w": slope_w, "b": slope_b}


@cross_entropy_gradient.cases
def _(draw):
    return draw_problem(draw)


@cross_entropy_gradient.edges
def _():
    return problem_edges()


@cross_entropy_gradient.oracle
def _(X, y, w, b):
    from torch.nn.functional import binary_cross_entropy_with_logits

    return torch_gradients(binary_cross_entropy_with_logits, X, y, w, b)


@checkpoint("The gradient of squared error equals PyTorch's, and vanishes at a confident mistake", atol=1e-12)
def squared_error_gradient(lib, X, y, w, b):
    with strict():
        slope_w, slope_b = lib.classic.logit.squared_error_gradient(X, y, w, b)
    return {"w": slope_w, "b": slope_b}


@squared_error_gradient.cases
def _(draw):
    return draw_problem(draw)


@squared_error_gradient.edges
def _():
    return problem_edges()


@squared_error_gradient.oracle
def _(X, y, w, b):
    return torch_gradients(lambda z, y: ((z.sigmoid() - y) ** 2).mean(), X, y, w, b)


# ---------------------------------------------------------------------------------------------------- the descent


@checkpoint("The bound on the curvature is the largest eigenvalue of A'A / 4n", atol=1e-9)
def curvature_bound(lib, X):
    return lib.classic.logit.curvature_bound(X)


@curvature_bound.cases
def _(draw):
    return dict(X=draw.normal(draw.integer(1, 8), draw.integer(1, 3)) + draw.choice([0.0, 3.0]))


@curvature_bound.edges
def _():
    return [dict(X=np.ones((1, 1))), dict(X=np.zeros((3, 2))), dict(X=np.array([[1.0, 2.0], [3.0, -1.0]]))]


@curvature_bound.oracle
def _(X):
    A = np.hstack([np.ones((len(X), 1)), X])
    return float(np.linalg.svd(A, compute_uv=False)[0] ** 2 / (4 * len(X)))


@checkpoint("So many steps of descent lead where PyTorch's lead, and stop at the tolerance", atol=1e-10, count=12)
def steps_of_descent(lib, X, y, rate, steps, tolerance):
    model = lib.classic.logit.LogisticRegression(rate=rate, steps=steps, tolerance=tolerance).fit(X, y)
    return {"coef": model.coef_, "intercept": model.intercept_, "n_iter": model.n_iter_}


@steps_of_descent.cases
def _(draw):
    n, p = draw.integer(2, 6), draw.integer(1, 3)
    return dict(
        X=draw.normal(n, p),
        y=draw.integers(0, 1, n),
        rate=draw.choice([1.0, 0.1, 2.0]),
        steps=draw.integer(1, 8),
        tolerance=draw.choice([0.0, 0.0, 0.07]),
    )


@steps_of_descent.edges
def _():
    X, y = np.array([[0.0], [1.0], [2.0]]), np.array([0, 1, 1])
    return [
        dict(X=X, y=y, rate=1.0, steps=1, tolerance=0.0),
        dict(X=X, y=y, rate=1.0, steps=0, tolerance=0.0),
        dict(X=X, y=y, rate=1.0, steps=100, tolerance=1.0),
        dict(X=X * 1e4, y=y, rate=1.0, steps=3, tolerance=0.0),
    ]


@steps_of_descent.oracle
def _(X, y, rate, steps, tolerance):
    from torch.nn.functional import binary_cross_entropy_with_logits

    w, b, taken = np.zeros(X.shape[1]), 0.0, 0
    while taken < steps:
        slopes = torch_gradients(binary_cross_entropy_with_logits, X, y, w, b)
        if max(abs(slopes["b"]), *np.abs(slopes["w"])) <= tolerance:
            break
        w, b, taken = w - rate * slopes["w"], b - rate * slopes["b"], taken + 1
    return {"coef": w, "intercept": b, "n_iter": taken}


@checkpoint(
    "Converged, the coefficients equal scikit-learn's without penalty to 6 decimals", atol=1e-6, rtol=0.0, count=5
)
def converged(lib, X, y):
    model = lib.classic.logit.LogisticRegression(tolerance=1e-10).fit(X, y)
    return {"coef": model.coef_, "intercept": model.intercept_}


@converged.cases
def _(draw):
    n, p = draw.integer(16, 40), draw.integer(1, 3)
    X = draw.normal(n, p)
    z = X @ draw.uniform(-1.5, 1.5, p) + draw.uniform(-1, 1)
    y = (draw.uniform(0.001, 0.999, n) < 1 / (1 + np.exp(-z))).astype(np.int64)
    twice = p + 2  # the first samples come a second time with the other label, so that no line separates the classes
    return dict(X=np.concatenate([X, X[:twice]]), y=np.concatenate([y, 1 - y[:twice]]))


@converged.edges
def _():
    return [
        dict(X=np.array([[0.0], [1.0], [2.0], [3.0]]), y=np.array([0, 1, 0, 1])),
        dict(X=np.array([[-1.0], [0.0], [1.0], [1.0], [2.0]]), y=np.array([1, 0, 0, 1, 0])),
    ]


@converged.oracle
def _(X, y):
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-12, max_iter=100).fit(X, y)
    return {"coef": model.coef_[0], "intercept": float(model.intercept_[0])}


# ------------------------------------------------------------------------------------------------- the predictions


@checkpoint("Log-odds, probabilities and classes follow from the weights, at any size", atol=1e-10, count=12)
def predictions(lib, X, y, X_new):
    model = lib.classic.logit.LogisticRegression(rate=1.0, steps=3, tolerance=0.0).fit(X, y)
    with strict():
        z, p = model.decision_function(X_new), model.predict_proba(X_new)
        return {"log-odds": z, "probabilities": p, "classes": model.predict(X_new)}


@predictions.cases
def _(draw):
    n, p = draw.integer(2, 5), draw.integer(1, 3)
    return dict(
        X=draw.normal(n, p),
        y=draw.integers(0, 1, n),
        X_new=draw.normal(draw.integer(1, 4), p) * draw.choice([1.0, 1.0, 1e4]),
    )


@predictions.edges
def _():
    X, y = np.array([[0.0], [1.0], [2.0]]), np.array([0, 1, 1])
    return [dict(X=X, y=y, X_new=np.array([[-2.0], [0.0], [3.0]])), dict(X=X, y=y, X_new=np.array([[1e4], [-1e4]]))]


@predictions.oracle
def _(X, y, X_new):
    from scipy.special import expit

    A, A_new = (np.hstack([x, np.ones((len(x), 1))]) for x in (X, X_new))
    v = np.zeros(A.shape[1])
    for _ in range(3):
        v = v - A.T @ (expit(A @ v) - y) / len(y)
    z = A_new @ v
    return {
        "log-odds": z,
        "probabilities": np.stack([expit(-z), expit(z)], axis=1),
        "classes": (z > 0).astype(np.int64),
    }


@checkpoint("Labels other than 0 and 1 are refused with a ValueError", stretch=True, count=0)
def refused(lib, X, y):
    try:
        lib.classic.logit.LogisticRegression(steps=1).fit(X, y)
    except ValueError:
        return "ValueError"
    return "no error"


@refused.edges
def _():
    X = np.array([[0.0], [1.0], [2.0]])
    return [dict(X=X, y=np.array(y)) for y in ([-1, 1, 1], [0, 1, 2], [0.0, 0.5, 1.0])]


@refused.oracle
def _(X, y):
    return "ValueError"
