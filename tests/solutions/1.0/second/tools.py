"""What stands around the code, by other means: recursion for loops, regular expressions for splitting."""

import re
from pathlib import Path

import numpy as np


def absolute_name(name, module, is_package):
    dots, rest = re.fullmatch(r"(\.*)(.*)", name).groups()
    if dots == "":
        return rest
    package = module if is_package else ".".join(module.split(".")[:-1])
    for _ in dots[1:]:
        package = package[: package.rfind(".")] if "." in package else ""
    if package == "":
        raise ImportError("beyond the outermost package")
    return f"{package}.{rest}".rstrip(".")


def execution_order(imports, start):
    order, stack, begun = [], [(start, 0)], {start}
    while stack:
        module, done = stack.pop()
        if done == len(imports[module]):
            order.append(module)
            continue
        stack.append((module, done + 1))
        other = imports[module][done]
        if other not in begun:
            begun.add(other)
            stack.append((other, 0))
    return order


def check_batch(X, y, classes):
    def insist(what, says):
        if not what:
            raise AssertionError(says)

    insist(len(X.shape) == 2 and X.shape[0] >= 1, "X is no table with rows")
    insist(not np.isnan(X.sum()) and np.abs(X).max(initial=0) < np.inf, "X has something in it that is no number")
    insist(y.ndim == 1 and y.size == X.shape[0], "one label a row")
    insist(np.issubdtype(y.dtype, np.integer), "labels are whole numbers")
    insist(set(y.tolist()) <= set(range(classes)), "a label that is no class")


def debugger_commands(line, condition, expression):
    return [f"tbreak {line}, {condition}", "c", f"p {expression}", "q"]


def innermost(problem):
    trail, link = [], problem.__traceback__
    while link:
        trail.append(link)
        link = link.tb_next
    frame = trail[-1].tb_frame
    return frame.f_code.co_name, trail[-1].tb_lineno, {name: frame.f_locals[name] for name in frame.f_locals}


def _history(parents, commit):
    return frozenset([commit]).union(*(_history(parents, parent) for parent in parents[commit]))


def ahead_behind(parents, ours, theirs):
    both = _history(parents, ours) & _history(parents, theirs)
    return tuple(len(_history(parents, tip)) - len(both) for tip in (ours, theirs))


def merge_base(parents, ours, theirs):
    common = _history(parents, ours) & _history(parents, theirs)
    return max(common, key=lambda commit: len(_history(parents, commit)))  # the one that has all the others


def merge_lines(base, ours, theirs):
    merged, conflicts, stretch = [], 0, []
    for row in [*zip(base, ours, theirs), None]:
        if row is not None and len(set(row)) > 1:
            stretch.append(row)
            continue
        if stretch:
            old, mine, other = map(list, zip(*stretch))
            choice = {(True, False): other, (False, True): mine, (True, True): mine}.get((mine == old, other == old))
            if choice is None and mine == other:
                choice = mine
            if choice is None:
                conflicts += 1
                choice = ["<<<<<<< ours", *mine, "=======", *other, ">>>>>>> theirs"]
            merged.extend(choice)
            stretch = []
        if row is not None:
            merged.append(row[0])
    return merged, conflicts


def environment(folder):
    text = Path(folder, "pyvenv.cfg").read_text(encoding="utf-8")
    values = {key.lower(): value for key, value in re.findall(r"(?m)^[ \t]*(\S+?)[ \t]*=[ \t]*(.*?)[ \t]*$", text)}
    version = re.match(r"(\d+)\.(\d+)", values["version"])
    shut = re.fullmatch("(?i)false", values.get("include-system-site-packages", ""))
    return {"home": values["home"], "version": tuple(map(int, version.groups())), "isolated": shut is not None}


def found_first(command, path):
    candidates = (f"{folder}/{command}" for folder in filter(None, path.split(":")))
    return next((candidate for candidate in candidates if Path(candidate).is_file()), None)
