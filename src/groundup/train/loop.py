"""Training: the loop, all of it. What it does at each step stands here; how each thing is done stands in the files beside it.

A run has one state (`Run`): everything that the next step depends on, and nothing else. It can be saved at any step, and a run that
goes on from there is the run that was not broken off, bit for bit.
"""

import contextlib
import math
import signal
import statistics
import threading
import time
from dataclasses import asdict, dataclass
from typing import Literal

import torch
from tqdm import tqdm

from ..nets.counts import flops_per_token
from . import checkpoint
from .averaging import Average
from .data import Batches
from .evaluation import evaluate
from .meter import Meter, peak_flops
from .optim import make
from .parallel import Alone
from .schedules import scheduled
from .seeds import capture, derive, restore, seed_everything
from .step import Diverged, Precision, step


@dataclass(frozen=True)
class TrainConfig:  # given
    """How to train. Exactly one of steps and seconds is the budget."""

    batch: int = 16  # sequences in a micro-batch
    accumulate: int = 1  # micro-batches in a step
    context: int = 128  # tokens in a sequence
    steps: int = 0
    seconds: float = 0.0  # counted from clock_started; compiling and evaluating count
    optimizer: Literal["adamw", "muon"] = "muon"
    lr: float = 3e-3
    muon_lr: float = 0.02
    momentum: float = 0.95  # Muon's
    muon_turns: int = 5  # of its Newton-Schulz iteration; 3 are less exact, and cost 3/5
    betas: tuple[float, ...] = (0.8, 0.95)  # AdamW's
    weight_decay: float = 0.0
    clip: float = 0.0  # largest norm of the gradient; 0: none
    schedule: Literal["constant", "cosine", "linear", "wsd"] = "wsd"
    warmup: float = 0.0  # share of the run
    decay: float = 0.6  # share of the run, wsd's
    dtype: Literal["float32", "bfloat16", "float16", "auto"] = "auto"
    compile: bool = False
    ema: float = 0.0  # decay of the averaged weights; 0: none
    evaluate_every: int = 0  # steps; 0: at the end alone
    evaluate_tokens: int = 0  # 0: the whole split; at the end always the whole
    save_every: int = 0  # steps
    save_seconds: float = 0.0
    keep: int = 2  # checkpoints, beside the best
    patience: int = 0  # evaluations without a better loss, then it stops; 0: never
    log_every: int = 10
    seed: int = 0

    def __post_init__(self):
        if (self.steps > 0) == (self.seconds > 0):
            raise ValueError("a run has one budget: steps, or seconds, and the other is 0")
        for name in ("batch", "accumulate", "context", "keep", "log_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")

    @property
    def tokens_a_step(self):
        """Of one process."""
        return self.batch * self.accumulate * self.context


@dataclass(frozen=True)
class Finished:  # given
    """What a run came to. loss: of the last step; val_loss: NaN without a validation split; seconds: of training, all sittings.
    stopped: "budget", "patience" or "interrupted"."""

    step: int
    loss: float
    val_loss: float
    tokens: int
    seconds: float
    tokens_per_s: float
    mfu: float
    stopped: str


@dataclass
class Run:
    """Everything that the next step depends on, beside the weights and the generators. step: how many are done, and so the
    data's position, for batches are a function of it. seconds: of training, at the last save. worse: evaluations since the best."""

    optimizers: object
    scaler: object = None
    average: object = None
    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    loss: float = math.nan
    best: float = math.inf
    worse: int = 0

    def state(self, parallel):
        """All of it, and the generators', as tensors, numbers, dicts and lists; whole on every process."""
        return {
            "numbers": {name: getattr(self, name) for name in NUMBERS},
            "optimizers": [parallel.full(optimizer.state_dict()) for optimizer in self.optimizers.all],
            "scaler": self.scaler.state_dict() if self.scaler else None,
            "average": parallel.full(self.average.state_dict()) if self.average else None,
            "generators": capture(),
        }

    def restore(self, state, parallel):
        """Takes over what `state` gave."""
        for name in NUMBERS:
            setattr(self, name, state["numbers"][name])
        for optimizer, saved in zip(self.optimizers.all, state["optimizers"], strict=True):
            parallel.load_optimizer(optimizer, saved)
        if self.scaler and state["scaler"]:
            self.scaler.load_state_dict(state["scaler"])
        if self.average and state["average"]:
            self.average.load_state_dict(state["average"])
        restore(state["generators"])


NUMBERS = ("step", "tokens", "seconds", "loss", "best", "worse")


def train(
    model, batches, config, *, folder=None, validation=None, log=None, resume="auto", clock_started=None,
    progress=True, parallel=None,
):  # fmt: skip
    """Trains a model and returns what came of it (Finished). The model ends with its last weights, averaged if config.ema.

    model(x, y) -> mean loss. batches.at(step) -> x, y (accumulate, batch, context), a pure function of the step. folder: where
    checkpoints go; without one nothing is saved. validation: an array of ids, or what has `full()`, pairs x, y of the whole split.
    log(step, **numbers) is called every log_every steps and at each evaluation. resume: "auto" goes on from the newest sound
    checkpoint in folder, None begins anew and wants a folder without any. clock_started: the time.perf_counter() from which
    config.seconds counts. parallel: of train.parallel; the model is then what its `wrap` returned.

    Ctrl-C finishes the step, saves and returns; a second one ends the process. Raises Diverged when the loss is no longer finite, with
    step and parameter; the weights are those before that step, and checkpoints stay as they are.
    """
    started = time.perf_counter() if clock_started is None else clock_started
    parallel = parallel or Alone(next(model.parameters()).device)
    bare = parallel.bare(model)
    precision = Precision(config.dtype, parallel.device)
    seed_everything(config.seed)
    run = Run(make(bare, config), precision.scaler, Average(bare, config.ema) if config.ema else None)
    if folder is not None:
        _begin(run, model, config, folder, resume, parallel)
    if validation is not None and not hasattr(validation, "full"):
        validation = Batches(validation, config.context, config.batch)
    forward = torch.compile(model) if config.compile else model
    meter = Meter(_flops_per_token(bare, config), peak_flops(parallel.device, precision.dtype))
    log = log if log and parallel.is_main else lambda step, **numbers: None
    earlier, saved, saved_at, laps = run.seconds, run.step, time.perf_counter(), []

    def elapsed():
        return earlier + time.perf_counter() - started

    def save():
        run.seconds = elapsed()
        weights, state = parallel.full(bare.state_dict()), run.state(parallel)
        if parallel.is_main:
            checkpoint.save(folder, run.step, weights, state | {"config": asdict(config)}, keep=config.keep)
        parallel.barrier()

    def measure(tokens):
        begun = time.perf_counter()
        with run.average.inside(bare) if run.average else contextlib.nullcontext():
            loss = evaluate(
                bare, validation.full(), tokens=tokens, precision=precision, seed=config.seed, parallel=parallel
            )
        meter.pause(time.perf_counter() - begun)
        log(run.step, val_loss=loss)
        return loss

    val_loss = math.nan
    with interruptible() as interrupted, _bar(progress and parallel.is_main) as bar:
        while True:
            share = run.step / config.steps if config.steps else parallel.mean(elapsed() / config.seconds)
            stopped = "interrupted" if parallel.any(interrupted.is_set()) else "budget" if share >= 1.0 else ""
            evaluating = (
                validation is not None and stopped != "interrupted" and _due(config.evaluate_every, run.step, stopped)
            )

            # first what must not be lost, then what may fail
            late = config.save_seconds and parallel.any(time.perf_counter() - saved_at > config.save_seconds)
            saving = late or evaluating or _due(config.save_every, run.step, stopped)
            if folder is not None and saving and run.step != saved:
                save()
                saved, saved_at = run.step, time.perf_counter()
            if evaluating:
                val_loss = measure(0 if stopped else config.evaluate_tokens)
                run.worse = 0 if val_loss < run.best else run.worse + 1
                run.best = min(run.best, val_loss)
                if folder is not None and run.worse == 0 and parallel.is_main:
                    checkpoint.mark_best(folder, run.step, val_loss)
                if config.patience and run.worse >= config.patience:
                    stopped = stopped or "patience"
            if stopped:
                break

            middle = share + 0.5 / config.steps if config.steps else share  # of this step
            factor = scheduled(config.schedule, middle, warmup=config.warmup, decay=config.decay)
            run.optimizers.rate(factor)
            begun = time.perf_counter()
            x, y = (part.to(parallel.device, non_blocking=True) for part in batches.at(run.step))  # (A, B, T)
            meter.waited(time.perf_counter() - begun)
            if parallel.world > 1:  # so that processes drop different units, also after a break, and among others
                torch.manual_seed(derive(config.seed, run.step, parallel.rank))
            try:
                result = step(forward, run.optimizers, x, y, clip=config.clip, precision=precision, parallel=parallel)
            except Diverged as problem:
                raise Diverged(f"step {run.step + 1}: {problem}") from None
            run.step, run.loss, run.tokens = run.step + 1, result.loss, run.tokens + x.numel() * parallel.world
            if run.average:
                run.average.update(bare)

            meter.count(x.numel() * parallel.world)
            if run.step % config.log_every == 0:
                laps.append(meter.lap())
                log(run.step, loss=run.loss, grad_norm=result.grad_norm, lr=config.lr * factor, **laps[-1])
                bar.set_postfix_str(_said(run, laps[-1]), refresh=False)
            bar.update(share - bar.n)
    if run.average:
        run.average.copy_to(bare)
    if not laps:
        laps.append(meter.lap())
    speed, mfu = (statistics.median(lap[name] for lap in laps) for name in ("tokens_per_s", "mfu"))
    return Finished(run.step, run.loss, val_loss, run.tokens, elapsed(), speed, mfu, stopped)


def _begin(run, model, config, folder, resume, parallel):
    """Goes on from the newest sound checkpoint, if one may and there is one."""
    if resume is None and checkpoint.steps(folder):
        raise ValueError(f'{folder} holds checkpoints of another run: take resume="auto", or an empty folder')
    path = checkpoint.latest(folder) if resume == "auto" else None
    if path is None:
        return
    _, weights, state = checkpoint.load(path)
    for name in ("seed", "optimizer", "batch", "accumulate", "context"):
        was, now = state["config"][name], getattr(config, name)
        if was != now:
            raise ValueError(f"{path} was trained with {name}={was}, and this run says {now}: it would be another run")
    parallel.load_model(model, weights)
    run.restore(state, parallel)


def _due(every, step, stopped):
    """Whether what is done every so many steps, and at the end, is due after a step."""
    return bool(stopped) or (every > 0 and step > 0 and step % every == 0)


def _flops_per_token(model, config):
    """By formula for a GPT, else six for each parameter: two forward, four backward."""
    if hasattr(getattr(model, "config", None), "layers"):
        return flops_per_token(model.config, config.context)
    return 6 * sum(p.numel() for p in model.parameters())


@contextlib.contextmanager
def interruptible():  # given
    """A context with an event that Ctrl-C sets; the second Ctrl-C is a KeyboardInterrupt, as ever."""
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event  # only the main thread hears signals
        return

    def heard(number, frame):
        event.set()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, heard)
    try:
        yield event
    finally:
        signal.signal(signal.SIGINT, before)


def _bar(shown):
    """Percentage, time gone and time left, then what `_said` says."""
    form = "{percentage:3.0f}%|{bar:20}| {elapsed}<{remaining}{postfix}"
    return tqdm(total=1.0, bar_format=form, disable=None if shown else True, mininterval=0.5)


def _said(run, lap):
    return f"step {run.step}, loss {run.loss:.3f}, {lap['tokens_per_s']:,.0f} tokens/s, MFU {lap['mfu']:.0%}"
