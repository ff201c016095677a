"""The whole loop: what it promises about resuming, evaluating, stopping and saying."""

import hashlib
import math
import os
import signal
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from groundup.data import catalogue
from groundup.nets.gpt import GPT, GPTConfig
from groundup.train import checkpoint
from groundup.train.data import Batches
from groundup.train.loop import TrainConfig, train
from groundup.train.step import Diverged

IDS = np.random.default_rng(0).integers(0, 13, 700)
VALIDATION = np.random.default_rng(1).integers(0, 13, 90)
CONFIG = TrainConfig(
    batch=3, accumulate=2, context=6, steps=14, dtype="float32", clip=1.0, warmup=0.2, ema=0.9, log_every=1
)


def gpt(dropout=0.2, **options):
    torch.manual_seed(1)
    return GPT(GPTConfig.modern(vocab_size=13, context=6, layers=1, heads=2, width=8, dropout=dropout, **options))


class Watched:
    """Batches that remember what they gave: {step: hash of its bytes}."""

    def __init__(self, ids=IDS, config=CONFIG, stop_at=None):
        self.inner = Batches(ids, config.context, config.batch, accumulate=config.accumulate, seed=config.seed)
        self.seen, self.stop_at = {}, stop_at

    def at(self, step):
        if step == self.stop_at:
            raise ConnectionError("the power went")
        x, y = self.inner.at(step)
        self.seen[step] = hashlib.sha256(x.numpy().tobytes() + y.numpy().tobytes()).hexdigest()
        return x, y


def trained(config=CONFIG, folder=None, stop_at=None, model=None, **options):
    """-> model, batches, curve {(step, name): value} without the clock's numbers, Finished."""
    model, batches, curve = model or gpt(), Watched(config=config, stop_at=stop_at), {}

    def log(step, **numbers):
        curve.update(
            {(step, name): v for name, v in numbers.items() if name in ("loss", "grad_norm", "lr", "val_loss")}
        )

    try:
        finished = train(model, batches, config, folder=folder, log=log, progress=False, **options)
    except ConnectionError:
        finished = None
    return model, batches, curve, finished


def bits(model):
    return {name: value.numpy().tobytes() for name, value in model.state_dict().items()}


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_a_run_broken_off_anywhere_ends_as_if_it_had_not_been(tmp_path, optimizer):
    config = replace(CONFIG, optimizer=optimizer, save_every=4, evaluate_every=5)
    whole, seen, curve, finished = trained(config, tmp_path / "whole", validation=VALIDATION)
    parts, curves, hashes = tmp_path / "parts", {}, {}
    for stop_at in (3, 6, 11, None):  # before the first save, then in the middle of an epoch
        model, batches, part, last = trained(config, parts, stop_at, validation=VALIDATION)
        for key, value in part.items():
            assert curves.setdefault(key, value) == value  # what is done twice comes out the same
        hashes.update(batches.seen)
    assert bits(model) == bits(whole) and curves == curve and hashes == seen.seen
    assert (last.step, last.loss, last.val_loss, last.tokens) == (14, finished.loss, finished.val_loss, 14 * 36)
    a, b = (checkpoint.load(checkpoint.latest(f))[2] for f in (tmp_path / "whole", parts))
    for x, y in zip(_tensors(a), _tensors(b), strict=True):
        assert torch.equal(x, y)  # moments, averages, generators


def _tensors(tree):
    if isinstance(tree, torch.Tensor):
        return [tree]
    parts = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, (list, tuple)) else ()
    return [tensor for part in parts for tensor in _tensors(part)]


def test_evaluating_more_often_changes_nothing_of_the_training():
    curves = []
    for every in (0, 1, 5):
        model, _, curve, _ = trained(replace(CONFIG, evaluate_every=every), validation=VALIDATION)
        curves.append((bits(model), {key: v for key, v in curve.items() if key[1] != "val_loss"}))
    assert curves[0] == curves[1] == curves[2]


def test_a_run_resumed_with_another_evaluation_interval_is_the_same_run(tmp_path):
    whole, *_ = trained(CONFIG)
    trained(replace(CONFIG, save_every=5, evaluate_every=2), tmp_path, stop_at=8, validation=VALIDATION)
    model, *_ = trained(replace(CONFIG, save_every=3, evaluate_every=3), tmp_path, validation=VALIDATION)
    assert bits(model) == bits(whole)


def test_accumulated_micro_batches_are_one_batch():
    one = replace(CONFIG, batch=6, accumulate=1, ema=0.0)
    a, _, left, _ = trained(replace(CONFIG, ema=0.0), model=gpt(dropout=0.0))
    b, _, right, _ = trained(one, model=gpt(dropout=0.0))
    assert left.keys() == right.keys()
    for key, value in left.items():
        assert right[key] == pytest.approx(value, rel=1e-4), key
    for p, q in zip(a.parameters(), b.parameters()):
        torch.testing.assert_close(p, q, rtol=1e-3, atol=1e-4)


def test_recomputed_activations_change_no_bit():
    a, *_ = trained()
    b, *_ = trained(model=gpt(checkpoint_activations=True))
    assert bits(a) == bits(b)


def test_it_saves_before_it_evaluates(tmp_path):
    class Broken:
        def full(self):
            raise MemoryError

    with pytest.raises(MemoryError):
        trained(replace(CONFIG, evaluate_every=4), tmp_path, validation=Broken())
    assert checkpoint.steps(tmp_path) == [4]


def test_a_loss_of_nan_stops_with_step_and_parameter_and_keeps_what_was_good(tmp_path):
    class Poisoned(Watched):
        def at(self, step):
            if step == 6:
                with torch.no_grad():
                    model.blocks[0].mlp.up.weight[0, 0] = math.nan
            return super().at(step)

    model = gpt()
    with pytest.raises(Diverged, match=r"step 7: .* the weights of blocks\.0\.mlp\.up\.weight are not finite"):
        train(model, Poisoned(), replace(CONFIG, save_every=3), folder=tmp_path, progress=False)
    _, weights, _ = checkpoint.load(checkpoint.latest(tmp_path))
    assert checkpoint.steps(tmp_path) == [3, 6] and all(torch.isfinite(w).all() for w in weights.values())


def test_control_c_finishes_the_step_saves_and_can_be_taken_up_again(tmp_path):
    class Pressed(Watched):
        def at(self, step):
            if step == 5:
                os.kill(os.getpid(), signal.SIGINT)
            return super().at(step)

    model, before = gpt(), signal.getsignal(signal.SIGINT)
    finished = train(model, Pressed(), CONFIG, folder=tmp_path, progress=False)
    assert (finished.stopped, finished.step, checkpoint.steps(tmp_path)) == ("interrupted", 6, [6])
    assert signal.getsignal(signal.SIGINT) is before
    whole, *_ = trained()
    again, *_, last = trained(folder=tmp_path)
    assert last.stopped == "budget" and bits(again) == bits(whole)


def test_a_second_control_c_ends_it(tmp_path):
    class Pressed(Watched):
        def at(self, step):
            if step == 5:
                os.kill(os.getpid(), signal.SIGINT)
                os.kill(os.getpid(), signal.SIGINT)
            return super().at(step)

    with pytest.raises(KeyboardInterrupt):
        train(gpt(), Pressed(), CONFIG, folder=tmp_path, progress=False)
    assert checkpoint.steps(tmp_path) == []


def test_patience_ends_a_run_that_does_not_get_better(tmp_path):
    config = replace(CONFIG, steps=400, evaluate_every=2, patience=3, lr=0.5, keep=1)  # noise has nothing to learn
    *_, curve, finished = trained(config, tmp_path, validation=VALIDATION)
    losses = [value for (_, name), value in sorted(curve.items()) if name == "val_loss"]
    assert finished.stopped == "patience" and finished.step < 400
    assert min(losses[:-3]) <= min(losses[-3:]) and len(losses) == finished.step // 2
    step, loss = checkpoint.best(tmp_path)
    assert loss == min(losses) and step in checkpoint.steps(tmp_path)
    *_, again = trained(config, tmp_path, validation=VALIDATION)
    assert (again.stopped, again.step) == ("patience", finished.step)  # and stays ended


def test_a_budget_of_seconds_ends_in_time_and_the_rate_ends_at_zero():
    begun = time.perf_counter() - 50.0
    config = replace(CONFIG, steps=0, seconds=51.0, schedule="linear", warmup=0.0)
    *_, curve, finished = trained(config, clock_started=begun)
    rates = [value for (_, name), value in sorted(curve.items()) if name == "lr"]
    assert finished.stopped == "budget" and finished.seconds >= 51.0 and finished.step == len(rates)
    assert rates == sorted(rates, reverse=True) and rates[0] < config.lr / 50  # what began before counts


def test_the_rate_of_a_step_is_the_schedule_in_its_middle():
    *_, curve, _ = trained(replace(CONFIG, schedule="linear", warmup=0.0))
    for step in range(14):
        assert curve[step + 1, "lr"] == pytest.approx(CONFIG.lr * (1 - (step + 0.5) / 14))


def test_another_run_is_not_continued(tmp_path):
    trained(folder=tmp_path)
    with pytest.raises(ValueError, match="trained with seed=0, and this run says 1"):
        trained(replace(CONFIG, seed=1), tmp_path)
    with pytest.raises(ValueError, match="an empty folder"):
        trained(folder=tmp_path, resume=None)


def test_a_longer_budget_continues_the_run(tmp_path):
    trained(folder=tmp_path)
    *_, batches, _, finished = trained(replace(CONFIG, steps=16), tmp_path)
    assert finished.step == 16 and list(batches.seen) == [14, 15]


def test_a_run_has_one_budget_and_sizes_of_one_at_least():
    for options in ({}, {"steps": 3, "seconds": 1.0}):
        with pytest.raises(ValueError, match="one budget"):
            TrainConfig(**options)
    with pytest.raises(ValueError, match="batch must be at least 1"):
        TrainConfig(steps=1, batch=0)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_learns_and_resumes(tmp_path, dtype):
    config = replace(CONFIG, dtype=dtype, save_every=5)
    whole, *_ = trained(config)
    trained(config, tmp_path, stop_at=7)
    model, *_ = trained(config, tmp_path)
    assert bits(model) == bits(whole)


def test_one_batch_is_learned_by_heart_and_the_first_loss_is_that_of_guessing():
    config = replace(CONFIG, batch=4, accumulate=1, steps=150, ema=0.0, lr=0.02)
    model = gpt(dropout=0.0)
    curve = {}
    ids = IDS[: 4 * 6 + 1]
    train(model, Watched(ids, config), config, log=lambda step, **n: curve.update({step: n["loss"]}), progress=False)
    assert (
        curve[1] == pytest.approx(math.log(13), abs=0.01) and curve[150] < 0.7
    )  # the first token of a window is a guess


def test_the_curve_lies_in_the_band_of_nanogpts_configuration():
    """4 layers of 128, context 64, batch 12, AdamW at 1e-3 after 100 steps of warm-up. The band is that of a plain torch loop with batches
    drawn at random, two seeds, means of ten steps: 3.70, 3.18, 2.83, a tenth to either side.
    """
    try:
        text = (catalogue.fetch("tinyshakespeare") / "input.txt").read_text(encoding="utf-8")
    except catalogue.DataError as problem:
        pytest.skip(str(problem))
    _, ids = np.unique(np.frombuffer(text.encode(), np.uint8), return_inverse=True)
    torch.manual_seed(0)
    model = GPT(GPTConfig.gpt2(vocab_size=65, context=64, layers=4, heads=4, width=128))
    config = TrainConfig(
        optimizer="adamw", steps=2000, batch=12, context=64, lr=1e-3, betas=(0.9, 0.99), weight_decay=0.1, clip=1.0,
        schedule="cosine", warmup=0.05, dtype="float32", log_every=1,
    )  # fmt: skip
    losses = []

    class Enough(Exception):
        pass

    def log(step, loss, **numbers):
        losses.append(loss)
        if step == 60:
            raise Enough

    with pytest.raises(Enough):
        train(model, Batches(ids[: int(0.9 * len(ids))], 64, 12), config, log=log, progress=False)
    assert losses[0] == pytest.approx(math.log(65), abs=0.1)
    for end, expected in ((20, 3.70), (40, 3.18), (60, 2.83)):
        assert np.mean(losses[end - 10 : end]) == pytest.approx(expected, abs=0.1), end
