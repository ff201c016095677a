"""What is asked of lesson 7.4: a step that may be cut in parts, an evaluation without a trace, a checkpoint that no crash can spoil,
and a loop that goes on where it was broken off, to the bit."""

import contextlib
import hashlib
import json
import math
import os
import random
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from groundup.course import checkpoint

# ------------------------------------------------------------------------------------------------------ reading

TO_BLAME = {"lost": [29], "replayed": [27, 28], "disturbed": [24], "worse": [25, 26], "waiting": [22], "last": [40]}
TO_BLAME |= {"impossible": [39, 40], "refused": [2], "processor": [7, 8]}


@checkpoint("Nine faults are found in a script, each on its line", count=0)
def reading(lib):
    return lib.train.reading.answers()


@reading.edges
def _():
    return [{}]


@reading.accepts
def _(got):
    if not isinstance(got, dict) or set(got) != set(TO_BLAME):
        return "A dictionary with the nine names of SYMPTOMS is asked for, and to each the number of a line."
    wrong = [name for name, lines in TO_BLAME.items() if got[name] not in lines]
    return True if not wrong else f"Another line is to blame for: {', '.join(wrong)}."


# ---------------------------------------------------------------------------------------------------- schedules


@checkpoint("Every schedule is a function of progress, begun by a warm-up", atol=1e-12)
def scheduling(lib, name, progress, warmup, decay, floor):
    schedules = lib.train.schedules
    try:
        whole = [schedules.scheduled(name, p, warmup=warmup, decay=decay) for p in progress]
    except ValueError:
        whole = "ValueError"
    return {
        "scheduled": whole,
        "cosine": [schedules.cosine(p, floor) for p in progress],
        "linear": [schedules.linear(p, floor) for p in progress],
        "wsd": [schedules.wsd(p, min(max(decay, 0.0), 1.0), floor) for p in progress],
        "warmed": [schedules.warmed(p, 0.25) for p in progress],
        "constant": [schedules.constant(p) for p in progress],
    }


@scheduling.cases
def _(draw):
    return dict(
        name=draw.choice(["wsd", "cosine", "linear", "constant"]),
        progress=[draw.uniform(0.0, 1.0) for _ in range(6)],
        warmup=draw.choice([0.0, 0.1, 0.5]),
        decay=draw.choice([0.5, 0.2, 1.0, 0.0]),
        floor=draw.choice([0.0, 0.1]),
    )


@scheduling.edges
def _():
    ends = dict(progress=[0.0, 0.05, 0.5, 0.9, 1.0], floor=0.0)
    beyond = dict(progress=[-0.5, 0.0, 1.0, 1.5], floor=0.1)
    found = [ends | dict(name=name, warmup=0.1, decay=0.2) for name in ("constant", "cosine", "linear", "wsd")]
    found += [beyond | dict(name=name, warmup=0.5, decay=0.0) for name in ("constant", "cosine", "linear", "wsd")]
    wrong = [("step", 0.1, 0.2), ("wsd", 100.0, 0.2), ("wsd", -0.1, 0.2), ("cosine", 0.0, 1.5)]
    return found + [ends | dict(name=name, warmup=w, decay=d) for name, w, d in wrong]


@scheduling.oracle
def _(name, progress, warmup, decay, floor):
    p = np.clip(progress, 0.0, 1.0)
    fall = min(max(decay, 0.0), 1.0)

    def stable(p, fall, floor):
        return np.interp(p, [0.0, 1.0 - fall, 1.0], [1.0, 1.0, floor]) if fall else np.ones_like(p)

    whole = {
        "constant": np.ones_like(p),
        "cosine": 0.1 + 0.9 * (0.5 + 0.5 * np.cos(np.pi * p)),
        "linear": 1.0 - p,
        "wsd": stable(p, fall, 0.0),
    }
    legal = name in whole and 0 <= warmup <= 1 and 0 <= decay <= 1
    ramp = np.interp(p, [0.0, warmup], [0.0, 1.0]) if warmup > 0 else 1.0
    return {
        "scheduled": (whole[name] * ramp).tolist() if legal else "ValueError",
        "cosine": (floor + (1 - floor) * (0.5 + 0.5 * np.cos(np.pi * p))).tolist(),
        "linear": np.interp(p, [0.0, 1.0], [1.0, floor]).tolist(),
        "wsd": stable(p, fall, floor).tolist(),
        "warmed": np.interp(p, [0.0, 0.25], [0.0, 1.0]).tolist(),
        "constant": [1.0] * len(p),
    }


# ----------------------------------------------------------------------------------------------------- one step


class Net(torch.nn.Module):
    """A token's row of a table, then scores for the next: the smallest model with model(x, y) -> loss. It notes what it saw."""

    def __init__(self, table, head, dropout=0.0):
        super().__init__()
        self.table = torch.nn.Parameter(torch.from_numpy(table.copy()))
        self.head = torch.nn.Linear(head.shape[1], head.shape[0], bias=True).to(self.table.dtype)
        with torch.no_grad():
            self.head.weight.copy_(torch.from_numpy(head))
            self.head.bias.zero_()
        self.dropout = torch.nn.Dropout(dropout)
        self.seen = []

    def forward(self, x, y):
        scores = self.head(self.dropout(self.table[x]))  # (B, T, V)
        self.seen.append(str(scores.dtype))
        scores = scores.to(self.table.dtype).flatten(0, 1)
        return F.cross_entropy(scores, y.flatten(), ignore_index=-1)


def sgd(lib, model, rate):
    return lib.train.optim.Optimizers([torch.optim.SGD(model.parameters(), lr=rate)], model)


def weights_of(model):
    return {name: value.detach().numpy().copy() for name, value in model.state_dict().items()}


@checkpoint("Micro-batches add up to the batch: 4 x 4 is 16 x 1", atol=1e-9, count=10, seconds=6.0)
def steps(lib, table, head, x, y, clip, rate):
    model = Net(table, head)
    optimizers = sgd(lib, model, rate)
    results = [
        lib.train.step.step(model, optimizers, torch.from_numpy(a), torch.from_numpy(b), clip=clip)
        for a, b in zip(x, y)
    ]
    return {"losses": [r.loss for r in results], "norms": [r.grad_norm for r in results]} | weights_of(model)


def draw_batch(draw, S, A, B, T, V, padded):
    x, y = draw.integers(0, V - 1, S, A, B, T), draw.integers(0, V - 1, S, A, B, T)
    if padded:
        hidden = draw.uniform(0.0, 1.0, S, A, B, T) < np.linspace(0.0, 0.8, A)[:, None, None]
        y = np.where(hidden, -1, y)
        y[:, 0, 0, 0] = 1
    return x.astype(np.int64), y.astype(np.int64)


@steps.cases
def _(draw):
    V, C = draw.integer(3, 6), draw.integer(2, 4)
    x, y = draw_batch(
        draw,
        draw.integer(1, 3),
        draw.choice([4, 1, 2, 3]),
        draw.integer(1, 4),
        draw.integer(1, 5),
        V,
        draw.boolean(0.5),
    )
    return dict(
        table=draw.normal(V, C), head=draw.normal(V, C), x=x, y=y, clip=draw.choice([0.0, 0.05, 0.3, 10.0]), rate=0.5
    )


@steps.edges
def _():
    table, head = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.5]]), np.array([[0.5, -1.0], [1.0, 0.25], [0.0, 2.0]])
    x = np.array([[[[0, 1]], [[2, 2]]], [[[1, 1]], [[0, 2]]]])  # two steps of two micro-batches of one row of two
    y = np.array([[[[1, 2]], [[0, 1]]], [[[2, 0]], [[1, 1]]]])
    some, none = y.copy(), y.copy()
    some[:, 1, :, 0] = -1
    none[:, 1] = -1
    return [
        dict(table=table, head=head, x=x, y=t, clip=c, rate=0.5)
        for t, c in ((y, 0.0), (y, 0.1), (some, 0.0), (none, 0.0))
    ]


@steps.oracle
def _(table, head, x, y, clip, rate):
    model = Net(table, head)
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    losses, norms = [], []
    for a, b in zip(x, y):
        optimizer.zero_grad()
        loss = model(torch.from_numpy(a).flatten(0, 1), torch.from_numpy(b).flatten(0, 1))
        loss.backward()
        norms.append(float(torch.cat([p.grad.flatten() for p in model.parameters()]).norm()))
        if clip and norms[-1] > clip:
            for p in model.parameters():
                p.grad *= clip / (norms[-1] + 1e-6)
        optimizer.step()
        losses.append(loss.item())
    return {"losses": losses, "norms": norms} | weights_of(model)


@checkpoint(
    "A loss that is not finite stops the step before a weight has changed, and names who broke", atol=0.0, count=5
)
def diverging(lib, table, head, x, y, broken):
    model = Net(table, head)
    optimizers = sgd(lib, model, 0.5)
    lib.train.step.step(model, optimizers, torch.from_numpy(x), torch.from_numpy(y))
    if broken:
        with torch.no_grad():
            model.get_parameter(broken).view(-1)[0] = float("nan")
    before, said = weights_of(model), "nothing"
    try:
        lib.train.step.step(model, optimizers, torch.from_numpy(x), torch.from_numpy(y))
    except lib.train.step.Diverged as problem:
        said = f"Diverged, {broken}" if broken and broken in str(problem) else "Diverged, with another name"
    after = weights_of(model)
    return {"said": said, "unchanged": all(np.array_equal(after[n], before[n], equal_nan=True) for n in before)}


@diverging.cases
def _(draw):
    x, y = draw_batch(draw, 1, 2, 2, 3, 4, False)
    return dict(
        table=draw.normal(4, 3),
        head=draw.normal(4, 3),
        x=x[0],
        y=y[0],
        broken=draw.choice(["table", "head.weight", "head.bias", ""]),
    )


@diverging.oracle
def _(table, head, x, y, broken):
    return {"said": f"Diverged, {broken}" if broken else "nothing", "unchanged": bool(broken)}


@checkpoint(
    "In half precision the gradient is divided by its scale before it is clipped", atol=2e-2, count=4, seconds=6.0
)
def halved(lib, table, head, x, y, name, scale, clip):
    model = Net(table.astype(np.float32), head.astype(np.float32))
    precision = lib.train.step.Precision(name, "cpu")
    if scale:
        precision.scaler = torch.amp.GradScaler("cpu", init_scale=scale)
    before = weights_of(model)
    result = lib.train.step.step(
        model, sgd(lib, model, 0.5), torch.from_numpy(x), torch.from_numpy(y), clip=clip, precision=precision
    )
    moved = {key: value - before[key] for key, value in weights_of(model).items()}
    told = {"loss": result.loss, "dtype": sorted(set(model.seen)), "has a scaler": precision.scaler is not None}
    if scale < 1e30:
        return told | {"norm": result.grad_norm} | moved
    return told | {"scale": precision.scaler.get_scale() / scale} | moved


@halved.cases
def _(draw):
    name, scale = draw.choice([("float16", 1024.0), ("bfloat16", 0.0), ("float32", 0.0), ("float16", 2.0**120)])
    x, y = draw_batch(draw, 1, 2, 2, 3, 4, False)
    case = dict(table=draw.normal(4, 3), head=draw.normal(4, 3), x=x[0], y=y[0])
    return case | dict(name=name, scale=scale, clip=draw.choice([0.1, 0.0]))


@halved.edges
def _():
    table, head = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.5]]), np.array([[0.5, -1.0], [1.0, 0.25], [0.0, 2.0]])
    case = dict(table=table, head=head, x=np.array([[[0, 1]], [[2, 2]]]), y=np.array([[[1, 2]], [[0, 1]]]))
    kinds = [("float16", 1024.0), ("bfloat16", 0.0), ("float32", 0.0), ("float16", 2.0**120)]
    return [case | dict(name=name, scale=scale, clip=0.1) for name, scale in kinds]


@halved.oracle
def _(table, head, x, y, name, scale, clip):
    model = Net(table.astype(np.float32), head.astype(np.float32))
    loss = model(torch.from_numpy(x).flatten(0, 1), torch.from_numpy(y).flatten(0, 1))
    loss.backward()
    norm = float(torch.cat([p.grad.flatten() for p in model.parameters()]).norm())
    factor = min(1.0, clip / norm) if clip else 1.0
    told = {"loss": loss.item(), "dtype": [f"torch.{name}"], "has a scaler": name == "float16"}
    if scale < 1e30:
        return told | {"norm": norm} | {n: -0.5 * factor * p.grad.numpy() for n, p in model.named_parameters()}
    return told | {"scale": 0.5} | {n: np.zeros_like(p.detach().numpy()) for n, p in model.named_parameters()}


# -------------------------------------------------------------------------------------------------- evaluation


@checkpoint("An evaluation is the mean over all counted targets, and leaves no trace", atol=1e-9, count=10)
def evaluating(lib, table, head, pairs, tokens, frozen, fails):
    model = Net(table, head, dropout=0.5)
    model.train()
    if frozen:
        model.dropout.eval()
    for seed in (random.seed, np.random.seed, torch.manual_seed):
        seed(3)

    def draws():
        return [random.random(), float(np.random.rand()), float(torch.rand(()))]

    first = draws()
    pairs = [(torch.from_numpy(x), torch.from_numpy(y)) for x, y in pairs]
    for seed in (random.seed, np.random.seed, torch.manual_seed):
        seed(3)
    try:
        loss = lib.train.evaluation.evaluate(model, iter(pairs), tokens=tokens)
    except ValueError:
        loss = "ValueError"
    if fails:
        with contextlib.suppress(KeyError), lib.train.evaluation.undisturbed(model):
            torch.rand(2)
            raise KeyError
    with lib.train.evaluation.undisturbed(model, 5):
        inside = [float(torch.rand(())), model.training, model.dropout.training, torch.is_grad_enabled()]
    modes = [model.training, model.dropout.training, model.head.training, torch.is_grad_enabled()]
    return {"loss": loss, "draws": draws() == first, "modes": modes, "inside": inside, "grad": model.table.grad is None}


@evaluating.cases
def _(draw):
    V, C = draw.integer(3, 6), draw.integer(2, 4)
    pairs = []
    for _ in range(draw.integer(1, 4)):
        x, y = draw_batch(draw, 1, 1, draw.integer(1, 3), draw.integer(1, 5), V, False)
        hidden = draw.uniform(0.0, 1.0, *y[0, 0].shape) < draw.choice([0.0, 0.5, 1.0])
        pairs.append((x[0, 0], np.where(hidden, -1, y[0, 0])))
    return dict(
        table=draw.normal(V, C), head=draw.normal(V, C), pairs=pairs, tokens=draw.choice([0, 1, 5]),
        frozen=draw.boolean(), fails=draw.boolean(),
    )  # fmt: skip


@evaluating.edges
def _():
    table, head = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.5]]), np.array([[0.5, -1.0], [1.0, 0.25], [0.0, 2.0]])
    whole = (np.array([[0, 1, 2], [2, 1, 0]]), np.array([[1, 2, 0], [1, 0, 0]]))
    rest = (np.array([[1, 0, 0]]), np.array([[0, -1, -1]]))
    nothing = (np.array([[1]]), np.array([[-1]]))
    case = dict(table=table, head=head, tokens=0, frozen=False, fails=False)
    return [
        case | dict(pairs=[rest]),
        case | dict(pairs=[whole, rest]),
        case | dict(pairs=[whole, nothing, rest], frozen=True, fails=True),
        case | dict(pairs=[nothing]),
        case | dict(pairs=[whole, rest], tokens=6),
    ]


@evaluating.oracle
def _(table, head, pairs, tokens, frozen, fails):
    total, count = 0.0, 0
    for x, y in pairs:
        if tokens and count >= tokens:
            break
        scores = table[x] @ head.T
        logs = scores - np.log(np.exp(scores).sum(axis=-1, keepdims=True))
        for i, j in zip(*np.nonzero(y >= 0)):
            total, count = total - logs[i, j, y[i, j]], count + 1
    drawn = float(torch.rand((), generator=torch.Generator().manual_seed(5)))
    return {
        "loss": total / count if count else "ValueError", "draws": True, "modes": [True, not frozen, True, True],
        "inside": [drawn, False, False, False], "grad": True,
    }  # fmt: skip


# ------------------------------------------------------------------------------------------------- checkpoints


def kept(number, entries=4):
    """Weights and a state that belong to a number, and to no other."""
    table = torch.arange(entries * 2, dtype=torch.float32).reshape(entries, 2) + number
    state = {
        "optimizers": [
            {
                "state": {0: {"step": torch.tensor(float(number)), "mean": table * 0.5}},
                "groups": [{"betas": (0.9, 0.95)}],
            }
        ],
        "numbers": {"loss": number + 0.1, "best": math.inf, "name": "run", "none": None},
        "generators": {"torch": torch.Generator().manual_seed(number).get_state(), "python": (3, (1, 2), None)},
    }
    return {"table": table, "head": table, "gain": torch.ones(2).bfloat16()}, state


def flat(tree, at=""):
    """A tree as a dictionary from places, with the kinds of its dictionaries, lists and tuples."""
    if isinstance(tree, torch.Tensor):
        return {at: [str(tree.dtype), tree.double().numpy().copy()]}
    if isinstance(tree, dict):
        parts = [(f"{at}/{type(key).__name__} {key}", value) for key, value in tree.items()]
    elif isinstance(tree, (list, tuple)):
        parts = [(f"{at}/{type(tree).__name__} {i}", value) for i, value in enumerate(tree)]
    else:
        return {at: [type(tree).__name__, repr(tree)]}
    found = {}
    for place, value in parts:
        found.update(flat(value, place))
    return found


def found_in(lib, folder):
    """The step of the newest sound checkpoint, and whether all of it is what was saved under it. -1: there is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = lib.train.checkpoint.latest(folder)
    if path is None:
        return [-1, True]
    step, model, state = lib.train.checkpoint.load(path)
    weights, expected = kept(step)
    a, b = (
        flat({"m": dict(sorted(model.items())), "s": state}),
        flat({"m": dict(sorted(weights.items())), "s": expected}),
    )
    same = a.keys() == b.keys() and all(a[k][0] == b[k][0] and np.array_equal(a[k][1], b[k][1]) for k in a)
    return [step, bool(same)]


@checkpoint(
    "What is saved comes back to the bit, and is hashed, synced, and named last", count=3, atol=0.0, seconds=6.0
)
def saving(lib, step, tied):
    with tempfile.TemporaryDirectory(dir=os.getcwd()) as folder:
        weights, state = kept(step)
        if not tied:
            weights["head"] = weights["head"].clone()
        synced, trace, fsync = set(), [], os.fsync

        def noted(file):
            fsync(file)
            number = os.fstat(file if isinstance(file, int) else file.fileno()).st_ino
            synced.add(number)
            trace.append(number)

        def at_rename(event, arguments):
            if event == "os.rename" and watching and str(arguments[1]).rstrip("/").endswith(f"step-{step:08d}"):
                files = [os.path.join(place, name) for place, _, names in os.walk(arguments[0]) for name in names]
                trace.append(
                    "named"
                    if len(files) >= 4 and all(os.stat(f).st_ino in synced for f in files)
                    else "named too early"
                )

        watching, os.fsync = True, noted
        sys.addaudithook(at_rename)
        try:
            path = lib.train.checkpoint.save(folder, step, weights, state)
        finally:
            watching, os.fsync = False, fsync
        manifest = json.loads((path / "manifest.json").read_text())["files"]
        hashes = {
            name: entry == {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, entry in sorted(manifest.items())
            for content in [(path / name).read_bytes()]
        }
        named = [entry for entry in trace if isinstance(entry, str)]
        home = os.stat(folder).st_ino
        order = named + (["folder synced"] if named and home in trace[trace.index(named[-1]) :] else [])
        loaded, model, back = lib.train.checkpoint.load(path)
        return {
            "path": path.name, "step": loaded, "model": flat(dict(sorted(model.items()))), "state": flat(back),
            "hashes": hashes, "order": order, "there": sorted(os.listdir(folder)),
        }  # fmt: skip


@saving.cases
def _(draw):
    return dict(step=draw.integer(0, 10**6), tied=draw.boolean())


@saving.edges
def _():
    return [dict(step=7, tied=True), dict(step=0, tied=False)]


@saving.oracle
def _(step, tied):
    weights, state = kept(step)
    names = ("model.safetensors", "state.json", "state.safetensors")
    return {
        "path": f"step-{step:08d}", "step": step, "model": flat(dict(sorted(weights.items()))), "state": flat(state),
        "hashes": dict.fromkeys(names, True), "order": ["named", "folder synced"], "there": [f"step-{step:08d}"],
    }  # fmt: skip


class Scratch:
    """A context with an empty folder, in which syncing takes no time: whether it is done is asked elsewhere."""

    def __enter__(self):
        self.place, self.fsync = tempfile.TemporaryDirectory(dir=os.getcwd()), os.fsync
        os.fsync = lambda file: None
        return Path(self.place.__enter__())

    def __exit__(self, *problem):
        os.fsync = self.fsync
        return self.place.__exit__(*problem)


@checkpoint(
    "Torn or turned at any byte, a checkpoint is not taken: the one before is, and that is said",
    count=10,
    atol=0.0,
    seconds=8.0,
)
def damaged(lib, name, place, how):
    with Scratch() as folder:
        for step in (1, 2):
            lib.train.checkpoint.save(folder, step, *kept(step))
        file = folder / "step-00000002" / name
        content = file.read_bytes()
        at = int(place * len(content))
        if how == "torn":
            file.write_bytes(content[:at])
        elif how == "zeros":
            file.write_bytes(content[:at] + bytes(len(content) - at))
        elif how == "turned":
            file.write_bytes(content[:at] + bytes([content[at] ^ 16]) + content[at + 1 :])
        else:
            file.unlink()
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            path = lib.train.checkpoint.latest(folder)
        told = any("step-00000002" in str(w.message) for w in said)
        try:
            lib.train.checkpoint.load(folder / "step-00000002")
            loaded = "loaded"
        except lib.train.checkpoint.CheckpointError:
            loaded = "CheckpointError"
        again = found_in(lib, folder)
        lib.train.checkpoint.save(folder, 2, *kept(2))
        return {
            "taken": path and path.name,
            "said": told,
            "load": loaded,
            "good": again,
            "mended": found_in(lib, folder),
        }


FILES = ["model.safetensors", "state.safetensors", "state.json", "manifest.json"]


@damaged.cases
def _(draw):
    name, how = draw.choice(FILES), draw.choice(["torn", "turned", "zeros", "gone"])
    return dict(
        name=name,
        place=draw.uniform(0.0, 0.4 if name == "manifest.json" else 0.999),
        how="torn" if name[0] == "m" and name[1] == "a" else how,
    )


@damaged.edges
def _():
    pairs = [(name, how) for name in FILES[:3] for how in ("torn", "turned", "gone")] + [
        ("manifest.json", "torn"),
        ("manifest.json", "gone"),
    ]
    return [dict(name=name, place=0.5, how=how) for name, how in pairs] + [dict(name=FILES[0], place=0.0, how="torn")]


@damaged.oracle
def _(name, place, how):
    return {"taken": "step-00000001", "said": True, "load": "CheckpointError", "good": [1, True], "mended": [2, True]}


WRITES = ("os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.truncate", "os.link", "os.symlink", "shutil.rmtree")


class Power(BaseException):
    """It has gone: nothing catches this, and nothing can be written any more."""


def failing(number, failure, only=(*WRITES, "open")):
    """A switch [on, writes so far]: while it is on, write number `number` to the file system, and each one after it, raises."""
    switch = [False, 0]

    def hook(event, arguments):
        if not switch[0] or event not in only:
            return
        if event == "open" and not arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC):
            return
        switch[1] += 1
        if switch[1] >= number:
            raise failure()

    sys.addaudithook(hook)
    return switch


@checkpoint("Wherever the power goes in a save, a whole checkpoint is left", count=4, atol=0.0, seconds=8.0)
def killed(lib, number, keep):
    with Scratch() as folder:
        for step in (1, 2):
            lib.train.checkpoint.save(folder, step, *kept(step), keep=keep)
        power, off = failing(number, Power), False
        power[0] = True
        try:
            lib.train.checkpoint.save(folder, 3, *kept(3), keep=keep)
        except Power:
            off = True
        finally:
            power[0] = False
        step, whole = found_in(lib, folder)
        lib.train.checkpoint.save(folder, 4, *kept(4), keep=keep)
        names = [name for name in os.listdir(folder) if not name.startswith("step-")]
        return {
            "in time": step in (2, 3) if off else step == 3,
            "whole": whole,
            "then": found_in(lib, folder),
            "left over": names,
        }


@killed.cases
def _(draw):
    return dict(number=draw.integer(1, 16), keep=draw.choice([2, 1]))


@killed.edges
def _():
    return [dict(number=n, keep=1) for n in range(1, 13)] + [dict(number=10**6, keep=1)]


@killed.oracle
def _(number, keep):
    return {"in time": True, "whole": True, "then": [4, True], "left over": []}


@checkpoint("A full disk is one error, and what was there before is all that is left", count=2, atol=0.0, seconds=4.0)
def full(lib, number):
    with Scratch() as folder:
        lib.train.checkpoint.save(folder, 1, *kept(1))
        disk = failing(number, lambda: OSError(28, "No space left on device"), ("open", "os.mkdir"))
        disk[0], said = True, "nothing"
        try:
            lib.train.checkpoint.save(folder, 2, *kept(2))
        except lib.train.checkpoint.CheckpointError as problem:
            said = (
                "CheckpointError, No space left on device"
                if "No space left on device" in str(problem)
                else "CheckpointError"
            )
        except OSError:
            said = "OSError"
        finally:
            disk[0] = False
        left = sorted(os.listdir(folder))
        lib.train.checkpoint.save(folder, 2, *kept(2))
        return {"said": said, "left": left, "then": found_in(lib, folder)}


@full.cases
def _(draw):
    return dict(number=draw.integer(1, 4))


@full.edges
def _():
    return [dict(number=n) for n in (2, 3, 4)]


@full.oracle
def _(number):
    said = "CheckpointError, No space left on device"
    return {"said": said, "left": ["step-00000001"], "then": [2, True]}


@checkpoint("The newest are kept, and the best", count=4, atol=0.0, seconds=4.0)
def keeping(lib, losses, keep):
    with Scratch() as folder:
        least, trail = math.inf, []
        for step, loss in enumerate(losses):
            lib.train.checkpoint.save(folder, 9 * step, *kept(9 * step), keep=keep)
            if loss < least:
                least = loss
                lib.train.checkpoint.mark_best(folder, 9 * step, loss)
            trail.append([*lib.train.checkpoint.steps(folder), *(lib.train.checkpoint.best(folder) or ())])
        nothing = [lib.train.checkpoint.best(folder / "none"), lib.train.checkpoint.latest(folder / "none")]
        return {"trail": trail, "nothing": nothing, "newest": found_in(lib, folder)}


@keeping.cases
def _(draw):
    return dict(losses=draw.uniform(1.0, 2.0, draw.integer(1, 6)).tolist(), keep=draw.integer(1, 3))


@keeping.edges
def _():
    return [
        dict(losses=[1.5], keep=1),
        dict(losses=[1.2, 1.1, 1.3, 1.4], keep=1),
        dict(losses=[1.0, 2.0, 3.0, 4.0, 5.0], keep=2),
    ]


@keeping.oracle
def _(losses, keep):
    trail, best = [], 0
    for n in range(len(losses)):  # what is pruned at a save does not know of the evaluation that comes after it
        before = int(np.argmin(losses[:n])) if n else -1
        alive = [k for k in range(n + 1) if k > n - keep or k == before]
        best = int(np.argmin(losses[: n + 1]))
        trail.append([*(9 * k for k in alive), 9 * best, losses[best]])
    return {"trail": trail, "nothing": [None, None], "newest": [9 * (len(losses) - 1), True]}


# ------------------------------------------------------------------------------------------------------ the loop


class Taken:
    """Batches of given arrays x, y (S, A, B, T), which remember what was asked for, and fail at one step."""

    def __init__(self, x, y, fails_at=-1, failure=ConnectionError):
        self.x, self.y, self.asked, self.fails_at, self.failure = x, y, [], fails_at, failure

    def at(self, step):
        if step == self.fails_at:
            raise self.failure
        self.asked.append(step)
        return torch.from_numpy(self.x[step]), torch.from_numpy(self.y[step])


def settings_for(lib, x, **over):
    S, A, B, T = x.shape
    told = dict(batch=B, accumulate=A, context=T, steps=S, optimizer="adamw", dtype="float32", log_every=1)
    return lib.train.loop.TrainConfig(**(told | over))


@checkpoint("The loop is the plain loop: its losses, its rates, its weights", atol=1e-7, count=4, seconds=8.0)
def looping(lib, table, head, x, y, validation, over):
    model, lines = Net(table, head), []
    batches = Taken(x, y)

    def log(step, **numbers):
        lines.extend([step, name, float(numbers[name])] for name in ("loss", "lr", "val_loss") if name in numbers)

    done = lib.train.loop.train(
        model, batches, settings_for(lib, x, **over), validation=validation, log=log, progress=False
    )
    told = {
        "step": done.step,
        "loss": done.loss,
        "val_loss": done.val_loss,
        "tokens": done.tokens,
        "stopped": done.stopped,
    }
    return told | {"log": lines, "asked": batches.asked} | weights_of(model)


@looping.cases
def _(draw):
    V, C = draw.integer(3, 5), draw.integer(2, 3)
    x, y = draw_batch(draw, draw.integer(2, 7), draw.integer(1, 3), draw.integer(1, 3), draw.integer(2, 4), V, False)
    over = dict(
        lr=draw.choice([0.1, 0.01]), clip=draw.choice([0.0, 0.2]), schedule=draw.choice(["linear", "constant", "wsd", "cosine"]),
        warmup=draw.choice([0.0, 0.4]), decay=0.5, evaluate_every=draw.choice([0, 2, 3]),
    )  # fmt: skip
    return dict(
        table=draw.normal(V, C), head=draw.normal(V, C), x=x, y=y, validation=draw.integers(0, V - 1, 11), over=over
    )


@looping.edges
def _():
    table, head = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.5]]), np.array([[0.5, -1.0], [1.0, 0.25], [0.0, 2.0]])
    x = np.array([[[[0, 1]], [[2, 2]]], [[[1, 1]], [[0, 2]]], [[[2, 0]], [[0, 0]]]])
    case = dict(table=table, head=head, x=x, y=(x + 1) % 3, validation=np.array([0, 1, 2, 0, 1]))
    over = dict(lr=0.1, clip=0.0, schedule="constant", warmup=0.0, decay=0.5, evaluate_every=0)
    return [
        case | {"over": over},
        case | {"over": over | dict(schedule="linear", warmup=0.5, clip=0.1, evaluate_every=1)},
    ]


@looping.oracle
def _(table, head, x, y, validation, over):
    S = len(x)
    model = Net(table, head)
    optimizer = torch.optim.AdamW(model.parameters(), lr=over["lr"], betas=(0.8, 0.95), weight_decay=0.0)
    lines, loss, val = [], math.nan, math.nan

    def measure():
        with torch.no_grad():
            ids = torch.from_numpy(validation)
            return float(model(ids[None, :-1], ids[None, 1:]))

    for n in range(S + 1):
        if n == S or (over["evaluate_every"] and n and n % over["evaluate_every"] == 0):
            val = measure()
            lines.append([n, "val_loss", val])
        if n == S:
            break
        p = (n + 0.5) / S
        shape = {
            "constant": 1.0,
            "linear": 1 - p,
            "cosine": 0.1 + 0.45 * (1 + math.cos(math.pi * p)),
            "wsd": min(1.0, (1 - p) / 0.5),
        }
        rate = over["lr"] * shape[over["schedule"]] * (min(1.0, p / over["warmup"]) if over["warmup"] else 1.0)
        optimizer.param_groups[0]["lr"] = rate
        optimizer.zero_grad()
        total = model(torch.from_numpy(x[n]).flatten(0, 1), torch.from_numpy(y[n]).flatten(0, 1))
        total.backward()
        if over["clip"]:
            torch.nn.utils.clip_grad_norm_(model.parameters(), over["clip"])
        optimizer.step()
        loss = total.item()
        lines += [[n + 1, "loss", loss], [n + 1, "lr", rate]]
    told = {"step": S, "loss": loss, "val_loss": val, "tokens": x.size, "stopped": "budget"}
    return told | {"log": lines, "asked": list(range(S))} | weights_of(model)


def differences(a, b):
    """The names under which two tables of weights differ by a bit."""
    return [name for name in a if not np.array_equal(a[name], b[name])]


@checkpoint(
    "A run that is broken off and resumed equals one that was not, bit for bit", atol=0.0, count=2, seconds=12.0
)
def resuming(lib, table, head, x, y, stops, over):
    validation, runs = x.ravel(), []
    for breaks in ([], stops):
        with Scratch() as folder:
            curve = {}

            def log(step, curve=curve, **numbers):
                for name in ("loss", "grad_norm", "lr", "val_loss"):
                    if name in numbers and curve.setdefault((step, name), float(numbers[name])) != numbers[name]:
                        curve[step, name] = math.nan  # it came twice, and not the same

            for fails_at in (*breaks, -1):
                random.seed(fails_at)  # a new process knows nothing of the old one's generators
                np.random.seed(fails_at + 5)
                torch.manual_seed(fails_at + 5)
                model, batches = Net(table, head, dropout=0.5), Taken(x, y, fails_at)
                with contextlib.suppress(ConnectionError):
                    done = lib.train.loop.train(
                        model,
                        batches,
                        settings_for(lib, x, **over),
                        folder=folder,
                        validation=validation,
                        log=log,
                        progress=False,
                    )
            draws = [random.random(), float(np.random.rand()), float(torch.rand(()))]
            runs.append([weights_of(model), curve, [done.step, done.loss, done.val_loss, done.tokens, *draws]])
    (a, left, told), (b, right, again) = runs
    other = sorted(
        {
            f"{name} at {step}"
            for step, name in left.keys() | right.keys()
            if left.get((step, name)) != right.get((step, name))
        }
    )
    return {
        "other weights": differences(a, b),
        "other numbers": other,
        "in the end": told == again,
        "taken up": batches.asked[0],
    }


@resuming.cases
def _(draw):
    V, C, S = 4, 3, draw.integer(4, 8)
    x, y = draw_batch(draw, S, draw.integer(1, 2), 2, 3, V, False)
    over = dict(
        save_every=draw.choice([2, 1, 3]), evaluate_every=draw.choice([0, 2, 3]), ema=draw.choice([0.0, 0.9]), clip=0.5,
        schedule="linear", lr=0.05,
    )  # fmt: skip
    stops = sorted(draw.integer(1, S - 1) for _ in range(draw.integer(1, 2)))
    return dict(table=draw.normal(V, C), head=draw.normal(V, C), x=x, y=y, stops=stops, over=over)


@resuming.edges
def _():
    table, head = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.5]]), np.array([[0.5, -1.0], [1.0, 0.25], [0.0, 2.0]])
    x = np.arange(5 * 2 * 2 * 3).reshape(5, 2, 2, 3) % 7 % 3
    over = dict(save_every=2, evaluate_every=0, ema=0.0, clip=0.0, schedule="constant", lr=0.1)
    case = dict(table=table, head=head, x=x, y=(x + 1) % 3)
    return [
        case | dict(stops=[3], over=over),
        dict(table=table, head=head, x=x[:3], y=(x[:3] + 1) % 3, stops=[2], over=over | dict(ema=0.9)),
        case | dict(stops=[1], over=over),
        case | dict(stops=[3, 4], over=over | dict(evaluate_every=1, ema=0.9, schedule="linear")),
    ]


@resuming.oracle
def _(table, head, x, y, stops, over):
    steps = [0]
    for fails_at in stops:
        due = [
            n
            for n in range(1, fails_at + 1)
            if n % over["save_every"] == 0 or (over["evaluate_every"] and n % over["evaluate_every"] == 0)
        ]
        steps.append(max([*due, steps[-1]]))
    return {"other weights": [], "other numbers": [], "in the end": True, "taken up": steps[-1]}


def run(lib, x, y, over, model=None, batches=None, **options):
    """A short run with dropout, or with a model of one's own."""
    table = np.linspace(-0.2, 0.2, 12).reshape(4, 3)
    model = model or Net(table, table[::-1].copy(), dropout=0.5)
    return model, lib.train.loop.train(
        model, batches or Taken(x, y), settings_for(lib, x, **over), progress=False, **options
    )


class Heavy:
    """A validation split for which there is no memory."""

    def full(self):
        raise MemoryError


class Script:
    """A validation split on which an unchanging model is bad, good, bad, and bad for ever."""

    def __init__(self):
        self.asked = 0

    def full(self):
        self.asked += 1
        x = torch.arange(4)[None]
        yield x, x if self.asked == 2 else (x + 1) % 4


class Poison(Taken):
    """Batches that come with a NaN in the model, in step 3."""

    def at(self, step):
        if step == 2:
            with torch.no_grad():
                self.model.head.bias[0] = math.nan
        return super().at(step)


def draw_run(draw):
    x, y = draw_batch(draw, draw.integer(5, 6), 1, 2, 3, 4, False)
    return dict(x=x, y=y)


def example():
    x = np.arange(5 * 2 * 3).reshape(5, 1, 2, 3) % 7 % 4
    return [dict(x=x, y=(x + 1) % 4)]


@checkpoint("It evaluates without a trace, and saves first", atol=0.0, count=3, seconds=6.0)
def measuring(lib, x, y):
    told = {}
    often, _ = run(lib, x, y, dict(evaluate_every=1), validation=x.ravel())
    never, _ = run(lib, x, y, {}, validation=x.ravel())
    told["evaluation changed"] = differences(weights_of(often), weights_of(never))
    with Scratch() as folder:
        try:
            run(lib, x, y, dict(evaluate_every=2), folder=folder, validation=Heavy())
        except MemoryError:
            told["saved before evaluating"] = lib.train.checkpoint.steps(folder)
    return told


measuring.cases(draw_run)
measuring.edges(example)


@measuring.oracle
def _(x, y):
    return {"evaluation changed": [], "saved before evaluating": [2]}


@checkpoint("NaN ends it with step and parameter, and the good checkpoints stay", atol=0.0, count=3, seconds=6.0)
def poisoned(lib, x, y):
    with Scratch() as folder:
        batches = Poison(x, y)
        batches.model = Net(np.eye(4), np.eye(4))
        try:
            run(lib, x, y, dict(save_every=1), batches.model, batches, folder=folder)
        except lib.train.step.Diverged as problem:
            said, last = str(problem), lib.train.checkpoint.steps(folder)[-1]
            return {"names the step": "step 3" in said, "names who broke": "head.bias" in said, "last": last}


poisoned.cases(draw_run)
poisoned.edges(example)


@poisoned.oracle
def _(x, y):
    return {"names the step": True, "names who broke": True, "last": 2}


@checkpoint(
    "Patience ends it, the best is kept, and a resume does not begin to wait anew", atol=0.0, count=3, seconds=6.0
)
def patient(lib, x, y):
    over, ends = dict(evaluate_every=1, patience=2, lr=0.0, keep=1), []
    with Scratch() as folder:
        for _ in range(2):
            _, done = run(lib, x, y, over, Net(5.0 * np.eye(4), np.eye(4)), folder=folder, validation=Script())
            place = lib.train.checkpoint
            ends.append([done.stopped, done.step, place.best(folder)[0], place.steps(folder)])
    return ends


patient.cases(draw_run)
patient.edges(example)


@patient.oracle
def _(x, y):
    return [["patience", 4, 2, [2, 4]]] * 2


@checkpoint("It continues no other run, and begins no step when the time is over", atol=0.0, count=3, seconds=6.0)
def beginning(lib, x, y):
    told = {}
    with Scratch() as folder:
        run(lib, x, y, dict(steps=1), folder=folder)
        for name, options, over in (("another seed", {}, dict(seed=1)), ("not resumed", dict(resume=None), {})):
            try:
                run(lib, x, y, over, folder=folder, **options)
                told[name] = "trained"
            except ValueError:
                told[name] = "ValueError"
    _, done = run(lib, x, y, dict(steps=0, seconds=900.0), clock_started=time.perf_counter() - 1000.0)
    told["out of time"] = [done.step, done.stopped]
    return told


beginning.cases(draw_run)
beginning.edges(example)


@beginning.oracle
def _(x, y):
    return {"another seed": "ValueError", "not resumed": "ValueError", "out of time": [0, "budget"]}


# ------------------------------------------------------------------------------------------------------- alone


class Clock:
    """A clock that goes on by a second whenever it is read: so a budget in seconds is one in steps, on any machine."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        self.now += 1.0
        return self.now


class Ticking:
    """A context in which a module reads such a clock, however it has imported it."""

    def __init__(self, module):
        self.module = module
        self.real = {name: getattr(time, name) for name in ("perf_counter", "monotonic", "time")}
        self.own = {name: value for name, value in vars(module).items() if value in self.real.values()}

    def __enter__(self):
        clock = Clock()
        for name in self.real:
            setattr(time, name, clock)
        for name in self.own:
            setattr(self.module, name, clock)

    def __exit__(self, *problem):
        for name, value in self.real.items():
            setattr(time, name, value)
        for name, value in self.own.items():
            setattr(self.module, name, value)


@checkpoint("From a blank file: a model that learns, looks back only, and ends in time", count=1, seconds=30.0)
def alone(lib, following, seconds, seed):
    text, module, context = [0], lib.train.alone, 16
    for _ in range(2000):
        text.append(following[text[-1]])
    small = {"CONTEXT": context, "WIDTH": 16, "LAYERS": 1, "HEADS": 2, "BATCH": 8, "RATE": 0.03}
    usual = {name: getattr(module, name) for name in small if hasattr(module, name)}
    ids = torch.tensor(text[: 2 * context]).reshape(2, context)
    changed = ids.clone()
    changed[:, 9:] = (changed[:, 9:] + 1) % len(following)
    for name in usual:
        setattr(module, name, small[name])
    try:
        with Ticking(module):
            model = module.train(np.array(text), len(following), seconds, seed)
        with torch.no_grad():
            logits, other = model(ids), model(changed)
    finally:
        for name, value in usual.items():
            setattr(module, name, value)
    home, own = module.__name__.split(".")[0] + ".", module.__name__
    origins = {n: getattr(v, "__module__", None) or getattr(v, "__name__", "") for n, v in vars(module).items()}
    return {
        "shape": list(logits.shape),
        "finite": bool(torch.isfinite(logits).all()),
        "sees the future": not torch.allclose(logits[:, :9], other[:, :9], atol=1e-4),
        "evaluation mode": not model.training,
        "wrong": float((logits[:, :-1].argmax(-1) != ids[:, 1:]).float().mean()),
        "imports": sorted(n for n, origin in origins.items() if str(origin).startswith(home) and origin != own),
    }


@alone.cases
def _(draw):
    return dict(following=draw.choice([[3, 5, 0, 6, 1, 2, 4], [1, 2, 3, 4, 0]]), seconds=40.0, seed=draw.integer(0, 9))


@alone.accepts
def _(got, following, seconds, seed):
    if got["shape"] != [2, 16, len(following)]:
        return f"model(ids) gives shape {got['shape']} for ids of (2, 16) and {len(following)} characters."
    if got["imports"]:
        return f"It is to stand alone, and takes {', '.join(got['imports'])} from the library."
    if got["sees the future"]:
        return "A later token changed an earlier prediction."
    if not got["finite"] or not got["evaluation mode"]:
        return "The logits are not finite, or the model is not in evaluation mode."
    if got["wrong"] > 0.2:
        return f"{got['wrong']:.0%} of the next characters are wrong, where each follows from the one before."
    return True
