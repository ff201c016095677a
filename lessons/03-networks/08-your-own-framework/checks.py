"""What is asked of lesson 3.8: a framework whose values, gradients and books equal PyTorch's, and which learns MNIST."""

import numpy as np

from groundup.course import checkpoint


def numbers(draw, *shape):
    return draw.uniform(-3, 3, *shape)


def printed(x):
    return np.array2string(x, separator=", ", threshold=60) if isinstance(x, np.ndarray) else repr(x)


def assigned(**values):
    """Values as a person would write them, a line each."""
    return "\n".join(f"{name} = {printed(value)}" for name, value in values.items())


# ------------------------------------------------------------------------------------------------------------- the books

# What a module owns is written as a list of (kind, name, content): a "parameter" or a "buffer" with its array, "parameters" with
# a list of arrays, a "part" with such a list, a "list" or a "tuple" of them, a "number", "nothing"; "again" with the number of a
# Parameter, counted as they were made, and "part again" with the name of a part of the same module.


def grown(nn, owned, made):
    """A module that owns what is written; made collects its Parameters."""
    module = type("Own", (nn.Module,), {})()

    def parameter(array):
        made.append(nn.Parameter(array.copy()))
        return made[-1]

    for kind, name, content in owned:
        value = content.copy() if kind == "buffer" else content
        if kind == "parameter":
            value = parameter(content)
        elif kind == "parameters":
            value = [parameter(array) for array in content]
        elif kind == "part":
            value = grown(nn, content, made)
        elif kind in ("list", "tuple"):
            value = [grown(nn, inner, made) for inner in content]
            value = tuple(value) if kind == "tuple" else value
        elif kind == "again":
            value = made[content]
        elif kind == "part again":
            value = getattr(module, content)
        setattr(module, name, value)
    return module


def grown_in_torch(owned, made):
    """The same of PyTorch's modules, which are told what is what."""
    import torch

    module = torch.nn.Module()

    def parameter(array):
        made.append(torch.nn.Parameter(torch.tensor(array)))
        return made[-1]

    for kind, name, content in owned:
        if kind == "parameter":
            module.register_parameter(name, parameter(content))
        elif kind == "parameters":
            module.add_module(name, torch.nn.ParameterList([parameter(array) for array in content]))
        elif kind == "buffer":
            module.register_buffer(name, torch.tensor(content))
        elif kind == "part":
            module.add_module(name, grown_in_torch(content, made))
        elif kind in ("list", "tuple"):
            module.add_module(name, torch.nn.ModuleList([grown_in_torch(inner, made) for inner in content]))
        elif kind == "again":
            module.register_parameter(name, made[content])
        elif kind == "part again":
            module.add_module(name, module.get_submodule(content))
    return module


def torch_books(owned):
    """path -> array, of parameters and of buffers; what is met again on another path is left out."""
    module = grown_in_torch(owned, [])
    return [
        {path: tensor.detach().numpy() for path, tensor in named}
        for named in (module.named_parameters(), module.named_buffers())
    ]


def written(owned, indent=""):
    """What a module owns, as lines."""
    lines = []
    for kind, name, content in owned:
        this = f"{indent}self.{name} = "
        if kind == "part":
            lines += [f"{this}a Module in which", *written(content, indent + "    ")]
        elif kind in ("list", "tuple"):
            lines.append(f"{this}a {kind} of {len(content)} Modules")
            for i, inner in enumerate(content):
                lines += [f"{indent}  in number {i}", *written(inner, indent + "    ")]
        elif kind == "again":
            lines.append(f"{this}the Parameter number {content} of those made so far, once more")
        elif kind == "part again":
            lines.append(f"{this}self.{content}")
        elif kind == "parameters":
            lines.append(f"{this}[{', '.join(f'Parameter({printed(array)})' for array in content)}]")
        else:
            lines.append(this + (f"Parameter({printed(content)})" if kind == "parameter" else printed(content)))
    return lines


def draw_owned(draw, depth=2, made=None):
    """What a module owns, at random; made: how many Parameters there are already, in a list that is counted up."""
    made = [0] if made is None else made
    kinds = ["parameter", "parameter", "buffer", "number", "nothing", "again"]
    kinds += ["part", "list", "tuple", "part again"] if depth else []
    owned = []
    for name in "abcd"[: draw.integer(1, 4)]:
        kind = draw.choice(kinds)
        parts = [n for k, n, _ in owned if k == "part"]
        if (kind == "again" and not made[0]) or (kind == "part again" and not parts):
            kind = "parameter"
        content = {"number": 3, "nothing": None}.get(kind)
        if kind in ("parameter", "buffer"):
            made[0] += kind == "parameter"
            content = numbers(draw, draw.integer(1, 2))
        elif kind == "part":
            content = draw_owned(draw, depth - 1, made)
        elif kind in ("list", "tuple"):
            content = [draw_owned(draw, depth - 1, made) for _ in range(draw.integer(0, 2))]
        elif kind == "again":
            content = draw.integer(0, made[0] - 1)
        elif kind == "part again":
            content = parts[0]
        owned.append((kind, name, content))
    return owned


def owned_edges():
    w, b, m = np.array([1.0, 2.0]), np.array([3.0]), np.array([4.0])
    linear, other = [("parameter", "weight", w), ("parameter", "bias", b)], [("parameter", "weight", 5 * w)]
    fresh = [("parameter", "bias", 0 * b)]
    return [
        linear,
        [("parameter", "weight", w), ("nothing", "bias", None), ("number", "width", 3)],
        [("parameter", "gamma", w), ("buffer", "mean", m)],
        [("part", "hidden", linear), ("parameter", "scale", m)],
        [("list", "layers", [linear, other])],
        [("part", "hidden", fresh), ("part", "out", fresh)],
        [("tuple", "layers", [other, linear])],
        [("parameters", "weights", [w, b])],
        [("part", "encoder", other), ("part", "decoder", [("again", "weight", 0), ("parameter", "bias", b)])],
        [("part", "first", linear), ("part again", "second", "first")],
        [("part", "body", [("list", "layers", [[("part", "inner", linear), ("buffer", "mean", m)], other])])],
        [("buffer", "ids", np.array([1, 2, 3])), ("part", "hidden", [("buffer", "var", b), ("parameter", "beta", m)])],
    ]


@checkpoint("What a module owns is found under its paths, each object once, in PyTorch's order", atol=0, count=20)
def books(lib, owned):
    nn, made = lib.grad.nn, []
    module = grown(nn, owned, made)
    parameters, buffers = module.named(nn.Parameter), module.named(np.ndarray)
    listed, array = module.parameters(), np.ones(2)
    return {
        "paths of named(Parameter)": list(parameters),
        "paths of named(np.ndarray)": list(buffers),
        "values": [p.data for p in parameters.values()] + list(buffers.values()),
        "parameters()": [p.data for p in listed],
        "they are the objects themselves": all(any(p is q for q in made) for p in [*parameters.values(), *listed]),
        "each requires a gradient": all(p.requires_grad for p in listed),
        "Parameter(array) holds that array": nn.Parameter(array).data is array,
    }


@books.cases
def _(draw):
    return dict(owned=draw_owned(draw))


@books.edges
def _():
    return [dict(owned=owned) for owned in owned_edges()]


@books.oracle
def _(owned):
    parameters, buffers = torch_books(owned)
    return {
        "paths of named(Parameter)": list(parameters),
        "paths of named(np.ndarray)": list(buffers),
        "values": [*parameters.values(), *buffers.values()],
        "parameters()": list(parameters.values()),
        "they are the objects themselves": True,
        "each requires a gradient": True,
        "Parameter(array) holds that array": True,
    }


@books.shown
def _(owned):
    return "\n".join(written(owned))


@checkpoint("train, eval and zero_grad reach every module that is a part, or a part of a part", count=12)
def modes(lib, owned):
    nn, made, modules = lib.grad.nn, [], []
    root = grown(nn, owned, made)

    def everything(module):  # by itself, not by the learner's walk
        modules.append(module)
        for value in list(vars(module).values()):
            for entry in value if isinstance(value, list | tuple) else [value]:
                if isinstance(entry, nn.Module):
                    everything(entry)

    everything(root)
    seen = {"at first": [m.training for m in modules]}
    for what, call in (("eval()", root.eval), ("train()", root.train), ("train(False)", lambda: root.train(False))):
        returned = call()
        seen[what] = [returned is root, *(m.training for m in modules)]
    for parameter in made:
        (parameter * 2.0).sum().backward()
    root.zero_grad()
    return seen | {"after zero_grad()": [p.grad is None for p in made]}


@modes.cases
def _(draw):
    return dict(owned=draw_owned(draw))


@modes.edges
def _():
    return [dict(owned=owned) for owned in owned_edges()]


@modes.oracle
def _(owned):
    def count(owned):
        """Modules, a shared one on each of its paths."""
        own, of_part = 1, {}
        for kind, name, content in owned:
            if kind in ("part", "list", "tuple"):
                of_part[name] = sum(count(part) for part in ([content] if kind == "part" else content))
                own += of_part[name]
            elif kind == "part again":
                own += of_part[content]
        return own

    modules, parameters = count(owned), len(torch_books(owned)[0])
    return {
        "at first": [True] * modules,
        "eval()": [True] + [False] * modules,
        "train()": [True] + [True] * modules,
        "train(False)": [True] + [False] * modules,
        "after zero_grad()": [True] * parameters,
    }


@modes.shown
def _(owned):
    return "\n".join(written(owned))


@checkpoint(
    "A state dict is a copy; loading writes into the arrays that are there, all of them or none", atol=0, count=12
)
def state(lib, owned, values, damage):
    nn, made = lib.grad.nn, []
    module = grown(nn, owned, made)
    parameters = module.parameters()
    held = [p.data for p in parameters] + list(module.named(np.ndarray).values())
    before = module.state_dict()
    kept = {path: array.copy() for path, array in before.items()}
    for array in before.values():
        array += 1  # no business of the module's
    untouched = [array.copy() for array in held]
    given = {path: value.copy() for path, value in zip(before, values)}
    if damage == "a name missing":
        given.pop(list(given)[-1])
    elif damage == "a name unknown":
        given["elsewhere"] = np.zeros(2)
    elif damage != "none":
        given[list(given)[-1]] = {"one entry more": np.zeros(4), "a number for an array": np.float64(0.0)}[damage]
    refused = "nothing"
    try:
        module.load_state_dict(given)
    except KeyError:
        refused = "KeyError"
    except ValueError:
        refused = "ValueError"
    after = module.state_dict()
    for array in given.values():
        if np.ndim(array):
            array *= 2  # nor is that
    still = module.state_dict()
    return {
        "state_dict()": kept,
        "its order": list(kept),
        "arrays of the module after the state dict was written into": untouched,
        "load_state_dict raised": refused,
        "state_dict() after loading": after,
        "and after what was loaded has been written into": still,
        "the arrays that an optimiser holds": held,
        "they are the module's still": all(p.data is array for p, array in zip(parameters, held)),
        "the Parameters are the same objects": all(p is q for p, q in zip(parameters, module.parameters())),
    }


DAMAGES = ["none", "a name missing", "a name unknown", "one entry more", "a number for an array"]


@state.cases
def _(draw):
    owned = [*draw_owned(draw), ("parameter", "e", numbers(draw, 2))]
    values = [numbers(draw, *array.shape) for part in torch_books(owned) for array in part.values()]
    return dict(owned=owned, values=values, damage=draw.choice(DAMAGES))


@state.edges
def _():
    floats = [
        owned for owned in owned_edges() if not any(kind == "buffer" and name == "ids" for kind, name, _ in owned)
    ]
    cases = []
    for owned in floats:
        values = [7 * array + 1 for part in torch_books(owned) for array in part.values()]
        cases.append(dict(owned=owned, values=values, damage="none"))
    return cases + [cases[4] | {"damage": damage} for damage in DAMAGES[1:]]


@state.oracle
def _(owned, values, damage):
    parameters, buffers = torch_books(owned)
    arrays = parameters | buffers
    after = dict(zip(arrays, values)) if damage == "none" else arrays
    refused = {"none": "nothing", "a name missing": "KeyError", "a name unknown": "KeyError"}.get(damage, "ValueError")
    return {
        "state_dict()": arrays,
        "its order": list(arrays),
        "arrays of the module after the state dict was written into": list(arrays.values()),
        "load_state_dict raised": refused,
        "state_dict() after loading": after,
        "and after what was loaded has been written into": after,
        "the arrays that an optimiser holds": list(after.values()),
        "they are the module's still": True,
        "the Parameters are the same objects": True,
    }


@state.shown
def _(owned, values, damage):
    note = "" if damage == "none" else f", with {damage}"
    return "\n".join([*written(owned), f"module.load_state_dict of {[printed(v) for v in values]} in its order{note}"])


# ------------------------------------------------------------------------------------------------------- layer by layer


def put(layer, arrays):
    """Writes arrays into a layer's parameters, in place; a sentence where one has another shape."""
    for name, array in arrays.items():
        own = getattr(layer, name).data
        if own.shape != array.shape:
            return f"{name} has the shape {own.shape}, and not {array.shape}"
        own[...] = array
    return None


def through(lib, layer, x, upstream):
    """The output of a layer, and what comes back for x and for each parameter."""
    x = lib.grad.tensor.Tensor(x, requires_grad=True)
    y = layer(x)
    y.backward(upstream)
    back = {path: parameter.grad for path, parameter in layer.named(lib.grad.nn.Parameter).items()}
    return {"y": y.data, "dx": x.grad, **back}


def through_torch(function, x, arrays, upstream):
    """The same by PyTorch, for function(x, **arrays)."""
    import torch

    leaves = {"dx": torch.tensor(x, requires_grad=True)}
    leaves |= {name: torch.tensor(array, requires_grad=True) for name, array in arrays.items()}
    y = function(leaves["dx"], **{name: leaves[name] for name in arrays})
    grads = torch.autograd.grad(y, list(leaves.values()), torch.tensor(upstream))
    return {"y": y.detach().numpy(), **{name: g.numpy() for name, g in zip(leaves, grads)}}


@checkpoint("Linear equals PyTorch's, with and without a bias, whatever stands in front", atol=1e-10, count=12)
def linear(lib, x, arrays, upstream):
    n_in, n_out = arrays["weight"].shape
    layer = lib.grad.nn.Linear(n_in, n_out, np.random.default_rng(0), bias="bias" in arrays, dtype=np.float64)
    return put(layer, arrays) or through(lib, layer, x, upstream)


def linear_case(batch, n_in, n_out, biased, draw):
    arrays = {"weight": draw(n_in, n_out)} | ({"bias": draw(n_out)} if biased else {})
    return dict(x=draw(*batch, n_in), arrays=arrays, upstream=draw(*batch, n_out))


@linear.cases
def _(draw):
    batch = draw.choice([(1,), (4,), (2, 3), ()])
    n_in, n_out = draw.integer(1, 4), draw.integer(1, 4)
    n_out = draw.choice([n_out, n_in])  # square, where a transposition fits
    return linear_case(batch, n_in, n_out, draw.boolean(0.6), lambda *shape: numbers(draw, *shape))


@linear.edges
def _():
    rng = np.random.default_rng(0)

    def draw(*shape):
        return rng.integers(-3, 4, shape).astype(float)

    sizes = [((1,), 2, 2), ((1,), 2, 3), ((4,), 3, 3), ((2, 3), 2, 2), ((1,), 1, 1)]
    return [linear_case(batch, n, m, biased, draw) for batch, n, m in sizes for biased in (True, False)]


@linear.oracle
def _(x, arrays, upstream):
    return through_torch(lambda x, weight, bias=0.0: x @ weight + bias, x, arrays, upstream)


@linear.shown
def _(x, arrays, upstream):
    n_in, n_out = arrays["weight"].shape
    made = f"layer = Linear({n_in}, {n_out}, generator, bias={'bias' in arrays}, dtype=np.float64), with"
    return f"{made}\n{assigned(**arrays)}\n{assigned(x=x)}\ny = layer(Tensor(x)); y.backward({printed(upstream)})"


@checkpoint("Conv2d, MaxPool2d, ReLU and Flatten equal PyTorch's, with every option", atol=1e-10, count=16)
def images(lib, kind, x, arrays, options, upstream):
    nn = lib.grad.nn
    if kind == "Conv2d":
        m, per_group, kh, kw = arrays["weight"].shape
        size, channels = kh if options["square"] else (kh, kw), per_group * options["groups"]
        settings = {name: options[name] for name in ("stride", "padding", "dilation", "groups")}
        settings |= {"bias": "bias" in arrays, "dtype": np.float64}
        layer = nn.Conv2d(channels, m, size, np.random.default_rng(0), **settings)
    elif kind == "MaxPool2d":
        layer = nn.MaxPool2d(**options)
    else:
        layer = getattr(nn, kind)()
    return put(layer, arrays) or through(lib, layer, x, upstream)


def image_case(kind, x, arrays, options, draw):
    """The case, with an upstream gradient of the output's shape."""
    shape = image_in_torch(kind, options)(x_as_torch(x), **{n: x_as_torch(a) for n, a in arrays.items()}).shape
    return dict(kind=kind, x=x, arrays=arrays, options=options, upstream=draw(*shape))


def x_as_torch(x):
    import torch

    return torch.tensor(x)


def image_in_torch(kind, options):
    """The layer as a function (x, **arrays) of PyTorch's."""
    import torch
    from torch.nn import functional

    if kind == "Conv2d":
        settings = {name: options[name] for name in ("stride", "padding", "dilation", "groups")}
        return lambda x, weight, bias=None: functional.conv2d(x, weight, bias, **settings)
    if kind == "MaxPool2d":
        return lambda x: functional.max_pool2d(x, options["size"], options.get("stride"), options.get("padding", 0))
    return torch.relu if kind == "ReLU" else lambda x: torch.flatten(x, 1)


@images.cases
def _(draw):
    kind = draw.choice(["Conv2d", "Conv2d", "MaxPool2d", "ReLU", "Flatten"])
    n, arrays, options = draw.integer(1, 2), {}, {}
    if kind in ("ReLU", "Flatten"):
        x = numbers(draw, *draw.choice([(n, 3), (n, 2, 3), (n, 2, 2, 3)]))
    elif kind == "MaxPool2d":
        size = draw.integer(1, 3)
        options = {"size": size} | draw.choice([{}, {"stride": 1}, {"stride": 2}, {"padding": size // 2}])
        x = numbers(draw, n, draw.integer(1, 2), size + draw.integer(0, 3), size + draw.integer(0, 3))
    else:
        groups, square = draw.choice([1, 1, 2]), draw.boolean()
        kh = draw.integer(1, 3)
        kw = kh if square else draw.integer(1, 3)
        stride, padding, dilation = draw.choice([1, 2, (2, 1)]), draw.choice([0, 1, (0, 1)]), draw.choice([1, 2])
        options = dict(square=square, stride=stride, padding=padding, dilation=dilation, groups=groups)
        per_group, m = draw.integer(1, 2), groups * draw.integer(1, 2)
        arrays = {"weight": numbers(draw, m, per_group, kh, kw)} | (
            {"bias": numbers(draw, m)} if draw.boolean() else {}
        )
        sides = [dilation * (k - 1) + 1 + draw.integer(0, 2) for k in (kh, kw)]
        x = numbers(draw, n, per_group * groups, *sides)
    return image_case(kind, x, arrays, options, lambda *shape: numbers(draw, *shape))


@images.edges
def _():
    rng = np.random.default_rng(0)

    def draw(*shape):
        return rng.permutation(int(np.prod(shape))).reshape(shape) - np.prod(shape) // 3 + 0.5  # no two are equal

    x, plain = draw(2, 2, 4, 5), dict(square=True, stride=1, padding=0, dilation=1, groups=1)
    cases = [
        ("ReLU", x, {}, {}),
        ("Flatten", x, {}, {}),
        ("Flatten", draw(3, 2), {}, {}),
        ("Flatten", draw(1, 3, 2), {}, {}),
    ]
    cases += [
        ("MaxPool2d", x, {}, options) for options in ({"size": 2}, {"size": 2, "stride": 1}, {"size": 3, "padding": 1})
    ]
    for options in ({}, {"stride": 2}, {"padding": 1}, {"dilation": 2}, {"stride": (1, 2), "padding": (1, 0)}):
        arrays = {"weight": draw(3, 2, 2, 2), "bias": draw(3)}
        cases.append(("Conv2d", x, arrays, plain | options))
    cases += [
        ("Conv2d", x, {"weight": draw(2, 2, 3, 3)}, plain),
        ("Conv2d", x, {"weight": draw(2, 2, 2, 3)}, plain | {"square": False}),
        ("Conv2d", x, {"weight": draw(4, 1, 2, 2), "bias": draw(4)}, plain | {"groups": 2}),
    ]
    return [image_case(kind, x, arrays, options, draw) for kind, x, arrays, options in cases]


@images.oracle
def _(kind, x, arrays, options, upstream):
    return through_torch(image_in_torch(kind, options), x, arrays, upstream)


@images.shown
def _(kind, x, arrays, options, upstream):
    extra = "".join(f", {name}={value!r}" for name, value in options.items() if name != "square")
    made = f"{kind}({extra.removeprefix(', ')})"
    if arrays:
        m, per_group, kh, kw = arrays["weight"].shape
        size = kh if options["square"] else (kh, kw)
        made = f"Conv2d({per_group * options['groups']}, {m}, {size}, generator{extra}, bias={'bias' in arrays}), with"
    lines = [f"layer = {made}", assigned(**arrays), assigned(x=x)]
    return "\n".join([*filter(None, lines), f"y = layer(Tensor(x)); y.backward({printed(upstream)})"])


@checkpoint(
    "BatchNorm equals PyTorch's over several batches, in training and after, and so do its running statistics",
    atol=1e-9,
    count=10,
)
def normalised(lib, batches, training, upstreams, gamma, beta, momentum, eps):
    layer = lib.grad.nn.BatchNorm(len(gamma), momentum=momentum, eps=eps, dtype=np.float64)
    begun = [layer.gamma.data.copy(), layer.beta.data.copy(), layer.running_mean.copy(), layer.running_var.copy()]
    held = [layer.running_mean, layer.running_var]
    put(layer, {"gamma": gamma, "beta": beta})
    seen = []
    for x, train, upstream in zip(batches, training, upstreams):
        layer.train(train).zero_grad()
        seen.append(through(lib, layer, x, upstream))
        seen[-1] |= {"running_mean": layer.running_mean.copy(), "running_var": layer.running_var.copy()}
    same = layer.running_mean is held[0] and layer.running_var is held[1]
    return {"at first": begun, "batches": seen, "running statistics are the same arrays": same}


def norm_case(shapes, training, draw, momentum=0.1, eps=1e-5):
    c = shapes[0][1]
    return dict(
        batches=[draw(*shape) for shape in shapes],
        training=training,
        upstreams=[draw(*shape) for shape in shapes],
        gamma=draw(c),
        beta=draw(c),
        momentum=momentum,
        eps=eps,
    )


@normalised.cases
def _(draw):
    c, more = draw.integer(1, 3), draw.choice([(), (2,), (2, 3)])
    shapes = [(draw.integer(3, 5), c, *more) for _ in range(draw.integer(1, 4))]
    training = [draw.boolean(0.7) for _ in shapes]
    options = dict(momentum=draw.choice([0.1, 0.5]), eps=draw.choice([1e-5, 1e-2]))
    return norm_case(shapes, training, lambda *shape: numbers(draw, *shape), **options)


@normalised.edges
def _():
    rng = np.random.default_rng(0)

    def draw(*shape):
        return rng.permutation(int(np.prod(shape))).reshape(shape).astype(float) - 1

    modes = [[True], [False], [True, False], [True, True, False, True, False]]
    return [norm_case([shape] * len(m), m, draw) for m in modes for shape in ((3, 2), (2, 2, 1, 2))]


@normalised.oracle
def _(batches, training, upstreams, gamma, beta, momentum, eps):
    import torch
    from torch.nn import functional

    mean, var = torch.zeros(len(gamma), dtype=torch.float64), torch.ones(len(gamma), dtype=torch.float64)
    seen = []
    for x, train, upstream in zip(batches, training, upstreams):

        def layer(x, gamma, beta, train=train):
            return functional.batch_norm(x, mean, var, gamma, beta, train, momentum, eps)

        seen.append(through_torch(layer, x, {"gamma": gamma, "beta": beta}, upstream))
        seen[-1] |= {"running_mean": mean.numpy().copy(), "running_var": var.numpy().copy()}
    one, zero = np.ones(len(gamma)), np.zeros(len(gamma))
    return {"at first": [one, zero, zero, one], "batches": seen, "running statistics are the same arrays": True}


@normalised.shown
def _(batches, training, upstreams, gamma, beta, momentum, eps):
    made = f"layer = BatchNorm({len(gamma)}, momentum={momentum}, eps={eps}), with\n{assigned(gamma=gamma, beta=beta)}"
    calls = [
        f"layer.train({train}); y = layer({printed(x)}); y.backward({printed(g)})"
        for x, train, g in zip(batches, training, upstreams)
    ]
    return "\n".join([made, *calls])


@checkpoint("Dropout draws its own mask at each call in training, and does nothing after", atol=1e-12, count=10)
def dropout(lib, x, rate, seed, training, upstream):
    generator = np.random.default_rng(seed)
    layer, seen = lib.grad.nn.Dropout(rate, generator), []
    for train in training:
        layer.train(train)
        seen.append(through(lib, layer, x, upstream))
    return {"calls": seen, "the generator's next number": float(generator.random())}


@dropout.cases
def _(draw):
    shape = draw.shape((1, 3), (1, 4))
    rate, training = draw.choice([0.5, 0.2, 0.9, 0.0]), [draw.boolean(0.6) for _ in range(draw.integer(1, 4))]
    return dict(x=numbers(draw, *shape), rate=rate, seed=draw.seed(), training=training, upstream=numbers(draw, *shape))


@dropout.edges
def _():
    x = np.arange(1.0, 13.0).reshape(3, 4)
    modes = [[False], [True], [True, True], [True, False, True]]
    return [dict(x=x, rate=0.5, seed=3, training=training, upstream=x / 2) for training in modes]


@dropout.oracle
def _(x, rate, seed, training, upstream):
    generator, seen = np.random.default_rng(seed), []
    for train in training:
        scale = (generator.random(x.shape) >= rate) / (1 - rate) if train else np.ones(x.shape)
        seen.append({"y": x * scale, "dx": upstream * scale})
    return {"calls": seen, "the generator's next number": float(generator.random())}


@dropout.shown
def _(x, rate, seed, training, upstream):
    made = f"layer = Dropout({rate}, np.random.default_rng({seed}))\n{assigned(x=x)}"
    return f"{made}\nfor train in {training}: layer.train(train); y = layer(Tensor(x)); y.backward({printed(upstream)})"


@checkpoint("First weights are normal with variance 2 / fan_in, biases 0, all in float32 and repeatable", count=1)
def first_weights(lib, kind, sizes, groups, seed):
    nn = lib.grad.nn

    def layer(seed, **more):
        generator = np.random.default_rng(seed)
        if kind == "Linear":
            return nn.Linear(*sizes, generator, **more)
        return nn.Conv2d(*sizes, generator, groups=groups, **more)

    one, again, other, bare = layer(seed), layer(seed), layer(seed + 1), layer(seed, bias=False)
    weight = one.weight.data
    return {
        "shape": list(weight.shape),
        "dtypes": [str(one.weight.dtype), str(one.bias.dtype)],
        "bias": one.bias.data,
        "variance": float(np.var(weight, dtype=np.float64)),
        "mean": float(np.mean(weight, dtype=np.float64)),
        "share within one deviation": float(np.mean(np.abs(weight) < np.std(weight))),
        "the same seed gives the same": bool(np.array_equal(weight, again.weight.data)),
        "another seed gives the same": bool(np.array_equal(weight, other.weight.data)),
        "parameters without a bias": len(bare.parameters()),
    }


@first_weights.cases
def _(draw):
    return dict(kind="Linear", sizes=(300, 200), groups=1, seed=draw.seed())


@first_weights.edges
def _():
    linears = [dict(kind="Linear", sizes=sizes, groups=1, seed=0) for sizes in ((300, 200), (100, 400))]
    convs = [dict(kind="Conv2d", sizes=(16, 64, (3, 5)), groups=groups, seed=0) for groups in (1, 4)]
    return linears + convs


@first_weights.accepts
def _(got, kind, sizes, groups, seed):
    n_in, n_out, *size = sizes
    shape = [n_in, n_out] if kind == "Linear" else [n_out, n_in // groups, *size[0]]
    fan_in = n_in if kind == "Linear" else int(np.prod(shape[1:]))
    made = f"{kind}({', '.join(map(str, sizes))}, generator{f', groups={groups}' if groups > 1 else ''})"
    if got["shape"] != shape:
        return f"{made} has a weight of shape {got['shape']}, not {shape}"
    if got["dtypes"] != ["float32", "float32"]:
        return f"{made} has parameters of {got['dtypes']}, and float32 is the default"
    if np.shape(got["bias"]) != (n_out,) or np.any(got["bias"]):
        return f"{made} has to begin with {n_out} biases of 0"
    if got["parameters without a bias"] != 1:
        return f"with bias=False {made} has {got['parameters without a bias']} Parameters, and one was asked for"
    if not got["the same seed gives the same"] or got["another seed gives the same"]:
        return "the weights have to come from the generator, and from nothing else"
    expected, slack = 2 / fan_in, 10 * np.sqrt(2 / np.prod(shape))  # ten standard errors of a variance
    if abs(got["mean"]) > 10 * np.sqrt(expected / np.prod(shape)):
        return f"{made}: the mean of the weights is {got['mean']:.5f}, which is not 0"
    if abs(got["variance"] / expected - 1) > slack:
        return f"{made}: the variance of the weights is {got['variance']:.5f}, and 2 / {fan_in} = {expected:.5f} was asked for"
    if abs(got["share within one deviation"] - 0.683) > 5 / np.sqrt(np.prod(shape)):
        return f"{made}: {got['share within one deviation']:.0%} within a deviation of 0; of normal numbers 68 % are"
    return True


@first_weights.shown
def _(kind, sizes, groups, seed):
    return f"{kind}({', '.join(map(str, sizes))}, np.random.default_rng({seed}){f', groups={groups}' if groups > 1 else ''})"


# ------------------------------------------------------------------------------------------------------- whole networks

# A network is written as a list of layers: ("Linear", n_in, n_out, biased), ("Conv2d", c_in, c_out, size, padding), ("BatchNorm", c),
# ("Dropout", rate, seed), ("MaxPool2d", size), ("ReLU",), ("Tanh",), ("Flatten",), ("Embedding", v, d), ("Sequential", layers).


def built(lib, layers):
    """A Sequential of the layers, in float64."""
    nn, modules, rng = lib.grad.nn, lib.grad.modules, np.random.default_rng(0)

    def layer(name, *how):
        if name == "Linear":
            return nn.Linear(how[0], how[1], rng, bias=how[2], dtype=np.float64)
        if name == "Conv2d":
            return nn.Conv2d(*how[:3], rng, padding=how[3], dtype=np.float64)
        if name == "BatchNorm":
            return nn.BatchNorm(*how, dtype=np.float64)
        if name == "Dropout":
            return nn.Dropout(how[0], np.random.default_rng(how[1]))
        if name == "Embedding":
            return modules.Embedding(*how, rng, dtype=np.float64)
        if name == "Sequential":
            return nn.Sequential(*(layer(*inner) for inner in how[0]))
        return modules.Tanh() if name == "Tanh" else getattr(nn, name)(*how)

    return nn.Sequential(*(layer(*each) for each in layers))


def fill(module, Parameter, params):
    """Writes arrays into the parameters of those paths; a sentence where the paths are others."""
    own = module.named(Parameter)
    if set(own) != set(params):
        return f"the parameters are called {sorted(own)}, and not {sorted(params)}"
    for path, array in params.items():
        if own[path].shape != array.shape:
            return f"{path} has the shape {own[path].shape}, and not {array.shape}"
        own[path].data[...] = array
    return None


def flat(layers, prefix=""):
    """Pairs of a path and a layer, with those of inner ones in their places."""
    for i, layer in enumerate(layers):
        if layer[0] == "Sequential":
            yield from flat(layer[1], f"{prefix}{i}.")
        else:
            yield f"{prefix}{i}", layer


def shapes_of(layers):
    """path -> shape, of all parameters."""
    shapes = {}
    for path, (name, *how) in flat(layers):
        if name == "Linear":
            shapes[f"{path}.weight"] = (how[0], how[1])
            if how[2]:
                shapes[f"{path}.bias"] = (how[1],)
        elif name == "Conv2d":
            shapes[f"{path}.weight"], shapes[f"{path}.bias"] = (how[1], how[0], how[2], how[2]), (how[1],)
        elif name == "BatchNorm":
            shapes[f"{path}.gamma"] = shapes[f"{path}.beta"] = (how[0],)
        elif name == "Embedding":
            shapes[f"{path}.table"] = tuple(how)
    return shapes


class TorchNet:
    """The same network by PyTorch's functions: leaves and buffers by path, and forward(x, train)."""

    def __init__(self, layers, params):
        import torch

        self.layers = list(flat(layers))
        self.leaves = {path: torch.tensor(array, requires_grad=True) for path, array in params.items()}
        self.buffers, self.generators = {}, {}
        for path, (name, *how) in self.layers:
            if name == "BatchNorm":
                self.buffers[f"{path}.running_mean"] = torch.zeros(how[0], dtype=torch.float64)
                self.buffers[f"{path}.running_var"] = torch.ones(how[0], dtype=torch.float64)
            if name == "Dropout":
                self.generators[path] = np.random.default_rng(how[1])

    def forward(self, x, train):
        import torch
        from torch.nn import functional

        x = torch.as_tensor(x)
        for path, (name, *how) in self.layers:
            own = {
                key.removeprefix(f"{path}."): leaf for key, leaf in self.leaves.items() if key.startswith(f"{path}.")
            }
            if name == "Linear":
                x = x @ own["weight"] + own.get("bias", 0.0)
            elif name == "Conv2d":
                x = functional.conv2d(x, own["weight"], own["bias"], padding=how[3])
            elif name == "BatchNorm":
                running = (self.buffers[f"{path}.running_mean"], self.buffers[f"{path}.running_var"])
                x = functional.batch_norm(x, *running, own["gamma"], own["beta"], train)
            elif name == "Dropout" and train:
                kept = self.generators[path].random(tuple(x.shape)) >= how[0]
                x = x * torch.tensor(kept / (1 - how[0]))
            elif name == "MaxPool2d":
                x = functional.max_pool2d(x, how[0])
            elif name == "Flatten":
                x = torch.flatten(x, 1)
            elif name == "Embedding":
                x = functional.embedding(x, own["table"])
            elif name in ("ReLU", "Tanh"):
                x = getattr(torch, name.lower())(x)
        return x

    def loss_and_grads(self, x, labels):
        """The loss, a number, and path -> gradient, zeros where the loss does not depend on it. In training."""
        import torch

        loss = torch.nn.functional.cross_entropy(self.forward(x, True), torch.tensor(labels))
        grads = torch.autograd.grad(loss, list(self.leaves.values()), allow_unused=True, materialize_grads=True)
        return loss.item(), {path: grad.numpy() for path, grad in zip(self.leaves, grads)}


def drawn(draw, layers, scale=1.0):
    """path -> array, for all parameters."""
    return {path: draw.uniform(-scale, scale, *shape) for path, shape in shapes_of(layers).items()}


def network_text(layers, params):
    def line(layer, pad):
        name, *how = layer
        if name == "Sequential":
            return [f"{pad}Sequential(", *(text for inner in how[0] for text in line(inner, pad + "    ")), f"{pad})"]
        return [f"{pad}{name}({', '.join(map(repr, how))})"]

    lines = [text for layer in layers for text in line(layer, "    ")]
    values = "\n".join(f"{path} = {printed(array)}" for path, array in params.items())
    return "\n".join(["net = Sequential(", *lines, ")", values])


def draw_layers(draw):
    """Layers and the shape of a batch that they take; the last gives 3 scores."""
    if draw.boolean(0.5):
        n, d, m = draw.integer(3, 5), draw.integer(1, 3), draw.integer(2, 4)
        between = draw.choice([[("ReLU",)], [("BatchNorm", m), ("ReLU",)], [("Tanh",), ("Dropout", 0.3, 5)]])
        middle = [("Linear", d, m, draw.boolean(0.7)), *between]
        more = draw.choice([[], [("Sequential", [("Linear", m, m, True), ("Tanh",)])]])
        return [*middle, *more, ("Linear", m, 3, True)], (n, d)
    n, c, m = draw.integer(2, 3), draw.integer(1, 2), draw.integer(1, 3)
    bend = draw.choice([("ReLU",), ("Tanh",)])
    norm = draw.choice([[], [("BatchNorm", m)]])
    inner = [("Conv2d", c, m, 3, 1), *norm, bend]
    body = [("Sequential", inner)] if draw.boolean() else inner
    return [*body, ("MaxPool2d", 2), ("Flatten",), ("Linear", 4 * m, 3, True)], (n, c, 4, 4)


@checkpoint(
    "A Sequential of layers gives PyTorch's scores and loss, and its gradient for every parameter", atol=1e-9, count=12
)
def network(lib, layers, params, X, labels, upstream):
    Tensor, Parameter = lib.grad.tensor.Tensor, lib.grad.nn.Parameter
    net = built(lib, layers)
    misfit = fill(net, Parameter, params)
    if misfit:
        return misfit
    loss = lib.grad.losses.cross_entropy(net(Tensor(X)), labels)
    loss.backward()
    found = {"loss": loss.item(), "gradients": {path: p.grad for path, p in net.named(Parameter).items()}}
    net.eval()
    x = Tensor(X, requires_grad=True)
    scores = net(x)
    scores.backward(upstream)
    return found | {"scores in evaluation": scores.data, "dX in evaluation": x.grad}


def network_case(layers, params, X, draw_labels, draw_upstream):
    return dict(layers=layers, params=params, X=X, labels=draw_labels(len(X)), upstream=draw_upstream(len(X)))


@network.cases
def _(draw):
    layers, shape = draw_layers(draw)
    labels, upstream = lambda n: draw.integers(0, 2, n), lambda n: numbers(draw, n, 3)
    return network_case(layers, drawn(draw, layers), numbers(draw, *shape), labels, upstream)


@network.edges
def _():
    return network_edges()


def network_edges():
    rng = np.random.default_rng(0)
    pictures = [("Conv2d", 1, 2, 3, 1), ("ReLU",), ("MaxPool2d", 2), ("Flatten",), ("Linear", 8, 3, True)]
    nested = [("Sequential", [("Linear", 2, 3, True), ("Tanh",)]), ("Sequential", [("Linear", 3, 3, False)])]
    nets = [([("Linear", 2, 3, True)], (1, 2)), ([("Linear", 2, 3, True), ("ReLU",), ("Linear", 3, 3, True)], (4, 2))]
    nets += [(pictures, (2, 1, 4, 4)), (nested, (3, 2))]
    nets += [
        ([("Linear", 2, 3, False), ("BatchNorm", 3), ("ReLU",), ("Dropout", 0.5, 1), ("Linear", 3, 3, True)], (5, 2))
    ]
    cases = []
    for layers, shape in nets:
        params = {path: rng.uniform(-1, 1, s).round(1) + 0.05 for path, s in shapes_of(layers).items()}
        X = rng.uniform(-2, 2, shape).round(2)
        cases.append(
            network_case(layers, params, X, lambda n: np.arange(n) % 3, lambda n: rng.normal(size=(n, 3)).round(1))
        )
    return cases


@network.oracle
def _(layers, params, X, labels, upstream):
    import torch

    net = TorchNet(layers, params)
    loss, grads = net.loss_and_grads(X, labels)
    x = torch.tensor(X, requires_grad=True)
    scores = net.forward(x, False)
    (dX,) = torch.autograd.grad(scores, [x], torch.tensor(upstream))
    return {
        "loss": loss,
        "gradients": grads,
        "scores in evaluation": scores.detach().numpy(),
        "dX in evaluation": dX.numpy(),
    }


@network.shown
def _(layers, params, X, labels, upstream):
    calls = "loss = cross_entropy(net(Tensor(X)), labels); loss.backward(); then net.eval() and scores = net(Tensor(X))"
    return f"{network_text(layers, params)}\n{assigned(X=X, labels=labels)}\n{calls}"


# ---------------------------------------------------------------------------------------------------------------- losses


@checkpoint("Every loss equals PyTorch's, in value and in gradient, also at scores of 10,000", atol=1e-10, count=20)
def loss_values(lib, name, output, target, options, upstream):
    output = lib.grad.tensor.Tensor(output, requires_grad=True)
    loss = getattr(lib.grad.losses, name)(output, target, **options)
    loss.backward(upstream)
    return {"shape": list(loss.shape), "loss": loss.item(), "gradient": output.grad}


LOSSES = ["mean_squared_error", "mean_absolute_error", "huber", "binary_cross_entropy", "cross_entropy"]


@loss_values.cases
def _(draw):
    name, options = draw.choice([*LOSSES, "cross_entropy"]), {}
    upstream = np.array(draw.uniform(-2, 2))
    if name == "cross_entropy":
        n, k = draw.integer(1, 5), draw.integer(2, 4)
        if draw.boolean():
            options["smoothing"] = draw.choice([0.1, 0.5])
        if draw.boolean():
            options["weights"] = draw.uniform(0.5, 3, k)
        return dict(
            name=name, output=numbers(draw, n, k), target=draw.integers(0, k - 1, n), options=options, upstream=upstream
        )
    shape = draw.shape((1, 3), (1, 4))
    target = numbers(draw, *shape)
    if name == "binary_cross_entropy":
        target = draw.integers(0, 1, *shape).astype(float) if draw.boolean() else draw.uniform(0, 1, *shape)
    if name == "huber" and draw.boolean():
        options["delta"] = draw.choice([0.5, 2.0])
    return dict(name=name, output=numbers(draw, *shape), target=target, options=options, upstream=upstream)


@loss_values.edges
def _():
    def case(name, output, target, **options):
        return dict(
            name=name, output=np.array(output), target=np.array(target), options=options, upstream=np.array(1.0)
        )

    far = [-1e4, 1e4, -1e4, 1e4, 0.0, 800.0, -800.0]
    scores, labels = [[2.0, 1.0, 0.0], [0.0, 3.0, 1.0]], [2, 1]
    errors = [0.25, -0.25, 3.0, -3.0, 1.0, -1.0]
    return [
        case("mean_squared_error", [3.0, 1.0], [1.0, 1.0]),
        case("mean_squared_error", [[1.0, 2.0], [3.0, 5.0]], [[0.0, 2.0], [1.0, 1.0]]),
        case("mean_squared_error", [3.0, 1.0], [1, 2]),
        case("mean_absolute_error", [3.0, 1.0, -1.0], [1.0, 1.0, 1.0]),
        case("huber", errors, [0.0] * 6),
        case("huber", errors, [0.0] * 6, delta=0.5),
        case("huber", errors, [0.0] * 6, delta=2.0),
        case("huber", [1e6, -1e6], [0.0, 0.0]),
        case("binary_cross_entropy", [0.0, 2.0, -1.0], [1.0, 0.0, 1.0]),
        case("binary_cross_entropy", [0.5, 2.0], [0.25, 0.9]),
        case("binary_cross_entropy", far, [1.0, 0.0, 0.0, 1.0, 0.5, 0.0, 1.0]),
        case("binary_cross_entropy", [[0.5], [-0.5]], [[1], [0]]),
        case("cross_entropy", scores, labels),
        case("cross_entropy", scores, labels, smoothing=0.1),
        case("cross_entropy", scores, labels, weights=np.array([1.0, 2.0, 4.0])),
        case("cross_entropy", scores, labels, smoothing=0.3, weights=np.array([1.0, 2.0, 4.0])),
        case("cross_entropy", scores, labels, smoothing=1.0),
        case("cross_entropy", [[0.0, 0.0]], [0]),
        case("cross_entropy", [[1e4, 0.0, -1e4], [-1e4, 0.0, 1e4]], [2, 2]),
        case("cross_entropy", [[1e4, 0.0], [0.0, 1.0]], [1, 0], smoothing=0.2),
    ]


@loss_values.oracle
def _(name, output, target, options, upstream):
    import torch
    from torch.nn import functional

    leaf, to = torch.tensor(output, requires_grad=True), torch.tensor(target)
    if name == "cross_entropy":
        weights = options.get("weights")
        weights = None if weights is None else torch.tensor(weights)
        loss = functional.cross_entropy(leaf, to, weight=weights, label_smoothing=options.get("smoothing", 0.0))
    else:
        theirs = {
            "mean_squared_error": functional.mse_loss,
            "mean_absolute_error": functional.l1_loss,
            "huber": functional.huber_loss,
            "binary_cross_entropy": functional.binary_cross_entropy_with_logits,
        }
        loss = theirs[name](leaf, to.to(leaf.dtype), **options)
    loss.backward(torch.tensor(upstream))
    return {"shape": [], "loss": loss.item(), "gradient": leaf.grad.numpy()}


@loss_values.shown
def _(name, output, target, options, upstream):
    what = "labels" if name == "cross_entropy" else "target"
    extra = "".join(f", {key}={printed(value)}" for key, value in options.items())
    lines = assigned(**{"output": output, what: target})
    return f"{lines}\nloss = {name}(Tensor(output), {what}{extra}); loss.backward({float(upstream)!r})"


@checkpoint("A loss refuses shapes that differ and labels that are none, with a ValueError", count=0)
def refused_losses(lib, name, output, target):
    try:
        getattr(lib.grad.losses, name)(lib.grad.tensor.Tensor(output), target)
    except ValueError:
        return "ValueError"
    return "no error"


@refused_losses.edges
def _():
    ones = np.ones
    pairs = [
        (ones(3), ones((3, 1))),
        (ones((3, 1)), ones(3)),
        (ones((2, 3)), ones((2, 1))),
        (ones(3), ones(())),
        (ones(2), ones(3)),
    ]
    cases = [dict(name=name, output=output, target=target) for output, target in pairs for name in LOSSES[:4]]
    scores = np.zeros((2, 3))
    for labels in ([0, 3], [-1, 0], [[0], [1]], [0], [0, 1, 2], [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]):
        cases.append(dict(name="cross_entropy", output=scores, target=np.array(labels)))
    return cases


@refused_losses.oracle
def _(name, output, target):
    return "ValueError"


@refused_losses.shown
def _(name, output, target):
    what = "labels" if name == "cross_entropy" else "target"
    return f"{assigned(**{'output': output, what: target})}\n{name}(Tensor(output), {what})"


# -------------------------------------------------------------------------------------------------------------- training


@checkpoint(
    "A Trainable hands out one gradient for each array, afresh at every call, and sets the mode", atol=1e-9, count=8
)
def trainable(lib, layers, params, X, labels):
    nn = lib.grad.nn

    class Net(nn.Module):
        def __init__(self):
            self.idle = nn.Parameter(np.ones(2))  # the loss does not depend on it
            self.body = built(lib, layers)
            self.recorded = []

        def forward(self, x):
            scores = self.body(x)
            self.recorded.append(bool(scores.requires_grad))
            return scores

    net = Net()
    misfit = fill(net.body, nn.Parameter, params)
    if misfit:
        return misfit
    model = nn.Trainable(net, lib.grad.losses.cross_entropy)
    parameters = net.named(nn.Parameter)
    held = len(model.params) == len(parameters) and all(a is p.data for a, p in zip(model.params, parameters.values()))
    seen = []
    for call in ("loss", "predict", "loss"):
        if call == "predict":
            seen.append({"predict": model.predict(X), "training": net.body.training})
        else:
            loss, grads = model.loss_and_grads(X, labels)
            grads = [g.copy() if isinstance(g, np.ndarray) else g for g in grads]
            seen.append({"loss": loss, "grads": dict(zip(parameters, grads)), "training": net.body.training})
    return {
        "calls": seen,
        "loss is a float": isinstance(seen[0]["loss"], float),
        "number of gradients": len(grads),
        "a graph was recorded": net.recorded,
        "params are the parameters' own arrays": held,
        "buffers": list(model.buffers),
        "generators": len(model.generators),
    }


def draw_trainable(draw):
    if draw.boolean(0.3):  # ids of an embedding, which are integers
        n, t, v, d = draw.integer(2, 4), draw.integer(1, 3), draw.integer(2, 4), draw.integer(1, 3)
        return [("Embedding", v, d), ("Flatten",), ("Linear", t * d, 3, True)], draw.integers(0, v - 1, n, t)
    layers, shape = draw_layers(draw)
    return layers, numbers(draw, *shape)


@trainable.cases
def _(draw):
    layers, X = draw_trainable(draw)
    return dict(layers=layers, params=drawn(draw, layers), X=X, labels=draw.integers(0, 2, len(X)))


@trainable.edges
def _():
    cases = [{key: case[key] for key in ("layers", "params", "X", "labels")} for case in network_edges()]
    ids = [("Embedding", 3, 2), ("Flatten",), ("Linear", 4, 3, True)]
    params = {path: np.linspace(-1, 1, int(np.prod(s))).reshape(s) for path, s in shapes_of(ids).items()}
    return [*cases, dict(layers=ids, params=params, X=np.array([[0, 1], [2, 2]]), labels=np.array([0, 2]))]


@trainable.oracle
def _(layers, params, X, labels):
    net, seen = TorchNet(layers, params), []
    for call in ("loss", "predict", "loss"):
        if call == "predict":
            scores = net.forward(X, False).detach().numpy()
            seen.append({"predict": scores.argmax(axis=1), "training": False})
        else:
            loss, grads = net.loss_and_grads(X, labels)
            grads = {f"body.{path}": grad for path, grad in grads.items()}
            seen.append({"loss": loss, "grads": {"idle": np.zeros(2)} | grads, "training": True})
    return {
        "calls": seen,
        "loss is a float": True,
        "number of gradients": 1 + len(params),
        "a graph was recorded": [True, False, True],
        "params are the parameters' own arrays": True,
        "buffers": [buffer.numpy() for buffer in net.buffers.values()],
        "generators": len(net.generators),
    }


@trainable.shown
def _(layers, params, X, labels):
    how = "model = Trainable(a Module with a Parameter `idle` (2,) that is not used, and net as `body`, cross_entropy)"
    calls = "model.loss_and_grads(X, labels); model.predict(X); model.loss_and_grads(X, labels)"
    return f"{network_text(layers, params)}\n{assigned(X=X, labels=labels)}\n{how}\n{calls}"


@checkpoint("Fifty steps of training end where PyTorch's do, loss by loss", atol=1e-9, count=2, seconds=4)
def fifty_steps(lib, layers, params, X, labels, rule, rate):
    nn = lib.grad.nn
    net = built(lib, layers)
    misfit = fill(net, nn.Parameter, params)
    if misfit:
        return misfit
    model = nn.Trainable(net, lib.grad.losses.cross_entropy)
    rules = {"SGD": lambda p: lib.grad.optim.SGD(p, rate, momentum=0.9), "Adam": lambda p: lib.grad.optim.Adam(p, rate)}
    optimiser, losses = rules[rule](model.params), []
    for step in range(50):
        rows = np.arange(step, step + 6) % len(X)
        loss, grads = model.loss_and_grads(X[rows], labels[rows])
        optimiser.step(grads)
        losses.append(float(loss))
    return {"losses": np.array(losses), "params": {path: p.data for path, p in net.named(nn.Parameter).items()}}


TRAINED = {  # no bias in front of a norm: its gradient is 0, and Adam divides rounding errors by their own size
    "plain": [("Linear", 3, 4, True), ("Tanh",), ("Linear", 4, 3, True)],
    "normalised": [("Linear", 3, 5, False), ("BatchNorm", 5), ("ReLU",), ("Dropout", 0.2, 1), ("Linear", 5, 3, True)],
    "pictures": [("Conv2d", 1, 2, 3, 0), ("ReLU",), ("MaxPool2d", 2), ("Flatten",), ("Linear", 2, 3, True)],
}


def trained_case(name, rule, numbers, labels):
    layers = TRAINED[name]
    X = numbers(10, 1, 4, 4) if name == "pictures" else numbers(10, 3)
    params = {path: 0.5 * numbers(*shape) for path, shape in shapes_of(layers).items()}
    return dict(layers=layers, params=params, X=X, labels=labels, rule=rule, rate=0.05 if rule == "SGD" else 0.01)


@fifty_steps.cases
def _(draw):
    name, rule = draw.choice(list(TRAINED)), draw.choice(["SGD", "Adam"])
    return trained_case(name, rule, lambda *shape: draw.uniform(-1.5, 1.5, *shape), draw.integers(0, 2, 10))


@fifty_steps.edges
def _():
    rng = np.random.default_rng(0)
    kinds = [("plain", "SGD"), ("plain", "Adam"), ("normalised", "SGD"), ("pictures", "Adam")]
    return [trained_case(n, r, lambda *shape: rng.uniform(-1.5, 1.5, shape), rng.integers(0, 3, 10)) for n, r in kinds]


@fifty_steps.oracle
def _(layers, params, X, labels, rule, rate):
    import torch

    net = TorchNet(layers, params)
    leaves, losses = list(net.leaves.values()), []
    rules = {"SGD": lambda: torch.optim.SGD(leaves, rate, momentum=0.9), "Adam": lambda: torch.optim.Adam(leaves, rate)}
    optimiser = rules[rule]()
    for step in range(50):
        rows = np.arange(step, step + 6) % len(X)
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(net.forward(X[rows], True), torch.tensor(labels[rows]))
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return {"losses": np.array(losses), "params": {path: leaf.detach().numpy() for path, leaf in net.leaves.items()}}


@fifty_steps.shown
def _(layers, params, X, labels, rule, rate):
    how = f"fifty steps of {rule} at a rate of {rate}, each on six of the rows, through Trainable(net, cross_entropy)"
    return f"{network_text(layers, params)}\n{assigned(X=X, labels=labels)}\n{how}"


# --------------------------------------------------------------------------------------------------------------- further


@checkpoint("float32 stays float32: scores, losses, gradients, running statistics", stretch=True, count=0)
def narrow(lib, layers, X):
    nn, rng, x = lib.grad.nn, np.random.default_rng(0), X.astype(np.float32)
    if layers == "pictures":
        first = [nn.Conv2d(1, 2, 3, rng), nn.BatchNorm(2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()]
    else:
        first = [nn.Linear(2, 2, rng), nn.BatchNorm(2), nn.ReLU(), nn.Dropout(0.5, rng)]
    net = nn.Sequential(*first, nn.Linear(2, 2, rng))
    scores = net(lib.grad.tensor.Tensor(x))
    losses = [lib.grad.losses.cross_entropy(scores, np.array([0, 1, 1]), smoothing=0.1, weights=np.array([1.0, 2.0]))]
    target = np.ones((3, 2), np.float32)
    for name in ("mean_squared_error", "mean_absolute_error", "huber", "binary_cross_entropy"):
        losses.append(getattr(lib.grad.losses, name)(scores, target))
    model = nn.Trainable(net, lib.grad.losses.cross_entropy)
    _, grads = model.loss_and_grads(x, np.array([0, 1, 1]))
    results = [scores.data, *(loss.data for loss in losses), *grads, *model.params, *model.buffers]
    return sorted({str(result.dtype) for result in results})


@narrow.edges
def _():
    rng = np.random.default_rng(0)
    return [
        dict(layers="rows", X=rng.standard_normal((3, 2))),
        dict(layers="pictures", X=rng.standard_normal((3, 1, 4, 4))),
    ]


@narrow.oracle
def _(layers, X):
    return ["float32"]


@checkpoint("A class whose score is -inf is out of the question, and spoils nothing", stretch=True, count=0, atol=1e-10)
def masked(lib, scores, labels):
    scores = lib.grad.tensor.Tensor(scores, requires_grad=True)
    loss = lib.grad.losses.cross_entropy(scores, labels)
    loss.backward()
    return {"loss": loss.item(), "gradient": scores.grad}


@masked.edges
def _():
    inf = np.inf
    scores = [[[0.0, -inf]], [[2.0, -inf, 1.0], [0.0, 1.0, -inf]], [[-inf, -inf, 3.0, 1e4], [1.0, 2.0, -inf, -1e4]]]
    return [dict(scores=np.array(s), labels=np.array(labels)) for s, labels in zip(scores, ([0], [0, 1], [3, 0]))]


@masked.oracle
def _(scores, labels):
    import torch

    leaf = torch.tensor(scores, requires_grad=True)
    loss = torch.nn.functional.cross_entropy(leaf, torch.tensor(labels))
    loss.backward()
    return {"loss": loss.item(), "gradient": leaf.grad.numpy()}


@masked.shown
def _(scores, labels):
    return f"{assigned(scores=scores, labels=labels)}\nloss = cross_entropy(Tensor(scores), labels); loss.backward()"


@checkpoint("What cannot be meant is refused, and nothing has changed then", stretch=True, count=0)
def refused(lib, what):
    nn, losses, tensor = lib.grad.nn, lib.grad.losses, lib.grad.tensor
    rng, scores = np.random.default_rng(0), tensor.Tensor(np.zeros((2, 3)))
    own = type("Own", (nn.Module,), {})()
    own.weight, own.count = nn.Parameter(np.ones(2)), np.array([1, 2])
    calls = {
        "Sequential(Linear(2, 2, rng), np.tanh)": lambda: nn.Sequential(nn.Linear(2, 2, rng), np.tanh),
        "a buffer of integers loaded from floats": lambda: own.load_state_dict(
            {"weight": np.zeros(2), "count": np.ones(2)}
        ),
        "cross_entropy with smoothing=1.5": lambda: losses.cross_entropy(scores, np.array([0, 1]), smoothing=1.5),
        "cross_entropy of 3 classes with 2 weights": lambda: losses.cross_entropy(
            scores, np.array([0, 1]), weights=np.ones(2)
        ),
        "cross_entropy with labels [0., 1.]": lambda: losses.cross_entropy(scores, np.array([0.0, 1.0])),
        "huber with delta=0": lambda: losses.huber(scores, np.zeros((2, 3)), delta=0.0),
    }
    try:
        calls[what]()
    except TypeError:
        return ["TypeError", own.weight.data]
    except ValueError:
        return ["ValueError", own.weight.data]
    return ["no error", own.weight.data]


@refused.edges
def _():
    return [dict(what=what) for what in REFUSED]


REFUSED = {
    "Sequential(Linear(2, 2, rng), np.tanh)": "TypeError",
    "a buffer of integers loaded from floats": "TypeError",
    "cross_entropy with smoothing=1.5": "ValueError",
    "cross_entropy of 3 classes with 2 weights": "ValueError",
    "cross_entropy with labels [0., 1.]": "ValueError",
    "huber with delta=0": "ValueError",
}


@refused.oracle
def _(what):
    return [REFUSED[what], np.ones(2)]


@refused.shown
def _(what):
    return what


# ------------------------------------------------------------------------------------------------------------ the digits


@checkpoint(
    "More than 98 % of MNIST's 10,000 test digits by your framework; their labels only the judge has",
    count=0,
    long=True,
    seconds=100,
)
def mnist(lib, train_images, train_labels, test_images):
    nn, data, rng, epochs, peak = lib.grad.nn, lib.grad.data, np.random.default_rng(0), 8, 3e-3
    mean, deviation = data.pixel_scale(train_images)
    features = data.as_features(train_images, mean, deviation)
    loader = data.Loader(features, train_labels.astype(np.int64), size=128, seed=0)
    net = nn.Sequential(nn.Linear(784, 256, rng), nn.ReLU(), nn.Linear(256, 10, rng))
    model = nn.Trainable(net, lib.grad.losses.cross_entropy)
    optimiser = lib.grad.optim.Adam(model.params, lr=peak)
    steps = epochs * len(loader)

    def schedule(step):
        return lib.grad.schedules.one_cycle(step, peak, steps)

    lib.grad.fit.fit(model, optimiser, loader, epochs, schedule=schedule)
    return model.predict(data.as_features(test_images, mean, deviation))


@mnist.edges
def _():
    from groundup.data import loading

    digits = loading.mnist()
    return [
        dict(
            train_images=digits.train_images,
            train_labels=digits.train_labels,
            test_images=digits.test_images,
            _test_labels=digits.test_labels,
        )
    ]


@mnist.accepts
def _(got, train_images, train_labels, test_images, test_labels):
    if np.shape(got) != test_labels.shape:
        return f"10,000 classes were asked for, and predict gave an array of shape {np.shape(got)}"
    right = float(np.mean(np.asarray(got) == test_labels))
    return right > 0.98 or f"{right:.2%} of the test digits are named right."


@mnist.shown
def _(train_images, train_labels, test_images):
    return "60,000 digits with their labels, then 10,000 without; eight epochs of 784-256-10 in batches of 128, Adam, one cycle"
