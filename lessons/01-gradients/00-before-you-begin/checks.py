"""What is asked of lesson 1.0: small tasks in Python, linear algebra, calculus and probability, a first analysis, four projects.

The name of each checkpoint begins with its part and a colon, so that a verdict can be read as a self-assessment. The practice
projects are stretch checkpoints: they answer a gap, and whoever has none may leave them.
"""

import bdb
import cmath
import contextlib
import csv
import importlib.util
import io
import itertools
import json
import linecache
import math
import os
import pdb
import re
import statistics
import sys
import tempfile
import types
from fractions import Fraction
from xml.etree import ElementTree

import numpy as np

from groundup.course import checkpoint

WORDS = ("b", "a", "c", "aa", "B")


def numbers(draw, low, high, count):
    """A list of whole numbers, as floats."""
    return [float(x) for x in draw.integers(low, high, count)]


def plain(x):
    """A Counter, a defaultdict, a named tuple as the dictionary or tuple that it is as well."""
    if isinstance(x, dict):
        return {key: plain(value) for key, value in x.items()}
    if isinstance(x, (list, tuple)):
        return (list if isinstance(x, list) else tuple)(plain(item) for item in x)
    return x


def folder_with(files):
    """A new folder, below the working directory, with these files in it: {path: text}."""
    folder = tempfile.mkdtemp(dir=".")
    for path, text in files.items():
        os.makedirs(os.path.dirname(os.path.join(folder, path)), exist_ok=True)
        with open(os.path.join(folder, path), "wb") as file:
            file.write(text.encode())
    return folder


def written(path, text):
    """The path of a file of the working directory, with this text in it now."""
    with open(path, "wb") as file:
        file.write(text.encode())
    return path


def text_of(path):
    """What stands in a file, or None where there is none."""
    if not os.path.exists(path):
        return None
    with open(path, "rb") as file:
        return file.read().decode()


# ------------------------------------------------------------------------------------------------ Python: the language


@checkpoint("Python: a class with operators of its own", count=20)
def operators(lib, a, b, x):
    Interval = lib.drills.python.Interval
    one, other = Interval(*a), Interval(*b)
    turned = "nothing"
    try:
        Interval(a[1] + 1, a[0])
    except ValueError:
        turned = "ValueError"
    return {
        "one + other": ends(one + other),
        "one * other": ends(one * other),
        "one + x, x + one": [ends(one + x), ends(x + one)],
        "one * x, x * one": [ends(one * x), ends(x * one)],
        "x in one": x in one,
        "one == other": one == other,
        "one == its ends": one == (a[0], a[1]),
        "repr(one)": repr(one),
        "the wrong way round": turned,
    }


def ends(interval):
    return [interval.low, interval.high]


@operators.cases
def _(draw):
    a, b = (sorted(draw.integer(-4, 4) / draw.choice([1, 2]) for _ in range(2)) for _ in range(2))
    return dict(a=a, b=draw.choice([a, b]), x=draw.choice([a[1], 2, -1, 0, a[0] - 1]))


@operators.edges
def _():
    return [dict(a=[1.0, 2.0], b=[1.0, 3.0], x=2), dict(a=[0.0, 0.0], b=[-1.0, 2.0], x=-3)]


@operators.oracle
def _(a, b, x):
    def spread(values):
        return [float(min(values)), float(max(values))]

    sums, products = (
        [spread([p + q for p in a for q in other]) for other in (b, [x])],
        [spread([p * q for p in a for q in other]) for other in (b, [x])],
    )
    return {
        "one + other": sums[0],
        "one * other": products[0],
        "one + x, x + one": [sums[1], sums[1]],
        "one * x, x * one": [products[1], products[1]],
        "x in one": not (x < a[0] or x > a[1]),
        "one == other": a == b,
        "one == its ends": False,
        "repr(one)": f"Interval({float(a[0])!r}, {float(a[1])!r})",
        "the wrong way round": "ValueError",
    }


@checkpoint("Python: inheritance, and what super() is for", count=15)
def inheritance(lib, factors, inputs):
    module = lib.drills.python
    built = []

    def make(part):
        built.append(module.Chain(*map(make, part)) if isinstance(part, list) else module.Scale(part))
        return built[-1]

    chain, idle = make(factors), module.Step("idle")
    return {
        "chain(x)": [chain(x) for x in inputs],
        "idle(x)": [idle(x) for x in inputs[:1]],
        "names": [step.name for step in built],
        "calls": [step.calls for step in [*built, idle]],
        "all are Steps": all(isinstance(step, module.Step) for step in built),
    }


@inheritance.cases
def _(draw):
    flat = numbers(draw, -3, 3, draw.integer(0, 3))
    nested = [2.0, numbers(draw, -3, 3, draw.integer(1, 2)), 3.0]
    return dict(factors=draw.choice([flat, nested]), inputs=numbers(draw, -2, 5, draw.integer(1, 3)))


@inheritance.edges
def _():
    return [
        dict(factors=[2.0], inputs=[3.0]),
        dict(factors=[], inputs=[1.0]),
        dict(factors=[2.0, 5.0], inputs=[1.0, 3.0]),
    ]


@inheritance.oracle
def _(factors, inputs):
    product, names = 1.0, []

    def walk(part):
        nonlocal product
        if isinstance(part, list):
            name = " > ".join([walk(inner) for inner in part])
        else:
            product, name = product * part, "scale"
        names.append(name)
        return name

    walk(factors)
    calls = [len(inputs)] * len(names) + [len(inputs[:1])]
    return {
        "chain(x)": [x * product for x in inputs],
        "idle(x)": inputs[:1],
        "names": names,
        "calls": calls,
        "all are Steps": True,
    }


@checkpoint("Python: comprehensions, of lists and of dictionaries", count=15)
def comprehensions(lib, rows, words):
    return plain({"positives": lib.drills.python.positives(rows), "positions": lib.drills.python.positions(words)})


@comprehensions.cases
def _(draw):
    rows = [numbers(draw, -3, 3, draw.integer(0, 3)) for _ in range(draw.integer(0, 3))]
    return dict(rows=rows, words=[draw.choice(WORDS) for _ in range(draw.integer(0, 6))])


@comprehensions.edges
def _():
    return [dict(rows=[], words=[]), dict(rows=[[1.0, -2.0], [], [0.0, 3.0]], words=["b", "a", "b"])]


@comprehensions.oracle
def _(rows, words):
    kept, places = [], {}
    for x in itertools.chain.from_iterable(rows):
        if x > 0:
            kept.append(x)
    for i, word in enumerate(words):
        places.setdefault(word, []).append(i)
    return {"positives": kept, "positions": places}


@checkpoint("Python: generators, which take no more than they need", count=15)
def generators(lib, length, size, width, most):
    found = {}
    for name, make in (
        ("batches", lambda items: lib.drills.python.batches(items, size)),
        ("moving_means", lambda items: lib.drills.python.moving_means(items, width)),
    ):
        source = Source(length)
        results, taken = [], [source.taken]
        for result in itertools.islice(make(source), most):
            results.append(result)
            taken.append(source.taken)
        found[name] = results
        found[f"taken by {name}"] = taken
    return found


class Source:
    """Gives 0.0, 1.0, 4.0, 9.0, ... and counts; after `length` of them it is at its end, after 1000 out of patience."""

    def __init__(self, length):
        self.length, self.taken = length, 0

    def __iter__(self):
        return self

    def __next__(self):
        if self.taken == self.length:
            raise StopIteration
        if self.taken == 1000:
            raise RuntimeError("1000 items have been taken, and nobody needs so many")
        self.taken += 1
        return float((self.taken - 1) ** 2)


@generators.cases
def _(draw):
    return dict(
        length=draw.choice([5, 0, 6, 10**6]), size=draw.integer(1, 4), width=draw.integer(1, 4), most=draw.integer(1, 4)
    )


@generators.edges
def _():
    return [
        dict(length=3, size=2, width=2, most=9),
        dict(length=10**6, size=2, width=2, most=2),
        dict(length=4, size=2, width=5, most=9),
    ]


@generators.oracle
def _(length, size, width, most):
    squares = [float(i**2) for i in range(min(length, 100))]
    batches = [squares[i : i + size] for i in range(0, len(squares), size)][:most]
    means = [sum(squares[i : i + width]) / width for i in range(len(squares) - width + 1)][:most]
    return {
        "batches": batches,
        "taken by batches": [0, *itertools.accumulate(map(len, batches))],
        "moving_means": means,
        "taken by moving_means": [0, *range(width, width + len(means))],
    }


@generators.shown
def _(length, size, width, most):
    return f"items: 0.0, 1.0, 4.0, ..., {length} of them\nsize = {size}, width = {width}\n{most} results are asked for"


@checkpoint("Python: decorators, with and without arguments", count=15)
def decorators(lib, calls, times, raises):
    def scaled(a, b=2, *, minus=0):
        """a times b, less something"""
        if a < 0:
            raise ValueError("a is below 0")
        return a * b - minus

    count = lib.drills.python.counted(scaled)
    other = lib.drills.python.counted(scaled)
    results = [outcome_of(count, *arguments, **named) for arguments, named in calls]
    tried = []

    @lib.drills.python.retried(times, KeyError, OSError)
    def fetch(*words, end=""):
        """fetches"""
        tried.append(end.join(words))
        if len(tried) <= len(raises):
            raise KINDS[raises[len(tried) - 1]]("not yet")
        return end.join(words)

    fetched = outcome_of(fetch, "a", "b", end="-")
    return {
        "results": results,
        "calls": [count.calls, other.calls],
        "name and doc": [count.__name__, count.__doc__, fetch.__name__, fetch.__doc__],
        "retried gives": fetched,
        "retried calls": tried,
    }


KINDS = {"KeyError": KeyError, "FileNotFoundError": FileNotFoundError, "ValueError": ValueError}


def outcome_of(function, *arguments, **named):
    """What a call gives, or the name of what it raises."""
    try:
        return function(*arguments, **named)
    except (ValueError, KeyError, OSError) as problem:
        return type(problem).__name__


@decorators.cases
def _(draw):
    forms = [[[3], {}], [[3, 4], {}], [[3], {"minus": 1}], [[2], {"b": 5}], [[-1], {}]]
    raises = [draw.choice(["KeyError", "FileNotFoundError", "ValueError"]) for _ in range(draw.integer(0, 3))]
    return dict(calls=[draw.choice(forms) for _ in range(draw.integer(0, 3))], times=draw.integer(1, 3), raises=raises)


@decorators.edges
def _():
    return [
        dict(calls=[[[3], {}]], times=2, raises=["KeyError"]),
        dict(calls=[[[-1], {}], [[2], {"b": 5}]], times=3, raises=["ValueError", "KeyError"]),
        dict(calls=[], times=2, raises=["KeyError", "FileNotFoundError", "KeyError"]),
    ]


@decorators.oracle
def _(calls, times, raises):
    results = []
    for (a, *rest), named in calls:
        b = rest[0] if rest else named.get("b", 2)
        results.append("ValueError" if a < 0 else a * b - named.get("minus", 0))
    final = next((i for i, kind in enumerate(raises[:times]) if kind == "ValueError"), min(times - 1, len(raises)))
    return {
        "results": results,
        "calls": [len(calls), 0],
        "name and doc": ["scaled", "a times b, less something", "fetch", "fetches"],
        "retried gives": raises[final] if final < len(raises) else "a-b",
        "retried calls": ["a-b"] * (final + 1),
    }


@checkpoint("Python: context managers, which put things back", count=15)
def context_managers(lib, before, entries, changed, raises):
    mapping = dict(before)
    inside, same, raised = None, None, "nothing"
    try:
        with lib.drills.python.replaced(mapping, **entries) as given:
            inside, same = dict(mapping), given is mapping
            mapping.update(changed)
            if raises:
                mapping.pop("a", None)
                raise KeyError("in the block")
    except KeyError:
        raised = "KeyError"
    return {"inside": inside, "as gives it": same, "afterwards": mapping, "raised": raised}


@context_managers.cases
def _(draw):
    def some(names, low):
        return {name: draw.integer(low, low + 3) for name in names if draw.boolean()}

    return dict(before=some("ab", 0), entries=some("abc", 10), changed=some("ad", 20), raises=draw.boolean())


@context_managers.edges
def _():
    return [
        dict(before={"a": 1}, entries={"a": 2}, changed={}, raises=False),
        dict(before={"a": 1}, entries={"a": 2, "b": 3}, changed={}, raises=True),
        dict(before={"a": 1}, entries={"b": 3}, changed={"d": 9}, raises=False),
    ]


@context_managers.oracle
def _(before, entries, changed, raises):
    after = {**before, **changed}
    if raises:
        after.pop("a", None)
    for name in entries:
        after.pop(name, None)
        if name in before:
            after[name] = before[name]
    return {
        "inside": {**before, **entries},
        "as gives it": True,
        "afterwards": after,
        "raised": "KeyError" if raises else "nothing",
    }


@checkpoint("Python: files, written whole or not at all", count=8)
def files(lib, old, lines, fails):
    folder = folder_with({} if old is None else {"kept.txt": old})
    path = os.path.join(folder, "kept.txt")
    midway, raised = [], "nothing"

    def given():
        for line in lines:
            midway.append(text_of(path))
            yield line
        if fails:
            raise KeyError("the lines have run out")

    try:
        lib.drills.python.save_whole(path, given())
    except KeyError:
        raised = "KeyError"
    return {
        "while it is written": midway,
        "afterwards": text_of(path),
        "files": sorted(os.listdir(folder)),
        "raised": raised,
    }


@files.cases
def _(draw):
    lines = [draw.choice(["a", "", "grün", "two words", "日本"]) for _ in range(draw.integer(0, 3))]
    return dict(old=draw.choice([None, "old\n", ""]), lines=lines, fails=draw.boolean())


@files.edges
def _():
    return [dict(old="old\n", lines=["a", "b"], fails=False), dict(old="old\n", lines=["a"], fails=True), dict(old=None, lines=["a"], fails=True)]  # fmt: skip


@files.oracle
def _(old, lines, fails):
    after = old if fails else "".join(f"{line}\n" for line in lines)
    return {
        "while it is written": [old] * len(lines),
        "afterwards": after,
        "files": [] if after is None else ["kept.txt"],
        "raised": "KeyError" if fails else "nothing",
    }


@checkpoint("Python: exceptions, caught by kind and raised from their cause", count=12)
def exceptions(lib, lines):
    module = lib.drills.python
    path = written("settings.txt", "\n".join(lines))
    try:
        return {"settings": plain(module.read_settings(path))}
    except module.SettingError as problem:
        return {
            "SettingError": problem.line,
            "from a ValueError": "=" in lines[problem.line - 1] and isinstance(problem.__cause__, ValueError),
        }


@exceptions.cases
def _(draw):
    good = ["rate = 0.1", "  seed=7", "", "# rate = x", "rate = 2e-3", "name with spaces =  -1 "]
    bad = ["rate", "rate = fast", "a = b = 3", "= 1 2", "seed: 7"]
    return dict(lines=[draw.choice(bad if draw.boolean(0.2) else good) for _ in range(draw.integer(0, 5))])


@exceptions.edges
def _():
    return [
        dict(lines=["rate = 0.1", "", "# a comment", "seed=7"]),
        dict(lines=["rate = fast"]),
        dict(lines=["", "# no settings above", "rate"]),
    ]


@exceptions.oracle
def _(lines):
    found = {}
    for i, line in enumerate(lines, 1):
        if line.strip() == "" or line.strip()[0] == "#":
            continue
        left, *right = line.split("=", 1)
        try:
            value = float(right[0]) if right else None
        except ValueError:
            value = None
        if value is None:
            return {"SettingError": i, "from a ValueError": bool(right)}
        found[left.strip()] = value
    return {"settings": found}


@checkpoint("Python: os, and the tree of folders", count=5)
def folders(lib, paths, suffix):
    return lib.drills.python.files_below(folder_with(dict.fromkeys(paths, "")), suffix)


@folders.cases
def _(draw):
    pool = [
        "a.txt",
        "b.txt",
        "x/a.txt",
        "x/y/c.txt",
        ".git/d.txt",
        "x/.e.txt",
        "a.py",
        "x.txt/a.py",
        "x/.h/y/f.txt",
        "txt",
    ]
    return dict(paths=[path for path in pool if draw.boolean()], suffix=draw.choice([".txt", ".py", "txt"]))


@folders.edges
def _():
    return [
        dict(paths=[], suffix=".txt"),
        dict(paths=["b.txt", "x/a.txt", "a.py"], suffix=".txt"),
        dict(paths=["x/y/c.txt", "x/.h/y/f.txt", ".e.txt"], suffix=".txt"),
    ]


@folders.oracle
def _(paths, suffix):
    return sorted(p for p in paths if p.endswith(suffix) and not any(part.startswith(".") for part in p.split("/")))


@checkpoint("Python: math, and a product that would overflow", rtol=1e-9, count=15)
def mathematics(lib, values):
    try:
        return lib.drills.python.geometric_mean(values)
    except ValueError:
        return "ValueError"


@mathematics.cases
def _(draw):
    scale = draw.choice([1.0, 1.0, 1e200, 1e-200])
    return dict(values=[scale * x for x in draw.log_uniform(0.1, 10.0, draw.integer(1, 5)).tolist()])


@mathematics.edges
def _():
    return [dict(values=v) for v in ([2.0, 8.0], [5.0], [], [2.0, 0.0], [-1.0, -4.0], [1e300] * 4, [1e-300] * 4)]


@mathematics.oracle
def _(values):
    return statistics.geometric_mean(values) if values and min(values) > 0 else "ValueError"


@checkpoint("Python: collections, counting words", count=15)
def collections_(lib, words, k):
    return plain(lib.drills.python.most_common(words, k))


@collections_.cases
def _(draw):
    return dict(words=[draw.choice(WORDS) for _ in range(draw.integer(0, 9))], k=draw.integer(0, 4))


@collections_.edges
def _():
    return [dict(words=["b", "a", "b"], k=1), dict(words=["b", "a"], k=2), dict(words=[], k=3)]


@collections_.oracle
def _(words, k):
    return sorted(((w, words.count(w)) for w in sorted(set(words))), key=lambda pair: -pair[1])[:k]


@checkpoint("Python: itertools, every combination and equal neighbours", count=15)
def itertools_(lib, choices, items):
    return plain({"settings": lib.drills.python.settings(**choices), "runs": lib.drills.python.runs(items)})


@itertools_.cases
def _(draw):
    names = ["rate", "seed", "width"][: draw.integer(0, 3)]
    choices = {name: numbers(draw, 1, 9, draw.integer(1, 3)) for name in names}
    return dict(choices=choices, items=[draw.choice(["a", "b"]) for _ in range(draw.integer(0, 7))])


@itertools_.edges
def _():
    return [dict(choices={"rate": [1, 2], "seed": [7, 8]}, items=list("aabaa")), dict(choices={}, items=[]), dict(choices={"a": []}, items=["b"])]  # fmt: skip


@itertools_.oracle
def _(choices, items):
    combinations = [{}]
    for name, values in choices.items():
        combinations = [{**chosen, name: value} for chosen in combinations for value in values]
    lengths = []
    for item in items:
        if lengths and lengths[-1][0] == item:
            lengths[-1] = (item, lengths[-1][1] + 1)
        else:
            lengths.append((item, 1))
    return {"settings": combinations, "runs": lengths}


# ------------------------------------------------------------------------------------- Python: what stands around the code


@checkpoint("Python: imports and packages, which module a name means and which runs first", count=20)
def imports(lib, name, module, is_package, graph):
    try:
        absolute = lib.drills.tools.absolute_name(name, module, is_package)
    except ImportError:
        absolute = "ImportError"
    return {"absolute_name": absolute, "execution_order": lib.drills.tools.execution_order(graph, "main")}


@imports.cases
def _(draw):
    module = ".".join(["mine", "grad", "nn"][: draw.integer(1, 3)])
    name = "." * draw.integer(0, 3) + draw.choice(["tensor", "drills.arrays"])
    modules = ["main", *"abcd"[: draw.integer(0, 4)]]
    graph = {m: [other for other in draw.choice([modules[1:], modules[:0:-1]]) if draw.boolean()] for m in modules}
    return dict(name=name, module=module, is_package=draw.boolean(), graph=graph)


@imports.edges
def _():
    tree = {"main": ["b", "a"], "a": ["c"], "b": ["c"], "c": []}
    circle = {"main": ["a"], "a": ["b"], "b": ["a", "main"]}
    return [
        dict(name=".tensor", module="mine.grad.nn", is_package=False, graph={"main": []}),
        dict(name="..drills.arrays", module="mine.grad.nn", is_package=False, graph=tree),
        dict(name=".nn", module="mine.grad", is_package=True, graph=circle),
        dict(name=".", module="mine.grad.nn", is_package=False, graph={"main": ["a"], "a": []}),
        dict(name="..tensor", module="mine.nn", is_package=False, graph={"main": []}),
    ]


@imports.oracle
def _(name, module, is_package, graph):
    try:
        absolute = importlib.util.resolve_name(name, module if is_package else module.rpartition(".")[0])
    except ImportError:
        absolute = "ImportError"
    ended, begun, waiting = [], {"main"}, [("main", iter(graph["main"]))]
    while waiting:
        current, rest = waiting[-1]
        following = next((other for other in rest if other not in begun), None)
        if following is None:
            ended.append(current)
            waiting.pop()
        else:
            begun.add(following)
            waiting.append((following, iter(graph[following])))
    return {"absolute_name": absolute, "execution_order": ended}


@checkpoint("Python: assertions that say what they found", count=20)
def assertions(lib, X, y, classes):
    try:
        return ["accepted", lib.drills.tools.check_batch(X, y, classes) is None]
    except AssertionError as problem:
        return ["AssertionError", bool(str(problem))]


@assertions.cases
def _(draw):
    n, classes = draw.integer(1, 4), draw.integer(1, 3)
    X, y = draw.normal(n, 2), draw.integers(0, classes - 1, n)
    wrong = draw.choice(["nothing", "nothing", "axes", "column", "longer", "floats", "class", "below", "hole", "large"])
    place = draw.integer(0, n - 1)
    if wrong in ("class", "below"):
        y[place] = {"class": classes, "below": -1}[wrong]
    if wrong in ("hole", "large"):
        X[place, 1] = {"hole": np.nan, "large": -np.inf}[wrong]
    X = X[:, 0] if wrong == "axes" else X
    y = {"column": y[:, None], "longer": np.append(y, 0), "floats": y.astype(float)}.get(wrong, y)
    return dict(X=X, y=y, classes=classes, _good=wrong == "nothing")


@assertions.edges
def _():
    X, y = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([0, 1])
    return [
        dict(X=X, y=y, classes=2, _good=True),
        dict(X=X, y=y, classes=1, _good=False),
        dict(X=X[:0], y=y[:0], classes=2, _good=False),
        dict(X=np.array([[1, 2]]), y=np.array([0], dtype=np.uint8), classes=1, _good=True),
        dict(X=X[:1], y=np.array([[0]]), classes=1, _good=False),
    ]


@assertions.oracle
def _(X, y, classes, good):
    return ["accepted" if good else "AssertionError", True]


PROGRAM = """
def total_of(numbers, start):
    total = start
    for place, x in enumerate(numbers):
        total = total + x
        total = total * 2
    return total


result = total_of({numbers}, {start})
"""


@checkpoint("Python: pdb, stopped at a line and asked; and where an exception came from", count=4)
def debugging(lib, program, line, condition, expression, depth, a):
    path = written("program.py", program)
    commands = lib.drills.tools.debugger_commands(line, condition, expression)
    return {"pdb prints": said_by_pdb(path, program, commands), "innermost": raised_in(lib, depth, a)}


def said_by_pdb(path, program, commands):
    """The last thing that pdb says when a program is run under it with these commands; "" for the end of the commands."""
    said = []

    class Debugger(pdb.Pdb):
        def message(self, msg):
            said.append(msg)

        error = message

    bdb.Breakpoint.clearBreakpoints()  # so that the first is number 1 again
    linecache.clearcache()
    typed = io.StringIO("".join(f"{command}\n" for command in commands))
    no_keys = types.SimpleNamespace(set_completer_delims=str)  # readline is native code, for a terminal's keys
    sys.modules.setdefault("readline", no_keys)
    debugger = Debugger(stdin=typed, stdout=io.StringIO(), nosigint=True, readrc=False)
    if sys.modules["readline"] is no_keys:
        del sys.modules["readline"]
    debugger.run(compile(program, os.path.abspath(path), "exec"), {"__name__": "__main__"})
    return said[-1] if said else ""


def raised_in(lib, depth, a):
    """What `innermost` says of an exception that went through `depth` functions."""
    steps = [f"def f{i}(a{i}):\n    b{i} = a{i} + {i}\n    return f{i + 1}(b{i})\n" for i in range(depth)]
    last = f"\ndef f{depth}(a{depth}):\n    c = a{depth} * 2\n\n    return c / (c - c)\n"
    names = {}
    exec(compile("".join(steps) + last, "program.py", "exec"), names)
    try:
        names["f0"](a)
    except ZeroDivisionError as problem:
        function, line, values = lib.drills.tools.innermost(problem)
        return [function, line, {name: value for name, value in values.items()}]


@debugging.cases
def _(draw):
    values, start = [draw.integer(-3, 5) for _ in range(draw.integer(1, 4))], draw.integer(0, 3)
    place = draw.integer(0, len(values) - 1)
    condition = draw.choice([f"place == {place}", f"place >= {place} and x == numbers[{place}]"])
    expression = draw.choice(["total", "x", "total - x", "[x, total]"])
    return stopped(
        values, start, place, draw.choice([5, 6]), condition, expression, draw.integer(0, 3), draw.integer(1, 5)
    )


def stopped(values, start, place, line, condition, expression, depth, a):
    program = PROGRAM.format(numbers=values, start=start)
    case = dict(program=program, line=line, condition=condition, expression=expression, depth=depth, a=a)
    return {**case, "_values": values, "_start": start, "_place": place}


@debugging.edges
def _():
    return [stopped([3, 5, 4], 0, 2, 5, "place == 2", "total", 1, 1), stopped([3, 5], 1, 1, 6, "x == 5", "x", 0, 2)]


@debugging.oracle
def _(program, line, condition, expression, depth, a, values, start, place):
    total = start
    for x in values[:place]:
        total = (total + x) * 2
    x = values[place]
    total += x if line == 6 else 0
    argument = a + sum(range(depth))
    return {
        "pdb prints": repr(eval(expression, {"x": x, "total": total})),
        "innermost": [f"f{depth}", 3 * depth + 5, {f"a{depth}": argument, "c": 2 * argument}],
    }


@debugging.shown
def _(program, line, condition, expression, depth, a):
    lines = "\n".join(f"{i:3} {text}" for i, text in enumerate(program.splitlines(), 1) if text)
    return f"{lines}\nline = {line}, condition = {condition!r}, expression = {expression!r}"


@checkpoint("Python: git, two branches: ahead, behind, and where they part", count=15)
def branches(lib, parents, ours, theirs):
    tools = lib.drills.tools
    return {
        "ahead_behind": tools.ahead_behind(parents, ours, theirs),
        "merge_base": tools.merge_base(parents, ours, theirs),
    }


@branches.cases
def _(draw):
    return history(draw.integer(1, 5), [branch_of(draw, name) for name in "ab"], draw.choice([True, False]))


def branch_of(draw, name):
    """Where it leaves the trunk, how many commits it has, and after which of them it takes the trunk in again, if it does."""
    return name, draw.integer(0, 4), draw.integer(0, 3), draw.choice([None, 1, 2])


def history(trunk, both, straight):
    """A trunk m0, m1, ... and two branches that leave it, one of which may be the trunk itself; the base by construction."""
    parents = {f"m{i}": [f"m{i - 1}"] if i else [] for i in range(trunk)}
    tips, has = [], []
    for name, leaves, length, merges in both:
        at = min(leaves, trunk - 1)
        tip, on = f"m{at}", at
        for i in range(length):
            parents[f"{name}{i}"] = [tip]
            tip = f"{name}{i}"
            if i == merges and on < trunk - 1:
                on = trunk - 1
                parents[tip].append(f"m{on}")
        tips.append(tip)
        has.append(on)
    if straight:
        tips[1], has[1] = f"m{trunk - 1}", trunk - 1
    return dict(parents=parents, ours=tips[0], theirs=tips[1], _base=f"m{min(has)}")


@branches.edges
def _():
    line = {"m0": [], "m1": ["m0"], "m2": ["m1"]}
    return [
        dict(parents={**line, "a0": ["m1"]}, ours="a0", theirs="m2", _base="m1"),
        dict(parents=line, ours="m0", theirs="m2", _base="m0"),
        dict(parents={**line, "a0": ["m0"], "a1": ["a0", "m1"]}, ours="a1", theirs="m2", _base="m1"),
    ]


@branches.oracle
def _(parents, ours, theirs, base):
    def has(commit):
        return {commit}.union(*map(has, parents[commit]))

    return {"ahead_behind": (len(has(ours) - has(theirs)), len(has(theirs) - has(ours))), "merge_base": base}


@checkpoint("Python: git, a merge: what comes together and what is a conflict", count=25)
def merging(lib, base, ours, theirs):
    return lib.drills.tools.merge_lines(base, ours, theirs)


@merging.cases
def _(draw):
    base = [f"line {i}" for i in range(draw.integer(0, 6))]

    def changed(line):
        return draw.choice([line, line, f"{line} ours", f"{line} both"]), draw.choice(
            [line, line, f"{line} both", f"{line} theirs"]
        )

    both = [changed(line) for line in base]
    return dict(base=base, ours=[mine for mine, _ in both], theirs=[other for _, other in both])


@merging.edges
def _():
    base = ["a", "b", "c"]
    return [
        dict(base=base, ours=["A", "b", "c"], theirs=["a", "b", "C"]),
        dict(base=base, ours=["a", "B", "c"], theirs=["a", "X", "c"]),
        dict(base=base, ours=["A", "b", "c"], theirs=["a", "B", "c"]),
        dict(base=base, ours=["a", "B", "c"], theirs=["a", "B", "c"]),
    ]


@merging.oracle
def _(base, ours, theirs):
    merged, conflicts = [], 0
    rows = zip(base, ours, theirs)
    for changed, group in itertools.groupby(rows, key=lambda row: len(set(row)) > 1):
        old, mine, other = (list(lines) for lines in zip(*group))
        if not changed or mine == other or other == old:
            merged += mine
        elif mine == old:
            merged += other
        else:
            conflicts += 1
            merged += ["<<<<<<< ours", *mine, "=======", *other, ">>>>>>> theirs"]
    return merged, conflicts


@merging.shown
def _(base, ours, theirs):
    wide = max([4, *(len(line) for line in (*base, *ours))])
    rows = [("base", "ours", "theirs"), *zip(base, ours, theirs)]
    return "\n".join(f"{one:{wide}}  {two:{wide}}  {three}" for one, two, three in rows)


@checkpoint("Python: a virtual environment, and which program a name starts", count=6)
def environments(lib, config, commands, path):
    tools = lib.drills.tools
    folder = folder_with({"env/pyvenv.cfg": config, **{f"{name}": "" for name in commands}})
    before = os.getcwd()
    os.chdir(folder)
    try:
        return {"environment": plain(tools.environment("env")), "found_first": tools.found_first("python", path)}
    finally:
        os.chdir(before)


@environments.cases
def _(draw):
    lines = [
        draw.choice(["home = /usr/bin", "home=/opt/python 3/bin", "HOME =  /usr/local/bin "]),
        draw.choice(["version = 3.11.2", "Version=3.9.18", "version = 3.12"]),
        draw.choice(
            [
                "include-system-site-packages = false",
                "include-system-site-packages = true",
                "Include-System-Site-Packages=False",
                "prompt = mine",
                "",
            ]
        ),
        draw.choice(["executable = /usr/bin/python3", "# no setting"]),
    ]
    pool = ["env/bin/python", "usr/bin/python", "local/bin/python", "local/bin/pip", "bin/python/lib.txt"]
    commands = [name for name in pool if draw.boolean()]
    path = draw.choice(
        ["env/bin:usr/bin", "usr/bin:env/bin", "local/bin::usr/bin:env/bin", "bin:local/bin", "", "nowhere"]
    )
    return dict(config="\n".join(lines[i] for i in draw.permutation(4)), commands=commands, path=path)


@environments.edges
def _():
    config = "home = /usr/bin\ninclude-system-site-packages = false\nversion = 3.11.2\n"
    return [
        dict(config=config, commands=["env/bin/python", "usr/bin/python"], path="env/bin:usr/bin"),
        dict(config="version = 3.11.2\nhome = /usr/bin\n", commands=["usr/bin/python"], path="env/bin:usr/bin"),
        dict(config=config, commands=["bin/python/lib.txt", "python"], path="bin::usr/bin"),
    ]


@environments.oracle
def _(config, commands, path):
    pairs = [line.split("=", 1) for line in config.split("\n") if "=" in line]
    values = {key.strip().lower(): value.strip() for key, value in pairs}
    candidates = [f"{folder}/python" for folder in path.split(":") if folder != ""]
    return {
        "environment": {
            "home": values["home"],
            "version": tuple(int(part) for part in values["version"].split(".")[:2]),
            "isolated": values.get("include-system-site-packages", "").lower() == "false",
        },
        "found_first": next((name for name in candidates if name in commands), None),
    }


# ----------------------------------------------------------------------------------------------------- linear algebra


@checkpoint("Linear algebra: a combination of vectors", count=15)
def combinations(lib, coefficients, vectors):
    return lib.drills.linear_algebra.combination(coefficients, vectors)


@combinations.cases
def _(draw):
    k, n = draw.integer(1, 4), draw.integer(1, 4)
    return dict(coefficients=draw.normal(k), vectors=draw.normal(k, n))


@combinations.edges
def _():
    return [dict(coefficients=np.array([2.0, -1.0]), vectors=np.array([[1.0, 0.0, 1.0], [0.0, 3.0, 1.0]]))]


@combinations.oracle
def _(coefficients, vectors):
    return np.array([math.fsum(c * v[j] for c, v in zip(coefficients, vectors)) for j in range(vectors.shape[1])])


@checkpoint("Linear algebra: the angle between two vectors", atol=1e-7, count=15)
def angles(lib, u, v):
    return lib.drills.linear_algebra.angle(u, v)


@angles.cases
def _(draw):
    n = draw.integer(1, 4)
    u = draw.normal(n) + 0.01
    return dict(u=u, v=draw.choice([draw.normal(n) + 0.01, 3.0 * u, -0.1 * u]))


@angles.edges
def _():
    return [
        dict(u=np.array([1.0, 0.0]), v=np.array([1.0, 1.0])),
        dict(u=np.array([0.1, 0.2, 0.3]), v=np.array([0.3, 0.6, 0.9])),
        dict(u=np.array([1.1, 1.1, 1.1]), v=np.array([-1.1, -1.1, -1.1])),
        dict(u=np.array([2.0, 0.0]), v=np.array([0.0, 5.0])),
    ]


@angles.oracle
def _(u, v):
    a, b = u / math.hypot(*u), v / math.hypot(*v)
    return 2 * math.atan2(math.hypot(*(a - b)), math.hypot(*(a + b)))  # no cosine, and so nothing to go above 1


@checkpoint("Linear algebra: a vector in two parts, along another and across it", atol=1e-10, count=15)
def projections(lib, v, u):
    return lib.drills.linear_algebra.parts(v, u)


@projections.cases
def _(draw):
    n = draw.integer(1, 4)
    return dict(v=draw.normal(n), u=draw.normal(n) + draw.choice([0.5, -0.5]))


@projections.edges
def _():
    return [dict(v=np.array([3.0, 4.0]), u=np.array([2.0, 0.0])), dict(v=np.array([0.0, 0.0]), u=np.array([1.0, 1.0]))]


@projections.oracle
def _(v, u):
    ratio = math.fsum(v * u) / math.fsum(u * u)
    return np.array([ratio * x for x in u]), np.array([y - ratio * x for x, y in zip(u, v)])


@checkpoint("Linear algebra: the matrix of a map that is only known by what it does", count=15)
def matrices(lib, A):
    def linear(x):
        assert x.shape == (A.shape[1],), f"the map takes vectors of shape ({A.shape[1]},), not {x.shape}"
        return np.array([float(row @ x) for row in A])

    return lib.drills.linear_algebra.matrix_of(linear, A.shape[1])


@matrices.cases
def _(draw):
    return dict(A=draw.normal(draw.integer(1, 4), draw.integer(1, 4)))


@matrices.edges
def _():
    return [dict(A=np.array([[1.0, 2.0], [3.0, 4.0]])), dict(A=np.array([[1.0, 2.0, 3.0]]))]


@matrices.oracle
def _(A):
    return A


@checkpoint("Linear algebra: two equations, and when they have no one answer", atol=1e-10, count=20)
def equations(lib, A, b):
    try:
        return lib.drills.linear_algebra.solve_two(A, b)
    except ValueError:
        return "ValueError"


@equations.cases
def _(draw):
    A = draw.integers(-4, 4, 2, 2).astype(float)
    A[1] = draw.choice([A[1], A[1], draw.integer(-2, 2) * A[0]])
    return dict(A=A, b=draw.integers(-5, 5, 2).astype(float))


@equations.edges
def _():
    A = np.array([[1.0, 2.0], [3.0, 4.0]])
    return [dict(A=A, b=np.array([5.0, 11.0])), dict(A=np.array([[1.0, 2.0], [2.0, 4.0]]), b=np.array([1.0, 2.0])), dict(A=np.array([[0.0, 1.0], [2.0, 0.0]]), b=np.array([3.0, 4.0]))]  # fmt: skip


@equations.oracle
def _(A, b):
    if Fraction(A[0, 0]) * Fraction(A[1, 1]) == Fraction(A[0, 1]) * Fraction(A[1, 0]):
        return "ValueError"
    return np.linalg.solve(A, b)


@checkpoint("Linear algebra: is it an eigenvector, and by which number", atol=1e-8, count=20)
def eigenvectors(lib, A, v):
    return lib.drills.linear_algebra.eigenvalue_of(A, v)


@eigenvectors.cases
def _(draw):
    n = draw.integer(1, 3)
    P = np.eye(n) + np.triu(draw.integers(-2, 2, n, n), 1)  # its inverse holds whole numbers too
    values = draw.integers(-3, 3, n).astype(float)
    A = np.round(P @ np.diag(values) @ np.linalg.inv(P))
    i = draw.integer(0, n - 1)
    other = P.sum(axis=1)  # one of its own only if all values are equal
    true = draw.boolean()
    value = values[i] if true or len(set(values.tolist())) == 1 else None
    return dict(A=A, v=draw.choice([1.0, -2.0, 0.5]) * (P[:, i] if true else other), _value=value)


@eigenvectors.edges
def _():
    turn = np.array([[0.0, -1.0], [1.0, 0.0]])
    return [
        dict(A=np.array([[2.0, 0.0], [0.0, 3.0]]), v=np.array([0.0, 5.0]), _value=3.0),
        dict(A=turn, v=np.array([1.0, 1.0]), _value=None),
        dict(A=np.array([[1.0, -1.0], [-1.0, 1.0]]), v=np.array([2.0, 2.0]), _value=0.0),
        dict(A=np.array([[1.0, 1.0], [0.0, 1.0]]), v=np.array([1.0, 1.0]), _value=None),
    ]


@eigenvectors.oracle
def _(A, v, value):
    return value


# ----------------------------------------------------------------------------------------------------------- calculus


def slope(f, x):
    """The derivative of a function that takes complex numbers: a nudge along the imaginary axis needs no difference."""
    return f(complex(x, 1e-30)).imag / 1e-30


@checkpoint("Calculus: five derivatives by the rules", atol=1e-9, count=15)
def rules(lib, x):
    return lib.drills.calculus.slopes(x)


@rules.cases
def _(draw):
    return dict(x=draw.uniform(-2.0, 2.0))


@rules.edges
def _():
    return [dict(x=1.0), dict(x=0.0)]


@rules.oracle
def _(x):
    functions = (
        lambda t: t * t * t - 2 * t,
        lambda t: cmath.sin(t * t),
        lambda t: t * cmath.exp(-t),
        lambda t: cmath.log(1 + t * t),
        lambda t: t / (1 + t * t),
    )
    return np.array([slope(f, x) for f in functions])


@checkpoint("Calculus: the tangent of a polynomial", atol=1e-9, count=15)
def tangents(lib, c, x):
    return lib.drills.calculus.tangent(c, x)


@tangents.cases
def _(draw):
    return dict(
        c=draw.integers(-3, 3, draw.integer(1, 5)).astype(float), x=draw.choice([1.0, 0.0, -1.0, 2.0, 0.5, -1.5])
    )


@tangents.edges
def _():
    return [
        dict(c=np.array([1.0, 0.0, 1.0]), x=2.0),
        dict(c=np.array([5.0]), x=3.0),
        dict(c=np.array([1.0, 2.0]), x=0.0),
    ]


@tangents.oracle
def _(c, x):
    P = np.polynomial.Polynomial(c)
    return float(P.deriv()(x)), float(P(x) - P.deriv()(x) * x)


@checkpoint("Calculus: partial derivatives", atol=1e-9, count=15)
def partial_derivatives(lib, x, y):
    return lib.drills.calculus.partials(x, y)


@partial_derivatives.cases
def _(draw):
    return dict(x=draw.uniform(-2.0, 2.0), y=draw.uniform(-2.0, 2.0))


@partial_derivatives.edges
def _():
    return [dict(x=1.0, y=2.0), dict(x=0.0, y=3.0)]


@partial_derivatives.oracle
def _(x, y):
    def f(s, t):
        return s * s * t + cmath.sin(s * t)

    return np.array([slope(lambda s: f(s, y), x), slope(lambda t: f(x, t), y)])


@checkpoint("Calculus: the chain rule, through a small network", atol=1e-9, count=15)
def chain_rule(lib, w, b, x, target):
    return lib.drills.calculus.loss_slopes(w, b, x, target)


@chain_rule.cases
def _(draw):
    return dict(
        w=draw.uniform(-2.0, 2.0),
        b=draw.uniform(-1.0, 1.0),
        x=draw.uniform(-2.0, 2.0),
        target=draw.choice([1.0, -1.0, 0.5]),
    )


@chain_rule.edges
def _():
    return [dict(w=0.5, b=0.0, x=2.0, target=1.0), dict(w=1.0, b=0.0, x=0.0, target=1.0)]


@chain_rule.oracle
def _(w, b, x, target):
    def loss(w, b):
        return (cmath.tanh(w * x + b) - target) ** 2

    return np.array([slope(lambda w: loss(w, b), w), slope(lambda b: loss(w, b), b)])


@checkpoint("Calculus: the lowest point of a parabola", atol=1e-9, count=15)
def lowest_points(lib, a, b, c):
    try:
        return lib.drills.calculus.lowest(a, b, c)
    except ValueError:
        return "ValueError"


@lowest_points.cases
def _(draw):
    a = draw.choice([1.0, 2.0, 0.5, -1.0, 3.0])
    return dict(a=a, b=draw.uniform(-4.0, 4.0), c=draw.uniform(-4.0, 4.0))


@lowest_points.edges
def _():
    return [dict(a=2.0, b=-4.0, c=5.0), dict(a=0.0, b=1.0, c=0.0), dict(a=-1.0, b=1.0, c=0.0)]


@lowest_points.oracle
def _(a, b, c):
    P = np.polynomial.Polynomial([c, b, a])
    return (float(P.deriv().roots()[0]), float(P(P.deriv().roots()[0]))) if a > 0 else "ValueError"


@checkpoint("Calculus: an area, and a function as a sum", atol=1e-9, count=15)
def sums(lib, c, low, width, n, x):
    def f(t):
        return float(np.polyval(c[::-1], t))

    return {
        "area": lib.drills.calculus.area(f, low, low + width, n),
        "exp_series": lib.drills.calculus.exp_series(x, n),
    }


@sums.cases
def _(draw):
    c = draw.integers(-3, 3, draw.integer(1, 4)).astype(float)
    return dict(
        c=c,
        low=draw.choice([0.0, -1.0, 1.0]),
        width=draw.choice([1.0, 2.0, 0.5]),
        n=draw.integer(1, 8),
        x=draw.uniform(-3.0, 3.0),
    )


@sums.edges
def _():
    return [dict(c=np.array([0.0, 1.0]), low=0.0, width=1.0, n=1, x=1.0), dict(c=np.array([1.0, 0.0, 3.0]), low=-1.0, width=2.0, n=4, x=0.0)]  # fmt: skip


@sums.oracle
def _(c, low, width, n, x):
    ends = np.linspace(low, low + width, n + 1)
    heights = np.polynomial.Polynomial(c)(ends)
    return {
        "area": float(np.sum((heights[1:] + heights[:-1]) / 2 * np.diff(ends))),
        "exp_series": math.fsum(x**k / math.factorial(k) for k in range(n)),
    }


# -------------------------------------------------------------------------------------------------------- probability


@checkpoint("Probability: at least once in n tries", atol=1e-12, count=15)
def tries(lib, p, n):
    return lib.drills.probability.at_least_one(p, n)


@tries.cases
def _(draw):
    return dict(p=draw.choice([0.5, 0.1, 0.25, 1 / 6, 0.0, 1.0]), n=draw.integer(0, 12))


@tries.edges
def _():
    return [dict(p=1 / 6, n=4), dict(p=0.5, n=0), dict(p=1.0, n=3)]


@tries.oracle
def _(p, n):
    return math.fsum(math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(1, n + 1))


@checkpoint("Probability: Bayes' rule, and what a positive test says", atol=1e-12, count=15)
def bayes(lib, prior, sensitivity, specificity):
    return lib.drills.probability.after_positive(prior, sensitivity, specificity)


@bayes.cases
def _(draw):
    rates = [0.5, 0.9, 0.99, 0.75, 1.0]
    return dict(
        prior=draw.choice([0.5, 0.01, 0.1, 0.001]), sensitivity=draw.choice(rates), specificity=draw.choice(rates)
    )


@bayes.edges
def _():
    return [dict(prior=0.01, sensitivity=0.9, specificity=0.95), dict(prior=0.2, sensitivity=0.5, specificity=1.0)]


@bayes.oracle
def _(prior, sensitivity, specificity):
    prior, sensitivity, specificity = Fraction(prior), Fraction(sensitivity), Fraction(specificity)
    joint = {(True, True): prior * sensitivity, (False, True): (1 - prior) * (1 - specificity)}
    return float(joint[True, True] / sum(joint.values()))


@checkpoint("Probability: mean and variance of a random variable", atol=1e-9, count=15)
def random_variables(lib, values, probabilities):
    return lib.drills.probability.moments(values, probabilities)


@random_variables.cases
def _(draw):
    n = draw.integer(1, 5)
    weights = draw.integers(0, 4, n) + (np.arange(n) == 0)
    return dict(values=draw.integers(-4, 6, n).astype(float), probabilities=weights / weights.sum())


@random_variables.edges
def _():
    return [dict(values=np.array([0.0, 1.0]), probabilities=np.array([0.25, 0.75])), dict(values=np.array([7.0]), probabilities=np.array([1.0]))]  # fmt: skip


@random_variables.oracle
def _(values, probabilities):
    first = math.fsum(p * x for x, p in zip(values, probabilities))
    # over pairs of independent copies: Var X = E[(X - Y)^2] / 2
    pairs = itertools.product(zip(values, probabilities), repeat=2)
    return first, math.fsum(p * q * (x - y) ** 2 for (x, p), (y, q) in pairs) / 2


@checkpoint("Probability: conditional, and independent", atol=1e-12, count=15)
def joint_tables(lib, joint, column):
    module = lib.drills.probability
    return {"conditional": module.conditional(joint, column), "independent": module.independent(joint)}


@joint_tables.cases
def _(draw):
    n, m = draw.integer(1, 3), draw.integer(1, 3)
    rows, columns = 1 + draw.integers(0, 3, n), 1 + draw.integers(0, 3, m)
    joint = draw.choice([np.outer(rows, columns), 1 + draw.integers(0, 3, n, m)])
    return dict(joint=joint / joint.sum(), column=draw.integer(0, m - 1))


@joint_tables.edges
def _():
    return [dict(joint=np.array([[0.1, 0.2], [0.3, 0.4]]), column=1), dict(joint=np.array([[0.5, 0.0], [0.0, 0.5]]), column=0), dict(joint=np.array([[0.12, 0.28], [0.18, 0.42]]), column=0)]  # fmt: skip


@joint_tables.oracle
def _(joint, column):
    n, m = joint.shape
    total = math.fsum(joint[:, column])
    marginals = [math.fsum(row) for row in joint], [math.fsum(row) for row in joint.T]
    apart = [abs(joint[i, j] - marginals[0][i] * marginals[1][j]) for i in range(n) for j in range(m)]
    return {"conditional": np.array([x / total for x in joint[:, column]]), "independent": max(apart) <= 1e-9}


@checkpoint("Probability: the normal distribution", atol=1e-9, count=15)
def normal(lib, low, width, mean, deviation):
    return lib.drills.probability.between(low, low + width, mean, deviation)


@normal.cases
def _(draw):
    mean = draw.choice([0.0, 10.0, -3.0])
    return dict(
        low=mean + draw.uniform(-3.0, 2.0),
        width=draw.uniform(0.0, 3.0),
        mean=mean,
        deviation=draw.choice([1.0, 2.0, 0.5]),
    )


@normal.edges
def _():
    return [dict(low=-1.0, width=2.0, mean=0.0, deviation=1.0), dict(low=6.0, width=8.0, mean=10.0, deviation=2.0)]


@normal.oracle
def _(low, width, mean, deviation):
    distribution = statistics.NormalDist(mean, deviation)
    return distribution.cdf(low + width) - distribution.cdf(low)


@checkpoint("Probability: a draw from a distribution, and the error of a mean", atol=1e-9, count=20)
def samples(lib, eighths, u, sample):
    module = lib.drills.probability
    return {"outcome": module.outcome(np.array(eighths) / 8, u), "mean_and_error": module.mean_and_error(sample)}


@samples.cases
def _(draw):
    cuts = sorted(draw.integer(0, 8) for _ in range(draw.integer(0, 4)))
    u = draw.choice([0.0, 0.5, 0.125, 0.25, 0.75, 0.875, draw.uniform(0.0, 0.999)])
    return dict(
        eighths=[float(b - a) for a, b in zip([0, *cuts], [*cuts, 8])], u=u, sample=draw.normal(draw.integer(2, 6))
    )


@samples.edges
def _():
    sample = np.array([1.0, 3.0])
    return [
        dict(eighths=[2.0, 6.0], u=0.25, sample=sample),
        dict(eighths=[0.0, 8.0], u=0.0, sample=sample),
        dict(eighths=[0.8] * 10, u=1 - 2**-53, sample=np.array([2.0, 2.0, 5.0])),  # these ten sum to 1 - 2**-53
    ]


@samples.oracle
def _(eighths, u, sample):
    begins = list(itertools.accumulate(eighths, initial=0.0))
    found = next((i for i, p in enumerate(eighths) if begins[i] <= 8 * u < begins[i] + p), len(eighths) - 1)
    return {
        "outcome": found,
        "mean_and_error": (statistics.fmean(sample), statistics.stdev(sample) / math.sqrt(len(sample))),
    }


# ------------------------------------------------------------------------------------------- Python: a first analysis

ABSENT = ("", "-", "?", "NA", "n/a", "NaN", "null", "None")
REASONS = ("fields", "date", "station", "number", "range")  # in the order in which they count


@checkpoint("Python: a first analysis, one cell at a time", count=20)
def cells(lib, texts, dates):
    module = lib.drills.analysis
    return {
        "parse_number": [number_or_error(module.parse_number, text) for text in texts],
        "parse_date": [number_or_error(module.parse_date, text) for text in dates],
    }


def number_or_error(parse, text):
    try:
        return parse(text)
    except ValueError:
        return "ValueError"


@cells.cases
def _(draw):
    numbers, dates = [measured(draw, 40.0) for _ in range(3)], [dated(draw) for _ in range(2)]
    bad = ["six", "1.2.3", "12 K", "inf", "-1e999", "--", "C", "3 4", "0x10"]
    texts = [text for text, _ in numbers] + [draw.choice(ABSENT), draw.choice(bad)]
    undated = draw.choice(["2024-02-30", "31.04.2024", "yesterday", "2024", "2024-13-01", ""])
    return dict(
        texts=texts,
        dates=[text for text, _ in dates] + [undated],
        _numbers=[number for _, number in numbers] + [math.nan, "ValueError"],
        _days=[day for _, day in dates] + ["ValueError"],
    )


@cells.edges
def _():
    return [
        dict(texts=["-1,5"], dates=["03.02.2024"], _numbers=[-1.5], _days=["2024-02-03"]),
        dict(texts=["2.5mm", "3 °C"], dates=["29.02.2024"], _numbers=[2.5, 3.0], _days=["2024-02-29"]),
        dict(texts=["n/a"], dates=["29.02.2023"], _numbers=[math.nan], _days=["ValueError"]),
    ]


@cells.oracle
def _(texts, dates, numbers, days):
    return {"parse_number": numbers, "parse_date": days}


def measured(draw, most):
    """A measure as somebody might write it, and what it is; or a word for none, and NaN."""
    if draw.boolean(0.2):
        return draw.choice(ABSENT), math.nan
    number = draw.integer(0, int(10 * most)) / 10
    text = draw.choice([f"{number}", f"{number}".replace(".", ","), f"{number:.2f}", f"{number:g}"])
    unit = draw.choice(["", "", " C", "°C", " mm", "mm"])
    return text + unit, number


def dated(draw):
    """A date in one of two forms, and in the first."""
    year, month, day = draw.choice([2024, 2023]), draw.integer(1, 12), draw.integer(1, 28)
    date = f"{year}-{month:02}-{day:02}"
    return draw.choice([date, f"{day:02}.{month:02}.{year}"]), date


def messy(draw, most=8):
    """Rows as they come in, with what is to become of them: known here because this is where they are spoilt."""
    stations = {
        "Hill": ["Hill", "hill", "HILL"],
        "Lake House": ["Lake House", "lake  house", "LAKE HOUSE"],
        "Ål": ["ål", "ÅL"],
    }
    line, rows, records, rejected, seen = 1, [], [], [], set()
    for _ in range(draw.integer(0, most)):
        line += 1
        if draw.boolean(0.1):
            line += 1  # an empty row in between
        (day, date), name = dated(draw) if draw.boolean(0.7) else ("2024-01-01",) * 2, draw.choice(list(stations))
        (temperature, degrees), (rain, amount) = measured(draw, 60.0), measured(draw, 500.0)
        if degrees == degrees and draw.boolean(0.4):
            temperature, degrees = f"-{temperature}", -degrees
        row = {"date": day, "station": draw.choice(stations[name]), "temperature": temperature, "rain": rain}
        wrong = {reason for reason in REASONS if draw.boolean(0.08)}
        if "date" in wrong:
            row["date"] = draw.choice(["2024-02-30", "", "Monday"])
        if "station" in wrong:
            row["station"] = draw.choice(ABSENT)
        if "number" in wrong:
            row["temperature"] = draw.choice(["cold", "1.2.3", "inf"])
        if "range" in wrong:
            row["rain"] = draw.choice(["-999", "500.1", "-0,1"])
        if not wrong and draw.boolean(0.1):
            row["temperature"], degrees = draw.choice([("-60", -60.0), ("60,0 C", 60.0)])
        reason = next((reason for reason in REASONS if reason in wrong), None)
        if reason is None and (date, name) in seen:
            reason = "duplicate"
        rows.append((line, None if "fields" in wrong else row))
        if reason is None:
            seen.add((date, name))
            records.append({"date": date, "station": name, "temperature": degrees, "rain": amount})
        else:
            rejected.append((line, reason))
    return rows, records, rejected


def file_of(draw, rows):
    """The text of a file with such rows, and what reading it gives: a further column, or quotes, may have come in."""
    delimiter, end = draw.choice([",", ";"]), draw.choice(["\n", "\r\n"])
    columns = ["date", "station", "temperature", "rain", *draw.choice([[], ["note"]])]
    columns = [columns[i] for i in draw.permutation(len(columns))]
    heads = [draw.choice([name, name.upper(), f" {name.title()} "]) for name in columns]
    lines, read = [delimiter.join(heads)], []
    for line, row in rows:
        while len(lines) < line - 1:
            lines.append(draw.choice(["", delimiter * 3, "  "]))
        if row is None:
            values, got = ["2024-01-01", "Hill", "cut off"], None
        else:
            note = draw.choice(["", "calm", 'they said "cold", twice; no more'])
            got = {**row, "note": note}
            got = {name: got[name] for name in columns}
            values = [draw.choice(["", " "]) + got[name] + draw.choice(["", "  "]) for name in columns]
        out = io.StringIO()
        csv.writer(out, delimiter=delimiter, lineterminator="").writerow(values)
        lines.append(out.getvalue())
        if row is None or any(value.strip() for value in values):
            read.append((line, got))
    text = draw.choice(["", "\ufeff"]) + end.join(lines) + draw.choice([end, ""])
    return text, read


@checkpoint("Python: a first analysis, a messy file read", count=12)
def reading(lib, text):
    path = written("readings.csv", text)
    try:
        return plain(list(lib.drills.analysis.read_rows(path)))
    except ValueError:
        return "ValueError"


@reading.cases
def _(draw):
    text, read = file_of(draw, messy(draw)[0])
    return dict(text=text, _read=read)


@reading.edges
def _():
    row = {"date": "2024-01-01", "station": "Hill", "temperature": "1,5", "rain": "0"}
    return [
        dict(text='date,station,temperature,rain\n2024-01-01,Hill,"1,5",0\n', _read=[(2, row)]),
        dict(text="\ufeffRain; Station ;DATE;temperature\r\n0;Hill; 2024-01-01 ;1,5\r\n", _read=[(2, row)]),
        dict(text="date,station,temperature,rain\n\n1,2\n , ,,\n", _read=[(3, None)]),
        dict(text="date,station,temperature\n2024-01-01,Hill,1\n", _read="ValueError"),
        dict(text="", _read="ValueError"),
    ]


@reading.oracle
def _(text, read):
    return read


@reading.shown
def _(text):
    return "\n".join(f"{i:2} {line}" for i, line in enumerate(text.splitlines(), 1))


@checkpoint("Python: a first analysis, rows kept, or set aside with a reason", count=20)
def cleaning(lib, rows):
    return plain(lib.drills.analysis.clean(iter(rows)))


@cleaning.cases
def _(draw):
    rows, records, rejected = messy(draw)
    return dict(rows=rows, _records=records, _rejected=rejected)


@cleaning.edges
def _():
    row = {"date": "2024-01-01", "station": "hill  top", "temperature": "1,5 C", "rain": "-"}
    record = {"date": "2024-01-01", "station": "Hill Top", "temperature": 1.5, "rain": math.nan}
    return [
        dict(rows=[(2, row)], _records=[record], _rejected=[]),
        dict(rows=[(2, row), (3, {**row, "date": "01.01.2024"})], _records=[record], _rejected=[(3, "duplicate")]),
        dict(rows=[(2, {**row, "temperature": "-999"}), (3, row)], _records=[record], _rejected=[(2, "range")]),
        dict(rows=[(2, None), (4, {**row, "station": "?", "rain": "wet"})], _records=[], _rejected=[(2, "fields"), (4, "station")]),
    ]  # fmt: skip


@cleaning.oracle
def _(rows, records, rejected):
    return records, rejected


@cleaning.shown
def _(rows):
    return "\n".join(f"{line:3} {'(cut off)' if row is None else ' | '.join(row.values())}" for line, row in rows)


@checkpoint("Python: a first analysis, summaries by station and by month", atol=1e-9, count=15)
def summaries(lib, records, measure):
    module = lib.drills.analysis
    return plain(
        {"summarise": module.summarise(records, measure), "monthly_means": module.monthly_means(records, measure)}
    )


@summaries.cases
def _(draw):
    return dict(records=messy(draw)[1], measure=draw.choice(["temperature", "rain"]))


@summaries.edges
def _():
    def record(date, station, temperature):
        return {"date": date, "station": station, "temperature": temperature, "rain": 0.0}

    some = [record("2024-02-01", "Hill", 3.0), record("2024-01-05", "Hill", 1.0), record("2024-01-09", "Hill", 4.0)]
    gaps = [
        record("2024-01-01", "Hill", math.nan),
        record("2024-01-02", "Hill", 2.0),
        record("2024-01-01", "Lake", math.nan),
    ]
    return [dict(records=records, measure="temperature") for records in (some, some[:2], gaps, [])]


@summaries.oracle
def _(records, measure):
    stations = {record["station"] for record in records}
    summary, months = {}, {}
    for station in stations:
        values = np.array([r[measure] for r in records if r["station"] == station])
        there = values[~np.isnan(values)]
        keys, none = ("mean", "median", "sd", "low", "high"), math.nan
        taken = [none] * 5 if len(there) == 0 else [there.mean(), np.median(there), none, there.min(), there.max()]
        if len(there) > 1:
            taken[2] = there.std(ddof=1)
        summary[station] = {"n": len(there), "missing": len(values) - len(there), **dict(zip(keys, map(float, taken)))}
        dates = [r["date"][:7] for r in records if r["station"] == station]
        months[station] = [
            (month, float(np.mean([v for d, v in zip(dates, values) if d == month and v == v])))
            for month in sorted({d for d, v in zip(dates, values) if v == v})
        ]
    return {"summarise": summary, "monthly_means": months}


@summaries.shown
def _(records, measure):
    return f"{measure} of\n" + "\n".join(f"{r['date']} {r['station']:10} {r[measure]}" for r in records)


@checkpoint("Python: a first analysis, a chart in which the numbers can be read", count=15)
def charts(lib, series, title):
    return lib.drills.analysis.chart(series, title)


@charts.cases
def _(draw):
    names = [draw.choice(["Hill", "R&D <1>"]), draw.choice(["Lake", 'the "old" one'])][: draw.integer(0, 2)]
    months = ["2024-01", "2024-02", "2024-03", "2024-10"]
    series = {name: [(month, draw.integer(-50, 200) / 10) for month in months if draw.boolean(0.8)] for name in names}
    return dict(series=series, title=draw.choice(["Mean temperature", "R&D"]))


@charts.edges
def _():
    return [
        dict(series={"Hill": [("2024-01", 1.0), ("2024-02", 3.0), ("2024-04", 2.0)]}, title="Mean"),
        dict(
            series={"Hill": [("2024-02", 3.0)], "Lake": [("2024-01", 1.0), ("2024-02", 2.0), ("2024-03", 5.0)]},
            title="Mean",
        ),
        dict(series={"A & B": [("2024-01", 2.0), ("2024-02", 2.0)]}, title="a < b"),
        dict(series={}, title="nothing"),
        dict(series={"Hill": []}, title="none"),
    ]


@charts.accepts
def _(got, series, title):
    if not isinstance(got, str) or "<!" in got:
        return "A chart is the text of one <svg> element, without a document type."
    try:
        root = ElementTree.fromstring(got)
    except ElementTree.ParseError as problem:
        return f"It is not well-formed XML ({problem}). Have &, < and > in names been escaped?"
    if root.get("viewBox") != "0 0 640 320" or not root.tag.endswith("svg"):
        return 'The outermost element is <svg> with viewBox="0 0 640 320".'
    if len(root) == 0 or not root[0].tag.endswith("title") or root[0].text != title:
        return f"The first element is <title>, with the text {title!r}."
    groups = [element for element in root.iter() if element.get("class") == "series"]
    return says_of_groups(groups, series)


def says_of_groups(groups, series):
    """True where the circles of each group are one affine image of the series; else what is wrong."""
    if len(groups) != len(series):
        return f'There are {len(groups)} elements of the class "series" for {len(series)} series.'
    labels = sorted({label for points in series.values() for label, _ in points})
    across, down = [], []
    for group, (name, points) in zip(groups, series.items()):
        heading = next((element.text for element in group if element.tag.endswith("title")), None)
        circles = [element for element in group if element.tag.endswith("circle")]
        if heading != name or not any(element.tag.endswith("polyline") for element in group):
            return f"The group of {name!r} has its name as <title>, and a <polyline>."
        if len(circles) != len(points):
            return f"The series {name!r} has {len(points)} values and {len(circles)} circles."
        places = [(float(circle.get("cx")), float(circle.get("cy"))) for circle in circles]
        if not all(0 <= x <= 640 and 0 <= y <= 320 for x, y in places):
            return f"A circle of {name!r} lies outside the viewBox, at one of {places}."
        across += [(labels.index(label), x) for (label, _), (x, _) in zip(points, places)]
        down += [(value, y) for (_, value), (_, y) in zip(points, places)]
    if not in_line(across, 1):
        return f"cx does not grow in equal steps along the sorted labels {labels}: {across}"
    return in_line(down, -1) or f"cy does not fall evenly as values grow, on one scale for all series: {down}"


def in_line(pairs, direction):
    """Whether y is a straight function of x that rises (1) or falls (-1); whole units are exact enough to be read."""
    xs = [x for x, _ in pairs]
    if len(set(xs)) < 2:
        return max((y for _, y in pairs), default=0.0) - min((y for _, y in pairs), default=0.0) <= 1.0
    (a, y0), (b, y1) = min(pairs), max(pairs)
    gradient = (y1 - y0) / (b - a)
    straight = all(abs(y0 + gradient * (x - a) - y) <= 1.0 for x, y in pairs)
    return straight and direction * (y1 - y0) > 1.0


@charts.shown
def _(series, title):
    return f"title = {title!r}\n" + "\n".join(f"{name!r}: {points}" for name, points in series.items())


@checkpoint("Python: a first analysis, the whole script on a messy file", atol=1e-9, count=5)
def script(lib, text, arguments):
    before = os.getcwd()
    os.chdir(folder_with({"in.csv": text}))
    out, problem = io.StringIO(), io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(problem):
            status = lib.drills.analysis.main(arguments)
        counts = lib.drills.analysis.analyse("in.csv", "again") if status == 0 else {}
        folder = os.path.join("out", "deep")
        found = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
        return {
            "status": status,
            "analyse gives": plain(counts),
            "printed": sorted(re.findall(r"\w+", line) for line in out.getvalue().splitlines()),
            "lines of complaint": len(problem.getvalue().splitlines()),
            "files": found,
            **{name: parsed(os.path.join(folder, name)) for name in found},
        }
    finally:
        os.chdir(before)


def parsed(path):
    """What stands in a file of results: rows with numbers read, JSON as data, of a chart how many circles there are."""
    text = text_of(path)
    if path.endswith(".csv"):
        return [[number_if(value) for value in row] for row in csv.reader(io.StringIO(text))]
    return json.loads(text) if path.endswith(".json") else text.count("<circle")


def number_if(text):
    try:
        return float(text)
    except ValueError:
        return text


@script.cases
def _(draw):
    rows, records, rejected = messy(draw)
    text, read = file_of(draw, rows)
    kept = {line for line, _ in read}
    return dict(
        text=text,
        arguments=draw.choice([["in.csv", "out/deep"]] * 3 + [["in.csv"], ["nowhere.csv", "out/deep"]]),
        _records=records,
        _rejected=[pair for pair in rejected if pair[0] in kept],
    )


@script.edges
def _():
    text = "date,station,temperature,rain\n2024-01-02,hill,3,0\n2024-01-01,Hill,-999,0\n01.01.2024,HILL,1,-\n"
    hill = {"station": "Hill"}
    records = [
        {"date": "2024-01-02", **hill, "temperature": 3.0, "rain": 0.0},
        {"date": "2024-01-01", **hill, "temperature": 1.0, "rain": math.nan},
    ]
    return [
        dict(text=text, arguments=["in.csv", "out/deep"], _records=records, _rejected=[(3, "range")]),
        dict(text="date,station\n", arguments=["in.csv", "out/deep"], _records=None, _rejected=None),
    ]


@script.oracle
def _(text, arguments, records, rejected):
    if len(arguments) != 2 or arguments[0] != "in.csv" or records is None:
        return {"status": 2, "analyse gives": {}, "printed": [], "lines of complaint": 1, "files": []}
    records = sorted(records, key=lambda record: (record["date"], record["station"]))
    counts = {"kept": len(records)}
    for _, reason in rejected:
        counts[reason] = counts.get(reason, 0) + 1
    blank = [[float(x) if x == x else "" for x in (r["temperature"], r["rain"])] for r in records]
    return {
        "status": 0,
        "analyse gives": counts,
        "printed": sorted([name, str(count)] for name, count in counts.items()),
        "lines of complaint": 0,
        "files": ["clean.csv", "rejected.csv", "summary.json", "temperature.svg"],
        "clean.csv": [["date", "station", "temperature", "rain"], *([r["date"], r["station"], *b] for r, b in zip(records, blank))],
        "rejected.csv": [["line", "reason"], *([float(line), reason] for line, reason in rejected)],
        "summary.json": {measure: summary_of(records, measure) for measure in ("temperature", "rain")},
        "temperature.svg": len({(r["station"], r["date"][:7]) for r in records if r["temperature"] == r["temperature"]}),
    }  # fmt: skip


def summary_of(records, measure):
    summary = {}
    for station in {record["station"] for record in records}:
        values = [r[measure] for r in records if r["station"] == station]
        there = [x for x in values if x == x]
        summary[station] = {
            "n": len(there),
            "missing": len(values) - len(there),
            "mean": statistics.fmean(there) if there else None,
            "median": statistics.median(there) if there else None,
            "sd": statistics.stdev(there) if len(there) > 1 else None,
            "low": min(there, default=None),
            "high": max(there, default=None),
        }
    return summary


@script.shown
def _(text, arguments):
    return f"{arguments} with in.csv:\n" + "\n".join(f"{i:2} {line}" for i, line in enumerate(text.splitlines(), 1))


# -------------------------------------------------------------------------------------------------- practice projects


@checkpoint("Python: practice project, a dictionary that a crash cannot spoil", stretch=True, count=8)
def journal_project(lib, steps):
    module = lib.drills.journal
    path = os.path.join(folder_with({}), "kept.journal")
    journal, seen = module.Journal(path), []
    for what, *rest in steps:
        if what == "crash":  # in the middle of a line, or after the whole of a wrong one
            journal.close()
            with open(path, "ab") as file:
                file.write(rest[0].encode())
        try:
            journal = changed_by(module, journal, path, what, rest)
        except (KeyError, TypeError, module.Damaged) as problem:
            seen.append([type(problem).__name__, getattr(problem, "line", 0)])
            if isinstance(problem, module.Damaged):
                return seen
        file_lines = [json.loads(line) for line in text_of(path).splitlines()]
        seen.append({"entries": [[key, journal[key]] for key in journal], "length": len(journal), "lines": file_lines})
    journal.close()
    journal.close()
    return [*seen, "a" in journal, sorted(os.listdir(os.path.dirname(path)))]


def changed_by(module, journal, path, what, rest):
    """The journal after one step; after a reopening or a crash it is a new one."""
    if what == "set":
        journal[rest[0]] = rest[1]
    elif what == "set a set":
        journal[rest[0]] = {1}
    elif what == "delete":
        del journal[rest[0]]
    elif what == "compact":
        journal.compact()
    elif what in ("reopen", "crash"):
        journal.close()
        return module.Journal(path)
    elif what == "with":
        with contextlib.suppress(RuntimeError), journal as same:
            same[rest[0]] = same is journal
            raise RuntimeError("in the block")
        return module.Journal(path)
    return journal


@journal_project.cases
def _(draw):
    pool = [
        *(["set", key, value] for key in ("a", "b", "ü") for value in (1, [2.5, None], "x\ny")),
        *(["delete", key] for key in ("a", "b")),
        *(["compact"], ["reopen"], ["reopen"], ["with", "c"]),
        *(["crash", text] for text in ('["set", "a", ', '["set", "b", 2]', "[")),
    ]
    wrong = [["set", 3, 1], ["set a set", "a"], ["delete", "never"], ["crash", '["set", "a"]\n'], ["crash", "\n"]]
    steps = [draw.choice(pool) for _ in range(draw.integer(1, 7))]
    return dict(steps=steps + ([draw.choice(wrong)] if draw.boolean(0.4) else []))


@journal_project.edges
def _():
    return [
        dict(steps=[["set", "a", 1], ["set", "b", 2], ["delete", "a"], ["reopen"]]),
        dict(steps=[["set", "a", 1], ["crash", '["set", "b", 2]'], ["set", "c", 3], ["reopen"]]),
        dict(steps=[["set", "a", 1], ["set", "a", 2], ["set", "b", 3], ["delete", "a"], ["set", "a", 4], ["compact"], ["reopen"]]),
        dict(steps=[["set", "a", 1], ["crash", '{"set": 1, "a": 2, "b": 3}\n']]),
        dict(steps=[["set", "a", 1], ["crash", '["delete", "b"]\n']]),
        dict(steps=[["delete", "a"], ["with", "c"], ["set", 1, 2], ["set a set", "a"], ["set", "a", 1]]),
    ]  # fmt: skip


@journal_project.oracle
def _(steps):
    entries, lines, seen = {}, [], []
    for what, *rest in steps:
        wrong = None
        if what in ("set", "with"):
            value = rest[1] if what == "set" else True
            if isinstance(rest[0], str):
                entries[rest[0]] = value
                lines.append(["set", rest[0], value])
            else:
                wrong = "TypeError"
        elif what == "set a set":
            wrong = "TypeError"
        elif what == "delete":
            wrong = None if rest[0] in entries else "KeyError"
            if wrong is None:
                del entries[rest[0]]
                lines.append(["delete", rest[0]])
        elif what == "compact":
            lines = [["set", key, value] for key, value in entries.items()]
        elif what == "crash" and rest[0].endswith("\n"):
            return [*seen, ["Damaged", len(lines) + 1]]
        if wrong:
            seen.append([wrong, 0])
        seen.append({"entries": [[k, v] for k, v in entries.items()], "length": len(entries), "lines": list(lines)})
    return [*seen, "a" in entries, ["kept.journal"]]


@checkpoint(
    "Linear algebra: practice project, everything about a system of equations", stretch=True, atol=1e-7, count=25
)
def elimination_project(lib, A, b):
    module = lib.drills.elimination
    R, pivots = module.reduced(A)
    found = {"reduced": R, "pivots": pivots, "rank": module.rank(A), "null_space": module.null_space(A)}
    for name, do in (("solve", lambda: module.solve(A, b)), ("inverse", lambda: module.inverse(A))):
        if name == "solve" or len(A) == A.shape[1]:
            try:
                found[name] = do()
            except ValueError:
                found[name] = "ValueError"
    return found


@elimination_project.cases
def _(draw):
    m, n = draw.integer(1, 4), draw.integer(1, 4)
    A = draw.integers(-3, 3, m, n).astype(float)
    if draw.boolean():
        A[-1] = A[0] * draw.choice([2.0, -1.0, 0.0, 0.1])
    b = A @ draw.integers(-2, 2, n) if draw.boolean() else draw.integers(-3, 3, m).astype(float)
    return dict(A=A, b=b.astype(float))


@elimination_project.edges
def _():
    return [
        dict(A=np.array([[1.0, 2.0], [3.0, 4.0]]), b=np.array([5.0, 11.0])),
        dict(A=np.array([[0.0, 1.0], [1.0, 0.0]]), b=np.array([1.0, 2.0])),
        dict(A=np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 7.0]]), b=np.array([1.0, 2.0])),
        dict(A=np.array([[0.1, 0.2], [0.3, 0.6]]), b=np.array([1.0, 2.0])),
        dict(A=np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]), b=np.array([1.0, 0.0, 2.0])),
        dict(A=np.zeros((2, 2)), b=np.zeros(2)),
        dict(A=np.array([[1e-20, 1.0], [1.0, 1.0]]), b=np.array([1.0, 2.0])),
    ]


@elimination_project.oracle
def _(A, b):
    m, n = A.shape
    R, pivots = exactly_reduced(A)
    whole, all_pivots = exactly_reduced(np.column_stack([A, b]))
    free = [j for j in range(n) if j not in pivots]
    N = np.zeros((n, len(free)))
    for k, j in enumerate(free):
        N[j, k] = 1.0
        N[pivots, k] = -R[: len(pivots), j]
    found = {"reduced": R, "pivots": pivots, "rank": len(pivots), "null_space": N, "solve": "ValueError"}
    if n not in all_pivots:
        found["solve"] = np.zeros(n)
        found["solve"][pivots] = whole[: len(pivots), n]
    if m == n:
        found["inverse"] = (
            exactly_reduced(np.column_stack([A, np.eye(n)]))[0][:, n:] if len(pivots) == n else "ValueError"
        )
    return found


def exactly_reduced(A):
    """The reduced form in fractions; decimal entries are taken for what they were written as."""
    rows = [[Fraction(repr(float(x))).limit_denominator(10**6) for x in row] for row in A]
    pivots = []
    for j in range(A.shape[1]):
        top = len(pivots)
        found = next((i for i in range(top, len(rows)) if rows[i][j] != 0), None)
        if found is None:
            continue
        rows[top], rows[found] = rows[found], rows[top]
        rows[top] = [x / rows[top][j] for x in rows[top]]
        for i, row in enumerate(rows):
            if i != top:
                rows[i] = [x - row[j] * y for x, y in zip(row, rows[top])]
        pivots.append(j)
    return np.array(rows, dtype=float).reshape(A.shape), pivots


@checkpoint("Calculus: practice project, derivatives by a program", stretch=True, atol=1e-8, count=25)
def derivatives_project(lib, expression, at):
    module = lib.drills.symbolic
    by_x = module.derivative(expression, "x")
    return {
        "value": module.evaluate(expression, at),
        "by x": module.evaluate(by_x, at),
        "by x twice": module.evaluate(module.derivative(by_x, "x"), at),
        "gradient": {name: module.evaluate(e, at) for name, e in module.gradient(expression, ["x", "y"]).items()},
    }


def drawn_expression(draw, depth):
    """An expression with x and y that has a value, and derivatives, for every x and y between 0 and 2."""
    if depth == 0 or draw.boolean(0.2):
        return draw.choice(["x", "y", 2, 0.5, 1, "x"])
    sign = draw.choice(["+", "*", "-", "/", "^", "sin", "cos", "exp", "log"])
    a = drawn_expression(draw, depth - 1)
    if sign in ("sin", "cos"):
        return (sign, a)
    if sign == "exp":
        return (sign, ("sin", a))
    if sign == "log":
        return (sign, ("+", ("*", a, a), 1))
    if sign == "^":
        return (sign, a, draw.choice([2, 1, 3, 0]))
    b = drawn_expression(draw, depth - 1)
    return (sign, a, ("+", ("*", b, b), 1)) if sign == "/" else (sign, a, b)


@derivatives_project.cases
def _(draw):
    at = {"x": draw.uniform(0.5, 1.5), "y": draw.uniform(0.5, 1.5)}
    return dict(expression=drawn_expression(draw, 3), at=at)


@derivatives_project.edges
def _():
    at = {"x": 2.0, "y": 3.0}
    forms = ["x", 3, ("+", ("*", 3, ("^", "x", 2)), 1), ("/", "x", "y"), ("exp", ("*", 2, "x")), ("log", "x"), ("^", ("+", "x", "y"), -1), ("cos", ("*", "x", "y")), ("-", "y", ("^", "x", 0.5))]  # fmt: skip
    return [dict(expression=form, at=at) for form in forms]


@derivatives_project.oracle
def _(expression, at):
    by = {name: jet(expression, {**dict.fromkeys(at, (0.0, 0.0)), name: (1.0, 0.0)}, at) for name in at}
    value, first, second = by["x"]
    return {"value": value, "by x": first, "by x twice": second, "gradient": {name: by[name][1] for name in ("x", "y")}}


def jet(expression, moves, at):
    """The value of an expression along a line, and its first and second derivative: series cut off after the third term."""
    if isinstance(expression, str):
        return (at[expression], *moves[expression])
    if not isinstance(expression, tuple):
        return (float(expression), 0.0, 0.0)
    sign, inside, *rest = expression
    a, da, dda = jet(inside, moves, at)
    if sign in ("+", "-", "*", "/"):
        b, db, ddb = jet(rest[0], moves, at)
        if sign in ("+", "-"):
            s = 1 if sign == "+" else -1
            return a + s * b, da + s * db, dda + s * ddb
        if sign == "/":
            b, db, ddb = 1 / b, -db / b**2, 2 * db**2 / b**3 - ddb / b**2
        return a * b, da * b + a * db, dda * b + 2 * da * db + a * ddb
    if sign == "^":
        n = rest[0]
        f, d, dd = a**n, n * a ** (n - 1) if n else 0.0, n * (n - 1) * a ** (n - 2) if n not in (0, 1) else 0.0
    else:
        sin, cos = math.sin(a), math.cos(a)
        f, d, dd = {
            "exp": lambda: (math.exp(a),) * 3,
            "log": lambda: (math.log(a), 1 / a, -1 / a**2),
            "sin": lambda: (sin, cos, -sin),
            "cos": lambda: (cos, -sin, -cos),
        }[sign]()
    return f, d * da, dd * da**2 + d * dda


@checkpoint("Calculus: practice project, expressions made short", stretch=True, count=25)
def simplifying_project(lib, expression):
    return lib.drills.symbolic.simplified(expression)


@simplifying_project.cases
def _(draw):
    def some(depth):
        if depth == 0:
            return draw.choice([0, 1, "x", 2, "y", 1.0])
        sign = draw.choice(["+", "*", "-", "/", "^", "sin"])
        if sign == "sin":
            return (sign, some(depth - 1))
        return (sign, some(depth - 1), draw.choice([1, 0, 2]) if sign == "^" else some(depth - 1))

    return dict(expression=some(draw.integer(1, 3)))


@simplifying_project.edges
def _():
    forms = [("+", "x", 0), ("*", ("+", 1, 2), 4), ("*", ("*", "x", 0), "y"), ("^", ("+", "x", ("*", 0, "y")), 1), ("-", 0, "x"), ("/", 1, 0), "x", ("+", ("/", 0, "x"), ("^", "y", 0))]  # fmt: skip
    return [dict(expression=form) for form in forms]


@simplifying_project.accepts
def _(got, expression):
    left = rule_that_fits(got)
    if left is not None:
        return f"{left} is still in it, and a rule makes that shorter: {got}"
    for at in ({"x": 0.7, "y": 1.3}, {"x": 1.9, "y": 0.4}):
        try:
            value = jet(expression, dict.fromkeys(at, (0.0, 0.0)), at)[0]
        except ArithmeticError:
            continue  # a sum without a value may become one with a value: 0 * (1 / 0)
        if abs(jet(got, dict.fromkeys(at, (0.0, 0.0)), at)[0] - value) > 1e-9 * max(1.0, abs(value)):
            return f"with {at} its value was {value:.6g}, and it is another now: {got}"
    return True


def rule_that_fits(e):
    """A part of an expression that the rules shorten, or None."""
    if not isinstance(e, tuple):
        return None
    sign, a, *rest = e
    if (found := rule_that_fits(a)) or (rest and (found := rule_that_fits(rest[0]))):
        return found
    if not isinstance(a, (str, tuple)) and (not rest or not isinstance(rest[0], (str, tuple))):
        return None if sign == "/" and rest[0] == 0 else e
    b = rest[0] if rest else None
    ends_it = {"+": (0,), "-": (0,), "*": (0, 1), "/": (1,), "^": (0, 1)}.get(sign, ())
    begins_it = {"+": (0,), "*": (0, 1), "/": (0,)}.get(sign, ())
    fits = any(b is not None and not isinstance(b, (str, tuple)) and b == x for x in ends_it)
    return e if fits or any(not isinstance(a, (str, tuple)) and a == x for x in begins_it) else None


@checkpoint("Probability: practice project, a calculator for chances", stretch=True, count=15)
def chances_project(lib, weights, others, threshold, n, prior, seen):
    module = lib.drills.chances
    one, other = distribution(weights), distribution(others)

    def high(outcome):
        return outcome >= threshold

    def or_error(do):
        try:
            return fractions(do())
        except ValueError:
            return "ValueError"

    likelihood = {"one": one, "other": other}
    return {
        "evenly": fractions(module.evenly(range(1, n + 1))),
        "probability": fractions({"p": module.probability(one, high)}),
        "given": or_error(lambda: module.given(one, high)),
        "combined": fractions(module.combined(one, other, max)),
        "sum_of": fractions(module.sum_of(one, n)),
        "mean, variance": fractions({"mean": module.mean(one), "variance": module.variance(one)}),
        "posterior": or_error(lambda: module.posterior(distribution(prior), likelihood, seen)),
    }


def distribution(weights):
    """{outcome: a whole number} as fractions of the sum, outcomes of weight 0 left out."""
    whole = sum(weight for _, weight in weights)
    return {outcome: Fraction(weight, whole) for outcome, weight in weights if weight}


def fractions(found):
    """Outcomes in order, each with a numerator and a denominator: whole numbers cross, and nothing has been rounded."""
    return [[outcome, Fraction(p).numerator, Fraction(p).denominator] for outcome, p in sorted(found.items())]


@chances_project.cases
def _(draw):
    def some():
        return [[outcome, draw.integer(0, 3) + (outcome == 1)] for outcome in range(1, draw.integer(2, 5))]

    prior = [["one", draw.integer(0, 2) + 1], ["other", draw.integer(0, 2)]]
    seen = [draw.integer(1, 3) for _ in range(draw.integer(0, 3))]
    return dict(
        weights=some(), others=some(), threshold=draw.integer(1, 4), n=draw.integer(1, 3), prior=prior, seen=seen
    )


@chances_project.edges
def _():
    coin, die = [[0, 1], [1, 1]], [[k, 1] for k in range(1, 7)]
    even = [["one", 1], ["other", 1]]
    return [
        dict(weights=coin, others=[[1, 1]], threshold=1, n=2, prior=even, seen=[1]),
        dict(weights=coin, others=[[1, 1]], threshold=2, n=3, prior=even, seen=[0, 1]),
        dict(weights=die, others=die, threshold=5, n=2, prior=even, seen=[7]),
    ]


@chances_project.oracle
def _(weights, others, threshold, n, prior, seen):
    one, other = distribution(weights), distribution(others)

    def gathered(pairs):
        found = {}
        for outcome, p in pairs:
            found[outcome] = found.get(outcome, 0) + p
        return found

    share = sum(p for x, p in one.items() if x >= threshold)
    draws = list(itertools.product(one.items(), repeat=n))
    first = Fraction(sum(x * p for x, p in one.items()))
    beliefs = {
        h: p * math.prod([{"one": one, "other": other}[h].get(x, Fraction(0)) for x in seen])
        for h, p in distribution(prior).items()
    }
    total = sum(beliefs.values())
    return {
        "evenly": [[k, 1, n] for k in range(1, n + 1)],
        "probability": fractions({"p": share}),
        "given": fractions({x: p / share for x, p in one.items() if x >= threshold}) if share else "ValueError",
        "combined": fractions(gathered((max(a, b), p * q) for a, p in one.items() for b, q in other.items())),
        "sum_of": fractions(gathered((sum(x for x, _ in all_), math.prod(p for _, p in all_)) for all_ in draws)),
        "mean, variance": fractions({"mean": first, "variance": sum(p * x * x for x, p in one.items()) - first**2}),
        "posterior": fractions({h: p / total for h, p in beliefs.items() if p}) if total else "ValueError",
    }


@checkpoint("Probability: practice project, a simulation that agrees", stretch=True, count=10)
def simulation_project(lib, weights, n, seed):
    found = lib.drills.chances.simulated(distribution(weights), n, np.random.default_rng(seed))
    again = lib.drills.chances.simulated(distribution(weights), n, np.random.default_rng(seed))
    return {
        "shares": sorted([outcome, share] for outcome, share in found.items()),
        "same seed, same draws": found == again,
    }


@simulation_project.cases
def _(draw):
    weights = [[outcome, draw.integer(0, 4) + (outcome == 1)] for outcome in range(1, draw.integer(2, 5))]
    return dict(weights=weights, n=draw.choice([1000, 1, 400]), seed=draw.seed())


@simulation_project.edges
def _():
    return [dict(weights=[[3, 1]], n=10, seed=1)]


@simulation_project.accepts
def _(got, weights, n, seed):
    known = distribution(weights)
    for outcome, share in got["shares"]:
        if outcome not in known or not 0 < share <= 1:
            return f"the outcome {outcome} has the share {share}"
        if abs(share * n - round(share * n)) > 1e-6:
            return f"a share of {n} draws is a whole number divided by {n}, not {share}"
    if abs(sum(share for _, share in got["shares"]) - 1) > 1e-9:
        return "the shares do not sum to 1"
    shares = dict(map(tuple, got["shares"]))
    for outcome, p in known.items():
        p = float(p)
        if abs(shares.get(outcome, 0.0) - p) > 6 * math.sqrt(p * (1 - p) / n) + 1 / n:
            return f"{outcome} has the probability {p:.3f} and came in {shares.get(outcome, 0.0):.3f} of {n} draws"
    return got["same seed, same draws"] or "with the same generator in the same state the draws are to be the same"
