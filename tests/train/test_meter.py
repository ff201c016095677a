"""Tokens a second, MFU and the share of waiting, on a clock that the test turns."""

import pytest
import torch

from groundup.train.meter import Meter, peak_flops


def test_rates_are_those_since_the_last_lap_and_pauses_do_not_count():
    now = [100.0]
    meter = Meter(flops_per_token=50.0, peak=1000.0, clock=lambda: now[0])
    meter.count(30)
    meter.waited(0.5)
    now[0] += 5.0
    meter.pause(3.0)  # 2 s are left
    assert meter.lap() == pytest.approx({"tokens_per_s": 15.0, "mfu": 0.75, "waiting": 0.25})
    now[0] += 4.0
    meter.count(8)
    assert meter.lap() == pytest.approx({"tokens_per_s": 2.0, "mfu": 0.1, "waiting": 0.0})


def test_a_peak_is_measured_once():
    first = peak_flops("cpu", torch.float32)
    assert 1e8 < first < 1e14 and peak_flops("cpu", torch.float32) == first
