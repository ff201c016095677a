"""Python: the language itself, and the parts of the standard library that the course leans on.

The name of a checkpoint begins with its part and a colon, so that a verdict can be read as a self-assessment.
"""

import itertools
import os
import statistics
import tempfile
from pathlib import Path

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
        return (list if isinstance(x, list) else tuple)(map(plain, x))
    return x


def text_of(path):
    """What stands in a file, or None where there is none."""
    return Path(path).read_bytes().decode() if os.path.exists(path) else None


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
    folder = tempfile.mkdtemp(dir=".")
    path = os.path.join(folder, "kept.txt")
    if old is not None:
        Path(path).write_bytes(old.encode())
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
    path = "settings.txt"
    Path(path).write_bytes("\n".join(lines).encode())
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
    folder = Path(tempfile.mkdtemp(dir="."))
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()
    return lib.drills.python.files_below(str(folder), suffix)


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
