"""The loop of training: what it does to a batch, when it stops, what it keeps, and how it goes on."""

import signal
import subprocess
import sys

import numpy as np
import pytest

from groundup.grad import nn
from groundup.grad.data import Loader
from groundup.grad.fit import History, accuracy, fit, load, save, train_epoch
from groundup.grad.losses import cross_entropy
from groundup.grad.network import Network
from groundup.grad.optim import SGD, Adam


class Counter:
    """A parameter that rises by 1 a step; how many of ten are right is written down for each epoch of one step."""

    def __init__(self, script=()):
        self.params, self.buffers, self.script = [np.zeros(1)], [np.zeros(1)], script

    def loss_and_grads(self, X, y):
        self.buffers[0] -= 1
        return float(self.params[0][0]), [-np.ones(1)]

    def predict(self, X):
        right = self.script[round(self.params[0][0]) - 1]
        return np.repeat([0, 1], [right, 10 - right])[X]


HELD_OUT = np.arange(10), np.zeros(10, int)


def counted(script, **options):
    model = Counter(script)
    loader = Loader(np.zeros(3), np.zeros(3), size=3)
    return fit(model, SGD(model.params, lr=1.0), loader, len(script), valid=HELD_OUT, **options), model


def digits():
    rng = np.random.default_rng(0)
    return rng.standard_normal((40, 5)), rng.integers(0, 3, 40)


def trained(epochs, path=None, valid=None, watch=None, rate=0.01, adam=True):
    X, y = digits()
    net = Network([5, 8, 3], np.random.default_rng(1))
    optimiser = Adam(net.params, lr=rate) if adam else SGD(net.params, lr=rate, momentum=0.9)
    loader = Loader(X, y, size=7, seed=2)
    options = dict(valid=valid, checkpoint=path, watch=watch, clip=1.0)
    history = fit(
        net,
        optimiser,
        loader,
        epochs,
        schedule=lambda step: rate / (1 + 0.1 * step),
        augment=lambda X, generator: X + 0.1 * generator.standard_normal(X.shape),
        **options,
    )
    return history, net


def same(one, two):
    return all(np.array_equal(a, b) for a, b in zip(one.params, two.params))


@pytest.mark.parametrize("size", [1, 3, 4, 100])
def test_accuracy_does_not_depend_on_how_the_samples_are_divided(size):
    model = Counter([4])
    model.params[0][0] = 1
    assert accuracy(model, *HELD_OUT, size=size) == 0.4


def test_losses_are_those_from_before_each_step_and_the_schedule_knows_the_step():
    model, rates = Counter(), []
    optimiser = SGD(model.params, lr=1.0)

    def schedule(step):
        rates.append(step)
        return 2.0 ** -len(rates)

    loader = Loader(np.zeros(5), np.zeros(5), size=2)
    assert train_epoch(model, optimiser, loader, 2, schedule=schedule) == [0.0, 0.5, 0.75]
    assert rates == [6, 7, 8]


def test_augmentation_sees_other_draws_at_each_step_and_the_same_again():
    seen = []

    def draw(X, generator):
        seen.append(generator.random())
        return X

    loader = Loader(np.zeros(6), np.zeros(6), size=2, seed=5)
    for number in (0, 1, 0):
        model = Counter()
        train_epoch(model, SGD(model.params, lr=1.0), loader, number, augment=draw)
    assert len(set(seen)) == 6 and seen[:3] == seen[6:]
    assert seen[0] != np.random.default_rng([5, 0]).random()  # not what the order is drawn from


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_loss_that_is_not_finite_ends_the_training_and_changes_nothing(value):
    model = Counter()
    model.params[0][0] = value
    before = model.params[0].copy()
    with pytest.raises(FloatingPointError, match="step 4"):
        train_epoch(model, SGD(model.params, lr=1.0), Loader(np.zeros(4), np.zeros(4), size=1), 1)
    np.testing.assert_array_equal(model.params[0], before)


@pytest.mark.parametrize(
    ("script", "patience", "best", "epochs"),
    [
        ([1, 2, 3], None, 3, 3),
        ([3, 2, 1], None, 1, 3),
        ([1, 3, 3, 2], None, 2, 4),
        ([0, 0, 0], None, 1, 3),
        ([3, 2, 1, 9], 2, 1, 3),
        ([3, 2, 4, 3, 3, 9], 2, 3, 5),
        ([3, 3, 3], 1, 1, 2),
        ([1, 2, 3, 4], 1, 4, 4),
    ],
)
def test_the_first_of_the_best_epochs_is_put_back_and_patience_counts_in_a_row(script, patience, best, epochs):
    history, model = counted(script, patience=patience)
    assert (history.best, history.epochs) == (best, epochs)
    assert history.accuracy == [right / 10 for right in script[:epochs]]
    assert model.params[0] == best and model.buffers[0] == -best


def test_without_held_out_samples_the_last_epoch_stays():
    history, _ = trained(3)
    assert (history.best, history.epochs, history.accuracy) == (3, 3, [])
    assert len(history.losses) == 3 * 6


def test_patience_needs_something_to_watch():
    model = Counter()
    loader = Loader(np.zeros(3), size=3)
    for options in (dict(patience=1), dict(patience=0, valid=HELD_OUT)):
        with pytest.raises(ValueError, match="patience"):
            fit(model, SGD(model.params, lr=1.0), loader, 1, **options)


@pytest.mark.parametrize("adam", [True, False])
@pytest.mark.parametrize("stop", [0, 5, 6, 16, 23])
def test_a_run_broken_off_anywhere_goes_on_bit_for_bit(tmp_path, stop, adam):
    X, y = digits()
    valid = X[:15], y[:15]

    def interrupt(step, loss):
        if step == stop:
            raise KeyboardInterrupt

    whole, expected = trained(4, valid=valid, adam=adam)
    with pytest.raises(KeyboardInterrupt):
        trained(4, tmp_path / "run", valid, interrupt, adam=adam)
    history, net = trained(4, tmp_path / "run", valid, adam=adam)
    assert history == whole and same(net, expected)
    assert same(trained(4, tmp_path / "run", valid, adam=adam)[1], expected)  # with nothing left to do


def test_more_epochs_may_be_asked_for_later(tmp_path):
    trained(2, tmp_path / "run")
    assert trained(5, tmp_path / "run")[0].losses == trained(5)[0].losses


def modules(seed):
    rng = np.random.default_rng(seed)
    net = nn.Sequential(nn.Linear(5, 6, rng), nn.BatchNorm(6), nn.ReLU(), nn.Dropout(0.3, rng), nn.Linear(6, 3, rng))
    return nn.Trainable(net, cross_entropy)


def test_dropout_and_running_means_go_on_too(tmp_path):
    X, y = digits()
    loader = Loader(X, y, size=8)

    def run(epochs, path=None):
        model = modules(0)
        fit(model, Adam(model.params), loader, epochs, checkpoint=path)
        return [*model.params, *model.buffers]

    expected = run(4)
    run(2, tmp_path / "run")
    for a, b in zip(run(4, tmp_path / "run"), expected):
        np.testing.assert_array_equal(a, b)


def test_another_models_file_is_refused_and_nothing_has_changed(tmp_path):
    def made(width, adam=True):
        net = Network([3, width, 2], np.random.default_rng(width))
        return net, (Adam if adam else SGD)(net.params)

    net, optimiser = made(4)
    save(tmp_path / "run", net, optimiser, History(), net.params)
    for other, rule in (made(5), made(4, adam=False), (modules(0), optimiser)):
        before = [p.copy() for p in other.params]
        other.params[0] += 1
        with pytest.raises(ValueError):
            load(tmp_path / "run", other, rule)
        np.testing.assert_array_equal(other.params[0], before[0] + 1)


def test_a_save_that_fails_leaves_the_old_file(tmp_path):
    net = Network([3, 2], np.random.default_rng(0))
    optimiser = Adam(net.params)
    save(tmp_path / "run", net, optimiser, History(epochs=1), net.params)
    before = (tmp_path / "run").read_bytes()

    (tmp_path / "run.part").mkdir()  # in the way
    with pytest.raises(OSError):
        save(tmp_path / "run", net, optimiser, History(epochs=2), net.params)
    assert (tmp_path / "run").read_bytes() == before


KILLED = """
import os, signal, sys
import numpy as np
from groundup.grad.data import Loader
from groundup.grad.fit import fit
from groundup.grad.network import Network
from groundup.grad.optim import Adam


def run(path=None, watch=None):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((24, 6)), rng.integers(0, 3, 24)
    net = Network([6, 8, 3], np.random.default_rng(1))
    fit(net, Adam(net.params), Loader(X, y, size=4), 8, valid=(X[:9], y[:9]), checkpoint=path, watch=watch)
    return net.params


def kill(*_):
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    path, call, times = sys.argv[1], sys.argv[2], int(sys.argv[3])
    count = 0

    def at_last(function):
        def counted(*arguments):
            global count
            count += 1
            return kill() if count == times else function(*arguments)

        return counted

    watch = at_last(lambda *_: None) if call == "watch" else None
    if call in ("fsync", "replace"):
        setattr(os, call, at_last(getattr(os, call)))
    run(path, watch)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no kill -9")
def test_a_run_killed_while_it_steps_or_while_it_writes_goes_on_bit_for_bit(tmp_path):
    path, script = tmp_path / "run", {"__name__": "killed"}
    exec(KILLED, script)
    for call, times in (("watch", 16), ("fsync", 3), ("replace", 2)):  # in the third epoch, the fifth, the sixth
        ended = subprocess.run([sys.executable, "-c", KILLED, path, call, str(times)], timeout=60)
        assert ended.returncode == -signal.SIGKILL
    resumed = script["run"](path)
    assert all(np.array_equal(a, b) for a, b in zip(resumed, script["run"]()))
