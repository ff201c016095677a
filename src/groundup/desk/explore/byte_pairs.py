"""A text as one types it, cut into tokens by so many merges, learned from itself or from the pages of the course (7.1)."""

from __future__ import annotations

from typing import Any

import numpy as np
from markupsafe import Markup

from ..drawing.plane import Plane
from ..drawing.svg import element
from .explorable import Choice, Drawn, Explorable, Steps, Text, Values, panels
from .numbers import short
from .pages import pages

MOST = 400  # merges
CAP = 400  # characters of the text
LISTED = 8  # merges in the list
POINTS = 60  # of the curve, about
ITSELF = "this text"
PAGES = "the course's pages"
TEXT = (
    "how much wood would a woodchuck chuck if a woodchuck could chuck wood? as much wood as a woodchuck would,"
    " if a woodchuck could chuck wood."
)
_LEARNED: dict[str, Any] = {}  # in the child: the merges of the pages, learned once


def compute(lib: Any, text: str, source: str, merges: int, corpus: str) -> dict[str, Any]:
    """The tokens after so many merges, what each merge joins and how often in this text, and the number of tokens after 0, 1, ..."""
    pieces = lib.text.counting.count_pieces(text)
    if source == ITSELF:
        learned = lib.text.merges.learn(pieces, MOST)
    else:
        if "pages" not in _LEARNED:
            _LEARNED["pages"] = lib.text.merges.learn(lib.text.counting.count_pieces(corpus), MOST)
        learned = _LEARNED["pages"]
    merges = min(merges, len(learned))
    bpe = lib.text.bpe.BPE(learned[:merges])
    first = max(0, merges - LISTED)
    every = max(1, len(learned) // POINTS)
    wanted = sorted({*range(first, merges + 1), *range(0, len(learned) + 1, every), len(learned)})
    counts = {k: len(lib.text.bpe.BPE(learned[:k]).encode(text)) for k in wanted}
    return {
        "tokens": [np.frombuffer(bpe.token_bytes(int(i)), np.uint8) for i in bpe.encode(text)],
        "ids": [int(i) for i in bpe.encode(text)],
        "merges": merges,
        "last": len(learned),
        "joined": [
            (k + 1, *(np.frombuffer(bpe.token_bytes(i), np.uint8) for i in learned[k]), counts[k] - counts[k + 1])
            for k in range(first, merges)
        ],
        "curve": [(k, count) for k, count in counts.items()],
    }


def draw(values: Values, found: Values) -> Drawn:
    """The tokens as they stand in the text, the last merges, and how many tokens every number of merges leaves."""
    tokens, merges = [bytes(np.asarray(token, np.uint8)) for token in found["tokens"]], int(found["merges"])
    size = sum(map(len, tokens))
    newest = 255 + merges if merges else -1
    joined = [
        (int(k), bytes(np.asarray(a, np.uint8)), bytes(np.asarray(b, np.uint8)), int(count))
        for k, a, b, count in found["joined"]
    ]
    if not tokens:
        return Drawn(
            element("p", "nothing to cut: type a text", class_="soft"), [("token", "bytes")], "A text of 0 bytes."
        )
    says = (
        f"{_count(merges, 'merge')} {'make' if merges != 1 else 'makes'} {_count(len(tokens), 'token')} of"
        f" {_count(size, 'byte')}: {short(size / len(tokens), 3)} bytes a token."
    )
    if joined:
        _, a, b, count = joined[-1]
        says += f" The last one joined “{shown(a)}” and “{shown(b)}”, {_count(count, 'time')} here."
    if merges < values["merges"]:
        says += f" There are no more than {merges}: every piece is one token."
    spans = [
        element("span", shown(token), class_=f"token t{place % 3}" + (" newest" if i == newest else ""))
        for place, (token, i) in enumerate(zip(tokens, found["ids"]))
    ]
    text = element("p", *spans, class_="tokens")
    table = [("token", "bytes", "id")]
    table += [(shown(token), token.hex(" "), i) for token, i in zip(tokens, found["ids"])]
    rest = panels(_list(joined), _curve(found["curve"], merges, len(tokens), int(found["last"])))
    return Drawn(Markup("").join((text, rest)), table, says, last=int(found["last"]))


def shown(token: bytes) -> str:
    """A token as one can see it: a space as ␣, a new line as ⏎, bytes that are no whole character by their number."""
    try:
        text = token.decode()
    except UnicodeDecodeError:
        return "".join(chr(byte) if 32 < byte < 127 else f"⟨{byte:02x}⟩" for byte in token)
    text = text.replace(" ", "␣").replace("\n", "⏎")
    return "".join(letter if letter.isprintable() else f"⟨{ord(letter):x}⟩" for letter in text)


def _list(joined: list[tuple[int, bytes, bytes, int]]) -> Markup:
    """The last merges, the newest on top."""
    head = element("tr", *(element("th", name, scope="col") for name in ("merge", "joins", "into", "times here")))
    rows = [
        element(
            "tr", element("td", str(k)), element("td", f"{shown(a)}  +  {shown(b)}", class_="mono"),
            element("td", shown(a + b), class_="mono"), element("td", str(count)), class_="newest" if k == joined[-1][0] else None,
        )
        for k, a, b, count in reversed(joined)
    ]  # fmt: skip
    title = element("p", "the last merges" if joined else "no merge yet: every byte is a token", class_="panel-title")
    table = element("table", element("thead", head), element("tbody", *rows), class_="merges") if joined else None
    return element("div", title, table)


def _curve(curve: Any, merges: int, tokens: int, last: int) -> Markup:
    """How many tokens the text has after each number of merges."""
    ks, counts = zip(*((int(k), int(count)) for k, count in curve))
    plane = Plane(360, 200, x=(0, max(last, 1)), y=(0, max(counts) * 1.08), x_label="merges").axes()
    plane.line(ks, counts, "s1").dots([merges], [tokens], "miss", radius=5)
    title = element("p", "tokens of this text", class_="panel-title")
    return element("div", title, plane.svg(f"From {counts[0]} tokens without merges to {counts[-1]} after {last}"))


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}" if n == 1 else f"{n:,} {what}s"


def _given() -> dict[str, Any]:
    return {"corpus": pages()}


EXPLORABLE = Explorable(
    name="byte-pairs",
    title="Tokens as you type",
    lesson="7.1",
    modules=("text/splitting.py", "text/merges.py", "text/bpe.py"),
    proves="Each merge joins the most frequent pair of neighbours. Twelve of them, learned from these 138 bytes, leave 54 tokens.",
    controls=(
        Text("text", TEXT, cap=CAP),
        Steps("merges", 0, MOST, 12),
        Choice("source", (ITSELF, PAGES), label="learned from"),
    ),
    compute=compute,
    draw=draw,
    given=_given,
)
