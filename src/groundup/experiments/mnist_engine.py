"""Handwritten digits by a convolutional network on an engine and a framework of one's own: `--mine` runs it on the learner's.

The network is LeNet-5 with relu and largest pixels: LeCun, Bottou, Bengio and Haffner, Gradient-based Learning Applied to
Document Recognition (1998), section II.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from ..data import loading
from ..lab import plot


@dataclass(frozen=True)
class Config:
    """epochs; size of a batch; rate, at its peak; smoothing of the labels."""

    seed: int = 0
    epochs: int = 3
    size: int = 128
    rate: float = 5e-3
    smoothing: float = 0.0

    @property
    def steps(self) -> int:
        """How many steps are taken: 60,000 pictures an epoch."""
        return self.epochs * -(-60_000 // self.size)


def network(config: Config, lib: Any) -> Any:
    """The network before training."""
    nn, generator = lib.grad.nn, np.random.default_rng(config.seed)
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, generator, padding=2),  # (n, 6, 28, 28)
        nn.ReLU(),
        nn.MaxPool2d(2),  # (n, 6, 14, 14)
        nn.Conv2d(6, 16, 5, generator),  # (n, 16, 10, 10)
        nn.ReLU(),
        nn.MaxPool2d(2),  # (n, 16, 5, 5)
        nn.Flatten(),
        nn.Linear(400, 120, generator),
        nn.ReLU(),
        nn.Linear(120, 84, generator),
        nn.ReLU(),
        nn.Linear(84, 10, generator),
    )


def as_images(images: np.ndarray, mean: float, deviation: float) -> np.ndarray:
    """(n, 28, 28) of 0 to 255 -> (n, 1, 28, 28) float32, scaled."""
    scaled: np.ndarray = ((images.astype(np.float32) - np.float32(mean)) / np.float32(deviation))[:, None]
    return scaled


def run(config: Config, record: Any, lib: Any) -> None:
    """Trains on the 60,000, and keeps the weights, the curve, and pictures of what went wrong on the 10,000."""
    data, digits = lib.grad.data, loading.mnist()
    mean, deviation = data.pixel_scale(digits.train_images)
    net = network(config, lib)
    model = lib.grad.nn.Trainable(net, lambda scores, y: lib.grad.losses.cross_entropy(scores, y, config.smoothing))
    optimiser = lib.grad.optim.Adam(model.params, lr=config.rate)
    images, labels = as_images(digits.train_images, mean, deviation), digits.train_labels.astype(np.int64)
    loader = data.Loader(images, labels, size=config.size, seed=config.seed)
    bar = tqdm(total=config.steps, unit="step", disable=None, mininterval=0.5)

    def watch(step: int, loss: float) -> None:
        record.log(step, loss=loss)
        bar.update()
        if step % 50 == 0:
            bar.set_postfix_str(f"loss {loss:.4f}")

    def schedule(step: int) -> float:
        return lib.grad.schedules.one_cycle(step, config.rate, config.steps)

    try:
        lib.grad.fit.fit(model, optimiser, loader, config.epochs, schedule=schedule, watch=watch)
    finally:  # also what an interrupted run has learned is kept
        bar.close()
        arrays = net.state_dict() | {"scale": np.array([mean, deviation])}
        lib.grad.weights.save(record.folder / "model.safetensors", arrays)
        record.keep(record.folder / "model.safetensors")
    plot.classification(record, *scored(config, record.folder, lib))


def scored(config: Config, folder: Path, lib: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The test images (10000, 28, 28), their labels (10000,), and the saved network's scores (10000, 10)."""
    state = lib.grad.weights.load(folder / "model.safetensors")
    mean, deviation = state.pop("scale")
    net, tensor = network(config, lib), lib.grad.tensor
    net.load_state_dict(state)
    net.eval()
    digits = loading.mnist()
    images = as_images(digits.test_images, mean, deviation)
    with tensor.no_grad():
        scores = [net(tensor.Tensor(images[i : i + 500])).data for i in range(0, len(images), 500)]
    return digits.test_images, digits.test_labels.astype(np.int64), np.concatenate(scores)


def evaluate(config: Config, folder: Path, lib: Any) -> dict[str, float]:
    """The saved network on the 10,000 test images."""
    _, labels, scores = scored(config, folder, lib)
    return {"test_accuracy": float(np.mean(scores.argmax(axis=1) == labels))}
