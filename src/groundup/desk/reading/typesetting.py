"""Tokens of Markdown as HTML: an element has a name and attributes of ours, and everything else is escaped text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup, escape

from .highlight import highlighted
from .mathematics import in_plain_signs, mathematics

BREAKS = ("softbreak", "hardbreak")
ATTRIBUTES = ("class", "id", "href", "rel", "target", "start")
NARROW = 34  # characters of code that fit into the narrowest page; longer lines scroll
MARK = re.compile("\0(\\d+)\0")  # NUL never comes out of a parser of Markdown


@dataclass(frozen=True)
class Figure:
    """A figure's place: its name, and its caption as HTML."""

    name: str
    caption: Markup


def plain(tokens: Sequence[Token]) -> str:
    """Inline tokens as plain text."""
    parts = []
    for token in tokens:
        if token.type == "image":
            parts.append(plain(token.children or []))
        elif token.type.startswith("math"):
            said = in_plain_signs(token.content)
            parts.append(f"{token.meta.get('before', '')}{said}{token.meta.get('after', '')}")
        else:
            parts.append(" " if token.type in BREAKS else token.content)
    return " ".join("".join(parts).split())


class Typesetter(RendererHTML):
    """One method for each kind of token that is not an element by itself."""

    @staticmethod
    def renderAttrs(token: Token) -> str:
        kept = ((key, value) for key, value in token.attrs.items() if key in ATTRIBUTES)
        return "".join(f' {key}="{escape(value)}"' for key, value in kept)

    def text(self, tokens: Sequence[Token], i: int, options: Any, env: Any) -> str:
        return str(escape(tokens[i].content))

    def html_block(self, tokens: Sequence[Token], i: int, options: Any, env: Any) -> str:
        return self.text(tokens, i, options, env)

    def html_inline(self, tokens: Sequence[Token], i: int, options: Any, env: Any) -> str:
        return self.text(tokens, i, options, env)

    def code_inline(self, tokens: Sequence[Token], i: int, options: Any, env: Any) -> str:
        return f"<code>{escape(tokens[i].content)}</code>"

    def code_block(self, tokens: Sequence[Token], i: int, options: Any, env: Any) -> str:
        return _pre(tokens[i].content, escape(tokens[i].content.rstrip("\n")))

    def fence(self, tokens: Sequence[Token], i: int, options: Any, env: Any) -> str:
        token = tokens[i]
        content = token.content.rstrip("\n")
        if "out" in token.meta:
            return _pre(content, escape(content), f' class="out" data-out="{token.meta["out"]}"')
        code = _pre(content, Markup(f"<code>{highlighted(content, token.info.partition(' ')[0].strip())}</code>"))
        if "cell" not in token.meta:
            return code
        number = token.meta["cell"]
        button = f'<button class="button quiet" type="button" data-run="{number}">run</button>'
        out = f'<pre class="out" data-out="{number}" hidden></pre>\n' if "silent" in token.meta else ""
        return f'<div class="cell" data-cell="{number}">{code}{button}</div>\n{out}'

    def math_inline(self, tokens: Sequence[Token], i: int, options: Any, env: Any) -> str:
        formula, meta = mathematics(tokens[i].content.strip()), tokens[i].meta
        if not meta:
            return formula
        return f'<span class="bound">{escape(meta.get("before", ""))}{formula}{escape(meta.get("after", ""))}</span>'

    def math_block(self, tokens: Sequence[Token], i: int, options: Any, env: Any) -> str:
        return mathematics(tokens[i].content.strip(), display=True) + "\n"

    def figure(self, tokens: Sequence[Token], i: int, options: Any, env: Any) -> str:
        token = tokens[i]
        caption = Markup(self.renderInline(token.children or [], options, env))
        env["figures"].append(Figure(token.meta["name"], caption))
        return f"\0{len(env['figures']) - 1}\0\n"

    def image(self, tokens: Sequence[Token], i: int, options: Any, env: Any) -> str:
        return str(escape(plain(tokens[i].children or [])))  # there are no images but figures

    def link_close(self, tokens: Sequence[Token], i: int, options: Any, env: Any) -> str:
        sign = ' <span class="said">(on the web)</span>' if tokens[i].meta.get("away") else ""
        return f"{sign}</a>"

    def table_open(self, tokens: Sequence[Token], i: int, options: Any, env: Any) -> str:
        heads = []
        for token in tokens[i:]:
            if token.type == "thead_close":
                break
            if token.type == "inline":
                heads.append(plain(token.children or []))
        label = escape("table: " + ", ".join(head for head in heads if head)[:120])
        return f'<div class="table" role="region" tabindex="0" aria-label="{label}"><table>\n'

    def table_close(self, tokens: Sequence[Token], i: int, options: Any, env: Any) -> str:
        return "</table></div>\n"

    def th_open(self, tokens: Sequence[Token], i: int, options: Any, env: Any) -> str:
        side = str(tokens[i].attrs.get("style", "")).partition(":")[2]  # a style, to the parser
        kept = f' class="{side}"' if side in ("left", "center", "right") else ""
        inline = tokens[i + 1]
        said = ""
        if tokens[i].tag == "th" and _is_formula(inline):  # checkers of accessibility take MathML for nothing
            said = f'<span class="said">{escape(plain(inline.children or []))}</span><span aria-hidden="true">'
        return f"<{_cell(tokens[i], inline)}{kept}>{said}"

    def th_close(self, tokens: Sequence[Token], i: int, options: Any, env: Any) -> str:
        inline = tokens[i - 1]
        end = "</span>" if tokens[i].tag == "th" and _is_formula(inline) else ""
        return f"{end}</{_cell(tokens[i], inline)}>\n"

    def td_open(self, tokens: Sequence[Token], i: int, options: Any, env: Any) -> str:
        return self.th_open(tokens, i, options, env)

    def footnote_ref(self, tokens: Sequence[Token], i: int, options: Any, env: Any) -> str:
        number, time = int(tokens[i].meta["id"]) + 1, int(tokens[i].meta.get("subId", 0))
        return f'<sup><a href="#note-{number}" id="note-{number}-from-{time}">{number}</a></sup>'

    def footnote_block_open(self, tokens: Sequence[Token], i: int, options: Any, env: Any) -> str:
        return '<ol class="notes">\n'

    def footnote_block_close(self, tokens: Sequence[Token], i: int, options: Any, env: Any) -> str:
        return "</ol>\n"

    def footnote_open(self, tokens: Sequence[Token], i: int, options: Any, env: Any) -> str:
        return f'<li id="note-{int(tokens[i].meta["id"]) + 1}">'

    def footnote_close(self, tokens: Sequence[Token], i: int, options: Any, env: Any) -> str:
        return "</li>\n"

    def footnote_anchor(self, tokens: Sequence[Token], i: int, options: Any, env: Any) -> str:
        number, time = int(tokens[i].meta["id"]) + 1, int(tokens[i].meta.get("subId", 0))
        return f' <a href="#note-{number}-from-{time}" aria-label="back to the text">↩</a>'


def _cell(token: Token, inline: Token) -> str:
    """A header without a word heads nothing."""
    return token.tag if inline.content.strip() else "td"


def _is_formula(inline: Token) -> bool:
    """Whether a cell holds mathematics and nothing else."""
    return bool(inline.children) and all(child.type == "math_inline" for child in inline.children or [])


def _pre(content: str, inside: Markup, attributes: str = "") -> str:
    """Preformatted text; what may have to scroll can be reached by the keyboard."""
    focus = ' tabindex="0"' if any(len(line) > NARROW for line in content.splitlines()) else ""
    return f"<pre{attributes}{focus}>{inside}</pre>\n"
