"""The one-minute and the ten-minute model of Shakespeare, by the clock on the wall: whole commands, evaluation included.

    python benchmarks/shakespeare.py         shakespeare-char with five seeds
    python benchmarks/shakespeare.py long    shakespeare-char-long once

Each run is a fresh process with an empty cache of compiled kernels, and its record goes to a temporary folder. The loss is the mean
over the whole last tenth of the text.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time


def run(recipe, seed):
    """(seconds of the whole command, its JSON)."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"TORCHINDUCTOR_CACHE_DIR": f"{folder}/compiled", "XDG_DATA_HOME": folder}
        environment.pop("OMP_NUM_THREADS", None)
        command = [sys.executable, "-m", "groundup", "run", recipe, "--seed", str(seed), "--json"]
        begun = time.perf_counter()
        done = subprocess.run(command, env=environment, cwd=folder, stdout=subprocess.PIPE, text=True)
        seconds = time.perf_counter() - begun
        if done.returncode == 2:
            sys.exit(f"groundup run {recipe} could not run")
        return seconds, json.loads(done.stdout.splitlines()[-1])


def main(recipe, seeds):
    losses, walls = [], []
    for seed in range(seeds):
        seconds, found = run(recipe, seed)
        metrics = found["metrics"]
        losses.append(metrics["val_loss"])
        walls.append(seconds)
        print(
            f"{recipe} seed {seed}: loss {losses[-1]:.4f} in {seconds:.1f} s; {metrics['tokens']:,.0f} tokens,"
            f" {metrics['tokens_per_s']:,.0f} a second, MFU {metrics['mfu']:.1%}; n-gram {metrics['ngram_loss']:.4f}",
            flush=True,
        )
    if seeds > 1:
        mean, deviation = statistics.mean(losses), statistics.stdev(losses)
        print(
            f"mean {mean:.4f}, sd {deviation:.4f}, mean + 2 sd {mean + 2 * deviation:.4f}; at most {max(walls):.1f} s"
        )


if __name__ == "__main__":
    main(*(("shakespeare-char-long", 1) if sys.argv[1:] == ["long"] else ("shakespeare-char", 5)))
