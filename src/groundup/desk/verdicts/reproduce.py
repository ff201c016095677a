"""A failing case as a few lines of Python that run in the workspace: the checkpoint's probe, its arguments, a print."""

from __future__ import annotations

import ast
import math
from functools import lru_cache
from typing import Any

from ...course.lessons.lesson import Lesson, LessonError
from ...course.lessons.probes import cut, probe_named, trees
from ...course.showing.verdict_parts import is_array, is_whole
from .values import NOT_FINITE, as_array

LARGEST, SHORT = 6000, 200  # characters: of all, and of the comment that says what is right
TUPLES = frozenset(
    ("axis", "shape", "size", "stride", "padding", "dilation", "betas", "begin")
)  # where lists are tuples


def snippet(lesson: Lesson, c: dict[str, Any]) -> str | None:
    """The lines; None where the case is too large, or holds what cannot be written down."""
    if not isinstance(c["case"], dict):
        return None
    if _leaves(c["case"], LARGEST) > LARGEST:  # each takes a character at least
        return None
    try:
        found = next(((key, tree) for tree in _trees(lesson) if (key := probe_named(tree, c["name"]))), None)
        arguments = [f"{name}={literal(value, name)}" for name, value in c["case"].items() if name.isidentifier()]
    except (LessonError, OSError, ValueError, RecursionError):
        return None
    if found is None or len(arguments) != len(c["case"]):
        return None
    key, tree = found
    source, modules = cut(key, tree)
    imports = ["import numpy as np"] if "np." in "".join(arguments) and "import numpy as np" not in source else []
    imports += [
        "import mine as lib",
        *(f"import mine.{module}" for module in dict.fromkeys([*lesson.modules, *modules])),
    ]
    body = ",\n".join(f"    {argument}" for argument in arguments)
    call = f"print({key}(\n    lib,\n{body},\n))" if arguments else f"print({key}(lib))"
    text = "\n".join([*imports, "", source, "", call, *_expected(c)])
    return text if len(text) <= LARGEST else None


def _trees(lesson: Lesson) -> tuple[ast.Module, ...]:
    """The syntax trees of the checks, read once for each state of their files: some have a thousand lines."""
    return _parsed(lesson, tuple(path.stat().st_mtime_ns for path in lesson.checks))


@lru_cache(maxsize=8)
def _parsed(lesson: Lesson, changed: tuple[int, ...]) -> tuple[ast.Module, ...]:
    return tuple(tree for _, tree in trees(lesson))


def _leaves(value: Any, most: int) -> int:
    """How many single values there are in a value, counted to a little beyond `most`."""
    if is_array(value):
        return len(value["values"])
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    count = 1
    for part in parts:
        count += _leaves(part, most - count)
        if count > most:
            break
    return count


def _expected(c: dict[str, Any]) -> list[str]:
    """What is right, as a comment, where it is short."""
    if c["expected"] is None or c["verdict"] == "mutated-input":
        return []
    if _leaves(c["expected"], SHORT) > SHORT:
        return []
    try:
        text = literal(c["expected"])
    except ValueError:
        return []
    where = f" at {c['path']}" if c.get("path") else ""
    return [f"# expected{where}: {text}"] if len(text) <= SHORT and "\n" not in text + where else []


def literal(value: Any, name: str = "", inside: bool = False) -> str:
    """A JSON value as Python. ValueError for an array that was cut, or a value whose type is all that is known."""
    if is_array(value):
        return _array(value)
    if isinstance(value, dict):
        if set(value) == {"type"}:
            raise ValueError("not a value")
        return "{" + ", ".join(f"{k!r}: {literal(v, k, inside)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        items = [literal(item, name, True) for item in value]
        if inside or name in TUPLES:  # JSON has lists alone: in a list of steps each was a tuple
            return f"({', '.join(items)}{',' if len(items) == 1 else ''})"
        return f"[{', '.join(items)}]"
    if isinstance(value, str) and value in NOT_FINITE:
        return f'float("{value}")'
    return repr(value)


def _array(value: dict[str, Any]) -> str:
    if not is_whole(value):
        raise ValueError("not all of its entries are there")
    array = as_array(value)
    if array.dtype == object:
        raise ValueError("not numbers")
    shape, dtype = tuple(value["shape"]), value["dtype"]
    if not array.size:
        return f"np.zeros({shape}, dtype={dtype!r})"
    usual = dtype in ("bool", "int64", "float64")
    return f"np.array({_nested(array.tolist())}{'' if usual else f', dtype={dtype!r}'})"


def _nested(entries: Any) -> str:
    if isinstance(entries, list):
        return f"[{', '.join(map(_nested, entries))}]"
    if isinstance(entries, float) and not math.isfinite(entries):
        return "np.nan" if math.isnan(entries) else ("np.inf" if entries > 0 else "-np.inf")
    return repr(entries)
