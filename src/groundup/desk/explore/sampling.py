"""Which token comes next: the probabilities of a model, heated or cooled, and what is cut off (7.6)."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from ..drawing.svg import element, number
from .byte_pairs import shown
from .explorable import Choice, Drawn, Explorable, Slider, Text, Values
from .numbers import short
from .pages import pages
from .trained import TRAIN, language_models, told

COUNTED = "none: counts of the course's pages"
ORDER = 6  # of the n-gram model that stands in: five characters are seen before each
READ = 128  # tokens of the text that a model reads at most: the last ones
LISTED = 20  # tokens, the most probable ones
TEXT = "What is the "
CUTS = ("", "top-k", "top-p", "min-p")
_KEPT: dict[str, Any] = {}  # in the child: the tokenizer, the model, and what it said of the last text


def compute(
    lib: Any, run: str, text: str, temperature: float, top_k: int, top_p: float, min_p: float,
    config: dict[str, Any], weights: dict[str, Any], tokenizer: str, corpus: str,
) -> dict[str, Any]:  # fmt: skip
    """The probabilities of all tokens before and after, and by what each was cut off."""
    import torch

    if "model" not in _KEPT:
        _KEPT.update(_counts(lib, corpus) if corpus else _loaded(lib, config, weights, tokenizer))
    words, model = _KEPT["tokenizer"], _KEPT["model"]
    known = "".join(letter for letter in text if letter in words.alphabet) if hasattr(words, "alphabet") else text
    if _KEPT.get("text") != text:
        start = "\n" if "\n" in getattr(words, "alphabet", "\n") else words.alphabet[0]
        ids = words.encode(start + known if corpus or not known else known)
        _KEPT["logits"] = _counted_logits(model, ids) if corpus else _logits(lib, model, ids, config["context"])
        _KEPT["text"] = text
    logits, sample = torch.from_numpy(_KEPT["logits"]), lib.nets.sample
    heated = sample.scale(logits, temperature)
    by_k = sample.keep_top_k(heated, top_k)
    by_p = sample.keep_top_p(by_k, top_p)
    kept = sample.keep_min_p(by_p, min_p)
    stages = torch.stack([heated, by_k, by_p, kept])
    order = torch.argsort(logits, descending=True, stable=True)[:LISTED].tolist()
    in_bytes = getattr(words, "token_bytes", lambda i: words.decode([i]).encode())
    return {
        "before": logits.softmax(-1).numpy(),
        "after": kept.softmax(-1).numpy(),
        "cut": (stages == -torch.inf).sum(0).numpy() * (kept == -torch.inf).numpy(),  # stages in which it is missing
        "order": order,
        "tokens": [np.frombuffer(in_bytes(i), np.uint8) for i in order],
        "left_out": len(text) - len(known),
    }


def _counts(lib: Any, corpus: str) -> dict[str, Any]:
    """An n-gram model of characters, fitted here."""
    words = lib.text.chars.Chars.of(corpus)
    return {"tokenizer": words, "model": lib.text.ngram.KneserNey(ORDER).fit(words.encode(corpus), words.vocab_size)}


def _loaded(lib: Any, config: dict[str, Any], weights: dict[str, Any], tokenizer: str) -> dict[str, Any]:
    """A run's tokenizer and model."""
    Path("tokenizer.json").write_text(tokenizer, encoding="utf-8")
    return {"tokenizer": lib.text.load("tokenizer.json"), "model": lib.nets.restoring.restored(config, weights)}


def _logits(lib: Any, model: Any, ids: Any, context: int) -> Any:
    """What a GPT says of the token after ids."""
    import torch

    window = ids[-min(READ, context) :].astype(np.int64)
    return lib.nets.sample.read(model, torch.from_numpy(window)[None], None)[0, -1].double().numpy()


def _counted_logits(model: Any, ids: Any) -> Any:
    """The logarithms of what counting says: every token is tried after the last ORDER - 1, all of them in one row."""
    before = np.concatenate([np.full(ORDER - 1, ids[0]), ids])[1 - ORDER :]  # (ORDER - 1,)
    rows = np.concatenate(
        [np.tile(before, (model.vocab_size, 1)), np.arange(model.vocab_size)[:, None]], axis=1
    )  # (V, ORDER)
    return np.log(model.probabilities(rows.ravel())[ORDER - 1 :: ORDER])


def draw(values: Values, found: Values) -> Drawn:
    """A bar for each of the most probable tokens: outlined as the model has it, filled as it is drawn from."""
    before, after = np.asarray(found["before"], float), np.asarray(found["after"], float)
    cut, order = np.asarray(found["cut"], int), [int(i) for i in found["order"]]
    tokens = [shown(bytes(np.asarray(token, np.uint8))) for token in found["tokens"]]
    stay, best = int(np.sum(after > 0)), int(after.argmax())
    says = (
        f"{_note(values, int(found['left_out']))}Of {len(after):,} tokens {_stay(stay)}, which had {before[after > 0].sum():.1%} of the"
        f" probability. “{_name(best, order, tokens)}” goes from {before[best]:.1%} to {after[best]:.1%}, the entropy from"
        f" {short(_entropy(before), 3)} to {short(_entropy(after), 3)} nats."
    )
    scale = 100 / max(before.max(), after.max())
    rows = [
        _row(token, before[i], after[i], scale, _reason(values, cut[i]))
        for i, token in zip(order, tokens)
    ]  # fmt: skip
    rest = np.setdiff1d(np.arange(len(after)), order)
    if len(rest):
        rows.append(_row(f"{len(rest):,} others", before[rest].sum(), after[rest].sum(), scale, "", plain=True))
    names = ("token", element("span", "bar", class_="said"), "model", "drawn from")
    head = element("tr", *(element("th", name, scope="col") for name in names))
    table = element("table", element("thead", head), element("tbody", *rows), class_="bars")
    twin = [("token", "model", "drawn from", "cut off by")]
    twin += [(token, f"{before[i]:.2%}", f"{after[i]:.2%}", _reason(values, cut[i])) for i, token in zip(order, tokens)]
    return Drawn(table, twin, says)


def _row(token: str, before: float, after: float, scale: float, reason: str, plain: bool = False) -> Markup:
    """One token: its bar, its two probabilities, and why it is not drawn."""
    outline = element("rect", x=0, y=1, width=number(before * scale), height=10, class_="before")
    fill = element("rect", x=0, y=3, width=number(after * scale), height=6, class_="after")
    bar = element(
        "svg", outline, fill, viewBox="0 0 100 12", preserveAspectRatio="none", class_="bar-line", aria_hidden="true"
    )
    drawn = f"cut: {reason}" if reason else f"{after:.1%}" if after else "0"
    cells = (
        element("th", token, scope="row", class_=None if plain else "mono"),
        element("td", bar, class_="bar-cell"),
        element("td", f"{before:.1%}"),
        element("td", drawn),
    )
    return element("tr", *cells, class_="cut" if reason else None)


def _reason(values: Values, missing: int) -> str:
    """By what a token was cut off, from the number of stages in which it is missing."""
    if not missing:
        return ""
    return "greedy" if missing == 4 else CUTS[4 - missing]


def _note(values: Values, left_out: int) -> str:
    note = f"These are counts; {TRAIN}, and it can be chosen here. " if values["run"] == COUNTED else ""
    if left_out:
        note += f"{left_out} {'character is' if left_out == 1 else 'characters are'} not in the model's alphabet and left out. "
    return note


def _stay(count: int) -> str:
    return "1 stays" if count == 1 else f"{count:,} stay"


def _name(i: int, order: list[int], tokens: list[str]) -> str:
    return tokens[order.index(i)] if i in order else f"token {i}"


def _entropy(p: Any) -> float:
    p = p[p > 0]
    return float(-(p * np.log(p)).sum())


def _given(run: str, root: Path) -> dict[str, Any]:
    """The chosen run's model, or the text to count."""
    if run != COUNTED:
        return {**told(root, run), "corpus": ""}
    return {"config": {}, "weights": {}, "tokenizer": "", "corpus": pages()}


def _within(root: Path) -> dict[str, Any]:
    """The choice among the workspace's runs."""
    runs = Choice("run", (*language_models(root), COUNTED), label="model")
    return {"controls": (*EXPLORABLE.controls[:-1], runs), "given": partial(_given, root=root)}


EXPLORABLE = Explorable(
    name="sampling",
    title="What comes next, hotter and colder",
    lesson="7.6",
    modules=("nets/sample.py",),
    proves="At a temperature of 1/2 every probability is squared before they are shared out again: odds of 3 to 1 become 9 to 1."
    " At 2 they are the roots, 1.7 to 1.",
    controls=(
        Text("text", TEXT, cap=400),
        Slider("temperature", 0.0, 2.0, 0.5, step=0.05),
        Slider("top_k", 0, 40, 0, step=1, label="top-k (0: all)"),
        Slider("top_p", 0.05, 1.0, 1.0, step=0.05, label="top-p"),
        Slider("min_p", 0.0, 0.5, 0.0, step=0.01, label="min-p"),
        Choice("run", (COUNTED,), label="model"),
    ),
    compute=compute,
    draw=draw,
    given=partial(_given, root=Path()),
    given_by=("run",),
    within=_within,
    allows=("torch", "regex"),
    seconds=15.0,
)
