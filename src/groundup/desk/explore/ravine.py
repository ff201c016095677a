"""Descent and momentum in a ravine (3.3): the largest curvature sets the rate, the smallest sets the wait."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..drawing.plane import Plane
from .explorable import Drawn, Explorable, Slider, Steps, Values, arrays, panels, scatter
from .numbers import short

START = (-1.0, 0.7)
STEPS = 100
CLOSE = 1e-3


def compute(lib: Any, *, rate: float, momentum: float, curvature: float, step: int) -> dict[str, Any]:
    """The walk of `SGD` from START over the surface (x^2 + curvature y^2) / 2, and the loss before each step and after the last."""
    curvatures = np.array([1.0, curvature])
    w = np.array(START)
    optimiser = lib.grad.optim.SGD([w], lr=rate, momentum=momentum)
    trail, losses = [w.copy()], [0.5 * float(curvatures @ w**2)]
    for _ in range(STEPS):
        optimiser.step([curvatures * w])
        trail.append(w.copy())
        losses.append(0.5 * float(curvatures @ w**2))
    return {"trail": np.array(trail), "losses": losses}


def draw(values: Values, found: Values) -> Drawn:
    """The ravine with the walk up to the step, and the loss of all steps."""
    step, curvature, rate, momentum = (values[name] for name in ("step", "curvature", "rate", "momentum"))
    trail, losses = arrays(found, "trail", "losses")
    walked = trail[: step + 1]
    edge = 2 * (1 + momentum) / curvature
    error = float(np.hypot(*trail[step]))
    arrived = next((t for t, w in enumerate(trail) if np.hypot(*w) < CLOSE), None)
    says = (
        f"Step {step}: {short(error)} from the bottom. A step leaves {short(1 - rate * curvature)} of the error across "
        f"and {short(1 - rate)} along, before momentum; beyond rate {short(edge)} it climbs"
        + (f", and {rate:g} is beyond." if rate > edge else f", and {rate:g} is below.")
        + (
            f" After {arrived} steps it is within {CLOSE:g}."
            if arrived is not None
            else f" {STEPS} steps do not bring it within {CLOSE:g}."
        )
    )
    ravine = Plane(
        420, 320, x=(-1.3, 1.3), y=(-1.0, 1.0), x_label="curvature 1", y_label=f"curvature {curvature:g}"
    ).axes(grid=False)
    turn = np.linspace(0, 2 * np.pi, 121)
    for height in (0.02, 0.1, 0.3, 0.7, 1.4, 3.0, 8.0, 20.0, 45.0):
        across, down = np.sqrt(2 * height), np.sqrt(2 * height / curvature)
        ravine.line(across * np.cos(turn), down * np.sin(turn), "level thin")
    ravine.line(walked[:, 0], walked[:, 1], "s2 solid thin")
    scatter(scatter(ravine, walked, "s2", 2.5), walked[-1:], "here ring", 6)
    shown = np.where(losses > 0, losses, np.nan)
    chart = Plane(420, 320, x=(0, STEPS), y=(1e-9, 1e3), x_label="step", y_label="loss", log_y=True).axes()
    chart.line(np.arange(STEPS + 1), shown, "s1 solid").dots(
        [step], [np.clip(shown[step], 1e-9, 1e3)], "here ring", radius=6
    )
    rows: list[tuple[Any, ...]] = [("step", "along", "across", "loss")]
    rows += [(t, short(w[0]), short(w[1]), short(loss)) for t, (w, loss) in enumerate(zip(trail, losses))]
    where = f"A walk of {step} steps in a ravine, from {START}, now at ({short(walked[-1][0])}, {short(walked[-1][1])})"
    return Drawn(
        panels(ravine.svg(where), chart.svg(f"The loss by step: {short(losses[step])} at step {step}")), rows, says
    )


EXPLORABLE = Explorable(
    name="ravine",
    title="Down a ravine",
    lesson="3.3",
    proves="The largest curvature sets the rate and the smallest sets the wait. Momentum moves the edge out and shortens the wait.",
    controls=(
        Slider("rate", 0.001, 1.0, 0.0198, log=True),
        Slider("momentum", 0.0, 0.98, 0.0, step=0.01),
        Slider("curvature", 1.0, 100.0, 100.0, log=True, label="curvature across"),
        Steps("step", 0, STEPS, 12),
    ),
    compute=compute,
    draw=draw,
    modules=("grad/optim.py",),
)
