"""The Python that the course leans on: one small task for each part of the language and of its standard library.

Most bodies are two to ten lines, and the standard library is all they need. No task changes its arguments, unless that is
what it is for. *Any iterable* means that a generator will do, which can be read once, and may have no end.

The Python Tutorial (docs.python.org/3/tutorial), chapters 4 to 11.
"""

import functools
import math
import os
from collections import Counter, deque
from contextlib import contextmanager
from itertools import groupby, islice, product

# ---------------------------------------------------------------------------------------- classes, and inheritance


class Interval:
    """All numbers from low to high, both included: what one knows of a number that has been measured.

    Attributes: low and high, floats. Raises ValueError unless low <= high.
    """

    def __init__(self, low, high):
        if not low <= high:
            raise ValueError(f"an interval goes from low to high, not from {low} to {high}")
        self.low, self.high = float(low), float(high)

    def __add__(self, other):
        """The interval of every x + y with x from here and y from the other, an Interval or a number."""
        other = _interval(other)
        return Interval(self.low + other.low, self.high + other.high)

    def __radd__(self, other):
        """The same where the number stands on the left: 3 + Interval(1, 2)."""
        return self + other

    def __mul__(self, other):
        """The interval of every x * y, for an Interval or a number: -1 * Interval(1, 2) goes from -2 to -1."""
        other = _interval(other)
        corners = [x * y for x in (self.low, self.high) for y in (other.low, other.high)]
        return Interval(min(corners), max(corners))

    def __rmul__(self, other):
        """The same where the number stands on the left."""
        return self * other

    def __eq__(self, other):
        """Whether the other is an Interval with the same ends; False for whatever is none."""
        return isinstance(other, Interval) and (self.low, self.high) == (other.low, other.high)

    def __contains__(self, x):
        """Whether the number x lies in it, as in `2 in Interval(1, 2)`, which is True."""
        return self.low <= x <= self.high

    def __repr__(self):
        """As one would type it: Interval(1.0, 2.0)."""
        return f"Interval({self.low}, {self.high})"


def _interval(x):
    return x if isinstance(x, Interval) else Interval(x, x)


class Step:
    """One step of a computation: calling it counts the call, and does what `forward` says.

    Attributes: name (text), and calls (int), how often this object has been called.
    """

    def __init__(self, name):
        self.name = name
        self.calls = 0

    def __call__(self, x):
        """One call more; gives forward(x)."""
        self.calls += 1
        return self.forward(x)

    def forward(self, x):
        """x itself. What a subclass does differently, it does here."""
        return x


class Scale(Step):
    """The step of the name "scale" that multiplies by a factor, its attribute `factor`."""

    def __init__(self, factor):
        super().__init__("scale")
        self.factor = factor

    def forward(self, x):
        """x times the factor."""
        return self.factor * x


class Chain(Step):
    """Steps one after another: each is called with what the one before it gave, and the last one's result is the chain's.

    Its attribute `steps` is the tuple of them, its name theirs with " > " between: "scale > scale", and "" for none.
    """

    def __init__(self, *steps):
        super().__init__(" > ".join(step.name for step in steps))
        self.steps = steps

    def forward(self, x):
        """What comes out of the last step; x if there is none. Every step counts its call."""
        for step in self.steps:
            x = step(x)
        return x


# -------------------------------------------------------------------------------------- comprehensions, generators


def positives(rows):
    """A list of lists of numbers -> one list: the numbers above 0, row after row."""
    return [x for row in rows for x in row if x > 0]


def positions(words):
    """A list of words -> {word: the places where it stands, rising}: ["b", "a", "b"] gives {"b": [0, 2], "a": [1]}."""
    return {word: [i for i, other in enumerate(words) if other == word] for word in words}


def batches(items, size):
    """Yields lists of `size` items each, in order; the last may be shorter, and none is empty.

    items: any iterable. No item is taken from it before the batch that it belongs to is asked for.
    """
    items = iter(items)
    while batch := list(islice(items, size)):
        yield batch


# ---------------------------------------------------------------------------------- decorators, context managers


def counted(function):
    """A decorator: the function as it was, with an attribute `calls` that says how often it has been called.

    It takes whatever the function takes, by place or by name, and keeps its __name__ and __doc__. A call that raises counts.
    """

    @functools.wraps(function)
    def call(*arguments, **named):
        call.calls += 1
        return function(*arguments, **named)

    call.calls = 0
    return call


def retried(times, *kinds):
    """A decorator, used as @retried(3, OSError): where the function raises one of `kinds`, it is called again.

    At most `times` calls in all, at least 1; what the last of them raises is passed on. Any other exception is passed on
    at once.
    """

    def decorate(function):
        @functools.wraps(function)
        def call(*arguments, **named):
            for _ in range(times - 1):
                try:
                    return function(*arguments, **named)
                except kinds:
                    continue
            return function(*arguments, **named)

        return call

    return decorate


@contextmanager
def replaced(mapping, **entries):
    """`with replaced(mapping, a=1):` sets entries of a dictionary for as long as the block runs; `as` gives the dictionary.

    Afterwards each of these entries is as it was before, or gone if there was none, also where the block raises; what it
    raises is passed on. Whatever else the block has changed stays.
    """
    before = {name: mapping[name] for name in entries if name in mapping}
    mapping.update(entries)
    try:
        yield mapping
    finally:
        for name in entries:
            mapping.pop(name, None)
        mapping.update(before)


# ------------------------------------------------------------------------------------------------ files, exceptions


def save_whole(path, lines):
    """Writes a text file, UTF-8 and "\\n" after each line, that is never half written: the old one is there, or the new.

    lines: any iterable of texts. They go into another file in the same folder, which takes the old one's place at the end
    (os.replace). Where taking a line raises, that is passed on, the old file is as it was, and no other is left behind.
    """
    beside = f"{path}.new"
    try:
        with open(beside, "w", encoding="utf-8", newline="\n") as file:
            for line in lines:
                file.write(line + "\n")
    except BaseException:
        os.remove(beside)
        raise
    os.replace(beside, path)


class SettingError(ValueError):  # given
    """A line of a file that is no setting. Attribute: line, its number, from 1."""

    def __init__(self, line, text):
        super().__init__(f"line {line} is no setting: {text!r}")
        self.line = line


def read_settings(path):
    """Reads a text file with one `name = number` a line -> {name: float}; of a name that comes twice, the later number.

    Spaces at either end of a line, a name or a number do not count; empty lines and lines that begin with # are passed
    over. SettingError for a line without `=`, and for one whose right side float() does not take; the latter is raised
    *from* float's own ValueError. A file that is not there raises what open() raises.
    """
    found = {}
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            name, equals, value = line.partition("=")
            if not equals:
                raise SettingError(number, line)
            try:
                found[name.strip()] = float(value)
            except ValueError as problem:
                raise SettingError(number, line) from problem
    return found


# ------------------------------------------------------------------------------ os, math, collections, itertools


def files_below(folder, suffix):
    """The files in a folder and in all folders below it whose names end in a suffix, as sorted paths from the folder on.

    The parts of a path are joined by "/". What has a name that begins with "." is passed over, and a folder of such a
    name with all that is in it.
    """
    found = []
    for here, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if name.endswith(suffix) and not name.startswith("."):
                found.append(os.path.relpath(os.path.join(here, name), folder).replace(os.sep, "/"))
    return sorted(found)


def geometric_mean(numbers):
    """The n-th root of the product of n numbers: the mean of their logarithms, brought back by exp.

    The product itself may be too large or too small for a float. ValueError for an empty list, or a number not above 0.
    """
    if not numbers or min(numbers) <= 0:
        raise ValueError("a geometric mean is one of numbers above 0, at least one of them")
    return math.exp(math.fsum(map(math.log, numbers)) / len(numbers))


def most_common(words, k):
    """The k words that occur most often, as (word, count), the most frequent first and equals in alphabetical order."""
    return sorted(Counter(words).items(), key=lambda item: (-item[1], item[0]))[:k]


def moving_means(numbers, width):
    """Yields the mean of each `width` numbers in a row: for [1, 2, 6, 1] and width 2, that is 1.5, 4.0, 3.5.

    numbers: any iterable. Each mean is yielded as soon as its last number has been taken, and no more than `width` numbers
    are kept.
    """
    window = deque(maxlen=width)
    for x in numbers:
        window.append(x)
        if len(window) == width:
            yield sum(window) / width


def settings(**choices):
    """Every combination of choices, as a list of dictionaries; the last name changes fastest.

    settings(rate=[1, 2], seed=[7, 8]) begins with {"rate": 1, "seed": 7} and {"rate": 1, "seed": 8}.
    """
    return [dict(zip(choices, values)) for values in product(*choices.values())]


def runs(items):
    """Equal neighbours taken together, in order, as (item, how many): "aabaa" gives ("a", 2), ("b", 1), ("a", 2), in a list."""
    return [(item, len(list(group))) for item, group in groupby(items)]
