"""The learner's own Markdown: posts, and those entries of the log that they allow. Read as far as it goes, never written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo
from pathlib import Path

from ...course.log.entries import Entry, lines_of, read_entry, read_log
from ...course.workspace.workspace import Workspace

POSTS = Path("notes") / "posts"
FRONT = re.compile(r"([A-Za-z][\w-]*)\s*:\s*(.*?)\s*$")
HEADING = re.compile(r"#\s+(.*?)\s*#*\s*$")
PUBLIC = re.compile(r"\s*public\s*:\s*yes\s*$", re.IGNORECASE)
DATED = re.compile(r"(\d{4}-\d\d-\d\d)[-_ ]?")
YES = ("yes", "true", "y")
REPRODUCTION = "reproduction"


@dataclass(frozen=True)
class Post:
    """A post: a file in notes/posts. kind: what its front matter calls it, such as reproduction; paper: of which paper."""

    name: str  # of its file, without the ending
    title: str
    day: date
    text: str
    summary: str = ""
    kind: str = ""
    paper: str = ""


def posts_of(workspace: Workspace, zone: tzinfo) -> list[Post]:
    """The posts, the newest first. Drafts (`draft: yes`, or a name that begins with a dot or a low line) are not among them."""
    try:
        paths = sorted((workspace.root / POSTS).glob("*.md"))
    except OSError:
        return []
    read = (_post(path, zone) for path in paths if not path.name.startswith((".", "_")))
    return sorted((post for post in read if post is not None), key=lambda post: (post.day, post.name), reverse=True)


def _post(path: Path, zone: tzinfo) -> Post | None:
    entry = read_entry(path)
    if not entry.text.strip():
        return None
    said, text = front_matter(entry.text)
    if said.get("draft", "").lower() in YES or said.get("public", "").lower() == "no":
        return None
    title, text = _titled(said.get("title", ""), text, path.stem)
    return Post(
        path.stem, title, _day_of(path, said.get("date", ""), zone), text, said.get("summary", ""),
        said.get("kind", "").lower(), said.get("paper", ""),
    )  # fmt: skip


def front_matter(text: str) -> tuple[dict[str, str], str]:
    """The values between two lines `---` at the beginning, as far as they can be read, and the text after them."""
    lines = text.split("\n")
    if lines[0].strip() != "---":
        return {}, text
    end = next((i for i, line in enumerate(lines[1:], 1) if line.strip() in ("---", "...")), None)
    if end is None:
        return {}, text
    found = (FRONT.match(line) for line in lines[1:end])
    said = {match[1].lower(): _unquoted(match[2]) for match in found if match}
    return said, "\n".join(lines[end + 1 :])


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value


def _titled(given: str, text: str, name: str) -> tuple[str, str]:
    """The title, and the text without the heading that says it."""
    lines = text.strip("\n").split("\n")
    heading = HEADING.match(lines[0])
    if heading and (not given or heading[1] == given):
        return heading[1] or given or name, "\n".join(lines[1:])
    return given or DATED.sub("", name).replace("-", " ").replace("_", " ").strip() or name, text


def _day_of(path: Path, said: str, zone: tzinfo) -> date:
    """From the front matter, from the name of the file, or when it was written."""
    for text in (said, path.name):
        if match := DATED.match(text):
            try:
                return date.fromisoformat(match[1])
            except ValueError:
                continue
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, zone).date()
    except OSError:
        return date.min


def allowed_entries(workspace: Workspace, every: bool) -> list[Entry]:
    """The entries of the log that may be shown, the oldest first: those with a line `public: yes`, or every one."""
    return list(_allowed(read_log(workspace), every))


def _allowed(entries: Iterable[Entry], every: bool) -> Iterator[Entry]:
    for entry in entries:
        said, text = front_matter(entry.text)
        public, kept = _without_permission(text)
        if entry.text.strip() and (every or public or said.get("public", "").lower() == "yes"):
            yield replace(entry, text=kept)


def _without_permission(text: str) -> tuple[bool, str]:
    """Whether a line outside every fence is `public: yes`, and the text without it."""
    kept, public = [], False
    for line, fenced in lines_of(text):
        if not fenced and PUBLIC.match(line):
            public = True
        else:
            kept.append(line)
    return public, "\n".join(kept)
