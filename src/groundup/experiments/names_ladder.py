"""A ladder of language models on 29,494 first names: a counted bigram, the same learned, two perceptrons, and a GPT.

Every rung sees more of what came before, or sees it better, and is measured alike: nats per character on names that none has
seen, the end of a name being a character. Bengio, Ducharme, Vincent and Jauvin, A Neural Probabilistic Language Model (2003).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from ..data import loading
from ..lab import plot

LETTERS = ".abcdefghijklmnopqrstuvwxyz"  # the dot begins and ends a name
LEARNED = ("bigram", "mlp", "deep", "gpt")


@dataclass(frozen=True)
class Config:
    """batch, in names; decay of the weights. Of each rung the steps and the rate. mlp and deep: how many characters they see (window), and the widths
    of an embedding and of a hidden layer; deep has several, each with batch normalisation. gpt: Muon's rate, and its sizes.
    """

    seed: int = 0
    batch: int = 128
    decay: float = 0.05
    bigram_steps: int = 800
    bigram_rate: float = 0.1
    mlp_steps: int = 1200
    mlp_rate: float = 1e-2
    mlp_window: int = 3
    mlp_embedding: int = 16
    mlp_hidden: int = 200
    deep_steps: int = 1000
    deep_rate: float = 5e-3
    deep_window: int = 6
    deep_embedding: int = 24
    deep_hidden: int = 128
    deep_layers: int = 3
    gpt_steps: int = 1200
    gpt_rate: float = 3e-3
    gpt_muon: float = 0.02
    gpt_layers: int = 2
    gpt_heads: int = 4
    gpt_width: int = 64
    gpt_dropout: float = 0.0

    @property
    def steps(self) -> int:
        """How many are taken, on all rungs together."""
        return self.bigram_steps + self.mlp_steps + self.deep_steps + self.gpt_steps


class Bigram(nn.Module):
    """A table: row i is the logits of what follows token i."""

    def __init__(self, context: int) -> None:
        super().__init__()
        self.config = SimpleNamespace(context=context)
        self.table = nn.Parameter(torch.zeros(len(LETTERS), len(LETTERS)))

    def forward(self, ids: Tensor, targets: Tensor | None = None, cache: Any = None) -> Tensor:
        logits = self.table[ids]  # (B, T, V)
        return logits if targets is None else F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-1)


class Window(nn.Module):
    """A multilayer perceptron on the embeddings of the last characters; before a name there are dots."""

    def __init__(self, context: int, window: int, embedding: int, hidden: int, layers: int, normed: bool) -> None:
        super().__init__()
        self.config = SimpleNamespace(context=context)
        self.window = window
        self.embedding = nn.Embedding(len(LETTERS), embedding)
        parts: list[nn.Module] = []
        width = window * embedding
        for _ in range(layers):
            parts.append(nn.Linear(width, hidden, bias=not normed))
            if normed:
                parts.append(nn.BatchNorm1d(hidden))
            parts.append(nn.Tanh())
            width = hidden
        self.layers = nn.Sequential(*parts, nn.Linear(width, len(LETTERS)))

    def forward(self, ids: Tensor, targets: Tensor | None = None, cache: Any = None) -> Tensor:
        windows = F.pad(ids, (self.window - 1, 0)).unfold(1, self.window, 1)  # (B, T, window)
        if targets is not None:  # what lies behind a name's end is neither computed nor normalised with
            windows, targets = windows[targets >= 0], targets[targets >= 0]  # (n, window), (n,)
        logits: Tensor = self.layers(self.embedding(windows.flatten(0, -2)).flatten(1))
        return logits.unflatten(0, ids.shape) if targets is None else F.cross_entropy(logits, targets)


def splits() -> tuple[list[str], list[str], list[str]]:
    """80, 10 and 10 % of the names, to train, validate and test; one shuffle, the same for every run. 2,539 names stand in
    the list twice: each counts once, or a test name could have been learned by heart.
    """
    names = sorted(set(loading.names()))
    order = np.random.default_rng(0).permutation(len(names))
    shuffled = [names[i] for i in order]
    first, second = len(names) * 8 // 10, len(names) * 9 // 10
    return shuffled[:first], shuffled[first:second], shuffled[second:]


def padded(names: list[str]) -> tuple[Tensor, Tensor]:
    """x and y (n, T): a dot and the name, the name and a dot; behind the end 0 in x and -1, which is not counted, in y."""
    longest = max(map(len, names)) + 1
    x = torch.zeros(len(names), longest, dtype=torch.int64)
    y = torch.full_like(x, -1)
    for row, name in enumerate(names):
        ids = torch.tensor([LETTERS.index(letter) for letter in name + "."])
        x[row, 1 : len(ids)] = ids[:-1]
        y[row, : len(ids)] = ids
    return x, y


def network(config: Config, lib: Any, rung: str, context: int) -> Any:
    """A rung before training."""
    torch.manual_seed(config.seed)
    if rung == "bigram":
        return Bigram(context)
    if rung == "mlp":
        return Window(context, config.mlp_window, config.mlp_embedding, config.mlp_hidden, 1, normed=False)
    if rung == "deep":
        layers = config.deep_layers
        return Window(context, config.deep_window, config.deep_embedding, config.deep_hidden, layers, normed=True)
    gpt = lib.nets.gpt
    return gpt.GPT(
        gpt.GPTConfig(
            vocab_size=len(LETTERS),
            context=context,
            layers=config.gpt_layers,
            heads=config.gpt_heads,
            width=config.gpt_width,
            dropout=config.gpt_dropout,
        )
    )


def counted(names: list[str]) -> np.ndarray:
    """How often each character follows each, (27, 27), and one more: no pair is impossible."""
    x, y = padded(names)
    pairs = torch.stack([x, y], dim=-1)[y >= 0].numpy()  # (n, 2)
    counts = np.ones((len(LETTERS), len(LETTERS)))
    np.add.at(counts, (pairs[:, 0], pairs[:, 1]), 1)
    return counts


def fit(config: Config, lib: Any, rung: str, model: Any, x: Tensor, y: Tensor, watch: Any) -> None:
    """Random batches of names; the rate rises for a twentieth of the steps and falls to 0 in a straight line. The matrices of
    the GPT's blocks are Muon's, everything else is AdamW's.
    """
    steps, rate = getattr(config, f"{rung}_steps"), getattr(config, f"{rung}_rate")
    rule = lib.train.loop.TrainConfig(
        steps=steps,
        lr=rate,
        muon_lr=config.gpt_muon,
        betas=(0.9, 0.99),
        weight_decay=config.decay if rung != "bigram" else 0.0,
    )
    optimiser = lib.train.optim.make(model, rule)
    generator = torch.Generator().manual_seed(config.seed)
    ends = (y >= 0).sum(dim=1)  # (n,)
    model.train()
    for step in range(steps):
        optimiser.rate(min((step + 1) * 20 / steps, (steps - step) / (0.95 * steps), 1.0))
        rows = torch.randint(len(x), (config.batch,), generator=generator)
        longest = int(ends[rows].max())
        loss = model(x[rows, :longest], y[rows, :longest])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        watch(step, float(loss.detach()))


def nats(model: Any, x: Tensor, y: Tensor) -> float:
    """The mean cross-entropy over every character of (n, T)."""
    model.eval()
    with torch.no_grad():
        logits = torch.cat([model(part) for part in x.split(1024)])
    return float(F.cross_entropy(logits.flatten(0, 1), y.flatten(), ignore_index=-1))


def run(config: Config, record: Any, lib: Any) -> None:
    """Trains every rung and keeps it; keeps the curves, and twenty names of each."""
    train, _, _ = splits()
    x, y = padded(train)
    counts = counted(train)
    np.save(record.folder / "counts.npy", counts)
    record.keep(record.folder / "counts.npy")
    curves: dict[str, tuple[list[float], list[float]]] = {}
    written = ["counted"]
    table = Bigram(x.shape[1])
    table.load_state_dict({"table": torch.tensor(np.log(counts), dtype=torch.float32)})
    written += _sampled(table, config, lib)
    bar = tqdm(total=config.steps, unit="step", disable=None, mininterval=0.5)
    for rung in LEARNED:
        model = network(config, lib, rung, x.shape[1])
        losses: list[float] = []

        def watch(step: int, loss: float, rung: str = rung, losses: list[float] = losses) -> None:
            losses.append(loss)
            record.log(step, **{f"loss.{rung}": loss})
            bar.update()
            if step % 50 == 0:
                bar.set_postfix_str(f"{rung} {loss:.3f}")

        fit(config, lib, rung, model, x, y, watch)
        save_file(model.state_dict(), record.folder / f"{rung}.safetensors")
        record.keep(record.folder / f"{rung}.safetensors")
        means = np.array(losses)[: len(losses) // 50 * 50].reshape(-1, 50).mean(axis=1)
        curves[rung] = (list(np.arange(len(means)) * 50 + 25.0), list(means))
        written += ["", rung, *_sampled(model, config, lib)]
    bar.close()
    (record.folder / "names.txt").write_text("\n".join(written) + "\n", encoding="utf-8")
    record.keep(record.folder / "names.txt")
    record.keep(plot.save(plot.curves(curves, "cross-entropy in training, nats"), record.folder / "curves.png"))


def _sampled(model: Any, config: Config, lib: Any) -> list[str]:
    """Twenty names from a model."""
    start = torch.zeros(20, 1, dtype=torch.int64)
    generator = torch.Generator().manual_seed(config.seed)
    cache = hasattr(model, "blocks")  # the others have nothing to keep
    ids = lib.nets.sample.generate(
        model, start, model.config.context - 1, cache=cache, generator=generator, stop=0
    )  # (20, T)
    return ["".join(LETTERS[i] for i in row).strip(".") for row in ids.tolist()]


def evaluate(config: Config, folder: Path, lib: Any) -> dict[str, float]:
    """Nats per character on the test names: every rung, what each gains on the one below, and an n-gram model beside them."""
    train, _, test = splits()
    longest = padded(train)[0].shape[1]
    x, y = padded(test)
    metrics: dict[str, float] = {}
    counts = np.load(folder / "counts.npy")
    p = counts / counts.sum(axis=1, keepdims=True)
    metrics["counted"] = float(-np.log(p[x[y >= 0], y[y >= 0]]).mean())
    for rung in LEARNED:
        model = network(config, lib, rung, longest)
        model.load_state_dict(load_file(folder / f"{rung}.safetensors"))
        metrics[rung] = nats(model, x, y)
    metrics["kneser_ney"] = _counted_longer(train, test, lib)
    metrics["bigram_off_counted"] = abs(metrics["bigram"] - metrics["counted"])
    for rung, below in zip(LEARNED[1:], LEARNED):
        metrics[f"{rung}_gains"] = metrics[below] - metrics[rung]
    metrics["gpt_below_kneser_ney"] = metrics["kneser_ney"] - metrics["gpt"]
    return metrics


def _counted_longer(train: list[str], test: list[str], lib: Any) -> float:
    """An interpolated Kneser-Ney model of five characters, on one text of all names with a dot between them."""
    ids = {
        part: np.array([LETTERS.index(letter) for name in names for letter in name + "."])
        for part, names in (("train", train), ("test", test))
    }
    return float(lib.text.ngram.KneserNey(5).fit(ids["train"], len(LETTERS)).nats_per_token(ids["test"]))
