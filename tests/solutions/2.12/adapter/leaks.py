"""The API of classic/leaks.py on SciPy's labelled sums; scikit-learn has nothing of the kind."""

from types import SimpleNamespace

import numpy as np
from scipy.ndimage import mean, sum_labels
from scipy.stats import rankdata
from sklearn.base import clone


def repeated_rows(X_train, X_test):
    train, test = ([tuple(row) for row in np.nan_to_num(X, nan=1e300).tolist()] for X in (X_train, X_test))
    return np.flatnonzero([row in set(train) for row in test])


def shared_groups(groups_train, groups_test):
    return np.flatnonzero([group in np.asarray(groups_train) for group in np.asarray(groups_test)])


def earlier_rows(times_train, times_test):
    return np.flatnonzero(np.less(times_test, max(times_train)))


def power_alone(x, y):
    rank = rankdata(rankdata(np.unique(y, return_inverse=True)[1], method="dense"))
    spread = np.var(rank) * len(rank)
    if spread == 0:
        return 0.0
    value = rankdata(np.nan_to_num(x, nan=np.inf), method="dense").astype(int)  # 1, 2, ...
    places = np.arange(1, value.max() + 1)
    means = mean(rank, value, places)
    beside = np.array(
        [np.mean([means[k] for k in (p - 1, p + 1) if 0 <= k < len(places)] or [0.0]) for p in places - 1]
    )
    total, count = sum_labels(rank, value, places)[value - 1], np.bincount(value)[value]
    guess = np.where(count > 1, (total - rank) / np.maximum(count - 1, 1), beside[value - 1])
    return float(1 - np.sum((rank - guess) ** 2) / spread)


def revealing_columns(X, y, threshold=0.95):
    return np.array([j for j in range(X.shape[1]) if power_alone(X[:, j], y) >= threshold], int)


def index_columns(X, n_train=None):
    found = []
    for j, column in enumerate(X.T):
        whole = len(X) >= 10 and np.all(column % 1 == 0) and len(set(column.tolist())) == len(X)
        signs = set(np.sign(np.diff(column[:n_train])).tolist())
        if whole and (max(column) - min(column) + 1 == len(X) or len(signs) == 1):
            found.append(j)
    return np.array(found, int)


def learned_from_all(fitted, X_train, X_test, y_train=None, y_test=None):
    def learned(model, prefix=""):
        found = {prefix + n: v for n, v in vars(model).items() if n.endswith("_") and isinstance(v, np.ndarray)}
        for name, step in getattr(model, "steps", []):
            found |= learned(step, name + ".")
        return found

    y_all = None if y_train is None else np.concatenate([y_train, y_test])
    honest = learned(clone(fitted).fit(X_train, y_train))
    leaky = learned(clone(fitted).fit(np.concatenate([X_train, X_test]), y_all))

    def close(a, b):
        return a.shape == b.shape and np.allclose(a, b, rtol=1e-9, atol=0.0)

    own = learned(fitted)
    return sorted(n for n in own if close(own[n], leaky[n]) and not close(own[n], honest[n]))


def find_leaks(
    X_train, X_test, y_train=None, y_test=None, *, groups=None, times=None, preparation=None, threshold=0.95
):
    X, y = np.concatenate([X_train, X_test]), np.concatenate([y_train, y_test])
    rows = {
        "duplicate": repeated_rows(X_train, X_test),
        "group": shared_groups(*groups),
        "time": earlier_rows(*times),
    }
    columns = {"index": index_columns(X, len(X_train)), "target": revealing_columns(X, y, threshold)}
    found = [SimpleNamespace(kind=k, columns=(), rows=tuple(map(int, r))) for k, r in rows.items() if len(r)]
    found += [SimpleNamespace(kind=k, columns=tuple(map(int, c)), rows=()) for k, c in columns.items() if len(c)]
    if power_alone(np.arange(len(X_train)), y_train) >= threshold:
        found.append(SimpleNamespace(kind="order", columns=(), rows=()))
    if learned_from_all(preparation, X_train, X_test, y_train, y_test):
        found.append(SimpleNamespace(kind="preparation", columns=(), rows=()))
    return found
