"""The range test: it finds the order of magnitude, and leaves no trace."""

import math

import numpy as np
import pytest
import torch

from groundup.train.finder import find, smooth, suggest


def quadratic(curvature, optimizer=torch.optim.SGD):
    """The loss of one weight on a parabola: the edge of descent is at 2 / curvature."""
    model = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.ones_(model.weight)
    return model, optimizer(model.parameters(), lr=1.0), lambda i: 0.5 * curvature * (model.weight**2).sum()


@pytest.mark.parametrize("curvature", [0.1, 10.0, 1000.0])
def test_on_a_parabola_it_ends_at_the_edge_and_suggests_below_it(curvature):
    found = find(*quadratic(curvature), lowest=1e-7, highest=1e4)
    edge = 2 / curvature
    assert found.diverged and edge < found.rates[-1] < 20 * edge
    assert edge / 50 < found.suggestion < edge


def test_model_optimizer_and_generators_are_as_they_were():
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Linear(4, 8), torch.nn.BatchNorm1d(8), torch.nn.Dropout(0.5), torch.nn.Linear(8, 1)
    )
    groups = [{"params": model[0].parameters(), "lr": 0.1}, {"params": model[3].parameters(), "lr": 0.01}]
    optimizer = torch.optim.Adam(groups)
    x = torch.randn(64, 4)
    y = x[:, :1] * 3

    def loss_at(i):
        return ((model(x) - y) ** 2).mean()

    loss_at(0).backward()
    optimizer.step()
    optimizer.zero_grad()
    model.eval()

    def everything():
        states = [value for state in optimizer.state.values() for value in state.values()]
        return [*model.state_dict().values(), *states, torch.tensor([g["lr"] for g in optimizer.param_groups])]

    before, generator = [value.clone() for value in everything()], torch.get_rng_state()
    first, second = (find(model, optimizer, loss_at, steps=60, seed=3) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(before, everything()))
    assert torch.equal(generator, torch.get_rng_state())
    assert not model.training and all(p.grad is None for p in model.parameters())
    assert first.losses.tolist() == second.losses.tolist()  # from the same start, with the same dropout


def test_it_restores_also_when_the_loss_raises():
    model, optimizer, _ = quadratic(1.0)

    def loss_at(i):
        if i == 3:
            raise OSError("no more data")
        return (model.weight**2).sum()

    with pytest.raises(OSError):
        find(model, optimizer, loss_at)
    assert model.weight.item() == 1.0 and optimizer.param_groups[0]["lr"] == 1.0


def test_rates_rise_by_equal_factors_and_groups_keep_their_proportion():
    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD([{"params": [model.weight], "lr": 0.2}, {"params": [model.bias], "lr": 0.1}])
    seen = []

    def loss_at(i):
        seen.append([group["lr"] for group in optimizer.param_groups])
        return (model(torch.ones(1, 2)) ** 2).sum()

    found = find(model, optimizer, loss_at, lowest=1e-4, highest=1e-2, steps=21)
    np.testing.assert_allclose(found.rates, np.geomspace(1e-4, 1e-2, 21))
    np.testing.assert_allclose(seen, np.stack([found.rates, found.rates / 2], 1))


def test_a_loss_that_is_not_finite_ends_it():
    model, optimizer, loss_at = quadratic(1.0)
    found = find(model, optimizer, lambda i: loss_at(i) * (math.nan if i == 50 else 1.0), highest=1.0)
    assert found.diverged and len(found.losses) == 51 and np.isfinite(found.smoothed).all()


def test_smoothing_keeps_constants_and_follows_lines():
    rates = np.geomspace(1e-4, 1, 81)
    np.testing.assert_allclose(smooth(rates, np.full(81, 3.0)), 3.0)
    line = np.log10(rates)
    np.testing.assert_allclose(smooth(rates, line)[20:-20], line[20:-20], atol=1e-3)


def test_a_loss_that_falls_nowhere_is_refused():
    with pytest.raises(ValueError, match="falls at no rate"):
        suggest(np.geomspace(1e-4, 1, 5), np.ones(5))
    with pytest.raises(ValueError, match="at least 20 steps"):
        find(*quadratic(1.0), steps=5)
