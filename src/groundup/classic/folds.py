"""Which rows to learn from, and which to be judged on: folds, and a single split.

A score on the rows that a model was fitted to says how well it remembers. So some rows are set aside, and the score is
taken on those. In k folds every row is set aside once. Who goes with whom decides what the score is an estimate of: rows
that are dealt out one by one stand for new rows of the same kind, whole groups for a new group, the latest for the future.

Stone, Cross-validatory choice and assessment of statistical predictions (1974). Hastie, Tibshirani and Friedman, The
Elements of Statistical Learning (2nd edition), section 7.10. Roberts et al., Cross-validation strategies for data with
temporal, spatial, hierarchical, or phylogenetic structure (2017).
"""

import numpy as np

from .validation import check_generator, check_number, encode_labels, warn


def take(values, rows):
    """The rows of an array, a table with `.iloc`, or a list, in the order asked for: a copy. None stays None."""
    if values is None:
        return None
    if isinstance(values, (list, tuple)):
        return [values[i] for i in rows]
    if hasattr(values, "tocsr"):
        return values.tocsr()[rows]
    return values.iloc[rows] if hasattr(values, "iloc") else np.asarray(values)[rows]


def count_rows(*tables):
    """How many rows the tables have, each None or of the same length. Raises ValueError if they differ, or none is there."""
    lengths = [_length(t) for t in tables if t is not None]
    if len(set(lengths)) != 1:
        raise ValueError(f"Found input variables with inconsistent numbers of samples: {lengths}")
    return lengths[0]


def _length(table):
    if hasattr(table, "shape"):
        return table.shape[0]
    return len(table) if hasattr(table, "__len__") else len(np.asarray(table))


# --------------------------------------------------------------------------------------------- a fold for each row


def fold_sizes(n, k):
    """How many of n rows each of k folds tests: (k,) of integers, which sum to n; the first n % k have one more."""
    sizes = np.full(k, n // k)
    sizes[: n % k] += 1
    return sizes


def stratified_folds(y, k):
    """The fold of each row, such that every fold has its share of every class: y (n,) of labels -> (n,) in 0..k-1.

    Imagine the rows sorted by class, the classes in the order of their first appearance in y, and dealt out like cards:
    the i-th to fold i % k. That settles how many rows of a class a fold gets. Which ones, their order in y settles: the
    first rows of the class are fold 0's, the next fold 1's, and so on.
    """
    _, first, codes = np.unique(y, return_index=True, return_inverse=True)
    codes = np.argsort(np.argsort(first))[codes]  # classes numbered by first appearance
    ordered = np.sort(codes)
    folds = np.empty(len(codes), dtype=np.int64)
    for c in range(len(first)):
        folds[codes == c] = np.sort(np.flatnonzero(ordered == c) % k)
    return folds


def group_folds(groups, k):
    """The fold of each row, such that no group is in two folds: groups (n,) of labels -> (n,) in 0..k-1.

    The largest group first, each goes to the fold that has the fewest rows so far. Of groups of one size the last in
    ascending order comes first; of folds with equally few rows the first is taken.
    """
    _, codes, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    fold_of, load = np.empty(len(sizes), dtype=np.int64), np.zeros(k, dtype=np.int64)
    for group in np.argsort(sizes, kind="stable")[::-1]:
        fold_of[group] = np.argmin(load)
        load[fold_of[group]] += sizes[group]
    return fold_of[codes]


# --------------------------------------------------------------------------------------------------------- splitters


class Splitter:
    """Splits into folds: each is the test once, all other rows are then the training.

    Parameters: n_splits, how many folds, >= 2 (int); shuffle, whether rows are dealt out at random; random_state, a seed or
    a generator for that. Raises ValueError for another n_splits.
    """

    def __init__(self, n_splits=5, *, shuffle=False, random_state=None):
        """Checks n_splits, and stores the parameters."""
        check_number("n_splits", n_splits, low=2, integer=True)
        self.n_splits, self.shuffle, self.random_state = n_splits, shuffle, random_state

    def get_n_splits(self, X=None, y=None, groups=None):
        """How many pairs `split` yields (int)."""
        return self.n_splits

    def folds(self, X=None, y=None, groups=None):
        """The fold in which each row is tested, (n,) of integers in 0..n_splits-1. Each kind of splitter has its own."""
        raise NotImplementedError(f"{type(self).__name__} does not say which fold a row belongs to")

    def split(self, X=None, y=None, groups=None):
        """Yields (train, test) for fold 0, 1, ...: indices of rows, ascending, (n - m,) and (m,) of integers.

        X (n, ...), y (n,), groups (n,): only their lengths and what the kind of splitter asks for are looked at.
        """
        folds = self.folds(X, y, groups)
        for fold in range(self.n_splits):
            yield np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)

    def __repr__(self):
        """The call that makes it."""
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"


class KFold(Splitter):
    """Folds of consecutive rows, as equal as can be; with shuffle of any rows."""

    def folds(self, X=None, y=None, groups=None):
        """(n,): the sizes of `fold_sizes`, in order; shuffled by one permutation. ValueError for fewer rows than folds."""
        n = count_rows(X, y, groups)
        if self.n_splits > n:
            raise ValueError(
                f"Cannot have number of splits n_splits={self.n_splits} greater than the number of samples: n_samples={n}."
            )
        folds = np.repeat(np.arange(self.n_splits), fold_sizes(n, self.n_splits))
        return check_generator(self.random_state).permutation(folds) if self.shuffle else folds


class StratifiedKFold(Splitter):
    """Folds that each have their share of every class; with shuffle of any rows of the class."""

    def folds(self, X=None, y=None, groups=None):
        """(n,) of `stratified_folds`; shuffled within each class.

        Raises ValueError for a y that is missing or no classes, and if every class has fewer rows than there are folds;
        a UserWarning if one has.
        """
        if y is None:
            raise ValueError("StratifiedKFold needs the classes: the target y is None")
        if np.size(y) != _length(y):
            raise ValueError(f"StratifiedKFold takes one label a row; y has shape {np.shape(y)}")
        classes, codes = encode_labels(np.ravel(y))
        count_rows(X, y, groups)
        counts = np.bincount(codes)
        if self.n_splits > counts.max():
            raise ValueError(
                f"n_splits={self.n_splits} cannot be greater than the number of members in each class: {counts}"
            )
        if self.n_splits > counts.min():
            says = f"The least populated class in y has only {counts.min()} members, which is less than n_splits={self.n_splits}."
            warn(UserWarning, says)
        folds = stratified_folds(codes, self.n_splits)
        if self.shuffle:
            generator = check_generator(self.random_state)
            for c in range(len(classes)):
                folds[codes == c] = generator.permutation(folds[codes == c])
        return folds


class GroupKFold(Splitter):
    """Folds that no group is divided between, and that have about equally many rows.

    Parameters: n_splits, how many folds, >= 2 (int).
    """

    def __init__(self, n_splits=5):
        """Checks n_splits, and stores it."""
        super().__init__(n_splits)

    def folds(self, X=None, y=None, groups=None):
        """(n,) of `group_folds`. Raises ValueError if groups is missing, or there are fewer groups than folds."""
        if groups is None:
            raise ValueError("The 'groups' parameter should not be None: GroupKFold needs the group of each sample")
        count_rows(X, y, groups)
        n_groups = len(np.unique(groups))
        if self.n_splits > n_groups:
            raise ValueError(
                f"Cannot have number of splits n_splits={self.n_splits} greater than the number of groups: {n_groups}."
            )
        return group_folds(groups, self.n_splits)


class TimeSeriesSplit(Splitter):
    """The past is the training, what comes after it the test. Rows have to be in the order of time.

    The last n_splits * test_size rows are cut into tests of test_size rows each; the training of each is every row before
    it, but for the `gap` rows right before it, and of these the last max_train_size.
    Parameters: n_splits >= 2; max_train_size, None for no limit; test_size, None for n // (n_splits + 1); gap >= 0 (ints).
    """

    def __init__(self, n_splits=5, *, max_train_size=None, test_size=None, gap=0):
        """Checks n_splits, and stores the parameters."""
        super().__init__(n_splits)
        self.max_train_size, self.test_size, self.gap = max_train_size, test_size, gap

    def split(self, X=None, y=None, groups=None):
        """Yields (train, test) as every splitter does, the earliest test first. ValueError if a training would be empty."""
        n = count_rows(X, y, groups)
        size = n // (self.n_splits + 1) if self.test_size is None else self.test_size
        if self.n_splits + 1 > n:
            raise ValueError(f"Cannot have number of folds={self.n_splits + 1} greater than the number of samples={n}.")
        if n - self.gap - size * self.n_splits <= 0:
            raise ValueError(
                f"Too many splits={self.n_splits} for number of samples={n} with test_size={size} and gap={self.gap}."
            )
        for start in range(n - self.n_splits * size, n, size):
            stop = start - self.gap
            first = 0 if self.max_train_size is None else max(0, stop - self.max_train_size)
            yield np.arange(first, stop), np.arange(start, start + size)


# ----------------------------------------------------------------------------------------------------- a single split


def split_sizes(n, test_size=None, train_size=None):
    """How many of n rows train and how many test (int, int).

    Each size is None, a number of rows (int), or a share of n (float in (0, 1)): a share of the test is rounded up, a share
    of the training down. None is the rest; both None: a quarter is the test. ValueError if there are too few rows for it.
    """
    if test_size is None and train_size is None:
        test_size = 0.25
    sizes = [size for size in (test_size, train_size) if np.asarray(size).dtype.kind == "f"]
    if sum(sizes) > 1:
        raise ValueError(f"test_size={test_size} and train_size={train_size} are shares, and more than all of it")
    n_test, n_train = _rows_of("test_size", test_size, n, np.ceil), _rows_of("train_size", train_size, n, np.floor)
    n_train, n_test = n - n_test if n_train is None else n_train, n - n_train if n_test is None else n_test
    if n_train < 1 or n_test < 1 or n_train + n_test > n:
        raise ValueError(
            f"of n_samples={n}, test_size={test_size} and train_size={train_size} make {n_train} training and {n_test} test"
            " samples: each should be at least 1, and their sum at most n_samples"
        )
    return n_train, n_test


def _rows_of(name, size, n, rounded):
    if size is None or (isinstance(size, (int, np.integer)) and 0 < size < n):
        return size
    if not (np.asarray(size).dtype.kind == "f" and 0 < size < 1):
        raise ValueError(
            f"{name}={size!r} should be a number of samples, at least 1 and less than {n}, or a share in (0, 1)"
        )
    return int(rounded(size * n))


def apportion(counts, seats):
    """Deals seats out in proportion to counts (k,): -> (k,) of integers that sum to seats, seats <= the sum of counts.

    Each gets the whole part of its share, and what is left goes to the largest remainders; of equal ones to the first.
    """
    whole, remainder = np.divmod(np.asarray(counts) * seats, np.sum(counts))
    whole[np.argsort(-remainder, kind="stable")[: seats - whole.sum()]] += 1
    return whole


def train_test_split(*arrays, test_size=None, train_size=None, random_state=None, shuffle=True, stratify=None):
    """Divides the rows once: each of the arrays, of n rows, becomes two -> [X_train, X_test, y_train, y_test, ...].

    Sizes as in `split_sizes`. The rows are chosen at random and the same in every array. With shuffle=False the first rows
    are the training and the next the test, in order. stratify (n,) of labels: the test has the share of each class that
    `apportion` gives it of all rows, the training its share of those that remain.

    Raises ValueError for arrays of different lengths, for stratify without shuffle, for a class with a single row, for
    fewer training or test rows than classes.
    """
    if stratify is not None and not shuffle:
        raise ValueError("stratify draws rows at random: with shuffle=False it should be None")
    n = count_rows(*arrays, stratify)
    n_train, n_test = split_sizes(n, test_size, train_size)
    if not shuffle:
        train, test = np.arange(n_train), np.arange(n_train, n_train + n_test)
    else:
        order = check_generator(random_state).permutation(n)
        if stratify is not None:
            order = _classes_apart(order, stratify, n_train, n_test)
        test, train = order[:n_test], order[n_test : n_test + n_train]
    return [take(array, rows) for array in arrays for rows in (train, test)]


def _classes_apart(order, y, n_train, n_test):
    """The rows in random order again, but first those of the test, class by class, then those of the training."""
    classes, codes = np.unique(y, return_inverse=True)
    counts = np.bincount(codes)
    if counts.min() < 2:
        raise ValueError("The least populated class in y has only 1 member, which is too few: the minimum is 2.")
    if min(n_train, n_test) < len(classes):
        raise ValueError(f"{n_train} training and {n_test} test samples are too few for {len(classes)} classes")
    in_test = apportion(counts, n_test)
    in_train = apportion(counts - in_test, n_train)
    rows = [order[codes[order] == c] for c in range(len(classes))]
    test = np.concatenate([r[:t] for r, t in zip(rows, in_test)])
    train = np.concatenate([r[t : t + m] for r, t, m in zip(rows, in_test, in_train)])
    place = np.argsort(order)  # where in the random order a row stands
    return np.concatenate([part[np.argsort(place[part])] for part in (test, train)])
