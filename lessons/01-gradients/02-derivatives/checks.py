"""What is asked of lesson 1.2: differences as good as float64 allows, and a check that no wrong entry gets past."""

import math

import numpy as np

from groundup.course import checkpoint

FUNCTIONS = ("linear", "square", "sine", "exponential", "reciprocal", "product", "log-sum-exp")
WRITTEN = {
    "linear": "sum(c * x)",
    "square": "sum(c * x * x)",
    "sine": "sum(c * sin(x))",
    "exponential": "sum(c * exp(x))",
    "reciprocal": "sum(c / (1 + x * x))",
    "product": "sum(c * x) * sum(x * x)",
    "log-sum-exp": "log(sum(exp(c + x)))",
}


def value(m, name, c, x):
    """The function of that name at x, with the coefficients c; m is numpy or torch."""
    if name == "linear":
        return m.sum(c * x)
    if name == "square":
        return m.sum(c * x * x)
    if name == "sine":
        return m.sum(c * m.sin(x))
    if name == "exponential":
        return m.sum(c * m.exp(x))
    if name == "reciprocal":
        return m.sum(c / (1 + x * x))
    if name == "product":
        return m.sum(c * x) * m.sum(x * x)
    return m.log(m.sum(m.exp(c + x)))


def slope(name, c, x):
    """Its gradient, by hand."""
    if name == "linear":
        return c + 0.0 * x
    if name == "square":
        return 2.0 * c * x
    if name == "sine":
        return c * np.cos(x)
    if name == "exponential":
        return c * np.exp(x)
    if name == "reciprocal":
        return -2.0 * c * x / (1 + x * x) ** 2
    if name == "product":
        return c * np.sum(x * x) + 2.0 * x * np.sum(c * x)
    return np.exp(c + x) / np.sum(np.exp(c + x))


def torch_gradient(name, c, x):
    """Its gradient, by PyTorch in float64."""
    import torch

    x = torch.tensor(np.asarray(x, dtype=np.float64), requires_grad=True)
    value(torch, name, torch.tensor(np.asarray(c, dtype=np.float64)), x).backward()
    return x.grad.numpy()


def stepped(name, x, h):
    """The central difference of three curves with a step of h, worked out on paper."""
    if name == "cube":
        return 3.0 * x * x + h * h
    if name == "sine":
        return math.cos(x) * math.sin(h) / h
    return math.exp(x) * math.sinh(h) / h


def curve(m, name, x):
    """Those three curves."""
    return {"cube": lambda: x * x * x, "sine": lambda: m.sin(x), "exponential": lambda: m.exp(x)}[name]()


def array(draw, shape, dtype="float64"):
    """Numbers between -1.5 and 1.5 (whole ones up to 3 in an array of integers)."""
    if dtype == "int64":
        return draw.integers(-2, 3, *shape)
    return np.asarray(draw.uniform(-1.5, 1.5, *shape)).astype(dtype)


# --------------------------------------------------------------------------------------------------- one variable


@checkpoint("The derivative of a function of one number equals PyTorch's to 1e-7", atol=1e-7)
def one_number(lib, name, c, x):
    return lib.grad.check.derivative(lambda t: value(np, name, c, t), x)


@one_number.cases
def _(draw):
    return dict(name=draw.choice(FUNCTIONS), c=draw.choice([1.0, 2.0, -1.0, 0.5]), x=draw.uniform(-2, 2))


@one_number.edges
def _():
    whole = [dict(name="square", c=1.0, x=x) for x in (3, 0, -2)]
    far = [dict(name="square", c=1.0, x=x) for x in (1e8, -1e8, 1e-8)]
    return whole + far + [dict(name="linear", c=2.0, x=1e12)]


@one_number.oracle
def _(name, c, x):
    return float(torch_gradient(name, c, x))


@one_number.shown
def _(name, c, x):
    return f"derivative(f, {x!r})  where f(x) = {WRITTEN[name]}, c = {c:g}"


@checkpoint("A step that is given is used, on both sides of x")
def given_step(lib, name, x, h):
    f = lambda t: curve(np, name, t)  # noqa: E731
    return {
        "derivative": lib.grad.check.derivative(f, x, h),
        "gradient": lib.grad.check.gradient(lambda z: np.sum(f(z)), np.array([x, 1.0]), h),
    }


@given_step.cases
def _(draw):
    name = draw.choice(["cube", "sine", "exponential"])
    return dict(name=name, x=draw.uniform(-2, 2), h=draw.choice([1.0, 0.5, 0.1, 0.01]))


@given_step.edges
def _():
    return [dict(name="cube", x=0.0, h=1.0), dict(name="cube", x=2.0, h=0.1)]


@given_step.oracle
def _(name, x, h):
    return {"derivative": stepped(name, x, h), "gradient": np.array([stepped(name, x, h), stepped(name, 1.0, h)])}


@given_step.shown
def _(name, x, h):
    f = {"cube": "x ** 3", "sine": "sin(x)", "exponential": "exp(x)"}[name]
    return f"derivative(f, {x:g}, {h:g})  where f(x) = {f}"


# ------------------------------------------------------------------------------------------------- every element


@checkpoint("The gradient equals PyTorch's to 1e-7, every element of any shape", atol=1e-7, count=24)
def every_element(lib, name, c, x):
    return lib.grad.check.gradient(lambda z: value(np, name, c, z), x)


@every_element.cases
def _(draw):
    shape = draw.choice([(2,), (1,), (3,), (2, 2), (3, 3), (2, 3), (1, 4), (2, 1, 2), ()])
    dtype = draw.choice(["float64", "float64", "float64", "int64", "float32"])
    c = array(draw, shape)
    return dict(name=draw.choice(FUNCTIONS), c=c, x=array(draw, shape, dtype))


@every_element.edges
def _():
    return [
        dict(name="square", c=np.ones(2), x=np.array([1.0, 2.0])),
        dict(name="square", c=np.ones(2), x=np.array([1, 2])),
        dict(name="square", c=np.ones(3), x=np.array([1e8, -2e8, 1e8])),
        dict(name="product", c=np.array([1.0, 0.0, -1.0]), x=np.zeros(3)),
        dict(name="exponential", c=np.ones((0, 3)), x=np.ones((0, 3))),
    ]


@every_element.oracle
def _(name, c, x):
    return torch_gradient(name, c, x)


@every_element.shown
def _(name, c, x):
    return f"gradient(f, x)  where f(x) = {WRITTEN[name]}\nc = {c!r}\nx = {x!r}"


@checkpoint("The caller's x keeps its values while the gradient is taken", atol=1e-7, count=12)
def left_alone(lib, c, x):
    return lib.grad.check.gradient(lambda z: np.sum(c * z) * np.sum(x * x), x)


@left_alone.cases
def _(draw):
    n = draw.integer(1, 4)
    return dict(c=array(draw, (n,)), x=array(draw, (n,)))


@left_alone.edges
def _():
    return [dict(c=np.ones(1), x=np.ones(1)), dict(c=np.ones(2), x=np.array([0.1, 0.7]))]


@left_alone.oracle
def _(c, x):
    return c * np.sum(x * x)


@left_alone.shown
def _(c, x):
    return f"x = {x!r}\ngradient(lambda z: sum({c!r} * z) * sum(x * x), x)"


@checkpoint("The derivative along a direction, in two evaluations", atol=1e-7, count=24)
def along(lib, name, c, x, v, h):
    calls = []

    def f(z):
        calls.append(1)
        return value(np, name, c, z)

    found = lib.grad.check.directional_derivative(f, x, v, h)
    return {"slope": found, "evaluations": max(2, len(calls))}


@along.cases
def _(draw):
    shape = draw.choice([(2,), (1,), (3,), (2, 2), (2, 3)])
    h = draw.choice([None, None, 0.5, 0.1])
    name = draw.choice(FUNCTIONS) if h is None else "exponential"
    scale = draw.choice([1.0, 1e4, 1e-4]) if h is None else 1.0
    return dict(name=name, c=array(draw, shape), x=array(draw, shape), v=scale * array(draw, shape), h=h)


@along.edges
def _():
    one = np.ones(1)
    return [
        dict(name="square", c=one, x=3 * one, v=one, h=None),
        dict(name="square", c=one, x=1e8 * one, v=one, h=None),
        dict(name="sine", c=np.ones(2), x=np.array([1, 2]), v=np.array([1, -1]), h=None),
        dict(name="sine", c=np.ones(2), x=np.ones(2), v=np.zeros(2), h=None),
    ]


@along.oracle
def _(name, c, x, v, h):
    expected = np.sum(torch_gradient(name, c, x) * v) if h is None else np.sum(c * np.exp(x) * np.sinh(h * v) / h)
    return {"slope": float(expected), "evaluations": 2}


@along.shown
def _(name, c, x, v, h):
    step = "" if h is None else f", {h:g}"
    return f"directional_derivative(f, x, v{step})  where f(x) = {WRITTEN[name]}\nc = {c!r}\nx = {x!r}\nv = {v!r}"


# --------------------------------------------------------------------------------------------------- how far apart


@checkpoint("The relative error, entry by entry, also at zero", atol=1e-12)
def relative(lib, a, b, floor):
    return lib.grad.check.relative_error(a, b, floor)


@relative.cases
def _(draw):
    shape = draw.choice([(2,), (1,), (3,), (2, 2), (2, 3), ()])
    a = array(draw, shape)
    b = a * (1.0 + draw.choice([1e-3, 0.0, 1e-6, -2.0, -1.0]))
    if draw.boolean(0.3):
        b = array(draw, shape)
    scale = draw.choice([1.0, 1e6, 1e-6])
    return dict(a=scale * a, b=scale * b, floor=draw.choice([0.0, 0.0, 1.0, 1e-8]))


@relative.edges
def _():
    zero = np.zeros(2)
    return [
        dict(a=1.0, b=1.0, floor=0.0),
        dict(a=zero, b=zero, floor=0.0),
        dict(a=np.array([0.0, 1.0]), b=np.array([1e-9, 1.0]), floor=0.0),
        dict(a=np.array([0.0, 1.0]), b=np.array([1e-9, 1.0]), floor=1e-3),
        dict(a=np.array([1, -2, 3]), b=np.array([1, 2, 4]), floor=0.0),
        dict(a=np.array([math.nan, 1.0, math.inf]), b=np.array([1.0, 1.0, 1.0]), floor=0.0),
    ]


@relative.oracle
def _(a, b, floor):
    def one(p, q):
        if p == q:
            return 0.0
        return abs(p - q) / max(abs(p), abs(q), floor) if math.isfinite(p) and math.isfinite(q) else math.nan

    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    return np.array([one(p, q) for p, q in zip(a.ravel().tolist(), b.ravel().tolist())]).reshape(a.shape)


# ------------------------------------------------------------------------------------------------------- the check


def expected_error(name, c, x, claimed):
    """What each entry's error is, if the differences were exact."""
    true = slope(name, c, x)
    floor = 1e-3 * max(abs(float(value(np, name, c, x))), np.abs(true).max())
    size = np.maximum(np.maximum(np.abs(true), np.abs(claimed)), floor)
    return np.abs(claimed - true) / np.where(size == 0, 1.0, size)


def spoilt(true, how, at, amount):
    """A gradient with a mistake in it."""
    wrong = true.copy()
    if how == "one entry":
        wrong.flat[at] *= 1.0 + amount
    elif how == "one sign":
        wrong.flat[at] *= -1.0
    elif how == "scaled":
        wrong *= 1.0 + amount
    elif how == "transposed":
        wrong = np.ascontiguousarray(wrong.T)
    elif how == "one missing":
        wrong.flat[at] = 0.0
    elif how == "not a number":
        wrong.flat[at] = math.nan
    return wrong


@checkpoint("Right gradients pass the check, and planted wrong ones do not", atol=1e-5, count=24)
def verdict(lib, name, c, x, claimed, tolerance):
    check = lib.grad.check
    f = lambda z: value(np, name, c, z)  # noqa: E731
    found = check.gradient_check(f, claimed, x) if tolerance is None else check.gradient_check(f, claimed, x, tolerance)
    return {"passed": found.passed, "error": found.error}


@verdict.cases
def _(draw):
    shape = draw.choice([(2,), (1,), (3,), (2, 2), (3, 3), (2, 3)])
    hows = ["one entry", "nothing", "one sign", "scaled", "one missing", "not a number"]
    how = draw.choice([*hows, "transposed"] if shape in ((2, 2), (3, 3)) else hows)
    name, tolerance = draw.choice(FUNCTIONS), draw.choice([None, None, 1e-6, 1e-4, 1e-2])
    c, x = draw.choice([1.0, 1e6, 1e-6]) * array(draw, shape), array(draw, shape)
    if name == "log-sum-exp":
        c = array(draw, shape)
    true = slope(name, c, x)
    claimed = spoilt(true, how, draw.integer(0, true.size - 1), draw.choice([1e-3, 0.1, 1.0]))
    error = expected_error(name, c, x, claimed).max()
    if 1e-8 < error / (tolerance or 1e-6) < 5:  # too close to call, or found only where rounding is kind
        claimed = true if error <= (tolerance or 1e-6) else spoilt(true, "one entry", true.size - 1, 9.0)
        error = expected_error(name, c, x, claimed).max()
        claimed = true if error / (tolerance or 1e-6) < 5 else claimed
    return dict(name=name, c=c, x=x, claimed=claimed, tolerance=tolerance)


@verdict.edges
def _():
    two, zero = np.array([1.0, 2.0]), np.zeros(2)
    return [
        dict(name="square", c=np.ones(2), x=two, claimed=2 * two, tolerance=None),
        dict(name="square", c=np.ones(2), x=two, claimed=np.array([2.0, 4.004]), tolerance=None),
        dict(name="square", c=np.ones(2), x=two, claimed=np.array([2.0, 4.004]), tolerance=1e-2),
        dict(name="square", c=np.ones(2), x=zero, claimed=zero, tolerance=None),
        dict(name="square", c=np.ones(2), x=zero, claimed=np.array([0.0, 1e-3]), tolerance=None),
        dict(name="linear", c=np.array([1e-12, 0.0]), x=two, claimed=np.array([1e-12, 0.0]), tolerance=None),
        dict(name="linear", c=np.array([1e-12, 0.0]), x=two, claimed=np.array([-1e-12, 0.0]), tolerance=None),
        dict(name="linear", c=np.array([1e12, 1.0]), x=two, claimed=np.array([1e12, 1.0]), tolerance=None),
        dict(name="reciprocal", c=np.array([1e6, 1.0]), x=zero, claimed=zero, tolerance=None),
        dict(name="product", c=zero, x=two, claimed=zero, tolerance=None),
        dict(name="square", c=np.ones(()), x=np.array(3.0), claimed=np.array(6.0), tolerance=None),
        dict(name="square", c=np.ones(()), x=np.array(3), claimed=np.array(3), tolerance=None),
    ]


@verdict.oracle
def _(name, c, x, claimed, tolerance):
    error = float(expected_error(name, c, np.asarray(x, dtype=np.float64), claimed).max())
    return {"passed": error <= (1e-6 if tolerance is None else tolerance), "error": error}


@verdict.shown
def _(name, c, x, claimed, tolerance):
    rest = "" if tolerance is None else f", {tolerance:g}"
    return (
        f"gradient_check(f, claimed, x{rest})  where f(x) = {WRITTEN[name]}\n"
        f"c = {c!r}\nx = {x!r}\nclaimed = {claimed!r}\nthe gradient is {slope(name, c, x)!r}"
    )


@checkpoint("The check names the worst entry and its error", atol=1e-5, count=24)
def worst(lib, name, c, x, claimed):
    found = lib.grad.check.gradient_check(lambda z: value(np, name, c, z), claimed, x)
    return {"passed": found.passed, "error": found.error, "index": [int(i) for i in found.index]}


@worst.cases
def _(draw):
    shape = draw.choice([(2,), (1,), (3,), (2, 2), (3, 3), (2, 3), (2, 1, 2)])
    name, c = draw.choice(FUNCTIONS), array(draw, shape)
    x = array(draw, shape)
    true = slope(name, c, x)
    at = int(np.argmax(np.abs(true))) if draw.boolean() else draw.integer(0, true.size - 1)
    claimed = spoilt(true, draw.choice(["one entry", "one sign", "not a number"]), at, draw.choice([1e-3, 0.1, 1.0]))
    if expected_error(name, c, x, claimed).max() < 1e-4:  # an entry of next to nothing
        at = int(np.argmax(np.abs(true)))
        claimed = (
            spoilt(true, "one entry", at, 1.0)
            if true.any()
            else np.where(np.arange(true.size).reshape(shape) == at, 1.0, 0.0)
        )
    return dict(name=name, c=c, x=x, claimed=claimed)


@worst.edges
def _():
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    return [
        dict(name="square", c=np.ones((2, 2)), x=x, claimed=np.array([[2.0, 4.0], [6.0, 16.0]])),
        dict(name="square", c=np.ones((2, 2)), x=x, claimed=np.array([[2.0, 40.0], [6.6, 8.0]])),
        dict(name="square", c=np.ones((2, 2)), x=x, claimed=np.array([[2.2, 4.0], [math.nan, 8.0]])),
        dict(name="linear", c=np.array([1000.0, 1e-3]), x=np.ones(2), claimed=np.array([1000.0, 2e-3])),
    ]


@worst.oracle
def _(name, c, x, claimed):
    errors = expected_error(name, c, x, claimed)
    at = np.unravel_index(int(np.argmax(errors)), errors.shape)
    return {"passed": False, "error": float(errors[at]), "index": [int(i) for i in at]}


@worst.shown
def _(name, c, x, claimed):
    return f"gradient_check(f, claimed, x)  where f(x) = {WRITTEN[name]}\nc = {c!r}\nx = {x!r}\nclaimed = {claimed!r}"


@checkpoint("Shapes that differ are refused, and so is a check of nothing", count=0)
def refused(lib, x, claimed):
    found = {}
    try:
        lib.grad.check.gradient_check(lambda z: np.sum(z * z), claimed, x)
        found["gradient_check"] = "no error"
    except ValueError:
        found["gradient_check"] = "ValueError"
    try:
        lib.grad.check.relative_error(claimed, x)
        found["relative_error"] = "no error"
    except ValueError:
        found["relative_error"] = "ValueError"
    return found


@refused.edges
def _():
    two = np.array([1.0, 2.0])
    shapes = [
        dict(x=two, claimed=2 * two[:, None]),
        dict(x=two[None, :], claimed=2 * two[:, None]),
        dict(x=two, claimed=np.array(2.0)),
    ]
    return [*shapes, dict(x=np.ones((0, 2)), claimed=np.ones((0, 2)))]


@refused.oracle
def _(x, claimed):
    return {"gradient_check": "ValueError", "relative_error": "no error" if x.shape == claimed.shape else "ValueError"}
