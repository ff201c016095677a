"""The graph of a small expression as a picture: what was made from what, from left to right, as the text of an SVG.

A Tensor keeps a rule for each operand, and not the name of its operation. But the rule is a function that was written
inside another, the operation, and Python keeps that path: a rule of a * b is `Tensor.__mul__.<locals>.<lambda>`. So an
operation of your own appears under the name that you gave it.

Sugiyama, Tagawa and Toda, Methods for Visual Understanding of Hierarchical System Structures (1981): a column for each
number of steps from the result, a bend wherever a line passes a column, and each of these moved to where its neighbours
are.
"""

from html import escape
from itertools import pairwise

import numpy as np

SIGNS = {
    "add": "+",
    "sub": "−",
    "mul": "×",
    "truediv": "÷",
    "neg": "−",
    "pow": "power",
    "matmul": "@",
    "getitem": "[ ]",
}
LETTER, LINE = 7.3, 16  # px, of text
BETWEEN, ACROSS = 16, 48  # px, from box to box in a column, and from column to column
ENDS_APART, SLOPES_APART = 8, 16  # px, where lines end at one box
COOL, WARM = "#3b82c4", "#c2622d"  # legible on white and on black
ROUNDS = 10  # of moving everything to its neighbours
STYLE = "svg:root{color:#1f2328}@media (prefers-color-scheme:dark){svg:root{color:#e8e4da}}"  # as a file of its own


def draw(result, names=None):
    """The graph that result was made by, as the text of an SVG: to be saved, or shown in a notebook.

    result: a Tensor, or a Value of value.py. names: {name: node} for some of its nodes, as in {"W": W, "b": b}.

    A box has the name or the operation, and the number, or the shape of an array; leaves are blue. What requires no
    gradient is missing, since no link to it is kept. A Value keeps slopes in place of rules: they stand at its lines,
    and in a box is its gradient, but no operation. It is drawn in the colour of the text around it, dark or light.
    """
    nodes = _operands_first(result)
    called = {node: name for name, node in (names or {}).items()}
    spots = {node: _Spot(_text(node, called.get(node)), node) for node in nodes}
    width, height = _place(_columns(nodes, spots))
    drawn = [part(spots[node]) for part in (_lines, _box) for node in nodes]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}"'
        f' viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="A graph of {len(nodes)} nodes"'
        f' font-family="sans-serif" font-size="12" text-anchor="middle"><style>{STYLE}</style>\n'
        + "\n".join(text for text in drawn if text)
        + "\n</svg>\n"
    )


class _Spot:
    """A box of the picture, or a bend in a line, which has no node and no size."""

    def __init__(self, text=(), node=None):
        self.text, self.node = text, node
        self.width = max((len(line) for line in text), default=0) * LETTER + 14 if node is not None else 0.0
        self.height = len(text) * LINE + 8 if node is not None else 0.0
        self.left, self.right = [], []  # neighbours
        self.arriving = []  # (spots from an operand to this, slope as text or None)
        self.x, self.y = 0.0, 0.0  # of its left edge, of its middle


def _operands_first(result):
    """Every node that result was made from, result last."""
    order, seen, stack = [], {result}, [(result, iter(result._links))]
    while stack:
        node, links = stack[-1]
        operand = next((operand for operand, _ in links if operand not in seen), None)
        if operand is None:
            order.append(node)
            stack.pop()
        else:
            seen.add(operand)
            stack.append((operand, iter(operand._links)))
    return order


def _text(node, name):
    """The lines of a node's box."""
    rules = [rule for _, rule in node._links if callable(rule)]
    number = f"{np.ravel(node.data)[0]:.4g}" if np.size(node.data) == 1 else str(np.shape(node.data))
    lines = [name, _operation(rules[0]) if rules else None, number]
    if isinstance(node.grad, float):
        lines.append(f"grad {node.grad:.4g}")
    return [line for line in lines if line]


def _operation(rule):
    """The name of the function that a rule was written in, or its sign."""
    path = getattr(rule, "__qualname__", type(rule).__name__)
    written_in = path.rpartition(".<locals>.")[0] or path
    name = written_in.rpartition(".")[2].strip("_")
    return SIGNS.get(name, name)


def _columns(nodes, spots):
    """The spots of each column, that of the result first; they know their neighbours then."""
    steps = {nodes[-1]: 0}  # on the longest way to the result
    for node in reversed(nodes):
        for operand, _ in node._links:
            steps[operand] = max(steps.get(operand, 0), steps[node] + 1)
    columns = [[] for _ in range(max(steps.values()) + 1)]
    for node in nodes:
        columns[steps[node]].append(spots[node])
    for node in nodes:
        for operand, rule in node._links:
            between = range(steps[operand] - 1, steps[node], -1)
            path = [spots[operand], *(_Spot() for _ in between), spots[node]]
            for bend, step in zip(path[1:], between):
                columns[step].append(bend)
            for a, b in pairwise(path):
                a.right.append(b)
                b.left.append(a)
            spots[node].arriving.append((path, None if callable(rule) else f"{rule:.4g}"))
    return columns


def _place(columns):
    """Give every spot its place, and return the width and the height of the picture."""
    for column in columns:
        _settle(column, lambda spot: [])  # at first one below the other
    for i in range(ROUNDS):
        for column in columns if i % 2 else columns[::-1]:
            _settle(column, lambda spot, i=i: spot.right if i % 2 else spot.left)
    everything = [spot for column in columns for spot in column]
    top = min(spot.y - spot.height / 2 for spot in everything)
    across = ACROSS + max((_level(slope) for spot in everything for _, slope in spot.arriving), default=0)
    x = 2.0
    for column in reversed(columns):  # that of the result is the rightmost
        width = max(spot.width for spot in column)
        for spot in column:
            spot.x, spot.y = x, spot.y - top + 2
            spot.width = spot.width or width  # a line passes a column level
        x += width + across
    return x - across + 2, max(spot.y + spot.height / 2 for spot in everything) + 2


def _settle(column, neighbours):
    """Move the spots of a column to the mean height of their neighbours, in that order, apart where they overlap."""
    wishes = {spot: np.mean([n.y for n in neighbours(spot)] or [spot.y]) for spot in column}
    column.sort(key=wishes.get)
    bottom = -np.inf
    for spot in column:
        spot.y = max(wishes[spot], bottom + BETWEEN + spot.height / 2)
        bottom = spot.y + spot.height / 2
    shift = np.mean([wishes[spot] - spot.y for spot in column])
    for spot in column:
        spot.y += shift


def _box(spot):
    """A box with its lines of text."""
    top, middle = spot.y - spot.height / 2, spot.x + spot.width / 2
    leaf = not spot.node._links
    look = f'stroke="{COOL}" fill="{COOL}" fill-opacity="0.15"' if leaf else 'stroke="currentColor" fill="none"'
    size = f'x="{spot.x:.1f}" y="{top:.1f}" width="{spot.width:.1f}" height="{spot.height:.1f}"'
    text = [
        f'<text x="{middle:.1f}" y="{top + LINE * (i + 1):.1f}" fill="currentColor">{escape(line)}</text>'
        for i, line in enumerate(spot.text)
    ]
    return f'<rect {size} rx="6" {look}/>{"".join(text)}'


def _lines(spot):
    """The lines that arrive at a box, each with an arrowhead and perhaps a slope at its end."""
    arriving = sorted(spot.arriving, key=lambda wire: wire[0][-2].y)
    port = SLOPES_APART if any(slope for _, slope in arriving) else ENDS_APART
    drawn = []
    for i, (path, slope) in enumerate(arriving):
        x, y = path[0].x + path[0].width, path[0].y
        curve = f"M{x:.1f},{y:.1f}"
        for stop in path[1:]:
            to_x, to_y = stop.x, stop.y
            if stop is spot:
                to_x, to_y = to_x - _level(slope), to_y + port * (i - (len(arriving) - 1) / 2)
            half = (x + to_x) / 2
            x, curve = stop.x + stop.width, f"{curve} C{half:.1f},{y:.1f} {half:.1f},{to_y:.1f} {to_x:.1f},{to_y:.1f}"
            y, curve = to_y, f"{curve} H{spot.x if stop is spot else x:.1f}"
        drawn.append(f'<path d="{curve} m-5,-3 l5,3 l-5,3" fill="none" stroke="currentColor" stroke-opacity="0.6"/>')
        if slope:
            middle = spot.x - _level(slope) / 2
            drawn.append(f'<text x="{middle:.1f}" y="{y - 4:.1f}" fill="{WARM}">{slope}</text>')
    return "".join(drawn)


def _level(slope):
    """How far a line runs level in front of a box: as far as the slope that is written on it."""
    return len(slope) * LETTER + 8 if slope else 0
