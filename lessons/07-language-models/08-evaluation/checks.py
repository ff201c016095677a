"""What is asked of lesson 7.8: likelihoods that add up, choices as the harness makes them, heads, GLUE's metrics,
written answers."""

import json
import math
import re

import numpy as np
import torch

from groundup.course import checkpoint

# ------------------------------------------------------------------------------------------------- what stands in


class Pieces:
    """A tokenizer that always takes the longest piece that fits; every character of the alphabet is a piece."""

    def __init__(self, pieces):
        self.pieces = list(pieces)

    def encode(self, text):
        ids, at = [], 0
        while at < len(text):
            fitting = [p for p in self.pieces if text.startswith(p, at)]
            longest = max(fitting, key=len)
            ids.append(self.pieces.index(longest))
            at += len(longest)
        return np.array(ids, dtype=np.int32)


class Toy(torch.nn.Module):
    """A recurrent model of tokens: h <- tanh(0.6 h + E[id]), logits h W. It drops out half of h while it trains, and
    refuses more than `context` tokens. half: its logits come in bfloat16."""

    def __init__(self, E, W, context, half=False):
        super().__init__()
        self.E = torch.nn.Parameter(torch.from_numpy(E))
        self.W = torch.nn.Parameter(torch.from_numpy(W))
        self.drop = torch.nn.Dropout(0.5)
        self.context, self.half = context, half

    def forward(self, ids):
        if ids.shape[1] > self.context:
            raise ValueError("more tokens than the context holds")
        h, seen = torch.zeros(len(ids), self.E.shape[1], dtype=self.E.dtype), []
        for t in range(ids.shape[1]):
            h = torch.tanh(0.6 * h + self.E[ids[:, t]])
            seen.append(h)
        logits = self.drop(torch.stack(seen, dim=1)) @ self.W
        return logits.bfloat16() if self.half else logits


def toy_logits(E, W, ids, half=False):
    """The same, one position after the other: (T, V)."""
    h, rows = np.zeros(E.shape[1]), []
    for i in ids:
        h = np.tanh(0.6 * h + E[i])
        rows.append(h @ W)
    rows = np.array(rows)
    return torch.from_numpy(rows).bfloat16().double().numpy() if half else rows


def toy_logprobs(E, W, given, continuation, context, half=False):
    """ln p of each token of the continuation, and whether each is the likeliest."""
    ids = list(given) + list(continuation)
    fed = ids[:-1][-context:]
    rows = toy_logits(E, W, fed, half)[len(fed) - len(continuation) :]
    found = [row[i] - row.max() - math.log(np.exp(row - row.max()).sum()) for row, i in zip(rows, continuation)]
    return np.array(found), all(int(np.argmax(row)) == i for row, i in zip(rows, continuation))


def draw_toy(draw, vocabulary):
    width = draw.integer(1, 4)
    return dict(E=draw.normal(vocabulary, width), W=2.0 * draw.normal(width, vocabulary))


def draw_text(draw, alphabet, low, high):
    return "".join(draw.choice(alphabet) for _ in range(draw.integer(low, high)))


PIECES = ["a", "b", "é", " ", "\n", "ab", " a", " ab", "ba ", "  "]
ALPHABET = ["a", "b", " ", "é", "\n"]


# ------------------------------------------------------------------------------------------------- likelihood


@checkpoint("A text is cut into context and continuation where the tokenizer would cut the whole", count=30)
def pairs(lib, context, continuation, prefix):
    try:
        given, scored = lib.nets.likelihood.encode_pair(Pieces(PIECES), context, continuation, prefix)
    except ValueError:
        return "ValueError"
    return {"given": [int(i) for i in given], "scored": [int(i) for i in scored]}


@pairs.cases
def _(draw):
    return dict(
        context=draw_text(draw, ALPHABET, 0, 6),
        continuation=draw_text(draw, ALPHABET, 0 if draw.boolean(0.1) else 1, 5),
        prefix=draw.choice([99, 99, 3, None]),
    )


@pairs.edges
def _():
    return [
        dict(context="a", continuation=" b", prefix=99),
        dict(context="a ", continuation="b", prefix=99),
        dict(context="a", continuation="b", prefix=99),  # "ab" is one piece: nothing is left
        dict(context="", continuation="ab", prefix=99),
        dict(context="", continuation="ab", prefix=None),
        dict(context="  ", continuation="a", prefix=99),
        dict(context=" \n", continuation="a", prefix=None),
        dict(context="b", continuation="", prefix=99),
        dict(context="b \n ", continuation="ab", prefix=99),
    ]


@pairs.oracle
def _(context, continuation, prefix):
    if continuation == "":
        return "ValueError"
    while context and context[-1].isspace():
        context, continuation = context[:-1], context[-1] + continuation
    tokens = Pieces(PIECES).encode(context + continuation).tolist()
    if context == "":
        return "ValueError" if prefix is None else {"given": [prefix], "scored": tokens}
    given = Pieces(PIECES).encode(context).tolist()
    return {"given": given, "scored": tokens[len(given) :]} if tokens[len(given) :] else "ValueError"


@checkpoint("Windows score each token once, with as much before it as fits", count=30)
def rolling(lib, ids, context, prefix, least):
    try:
        found = lib.nets.likelihood.windows(ids, context, prefix, least)
    except ValueError:
        return "ValueError"
    return [[[int(i) for i in given], [int(i) for i in scored]] for given, scored in found]


@rolling.cases
def _(draw):
    context = draw.integer(1, 7)
    return dict(
        ids=draw.integers(0, 9, draw.integer(0, 25)), context=context, prefix=50, least=draw.integer(1, context)
    )


@rolling.edges
def _():
    ids = np.arange(10, 20)
    return [
        dict(ids=ids[:0], context=4, prefix=50, least=1),
        dict(ids=ids[:4], context=4, prefix=50, least=1),
        dict(ids=ids[:5], context=4, prefix=50, least=1),
        dict(ids=ids, context=4, prefix=50, least=1),
        dict(ids=ids, context=4, prefix=50, least=3),
        dict(ids=ids, context=4, prefix=50, least=4),
        dict(ids=ids[:3], context=1, prefix=50, least=1),
        dict(ids=ids, context=4, prefix=50, least=0),
        dict(ids=ids, context=4, prefix=50, least=5),
    ]


@rolling.oracle
def _(ids, context, prefix, least):
    if least < 1 or least > context:
        return "ValueError"
    ids, window_of = ids.tolist(), []
    for n in range(len(ids)):  # which window each token falls into
        window_of.append(0 if n < context else 1 + (n - context) // (context - least + 1))
    found = []
    for window in sorted(set(window_of)):
        members = [n for n, w in enumerate(window_of) if w == window]
        first, last = members[0], members[-1]
        before = [prefix, *ids[:first]]
        room = context + 1 - (last - first + 1)  # beside the scored ones; the last of these is not fed
        found.append([before[-room:], ids[first : last + 1]])
    return found


@checkpoint("Log-probabilities equal a plain loop's, in any order, batch and length", atol=1e-9, count=16, seconds=6.0)
def likelihoods(lib, E, W, pairs, context, batch, half):
    model = Toy(E, W, context, half)
    model.train()
    found = lib.nets.likelihood.scores(model, pairs, context, batch)
    return {
        "logprobs": [np.asarray(score.logprobs, dtype=float).round(5 if half else 12) for score in found],
        "totals": [round(float(score.total), 4 if half else 11) for score in found],
        "greedy": [None if half else bool(score.greedy) for score in found],
        "in training after": model.training,
        "gradients": any(p.grad is not None for p in model.parameters()),
    }


@likelihoods.cases
def _(draw):
    V, context = draw.integer(2, 6), draw.integer(2, 8)
    toy = draw_toy(draw, V)
    pairs = []
    for _ in range(draw.integer(1, 7)):
        given = draw.integers(0, V - 1, draw.integer(1, 12)).tolist()
        scored = draw.integers(0, V - 1, draw.integer(1, context)).tolist()
        if draw.boolean(0.4):  # one that greedy decoding would write
            scored = []
            for _ in range(draw.integer(1, 2)):
                fed = (given + scored)[-context:]
                scored.append(int(np.argmax(toy_logits(toy["E"], toy["W"], fed)[-1])))
        pairs.append([given, scored])
    return dict(**toy, pairs=pairs, context=context, batch=draw.integer(1, 4), half=draw.boolean(0.25))


@likelihoods.edges
def _():
    E, W = np.array([[1.0], [-1.0]]), np.array([[1.0, 0.0]])
    base = dict(E=E, W=W, context=4, batch=3, half=False)
    return [
        base | {"pairs": [[[0], [0]]]},
        base | {"pairs": [[[1], [0]], [[0, 1, 1, 0, 1, 1, 0, 0], [1, 0]]]},
        base | {"pairs": [[[0, 1, 1, 0, 1], [1, 1, 0, 1]], [[1], [1]], [[0, 0], [0]]]},
        base | {"pairs": [[[0], [0, 1]], [[0], [0, 0]], [[0], [1, 0]]]},
    ]


@likelihoods.oracle
def _(E, W, pairs, context, batch, half):
    found = [toy_logprobs(E, W, given, scored, context, half) for given, scored in pairs]
    digits = 5 if half else 12
    return {
        "logprobs": [logprobs.round(digits) for logprobs, _ in found],
        "totals": [round(float(logprobs.sum()), digits - 1) for logprobs, _ in found],
        "greedy": [None if half else greedy for _, greedy in found],
        "in training after": True,
        "gradients": False,
    }


@checkpoint("What cannot be scored is refused, and the model stays as it was", count=10)
def refused(lib, given, scored, context, training):
    model = Toy(np.ones((3, 2)), np.ones((2, 3)), context)
    model.train(training)
    try:
        lib.nets.likelihood.scores(model, [[[1], [2]], [given, scored]], context)
        return ["scored", model.training]
    except ValueError:
        return ["ValueError", model.training]


@refused.cases
def _(draw):
    context = draw.integer(1, 4)
    return dict(
        given=[0] * draw.integer(0, 6), scored=[1] * draw.integer(0, 6), context=context, training=draw.boolean()
    )


@refused.edges
def _():
    return [
        dict(given=[], scored=[1], context=4, training=True),
        dict(given=[0], scored=[], context=4, training=True),
        dict(given=[0], scored=[1, 1, 1], context=3, training=False),
        dict(given=[0], scored=[1, 1, 1, 1], context=3, training=False),
    ]


@refused.oracle
def _(given, scored, context, training):
    fits = len(given) > 0 and 0 < len(scored) <= context
    return ["scored" if fits else "ValueError", training]


@checkpoint("Perplexity, bits per byte and per word, of one text and of two together", atol=1e-10)
def units(lib, texts, nats, tokens):
    found = [lib.nets.likelihood.measured(*one) for one in zip(texts, nats, tokens)]
    rows = []
    for m in [*found, found[0] + found[-1]]:
        rows.append([m.nats, m.tokens, m.bytes, m.words, m.perplexity, m.word_perplexity, m.bits_per_byte])
    return rows


@units.cases
def _(draw):
    texts = [draw_text(draw, ["a", " ", "é", "\n", "日", "b"], 1, 20) for _ in range(2)]
    return dict(texts=texts, nats=draw.uniform(0.0, 30.0, 2).tolist(), tokens=draw.integers(1, 12, 2).tolist())


@units.edges
def _():
    return [
        dict(texts=["ab", "a"], nats=[math.log(2), 0.0], tokens=[1, 1]),
        dict(texts=["é é", "日\n a"], nats=[3.0, 2.0], tokens=[2, 4]),
    ]


@units.oracle
def _(texts, nats, tokens):
    def row(nats, tokens, size, words):
        return [nats, tokens, size, words, np.exp(nats / tokens), np.exp(nats / words), nats / (np.log(2) * size)]

    counts = [[n, t, len(x.encode()), 1 + len(re.findall(r"\s+", x))] for x, n, t in zip(texts, nats, tokens)]
    return [row(*c) for c in [*counts, [a + b for a, b in zip(*counts)]]]


@checkpoint("Texts of any length are measured from end to end", atol=1e-8, count=10, seconds=6.0)
def documents(lib, E, W, texts, context, least, batch):
    model = Toy(E, W, context)
    m = lib.nets.likelihood.evaluate(model, Pieces(PIECES), texts, context, 3, least, batch)
    return [m.nats, m.tokens, m.bytes, m.words]


@documents.cases
def _(draw):
    context = draw.integer(1, 6)
    return dict(
        **draw_toy(draw, len(PIECES)),
        texts=[draw_text(draw, ALPHABET, 1, 25) for _ in range(draw.integer(1, 3))],
        context=context,
        least=draw.integer(1, context),
        batch=draw.integer(1, 4),
    )


@documents.oracle
def _(E, W, texts, context, least, batch):
    nats = tokens = size = words = 0
    for text in texts:
        ids = Pieces(PIECES).encode(text).tolist()
        step = context - least + 1
        for n in range(len(ids)):  # each token by itself, given what its window gives it
            end = min(context if n < context else context + ((n - context) // step + 1) * step, len(ids))
            before = ([3, *ids])[: n + 1]
            nats -= toy_logprobs(E, W, before[max(0, end - context) :], [ids[n]], context)[0][0]
        tokens, size, words = tokens + len(ids), size + len(text.encode()), words + 1 + len(re.findall(r"\s+", text))
    return [nats, tokens, size, words]


# ------------------------------------------------------------------------------------------------- choices


@checkpoint("Each rule takes the choice that lm-evaluation-harness takes", count=30)
def rules(lib, logprobs, alone, choices):
    found = [lib.nets.choices.choose(rule, logprobs, choices, alone) for rule in lib.nets.choices.RULES]
    for bad in (("acc_mutual_info", logprobs, choices, None), ("acc_bytes", logprobs, ["", *choices[1:]], None), ("best", logprobs, choices, alone)):  # fmt: skip
        try:
            lib.nets.choices.choose(*bad)
            found.append("taken")
        except ValueError:
            found.append("ValueError")
    return found


@rules.cases
def _(draw):
    k = draw.integer(2, 5)
    logprobs = -draw.uniform(0.5, 20.0, k)
    if draw.boolean(0.3):
        logprobs = np.round(logprobs)
    choices = [draw_text(draw, ["a", "日", "é"], 1, 9) for _ in range(k)]
    return dict(logprobs=logprobs, alone=-draw.uniform(0.5, 20.0, k), choices=choices)


@rules.edges
def _():
    return [
        dict(logprobs=np.array([-4.0, -4.0]), alone=np.array([-1.0, -1.0]), choices=["a", "a"]),
        dict(logprobs=np.array([-4.0, -6.0]), alone=np.array([-1.0, -9.0]), choices=["a", "aaa"]),
        dict(logprobs=np.array([-4.0, -5.0]), alone=np.array([-1.0, -1.0]), choices=["aa", "日日"]),
    ]


@rules.oracle
def _(logprobs, alone, choices):
    def first_best(worths):
        best = 0
        for i, worth in enumerate(worths):
            if worth > worths[best]:
                best = i
        return best

    lps = logprobs.tolist()
    return [
        first_best(lps),
        first_best([lp / len(c) for lp, c in zip(lps, choices)]),
        first_best([lp / len(c.encode("utf-8")) for lp, c in zip(lps, choices)]),
        first_best([lp - a for lp, a in zip(lps, alone.tolist())]),
        "ValueError",
        "ValueError",
        "ValueError",
    ]


@checkpoint("Questions with examples are answered and reported end to end", atol=1e-7, count=12, seconds=6.0)
def questions(lib, E, W, texts, choices, answers, shots, delimiter, context):
    choose = lib.nets.choices
    made = [choose.Question(*q) for q in zip(texts, map(tuple, choices), answers)]
    asked, before = made[shots:], made[:shots]
    model = Toy(E, W, context)
    found = choose.answer(model, Pieces(PIECES), asked, context, 3, shots=before, delimiter=delimiter, batch=3)
    return {
        "prompts": [choose.prompt(q, before, delimiter) for q in asked],
        "given": [a["given"] for a in found],
        "alone": [a["alone"] for a in found],
        "report": choose.report(asked, found),
    }


@questions.cases
def _(draw):
    shots = draw.integer(0, 2)
    n = shots + draw.integer(1, 3)
    texts, choices, answers = [], [], []
    for i in range(n):
        texts.append("b" * i + draw_text(draw, ["a", "b", " "], 1, 4) + "\n")  # no two alike
        choices.append([draw_text(draw, ["a", "é", "b"], 1, 3) for _ in range(draw.integer(2, 3))])
        answers.append(draw.integer(0, len(choices[-1]) - 1))
    return dict(
        **draw_toy(draw, len(PIECES)),
        texts=texts,
        choices=choices,
        answers=answers,
        shots=shots,
        delimiter=draw.choice([" ", "\n"]),
        context=draw.choice([40, 8]),
    )


@questions.oracle
def _(E, W, texts, choices, answers, shots, delimiter, context):
    solved = ""
    for i in range(shots):
        solved += texts[i] + delimiter + choices[i][answers[i]] + "\n\n"
    prompts, given, alone = [], [], []
    for i in range(shots, len(texts)):
        prompts.append(solved + texts[i])
        rows = []
        for before in (prompts[-1], ""):
            kept, row = before.rstrip(), []
            for choice in choices[i]:
                ids = Pieces(PIECES).encode(before + delimiter + choice).tolist()
                start = len(Pieces(PIECES).encode(kept))
                history = Pieces(PIECES).encode(kept).tolist() if kept else [3]
                row.append(toy_logprobs(E, W, history, ids[start:], context)[0].sum())
            rows.append(np.array(row))
        given.append(rows[0])
        alone.append(rows[1])
    report = {}
    for rule in ("acc", "acc_norm", "acc_bytes", "acc_mutual_info"):
        right = []
        for i, g, a in zip(range(shots, len(texts)), given, alone):
            by = [len(c) if rule == "acc_norm" else len(c.encode()) if rule == "acc_bytes" else 1 for c in choices[i]]
            worth = g - a if rule == "acc_mutual_info" else g / np.array(by)
            right.append(float(np.argmax(worth) == answers[i]))
        report[rule] = float(np.mean(right))
        report[rule + "_stderr"] = float(np.std(right, ddof=1) / len(right) ** 0.5) if len(right) > 1 else math.nan
    return {"prompts": prompts, "given": given, "alone": alone, "report": report}


@checkpoint("A question is not among its own examples", count=4)
def no_leak(lib, texts, asked):
    made = [lib.nets.choices.Question(text, ("a", "b"), 0) for text in texts]
    try:
        return lib.nets.choices.prompt(lib.nets.choices.Question(asked, ("a", "b"), 0), made)
    except ValueError:
        return "ValueError"


@no_leak.cases
def _(draw):
    texts = [draw_text(draw, ["x", "y"], 1, 3) for _ in range(draw.integer(1, 3))]
    return dict(texts=texts, asked=draw.choice([texts[0], "z"]))


@no_leak.edges
def _():
    return [dict(texts=["x"], asked="x"), dict(texts=["x"], asked="y"), dict(texts=[], asked="y")]


@no_leak.oracle
def _(texts, asked):
    return "ValueError" if asked in texts else "".join(f"{text} a\n\n" for text in texts) + asked


# ------------------------------------------------------------------------------------------------- heads


@checkpoint("One text or two are packed with separators, the longer one cut", count=40)
def packed(lib, texts, context):
    try:
        return [int(i) for i in lib.nets.heads.pack(texts, 100, 101, 102, context)]
    except ValueError:
        return "ValueError"


@packed.cases
def _(draw):
    texts = [draw.integers(0, 9, draw.integer(0, 7)).tolist() for _ in range(draw.integer(1, 2))]
    return dict(texts=texts, context=draw.integer(1, 16))


@packed.edges
def _():
    long, short = [1, 2, 3, 4, 5, 6], [7, 8]
    return [
        dict(texts=[long, short], context=8),
        dict(texts=[short, long], context=8),
        dict(texts=[long, long], context=8),
        dict(texts=[long], context=2),
        dict(texts=[long, short], context=3),
        dict(texts=[long, short], context=2),
        dict(texts=[long, short, short], context=20),
        dict(texts=[], context=20),
    ]


@packed.oracle
def _(texts, context):
    if len(texts) not in (1, 2) or context < 1 + len(texts):
        return "ValueError"
    sizes = [len(text) for text in texts]
    while sum(sizes) + 1 + len(texts) > context:
        longest = max(range(len(sizes)), key=lambda i: (sizes[i], i))
        sizes[longest] -= 1
    row = [100, *texts[0][: sizes[0]]]
    if len(texts) == 2:
        row += [101, *texts[1][: sizes[1]]]
    return [*row, 102]


def classify(lib, rows, table, weight, bias, pool, labels):
    """Scores, loss, predictions and the gradient of the head's weight."""
    ids, lengths = lib.nets.heads.pad(rows)
    body = torch.nn.Embedding.from_pretrained(torch.from_numpy(table), freeze=False)
    model = lib.nets.heads.Classifier(body, table.shape[1], len(bias), pool, dropout=0.5).double()
    start = [bool((model.head.weight.abs() < 0.2).all()), float(model.head.bias.detach().abs().max())]
    with torch.no_grad():
        model.head.weight.copy_(torch.from_numpy(weight))
        model.head.bias.copy_(torch.from_numpy(bias))
    torch.manual_seed(0)  # for whoever forgets to switch dropout off
    predicted = model.predict(ids, lengths)
    still = model.training
    model.eval()
    scores = model(ids, lengths)
    loss = model(ids, lengths, torch.from_numpy(labels))
    loss.backward()
    return {
        "ids": ids.numpy(),
        "lengths": lengths.numpy(),
        "scores": scores.detach().numpy(),
        "loss": float(loss.detach()),
        "predicted": predicted.detach().numpy(),
        "weight": model.head.weight.grad.numpy(),
        "table": body.weight.grad.numpy(),
        "started small": start,
        "in training after": still,
        "gradient in predictions": predicted.requires_grad,
    }


@checkpoint(
    "A classifier pools what is no padding, and its loss and gradients are PyTorch's", atol=1e-9, count=14, seconds=4.0
)
def classifier(lib, rows, table, weight, bias, pool, labels):
    return classify(lib, rows, table, weight, bias, pool, labels)


@classifier.cases
def _(draw):
    V, C, classes = draw.integer(2, 6), draw.integer(1, 4), draw.choice([2, 3, 1])
    rows = [draw.integers(0, V - 1, draw.integer(1, 5)).tolist() for _ in range(draw.integer(1, 4))]
    labels = draw.normal(len(rows)) if classes == 1 else draw.integers(0, classes - 1, len(rows))
    return dict(
        rows=rows,
        table=draw.normal(V, C),
        weight=draw.normal(classes, C),
        bias=draw.normal(classes),
        pool=draw.choice(["last", "mean"]),
        labels=labels,
    )


@classifier.oracle
def _(rows, table, weight, bias, pool, labels):
    from torch import nn

    body = nn.Embedding.from_pretrained(torch.from_numpy(table), freeze=False)
    head = nn.Linear(*weight.T.shape).double()
    head.load_state_dict({"weight": torch.from_numpy(weight), "bias": torch.from_numpy(bias)})
    pooled = []
    for row in rows:  # one by one: no padding at all
        vectors = body(torch.tensor(row))
        pooled.append(vectors[-1] if pool == "last" else vectors.mean(dim=0))
    scores = head(torch.stack(pooled))
    if len(bias) == 1:
        scores = scores.squeeze(1)
        loss, predicted = nn.MSELoss()(scores, torch.from_numpy(labels)), scores
    else:
        loss, predicted = nn.CrossEntropyLoss()(scores, torch.from_numpy(labels)), scores.argmax(dim=1)
    loss.backward()
    longest = max(map(len, rows))
    return {
        "ids": np.array([row + [0] * (longest - len(row)) for row in rows]),
        "lengths": np.array([len(row) for row in rows]),
        "scores": scores.detach().numpy(),
        "loss": float(loss.detach()),
        "predicted": predicted.detach().numpy(),
        "weight": head.weight.grad.numpy(),
        "table": body.weight.grad.numpy(),
        "started small": [True, 0.0],
        "in training after": True,
        "gradient in predictions": False,
    }


@checkpoint(
    "A GPT without its head gives what the head was given, and stays whole itself", atol=1e-5, count=2, seconds=6.0
)
def body(lib, seed, softcap, tied, ids):
    torch.manual_seed(seed)
    config = lib.nets.gpt.GPTConfig(
        vocab_size=7, context=8, layers=1, heads=2, width=8, softcap=softcap, tied=tied, zero_init=False
    )
    model = lib.nets.gpt.GPT(config)
    bare = lib.nets.heads.headless(model)
    ids = torch.from_numpy(ids)
    logits = bare(ids) @ model.head.weight.T
    logits = softcap * torch.tanh(logits / softcap) if softcap else logits
    whole = model(ids)
    with torch.no_grad():
        bare.tokens.weight.zero_()
    return {
        "shape": list(bare(ids).shape),
        "off": float((logits - whole).abs().max().detach()),
        "moved with it": float((model(ids) - whole).abs().max().detach()),
    }


@body.cases
def _(draw):
    return dict(
        seed=draw.seed(),
        softcap=draw.choice([0.0, 0.05]),
        tied=draw.boolean(),
        ids=draw.integers(0, 6, draw.integer(1, 3), draw.integer(1, 8)),
    )


@body.edges
def _():
    ids = np.array([[1, 2, 3]])
    return [dict(seed=0, softcap=0.05, tied=True, ids=ids), dict(seed=0, softcap=0.0, tied=False, ids=ids)]


@body.oracle
def _(seed, softcap, tied, ids):
    return {"shape": [*ids.shape, 8], "off": 0.0, "moved with it": 0.0}


# ------------------------------------------------------------------------------------------------- GLUE


@checkpoint("Accuracy, F1 and Matthews' correlation equal scikit-learn's", atol=1e-12, count=30)
def classes(lib, predicted, labels):
    glue = lib.text.glue
    return [glue.accuracy(predicted, labels), glue.f1(predicted, labels), glue.matthews(predicted, labels)]


@classes.cases
def _(draw):
    n, k = draw.integer(1, 30), draw.choice([2, 3, 4])
    labels = draw.integers(0, k - 1, n)
    predicted = np.where(draw.uniform(0, 1, n) < 0.6, labels, draw.integers(0, k - 1, n))
    return dict(predicted=predicted, labels=labels)


@classes.edges
def _():
    zeros, ones, both = np.zeros(4, dtype=int), np.ones(4, dtype=int), np.array([0, 1, 1, 0])
    lists = [(both, both), (zeros, both), (both, zeros), (zeros, zeros), (ones, ones), (1 - both, both), (ones, both)]
    return [dict(predicted=a, labels=b) for a, b in lists]


@classes.oracle
def _(predicted, labels):
    import warnings

    from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef

    with warnings.catch_warnings():  # of a single class
        warnings.simplefilter("ignore")
        f1 = f1_score(labels, predicted, labels=[1], average="macro", zero_division=0)
        return [float(accuracy_score(labels, predicted)), float(f1), float(matthews_corrcoef(labels, predicted))]


@checkpoint("Pearson's and Spearman's correlations equal SciPy's", atol=1e-9, count=30)
def numbers(lib, predicted, labels):
    return [float(lib.text.glue.pearson(predicted, labels)), float(lib.text.glue.spearman(predicted, labels))]


@numbers.cases
def _(draw):
    n = draw.integer(2, 25)
    labels = draw.normal(n)
    predicted = draw.choice([1.0, -0.5]) * labels + draw.uniform(0, 2) * draw.normal(n)
    if draw.boolean(0.5):  # ties
        labels, predicted = np.round(labels), np.round(predicted)
    if draw.boolean(0.3):
        predicted = predicted + 1e6
    return dict(predicted=predicted, labels=labels)


@numbers.edges
def _():
    up = np.array([1.0, 2.0, 3.0, 5.0])
    return [
        dict(predicted=up, labels=up),
        dict(predicted=-up, labels=up),
        dict(predicted=np.ones(4), labels=up),
        dict(predicted=np.array([1.0, 1.0, 2.0, 2.0]), labels=up),
        dict(predicted=np.full(4, 0.1), labels=up),
    ]


@numbers.oracle
def _(predicted, labels):
    import warnings

    from scipy import stats

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [float(stats.pearsonr(predicted, labels)[0]), float(stats.spearmanr(predicted, labels)[0])]


@checkpoint("A task has its official metrics, and GLUE is their mean over tasks", atol=1e-9, count=20)
def benchmark(lib, tasks, predicted, labels):
    glue = lib.text.glue
    found = {task: glue.score(task, p, t) for task, p, t in zip(tasks, predicted, labels)}
    refused = []
    for bad in (
        lambda: glue.score("squad", [1], [1]),
        lambda: glue.total({}),
        lambda: glue.total({"squad": {"f1": 1.0}}),
    ):
        try:
            bad()
            refused.append(False)
        except ValueError:
            refused.append(True)
    for a, b in (([1, 0], [1]), ([], [])):
        try:
            glue.accuracy(a, b)
            refused.append(False)
        except ValueError:
            refused.append(True)
    return {"scores": found, "total": glue.total(found), "refused": refused}


@benchmark.cases
def _(draw):
    names = ["cola", "sst2", "mrpc", "stsb", "qqp", "mnli", "mnli-mm", "qnli", "rte", "wnli"]
    tasks = [names[i] for i in draw.permutation(10)[: draw.integer(1, 10)]]
    labels = [draw.normal(8) if task == "stsb" else draw.integers(0, 1, 8) for task in tasks]
    predicted = [draw.normal(8) if task == "stsb" else draw.integers(0, 1, 8) for task in tasks]
    return dict(tasks=tasks, predicted=predicted, labels=labels)


@benchmark.edges
def _():
    a, b = np.array([0, 1, 1, 1, 0, 0, 1, 0]), np.array([0, 1, 0, 1, 0, 1, 1, 1])
    return [
        dict(tasks=["mnli-mm", "mnli", "rte"], predicted=[a, a, b], labels=[a, b, b]),
        dict(tasks=["mrpc", "sst2"], predicted=[a, a], labels=[b, a]),
        dict(tasks=["mnli-mm"], predicted=[a], labels=[b]),
    ]


@benchmark.oracle
def _(tasks, predicted, labels):
    import warnings

    from scipy import stats
    from sklearn.metrics import f1_score, matthews_corrcoef

    warnings.filterwarnings("ignore", "A single label was found", UserWarning)
    found, halves = {}, {}
    for task, p, t in zip(tasks, predicted, labels):
        if task == "cola":
            found[task] = {"matthews": float(matthews_corrcoef(t, p))}
        elif task == "stsb":
            found[task] = {"pearson": float(stats.pearsonr(p, t)[0]), "spearman": float(stats.spearmanr(p, t)[0])}
        else:
            found[task] = {"accuracy": float(np.mean(p == t))}
            if task in ("mrpc", "qqp"):
                found[task]["f1"] = float(f1_score(t, p, zero_division=0))
        halves.setdefault("mnli" if task.startswith("mnli") else task, []).append(np.mean([*found[task].values()]))
    total = 100 * float(np.mean([np.mean(values) for values in halves.values()]))
    return {"scores": found, "total": total, "refused": [True] * 5}


# ------------------------------------------------------------------------------------------------- written answers

WORDS = ["a", "The", "cat", "sat.", "an", "theatre", "Cat,", "on", "42", "it's", "---"]


def plain(text):
    """Normalised, by another way."""
    table = {ord(c): None for c in "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"}
    return " ".join(w for w in text.lower().translate(table).split() if w not in ("a", "an", "the"))


@checkpoint("Match, includes, fuzzy match and F1 judge a completion as Evals does", count=40, atol=1e-12)
def graders(lib, completion, ideal):
    evals = lib.text.evals
    return {
        "match": bool(evals.match(completion, ideal)),
        "includes": bool(evals.includes(completion, ideal)),
        "includes, any case": bool(evals.includes(completion, ideal, ignore_case=True)),
        "fuzzy": bool(evals.fuzzy_match(completion, ideal)),
        "f1": float(evals.f1(completion, ideal)),
        "normalised": [evals.normalise(text) for text in (completion, *ideal)],
    }


@graders.cases
def _(draw):
    def sentence(low, high):
        return draw.choice(["", " "]) + " ".join(draw.choice(WORDS) for _ in range(draw.integer(low, high)))

    ideal = [sentence(1, 3) for _ in range(draw.integer(1, 2))]
    way = draw.integer(0, 3)
    completion = sentence(0, 4)
    if way == 1:
        completion = ideal[-1] + " " + completion
    elif way == 2:
        completion = completion + " " + ideal[0].upper()
    elif way == 3:
        completion = ideal[0][: draw.integer(0, len(ideal[0]))]
    return dict(completion=completion, ideal=ideal)


@graders.edges
def _():
    return [
        dict(completion="4", ideal=["4"]),
        dict(completion="42", ideal=["4"]),
        dict(completion="4", ideal=["42"]),
        dict(completion="It is 4.", ideal=["4"]),
        dict(completion="The", ideal=["cat"]),
        dict(completion="the", ideal=["...", "x"]),
        dict(completion="", ideal=["cat"]),
        dict(completion="theatre", ideal=["atre"]),
        dict(completion="cat cat cat", ideal=["cat"]),
        dict(completion="dog", ideal=["cat", "dog cat"]),
    ]


@graders.oracle
def _(completion, ideal):
    said, best, fuzzy = plain(completion), 0.0, False
    for answer in ideal:
        true = plain(answer)
        fuzzy = fuzzy or (said == true if "" in (said, true) else said.find(true) >= 0 or true.find(said) >= 0)
        left, common = true.split(), 0
        for word in said.split():
            if word in left:
                left.remove(word)
                common += 1
        if common:
            precision, recall = common / len(said.split()), common / len(true.split())
            best = max(best, 2 * precision * recall / (precision + recall))
    return {
        "match": any(completion[: len(answer)] == answer for answer in ideal),
        "includes": any(completion.find(answer) >= 0 for answer in ideal),
        "includes, any case": any(completion.lower().find(answer.lower()) >= 0 for answer in ideal),
        "fuzzy": fuzzy,
        "f1": best,
        "normalised": [plain(text) for text in (completion, *ideal)],
    }


@checkpoint("JSON is matched part by part, and null matches nothing", count=30)
def json_graded(lib, completion, ideal):
    try:
        return bool(lib.text.evals.json_match(completion, ideal))
    except ValueError:
        return "ValueError"


def draw_json(draw, depth=2):
    kind = draw.integer(0, 5 if depth else 3)
    if kind == 0:
        return draw.integer(0, 2)
    if kind == 1:
        return draw.choice(["x", "y"])
    if kind == 2:
        return draw.choice([True, 0.5])
    if kind == 3:
        return None if draw.boolean(0.3) else 7
    if kind == 4:
        return [draw_json(draw, depth - 1) for _ in range(draw.integer(0, 3))]
    return {key: draw_json(draw, depth - 1) for key in ["a", "b", "c"][: draw.integer(0, 3)]}


@json_graded.cases
def _(draw):
    value = draw_json(draw)
    other = draw_json(draw)
    ideal = [json.dumps(other), json.dumps(value, indent=2)] if draw.boolean(0.7) else [json.dumps(other)]
    if isinstance(value, dict) and draw.boolean():
        value = dict(reversed(value.items()))
    return dict(completion=json.dumps(value) + draw.choice(["", "", " ", "."]), ideal=ideal)


@json_graded.edges
def _():
    return [
        dict(completion='{"a": 1, "b": 2}', ideal=['{"b":2,"a":1}']),
        dict(completion='{"a": 1}', ideal=['{"a":1,"b":2}']),
        dict(completion='{"a": 1, "b": 2}', ideal=['{"a":1}']),
        dict(completion='{"a": null}', ideal=['{"a": null}']),
        dict(completion='{"a": 1, "b": null}', ideal=['{"a": 1}']),
        dict(completion="[1, 2]", ideal=["[2, 1]"]),
        dict(completion="[1, 2, 3]", ideal=["[1, 2]"]),
        dict(completion="[]", ideal=["{}"]),
        dict(completion="null", ideal=["null"]),
        dict(completion="four", ideal=["4", "four"]),
        dict(completion="four", ideal=["4"]),
    ]


@json_graded.oracle
def _(completion, ideal):
    def nulls(value):
        if isinstance(value, (list, dict)):
            return any(nulls(part) for part in (value.values() if isinstance(value, dict) else value))
        return value is None

    try:
        answers = [json.loads(answer) for answer in ideal]
    except ValueError:
        return "ValueError"
    try:
        said = json.loads(completion)
    except ValueError:
        return False
    return any(said == answer and not nulls(said) for answer in answers)


@checkpoint("Samples are read line by line, and what is wrong is told by its line", count=30)
def reading(lib, lines):
    try:
        return [[sample.input, list(sample.ideal), sample.text] for sample in lib.text.evals.read(lines)]
    except ValueError as problem:
        return "line " + "".join(re.findall(r"line (\d+)", str(problem))[:1])


@reading.cases
def _(draw):
    rows = []
    for _ in range(draw.integer(1, 4)):
        content = draw.choice(["2 + 2 =", "Who?", " é\u2028\x85x"])
        chat = [
            {"role": draw.choice(["user", "system", "assistant"]), "content": content}
            for _ in range(draw.integer(1, 3))
        ]
        if draw.boolean(0.3):
            chat[0] = {
                "role": "system",
                "name": draw.choice(["example_user", "example_assistant", "ann"]),
                "content": "x",
            }
        sample = {"input": draw.choice([content, chat, chat]), "ideal": draw.choice(["4", ["4", "four"]])}
        rows.append(json.dumps(sample, ensure_ascii=draw.boolean()))
        if draw.boolean(0.2):
            rows.append("")
    if draw.boolean(0.3):
        bad = ["{", '{"input": "x"}', '{"input": "x", "ideal": []}', '{"input": 3, "ideal": "x"}', "[]"]
        bad += [
            '{"input": [{"role": "user"}], "ideal": "x"}',
            '{"input": [], "ideal": "x"}',
            '{"input": "x", "ideal": 4}',
        ]
        rows.insert(draw.integer(0, len(rows)), draw.choice(bad))
    return dict(lines="\n".join(rows) + draw.choice(["\n", ""]))


@reading.edges
def _():
    return [
        dict(lines=""),
        dict(lines='{"input": "2+2=", "ideal": "4"}\n\n{"input": "x", "ideal": ["y", "z"]}\n'),
        dict(lines='{"input": "a\u2028b", "ideal": "c"}'),
        dict(lines='{"input": "x", "ideal": "y"}\r\n{"input": "x"}\r\n'),
        dict(
            lines='\n\n{"input": [{"role": "system", "content": "Add."}, {"role": "user", "content": "2+2"}], "ideal": "4"}'
        ),
        dict(lines='{"input": [{"role": "user", "content": " alone "}], "ideal": "4"}'),
    ]


@reading.oracle
def _(lines):
    found, number = [], 0
    for line in lines.split("\n"):
        number += 1
        if line.strip() == "":
            continue
        try:
            row = json.loads(line)
            given, ideal = row["input"], row["ideal"]
            ideal = [ideal] if isinstance(ideal, str) else ideal
            assert isinstance(ideal, list) and ideal and all(isinstance(i, str) for i in ideal)
            if isinstance(given, str):
                text = given
            else:
                assert isinstance(given, list) and given
                said = [(m.get("name", m["role"]), m["content"]) for m in given]
                before = {"system": "", "example_user": "User: ", "example_assistant": "Assistant: "}
                text = "\n".join(before.get(who, who.capitalize() + ": ") + what for who, what in said)
                text = said[0][1] if len(said) == 1 else (text + "\nAssistant:").lstrip()
        except (ValueError, KeyError, TypeError, AssertionError, AttributeError):
            return f"line {number}"
        found.append([given, ideal, text])
    return found


@checkpoint("A run logs every step as it happens, and reports at the end", count=20, atol=1e-12)
def runs(lib, inputs, ideals, replies, grader, name):
    evals = lib.text.evals
    samples = [evals.Sample(given, tuple(ideal)) for given, ideal in zip(inputs, ideals)]
    log, asked, clock = [], [], iter(range(1000))

    def complete(text):
        asked.append([text, len(log)])
        return replies[len(asked) - 1]

    report = evals.run(
        samples, complete, grader, name=name, run_id="r1", now=lambda: f"t{next(clock)}", write=log.append
    )
    return {
        "report": report,
        "log": [json.loads(line) for line in log],
        "asked": asked,
        "newline": any("\n" in line for line in log),
    }


@runs.cases
def _(draw):
    n = draw.integer(1, 4)
    grader = draw.choice(["match", "includes", "fuzzy_match", "json_match"])
    words = ["1", "[1]", "2"] if grader == "json_match" else ["cat", "the cat", "Cat", "dog cat"]
    inputs = [draw.choice(["x\ny", [{"role": "user", "content": "é"}]]) for _ in range(n)]
    ideals = [[draw.choice(words) for _ in range(draw.integer(1, 2))] for _ in range(n)]
    return dict(inputs=inputs, ideals=ideals, replies=[draw.choice(words) for _ in range(n)], grader=grader, name="e")


@runs.oracle
def _(inputs, ideals, replies, grader, name):
    def right(said, answer):
        if grader == "match":
            return said.startswith(answer)
        if grader == "includes":
            return answer in said
        if grader == "json_match":
            return json.loads(said) == json.loads(answer)
        return plain(said) in plain(answer) or plain(answer) in plain(said)

    log, asked, hits, overlaps = [{"spec": {"eval_name": name, "run_id": "r1", "grader": grader}}], [], [], []
    for i, (given, ideal, said) in enumerate(zip(inputs, ideals, replies)):
        asked.append([given if isinstance(given, str) else given[0]["content"], len(log)])
        picked = ([answer for answer in ideal if right(said, answer)] + [None])[0]
        hits.append(float(picked is not None))
        best = 0.0
        for answer in ideal:
            a, b = plain(said).split(), plain(answer).split()
            common = len([w for w in a if w in b])  # no word stands twice in these
            best = max(best, 2 * common / (len(a) + len(b)) if common else 0.0)
        overlaps.append(best)
        expected = ideal[0] if len(ideal) == 1 else ideal
        for kind, data in (
            ("sampling", {"prompt": given, "sampled": said}),
            ("match", {"correct": picked is not None, "expected": expected, "picked": picked, "sampled": said}),
        ):
            number = len(log) - 1
            event = {"run_id": "r1", "event_id": number, "sample_id": f"{name}.{i}", "type": kind, "data": data}
            log.append({**event, "created_by": "", "created_at": f"t{number}"})
    n = len(hits)
    report = {"accuracy": float(np.mean(hits)), "stderr": float(np.std(hits, ddof=1) / n**0.5) if n > 1 else math.nan}
    if grader == "fuzzy_match":
        report["f1_score"] = float(np.mean(overlaps))
    written = {key: None if value != value else value for key, value in report.items()}
    log.append({"final_report": written, "run_id": "r1"})
    return {"report": report, "log": log, "asked": asked, "newline": False}
