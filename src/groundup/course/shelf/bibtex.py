"""The shelf as BibTeX: keys that never change, every sign of a text escaped, capitals kept."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from .shelf import Item

SIGNS = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "%": r"\%", "&": r"\&", "$": r"\$", "#": r"\#", "_": r"\_", "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}", '"': "''", "–": "--", "—": "---", "’": "'", "‘": "`", "“": "``", "”": "''", "ß": r"{\ss}", "ø": r"{\o}", "Ø": r"{\O}", "ł": r"{\l}",
    "Ł": r"{\L}", "æ": r"{\ae}", "Æ": r"{\AE}", "œ": r"{\oe}", "ı": r"{\i}",
    "α": r"$\alpha$", "β": r"$\beta$", "λ": r"$\lambda$", "²": "$^2$",
}  # fmt: skip
ACCENTS = {
    "\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0308": '"', "\u030a": "r ", "\u0327": "c ", "\u030c": "v ",
    "\u0304": "=", "\u0306": "u ", "\u0307": ".", "\u0328": "k ", "\u030b": "H ",
}  # fmt: skip


def bibtex(items: Iterable[Item]) -> str:
    """Entries, in the order of the items."""
    return "\n".join(map(entry, items))


def entry(item: Item) -> str:
    """One entry. What has no place in BibTeX's own types is @misc."""
    if item.doi:
        kind = "article"
    elif item.kind == "books":
        kind = "book"
    else:
        kind = "misc"
    fields = {
        "author": " and ".join(map(_person, item.by)),
        "title": "{" + escaped(item.title) + "}" if item.title else "",
        "year": str(item.year) if item.year else "",
        {"article": "journal", "book": "publisher"}.get(kind, "howpublished"): escaped(item.venue),
        "eprint": item.arxiv,
        "archiveprefix": "arXiv" if item.arxiv else "",
        "doi": item.doi,
        "url": item.link,
    }
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([f"@{kind}{{{item.key},", *lines, "}", ""])


def _person(name: str) -> str:
    """A name in the form that BibTeX takes apart; an organisation is one word to it."""
    if name == "others":
        return name
    text = escaped(name)
    return text if "," in name else "{" + text + "}"


def escaped(text: str) -> str:
    """A text as LaTeX, every brace in it balanced."""
    return "".join(map(_sign, unicodedata.normalize("NFC", text)))


def _sign(sign: str) -> str:
    if sign in SIGNS:
        return SIGNS[sign]
    if sign.isascii():
        return sign if sign.isprintable() else " "
    parts = unicodedata.normalize("NFD", sign)
    if len(parts) == 2 and parts[1] in ACCENTS and parts[0].isascii():
        return f"{{\\{ACCENTS[parts[1]]}{parts[0]}}}"
    return sign
