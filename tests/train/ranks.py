"""The program that test_parallel.py starts in several processes; no test itself.

    ranks.py equal FOLDER       forks two processes, then one, then four, and leaves what they computed in FOLDER
    ranks.py train FOLDER       one process of a run that saves, and fails at first; torchrun starts it

It forks before anything has been computed, and torch is imported once for all.
"""

import copy
import importlib
import os
import sys
import traceback
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

from groundup.train import loop, parallel, resharding
from groundup.train.data import Batches

STEPS, HALF, MICRO, BATCH = 6, 3, 2, 8


class Net(nn.Module):
    """Residual layers, a head, and a matrix whose rows no number of processes divides."""

    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList([nn.Linear(7, 7) for _ in range(2)])
        self.head = nn.Linear(7, 5)
        self.double()

    def forward(self, x, y):
        for block in self.blocks:
            x = x + torch.tanh(block(x))
        return nn.functional.cross_entropy(self.head(x), y)


def batch(step):
    """(MICRO, BATCH, 7) and (MICRO, BATCH): a function of the step alone."""
    generator = torch.Generator().manual_seed(step)
    x = torch.randn(MICRO, BATCH, 7, generator=generator, dtype=torch.float64)
    return x, torch.randint(5, (MICRO, BATCH), generator=generator)


def build(ranks):
    torch.manual_seed(ranks.rank)  # the weights of rank 0 have to become everyone's
    model = ranks.wrap(Net())
    return model, torch.optim.AdamW(ranks.bare(model).parameters(), lr=0.03)


def train(ranks, model, optimizer, begin, end, each=lambda step: None):
    """-> the loss of every step, over all processes."""
    losses, share = [], BATCH // ranks.world
    mine = slice(ranks.rank * share, (ranks.rank + 1) * share)
    for step in range(begin, end):
        each(step)
        loss = 0.0
        for k, (x, y) in enumerate(zip(*batch(step))):
            with ranks.micro(model, last=k == MICRO - 1):
                part = model(x[mine], y[mine]) / MICRO
                part.backward()
            loss += part.item()
        nn.utils.clip_grad_norm_(ranks.bare(model).parameters(), 0.5)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(ranks.mean(loss))
    return torch.tensor(losses, dtype=torch.float64)


def outcome(ranks, model, optimizer, losses):
    """Everything that two runs can be compared by."""
    weights = ranks.full(ranks.bare(model).state_dict())
    states = ranks.full(optimizer.state_dict())["state"]
    moments = {f"{i}.{name}": value.double() for i, of in states.items() for name, value in of.items()}
    return {k: v.clone() for k, v in {**weights, **moments, "losses": losses}.items()}


def whole(kind, folder):
    """All steps; sharded checkpoints at half."""
    with parallel.start(kind, timeout=120) as ranks:
        model, optimizer = build(ranks)
        before = train(ranks, model, optimizer, 0, HALF)
        resharding.save_shards(folder / f"{kind}.half", model, optimizer, {"step": HALF})
        after = train(ranks, model, optimizer, HALF, STEPS)
        found = outcome(ranks, model, optimizer, torch.cat([before, after]))
        found["total"] = torch.tensor([ranks.total(ranks.rank + 1), ranks.mean(ranks.rank), ranks.any(ranks.rank == 1)])
        weights = copy.deepcopy(ranks.full(ranks.bare(model).state_dict()))
        states = copy.deepcopy(ranks.full(optimizer.state_dict()))
        train(ranks, model, optimizer, 0, 1)  # away, and back
        ranks.load_model(model, weights)
        ranks.load_optimizer(optimizer, states)
        back = outcome(ranks, model, optimizer, found["losses"])
        found["back"] = torch.tensor([torch.equal(back[name], found[name]) for name in back])
        if ranks.is_main:
            save_file(found, folder / f"{kind}.safetensors")


def resumed(kind, source, folder):
    """The second half, from a checkpoint that other processes wrote."""
    with parallel.start(kind, timeout=120) as ranks:
        model, optimizer = build(ranks)
        step = resharding.load_shards(folder / f"{source}.half", model, optimizer)["step"]
        losses = train(ranks, model, optimizer, step, STEPS)
        found = outcome(ranks, model, optimizer, losses)
        if ranks.is_main:
            save_file(found, folder / f"{source}-{kind}-{ranks.world}.safetensors")


def unsynchronised(folder):
    """The gradients of each process after a micro-batch that is not the last."""
    with parallel.start("copies", timeout=120) as ranks:
        model, _ = build(ranks)
        x, y = batch(0)
        with ranks.micro(model, last=False):
            model(x[0][ranks.rank :: ranks.world], y[0][ranks.rank :: ranks.world]).backward()
        gradients = {name: p.grad for name, p in ranks.bare(model).named_parameters()}
        save_file(gradients, folder / f"local-{ranks.rank}.safetensors")


def fork(count, port, job, *arguments):
    """`count` processes that run job(*arguments), each with its rank. Raises if one of them fails."""
    children = []
    for rank in range(count):
        child = os.fork()
        if child == 0:
            where = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
            os.environ.update(where, RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(count))
            try:
                job(*arguments)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        children.append(child)
    if any([os.waitpid(child, 0)[1] for child in children]):
        raise SystemExit(f"{job.__name__} failed")


class Failing(Batches):
    """Batches that rank 1 cannot read any more at some step."""

    fails = None

    def at(self, step):
        if step == self.fails and self.rank == 1:
            raise OSError("rank 1 has lost its disk")
        return super().at(step)


class Words(nn.Module):
    """The smallest language model: the next token from this one, through dropout."""

    def __init__(self):
        super().__init__()
        self.table, self.drop, self.out = nn.Embedding(11, 6), nn.Dropout(0.2), nn.Linear(6, 11)

    def forward(self, x, y):
        return nn.functional.cross_entropy(self.out(self.drop(self.table(x))).flatten(0, 1), y.flatten())


def looped(folder, fails=None):
    """The loop itself on two processes, with a checkpoint every second step."""
    config = loop.TrainConfig(
        batch=3, accumulate=2, context=5, steps=9, optimizer="adamw", dtype="float32", save_every=2, log_every=1
    )
    with parallel.start("copies", timeout=120) as ranks:
        torch.manual_seed(ranks.rank)
        batches = Failing(
            np.arange(500) % 11, config.context, config.batch, rank=ranks.rank, world=ranks.world, accumulate=2
        )
        batches.fails = fails
        began = []
        done = loop.train(
            ranks.wrap(Words()), batches, config, folder=folder / "run", progress=False, parallel=ranks,
            log=lambda step, **numbers: began.append(step),
        )  # fmt: skip
        if ranks.is_main:
            (folder / "done.txt").write_text(f"{began[0]} {done.step} {done.loss!r}")


def bereft(folder):
    """Rank 1 ends without a word at its second step; what rank 0 says then."""
    try:
        with parallel.start("copies", timeout=120) as ranks:
            model, optimizer = build(ranks)
            train(ranks, model, optimizer, 0, 1)
            if ranks.rank == 1:
                os._exit(3)
            train(ranks, model, optimizer, 1, 2)
    except parallel.ParallelError as problem:
        (folder / "bereft.txt").write_text(str(problem))
        raise


if __name__ == "__main__":
    folder = Path(sys.argv[2])
    if sys.argv[1] == "equal":
        for heavy in ("torch._dynamo", "torch.distributed.checkpoint", "torch.distributed.fsdp"):
            importlib.import_module(heavy)  # once, here, and not in each of the processes
        port = int(sys.argv[3])
        fork(2, port, unsynchronised, folder)
        fork(2, port, whole, "copies", folder)
        fork(2, port, whole, "shards", folder)
        for source in ("copies", "shards"):
            fork(1, port, resumed, "alone", source, folder)
        fork(4, port, resumed, "shards", "shards", folder)
        fork(2, port, resumed, "copies", "shards", folder)
        fork(2, port, looped, folder)
        try:
            fork(2, port, bereft, folder)
        except SystemExit as end:
            (folder / "bereft.code").write_text(str(end))
    else:
        looped(folder, fails=5 if os.environ["TORCHELASTIC_RESTART_COUNT"] == "0" else None)
