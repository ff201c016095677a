"""What is asked of lesson 3.4: first weights, instruments, and failures that are induced, named and repaired.

The judge has instruments of its own: a network in a few lines of NumPy, and rules read off the docstrings.
"""

import math
from itertools import pairwise

import numpy as np

from groundup.course import checkpoint

ACTIVATIONS = ["tanh", "relu", "gelu", "sigmoid"]
SEED_SOUND, SEED_UNITS, SEED_SWINGING, SEED_KILLING, SEED_BLOWN = 1, 0, 38, 0, 21
DECIDES = {
    "unscaled inputs": "inputs",
    "dead units": "dead",
    "exploding gradients": "greatest pull",
    "vanishing gradients": "least pull",
    "diverging": "curve",
}


def printed(x):
    return np.array2string(np.asarray(x), separator=", ", threshold=60)


# ------------------------------------------------------------------------------------------- the judge's own instruments


def bend(activation, z):
    """A nonlinearity and its slope."""
    if activation == "relu":
        return np.where(z > 0, z, 0.0), np.where(z > 0, 1.0, 0.0)
    if activation == "tanh":
        return np.tanh(z), 1 / np.cosh(np.clip(z, -300, 300)) ** 2
    from scipy import special

    if activation == "sigmoid":
        return special.expit(z), special.expit(z) * special.expit(-z)
    density = np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
    return z * special.ndtr(z), special.ndtr(z) + z * density


def hidden_layers(activation, params, X):
    """Pre-activations, activations and slopes of the hidden layers, and the scores."""
    h, layers = X, []
    for W, b in zip(params[:-2:2], params[1:-2:2]):
        z = h @ W + b
        h, slope = bend(activation, z)
        layers.append((z, h, slope))
    return layers, h @ params[-2] + params[-1]


def loss_and_grads(activation, params, X, labels):
    layers, scores = hidden_layers(activation, params, X)
    n, rows = len(X), np.arange(len(X))
    shifted = scores - scores.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    g = np.exp(log_p)
    g[rows, labels] -= 1
    g /= n
    grads = []
    inputs = [X, *[h for _, h, _ in layers]]
    for place in range(len(layers), -1, -1):
        grads = [inputs[place].T @ g, g.sum(axis=0), *grads]
        if place:
            g = (g @ params[2 * place].T) * layers[place - 1][2]
    return float(-log_p[rows, labels].mean()), grads


def descend(activation, params, X, labels, rate, steps, stop_at=None):
    """Losses before each step and after the last, and the parameters that came out."""
    params, losses = [p.copy() for p in params], []
    with np.errstate(all="ignore"):
        for step in range(steps + 1):
            loss, grads = loss_and_grads(activation, params, X, labels)
            losses.append(loss)
            if stop_at is not None and (loss <= stop_at or not math.isfinite(loss)):
                break
            if step < steps:
                params = [p - rate * g for p, g in zip(params, grads)]
    return np.array(losses), params


def fewest(activation, params, X, labels, loss, rates, most):
    """The fewest steps to a loss over the rates, and the rate; None where none arrives."""
    found = []
    for place, rate in enumerate(rates):
        losses, _ = descend(activation, params, X, labels, rate, most, stop_at=loss)
        if losses[-1] <= loss:
            found.append((len(losses) - 1, place))
    if not found:
        return [None, None]
    steps, place = min(found)
    return [steps, rates[place]]


def named_curve(losses, valid=None, slack=1.0):
    """The rules of loss_curve; slack multiplies every threshold, to see whether a case is near one."""
    losses = [float(x) for x in losses]
    n = len(losses)
    if not all(math.isfinite(x) for x in [*losses, *([] if valid is None else [float(v) for v in valid])]):
        return "not finite"

    def end(curve):
        return float(np.median(curve[n - n // 4 :]))

    if end(losses) > 1.5 * slack * losses[0]:
        return "diverged"
    if valid is not None:
        least = min(valid)
        at = list(valid).index(least)
        if end(valid) > 1.1 * slack * least and end(losses) < slack * losses[at]:
            return "overfitting"
    half = losses[n // 2 :]
    changes = [b - a for a, b in pairwise(half)]
    turns = [a * b < 0 for a, b in pairwise(changes)]
    often = bool(turns) and sum(turns) > 0.5 * slack * len(turns)
    if often and sum(map(abs, changes)) / len(changes) > 0.1 * slack * sum(half) / len(half):
        return "oscillating"
    return "falling" if end(losses) < 0.9 * slack * losses[0] else "flat"


def clear_curve(losses, valid=None):
    """Whether the name would be the same with thresholds a little lower or higher."""
    return len({named_curve(losses, valid, slack) for slack in (0.97, 1.0, 1.03)}) == 1


def most_dead(activation, params, X):
    layers, _ = hidden_layers(activation, params, X)
    return max((float((h == 0).all(axis=0).mean()) for _, h, _ in layers), default=0.0)


def instruments(activation, params, X, labels, rate, steps=30):
    """The readings of diagnose, worked out here, and the losses of the trial."""
    with np.errstate(all="ignore"):
        loss, grads = loss_and_grads(activation, params, X, labels)
        pulls = [math.sqrt((W**2).sum()) * math.sqrt((g**2).sum()) for W, g in zip(params[::2], grads[::2])]
        losses, after = descend(activation, params, X, labels, rate, steps)
        settled = bool(np.isfinite(losses).all())
        return {
            "inputs": math.sqrt(max((X**2).mean(axis=0))),
            "dead": most_dead(activation, params, X),
            "least pull": min(pulls) if all(map(math.isfinite, pulls)) else math.nan,
            "greatest pull": max(pulls) if all(map(math.isfinite, pulls)) else math.nan,
            "loss": loss,
            "curve": named_curve(losses),
            "dead after": most_dead(activation, after, X) if settled else 0.0,
        }, losses


def failure_of(reading, slack=1.0):
    if reading["inputs"] > 10 * slack or reading["inputs"] < 0.1 * slack:
        return "unscaled inputs"
    if reading["dead"] > 0.9 * slack:
        return "dead units"
    finite = math.isfinite(reading["greatest pull"]) and math.isfinite(reading["loss"])
    if not finite or reading["greatest pull"] > 1000 * slack:
        return "exploding gradients"
    if reading["least pull"] < 0.001 * slack * reading["loss"]:
        return "vanishing gradients"
    if reading["curve"] in ("diverged", "not finite") or reading["dead after"] > 0.9 * slack:
        return "diverging"
    return "healthy"


def named(case):
    """The failure of a setting. A trial is run only where it can decide."""
    before = failure_of(instruments(**case, steps=4)[0] | {"curve": "", "dead after": 0.0})
    return before if before != "healthy" else failure_of(instruments(**case)[0])


def clear(activation, params, X, labels, rate):
    """The failure of a setting, or None where rounding or a hair's breadth could change it."""
    before = instruments(activation, params, X, labels, rate, steps=4)[0] | {"curve": "", "dead after": 0.0}
    name = failure_of(before)
    if any(failure_of(before, slack) != name for slack in (0.96, 1.04)):
        return None
    if name != "healthy":
        return name
    reading, losses = instruments(activation, params, X, labels, rate)
    name = failure_of(reading)
    if any(failure_of(reading, slack) != name for slack in (0.96, 1.04)):
        return None
    if not clear_curve(losses):
        return None
    for nudge in (1e-7, -1e-6):  # is the run the same for weights that differ by almost nothing?
        again, _ = instruments(activation, [p * (1 + nudge) for p in params], X, labels, rate)
        if (again["curve"], again["dead after"]) != (reading["curve"], reading["dead after"]):
            return None
    return name


# ------------------------------------------------------------------------------------------------- settings as plain data


def made(lib, activation, params):
    """A network of the library with these parameters, written in place."""
    sizes = [params[0].shape[0], *[len(b) for b in params[1::2]]]
    net = lib.grad.network.Network(sizes, np.random.default_rng(0), activation)
    for array, value in zip(net.params, params):
        array[...] = value
    return net


def setting_of(lib, activation, params, X, labels, rate):
    return lib.grad.failures.Setting(made(lib, activation, params), X, labels, rate)


def taken(setting):
    """A setting as plain data."""
    net = setting.net
    return {
        "activation": str(net.activation),
        "params": [np.array(p) for p in net.params],
        "X": np.array(setting.X),
        "labels": np.array(setting.labels),
        "rate": float(setting.rate),
    }


def weights(rng, sizes, activation, scale=1.0):
    params = []
    for n, m in pairwise(sizes):
        params += [scale * rng.normal(0, math.sqrt((2 if activation == "relu" else 1) / n), (n, m)), np.zeros(m)]
    return params


def clusters(rng, n, d, k):
    """Samples around k centres, every class there, columns at mean 0 and deviation 1."""
    centres = rng.normal(size=(k, d))
    centres *= 2.5 / np.sqrt((centres**2).sum(axis=1, keepdims=True))
    labels = rng.permutation(np.arange(n) % k)
    X = centres[labels] + 0.7 * rng.normal(size=(n, d))
    return (X - X.mean(axis=0)) / X.std(axis=0), labels


def draft(rng, activation, deepest=3):
    """A small setting that is most likely healthy, and learned soon."""
    d, k = int(rng.integers(3, 7)), int(rng.integers(2, 4))
    X, labels = clusters(rng, int(rng.integers(20, 31)), d, k)
    sizes = [d, *[10] * int(rng.integers(1, deepest + 1)), k]
    return dict(activation=activation, params=weights(rng, sizes, activation), X=X, labels=labels, rate=0.2)


def sound(rng, activation, deepest=3):
    """A setting that is healthy, and that is learned within 120 steps also at a quarter of its rate."""
    while True:
        case = draft(rng, activation, deepest)
        target = 0.45 * math.log(len(case["params"][-1]))
        if (
            descend(**(case | {"rate": 0.05}), steps=120, stop_at=target)[0][-1] <= target
            and clear(**case) == "healthy"
        ):
            return case


def in_other_units(rng, X):
    d = X.shape[1]
    return 10 ** rng.permutation(np.linspace(0, 3, d)) * (X + rng.uniform(1, 3, d))


def killed(params, rng, layer, share=1.0):
    """Biases of -100 in so large a share of a hidden layer's units."""
    params = [p.copy() for p in params]
    b = params[2 * layer + 1]
    b[rng.permutation(len(b))[: round(share * len(b))]] = -100.0
    return params


KINDS = ["unscaled inputs", "dead units", "exploding gradients", "vanishing gradients", "diverging", "healthy"]


def broken(rng, kind):
    """A setting with a failure of this kind, broken in one of several ways, far from every threshold."""
    while True:
        activation = str(rng.choice(["relu"] if kind == "dead units" else ["relu", "tanh"]))
        if kind == "healthy":
            return sound(rng, str(rng.choice(["relu", "tanh", "gelu"])))
        case = to_failure(rng, kind, sound(rng, activation) if kind == "diverging" else draft(rng, activation))
        if clear(**case) == kind:
            return case


def to_failure(rng, kind, case):
    """What was healthy, with one thing changed."""
    d, k, depth = case["X"].shape[1], len(case["params"][-1]), len(case["params"]) // 2 - 1
    if kind == "unscaled inputs":
        offset = case["X"] + np.where(np.arange(d) == rng.integers(d), 300.0, 0.0)
        X = [in_other_units(rng, case["X"]), offset, case["X"] / 1000][int(rng.integers(3))]
        return case | {"X": X}
    if kind == "dead units":
        return case | {"params": killed(case["params"], rng, int(rng.integers(depth)))}
    if kind == "exploding gradients":
        relu = case["activation"] == "relu"
        sizes = [d, *[10] * (5 if relu else 8), k]
        return case | {"params": weights(rng, sizes, case["activation"], 8.0 if relu else 30.0)}
    if kind == "vanishing gradients":
        name = str(rng.choice(["sigmoid", "tanh", "relu"]))
        sizes = [d, *[8] * (7 if name == "sigmoid" else 5), k]
        return case | dict(activation=name, params=weights(rng, sizes, name, 1.0 if name == "sigmoid" else 0.12))
    return case | {"rate": case["rate"] * 10.0 ** int(rng.integers(1, 4))}


def setting_text(activation, params, X, labels, rate):
    widths = [params[0].shape[0], *[len(b) for b in params[1::2]]]
    lines = [f"net: Network({widths}, generator, {activation!r}), then in place"]
    lines += [f"{'Wb'[i % 2]}{i // 2 + 1} = {printed(p)}" for i, p in enumerate(params)]
    return "\n".join([*lines, f"X = {printed(X)}", f"labels = {printed(labels)}", f"rate = {rate:g}"])


# ------------------------------------------------------------------------------------------------------------ first weights


@checkpoint("The gain of a nonlinearity is 1 / sqrt(E[f(z)^2]), z standard normal", atol=1e-9, count=0)
def gains(lib, activation):
    return lib.grad.init.gain(activation)


@gains.edges
def _():
    return [dict(activation=name) for name in ("relu", "linear", *ACTIVATIONS[:1], *ACTIVATIONS[2:])]


@gains.oracle
def _(activation):
    x, w = np.polynomial.legendre.leggauss(200)  # on each side of the bend
    z, w = np.concatenate([6 * x - 6, 6 * x + 6]), np.concatenate([6 * w, 6 * w])
    f = z if activation == "linear" else bend(activation, z)[0]
    return 1 / math.sqrt(np.sum(w * f * f * np.exp(-0.5 * z * z)) / math.sqrt(2 * math.pi))


@gains.shown
def _(activation):
    return f"gain({activation!r})"


@checkpoint("Xavier and He: mean 0, the variance of the paper, normal or uniform, from the generator alone", count=8)
def drawn_weights(lib, rule, fan_in, fan_out, gain, uniform, seed):
    draw = getattr(lib.grad.init, rule)
    options = {"uniform": uniform} if gain is None else {"uniform": uniform, "gain": gain}
    W = draw(fan_in, fan_out, np.random.default_rng(seed), **options)
    again = draw(fan_in, fan_out, np.random.default_rng(seed), **options)
    other = draw(fan_in, fan_out, np.random.default_rng(seed + 1), **options)
    variance = float(np.mean((W - np.mean(W)) ** 2))
    return {
        "shape": list(W.shape),
        "mean": float(np.mean(W)),
        "variance": variance,
        "largest": float(np.abs(W).max()),
        "fourth moment": float(np.mean((W - np.mean(W)) ** 4)) / max(variance, 1e-300) ** 2,
        "variance of the row means": float(np.var(W.mean(axis=1))),
        "the same seed gives the same": bool(np.array_equal(W, again)),
        "another seed gives the same": bool(np.array_equal(W, other)),
    }


@drawn_weights.cases
def _(draw):
    fan_in, fan_out = draw.choice([(200, 200), (400, 100), (100, 400), (300, 150)])
    gain = draw.choice([None, 1.0, 5 / 3, 0.25])
    rule, uniform = draw.choice(["xavier", "he"]), draw.boolean()
    return dict(rule=rule, fan_in=fan_in, fan_out=fan_out, gain=gain, uniform=uniform, seed=draw.seed())


@drawn_weights.edges
def _():
    return [
        dict(rule=rule, fan_in=n, fan_out=m, gain=None, uniform=uniform, seed=0)
        for rule in ("xavier", "he")
        for n, m, uniform in ((400, 100, False), (100, 400, False), (200, 200, True))
    ]


@drawn_weights.accepts
def _(got, rule, fan_in, fan_out, gain, uniform, seed):
    fans = (fan_in + fan_out) / 2 if rule == "xavier" else fan_in
    expected = (gain if gain is not None else 1.0 if rule == "xavier" else math.sqrt(2)) ** 2 / fans
    if got["shape"] != [fan_in, fan_out]:
        return f"the shape is {got['shape']}, and a row for each input was asked for: {[fan_in, fan_out]}"
    if not got["the same seed gives the same"] or got["another seed gives the same"]:
        return "the weights have to come from the generator, and from nothing else"
    if abs(got["variance"] / expected - 1) > 0.06:  # over 40,000 draws, eight standard errors
        return f"the variance is {got['variance']:.3g}, and {expected:.3g} was asked for"
    if abs(got["mean"]) > 0.04 * math.sqrt(expected):
        return f"the mean is {got['mean']:.3g}, which is not 0"
    bound = math.sqrt(3 * expected)
    if uniform and not 0.99 * bound < got["largest"] <= bound * (1 + 1e-12):
        return f"the largest weight is {got['largest']:.4g}: a uniform law of that variance ends at {bound:.4g}"
    if abs(got["fourth moment"] - (1.8 if uniform else 3.0)) > 0.3:
        return f"the law is not {'uniform' if uniform else 'normal'}: fourth moment {got['fourth moment']:.2f}"
    if got["variance of the row means"] > 3 * expected / fan_out:
        return "the entries of a row are not independent of each other"
    return True


@drawn_weights.shown
def _(rule, fan_in, fan_out, gain, uniform, seed):
    extra = "" if gain is None else f", gain={gain:.4g}"
    return f"{rule}({fan_in}, {fan_out}, np.random.default_rng({seed}){extra}, uniform={uniform})"


@checkpoint("Orthogonal weights keep lengths exactly, in any shape, and prefer no direction", atol=1e-9, count=10)
def orthogonal(lib, fan_in, fan_out, gain, seed):
    rng = np.random.default_rng(seed)
    W = lib.grad.init.orthogonal(fan_in, fan_out, rng, gain=gain)
    small = [lib.grad.init.orthogonal(2, 2, rng) for _ in range(40)]
    turned = [float(M[0, 0] * M[1, 1] - M[0, 1] * M[1, 0]) > 0 for M in small]
    return {
        "shape": list(W.shape),
        "products": W.T @ W if fan_in >= fan_out else W @ W.T,
        "turns and reflections both come up": len(set(turned)) == 2,
    }


@orthogonal.cases
def _(draw):
    fan_in = draw.integer(1, 8)
    fan_out = fan_in if draw.boolean(0.3) else draw.integer(1, 8)
    return dict(fan_in=fan_in, fan_out=fan_out, gain=draw.choice([1.0, math.sqrt(2), 0.3]), seed=draw.seed())


@orthogonal.edges
def _():
    shapes = [(2, 2), (3, 2), (2, 3), (1, 5), (5, 1), (1, 1), (40, 30)]
    return [dict(fan_in=n, fan_out=m, gain=gain, seed=0) for n, m in shapes for gain in (1.0, 2.0)]


@orthogonal.oracle
def _(fan_in, fan_out, gain, seed):
    return {
        "shape": [fan_in, fan_out],
        "products": gain**2 * np.eye(min(fan_in, fan_out)),
        "turns and reflections both come up": True,
    }


@orthogonal.shown
def _(fan_in, fan_out, gain, seed):
    return f"orthogonal({fan_in}, {fan_out}, np.random.default_rng({seed}), gain={gain:.4g})"


@checkpoint("initialise writes into the net: each W by the rule, in order, and biases of 0", count=8)
def initialised(lib, sizes, seed):
    net = lib.grad.network.Network(sizes, np.random.default_rng(5), "tanh")
    for b in net.params[1::2]:
        b += 1.5
    held, asked = list(net.params), []

    def rule(fan_in, fan_out, generator):
        asked.append([int(fan_in), int(fan_out)])
        return generator.uniform(size=(fan_in, fan_out)) + len(asked)

    returned = lib.grad.init.initialise(net, rule, np.random.default_rng(seed))
    same = len(net.params) == len(held) and all(p is q for p, q in zip(held, net.params))
    return {"params": held, "asked for": asked, "the same arrays": same, "returns the net": returned is net}


@initialised.cases
def _(draw):
    return dict(sizes=[draw.integer(1, 4) for _ in range(draw.integer(2, 4))], seed=draw.seed())


@initialised.edges
def _():
    return [dict(sizes=[2, 3], seed=0), dict(sizes=[3, 1, 4, 2], seed=1)]


@initialised.oracle
def _(sizes, seed):
    rng, params = np.random.default_rng(seed), []
    for place, (n, m) in enumerate(pairwise(sizes), 1):
        params += [rng.uniform(size=(n, m)) + place, np.zeros(m)]
    asked = [[n, m] for n, m in pairwise(sizes)]
    return {"params": params, "asked for": asked, "the same arrays": True, "returns the net": True}


@initialised.shown
def _(sizes, seed):
    return f"net = Network({sizes}, ...), biases at 1.5\ninitialise(net, rule, np.random.default_rng({seed}))"


def unit_variance(activation, params, X):
    """LSUV in closed form: the scale a of W for which a (hW) + b has variance 1 is a root of a quadratic.

    None where there is no such scale, or where dividing again and again would not come near it quickly.
    """
    params, h = [p.copy() for p in params], X
    for layer in range(len(params) // 2):
        W, b = params[2 * layer : 2 * layer + 2]
        y = h @ W
        shift = np.broadcast_to(b, y.shape)
        Vy, Vb = y.var(), shift.var()
        C = ((y - y.mean()) * (shift - shift.mean())).mean()
        if Vy < 1e-4 or Vb > 0.5:
            return None
        a = (-C + math.sqrt(C * C + Vy * (1 - Vb))) / Vy
        if abs(Vb + a * C) > 0.5:  # the factor by which each division shortens the distance
            return None
        W *= a
        h, _ = bend(activation, a * y + b)
    return params


@checkpoint("LSUV scales layer after layer until each computes numbers of variance 1", atol=1e-7, count=12)
def layer_sequential(lib, activation, params, X):
    net = made(lib, activation, params)
    held = list(net.params)
    returned = lib.grad.init.lsuv(net, X)
    same = all(p is q for p, q in zip(held, net.params))
    return {"params": held, "the same arrays": same, "returns the net": returned is net}


@layer_sequential.cases
def _(draw):
    rng, activation = np.random.default_rng(draw.seed()), draw.choice(ACTIVATIONS)
    biased, size = draw.boolean(0.6), draw.choice([1.0, 0.03, 20.0])
    widths = [draw.integer(2, 6) for _ in range(draw.integer(2, 4))]
    while True:
        params = weights(rng, widths, activation, size)
        for b in params[1::2]:
            b += 0.25 * biased * rng.normal(size=len(b))
        X = draw.choice([1.0, 5.0]) * rng.normal(size=(rng.integers(4, 12), widths[0]))
        if unit_variance(activation, params, X) is not None:
            return dict(activation=activation, params=params, X=X)


@layer_sequential.edges
def _():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(9, 3)).round(1)
    cases = []
    for activation, bias in (("tanh", 0.0), ("relu", 0.0), ("tanh", 0.3), ("relu", 0.2)):
        params = [p.round(1) for p in weights(rng, [3, 4, 4, 2], activation, 2.0)]
        for b in params[1::2]:
            b += bias * (np.arange(len(b)) % 3 - 1)
        cases.append(dict(activation=activation, params=params, X=X))
    return cases


@layer_sequential.oracle
def _(activation, params, X):
    return {"params": unit_variance(activation, params, X), "the same arrays": True, "returns the net": True}


@layer_sequential.shown
def _(activation, params, X):
    head = setting_text(activation, params, X, [], 0).rpartition("\nlabels")[0]
    return f"{head}\nlsuv(net, X)"


# --------------------------------------------------------------------------------------------------------------- instruments


@checkpoint(
    "Activations by layer: mean, spread, saturation, and the share of units that are dead", atol=1e-12, count=16
)
def activations(lib, activation, params, X):
    probe, net = lib.grad.probe, made(lib, activation, params)
    return {"activation_statistics": probe.activation_statistics(net, X), "dead_units": probe.dead_units(net, X)}


@activations.cases
def _(draw):
    rng, activation = np.random.default_rng(draw.seed()), draw.choice(ACTIVATIONS)
    sizes = [draw.integer(1, 6) for _ in range(draw.integer(3, 5))]
    large = activation != "gelu"  # whose values at -9 are 0 or nearly so, as it is computed
    params = weights(rng, sizes, activation, 4.0 if large and draw.boolean() else 0.7)
    for b in params[1::2]:
        b += (3.0 if large and draw.boolean() else 0.5) * rng.uniform(-1, 1, len(b))
    return dict(activation=activation, params=params, X=rng.uniform(-1.5, 1.5, (draw.integer(1, 8), sizes[0])))


@activations.edges
def _():
    X = np.array([[1.0], [2.0], [-1.0]])
    last = [np.ones((3, 2)), np.zeros(2)]
    first = [np.array([[1.0, -1.0, 1.0]]), np.array([0.0, 0.0, -5.0])]  # never 0, sometimes 0, always 0
    return [
        *[dict(activation=name, params=[*first, *last], X=X) for name in ("relu", "tanh", "sigmoid", "gelu")],
        dict(activation="relu", params=[*first, *last], X=X[:1]),
        dict(activation="tanh", params=[10 * first[0], first[1], *last], X=X),
        dict(activation="relu", params=[first[0], first[1] - 9, *last], X=X),
    ]


@activations.oracle
def _(activation, params, X):
    layers, _ = hidden_layers(activation, params, X)
    least = 0.05 * {"relu": 1.0, "tanh": 1.0, "sigmoid": 0.25, "gelu": 1.1289}[activation]
    means = [h.sum() / h.size for _, h, _ in layers]
    return {
        "activation_statistics": {
            "mean": np.array(means),
            "std": np.array([math.sqrt(((h - m) ** 2).sum() / h.size) for (_, h, _), m in zip(layers, means)]),
            "saturated": np.array([(np.abs(slope) < least).sum() / slope.size for _, _, slope in layers]),
        },
        "dead_units": np.array([(h == 0).all(axis=0).sum() / h.shape[1] for _, h, _ in layers]),
    }


@activations.shown
def _(activation, params, X):
    head = setting_text(activation, params, X, [], 0).rpartition("\nlabels")[0]
    return f"{head}\nactivation_statistics(net, X), dead_units(net, X)"


@checkpoint(
    "Gradients by layer: norm, spread, zeros and pull; and how far a step moved each layer", atol=1e-12, count=16
)
def gradients(lib, params, grads, after):
    probe = lib.grad.probe
    with np.errstate(divide="raise", invalid="raise"):
        return {
            "gradient_statistics": probe.gradient_statistics(params, grads),
            "update_ratios": probe.update_ratios(params, after),
        }


@gradients.cases
def _(draw):
    rng = np.random.default_rng(draw.seed())
    sizes = [draw.integer(1, 4) for _ in range(draw.integer(2, 4))]
    shapes = [shape for n, m in pairwise(sizes) for shape in ((n, m), (m,))]
    params = [rng.normal(size=s) * draw.choice([1.0, 100.0, 1e-3]) for s in shapes]
    if draw.boolean(0.2):
        params[0][...] = 0.0
    grads = [rng.normal(size=s) * (rng.random(s) < draw.choice([1.0, 0.6])) for s in shapes]
    return dict(params=params, grads=grads, after=[p - draw.choice([0.1, 1e-3]) * g for p, g in zip(params, grads)])


@gradients.edges
def _():
    W, b, g = np.array([[3.0, 4.0]]), np.array([1.0, 2.0]), np.array([[0.0, 2.0]])
    nothing = np.zeros((1, 2))
    return [
        dict(params=[W, b], grads=[g, b], after=[W - 0.1 * g, b - 0.1 * b]),
        dict(params=[nothing, b], grads=[g, b], after=[g, b]),
        dict(params=[nothing, b, W.T, b[:1]], grads=[nothing, b, g.T, b[:1]], after=[nothing, b, W.T, b[:1]]),
    ]


@gradients.oracle
def _(params, grads, after):
    def norm(x):
        return math.sqrt(sum(float(v) ** 2 for v in x.ravel()))

    ratios = []
    for a, b in zip(params[::2], after[::2]):
        moved = norm(b - a)
        ratios.append(moved / norm(a) if norm(a) else math.inf if moved else 0.0)
    return {
        "gradient_statistics": {
            "norm": np.array([norm(g) for g in grads[::2]]),
            "std": np.array([norm(g - g.mean()) / math.sqrt(g.size) for g in grads[::2]]),
            "zeros": np.array([np.count_nonzero(g == 0) / g.size for g in grads[::2]]),
            "pull": np.array([norm(g) * norm(W) for W, g in zip(params[::2], grads[::2])]),
        },
        "update_ratios": np.array(ratios),
    }


@gradients.shown
def _(params, grads, after):
    lists = {"params": params, "grads": grads, "after": after}
    lines = [f"{name} = [{', '.join(printed(a) for a in arrays)}]" for name, arrays in lists.items()]
    return "\n".join([*lines, "gradient_statistics(params, grads), update_ratios(params, after)"])


def some_curve(rng, kind, n):
    """A curve that looks like this, with a held-out one or None."""
    t, first = np.arange(n) / n, rng.uniform(0.5, 5)
    noise = np.exp(0.02 * rng.normal(size=n))
    fall = first * np.exp(-rng.uniform(0.5, 5) * t) * noise
    swing = rng.uniform(0.05, 0.9) * (-1.0) ** np.arange(n)
    if kind == "a spike at the end":
        fall[-1] = first * rng.uniform(5, 50)
    elif kind == "growing":
        return first * np.exp(rng.uniform(0.2, 20) * t) * noise, None
    elif kind == "down and then up":
        return fall + first * rng.uniform(0.5, 5) * np.maximum(t - 0.5, 0) * 2, None
    elif kind == "swinging":
        return fall * (1 + swing), None
    elif kind == "swinging up":
        return first * np.exp(rng.uniform(0, 4) * t) * (1 + swing), None
    elif kind == "flat":
        return first * noise * (1 - rng.uniform(-0.3, 0.3) * t), None
    elif kind == "held out":
        return fall, fall * rng.uniform(1, 1.3) + first * rng.uniform(0, 2) * np.maximum(t - rng.uniform(0, 1), 0)
    elif kind in ("nan", "inf"):
        valid = fall * 1.1 if rng.random() < 0.5 else None
        struck = fall if valid is None or rng.random() < 0.5 else valid
        struck[rng.integers(n) :: rng.integers(1, n)] = float(kind)
        return fall, valid
    return fall, None


CURVE_KINDS = ["falling", "a spike at the end", "growing", "down and then up", "swinging", "swinging up", "flat"]
CURVE_KINDS += ["held out", "held out", "nan", "inf"]


@checkpoint("The loss curve is named by the rules, whatever one single loss says", count=30)
def curves(lib, losses, valid):
    loss_curve = lib.grad.probe.loss_curve
    return loss_curve(losses) if valid is None else loss_curve(losses, valid)


@curves.cases
def _(draw):
    kind, n, rng = draw.choice(CURVE_KINDS), draw.integer(4, 40), np.random.default_rng(draw.seed())
    while True:
        losses, valid = some_curve(rng, kind, n)
        if clear_curve(losses, valid):
            return dict(losses=losses.round(4), valid=None if valid is None else valid.round(4))


@curves.edges
def _():
    nan, inf = float("nan"), float("inf")
    up_and_down = np.array([1.0, 1.7] * 8)
    falling = np.array([4.0, 3.0, 2.0, 1.5, 1.2, 1.0, 0.9, 0.8])
    bad = falling.copy()
    bad[3] = nan
    cases = [
        ([2.0, 1.5, 1.0, 0.5], None),
        ([2.0, 2.0, 2.0, 2.0], None),
        ([1.0, 2.0, 4.0, 8.0], None),
        ([2.0, 1.0, nan, 0.5], None),
        ([2.0, 1.0, 1.0, inf], None),
        (bad, None),
        (falling, bad),
        ([2.0, 1.5, 1.2, 1.0, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 50.0], None),
        ([2.0, 1.8, 1.6, 1.5, 1.4, 1.2, 1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 50.0, 0.3, 0.2], None),
        ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 0.1], None),
        ([1.0, 0.5, 0.2, 0.1, 0.2, 0.5, 2.0, 3.0], None),
        ([5.0, 1.0, 0.5, 0.5, 0.4, 1.2, 1.3, 1.4], None),
        (up_and_down, None),
        (up_and_down * np.linspace(1, 0.1, 16), None),
        (up_and_down * 2.0 ** np.arange(16), None),
        (falling, falling + 0.1),
        (falling, [4.2, 3.0, 2.0, 1.8, 2.0, 2.2, 2.4, 2.6]),
        (falling, [4.2, 3.0, 2.0, 1.8, 1.8, 1.85, 1.85, 1.85]),
        ([4.0, 3.9, 4.0, 3.9, 4.0, 3.9, 4.0, 4.0], [4.0, 3.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0]),
        ([100.0, 101.0, 100.5, 101.2, 100.2, 101.1, 100.4, 101.0], None),
        ([0.002, 0.001, 0.0005, 0.0003], None),
    ]
    return [dict(losses=np.array(a), valid=None if b is None else np.array(b)) for a, b in cases]


@curves.oracle
def _(losses, valid):
    return named_curve(losses, valid)


@curves.shown
def _(losses, valid):
    given = f"losses = {printed(losses)}"
    return (
        f"{given}\nloss_curve(losses)"
        if valid is None
        else f"{given}\nvalid = {printed(valid)}\nloss_curve(losses, valid)"
    )


# --------------------------------------------------------------------------------------------------------------------- runs


@checkpoint("Standardised columns have mean 0 and deviation 1; constant ones become 0", atol=1e-9, count=12)
def standardised(lib, X):
    return lib.grad.failures.standardise(X)


@standardised.cases
def _(draw):
    n, d = draw.integer(2, 8), draw.integer(1, 4)
    X = draw.choice([1.0, 1e4, 1e-3]) * draw.uniform(-3, 3, n, d) + draw.choice([0.0, 50.0])
    X[0] += 0.01 + np.arange(d)  # no two rows equal
    if draw.boolean(0.3):
        X[:, -1] = draw.choice([0.0, 0.1, 7.3])
    return dict(X=X)


@standardised.edges
def _():
    constant = np.full((10, 1), 0.1)  # whose computed deviation is not 0
    return [
        dict(X=np.array([[1.0], [3.0]])),
        dict(X=np.array([[1.0, 10.0], [2.0, 30.0], [6.0, 20.0]])),
        dict(X=np.array([[0.0, 1.0], [0.0, 2.0]])),
        dict(X=np.hstack([constant, 7 * constant, np.arange(10.0)[:, None]])),
    ]


@standardised.oracle
def _(X):
    columns = []
    for column in X.T:
        mean = math.fsum(column) / len(column)
        deviation = math.sqrt(math.fsum((v - mean) ** 2 for v in column) / len(column))
        same = all(v == column[0] for v in column)
        columns.append([0.0 if same else (v - mean) / deviation for v in column])
    return np.array(columns).T


@checkpoint("Runs of plain descent, and the steps to a target, equal the judge's own", atol=1e-7, count=10)
def runs(lib, activation, params, X, labels, rate, steps, target, rates):
    failures = lib.grad.failures
    setting = setting_of(lib, activation, params, X, labels, rate)
    losses, net = failures.trial(setting, steps)
    arrived, best = failures.steps_to(target, setting, most=steps), failures.fewest_steps(target, setting, rates, steps)
    return {
        "trial": losses,
        "params after": list(net.params),
        "steps_to": arrived,
        "fewest_steps": list(best),
        "the net is as it was": all(np.array_equal(p, q) for p, q in zip(params, setting.net.params)),
    }


@runs.cases
def _(draw):
    rng, activation = np.random.default_rng(draw.seed()), draw.choice(ACTIVATIONS)
    d, k, steps = draw.integer(1, 4), draw.integer(2, 3), draw.integer(1, 20)
    X, labels = clusters(rng, draw.integer(2 * k, 12), d, k)
    params = weights(rng, [d, *[draw.integer(2, 4) for _ in range(draw.integer(0, 2))], k], activation)
    rate = draw.choice([0.3, 0.1])
    losses, _ = descend(activation, params, X, labels, rate, steps)
    place = draw.integer(0, steps)
    target = float(losses[place]) * draw.choice([1.0001, 1.0001, 0.5])
    return dict(
        activation=activation, params=params, X=X, labels=labels, rate=rate, steps=steps, target=target,
        rates=draw.choice([[0.3, 0.1], [0.01, 0.3, 0.2], [0.2, 0.2]]),
    )  # fmt: skip


@runs.edges
def _():
    X, labels = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), np.array([0, 1, 1])
    case = dict(activation="tanh", params=[np.array([[1.0, -1.0], [0.5, 0.2]]), np.zeros(2)], X=X, labels=labels)
    return [
        case | dict(rate=0.5, steps=3, target=0.6, rates=[0.5, 1.0]),
        case | dict(rate=0.5, steps=3, target=9.0, rates=[0.5]),
        case | dict(rate=0.5, steps=3, target=0.6, rates=[0.01, 0.5, 0.51, 0.49]),
        case | dict(rate=0.5, steps=5, target=0.0, rates=[0.5, 0.1]),
        case | dict(rate=0.0, steps=4, target=0.1, rates=[]),
        case | dict(rate=0.1, steps=9, target=0.55, rates=[0.1, 0.2, 0.4]),
    ]


@runs.oracle
def _(activation, params, X, labels, rate, steps, target, rates):
    losses, after = descend(activation, params, X, labels, rate, steps)
    there = np.flatnonzero(losses <= target)
    return {
        "trial": losses,
        "params after": after,
        "steps_to": int(there[0]) if len(there) else None,
        "fewest_steps": fewest(activation, params, X, labels, target, rates, steps),
        "the net is as it was": True,
    }


@runs.shown
def _(activation, params, X, labels, rate, steps, target, rates):
    calls = f"trial(setting, {steps}), steps_to({target:.6g}, setting, {steps}), fewest_steps({target:.6g}, setting, {rates}, {steps})"
    return f"{setting_text(activation, params, X, labels, rate)}\n{calls}"


@checkpoint("With scaled inputs a target is reached in a fifth of the steps, each at its best rate", count=1, seconds=6)
def scaled_or_not(lib, activation, params, X, labels, target, rates, most):
    failures = lib.grad.failures
    raw = setting_of(lib, activation, params, X, labels, 0.1)
    scaled = raw._replace(X=failures.standardise(X))
    return {
        "scaled": list(failures.fewest_steps(target, scaled, rates, most)),
        "as they came": list(failures.fewest_steps(target, raw, rates, most)),
    }


def in_units(rng):
    """Measurements in units of their own."""
    case = draft(rng, "tanh", deepest=1)
    del case["rate"]
    case |= dict(target=0.3 * math.log(len(case["params"][-1])), rates=[1e-4, 1e-2, 1.0, 0.3], most=40)
    return case | {"X": in_other_units(rng, case["X"])}


@scaled_or_not.cases
def _(draw):
    rng = np.random.default_rng(draw.seed())
    while True:
        case = in_units(rng)
        nudged = case | {"params": [p * (1 + 1e-7) for p in case["params"]]}  # a count that hangs by a hair is no case
        counts, again = scaled_or_not.truth(**case), scaled_or_not.truth(**nudged)
        if counts == again and counts["scaled"][0] and 5 * counts["scaled"][0] <= (counts["as they came"][0] or 40):
            return case


@scaled_or_not.edges
def _():
    return [in_units(np.random.default_rng(SEED_UNITS))]


@scaled_or_not.oracle
def _(activation, params, X, labels, target, rates, most):
    scaled = (X - X.mean(axis=0)) / X.std(axis=0)
    return {
        "scaled": fewest(activation, params, scaled, labels, target, rates, most),
        "as they came": fewest(activation, params, X, labels, target, rates, most),
    }


# ------------------------------------------------------------------------------------------------------------ the laboratory


def plain_reading(finding):
    """A Finding as data. What the trial showed counts where it decides; and no number is far from another if both are NaN."""
    reading = {k: v if isinstance(v, str) else float(v) for k, v in finding.reading.items()}
    reading = {k: "not finite" if isinstance(v, float) and not np.isfinite(v) else v for k, v in reading.items()}
    if reading.get("greatest pull") == "not finite":  # and then it is not asked which pull is the least
        reading["least pull"] = "not finite"
    if finding.failure not in ("healthy", "diverging"):
        reading.pop("curve", None)
        reading.pop("dead after", None)
    return {"failure": str(finding.failure), "reading": reading}


@checkpoint(
    "The diagnosis of nets that the judge has broken, or not, and every reading",
    atol=1e-9,
    rtol=1e-7,
    count=8,
    seconds=6,
)
def diagnosis(lib, activation, params, X, labels, rate):
    setting = setting_of(lib, activation, params, X, labels, rate)
    finding = lib.grad.failures.diagnose(setting)
    same = all(np.array_equal(p, q) for p, q in zip(params, setting.net.params))
    return plain_reading(finding) | {"the net is as it was": same}


@diagnosis.cases
def _(draw):
    return broken(np.random.default_rng(draw.seed()), draw.choice(["healthy", *KINDS]))


@diagnosis.edges
def _():
    rng = np.random.default_rng(SEED_SOUND)
    case = draft(rng, "relu", deepest=1)
    W1, b1, W2, b2 = case["params"]
    swinging = draft(np.random.default_rng(SEED_SWINGING), "tanh", deepest=1) | {"rate": 5.0}
    killing = draft(np.random.default_rng(SEED_KILLING), "relu", deepest=2) | {"rate": 6.0}
    blown = draft(np.random.default_rng(SEED_BLOWN), "relu", deepest=3) | {"rate": 2e4}
    return [
        case,
        case | {"X": case["X"] + np.where(np.arange(case["X"].shape[1]) == 0, 300.0, 0.0)},
        case | {"X": case["X"] * 1e-3},
        case | {"params": killed(case["params"], rng, 0)},
        case | {"params": killed(case["params"], rng, 0, 0.5)},  # half of them are dead, and it learns
        case | {"params": [W1 * 300, b1, W2 * 300, b2]},
        case | {"params": [W1 * 1e200, b1, W2 * 1e200, b2]},
        case | {"params": [W1 * 0.01, b1, W2 * 0.01, b2]},
        case | {"params": [np.zeros_like(p) for p in case["params"]], "activation": "tanh"},
        case | {"params": killed(case["params"], rng, 0), "X": case["X"] * 1e3},
        case | {"params": [W2[: len(W1)], b2], "X": case["X"][:, : len(W2)]},  # no hidden layer
        swinging,  # at the edge of the rate, and it does not grow
        killing,  # the loss has fallen, and no unit is alive
        blown,
    ]


@diagnosis.oracle
def _(activation, params, X, labels, rate):
    reading, _ = instruments(activation, params, X, labels, rate)
    name = failure_of(reading)
    if name not in ("healthy", "diverging"):
        del reading["curve"], reading["dead after"]
    plain = {k: v if isinstance(v, str) or math.isfinite(v) else "not finite" for k, v in reading.items()}
    return {"failure": name, "reading": plain, "the net is as it was": True}


@diagnosis.shown
def _(activation, params, X, labels, rate):
    return f"{setting_text(activation, params, X, labels, rate)}\ndiagnose(Setting(net, X, labels, rate))"


@checkpoint(
    "Each failure is induced: the judge's own instruments find it, and the setting given stays", count=3, seconds=6
)
def induced(lib, how, activation, params, X, labels, rate, seed):
    setting = setting_of(lib, activation, params, X, labels, rate)
    function, rng = getattr(lib.grad.failures, how), np.random.default_rng(seed)
    now = function(setting) if how in ("kill_units", "overshoot") else function(setting, rng)
    same = all(np.array_equal(p, q) for p, q in zip(params, setting.net.params)) and setting.rate == rate
    return taken(now) | {"the setting given is as it was": same}


HOWS = ["unscale", "vanish", "explode", "kill_units", "overshoot"]


@induced.cases
def _(draw):
    how, rng = draw.choice(HOWS), np.random.default_rng(draw.seed())
    while True:
        case = sound(rng, "relu") if how == "overshoot" else draft(rng, "relu")
        names = (
            [clear(**(case | {"rate": case["rate"] * 10**power})) for power in (1, 2, 3)] if how == "overshoot" else []
        )
        if how != "overshoot" or ("diverging" in names and None not in names[: names.index("diverging")]):
            return case | {"how": how, "seed": draw.integer(0, 1000)}


@induced.edges
def _():
    return [draft(np.random.default_rng(SEED_SOUND), "relu") | {"how": how, "seed": 0} for how in HOWS]


def unlike(got, case, *names):
    """The first of these that has changed, or None."""
    for name in names:
        a, b = got[name], case[name]
        same = (
            len(a) == len(b) and all(np.array_equal(p, q) for p, q in zip(a, b))
            if name == "params"
            else np.array_equal(a, b)
        )
        if not same:
            return f"{name} of the new setting is not what it was, and only the failure's own cause may change"
    return None


@induced.accepts
def _(got, how, activation, params, X, labels, rate, seed):
    case = dict(activation=activation, params=params, X=X, labels=labels, rate=rate)
    if not got["the setting given is as it was"]:
        return "the setting that was given has been changed: work on copies"
    broken_one = {name: got[name] for name in case}
    inputs, classes = X.shape[1], len(params[-1])
    if got["params"][0].shape[0] != inputs or len(got["params"][-1]) != classes:
        return "the net of the new setting has other inputs or classes"
    if got["X"].shape != X.shape or not np.isfinite(got["X"]).all():
        return "X of the new setting has another shape, or numbers that are not finite"
    if not all(np.isfinite(p).all() for p in got["params"]):
        return "a parameter is not finite"
    reading, _ = instruments(**broken_one)
    return {
        "unscale": is_unscaled,
        "vanish": is_vanishing,
        "explode": is_exploding,
        "kill_units": is_dead,
        "overshoot": is_diverging,
    }[how](got, case, broken_one, reading)


def is_unscaled(got, case, now, reading):
    if (says := unlike(got, case, "activation", "params", "labels", "rate")) is not None:
        return says
    if reading["inputs"] <= 100:
        return f"the largest root mean square of a column is {reading['inputs']:.3g}: above 100 was asked for"
    for place, (old, new) in enumerate(zip(case["X"].T, now["X"].T)):
        slope, offset = np.polyfit(old, new, 1)
        if slope == 0 or np.abs(slope * old + offset - new).max() > 1e-6 * np.abs(new).max():
            return f"column {place} is no longer a multiple of what it was, plus a number: information is lost"
    singular = np.linalg.svd(np.column_stack([now["X"], np.ones(len(now["X"]))]), compute_uv=False)
    if singular[0] ** 2 < 1e5 * singular[-1] ** 2:
        ratio = (singular[0] / singular[-1]) ** 2
        return f"the curvatures of a linear fit differ by a factor of {ratio:.3g}: more than 100,000 was asked for"
    return True


def is_vanishing(got, case, now, reading):
    if (says := unlike(got, case, "X", "labels", "rate")) is not None:
        return says
    if not 0 < reading["least pull"] < 1e-4 * reading["loss"]:
        return f"the least pull is {reading['least pull']:.3g} at a loss of {reading['loss']:.3g}: below 1e-4 of it, and above 0"
    if reading["dead"] > 0.9:
        return f"a layer is dead ({reading['dead']:.0%}): that is another failure"
    return failure_of(reading) == "vanishing gradients" or f"this is {failure_of(reading)}"


def is_exploding(got, case, now, reading):
    if (says := unlike(got, case, "X", "labels", "rate")) is not None:
        return says
    if not 1e4 < reading["greatest pull"] < math.inf:
        return f"the greatest pull is {reading['greatest pull']:.3g}: above 10,000 nats, and finite, was asked for"
    if reading["dead"] > 0.5:
        return f"{reading['dead']:.0%} of a layer's units are dead: at most half was allowed"
    return True


def is_dead(got, case, now, reading):
    if (says := unlike(got, case, "activation", "X", "labels", "rate")) is not None:
        return says
    if [p.shape for p in now["params"]] != [p.shape for p in case["params"]]:
        return "the sizes of the net have changed"
    if reading["dead"] <= 0.95:
        return f"at most {reading['dead']:.0%} of a layer's units are dead: more than 95 % was asked for"
    return True


def is_diverging(got, case, now, reading):
    if (says := unlike(got, case, "activation", "params", "X", "labels")) is not None:
        return says
    for power in range(1, 7):
        expected = case["rate"] * 10**power
        if named(case | {"rate": expected}) == "diverging":
            return (
                abs(got["rate"] / expected - 1) < 1e-9
                or f"the rate is {got['rate']:g}; the first to diverge is {expected:g}"
            )
    return True


@induced.shown
def _(how, activation, params, X, labels, rate, seed):
    call = f"{how}(setting)" if how in ("kill_units", "overshoot") else f"{how}(setting, np.random.default_rng({seed}))"
    return f"{setting_text(activation, params, X, labels, rate)}\n{call}"


@checkpoint(
    "What is broken is repaired: healthy by the judge's instruments, and the target loss is reached", count=4, seconds=8
)
def repaired(lib, activation, params, X, labels, rate, seed):
    setting = setting_of(lib, activation, params, X, labels, rate)
    now, findings = lib.grad.failures.repair(setting, np.random.default_rng(seed))
    same = all(np.array_equal(p, q) for p, q in zip(params, setting.net.params))
    names = [str(finding.failure) for finding in findings]
    return taken(now) | {"findings": names, "the setting given is as it was": same}


@repaired.cases
def _(draw):
    rng, kind = np.random.default_rng(draw.seed()), draw.choice([*KINDS, "two at once"])
    case = repairable(rng, "dead units" if kind == "two at once" else kind)
    if kind == "two at once":
        case["X"] = in_other_units(rng, case["X"])
    return case | {"seed": draw.integer(0, 1000)}


def repairable(rng, kind):
    """A broken setting whose data can be learned: where only X is broken, by the very net that is given."""
    while True:
        case = to_failure(rng, kind, sound(rng, "relu")) if kind != "healthy" else sound(rng, "relu")
        if clear(**case) == kind:
            return case


@repaired.edges
def _():
    cases = []
    for kind in KINDS:
        rng = np.random.default_rng(SEED_SOUND)
        case = draft(rng, "relu")
        cases.append((to_failure(rng, kind, case) if kind != "healthy" else case) | {"seed": 0})
    return [*cases, cases[1] | {"X": in_other_units(rng, cases[1]["X"])}]


@repaired.accepts
def _(got, activation, params, X, labels, rate, seed):
    case = dict(activation=activation, params=params, X=X, labels=labels, rate=rate)
    now = {name: got[name] for name in case}
    failure = named(case)
    if not got["the setting given is as it was"]:
        return "the setting that was given has been changed: work on copies"
    if got["findings"][:1] != ([failure] if failure != "healthy" else []):
        return f"the failure is {failure}, and the findings are {got['findings']}"
    if [p.shape for p in now["params"]] != [p.shape for p in params]:
        return "the net has other sizes than before"
    if not np.array_equal(now["labels"], labels):
        return "labels have changed"
    if (left := named(now)) != "healthy":
        return f"after the repair the failure is {left}"
    if (says := only_the_remedy(got, case, set(got["findings"]))) is not None:
        return says
    target = 0.5 * math.log(len(params[-1]))
    losses, _ = descend(**now, steps=200, stop_at=target)
    return bool(losses[-1] <= target) or f"in 200 steps the loss comes to {losses[-1]:.3g}, not to {target:.3g}"


def only_the_remedy(got, case, findings):
    """What a repair of these failures has no reason to touch."""
    scaled = (case["X"] - case["X"].mean(axis=0)) / case["X"].std(axis=0)
    expected = scaled if "unscaled inputs" in findings else case["X"]
    if not np.allclose(got["X"], expected, atol=1e-7):
        return "X is not what it has to be: standardised where the inputs were unscaled, and else as it was"
    kept = [] if findings & {"dead units", "exploding gradients", "vanishing gradients"} else ["activation", "params"]
    if "diverging" not in findings:
        kept.append("rate")
    elif got["rate"] >= case["rate"]:
        return "the rate is no smaller than before"
    return unlike(got, case, *kept)


@repaired.shown
def _(activation, params, X, labels, rate, seed):
    call = f"repair(Setting(net, X, labels, rate), np.random.default_rng({seed}))"
    return f"{setting_text(activation, params, X, labels, rate)}\n{call}"


# ------------------------------------------------------------------------------------------------------------- writing down


@checkpoint("The debugging log names each failure, with symptom, reading, cause and repair", count=8)
def log(lib, failures, readings):
    Finding = lib.grad.failures.Finding
    text = lib.grad.failures.debugging_log([Finding(name, dict(reading)) for name, reading in zip(failures, readings)])
    return str(text)


def some_reading(rng):
    return {
        "inputs": float(10 ** rng.uniform(-4, 4)),
        "dead": float(rng.integers(0, 13) / 12),
        "least pull": float(10 ** rng.uniform(-9, 0)),
        "greatest pull": float(10 ** rng.uniform(0, 9)),
        "loss": float(rng.uniform(0.1, 5)),
        "curve": str(rng.choice(["diverged", "not finite", "falling", "flat"])),
        "dead after": float(rng.integers(0, 13) / 12),
    }


@log.cases
def _(draw):
    rng = np.random.default_rng(draw.seed())
    failures = [draw.choice(KINDS) for _ in range(draw.integer(1, 4))]
    return dict(failures=failures, readings=[some_reading(rng) for _ in failures])


@log.edges
def _():
    rng = np.random.default_rng(0)
    every = KINDS[:5]
    infinite = some_reading(rng) | {"greatest pull": math.inf}
    return [
        dict(failures=[], readings=[]),
        dict(failures=["healthy"], readings=[some_reading(rng)]),
        *[dict(failures=[name], readings=[some_reading(rng)]) for name in every],
        dict(failures=every, readings=[some_reading(rng) for _ in every]),
        dict(failures=["exploding gradients"], readings=[infinite]),
    ]


LABELS = ["- Symptom: ", "- Reading: ", "- Cause: ", "- Repair: "]


@log.accepts
def _(got, failures, readings):
    lines = [line.rstrip() for line in got.splitlines()]
    expected = [(name, reading) for name, reading in zip(failures, readings) if name != "healthy"]
    headings = [line for line in lines if line.startswith("#")]
    if headings != [f"## {name}" for name, _ in expected]:
        return f"the headings are {headings}, and a line `## NAME` for each of {[name for name, _ in expected]} was asked for"
    if not expected:
        return bool(got.strip()) or "where nothing was found, the text says so: here it is empty"
    sections = "\n".join(lines).split("\n## ")
    sections[0] = sections[0].removeprefix("## ")
    said = {}
    for (name, reading), section in zip(expected, sections):
        parts = []
        for label in LABELS:
            found = [line.removeprefix(label) for line in section.splitlines() if line.startswith(label)]
            if len(found) != 1:
                return f"under {name!r} stand {len(found)} lines that begin with {label!r}, and not one"
            parts.append(found[0])
        value = reading[DECIDES[name]]
        needed = value if isinstance(value, str) else f"{value:.3g}"
        if needed not in parts[1] or DECIDES[name] not in parts[1]:
            return f"the reading under {name!r} is {parts[1]!r}, and lacks {DECIDES[name]} = {needed}"
        del parts[1]
        if short := [part for part in parts if len(part.split()) < 4]:
            return f"under {name!r} one line says too little: {short[0]!r}"
        said[name] = parts
    for one, other in pairwise(sorted(said)):
        if any(a == b for a, b in zip(said[one], said[other])):
            return f"{one!r} and {other!r} have the same symptom, cause or repair"
    return True


@log.shown
def _(failures, readings):
    found = [f"Finding({name!r}, {reading})" for name, reading in zip(failures, readings)]
    return f"debugging_log([{', '.join(found)}])"


# ------------------------------------------------------------------------------------------------------------------ further


def lsuv_cannot(lib):
    net = made(lib, "tanh", [np.zeros((2, 3)), np.zeros(3), np.ones((3, 2)), np.zeros(2)])
    lib.grad.init.lsuv(net, np.eye(2))


def lsuv_too_far(lib):
    net = made(lib, "tanh", [np.ones((2, 2)), np.array([-50.0, 50.0])])
    lib.grad.init.lsuv(net, np.eye(2))


def overshoot_broken(lib):
    params = [np.eye(2), np.zeros(2)]
    lib.grad.failures.overshoot(setting_of(lib, "tanh", params, 1e6 * np.eye(2), np.array([0, 1]), 0.1))


def repair_hopeless(lib):
    params = [np.eye(2), np.zeros(2)]
    setting = setting_of(lib, "tanh", params, np.zeros((2, 2)), np.array([0, 1]), 0.1)
    lib.grad.failures.repair(setting, np.random.default_rng(0))


REFUSED = {
    "gain('swish')": lambda lib: lib.grad.init.gain("swish"),
    "lsuv of a net whose first W is 0": lsuv_cannot,
    "lsuv where the biases alone have a variance above 1": lsuv_too_far,
    "loss_curve([1.0, 2.0, 3.0])": lambda lib: lib.grad.probe.loss_curve([1.0, 2.0, 3.0]),
    "loss_curve([1.0] * 4, [1.0] * 5)": lambda lib: lib.grad.probe.loss_curve([1.0] * 4, [1.0] * 5),
    "overshoot of a setting with unscaled inputs": overshoot_broken,
    "repair where all inputs are 0": repair_hopeless,
}


@checkpoint("What cannot be meant, or cannot be done, is refused with a ValueError", stretch=True, count=0)
def refused(lib, what):
    try:
        with np.errstate(all="ignore"):
            REFUSED[what](lib)
    except ValueError:
        return "ValueError"
    return "no error"


@refused.edges
def _():
    return [dict(what=what) for what in REFUSED]


@refused.oracle
def _(what):
    return "ValueError"


@refused.shown
def _(what):
    return what
