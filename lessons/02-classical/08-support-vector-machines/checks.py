"""What is asked of lesson 2.8: kernels, the steps of SMO, and machines that equal scikit-learn's."""

import numpy as np

from groundup.course import checkpoint

THREE = np.array([[1.0, 0.0], [3.0, 0.0], [0.0, 1.0]])


def draw_samples(draw, n, p=None):
    """Samples (n, p), two columns or more: along one column many machines are ill conditioned."""
    return draw.normal(n, p or draw.integer(2, 4))


def draw_labels(draw, n, k=2):
    """Classes 0..k-1, each of them there, in any order."""
    return draw.permutation(n) % k


def draw_kernel(draw):
    """A kernel whose matrix is well conditioned on a few samples in a few dimensions."""
    return draw.choice(
        [
            dict(kernel="rbf", gamma=0.5),
            dict(kernel="rbf", gamma="scale"),
            dict(kernel="linear"),
            dict(kernel="poly", degree=2, gamma=0.5, coef0=1.0),
            dict(kernel="rbf", gamma="auto"),
            dict(kernel="poly", degree=3, gamma="scale", coef0=0.5),
        ]
    )


def has_free(model, C):
    """Whether b is certain: each machine has a support vector well inside its box. Where none is, rounding decides."""
    machines = np.atleast_2d(model.dual_coef_)
    inside = np.abs(np.abs(machines) - C / 2) < 0.499 * C
    if len(machines) == 1:
        return bool(inside.any())
    owner = np.repeat(np.arange(len(model.n_support_)), model.n_support_)
    return all(
        inside[b - 1, owner == a].any() or inside[a, owner == b].any()
        for b in range(len(model.n_support_))
        for a in range(b)
    )


def well_posed(draw_case, fit, fallback):
    """A drawn case for which b is certain; after a few that are not, one that is known to be."""
    for _ in range(8):
        case = draw_case()
        if has_free(fit(**case), case["C"]):
            return case
    return fallback


def draw_dual(draw, n, labels=True):
    """A positive definite K and the rest of a dual problem."""
    A = draw.normal(n, n)
    K = A @ A.T / n + 0.1 * np.eye(n)
    C = draw.choice([1.0, 0.3, 5.0])
    if labels:
        y = 2.0 * draw_labels(draw, n) - 1.0
        return dict(K=K, y=y, low=np.minimum(0.0, C * y), high=np.maximum(0.0, C * y), epsilon=0.0)
    return dict(
        K=K, y=2.0 * draw.normal(n), low=np.full(n, -C), high=np.full(n, C), epsilon=draw.choice([0.1, 0.0, 0.5])
    )


def on_all(values, support, n):
    """Coefficients of the support vectors (r, s), put where their samples stand among all n."""
    whole = np.zeros((len(values), n))
    whole[:, np.asarray(support)] = values
    return whole


def slow_slopes(gradient, beta, low, high, epsilon):
    """The slopes, by their definition, a variable at a time."""
    rising, falling = [], []
    for g, b, l, h in zip(gradient, beta, low, high):
        rising.append(-np.inf if b == h else g - epsilon if b >= 0 else g + epsilon)
        falling.append(np.inf if b == l else g - epsilon if b > 0 else g + epsilon)
    return np.array(rising), np.array(falling)


# -------------------------------------------------------------------------------------------------------- kernels


@checkpoint("Four kernels equal scikit-learn's, and the RBF's distances hold far from the origin", atol=1e-10)
def kernels(lib, X, Z, degree, gamma, coef0):
    k = lib.classic.kernels
    return {
        "linear": k.linear_kernel(X, Z),
        "polynomial": k.polynomial_kernel(X, Z, degree=degree, gamma=gamma, coef0=coef0),
        "rbf": k.rbf_kernel(X, Z, gamma=gamma),
        "sigmoid": k.sigmoid_kernel(X, Z, gamma=gamma, coef0=coef0),
    }


@kernels.cases
def _(draw):
    p, shift = draw.integer(1, 4), draw.choice([0.0, 0.0, 0.0, 1e6])
    return dict(
        X=draw.normal(draw.integer(1, 5), p) + shift,
        Z=draw.normal(draw.integer(1, 5), p) + shift,
        degree=draw.integer(1, 4),
        gamma=draw.choice([1.0, 0.25, 3.0]),
        coef0=draw.choice([0.0, 1.0, -0.5]),
    )


@kernels.edges
def _():
    X, Z = np.array([[1.0, 2.0]]), np.array([[3.0, 0.0], [1.0, 2.0]])
    return [
        dict(X=X, Z=Z, degree=2, gamma=0.5, coef0=1.0),
        dict(X=X + 2.0**26, Z=Z + 2.0**26, degree=1, gamma=0.5, coef0=0.0),
        dict(X=1e3 * X, Z=1e3 * Z, degree=1, gamma=1.0, coef0=0.0),
    ]


@kernels.oracle
def _(X, Z, degree, gamma, coef0):
    from scipy.spatial.distance import cdist
    from sklearn.metrics import pairwise

    return {
        "linear": pairwise.linear_kernel(X, Z),
        "polynomial": pairwise.polynomial_kernel(X, Z, degree=degree, gamma=gamma, coef0=coef0),
        "rbf": np.exp(-gamma * cdist(X, Z, "sqeuclidean")),  # scikit-learn's own expands the square, and loses digits
        "sigmoid": pairwise.sigmoid_kernel(X, Z, gamma=gamma, coef0=coef0),
    }


@checkpoint("gamma: a number, 'auto', and 'scale' by the variance of all entries", atol=1e-9)
def gamma(lib, X, gamma):
    try:
        return {"gamma": lib.classic.kernels.choose_gamma(gamma, X)}
    except ValueError:
        return "ValueError"


@gamma.cases
def _(draw):
    X = draw.normal(draw.integer(1, 6), draw.integer(1, 4)) * draw.choice([1.0, 10.0]) + draw.choice([0.0, 3.0])
    return dict(X=X, gamma=draw.choice(["scale", "scale", "auto", 0.7]))


@gamma.edges
def _():
    X = np.array([[0.0, 100.0], [1.0, 200.0], [2.0, 600.0]])
    return [dict(X=X, gamma=g) for g in ("scale", "auto", 2.0, -1.0, "scales")] + [
        dict(X=np.ones((3, 2)), gamma="scale")
    ]


@gamma.oracle
def _(X, gamma):
    if gamma == "scale":
        entries = X.ravel()
        spread = np.mean((entries[:, None] - entries) ** 2) / 2  # of all pairs: no mean, and nothing cancels
        return {"gamma": 1.0 / (X.shape[1] * spread) if np.ptp(X) > 0 else 1.0}
    if gamma == "auto":
        return {"gamma": 1.0 / X.shape[1]}
    return {"gamma": gamma} if isinstance(gamma, float) and gamma >= 0 else "ValueError"


@checkpoint("The matrix by name, an own kernel, and rows on demand that equal the matrix's", atol=1e-10, count=12)
def matrix(lib, X, Z, kernel, megabytes):
    numbers = dict(gamma=0.5, degree=2, coef0=1.0)
    own = lib.classic.kernels.kernel_matrix(lambda A, B: np.minimum(A[:, :1], B[:, 0]), X, Z)
    rows = lib.classic.kernels.KernelRows(kernel, X, **numbers, megabytes=megabytes)
    asked = [*range(len(X)), 0, len(X) - 1]
    return {
        "matrix": lib.classic.kernels.kernel_matrix(kernel, X, Z, **numbers),
        "own": own,
        "rows": np.array([rows[i] for i in asked]),
        "diagonal": rows.diagonal(),
        "length": len(rows),
    }


@matrix.cases
def _(draw):
    p = draw.integer(1, 3)
    return dict(
        X=draw.normal(draw.integer(1, 5), p),
        Z=draw.normal(draw.integer(1, 4), p),
        kernel=draw.choice(["rbf", "linear", "poly", "sigmoid"]),
        megabytes=draw.choice([200, 1e-9]),
    )


@matrix.edges
def _():
    X = np.array([[1.0, 2.0], [0.0, -1.0], [3.0, 0.5]])
    return [dict(X=X, Z=X[:2], kernel=k, megabytes=200) for k in ("linear", "poly", "rbf", "sigmoid")]


@matrix.oracle
def _(X, Z, kernel, megabytes):
    from sklearn.metrics.pairwise import pairwise_kernels

    numbers = dict(gamma=0.5, degree=2, coef0=1.0)
    K = pairwise_kernels(X, X, metric=kernel, filter_params=True, **numbers)
    return {
        "matrix": pairwise_kernels(X, Z, metric=kernel, filter_params=True, **numbers),
        "own": np.minimum.outer(X[:, 0], Z[:, 0]),
        "rows": K[[*range(len(X)), 0, len(X) - 1]],
        "diagonal": K.diagonal(),
        "length": len(X),
    }


# --------------------------------------------------------------------------------------------------- the steps of SMO


@checkpoint("Slopes on either side, the gap between them, and b", atol=1e-12)
def slopes(lib, gradient, beta, low, high, epsilon):
    smo = lib.classic.smo
    rising, falling = smo.one_sided_slopes(gradient, beta, low, high, epsilon)
    return {
        "can rise": np.isfinite(rising),
        "rising": rising[np.isfinite(rising)],
        "can fall": np.isfinite(falling),
        "falling": falling[np.isfinite(falling)],
        "gap": smo.kkt_gap(rising, falling),
        "b": smo.intercept(rising, falling),
    }


@slopes.cases
def _(draw):
    n = draw.integer(2, 6)
    if draw.boolean():  # a classifier: [0, 1] or [-1, 0]
        low = -1.0 * draw.integers(0, 1, n)
        low[:2] = 0.0, -1.0
        beta, epsilon = low + draw.choice([0.0, 0.5]) * draw.integers(0, 2, n), 0.0
        beta, high = np.clip(beta, low, low + 1.0), low + 1.0
        beta[:2] = 0.0  # these two can move
    else:  # a regression: [-1, 1] with a kink at 0
        low, high, epsilon = np.full(n, -1.0), np.full(n, 1.0), draw.choice([0.25, 0.0])
        beta = draw.integers(-2, 2, n) / 2.0
        beta[:2] = draw.choice([0.0, 0.5, -0.5])
    return dict(gradient=draw.normal(n), beta=beta, low=low, high=high, epsilon=epsilon)


@slopes.edges
def _():
    low, high = np.array([0.0, 0.0, -1.0, -1.0]), np.array([1.0, 1.0, 0.0, 0.0])
    g = np.array([0.5, 2.0, -1.0, 0.25])
    return [
        dict(gradient=g, beta=np.zeros(4), low=low, high=high, epsilon=0.0),
        dict(gradient=g, beta=np.array([0.0, 1.0, -1.0, 0.0]), low=low, high=high, epsilon=0.0),
        dict(gradient=g, beta=np.array([1.0, 0.5, -0.5, -1.0]), low=low, high=high, epsilon=0.0),
        dict(gradient=g, beta=np.array([0.0, 1.0, -1.0, 0.5]), low=-np.ones(4), high=np.ones(4), epsilon=0.1),
        dict(gradient=g, beta=np.zeros(4), low=-np.ones(4), high=np.ones(4), epsilon=0.5),
    ]


@slopes.oracle
def _(gradient, beta, low, high, epsilon):
    rising, falling = slow_slopes(gradient, beta, low, high, epsilon)
    free = [r for r, f in zip(rising, falling) if r == f]
    return {
        "can rise": np.isfinite(rising),
        "rising": rising[np.isfinite(rising)],
        "can fall": np.isfinite(falling),
        "falling": falling[np.isfinite(falling)],
        "gap": max(rising) - min(falling),
        "b": sum(free) / len(free) if free else (max(rising) + min(falling)) / 2,
    }


@checkpoint("The pair: the steepest to raise, and the one to lower that promises the most", atol=0)
def pair(lib, K, rising, falling):
    i, j = lib.classic.smo.choose_pair(rising, falling, K, K.diagonal())
    return {"i": int(i), "j": int(j)}


@pair.cases
def _(draw):
    n = draw.integer(2, 7)
    X = draw.normal(n, draw.integer(1, 3))
    gradient, shut = draw.normal(n), draw.permutation(n)
    rising, falling = gradient.copy(), gradient.copy()
    rising[shut[: n // 3]] = -np.inf
    falling[shut[n - n // 3 :]] = np.inf
    return dict(K=X @ X.T + draw.choice([0.0, 1.0]) * np.eye(n), rising=rising, falling=falling)


@pair.edges
def _():
    X = np.array([[0.0], [1.0], [4.0], [4.0]])
    y = np.array([1.0, -1.0, -1.0, 1.0])
    rising, falling = np.where(y > 0, y, -np.inf), np.where(y < 0, y, np.inf)
    return [
        dict(K=X @ X.T, rising=rising, falling=falling),
        dict(K=X @ X.T, rising=rising[::-1].copy(), falling=falling[::-1].copy()),  # 4 twice: a curvature of 0
        dict(K=np.eye(3), rising=np.array([1.0, 1.0, 0.5]), falling=np.array([1.0, -2.0, -2.0])),
        dict(K=np.diag([1.0, 1.0, 100.0]), rising=np.array([1.0, 0.0, 0.5]), falling=np.array([1.0, 0.0, -2.0])),
        dict(K=np.array([[1.0, 2.0], [2.0, 1.0]]), rising=np.array([1.0, -np.inf]), falling=np.array([np.inf, 0.5])),
    ]


@pair.oracle
def _(K, rising, falling):
    i = max(range(len(K)), key=lambda k: rising[k])
    gains = []
    for j in range(len(K)):
        ahead, curvature = rising[i] - falling[j], max(K[i, i] + K[j, j] - 2.0 * K[i, j], 1e-12)
        gains.append(ahead**2 / curvature if ahead > 0 else 0.0)
    return {"i": i, "j": gains.index(max(gains))}


@checkpoint("The step: to the top of the parabola or to the first bound, the sum kept", atol=1e-12, rtol=1e-9)
def step(lib, beta_i, beta_j, slope, curvature, ceiling, floor):
    new_i, new_j = lib.classic.smo.update_pair(beta_i, beta_j, slope, curvature, ceiling, floor)
    return {"i": new_i, "j": new_j, "exactly at a bound": [bool(new_i == ceiling), bool(new_j == floor)]}


@step.cases
def _(draw):
    beta_i, beta_j = draw.uniform(-1, 1), draw.uniform(-1, 1)
    return dict(
        beta_i=beta_i,
        beta_j=beta_j,
        slope=draw.uniform(0.1, 2.0),
        curvature=draw.choice([1.0, 0.37, 4.3]),
        ceiling=beta_i + draw.uniform(0.05, 1.0),
        floor=beta_j - draw.uniform(0.05, 1.0),
    )


@step.edges
def _():
    two = dict(slope=2.0, beta_i=0.0, beta_j=0.0)
    return [
        dict(**two, curvature=4.0, ceiling=1.0, floor=-1.0),
        dict(**two, curvature=1.0, ceiling=1.0, floor=-5.0),
        dict(**two, curvature=1.0, ceiling=5.0, floor=-1.0),
        dict(**two, curvature=0.0, ceiling=3.0, floor=-1.0),
        dict(**two, curvature=-1.0, ceiling=3.0, floor=-4.0),
        dict(beta_i=0.1, beta_j=-0.3, slope=9.0, curvature=1.0, ceiling=0.7, floor=-3.0),
        dict(beta_i=-0.3, beta_j=0.3, slope=9.0, curvature=1.0, ceiling=0.7, floor=-0.6),
    ]


@step.oracle
def _(beta_i, beta_j, slope, curvature, ceiling, floor):
    most = min(ceiling - beta_i, beta_j - floor)
    top = slope / max(curvature, 1e-12)
    move = top if top < most else most
    stopped = [move == ceiling - beta_i, move == beta_j - floor]
    return {"i": beta_i + move, "j": beta_j - move, "exactly at a bound": stopped}


@checkpoint("Solved, the dual keeps the KKT conditions, and its gradient and b belong to its beta", count=15)
def solved(lib, K, y, low, high, epsilon, tol):
    s = lib.classic.smo.solve_dual(K, y, low, high, epsilon=epsilon, tol=tol)
    return {
        "beta": np.asarray(s.beta),
        "b": float(s.intercept),
        "gradient": np.asarray(s.gradient),
        "gap": float(s.gap),
    }


@solved.cases
def _(draw):
    return dict(**draw_dual(draw, draw.integer(2, 12), labels=draw.boolean(0.6)), tol=draw.choice([1e-6, 1e-3]))


@solved.edges
def _():
    y, X = np.array([1.0, 1.0, -1.0, -1.0]), np.array([[1.0], [2.0], [-1.0], [0.0]])
    box = dict(low=np.minimum(0.0, y), high=np.maximum(0.0, y), epsilon=0.0, tol=1e-6)
    both = dict(low=-np.ones(4), high=np.ones(4), tol=1e-6)
    return [
        dict(K=np.eye(2), y=y[1:3], low=box["low"][1:3], high=box["high"][1:3], epsilon=0.0, tol=1e-6),
        dict(K=X @ X.T, y=y, **box),
        dict(K=0.01 * X @ X.T, y=y, **box),  # all at the bound
        dict(K=np.ones((4, 4)), y=y, **box),  # four times the same sample
        dict(K=X @ X.T, y=2.0 * X[:, 0], epsilon=0.1, **both),
        dict(K=X @ X.T, y=0.05 * y, epsilon=0.1, **both),  # all inside the tube
    ]


@solved.accepts
def _(got, K, y, low, high, epsilon, tol):
    beta, slack = got["beta"], 1e-9 * max(1.0, np.abs(high).max())
    if beta.shape != y.shape or not np.isfinite(beta).all():
        return f"beta has shape {beta.shape} and should be finite, {y.shape}"
    if np.any(beta < low - slack) or np.any(beta > high + slack):
        return "some beta lies outside of its bounds"
    if abs(beta.sum()) > slack * len(y):
        return f"the sum of beta is {beta.sum():.3g}, not 0"
    gradient = y - K @ beta
    if np.abs(got["gradient"] - gradient).max() > 1e-8:
        return f"the gradient is off from y - K beta by {np.abs(got['gradient'] - gradient).max():.3g}"
    rising, falling = slow_slopes(gradient, np.clip(beta, low, high), low, high, epsilon)
    gap = rising.max() - falling.min()
    if gap > tol + 1e-8:
        return f"some pair can still be improved: the gap is {gap:.3g}, tol is {tol:.3g}"
    if abs(got["gap"] - gap) > 1e-8:
        return f"gap is given as {got['gap']:.3g} and is {gap:.3g}"
    free = rising == falling
    b = rising[free].mean() if free.any() else (rising.max() + falling.min()) / 2
    return True if abs(got["b"] - b) <= 1e-8 else f"the intercept is {got['b']:.6g}, expected {b:.6g}"


@checkpoint("Each iteration raises the dual, and the last value is the maximum", count=6)
def ascent(lib, K, y, low, high, epsilon):
    smo = lib.classic.smo
    ways = [smo.solve_dual(K, y, low, high, epsilon=epsilon, tol=1e-7, max_iter=m) for m in (0, 1, 2, 3, 5, 8, -1)]
    return {
        "objective": np.array([smo.dual_objective(K, y, np.asarray(s.beta), epsilon) for s in ways]),
        "iterations": [int(s.n_iter) for s in ways],
    }


@ascent.cases
def _(draw):
    return draw_dual(draw, draw.integer(4, 8), labels=draw.boolean(0.6))


@ascent.edges
def _():
    X, y = np.array([[0.0], [1.0], [3.0]]), np.array([-1.0, -1.0, 1.0])
    return [dict(K=X @ X.T, y=y, low=np.minimum(0.0, 10 * y), high=np.maximum(0.0, 10 * y), epsilon=0.0)]


@ascent.accepts
def _(got, K, y, low, high, epsilon):
    from scipy.optimize import minimize

    n = len(y)  # beta = u - v, u and v >= 0: smooth, and SciPy's quadratic programming knows nothing of pairs
    both = np.block([[K, -K], [-K, K]])
    linear = np.concatenate([epsilon - y, epsilon + y])
    best = -minimize(
        lambda z: 0.5 * z @ both @ z + linear @ z,
        np.zeros(2 * n),
        jac=lambda z: both @ z + linear,
        bounds=[(0, h) for h in high] + [(0, -l) for l in low],
        constraints={
            "type": "eq",
            "fun": lambda z: z[:n].sum() - z[n:].sum(),
            "jac": lambda z: np.repeat([1.0, -1.0], n),
        },
        method="SLSQP",
        options={"ftol": 1e-12, "maxiter": 300},
    ).fun
    values, steps = got["objective"], got["iterations"]
    if abs(values[0]) > 0 or steps[0] != 0:
        return "with max_iter=0 beta stays 0, and so does the dual"
    if any(s > m for s, m in zip(steps, (0, 1, 2, 3, 5, 8))):
        return f"n_iter is {steps[:-1]}, where at most (0, 1, 2, 3, 5, 8) were allowed"
    rising, falling = slow_slopes(y, np.zeros(n), low, high, epsilon)
    slope = np.maximum(rising[:, None] - falling, 0.0)  # (n, n): of every pair
    bend = np.maximum(K.diagonal()[:, None] + K.diagonal() - 2 * K, 1e-12)
    move = np.minimum(slope / bend, np.minimum(high[:, None], -low))
    firsts = move * slope - 0.5 * move**2 * bend
    if steps[1] == 1 and np.abs(values[1] - firsts).min() > 1e-6 * (1 + best):
        return (
            f"after one iteration the dual is {values[1]:.9g}, where no pair leads by a step to its top or to its bound"
        )
    for k in range(1, len(steps)):
        if not values[k] >= values[k - 1] - 1e-7 * (1 + best):  # a solver may hold K in float32
            return f"the dual went from {values[k - 1]:.9g} to {values[k]:.9g}: no iteration may lower it"
    return (
        True
        if abs(values[-1] - best) <= 1e-5 * (1 + abs(best))
        else f"it ends at {values[-1]:.8g}, the maximum is {best:.8g}"
    )


# ------------------------------------------------------------------------------------------------------ the classifier


@checkpoint("Two classes: scikit-learn's decision function to 4 decimals, and its support vectors", atol=1e-4, count=9)
def two_classes(lib, X, y, X_new, options, C):
    model = lib.classic.svm.SVC(C=C, tol=1e-6, **options).fit(X, y)
    found = {
        "decision": model.decision_function(X_new),
        "b": model.intercept_,
        "box": lib.classic.svm.svc_box(2.0 * y - 1, C),
    }
    if options["kernel"] == "rbf":  # the other matrices may be singular, and beta then is one of many
        found["beta"] = on_all(model.dual_coef_, model.support_, len(X))
        found["support vectors"] = {
            "zeros": int(np.sum(model.dual_coef_ == 0)),
            "n": model.n_support_.sum() == len(model.support_),
        }
    if options["kernel"] == "linear":
        found["coef"] = model.coef_
    return found


@two_classes.cases
def _(draw):
    from sklearn.svm import SVC

    def case():
        n = draw.integer(4, 24)
        X, y = draw_samples(draw, n), draw_labels(draw, n)
        if draw.boolean():
            y = (X[:, 0] + 0.5 * draw.normal(n) > np.median(X[:, 0])).astype(np.int64)
            y[:2] = 0, 1
        return dict(
            X=X, y=y, X_new=draw.normal(4, X.shape[1]), options=draw_kernel(draw), C=draw.choice([1.0, 0.1, 10.0])
        )

    known = dict(X=THREE, y=np.array([1, 1, 0]), X_new=THREE, options=dict(kernel="linear"), C=1.0)
    return well_posed(case, lambda X, y, X_new, options, C: SVC(C=C, tol=1e-7, **options).fit(X, y), known)


@two_classes.edges
def _():
    X, y = THREE, np.array([1, 1, 0])
    far = dict(X=X + 4096.0, y=y, X_new=X + 4095.0)
    return [
        dict(X=X, y=y, X_new=X, options=dict(kernel="linear"), C=1.0),
        dict(X=X, y=y, X_new=-X, options=dict(kernel="rbf", gamma=1.0), C=0.1),
        dict(X=X, y=1 - y, X_new=X, options=dict(kernel="poly", degree=2, gamma=0.5, coef0=1.0), C=100.0),
        dict(X=X[[0, 1, 2, 2]], y=np.array([1, 1, 0, 0]), X_new=X, options=dict(kernel="linear"), C=0.2),
        dict(**far, options=dict(kernel="rbf", gamma=0.5), C=10.0),
    ]


@two_classes.oracle
def _(X, y, X_new, options, C):
    from sklearn.svm import SVC

    model = SVC(C=C, tol=1e-7, **options).fit(X, y)
    label = 2.0 * y - 1
    found = {
        "decision": model.decision_function(X_new),
        "b": model.intercept_,
        "box": (np.minimum(0.0, C * label), np.maximum(0.0, C * label)),
    }
    if options["kernel"] == "rbf":
        found["beta"] = on_all(model.dual_coef_, model.support_, len(X))
        found["support vectors"] = {"zeros": 0, "n": True}
    if options["kernel"] == "linear":
        found["coef"] = model.coef_
    return found


@checkpoint("Every sample gets a class, on the boundary too, and fit leaves the parameters alone", count=4)
def classes(lib, X, names, codes, X_new, options):
    model = lib.classic.svm.SVC(**options)
    y = np.array(names)[codes]
    first = model.fit(X * [1.0, 7.0], y).predict(X_new)
    model.fit(X, y)
    return {
        "first": first.tolist(),
        "again": model.predict(X_new).tolist(),
        "parameters": sorted((k, str(v)) for k, v in model.get_params().items() if k in options),
        "classes": model.classes_.tolist(),
    }


@classes.cases
def _(draw):
    from sklearn.svm import SVC

    for _ in range(8):
        n = draw.integer(4, 10)
        X, codes = draw_samples(draw, n, 2), draw_labels(draw, n)
        X[:, 0] += 3.0 * codes
        case = dict(
            X=X,
            names=draw.choice([["no", "yes"], [-1, 1], [3, 8]]),
            codes=codes,
            X_new=np.array([[-4.0, 0.0], [7.0, 0.0]]),
            options=draw.choice([dict(kernel="linear"), dict(kernel="poly", degree=1, gamma="scale")]),
        )
        models = [SVC(tol=1e-7, **case["options"]).fit(each, codes) for each in (X * [1.0, 7.0], X)]
        if all(has_free(m, 1.0) and np.abs(m.decision_function(case["X_new"])).min() > 0.1 for m in models):
            return case  # nobody doubts: b is certain, and no new sample lies near a boundary
    return dict(
        X=np.array([[-1.0, 0.0], [1.0, 0.0]]),
        names=[-1, 1],
        codes=np.array([0, 1]),
        X_new=np.array([[-4.0, 0.0], [7.0, 0.0]]),
        options=dict(kernel="linear"),
    )


@classes.edges
def _():
    X = np.array([[-1.0, 0.0], [1.0, 0.0]])
    at = np.array([[0.0, 0.0], [-2.0, 0.0], [2.0, 0.0]])  # the first of these has f = 0
    codes = np.array([0, 1])
    return [
        dict(X=X, names=[-1, 1], codes=codes, X_new=at, options=dict(kernel="linear")),
        dict(X=X, names=["a", "b"], codes=codes, X_new=at, options=dict(kernel="linear", C=0.25)),
        dict(
            X=X,
            names=["a", "b"],
            codes=codes[::-1].copy(),
            X_new=at,
            options=dict(kernel="poly", degree=1, gamma="auto"),
        ),
    ]


@classes.oracle
def _(X, names, codes, X_new, options):
    from sklearn.svm import SVC

    y = np.array(names)[codes]
    return {
        "first": SVC(**options).fit(X * [1.0, 7.0], y).predict(X_new).tolist(),
        "again": SVC(**options).fit(X, y).predict(X_new).tolist(),
        "parameters": sorted((k, str(v)) for k, v in options.items()),
        "classes": sorted(names),
    }


@checkpoint("Three classes and more: a machine for each pair as scikit-learn's, and the vote", count=5)
def many_classes(lib, X, y, X_new, options, C, values):
    k = len(np.unique(y))
    svc = lib.classic.svm.SVC
    pairs = svc(C=C, tol=1e-6, decision_function_shape="ovo", **options).fit(X, y)
    shares = svc(C=C, tol=1e-6, decision_function_shape="ovr", **options).fit(X, y)
    wins, sums = lib.classic.svm.votes(values, k)
    return {
        "ovo": pairs.decision_function(X_new),
        "ovr": shares.decision_function(X_new),
        "classes": shares.predict(X_new),
        "dual_coef": on_all(pairs.dual_coef_, pairs.support_, len(X)),
        "n_support": np.asarray(pairs.n_support_).tolist(),
        "support": np.asarray(pairs.support_).tolist(),
        "wins": np.asarray(wins, dtype=float),
        "sums": sums,
    }


@many_classes.cases
def _(draw):
    from sklearn.svm import SVC

    def case():
        k = draw.integer(3, 4)
        n = draw.integer(3 * k, 20)
        values = draw.normal(5, k * (k - 1) // 2)
        values[0] = 0.0
        X, options = draw_samples(draw, n), dict(kernel="rbf", gamma=draw.choice([0.5, 1.0]))
        y, X_new = draw_labels(draw, n, k), draw.normal(5, X.shape[1])
        return dict(X=X, y=y, X_new=X_new, options=options, C=draw.choice([1.0, 5.0]), values=values)

    def fit(X, y, X_new, options, C, values):
        return SVC(C=C, tol=1e-7, decision_function_shape="ovo", **options).fit(X, y)

    known = dict(
        X=THREE, y=np.arange(3), X_new=THREE, options=dict(kernel="rbf", gamma=1.0), C=10.0, values=np.zeros((1, 3))
    )
    return well_posed(case, fit, known)


@many_classes.edges
def _():
    X, y = np.array([[1.0, 1.0], [-1.0, 1.0], [-1.0, -1.0], [1.0, -1.0]]), np.array([3, 0, 1, 2])
    values = np.array([[1.0, -1.0, 2.0, 0.0, -3.0, 0.5], [-1.0, 1.0, -1.0, 1.0, -1.0, 1.0]])
    return [
        dict(
            X=X,
            y=y,
            X_new=np.array([[5.0, 4.0], [-0.3, 0.1]]),
            options=dict(kernel="rbf", gamma=0.3),
            C=1.0,
            values=values,
        )
    ]


@many_classes.accepts
def _(got, X, y, X_new, options, C, values):
    from itertools import combinations

    from sklearn.svm import SVC

    k = len(np.unique(y))
    model = SVC(C=C, tol=1e-7, decision_function_shape="ovo", **options).fit(X, y)
    goals = {"ovo": model.decision_function(X_new), "dual_coef": on_all(model.dual_coef_, model.support_, len(X))}
    for name, goal in goals.items():
        if got[name].shape != goal.shape or np.abs(got[name] - goal).max() > 1e-3:
            return f"{name} is not scikit-learn's: {got[name]}, expected {goal}"
    sizes, order = np.abs(goals["dual_coef"]).max(axis=0), np.array(got["support"])
    if set(np.flatnonzero(sizes > 1e-3)) - set(order) or np.any(np.lexsort((order, y[order])) != np.arange(len(order))):
        return f"support_ is {got['support']}, and goes class by class, ascending in each: {model.support_}"
    if got["n_support"] != np.bincount(y[order], minlength=k).tolist():
        return f"n_support_ is {got['n_support']}, one number for each class"
    for f, wins, sums in ((values, got["wins"], got["sums"]), (got["ovo"], None, None)):
        counts, totals = np.zeros((len(f), k)), np.zeros((len(f), k))
        for column, (a, b) in zip(f.T, combinations(range(k), 2)):
            counts[:, a] += column > 0
            counts[:, b] += column <= 0
            totals[:, a] += column
            totals[:, b] -= column
        if wins is not None and not (np.array_equal(wins, counts) and np.allclose(sums, totals)):
            return f"votes gives {wins} and {sums}, expected {counts} and {totals}"
    if not np.allclose(got["ovr"], counts + totals / (3 * (np.abs(totals) + 1))):
        return f"ovr is {got['ovr']}, and from your own ovo follows {counts + totals / (3 * (np.abs(totals) + 1))}"
    chosen = np.unique(y)[counts.argmax(axis=1)]
    return True if np.array_equal(got["classes"], chosen) else f"predicted {got['classes']}, the votes say {chosen}"


# ------------------------------------------------------------------------------------------------------ the regression


@checkpoint("Regression: scikit-learn's predictions to 4 decimals, and its support vectors", atol=1e-4, count=8)
def regression(lib, X, y, X_new, options, C, epsilon):
    model = lib.classic.svm.SVR(C=C, epsilon=epsilon, tol=1e-6, **options).fit(X, y)
    found = {"prediction": model.predict(X_new), "b": model.intercept_}
    if options["kernel"] == "rbf":
        found["beta"] = on_all(model.dual_coef_, model.support_, len(X))
    return found


@regression.cases
def _(draw):
    from sklearn.svm import SVR

    def case():
        n = draw.integer(2, 20)
        X = draw_samples(draw, n)
        return dict(
            X=X,
            y=X[:, 0] + draw.normal(n) * draw.choice([0.3, 2.0]),
            X_new=draw.normal(4, X.shape[1]),
            options=draw_kernel(draw),
            C=draw.choice([1.0, 0.2, 5.0]),
            epsilon=draw.choice([0.1, 0.0, 0.5]),
        )

    def fit(X, y, X_new, options, C, epsilon):
        return SVR(C=C, epsilon=epsilon, tol=1e-7, **options).fit(X, y)

    known = dict(X=THREE, y=THREE[:, 0], X_new=THREE, options=dict(kernel="linear"), C=1.0, epsilon=0.1)
    return well_posed(case, fit, known)


@regression.edges
def _():
    X, y = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 1.0]]), np.array([0.0, 1.0, 4.0])
    return [
        dict(X=X, y=y, X_new=X, options=dict(kernel="linear"), C=1.0, epsilon=0.1),
        dict(X=X, y=y, X_new=X, options=dict(kernel="rbf", gamma=1.0), C=0.3, epsilon=0.5),
        dict(X=X, y=np.full(3, 7.0), X_new=X, options=dict(kernel="rbf", gamma=1.0), C=1.0, epsilon=0.1),
        dict(X=X[:1], y=y[1:2], X_new=X, options=dict(kernel="rbf", gamma=1.0), C=1.0, epsilon=0.1),
    ]


@regression.oracle
def _(X, y, X_new, options, C, epsilon):
    from sklearn.svm import SVR

    model = SVR(C=C, epsilon=epsilon, tol=1e-7, **options).fit(X, y)
    found = {"prediction": model.predict(X_new), "b": model.intercept_}
    if options["kernel"] == "rbf":
        found["beta"] = on_all(model.dual_coef_, model.support_, len(X))
    return found


# ------------------------------------------------------------------------------------------------------- further features


@checkpoint("Weights of samples and of classes are factors on C", atol=1e-4, stretch=True, count=4)
def weights(lib, X, y, sample_weight, class_weight):
    svm = lib.classic.svm
    machine = svm.SVC(gamma=0.5, tol=1e-6, class_weight=class_weight).fit(X, y, sample_weight)
    line = svm.SVR(gamma=0.5, tol=1e-6).fit(X, X[:, 0] + y, sample_weight)
    return {"classifier": machine.decision_function(X), "regression": line.predict(X)}


@weights.cases
def _(draw):
    n = draw.integer(6, 14)
    return dict(
        X=draw_samples(draw, n),
        y=draw_labels(draw, n, 2),
        sample_weight=draw.uniform(0.1, 3.0, n),
        class_weight=draw.choice([None, "balanced", {0: 2.0, 1: 0.5}]),
    )


@weights.edges
def _():
    X, y = np.array([[0.0, 1.0], [1.0, 1.0], [2.0, 0.0], [3.0, 1.0]]), np.array([0, 0, 1, 0])
    return [
        dict(X=X, y=y, sample_weight=np.array([1.0, 2.0, 1.0, 0.0]), class_weight=None),
        dict(X=X, y=y, sample_weight=np.array([1.0, 1.0, 1.0, 1.0]), class_weight="balanced"),
    ]


@weights.oracle
def _(X, y, sample_weight, class_weight):
    from sklearn.svm import SVC, SVR

    machine = SVC(gamma=0.5, tol=1e-7, class_weight=class_weight).fit(X, y, sample_weight)
    line = SVR(gamma=0.5, tol=1e-7).fit(X, X[:, 0] + y, sample_weight)
    return {"classifier": machine.decision_function(X), "regression": line.predict(X)}


@checkpoint("A precomputed kernel and an own one give what the named one gives", atol=1e-5, stretch=True, count=4)
def other_kernels(lib, X, y, X_new):
    svc = lib.classic.svm.SVC

    def own(A, B):
        return (A @ B.T + 1.0) ** 2

    named = svc(kernel="poly", degree=2, gamma=1.0, coef0=1.0, tol=1e-7).fit(X, y)
    matrix = svc(kernel="precomputed", tol=1e-7).fit(own(X, X), y)
    callable_ = svc(kernel=own, tol=1e-7).fit(X, y)
    a, b, c = (
        named.decision_function(X_new),
        matrix.decision_function(own(X_new, X)),
        callable_.decision_function(X_new),
    )
    return {"precomputed": b - a, "own": c - a, "empty": matrix.support_vectors_.shape}


@other_kernels.cases
def _(draw):
    n = draw.integer(4, 12)
    return dict(X=draw_samples(draw, n, 2), y=draw_labels(draw, n, draw.integer(2, 3)), X_new=draw.normal(3, 2))


@other_kernels.edges
def _():
    X = np.array([[0.0, 1.0], [1.0, 1.0], [2.0, 0.0]])
    return [dict(X=X, y=np.array([0, 1, 0]), X_new=X[:2] - 1.0)]


@other_kernels.oracle
def _(X, y, X_new):
    k = len(np.unique(y))
    zeros = np.zeros((len(X_new), k) if k > 2 else len(X_new))
    return {"precomputed": zeros, "own": zeros, "empty": (0, 0)}


@checkpoint("Platt's sigmoid: the targets, and the A and B where their cross-entropy is least", count=12)
def sigmoid(lib, f, y, z):
    platt = lib.classic.platt
    A, B = platt.platt_scaling(f, y)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        far = platt.platt_probability(z, 2.0, 1.0)
    return {"A": float(A), "B": float(B), "targets": platt.platt_targets(y), "far": far}


@sigmoid.cases
def _(draw):
    n = draw.integer(2, 12)
    y = 2.0 * draw_labels(draw, n) - 1.0
    f = draw.normal(n) + y * draw.choice([1.0, 0.0, 3.0])
    return dict(f=f * draw.choice([1.0, 100.0]), y=y, z=draw.uniform(-4, 4, 3))


@sigmoid.edges
def _():
    return [
        dict(f=np.array([-1.0, 2.0]), y=np.array([-1.0, 1.0]), z=np.array([1e4, -1e4])),
        dict(f=np.array([-1.0, -3.0, 2.0, 0.5, 4.0]), y=np.array([-1.0, -1.0, -1.0, 1.0, 1.0]), z=np.array([0.0])),
        dict(
            f=1e3 * np.array([-1.0, -3.0, -2.0, 0.5, 4.0]), y=np.array([-1.0, -1.0, -1.0, 1.0, 1.0]), z=np.array([0.0])
        ),
    ]


@sigmoid.accepts
def _(got, f, y, z):
    from scipy.special import expit

    positive, negative = int(np.sum(y > 0)), int(np.sum(y < 0))
    t = np.where(y > 0, (positive + 1) / (positive + 2), 1 / (negative + 2))
    if np.abs(got["targets"] - t).max() > 1e-12:
        return f"the targets are {got['targets']}, expected {t}"
    if np.abs(got["far"] - expit(-(2.0 * z + 1.0))).max() > 1e-12:
        return f"platt_probability(z, 2, 1) is {got['far']}, expected {expit(-(2.0 * z + 1.0))}"
    error = t - expit(-(got["A"] * f + got["B"]))
    slopes, scale = np.array([error @ f / np.abs(f).max(), error.sum()]), 1e-6 * len(f)
    return (
        True
        if np.abs(slopes).max() <= scale
        else f"at A = {got['A']:.6g}, B = {got['B']:.6g} the loss has the slopes {slopes}"
    )


@checkpoint(
    "Probabilities of pairs are coupled as the least squares of Wu, Lin and Weng", atol=1e-5, stretch=True, count=8
)
def coupling(lib, r):
    return lib.classic.platt.couple(r)


@coupling.cases
def _(draw):
    k = draw.integer(2, 4)
    r = np.zeros((2, k, k))
    a, b = np.triu_indices(k, 1)
    r[:, a, b] = draw.uniform(0.05, 0.95, 2, len(a))
    r[:, b, a] = 1.0 - r[:, a, b]
    return dict(r=r)


@coupling.edges
def _():
    fair, sure = np.full((1, 3, 3), 0.5), np.array([[[0.0, 0.9, 0.8], [0.1, 0.0, 0.6], [0.2, 0.4, 0.0]]])
    return [dict(r=np.array([[[0.0, 0.7], [0.3, 0.0]]])), dict(r=fair), dict(r=sure)]


@coupling.oracle
def _(r):
    from scipy.optimize import lsq_linear

    rows = []
    for one in r:
        k = len(one)
        equations = [1e6 * np.ones(k)]  # sum(p) = 1, heavily
        for i in range(k):
            for j in range(i):
                equations.append(np.zeros(k))
                equations[-1][[i, j]] = one[j, i], -one[i, j]
        goal = np.zeros(len(equations))
        goal[0] = 1e6
        rows.append(lsq_linear(np.array(equations), goal, bounds=(0, 1), tol=1e-14).x)
    return np.array(rows)


@checkpoint("Probabilities rest on decision values of samples held back", atol=5e-3, count=2)
def probabilities(lib, X, y, X_new):
    model = lib.classic.svm.SVC(gamma=0.5, tol=1e-6, probability=True).fit(X, y)
    p = model.predict_proba(X_new)
    return {"p": p, "sum": p.sum(axis=1), "log": np.exp(model.predict_log_proba(X_new)) - p}


@probabilities.cases
def _(draw):
    for _ in range(8):
        n = draw.integer(12, 24)
        X, y = draw_samples(draw, n, 2), draw_labels(draw, n)
        X[:, 0] += draw.choice([1.0, 2.0]) * y
        if all(has_free(machine, 1.0) for machine in (*fold_machines(X, y)[1], fit_rbf(X, y))):
            return dict(X=X, y=y, X_new=draw.normal(4, 2))
    return two_waves()


def fit_rbf(X, y):
    from sklearn.svm import SVC

    return SVC(gamma=0.5, tol=1e-7).fit(X, y)


def fold_machines(X, y):
    """The fold of each sample, class by class in turn, and scikit-learn's machine without each of the five."""
    fold = np.empty(len(X), dtype=int)
    for c in (0, 1):
        fold[y == c] = np.arange(np.sum(y == c)) % 5
    return fold, [fit_rbf(X[fold != k], y[fold != k]) for k in range(5)]


def two_waves():
    t = np.arange(12.0)
    X = np.column_stack([np.cos(t) + (t % 2), np.sin(3 * t)])
    return dict(X=X, y=(t % 2).astype(np.int64), X_new=X[:3])


@probabilities.edges
def _():
    return [two_waves()]


@probabilities.oracle
def _(X, y, X_new):
    from scipy.optimize import minimize
    from scipy.special import expit, log_expit

    (fold, machines), f = fold_machines(X, y), np.empty(len(X))
    for k, machine in enumerate(machines):
        f[fold == k] = machine.decision_function(X[fold == k])
    positive, negative = np.sum(y == 1), np.sum(y == 0)
    t = np.where(y == 1, (positive + 1) / (positive + 2), 1 / (negative + 2))
    A, B = minimize(
        lambda v: -np.sum(t * log_expit(-v[0] * f - v[1]) + (1 - t) * log_expit(v[0] * f + v[1])), [0.0, 0.0], tol=1e-10
    ).x
    p = expit(-(A * fit_rbf(X, y).decision_function(X_new) + B))
    return {"p": np.column_stack([1 - p, p]), "sum": np.ones(len(X_new)), "log": np.zeros((len(X_new), 2))}


@checkpoint("What cannot be learned from is refused, and a limit that is reached is said", stretch=True, count=0)
def refused(lib, X, y, options):
    import warnings

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            lib.classic.svm.SVC(**options).fit(X, y)
        except ValueError:
            return "ValueError"
    return sorted({w.category.__name__ for w in said})


@refused.edges
def _():
    X, y = np.array([[0.0, 1.0], [1.0, 1.0], [2.0, 0.0], [3.0, 1.0]]), np.array([0, 1, 0, 1])
    return [
        dict(X=X, y=y, options={}),
        dict(X=X, y=np.zeros(4, dtype=int), options={}),
        dict(X=X, y=y, options=dict(C=0.0)),
        dict(X=X, y=y, options=dict(kernel="precomputed")),
        dict(X=X, y=y, options=dict(kernel="gauss")),
        dict(X=X, y=y, options=dict(kernel="linear", C=1e3, max_iter=1)),
    ]


@refused.oracle
def _(X, y, options):
    if options.get("max_iter") == 1:
        return ["ConvergenceWarning"]
    return [] if len(set(y)) == 2 and not options else "ValueError"
