"""The street of a support vector machine (2.8): a few samples hold it, and the others may go."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..drawing.plane import Plane
from .contour import contour, region
from .explorable import Choice, Drawn, Explorable, Slider, Values, arrays, panels, scatter
from .numbers import short

SIDE = 49  # of the grid on which f is drawn
BOX = (-3.2, 3.2)


def two_classes(shape: str) -> Any:
    """Points of two classes, and their labels -1 and 1: two clouds that touch, a ring around a disc, or two moons."""
    generator = np.random.default_rng(3)
    n = 30
    if shape == "ring":
        turn, far = (
            generator.uniform(0, 2 * np.pi, 2 * n),
            np.repeat([0.8, 2.3], n) + 0.3 * generator.standard_normal(2 * n),
        )
        X = np.column_stack([far * np.cos(turn), far * np.sin(turn)])
    elif shape == "moons":
        turn = generator.uniform(0, np.pi, n)
        upper = np.column_stack([1.6 * np.cos(turn) - 0.7, 1.8 * np.sin(turn) - 0.6])
        lower = np.column_stack([1.6 * np.cos(turn) + 0.7, 0.6 - 1.8 * np.sin(turn)])
        X = np.concatenate([upper, lower]) + 0.22 * generator.standard_normal((2 * n, 2))
    else:
        X = 0.75 * generator.standard_normal((2 * n, 2)) + np.repeat([[-1.0, -0.6], [1.0, 0.6]], n, axis=0)
    return X, np.repeat([-1, 1], n)


def compute(lib: Any, *, shape: str, kernel: str, C: float, gamma: float) -> dict[str, Any]:
    """The machine, f on a grid, and how far the fit to the support vectors alone is from the fit to all."""
    X, y = two_classes(shape)
    what = {"C": C, "kernel": kernel, "gamma": gamma, "coef0": 1.0, "tol": 1e-6, "max_iter": 200_000}
    machine = lib.classic.svm.SVC(**what).fit(X, y)
    at = np.linspace(*BOX, SIDE)
    grid = np.stack(np.meshgrid(at, at), axis=-1).reshape(-1, 2)
    f, support = machine.decision_function(grid), np.asarray(machine.support_)
    again = lib.classic.svm.SVC(**what).fit(X[support], y[support]).decision_function(grid)
    width = 2 / float(np.linalg.norm(machine.coef_)) if kernel == "linear" else None
    return {
        "X": X, "y": y, "f": f.reshape(SIDE, SIDE), "support": support, "values": machine.decision_function(X), "width": width,
        "weights": np.abs(machine.dual_coef_[0]), "apart": float(np.abs(f - again).max()),
    }  # fmt: skip


def draw(values: Values, found: Values) -> Drawn:
    """The line f = 0, the kerbs f = -1 and 1, the support vectors ringed."""
    X, y, f, outputs, weights = arrays(found, "X", "y", "f", "values", "weights")
    at, support, margins = np.linspace(*BOX, SIDE), np.asarray(found["support"], dtype=int), outputs * y
    wrong, inside = int(np.sum(margins < 0)), int(np.sum(margins < 1 - 1e-3))
    width = f" The street is {found['width']:.2f} wide." if found["width"] is not None else ""
    says = (
        f"{len(support)} of {len(y)} samples are support vectors; without the other {len(y) - len(support)} the fit differs by "
        f"{short(found['apart'], 1)} at most.{width} {inside} samples stand in the street or beyond it, {wrong} of them on the wrong side."
    )
    plane = Plane(520, 480, x=BOX, y=BOX)
    for level in (0.0, 1.0):  # what is outside of the street is washed twice
        plane.add(region(plane, at, at, f, level, "s2"), region(plane, at, at, -f, level, "s1"))
    plane.axes(grid=False)
    plane.segments(*contour(at, at, f, 0.0), "ink thick solid")
    for level in (-1.0, 1.0):
        plane.segments(*contour(at, at, f, level), "ink thin")
    for label, look in ((-1, "s1"), (1, "s2")):
        scatter(plane, X[y == label], look, 4)
    scatter(plane, X[support], "ink ring", 7)
    beta = dict(zip(support.tolist(), weights.tolist()))
    rows: list[tuple[Any, ...]] = [("sample", "class", "x", "y", "y f(x)", "weight")]
    rows += [
        (i, int(y[i]), short(X[i, 0]), short(X[i, 1]), short(margins[i], 3), short(beta.get(i, 0.0), 3))
        for i in range(len(y))
    ]
    where = f"{len(y)} points of two classes, the line between them, and a street with {inside} samples in it or beyond; {len(support)} are ringed"
    return Drawn(panels(plane.svg(where)), rows, says)


EXPLORABLE = Explorable(
    name="street",
    title="The widest street",
    lesson="2.8",
    proves="The street rests on the support vectors and on no other sample: throw the others away, and the fit is the same.",
    controls=(
        Choice("shape", ("clouds", "ring", "moons"), label="samples"),
        Choice("kernel", ("linear", "rbf", "poly")),
        Slider("C", 0.01, 1000, 1.0, log=True, label="price C"),
        Slider("gamma", 0.05, 20, 0.5, log=True, label="gamma of rbf and poly"),
    ),
    compute=compute,
    draw=draw,
    modules=("classic/kernels.py", "classic/smo.py", "classic/svm.py", "classic/platt.py"),
)
