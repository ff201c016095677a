"""What stands around the code: imports and packages, assertions, the debugger, git, virtual environments.

Each of these follows a few rules that can be written down as a function. Whoever has written them down can say what git
or Python is about to do. Nothing here runs a command: a history, a file, a folder come as data.

The Python Language Reference, chapter 5; Chacon and Straub, Pro Git (2014), chapters 2, 3 and 10; PEP 405.
"""

import os

import numpy as np

# ------------------------------------------------------------------------------------------- imports and packages


def absolute_name(name, module, is_package):
    """What `from name import ...` in a module means, written in full: "..drills" in "mine.grad.nn" is "mine.drills".

    name: with as many dots in front as the statement has; without any, it is the full name already. module: the full name
    of the module that the statement stands in. is_package: whether that module is the __init__.py of its package; one dot
    means the package that the module lies in, and for an __init__.py its own. ImportError where the dots lead out of the
    outermost package.
    """
    level = len(name) - len(name.lstrip("."))
    if not level:
        return name
    parts = module.split(".")
    keep = len(parts) - level + is_package
    if keep < 1:
        raise ImportError(f"{name} leads out of the package {parts[0]}")
    return ".".join(parts[:keep] + [part for part in [name[level:]] if part])


def execution_order(imports, start):
    """In which order modules have run to their end when `start` is imported, a list of names.

    imports: {module: the modules it imports, in order}; all imports stand at the top of their files. Python runs a module
    once: one that has run, or that has begun and waits for its own imports, is not run again.
    """
    begun, ended = set(), []

    def run(module):
        if module not in begun:
            begun.add(module)
            for other in imports[module]:
                run(other)
            ended.append(module)

    run(start)
    return ended


# ------------------------------------------------------------------------------------------- assertions and pdb


def check_batch(X, y, classes):
    """Asserts that arrays are a batch to learn from, and gives None; AssertionError, with a message, where they are not.

    X: two axes, at least one row, no NaN or infinity. y: one axis, as long as X has rows, integers from 0 to classes - 1.
    """
    assert X.ndim == 2, f"X has the shape {X.shape}: (rows, features) is asked for"
    assert len(X) > 0, "the batch has no rows"
    assert np.isfinite(X).all(), "there is a NaN or an infinity in X"
    assert y.shape == (len(X),), f"y has the shape {y.shape}, and X {len(X)} rows"
    assert y.dtype.kind in "iu", f"y holds {y.dtype}: labels are integers"
    assert ((y >= 0) & (y < classes)).all(), f"labels go from {y.min()} to {y.max()}, classes from 0 to {classes - 1}"


def debugger_commands(line, condition, expression):
    """What to type at pdb's prompt, one text a command, in a program that has just been started under it.

    The program is to run on until it comes to the line of that number while the condition holds, there to print the value
    of the expression (pdb's `p`), and then be left. All three stand in the program's own names, line is an int.
    """
    return [f"break {line}, {condition}", "continue", f"p {expression}", "quit"]


def innermost(problem):
    """Where an exception that has been caught was raised: (name of the function, line, {name: value} of its locals).

    The same place to which `pdb.pm()` goes: the last link of problem.__traceback__. A traceback has tb_next, tb_lineno and
    tb_frame; a frame has f_locals and f_code.co_name.
    """
    link = problem.__traceback__
    while link.tb_next is not None:
        link = link.tb_next
    return link.tb_frame.f_code.co_name, link.tb_lineno, dict(link.tb_frame.f_locals)


# ------------------------------------------------------------------------------------------ git: branch and merge


def ahead_behind(parents, ours, theirs):
    """How many commits our branch has that theirs has not, and the other way round: (ahead, behind).

    parents: {commit: the commits it was made from}: none for the first, two for a merge. A branch is the name of its last
    commit, here ours and theirs; it has that commit, its parents, theirs, and so on.
    """
    mine, other = _reached(parents, ours), _reached(parents, theirs)
    return len(mine - other), len(other - mine)


def merge_base(parents, ours, theirs):
    """The commit from which two branches part: they both have it, and it is no ancestor of another that they both have.

    There is exactly one in the histories that this is asked about. A commit has itself, so of a branch and one of its own
    older commits it is that older one.
    """
    common = _reached(parents, ours) & _reached(parents, theirs)
    older = {other for commit in common for other in _reached(parents, commit) - {commit}}
    (base,) = common - older
    return base


def _reached(parents, commit):
    """A commit and all that it comes from."""
    found, ahead = set(), [commit]
    while ahead:
        commit = ahead.pop()
        if commit not in found:
            found.add(commit)
            ahead += parents[commit]
    return found


def merge_lines(base, ours, theirs):
    """Three versions of a file -> (the merged lines, how many conflicts there are).

    Lists of equally many lines: here lines are replaced and none comes or goes, so that a number means the same place in
    all three. A *stretch* is as many neighbouring lines as possible, each changed against base by at least one side. If one
    side alone has changed lines of a stretch, all of it comes from that side; if it is now the same on both, it comes once;
    any other is a conflict, and becomes "<<<<<<< ours", our lines, "=======", their lines, ">>>>>>> theirs".
    """
    merged, conflicts, begin = [], 0, 0
    while begin < len(base):
        end = begin
        while end < len(base) and not base[end] == ours[end] == theirs[end]:
            end += 1
        old, mine, other = base[begin:end], ours[begin:end], theirs[begin:end]
        if mine == other or other == old:
            merged += mine
        elif mine == old:
            merged += other
        else:
            conflicts += 1
            merged += ["<<<<<<< ours", *mine, "=======", *other, ">>>>>>> theirs"]
        merged += base[end : end + 1]  # the line that ends the stretch is the same in all three
        begin = end + 1
    return merged, conflicts


# --------------------------------------------------------------------------------------------- virtual environments


def environment(folder):
    """What the file pyvenv.cfg in a folder says of its environment: {"home": text, "version": (3, 11), "isolated": bool}.

    Its lines read `key = value`; the case of a key, and spaces around either, do not count; lines without `=` are passed
    over. home is where the interpreter lies that the environment was made with, version its first two numbers as ints, and
    isolated is True if include-system-site-packages is there and false, in whatever case: the packages installed beside
    that interpreter are then not seen.
    """
    found = {}
    with open(os.path.join(folder, "pyvenv.cfg"), encoding="utf-8") as file:
        for line in file:
            key, equals, value = line.partition("=")
            if equals:
                found[key.strip().lower()] = value.strip()
    major, minor = found["version"].split(".")[:2]
    isolated = found.get("include-system-site-packages", "true").lower() == "false"
    return {"home": found["home"], "version": (int(major), int(minor)), "isolated": isolated}


def found_first(command, path):
    """Which file a command's name means: folder + "/" + command for the first folder of `path` that has such a file, or None.

    path: names of folders with ":" between, as in the variable PATH; empty ones do not count, and a folder is no file.
    Activating an environment puts its own folder `bin` in front of the others, and that is all there is to it.
    """
    for folder in path.split(":"):
        if folder and os.path.isfile(f"{folder}/{command}"):
            return f"{folder}/{command}"
    return None
