"""The way back through a graph, one value after the other (1.3): each waits for all of its shares before it pays."""

from __future__ import annotations

import re
from typing import Any

from ..drawing.graph import Edge, Node, draw_graph
from ..drawing.svg import element
from .explorable import Drawn, Explorable, Slider, Steps, Text, Values
from .numbers import short

SIGNS = {"+": "+", "-": "−", "*": "×", "/": "÷", "neg": "−", "pow": "power"}
FUNCTIONS = ("tanh", "exp", "log", "relu")
GIVEN = ("a", "b")
MOST = 24  # nodes
TOKEN = re.compile(r"\s*(\*\*|[-+*/()=;]|\d+\.?\d*|\.\d+|[A-Za-z]\w*)")

Made = tuple[str, tuple[int, ...], Any]  # what made it, from which (by their numbers), and a number or a name


class Parser:
    """Reads `v = a*a; tanh(v) + b ** 2` into a list of nodes, operands before results. ValueError says what was expected."""

    def __init__(self, text: str) -> None:
        self.nodes: list[Made] = []
        self.names: dict[str, int] = {}
        self.tokens: list[str] = []
        at = 0
        while text[at:].strip():
            found = TOKEN.match(text, at)
            if found is None:
                raise ValueError(
                    f"{text[at:].strip()[0]!r} is not understood: write with a, b, numbers, + - * / **, {', '.join(FUNCTIONS)}"
                )
            self.tokens.append(found[1])
            at = found.end()

    def read(self) -> list[Made]:
        """All statements; the value of the last one is the last node."""
        result = self.statement()
        while self.take(";"):
            if self.tokens:
                result = self.statement()
        if self.tokens:
            raise ValueError(f"{self.tokens[0]!r} stands where an operation or the end was expected")
        return reached(self.nodes, result, {i: name for name, i in self.names.items()})

    def take(self, token: str) -> bool:
        """Whether the next token is this one, which is then gone."""
        if self.tokens[:1] != [token]:
            return False
        self.tokens.pop(0)
        return True

    def add(self, kind: str, operands: tuple[int, ...] = (), what: Any = None) -> int:
        """A new node, and its number."""
        if len(self.nodes) >= MOST:
            raise ValueError(f"at most {MOST} values: the picture has no room for more")
        self.nodes.append((kind, operands, what))
        return len(self.nodes) - 1

    def statement(self) -> int:
        """`name = sum`, or a sum."""
        if len(self.tokens) > 1 and self.tokens[1] == "=":
            name = self.tokens.pop(0)
            self.tokens.pop(0)
            if not name.isidentifier() or name in GIVEN or name in FUNCTIONS:
                raise ValueError(f"{name!r} cannot be given a value here: take another name")
            self.names[name] = self.sum()
            return self.names[name]
        return self.sum()

    def sum(self) -> int:
        """Products, added and subtracted."""
        left = self.product()
        while self.tokens and self.tokens[0] in "+-":
            left = self.add(self.tokens.pop(0), (left, self.product()))
        return left

    def product(self) -> int:
        """Factors, multiplied and divided."""
        left = self.factor()
        while self.tokens and self.tokens[0] in ("*", "/"):
            left = self.add(self.tokens.pop(0), (left, self.factor()))
        return left

    def factor(self) -> int:
        """-factor, or a power with a plain number above."""
        if self.take("-"):
            return self.add("neg", (self.factor(),))
        base = self.atom()
        if not self.take("**"):
            return base
        sign = -1.0 if self.take("-") else 1.0
        if not self.tokens or self.tokens[0][0] not in ".0123456789":
            raise ValueError("the exponent is a plain number, as in a ** 2")
        return self.add("pow", (base,), sign * float(self.tokens.pop(0)))

    def atom(self) -> int:
        """A number, a name, a function of a sum, or a sum in brackets."""
        if not self.tokens:
            raise ValueError("something is missing at the end: a, b, a number or a bracket was expected")
        token = self.tokens.pop(0)
        if token[0] in ".0123456789":
            return self.add("number", (), float(token))
        if token == "(" or token in FUNCTIONS:
            if token != "(" and not self.take("("):
                raise ValueError(f"{token} wants brackets: {token}(a)")
            inside = self.sum()
            if not self.take(")"):
                raise ValueError("a bracket is not closed")
            return inside if token == "(" else self.add(token, (inside,))
        if token in GIVEN and token not in self.names:
            self.names[token] = self.add("given", (), token)
        if token not in self.names:
            raise ValueError(f"there is no value {token!r}: use {', '.join(GIVEN)}, or a name given before")
        return self.names[token]


def reached(nodes: list[Made], result: int, names: dict[int, str]) -> list[Made]:
    """The nodes that the result was made from, numbered anew, the result last; what has a name carries it."""
    wanted, waiting = {result}, [result]
    while waiting:
        new = [i for i in nodes[waiting.pop()][1] if i not in wanted]
        wanted.update(new)
        waiting += new
    order = [*sorted(wanted - {result}), result]
    number = {old: i for i, old in enumerate(order)}
    kept: list[Made] = []
    for old in order:
        kind, operands, what = nodes[old]
        kept.append(
            (kind, tuple(number[i] for i in operands), what if kind in ("number", "given", "pow") else names.get(old))
        )
    return kept


def parse(text: str) -> list[Made]:
    """The nodes of an expression, operands before results. ValueError says what is wrong with it."""
    nodes = Parser(text).read()
    if len(nodes) < 2:
        raise ValueError("nothing is computed here: write an operation, such as a * b")
    return nodes


def apply(kind: str, operands: list[Any], what: Any) -> Any:
    """One operation of the library."""
    if kind in FUNCTIONS:
        return getattr(operands[0], kind)()
    if kind == "neg":
        return -operands[0]
    if kind == "pow":
        return operands[0] ** what
    a, b = operands
    return a + b if kind == "+" else a - b if kind == "-" else a * b if kind == "*" else a / b


def compute(lib: Any, *, expression: str, a: float, b: float, step: int) -> dict[str, Any]:
    """Values and gradients as the library gives them, the slope of each operation alone, and slopes of the whole by nudging."""
    nodes, Value = parse(expression), lib.grad.value.Value

    def forward(given: dict[str, float]) -> list[Any]:
        made: list[Any] = []
        for kind, operands, what in nodes:
            leaf = given[what] if kind == "given" else what
            made.append(apply(kind, [made[i] for i in operands], what) if operands else Value(leaf))
        return made

    made = forward({"a": a, "b": b})
    made[-1].backward()
    slopes = []
    for kind, operands, what in nodes:
        alone = [Value(made[i].data) for i in operands]
        if alone:
            apply(kind, alone, what).backward()
        slopes.append([float(value.grad) for value in alone])
    nudged = {}
    for name in [what for kind, _, what in nodes if kind == "given"]:
        up, down = (forward({"a": a, "b": b, name: {"a": a, "b": b}[name] + h})[-1].data for h in (1e-5, -1e-5))
        nudged[name] = (up - down) / 2e-5
    return {
        "values": [float(value.data) for value in made], "grads": [float(value.grad) for value in made], "slopes": slopes, "nudged": nudged,
    }  # fmt: skip


def draw(values: Values, found: Values) -> Drawn:
    """The graph, with what each value holds after so many have paid."""
    nodes, data, grads, slopes = parse(values["expression"]), found["values"], found["grads"], found["slopes"]
    paying = [i for i in reversed(range(len(nodes))) if nodes[i][1]]  # results before their operands
    step = min(values["step"], len(paying))
    paid = paying[:step]
    holds = [0.0] * (len(nodes) - 1) + [1.0]
    waits = [sum(operands.count(i) for _, operands, _ in nodes) for i in range(len(nodes))]
    shares: dict[tuple[int, int], float] = {}
    for i in paid:
        for place, operand in enumerate(nodes[i][1]):
            shares[i, place] = holds[i] * slopes[i][place]
            holds[operand] += shares[i, place]
            waits[operand] -= 1
    off = [i for i in range(len(nodes)) if not waits[i] and abs(grads[i] - holds[i]) > 1e-6 * max(1.0, abs(holds[i]))]
    drawn, edges = [], []
    for i, (kind, operands, what) in enumerate(nodes):
        name = called(nodes, i)
        value = (
            short(data[i], 4)
            if kind in ("given", "number") or not isinstance(what, str)
            else f"{what} = {short(data[i], 4)}"
        )
        note, look = (
            f"{short(holds[i], 4)}" if not waits[i] else f"{short(holds[i], 4)} so far" if holds[i] else "",
            "mark",
        )
        if i in off:
            note, look = f"{short(holds[i], 4)}, not {short(grads[i], 4)}", "miss"
        now = "pass" if i in paid else "hint" if step < len(paying) and i == paying[step] else "ink"
        drawn.append(Node(str(i), SIGNS.get(kind, kind if operands else name), value, note, now, look))
        for place, operand in enumerate(operands):
            text = short(shares[i, place], 4) if (i, place) in shares else f"×{short(slopes[i][place], 4)}"
            edges.append(Edge(str(operand), str(i), text, "mark" if (i, place) in shares else "soft"))
    says = sentence(nodes, found, paid, len(paying), holds, shares)
    if off:
        which = ", ".join(
            f"{called(nodes, i)}: {short(grads[i], 4)} where the shares add up to {short(holds[i], 4)}" for i in off
        )
        says += f" The library's own gradients differ at {which}."
    rows: list[tuple[Any, ...]] = [("value", "made by", "number", "gradient so far", "the library's gradient")]
    rows += [
        (
            called(nodes, i),
            SIGNS.get(nodes[i][0], nodes[i][0]),
            short(data[i], 6),
            short(holds[i], 6),
            short(grads[i], 6),
        )
        for i in range(len(nodes))
    ]
    graph = draw_graph(drawn, edges, f"The graph of {values['expression']}. {says}")
    scroll = element("div", graph, class_="scroll", tabindex=0, role="region", aria_label="the graph")
    return Drawn(scroll, rows, says, len(paying))


def sentence(
    nodes: list[Made],
    found: Values,
    paid: list[int],
    count: int,
    holds: list[float],
    shares: dict[tuple[int, int], float],
) -> str:
    """What the last payment was, or what the gradients are in the end."""
    if not paid:
        return f"Forward: the result is {short(found['values'][-1], 4)}. On the way back it begins with a gradient of 1; on each arrow stands its slope."
    at, (_, operands, _) = paid[-1], nodes[paid[-1]]
    gets = " and ".join(
        f"{short(shares[at, place], 4)} to {called(nodes, operand)}" for place, operand in enumerate(operands)
    )
    says = f"Payment {len(paid)} of {count}: {called(nodes, at)} holds {short(holds[at], 4)} and pays {gets}."
    if len(paid) == count:
        ends = {what: holds[i] for i, (kind, _, what) in enumerate(nodes) if kind == "given"}
        says += (
            " So "
            + " and ".join(
                f"the slope along {name} is {short(g, 6)} (nudging says {short(found['nudged'][name], 6)})"
                for name, g in ends.items()
            )
            + "."
        )
    return says


def called(nodes: list[Made], i: int) -> str:
    """How a node is called: its name, its number, or its operation."""
    kind, _, what = nodes[i]
    if kind == "given" or (kind != "pow" and isinstance(what, str)):
        return str(what)
    if kind == "number":
        return short(what, 4)
    if i == len(nodes) - 1:
        return "the result"
    same = [j for j, node in enumerate(nodes) if node[0] == kind and not isinstance(node[2], str)]
    return f"the {SIGNS.get(kind, kind)}" + (f" no. {same.index(i) + 1}" if len(same) > 1 else "")


EXPLORABLE = Explorable(
    name="backward",
    title="The way back",
    lesson="1.3",
    proves="A value that is used several times gets a share from each use. It pays on when the last has arrived, and not before.",
    controls=(
        Steps("step", 0, MOST, 0, label="payments"),
        Text("expression", "v = a*a; w = v + v; w*v", cap=120, check=parse),
        Slider("a", -3.0, 3.0, 2.0, step=0.1),
        Slider("b", -3.0, 3.0, -2.0, step=0.1),
    ),
    compute=compute,
    draw=draw,
    modules=("grad/value.py",),
)
