"""What is asked of lesson 3.3: a hundred steps as PyTorch takes them, its schedules, and the curvature that sets the limit."""

import numpy as np

from groundup.course import checkpoint

# ------------------------------------------------------------------------------------------------- a hundred steps


def cut(shapes, flat):
    """One vector (or a table of rows) as arrays of these shapes: views, so that what is written into them is written into it."""
    parts = np.split(flat, np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1], axis=-1)
    return [part.reshape(flat.shape[:-1] + tuple(shape)) for part, shape in zip(parts, shapes)]


def walk(rule, options, shapes, start, gradients, rates):
    """Where every entry stands after every step: (steps, entries). The gradients' arrays are the same ones at every step,
    as a network's are, and are filled with NaN in between."""
    w, g = start.copy(), np.empty_like(start)
    grads = cut(shapes, g)
    optimiser = rule(cut(shapes, w), lr=rates[0], **options)
    trail, changed = [], False
    for row, rate in zip(gradients, rates):
        g[:] = row
        optimiser.lr = rate
        optimiser.step(grads)
        changed = changed or not np.array_equal(g, row)
        g.fill(np.nan)
        trail.append(w.copy())
    return {"trail": np.array(trail), "gradients changed": changed}


def walk_in_torch(kind, options, shapes, start, gradients, rates):
    import torch

    params = [torch.tensor(p, requires_grad=True) for p in cut(shapes, start)]
    optimiser = getattr(torch.optim, kind)(params, lr=rates[0], foreach=False, **options)
    trail = []
    for row, rate in zip(gradients, rates):
        for p, g in zip(params, cut(shapes, row)):
            p.grad = torch.from_numpy(g.copy())
        optimiser.param_groups[0]["lr"] = rate
        optimiser.step()
        trail.append(np.concatenate([p.detach().numpy().ravel() for p in params]))
    return {"trail": np.array(trail), "gradients changed": False}


def draw_walk(draw, options, rate):
    """A walk of up to a hundred steps: one to three parameters, gradients of very different sizes, a rate that changes."""
    steps = draw.choice([2, 1, 3, 100, 100, 100])
    shapes = [list(draw.shape((0, 2), (1, 3))) for _ in range(draw.integer(1, 3))]
    entries = sum(int(np.prod(shape)) for shape in shapes)
    scale = draw.choice([1.0, 1.0, 1e-3, 1e3])
    changing = draw.boolean(0.7)
    rates = [rate * (0.5 ** (step % 3) if changing else 1.0) for step in range(steps)]
    return dict(
        options=options,
        shapes=shapes,
        start=draw.normal(entries),
        gradients=scale * draw.normal(steps, entries),
        rates=rates,
    )


def walk_edges(*settings):
    """The smallest walks: one number, three steps, the same gradient; then a jump in it, and a rate that falls."""
    one = dict(shapes=[[1]], start=np.array([1.0]))
    two = dict(shapes=[[2], [2], []], start=np.array([1.0, -2.0, 0.5, 3.0, -1.0]))
    jump = np.array([[1.0, 2.0, -3.0, 0.25, 5.0], [-50.0, 0.5, 0.125, 40.0, -0.75], [3.0, -7.0, 2.0, 1.0, 0.0625]])
    return [
        case | {"options": options}
        for options in settings
        for case in (
            one | {"gradients": np.full((3, 1), 2.0), "rates": [0.1, 0.1, 0.1]},
            two | {"gradients": jump, "rates": [0.1, 0.025, 0.5]},
        )
    ]


def walk_shown(rule, options, shapes, start, gradients, rates):
    """A walk as a person would write it."""
    written = ", ".join(f"{name}={value!r}" for name, value in options.items())
    lines = [f"params = {[p.tolist() for p in cut(shapes, start)]}  # shapes {[tuple(s) for s in shapes]}"]
    lines.append(f"opt = {rule}(params, lr={rates[0]:g}{', ' if written else ''}{written})")
    for row, rate in list(zip(gradients, rates))[:3]:
        lines.append(f"opt.lr = {rate:g}; opt.step({[g.tolist() for g in cut(shapes, row)]})")
    return "\n".join(lines + (["..."] if len(rates) > 3 else []))


@checkpoint("SGD, momentum and Nesterov walk as PyTorch's for a hundred steps", atol=1e-10, seconds=4.0, count=14)
def sgd(lib, options, shapes, start, gradients, rates):
    return walk(lib.grad.optim.SGD, options, shapes, start, gradients, rates)


@sgd.cases
def _(draw):
    options = draw.choice(
        [
            {},
            {"momentum": 0.9},
            {"momentum": 0.5},
            {"momentum": 0.9, "nesterov": True},
            {"momentum": 0.3, "nesterov": True},
        ]
    )
    if draw.boolean(0.4):
        options = options | {"weight_decay": draw.choice([0.1, 0.01])}
    return draw_walk(draw, options, draw.log_uniform(1e-3, 1e-1))


@sgd.edges
def _():
    plain, heavy, ahead = {}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}
    return walk_edges(plain, heavy, ahead, {"weight_decay": 0.5}, heavy | {"weight_decay": 0.5})


@sgd.oracle
def _(**case):
    return walk_in_torch("SGD", **case)


@sgd.shown
def _(**case):
    return walk_shown("SGD", **case)


@checkpoint("RMSprop walks as PyTorch's for a hundred steps", atol=1e-10, seconds=4.0, count=10)
def rmsprop(lib, options, shapes, start, gradients, rates):
    return walk(lib.grad.optim.RMSprop, options, shapes, start, gradients, rates)


@rmsprop.cases
def _(draw):
    options = {"alpha": draw.choice([0.99, 0.9, 0.5]), "eps": draw.choice([1e-8, 1e-3, 0.1])}
    if draw.boolean(0.4):
        options["weight_decay"] = 0.1
    return draw_walk(draw, options, draw.log_uniform(1e-3, 1e-1))


@rmsprop.edges
def _():
    return walk_edges({}, {"alpha": 0.5, "eps": 0.01}, {"weight_decay": 0.5})


@rmsprop.oracle
def _(**case):
    return walk_in_torch("RMSprop", **case)


@rmsprop.shown
def _(**case):
    return walk_shown("RMSprop", **case)


def draw_adam(draw):
    options = {"betas": draw.choice([(0.9, 0.999), (0.5, 0.9), (0.8, 0.95)]), "eps": draw.choice([1e-8, 1e-3, 0.1])}
    if draw.boolean(0.6):
        options["weight_decay"] = draw.choice([0.1, 1.0])
    return draw_walk(draw, options, draw.log_uniform(1e-3, 1e-1))


@checkpoint("Adam walks as PyTorch's for a hundred steps", atol=1e-10, seconds=4.0, count=12)
def adam(lib, options, shapes, start, gradients, rates):
    return walk(lib.grad.optim.Adam, options, shapes, start, gradients, rates)


@adam.cases
def _(draw):
    return draw_adam(draw)


@adam.edges
def _():
    return walk_edges({}, {"betas": (0.5, 0.9), "eps": 0.01}, {"weight_decay": 0.5})


@adam.oracle
def _(**case):
    return walk_in_torch("Adam", **case)


@adam.shown
def _(**case):
    return walk_shown("Adam", **case)


@checkpoint(
    "AdamW decays the weights beside the gradient, as PyTorch's, for a hundred steps", atol=1e-10, seconds=4.0, count=10
)
def adamw(lib, options, shapes, start, gradients, rates):
    return walk(lib.grad.optim.AdamW, options, shapes, start, gradients, rates)


@adamw.cases
def _(draw):
    return draw_adam(draw)


@adamw.edges
def _():
    return walk_edges({}, {"betas": (0.5, 0.9), "weight_decay": 0.5})


@adamw.oracle
def _(**case):
    return walk_in_torch("AdamW", **case)


@adamw.shown
def _(**case):
    return walk_shown("AdamW", **case)


@checkpoint("Lion walks by the paper's algorithm 2 for a hundred steps", atol=1e-10, seconds=4.0, count=10)
def lion(lib, options, shapes, start, gradients, rates):
    return walk(lib.grad.optim.Lion, options, shapes, start, gradients, rates)


@lion.cases
def _(draw):
    options = {"betas": draw.choice([(0.9, 0.99), (0.5, 0.9), (0.95, 0.6)])}
    if draw.boolean(0.5):
        options["weight_decay"] = draw.choice([0.1, 1.0])
    return draw_walk(draw, options, draw.log_uniform(1e-3, 1e-1))


@lion.edges
def _():
    return walk_edges({}, {"betas": (0.5, 0.9)}, {"weight_decay": 0.5})


@lion.oracle
def _(options, shapes, start, gradients, rates):
    beta1, beta2 = options.get("betas", (0.9, 0.99))
    decay = options.get("weight_decay", 0.0)
    theta, momentum = start.tolist(), [0.0] * len(start)
    trail = []
    for row, eta in zip(gradients.tolist(), rates):
        for i, g in enumerate(row):
            c = beta1 * momentum[i] + (1 - beta1) * g
            theta[i] = theta[i] - eta * (float(c > 0) - float(c < 0) + decay * theta[i])
            momentum[i] = beta2 * momentum[i] + (1 - beta2) * g
        trail.append(list(theta))
    return {"trail": np.array(trail), "gradients changed": False}


@lion.shown
def _(**case):
    return walk_shown("Lion", **case)


# ------------------------------------------------------------------------------------- the worst point near by


def bowl(w, curvature, ripple, target):
    """A bowl around a target with ripples on it: the terms of the loss, and their slopes."""
    return 0.5 * curvature * (w - target) ** 2 - ripple * np.cos(w), curvature * (w - target) + ripple * np.sin(w)


@checkpoint(
    "SAM steps with the gradient from rho up the hill, and from where it stood", atol=1e-10, seconds=4.0, count=10
)
def sam(lib, base, options, rate, rho, shapes, start, curvature, ripple, targets):
    w, g = start.copy(), np.empty_like(start)
    grads, trail, losses = cut(shapes, g), [], []
    kinds = {"SGD": lib.grad.optim.SGD, "Adam": lib.grad.optim.Adam}
    optimiser = lib.grad.optim.SAM(kinds[base](cut(shapes, w), lr=rate, **options), rho=rho)
    for target in targets:

        def closure(target=target):
            terms, g[:] = bowl(
                w, curvature, ripple, target
            )  # the arrays of the first call are overwritten by the second
            return float(terms.sum()), grads

        losses.append(optimiser.step(closure))
        trail.append(w.copy())
    return {"trail": np.array(trail), "losses": losses}


@sam.cases
def _(draw):
    shapes = [list(draw.shape((0, 2), (1, 3))) for _ in range(draw.integer(1, 3))]
    entries = sum(int(np.prod(shape)) for shape in shapes)
    base, options = draw.choice([("SGD", {}), ("SGD", {"momentum": 0.9}), ("Adam", {}), ("SGD", {"weight_decay": 0.1})])
    return dict(
        base=base,
        options=options,
        rate=draw.log_uniform(1e-3, 1e-1),
        rho=draw.choice([0.5, 0.05, 2.0]),
        shapes=shapes,
        start=draw.normal(entries),
        curvature=draw.uniform(0.5, 2.0, entries),
        ripple=draw.uniform(0.1, 0.5, entries),
        targets=3.0 * draw.normal(draw.choice([1, 2, 30, 100]), entries),
    )


@sam.edges
def _():
    small = dict(base="SGD", options={}, rate=0.1, rho=0.5, shapes=[[1]], ripple=np.zeros(1))
    pair = dict(base="SGD", options={}, shapes=[[1], [2]], ripple=np.full(3, 0.25), curvature=np.array([1.0, 2.0, 0.5]))
    pair |= dict(start=np.array([1.0, -2.0, 0.3]), targets=np.array([[0.0, 1.0, 2.0], [3.0, -1.0, 0.5]]))
    return [
        small | dict(start=np.array([1.0]), curvature=np.array([1.0]), targets=np.zeros((2, 1))),
        small
        | dict(start=np.array([2.0]), curvature=np.array([1.0]), targets=np.full((1, 1), 2.0)),  # no slope, no uphill
        pair | dict(rate=0.1, rho=0.5),
        pair | dict(rate=0.0, rho=1e9),  # whoever subtracts what was added does not come home
    ]


@sam.oracle
def _(base, options, rate, rho, shapes, start, curvature, ripple, targets):
    import torch

    w = torch.tensor(start, requires_grad=True)
    optimiser = getattr(torch.optim, base)([w], lr=rate, foreach=False, **options)
    trail, losses = [], []
    for target in targets:
        here = w.detach().numpy().copy()
        terms, slopes = bowl(here, curvature, ripple, target)
        size = float(np.sqrt(np.sum(slopes**2)))
        uphill = rho * slopes / size if size > 0 else np.zeros_like(slopes)
        w.grad = torch.from_numpy(bowl(here + uphill, curvature, ripple, target)[1])
        optimiser.step()
        losses.append(float(terms.sum()))
        trail.append(w.detach().numpy().copy())
    return {"trail": np.array(trail), "losses": losses}


# ------------------------------------------------------------------------------------------ stop, and go on


@checkpoint("A run that is stopped and resumed equals one that was not, bit for bit", atol=0.0, count=10)
def resumed(lib, rule, options, start, gradients, stop, rate):
    module = lib.grad.optim
    kind = {
        "SGD": module.SGD,
        "RMSprop": module.RMSprop,
        "Adam": module.Adam,
        "AdamW": module.AdamW,
        "Lion": module.Lion,
    }[rule]
    shapes = [[2], [len(start) - 2]]
    params = cut(shapes, start.copy())
    optimiser = kind(params, lr=0.1, **options)
    for row in gradients[:stop]:
        optimiser.step(cut(shapes, row))
    optimiser.lr = rate
    state, copies = optimiser.state(), [p.copy() for p in params]
    for row in gradients[stop:]:  # whoever hands out the arrays themselves sees them change
        optimiser.step(cut(shapes, row))
    saved = {key: np.array(value) for key, value in state.items()}  # as a file of arrays keeps it
    twins = []
    for values in (copies, [p.copy() for p in copies]):
        other = kind(values, lr=0.1, **options)
        other.load(saved)
        twins.append(other)
    for row in gradients[stop:]:  # two that go on from one state, side by side
        for other in twins:
            other.step(cut(shapes, row))
    off = [max(float(np.abs(a - b).max()) for a, b in zip(params, twin.params)) for twin in twins]
    return {
        "off by": off[0],
        "its twin off by": off[1],
        "lr": twins[0].lr,
        "steps": twins[0].steps,
    }


@resumed.cases
def _(draw):
    rule, options = draw.choice(
        [
            ("SGD", {"momentum": 0.9}),
            ("Adam", {}),
            ("AdamW", {}),
            ("RMSprop", {}),
            ("Lion", {}),
            ("SGD", {}),
            ("SGD", {"momentum": 0.9, "nesterov": True}),
        ]
    )
    entries, steps = draw.integer(3, 5), draw.integer(2, 8)
    return dict(
        rule=rule,
        options=options,
        start=draw.normal(entries),
        gradients=draw.normal(steps, entries),
        stop=draw.integer(0, steps - 1),
        rate=draw.choice([0.05, 0.1]),
    )


@resumed.edges
def _():
    rows = np.array([[1.0, -2.0, 0.5], [3.0, 0.25, -1.0], [-0.5, 4.0, 2.0], [0.75, 1.0, -3.0]])
    case = dict(start=np.array([1.0, 2.0, 3.0]), gradients=rows, stop=2, rate=0.025)
    rules = [("SGD", {"momentum": 0.9}), ("Adam", {}), ("RMSprop", {}), ("Lion", {})]
    return [case | dict(rule=rule, options=options) for rule, options in rules]


@resumed.oracle
def _(rule, options, start, gradients, stop, rate):
    return {"off by": 0.0, "its twin off by": 0.0, "lr": rate, "steps": len(gradients)}


# ------------------------------------------------------------------------------------------------------- clipping


@checkpoint("Clipping shortens all gradients by one number, as PyTorch's clip_grad_norm_", atol=1e-12, count=15)
def clipping(lib, grads, max_norm):
    grads = [g.copy() for g in grads]
    norm = lib.grad.optim.clip_by_global_norm(grads, max_norm)
    return {"norm": norm, "grads": grads}


@clipping.cases
def _(draw):
    scale = draw.choice([1.0, 1e-6, 1e6])
    grads = [np.asarray(scale * draw.normal(*draw.shape((0, 2), (1, 3)))) for _ in range(draw.integer(1, 3))]
    return dict(grads=grads, max_norm=scale * draw.log_uniform(0.1, 10.0))


@clipping.edges
def _():
    three_four = [np.array([3.0, 0.0]), np.array([[0.0], [4.0]])]
    return [
        dict(grads=three_four, max_norm=1.0),
        dict(grads=three_four, max_norm=5.5),
        dict(grads=[np.array([0.003]), np.array([0.004])], max_norm=1.0),
        dict(grads=[np.zeros(2), np.zeros((1, 2))], max_norm=1.0),
        dict(grads=[np.array([6.0, 8.0])], max_norm=1e-3),
    ]


@clipping.oracle
def _(grads, max_norm):
    import torch

    params = [torch.zeros(g.shape, dtype=torch.float64, requires_grad=True) for g in grads]
    for p, g in zip(params, grads):
        p.grad = torch.from_numpy(g.copy())
    norm = torch.nn.utils.clip_grad_norm_(params, max_norm, foreach=False)
    return {"norm": float(norm), "grads": [p.grad.numpy() for p in params]}


# ------------------------------------------------------------------------------------------------------ schedules


def rates_in_torch(kind, rate, steps, **options):
    """The rates that a scheduler of PyTorch's sets, step by step."""
    import warnings

    import torch

    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=rate)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the optimiser, which takes no step here
        scheduler = getattr(torch.optim.lr_scheduler, kind)(optimiser, **options)
        rates = []
        for _ in range(steps):
            rates.append(float(optimiser.param_groups[0]["lr"]))
            scheduler.step()
    return rates


@checkpoint("Step decay, cosine and warm-up equal PyTorch's at every step", atol=1e-12, rtol=1e-9, count=16)
def falling(lib, schedule, options, steps):
    module = lib.grad.schedules
    function = {"step_decay": module.step_decay, "cosine": module.cosine, "warmup": module.warmup}[schedule]
    return [float(function(step, **options)) for step in range(steps)]


@falling.cases
def _(draw):
    schedule = draw.choice(["cosine", "step_decay", "warmup"])
    n = draw.integer(1, 12)
    if schedule == "cosine":
        options = dict(rate=draw.log_uniform(1e-4, 1.0), steps=n, floor=draw.choice([0.0, 1e-5]))
    elif schedule == "step_decay":
        options = dict(rate=draw.log_uniform(1e-4, 1.0), every=n, factor=draw.choice([0.1, 0.5]))
    else:
        options = dict(steps=n, start=draw.choice([1 / 3, 0.1, 1.0]))
    return dict(schedule=schedule, options=options, steps=draw.integer(1, 30))


@falling.edges
def _():
    return [
        dict(schedule="step_decay", options=dict(rate=1.0, every=3), steps=8),
        dict(schedule="cosine", options=dict(rate=1.0, steps=4), steps=6),
        dict(schedule="cosine", options=dict(rate=1.0, steps=4, floor=0.5), steps=6),
        dict(schedule="warmup", options=dict(steps=4), steps=6),
        dict(schedule="warmup", options=dict(steps=5, start=0.2), steps=7),
    ]


@falling.oracle
def _(schedule, options, steps):
    if schedule == "cosine":
        floor = options.get("floor", 0.0)
        return rates_in_torch("CosineAnnealingLR", options["rate"], steps, T_max=options["steps"], eta_min=floor)
    if schedule == "step_decay":
        gamma = options.get("factor", 0.1)
        return rates_in_torch("StepLR", options["rate"], steps, step_size=options["every"], gamma=gamma)
    start = options.get("start", 1 / 3)
    return rates_in_torch("LinearLR", 1.0, steps, start_factor=start, total_iters=options["steps"])


@falling.shown
def _(schedule, options, steps):
    written = ", ".join(f"{name}={value:g}" for name, value in options.items())
    return f"[{schedule}(step, {written}) for step in range({steps})]"


@checkpoint("The cyclic and the one-cycle schedule equal PyTorch's at every step", atol=1e-12, rtol=1e-9, count=16)
def rising(lib, schedule, options, steps):
    module = lib.grad.schedules
    function = {"cyclic": module.cyclic, "one_cycle": module.one_cycle}[schedule]
    return [float(function(step, **options)) for step in range(steps)]


@rising.cases
def _(draw):
    if draw.choice(["one_cycle", "cyclic"]) == "cyclic":
        low = draw.log_uniform(1e-4, 1e-1)
        options = dict(low=low, high=low * draw.uniform(1.5, 10.0), up=draw.integer(1, 8), down=draw.integer(1, 8))
        options |= draw.choice([{}, {"mode": "triangular2"}, {"mode": "exp_range", "gamma": 0.9}])
        return dict(schedule="cyclic", options=options, steps=draw.integer(1, 40))
    n = draw.integer(10, 30)
    options = dict(peak=draw.log_uniform(1e-3, 1.0), steps=n, warm=draw.choice([0.3, 0.45, 0.7]))
    if draw.boolean():
        options |= dict(divide=draw.choice([10.0, 2.0]), final_divide=100.0)
    return dict(schedule="one_cycle", options=options, steps=n + draw.integer(0, 3))


@rising.edges
def _():
    triangle = dict(low=1.0, high=3.0, up=2)
    return [
        dict(schedule="cyclic", options=triangle, steps=9),
        dict(schedule="cyclic", options=triangle | dict(down=3, mode="triangular2"), steps=12),
        dict(schedule="cyclic", options=triangle | dict(mode="exp_range", gamma=0.5), steps=9),
        dict(schedule="one_cycle", options=dict(peak=1.0, steps=10), steps=12),
        dict(schedule="one_cycle", options=dict(peak=1.0, steps=8, warm=0.5, divide=4.0, final_divide=2.0), steps=8),
        dict(
            schedule="one_cycle", options=dict(peak=1.0, steps=9, warm=0.4), steps=9
        ),  # the top lies between two steps
    ]


@rising.oracle
def _(schedule, options, steps):
    options = dict(options)
    if schedule == "cyclic":
        names = dict(low="base_lr", high="max_lr", up="step_size_up", down="step_size_down", mode="mode", gamma="gamma")
        renamed = {names[name]: value for name, value in options.items()}
        return rates_in_torch("CyclicLR", options["low"], steps, cycle_momentum=False, **renamed)
    names = dict(
        peak="max_lr", steps="total_steps", warm="pct_start", divide="div_factor", final_divide="final_div_factor"
    )
    renamed = {names[name]: value for name, value in options.items()}
    within = min(steps, options["steps"])
    rates = rates_in_torch("OneCycleLR", 1.0, within, cycle_momentum=False, **renamed)
    return rates + rates[-1:] * (steps - within)


@rising.shown
def _(schedule, options, steps):
    written = ", ".join(
        f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value!r}" for name, value in options.items()
    )
    return f"[{schedule}(step, {written}) for step in range({steps})]"


# ------------------------------------------------------------------------------------------------------ curvature


@checkpoint("A Hessian times a vector by two gradients, whatever the vector's length", atol=1e-7, count=15)
def product(lib, A, fourth, start, v, h):
    """Of the function w'Aw / 2 + fourth . w^4 / 4: its gradient is a cubic, so a central difference has a known error."""
    shapes = [[len(start) // 2], [len(start) - len(start) // 2]]
    w, g = start.copy(), np.empty_like(start)
    params, grads = cut(shapes, w), cut(shapes, g)

    def gradient():
        g[:] = A @ w + fourth * w**3
        return grads  # the same arrays every time

    options = {} if h is None else {"h": h}
    Hv = lib.grad.curvature.hessian_vector_product(gradient, params, v, **options)
    return {
        "product / length of v": Hv / max(np.linalg.norm(v), 1e-30),
        "moved": float(np.abs(w - start).max()),
    }


@product.cases
def _(draw):
    n = draw.integer(2, 6)
    A = draw.normal(n, n)
    return dict(
        A=(A + A.T) / 2,
        fourth=draw.uniform(0.5, 2.0, n),
        start=draw.normal(n) * draw.choice([1.0, 10.0]),
        v=draw.normal(n) * draw.choice([1.0, 1e-6, 1e6]),
        h=draw.choice([None, None, 0.1]),
    )


@product.edges
def _():
    A = np.array([[2.0, 1.0], [1.0, -3.0]])
    plain = dict(A=A, fourth=np.ones(2), start=np.array([1.0, -2.0]))
    return [
        plain | dict(v=np.array([1.0, 0.0]), h=None),
        plain | dict(v=np.array([3.0, 4.0]), h=None),
        plain | dict(v=np.array([3e6, -4e6]), h=None),
        plain | dict(v=np.array([3e-6, 4e-6]), h=None),
        plain | dict(v=np.zeros(2), h=None),
        plain | dict(v=np.array([3.0, 4.0]), h=0.01),
    ]


@product.oracle
def _(A, fourth, start, v, h):
    length = float(np.linalg.norm(v))
    exact = A @ v + 3 * fourth * start**2 * v
    if h is not None and length > 0:  # ((w + d)^3 - (w - d)^3) / 2 = 3 w^2 d + d^3
        exact = exact + fourth * v**3 * (h * (1 + np.linalg.norm(start)) / length) ** 2
    return {"product / length of v": exact / max(length, 1e-30), "moved": 0.0}


def symmetric(eigenvalues, mix):
    """A symmetric matrix with these eigenvalues, in the basis of the columns of Q, where mix = QR."""
    Q, _ = np.linalg.qr(mix)
    A = Q @ np.diag(eigenvalues) @ Q.T
    return (A + A.T) / 2


def draw_symmetric(draw, size):
    """Eigenvalues of which both the largest in size, 1 or -1, and the top one stand clear of the others; and a scale."""
    eigenvalues = draw.uniform(-0.8, 0.5, size)
    eigenvalues[1:2] = 0.8
    eigenvalues[0] = draw.choice([1.0, -1.0])
    mix = draw.normal(size, size) + 4.0 * np.eye(size)
    return symmetric(eigenvalues, mix) * draw.choice([1.0, 1e6, 1e-6])


SADDLES = [
    np.array([[2.0]]),
    np.array([[-3.0]]),
    np.zeros((2, 2)),
    np.eye(3),
    np.array([[1.0, 2.0], [2.0, -5.0]]),
    np.array([[1.0, -1.0], [-1.0, 1.0]]),  # ones are mapped to 0
    np.diag([-4.0, 1.0, 3.0]),  # the first axis is the one of the largest size
    np.diag([1.0, 2.0, 5.0]),
    -np.eye(2),
]


@checkpoint(
    "Power iteration finds the eigenvalue of largest size, with its sign, to 6 digits", atol=1e-30, rtol=1e-6, count=12
)
def largest_in_size(lib, A):
    found = lib.grad.curvature.power_iteration(lambda v: A @ v, len(A), max_iter=1000)
    v, value = np.asarray(found.vector), float(found.value)
    residual = float(np.linalg.norm(A @ v - value * v))
    size = abs(value)
    return {
        "value": value,
        "length of the vector": float(np.linalg.norm(v)),
        "an eigenvector": residual <= 2e-6 * size + 1e-30,
        "residual told": abs(found.residual - residual) <= 1e-9 * size + 1e-30,
    }


@largest_in_size.cases
def _(draw):
    return dict(A=draw_symmetric(draw, draw.integer(1, 8)))


@largest_in_size.edges
def _():
    return [dict(A=A) for A in SADDLES]


@largest_in_size.oracle
def _(A):
    eigenvalues = np.linalg.eigvalsh(A)
    value = float(eigenvalues[np.abs(eigenvalues).argmax()])
    return {"value": value, "length of the vector": 1.0, "an eigenvector": True, "residual told": True}


@checkpoint("The top eigenvalue, also where the largest in size is negative", atol=1e-5, rtol=0.0, count=12)
def top(lib, A):
    size = max(float(np.abs(A).max()), 1e-30)
    return lib.grad.curvature.top_eigenvalue(lambda v: A @ v, len(A), max_iter=1000) / size


@top.cases
def _(draw):
    return dict(A=draw_symmetric(draw, draw.integer(1, 6)))


@top.edges
def _():
    return [dict(A=A) for A in [*SADDLES, np.array([[0.0, 3.0], [3.0, 0.0]])]]


@top.oracle
def _(A):
    return float(np.linalg.eigvalsh(A)[-1]) / max(float(np.abs(A).max()), 1e-30)


def tanh_net(vector, X, width):
    """Prediction and parts of a small net, X (n, p): p -> width tanh units -> 1, with all its weights in one vector."""
    n_in = X.shape[1]
    W, b, w = np.split(vector, [n_in * width, n_in * width + width])
    W = W.reshape(n_in, width)
    H = np.tanh(X @ W + b)  # (n, width)
    return H @ w, H, w


def tanh_net_gradient(vector, X, y, width):
    """The gradient of half the mean squared error, in one vector."""
    prediction, H, w = tanh_net(vector, X, width)
    error = (prediction - y) / len(X)  # (n,)
    dH = np.outer(error, w) * (1 - H**2)  # (n, width)
    return np.concatenate([(X.T @ dH).ravel(), dH.sum(axis=0), H.T @ error])


@checkpoint(
    "The top curvature of a small net equals that of its exact Hessian, to 6 digits", atol=1e-12, rtol=1e-6, count=5
)
def net_curvature(lib, X, y, vector, width):
    params, size = [vector.copy()], len(vector)

    def product(v):
        return lib.grad.curvature.hessian_vector_product(lambda: [tanh_net_gradient(params[0], X, y, width)], params, v)

    return lib.grad.curvature.top_eigenvalue(product, size)


def exact_hessian(X, y, vector, width):
    import torch

    X, y = torch.tensor(X), torch.tensor(y)

    def loss(vector):
        W, b, w = torch.split(vector, [X.shape[1] * width, width, width])
        return ((torch.tanh(X @ W.reshape(X.shape[1], width) + b) @ w - y) ** 2).mean() / 2

    return torch.autograd.functional.hessian(loss, torch.tensor(vector), vectorize=True).numpy()


@net_curvature.cases
def _(draw):
    """Nets whose largest eigenvalue stands clear of the others: where it does not, no iteration settles soon."""
    seed = draw.seed()
    while True:
        rng = np.random.default_rng(seed)
        p, width, n = int(rng.integers(1, 4)), int(rng.integers(1, 4)), int(rng.integers(3, 9))
        case = dict(
            X=rng.normal(size=(n, p)), y=rng.normal(size=n), vector=rng.normal(size=(p + 2) * width), width=width
        )
        eigenvalues = np.linalg.eigvalsh(exact_hessian(**case))
        if eigenvalues[-1] > 0.1 and np.sort(np.abs(eigenvalues))[-2] < 0.8 * eigenvalues[-1]:
            return case
        seed += 1


@net_curvature.oracle
def _(**case):
    return float(np.linalg.eigvalsh(exact_hessian(**case))[-1])


@checkpoint(
    "Descent on a quadratic shrinks just below 2 (1 + momentum) / lambda_max and grows just above", count=8, seconds=4.0
)
def edge(lib, A, momentum, start):
    limit = 2.0 * (1.0 + momentum) / lib.grad.curvature.top_eigenvalue(lambda v: A @ v, len(A))
    fate = []
    for share in (0.97, 1.03):
        w = start.copy()
        optimiser = lib.grad.optim.SGD([w], lr=share * limit, momentum=momentum)
        for _ in range(100):
            optimiser.step([A @ w])
        length = float(np.linalg.norm(w) / np.linalg.norm(start))
        fate.append("shrinks" if length < 0.5 else "grows" if length > 2 else "neither")
    return fate


@edge.cases
def _(draw):
    size = draw.integer(1, 5)
    eigenvalues = draw.uniform(0.1, 0.9, size)
    eigenvalues[0] = 1.0
    A = symmetric(eigenvalues, draw.normal(size, size) + 4.0 * np.eye(size)) * draw.log_uniform(1e-2, 1e2)
    top_vector = np.linalg.eigh(A)[1][:, -1]
    return dict(A=A, momentum=draw.choice([0.0, 0.5, 0.9]), start=top_vector + 0.1 * draw.normal(size))


@edge.edges
def _():
    return [
        dict(A=np.array([[4.0]]), momentum=0.0, start=np.ones(1)),
        dict(A=np.diag([1.0, 10.0]), momentum=0.0, start=np.ones(2)),
        dict(A=np.diag([1.0, 10.0]), momentum=0.9, start=np.ones(2)),
    ]


@edge.oracle
def _(A, momentum, start):
    return ["shrinks", "grows"]


# -------------------------------------------------------------------------------------------------------- further


@checkpoint("Weights of float32 stay so, and so does what is remembered", stretch=True, atol=1e-3, count=0)
def float32(lib, rule, options):
    module = lib.grad.optim
    kind = {
        "SGD": module.SGD,
        "RMSprop": module.RMSprop,
        "Adam": module.Adam,
        "AdamW": module.AdamW,
        "Lion": module.Lion,
    }
    rng = np.random.default_rng(0)
    w = np.ones((2, 3), dtype=np.float32)
    optimiser = kind[rule]([w], lr=0.01, **options)
    for _ in range(20):
        optimiser.lr = np.float64(0.01)
        optimiser.step([rng.standard_normal((2, 3)).astype(np.float32)])
    kept = [np.asarray(value) for value in optimiser.state().values() if np.ndim(value)]
    return {"w": w, "remembered": sorted({str(array.dtype) for array in kept if array.dtype.kind == "f"})}


@float32.edges
def _():
    rules = [("SGD", {"momentum": 0.9}), ("RMSprop", {}), ("Adam", {}), ("AdamW", {}), ("Lion", {})]
    return [dict(rule=rule, options=options) for rule, options in rules]


@float32.oracle
def _(rule, options):
    rng = np.random.default_rng(0)
    rows = np.array([rng.standard_normal((2, 3)).astype(np.float32).ravel() for _ in range(20)], dtype=np.float64)
    case = dict(options=options, shapes=[[2, 3]], start=np.ones(6), gradients=rows, rates=[0.01] * 20)
    trail = lion.truth(**case) if rule == "Lion" else walk_in_torch(rule, **case)
    return {"w": trail["trail"][-1].reshape(2, 3).astype(np.float32), "remembered": ["float32"]}


@checkpoint("A step makes no new arrays of the weights' size", stretch=True, count=0, seconds=4.0)
def thrifty(lib, rule, options):
    """The most that was ever allocated at once during three steps of 100,000 weights, in bytes."""
    import tracemalloc

    module = lib.grad.optim
    kind = {
        "SGD": module.SGD,
        "RMSprop": module.RMSprop,
        "Adam": module.Adam,
        "AdamW": module.AdamW,
        "Lion": module.Lion,
    }
    w, g = np.ones(100_000), np.ones(100_000)
    optimiser = kind[rule]([w], lr=0.01, **options)
    optimiser.step([g])
    tracemalloc.start()
    for _ in range(3):
        optimiser.step([g])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return int(peak)


@thrifty.edges
def _():
    rules = [("SGD", {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}), ("RMSprop", {"weight_decay": 0.1})]
    rules += [("Adam", {"weight_decay": 0.1}), ("AdamW", {}), ("Lion", {})]
    return [dict(rule=rule, options=options) for rule, options in rules]


@thrifty.accepts
def _(got, rule, options):
    return (
        got < 100_000
        or f"{got} bytes at once: an array of the weights is {800_000}. Write with out=, into arrays made before"
    )


def raised(call):
    """The name of the error, if it is the one asked for."""
    try:
        call()
    except ValueError:
        return "ValueError"
    return "no error"


@checkpoint("What cannot be is refused with a ValueError", stretch=True, count=0)
def refused(lib, what):
    optim, schedules = lib.grad.optim, lib.grad.schedules
    w = [np.ones(2), np.ones((2, 1))]
    calls = {
        "a gradient too few": lambda: optim.SGD(w, lr=0.1).step([np.ones(2)]),
        "a gradient that broadcasts": lambda: optim.Adam(w, lr=0.1).step([np.ones(2), np.ones((1, 1))]),
        "a negative rate": lambda: optim.SGD(w, lr=-0.1),
        "momentum 1": lambda: optim.SGD(w, lr=0.1, momentum=1.0),
        "look-ahead without momentum": lambda: optim.SGD(w, lr=0.1, nesterov=True),
        "alpha 1": lambda: optim.RMSprop(w, alpha=1.0),
        "beta 1": lambda: optim.Adam(w, betas=(0.9, 1.0)),
        "Lion's beta below 0": lambda: optim.Lion(w, betas=(-0.1, 0.99)),
        "a negative decay": lambda: optim.AdamW(w, weight_decay=-1.0),
        "a negative eps": lambda: optim.Adam(w, eps=-1e-8),
        "a negative rho": lambda: optim.SAM(optim.SGD(w, lr=0.1), rho=-1.0),
        "the state of another rule": lambda: optim.Adam(w).load(optim.Lion(w).state()),
        "the state of other shapes": lambda: optim.Adam(w).load(optim.Adam(w[:1]).state()),
        "a warm-up from nothing": lambda: schedules.warmup(0, 5, start=0.0),
        "a mode that is none": lambda: schedules.cyclic(0, 1.0, 2.0, 3, mode="square"),
    }
    return raised(calls[what])


@refused.edges
def _():
    return [
        dict(what=what)
        for what in (
            "a gradient too few",
            "a gradient that broadcasts",
            "a negative rate",
            "momentum 1",
            "look-ahead without momentum",
            "alpha 1",
            "beta 1",
            "Lion's beta below 0",
            "a negative decay",
            "a negative eps",
            "a negative rho",
            "the state of another rule",
            "the state of other shapes",
            "a warm-up from nothing",
            "a mode that is none",
        )
    ]


@refused.oracle
def _(what):
    return "ValueError"
