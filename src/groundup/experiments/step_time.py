"""Where the time of a training step goes: with two loaders as one first writes them, and with shards.

The same model takes the same kind of steps three times. `whole`: the text is tokenised in every step, and windows are cut out of the
list of ids. `passages`: only what a batch needs is tokenised, when it needs it. `shards`: the text has been tokenised once, into a
file that is mapped into memory. Model FLOPs utilisation: Chowdhery and others, PaLM (2022), appendix B.
"""

from __future__ import annotations

import json
import random
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ..data import loading

A100 = 312e12  # FLOP/s in bfloat16, dense: NVIDIA's data sheet


@dataclass(frozen=True)
class Config:
    """The model, the shape of a batch, how many steps are measured for each loader, and how many go before."""

    seed: int = 0
    layers: int = 4
    width: int = 256
    heads: int = 4
    context: int = 256
    batch: int = 16
    vocab_size: int = 1024
    steps: int = 8
    warmup: int = 2
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"

    @property
    def tokens_per_step(self) -> int:
        return self.batch * self.context


class Whole:
    """The first that comes to mind: tokenise the text, cut windows out of the list, make tensors of them. In every step."""

    def __init__(self, text: str, tokenizer: Any, context: int, batch: int, seed: int) -> None:
        self.text, self.tokenizer, self.context, self.batch = text, tokenizer, context, batch
        self.random = random.Random(seed)

    def at(self, step: int) -> tuple[Any, Any]:
        import torch

        ids = self.tokenizer.encode(self.text).tolist()
        begins = [self.random.randrange(len(ids) - self.context - 1) for _ in range(self.batch)]
        x = [ids[begin : begin + self.context] for begin in begins]
        y = [ids[begin + 1 : begin + self.context + 1] for begin in begins]
        return torch.tensor([x]), torch.tensor([y])  # (1, B, T)


class Passages(Whole):
    """The second: tokenise passages of the text that are long enough, and cut them. What is cut off was tokenised for nothing."""

    def at(self, step: int) -> tuple[Any, Any]:
        import torch

        x, y = [], []
        for _ in range(self.batch):
            begin = self.random.randrange(len(self.text) - 8 * self.context)
            ids = self.tokenizer.encode(
                self.text[begin : begin + 8 * self.context]
            ).tolist()  # 8 characters a token: enough
            x.append(ids[: self.context])
            y.append(ids[1 : self.context + 1])
        return torch.tensor([x]), torch.tensor([y])  # (1, B, T)


def run(config: Config, record: Any, lib: Any) -> None:
    """Measures the loaders under the same steps, and keeps the numbers."""
    import torch

    kind = config.device
    if kind == "auto":
        kind = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    device, dtype = torch.device(kind), torch.bfloat16 if kind == "cuda" else torch.float32
    text = loading.tinyshakespeare()
    tokenizer = lib.text.bpe.train(text, config.vocab_size)
    begun = time.perf_counter()
    ids = tokenizer.encode(text)
    folder = record.folder / "shards"
    folder.mkdir(exist_ok=True)
    lib.train.shards.write(folder / "train-00000.shard", ids, tokenizer.vocab_size, tokenizer.fingerprint)
    once = time.perf_counter() - begun
    source = lib.train.shards.ShardSet(folder, tokenizer=tokenizer.fingerprint)
    loaders = {
        "whole": Whole(text, tokenizer, config.context, config.batch, config.seed),
        "passages": Passages(text, tokenizer, config.context, config.batch, config.seed),
        "shards": lib.train.data.Batches(source, config.context, config.batch, seed=config.seed),
    }
    shape = dict(context=config.context, layers=config.layers, width=config.width, heads=config.heads)
    model_config = lib.nets.gpt.GPTConfig.modern(vocab_size=tokenizer.vocab_size, **shape)
    flops = lib.nets.counts.flops_per_token(model_config, config.context)
    peak = lib.train.meter.peak_flops(device, dtype)
    record.say(f"a step is {config.tokens_per_step:,} tokens, {flops * config.tokens_per_step / 1e9:,.0f} GFLOP")
    record.say(f"{kind} does {peak / 1e12:.2f} TFLOP/s in {str(dtype)[6:]} at best")
    found: dict[str, float] = {"tokenised_once_s": once}
    for name, loader in loaders.items():
        torch.manual_seed(config.seed)
        model = lib.nets.gpt.GPT(model_config).to(device)
        meter = lib.train.meter.Meter(flops, peak)
        waits, steps = measured(model, loader, meter, config, device, dtype, record, name)
        found |= {f"{name}_{key}": value for key, value in meter.lap().items()}
        found[f"{name}_ms"] = 1e3 * statistics.median(steps)
        found[f"{name}_loading_ms"] = 1e3 * statistics.median(waits)
        record.say(line(name, found))
    (record.folder / "step-time.json").write_text(json.dumps(found, indent=1))
    record.keep(record.folder / "step-time.json")
    record.say(f"tokenising all of it, once, took {once:.1f} s")
    if kind == "cpu":
        record.say(on_an_a100(flops, found, config))


def measured(
    model: Any, loader: Any, meter: Any, config: Config, device: Any, dtype: Any, record: Any, name: str
) -> tuple[list[float], list[float]]:
    """Takes the steps; returns the seconds that each waited for its batch, and the seconds of each in all."""
    import torch

    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4, betas=(0.9, 0.95))
    waits, steps = [], []
    for step in range(-config.warmup, config.steps):
        if step == 0:
            meter.lap()  # what was before does not count
        begun = time.perf_counter()
        x, y = loader.at(step + config.warmup)
        waited = time.perf_counter() - begun
        x, y = x[0].to(device), y[0].to(device)  # (B, T)
        with torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
            loss = model(x, y)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        value = loss.item()  # the device has to be done before the number can be had
        seconds = time.perf_counter() - begun
        if step >= 0:
            meter.waited(waited)
            meter.count(config.tokens_per_step)
            waits.append(waited)
            steps.append(seconds)
            record.log(step, **{f"{name}_loss": value, f"{name}_ms": 1e3 * seconds, f"{name}_loading_ms": 1e3 * waited})
    return waits, steps


def line(name: str, found: dict[str, float]) -> str:
    """What was measured with one loader, for a person."""
    return (
        f"{name:8}  {found[f'{name}_ms']:7.1f} ms a step, of which {found[f'{name}_loading_ms']:6.2f} ms for the batch"
        f"   waiting {found[f'{name}_waiting']:6.1%}   {found[f'{name}_tokens_per_s']:9,.0f} tokens/s"
        f"   MFU {found[f'{name}_mfu']:5.1%}"
    )


def on_an_a100(flops: float, found: dict[str, float], config: Config) -> str:
    """What the same loaders would do to a GPU, by arithmetic: they run on the CPU either way."""
    tokens, step = 32 * 256, 20.0  # ms
    lines = [
        f"on an A100 a step of 32 x 256 tokens should take 15 to 30 ms; at {step:.0f} ms, with these loaders as they are here:"
    ]
    for name in ("whole", "passages", "shards"):
        loading = found[f"{name}_loading_ms"]
        if name != "whole":
            loading *= tokens / config.tokens_per_step  # the work of these two grows with the batch
        mfu = flops * tokens / ((step + loading) / 1e3) / A100
        lines.append(
            f"{name:8}  {step + loading:7.1f} ms a step   waiting {loading / (step + loading):6.1%}   MFU {mfu:5.2%}"
        )
    lines.append("(a model this small cannot fill an A100: its MFU is low even when it never waits)")
    return "\n".join(lines)


def evaluate(config: Config, folder: Path, lib: Any) -> dict[str, float]:
    """The measured numbers."""
    found = json.loads((folder / "step-time.json").read_text())
    return {name: float(np.round(value, 6)) for name, value in found.items()}
