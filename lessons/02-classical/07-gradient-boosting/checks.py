"""What is asked of lesson 2.7: derivatives, steps, bins and splits that are exact, and boosters that equal scikit-learn's."""

import numpy as np

from groundup.course import checkpoint


def data(seed, n, p):
    """Features that a float32 holds, since scikit-learn's trees round theirs to it, and a target that depends on them."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)).astype(np.float32).astype(np.float64)
    return X, np.sin(2 * X[:, 0]) + X[:, -1] * (X[:, 0] > 0) + 0.3 * rng.standard_normal(n)


def unique(seed, make, fit):
    """X, y for which no two splits gain the same: make(seed) gives them, fit(X, y, weights) a model's predictions.

    Weights a little above and a little below 1 push a tie to one side and to the other. If the model stays, there was none.
    """
    for turn in range(20):
        X, y = make(seed + turn)
        push = 1e-5 * np.random.default_rng(turn).standard_normal(len(y))
        if np.allclose(fit(X, y, 1 + push), fit(X, y, 1 - push), atol=1e-3):
            break
    return dict(X=X, y=y)


def labelled(n, p, K):
    """A `make` for K classes of about the same size."""

    def make(seed):
        X, y = data(seed, n, p)
        return X, np.digitize(y, np.quantile(y, np.linspace(0, 1, K + 1)[1:-1]))

    return make


def with_gaps(X, share, seed):
    """Some values are missing, and the smallest ones more often."""
    rng = np.random.default_rng(seed)
    return np.where(rng.random(X.shape) < share * (1 + (X < 0)), np.nan, X)


def strict():
    """Floating-point warnings become errors; an underflow to 0 is what is wanted, and stays silent."""
    return np.errstate(over="raise", divide="raise", invalid="raise")


def look(loss, y, raw):
    """All that one can ask a loss; AbsoluteError has no hessian."""
    with strict():
        found = {"start": loss.start(y), "loss": loss.loss(y, raw), "gradient": loss.gradient(y, raw)}
        if hasattr(loss, "hessian"):
            found["hessian"] = loss.hessian(y, raw)
        if hasattr(loss, "probabilities"):
            found["probabilities"] = loss.probabilities(raw)
    return found


# ---------------------------------------------------------------------------------------- losses and their derivatives


@checkpoint("Squared and absolute error: start, loss and derivatives with respect to the raw predictions", atol=1e-12)
def regression_losses(lib, name, y, raw):
    return look(getattr(lib.classic.losses, name)(), y, raw)


@regression_losses.cases
def _(draw):
    n = draw.integer(1, 6)
    return dict(name=draw.choice(["SquaredError", "AbsoluteError"]), y=draw.normal(n), raw=draw.normal(n))


@regression_losses.edges
def _():
    y = np.array([1.0, 2.0, 6.0])
    return [dict(name=name, y=y, raw=np.array([0.0, 2.0, 7.0])) for name in ("SquaredError", "AbsoluteError")]


@regression_losses.oracle
def _(name, y, raw):
    if name == "AbsoluteError":
        gradient = np.array([1.0 if error > 0 else -1.0 for error in raw - y])
        return {"start": float(np.median(y)), "loss": float(np.mean(abs(y - raw))), "gradient": gradient}
    loss = float(np.mean((y - raw) ** 2) / 2)
    return {"start": float(np.mean(y)), "loss": loss, "gradient": raw - y, "hessian": np.ones(len(y))}


@checkpoint("Binary log loss equals scikit-learn's, at log-odds of 10,000 too", atol=1e-12)
def binary_log_loss(lib, y, raw):
    return look(lib.classic.losses.BinaryLogLoss(), y, raw)


@binary_log_loss.cases
def _(draw):
    n = draw.integer(2, 6)
    y = draw.integers(0, 1, n)
    y[:2] = [0, 1]  # the start is finite
    return dict(y=y, raw=draw.normal(n) * draw.choice([1.0, 1.0, 3e3]))


@binary_log_loss.edges
def _():
    return [dict(y=np.array([0, 1, 1]), raw=np.array([0.0, 2.0, -1.0])), dict(y=np.array([0, 1]), raw=np.full(2, 1e4))]


@binary_log_loss.oracle
def _(y, raw):
    from scipy.special import expit, log_expit, logit

    p = expit(raw)
    return {
        "start": float(logit(np.mean(y))),
        "loss": float(-np.mean(np.where(y == 1, log_expit(raw), log_expit(-raw)))),
        "gradient": p - y,
        "hessian": p * (1 - p),
        "probabilities": np.column_stack([expit(-raw), p]),
    }


@checkpoint("Multinomial log loss equals scikit-learn's, at raw predictions of 10,000 too", atol=1e-12)
def multinomial_log_loss(lib, y, raw):
    return look(lib.classic.losses.MultinomialLogLoss(raw.shape[1]), y, raw)


@multinomial_log_loss.cases
def _(draw):
    K = draw.integer(3, 4)
    n = draw.integer(K, 7)
    y = np.concatenate([np.arange(K), draw.integers(0, K - 1, n - K)])
    return dict(y=y, raw=draw.normal(n, K) * draw.choice([1.0, 1.0, 3e3]))


@multinomial_log_loss.edges
def _():
    return [dict(y=np.array([0, 1, 2, 2]), raw=np.array([[0.0, 0, 0], [1, 2, 0], [0, 0, 3], [-1, 1, 0]]))]


@multinomial_log_loss.oracle
def _(y, raw):
    from scipy.special import log_softmax, softmax

    p, own = softmax(raw, axis=1), y[:, None] == np.arange(raw.shape[1])
    share = np.log(own.mean(axis=0))
    return {
        "start": share - share.mean(),
        "loss": float(-np.mean(log_softmax(raw, axis=1)[own])),
        "gradient": p - own,
        "hessian": p * (1 - p),
        "probabilities": p,
    }


@checkpoint("The steps of leaves: minus G over H, and for absolute error the median", atol=1e-12)
def steps(lib, leaves, gradient, hessian):
    boosting = lib.classic.boosting
    with strict():
        return {
            "newton": boosting.newton_steps(leaves, gradient, hessian, 5),
            "median": boosting.median_steps(leaves, gradient, 5),
        }


@steps.cases
def _(draw):
    n = draw.integer(1, 9)
    return dict(leaves=draw.integers(0, 4, n), gradient=draw.normal(n), hessian=draw.uniform(0.05, 1.0, n))


@steps.edges
def _():
    g = np.array([1.0, 2.0, -6.0])
    return [
        dict(leaves=np.array([1, 1, 3]), gradient=g, hessian=np.array([0.25, 0.25, 2.0])),
        dict(leaves=np.array([1, 1, 3]), gradient=g, hessian=np.zeros(3)),
    ]


@steps.oracle
def _(leaves, gradient, hessian):
    newton, median = np.zeros(5), np.zeros(5)
    for leaf in set(leaves.tolist()):
        here = leaves == leaf
        newton[leaf] = -gradient[here].sum() / hessian[here].sum() if hessian[here].sum() > 0 else 0.0
        median[leaf] = np.median(gradient[here])
    return {"newton": newton, "median": median}


# ------------------------------------------------------------------------------------------- boosting of first order


@checkpoint("GradientBoostingRegressor predicts what scikit-learn's does, round by round", atol=1e-6, count=8)
def regressor(lib, X, y, options):
    model = lib.classic.boosting.GradientBoostingRegressor(**options).fit(X, y)
    return {"predict": model.predict(X), "staged": np.array(list(model.staged_predict(X)))}


def their_regressor(X, y, w=None, **options):
    from sklearn.ensemble import GradientBoostingRegressor

    return GradientBoostingRegressor(random_state=0, **options).fit(X, y, w)


@regressor.cases
def _(draw):
    n, p, shift = draw.integer(8, 40), draw.integer(1, 3), draw.choice([0.0, 100.0])
    options = dict(n_estimators=draw.integer(1, 5), learning_rate=draw.choice([0.5, 0.1]), max_depth=draw.integer(1, 3))

    def make(seed):
        X, y = data(seed, n, p)
        return X, 10 * y + shift

    case = unique(draw.seed(), make, lambda X, y, w: their_regressor(X, y, w, **options).predict(X))
    return dict(case, options=options)


@regressor.edges
def _():
    X, y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([1.0, 2.0, 6.0, 11.0])
    return [
        dict(X=X, y=y, options=dict(n_estimators=1, learning_rate=0.5, max_depth=1)),
        dict(X=X, y=y, options=dict(n_estimators=3, learning_rate=0.5, max_depth=1)),
        dict(X=np.ones((3, 2)), y=np.array([1.0, 2.0, 6.0]), options=dict(n_estimators=2)),
    ]


@regressor.oracle
def _(X, y, options):
    model = their_regressor(X, y, **options)
    return {"predict": model.predict(X), "staged": np.array(list(model.staged_predict(X)))}


def their_classifier(X, y, w=None, **options):
    from sklearn.ensemble import GradientBoostingClassifier

    return GradientBoostingClassifier(random_state=0, **options).fit(X, y, w)


def unique_classes(seed, n, K, kind, options):
    """`unique` for a classifier."""
    return unique(seed, labelled(n, 2, K), lambda X, y, w: kind(X, y, w, **options).decision_function(X))


def clear_classes(model, X):
    """The classes predicted, and -1 where the two likeliest are equally likely: there rounding decides.

    Leaves with as many samples of one class as of the other leave log-odds of 0 at 0.
    """
    proba = np.sort(model.predict_proba(X), axis=1)
    return np.where(proba[:, -1] - proba[:, -2] < 1e-9, -1, model.predict(X))


@checkpoint(
    "GradientBoostingClassifier gives scikit-learn's log-odds, with Newton's step in the leaves", atol=1e-6, count=5
)
def binary_classifier(lib, X, y, options):
    model = lib.classic.boosting.GradientBoostingClassifier(**options).fit(X, y)
    return {"raw": model.decision_function(X), "proba": model.predict_proba(X), "classes": clear_classes(model, X)}


@binary_classifier.cases
def _(draw):
    options = dict(n_estimators=draw.integer(1, 4), learning_rate=draw.choice([0.5, 0.1]), max_depth=draw.integer(1, 2))
    return dict(unique_classes(draw.seed(), draw.integer(20, 40), 2, their_classifier, options), options=options)


@binary_classifier.edges
def _():
    X = np.array([[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]])
    return [dict(X=X, y=np.array([0, 0, 0, 1, 0, 1]), options=dict(n_estimators=2, learning_rate=0.5, max_depth=1))]


@binary_classifier.oracle
def _(X, y, options):
    model = their_classifier(X, y, **options)
    return {"raw": model.decision_function(X), "proba": model.predict_proba(X), "classes": clear_classes(model, X)}


@checkpoint("With three classes it gives scikit-learn's raw predictions and probabilities", atol=1e-6, count=4)
def three_classes(lib, X, y, options):
    model = lib.classic.boosting.GradientBoostingClassifier(**options).fit(X, y)
    return {"raw": model.decision_function(X), "proba": model.predict_proba(X), "classes": clear_classes(model, X)}


@three_classes.cases
def _(draw):
    options = dict(n_estimators=draw.integer(1, 3), learning_rate=0.5, max_depth=draw.integer(1, 2))
    return dict(unique_classes(draw.seed(), draw.integer(30, 50), 3, their_classifier, options), options=options)


@three_classes.oracle
def _(X, y, options):
    model = their_classifier(X, y, **options)
    return {"raw": model.decision_function(X), "proba": model.predict_proba(X), "classes": clear_classes(model, X)}


@checkpoint(
    "Sample weights count as repeated samples do, in the start, the splits and the steps",
    atol=1e-6,
    count=4,
    stretch=True,
)
def weighted(lib, X, y, w):
    model = lib.classic.boosting.GradientBoostingRegressor(n_estimators=3).fit(X, y, w)
    return model.predict(X)


@weighted.cases
def _(draw):
    X, y = data(draw.seed(), draw.integer(12, 30), 2)
    return dict(X=X, y=y, w=1.0 + draw.integers(0, 2, len(y)))


@weighted.oracle
def _(X, y, w):
    return their_regressor(X, y, w, n_estimators=3).predict(X)


# ----------------------------------------------------------------------------------------------- bins and histograms


@checkpoint("Edges are midpoints or quantiles, and a value on an edge is in the bin below", atol=1e-12, count=25)
def bins(lib, X, max_bins):
    histogram = lib.classic.histogram
    edges = [histogram.bin_edges(x, max_bins) for x in X.T]
    codes = histogram.bin_codes(X, edges)
    return {"edges": [np.asarray(cuts) for cuts in edges], "codes": np.asarray(codes).astype(np.int64)}


@bins.cases
def _(draw):
    n, p = draw.integer(2, 12), draw.integer(1, 2)
    X = draw.normal(n, p) if draw.boolean() else draw.integers(0, 4, n, p).astype(np.float64)
    if draw.boolean():
        X[draw.uniform(0, 1, n, p) < 0.2] = np.nan
    return dict(X=X, max_bins=draw.choice([255, 2, 3, 4]))


@bins.edges
def _():
    return [
        dict(X=np.array([[1.0], [2.0], [5.0]]), max_bins=255),
        dict(X=np.array([[1.0], [2.0], [5.0], [6.0]]), max_bins=2),
        dict(X=np.array([[1.0], [2.0], [3.0], [4.0], [9.0]]), max_bins=2),  # the edge is a value
        dict(X=np.array([[1.0, 3.0], [np.nan, 3.0], [2.0, 3.0]]), max_bins=255),
        dict(X=np.full((2, 1), np.nan), max_bins=255),
    ]


@bins.oracle
def _(X, max_bins):
    from fractions import Fraction

    edges = []
    for x in X.T:
        x = sorted(float(v) for v in x if v == v)
        distinct = np.array(sorted(set(x)))
        if len(distinct) <= max_bins:
            cuts = ((distinct[1:] + distinct[:-1]) / 2).tolist()
        else:
            cuts = []
            for k in range(1, max_bins):
                place = Fraction(k * len(x), max_bins)
                here = int(place)
                cuts.append((x[here - 1] + x[here]) / 2 if place == here else x[here])
        edges.append(np.array(sorted(set(cuts))))
    most = max(len(cuts) for cuts in edges)
    codes = [[most + 1 if v != v else sum(v > cut for cut in cuts) for v, cuts in zip(row, edges)] for row in X]
    return {"edges": edges, "codes": np.array(codes)}


def draw_sums(draw):
    """Codes and derivatives of a small node; the last bin is NaN's."""
    n, p, n_bins = draw.integer(2, 16), draw.integer(1, 3), draw.integer(3, 6)
    codes = draw.integers(0, n_bins - 1 - draw.integer(0, 1), n, p)
    return dict(codes=codes, gradient=draw.normal(n), hessian=draw.uniform(0.1, 1.0, n), n_bins=n_bins)


@checkpoint("A histogram holds the sums of gradients and hessians, and the counts", atol=1e-12)
def histogram(lib, codes, gradient, hessian, n_bins):
    return lib.classic.newton_tree.histogram(codes, gradient, hessian, n_bins)


@histogram.cases
def _(draw):
    return draw_sums(draw)


@histogram.oracle
def _(codes, gradient, hessian, n_bins):
    return count(codes, gradient, hessian, n_bins)


def count(codes, gradient, hessian, n_bins):
    """The histogram, sample by sample."""
    sums = np.zeros((3, codes.shape[1], n_bins))
    for row, g, h in zip(codes, gradient, hessian):
        for j, b in enumerate(row):
            sums[:, j, b] += [g, h, 1.0]
    return sums


# ------------------------------------------------------------------------------------------- trees of second order


@checkpoint("A leaf's step is -G / (H + lambda), and a split's gain is what two such steps save", atol=1e-12)
def second_order(lib, G, H, l2, gamma):
    tree = lib.classic.newton_tree
    with strict():
        return {"weight": tree.leaf_weight(G, H, l2), "gain": tree.split_gain(G[0], H[0], G[1], H[1], l2, gamma)}


@second_order.cases
def _(draw):
    return dict(
        G=draw.normal(2) * 3,
        H=draw.uniform(0.1, 4.0, 2),
        l2=draw.choice([0.0, 1.0, 0.3]),
        gamma=draw.choice([0.0, 0.5]),
    )


@second_order.edges
def _():
    return [dict(G=np.array([-6.0, 2.0]), H=np.array([3.0, 1.0]), l2=l2, gamma=0.0) for l2 in (0.0, 1.0)]


@second_order.oracle
def _(G, H, l2, gamma):
    def least(G, H):  # the parabola's vertex, from its values at -1, 0 and 1
        low, high = -G + (H + l2) / 2, G + (H + l2) / 2
        w = (low - high) / (2 * (low + high))
        return w, G * w + (H + l2) * w * w / 2

    gain = least(G.sum(), H.sum())[1] - least(G[0], H[0])[1] - least(G[1], H[1])[1] - gamma
    return {"weight": np.array([least(G[i], H[i])[0] for i in (0, 1)]), "gain": float(gain)}


@checkpoint("A leaf whose H + lambda is 0 does not move", count=0)
def no_curvature(lib, G, H):
    with strict():
        return np.asarray(lib.classic.newton_tree.leaf_weight(G, H, 0.0))


@no_curvature.edges
def _():
    return [dict(G=np.array([1.0, 2.0]), H=np.array([0.0, 4.0]))]


@no_curvature.oracle
def _(G, H):
    return np.array([0.0, -0.5])


def gain_of(left, right, l2, gamma):
    """From the two sums (3,)."""

    def saved(s):
        return s[0] ** 2 / (s[1] + l2)

    return (saved(left) + saved(right) - saved(left + right)) / 2 - gamma


def search(sums, l2, gamma, least):
    """The best split, one candidate after the other in the order in which ties are decided; None if none counts."""
    best = None
    for j in range(sums.shape[1]):
        total, nan = sums[:, j].sum(axis=1), sums[:, j, -1]
        for missing_left in (False, True) if nan[2] else (False,):
            for b in range(sums.shape[2] - 1):
                left = sums[:, j, : b + 1].sum(axis=1) + missing_left * nan
                right = total - left
                if min(left[2], right[2]) < least or min(left[1], right[1]) < 1e-3:
                    continue
                gain = gain_of(left, right, l2, gamma)
                if gain > 1e-12 and (best is None or gain > best[0] * (1 + 1e-12)):
                    side = missing_left if nan[2] else bool(left[2] > right[2])
                    best = float(gain), j, b, side
    return best


def without_ties(codes, n_bins):
    """The first columns of codes (n, p), as many as there are before one divides the samples as another does.

    Splits that divide alike gain the same but for rounding. Each column has a sample in bin 0: else NaN on either side of an
    empty bin divides alike too.
    """
    codes, seen = codes.copy(), set()
    codes[0] = 0
    for j, column in enumerate(codes.T):
        ways = {tuple((column <= b) | (side & (column == n_bins - 1))) for b in range(n_bins) for side in (False, True)}
        ways = {max(way, tuple(not side for side in way)) for way in ways if any(way) and not all(way)}
        if ways & seen:
            return codes[:, :j]
        seen |= ways
    return codes


@checkpoint("The best split is the best of all, with lambda, gamma, both sides for NaN, and ties by rule", atol=1e-9)
def best_split(lib, codes, gradient, hessian, n_bins, l2, gamma, least):
    tree = lib.classic.newton_tree
    sums = np.zeros((3, codes.shape[1], n_bins))
    for j in range(codes.shape[1]):
        for i, each in enumerate((gradient, hessian, np.ones(len(codes)))):
            sums[i, j] = np.bincount(codes[:, j], each, minlength=n_bins)
    split = tree.best_split(sums, l2_regularization=l2, gamma=gamma, min_samples_leaf=least)
    return "none" if split is None else [float(split[0]), int(split[1]), int(split[2]), bool(split[3])]


@best_split.cases
def _(draw):
    case = draw_sums(draw)
    case["codes"] = without_ties(case["codes"], case["n_bins"])
    return dict(case, l2=draw.choice([0.0, 1.0]), gamma=draw.choice([0.0, 0.0, 0.2]), least=draw.integer(1, 3))


@best_split.edges
def _():
    plain = dict(l2=0.0, gamma=0.0, least=1, n_bins=5)
    codes = np.array([[0], [0], [1], [3]])
    g, h = np.array([-1.0, -1.0, -1.0, 5.0]), np.ones(4)
    nan = np.array([[0], [1], [2], [4], [4]])
    return [
        dict(plain, codes=codes, gradient=g, hessian=h),  # bin 2 is empty: the first of equal splits
        dict(plain, codes=np.zeros((4, 1), dtype=np.int64), gradient=g, hessian=h),
        dict(plain, codes=codes, gradient=np.ones(4), hessian=h),  # nothing to gain
        dict(plain, codes=codes, gradient=g, hessian=np.full(4, 1e-4)),  # too little curvature
        dict(plain, codes=nan, gradient=np.array([-3.0, -3.0, 4.0, 4.0, 4.0]), hessian=np.ones(5)),
        dict(plain, codes=nan, gradient=np.array([-3.0, 4.0, 4.0, -3.0, -3.0]), hessian=np.ones(5)),
        dict(plain, codes=nan, gradient=np.array([1.0, 1.0, 1.0, -5.0, -5.0]), hessian=np.ones(5)),
    ]


@best_split.oracle
def _(codes, gradient, hessian, n_bins, l2, gamma, least):
    found = search(count(codes, gradient, hessian, n_bins), l2, gamma, least)
    return "none" if found is None else list(found)


def grow(codes, gradient, hessian, n_bins, l2, gamma, least, leaves, depth):
    """The step of each sample's leaf, by growing best first with every histogram counted anew."""
    step = np.zeros(len(codes))
    frontier = []  # (gain, rows, split, depth)

    def add(rows, level):
        step[rows] = -gradient[rows].sum() / (hessian[rows].sum() + l2)
        found = search(count(codes[rows], gradient[rows], hessian[rows], n_bins), l2, gamma, least)
        if found is not None and level != depth:
            frontier.append((found[0], rows, found, level))

    add(np.arange(len(codes)), 0)
    for _ in range(leaves - 1):
        if not frontier:
            break
        which = max(range(len(frontier)), key=lambda i: frontier[i][0])
        _, rows, (_, j, b, missing_left), level = frontier.pop(which)
        column = codes[rows, j]
        left = (column <= b) | (missing_left & (column == n_bins - 1))
        add(rows[left], level + 1)
        add(rows[~left], level + 1)
    return step


@checkpoint("A tree grows best first, and its leaves hold the steps of second order", atol=1e-5, count=12)
def tree(lib, codes, gradient, hessian, n_bins, l2, gamma, least, leaves, depth):
    tree = lib.classic.newton_tree.HistTree(
        max_leaf_nodes=leaves, max_depth=depth, min_samples_leaf=least, l2_regularization=l2, gamma=gamma
    ).fit(codes, gradient, hessian, n_bins)
    return tree.predict(codes)


@tree.cases
def _(draw):
    rng = np.random.default_rng(draw.seed())
    n, p, n_bins = draw.integer(6, 40), draw.integer(1, 3), draw.integer(4, 12)
    codes = rng.integers(0, n_bins - draw.integer(0, 1), (n, p))
    constant = draw.boolean()
    return dict(
        codes=codes,
        gradient=rng.standard_normal(n),
        hessian=np.ones(n) if constant else rng.uniform(0.1, 1.0, n),
        n_bins=n_bins,
        l2=draw.choice([0.0, 1.0]),
        gamma=draw.choice([0.0, 0.3]),
        least=draw.integer(1, 3),
        leaves=draw.integer(2, 8),
        depth=draw.choice([None, 1, 2, 3]),
    )


@tree.oracle
def _(codes, gradient, hessian, n_bins, l2, gamma, least, leaves, depth):
    return grow(codes, gradient, hessian, n_bins, l2, gamma, least, leaves, depth)


# ---------------------------------------------------------------------------------------------- histogram boosting


@checkpoint(
    "HistGradientBoostingRegressor predicts what scikit-learn's does, NaN included", atol=1e-5, count=6, seconds=6.0
)
def hist_regressor(lib, X, y, options):
    return lib.classic.histogram.HistGradientBoostingRegressor(**options).fit(X, y).predict(X)


def draw_options(draw):
    return dict(
        max_iter=draw.integer(1, 5),
        learning_rate=draw.choice([0.5, 0.1]),
        min_samples_leaf=draw.integer(2, 10),
        max_leaf_nodes=draw.choice([4, 8, 31]),
        l2_regularization=draw.choice([0.0, 1.0]),
        max_bins=draw.choice([255, 4, 16]),
    )


@hist_regressor.cases
def _(draw):
    seed = draw.seed()
    X, y = data(seed, draw.integer(30, 120), draw.integer(1, 3))
    if draw.boolean():
        X = with_gaps(X, 0.15, seed)
    return dict(X=X, y=y, options=draw_options(draw))


@hist_regressor.oracle
def _(X, y, options):
    from sklearn.ensemble import HistGradientBoostingRegressor

    return HistGradientBoostingRegressor(**options).fit(X, y).predict(X)


def their_hist(X, y, w=None, **options):
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(**options).fit(X, y, w)


@checkpoint(
    "HistGradientBoostingClassifier gives scikit-learn's probabilities, for two classes and for three",
    atol=1e-5,
    count=5,
    seconds=6.0,
)
def hist_classifier(lib, X, y, options):
    model = lib.classic.histogram.HistGradientBoostingClassifier(**options).fit(X, y)
    return {"raw": model.decision_function(X), "proba": model.predict_proba(X), "classes": clear_classes(model, X)}


@hist_classifier.cases
def _(draw):
    options = dict(draw_options(draw), max_iter=draw.integer(1, 3), max_leaf_nodes=4, max_bins=255)
    n, K = draw.integer(60, 120), draw.choice([2, 3])
    return dict(unique_classes(draw.seed(), n, K, their_hist, options), options=options)


@hist_classifier.oracle
def _(X, y, options):
    model = their_hist(X, y, **options)
    return {"raw": model.decision_function(X), "proba": model.predict_proba(X), "classes": clear_classes(model, X)}


@checkpoint("A rule that looks back n rounds says when to stop", count=25)
def stop_rule(lib, losses, n_iter_no_change, tol):
    return bool(lib.classic.histogram.should_stop(losses, n_iter_no_change, tol))


@stop_rule.cases
def _(draw):
    return dict(
        losses=[float(v) for v in draw.integers(0, 4, draw.integer(1, 6))],
        n_iter_no_change=draw.integer(1, 3),
        tol=draw.choice([0.0, 0.5]),
    )


@stop_rule.edges
def _():
    return [
        dict(losses=[3.0, 3.0], n_iter_no_change=2, tol=0.0),
        dict(losses=[3.0, 3.0, 3.0], n_iter_no_change=2, tol=0.0),
        dict(losses=[3.0, 2.0, 2.5], n_iter_no_change=2, tol=0.0),
        dict(losses=[1.0, 3.0, 2.0, 2.5], n_iter_no_change=2, tol=0.0),
    ]


@stop_rule.oracle
def _(losses, n_iter_no_change, tol):
    if len(losses) < n_iter_no_change + 1:
        return False
    before = losses[len(losses) - n_iter_no_change - 1]
    return not any(loss < before - tol for loss in losses[len(losses) - n_iter_no_change :])


@checkpoint("Early stopping ends a fit to noise, by the loss of samples that no tree has seen", count=2)
def early_stopping(lib, X, y):
    model = lib.classic.histogram.HistGradientBoostingRegressor(
        early_stopping=True, max_iter=60, n_iter_no_change=3, min_samples_leaf=2, max_leaf_nodes=6, random_state=0
    ).fit(X, y)
    return {"n_iter": int(model.n_iter_), "train": model.train_score_, "validation": model.validation_score_}


@early_stopping.cases
def _(draw):
    rng = np.random.default_rng(draw.seed())
    return dict(X=rng.standard_normal((60, 2)), y=rng.standard_normal(60))


@early_stopping.accepts
def _(got, X, y):
    n, train, validation = got["n_iter"], np.asarray(got["train"]), np.asarray(got["validation"])
    if n >= 60:
        return "60 rounds on a target that is noise, and no stop: which samples is the loss taken from?"
    if not train.shape == validation.shape == (n + 1,):
        return f"{n} rounds, and scores of the shapes {train.shape} and {validation.shape}: one at the start, one after each"
    stops = [k for k in range(3, n + 1) if -validation[k - 2 : k + 1].max() >= -validation[k - 3] - 1e-7]
    if stops[:1] != [n]:
        return f"stopped after {n} rounds, and by the validation scores the rule says {stops[:1]}"
    if not np.all(np.diff(train) > 0):
        return "the training scores are minus the training losses, which fall with each round"
    return True


@checkpoint(
    "Within 0.005 AUC of scikit-learn's HistGradientBoostingClassifier on labels not seen", count=1, seconds=10.0
)
def reach(lib, X, y, X_new):
    model = lib.classic.histogram.HistGradientBoostingClassifier(max_iter=25, max_leaf_nodes=16).fit(X, y)
    return model.predict_proba(X_new)[:, 1]


@reach.cases
def _(draw):
    X, y = data(draw.seed(), 2400, 4)
    y = (y + 0.5 * np.random.default_rng(1).standard_normal(2400) > 0).astype(np.int64)
    return dict(X=X[:900], y=y[:900], X_new=X[900:], _y_new=y[900:])


@reach.accepts
def _(got, X, y, X_new, y_new):
    from sklearn.metrics import roc_auc_score

    theirs = their_hist(X, y, max_iter=25, max_leaf_nodes=16).predict_proba(X_new)[:, 1]
    ours, theirs = roc_auc_score(y_new, got), roc_auc_score(y_new, theirs)
    return bool(ours >= theirs - 0.005) or f"AUC {ours:.4f}, scikit-learn's {theirs:.4f}"


# --------------------------------------------------------------------------------------------------- further features


@checkpoint("A monotonic constraint holds everywhere, and costs no more than scikit-learn's", stretch=True, count=2)
def monotonic(lib, X, y, sign, lines):
    model = lib.classic.histogram.HistGradientBoostingRegressor(
        max_iter=5, min_samples_leaf=3, monotonic_cst=[sign, 0]
    ).fit(X, y)
    return {"train": model.predict(X), "lines": model.predict(lines)}


@monotonic.cases
def _(draw):
    X, y = data(draw.seed(), 80, 2)
    lines = np.column_stack([np.tile(np.linspace(-3, 3, 40), 5), np.repeat(np.linspace(-2, 2, 5), 40)])
    return dict(X=X, y=y, sign=draw.choice([1, -1]), lines=lines)


@monotonic.accepts
def _(got, X, y, sign, lines):
    from sklearn.ensemble import HistGradientBoostingRegressor

    if np.min(sign * np.diff(got["lines"].reshape(5, 40), axis=1)) < -1e-12:
        return "the prediction turns back along a line on which it may only go one way"
    theirs = HistGradientBoostingRegressor(max_iter=5, min_samples_leaf=3, monotonic_cst=[sign, 0]).fit(X, y).predict(X)
    ours, theirs = np.mean((got["train"] - y) ** 2), np.mean((theirs - y) ** 2)
    return bool(ours <= 1.1 * theirs + 1e-12) or f"training error {ours:.4f}, scikit-learn's {theirs:.4f}"


@checkpoint("Rows and columns are drawn anew, the same for the same random_state", stretch=True, count=1)
def subsampling(lib, X, y, seed):
    kinds = [lib.classic.boosting.GradientBoostingRegressor, lib.classic.histogram.HistGradientBoostingRegressor]
    found = []
    for kind in kinds:
        rounds = (
            {"n_estimators": 4} if kind is kinds[0] else {"max_iter": 4, "max_features": 0.5, "min_samples_leaf": 2}
        )
        seeds = (seed, seed, seed + 1)
        found.append([kind(subsample=0.5, random_state=s, **rounds).fit(X, y).predict(X) for s in seeds])
    return np.array(found)


@subsampling.cases
def _(draw):
    seed = draw.seed()
    X, y = data(seed, 60, 4)
    return dict(X=X, y=y, seed=seed % 1000)


@subsampling.accepts
def _(got, X, y, seed):
    if not np.array_equal(got[:, 0], got[:, 1]):
        return "the same random_state gave two models"
    if np.any(np.abs(got[:, 0] - got[:, 2]).max(axis=1) < 1e-9):
        return "another random_state gave the same model: nothing is drawn"
    fit = 1 - np.mean((got[:, 0] - y) ** 2, axis=1) / np.var(y)
    return bool(np.all(fit > 0.1)) or "the model does not fit the data it was grown on"


@checkpoint("What cannot be fitted is refused with a ValueError", stretch=True, count=0)
def refused(lib, options, y):
    try:
        lib.classic.histogram.HistGradientBoostingClassifier(**options).fit(np.ones((4, 2)), y)
    except ValueError:
        return "ValueError"
    return "no error"


@refused.edges
def _():
    y = np.array([0, 1, 0, 1])
    wrong = [{"learning_rate": 0.0}, {"max_bins": 256}, {"max_leaf_nodes": 1}, {"monotonic_cst": [1]}]
    return [*(dict(options=options, y=y) for options in wrong), dict(options={}, y=np.zeros(4, dtype=np.int64))]


@refused.oracle
def _(options, y):
    return "ValueError"
