"""`kill -9` of a training run at random moments, in its saves too: resumed, it ends with the same weights and the same curve.

Run as a program, this file is the parent that the killed ones are forked from: it has imported torch and never computed with it, so
that a run costs a fork, not an import. The delays before a kill are random on purpose.
"""

import contextlib
import json
import os
import random
import select
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

# 8 kills; with GROUNDUP_KILLS=4, as `make peers` sets it, 100
KILLS = 25 * int(os.environ["GROUNDUP_KILLS"]) if "GROUNDUP_KILLS" in os.environ else 8
PATIENCE = 60.0  # seconds


class Parent:
    """The program below: `start` forks a run, `wait` hears how it ended."""

    def __init__(self):
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        self.process.stdout.readline()  # it has imported

    def start(self, folder):
        """-> the process id of a run that saves in folder."""
        self.process.stdin.write(f"{folder}\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def ended(self, within):
        """Whether the run has ended, after at most so many seconds."""
        return bool(select.select([self.process.stdout], [], [], max(within, 0.0))[0])

    def wait(self):
        """-> the exit status of the run: 0, or minus the signal."""
        assert self.ended(PATIENCE)
        return int(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait(PATIENCE)
        self.process.stdout.close()


@pytest.fixture
def place():
    """A folder in memory where there is one: a kill takes nothing from the page cache, so no disk has to be waited for."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as folder:
        yield Path(folder)


@pytest.fixture
def parent():
    found = Parent()
    yield found
    found.close()


def outcome(folder):
    """The hashes of the last weights and moments, and the curve: {(step, name): value}. A value that came twice came out the same."""
    (last,) = sorted(folder.glob("step-*"))[-1:]
    files = json.loads((last / "manifest.json").read_text())["files"]
    curve = {}
    for line in (folder / "curve.jsonl").read_text().splitlines():
        step, name, value = json.loads(line)
        assert curve.setdefault((step, name), value) == value, (step, name)
    return last.name, files["model.safetensors"], files["state.safetensors"], curve


def test_a_killed_run_ends_as_an_unbroken_one(parent, place):
    rng = random.Random(0)
    begun = time.monotonic()
    parent.start(place / "whole")
    assert parent.wait() == 0
    life, expected = time.monotonic() - begun, outcome(place / "whole")
    assert len(expected[3]) == 24 + 4

    kills, in_saves, runs = 0, 0, 0
    while kills < KILLS:
        folder = place / f"run{runs}"
        runs += 1
        status, here = -1, 0
        while status != 0:
            pid, aimed = parent.start(folder), rng.random() < 0.5
            if aimed:  # at a save: it begins with a folder of this name
                wanted = rng.randrange(1, 5)
                until = time.monotonic() + 2 * life
                while wanted and not parent.ended(0.0005) and time.monotonic() < until:
                    wanted -= bool(list(folder.glob(".part-*")))
                parent.ended(rng.uniform(0.0, 0.01))
            else:
                parent.ended(rng.uniform(0.0, life))
            saving = any(folder.glob(".part-*"))
            if kills < KILLS and here < 4:  # then this run may end, and be looked at
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            status = parent.wait()
            assert status in (0, -signal.SIGKILL)
            kills, here = kills + (status != 0), here + (status != 0)
            in_saves += status != 0 and saving
        assert outcome(folder) == expected
        assert not list(folder.glob(".part-*"))
    print(f"{kills} kills, {in_saves} of them in saves, {runs} runs")


def main():
    import numpy as np
    import torch

    from groundup.nets.gpt import GPT, GPTConfig
    from groundup.train.data import Batches
    from groundup.train.loop import TrainConfig, train

    def run(folder):
        ids = np.random.default_rng(0).integers(0, 13, 300)
        torch.manual_seed(1)
        model = GPT(GPTConfig.modern(vocab_size=13, context=6, layers=1, heads=2, width=8, dropout=0.2))
        config = TrainConfig(
            batch=2,
            accumulate=2,
            context=6,
            steps=24,
            dtype="float32",
            ema=0.9,
            log_every=1,
            save_every=3,
            evaluate_every=7,
        )
        folder.mkdir(exist_ok=True)
        with open(folder / "curve.jsonl", "a") as file:

            def log(step, **numbers):
                for name in ("loss", "val_loss"):
                    if name in numbers:
                        os.write(file.fileno(), (json.dumps([step, name, numbers[name]]) + "\n").encode())

            batches = Batches(ids, 6, 2, accumulate=2)
            train(model, batches, config, folder=folder, validation=ids[:40], log=log, progress=False)

    print("ready", flush=True)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            run(Path(line.strip()))
            os._exit(0)
        print(pid, flush=True)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
