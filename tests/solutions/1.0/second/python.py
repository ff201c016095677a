"""The Python tasks by other means: loops in place of comprehensions, classes in place of closures, pathlib in place of os."""

import functools
import math
import os
import re
import statistics
import tempfile
from collections import defaultdict
from fractions import Fraction
from pathlib import Path


class Interval:
    __slots__ = ("high", "low")

    def __init__(self, low, high):
        if low > high or low != low or high != high:
            raise ValueError("low has to come first")
        self.low = low / 1
        self.high = high / 1

    def _of(self, other, do):
        others = (other.low, other.high) if type(other) is Interval else (other,)
        results = []
        for x in (self.low, self.high):
            for y in others:
                results.append(do(x, y))
        return Interval(*sorted(results)[:: len(results) - 1])

    def __add__(self, other):
        return self._of(other, lambda x, y: x + y)

    def __mul__(self, other):
        return self._of(other, lambda x, y: x * y)

    __radd__, __rmul__ = __add__, __mul__

    def __eq__(self, other):
        if not isinstance(other, Interval):
            return NotImplemented
        return repr(self) == repr(other) or (self.low == other.low and self.high == other.high)

    def __contains__(self, x):
        return max(self.low, x) == min(x, self.high)

    def __repr__(self):
        return "Interval({!r}, {!r})".format(self.low, self.high)  # noqa: UP032


class Step:
    calls = 0  # of the class; the first call gives the object one of its own

    def __init__(self, name):
        self.name = name

    def __call__(self, x):
        self.calls = self.calls + 1
        return self.forward(x)

    def forward(self, x):
        return x


class Scale(Step):
    def __init__(self, factor):
        Step.__init__(self, "scale")
        self.factor = factor

    def forward(self, x):
        return super().forward(x) * self.factor


class Chain(Step):
    def __init__(self, *steps):
        self.steps = tuple(steps)

    @property
    def name(self):
        return " > ".join([step.name for step in self.steps])

    def forward(self, x):
        return functools.reduce(lambda value, step: step(value), self.steps, x)


def positives(rows):
    found = []
    for row in rows:
        found += filter(lambda x: x > 0, row)
    return found


def positions(words):
    found = defaultdict(list)
    for i, word in enumerate(words):
        found[word].append(i)
    return found


def batches(items, size):
    batch = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


class counted:
    def __init__(self, function):
        functools.update_wrapper(self, function)
        self._function, self.calls = function, 0

    def __call__(self, *args, **kwargs):
        self.calls += 1
        return self._function(*args, **kwargs)


def retried(times, *kinds):
    def decorate(function):
        @functools.wraps(function)
        def call(*args, **kwargs):
            left = times
            while True:
                left -= 1
                try:
                    return function(*args, **kwargs)
                except kinds:
                    if left == 0:
                        raise

        return call

    return decorate


class replaced:
    _nothing = object()

    def __init__(self, mapping, **entries):
        self.mapping, self.entries = mapping, entries

    def __enter__(self):
        self.before = [(name, self.mapping.get(name, self._nothing)) for name in self.entries]
        for name, value in self.entries.items():
            self.mapping[name] = value
        return self.mapping

    def __exit__(self, *_):
        for name, value in self.before:
            if value is not self._nothing:
                self.mapping[name] = value
            elif name in self.mapping:
                del self.mapping[name]


def save_whole(path, lines):
    path = Path(path)
    handle, beside = tempfile.mkstemp(dir=path.parent)
    written = False
    try:
        with os.fdopen(handle, "wb") as file:
            for line in lines:
                file.write(line.encode("utf-8"))
                file.write(b"\n")
        written = True
    finally:
        if not written:
            Path(beside).unlink()
    Path(beside).replace(path)


class SettingError(ValueError):
    def __init__(self, line, text):
        super().__init__(line, text)
        self.line = line


def read_settings(path):
    found = {}
    for i, line in enumerate(Path(path).read_text(encoding="utf-8").split("\n")):
        if re.fullmatch(r"\s*(#.*)?", line):
            continue
        try:
            name, value = line.split("=", maxsplit=1)
            found[name.strip()] = float(value.strip())
        except ValueError as why:
            raise SettingError(i + 1, line) from why
    return found


def files_below(folder, suffix):
    root = Path(folder)
    found = []
    for path in root.rglob("*"):
        parts = path.relative_to(root).parts
        if path.is_file() and path.name.endswith(suffix) and all(part[0] != "." for part in parts):
            found.append("/".join(parts))
    found.sort()
    return found


def geometric_mean(numbers):
    if any(not x > 0 for x in numbers):
        raise ValueError("not above 0")
    try:
        return 2.0 ** statistics.fmean(math.log2(x) for x in numbers)
    except statistics.StatisticsError:
        raise ValueError("nothing to take the mean of") from None


def most_common(words, k):
    counts = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    ranked = sorted(counts.items())
    ranked.sort(key=lambda pair: pair[1], reverse=True)  # a stable sort keeps the alphabet among equals
    return ranked[0:k]


def moving_means(numbers, width):
    window, total = [], Fraction(0)
    for x in numbers:
        window.append(Fraction(x))
        total += window[-1]
        if len(window) > width:
            total -= window.pop(0)
        if len(window) == width:
            yield float(total / width)


def settings(**choices):
    if not choices:
        return [{}]
    name, *rest = choices
    others = settings(**{other: choices[other] for other in rest})
    return [{name: value, **other} for value in choices[name] for other in others]


def runs(items):
    found = []
    for item in items:
        if found and found[-1][0] == item:
            found[-1][1] += 1
        else:
            found.append([item, 1])
    return list(map(tuple, found))
