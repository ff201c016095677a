"""Code in colour: each token a <span> with one of six classes, never a style."""

from __future__ import annotations

from functools import lru_cache

from markupsafe import Markup, escape
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Keyword, Name, Number, Operator, String, _TokenType

LONGEST = 50_000  # characters; beyond, code is plain
LANGUAGES = {
    "python": "python", "py": "python", "pycon": "pycon", "bash": "bash", "sh": "bash", "shell": "bash",
    "console": "console", "toml": "toml", "json": "json", "yaml": "yaml", "sql": "sql", "diff": "diff",
}  # fmt: skip
CLASSES: tuple[tuple[_TokenType, str], ...] = (
    (Comment, "com"), (String, "str"), (Number, "num"), (Operator.Word, "kw"), (Keyword, "kw"),
    (Name.Function, "def"), (Name.Class, "def"), (Name.Decorator, "dec"),
)  # fmt: skip


def highlighted(code: str, language: str = "python") -> Markup:
    """The code as escaped text with coloured tokens; plain where the language is not one of ours."""
    name = LANGUAGES.get(language)
    if name is None or len(code) > LONGEST:
        return escape(code)
    return _highlighted(code, name)


@lru_cache(maxsize=1024)
def _highlighted(code: str, language: str) -> Markup:
    parts: list[str] = []
    held, held_class = "", ""
    for kind, text in _lexer(language).get_tokens(code):
        word = next((name for group, name in CLASSES if kind in group), "")
        if text.isspace():
            held += text
            continue
        if word != held_class:
            parts.append(_span(held, held_class))
            held, held_class = "", word
        held += text
    parts.append(_span(held, held_class))
    return Markup("".join(parts))


def _span(text: str, name: str) -> str:
    """A run of one class; the space after it stays outside."""
    inside = text.rstrip()
    if not name or not inside:
        return str(escape(text))
    return f'<span class="{name}">{escape(inside)}</span>{escape(text[len(inside) :])}'


@lru_cache(maxsize=16)
def _lexer(language: str) -> Lexer:
    return get_lexer_by_name(language, stripnl=False, ensurenl=False)
