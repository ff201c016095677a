"""What one has read, in `notes/shelf/KEY.md`: three passes to tick off, and entries of three to five sentences.

The file belongs to the learner. It is made once, entries are added at its end, and nothing in it is ever changed; what has been edited
by hand is read as far as it goes.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ..workspace.workspace import Workspace, write_atomically
from .shelf import KEY, Item, ShelfError, three_passes

FEWEST, MOST = 3, 5  # sentences of an entry
LONGEST = 4000  # characters of an entry
CAP = 1 << 18  # bytes of a note that are read
PASSES = ("first pass", "second pass", "third pass")
END = re.compile(r"[.!?…。！？]+[\"'”’)\]]*(?=\s|$)|[。！？]")
ABBREVIATED = re.compile(
    r"\b(?:(?i:e\.g|i\.e|cf|vs|al|etc|eqs?|figs?|sec|ch|pp?|approx|resp|dr|mr|ms|prof|st)|[A-Z])\.$"
)
BOX = re.compile(r"\s*[-*+]\s+\[([ xX])\]\s*(first|second|third) pass\b", re.IGNORECASE)
ABOUT = re.compile(r"\s*(#|[-*+]\s+\[[ xX]\]|<!--|---+\s*$|by: |it is at <)")


@dataclass(frozen=True)
class Note:
    """What a note says, as far as it can be read. problem: why no further."""

    key: str
    path: Path
    passes: tuple[bool, bool, bool] = (False, False, False)
    text: str = ""  # the learner's own sentences
    problem: str = ""

    @property
    def sentences(self) -> int:
        return count_sentences(self.text)

    @property
    def read(self) -> bool:
        """Whether enough has been said about it."""
        return self.sentences >= FEWEST


def path_of(workspace: Workspace, key: str) -> Path:
    """Where the note about something lies. ShelfError for a key that is none: it becomes the name of a file."""
    if not KEY.fullmatch(key) or len(key) > 80:
        raise ShelfError(f"a key is small letters, digits and dashes, not {key[:60]!r}")
    return workspace.root / "notes" / "shelf" / f"{key}.md"


def note_of(workspace: Workspace, key: str) -> Note:
    """The note about something; an empty one where there is none."""
    return read_note(path_of(workspace, key))


def notes_of(workspace: Workspace) -> dict[str, Note]:
    """Every note there is, by key. Other files in the folder are nobody's business here."""
    try:
        found = sorted((workspace.root / "notes" / "shelf").glob("*.md"))
    except OSError:
        return {}
    return {path.stem: read_note(path) for path in found if KEY.fullmatch(path.stem)}


def read_note(path: Path) -> Note:
    """A note as far as it can be read."""
    key = path.stem
    try:
        if not path.exists():
            return Note(key, path)
        if not path.is_file():
            return Note(key, path, problem=f"{path.name} is no file")
        with path.open("rb") as file:
            raw = file.read(CAP + 1)
    except OSError as problem:
        return Note(key, path, problem=f"{path.name} cannot be read: {problem.strerror}")
    text = raw[:CAP].decode("utf-8", errors="replace").lstrip("\ufeff")
    said = f"{path.name} is longer than {CAP // 1024} KiB; the rest was left out" if len(raw) > CAP else ""
    ticked, own = _parts(text.splitlines())
    first, second, third = (name.split()[0] in ticked for name in PASSES)
    return Note(key, path, (first, second, third), own, said)


def _parts(lines: Iterable[str]) -> tuple[set[str], str]:
    """Which passes are ticked, and what remains when headings, boxes and the head of the note are taken away."""
    ticked, own = set(), []
    for line in lines:
        if box := BOX.match(line):
            if box[1] != " ":
                ticked.add(box[2].lower())
        elif not ABOUT.match(line):
            own.append(line.strip())
    return ticked, "\n".join(own).strip()


def count_sentences(text: str) -> int:
    """How many sentences; a last one without a full stop counts, an abbreviation ends none."""
    count, last = 0, 0
    for end in END.finditer(text):
        if ABBREVIATED.search(text[last : end.end()].rstrip("\"'”’)]")) and end.end() < len(text.rstrip()):
            continue
        count += any(sign.isalpha() for sign in text[last : end.end()])
        last = end.end()
    return count + any(sign.isalpha() for sign in text[last:])


def begin(workspace: Workspace, item: Item) -> Path:
    """Makes the note about something, with its three passes to tick off, unless there is one."""
    path = path_of(workspace, item.key)
    if not os.path.lexists(path):
        write_atomically(path, _fresh(item).encode())
    return path


def _fresh(item: Item) -> str:
    by = f"by: {item.people}{f', {item.year}' if item.year else ''}\n" if item.by else ""
    boxes = "\n".join(f"- [ ] {name}: {what}" for name, what in zip(PASSES, three_passes(item)))
    return f"# {item.title}\n\n{by}it is at <{item.link}>\n\n{boxes}\n"


def add(workspace: Workspace, item: Item, text: str, now: datetime) -> Path:
    """Adds an entry of three to five sentences at the end of the note, and records that it was read. ShelfError for another number."""
    said = _clean(text)
    count = count_sentences(said)
    if not FEWEST <= count <= MOST or len(said) > LONGEST:
        has = f"{len(said)} characters" if len(said) > LONGEST else f"{count} sentence{'' if count == 1 else 's'}"
        raise ShelfError(
            f"an entry is three to five sentences: what it claims, how it knows, what you take from it. This has {has}."
        )
    path = begin(workspace, item)
    problem = read_note(path).problem if not path.is_file() else ""
    if problem:
        raise ShelfError(f"{problem}: move it away, and say it again")
    _append(path, f"\n## {now:%Y-%m-%d}\n\n{said}\n")
    with workspace.store() as store:
        store.append("read", key=item.key, what=item.kind, sentences=count)
    return path


def _clean(text: str) -> str:
    """One paragraph, without signs that steer a terminal, and without a sign in front that Markdown would take for something else."""
    kept = "".join(sign if unicodedata.category(sign) not in ("Cc", "Cf", "Cs", "Co") else " " for sign in text)
    line = " ".join(kept.split())
    return "\\" + line if line[:1] in tuple("#-+*>=<") else line


def _append(path: Path, text: str) -> None:
    """Writes at the end, on the disk when it returns."""
    try:
        with path.open("r+b") as file:
            size = file.seek(0, os.SEEK_END)
            if size:
                file.seek(size - 1)
                if file.read(1) != b"\n":
                    text = "\n" + text
            file.seek(0, os.SEEK_END)
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
    except OSError as problem:
        raise ShelfError(f"{path} cannot be written: {problem.strerror}. Nothing was added.") from None


def keys_read(workspace: Workspace) -> set[str]:
    """What has been read: enough said in its note, or recorded once."""
    with workspace.store(readonly=True) as store:
        recorded = {str(event.payload.get("key", "")) for event in store.events(kind="read")}
    return {key for key in recorded if key} | {key for key, note in notes_of(workspace).items() if note.read}
