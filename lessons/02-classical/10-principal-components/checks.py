"""Checkpoints of lesson 2.10: principal components two ways, and the direction that labels would choose."""

import numpy as np

from groundup.course import checkpoint


def draw_spread(draw, n, p):
    """X (n, p) whose axes have variances well apart, turned by chance, away from the origin."""
    turn, _ = np.linalg.qr(draw.normal(p, p))
    X = draw.normal(n, p)
    X = X - X.mean(axis=0)
    X = np.linalg.svd(X, full_matrices=False)[0] * 3.0 ** -np.arange(
        p
    )  # columns perpendicular, each a third of the last
    return X @ turn + draw.choice([0.0, 5.0])


def axes(found):
    components, variances = found
    return {"components": components, "variances": variances}


def axes_of(X):
    """The truth by SciPy's decomposition, rows turned by their largest entry."""
    from scipy.linalg import svd

    _, s, Vt = svd(X - X.mean(axis=0), full_matrices=False)
    turned = [row if row[np.argmax(np.abs(row))] > 0 else -row for row in Vt]
    return {"components": np.array(turned), "variances": s**2 / (len(X) - 1)}


# ---------------------------------------------------------------------------------------------------------- the axes


@checkpoint("A component's largest entry is positive", atol=1e-12)
def fix_signs(lib, components):
    return lib.classic.decomposition.fix_signs(components)


@fix_signs.cases
def _(draw):
    return dict(components=draw.normal(draw.integer(1, 4), draw.integer(1, 5)))


@fix_signs.edges
def _():
    return [
        dict(components=np.array([[-1.0]])),
        dict(components=np.array([[0.5, -2.0], [0.5, 2.0]])),
        dict(components=np.array([[3.0, -4.0, 3.0]])),
        dict(components=np.array([[-2.0, 2.0], [2.0, -2.0]])),
        dict(components=np.zeros((1, 2))),
    ]


@fix_signs.oracle
def _(components):
    return np.array([row if row[np.argmax(np.abs(row))] >= 0 else -row for row in components])


@checkpoint("Axes and variances from the covariance are those of SciPy's decomposition", atol=1e-8)
def by_covariance(lib, X):
    return axes(lib.classic.decomposition.principal_axes_by_covariance(X))


@by_covariance.cases
def _(draw):
    p = draw.integer(1, 4)
    return dict(X=draw_spread(draw, draw.integer(p + 2, 10), p))


@by_covariance.edges
def _():
    return [
        dict(X=np.array([[1.0], [3.0]])),
        dict(X=np.array([[3.0, 1.0], [1.0, 2.0], [-1.0, -2.0], [-3.0, -1.0]])),
        dict(X=np.array([[0.0, 0.0], [2.0, 1.0], [4.0, 5.0]])),
    ]


@by_covariance.oracle
def _(X):
    return axes_of(X)


@checkpoint("With more columns than rows there are n axes, and no variance is below zero", atol=1e-8, count=12)
def wide(lib, X):
    components, variances = lib.classic.decomposition.principal_axes_by_covariance(X)
    scatter = components.T @ np.diag(variances) @ components  # the covariance again, whatever stands for no variance
    return {
        "shape": list(components.shape),
        "variances": variances,
        "covariance": scatter,
        "negative": bool((variances < 0).any()),
    }


@wide.cases
def _(draw):
    n = draw.integer(2, 4)
    return dict(X=draw.normal(n, n + draw.integer(1, 4)) + 3.0)


@wide.edges
def _():
    return [dict(X=np.array([[0.0, 0.0, 0.0], [1.0, 2.0, 2.0]])), dict(X=np.ones((3, 5)))]


@wide.oracle
def _(X):
    truth = axes_of(X)
    return {
        "shape": list(truth["components"].shape),
        "variances": truth["variances"],
        "covariance": np.cov(X.T),
        "negative": False,
    }


@checkpoint("Axes and variances from the data are the same, to 1e-8", atol=1e-8)
def by_svd(lib, X):
    return axes(lib.classic.decomposition.principal_axes_by_svd(X))


@by_svd.cases
def _(draw):
    p = draw.integer(1, 4)
    return dict(X=draw_spread(draw, draw.integer(p + 2, 10), p))


@by_svd.edges
def _():
    return [
        dict(X=np.array([[1.0], [3.0]])),
        dict(X=np.array([[3.0, 1.0], [1.0, 2.0], [-1.0, -2.0], [-3.0, -1.0]])),
        dict(X=np.array([[0.0, 0.0], [2.0, 1.0], [4.0, 5.0]])),
    ]


@by_svd.oracle
def _(X):
    return axes_of(X)


@checkpoint("A deviation a billion times smaller than the largest keeps its digits", atol=1e-4, count=12)
def small_variances(lib, X):
    return np.sqrt(lib.classic.decomposition.principal_axes_by_svd(X)[1]) * np.array([1.0, 1e9])


@small_variances.cases
def _(draw):
    angle, n = draw.uniform(0.1, 1.4), draw.integer(4, 9)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    z = np.linspace(-1.0, 1.0, n)
    return dict(X=np.column_stack([z, 1e-9 * (z**2 - np.mean(z**2))]) @ turn, _z=z)


@small_variances.oracle
def _(X, z):
    return np.array([z.std(ddof=1), (z**2).std(ddof=1)])


@checkpoint("So many components explain more than this share", atol=0.0)
def components_for(lib, variances, share):
    return lib.classic.decomposition.components_for(variances, share)


@components_for.cases
def _(draw):
    return dict(
        variances=np.sort(draw.log_uniform(1e-3, 10.0, draw.integer(1, 6)))[::-1], share=draw.uniform(0.05, 0.99)
    )


@components_for.edges
def _():
    halves = np.array([2.0, 1.0, 1.0])
    return [
        dict(variances=np.array([1.0]), share=0.5),
        dict(variances=halves, share=0.4),
        dict(variances=halves, share=0.5),
        dict(variances=halves, share=0.75),
        dict(variances=halves, share=0.9),
    ]


@components_for.oracle
def _(variances, share):
    total, explained = variances.sum(), 0.0
    for k, variance in enumerate(variances, start=1):
        explained += variance
        if explained / total > share:
            return k
    return len(variances)


# --------------------------------------------------------------------------------------------------------- the class

LEARNED = (
    "mean_",
    "components_",
    "explained_variance_",
    "explained_variance_ratio_",
    "singular_values_",
    "noise_variance_",
)


@checkpoint("PCA learns what scikit-learn's learns, to 1e-8, by either way", atol=1e-8)
def pca(lib, X, n_components, svd_solver):
    model = lib.classic.decomposition.PCA(n_components=n_components, svd_solver=svd_solver).fit(X)
    return {name: getattr(model, name) for name in LEARNED} | {"n_components_": model.n_components_}


@pca.cases
def _(draw):
    p = draw.integer(2, 4)
    return dict(
        X=draw_spread(draw, draw.integer(p + 2, 10), p),
        n_components=draw.choice([None, 1, 2, 0.85]),
        svd_solver=draw.choice(["auto", "full", "covariance_eigh"]),
    )


@pca.edges
def _():
    X = np.array([[0.0, 0.0], [2.0, 1.0], [4.0, 5.0]])
    return [
        dict(X=X, n_components=None, svd_solver="full"),
        dict(X=X, n_components=1, svd_solver="covariance_eigh"),
        dict(X=X, n_components=0.5, svd_solver="full"),
        dict(X=X + 1e6, n_components=2, svd_solver="full"),
    ]


@pca.oracle
def _(X, n_components, svd_solver):
    from sklearn.decomposition import PCA

    model = PCA(n_components=n_components, svd_solver="full").fit(X)
    answer = {name: getattr(model, name) for name in LEARNED}
    return answer | {"noise_variance_": float(model.noise_variance_), "n_components_": int(model.n_components_)}


@checkpoint("Coordinates, whitened or not, and the way back equal scikit-learn's", atol=1e-8)
def there_and_back(lib, X, X_new, n_components, whiten):
    model = lib.classic.decomposition.PCA(n_components=n_components, whiten=whiten, svd_solver="full").fit(X)
    Z = model.transform(X_new)
    return {"coordinates": Z, "back": model.inverse_transform(Z), "of the training data": model.fit_transform(X)}


@there_and_back.cases
def _(draw):
    p = draw.integer(2, 4)
    return dict(
        X=draw_spread(draw, draw.integer(p + 2, 9), p),
        X_new=draw.normal(draw.integer(1, 3), p),
        n_components=draw.choice([1, 2]),
        whiten=draw.boolean(),
    )


@there_and_back.edges
def _():
    X = np.array([[0.0, 0.0], [2.0, 1.0], [4.0, 5.0]])
    return [dict(X=X, X_new=X, n_components=1, whiten=False), dict(X=X, X_new=X, n_components=2, whiten=True)]


@there_and_back.oracle
def _(X, X_new, n_components, whiten):
    from sklearn.decomposition import PCA

    model = PCA(n_components=n_components, whiten=whiten, svd_solver="full").fit(X)
    Z = model.transform(X_new)
    return {"coordinates": Z, "back": model.inverse_transform(Z), "of the training data": model.transform(X)}


# ---------------------------------------------------------------------------------------------------------- the labels


@checkpoint("Fisher's direction, and a threshold halfway between the classes", atol=1e-8)
def fisher_direction(lib, X, y):
    w, threshold = lib.classic.decomposition.fisher_direction(X, y)
    return {"w": w, "threshold": threshold}


@fisher_direction.cases
def _(draw):
    p, n = draw.integer(1, 3), draw.integer(6, 10)
    y = np.concatenate([[0, 0, 1, 1], draw.integers(0, 1, n - 4)])
    X = draw.normal(n, p)
    if np.linalg.matrix_rank(X - np.array([X[y == c].mean(axis=0) for c in y])) < p:
        X = X + np.sin(np.arange(n * p)).reshape(n, p)  # round numbers can leave no scatter within the classes
    return dict(X=X + 2.0 * y[:, None] + draw.choice([0.0, 10.0]), y=y)


@fisher_direction.edges
def _():
    return [
        dict(X=np.array([[1.0], [3.0], [5.0], [7.0]]), y=np.array([0, 0, 1, 1])),
        dict(X=np.array([[0.0, 0.0], [2.0, 2.1], [1.0, 0.0], [3.0, 2.0], [0.0, 0.5]]), y=np.array([0, 0, 1, 1, 0])),
    ]


@fisher_direction.oracle
def _(X, y):
    import scipy.linalg

    within = sum((np.sum(y == c) - 1) * np.atleast_2d(np.cov(X[y == c].T)) for c in (0, 1)) / (len(X) - 2)
    a, b = X[y == 0].mean(axis=0), X[y == 1].mean(axis=0)
    w = scipy.linalg.inv(within) @ (b - a)
    return {"w": w, "threshold": float(np.mean([w @ a, w @ b]))}


# ------------------------------------------------------------------------------------------------------------- further


@checkpoint(
    "In batches, and with all components kept, the answer is that of all data at once",
    atol=1e-7,
    stretch=True,
    count=12,
)
def batches(lib, X, size):
    model = lib.classic.decomposition.IncrementalPCA(batch_size=size).fit(X)
    return {
        "mean": model.mean_,
        "components": model.components_,
        "variances": model.explained_variance_,
        "seen": model.n_samples_seen_,
    }


@batches.cases
def _(draw):
    p = draw.integer(1, 3)
    return dict(X=draw_spread(draw, draw.integer(3 * p + 3, 16), p), size=p + draw.integer(1, 3))


@batches.oracle
def _(X, size):
    truth = axes_of(X)
    return {"mean": X.mean(axis=0), "components": truth["components"], "variances": truth["variances"], "seen": len(X)}


@checkpoint("What has no answer is refused with a ValueError", stretch=True, count=0)
def refused(lib, X, n_components):
    try:
        lib.classic.decomposition.PCA(n_components=n_components).fit(X)
    except ValueError:
        return "ValueError"
    return "no error"


@refused.edges
def _():
    X = np.array([[0.0, 0.0], [2.0, 1.0], [4.0, 5.0]])
    return [
        dict(X=X, n_components=3),
        dict(X=X, n_components=0),
        dict(X=X, n_components=1.5),
        dict(X=X[:1], n_components=1),
        dict(X=np.where(X == 5, np.nan, X), n_components=1),
    ]


@refused.oracle
def _(X, n_components):
    return "ValueError"
