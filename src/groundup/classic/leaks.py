"""A leak detector: what in a split lets a model know more than it will know when it is used.

Every leak here makes a score too good, and none raises an error. The detector is an auditor and no model: it may look at
training and test together, which is what makes it able to see them. It finds what is there to be seen in the numbers; that a
column will not be known in time, it cannot see.

Kaufman et al., Leakage in data mining: formulation, detection, and avoidance (2012). Kapoor and Narayanan, Leakage and the
reproducibility crisis in machine-learning-based science (2023), table 1.
"""

from dataclasses import dataclass

import numpy as np

from .estimator import clone
from .validation import check_array


@dataclass(frozen=True)
class Leak:  # given
    """One finding. kind: which of those of `find_leaks`; columns of X, rows of the test, and a sentence with the numbers."""

    kind: str
    columns: tuple = ()
    rows: tuple = ()
    evidence: str = ""


# ------------------------------------------------------------------------------------- rows on the wrong side of a split


def repeated_rows(X_train, X_test):
    """The test rows that also stand in the training, equal in every column: X (n, p), X (m, p) -> (r,), ascending.

    NaN equals NaN here, and -0.0 equals 0.0.
    """
    known = {row.tobytes() for row in _comparable(X_train)}
    return np.array([i for i, row in enumerate(_comparable(X_test)) if row.tobytes() in known], dtype=np.int64)


def shared_groups(groups_train, groups_test):
    """The test rows whose group is in the training too: (n,), (m,) of labels -> (r,), ascending."""
    return np.flatnonzero(np.isin(groups_test, groups_train))


def earlier_rows(times_train, times_test):
    """The test rows that are earlier than some training row: (n,), (m,) of numbers or dates -> (r,), ascending."""
    return np.flatnonzero(np.asarray(times_test) < np.max(times_train))


# ------------------------------------------------------------------------------------ columns that know what they should not


def power_alone(x, y):
    """How well a column alone tells the target, as an R^2: x (n,), NaN being a value of its own, y (n,) -> float, at most 1.

    Numbers of y, or labels, become ranks first: 1 for the smallest, equal ones share the mean of theirs. Then each row's
    rank is guessed from the other rows: by the mean rank of those with the same x. A row whose x no other has is guessed by
    the mean over two values of x, the next smaller and the next larger, of the mean rank of their rows; at either end, by
    the one there is. 1 - sum((rank - guess)^2) / sum((rank - mean rank)^2). About 0, or less, is nothing; 0 if y is constant.

    Of n rows in two classes that x separates, a share s of them in one, only the two rows at the border are guessed wrong:
    1 - 1 / (2 n s (1 - s)), which is 0.97 for 60 rows in halves.
    """
    _, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - (counts - 1) / 2)[codes]
    rank = rank - rank.mean()
    if not rank.any():
        return 0.0
    _, place, size = np.unique(x, return_inverse=True, return_counts=True)  # (n,), (d,)
    total = np.bincount(place, weights=rank)  # (d,)
    mean = np.concatenate([[np.nan], total / size, [np.nan]])
    beside = np.where(
        np.isnan(mean[:-2]), mean[2:], np.where(np.isnan(mean[2:]), mean[:-2], (mean[:-2] + mean[2:]) / 2)
    )
    alone = size[place] == 1
    others = (total[place] - rank) / np.where(alone, 1, size[place] - 1)
    guess = np.where(alone, beside[place], others)
    return float(1 - np.sum((rank - guess) ** 2) / np.sum(rank**2))


def revealing_columns(X, y, threshold=0.95):
    """The columns that alone tell the target: X (n, p), y (n,) -> those whose `power_alone` is at least threshold, (r,)."""
    return np.array([j for j, column in enumerate(X.T) if power_alone(column, y) >= threshold], dtype=np.int64)


def index_columns(X, n_train=None):
    """The columns that number the rows: X (n, p), the training's rows first -> (r,), ascending.

    Such a column holds whole numbers, none twice, and either they fill their range without a gap, in any order, or they rise,
    or fall, from row to row of the training (its first n_train rows, None for all). With less than 10 rows there is none.
    """
    n = len(X)
    found = []
    for j, column in enumerate(X.T):
        if n < 10 or not np.all(column == np.floor(column)) or len(np.unique(column)) < n:
            continue
        steps = np.diff(column[:n_train])
        if np.ptp(column) == n - 1 or np.all(steps > 0) or np.all(steps < 0):
            found.append(j)
    return np.array(found, dtype=np.int64)


# -------------------------------------------------------------------------------------------------- preparation fitted on all


def learned_from_all(fitted, X_train, X_test, y_train=None, y_test=None):
    """What a fitted transformer or pipeline has learned from training and test together: a list of names, ascending.

    Two copies of it (`clone`) are fitted, one to the training rows and one to all rows, the training's first. A learned
    attribute gives a leak away if it equals that of the second copy, to rounding (1e-9, relative), and not that of the
    first. In a pipeline its name is step.attribute. Attributes are numbers, arrays, or lists of them.
    """
    y_all = None if y_train is None else np.concatenate([y_train, y_test])
    honest = _learned(clone(fitted).fit(X_train, y_train))
    leaky = _learned(clone(fitted).fit(np.concatenate([X_train, X_test]), y_all))
    return sorted(
        name
        for name, value in _learned(fitted).items()
        if name in leaky and _same(value, leaky[name]) and not (name in honest and _same(value, honest[name]))
    )


# ---------------------------------------------------------------------------------------------------------- the report


def find_leaks(
    X_train, X_test, y_train=None, y_test=None, *, groups=None, times=None, preparation=None, threshold=0.95
):
    """Every leak that can be seen in a split, a list of Leak, in this order of kinds:

    "duplicate" (rows), by `repeated_rows`; "group" (rows), by `shared_groups`; "time" (rows), by `earlier_rows`; "index"
    (columns), by `index_columns` of all rows; "target" (columns), by `revealing_columns` of all rows; "order", the place of a
    row in the training tells its target: `power_alone` of 0, 1, 2, ... is at least threshold; "preparation", by
    `learned_from_all`. One Leak per kind, with all its columns or rows, as integers, or none.

    X (n, p), (m, p) of numbers, NaN where one is missing; y (n,), (m,) or None; groups and times are pairs (of the training, of
    the test) or None; preparation a fitted transformer or pipeline, or None. What is None is not looked for.
    """
    X_train, X_test = check_array(X_train, "X_train", allow_nan=True), check_array(X_test, "X_test", allow_nan=True)
    n, m = len(X_train), len(X_test)
    X = np.concatenate([X_train, X_test])
    leaks = []

    def note(kind, evidence, columns=(), rows=()):
        leaks.append(Leak(kind, tuple(int(j) for j in columns), tuple(int(i) for i in rows), evidence))

    if len(rows := repeated_rows(X_train, X_test)):
        note("duplicate", f"{len(rows)} of {m} test rows also stand in the training", rows=rows)
    if groups is not None and len(rows := shared_groups(*groups)):
        shared = len(set(np.asarray(groups[1])[rows].tolist()))
        note("group", f"{shared} groups are on both sides: {len(rows)} of {m} test rows", rows=rows)
    if times is not None and len(rows := earlier_rows(*times)):
        note("time", f"{len(rows)} of {m} test rows are older than the latest training row", rows=rows)
    if len(columns := index_columns(X, n)):
        note("index", f"columns {columns.tolist()} number the rows", columns=columns)
    if y_train is not None:
        y = np.concatenate([y_train, y_test])
        if len(columns := revealing_columns(X, y, threshold)):
            powers = ", ".join(f"{power_alone(X[:, j], y):.3f}" for j in columns)
            note("target", f"columns {columns.tolist()} alone tell the target: R^2 {powers}", columns=columns)
        if (power := power_alone(np.arange(n), y_train)) >= threshold:
            note("order", f"the order of the training rows tells the target: R^2 {power:.3f}")
    if preparation is not None and (names := learned_from_all(preparation, X_train, X_test, y_train, y_test)):
        note(
            "preparation",
            f"equal to what all {n + m} rows give, not to what {n} training rows give: {', '.join(names)}",
        )
    return leaks


def _comparable(X):
    """Rows whose bytes are equal where their numbers are."""
    X = np.array(X, dtype=np.float64, order="C") + 0.0  # -0.0 + 0.0 is 0.0
    X[np.isnan(X)] = np.nan
    return X


def _learned(estimator, prefix=""):
    """The learned attributes of an estimator and of those inside it, by dotted name."""
    found = {}
    for name, value in vars(estimator).items():
        if name.endswith("_") and not name.startswith("_"):
            found |= _flat(prefix + name, value)
    for name, step in getattr(estimator, "steps", []):
        if not isinstance(step, str):
            found |= _learned(step, f"{prefix}{name}.")
    return found


def _flat(name, value):
    if hasattr(value, "fit"):
        return _learned(value, f"{name}.")
    if isinstance(value, (list, tuple)):
        parts = [_flat(f"{name}[{i}]", item) for i, item in enumerate(value)]
        return {key: item for part in parts for key, item in part.items()}
    return {name: np.asarray(value)}


def _same(a, b):
    if a.shape != b.shape:
        return False
    if a.dtype.kind in "fiub" and b.dtype.kind in "fiub":
        return bool(np.allclose(a, b, rtol=1e-9, atol=0.0, equal_nan=True))
    return bool(np.all(a == b))
