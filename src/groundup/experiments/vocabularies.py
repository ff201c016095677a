"""Five vocabularies on one text, in models of one size: what does a token more buy?

The smallest has the 256 bytes, the largest is GPT-2's; those between are learnt from the text itself. Every model has the same number
of parameters, so that what the embedding takes the MLPs lose, reads the same text equally often, and sees the same number
of tokens at a time. Losses of different tokenizers are compared in bits per byte; how far a model looks back, in bytes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from tqdm import tqdm

from ..data import catalogue, loading
from ..lab import plot

GPT2 = 50257


@dataclass(frozen=True)
class Config:
    """parameters of each model, about; width at most, layers; tokens in a window; windows in a batch; passes over the text; rates."""

    seed: int = 0
    parameters: int = 1_250_000
    width: int = 128
    layers: int = 4
    context: int = 128
    batch: int = 16
    epochs: float = 1.0
    lr: float = 3e-3
    muon_lr: float = 0.02
    characters: int = 0  # of the text; 0: all of it


SIZES = (256, 512, 1024, 4096, GPT2)


def tokenizer(size: int, text: str, lib: Any) -> Any:
    """The tokenizer of a size: learnt from the text, but for GPT-2's own."""
    if size == GPT2:
        return lib.text.formats.from_gpt2(catalogue.fetch("gpt2") / "vocab.bpe")
    return lib.text.bpe.train(text, size)


def shape(config: Config, size: int, lib: Any) -> Any:
    """A GPTConfig of about config.parameters: the widest whose table of tokens takes at most two thirds of them; MLPs get the rest."""
    widths = [w for w in range(16, config.width + 1, 16) if 3 * w * size <= 2 * config.parameters]
    if not widths:
        raise ValueError(f"{config.parameters} parameters are too few for {size} tokens: take {24 * size} or more")
    width = widths[-1]
    fixed = {"vocab_size": size, "context": config.context, "layers": config.layers, "tied": True, "width": width}
    fixed["heads"] = max(1, width // 64)
    counted = lib.nets.counts.parameters
    one, two = (counted(lib.nets.gpt.GPTConfig(**fixed, hidden=h)) for h in (1, 2))
    return lib.nets.gpt.GPTConfig(**fixed, hidden=1 + round((config.parameters - one) / (two - one)))


def halves(config: Config) -> tuple[str, str]:
    """The text to learn from, and the last tenth."""
    text = loading.tinyshakespeare()
    text = text[: config.characters] if config.characters else text
    cut = len(text) * 9 // 10
    return text[:cut], text[cut:]


def run(config: Config, record: Any, lib: Any) -> None:
    """Trains one model for each vocabulary; keeps tokenizers, models, and curves in bits per byte."""
    text, held_out = halves(config)
    curves: dict[str, tuple[list[float], list[float]]] = {}
    for size in tqdm(SIZES, unit="vocabulary", disable=None):
        made = tokenizer(size, text, lib)
        made.save(record.folder / f"{size}.json")
        ids = made.encode(text)
        ratio = len(ids) / len(text.encode())  # tokens a byte
        torch.manual_seed(config.seed)
        model = lib.nets.gpt.GPT(shape(config, size, lib))
        settings = lib.train.loop.TrainConfig(
            steps=max(1, round(config.epochs * len(ids) / (config.batch * config.context))),
            batch=config.batch,
            context=config.context,
            lr=config.lr,
            muon_lr=config.muon_lr,
            seed=config.seed,
        )
        read: list[float] = []
        bits: list[float] = []

        def log(
            step: int, size: int = size, read: Any = read, bits: Any = bits, ratio: float = ratio, **numbers: float
        ) -> None:
            if "loss" in numbers:
                read.append(step * config.batch * config.context / ratio / 1e6)
                bits.append(numbers["loss"] * ratio / math.log(2))
                record.log(step, **{f"bits_per_byte.{size}": bits[-1]})

        batches = lib.train.data.Batches(ids, config.context, config.batch, seed=config.seed)
        lib.train.loop.train(model, batches, settings, log=log, progress=False)
        weights = {name: value.contiguous() for name, value in model.state_dict().items() if name != "head.weight"}
        save_file(weights, record.folder / f"{size}.safetensors")
        curves[f"{size:,}"] = (read, plot.smoothed(bits, 0.8).tolist())
    table = lib.text.stats.table(
        {str(size): lib.text.load(record.folder / f"{size}.json") for size in SIZES}, held_out, config.width, tied=True
    )
    (record.folder / "costs.txt").write_text(table + "\n")
    record.say(table)
    for name in ("costs.txt", *(f"{size}.{kind}" for size in SIZES for kind in ("json", "safetensors"))):
        record.keep(record.folder / name)
    figure = plot.curves(curves, "bits per byte, training")
    figure.axes[0].set_xlabel("million bytes read")
    record.keep(plot.save(figure, record.folder / "curves.png"))


def evaluate(config: Config, folder: Path, lib: Any) -> dict[str, float]:
    """Each saved model on the last tenth: bits per byte, tokens a character, bytes that it looks back on average; and what follows."""
    _, held_out = halves(config)
    n_bytes, metrics = len(held_out.encode()), {}
    for size in SIZES:
        made = lib.text.load(folder / f"{size}.json")
        ids = made.encode(held_out)
        model = lib.nets.gpt.GPT(shape(config, size, lib))
        weights = load_file(folder / f"{size}.safetensors")
        model.load_state_dict(weights | {"head.weight": weights["tokens.weight"]})  # they are tied
        pairs = lib.train.data.Batches(ids, config.context, 8).full()
        nats = lib.train.evaluation.evaluate(model, pairs)
        metrics[f"bits_per_byte.{size}"] = lib.text.stats.bits_per_byte(nats, len(ids) - 1, n_bytes)
        metrics[f"tokens_per_character.{size}"] = len(ids) / len(held_out)
        metrics[f"reach.{size}"] = config.context * n_bytes / len(ids)
        metrics[f"parameters.{size}"] = float(sum(p.numel() for p in model.parameters()))
    whole = lib.text.formats.from_gpt2(catalogue.fetch("gpt2") / "vocab.bpe")
    first = lib.text.bpe.BPE(whole.merges[: 4096 - 256])  # a vocabulary of 4096 that was learnt from the same pages
    metrics["gpt2_over_its_first_4096"] = len(first.encode(held_out)) / len(whole.encode(held_out))
    losses = {size: metrics[f"bits_per_byte.{size}"] for size in SIZES}
    metrics["best_size"] = float(min(losses, key=losses.__getitem__))
    metrics["bytes_over_best"] = losses[256] / min(losses.values())
    metrics["gpt2_over_best"] = losses[GPT2] / min(losses.values())
    metrics["reach_of_4096_over_bytes"] = metrics["reach.4096"] / metrics["reach.256"]
    counts = [metrics[f"parameters.{size}"] for size in SIZES]
    metrics["parameters_apart"] = (max(counts) - min(counts)) / config.parameters
    return metrics
