"""What is left of a source, and how it is brought up to date, held against `ast` and against sources of the world."""

import ast
import importlib
import random
import sys
import types
from pathlib import Path

import pytest

from groundup.course.stub import Growth, contract, derive, grow

# Modules whose import runs none of their own functions: not a single body may be left.
PURE = """json.decoder json.encoder textwrap collections heapq statistics functools argparse difflib csv queue pathlib
configparser asyncio.tasks groundup.grad.value sklearn.base sklearn.linear_model._ridge scipy.sparse._csr
scipy.spatial.distance""".split()
# Modules that call decorators, fill tables, make enumerations or instances while they are imported.
BUSY = """json fractions dataclasses contextlib random string ast dis reprlib numbers tokenize traceback
_collections_abc optparse sklearn.pipeline""".split()

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def source_of(name):
    return Path(importlib.import_module(name).__file__).read_text(encoding="utf-8")


@pytest.fixture(scope="module", params=PURE + BUSY)
def world(request):
    """(name, source, derived source) of a module that others wrote."""
    source = source_of(request.param)
    return request.param, source, derive(source)


def executed(text, monkeypatch, like=None):
    """The module that the text makes, in the package of the module it is like."""
    module = types.ModuleType("derived")
    if like:
        module.__package__, module.__file__ = like.__package__, like.__file__
    monkeypatch.setitem(sys.modules, "derived", module)
    exec(compile(text, "derived", "exec"), module.__dict__)
    return module


def functions(tree, prefix=""):
    """(dotted name, node) of every function that is not inside another, nor under `if __name__ == "__main__":`."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "__main__" in ast.unparse(node.test):
            continue
        if isinstance(node, FUNCTIONS):
            yield prefix + node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from functions(node, f"{prefix}{node.name}.")
        else:
            yield from functions(node, prefix)


def after_docstring(node):
    return node.body[ast.get_docstring(node, clean=False) is not None :]


def is_public(dotted):
    return not any(part.startswith("_") and not part.endswith("_") for part in dotted.split("."))


# ---- What derive promises, on sources of the world


def test_a_derived_module_can_be_imported(world, monkeypatch):
    name, _, derived = world
    executed(derived, monkeypatch, importlib.import_module(name))


def test_deriving_twice_changes_nothing(world):
    _, _, derived = world
    assert derive(derived) == derived


def test_the_contract_survives(world):
    _, source, derived = world
    assert contract(derived) == contract(source)


def test_every_public_function_keeps_its_arguments_decorators_and_docstring(world):
    _, source, derived = world

    def outside(text):
        return [
            (name, [ast.dump(item) for item in (node.args, *node.decorator_list)], ast.get_docstring(node, clean=False))
            for name, node in functions(ast.parse(text))
            if is_public(name)
        ]

    assert outside(derived) == outside(source)


def test_names_of_the_contract_are_public_definitions_of_the_source(world):
    _, source, _ = world
    defined = {name for name, node in functions(ast.parse(source)) if is_public(name)}
    classes = {node.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ClassDef)}
    signatures = contract(source)
    assert defined <= signatures.keys()
    for name in signatures.keys() - defined:
        last = name.rpartition(".")[2]
        assert last in classes or last in signatures[name].split(" = ")[:-1]


@pytest.mark.parametrize("name", PURE)
def test_no_body_is_left_where_the_import_runs_none(name):
    for dotted, node in functions(ast.parse(derive(source_of(name)))):
        body = [ast.unparse(statement) for statement in after_docstring(node)]
        assert body == [f"raise NotImplementedError('yours to write: {dotted}')"]


def test_the_result_is_laid_out_evenly(world):
    _, _, derived = world
    assert derived.endswith("\n") and not derived.endswith("\n\n") and not derived.startswith("\n")
    strings, given = set(), set()
    for node in ast.walk(ast.parse(derived)):
        if isinstance(node, (ast.Constant, ast.JoinedStr)):
            strings |= set(range(node.lineno, node.end_lineno + 1))
        if isinstance(node, FUNCTIONS) and "yours to write" not in ast.unparse(node):
            given |= set(range(node.lineno, node.end_lineno + 1))
    lines = derived.split("\n")
    for number, line in enumerate(lines, start=1):
        assert number in strings or line == line.rstrip()
        if number not in strings | given:
            assert lines[number - 1 : number + 2] != ["", "", ""] or number >= len(lines) - 1


# ---- The rules of derive, one by one


def test_a_file_shows_every_rule():
    source = '''#!/usr/bin/env python
"""Doc."""
from __future__ import annotations

import math
from functools import cached_property, wraps
from typing import TYPE_CHECKING, overload
from .places import _secret, shown, _also as also
from .other import _hidden

if TYPE_CHECKING:
    from .types import Array

# ---- Section

_TABLE = [1, 2]  # gone
LIMIT = 3   # stays
_WIDTH = 7
__all__ = ["Shape"]


# about the helper
def _helper(x):
    return _TABLE[x]


# --- Shapes


# about Shape
class Shape(_helper and object):
    pass


class _Root(dict):
    def root(self): return 1


class Box(_Root):
    """A box."""
    __slots__ = ("_a", "b")
    unit: str = "m"
    _count = 0
    # how wide
    def __init__(self, a, b=_WIDTH):  # (n,)
        """Keeps."""
        # a comment of the body
        self._a = a

    @property
    def area(self) -> Array: return self._a  # (n, n)
    @area.setter
    def area(self, value): self._a = value

    @cached_property
    def _cache(self):
        return {}

    @overload
    def at(self, i: int) -> int: ...
    @overload
    def at(self, i: str) -> str: ...
    def at(self, i):
        def inner():
            return i
        return inner()

    async def load(self):
        yield await self._cache
    __radd__ = area
    # the end of the class


pack = Box

if __name__ == "__main__":
    print(Box(1))
# the end
'''
    assert (
        derive(source)
        == '''#!/usr/bin/env python
"""Doc."""
from __future__ import annotations

import math
from functools import cached_property, wraps
from typing import TYPE_CHECKING, overload
from .places import shown, _also as also

if TYPE_CHECKING:
    from .types import Array

# ---- Section

_TABLE = [1, 2]  # gone
LIMIT = 3   # stays
_WIDTH = 7
__all__ = ["Shape"]


# about the helper
def _helper(x):
    raise NotImplementedError("yours to write: _helper")


# --- Shapes


# about Shape
class Shape(_helper and object):
    pass


class Box(dict):
    """A box."""
    __slots__ = ("_a", "b")
    unit: str = "m"

    # how wide
    def __init__(self, a, b=_WIDTH):  # (n,)
        """Keeps."""
        raise NotImplementedError("yours to write: Box.__init__")

    @property
    def area(self) -> Array:  # (n, n)
        raise NotImplementedError("yours to write: Box.area")

    @area.setter
    def area(self, value):
        raise NotImplementedError("yours to write: Box.area")

    @overload
    def at(self, i: int) -> int:
        raise NotImplementedError("yours to write: Box.at")

    @overload
    def at(self, i: str) -> str:
        raise NotImplementedError("yours to write: Box.at")

    def at(self, i):
        raise NotImplementedError("yours to write: Box.at")

    async def load(self):
        raise NotImplementedError("yours to write: Box.load")

    __radd__ = area
    # the end of the class


pack = Box

# the end
'''.replace("_TABLE = [1, 2]  # gone\n", "")
    )


def stays(source):
    """The names that a derived module binds at its top."""
    tree = ast.parse(derive(source))
    bound = {node.name for node in tree.body if isinstance(node, (*FUNCTIONS, ast.ClassDef))}
    stored = [node for item in tree.body if not isinstance(item, ast.ClassDef) for node in ast.walk(item)]
    return bound | {node.id for node in stored if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("_A = 1\ndef f(x=_A): return x\n", {"_A", "f"}),
        ("_A = 1\n_B = _A\ndef f(x=_B): return x\n", {"_A", "_B", "f"}),
        ("_A = {}\n_A['k'] = 1\n_B = {}\n_B['k'] = 1\nT = [_A]\n", {"_A", "T"}),
        ("_A = int\ndef f(x: _A): return x\n", {"_A", "f"}),
        ("def _d(f): return f\n@_d\ndef g(): return 1\n", {"_d", "g"}),
        ("def _f(): return 1\nTABLE = {'f': _f}\n", {"_f", "TABLE"}),
        ("def _f(): return 1\ndef g(): return _f()\n", {"g"}),
        ("class _B: pass\nclass A(_B): pass\n", {"A"}),
        ("class _B: pass\nclass A(_B): pass\nT = _B\n", {"_B", "A", "T"}),
        ("if 1:\n    _A = 1\nelse:\n    _A = 2\nB = _A\n", {"_A", "B"}),
        ("if 1:\n    _A = 1\nelse:\n    _A = 2\nB = 1\n", {"B"}),
        ("try:\n    import x\nexcept ImportError:\n    x = None\n", {"x"}),
        ("_A, B = 1, 2\n_C = D = 3\n_E, _F = 1, 2\n", {"_A", "B", "_C", "D"}),
        ("_A = 1; B = 2; _C = 3\n", {"B"}),
        ("for _i in range(3): pass\ndel _i\nA = 1\n", {"A"}),
        ("_A = 1\nB = _A\ndel _A\n_C = 1\ndel _C\n", {"_A", "B"}),
        ("def _f(): pass  # given\n_A = 1  # given\n_B = 2  # given a reason\n", {"_f", "_A"}),
        ("_A = 1\n_B = 2\ndef f():  # given\n    return _A\n", {"_A", "f"}),
    ],
)
def test_a_private_definition_stays_only_if_something_that_stays_needs_it(source, names, monkeypatch):
    assert stays(source) == names
    if "import x" not in source:
        executed(derive(source), monkeypatch)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("def make(): return _step()\ndef _step(): return 3\nX = make()\n", 3),
        (
            "class P:\n    def __init__(self, x): self.x = self._twice(x)\n    def _twice(self, x): return 2 * x\nX = P(4).x\n",
            8,
        ),
        ("def f(x): return x + 1\nX = list(map(f, [1, 2]))\n", [2, 3]),
        ("X = max([1, 2], key=lambda x: _key(x))\n_k = 1\n".replace("X", "def _key(x): return -x\nX", 1), 1),
        ("class _M(type):\n    def __len__(cls): return 5\nclass A(metaclass=_M): pass\nX = len(A)\n", 5),
        ("import enum\nclass E(enum.Enum):\n    A = 1\n    def __init__(self, n): self.n = n + 1\nX = E.A.n\n", 2),
        (
            "class B:\n    seen = []\n    def __init_subclass__(cls): cls.seen.append(1)\nclass A(B): pass\nX = B.seen\n",
            [1],
        ),
        ("class A:\n    _hidden = [1]\nX = A._hidden\n", [1]),
    ],
)
def test_what_the_import_runs_still_runs(source, value, monkeypatch):
    assert executed(source, monkeypatch).X == value
    assert executed(derive(source), monkeypatch).X == value


def test_a_given_definition_is_kept_to_the_letter():
    kept = 'class Given(_Base):  # given: built in 1.2\n    """Doc."""\n    _x = 1   \n\n\n    def _f(self): return   1 # so\n'
    helper = "    def whole(  # given\n        self,\n    ):\n        return self._part()\n\n    def _part(self):\n        return 1\n"
    source = f"class _Base:\n    def b(self): return 1\n\n\n{kept}\n\nclass Mine:\n{helper}\n    def _other(self): return 2\n"
    derived = derive(source)
    assert kept in derived and helper in derived
    assert "class _Base:\n    def b(self): return 1\n" in derived
    assert "_other" not in derived


def test_a_base_that_goes_is_replaced_by_its_own():
    source = (
        "import abc\nclass _A(abc.ABC, dict): pass\nclass _B(_A): pass\nclass C(_B): pass\nclass D(_B, list): pass\n"
    )
    assert contract(source) == {"C": "class C(abc.ABC, dict)", "D": "class D(list)"}


def test_docstrings_are_kept_to_the_letter():
    docs = ['"""One."""', "'''Two\n\n        deep   \n    '''", 'r"""Ra\\w."""', '("a"\n     "b")']
    for doc in docs:
        assert doc in derive(f"def f():\n    {doc}\n    return 1\n")
    assert '    "x"\n    raise' in derive('def f(): "x"; return 1\n')
    for other in ('f"""no {1}"""', 'b"no"'):
        assert "no" not in derive(f"def f():\n    {other}\n    return 1\n")


def test_aliases_and_fields_belong_to_the_contract_and_constants_do_not():
    source = """import dataclasses
@dataclasses.dataclass
class C:
    rate: float = 0.1
    _hidden: int = 2
    LIMIT = 3
    def f(self,
          x = (1)): return x
    g = f
LIMIT = 2
h = C
"""
    fields = "@dataclasses.dataclass\nclass C:\n    rate: float = 0.1\n    _hidden: int = 2"
    assert contract(source) == {"C": fields, "C.f": "def f(self, x=1)", "C.g": "g = f", "h": "h = C"}


def test_line_ends_and_indents_are_the_sources_own():
    source = "class A:\r\n\tdef f(self):\r\n\t\t'''d'''\r\n\t\treturn 1\r\n"
    assert derive(source) == (
        "class A:\r\n\tdef f(self):\r\n\t\t'''d'''\r\n\t\traise NotImplementedError(\"yours to write: A.f\")\r\n"
    )


@pytest.mark.parametrize("broken", ["def f(:\n", "x = (\n", "\0"])
def test_what_does_not_parse_is_a_syntax_error(broken):
    for attempt in (lambda: derive(broken), lambda: contract(broken), lambda: grow(broken, "x = 1\n")):
        with pytest.raises(SyntaxError):
            attempt()


@pytest.mark.parametrize("source", ["", "\n\n", "# only a comment\n", '"""Only a docstring."""'])
def test_a_source_without_definitions_is_legal(source):
    assert derive(source) == (source.strip() + "\n" if source.strip() else "")
    assert contract(source) == {}


# ---- Growing


def kept_in_order(mine, text):
    """Whether every line of mine is in the text, in order and unaltered (a missing final line end aside)."""
    lines = iter(text.splitlines())
    return all(line in lines for line in mine.splitlines())


def check_growth(mine, reference):
    """Grows, and holds what any growth promises."""
    growth = grow(mine, reference)
    ast.parse(growth.text.removeprefix("\ufeff"))
    assert kept_in_order(mine, growth.text)
    again = grow(growth.text, reference)
    assert again.added == () and again.text == growth.text and again.changed == growth.changed
    before, after, wanted = contract(mine), contract(growth.text), contract(reference)
    assert set(growth.added) <= wanted.keys() - before.keys()
    assert all(after[name] == wanted[name] for name in growth.added)
    assert all(after[name] == before[name] for name in before)
    assert all(before[name] != wanted[name] for name in growth.changed if name in before)
    if not growth.added:
        assert growth.text == mine
    return growth


REFERENCE = '''"""Doc."""

import math
from json import dumps as to_json
from typing import Any

EPS = 1e-8
WIDE = {"eps": EPS}


def _logged(f):
    return f


class Value:
    """A number."""

    RATE = 0.5

    def __init__(self, data):
        """Keeps."""
        self.data = data

    def __add__(self, other):
        return math.fsum([self.data, other])

    __radd__ = __add__

    # as text
    @_logged
    def text(self, eps=EPS, rate=RATE) -> Any:
        """As text.

        Indented:
            deeper
        """
        return to_json(self.data)

    @property
    def size(self):
        return 1

    @size.setter
    def size(self, value):
        self.data = value


def descend(f, x, rate=0.1, options=WIDE):
    """Down."""
    return Value(math.sin(x))


minimise = descend
'''


def test_a_file_that_has_everything_is_returned_as_it_is():
    for mine in (derive(REFERENCE), REFERENCE, REFERENCE.replace("\n", "\r\n"), "\ufeff" + REFERENCE):
        assert grow(mine, REFERENCE) == Growth(mine, (), ())


def test_an_empty_file_receives_the_whole_contract(monkeypatch):
    growth = check_growth("", REFERENCE)
    assert growth.added == tuple(contract(REFERENCE)) and growth.changed == ()
    assert contract(growth.text) == contract(REFERENCE)
    executed(growth.text, monkeypatch)


def test_a_class_is_extended_at_its_end(monkeypatch):
    mine = '''"""Mine."""
import numpy as np

class Value:
    def __init__(self, data):
        self.data = data
        # that is all

    # and this is the end

def helper():
    return np.pi
'''
    growth = check_growth(mine, REFERENCE)
    assert set(growth.added) == contract(REFERENCE).keys() - {"Value", "Value.__init__"}
    assert growth.changed == ()
    expected = """    # and this is the end

    def __add__(self, other):
        raise NotImplementedError("yours to write: Value.__add__")

    __radd__ = __add__
    RATE = 0.5

    # as text
    @_logged
    def text(self, eps=EPS, rate=RATE) -> Any:
"""
    assert expected in growth.text
    module = executed(growth.text, monkeypatch)
    assert module.Value(3).data == 3 and module.helper() > 3
    with pytest.raises(NotImplementedError, match=r"Value\.text"):
        module.Value(3).text()


def test_imports_and_constants_go_below_the_imports():
    mine = '"""Mine."""\nimport numpy as np\n\n\nclass Value:\n    def __init__(self, data):\n        pass\n'
    head = check_growth(mine, REFERENCE).text.partition("class Value")[0]
    assert head.startswith('"""Mine."""\nimport numpy as np\nimport math\nfrom json import dumps as to_json\n')
    assert head.index("import Any") < head.index("EPS = ") < head.index("WIDE = ") < head.index("def _logged")


def test_what_the_learner_named_alike_is_used_and_not_repeated(monkeypatch):
    mine = "from typing import Any\nEPS = 5\ndef _logged(f): return f\nclass Value:\n    RATE = 2\n"
    growth = check_growth(mine, REFERENCE)
    assert growth.text.count("EPS = ") == growth.text.count("def _logged") == growth.text.count("RATE = ") == 1
    assert executed(growth.text, monkeypatch).Value.text.__defaults__ == (5, 2)


def test_a_signature_that_differs_is_reported_and_left():
    mine = REFERENCE.replace("def __init__(self, data)", "def __init__(self, number, *, unit=None)")
    mine = mine.replace("def descend(f, x, rate=0.1", "def descend(f, rate, x=0.1").replace("    @property\n", "")
    growth = check_growth(mine.replace("    @size.setter\n", ""), REFERENCE)
    assert growth.added == ()
    assert growth.changed == ("Value.__init__", "Value.size", "descend")


def test_layout_and_private_bases_are_no_difference():
    mine = REFERENCE.replace("(f, x, rate=0.1, options=WIDE)", "(\n    f,\n    x, rate = 0.1,\n    options = WIDE,\n)")
    mine = mine.replace("class Value:", "class _Shared:\n    pass\n\n\nclass Value(_Shared):")
    assert grow(mine, REFERENCE) == Growth(mine, (), ())


def test_what_the_learner_supplies_otherwise_is_not_added():
    mine = """import math
class _Sum:
    def __add__(self, other):
        return 1
class Value(_Sum):
    def __init__(self, data):
        self.size = 3
def text(self): return ""
Value.text = text
Value.__radd__ = Value.__add__
from json import loads as descend
minimise = print
"""
    growth = check_growth(mine, REFERENCE)
    assert growth.added == ()
    assert growth.changed == ("descend", "minimise")


def test_a_class_on_one_line_is_not_touched():
    growth = check_growth("class Value: pass\n", REFERENCE)
    assert growth.added == ("descend", "minimise")
    assert set(growth.changed) == {f"Value.{name}" for name in ("__init__", "__add__", "__radd__", "text", "size")}


def test_a_method_whose_default_comes_too_late_is_not_added(monkeypatch):
    mine = "class Value:\n    x = 1\n\nEPS = 3\n"
    growth = check_growth(mine, REFERENCE)
    assert "Value.text" in growth.changed and "Value.__add__" in growth.added
    executed(growth.text, monkeypatch)


def test_a_constant_that_depends_on_a_new_definition_goes_below_it(monkeypatch):
    reference = "def f(x): return x\n\n\n_TABLE = {'f': f}\n\n\ndef g(t=_TABLE): return t\n"
    growth = check_growth("import math\n\n\ndef mine():\n    return 1\n", reference)
    assert growth.added == ("f", "g")
    executed(growth.text, monkeypatch)


def test_annotations_stay_unevaluated_where_the_reference_leaves_them_so(monkeypatch):
    reference = "from __future__ import annotations\n\n\nclass A:\n    def f(self) -> A: return self\n    def g(self, b: B): pass\n"
    mine = '#!/usr/bin/env python\n# -*- coding: utf-8 -*-\n"""Doc."""\nclass A:\n    x = 1\n'
    growth = check_growth(mine, reference)
    assert growth.added == ("A.f", "A.g")
    assert growth.text.startswith(mine[: mine.index("class")] + "\nfrom __future__ import annotations\n")
    executed(growth.text, monkeypatch)


def test_nested_classes_grow_too():
    reference = "class A:\n    class B:\n        def f(self): return 1\n        def g(self): return 2\n    def h(self): return 3\n"
    growth = check_growth(
        "if True:\n  class A:\n    class B:\n      def f(self):\n        return 5\n    y = 1\n", reference
    )
    assert growth.added == ("A.B.g", "A.h")
    assert '\n      def g(self):\n        raise NotImplementedError("yours to write: A.B.g")\n' in growth.text
    assert '\n    def h(self):\n      raise NotImplementedError("yours to write: A.h")\n' in growth.text


def test_line_ends_tabs_and_marks_are_the_learners(monkeypatch):
    mine = "# -*- coding: latin-1 -*-\r\nclass Value:\r\n\tdef __init__(self, data):\r\n\t\tself.data = 'é\x0c\u2028'"
    growth = check_growth("\ufeff" + mine, REFERENCE)
    assert growth.text.startswith("\ufeff# -*- coding: latin-1 -*-\r\n")
    assert growth.text.count("\n") == growth.text.count("\r\n")
    assert "\r\n\tdef __add__(self, other):\r\n\t\traise NotImplementedError(" in growth.text
    assert "\t\tIndented:\r\n\t\t\tdeeper\r\n" in growth.text
    executed(growth.text.removeprefix("\ufeff"), monkeypatch)


def without(text, names, rng):
    """The text with `pass` in the place of some definitions of the contract."""
    lines = text.split("\n")
    gone = set(rng.sample(sorted(names), rng.randint(1, len(names))))
    for dotted, node in functions(ast.parse(text)):
        if dotted in gone:
            first = min([node.lineno, *(item.lineno for item in node.decorator_list)])
            lines[first - 1 : node.end_lineno] = [None] * (node.end_lineno - first + 1)
            lines[first - 1] = " " * node.col_offset + "pass"
    return "\n".join(line for line in lines if line is not None)


def styled(text, rng):
    """The text as another person would save it."""
    text = text.rstrip("\n") if rng.random() < 0.5 else text + "\n\n"
    text = "#!/usr/bin/env python\n" + text if rng.random() < 0.5 else text
    return text.replace("\n", "\r\n") if rng.random() < 0.5 else text


def can_be_imported(text, monkeypatch, like):
    try:
        executed(text, monkeypatch, like)
    except Exception:
        return False
    return True


@pytest.mark.parametrize("name", PURE + BUSY)
def test_any_definitions_that_are_missing_come_back(name, monkeypatch):
    source, like = source_of(name), importlib.import_module(name)
    rng = random.Random(name)
    names, stub = contract(source), derive(source)
    for _ in range(2):
        mine = styled(without(stub, names, rng), rng)
        growth = check_growth(mine, source)
        assert names.keys() - contract(growth.text).keys() <= set(growth.changed)
        if can_be_imported(mine, monkeypatch, like):  # else it lacks what its own tables or decorators name
            executed(growth.text, monkeypatch, like)
