"""Python: what stands around the code, from imports to environments. importlib and pdb are asked themselves."""

import bdb
import importlib.util
import io
import linecache
import os
import pdb
import re
import sys
import tempfile
import types
from pathlib import Path

import numpy as np

from groundup.course import checkpoint


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
    path = "program.py"
    Path(path).write_bytes(program.encode())
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
        found = lib.drills.tools.innermost(problem)
        return [dict(part) if hasattr(part, "items") else part for part in found]  # f_locals may be no dict


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
    return f"line = {line}, condition = {condition!r}, expression = {expression!r}\n{lines}\nand an exception, {depth + 1} calls below f0({a})"


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
    kinds = "".join(
        "=" if old == mine == other else "o" if other == old else "t" if mine == old else "s" if mine == other else "x"
        for old, mine, other in zip(base, ours, theirs)
    )
    side = {"=": base, "o": ours, "t": theirs, "s": ours}
    merged, conflicts = [], 0
    for stretch in re.finditer("=+|[^=]+", kinds):
        here = slice(*stretch.span())
        if len(set(stretch[0])) == 1 and stretch[0][0] in side:
            merged += side[stretch[0][0]][here]
        else:
            conflicts += 1
            merged += "<<<<<<< ours", *ours[here], "=======", *theirs[here], ">>>>>>> theirs"
    return merged, conflicts


@merging.shown
def _(base, ours, theirs):
    wide = max([4, *(len(line) for line in (*base, *ours))])
    rows = [("base", "ours", "theirs"), *zip(base, ours, theirs)]
    return "\n".join(f"{one:{wide}}  {two:{wide}}  {three}" for one, two, three in rows)


@checkpoint("Python: a virtual environment, and which program a name starts", count=6)
def environments(lib, config, commands, path):
    tools = lib.drills.tools
    before = os.getcwd()
    os.chdir(tempfile.mkdtemp(dir="."))
    for name, text in {"env/pyvenv.cfg": config, **dict.fromkeys(commands, "")}.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(text.encode())
    try:
        return {"environment": tools.environment("env"), "found_first": tools.found_first("python", path)}
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
