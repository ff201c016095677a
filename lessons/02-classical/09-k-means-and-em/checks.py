"""What is asked of lesson 2.9: Lloyd's iteration and EM, exact from the same start, and beginnings that are drawn as they should."""

import warnings

import numpy as np

from groundup.course import checkpoint

COVARIANCE_TYPES = ["spherical", "diag", "tied", "full"]


def quietly(fit, *args, **options):
    """Fits; that iterations were cut short is on purpose here, and no warning is looked at."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return fit(*args, **options)


def draw_blobs(draw, k, n_most=24, p_most=3):
    """Samples around k places, and the places: X (n, p), centers (k, p)."""
    n, p = draw.integer(k + 2, n_most), draw.integer(1, p_most)
    centers = 3.0 * draw.normal(k, p)
    return centers[draw.integers(0, k - 1, n)] + draw.normal(n, p), centers


def slow_squared_distances(X, centers):
    return np.array([[sum((x - c) ** 2) for c in centers] for x in X])


# --------------------------------------------------------------------------------------------- Lloyd, step by step


@checkpoint("Squared distances equal SciPy's, a hundred million away from the origin too", atol=1e-12, rtol=1e-8)
def squared_distances(lib, X, centers):
    return np.array(lib.classic.cluster.squared_distances(X, centers))


@squared_distances.cases
def _(draw):
    n, k, p = draw.integer(1, 6), draw.integer(1, 4), draw.integer(1, 3)
    away = draw.choice([0.0, 0.0, 1e8])
    return dict(X=draw.normal(n, p) + away, centers=draw.normal(k, p) + away)


@squared_distances.edges
def _():
    X = np.array([[0.0, 3.0], [4.0, 0.0], [1.0, 1.0]])
    far = 1e8 + np.array([[0.1], [0.7], [0.9]])
    return [
        dict(X=np.array([[3.0]]), centers=np.array([[1.0]])),
        dict(X=X, centers=X[1:]),
        dict(X=far, centers=far[:2]),
    ]


@squared_distances.oracle
def _(X, centers):
    from scipy.spatial.distance import cdist

    return cdist(X, centers, "sqeuclidean")


@checkpoint("Each sample goes to its nearest centre, the lowest index at a tie; inertia sums the squares", atol=1e-10)
def nearest(lib, X, centers):
    labels = lib.classic.cluster.assign(X, centers)
    return {"labels": labels, "inertia": lib.classic.cluster.inertia(X, centers, labels)}


@nearest.cases
def _(draw):
    n, k, p = draw.integer(1, 12), draw.integer(1, 5), draw.integer(1, 3)
    return dict(X=draw.normal(n, p), centers=draw.normal(k, p))


@nearest.edges
def _():
    line = np.array([[1.0], [2.0], [5.0], [9.0]])
    return [
        dict(X=line, centers=line[:1]),
        dict(X=line, centers=np.array([[3.0], [1.0], [9.0]])),  # 2 is as near to 3 as to 1
        dict(X=line, centers=np.array([[2.0], [2.0], [2.0]])),
    ]


@nearest.oracle
def _(X, centers):
    squared = slow_squared_distances(X, centers)
    return {"labels": squared.argmin(axis=1), "inertia": float(squared.min(axis=1).sum())}


@checkpoint("Centres move to the means of their samples, and empty ones to the farthest samples", atol=1e-10)
def update_centers(lib, X, labels, centers):
    return lib.classic.cluster.update_centers(X, labels, centers)


@update_centers.cases
def _(draw):
    n, k, p = draw.integer(1, 10), draw.integer(1, 4), draw.integer(1, 3)
    X, labels = draw.normal(n, p), draw.integers(0, k - 1, n)
    return dict(X=X, labels=labels, centers=draw.normal(k, p))


@update_centers.edges
def _():
    line = np.array([[1.0], [2.0], [9.0]])
    return [
        dict(X=line, labels=np.array([0, 0, 1]), centers=np.array([[1.0], [9.0]])),
        dict(X=line, labels=np.array([1, 1, 1]), centers=np.array([[20.0], [3.0]])),
        dict(X=line, labels=np.array([0, 0, 0]), centers=np.array([[0.0], [50.0], [60.0]])),
        dict(X=np.ones((3, 2)), labels=np.array([1, 1, 1]), centers=np.ones((2, 2))),
        dict(X=line, labels=np.array([0, 0, 1]), centers=np.array([[1.0], [2.0], [99.0]])),  # 9 was alone, and is taken
    ]


@update_centers.oracle
def _(X, labels, centers):
    return slow_update(X, labels, centers, np.ones(len(X)))


def slow_update(X, labels, centers, weights):
    """The means, cluster by cluster, after the empty ones have been given their samples."""
    labels, k = np.array(labels), len(centers)
    away = np.array([sum((x - centers[j]) ** 2) for x, j in zip(X, labels)]) * (weights > 0)
    empty = [j for j in range(k) if weights[labels == j].sum() == 0]
    if away.any():
        for j, i in zip(empty, sorted(range(len(X)), key=lambda i: -away[i])):
            labels[i] = j
    total = np.array([weights[labels == j].sum() for j in range(k)])
    new = np.zeros(centers.shape)
    for j in range(k):
        members = labels == (j if total[j] > 0 else total.argmax())
        new[j] = weights[members] @ X[members] / weights[members].sum()
    return new


@checkpoint("No iteration of Lloyd's raises the inertia, and the labels belong to the centres", count=12)
def never_rises(lib, X, centers):
    runs = [lib.classic.cluster.lloyd(X, centers, max_iter=t) for t in range(1, 7)]
    labels, last, _, _ = runs[-1]
    return {"inertia": [run[2] for run in runs], "labels": labels, "centers": last}


@never_rises.cases
def _(draw):
    k = draw.integer(1, 4)
    X, _ = draw_blobs(draw, k)
    return dict(X=X, centers=X[draw.permutation(len(X))[:k]] * draw.choice([1.0, 1.0, 5.0]))


@never_rises.edges
def _():
    line = np.array([[1.0], [2.0], [9.0], [10.0]])
    return [dict(X=line, centers=line[:2]), dict(X=line, centers=np.array([[1.0], [40.0], [50.0]]))]


@never_rises.accepts
def _(got, X, centers):
    values, last, labels = np.array(got["inertia"]), np.array(got["centers"]), np.array(got["labels"])
    if values.shape != (6,) or last.shape != centers.shape or labels.shape != (len(X),):
        return f"six inertias, labels {(len(X),)} and centres {centers.shape} were expected"
    if not (np.isfinite(values).all() and np.isfinite(last).all()):
        return "there are centres or inertias that are not finite"
    if np.any(np.diff(values) > 1e-9 * (1 + values[0])):
        return f"the inertia after 1 to 6 iterations: {values}"
    squared = slow_squared_distances(X, last)
    if abs(values[-1] - squared.min(axis=1).sum()) > 1e-9 * (1 + values[-1]):
        return f"the last inertia is {values[-1]}; with the centres returned it is {squared.min(axis=1).sum()}"
    if np.any(squared[np.arange(len(X)), labels] > squared.min(axis=1) + 1e-9):
        return "a sample's label is not the index of the nearest of the centres returned"
    return True


@checkpoint(
    "From the same centres KMeans ends where scikit-learn's ends, after as many iterations", atol=1e-9, count=12
)
def same_start(lib, X, init, max_iter, tol, X_new):
    model = lib.classic.cluster.KMeans(len(init), init=init, max_iter=max_iter, tol=tol)
    return learned(quietly(model.fit, X), X_new)


def learned(model, X_new):
    return {
        "labels": np.asarray(model.labels_).astype(np.int64),
        "centers": model.cluster_centers_,
        "inertia": float(model.inertia_),
        "n_iter": int(model.n_iter_),
        "predict": np.asarray(model.predict(X_new)).astype(np.int64),
        "transform": model.transform(X_new),
        "score": float(model.score(X_new)),
    }


@same_start.cases
def _(draw):
    k, p = draw.integer(2, 4), draw.integer(1, 2)
    X = draw.normal(draw.integer(10 * k, 60), p) * draw.choice([1.0, 0.1])  # one cloud, in which the centres creep
    return dict(
        X=X,
        init=X[draw.permutation(len(X))[:k]] + 0.01 * draw.normal(k, p),
        max_iter=draw.choice([300, 300, 300, 2]),
        tol=draw.choice([1e-4, 0.05, 0.05, 0.0]),
        X_new=draw.normal(3, p),
    )


@same_start.edges
def _():
    line = np.array([[1.0], [2.0], [4.0], [9.0]])
    new = np.array([[3.0], [8.0]])
    usual = dict(max_iter=300, tol=1e-4, X_new=new)
    crowd = np.arange(24.0)[:, None] ** 1.5
    return [
        dict(X=line, init=line[:1], **usual),
        dict(X=line, init=line[:2], **usual),
        dict(X=line, init=np.array([[3.0], [77.0]]), **usual),  # the second is empty at first
        dict(X=line, init=line, **usual),
        dict(X=crowd, init=crowd[:3], max_iter=300, tol=0.02, X_new=new),
        dict(X=crowd / 100, init=crowd[:3] / 100, max_iter=300, tol=0.02, X_new=new),
    ]


@same_start.oracle
def _(X, init, max_iter, tol, X_new):
    from sklearn.cluster import KMeans

    model = KMeans(len(init), init=init, n_init=1, max_iter=max_iter, tol=tol)
    return learned(quietly(model.fit, X), X_new)


# --------------------------------------------------------------------------------------------------- where to begin


@checkpoint("The next centre of k-means++ is drawn in proportion to the squared distance", atol=1e-12)
def seeding_probabilities(lib, closest):
    return lib.classic.cluster.seeding_probabilities(closest)


@seeding_probabilities.cases
def _(draw):
    closest = draw.normal(draw.integer(1, 8)) ** 2
    closest[draw.integer(0, len(closest) - 1)] = 0.0
    return dict(closest=closest)


@seeding_probabilities.edges
def _():
    return [dict(closest=np.array([0.0, 1.0, 9.0])), dict(closest=np.zeros(4)), dict(closest=np.array([0.0, 1e-300]))]


@seeding_probabilities.oracle
def _(closest):
    return closest / closest.sum() if closest.any() else np.full(len(closest), 1 / len(closest))


@checkpoint(
    "k-means++ takes the samples that its generator's numbers name, the best of the trials", atol=1e-12, count=20
)
def kmeans_plusplus(lib, X, k, trials, seed):
    centers, indices = lib.classic.cluster.kmeans_plusplus(
        X, k, random_state=np.random.default_rng(seed), n_local_trials=trials
    )
    return {"centers": centers, "indices": np.asarray(indices).astype(np.int64)}


@kmeans_plusplus.cases
def _(draw):
    X, _ = draw_blobs(draw, draw.integer(1, 4), n_most=16)
    return dict(X=X, k=draw.integer(1, min(5, len(X))), trials=draw.choice([1, None, 3]), seed=draw.seed())


@kmeans_plusplus.edges
def _():
    line = np.array([[0.0], [1.0], [4.0], [16.0]])
    pairs = np.array([[0.1], [0.3], [7.1], [7.4]])  # either of a pair leaves the same inertia: rounding decides
    return [
        *(dict(X=line, k=2, trials=1, seed=s) for s in (0, 1, 2)),
        dict(X=line, k=4, trials=None, seed=0),
        *(dict(X=pairs, k=3, trials=3, seed=s) for s in (0, 1)),
    ]


@kmeans_plusplus.accepts
def _(got, X, k, trials, seed):
    centers, indices = np.asarray(got["centers"]), np.asarray(got["indices"])
    if indices.shape != (k,) or not np.isin(indices, np.arange(len(X))).all():
        return f"{k} indices of samples were expected, and came: {indices}"
    if centers.shape != X[indices].shape or not np.allclose(centers, X[indices], rtol=1e-12, atol=1e-12):
        return f"the samples {indices} are {X[indices]}; the centres are {centers}"
    generator = np.random.default_rng(seed)
    trials = 2 + int(np.log(k)) if trials is None else trials
    closest = np.ones(len(X))  # for the first centre one sample is as likely as another
    for c in range(k):
        mass = np.cumsum(closest if closest.any() else np.ones(len(X)))
        drawn = [int(np.argmax(mass / mass[-1] > u)) for u in generator.random(trials if c else 1)]
        after = [slow_squared_distances(X, X[[*indices[:c], i]]).min(axis=1) for i in drawn]
        inertias = np.array([squared.sum() for squared in after])
        # Two samples that have only each other leave the same inertia, and distances are right to 8 digits.
        best = np.flatnonzero(inertias <= inertias.min() + 1e-8 * inertias.max())
        if indices[c] not in np.array(drawn)[best]:
            return f"centre {c} is sample {indices[c]}; drawn are {drawn}, and with each the inertia is {inertias}"
        closest = after[drawn.index(indices[c])]
    return True


@checkpoint("Random centres are different samples", atol=1e-12, count=12)
def random_centers(lib, X, seed):
    centers = lib.classic.cluster.random_centers(X, len(X), random_state=np.random.default_rng(seed))
    centers = np.asarray(centers)
    return centers[np.lexsort(centers.T[::-1])] if centers.ndim == 2 else centers  # as many as samples: all of them


@random_centers.cases
def _(draw):
    return dict(X=draw.normal(draw.integer(2, 8), draw.integer(1, 2)), seed=draw.seed())


@random_centers.edges
def _():
    return [dict(X=np.array([[1.0], [2.0], [9.0]]), seed=s) for s in range(4)]


@random_centers.oracle
def _(X, seed):
    return X[np.lexsort(X.T[::-1])]


@checkpoint("Of several beginnings the best end counts", count=6)
def best_of_several(lib, X, k, init, n_init, seed):
    cluster = lib.classic.cluster
    model = quietly(cluster.KMeans(k, init=init, n_init=n_init, tol=0.0, random_state=seed).fit, X)
    generator = np.random.default_rng(seed)
    ends = []
    for _ in range({"auto": 10 if init == "random" else 1}.get(n_init, n_init)):
        if init == "random":
            centers = cluster.random_centers(X, k, random_state=generator)
        else:
            centers = cluster.kmeans_plusplus(X, k, random_state=generator)[0]
        ends.append(cluster.lloyd(X, centers)[2])
    return {"inertia": float(model.inertia_), "ends": [float(end) for end in ends]}


@best_of_several.cases
def _(draw):
    X, _ = draw_blobs(draw, 4, n_most=20, p_most=2)
    init = draw.choice(["random", "random", "k-means++"])
    return dict(X=X, k=draw.integer(2, 4), init=init, n_init=draw.choice(["auto", 3, 6]), seed=draw.seed())


@best_of_several.accepts
def _(got, X, k, init, n_init, seed):
    least = min(got["ends"])
    if not abs(got["inertia"] - least) <= 1e-9 * (1 + least):
        return f"inertia_ is {got['inertia']}; the beginnings drawn from that generator end at {got['ends']}"
    return True


# --------------------------------------------------------------------------------------------- EM, step by step


def draw_spd(draw, p, *shape):
    """Positive definite matrices (..., p, p) whose condition is moderate."""
    A = draw.normal(*shape, p, p)
    return A @ np.swapaxes(A, -1, -2) + 0.5 * np.eye(p)


def draw_covariances(draw, covariance_type, k, p):
    if covariance_type == "full":
        return draw_spd(draw, p, k)
    if covariance_type == "tied":
        return draw_spd(draw, p)
    return draw.uniform(0.3, 3.0, k, p) if covariance_type == "diag" else draw.uniform(0.3, 3.0, k)


def each_covariance(covariances, covariance_type, k, p):
    """The k covariance matrices (k, p, p) that stand in any of the four shapes."""
    if covariance_type == "full":
        return covariances
    if covariance_type == "tied":
        return np.stack([covariances] * k)
    return np.stack([np.eye(p) * covariances[j] for j in range(k)])


@checkpoint("Log-densities equal SciPy's, where densities and determinants underflow too", atol=1e-8, count=20)
def log_densities(lib, X, means, covariances, covariance_type):
    mixture = lib.classic.mixture
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        P = mixture.precision_cholesky(covariances, covariance_type)
        return {"P": P, "log-density": mixture.log_gaussians(X, means, P, covariance_type)}


@log_densities.cases
def _(draw):
    n, k, p = draw.integer(1, 4), draw.integer(1, 3), draw.integer(1, 3)
    covariance_type = draw.choice(COVARIANCE_TYPES)
    X = draw.normal(n, p) * draw.choice([1.0, 1.0, 100.0])
    covariances = draw_covariances(draw, covariance_type, k, p)
    return dict(X=X, means=draw.normal(k, p), covariances=covariances, covariance_type=covariance_type)


@log_densities.edges
def _():
    one = np.array([[0.0]])
    tiny = np.full((1, 120), 1e-6)
    place = np.zeros((1, 120))
    return [
        dict(X=np.array([[0.0], [2.0]]), means=one, covariances=np.array([4.0]), covariance_type="spherical"),
        dict(X=np.array([[80.0]]), means=one, covariances=np.array([1.0]), covariance_type="spherical"),
        dict(X=place + 1e-3, means=place, covariances=tiny, covariance_type="diag"),
        dict(X=place + 1e-3, means=place, covariances=1e-6 * np.eye(120)[None], covariance_type="full"),
    ]


@log_densities.oracle
def _(X, means, covariances, covariance_type):
    k, p = means.shape
    log_density = np.empty((len(X), k))
    for j, S in enumerate(each_covariance(covariances, covariance_type, k, p)):
        away = X - means[j]
        squared = np.sum(away * np.linalg.solve(S, away.T).T, axis=1)
        log_density[:, j] = -0.5 * (p * np.log(2 * np.pi) + np.linalg.slogdet(S)[1] + squared)
    if covariance_type in ("spherical", "diag"):
        return {"P": covariances**-0.5, "log-density": log_density}
    lower = np.linalg.inv(np.linalg.cholesky(covariances))
    return {"P": np.swapaxes(lower, -1, -2), "log-density": log_density}


@checkpoint("Responsibilities are Bayes' rule in logarithms, right where every density is 0 in floats", atol=1e-12)
def expectation(lib, log_joint):
    mixture = lib.classic.mixture
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        log_likelihood, responsibilities = mixture.expectation(log_joint)
        return {"sum": mixture.log_sum_exp(log_joint), "log p": log_likelihood, "responsibilities": responsibilities}


@expectation.cases
def _(draw):
    log_joint = draw.normal(draw.integer(1, 4), draw.integer(1, 4)) * draw.choice([1.0, 10.0])
    return dict(log_joint=log_joint + draw.choice([0.0, -5000.0, 5000.0]))


@expectation.edges
def _():
    return [
        dict(log_joint=np.log([[0.1, 0.3]])),
        dict(log_joint=np.array([[-2000.0, -2001.0]])),
        dict(log_joint=np.array([[0.0, 1.0], [2000.0, 0.0], [-900.0, -900.0]])),
    ]


@expectation.oracle
def _(log_joint):
    from scipy.special import logsumexp, softmax

    total = logsumexp(log_joint, axis=1)
    return {"sum": total, "log p": total, "responsibilities": softmax(log_joint, axis=1)}


@checkpoint("The M step counts each sample in the shares that the components are responsible for", atol=1e-9, count=20)
def maximization(lib, X, responsibilities, covariance_type, reg_covar):
    weights, means, covariances = lib.classic.mixture.maximization(X, responsibilities, covariance_type, reg_covar)
    return {"weights": weights, "means": means, "covariances": covariances}


@maximization.cases
def _(draw):
    n, k, p = draw.integer(2, 8), draw.integer(1, 3), draw.integer(1, 3)
    responsibilities = draw.uniform(0.05, 1.0, n, k)
    return dict(
        X=draw.normal(n, p) + 1.0,
        responsibilities=responsibilities / responsibilities.sum(axis=1, keepdims=True),
        covariance_type=draw.choice(COVARIANCE_TYPES),
        reg_covar=draw.choice([0.0, 0.1, 1e-6]),
    )


@maximization.edges
def _():
    X = np.array([[1.0, 0.0], [3.0, 0.0], [8.0, 2.0]])
    hard = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    far = dict(
        X=X + 1e7, responsibilities=hard[:, :1] * 0 + 1.0, reg_covar=0.0
    )  # squares minus squares is 0 here, or less
    return [dict(X=X, responsibilities=hard, covariance_type=kind, reg_covar=0.5) for kind in COVARIANCE_TYPES] + [
        dict(covariance_type=kind, **far) for kind in COVARIANCE_TYPES
    ]


@maximization.oracle
def _(X, responsibilities, covariance_type, reg_covar):
    (n, p), k = X.shape, responsibilities.shape[1]
    counts = responsibilities.sum(axis=0)
    means = np.array([np.average(X, axis=0, weights=responsibilities[:, j]) for j in range(k)])
    full = np.zeros((k, p, p))
    for j in range(k):
        for x, r in zip(X, responsibilities[:, j]):
            full[j] += r * np.outer(x - means[j], x - means[j]) / counts[j]
    tied = np.average(full, axis=0, weights=counts)
    variances = np.array([np.diag(S) for S in full])
    covariances = {
        "full": full + reg_covar * np.eye(p),
        "tied": tied + reg_covar * np.eye(p),
        "diag": variances + reg_covar,
        "spherical": variances.mean(axis=1) + reg_covar,
    }[covariance_type]
    return {"weights": counts / n, "means": means, "covariances": covariances}


@checkpoint("Any guess of the responsibilities bounds the likelihood from below; the E step's touches it", atol=1e-9)
def lower_bound(lib, log_joint, guess):
    mixture = lib.classic.mixture
    responsibilities = mixture.expectation(log_joint)[1]
    with np.errstate(divide="raise", invalid="raise"):
        touching, guessed = (mixture.lower_bound(log_joint, r) for r in (responsibilities, guess))
    return {"touching": touching, "guessed": guessed}


@lower_bound.cases
def _(draw):
    n, k = draw.integer(1, 4), draw.integer(1, 4)
    guess = draw.uniform(0.05, 1.0, n, k)
    return dict(log_joint=5.0 * draw.normal(n, k) - 3.0, guess=guess / guess.sum(axis=1, keepdims=True))


@lower_bound.edges
def _():
    log_joint = np.log([[0.1, 0.3], [0.2, 0.2]])
    return [
        dict(log_joint=log_joint, guess=np.full((2, 2), 0.5)),
        dict(log_joint=log_joint, guess=np.array([[0.0, 1.0], [1.0, 0.0]])),
    ]


@lower_bound.oracle
def _(log_joint, guess):
    terms = [r * (a - np.log(r)) for a, r in zip(log_joint.ravel(), guess.ravel()) if r > 0]
    touching = np.log(np.exp(log_joint).sum(axis=1)).mean()
    return {"touching": float(touching), "guessed": float(sum(terms) / len(guess))}


# ------------------------------------------------------------------------------------------------- EM as a whole


def draw_start(draw, n_most=40):
    """Samples of a mixture, and parameters near the truth to begin with."""
    k = draw.integer(1, 3)
    p = draw.integer(1, 2)
    covariance_type = draw.choice(COVARIANCE_TYPES)
    centers = 2.5 * draw.normal(k, p)
    n = draw.integer(8 * k, n_most)
    X = centers[draw.integers(0, k - 1, n)] + draw.normal(n, p)
    share = draw.uniform(0.3, 1.0, k)
    precisions = draw_covariances(draw, covariance_type, k, p)
    start = dict(weights_init=share / share.sum(), means_init=centers, precisions_init=precisions)
    return dict(X=X, covariance_type=covariance_type, start=start)


@checkpoint("From the same start the mixture's EM equals scikit-learn's to 6 decimals", atol=1e-6, rtol=1e-6, count=10)
def same_em(lib, X, covariance_type, start, max_iter, tol, reg_covar):
    model = lib.classic.mixture.GaussianMixture(
        len(start["weights_init"]),
        covariance_type=covariance_type,
        max_iter=max_iter,
        tol=tol,
        reg_covar=reg_covar,
        **start,
    )
    return fitted(quietly(model.fit, X), X)


def fitted(model, X):
    return {
        "weights": model.weights_,
        "means": model.means_,
        "covariances": model.covariances_,
        "precisions": model.precisions_cholesky_,
        "lower_bound": float(model.lower_bound_),
        "n_iter": int(model.n_iter_),
        "converged": bool(model.converged_),
        "score_samples": model.score_samples(X),
        "score": float(model.score(X)),
        "proba": model.predict_proba(X),
        "bic": float(model.bic(X)),
        "aic": float(model.aic(X)),
    }


@same_em.cases
def _(draw):
    steps = dict(max_iter=draw.choice([1, 2, 5, 20]), tol=draw.choice([1e-3, 1e-3, 0.05]))
    return draw_start(draw) | steps | dict(reg_covar=draw.choice([1e-3, 0.1]))


@same_em.edges
def _():
    X = np.array([[0.0], [1.0], [2.0], [7.0], [8.0]])
    start = dict(weights_init=np.array([0.9, 0.1]), means_init=np.array([[1.0], [7.0]]), precisions_init=np.ones(2))
    usual = dict(X=X, covariance_type="spherical", tol=1e-3, reg_covar=1e-3)
    return [dict(start=start, max_iter=t, **usual) for t in (1, 30)]


@same_em.oracle
def _(X, covariance_type, start, max_iter, tol, reg_covar):
    from sklearn.mixture import GaussianMixture

    model = GaussianMixture(
        len(start["weights_init"]),
        covariance_type=covariance_type,
        max_iter=max_iter,
        tol=tol,
        reg_covar=reg_covar,
        **start,
    )
    return fitted(quietly(model.fit, X), X)


@checkpoint("A component that is rare has to be so much the nearer to be predicted", count=8)
def predictions(lib, X, covariance_type, start):
    model = lib.classic.mixture.GaussianMixture(
        len(start["weights_init"]), covariance_type=covariance_type, max_iter=1, **start
    )
    quietly(model.fit, X)
    return {"predict": np.asarray(model.predict(X)).astype(np.int64), "proba": model.predict_proba(X)}


@predictions.cases
def _(draw):
    case = draw_start(draw)
    k = len(case["start"]["weights_init"])
    rare = np.full(k, 0.02 / max(1, k - 1))
    rare[0] = 1 - rare[1:].sum()
    case["start"]["weights_init"] = rare
    return case


@predictions.edges
def _():
    X = np.array([[-1.0], [0.0], [0.2], [0.5], [1.5], [2.0]])
    start = dict(weights_init=np.array([0.99, 0.01]), means_init=np.array([[0.0], [1.5]]), precisions_init=np.ones(2))
    return [dict(X=X, covariance_type="spherical", start=start)]


@predictions.oracle
def _(X, covariance_type, start):
    from sklearn.mixture import GaussianMixture

    model = GaussianMixture(len(start["weights_init"]), covariance_type=covariance_type, max_iter=1, **start)
    quietly(model.fit, X)
    return {"predict": model.predict(X), "proba": model.predict_proba(X)}


@checkpoint("Without reg_covar no iteration of EM lowers the likelihood", count=6)
def never_falls(lib, X, covariance_type, start):
    bounds, scores = [], []
    for t in range(1, 8):
        model = lib.classic.mixture.GaussianMixture(
            len(start["weights_init"]), covariance_type=covariance_type, max_iter=t, tol=0.0, reg_covar=0.0, **start
        )
        quietly(model.fit, X)
        bounds.append(float(model.lower_bound_))
        scores.append(float(model.score(X)))
    return {"lower_bound": bounds, "score": scores}


@never_falls.cases
def _(draw):
    for _ in range(8):
        case = draw_start(draw)
        if stays_wide(**case):
            return case
    X = np.array([[0.0], [1.0], [2.0], [7.0], [8.0]])
    start = dict(weights_init=np.array([0.9, 0.1]), means_init=np.array([[1.0], [7.0]]), precisions_init=np.ones(2))
    return dict(X=X, covariance_type="spherical", start=start)


def stays_wide(X, covariance_type, start):
    """Whether no component is about to collapse onto a sample or a line, where there is no likelihood to compare."""
    from sklearn.mixture import GaussianMixture

    options = dict(covariance_type=covariance_type, reg_covar=0.0, tol=0.0, max_iter=7, **start)
    try:
        model = quietly(GaussianMixture(len(start["weights_init"]), **options).fit, X)
    except ValueError:
        return False
    k, p = model.means_.shape
    return np.linalg.eigvalsh(each_covariance(model.covariances_, covariance_type, k, p)).min() > 1e-3


@never_falls.accepts
def _(got, X, covariance_type, start):
    for name in ("lower_bound", "score"):
        values = np.array(got[name])
        if not np.isfinite(values).all() or np.any(np.diff(values) < -1e-9):
            return f"{name} after 1 to 7 iterations: {values}"
    if not np.allclose(got["lower_bound"][1:], got["score"][:-1], atol=1e-9):
        return (
            "lower_bound_ is the mean log-likelihood before the last M step, that is the score after one iteration less"
        )
    return True


@checkpoint("Without a start given, EM begins with k-means, and finds blobs that lie apart", atol=1e-6, count=6)
def from_kmeans(lib, X, k, covariance_type, seed):
    model = lib.classic.mixture.GaussianMixture(k, covariance_type=covariance_type, random_state=seed).fit(X)
    order = np.argsort(model.means_[:, 0])
    covariances = model.covariances_ if covariance_type == "tied" else model.covariances_[order]
    labels = np.argsort(order)[model.predict(X)]
    return {
        "weights": model.weights_[order],
        "means": model.means_[order],
        "covariances": covariances,
        "labels": labels.astype(np.int64),
    }


@from_kmeans.cases
def _(draw):
    k, p = draw.integer(1, 3), draw.integer(1, 2)
    labels = np.concatenate([np.arange(k).repeat(4), draw.integers(0, k - 1, 8)])
    X = 60.0 * labels[:, None] + draw.normal(len(labels), p)
    return dict(X=X, k=k, covariance_type=draw.choice(COVARIANCE_TYPES), seed=draw.seed())


@from_kmeans.oracle
def _(X, k, covariance_type, seed):
    n, p = X.shape
    labels = np.rint(X[:, 0] / 60.0).astype(np.int64)
    counts = np.bincount(labels, minlength=k)
    S = np.array([np.cov(X[labels == j].T, bias=True).reshape(p, p) for j in range(k)])
    S = {
        "full": S + 1e-6 * np.eye(p),
        "tied": np.average(S, axis=0, weights=counts) + 1e-6 * np.eye(p),
        "diag": np.array([np.diag(each) for each in S]) + 1e-6,
        "spherical": np.array([np.trace(each) / p for each in S]) + 1e-6,
    }[covariance_type]
    means = np.array([X[labels == j].mean(axis=0) for j in range(k)])
    return {"weights": counts / n, "means": means, "covariances": S, "labels": labels}


# --------------------------------------------------------------------------------------------------------- further


@checkpoint("Weights count in the means, the inertia and the draws", atol=1e-9, stretch=True, count=8)
def weighted(lib, X, labels, init, sample_weight, seed):
    cluster = lib.classic.cluster
    model = quietly(cluster.KMeans(len(init), init=init).fit, X, sample_weight=sample_weight)
    closest = slow_squared_distances(X, init).min(axis=1)
    return {
        "update": cluster.update_centers(X, labels, init, sample_weight),
        "centers": model.cluster_centers_,
        "inertia": float(model.inertia_),
        "score": float(model.score(X, sample_weight=sample_weight)),
        "probabilities": cluster.seeding_probabilities(closest, sample_weight),
        "all on a centre": cluster.seeding_probabilities(0.0 * closest, sample_weight),
        "seeds": cluster.kmeans_plusplus(X, 2, sample_weight=sample_weight, random_state=seed, n_local_trials=1)[0],
    }


@weighted.cases
def _(draw):
    k = draw.integer(1, 3)
    X, _ = draw_blobs(draw, k, n_most=16)
    weights = draw.uniform(0.1, 3.0, len(X))
    weights[draw.integer(0, len(X) - 1)] = draw.choice([1.0, 1e-9])
    init = X[draw.permutation(len(X))[:k]] + 0.01 * draw.normal(k, X.shape[1])
    return dict(
        X=X, labels=draw.integers(0, k - 1, len(X)), init=init, sample_weight=weights, seed=draw.integer(0, 1000)
    )


@weighted.oracle
def _(X, labels, init, sample_weight, seed):
    w, generator = sample_weight, np.random.default_rng(seed)
    centers, last = init, None
    for _ in range(300):
        now = slow_squared_distances(X, centers).argmin(axis=1)
        before, centers = centers, slow_update(X, now, centers, w)
        if (last is not None and (now == last).all()) or np.sum((centers - before) ** 2) <= 1e-4 * X.var(axis=0).mean():
            break
        last = now
    reached = float(slow_squared_distances(X, centers).min(axis=1) @ w)
    closest = slow_squared_distances(X, init).min(axis=1)
    first = int(np.argmax(np.cumsum(w) / w.sum() > generator.random()))
    mass = np.cumsum(w * slow_squared_distances(X, X[[first]])[:, 0])
    second = int(np.argmax(mass / mass[-1] > generator.random()))
    return {
        "update": slow_update(X, labels, init, w),
        "centers": centers,
        "inertia": reached,
        "score": -reached,
        "probabilities": closest * w / (closest @ w),
        "all on a centre": w / w.sum(),
        "seeds": X[[first, second]],
    }


@checkpoint("A mini-batch moves each centre to the mean of all it was ever given", atol=1e-9, stretch=True, count=10)
def mini_batches(lib, X, init, size, sample_weight):
    model = lib.classic.minibatch.MiniBatchKMeans(len(init), init=init, reassignment_ratio=0.0)
    for rows in range(0, len(X), size):
        some = slice(rows, rows + size)
        model.partial_fit(X[some], sample_weight=sample_weight[some])
    return {"centers": model.cluster_centers_, "n_steps": int(model.n_steps_), "labels": model.labels_.astype(np.int64)}


@mini_batches.cases
def _(draw):
    k = draw.integer(1, 3)
    X, centers = draw_blobs(draw, k)
    weights = draw.choice([1.0, 2.0]) * draw.uniform(0.5, 2.0, len(X))
    return dict(X=X, init=centers, size=draw.integer(k, len(X)), sample_weight=weights)


@mini_batches.oracle
def _(X, init, size, sample_weight):
    centers, counts = init.copy(), np.zeros(len(init))
    batches = [(X[i : i + size], sample_weight[i : i + size]) for i in range(0, len(X), size)]
    for batch, weights in batches:
        labels = slow_squared_distances(batch, centers).argmin(axis=1)
        for x, w, j in zip(batch, weights, labels):  # one sample after the other
            counts[j] += w
            centers[j] += w / counts[j] * (x - centers[j])
    labels = slow_squared_distances(batches[-1][0], centers).argmin(axis=1)
    return {"centers": centers, "n_steps": len(batches), "labels": labels}


@checkpoint("MiniBatchKMeans finds blobs that lie apart", stretch=True, count=5)
def mini_batch_fit(lib, X, k, seed):
    model = lib.classic.minibatch.MiniBatchKMeans(k, batch_size=50, n_init=3, random_state=seed).fit(X)
    return {"centers": model.cluster_centers_, "labels": model.labels_.astype(np.int64)}


@mini_batch_fit.cases
def _(draw):
    k = draw.integer(1, 3)
    labels = np.arange(k).repeat(40)  # the first batch has samples of each: a centre without any is moved
    return dict(X=40.0 * labels[:, None] + draw.normal(40 * k, 1), k=k, seed=draw.seed())


@mini_batch_fit.accepts
def _(got, X, k, seed):
    centers = np.array(got["centers"])
    if centers.shape != (k, 1) or np.any(np.abs(np.sort(centers[:, 0]) - 40.0 * np.arange(k)) > 5.0):
        return f"centres near 0, 40, ... were expected, and came: {centers.ravel()}"
    if np.any(np.abs(centers[got["labels"], 0] - X[:, 0]) > 10.0):
        return "a label is not the index of the blob's centre"
    return True


@checkpoint("Samples drawn from a mixture have its weights, means and covariances", stretch=True, count=6)
def sampled(lib, X, covariance_type, start, seed):
    model = lib.classic.mixture.GaussianMixture(
        len(start["weights_init"]), covariance_type=covariance_type, max_iter=1, random_state=seed, **start
    )
    quietly(model.fit, X)
    new, components = model.sample(4000)
    return {
        "X": new,
        "components": np.asarray(components).astype(np.int64),
        "weights": model.weights_,
        "means": model.means_,
        "covariances": model.covariances_,
    }


@sampled.cases
def _(draw):
    return draw_start(draw) | dict(seed=draw.integer(0, 10_000))


@sampled.accepts
def _(got, X, covariance_type, start, seed):
    new, components, p = np.array(got["X"]), np.array(got["components"]), X.shape[1]
    k = len(got["weights"])
    if new.shape != (4000, p) or components.shape != (4000,):
        return f"X (4000, {p}) and components (4000,) were expected, and came: {new.shape} and {components.shape}"
    for j, S in enumerate(each_covariance(np.array(got["covariances"]), covariance_type, k, p)):
        own, share = new[components == j], got["weights"][j]
        if abs(len(own) - 4000 * share) > 6 * np.sqrt(4000 * share * abs(1 - share)) + 1:
            return f"component {j} has weight {share:.3f} and {len(own)} of 4000 samples"
        if len(own) < 100:
            continue
        scale = np.sqrt(np.diag(S))
        if np.any(np.abs(own.mean(axis=0) - got["means"][j]) > 6 * scale / np.sqrt(len(own))):
            return f"the samples of component {j} have mean {own.mean(axis=0)}, and not {got['means'][j]}"
        off = np.abs(np.cov(own.T, bias=True).reshape(p, p) - S) / np.outer(scale, scale)
        if np.any(off > 6 * np.sqrt(2 / len(own))):
            return f"the samples of component {j} have covariance {np.cov(own.T, bias=True)}, and not {S}"
    return True


@checkpoint("What cannot be fitted is refused with a ValueError", stretch=True, count=0)
def refused(lib, which):
    X = np.array([[0.0, 1.0], [2.0, 0.0], [5.0, 5.0]])
    cluster, mixture = lib.classic.cluster, lib.classic.mixture
    attempts = {
        "too many clusters": lambda: cluster.KMeans(4).fit(X),
        "init of another shape": lambda: cluster.KMeans(2, init=X).fit(X),
        "an init without a meaning": lambda: cluster.KMeans(2, init="best").fit(X),
        "NaN": lambda: cluster.KMeans(1).fit(np.array([[0.0], [np.nan]])),
        "not fitted": lambda: cluster.KMeans(1).predict(X),
        "other columns": lambda: cluster.KMeans(1).fit(X).predict(X[:, :1]),
        "too many components": lambda: mixture.GaussianMixture(4).fit(X),
        "a collapsed component": lambda: mixture.GaussianMixture(3, reg_covar=0.0).fit(X),
        "weights that sum to 2": lambda: mixture.GaussianMixture(2, weights_init=np.ones(2)).fit(X),
        "means of another shape": lambda: mixture.GaussianMixture(2, means_init=X).fit(X),
        "a covariance type without a meaning": lambda: mixture.GaussianMixture(2, covariance_type="round").fit(X),
    }
    try:
        attempts[which]()
    except ValueError:
        return "ValueError"
    return "no error"


@refused.edges
def _():
    kmeans = ("too many clusters", "init of another shape", "an init without a meaning", "NaN", "not fitted")
    mixture = ("too many components", "a collapsed component", "weights that sum to 2", "means of another shape")
    return [dict(which=w) for w in (*kmeans, "other columns", *mixture, "a covariance type without a meaning")]


@refused.oracle
def _(which):
    return "ValueError"
