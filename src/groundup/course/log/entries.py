"""Entries of the log, read as far as they go: whatever the learner has made of a file, it is read and never rewritten.

An entry is a Markdown file in notes/log: `2026-11-27-1.3.md` of a lesson, `2026-11-27.md` of a day. A file of any other name is an
entry too, without a date if its name does not begin with one.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

from ..workspace.workspace import Workspace

FOLDER = Path("notes") / "log"
MOST = 1 << 20  # bytes of an entry that are read
NAME = re.compile(r"(\d{4}-\d\d-\d\d)(?:-(\d+\.\d+))?(?![\d.])")
DATED = re.compile(r"^\s*[-*+]\s+(\d{4}-\d\d-\d\d)(?:\s+\d\d:\d\d)?\s+(\S.*)$")
HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*\s*$")
FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
TICK = re.compile(r"^\s*[-*+]\s*\[\s*([^\]\s]?)\s*\]\s*(?:(\d+)[.)])?")
RATED = re.compile(r"^\s*(?:[-*+]\s+)?(explain|rebuild|(?:say |know )?why)\b[^:]*:\W*(\w+)", re.IGNORECASE)
ANSWERS = {"yes": "yes", "y": "yes", "partly": "partly", "half": "partly", "almost": "partly", "no": "no", "n": "no"}
ASKED = {"explain": "explain it without looking", "rebuild": "rebuild it from a blank file", "why": "say why it works"}
EXERCISES = "exercises"


@dataclass(frozen=True)
class Section:
    """What stands under one heading; the first has no title."""

    title: str
    text: str

    @property
    def first_line(self) -> str:
        """Its first line with something on it, "" where there is none."""
        return next((line.strip() for line in self.text.splitlines() if line.strip()), "")


def lines_of(text: str) -> Iterator[tuple[str, bool]]:
    """Each line, and whether it stands in a fence; the line that begins one does, the line that ends it does not."""
    fence = ""
    for line in text.splitlines():
        mark = FENCE.match(line)
        if mark and not fence:
            fence = mark[1]
        elif mark and mark[1].startswith(fence) and not line.strip(" `~"):
            fence = ""
        yield line, bool(fence)


@dataclass(frozen=True)
class Entry:
    """One file of the log. problem: why it could not be read, or not all of it; "" for most."""

    path: Path
    text: str
    problem: str = ""

    @property
    def name(self) -> str:
        """The name of its file without the ending, by which it is called."""
        return self.path.stem

    @property
    def day(self) -> date | None:
        """The day in the file's name."""
        found = NAME.match(self.name)
        return _day(found[1]) if found else None

    @property
    def lesson(self) -> str | None:
        """The lesson in the file's name."""
        found = NAME.match(self.name)
        return found[2] if found else None

    @cached_property
    def sections(self) -> list[Section]:
        """Its parts by headings, in order; what stands in a fence is no heading."""
        parts: list[tuple[str, list[str]]] = [("", [])]
        for line, fenced in lines_of(self.text):
            if not fenced and (heading := HEADING.match(line)):
                parts.append((heading[2], []))
            else:
                parts[-1][1].append(line)
        return [Section(title, "\n".join(lines).strip()) for title, lines in parts]

    @property
    def title(self) -> str:
        """Its first heading, or its name."""
        return next((section.title for section in self.sections if section.title), self.name)

    @property
    def rating(self) -> dict[str, str]:
        """What the learner says of themselves: explain, rebuild, why; yes, partly or no. The last word on each counts."""
        found = {}
        for line in self.text.splitlines():
            if (said := RATED.match(line)) and (answer := ANSWERS.get(said[2].lower())):
                found[said[1].lower().split()[-1]] = answer
        return found

    @property
    def ticked(self) -> frozenset[int]:
        """The numbers of the exercises that are ticked off; one without a number has that of its place."""
        found = set()
        for section in self.sections:
            if section.title.strip().lower() == EXERCISES:
                ticks = [tick for line in section.text.splitlines() if (tick := TICK.match(line))]
                found |= {int(tick[2] or place) for place, tick in enumerate(ticks, 1) if tick[1]}
        return frozenset(found)

    @property
    def dated_lines(self) -> list[tuple[date, str]]:
        """Lines that were added on a day of their own."""
        found = [DATED.match(line) for line in self.text.splitlines()]
        return [(day, line[2]) for line in found if line and (day := _day(line[1]))]


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def read_entry(path: Path) -> Entry:
    """An entry; what is not text in it is replaced, and a file that cannot be read is an empty entry with a problem."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST + 1)
    except OSError as problem:
        return Entry(path, "", f"it cannot be read: {problem.strerror}")
    text = data[:MOST].decode(encoding_of(data), errors="replace").removeprefix("\ufeff")
    if len(data) > MOST:
        return Entry(path, text, f"only its first {MOST >> 20} MiB are read")
    return Entry(path, text, "parts of it are not text" if "\ufffd" in text or "\0" in text else "")


def encoding_of(data: bytes) -> str:
    """The encoding that a file says it is in by its first bytes."""
    if data.startswith(codecs.BOM_UTF16_LE):
        return "utf-16-le"
    return "utf-16-be" if data.startswith(codecs.BOM_UTF16_BE) else "utf-8"


def read_log(workspace: Workspace) -> list[Entry]:
    """Every entry, the oldest first; those without a day come before all others."""
    try:
        paths = sorted((workspace.root / FOLDER).glob("*.md"))
    except OSError:
        return []
    entries = [read_entry(path) for path in paths if not path.name.startswith(".")]
    return sorted(entries, key=lambda entry: (entry.day or date.min, entry.name))


def entry_of(entries: Iterable[Entry], lesson: str) -> Entry | None:
    """The latest entry of a lesson."""
    return next((entry for entry in reversed(list(entries)) if entry.lesson == lesson), None)
