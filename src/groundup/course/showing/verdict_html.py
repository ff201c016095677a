"""How a verdict looks in a notebook: name, sentence, trio, command, as HTML that stands alone.

No script: inline style alone, in the desk's light colours, which come along so that it is legible in a dark notebook too
(a table's cells each say theirs: JupyterLab colours rows). Its classes keep MathJax from reading a learner's text as
mathematics. Every text is escaped. Colour never speaks alone.
It works on the JSON form of a verdict.
"""

from __future__ import annotations

import html
from typing import Any

from .terminal import printable, value_text, verdict_text
from .verdict_parts import (
    beginning,
    digits_to_tell,
    entry_at,
    first_failure,
    flat_index,
    is_array,
    is_whole,
    kind_text,
    mistake_name,
    number_text,
    place_of,
)

PAPER, INK, SOFT, RULE = "#faf8f3", "#1f2328", "#5c6370", "#dcd6c8"
PASS, MISS, MISS_WASH, HINT = "#2e6b4a", "#a8402a", "#f7e6e0", "#8a6410"
MONO = f"font:13px/1.5 ui-monospace,Menlo,monospace;color:{INK};background:{PAPER};margin:0;padding:0;border:0"
BARE = f"color:{INK};background:{PAPER};border:0;margin:0;text-align:left;vertical-align:top;max-width:none"
FRAME = (
    f"font:14px/1.5 Inter,system-ui,sans-serif;color:{INK};background:{PAPER};border:1px solid {RULE};"
    "border-radius:6px;padding:12px 16px;margin:4px 0;overflow-x:auto"
)
LONGEST, WIDEST = 12, 8  # of an array shown as a table: its entries in one dimension, its sides in two
PRINTED_LINES = 20


class VerdictView:
    """A judge's reply about one lesson: HTML in a notebook, the terminal's text elsewhere. `verdict` is its JSON form.

    `line` is the text of the line that the first failure names, where the caller knows it.
    """

    def __init__(self, reply: dict[str, Any], line: str = "") -> None:
        self.verdict: dict[str, Any] = reply["verdict"]
        self._title, self._next = str(reply["title"]), str(reply.get("next", ""))
        self._source, self._line = str(reply.get("source", "")), line

    @property
    def passed(self) -> bool:
        """Whether the lesson is built."""
        return bool(self.verdict["passed"])

    def __repr__(self) -> str:
        return verdict_text(self.verdict, self._title, self._next, source=self._source)

    def _repr_html_(self) -> str:
        return verdict_html(self.verdict, self._title, self._next, self._source or self._line)


def verdict_html(verdict: dict[str, Any], title: str, next_step: str = "", line: str = "") -> str:
    """One failure in full, or what was built; then the checkpoints as a list that opens, and what stood in for what.

    `line` is the text of the line that the failure names.
    """
    failed = first_failure(verdict)
    name = f"{verdict['lesson']} {title}"
    parts = [_head("●", f"{name}: built", PASS), _text(next_step)] if failed is None else _failure(failed, line)
    if failed is None or failed["verdict"] != "import-error":
        parts.append(_count(verdict))
    if verdict.get("reference"):
        names = ", ".join(verdict["reference"])
        parts.append(_text(f"{names} has not passed as it now stands: the reference stands in for it", HINT))
    if verdict.get("mine"):
        parts.append(_text(f"running on your own {', '.join(verdict['mine'])}", SOFT))
    if verdict.get("printed"):
        parts += [_text("your code printed:", SOFT), _pre(beginning(verdict["printed"], PRINTED_LINES))]
    edge = PASS if failed is None else MISS
    inside = "".join(part for part in parts if part)
    return f'<div class="mathjax_ignore tex2jax_ignore" style="{FRAME};border-left:3px solid {edge}">{inside}</div>'


def _shown(text: Any) -> str:
    """A text that may come from the learner's code: no control characters, nothing that HTML would act on."""
    return html.escape(printable(str(text)))


def _head(sign: str, text: str, colour: str, where: str = "") -> str:
    tail = f' <span style="color:{SOFT};font-weight:400">&nbsp; {_shown(where)}</span>' if where else ""
    return f'<div style="font-size:16px;font-weight:600;color:{colour}">{sign} {_shown(text)}{tail}</div>'


def _text(text: str, colour: str = INK) -> str:
    return f'<div style="color:{colour};margin-top:4px;white-space:pre-wrap">{_shown(text)}</div>' if text else ""


def _pre(text: str) -> str:
    return f'<pre style="{MONO};white-space:pre-wrap">{_shown(text)}</pre>'


def _failure(c: dict[str, Any], line: str) -> list[str]:
    """Name of the mistake, its line, what is wrong, then given, expected, yours side by side."""
    parts = [_head("✗", mistake_name(c), MISS, place_of(c))]
    if line.strip():
        parts.append(_pre(f"▸ {c['line']}  {line.expandtabs(4)}"))
    if c["verdict"] == "import-error":
        return [*parts, _text(c["says"])]
    parts += [_text(c["name"], SOFT), _text(c["says"])]
    if c["verdict"] == "missing" or c["case"] is None:
        return parts
    digits = digits_to_tell(c)
    columns = [("given", _given(c))]
    columns += [("expected", _value(c["expected"], digits, c["index"], False))] if c["expected"] is not None else []
    columns += [("yours", _value(c["got"], digits, c["index"], True))] if c["got"] is not None else []
    cells = "".join(
        f'<td style="{BARE};padding:0 24px 0 0"><div style="color:{SOFT};margin-bottom:4px">{heading}</div>{shown}</td>'
        for heading, shown in columns
    )
    return [*parts, f'<table style="{BARE};margin-top:12px"><tr style="{BARE}">{cells}</tr></table>']


def _count(verdict: dict[str, Any]) -> str:
    """How many passed, in how long, and how to see it again; each checkpoint in a list that opens."""
    checkpoints = verdict["checkpoints"]
    passed = sum(c["passed"] for c in checkpoints)
    again = f"%check {verdict['lesson']} --seed {verdict['seed']}"
    summary = f"{passed} of {len(checkpoints)} checkpoints · judged in {verdict['elapsed_ms']:.0f} ms · seed {verdict['seed']} · again: "
    return (
        f'<details style="color:{SOFT};margin-top:8px"><summary>{_shown(summary)}'
        f'<span style="{MONO}">{_shown(again)}</span></summary>{"".join(map(_row, checkpoints))}</details>'
    )


def _row(c: dict[str, Any]) -> str:
    sign, colour = ("●", PASS) if c["passed"] else ("○" if c["verdict"] in ("missing", "skipped") else "✗", MISS)
    tail = "" if c["passed"] else f" · {mistake_name(c)}"
    stretch = " · stretch" if c["stretch"] else ""
    return f'<div style="color:{INK}"><span style="color:{colour}">{sign}</span> {_shown(c["name"] + stretch + tail)}</div>'


def _given(c: dict[str, Any]) -> str:
    if c["shown"]:
        return _pre(c["shown"])
    shown = []
    for name, value in c["case"].items():
        if table := _table(value, 6, None):
            shown.append(_pre(f"{name} =") + table)
        else:
            shown.append(_pre(f"{name} = {value_text(value, None)}"))
    return "".join(shown)


def _value(value: Any, digits: int, index: list[int] | None, wrong: bool) -> str:
    """A value; if it is the wrong one, the entry of the index stands in colour and between arrows."""
    if table := _table(value, digits, index if wrong else None):
        return table
    if is_array(value):  # its beginning, and the entry that is meant where that lies beyond
        at, entry = flat_index(value["shape"], index), entry_at(value, index)
        text = value_text(value, None)
        return (
            _pre(text) if at is None or entry is None else _pre(f"{text}\nat {index}: ") + _scalar(entry, digits, wrong)
        )
    return _scalar(value, digits, wrong and index == [])


def _scalar(value: Any, digits: int, wrong: bool) -> str:
    text = number_text(value, digits) if isinstance(value, float) and digits > 10 else value_text(value, None)
    return f'<pre style="{MONO}"><b style="{_marked()}">{_shown(f"▸{text}◂")}</b></pre>' if wrong else _pre(text)


def _marked() -> str:
    return f"color:{MISS};background:{MISS_WASH};font-weight:600"


def _table(value: Any, digits: int, index: list[int] | None) -> str:
    """A small array as a table, with its shape and kind below; "" for every other value."""
    if not is_array(value):
        return ""
    shape, entries = value["shape"], value["values"]
    small = (len(shape) == 1 and shape[0] <= LONGEST) or (len(shape) == 2 and max(shape) <= WIDEST)
    if not small or not entries or not is_whole(value):
        return ""
    columns = shape[-1]
    marked = flat_index(shape, index)
    cells = [_cell(number_text(entry, digits), i == marked) for i, entry in enumerate(entries)]
    rows = [f'<tr style="{BARE}">{"".join(cells[i : i + columns])}</tr>' for i in range(0, len(cells), columns)]
    return f'<table style="{BARE};{MONO}">{"".join(rows)}</table><div style="color:{SOFT}">{_shown(kind_text(value))}</div>'


def _cell(text: str, wrong: bool) -> str:
    style = f"{BARE};{MONO};padding:2px 8px;text-align:right"
    return (
        f'<td style="{style};{_marked()}">{_shown(f"▸{text}◂")}</td>'
        if wrong
        else f'<td style="{style}">{_shown(text)}</td>'
    )
