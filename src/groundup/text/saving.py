"""How a tokenizer is kept: one JSON file, which a person can read and a program can check.

A tokenizer is its definition, a dictionary of plain data. The SHA-256 of the definition is its fingerprint: two
tokenizers with the same one give the same ids, and data written with one can say which it was.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any


def canonical(definition: dict[str, Any]) -> str:
    """The definition as JSON in one form only: keys sorted, no spaces, ASCII."""
    return json.dumps(definition, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def fingerprint(definition: dict[str, Any]) -> str:
    """SHA-256 of the canonical form, 64 hexadecimal digits."""
    return hashlib.sha256(canonical(definition).encode("ascii")).hexdigest()


def write(path: str | Path, definition: dict[str, Any]) -> None:
    """Writes a definition as JSON."""
    replace(path, (canonical(definition) + "\n").encode("ascii"))


def replace(path: str | Path, content: bytes) -> None:
    """Writes beside `path` and renames: whoever looks finds the old file or the new one, and never half of one."""
    path = Path(path)
    aside = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        with open(aside, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def read(path: str | Path, kind: str | None = None) -> dict[str, Any]:
    """The definition in a file. ValueError where it is none, or is not of this kind ("bpe", "chars", "unigram")."""
    try:
        definition = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} holds no tokenizer: {error}") from error
    if not isinstance(definition, dict) or not isinstance(definition.get("kind"), str):
        raise ValueError(f'{path} holds no tokenizer: it has no "kind".')
    if kind is not None and definition["kind"] != kind:
        raise ValueError(f"{path} holds a tokenizer of kind {definition['kind']!r}, not {kind!r}.")
    return definition
