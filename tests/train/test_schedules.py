"""Schedules of progress, against torch's of the step."""

import math

import numpy as np
import pytest
import torch
from torch.optim import lr_scheduler

from groundup.train import schedules

STEPS = 200


def walked(make):
    """The rates of torch's schedule after 0, 1, ... steps, from a peak of 1."""
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    scheduler = make(optimizer)
    rates = []
    for _ in range(STEPS + 1):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return np.array(rates)


def asked(function, *args, **options):
    return np.array([function(step / STEPS, *args, **options) for step in range(STEPS + 1)])


@pytest.mark.parametrize("floor", [0.0, 0.1, 0.5])
def test_cosine_and_linear_are_torchs(floor):
    wave = walked(lambda o: lr_scheduler.CosineAnnealingLR(o, STEPS, eta_min=floor))
    line = walked(lambda o: lr_scheduler.LinearLR(o, 1.0, floor or 1e-300, STEPS))
    np.testing.assert_allclose(asked(schedules.cosine, floor=floor), wave, atol=1e-9)
    np.testing.assert_allclose(asked(schedules.linear, floor=floor), line, atol=1e-9)


@pytest.mark.parametrize(("warmup", "decay"), [(0.1, 0.5), (0.25, 0.25), (0.0, 1.0), (0.05, 0.0)])
def test_wsd_is_three_of_torchs_one_after_the_other(warmup, decay):
    def make(o):
        rise, fall = int(warmup * STEPS), int((1 - decay) * STEPS)
        parts = [lr_scheduler.ConstantLR(o, 1.0), lr_scheduler.LinearLR(o, 1.0, 1e-300, max(STEPS - fall, 1))]
        marks = [fall]
        if rise:
            parts, marks = [lr_scheduler.LinearLR(o, 1e-300, 1.0, rise), *parts], [rise, fall]
        return lr_scheduler.SequentialLR(o, parts, marks)

    expected = walked(make)
    got = asked(lambda p: schedules.scheduled("wsd", p, warmup=warmup, decay=decay))
    np.testing.assert_allclose(got[:-1], expected[:-1], atol=1e-9)
    assert got[-1] == (0.0 if decay else 1.0)


def test_warmup_is_multiplied_in_and_the_schedule_does_not_wait():
    for name in schedules.NAMES:
        plain = asked(lambda p, name=name: schedules.scheduled(name, p, decay=0.3))
        begun = asked(lambda p, name=name: schedules.scheduled(name, p, warmup=0.2, decay=0.3))
        ramp = np.minimum(1.0, np.arange(STEPS + 1) / STEPS / 0.2)
        np.testing.assert_allclose(begun, plain * ramp, atol=1e-12)


def test_every_share_is_between_zero_and_one_also_beyond_the_ends():
    for name in schedules.NAMES:
        for p in (-0.5, 0.0, 1e-9, 0.3, 1.0, 1.7):
            assert 0.0 <= schedules.scheduled(name, p, warmup=0.1) <= 1.0
        assert schedules.scheduled(name, 1.7) == schedules.scheduled(name, 1.0)
        assert schedules.scheduled(name, -1.0, warmup=0.1) == 0.0
    assert math.isclose(schedules.cosine(1.0), 0.1)


def test_what_is_no_schedule_and_no_share_is_refused():
    with pytest.raises(ValueError, match="choose one of constant, cosine, linear, wsd"):
        schedules.scheduled("step", 0.5)
    for options in ({"warmup": 1.5}, {"warmup": -0.1}, {"decay": 100}):
        with pytest.raises(ValueError, match="shares of the run"):
            schedules.scheduled("wsd", 0.5, **options)
