"""A signal on its way through many layers, and its gradient on the way back, by how the weights begin (3.4)."""

from __future__ import annotations

from typing import Any

import numpy as np
from markupsafe import Markup

from ..drawing.plane import Plane
from ..drawing.svg import element, number
from .explorable import Choice, Drawn, Explorable, Slider, Values, panels
from .numbers import short

WIDTH = 100
SAMPLES = 200
CLASSES = 10
REACH = 3.0  # of the histograms, to either side of 0
BINS = 41
SHOWN = 10  # layers whose histogram is drawn, at most
SMALLEST = 1e-18


def compute(lib: Any, start: str, activation: str, depth: int) -> dict[str, Any]:
    """What each hidden layer hands on for a batch of standard normal inputs, and the gradient that each is given."""
    generator = np.random.default_rng(0)
    init = lib.grad.init
    rules = {
        "He": init.he,
        "Xavier": init.xavier,
        "orthogonal": init.orthogonal,
        "half of He": lambda *sizes: 0.5 * init.he(*sizes),
        "twice He": lambda *sizes: 2.0 * init.he(*sizes),
    }
    net = lib.grad.network.Network([WIDTH] * (depth + 1) + [CLASSES], generator, activation)
    init.initialise(net, rules[start], generator)
    X = generator.standard_normal((SAMPLES, WIDTH))
    hidden = net.activations(X)
    _, grads = net.loss_and_grads(X, generator.integers(CLASSES, size=SAMPLES))
    told = lib.grad.probe.activation_statistics(net, X)
    edges = np.linspace(-REACH, REACH, BINS + 1)
    return {
        "size": np.array([np.sqrt(np.mean(h * h)) for h in hidden]),
        "saturated": told["saturated"],
        "gradient": lib.grad.probe.gradient_statistics(net.params, grads)["std"][:-1],
        "histograms": np.array([np.histogram(np.clip(h, -REACH, REACH), edges)[0] / h.size for h in hidden]),
    }


def draw(values: Values, found: Values) -> Drawn:
    """A histogram for each layer, and below the sizes of signal and gradient, by powers of ten."""
    size, gradient = (np.asarray(found[name], float) for name in ("size", "gradient"))
    saturated, depth = np.asarray(found["saturated"], float), len(size)
    says = (
        f"The signal comes in with size 1 and leaves layer {depth} with {short(size[-1])}. The gradient of the first weights"
        f" has size {short(gradient[0])}. In layer {depth} {saturated[-1]:.0%} of the slopes are flat."
    )
    sizes = Plane(360, 260, x=(0, depth + 1), y=_decades(size, gradient), x_label="layer", log_y=True).axes()
    layers = list(range(1, depth + 1))
    for series, class_ in ((size, "s1"), (gradient, "s2")):
        sizes.line(layers, np.where(series > SMALLEST, series, np.nan), class_)
        sizes.dots(layers, np.where(series > SMALLEST, series, np.nan), class_, radius=2.5)
    rows: list[tuple[Any, ...]] = [("layer", "size of the signal", "flat slopes", "gradient of the weights")]
    rows += [(layer, short(s), f"{flat:.0%}", short(g)) for layer, s, flat, g in zip(layers, size, saturated, gradient)]
    label = f"The size of the signal by layer, from {short(size[0])} to {short(size[-1])}, and of the gradient"
    shown = panels(
        element("div", element("p", "what each layer hands on", class_="panel-title"), _histograms(found)),
        element("div", _legend(), sizes.svg(label)),
    )
    return Drawn(shown, rows, says)


def _histograms(found: Values) -> Markup:
    """The shares of values from -3 to 3, one layer beside the other; what lies beyond is at the ends."""
    shares = np.asarray(found["histograms"], float)
    chosen = np.unique(np.linspace(0, len(shares) - 1, min(SHOWN, len(shares))).round().astype(int))
    plane = Plane(360, 260, x=(0, len(chosen)), y=(-REACH, REACH), x_label="layer").axes(grid=False, ticks=False)
    middles = np.linspace(-REACH, REACH, BINS + 1)[:-1] + REACH / BINS
    down = plane.down(middles)
    for slot, layer in enumerate(chosen):
        wide = np.sqrt(shares[layer] / shares[layer].max())  # the root, so that a spike does not hide the rest
        left, right = plane.across(slot + 0.5 - 0.45 * wide), plane.across(slot + 0.5 + 0.45 * wide)
        ends = [*zip(left, down), *zip(right[::-1], down[::-1])]
        plane.add(element("polygon", points=" ".join(f"{number(x)},{number(y)}" for x, y in ends), class_="bar s1"))
        plane.text(slot + 0.5, -REACH, str(layer + 1), "soft", dy=16)
    for value in (-REACH, 0, REACH):
        plane.text(0, value, f"{value:g}".replace("-", "−"), "soft", anchor="end", dy=4)
    return plane.svg(f"Histograms of what {len(chosen)} layers hand on, from −3 to 3")


def _legend() -> Markup:
    return element(
        "p",
        element("span", "● ", class_="s1"), "size of the signal (root mean square), ", element("span", "■ ", class_="s2"),
        "of the weights' gradient (standard deviation)", class_="panel-title",
    )  # fmt: skip


def _decades(*series: Any) -> tuple[float, float]:
    """Whole powers of ten around all that is above SMALLEST, three at least."""
    every = np.concatenate(series)
    every = every[(every > SMALLEST) & np.isfinite(every)]
    low, high = (np.floor(np.log10(every.min())), np.ceil(np.log10(every.max()))) if len(every) else (-1.0, 1.0)
    return 10.0 ** min(low, -2.0), 10.0 ** max(high, 1.0)


EXPLORABLE = Explorable(
    name="first-weights",
    title="A signal through many layers",
    lesson="3.4",
    modules=("grad/init.py", "grad/probe.py"),
    proves="He's weights carry a relu signal through 20 layers at the size it had. Weights half as large leave a millionth"
    " of it: 1/2 to the power of 20.",
    controls=(
        Choice("start", ("He", "Xavier", "orthogonal", "half of He", "twice He"), label="first weights"),
        Choice("activation", ("relu", "tanh", "sigmoid", "gelu")),
        Slider("depth", 2, 50, 20, step=1, label="layers"),
    ),
    compute=compute,
    draw=draw,
)
