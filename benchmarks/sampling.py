"""Tokens per second: with a cache beside without, speculative beside plain, filters beside a bare draw. float32, one thread.

    python benchmarks/sampling.py         nine turns
    python benchmarks/sampling.py 3       as many as are asked for

A model of GPT-2's shape, smaller, writes a text of a given length after a prompt of 16. Both sides of a row write the same text
or, where they draw, texts of the same distribution; times take turns (timing.py), and the ratio is the second time over the
first. An untrained draft would know nothing of its target, so both are given a table of logits by the last token to answer with, the
draft a noisy copy, after they have done all the work of their size. The row says which share of the proposals was kept.
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


class Timed(torch.nn.Module):
    """Takes the time that a model takes, and answers from a table: logits (V, V) by the last token."""

    def __init__(self, model, table):
        super().__init__()
        self.model, self.config, self.table = model, model.config, table

    def forward(self, ids, targets=None, cache=None):
        self.model(ids, cache=cache)
        return self.table[ids]


def line(label, times, tokens):
    first, second = times
    rates = [tokens / statistics.median(times[name]) for name in (first, second)]
    ratio = [b / a for a, b in zip(times[first], times[second])]
    spread = f"{min(ratio):8.2f} {statistics.median(ratio):7.2f} {max(ratio):7.2f}"
    print(f"{label:52} {rates[0]:9.0f} {rates[1]:9.0f}   {spread}", flush=True)


def cached(turns):
    model, prompt = model_of(4, 128), torch.zeros(1, PROMPT, dtype=torch.int64)
    for rows, count in ((1, 32), (1, 112), (1, 240), (8, 48)):
        ids = prompt.expand(rows, PROMPT)

        def run(cache, ids=ids, count=count):
            return generate(model, ids, count, temperature=0.0, cache=cache)

        assert torch.equal(run(True), run(False))
        times = interleave({"with": lambda: run(True), "without": lambda: run(False)}, turns=turns)
        line(f"cached, without: {count} tokens, batch of {rows}", times, rows * count)


def pieces(turns):
    """How much longer a pass over several positions takes than one over one: what speculation lives on."""
    model = model_of(4, 256)
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
    large, small, count = model_of(4, 256), model_of(1, 64), 48
    table, blur = torch.randn(2, 512, 512, generator=torch.Generator().manual_seed(1))
    target, ids = Timed(large, 2 * table), torch.zeros(1, PROMPT, dtype=torch.int64)
    generator = torch.Generator().manual_seed(2)

    def drafted(draft):
        return speculate(draft, target, ids, count, k=4, generator=generator)

    for noise in (0.0, 0.3, 1.0, 3.0):
        draft = Timed(small, 2 * table + noise * blur)
        out = drafted(draft)
        times = interleave(
            {
                "draft": lambda draft=draft: drafted(draft),
                "plain": lambda: generate(target, ids, count, generator=generator),
            },
            turns=turns,
        )
        label = f"{out.accepted / out.proposed:.0%} kept, {count / out.calls:.1f} a pass"
        line(f"speculative k = 4, plain: {label}", times, count)


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
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 9)
