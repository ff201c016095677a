"""Markers: each series has a shape of its own, so that colour never speaks alone."""

from __future__ import annotations

from collections.abc import Callable

from .svg import number


def _circle(x: float, y: float, r: float) -> str:
    return f"M{number(x - r)} {number(y)}a{number(r)} {number(r)} 0 1 0 {number(2 * r)} 0a{number(r)} {number(r)} 0 1 0 {number(-2 * r)} 0z"


def _shape(*corners: tuple[float, float]) -> Callable[[float, float, float], str]:
    """A marker with the given corners, in radii from its middle."""

    def drawn(x: float, y: float, r: float) -> str:
        points = [f"{number(x + r * across)} {number(y + r * down)}" for across, down in corners]
        return f"M{'L'.join(points)}z"

    return drawn


def _plus(x: float, y: float, r: float) -> str:
    return f"M{number(x - 1.2 * r)} {number(y)}h{number(2.4 * r)}M{number(x)} {number(y - 1.2 * r)}v{number(2.4 * r)}"


def _saltire(x: float, y: float, r: float) -> str:
    a = f"M{number(x - r)} {number(y - r)}l{number(2 * r)} {number(2 * r)}"
    return a + f"M{number(x - r)} {number(y + r)}l{number(2 * r)} {number(-2 * r)}"


MARKERS: dict[str, Callable[[float, float, float], str]] = {
    "s1": _circle,
    "s2": _shape((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
    "s3": _shape((0, -1.2), (1.1, 0.8), (-1.1, 0.8)),
    "s4": _shape((0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)),
    "s5": _plus,
    "s6": _shape((0, 1.2), (1.1, -0.8), (-1.1, -0.8)),
    "miss": _saltire,
}


def marker(class_: str) -> Callable[[float, float, float], str]:
    """How a point of a class is drawn: the marker of the first word that has one, else a circle."""
    return next((MARKERS[word] for word in class_.split() if word in MARKERS), _circle)
