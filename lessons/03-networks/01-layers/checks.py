"""What is asked of lesson 3.1: layers and a network whose values and gradients equal PyTorch's in float64."""

from itertools import pairwise

import numpy as np

from groundup.course import checkpoint

ACTIVATIONS = ["relu", "tanh", "sigmoid", "gelu"]


def numbers(draw, *shape):
    return draw.uniform(-3, 3, *shape)


def printed(x):
    return np.array2string(np.asarray(x), separator=", ")


def as_list(gradients):
    return list(gradients) if isinstance(gradients, tuple) else [gradients]


def in_torch(name, arrays, options):
    """A layer's operands as leaves, and its result, by PyTorch."""
    import torch
    from torch.nn import functional

    leaves = [torch.tensor(array, requires_grad=True) for array in arrays]
    if name == "affine":
        x, W, b = leaves
        return leaves, x @ W + b
    if name == "softmax":
        return leaves, torch.softmax(leaves[0], dim=options.get("axis", -1))
    if name == "softmax_cross_entropy":
        return leaves, functional.cross_entropy(leaves[0], torch.tensor(options["labels"]))
    function = functional.gelu if name == "gelu" else getattr(torch, name)
    return leaves, function(*leaves, **options)


def torch_gradients(leaves, y, upstream):
    """dL/d(leaf) for each leaf, given dL/dy; the graph stays."""
    import torch

    upstream = torch.as_tensor(upstream, dtype=y.dtype).reshape(y.shape)
    return [g.numpy() for g in torch.autograd.grad(y, leaves, upstream, retain_graph=True)]


def call(name, options):
    """A forward call as a person would write it."""
    operands = {"affine": "x, W, b", "softmax_cross_entropy": "scores, labels", "softmax": "z"}.get(name, "x")
    extra = "".join(f", {key}={value!r}" for key, value in options.items() if key != "labels")
    return f"{name}_forward({operands}{extra})"


# --------------------------------------------------------------------------------------------------------- the affine map


@checkpoint(
    "The affine map equals PyTorch's, whatever stands in front of the last axis", atol=1e-10, count=16, seconds=6
)
def affine(lib, x, W, b, dy):
    dense = lib.grad.layers.dense
    y, cache = dense.affine_forward(x, W, b)
    dx, dW, db = dense.affine_backward(dy, cache)
    spared, *_ = dense.affine_backward(dy, cache, with_dx=False)
    return {"y": y, "dx": dx, "dW": dW, "db": db, "without dx": "None" if spared is None else "an array"}


@affine.cases
def _(draw):
    d = draw.integer(1, 4)
    m = d if draw.boolean(0.4) else draw.integer(1, 4)
    batch = draw.choice([(draw.integer(1, 5),), (d,), (2, 3), (d, d), ()])
    return dict(x=numbers(draw, *batch, d), W=numbers(draw, d, m), b=numbers(draw, m), dy=numbers(draw, *batch, m))


@affine.edges
def _():
    x, w = np.array([[1.0, 2.0, 3.0]]), np.array([[0.5], [-1.0], [2.0]])
    rows, square = np.array([[1.0, 2.0], [3.0, 5.0]]), np.array([[1.0, 2.0], [-1.0, 3.0]])
    return [
        dict(x=x, W=w, b=np.array([0.1]), dy=np.array([[2.0]])),
        dict(x=np.vstack([x, -x, x + 1]), W=w, b=np.array([0.1]), dy=np.array([[2.0], [1.0], [-4.0]])),
        dict(x=rows, W=square, b=np.array([1.0, -1.0]), dy=np.array([[1.0, 0.5], [2.0, -3.0]])),
        dict(x=np.arange(12.0).reshape(2, 3, 2), W=square, b=np.zeros(2), dy=np.arange(12.0).reshape(2, 3, 2) - 5),
    ]


@affine.oracle
def _(x, W, b, dy):
    leaves, y = in_torch("affine", [x, W, b], {})
    dx, dW, db = torch_gradients(leaves, y, dy)
    return {"y": y.detach().numpy(), "dx": dx, "dW": dW, "db": db, "without dx": "None"}


@affine.shown
def _(x, W, b, dy):
    lines = [f"{name} = {printed(a)}  # {a.shape}" for name, a in (("x", x), ("W", W), ("b", b), ("dy", dy))]
    return "\n".join([*lines, "y, cache = affine_forward(x, W, b)", "dx, dW, db = affine_backward(dy, cache)"])


# --------------------------------------------------------------------------------------------------------- nonlinearities


@checkpoint("relu, tanh and sigmoid equal PyTorch's, and nothing overflows on the way", atol=1e-12, count=12)
def nonlinearities(lib, name, x, dy):
    dense = lib.grad.layers.dense
    with np.errstate(
        over="raise", invalid="raise"
    ):  # an overflow is an error here, also where its result is thrown away
        y, cache = getattr(dense, f"{name}_forward")(x)
        return {"y": y, "dx": getattr(dense, f"{name}_backward")(dy, cache)}


@nonlinearities.cases
def _(draw):
    shape = draw.shape((1, 3), (1, 4))
    size = draw.choice([1.0, 10.0, 1000.0])
    return dict(name=draw.choice(["relu", "tanh", "sigmoid"]), x=size * numbers(draw, *shape), dy=numbers(draw, *shape))


@nonlinearities.edges
def _():
    x, dy = np.array([-2.0, -0.5, 0.0, 1.0, 3.0]), np.array([1.0, -2.0, 3.0, 4.0, -5.0])
    far = [np.array([1000.0]), np.array([-1000.0]), np.array([-1e300, -40.0, 40.0, 1e300])]
    return [
        *[dict(name=name, x=x, dy=dy) for name in ("relu", "tanh", "sigmoid")],
        *[dict(name=name, x=x, dy=np.full(len(x), 2.0)) for x in far for name in ("sigmoid", "tanh", "relu")],
    ]


@nonlinearities.oracle
def _(name, x, dy):
    leaves, y = in_torch(name, [x], {})
    return {"y": y.detach().numpy(), "dx": torch_gradients(leaves, y, dy)[0]}


@nonlinearities.shown
def _(name, x, dy):
    return f"x = {printed(x)}\ny, cache = {name}_forward(x)\ndx = {name}_backward({printed(dy)}, cache)"


@checkpoint("erf equals SciPy's to fifteen digits", atol=0, rtol=4e-15, count=10)
def erf(lib, x):
    return lib.grad.layers.dense.erf(x)


@erf.cases
def _(draw):
    shape = draw.shape((1, 2), (1, 20))
    return dict(x=draw.choice([1.0, 3.0, 0.01]) * draw.uniform(-2, 2, *shape))


@erf.edges
def _():
    return [
        dict(x=np.array([0.5])),
        dict(x=np.array([-0.5])),
        dict(x=np.array([0.0, 1.0, 2.0, 3.0, 4.0])),
        dict(x=np.linspace(-7.0, 7.0, 281)),
        dict(x=np.array([1e-200, -1e-20, 1e-8, 2.4999999, 2.5, 2.5000001, 30.0, -1e4])),
        dict(x=np.array([np.inf, -np.inf, np.nan])),
    ]


@erf.oracle
def _(x):
    from scipy import special

    return special.erf(x)


@checkpoint("GELU and its tanh approximation equal PyTorch's, each with its own slope", atol=1e-12, count=12)
def gelu(lib, x, approximate, dy):
    dense = lib.grad.layers.dense
    y, cache = dense.gelu_forward(x, approximate=approximate)
    return {"y": y, "dx": dense.gelu_backward(dy, cache)}


@gelu.cases
def _(draw):
    shape = draw.shape((1, 3), (1, 4))
    x = draw.choice([1.0, 4.0]) * numbers(draw, *shape)
    return dict(x=x, approximate=draw.choice(["none", "tanh"]), dy=numbers(draw, *shape))


@gelu.edges
def _():
    x = np.array([-100.0, -5.0, -0.75, 0.0, 1.0, 2.0, 6.0, 100.0])
    cases = [(np.array([1.0]), np.array([1.0])), (x, np.arange(8.0) - 2.5)]
    return [dict(x=x, approximate=kind, dy=dy) for x, dy in cases for kind in ("none", "tanh")]


@gelu.oracle
def _(x, approximate, dy):
    leaves, y = in_torch("gelu", [x], {"approximate": approximate})
    return {"y": y.detach().numpy(), "dx": torch_gradients(leaves, y, dy)[0]}


@gelu.shown
def _(x, approximate, dy):
    forward = call("gelu", {"approximate": approximate})
    return f"x = {printed(x)}\ny, cache = {forward}\ndx = gelu_backward({printed(dy)}, cache)"


# ------------------------------------------------------------------------------------------------- softmax, cross-entropy


def draw_scores(draw, *shape):
    """Scores; in some, slices along the last axis lie far apart, and some are large in themselves."""
    z = draw.choice([1.0, 100.0]) * numbers(draw, *shape)
    if draw.boolean(0.4):
        z = z + 1e4 * np.round(numbers(draw, *shape[:-1]))[..., None]
    return z


@checkpoint("log_sum_exp, log_softmax and softmax equal SciPy's along any axis, for scores of any size", atol=1e-9)
def softmaxes(lib, z, axis):
    dense = lib.grad.layers.dense
    return {
        "log_sum_exp": dense.log_sum_exp(z, axis=axis),
        "log_softmax": dense.log_softmax(z, axis=axis),
        "softmax": dense.softmax(z, axis=axis),
    }


@softmaxes.cases
def _(draw):
    shape = draw.shape((2, 3), (1, 4))
    return dict(z=draw_scores(draw, *shape), axis=draw.choice([-1, 0, len(shape) - 1, -2]))


@softmaxes.edges
def _():
    z = np.array([[2.0, 1.0, 0.0], [0.0, 0.0, 3.0]])
    return [
        dict(z=np.array([2.0, 1.0, 0.0]), axis=-1),
        dict(z=z, axis=-1),
        dict(z=z, axis=0),
        dict(z=np.array([[1000.0, 1001.0, 1002.0]]), axis=-1),
        dict(z=np.array([[0.0, 1.0], [2000.0, 2001.0], [-5000.0, -5001.0]]), axis=-1),
        dict(z=np.array([[0.0, 2000.0, -5000.0], [1.0, 2001.0, -5001.0]]), axis=0),
        dict(z=np.array([[0.0, -800.0]]), axis=1),
    ]


@softmaxes.oracle
def _(z, axis):
    from scipy import special

    functions = (special.logsumexp, special.log_softmax, special.softmax)
    return {name: f(z, axis=axis) for name, f in zip(("log_sum_exp", "log_softmax", "softmax"), functions)}


@checkpoint("Softmax as a layer: its gradient is PyTorch's, under any upstream gradient", atol=1e-10, count=12)
def softmax_layer(lib, z, axis, dp):
    dense = lib.grad.layers.dense
    p, cache = dense.softmax_forward(z, axis=axis)
    return {"p": p, "dz": dense.softmax_backward(dp, cache)}


@softmax_layer.cases
def _(draw):
    shape = draw.shape((1, 3), (1, 4))
    return dict(z=numbers(draw, *shape), axis=draw.choice([-1, 0]), dp=numbers(draw, *shape))


@softmax_layer.edges
def _():
    z, dp = np.array([[2.0, 1.0, 0.0]]), np.array([[0.0, 0.0, 1.0]])
    return [dict(z=z, axis=-1, dp=dp), dict(z=np.vstack([z, -z]), axis=-1, dp=np.array([[1.0, 2.0, -4.0], [1, 0, 2]]))]


@softmax_layer.oracle
def _(z, axis, dp):
    leaves, p = in_torch("softmax", [z], {"axis": axis})
    return {"p": p.detach().numpy(), "dz": torch_gradients(leaves, p, dp)[0]}


@softmax_layer.shown
def _(z, axis, dp):
    return f"z = {printed(z)}\np, cache = softmax_forward(z, axis={axis})\ndz = softmax_backward({printed(dp)}, cache)"


@checkpoint("Cross-entropy and its gradient equal PyTorch's, however sure the scores are", atol=1e-9, count=16)
def cross_entropy(lib, scores, labels, dloss):
    dense = lib.grad.layers.dense
    loss, cache = dense.softmax_cross_entropy_forward(scores, labels)
    return {"loss": float(loss), "dscores": dense.softmax_cross_entropy_backward(dloss, cache)}


@cross_entropy.cases
def _(draw):
    n, k = draw.integer(1, 5), draw.integer(2, 5)
    labels = draw.integers(0, k - 1, n)
    return dict(scores=draw_scores(draw, n, k), labels=labels, dloss=draw.choice([1.0, draw.uniform(-3, 3)]))


@cross_entropy.edges
def _():
    three = np.array([[2.0, 1.0, 0.0]])
    far = np.array([[0.0, 1.0], [3000.0, 3001.0], [-5000.0, -5001.0]])
    return [
        dict(scores=three, labels=np.array([2]), dloss=1.0),
        dict(scores=three, labels=np.array([0]), dloss=3.0),
        dict(scores=np.vstack([three, three + 1, -three]), labels=np.array([2, 0, 0]), dloss=1.0),
        dict(scores=np.array([[1000.0, 0.0]]), labels=np.array([1]), dloss=1.0),
        dict(scores=far, labels=np.array([0, 1, 1]), dloss=-2.0),
        dict(scores=np.array([[4.0], [5.0]]), labels=np.array([0, 0]), dloss=1.0),
    ]


@cross_entropy.oracle
def _(scores, labels, dloss):
    leaves, loss = in_torch("softmax_cross_entropy", [scores], {"labels": labels})
    return {"loss": loss.item(), "dscores": torch_gradients(leaves, loss, dloss)[0]}


@cross_entropy.shown
def _(scores, labels, dloss):
    return (
        f"scores = {printed(scores)}\nlabels = {printed(labels)}\n"
        f"loss, cache = softmax_cross_entropy_forward(scores, labels)\nsoftmax_cross_entropy_backward({dloss}, cache)"
    )


# -------------------------------------------------------------------------------------------------------- every layer


LAYERS = ["affine", "relu", "tanh", "sigmoid", "gelu", "gelu, tanh", "softmax", "softmax_cross_entropy"]


def layer_case(draw, layer):
    """The name that its functions begin with, the arrays that it differentiates by, its options, and its result's shape."""
    n, d = draw.integer(1, 3), draw.integer(2, 3)
    x = numbers(draw, n, d)
    if layer == "affine":
        m = draw.integer(1, 3)
        return dict(name="affine", arrays=[x, numbers(draw, d, m), numbers(draw, m)], options={}), (n, m)
    if layer == "softmax_cross_entropy":
        return dict(name=layer, arrays=[x], options={"labels": draw.integers(0, d - 1, n)}), ()
    name, _, approximate = layer.partition(", ")
    if name == "relu":
        x = np.where(x >= 0, x + 0.1, x - 0.1)  # off the kink
    return dict(name=name, arrays=[x], options={"approximate": approximate} if approximate else {}), (n, d)


class Fixed:
    """Stands for draw where a case is to be the same each time."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def integer(self, low, high):
        return high

    def integers(self, low, high, *shape):
        return self.rng.integers(low, high + 1, shape)

    def uniform(self, low, high, *shape):
        drawn = self.rng.uniform(low, high, shape).round(1)
        return drawn if shape else float(drawn)


def every_layer(add):
    """One case for each layer, with whatever add(draw, shape of the result) draws besides."""
    cases = []
    for seed, layer in enumerate(LAYERS):
        draw = Fixed(seed)
        case, shape = layer_case(draw, layer)
        cases.append(case | add(draw, shape))
    return cases


def slopes(f, x):
    """df/dx for every element by the five-point rule, good to some twelve digits; f takes x and returns a number."""
    x, h = x.copy(), 1e-3
    measured = np.empty_like(x)
    for i in np.ndindex(x.shape):
        centre = x[i]
        values = []
        for step in (-2, -1, 1, 2):
            x[i] = centre + step * h
            values.append(f(x))
        x[i] = centre
        measured[i] = (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * h)
    return measured


@checkpoint("Gradient check: every layer's backward is the slope of its own forward, to 1e-7", count=12)
def gradient_check(lib, name, arrays, options, upstream):
    dense = lib.grad.layers.dense
    forward, backward = getattr(dense, f"{name}_forward"), getattr(dense, f"{name}_backward")
    y, cache = forward(*arrays, **options)
    claimed = as_list(backward(upstream, cache))
    measured = []
    for place in range(len(arrays)):
        rest = list(arrays)

        def value(x, rest=rest, place=place):
            rest[place] = x
            return float(np.sum(upstream * forward(*rest, **options)[0]))

        measured.append(slopes(value, arrays[place]))
    return {"value": float(np.sum(upstream * y)), "claimed": claimed, "measured": measured}


@gradient_check.cases
def _(draw):
    case, shape = layer_case(draw, draw.choice(LAYERS))
    return case | {"upstream": numbers(draw, *shape)}


@gradient_check.edges
def _():
    return every_layer(lambda draw, shape: {"upstream": numbers(draw, *shape)})


@gradient_check.accepts
def _(got, name, arrays, options, upstream):
    if len(got["claimed"]) != len(arrays):
        return (
            f"{name}_backward returned {len(got['claimed'])} gradients, and {name}_forward takes {len(arrays)} arrays"
        )
    for place, (claimed, measured) in enumerate(zip(got["claimed"], got["measured"])):
        if np.shape(claimed) != measured.shape:
            return f"gradient {place} has shape {np.shape(claimed)}, and its array {measured.shape}"
        floor = 1e-2 * max(1.0, abs(got["value"]), np.abs(measured).max())
        errors = np.abs(claimed - measured) / np.maximum(np.maximum(np.abs(claimed), np.abs(measured)), floor)
        if not errors.max() < 1e-7:
            at = np.unravel_index(np.argmax(errors), errors.shape)
            index = ", ".join(map(str, at))
            return (
                f"gradient {place} at [{index}]: backward says {claimed[at]:.10g}, and nudging forward's input gives "
                f"{measured[at]:.10g}: a relative error of {errors[at]:.1e}"
            )
    return True


@gradient_check.shown
def _(name, arrays, options, upstream):
    inputs = "\n".join(f"input {i} = {printed(a)}" for i, a in enumerate(arrays))
    return f"{inputs}\ny, cache = {call(name, options)}\n{name}_backward({printed(upstream)}, cache)"


@checkpoint(
    "Backward may be called again: neither the upstream gradient nor the cache is changed", atol=1e-10, count=12
)
def called_again(lib, name, arrays, options, first, second):
    dense = lib.grad.layers.dense
    backward = getattr(dense, f"{name}_backward")
    _, cache = getattr(dense, f"{name}_forward")(*arrays, **options)
    gradients = [as_list(backward(upstream, cache)) for upstream in (first, second, first)]
    return dict(zip(("first", "second", "first again"), gradients))


@called_again.cases
def _(draw):
    case, shape = layer_case(draw, draw.choice(LAYERS))
    return case | {"first": numbers(draw, *shape), "second": numbers(draw, *shape)}


@called_again.edges
def _():
    return every_layer(lambda draw, shape: {"first": numbers(draw, *shape), "second": numbers(draw, *shape)})


@called_again.oracle
def _(name, arrays, options, first, second):
    leaves, y = in_torch(name, arrays, options)
    one, two = torch_gradients(leaves, y, first), torch_gradients(leaves, y, second)
    return {"first": one, "second": two, "first again": one}


@called_again.shown
def _(name, arrays, options, first, second):
    inputs = "\n".join(f"input {i} = {printed(a)}" for i, a in enumerate(arrays))
    calls = "\n".join(f"{name}_backward({printed(g)}, cache)" for g in (first, second, first))
    return f"{inputs}\ny, cache = {call(name, options)}\n{calls}"


# --------------------------------------------------------------------------------------------------------- the network


def filled(Network, sizes, activation, params):
    """A network whose parameters have been written over in place."""
    net = Network(sizes, np.random.default_rng(0), activation)
    for array, value in zip(net.params, params):
        array[...] = value
    return net


def draw_network(draw):
    sizes = [draw.integer(1, 4) for _ in range(draw.integer(1, 3))] + [draw.integer(2, 4)]
    if draw.boolean(0.3):
        sizes = [max(2, sizes[0])] * len(sizes)  # square, where a transposition fits
    params = [numbers(draw, *shape) for n, m in pairwise(sizes) for shape in ((n, m), (m,))]
    X = numbers(draw, draw.integer(1, 5), sizes[0])
    return dict(sizes=sizes, activation=draw.choice(ACTIVATIONS), params=params, X=X)


def network_edges():
    rng = np.random.default_rng(0)
    cases = []
    for sizes in ([3, 2], [2, 3, 2], [3, 4, 3, 2]):
        params = [rng.standard_normal(s).round(1) for n, m in pairwise(sizes) for s in ((n, m), (m,))]
        cases.append((sizes, params, rng.standard_normal((4, sizes[0])).round(1)))
    return [
        dict(sizes=sizes, activation=activation, params=params, X=X)
        for sizes, params, X in cases
        for activation in (ACTIVATIONS if len(sizes) > 2 else ["relu"])
    ]


def torch_network(activation, params, X):
    """Leaves, pre-activations, activations, scores."""
    import torch

    function = torch.nn.functional.gelu if activation == "gelu" else getattr(torch, activation)
    leaves = [torch.tensor(p, requires_grad=True) for p in params]
    before, after, h = [], [], torch.tensor(X)
    for place in range(0, len(leaves), 2):
        z = h @ leaves[place] + leaves[place + 1]
        if place == len(leaves) - 2:
            return leaves, before, after, z
        h = function(z)
        before.append(z)
        after.append(h)
    raise AssertionError("a network has at least one layer")


def network_text(sizes, activation, params, X):
    lines = [f"params[{i}] = {printed(p)}" for i, p in enumerate(params)]
    return "\n".join([f"net = Network({sizes}, generator, {activation!r}), then in place", *lines, f"X = {printed(X)}"])


@checkpoint(
    "A network's scores, predictions and hidden layers equal PyTorch's on the same parameters", atol=1e-9, count=10
)
def forward(lib, sizes, activation, params, X):
    net = filled(lib.grad.network.Network, sizes, activation, params)
    scores, _ = net.forward(X)
    return {
        "scores": scores,
        "predict": net.predict(X),
        "pre_activations": list(net.pre_activations(X)),
        "activations": list(net.activations(X)),
    }


@forward.cases
def _(draw):
    return draw_network(draw)


@forward.edges
def _():
    return network_edges()


@forward.oracle
def _(sizes, activation, params, X):
    _, before, after, scores = torch_network(activation, params, X)
    return {
        "scores": scores.detach().numpy(),
        "predict": scores.detach().numpy().argmax(axis=1),
        "pre_activations": [z.detach().numpy() for z in before],
        "activations": [h.detach().numpy() for h in after],
    }


@forward.shown
def _(sizes, activation, params, X):
    return network_text(sizes, activation, params, X)


@checkpoint("The gradient of a whole batch equals PyTorch's autograd, for every parameter", atol=1e-9, count=16)
def whole_batch(lib, sizes, activation, params, X, labels, dscores):
    net = filled(lib.grad.network.Network, sizes, activation, params)
    loss, grads = net.loss_and_grads(X, labels)
    _, caches = net.forward(X)
    return {"loss": loss, "grads": list(grads), "backward(dscores)": list(net.backward(dscores, caches))}


@whole_batch.cases
def _(draw):
    case = draw_network(draw)
    n, k = len(case["X"]), case["sizes"][-1]
    return case | {"labels": draw.integers(0, k - 1, n), "dscores": numbers(draw, n, k)}


@whole_batch.edges
def _():
    g = np.array([[1.0, -2.0], [0.5, 3.0], [2.0, 0.0], [-1.0, 1.0]])
    return [case | {"labels": np.array([0, 1, 1, 0]), "dscores": g} for case in network_edges()]


@whole_batch.oracle
def _(sizes, activation, params, X, labels, dscores):
    import torch

    leaves, _, _, scores = torch_network(activation, params, X)
    loss = torch.nn.functional.cross_entropy(scores, torch.tensor(labels))
    return {
        "loss": loss.item(),
        "grads": torch_gradients(leaves, loss, 1.0),
        "backward(dscores)": torch_gradients(leaves, scores, dscores),
    }


@whole_batch.shown
def _(sizes, activation, params, X, labels, dscores):
    return f"{network_text(sizes, activation, params, X)}\nlabels = {printed(labels)}\ndscores = {printed(dscores)}"


@checkpoint("Training writes into params: four steps of descent end where PyTorch's do", atol=1e-8, count=8)
def descent(lib, sizes, activation, params, X, labels):
    net = filled(lib.grad.network.Network, sizes, activation, params)
    held = list(net.params)  # as an optimiser holds them
    losses = []
    for _ in range(4):
        loss, grads = net.loss_and_grads(X, labels)
        losses.append(loss)
        for p, g in zip(held, grads):
            p -= 0.1 * g
    same = all(p is q for p, q in zip(held, net.params))
    return {"losses": losses, "params": held, "params are still the same arrays": same, "scores": net.forward(X)[0]}


@descent.cases
def _(draw):
    case = draw_network(draw) | {"activation": draw.choice(["tanh", "sigmoid", "gelu"])}
    return case | {"labels": draw.integers(0, case["sizes"][-1] - 1, len(case["X"]))}


@descent.edges
def _():
    return [case | {"labels": np.array([0, 1, 1, 0])} for case in network_edges() if case["activation"] != "relu"]


@descent.oracle
def _(sizes, activation, params, X, labels):
    import torch

    params, losses = [p.copy() for p in params], []
    for _ in range(4):
        leaves, _, _, scores = torch_network(activation, params, X)
        loss = torch.nn.functional.cross_entropy(scores, torch.tensor(labels))
        losses.append(loss.item())
        params = [p - 0.1 * g for p, g in zip(params, torch_gradients(leaves, loss, 1.0))]
    scores = torch_network(activation, params, X)[-1].detach().numpy()
    return {"losses": losses, "params": params, "params are still the same arrays": True, "scores": scores}


@descent.shown
def _(sizes, activation, params, X, labels):
    steps = "four times: loss, grads = net.loss_and_grads(X, labels); p -= 0.1 * g for every p in params"
    return f"{network_text(sizes, activation, params, X)}\nlabels = {printed(labels)}\n{steps}"


@checkpoint("First weights: variance 2 / fan_in for relu and 1 / fan_in for the others, biases 0, repeatable", count=2)
def first_weights(lib, activation, seed):
    Network = lib.grad.network.Network
    sizes = [300, 200, 400]
    params = Network(sizes, np.random.default_rng(seed), activation).params
    again = Network(sizes, np.random.default_rng(seed), activation).params
    other = Network(sizes, np.random.default_rng(seed + 1), activation).params
    return {
        "shapes": [list(p.shape) for p in params],
        "means of W": [float(np.mean(W)) for W in params[::2]],
        "variances of W": [float(np.var(W)) for W in params[::2]],
        "largest b": float(max(np.abs(b).max() for b in params[1::2])),
        "the same seed gives the same": all(np.array_equal(p, q) for p, q in zip(params, again)),
        "another seed gives the same": bool(np.array_equal(params[0], other[0])),
    }


@first_weights.cases
def _(draw):
    return dict(activation=draw.choice(ACTIVATIONS), seed=draw.seed())


@first_weights.edges
def _():
    return [dict(activation=activation, seed=0) for activation in ("relu", "tanh")]


@first_weights.accepts
def _(got, activation, seed):
    if got["shapes"] != [[300, 200], [200], [200, 400], [400]]:
        return f"params of [300, 200, 400] have the shapes {got['shapes']}"
    if got["largest b"] != 0:
        return "the biases do not start at 0"
    if not got["the same seed gives the same"] or got["another seed gives the same"]:
        return "the weights have to come from the generator, and from nothing else"
    for layer, fan_in in enumerate((300, 200)):
        expected = (2 if activation == "relu" else 1) / fan_in
        mean, variance = got["means of W"][layer], got["variances of W"][layer]
        if abs(mean) > 0.03 * expected**0.5:
            return f"the mean of W{layer + 1} is {mean:.5f}, which is not 0"
        if abs(variance / expected - 1) > 0.05:  # ten standard errors
            return f"{activation}: the variance of W{layer + 1} is {variance:.5f}, and {expected:.5f} was asked for"
    return True


# ------------------------------------------------------------------------------------------------------------- further


@checkpoint("float32 stays float32, in every layer and in the network", stretch=True, count=0)
def narrow(lib, name, arrays, options, upstream):
    if name == "network":
        net = lib.grad.network.Network([3, 4, 2], np.random.default_rng(0), options["activation"], np.float32)
        _, grads = net.loss_and_grads(arrays[0], np.array([0, 1]))
        results = [*net.params, *grads, net.forward(arrays[0])[0]]
    else:
        dense = lib.grad.layers.dense
        y, cache = getattr(dense, f"{name}_forward")(*arrays, **options)
        results = [y, *as_list(getattr(dense, f"{name}_backward")(upstream, cache))]
    return sorted({str(result.dtype) for result in results if np.ndim(result)})  # a loss may be a float


@narrow.edges
def _():
    layers = every_layer(lambda draw, shape: {"upstream": numbers(draw, *shape)})
    for case in layers:
        case["arrays"] = [array.astype(np.float32) for array in case["arrays"]]
        if np.shape(case["upstream"]):
            case["upstream"] = case["upstream"].astype(np.float32)
    X = [np.linspace(-1, 1, 6).reshape(2, 3)]
    networks = [dict(name="network", arrays=X, options={"activation": a}, upstream=0.0) for a in ACTIVATIONS]
    return layers + networks


@narrow.oracle
def _(name, arrays, options, upstream):
    return ["float32"]


@checkpoint("log_sum_exp takes -inf for nothing at all", stretch=True, count=0, atol=1e-12)
def nothing(lib, z):
    return lib.grad.layers.dense.log_sum_exp(z)


@nothing.edges
def _():
    return [dict(z=np.array([[-np.inf, 0.0, 1.0], [-np.inf] * 3, [-np.inf, 2000.0, -np.inf]]))]


@nothing.oracle
def _(z):
    from scipy import special

    return special.logsumexp(z, axis=-1)


REFUSED = {
    "softmax_cross_entropy_forward(np.zeros((2, 3)), np.array([0, 3]))": lambda dense, Network: (
        dense.softmax_cross_entropy_forward(np.zeros((2, 3)), np.array([0, 3]))
    ),
    "softmax_cross_entropy_forward(np.zeros((2, 3)), np.array([-1, 0]))": lambda dense, Network: (
        dense.softmax_cross_entropy_forward(np.zeros((2, 3)), np.array([-1, 0]))
    ),
    "softmax_cross_entropy_forward(np.zeros((2, 3)), np.array([[0], [1]]))": lambda dense, Network: (
        dense.softmax_cross_entropy_forward(np.zeros((2, 3)), np.array([[0], [1]]))
    ),
    "softmax_cross_entropy_forward(np.zeros((2, 3)), np.array([0.0, 1.0]))": lambda dense, Network: (
        dense.softmax_cross_entropy_forward(np.zeros((2, 3)), np.array([0.0, 1.0]))
    ),
    "gelu_forward(np.zeros(2), approximate='erf')": lambda dense, Network: dense.gelu_forward(
        np.zeros(2), approximate="erf"
    ),
    "affine_forward(np.zeros((2, 3)), np.zeros((2, 4)), np.zeros(4))": lambda dense, Network: dense.affine_forward(
        np.zeros((2, 3)), np.zeros((2, 4)), np.zeros(4)
    ),
    "Network([2, 2], generator, activation='softplus')": lambda dense, Network: Network(
        [2, 2], np.random.default_rng(0), activation="softplus"
    ),
}


@checkpoint("What cannot be meant is refused with a ValueError", stretch=True, count=0)
def refused(lib, what):
    try:
        REFUSED[what](lib.grad.layers.dense, lib.grad.network.Network)
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
