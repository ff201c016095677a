"""A run is read by its curves: planted causes are named, and what only looks like one is not."""

import numpy as np
import pytest

from groundup.train import diagnosis
from groundup.train.diagnosis import diagnose, ending, first_difference, growth, spikes


def healthy(rng, n=120):
    """The curves of a run with nothing wrong: noise, a warm-up, a gradient that grows a little, a cold cache."""
    step = np.arange(1, n + 1) * 10
    clean = 1.5 + 2.5 * np.exp(-step / rng.uniform(150, 500))
    waiting = rng.uniform(0.01, 0.06, n)
    waiting[:3] = 0.8
    speed = 20_000 * (1 - waiting) * rng.uniform(0.97, 1.03, n)
    norm = np.linspace(0.6, rng.uniform(0.5, 0.9), n) * rng.lognormal(0, 0.1, n)
    noise = rng.normal(1, rng.uniform(0.005, 0.03), n)
    return {"step": step, "loss": clean * noise, "grad_norm": norm, "tokens_per_s": speed, "waiting": waiting}


def loader(run, rng):
    run["waiting"] = rng.uniform(0.3, 0.9) * rng.uniform(0.9, 1.1, len(run["step"]))


def rate(run, rng):
    n = len(run["step"])
    at = rng.choice(np.arange(35, n), 6, replace=False)
    run["loss"][at] *= rng.uniform(1.5, 3, 6)
    run["grad_norm"] *= np.linspace(1, rng.uniform(5, 20), n)


def diverged(run, rng):
    run["loss"][-int(rng.integers(12, 40)) :] += rng.uniform(0.5, 4)


def not_finite(run, rng):
    run["loss"][rng.integers(len(run["loss"])) :] = np.nan


def slowing(run, rng):
    run["tokens_per_s"] *= np.where(np.arange(len(run["step"])) > 50, rng.uniform(0.2, 0.5), 1.0)


PLANTED = [(loader, "loader"), (rate, "rate"), (diverged, "rate"), (not_finite, "rate"), (slowing, "slowing")]


@pytest.mark.parametrize("plant, cause", PLANTED, ids=[plant.__name__ for plant, _ in PLANTED])
def test_a_planted_cause_is_the_one_that_is_named(plant, cause):
    for seed in range(60):
        rng = np.random.default_rng(seed)
        run = healthy(rng)
        plant(run, rng)
        twin = {name: series.copy() for name, series in run.items()}
        assert [finding.cause for finding in diagnose(run, twin)] == [cause], seed


def test_a_healthy_run_is_called_healthy():
    for seed in range(200):
        rng = np.random.default_rng(seed)
        run = healthy(rng)
        if seed % 2:  # one bad batch is no cause
            run["loss"][60] *= 3
        assert [finding.cause for finding in diagnose(run, run)] == ["healthy"], seed


def test_twins_that_part_are_named_with_step_and_size():
    run = healthy(np.random.default_rng(0))
    twin = {**run, "loss": run["loss"].copy()}
    twin["loss"][40:] *= 1 + 1e-7
    (found,) = diagnose(run, twin)
    assert found.cause == "nondeterminism" and "step 410" in found.evidence and "1e-07" in found.evidence


def test_only_steps_that_both_logged_are_compared():
    a = {"step": [1, 2, 4, 6], "loss": [1.0, 2.0, 3.0, np.nan]}
    b = {"step": [2, 3, 4, 6, 7], "loss": [2.0, 9.0, 3.0, np.nan, 5.0]}
    assert first_difference(a, b) is None
    b["loss"][2] = 3.3
    step, size = first_difference(a, b)
    assert step == 4 and size == pytest.approx(0.1)
    assert first_difference(a, {"step": [6], "loss": [1.0]}) == (6.0, np.inf)


def test_spikes_are_what_their_definition_says():
    for seed in range(30):
        rng = np.random.default_rng(seed)
        loss = rng.lognormal(0, rng.choice([0.01, 0.1, 0.5]), 80)
        truth = []
        for i in range(diagnosis.BEFORE, len(loss)):
            before = loss[i - diagnosis.BEFORE : i]
            usual = np.median(before)
            scatter = np.median(np.abs(before - usual))
            if loss[i] > diagnosis.SPIKE * usual and loss[i] - usual > diagnosis.SCATTER * scatter:
                truth.append(i)
        assert spikes(loss).tolist() == truth
    assert spikes(np.ones(5)).tolist() == []


def test_growth_and_ending_by_hand():
    assert growth([1, 1, 5, 2, 2, 9]) == 2.0 and growth([1, 2, 3]) == 1.0 and growth([0, 0, 1, 1]) == 1.0
    assert ending([4, 3, 2, 1, 1, 1, 1, 1, 1, 2]) == 2.0 and ending([1, 2]) == 1.0


def test_series_that_were_not_logged_find_nothing():
    (found,) = diagnose({"step": [1, 2], "loss": [2.0, 1.0]})
    assert found.cause == "healthy"


def test_series_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="waiting has 1 values for 2 steps"):
        diagnose({"step": [1, 2], "loss": [2.0, 1.0], "waiting": [0.1]})
