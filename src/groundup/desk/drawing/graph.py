"""A graph of computations in layers, from what it is made of on the left to the result on the right.

Layers by the longest way, order within a layer by the middle of the neighbours (Sugiyama et al., Methods for Visual
Understanding of Hierarchical System Structures, 1981). An arrow that passes a layer is led between the nodes there.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from .svg import Child, element, number, picture

ROW, GAP, RADIUS, LETTER = 88.0, 92.0, 19.0, 7.6  # pixels: between rows, between layers, of a node, of a letter in it
SWEEPS = 6
BOW = 26.0  # pixels between two arrows that join the same nodes


@dataclass(frozen=True)
class Node:
    """A value: what stands in it, and up to two lines below, the second in a class of its own."""

    name: str
    label: str
    value: str = ""
    note: str = ""
    class_: str = "ink"
    note_class: str = "mark"


@dataclass(frozen=True)
class Edge:
    """An arrow from an operand to a result, and what is written on it."""

    start: str
    end: str
    text: str = ""
    class_: str = "mark"


def draw_graph(nodes: Sequence[Node], edges: Sequence[Edge], label: str) -> Markup:
    """The graph as a drawing. ValueError where an arrow has no node at an end, or arrows go round in a circle."""
    by_name = {node.name: node for node in nodes}
    for edge in edges:
        if edge.start not in by_name or edge.end not in by_name:
            raise ValueError(f"an arrow from {edge.start!r} to {edge.end!r}, and one of them is not there")
    layer = _layers(list(by_name), edges)
    ways = [_way(i, edge, layer) for i, edge in enumerate(edges)]
    rows = _ordered(by_name, ways, layer)
    height_of = _heights(rows, ways)
    widths = [max([_width(by_name[n]) for n in row if n in by_name], default=2 * RADIUS) for row in rows]
    centre = [sum(widths[:i]) + widths[i] / 2 + i * GAP for i in range(len(rows))]
    at = {name: (centre[i], height_of[name]) for i, row in enumerate(rows) for name in row}
    drawn = [*_arrows(edges, ways, at, by_name), *(part for node in nodes for part in _node(node, *at[node.name]))]
    left, top, right, low = _box(nodes, at)
    moved = element("g", *drawn, transform=f"translate({number(-left)} {number(-top)})")
    return picture(right - left, low - top, label, moved, class_="drawing graph")


def _layers(names: Sequence[str], edges: Sequence[Edge]) -> dict[str, int]:
    """The layer of each node: one behind the last of its operands; what has none stands before its first use."""
    before: dict[str, list[str]] = {name: [] for name in names}
    for edge in edges:
        before[edge.end].append(edge.start)
    layer: dict[str, int] = {}
    left = list(names)
    while left:
        ready = [name for name in left if all(start in layer for start in before[name])]
        if not ready:
            raise ValueError("the arrows go round in a circle")
        layer.update({name: max([layer[start] + 1 for start in before[name]], default=0) for name in ready})
        left = [name for name in left if name not in layer]
    for name in names:
        uses = [layer[edge.end] for edge in edges if edge.start == name]
        if not before[name] and uses:
            layer[name] = min(uses) - 1
    return layer


def _way(number_of_edge: int, edge: Edge, layer: dict[str, int]) -> list[str]:
    """The nodes that an arrow passes: its ends, and a place in every layer between."""
    between = range(layer[edge.start] + 1, layer[edge.end])
    return [edge.start, *(f"\0{number_of_edge}:{i}" for i in between), edge.end]


def _ordered(by_name: dict[str, Node], ways: Sequence[list[str]], layer: dict[str, int]) -> list[list[str]]:
    """The names in each layer, top to bottom."""
    rows: list[list[str]] = [[] for _ in range(max(layer.values(), default=0) + 1)]
    for name in by_name:
        rows[layer[name]].append(name)
    for way in ways:
        for i, place in enumerate(way[1:-1], layer[way[0]] + 1):
            rows[i].append(place)
    neighbours = _neighbours(ways)
    for sweep in range(SWEEPS):
        order = range(1, len(rows)) if sweep % 2 == 0 else range(len(rows) - 2, -1, -1)
        for i in order:
            known = {name: k for k, name in enumerate(rows[i - 1 if sweep % 2 == 0 else i + 1])}
            rows[i].sort(key=lambda name: _mean([known[n] for n in neighbours.get(name, ()) if n in known], 0.0))
    return rows


def _neighbours(ways: Sequence[list[str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for way in ways:
        for a, b in itertools.pairwise(way):
            found.setdefault(a, []).append(b)
            found.setdefault(b, []).append(a)
    return found


def _heights(rows: Sequence[list[str]], ways: Sequence[list[str]]) -> dict[str, float]:
    """Pixels from the middle: between the neighbours and an even spacing, and never closer than a row."""
    even = {name: ROW * (i - (len(row) - 1) / 2) for row in rows for i, name in enumerate(row)}
    at = dict(even)
    neighbours = _neighbours(ways)
    for _ in range(SWEEPS):
        for row in rows:
            wanted = [(_mean([at[n] for n in neighbours.get(name, ())], at[name]) + even[name]) / 2 for name in row]
            placed: list[float] = []
            for want in wanted:
                placed.append(max(want, placed[-1] + ROW) if placed else want)
            shift = _mean([want - place for want, place in zip(wanted, placed)], 0.0)
            at.update({name: place + shift for name, place in zip(row, placed)})
    return at


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _width(node: Node) -> float:
    """How wide a node is: a circle, or longer where its label is."""
    return max(2 * RADIUS, LETTER * len(node.label) + 18)


def _node(node: Node, x: float, y: float) -> list[Child]:
    width = _width(node)
    box = {"x": x - width / 2, "y": y - RADIUS, "width": width, "height": 2 * RADIUS, "rx": RADIUS}
    parts: list[Child] = [
        element("rect", **box, class_=f"node {node.class_}"),
        element("text", node.label, x=x, y=y + 5, class_=f"words {node.class_}", text_anchor="middle"),
    ]
    for text, class_, dy in ((node.value, "ink", 15), (node.note, node.note_class, 29)):
        if text:
            place = y + RADIUS + (dy if node.value else 15)
            parts.append(element("text", text, x=x, y=place, class_=f"mono halo {class_}", text_anchor="middle"))
    return parts


def _arrows(
    edges: Sequence[Edge], ways: Sequence[list[str]], at: dict[str, tuple[float, float]], by_name: dict[str, Node]
) -> list[Child]:
    """The arrows first, what is written on them after, so that no arrow crosses words."""
    lines: list[Child] = []
    words: list[Child] = []
    for i, (edge, way) in enumerate(zip(edges, ways)):
        twins = [j for j, other in enumerate(edges) if (other.start, other.end) == (edge.start, edge.end)]
        bow = BOW * (twins.index(i) - (len(twins) - 1) / 2)
        points = [at[name] for name in way]
        start, end = _width(by_name[edge.start]) / 2, _width(by_name[edge.end]) / 2
        points[0] = points[0][0] + start, points[0][1]
        points[-1] = points[-1][0] - end - 2, points[-1][1]
        leaving, coming = (sum(getattr(e, end) == getattr(edge, end) for e in edges) for end in ("start", "end"))
        share = 0.5 if max(leaving, coming) < 3 else (0.62 if leaving > coming else 0.38)  # where fewer are together
        d, middle = _curve(points, bow, share)
        x, y = points[-1]
        y += bow / 4
        head = f"M{number(x - 7)} {number(y - 4)}L{number(x)} {number(y)}L{number(x - 7)} {number(y + 4)}"
        lines.append(element("path", d=d + head, class_="line thin soft"))
        if edge.text:
            x, y = middle
            words.append(
                element("text", edge.text, x=x, y=y - 5, class_=f"mono halo {edge.class_}", text_anchor="middle")
            )
    return [*lines, *words]


def _curve(points: Sequence[tuple[float, float]], bow: float, share: float) -> tuple[str, tuple[float, float]]:
    """A smooth line through points, level at each, `bow` pixels to the side; and the point this share along it."""
    (x0, y0), *rest = points
    y0 += bow / 4
    d = f"M{number(x0)} {number(y0)}"
    pieces = []
    for i, (x1, y1) in enumerate(rest):
        y1 += bow / 4 if i == len(rest) - 1 else bow
        corners = (x0, y0), ((x0 + x1) / 2, y0 + bow), ((x0 + x1) / 2, y1 + bow), (x1, y1)
        d += "C" + " ".join(f"{number(x)} {number(y)}" for x, y in corners[1:])
        pieces.append(corners)
        x0, y0 = x1, y1
    which, along = divmod(share * len(pieces), 1)
    weights = (1 - along) ** 3, 3 * along * (1 - along) ** 2, 3 * along**2 * (1 - along), along**3
    x, y = (sum(w * corner[axis] for w, corner in zip(weights, pieces[int(which)])) for axis in (0, 1))
    return d, (x, y)


def _box(nodes: Sequence[Node], at: dict[str, tuple[float, float]]) -> tuple[float, float, float, float]:
    """The edges of what is drawn: left, top, right, bottom."""
    sides = [max(_width(n), LETTER * max(len(n.value), len(n.note))) / 2 + 4 for n in nodes]
    left = min(at[n.name][0] - side for n, side in zip(nodes, sides))
    right = max(at[n.name][0] + side for n, side in zip(nodes, sides))
    top = min(y for _, y in at.values()) - RADIUS - 14
    low = max(y for _, y in at.values()) + RADIUS + 36
    return left, top, right, low
