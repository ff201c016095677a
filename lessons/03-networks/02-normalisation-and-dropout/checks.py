"""What is asked of lesson 3.2: values, gradients and running statistics that equal PyTorch's in float64."""

import numpy as np

from groundup.course import checkpoint

OPTIONS = [{}, {"eps": 0.5}, {"eps": 1e-3}]  # {}: the defaults are part of the contract
SAMPLE_SIZES = [(2,), (3, 2), (1, 3), (2, 2)]  # what follows the channels


def twice(backward, dy, cache):
    """The gradients of a second call: the first may have changed nothing."""
    backward(dy, cache)
    dx, dgamma, dbeta = backward(dy, cache)
    return {"dx": dx, "dgamma": dgamma, "dbeta": dbeta}


def in_torch(layer, x, gamma, beta, dy=None):
    """y, or with dy the gradients, by PyTorch in float64."""
    import torch

    leaves = [torch.tensor(a).requires_grad_() for a in (x, gamma, beta)]
    y = layer(*leaves)
    if dy is None:
        return y.detach().numpy()
    y.backward(torch.tensor(dy))
    return dict(zip(("dx", "dgamma", "dbeta"), (leaf.grad.numpy() for leaf in leaves)))


def batch_norm_in_torch(running, train, options, eps=1e-5, momentum=0.1):
    """PyTorch's batch norm as a function of x, gamma, beta; the tensors of running, which it updates."""
    import torch

    eps, momentum = options.get("eps", eps), options.get("momentum", momentum)
    stats = None if running is None else {name: torch.tensor(v) for name, v in running.items()}
    mean, var = (None, None) if stats is None else (stats["mean"], stats["var"])

    def layer(x, gamma, beta):
        return torch.nn.functional.batch_norm(x, mean, var, gamma, beta, train, momentum, eps)

    return layer, stats


def draw_running(draw, c):
    return {"mean": draw.normal(c), "var": draw.uniform(0.2, 3.0, c)}


def draw_rows(draw, least=2):
    """x (n, c) with gamma and beta; sometimes far from 0, or so small that eps decides."""
    n, c = draw.integer(least, 5), draw.integer(1, 4)
    scale, centre = draw.choice([(1.0, 0.0), (3.0, 10.0), (1e-3, 0.0)])
    return dict(x=centre + scale * draw.normal(n, c), gamma=draw.normal(c), beta=draw.normal(c))


def draw_images(draw, least=2):
    n, c, rest = draw.integer(1, 3), draw.integer(1, 4), draw.choice(SAMPLE_SIZES)
    if n * np.prod(rest) < least:
        n = least
    return dict(x=draw.normal(n, c, *rest), gamma=draw.normal(c), beta=draw.normal(c))


def draw_either(draw, least=2):
    return draw_images(draw, least) if draw.boolean() else draw_rows(draw, least)


def with_upstream(draw, case):
    return case | {"dy": draw.normal(*case["x"].shape)}


THREE = dict(x=np.array([[1.0], [2.0], [3.0]]), gamma=np.ones(1), beta=np.zeros(1))
ROWS = dict(x=np.array([[1.0, 10.0], [2.0, 40.0], [6.0, 10.0]]), gamma=np.array([2.0, -1.0]), beta=np.array([0.5, 3.0]))
CUBE = dict(  # 2 images of 2 channels of 2 x 2 pixels: whatever axis is taken for another, it fits
    x=np.array(
        [[[[1.0, 2.0], [3.0, 5.0]], [[0.0, 1.0], [0.0, 4.0]]], [[[2.0, 2.0], [7.0, 1.0]], [[3.0, 1.0], [1.0, 9.0]]]]
    ),
    gamma=np.array([2.0, -1.0]),
    beta=np.array([0.5, 3.0]),
)
UPSTREAM = np.random.default_rng(0).integers(-3, 4, (2, 2, 2, 2)).astype(float)


# ---------------------------------------------------------------------------------------------- batch norm, forwards


@checkpoint("Batch norm in training: every column of (n, c) by its own mean and variance", atol=1e-10, count=12)
def rows(lib, x, gamma, beta, options):
    return lib.grad.layers.norm.batch_norm_forward(x, gamma, beta, **options)[0]


@rows.cases
def _(draw):
    return draw_rows(draw) | {"options": draw.choice(OPTIONS)}


@rows.edges
def _():
    constant = ROWS | {"x": np.full((4, 2), 0.75)}
    return [c | {"options": options} for c in (THREE, ROWS, constant) for options in OPTIONS[:2]]


@rows.oracle
def _(x, gamma, beta, options):
    return in_torch(batch_norm_in_torch(None, True, options)[0], x, gamma, beta)


@checkpoint("Batch norm of images: one mean and one variance a channel, over samples and pixels", atol=1e-10, count=10)
def images(lib, x, gamma, beta, options):
    return lib.grad.layers.norm.batch_norm_forward(x, gamma, beta, **options)[0]


@images.cases
def _(draw):
    return draw_images(draw) | {"options": draw.choice(OPTIONS)}


@images.edges
def _():
    return [CUBE | {"options": {}}, {k: v[:1] if k == "x" else v for k, v in CUBE.items()} | {"options": {}}]


@images.oracle
def _(x, gamma, beta, options):
    return in_torch(batch_norm_in_torch(None, True, options)[0], x, gamma, beta)


@checkpoint("Running statistics follow batch after batch, in the caller's own arrays", atol=1e-10, count=12)
def running_statistics(lib, batches, gamma, beta, running, options):
    kept = {name: v.copy() for name, v in running.items()}
    handed = dict(kept)
    for x in batches:
        y, _ = lib.grad.layers.norm.batch_norm_forward(x, gamma, beta, handed, **options)
    return {"mean": kept["mean"], "var": kept["var"], "last y": y}


@running_statistics.cases
def _(draw):
    first = draw_either(draw)
    c = len(first["gamma"])
    batches = [
        first["x"],
        *(first["x"] * draw.normal(c, *[1] * (first["x"].ndim - 2)) for _ in range(draw.integer(0, 2))),
    ]
    options = draw.choice([{}, {"momentum": 0.25}, {"momentum": 0.9}, {"momentum": 1.0}])
    return dict(
        batches=batches, gamma=first["gamma"], beta=first["beta"], running=draw_running(draw, c), options=options
    )


@running_statistics.edges
def _():
    fresh = lambda c: {"mean": np.zeros(c), "var": np.ones(c)}  # noqa: E731
    cases = [(THREE, 1, {}), (THREE, 2, {"momentum": 1.0}), (ROWS, 2, {}), (CUBE, 1, {"momentum": 0.25})]
    return [
        dict(
            batches=[case["x"]] * k,
            gamma=case["gamma"],
            beta=case["beta"],
            running=fresh(case["gamma"].size),
            options=options,
        )
        for case, k, options in cases
    ]


@running_statistics.oracle
def _(batches, gamma, beta, running, options):
    layer, stats = batch_norm_in_torch(running, True, options)
    for x in batches:
        y = in_torch(layer, x, gamma, beta)
    return {"mean": stats["mean"].numpy(), "var": stats["var"].numpy(), "last y": y}


@checkpoint(
    "Batch norm after training: the running statistics decide, alone, and stay as they are", atol=1e-10, count=12
)
def after_training(lib, x, gamma, beta, running, options):
    kept = {name: v.copy() for name, v in running.items()}
    y, _ = lib.grad.layers.norm.batch_norm_forward(x, gamma, beta, kept, train=False, **options)
    return {"y": y, "mean": kept["mean"], "var": kept["var"]}


@after_training.cases
def _(draw):
    case = draw_either(draw, least=1)
    return case | {"running": draw_running(draw, len(case["gamma"])), "options": draw.choice(OPTIONS)}


@after_training.edges
def _():
    one = {"running": {"mean": np.array([1.0]), "var": np.array([4.0])}, "options": {}}
    two = {"running": {"mean": np.array([1.0, 0.0]), "var": np.array([4.0, 9.0])}, "options": {}}
    alone = {"x": np.array([[3.0]])}
    return [THREE | alone | one, THREE | one, ROWS | two, CUBE | two]


@after_training.oracle
def _(x, gamma, beta, running, options):
    layer, _ = batch_norm_in_torch(running, False, options)
    return {"y": in_torch(layer, x, gamma, beta), "mean": running["mean"], "var": running["var"]}


# --------------------------------------------------------------------------------------------- batch norm, backwards


@checkpoint("Batch norm's gradients in training, through the mean and the variance", atol=1e-9, rtol=1e-9, count=16)
def gradients(lib, x, gamma, beta, dy, options):
    module = lib.grad.layers.norm
    _, cache = module.batch_norm_forward(x, gamma, beta, **options)
    return twice(module.batch_norm_backward, dy, cache)


@gradients.cases
def _(draw):
    return with_upstream(draw, draw_either(draw)) | {"options": draw.choice(OPTIONS)}


@gradients.edges
def _():
    column = np.array([[6.0], [0.0], [0.0]])
    return [
        THREE | {"dy": column, "options": {}},
        THREE | {"dy": np.ones((3, 1)), "options": {}},
        THREE | {"x": np.array([[1.0], [4.0]]), "dy": column[:2], "options": {"eps": 0.5}},
        ROWS | {"dy": np.array([[1.0, 0.0], [0.0, 2.0], [-1.0, 1.0]]), "options": {}},
        CUBE | {"dy": UPSTREAM, "options": {}},
    ]


@gradients.oracle
def _(x, gamma, beta, dy, options):
    return in_torch(batch_norm_in_torch(None, True, options)[0], x, gamma, beta, dy)


@checkpoint("Batch norm's gradients after training, where mean and variance are constants", atol=1e-10, count=10)
def gradients_after_training(lib, x, gamma, beta, running, dy, options):
    module = lib.grad.layers.norm
    kept = {name: v.copy() for name, v in running.items()}
    _, cache = module.batch_norm_forward(x, gamma, beta, kept, train=False, **options)
    return twice(module.batch_norm_backward, dy, cache)


@gradients_after_training.cases
def _(draw):
    case = with_upstream(draw, draw_either(draw, least=1))
    return case | {"running": draw_running(draw, len(case["gamma"])), "options": draw.choice(OPTIONS)}


@gradients_after_training.edges
def _():
    one = {"running": {"mean": np.array([1.0]), "var": np.array([4.0])}, "options": {}}
    two = {"running": {"mean": np.array([1.0, 0.0]), "var": np.array([4.0, 9.0])}, "options": {}}
    return [
        THREE | one | {"dy": np.array([[6.0], [0.0], [0.0]])},
        THREE | one | {"x": np.array([[3.0]]), "dy": np.array([[1.0]])},
        CUBE | two | {"dy": UPSTREAM},
    ]


@gradients_after_training.oracle
def _(x, gamma, beta, running, dy, options):
    return in_torch(batch_norm_in_torch(running, False, options)[0], x, gamma, beta, dy)


# ------------------------------------------------------------------------------------------- layer norm, group norm


@checkpoint("Layer norm: every row by itself, over the last axis, whatever stands in front", atol=1e-10, count=10)
def layer_norm(lib, x, gamma, beta, options):
    return lib.grad.layers.norm.layer_norm_forward(x, gamma, beta, **options)[0]


def draw_layer(draw):
    front, d = draw.shape((0, 2), (1, 3)), draw.integer(1, 4)
    x = draw.choice([1.0, 10.0, 1e-3]) * draw.normal(*front, d)
    return dict(x=x, gamma=draw.normal(d), beta=draw.normal(d), options=draw.choice(OPTIONS))


def layer_edges():
    row = dict(x=np.array([1.0, 2.0, 3.0]), gamma=np.array([1.0, 2.0, 3.0]), beta=np.array([0.0, 1.0, -1.0]))
    square = row | {"x": np.array([[1.0, 2.0, 3.0], [5.0, 0.0, 1.0], [2.0, 2.0, 2.0]])}
    deep = ROWS | {"x": CUBE["x"][0]}
    return [case | {"options": {}} for case in (row, square, deep)]


@layer_norm.cases
def _(draw):
    return draw_layer(draw)


@layer_norm.edges
def _():
    return layer_edges()


def layer_norm_in_torch(options):
    import torch

    def layer(x, gamma, beta):
        return torch.nn.functional.layer_norm(x, gamma.shape, gamma, beta, options.get("eps", 1e-5))

    return layer


@layer_norm.oracle
def _(x, gamma, beta, options):
    return in_torch(layer_norm_in_torch(options), x, gamma, beta)


@checkpoint("Layer norm's gradients: gamma differs along the axis that is averaged over", atol=1e-9, count=12)
def layer_norm_gradients(lib, x, gamma, beta, dy, options):
    module = lib.grad.layers.norm
    _, cache = module.layer_norm_forward(x, gamma, beta, **options)
    return twice(module.layer_norm_backward, dy, cache)


@layer_norm_gradients.cases
def _(draw):
    return with_upstream(draw, draw_layer(draw))


@layer_norm_gradients.edges
def _():
    rng = np.random.default_rng(1)
    return [case | {"dy": rng.integers(-3, 4, case["x"].shape).astype(float)} for case in layer_edges()]


@layer_norm_gradients.oracle
def _(x, gamma, beta, dy, options):
    return in_torch(layer_norm_in_torch(options), x, gamma, beta, dy)


@checkpoint("Group norm: neighbouring channels of one sample share a mean and a variance", atol=1e-10, count=10)
def group_norm(lib, x, gamma, beta, groups, options):
    return lib.grad.layers.norm.group_norm_forward(x, gamma, beta, groups, **options)[0]


def draw_groups(draw):
    groups, size, n = draw.integer(1, 3), draw.integer(1, 3), draw.integer(1, 3)
    rest = draw.choice([(2,), (3, 2), (2, 2)])
    c = groups * size
    if size > 1 and draw.boolean(0.3):
        rest = ()
    x = draw.normal(n, c, *rest)
    return dict(x=x, gamma=draw.normal(c), beta=draw.normal(c), groups=groups, options=draw.choice(OPTIONS))


def group_edges():
    wide = dict(
        x=np.array([[1.0, 2.0, 7.0, 3.0], [0.0, 5.0, 5.0, 1.0]]),
        gamma=np.array([1.0, 2.0, -1.0, 0.5]),
        beta=np.arange(4.0),
    )
    cases = [wide | {"groups": 2}, wide | {"groups": 1}, CUBE | {"groups": 2}, CUBE | {"groups": 1}]
    return [case | {"options": {}} for case in cases]


@group_norm.cases
def _(draw):
    return draw_groups(draw)


@group_norm.edges
def _():
    return group_edges()


def group_norm_in_torch(groups, options):
    import torch

    def layer(x, gamma, beta):
        return torch.nn.functional.group_norm(x, groups, gamma, beta, options.get("eps", 1e-5))

    return layer


@group_norm.oracle
def _(x, gamma, beta, groups, options):
    return in_torch(group_norm_in_torch(groups, options), x, gamma, beta)


@checkpoint("Group norm's gradients equal PyTorch's, under any upstream gradient", atol=1e-9, count=12)
def group_norm_gradients(lib, x, gamma, beta, groups, dy, options):
    module = lib.grad.layers.norm
    _, cache = module.group_norm_forward(x, gamma, beta, groups, **options)
    return twice(module.group_norm_backward, dy, cache)


@group_norm_gradients.cases
def _(draw):
    return with_upstream(draw, draw_groups(draw))


@group_norm_gradients.edges
def _():
    rng = np.random.default_rng(2)
    return [case | {"dy": rng.integers(-3, 4, case["x"].shape).astype(float)} for case in group_edges()]


@group_norm_gradients.oracle
def _(x, gamma, beta, groups, dy, options):
    return in_torch(group_norm_in_torch(groups, options), x, gamma, beta, dy)


@checkpoint("A million away from zero the variance is still there", atol=1e-6, count=6)
def far_away(lib, x):
    module, (n, c) = lib.grad.layers.norm, x.shape
    return {
        "batch": module.batch_norm_forward(x, np.ones(c), np.zeros(c))[0],
        "layer": module.layer_norm_forward(x.T.copy(), np.ones(n), np.zeros(n))[0],
        "group": module.group_norm_forward(x.T.copy(), np.ones(n), np.zeros(n), 1)[0],
    }


@far_away.cases
def _(draw):
    n, c = draw.integer(3, 6), draw.integer(1, 3)
    return dict(x=1e6 + np.arange(n)[:, None] + draw.uniform(-0.4, 0.4, n, c))


@far_away.edges
def _():
    return [dict(x=np.array([[1e6], [1e6 + 0.7], [1e6 + 2.1]]))]


@far_away.oracle
def _(x):
    centred = x - 1e6  # exact
    centred = centred - centred.mean(axis=0)
    xhat = centred / np.sqrt((centred**2).mean(axis=0) + 1e-5)
    return {"batch": xhat, "layer": xhat.T, "group": xhat.T}


# ----------------------------------------------------------------------------------------------------------- dropout


@checkpoint(
    "Dropout: the same mask both ways, what is kept divided by 1 - rate, nothing after training", atol=1e-12, count=16
)
def dropout(lib, x, rate, train, seed, dy):
    module, generator = lib.grad.layers.norm, np.random.default_rng(seed)
    untouched = generator.bit_generator.state
    y, cache = module.dropout_forward(x, rate, generator, train=train)
    module.dropout_backward(dy, cache)
    drawn = bool(generator.bit_generator.state != untouched)
    return {"y": y, "dx": module.dropout_backward(dy, cache), "drawn after training": drawn and not train}


@dropout.cases
def _(draw):
    x = draw.uniform(0.5, 3.0, *draw.shape((1, 3), (1, 5)))
    rate = draw.choice([0.5, 0.25, 0.8, 0.0])
    return dict(x=x, rate=rate, train=draw.boolean(0.8), seed=draw.seed(), dy=draw.uniform(0.5, 3.0, *x.shape))


@dropout.edges
def _():
    row = dict(x=np.arange(1.0, 9.0), dy=np.arange(8.0, 0.0, -1.0), seed=0)
    return [row | {"rate": rate, "train": train} for rate in (0.5, 0.25, 0.0) for train in (True, False)]


@dropout.oracle
def _(x, rate, train, seed, dy):
    import torch

    kept = torch.tensor(np.random.default_rng(seed).random(x.shape) >= rate)
    leaf = torch.tensor(x).requires_grad_()
    y = torch.where(kept, leaf / (1 - rate), 0.0) if train else leaf * 1
    y.backward(torch.tensor(dy))
    return {"y": y.detach().numpy(), "dx": leaf.grad.numpy(), "drawn after training": False}


@dropout.shown
def _(x, rate, train, seed, dy):
    text = np.array2string(x, separator=", ")
    call = f"dropout_forward(x, {rate}, np.random.default_rng({seed}){'' if train else ', train=False'})"
    return f"x = {text}\ny, cache = {call}\ndx = dropout_backward({np.array2string(dy, separator=', ')}, cache)"


# ----------------------------------------------------------------------------------------------------------- stretch


@checkpoint(
    "float32 stays float32, forwards, backwards and in the running statistics", atol=2e-4, stretch=True, count=4
)
def single_precision(lib, x, gamma, beta, dy, seed):
    module = lib.grad.layers.norm
    running = {"mean": np.zeros_like(gamma), "var": np.ones_like(gamma)}
    layers = {
        "batch": (module.batch_norm_forward(x, gamma, beta, running), module.batch_norm_backward),
        "eval": (module.batch_norm_forward(x, gamma, beta, running, train=False), module.batch_norm_backward),
        "layer": (module.layer_norm_forward(x, gamma, beta), module.layer_norm_backward),
        "group": (module.group_norm_forward(x, gamma, beta, 2), module.group_norm_backward),
    }
    found = {name: [y, *backward(dy, cache)] for name, ((y, cache), backward) in layers.items()}
    y, cache = module.dropout_forward(x, 0.5, np.random.default_rng(seed))
    return found | {"running": [running["mean"], running["var"]], "dropout": [y, module.dropout_backward(dy, cache)]}


@single_precision.cases
def _(draw):
    x = np.arange(4)[:, None] * np.array([1.0, -1.0, 2.0, 3.0]) + draw.uniform(-0.4, 0.4, 4, 4)
    single = {"x": x, "gamma": draw.normal(4), "beta": draw.normal(4), "dy": draw.normal(4, 4)}
    return {name: v.astype(np.float32) for name, v in single.items()} | {"seed": draw.seed()}


@single_precision.oracle
def _(x, gamma, beta, dy, seed):
    running = {"mean": np.zeros(4), "var": np.ones(4)}
    x, gamma, beta, dy = (a.astype(float) for a in (x, gamma, beta, dy))
    train, stats = batch_norm_in_torch(running, True, {})
    in_torch(train, x, gamma, beta)
    after, _ = batch_norm_in_torch({name: v.numpy() for name, v in stats.items()}, False, {})
    layers = {
        "batch": batch_norm_in_torch(None, True, {})[0],
        "eval": after,
        "layer": layer_norm_in_torch({}),
        "group": group_norm_in_torch(2, {}),
    }
    found = {
        name: [in_torch(layer, x, gamma, beta), *in_torch(layer, x, gamma, beta, dy).values()]
        for name, layer in layers.items()
    }
    scale = 2.0 * (np.random.default_rng(seed).random(x.shape) >= 0.5)
    found |= {"running": [stats["mean"].numpy(), stats["var"].numpy()], "dropout": [x * scale, dy * scale]}
    return {name: [a.astype(np.float32) for a in arrays] for name, arrays in found.items()}


@checkpoint("What cannot be done is refused by a ValueError", stretch=True, count=0)
def refusals(lib, what):
    module, one, four = lib.grad.layers.norm, np.ones(1), np.ones(4)
    try:
        if what == "train on one number a channel":
            module.batch_norm_forward(np.ones((1, 4)), four, four)
        elif what == "no running statistics after training":
            module.batch_norm_forward(np.ones((3, 1)), one, one, train=False)
        elif what == "4 channels in 3 groups":
            module.group_norm_forward(np.ones((2, 4)), four, four, 3)
        else:
            module.dropout_forward(np.ones(3), float(what), np.random.default_rng(0))
    except ValueError as problem:
        return type(problem).__name__
    return "nothing raised"


@refusals.edges
def _():
    asked = ["train on one number a channel", "no running statistics after training", "4 channels in 3 groups"]
    return [dict(what=what) for what in [*asked, "1.0", "-0.1"]]


@refusals.oracle
def _(what):
    return "ValueError"
