"""A two-layer network on two interleaved half circles, trained by descent on an engine of one's own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Config:
    """points, in training and again in testing; noise, its standard deviation; width of the hidden layer; rate; steps."""

    seed: int = 0
    points: int = 300
    noise: float = 0.1
    width: int = 16
    rate: float = 1.0
    steps: int = 1500


def moons(n: int, noise: float, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """n points (n, 2) on two half circles with Gaussian noise, and their labels (n,), 0 or 1."""
    angle = generator.uniform(0, np.pi, n)
    label = generator.integers(0, 2, n)
    x = np.where(label == 0, np.cos(angle), 1 - np.cos(angle))
    y = np.where(label == 0, np.sin(angle), 0.5 - np.sin(angle))
    points = np.stack([x, y], axis=1) + generator.normal(scale=noise, size=(n, 2))  # (n, 2)
    return points, label


def network(config: Config, lib: Any) -> Any:
    """The network before training."""
    return lib.grad.mlp.MLP([2, config.width, 1], np.random.default_rng(config.seed))


def run(config: Config, record: Any, lib: Any) -> None:
    """Trains on one draw of the moons."""
    X, y = moons(config.points, config.noise, np.random.default_rng([config.seed, 0]))
    model = network(config, lib)
    loss = lib.grad.mlp.logistic_loss
    losses = lib.grad.mlp.train(model, X, y[:, None].astype(float), loss, config.rate, config.steps)
    for step, value in enumerate(losses):
        record.log(step, loss=value)
    for step in range(0, len(losses), max(1, len(losses) // 5)):
        record.say(f"step {step:5}  loss {losses[step]:.4f}")
    weights = [parameter.data for parameter in model.parameters()]
    np.savez(record.folder / "model.npz", *weights)
    record.keep(record.folder / "model.npz")


def evaluate(config: Config, folder: Path, lib: Any) -> dict[str, float]:
    """The saved network on another draw."""
    X, y = moons(config.points, config.noise, np.random.default_rng([config.seed, 1]))
    model = network(config, lib)
    with np.load(folder / "model.npz") as saved:
        for parameter, weights in zip(model.parameters(), saved.values()):
            parameter.data = weights
    right = (lib.grad.mlp.predict(model, X)[:, 0] > 0) == (y == 1)
    return {"test_accuracy": float(right.mean())}
