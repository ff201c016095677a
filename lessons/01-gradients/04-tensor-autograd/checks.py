"""What is asked of lesson 1.4: values and gradients that equal PyTorch's in float64 to 1e-10, whatever the shapes."""

import numpy as np

from groundup.course import checkpoint

UNARY = {
    "-a": lambda a: -a,
    "a ** 2": lambda a: a**2,
    "a ** 3": lambda a: a**3,
    "a ** -1": lambda a: a**-1,
    "a ** 0.5": lambda a: a**0.5,
    "a ** 0": lambda a: a**0,
    "a.exp()": lambda a: a.exp(),
    "a.log()": lambda a: a.log(),
    "a.tanh()": lambda a: a.tanh(),
    "a.relu()": lambda a: a.relu(),
    "a + a": lambda a: a + a,
    "a * a": lambda a: a * a,
    "a + 2": lambda a: a + 2,
    "2 - a": lambda a: 2 - a,
    "3 * a": lambda a: 3 * a,
    "a / 4": lambda a: a / 4,
    "2 / a": lambda a: 2 / a,
}
BINARY = {
    "a + b": lambda a, b: a + b,
    "a * b": lambda a, b: a * b,
    "a - b": lambda a, b: a - b,
    "a / b": lambda a, b: a / b,
}
NARROW = ("a.log()", "a ** 0.5", "a ** -1", "2 / a")  # asked of positive numbers only


def differentiate(Tensor, function, operands, upstream):
    """The result and the operands' gradients; an operand that is a tuple of one array goes in as the array."""
    leaves = [x[0] if isinstance(x, tuple) else Tensor(x, requires_grad=True) for x in operands]
    y = function(*leaves)
    y.backward(upstream)
    return {"value": y.data, "gradients": [x.grad for x in leaves if isinstance(x, Tensor)]}


def in_torch(function, operands, upstream):
    """The same by PyTorch in float64."""
    import torch

    leaves = [torch.tensor(x[0] if isinstance(x, tuple) else x) for x in operands]
    for leaf, x in zip(leaves, operands):
        leaf.requires_grad_(not isinstance(x, tuple))
    y = function(*leaves)
    y.backward(torch.tensor(upstream))
    return {
        "value": y.detach().numpy(),
        "gradients": [leaf.grad.numpy() for leaf in leaves if leaf.requires_grad],
    }


def numbers(draw, shape, positive=False):
    """An array of a shape, () included; no entry of a positive one is near 0."""
    return np.asarray(draw.uniform(0.5, 3, *shape) if positive else draw.uniform(-3, 3, *shape))


def written(text, upstream, **arrays):
    """A case as a person would write it."""
    lines = [f"{name} = {printed(x)}  # {np.shape(x)}" for name, x in arrays.items()]
    return "\n".join([*lines, f"y = {text}", f"y.backward({printed(upstream)})"])


def printed(x):
    return np.array2string(np.asarray(x), separator=", ")


# ------------------------------------------------------------------------------------------------ one shape


@checkpoint("Elementwise operations on one array equal PyTorch's, under any upstream gradient", atol=1e-10, count=16)
def elementwise(lib, operation, a, upstream):
    return differentiate(lib.grad.tensor.Tensor, UNARY[operation], [a], upstream)


@elementwise.cases
def _(draw):
    operation = draw.choice(list(UNARY))
    shape = draw.shape((0, 2), (1, 4))
    return dict(operation=operation, a=numbers(draw, shape, operation in NARROW), upstream=numbers(draw, shape))


@elementwise.edges
def _():
    a, g = np.array([2.0, 0.5, 3.0]), np.array([1.0, -2.0, 3.0])
    small = [dict(operation=operation, a=a, upstream=g) for operation in UNARY]
    kinks = [
        dict(operation=operation, a=np.array([-1.0, 0.0, 2.0]), upstream=g)
        for operation in ("a.relu()", "a ** 2", "a ** 0")
    ]
    return [*small, *kinks, dict(operation="a.tanh()", a=np.array([-40.0, 40.0]), upstream=np.ones(2))]


@elementwise.oracle
def _(operation, a, upstream):
    return in_torch(UNARY[operation], [a], upstream)


@elementwise.shown
def _(operation, a, upstream):
    return written(operation, upstream, a=a)


# --------------------------------------------------------------------------------------------- broadcasting


@checkpoint("Shapes broadcast, and every gradient comes back in its operand's shape", atol=1e-10, count=16)
def broadcasting(lib, operation, a, b, constant, upstream):
    operands = [(a,) if constant == "a" else a, (b,) if constant == "b" else b]
    return differentiate(lib.grad.tensor.Tensor, BINARY[operation], operands, upstream)


def narrower(draw, shape):
    """A shape that broadcasts to the given one: some lengths are 1, some axes in front are missing."""
    kept = [1 if draw.boolean(0.35) else side for side in shape]
    return tuple(kept[draw.choice([0, 0, 0, 1, len(kept)]) if kept else 0 :])


@broadcasting.cases
def _(draw):
    operation = draw.choice(list(BINARY))
    shape = draw.shape((1, 3), (1, 4))
    a, b = numbers(draw, narrower(draw, shape)), numbers(draw, narrower(draw, shape), operation == "a / b")
    upstream = numbers(draw, np.broadcast_shapes(a.shape, b.shape))
    constant = draw.choice(["neither", "neither", "a", "b"])
    return dict(operation=operation, a=a, b=b, constant=constant, upstream=upstream)


@broadcasting.edges
def _():
    shapes = [
        ((2, 1), (2, 3)),
        ((3,), (2, 3)),
        ((), (2, 2)),
        ((1,), (3,)),
        ((3,), (3, 3)),
        ((3, 1), (3, 3)),
        ((3, 1), (1, 3)),
        ((2, 1), (3,)),
        ((2, 1, 3), (4, 1)),
        ((2, 3), (1, 1)),
        ((2, 2), (2, 2, 2)),
        ((1, 1), ()),
    ]
    rng = np.random.default_rng(0)
    cases = []
    for operation in ("a + b", "a / b"):
        for left, right in shapes:
            for a, b in ((left, right), (right, left)):
                x, y = rng.integers(1, 5, a).astype(float), rng.integers(1, 5, b).astype(float)
                g = rng.integers(-3, 4, np.broadcast_shapes(a, b)).astype(float)
                cases.append(dict(operation=operation, a=x, b=y, constant="neither", upstream=g))
    return cases


@broadcasting.oracle
def _(operation, a, b, constant, upstream):
    operands = [(a,) if constant == "a" else a, (b,) if constant == "b" else b]
    return in_torch(BINARY[operation], operands, upstream)


@broadcasting.shown
def _(operation, a, b, constant, upstream):
    note = f"\n# {constant} is a plain array" if constant != "neither" else ""
    return written(operation, upstream, a=a, b=b) + note


# ------------------------------------------------------------------------------------- products of matrices


PRODUCTS = ("n k @ k m", "k @ k", "n k @ k", "k @ k m", "p n k @ p k m", "p n k @ k m", "n k @ p k m", "p n k @ k",
            "k @ p k m", "1 n k @ p k m", "q 1 n k @ p k m")  # fmt: skip


@checkpoint("a @ b for vectors, matrices and batches of matrices equals PyTorch's", atol=1e-10, count=16)
def products(lib, shapes, a, b, constant, upstream):
    operands = [(a,) if constant == "a" else a, (b,) if constant == "b" else b]
    return differentiate(lib.grad.tensor.Tensor, lambda a, b: a @ b, operands, upstream)


def product_case(shapes, sides, numbers, constant):
    left, right = (tuple(sides[s] for s in part.split()) for part in shapes.split("@"))
    a, b = numbers(left), numbers(right)
    return dict(shapes=shapes, a=a, b=b, constant=constant, upstream=numbers(np.shape(a @ b)))


@products.cases
def _(draw):
    shapes = draw.choice(PRODUCTS)
    n = draw.integer(1, 4)
    k, m = (n, n) if draw.boolean(0.3) else (draw.integer(1, 4), draw.integer(1, 4))
    sides = {"n": n, "k": k, "m": m, "p": draw.integer(1, 3), "q": draw.integer(1, 2), "1": 1}
    constant = draw.choice(["neither", "neither", "a", "b"])
    return product_case(shapes, sides, lambda shape: numbers(draw, shape), constant)


@products.edges
def _():
    rng = np.random.default_rng(0)
    square, oblong = dict(n=2, k=2, m=2, p=2, q=2), dict(n=2, k=3, m=4, p=2, q=3)
    draw = lambda shape: rng.integers(-3, 4, shape).astype(float)  # noqa: E731
    return [product_case(s, {**sides, "1": 1}, draw, "neither") for sides in (square, oblong) for s in PRODUCTS]


@products.oracle
def _(shapes, a, b, constant, upstream):
    operands = [(a,) if constant == "a" else a, (b,) if constant == "b" else b]
    return in_torch(lambda a, b: a @ b, operands, upstream)


@products.shown
def _(shapes, a, b, constant, upstream):
    note = f"\n# {constant} is a plain array" if constant != "neither" else ""
    return written("a @ b", upstream, a=a, b=b) + note


# ------------------------------------------------------------------------------------------------ reductions


@checkpoint("sum, mean and max over any axes equal PyTorch's; equal maxima share the gradient", atol=1e-10, count=16)
def reductions(lib, name, a, axis, keepdims, upstream):
    reduce = lambda a: getattr(a, name)(axis=axis, keepdims=keepdims)  # noqa: E731
    return differentiate(lib.grad.tensor.Tensor, reduce, [a], upstream)


def reduction_case(name, a, axis, keepdims, numbers):
    upstream = numbers(a.sum(axis=axis, keepdims=keepdims).shape)
    return dict(name=name, a=a, axis=axis, keepdims=keepdims, upstream=upstream)


@reductions.cases
def _(draw):
    name = draw.choice(["sum", "mean", "max"])
    shape = draw.shape((1, 3), (1, 4))
    axes = [int(i) for i in draw.permutation(len(shape))[: draw.integer(1, len(shape))]]
    axes = [i - len(shape) if draw.boolean(0.4) else i for i in axes]
    axis = draw.choice([None, axes[0], tuple(axes)])
    a = draw.integers(-2, 2, *shape).astype(float) if name == "max" else numbers(draw, shape)
    return reduction_case(name, a, axis, draw.boolean(), lambda shape: numbers(draw, shape))


@reductions.edges
def _():
    rng = np.random.default_rng(0)
    draw = lambda shape: np.asarray(rng.integers(-3, 4, shape), dtype=float)  # noqa: E731
    tied = np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0], [0.0, -1.0, -2.0]])
    cases = []
    for name in ("sum", "mean", "max"):
        for a in (np.array(2.0), np.array([1.0, 3.0]), tied, draw((2, 1, 3))):
            axes = [None, *range(-1, a.ndim), *([(0, -1)] if a.ndim > 1 else [])][: 2 * a.ndim + 1]
            cases += [reduction_case(name, a, axis, keepdims, draw) for axis in axes for keepdims in (False, True)]
    return cases


@reductions.oracle
def _(name, a, axis, keepdims, upstream):
    axes = tuple(range(a.ndim)) if axis is None else axis
    if a.ndim == 0:
        return {"value": a, "gradients": [upstream]}
    torch_name = "amax" if name == "max" else name
    return in_torch(lambda a: getattr(a, torch_name)(dim=axes, keepdim=keepdims), [a], upstream)


@reductions.shown
def _(name, a, axis, keepdims, upstream):
    return written(f"a.{name}(axis={axis}{', keepdims=True' if keepdims else ''})", upstream, a=a)


# ---------------------------------------------------------------------------------- indices and arrangements


def index_of(parts):
    """What stands between the brackets. Slices and the ellipsis are kept as text: '1:', '::-1', '...'."""
    index = []
    for part in parts:
        if isinstance(part, str):
            part = ... if part == "..." else slice(*(int(n) if n else None for n in part.split(":")))
        index.append(part)
    return index[0] if len(index) == 1 else tuple(index)


def rearrange(a, steps):
    """Indices, reshapes and transpositions, one after the other."""
    for name, parts in steps:
        if name == "index":
            a = a[index_of(parts)]
        elif name == "T":
            a = a.T
        elif name == "reshape":
            a = a.reshape(*parts)
        elif name == "reshape to a tuple":
            a = a.reshape(tuple(parts))
        elif name == "transpose":
            a = a.transpose(*parts)
        else:
            a = a.transpose(tuple(parts))
    return a


@checkpoint("Indices, reshape, transpose: each gradient finds its way back, and repeats add up", atol=1e-10, count=16)
def rearranging(lib, a, steps, upstream):
    return differentiate(lib.grad.tensor.Tensor, lambda a: rearrange(a, steps), [a], upstream)


def draw_index(draw, shape):
    """The parts of an index that fits a shape."""
    if shape and draw.boolean(0.15):
        return [draw.integers(0, 1, *shape).astype(bool)]
    parts, arrays = [], draw.integer(1, 3)
    for side in shape:
        kind = draw.choice(["slice", "integer", "array", "array", "mask"])
        if side == 0 or kind == "slice":
            parts.append(draw.choice([":", "1:", ":1", "::2", "::-1", ":-1"]))
        elif kind == "integer":
            parts.append(draw.integer(0, side - 1) - draw.choice([0, side]))
        elif kind == "array":
            parts.append(draw.integers(-side, side - 1, arrays))
        else:
            parts.append(np.arange(side) % 2 == 0 if arrays == (side + 1) // 2 else ":")
    if draw.boolean(0.2):
        parts.insert(draw.integer(0, len(parts)), None)
    if parts and isinstance(parts[-1], str) and parts[-1] == ":" and draw.boolean():
        parts[-1] = "..."
    return parts or ["..."]


@rearranging.cases
def _(draw):
    a = numbers(draw, draw.shape((1, 3), (1, 4)))
    steps, y = [], a
    for _ in range(draw.integer(1, 2)):
        name = draw.choice(
            ["index", "index", "reshape", "transpose", "T", "transpose to a tuple", "reshape to a tuple"]
        )
        if name == "index":
            parts = draw_index(draw, y.shape)
        elif name == "T":
            parts = []
        elif "transpose" in name:
            parts = [int(i) - draw.choice([0, y.ndim]) for i in draw.permutation(y.ndim)]
        else:
            parts = draw.choice(
                [[y.size], [y.size, 1], [1, y.size]] + [[n, y.size // n] for n in (2, 3) if y.size % n == 0]
            )
            parts = [*parts[:-1], -1] if y.size and draw.boolean() else parts
        steps.append((name, parts))
        y = rearrange(y, steps[-1:])
    return dict(a=a, steps=steps, upstream=numbers(draw, np.shape(y)))


@rearranging.edges
def _():
    line, square, oblong = np.arange(4.0), np.arange(9.0).reshape(3, 3), np.arange(6.0).reshape(2, 3)
    cube = np.arange(24.0).reshape(2, 3, 4)
    i = np.array
    cases = [
        (line, [("index", [part])]) for part in (0, -1, "1:", "::-1", "...", None, i([2, 0, 2, 2]), line > 1, "2:2")
    ]
    cases += [(line, [("index", [i([[0, 1], [1, 1]])])])]
    for a in (square, oblong):
        cases += [(a, [("index", parts)]) for parts in (
            [0], [0, 1], [":", 1], ["...", None, 0], [i([0, 0])], [i([0, 0, 1]), i([1, 1, 2])], [":", i([2, 2, 0])],
            [a > 2], [i([0, 1, 0]), "1:"], [None, i([1, 1]), i([0, 0])], [i([], dtype=int)], [i([True, False, True])[: len(a)]],
        )]  # fmt: skip
        cases += [
            (a, [step]) for step in (("T", []), ("transpose", [1, 0]), ("reshape", [a.size]), ("reshape", [-1, 1]))
        ]
    cases += [
        (cube, [(f"transpose{to}", axes)]) for to in ("", " to a tuple") for axes in ([2, 0, 1], [1, 2, 0], [-1, 0, 1])
    ]
    cases += [(cube, [("T", [])]), (cube, [("transpose", [])]), (cube, [("reshape to a tuple", [4, -1])])]
    cases += [(cube, [("T", []), ("reshape", [6, 4])]), (square, [("T", []), ("index", [i([1, 1, 0])])])]
    rng = np.random.default_rng(0)
    shapes = [np.shape(rearrange(a, steps)) for a, steps in cases]
    return [
        dict(a=a, steps=steps, upstream=np.asarray(rng.integers(1, 9, shape), dtype=float))
        for (a, steps), shape in zip(cases, shapes)
    ]


@rearranging.oracle
def _(a, steps, upstream):
    import torch

    positions = rearrange(np.arange(a.size).reshape(a.shape), steps)  # where each element of the result came from
    return in_torch(lambda a: a.reshape(-1)[torch.tensor(np.array(positions))], [a], upstream)


@rearranging.shown
def _(a, steps, upstream):
    text = "a"
    for name, parts in steps:
        shown = ", ".join(
            "None" if p is None else p if isinstance(p, str) else str(np.asarray(p).tolist()) for p in parts
        )
        if name == "index":
            text += f"[{shown}]"
        elif name == "T":
            text += ".T"
        else:
            text += f".{name.split()[0]}({f'({shown})' if 'tuple' in name else shown})"
    return written(text, upstream, a=a)


# ------------------------------------------------------------------------------------------------- whole graphs


ONE = {
    "tanh": lambda a: a.tanh(),
    "relu": lambda a: a.relu(),
    "tanh().exp": lambda a: a.tanh().exp(),
    "square": lambda a: a**2,
    "log(1 + square)": lambda a: (1 + a * a).log(),
    "row sums": lambda a: a.sum(axis=-1, keepdims=True),
    "column means": lambda a: a.mean(axis=0, keepdims=True),
    "sum": lambda a: a.sum(),
}
TWO = {
    "+": lambda a, b: a + b,
    "*": lambda a, b: a * b,
    "-": lambda a, b: a - b,
    "/(2 + square)": lambda a, b: a / (2 + b * b),
    "@": lambda a, b: a @ b,
}


def build(tensors, steps):
    """The leaves, then one result for each step (name, operand) or (name, operand, operand)."""
    values = list(tensors)
    for name, *operands in steps:
        values.append({**ONE, **TWO}[name](*(values[i] for i in operands)))
    return values


class Plain:
    """Arrays under the names of the operations, to see where a random graph goes."""

    def __init__(self, x):
        self.x = np.asarray(x)

    def __getattr__(self, name):
        functions = {"tanh": np.tanh, "exp": np.exp, "log": np.log, "relu": lambda x: np.maximum(x, 0)}
        return lambda **options: Plain(
            functions[name](self.x) if name in functions else getattr(self.x, name)(**options)
        )

    def __pow__(self, n):
        return Plain(self.x**n)

    def __radd__(self, n):
        return Plain(self.x + n)

    def __add__(self, other):
        return Plain(self.x + other.x)

    def __sub__(self, other):
        return Plain(self.x - other.x)

    def __mul__(self, other):
        return Plain(self.x * other.x)

    def __truediv__(self, other):
        return Plain(self.x / other.x)

    def __matmul__(self, other):
        return Plain(self.x @ other.x)


@checkpoint(
    "Random graphs with shared tensors; leaves add up over calls of backward, and nothing else does", atol=1e-10
)
def graphs(lib, leaves, steps, calls, cleared):
    Tensor = lib.grad.tensor.Tensor
    tensors = [Tensor(x, requires_grad=True) for x in leaves]
    values = build(tensors, steps)
    for place, upstream in calls:
        if cleared:
            for tensor in tensors:
                tensor.zero_grad()
        values[place].backward(upstream)
    return {"value": values[-1].data, "gradients": [tensor.grad for tensor in tensors]}


@graphs.cases
def _(draw):
    n = draw.integer(1, 3)
    m = n if draw.boolean(0.3) else draw.integer(1, 4)
    shapes = [(n, m), (n, m), (m,), (n, 1), (1, m), ()]
    leaves = [numbers(draw, draw.choice(shapes)) for _ in range(draw.integer(1, 3))]
    steps, arrays = [], [Plain(x) for x in leaves]
    for _ in range(draw.integer(1, 8)):
        name = draw.choice([*TWO, *ONE])
        operands = [draw.integer(0, len(arrays) - 1) for _ in range(2 if name in TWO else 1)]
        square = all(arrays[i].x.shape == (n, m) for i in operands) and n == m
        if (name == "@" and not square) or (name == "row sums" and arrays[operands[0]].x.ndim == 0):
            name, operands = "tanh", operands[:1]
        if name == "column means" and arrays[operands[0]].x.ndim < 2:
            name = "sum"
        if np.abs(build(arrays, [(name, *operands)])[-1].x).max() > 100:
            name, operands = "tanh", operands[:1]
        steps.append((name, *operands))
        arrays = build(arrays, steps[-1:])
    places = [len(arrays) - 1] + [draw.integer(0, len(arrays) - 1) for _ in range(draw.integer(0, 2))]
    calls = [(place, numbers(draw, arrays[place].x.shape)) for place in places]
    return dict(leaves=leaves, steps=steps, calls=calls, cleared=draw.boolean(0.3))


@graphs.edges
def _():
    a, b = np.array([1.0, -2.0]), np.array([[3.0], [0.5]])
    g, G = np.array([1.0, 10.0]), np.array([[1.0, 2.0], [3.0, 5.0]])
    twice = [("+", 0, 0), ("*", 1, 1)]
    shared = [  # the sum hands one array to both of its operands
        dict(leaves=[a, a], steps=[(name, 0), ("+", *order)], calls=[(3, g)], cleared=False)
        for name in ("relu", "tanh", "square")
        for order in ((2, 1), (1, 2), (2, 0), (0, 2))
    ]
    return [
        *shared,
        dict(leaves=[a], steps=[], calls=[(0, g)], cleared=False),
        dict(leaves=[a], steps=[("+", 0, 0), ("+", 1, 0)], calls=[(2, g)], cleared=False),
        dict(leaves=[a, a], steps=[("+", 0, 1), ("+", 2, 0)], calls=[(3, g)], cleared=False),
        dict(leaves=[a, a], steps=[("+", 0, 1), ("+", 2, 0), ("+", 3, 0), ("+", 4, 1)], calls=[(5, g)], cleared=False),
        dict(leaves=[a, b], steps=[("*", 0, 1), ("tanh", 2), ("+", 3, 2)], calls=[(4, G)], cleared=False),
        dict(leaves=[a], steps=twice, calls=[(2, g), (2, g)], cleared=False),
        dict(leaves=[a], steps=twice, calls=[(2, g), (2, g), (2, g)], cleared=False),
        dict(leaves=[a], steps=twice, calls=[(2, g), (1, g)], cleared=False),
        dict(leaves=[a], steps=twice, calls=[(2, g), (2, g)], cleared=True),
    ]


@graphs.oracle
def _(leaves, steps, calls, cleared):
    import torch

    tensors = [torch.tensor(x, requires_grad=True) for x in leaves]
    values = build(tensors, steps)
    for place, upstream in calls:
        if cleared:
            for tensor in tensors:
                tensor.grad = None
        values[place].backward(torch.tensor(upstream), retain_graph=True)
    gradients = [None if tensor.grad is None else tensor.grad.numpy() for tensor in tensors]
    return {"value": values[-1].detach().numpy(), "gradients": gradients}


@graphs.shown
def _(leaves, steps, calls, cleared):
    names = [chr(ord("a") + i) for i in range(len(leaves))] + [f"v{i + 1}" for i in range(len(steps))]
    lines = [f"{name} = {printed(x)}" for name, x in zip(names, leaves)]
    for name, (operation, *operands) in zip(names[len(leaves) :], steps):
        used = [names[i] for i in operands]
        lines.append(f"{name} = " + (f" {operation} ".join(used) if len(used) == 2 else f"{operation}({used[0]})"))
    for place, upstream in calls:
        lines += ["every leaf's zero_grad()"] if cleared else []
        lines.append(f"{names[place]}.backward({printed(upstream)})")
    return "\n".join(lines)


# --------------------------------------------------------------------------------------------- who gets a gradient


@checkpoint(
    "no_grad, detach, and leaves that require no gradient: who gets one, and who does not", atol=1e-10, count=12
)
def who_gets_one(lib, a, b, required, quiet, detached):
    module = lib.grad.tensor
    a, b = (module.Tensor(x, requires_grad=name in required) for name, x in (("a", a), ("b", b)))
    u = a * b
    if quiet == "a raised error":
        try:
            with module.no_grad():
                raise KeyError
        except KeyError:
            v = u.tanh()
    elif quiet == "nested":
        with module.no_grad():
            with module.no_grad():
                pass
            v = u.tanh()
    elif quiet == "tanh":
        with module.no_grad():
            v = u.tanh()
    else:
        v = u.tanh()
    w = v.detach() if detached else v
    y = (u * w + w).sum()
    if y.requires_grad:
        y.backward()
    flags = [bool(t.requires_grad) for t in (a, b, u, v, w, y)]
    return {"requires_grad of a, b, u, v, w, y": flags, "y": y.item(), "a.grad": a.grad, "b.grad": b.grad}


@who_gets_one.cases
def _(draw):
    n = draw.integer(1, 3)
    required = draw.choice(["a and b", "a", "b", "none"])
    quiet = draw.choice(["nothing", "tanh", "nested", "a raised error"])
    return dict(a=numbers(draw, (n,)), b=numbers(draw, (n,)), required=required, quiet=quiet, detached=draw.boolean())


@who_gets_one.edges
def _():
    a, b = np.array([1.0]), np.array([2.0])
    return [
        dict(a=a, b=b, required=required, quiet=quiet, detached=detached)
        for required in ("a", "none", "a and b")
        for quiet in ("nothing", "tanh", "nested", "a raised error")
        for detached in (False, True)
    ]


@who_gets_one.oracle
def _(a, b, required, quiet, detached):
    import torch

    a, b = (torch.tensor(x, requires_grad=name in required) for name, x in (("a", a), ("b", b)))
    u = a * b
    with torch.set_grad_enabled(quiet not in ("tanh", "nested")):
        v = u.tanh()
    w = v.detach() if detached else v
    y = (u * w + w).sum()
    if y.requires_grad:
        y.backward()
    gradients = [None if x.grad is None else x.grad.numpy() for x in (a, b)]
    flags = [t.requires_grad for t in (a, b, u, v, w, y)]
    return {"requires_grad of a, b, u, v, w, y": flags, "y": y.item(), "a.grad": gradients[0], "b.grad": gradients[1]}


@who_gets_one.shown
def _(a, b, required, quiet, detached):
    quietly = {"nothing": "", "tanh": "  # under no_grad", "nested": "  # under no_grad, after an inner no_grad"}
    note = quietly.get(quiet, "  # after a no_grad that was left by an error")
    w = "v.detach()" if detached else "v"
    return f"a = {a}, b = {b}; of these {required} with requires_grad\nu = a * b\nv = u.tanh(){note}\nw = {w}\ny = (u * w + w).sum()"


# --------------------------------------------------------------------------------------------------- whose arrays


MIXED = {
    "a * 2.5": lambda a, b: a * 2.5,
    "1 / a": lambda a, b: 1 / a,
    "a ** 0.5": lambda a, b: a**0.5,
    "a + b": lambda a, b: a + b,
    "a / b": lambda a, b: a / b,
    "a @ b.T": lambda a, b: a @ b.T,
    "a * (an array of integers)": lambda a, b: a * np.arange(1, 3),
    "(an array of booleans) * a": lambda a, b: np.array([True, False]) * a,
    "a.mean(axis=0)": lambda a, b: a.mean(axis=0),
    "a.max(axis=0)": lambda a, b: a.max(axis=0),
    "a[[0, 0]]": lambda a, b: a[np.array([0, 0])],
    "(a + 1).tanh().exp().log().relu()": lambda a, b: (a + 1).tanh().exp().log().relu(),
    "a.reshape(4)": lambda a, b: a.reshape(4),
    "(a.T - b).sum()": lambda a, b: (a.T - b).sum(),
}


@checkpoint("float32 stays float32, and every gradient is an array of its own", atol=1e-5, count=16)
def whose_arrays(lib, operation, a, b, upstream):
    Tensor = lib.grad.tensor.Tensor
    a, b = Tensor(a, requires_grad=True), Tensor(b, requires_grad=True)
    y = MIXED[operation](a, b)
    y.backward(upstream)
    gradient = a.grad.copy()
    a.grad *= 0  # must change nothing else: not b's gradient, and not upstream
    return {"y": y.data, "a.grad": gradient, "b.grad": b.grad, "zeroed": a.grad}


def mixed_case(operation, a, b, numbers):
    return dict(operation=operation, a=a, b=b, upstream=numbers(MIXED_SHAPES.get(operation, (2, 2))).astype(a.dtype))


MIXED_SHAPES = {"a.mean(axis=0)": (2,), "a.max(axis=0)": (2,), "a.reshape(4)": (4,), "(a.T - b).sum()": ()}


@whose_arrays.cases
def _(draw):
    dtype = draw.choice([np.float32, np.float64])
    a, b = (numbers(draw, (2, 2), positive=True).astype(dtype) for _ in range(2))
    return mixed_case(draw.choice(list(MIXED)), a, b, lambda shape: numbers(draw, shape))


@whose_arrays.edges
def _():
    a = np.array([[1.0, 2.0], [4.0, 3.0]], dtype=np.float32)
    return [mixed_case(operation, a, a[::-1].copy(), lambda shape: np.full(shape, 2.0)) for operation in MIXED]


@whose_arrays.oracle
def _(operation, a, b, upstream):
    import torch

    a, b = torch.tensor(a, requires_grad=True), torch.tensor(b, requires_grad=True)
    functions = {
        "a * (an array of integers)": lambda: a * torch.arange(1, 3),
        "(an array of booleans) * a": lambda: torch.tensor([True, False]) * a,
        "a.max(axis=0)": lambda: a.amax(dim=0),
    }
    y = functions.get(operation, lambda: MIXED[operation](a, b))()
    y.backward(torch.tensor(upstream))
    gradients = [None if x.grad is None else x.grad.numpy() for x in (a, b)]
    return {"y": y.detach().numpy(), "a.grad": gradients[0], "b.grad": gradients[1], "zeroed": 0 * gradients[0]}


@whose_arrays.shown
def _(operation, a, b, upstream):
    return f"# {a.dtype}\n{written(operation, upstream, a=a, b=b)}\na.grad *= 0"


# ---------------------------------------------------------------------------------------------------- large graphs


@checkpoint("A chain of 2,000 operations, and fifty doublings: each tensor is visited once", count=0, seconds=1)
def large(lib, graph, a, n):
    a = lib.grad.tensor.Tensor(a, requires_grad=True)
    y = a
    for _ in range(n):
        y = -y if graph == "chain" else y + y
    y.backward(np.ones(y.shape))
    return {"value": y.data, "gradient": a.grad}


@large.edges
def _():
    a = np.array([1.0, 2.0])
    sizes = [("chain", 1), ("doubling", 3), ("doubling", 16), ("chain", 2_000), ("doubling", 50)]
    return [dict(graph=graph, a=a, n=n) for graph, n in sizes]


@large.oracle
def _(graph, a, n):
    factor = (-1.0) ** n if graph == "chain" else 2.0**n
    return {"value": a * factor, "gradient": np.full(2, factor)}


@large.shown
def _(graph, a, n):
    return f"y = a = {a}\n{n} times: y = {'-y' if graph == 'chain' else 'y + y'}\ny.backward([1, 1])"


# ---------------------------------------------------------------------------------------- an operation of your own


@checkpoint(
    "operation() adds an operation from outside, and calls only the rules that are needed", atol=1e-10, count=12
)
def from_outside(lib, a, b, required, upstream):
    module = lib.grad.tensor
    a, b = (module.Tensor(x, requires_grad=name in required) for name, x in (("a", a), ("b", b)))
    called = []

    def along_a(g):
        called.append("a")
        return g * np.cos(x + z)

    def along_b(g):
        called.append("b")
        return g * np.cos(x + z)

    x, z = a.data, b.data
    y = module.operation(np.sin(x + z), (a, along_a), (b, along_b))
    w = y * 2.0
    if w.requires_grad:
        w.backward(upstream)
    return {"value": w.data, "a.grad": a.grad, "b.grad": b.grad, "rules called": sorted(called)}


@from_outside.cases
def _(draw):
    n, m = draw.integer(1, 3), draw.integer(1, 3)
    a, b = numbers(draw, draw.choice([(n, m), (m,), (n, 1), ()])), numbers(draw, draw.choice([(n, m), (m,), (1, m)]))
    upstream = numbers(draw, np.broadcast_shapes(a.shape, b.shape))
    return dict(a=a, b=b, required=draw.choice(["a and b", "a", "b", "none"]), upstream=upstream)


@from_outside.oracle
def _(a, b, required, upstream):
    import torch

    a, b = (torch.tensor(x, requires_grad=name in required) for name, x in (("a", a), ("b", b)))
    w = (a + b).sin() * 2.0
    if w.requires_grad:
        w.backward(torch.tensor(upstream))
    gradients = [None if x.grad is None else x.grad.numpy() for x in (a, b)]
    called = [name for name in ("a", "b") if name in required]
    return {"value": w.detach().numpy(), "a.grad": gradients[0], "b.grad": gradients[1], "rules called": called}


@from_outside.shown
def _(a, b, required, upstream):
    note = f"# of a and b, {required} with requires_grad\n"
    return note + written("operation(np.sin(a.data + b.data), (a, rule), (b, rule)) * 2.0", upstream, a=a, b=b)


# ------------------------------------------------------------------------------------------------------- contract


MISUSES = {
    "Tensor([1, 2], requires_grad=True).backward()": lambda T: T([1, 2], requires_grad=True).backward(),
    "Tensor(1.0).backward()": lambda T: T(1.0).backward(),
    "Tensor([1, 2], requires_grad=True).backward(np.ones(3))": lambda T: T([1, 2], requires_grad=True).backward(
        np.ones(3)
    ),
    "Tensor(2.0) ** Tensor(3.0)": lambda T: T(2.0) ** T(3.0),
    "Tensor('one')": lambda T: T("one"),
    "Tensor([1.0, 2.0]) + None": lambda T: T([1.0, 2.0]) + None,
    "Tensor(np.ones((2, 3))) @ Tensor(np.ones((2, 3)))": lambda T: T(np.ones((2, 3))) @ T(np.ones((2, 3))),
    "Tensor([1.0, 2.0]).item()": lambda T: T([1.0, 2.0]).item(),
    "len(Tensor(1.0))": lambda T: len(T(1.0)),
}
# In the order of MISUSES.
ERRORS = ["RuntimeError", "RuntimeError", "ValueError", *3 * ["TypeError"], *2 * ["ValueError"], "TypeError"]


@checkpoint("What cannot be meant is refused with the error that the docstring names", stretch=True, count=0)
def refused(lib, call):
    try:
        MISUSES[call](lib.grad.tensor.Tensor)
    except (RuntimeError, TypeError, ValueError) as error:
        if isinstance(error, NotImplementedError):
            raise
        names = [kind.__name__ for kind in (RuntimeError, TypeError, ValueError) if isinstance(error, kind)]
        return names[0]
    return "no error"


@refused.edges
def _():
    return [dict(call=call) for call in MISUSES]


@refused.oracle
def _(call):
    return dict(zip(MISUSES, ERRORS))[call]


@refused.shown
def _(call):
    return call
