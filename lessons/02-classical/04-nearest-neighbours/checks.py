"""Checkpoints of lesson 2.4: neighbours by one matrix product, by a k-d tree, and what they vote."""

import numpy as np

from groundup.course import checkpoint


def found(answer):
    distances, indices = answer
    return {"distances": distances, "indices": indices}


def found_by_sorting(X, queries, k):
    """The truth: every distance by itself, sorted by distance and then by index."""
    distances, indices = [], []
    for q in queries:
        d = np.sqrt(((X - q) ** 2).sum(axis=1))
        order = np.lexsort((np.arange(len(X)), d))[:k]
        distances.append(d[order])
        indices.append(order)
    return {"distances": np.array(distances), "indices": np.array(indices)}


def draw_search(draw):
    n, p = draw.integer(1, 12), draw.integer(1, 3)
    kind = draw.choice(["plain", "grid", "far"])
    X, queries = draw.normal(n, p), draw.normal(draw.integer(1, 4), p)
    if kind == "grid":  # equal distances, which are equal in floats too
        X, queries = np.round(2 * X), np.round(2 * queries)
    if kind == "far":
        X, queries = X + 1024.0, queries + 1024.0
    return dict(X=X, queries=queries, k=draw.integer(1, n))


def search_edges():
    line = np.array([[0.0], [1.0], [2.0], [3.0], [10.0]])
    return [
        dict(X=line[:1], queries=line[1:2], k=1),
        dict(X=line, queries=np.array([[1.2]]), k=2),
        dict(X=line, queries=np.array([[1.5], [3.0]]), k=3),
        dict(X=np.array([[1.0, 1.0], [1.0, 1.0], [0.0, 0.0]]), queries=np.array([[1.0, 1.0]]), k=2),
        dict(X=line + 1e8, queries=np.array([[1.25]]) + 1e8, k=5),
    ]


# ------------------------------------------------------------------------------------------------- the matrix product


@checkpoint("Squared distances equal SciPy's, and none is below zero", atol=1e-10)
def squared_distances(lib, A, B):
    D = lib.classic.neighbors.squared_distances(A, B)
    return {"distances": D, "below zero": bool((D < 0).any())}


@squared_distances.cases
def _(draw):
    p = draw.integer(1, 4)
    A = draw.normal(draw.integer(1, 5), p)
    return dict(A=A, B=A.copy() if draw.boolean(0.3) else draw.normal(draw.integer(1, 5), p))


@squared_distances.edges
def _():
    A = np.array([[1.0, 2.0], [0.0, 0.0]])
    thirds = np.array([[0.1, 0.7, 0.3], [1 / 3, 1.1, 0.9], [0.77, 0.123, 1.7], [0.3, 0.6, 1.3]])
    return [dict(A=A[:1], B=A[:1]), dict(A=A, B=np.array([[4.0, 6.0]])), dict(A=thirds, B=thirds)]


@squared_distances.oracle
def _(A, B):
    from scipy.spatial.distance import cdist

    return {"distances": cdist(A, B, "sqeuclidean"), "below zero": False}


@checkpoint("The nearest by the product, in order, ties by index, also far from the origin", atol=1e-9)
def nearest(lib, X, queries, k):
    return found(lib.classic.neighbors.nearest(X, queries, k))


@nearest.cases
def _(draw):
    return draw_search(draw)


@nearest.edges
def _():
    return search_edges()


@nearest.oracle
def _(X, queries, k):
    return found_by_sorting(X, queries, k)


# --------------------------------------------------------------------------------------------------------- the tree


@checkpoint("A query's distance to a box is 0 inside and reaches to its nearest face or corner outside", atol=1e-12)
def distance_to_box(lib, X, queries):
    module = lib.classic.kdtree
    box = module.bounding_box(X)
    return {"low": box.low, "high": box.high, "squared": module.squared_distance_to_box(queries, box)}


@distance_to_box.cases
def _(draw):
    p = draw.integer(1, 3)
    return dict(X=draw.normal(draw.integer(1, 5), p), queries=3 * draw.normal(draw.integer(1, 5), p))


@distance_to_box.edges
def _():
    X = np.array([[0.0, 0.0], [2.0, 1.0]])
    return [
        dict(X=X, queries=np.array([[1.0, 0.5]])),
        dict(X=X, queries=np.array([[5.0, 0.5], [5.0, 5.0], [-3.0, -4.0]])),
    ]


@distance_to_box.oracle
def _(X, queries):
    low, high = X.min(axis=0), X.max(axis=0)
    return {"low": low, "high": high, "squared": ((queries - np.clip(queries, low, high)) ** 2).sum(axis=1)}


@checkpoint("Halves are equal to one sample, and divided in the feature of largest spread", atol=0.0)
def halve(lib, X, rows):
    left, right = lib.classic.kdtree.halve(X, rows)
    feature = np.ptp(X[rows], axis=0).argmax()
    return {
        "sizes": [len(left), len(right)],
        "rows": np.sort(np.concatenate([left, right])),
        "in order": bool(X[left, feature].max() <= X[right, feature].min()),
    }


@halve.cases
def _(draw):
    n = draw.integer(2, 9)
    X = draw.normal(n, draw.integer(1, 3)) * draw.choice([1.0, 5.0])
    return dict(X=np.round(X) if draw.boolean(0.3) else X, rows=draw.permutation(n)[: draw.integer(2, n)])


@halve.edges
def _():
    X = np.array([[0.0, 0.0], [1.0, 9.0], [2.0, 3.0], [3.0, 6.0]])
    return [dict(X=X, rows=np.arange(2)), dict(X=X, rows=np.arange(4)), dict(X=X, rows=np.array([3, 0, 2]))]


@halve.oracle
def _(X, rows):
    return {"sizes": [len(rows) // 2, len(rows) - len(rows) // 2], "rows": np.sort(rows), "in order": True}


@checkpoint("The tree finds what sorting all distances finds", atol=1e-9)
def tree_query(lib, X, queries, k, leaf_size):
    return found(lib.classic.kdtree.KDTree(X, leaf_size=leaf_size).query(queries, k))


@tree_query.cases
def _(draw):
    return draw_search(draw) | {"leaf_size": draw.choice([1, 2, 3, 40])}


@tree_query.edges
def _():
    corner = np.array([[0.0, 0.0], [0.9, 0.9], [1.1, 1.1], [5.0, 0.0], [0.0, 5.0], [5.0, 5.0], [1.0, 3.0], [3.0, 1.0]])
    line = np.array([[0.0], [1.0], [3.0], [4.0]])
    return [
        *[case | {"leaf_size": 1} for case in search_edges()],
        dict(X=corner, queries=np.array([[1.0, 1.0], [2.6, 2.6], [2.4, 4.9]]), k=3, leaf_size=2),
        dict(X=line, queries=np.array([[1.9], [2.1]]), k=2, leaf_size=2),
    ]


@tree_query.oracle
def _(X, queries, k, leaf_size):
    return found_by_sorting(X, queries, k)


# --------------------------------------------------------------------------------------------------------- the votes


@checkpoint("Weights by distance, and an exact match outweighs all others", atol=1e-12)
def neighbor_weights(lib, distances, weights):
    return 1.0 * lib.classic.neighbors.neighbor_weights(distances, weights)


@neighbor_weights.cases
def _(draw):
    distances = np.sort(draw.uniform(0.1, 5.0, draw.integer(1, 3), draw.integer(1, 4)), axis=1)
    if draw.boolean(0.3):
        distances[0, 0] = 0.0
    return dict(distances=distances, weights=draw.choice(["distance", "uniform"]))


@neighbor_weights.edges
def _():
    D = np.array([[0.0, 1.0, 2.0], [1.0, 2.0, 4.0], [0.0, 0.0, 3.0]])
    return [dict(distances=D, weights="uniform"), dict(distances=D, weights="distance")]


@neighbor_weights.oracle
def _(distances, weights):
    rows = []
    for row in distances.tolist():
        if weights == "uniform":
            rows.append([1.0 for _ in row])
        elif 0.0 in row:
            rows.append([float(d == 0.0) for d in row])
        else:
            rows.append([1.0 / d for d in row])
    return np.array(rows)


@checkpoint("Votes are shares: weighted, counted for every class, summing to one", atol=1e-12)
def vote(lib, codes, weights, c):
    return lib.classic.neighbors.vote(codes, weights, c)


@vote.cases
def _(draw):
    m, k, c = draw.integer(1, 3), draw.integer(1, 5), draw.integer(1, 4)
    return dict(codes=draw.integers(0, c - 1, m, k), weights=draw.uniform(0.1, 3.0, m, k), c=c)


@vote.edges
def _():
    return [
        dict(codes=np.array([[0, 1, 1]]), weights=np.ones((1, 3)), c=2),
        dict(codes=np.array([[1, 0, 0]]), weights=np.array([[3.0, 1.0, 1.0]]), c=3),
        dict(codes=np.array([[0, 1], [1, 1]]), weights=np.zeros((2, 2)), c=2),
    ]


@vote.oracle
def _(codes, weights, c):
    rows = []
    for row, w in zip(codes.tolist(), weights.tolist()):
        shares = [sum(v for code, v in zip(row, w) if code == label) for label in range(c)]
        rows.append([s / sum(shares) for s in shares] if sum(shares) > 0 else [1.0 / c] * c)
    return np.array(rows)


@checkpoint("Classes, their shares and neighbours equal scikit-learn's", atol=1e-9)
def classifier(lib, X, y, X_new, k, weights, algorithm):
    kind = lib.classic.neighbors.KNeighborsClassifier
    model = kind(n_neighbors=k, weights=weights, algorithm=algorithm).fit(X, np.array(y))
    answer = found(model.kneighbors(X_new))
    return answer | {"classes": model.predict(X_new).tolist(), "shares": model.predict_proba(X_new)}


@classifier.cases
def _(draw):
    n, p = draw.integer(3, 10), draw.integer(1, 3)
    names = draw.choice([[0, 1, 2], [5, -1, 3], ["b", "a", "c"]])
    X, X_new = draw.normal(n, p), draw.normal(3, p)
    if draw.boolean(0.3):
        X_new[0] = X[0]
    return dict(
        X=X,
        y=[names[i] for i in draw.integers(0, 2, n)],
        X_new=X_new,
        k=draw.integer(1, 3),
        weights=draw.choice(["uniform", "distance"]),
        algorithm=draw.choice(["auto", "brute", "kd_tree"]),
    )


@classifier.edges
def _():
    X, y = np.array([[0.0], [1.0], [2.0], [7.0]]), ["far", "near", "near", "far"]
    X_new = np.array([[1.1], [6.2]])
    return [
        dict(X=X, y=y, X_new=X_new, k=3, weights="uniform", algorithm="brute"),
        dict(X=X, y=y, X_new=X_new, k=3, weights="distance", algorithm="kd_tree"),
        dict(X=X, y=["only"] * 4, X_new=X_new, k=1, weights="uniform", algorithm="auto"),
    ]


@classifier.oracle
def _(X, y, X_new, k, weights, algorithm):
    from sklearn.neighbors import KNeighborsClassifier

    model = KNeighborsClassifier(n_neighbors=k, weights=weights, algorithm="kd_tree").fit(X, np.array(y))
    answer = found(model.kneighbors(X_new))
    return answer | {"classes": model.predict(X_new).tolist(), "shares": model.predict_proba(X_new)}


@checkpoint("Predicted numbers equal scikit-learn's", atol=1e-9, count=15)
def regressor(lib, X, y, X_new, k, weights):
    return lib.classic.neighbors.KNeighborsRegressor(n_neighbors=k, weights=weights).fit(X, y).predict(X_new)


@regressor.cases
def _(draw):
    n, p = draw.integer(3, 10), draw.integer(1, 3)
    X, X_new = draw.normal(n, p), draw.normal(3, p)
    if draw.boolean(0.3):
        X_new[0] = X[0]
    return dict(X=X, y=draw.normal(n), X_new=X_new, k=draw.integer(1, 3), weights=draw.choice(["uniform", "distance"]))


@regressor.edges
def _():
    X, y = np.array([[0.0], [1.0], [2.0], [7.0]]), np.array([1.0, 5.0, 3.0, -1.0])
    return [dict(X=X, y=y, X_new=np.array([[1.0], [6.0]]), k=2, weights=w) for w in ("uniform", "distance")]


@regressor.oracle
def _(X, y, X_new, k, weights):
    from sklearn.neighbors import KNeighborsRegressor

    return KNeighborsRegressor(n_neighbors=k, weights=weights, algorithm="kd_tree").fit(X, y).predict(X_new)


@checkpoint("A training sample is not its own neighbour", atol=1e-9, count=15)
def without_itself(lib, X, k, algorithm):
    model = lib.classic.neighbors.KNeighborsRegressor(n_neighbors=k, algorithm=algorithm).fit(X, np.zeros(len(X)))
    return found(model.kneighbors())


@without_itself.cases
def _(draw):
    n = draw.integer(3, 9)
    return dict(X=draw.normal(n, draw.integer(1, 3)), k=draw.integer(1, 2), algorithm=draw.choice(["brute", "kd_tree"]))


@without_itself.edges
def _():
    X = np.array([[0.0], [1.0], [1.0], [5.0]])
    return [
        dict(X=X, k=1, algorithm="brute"),
        dict(X=X, k=2, algorithm="kd_tree"),
        dict(X=np.ones((4, 2)), k=2, algorithm="brute"),
    ]


@without_itself.oracle
def _(X, k, algorithm):
    rows = []
    for i in range(len(X)):
        others = [j for j in range(len(X)) if j != i]
        rows.append(sorted((float(np.sqrt(((X[i] - X[j]) ** 2).sum())), j) for j in others)[:k])
    return {
        "distances": np.array([[d for d, _ in r] for r in rows]),
        "indices": np.array([[j for _, j in r] for r in rows]),
    }


@checkpoint("Contrast: how much farther the farthest is than the nearest", atol=1e-8, count=15)
def relative_contrast(lib, X, queries):
    return lib.classic.neighbors.relative_contrast(X, queries)


@relative_contrast.cases
def _(draw):
    p = draw.integer(1, 20)
    return dict(
        X=draw.uniform(0.0, 1.0, draw.integer(2, 8), p), queries=2.0 + draw.uniform(0.0, 1.0, draw.integer(1, 3), p)
    )


@relative_contrast.edges
def _():
    return [dict(X=np.array([[1.0], [3.0]]), queries=np.array([[0.0]]))]


@relative_contrast.oracle
def _(X, queries):
    from scipy.spatial.distance import cdist

    D = cdist(queries, X)
    return (D.max(axis=1) - D.min(axis=1)) / D.min(axis=1)


# ------------------------------------------------------------------------------------------------------------- further


@checkpoint("What cannot be is refused with a ValueError", stretch=True, count=0)
def refused(lib, options, k):
    X, y = np.arange(6.0).reshape(3, 2), np.array([0, 1, 1])
    try:
        lib.classic.neighbors.KNeighborsClassifier(**options).fit(X, y).kneighbors(X, k)
    except ValueError:
        return "ValueError"
    return "no error"


@refused.edges
def _():
    return [
        dict(options={"n_neighbors": 4}, k=None),
        dict(options={"n_neighbors": 0}, k=None),
        dict(options={"n_neighbors": 1}, k=4),
        dict(options={"weights": "closeness"}, k=1),
        dict(options={"algorithm": "magic"}, k=1),
    ]


@refused.oracle
def _(options, k):
    return "ValueError"
