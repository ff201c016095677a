"""Logistic regression from a confident mistake (1.6): cross-entropy pushes, squared error has stopped."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..drawing.plane import Plane
from .contour import contour, region
from .explorable import Choice, Drawn, Explorable, Slider, Steps, Values, arrays, panels, scatter
from .numbers import short

STEPS = 100
BOX = (-3.0, 3.0)
SIDE = 25


def two_clouds() -> Any:
    """Forty points of two classes that nearly part."""
    generator = np.random.default_rng(11)
    X = 0.8 * generator.standard_normal((40, 2)) + np.repeat([[-1.0, -0.7], [1.0, 0.7]], 20, axis=0)
    return X, np.repeat([0, 1], 20)


def compute(lib: Any, *, loss: str, wrong: float, rate: float, step: int) -> dict[str, Any]:
    """A descent by the gradient of either loss, from weights that point the wrong way, as far as `wrong` says."""
    logit, (X, y) = lib.classic.logit, two_clouds()
    gradient = logit.cross_entropy_gradient if loss == "cross-entropy" else logit.squared_error_gradient
    w, b = np.array([-wrong, -0.7 * wrong]), 0.0
    costs, mistakes, pushes, trail = [], [], [], []
    for _ in range(STEPS + 1):
        z = X @ w + b
        slope_w, slope_b = gradient(X, y, w, b)
        trail.append((w, b))
        costs.append(float(logit.cross_entropy(z, y)))
        mistakes.append(int(np.sum((z > 0) != (y == 1))))
        pushes.append(float(np.hypot(np.linalg.norm(slope_w), slope_b)))
        w, b = w - rate * slope_w, b - rate * slope_b
    w, b = trail[step]
    at = np.linspace(*BOX, SIDE)
    grid = np.stack(np.meshgrid(at, at), axis=-1).reshape(-1, 2)
    p = logit.sigmoid(grid @ w + b).reshape(len(at), len(at))
    return {"X": X, "y": y, "p": p, "w": w, "b": float(b), "costs": costs, "mistakes": mistakes, "pushes": pushes}


def draw(values: Values, found: Values) -> Drawn:
    """The probability of class 1 as washes and its line at one half, and the mistakes by step."""
    X, y, p, w, costs, mistakes, pushes = arrays(found, "X", "y", "p", "w", "costs", "mistakes", "pushes")
    at = np.linspace(*BOX, SIDE)
    step = values["step"]
    right = next((t for t in range(len(mistakes)) if mistakes[t] <= mistakes.min() and mistakes[t] < mistakes[0]), None)
    says = (
        f"Step {step} on {values['loss']}: {mistakes[step]:.0f} of {len(y)} on the wrong side, cross-entropy {short(costs[step], 3)}, "
        f"and the gradient's size is {short(pushes[step])}; at the start it was {short(pushes[0])}."
        + (
            f" The fewest mistakes, {mistakes.min():.0f}, come at step {right}."
            if right is not None
            else f" In {STEPS} steps no mistake is mended."
        )
    )
    plane = Plane(420, 380, x=BOX, y=BOX)
    for share in (0.5, 0.75, 0.9, 0.99):
        plane.add(region(plane, at, at, p, share, "s2"), region(plane, at, at, 1 - p, share, "s1"))
    plane.axes(grid=False).segments(*contour(at, at, p, 0.5), "ink thick solid")
    for label in (0, 1):
        scatter(plane, X[y == label], f"s{label + 1}", 4)
    away = ((w @ X.T + found["b"]) > 0) != (y == 1)
    scatter(plane, X[away], "here ring", 8)
    chart = Plane(420, 380, x=(0, STEPS), y=(0, len(y)), x_label="step", y_label="on the wrong side").axes()
    chart.line(np.arange(STEPS + 1), mistakes, "s1 solid").dots([step], [mistakes[step]], "here ring", radius=6)
    rows: list[tuple[Any, ...]] = [("step", "on the wrong side", "cross-entropy", "size of the gradient")]
    rows += [(t, int(m), short(c, 4), short(g, 3)) for t, (m, c, g) in enumerate(zip(mistakes, costs, pushes))]
    where = f"{len(y)} points of two classes, and the line where both are equally likely; {mistakes[step]:.0f} are on the wrong side, ringed"
    return Drawn(
        panels(plane.svg(where), chart.svg(f"Points on the wrong side by step: {mistakes[step]:.0f} at step {step}")),
        rows,
        says,
    )


EXPLORABLE = Explorable(
    name="log-odds",
    title="Wrong, and sure of it",
    lesson="1.6",
    proves="The surer a mistake, the less squared error pushes against it. Cross-entropy pushes the more.",
    controls=(
        Steps("step", 0, STEPS, 8),
        Choice("loss", ("cross-entropy", "squared error")),
        Slider("wrong", 0.0, 8.0, 5.0, label="how wrong at the start"),
        Slider("rate", 0.01, 10.0, 1.0, log=True),
    ),
    compute=compute,
    draw=draw,
    modules=("classic/logit.py",),
)
