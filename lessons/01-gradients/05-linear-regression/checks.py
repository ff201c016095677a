"""What is asked of lesson 1.5: the loss, its gradient, and descents that follow PyTorch's and end at the closed form."""

import numpy as np

from groundup.course import checkpoint


def data(draw, rows=(1, 7), columns=(1, 3)):
    """A small regression problem: X (n, p), y (n,)."""
    n, p = draw.integer(*rows), draw.integer(*columns)
    return dict(X=draw.normal(n, p), y=draw.normal(n))


def weights(draw, X):
    """Somewhere to stand: w (p,) and b."""
    return dict(w=draw.normal(X.shape[1]), b=draw.normal())


def torch_slopes(X, y, w, b):
    """The mean squared error in PyTorch, and its gradient by autograd: (float, (p,), float)."""
    import torch

    X, y = (torch.tensor(np.asarray(a, dtype=np.float64)) for a in (X, y))
    w = torch.tensor(np.asarray(w, dtype=np.float64), requires_grad=True)
    b = torch.tensor(float(b), dtype=torch.float64, requires_grad=True)
    loss = torch.nn.functional.mse_loss(X @ w + b, y)
    loss.backward()
    return loss.item(), w.grad.numpy(), b.grad.item()


def followed(X, y, w, b, schedule):
    """A descent on autograd's gradients. schedule: for each epoch its rate and the rows of each step."""
    w, b = (np.zeros(X.shape[1]) if w is None else w), float(b)
    losses = [torch_slopes(X, y, w, b)[0]]
    for rate, steps in schedule:
        for rows in steps:
            _, slope_w, slope_b = torch_slopes(X[rows], y[rows], w, b)
            w, b = w - rate * slope_w, b - rate * slope_b
        losses.append(torch_slopes(X, y, w, b)[0])
    return {"w": np.asarray(w, dtype=np.float64), "b": b, "losses": np.array(losses)}


def epochs_of(n, size, generator, epochs):
    """What each step of each epoch is taken on."""
    orders = [generator.permutation(n) for _ in range(epochs)]
    return [[order[k * size : (k + 1) * size] for k in range(-(-n // size))] for order in orders]


# ------------------------------------------------------------------------------------------- the loss and its gradient


@checkpoint("The mean squared error equals PyTorch's to 1e-12", atol=1e-12, count=24)
def loss(lib, X, y, w, b):
    return lib.classic.descent.mean_squared_error(X, y, w, b)


@loss.cases
def _(draw):
    problem = data(draw)
    return dict(**problem, **weights(draw, problem["X"]))


@loss.edges
def _():
    whole = dict(X=np.array([[1], [2], [3]]), y=np.array([1, 2, 4]), w=np.array([1]), b=0)
    return [dict(X=np.ones((1, 1)), y=np.zeros(1), w=np.ones(1), b=1.0), whole]


@loss.oracle
def _(X, y, w, b):
    return torch_slopes(X, y, w, b)[0]


@checkpoint("Its gradient, with respect to w and to b, equals autograd's to 1e-12", atol=1e-12)
def slopes(lib, X, y, w, b):
    slope_w, slope_b = lib.classic.descent.mean_squared_error_gradient(X, y, w, b)
    return {"w": slope_w, "b": slope_b}


@slopes.cases
def _(draw):
    problem = data(draw)
    return dict(**problem, **weights(draw, problem["X"]))


@slopes.edges
def _():
    whole = dict(X=np.array([[1], [2], [3]]), y=np.array([1, 2, 4]), w=np.array([1]), b=0)
    return [dict(X=np.ones((1, 1)), y=np.zeros(1), w=np.ones(1), b=1.0), whole]


@slopes.oracle
def _(X, y, w, b):
    _, slope_w, slope_b = torch_slopes(X, y, w, b)
    return {"w": slope_w, "b": slope_b}


@checkpoint("Targets of the wrong shape are refused with a ValueError", count=0)
def refused(lib, X, y):
    descent, w, found = lib.classic.descent, np.ones(X.shape[1]), {}
    calls = {
        "mean_squared_error": lambda: descent.mean_squared_error(X, y, w, 0.0),
        "mean_squared_error_gradient": lambda: descent.mean_squared_error_gradient(X, y, w, 0.0),
        "gaussian_log_likelihood": lambda: descent.gaussian_log_likelihood(X, y, w, 0.0, 1.0),
        "descend": lambda: descent.descend(X, y, 0.1, 2),
    }
    for name, call in calls.items():
        try:
            call()
            found[name] = "no error"
        except ValueError:
            found[name] = "ValueError"
    return found


@refused.edges
def _():
    X = np.array([[1.0], [2.0], [3.0]])
    return [dict(X=X, y=y) for y in (np.ones((3, 1)), np.ones(2), np.ones(1), np.ones((1, 3)))]


@refused.oracle
def _(X, y):
    names = ("mean_squared_error", "mean_squared_error_gradient", "gaussian_log_likelihood", "descend")
    return {name: "ValueError" for name in names}


@checkpoint("The log-likelihood under normal noise equals PyTorch's to 1e-10", atol=1e-10, count=24)
def likelihood(lib, X, y, w, b, sigma):
    return lib.classic.descent.gaussian_log_likelihood(X, y, w, b, sigma)


@likelihood.cases
def _(draw):
    problem = data(draw)
    return dict(**problem, **weights(draw, problem["X"]), sigma=draw.log_uniform(0.1, 10.0))


@likelihood.edges
def _():
    one = dict(X=np.ones((1, 1)), y=np.zeros(1), w=np.zeros(1), b=0.0)
    return [dict(**one, sigma=1.0), dict(**one, sigma=2.0), dict(**{**one, "b": 100.0}, sigma=0.5)]


@likelihood.oracle
def _(X, y, w, b, sigma):
    import torch

    normal = torch.distributions.Normal(torch.tensor(X @ w + b), sigma)
    return normal.log_prob(torch.tensor(y)).sum().item()


# ------------------------------------------------------------------------------------------------- all samples at once


@checkpoint("A full-batch descent follows PyTorch's step by step, to 1e-10", atol=1e-10, count=24)
def full_batch(lib, X, y, rate, steps, start):
    found = lib.classic.descent.descend(X, y, rate, steps, **start)
    return {"w": found.w, "b": found.b, "losses": found.losses}


@full_batch.cases
def _(draw):
    problem = data(draw)
    start = weights(draw, problem["X"]) if draw.boolean() else {}
    return dict(**problem, rate=draw.choice([0.1, 0.01, 0.3, 1.0]), steps=draw.integer(1, 5), start=start)


@full_batch.edges
def _():
    X, y = np.array([[1.0], [2.0]]), np.array([1.0, 3.0])
    return [
        dict(X=X, y=y, rate=0.1, steps=0, start={}),
        dict(X=X, y=y, rate=0.1, steps=1, start={}),
        dict(
            X=np.array([[1, 0], [2, 1]]), y=np.array([1, 3]), rate=0.1, steps=2, start={"w": np.array([1, 0]), "b": 1}
        ),
        dict(X=X, y=y, rate=0.1, steps=2, start={"w": np.array([2.0])}),
        dict(X=X, y=y, rate=0.1, steps=2, start={"b": 2.0}),
    ]


@full_batch.oracle
def _(X, y, rate, steps, start):
    everything = np.arange(len(X))
    return followed(X, y, start.get("w"), start.get("b", 0.0), [(rate, [everything])] * steps)


@checkpoint("Where it converges, it ends at the closed form: least squares to 1e-6", atol=1e-6, count=6)
def converged(lib, X, y, rate, steps):
    found = lib.classic.descent.descend(X, y, rate, steps)
    return {"w": found.w, "b": found.b, "last loss": found.losses[-1]}


@converged.cases
def _(draw):
    p = draw.integer(1, 3)
    n = draw.integer(4, 8) + p
    Q = np.linalg.qr(np.column_stack([np.ones(n), draw.normal(n, p)]))[0][:, 1:]  # orthonormal columns of mean 0
    X = np.sqrt(n) * Q * draw.uniform(0.8, 1.25, p) + draw.uniform(-0.2, 0.2, p)
    A = np.column_stack([X, np.ones(n)])
    steepest = 2.0 * np.linalg.norm(A, 2) ** 2 / n
    return dict(X=X, y=draw.normal(n), rate=float(1.0 / steepest), steps=80)


@converged.oracle
def _(X, y, rate, steps):
    A = np.column_stack([X, np.ones(len(X))])
    solution = np.linalg.lstsq(A, y, rcond=None)[0]
    return {"w": solution[:-1], "b": solution[-1], "last loss": np.mean((A @ solution - y) ** 2)}


@checkpoint(
    "The largest stable rate is 2 over the largest curvature, to 1e-9 of its size", atol=0.0, rtol=1e-9, count=24
)
def edge(lib, X):
    return lib.classic.descent.largest_stable_rate(X)


@edge.cases
def _(draw):
    n, p = draw.integer(1, 6), draw.integer(1, 4)
    return dict(X=draw.choice([1.0, 10.0, 0.01]) * draw.normal(n, p) + draw.choice([0.0, 3.0]))


@edge.edges
def _():
    return [dict(X=np.array([[1.0], [-1.0]])), dict(X=np.array([[30], [50], [70], [90]])), dict(X=np.zeros((3, 2)))]


@edge.oracle
def _(X):
    import torch

    def mse(v):
        return (torch.tensor(np.asarray(X, dtype=np.float64)) @ v[:-1] + v[-1]).square().mean()

    hessian = torch.autograd.functional.hessian(mse, torch.zeros(X.shape[1] + 1, dtype=torch.float64))
    return 2.0 / torch.linalg.eigvalsh(hessian)[-1].item()


# --------------------------------------------------------------------------------------------------------- in batches


@checkpoint("Each epoch has every sample once, in the generator's order, the last batch what is left")
def partition(lib, n, size, seed):
    generator = np.random.default_rng(seed)
    return [[np.asarray(rows) for rows in lib.classic.descent.batches(n, size, generator)] for _ in range(2)]


@partition.cases
def _(draw):
    n = draw.integer(1, 12)
    return dict(n=n, size=draw.integer(1, 5), seed=draw.seed())


@partition.edges
def _():
    return [dict(n=n, size=size, seed=0) for n, size in ((1, 1), (4, 2), (5, 2), (2, 5), (7, 7), (3, 1))]


@partition.oracle
def _(n, size, seed):
    return epochs_of(n, size, np.random.default_rng(seed), 2)


@partition.shown
def _(n, size, seed):
    return f"generator = np.random.default_rng({seed})\n[list(batches({n}, {size}, generator)) for epoch in range(2)]"


@checkpoint("A mini-batch descent follows PyTorch's over the same batches, to 1e-10", atol=1e-10, count=20)
def mini_batch(lib, X, y, rate, epochs, size, seed, rest):
    generator = np.random.default_rng(seed)
    found = lib.classic.descent.descend_in_batches(X, y, rate, epochs, size, generator, **rest)
    return {"w": found.w, "b": found.b, "losses": found.losses}


@mini_batch.cases
def _(draw):
    problem = data(draw)
    rest = weights(draw, problem["X"]) if draw.boolean() else {}
    if draw.boolean():
        rest["decay"] = draw.choice([1.0, 0.1, 0.5])
    epochs, size = draw.integer(1, 4), draw.integer(1, 4)
    return dict(**problem, rate=draw.choice([0.1, 0.01, 0.3]), epochs=epochs, size=size, seed=draw.seed(), rest=rest)


@mini_batch.edges
def _():
    X, y = np.array([[1.0], [2.0], [4.0]]), np.array([1.0, 3.0, 4.0])
    one = dict(X=X, y=y, rate=0.1, seed=0)
    return [
        dict(**one, epochs=0, size=2, rest={}),
        dict(**one, epochs=1, size=3, rest={}),
        dict(**one, epochs=1, size=2, rest={}),
        dict(**one, epochs=3, size=1, rest={"decay": 1.0}),
        dict(**one, epochs=1, size=2, rest={"w": np.array([1]), "b": 2}),
    ]


@mini_batch.oracle
def _(X, y, rate, epochs, size, seed, rest):
    steps = epochs_of(len(X), size, np.random.default_rng(seed), epochs)
    rates = [rate / (1.0 + rest.get("decay", 0.0) * t) for t in range(epochs)]
    return followed(X, y, rest.get("w"), rest.get("b", 0.0), list(zip(rates, steps)))


@mini_batch.shown
def _(X, y, rate, epochs, size, seed, rest):
    more = "".join(f", {name}={value!r}" for name, value in rest.items())
    call = f"descend_in_batches(X, y, {rate:g}, {epochs}, {size}, np.random.default_rng({seed}){more})"
    return f"X = {X!r}\ny = {y!r}\n{call}"


@checkpoint("On data without noise, batches end at the closed form too, to 1e-6", atol=1e-6, count=4)
def batches_converged(lib, X, y, rate, epochs, size, seed):
    found = lib.classic.descent.descend_in_batches(X, y, rate, epochs, size, np.random.default_rng(seed))
    return {"w": found.w, "b": found.b}


@batches_converged.cases
def _(draw):
    p = draw.integer(1, 2)
    n = draw.integer(6, 9)
    Q = np.linalg.qr(np.column_stack([np.ones(n), draw.normal(n, p)]))[0][:, 1:]
    X = np.sqrt(n) * Q
    rate = 1.0 / (2.0 * (1.0 + (X**2).sum(axis=1).max()))  # steep enough for no single sample
    y = X @ draw.normal(p) + draw.normal()
    return dict(X=X, y=y, rate=float(rate), epochs=60, size=draw.integer(2, 4), seed=draw.seed())


@batches_converged.oracle
def _(X, y, rate, epochs, size, seed):
    solution = np.linalg.lstsq(np.column_stack([X, np.ones(len(X))]), y, rcond=None)[0]
    return {"w": solution[:-1], "b": solution[-1]}
