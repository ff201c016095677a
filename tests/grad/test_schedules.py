"""Schedules against torch.optim.lr_scheduler's, step by step."""

import warnings

import numpy as np
import pytest
import torch
from torch.optim import lr_scheduler

from groundup.grad.schedules import cosine, cyclic, one_cycle, step_decay, warmup


def theirs(scheduler, rate, steps, **options):
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=rate)
    rates = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        schedule = scheduler(optimiser, **options)
        for _ in range(steps):
            rates.append(optimiser.param_groups[0]["lr"])
            schedule.step()
    return rates


@pytest.mark.parametrize("every", [1, 2, 7, 30])
@pytest.mark.parametrize("factor", [0.1, 0.5, 1.0])
def test_step_decay(every, factor):
    expected = theirs(lr_scheduler.StepLR, 0.3, 60, step_size=every, gamma=factor)
    np.testing.assert_allclose([step_decay(t, 0.3, every, factor) for t in range(60)], expected, rtol=1e-11)


@pytest.mark.parametrize("steps", [1, 2, 9, 40])
@pytest.mark.parametrize("floor", [0.0, 1e-3])
def test_cosine_also_beyond_its_end(steps, floor):
    expected = theirs(lr_scheduler.CosineAnnealingLR, 0.3, 60, T_max=steps, eta_min=floor)
    np.testing.assert_allclose([cosine(t, 0.3, steps, floor) for t in range(60)], expected, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize(("up", "down"), [(1, 1), (4, None), (3, 8), (9, 2)])
@pytest.mark.parametrize(("mode", "gamma"), [("triangular", 1.0), ("triangular2", 1.0), ("exp_range", 0.97)])
def test_cyclic(up, down, mode, gamma):
    options = dict(base_lr=0.01, max_lr=0.3, step_size_up=up, step_size_down=down, mode=mode, gamma=gamma)
    expected = theirs(lr_scheduler.CyclicLR, 0.01, 80, cycle_momentum=False, **options)
    mine = [cyclic(t, 0.01, 0.3, up, down, mode, gamma) for t in range(80)]
    np.testing.assert_allclose(mine, expected, rtol=1e-11)


@pytest.mark.parametrize("steps", [10, 37, 100])
@pytest.mark.parametrize("warm", [0.2, 0.3, 0.55, 0.9])
@pytest.mark.parametrize(("divide", "final_divide"), [(25.0, 1e4), (3.0, 10.0)])
def test_one_cycle(steps, warm, divide, final_divide):
    options = dict(max_lr=0.3, total_steps=steps, pct_start=warm, div_factor=divide, final_div_factor=final_divide)
    expected = theirs(lr_scheduler.OneCycleLR, 1.0, steps, cycle_momentum=False, **options)
    mine = [one_cycle(t, 0.3, steps, warm, divide, final_divide) for t in range(steps)]
    np.testing.assert_allclose(mine, expected, rtol=1e-11)


def test_one_cycle_stays_at_its_end_and_may_be_as_short_as_one_step():
    assert one_cycle(10, 1.0, 10) == one_cycle(99, 1.0, 10) == one_cycle(9, 1.0, 10) == pytest.approx(1 / 25e4)
    assert [one_cycle(t, 1.0, 2) for t in range(2)] == pytest.approx([1.0, 1 / 25e4])
    assert one_cycle(0, 1.0, 1) == 1.0 and one_cycle(4, 1.0, 5, warm=1.0) == 1.0


@pytest.mark.parametrize("steps", [1, 5, 23])
@pytest.mark.parametrize("start", [1 / 3, 0.01, 1.0])
def test_warmup(steps, start):
    expected = theirs(lr_scheduler.LinearLR, 1.0, 40, start_factor=start, total_iters=steps)
    np.testing.assert_allclose([warmup(t, steps, start) for t in range(40)], expected, rtol=1e-11)


def test_warmup_times_a_schedule_is_pytorchs_chain():
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.2)
    rates = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parts = [lr_scheduler.LinearLR(optimiser, 0.1, total_iters=8), lr_scheduler.StepLR(optimiser, 5, 0.5)]
        chain = lr_scheduler.ChainedScheduler(parts)
        for _ in range(30):
            rates.append(optimiser.param_groups[0]["lr"])
            chain.step()
    np.testing.assert_allclose([warmup(t, 8, 0.1) * step_decay(t, 0.2, 5, 0.5) for t in range(30)], rates, rtol=1e-11)


def test_what_cannot_be_is_refused():
    for start in (0.0, -1.0, 1.5):
        with pytest.raises(ValueError):
            warmup(0, 5, start)
    with pytest.raises(ValueError):
        cyclic(0, 0.1, 0.2, 3, mode="square")
