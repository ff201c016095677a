"""An experiment for tests: a loss that falls by a known law, checkpoints, a text to sample. It goes on where it stopped."""

import json
import os
import sys
import time
from dataclasses import dataclass, field

RESUMES = True


@dataclass(frozen=True)
class Optim:
    rate: float = 0.1
    kind: str = "plain"


@dataclass(frozen=True)
class Config:
    seed: int = 0
    steps: int = 30
    width: int = 4
    optim: Optim = field(default_factory=Optim)

    @property
    def doubled(self):
        return 2 * self.width


def loss_at(config, step):
    return abs(config.optim.rate - 0.3) + 1 / (config.width + step) + 0.01 * (config.seed % 3)


def run(config, record, lib):
    """Saves after every tenth step. HANG_AT makes it wait there for its standard input, FAIL_AT raise, STOP_AT be interrupted.
    PACE is how many seconds a step takes.
    """
    pace = float(os.environ.get("PACE", 0))
    hang, fail, stop = (int(os.environ.get(name, -1)) for name in ("HANG_AT", "FAIL_AT", "STOP_AT"))
    saved = sorted((record.folder / "checkpoints").glob("*.json")) if record.resumed else []
    first = json.loads(saved[-1].read_text())["step"] if saved else 0
    (record.folder / "checkpoints").mkdir(exist_ok=True)
    for step in range(first, config.steps):
        if step == fail:
            raise RuntimeError("no more memory")
        if step == stop:
            raise KeyboardInterrupt
        time.sleep(pace)
        record.log(step, loss=loss_at(config, step), attempt=record.attempt)
        if step == hang:
            record.write()
            print("waiting", flush=True)
            sys.stdin.read()
        if (step + 1) % 10 == 0 and os.environ.get("RANK", "0") == "0":
            path = record.folder / "checkpoints" / f"{step + 1:06}.json"
            path.write_text(json.dumps({"step": step + 1}))
            record.keep(path)
    (record.folder / "done.json").write_text(json.dumps({"loss": loss_at(config, config.steps)}))
    record.keep(record.folder / "done.json")


def evaluate(config, folder, lib):
    return {"val_loss": json.loads((folder / "done.json").read_text())["loss"], "tokens_per_s": 1000.0 + config.seed}


def sample(config, folder, lib, prompt, tokens=3, temperature=1.0):
    (folder / "done.json").read_text()
    for i in range(tokens):
        yield f" {i * config.width}"
