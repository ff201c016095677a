"""A text file as a page sees it: with the hash that says which state of it one has in hand."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from ...course.workspace.workspace import write_atomically
from ..paging import Refused

LARGEST = 1 << 20  # bytes of a file that the editor opens


@dataclass(frozen=True)
class State:
    """A file as it is on the disk. path: what the page calls it; sha: "" where there is none."""

    path: str
    text: str
    sha: str


def state_of(path: str, data: bytes | None, said: str) -> State:
    """What is in a file; `said` names it in a refusal. Refused for what is no text."""
    if data is None:
        return State(path, "", "")
    if len(data) > LARGEST:
        raise Refused(413, f"{said} is too long for the editor here: use your own, this page follows what it saves")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused(409, f"{said} is not UTF-8 text: save it as UTF-8 in your own editor") from None
    return State(path, text, hashlib.sha256(data).hexdigest())


def write_over(target: Path, here: State, said: str, text: str, base: str) -> State:
    """Writes a file if it is still the one that was edited. Refused, with what is on the disk, if it has changed meanwhile."""
    try:
        data = text.encode("utf-8", "strict")
    except UnicodeEncodeError:
        raise Refused(400, "the text has half of a character in it, which no file can hold") from None
    if len(data) > LARGEST:
        raise Refused(413, f"a file that is written here has at most a million bytes: {said} would be longer")
    sha = hashlib.sha256(data).hexdigest()
    if here.sha not in (base, sha):
        raise Refused(409, f"{said} has changed on the disk since you opened it", text=here.text, sha=here.sha)
    if here.sha != sha:
        write_atomically(target, data)
    return State(here.path, text, sha)
