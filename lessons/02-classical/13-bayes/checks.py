"""Checkpoints of lesson 2.13: Bayes in log space, two kinds of naive Bayes, and a penalty as a prior."""

import numpy as np

from groundup.course import checkpoint


def draw_classes(draw, n, k):
    """A list of n labels of k classes, each there at least twice; the names need not be 0..k-1, and may be words."""
    names = draw.choice([np.arange(k), np.array([3, -1, 7, 5])[:k], np.array(["b", "a", "d", "c"])[:k]])
    codes = np.concatenate([np.arange(k), np.arange(k), draw.integers(0, k - 1, n - 2 * k)])
    return names[codes].tolist()


def learned(model, names):
    """The attributes by name; classes as a list, for they may be words."""
    return {name: getattr(model, name).tolist() if name == "classes_" else getattr(model, name) for name in names}


GAUSSIAN = ("classes_", "class_count_", "class_prior_", "theta_", "var_", "epsilon_")
MULTINOMIAL = ("classes_", "class_count_", "class_log_prior_", "feature_count_", "feature_log_prob_")

# ------------------------------------------------------------------------------------------------------ the pieces


@checkpoint("Joint log probabilities become posteriors, at -10,000 as at -1", atol=1e-12)
def normalize_log(lib, joint):
    return lib.classic.bayes.normalize_log(joint)


@normalize_log.cases
def _(draw):
    shift = draw.choice([0.0, -1e4, 1e4])
    return dict(joint=draw.normal(draw.integer(1, 4), draw.integer(1, 4)) * draw.choice([1.0, 50.0]) + shift)


@normalize_log.edges
def _():
    return [
        dict(joint=np.log(np.array([[0.1, 0.3]]))),
        dict(joint=np.array([[-10_000.0, -10_001.0]])),
        dict(joint=np.array([[3000.0, 3000.0], [0.0, 0.0]])),
        dict(joint=np.array([[-1.0], [900.0]])),
        dict(joint=np.array([[-1.0, -np.inf], [-3000.0, -1.0]])),
    ]


@normalize_log.oracle
def _(joint):
    from scipy.special import log_softmax

    return log_softmax(joint, axis=1)


@checkpoint("Smoothed frequencies add what was seen in advance, row by row", atol=1e-12)
def smoothed(lib, counts, alpha):
    return lib.classic.bayes.smoothed_frequencies(counts, alpha)


@smoothed.cases
def _(draw):
    return dict(
        counts=1.0 * draw.integers(0, 9, draw.integer(1, 3), draw.integer(1, 5)), alpha=draw.log_uniform(1e-3, 10)
    )


@smoothed.edges
def _():
    return [
        dict(counts=np.array([[3.0, 0.0, 1.0]]), alpha=1.0),
        dict(counts=np.zeros((2, 3)), alpha=0.5),
        dict(counts=np.array([[2.0, 0.0], [1.0, 5.0]]), alpha=1.0),
    ]


@smoothed.oracle
def _(counts, alpha):
    from scipy.stats import dirichlet

    return np.stack([dirichlet.mean(row + alpha) if len(row) > 1 else np.ones(1) for row in counts])


@checkpoint("Weight, mean and variance of each class, also a million away from zero", atol=1e-7)
def class_moments(lib, X, codes, k, weights):
    total, means, variances = lib.classic.bayes.class_moments(X, codes, k, weights)
    return {"weight": total, "means": means, "variances": variances}


@class_moments.cases
def _(draw):
    n, k = draw.integer(1, 8), draw.integer(1, 3)
    weights = draw.choice([None, 1])
    return dict(
        X=draw.normal(n, draw.integer(1, 3)) + draw.choice([0.0, 1e6]),
        codes=draw.integers(0, k - 1, n),
        k=k,
        weights=None if weights is None else draw.uniform(0.5, 3.0, n),
    )


@class_moments.edges
def _():
    X = np.array([[1.0], [3.0], [10.0]])
    return [
        dict(X=X, codes=np.array([0, 0, 1]), k=2, weights=None),
        dict(X=X, codes=np.array([0, 0, 0]), k=2, weights=None),
        dict(X=X, codes=np.array([1, 0, 1]), k=3, weights=np.array([1.0, 0.0, 3.0])),
        dict(X=X + 1e7, codes=np.array([0, 0, 1]), k=2, weights=None),
    ]


@class_moments.oracle
def _(X, codes, k, weights):
    weights = np.ones(len(X)) if weights is None else weights
    total, means, variances = np.zeros(k), np.zeros((k, X.shape[1])), np.zeros((k, X.shape[1]))
    for c in range(k):
        rows = codes == c
        total[c] = weights[rows].sum()
        if total[c] > 0:
            means[c] = np.average(X[rows], axis=0, weights=weights[rows])
            variances[c] = np.average((X[rows] - means[c]) ** 2, axis=0, weights=weights[rows])
    return {"weight": total, "means": means, "variances": variances}


@checkpoint("The log density of independent normals equals SciPy's", atol=1e-10)
def log_density(lib, X, means, variances):
    return lib.classic.bayes.gaussian_log_density(X, means, variances)


@log_density.cases
def _(draw):
    n, k, p = draw.integer(1, 4), draw.integer(1, 3), draw.integer(1, 3)
    return dict(X=3 * draw.normal(n, p), means=draw.normal(k, p), variances=draw.log_uniform(1e-2, 1e2, k, p))


@log_density.edges
def _():
    one = np.ones((1, 1))
    return [
        dict(X=one, means=one, variances=one),
        dict(X=np.array([[200.0, -300.0]]), means=np.zeros((1, 2)), variances=np.ones((1, 2))),
        dict(X=np.zeros((1, 400)), means=np.zeros((2, 400)), variances=np.full((2, 400), 1e-4)),
    ]


@log_density.oracle
def _(X, means, variances):
    from scipy.stats import norm

    return np.stack([norm.logpdf(X, m, np.sqrt(v)).sum(axis=1) for m, v in zip(means, variances)], axis=1)


# -------------------------------------------------------------------------------------------------- the classifiers


@checkpoint("Gaussian naive Bayes learns what scikit-learn's learns, to 1e-10", atol=1e-10)
def gaussian(lib, X, y, var_smoothing):
    y = np.array(y)
    return learned(lib.classic.bayes.GaussianNB(var_smoothing=var_smoothing).fit(X, y), GAUSSIAN)


@gaussian.cases
def _(draw):
    k, p = draw.integer(2, 4), draw.integer(1, 3)
    n = draw.integer(2 * k, 12)
    X = draw.normal(n, p)
    if draw.boolean(0.3):
        X[:, -1] = np.round(X[:, -1])
    return dict(X=X, y=draw_classes(draw, n, k), var_smoothing=draw.choice([1e-9, 1e-2]))


@gaussian.edges
def _():
    X = np.array([[0.0, 5.0], [2.0, 5.0], [4.0, 5.0], [8.0, 5.0]])
    return [
        dict(X=X, y=np.array([0, 0, 1, 1]), var_smoothing=1e-9),
        dict(X=X, y=["no", "yes", "yes", "yes"], var_smoothing=1e-9),
        dict(X=np.vstack([X, X[:1] + 100.0]), y=np.array([0, 0, 1, 1, 2]), var_smoothing=1e-3),
        dict(X=np.full((3, 2), 5.0), y=np.array([0, 0, 1]), var_smoothing=1e-3),  # no feature varies
    ]


@gaussian.oracle
def _(X, y, var_smoothing):
    from sklearn.naive_bayes import GaussianNB

    model = learned(GaussianNB(var_smoothing=var_smoothing).fit(X, y), GAUSSIAN)
    if not np.ptp(X, axis=0).any():  # scikit-learn's variances stay 0
        model["epsilon_"] = var_smoothing
        model["var_"] = model["var_"] + var_smoothing
    return model | {"epsilon_": float(model["epsilon_"])}


@checkpoint("Its log probabilities and classes equal scikit-learn's, however far away the sample", atol=1e-8)
def gaussian_predictions(lib, X, y, X_new, priors):
    y = np.array(y)
    model = lib.classic.bayes.GaussianNB(priors=priors).fit(X, y)
    return {
        "joint": model.predict_joint_log_proba(X_new),
        "log probabilities": model.predict_log_proba(X_new),
        "probabilities": model.predict_proba(X_new),
        "classes": model.predict(X_new).tolist(),
    }


@gaussian_predictions.cases
def _(draw):
    k, p = draw.integer(2, 3), draw.integer(1, 3)
    n = draw.integer(3 * k, 12)
    priors = draw.choice([None, 1])
    raw = draw.uniform(0.1, 1.0, k)
    return dict(
        X=draw.normal(n, p),
        y=draw_classes(draw, n, k),
        X_new=draw.normal(3, p) * draw.choice([1.0, 20.0]),
        priors=None if priors is None else raw / raw.sum(),
    )


@gaussian_predictions.edges
def _():
    X, y = np.array([[0.0], [2.0], [4.0], [8.0], [9.0], [7.0]]), np.array([0, 0, 1, 1, 1, 1])
    return [
        dict(X=X, y=y, X_new=np.array([[3.0]]), priors=None),
        dict(X=X, y=y, X_new=np.array([[3.0]]), priors=np.array([0.5, 0.5])),
        dict(X=X, y=y, X_new=np.array([[1000.0], [-1000.0]]), priors=None),
    ]


@gaussian_predictions.oracle
def _(X, y, X_new, priors):
    from sklearn.naive_bayes import GaussianNB

    model = GaussianNB(priors=priors).fit(X, y)
    return {
        "joint": model.predict_joint_log_proba(X_new),
        "log probabilities": model.predict_log_proba(X_new),
        "probabilities": model.predict_proba(X_new),
        "classes": model.predict(X_new).tolist(),
    }


@checkpoint("Multinomial naive Bayes learns what scikit-learn's learns, to 1e-10", atol=1e-10)
def multinomial(lib, X, y, alpha, fit_prior):
    y = np.array(y)
    return learned(lib.classic.bayes.MultinomialNB(alpha=alpha, fit_prior=fit_prior).fit(X, y), MULTINOMIAL)


@multinomial.cases
def _(draw):
    k, p = draw.integer(2, 4), draw.integer(1, 5)
    n = draw.integer(2 * k, 12)
    return dict(
        X=draw.integers(0, 5, n, p),
        y=draw_classes(draw, n, k),
        alpha=draw.choice([1.0, 0.1, 3.0]),
        fit_prior=draw.boolean(0.7),
    )


@multinomial.edges
def _():
    X = np.array([[2, 0, 1], [1, 0, 0], [0, 3, 1], [0, 0, 0]])
    return [
        dict(X=X, y=np.array([0, 0, 1, 1]), alpha=1.0, fit_prior=True),
        dict(X=X, y=np.array([0, 1, 1, 1]), alpha=1.0, fit_prior=False),
        dict(X=X, y=["ham", "ham", "ham", "spam"], alpha=0.5, fit_prior=True),
    ]


@multinomial.oracle
def _(X, y, alpha, fit_prior):
    from sklearn.naive_bayes import MultinomialNB

    return learned(MultinomialNB(alpha=alpha, fit_prior=fit_prior).fit(X, y), MULTINOMIAL)


@checkpoint("A text of 10,000 words has probabilities that sum to one", atol=1e-8)
def long_texts(lib, X, y, X_new):
    y = np.array(y)
    model = lib.classic.bayes.MultinomialNB().fit(X, y)
    p = model.predict_proba(X_new)
    return {
        "log probabilities": model.predict_log_proba(X_new),
        "sums": p.sum(axis=1),
    }


@long_texts.cases
def _(draw):
    k, p = draw.integer(2, 3), draw.integer(2, 5)
    n = draw.integer(2 * k, 10)
    return dict(
        X=draw.integers(0, 5, n, p),
        y=draw_classes(draw, n, k),
        X_new=draw.integers(0, 5, 2, p) * draw.choice([1, 2000]),
    )


@long_texts.edges
def _():
    X, y = np.array([[2, 0, 1], [0, 3, 1]]), np.array([0, 1])
    return [dict(X=X, y=y, X_new=np.array([[1, 0, 0]])), dict(X=X, y=y, X_new=np.array([[5000, 5100, 0], [0, 0, 0]]))]


@long_texts.oracle
def _(X, y, X_new):
    from sklearn.naive_bayes import MultinomialNB

    model = MultinomialNB().fit(X, y)
    return {
        "log probabilities": model.predict_log_proba(X_new),
        "sums": np.ones(len(X_new)),
    }


@checkpoint("A sample of weight two counts as two samples", atol=1e-9, count=12)
def sample_weights(lib, X, y, weights):
    y = np.array(y)
    module = lib.classic.bayes
    return [
        learned(module.GaussianNB().fit(X, y, sample_weight=weights), ("class_prior_", "theta_", "class_count_")),
        learned(module.MultinomialNB().fit(X, y, sample_weight=weights), MULTINOMIAL),
    ]


@sample_weights.cases
def _(draw):
    k = draw.integer(2, 3)
    n = draw.integer(2 * k, 8)
    return dict(X=draw.integers(0, 5, n, 2), y=draw_classes(draw, n, k), weights=draw.integers(1, 3, n))


@sample_weights.oracle
def _(X, y, weights):
    from sklearn.naive_bayes import GaussianNB, MultinomialNB

    X, y = np.repeat(X, weights, axis=0), np.repeat(y, weights)
    names = "class_prior_", "theta_", "class_count_"
    return [learned(GaussianNB().fit(X, y), names), learned(MultinomialNB().fit(X, y), MULTINOMIAL)]


# ---------------------------------------------------------------------------------------------- a penalty as a prior


@checkpoint("The log posterior is that of the data plus that of the prior", atol=1e-9)
def log_posterior(lib, X, y, w, b, noise, spread):
    posterior = lib.classic.bayes.log_posterior
    return posterior(X, y, w, b, noise, spread) - posterior(
        X, y, 0 * w, 0.0, noise, spread
    )  # what is constant drops out


@log_posterior.cases
def _(draw):
    n, p = draw.integer(1, 6), draw.integer(1, 3)
    return dict(
        X=draw.normal(n, p),
        y=draw.normal(n),
        w=draw.normal(p),
        b=draw.uniform(-2.0, 2.0),
        noise=draw.choice([1.0, 0.5, 2.0]),
        spread=draw.choice([1.0, 0.5, 2.0]),
    )


@log_posterior.edges
def _():
    return [dict(X=np.array([[1.0], [2.0]]), y=np.array([1.0, 0.0]), w=np.array([2.0]), b=0.0, noise=1.0, spread=1.0)]


@log_posterior.oracle
def _(X, y, w, b, noise, spread):
    from scipy.stats import norm

    def whole(w, b):
        return norm.logpdf(y, X @ w + b, noise).sum() + norm.logpdf(w, 0.0, spread).sum()

    return float(whole(w, b) - whole(0 * w, 0.0))


@checkpoint("The most probable weights under a normal prior are ridge's", atol=1e-7)
def map_weights(lib, X, y, noise, spread):
    w, b = lib.classic.bayes.map_weights(X, y, noise, spread)
    return {"w": w, "b": b}


@map_weights.cases
def _(draw):
    n, p = draw.integer(1, 8), draw.integer(1, 4)
    return dict(
        X=draw.normal(n, p) + draw.choice([0.0, 3.0]),
        y=draw.normal(n) + 10.0,
        noise=draw.choice([1.0, 0.5, 2.0]),
        spread=draw.choice([1.0, 0.2, 3.0]),
    )


@map_weights.edges
def _():
    X, y = np.array([[1.0], [2.0], [3.0]]), np.array([2.0, 3.0, 7.0])
    return [dict(X=X, y=y, noise=1.0, spread=1.0), dict(X=X, y=y, noise=2.0, spread=1.0)]


@map_weights.oracle
def _(X, y, noise, spread):
    from sklearn.linear_model import Ridge

    model = Ridge(alpha=noise**2 / spread**2, solver="svd").fit(X, y)
    return {"w": model.coef_, "b": float(model.intercept_)}


# ---------------------------------------------------------------------------------------------------------- further


@checkpoint("Learning in batches ends where learning at once does", atol=1e-9, stretch=True, count=12)
def batches(lib, X, y, cut):
    y = np.array(y)
    answers = []
    for kind, names in ((lib.classic.bayes.GaussianNB, GAUSSIAN), (lib.classic.bayes.MultinomialNB, MULTINOMIAL)):
        model = kind().partial_fit(X[:cut], y[:cut], classes=np.unique(y))
        answers.append(learned(model.partial_fit(X[cut:], y[cut:]), names))
    return answers


@batches.cases
def _(draw):
    n = draw.integer(6, 12)
    return dict(X=1.0 * draw.integers(0, 9, n, 2), y=draw_classes(draw, n, 3), cut=draw.integer(1, n - 1))


@batches.oracle
def _(X, y, cut):
    from sklearn.naive_bayes import GaussianNB, MultinomialNB

    gaussian = learned(GaussianNB().fit(X, y), GAUSSIAN)
    return [gaussian | {"epsilon_": float(gaussian["epsilon_"])}, learned(MultinomialNB().fit(X, y), MULTINOMIAL)]


@checkpoint("What cannot be is refused with a ValueError", stretch=True, count=0)
def refused(lib, kind, options, X):
    try:
        getattr(lib.classic.bayes, kind)(**options).fit(X, np.array([0, 1, 1]))
    except ValueError:
        return "ValueError"
    return "no error"


@refused.edges
def _():
    X = np.array([[1.0, 0.0], [2.0, 1.0], [0.0, 4.0]])
    return [
        dict(kind="MultinomialNB", options={}, X=-X),
        dict(kind="MultinomialNB", options={"alpha": 0.0}, X=X),
        dict(kind="GaussianNB", options={"priors": [0.5, 0.4]}, X=X),
        dict(kind="GaussianNB", options={"priors": [0.5, 0.25, 0.25]}, X=X),
        dict(kind="GaussianNB", options={}, X=np.where(X == 4, np.nan, X)),
    ]


@refused.oracle
def _(kind, options, X):
    return "ValueError"
