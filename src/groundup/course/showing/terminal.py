"""How the terminal speaks: a verdict as name, sentence, trio, command; the course as a wall of bricks.

It works on the JSON form of a verdict, so that a quick client needs nothing else. Colour never speaks alone.
"""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
import unicodedata
from typing import Any

from .verdict_parts import first_failure, is_array, kind_text, mistake_name, place_of

PASS, MISS, HINT, SOFT, BOLD, REVERSE = "32", "31", "33", "2", "1", "7"
WIDTH = 100
LINES = 12  # of a verdict, unless more are asked for


def paint(text: str, *codes: str) -> str:
    """The text in colour, where standard output is a terminal that wants it."""
    wanted = sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    return f"\033[{';'.join(codes)}m{text}\033[0m" if wanted and text else text


def width() -> int:
    """Columns to write in."""
    return max(40, min(WIDTH, shutil.get_terminal_size().columns))


def verdict_text(
    verdict: dict[str, Any], title: str, next_step: str = "", full: bool = False, source: str = "", again: str = ""
) -> str:
    """A lesson's verdict for a person: one failure in full, the rest as a count (or, if full, all of them).

    `source` is the line of the learner's file that the verdict names, shown where the file cannot be imported; `again` the
    command that judges once more, where it is not `check`.
    """
    checkpoints = verdict["checkpoints"]
    passed = [c for c in checkpoints if c["passed"]]
    name = f"{verdict['lesson']} {title}"
    timing = f"judged in {verdict['elapsed_ms']:.0f} ms · seed {verdict['seed']}"
    lines = []
    if full:
        lines += [_row(c) for c in checkpoints] + [""]
    failed = first_failure(verdict)
    if failed is None:
        stretch = [c for c in checkpoints if c["stretch"] and not c["passed"]]
        lines.append(
            paint(f"● {name}: built", PASS, BOLD)
            + paint(f"   {len(passed)} of {len(checkpoints)} checkpoints · {timing}", SOFT)
        )
        if stretch:
            lines.append(f"  {paint('stretch, if you like:', HINT)} {stretch[0]['name']}")
            lines += _indent(stretch[0]["says"]) if full else []
        lines += [f"  {next_step}"] if next_step else []
    elif failed["verdict"] == "import-error":
        lines += _unusable(failed, source)
    else:
        lines += _failure(failed, verdict["lesson"], 1000 if full else LINES - 1)
        again = again or f"groundup check {verdict['lesson']} --seed {verdict['seed']}"
        lines.append(paint(f"  {len(passed)} of {len(checkpoints)} checkpoints · {timing} · again: ", SOFT) + again)
    if verdict.get("reference"):
        names = ", ".join(verdict["reference"])
        lines.append(paint(f"  {names} has not passed as it now stands: the reference stands in for it", HINT))
    if verdict.get("mine"):
        lines.append(paint(f"  running on your own {', '.join(verdict['mine'])}", SOFT))
    if verdict.get("printed"):
        lines += [paint("  your code printed:", SOFT), *_clip(printable(verdict["printed"]), 6 if not full else 200)]
    return "\n".join(lines)


def _row(c: dict[str, Any]) -> str:
    mark = paint("●", PASS) if c["passed"] else paint("○" if c["verdict"] in ("missing", "skipped") else "✗", MISS)
    tail = "" if c["passed"] else paint(f"  {c['fault'] or c['verdict']}", MISS)
    stretch = paint("  stretch", SOFT) if c["stretch"] else ""
    return f"  {mark} {c['name']}{stretch}{tail}"


def _unusable(c: dict[str, Any], source: str) -> list[str]:
    """A file that cannot be imported: its line, marked, and what Python says. Nothing was run, so nothing is counted."""
    lines = [paint(f"✗ {mistake_name(c)}", MISS, BOLD) + paint(f"   {place_of(c)}", SOFT)]
    if source.strip():
        number = f"{c['line']}  "
        lines.append(f"  {paint('▸', MISS)} {number}{printable(source.expandtabs(4))[: width() - 4 - len(number)]}")
    return lines + _indent(printable(c["says"]))


def _failure(c: dict[str, Any], lesson: str, most: int) -> list[str]:
    """The hero: name of the mistake, sentence, then given, expected, yours side by side."""
    where = place_of(c)
    lines = [paint(f"✗ {mistake_name(c)}", MISS, BOLD) + (paint(f"   {where}", SOFT) if where else "")]
    lines.append(paint(f"  {c['name']}", SOFT))
    lines += _indent(printable(c["says"]))
    if c["verdict"] == "missing" or c["case"] is None:
        return lines
    columns = [("given", _case(c))]
    if c["expected"] is not None:
        columns.append(("expected", value_text(c["expected"], None)))
    if c["got"] is not None:
        columns.append(("yours", value_text(c["got"], c["index"])))
    return lines + _side_by_side(columns, max(3, most - len(lines)))


def _indent(text: str) -> list[str]:
    return [
        line
        for part in text.splitlines()
        for line in textwrap.wrap(part, width() - 2, initial_indent="  ", subsequent_indent="  ")
    ]


def _clip(text: str, count: int) -> list[str]:
    lines = text.rstrip("\n").splitlines()
    return [f"    {line[: width() - 4]}" for line in lines[:count]] + (
        [f"    ... {len(lines) - count} lines more"] if len(lines) > count else []
    )


def printable(text: str) -> str:
    """Without control characters: what a learner's code prints must not steer the terminal."""
    return "".join(
        ch if ch in "\n\t" or unicodedata.category(ch) not in ("Cc", "Cf", "Cs", "Co") else "�" for ch in text
    )


def _case(c: dict[str, Any]) -> str:
    if c["shown"]:
        return str(c["shown"])
    return "\n".join(f"{name} = {value_text(value, None)}" for name, value in c["case"].items())


def value_text(value: Any, index: list[int] | None) -> str:
    """A JSON value as a person would write it; `index` marks the wrong entry of an array with arrows."""
    if is_array(value):
        return _array_text(value, index)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {value_text(v, None)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(value_text(v, None) for v in value) + "]"
    if isinstance(value, float):
        return f"{value:.10g}" if value != int(value) or abs(value) > 1e15 else f"{value:.1f}"
    return str(value)


def _array_text(array: dict[str, Any], index: list[int] | None) -> str:
    """Small arrays row by row, large ones by their shape and beginning."""
    shape, values = array["shape"], array["values"]
    texts = [f"{v:.6g}" if isinstance(v, float) else str(v) for v in values]
    if index is not None and len(index) == len(shape):
        at = 0
        for side, i in zip(shape, index):
            at = at * side + i
        if at < len(texts):
            texts[at] = f"▸{texts[at]}◂"
    plain = f"  {kind_text(array)}"
    if len(shape) == 2 and 0 < shape[0] <= 6 and 0 < shape[1] <= 6:
        wide = max(map(len, texts))
        rows = [" ".join(t.rjust(wide) for t in texts[r * shape[1] : (r + 1) * shape[1]]) for r in range(shape[0])]
        return "\n".join(f"[{row}]" for row in rows) + "\n" + plain.strip()
    shown = ", ".join(texts[:8]) + (", ..." if len(texts) > 8 else "")
    return f"[{shown}]" if len(shape) == 1 and len(texts) <= 8 else f"[{shown}]{plain}"


def _side_by_side(columns: list[tuple[str, str]], most: int) -> list[str]:
    """Columns with headings where they fit, one below the other where they do not; at most so many lines."""
    blocks = [(title, printable(text).splitlines() or [""]) for title, text in columns]
    widths = [max(len(title), *(len(line) for line in lines)) for title, lines in blocks]
    if sum(widths) + 3 * len(widths) > width():
        each = max(1, most // len(blocks))
        return [row for title, lines in blocks for row in _stacked(title, lines, each)]
    blocks = [(title, _cut(lines, most - 1)) for title, lines in blocks]
    height = max(len(lines) for _, lines in blocks)
    out = ["  " + "   ".join(paint(title.ljust(w), SOFT) for (title, _), w in zip(blocks, widths)).rstrip()]
    for i in range(height):
        cells = [(lines[i] if i < len(lines) else "").ljust(w) for (_, lines), w in zip(blocks, widths)]
        out.append("  " + "   ".join(cells).rstrip())
    return out


def _stacked(title: str, lines: list[str], most: int) -> list[str]:
    room = width() - 13
    wrapped = _cut([part for line in lines for part in (textwrap.wrap(line, room) or [""])], most)
    return [f"  {paint(title.ljust(9), SOFT)} {wrapped[0]}"] + [f"  {'':9} {line}" for line in wrapped[1:]]


def _cut(lines: list[str], most: int) -> list[str]:
    """The first of the lines; that there are more is said in the last one's place (`check --full` shows all)."""
    if len(lines) <= most:
        return lines
    return [*lines[: most - 1], f"... {len(lines) - most + 1} lines more: --full"] if most > 1 else [lines[0] + " ..."]
