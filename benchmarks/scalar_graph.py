"""Graphs of many small operations, in both engines: any depth, linear time, every value visited once.

    python benchmarks/scalar_graph.py

A chain of 100,000 and of 200,000 operations, built and differentiated: the ratio of their times is 2 where time is
linear. Fifty doublings: 51 values, and 2^50 paths. And a thousand additions beside PyTorch's.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before NumPy and PyTorch start their threads

import gc

import torch
from timing import HEADER, interleave, row

from groundup.grad.tensor import Tensor
from groundup.grad.value import Value

N = 100_000


def differentiate(leaf, number, operations):
    """A chain of additions and products, built and taken backward: d(result)/d(number)."""

    def run():
        a = leaf(number)
        y = a
        for _ in range(operations // 2):
            y = (y + a) * a
        y.backward()
        return a.grad

    return run


def doubled(leaf, times):
    def run():
        a = y = leaf(1.0)
        for _ in range(times):
            y = y + y
        y.backward()
        return a.grad

    return run


ENGINES = {
    "Value": Value,
    "Tensor": lambda x: Tensor(x, requires_grad=True),
    "torch": lambda x: torch.tensor(x, dtype=torch.float64, requires_grad=True),
}


def main():
    torch.set_num_threads(1)
    gc.disable()  # the graphs hold no cycles; a collector at work would time something else
    print(HEADER)
    for name in ("Value", "Tensor"):
        short, long = (differentiate(ENGINES[name], 0.5, n) for n in (N, 2 * N))
        assert abs(float(short()) - 3.0) < 1e-9  # y = a^2 + a^3 + ..., = a^2 / (1 - a): its slope at 1/2 is 3
        times = interleave({"short": short, "long": long}, turns=5)
        print(row(f"{name}: {2 * N:,} operations beside {N:,}", times, "long", "short"))
    for name in ("Value", "Tensor"):
        run, half = doubled(ENGINES[name], 50), doubled(ENGINES[name], 25)
        assert run() == 2.0**50
        times = interleave({"fifty": run, "half": half})
        print(row(f"{name}: 50 doublings beside 25", times, "fifty", "half"))
    times = interleave({name: differentiate(leaf, 0.5, 1000) for name, leaf in ENGINES.items()})
    for name in ("Value", "Tensor"):
        print(row(f"{name}: 1,000 operations beside PyTorch", times, name, "torch"))


if __name__ == "__main__":
    main()
