"""The laboratory: PyTorch runs beside ours, and each failure is measured without the diagnosis."""

import math

import numpy as np
import pytest
import torch

from groundup.grad.failures import (
    DECIDES,
    FAILURES,
    Finding,
    Setting,
    debugging_log,
    diagnose,
    explode,
    fewest_steps,
    kill_units,
    overshoot,
    repair,
    standardise,
    steps_to,
    trial,
    unscale,
    vanish,
)
from groundup.grad.network import Network

FUNCTIONS = {"relu": torch.relu, "tanh": torch.tanh}


def sound(seed=0, activation="relu", hidden=(12,), n=40, k=3, d=5):
    rng = np.random.default_rng(seed)
    centres = 1.5 * rng.standard_normal((k, d))
    labels = np.arange(n) % k
    X = standardise(centres[labels] + 0.6 * rng.standard_normal((n, d)))
    return Setting(Network([d, *hidden, k], rng, activation), X, labels, 0.2)


def in_torch(setting, steps):
    """Losses of plain descent and the gradients before the first step."""
    leaves = [torch.tensor(p.copy(), requires_grad=True) for p in setting.net.params]
    X, labels, losses, first = torch.tensor(setting.X), torch.tensor(setting.labels), [], None
    descent = torch.optim.SGD(leaves, lr=setting.rate)
    for _ in range(steps + 1):
        h = X
        for i in range(0, len(leaves), 2):
            if i:
                h = getattr(torch, setting.net.activation)(h)
            h = h @ leaves[i] + leaves[i + 1]
        loss = torch.nn.functional.cross_entropy(h, labels)
        losses.append(loss.item())
        descent.zero_grad()
        loss.backward()
        first = first or [leaf.grad.norm().item() for leaf in leaves]
        descent.step()
    return np.array(losses), first


def frozen(setting):
    return [p.copy() for p in setting.net.params], setting.X.copy(), setting.labels.copy(), setting.rate


def unchanged(setting, before):
    params, X, labels, rate = before
    same = all(np.array_equal(p, q) for p, q in zip(setting.net.params, params))
    return same and np.array_equal(setting.X, X) and np.array_equal(setting.labels, labels) and setting.rate == rate


INDUCE = {
    "unscaled inputs": unscale,
    "dead units": lambda setting, rng: kill_units(setting),
    "exploding gradients": explode,
    "vanishing gradients": vanish,
    "diverging": lambda setting, rng: overshoot(setting),
}


def broken(failure, seed=0):
    return INDUCE[failure](sound(seed), np.random.default_rng(seed))


def test_columns_are_standardised_and_constant_ones_become_zero():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.uniform(0, 1, 10), 1e6 + rng.uniform(0, 1, 10), np.full(10, 0.1), np.zeros(10)])
    Z = standardise(X)
    np.testing.assert_allclose(Z[:, :2].mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(Z[:, :2].std(axis=0), 1, rtol=1e-9)
    assert (Z[:, 2:] == 0).all()


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_a_trial_is_pytorchs_descent_and_leaves_the_net_alone(activation):
    setting = sound(1, activation)
    before = frozen(setting)
    losses, net = trial(setting, 25)
    np.testing.assert_allclose(losses, in_torch(setting, 25)[0], rtol=1e-10)
    assert net is not setting.net
    assert net.loss_and_grads(setting.X, setting.labels)[0] == losses[-1]
    assert unchanged(setting, before)


def test_a_trial_that_overflows_is_told_by_its_losses(recwarn):
    losses, _ = trial(sound(0, hidden=(12, 12, 12))._replace(rate=1e9))
    assert len(losses) == 31
    assert diagnose(sound(0, hidden=(12, 12, 12))._replace(rate=1e9)).failure == "diverging"
    assert not recwarn.list


def test_steps_are_counted_until_the_loss_is_at_the_target():
    setting = sound(2)
    losses, _ = trial(setting, 30)
    for step in (0, 1, 7, 30):
        assert steps_to(losses[step], setting, most=30) == step
    assert steps_to(losses[30], setting, most=29) is None
    assert steps_to(0.0, setting, most=5) is None
    assert steps_to(0.0, setting._replace(X=np.full_like(setting.X, np.nan))) is None


def test_the_fewest_steps_over_rates_are_the_least_of_all_and_the_first_of_equals():
    setting, rates = sound(3, "tanh"), [0.01, 0.2, 0.5, 0.501, 0.1]
    counts = [steps_to(0.4, setting._replace(rate=rate), 60) for rate in rates]
    arrived = [c for c in counts if c is not None]
    assert fewest_steps(0.4, setting, rates, 60) == (min(arrived), rates[counts.index(min(arrived))])
    assert fewest_steps(99.0, setting, rates) == (0, 0.01)
    assert fewest_steps(0.0, setting, rates, 5) == (None, None)
    assert fewest_steps(0.4, setting, []) == (None, None)


def test_scaled_inputs_reach_a_target_in_a_fraction_of_the_steps():
    for seed in range(3):
        setting = sound(seed, "tanh")
        raw = unscale(setting, np.random.default_rng(seed))
        rates = [1.0, 0.1, 1e-2, 1e-4, 1e-6]
        scaled, _ = fewest_steps(0.2, setting, rates, 60)
        as_it_came, _ = fewest_steps(0.2, raw, rates, 5 * scaled)
        assert as_it_came is None


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("failure", INDUCE)
def test_each_failure_is_induced_named_and_repaired(failure, seed):
    setting = broken(failure, seed)
    before = frozen(setting)
    finding = diagnose(setting)
    assert finding.failure == failure
    repaired, findings = repair(setting, np.random.default_rng(seed))
    assert unchanged(setting, before)
    assert findings[0] == finding
    assert diagnose(repaired).failure == "healthy"
    assert [p.shape for p in repaired.net.params] == [p.shape for p in setting.net.params]
    assert in_torch(repaired, 100)[0].min() < 0.5 * math.log(3)


def test_a_vanishing_gradient_is_there_by_pytorch():
    losses, norms = in_torch(broken("vanishing gradients"), 60)
    assert 0 < norms[0] < 1e-4 * norms[-2]
    assert losses[-1] > 0.8 * math.log(3)


def test_an_exploding_gradient_is_there_by_pytorch():
    losses, norms = in_torch(broken("exploding gradients"), 0)
    assert min(norms[::2]) > 100
    assert losses[0] > 100


def test_in_front_of_a_dead_layer_there_is_no_gradient_by_pytorch():
    _, norms = in_torch(broken("dead units"), 0)
    assert norms[0] == norms[1] == 0


def test_a_run_that_diverges_does_so_in_pytorch():
    losses, _ = in_torch(broken("diverging"), 30)
    assert not np.median(losses[-7:]) <= losses[0]


def test_inducing_leaves_the_setting_as_it_was():
    setting, rng = sound(5), np.random.default_rng(0)
    before = frozen(setting)
    for result in (
        unscale(setting, rng),
        vanish(setting, rng),
        explode(setting, rng),
        kill_units(setting),
        overshoot(setting),
    ):
        assert unchanged(setting, before)
        assert result is not setting


def test_causes_are_named_before_their_effects():
    setting = kill_units(sound(0))
    both = unscale(setting, np.random.default_rng(0))
    assert diagnose(both).failure == "unscaled inputs"
    _, findings = repair(both, np.random.default_rng(0))
    assert [finding.failure for finding in findings][:2] == ["unscaled inputs", "dead units"]
    assert diagnose(setting).reading["least pull"] == 0  # which would be called vanishing


def test_a_healthy_setting_is_left_alone():
    for activation in ("relu", "tanh", "gelu"):
        setting = sound(0, activation, (12, 12))
        repaired, findings = repair(setting, np.random.default_rng(0))
        assert repaired is setting
        assert findings == []


def test_units_that_the_rate_kills_are_found_though_the_loss_fell():
    rng, found = np.random.default_rng(0), 0
    for seed in range(15):
        setting = sound(seed, hidden=(12, 12))._replace(rate=float(rng.uniform(3, 20)))
        finding = diagnose(setting)
        if finding.reading["curve"] in ("falling", "flat") and finding.reading["dead after"] > 0.9:
            assert finding.failure == "diverging"
            found += 1
    assert found > 0


def test_not_a_number_is_an_explosion_and_an_offset_is_unscaled():
    setting = sound(0)
    net = Network([5, 12, 3], np.random.default_rng(0))
    for W in net.params[::2]:
        W *= 1e200
    assert diagnose(setting._replace(net=net)).failure == "exploding gradients"
    assert diagnose(setting._replace(X=setting.X + 300)).failure == "unscaled inputs"
    assert diagnose(setting._replace(X=setting.X / 1000)).failure == "unscaled inputs"
    pixels = np.random.default_rng(0).integers(0, 256, setting.X.shape).astype(np.uint8)  # whose squares do not fit
    assert diagnose(setting._replace(X=pixels)).reading["inputs"] > 100


def test_a_net_without_hidden_layers_has_no_dead_units():
    finding = diagnose(sound(0, hidden=()))
    assert finding.failure == "healthy"
    assert finding.reading["dead"] == finding.reading["dead after"] == 0


def test_what_cannot_be_done_is_refused():
    setting = sound(0)
    with pytest.raises(ValueError, match="no remedy"):
        repair(setting._replace(X=np.zeros_like(setting.X)), np.random.default_rng(0))
    with pytest.raises(ValueError, match="unscaled inputs"):
        overshoot(setting._replace(X=1e6 * setting.X))


def test_the_log_has_an_entry_for_each_failure_and_the_reading_that_decided():
    findings = [diagnose(broken(failure)) for failure in INDUCE]
    text = debugging_log([*findings, diagnose(sound(0))])
    assert [line[3:] for line in text.splitlines() if line.startswith("## ")] == [f.failure for f in findings]
    for finding, section in zip(findings, text.split("## ")[1:]):
        value = finding.reading[DECIDES[finding.failure]]
        assert (value if isinstance(value, str) else f"{value:.3g}") in section
        assert [line.split(":")[0] for line in section.splitlines() if line.startswith("- ")] == [
            "- Symptom",
            "- Reading",
            "- Cause",
            "- Repair",
        ]
    assert set(DECIDES) == set(FAILURES) - {"healthy"}


def test_a_log_of_nothing_says_so():
    for findings in ([], [Finding("healthy", {})]):
        text = debugging_log(findings)
        assert text.strip()
        assert "#" not in text
