"""Whole training steps on groundup's engine beside PyTorch eager: float32, one thread each, on the processor.

    python benchmarks/grad.py            all tasks, and how much memory a step takes
    python benchmarks/grad.py lstm conv  those whose name holds one of the words

A step is forward, loss, backward, and SGD in place. Both have the same weights, and that both give the same first losses is
checked before anything is timed. Times take turns (timing.py). Memory is what the resident set grew by over three steps, at
its peak, each side in a process of its own.
"""

import itertools
import json
import os
import subprocess
import sys

os.environ["OMP_NUM_THREADS"] = "1"  # before NumPy and PyTorch start their threads

import numpy as np
from timing import HEADER, interleave, row

RATE = 1e-3
TASKS = {}  # name -> a function of no arguments: the goal, the parameters and the batch, and how each side gets its loss


def task(name, goal):
    """Marks a function that makes (parameters, batch, loss of ours, loss of theirs); goal: the ratio not to be above."""

    def keep(make):
        TASKS[name] = (goal, make)
        return make

    return keep


def normal(rng, *shape, scale=1.0):
    return (scale * rng.standard_normal(shape)).astype(np.float32)


def layers_of(rng, widths):
    """W (n, m) and b (m,) of affine layers, float32."""
    pairs = itertools.pairwise(widths)
    return [p for n, m in pairs for p in (normal(rng, n, m, scale=np.sqrt(2 / n)), normal(rng, m, scale=0.1))]


def mlp(widths, batch):
    def make():
        rng = np.random.default_rng(0)
        x, labels = normal(rng, batch, widths[0]), rng.integers(0, widths[-1], batch)

        def ours(lib, x, labels, *parameters):
            *hidden, (W, b) = zip(parameters[::2], parameters[1::2])
            for V, c in hidden:
                x = lib.affine(x, V, c).relu()
            return lib.cross_entropy(lib.affine(x, W, b), labels)

        def theirs(F, x, labels, *parameters):
            *hidden, (W, b) = zip(parameters[::2], parameters[1::2])
            for V, c in hidden:
                x = F.relu(x @ V + c)
            return F.cross_entropy(x @ W + b, labels)

        return layers_of(rng, widths), (x, labels), ours, theirs

    return make


task("MLP 784-128-128-10, batch of 64", 1.0)(mlp((784, 128, 128, 10), 64))
task("MLP 784-512-512-10, batch of 64", 1.0)(mlp((784, 512, 512, 10), 64))
task("MLP 784-512-512-10, batch of 256", 1.0)(mlp((784, 512, 512, 10), 256))


@task("LeNet on 28 x 28, batch of 64", 1.5)
def _():
    rng = np.random.default_rng(0)
    x, labels = normal(rng, 64, 1, 28, 28), rng.integers(0, 10, 64)
    kernels = [normal(rng, 6, 1, 5, 5, scale=0.3), normal(rng, 6), normal(rng, 16, 6, 5, 5, scale=0.1), normal(rng, 16)]

    def ours(lib, x, labels, K, c, L, d, *dense):
        x = lib.max_pool2d(lib.conv2d(x, K, c, padding=2).relu(), 2)
        x = lib.max_pool2d(lib.conv2d(x, L, d).relu(), 2).reshape(64, 400)
        for W, b in zip(dense[:-2:2], dense[1:-2:2]):
            x = lib.affine(x, W, b).relu()
        return lib.cross_entropy(lib.affine(x, *dense[-2:]), labels)

    def theirs(F, x, labels, K, c, L, d, *dense):
        x = F.max_pool2d(F.relu(F.conv2d(x, K, c, padding=2)), 2)
        x = F.max_pool2d(F.relu(F.conv2d(x, L, d)), 2).reshape(64, 400)
        for W, b in zip(dense[:-2:2], dense[1:-2:2]):
            x = F.relu(x @ W + b)
        return F.cross_entropy(x @ dense[-2] + dense[-1], labels)

    return [*kernels, *layers_of(rng, (400, 120, 84, 10))], (x, labels), ours, theirs


@task("Conv 3 x 3, 32 to 64 on 16 x 16, batch of 32", 2.0)
def _():
    rng = np.random.default_rng(0)
    x, target = normal(rng, 32, 32, 16, 16), normal(rng, 32, 64, 16, 16)

    def ours(lib, x, target, W, b):
        return ((lib.conv2d(x, W, b, padding=1) - target) ** 2).mean()

    def theirs(F, x, target, W, b):
        return F.mse_loss(F.conv2d(x, W, b, padding=1), target)

    return [normal(rng, 64, 32, 3, 3, scale=0.1), normal(rng, 64)], (x, target), ours, theirs


@task("LSTM 128 over 64 steps, batch of 32", 1.5)
def _():
    rng = np.random.default_rng(0)
    x, target = normal(rng, 32, 64, 128), normal(rng, 32, 64, 128)
    zeros = np.zeros((32, 128), np.float32)

    def ours(lib, x, target, Wx, Wh, b):
        return ((lib.lstm(x, zeros, zeros, Wx, Wh, b) - target) ** 2).mean()

    def theirs(F, x, target, Wx, Wh, b):
        import torch

        none = torch.zeros(1, 32, 128)
        weights = [Wx.T, Wh.T, b, torch.zeros_like(b)]
        h, _, _ = torch._VF.lstm(x, (none, none), weights, True, 1, 0.0, True, False, True)
        return F.mse_loss(h, target)

    return (
        [normal(rng, 128, 512, scale=0.1), normal(rng, 128, 512, scale=0.1), normal(rng, 512)],
        (x, target),
        ours,
        theirs,
    )


@task("Attention 8 x 4 x 128 x 32", 1.3)
def _():
    rng = np.random.default_rng(0)
    target = normal(rng, 8, 4, 128, 32)

    def ours(lib, target, q, k, v):
        return ((lib.attention(q, k, v) - target) ** 2).mean()

    def theirs(F, target, q, k, v):
        return F.mse_loss(F.scaled_dot_product_attention(q, k, v), target)

    return [normal(rng, 8, 4, 128, 32) for _ in range(3)], (target,), ours, theirs


def our_step(name):
    """One step on groundup's engine, as a function that returns the loss."""
    from groundup.grad import fused
    from groundup.grad.optim import SGD
    from groundup.grad.tensor import Tensor

    parameters, batch, loss_of, _ = TASKS[name][1]()
    parameters = [Tensor(p.copy(), requires_grad=True) for p in parameters]
    batch = [Tensor(a) if a.dtype == np.float32 else a for a in batch]
    optimiser = SGD([p.data for p in parameters], lr=RATE)

    def step():
        loss = loss_of(fused, *batch, *parameters)
        loss.backward()
        optimiser.step([p.grad for p in parameters])
        for p in parameters:
            p.zero_grad()
        return loss.item()

    return step


def their_step(name):
    """One step of PyTorch's, as a function that returns the loss."""
    import torch

    torch.set_num_threads(1)
    parameters, batch, _, loss_of = TASKS[name][1]()
    parameters = [torch.tensor(p, requires_grad=True) for p in parameters]
    batch = [torch.tensor(a) for a in batch]
    optimiser = torch.optim.SGD(parameters, lr=RATE)

    def step():
        loss = loss_of(torch.nn.functional, *batch, *parameters)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        return loss.item()

    return step


SIDES = {"ours": our_step, "theirs": their_step}


def resident(line):
    """A line of /proc/self/status in KiB, or None where there is none."""
    try:
        with open("/proc/self/status") as status:
            return next(int(each.split()[1]) for each in status if each.startswith(line))
    except OSError:
        return None


def peak(name, which):
    """Megabytes that three steps add to the resident set at its peak, in a process of its own; None where it cannot be read."""
    done = subprocess.run([sys.executable, __file__, "--peak", name, which], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def print_peak(name, which):
    step = SIDES[which](name)
    before = resident("VmRSS")
    for _ in range(3):
        step()
    print(json.dumps(None if before is None else (resident("VmHWM") - before) / 1024))


def main(words):
    names = [name for name in TASKS if not words or any(word.lower() in name.lower() for word in words)]
    print(f"{HEADER} {'goal':>6} {'MB':>8} {'torch':>7}")
    for name in names:
        ours, theirs = our_step(name), their_step(name)
        np.testing.assert_allclose([ours() for _ in range(5)], [theirs() for _ in range(5)], rtol=1e-4)
        times = interleave({"groundup": ours, "torch": theirs})
        memory = [peak(name, which) for which in SIDES]
        kept = "" if None in memory else f" {memory[0]:8.1f} {memory[1]:7.1f}"
        print(f"{row(name, times, 'groundup', 'torch')} {TASKS[name][0]:6.1f}{kept}", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--peak"]:
        print_peak(*sys.argv[2:])
    else:
        main(sys.argv[1:])
