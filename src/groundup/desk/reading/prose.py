"""Markdown as parts of HTML: what a lesson's prose may contain, and what each construct becomes.

Raw HTML is text, an attribute has a fixed name and a value of ours, and a link goes to the web, to a heading or to a lesson.
Figures are left as marks, because the page fills them in when they are drawn. CommonMark 0.31, with tables, mathematics,
footnotes, definition lists and the boxes of `BOXES`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.container import container_plugin
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.footnote import footnote_plugin

from .typesetting import BREAKS, Figure, Typesetter, plain

PREFIX = "part-"  # before the ids of headings, which share the page with ids of its own
BOXES = ("exercise", "note", "warning")  # ::: exercise
LINK = re.compile(r"https?://[^\s/\\?#@]+([/?#]\S*)?|mailto:\S+|#\S+|/lesson/\d+\.\d+(#\S+)?", re.IGNORECASE)
FIGURE = re.compile(r"figures\.py#(\w+)")
CLOSING = re.compile(r"[,.;:!?)\]%’”\"'-]+")  # what never begins a line
ASK = re.compile(r"Predict\b")


@dataclass(frozen=True)
class Part:
    """What stands under one heading of the second level; `html` has a mark where each of `figures` belongs."""

    id: str
    title: str
    html: str
    figures: tuple[Figure, ...]


@lru_cache(maxsize=64)
def parts_of(prose: str, blocks: tuple[tuple[int, str], ...]) -> tuple[Part, ...]:
    """The parts of a page. `blocks`: the line, from 0, and the code of each block that runs."""
    parser = _parser()
    environment: dict[str, Any] = {}
    tokens = list(_arranged(parser.parse(prose, environment), blocks))
    starts = [i for i, token in enumerate(tokens) if "title" in token.meta]
    parts = []
    for start, end in zip([0, *starts], [*starts, len(tokens)]):
        if start == end:
            continue
        environment["figures"] = []
        html = parser.renderer.render(tokens[start:end], parser.options, environment)
        title = tokens[start].meta.get("title", "")
        name = str(tokens[start].attrs["id"]) if title else ""
        parts.append(Part(name, title, html, tuple(environment["figures"])))
    return tuple(parts)


def is_safe_link(url: str) -> bool:
    """Whether a link goes where links may go."""
    return LINK.fullmatch(url) is not None and url.isprintable() and not any(c in url for c in "\\\"'<>`")


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": 20}).enable(["table", "strikethrough"])
    parser.use(dollarmath_plugin, allow_space=False, allow_labels=False)
    parser.use(footnote_plugin).use(deflist_plugin)
    for name in BOXES:
        parser.use(container_plugin, name, validate=lambda words, _, name=name: words.strip(" {}") == name)
    parser.validateLink = lambda url: bool(is_safe_link(url) or FIGURE.fullmatch(url))  # type: ignore[method-assign]
    parser.renderer = Typesetter(parser)  # in place of the one that the plugins gave their rules to
    return parser


# Tokens, before they are written


def _arranged(tokens: Sequence[Token], blocks: Sequence[tuple[int, str]]) -> Iterator[Token]:
    """The tokens with headings named, cells numbered, figures and questions by themselves."""
    cells = {line: (number, code) for number, (line, code) in enumerate(blocks)}
    ids: dict[str, int] = {}
    i = 0
    while i < len(tokens):
        token = tokens[i]
        following = tokens[i + 1] if i + 1 < len(tokens) else None
        if token.type == "fence":
            _number(token, following, cells)
        elif token.type == "heading_open" and following is not None:
            _name(token, following, ids)
        elif token.type == "heading_close":
            token.tag = _level(token)
        elif token.type.startswith("container_") and token.nesting == 1:
            token.attrs = {"class": f"box {token.type.split('_')[1]}"}
        if token.type == "paragraph_open" and following is not None:
            yield from _paragraph(token, following, tokens[i + 2])
            i += 3
            continue
        if token.type == "inline":
            token.children = list(_inline(token.children or []))
        yield token
        i += 1


def _number(token: Token, following: Token | None, cells: dict[int, tuple[int, str]]) -> None:
    """Marks a block that runs, and the block after it that says what it prints."""
    number, code = cells.get(token.map[0] if token.map else -1, (-1, ""))
    if (
        number < 0
        or token.level
        or token.info.strip() != "python run"
        or token.content.rstrip("\n") != code.rstrip("\n")
    ):
        return
    token.meta["cell"] = number
    if following is not None and following.type == "fence" and following.info.strip() == "output":
        following.meta["out"] = number
    else:
        token.meta["silent"] = True


def _name(token: Token, inline: Token, ids: dict[str, int]) -> None:
    title = plain(inline.children or [])
    base = PREFIX + (re.sub(r"\W+", "-", title.lower()).strip("-")[:80] or "heading")
    name = base
    while name in ids:
        ids[base] += 1
        name = f"{base}-{ids[base]}"
    ids[name] = 1
    token.tag = _level(token)
    token.attrs = {"id": name}
    if token.tag == "h2":
        token.meta["title"] = title or "…"


def _level(token: Token) -> str:
    """The first level is the page's own; one inside a list or a quotation begins no part."""
    return f"h{min(max(int(token.tag[1:]), 2 if token.level == 0 else 3), 4)}"


def _paragraph(opening: Token, inline: Token, closing: Token) -> Iterator[Token]:
    """A paragraph, cut where a figure stands in it, and where it begins to ask."""
    held: list[Token] = []
    asks = False

    def cut() -> Iterator[Token]:
        while held and not _says(held[0]):
            held.pop(0)
        while held and not _says(held[-1]):
            held.pop()
        if held:
            held[-1].content = held[-1].content.rstrip() if held[-1].type == "text" else held[-1].content
            attributes = {"class": "ask"} if asks and not opening.hidden else {}
            yield opening.copy(attrs=attributes)
            yield inline.copy(children=list(held))
            yield closing
            held.clear()

    children = list(_inline(inline.children or []))
    for i, child in enumerate(children):
        if child.type == "image" and child.level == 0 and (found := FIGURE.fullmatch(str(child.attrs.get("src", "")))):
            yield from cut()
            yield Token("figure", "", 0, meta={"name": found[1]}, children=child.children)
            continue
        if (
            child.type == "strong_open"
            and child.level == 0
            and i + 1 < len(children)
            and ASK.match(children[i + 1].content)
        ):
            yield from cut()
            asks = True
        held.append(child)
    yield from cut()


def _says(token: Token) -> bool:
    return token.type not in BREAKS and (token.type != "text" or bool(token.content.strip()))


def _inline(tokens: Sequence[Token]) -> Iterator[Token]:
    """Links made safe, and no line broken between a formula and the sign that belongs to it."""
    found = list(_links(tokens))
    for i, token in enumerate(found):
        if token.type != "math_inline":
            continue
        before, after = found[i - 1] if i else None, found[i + 1] if i + 1 < len(found) else None
        if before is not None and before.type == "text" and before.content.endswith(("(", "[")):
            token.meta["before"] = before.content[-1]
            before.content = before.content[:-1]
        if after is not None and after.type == "text" and (signs := CLOSING.match(after.content)):
            token.meta["after"] = signs[0]
            after.content = after.content[signs.end() :]
    yield from found


def _links(tokens: Sequence[Token]) -> Iterator[Token]:
    """Links as they may stand: to the web with a sign, to a heading by the id it has here, to nowhere not at all."""
    opened: list[str] = []
    for token in tokens:
        if token.type == "link_open":
            href = str(token.attrs.get("href", ""))
            opened.append(href if is_safe_link(href) else "")
            if not opened[-1]:
                continue
            if href.startswith("#"):
                href = "#" + PREFIX + href[1:].removeprefix(PREFIX)
            token.attrs = {"href": href}
            if href[:4].lower() == "http":
                token.attrs.update({"class": "away", "rel": "noreferrer noopener", "target": "_blank"})
        elif token.type == "link_close":
            href = opened.pop() if opened else ""
            if not href:
                continue
            token.meta["away"] = href[:4].lower() == "http"
        yield token
