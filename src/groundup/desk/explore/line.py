"""A line fitted by descent (1.5): the rate's limit is 2 over the largest curvature, and standardising makes the valley round."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..drawing.plane import Plane
from ..drawing.scales import span
from .explorable import Choice, Drawn, Explorable, Slider, Steps, Values, arrays, panels
from .numbers import short

STEPS = 60
AREA = (30.0, 50.0, 70.0, 90.0)  # square metres
RENT = (480.0, 740.0, 930.0, 1210.0)  # a month


def compute(lib: Any, *, share: float, flats: str, step: int) -> dict[str, Any]:
    """The descent of `descend` after each step, at a share of the largest stable rate."""
    descent = lib.classic.descent
    X, y = np.array(AREA)[:, None], np.array(RENT)
    middle, scale = (X.mean(), X.std()) if flats == "standardised" else (0.0, 1.0)
    Z = (X - middle) / scale
    edge = float(descent.largest_stable_rate(Z))
    w, b, trail, losses = np.zeros(1), 0.0, [], []
    for _ in range(STEPS + 1):
        trail.append((float(w[0]) / scale, float(b) - float(w[0]) * middle / scale))
        losses.append(float(descent.mean_squared_error(Z, y, w, b)))
        w, b, _ = descent.descend(Z, y, share * edge, 1, w, b)
    return {"edge": edge, "trail": np.array(trail), "losses": losses}


def draw(values: Values, found: Values) -> Drawn:
    """The flats with the line of this step and those before it, and the error by step."""
    (trail, losses), edge = arrays(found, "trail", "losses"), float(found["edge"])
    step, share = values["step"], values["share"]
    slope, intercept = np.polyfit(AREA, RENT, 1)
    least = float(np.mean((np.polyval([slope, intercept], AREA) - np.array(RENT)) ** 2))
    w, b = trail[step]
    says = (
        f"Step {step} at rate {short(share * edge)}, {share:.2f} of the largest stable one, {short(edge)}: {short(w)} a square metre and "
        f"{short(b)} on top, mean squared error {short(losses[step])}. The best line is {slope:.1f} and {intercept:.0f}, with {least:.0f}."
    )
    plane = Plane(420, 340, x=(0, 100), y=(-200, 1600), x_label="square metres", y_label="rent").axes()
    for t in range(max(0, step - 4), step):
        plane.line([0, 100], [trail[t, 1], trail[t, 1] + 100 * trail[t, 0]], "soft thin")
    plane.line([0, 100], [b, b + 100 * w], "s1 thick solid").segments(AREA, RENT, AREA, w * np.array(AREA) + b, "miss")
    plane.dots(AREA, RENT, "s2", radius=5)
    low, high = span(np.append(np.clip(losses, None, 1e12), least), log=True)
    chart = Plane(
        420, 340, x=(0, STEPS), y=(low, high), x_label="step", y_label="mean squared error", log_y=True
    ).axes()
    chart.line([0, STEPS], [least, least], "soft").text(STEPS, least, "the best line", "soft", "end", dy=-6)
    chart.line(np.arange(STEPS + 1), losses, "s1 solid").dots(
        [step], [np.clip(losses[step], low, high)], "here ring", radius=6
    )
    rows: list[tuple[Any, ...]] = [("step", "a square metre", "on top", "mean squared error")]
    rows += [(t, short(trail[t, 0]), short(trail[t, 1]), short(losses[t])) for t in range(len(losses))]
    where = f"Four flats and the line after {step} steps: {short(w)} a square metre, {short(b)} on top"
    return Drawn(
        panels(plane.svg(where), chart.svg(f"The error by step, {short(losses[step])} at step {step}")), rows, says
    )


EXPLORABLE = Explorable(
    name="line",
    title="A line, downhill",
    lesson="1.5",
    proves="A rate above 2 over the largest curvature never arrives. Below it the flattest direction sets the wait, and standardising takes the wait away.",
    controls=(
        Steps("step", 0, STEPS, 3),
        Slider("share", 0.02, 1.1, 0.95, step=0.01, label="rate, of the largest stable one"),
        Choice("flats", ("as they are", "standardised"), label="square metres"),
    ),
    compute=compute,
    draw=draw,
    modules=("classic/descent.py",),
)
