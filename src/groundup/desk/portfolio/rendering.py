"""Markdown and code as parts of a static page: links lead to pages of the site, ids are told apart, headings keep their order."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from markupsafe import Markup, escape

from ...course.log.entries import lines_of
from ..reading.prose import Part, parts_of
from ..reading.typesetting import MARK, Figure

LESSON = re.compile(r'<a href="/lesson/(\d+\.\d+)(?:#[^"]*)?"[^>]*>(.*?)</a>', re.DOTALL)
HEADING = re.compile(r"<(/?)h([2-6])((?: [^>]*)?)>")
IMAGE = re.compile(r"!\[([^\]]*)\]\(([^()\s]+)\)")
TAG = re.compile(r"<[^>]*>")
UNFIT = {code: "\ufffd" for code in (*range(32), *range(127, 160), 0xFFFE, 0xFFFF, *range(0xD800, 0xE000))}
UNFIT.update({ord("\n"): "\n", ord("\t"): "\t", ord("\r"): "\n"})


def fit(text: str) -> str:
    """The text without what neither HTML nor XML can hold."""
    return text.replace("\r\n", "\n").translate(UNFIT)


def prose(
    text: str,
    up: str,
    lessons: Collection[str],
    name: str = "",
    base: int = 2,
    pictures: Mapping[str, str] | None = None,
) -> Markup:
    """Markdown as HTML. up: the way to the top of the site. lessons: those that have a page. name: goes before every id.

    base: the level of the highest heading. pictures: by what the Markdown calls them, their addresses.
    """
    addresses = list((pictures or {}).values())
    parts = parts_of(_marked(fit(text), pictures or {}), ())
    html = "".join(_with_figures(part, addresses) for part in parts)
    html = LESSON.sub(lambda m: f'<a href="{up}lessons/{m[1]}.html">{m[2]}</a>' if m[1] in lessons else m[2], html)
    if name:
        html = html.replace(' id="', f' id="{name}-').replace(' href="#', f' href="#{name}-')
    return Markup(_levelled(html, base))


def _with_figures(part: Part, addresses: list[str]) -> str:
    return MARK.sub(lambda mark: _figure(part.figures[int(mark[1])], addresses), part.html)


def _marked(text: str, pictures: Mapping[str, str]) -> str:
    """The text with each picture that is there as a figure, outside fences."""
    places = {source: number for number, source in enumerate(pictures)}
    lines = []
    for line, fenced in lines_of(text):
        if not fenced:
            line = IMAGE.sub(lambda m: f"![{m[1]}](figures.py#picture{places[m[2]]})" if m[2] in places else m[0], line)
        lines.append(line)
    return "\n".join(lines)


def _figure(figure: Figure, addresses: list[str]) -> str:
    """A picture of the learner's; of a figure that is none of theirs, the caption."""
    number = figure.name.removeprefix("picture")
    said = Markup(TAG.sub("", str(figure.caption))).unescape()
    caption = f"<figcaption>{figure.caption}</figcaption>" if said.strip() else ""
    if not (number.isdecimal() and len(number) < 6 and int(number) < len(addresses)):
        return f"<p>{figure.caption}</p>" if caption else ""
    label = escape(said.strip() or "a picture without a caption")
    return f'<figure><img src="{escape(addresses[int(number)])}" alt="{label}" loading="lazy">{caption}</figure>'


def _levelled(html: str, base: int) -> str:
    """Headings from `base` on, none of them more than a level below the one before."""
    before = level = base - 1

    def changed(match: re.Match[str]) -> str:
        nonlocal before, level
        if not match[1]:
            before = level = min(int(match[2]) - 2 + base, before + 1, 6)
        return f"<{match[1]}h{level}{match[3]}>"

    return HEADING.sub(changed, html)
