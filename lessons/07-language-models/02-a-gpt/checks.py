"""What is asked of lesson 7.2: a block, a model, its start, its loss and its voice, against a second transformer written here."""

import numpy as np
import torch

from groundup.course import checkpoint

NORMS = {"layer": ["weight", "bias"], "rms": ["weight"]}


# ------------------------------------------------------------------------------------------------- cases


def full(fields):
    """The fields of a configuration with every default that the model's shapes depend on."""
    plain = dict(kv_heads=0, hidden=0, position="rope", norm="rms", mlp="relu2", bias=False, tied=False, qk_norm=True)
    rest = dict(zero_init=True, softcap=0.0, bigram=False, before=0, value_embeddings=False, dropout=0.0)
    return plain | rest | fields


def block_shapes(fields):
    """{name: shape} of one block's parameters."""
    f = full(fields)
    C = f["width"]
    K = (f["kv_heads"] or f["heads"]) * C // f["heads"]
    H = f["hidden"] or (-(-C // 24) * 64 if f["mlp"] == "swiglu" else 4 * C)
    matrices = {"attention.qkv": (C + 2 * K, C), "attention.out": (C, C), "mlp.up": (H, C), "mlp.down": (C, H)}
    if f["mlp"] == "swiglu":
        matrices["mlp.gate"] = (H, C)
    shapes = {f"{name}.weight": shape for name, shape in matrices.items()}
    if f["bias"]:
        shapes |= {f"{name}.bias": shape[:1] for name, shape in matrices.items()}
    shapes |= {f"{norm}.weight": (C,) for norm in ("norm1", "norm2")}
    if f["norm"] == "layer" and f["bias"]:
        shapes |= {f"{norm}.bias": (C,) for norm in ("norm1", "norm2")}
    if f["value_embeddings"]:
        shapes["attention.value_scale"] = (1,)
    return shapes


def shapes(fields):
    """{name: shape} of all that model.state_dict() holds; a tied head stands there twice."""
    f = full(fields)
    V, C = f["vocab_size"], f["width"]
    found = {"tokens.weight": (V, C), "head.weight": (V, C), "norm.weight": (C,)}
    if f["position"] == "learned":
        found["positions.weight"] = (f["context"], C)
    if f["norm"] == "layer" and f["bias"]:
        found["norm.bias"] = (C,)
    if f["bigram"]:
        found["bigrams.weight"] = (V * V, C)
    found |= {f"earlier.{k}.weight": (V, C) for k in range(f["before"])}
    if f["value_embeddings"]:
        found["values.weight"] = (V, (f["kv_heads"] or f["heads"]) * C // f["heads"])
    inside = block_shapes(fields)
    return found | {f"blocks.{i}.{name}": shape for i in range(f["layers"]) for name, shape in inside.items()}


def weights_for(wanted, seed, tied=False):
    """{name: array} in float32: matrices that keep the size of what passes, gains near 1, and nothing that is 0."""
    rng = np.random.default_rng(seed)
    found = {}
    for name, shape in wanted.items():
        noise = rng.standard_normal(shape)
        if name.endswith("bias") or (len(shape) == 1 and "norm" not in name):
            values = 0.3 * noise
        elif len(shape) == 1:
            values = 1.0 + 0.3 * noise
        else:
            values = noise / np.sqrt(shape[1])
        found[name] = values.astype(np.float32)
    if tied:
        found["head.weight"] = found["tokens.weight"]
    return found


def draw_fields(draw, **over):
    """A small configuration, of either recipe or between them."""
    heads = draw.choice([1, 2, 4])
    gpt2 = draw.boolean(0.4)
    fields = dict(
        vocab_size=draw.integer(2, 13),
        context=draw.integer(2, 12),
        layers=draw.integer(1, 3),
        heads=heads,
        width=heads * draw.choice([2, 4, 6]),
        position="learned" if gpt2 else draw.choice(["rope", "learned", "none"]),
        norm="layer" if gpt2 else "rms",
        mlp="gelu" if gpt2 else draw.choice(["relu2", "swiglu"]),
        bias=gpt2,
        tied=draw.boolean(0.5),
        qk_norm=not gpt2,
        zero_init=not gpt2,
    )
    if heads > 1 and draw.boolean(0.3):
        fields["kv_heads"] = heads // 2
    if draw.boolean(0.3):
        fields["softcap"] = draw.choice([1.0, 5.0])
    return fields | over


SMALLEST = dict(vocab_size=2, context=3, layers=1, heads=1, width=2, position="none", norm="rms", mlp="relu2")
EDGES = [
    SMALLEST | dict(qk_norm=False),
    SMALLEST | dict(position="learned", layers=2, tied=True),
    SMALLEST | dict(position="rope", vocab_size=5, layers=2, softcap=1.0),
    dict(vocab_size=7, context=6, layers=2, heads=2, width=8, position="learned", norm="layer", mlp="gelu", bias=True)
    | dict(tied=True, qk_norm=False, zero_init=False),
]


def draw_ids(draw, fields, B=2, T=None):
    return draw.integers(0, fields["vocab_size"] - 1, B, T or draw.integer(1, fields["context"]))


def said(fields):
    return f"GPTConfig({', '.join(f'{k}={v!r}' for k, v in fields.items())})"


# ------------------------------------------------------------------------------------------------- a second transformer


def normed(x, w, name, kind, eps):
    if kind == "layer":
        x = x - x.mean(-1, keepdim=True)
    x = x / (x.pow(2).mean(-1, keepdim=True) + eps).sqrt()
    return x * w.get(f"{name}.weight", 1.0) + w.get(f"{name}.bias", 0.0)


def linear(x, w, name):
    return x @ w[f"{name}.weight"].T + w.get(f"{name}.bias", 0.0)


def turned(x, positions):
    """x (..., T, D) as complex numbers (x_i, x_{i + D/2}), multiplied by e^(i p 10000^(-2i/D))."""
    half = x.shape[-1] // 2
    speeds = 10_000.0 ** (-torch.arange(half, dtype=torch.float64) / half)
    z = torch.complex(x[..., :half], x[..., half:]) * torch.exp(1j * positions[:, None] * speeds)
    return torch.cat([z.real, z.imag], -1)


def block_forward(f, w, x, positions, values=None):
    """x (B, T, C) in float64 through the block whose parameters w holds, a head at a time."""
    kind, eps = f["norm"], 1e-5 if f["norm"] == "layer" else 1e-6
    T, C = x.shape[1:]
    heads, D = f["heads"], C // f["heads"]
    K = f["kv_heads"] or heads
    q, k, v = linear(normed(x, w, "norm1", kind, eps), w, "attention.qkv").split([C, K * D, K * D], -1)
    if values is not None:
        v = v + w["attention.value_scale"] * values
    later = torch.ones(T, T).triu(1).bool()
    read = []
    for h in range(heads):
        g = h * K // heads
        one, two, three = (a[..., i * D : (i + 1) * D] for a, i in ((q, h), (k, g), (v, g)))
        if f["qk_norm"]:
            one, two = (normed(a, {}, "", kind, 1e-6) for a in (one, two))
        if f["position"] == "rope":
            one, two = turned(one, positions), turned(two, positions)
        scores = (one @ two.mT / D**0.5).masked_fill(later, -torch.inf)
        read.append(scores.softmax(-1) @ three)
    x = x + linear(torch.cat(read, -1), w, "attention.out")
    y = normed(x, w, "norm2", kind, eps)
    h = linear(y, w, "mlp.up")
    if f["mlp"] == "gelu":
        h = 0.5 * h * (1 + torch.tanh((2 / torch.pi) ** 0.5 * (h + 0.044715 * h**3)))
    elif f["mlp"] == "relu2":
        h = h.clamp(min=0) ** 2
    else:
        g = linear(y, w, "mlp.gate")
        h = g * torch.sigmoid(g) * h
    return x + linear(h, w, "mlp.down")


def forward(fields, w, ids):
    """Logits (B, T, V) in float64; w: {name: tensor}."""
    f = full(fields)
    ids = torch.as_tensor(ids)
    positions = torch.arange(ids.shape[1], dtype=torch.float64)
    x = w["tokens.weight"][ids]
    if f["position"] == "learned":
        x = x + w["positions.weight"][: ids.shape[1]]
    if f["bigram"]:
        before = torch.cat([torch.zeros_like(ids[:, :1]), ids[:, :-1]], 1)
        x = x + w["bigrams.weight"][before * f["vocab_size"] + ids]
    for k in range(f["before"]):
        for t in range(k + 1, ids.shape[1]):
            row = torch.zeros_like(x)
            row[:, t] = w[f"earlier.{k}.weight"][ids[:, t - k - 1]]
            x = x + row
    values = w["values.weight"][ids] if f["value_embeddings"] else None
    for i in range(f["layers"]):
        start = f"blocks.{i}."
        inside = {name[len(start) :]: p for name, p in w.items() if name.startswith(start)}
        x = block_forward(f, inside, x, positions, values)
    logits = normed(x, w, "norm", f["norm"], 1e-5 if f["norm"] == "layer" else 1e-6) @ w["head.weight"].T
    return f["softcap"] * torch.tanh(logits / f["softcap"]) if f["softcap"] else logits


def in_float64(weights, tied=False):
    w = {name: torch.tensor(a, dtype=torch.float64, requires_grad=True) for name, a in weights.items()}
    if tied:
        w["head.weight"] = w["tokens.weight"]
    return w


# ------------------------------------------------------------------------------------------------- probes


def loaded(model, weights):
    """The model with these weights; names have to fit exactly."""
    model.load_state_dict({name: torch.tensor(a) for name, a in weights.items()})
    return model


@checkpoint("A block adds attention, and then the MLP, to what passes", atol=2e-4, count=14, seconds=6.0)
def block(lib, fields, weights, x):
    config = lib.nets.gpt.GPTConfig(**fields)
    module = loaded(lib.nets.gpt.Block(config), weights)
    x = torch.tensor(x, requires_grad=True)  # (B, T, C)
    rotation = None
    if config.position == "rope":
        rotation = lib.nets.rope.Rotary(config.context, config.head_width)(0, x.shape[1])
    y = module(x, rotation)
    y.square().sum().backward()
    return {"y": y.detach().numpy(), "dx": x.grad.numpy()}


def block_case(fields, seed, T):
    x = np.random.default_rng(seed + 1).standard_normal((2, T, fields["width"])).astype(np.float32)
    return dict(fields=fields, weights=weights_for(block_shapes(fields), seed), x=x)


@block.cases
def _(draw):
    fields = draw_fields(draw)
    return block_case(fields, draw.seed(), draw.integer(1, fields["context"]))


@block.edges
def _():
    return [block_case(fields, seed, 3) for seed, fields in enumerate(EDGES)]


@block.oracle
def _(fields, weights, x):
    x = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    y = block_forward(full(fields), in_float64(weights), x, torch.arange(x.shape[1], dtype=torch.float64))
    y.square().sum().backward()
    return {"y": y.detach().float().numpy(), "dx": x.grad.float().numpy()}


@block.shown
def _(fields, weights, x):
    return f"Block({said(fields)}), given weights, on x of shape {x.shape}"


@checkpoint("The logits are those of a transformer written by other hands", atol=2e-4, count=16, seconds=6.0)
def logits(lib, fields, weights, ids):
    model = loaded(lib.nets.gpt.GPT(lib.nets.gpt.GPTConfig(**fields)), weights)
    return model(torch.tensor(ids)).detach().numpy()


def model_case(fields, seed, ids):
    return dict(fields=fields, weights=weights_for(shapes(fields), seed, full(fields)["tied"]), ids=ids)


def edge_ids(fields, B=2):
    T = fields["context"]
    return (np.arange(B * T) * 3 % fields["vocab_size"]).reshape(B, T)


@logits.cases
def _(draw):
    fields = draw_fields(draw)
    return model_case(fields, draw.seed(), draw_ids(draw, fields))


@logits.edges
def _():
    return [model_case(fields, seed, edge_ids(fields)) for seed, fields in enumerate(EDGES)]


@logits.oracle
def _(fields, weights, ids):
    return forward(fields, in_float64(weights), ids).detach().float().numpy()


@logits.shown
def _(fields, weights, ids):
    return f"GPT({said(fields)}), given weights, on ids {ids.tolist()}"


@checkpoint("No logit changes when a later token does", atol=0.0, count=10, seconds=6.0)
def causality(lib, fields, seed, ids, at):
    torch.manual_seed(seed)
    model = lib.nets.gpt.GPT(lib.nets.gpt.GPTConfig(**fields)).eval()
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.3 * torch.randn_like(p))
        other = torch.tensor(ids)
        other[:, at] = (other[:, at] + 1) % fields["vocab_size"]
        changed = (model(torch.tensor(ids)) - model(other)).abs().amax(dim=(0, 2))  # (T,)
    return {"largest change before it": float(changed[:at].max()), "changes from it on": bool(changed[at:].max() > 0)}


@causality.cases
def _(draw):
    fields = draw_fields(draw, context=draw.integer(2, 12))
    ids = draw_ids(draw, fields, T=fields["context"])
    return dict(fields=fields, seed=draw.seed(), ids=ids, at=draw.integer(1, fields["context"] - 1))


@causality.oracle
def _(**case):
    return {"largest change before it": 0.0, "changes from it on": True}


@checkpoint("The start: every standard deviation, every zero, every name", count=8, seconds=6.0)
def start(lib, fields, seed):
    torch.manual_seed(seed)
    model = lib.nets.gpt.GPT(lib.nets.gpt.GPTConfig(**fields))
    held = {id(p): p.numel() for p in model.parameters()}
    return {
        "parameters": sum(held.values()),
        "tensors": {
            name: {"shape": list(p.shape), "mean": float(p.mean()), "sd": float((p - p.mean()).square().mean().sqrt())}
            for name, p in model.state_dict().items()
        },
    }


@start.cases
def _(draw):
    fields = draw_fields(draw, vocab_size=draw.integer(20, 60), layers=draw.integer(2, 4))
    return dict(fields=fields | {"width": fields["heads"] * 16, "context": 12}, seed=draw.seed())


@start.edges
def _():
    wide = dict(vocab_size=40, context=12, layers=3, heads=2, width=32)
    gpt2 = dict(position="learned", norm="layer", mlp="gelu", bias=True, tied=True, qk_norm=False, zero_init=False)
    return [dict(fields=fields, seed=7) for fields in (wide, wide | dict(tied=True), wide | gpt2)]


@start.accepts
def _(got, fields, seed):
    f, wanted = full(fields), shapes(fields)
    if not isinstance(got, dict) or not isinstance(got.get("tensors"), dict):
        return "expected the parameters by name"
    tensors = got["tensors"]
    if set(tensors) != set(wanted):
        missing, more = sorted(set(wanted) - set(tensors)), sorted(set(tensors) - set(wanted))
        return f"the state has not the names that are asked for: missing {missing[:4]}, not expected {more[:4]}"
    for name, shape in wanted.items():
        if tensors[name]["shape"] != list(shape):
            return f"{name} has the shape {tensors[name]['shape']}, not {list(shape)}"
    for name, shape in wanted.items():
        mean, sd, n = tensors[name]["mean"], tensors[name]["sd"], int(np.prod(shape))
        if "norm" in name and name.endswith("weight"):
            expected = (1.0, 0.0)
        elif name.endswith("bias") or name.endswith("value_scale"):
            expected = (0.0, 0.0)
        elif name.endswith(("attention.out.weight", "mlp.down.weight")):
            expected = (0.0, 0.0 if f["zero_init"] else 0.02 / np.sqrt(2 * f["layers"]))
        elif name == "head.weight" and f["zero_init"] and not f["tied"]:
            expected = (0.0, 0.0)
        else:
            expected = (0.0, 0.02)
        slack = 6 * expected[1] / np.sqrt(n)  # six standard errors
        if abs(mean - expected[0]) > slack + 1e-7:
            return f"{name} starts with a mean of {mean:.4g}, not {expected[0]:g}"
        if abs(sd - expected[1]) > slack + expected[1] / n + 1e-7:
            return f"{name} starts with a standard deviation of {sd:.4g}, not {expected[1]:.4g}"
    count = sum(int(np.prod(shape)) for name, shape in wanted.items() if not (f["tied"] and name == "head.weight"))
    if got["parameters"] != count:
        return f"model.parameters() has {got['parameters']} numbers, not {count}"
    return True


@checkpoint(
    "The loss is the mean over the targets that count, and every gradient is right", atol=3e-4, count=16, seconds=6.0
)
def loss(lib, fields, weights, ids, targets):
    model = loaded(lib.nets.gpt.GPT(lib.nets.gpt.GPTConfig(**fields)), weights)
    value = model(torch.tensor(ids), torch.tensor(targets))
    value.backward()
    grads = {name: p.grad.numpy() for name, p in model.named_parameters() if p.grad is not None}
    return {"loss": float(value.detach()), "gradients": grads}


def loss_case(fields, seed, ids, targets):
    return model_case(fields, seed, ids) | {"targets": targets}


@loss.cases
def _(draw):
    fields = draw_fields(draw)
    T = draw.integer(2, fields["context"])
    targets = draw_ids(draw, fields, T=T)
    if draw.boolean(0.5):
        targets[0, draw.integer(1, T - 1) :] = -1
    return loss_case(fields, draw.seed(), draw_ids(draw, fields, T=T), targets)


@loss.edges
def _():
    cases = [
        loss_case(fields, seed, edge_ids(fields), edge_ids(fields)[::-1].copy()) for seed, fields in enumerate(EDGES)
    ]
    cases[1]["targets"][1, 1:] = -1
    return cases


@loss.oracle
def _(fields, weights, ids, targets):
    tied = full(fields)["tied"]
    w = in_float64(weights, tied)
    chances = forward(fields, w, ids).log_softmax(-1)
    counted = [-chances[b, t, k] for b, row in enumerate(targets) for t, k in enumerate(row) if k >= 0]
    value = sum(counted) / len(counted)
    value.backward()
    names = [name for name in w if not (tied and name == "head.weight")]
    return {"loss": float(value.detach()), "gradients": {n: w[n].grad.float().numpy() for n in names}}


@loss.shown
def _(fields, weights, ids, targets):
    return f"GPT({said(fields)}), given weights, on ids {ids.tolist()} with targets {targets.tolist()}"


@checkpoint("Who knows nothing loses ln V", count=8, atol=1e-5, seconds=6.0)
def first_loss(lib, fields, seed):
    torch.manual_seed(seed)
    config = lib.nets.gpt.GPTConfig(**fields)
    model = lib.nets.gpt.GPT(config)
    ids = torch.randint(config.vocab_size, (8, config.context + 1))
    return float(model(ids[:, :-1], ids[:, 1:]).detach())


@first_loss.cases
def _(draw):
    fields = draw_fields(draw, zero_init=True, tied=False, vocab_size=draw.integer(2, 1000), context=12)
    return dict(fields=fields, seed=draw.seed())


@first_loss.oracle
def _(fields, seed):
    return float(np.log(fields["vocab_size"]))


class Recorder:
    """A cache that keeps what it is given, and writes down who called it."""

    def __init__(self):
        self.length, self.kept, self.calls = 0, {}, []

    def extend(self, layer, k, v):
        self.calls.append(["extend", layer, list(k.shape)])
        if layer in self.kept:
            k, v = torch.cat([self.kept[layer][0], k], 2), torch.cat([self.kept[layer][1], v], 2)
        self.kept[layer] = (k, v)
        return k, v

    def advance(self, t):
        self.calls.append(["advance", t])
        self.length += t


@checkpoint("With a cache, pieces of a text give what the whole gives", atol=2e-4, count=12, seconds=6.0)
def cached(lib, fields, weights, ids, pieces):
    model = loaded(lib.nets.gpt.GPT(lib.nets.gpt.GPTConfig(**fields)), weights).eval()
    cache, found = Recorder(), []
    with torch.no_grad():
        for piece in torch.tensor(ids).split(pieces, dim=1):
            found.append(model(piece, cache=cache))
    return {"logits": torch.cat(found, 1).numpy(), "calls": cache.calls}


def cut(T, first):
    return [first, *[1] * (T - first)] if first < T else [T]


@cached.cases
def _(draw):
    fields = draw_fields(draw)
    ids = draw_ids(draw, fields)
    return model_case(fields, draw.seed(), ids) | {"pieces": cut(ids.shape[1], draw.integer(1, ids.shape[1]))}


@cached.edges
def _():
    return [
        model_case(fields, seed, edge_ids(fields)) | {"pieces": cut(fields["context"], 1 + seed % 2)}
        for seed, fields in enumerate(EDGES)
    ]


@cached.oracle
def _(fields, weights, ids, pieces):
    f = full(fields)
    shape = [len(ids), f["kv_heads"] or f["heads"], 0, f["width"] // f["heads"]]
    calls = []
    for t in pieces:
        calls += [["extend", layer, [*shape[:2], t, shape[3]]] for layer in range(f["layers"])]
        calls.append(["advance", t])
    return {"logits": forward(fields, in_float64(weights), ids).detach().float().numpy(), "calls": calls}


@cached.shown
def _(fields, weights, ids, pieces):
    return f"GPT({said(fields)}), given weights, on ids {ids.tolist()} in pieces of {pieces} tokens, with a cache"


@checkpoint("What is longer than the context is refused", count=6, seconds=6.0)
def too_long(lib, fields, before, length):
    model = lib.nets.gpt.GPT(lib.nets.gpt.GPTConfig(**fields)).eval()
    cache = None
    if before:
        cache = Recorder()
        model(torch.zeros(1, before, dtype=torch.int64), cache=cache)
    try:
        shape = list(model(torch.zeros(1, length, dtype=torch.int64), cache=cache).shape)
    except ValueError:
        return "ValueError"
    return shape


@too_long.cases
def _(draw):
    fields = draw_fields(draw)
    before = draw.choice([0, 1])
    return dict(fields=fields, before=before, length=fields["context"] - before + draw.choice([0, 1]))


@too_long.edges
def _():
    return [dict(fields=f, before=b, length=3 - b + over) for f in EDGES[:3] for b in (0, 1) for over in (0, 1)]


@too_long.oracle
def _(fields, before, length):
    return "ValueError" if before + length > fields["context"] else [1, length, fields["vocab_size"]]


@checkpoint("It speaks: each token drawn from the last logits, by a seeded generator", atol=0.0, count=12, seconds=6.0)
def speaking(lib, fields, weights, ids, count, seed, training):
    model = loaded(lib.nets.gpt.GPT(lib.nets.gpt.GPTConfig(**fields)), weights).train(training)
    prompt = torch.tensor(ids)
    torch.manual_seed(seed + 1)  # whoever draws from elsewhere draws the same each time
    said = lib.nets.gpt.generate(model, prompt, count, torch.Generator().manual_seed(seed))
    return {"ids": said.numpy(), "in training afterwards": model.training, "prompt": prompt.numpy()}


@speaking.cases
def _(draw):
    fields = draw_fields(draw, dropout=draw.choice([0.0, 0.5]))
    ids = draw_ids(draw, fields, T=draw.integer(1, fields["context"] + 2))
    case = model_case(fields, draw.seed(), ids)
    return case | {"count": draw.integer(1, 10), "seed": draw.seed(), "training": draw.boolean()}


@speaking.edges
def _():
    return [
        model_case(fields, seed, edge_ids(fields)) | {"count": count, "seed": seed, "training": seed % 2 == 0}
        for seed, fields in enumerate(EDGES)
        for count in (0, 6)
    ]


@speaking.oracle
def _(fields, weights, ids, count, seed, training):
    w, generator = in_float64(weights), torch.Generator().manual_seed(seed)
    text = torch.tensor(ids)
    for _ in range(count):
        last = forward(fields, w, text[:, -fields["context"] :])[:, -1].detach().float()
        text = torch.cat([text, torch.multinomial(last.softmax(-1), 1, generator=generator)], 1)
    return {"ids": text.numpy(), "in training afterwards": training, "prompt": ids}


@speaking.shown
def _(fields, weights, ids, count, seed, training):
    return f"generate(GPT({said(fields)}), given weights, {ids.tolist()}, {count}, generator with seed {seed})"


@checkpoint("Dropout meets what enters the first block, in training only", count=4, seconds=6.0)
def dropped(lib, fields, seed):
    torch.manual_seed(seed)
    model = lib.nets.gpt.GPT(lib.nets.gpt.GPTConfig(**fields))
    with torch.no_grad():
        for name, p in model.named_parameters():
            if name.startswith(("tokens", "positions")):
                p.fill_(1.0)
    seen = []
    model.blocks[0].register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].detach().clone()))
    ids = torch.zeros(8, 12, dtype=torch.int64)
    for training in (True, False):
        model.train(training)
        model(ids)
    one = 2.0 if fields["position"] == "learned" else 1.0
    return {
        "values in training": sorted(set((seen[0] / one).flatten().tolist())),
        "share dropped is right": bool(abs((seen[0] == 0).float().mean() - 0.5) < 0.1),
        "values in evaluation": sorted(set((seen[1] / one).flatten().tolist())),
    }


@dropped.cases
def _(draw):
    fields = draw_fields(draw, dropout=0.5, context=12, width=16)
    return dict(fields=fields | {"heads": 2, "kv_heads": 0}, seed=draw.seed())


@dropped.oracle
def _(fields, seed):
    return {"values in training": [0.0, 2.0], "share dropped is right": True, "values in evaluation": [1.0]}


@checkpoint(
    "Tables of pairs, of tokens before, of values; blocks computed again", atol=3e-4, count=8, stretch=True, seconds=6.0
)
def extras(lib, fields, weights, ids, again):
    config = lib.nets.gpt.GPTConfig(**fields, checkpoint_activations=again)
    model = loaded(lib.nets.gpt.GPT(config), weights)
    passes = []
    model.blocks[0].mlp.up.register_forward_hook(lambda *_: passes.append(1))
    ids = torch.tensor(ids)
    found = model(ids)
    model(ids, ids).backward()
    grads = {n: (torch.zeros_like(p) if p.grad is None else p.grad).numpy() for n, p in model.named_parameters()}
    return {"logits": found.detach().numpy(), "gradients": grads, "passes through a block": len(passes)}


@extras.cases
def _(draw):
    fields = draw_fields(draw, bigram=draw.boolean(), before=draw.integer(0, 2), value_embeddings=draw.boolean())
    return model_case(fields, draw.seed(), draw_ids(draw, fields)) | {"again": draw.boolean()}


@extras.edges
def _():
    fields = SMALLEST | dict(bigram=True, before=2, value_embeddings=True)
    return [model_case(fields, 0, edge_ids(fields)) | {"again": again} for again in (False, True)]


@extras.oracle
def _(fields, weights, ids, again):
    tied = full(fields)["tied"]
    w = in_float64(weights, tied)
    found = forward(fields, w, ids)
    torch.nn.functional.cross_entropy(found.flatten(0, 1), torch.tensor(ids).flatten()).backward()
    for p in w.values():
        p.grad = torch.zeros_like(p) if p.grad is None else p.grad  # a table that no token was far enough to read
    grads = {n: p.grad.float().numpy() for n, p in w.items() if not (tied and n == "head.weight")}
    return {"logits": found.detach().float().numpy(), "gradients": grads, "passes through a block": 3 if again else 2}


@extras.shown
def _(fields, weights, ids, again):
    return f"GPT({said(fields | {'checkpoint_activations': again})}), given weights, on ids {ids.tolist()}"


def echoes(generator, count):
    """Texts of 24 tokens of 8 kinds: twelve at random, and the same twelve again. (count, 24)"""
    half = torch.randint(8, (count, 12), generator=generator)
    return torch.cat([half, half], 1)


@checkpoint("Trained for seconds, it repeats what it has read", long=True, count=1, seconds=90.0)
def training(lib, seed):
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    config = lib.nets.gpt.GPTConfig(vocab_size=8, context=24, layers=2, heads=2, width=64)
    model = lib.nets.gpt.GPT(config)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2, betas=(0.9, 0.95), weight_decay=0.0)
    for step in range(240):
        for group in optimiser.param_groups:
            group["lr"] = 1e-2 * min(1.0, (240 - step) / 120)
        texts = echoes(generator, 64)
        optimiser.zero_grad()
        model(texts[:, :-1], texts[:, 1:]).backward()
        optimiser.step()
    texts = echoes(generator, 256)
    targets = texts[:, 1:].clone()
    with torch.no_grad():
        whole = float(model(texts[:, :-1], targets))
        targets[:, :11] = -1
        return {"loss": whole, "loss in the second half": float(model(texts[:, :-1], targets))}


@training.cases
def _(draw):
    return dict(seed=draw.seed())


@training.accepts
def _(got, seed):
    floor = 11 * np.log(8) / 23  # nats a token: 11 of 23 targets are a matter of chance
    if got["loss in the second half"] > 0.5:
        return f"the second half repeats the first, and still costs {got['loss in the second half']:.2f} nats a token"
    if got["loss"] < 0.95 * floor:
        return f"{got['loss']:.2f} nats a token are less than chance allows ({floor:.2f}): something sees what comes"
    return True
