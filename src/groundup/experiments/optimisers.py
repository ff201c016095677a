"""Six optimisers under three schedules, three seeds each, on one small network and the same batches.

Each optimiser has a rate that suits it: a comparison at one rate for all would compare the rates. What differs by less than the
seeds do is no difference. On how such comparisons go wrong: Choi et al., On Empirical Comparisons of Optimizers (2019).
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
    """images of MNIST to train on; width of the one hidden layer; epochs; size of a batch; seeds; and each optimiser's rate."""

    seed: int = 0
    images: int = 12_000
    width: int = 64
    epochs: int = 4
    size: int = 128
    seeds: int = 3
    sgd: float = 0.3
    momentum: float = 0.05
    nesterov: float = 0.05
    rmsprop: float = 1.5e-3
    adam: float = 4e-3
    lion: float = 1.2e-3

    @property
    def steps(self) -> int:
        """Of each run."""
        return self.epochs * -(-self.images // self.size)


OPTIMISERS = ("sgd", "momentum", "nesterov", "rmsprop", "adam", "lion")
SCHEDULES = ("constant", "cosine", "one_cycle")


def optimiser(config: Config, lib: Any, name: str, params: list[np.ndarray]) -> Any:
    """One of the six."""
    optim, rate = lib.grad.optim, getattr(config, name)
    return {
        "sgd": lambda: optim.SGD(params, lr=rate),
        "momentum": lambda: optim.SGD(params, lr=rate, momentum=0.9),
        "nesterov": lambda: optim.SGD(params, lr=rate, momentum=0.9, nesterov=True),
        "rmsprop": lambda: optim.RMSprop(params, lr=rate),
        "adam": lambda: optim.Adam(params, lr=rate),
        "lion": lambda: optim.Lion(params, lr=rate),
    }[name]()


def schedule(config: Config, lib: Any, name: str, rate: float) -> Any:
    """One of the three, as a function of the step."""
    schedules = lib.grad.schedules
    return {
        "constant": lambda step: rate,
        "cosine": lambda step: schedules.cosine(step, rate, config.steps),
        "one_cycle": lambda step: schedules.one_cycle(step, 2 * rate, config.steps),  # its mean is about half its peak
    }[name]


def network(config: Config, lib: Any, seed: int) -> Any:
    """The network before training."""
    return lib.grad.network.Network(
        [784, config.width, 10], np.random.default_rng([config.seed, seed]), dtype=np.float32
    )


def run(config: Config, record: Any, lib: Any) -> None:
    """Trains all of them; keeps every network, and the curves of their mean losses."""
    data, digits = lib.grad.data, loading.mnist()
    images = digits.train_images[: config.images]
    mean, deviation = data.pixel_scale(images)
    X, y = data.as_features(images, mean, deviation), digits.train_labels[: config.images].astype(np.int64)
    kept: dict[str, np.ndarray] = {"scale": np.array([mean, deviation])}
    losses: dict[str, np.ndarray] = {}
    bar = tqdm(total=len(OPTIMISERS) * len(SCHEDULES) * config.seeds, unit="run", disable=None)
    for name in OPTIMISERS:
        for shape in SCHEDULES:
            curves = []
            for seed in range(config.seeds):
                model = network(config, lib, seed)
                loader = data.Loader(X, y, size=config.size, seed=seed)
                history = lib.grad.fit.fit(
                    model,
                    optimiser(config, lib, name, model.params),
                    loader,
                    config.epochs,
                    schedule=schedule(config, lib, shape, getattr(config, name)),
                )
                curves.append(history.losses)
                kept |= {f"{name}.{shape}.{seed}.{i}": p for i, p in enumerate(model.params)}
                bar.update()
            losses[f"{name}.{shape}"] = np.mean(curves, axis=0)
            for step, loss in enumerate(losses[f"{name}.{shape}"]):
                record.log(step, **{f"loss.{name}.{shape}": float(loss)})
    bar.close()
    lib.grad.weights.save(record.folder / "models.safetensors", kept)
    record.keep(record.folder / "models.safetensors")
    for shape in SCHEDULES:
        series = {name: _smooth(losses[f"{name}.{shape}"]) for name in OPTIMISERS}
        figure = plot.curves(series, f"cross-entropy, nats; {shape.replace('_', ' ')}", log=True)
        record.keep(plot.save(figure, record.folder / f"{shape}.png"))


def evaluate(config: Config, folder: Path, lib: Any) -> dict[str, float]:
    """The saved networks on the 10,000 test images: the mean over seeds for each pair, and how far seeds lie apart."""
    saved = lib.grad.weights.load(folder / "models.safetensors")
    mean, deviation = saved.pop("scale")
    digits = loading.mnist()
    X, y = lib.grad.data.as_features(digits.test_images, mean, deviation), digits.test_labels
    metrics, spread = {}, []
    for name in OPTIMISERS:
        for shape in SCHEDULES:
            found = []
            for seed in range(config.seeds):
                model = network(config, lib, seed)
                for i, parameter in enumerate(model.params):
                    np.copyto(parameter, saved[f"{name}.{shape}.{seed}.{i}"])
                found.append(lib.grad.fit.accuracy(model, X, y))
            metrics[f"{name}.{shape}"] = float(np.mean(found))
            spread.append(max(found) - min(found))
    worst, best = min(metrics.values()), max(metrics.values())
    gain = float(np.mean([metrics[f"{name}.one_cycle"] - metrics[f"{name}.constant"] for name in OPTIMISERS]))
    metrics |= {"worst": worst, "best": best, "one_cycle_over_constant": gain}
    metrics["spread_over_seeds"] = float(np.mean(spread))
    return metrics


def _smooth(losses: np.ndarray, width: int = 16) -> tuple[list[float], list[float]]:
    """Means over so many steps, and where they lie."""
    whole = len(losses) // width * width
    means = losses[:whole].reshape(-1, width).mean(axis=1)
    return list(np.arange(len(means)) * width + width / 2), list(means)
