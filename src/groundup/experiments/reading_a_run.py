"""Four short runs of a small language model: one that is well, and three with a cause planted in each. What do their logs say?

loader: every batch is waited for. rate: two hundred times what suits the model. nondeterminism: some inputs are exchanged by a
generator of its own that nobody has seeded, like an augmentation that someone forgot. Each is run twice with one seed, as one does
to know. (A rate that is ten times too high shows no spikes on this model: the loss stays at 3.3 and the gradient falls asleep. No rule
on one run's curves sees that; the range test does.)
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from ..data import loading
from ..lab import plot

RUNS = ("healthy", "loader", "rate", "nondeterminism")
SERIES = ("loss", "grad_norm", "waiting", "tokens_per_s")
HARMLESS = {"healthy", "slowing"}  # other programs slow a run down, and that is no fault of its own


@dataclass(frozen=True)
class Config:
    """steps of each run; size of a batch, context, layers and width of the model; its rate; delay of a planted loader, in steps."""

    seed: int = 0
    steps: int = 150
    batch: int = 8
    context: int = 32
    layers: int = 2
    width: int = 48
    rate: float = 5e-3
    factor: float = 200.0
    delay: float = 2.0


class Planted:
    """Batches with a fault: `wait` seconds before each, or a share of the inputs exchanged by a generator without a seed."""

    def __init__(self, batches: Any, wait: float = 0.0, share: float = 0.0) -> None:
        self.batches, self.wait, self.share = batches, wait, share
        self.forgotten = np.random.default_rng()

    def at(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """As Batches.at."""
        x, y = self.batches.at(step)
        if self.wait:
            time.sleep(self.wait)
        if self.share:
            hit = torch.from_numpy(self.forgotten.random(tuple(x.shape)) < self.share)
            x = torch.where(hit, torch.zeros_like(x), x)
        return x, y


def run(config: Config, record: Any, lib: Any) -> None:
    """Runs each twice with the same seed, and keeps what they log."""
    text = loading.tinyshakespeare()
    ids = lib.text.chars.Chars.of(text).encode(text)
    batches = lib.train.data.Batches(ids[: int(0.9 * len(ids))], config.context, config.batch, seed=config.seed)
    speed = np.median(_train(config, lib, batches, ids, config.rate, steps=30)["tokens_per_s"])
    wait = config.delay * config.batch * config.context / float(speed)  # in steps as long as they are here
    logs: dict[str, list[dict[str, list[float]]]] = {}
    for name in tqdm(RUNS, unit="pair", disable=None):
        source = {"loader": Planted(batches, wait=wait), "nondeterminism": Planted(batches, share=0.02)}.get(
            name, batches
        )
        rate = config.rate * (config.factor if name == "rate" else 1.0)
        logs[name] = []
        for twin in range(2):
            lib.train.seeds.seed_everything(config.seed)
            logs[name].append(_train(config, lib, source, ids, rate))
            for step, loss in zip(logs[name][-1]["step"], logs[name][-1]["loss"]):
                record.log(int(step), **{f"loss.{name}.{twin}": loss})
    path = record.folder / "logs.json"
    path.write_text(json.dumps(logs))
    record.keep(path)
    for what in ("loss", "grad_norm", "waiting"):
        figure = plot.curves(
            {name: (logs[name][0]["step"], logs[name][0][what]) for name in RUNS}, what, log=what != "waiting"
        )
        record.keep(plot.save(figure, record.folder / f"{what}.png"))


def evaluate(config: Config, folder: Path, lib: Any) -> dict[str, float]:
    """For each run 1 if the first thing that `diagnose` names is what was planted, else 0; and how many of the four are right."""
    logs = json.loads((folder / "logs.json").read_text())
    named = {}
    for name in RUNS:
        causes = [finding.cause for finding in lib.train.diagnosis.diagnose(*logs[name])]
        named[name] = float(set(causes) <= HARMLESS if name == "healthy" else causes[0] == name)
    return named | {"named": sum(named.values())}


def _train(
    config: Config, lib: Any, batches: Any, ids: np.ndarray, rate: float, steps: int = 0
) -> dict[str, list[float]]:
    """One run -> its series."""
    gpt, loop = lib.nets.gpt, lib.train.loop
    torch.manual_seed(config.seed)
    shape = {"layers": config.layers, "heads": 2, "width": config.width}
    model = gpt.GPT(gpt.GPTConfig.gpt2(vocab_size=int(ids.max()) + 1, context=config.context, **shape))
    settings = loop.TrainConfig(
        steps=steps or config.steps, batch=config.batch, context=config.context, optimizer="adamw", lr=rate, seed=config.seed,
        dtype="float32", schedule="constant", warmup=0.05, log_every=1,
    )  # fmt: skip
    log: dict[str, list[float]] = {name: [] for name in ("step", *SERIES)}
    with contextlib.suppress(lib.train.step.Diverged):  # what was logged until then is what is to be read
        loop.train(model, batches, settings, log=_into(log), progress=False)
    return log


def _into(log: dict[str, list[float]]) -> Callable[..., None]:
    def add(step: int, **numbers: float) -> None:
        log["step"].append(float(step))
        for name in SERIES:
            log[name].append(float(numbers[name]))

    return add
