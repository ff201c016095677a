import math
import threading
import time
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from typing import Literal

from . import checkpoint
from .averaging import Average
from .data import Batches
from .evaluation import evaluate
from .optim import make
from .schedules import scheduled
from .seeds import capture, restore, seed_everything
from .step import Diverged, Precision, step


@dataclass(frozen=True)
class TrainConfig:
    batch: int = 16
    accumulate: int = 1
    context: int = 128
    steps: int = 0
    seconds: float = 0.0
    optimizer: Literal["adamw", "muon"] = "muon"
    lr: float = 3e-3
    muon_lr: float = 0.02
    muon_turns: int = 5
    momentum: float = 0.95
    betas: tuple[float, ...] = (0.8, 0.95)
    weight_decay: float = 0.0
    clip: float = 0.0
    schedule: Literal["constant", "cosine", "linear", "wsd"] = "wsd"
    warmup: float = 0.0
    decay: float = 0.6
    dtype: Literal["float32", "bfloat16", "float16", "auto"] = "auto"
    compile: bool = False
    ema: float = 0.0
    evaluate_every: int = 0
    evaluate_tokens: int = 0
    save_every: int = 0
    save_seconds: float = 0.0
    keep: int = 2
    patience: int = 0
    log_every: int = 10
    seed: int = 0


@dataclass(frozen=True)
class Finished:
    step: int
    loss: float
    val_loss: float
    tokens: int
    seconds: float
    tokens_per_s: float
    mfu: float
    stopped: str


@contextmanager
def interruptible():
    yield threading.Event()


class Run:
    """Everything of a run in one object: its numbers in one dictionary."""

    def __init__(self, model, config):
        seed_everything(config.seed)
        self.model, self.config = model, config
        self.optimizers, self.precision = make(model, config), Precision(config.dtype)
        self.average = Average(model, config.ema) if config.ema else None
        self.now = {"step": 0, "tokens": 0, "loss": math.nan, "best": math.inf, "worse": 0, "seconds": 0.0}

    def state(self):
        scaler = self.precision.scaler
        return {
            "now": dict(self.now), "optimizers": self.optimizers.state_dict(), "scaler": scaler and scaler.state_dict(),
            "average": self.average and self.average.state_dict(), "generators": capture(), "config": asdict(self.config),
        }  # fmt: skip

    def restore(self, weights, state):
        self.model.load_state_dict(weights)
        self.now = state["now"]
        self.optimizers.load_state_dict(state["optimizers"])
        if self.average:
            self.average.load_state_dict(state["average"])
        if self.precision.scaler:
            self.precision.scaler.load_state_dict(state["scaler"])
        restore(state["generators"])


def train(model, batches, config, *, folder=None, validation=None, log=None, resume="auto", clock_started=None,
          progress=True, parallel=None):  # fmt: skip
    begun = time.perf_counter() if clock_started is None else clock_started
    run, log = Run(model, config), log or (lambda step, **numbers: None)
    if folder is not None and checkpoint.steps(folder):
        if resume is None:
            raise ValueError("the folder is not empty")
        path = checkpoint.latest(folder)
        if path is not None:
            _, weights, state = checkpoint.load(path)
            if any(
                state["config"][k] != getattr(config, k)
                for k in ("seed", "optimizer", "batch", "accumulate", "context")
            ):
                raise ValueError("that was another run")
            run.restore(weights, state)
    if validation is not None and not hasattr(validation, "full"):
        validation = Batches(validation, config.context, config.batch)
    now, saved, val_loss, stopped, sooner = run.now, run.now["step"], math.nan, "", run.now["seconds"]

    def due(every):
        return every > 0 and now["step"] > 0 and now["step"] % every == 0

    while not stopped:
        gone = sooner + time.perf_counter() - begun
        stopped = "budget" if (now["step"] >= config.steps if config.steps else gone >= config.seconds) else ""
        measure = validation is not None and (due(config.evaluate_every) or stopped)
        if folder is not None and now["step"] > saved and (measure or stopped or due(config.save_every)):
            now["seconds"] = gone
            checkpoint.save(folder, now["step"], model.state_dict(), run.state(), keep=config.keep)
            saved = now["step"]
        if measure:
            with run.average.inside(model) if run.average else nullcontext():
                val_loss = evaluate(model, validation.full(), precision=run.precision)
            log(now["step"], val_loss=val_loss)
            if val_loss < now["best"]:
                now["best"], now["worse"] = val_loss, 0
                if folder is not None:
                    checkpoint.mark_best(folder, now["step"], val_loss)
            else:
                now["worse"] += 1
                if 0 < config.patience <= now["worse"]:
                    stopped = stopped or "patience"
        if stopped:
            break
        share = (now["step"] + 0.5) / config.steps if config.steps else gone / config.seconds
        share = scheduled(config.schedule, share, warmup=config.warmup, decay=config.decay)
        run.optimizers.rate(share)
        x, y = batches.at(now["step"])
        try:
            result = step(model, run.optimizers, x, y, clip=config.clip, precision=run.precision)
        except Diverged as problem:
            raise Diverged(f"in step {now['step'] + 1}, {problem}") from problem
        now.update(step=now["step"] + 1, tokens=now["tokens"] + x.numel(), loss=result.loss)
        if run.average:
            run.average.update(model)
        if due(config.log_every):
            log(now["step"], loss=result.loss, grad_norm=result.grad_norm, lr=config.lr * share)
    if run.average:
        run.average.copy_to(model)
    seconds = sooner + time.perf_counter() - begun
    return Finished(now["step"], now["loss"], val_loss, now["tokens"], seconds, now["tokens"] / seconds, 0.0, stopped)
