"""What is asked of lesson 1.3: values and gradients that equal PyTorch's on random graphs, at any size."""

import math

from groundup.course import checkpoint

OPERATORS = {"+": "__add__", "-": "__sub__", "*": "__mul__", "/": "__truediv__"}
REFLECTED = {"+": "__radd__", "-": "__rsub__", "*": "__rmul__", "/": "__rtruediv__"}
FUNCTIONS = ("tanh", "relu", "exp", "log")


def build(Value, leaves, steps):
    """The values of a graph: the leaves, then one for each step (name, operand, operand)."""
    values = [Value(x) for x in leaves]
    for name, a, b in steps:
        if name in FUNCTIONS:
            values.append(getattr(values[a], name)())
        elif name == "neg":
            values.append(-values[a])
        elif name == "**":
            values.append(values[a] ** b)
        else:
            values.append(combine(name, values[a], values[b]))
    return values


def combine(name, a, b):
    """a <name> b, where either may be a plain number."""
    if name == "+":
        return a + b
    if name == "-":
        return a - b
    if name == "*":
        return a * b
    return a / b


def forward(leaves, steps):
    """The same graph in plain floats."""
    plain = {"tanh": math.tanh, "exp": math.exp, "log": math.log, "relu": lambda x: max(x, 0.0), "neg": lambda x: -x}
    numbers = list(leaves)
    for name, a, b in steps:
        x = numbers[a]
        if name in plain:
            numbers.append(plain[name](x))
        else:
            numbers.append(x**b if name == "**" else combine(name, x, numbers[b]))
    return numbers


def draw_graph(draw, operations):
    """A random graph that stays in the domain of every operation and within a few thousand."""
    leaves = [draw.choice([1.0, 2.0, -1.0, 3.0, 0.5]) if draw.boolean(0.3) else draw.uniform(-3, 3)
              for _ in range(draw.integer(1, 4))]  # fmt: skip
    steps, numbers = [], list(leaves)
    for _ in range(draw.integer(1, 12)):
        name, a, b = draw.choice(operations), draw.integer(0, len(numbers) - 1), draw.integer(0, len(numbers) - 1)
        x = numbers[a]
        if name == "**":
            b = draw.choice([2, 3, -1, 0.5, 0, -2])
            fits = abs(x) > 0.1 and (x > 0 or float(b).is_integer())
        elif name == "/":
            fits = abs(numbers[b]) > 0.1
        elif name == "log":
            fits = x > 0.1
        elif name == "exp":
            fits = x < 5
        elif name == "relu":
            fits = abs(x) > 1e-3
        else:
            fits = True
        step = (name, a, b) if fits else ("+", a, a)
        number = forward(numbers, [step])[-1]
        if abs(number) > 1e3:
            step = ("tanh", a, a)
            number = math.tanh(x)
        steps.append(step)
        numbers.append(number)
    return dict(leaves=leaves, steps=steps)


def written(leaves, steps):
    """A graph as a person would write it."""
    names = [chr(ord("a") + i) for i in range(len(leaves))] + [f"v{i + 1}" for i in range(len(steps))]
    names[-1] = "y" if steps else names[-1]
    lines = [f"{name} = {x:g}" for name, x in zip(names, leaves)]
    for name, (operation, a, b) in zip(names[len(leaves) :], steps):
        if operation in FUNCTIONS:
            text = f"{names[a]}.{operation}()"
        elif operation == "neg":
            text = f"-{names[a]}"
        elif operation == "**":
            text = f"{names[a]} ** {b:g}"
        else:
            text = f"{names[a]} {operation} {names[b]}"
        lines.append(f"{name} = {text}")
    return "\n".join(lines)


def torch_graph(leaves, steps):
    """The graph in PyTorch, float64, one scalar tensor a value; the last one differentiated."""
    import torch

    values = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in leaves]
    for name, a, b in steps:
        if name in FUNCTIONS:
            values.append(getattr(values[a], name)())
        elif name == "neg":
            values.append(-values[a])
        elif name == "**":
            values.append(values[a] ** b)
        else:
            values.append(combine(name, values[a], values[b]))
    values[-1].backward()
    return values


def gradients(values, count):
    return [0.0 if v.grad is None else float(v.grad) for v in values[:count]]


# ------------------------------------------------------------------------------------------ the four operations


@checkpoint("Values and gradients of + and * equal PyTorch's to 1e-12", atol=1e-12)
def plus_and_times(lib, leaves, steps):
    values = build(lib.grad.value.Value, leaves, steps)
    values[-1].backward()
    return {"value": values[-1].data, "gradients": [v.grad for v in values[: len(leaves)]]}


@plus_and_times.cases
def _(draw):
    return draw_graph(draw, ["+", "*"])


@plus_and_times.edges
def _():
    return [
        dict(leaves=[3.0], steps=[]),
        dict(leaves=[1.0], steps=[("+", 0, 0)]),
        dict(leaves=[3.0], steps=[("*", 0, 0), ("+", 1, 0)]),
        dict(leaves=[2.0, 5.0], steps=[("*", 0, 1), ("+", 2, 2), ("*", 3, 2)]),
    ]


@plus_and_times.oracle
def _(leaves, steps):
    values = torch_graph(leaves, steps)
    return {"value": values[-1].item(), "gradients": gradients(values, len(leaves))}


@plus_and_times.shown
def _(leaves, steps):
    return written(leaves, steps)


# ---------------------------------------------------------------------------------------------- every operation


@checkpoint("Every operation, on random graphs with shared values, equals PyTorch to 1e-12", atol=1e-12, count=60)
def every_operation(lib, leaves, steps):
    values = build(lib.grad.value.Value, leaves, steps)
    values[-1].backward()
    return {"value": values[-1].data, "gradients": [v.grad for v in values[: len(leaves)]]}


@every_operation.cases
def _(draw):
    return draw_graph(draw, ["+", "*", "-", "/", "neg", "**", "tanh", "relu", "exp", "log"])


@every_operation.edges
def _():
    one = [dict(leaves=[x], steps=[(name, 0, 0)]) for name in FUNCTIONS for x in (0.5, 2.0)]
    two = [dict(leaves=[2.0, 3.0], steps=[(name, 0, 1)]) for name in OPERATORS]
    power = [dict(leaves=[2.0], steps=[("**", 0, n)]) for n in (2, 3, -1, 0.5, 0, 1)]
    power += [dict(leaves=[-2.0], steps=[("**", 0, 2)]), dict(leaves=[0.0], steps=[("**", 0, 2)])]
    flat = [dict(leaves=[-1.5], steps=[("relu", 0, 0)]), dict(leaves=[-40.0], steps=[("tanh", 0, 0)])]
    return one + two + power + flat


@every_operation.oracle
def _(leaves, steps):
    values = torch_graph(leaves, steps)
    return {"value": values[-1].item(), "gradients": gradients(values, len(leaves))}


@every_operation.shown
def _(leaves, steps):
    return written(leaves, steps)


# ------------------------------------------------------------------------------------------------ plain numbers


@checkpoint("Plain numbers stand on either side of an operation", atol=1e-12, count=30)
def plain_numbers(lib, x, operation, number, reflected):
    v = lib.grad.value.Value(x)
    y = combine(operation, number, v) if reflected else combine(operation, v, number)
    y.backward()
    return {"value": y.data, "gradient": v.grad}


@plain_numbers.cases
def _(draw):
    return dict(
        x=draw.uniform(0.5, 3),
        operation=draw.choice(list(OPERATORS)),
        number=draw.choice([2, 0.5, -3, 1, 4.0]),
        reflected=draw.boolean(),
    )


@plain_numbers.oracle
def _(x, operation, number, reflected):
    import torch

    v = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    y = combine(operation, number, v) if reflected else combine(operation, v, number)
    y.backward()
    return {"value": y.item(), "gradient": v.grad.item()}


@plain_numbers.shown
def _(x, operation, number, reflected):
    return f"a = {x:g}\ny = {number} {operation} a" if reflected else f"a = {x:g}\ny = a {operation} {number}"


# --------------------------------------------------------------------------------------------- backward, again


@checkpoint("A second backward() adds to the leaves, and to nothing else", atol=1e-12, count=30)
def backward_again(lib, leaves, steps, cleared):
    values = build(lib.grad.value.Value, leaves, steps)
    values[-1].backward()
    if cleared:
        for v in values[: len(leaves)]:
            v.grad = 0.0
    values[-1].backward()
    return [v.grad for v in values[: len(leaves)]]


@backward_again.cases
def _(draw):
    return dict(**draw_graph(draw, ["+", "*", "tanh", "-"]), cleared=draw.boolean())


@backward_again.edges
def _():
    chain = dict(leaves=[3.0], steps=[("*", 0, 0), ("*", 1, 1)])
    alone = dict(leaves=[3.0], steps=[])  # a leaf is a value too
    return [dict(**chain, cleared=False), dict(**chain, cleared=True), dict(**alone, cleared=False)]


@backward_again.oracle
def _(leaves, steps, cleared):
    times = 1.0 if cleared else 2.0
    return [times * g for g in gradients(torch_graph(leaves, steps), len(leaves))]


@backward_again.shown
def _(leaves, steps, cleared):
    between = "every leaf's grad = 0.0\n" if cleared else ""
    result = "y" if steps else "a"
    return f"{written(leaves, steps)}\n{result}.backward()\n{between}{result}.backward()"


# ---------------------------------------------------------------------------------------------------- large graphs


@checkpoint("A chain of 2,500 operations goes back without a recursion error", atol=1e-9, count=0)
def deep(lib, x, n):
    v = lib.grad.value.Value(x)
    y = v
    for _ in range(n):
        y = y + 1.0
    y = y * y
    y.backward()
    return {"value": y.data, "gradient": v.grad}


@deep.edges
def _():
    return [dict(x=1.0, n=n) for n in (0, 500, 2_500)]


@deep.oracle
def _(x, n):
    return {"value": (x + n) ** 2, "gradient": 2 * (x + n)}


@checkpoint("Doubling fifty times is instant: each value is visited once", count=0, seconds=0.5)
def doubling(lib, x, n):
    v = lib.grad.value.Value(x)
    y = v
    for _ in range(n):
        y = y + y
    y.backward()
    return v.grad


@doubling.edges
def _():
    return [dict(x=1.0, n=n) for n in (1, 3, 16, 50)]


@doubling.oracle
def _(x, n):
    return 2.0**n


@doubling.shown
def _(x, n):
    return f"a = y = {x:g}\n{n} times: y = y + y"


# ------------------------------------------------------------------------------------------------------- contract


@checkpoint("A Value as an exponent is refused with a TypeError", stretch=True, count=0)
def refused(lib, base, exponent):
    Value = lib.grad.value.Value
    try:
        Value(base) ** Value(exponent)
    except TypeError:
        return "TypeError"
    return "no error"


@refused.edges
def _():
    return [dict(base=2.0, exponent=3.0)]


@refused.oracle
def _(base, exponent):
    return "TypeError"
