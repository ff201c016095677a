"""Folds as lists of test rows, built row by row."""

from collections import Counter, defaultdict

import numpy as np


class _Splits:
    def __init__(self, n_splits=5, *, shuffle=False, random_state=None):
        if isinstance(n_splits, bool) or not isinstance(n_splits, (int, np.integer)) or n_splits < 2:
            raise ValueError(f"n_splits has to be an integer of at least 2, not {n_splits!r}")
        self.n_splits, self.shuffle, self.random_state = n_splits, shuffle, random_state

    def get_n_splits(self, X=None, y=None, groups=None):
        return self.n_splits

    def split(self, X=None, y=None, groups=None):
        n = next(len(part) for part in (X, y, groups) if part is not None)
        for rows in self._tests(n, y, groups):
            held_out = set(rows)
            yield np.array([i for i in range(n) if i not in held_out], dtype=int), np.array(sorted(rows), dtype=int)


class KFold(_Splits):
    def _tests(self, n, y, groups):
        if n < self.n_splits:
            raise ValueError("more folds than rows")
        order = np.random.default_rng(self.random_state).permutation(n) if self.shuffle else np.arange(n)
        return [part.tolist() for part in np.array_split(order, self.n_splits)]


class StratifiedKFold(_Splits):
    def _tests(self, n, y, groups):
        rows_of = defaultdict(list)  # in the order of first appearance
        for row, label in enumerate(np.asarray(y).tolist()):
            rows_of[label].append(row)
        if max(map(len, rows_of.values())) < self.n_splits:
            raise ValueError("no class has a row for each fold")
        rng = np.random.default_rng(self.random_state)
        tests = [[] for _ in range(self.n_splits)]
        dealt = 0
        for rows in rows_of.values():
            if self.shuffle:
                rows = rng.permutation(rows).tolist()
            hands = Counter((dealt + i) % self.n_splits for i in range(len(rows)))
            dealt += len(rows)
            taken = 0
            for fold in range(self.n_splits):
                tests[fold] += rows[taken : taken + hands[fold]]
                taken += hands[fold]
        return tests


class GroupKFold(_Splits):
    def __init__(self, n_splits=5):
        super().__init__(n_splits)

    def _tests(self, n, y, groups):
        if groups is None:
            raise ValueError("groups are missing")
        groups = np.asarray(groups).tolist()
        sizes = Counter(groups)
        if len(sizes) < self.n_splits:
            raise ValueError("fewer groups than folds")
        tests = [[] for _ in range(self.n_splits)]
        for group in sorted(sizes, key=lambda g: (sizes[g], g), reverse=True):
            lightest = min(tests, key=len)
            lightest += [row for row, g in enumerate(groups) if g == group]
        return tests


class TimeSeriesSplit:
    def __init__(self, n_splits=5, *, max_train_size=None, test_size=None, gap=0):
        self.n_splits, self.max_train_size, self.test_size, self.gap = n_splits, max_train_size, test_size, gap

    def get_n_splits(self, X=None, y=None, groups=None):
        return self.n_splits

    def split(self, X=None, y=None, groups=None):
        n = len(X if X is not None else y)
        size = self.test_size or n // (self.n_splits + 1)
        if size == 0 or n - self.gap <= size * self.n_splits:
            raise ValueError("no training is left")
        for back in range(self.n_splits, 0, -1):
            start = n - back * size
            past = np.arange(start - self.gap)
            if self.max_train_size:
                past = past[-self.max_train_size :]
            yield past, np.arange(start, start + size)


def train_test_split(*arrays, test_size=None, train_size=None, random_state=None, shuffle=True, stratify=None):
    n = len(arrays[0])
    if any(len(a) != n for a in arrays):
        raise ValueError("arrays of different lengths")
    if test_size is None and train_size is None:
        test_size = 0.25
    if isinstance(test_size, float):
        test_size = int(np.ceil(n * test_size))
    if isinstance(train_size, float):
        train_size = int(n * train_size)
    test_size = n - train_size if test_size is None else test_size
    train_size = n - test_size if train_size is None else train_size
    if min(test_size, train_size) < 1 or test_size + train_size > n:
        raise ValueError("sizes that cannot be")
    rng = np.random.default_rng(random_state)
    rows = rng.permutation(n)
    if not shuffle:
        train, test = np.arange(train_size), np.arange(train_size, train_size + test_size)
    elif stratify is None:
        train, test = rows[test_size : test_size + train_size], rows[:test_size]
    else:
        # every class spread evenly over (0, 1): the first rows of that order are a fair share of each
        place = np.empty(n)
        for label in set(np.asarray(stratify).tolist()):
            own = rows[np.asarray(stratify)[rows] == label]
            place[own] = (np.arange(len(own)) + 0.5) / len(own)
        spread = rows[np.argsort(place[rows], kind="stable")]
        test, train = rng.permutation(spread[:test_size]), rng.permutation(spread[-train_size:])
    return [np.asarray(a)[part] for a in arrays for part in (train, test)]
