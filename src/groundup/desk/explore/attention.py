"""Where the heads of one's own language model look, token by token (7.2)."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from ..drawing.plane import Plane
from ..drawing.png import data_uri
from ..drawing.svg import element, picture
from .byte_pairs import shown
from .explorable import Choice, Drawn, Explorable, Slider, Steps, Text, Values, panels
from .trained import TRAIN, language_models, told

UNTRAINED = "none: untrained weights"
LONGEST = 48  # tokens that are shown: the last ones
TEXT = "To be, or not to be, that is the"
NAMED = 5  # of the tokens that are read from
ALPHABET = "\n" + "".join(map(chr, range(32, 127)))
SMALL: dict[str, int] = {"context": LONGEST, "layers": 2, "heads": 2, "width": 64, "vocab_size": len(ALPHABET)}
BLUE = (70, 125, 195)  # of a map: reads on both papers
_KEPT: dict[str, Any] = {}  # in the child: the tokenizer, the model, and the maps of the last text


def compute(
    lib: Any, run: str, text: str, layer: int, head: int, token: int, config: dict[str, Any], weights: dict[str, Any], tokenizer: str
) -> dict[str, Any]:  # fmt: skip
    """The tokens of the text, and with which weights one head of one layer reads from them."""
    import torch

    if "model" not in _KEPT:
        _KEPT.update(_loaded(lib, config, weights, tokenizer))
    words, model = _KEPT["tokenizer"], _KEPT["model"]
    known = "".join(letter for letter in text if letter in words.alphabet) if hasattr(words, "alphabet") else text
    ids = words.encode(known)[-min(LONGEST, config["context"]) :]
    if not len(ids):
        return {"tokens": [], "left_out": len(text) - len(known)}
    if _KEPT.get("text") != text:
        _KEPT["maps"] = lib.nets.maps.attention_maps(model, torch.from_numpy(ids.astype(np.int64))[None])[:, 0].numpy()
        _KEPT["text"] = text
    layers, heads = _KEPT["maps"].shape[:2]
    layer, head = min(layer, layers), min(head, heads)
    in_bytes = getattr(words, "token_bytes", lambda i: words.decode([i]).encode())
    return {
        "tokens": [np.frombuffer(in_bytes(int(i)), np.uint8) for i in ids],
        "maps": _KEPT["maps"][layer - 1],  # (heads, T, T)
        "of": (layer, layers, head, heads),
        "left_out": len(text) - len(known),
        "token": min(token, len(ids)),
    }


def _loaded(lib: Any, config: dict[str, Any], weights: dict[str, Any], tokenizer: str) -> dict[str, Any]:
    """The tokenizer and the model; where there are no weights, with those that every run begins with."""
    import torch

    Path("tokenizer.json").write_text(tokenizer, encoding="utf-8")
    words = lib.text.load("tokenizer.json")
    if weights:
        return {"tokenizer": words, "model": lib.nets.restoring.restored(config, weights)}
    torch.manual_seed(0)
    return {"tokenizer": words, "model": lib.nets.gpt.GPT(lib.nets.gpt.GPTConfig(**config)).eval()}


def draw(values: Values, found: Values) -> Drawn:
    """The text, each token shaded by how much is read from it, the tokens most read from, and the whole map."""
    tokens = [shown(bytes(np.asarray(token, np.uint8))) for token in found["tokens"]]
    note = _note(values, int(found["left_out"]))
    if not tokens:
        return Drawn(
            element("p", "nothing to read: type a text", class_="soft"),
            [("token", "weight")],
            note + "A text of 0 tokens.",
        )
    maps, at = np.asarray(found["maps"], float), int(found["token"]) - 1
    layer, layers, head, heads = map(int, found["of"])
    row = maps[head - 1][at]
    most = int(row[: at + 1].argmax())
    says = (
        f"{note}Layer {layer} of {layers}, head {head} of {heads}: token {at + 1}, “{tokens[at]}”, shares out its weight among"
        f" {at + 1} {'places' if at else 'place'} and reads most, {row[most]:.0%}, from “{tokens[most]}”, {_back(at - most)}."
    )
    spans = [
        element("span", token, class_=f"token {_shade(row[place]) if place <= at else 'later'}" + (" newest" if place == at else ""))
        for place, token in enumerate(tokens)
    ]  # fmt: skip
    order = np.argsort(-row[: at + 1], kind="stable")
    table: list[tuple[Any, ...]] = [("place", "token", "weight")]
    table += [(int(place) + 1, tokens[place], f"{row[place]:.1%}") for place in order]
    beside = element("div", _named(tokens, row, order[:NAMED], at), _heads(maps, layer, head))
    drawn = panels(_map(maps[head - 1], at, f"layer {layer}, head {head}"), beside)
    return Drawn(Markup("").join((element("p", *spans, class_="tokens"), drawn)), table, says, last=len(tokens))


def _note(values: Values, left_out: int) -> str:
    note = ""
    if values["run"] == UNTRAINED:
        note = f"These weights are untrained; {TRAIN}, and it can be chosen here. "
    if left_out:
        note += f"{left_out} {'character is' if left_out == 1 else 'characters are'} not in the model's alphabet and left out. "
    return note


def _back(distance: int) -> str:
    return "itself" if distance == 0 else f"{distance} {'place' if distance == 1 else 'places'} back"


def _shade(weight: float) -> str:
    """The class of a shade, 0 to 9, by the root of the weight."""
    return f"shade-{min(int(10 * max(weight, 0.0) ** 0.5), 9)}"


def _pixels(weights: Any) -> Any:
    """Colour with the root of each weight as its opacity: small weights are seen too."""
    pixels = np.zeros((*weights.shape, 4), np.uint8)
    pixels[..., :3] = BLUE
    pixels[..., 3] = np.round(255 * np.sqrt(np.clip(weights, 0, 1)))
    return pixels


def _map(weights: Any, at: int, label: str) -> Markup:
    """Rows read from columns; the row at hand is framed, and a staircase parts what may be read from what is to come."""
    T = len(weights)
    plane = Plane(320, 320, x=(0, T), y=(0, T)).bare().image(_pixels(weights))
    stairs = np.repeat(np.arange(T + 1), 2)
    plane.line(stairs[1:], T - stairs[:-1], "rule thin").line([0, 0, T, T], [T, 0, 0, 1], "soft thin")
    plane.line([0, at + 1, at + 1, 0, 0], T - np.array([at, at, at + 1, at + 1, at]), "miss solid")
    title = element("p", "the whole map: each row reads from the columns", class_="panel-title")
    return element("div", title, plane.svg(f"The weights of {label}: {T} rows of shares that add up to 1"))


def _heads(maps: Any, layer: int, head: int) -> Markup:
    """The maps of all heads of the layer, small, the chosen one framed."""
    T = maps.shape[1]
    small = [
        element(
            "li", picture(T, T, f"the map of head {i}", element("image", href=data_uri(_pixels(weights)), width=T, height=T, class_="pixels")),
            f"head {i}", class_="chosen" if i == head else None,
        )
        for i, weights in enumerate(maps, 1)
    ]  # fmt: skip
    return element(
        "div", element("p", f"the heads of layer {layer}", class_="panel-title"), element("ul", *small, class_="heads")
    )


def _named(tokens: list[str], row: Any, places: Any, at: int) -> Markup:
    """The tokens that are most read from."""
    head = element("tr", *(element("th", name, scope="col") for name in ("reads from", "where", "weight")))
    rows = [
        element("tr", element("td", tokens[place], class_="mono"), element("td", _back(at - int(place))), element("td", f"{row[place]:.1%}"))
        for place in places
    ]  # fmt: skip
    title = element("p", f"token {at + 1}, “{tokens[at]}”", class_="panel-title")
    table = element("table", element("thead", head), element("tbody", *rows), class_="merges")
    return element("div", title, table)


def _given(run: str, root: Path) -> dict[str, Any]:
    """The chosen run's model, or a small one that has learned nothing."""
    if run != UNTRAINED:
        return told(root, run)
    return {"config": SMALL, "weights": {}, "tokenizer": json.dumps({"kind": "chars", "alphabet": ALPHABET})}


def _within(root: Path) -> dict[str, Any]:
    """The choice among the workspace's runs, and as many layers and heads as the largest has."""
    models = {**language_models(root), UNTRAINED: (SMALL["layers"], SMALL["heads"])}
    layers, heads = (max(sizes) for sizes in zip(*models.values()))
    token, text = EXPLORABLE.controls[:2]
    return {"controls": (token, text, *_controls(layers, heads, tuple(models))), "given": partial(_given, root=root)}


def _controls(layers: int, heads: int, runs: tuple[str, ...]) -> tuple[Slider, Slider, Choice]:
    return (
        Slider("layer", 1, layers, min(layers, 2), step=1),
        Slider("head", 1, heads, 1, step=1),
        Choice("run", runs, label="model"),
    )


EXPLORABLE = Explorable(
    name="attention",
    title="Where a model looks",
    lesson="7.2",
    modules=("nets/gpt.py",),
    proves="Each token shares out exactly 1 among itself and the tokens before it: of 32 × 32 weights, 496 are 0 for ever.",
    controls=(
        Steps("token", 1, LONGEST, 27, label="token that reads"),
        Text("text", TEXT, cap=400),
        *_controls(SMALL["layers"], SMALL["heads"], (UNTRAINED,)),
    ),
    compute=compute,
    draw=draw,
    given=partial(_given, root=Path()),
    given_by=("run",),
    within=_within,
    allows=("torch", "regex"),
    seconds=15.0,
)
