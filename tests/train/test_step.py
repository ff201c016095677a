"""One step, against torch's own loop written out."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from groundup.train.optim import Optimizers
from groundup.train.step import Diverged, Precision, gradient, step


class Net(nn.Module):
    """A model of the smallest kind that keeps the contract: model(x, y) -> mean loss over counted targets."""

    def __init__(self, vocab=11, width=6, dtype=torch.float64):
        super().__init__()
        torch.manual_seed(0)
        self.table = nn.Embedding(vocab, width, dtype=dtype)
        self.head = nn.Linear(width, vocab, dtype=dtype)

    def forward(self, x, y):
        return F.cross_entropy(self.head(self.table(x)).flatten(0, 1).float(), y.flatten(), ignore_index=-1)


class Double(Net):
    def forward(self, x, y):
        return F.cross_entropy(self.head(self.table(x)).flatten(0, 1), y.flatten(), ignore_index=-1)


def sgd(model, lr=0.5):
    return Optimizers([torch.optim.SGD(model.parameters(), lr=lr)], model)


def draw(seed, A=4, B=4, T=5, padded=False):
    generator = torch.Generator().manual_seed(seed)
    x, y = torch.randint(0, 11, (2, A, B, T), generator=generator)
    if padded:
        y[torch.rand(y.shape, generator=generator) < torch.linspace(0.1, 0.9, A)[:, None, None]] = -1
    return x, y


@pytest.mark.parametrize("padded", [False, True])
def test_four_times_four_is_sixteen_times_one(padded):
    for seed in range(5):
        x, y = draw(seed, padded=padded)
        parts, whole = Double(), Double()
        a = gradient(parts, x, y, Precision())
        b = gradient(whole, x.reshape(1, 16, 5), y.reshape(1, 16, 5), Precision())
        torch.testing.assert_close(a, b, rtol=1e-6, atol=0)
        for p, q in zip(parts.parameters(), whole.parameters()):
            torch.testing.assert_close(p.grad, q.grad, rtol=1e-12, atol=1e-14)


def test_a_micro_batch_without_a_counted_target_adds_nothing():
    x, y = draw(0)
    y[2] = -1
    some, fewer = Double(), Double()
    gradient(some, x, y, Precision())
    keep = [0, 1, 3]
    gradient(fewer, x[keep], y[keep], Precision())
    for p, q in zip(some.parameters(), fewer.parameters()):
        torch.testing.assert_close(p.grad, q.grad)


@pytest.mark.parametrize("clip", [0.0, 0.1, 100.0])
def test_steps_are_those_of_the_plain_loop(clip):
    model = Double()
    other = copy.deepcopy(model)
    optimizers, theirs = sgd(model), torch.optim.SGD(other.parameters(), lr=0.5)
    for seed in range(5):
        x, y = draw(seed)
        result = step(model, optimizers, x, y, clip=clip)
        theirs.zero_grad()
        loss = other(x.flatten(0, 1), y.flatten(0, 1))
        loss.backward()
        norm = nn.utils.clip_grad_norm_(other.parameters(), clip or float("inf"))
        theirs.step()
        assert result.loss == pytest.approx(loss.item(), rel=1e-6)
        assert result.grad_norm == pytest.approx(norm.item(), rel=1e-10)  # before it was clipped
    for p, q in zip(model.parameters(), other.parameters()):
        torch.testing.assert_close(p, q, rtol=1e-7, atol=1e-9)


def test_a_loss_that_is_not_finite_changes_nothing_and_names_who_broke():
    x, y = draw(0)
    for name in ("table.weight", "head.bias"):
        model = Net()
        with torch.no_grad():
            model.get_parameter(name).view(-1)[3] = float("nan")
        before = {key: value.clone() for key, value in model.state_dict().items()}
        with pytest.raises(Diverged, match=f"the weights of {name} are not finite"):
            step(model, sgd(model), x, y)
        for key, value in model.state_dict().items():
            assert torch.equal(value.nan_to_num(7.0), before[key].nan_to_num(7.0))


def test_a_gradient_that_is_not_finite_is_named():
    class Steep(Net):
        def forward(self, x, y):
            return super().forward(x, y) + (self.head.bias * 0.0).sqrt().sum()  # 0, with a slope of infinity times 0

    model = Steep()
    with torch.no_grad():
        model.head.bias.zero_()
    with pytest.raises(Diverged, match=r"the gradient of head\.bias is not finite"):
        step(model, sgd(model), *draw(0))


@pytest.mark.parametrize("name", ["bfloat16", "float16"])
def test_half_precision_is_near_and_its_scaler_leaves_no_trace(name):
    model = Net(dtype=torch.float32)
    other = copy.deepcopy(model)
    precision, optimizers, theirs = Precision(name), sgd(model), sgd(other)
    for seed in range(4):
        a = step(model, optimizers, *draw(seed), clip=1.0, precision=precision)
        b = step(other, theirs, *draw(seed), clip=1.0)
        assert a.loss == pytest.approx(b.loss, rel=0.02) and a.grad_norm == pytest.approx(b.grad_norm, rel=0.05)
    for p, q in zip(model.parameters(), other.parameters()):
        assert (p - q).abs().max() < 0.02


def test_a_scaled_gradient_that_overflows_costs_one_step_and_no_weight():
    model = Net(dtype=torch.float32)
    precision, optimizers = Precision("float16"), sgd(model)
    precision.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**120)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    step(model, optimizers, *draw(0), clip=1.0, precision=precision)
    assert precision.scaler.get_scale() == 2.0**119
    for key, value in model.state_dict().items():
        assert torch.equal(value, before[key])


def test_an_unknown_precision_is_refused():
    with pytest.raises(ValueError, match="float32, bfloat16, float16 or auto"):
        Precision("float8")
    assert Precision("auto").dtype in (torch.float32, torch.bfloat16)
