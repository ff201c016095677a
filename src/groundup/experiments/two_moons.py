"""A two-layer network on two interleaved half circles, trained by descent on an engine of one's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np


def moons(n: int, noise: float, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """n points (n, 2) on two half circles with Gaussian noise, and their labels (n,), 0 or 1."""
    angle = generator.uniform(0, np.pi, n)
    label = generator.integers(0, 2, n)
    x = np.where(label == 0, np.cos(angle), 1 - np.cos(angle))
    y = np.where(label == 0, np.sin(angle), 0.5 - np.sin(angle))
    points = np.stack([x, y], axis=1) + generator.normal(scale=noise, size=(n, 2))  # (n, 2)
    return points, label


def run(config: Mapping[str, Any], lib: Any, say: Callable[[str], None]) -> dict[str, float]:
    """Trains on one draw of the moons and measures on another.

    config: seed, points, noise, width, rate, steps. lib: the library it runs on, the reference's or the learner's.
    """
    mlp = lib.grad.mlp
    generator = np.random.default_rng(config["seed"])
    X, y = moons(config["points"], config["noise"], generator)
    X_test, y_test = moons(config["points"], config["noise"], generator)
    model = mlp.MLP([2, config["width"], 1], generator)
    losses = mlp.train(model, X, y[:, None].astype(float), mlp.logistic_loss, config["rate"], config["steps"])
    for step in range(0, len(losses), max(1, len(losses) // 5)):
        say(f"step {step:5}  loss {losses[step]:.4f}")
    right = (mlp.predict(model, X_test)[:, 0] > 0) == (y_test == 1)
    return {"loss": losses[-1], "test accuracy": float(right.mean())}
