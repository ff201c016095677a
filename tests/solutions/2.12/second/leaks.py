"""The detector by plain comparison of everything with everything."""

from dataclasses import dataclass

import numpy as np

from .estimator import clone


@dataclass(frozen=True)
class Leak:
    kind: str
    columns: tuple = ()
    rows: tuple = ()
    evidence: str = ""


def repeated_rows(X_train, X_test):
    same = (X_test[:, None] == X_train) | (np.isnan(X_test)[:, None] & np.isnan(X_train))  # (m, n, p)
    return np.nonzero(same.all(axis=2).any(axis=1))[0]


def shared_groups(groups_train, groups_test):
    return np.array(
        [i for i, group in enumerate(groups_test) if group in set(np.asarray(groups_train).tolist())], dtype=int
    )


def earlier_rows(times_train, times_test):
    return np.array([i for i, time in enumerate(times_test) if (time < np.asarray(times_train)).any()], dtype=int)


def power_alone(x, y):
    y = np.asarray(y)
    rank = np.array([np.sum(y < v) + (np.sum(y == v) + 1) / 2 for v in y])
    spread = np.sum((rank - rank.mean()) ** 2)
    if spread == 0:
        return 0.0
    x = np.where(np.isnan(x), np.inf, x)
    values = sorted(set(x.tolist()))
    mean_of = {v: rank[x == v].mean() for v in values}
    guess = []
    for i, v in enumerate(x.tolist()):
        others = (x == v) & (np.arange(len(x)) != i)
        if others.any():
            guess.append(rank[others].mean())
        else:
            at = values.index(v)
            guess.append(np.mean([mean_of[w] for w in values[max(0, at - 1) : at] + values[at + 1 : at + 2]]))
    return 1 - np.sum((rank - guess) ** 2) / spread


def revealing_columns(X, y, threshold=0.95):
    return [j for j in range(X.shape[1]) if power_alone(X[:, j], y) >= threshold]


def index_columns(X, n_train=None):
    n = len(X)
    found = []
    for j in range(X.shape[1]):
        values = X[:, j].tolist()
        if n < 10 or any(v != v or v != int(v) for v in values) or len(set(values)) < n:
            continue
        part = values[:n_train]
        if max(values) - min(values) == n - 1 or part == sorted(part) or part == sorted(part, reverse=True):
            found.append(j)
    return np.array(found, dtype=int)


def _attributes(estimator, prefix=""):
    found = {prefix + name: value for name, value in vars(estimator).items() if name.endswith("_")}
    for name, step in getattr(estimator, "steps", []):
        found.update(_attributes(step, f"{name}."))
    return found


def learned_from_all(fitted, X_train, X_test, y_train=None, y_test=None):
    y_all = None if y_train is None else np.append(y_train, y_test)
    honest = _attributes(clone(fitted).fit(X_train, y_train))
    leaky = _attributes(clone(fitted).fit(np.vstack([X_train, X_test]), y_all))
    own = _attributes(fitted)
    return sorted(
        name
        for name in own
        if np.allclose(own[name], leaky[name], rtol=1e-9, atol=0)
        and not np.allclose(own[name], honest[name], rtol=1e-9, atol=0)
    )


def find_leaks(
    X_train, X_test, y_train=None, y_test=None, *, groups=None, times=None, preparation=None, threshold=0.95
):
    X = np.vstack([X_train, X_test])
    rows = {"duplicate": repeated_rows(X_train, X_test)}
    rows["group"] = shared_groups(*groups) if groups is not None else []
    rows["time"] = earlier_rows(*times) if times is not None else []
    columns = {"index": index_columns(X, len(X_train)), "target": []}
    if y_train is not None:
        columns["target"] = revealing_columns(X, np.append(y_train, y_test), threshold)
    leaks = [Leak(kind, (), tuple(map(int, found))) for kind, found in rows.items() if len(found)]
    leaks += [Leak(kind, tuple(map(int, found))) for kind, found in columns.items() if len(found)]
    if y_train is not None and power_alone(np.arange(float(len(X_train))), y_train) >= threshold:
        leaks.append(Leak("order"))
    if preparation is not None and learned_from_all(preparation, X_train, X_test, y_train, y_test):
        leaks.append(Leak("preparation"))
    return leaks
