"""The figures of lesson 3.4."""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from groundup.course.figures import INK
from groundup.grad import failures, init, probe
from groundup.grad.network import Network

RED, BLUE, GREEN = "#a8402a", "#2b7a9e", "#4f8a3c"


def _digits():
    X, labels = load_digits(return_X_y=True)
    return failures.standardise(X[:200]), labels[:200]


def spread():
    """The deviation of what each of 30 relu layers hands on, under four first weights."""
    X, _ = _digits()
    figure, axes = plt.subplots(figsize=(6.4, 3.2))
    place = np.arange(1, 31)
    rules = [
        ("twice He's variance", lambda n, m, g: init.he(n, m, g, gain=2.0), RED, 17, 8.0),
        ("He", init.he, INK, 30.6, 0.22),
        ("orthogonal, LSUV", init.orthogonal, BLUE, 30.6, 1.1),
        ("Xavier", init.xavier, GREEN, 13, 2e-4),
    ]
    for name, rule, color, x, y in rules:
        net = init.initialise(Network([64, *[64] * 30, 10], np.random.default_rng(0)), rule, np.random.default_rng(0))
        if rule is init.orthogonal:
            init.lsuv(net, X)
        axes.semilogy(place, probe.activation_statistics(net, X)["std"], "o-", ms=2.5, lw=1.3, color=color)
        axes.text(x, y, name, color=color, va="center")
    axes.set_xlabel("hidden layer")
    axes.set_ylabel("deviation of the activations")
    axes.set_xlim(0.5, 38)
    axes.set_xticks([1, 10, 20, 30])
    return figure


def pulls():
    """The pull of every layer in nets of ten hidden layers, before the first step."""
    X, labels = _digits()
    figure, axes = plt.subplots(figsize=(6.4, 3.3))
    nets = [
        ("relu, weights × 3", "relu", 3.0, RED, (11.3, 4e6)),
        ("tanh", "tanh", 1.0, INK, (11.3, 1.1)),
        ("tanh, weights × 0.3", "tanh", 0.3, BLUE, (11.3, 7e-6)),
        ("sigmoid", "sigmoid", 1.0, GREEN, (7.3, 2e-4)),
    ]
    for name, activation, scale, color, at in nets:
        net = Network([64, *[32] * 10, 10], np.random.default_rng(0), activation)
        for W in net.params[::2]:
            W *= scale
        _, grads = net.loss_and_grads(X, labels)
        pull = probe.gradient_statistics(net.params, grads)["pull"]
        axes.semilogy(np.arange(1, 12), pull, "o-", ms=3, lw=1.3, color=color)
        axes.text(*at, name, color=color, va="center")
    axes.axhline(1e3, color=INK, lw=0.7, ls=":")
    axes.axhline(2.3e-3, color=INK, lw=0.7, ls=":")
    axes.set_xlabel("layer")
    axes.set_ylabel("pull, nats")
    axes.set_xlim(0.6, 15.2)
    axes.set_xticks([1, 3, 5, 7, 9, 11])
    return figure


def curves():
    """Five failures (red), and the same settings repaired (blue)."""
    X, labels = _digits()
    sound = failures.Setting(Network([64, 32, 10], np.random.default_rng(0)), X, labels, 1.0)
    rng = np.random.default_rng(1)
    broken = [
        failures.unscale(sound, rng),
        failures.kill_units(sound),
        failures.explode(sound, rng),
        failures.vanish(sound, rng),
        failures.overshoot(sound),
    ]
    figure, row = plt.subplots(1, 5, figsize=(8.4, 2.3), sharey=True)
    for axes, setting in zip(row, broken):
        repaired, findings = failures.repair(setting, rng)
        for one, color in ((setting, RED), (repaired, BLUE)):
            losses, _ = failures.trial(one, 30)
            axes.semilogy(
                np.where(losses < 1e100, losses, np.nan), color=color, lw=1.4
            )  # out of the frame, not along it
        axes.axhline(np.log(10), color=INK, lw=0.7, ls=":")
        axes.set_title(findings[0].failure.replace(" ", "\n", 1), fontsize=9, color=INK)
        axes.set_xlabel("step")
        axes.set_ylim(1e-2, 1e7)
    row[0].set_ylabel("loss")
    return figure
