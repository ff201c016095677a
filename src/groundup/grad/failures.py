"""Break a network on purpose, read what the instruments show, name the failure, repair it.

A setting is all that a training run needs. Every function here takes one and leaves it as it is: what it returns has copies
wherever something differs. Training is plain gradient descent on the whole batch, so that a run has no chance in it.

The rules of `diagnose` are rough, and meant for small classifiers before training. They come in the order of causes: what
stands above can bring about what stands below. Goodfellow, Bengio and Courville, Deep Learning (2016), section 11.5.
"""

import copy
from typing import NamedTuple

import numpy as np

from .init import initialise, lsuv, orthogonal
from .network import Network
from .optim import SGD
from .probe import dead_units, gradient_statistics, loss_curve

FAILURES = ("unscaled inputs", "dead units", "exploding gradients", "vanishing gradients", "diverging", "healthy")
DECIDES = {  # by which reading each is named
    "unscaled inputs": "inputs",
    "dead units": "dead",
    "exploding gradients": "greatest pull",
    "vanishing gradients": "least pull",
    "diverging": "curve",
}
INPUTS = (0.1, 10.0)  # between these the root mean square of the largest column may lie
DEAD = 0.9  # the share of a layer's units that may be dead
EXPLODING = 1e3  # nats
VANISHING = 1e-3  # of the loss
TRIAL = 30  # steps


class Setting(NamedTuple):  # given
    """A net, a batch X (n, inputs) with labels (n,) integers, and the rate of plain gradient descent."""

    net: Network
    X: np.ndarray
    labels: np.ndarray
    rate: float


class Finding(NamedTuple):  # given
    """What diagnose says: one of FAILURES, and what the instruments showed, by name."""

    failure: str
    reading: dict


# ------------------------------------------------------------------------------------------------------------- running


def standardise(X):
    """X (n, inputs) with every column at mean 0 and standard deviation 1 (divided by n); a constant column becomes 0.

    X itself is not changed. A column is constant if all its numbers are equal, whatever rounding makes of its deviation.
    """
    constant = X.max(axis=0) == X.min(axis=0)
    return np.where(constant, 0.0, (X - X.mean(axis=0)) / np.where(constant, 1.0, X.std(axis=0)))


def trial(setting, steps=TRIAL):
    """Some steps of plain gradient descent on a copy of the net, on the whole batch, at the setting's rate.

    -> the losses before each step and after the last (steps + 1,), and the net that came out. Where numbers overflow, the
    losses are infinite or NaN from there on, and nothing is raised or warned of.
    """
    net = copy.deepcopy(setting.net)
    descent, losses = SGD(net.params, lr=setting.rate), []
    with np.errstate(all="ignore"):
        for _ in range(steps):
            loss, grads = net.loss_and_grads(setting.X, setting.labels)
            losses.append(loss)
            descent.step(grads)
        losses.append(net.loss_and_grads(setting.X, setting.labels)[0])
    return np.array(losses), net


def steps_to(loss, setting, most=1000):
    """After how many steps of `trial` the loss is first at or below a target: 0 if it is already. -> int

    None if it is not after `most` steps, or as soon as a loss is not finite. The net is not changed.
    """
    net = copy.deepcopy(setting.net)
    descent = SGD(net.params, lr=setting.rate)
    with np.errstate(all="ignore"):
        for step in range(most + 1):
            now, grads = net.loss_and_grads(setting.X, setting.labels)
            if now <= loss:
                return step
            if not np.isfinite(now):
                return None
            descent.step(grads)
    return None


def fewest_steps(loss, setting, rates, most=1000):
    """steps_to at each of the rates, instead of the setting's own: the fewest steps, and the rate that took them.

    Of equal ones the first. (None, None) where no rate arrives. Two settings are compared fairly only when each has
    the rate that suits it.
    """
    best = (None, None)
    for rate in rates:
        steps = steps_to(loss, setting._replace(rate=rate), most if best[0] is None else best[0] - 1)
        if steps is not None:
            best = (steps, rate)
        if steps == 0:
            break
    return best


# ------------------------------------------------------------------------------------------------------------ diagnosis


def diagnose(setting):
    """Reads the instruments, and names what is wrong -> Finding.

    reading: a dict of
    "inputs": the largest root mean square of a column of X: sqrt(mean(x^2)), so that an offset counts;
    "dead": the largest share of dead units in a hidden layer, 0 without one;
    "least pull", "greatest pull": of the layers, by gradient_statistics;
    "loss": the loss now;
    "curve": the name that loss_curve gives to the losses of a trial;
    "dead after": as "dead", after the trial; 0 if a loss of the trial was not finite.

    failure: the first whose rule holds.
    "unscaled inputs": "inputs" lies outside INPUTS.
    "dead units": "dead" is above DEAD.
    "exploding gradients": "greatest pull" is above EXPLODING, or a pull or the loss is not finite.
    "vanishing gradients": "least pull" is below VANISHING times the loss.
    "diverging": "curve" is "diverged" or "not finite", or "dead after" is above DEAD: the rate has killed what lived.
    "healthy": none of these.
    """
    net, X, labels, _ = setting
    with np.errstate(all="ignore"):
        loss, grads = net.loss_and_grads(X, labels)
        pull = gradient_statistics(net.params, grads)["pull"]
        reading = {
            "inputs": float(np.sqrt(np.mean(np.square(X, dtype=float), axis=0)).max()),
            "dead": _most_dead(net, X),
            "least pull": float(pull.min()),
            "greatest pull": float(pull.max()),
            "loss": loss,
        }
        losses, after = trial(setting)
        reading["curve"] = loss_curve(losses)
        reading["dead after"] = _most_dead(after, X) if np.isfinite(losses).all() else 0.0
    return Finding(_named(reading), reading)


def _named(reading):
    low, high = INPUTS
    if not low <= reading["inputs"] <= high:
        return "unscaled inputs"
    if reading["dead"] > DEAD:
        return "dead units"
    if not (reading["greatest pull"] <= EXPLODING and np.isfinite(reading["loss"])):  # this way round for NaN
        return "exploding gradients"
    if reading["least pull"] < VANISHING * reading["loss"]:
        return "vanishing gradients"
    if reading["curve"] in ("diverged", "not finite") or reading["dead after"] > DEAD:
        return "diverging"
    return "healthy"


def _most_dead(net, X):
    return float(dead_units(net, X).max(initial=0.0))


# ------------------------------------------------------------------------------------------------- inducing and repairing


def unscale(setting, generator):
    """Induces unscaled inputs: -> the setting with other units of measurement, and so with another X.

    Each column of X times a number that is not 0, plus a number: the information is the same. Afterwards the largest root mean
    square of a column is above 100, and the curvatures of a linear fit, which are the eigenvalues of A^T A, A being X with a
    column of ones, differ by a factor of more than 100,000. The largest sets the rate, the smallest the wait.
    """
    columns = setting.X.shape[1]
    units = 10 ** generator.permutation(np.linspace(0.0, 3.0, columns) if columns > 1 else np.array([3.0]))
    return setting._replace(X=units * (setting.X + generator.uniform(1.0, 3.0, columns)))


def vanish(setting, generator):
    """Induces vanishing gradients: -> the setting with another net, for the same inputs and classes.

    Its least pull is below 1e-4 of its loss, and above 0; units of no layer are dead.
    """
    sizes = [setting.X.shape[1], *[16] * 10, _sizes(setting.net)[-1]]
    return setting._replace(net=Network(sizes, generator, "sigmoid"))


def explode(setting, generator):
    """Induces exploding gradients: -> the setting with another net, for the same inputs and classes.

    Its greatest pull is above 10,000 nats, and finite; in no layer more than half of the units are dead.
    """
    net = Network([setting.X.shape[1], *[32] * 6, _sizes(setting.net)[-1]], generator, "relu")
    for W in net.params[::2]:
        W *= 6.0
    return setting._replace(net=net)


def kill_units(setting):
    """Induces dead units: -> the setting, whose net is a relu net with a hidden layer, with other parameters.

    In some hidden layer more than 95 % of the units are dead. Sizes and activation stay, and all parameters are finite.
    """
    net = copy.deepcopy(setting.net)
    reach = max(np.abs(z).max() for z in net.pre_activations(setting.X))
    net.params[1] -= 2 * reach + 1  # as after one step that was far too long
    return setting._replace(net=net)


def overshoot(setting):
    """Induces divergence: -> the setting at 10 times the rate, 100 times, ..., the first at which diagnose says "diverging".

    Only the rate changes. ValueError where a factor of a million is not enough, or something else is wrong.
    """
    for power in range(1, 7):
        faster = setting._replace(rate=setting.rate * 10**power)
        if diagnose(faster).failure == "diverging":
            return faster
    raise ValueError(f"a million times the rate does not diverge: the diagnosis is {diagnose(faster).failure}")


def repair(setting, generator):
    """Diagnoses, applies a remedy, and again, until the diagnosis is "healthy" -> the healthy setting, a list of Findings.

    The Findings are those of the failures, in the order in which they came up; for a healthy setting the list is empty.
    Remedies: unscaled inputs are standardised, and nothing else changes. Where the rate is too large, it alone becomes
    smaller. For the other three the net is a new one of the same sizes; its activation may be another. labels stay.
    If the data can be learned, descent then reaches half of log(classes) within 200 steps: half of what it costs to know
    nothing. ValueError where no remedy helps.
    """
    findings = []
    for _ in range(6):
        finding = diagnose(setting)
        if finding.failure == "healthy":
            return setting, findings
        findings.append(finding)
        if finding.failure == "unscaled inputs":
            setting = setting._replace(X=standardise(setting.X))
        elif finding.failure == "diverging":
            setting = _slower(setting)
        else:
            setting = setting._replace(net=_anew(setting, generator))
    raise ValueError(f"no remedy helps: {', '.join(finding.failure for finding in findings)}")


def _slower(setting):
    """A third of the rate, until it no longer diverges, and once more: the edge is no place to train."""
    while diagnose(setting).failure == "diverging":
        setting = setting._replace(rate=setting.rate / 3)
    return setting._replace(rate=setting.rate / 3)


def _anew(setting, generator):
    """A net that keeps samples apart through many layers: tanh, orthogonal, and then by measurement."""
    net = Network(_sizes(setting.net), generator, "tanh", setting.net.params[0].dtype)
    return lsuv(initialise(net, orthogonal, generator), setting.X)


def _sizes(net):
    return [net.params[0].shape[0], *[len(b) for b in net.params[1::2]]]


# ------------------------------------------------------------------------------------------------------------ writing down

_STORIES = {  # symptom, cause, repair
    "unscaled inputs": (
        "The loss falls slowly, or not at all, at every rate.",
        "Columns of X in different units: one rate cannot suit a weight that sees hundreds and one that sees tenths.",
        "Standardise each column with the mean and the deviation of the training samples.",
    ),
    "dead units": (
        "The loss stays at what it costs to know nothing, and the gradients in front of a layer are exactly 0.",
        "Units that are negative for every sample: relu gives 0, and nothing comes back that could change that.",
        "Begin anew with biases of 0 and scaled weights; then find out which step pushed them there.",
    ),
    "exploding gradients": (
        "The first loss is far above log(classes), and NaN follows soon.",
        "Weights too large for the depth: every layer multiplies what it is given.",
        "Begin anew with weights scaled to unit variance, layer by layer.",
    ),
    "vanishing gradients": (
        "The loss is flat from the beginning, or only the last layers learn.",
        "Small slopes or small weights in many layers: every layer on the way back takes its share.",
        "Take another nonlinearity than the sigmoid, and weights scaled to unit variance, layer by layer.",
    ),
    "diverging": (
        "The loss grows from step to step, or settles at chance after a few wild steps.",
        "The rate is beyond what the curvature allows: every step ends higher on the other side.",
        "Divide the rate by 3 until the loss falls, once more for safety, and start from the first weights.",
    ),
}


def debugging_log(findings):
    """An entry for the notes: a list of Findings, as `repair` returns them -> text in Markdown.

    For each, in order: a line "## " and the name of the failure, and four lines that begin with "- Symptom: ",
    "- Reading: ", "- Cause: " and "- Repair: ". The reading is the one by which the failure is named, by DECIDES, such as
    "dead = 0.97": numbers in the format ".3g". The other three say something in at least four words, and something else for
    each failure. For an empty list, and for "healthy", there is no heading: the text says that nothing was found.
    """
    entries = [_entry(finding) for finding in findings if finding.failure != "healthy"]
    return "\n\n".join(entries) + "\n" if entries else "No failure was found.\n"


def _entry(finding):
    symptom, cause, repair = _STORIES[finding.failure]
    name = DECIDES[finding.failure]
    value = finding.reading[name]
    shown = value if isinstance(value, str) else f"{value:.3g}"
    if finding.failure == "diverging":
        shown += f", dead after = {finding.reading['dead after']:.3g}"
    return f"## {finding.failure}\n\n- Symptom: {symptom}\n- Reading: {name} = {shown}\n- Cause: {cause}\n- Repair: {repair}"
