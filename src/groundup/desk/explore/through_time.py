"""How much of a gradient comes back through so many steps: a tanh network and a GRU (3.7)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..drawing.plane import Plane
from ..drawing.svg import element
from .explorable import Drawn, Explorable, Slider, Values
from .numbers import short

WIDTH = 32
SEQUENCES = 8
INPUTS = 0.3  # standard deviation of what comes in: small, so that the weights decide and not the bend of tanh
SMALLEST = 1e-30
CELLS = {"tanh": ("s1", "●"), "GRU": ("s2", "■")}


def compute(lib: Any, steps: int, scale: float, keep: float) -> dict[str, Any]:
    """The size of the gradient of the state, by how many steps it lies before the last."""
    layers, generator = lib.grad.layers.recurrent, np.random.default_rng(0)

    def recurrent(parts: int) -> Any:
        return np.hstack([lib.grad.init.orthogonal(WIDTH, WIDTH, generator, gain=scale) for _ in range(parts)])

    x = INPUTS * generator.standard_normal((SEQUENCES, steps, WIDTH))
    state, dh = np.zeros((SEQUENCES, WIDTH)), generator.standard_normal((SEQUENCES, WIDTH))
    Wx = [lib.grad.init.xavier(WIDTH, parts * WIDTH, generator) for parts in (1, 3)]
    gate = np.log(keep / (1 - keep))  # a bias whose sigmoid is `keep`
    stay = np.zeros(3 * WIDTH)
    stay[WIDTH : 2 * WIDTH] = gate
    by_lag = layers.gradient_by_lag
    return {
        "tanh": by_lag(layers.rnn_forward, layers.rnn_backward, x, (state,), (Wx[0], recurrent(1), np.zeros(WIDTH)), dh),
        "GRU": by_lag(
            layers.gru_forward, layers.gru_backward, x, (state,), (Wx[1], recurrent(3), stay, np.zeros(3 * WIDTH)), dh
        ),
    }  # fmt: skip


def draw(values: Values, found: Values) -> Drawn:
    """The share of the gradient that is left, by powers of ten, for both."""
    shares = {name: np.asarray(found[name], float) / float(found[name][0]) for name in CELLS}
    steps = len(shares["tanh"]) - 1
    left = ", ".join(f"{name} {short(share[-1])}" for name, share in shares.items())
    says = (
        f"Of a gradient of 1, this is left {steps} steps back: {left}. Weights of {short(values['scale'], 3)} alone would"
        f" leave {short(values['scale'] ** steps)}, and the bend of tanh takes from that; gates of"
        f" {short(values['keep'], 3)} alone would leave {short(values['keep'] ** steps)}."
    )
    every = np.concatenate(list(shares.values()))
    every = every[np.isfinite(every) & (every > SMALLEST)]
    bounds = 10.0 ** min(np.floor(np.log10(every.min())), -2), 10.0 ** max(np.ceil(np.log10(every.max())), 1)
    plane = Plane(400, 270, x=(0, steps), y=bounds, x_label="steps back", y_label="share left", log_y=True).axes()
    for name, share in shares.items():
        drawn = np.where(share > SMALLEST, share, np.nan)
        marked = slice(None, None, max(1, steps // 12))
        class_ = CELLS[name][0]
        plane.line(np.arange(steps + 1), drawn, class_).dots(np.arange(steps + 1)[marked], drawn[marked], class_)
    rows: list[tuple[Any, ...]] = [("steps back", *CELLS)]
    rows += [(k, *(short(share[k]) for share in shares.values())) for k in range(steps + 1)]
    legend = [element("span", f"{mark} {name}  ", class_=class_) for name, (class_, mark) in CELLS.items()]
    shown = element(
        "div", element("p", *legend, class_="panel-title"), plane.svg(f"What is left of a gradient: {left}")
    )
    return Drawn(shown, rows, says)


EXPLORABLE = Explorable(
    name="through-time",
    title="A gradient back through time",
    lesson="3.7",
    modules=("grad/layers/recurrent.py",),
    proves="After 100 steps a tanh network with weights of 0.9 has less than a billionth of a gradient left. A unit whose"
    " gate keeps 0.98 a step has a fifth.",
    controls=(
        Slider("steps", 5, 100, 100, step=1),
        Slider("scale", 0.5, 1.5, 0.9, step=0.05, label="recurrent weights"),
        Slider("keep", 0.5, 0.99, 0.98, step=0.01, label="kept by the gate"),
    ),
    compute=compute,
    draw=draw,
)
