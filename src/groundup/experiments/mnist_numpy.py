"""Handwritten digits by a network written by hand: affine layers, relu, Adam, and a rate that rises and falls. NumPy alone.

LeCun, Bottou, Bengio and Haffner, Gradient-based Learning Applied to Document Recognition (1998), section III.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from ..data import loading
from ..lab import plot


@dataclass(frozen=True)
class Config:
    """widths of the hidden layers; epochs; size of a batch; rate, at its peak; whether each picture is warped, and how much
    at most: shift in pixels, turn in degrees, zoom as a share of the size.
    """

    seed: int = 0
    widths: tuple[int, ...] = (256,)
    epochs: int = 8
    size: int = 128
    rate: float = 3e-3
    augment: bool = False
    shift: float = 2.0
    turn: float = 10.0
    zoom: float = 0.1

    @property
    def parameters(self) -> int:
        """How many numbers are learned."""
        sizes = (784, *self.widths, 10)
        return sum((n + 1) * m for n, m in itertools.pairwise(sizes))

    @property
    def steps(self) -> int:
        """How many steps are taken: 60,000 pictures an epoch."""
        return self.epochs * -(-60_000 // self.size)


def network(config: Config, lib: Any) -> Any:
    """The network before training."""
    generator = np.random.default_rng(config.seed)
    return lib.grad.network.Network([784, *config.widths, 10], generator, dtype=np.float32)


def run(config: Config, record: Any, lib: Any) -> None:
    """Trains on the 60,000, and keeps the weights, the curve, and pictures of what went wrong on the 10,000."""
    data, digits = lib.grad.data, loading.mnist()
    mean, deviation = data.pixel_scale(digits.train_images)
    model = network(config, lib)
    optimiser = lib.grad.optim.Adam(model.params, lr=config.rate)
    labels = digits.train_labels.astype(np.int64)

    def warped(images: np.ndarray, generator: np.random.Generator) -> Any:
        images = data.augment(images, generator, config.shift, config.turn, config.zoom)
        return data.as_features(images, mean, deviation)

    inputs = digits.train_images if config.augment else data.as_features(digits.train_images, mean, deviation)
    loader = data.Loader(inputs, labels, size=config.size, seed=config.seed)
    augment = warped if config.augment else None
    bar = tqdm(total=config.steps, unit="step", disable=None, mininterval=0.5)

    def watch(step: int, loss: float) -> None:
        record.log(step, loss=loss)
        bar.update()
        if step % 50 == 0:
            bar.set_postfix_str(f"loss {loss:.4f}")

    def schedule(step: int) -> float:
        return float(lib.grad.schedules.one_cycle(step, config.rate, config.steps))

    try:
        lib.grad.fit.fit(model, optimiser, loader, config.epochs, schedule=schedule, augment=augment, watch=watch)
    finally:  # also what an interrupted run has learned is kept
        bar.close()
        arrays = {f"{i}": p for i, p in enumerate(model.params)}
        lib.grad.weights.save(record.folder / "model.safetensors", arrays | {"scale": np.array([mean, deviation])})
        record.keep(record.folder / "model.safetensors")
    plot.classification(record, *scored(config, record.folder, lib))


def scored(config: Config, folder: Path, lib: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The test images (10000, 28, 28), their labels (10000,), and the saved network's scores (10000, 10)."""
    arrays = lib.grad.weights.load(folder / "model.safetensors")
    mean, deviation = arrays.pop("scale")
    model = network(config, lib)
    for parameter, saved in zip(model.params, arrays.values()):
        np.copyto(parameter, saved)
    digits = loading.mnist()
    scores, _ = model.forward(lib.grad.data.as_features(digits.test_images, mean, deviation))
    return digits.test_images, digits.test_labels.astype(np.int64), scores


def evaluate(config: Config, folder: Path, lib: Any) -> dict[str, float]:
    """The saved network on the 10,000 test images."""
    _, labels, scores = scored(config, folder, lib)
    return {"test_accuracy": float(np.mean(scores.argmax(axis=1) == labels))}
