"""The price of a weight (2.2): the size as price makes weights zero, the square only makes them small."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..drawing.plane import Plane
from .explorable import Choice, Drawn, Explorable, Slider, Values, arrays, panels
from .numbers import short

MATTER = 5
PRICES = {"the size": 1.0, "half and half": 0.5, "the square": 0.0}
LOW = 0.01
HIGH = 10.0
_paths: dict[str, Any] = {}


def patients(seed: int, n: int) -> Any:
    """A hundred measurements of n patients, of which the first five matter, and what came of it; centred."""
    generator = np.random.default_rng(seed)
    X = generator.standard_normal((n, 100))
    y = X[:, :MATTER] @ np.array([3.0, -2.5, 2.0, -1.5, 1.0]) + generator.standard_normal(n)
    return X - X.mean(axis=0), y - y.mean()


def compute(lib: Any, *, alpha: float, price: str) -> dict[str, Any]:
    """The weights at alpha, the weights at forty prices, and how much of new patients each explains."""
    X, y = patients(0, 40)
    new_X, new_y = patients(1, 1000)
    ratio = PRICES[price]

    def fitted(price_: float) -> Any:
        return np.asarray(
            lib.classic.lasso.ElasticNet(price_, l1_ratio=ratio, max_iter=5000).fit(X, y).coef_, dtype=float
        )

    def explained(w: Any) -> float:
        return float(1 - np.sum((new_y - new_X @ w) ** 2) / np.sum(new_y**2))

    if price not in _paths:
        alphas = np.geomspace(HIGH, LOW, 40)
        weights = np.array([fitted(each) for each in alphas])
        _paths[price] = {"alphas": alphas, "path": weights, "scores": [explained(w) for w in weights]}
    w = fitted(alpha)
    return {"weights": w, "score": explained(w), **_paths[price]}


def draw(values: Values, found: Values) -> Drawn:
    """All weights by the price, and how much of new patients they explain."""
    w, path, alphas, scores = arrays(found, "weights", "path", "alphas", "scores")
    alpha, score = values["alpha"], float(found["score"])
    used, right = int(np.sum(w != 0)), int(np.sum(w[:MATTER] != 0))
    best = int(np.argmax(scores))
    says = (
        f"At {alpha:g}: {used} of {len(w)} weights are not zero, {right} of them among the {MATTER} that matter; the model explains "
        f"{score:.0%} of the variance of new patients. With this price {scores[best]:.0%} is the most, at {alphas[best]:.2g}."
    )
    size = 1.1 * max(float(np.abs(path).max()), 0.1)
    plane = Plane(460, 340, x=(LOW, HIGH), y=(-size, size), x_label="price alpha", y_label="weight", log_x=True).axes()
    for j in reversed(range(path.shape[1])):
        plane.line(alphas, path[:, j], "s2 solid" if j < MATTER else "soft thin")
    plane.line([alpha, alpha], [-size, size], "miss thin")
    plane.dots(np.full(MATTER, alpha), w[:MATTER], "s2", radius=4)
    plane.text(HIGH, -size, f"the {MATTER} that matter", "s2", "end", dy=-8)
    chart = Plane(
        460,
        340,
        x=(LOW, HIGH),
        y=(-0.2, 1),
        x_label="price alpha",
        y_label="variance of new patients explained",
        log_x=True,
    ).axes()
    chart.line(alphas, scores, "s1 solid").dots([alpha], [score], "here ring", radius=6)
    rows: list[tuple[Any, ...]] = [("measurement", "weight", "matters")]
    rows += [(j + 1, short(w[j], 3), "yes" if j < MATTER else "no") for j in range(len(w)) if w[j] or j < MATTER]
    where = f"The weights of {len(w)} measurements by the price; at {alpha:g} {used} are not zero"
    return Drawn(
        panels(plane.svg(where), chart.svg(f"New patients explained by the price, {score:.0%} at {alpha:g}")),
        rows,
        says,
    )


EXPLORABLE = Explorable(
    name="lasso-path",
    title="What a weight costs",
    lesson="2.2",
    proves="A price on the size of a weight makes it zero, to the last bit. A price on its square only makes it small.",
    controls=(
        Slider("alpha", LOW, HIGH, 0.2, log=True, label="price alpha"),
        Choice("price", tuple(PRICES), label="on"),
    ),
    compute=compute,
    draw=draw,
    modules=("classic/lasso.py",),
)
