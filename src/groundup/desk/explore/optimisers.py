"""Five rules walk down one surface from the same place (3.3)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from markupsafe import Markup

from ..drawing.plane import Plane
from ..drawing.svg import element
from .contour import contour
from .explorable import Choice, Drawn, Explorable, Slider, Steps, Values, panels
from .numbers import short

STEPS = 200
START = (-1.5, 1.6)
CLOSE = 0.1
SURFACES = {  # name: (where the minimum is)
    "ravine": (0.0, 0.0),
    "banana": (1.0, 1.0),
}
RULES = {"descent": "s1", "momentum": "s2", "RMSprop": "s3", "Adam": "s4", "Lion": "s5"}
MARKS = dict(zip(RULES, "●■▲◆+"))


def height(surface: str, x: Any, y: Any) -> Any:
    """The ravine is 40 times as steep across as along; the banana is Rosenbrock's (1960), with 10 in the place of 100."""
    if surface == "ravine":
        return 0.5 * x**2 + 20.0 * y**2
    return (1 - x) ** 2 + 10.0 * (y - x**2) ** 2


def slope(surface: str, x: float, y: float) -> Any:
    """The gradient of the height."""
    if surface == "ravine":
        return np.array([x, 40.0 * y])
    return np.array([-2 * (1 - x) - 40.0 * x * (y - x**2), 20.0 * (y - x**2)])


def compute(lib: Any, surface: str, rate: float, step: int) -> dict[str, Any]:
    """The walk of each rule, STEPS steps from START."""
    optim, walks = lib.grad.optim, {}
    rules: dict[str, Any] = {
        "descent": lambda params: optim.SGD(params, lr=rate),
        "momentum": lambda params: optim.SGD(params, lr=rate, momentum=0.9),
        "RMSprop": lambda params: optim.RMSprop(params, lr=rate, alpha=0.9),
        "Adam": lambda params: optim.Adam(params, lr=rate),
        "Lion": lambda params: optim.Lion(params, lr=rate),
    }
    for name, made in rules.items():
        w = np.array(START)
        optimiser, walk = made([w]), [w.copy()]
        for _ in range(STEPS):
            if not np.abs(w).max() < 1e6:
                break  # it has left for good
            optimiser.step([slope(surface, *w)])
            walk.append(w.copy())
        walks[name] = np.array(walk)
    return walks


def draw(values: Values, found: Values) -> Drawn:
    """The five walks on the surface up to the step, and how far each is from the bottom, by step."""
    surface, step = values["surface"], int(values["step"])
    walks = {name: np.asarray(found[name], float) for name in RULES}
    bottom = np.array(SURFACES[surface])
    distances = {name: np.hypot(*(walk - bottom).T) for name, walk in walks.items()}
    arrived = {name: _arrival(distance) for name, distance in distances.items()}
    quick = sorted((at, name) for name, at in arrived.items() if at is not None)
    gone = [name for name, distance in distances.items() if distance[-1] > 10 * distance[0]]
    says = (
        (
            f"Within {CLOSE:g} of the bottom, and there to stay: "
            + ", ".join(f"{name} after {at}" for at, name in quick)
            + "."
        )
        if quick
        else f"None of them is within {CLOSE:g} of the bottom after {STEPS} steps, or stays there."
    )
    if gone:
        says += f" {' and '.join(gone)} {'has' if len(gone) == 1 else 'have'} left upwards."
    plane = Plane(400, 320, x=(-2, 2), y=(-2, 2)).axes(grid=False)
    for x0, y0, x1, y1 in _contours(surface):
        plane.segments(x0, y0, x1, y1, "rule thin")
    chart = Plane(400, 320, x=(0, STEPS), y=(1e-6, 1e2), x_label="step", log_y=True).axes()
    for name, class_ in RULES.items():
        walk, distance = walks[name][: step + 1], distances[name]
        plane.line(walk[:, 0], walk[:, 1], f"{class_} thin solid").dots(walk[-1:, 0], walk[-1:, 1], class_, radius=6)
        chart.line(np.arange(len(distance)), np.clip(distance, 1e-9, None), class_)
        here = min(step, len(distance) - 1)
        chart.dots([here], [np.clip(distance[here], 1e-6, 1e2)], class_, radius=5)
    plane.dots(bottom[:1], bottom[1:], "miss", radius=5)
    rows: list[tuple[Any, ...]] = [("rule", "x", "y", "from the bottom", f"steps until it stays within {CLOSE:g}")]
    for name, walk in walks.items():
        here = min(step, len(walk) - 1)
        place = (*walk[here], distances[name][here])
        rows.append((name, *(short(v) for v in place), "−" if arrived[name] is None else arrived[name]))
    surface_drawn = element("div", _legend(), plane.svg(f"Five walks of {step} steps on the {surface}"))
    title = element("p", "distance from the bottom", class_="panel-title")
    return Drawn(panels(surface_drawn, element("div", title, chart.svg(says))), rows, says)


def _arrival(distance: Any) -> int | None:
    """The first step from which on the bottom is close."""
    if len(distance) <= STEPS or distance[-1] > CLOSE:
        return None
    away = np.flatnonzero(distance > CLOSE)
    return int(away[-1]) + 1 if len(away) else 0


@lru_cache(maxsize=len(SURFACES))
def _contours(surface: str) -> list[Any]:
    grid = np.linspace(-2, 2, 61)
    heights = height(surface, *np.meshgrid(grid, grid))
    return [contour(grid, grid, heights, level) for level in (0.05, 0.4, 1.5, 4, 10, 25, 60, 120)]


def _legend() -> Markup:
    names = (element("span", f"{MARKS[name]} {name}  ", class_=class_) for name, class_ in RULES.items())
    return element("p", *names, "× the bottom", class_="panel-title")


EXPLORABLE = Explorable(
    name="optimisers",
    title="Five ways down",
    lesson="3.3",
    modules=("grad/optim.py",),
    proves="At a rate of 0.02 momentum comes to the bottom of the ravine in 54 steps and plain descent in 135. At 0.1 both climb"
    " out of it, and Adam comes down in 57.",
    controls=(
        Steps("step", 0, STEPS, 40),
        Choice("surface", tuple(SURFACES)),
        Slider("rate", 0.001, 0.5, 0.02, log=True),
    ),
    compute=compute,
    draw=draw,
)
