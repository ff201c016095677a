"""The shelf: papers, books, courses and the rest, each with why, when, and which lesson it serves; read from TOML beside this file.

Papers are for phase 4 and later: before that a reader has nothing to hold them against. Those on earlier matters are here for whoever
asks for everything.
"""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ...errors import NotUsable

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

KINDS = ("papers", "books", "courses", "lectures", "blogs", "newsletters", "people", "conferences")
FOLLOWED = ("newsletters", "people", "conferences")  # one comes back to them; they are never read through
IMPORTANCE = ("must", "should", "may")
FIRST_PAPERS = 4  # the phase
PHASES = range(1, 15)
KEY = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
LESSON = re.compile(r"([1-9]|1[0-4])\.\d{1,2}")
ARXIV = re.compile(r"(\d{2})(0[1-9]|1[0-2])\.(\d{4,5})")
LINK = re.compile(r"https?://[^\s\"'<>\\{}^`|]+")
DOI = re.compile(r"10\.\d{4,9}/[^\s\"'<>\\{}^`|]+")
TITLES = {
    1: "Gradients", 2: "Classical machine learning", 3: "Networks by hand", 4: "PyTorch craft", 5: "Vision", 6: "Sequences and language",
    7: "Language models", 8: "Systems", 9: "Modern architectures", 10: "Fine-tuning and alignment", 11: "Generative and multimodal",
    12: "Reinforcement learning", 13: "Practice", 14: "Research and capstone",
}  # fmt: skip


class ShelfError(NotUsable):
    """What is wrong with a request for the shelf, with its data or with a note, and what was expected."""


@dataclass(frozen=True)
class Chapter:
    """The part of a book or course that matters, and the lessons that it serves."""

    what: str
    lessons: tuple[str, ...]


@dataclass(frozen=True)
class Item:
    """One thing to read or watch. by: people as "Family, Given", "others" last where there are more."""

    kind: str
    key: str
    title: str
    why: str
    importance: str
    phase: int  # when to read it
    by: tuple[str, ...] = ()
    year: int | None = None
    lessons: tuple[str, ...] = ()  # those that build it, or that it serves
    arxiv: str = ""
    doi: str = ""
    url: str = ""
    venue: str = ""
    look: str = ""  # what to look for when reading closely
    chapters: tuple[Chapter, ...] = ()
    free: bool = True

    @property
    def link(self) -> str:
        """Where it is."""
        if self.url:
            return self.url
        return f"https://arxiv.org/abs/{self.arxiv}" if self.arxiv else f"https://doi.org/{self.doi}"

    @property
    def people(self) -> str:
        """Vaswani and others; Kingma and Ba."""
        names = [name.partition(",")[0] for name in self.by]
        if len(names) > 2:
            names = [names[0], "others"]
        return " and ".join(names)

    @property
    def serves(self) -> tuple[str, ...]:
        """Every lesson that it has to do with, chapters included, in order."""
        found = {*self.lessons, *(lesson for part in self.chapters for lesson in part.lessons)}
        return tuple(sorted(found, key=lambda lesson: tuple(map(int, lesson.split(".")))))

    @property
    def phases(self) -> frozenset[int]:
        """The phases that it belongs to: a paper to that in which it is read, the rest to all that it serves."""
        own = {self.phase}
        return frozenset(
            own if self.kind == "papers" else own | {int(lesson.partition(".")[0]) for lesson in self.serves}
        )


def three_passes(item: Item) -> tuple[str, str, str]:
    """What each of the three passes over a paper asks (Keshav, How to Read a Paper, 2007), for anything else what takes its place."""
    if item.kind in FOLLOWED:
        return (
            "Look around for ten minutes. What is it about, and is it for you now?",
            "Choose one piece that has to do with a lesson of yours, and read it to its end.",
            "Use it: a run, a picture, an explanation to somebody else.",
        )
    if item.kind != "papers":
        return (
            "Skim: headings, pictures, summaries. What does it cover that the lesson did not?",
            f"Read what matters{': ' + '; '.join(part.what for part in item.chapters) if item.chapters else ''}, with pen and paper.",
            "Do something with it: an exercise, a picture redrawn, an explanation to somebody else.",
        )
    builds = (
        f"Rebuild it: {lessons_said(item.lessons)}, from memory, then compare."
        if item.lessons
        else "Rebuild the argument from memory, then compare."
    )
    return (
        "Ten minutes: title, abstract, headings, figures, conclusion. What is claimed, against what, and do you need the rest?",
        f"An hour: everything but the proofs. {item.look or 'Which figure or table carries the claim, and what would have refuted it?'}",
        f"{builds} Which assumption would you drop first?",
    )


def lessons_said(lessons: Sequence[str]) -> str:
    """lesson 7.2; lessons 7.2, 7.7."""
    return f"lesson{'s' if len(lessons) > 1 else ''} {', '.join(lessons)}"


@lru_cache(maxsize=1)
def shelf() -> tuple[Item, ...]:
    """Everything on the shelf: by kind, then in the order of its file. ShelfError for data that is malformed."""
    items = [item for kind in KINDS for item in load(Path(__file__).with_name(f"{kind}.toml"), kind)]
    keys = [item.key for item in items]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise ShelfError(f"two things on the shelf have one key: {', '.join(twice)}")
    return tuple(items)


def load(path: Path, kind: str) -> list[Item]:
    """The items of one file, checked. ShelfError names the file, the item, and what was expected."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise ShelfError(f"{path} cannot be read: {problem}") from None
    rows = table.get("item", [])
    if set(table) != {"item"} or not isinstance(rows, list):
        raise ShelfError(f"{path}: expected [[item]] and nothing else")
    return [_item(f"{path.name}: item {number}", kind, row) for number, row in enumerate(rows, 1)]


def _item(where: str, kind: str, row: Mapping[str, Any]) -> Item:
    try:
        fields = {**row, "by": tuple(row.get("by", ())), "lessons": tuple(row.get("lessons", ()))}
        fields["chapters"] = tuple(Chapter(part["what"], tuple(part["lessons"])) for part in row.get("chapters", ()))
        item = Item(kind=kind, **fields)
    except (TypeError, KeyError, AttributeError) as problem:
        raise ShelfError(f"{where}: {problem}") from None
    for wrong in _problems(item):
        raise ShelfError(f"{where} ({item.key}): {wrong}")
    return item


def _problems(item: Item) -> Iterable[str]:
    texts = (item.key, item.title, item.why, item.importance, item.arxiv, item.doi, item.url, item.venue, item.look)
    lists = (*item.by, *item.lessons, *(text for part in item.chapters for text in (part.what, *part.lessons)))
    if not all(isinstance(each, str) for each in (*texts, *lists)):
        yield "a text was expected"
        return
    if not KEY.fullmatch(item.key):
        yield "a key is small letters, digits and dashes"
    if not item.title or not item.why:
        yield "title and why are needed"
    if item.importance not in IMPORTANCE:
        yield f"importance is one of {', '.join(IMPORTANCE)}"
    if item.phase not in PHASES or isinstance(item.phase, bool):
        yield "phase is 1 to 14"
    if item.year is not None and not (isinstance(item.year, int) and 1900 <= item.year <= 2100):
        yield "year is a year"
    for lesson in item.serves:
        if not LESSON.fullmatch(lesson):
            yield f'lessons are ids such as "7.2", not {lesson!r}'
    if item.arxiv and not ARXIV.fullmatch(item.arxiv):
        yield "arxiv is an id such as 1706.03762"
    if item.doi and not DOI.fullmatch(item.doi):
        yield "doi is one such as 10.1038/323533a0"
    if item.url and not LINK.fullmatch(item.url):
        yield "url is a link to the web"
    if not (item.arxiv or item.doi or item.url):
        yield "arxiv, doi or url says where it is"
    if item.kind == "papers" and (not item.by or item.year is None):
        yield "a paper has authors and a year"


def find(key: str) -> Item:
    """The item with this key. ShelfError names the nearest."""
    by_key = {item.key: item for item in shelf()}
    if key in by_key:
        return by_key[key]
    near = difflib.get_close_matches(key.lower()[:80], by_key, n=2, cutoff=0.5)
    meant = f"did you mean {' or '.join(near)}?" if near else "`groundup shelf --all` lists the keys."
    raise ShelfError(f"there is nothing called {key[:60]!r} on the shelf: {meant}")


def kind_of(word: str) -> str:
    """papers, for papers, paper or Papers. ShelfError if there is no such kind."""
    for kind in KINDS:
        if word.lower() in (kind, kind.rstrip("s"), {"people": "person"}.get(kind)):
            return kind
    raise ShelfError(f"kind is one of {', '.join(KINDS)}, not {word[:40]!r}")


@dataclass(frozen=True)
class Asked:
    """What is looked for. everything: also papers before their time."""

    kinds: tuple[str, ...] = ()
    phase: int | None = None
    lesson: str = ""
    importance: tuple[str, ...] = ()
    everything: bool = False

    def __post_init__(self) -> None:
        if self.phase is not None and self.phase not in PHASES:
            raise ShelfError(f"phase is 1 to 14, not {self.phase}")
        if self.lesson and not LESSON.fullmatch(self.lesson):
            raise ShelfError(f"a lesson is named by its id, such as 7.2, not {self.lesson[:40]!r}")


def chosen(asked: Asked, items: Sequence[Item] | None = None) -> list[Item]:
    """What answers a request, by kind: the musts first where it names a phase or a lesson, else in the order of the phases."""
    found = [
        item for item in (shelf() if items is None else items) if _answers(item, asked) and not _too_early(item, asked)
    ]
    narrow = asked.phase is not None or asked.lesson

    def place(item: Item) -> tuple[int, int, int]:
        phase, importance = item.phase, IMPORTANCE.index(item.importance)
        return (KINDS.index(item.kind), *((importance, phase) if narrow else (phase, importance)))

    return sorted(found, key=place)


def held_back(asked: Asked, items: Sequence[Item] | None = None) -> int:
    """How many papers answer a request too, but are not shown before their time."""
    return sum(_answers(item, asked) and _too_early(item, asked) for item in (shelf() if items is None else items))


def _answers(item: Item, asked: Asked) -> bool:
    return (
        (not asked.kinds or item.kind in asked.kinds)
        and (asked.phase is None or asked.phase in item.phases)
        and (not asked.lesson or asked.lesson in item.serves)
        and (not asked.importance or item.importance in asked.importance)
    )


def _too_early(item: Item, asked: Asked) -> bool:
    """A paper that is to be read before phase 4, or is looked for from a place before it."""
    if item.kind != "papers" or asked.everything:
        return False
    here = (
        asked.phase if asked.phase is not None else int(asked.lesson.partition(".")[0]) if asked.lesson else item.phase
    )
    return min(here, item.phase) < FIRST_PAPERS


def asked_of(phase: int, items: Sequence[Item] | None = None) -> list[Item]:
    """What a phase asks to have been read or watched at its end: its musts."""
    return chosen(Asked(phase=phase, importance=("must",)), items)


def rhythm(phase: int) -> str:
    """How much to read in a phase."""
    if phase < FIRST_PAPERS:
        return "No papers yet: build first. A chapter or a lecture beside a lesson is enough."
    if phase < 7:
        again = " After phase 5, read phase 1 again: it will say more." if phase == 5 else ""
        return f"The papers marked must, in three passes, once you have built what they describe.{again}"
    return "One or two papers a week from here on; three to five sentences about each."
