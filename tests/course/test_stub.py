"""The starter: it imports, it keeps the contract, and no statement of a body survives in it."""

import ast
import sys
import types

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.course.holes.contract import contract
from groundup.course.holes.growth import grow
from groundup.course.holes.library import module_name, reference_text
from groundup.course.holes.stub import derive
from groundup.course.lessons.lesson import find_all

BUILT = [path for lesson in find_all() for path in lesson.builds]
SOURCE = '''\
"""A file."""

from math import tau  # kept

import numpy as np

# A constant that is part of the contract.
LIMIT = 3
_TABLE = {1: "one"}
_DEFAULT = 7


class _Plumbing:
    """Gone."""

    def work(self):
        return 1


# ---- What is asked

class Thing(_Plumbing, dict):  # a comment on the line
    """Something."""

    __slots__ = ("a",)
    kind = "thing"
    _cache = {}

    def __init__(self, a, *, b=_DEFAULT):
        """a: a number."""
        self.a = a

    @property
    def double(self):  # (n,)
        """Twice a."""
        # inside, so it goes
        return 2 * self.a

    def _secret(self):
        return 3

    def given_method(self):  # given
        """Stays."""
        return _shown()

    __rmul__ = double


def _shown():  # given: used by what stays
    return 4


def one_liner(x): return x + 1


def generate(n):
    for i in range(n):
        yield i


if __name__ == "__main__":
    print(Thing(1))
'''


def bodies(source):
    """The statements inside functions, docstrings left out, as text; not of definitions marked as given."""
    found, lines, given = [], source.splitlines(), set()
    for node in ast.walk(ast.parse(source)):
        header = (
            lines[node.lineno - 1 : node.body[0].lineno - 1] if hasattr(node, "body") and hasattr(node, "name") else []
        )
        if id(node) in given or any("# given" in line for line in header):
            given |= {id(inner) for inner in ast.walk(node)}
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            start = 1 if ast.get_docstring(node, clean=False) is not None else 0
            found += [ast.unparse(statement) for statement in node.body[start:]]
    return found


def docstrings(source):
    kinds = (ast.FunctionDef, ast.ClassDef, ast.Module)
    return [
        ast.get_docstring(n)
        for n in ast.walk(ast.parse(source))
        if isinstance(n, kinds) and not getattr(n, "name", "").startswith("_x")
    ]


def executed(text, package="groundup.grad"):
    module = types.ModuleType("starter")
    module.__package__ = package
    sys.modules["starter"] = module  # dataclasses look their module up
    exec(compile(text, "starter.py", "exec"), vars(module))
    return module


@pytest.mark.parametrize("path", BUILT)
def test_the_starter_of_a_library_file_imports_and_keeps_the_contract(path):
    source = reference_text(module_name(path))
    starter = derive(source)
    executed(starter, "groundup." + module_name(path).rpartition(".")[0])
    assert contract(starter) == contract(source)
    assert derive(starter) == starter
    assert starter.endswith("\n") and "\n\n\n\n" not in starter


@pytest.mark.parametrize("path", BUILT)
def test_no_statement_of_a_body_survives(path):
    starter = derive(reference_text(module_name(path)))
    kept = [line for line in bodies(starter) if not line.startswith("raise NotImplementedError('yours to write: ")]
    assert kept == []


@pytest.mark.parametrize("path", BUILT)
def test_every_definition_that_is_to_be_written_says_what_it_is(path):
    def look(parent):
        for node in parent.body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
                assert ast.get_docstring(node), f"{path}: {node.name}"
            if isinstance(node, ast.ClassDef):
                look(node)

    look(ast.parse(derive(reference_text(module_name(path)))))


def test_what_stays_and_what_goes():
    starter = derive(SOURCE)
    thing = executed(starter).Thing
    for text in ("# kept", "LIMIT = 3", "_DEFAULT = 7", "# A constant that is part of the contract.", "# ---- What is asked",
                 "# a comment on the line", "# (n,)", '__slots__ = ("a",)', 'kind = "thing"', "def _shown():  # given",
                 "return _shown()", '"""Twice a."""', "class Thing(dict):"):  # fmt: skip
        assert text in starter, text
    for text in (
        "_TABLE",
        "_Plumbing",
        "_secret",
        "_cache",
        "inside, so it goes",
        "2 * self.a",
        "x + 1",
        "yield",
        "__main__",
        "Gone",
    ):
        assert text not in starter, text
    with pytest.raises(NotImplementedError, match=r"yours to write: Thing\.__init__"):
        thing(1)


def test_a_source_that_does_not_parse_is_a_syntax_error():
    with pytest.raises(SyntaxError):
        derive("def f(:\n")


def without(source, name):
    """The source without one definition of its contract."""
    lines = source.splitlines()
    first, *rest = name.split(".")
    body = ast.parse(source).body
    node = next(n for n in body if getattr(n, "name", None) == first)
    if rest:
        node = next(
            n
            for n in node.body
            if getattr(n, "name", None) == rest[0]
            or rest[0] in [getattr(t, "id", None) for t in getattr(n, "targets", [])]
        )
    start = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
    return "\n".join(lines[: start - 1] + lines[node.end_lineno :]) + "\n"


def in_order(part, whole):
    rest = iter(whole)
    return all(any(line == other for other in rest) for line in part)


@given(st.data())
@settings(deadline=None, max_examples=40)
def test_what_is_new_is_added_and_nothing_of_mine_is_altered(data):
    reference = reference_text(module_name(data.draw(st.sampled_from(BUILT))))
    name = data.draw(st.sampled_from([n for n in contract(reference)]))
    try:
        mine = without(reference, name)
        ast.parse(mine)
    except SyntaxError:
        return  # the only statement of its class
    mine = mine.replace("\n", data.draw(st.sampled_from(["\n", "\r\n"])))
    growth = grow(mine, reference)
    gone = {n for n in contract(reference) if n == name or n.startswith(name + ".")}
    assert gone <= set(growth.added)
    assert in_order(mine.splitlines(), growth.text.splitlines())
    assert set(contract(growth.text)) >= set(contract(reference))
    assert ("\r\n" in growth.text) == ("\r\n" in mine)
    again = grow(growth.text, reference)
    assert again.added == () and again.text == growth.text


def test_a_changed_signature_is_told_and_kept():
    growth = grow("def f(a, b):\n    return a\n", 'def f(a, b=1):\n    """F."""\n    return b\n')
    assert growth.changed == ("f",) and growth.added == () and growth.text == "def f(a, b):\n    return a\n"


def test_a_new_definition_brings_its_imports_and_constants():
    reference = 'import numpy as np\n\nRATE = 2\n\n\ndef f(x):\n    """F."""\n    return x\n\n\ndef g(x, rate=RATE, kind=np.float64):\n    """G."""\n    return x\n'
    mine = '"""Mine."""\n\n\ndef f(x):\n    return x + 1\n'
    growth = grow(mine, reference)
    assert growth.added == ("g",)
    executed(growth.text)
    assert growth.text.startswith('"""Mine."""\n')


def test_what_the_learner_bound_in_another_way_is_not_added_again():
    reference = 'class A:\n    """A."""\n\n    def f(self):\n        """F."""\n\n    def g(self):\n        """G."""\n\n\ndef h():\n    """H."""\n'
    mine = "from os import getcwd as h\nclass A:\n  def f(self): return 1\n  g = f\n"
    assert grow(mine, reference).added == ()


def test_a_file_that_does_not_parse_is_left_to_the_caller():
    with pytest.raises(SyntaxError):
        grow("def f(:\n", "def f():\n    return 1\n")


def test_only_line_ends_end_lines():
    mine = 'TEXT = """a\x0cb\u2028c"""\n\n\ndef f(x):\n    return x\n'
    growth = grow(mine, 'def f(x):\n    """F."""\n\n\ndef g(x):\n    """G."""\n')
    assert growth.added == ("g",) and growth.text.startswith(mine)
