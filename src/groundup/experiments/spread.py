"""Five runs of one small language model that differ in nothing but their seed, and the first of them again.

How far apart they end is the noise in which any gain has to be seen. The loss is that on the last tenth of the text, all of it. Bouthillier
et al., Accounting for Variance in Machine Learning Benchmarks (2021).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from tqdm import tqdm

from ..data import loading
from ..lab import plot, statistics
from ..train.loop import TrainConfig


@dataclass(frozen=True)
class Config:
    """seeds, how many; layers, heads and width of the model."""

    seed: int = 0
    seeds: int = 5
    layers: int = 2
    heads: int = 2
    width: int = 64
    train: TrainConfig = field(default_factory=lambda: TrainConfig(steps=400))

    @property
    def tokens(self) -> int:
        """Each run is trained on so many."""
        return self.train.steps * self.train.tokens_a_step


def run(config: Config, record: Any, lib: Any) -> None:
    """Trains them, and keeps every model."""
    ids, tokenizer = _text(lib)
    train = ids[: int(0.9 * len(ids))]
    curves: dict[str, tuple[list[float], list[float]]] = {}
    names = [str(config.seed + i) for i in range(config.seeds)]
    for name in tqdm([*names, "again"], unit="run", disable=None):
        seed = config.seed if name == "again" else int(name)
        lib.train.seeds.seed_everything(seed)
        model = _model(config, tokenizer, lib)
        settings = asdict(config.train) | {"seed": seed}
        batches = lib.train.data.Batches(train, config.train.context, config.train.batch, seed=seed)
        steps, losses = [], []

        def log(step: int, name: str = name, steps: list = steps, losses: list = losses, **numbers: float) -> None:  # type: ignore[type-arg]
            steps.append(float(step))
            losses.append(numbers["loss"])
            record.log(step, **{f"loss.{name}": numbers["loss"]})

        lib.train.loop.train(model, batches, lib.train.loop.TrainConfig(**settings), log=log, progress=False)
        weights = {key: tensor.contiguous() for key, tensor in model.state_dict().items()}
        save_file(weights, record.folder / f"{name}.safetensors")
        record.keep(record.folder / f"{name}.safetensors")
        curves[name] = (steps, losses)
    (record.folder / "curves.json").write_text(json.dumps(curves))
    figure = plot.curves({f"seed {name}": curves[name] for name in names}, "cross-entropy, nats")
    record.keep(plot.save(figure, record.folder / "curves.png"))


def evaluate(config: Config, folder: Path, lib: Any) -> dict[str, float]:
    """The validation loss of each seed, what they say together, and by how much the first one differs from itself."""
    ids, tokenizer = _text(lib)
    held_out = ids[int(0.9 * len(ids)) :]

    def loss(name: str) -> float:
        model = _model(config, tokenizer, lib)
        model.load_state_dict(load_file(folder / f"{name}.safetensors"))
        pairs = lib.train.data.Batches(held_out, config.train.context, 128).full()
        return float(lib.train.evaluation.evaluate(model, pairs))

    losses = [loss(str(config.seed + i)) for i in range(config.seeds)]
    found = statistics.summary(losses)
    metrics = {f"val_loss.{config.seed + i}": value for i, value in enumerate(losses)}
    metrics |= {"mean": found.mean, "sd": found.sd, "low": found.low, "high": found.high}
    metrics["spread"] = max(losses) - min(losses)
    metrics["again"] = abs(loss("again") - losses[0])
    return metrics


def _text(lib: Any) -> tuple[np.ndarray, Any]:
    text = loading.tinyshakespeare()
    tokenizer = lib.text.chars.Chars.of(text)
    return tokenizer.encode(text), tokenizer


def _model(config: Config, tokenizer: Any, lib: Any) -> torch.nn.Module:
    gpt = lib.nets.gpt
    shape = {"layers": config.layers, "heads": config.heads, "width": config.width}
    model: torch.nn.Module = gpt.GPT(
        gpt.GPTConfig(vocab_size=tokenizer.vocab_size, context=config.train.context, **shape)
    )
    return model
