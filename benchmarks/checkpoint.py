"""Saving GPT-2's 124M parameters: the weights alone, and with all that a run needs to go on. Goal: the weights in under a second.

    python benchmarks/checkpoint.py [FOLDER]     a folder on the disk that is meant; default: a temporary one

What is timed includes hashing, syncing to the disk and the rename. Beside it: a plain write and sync of as many bytes, which is what
the disk allows, and `torch.save`, which neither syncs nor hashes.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

import torch

from groundup.nets.gpt import GPT, GPTConfig
from groundup.train import checkpoint
from groundup.train.loop import TrainConfig
from groundup.train.optim import make

TURNS = 3


def best(action):
    """The shortest of a few turns, in seconds."""
    seconds = []
    for turn in range(TURNS):
        begun = time.perf_counter()
        action(turn)
        seconds.append(time.perf_counter() - begun)
    return min(seconds)


def plain(path, tensors):
    with open(path, "wb") as file:
        for tensor in tensors:
            file.write(memoryview(tensor.detach().reshape(-1).view(torch.uint8).numpy()))
        file.flush()
        os.fsync(file.fileno())


def main():
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as folder:
        folder = Path(folder)
        model = GPT(GPTConfig.gpt2())
        optimizers = make(model, TrainConfig(steps=1, optimizer="adamw"))
        for p in model.parameters():
            p.grad = torch.zeros_like(p)
        optimizers.step()
        weights, moments = model.state_dict(), optimizers.state_dict()
        slots = [value for state in moments["0"]["state"].values() for value in state.values()]
        millions = sum(p.numel() for p in model.parameters()) / 1e6
        print(f"{millions:.0f} M parameters, {TURNS} turns each, the best one")
        for what, state, tensors in (
            ("weights", {}, list(model.parameters())),
            ("weights and AdamW's moments", moments, [*model.parameters(), *slots]),
        ):
            size = sum(tensor.numel() * tensor.element_size() for tensor in tensors) / 1e9
            ours = best(
                lambda turn, state=state: checkpoint.save(
                    folder / "ours", TURNS * len(state) + turn, weights, state, keep=1
                )
            )
            raw = best(lambda turn, tensors=tensors: plain(folder / "plain", tensors))
            theirs = best(lambda turn, state=state: torch.save([weights, state], folder / "torch.pt"))
            print(f"{what:28} {size:.2f} GB   saved {ours:.2f} s   plain write {raw:.2f} s   torch.save {theirs:.2f} s")
        begun = time.perf_counter()
        checkpoint.load(checkpoint.latest(folder / "ours"))
        print(f"checked and loaded in {time.perf_counter() - begun:.2f} s")


if __name__ == "__main__":
    main()
