"""The Python tasks on what there is already: a data class, ExitStack, glob, statistics, NumPy's tables."""

import contextlib
import functools
import glob
import itertools
import operator
import os
import statistics
from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy as np


@dataclass(eq=True)
class Interval:
    low: float
    high: float

    def __post_init__(self):
        if self.low > self.high:
            raise ValueError("low > high")
        self.low, self.high = float(self.low), float(self.high)

    def _with(self, ufunc, other):
        other = [other.low, other.high] if isinstance(other, Interval) else [other]
        table = ufunc.outer([self.low, self.high], np.array(other, dtype=float))
        return Interval(float(table.min()), float(table.max()))

    def __add__(self, other):
        return self._with(np.add, other)

    def __mul__(self, other):
        return self._with(np.multiply, other)

    __radd__, __rmul__ = __add__, __mul__

    def __contains__(self, x):
        return bool(np.clip(x, self.low, self.high) == x)

    def __repr__(self):
        return f"Interval({self.low}, {self.high})"


class Step:
    def __init__(self, name):
        self.name, self._count = name, itertools.count()
        self.calls = next(self._count)

    def __call__(self, x):
        self.calls = next(self._count)
        return self.forward(x)

    def forward(self, x):
        return x


class Scale(Step):
    def __init__(self, factor):
        super().__init__("scale")
        self.factor = factor
        self.forward = functools.partial(operator.mul, factor)


class Chain(Step):
    def __init__(self, *steps):
        super().__init__(" > ".join(map(operator.attrgetter("name"), steps)))
        self.steps = steps

    def forward(self, x):
        return functools.reduce(lambda value, step: step(value), self.steps, x)


def positives(rows):
    flat = np.array([*itertools.chain.from_iterable(rows)], dtype=float)
    return flat[flat > 0].tolist()


def positions(words):
    found = defaultdict(list)
    for i, word in enumerate(words):
        found[word].append(i)
    return dict(found)


def batches(items, size):
    items = iter(items)
    return iter(lambda: list(itertools.islice(items, size)), [])


def counted(function):
    @functools.wraps(function)
    def call(*args, **kwargs):
        call.counter.update(["calls"])
        call.calls = call.counter["calls"]
        return function(*args, **kwargs)

    call.counter, call.calls = Counter(), 0
    return call


def retried(times, *kinds):
    def decorate(function):
        @functools.wraps(function)
        def call(*args, **kwargs):
            for _ in range(times - 1):
                with contextlib.suppress(*kinds):
                    return function(*args, **kwargs)
            return function(*args, **kwargs)

        return call

    return decorate


@contextlib.contextmanager
def replaced(mapping, **entries):
    with contextlib.ExitStack() as undo:
        for name, value in entries.items():
            back = functools.partial(operator.setitem, mapping, name, mapping[name]) if name in mapping else None
            undo.callback(back or functools.partial(mapping.pop, name, None))
            mapping[name] = value
        yield mapping


def save_whole(path, lines):
    with contextlib.ExitStack() as undo:
        undo.callback(os.remove, path + "~")
        with open(path + "~", "w", encoding="utf-8", newline="") as file:
            file.writelines(f"{line}\n" for line in lines)
        undo.pop_all()
    os.rename(path + "~", path)


class SettingError(ValueError):
    def __init__(self, line, text):
        super().__init__(text)
        self.line = line


def read_settings(path):
    found = {}
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(map(str.strip, file), 1):
            if line and line[0] != "#":
                try:
                    name, value = line.split("=", 1)
                    found[name.rstrip()] = float(value)
                except ValueError as problem:
                    raise SettingError(number, line) from problem
    return found


def files_below(folder, suffix):
    names = glob.glob(f"**/*{glob.escape(suffix)}", root_dir=folder, recursive=True)  # without what begins with a dot
    return sorted(name for name in names if os.path.isfile(os.path.join(folder, name)))


def geometric_mean(numbers):
    if any(x <= 0 for x in numbers):
        raise ValueError("not above 0")
    try:
        return statistics.geometric_mean(numbers)
    except statistics.StatisticsError as problem:
        raise ValueError("none") from problem


def most_common(words, k):
    return Counter(sorted(words)).most_common(k)


def moving_means(numbers, width):
    ends = []
    for x in numbers:
        ends = [*ends, x][-width:]
        if len(ends) == width:
            yield statistics.fmean(ends)


def settings(**choices):
    return [dict(zip(choices, values)) for values in itertools.product(*choices.values())]


def runs(items):
    return [(key, sum(1 for _ in group)) for key, group in itertools.groupby(items)]
