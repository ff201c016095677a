"""k-means half-step by half-step (2.9): no half raises the inertia, and where it ends depends on where it began."""

from __future__ import annotations

from typing import Any

import numpy as np
from markupsafe import Markup

from ..drawing.plane import Plane
from ..drawing.scales import span
from .explorable import Choice, Drawn, Explorable, Slider, Steps, Values, arrays, panels, scatter
from .numbers import short

HALVES = 50
STARTS = 20
CLOUDS = ((0.0, 0.0), (4.0, 0.5), (2.0, 3.5), (6.5, 4.0), (5.5, -3.0), (-1.5, 4.5))
_least: dict[int, float] = {}


def cloud_points() -> Any:
    """Six clouds of thirty points."""
    noise = np.random.default_rng(29).standard_normal((len(CLOUDS), 30, 2))
    return (np.array(CLOUDS)[:, None] + 0.75 * noise).reshape(-1, 2)


def compute(lib: Any, *, k: int, start: str, seed: int, half: int) -> dict[str, Any]:
    """Lloyd's iteration by its two functions, from a beginning that is drawn, and the least inertia of twenty good beginnings."""
    cluster, X = lib.classic.cluster, cloud_points()

    def begin(how: str, number: int) -> Any:
        if how == "random":
            return cluster.random_centers(X, k, random_state=number)
        return cluster.kmeans_plusplus(X, k, random_state=number)[0]

    if k not in _least:
        _least[k] = min(float(cluster.lloyd(X, begin("k-means++", number))[2]) for number in range(STARTS))
    centers = begin(start, seed)
    trail, labels, inertias = [centers], [np.full(len(X), -1)], [float("nan")]
    while len(trail) <= HALVES:
        given = cluster.assign(X, centers)
        if np.array_equal(given, labels[-1]):
            break
        moved = cluster.update_centers(X, given, centers)
        inertias += [cluster.inertia(X, centers, given), cluster.inertia(X, moved, given)]
        trail += [centers, moved]
        labels += [given, given]
        centers = moved
    return {"X": X, "trail": np.array(trail), "labels": np.array(labels), "inertias": inertias, "least": _least[k]}


def draw(values: Values, found: Values) -> Drawn:
    """The samples in the markers of their clusters, the centres with their ways, and the inertia of all half-steps."""
    X, trail, labels, inertias = arrays(found, "X", "trail", "labels", "inertias")
    least, last = float(found["least"]), len(inertias) - 1
    half = min(values["half"], last)
    says = f"Half-step {half} of {last}, " + (
        "samples assigned" if half % 2 else "centres moved" if half else "centres chosen"
    )
    if half:
        says += f": inertia {inertias[half]:.1f}" + (f", {inertias[half - 1]:.1f} before" if half > 1 else "")
    says += f". It ends at {inertias[-1]:.1f}, {inertias[-1] / least:.2f} times the least that {STARTS} careful beginnings find."
    rows: list[tuple[Any, ...]] = [("half-step", "what", "inertia", *(f"centre {j + 1}" for j in range(values["k"])))]
    for h in range(last + 1):
        places = (f"({short(x)}, {short(y)})" for x, y in trail[h])
        rows.append(
            (h, "assigned" if h % 2 else "moved" if h else "chosen", f"{inertias[h]:.1f}" if h else "", *places)
        )
    pictures = clusters(X, trail[: half + 1], labels[half]), descent(inertias, half, least)
    return Drawn(panels(*pictures), rows, says, last)


def clusters(X: Any, trail: Any, labels: Any) -> Markup:
    """The samples, each with the marker of its cluster, and the way of each centre."""
    plane = Plane(420, 340, x=span(X[:, 0]), y=span(X[:, 1])).axes(grid=False)
    scatter(plane, X[labels < 0], "soft faint", 3)
    for j in range(trail.shape[1]):
        scatter(plane, X[labels == j], f"s{j + 1}", 3)
    for j in range(trail.shape[1]):
        plane.line(trail[:, j, 0], trail[:, j, 1], "ink solid thin")
        scatter(plane, trail[-1:, j], f"s{j + 1} hollow", 8)
    sizes = ", ".join(str(int(np.sum(labels == j))) for j in range(trail.shape[1]))
    return plane.svg(f"{len(X)} points in six clouds; the clusters of {trail.shape[1]} centres have {sizes} of them")


def descent(inertias: Any, half: int, least: float) -> Markup:
    """The inertia after each half-step, and the least that is known."""
    end = max(len(inertias) - 1, 2)
    chart = Plane(
        420, 340, x=(0, end), y=(0, 1.08 * float(np.nanmax(inertias))), x_label="half-step", y_label="inertia"
    )
    chart.axes().line([0, end], [least, least], "soft").text(end, least, "the least found", "soft", "end", dy=16)
    at = np.arange(len(inertias))
    chart.line(at, inertias, "s1 solid").dots(at[1:], inertias[1:], "s1", radius=3)
    return chart.dots([half], [inertias[half]], "here ring", radius=6).svg("The inertia, which no half-step raises")


EXPLORABLE = Explorable(
    name="k-means",
    title="k-means, half a step at a time",
    lesson="2.9",
    proves="Neither half of an iteration raises the inertia, so it ends. Where it ends depends on where it began.",
    controls=(
        Steps("half", 0, HALVES, 2, label="half-step"),
        Slider("k", 2, 6, 6, step=1, label="centres"),
        Choice("start", ("random", "k-means++")),
        Slider("seed", 0, 30, 3, step=1),
    ),
    compute=compute,
    draw=draw,
    modules=("classic/cluster.py",),
)
