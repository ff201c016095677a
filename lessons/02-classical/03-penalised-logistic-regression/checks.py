"""What is asked of lesson 2.3: searches that end at the minimum, and scikit-learn's coefficients."""

import numpy as np

from groundup.course import checkpoint


def strict():
    """Floating-point warnings become errors; an underflow to 0 is what is wanted, and stays silent."""
    return np.errstate(over="raise", divide="raise", invalid="raise")


def draw_hessian(draw, m):
    """Symmetric and positive definite (m, m), condition at most some thousands, on columns of unlike scale."""
    A = draw.normal(m + 2, m) * draw.choice([1.0, 1.0, 10.0])
    return A.T @ A / m + 0.1 * np.eye(m)


def draw_problem(draw, classes=(1, 3)):
    """Samples, their classes as a table of 0 and 1, weights, and a theta to look at them with."""
    n, p, k = draw.integer(1, 6), draw.integer(1, 3), draw.choice(classes)
    codes = draw.integers(0, k - 1, n) if k > 1 else draw.integers(0, 1, n)
    Y = np.eye(k)[codes] if k > 1 else codes[:, None].astype(np.float64)
    theta = draw.normal(k, p + draw.choice([1, 0]))
    return dict(
        theta=theta, X=draw.normal(n, p), Y=Y, weights=draw.uniform(0.1, 2.0, n), l2=draw.choice([1.0, 0.0, 0.3])
    )


def problem_edges():
    one, two = np.ones((1, 1)), np.array([[1.0, 2.0], [3.0, -1.0]])
    return [
        dict(theta=np.array([[0.5, 2.0]]), X=one, Y=one, weights=np.ones(1), l2=1.0),
        dict(theta=np.array([[0.5, -1.0, 2.0]]), X=two, Y=np.array([[0.0], [1.0]]), weights=np.ones(2), l2=2.0),
        dict(theta=np.zeros((3, 3)), X=two, Y=np.eye(3)[[2, 0]], weights=np.array([0.5, 2.0]), l2=0.0),
        dict(theta=np.array([[1e4], [-1e4], [0.0]]), X=one, Y=np.eye(3)[[1]], weights=np.ones(1), l2=0.0),
        dict(theta=np.array([[1e4]]), X=np.array([[1.0], [-1.0]]), Y=np.zeros((2, 1)), weights=np.ones(2), l2=0.0),
    ]


def probabilities_of(z):
    """Of the classes that have a column; a single column stands beside a class whose log-odds are 0. By SciPy."""
    from scipy.special import expit
    from scipy.special import softmax as scipy_softmax

    return expit(z) if len(z) == 1 else scipy_softmax(z)


def full(theta, X):
    """theta with an intercept for each class, and X with its column of ones."""
    p = X.shape[1]
    b = theta[:, p:] if theta.shape[1] > p else np.zeros((len(theta), 1))
    return np.hstack([theta[:, :p], b]), np.column_stack([X, np.ones(len(X))])


def kkt(coef, intercept, X, y, C, l1_ratio, weights=None):
    """The largest slope downhill that is left at a fit, each divided by C n: 0 at the minimum.

    Written down from the objective C * losses + penalty anew, one weight after the other.
    """
    classes = np.unique(y)
    k = 1 if len(classes) == 2 else len(classes)
    weights = np.ones(len(y)) if weights is None else weights
    left = []
    slopes_w, slopes_b = np.zeros((k, X.shape[1])), np.zeros(k)
    for x, label, weight in zip(X, y, weights):
        error = probabilities_of(coef @ x + intercept)
        wanted = np.searchsorted(classes, label)
        if k > 1:
            error[wanted] -= 1.0
        else:
            error[0] -= wanted
        slopes_w += weight * np.outer(error, x)
        slopes_b += weight * error
    slopes_w = C * slopes_w + (1 - l1_ratio) * coef
    for w, slope in zip(coef.ravel(), slopes_w.ravel()):
        if w == 0:
            left.append(max(abs(slope) - l1_ratio, 0.0))
        else:
            left.append(abs(slope + l1_ratio * np.sign(w)))
    return np.array(left) / (C * weights.sum()), slopes_b / weights.sum()


# ---------------------------------------------------------------------------------------------- many classes, safely


@checkpoint("Softmax and the logarithm of a sum equal SciPy's from -10,000 to 10,000, without a warning", atol=1e-12)
def many_classes_safely(lib, Z):
    with strict():
        return {"softmax": lib.classic.logistic.softmax(Z), "log_sum_exp": lib.classic.logistic.log_sum_exp(Z)}


@many_classes_safely.cases
def _(draw):
    n, k = draw.integer(1, 3), draw.integer(2, 4)
    return dict(Z=draw.uniform(-4, 4, n, k) * draw.choice([1.0, 10.0, 2500.0]))


@many_classes_safely.edges
def _():
    return [
        dict(Z=np.array([[1.0, 2.0, 3.0]])),
        dict(Z=np.array([[0.0, 0.0], [1.0, 3.0]])),
        dict(Z=np.array([[400.0, 401.0], [-400.0, -399.0]])),
        dict(Z=np.array([[1e4, 1e4 - 1.0]])),
        dict(Z=np.array([[-1e4, -1e4 - 1.0]])),
        dict(Z=np.array([[1e4, 1e4 + 2.0], [-1e4, 2.0 - 1e4], [0.0, 1.0]])),
    ]


@many_classes_safely.oracle
def _(Z):
    from scipy.special import logsumexp
    from scipy.special import softmax as scipy_softmax

    return {"softmax": scipy_softmax(Z, axis=1), "log_sum_exp": logsumexp(Z, axis=1)}


# ------------------------------------------------------------------------------- the objective and its derivatives


@checkpoint("The objective is the sum of weighted losses plus the penalties, the intercept free", atol=1e-10)
def objective(lib, theta, X, Y, weights, l2, l1):
    with strict():
        return lib.classic.logistic.objective(theta, X, Y, weights, l2, l1)


@objective.cases
def _(draw):
    return draw_problem(draw) | dict(l1=draw.choice([0.0, 0.0, 1.0, 0.25]))


@objective.edges
def _():
    return [case | dict(l1=l1) for case, l1 in zip(problem_edges(), [0.0, 0.5, 1.0, 1.0, 0.0])]


@objective.oracle
def _(theta, X, Y, weights, l2, l1):
    from scipy.special import log_expit, log_softmax

    A, ones = full(theta, X)
    total = 0.0
    for x, label, weight in zip(ones, Y, weights):
        z = A @ x
        if len(z) == 1:
            total -= weight * float(log_expit(z[0] if label[0] == 1 else -z[0]))
        else:
            total -= weight * float(log_softmax(z)[label.argmax()])
    w = theta[:, : X.shape[1]].ravel()
    return total + sum(l2 * v**2 / 2 + l1 * abs(v) for v in w.tolist())


@checkpoint("The gradient is the objective's, sample by sample", atol=1e-10)
def gradient(lib, theta, X, Y, weights, l2):
    with strict():
        return lib.classic.logistic.gradient(theta, X, Y, weights, l2)


@gradient.cases
def _(draw):
    return draw_problem(draw)


@gradient.edges
def _():
    return problem_edges()


@gradient.oracle
def _(theta, X, Y, weights, l2):
    A, ones = full(theta, X)
    slopes = np.zeros(A.shape)
    for x, label, weight in zip(ones, Y, weights):
        slopes += weight * np.outer(probabilities_of(A @ x) - label, x)
    slopes[:, :-1] += l2 * A[:, :-1]
    return slopes[:, : theta.shape[1]]


@checkpoint("The Hessian is the gradient's derivative, sample by sample", atol=1e-10)
def hessian(lib, theta, X, weights, l2):
    with strict():
        return lib.classic.logistic.hessian(theta, X, weights, l2)


@hessian.cases
def _(draw):
    case = draw_problem(draw)
    del case["Y"]
    return case


@hessian.edges
def _():
    return [{name: value for name, value in case.items() if name != "Y"} for case in problem_edges()]


@hessian.oracle
def _(theta, X, weights, l2):
    A, ones = full(theta, X)
    k, q = theta.shape
    H = np.zeros((k * q, k * q))
    for x, weight in zip(ones, weights):
        p = probabilities_of(A @ x)
        H += weight * np.kron(np.diag(p) - np.outer(p, p), np.outer(x[:q], x[:q]))
    priced = np.zeros((k, q))
    priced[:, : X.shape[1]] = l2
    return H + np.diag(priced.ravel())


# ------------------------------------------------------------------------------------------- steps of the searches


@checkpoint("The violation is the steepest slope that still goes down, kinks included", atol=1e-12)
def violation(lib, x, gradient, l1):
    return lib.classic.minimize.violation(x, gradient, l1)


@violation.cases
def _(draw):
    m = draw.integer(1, 4)
    x = draw.normal(m) * draw.integers(0, 1, m)
    return dict(x=x, gradient=draw.normal(m), l1=draw.uniform(0.1, 2, m) * draw.choice([1.0, 1.0, 0.0]))


@violation.edges
def _():
    return [
        dict(x=np.zeros(1), gradient=np.array([0.5]), l1=np.array([1.0])),
        dict(x=np.zeros(1), gradient=np.array([-3.0]), l1=np.array([1.0])),
        dict(x=np.array([2.0]), gradient=np.array([-1.0]), l1=np.array([1.0])),
        dict(x=np.array([-2.0]), gradient=np.array([-1.0]), l1=np.array([1.0])),
        dict(x=np.array([2.0, 0.0]), gradient=np.array([0.25, -3.0]), l1=0.0),
    ]


@violation.oracle
def _(x, gradient, l1):
    """The derivative of the whole to the right and to the left of each coordinate."""
    steepest = 0.0
    for at, slope, price in zip(x, gradient, np.broadcast_to(l1, x.shape)):
        right = slope + (price if at >= 0 else -price)
        left = -slope + (price if at <= 0 else -price)
        steepest = max(steepest, -right, -left)
    return float(steepest)


@checkpoint("Newton's direction solves for the bottom of the parabola, also where it is a trough", atol=1e-7)
def newton_direction(lib, gradient, hessian):
    d = lib.classic.minimize.newton_direction(gradient, hessian)
    return {"slopes left": hessian @ d + gradient, "shape": list(np.shape(d))}


@newton_direction.cases
def _(draw):
    m = draw.integer(1, 5)
    if draw.boolean(0.7):
        return dict(gradient=draw.normal(m), hessian=draw_hessian(draw, m))
    A = draw.normal(1, m) + 0.5  # of rank 1: the gradient has to lie in its range
    return dict(gradient=A[0] * 0.5, hessian=A.T @ A)


@newton_direction.edges
def _():
    return [
        dict(gradient=np.array([3.0]), hessian=np.array([[2.0]])),
        dict(gradient=np.array([1.0, 0.0]), hessian=np.array([[2.0, 0.0], [0.0, 0.0]])),
        dict(gradient=np.array([1.0, 1.0]), hessian=np.ones((2, 2))),
        dict(gradient=np.array([1.0, 1e-6]), hessian=np.array([[4.0, 1e-6], [1e-6, 1e-6]])),
    ]


@newton_direction.oracle
def _(gradient, hessian):
    return {"slopes left": np.zeros(len(gradient)), "shape": [len(gradient)]}


@checkpoint("The direction with an L1 price is the best of all, and lands on exact zeros", atol=1e-7, count=15)
def lasso_direction(lib, gradient, hessian, x, l1):
    u = x + lib.classic.minimize.lasso_direction(gradient, hessian, x, l1, max_sweeps=300)
    return {"x + d": u, "zeros": np.flatnonzero(u == 0)}


@lasso_direction.cases
def _(draw):
    m = draw.integer(1, 3)
    l1 = draw.choice([1.0, 0.3, 3.0]) * np.where(np.arange(m) == m - 1, draw.choice([1.0, 0.0]), 1.0)
    hessian = draw_hessian(draw, m)
    hessian += np.trace(hessian) / 10 * np.eye(m)  # condition at most 11: coordinates that take turns are there in time
    return dict(gradient=2 * draw.normal(m), hessian=hessian, x=draw.normal(m), l1=l1)


@lasso_direction.edges
def _():
    return [
        dict(gradient=np.array([-3.0]), hessian=np.array([[2.0]]), x=np.zeros(1), l1=np.ones(1)),
        dict(gradient=np.array([0.5]), hessian=np.array([[2.0]]), x=np.zeros(1), l1=np.ones(1)),
        dict(gradient=np.array([2.0]), hessian=np.array([[2.0]]), x=np.array([1.0]), l1=np.ones(1)),
        dict(gradient=np.array([-2.0, -2.5]), hessian=np.diag([4.0, 1.0]), x=np.zeros(2), l1=np.ones(2)),
        dict(
            gradient=np.array([-2.0, -2.5]),
            hessian=np.array([[4.0, 1.0], [1.0, 1.0]]),
            x=np.zeros(2),
            l1=np.array([1.0, 0.0]),
        ),
    ]


@lasso_direction.oracle
def _(gradient, hessian, x, l1):
    """Every pattern of signs, each with the bottom of its parabola; of those that keep their signs the best."""
    from itertools import product

    best, least = None, np.inf
    for signs in product(*[(0.0, 1.0, -1.0) if price > 0 else (2.0,) for price in l1]):
        signs = np.array(signs)
        moving = signs != 0
        price = l1 * np.where(signs == 2.0, 0.0, signs)
        u = np.zeros(len(x))
        if moving.any():
            rest = (hessian @ x - gradient - price)[moving]
            u[moving] = np.linalg.solve(hessian[np.ix_(moving, moving)], rest)
        if np.any((signs == 1.0) & (u <= 0)) or np.any((signs == -1.0) & (u >= 0)):
            continue
        d = u - x
        value = gradient @ d + d @ hessian @ d / 2 + l1 @ np.abs(u)
        if value < least:
            best, least = u, value
    return {"x + d": best, "zeros": np.flatnonzero(best == 0)}


@checkpoint("The two loops give the direction of BFGS, with its matrix never formed", atol=1e-8)
def two_loop(lib, gradient, steps, changes):
    return lib.classic.minimize.two_loop(gradient, list(steps), list(changes))


@two_loop.cases
def _(draw):
    m, pairs = draw.integer(1, 4), draw.integer(0, 4)
    A = draw_hessian(draw, m)
    steps = draw.normal(pairs, m)
    return dict(gradient=draw.normal(m), steps=steps, changes=steps @ A)


@two_loop.edges
def _():
    A = np.array([[2.0, 1.0], [1.0, 3.0]])
    steps = np.array([[1.0, 0.0], [1.0, 2.0]])
    g = np.array([1.0, -1.0])
    return [
        dict(gradient=g, steps=np.zeros((0, 2)), changes=np.zeros((0, 2))),
        dict(gradient=np.array([3.0]), steps=np.array([[1.0]]), changes=np.array([[2.0]])),
        dict(gradient=g, steps=steps, changes=steps @ A),
    ]


@two_loop.oracle
def _(gradient, steps, changes):
    eye = np.eye(len(gradient))
    B = eye
    if len(steps):
        B = eye * (steps[-1] @ changes[-1]) / (changes[-1] @ changes[-1])
    for s, y in zip(steps, changes):
        rho = 1.0 / (s @ y)
        V = eye - rho * np.outer(y, s)
        B = V.T @ B @ V + rho * np.outer(s, s)
    return -B @ gradient


def valley(A, b, c):
    """The convex function x'Ax / 2 - b'x + c * the sum of sqrt(1 + x^2), as a function of x that returns (value, gradient)."""

    def function(x):
        root = np.sqrt(1.0 + x**2)
        return float(x @ A @ x / 2 - b @ x + c * root.sum()), A @ x - b + c * x / root

    return function


@checkpoint("A step keeps both of Wolfe's conditions, wherever the first try lands", count=20)
def wolfe_step(lib, A, b, c, x, first):
    function = valley(A, b, c)
    value, slope = function(x)[0], -float(function(x)[1] @ function(x)[1])
    direction = -function(x)[1]
    step, new_value, new_gradient = lib.classic.minimize.wolfe_step(function, x, value, slope, direction, first)
    true_value, true_gradient = function(x + step * direction)
    return {
        "step": float(step),
        "fall": value - true_value,
        "slope before": slope,
        "slope after": float(true_gradient @ direction),
        "value is right": bool(np.isclose(new_value, true_value)),
        "gradient is right": bool(np.allclose(new_gradient, true_gradient)),
    }


@wolfe_step.cases
def _(draw):
    m = draw.integer(1, 3)
    return dict(
        A=draw_hessian(draw, m),
        b=draw.normal(m),
        c=draw.choice([0.0, 1.0]),
        x=draw.normal(m) + 1.0,
        first=draw.log_uniform(1e-3, 1e3),
    )


@wolfe_step.edges
def _():
    bowl = dict(A=np.eye(1), b=np.zeros(1), c=0.0, x=np.ones(1))
    return [bowl | dict(first=first) for first in (1.0, 1e-3, 1.95, 2.5, 1e3)]


@wolfe_step.accepts
def _(got, A, b, c, x, first):
    before, after = got["slope before"], got["slope after"]
    if not got["step"] > 0:
        return f"the step is {got['step']}"
    if got["fall"] < -1e-4 * got["step"] * before - 1e-12:
        return f"the value falls by {got['fall']:.3g}, by less than 1e-4 of what the slope {before:.3g} promises"
    if abs(after) > 0.9 * abs(before) + 1e-12:
        return f"the slope along the direction goes from {before:.3g} to {after:.3g}: more than 0.9 of it is left"
    if not (got["value is right"] and got["gradient is right"]):
        return "the value and the gradient returned are not those at the end of the step"
    return True


# ---------------------------------------------------------------------------------------------------- the searches


def minimum_is_right(got, tol, least, max_iter):
    if not got["converged"]:
        return f"it says that it has not converged, after {got['n_iter']} steps; the steepest slope is {got['steepest']:.2g}"
    if not got["steepest"] <= tol:
        return f"it ends where the steepest slope is {got['steepest']:.3g}; tol is {tol:g}"
    if got["n_iter"] > least:
        return f"it took {got['n_iter']} steps; {least} are plenty"
    return True


@checkpoint("L-BFGS finds the minimum, in few steps", count=8)
def lbfgs(lib, A, b, c, x, tol):
    function = valley(A, b, c)
    found = lib.classic.minimize.lbfgs(function, x, tol=tol, max_iter=100)
    return {
        "steepest": float(np.abs(function(found.x)[1]).max()),
        "n_iter": int(found.n_iter),
        "converged": bool(found.converged),
        "x": found.x,
    }


@lbfgs.cases
def _(draw):
    m = draw.integer(1, 6)
    return dict(
        A=draw_hessian(draw, m),
        b=draw.normal(m),
        c=draw.choice([0.0, 1.0]),
        x=3 * draw.normal(m),
        tol=draw.choice([1e-4, 1e-6]),
    )


@lbfgs.edges
def _():
    scales = np.diag([1.0, 10.0, 100.0, 1000.0])
    return [
        dict(A=np.eye(1), b=np.zeros(1), c=0.0, x=np.zeros(1), tol=1e-6),
        dict(A=np.eye(2), b=np.array([3.0, -4.0]), c=0.0, x=np.zeros(2), tol=1e-6),
        dict(A=scales, b=np.ones(4), c=0.0, x=np.ones(4), tol=1e-6),
        dict(A=np.zeros((2, 2)), b=np.zeros(2), c=1.0, x=np.array([30.0, -2.0]), tol=1e-6),
    ]


@lbfgs.accepts
def _(got, A, b, c, x, tol):
    return minimum_is_right(got, tol, 60, 100)


@checkpoint("Newton's method finds the minimum from far away, kinks included", count=8)
def newton(lib, A, b, c, x, l1, tol):
    function = valley(A, b, c)
    found = lib.classic.minimize.newton(
        lambda v: function(v)[0],
        lambda v: function(v)[1],
        lambda v: A + np.diag(c / (1.0 + v**2) ** 1.5),
        x,
        l1,
        tol=tol,
        max_iter=100,
    )
    price = np.zeros(len(x)) if l1 is None else l1
    slopes = function(found.x)[1]
    at_zero = np.maximum(np.abs(slopes) - price, 0.0)
    elsewhere = np.abs(slopes + price * np.sign(found.x))
    return {
        "steepest": float(np.where(found.x == 0, at_zero, elsewhere).max()),
        "n_iter": int(found.n_iter),
        "converged": bool(found.converged),
        "x": found.x,
    }


@newton.cases
def _(draw):
    m = draw.integer(1, 4)
    return dict(
        A=draw_hessian(draw, m),
        b=draw.normal(m),
        c=draw.choice([0.0, 10.0]),
        x=5 * draw.normal(m),
        l1=draw.choice([None, np.ones(m), np.full(m, 0.2)]),
        tol=draw.choice([1e-4, 1e-7]),
    )


@newton.edges
def _():
    flat = dict(A=np.zeros((1, 1)), b=np.zeros(1), c=1.0)
    return [
        dict(A=np.eye(1), b=np.ones(1), c=0.0, x=np.zeros(1), l1=None, tol=1e-8),
        flat | dict(x=np.array([1.5]), l1=None, tol=1e-8),
        flat | dict(x=np.array([-20.0]), l1=None, tol=1e-8),
        flat | dict(x=np.array([3.0]), l1=np.array([0.5]), tol=1e-8),
        dict(A=np.eye(2), b=np.array([2.0, 0.5]), c=0.0, x=np.zeros(2), l1=np.ones(2), tol=1e-8),
    ]


@newton.accepts
def _(got, A, b, c, x, l1, tol):
    return minimum_is_right(got, tol, 40, 100)


# ---------------------------------------------------------------------------------------------------- the estimator


def draw_labelled(draw, k, n=(12, 30)):
    """Samples of k classes that overlap, each class with at least two."""
    n, p = draw.integer(*n), draw.integer(1, 3)
    X = draw.normal(n, p) + draw.choice([0.0, 2.0])
    codes = np.concatenate([np.arange(k), np.arange(k), draw.integers(0, k - 1, n - 2 * k)])
    X[:, 0] += 0.7 * codes
    return dict(X=X, y=codes)


def learned(lib, X, y, **options):
    with strict():
        model = lib.classic.logistic.LogisticRegression(tol=1e-9, max_iter=1000, **options).fit(X, y)
    return {"coef": model.coef_, "intercept": model.intercept_}


def scikit_learned(X, y, sample_weight=None, **options):
    import warnings

    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(solver="newton-cholesky", tol=1e-12, max_iter=1000, **options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where a matrix is singular it goes on with L-BFGS, and says so
        return model.fit(X, y, sample_weight=sample_weight)


@checkpoint(
    "Two classes: coefficients equal scikit-learn's to 6 decimals, by each solver", atol=1e-6, rtol=1e-6, count=5
)
def two_classes(lib, X, y, C, solver, fit_intercept):
    return learned(lib, X, y, C=C, solver=solver, fit_intercept=fit_intercept)


@two_classes.cases
def _(draw):
    return draw_labelled(draw, 2) | dict(
        C=draw.choice([1.0, 0.1, 3.0]),
        solver=draw.choice(["lbfgs", "newton-cholesky", "newton-cd"]),
        fit_intercept=draw.choice([True, True, False]),
    )


@two_classes.edges
def _():
    X, y = np.array([[1.0], [2.0], [3.0]]), np.array([0, 1, 1])
    return [
        dict(X=X, y=y, C=1.0, solver="lbfgs", fit_intercept=True),
        dict(X=X, y=y, C=1.0, solver="newton-cholesky", fit_intercept=False),
        dict(X=X, y=y, C=5.0, solver="newton-cholesky", fit_intercept=True),
    ]


@two_classes.oracle
def _(X, y, C, solver, fit_intercept):
    model = scikit_learned(X, y, C=C, fit_intercept=fit_intercept)
    return {"coef": model.coef_, "intercept": model.intercept_}


@checkpoint("Many classes: coefficients equal scikit-learn's to 6 decimals", atol=1e-6, rtol=1e-6, count=3)
def many_classes(lib, X, y, C, solver, fit_intercept):
    return learned(lib, X, y, C=C, solver=solver, fit_intercept=fit_intercept)


@many_classes.cases
def _(draw):
    return draw_labelled(draw, draw.choice([3, 4])) | dict(
        C=draw.choice([1.0, 0.1, 3.0]),
        solver=draw.choice(["lbfgs", "newton-cholesky"]),
        fit_intercept=draw.choice([True, True, False]),
    )


@many_classes.edges
def _():
    X, y = np.array([[1.0], [2.0], [3.0], [5.0]]), np.array([0, 1, 2, 1])
    return [dict(X=X, y=y, C=1.0, solver=s, fit_intercept=True) for s in ("lbfgs", "newton-cholesky")]


@many_classes.oracle
def _(X, y, C, solver, fit_intercept):
    model = scikit_learned(X, y, C=C, fit_intercept=fit_intercept)
    return {"coef": model.coef_, "intercept": model.intercept_}


@checkpoint("With an L1 price no slope is left, and weights are exactly zero where they ought to be", count=10)
def exact_zeros(lib, X, y, C, l1_ratio, fit_intercept):
    return learned(lib, X, y, C=C, l1_ratio=l1_ratio, solver="newton-cd", fit_intercept=fit_intercept)


@exact_zeros.cases
def _(draw):
    return draw_labelled(draw, draw.choice([2, 2, 3]), n=(12, 24)) | dict(
        C=draw.choice([1.0, 0.2, 5.0]), l1_ratio=draw.choice([1.0, 0.5]), fit_intercept=draw.choice([True, True, False])
    )


@exact_zeros.edges
def _():
    X, y = np.array([[1.0, 0.5], [2.0, -1.0], [3.0, 0.25], [4.0, 1.0]]), np.array([0, 1, 0, 1])
    return [
        dict(X=X, y=y, C=0.1, l1_ratio=1.0, fit_intercept=True),
        dict(X=X, y=y, C=10.0, l1_ratio=1.0, fit_intercept=True),
        dict(X=X, y=y, C=10.0, l1_ratio=0.2, fit_intercept=True),
        dict(X=np.column_stack([X, X[:, 0]]), y=y, C=10.0, l1_ratio=1.0, fit_intercept=True),
    ]


@exact_zeros.accepts
def _(got, X, y, C, l1_ratio, fit_intercept):
    k = 1 if len(np.unique(y)) == 2 else len(np.unique(y))
    if got["coef"].shape != (k, X.shape[1]) or got["intercept"].shape != (k,):
        return f"coef_ and intercept_ have shapes {got['coef'].shape} and {got['intercept'].shape}"
    left, left_b = kkt(got["coef"], got["intercept"], X, y, C, l1_ratio)
    if not left.max() <= 1e-6:
        return f"a slope of {left.max():.2g} is left along a weight: coef_ is not at the minimum, or not exactly zero there"
    if fit_intercept and not np.abs(left_b).max() <= 1e-6:
        return f"a slope of {np.abs(left_b).max():.2g} is left along an intercept"
    if not fit_intercept and np.any(got["intercept"] != 0):
        return "there is an intercept, and fit_intercept is False"
    return True


@checkpoint(
    "Separable, lopsided and rank-deficient data: finite, without a warning, and scikit-learn's log-odds",
    atol=2e-5,
    rtol=1e-5,
    count=4,
)
def hard_data(lib, X, y, C, solver):
    with strict():
        model = lib.classic.logistic.LogisticRegression(C=C, solver=solver, tol=1e-9, max_iter=2000).fit(X, y)
        return {"log-odds": model.decision_function(X), "probabilities": model.predict_proba(X)}


@hard_data.cases
def _(draw):
    n, kind = draw.integer(6, 12), draw.choice(["separable", "twice", "constant", "wide"])
    X = draw.normal(n, 14 if kind == "wide" else 2)
    y = (np.argsort(np.argsort(X[:, 0])) >= (n + 1) // 2).astype(np.int64)  # both classes, with equal values too
    if kind == "twice":
        X = np.column_stack([X, X[:, 0]])
    elif kind == "constant":
        X = np.column_stack([X, np.full(n, 3.0)])
    return dict(X=X, y=y, C=draw.choice([1.0, 100.0]), solver=draw.choice(["lbfgs", "newton-cholesky"]))


@hard_data.edges
def _():
    line, half = np.arange(6.0)[:, None], np.array([0, 0, 0, 1, 1, 1])
    far = np.array([[-1e4], [-2.0], [1.0], [-1.0], [2.0], [1e4]])
    return [
        dict(X=line, y=half, C=1.0, solver="lbfgs"),
        dict(X=line, y=half, C=1e3, solver="newton-cholesky"),
        dict(X=np.hstack([line, np.zeros((6, 1))]), y=half, C=1.0, solver="newton-cholesky"),
        dict(X=far, y=np.array([0, 0, 0, 1, 1, 1]), C=1.0, solver="newton-cholesky"),
        dict(X=far, y=np.array([0, 0, 1, 0, 1, 1]), C=1.0, solver="newton-cholesky"),
    ]


@hard_data.oracle
def _(X, y, C, solver):
    model = scikit_learned(X, y, C=C)
    return {"log-odds": model.decision_function(X), "probabilities": model.predict_proba(X)}


# ------------------------------------------------------------------------------------------------------------ further


@checkpoint("Labels of any kind, and what a prediction is at a tie", count=3, atol=1e-5)
def labels(lib, X, y, X_new, fit_intercept):
    model = lib.classic.logistic.LogisticRegression(solver="newton-cholesky", tol=1e-9, fit_intercept=fit_intercept)
    model.fit(X, y)
    with strict():
        return {
            "classes": np.asarray(model.classes_).tolist(),
            "predict": np.asarray(model.predict(X_new)).tolist(),
            "probabilities": model.predict_proba(X_new),
            "logarithms": model.predict_log_proba(X_new),
            "score": float(model.score(X, y)),
        }


@labels.cases
def _(draw):
    k = draw.choice([2, 3])
    case = draw_labelled(draw, k)
    names = draw.choice([[3, -1, 7], ["no", "maybe", "yes"]])
    p = case["X"].shape[1]
    return dict(
        X=case["X"],
        y=[names[code] for code in case["y"]],
        X_new=draw.normal(4, p) * draw.choice([1.0, 1e3]),
        fit_intercept=True,
    )


@labels.edges
def _():
    X, y, X_new = np.array([[-1.0], [1.0]]), ["b", "a"], np.array([[0.0], [0.5], [-1e5]])
    return [dict(X=X, y=names, X_new=X_new, fit_intercept=False) for names in (y, [True, False])]


@labels.oracle
def _(X, y, X_new, fit_intercept):
    from scipy.special import log_softmax

    model = scikit_learned(X, y, fit_intercept=fit_intercept)
    Z = model.decision_function(X_new)
    Z = np.column_stack([0 * Z, Z]) if Z.ndim == 1 else Z
    return {
        "classes": model.classes_.tolist(),
        "predict": model.predict(X_new).tolist(),
        "probabilities": model.predict_proba(X_new),
        "logarithms": log_softmax(Z, axis=1),
        "score": float(model.score(X, y)),
    }


@checkpoint("Weights of samples and of classes are scikit-learn's", atol=1e-6, rtol=1e-6, count=3)
def weights(lib, X, y, sample_weight, class_weight):
    module = lib.classic.logistic
    model = module.LogisticRegression(class_weight=class_weight, solver="newton-cholesky", tol=1e-9)
    model.fit(X, y, sample_weight=sample_weight)
    k = len(np.unique(y))
    return {
        "balanced": module.balanced_weights(y, k, sample_weight),
        "coef": model.coef_,
        "intercept": model.intercept_,
    }


@weights.cases
def _(draw):
    case = draw_labelled(draw, draw.choice([2, 3]))
    n = len(case["y"])
    return case | dict(
        sample_weight=draw.choice([np.ones(n), draw.uniform(0.5, 2.0, n), draw.integers(1, 3, n).astype(np.float64)]),
        class_weight=draw.choice(["balanced", None, {0: 3.0, 1: 0.5, 2: 1.0}]),
    )


@weights.edges
def _():
    X, y = np.array([[1.0], [2.0], [3.0]]), np.array([0, 1, 1])
    return [dict(X=X, y=y, sample_weight=np.ones(3), class_weight=w) for w in ("balanced", {0: 3.0})]


@weights.oracle
def _(X, y, sample_weight, class_weight):
    model = scikit_learned(X, y, sample_weight, class_weight=class_weight)
    total, k = sample_weight.sum(), len(np.unique(y))
    return {
        "balanced": np.array([total / (k * sample_weight[y == c].sum()) for c in range(k)]),
        "coef": model.coef_,
        "intercept": model.intercept_,
    }


@checkpoint("What cannot be fitted is refused, and a search cut short says so", stretch=True)
def refused(lib, options, y):
    import warnings

    module, X = lib.classic.logistic, np.array([[1.0], [2.0], [3.0], [5.0]])
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            module.LogisticRegression(**options).fit(X, y)
    except ValueError:
        return "ValueError"
    return sorted({next(kind.__name__ for kind in w.category.__mro__ if kind.__name__ != "type") for w in caught})


@refused.edges
def _():
    y = np.array([0, 1, 0, 1])
    return [
        dict(options={}, y=y),
        dict(options={}, y=np.zeros(4, dtype=np.int64)),
        dict(options={}, y=np.array([0.5, 1.5, 0.5, 2.5])),
        dict(options={"C": 0.0}, y=y),
        dict(options={"C": -1.0}, y=y),
        dict(options={"l1_ratio": 1.5, "solver": "newton-cd"}, y=y),
        dict(options={"l1_ratio": 1.0}, y=y),
        dict(options={"solver": "saga"}, y=y),
        dict(options={"class_weight": "even"}, y=y),
        dict(options={"class_weight": {5: 2.0}}, y=y),
        dict(options={"max_iter": 1, "tol": 1e-12}, y=y),
    ]


@refused.oracle
def _(options, y):
    if options.get("max_iter") == 1:
        return ["ConvergenceWarning"]
    return "ValueError" if options or len(np.unique(y)) != 2 else []


@checkpoint("A warm start begins where the last fit has ended", atol=1e-6, rtol=1e-6, count=4, stretch=True)
def warm_start(lib, X, y, C):
    model = lib.classic.logistic.LogisticRegression(solver="newton-cholesky", tol=1e-9, warm_start=True)
    first = int(model.fit(X, y).n_iter_[0])
    again = int(model.fit(X, y).n_iter_[0])
    model.C = C
    model.fit(X, y)
    return {"few steps": again <= 1 < first, "coef": model.coef_, "intercept": model.intercept_}


@warm_start.cases
def _(draw):
    return draw_labelled(draw, draw.choice([2, 3])) | dict(C=draw.choice([0.5, 3.0]))


@warm_start.oracle
def _(X, y, C):
    model = scikit_learned(X, y, C=C)
    return {"few steps": True, "coef": model.coef_, "intercept": model.intercept_}
