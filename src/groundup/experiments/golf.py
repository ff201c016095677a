"""Parameter golf: the fewest bits per byte of Shakespeare's last tenth, from a file of so many bytes, after so many
seconds.

The file holds the weights in a few bits each, the tokenizer, and the sources that read it, and its length is what
counts. The score is that of the file alone, after the round trip. Beside it stand what counting and what compressors
make of the same text. The runs of this recipe are a leaderboard; seeds of one configuration are one entry, and an entry
is a record if it beats the last one by more than the seeds do (Welch, p < 0.05).
"""

from __future__ import annotations

import bz2
import inspect
import json
import lzma
import math
import sys
import tempfile
import time
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from ..data import loading
from ..lab import plot
from ..lab.recipe import shown
from ..lab.record import Records
from ..lab.statistics import mean_and_sd, welch
from ..train.loop import TrainConfig
from .language_model import Shape

ARTIFACT = "model.golf"
MOST_BITS, FEWEST_BITS = 8, 3
FLOOR_ORDER = 6  # of the n-gram model, in characters
SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Config:
    """bytes: of the file, at most. seconds: from the beginning of the run until the file is there; `reserve` of them
    are kept for packing it. bits: of a weight; 0: as many as fit. head_bits: more of them for the tables of tokens.
    window: of the evaluation, in tokens; 0: as in training. least: tokens before each scored one. train.seconds is not
    read: see training_seconds.
    """

    seed: int = 0
    bytes: int = 250_000
    seconds: float = 60.0
    reserve: float = 6.0
    bits: int = 0
    head_bits: int = 0
    window: int = 0
    least: int = 1
    tokenizer: Literal["chars", "bpe"] = "chars"
    vocabulary: int = 256
    model: Shape = field(default_factory=Shape)  # type: ignore[valid-type]
    train: TrainConfig = field(default_factory=lambda: TrainConfig(seconds=1.0))

    @property
    def training_seconds(self) -> float:
        """What is left for training."""
        return self.seconds - self.reserve

    def __post_init__(self) -> None:
        if self.seconds <= self.reserve:
            raise ValueError(
                f"{self.seconds:g} s, of which {self.reserve:g} are kept for packing, leave no time to train"
            )


@dataclass(frozen=True)
class Entry:
    """One configuration on the leaderboard. record: it was ahead of all before it, by more than the seeds."""

    runs: tuple[str, ...]
    bits_per_byte: tuple[float, ...]
    bytes: int
    config: str
    record: bool = False
    p: float = math.nan  # against the record before it


def run(config: Config, record: Any, lib: Any) -> None:
    """Trains, packs, scores the file, and draws up the leaderboard. OverBudget if not even three bits a weight fit."""
    begun = time.perf_counter()
    train_text, _ = split()
    tokenizer = _tokenizer(config, train_text, lib)
    ids = tokenizer.encode(train_text)
    torch.manual_seed(config.seed)
    model = lib.nets.gpt.GPT(_shape(config, tokenizer, lib))
    settings = replace(config.train, seconds=config.training_seconds, steps=0, seed=config.seed)
    batches = lib.train.data.Batches(ids, settings.context, settings.batch, seed=config.seed, accumulate=settings.accumulate, slide=True)  # fmt: skip
    done = lib.train.loop.train(model, batches, settings, log=record.log, clock_started=begun)
    data, bits = _packed(config, model, tokenizer, lib)
    seconds = time.perf_counter() - begun
    (record.folder / ARTIFACT).write_bytes(data)
    record.keep(record.folder / ARTIFACT)
    if done.stopped == "interrupted":
        raise KeyboardInterrupt
    exact = scored(config, model, tokenizer, lib)
    told = {
        "seconds_used": seconds,
        "bits": bits,
        "bits_per_byte_before": exact,
        "tokens": done.tokens,
        **baselines(lib),
    }
    (record.folder / "finished.json").write_text(json.dumps(told))
    mine = evaluate(config, record.folder, lib)
    with Records(record.folder.parent) as records:
        earlier = [row for row in records.runs(record.name.rpartition("-")[0]) if row.status == "finished"]
    entries = leaderboard(
        [(row.name, row.config, row.result) for row in reversed(earlier)] + [(record.name, shown(config), mine)]
    )
    (record.folder / "leaderboard.md").write_text(table(entries, mine), encoding="utf-8")
    rows = [asdict(entry) | {"p": entry.p if math.isfinite(entry.p) else None} for entry in entries]
    (record.folder / "leaderboard.json").write_text(json.dumps(rows, indent=1))
    for name in ("leaderboard.md", "leaderboard.json"):
        record.keep(record.folder / name)
    losses = record.metrics("loss")
    if losses:
        record.keep(plot.save(plot.curves({"loss": tuple(zip(*losses))}, "nats a token"), record.folder / "loss.png"))  # type: ignore[dict-item]
    print(table(entries, mine))


def evaluate(config: Config, folder: Path, lib: Any) -> dict[str, float]:
    """The file alone: its length, and its bits per byte on the whole last tenth; what counting and compressors make of
    it."""
    data = (folder / ARTIFACT).read_bytes()
    artifact = lib.nets.artifact.unpack(data)
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "tokenizer.json"
        path.write_bytes(artifact.files["tokenizer.json"])
        tokenizer = lib.text.load(path)
    model = lib.nets.gpt.GPT(lib.nets.gpt.GPTConfig(**artifact.meta["config"]))
    model.load_state_dict(artifact.state)
    told = json.loads((folder / "finished.json").read_text())
    found = {"bits_per_byte": scored(config, model, tokenizer, lib), "bytes": float(len(data)), **told}
    within = len(data) <= config.bytes and told["seconds_used"] <= config.seconds
    return found | {"within_budget": float(within)}


def split() -> tuple[str, str]:
    """The text to train on, and the last tenth."""
    text = loading.tinyshakespeare()
    cut = int(0.9 * len(text))
    return text[:cut], text[cut:]


def scored(config: Config, model: Any, tokenizer: Any, lib: Any) -> float:
    """Bits per byte of the last tenth, from its first byte on: before it stands the last token of the training text."""
    train_text, text = split()
    prefix = int(tokenizer.encode(train_text[-64:])[-1])
    window = config.window or config.train.context
    measured = lib.nets.likelihood.evaluate(model, tokenizer, [text], window, prefix, config.least, 32)
    return float(measured.bits_per_byte)


def baselines(lib: Any) -> dict[str, float]:
    """Bits per byte of the last tenth: an n-gram model of the training text, and compressors. lzma_primed has read the
    training text before: what both take together, less what it takes alone.
    """
    train_text, text = split()
    tokenizer = lib.text.chars.Chars.of(train_text + text)
    counted = lib.text.ngram.KneserNey(order=FLOOR_ORDER).fit(tokenizer.encode(train_text), tokenizer.vocab_size)
    before, raw = train_text.encode(), text.encode()
    found = {"ngram": float(counted.nats_per_token(tokenizer.encode(text))) * len(text) / len(raw) / math.log(2)}
    for name, size in (
        ("zlib", len(zlib.compress(raw, 9))),
        ("bz2", len(bz2.compress(raw, 9))),
        ("lzma", len(lzma.compress(raw, preset=6))),
        ("lzma_primed", len(lzma.compress(before + raw, preset=6)) - len(lzma.compress(before, preset=6))),
    ):
        found[name] = 8 * size / len(raw)
    return found


def leaderboard(runs: Sequence[tuple[str, Mapping[str, Any], Mapping[str, float]]]) -> list[Entry]:
    """The entries, best first. runs, oldest first: name, configuration by dotted names, and what was measured.

    Runs that differ in their seed alone are one entry, as old as the last of them; runs beyond a budget do not count.
    An entry is a record if its mean is below that of the record before it, by a difference with p < 0.05; the first
    entry with two runs is one.
    """
    groups: dict[str, list[tuple[str, float, int]]] = {}
    for name, config, result in runs:
        if result.get("within_budget") == 1.0 and math.isfinite(result["bits_per_byte"]):
            settings = {key: value for key, value in config.items() if key not in ("seed", "train.seed")}
            key = json.dumps(settings, sort_keys=True, default=list)
            groups[key] = [*groups.pop(key, []), (name, result["bits_per_byte"], int(result["bytes"]))]
    entries, best = [], None
    for key, members in groups.items():
        names, values, sizes = zip(*members)
        entry = Entry(names, values, max(sizes), key)
        if len(values) > 1 and best is None:
            entry = replace(entry, record=True)
        elif len(values) > 1 and best is not None:
            test = welch(best.bits_per_byte, values)
            entry = replace(entry, record=test.difference < 0 and test.p < SIGNIFICANT, p=test.p)
        best = entry if entry.record else best
        entries.append(entry)
    return sorted(entries, key=lambda entry: float(np.mean(entry.bits_per_byte)))


def table(entries: Iterable[Entry], beside: Mapping[str, float]) -> str:
    """The leaderboard in Markdown, with what there is beside it."""
    lines = ["| bits per byte | sd | runs | bytes | p | record | last run |", "|---|---|---|---|---|---|---|"]
    for entry in entries:
        mean, sd = mean_and_sd(entry.bits_per_byte)
        spread, p = (f"{x:.4f}" if math.isfinite(x) else "" for x in (sd, entry.p))
        star = "record" if entry.record else ""
        lines.append(
            f"| {mean:.4f} | {spread} | {len(entry.runs)} | {entry.bytes:,} | {p} | {star} | {entry.runs[-1]} |"
        )
    names = ("ngram", "zlib", "bz2", "lzma", "lzma_primed")
    return "\n".join([*lines, "", "Beside it: " + ", ".join(f"{name} {beside[name]:.3f}" for name in names), ""])


def sources(modules: Iterable[Any], package: str) -> dict[str, bytes]:
    """The sources of modules, and of all that they take from the same package: {"nets/gpt.py": its bytes}."""
    found: dict[str, bytes] = {}
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        name = module.__name__.removeprefix(f"{package}.").replace(".", "/") + ".py"
        if name in found:
            continue
        found[name] = inspect.getsource(module).encode()
        used = {getattr(value, "__module__", None) or getattr(value, "__name__", "") for value in vars(module).values()}
        waiting += [sys.modules[n] for n in sorted(map(str, used)) if n.startswith(f"{package}.") and n in sys.modules]
    return dict(sorted(found.items()))


def _packed(config: Config, model: Any, tokenizer: Any, lib: Any) -> tuple[bytes, int]:
    """The file, with as many bits as fit, and how many that are."""
    artifact, kind = lib.nets.artifact, type(tokenizer)
    package = lib.nets.gpt.__name__.partition(".")[0]
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "tokenizer.json"
        tokenizer.save(path)
        files = {"tokenizer.json": path.read_bytes()}
    files |= sources([lib.nets.gpt, artifact, sys.modules[kind.__module__]], package)
    meta = {"config": asdict(model.config)}

    def made(bits: int) -> bytes:
        finer = min(max(config.head_bits, bits), MOST_BITS)
        each = {"": bits, "tokens": finer, "head": finer}
        return bytes(artifact.pack(model.state_dict(), meta, bits=each, files=files, budget=config.bytes))

    low, high = (config.bits, config.bits) if config.bits else (FEWEST_BITS, MOST_BITS)
    data = made(low)
    while low < high:  # a bit more is a longer file: halve the span
        middle = (low + high + 1) // 2
        try:
            data, low = made(middle), middle
        except artifact.OverBudget:
            high = middle - 1
    return data, low


def _tokenizer(config: Config, train_text: str, lib: Any) -> Any:
    if config.tokenizer == "chars":
        return lib.text.chars.Chars.of(train_text + split()[1])  # the alphabet is known, as bytes would be
    return lib.text.bpe.train(train_text, config.vocabulary)


def _shape(config: Config, tokenizer: Any, lib: Any) -> Any:
    context = max(config.train.context, config.window)
    return lib.nets.gpt.GPTConfig(vocab_size=tokenizer.vocab_size, **(asdict(config.model) | {"context": context}))
