"""A slope by a nudge (1.2): too far apart and the curve bends in between, too near and the floats are coarse."""

from __future__ import annotations

from typing import Any

import numpy as np
from markupsafe import Markup

from ..drawing.plane import Plane
from ..drawing.scales import span
from .explorable import Choice, Drawn, Explorable, Slider, Values, arrays, panels
from .numbers import short

FUNCTIONS: dict[str, Any] = {
    "sin": np.sin,
    "exp": np.exp,
    "cube": lambda x: x**3,
    "sin 100x": lambda x: np.sin(100 * x),
}
SLOPES: dict[str, Any] = {
    "sin": np.cos,
    "exp": np.exp,
    "cube": lambda x: 3 * x**2,
    "sin 100x": lambda x: 100 * np.cos(100 * x),
}
SMALL = 1e-16
LARGE = 1.0


def compute(lib: Any, *, function: str, x: float, h: float) -> dict[str, Any]:
    """The slope by `derivative` at this h, at many, and at the library's own choice."""
    f, derivative = FUNCTIONS[function], lib.grad.check.derivative
    steps = np.geomspace(SMALL, LARGE, 129)
    apart = [each for each in steps.tolist() if x + each != x - each]  # below that there is nothing to divide by
    slope = float(derivative(f, x, h)) if x + h != x - h else None
    return {
        "slope": slope,
        "steps": apart,
        "slopes": [derivative(f, x, each) for each in apart],
        "own": derivative(f, x),
    }


def draw(values: Values, found: Values) -> Drawn:
    """The curve with the line through the two points, and the error by the size of the nudge."""
    function, x, h = values["function"], values["x"], values["h"]
    steps, slopes = arrays(found, "steps", "slopes")
    exact, slope = float(SLOPES[function](x)), found["slope"]
    errors = np.abs(slopes - exact)
    best = int(np.argmin(errors))
    own = f"The library's own step is off by {short(abs(float(found['own']) - exact))}."
    if slope is None:
        says = f"x + h and x − h are the same float at h = {short(h)}: there is nothing to divide by. {own}"
    else:
        nearer = np.abs(np.log10(steps / steps[best]) + 1).argmin()
        says = (
            f"At h = {short(h)} the slope is {slope:.10g}, off by {short(abs(slope - exact))}. Of the steps in the picture "
            f"{short(steps[best])} is the best, off by {short(errors[best])}"
            + (f"; a tenth of it is off by {short(errors[nearer])}" if best else "")
            + f". {own}"
        )
    error = None if slope is None else abs(slope - exact)
    rows: list[tuple[Any, ...]] = [("step h", "slope", "off by")]
    rows += [(short(a), f"{b:.10g}", short(c)) for a, b, c in zip(steps[::8], slopes[::8], errors[::8])]
    return Drawn(panels(secant(function, x, h, slope), by_step(steps, errors, h, error)), rows, says)


def secant(function: str, x: float, h: float, slope: float | None) -> Markup:
    """The curve, its two points, and the line that has the slope found."""
    f = FUNCTIONS[function]
    at = np.linspace(x - 1.6, x + 1.6, 401)
    plane = Plane(420, 320, x=(x - 1.6, x + 1.6), y=span(f(at), 0.15), x_label="x", y_label=function).axes()
    plane.line(at, f(at), "s1 solid")
    if slope is not None:
        plane.line(at, f(x - h) + float(slope) * (at - x + h), "s2")
    plane.dots([x - h, x + h], [f(x - h), f(x + h)], "s2", radius=5)
    return plane.svg(f"The curve of {function} and the line through its points at x − h and x + h")


def by_step(steps: Any, errors: Any, h: float, error: float | None) -> Markup:
    """The error against the step, both by powers of ten; no error at all is drawn at the foot."""
    shown = np.clip(errors, 1e-14, 1e3)
    chart = Plane(420, 320, x=(SMALL, LARGE), y=(1e-14, 1e3), x_label="step h", y_label="error", log_x=True, log_y=True)
    chart.axes().line(steps, shown, "s1 solid")
    if error is not None:
        chart.dots([h], [np.clip(error, 1e-14, 1e3)], "here ring", radius=6)
    return chart.svg("The error by the step: it falls as the step shrinks, down to a valley, and rises again")


EXPLORABLE = Explorable(
    name="nudge",
    title="How small a nudge",
    lesson="1.2",
    proves="The error has two sides: a smaller step bends less, and rounds more. The best step lies between, near 6 · 10⁻⁶, and buys ten digits of sixteen.",
    controls=(
        Slider("h", SMALL, LARGE, 0.1, log=True, label="step h"),
        Choice("function", tuple(FUNCTIONS)),
        Slider("x", -2.0, 2.0, 1.0, step=0.1),
    ),
    compute=compute,
    draw=draw,
    modules=("grad/check.py",),
)
