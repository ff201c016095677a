"""The loader beside a step, and an epoch of a gigabyte. Goals: below 2 % of a step of 4 layers x 256; memory that does not grow.

    python benchmarks/loader.py [GIGABYTES]     1 unless given; the shards lie in a temporary folder and are deleted

Times are the processor's, of one thread, so a busy machine does not blur their ratio. Resident memory is Linux's own count; RssAnon is
what the process holds, RssFile what of the mapped files lies in memory just now.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from groundup.nets.gpt import GPT, GPTConfig
from groundup.train.data import Batches
from groundup.train.shards import ShardSet, write

SHARDS = 8
FINGERPRINT = "0" * 64


def cpu_ms(action, turns):
    """The median of so many calls, in milliseconds of the processor."""
    times = []
    for turn in range(turns):
        begun = time.process_time()
        action(turn)
        times.append(1e3 * (time.process_time() - begun))
    return statistics.median(times)


def resident():
    """Name -> MiB, of Rss*, from /proc/self/status."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return {}
    return {
        line.split(":")[0]: int(line.split()[1]) / 1024
        for line in lines
        if line.startswith(("VmRSS", "RssAnon", "RssFile"))
    }


def make(folder, tokens):
    """A set of shards of random tokens."""
    rng = np.random.default_rng(0)
    for part in range(SHARDS):
        ids = rng.integers(0, 50_257, tokens // SHARDS, dtype=np.uint16)
        write(folder / f"train-{part:05}.shard", ids, 50_257, FINGERPRINT, part=part, parts=SHARDS)
    return ShardSet(folder, tokenizer=FINGERPRINT)


def beside_a_step(shards, batch=16, context=256):
    """Milliseconds of a batch and of a step, and their ratio."""
    torch.manual_seed(0)
    model = GPT(GPTConfig.modern(vocab_size=1024, context=context, layers=4, width=256, heads=4))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4)
    x = torch.randint(1024, (batch, context))

    def step(_):
        model(x, x).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    step(0)
    whole = cpu_ms(step, 5)
    ids = np.random.default_rng(0).integers(0, 65, 1_000_000)
    for name, source in (("shards", shards), ("array", ids)):
        batches = Batches(source, context, batch)
        loading = cpu_ms(batches.at, 300)
        print(
            f"{name:6}  {loading:6.3f} ms a batch of {batch} x {context}, {whole:6.0f} ms a step: {loading / whole:.3%}"
        )


def an_epoch(shards, batch=64, context=1024):
    """Every window once; the memory at each tenth of the way."""
    batches = Batches(shards, context, batch)
    steps = batches.count // batch
    before, most, begun, total = resident(), {}, time.perf_counter(), 0
    for step in range(steps):
        total += int(batches.at(step)[0][0, 0, 0])
        if step % max(1, steps // 50) == 0:
            most = {name: max(value, most.get(name, 0.0)) for name, value in resident().items()}
    seconds = time.perf_counter() - begun
    rate = steps * batches.step_tokens / seconds / 1e6
    print(f"an epoch of {len(shards):,} tokens: {seconds:.0f} s, {rate:.0f} M tokens/s")
    for name, value in before.items():
        print(f"{name:8} {value:6.0f} MiB before, {most[name]:6.0f} at most: grew by {most[name] - value:.0f}")


def main():
    gigabytes = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        shards = make(Path(folder), int(gigabytes * 5e8))
        size = sum(path.stat().st_size for path in Path(folder).iterdir())
        print(f"{size / 1e9:.2f} GB in {SHARDS} shards, written in {time.perf_counter() - begun:.1f} s")
        begun = time.perf_counter()
        shards.verify()
        print(f"verified in {time.perf_counter() - begun:.1f} s")
        beside_a_step(shards)
        an_epoch(shards)


if __name__ == "__main__":
    main()
