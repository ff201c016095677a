"""Tokens per second: with a cache beside without, speculative beside plain, filters beside a bare draw. float32, one thread.

    python benchmarks/sampling.py

A model of GPT-2's shape, smaller, writes a text of a given length after a prompt of 16. Both sides of a row write the same text
or, where they draw, texts of the same distribution; times take turns (timing.py), and the ratio is the second time over the
first. The draft is as good as it is told to be: it knows the target's logits and adds noise to them, and costs what a model
of its size costs. For each noise the row says which share of its proposals was kept.
"""

import os
import statistics
import sys

os.environ["OMP_NUM_THREADS"] = "1"  # before PyTorch starts its threads

import torch
from timing import interleave

from groundup.nets.cache import KVCache
from groundup.nets.gpt import GPT, GPTConfig
from groundup.nets.sample import draw, generate, warp
from groundup.nets.speculative import speculate

PROMPT = 16


def model_of(layers, width, context=256, vocab_size=512, seed=0):
    torch.manual_seed(seed)
    config = GPTConfig(
        vocab_size=vocab_size, context=context, layers=layers, heads=max(1, width // 64), width=width, zero_init=False
    )
    model = GPT(config).eval()
    with torch.no_grad():
        model.head.weight.mul_(5.0)  # a model that prefers some tokens, as a trained one does
    return model


class Blurred(torch.nn.Module):
    """A small model that takes its time, and says what the large one would say, blurred: the target's head on states that it is
    handed, plus noise. What the target would say is looked up for each last token, computed beforehand.
    """

    def __init__(self, small, table, noise):
        super().__init__()
        self.small, self.config = small, small.config
        generator = torch.Generator().manual_seed(0)
        self.table = table + noise * torch.randn(table.shape, generator=generator)

    def forward(self, ids, targets=None, cache=None):
        self.small(ids, cache=cache)  # its time
        return self.table[ids]


class Memoryless(torch.nn.Module):
    """A large model that takes its time, and says what depends on the last token alone: a table."""

    def __init__(self, large, table):
        super().__init__()
        self.large, self.config, self.table = large, large.config, table

    def forward(self, ids, targets=None, cache=None):
        self.large(ids, cache=cache)
        return self.table[ids]


def line(label, times, tokens):
    first, second = times
    rates = [tokens / statistics.median(times[name]) for name in (first, second)]
    ratio = [b / a for a, b in zip(times[first], times[second])]
    spread = f"{min(ratio):8.2f} {statistics.median(ratio):7.2f} {max(ratio):7.2f}"
    print(f"{label:52} {rates[0]:9.0f} {rates[1]:9.0f}   {spread}", flush=True)


def cached(turns):
    model, prompt = model_of(6, 256), torch.zeros(1, PROMPT, dtype=torch.int64)
    for rows, count in ((1, 32), (1, 112), (1, 240), (8, 112)):
        ids = prompt.expand(rows, PROMPT)

        def run(cache, ids=ids, count=count):
            return generate(model, ids, count, temperature=0.0, cache=cache)

        assert torch.equal(run(True), run(False))
        times = interleave({"with": lambda: run(True), "without": lambda: run(False)}, turns=turns)
        line(f"cached, without: {count} tokens, batch of {rows}", times, rows * count)


def pieces(turns):
    """How much longer a pass over several positions takes than one over one: what speculation lives on."""
    model = model_of(6, 256)
    cache = KVCache.of(model, 1, 64)
    with torch.no_grad():
        model(torch.zeros(1, 32, dtype=torch.int64), cache=cache)

    def read(t):
        with torch.no_grad():
            model(torch.zeros(1, t, dtype=torch.int64), cache=cache)
        cache.crop(32)

    for t in (2, 5, 9):
        times = interleave({f"{t}": lambda t=t: read(t), "one": lambda: read(1)}, turns=turns)
        line(
            f"positions a second: {t} in a pass, one in a pass",
            {"several": [x / t for x in times[f"{t}"]], "one": times["one"]},
            1,
        )


def speculative(turns):
    large, small, count = model_of(6, 256), model_of(1, 64), 64
    table = 2.0 * torch.randn(512, 512, generator=torch.Generator().manual_seed(1))
    target, ids = Memoryless(large, table), torch.zeros(1, PROMPT, dtype=torch.int64)
    for noise in (0.0, 0.3, 1.0, 3.0):
        draft = Blurred(small, table, noise)
        generator = torch.Generator().manual_seed(2)
        out = speculate(draft, target, ids, count, k=4, generator=generator)
        share = out.accepted / out.proposed
        times = interleave(
            {
                "draft": lambda draft=draft: speculate(draft, target, ids, count, k=4, generator=generator),
                "plain": lambda: generate(target, ids, count, generator=generator),
            },
            turns=turns,
        )
        line(f"speculative k = 4, plain: {share:.0%} kept, {count / out.calls:.1f} a pass", times, count)


def filtered(turns):
    logits = torch.randn(1, 50_257, generator=torch.Generator().manual_seed(0))
    generator = torch.Generator().manual_seed(0)
    for settings in (
        dict(top_k=50),
        dict(top_p=0.9),
        dict(min_p=0.1),
        dict(temperature=0.8, top_k=200, top_p=0.9, min_p=0.05),
    ):
        times = interleave(
            {
                "filtered": lambda settings=settings: draw(warp(logits, **settings), generator),
                "bare": lambda: draw(logits, generator),
            },
            turns=turns,
        )
        said = ", ".join(f"{name}={value:g}" for name, value in settings.items())
        line(f"{said}; bare, V = 50,257", times, 1)


def main(turns):
    torch.set_num_threads(1)
    print(f"{'tokens a second (higher is better)':52} {'first':>9} {'second':>9}   {'ratio: min  median     max'}")
    for part in (cached, pieces, speculative, filtered):
        part(turns)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
