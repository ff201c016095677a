"""What is asked of lesson 1.7: a perceptron that is Rosenblatt's, and a network that learns, exactly as PyTorch's would."""

from itertools import pairwise

import numpy as np

from groundup.course import checkpoint


def net(lib, arrays, activation="tanh"):
    """A network with these parameters: [W, b, W, b, ...]."""
    sizes = [len(arrays[0]), *(len(b) for b in arrays[1::2])]
    model = lib.grad.mlp.MLP(sizes, np.random.default_rng(0), activation=activation)
    for parameter, array in zip(model.parameters(), arrays):
        parameter.data = array.copy()
    return model


def draw_parameters(draw, sizes):
    """[W, b, W, b, ...]; no bias is zero."""
    arrays = []
    for n_in, n_out in pairwise(sizes):
        arrays += [draw.normal(n_in, n_out), draw.uniform(0.1, 1.0, n_out)]
    return arrays


def draw_net(draw, outputs=2):
    """A batch, and a network of up to two hidden layers to put it through."""
    sizes = [draw.integer(1, 3) for _ in range(draw.integer(1, 3))] + [draw.integer(1, outputs)]
    X = draw.normal(draw.integer(1, 4), sizes[0])
    return dict(X=X, arrays=draw_parameters(draw, sizes), activation=draw.choice(["tanh", "tanh", "relu"]))


def torch_net(X, arrays, activation):
    """The network's outputs in PyTorch, float64; arrays are tensors."""
    import torch

    h = torch.tensor(X)
    for i in range(0, len(arrays), 2):
        h = torch.nn.functional.linear(h, arrays[i].T, arrays[i + 1])
        if i + 2 < len(arrays):
            h = getattr(torch, activation)(h)
    return h


def torch_loss(name):
    from torch.nn import functional

    return functional.mse_loss if name == "squared_loss" else functional.binary_cross_entropy_with_logits


def as_tensors(arrays):
    import torch

    return [torch.tensor(a, dtype=torch.float64, requires_grad=True) for a in arrays]


# --------------------------------------------------------------------------------------------------- the perceptron


@checkpoint("The perceptron's weights equal scikit-learn's, mistake for mistake", atol=1e-10, count=24)
def updates(lib, X, y, epochs):
    model = lib.grad.perceptron.Perceptron(epochs=epochs).fit(X, y)
    return {
        "mistakes": model.mistakes_,
        "coef": model.coef_,
        "intercept": model.intercept_,
        "predicted": model.predict(X),
    }


@updates.cases
def _(draw):
    n, p = draw.integer(2, 6), draw.integer(1, 3)
    X = draw.normal(n, p) if draw.boolean() else draw.integers(-2, 2, n, p).astype(np.float64)
    y = 2 * draw.integers(0, 1, n) - 1
    y[:2] = 1, -1
    return dict(X=X, y=y, epochs=draw.integer(1, 5))


@updates.edges
def _():
    return [
        dict(X=np.array([[1.0], [-1.0]]), y=np.array([1, -1]), epochs=5),
        dict(X=np.array([[2.0], [1.0]]), y=np.array([1, -1]), epochs=1),
        dict(X=np.array([[2.0], [1.0]]), y=np.array([1, -1]), epochs=50),
    ]


@updates.oracle
def _(X, y, epochs):
    from sklearn.linear_model import Perceptron

    w, b, mistakes = [0.0] * X.shape[1], 0.0, []
    while len(mistakes) < epochs and 0 not in mistakes:
        mistakes.append(0)
        for x, label in zip(X.tolist(), y.tolist()):
            if label * (sum(u * v for u, v in zip(w, x)) + b) <= 0:
                w, b = [u + label * v for u, v in zip(w, x)], b + label
                mistakes[-1] += 1
    theirs = Perceptron(max_iter=len(mistakes), tol=None, shuffle=False).fit(X, y)
    coef, intercept = theirs.coef_[0], float(theirs.intercept_[0])
    predicted = np.where(X @ coef + intercept > 0, 1, -1)
    return {"mistakes": mistakes, "coef": coef, "intercept": intercept, "predicted": predicted}


@checkpoint("Where a line exists, it is found within Novikoff's number of mistakes", count=20)
def separable(lib, X, y, epochs):
    model = lib.grad.perceptron.Perceptron(epochs=epochs).fit(X, y)
    return {"mistakes": model.mistakes_, "predicted": model.predict(X)}


def novikoff(X, w, b, y):
    """(R / gamma)^2 for the line w.x + b = 0, the intercept counted as a feature that is 1."""
    longest = (X**2).sum(axis=1).max() + 1
    margin = (y * (X @ w + b)).min() / np.sqrt(w @ w + b * b)
    return longest / margin**2


@separable.cases
def _(draw):
    n, p = draw.integer(2, 12), draw.integer(1, 3)
    X, w, b = draw.normal(n, p), draw.uniform(0.5, 2.0, p), draw.uniform(-0.5, 0.5)
    y = np.where(X @ w + b >= 0, 1, -1)
    X = X + 0.4 * y[:, None] * w / np.sqrt(w @ w)  # no sample nearer to the line than 0.4
    return dict(X=X, y=y, epochs=int(novikoff(X, w, b, y)) + 2, _w=w, _b=b)


@separable.accepts
def _(got, X, y, epochs, w, b):
    most = novikoff(X, w, b, y)
    if sum(got["mistakes"]) > most:
        return f"{sum(got['mistakes'])} mistakes, and Novikoff's theorem allows {int(most)} here."
    if len(got["mistakes"]) == 0 or got["mistakes"][-1] != 0:
        return f"The mistakes of each epoch are {got['mistakes']}: the last one should have none."
    return bool(np.array_equal(got["predicted"], y)) or "A sample is on the wrong side of the line."


@checkpoint("XOR: there is no line, and the perceptron never rests", count=12)
def xor_by_a_line(lib, X, y):
    model = lib.grad.perceptron.Perceptron(epochs=30).fit(X, y)
    return {"mistakes": model.mistakes_, "right": int((model.predict(X) == y).sum())}


@xor_by_a_line.cases
def _(draw):
    corners = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    order = draw.permutation(4)
    X = corners * draw.choice([1.0, 2.0, 4.0]) + draw.choice([0.0, -0.5, -1.0, 1.0])
    return dict(X=X[order], y=draw.choice([1, -1]) * np.array([-1, 1, 1, -1])[order])


@xor_by_a_line.accepts
def _(got, X, y):
    if len(got["mistakes"]) != 30 or min(got["mistakes"]) < 1:
        return f"30 epochs with a mistake in each were expected, and these came: {got['mistakes']}."
    return got["right"] <= 3 or "No line is right at all four points."


# ------------------------------------------------------------------------------------------------------ the network


@checkpoint("The network's outputs equal PyTorch's to 1e-12", atol=1e-12)
def outputs(lib, X, arrays, activation, as_tensor):
    model = net(lib, arrays, activation)
    given = lib.grad.tensor.Tensor(X) if as_tensor else X
    return {"called": model(given).data, "predicted": lib.grad.mlp.predict(model, X)}


@outputs.cases
def _(draw):
    return dict(**draw_net(draw), as_tensor=draw.boolean())


@outputs.edges
def _():
    one = np.ones((1, 1))
    return [
        dict(X=one, arrays=[2 * one, np.array([-1.0])], activation="tanh", as_tensor=False),
        dict(X=one, arrays=[2 * one, np.array([-1.0]), 3 * one, np.ones(1)], activation="tanh", as_tensor=True),
    ]


@outputs.oracle
def _(X, arrays, activation, as_tensor):
    y = torch_net(X, as_tensors(arrays), activation).detach().numpy()
    return {"called": y, "predicted": y}


@checkpoint("Weights start with mean 0 and variance 1/inputs, biases at 0", count=0)
def start(lib, sizes, seed):
    models = [lib.grad.mlp.MLP(sizes, np.random.default_rng(s)) for s in (seed, seed, seed + 1)]
    arrays = [[parameter.data for parameter in model.parameters()] for model in models]
    return {
        "shapes": [a.shape for a in arrays[0]],
        "means": [float(a.mean()) for a in arrays[0]],
        "deviations": [float(a.std()) for a in arrays[0]],
        "same seed, same weights": all(np.array_equal(a, b) for a, b in zip(arrays[0], arrays[1])),
        "other seed, other weights": not any(np.array_equal(a, b) for a, b in zip(arrays[0][::2], arrays[2][::2])),
    }


@start.edges
def _():
    return [dict(sizes=[100, 80, 60], seed=3)]


@start.accepts
def _(got, sizes, seed):
    shapes = [shape for a, b in pairwise(sizes) for shape in ((a, b), (b,))]
    if [tuple(shape) for shape in got["shapes"]] != shapes:
        return f"The parameters should have the shapes {shapes}, and have {got['shapes']}."
    for i, n_in in enumerate(sizes[:-1]):
        mean, deviation, want = got["means"][2 * i], got["deviations"][2 * i], n_in**-0.5
        if abs(deviation / want - 1) > 0.1 or abs(mean) > 0.1 * want:
            return (
                f"The {n_in} x {sizes[i + 1]} weights have standard deviation {deviation:.3g} and mean {mean:.2g}; "
                f"with {n_in} inputs {want:.3g} and 0 are asked for."
            )
        if got["means"][2 * i + 1] != 0 or got["deviations"][2 * i + 1] != 0:
            return "The biases start at 0."
    if not got["same seed, same weights"]:
        return "Two generators with the same seed should give the same weights: draw from the one that is handed in."
    return got["other seed, other weights"] or "Two generators with different seeds give the same weights."


@checkpoint("Both losses and their gradients equal PyTorch's, out to log-odds of 10,000", atol=1e-12)
def losses(lib, loss, output, y):
    z = lib.grad.tensor.Tensor(output, requires_grad=True)
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        value = getattr(lib.grad.mlp, loss)(z, y)
        value.backward()
    return {"loss": value.data, "gradient": z.grad}


@losses.cases
def _(draw):
    n, k = draw.integer(1, 4), draw.integer(1, 2)
    loss = draw.choice(["squared_loss", "logistic_loss"])
    scale = draw.choice([1.0, 10.0, 2500.0]) if loss == "logistic_loss" else 1.0
    return dict(loss=loss, output=draw.uniform(-4, 4, n, k) * scale, y=draw.integers(0, 1, n, k).astype(np.float64))


@losses.edges
def _():
    z = np.array([[0.0], [1e4], [-1e4], [40.0]])
    return [
        dict(loss="squared_loss", output=np.array([[3.0], [1.0]]), y=np.array([[1.0], [0.5]])),
        dict(loss="logistic_loss", output=np.zeros((2, 1)), y=np.array([[0.0], [1.0]])),
        dict(loss="logistic_loss", output=z, y=np.ones((4, 1))),
        dict(loss="logistic_loss", output=z, y=np.zeros((4, 1))),
    ]


@losses.oracle
def _(loss, output, y):
    import torch

    z = torch.tensor(output, requires_grad=True)
    value = torch_loss(loss)(z, torch.tensor(y))
    value.backward()
    return {"loss": np.array(value.item()), "gradient": z.grad.numpy()}


@checkpoint("A loss refuses outputs (n, 1) beside labels (n,) with a ValueError", count=0)
def refused(lib, loss, output, y):
    try:
        getattr(lib.grad.mlp, loss)(lib.grad.tensor.Tensor(output, requires_grad=True), y)
    except ValueError:
        return "ValueError"
    return "no error"


@refused.edges
def _():
    return [dict(loss=loss, output=np.ones((3, 1)), y=np.ones(3)) for loss in ("squared_loss", "logistic_loss")]


@refused.oracle
def _(loss, output, y):
    return "ValueError"


@checkpoint("Steps of training lead where PyTorch's lead, loss for loss, to 1e-10", atol=1e-10, count=20)
def training(lib, X, y, arrays, activation, loss, rate, steps):
    model = net(lib, arrays, activation)
    found = lib.grad.mlp.train(model, X, y, getattr(lib.grad.mlp, loss), rate, steps)
    return {"losses": found, "parameters": [parameter.data for parameter in model.parameters()]}


@training.cases
def _(draw):
    case = draw_net(draw)
    return dict(
        **case,
        y=draw.integers(0, 1, len(case["X"]), len(case["arrays"][-1])).astype(np.float64),
        loss=draw.choice(["squared_loss", "logistic_loss"]),
        rate=draw.choice([0.1, 0.5, 0.01]),
        steps=draw.integer(1, 4),
    )


@training.oracle
def _(X, y, arrays, activation, loss, rate, steps):
    import torch

    parameters, found = as_tensors(arrays), []
    for _ in range(steps):
        value = torch_loss(loss)(torch_net(X, parameters, activation), torch.tensor(y))
        slopes = torch.autograd.grad(value, parameters)
        parameters = [(p - rate * g).detach().requires_grad_() for p, g in zip(parameters, slopes)]
        found.append(value.item())
    return {"losses": found, "parameters": [p.detach().numpy() for p in parameters]}


# ------------------------------------------------------------------------------------------------- what it can learn


@checkpoint("XOR is solved: all four right, and the loss below 0.1", count=1)
def xor(lib, X, y, seed):
    model = lib.grad.mlp.MLP([2, 16, 1], np.random.default_rng(seed))
    found = lib.grad.mlp.train(model, X, y, lib.grad.mlp.logistic_loss, 2.0, 120)
    return {"last loss": found[-1], "log-odds": lib.grad.mlp.predict(model, X)}


@xor.cases
def _(draw):
    order = draw.permutation(4)
    corners = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    return dict(X=corners[order], y=np.array([[0.0], [1.0], [1.0], [0.0]])[order], seed=draw.seed())


@xor.accepts
def _(got, X, y, seed):
    right = int(((got["log-odds"] > 0) == (y > 0)).sum())
    if right < 4:
        return f"{right} of 4 points are right after 120 steps; the loss is {got['last loss']:.3f}."
    return got["last loss"] < 0.1 or f"The loss is {got['last loss']:.3f} after 120 steps; below 0.1 is asked for."


@checkpoint("Two moons: 99 % right on points whose labels only the judge has", count=1, seconds=4)
def two_moons(lib, X, y, X_test, seed):
    model = lib.grad.mlp.MLP([2, 16, 1], np.random.default_rng(seed))
    lib.grad.mlp.train(model, X, y, lib.grad.mlp.logistic_loss, 3.0, 250)
    return lib.grad.mlp.predict(model, X_test)


@two_moons.cases
def _(draw):
    from sklearn.datasets import make_moons

    seed = draw.seed()
    X, y = make_moons(200, noise=0.07, random_state=seed)
    X_test, y_test = make_moons(500, noise=0.07, random_state=seed + 1)
    return dict(X=X, y=y[:, None].astype(np.float64), X_test=X_test, _y_test=y_test, seed=seed)


@two_moons.accepts
def _(got, X, y, X_test, y_test, seed):
    if got.shape != (len(X_test), 1):
        return f"One output for each point, {(len(X_test), 1)}, was expected, and {got.shape} came."
    share = float(np.mean((got[:, 0] > 0) == (y_test == 1)))
    return share >= 0.99 or f"{share:.1%} of the test points are right."


@two_moons.shown
def _(X, y, X_test, seed):
    return (
        f"X, y = two moons, 200 points (seed {seed})\n250 steps at rate 3 with 16 hidden units, then 500 other points"
    )


# ---------------------------------------------------------------------------------------------------- what width buys


@checkpoint("A network written by hand goes through any points in straight lines", atol=1e-9)
def polyline(lib, x, y, x_test):
    model = lib.grad.mlp.polyline(x, y)
    return {"shapes": [p.shape for p in model.parameters()], "values": lib.grad.mlp.predict(model, x_test[:, None])}


@polyline.cases
def _(draw):
    n = draw.integer(1, 6)
    x = np.cumsum(np.append(draw.uniform(-2, 2), draw.uniform(0.25, 2.0, n)))
    inside = draw.uniform(0.0, 1.0, draw.integer(1, 6))
    return dict(x=x, y=draw.normal(n + 1), x_test=x[0] - 0.5 + inside * (x[-1] - x[0] + 1.0))


@polyline.edges
def _():
    x_test = np.array([-1.0, 0.0, 0.25, 1.0, 1.5, 2.0, 3.0])
    return [
        dict(x=np.array([0.0, 1.0]), y=np.array([1.0, 3.0]), x_test=x_test),
        dict(x=np.array([0.0, 1.0, 2.0]), y=np.array([0.0, 1.0, 4.0]), x_test=x_test),
        dict(x=np.array([0, 1, 2]), y=np.array([0, 1, 4]), x_test=x_test),
    ]


@polyline.oracle
def _(x, y, x_test):
    n = len(x) - 1
    beyond = np.maximum(x_test - x[-1], 0.0) * (y[-1] - y[-2]) / (x[-1] - x[-2])
    return {"shapes": [(1, n), (n,), (n, 1), (1,)], "values": (np.interp(x_test, x, y) + beyond)[:, None]}


@checkpoint("The error on a curve falls at every doubling of the width from 1 to 512", count=2)
def width(lib, x, y, x_test):
    values = []
    for n in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512):
        model = lib.grad.mlp.polyline(x[:: 512 // n], y[:: 512 // n])
        values.append(lib.grad.mlp.predict(model, x_test[:, None])[:, 0])
    return values


def curve_case(f, offset=0.37):
    x = np.linspace(0.0, 1.0, 513)
    x_test = (np.arange(150) + offset) / 150
    return dict(x=x, y=f(x), x_test=x_test, _y_test=f(x_test))


@width.cases
def _(draw):
    k = draw.choice([1.0, -1.0]) * draw.uniform(0.5, 4.0)
    return curve_case(lambda x: np.exp(k * x), draw.uniform(0.1, 0.9))


@width.edges
def _():
    return [curve_case(np.square), curve_case(lambda x: np.sin(3 * x)), curve_case(lambda x: np.sin(7 * x) + x)]


@width.accepts
def _(got, x, y, x_test, y_test):
    errors = [float(np.sqrt(np.mean((values - y_test) ** 2))) for values in got]
    for i, (before, after) in enumerate(pairwise(errors)):
        if not after < before:
            return f"The error is {before:.3g} at width {2**i}, and {after:.3g} at width {2 ** (i + 1)}."
    return errors[-1] < 1e-3 * errors[0] or f"The error falls from {errors[0]:.3g} to {errors[-1]:.3g} only."


@width.shown
def _(x, y, x_test):
    return (
        f"a curve from ({x[0]:g}, {y[0]:.3g}) over (0.5, {y[256]:.3g}) to ({x[-1]:g}, {y[-1]:.3g}), 512 pieces at most"
    )
