"""A verdict as the page shows it: the lesson's checkpoints, and the smallest failing case in full.

    points(lesson, names, reply) -> Markup

`names` are the lesson's checkpoints in order, each (name, stretch); `reply` is what the judge replied ({"verdict",
"title", "next", "source"}), None before the first check. Everything in it that a learner wrote is escaped, and however
much that is, the markup stays below LARGEST characters.

For the script of the page (lesson.js) these elements say what they do, in attributes:

    <button data-line="31" data-file="mine/grad/value.py">   shows that line in the editor
    <button data-do="hint">                                  asks for a hint
    <button data-copy>                                       copies the text of the <pre> before it

All else works without a script. Styles: static/verdict.css and static/drawing.css.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from ...course.lessons.lesson import Lesson
from ...course.showing.terminal import printable
from ...course.showing.verdict_parts import beginning, first_failure, mistake_name
from ..drawing.svg import element
from .case import trio, whole_case
from .seeing import seen

LARGEST = 200_000  # characters of markup
SENTENCES, PRINTED_LINES, LONG_LINE = 2000, 60, 400  # characters, lines, characters
SIGNS = {"pass": ("●", "passed"), "miss": ("●", "not passed"), "rest": ("○", "open")}
NOT_HERE = "not run here"  # for want of data or of a library
NAMES = {
    "raised": "an exception", "timeout": "no answer in time", "memory": "out of memory", "crashed": "the process ended",
    "mutated-input": "an argument was changed",
}  # fmt: skip
WORD = re.compile(r"(?!d[a-z]\b)([a-z]{2,}|a)\b(?![_(])")  # that a heading may begin with: not `dx`, not `b`
NEXT = re.compile(r"next: (\d+\.\d+) (.+?)   groundup open \1")


def points(
    lesson: Lesson, names: Sequence[tuple[str, bool]], reply: dict[str, Any] | None, *, stale: bool = False
) -> Markup:
    """The checkpoints, each with its state; the first failure in full below its own.

    stale: the files have changed since this verdict, and it says so.
    """
    if reply is None:
        rows = [_row("rest", name, "stretch" if stretch else "") for name, stretch in names]
        return element("ol", *rows, class_="points")
    verdict: dict[str, Any] = reply["verdict"]
    hero = first_failure(verdict) or _failed_stretch(verdict)
    for effort in (2, 1, 0):  # less of the case where all of it would be too much
        parts = [_stale() if stale else None, _built(reply) if verdict["passed"] else None]
        rows = []
        for c in verdict["checkpoints"]:
            rows.append(_point(c, hero))
            if hero is not None and c is hero:
                rows.append(_hero(lesson, verdict, c, str(reply.get("source", "")), effort))
        made = element("div", *parts, element("ol", *rows, class_="points"), _foot(verdict), class_="verdict-of")
        if len(made) <= LARGEST:
            return made
    return element(
        "p", "This verdict is too large to be shown: groundup check says it in the terminal.", class_="stale"
    )


def _failed_stretch(verdict: dict[str, Any]) -> dict[str, Any] | None:
    """Where all that is needed has passed: the first stretch that was tried and failed."""
    tried = (c for c in verdict["checkpoints"] if c["verdict"] not in ("passed", "missing", "skipped"))
    return next(tried, None)


# ------------------------------------------------------------------------------------------------ the checkpoints


def _point(c: dict[str, Any], hero: dict[str, Any] | None) -> Markup:
    """A checkpoint's line: its state, its name, and a few words."""
    unread = hero is not None and hero["verdict"] == "import-error" and c is not hero  # then nothing was run
    state = "pass" if c["passed"] else ("rest" if c["verdict"] in ("missing", "skipped") or unread else "miss")
    tails = ["" if unread else _tail(c, c is hero), "stretch" if c["stretch"] else ""]
    said = c["says"] if tails[0] == NOT_HERE else ""
    return _row(state, c["name"], " · ".join(tail for tail in tails if tail), str(said))


def _tail(c: dict[str, Any], hero: bool) -> str:
    """The words behind a checkpoint's name."""
    if c["passed"]:
        return _counted(c["cases"], "case")
    if c["verdict"] == "missing":
        return ""
    if c["verdict"] == "skipped":
        return "not run yet" if str(c["says"]).startswith("Not run") else NOT_HERE
    if hero and c["cases"]:
        return (
            f"smallest of {_counted(c['failed'], 'failure')}"
            if c["failed"] > 1
            else f"1 of {_counted(c['cases'], 'case')}"
        )
    return _named(c)


def _named(c: dict[str, Any]) -> str:
    """The name of what went wrong."""
    return mistake_name(c) if c["fault"] else NAMES.get(c["verdict"], mistake_name(c))


def _row(state: str, name: str, tail: str, said: str = "") -> Markup:
    sign, word = SIGNS[state]
    return element(
        "li",
        element("i", sign, aria_hidden="true"),
        element("span", element("span", f"{word}: ", class_="said"), _shown(name)),
        element("small", _shown(tail)) if tail else None,
        element("p", _shown(said)) if said else None,
        class_=f"point {state}",
    )


def _counted(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count:,} {word}s"


# ---------------------------------------------------------------------------------------------- the first failure


def _hero(lesson: Lesson, verdict: dict[str, Any], c: dict[str, Any], source: str, effort: int) -> Markup:
    """Name of the mistake, sentence and line; given, expected, yours; a drawing; how to see it again."""
    name = _named(c)
    quiet = c["verdict"] in ("missing", "skipped")
    parts: list[Markup | None] = [
        element("h3", _shown(_heading(name))),
        element("p", *_sentence(_shown(c["says"])[:SENTENCES]), " ", _where(c), class_="says"),
    ]
    if source.strip():
        parts.append(element("pre", f"▸ {c['line']}  {_shown(source.expandtabs(4)[:LONG_LINE])}", class_="source"))
    if c["case"] is not None and not quiet:
        parts.append(trio(c, brief=not effort))
        parts.append(element("div", drawn, class_="seen") if effort and (drawn := seen(c)) is not None else None)
    opened = whole_case(lesson, c) if effort == 2 and not quiet else None
    row: list[Markup] = []
    if opened is not None:
        row.append(
            element("details", element("summary", "Open this case", class_="button quiet"), opened, class_="whole")
        )
    row.append(element("button", "A hint", type="button", class_="button quiet", data_do="hint"))
    if c["case"] is not None and not quiet:
        again = f"groundup check {verdict['lesson']} --seed {verdict['seed']}"
        row.append(element("small", "again: ", element("code", again)))
    parts.append(element("div", *row, class_="row"))
    return element("li", *parts, class_="verdict open" if quiet else "verdict")


def _heading(name: str) -> str:
    """The name with a capital, unless it begins with a name of mathematics or of code."""
    return name[0].upper() + name[1:] if WORD.match(name) else name


def _sentence(text: str) -> list[Markup | str]:
    """A sentence in which what stands between backticks is code."""
    return [element("code", part) if i % 2 else part for i, part in enumerate(re.split(r"`([^`\n]+)`", text))]


def _where(c: dict[str, Any]) -> Markup | None:
    """The line that the verdict names, as a button that shows it in the editor."""
    if not c["file"]:
        return None
    if not c["line"]:
        return element("code", _shown(c["file"]), class_="where")
    text = f"{_shown(c['file'])}, line {c['line']}"
    return element("button", text, type="button", class_="where", data_line=int(c["line"]), data_file=c["file"])


# --------------------------------------------------------------------------------------------------- around it


def _stale() -> Markup:
    return element("p", "The file has changed since this verdict.", class_="stale")


def _built(reply: dict[str, Any]) -> Markup:
    """That the lesson is built, and what comes next."""
    following = NEXT.fullmatch(str(reply.get("next", "")))
    after: Markup | str = str(reply.get("next", ""))
    if following:
        after = element("a", f"next: {following[1]} {following[2]}", href=f"/lesson/{following[1]}")
    return element("div", element("h3", "Built"), element("p", after), class_="built")


def _foot(verdict: dict[str, Any]) -> Markup:
    """Counts and time, what stood in for what, and what the code printed."""
    checkpoints = verdict["checkpoints"]
    passed = sum(c["passed"] for c in checkpoints)
    timing = f"{passed} of {_counted(len(checkpoints), 'checkpoint')} · judged in {verdict['elapsed_ms']:,.0f} ms · seed {verdict['seed']}"
    parts = [element("p", timing, class_="timing")]
    if verdict.get("reference"):
        names = ", ".join(map(str, verdict["reference"]))
        stands = f"{names} has not passed as it now stands: the reference stands in for it"
        parts.append(element("p", _shown(stands)[:SENTENCES], class_="stood-in"))
    if verdict.get("mine"):
        parts.append(element("p", _shown(f"running on your own {', '.join(map(str, verdict['mine']))}")[:SENTENCES]))
    if verdict.get("printed"):
        printed = str(verdict["printed"])
        lines = printed.rstrip("\n").count("\n") + 1
        summary = element("summary", f"your code printed {_counted(lines, 'line')}")
        text = "\n".join(line[:LONG_LINE] for line in beginning(printed, PRINTED_LINES).splitlines())
        parts.append(element("details", summary, element("pre", _shown(text), tabindex="0"), class_="printed"))
    return element("div", *parts, class_="foot")


def _shown(text: Any) -> str:
    """A text that may come from the learner's code, without characters that steer what shows it."""
    return printable(str(text))
