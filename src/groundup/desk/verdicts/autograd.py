"""The graph of a case of the autograd lessons: values in its nodes, and on each arrow the gradient that flows back.

The numbers are the library's own, by its scalar or its tensor engine. The gradient on an arrow is what a fresh operand
gets from that operation alone, so that a value used twice shows both of its shares.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import Any

import numpy as np
from markupsafe import Markup

from ...course.showing.verdict_parts import is_array, is_whole, shape_text
from ..drawing.graph import Edge, Node, draw_graph
from .texts import scalar
from .values import as_array

MOST = 24  # nodes that can still be read
SIGNS = {"*": "·", "-": "−", "/": "÷", "neg": "−", "**": "^"}

Step = tuple[str, tuple[int, ...], float | None]  # the operation, its operands, and a plain number it takes


def graph_of(c: dict[str, Any]) -> Markup | None:
    """The drawing of a failing case, what is wrong marked at its node; None where the case is no graph."""
    found = _expression(c["case"]) or _steps(c["case"])
    if found is None:
        return None
    names, leaves, steps, upstream = found
    if len(leaves) + len(steps) > MOST or not steps:
        return None
    try:
        with np.errstate(all="ignore"):
            values, gradients, shares = _run(leaves, steps, upstream)
    except (ArithmeticError, ValueError, TypeError, AttributeError, IndexError):
        return None
    return _drawn(c, names, steps, values, gradients, shares)


def _steps(case: dict[str, Any]) -> tuple[list[str], list[Any], list[Step], Any] | None:
    """A graph given as leaves and steps (operation, operand, operand), of numbers alone."""
    leaves, steps = case.get("leaves"), case.get("steps")
    if not isinstance(leaves, list) or not isinstance(steps, list) or {"calls", "cleared"} & set(case):
        return None
    if not all(type(x) in (int, float) for x in leaves):
        return None
    found: list[Step] = []
    for i, step in enumerate(steps):
        if not (isinstance(step, list) and len(step) == 3 and isinstance(step[0], str)):
            return None
        name, a, b = step
        two = name in ("+", "-", "*", "/")
        if type(a) is not int or not 0 <= a < len(leaves) + i or type(b) not in (int, float):
            return None
        if two and (type(b) is not int or not 0 <= b < len(leaves) + i):
            return None
        found.append((name, (a, b) if two else (a,), float(b) if name == "**" else None))
    names = [chr(ord("a") + i) for i in range(len(leaves))] + [f"v{i + 1}" for i in range(len(steps))]
    if steps:
        names[-1] = "y"
    return names, leaves, found, None


def _expression(case: dict[str, Any]) -> tuple[list[str], list[Any], list[Step], Any] | None:
    """A graph given as a text, `a + b` or `a.tanh()`, with arrays under the names in it."""
    text = case.get("operation") or ("a @ b" if "shapes" in case else None)
    if not isinstance(text, str) or len(text) > 60 or not is_array(case.get("upstream")):
        return None
    used = [name for name in ("a", "b") if re.search(rf"\b{name}\b", text)]
    operands = {name: case[name] for name in used if is_array(case.get(name)) and is_whole(case[name])}
    if not operands:
        return None
    names, leaves = list(operands), [as_array(x) for x in operands.values()]
    steps: list[Step] = []
    try:
        tree = ast.parse(text, mode="eval").body
        result = _walk(tree, names, leaves, steps, len(operands))
    except (SyntaxError, ValueError, RecursionError):
        return None
    if result != len(leaves) + len(steps) - 1:
        return None
    return [*names, *[f"v{i + 1}" for i in range(len(steps) - 1)], "y"], leaves, steps, as_array(case["upstream"])


BINARY: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.MatMult: "@"}


def _walk(node: ast.expr, names: list[str], leaves: list[Any], steps: list[Step], first: int) -> int:
    """Adds what an expression does; the number of its result. ValueError for what is no operation of ours.

    Plain numbers become leaves before any step is made, which keeps the numbers of results in order.
    """
    if isinstance(node, ast.Name) and node.id in names:
        return names.index(node.id)
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and not steps:
        plain = float(node.value)
        names.append(f"{plain:g}")
        leaves.append(np.asarray(plain))
        return len(leaves) - 1
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        exponent = ast.literal_eval(node.right)
        operand = _walk(node.left, names, leaves, steps, first)
        steps.append(("**", (operand,), float(exponent)))
    elif isinstance(node, ast.BinOp) and type(node.op) in BINARY:
        pair = _walk(node.left, names, leaves, steps, first), _walk(node.right, names, leaves, steps, first)
        steps.append((BINARY[type(node.op)], pair, None))
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        steps.append(("neg", (_walk(node.operand, names, leaves, steps, first),), None))
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and not node.args and not node.keywords:
        steps.append((node.func.attr, (_walk(node.func.value, names, leaves, steps, first),), None))
    else:
        raise ValueError("no operation of ours")
    return len(leaves) + len(steps) - 1


FUNCTIONS = ("tanh", "relu", "exp", "log", "sum", "mean")


def _apply(step: Step, operands: list[Any]) -> Any:
    name, _, plain = step
    operations: dict[str, Callable[..., Any]] = {
        "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": lambda a, b: a / b,
        "@": lambda a, b: a @ b, "neg": lambda a: -a, "**": lambda a: a**plain,
    }  # fmt: skip
    if name in operations:
        return operations[name](*operands)
    if name not in FUNCTIONS:
        raise ValueError(f"no operation {name}")
    return getattr(operands[0], name)()


def _run(leaves: list[Any], steps: list[Step], upstream: Any) -> tuple[list[Any], list[Any], list[list[Any]]]:
    """By our own engine: each node's value and gradient, and for each step the share of every operand."""
    if upstream is None:
        from ...grad.value import Value

        def fresh(x: Any) -> Any:
            return Value(x)

        def backward(y: Any, gradient: Any) -> None:  # a scalar's share is its slope times the gradient
            y.backward()
    else:
        from ...grad.tensor import Tensor

        def fresh(x: Any) -> Any:
            return Tensor(x, requires_grad=True)

        def backward(y: Any, gradient: Any) -> None:
            y.backward(np.asarray(gradient, float))

    values = [fresh(x).data for x in leaves]
    for step in steps:
        values.append(_apply(step, [fresh(values[i]) for i in step[1]]).data)
    gradients: list[Any] = [np.zeros_like(x) if upstream is not None else 0.0 for x in values]
    gradients[-1] = 1.0 if upstream is None else upstream
    shares: list[list[Any]] = []
    for at in range(len(steps) - 1, -1, -1):
        operands = [fresh(values[i]) for i in steps[at][1]]
        y, gradient = _apply(steps[at], operands), gradients[len(leaves) + at]
        backward(y, gradient)
        got = [x.grad * gradient if upstream is None else x.grad for x in operands]
        shares.insert(0, got)
        for i, share in zip(steps[at][1], got):
            gradients[i] = gradients[i] + share
    return values, gradients, shares


def _drawn(
    c: dict[str, Any], names: list[str], steps: list[Step], values: list[Any], gradients: list[Any], shares: list[list[Any]]
) -> Markup:  # fmt: skip
    leaves = len(values) - len(steps)
    signs = [*names[:leaves], *(_sign(step) for step in steps)]
    at = wrong_node(c, len(values))
    nodes = []
    for i, (sign, found) in enumerate(zip(signs, values)):
        wrong = i == at and c["path"] != "['value']"
        note = "" if i >= leaves or sign[0].isdigit() else f"∂ {_short(gradients[i])}"
        value = "" if i < leaves and sign[0].isdigit() else _short(found)
        if wrong and np.ndim(found) == 0:
            note = f"yours {_short(_number(c['got']), 3)}, not {_short(gradients[i], 3)}"
        nodes.append(Node(str(i), sign, value, note, "miss" if i == at else "ink", "miss" if wrong else "mark"))
    edges = [
        Edge(str(i), str(leaves + k), _short(share) if not signs[i][0].isdigit() else "")
        for k, (step, of) in enumerate(zip(steps, shares))
        for i, share in zip(step[1], of)
    ]
    label = f"Graph of {', '.join(names[:leaves])} to {names[-1]}: values in the nodes, on each arrow the gradient that flows back"
    return draw_graph(nodes, edges, label)


def wrong_node(c: dict[str, Any], count: int) -> int | None:
    """The node that the differing part of the answer is about: a leaf's gradient, or the result."""
    if found := re.fullmatch(r"\['gradients'\]\[(\d+)\]", c.get("path") or ""):
        return int(found[1]) + int(c["case"].get("constant") == "a")  # a plain array has no gradient
    return count - 1 if c.get("path") == "['value']" else None


def part_name(c: dict[str, Any]) -> str:
    """What of a graph's answer differs, in the letters of mathematics: `∂y/∂a`; "" for the answers of other lessons.

    Where a gradient is handed to `backward`, what is differentiated is a number L behind y.
    """
    case = c["case"] if isinstance(c["case"], dict) else {}
    if "leaves" not in case and "upstream" not in case:
        return ""
    at = wrong_node(c, 0)
    if at is None or "calls" in case or "cleared" in case:
        return ""
    result = "L" if "upstream" in case else "y"
    return f"∂{result}/∂{chr(ord('a') + at)}" if at >= 0 else "y"


def _number(found: Any) -> Any:
    """A number that may have come as an array without axes."""
    if is_array(found):
        return found["values"][0] if found["values"] and not found["shape"] else None
    return found if isinstance(found, (int, float, str)) else None


def _sign(step: Step) -> str:
    name, _, plain = step
    return f"^{plain:g}" if name == "**" else SIGNS.get(name, name)


def _short(found: Any, digits: int = 4) -> str:
    """A number with so many digits, a small array in brackets, of a larger one its shape."""
    if found is None:
        return "none"
    if isinstance(found, str):  # nan or an infinity, in JSON
        return found[:4]
    entries = np.ravel(np.asarray(found, float))
    if len(entries) == 1 and np.ndim(found) == 0:
        return scalar(float(entries[0]), digits)
    if len(entries) <= 3 and np.ndim(found) == 1:
        return f"[{', '.join(f'{x:.3g}' for x in entries)}]"
    return shape_text(list(np.shape(found)))
