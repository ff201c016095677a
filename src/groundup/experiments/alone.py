"""From memory: a model and a training loop in one file that leans on nothing, judged by the loss on text that it never saw.

What is kept is the loss at each character of the last tenth, in windows that do not overlap. The model itself is of a class that
only its author knows.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import load_file, save_file
from torch.nn import functional as F

from ..data import catalogue


@dataclass(frozen=True)
class Config:
    """seconds: of training."""

    seed: int = 0
    seconds: float = 600.0


def text(lib: Any) -> tuple[np.ndarray, np.ndarray, int]:
    """The characters of Tiny Shakespeare as ids: nine tenths, the last tenth, and how many different ones there are."""
    whole = (catalogue.fetch("tinyshakespeare") / "input.txt").read_text(encoding="utf-8")
    characters = lib.text.chars.Chars.of(whole)
    ids = characters.encode(whole)
    cut = int(0.9 * len(ids))
    return ids[:cut], ids[cut:], characters.vocab_size


def run(config: Config, record: Any, lib: Any) -> None:
    """Trains, and keeps the loss of each character of the last tenth."""
    train, held_out, size = text(lib)
    begun = time.perf_counter()
    model = lib.train.alone.train(train, size, config.seconds, config.seed)
    record.log(1, seconds=time.perf_counter() - begun)
    nats = losses(model, held_out, lib.train.alone.CONTEXT, lib)
    save_file({"nats": nats}, record.folder / "losses.safetensors")
    record.keep(record.folder / "losses.safetensors")


@torch.no_grad()
def losses(model: Any, ids: np.ndarray, context: int, lib: Any) -> np.ndarray:
    """The loss of each character but the first, in nats: (n - 1,)."""
    found = []
    for x, y in lib.train.data.Batches(ids, context, 64).full():
        logits = model(x).float()  # (B, T, V)
        nats = F.cross_entropy(logits.flatten(0, 1), y.flatten(), ignore_index=-1, reduction="none")
        found.append(nats[y.flatten() >= 0])
    return torch.cat(found).numpy()


def evaluate(config: Config, folder: Path, lib: Any) -> dict[str, float]:
    """The mean loss over the last tenth, and how many characters it is a mean of."""
    nats = load_file(folder / "losses.safetensors")["nats"]
    return {"val_loss": float(nats.mean(dtype=np.float64)), "characters": float(len(nats))}
