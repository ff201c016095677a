"""Files that a run has kept, given out by their hash: nothing that a request says ever becomes a path.

What is given out is what was recorded, or nothing: the file is hashed anew. It comes as something to be saved. A picture is what it
is, so that <img> can show it, an SVG too, whose scripts an <img> does not run.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from starlette.responses import FileResponse, Response

from ...lab.formats import Row
from ...lab.record import Records
from ..paging import Refused

PICTURES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".svg": "image/svg+xml",
}
TEXTS = (".txt", ".md", ".json", ".jsonl", ".csv", ".tsv", ".toml", ".yaml", ".log", ".py")
SHOWN = 20_000  # bytes of a text that a page shows
SAFE = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cache-Control": "private, max-age=31536000, immutable",
}


@dataclass(frozen=True)
class Artifact:
    """A file of a run as it was recorded."""

    name: str
    sha: str
    size: int

    @property
    def is_picture(self) -> bool:
        return Path(self.name).suffix.lower() in PICTURES

    @property
    def is_text(self) -> bool:
        return Path(self.name).suffix.lower() in TEXTS


def artifacts_of(kept: Records, row: Row) -> list[Artifact]:
    """The files of a run, by name."""
    return [Artifact(name, sha, size) for name, (sha, size) in kept.artifacts(row.id).items()]


def response(kept: Records, row: Row, sha: str) -> Response:
    """The file with this hash, to be saved. Refused where the run has none, or it is no longer what was recorded."""
    artifact = next((each for each in artifacts_of(kept, row) if each.sha == sha), None)
    if artifact is None:
        raise Refused(404, f"{row.name} has kept no such file")
    path = _path(kept, row, artifact)
    name = Path(artifact.name).name
    headers = {**SAFE, "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}"}
    kind = PICTURES.get(Path(name).suffix.lower(), "application/octet-stream")
    return FileResponse(path, media_type=kind, headers=headers)


def text_of(kept: Records, row: Row, artifact: Artifact) -> str | None:
    """The beginning of a text, None if it is none or is no longer what was recorded."""
    if not artifact.is_text or artifact.size > 50 * SHOWN:
        return None
    try:
        with _path(kept, row, artifact).open("rb") as file:
            return file.read(SHOWN).decode("utf-8", "replace")
    except (Refused, OSError):
        return None


def read_artifact(kept: Records, row: Row, artifact: Artifact) -> bytes:
    """The whole file. Refused where it is no longer what was recorded."""
    return _path(kept, row, artifact).read_bytes()


def _path(kept: Records, row: Row, artifact: Artifact) -> Path:
    """Where it lies: inside the run's folder, also behind links, and with the content that was recorded."""
    folder = (kept.folder / row.name).resolve()
    path = (folder / artifact.name).resolve()
    try:
        if not path.is_relative_to(folder) or not path.is_file() or _hash(path) != artifact.sha:
            raise Refused(410, f"{artifact.name} of {row.name} is not there any more as it was recorded")
    except OSError as problem:
        raise Refused(410, f"{artifact.name} of {row.name} cannot be read: {problem.strerror}") from None
    return path


def _hash(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
