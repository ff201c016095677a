"""The posts as an Atom feed (RFC 4287)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from .rendering import fit

ATOM = "http://www.w3.org/2005/Atom"
NAME = "feed.xml"
MIDDAY = "T12:00:00Z"  # a post has a day and no hour


def atom(title: str, author: str, url: str, posts: Sequence[tuple[str, str, date, str, str]]) -> bytes:
    """The feed of posts (path of the page, title, day, summary, content as HTML), the newest first.

    url: where the site will be; without one the links are relative to the feed, and the ids are made of the title.
    """
    base = url if not url or url.endswith("/") else url + "/"
    feed = Element("feed", xmlns=ATOM)
    _text(feed, "title", title)
    _text(feed, "id", base or _id(title, ""))
    _text(feed, "updated", (max((day for _, _, day, _, _ in posts), default=date(1970, 1, 1))).isoformat() + MIDDAY)
    SubElement(feed, "link", rel="self", type="application/atom+xml", href=base + NAME)
    SubElement(feed, "link", rel="alternate", type="text/html", href=base + "index.html")
    _text(SubElement(feed, "author"), "name", author or "the author of this portfolio")
    for path, name, day, summary, html in posts:
        entry = SubElement(feed, "entry")
        _text(entry, "title", name)
        _text(entry, "id", base + path if base else _id(title, path))
        _text(entry, "published", day.isoformat() + MIDDAY)
        _text(entry, "updated", day.isoformat() + MIDDAY)
        SubElement(entry, "link", rel="alternate", type="text/html", href=base + path)
        if summary:
            _text(entry, "summary", summary)
        _text(entry, "content", html).set("type", "html")
    ElementTree.indent(feed, "")
    text: str = ElementTree.tostring(feed, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'.encode()


def _text(parent: Element, name: str, text: str) -> Element:
    element = SubElement(parent, name)
    element.text = fit(text)
    return element


def _id(title: str, path: str) -> str:
    """The same for the same title and page, wherever the site lies."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"groundup portfolio {fit(title)}/{path}").urn
