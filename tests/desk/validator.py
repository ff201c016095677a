"""A validator of HTML pages: html5lib's strict parser, and what it does not look at."""

import re
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

import html5lib

VOID_OF_SCRIPT = ("script", "iframe", "object", "embed", "form", "base", "style")
INSIDE = {
    "a": ("a", "button"),
    "button": ("a", "button"),
    "summary": ("a",),
    "p": ("p", "div", "ul", "table", "section"),
}
HEADINGS = tuple(f"h{i}" for i in range(1, 7))
XHTML = "{http://www.w3.org/1999/xhtml}"


def complaints(html: str) -> list[str]:
    """What is wrong with a page, a sentence each."""
    parser = html5lib.HTMLParser(strict=False, namespaceHTMLElements=False)
    tree = parser.parse(html)
    found = [f"line {place[0]}: {code} {values}" for place, code, values in parser.errors]
    elements = list(tree.iter())
    names = [element.tag for element in elements if isinstance(element.tag, str)]
    ids = [element.get("id") for element in elements if element.get("id") is not None]
    found += [f"the id {each!r} is there {ids.count(each)} times" for each in sorted(set(ids)) if ids.count(each) > 1]
    found += [f"the id {each!r} has a space in it" for each in ids if not each or re.search(r"\s", each)]
    found += [f"<{name}>" for name in names if name in VOID_OF_SCRIPT]
    html_element = tree if tree.tag == "html" else tree.find("html")
    if not (html_element.get("lang") or "").strip():
        found.append("no language")
    title = tree.find(".//title")
    if title is None or not (title.text or "").strip():
        found.append("no title")
    levels = [int(name[1]) for name in names if name in HEADINGS]
    if levels.count(1) != 1 or levels[0] != 1:
        found.append(
            f"{levels.count(1)} headings of the first level, the first heading is h{levels[0] if levels else '-'}"
        )
    found += [f"h{after} follows h{before}" for before, after in pairwise(levels) if after > before + 1]
    for element in elements:
        if not isinstance(element.tag, str):
            continue
        name = element.tag
        if name == "img" and element.get("alt") is None:
            found.append("an <img> without alt")
        if name in HEADINGS and not "".join(element.itertext()).strip():
            found.append(f"an empty <{name}>")
        for key in ("aria-labelledby", "aria-describedby"):
            found += [f"{key} names {each!r}" for each in (element.get(key) or "").split() if each not in ids]
        found += [f"{key} of <{name}>" for key in element.attrib if key == "style" or str(key).startswith("on")]
        inner = {each.tag for each in element.iter() if each is not element}
        found += [f"<{each}> in <{name}>" for each in INSIDE.get(name, ()) if each in inner]
        if name in ("ul", "ol"):
            found += [f"<{child.tag}> in <{name}>" for child in element if child.tag != "li"]
        if name == "dl":
            found += [f"<{child.tag}> in <dl>" for child in element if child.tag not in ("dt", "dd", "div")]
        href = element.get("href", "") if name == "a" else ""
        if re.match(r"\s*(javascript|data|vbscript|file)\s*:", href, re.IGNORECASE):
            found.append(f"a link to {href[:60]}")
    return found


def dead_links(folder: Path) -> list[str]:
    """Links and sources of every page of a site that lead to no file or no place of it, or beyond its folder."""
    found, ids = [], {}
    pages = {path.resolve(): path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.html"))}
    trees = {path: html5lib.parse(text, namespaceHTMLElements=False) for path, text in pages.items()}
    for path, tree in trees.items():
        ids[path] = {element.get("id") for element in tree.iter() if element.get("id")}
    for path, tree in trees.items():
        for element in tree.iter():
            for key in ("href", "src"):
                address = element.get(key)
                if address is None or element.tag in ("use", "image"):
                    continue
                parts = urlsplit(address)
                if parts.scheme in ("http", "https", "mailto"):
                    continue
                if parts.scheme or parts.netloc or address.startswith("/"):
                    found.append(f"{path.name}: {address} is not relative")
                    continue
                target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
                if not target.is_relative_to(folder.resolve()) or not target.is_file():
                    found.append(f"{path.name}: {address} leads nowhere")
                elif parts.fragment and target in ids and unquote(parts.fragment) not in ids[target]:
                    found.append(f"{path.name}: {address} has no such place")
    return found
