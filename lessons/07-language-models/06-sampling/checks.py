"""What is asked of lesson 7.6: filters as defined, draws as distributed, a cache that changes nothing but the work, the best
texts by beam search, and a draft that leaves the target's distribution alone."""

import itertools
from types import SimpleNamespace

import numpy as np
import torch
from scipy.special import chdtrc

from groundup.course import checkpoint

# -------------------------------------------------------------------------------------------------- models to speak with


class Echo(torch.nn.Module):
    """A model whose logits after a token are a sum over all tokens that it sees: each token's row of a table, worth 0.7 of
    what the next one's is worth. It computes what it is given, keeps rows in a cache as attention keeps keys, and
    counts calls and positions. In training mode its logits change places: dropout would spoil them too.
    """

    def __init__(self, table, context):
        super().__init__()
        self.config = SimpleNamespace(context=context, layers=1, heads=1, kv_heads=0, width=table.shape[1])
        self.table = torch.nn.Parameter(torch.from_numpy(table.copy()))
        self.calls = self.positions = 0
        self.eval()

    def forward(self, ids, targets=None, cache=None):
        self.calls, self.positions = self.calls + 1, self.positions + ids.shape[1]
        rows = self.table[ids][:, None]  # (B, 1, t, V)
        start = 0 if cache is None else cache.length
        if start + ids.shape[1] > self.config.context:
            raise ValueError(f"{start + ids.shape[1]} tokens in a context of {self.config.context}")
        if cache is not None:
            rows, _ = cache.extend(0, rows, rows)  # (B, 1, start + t, V)
            cache.advance(ids.shape[1])
        age = torch.arange(start, rows.shape[2])[:, None] - torch.arange(rows.shape[2])  # (t, start + t)
        logits = (torch.where(age >= 0, 0.7 ** age.clamp(min=0).double(), 0.0) @ rows)[:, 0]  # (B, t, V)
        return logits.roll(1, dims=-1) if self.training else logits


def echoed(table, ids):
    """The logits after ids, one row: what Echo computes, in NumPy."""
    weights = 0.7 ** np.arange(len(ids))[::-1]
    return weights @ table[np.asarray(ids)]


def log_softmax(logits):
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def seen(ids, context):
    """The part of ids inside the window: beyond the context it lets go of half of itself at a time."""
    start = 0
    while len(ids) - start > context:
        start += max(1, context // 2)
    return ids[start:]


def unlike(counts, chances, what):
    """Does a count of draws belong to these chances? True, or how it does not. Fails right draws once in a billion."""
    counts, chances = np.asarray(counts, dtype=float).ravel(), np.asarray(chances, dtype=float).ravel()
    never = (chances < 1e-12) & (counts > 0)
    if never.any():
        return f"{what} number {int(np.argmax(never))} came {int(counts[never][0])} times, and has probability 0"
    expected = counts.sum() * chances
    groups = [[0.0, 0.0]]  # counted and expected: rare ones share a group, until ten are expected in it
    for i in np.argsort(-expected):
        if groups[-1][1] >= 10:
            groups.append([0.0, 0.0])
        groups[-1][0] += counts[i]
        groups[-1][1] += expected[i]
    if len(groups) > 1 and groups[-1][1] < 10:
        rest = groups.pop()
        groups[-1] = [groups[-1][0] + rest[0], groups[-1][1] + rest[1]]
    have, want = np.array(groups).T
    if len(want) == 1 or chdtrc(len(want) - 1, float(np.sum((have - want) ** 2 / want))) > 1e-9:
        return True
    worst = int(np.argmax(np.abs(counts - expected) / np.sqrt(expected + 1e-9)))
    share = counts[worst] / counts.sum()
    return f"{what} number {worst} came in {share:.3f} of {int(counts.sum())} draws; its probability is {chances[worst]:.3f}"


# ----------------------------------------------------------------------------------------------------------- the filters


@checkpoint("Each filter keeps the logits it should, and drops the others to -inf", atol=1e-12)
def filters(lib, logits, name, value):
    module = lib.nets.sample
    apply = {
        "temperature": module.scale,
        "top-k": module.keep_top_k,
        "top-p": module.keep_top_p,
        "min-p": module.keep_min_p,
    }[name]
    return apply(torch.from_numpy(logits), value).numpy()


def draw_logits(draw, rows, tokens):
    return draw.choice([1.0, 3.0, 0.3]) * draw.normal(rows, tokens)


@filters.cases
def _(draw):
    name = draw.choice(["temperature", "top-k", "top-p", "min-p"])
    value = {
        "temperature": draw.choice([0.5, 2.0, 0.0, draw.log_uniform(0.1, 10.0)]),
        "top-k": draw.integer(0, 6),
        "top-p": draw.uniform(0.05, 0.999),
        "min-p": draw.uniform(0.01, 0.99),
    }[name]
    return dict(logits=draw_logits(draw, draw.integer(1, 3), draw.integer(2, 9)), name=name, value=value)


@filters.edges
def _():
    row = np.log(np.array([[0.1, 0.6, 0.3]]))
    ties = np.array([[1.0, 2.0, 0.0, 2.0, 1.0, 1.0]])
    cases = [("temperature", 2.0), ("temperature", 0.0), ("top-k", 1), ("top-k", 2), ("top-k", 3), ("top-p", 0.5)]
    cases += [("top-p", 0.7), ("top-p", 0.95), ("top-p", 1.0), ("min-p", 0.4), ("min-p", 0.9), ("min-p", 0.0)]
    tied = [("temperature", 0.0), ("top-k", 1), ("top-k", 3), ("top-p", 0.1), ("min-p", 1.0)]
    return [dict(logits=row, name=name, value=value) for name, value in cases] + [
        dict(logits=ties, name=name, value=value) for name, value in tied
    ]


@filters.oracle
def _(logits, name, value):
    out = np.full_like(logits, -np.inf)
    for row, kept in zip(logits, out):
        p = np.exp(log_softmax(row))
        order = sorted(range(len(row)), key=lambda i: (-row[i], i))
        if name == "temperature":
            if value == 0:
                kept[order[0]] = 0.0
            else:
                kept[:] = row / value
            continue
        if name == "top-k":
            stay = [i for i in order if value == 0 or value >= len(row) or row[i] >= row[order[value - 1]]]
        elif name == "top-p":
            stay, total = [], 0.0
            for i in order:
                if total < value or value == 1:
                    stay.append(i)
                    total += p[i]
        else:
            stay = [i for i in order if p[i] >= value * p.max()]
        kept[stay] = row[stay]
    return out


@filters.shown
def _(logits, name, value):
    p = np.round(np.exp(log_softmax(logits)), 3).tolist()
    return f"{name} {value:g} on logits {np.round(logits, 3).tolist()}\n# their softmax: {p}"


@checkpoint("Together: temperature, top-k, top-p, min-p, each on what the one before it left", atol=1e-9)
def composed(lib, logits, settings):
    return lib.nets.sample.warp(torch.from_numpy(logits), **settings).softmax(dim=-1).numpy()


@composed.cases
def _(draw):
    settings = {
        "temperature": draw.choice([1.0, 0.5, 2.0, 3.0]),
        "top_k": draw.choice([3, 0, 2, 5]),
        "top_p": draw.choice([0.8, 1.0, 0.6, 0.9]),
        "min_p": draw.choice([0.0, 0.1, 0.3, 0.5]),
    }
    return dict(logits=draw_logits(draw, draw.integer(1, 3), draw.integer(4, 10)), settings=settings)


@composed.edges
def _():
    row = np.log(np.array([[0.4, 0.3, 0.2, 0.1]]))
    settings = [
        dict(),
        dict(temperature=0.0, top_p=0.5, min_p=0.5),
        dict(top_k=2, top_p=0.5),  # of the two that are left the first has 4/7, which is enough; of all it has 0.4
        dict(temperature=2.0, top_p=0.69),  # flattened, three reach 0.69 only just above; before that, two
        dict(temperature=0.25, min_p=0.3),  # sharpened, the second is at 0.32 of the first
        dict(temperature=0.5, top_k=3, top_p=0.9, min_p=0.2),
    ]
    return [dict(logits=row, settings=each) for each in settings]


@composed.oracle
def _(logits, settings):
    out = []
    for row in logits:
        temperature, left = settings.get("temperature", 1.0), list(range(len(row)))
        order = sorted(left, key=lambda i: (-row[i], i))
        if temperature == 0:
            out.append(np.eye(len(row))[order[0]])
            continue
        weight = np.exp((row - row.max()) / temperature)
        k, p, least = settings.get("top_k", 0), settings.get("top_p", 1.0), settings.get("min_p", 0.0)
        left = order[: k or len(row)]
        if p < 1:
            total, need = 0.0, p * weight[left].sum()
            reached = 0
            while total < need:
                total += weight[left[reached]]
                reached += 1
            left = left[:reached]
        left = [i for i in left if weight[i] >= least * weight[left[0]]]
        share = np.zeros(len(row))
        share[left] = weight[left] / weight[left].sum()
        out.append(share)
    return np.array(out)


@composed.shown
def _(logits, settings):
    written = ", ".join(f"{name}={value}" for name, value in settings.items())
    return f"warp(logits, {written}).softmax(-1), logits = {np.round(logits, 3).tolist()}"


@checkpoint("Settings that mean nothing are refused")
def refused(lib, name, value):
    module = lib.nets.sample
    apply = {
        "temperature": module.scale,
        "top-k": module.keep_top_k,
        "top-p": module.keep_top_p,
        "min-p": module.keep_min_p,
    }[name]
    try:
        apply(torch.zeros(1, 3), value)
    except ValueError:
        return "ValueError"
    return "accepted"


@refused.edges
def _():
    wrong = [("temperature", -1.0), ("top-k", -1), ("top-p", 0.0), ("top-p", 1.5), ("min-p", -0.5), ("min-p", 1.5)]
    right = [("temperature", 0.0), ("top-k", 0), ("top-p", 1.0), ("min-p", 0.0), ("min-p", 1.0)]
    return [dict(name=name, value=value) for name, value in wrong + right]


@refused.oracle
def _(name, value):
    right = {"temperature": value >= 0, "top-k": value >= 0, "top-p": 0 < value <= 1, "min-p": 0 <= value <= 1}
    return "accepted" if right[name] else "ValueError"


@checkpoint("What is drawn depends on the generator that is given, and on no other", count=4)
def repeated(lib, logits, seed):
    many = torch.from_numpy(logits).expand(64, -1)
    tokens = []
    for outside in (1, 2):
        torch.manual_seed(outside)
        tokens.append(lib.nets.sample.draw(many, torch.Generator().manual_seed(seed)))
    return {"same": bool(torch.equal(*tokens))}


@repeated.cases
def _(draw):
    return dict(logits=0.3 * draw.normal(draw.integer(2, 6)), seed=draw.seed())


@repeated.oracle
def _(logits, seed):
    return {"same": True}


@checkpoint("Tokens are drawn as their softmax says, each row for itself", count=6, seconds=4.0)
def drawn(lib, logits, seed):
    counts = []
    for row in (0, 1):
        many = torch.from_numpy(
            np.where(np.arange(8000)[:, None] % 2 == row, logits[row], logits[1 - row])
        )  # (8000, V)
        tokens = lib.nets.sample.draw(many, torch.Generator().manual_seed(seed))
        counts.append(np.bincount(tokens.numpy()[row::2], minlength=logits.shape[1]))
    return {"counts": np.array(counts)}


@drawn.cases
def _(draw):
    logits = 1.5 * draw.normal(2, draw.integer(2, 6))
    logits[0, 0] = -np.inf
    return dict(logits=logits, seed=draw.seed())


@drawn.accepts
def _(got, logits, seed):
    if np.shape(got["counts"]) != logits.shape or not np.all(np.sum(got["counts"], axis=1) == 4000):
        return "draw returns one token of 0 to V - 1 for each row, shape (B,)"
    for counts, row in zip(got["counts"], logits):
        if (says := unlike(counts, np.exp(log_softmax(row)), "token")) is not True:
            return says
    return True


# ------------------------------------------------------------------------------------------------------------- the cache


@checkpoint("The cache hands back what was put in: in order, after cropping, and with rows rearranged", atol=0.0)
def kept(lib, layers, heads, width, room, batch, steps, seed):
    config = SimpleNamespace(layers=layers, heads=2 * heads, kv_heads=heads, width=2 * heads * width, context=room)
    cache = lib.nets.cache.KVCache(config, batch, dtype=torch.float64)
    rng = np.random.default_rng(seed)
    found, lengths = [], []
    for what, value in steps:
        if what == "tokens":
            for layer in range(layers):
                k, v = rng.standard_normal((2, batch, heads, value, width))
                pair = cache.extend(layer, torch.from_numpy(k), torch.from_numpy(v))
                found.append([each.numpy().copy() for each in pair])
            cache.advance(value)
        elif what == "crop":
            cache.crop(value)
        else:
            cache.reorder(torch.tensor(value))
            batch = len(value)
        lengths.append(cache.length)
    return {"found": found, "lengths": lengths}


@kept.cases
def _(draw):
    batch, length, steps = draw.integer(1, 3), 0, []
    rows = batch
    for _ in range(draw.integer(1, 6)):
        what = draw.choice(["tokens", "tokens", "crop", "rows"])
        if what == "tokens" and length < 12:
            value = draw.integer(1, min(4, 12 - length))
            length += value
        elif what == "rows":
            value = [draw.integer(0, rows - 1) for _ in range(draw.integer(1, 4))]
            rows = len(value)
        else:
            what, value = "crop", draw.integer(0, length)
            length = value
        steps.append([what, value])
    steps.append(["tokens", 1])
    shape = dict(layers=draw.integer(1, 3), heads=draw.integer(1, 2), width=draw.integer(1, 3))
    return dict(**shape, room=13, batch=batch, steps=steps, seed=draw.seed())


@kept.edges
def _():
    small = dict(layers=1, heads=1, width=1, room=4, batch=1, seed=0)
    return [
        small | dict(steps=[["tokens", 1]]),
        small | dict(steps=[["tokens", 2], ["tokens", 2]]),
        small | dict(steps=[["tokens", 3], ["crop", 1], ["tokens", 1]]),
        small | dict(layers=2, steps=[["tokens", 2], ["tokens", 1]]),
        small
        | dict(batch=2, steps=[["tokens", 1], ["rows", [1, 0]], ["tokens", 1], ["rows", [1, 1, 0]], ["tokens", 1]]),
    ]


@kept.oracle
def _(layers, heads, width, room, batch, steps, seed):
    rng = np.random.default_rng(seed)
    kept = [[np.zeros((batch, heads, 0, width))] * 2 for _ in range(layers)]
    found, lengths = [], []
    for what, value in steps:
        for layer in range(layers):
            if what == "tokens":
                pair = rng.standard_normal((2, batch, heads, value, width))
                kept[layer] = [np.concatenate([old, new], axis=2) for old, new in zip(kept[layer], pair)]
                found.append(list(kept[layer]))
            elif what == "crop":
                kept[layer] = [old[:, :, :value] for old in kept[layer]]
            else:
                kept[layer] = [old[value] for old in kept[layer]]
        batch = len(value) if what == "rows" else batch
        lengths.append(kept[0][0].shape[2])
    return {"found": found, "lengths": lengths}


@checkpoint("A cache that is full says so, and none is cropped to more than it holds")
def full(lib, room, steps):
    config = SimpleNamespace(layers=1, heads=1, kv_heads=0, width=2, context=100)
    cache, said = lib.nets.cache.KVCache(config, 1, room), []
    for what, value in steps:
        try:
            if what == "extend":
                cache.extend(0, torch.zeros(1, 1, value, 2), torch.zeros(1, 1, value, 2))
            elif what == "advance":
                cache.advance(value)
            else:
                cache.crop(value)
            said.append("fine")
        except ValueError:
            said.append("ValueError")
    return said


@full.edges
def _():
    return [
        dict(room=2, steps=[("extend", 2), ("extend", 3), ("advance", 2), ("extend", 1), ("advance", 1)]),
        dict(room=3, steps=[("advance", 2), ("crop", 3), ("crop", -1), ("crop", 1), ("extend", 2), ("extend", 3)]),
    ]


@full.oracle
def _(room, steps):
    length, said = 0, []
    for what, value in steps:
        fine = 0 <= value <= length if what == "crop" else length + value <= room
        said.append("fine" if fine else "ValueError")
        if fine and what != "extend":
            length = value if what == "crop" else length + value
    return said


@checkpoint("A GPT fed piece by piece gives the logits it gives for the whole", atol=1e-5, count=8, seconds=4.0)
def pieces(lib, config, ids, cuts, seed):
    torch.manual_seed(seed)
    gpt = lib.nets.gpt
    model = gpt.GPT(gpt.GPTConfig(vocab_size=7, zero_init=False, **config)).double().eval()
    with torch.no_grad():
        for weight in model.parameters():  # large enough that attention matters
            weight.add_(0.3 * torch.randn_like(weight))
        ids = torch.from_numpy(ids)
        whole = model(ids)
        cache = lib.nets.cache.KVCache.of(model, len(ids), ids.shape[1])
        parts = [model(part, cache=cache) for part in ids.tensor_split(cuts, dim=1)]
    return {"off by": float((torch.cat(parts, dim=1) - whole).abs().max()), "length": cache.length}


@pieces.cases
def _(draw):
    config = dict(
        context=16,
        layers=draw.integer(1, 3),
        heads=4,
        width=16,
        kv_heads=draw.choice([0, 2, 1]),
        position=draw.choice(["rope", "learned"]),
        norm=draw.choice(["rms", "layer"]),
    )
    n = draw.integer(2, 16)
    cuts = sorted({draw.integer(1, n - 1) for _ in range(draw.integer(1, 5))})
    return dict(config=config, ids=draw.integers(0, 6, draw.integer(1, 3), n), cuts=cuts, seed=draw.seed())


@pieces.edges
def _():
    ids = np.array([[1, 2, 3, 4, 5, 6], [6, 0, 6, 0, 1, 1]])
    config = dict(context=8, layers=2, heads=2, width=8)
    return [
        dict(config=config | dict(position=position, kv_heads=1), ids=ids, cuts=[1, 2, 3, 4, 5], seed=1)
        for position in ("rope", "learned")
    ]


@pieces.oracle
def _(config, ids, cuts, seed):
    return {"off by": 0.0, "length": ids.shape[1]}


# --------------------------------------------------------------------------------------------------------------- writing


def write(lib, table, context, ids, count, settings, training=False):
    model = Echo(table, context)
    model.train(training)
    out = lib.nets.sample.generate(model, torch.from_numpy(ids), count, **settings)
    return {"ids": out.numpy(), "positions": model.positions, "calls": model.calls, "training": model.training}


@checkpoint("Greedy text is what reading everything again at each step gives, beyond the window too", count=40)
def greedy(lib, table, context, ids, count, cache, stop, training):
    got = write(lib, table, context, ids, count, dict(temperature=0.0, cache=cache, stop=stop), training)
    return {"ids": got["ids"], "training": got["training"]}


@greedy.cases
def _(draw):
    tokens = draw.integer(2, 6)
    return dict(
        table=2 * draw.normal(tokens, tokens),
        context=draw.integer(1, 9),
        ids=draw.integers(0, tokens - 1, draw.integer(1, 3), draw.integer(1, 6)),
        count=draw.integer(0, 14),
        cache=draw.boolean(),
        stop=draw.choice([None, None, 0, [0, 1]]),
        training=draw.boolean(0.3),
    )


@greedy.edges
def _():
    table = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.5, 0.0, 0.0]])
    prompts = np.array([[0], [1]])
    case = dict(table=table, context=20, ids=prompts, count=4, cache=True, stop=None, training=False)
    return [
        case,
        case | dict(cache=False),
        case | dict(stop=2),  # the second row stops first, and waits
        case | dict(context=3),
        case | dict(context=3, ids=np.array([[0, 1, 2, 2, 1]])),
        case | dict(ids=np.array([[0, 1, 0, 1]]), count=1),
    ]


@greedy.oracle
def _(table, context, ids, count, cache, stop, training):
    stops = [] if stop is None else np.atleast_1d(stop).tolist()
    rows, done = [list(row) for row in ids], [False] * len(ids)
    for _ in range(count):
        if all(done):
            break
        for i, row in enumerate(rows):
            token = row[-1] if done[i] else int(np.argmax(echoed(table, seen(row, context))))
            done[i] = token in stops
            row.append(token)
    return {"ids": np.array(rows), "training": training}


@checkpoint(
    "Drawn text is distributed as the filtered model says, and is the same with and without a cache",
    count=6,
    seconds=4.0,
)
def written(lib, table, ids, settings, seed):
    tokens = len(table)
    many = np.tile(ids, (1200, 1))
    texts = []
    for cache in (True, False):
        generator = torch.Generator().manual_seed(seed)
        texts.append(write(lib, table, 8, many, 2, dict(cache=cache, generator=generator, **settings))["ids"])
    pairs = texts[0][:, -2] * tokens + texts[0][:, -1]
    return {"same": bool(np.array_equal(*texts)), "counts": np.bincount(pairs, minlength=tokens**2)}


@written.cases
def _(draw):
    tokens = draw.integer(2, 4)
    settings = draw.choice([{}, {"temperature": 0.5}, {"top_k": 2}, {"top_p": 0.7, "temperature": 2.0}, {"min_p": 0.3}])
    ids = draw.integers(0, tokens - 1, 1, draw.integer(1, 3))
    return dict(table=draw.normal(tokens, tokens), ids=ids, settings=settings, seed=draw.seed())


@written.accepts
def _(got, table, ids, settings, seed):
    if not got["same"]:
        return "with one generator, the tokens with a cache are not those without"
    chances = []
    for first in range(len(table)):
        one = the_filtered(echoed(table, ids[0]), settings)[first]
        chances.append(one * the_filtered(echoed(table, [*ids[0], first]), settings))
    return unlike(got["counts"], chances, "pair")


def the_filtered(row, settings):
    weight = np.exp((row - row.max()) / settings.get("temperature", 1.0))
    order = np.argsort(-row, kind="stable")
    left = order[: settings.get("top_k", 0) or len(row)]
    share = np.cumsum(weight[left]) / weight[left].sum()
    left = left[: int(np.sum(share < settings.get("top_p", 1.0))) + 1]
    left = left[weight[left] >= settings.get("min_p", 0.0) * weight[left[0]]]
    out = np.zeros(len(row))
    out[left] = weight[left] / weight[left].sum()
    return out


@checkpoint("Speed: a cached step computes one position, and the window's when the window moves", count=10)
def positions(lib, tokens, context, length, count, cache):
    ids = np.arange(length)[None] % tokens
    got = write(lib, np.eye(tokens), context, ids, count, dict(temperature=0.0, cache=cache))
    return {"positions": got["positions"], "calls": got["calls"]}


@positions.cases
def _(draw):
    length, count = draw.integer(1, 30), draw.integer(1, 60)
    context = draw.choice([128, 64, draw.integer(2, 40)])
    return dict(tokens=5, context=context, length=length, count=count, cache=True)


@positions.edges
def _():
    return [
        dict(tokens=5, context=128, length=20, count=100, cache=True),
        dict(tokens=5, context=8, length=3, count=20, cache=True),
        dict(tokens=5, context=128, length=1, count=1, cache=True),
    ]


@positions.accepts
def _(got, tokens, context, length, count, cache):
    spent, before = 0, None
    for n in range(length, length + count):
        window = len(seen(list(range(n)), context))
        spent += 1 if before is not None and window == before + 1 else window
        before = window
    if got["calls"] != count:
        return f"{count} tokens take {count} calls of the model; it was called {got['calls']} times"
    if got["positions"] > spent:
        return f"{got['positions']} positions were computed for {count} tokens after {length}; {spent} are enough"
    return True


@checkpoint("A stream hands out each token before the next is computed", count=5)
def streamed(lib, table, ids, count):
    model, calls, tokens = Echo(table, 32), [], []
    for token in lib.nets.sample.stream(model, torch.from_numpy(ids), count, temperature=0.0):
        calls.append(model.calls)
        tokens.append(token.numpy().copy())
    return {"calls": calls, "tokens": np.array(tokens)}


@streamed.cases
def _(draw):
    tokens = draw.integer(2, 5)
    ids = draw.integers(0, tokens - 1, draw.integer(1, 3), draw.integer(1, 4))
    return dict(table=2 * draw.normal(tokens, tokens), ids=ids, count=draw.integer(1, 6))


@streamed.oracle
def _(table, ids, count):
    rows = [list(row) for row in ids]
    for row in rows:
        for _ in range(count):
            row.append(int(np.argmax(echoed(table, row))))
    return {"calls": list(range(1, count + 1)), "tokens": np.array(rows)[:, -count:].T}


# ------------------------------------------------------------------------------------------------------------------ beams


def search(lib, table, ids, count, settings):
    model = Echo(table, ids.shape[1] + count)
    found = lib.nets.beam.beam_search(model, torch.from_numpy(ids), count, **settings)
    return {
        "tokens": [list(each.tokens) for each in found],
        "log-probabilities": [float(each.log_probability) for each in found],
        "scores": [float(each.score) for each in found],
        "calls": model.calls,
    }


def told(found, beams, alpha):
    """Pairs (tokens, log-probability) as beam search returns them: sorted by score, the best `beams`."""
    scored = [(list(t), float(s), float(s) / ((5 + len(t)) / 6) ** alpha) for t, s in found]
    best = sorted(scored, key=lambda each: -each[2])[:beams]
    tokens, totals, scores = zip(*best)
    return {"tokens": list(tokens), "log-probabilities": list(totals), "scores": list(scores)}


def draw_search(draw, most):
    tokens = draw.integer(2, most)
    return dict(
        table=2 * draw.normal(tokens, tokens),
        ids=draw.integers(0, tokens - 1, 1, draw.integer(1, 3)),
        count=draw.integer(1, 4),
        alpha=draw.choice([0.0, 0.6, 1.0, 2.0]),
        stop=draw.choice([0, None, 1]),
    )


@checkpoint("With beams enough, beam search finds what trying every text finds", atol=1e-9, count=12, seconds=4.0)
def exhaustive(lib, table, ids, count, alpha, stop):
    got = search(lib, table, ids, count, dict(beams=len(table) ** count, alpha=alpha, stop=stop))
    got.pop("calls")
    return {name: value[:5] for name, value in got.items()}


@exhaustive.cases
def _(draw):
    return draw_search(draw, 3)


@exhaustive.edges
def _():
    table = np.log(np.array([[0.5, 0.4, 0.1], [0.1, 0.45, 0.45], [0.05, 0.9, 0.05]]))
    return [dict(table=table, ids=np.array([[0]]), count=2, alpha=alpha, stop=1) for alpha in (0.0, 1.0)]


@exhaustive.oracle
def _(table, ids, count, alpha, stop):
    texts = []
    for n in range(1, count + 1):
        for text in itertools.product(range(len(table)), repeat=n):
            if stop in text[:-1] or (n < count and text[-1] != stop):
                continue
            total, row = 0.0, ids[0].tolist()
            for token in text:
                total += log_softmax(echoed(table, row))[token]
                row.append(token)
            texts.append((text, total))
    return told(texts, 5, alpha)


@checkpoint("A narrow beam keeps the best beginnings of each step, and stops when nothing can be better", atol=1e-9)
def narrow(lib, table, ids, count, alpha, stop, beams):
    return search(lib, table, ids, count, dict(beams=beams, alpha=alpha, stop=stop))


@narrow.cases
def _(draw):
    return draw_search(draw, 6) | dict(beams=draw.integer(1, 4), count=draw.integer(1, 7))


@narrow.edges
def _():
    table = np.log(np.array([[0.05, 0.5, 0.45], [0.4, 0.35, 0.25], [0.04, 0.06, 0.9]]))
    case = dict(table=table, ids=np.array([[0]]), count=3, alpha=0.0, stop=None)
    return [case | dict(beams=1), case | dict(beams=2), case | dict(beams=2, stop=0, alpha=1.0, count=6)]


@narrow.oracle
def _(table, ids, count, alpha, stop, beams):
    live, finished, calls = [([], 0.0)], [], 0
    for _ in range(count):
        calls += 1
        candidates = []
        for text, total in live:
            steps = log_softmax(echoed(table, [*ids[0].tolist(), *text]))
            candidates += [([*text, token], total + step) for token, step in enumerate(steps)]
        candidates.sort(key=lambda each: -each[1])
        finished += [each for each in candidates[:beams] if each[0][-1] == stop]
        finished.sort(key=lambda each: -each[1] / ((5 + len(each[0])) / 6) ** alpha)
        finished = finished[:beams]
        live = [each for each in candidates if each[0][-1] != stop][:beams]
        if len(finished) == beams:
            text, total = finished[-1]
            if total / ((5 + len(text)) / 6) ** alpha >= live[0][1] / ((5 + count) / 6) ** alpha:
                live = []
                break
    return told(finished + live, beams, alpha) | {"calls": calls}


# ------------------------------------------------------------------------------------------------------------ speculating


@checkpoint("What is accepted and what replaces the rejected add up to the target's distribution", atol=1e-12)
def rule(lib, p, q):
    module = lib.nets.speculative
    p, q = torch.from_numpy(p), torch.from_numpy(q)
    accept, residual = module.acceptance(p, q), module.residual(p, q)
    rejected = 1 - (q * accept).sum(dim=-1, keepdim=True)
    return {
        "acceptance": accept.numpy(),
        "residual": residual.numpy(),
        "together": (q * accept + rejected * residual).numpy(),
    }


def draw_chances(draw, *shape):
    chances = np.exp(draw.choice([1.0, 3.0]) * draw.normal(*shape))
    if draw.boolean(0.3):  # something has been filtered out
        chances[..., draw.integer(0, shape[-1] - 1)] = 0.0
    return chances / chances.sum(axis=-1, keepdims=True)


@rule.cases
def _(draw):
    rows, tokens = draw.integer(1, 3), draw.integer(2, 5)
    return dict(p=draw_chances(draw, rows, tokens), q=draw_chances(draw, rows, tokens))


@rule.edges
def _():
    p, q = np.array([0.5, 0.375, 0.125]), np.array([0.25, 0.25, 0.5])
    return [
        dict(p=p, q=q),
        dict(p=p, q=p),
        dict(p=np.array([1.0, 0.0]), q=np.array([0.0, 1.0])),
        dict(p=np.eye(2), q=np.eye(2)),
    ]


@rule.oracle
def _(p, q):
    accept = np.ones_like(p)
    np.divide(p, q, out=accept, where=q > 0)
    left = np.maximum(p - q, 0)
    total = left.sum(axis=-1, keepdims=True)
    return {
        "acceptance": np.minimum(accept, 1.0),
        "residual": np.where(total > 0, left / np.where(total > 0, total, 1.0), p),
        "together": p,
    }


@checkpoint("Proposals are kept up to the first rejection, and one token follows", count=8, seconds=4.0)
def verified(lib, p, q, proposed, seed):
    rows, tokens = 20_000, p.shape[1]
    many = [torch.from_numpy(each).expand(rows, *each.shape) for each in (p, q, proposed)]
    accepted, following = lib.nets.speculative.verify(*many, torch.Generator().manual_seed(seed))
    cells = accepted.numpy() * tokens + following.numpy()
    return {"counts": np.bincount(cells, minlength=len(p) * tokens)}


@verified.cases
def _(draw):
    k, tokens = draw.integer(1, 4), draw.integer(2, 4)
    q = np.exp(draw.normal(k, tokens))
    q, p = q / q.sum(axis=-1, keepdims=True), draw_chances(draw, k + 1, tokens)
    return dict(p=p, q=q, proposed=draw.integers(0, tokens - 1, k), seed=draw.seed())


@verified.edges
def _():
    p = np.array([[0.6, 0.3, 0.1], [0.2, 0.2, 0.6], [0.1, 0.8, 0.1]])
    q = np.array([[0.2, 0.3, 0.5], [0.5, 0.3, 0.2]])
    return [dict(p=p, q=q, proposed=np.array(each), seed=3) for each in ([2, 0], [0, 2], [1, 1])] + [
        dict(p=p, q=p[:2], proposed=np.array([1, 1]), seed=3)
    ]


@verified.accepts
def _(got, p, q, proposed, seed):
    k, tokens = q.shape
    chances, so_far = np.zeros((k + 1, tokens)), 1.0
    for i, token in enumerate(proposed):
        kept = min(1.0, p[i, token] / q[i, token])
        left = np.maximum(p[i] - q[i], 0)
        chances[i] = so_far * (1 - kept) * (left / left.sum() if left.sum() > 1e-12 else p[i])
        so_far *= kept
    chances[k] = so_far * p[k]
    if np.shape(got["counts"]) != ((k + 1) * tokens,):
        return f"accepted is 0 to {k}, and the token that follows 0 to {tokens - 1}"
    return unlike(got["counts"], chances, f"of the pairs (accepted, next), numbered accepted * {tokens} + next,")


def speculated(lib, draft, target, ids, count, k, settings, seed):
    models = [Echo(table, ids.shape[1] + count) for table in (draft, target)]
    out = lib.nets.speculative.speculate(
        *models, torch.from_numpy(ids), count, k=k, generator=torch.Generator().manual_seed(seed), **settings
    )
    return out, models


@checkpoint("Greedy and speculative is greedy, whatever the draft proposes, in as few calls as it can be", count=25)
def greedily(lib, draft, target, ids, count, k):
    out, models = speculated(lib, draft, target, ids, count, k, {"temperature": 0.0}, 0)
    return {
        "ids": out.ids.numpy(),
        "accepted": out.accepted,
        "proposed": out.proposed,
        "calls": out.calls,
        "calls counted": models[1].calls,
        "positions of the target": models[1].positions,
    }


@greedily.cases
def _(draw):
    tokens = draw.integer(2, 5)
    target = 2 * draw.normal(tokens, tokens)
    draft = target + draw.choice([0.0, 0.5, 2.0, 5.0]) * draw.normal(tokens, tokens)
    ids = draw.integers(0, tokens - 1, 1, draw.integer(1, 4))
    return dict(draft=draft, target=target, ids=ids, count=draw.integer(0, 16), k=draw.integer(1, 5))


@greedily.edges
def _():
    target = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.5, 0.0, 0.0]])
    case = dict(target=target, ids=np.array([[0]]), count=5, k=2)
    return [case | dict(draft=target), case | dict(draft=-target), case | dict(draft=target[:, ::-1].copy(), count=1)]


@greedily.oracle
def _(draft, target, ids, count, k):
    def best(table, row):
        return int(np.argmax(echoed(table, row)))

    row, end = ids[0].tolist(), ids.shape[1] + count
    accepted = proposed = calls = positions = 0
    while len(row) < end:
        written = list(row)
        for _ in range(min(k, end - len(row) - 1)):
            written.append(best(draft, written))
        right = 0
        while (
            len(row) + right < len(written) and best(target, written[: len(row) + right]) == written[len(row) + right]
        ):
            right += 1
        proposed, accepted, calls = proposed + len(written) - len(row), accepted + right, calls + 1
        positions += len(written) - (len(row) - 1 if calls > 1 else 0)
        row = written[: len(row) + right]
        row.append(best(target, row))
    return {
        "ids": np.array([row]),
        "accepted": accepted,
        "proposed": proposed,
        "calls": calls,
        "calls counted": calls,
        "positions of the target": positions,
    }


@checkpoint("Speculative text is distributed as the target's", count=2, seconds=8.0)
def faithful(lib, draft, target, count, k, settings, seed):
    tokens, counts = len(target), np.zeros(len(target) ** count, dtype=np.int64)
    models = [Echo(table, 1 + count) for table in (draft, target)]
    generator = torch.Generator().manual_seed(seed)
    for _ in range(120):
        out = lib.nets.speculative.speculate(
            *models, torch.zeros(1, 1, dtype=torch.int64), count, k=k, generator=generator, **settings
        )
        counts[int(out.ids[0, 1:] @ tokens ** torch.arange(count - 1, -1, -1))] += 1
    return {"counts": counts}


@faithful.cases
def _(draw):
    settings = draw.choice([{}, {"temperature": 0.5}, {"top_k": 2}])
    return dict(draft=draw.normal(3, 3), target=draw.normal(3, 3), count=2, k=2, settings=settings, seed=draw.seed())


@faithful.edges
def _():
    target = np.log(np.array([[0.7, 0.2, 0.1], [0.2, 0.7, 0.1], [0.1, 0.2, 0.7]]))
    draft = np.log(np.array([[0.1, 0.2, 0.7], [0.1, 0.2, 0.7], [0.7, 0.2, 0.1]]))
    return [
        dict(draft=draft, target=target, count=3, k=2, settings={}, seed=5),
        dict(draft=draft, target=target, count=2, k=4, settings={"temperature": 2.0, "top_k": 2}, seed=5),
    ]


@faithful.accepts
def _(got, draft, target, count, k, settings, seed):
    chances = []
    for text in itertools.product(range(len(target)), repeat=count):
        row, chance = [0], 1.0
        for token in text:
            chance *= the_filtered(echoed(target, row), settings)[token]
            row.append(token)
        chances.append(chance)
    return unlike(got["counts"], chances, "text")


@checkpoint("Searches and drafts refuse what they cannot do")
def declined(lib, what, shape, count, context, settings):
    model, ids = Echo(np.eye(3), context), torch.zeros(shape, dtype=torch.int64)
    try:
        if what == "beam":
            lib.nets.beam.beam_search(model, ids, count, **settings)
        elif what == "draft":
            lib.nets.speculative.speculate(model, Echo(np.eye(3), 50), ids, count, **settings)
        else:
            lib.nets.sample.generate(model, ids, count, **settings)
    except ValueError:
        return "ValueError"
    return "accepted"


@declined.edges
def _():
    beam, draft = dict(what="beam", context=8, count=2), dict(what="draft", context=8, count=2)
    none, two, one = [1, 0], [2, 2], [1, 6]
    return [
        *(case | dict(shape=shape, settings={}) for case in (beam, draft) for shape in (none, two, one)),
        *(case | dict(shape=[1, 7], settings={}) for case in (beam, draft)),
        *(beam | dict(shape=one, settings=each) for each in ({"beams": 0}, {"alpha": -1.0})),
        draft | dict(shape=one, settings={"k": 0}),
        dict(what="text", context=8, count=2, shape=none, settings={}),
    ]


@declined.oracle
def _(what, shape, count, context, settings):
    return "accepted" if shape == [1, 6] and not settings else "ValueError"
