"""Another way: descent written out, other ways of breaking, and relu with He's weights as the remedy where that will do."""

import math
from copy import deepcopy
from typing import NamedTuple

import numpy as np

from .init import he, initialise, lsuv, xavier
from .network import Network
from .probe import dead_units, gradient_statistics, loss_curve

FAILURES = ("unscaled inputs", "dead units", "exploding gradients", "vanishing gradients", "diverging", "healthy")
DECIDES = dict(zip(FAILURES, ("inputs", "dead", "greatest pull", "least pull", "curve")))
INPUTS = (0.1, 10.0)
DEAD = 0.9
EXPLODING = 1e3
VANISHING = 1e-3
TRIAL = 30


class Setting(NamedTuple):
    net: Network
    X: np.ndarray
    labels: np.ndarray
    rate: float


class Finding(NamedTuple):
    failure: str
    reading: dict


def standardise(X):
    columns = []
    for column in np.asarray(X, float).T:
        if all(v == column[0] for v in column):
            columns.append(np.zeros(len(column)))
        else:
            centred = column - column.mean()
            columns.append(centred / math.sqrt(np.dot(centred, centred) / len(column)))
    return np.stack(columns, axis=1)


def course(setting):
    """Yields (loss, net) for ever, with a step of descent between."""
    net = deepcopy(setting.net)
    while True:
        loss, grads = net.loss_and_grads(setting.X, setting.labels)
        yield loss, net
        for p, g in zip(net.params, grads):
            p -= setting.rate * g


def trial(setting, steps=TRIAL):
    with np.errstate(all="ignore"):
        run, losses = course(setting), []
        while len(losses) <= steps:
            loss, net = next(run)
            losses.append(loss)
        return np.array(losses), net


def steps_to(loss, setting, most=1000):
    with np.errstate(all="ignore"):
        for step, (now, _) in enumerate(course(setting)):
            if now <= loss:
                return step
            if step == most or not math.isfinite(now):
                return None


def fewest_steps(loss, setting, rates, most=1000):
    counts = [(steps_to(loss, setting._replace(rate=rate), most), rate) for rate in rates]
    arrived = [count for count in counts if count[0] is not None]
    return min(arrived, key=lambda count: count[0]) if arrived else (None, None)


def worst(net, X):
    shares = dead_units(net, X)
    return float(max(shares)) if len(shares) else 0.0


def diagnose(setting):
    with np.errstate(all="ignore"):
        loss, grads = setting.net.loss_and_grads(setting.X, setting.labels)
        pulls = gradient_statistics(setting.net.params, grads)["pull"]
        losses, after = trial(setting)
        reading = dict(
            inputs=math.sqrt(max(np.mean(column**2) for column in setting.X.T.astype(float))),
            dead=worst(setting.net, setting.X),
            loss=loss,
            curve=loss_curve(losses),
        )
        reading["least pull"], reading["greatest pull"] = float(np.min(pulls)), float(np.max(pulls))
        reading["dead after"] = worst(after, setting.X) if all(map(math.isfinite, losses)) else 0.0
    symptoms = [
        reading["inputs"] < INPUTS[0] or reading["inputs"] > INPUTS[1],
        reading["dead"] > DEAD,
        not math.isfinite(loss) or not np.isfinite(pulls).all() or reading["greatest pull"] > EXPLODING,
        reading["least pull"] < VANISHING * loss,
        reading["curve"] in ("not finite", "diverged") or reading["dead after"] > DEAD,
        True,
    ]
    return Finding(FAILURES[symptoms.index(True)], reading)


def ends(setting):
    return setting.X.shape[1], len(setting.net.params[-1])


def unscale(setting, generator):
    """Some columns in thousands, far from 0, the others as they were."""
    d = setting.X.shape[1]
    factors = np.where(np.arange(d) % 2 == 0, 2000.0, 1.0)
    return setting._replace(X=setting.X * factors + 3 * factors)


def vanish(setting, generator):
    """Weights that are too small, in eight layers of tanh."""
    d, k = ends(setting)
    net = Network([d] + [20] * 8 + [k], generator, "tanh")
    for i in range(0, len(net.params), 2):
        net.params[i][:] = xavier(*net.params[i].shape, generator, gain=0.15)
    return setting._replace(net=net)


def explode(setting, generator):
    d, k = ends(setting)
    net = Network([d, 24, 24, 24, 24, k], generator, "relu")
    initialise(net, lambda n, m, rng: he(n, m, rng, gain=20.0, uniform=True), generator)
    return setting._replace(net=net)


def kill_units(setting):
    """The last hidden layer, by weights and biases."""
    net = deepcopy(setting.net)
    W, b = net.params[-4], net.params[-3]
    W[...] = -np.abs(W) if len(net.params) > 4 else 0.0
    b[...] = -1.0
    return setting._replace(net=net)


def overshoot(setting):
    rate = setting.rate
    while rate < 2e6 * setting.rate:
        rate *= 10
        if diagnose(setting._replace(rate=rate)).failure == "diverging":
            return setting._replace(rate=rate)
    raise ValueError("it does not diverge")


def repair(setting, generator):
    found = []
    while (finding := diagnose(setting)).failure != "healthy":
        found.append(finding)
        if len(found) > 12:
            raise ValueError("no remedy helps")
        net, X, labels, rate = setting
        if finding.failure == FAILURES[0]:
            X = standardise(X)
        elif finding.failure == "diverging":
            rate = rate / 5
        else:
            widths = [X.shape[1]] + [len(b) for b in net.params[1::2]]
            deep = len(widths) > 5
            net = initialise(Network(widths, generator, "tanh" if deep else "relu"), xavier if deep else he, generator)
            if deep:
                lsuv(net, X)
        setting = Setting(net, X, labels, rate)
    return setting, found


STORIES = {
    "unscaled inputs": "slow at every rate|columns in units of their own size|standardise every column of X",
    "dead units": "stuck at the loss of chance|no sample makes the unit positive|draw it anew with zero biases",
    "exploding gradients": "a first loss of thousands|each layer multiplies its input|smaller weights in every layer",
    "vanishing gradients": "the first layers stand still|each layer shrinks what returns|weights of unit variance, no sigmoid",
    "diverging": "a loss that grows and grows|steps longer than curvature allows|a fifth of the rate",
}


def debugging_log(findings):
    lines = []
    for failure, reading in findings:
        if failure == "healthy":
            continue
        symptom, cause, remedy = STORIES[failure].split("|")
        key = DECIDES[failure]
        value = reading[key] if key == "curve" else format(reading[key], ".3g")
        lines += [f"## {failure}", "", f"- Symptom: {symptom}, it was", f"- Reading: {key} was {value}"]
        lines += [f"- Cause: {cause}", f"- Repair: {remedy}", ""]
    return "\n".join(lines or ["Nothing was found."])
